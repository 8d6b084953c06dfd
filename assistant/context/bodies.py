"""What stands in the bodies of functions defines next to nothing, and is most of what a parser reads: taken out before, line for line.

A body is told by how it is indented, and taken out only where that is plain: it lies deeper than the line that opens it and
the one that closes it, or that ends it, holds none of the words by which a definition begins in its language, and no quote is left open in it. Lines keep their numbers. Whoever parses what is left looks whether it can still be read.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_QUOTES = (b'"""', b"'''", b"`")
"""Quotes within which lines may end: of each as many close in a body as open."""


def without(source: bytes, bodies: Sequence[str]) -> bytes:
    """Return a source without the bodies that can be taken out; the same where there are none.

    `bodies` are five patterns of its language: of what opens a body, behind its indentation (`\\1`), where a group
    `idle` is made empty; of the beginning of the line that closes it, empty where nothing does; of words for which a body stays
    as it is; of such words where no line of it begins with them; and of statements, to the end of a line, that are taken out
    wherever they stand.
    """
    pattern, put = _tools(*(each.encode() for each in bodies))
    return pattern.sub(put, b"\n" + source)[1:]


@cache
def _tools(
    opens: bytes, closes: bytes, keeps: bytes, begins: bytes, skips: bytes
) -> tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], bytes]]:
    # Each begins with a line end, and nothing is tried again with less of what it took: else half of the time goes there.
    least = rb"[ \t][ \t\f]*+(?!%s)" % begins if begins else rb"[ \t]"
    lines = rb"(?P<body>(?:\n(?:\1%s[^\n]*+|[ \t\r]*+(?=\n)))++)" % least
    if closes:
        pattern = rb"(?>(?:%s)[ \t]*+\r?(?=\n))%s(?=\n\1(?:%s))" % (opens, lines, closes)
    else:  # where more of it seems to come behind remarks, it stays
        remark = rb"\n[ \t]*+(?:#[^\n]*+)?\r?(?=\n)"
        pattern = rb"(?>(?:%s)[ \t]*+(?:#[^\n]*+)?\r?(?=\n))%s(?!(?:%s)*+\n\1[ \t])" % (opens, lines, remark)
    kept, idle = re.compile(keeps), b"(?P<idle>" in opens

    def put(match: re.Match[bytes]) -> bytes:
        body = match["body"]
        if body is None:
            return _nothing(match[0], match[1], closes)
        said = body.rstrip()
        last = said[said.rfind(b"\n") + 1 :]
        indent = last[: len(last) - len(last.lstrip())]
        if (
            not said
            or (not closes and last.startswith(b"#", len(indent)))  # a body does not always end with it
            or any(quote in body and _is_cut(match, quote) for quote in _QUOTES)
            or body.count(b"/*") != body.count(b"*/")
            or kept.search(body)
        ):
            return match[0]
        text, start = match[0], match.start()
        head = text[: match.start("body") - start]
        if idle:
            begin, end = (each - start for each in match.span("idle"))
            head = head[:begin] + b"\n" * head.count(b"\n", begin, end) + head[end:]
        return head + _nothing(said, indent, closes) + body[len(said) :]

    return re.compile(rb"\n([ \t]*+)(?:%s%s)" % (pattern, skips and b"|" + skips)), put


def _is_cut(match: re.Match[bytes], quote: bytes) -> bool:
    """Say whether a text between such quotes reaches over an end of a body, or the body is only part of one."""
    return match["body"].count(quote) % 2 > 0 or match.string.count(quote, 0, match.start()) % 2 > 0


def _nothing(text: bytes, indent: bytes, closes: bytes) -> bytes:
    """Return as many lines that define nothing: where only what they hold ends a body, the last holds something."""
    return b"\n" * text.count(b"\n") + (b"" if closes else indent + b"0")
