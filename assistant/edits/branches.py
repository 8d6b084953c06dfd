"""Marks over branches: what was decided of hunks is kept while they are out of place, and others of the same answer are decided.

A record of a review then has the one before it as `before`, and as `seen` by path which hunks were in sight when it was made:
of those it tells, of all others the one before.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant.edits.patch import Patch
from assistant.edits.review import Review, sum_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assistant.edits.review import Comment, Decision

_DEEPEST = 4
"""Records behind each other: so many branches may be gone through before the first is back."""


def record(review: Review, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is decided, for a file, with the record `before` of hunks that are out of place now."""
    found = review.record()
    seen: dict[str, list[int]] = {}
    for hunk in review.patch.hunks:
        seen.setdefault(hunk.path, []).append(sum_of(hunk))
    while before and isinstance(before.get("seen"), dict) and _told(before) <= _told({"seen": seen}):
        before = before.get("before")  # of an earlier sitting on this branch: all that it tells of is told of here
    return {**found, "before": _cut_off(before), "seen": seen} if before else found


def _told(kept: Mapping[str, Any]) -> set[tuple[str, int]]:
    """Return the hunks that were in sight when a record was made."""
    seen = kept.get("seen")
    return {
        (path, each)
        for path, sums in (seen.items() if isinstance(seen, dict) else ())
        for each in (sums if isinstance(sums, list) else ())
        if isinstance(each, int)
    }


def _cut_off(kept: Mapping[str, Any], depth: int = 1) -> dict[str, Any]:
    before = kept.get("before")
    rest = {key: each for key, each in kept.items() if key != "before"}
    return {**rest, "before": _cut_off(before, depth + 1)} if isinstance(before, dict) and depth < _DEEPEST else rest


def recall(review: Review, kept: Mapping[str, Any], depth: int = 0) -> Review:
    """Decide as was recorded; what cannot be read, or is about other lines, is left out."""
    newer, before = review.recall(kept), kept.get("before")
    if not isinstance(before, dict) or depth >= _DEEPEST:
        return newer
    older, told = recall(review, before, depth + 1), _told(kept)
    choices: list[Decision] = []
    comments: list[Comment] = []
    for file in review.patch.files:
        whole = Review.of(Patch((file,))).choices
        mine = [(file.path, sum_of(each.hunk)) in told for each in whole]
        found = ([each for each in one.choices if each.hunk.path == file.path] for one in (newer, older))
        choices += _merged(whole, mine, *found)
        comments += _about(newer.comments, file.path, whole, mine)
        comments += _about(older.comments, file.path, whole, [not each for each in mine])
    return replace(review, choices=tuple(choices), comments=tuple(comments))


def _merged(
    whole: Sequence[Decision], mine: Sequence[bool], newer: Iterable[Decision], older: Iterable[Decision]
) -> list[Decision]:
    """Take the choices about each hunk from where it is told of; one that reaches over several only where all are told of there."""
    ends = [each.hunk.at + len(each.hunk.old) for each in whole]
    found: list[Decision] = []
    covered: set[int] = set()
    for choices, told in ((newer, True), (older, False)):
        for each in choices:
            touched, at = [], bisect_left(ends, each.hunk.at)
            while at < len(whole) and whole[at].hunk.at <= each.hunk.at + len(each.hunk.old):
                touched.append(at)
                at += 1
            if touched and all(mine[one] is told for one in touched):
                found.append(each)
                covered.update(touched)
    found += [each for at, each in enumerate(whole) if at not in covered]
    return sorted(found, key=lambda each: (each.hunk.at, each.hunk.new_at))


def _about(said: Iterable[Comment], path: str, whole: Sequence[Decision], mine: Sequence[bool]) -> list[Comment]:
    """Return the comments on a file that are nearest to hunks which are told of here."""
    found = []
    for each in said:
        if each.path == path and whole:
            starts = [one.hunk.old_start if each.gone else one.hunk.new_start for one in whole]
            nearest = min(range(len(whole)), key=lambda at: abs(starts[at] - each.line))
            if mine[nearest]:
                found.append(each)
    return found


def is_whole(review: Review, kept: Mapping[str, Any]) -> bool:
    """Say whether all hunks that a record tells of, or a record before it, are in a review."""
    there = {(each.path, sum_of(each)) for each in review.patch.hunks}
    rows = [each for name in ("choices", "places") for each in kept.get(name) or () if isinstance(each, dict)]
    told = {(each.get("path"), each.get("sum")) for each in rows if "words" not in each}
    before = kept.get("before")
    return told <= there and (not isinstance(before, dict) or is_whole(review, before))
