"""Whether a change has exactly one possible place in a text that was edited meanwhile, so that nobody need check it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING

from assistant.edits import text
from assistant.edits.compare import changes
from assistant.edits.merge import Heads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AROUND = 50
"""Lines above and below a change that may identify its place."""


def is_sure(base: bytes, ours: bytes, theirs: bytes) -> bool:
    """Say whether every change from `base` to `ours` has exactly one possible place in `theirs`.

    The removed lines are there unchanged; together with the unchanged lines around them they occur only once in either
    text, under the same heads. And nothing was moved: when equal parts swap places, which one stayed is arbitrary.
    """
    old, new, now = map(text.split_lines, (base, ours, theirs))
    other = changes(old, now)
    went = {line.strip() for a, b, _, _ in other for line in old[a:b]}
    came = {line.strip() for _, _, c, d in other for line in now[c:d]}
    if any(went & came):
        return False
    done = {(a, b): now[c:d] for a, b, c, d in other}
    firsts, lasts = [a for a, _, _, _ in other], [b for _, b, _, _ in other]
    moved = [0, *accumulate(d - c - (b - a) for a, b, c, d in other)]
    heads, heads_now = Heads(old), Heads(now)
    places, places_now = _places(old), _places(now)
    for a, b, c, d in changes(old, new):
        if done.get((a, b)) == new[c:d]:
            continue  # it is there already
        before, behind = bisect_right(lasts, a), bisect_left(firsts, b)
        if before < behind:
            return False
        start, stop = lasts[before - 1] if before else 0, firsts[behind] if behind < len(firsts) else len(old)
        window = old[max(start, a - _AROUND) : min(stop, b + _AROUND)]
        if not (_is_single(window, old, places) and _is_single(window, now, places_now)):
            return False
        if heads.over(a) != heads_now.over(a + moved[before]):
            return False
    return True


def _places(lines: Sequence[bytes]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for at, line in enumerate(lines):
        found.setdefault(line, []).append(at)
    return found


def _is_single(window: Sequence[bytes], lines: Sequence[bytes], places: Mapping[bytes, Sequence[int]]) -> bool:
    """Say whether the lines of `window` occur, in a row, exactly once in `lines`."""
    rare = min(range(len(window)), key=lambda at: len(places.get(window[at], ())), default=None)
    if rare is None:
        return False
    starts = (at - rare for at in places.get(window[rare], ()) if at >= rare)
    return len(list(islice((at for at in starts if lines[at : at + len(window)] == window), 2))) == 1
