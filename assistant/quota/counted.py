"""Each counted request of a client: a better line about it may come later and replace it in the sums.

A request is a row of whole numbers; rows are numbered from 1 in the order of counting. Many rows are packed column by
column, without the leading zeros of a column's numbers: some fifteen bytes a request.
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
"""Numbers of a row that are stored together. Request digests are stored apart: they come in an array of their own."""
_BYTES = 4
"""Bytes of a number in memory."""
MOST = (1 << 32) - 1
"""The largest count that is kept; no request uses four thousand million tokens."""
_CHUNK = 4096
"""Rows that are packed together."""
_FEW = 32
"""Short chunks that may exist before they are merged."""
_MANY_CHANGED = 256
"""Changed chunks that are kept in memory: 32 MB."""
_KEPT = 32
"""Unchanged chunks that are kept in memory: a copied session is found in few of them."""


class Counted(NamedTuple):
    """One counted request, or a second name of one.

    `place` is the number of the place where it was added up, or 0: then `request` is the number of the row that stands
    for it, or 0 if its line had no readable instant. Otherwise `request` tells the requests of one message apart, and
    is 0 for a line that is known by its message only. `counts` are as in `tally.TOKENS`.
    """

    place: int
    request: int
    counts: tuple[int, ...]
    amount: Decimal | None


UNPRICED = {"utc": -1, "tier": "", "above": 0, "upto": 0}
"""The values of the columns on which prices depend, where an older version did not keep them."""


class Place(NamedTuple):
    """Where requests are added up: the keys of both sums. Places are ordered by the first six and the tier.

    Prices depend on the last four, which nothing else of a sum tells: the hour of UTC, counted from 1970; the service
    tier, "" for the usual one; and bounds of the prompts' size in tokens: more than `above`, at most `upto` (0 for no
    bound).
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
    """Another window has read the same logs meanwhile: the batch may be counted already, and rows may have moved."""


class Places:
    """The places of a client, by number from 1. `read` is the store's function of that name."""

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
        """Add a place and return its number. A place may be added twice: to look for it would take longer."""
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
        """Return a place as it is on the disk: its plan may have been attributed meanwhile."""
        return self._fetch(base, number) or self.get(number)

    def save(self, base: Connection) -> None:
        """Write the new places."""
        rows = [(self._client, number, *self._known[number]) for number in range(self._first, self._following)]
        base.executemany(f"INSERT OR REPLACE INTO places VALUES (?, ?, {', '.join('?' * len(Place._fields))})", rows)

    def commit(self) -> None:
        """Note that all are on the disk."""
        self._first = self._following
        self._known = {}

    def _fetch(self, base: Connection, number: int) -> Place | None:
        query = f"SELECT {', '.join(Place._fields)} FROM places WHERE client = ? AND place = ?"
        row = base.execute(query, (self._client, number)).fetchone()
        return None if row is None else Place(*row)


class _Chunk:
    """Consecutive rows: their `requests` in one array, the rest in another; `amounts` are texts by row, if any."""

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
        """Add rows; `amounts` by their index among them."""
        for at, amount in amounts.items():
            self.amounts[len(self) + at] = amount
        self.requests += requests
        self.values += values


class _Packed(NamedTuple):
    """A chunk as stored on the disk. Columns are byte planes, lowest first; top planes of zeros are left out."""

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
    """Return the bytes of a column as planes, lowest first."""
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
    """Convert numbers between the machine's byte order and little-endian."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values


class Book:
    """The counted requests of one client. `read` is the store's function of that name."""

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
        """The number of the next row."""
        return self._first + len(self._last)

    @property
    def is_full(self) -> bool:
        """Whether changes should be written before more rows are changed."""
        return len(self._changed) > _MANY_CHANGED

    def extend(self, requests: array[int], values: list[int], amounts: Iterable[Decimal | None] = ()) -> None:
        """Add rows: their requests, all their other `COLUMNS` row after row, and their `amounts` if any row has one."""
        more = array("I")
        more.fromlist(values)  # two thirds of the time that array("I", values) takes
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
        """Return the row that stands for the one of this number, with its own number."""
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
        """Write new and changed rows."""
        self._close()
        for first in self._changed:
            self._new[first] = _pack(self._chunks[first])
        for first, packed in self._new.items():
            _insert(base, self._client, first, packed)

    def commit(self) -> None:
        """Note that all is on the disk."""
        self._new, self._changed, self._chunks = {}, set(), {}

    def merge(self, base: Connection) -> None:
        """Merge short chunks that follow one another: each short import leaves one."""
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
        """Return the chunk that holds a row, and the number of its first row."""
        if number >= self._first:
            return self._last, self._first
        first = self._firsts[bisect_right(self._firsts, number) - 1]
        if first not in self._chunks:
            if len(self._chunks) - len(self._changed) >= _KEPT:
                self._chunks = {each: self._chunks[each] for each in self._changed}
            packed = self._new.get(first)
            if packed is None:
                found = self._read(lambda base: _fetch(base, self._client, first))
                packed = _newest(found)  # not found if another window has merged chunks
            self._chunks[first] = _unpack(packed)
        return self._chunks[first], first


def _newest(found: list[Any]) -> Any:
    """Return the result of the last of several files that has one; raises Overtaken if none has."""
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
