"""Two sums of other clients' burn: by the user's hour, model and project, and by plan in ten minutes of UTC.

Each request counts once, however often a log repeats it. The first sum is for history, the second for windows.
"""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota import tally
from assistant.quota.counted import UNPRICED, Counted, Place
from assistant.quota.marks import mark as mark_of
from assistant.quota.marks import marks, short_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from assistant.quota.counted import Book, Places
    from assistant.quota.marks import Seen
    from assistant.quota.store import Connection

KEYS = (
    "client", "plan", "provider", "model", "project", "day", "hour", "cost_status", "currency", "utc", "tier", "above", "upto",
)  # fmt: skip
"""Prices depend on the last four: see `Place`."""
SPAN_KEYS = ("client", "plan", "provider", "model", "span", "cost_status", "currency")
SUMS = ("steps", *tally.TOKENS)
_EARLIEST, _LATEST = 1970, 9000
SPAN_S = 600
SPANS_IN_HOUR = 6
_TEN, _MINUTE, _ZONE = slice(15), slice(16), slice(-1, None)
"""Slices of an ISO 8601 instant: up to the tens of minutes, up to the minute, and the last letter ("Z" for UTC)."""
_SOME_DAYS = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 7, 1, tzinfo=UTC))

Row = tuple[str, str | None, str, str, str, str, int, int, int, int, int, int, Decimal | None, tuple[str, ...], str]
"""A Use as a bare tuple: a million are made, and the named tuple would cost more than its contents."""


class Use(NamedTuple):
    """One request from a log. Token counts are disjoint, as in TokenUsage; `amount` is the client's own US dollars.

    `key` names the request wherever it is copied, "" if the log gives it no name; `also` are more names of possible
    copies. Two lines with one key and different `request` are two requests; a line whose `request` is None repeats any
    other line of its key, and counts only if there is none. `at` is an instant in ISO 8601. `tier` is the service tier
    that was billed, "" for the usual one.
    """

    key: str
    request: str | None
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
    also: tuple[str, ...] = ()
    tier: str = ""


_NOWHERE = 0
_ANY = 1 << 64
"""More tokens than any prompt has."""
_NO_BOUNDS = ("\x7f", "")
"""Bounds that any instant lowers and raises."""
_Time = tuple[int, str, int]
"""The span (ten minutes of UTC, counted from 1970), the day and the hour of an instant."""


class Buckets:
    """Adds a batch of requests to the sums. `zone` is that of the user's days; None is the zone of this machine.

    `plan_of` names the plan that a provider's requests burn, "" if unknown. `sizes_of` returns the prompt sizes at
    which a model's price changes: requests between two of them have sums of their own.

    Of all lines about one request, one counts. A readable instant wins over an unreadable one; a line with a request id
    over one that is known by its message only; then the larger total, the larger price, the earlier instant, and last
    whatever sorts first. So the sums do not depend on the order of reading. Every counted line is therefore kept in the
    book, and taken back when a better one comes.
    """

    def __init__(
        self,
        client: str,
        zone: tzinfo | None,
        seen: Seen,
        book: Book,
        places: Places,
        plan_of: Callable[[str], str],
        sizes_of: Callable[[str, str], tuple[int, ...]],
    ) -> None:
        self.copies = 0
        self._client = client
        self._zone = zone
        self._seen = seen
        self._book = book
        self._plan_of = cache(plan_of)
        self._sizes_of = cache(sizes_of)
        self._near: dict[tuple[str, str, str], dict[Any, list[Any]]] = {}
        self._edged: set[tuple[str, str, str]] = set()
        self._places = places
        self._less: dict[int, list[Any]] = {}
        self._times: dict[str, _Time] = {}
        offsets = (day.astimezone(zone).utcoffset() for day in _SOME_DAYS)
        odd = any(offset is not None and offset.seconds % SPAN_S for offset in offsets)
        self._upto = _MINUTE if odd else _TEN  # Nepal's hours do not begin at a multiple of ten minutes of UTC
        self._nowhere: list[Any] = [0, 0, 0, 0, 0, 0, 0, Decimal(0), "", _NOWHERE, _ANY, None]

    @property
    def torn(self) -> int:
        """The number of requests without a readable instant."""
        return int(self._nowhere[0])

    @property
    def steps(self) -> int:
        """The number of requests counted."""
        more = sum(row[0] for rows in self._near.values() for row in rows.values())
        return int(more + sum(sums[0] for sums in self._less.values()))

    def add(self, uses: dict[str, Row], others: Iterable[Row] = ()) -> None:
        """Add those requests that were not counted before, by key; then `others`, which have more than one name.

        The `also` of each in `uses` must be empty. A key may be in both: then the one in `others` is another request.
        """
        found = marks(uses)
        before = self._seen.count(found, self._book.following)
        rows: Collection[Row] = uses.values()
        if before:
            rows = [use for mark, use in zip(found, rows, strict=True) if mark not in before]
        if rows:
            self._begin_all(rows)
        if before:
            self._tell_again(
                [(mark, key, use) for mark, (key, use) in zip(found, uses.items(), strict=True) if mark in before],
                before,
            )
        for use in others:
            key = use[0] or said(use)
            self._settle(key, marks((key, *use[13])), use)

    def _begin_all(self, rows: Collection[Row]) -> None:
        """Count requests whose keys are new, and write them to the book."""
        upto, zone = self._upto, _ZONE
        near: dict[Any, list[Any]] = {}
        here: tuple[str, str, str] = ("", "", "")
        then, where, whose = here
        told: list[int] = []
        note = told.extend
        edged = False
        is_paid = False
        for use in rows:
            _, _, at, provider, model, project, fresh, read, short, long, output, reasoning, amount, _, tier = use
            when = at[upto] if at[zone] == "Z" else at  # the text tells the span only if it is UTC
            if when != then or project != where or provider != whose:
                then, where, whose = here = (when, project, provider)
                near = self._near.setdefault(here, {})
                edged = here in self._edged
            try:
                row = near[model if amount is None and not tier else (model, amount is None, tier)]
            except KeyError:
                row = self._begin(near, use)
                if row[10] != _ANY:
                    self._edged.add(here)
                    edged = True
            if edged:
                sent = fresh + read + short + long
                while sent > row[10]:
                    row = row[11] or self._longer(near, use, row)
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
                is_paid = True
            if at < row[8]:  # noqa: PLR1730 - min() is a call, and there are a million
                row[8] = at
            note((row[9], fresh, read, short, long, output, reasoning))
        requests = _requests([use[1] for use in rows])
        if self._nowhere[0]:
            for number, place in enumerate(told[:: 1 + len(tally.TOKENS)]):
                requests[number] *= place != _NOWHERE
        self._book.extend(requests, told, [use[12] for use in rows] if is_paid else ())

    def _begin(self, near: dict[Any, list[Any]], use: Row, above: int = 0) -> list[Any]:
        """Begin the sums that a request with a short prompt belongs to, or one whose prompt is longer than `above`."""
        _, _, at, provider, model, project, *_, amount, _, tier = use
        time = self._time(at)
        if time is None:
            return self._nowhere
        status = ("unknown", "") if amount is None else ("reported", "USD")
        upto = next((size for size in self._sizes_of(provider, model) if size > above), 0)
        place = Place(*time, provider, model, project, self._plan_of(provider), *status)
        place = place._replace(utc=time[0] // SPANS_IN_HOUR, tier=tier, above=above, upto=upto)
        number = self._places.add(place)
        key: Any = model if amount is None and not tier else (model, amount is None, tier)
        row = [0, 0, 0, 0, 0, 0, 0, Decimal(0), at, number, upto or _ANY, None]
        near[(key, above) if above else key] = row
        return row

    def _longer(self, near: dict[Any, list[Any]], use: Row, row: list[Any]) -> list[Any]:
        """Begin the sums for prompts that are too long for those of a row."""
        row[11] = longer = self._begin(near, use, row[10])
        return longer

    def _time(self, at: str) -> _Time | None:
        """Return the span, day and hour of an instant; None if it is unreadable."""
        when = at[self._upto] if at[_ZONE] == "Z" else at
        if when in self._times:
            return self._times[when]
        found = instant(at)
        if found is None:
            return None
        hour = found.astimezone(self._zone).isoformat()[:13]
        time = int(found.timestamp()) // SPAN_S, hour[:10], int(hour[11:])
        if when != at:
            self._times[when] = time
        return time

    # Where more than one line tells of a request.

    def better(self, use: Row, known: Row) -> bool:
        """Say whether the first of two lines about one request is the one that counts."""
        at, before = use[2], known[2]
        if (
            use[3:13] == known[3:13]
            and use[1] == known[1]
            and at[self._upto] == before[self._upto]
            and at[_ZONE] == before[_ZONE] == "Z"
            and use[14] == known[14]
        ):
            return False  # nearly always: blocks of one reply, seconds apart, each with the reply's usage
        return _beats(self._line(use), self._line(known))

    def _line(self, use: Row) -> _Line:
        time = self._time(use[2])
        return use[1] is None, use[6:12], use[12], time and (*time, *use[3:6], use[14])

    def _standing(self, row: Counted) -> _Line:
        return not row.request, row.counts, row.amount, _before(self._places.get(row.place)) if row.place else None

    def _tell_again(self, lines: list[tuple[int, str, Row]], numbers: dict[int, int]) -> None:
        """Take lines with known marks; nearly all are exact copies of the rows that `numbers` finds in the book."""
        for (mark, key, use), request in zip(lines, _requests([use[1] for _, _, use in lines]), strict=True):
            row = self._book.get(numbers[mark])
            is_same = row.place and row.request == request and row.counts == use[6:12] and row.amount == use[12]
            if is_same and _before(self._places.get(row.place)) == (*(self._time(use[2]) or ()), *use[3:6], use[14]):
                self.copies += 1
            else:
                self._settle(key, [mark], use)

    def _settle(self, key: str, found: list[int] | array[int], use: Row) -> None:
        """Count a request under all its names (their marks are `found`), or replace the line that it is better than."""
        standing = [self._known(each) for each in found]
        known, *more = standing
        if known and use[1] is not None and known[1].request not in {0, *_requests([use[1]])}:
            found = [mark_of(f"{key}|{use[1]}"), *found[1:]]  # another request for the same message
            known = standing[0] = self._known(found[0])
        others = [each for each in more if each]
        if known is None and others:
            known = others.pop()
        number = self._book.following
        if known is None:
            self._book.append(self._count(use))
        else:
            number, row = known
            self.copies += 1
            if _beats(self._line(use), self._standing(row)):
                self._take_back(row)
                row = self._count(use)
                self._book.put(number, row)
            for other, rival in dict(others).items():
                if other != number:
                    row = self._unite(number, row, other, rival)
        for mark in {mark: None for mark, there in zip(found, standing, strict=True) if there is None}:
            self._seen.add(mark, number)

    def _known(self, mark: int) -> tuple[int, Counted] | None:
        number = self._seen.find(mark)
        return None if number is None else self._book.follow(number)

    def _count(self, use: Row) -> Counted:
        """Add one request to its sums, and return its row for the book."""
        _, request, at, provider, model, project, *_, amount, _, tier = use
        when = at[self._upto] if at[_ZONE] == "Z" else at
        near = self._near.setdefault((when, project, provider), {})
        row = near.get(model if amount is None and not tier else (model, amount is None, tier)) or self._begin(
            near, use
        )
        while sum(use[6:10]) > row[10]:
            row = row[11] or self._longer(near, use, row)
        more = (1, *use[6:12], amount or Decimal(0))
        row[:8] = [old + new for old, new in zip(row[:8], more, strict=True)]
        row[8] = min(row[8], at)
        return Counted(row[9], _requests([request])[0] if row[9] else 0, use[6:12], amount)

    def _take_back(self, row: Counted) -> None:
        """Subtract a request from its sums; the bounds of its buckets stay as they are."""
        if row.place:
            less = self._less.setdefault(row.place, [0, 0, 0, 0, 0, 0, 0, Decimal(0)])
            more = (1, *row.counts, row.amount or Decimal(0))
            less[:] = [old - new for old, new in zip(less, more, strict=True)]

    def _unite(self, number: int, row: Counted, other: int, more: Counted) -> Counted:
        """Keep the better of two rows that turned out to be one request; return it."""
        if _beats(self._standing(more), self._standing(row)):
            row, more = more, row
        self._take_back(more)
        self._book.put(number, row)
        self._book.put(other, Counted(_NOWHERE, number, more.counts, None))
        return row

    def write(self, base: Connection) -> None:
        """Add the sums to those on the disk, and subtract what was taken back."""
        used: dict[tuple[Any, ...], list[Any]] = {}
        spans: dict[tuple[Any, ...], list[Any]] = {}
        bounds: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._places.save(base)
        told = [
            (self._places.get(row[9]), row[:8], row[8])
            for rows in self._near.values()
            for row in rows.values()
            if row[0]
        ]
        taken = [(self._places.now(base, number), sums, "") for number, sums in self._less.items()]
        for place, sums, at in chain(told, taken):
            key = (self._client, place.plan, place.provider, place.model)
            status = (place.cost_status, place.currency)
            prices = place.utc, place.tier, place.above, place.upto
            tally.plus(used, (*key, place.project, place.day, place.hour, *status, *prices), sums)
            span = (*key, place.span, *status)
            tally.plus(spans, span, sums)
            found = instant(at)
            first, last = (found.isoformat(),) * 2 if found else _NO_BOUNDS
            earliest, latest = bounds.get(span, _NO_BOUNDS)
            bounds[span] = min(first, earliest), max(last, latest)
        tally.add_rows(base, "used", KEYS, SUMS, used)
        tally.add_rows(base, "spans", SPAN_KEYS, SUMS, spans, bounds)
        if taken:
            nothing = " AND ".join(f"{name} = 0" for name in (*SUMS, "CAST(amount AS REAL)"))
            for table in ("used", "spans"):
                base.execute(f"DELETE FROM {table} WHERE client = ? AND {nothing}", (self._client,))


_Line = tuple[bool, tuple[int, ...], "Decimal | None", "tuple[Any, ...] | None"]
"""What decides which of two lines counts: whether only its message is known, counts, price, and place."""


def _before(place: Place) -> tuple[Any, ...]:
    """Return the key by which places are ordered."""
    return *place[:6], place.tier


def _beats(one: _Line, other: _Line) -> bool:
    """Say whether the first line counts rather than the second; see `Buckets`."""
    is_copy, counts, amount, place = one
    was_copy, before, paid, there = other
    if place is None or there is None:
        return place is not None
    if is_copy != was_copy:
        return was_copy
    mine, theirs = (sum(counts), _price(amount)), (sum(before), _price(paid))
    return (place, counts) < (there, before) if mine == theirs else mine > theirs


def _price(amount: Decimal | None) -> Decimal:
    return Decimal("-Infinity") if amount is None else amount


def said(use: Row) -> str:
    """Name a request that its log does not name, by everything that is told about it."""
    return "|".join(map(str, use[2:12]))


def _requests(names: list[str | None]) -> array[int]:
    """Return requests as numbers of 32 bits for the book, with 0 for None."""
    try:
        return short_marks(names)  # type: ignore[arg-type] # None raises the error: to look for it first takes longer
    except TypeError:
        return array("I", [0 if name is None else short_marks([name])[0] for name in names])


def build(base: Connection) -> None:
    """Make the tables, or add missing columns to those of older versions, which did not keep what prices depend on."""
    old = [row[1] for row in base.execute("PRAGMA table_info(used)")]
    if set(old) >= {*KEYS}:
        return
    if old:
        base.execute("ALTER TABLE used RENAME TO used_before")
    sums = ", ".join(SUMS)
    base.execute(f"CREATE TABLE used ({', '.join(KEYS)}, {sums}, amount, PRIMARY KEY ({', '.join(KEYS)}))")
    base.execute(
        f"CREATE TABLE IF NOT EXISTS spans ({', '.join(SPAN_KEYS)}, first_at, last_at, {sums}, amount, PRIMARY KEY ({', '.join(SPAN_KEYS)}))"
    )
    base.execute("CREATE INDEX IF NOT EXISTS spans_plan ON spans (plan, span)")
    if old:
        lacking = {name: value for name, value in {"plan": "", **UNPRICED}.items() if name not in old}
        marks = ", ".join("?" * len(lacking))
        base.execute(
            f"INSERT INTO used ({', '.join((*lacking, *old))}) SELECT {marks}, {', '.join(old)} FROM used_before",
            (*lacking.values(),),
        )
        base.execute("DROP TABLE used_before")


def attribute(base: Connection, client: str, provider: str, plan: str) -> None:
    """Book burn that had no plan when it was read to its plan; burn that has a plan keeps it."""
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
    base.execute(f"UPDATE places SET plan = ? WHERE {where}", (plan, client, provider))


def instant(at: str) -> datetime | None:
    """Read an instant; one without a zone is UTC. None if it is unreadable or outside the years 1971 to 8999."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    if not _EARLIEST < found.year < _LATEST:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
