"""How a fence opens and closes a block: with the marks of Markdown, or with a tag that some models write instead."""

from __future__ import annotations

import re
from typing import NamedTuple

_TAGS = "source|code|pre|codeblock|sourcecode"
_OPENS = re.compile(r"^(?P<blanks>[ \t]*)(?P<marks>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_TAG = re.compile(rf"^<(?:{_TAGS})>\s*$")
_MARK = re.compile(rf"^\s*(?:`{{3,}}|~{{3,}}|</?(?:{_TAGS})>)")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]{1,4}(?=\S)")
DEEPEST = 3
"""Most blanks before a fence; what stands deeper is code already, unless it stands in an item of a list."""


class Fence(NamedTuple):
    """The line that opens a block: its marks or its tag, the blanks before them, and what it says of the block."""

    marks: str
    indent: int = 0
    info: str = ""

    @classmethod
    def of(cls, line: str, *, deepest: int | None = DEEPEST, tags: bool = True) -> Fence | None:
        """Read a line; None if it opens no block. `deepest`: most blanks before the marks; None if any number will do."""
        if tags and _TAG.match(line):
            return cls(line.strip())
        found = _OPENS.match(line)
        if found is None or (deepest is not None and len(found["blanks"]) > deepest):
            return None
        return cls(found["marks"], len(found["blanks"]), found["info"].strip())

    def closes(self, line: str, *, deepest: int | None = None) -> bool:
        """Say whether a line ends the block: with the same marks, at least as many, or the end of the tag, and no more."""
        bare = line.strip()
        if deepest is not None and depth(line) > deepest:
            return False
        if self.marks.startswith("<"):
            return bare == f"</{self.marks[1:]}"
        return len(bare) >= len(self.marks) and not bare.strip(self.marks[0])


def is_mark(line: str) -> bool:
    """Say whether a line begins with the marks or the tag of a fence, however deep, be it to open or to close one."""
    return _MARK.match(line) is not None


def depth(line: str) -> int:
    """Count the blanks that a line begins with."""
    return len(line) - len(line.lstrip(" \t"))


def outdented(line: str, blanks: int) -> str:
    """Return a line without so many of the blanks that it begins with, as far as it has them."""
    return line[min(blanks, depth(line)) :]


def item(line: str, above: str, before: int) -> int:
    """Return how deep the text of the list item stands that a line begins or goes on; 0 if it is in none.

    `before` is how deep that of the line `above` stands. A line that touches the one above it goes on with its item.
    """
    begun = _ITEM.match(line)
    if begun and depth(line) <= before + DEEPEST:
        return len(begun[0])
    return before if above.strip() or not line.strip() else min(before, depth(line))
