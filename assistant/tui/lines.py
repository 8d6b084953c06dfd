"""Words as lines of the screen: control characters made visible, wide characters counted, long lines wrapped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assistant.tui.highlight import Spans


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Cut one line into ranges of at most `width` cells, at spaces if there are any; spaces at a cut are left out."""
    width = max(4, width)
    if len(text) <= width and (text.isascii() or cell_len(text) <= width):
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    indent = _indent(text)
    first = 0
    for match in re.finditer(r"[^ ]+", text):
        start, end = match.span()
        if cell_len(text[first:end]) <= _room(width, first, indent):
            continue
        if start > first and text[first:start].strip(" "):
            found.append((first, len(text[:start].rstrip(" "))))
            first = start
        while cell_len(text[first : min(end, first + 4 * width)]) > (room := _room(width, first, indent)):
            size = len(chop_cells(text[first : min(end, first + 4 * width)], room)[0])
            found.append((first, first + max(1, size)))
            first += max(1, size)
    found.append((first, len(text)))
    return found


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" •"))


def hanging(text: str, width: int) -> int:
    """Return by how many cells the continued lines of a wrapped line are indented."""
    return min(_indent(text), max(4, width) // 2)


def _room(width: int, first: int, indent: int) -> int:
    """Return the room for a range: continued lines are drawn below the first one's indentation."""
    return width - (min(indent, width // 2) if first else 0)


def wrapped(text: str, spans: Spans, base: Style, width: int) -> list[Strip]:
    """Draw one line as strips of exactly `width` cells; continued lines keep the indentation."""
    indent = hanging(text, width)
    strips = []
    for first, last in wrap(text, width):
        lead = " " * indent if first else ""
        strips.append(strip(styled(text, spans, base, first, last, lead), width, base))
    return strips


def styled(
    text: str, spans: Spans, base: Style, first: int = 0, last: int | None = None, lead: str = ""
) -> list[Segment]:
    """Cut a stretch of a line into segments."""
    last = len(text) if last is None else last
    found = [Segment(lead, base)] if lead else []
    at = first
    for start, end, style in spans:
        if end <= at or start >= last:
            continue
        if start > at:
            found.append(Segment(text[at:start], base))
        found.append(Segment(text[max(at, start) : min(end, last)], base + style))
        at = min(end, last)
    if at < last:
        found.append(Segment(text[at:last], base))
    return found


def strip(segments: Iterable[Segment], width: int, fill: Style | None = None) -> Strip:
    """Make one line of the screen, cut or filled to `width` cells."""
    fill = fill if fill is not None and fill.bgcolor else None
    return Strip(segments).adjust_cell_length(width, fill or Style.null())


def marked(line: Strip, first: int, last: int, style: Style) -> Strip:
    """Lay a style's background over some characters of a line, `first` to `last` (exclusive): the mouse's selection.

    The style's foreground is not used: if a theme names none, Textual gives it the background's colour, which shows
    nothing.
    """
    first, last = (cell_len(line.text[: max(0, each)]) for each in (first, last))
    if first >= last:
        return line
    # Applied below the line's own styles it would be hidden: every line has a background.
    ground = Style(bgcolor=style.bgcolor, reverse=style.reverse)
    over = Strip(Segment.apply_style(line.crop(first, last), post_style=ground), last - first)
    return Strip.join([line.crop(0, first), over, line.crop(last, line.cell_length)])


def cut(text: str, width: int) -> str:
    """Cut a text to at most `width` cells, with a sign where something was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


def middle(text: str, width: int) -> str:
    """Leave out the middle of what is too long: names are told apart by both ends."""
    text = safe(text)
    if cell_len(text) <= width or width < 5:
        return text
    tail = width // 2 - 1
    return f"{text[: width - tail - 1]}…{text[-tail:]}"


def fitting(parts: Sequence[str], width: int, gap: str) -> str:
    """Join parts, leaving out whole ones from the end until they fit; only the first is ever cut."""
    while len(parts) > 1 and cell_len(gap.join(parts)) > width:
        parts = parts[:-1]
    return cut(gap.join(parts), width)


def longest(ways: Sequence[str], width: int) -> str:
    """Return the last of some wordings, each longer than the one before, that fits; the first if none does."""
    return next((each for each in reversed(ways) if cell_len(each) <= width), ways[0])
