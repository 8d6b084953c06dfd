"""Our own book of what was burnt: append-only, shared by all windows. A step is written before its request leaves.

A step is a row when it begins and another when it ends, and a third when it is corrected; the latest one counts and none
is ever changed. A beginning without an end belongs to a process that still runs, or to one that died: then it counts as
interrupted, with what was estimated. Prices and windows are those of the instant at which the step left.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache, cached_property
from itertools import chain, pairwise
from math import ceil, floor
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from assistant.errors import StateError
from assistant.quota import tally
from assistant.quota.entry import Entry, Outcome, Start, Total
from assistant.quota.store import WAIT_S, Store
from assistant.quota.tally import Row
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from assistant.quota.sources import Sources
    from assistant.quota.store import Connection
    from assistant.quota.tariff import Burn

_RECENT, _ANSWERS = 500, 8
"""Rows among which the last answers of a model are looked for, and how many of them count."""
_LONGEST = timedelta(hours=24)
"""No step is in flight for longer: its process is gone, even if another one has its number now."""


_FINE = 5
"""Keys by which nearly all rows of `days` differ."""

__all__ = ["Entry", "Ledger", "Outcome", "Start", "Total"]


class Ledger:
    """The book in one file. Safe to use from several threads and processes.

    `zone` decides on which day and hour of history a step falls, once and for all; None is the zone of this machine.
    """

    def __init__(self, path: Path, zone: tzinfo | None = UTC, *, wait_s: float = WAIT_S) -> None:
        self.path = path
        self.store = Store(
            path, version=tally.VERSION, build=_build, carry=("steps", "outcomes", "readings"), wait_s=wait_s
        )
        self._zone = zone
        self._begun: dict[str, Row] = {}

    @property
    def warnings(self) -> list[str]:
        """What went wrong with the file without stopping anything; to be shown once."""
        return self.store.warnings

    @cached_property
    def sources(self) -> Sources:
        """What providers said, and who asked when."""
        from assistant.quota.sources import Sources

        return Sources(self.store)

    # Writing.

    def begin(self, start: Start) -> str:
        """Write a step that is about to leave; returns its id. It outlives this process, but not a power cut before its end.

        Raises StateError when the book is locked for long.
        """
        entry = os.urandom(16).hex()
        row = Row(
            id=entry,
            state="in_flight",
            at=_instant(start.at),
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
        self._append(row, synced=False)  # its end is, a moment later, and takes it along
        self._begun[entry] = row
        return entry

    def settle(
        self, entry: str, *, at: datetime, state: str, usage: TokenUsage, cost: Cost, served_model: str = ""
    ) -> None:
        """Write how a step ended. It counts at the instant it left: windows and prices are of then."""
        old = self._begun.pop(entry, None) or self._first(entry)
        burn = _burn(usage, cost)
        self._append(old._replace(state=state, served_model=served_model, ended_at=_instant(at), **burn))

    def correct(self, entry: str, *, usage: TokenUsage, cost: Cost, note: str) -> None:
        """Write what a step that has ended really burnt, and how that is known (`note`); the old row stays."""
        old = self._latest(entry)
        if old.state == "in_flight":
            raise StateError(f"The step {entry} has not ended yet.", "Settle it first.")
        self._append(old._replace(note=note, **_burn(usage, cost)))

    def record(self, outcome: Outcome) -> None:
        """Write what became of a turn's edits."""
        counts = [getattr(outcome, name) for name in tally.OUTCOME_COLUMNS[7:]]
        row = (
            _instant(outcome.at), self._hour(outcome.at), outcome.session, outcome.turn, outcome.provider, outcome.model,
            outcome.project, *counts,
        )  # fmt: skip
        names = tally.OUTCOME_COLUMNS

        def write(base: Connection) -> None:
            base.execute(f"INSERT INTO outcomes ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", row)
            tally.catch_up(base, self._hour)

        self.store.write(write)

    def recover(self, now: datetime, alive: Callable[[int], bool]) -> int:
        """Settle as interrupted what processes that are gone have left in flight; returns how many."""
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
        """Close the file."""
        self.store.close()

    # Reading.

    def entries(
        self, *, since: datetime | None = None, plan: str | None = None, until: datetime | None = None
    ) -> list[Entry]:
        """Return the steps that left in [since, until), oldest first, each as it stands now."""
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
        """Return how many tokens the last answers of a model had, of some hundreds of steps at most, the newest first."""

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
        """Return the steps in flight that were booked before one of them, whatever their instants say."""
        before = " AND s.rowid < (SELECT step FROM open WHERE id = ?)"

        def read(base: Connection) -> list[Entry]:
            self._catch_up(base)
            return _open(base, before, [entry])

        return _merged(self.store.read(read))

    def bundles(
        self,
        *,
        plan: str,
        since: datetime | None = None,
        exact_since: datetime | None = None,
        edges: Sequence[datetime] = (),
        changes: Iterable[datetime] | None = None,
    ) -> list[Entry]:
        """Return what a plan burnt, as `entries` does but gathered by quarters of an hour, model and kind of cost.

        Exact from `since` on, around `edges`, and step by step from `exact_since` on. Where `changes` are given, a whole
        stretch between two of them, or edges, is gathered, and only the quarters that hold one are told apart. Steps that
        failed are left out. An entry stands for `steps` steps that were `prompts` prompts. A month of a million-row book takes some hundredth of a second.
        """
        first = -(-int(since.timestamp()) // tally.SPAN_S) if since is not None else -(1 << 62)
        last = int(exact_since.timestamp()) // tally.SPAN_S if exact_since is not None else 1 << 62
        if first >= last:
            return [entry for entry in self.entries(plan=plan, since=since) if entry.state != "failed"]
        cut = {int(edge.timestamp()) // tally.SPAN_S for edge in edges if edge.timestamp() % tally.SPAN_S}
        cut = {span for span in cut if first <= span < last}
        stretches = [(tally.span_at(span), tally.span_at(span + 1)) for span in cut]
        if since is not None and since < tally.span_at(first):
            stretches.append((since, tally.span_at(first)))

        pieces = [(first, last)]
        if changes is not None and since is not None:
            marks = {each.timestamp() / tally.SPAN_S for each in (*edges, *changes)}
            at = sorted(
                {first, last, *(span for mark in marks for span in (floor(mark), ceil(mark)) if first < span < last)}
            )
            pieces = list(pairwise(at))

        def read(base: Connection) -> list[Entry]:
            self._catch_up(base)
            return _bundles(base, plan, pieces, cut, quarters=changes is None)

        found = _merged(self.store.read(read))
        for start, end in stretches:
            found += self.entries(plan=plan, since=start, until=end)
        if exact_since is not None:
            found += self.entries(plan=plan, since=tally.span_at(last))
        found = [entry for entry in found if entry.state not in {"failed", "in_flight"}]
        found += [e for e in self.in_flight() if e.plan == plan and (since is None or e.at >= since)]
        return sorted(found, key=lambda entry: entry.at)

    def steps(self, since: datetime | None = None, *, without: str = "") -> list[Burn]:
        """Return the steps that left since an instant, or all, as burns, those in flight too, oldest first.

        Steps that failed are left out, and those of a payer `without`.
        """
        first = "" if since is None else _instant(since)
        asked = "IIF(s.purpose <> '', s.purpose = 'main' AND s.step <= 1, 1)"
        counts = ", ".join(f"s.{name}" for name in tally.TOKENS)
        columns = f"s.id, s.at, s.model, s.exact, s.cost_status, s.currency, 1, {asked}, {counts}, s.amount"
        ended = f"SELECT {columns} FROM steps AS s WHERE {tally.USED} AND s.at >= ? AND s.payer IS NOT ? ORDER BY s.at, s.rowid"
        flying = (
            f"SELECT {columns} FROM open JOIN steps AS s ON s.rowid = open.step WHERE s.at >= ? AND s.payer IS NOT ?"
        )

        def read(base: Connection) -> list[tuple[str, Burn]]:
            self._catch_up(base)
            found = base.execute(ended, (first, without or None)).fetchall()
            flown = len(found)
            found += base.execute(flying, (first, without or None))
            burns = _burns(row[1:] for row in found)
            return [
                (row[0], burn if place < flown else burn._replace(running=True))
                for place, (row, burn) in enumerate(zip(found, burns, strict=True))
            ]

        known = dict(chain.from_iterable(self.store.read(read)))  # where disk and memory know a step, memory is newer
        return sorted(known.values(), key=lambda burn: burn.at)

    def gathered(
        self, minutes: Literal[15, 60], since: datetime | None, until: datetime, *, without: str = ""
    ) -> list[Burn]:
        """Return what was burnt in [since, until), added up by so many minutes of UTC, model, plan and kind of cost, oldest first.

        Both instants are put back to full quarters of an hour. Steps that failed are left out, and those of a payer `without`.
        """
        first = int(since.timestamp()) // tally.SPAN_S if since is not None else -(1 << 62)
        last = int(until.timestamp()) // tally.SPAN_S
        pieces = [("quarters", first, last)]
        begin, end = -(-first // _QUARTERS), last // _QUARTERS  # the hours that lie in there as a whole
        if minutes == 60 and begin <= end:
            edges = [("quarters", first, begin * _QUARTERS), ("quarters", end * _QUARTERS, last)]
            pieces = [("hourly", begin, end), *(each for each in edges if each[1] < each[2])]

        def read(base: Connection) -> list[Burn]:
            self._catch_up(base)
            plans = [row[0] for row in base.execute(_PLANS)]
            found: list[Burn] = []
            for table, start, stop in pieces:
                whole = table == "hourly" or minutes == 15
                sums = ", ".join(name if whole else f"SUM({name})" for name in tally.SPAN_SUMS)
                query = (
                    f"SELECT {'first_at' if whole else 'MIN(first_at)'}, model, exact, cost_status, currency, {sums}, "
                    f"{'amount' if whole else tally.MONEY} FROM {table} WHERE plan = ? AND span >= ? AND span < ? "
                    f"AND steps > 0 AND payer <> ?{'' if whole else f' GROUP BY {_KINDS}'}"
                )
                for plan in plans:
                    found += _burns(base.execute(query, (plan, start, stop, without)))
            return found

        return sorted(chain.from_iterable(self.store.read(read)), key=attrgetter("at"))

    def openings(
        self,
        plan: str,
        ends: Callable[[datetime, datetime | None], datetime],
        until: datetime,
        *,
        since: datetime | None = None,
        counts: Callable[[str], bool] | None = None,
        others: Iterable[datetime] = (),
    ) -> list[datetime]:
        """Return the last two uses before `until` that opened a first-use window, or as many as there were.

        A use opens one, `ends` says when it ends (given the end of the last), and the first use from then on opens the
        next: a jump through an index each, from the first use there ever was, or since an instant. Uses are the steps of a
        plan that did not fail, of models that `counts` where given, and `others`.
        """
        flying = [each for each in self.in_flight() if each.plan == plan]
        if not self.store.on_disk:
            flying += [each for each in self.entries(plan=plan) if each.state != "failed"]
        mine = [each.at for each in flying if counts is None or counts(each.model)]
        more = sorted({_instant(at) for at in (*mine, *others)})
        scope = " AND counts(s.model)" if counts is not None else ""
        query = f"SELECT at FROM steps AS s WHERE {tally.USED} AND s.plan = ? AND s.at >= ?{scope} ORDER BY at LIMIT 1"
        edge = _instant(until)

        def follow(found_in: Callable[[str], Iterable[tuple[str]]]) -> list[str]:
            found: list[str] = []
            start, end = _instant(since) if since is not None else "", None
            while True:
                place = bisect_left(more, start)
                at = min((*(row[0] for row in found_in(start)), *more[place : place + 1]), default=edge)
                if at >= edge:
                    return found
                found = [*found[-1:], at]
                end = ends(datetime.fromisoformat(at), end)
                start = max(_instant(end), f"{at}+")  # a window ends behind the use that opened it

        def read(base: Connection) -> list[str]:
            if counts is not None:
                base.create_function("counts", 1, counts, deterministic=True)
            return follow(lambda start: base.execute(query, (plan, start)))

        parts = self.store.read(read) or [follow(lambda _start: ())]  # of ours there may be nothing yet
        return [datetime.fromisoformat(at) for at in parts[0]]

    def plans(self) -> list[str]:
        """Name the plans of which something was burnt, sorted; a jump through an index from each to the next."""
        return sorted({row[0] for rows in self._derived(_PLANS, []) for row in rows if row[0]})

    def days(self) -> list[str]:
        """Return the first and the last day on which something was burnt, of the user's clock; empty for none."""
        query = "SELECT day FROM days WHERE steps > 0 ORDER BY day {} LIMIT 1"
        found = [row[0] for order in ("ASC", "DESC") for rows in self._derived(query.format(order), []) for row in rows]
        return [min(found), max(found)] if found else []

    def totals(
        self, by: Sequence[str] = ("day",), *, since: date | None = None, until: date | None = None, **only: str
    ) -> list[Total]:
        """Sum up the steps that have ended, by any of day, provider, model, project, purpose, plan, payer.

        Days are those of the user's clock, both ends included. `only` keeps one value of a key: `project="/p"`.
        """
        _known(by, only, tally.DAY_KEYS)
        where, values = _between(since, until)
        where += "".join(f" AND {name} = ?" for name in only)
        groups = ", ".join((*by, "cost_status", "currency"))
        tokens = ", ".join(f"SUM({name})" for name in tally.TOKENS)
        query = (
            f"SELECT {groups}, SUM(steps), SUM(failed), SUM(interrupted), SUM(inexact), {tokens}, {tally.MONEY} "
            f"FROM days WHERE 1{where} GROUP BY {groups} HAVING SUM(steps) > 0"
        )
        parts = self._derived(query, [*values, *only.values()])
        rows = chain.from_iterable(parts)
        return [
            _total(row, len(by)) for row in (rows if len(parts) == 1 else sorted(rows, key=lambda row: row[: len(by)]))
        ]

    def written(
        self, by: Sequence[str], *, since: date | None = None, until: date | None = None
    ) -> list[tuple[str, str, str, str, str | None]]:
        """Sum up as `totals` does, for `report`: SQL joins the numbers, which takes a third of what they take in Python.

        Each is a `report.Told`, all kinds of cost of a key in one. In order of key; neighbours with the same key are to be
        added up.
        """
        _known(by, (), tally.DAY_KEYS)
        where, values = _between(since, until)
        groups, fine = ", ".join(by), tuple(by[:_FINE]) == tally.DAY_ORDER[:_FINE]
        others = f"PRINTF('{','.join(['%Q'] * (len(by) - 1))}', {', '.join(by[1:])})" if len(by) > 1 else "''"
        # In the finest sums nearly all keys differ: to let SQLite sum up one row at a time costs more than to read them.
        told = tally.WRITTEN if fine else tally.WRITTEN_SUMS
        query = f"SELECT {by[0]}, {others}, {told} FROM days WHERE steps > 0{where}{'' if fine else f' GROUP BY {groups}'} ORDER BY {groups}"
        parts = self._derived(query, values)
        return parts[0] if len(parts) == 1 else sorted(chain.from_iterable(parts), key=lambda row: row[:2])

    def hours(self, *, since: date | None = None, until: date | None = None) -> list[tuple[str, int, int, int]]:
        """Return (day, hour, steps, tokens) for the hours in which something was burnt."""
        where, values = _between(since, until)
        query = f"SELECT day, hour, steps, tokens FROM hours WHERE 1{where} ORDER BY day, hour"
        parts: list[list[tuple[str, int, int, int]]] = self._derived(query, values)
        if len(parts) == 1:
            return parts[0]
        sums: dict[tuple[str, int], tuple[int, int]] = {}
        for rows in parts:
            for day, hour, steps, tokens in rows:
                old = sums.get((day, hour), (0, 0))
                sums[day, hour] = old[0] + steps, old[1] + tokens
        return [(day, hour, *counts) for (day, hour), counts in sorted(sums.items())]

    def yields(
        self,
        by: Sequence[str] = ("provider", "model"),
        *,
        since: date | None = None,
        until: date | None = None,
        **only: str,
    ) -> dict[tuple[str, ...], dict[str, int]]:
        """Sum up what became of the edits, by any of day, provider, model, project: the counts of `Outcome` by key."""
        _known(by, only, tally.YIELD_KEYS)
        where, values = _between(since, until)
        where += "".join(f" AND {name} = ?" for name in only)
        sums = ", ".join(f"SUM({name})" for name in tally.YIELD_SUMS)
        query = f"SELECT {', '.join((*by, sums))} FROM yields WHERE 1{where} GROUP BY {', '.join(by)}"
        found: dict[tuple[str, ...], dict[str, int]] = {}
        for rows in self._derived(query, [*values, *only.values()]):
            for row in rows:
                counts = found.setdefault(tuple(row[: len(by)]), dict.fromkeys(tally.YIELD_SUMS, 0))
                for name, count in zip(tally.YIELD_SUMS, row[len(by) :], strict=True):
                    counts[name] += count
        return found

    def _derived(self, query: str, values: list[Any]) -> list[list[tuple[Any, ...]]]:
        def read(base: Connection) -> list[tuple[Any, ...]]:
            self._catch_up(base)
            return base.execute(query, values).fetchall()

        return self.store.read(read)

    # Inside.

    def _hour(self, at: datetime) -> str:
        return at.astimezone(self._zone).isoformat()[:13]

    def _append(self, row: Row, *, synced: bool = True) -> None:
        def write(base: Connection) -> None:
            base.execute(
                f"INSERT INTO steps ({', '.join(tally.COLUMNS)}) VALUES ({', '.join('?' * len(tally.COLUMNS))})", row
            )
            tally.catch_up(base, self._hour)

        self.store.write(write, synced=synced)

    def _catch_up(self, base: Connection) -> None:
        """Fold what an older version wrote; nearly always there is nothing to do."""
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
    """Return the columns of a row that say what a step burnt."""
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
    # In their order and not by name: there may be a million, and by name each takes a fifth longer.
    return Entry(
        row.id, row.state, datetime.fromisoformat(row.at), row.session, row.turn, row.step, row.purpose, row.project,
        row.provider, row.model, row.served_model, row.payer, row.plan, usage,
        Cost(row.cost_status, None if row.amount is None else Decimal(row.amount), row.currency), row.pid, row.account or "",
        row.note or "", ended_at=datetime.fromisoformat(row.ended_at) if row.ended_at else None,
    )  # fmt: skip


def _total(row: tuple[Any, ...], width: int) -> Total:
    status, currency, steps, failed, interrupted, inexact, fresh, read, short, long, output, reasoning, amounts = row[
        width:
    ]
    usage = TokenUsage(fresh, read, short, long, output, reasoning, not inexact)
    return Total(row[:width], status, currency, steps, failed, interrupted, inexact, usage, tally.money(amounts))


_KINDS = "provider, model, payer, exact, cost_status, currency"
_PLANS = (
    "WITH RECURSIVE each(plan) AS (SELECT MIN(plan) FROM quarters UNION ALL "
    "SELECT (SELECT MIN(plan) FROM quarters WHERE plan > each.plan) FROM each WHERE each.plan IS NOT NULL) "
    "SELECT plan FROM each WHERE plan IS NOT NULL"
)
_QUARTERS = 4
"""Quarters of an hour in an hour."""


def _bundles(
    base: Connection, plan: str, pieces: Iterable[tuple[int, int]], cut: Collection[int], *, quarters: bool
) -> list[Entry]:
    """Return the sums of a plan in some stretches of quarters, without those that are `cut` out: by `quarters`, or each stretch in one."""
    sums = ", ".join(name if quarters else f"SUM({name})" for name in tally.SPAN_SUMS)
    first_at, amount = ("first_at", "amount") if quarters else ("MIN(first_at)", tally.MONEY)
    query = (
        f"SELECT {first_at}, {_KINDS}, {sums}, {amount} FROM quarters WHERE plan = ? AND span >= ? AND span < ? AND steps > 0"
        f"{' AND span <> ?' * len(cut)}{'' if quarters else f' GROUP BY {_KINDS}'}"
    )
    return [_bundle(plan, row) for first, last in pieces for row in base.execute(query, (plan, first, last, *cut))]


def _bundle(plan: str, row: Sequence[Any]) -> Entry:
    at, provider, model, payer, exact, status, currency, steps, prompts, *counts, amount = row
    return Entry(
        "", "settled", datetime.fromisoformat(at), "", 0, 0, "", "", provider, model, "", payer, plan,
        TokenUsage._make((*counts, bool(exact))),
        Cost(status, None if status in {"unknown", "included"} else tally.money(amount), currency), 0, steps=steps, prompts=prompts,
    )  # fmt: skip


def _burns(rows: Iterable[Sequence[Any]]) -> Iterator[Burn]:
    """Read steps, or sums of them, as burns. All in their order and not by name: there are ten thousand in three months."""
    from assistant.quota.tariff import STATED_NOTHING, Burn

    when, counted, paid, burn = datetime.fromisoformat, TokenUsage._make, Cost._make, Burn._make
    number = cache(Decimal)  # most counts come again and again
    for at, model, exact, status, currency, steps, prompts, fresh, read, short, long, output, thought, amounts in rows:
        usage = counted((fresh, read, short, long, output, thought, bool(exact)))
        cost = paid((status, None if status in {"unknown", "included"} else tally.money(amounts), currency))
        yield burn((
            when(at), usage, cost, model, number(steps), number(prompts), "", None, False, False, STATED_NOTHING,
            STATED_NOTHING, "", steps,
        ))  # fmt: skip


def _open(base: Connection, where: str, values: list[Any]) -> list[Entry]:
    columns = ", ".join(f"s.{name}" for name in tally.COLUMNS)
    query = f"SELECT {columns} FROM open JOIN steps AS s ON s.rowid = open.step WHERE 1{where} ORDER BY s.at"
    return [_entry(row) for row in base.execute(query, values)]


def _merged(parts: Iterable[list[Entry]]) -> list[Entry]:
    """Put together what disk and memory hold; where both know a step, memory is newer."""
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
        values.append(_instant(since))
    if until is not None:
        where += " AND s.at < ?"
        values.append(_instant(until))
    return where, values


def _between(since: date | None, until: date | None) -> tuple[str, list[Any]]:
    where, values = "", []
    if since is not None:
        where += " AND day >= ?"
        values.append(since.isoformat())
    if until is not None:
        where += " AND day <= ?"
        values.append(until.isoformat())
    return where, values


def _known(by: Sequence[str], only: Iterable[str], keys: Sequence[str]) -> None:
    if wrong := sorted({*by, *only} - set(keys)):
        raise ValueError(f"no sums by {wrong}; there are {', '.join(keys)}")


def _instant(at: datetime) -> str:
    """Write an instant so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
