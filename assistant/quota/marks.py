"""The requests of a client that were counted before, and the book's row for each: 64-bit marks in sorted runs.

Among ten million names the chance that two share a mark is one in 400,000. A mark and its number take twelve bytes on
the disk and in memory.
"""

from __future__ import annotations

import mmap
from array import array
from bisect import bisect_left
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from xxhash import xxh3_64_digest, xxh32_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from assistant.quota.store import Connection

    Run = tuple[Sequence[int], Sequence[int]]
    """Marks in their order, and the number that belongs to each."""

RUN = 125_000
"""Marks in a run that is not merged any further."""
_FEW = 8
"""Short runs that may exist before they are merged."""
_LEAST, _MOST = 14, 21
"""Bits of a slot's number in the smallest and the largest table: of 128 kB and of 16 MB."""
_BITS = 64
"""Bits of a mark, and of a slot."""
_PART = 16_384
"""Slots that are written together."""
_NUMBER = 32
"""Bits of a number: four thousand million requests of a client."""


def mark(key: str) -> int:
    """Return the 64-bit mark of one request's name."""
    return marks([key])[0]


def marks(keys: Collection[str]) -> array[int]:
    """Return the 64-bit marks of requests' names."""
    return _digests("Q", xxh3_64_digest, keys)


def short_marks(keys: Collection[str]) -> array[int]:
    """Return 32-bit marks of names that need only differ from a few others."""
    return _digests("I", xxh32_digest, keys)


def _digests(kind: Literal["I", "Q"], digest: Callable[[bytes], bytes], keys: Iterable[str]) -> array[int]:
    """Return digests as numbers, in the machine's byte order. To convert each by itself would take twice as long."""
    found = array(kind)
    try:
        found.frombytes(b"".join(map(digest, map(str.encode, keys))))
    except UnicodeEncodeError:  # JSON can contain a lone surrogate
        found.frombytes(b"".join(digest(key.encode("utf-8", "surrogatepass")) for key in keys))
    return found


class Seen:
    """The marks of all names under which a client's requests were ever logged, each with a number: see `Counted`.

    Marks that are not written yet are in a table, each in the slot given by its first bits, so the table is in sorted
    order. A slot holds the other bits of the mark, and behind them how far its number is above `_base`: one look into
    memory, where a mark and a number apart took two. A mark whose slot is taken goes into the dict `_crowd`, one whose
    number a slot cannot hold into `_apart`: these are looked for first, as their slots may be empty.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._runs: list[Run] = []
        self._bits = _LEAST
        self._table: memoryview | None = None
        self._base = 0
        self._crowd: dict[int, int] = {}
        self._apart: dict[int, int] = {}

    def open(self, base: Connection) -> None:
        """Read the runs."""
        base.execute("SAVEPOINT runs")  # keeps one state: another window may merge runs meanwhile
        try:
            runs = base.execute("SELECT run FROM seen WHERE client = ? ORDER BY run", (self._client,)).fetchall()
            for (run,) in runs:
                # There may be millions: copy them only once.
                with base.blobopen("seen", "marks", run, readonly=True) as blob:
                    marks = memoryview(blob.read()).cast("Q")
                with base.blobopen("seen", "numbers", run, readonly=True) as blob:
                    self._runs.append((marks, memoryview(blob.read()).cast("I")))
        finally:
            base.execute("RELEASE runs")

    def expect(self, many: int) -> None:
        """Choose the size of the table for so many marks. Call it before any is counted."""
        self._bits = min(max(_LEAST, many.bit_length()), _MOST)

    @property
    def is_full(self) -> bool:
        """Whether the marks should be written before more are counted."""
        return len(self._crowd) + len(self._apart) > 1 << (self._bits - 3)

    def count(self, found: array[int], number: int) -> dict[int, int]:
        """Return the known marks among those found, with their numbers; add the others, numbered from `number` on."""
        before = self._written(found) if self._runs else {}
        if apart := self._apart:
            before |= {mark: apart[mark] for mark in found if mark in apart}
        table = self._made(number)
        bits, crowd, base = self._bits, self._crowd, self._base
        shift, room = _BITS - bits, 1 << bits
        rest, low = (1 << shift) - 1, room - 1
        fits = number + len(found) - base < room
        for mark in [mark for mark in found if mark not in before] if before else found:
            slot = mark >> shift
            there = table[slot]
            if not there and fits:
                table[slot] = (mark & rest) << bits | number - base
            elif there and there >> bits == mark & rest:
                before[mark] = base + (there & low)
                continue
            elif known := crowd.get(mark) or apart.get(mark):
                before[mark] = known
                continue
            elif there:
                crowd[mark] = number
            else:
                apart[mark] = number
            number += 1
        return before

    def find(self, mark: int) -> int | None:
        """Return the number of a mark, None if it is unknown."""
        if self._table is not None:
            there, rest = self._table[mark >> (_BITS - self._bits)], (1 << (_BITS - self._bits)) - 1
            if there and there >> self._bits == mark & rest:
                return self._base + (there & (1 << self._bits) - 1)
        return self._crowd.get(mark) or self._apart.get(mark) or self._written((mark,)).get(mark)

    def add(self, mark: int, number: int) -> None:
        """Add an unknown mark with its number."""
        table, shift = self._made(number), _BITS - self._bits
        slot, above = mark >> shift, number - self._base
        if not 0 < above < 1 << self._bits:
            self._apart[mark] = number
        elif table[slot]:
            self._crowd[mark] = number
        else:
            table[slot] = (mark & (1 << shift) - 1) << self._bits | above

    def _made(self, number: int) -> memoryview:
        """Return the table; make it, for numbers from this one on, if there is none."""
        if self._table is None:
            self._table, self._base = _zeros(1 << self._bits), number - 1
        return self._table

    def _written(self, found: Iterable[int]) -> dict[int, int]:
        known = {}
        for mark in found:
            for run, numbers in self._runs:
                at = bisect_left(run, mark)
                if at < len(run) and run[at] == mark:
                    known[mark] = numbers[at]
                    break
        return known

    def save(self, base: Connection) -> list[Run]:
        """Write what was counted: the table and what is not in it, a run each."""
        others = {**self._crowd, **self._apart}
        marks = sorted(others)
        rows = self._tabled(), (array("Q", marks), array("I", map(others.__getitem__, marks)))
        runs = [run for run in rows if run[0]]
        for run in runs:
            self._insert(base, *run)
        return runs

    def _tabled(self) -> Run:
        """Return the marks of the table."""
        marks, numbers = array("Q"), array("I")
        if self._table is None:
            return marks, numbers
        table, bits, first = self._table, self._bits, self._base
        shift, low = _BITS - bits, (1 << bits) - 1
        for start in range(0, len(table), _PART):
            part = table[start : start + _PART].tolist()
            marks.fromlist([slot << shift | there >> bits for slot, there in enumerate(part, start) if there])
            numbers.fromlist([first + (there & low) for there in part if there])
        return marks, numbers

    def commit(self, runs: Iterable[Run]) -> None:
        """Note that runs are on the disk."""
        self._runs += runs
        self._table, self._crowd, self._apart = None, {}, {}

    def merge(self, base: Connection) -> None:
        """Merge short runs, so that there are few to search."""
        short = "FROM seen WHERE client = ? AND length(marks) < ?"
        if base.execute(f"SELECT COUNT(*) {short}", (self._client, 8 * RUN)).fetchone()[0] < _FEW:
            return
        rows = base.execute(f"SELECT run, marks, numbers {short}", (self._client, 8 * RUN)).fetchall()
        base.executemany("DELETE FROM seen WHERE run = ?", [row[:1] for row in rows])
        # A pair as one integer takes a third of a tuple's memory, and there may be a million.
        pairs = [
            mark << _NUMBER | number
            for _, marks, numbers in rows
            for mark, number in zip(array("Q", marks), array("I", numbers), strict=True)
        ]
        pairs.sort()
        last = (1 << _NUMBER) - 1
        self._insert(base, array("Q", (pair >> _NUMBER for pair in pairs)), array("I", (pair & last for pair in pairs)))

    def _insert(self, base: Connection, marks: Sequence[int], numbers: Sequence[int]) -> None:
        base.execute("INSERT INTO seen (client, marks, numbers) VALUES (?, ?, ?)", (self._client, marks, numbers))


def build(base: Connection) -> None:
    """Make the table."""
    base.execute("DROP TABLE IF EXISTS seen")
    base.execute("CREATE TABLE seen (run INTEGER PRIMARY KEY, client, marks, numbers)")


def _zeros(many: int) -> memoryview:
    """Return whole numbers of 64 bits, all 0. Slots are visited in no order: large pages, where there are some, halve the time."""
    size = many * _BITS // 8
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return memoryview(bytearray(size)).cast("Q")
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without them
        room.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(room).cast("Q")
