"""Hunks of a patch that have lost their place because their file changed after the patch was made, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assistant.edits import text
from assistant.edits.edit import Candidate, Edit, Misfit
from assistant.edits.merge import clashes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.edits.edit import Action, MisfitReason
    from assistant.edits.merge import Clash
    from assistant.edits.patch import FilePatch, Hunk

_AROUND = 3
"""Lines quoted above and below the changed ones to a model that shall place the edit again."""


class Lost(NamedTuple):
    """A hunk without a place, and the edit that a model would be asked to place; `misfit.words` says why."""

    hunk: Hunk
    misfit: Misfit


def find(file: FilePatch, hunks: Sequence[Hunk], data: bytes | None) -> tuple[Lost, ...]:
    """Return the hunks that have no place in the file's current `data` (None: the file is gone), top to bottom."""
    if data == file.before or not hunks:
        return ()
    if data is None or file.before is None or file.after is None:
        reason: MisfitReason = "no_file" if data is None else "exists" if file.before is None else "not_found"
        return tuple(_lost(hunk, reason, file.became(data)) for hunk in hunks)
    kept = file.keep(hunks).after
    found = clashes(file.before, kept, data) if kept is not None else ()
    if not found:
        return ()
    # The hunks overlap with later changes: assign each change to the hunks that contain it, or else to all hunks.
    mine = [(hunk, [each for each in found if _holds(hunk, each)]) for hunk in hunks]
    now = [text.show(line) for line in text.split_lines(data)]
    return tuple(_changed(hunk, some, now) for hunk, some in mine if some) or tuple(
        _changed(hunk, found, now) for hunk in hunks
    )


def _holds(hunk: Hunk, clash: Clash) -> bool:
    """Say whether a change of ours that has no place belongs to a hunk, at least in part."""
    at, end = hunk.at, hunk.at + len(hunk.old)
    if at == end or clash.first == clash.stop:  # pure insertions stand between two lines
        return at <= clash.stop and clash.first <= end
    return at < clash.stop and clash.first < end


def _changed(hunk: Hunk, found: Sequence[Clash], now: Sequence[str]) -> Lost:
    """Say which lines of the file were changed, and show them as they are `now`."""
    first, last = found[0].start, max(each.end for each in found)
    start, end = max(1, first - _AROUND), min(len(now), last + _AROUND)
    near = Candidate(hunk.path, start, end, _text(now[start - 1 : end]), 1.0)
    lines = f"line {first} of {hunk.path} was" if first == last else f"lines {first}-{last} of {hunk.path} were"
    return _lost(hunk, "not_found", f"{lines} changed since the patch was made.", near)


def _lost(hunk: Hunk, reason: MisfitReason, words: str, *near: Candidate) -> Lost:
    old, new = ([text.show(line) for line in (*hunk.above, *side, *hunk.below)] for side in (hunk.old, hunk.new))
    number = hunk.origins[0].edit if hunk.origins else 1
    action: Action = "create" if hunk.kind == "create" else "delete" if hunk.kind == "delete" else "replace"
    return Lost(hunk, Misfit(Edit(action, hunk.path, _text(old), _text(new), number), reason, words, near))


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
