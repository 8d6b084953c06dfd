"""What stands in the bodies of functions defines next to nothing, and is most of what a parser reads: taken out before, line for line.

A body is told by how it is indented, and taken out only where that is plain: it lies deeper than the line that opens it and
the one that closes it, or that ends it, holds none of the words by which a definition begins in its language, and no quote and no line is left open in it. Lines keep their numbers. Whoever parses what is left looks whether it can still be read.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTES = "\"\"\" ''' `"
"""Quotes within which lines may end: of each as many close in a body as open."""


_DEEPEST = 30
"""Bodies in each other that are looked into."""


def without(source: bytes, bodies: Sequence[str]) -> bytes:
    """Return a source without the bodies that can be taken out; the same where there are none.

    `bodies` are patterns of its language: of what opens a body, behind its indentation (`\\1`), where a group
    `idle` is made empty; of the beginning of the line that closes it, empty where nothing does; of what a body holds that stays
    as it is, a pattern a line; of such words where no line of it begins with them; of statements, to the end of a line, that are taken out
    wherever they stand; of the lines of a body, where it is not told by how they are indented; the quotes within which lines may
    end, with blanks between, where they are others than mostly; and of texts of several lines, of which the group `idle` is
    taken out before all.
    """
    tools = _tools(*(each.encode() for each in bodies[:8]))
    if tools.texts:
        source = tools.texts.sub(_without_text, source)
    return _cut(b"\n" + source, tools)[1:]


class _Tools(NamedTuple):
    """What bodies are found with: the pattern of a body, what keeps one, the quotes, and what tells texts of several lines."""

    body: re.Pattern[bytes]
    kept: Sequence[re.Pattern[bytes]]
    quotes: Sequence[bytes]
    texts: re.Pattern[bytes] | None
    idle: bool
    closes: bytes


@cache
def _tools(
    opens: bytes, closes: bytes, keeps: bytes, begins: bytes, skips: bytes, inner: bytes, quotes: bytes, texts: bytes
) -> _Tools:
    # Each begins with a line end, and nothing is tried again with less of what it took: else half of the time goes there.
    least = rb"[ \t][ \t\f]*+(?!%s)" % begins if begins else rb"[ \t]"
    lines = rb"(?P<body>%s)" % (inner or rb"(?:\n(?:\1%s[^\n]*+|[ \t\r]*+(?=\n)))++" % least)
    if closes:
        whole = rb"(?>(?:%s)[ \t]*+\r?(?=\n))%s(?=\n\1(?:%s))" % (opens, lines, closes)
    else:  # where more of it seems to come behind remarks, it stays
        remark = rb"\n[ \t]*+(?:#[^\n]*+)?\r?(?=\n)"
        whole = rb"(?>(?:%s)[ \t]*+(?:#[^\n]*+)?\r?(?=\n))%s(?!(?:%s)*+\n\1[ \t])" % (opens, lines, remark)
    return _Tools(
        re.compile(rb"\n([ \t]*+)(?:%s%s)" % (whole, skips and b"|" + skips)),
        [re.compile(each) for each in keeps.split(b"\n") if each],
        (quotes or _QUOTES.encode()).split(),
        re.compile(texts) if texts else None,
        b"(?P<idle>" in opens,
        closes,
    )


def _cut(source: bytes, tools: _Tools, depth: int = 0) -> bytes:
    closes = tools.closes
    so_far = dict.fromkeys(tools.quotes, (0, 0))

    def is_cut(match: re.Match[bytes], quote: bytes) -> bool:
        """Say whether a text between such quotes reaches over an end of the body, or the body is only part of one."""
        (at, before), start = so_far[quote], match.start("body")
        before += source.count(quote, at, start)
        so_far[quote] = start, before
        return match["body"].count(quote) % 2 > 0 or before % 2 > 0

    def put(match: re.Match[bytes]) -> bytes:
        body = match["body"]
        if body is None:
            return _nothing(match[0], match[1], closes)
        said = body.rstrip()
        last = said[said.rfind(b"\n") + 1 :]
        indent = last[: len(last) - len(last.lstrip())]
        if (
            not said
            or said.endswith(b"\\")  # its last line goes on further out
            or (not closes and last.startswith(b"#", len(indent)))  # a body does not always end with it
            or any(quote in body and is_cut(match, quote) for quote in tools.quotes)
            or body.count(b"/*") != body.count(b"*/")
            or body.count(b"#if") != body.count(b"#endif")
        ):
            return match[0]
        text, start = match[0], match.start()
        head = text[: match.start("body") - start]
        if any(each.search(body) for each in tools.kept):
            return head + (_cut(body, tools, depth + 1) if depth < _DEEPEST else body)
        if tools.idle:
            begin, end = (each - start for each in match.span("idle"))
            head = head[:begin] + b"\n" * head.count(b"\n", begin, end) + head[end:]
        return head + _nothing(said, indent, closes) + body[len(said) :]

    return tools.body.sub(put, source)


def _without_text(match: re.Match[bytes]) -> bytes:
    """Take the lines out of a text; nothing where what opens it may stand in a remark or in quotes."""
    line = match.string[match.string.rfind(b"\n", 0, match.start()) + 1 : match.start()]
    if b"#" in line or line.count(b'"') % 2 or line.count(b"'") % 2:
        return match[0]
    begin, end = (each - match.start() for each in match.span("idle"))
    return match[0][:begin] + b"\n" * match[0].count(b"\n", begin, end) + match[0][end:]


def _nothing(text: bytes, indent: bytes, closes: bytes) -> bytes:
    """Return as many lines that define nothing: where only what they hold ends a body, the last holds something."""
    return b"\n" * text.count(b"\n") + (b"" if closes else indent + b"0")
