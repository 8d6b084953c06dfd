"""The words about hunks that have lost their place: which do not fit any more, why, and the ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assistant.edits.edit import Misfit
    from assistant.edits.hunk import Hunk
    from assistant.edits.lost import Lost


def places(lost: Iterable[Lost], hunks: Sequence[Hunk]) -> list[int]:
    """Return the places of lost hunks among the hunks in sight, from 0."""
    gone = {each.hunk for each in lost}
    return [place for place, hunk in enumerate(hunks) if hunk in gone]


def hint(lost: Sequence[Lost], hunks: Sequence[Hunk]) -> str:
    """Say in one line that nothing was written, why, and which keys lead on."""
    found = places(lost, hunks)
    them = "them" if len(found) > 1 else "it"
    ways = [_skip(found)] if len(found) < len(hunks) else []
    ways += [f"r sends {them} back"] if any(each.misfit.mendable for each in lost) else []
    return f"not written: {_which(found)}{'; ' if ways else ''}{', '.join(ways)}"


def above(why: str, lost: Sequence[Lost], hunks: Sequence[Hunk], price: str) -> list[tuple[str, str]]:
    """Return the lines above the hunks, each with its style: why, which, and what `r` would do at which price."""
    found = places(lost, hunks)
    if not found:
        return []
    them = "them" if len(found) > 1 else "it"
    skip = f" {_skip(found)}: then the rest can be written." if len(found) < len(hunks) else ""
    lines = [(f"{why} Nothing was written: {_which(found)}.{skip}", "warning")]
    if any(each.misfit.mendable for each in lost):
        lines.append((f"r sends {them} back to the model, with the lines as they are now{price}", "note"))
    return lines


def beside(lost: Iterable[Lost], hunk: Hunk) -> str:
    """Say why one hunk has lost its place and, if so, why it is not sent back; empty if it has a place."""
    misfit = next((each.misfit for each in lost if each.hunk == hunk), None)
    if misfit is None:
        return ""
    return f"does not fit any more: {misfit.words}{f' {misfit.hint}' if misfit.private else ''}"


def nothing_back(misfits: Iterable[Misfit]) -> str:
    """Say why nothing goes back to the model."""
    why = next((each.private for each in misfits if each.private), "")
    return f"not sent back: {why}" if why else "r sends back what does not fit, and all of this has a place"


def next_place(lost: Iterable[Lost], hunks: Sequence[Hunk], at: int) -> int:
    """Return the place of the next lost hunk from hunk `at` on, going on at the start; `at` if there is none."""
    found = places(lost, hunks)
    return next((place for place in found if place >= at), found[0] if found else at)


def _skip(found: Sequence[int]) -> str:
    return f"n skips {'each' if len(found) > 1 else 'it'}"


def _which(found: Sequence[int]) -> str:
    names = ", ".join(str(place + 1) for place in found)
    return f"hunks {names} do not fit any more" if len(found) > 1 else f"hunk {names} does not fit any more"
