"""What stands in the bodies of functions defines next to nothing, and is most of what a parser reads: taken out before, line for line.

A body is told by how it is indented, and taken out only where that is plain: it lies deeper than the line that opens it and
the one that closes it, or that ends it, holds none of the words by which a definition or an import begins in its language,
and no quote is left open in it. Lines keep their numbers. Whoever parses what is left looks whether it can still be read.
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

    `bodies` are three patterns of its language: of the line that opens a body, behind its indentation (`\\1`); of the
    beginning of the line that closes it, empty where nothing does; of words for which a body, with the line end before it, stays as it is.
    """
    pattern, put = _tools(*(each.encode() for each in bodies))
    return pattern.sub(put, source)


@cache
def _tools(opens: bytes, closes: bytes, keeps: bytes) -> tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], bytes]]:
    blank, line = rb"[ \t]*\r?\n", rb"\1[ \t][^\n]*"
    if closes:
        pattern = rb"^([ \t]*)(?:%s)[ \t]*\r?\n((?:%s\n|%s)++)(?=\1(?:%s))" % (opens, line, blank, closes)
    else:  # to the last line that lies deeper and says something; where more of it seems to come behind remarks, it stays
        pattern = (
            rb"^([ \t]*)(?:%s)[ \t]*(?:#[^\n]*)?\r?\n((?:(?:%s)*+\1[ \t]+\S[^\n]*\n?)++)(?!(?:[ \t]*(?:#[^\n]*)?\n)*+\1[ \t])"
            % (opens, blank)
        )
    kept = re.compile(keeps, re.MULTILINE)

    def put(match: re.Match[bytes]) -> bytes:
        body = match[2]
        if (
            any(body.count(quote) % 2 for quote in _QUOTES)
            or body.count(b"/*") != body.count(b"*/")
            or kept.search(match.string, match.start(2) - 1, match.end(2))
        ):
            return match[0]
        head = match[0][: match.start(2) - match.start()]
        if closes:
            return head + b"\n" * body.count(b"\n")
        last = body.rstrip(b"\r\n")
        line = last[last.rfind(b"\n") + 1 :]  # a body must hold something, and ends where it did
        return head + b"\n" * last.count(b"\n") + line[: len(line) - len(line.lstrip())] + b"0" + body[len(last) :]

    return re.compile(pattern, re.MULTILINE), put
