"""A line of the conversation, and which lines of an answer belong to an edit besides the edit's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.tui import markdown, tables

_HEAD = re.compile(
    r"(?:---|\+\+\+) \S|@@|diff --git |index [0-9a-f]+\.\.|(?:(?:new|deleted) file|old|new) mode \d|"
    r"similarity index |rename (?:from|to) |\*\*\* (?:Begin Patch|(?:Update|Add|Delete) File: |Move to: )"
)
"""A line of the head of a diff, as diff, git and apply_patch write it."""


class Line:
    """One line as it was said, its kind, and how it is folded: below a label, or as the label itself.

    `table` is the table that it is a row of, and `row` is which row; `fence` began the code block that it is in.
    """

    __slots__ = ("fence", "hidden", "kind", "label", "language", "row", "table", "text")

    def __init__(self, text: str, kind: str, language: str = "") -> None:
        self.text, self.kind, self.language = text, kind, language
        self.label = ""
        self.hidden = False
        self.table: tables.Table | None = None
        self.row = 0
        self.fence: markdown.Fence | None = None

    @property
    def blank(self) -> bool:
        """Whether it is an empty line."""
        return not self.text and not self.label


def only_names(line: str, label: str) -> bool:
    """Say whether a line only names the file of a label (`edit kettle/boil.py  +3 -1`), or belongs to a diff's head."""
    bare = line.strip().strip("*`#: ")
    return (bool(bare) and bare in label.split()) or _HEAD.match(line) is not None
