"""Paint for the patch view: a row and what is known about it become a strip of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from assistant.tui.diff_lines import plain, reveal
from assistant.tui.patch_rows import Both, Code, FileHead, HunkHead, Said, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assistant.edits.patch import FilePatch, Hunk, Line
    from assistant.tui.patch_rows import Block, Row

PALETTE = (
    "file", "hunk", "added", "removed", "added-part", "removed-part", "added-sign", "removed-sign", "number",
    "taken", "skipped", "open", "faded", "bar", "bar-away", "bad", "warning", "comment", "odd", "found", "key", "hint",
    "empty",
)  # fmt: skip
"""The component classes of the patch view, without their prefix."""

Syntax = tuple[tuple[int, int, Style], ...]
"""Coloured ranges of one raw line."""

_MARKS = {"take": ("✓", "taken"), "skip": ("✗", "skipped"), "": ("·", "open")}
_TONES = {
    "": "", "head": "hunk", "dim": "faded", "good": "taken", "bad": "bad", "added": "added", "removed": "removed",
    "warning": "warning",
}  # fmt: skip
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Frame:
    """What all rows of one frame share: width in cells, columns scrolled off, digits of the line numbers."""

    width: int
    left: int
    digits: int
    current: bool
    focused: bool
    needle: str = ""

    @property
    def columns(self) -> int:
        """How many columns of line numbers there is room for."""
        return 2 if self.width >= 72 else 1 if self.width >= 30 else 0


class Painter:
    """Draws rows with one palette. `syntax` gives the coloured ranges of a hunk's lines, by index."""

    def __init__(
        self, palette: dict[str, Style], base: Style, syntax: Callable[[Hunk, int], Syntax] | None = None
    ) -> None:
        self.palette = palette
        self.base = base
        self.syntax = syntax

    def style(self, name: str) -> Style:
        """Return a style of the palette on the ground of the view."""
        return self.base + self.palette[name] if name else self.base

    def row(self, block: Block, row: Row, frame: Frame, file: FilePatch | None) -> Strip:
        """Draw one row below the first of the file headers."""
        match row:
            case HunkHead() if block.entry:
                return self.hunk_head(block, frame)
            case Code(index) if block.entry:
                return self._unified(block, index, frame)
            case Both(left, right) if block.entry:
                return self._facing(block, left, right, frame)
            case Said(index) if block.entry:
                words = plain(block.entry.comments[index][1].replace("\n", " ⏎ "))
                return self._line([self._bar(frame), ("  ❯ ", "comment"), (words, "comment")], frame, "comment")
            case Words(tone, text):
                return self._words(text, _TONES[tone], frame, mark=block.stop)
            case FileHead() if file is not None:
                return self._line([(" " + file_title(file), "file")], frame, "file")
            case _:
                return Strip.blank(frame.width, self.base)

    def file_head(
        self, file: FilePatch, counts: tuple[int, int], marks: Sequence[str], frame: Frame, *, stale: bool
    ) -> Strip:
        """Draw the header of a file: its name, what comes and goes, and how far the review is."""
        added, removed = counts
        what = "new file" if file.before is None else "deleted" if file.after is None else ""
        left = [(" " + file_title(file), "file")]
        if what:
            left.append((f"  {what}", "hint"))
        if stale:
            left.append(("  ⚠ changed on disk", "warning"))
        right = [(f"+{added}", "added-sign"), (" ", "hint"), (f"{_MINUS}{removed}", "removed-sign")]
        taken, skipped = marks.count("take"), marks.count("skip")
        if taken or skipped:
            done = f"{taken} of {len(marks)} taken" if not skipped else f"{taken} taken, {skipped} skipped"
            right = [(f"{done}  ", "hint"), *right]
        return self._sides(left, [*right, (" ", "file")], frame, "file")

    def hunk_head(self, block: Block, frame: Frame, within: str = "", *, total: int = 0) -> Strip:
        """Draw the header of a hunk: its mark, its lines, what comes and goes, and what it lies in."""
        entry, measured = block.entry, block.size
        if entry is None or measured is None:
            return Strip.blank(frame.width, self.base)
        sign, tone = _MARKS[entry.mark]
        name = "hunk" if frame.current else "faded"
        left = [self._bar(frame), (f"{sign} ", tone), (where(entry.hunk), name)]
        if measured.added or measured.removed:
            left.append((f"  +{measured.added}", "added-sign"))
            left.append((f" {_MINUS}{measured.removed}", "removed-sign"))
        for shown, flag, style in (
            (entry.edited, "edited", "comment"),
            (entry.part, "part", "faded"),
            (block.hides, "⚠ invisible characters", "warning"),
        ):
            if shown:
                left.append((f"  {flag}", style))
        if within:
            left.append((f"  {plain(within)}", "faded"))
        right = [(f"{block.number}/{total} ", "faded")] if total else []
        return self._sides(left, right, frame, "")

    def _bar(self, frame: Frame) -> tuple[str, str]:
        return ("▌", "bar" if frame.focused else "bar-away") if frame.current else (" ", "")

    def _words(self, text: str, tone: str, frame: Frame, *, mark: bool) -> Strip:
        bar = self._bar(frame) if mark else (" ", "")
        return self._line([bar, (text, tone)], frame, tone if tone in {"added", "removed"} else "")

    def _line(self, parts: Sequence[tuple[str, str]], frame: Frame, ground: str) -> Strip:
        segments = [Segment(text, self.style(name)) for text, name in parts if text]
        return self._fit(Strip(segments), frame.width, self.style(ground))

    def _fit(self, strip: Strip, width: int, ground: Style) -> Strip:
        if strip.cell_length <= width:
            return strip.extend_cell_length(width, ground)
        faded = Style(color=self.style("faded").color, bgcolor=ground.bgcolor)
        return Strip(
            [*strip.crop(0, max(0, width - 1)).adjust_cell_length(max(0, width - 1), ground), Segment("…", faded)]
        )

    def _sides(
        self, left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]], frame: Frame, ground: str
    ) -> Strip:
        room = sum(cell_len(text) for text, _ in right)
        if room + 12 > frame.width:
            right, room = (), 0
        start = self._line(left, Frame(frame.width - room, 0, 0, frame.current, frame.focused), ground)
        return Strip([*start, *(Segment(text, self.style(ground) + self.style(name)) for text, name in right)])

    def _unified(self, block: Block, index: int, frame: Frame) -> Strip:
        hunk = block.entry.hunk if block.entry else None
        if hunk is None:
            return Strip.blank(frame.width, self.base)
        line = hunk.lines[index]
        if frame.columns == 2:
            numbers = f"{line.old or '':>{frame.digits}} {line.new or '':>{frame.digits}} "
        elif frame.columns == 1:
            numbers = f"{(line.old if line.kind == '-' else line.new) or '':>{frame.digits}} "
        else:
            numbers = ""
        return Strip(
            [*self._gutter(line, numbers, frame), *self._code(block, index, frame, frame.width - 3 - len(numbers))]
        )

    def _facing(self, block: Block, left: int | None, right: int | None, frame: Frame) -> Strip:
        half = (frame.width - 1) // 2
        segments: list[Segment] = []
        for index, width, old in ((left, half, True), (right, frame.width - half - 1, False)):
            line = block.entry.hunk.lines[index] if block.entry and index is not None else None
            side = Frame(width, frame.left, frame.digits, frame.current and old, frame.focused, frame.needle)
            if line is None or index is None:
                bar = Segment(self._bar(side)[0], self.style(self._bar(side)[1]))
                segments += [bar, Segment("╱" * (width - 1), self.style("empty"))]
            else:
                number = f"{(line.old if old else line.new) or '':>{frame.digits}} "
                segments += self._gutter(line, number, side)
                segments += self._code(block, index, side, width - 3 - len(number))
            if old:
                segments.append(Segment(" ", self.base))
        return Strip(segments)

    def _gutter(self, line: Line, numbers: str, frame: Frame) -> list[Segment]:
        ground = _ground(line.kind)
        bar, tone = self._bar(frame)
        sign = {"+": "+", "-": _MINUS}.get(line.kind, " ")
        return [
            Segment(bar, self.style(tone)),
            Segment(numbers, self.style("number") + self._tint(ground)),
            Segment(f"{sign} ", self.style(f"{ground}-sign") + self._tint(ground) if ground else self.base),
        ]

    def _tint(self, ground: str) -> Style:
        return Style(bgcolor=self.palette[ground].bgcolor) if ground else Style.null()

    def _code(self, block: Block, index: int, frame: Frame, width: int) -> list[Segment]:
        hunk = block.entry.hunk if block.entry else None
        if hunk is None or width <= 0:
            return []
        line = hunk.lines[index]
        ground = _ground(line.kind)
        skipped = block.entry is not None and block.entry.mark == "skip"
        style = self.style(ground)
        shown = reveal(line.text)
        layers: list[tuple[int, int, Style]] = []
        if self.syntax is not None and not skipped:
            layers += [(shown.place(a), shown.place(b), tone) for a, b, tone in self.syntax(hunk, index)]
        if ground:
            part = self.palette[f"{ground}-part"]
            layers += [(shown.place(a), shown.place(b), part) for a, b in block.emphasis(index)]
            blank = len(line.text) - len(line.text.rstrip(" \t"))
            if blank and line.kind == "+" and line.text.strip():
                layers.append((shown.place(len(line.text) - blank), len(shown.text), self.palette["odd"]))
        layers += [(a, b, self.palette["odd"]) for a, b in shown.odd]
        if frame.needle:
            layers += [(a, b, self.palette["found"]) for a, b in occurrences(shown.text, frame.needle)]
        if skipped:
            layers.append((0, len(shown.text), Style(color=self.style("faded").color)))
        segments = _layered(shown.text, style, layers)
        note = f" … {shown.cut:,} more characters" if shown.cut else ""
        end = block.end_shown(index)
        if end:
            note += f" ⏎ {end}"
        if note:
            segments.append(Segment(note, style + Style(color=self.style("warning").color)))
        strip = Strip(segments)
        length = strip.cell_length
        strip = strip.crop(frame.left, frame.left + width) if length > frame.left else Strip([])
        out = list(strip.adjust_cell_length(width, style))
        if length > frame.left + width:
            tail = Strip(out).crop(0, width - 1).adjust_cell_length(width - 1, style)
            out = [*tail, Segment("›", style + Style(color=self.style("faded").color))]
        return out


def _ground(kind: str) -> str:
    return {"+": "added", "-": "removed"}.get(kind, "")


def _layered(text: str, style: Style, layers: list[tuple[int, int, Style]]) -> list[Segment]:
    """Cut text where styles change; later layers lie on top."""
    if not layers:
        return [Segment(text, style)] if text else []
    cuts = sorted({0, len(text), *(min(max(0, at), len(text)) for a, b, _ in layers for at in (a, b))})
    segments = []
    for a, b in zip(cuts, cuts[1:], strict=False):
        tone = style
        for start, end, layer in layers:
            if start <= a and b <= end:
                tone += layer
        segments.append(Segment(text[a:b], tone))
    return segments


def occurrences(text: str, needle: str) -> list[tuple[int, int]]:
    """Return where a text holds a needle, without regard to case."""
    low, small = text.casefold(), needle.casefold()
    found, at = [], low.find(small)
    while at >= 0 and small:
        found.append((at, at + len(small)))
        at = low.find(small, at + len(small))
    return found


def file_title(file: FilePatch) -> str:
    """Return a file's name, old and new for a rename."""
    return plain(file.path) + (f" → {plain(file.target)}" if file.target != file.path else "")


def where(hunk: Hunk) -> str:
    """Say in words which lines a hunk is about."""
    if hunk.kind in {"rename", "mode"}:
        return plain(hunk.note)
    if hunk.kind == "create":
        return "new file" if hunk.new else "new empty file"
    if hunk.kind == "delete":
        return "delete file"
    first, count = hunk.at + 1, len(hunk.old)
    if not count:
        return f"after line {hunk.at}" if hunk.at else "at the top"
    return f"line {first}" if count == 1 else f"lines {first}–{first + count - 1}"
