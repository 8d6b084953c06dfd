"""Reads what a script of SQL creates, line by line, and where each of it ends.

Scripts are written in the dialects of many databases, and no grammar knows them all. A statement ends with a semicolon;
a routine may hold statements of its own: between BEGIN and END, between $$ and $$, in quotes, or up to the line that
ends a batch (GO, / or another DELIMITER).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Created(NamedTuple):
    """What a line creates: its 0-based first and last line (-1 where nothing tells its end), name and kind."""

    line: int
    end: int
    name: str
    kind: str


_NAME = r"(?:\"[^\"]{1,100}\"|`[^`]{1,100}`|\[[^\]]{1,100}\]|[\w$#-]{1,100})"
_CREATE = re.compile(
    r"\s*create\s+(?:or\s+(?:replace|alter)\s+)?"
    r"(?:(?:global|local|temp|temporary|unlogged|external|unique|materialized|recursive|virtual|clustered|nonclustered|"
    r"columnstore|fulltext|spatial|bitmap|foreign|constraint|aggregate|editionable|noneditionable|force|secure|"
    r"(?:algorithm|definer)\s*=\s*\S{1,200}|sql\s+security\s+\w+)\s+){0,5}"
    r"(table|view|function|procedure|proc|trigger|event|index|type|schema|sequence|database|domain|"
    r"extension|policy|role|package)\s+(?:body\s+)?(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?"
    rf"(?:{_NAME}\.){{0,3}}({_NAME})",
    re.IGNORECASE,
)
_KINDS = {
    "procedure": "function", "proc": "function", "event": "function", "schema": "module", "package": "module",
    "domain": "type", "database": "module",
}  # fmt: skip
_ROUTINES = {"function", "procedure", "proc", "trigger", "event", "package", "type body"}
"""What may hold statements of its own."""
_BATCH = re.compile(r"(?:go|/|\\g|delimiter\s.*)$", re.IGNORECASE)
"""The whole of a line that ends all before it."""
_DOLLAR = re.compile(r"\$\w*\$")
_ASIDE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|/\*.*?\*/|--.*")
"""Texts, names in quotes, and remarks: no word in them counts."""
_WORDS = re.compile(
    r"\b(?:end\s+(?:if|loop|while|repeat|for)|begin\s+(?:tran(?:saction)?|work|distributed)|(?P<closes>end(?:\s+(?:case|try))?)|"
    r"(?P<begins>begin)|(?P<opens>case))\b",
    re.IGNORECASE,
)
_HEAD_ENDS = re.compile(r"\b(?:as|is)\s*$", re.IGNORECASE)


def created(lines: Sequence[str]) -> Iterator[Created]:
    """Yield what is created, without its schema."""
    current: _Open | None = None
    remark = False
    for number, whole in enumerate(lines):
        # Only where it begins its line: elsewhere it may stand in a text, such as a path with an asterisk.
        remark = remark or (whole.lstrip().startswith("/*") and not whole.lstrip().startswith("/*!"))
        if remark:
            remark = "*/" not in whole
            if remark or whole.rstrip().endswith("*/"):
                continue
        line = re.sub(r"/\*!\d*|\*/", " ", whole) if "/*!" in whole else whole
        match = _CREATE.match(line) if current is None or current.may_end(line) else None
        if match:
            if current:
                yield current.made
            current = _Open(number, match)
        elif current and _BATCH.match(line) and not current.dollars:
            yield current.made._replace(end=number - 1)
            current = None
        if current and current.ends(line):
            yield current.made._replace(end=number)
            current = None
    if current:
        yield current.made


class _Open:
    """What is being created, until the line that ends it."""

    def __init__(self, number: int, match: re.Match[str]) -> None:
        word = match[1].lower()
        self.made = Created(number, -1, match[2].strip('"`[]'), _KINDS.get(word, word))
        self.dollars = False
        if word == "type" and re.search(r"\sbody\s", match[0], re.IGNORECASE):
            word = "type body"
        self._routine = word in _ROUTINES
        self._waits = False  # for BEGIN: what comes before it declares variables
        self._depth = int(word in {"package", "type body"})  # whose END has no BEGIN
        self._quoted = False

    def may_end(self, line: str) -> bool:
        """Say whether a line that creates something begins another statement: in a routine, only if not indented."""
        return not self.dollars and (not (self._depth or self._quoted or self._waits) or not line[:1].isspace())

    def ends(self, line: str) -> bool:
        """Take in a line; say whether it is the last."""
        if marks := len(_DOLLAR.findall(line)):
            self.dollars ^= marks % 2 == 1
            self._waits = False
        if self.dollars:
            return False
        if not self._routine:
            return line.partition("--")[0].rstrip().endswith(";")
        bare = line
        if self._quoted:
            _, quote, bare = line.replace("''", "").partition("'")
            if not quote:
                return False
            self._quoted = False
        bare = _ASIDE.sub("", bare).rstrip()
        if "'" in bare:
            bare, self._quoted, self._waits = bare.partition("'")[0], True, False
        closed = self._count(bare)
        if closed or self._depth or self._quoted:
            return closed
        self._waits = self._waits or _HEAD_ENDS.search(bare) is not None
        return bare.endswith(";") and not self._waits

    def _count(self, line: str) -> bool:
        """Count the blocks that a line opens and closes; say whether it closes the last of them."""
        closed = False
        for match in _WORDS.finditer(line):
            if match["closes"]:
                closed = self._depth == 1 and not match["closes"].lower().endswith("try")  # CATCH follows
                self._depth = max(0, self._depth - 1)
            elif match["begins"] or (match["opens"] and self._depth):
                self._depth += 1
                closed = False
        return closed and not self._depth
