"""Answers as they are meant to be read: the marks of Markdown become styles, the rows of a table become columns.

One line at a time, as they come: what is no mark for certain stays as it was written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_INLINE = re.compile(
    r"(?P<ticks>(?<!`)(`+)(?!`)(?P<ticked>.+?)(?<!`)\2(?!`))"
    # A star between letters or digits is a product, one beside a slash or before a dot a pattern of paths.
    r"|(?<![A-Za-z0-9_*\\/])\*\*(?=[^\s*])(?P<strong>.+?)(?<=[^\s*])\*\*(?![A-Za-z0-9_*/])"
    r"|(?<![A-Za-z0-9_*\\/])\*(?=[^\s*.])(?P<emphasis>[^*]+?)(?<=[^\s*])\*(?![A-Za-z0-9_*/])"
    r"|(?<![\w\]])\[(?P<label>[^\[\]\n]+)\]\((?P<target>[^\s()]+)\)"
)
_MARKED = re.compile(r"[`*\[]")
_HEAD = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"^(\s*)[-*+](?=\s+\S)")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
_QUOTE = re.compile(r"^\s{0,3}>\s?")
_BETWEEN = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CELL_ENDS = re.compile(r"(?<!\\)\|")
_LINE = 24
_GAP = " │ "


class Piece(NamedTuple):
    """Some letters of a line, and the name of their style; empty for that of the line."""

    text: str
    style: str = ""


def shown(text: str) -> list[Piece]:
    """Return the pieces of a line that is no code, without the marks."""
    if _RULE.match(text):
        return [Piece("─" * _LINE)]
    head = _HEAD.match(text)
    text = head[1] if head else _QUOTE.sub("│ ", _BULLET.sub(r"\1•", text, count=1), count=1)
    return list(_inline(text, ""))


def _inline(text: str, style: str) -> Iterator[Piece]:
    at = 0
    for match in _INLINE.finditer(text) if _MARKED.search(text) else ():
        if match.start() > at:
            yield Piece(text[at : match.start()], style)
        at = match.end()
        if match["ticked"] is not None:
            code = match["ticked"]
            yield Piece(code[1:-1] if code[0] == code[-1] == " " and code.strip() else code, "ticked")
        elif match["label"] is not None:
            yield from _inline(match["label"], style)
            if match["target"] != match["label"]:
                yield Piece(f" ({match['target']})", style)
        else:
            name = "strong" if match["strong"] is not None else "emphasis"
            yield from _inline(match[name], name)
    if at < len(text):
        yield Piece(text[at:], style)


def is_row(text: str) -> bool:
    """Say whether a line may be a row of a table."""
    return text.lstrip().startswith("|") and text.count("|") > 1


def is_between(text: str) -> bool:
    """Say whether a line is what stands between the head of a table and its rows."""
    return _BETWEEN.match(text) is not None and "-" in text


def widths(text: str) -> list[int]:
    """Return how many cells of the screen each column of a row takes."""
    if is_between(text):
        return [1 for _ in _cells(text)]
    return [sum(cell_len(piece.text) for piece in _inline(cell, "")) for cell in _cells(text)]


def row(text: str, columns: Sequence[int]) -> list[Piece]:
    """Return the pieces of a row of a table whose columns are so wide."""
    if is_between(text):
        return [Piece("─┼─".join("─" * size for size in columns))]
    found: list[Piece] = []
    cells = _cells(text)
    for at, size in enumerate(columns):
        pieces = list(_inline(cells[at], "")) if at < len(cells) else []
        blank = size - sum(cell_len(piece.text) for piece in pieces)
        found += [*pieces, Piece(" " * blank + (_GAP if at < len(columns) - 1 else ""))]
    return found


def breadth(columns: Sequence[int]) -> int:
    """Return how many cells of the screen such a row takes."""
    return sum(columns) + len(_GAP) * (len(columns) - 1)


def _cells(text: str) -> list[str]:
    bare = text.strip().removeprefix("|")
    bare = bare[:-1] if bare.endswith("|") and not bare.endswith("\\|") else bare
    return [cell.strip().replace("\\|", "|") for cell in _CELL_ENDS.split(bare)]
