"""Which requests of a client were counted before: a mark of 64 bits for each, in sorted runs.

Among ten million requests the chance that two share a mark is one in 400,000. A mark takes eight bytes on the disk and in
memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import chain
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from assistant.quota.store import Connection

RUN = 250_000
"""Marks in a run that is not merged any further."""
_FEW = 8
"""Short runs that may lie side by side."""
_LEAST, _MOST = 14, 21
"""Bits of a slot's number in the smallest and the largest table: of 128 kB and of 16 MB."""


def marks(keys: Collection[str]) -> list[int]:
    """Name requests by numbers of 64 bits."""
    try:
        return list(map(xxh3_64_intdigest, map(str.encode, keys)))
    except UnicodeEncodeError:  # JSON can tell of half a character
        return [xxh3_64_intdigest(key.encode("utf-8", "surrogatepass")) for key in keys]


class Seen:
    """The marks of all requests of a client that were ever counted.

    What was not written yet stands in a table, each mark in the slot that its first bits name: read from end to end, the
    table is in order. A mark whose slot is taken goes to the crowd beside it.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._runs: list[array[int] | memoryview[int]] = []
        self._bits = _LEAST
        self._table = array("Q")
        self._crowd: set[int] = set()

    def open(self, base: Connection) -> None:
        """Read the runs."""
        base.execute("SAVEPOINT runs")  # another window may merge them meanwhile
        try:
            runs = base.execute("SELECT run FROM seen WHERE client = ? ORDER BY run", (self._client,)).fetchall()
            for (run,) in runs:
                with base.blobopen("seen", "marks", run, readonly=True) as blob:
                    self._runs.append(memoryview(blob.read()).cast("Q"))  # there may be millions: they are copied once
        finally:
            base.execute("RELEASE runs")

    def expect(self, many: int) -> None:
        """Choose the size of a table that so many marks would just fill. To be called before any is counted."""
        self._bits = min(max(_LEAST, many.bit_length()), _MOST)

    @property
    def is_full(self) -> bool:
        """Say whether what was counted should be written before more is."""
        return len(self._crowd) > 1 << (self._bits - 3)

    def count(self, found: Sequence[int]) -> set[int]:
        """Count marks, and return those that were counted before."""
        before = set(filter(self._is_written, found)) if self._runs else set()
        table = self._table = self._table or array("Q", (0,)) * (1 << self._bits)
        shift, crowd = 64 - self._bits, self._crowd
        for mark in [mark for mark in found if mark not in before] if before else found:
            slot = mark >> shift
            there = table[slot]
            if not there:
                table[slot] = mark
            elif there == mark or mark in crowd:
                before.add(mark)
            else:
                crowd.add(mark)
        return before

    def _is_written(self, mark: int) -> bool:
        for run in self._runs:
            at = bisect_left(run, mark)
            if at < len(run) and run[at] == mark:
                return True
        return False

    def save(self, base: Connection) -> list[array[int]]:
        """Write what was counted: the table as it stands, and the crowd, as a run each."""
        runs = [run for run in (array("Q", filter(None, self._table)), array("Q", sorted(self._crowd))) if run]
        for run in runs:
            self._insert(base, run)
        return runs

    def commit(self, runs: Iterable[array[int]]) -> None:
        """Know runs that are on the disk."""
        self._runs += runs
        self._table, self._crowd = array("Q"), set()

    def merge(self, base: Connection) -> None:
        """Put short runs together, so that there are few to ask."""
        short = "FROM seen WHERE client = ? AND length(marks) < ?"
        if base.execute(f"SELECT COUNT(*) {short}", (self._client, 8 * RUN)).fetchone()[0] < _FEW:
            return
        rows = base.execute(f"SELECT run, marks {short}", (self._client, 8 * RUN)).fetchall()
        base.executemany("DELETE FROM seen WHERE run = ?", [row[:1] for row in rows])
        self._insert(base, array("Q", sorted(chain.from_iterable(array("Q", blob) for _, blob in rows))))

    def _insert(self, base: Connection, run: array[int]) -> None:
        base.execute("INSERT INTO seen (client, marks) VALUES (?, ?)", (self._client, run))
