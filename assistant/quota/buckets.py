"""What other clients burnt, added up twice: by the user's hour, model and project, and by plan in tens of minutes of UTC.

Each request counts once, however often a log tells it. The first sums are history, the second are what windows need.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota import tally
from assistant.quota.marks import marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assistant.quota.marks import Seen
    from assistant.quota.store import Connection

KEYS = ("client", "plan", "provider", "model", "project", "day", "hour", "cost_status", "currency")
SPAN_KEYS = ("client", "plan", "provider", "model", "span", "cost_status", "currency")
SUMS = ("steps", *tally.TOKENS)
SPAN_S = 600
_TEN, _MINUTE, _ZONE = slice(15), slice(16), slice(-1, None)
"""What an instant in ISO 8601 says up to the tens of its minutes, up to its minute, and last: "Z" where it is one of UTC."""
_SOME_DAYS = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 7, 1, tzinfo=UTC))

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
    """What a batch adds to the sums. `zone` is that of the user's days; None is the zone of this machine.

    `plan_of` names the plan that a provider's requests burn, "" where nobody said it.
    """

    def __init__(self, client: str, zone: tzinfo | None, seen: Seen, plan_of: Callable[[str], str]) -> None:
        self.copies = 0
        self._client = client
        self._zone = zone
        self._seen = seen
        self._plan_of = plan_of
        self._near: dict[tuple[str, str, str], dict[Any, list[Any]]] = {}
        offsets = (day.astimezone(zone).utcoffset() for day in _SOME_DAYS)
        odd = any(offset is not None and offset.seconds % SPAN_S for offset in offsets)
        self._upto = _MINUTE if odd else _TEN  # in Nepal an hour does not begin with ten minutes of UTC
        self._nowhere: list[Any] = [0, 0, 0, 0, 0, 0, 0, Decimal(0), ""]

    @property
    def torn(self) -> int:
        """How many requests told no instant that can be read."""
        return int(self._nowhere[0])

    @property
    def steps(self) -> int:
        """How many requests were counted."""
        return sum(row[0] for rows in self._near.values() for row in rows.values())

    def add(self, uses: dict[str, Row]) -> None:
        """Add the requests, by key, that were not counted before."""
        found, upto, zone = marks(uses), self._upto, _ZONE
        before = self._seen.count(found)
        self.copies += len(before)
        near: dict[Any, list[Any]] = {}
        here: tuple[str, str, str] = ("", "", "")
        then, where, whose = here
        rows: Iterable[Row] = uses.values()
        if before:
            rows = [use for mark, use in zip(found, rows, strict=True) if mark not in before]
        for use in rows:
            _, at, provider, model, project, fresh, read, short, long, output, reasoning, amount, also = use
            if also and self._seen.count(marks([also])):
                self.copies += 1
                continue
            when = at[upto] if at[zone] == "Z" else at  # tens of minutes are those of UTC only
            if when != then or project != where or provider != whose:
                then, where, whose = here = (when, project, provider)
                near = self._near.setdefault(here, {})
            row = near.get(model if amount is None else (model,)) or self._begin(near, use)
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
            if at < row[8]:  # noqa: PLR1730 - min() is a call, and there are a million
                row[8] = at

    def grow(self, use: Row, counts: list[int], paid: Decimal) -> None:
        """Add what a request that was counted before has grown by, and costs more."""
        _, at, provider, model, project, *_, amount, _ = use
        when = at[self._upto] if at[_ZONE] == "Z" else at
        near = self._near.setdefault((when, project, provider), {})
        row = near.get(model if amount is None else (model,)) or self._begin(near, use)
        row[1:8] = [old + new for old, new in zip(row[1:8], [*counts, paid], strict=True)]

    def _begin(self, near: dict[Any, list[Any]], use: Row) -> list[Any]:
        """Begin the sums that a request belongs to."""
        _, at, _, model, *_, amount, _ = use
        if instant(at) is None:
            return self._nowhere
        row = near[model if amount is None else (model,)] = [0, 0, 0, 0, 0, 0, 0, Decimal(0), at]
        return row

    def write(self, base: Connection) -> None:
        """Add the sums to those on the disk."""
        used: dict[tuple[Any, ...], list[Any]] = {}
        spans: dict[tuple[Any, ...], list[Any]] = {}
        bounds: dict[tuple[Any, ...], tuple[str, str]] = {}
        for (_, project, provider), models in self._near.items():
            plan = self._plan_of(provider)
            for model, (*sums, at) in models.items():
                found = instant(at)
                if found is None:
                    continue
                status = ("unknown", "") if isinstance(model, str) else ("reported", "USD")
                name = model if isinstance(model, str) else model[0]
                hour = found.astimezone(self._zone).isoformat()[:13]
                tally.plus(
                    used,
                    (self._client, plan, provider, name, project, hour[:10], int(hour[11:13]), *status),
                    sums,
                )
                span = (self._client, plan, provider, name, int(found.timestamp()) // SPAN_S, *status)
                tally.plus(spans, span, sums)
                first = found.isoformat()
                earliest, latest = bounds.get(span, (first, first))
                bounds[span] = min(first, earliest), max(first, latest)
        tally.add_rows(base, "used", KEYS, SUMS, used)
        tally.add_rows(base, "spans", SPAN_KEYS, SUMS, spans, bounds)


def build(base: Connection) -> None:
    """Make the tables; sums of version 1 had neither plans nor spans, and are kept."""
    old = [row[1] for row in base.execute("PRAGMA table_info(used)")]
    if old:
        base.execute("ALTER TABLE used RENAME TO used_before")
    sums = ", ".join(SUMS)
    base.execute(f"CREATE TABLE used ({', '.join(KEYS)}, {sums}, amount, PRIMARY KEY ({', '.join(KEYS)}))")
    base.execute(
        f"CREATE TABLE spans ({', '.join(SPAN_KEYS)}, first_at, last_at, {sums}, amount, PRIMARY KEY ({', '.join(SPAN_KEYS)}))"
    )
    base.execute("CREATE INDEX spans_plan ON spans (plan, span)")
    if old:
        names = ", ".join(old)
        base.execute(f"INSERT INTO used (plan, {names}) SELECT '', {names} FROM used_before")
        base.execute("DROP TABLE used_before")


def attribute(base: Connection, client: str, provider: str, plan: str) -> None:
    """Book what nobody could attribute when it was read to the plan that it burnt; what has a plan keeps it."""
    for table, keys in (("used", KEYS), ("spans", SPAN_KEYS)):
        bound = ("first_at", "last_at") if table == "spans" else ()
        where = "client = ? AND provider = ? AND plan = ''"
        rows = base.execute(
            f"SELECT {', '.join((*keys, *bound, *SUMS, 'amount'))} FROM {table} WHERE {where}", (client, provider)
        ).fetchall()
        base.execute(f"DELETE FROM {table} WHERE {where}", (client, provider))
        width, behind = len(keys), len(keys) + len(bound)
        named = {(row[0], plan, *row[2:width]): row for row in rows}
        sums = {key: [*row[behind:-1], Decimal(row[-1])] for key, row in named.items()}
        bounds = {key: (row[width], row[width + 1]) for key, row in named.items()} if bound else None
        tally.add_rows(base, table, keys, SUMS, sums, bounds)


def instant(at: str) -> datetime | None:
    """Read an instant; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
