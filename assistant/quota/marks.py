"""Which requests of a client were counted before: a mark of 64 bits for each, in sorted runs.

Among ten million requests the chance that two share a mark is one in 400,000. A mark takes eight bytes on the disk and in
memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import chain, compress
from typing import TYPE_CHECKING

try:
    from _blake2 import blake2b  # as in hashlib, which loads all of OpenSSL beside it
except ImportError:  # pragma: no cover - another Python may have it elsewhere
    from hashlib import blake2b

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assistant.quota.store import Connection

RUN = 250_000
"""Marks in a run that is not merged any further."""
_FEW = 8
"""Short runs that may lie side by side."""
_SLOTS = 1 << 24


def marks(keys: Iterable[str]) -> list[int]:
    """Name requests by numbers."""
    digests = [blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest() for key in keys]
    return array("q", b"".join(digests)).tolist()


class Seen:
    """The marks of all requests of a client that were ever counted and written.

    A table of one byte for each of 16 million slots tells at once of nearly all marks that no run holds them. In a pass that
    begins with runs from the disk it is not there: to fill it would cost more than to ask the runs.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._runs: list[array[int] | memoryview[int]] = []
        self._slots = bytearray()
        self._known = False

    def open(self, base: Connection) -> None:
        """Read the runs."""
        base.execute("SAVEPOINT runs")  # another window may merge them meanwhile
        try:
            runs = base.execute("SELECT run FROM seen WHERE client = ? ORDER BY run", (self._client,)).fetchall()
            for (run,) in runs:
                with base.blobopen("seen", "marks", run, readonly=True) as blob:
                    self._runs.append(memoryview(blob.read()).cast("q"))  # there may be millions: they are copied once
        finally:
            base.execute("RELEASE runs")
        self._known = bool(self._runs)

    def among(self, found: Sequence[int]) -> set[int]:
        """Return the marks that a run holds."""
        if not self._runs:
            return set()
        asked = found
        if self._slots:
            asked = list(compress(found, map(self._slots.__getitem__, map((_SLOTS - 1).__and__, found))))
        return {mark for mark in asked if self.holds(mark)}

    def holds(self, mark: int) -> bool:
        """Say whether a mark is in a run."""
        for run in self._runs:
            at = bisect_left(run, mark)
            if at < len(run) and run[at] == mark:
                return True
        return False

    def save(self, base: Connection, found: Iterable[int]) -> array[int]:
        """Write marks that no run holds as a new run."""
        run = array("q", _sorted(found))
        if run:
            base.execute("INSERT INTO seen (client, marks) VALUES (?, ?)", (self._client, run.tobytes()))
        return run

    def commit(self, run: array[int]) -> None:
        """Know a run that is on the disk."""
        self._runs.append(run)
        if not self._known and run:
            slots = self._slots = self._slots or bytearray(_SLOTS)  # to make it takes longer than most runs have to do
            for slot in map((_SLOTS - 1).__and__, run):
                slots[slot] = 1

    def merge(self, base: Connection) -> None:
        """Put short runs together, so that there are few to ask."""
        short = "FROM seen WHERE client = ? AND length(marks) < ?"
        if base.execute(f"SELECT COUNT(*) {short}", (self._client, 8 * RUN)).fetchone()[0] < _FEW:
            return
        rows = base.execute(f"SELECT run, marks {short}", (self._client, 8 * RUN)).fetchall()
        base.executemany("DELETE FROM seen WHERE run = ?", [row[:1] for row in rows])
        together = _sorted(chain.from_iterable(array("q", blob) for _, blob in rows))
        for first in range(0, len(together), RUN):
            self.save(base, together[first : first + RUN])


def _sorted(found: Iterable[int]) -> list[int]:
    """Sort marks: first into a thousand heaps, which a core's own cache holds and which are all alike in size."""
    heaps: list[list[int]] = [[] for _ in range(1 << 10)]
    for mark in found:
        heaps[(mark >> 54) + 512].append(mark)
    for heap in heaps:
        heap.sort()
    return list(chain.from_iterable(heaps))
