"""Review marks across branches: what was decided about hunks is kept while only other hunks of the answer are in place.

Besides the current decisions, the record of a review holds decisions from earlier sittings about hunks that are not in
sight in this one: `away` has one record for each such sitting, newest first, with those hunks as `about`. No hunk is in
two of them, so there are never more of them than the answer has hunks.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant.edits.patch import Patch
from assistant.edits.review import Review, rows_of, sum_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assistant.edits.review import Comment, Decision

Name = tuple[str, int]
"""A hunk's name across branches: its path, and a checksum of what it does."""


def names(patch: Patch) -> set[Name]:
    """Return the names of a patch's hunks."""
    return {(each.path, sum_of(each)) for each in patch.hunks}


def record(review: Review, before: Mapping[str, Any] | None, seen: Iterable[Name]) -> dict[str, Any]:
    """Return the review as a record, with what the record `before` says about hunks not `seen` in this sitting."""
    found, told, away = review.record(), set(seen), []
    about = sorted(told)
    for each in (before, *entries(before)) if before else ():
        rest = _names(each) - told
        told |= rest
        if rest and (rows := _about(each, rest)):
            away.append({**rows, "about": sorted(map(list, rest))})
    return {**found, "about": [list(each) for each in about], "away": away} if away else found


def recall(review: Review, kept: Mapping[str, Any]) -> Review:
    """Restore recorded decisions; skip what cannot be read or is about other lines."""
    away = entries(kept)
    if not away:
        return review.recall(kept)
    recalled = [review.recall(each) for each in (kept, *away)]
    owners = {name: at for at, each in enumerate(away, 1) for name in _names(each)}
    choices: list[Decision] = []
    comments: list[Comment] = []
    for file in review.patch.files:
        whole = Review.of(Patch((file,))).choices
        mine = [owners.get((file.path, sum_of(each.hunk)), 0) for each in whole]
        choices += _merged(
            whole, mine, [[each for each in one.choices if each.hunk.path == file.path] for one in recalled]
        )
        for at, one in enumerate(recalled):
            comments += _said(one.comments, file.path, whole, [owner == at for owner in mine])
    return replace(review, choices=tuple(choices), comments=tuple(comments))


def entries(kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the readable records of earlier sittings within a record."""
    return rows_of(kept.get("away"))


def rows(kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all choices in a record: its own first, then those of earlier sittings."""
    return [row for each in (kept, *entries(kept)) for row in rows_of(each.get("choices"))]


def _names(kept: Mapping[str, Any]) -> set[Name]:
    """Return the hunks that a record covers: those in its `about` if it has one, else those it says anything about."""
    if isinstance(about := kept.get("about"), list):
        told = [tuple(each) for each in about if isinstance(each, list)]
        return {each for each in told if [type(part) for part in each] == [str, int]}
    some = [row for row in rows_of(kept.get("choices")) if "words" not in row] + rows_of(kept.get("places"))
    return {name for row in some if (name := _name(row)) is not None}


def _name(row: Mapping[str, Any]) -> Name | None:
    path, number = row.get("path"), row.get("sum")
    return (path, number) if isinstance(path, str) and isinstance(number, int) else None


def _about(kept: Mapping[str, Any], wanted: set[Name]) -> dict[str, list[dict[str, Any]]]:
    """Return a record's rows about the `wanted` hunks; empty if it has none."""
    places = rows_of(kept.get("places"))
    choices = [
        row
        for row in rows_of(kept.get("choices"))
        if (wanted & _made_of(row, places) if "words" in row else _name(row) in wanted)
    ]
    comments = [row for row in rows_of(kept.get("comments")) if _nearest(row, places) in wanted]
    paths = {row.get("path") for row in (*choices, *comments)}
    around = [row for row in places if row.get("path") in paths]
    return {"choices": choices, "comments": comments, "places": around} if paths else {}


def _made_of(row: Mapping[str, Any], places: Iterable[Mapping[str, Any]]) -> set[Name]:
    """Return the hunks from which a recorded hunk was cut, joined or edited."""
    at, lines = _span(row)
    spans = [(each, *_span(each)) for each in places if each.get("path") == row.get("path")]
    found = {_name(each) for each, start, size in spans if start <= at + lines and at <= start + size}
    return {each for each in found if each is not None}


def _span(row: Mapping[str, Any]) -> tuple[int, int]:
    """Return a hunk's place in the old file and the number of lines it removes; unreadable ones touch nothing."""
    at, lines = row.get("at"), row.get("lines")
    return (at, lines) if isinstance(at, int) and isinstance(lines, int) else (-2, -1)


def _nearest(said: Mapping[str, Any], places: Iterable[Mapping[str, Any]]) -> Name | None:
    """Return the hunk nearest to a comment."""
    line, side = said.get("line"), "at" if said.get("gone") else "new"
    mine = [each for each in places if each.get("path") == said.get("path") and isinstance(each.get(side), int)]
    if not mine or not isinstance(line, int):
        return None
    return _name(min(mine, key=lambda each: abs(int(each[side]) + 1 - line)))


def _merged(whole: Sequence[Decision], owners: Sequence[int], recalled: Sequence[Sequence[Decision]]) -> list[Decision]:
    """Take the choices about each hunk from the record that owns it; skip those that span hunks of several records."""
    ends = [each.hunk.at + len(each.hunk.old) for each in whole]
    found: list[Decision] = []
    covered: set[int] = set()
    for owner, choices in enumerate(recalled):
        for each in choices:
            touched, at = [], bisect_left(ends, each.hunk.at)
            while at < len(whole) and whole[at].hunk.at <= each.hunk.at + len(each.hunk.old):
                touched.append(at)
                at += 1
            if touched and all(owners[one] == owner for one in touched):
                found.append(each)
                covered.update(touched)
    found += [each for at, each in enumerate(whole) if at not in covered]
    return sorted(found, key=lambda each: (each.hunk.at, each.hunk.new_at))


def _said(said: Iterable[Comment], path: str, whole: Sequence[Decision], mine: Sequence[bool]) -> list[Comment]:
    """Return the comments on a file whose nearest hunk is one of `mine`."""
    found = []
    for each in said:
        if each.path == path and whole:
            starts = [one.hunk.old_start if each.gone else one.hunk.new_start for one in whole]
            nearest = min(range(len(whole)), key=lambda at: abs(starts[at] - each.line))
            if mine[nearest]:
                found.append(each)
    return found
