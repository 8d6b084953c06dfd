"""Our own book of burn: append-only, shared by all windows. A step is written before its request is sent.

A step is a row when it begins, another when it ends, and a third when it is corrected; the latest counts, and none is
ever changed. A beginning without an end belongs to a process that still runs, or to one that died: then the step counts
as interrupted, with its estimate. Prices and windows are those of the instant at which the step was sent.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from assistant.errors import Locked, StateError
from assistant.quota import tally
from assistant.quota.entry import Entry, Outcome, Start, as_text
from assistant.quota.store import WAIT_S, Store
from assistant.quota.tally import Row
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from assistant.quota.sources import Sources
    from assistant.quota.spans import Spans
    from assistant.quota.store import Connection
    from assistant.quota.sums import Sums

    Rows = Callable[[Connection], None]

_RECENT, _ANSWERS = 500, 8
"""The number of rows in which a model's last answers are looked for, and how many of those count."""
_GLANCE_S = 0.0
"""How long, in seconds, a read waits for the lock to write rows that are still waiting."""
_LONGEST = timedelta(hours=24)
"""No step is in flight for longer: its process has ended, even if another one has its number now."""


class Ledger:
    """The book in one file. Safe to use from several threads and processes.

    `zone` decides to which day and hour of history a step belongs, once and for all; None is the zone of this machine.
    """

    def __init__(self, path: Path, zone: tzinfo | None = UTC, *, wait_s: float = WAIT_S) -> None:
        self.path = path
        self.store = Store(
            path, version=tally.VERSION, build=_build, carry=("steps", "outcomes", "readings", "polls"), wait_s=wait_s
        )
        self._zone = zone
        self._begun: dict[str, Row] = {}
        self._late: list[Rows] = []
        """Rows that could not be written while the book was locked: they are written before the next ones."""

    @property
    def warnings(self) -> list[str]:
        """What went wrong with the file without stopping anything; to be shown once."""
        return self.store.warnings

    @cached_property
    def sources(self) -> Sources:
        """The providers' readings, and who asked when."""
        from assistant.quota.sources import Sources

        return Sources(self.store)

    @cached_property
    def sums(self) -> Sums:
        """The book added up, for people."""
        from assistant.quota.sums import Sums

        return Sums(self.store, self._catch_up)

    @cached_property
    def spans(self) -> Spans:
        """The book by stretches of time, for gauges and advice."""
        from assistant.quota.spans import Spans

        return Spans(self, self._catch_up)

    # Writing.

    def begin(self, start: Start) -> str:
        """Write a step that is about to be sent; return its id.

        The row survives the end of this process, but perhaps not a power cut before the step ends. Raises Locked if the
        book stays locked for long.
        """
        entry = os.urandom(16).hex()
        row = Row(
            id=entry,
            state="in_flight",
            at=as_text(start.at),
            session=start.session,
            turn=start.turn,
            step=start.step,
            purpose=start.purpose,
            project=start.project,
            provider=start.provider,
            model=start.model,
            served_model="",
            payer=start.payer,
            plan=start.plan,
            **_burn(start.usage_estimate, start.cost_estimate),
            pid=start.pid,
            account=start.account,
            attempt=None,
            note="",
            hour=self._hour(start.at),
            ended_at=None,
        )
        self._append(row, synced=False)  # the step's end is synced, a moment later, and this row with it
        self._begun[entry] = row
        return entry

    def settle(
        self, entry: str, *, at: datetime, state: str, usage: TokenUsage, cost: Cost, served_model: str = ""
    ) -> None:
        """Write how a step ended. It counts at the instant it was sent: windows and prices are those of then.

        Raises Locked if the book stays locked for long: then the row is written later, while this process lives.
        """
        old = self._begun.pop(entry, None) or self._first(entry)
        burn = _burn(usage, cost)
        row = old._replace(state=state, served_model=served_model, ended_at=as_text(at), **burn)
        try:
            self._append(row)
        except Locked:
            self._later(partial(self._insert, row))
            raise

    def correct(self, entry: str, *, usage: TokenUsage, cost: Cost, note: str) -> None:
        """Write the real burn of a step that has ended, and how it is known (`note`); the old row stays."""
        if self._late:  # the step itself may still be waiting to be written
            self._write(lambda _: None)
        old = self._latest(entry)
        if old.state == "in_flight":
            raise StateError(f"The step {entry} has not ended yet.", "Settle it first.")
        self._append(old._replace(note=note, **_burn(usage, cost)))

    def record(self, outcome: Outcome) -> None:
        """Write what became of a turn's edits; later, if the book stays locked for long."""
        counts = [getattr(outcome, name) for name in tally.OUTCOME_COLUMNS[7:]]
        row = (
            as_text(outcome.at), self._hour(outcome.at), outcome.session, outcome.turn, outcome.provider, outcome.model,
            outcome.project, *counts,
        )  # fmt: skip
        names = tally.OUTCOME_COLUMNS

        def write(base: Connection) -> None:
            base.execute(f"INSERT INTO outcomes ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", row)
            tally.catch_up(base, self._hour)

        try:
            self._write(write, wait_s=_GLANCE_S if self._late else None)  # an earlier write has just waited
        except Locked:
            self._later(write)

    def recover(self, now: datetime, alive: Callable[[int], bool]) -> int:
        """Settle steps that dead processes left in flight as interrupted; return how many."""
        running: dict[int, bool] = {}
        gone = []
        for entry in self.in_flight():
            if entry.pid not in running:
                running[entry.pid] = alive(entry.pid)
            if not running[entry.pid] or now - entry.at > _LONGEST:
                gone.append(entry)
        for entry in gone:
            self.settle(entry.id, at=now, state="interrupted", usage=entry.usage, cost=entry.cost)
        return len(gone)

    def close(self) -> None:
        """Close the file, after one more attempt to write the rows that are still waiting."""
        if self._late:
            with suppress(StateError):
                self._write(lambda _: None)
        self.store.close()

    # Reading.

    def entries(
        self, *, since: datetime | None = None, plan: str | None = None, until: datetime | None = None
    ) -> list[Entry]:
        """Return the steps sent in [since, until), oldest first, each in its latest state."""
        where, values = _where(since, plan, until)
        columns = ", ".join(tally.COLUMNS)
        query = (
            f"SELECT {columns} FROM steps AS s WHERE state <> 'in_flight'{where} "
            "AND NOT EXISTS (SELECT 1 FROM steps AS l WHERE l.id = s.id AND l.rowid > s.rowid) ORDER BY at, rowid"
        )

        def read(base: Connection) -> list[Entry]:
            self._catch_up(base)
            found = [_entry(row) for row in base.execute(query, values)]
            return found + _open(base, where, values)

        return _merged(self.store.read(read))

    def outputs(self, provider: str, model: str) -> list[int]:
        """Return the tokens of a model's last answers, newest first, from the last few hundred steps."""

        def read(base: Connection) -> list[int]:
            found = base.execute(
                "SELECT output FROM steps WHERE rowid > (SELECT max(rowid) FROM steps) - ? AND provider = ? AND model = ? "
                "AND purpose = 'main' AND state = 'settled' AND output > 0 ORDER BY rowid DESC LIMIT ?",
                (_RECENT, provider, model, _ANSWERS),
            )
            return [count for (count,) in found]

        return [count for some in self.store.read(read) for count in some][:_ANSWERS]

    def in_flight(self) -> list[Entry]:
        """Return the steps that have not ended, oldest first."""

        def read(base: Connection) -> list[Entry]:
            self._catch_up(base)
            return _open(base, "", [])

        found = _merged(self.store.read(read))
        return found if self.store.on_disk else [entry for entry in self.entries() if entry.state == "in_flight"]

    def booked_before(self, entry: str) -> list[Entry]:
        """Return the steps in flight that were written before this one, whatever their instants are."""
        before = " AND s.rowid < (SELECT step FROM open WHERE id = ?)"

        def read(base: Connection) -> list[Entry]:
            self._catch_up(base)
            return _open(base, before, [entry])

        return _merged(self.store.read(read))

    def length(self) -> list[int]:
        """Return the length of the book. It only ever grows: between two equal lengths nothing was written."""
        end = "SELECT ifnull(max(rowid), 0) FROM steps"
        return self.store.read(lambda base: int(base.execute(end).fetchone()[0]))

    # Inside.

    def _hour(self, at: datetime) -> str:
        return at.astimezone(self._zone).isoformat()[:13]

    def _append(self, row: Row, *, synced: bool = True) -> None:
        self._write(partial(self._insert, row), synced=synced)

    def _insert(self, row: Row, base: Connection) -> None:
        columns, marks = ", ".join(tally.COLUMNS), ", ".join("?" * len(tally.COLUMNS))
        base.execute(f"INSERT INTO steps ({columns}) VALUES ({marks})", row)
        tally.catch_up(base, self._hour)

    def _later(self, rows: Rows) -> None:
        with self.store.lock:
            self._late.append(rows)

    def _write(self, rows: Rows, *, synced: bool = True, wait_s: float | None = None) -> None:
        """Write rows, after those that are still waiting."""
        with self.store.lock:
            late = self._late

            def write(base: Connection) -> None:
                for each in (*late, rows):
                    each(base)

            self.store.write(write, synced=synced or bool(late), wait_s=wait_s)
            self._late = []

    def _catch_up(self, base: Connection) -> None:
        """Write rows that are still waiting, and fold in those of an older version; nearly always there are none."""
        if self._late:
            with suppress(Locked):
                self._write(lambda _: None, wait_s=_GLANCE_S)
        behind = base.execute(f"SELECT (SELECT MAX(rowid) FROM steps) > ({tally.FOLDED})").fetchone()[0]
        if behind:
            self.store.write(lambda writable: tally.catch_up(writable, self._hour))

    def _first(self, entry: str) -> Row:
        return self._row(entry, "ASC")

    def _latest(self, entry: str) -> Row:
        return self._row(entry, "DESC")

    def _row(self, entry: str, order: str) -> Row:
        query = f"SELECT {', '.join(tally.COLUMNS)} FROM steps WHERE id = ? ORDER BY rowid {order} LIMIT 1"
        found = [row for row in self.store.read(lambda base: base.execute(query, (entry,)).fetchone()) if row]
        if not found:
            raise StateError(f"The ledger knows no step {entry}.", "Was the ledger moved away while a turn ran?")
        return Row._make(found[0] if order == "ASC" else found[-1])


def _build(base: Connection, found: int) -> None:
    from assistant.quota import sources

    tally.build(base, found)
    sources.build(base)


def _burn(usage: TokenUsage, cost: Cost) -> dict[str, Any]:
    """Return the columns of a row that hold a step's burn."""
    return {
        "fresh_input": usage.fresh_input,
        "cache_read": usage.cache_read,
        "cache_write_short": usage.cache_write_short,
        "cache_write_long": usage.cache_write_long,
        "output": usage.output,
        "reasoning": usage.reasoning,
        "exact": int(usage.exact),
        "cost_status": cost.status,
        "amount": None if cost.amount is None else str(cost.amount),
        "currency": cost.currency,
    }


def _entry(columns: Sequence[Any]) -> Entry:
    row = Row._make(columns)
    usage = TokenUsage(
        row.fresh_input, row.cache_read, row.cache_write_short, row.cache_write_long, row.output, row.reasoning, bool(row.exact)
    )  # fmt: skip
    # By position, not by name: there may be a million, and names would take a fifth longer.
    return Entry(
        row.id, row.state, datetime.fromisoformat(row.at), row.session, row.turn, row.step, row.purpose, row.project,
        row.provider, row.model, row.served_model, row.payer, row.plan, usage,
        Cost(row.cost_status, None if row.amount is None else Decimal(row.amount), row.currency), row.pid, row.account or "",
        row.note or "", ended_at=datetime.fromisoformat(row.ended_at) if row.ended_at else None,
    )  # fmt: skip


def _open(base: Connection, where: str, values: list[Any]) -> list[Entry]:
    columns = ", ".join(f"s.{name}" for name in tally.COLUMNS)
    query = f"SELECT {columns} FROM open JOIN steps AS s ON s.rowid = open.step WHERE 1{where} ORDER BY s.at"
    return [_entry(row) for row in base.execute(query, values)]


def _merged(parts: Iterable[list[Entry]]) -> list[Entry]:
    """Merge the steps on disk and in memory; if both have a step, memory is newer."""
    parts = [part for part in parts if part]
    if len(parts) > 1:
        newer = {entry.id for entry in parts[1] if entry.id}
        parts[0] = [entry for entry in parts[0] if entry.id not in newer]
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)


def _where(since: datetime | None, plan: str | None, until: datetime | None) -> tuple[str, list[Any]]:
    where, values = "", []
    if plan is not None:
        where += " AND s.plan = ?"
        values.append(plan)
    if since is not None:
        where += " AND s.at >= ?"
        values.append(as_text(since))
    if until is not None:
        where += " AND s.at < ?"
        values.append(as_text(until))
    return where, values
