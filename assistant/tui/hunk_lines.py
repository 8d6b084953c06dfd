"""A hunk as lines of the screen: signs, numbers, syntax colours, and the words that differ inside a changed line."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment

from assistant import visible
from assistant.tui.highlight import spans
from assistant.tui.lines import strip, styled, wrap
from assistant.visible import safe

if TYPE_CHECKING:
    from rich.style import Style
    from textual.strip import Strip

    from assistant.edits.patch import Hunk, Line
    from assistant.tui.highlight import Spans
    from assistant.tui.theme import Theme

_KINDS = {"+": "added", "-": "removed", " ": "context"}
_WORD = r"\w+|\s+|[^\w\s]"
_ALIKE = 0.4
_LONGEST_PAIR = 400
_END = "  (no line end)"


class Shown(NamedTuple):
    """The lines of a hunk ready to be drawn: their words made safe, and their colours."""

    lines: tuple[Line, ...]
    words: tuple[str, ...]
    spans: tuple[Spans, ...]


@lru_cache(maxsize=256)
def texts(hunk: Hunk) -> tuple[str, ...]:
    """Return the lines of a hunk as they are shown, control characters made visible."""
    return tuple(safe(line.text) + ("" if line.ended else _END) for line in hunk.lines)


@lru_cache(maxsize=256)
def doubts(hunk: Hunk) -> tuple[str, ...]:
    """Say why the new lines of a hunk, or its path, may not be what they look like."""
    return visible.doubts("\n".join([hunk.path, *(line.text for line in hunk.lines if line.kind == "+")]))


def heights(hunk: Hunk, width: int) -> list[list[tuple[int, int]]]:
    """Return how each line of a hunk is wrapped at a width: ranges of its words, one for each line of the screen."""
    room = width - gutter(hunk)
    return [wrap(text, room) for text in texts(hunk)]


def gutter(hunk: Hunk) -> int:
    """Return the width of numbers and signs in cells."""
    return len(str(max((line.new or line.old or 0 for line in hunk.lines), default=0))) + 4


def show(hunk: Hunk, theme: Theme) -> Shown:
    """Colour a hunk: each side is read as source of its own, and what differs inside paired lines stands out."""
    lines, words = hunk.lines, texts(hunk)
    colours: list[Spans] = [[] for _ in lines]
    for side in ("-", "+"):
        mine = [index for index, line in enumerate(lines) if line.kind in {side, " "}]
        for index, found in zip(mine, spans([words[i] for i in mine], hunk.path, theme.syntax), strict=True):
            colours[index] = found
    for old, new in _pairs(lines):
        gone, come = _differing(words[old], words[new])
        colours[old] = _over(colours[old], gone, theme["removed_part"])
        colours[new] = _over(colours[new], come, theme["added_part"])
    return Shown(lines, words, tuple(colours))


def draw(shown: Shown, index: int, part: tuple[int, int], theme: Theme, gutter: int, width: int) -> Strip:
    """Draw one line of the screen: a stretch of a hunk's line after its number and sign."""
    line, text = shown.lines[index], shown.words[index]
    base = theme[_KINDS[line.kind]]
    first, last = part
    number = str((line.new if line.kind != "-" else line.old) or "") if not first else ""
    sign = line.kind if not first else " "
    head = [Segment(f"{number:>{gutter - 3}} ", theme["gutter"]), Segment(f"{sign} ", base)]
    body = styled(text, shown.spans[index], base, first, last)
    return strip([*head, *body], width, base)


class Cell(NamedTuple):
    """A stretch of a hunk's line in one of two columns."""

    line: int
    part: tuple[int, int]


def draw_beside(shown: Shown, left: Cell | None, right: Cell | None, theme: Theme, gutter: int, width: int) -> Strip:
    """Draw a stretch of an old line and one of a new line side by side."""
    half = (width - 1) // 2
    return strip(
        [
            *_cell(shown, left, theme, gutter, half, old=True),
            Segment("│", theme["gutter"]),
            *_cell(shown, right, theme, gutter, width - 1 - half, old=False),
        ],
        width,
    )


def _cell(shown: Shown, cell: Cell | None, theme: Theme, gutter: int, width: int, *, old: bool) -> list[Segment]:
    if cell is None:
        return [Segment(" " * width)]
    line, (first, last) = shown.lines[cell.line], cell.part
    base = theme[_KINDS[line.kind]]
    number = str((line.old if old else line.new) or "") if not first else ""
    sign = line.kind if not first else " "
    head = [Segment(f"{number:>{gutter - 3}} ", theme["gutter"]), Segment(f"{sign} ", base)]
    body = styled(shown.words[cell.line], shown.spans[cell.line], base, first, last)
    return list(strip([*head, *body], width, base))


def beside(hunk: Hunk, width: int) -> list[tuple[Cell | None, Cell | None]]:
    """Lay a hunk out in two columns, long lines wrapped in each: context on both sides, removed lines beside added ones."""
    half, words = (width - 1) // 2, texts(hunk)
    rows: list[tuple[Cell | None, Cell | None]] = []
    for pair in _beside(hunk.lines):
        room = half - gutter(hunk)
        left, right = (
            [Cell(index, part) for part in wrap(words[index], room)] if index is not None else [] for index in pair
        )
        rows += zip_longest(left, right)
    return rows


def _beside(lines: tuple[Line, ...]) -> list[tuple[int | None, int | None]]:
    rows: list[tuple[int | None, int | None]] = []
    for old, new in _runs(lines):
        if not new and old and lines[old[0]].kind == " ":
            rows += [(index, index) for index in old]
            continue
        size = max(len(old), len(new))
        rows += [(old[at] if at < len(old) else None, new[at] if at < len(new) else None) for at in range(size)]
    return rows


def _runs(lines: tuple[Line, ...]) -> list[tuple[list[int], list[int]]]:
    """Cut a hunk into runs: (context, nothing) or (removed, added)."""
    runs: list[tuple[list[int], list[int]]] = []
    kind = ""
    for index, line in enumerate(lines):
        context = line.kind == " "
        if not runs or context != (kind == " ") or (line.kind == "-" and kind == "+"):
            runs.append(([], []))
        runs[-1][1 if line.kind == "+" else 0].append(index)
        kind = line.kind
    return runs


def _pairs(lines: tuple[Line, ...]) -> list[tuple[int, int]]:
    """Pair removed lines with the added lines that replace them, if both runs have the same length."""
    return [pair for old, new in _runs(lines) if new and len(old) == len(new) for pair in zip(old, new, strict=True)]


def _differing(old: str, new: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the stretches that differ between two lines; none if the lines have little in common."""
    if max(len(old), len(new)) > _LONGEST_PAIR:
        return [], []
    a, b = re.findall(_WORD, old), re.findall(_WORD, new)
    match = SequenceMatcher(None, a, b, autojunk=False)
    if match.ratio() < _ALIKE:
        return [], []
    starts_a, starts_b = _starts(a), _starts(b)
    codes = [code for code in match.get_opcodes() if code[0] != "equal"]
    return (
        [(starts_a[i1], starts_a[i2]) for _, i1, i2, _, _ in codes if i1 != i2],
        [(starts_b[j1], starts_b[j2]) for _, _, _, j1, j2 in codes if j1 != j2],
    )


def _starts(words: list[str]) -> list[int]:
    found = [0]
    for word in words:
        found.append(found[-1] + len(word))
    return found


def _over(under: Spans, ranges: list[tuple[int, int]], style: Style) -> Spans:
    """Lay one style over some ranges of a line's colours."""
    for first, last in ranges:
        kept: Spans = []
        for start, end, colour in under:
            if start < first:
                kept.append((start, min(end, first), colour))
            if end > last:
                kept.append((max(start, last), end, colour))
        under = sorted([*kept, (first, last, style)], key=lambda span: span[0])
    return under
