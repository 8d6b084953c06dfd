"""Reads by lines what a grammar could not parse: the declarations that stand in its errors.

A grammar older than the sources takes all that follows a construct it does not know for one error, up to a whole file.
What declares something can mostly be recognised by its line alone; where it ends, its indentation and braces tell.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from assistant.context.outline import Entry, declarations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_LEAST = 2
"""The fewest lines of an error that are worth reading: a smaller one has only cost a word or two."""


def errors(root: Node) -> list[tuple[int, int]]:
    """Return the 0-based first and last line of each outermost error in a tree, in the order of the source."""
    found: list[tuple[int, int]] = []
    open_ = [root]
    while open_:
        node = open_.pop()
        if node.is_error:
            found.append((node.start_point[0], node.end_point[0]))
        elif node.has_error:
            open_ += reversed(node.children)
    return found


def lost(root: Node) -> int:
    """Return how many lines of a tree are errors."""
    return sum(last - first + 1 for first, last in errors(root)) if root.has_error else 0


def swallowed(root: Node, source: bytes, pattern: str) -> Iterator[Entry]:
    """Yield what lines of a source declare that lie in an error of its tree, as the pattern of the language tells."""
    spans = [span for span in errors(root) if span[1] - span[0] + 1 >= _LEAST]
    return iter(declarations(source, _compiled(pattern), spans) if spans else ())


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
