"""Choosing the one place of an edit by what the edit itself says, and explaining why there is none or more than one."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from assistant.edits import elision, suspect
from assistant.edits.compare import changes
from assistant.edits.draft import spliced
from assistant.edits.edit import Candidate
from assistant.edits.refusal import QUOTE, Refusal
from assistant.edits.seek import Found, Index, Wish, bare, lead, nearest, strictly
from assistant.edits.text import cut
from assistant.edits.variants import seek

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assistant.edits.draft import Draft
    from assistant.edits.edit import Edit

_QUOTED = 40
_CLOSER = re.compile(r"^\s*(?:[\]})]+[;,]?|end|fi|done|esac)\s*$")
_LITERALS = (".go", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".vue", ".svelte")
AFTER = {
    "trailing blanks": "ignoring blanks at line ends",
    "blank lines at the ends": "leaving out blank lines at its ends",
    "indentation": "shifting its indentation to that of the file",
    "tabs and blanks": "turning its indentation into that of the file",
    "typography": "making its quotes and dashes plain",
    "HTML escapes": "undoing its HTML escapes",
    "line numbers": "taking off its line numbers",
    "elision": "keeping what it leaves out",
    "blanks in context": "ignoring blanks in lines that stay",
    "near": "mending a slip of two letters in lines that stay",
    "line number given": "going to the line that it names",
    "anchor": "going below the line that it names",
    "first below the anchor": "going to the first place below the line that it names, of several",
    "end of file": "going to the end of the file",
    "the order of edits": "leaving out places that an earlier edit has changed",
    "every place": "doing it at each place, as often as the reply says it",
}


def halves(edit: Edit) -> Wish:
    """Split an edit into the lines to find and the new lines, without a byte order mark."""
    old, new = ([bare(line) for line in cut(part.removeprefix("\ufeff"))] for part in (edit.before, edit.after))
    return Wish(old, new, signed=edit.format in {"unified_diff", "apply_patch"})


def anywhere(index: Index, wanted: Wish) -> bool:
    """Whether the lines to find stand in the file at all."""
    return bool(seek(index, wanted))


def find(edit: Edit, draft: Draft, wanted: Wish, said: int) -> list[Found]:
    """Return the place of an edit, or several if the reply says it as often; empty if there is none.

    Raises Refusal if places cannot be told apart, or if the file already says what the edit would write.
    """
    index = draft.index
    found = strictly(index, wanted)
    if not found:
        if _stands_already(index, wanted):
            raise Refusal("already", f"{draft.path} already says what the edit at line {edit.reply_line} would write.")
        found = seek(index, wanted)
    if len(found) > 1:
        places = {place.start for place in found if place.rung != "gappy"}
        told = _told_apart(edit, draft, found, said)
        if len(places) == len(found) or (len(told) == 1 and told[0].start in places):
            found = told
    if len(found) > 1 and found[0].rung != "every place":
        raise _ambiguous(edit, draft, found)
    if len(found) == 1:
        if edit.at is not None and found[0].start + 1 != edit.at:
            draft.miscounts = True
        same = wanted.old != wanted.new and list(found[0].new) == index.lines[found[0].start : found[0].end]
        if same or _inserted_before(index, found[0]):
            raise Refusal("already", f"{draft.path} already says what the edit at line {edit.reply_line} would write.")
        if wanted.old != wanted.new and found[0].old == found[0].new:
            words = f"{draft.path}: the edit at line {edit.reply_line} of the reply changes nothing but blanks at line ends, and the file has others than it says."
            raise Refusal("malformed", words)
        there = index.lines[found[0].start : found[0].end]
        slides = _slides(found[0], there) if edit.format == "edit_block" else ""  # the signs of a diff tell which
        if slides:
            words = f"{draft.path}: which of the lines {QUOTE} keeps the blanks at its end (line {edit.reply_line} of the reply) cannot be told."
            raise Refusal("malformed", words, quote=slides)
        if edit.format == "edit_block" and _swallows_blank(found[0]):
            words = f"{draft.path}: whether a blank line at the start of the search (line {edit.reply_line} of the reply) shall go cannot be told."
            raise Refusal("malformed", words)
        suspect.unbroken(edit, draft, found[0].new)
        if found[0].rung == "tabs and blanks" and _in_literal(draft.path, found[0]):
            words = f"{draft.path}: the edit at line {edit.reply_line} of the reply is indented otherwise than the file, and whether the blanks in its literal are meant cannot be told."
            raise Refusal("malformed", words)
    return found


def why_not(edit: Edit, draft: Draft, wanted: Wish) -> Refusal:
    """Say why an edit has no place."""
    new = [line for line in wanted.new if line.strip()]
    later = draft.so_far()
    states = [draft.index, *([later.index] if later is not None else [])]
    if new and any(index.places(wanted.new, "trailing blanks", str.rstrip) for index in states):
        return Refusal("already", f"{draft.path} already says what the edit at line {edit.reply_line} would write.")
    if elision.notes(wanted.old) or elision.notes(wanted.new):
        words = f"{draft.path}: the edit at line {edit.reply_line} leaves lines out, and where its parts belong cannot be told."
        return Refusal("elided", words, near_by(draft.path, draft.index, wanted.old))
    return lost(edit, draft.path, draft.index)


def lost(edit: Edit, path: str, index: Index) -> Refusal:
    """Return the refusal of lines that are not in the file, with the nearest lines."""
    old = halves(edit).old
    first = next((line.strip() for line in old if line.strip()), "")
    words = (
        f"{path}: the lines to change (line {edit.reply_line} of the reply, they begin {QUOTE}) are not in the file."
    )
    near = near_by(path, index, old)
    if near:
        words += f" The nearest stand at line {near[0].start}."
    return Refusal("not_found", words, near, quote=first)


def near_by(path: str, index: Index, old: list[str]) -> tuple[Candidate, ...]:
    """Return the places most like some lines."""
    return tuple(candidate(path, index, start, end, like) for start, end, like in nearest(index, old) if like >= 0.3)


def candidate(path: str, index: Index, start: int, end: int, likeness: float) -> Candidate:
    """Quote a place of a file."""
    lines = index.lines[start : min(end, start + _QUOTED)]
    return Candidate(path, start + 1, start + len(lines), "".join(line + "\n" for line in lines), likeness)


def _ambiguous(edit: Edit, draft: Draft, found: list[Found]) -> Refusal:
    where = ", ".join(str(place.start + 1) for place in found[:6]) + (", ..." if len(found) > 6 else "")
    words = f"{draft.path}: the lines to change (line {edit.reply_line} of the reply) stand at {len(found)} places (lines {where})."
    shown = tuple(candidate(draft.path, draft.index, place.start, place.end, 1.0) for place in found[:4])
    return Refusal("ambiguous", words, shown)


def _told_apart(edit: Edit, draft: Draft, found: list[Found], said: int) -> list[Found]:
    """Narrow the places down by what the edit says: an anchor, the end of the file, its line number, earlier edits."""
    if edit.anchors:
        return _below_anchors(edit, draft, found, said)
    if edit.at_end:
        last = [place for place in found if place.end == len(draft.index.lines)]
        if len(last) == 1:
            return [replace(last[0], rung="end of file")]
    if edit.at is not None and not draft.miscounts:
        named = [place for place in found if place.start + 1 == edit.at]
        # The line number may count in the edits above: then another place may be the one that is meant.
        moved = sum(len(each.lines) - each.end + each.start for each in draft.splices if each.start < edit.at)
        if named and not (moved and any(place.start + 1 == edit.at - moved for place in found)):
            return [replace(named[0], rung="line number given")]
    if said > 1:
        if said == len(found) and not any(spliced(draft, place.start, place.end) for place in found):
            apart = all(a.end <= b.start for a, b in pairwise(found))
            return [replace(place, rung="every place") for place in found] if apart else found
        return found
    free = [place for place in found if not spliced(draft, place.start, place.end)]
    return [replace(free[0], rung="the order of edits")] if len(free) == 1 else found


def _below_anchors(edit: Edit, draft: Draft, found: list[Found], said: int) -> list[Found]:
    """Narrow the places down by an edit's anchors; of several in the block they name, the notation means the first.

    Source: codex's apply_patch looks for a hunk's lines from its anchor downwards and takes the first place that has them.
    """
    inside, blocks = _anchored(edit.anchors, draft.index, found)
    if not inside:
        inside = _behind(edit.anchors[-1].strip(), draft.index, found)
    if len(inside) == 1:
        return [replace(inside[0], rung="anchor")]
    if blocks == 1 and said == 1 and not any(spliced(draft, place.start, place.end) for place in inside):
        return [replace(inside[0], rung="first below the anchor")]
    return found


def _anchored(anchors: tuple[str, ...], index: Index, found: list[Found]) -> tuple[list[Found], int]:
    """Return the places inside the block of the anchors, in order, and how many such blocks hold them.

    The last anchor names the block, and those before it enclose it; if the last occurs only once, they need only be
    above it.
    """
    named = index.where("stripped", str.strip).get(anchors[-1].strip(), [])
    if len(named) == 1 and len(anchors) > 1:
        above = iter(index.read("stripped", str.strip)[: named[0]])
        anchors = anchors[-1:] if all(anchor.strip() in above for anchor in anchors[:-1]) else anchors
    for same in (_is, _begins):
        heads = [_below(anchors, index.lines, place.start, same) for place in found]
        inside = [place for place, head in zip(found, heads, strict=True) if head is not None]
        if inside:
            return inside, len({head for head in heads if head is not None})
    return [], 0


def _behind(anchor: str, index: Index, found: list[Found]) -> list[Found]:
    """Return the places after an anchor that occurs once in the file, unless a line like the anchor stands between.

    So a comment above the next function may be named by the function before it, as in the headers of git's hunks.
    """
    for same in (_is, _begins):
        heads = [at for at, line in enumerate(index.lines) if same(line, anchor)]
        if heads:
            break
    if len(heads) != 1:
        return []
    head = index.lines[heads[0]]
    sign = _first(head), len(lead(head))
    behind = [place for place in found if place.start > heads[0]]
    between = index.lines[heads[0] + 1 : behind[0].start] if behind else []
    return behind if not any((_first(line), len(lead(line))) == sign for line in between if line.strip()) else []


def _is(line: str, anchor: str) -> bool:
    return line.strip() == anchor


def _begins(line: str, anchor: str) -> bool:
    rest = line.strip()[len(anchor) :]
    return line.strip().startswith(anchor) and not (rest[:1].isalnum() or rest[:1] == "_")


def _below(anchors: tuple[str, ...], lines: list[str], start: int, same: Callable[[str, str], bool]) -> int | None:
    """Return the innermost anchor's line, if its block holds `start` and each outer anchor's block the inner one."""
    head = at = start
    for number, anchor in enumerate(reversed(anchors)):
        if not number and same(lines[at], anchor.strip()):
            continue  # the lines to find begin with the anchor itself
        above = _block_head(anchor.strip(), lines, at, same)
        if above is None:
            return None
        at = above
        head = head if number else above
    return head


def _block_head(anchor: str, lines: list[str], start: int, same: Callable[[str, str], bool]) -> int | None:
    """Return the anchor line whose block holds the line `start` (0-based); None if there is none.

    A block ends at a line further left that is more than a closing bracket, and at a line as far left that begins like
    the anchor.
    """
    shallowest = len(lead(lines[start]))
    begun: set[tuple[str, int]] = set()
    for at in range(start - 1, -1, -1):
        line = lines[at]
        if not line.strip():
            continue
        depth = len(lead(line))
        if same(line, anchor):
            return at if depth <= shallowest and (_first(line), depth) not in begun else None
        if not _CLOSER.match(line):
            shallowest = min(shallowest, depth)
        begun.add((_first(line), depth))
    return None


def _first(line: str) -> str:
    words = re.match(r"\s*(\w+|\W)", line)
    return words[1] if words else ""


def _stands_already(index: Index, wanted: Wish) -> bool:
    """Say whether the new lines are there already, with some of the lines to find still around them."""
    told = [line for line in wanted.new if line.strip()]
    if not told or not index.places(wanted.new, "trailing blanks", str.rstrip):
        return False
    shared = {line.strip() for line in wanted.old if line.strip()} & {line.strip() for line in told}
    return bool(shared) or len(told) >= 3


def _inserted_before(index: Index, found: Found) -> bool:
    """Say whether the new lines already stand around the lines to find: the insertion was made before."""
    extra = len(found.new) - len(found.old)
    if extra <= 0:
        return False
    have = index.read("stripped", str.strip)
    want = [line.strip() for line in found.new]
    return any(have[start : start + len(want)] == want for start in range(max(0, found.start - extra), found.start + 1))


def _swallows_blank(found: Found) -> bool:
    """Say whether the search begins with one blank line more than the new lines, which begin alike otherwise."""
    more, kept = _blanks(found.old), _blanks(found.new)
    if found.rung == "exact" and found.old[1:] == found.new:
        return False  # it is the only change of the edit, so it is meant
    if not kept:
        return more > 0 and bool(found.new) and len(found.old) > more
    return more == kept + 1 and found.old[more:][:1] == found.new[kept:][:1] != ()


def _slides(found: Found, there: Sequence[str]) -> str:
    """Return a line with trailing spaces only in the file, if it is unclear which of several equal lines has them.

    Added or removed lines that begin or end with a line equal to their neighbour may as well stand on its other side.
    """
    old, new = found.old, found.new
    odd = {at for at, line in enumerate(old) if line.strip() and line == there[at].rstrip() != there[at]}
    for a, b, c, d in changes(old, new) if odd else ():
        if a == b:
            up = takewhile(lambda by: old[a - by] == new[d - by], range(1, a + 1))  # noqa: B023 - used up at once
            down = takewhile(lambda by: old[a + by] == new[c + by], range(len(old) - a))  # noqa: B023
        elif c == d:
            up = takewhile(lambda by: old[a - by] == old[b - by], range(1, a + 1))  # noqa: B023
            down = takewhile(lambda by: old[a + by] == old[b + by], range(len(old) - b))  # noqa: B023
        else:
            continue
        slid = [*(a - by for by in up), *(a + by for by in down)]
        either = next((at for at in slid if at in odd or (c == d and at + b - a in odd)), None)
        if either is not None:
            return old[either]
    return ""


def _blanks(lines: Sequence[str]) -> int:
    """How many lines at the start are blank."""
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))


def _in_literal(path: str, found: Found) -> bool:
    """Say whether new lines that were re-indented stand in a literal between backticks, where spaces are text."""
    if not path.endswith(_LITERALS):
        return False
    open_ = False
    old = {line.strip() for line in found.old}
    for line in found.new:
        if open_ and line[:1] in {" ", "\t"} and line.strip() not in old:
            return True
        open_ ^= line.count("`") % 2 == 1
    return False
