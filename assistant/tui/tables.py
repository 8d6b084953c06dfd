"""Tables of an answer: columns that fit the screen, cells wrapped in theirs; if too narrow, a block for each row."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from assistant.tui.lines import hanging, wrap
from assistant.tui.markdown import Piece, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BETWEEN = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$")
_CELL_ENDS = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_GAP, _CROSS, _LIGHT = " │ ", "─┼─", "╌┼╌"
_RULES = "note"
_DECIDE = 100
"""Rows that decide how wide the columns are: a wider cell below is wrapped, else each one would redraw all rows."""
_MOST_COLUMNS = 64
_LEAST, _LONGEST_WORD = 8, 24
"""Fewest cells of a column, and the longest word for which a column is still made as wide."""
_INDENT, _ROOM = 2, 4

Parts = list[Piece]


class _Layout(NamedTuple):
    """The widths of the columns; none if each row becomes a block. `whole`: nothing is wrapped."""

    columns: tuple[int, ...]
    whole: bool


class Table:
    """The columns of a table, which grow with its rows, and how a row is drawn.

    Rows are counted from the head, which is row 0; the line below it is row 1.
    """

    __slots__ = ("_aligns", "_heads", "_laid", "_natural", "_words", "rows")

    def __init__(self, head: str, between: str) -> None:
        self._heads = _cells(head)
        self._aligns = [(cell.startswith(":"), cell.endswith(":")) for cell in _cells(between)]
        self._natural = [0] * len(self._heads)
        self._words = [0] * len(self._heads)
        self._laid: tuple[int, _Layout] | None = None
        self.rows = 1
        self.take(head)

    def take(self, text: str) -> None:
        """Count one more row, and widen the columns to its cells."""
        self.rows += 1
        self._widen(text)
        if self.rows == _DECIDE:  # rows below are wrapped, which takes some room
            self._natural, self._laid = [max(_ROOM, size) for size in self._natural], None

    def foresee(self, text: str) -> None:
        """Widen the columns to what has come of the next row, without its last cell: that may still grow."""
        self._widen(text[: text.rfind("|") + 1])

    def _widen(self, text: str) -> None:
        if self.rows > _DECIDE:
            return
        for at, cell in enumerate(self._row(text)):
            for parts in _broken(cell, ""):
                words = "".join(piece.text for piece in parts)
                size = cell_len(words)
                if size > self._natural[at]:
                    self._natural[at], self._laid = size, None
                word = max(map(cell_len, words.split()), default=0)
                if word > self._words[at]:
                    self._words[at], self._laid = word, None

    def look(self, width: int) -> object:
        """Return a value that stays equal as long as the rows so far look the same on a screen of this width."""
        layout = self._layout(width)
        return layout if layout.columns else (layout, self.rows > 2)

    def lines(self, text: str, row: int, width: int) -> list[Parts]:
        """Return the lines of the screen that a row takes, each at most `width` cells wide."""
        layout = self._layout(width)
        if not layout.columns:
            return self._block(text, row, width)
        if row == 1:
            return [[_rule(layout.columns, _CROSS)]]
        found = [] if row < 3 or layout.whole else [[_rule(layout.columns, _LIGHT)]]
        style = "" if row else "strong"
        cells = [
            [line for parts in _broken(cell, style) for line in _wrapped(parts, size)]
            for cell, size in zip(self._row(text), layout.columns, strict=True)
        ]
        for at in range(max(map(len, cells))):
            line: Parts = []
            for column, size in enumerate(layout.columns):
                if column:
                    line.append(Piece(_GAP, _RULES))
                self._put(line, column, cells[column][at] if at < len(cells[column]) else [], size)
            found.append(line)
        return found

    def _row(self, text: str) -> list[str]:
        """Return as many cells as there are columns; extra cells of a row stay in the last one."""
        most = len(self._heads)
        cells = _cells(text)
        if len(cells) > most and len(guarded := _cells(text, code=True)) <= most:  # an unescaped bar in `code`
            cells = guarded
        if len(cells) > most:
            cells = [*cells[: most - 1], " | ".join(cells[most - 1 :])]
        return cells + [""] * (most - len(cells))

    def _layout(self, width: int) -> _Layout:
        if self._laid is None or self._laid[0] != width:
            self._laid = width, _fit(self._natural, self._words, width - len(_GAP) * (len(self._heads) - 1))
        return self._laid[1]

    def _put(self, line: Parts, column: int, parts: Parts, size: int) -> None:
        """Append a line of a cell to a row's line, with spaces as the column is aligned."""
        left, right = self._aligns[column] if column < len(self._aligns) else (False, False)
        blank = size - sum(cell_len(piece.text) for piece in parts)
        before = blank // 2 if left and right else blank if right else 0
        if before > 0:
            line.append(Piece(" " * before))
        line += parts
        if blank > before:
            if line and not line[-1].style:  # one piece less to draw, and to keep
                line.append(Piece(line.pop().text + " " * (blank - before)))
            else:
                line.append(Piece(" " * (blank - before)))

    def _block(self, text: str, row: int, width: int) -> list[Parts]:
        """Draw a row as a block of its cells, each after the name of its column."""
        if row < 2:  # each block has the names; until there is one, they stand side by side
            names = [Piece(" · ".join(filter(None, self._heads)), "strong")]
            return _wrapped(names, width) if row == 0 and self.rows == 2 else []
        found: list[Parts] = [] if row == 2 else [[Piece("─" * min(width, 24), _RULES)]]
        for head, cell in zip(self._heads, self._row(text), strict=True):
            if not cell:
                continue
            first, *more = _broken(cell, "")
            name = [*pieces(head, "strong"), Piece(": ", "strong")] if head else []
            for at, parts in enumerate(([*name, *first], *more)):
                for number, line in enumerate(_wrapped(parts, max(_ROOM, width - _INDENT))):
                    found.append([Piece(" " * _INDENT), *line] if at or number else line)
        return found


def begins(head: str, between: str) -> bool:
    """Say whether two lines are the head of a table and the line below it."""
    if "|" not in head or not is_between(between):
        return False
    count, below = len(_cells(head)), len(_cells(between))
    barred = is_barred(head) and is_barred(between)
    return count <= _MOST_COLUMNS and (barred or count == below > 1)


def is_barred(text: str) -> bool:
    """Say whether a line begins with a bar, as the rows of most tables do."""
    return text.lstrip().startswith("|")


def is_between(text: str) -> bool:
    """Say whether a line is the one between the head of a table and its rows."""
    return "|" in text and "-" in text and _BETWEEN.match(text.strip()) is not None


def _fit(natural: Sequence[int], words: Sequence[int], room: int) -> _Layout:
    """Return the widths of the columns: narrow ones keep theirs, wide ones share the rest; words stay whole."""
    if sum(natural) <= room:
        return _Layout(tuple(natural), whole=True)
    least = [min(size, max(_LEAST, min(word, _LONGEST_WORD))) for size, word in zip(natural, words, strict=True)]
    if sum(least) > room:
        return _Layout((), whole=False)

    def upto(level: int) -> list[int]:
        return [max(first, min(size, level)) for first, size in zip(least, natural, strict=True)]

    level = bisect_right(range(room + 1), room, key=lambda level: sum(upto(level))) - 1
    found, more = upto(level), upto(level + 1)
    for at in range(len(found)):
        if sum(found) < room:
            found[at] = more[at]
    return _Layout(tuple(found), whole=False)


def _rule(columns: Sequence[int], cross: str) -> Piece:
    return Piece(cross.join(cross[0] * size for size in columns), _RULES)


def _cells(text: str, *, code: bool = False) -> list[str]:
    """Cut a row into its cells; with `code`, bars inside code do not end a cell."""
    bare = text.strip().removeprefix("|")
    bare = bare[:-1] if bare.endswith("|") and not bare.endswith("\\|") else bare
    spans = [match.span() for match in _CODE.finditer(bare)] if code else []
    found, first = [], 0
    for match in _CELL_ENDS.finditer(bare):
        at = match.start()
        if not any(start < at < end for start, end in spans):
            found.append(bare[first:at])
            first = at + 1
    return [cell.strip().replace("\\|", "|") for cell in (*found, bare[first:])]


def _broken(cell: str, style: str) -> list[Parts]:
    """Return the lines of a cell: a <br> tag breaks them, as Markdown has no other way."""
    return [list(pieces(part.strip(), style)) for part in _BREAK.split(cell)]


def _wrapped(parts: Parts, width: int) -> list[Parts]:
    """Wrap the pieces of one line; continued lines are indented below its list sign."""
    text = "".join(piece.text for piece in parts)
    ranges = wrap(text, width)
    if len(ranges) == 1:
        return [parts]
    lead = [Piece(" " * hanging(text, width))] if hanging(text, width) else []
    return [[*(lead if first else []), *_cut(parts, first, last)] for first, last in ranges]


def _cut(parts: Parts, first: int, last: int) -> Iterator[Piece]:
    at = 0
    for piece in parts:
        some = piece.text[max(0, first - at) : max(0, last - at)]
        if some:
            yield Piece(some, piece.style)
        at += len(piece.text)
