"""What the mouse selects among hunks: of hunks the code, without numbers and signs; elsewhere, what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assistant.tui import hunk_lines
from assistant.tui.hunk_rows import FOOT
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.selection import Selection
    from textual.strip import Strip

    from assistant.edits.patch import Hunk
    from assistant.tui.hunk_rows import Row


class _Words(NamedTuple):
    """The part of a row that can be selected: a stretch of a text, and the column at which it is drawn."""

    text: str
    column: int
    first: int
    last: int
    hunk: int = -1
    line: int = -1

    def within(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return the part of a selection's columns that lies within it; -1 is the end of the row."""
        end = self.column + self.last - self.first
        first, last = span
        return min(max(first, self.column), end), end if last == -1 else max(self.column, min(last, end))


_NO_WORDS = _Words("", 0, 0, 0)


class Selectable(NamedTuple):
    """The rows that can be selected, at a width in cells; `draw` returns one of them as it is seen."""

    rows: Sequence[Row]
    hunks: Sequence[Hunk]
    width: int
    draw: Callable[[int], Strip]

    def columns(self, selection: Selection, index: int) -> tuple[int, int] | None:
        """Return the columns of a row that a selection covers, end exclusive; None if it covers none."""
        span = selection.get_span(index)
        return None if span is None else self._words_at(index, self._side(selection)).within(span)

    def text(self, selection: Selection) -> str:
        """Return the selected text, wrapped lines as one.

        Side by side, it is the text of the side on which the selection begins. A line that is selected from beginning
        to end is as the file has it, any other as it is shown, with tabs as spaces.
        """
        side, found = self._side(selection), list[_Words]()
        for index in range(len(self.rows) - FOOT):
            span = selection.get_span(index)
            here = self._words_at(index, side) if span is not None else _NO_WORDS
            if span is None or here is _NO_WORDS:
                continue
            first, last = (each - here.column + here.first for each in here.within(span))
            if found and here.line >= 0 and (found[-1].hunk, found[-1].line) == (here.hunk, here.line):
                found[-1] = found[-1]._replace(last=last)
            else:
                found.append(here._replace(first=first, last=last))
        return "\n".join(map(self._said_by, found))

    def _side(self, selection: Selection) -> int:
        """Say on which of two sides a selection begins: 0 left, 1 right."""
        start = selection.start
        if start is None or not 0 <= start.y < len(self.rows) or self.rows[start.y].beside is None:
            return 0
        return int(start.x > self._middle(start.y))

    def _middle(self, index: int) -> int:
        """Return how many characters of a two-column row are in the left column."""
        return len(self.draw(index).crop(0, (self.width - 1) // 2).text)

    def _words_at(self, index: int, side: int) -> _Words:
        """Return the part of a row that can be selected."""
        row = self.rows[index]
        if row.hunk < 0 or row.line < 0:
            text = self.draw(index).text.rstrip()
            return _Words(text, 0, 0, len(text))
        column, line, part = 0, row.line, row.part
        if row.beside is not None:
            cell = row.beside[side]
            if cell is None:
                return _NO_WORDS
            column, (line, part) = (self._middle(index) + 1) * side, cell
        hunk = self.hunks[row.hunk]
        return _Words(hunk_lines.texts(hunk)[line], column + hunk_lines.gutter(hunk), *part, row.hunk, line)

    def _said_by(self, found: _Words) -> str:
        """Return the words of a selection; a whole line as the file has it."""
        if found.line >= 0:
            line = self.hunks[found.hunk].lines[found.line]
            shown = safe(line.text)
            if found.first == 0 and found.last >= len(shown):
                return line.text
            return shown[found.first : found.last]
        return found.text[found.first : found.last]
