"""What other clients burnt, added up by hour, model and project: each request once, however often a log tells it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota import tally
from assistant.quota.marks import marks

if TYPE_CHECKING:
    from assistant.quota.marks import Seen
    from assistant.quota.store import Connection

KEYS = ("client", "provider", "model", "project", "day", "hour", "cost_status", "currency")
SUMS = ("steps", *tally.TOKENS)
_HOUR, _MINUTE = 13, 16
"""Characters of an instant up to its hour, and up to its minute."""

Row = tuple[str, str, str, str, str, int, int, int, int, int, int, Decimal | None, str]
"""A Use as a bare tuple: made a million times, its name costs more than what it holds."""


class Use(NamedTuple):
    """One request as a log tells it. Token counts are disjoint, as in TokenUsage; `amount` is US dollars the client reckoned.

    `key` names the request wherever it is copied, "" where the log gives it no name; `also` is a second name by which a
    copy may be known. `at` is an instant in ISO 8601.
    """

    key: str
    at: str
    provider: str
    model: str
    project: str
    fresh_input: int
    cache_read: int
    cache_write_short: int
    cache_write_long: int
    output: int
    reasoning: int
    amount: Decimal | None = None
    also: str = ""


class Buckets:
    """What a batch adds to the sums and to the marks. `zone` is that of the user's days; None is the zone of this machine."""

    def __init__(self, client: str, zone: tzinfo | None, seen: Seen) -> None:
        self.rows: dict[tuple[Any, ...], list[Any]] = {}
        self.marks: dict[int, None] = {}
        self.copies = 0
        self._client = client
        self._zone = zone
        self._seen = seen
        self._near: dict[tuple[Any, ...], list[Any]] = {}
        self._digits = _HOUR
        self._nowhere: list[Any] = [0, 0, 0, 0, 0, 0, 0, Decimal(0)]

    @property
    def torn(self) -> int:
        """How many requests told no instant that can be read."""
        return int(self._nowhere[0])

    def add(self, uses: dict[str, Row]) -> None:
        """Add the requests, by key, that were not counted before."""
        slots, last, counted, held = self._seen.slots, self._seen.last, self.marks, self._seen.holds
        near = self._near.get
        for mark, use in zip(marks(uses), uses.values(), strict=True):
            slot = mark & last
            if not slots[slot]:
                slots[slot] = 1
            elif mark in counted or held(mark):
                self.copies += 1
                continue
            _, at, provider, model, project, fresh, read, short, long, output, reasoning, amount, also = use
            if also and not self._is_new(also):
                self.copies += 1
                continue
            counted[mark] = None
            when = at[: self._digits] if at[-1:] == "Z" else at  # `_near` knows instants of UTC only
            row = near((when, model, project, provider, amount is None)) or self._row(use)
            row[0] += 1
            row[1] += fresh
            row[2] += read
            row[5] += output
            if short:
                row[3] += short
            if long:
                row[4] += long
            if reasoning:
                row[6] += reasoning
            if amount is not None:
                row[7] += amount

    def grow(self, use: Row, counts: list[int]) -> None:
        """Add what a request that was counted before has grown by."""
        row = self._row(use)
        row[1:7] = [old + new for old, new in zip(row[1:7], counts, strict=True)]

    def _is_new(self, also: str) -> bool:
        """Count a second name; False where it was counted before."""
        (mark,) = marks([also])
        slot = mark & self._seen.last
        if self._seen.slots[slot] and (mark in self.marks or self._seen.holds(mark)):
            return False
        self._seen.slots[slot] = 1
        self.marks[mark] = None
        return True

    def _row(self, use: Row) -> list[Any]:
        """Find the sums that a request belongs to: its hour on the user's clock, its model and project."""
        _, at, provider, model, project, *_, amount, _ = use
        found = instant(at)
        if found is None:
            return self._nowhere
        local = found.astimezone(self._zone)
        offset = local.utcoffset()
        if self._digits == _HOUR and offset is not None and offset.seconds % 3600:
            self._digits = _MINUTE  # an hour of UTC is not one on this clock
            self._near.clear()
        hour = local.isoformat()[:13]
        status = ("unknown", "") if amount is None else ("reported", "USD")
        bucket = (self._client, provider, model, project, hour[:10], int(hour[11:13]), *status)
        row = self.rows.setdefault(bucket, [0, 0, 0, 0, 0, 0, 0, Decimal(0)])
        if at.endswith("Z"):
            self._near[at[: self._digits], model, project, provider, amount is None] = row
        return row

    def write(self, base: Connection) -> None:
        """Add the sums to those on the disk."""
        tally.add_rows(base, "used", KEYS, SUMS, self.rows)


def build(base: Connection) -> None:
    """Make the table."""
    base.execute(f"CREATE TABLE used ({', '.join((*KEYS, *SUMS))}, amount, PRIMARY KEY ({', '.join(KEYS)}))")


def instant(at: str) -> datetime | None:
    """Read an instant; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
