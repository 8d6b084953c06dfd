"""A change made to one text, moved onto another that was changed as well: three-way, whole lines, never a guess.

Lines that were changed on both sides, or that touch each other, have no place of their own. Lines that came on their side,
right above or below others that ours replaces, do: which stand first is plain. A change that would come to stand below other
heads than it was made for (`Heads`), though those are still there, has none: equal parts have changed places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.edits import text
from assistant.edits.compare import changes

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Clash:
    """Lines that both sides changed.

    `start` and `end` are 1-based first and last line of the text as it is now; `first` and `stop` the 0-based range of
    lines of the base that our side changed.
    """

    start: int
    end: int
    first: int
    stop: int


def merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Put the change from `base` to `ours` into `theirs`; None where both changed the same or touching lines to others."""
    merged = _merge(base, ours, theirs)
    return merged if isinstance(merged, bytes) else None


def clashes(base: bytes, ours: bytes, theirs: bytes) -> tuple[Clash, ...]:
    """Return where `merge` finds no way, as lines of `theirs`; empty where it does."""
    merged = _merge(base, ours, theirs)
    return () if isinstance(merged, bytes) else merged


def _merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | tuple[Clash, ...]:
    old, new, now = map(text.split_lines, (base, ours, theirs))
    mine = [(a, b, new[c:d]) for a, b, c, d in changes(old, new)]
    other = [(a, b, now[c:d], c, d) for a, b, c, d in changes(old, now)]
    found: list[Clash] = []
    chosen: list[tuple[int, int, list[bytes]]] = []
    at = moved = 0
    there, heads, heads_now = set(now), Heads(old), Heads(now)
    for a, b, lines in mine:
        while at < len(other) and other[at][1] < a:
            moved += len(other[at][2]) - (other[at][1] - other[at][0])
            at += 1
        same = below = False
        beside = at
        while beside < len(other) and other[beside][0] <= b:
            c, d, words, start, end = other[beside]
            beside += 1
            if (a, b, lines) == (c, d, words):
                same = True  # both did the same; once is enough
            elif not (c == d and a < b and c in {a, b}):
                found.append(Clash(start + 1, max(end, start + 1), a, b))
            else:
                below = c == b
        if not same:
            # Where theirs goes on behind the last line of the file, that has to end.
            chosen.append((a, b, [*lines[:-1], text.ended(lines[-1], old[b - 1])] if below and lines else lines))
            here = a + moved + sum(len(words) - (d - c) for c, d, words, _, _ in other[at : at + 1] if d <= a)
            if other and not there.isdisjoint(set(heads.over(a)) - set(heads_now.over(here))):
                found.append(Clash(here + 1, here + max(b - a, 1), a, b))
    if found:
        return tuple(dict.fromkeys(found))
    out: list[bytes] = []
    done = 0
    for a, b, lines in sorted([*chosen, *((a, b, words) for a, b, words, _, _ in other)]):
        out += old[done:a]
        out += lines
        done = b
    return b"".join(out + old[done:])


class Heads:
    """The lines below which each line of a text stands, by how they are indented: of one in a method, its own and that of the class.

    An empty line stands where the next one does that is not.
    """

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._above: list[int] = []
        """By line the nearest one that it stands below; -1 where there is none."""
        open_heads: list[tuple[int, int]] = []
        empty = 0
        for at, line in enumerate(lines):
            if not line.strip():
                empty += 1
                continue
            depth = len(line) - len(line.lstrip())
            while open_heads and open_heads[-1][1] >= depth:
                open_heads.pop()
            self._above += [open_heads[-1][0] if open_heads else -1] * (empty + 1)
            open_heads.append((at, depth))
            empty = 0

    def over(self, at: int) -> list[bytes]:
        """Return the heads of a line, the nearest first."""
        found: list[bytes] = []
        above = self._above[at] if at < len(self._above) else -1
        while above >= 0:
            found.append(self._lines[above])
            above = self._above[above]
        return found
