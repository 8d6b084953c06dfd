"""Words as lines of the screen: control characters made visible, wide characters counted, long lines wrapped."""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_PICTURES = {code: chr(0x2400 + code) for code in range(32)} | {127: "\u2421"}


def safe(text: str) -> str:
    """Make control, bidirectional and invisible characters visible, so that no text can drive the terminal."""
    if text.isascii() and text.isprintable():
        return text
    text = text.expandtabs(4)
    return _CONTROL.sub(
        lambda match: _PICTURES.get(ord(match[0]), f"<U+{ord(match[0]):04X}>"), text.encode("utf-8", "replace").decode()
    )


def wrap(text: str, width: int) -> list[str]:
    """Cut one line into lines of at most `width` cells, at blanks where there are any; the indentation is kept."""
    width = max(4, width)
    if cell_len(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip())][: width // 2]
    found: list[str] = []
    line = indent
    for word in re.findall(r"\S+\s*", text[len(text) - len(text.lstrip()) :]):
        if cell_len(line) + cell_len(word.rstrip()) > width and line.strip():
            found.append(line.rstrip())
            line = indent
        if cell_len(word) + cell_len(line) > width:
            *whole, rest = chop_cells(word, max(2, width - cell_len(indent))) or [word]
            found += [indent + piece for piece in whole]
            word = rest  # noqa: PLW2901 - the rest of the word goes on as a word
        line += word
    return [*found, line.rstrip()] if line.strip() or not found else found


def strip(text: str, style: Style, width: int, fill: Style | None = None) -> Strip:
    """Make one line of the screen, cut or filled to `width` cells."""
    return Strip([Segment(text, style)]).adjust_cell_length(width, fill or Style())
