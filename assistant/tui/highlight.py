"""Source code in colours. The only user of pygments, which is loaded when the first code is drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pygments.lexer import Lexer
    from rich.style import Style

Spans = list[tuple[int, int, "Style"]]
"""Styled stretches of one line: first character and exclusive end, in order, not overlapping."""

_LONGEST_LINE = 1_000
_MOST_LINES = 2_000


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer | None:
    """Find a lexer by a language's name or by a path."""
    from pygments.lexers import find_lexer_class_for_filename, get_lexer_by_name
    from pygments.util import ClassNotFound

    if not name:
        return None
    try:
        return get_lexer_by_name(name, ensurenl=False, stripnl=False)
    except ClassNotFound:
        kind = find_lexer_class_for_filename(name)
        return kind(ensurenl=False, stripnl=False) if kind else None


def spans(lines: Sequence[str], name: str, styles: Mapping[str, Style]) -> list[Spans]:
    """Colour lines that belong together, in the language of `name` (a language or a path); unknown ones stay plain."""
    plain: list[Spans] = [[] for _ in lines]
    if not lines or len(lines) > _MOST_LINES or max(map(len, lines)) > _LONGEST_LINE:
        return plain
    lexer = _lexer(name)
    if lexer is None:
        return plain
    found = plain
    row = column = 0
    for kind, words in lexer.get_tokens("\n".join(lines)):
        style = _style(str(kind), styles) if words.strip() else None
        for index, piece in enumerate(words.split("\n")):
            if index:
                row, column = row + 1, 0
            if style is not None and piece and row < len(found):
                found[row].append((column, column + len(piece), style))
            column += len(piece)
    return found


def _style(kind: str, styles: Mapping[str, Style]) -> Style | None:
    """Return the style of the nearest kind that has one: up the kinds (`Token.Literal.String.Doc`), and inside them."""
    parts = kind.split(".")[1:]
    for size in range(len(parts), 0, -1):
        for first in range(size):
            style = styles.get(".".join(parts[first:size]))
            if style is not None:
                return style
    return None
