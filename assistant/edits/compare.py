"""The difference of two sequences of lines, as ranges that must be replaced.

Lines that occur once on both sides are the anchors (patience diff); only what lies between them is compared closely, so
that the cost stays near linear and the hunks fall where a reader expects them.
"""

from __future__ import annotations

from bisect import bisect_left
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

T = TypeVar("T", bound="Hashable")
Range = tuple[int, int, int, int]
"""Start and end of a range of old lines, then of new lines; ends are exclusive."""

_CLOSE = 250_000
"""Most pairs of lines that are compared one by one between two anchors; a larger gap becomes one change."""


def changes(old: Sequence[T], new: Sequence[T]) -> list[Range]:
    """Return the ranges to replace to turn `old` into `new`, in order, with adjacent ranges joined."""
    found: list[Range] = []
    todo: list[Range] = [(0, len(old), 0, len(new))]
    while todo:
        a, b, c, d = _trim(old, new, todo.pop())
        if a == b or c == d:
            if a != b or c != d:
                found.append((a, b, c, d))
            continue
        anchors = _anchors(old, new, (a, b, c, d))
        if anchors:
            for i, j in anchors:
                todo.append((a, i, c, j))
                a, c = i + 1, j + 1
            todo.append((a, b, c, d))
        elif (b - a) * (d - c) <= _CLOSE:
            matcher = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False)
            found.extend(
                (a + i1, a + i2, c + j1, c + j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"
            )
        else:
            found.append((a, b, c, d))
    return _join(_low(old, new, _join(sorted(found))))


def _low(old: Sequence[T], new: Sequence[T], ranges: list[Range]) -> list[Range]:
    """Move pure insertions and deletions down as far as possible: among equal lines the last ones change, as in git."""
    found: list[Range] = []
    end = len(old)
    for a, b, c, d in reversed(ranges):
        by = 0
        if a == b:
            while b + by < end and new[c + by] == old[b + by]:
                by += 1
        elif c == d:
            while b + by < end and old[a + by] == old[b + by]:
                by += 1
        found.append((a + by, b + by, c + by, d + by))
        end = a + by
    return found[::-1]


def _trim(old: Sequence[T], new: Sequence[T], within: Range) -> Range:
    a, b, c, d = within
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    return a, b, c, d


def _anchors(old: Sequence[T], new: Sequence[T], within: Range) -> list[tuple[int, int]]:
    """Return the longest chain of pairs of equal lines, each unique on its side, that ascends on both sides."""
    a, b, c, d = within
    places = _once(old, a, b)
    others = _once(new, c, d)
    pairs = [(i, others[line]) for line, i in places.items() if line in others]
    tails: list[int] = []
    links: list[tuple[int, int]] = []  # (index of the pair, link before it)
    heads: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        links.append((index, heads[at - 1] if at else -1))
        if at == len(tails):
            tails.append(j)
            heads.append(index)
        else:
            tails[at] = j
            heads[at] = index
    chain: list[tuple[int, int]] = []
    at = heads[-1] if heads else -1
    while at != -1:
        chain.append(pairs[at])
        at = links[at][1]
    return chain[::-1]


def _once(lines: Sequence[T], start: int, end: int) -> dict[T, int]:
    """Map lines that occur once to their place, in order."""
    seen: dict[T, int] = {}
    for index in range(start, end):
        line = lines[index]
        seen[line] = -1 if line in seen else index
    return {line: index for line, index in seen.items() if index >= 0}


def _join(ranges: list[Range]) -> list[Range]:
    joined: list[Range] = []
    for a, b, c, d in ranges:
        if joined and joined[-1][1] == a and joined[-1][3] == c:
            joined[-1] = (joined[-1][0], b, joined[-1][2], d)
        else:
            joined.append((a, b, c, d))
    return joined
