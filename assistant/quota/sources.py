"""The providers' readings, as they came, and who asked when: readings and leases, shared by all windows.

A reading is kept whole, as text, and never changed; a repeated one only moves `confirmed_at` of the first. A lease lets
only one process ask a source within its time; a note of "retry after" holds for all processes and over restarts. A note
whose time is in the future was made by a clock that has since been set back: it is void.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota.entry import as_text
from assistant.quota.reading import from_json, silent_until, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from assistant.quota.reading import Reading
    from assistant.quota.store import Connection, Store


_OF_ACCOUNTS = {"endpoint", "headers", "error"}
"""Kinds of sources that are named by account: `endpoint:PROVIDER:MARK`."""


class KeptReading(NamedTuple):
    """One reading as it came: `payload` is JSON text. `at` is when it was first seen, `confirmed_at` when last."""

    source: str
    plan: str
    at: datetime
    confirmed_at: datetime
    payload: str


class Poll(NamedTuple):
    """When a source was last asked, and until when nobody may ask it (None if it may be asked)."""

    source: str
    attempted_at: datetime | None
    next_at: datetime | None
    retry_at: datetime | None
    failures: int


def build(base: Connection) -> None:
    """Make the tables."""
    base.execute(
        "CREATE TABLE IF NOT EXISTS readings (row INTEGER PRIMARY KEY, source, plan, at, confirmed_at, payload)"
    )
    base.execute("CREATE INDEX IF NOT EXISTS readings_source ON readings (source, at)")
    base.execute("CREATE INDEX IF NOT EXISTS readings_plan ON readings (plan, at)")
    base.execute("CREATE TABLE IF NOT EXISTS polls (source PRIMARY KEY, attempted_at, next_at, retry_at, failures)")


class Sources:
    """Readings and leases in the ledger's file."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def hear(self, source: str, readings: Sequence[Reading], at: datetime, *, plan: str) -> None:
        """Keep the readings of one answer as they came; the instant is kept apart, so that a repetition is known."""
        told = [to_json(each) for each in readings]
        for each in told:
            del each["observed_at"]
        self.put_readings(source, json.dumps(told, sort_keys=True, ensure_ascii=False), at, plan=plan)

    def heard(self, source: str = "", *, plan: str = "", since: datetime | None = None) -> list[Reading]:
        """Return what `hear` kept of a source or a plan, in order; a reading confirmed later is repeated then.

        Each names its account, if its source does.
        """
        found: list[Reading] = []
        for kept in self.readings(source, plan=plan, since=since):
            kind, _, mark = kept.source.partition(":")
            account = mark.rpartition(":")[2] if kind in _OF_ACCOUNTS else ""
            told = [each._replace(observed_at=kept.at, account=account) for each in _told(kept.payload)]
            found += told
            if kept.confirmed_at > kept.at:
                found += [each._replace(observed_at=kept.confirmed_at) for each in told if each.provider_at is None]
        return sorted(found, key=lambda each: each.observed_at)

    def put_readings(self, source: str, readings_json: str, observed_at: datetime, *, plan: str) -> None:
        """Keep a source's readings; its failures no longer count."""
        at = as_text(observed_at)

        def write(base: Connection) -> None:
            last = base.execute(
                "SELECT rowid, payload, at, confirmed_at FROM readings WHERE source = ? AND plan = ? ORDER BY at DESC LIMIT 1",
                (source, plan),
            ).fetchone()
            if last is not None and last[1] == readings_json and last[2] <= at:
                if last[3] < at:
                    base.execute("UPDATE readings SET confirmed_at = ? WHERE rowid = ?", (at, last[0]))
            else:
                base.execute(
                    "INSERT INTO readings (source, plan, at, confirmed_at, payload) VALUES (?, ?, ?, ?, ?)",
                    (source, plan, at, at, readings_json),
                )
            base.execute("UPDATE polls SET failures = 0, retry_at = NULL WHERE source = ?", (source,))

        self._store.write(write)

    def readings(self, source: str = "", *, plan: str = "", since: datetime | None = None) -> list[KeptReading]:
        """Return the readings of a source or of a plan, oldest first; `since` compares with their last confirmation."""
        where, values = [], []
        for name, value in (("source", source), ("plan", plan)):
            if value:
                where.append(f"{name} = ?")
                values.append(value)
        if since is not None:
            where.append("confirmed_at >= ?")
            values.append(as_text(since))
        return self._kept(f"WHERE {' AND '.join(where) or '1'} ORDER BY at, rowid", values)

    def plans(self, *, since: datetime) -> list[str]:
        """Name the plans with a reading since an instant."""
        query = "SELECT DISTINCT plan FROM readings WHERE confirmed_at >= ? AND plan <> '' ORDER BY plan"
        parts = self._store.read(lambda base: base.execute(query, (as_text(since),)).fetchall())
        return list(dict.fromkeys(plan for rows in parts for (plan,) in rows))

    def lease(self, source: str, now: datetime, ttl: timedelta) -> bool:
        """Say whether this process may ask a source now; if so, nobody else may for `ttl`.

        Nobody may while a `note_retry` holds (see `silent_until`). A lease from further ahead than `ttl` was taken by a
        clock that has been set back since, and does not hold. One from a little ahead holds: a process that waits here
        for another took its `now` earlier than the other did.
        """

        def write(base: Connection) -> bool:
            known = base.execute(
                "SELECT attempted_at, next_at, retry_at FROM polls WHERE source = ?", (source,)
            ).fetchone()
            at = as_text(now)
            if known is not None and (known[0] or "") <= as_text(now + ttl):
                asked, leased, retry = map(_read_instant, known)
                if max(leased or now, silent_until(asked, retry, now) or now) > now:
                    return False
            base.execute(
                "INSERT INTO polls VALUES (?, ?, ?, NULL, 0) "
                "ON CONFLICT DO UPDATE SET attempted_at = excluded.attempted_at, next_at = excluded.next_at, retry_at = NULL",
                (source, at, as_text(now + ttl)),
            )
            return True

        return self._store.write(write)

    def note_retry(self, source: str, until: datetime) -> None:
        """Let nobody ask a source before `until`; counts as a failure."""
        self._store.write(
            lambda base: base.execute(
                "INSERT INTO polls VALUES (?, NULL, NULL, ?, 1) "
                "ON CONFLICT DO UPDATE SET retry_at = excluded.retry_at, failures = failures + 1",
                (source, as_text(until)),
            )
        )

    def poll(self, source: str) -> Poll | None:
        """Return when and how a source was asked; None if it never was."""

        def read(base: Connection) -> tuple[Any, ...] | None:
            found: tuple[Any, ...] | None = base.execute(
                "SELECT source, attempted_at, next_at, retry_at, failures FROM polls WHERE source = ?", (source,)
            ).fetchone()
            return found

        for row in reversed(self._store.read(read)):
            if row is not None:
                return Poll(row[0], _read_instant(row[1]), _read_instant(row[2]), _read_instant(row[3]), row[4])
        return None

    def _kept(self, tail: str, values: list[Any]) -> list[KeptReading]:
        query = f"SELECT source, plan, at, confirmed_at, payload FROM readings {tail}"
        parts = self._store.read(lambda base: base.execute(query, values).fetchall())
        return [
            KeptReading(source, plan, datetime.fromisoformat(at), datetime.fromisoformat(confirmed), payload)
            for rows in parts
            for source, plan, at, confirmed, payload in rows
        ]


@lru_cache(maxsize=4096)
def _told(payload: str) -> tuple[Reading, ...]:
    """Return the readings of one kept answer; empty if it is of another kind or unreadable. Callers set instants."""
    try:
        return tuple(from_json({**each, "observed_at": _NEVER}) for each in json.loads(payload))
    except (ValueError, TypeError, RecursionError):
        return ()


_NEVER = datetime.min.replace(tzinfo=UTC).isoformat()


def _read_instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
