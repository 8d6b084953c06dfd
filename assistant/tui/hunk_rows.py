"""The rows in the view of hunks: heads, lines of hunks, and our own words. Nothing here knows the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assistant.tui import hunk_lines, lost_lines
from assistant.tui.lines import cut, longest, wrap
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.journal import Preview
    from assistant.edits.lost import Lost
    from assistant.edits.patch import Hunk
    from assistant.edits.review import Review

BESIDE_FROM = 100
"""Columns from which there is room for old and new side by side."""
FOOT = 2
"""Lines at the bottom for decisions and keys."""
_MARKS = {"take": ("✓ take", "taken"), "skip": ("✗ skip", "skipped"), "": ("·", "range")}
_UNDO_KEYS = (
    "y n  Enter {way}  q back",
    "y take  n leave  Enter {way}  q back",
    "y take  n leave  a/d file  A/X all  Enter {way}es what is taken  q back",
)
_KEYS = (
    "y n  Enter write  ? keys",
    "y take  n skip  e edit  c comment  Enter write  ? keys",
    "y take  n skip  u unmark  s split  e edit  c comment  a/d file  A/X all  Enter write  q back  ? keys",
)
_NOWHERE = hunk_lines.Cell(0, (0, 0))


class Subject(NamedTuple):
    """What is decided about: a review, misfits and doubtful edits of the reply, and where it all came from.

    With a preview, it is the review of an undo or redo: what is taken is undone, or redone. `tell` says where one hunk
    comes from; `turn` is the turn that proposed the hunks, 0 if none did.
    """

    review: Review | None = None
    misfits: tuple[Misfit, ...] = ()
    origin: str = ""
    doubts: tuple[Misfit, ...] = ()
    turn: int = 0
    preview: Preview | None = None
    tell: Callable[[Hunk], str] | None = None

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """The hunks in sight."""
        return tuple(choice.hunk for choice in self.review.choices) if self.review else ()


class Trouble(NamedTuple):
    """What went wrong since: hunks that lost their place and why, why nothing was done, the price of sending back."""

    lost: tuple[Lost, ...] = ()
    why: str = ""
    refused: str = ""
    price: str = ""

    def left(self, review: Review | None) -> tuple[Lost, ...]:
        """Return the hunks that have lost their place and are not skipped."""
        skipped = review.skipped if review is not None else ()
        return tuple(each for each in self.lost if each.hunk not in skipped)


class Row(NamedTuple):
    """One line of the screen: of a hunk (its line, and the stretch of it), or our own words.

    A hunk without a line is the head of that hunk.
    """

    hunk: int = -1
    line: int = -1
    part: tuple[int, int] = (0, 0)
    words: str = ""
    style: str = "context"
    beside: tuple[hunk_lines.Cell | None, hunk_lines.Cell | None] | None = None

    @property
    def lines(self) -> set[int]:
        """The lines of the hunk that are in this row."""
        return {cell.line for cell in self.beside if cell is not None} if self.beside else {self.line}


def lay_out(
    subject: Subject, trouble: Trouble, coming: Sequence[Edit], width: int, *, beside: bool
) -> tuple[list[Row], list[int]]:
    """Return all rows at a width in cells, with room for the foot below, and the places of the heads among them."""
    rows: list[Row] = []
    heads: list[int] = []
    hunks, left = subject.hunks, trouble.left(subject.review)
    if subject.origin and subject.review is not None:
        rows += _told(subject.origin, "note", width)
        for doubt in subject.doubts:
            rows += _told(doubt.words, "warning", width)
    if trouble.refused:
        rows += _told(trouble.refused, "warning", width)
    for words, style in lost_lines.above(trouble.why, left, hunks, trouble.price):
        rows += _told(words, style, width)
    lost = sum(each.reason != "already" for each in subject.misfits)
    if lost and hunks:
        words = f"{lost} edit{'s' if lost > 1 else ''} of the reply found no place: below the last hunk"
        rows += _told(words, "warning", width)
    path = ""
    for index, hunk in enumerate(hunks):
        if hunk.path != path:
            path = hunk.path
            rows.append(_file(subject.review, [each for each in hunks if each.path == path]))
        heads.append(len(rows))
        rows.append(Row(index))
        if why := lost_lines.beside(trouble.lost, hunk):
            rows += _told(why, "warning", width)
        for each in hunk_lines.doubts(hunk):
            rows += _told(f"! {each}", "warning", width)
        found = _hunk_rows(index, hunk, width, beside=beside)
        rows += _commented(hunk, said(subject.review, index), found, width)
    rows += _misfit_rows(subject.misfits, width)
    if any(each.mendable for each in subject.misfits) and not left:
        words = f"r sends what does not fit back to the model, with the nearest lines{trouble.price}"
        rows += _told(words, "note", width)
    rows += [row for edit in coming for row in coming_rows(edit)]
    if not rows:
        words = "No hunks wait for you. Ask for a change: what you type goes to the composer, q leads there."
        rows.append(Row(words=words, style="note"))
    return rows + [Row()] * FOOT, heads  # room for the keys, which stay in sight


def _file(review: Review | None, mine: Sequence[Hunk]) -> Row:
    """Make the row that names the file of some hunks, with what happens to it."""
    path, kind = mine[0].path, mine[0].kind
    what = "" if kind == "change" else f"  {kind}"
    if kind == "create" and _is_program(review, path):
        what += ", executable"
    counts = f"+{sum(each.added for each in mine)} -{sum(each.removed for each in mine)}"
    return Row(words=f"{path}  {counts}{what}", style="file")


def _is_program(review: Review | None, path: str) -> bool:
    """Say whether a new file will be executable."""
    files = review.patch.files if review is not None else ()
    return any(each.target == path and (each.mode_after or 0) & 0o111 for each in files)


def _hunk_rows(index: int, hunk: Hunk, width: int, *, beside: bool) -> list[Row]:
    if beside and width >= BESIDE_FROM:
        return [
            Row(index, (right or left or _NOWHERE).line, beside=(left, right))
            for left, right in hunk_lines.beside(hunk, width)
        ]
    found = hunk_lines.heights(hunk, width)
    return [Row(index, line, part) for line, parts in enumerate(found) for part in parts]


def _misfit_rows(misfits: Sequence[Misfit], width: int) -> list[Row]:
    """Make rows for what found no place and why, and for what is there already."""
    rows: list[Row] = []
    for misfit in misfits:
        done = misfit.reason == "already"
        near = "; ".join(f"{each.path}:{each.start}-{each.end}" for each in misfit.candidates[:2])
        words = f"{'is there' if done else 'does not fit'}: {misfit.message}{f' Near: {near}' if near else ''}"
        words += f" {misfit.hint}" if misfit.private else ""
        rows += _told(words, "note" if done else "warning", width)
    return rows


def said(review: Review | None, index: int) -> dict[int, str]:
    """Return the user's comments on the lines of a hunk, by line; a hunk without lines counts as one line."""
    if review is None or not review.comments:
        return {}
    lines = range(max(1, len(review.choices[index].hunk.lines)))
    return {line: words for line in lines if (words := review.commented(index, line))}


def _commented(hunk: Hunk, comments: dict[int, str], rows: list[Row], width: int) -> list[Row]:
    """Put the user's comments below their lines."""
    ends = {line: at + 1 for at, row in enumerate(rows) for line in row.lines}
    indent = " " * (hunk_lines.gutter(hunk) - 2)
    for line, words in sorted(comments.items(), key=lambda each: -ends.get(each[0], 0)):
        at = ends.get(line, 0)
        told = [" ".join(line.split()) for line in words.splitlines()]
        rows[at:at] = [row for line in told if line for row in _told(f"{indent}# {line}", "ticked", width)]
    return rows


def _told(words: str, style: str, width: int) -> list[Row]:
    """Make rows of our own words, wrapped; continued lines are indented."""
    rows: list[Row] = []
    for line in map(safe, words.split("\n")):
        parts = wrap(line, max(4, width - 2))
        rows += [Row(words=("  " if first or rows else "") + line[first:last], style=style) for first, last in parts]
    return rows


def coming_rows(edit: Edit) -> list[Row]:
    """Show an edit that has no place yet: the lines it removes and adds."""
    name = f"{edit.path} -> {edit.new_path}" if edit.new_path else edit.path
    rows = [Row(words=f"{name}  {edit.action}, line {edit.reply_line} of the reply", style="file")]
    for kind, lines in (("removed", edit.before), ("added", edit.after)):
        sign = "-" if kind == "removed" else "+"
        shown = lines.split("\n")[:-1]
        rows += [Row(words=f"  {sign} {line}", style=kind) for line in shown[:40]]
        if len(shown) > 40:
            rows.append(Row(words=f"    ... {len(shown) - 40:,} more lines", style="note"))
    return rows


class Head(NamedTuple):
    """The words above a hunk, each with its style: the decision, and then its place and why it may not be meant."""

    words: str
    style: str
    rest: str
    rest_style: str


def head(subject: Subject, trouble: Trouble, index: int) -> Head:
    """Say about one hunk what is decided, how many comments it has, where it is, and what is doubtful about it."""
    review = subject.review
    assert review is not None  # noqa: S101 - there are no hunks without a review
    choice = review.choices[index]
    hunk = choice.hunk
    mark, style = _MARKS[choice.mark]
    count = len(said(review, index))
    comments = f", {count} comment{'s' if count > 1 else ''}" if count else ""
    words = f"{index + 1}/{len(review.choices)} {mark}{' as edited' if choice.edited else ''}{comments}"
    rungs = f"  matched by {', '.join(hunk.rungs)}" if hunk.rungs else ""
    lines = {each.edit.reply_line for each in subject.doubts}
    doubted = any(each.edit in lines for each in hunk.origins)
    rungs = f"  may not be meant{rungs}" if doubted else rungs
    if any(gone.hunk == hunk for gone in trouble.lost):
        doubted, rungs = True, f"  does not fit any more{rungs}"
    return Head(words, style, f"  {hunk.header}{rungs}", "warning" if doubted else "range")


def foot(subject: Subject, hint: str, width: int, *, here: bool) -> list[str]:
    """Say what is decided and which keys there are, or the hint; long words take all lines of the foot.

    `here` says that the hunks have the keys.
    """
    review, preview = subject.review, subject.preview
    assert review is not None  # noqa: S101 - there are no hunks without a review
    sums = len(review.taken), len(review.skipped), len(review.undecided)
    start = f" {' '.join(f'{sign}{count}' for sign, count in zip('✓✗·', sums, strict=True) if count)}  "
    sets = [each.format(way=preview.way) for each in _UNDO_KEYS] if preview else [*_KEYS]
    if not here:
        sets = ["F2 leads to these hunks"]
    words = start + (hint or longest(sets, width - len(start)))
    parts = wrap(words, width)
    lines = [words[first:last] for first, last in parts[: FOOT - 1]]
    lines += [words[first:] for first, _ in parts[FOOT - 1 : FOOT]]
    return [cut(each, width) for each in lines]
