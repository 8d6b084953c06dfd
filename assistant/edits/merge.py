"""A change made to one text, moved onto another that was changed as well: three-way, whole lines, never a guess.

Lines that were changed on both sides, or that touch each other, have no place of their own. Lines that came on their side,
right above or below others that ours replaces, do: which stand first is plain.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.edits import text
from assistant.edits.compare import changes


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
    at = 0
    for a, b, lines in mine:
        while at < len(other) and other[at][1] < a:
            at += 1
        same = False
        for c, d, words, start, end in other[at:]:
            if c > b:
                break
            if (a, b, lines) == (c, d, words):
                same = True  # both did the same; once is enough
            elif not (c == d and a < b and c in {a, b}):
                found.append(Clash(start + 1, max(end, start + 1), a, b))
        if not same:
            chosen.append((a, b, lines))
    if found:
        return tuple(dict.fromkeys(found))
    out: list[bytes] = []
    done = 0
    for a, b, lines in sorted([*chosen, *((a, b, words) for a, b, words, _, _ in other)]):
        out += old[done:a]
        out += lines
        done = b
    return b"".join(out + old[done:])
