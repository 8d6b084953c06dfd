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
    from collections.abc import Callable, Collection, Container, Iterable, Sequence

    from assistant.quota.store import Connection

    Run = tuple[Sequence[int], Sequence[int]]
    """Marks in their order, and the number that belongs to each."""

RUN = 125_000
"""Marks in a run that is not merged any further."""
_FEW = 8
"""Short runs that may lie side by side."""
_LEAST, _MOST = 14, 21
"""Bits of a slot's number in the smallest and the largest table: of 64 kB and of 8 MB."""
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

    What was not written yet stands in a list, in the order of the numbers, and where in the list in a table: at the slot that
    the first bits of the mark name. So the table, read from end to end, gives the marks in their order. A mark whose slot is
    taken goes to the crowd beside it.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._runs: list[Run] = []
        self._bits = _LEAST
        self._table = array("I")
        self._marks = array("Q", (0,))
        """In the order in which they came; the first is nobody's, so that 0 in the table is an empty slot."""
        self._before = 0
        """Numbers that were given before those in the list: a number is this and the place in the list."""
        self._crowd: dict[int, int] = {}

    def open(self, base: Connection, given: int = 0) -> None:
        """Read the runs; so many numbers were given."""
        self._before = given
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

    @property
    def following(self) -> int:
        """The number of the next mark that nobody knows."""
        return self._before + len(self._marks)

    def count(self, found: array[int]) -> dict[int, int]:
        """Return those marks that are known, with their numbers; all others are known from now on, numbered in their order."""
        before = self._written(found) if self._runs else {}
        if before:
            found = array("Q", [mark for mark in found if mark not in before])
        if not self._table:
            self._table = array("I", (0,)) * (1 << self._bits)
        table, shift, crowd, marks = self._table, 64 - self._bits, self._crowd, self._marks
        first = place = len(marks)
        marks += found  # all at once, though some may be known
        known = {}
        for mark in found:
            slot = mark >> shift
            there = table[slot]
            if not there:
                table[slot] = place
            elif marks[there] == mark:
                known[mark] = there
            elif mark in crowd:
                known[mark] = crowd[mark]
            else:
                crowd[mark] = place
            place += 1
        if known:
            self._close_up(first, found, known)
            before.update({mark: self._before + there for mark, there in known.items()})
        return before

    def _close_up(self, first: int, found: array[int], known: Container[int]) -> None:
        """Let those that are new follow one another in the list, from `first` on."""
        place = first
        for at, mark in enumerate(found, first):
            if mark not in known:
                if at != place:
                    slot = mark >> (64 - self._bits)
                    if self._table[slot] == at:
                        self._table[slot] = place
                    else:
                        self._crowd[mark] = place
                    self._marks[place] = mark
                place += 1
        del self._marks[place:]

    def find(self, mark: int) -> int | None:
        """Return the number of a mark, None for one that nobody knows."""
        if self._table:
            there = self._table[mark >> (64 - self._bits)]
            if there and self._marks[there] == mark:
                return self._before + there
            if mark in self._crowd:
                return self._before + self._crowd[mark]
        return self._written((mark,)).get(mark)

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
        """Write what was counted: what the table holds, and the crowd, as a run each."""
        runs: list[Run] = []
        for places in (array("I", filter(None, self._table)), [self._crowd[mark] for mark in sorted(self._crowd)]):
            if places:
                marks = array("Q", map(self._marks.__getitem__, places))
                numbers = array("I", (self._before + place for place in places) if self._before else places)
                self._insert(base, marks, numbers)
                runs.append((marks, numbers))
        return runs

    def commit(self, runs: Iterable[Run]) -> None:
        """Know runs that are on the disk."""
        self._runs += runs
        self._before += len(self._marks) - 1
        self._table, self._marks, self._crowd = array("I"), array("Q", (0,)), {}

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
