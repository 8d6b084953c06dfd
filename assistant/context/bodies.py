"""Takes the bodies of functions out of a source before it is parsed: they define almost nothing and cost most.

Lines keep their numbers. A body is recognised by its indentation, and taken out only where that is unmistakable: all of
it is indented deeper than the line that opens it and the line that closes or follows it; it holds none of the words
that begin a definition in its language; and no quote and no line is left open in it. The parser's caller checks whether
the rest can still be parsed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTES = "\"\"\" ''' `"
"""Quotes that may span lines: in a body, as many of each must close as open."""


_DEEPEST = 30
"""The most levels of nested bodies that are looked into."""


def without(source: bytes, bodies: Sequence[str]) -> bytes:
    """Return a source without the bodies that can be taken out; the same source where there are none.

    `bodies` are patterns of the language, in the order of `language.BODIES`. `opens`: what opens a body, behind its
    indentation (`\\1`); its group `idle` is emptied. `closes`: the beginning of the line that closes it, empty where no
    line does. `keeps`: what makes a body stay if it holds that, one pattern a line; bodies inside it may still go.
    `begins`: such words, where no line of a body may begin with them. `skips`: statements, to the end of their line,
    that are taken out wherever they stand; of those with a group `gone`, only the group, which ends with a semicolon
    and becomes a 0; `(?#begins)` stands for what no line may begin with. `inner`: the lines of a body, where its indentation does not tell. `quotes`:
    the quotes that may span lines, separated by blanks, where they are not the usual ones. `texts`: texts of several
    lines, whose group `idle` is taken out first of all.
    """
    tools = _tools(*(each.encode() for each in bodies[:8]))
    if tools.texts:
        source = tools.texts.sub(_without_text, source)
    return _cut(b"\n" + source, tools)[1:]


class _Tools(NamedTuple):
    """The compiled means to find bodies: their pattern, patterns of what must stay, quotes, texts of several lines."""

    body: re.Pattern[bytes]
    kept: Sequence[re.Pattern[bytes]]
    quotes: Sequence[bytes]
    texts: re.Pattern[bytes] | None
    idle: bool
    gone: bool
    closes: bytes


@cache
def _tools(
    opens: bytes, closes: bytes, keeps: bytes, begins: bytes, skips: bytes, inner: bytes, quotes: bytes, texts: bytes
) -> _Tools:
    # Each pattern begins with a line end and never backtracks: backtracking would take half of the time.
    least = rb"[ \t][ \t\f]*+(?!%s)" % begins if begins else rb"[ \t]"
    lines = rb"(?P<body>%s)" % (inner or rb"(?:\n(?:\1%s[^\n]*+|[ \t\r]*+(?=\n)))++" % least)
    if closes:
        whole = rb"(?>(?:%s)[ \t]*+\r?(?=\n))%s(?=\n\1(?:%s))" % (opens, lines, closes)
    else:  # a body that seems to go on behind comments stays
        remark = rb"\n[ \t]*+(?:#[^\n]*+)?\r?(?=\n)"
        whole = rb"(?>(?:%s)[ \t]*+(?:#[^\n]*+)?\r?(?=\n))%s(?!(?:%s)*+\n\1[ \t])" % (opens, lines, remark)
    if begins:
        skips = skips.replace(b"(?#begins)", rb"(?!%s)" % begins)
    return _Tools(
        re.compile(rb"\n([ \t]*+)(?:%s%s)" % (whole, skips and b"|" + skips)),
        [re.compile(each) for each in keeps.split(b"\n") if each],
        (quotes or _QUOTES.encode()).split(),
        re.compile(texts) if texts else None,
        b"(?P<idle>" in opens,
        b"(?P<gone>" in skips,
        closes,
    )


def _cut(source: bytes, tools: _Tools, depth: int = 0) -> bytes:
    closes = tools.closes
    so_far = dict.fromkeys(tools.quotes, (0, 0))

    def is_cut(match: re.Match[bytes], quote: bytes) -> bool:
        """Say whether a text in such quotes crosses an end of the body, or the body lies inside one."""
        (at, before), start = so_far[quote], match.start("body")
        before += source.count(quote, at, start)
        so_far[quote] = start, before
        return match["body"].count(quote) % 2 > 0 or before % 2 > 0

    def put(match: re.Match[bytes]) -> bytes:
        body = match["body"]
        if body is None:
            return _without_rest(match) if tools.gone else _nothing(match[0], match[1], closes)
        said = body.rstrip()
        last = said[said.rfind(b"\n") + 1 :]
        indent = last[: len(last) - len(last.lstrip())]
        if (
            not said
            or said.endswith(b"\\")  # its last line continues outside the body
            or (not closes and last.startswith(b"#", len(indent)))  # a comment at the end may not belong to the body
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


def _without_rest(match: re.Match[bytes]) -> bytes:
    """Put a 0 in the place of an expression; nothing where a bracket that opens before it closes in it."""
    begin, end = (each - match.start() for each in match.span("gone"))
    text = match[0]
    if text.count(b"(", 0, begin) != text.count(b")", 0, begin):
        return text
    return text[:begin] + b"\n" * text.count(b"\n", begin, end) + b"0" + text[text.rindex(b";", begin) :]


def _without_text(match: re.Match[bytes]) -> bytes:
    """Take the lines out of a text; nothing where its opening quote may stand in a comment or in quotes."""
    line = match.string[match.string.rfind(b"\n", 0, match.start()) + 1 : match.start()]
    if b"#" in line or line.count(b'"') % 2 or line.count(b"'") % 2:
        return match[0]
    begin, end = (each - match.start() for each in match.span("idle"))
    return match[0][:begin] + b"\n" * match[0].count(b"\n", begin, end) + match[0][end:]


def _nothing(text: bytes, indent: bytes, closes: bytes) -> bytes:
    """Return as many lines that define nothing; where only indentation ends a body, the last line holds a 0."""
    return b"\n" * text.count(b"\n") + (b"" if closes else indent + b"0")
