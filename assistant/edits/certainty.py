"""Whether the place of a change in a text that was changed meanwhile is beyond doubt: then nobody has to look at it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.edits import text
from assistant.edits.compare import changes
from assistant.edits.merge import heads

if TYPE_CHECKING:
    from collections.abc import Sequence

_AROUND = 50
"""Lines above and below a change that may tell its place."""


def is_sure(base: bytes, ours: bytes, theirs: bytes) -> bool:
    """Whether all that changes from `base` to `ours` has one place in `theirs` that no other could be taken for.

    The lines that go are there unchanged; with the unchanged lines around them they stand in either
    text only once, and below the same heads. And nothing was moved: of equal parts that change places, what stays and what
    goes is a matter of taste.
    """
    old, new, now = map(text.split_lines, (base, ours, theirs))
    other = changes(old, now)
    went = {line.strip() for a, b, _, _ in other for line in old[a:b]}
    came = {line.strip() for _, _, c, d in other for line in now[c:d]}
    if any(went & came):
        return False
    for a, b, c, d in changes(old, new):
        if any(each[:2] == (a, b) and now[each[2] : each[3]] == new[c:d] for each in other):
            continue  # it is there already
        if any(first < b and last > a for first, last, _, _ in other):
            return False
        start = max((last for _, last, _, _ in other if last <= a), default=0)
        stop = min((first for first, _, _, _ in other if first >= b), default=len(old))
        window = old[max(start, a - _AROUND) : min(stop, b + _AROUND)]
        if not (_is_single(window, old) and _is_single(window, now)):
            return False
        here = a + sum(d - c - (last - first) for first, last, c, d in other if last <= a)
        if heads(old, a) != heads(now, here):
            return False
    return True


def _is_single(window: Sequence[bytes], lines: Sequence[bytes]) -> bool:
    """Whether some lines stand among others in one place."""
    if not window:
        return False
    size, first, count = len(window), window[0], 0
    for at, line in enumerate(lines):
        if line == first and lines[at : at + size] == window:
            count += 1
            if count > 1:
                return False
    return count == 1
