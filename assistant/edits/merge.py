"""A change made to one text, moved onto another that has changed as well: three-way, whole lines, never a guess.

Lines changed on both sides, or touching such lines, have no place. Lines that the other side added right above or below
lines that ours replaces are no obstacle, since the order is plain. A change that would end up below other heads
(`Heads`) than it was made for, although those still exist, has no place: equal parts have swapped places.
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

    `start` and `end` are the 1-based first and last line in the text as it is now; `first` and `stop` are the 0-based
    range of base lines that our side changed.
    """

    start: int
    end: int
    first: int
    stop: int


def merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Put the change from `base` to `ours` into `theirs`; None if both changed the same or touching lines otherwise."""
    merged = _merge(base, ours, theirs)
    return merged if isinstance(merged, bytes) else None


def clashes(base: bytes, ours: bytes, theirs: bytes) -> tuple[Clash, ...]:
    """Return the places where `merge` fails, as lines of `theirs`; empty if it succeeds."""
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
            # If theirs continues after the last line of the file, our last line needs a line end.
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
    """The heads of each line of a text: the less indented lines it stands below, such as its method and its class.

    An empty line has the heads of the next line that is not empty.
    """

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._above: list[int] = []
        """The nearest head of each line, by index; -1 if there is none."""
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
