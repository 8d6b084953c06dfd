"""Which requests of a client were counted before, and where what is known of each stands: a mark of 64 bits for each name, in sorted runs.

Among ten million names the chance that two share a mark is one in 400,000. A mark and the number beside it take twelve
bytes on the disk and in memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
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
"""Short runs that may lie side by side."""
_LEAST, _MOST = 14, 21
"""Bits of a slot's number in the smallest and the largest table: of 192 kB and of 24 MB."""
_NUMBER = 32
"""Bits of a number: four thousand million requests of a client."""


def mark(key: str) -> int:
    """Name one request by a number of 64 bits."""
    return marks([key])[0]


def marks(keys: Collection[str]) -> array[int]:
    """Name requests by numbers of 64 bits."""
    return _digests("Q", xxh3_64_digest, keys)


def short_marks(keys: Collection[str]) -> array[int]:
    """Name by numbers of 32 bits what must only be told from a few others."""
    return _digests("I", xxh32_digest, keys)


def _digests(kind: Literal["I", "Q"], digest: Callable[[bytes], bytes], keys: Iterable[str]) -> array[int]:
    """Read digests as numbers, whatever the machine's order of bytes: to make an integer of each first takes twice as long."""
    found = array(kind)
    try:
        found.frombytes(b"".join(map(digest, map(str.encode, keys))))
    except UnicodeEncodeError:  # JSON can tell of half a character
        found.frombytes(b"".join(digest(key.encode("utf-8", "surrogatepass")) for key in keys))
    return found


class Seen:
    """The marks of all names under which a client's requests were ever told, each with a number: see `Counted`.

    What was not written yet stands in a table, each mark in the slot that its first bits name: read from end to end, the
    table is in order. A mark whose slot is taken goes to the crowd beside it. The numbers stand in a table of the same form.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._runs: list[Run] = []
        self._bits = _LEAST
        self._table, self._numbers = array("Q"), array("I")
        self._crowd: dict[int, int] = {}

    def open(self, base: Connection) -> None:
        """Read the runs."""
        base.execute("SAVEPOINT runs")  # another window may merge them meanwhile
        try:
            runs = base.execute("SELECT run FROM seen WHERE client = ? ORDER BY run", (self._client,)).fetchall()
            for (run,) in runs:
                # There may be millions: they are copied once.
                with base.blobopen("seen", "marks", run, readonly=True) as blob:
                    marks = memoryview(blob.read()).cast("Q")
                with base.blobopen("seen", "numbers", run, readonly=True) as blob:
                    self._runs.append((marks, memoryview(blob.read()).cast("I")))
        finally:
            base.execute("RELEASE runs")

    def expect(self, many: int) -> None:
        """Choose the size of a table that so many marks would just fill. To be called before any is counted."""
        self._bits = min(max(_LEAST, many.bit_length()), _MOST)

    @property
    def is_full(self) -> bool:
        """Say whether what was counted should be written before more is."""
        return len(self._crowd) > 1 << (self._bits - 3)

    def count(self, found: array[int], number: int) -> dict[int, int]:
        """Return those marks that are known, with their numbers; all others are known from now on, numbered from `number` in their order."""
        before = self._written(found) if self._runs else {}
        if not self._table:
            self._make()
        table, numbers = self._table, self._numbers
        shift, crowd = 64 - self._bits, self._crowd
        for mark in [mark for mark in found if mark not in before] if before else found:
            slot = mark >> shift
            there = table[slot]
            if not there:
                table[slot] = mark
                numbers[slot] = number
            elif there == mark:
                before[mark] = numbers[slot]
                continue
            elif mark in crowd:
                before[mark] = crowd[mark]
                continue
            else:
                crowd[mark] = number
            number += 1
        return before

    def find(self, mark: int) -> int | None:
        """Return the number of a mark, None for one that nobody knows."""
        if self._table:
            slot = mark >> (64 - self._bits)
            if self._table[slot] == mark:
                return self._numbers[slot]
        return self._crowd.get(mark) or self._written((mark,)).get(mark)

    def add(self, mark: int, number: int) -> None:
        """Know a mark that nobody knew by a number."""
        if not self._table:
            self._make()
        slot = mark >> (64 - self._bits)
        if self._table[slot]:
            self._crowd[mark] = number
        else:
            self._table[slot], self._numbers[slot] = mark, number

    def _make(self) -> None:
        self._table, self._numbers = array("Q", (0,)) * (1 << self._bits), array("I", (0,)) * (1 << self._bits)

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
        """Write what was counted: the table as it stands, and the crowd, as a run each."""
        crowd = sorted(self._crowd)
        runs: list[Run] = []
        for marks, numbers in (
            (array("Q", filter(None, self._table)), array("I", filter(None, self._numbers))),
            (array("Q", crowd), array("I", map(self._crowd.__getitem__, crowd))),
        ):
            if marks:
                self._insert(base, marks, numbers)
                runs.append((marks, numbers))
        return runs

    def commit(self, runs: Iterable[Run]) -> None:
        """Know runs that are on the disk."""
        self._runs += runs
        self._table, self._numbers, self._crowd = array("Q"), array("I"), {}

    def merge(self, base: Connection) -> None:
        """Put short runs together, so that there are few to ask."""
        short = "FROM seen WHERE client = ? AND length(marks) < ?"
        if base.execute(f"SELECT COUNT(*) {short}", (self._client, 8 * RUN)).fetchone()[0] < _FEW:
            return
        rows = base.execute(f"SELECT run, marks, numbers {short}", (self._client, 8 * RUN)).fetchall()
        base.executemany("DELETE FROM seen WHERE run = ?", [row[:1] for row in rows])
        # One whole number for a pair is a third of the memory that a tuple takes, and there may be a million.
        pairs = [
            mark << _NUMBER | number
            for _, marks, numbers in rows
            for mark, number in zip(array("Q", marks), array("I", numbers), strict=True)
        ]
        pairs.sort()
        last = (1 << _NUMBER) - 1
        self._insert(base, array("Q", (pair >> _NUMBER for pair in pairs)), array("I", (pair & last for pair in pairs)))

    def _insert(self, base: Connection, marks: array[int], numbers: array[int]) -> None:
        base.execute("INSERT INTO seen (client, marks, numbers) VALUES (?, ?, ?)", (self._client, marks, numbers))


def build(base: Connection) -> None:
    """Make the table."""
    base.execute("DROP TABLE IF EXISTS seen")
    base.execute("CREATE TABLE seen (run INTEGER PRIMARY KEY, client, marks, numbers)")
