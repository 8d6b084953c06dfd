"""Answers as they are meant to be read: the marks of Markdown become styles. Its tables are in `tables`.

Lines are read one at a time, as they come: what is not a mark for certain stays as it was written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from assistant.edits import fence

if TYPE_CHECKING:
    from collections.abc import Iterator

_INLINE = re.compile(
    r"(?P<ticks>(?<!`)(`+)(?!`)(?P<ticked>.+?)(?<!`)\2(?!`))"
    # A star between letters or digits is a product; beside a slash or before a dot it is a pattern of paths.
    r"|(?<![A-Za-z0-9_*\\/])\*\*(?=[^\s*])(?P<strong>.+?)(?<=[^\s*])\*\*(?![A-Za-z0-9_*/])"
    r"|(?<![A-Za-z0-9_*\\/])\*(?=[^\s*.])(?P<emphasis>[^*]+?)(?<=[^\s*])\*(?![A-Za-z0-9_*/])"
    r"|(?<![A-Za-z0-9_~\\/])~~(?=[^\s~])(?P<struck>.{1,500}?)(?<=[^\s~])~~(?![A-Za-z0-9_~/])"
    r"|(?<![\w\]])\[(?P<label>[^\[\]\n]+)\]\((?P<target>[^\s()]+)\)"
    r"|(?P<entity>&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
)
_MARKED = re.compile(r"[`*\[~&]")
_NAMED = ("strong", "emphasis", "struck")
_HEAD = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"^(\s*)[-*+](?=\s+\S)")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
_QUOTE = re.compile(r"^\s{0,3}>\s?")
_FENCE = re.compile(r"\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(?P<marks>`{3,}(?=[^`]*$)|~{3,})\s*(?P<language>[\w+#.-]*)")
_LINE = 24


class Piece(NamedTuple):
    """Some characters of a line, and the name of their style; empty for the line's own style."""

    text: str
    style: str = ""


def shown(text: str) -> list[Piece]:
    """Return the pieces of a line that is not code, without the marks."""
    if _RULE.match(text):
        return [Piece("─" * _LINE)]
    head = _HEAD.match(text)
    text = head[1] if head else _QUOTE.sub("│ ", _BULLET.sub(r"\1•", text, count=1), count=1)
    return list(pieces(text))


def pieces(text: str, style: str = "") -> Iterator[Piece]:
    """Yield the pieces of some words within a line; words without a mark are in `style`."""
    at = 0
    for match in _INLINE.finditer(text) if _MARKED.search(text) else ():
        if match.start() > at:
            yield Piece(text[at : match.start()], style)
        at = match.end()
        if match["ticked"] is not None:
            code = match["ticked"]
            yield Piece(code[1:-1] if code[0] == code[-1] == " " and code.strip() else code, "ticked")
        elif match["label"] is not None:
            yield from pieces(match["label"], style)
            if match["target"] != match["label"]:
                yield Piece(f" ({match['target']})", style)
        elif match["entity"] is not None:
            yield Piece(_character(match["entity"]), style)
        else:
            name = next(each for each in _NAMED if match[each] is not None)
            yield from pieces(match[name], name)
    if at < len(text):
        yield Piece(text[at:], style)


def _character(entity: str) -> str:
    """Return the character that an HTML entity names; if it cannot be seen, the entity stays."""
    from html import unescape

    found = unescape(entity)
    if found == "\xa0":
        return " "
    return found if found.isprintable() and cell_len(found) and found != "\ufffd" else entity


class Fence(NamedTuple):
    """The beginning of a code block: its marks, and its language, empty if none is named."""

    marks: str
    language: str

    @classmethod
    def of(cls, line: str) -> Fence | None:
        """Read a line; None if it begins no block."""
        found = _FENCE.match(line)
        return cls(found["marks"], found["language"].lower()) if found else None

    def ends(self, line: str) -> bool:
        """Say whether a line ends the block: with the same marks, at least as many, and nothing else."""
        return fence.Fence(self.marks).closes(line)
