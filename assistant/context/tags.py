"""Source becomes tags: what is defined where, and what is used. The only user of tree-sitter; see `index`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Parser, Query

    from assistant.context.language import Language

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Tag:
    """A definition: its name, kind, 1-based first and last line, and the line that declares it."""

    name: str
    kind: str
    start: int
    end: int
    signature: str


@dataclass(frozen=True, slots=True)
class Tags:
    """What one file defines, how often it uses which names, and what it imports (as it is written there)."""

    defs: tuple[Tag, ...] = ()
    refs: tuple[tuple[str, int], ...] = ()
    imports: tuple[str, ...] = ()


@cache
def _tools(language: Language) -> tuple[Parser, Query]:
    from tree_sitter import Language as Grammar
    from tree_sitter import Parser, Query

    grammar = Grammar(getattr(importlib.import_module(language.grammar), language.constructor)())
    return Parser(grammar), Query(grammar, language.query)


def tags(source: bytes, language: Language) -> Tags:
    """Read the tags of a source; what cannot be parsed gives what can be seen."""
    from tree_sitter import QueryCursor

    if len(source) > _LARGEST:
        return Tags()
    parser, query = _tools(language)
    lines = source.split(b"\n")
    defs: dict[tuple[int, str], Tag] = {}
    refs: dict[str, int] = {}
    for _, captures in QueryCursor(query).matches(parser.parse(source).root_node):
        names = captures.get("name", [])
        for kind, nodes in captures.items():
            if kind == "reference":
                for node in nodes:
                    word = (node.text or b"").decode("utf-8", "replace")
                    refs[word] = refs.get(word, 0) + 1
            elif kind.startswith("definition.") and names:
                node = nodes[0]
                name = (names[0].text or b"").decode("utf-8", "replace")
                start, end = node.start_point[0], node.end_point[0]
                line = lines[names[0].start_point[0]].decode("utf-8", "replace").rstrip()
                tag = Tag(name, kind.removeprefix("definition."), start + 1, end + 1, line[:160])
                defs.setdefault((start, name), tag)
    return Tags(tuple(sorted(defs.values(), key=lambda tag: tag.start)), tuple(sorted(refs.items())))
