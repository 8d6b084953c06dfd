"""The rows of a patch view: which block stands where, and what each of its rows shows.

A block is a file's header, a hunk, a misfit or an edit on its way. Heights are known without drawing anything up, so that
a patch of thousands of hunks opens at once; rows are made when they come into sight.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from assistant.edits.compare import changes
from assistant.tui.diff_lines import emphasis, facing, hides, line_ends, plain, runs, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.patch import Line
    from assistant.tui.diff_lines import Size, Span
    from assistant.tui.review import Entry, Review

Tone = Literal["", "head", "dim", "good", "bad", "added", "removed", "warning"]


@dataclass(frozen=True, slots=True)
class Gap:
    """An empty row."""


@dataclass(frozen=True, slots=True)
class FileHead:
    """The header of a file: its index in the patch."""

    file: int


@dataclass(frozen=True, slots=True)
class HunkHead:
    """The header of a hunk."""


@dataclass(frozen=True, slots=True)
class Code:
    """A line of a hunk: index into its lines."""

    index: int


@dataclass(frozen=True, slots=True)
class Both:
    """Two facing lines; None where a side has nothing."""

    left: int | None
    right: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """A comment of the user on the line above it: index into the entry's comments."""

    index: int


@dataclass(frozen=True, slots=True)
class Words:
    """Text of our own."""

    tone: Tone
    text: str


Row = Gap | FileHead | HunkHead | Code | Both | Said | Words


@dataclass(eq=False)
class Block:
    """Rows that belong together. `entry` is set for a hunk, `stop` where the cursor can stand."""

    height: int
    rows: tuple[Row, ...] | None = None
    entry: Entry | None = None
    size: Size | None = None
    stop: bool = False
    number: int = 0
    _emphasis: dict[int, dict[int, tuple[Span, ...]]] = field(default_factory=dict)
    _ends: dict[int, str] | None = None
    _hides: bool | None = None

    def emphasis(self, index: int) -> tuple[Span, ...]:
        """Return what differs inside one line of the hunk from its counterpart."""
        if self.entry is None:
            return ()
        lines = self.entry.hunk.lines
        if not self._emphasis:
            self._emphasis[-1] = {}
            for gone, come in runs(lines):
                # A run is compared when one of its lines is first drawn: all of them share this dictionary till then.
                shared: dict[int, tuple[Span, ...]] = {}
                for each in (*gone, *come):
                    self._emphasis[each] = shared
                self._runs[gone.start] = (gone, come)
                self._starts.update(dict.fromkeys((*gone, *come), gone.start))
        start = self._starts.get(index)
        if start is not None and start in self._runs:
            self._emphasis[index].update(emphasis(lines, self._runs.pop(start)))
        return self._emphasis.get(index, {}).get(index, ())

    _runs: dict[int, tuple[range, range]] = field(default_factory=dict)
    _starts: dict[int, int] = field(default_factory=dict)

    def end_shown(self, index: int) -> str:
        """Return what must be said of a line's end, "" for nothing."""
        if self._ends is None:
            self._ends = line_ends(self.entry.hunk) if self.entry else {}
        return self._ends.get(index, "")

    @property
    def hides(self) -> bool:
        """Whether the hunk holds characters that cannot be seen."""
        if self._hides is None:
            self._hides = self.entry is not None and hides(self.entry.hunk)
        return self._hides


def block_of(entry: Entry, *, side_by_side: bool, number: int) -> Block:
    """Return the block of one hunk."""
    measured = size(entry.hunk)
    lines = measured.lines
    if side_by_side:
        hunk = entry.hunk
        apart = set(hunk.old).isdisjoint(hunk.new)
        around = len(hunk.above) + len(hunk.below)
        lines = around + max(len(hunk.old), len(hunk.new)) if apart else len(facing(hunk.lines))
    return Block(1 + lines + len(entry.comments), entry=entry, size=measured, stop=True, number=number)


def rows_of(block: Block, *, side_by_side: bool) -> tuple[Row, ...]:
    """Return the rows of a block, made on first use."""
    if block.rows is None:
        block.rows = _hunk_rows(block.entry, side_by_side=side_by_side) if block.entry else ()
    return block.rows


def _hunk_rows(entry: Entry, *, side_by_side: bool) -> tuple[Row, ...]:
    lines = entry.hunk.lines
    waiting = {number: index for index, (number, _) in enumerate(entry.comments)}
    rows: list[Row] = [HunkHead()]
    shown: Iterable[Row] = (
        (Both(left, right) for left, right in facing(lines)) if side_by_side else (Code(i) for i in range(len(lines)))
    )
    for row in shown:
        rows.append(row)
        for index in (row.index,) if isinstance(row, Code) else (row.right, row.left) if isinstance(row, Both) else ():
            said = waiting.pop(number_of(lines[index]), None) if waiting and index is not None else None
            if said is not None:
                rows.append(Said(said))
    rows += [Said(index) for index in waiting.values()]
    return tuple(rows)


def number_of(line: Line) -> int:
    """Return the number by which a comment names a line: of the file before for what goes, else of the file after."""
    return (line.old if line.kind == "-" else line.new) or 0


def patch_blocks(review: Review, *, side_by_side: bool) -> list[Block]:
    """Return the blocks of a patch: each file's header and its hunks."""
    blocks: list[Block] = []
    file = -1
    for number, entry in enumerate(review.entries, 1):
        if entry.file != file:
            rows: tuple[Row, ...] = (FileHead(entry.file),) if file < 0 else (Gap(), FileHead(entry.file))
            file = entry.file
            blocks.append(Block(len(rows), rows))
        blocks.append(block_of(entry, side_by_side=side_by_side, number=number))
    return blocks


_WISHES = {
    "replace": "change",
    "insert": "insert",
    "whole": "write",
    "create": "create",
    "delete": "delete",
    "rename": "rename",
    "mode": "change the mode of",
}


def edit_block(edit: Edit) -> Block:
    """Return an edit as the model wrote it, before its place is looked for."""
    old, new = edit.before.split("\n")[:-1], edit.after.split("\n")[:-1]
    rows: list[Row] = []
    ranges = changes(old, new)
    gone, come = sum(b - a for a, b, _, _ in ranges), sum(d - c for _, _, c, d in ranges)
    counts = f"  +{come} \N{MINUS SIGN}{gone}" if old or new else ""
    target = f" \N{RIGHTWARDS ARROW} {plain(edit.new_path)}" if edit.new_path else ""
    rows.append(Words("head", f"\N{LOWER RIGHT PENCIL} {_WISHES[edit.action]} {plain(edit.path)}{target}{counts}"))
    done = 0
    for a, b, c, d in ranges:
        rows += [Words("dim", f"  {plain(line)}") for line in old[done:a]]
        rows += [Words("removed", f"- {plain(line)}") for line in old[a:b]]
        rows += [Words("added", f"+ {plain(line)}") for line in new[c:d]]
        done = b
    rows += [Words("dim", f"  {plain(line)}") for line in old[done:]]
    return Block(len(rows), tuple(rows))


_REASONS = {
    "not_found": "the text to change is not in the file",
    "ambiguous": "several places fit",
    "no_file": "the file does not exist",
    "exists": "the file exists already",
    "outside": "the path may not be written",
    "incomplete": "the edit was cut short",
    "malformed": "it cannot be read as an edit",
    "elided": "it leaves out text that is needed",
    "conflict": "it overlaps an earlier edit of the same reply",
    "unreadable": "the file cannot be read as text",
    "already": "the file already says so",
}
_QUOTED = 12


def misfit_blocks(misfits: Sequence[Misfit]) -> list[Block]:
    """Return the edits that found no place, each with why and the nearest lines, under one header."""
    if not misfits:
        return []
    some = "1 edit" if len(misfits) == 1 else f"{len(misfits)} edits"
    head = (Gap(), Words("bad", f"{some} found no place. The other hunks can be taken without {_it(misfits)}."))
    blocks = [Block(len(head), head)]
    for misfit in misfits:
        edit = misfit.edit
        rows: list[Row] = [
            Words("bad", f"\N{BALLOT X} {plain(edit.path) or '(no path)'}: {_REASONS[misfit.reason]}"),
        ]
        rows += [Words("", f"  {plain(line)}") for line in misfit.message.splitlines()]
        rows.append(Words("dim", f"  The edit stands at line {edit.reply_line} of the reply."))
        rows += _quoted("It looks for:", edit.before, "removed", "- ")
        for place in misfit.candidates:
            rows += _quoted(
                f"Nearest, lines {place.start} to {place.end} ({place.likeness:.0%} alike):", place.text, "", "  "
            )
        blocks.append(Block(len(rows), tuple(rows), stop=True))
    return blocks


def _it(misfits: Sequence[Misfit]) -> str:
    return "it" if len(misfits) == 1 else "them"


def _quoted(title: str, text: str, tone: Tone, sign: str) -> list[Row]:
    lines = text.splitlines()
    if not lines:
        return []
    rows: list[Row] = [Words("dim", f"  {title}")]
    rows += [Words(tone, f"  {sign}{plain(line)}") for line in lines[:_QUOTED]]
    if len(lines) > _QUOTED:
        rows.append(Words("dim", f"  … {len(lines) - _QUOTED} more lines"))
    return rows


class Layout:
    """Blocks one below the other, found by row."""

    def __init__(self, blocks: list[Block]) -> None:
        self.blocks = blocks
        self.starts = [0, *accumulate(block.height for block in blocks)]
        self.stops = [index for index, block in enumerate(blocks) if block.stop]

    @property
    def height(self) -> int:
        """Rows in all."""
        return self.starts[-1]

    def find(self, row: int) -> tuple[int, int]:
        """Return the index of the block that holds a row, and the row's offset in it."""
        index = bisect_right(self.starts, row) - 1
        return index, row - self.starts[index]
