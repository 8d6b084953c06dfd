"""Our own book of what was burnt: append-only SQLite, shared by all windows. Written before a request leaves.

A step is a row when it begins and another when it ends; nothing is ever changed. A beginning without an end belongs to a
process that still runs, or to one that died: then it counts as interrupted, with what was estimated.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assistant.errors import StateError
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_COLUMNS = (
    "id", "state", "at", "session", "turn", "step", "purpose", "project", "provider", "model", "served_model", "payer", "plan",
    "fresh_input", "cache_read", "cache_write_short", "cache_write_long", "output", "reasoning", "exact", "cost_status",
    "amount", "currency", "pid",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Start:
    """A step before it leaves, with what it is expected to burn."""

    at: datetime
    session: str
    turn: int
    step: int
    purpose: str
    project: str
    provider: str
    model: str
    payer: str
    plan: str
    usage_estimate: TokenUsage
    cost_estimate: Cost
    pid: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One step as the book knows it. `state` is "in_flight", "settled", "interrupted" or "failed"."""

    id: str
    state: str
    at: datetime
    session: str
    turn: int
    step: int
    purpose: str
    project: str
    provider: str
    model: str
    served_model: str
    payer: str
    plan: str
    usage: TokenUsage
    cost: Cost
    pid: int


class Ledger:
    """The book in one file. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._lock = threading.Lock()
        self._base: sqlite3.Connection | None = None

    def begin(self, start: Start) -> str:
        """Write a step that is about to leave; returns its id."""
        entry = uuid.uuid4().hex
        self._write(
            (entry, "in_flight", start.at, start.session, start.turn, start.step, start.purpose, start.project, start.provider,
             start.model, "", start.payer, start.plan, start.usage_estimate, start.cost_estimate, start.pid)
        )  # fmt: skip
        return entry

    def settle(
        self, entry: str, *, at: datetime, state: str, usage: TokenUsage, cost: Cost, served_model: str = ""
    ) -> None:
        """Write how a step ended."""
        del at  # a step counts at the instant it left: windows and prices are of then
        known = self._rows("WHERE id = ? ORDER BY rowid LIMIT 1", [entry])
        if not known:
            raise StateError(f"The ledger knows no step {entry}.", "Was the ledger moved away while a turn ran?")
        old = known[0]
        self._write(
            (entry, state, old.at, old.session, old.turn, old.step, old.purpose, old.project, old.provider, old.model,
             served_model, old.payer, old.plan, usage, cost, old.pid)
        )  # fmt: skip

    def recover(self, now: datetime, alive: Callable[[int], bool]) -> int:
        """Settle as interrupted what processes that are gone have left in flight; returns how many."""
        if not self.path.exists():
            return 0
        gone = [entry for entry in self.entries() if entry.state == "in_flight" and not alive(entry.pid)]
        for entry in gone:
            self.settle(entry.id, at=now, state="interrupted", usage=entry.usage, cost=entry.cost)
        return len(gone)

    def entries(self, *, since: datetime | None = None, plan: str | None = None) -> list[Entry]:
        """Return the steps, oldest first, each as it stands now."""
        if not self.path.exists() and self._base is None:
            return []
        where, values = ["rowid IN (SELECT MAX(rowid) FROM steps GROUP BY id)"], []
        if since is not None:
            where.append("at >= ?")
            values.append(_instant(since))
        if plan is not None:
            where.append("plan = ?")
            values.append(plan)
        return self._rows(f"WHERE {' AND '.join(where)} ORDER BY at, rowid", values)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._base is not None:
                self._base.close()
                self._base = None

    def _rows(self, tail: str, values: list[Any]) -> list[Entry]:
        with self._open() as base:
            rows = base.execute(f"SELECT {', '.join(_COLUMNS)} FROM steps {tail}", values).fetchall()
        found = []
        for row in rows:
            fresh, read, short, long, output, reasoning, exact = row[13:20]
            usage = TokenUsage(fresh, read, short, long, output, reasoning, bool(exact))
            cost = Cost(row[20], Decimal(row[21]) if row[21] is not None else None, row[22])
            at = datetime.fromisoformat(row[2])
            found.append(Entry(row[0], row[1], at, *row[3:13], usage, cost, row[23]))  # type: ignore[call-arg]
        return found

    def _write(self, row: tuple[Any, ...]) -> None:
        *head, usage, cost, pid = row
        head[2] = _instant(head[2])
        values = [
            *head, usage.fresh_input, usage.cache_read, usage.cache_write_short, usage.cache_write_long, usage.output,
            usage.reasoning, int(usage.exact), cost.status, None if cost.amount is None else str(cost.amount), cost.currency, pid,
        ]  # fmt: skip
        with self._open() as base, base:
            base.execute(f"INSERT INTO steps ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})", values)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._base is None:
                    self._base = self._connect()
                yield self._base
            except sqlite3.DatabaseError as error:
                raise StateError(
                    f"The ledger {self.path} cannot be used: {error}.",
                    "Make room, or set WATTSON_HOME to a folder that can be written.",
                ) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StateError(f"{self.path.parent} cannot be made: {error.strerror}.", "Set WATTSON_HOME.") from error
        try:
            return self._prepared()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or not self.path.exists():
                raise
            aside = self.path.with_name(f"{self.path.name}.damaged-{uuid.uuid4().hex[:8]}")
            self.path.rename(aside)
            self.warnings.append(f"The ledger was damaged and set aside as {aside}; a new one was begun.")
            return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        base = sqlite3.connect(self.path, timeout=15, check_same_thread=False)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        base.execute(f"CREATE TABLE IF NOT EXISTS steps ({', '.join(_COLUMNS)})")
        base.execute("CREATE INDEX IF NOT EXISTS steps_id ON steps (id)")
        base.execute("CREATE INDEX IF NOT EXISTS steps_at ON steps (at)")
        base.commit()
        self.path.chmod(0o600)
        return base


def _instant(at: datetime) -> str:
    """Write an instant so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
