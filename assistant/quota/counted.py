"""What each counted request of a client came to: a better line about it may come, and must take its place in the sums.

A request is a row of whole numbers, and rows are numbered from 1 in the order in which they were counted. Many rows are
packed column by column, without the leading zeros of a column's numbers: some fifteen bytes a request.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota import tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assistant.quota.store import Connection

COLUMNS = ("place", "request", *tally.TOKENS)
_WIDE = len(COLUMNS) - 1
"""Numbers of a row that lie together. What tells requests apart comes as digests, and lies by itself."""
_BYTES = 4
"""Bytes of a number in memory."""
MOST = (1 << 32) - 1
"""The largest count that is kept; nobody uses four thousand million tokens in one request."""
_CHUNK = 4096
"""Rows that are packed together."""
_FEW = 32
"""Chunks of few rows that may lie side by side."""
_MANY_CHANGED = 256
"""Chunks with changed rows that are kept in memory: 32 MB."""
_KEPT = 32
"""Chunks kept in memory that were only looked at: a session that was copied is found in few of them."""


class Counted(NamedTuple):
    """One request that was counted, or a second name of one.

    `place` is the number of the place where it was added up, 0 where it is in none: then `request` is the number of the row
    that stands for it, or 0 where its line told no instant that can be read. Elsewhere `request` tells apart the requests of one
    message, and is 0 for a line that is known by its message alone. `counts` are as in `tally.TOKENS`.
    """

    place: int
    request: int
    counts: tuple[int, ...]
    amount: Decimal | None


UNPRICED = {"utc": -1, "tier": "", "above": 0, "upto": 0}
"""What stands for what prices hang on where that was not kept yet."""


class Place(NamedTuple):
    """Where requests are added up: the keys of both sums. The first six and the tier say what lies before what.

    The last four are what prices hang on, as nothing else of a sum tells it: the hour of UTC, counted from 1970; the service
    tier, "" for the usual one; and that each prompt had more than `above` tokens, and no more than `upto`, 0 for any number.
    """

    span: int
    day: str
    hour: int
    provider: str
    model: str
    project: str
    plan: str
    cost_status: str
    currency: str
    utc: int = -1
    tier: str = ""
    above: int = 0
    upto: int = 0


class Overtaken(Exception):
    """Another window has read the same logs meanwhile: what was gathered may be counted by now, and what was known stands elsewhere."""


class Places:
    """The places of a client, by number from 1. `read` is that of its store."""

    def __init__(self, client: str, read: Callable[[Callable[[Connection], Any]], list[Any]]) -> None:
        self._client = client
        self._read = read
        self._known: dict[int, Place] = {}
        self._first = self._following = 1

    def open(self, base: Connection) -> None:
        """Read how many there are."""
        found = base.execute("SELECT MAX(place) FROM places WHERE client = ?", (self._client,)).fetchone()[0] or 0
        self._first = self._following = max(self._first, found + 1)

    def add(self, place: Place) -> int:
        """Keep a place and return its number. One that is there already may be kept once more: to look for it takes longer."""
        number = self._following
        self._known[number] = place
        self._following += 1
        return number

    def get(self, number: int) -> Place:
        """Return a place."""
        if number not in self._known:
            found = self._read(lambda base: self._fetch(base, number))
            self._known[number] = _newest(found)
        return self._known[number]

    def now(self, base: Connection, number: int) -> Place:
        """Return a place as it stands on the disk: somebody may have said meanwhile which plan is burnt there."""
        return self._fetch(base, number) or self.get(number)

    def save(self, base: Connection) -> None:
        """Write the new ones."""
        rows = [(self._client, number, *self._known[number]) for number in range(self._first, self._following)]
        base.executemany(f"INSERT OR REPLACE INTO places VALUES (?, ?, {', '.join('?' * len(Place._fields))})", rows)

    def commit(self) -> None:
        """Know that all are on the disk."""
        self._first = self._following
        self._known = {}

    def _fetch(self, base: Connection, number: int) -> Place | None:
        query = f"SELECT {', '.join(Place._fields)} FROM places WHERE client = ? AND place = ?"
        row = base.execute(query, (self._client, number)).fetchone()
        return None if row is None else Place(*row)


class _Chunk:
    """Rows that follow one another: their `requests` in one array, all else in another; `amounts` are texts by row, where there are any."""

    def __init__(self, requests: array[int] | None = None, values: array[int] | None = None) -> None:
        self.requests = array("I") if requests is None else requests
        self.values = array("I") if values is None else values
        self.amounts: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.requests)

    def get(self, at: int) -> Counted:
        place, *counts = self.values[at * _WIDE : (at + 1) * _WIDE]
        amount = self.amounts.get(at)
        return Counted(place, self.requests[at], tuple(counts), None if amount is None else Decimal(amount))

    def put(self, at: int, row: Counted) -> None:
        self.requests[at] = row.request
        self.values[at * _WIDE : (at + 1) * _WIDE] = array("I", (row.place, *row.counts))
        self.amounts.pop(at, None)
        if row.amount is not None:
            self.amounts[at] = str(row.amount)

    def extend(self, requests: array[int], values: array[int], amounts: Mapping[int, str]) -> None:
        """Add rows; `amounts` by their place among them."""
        for at, amount in amounts.items():
            self.amounts[len(self) + at] = amount
        self.requests += requests
        self.values += values


class _Packed(NamedTuple):
    """A chunk as it is on the disk. Of each column there are all lowest bytes first, then all that are next, as far as any is not 0."""

    many: int
    amounts: str | None
    columns: tuple[bytes, ...]


def _pack(chunk: _Chunk) -> _Packed:
    many = len(chunk)
    amounts = ",".join(chunk.amounts.get(at, "") for at in range(many)) if chunk.amounts else None
    values, requests = _ordered(chunk.values).tobytes(), _ordered(chunk.requests).tobytes()
    columns = [_planes(values, first * _BYTES, _WIDE * _BYTES) for first in range(_WIDE)]
    return _Packed(many, amounts, (columns[0], _planes(requests, 0, _BYTES), *columns[1:]))


def _planes(data: bytes, start: int, step: int) -> bytes:
    """Return the bytes of a column: all lowest ones first."""
    planes = [data[start + place :: step] for place in range(_BYTES)]
    zeros = bytes(len(planes[0]))
    while planes and planes[-1] == zeros:
        planes.pop()
    return b"".join(planes)


def _unpack(packed: _Packed) -> _Chunk:
    many, amounts, (place, request, *counts) = packed
    requests, values = bytearray(many * _BYTES), bytearray(many * _WIDE * _BYTES)
    for first, column in enumerate((place, *counts)):
        for plane in range(len(column) // many):
            values[first * _BYTES + plane :: _WIDE * _BYTES] = column[plane * many : (plane + 1) * many]
    for plane in range(len(request) // many):
        requests[plane::_BYTES] = request[plane * many : (plane + 1) * many]
    chunk = _Chunk(_ordered(array("I", bytes(requests))), _ordered(array("I", bytes(values))))
    told = enumerate(amounts.split(",")) if amounts else ()
    chunk.amounts = {at: each for at, each in told if each}
    return chunk


def _ordered(values: array[int]) -> array[int]:
    """Put the lowest byte of each number first, or back."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values


class Book:
    """The requests of one client that were counted. `read` is that of its store."""

    def __init__(self, client: str, read: Callable[[Callable[[Connection], Any]], list[Any]]) -> None:
        self._client = client
        self._read = read
        self._firsts: list[int] = []
        self._new: dict[int, _Packed] = {}
        self._chunks: dict[int, _Chunk] = {}
        self._changed: set[int] = set()
        self._first = 1
        self._last = _Chunk()

    def open(self, base: Connection) -> None:
        """Read where the chunks begin."""
        query = "SELECT first, many FROM counted WHERE client = ? ORDER BY first"
        for first, many in base.execute(query, (self._client,)):
            if first >= self._first:
                self._firsts.append(first)
                self._first = first + many

    @property
    def following(self) -> int:
        """The number that the next row gets."""
        return self._first + len(self._last)

    @property
    def is_full(self) -> bool:
        """Say whether what was changed should be written before more is."""
        return len(self._changed) > _MANY_CHANGED

    def extend(self, requests: array[int], values: list[int], amounts: Iterable[Decimal | None] = ()) -> None:
        """Add rows, given by their requests, and by all their other `COLUMNS` row after row; `amounts` are theirs, if any has one."""
        more = array("I")
        more.fromlist(values)  # two thirds of what it takes to make an array of a list
        self._last.extend(requests, more, {at: str(each) for at, each in enumerate(amounts) if each is not None})
        if len(self._last) >= _CHUNK:
            self._close()

    def append(self, row: Counted) -> int:
        """Add one row, and return its number."""
        number, last = self.following, self._last
        if row.amount is not None:
            last.amounts[len(last)] = str(row.amount)
        last.requests.append(row.request)
        last.values.extend((row.place, *row.counts))
        if len(last) >= _CHUNK:
            self._close()
        return number

    def _close(self) -> None:
        """Pack the last chunk."""
        if self._last:
            self._new[self._first] = _pack(self._last)
            self._firsts.append(self._first)
            self._first, self._last = self.following, _Chunk()

    def get(self, number: int) -> Counted:
        """Return a row."""
        chunk, first = self._holding(number)
        return chunk.get(number - first)

    def follow(self, number: int) -> tuple[int, Counted]:
        """Return the row that stands for the one of this number, and its number."""
        row = self.get(number)
        while not row.place and row.request:
            number = row.request
            row = self.get(number)
        return number, row

    def put(self, number: int, row: Counted) -> None:
        """Change a row."""
        chunk, first = self._holding(number)
        chunk.put(number - first, row)
        if first < self._first:
            self._changed.add(first)

    def save(self, base: Connection) -> None:
        """Write what is new, and what was changed."""
        self._close()
        for first in self._changed:
            self._new[first] = _pack(self._chunks[first])
        for first, packed in self._new.items():
            _insert(base, self._client, first, packed)

    def commit(self) -> None:
        """Know that all is on the disk."""
        self._new, self._changed, self._chunks = {}, set(), {}

    def merge(self, base: Connection) -> None:
        """Put short chunks together that follow one another: each short import leaves one."""
        query = f"SELECT first FROM counted WHERE client = ? AND many < {_CHUNK // 2} ORDER BY first"
        short = base.execute(query, (self._client,)).fetchall()
        if len(short) < _FEW:
            return
        whole, begun = _Chunk(), 0
        for (first,) in short:
            packed = _fetch(base, self._client, first)
            if packed is None:
                continue
            if whole and (first != begun + len(whole) or len(whole) + packed.many > _CHUNK):
                _insert(base, self._client, begun, _pack(whole))
                whole = _Chunk()
            begun = begun if whole else first
            part = _unpack(packed)
            whole.extend(part.requests, part.values, part.amounts)
            base.execute("DELETE FROM counted WHERE client = ? AND first = ?", (self._client, first))
        _insert(base, self._client, begun, _pack(whole))

    def _holding(self, number: int) -> tuple[_Chunk, int]:
        """Return the chunk that holds a row, and the number of its first."""
        if number >= self._first:
            return self._last, self._first
        first = self._firsts[bisect_right(self._firsts, number) - 1]
        if first not in self._chunks:
            if len(self._chunks) - len(self._changed) >= _KEPT:
                self._chunks = {each: self._chunks[each] for each in self._changed}
            packed = self._new.get(first)
            if packed is None:
                found = self._read(lambda base: _fetch(base, self._client, first))
                packed = _newest(found)  # gone where another window has put chunks together
            self._chunks[first] = _unpack(packed)
        return self._chunks[first], first


def _newest(found: list[Any]) -> Any:
    """Return what the last of several files knows; raises Overtaken where none does any more."""
    known = next((each for each in reversed(found) if each is not None), None)
    if known is None:
        raise Overtaken
    return known


def _fetch(base: Connection, client: str, first: int) -> _Packed | None:
    query = f"SELECT many, amounts, {', '.join(COLUMNS)} FROM counted WHERE client = ? AND first = ?"
    row = base.execute(query, (client, first)).fetchone()
    return None if row is None else _Packed(row[0], row[1], row[2:])


def _insert(base: Connection, client: str, first: int, packed: _Packed) -> None:
    names = ("client", "first", "many", "amounts", *COLUMNS)
    base.execute(
        f"INSERT OR REPLACE INTO counted ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        (client, first, packed.many, packed.amounts, *packed.columns),
    )


def build(base: Connection) -> None:
    """Make the tables."""
    base.execute(
        f"CREATE TABLE IF NOT EXISTS places (client, place, {', '.join(Place._fields)}, PRIMARY KEY (client, place)) WITHOUT ROWID"
    )
    known = {row[1] for row in base.execute("PRAGMA table_info(places)")}
    for name, value in UNPRICED.items():
        if name not in known:
            base.execute(f"ALTER TABLE places ADD COLUMN {name} DEFAULT {value!r}")
    base.execute(
        f"CREATE TABLE IF NOT EXISTS counted (client, first, many, amounts, {', '.join(COLUMNS)}, PRIMARY KEY (client, first))"
    )
