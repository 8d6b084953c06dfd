"""SEARCH/REPLACE blocks: the path, then the lines to find and the lines to put in their place, between three markers."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from assistant.edits.edit import Edit, Misfit
from assistant.edits.fence import is_mark
from assistant.edits.filename import lone
from assistant.edits.format import BLOCK_HEAD
from assistant.edits.naming import as_it_stands, bare_word, only_path, readings, remarked, rivals

if TYPE_CHECKING:
    from assistant.edits.edit import Action
    from assistant.edits.format import Place

_DIVIDER = re.compile(r"^\s{0,3}(={3,40})\s*$")
_TAIL = re.compile(r"^\s{0,3}(?:(?:>{3,40}|<{5,9}|\+{5,9})\s*REPLACE|>{5,9}\s*(?:UPDATED|NEW|END)?)\s*$", re.IGNORECASE)
_STRAY = re.compile(r"^\s{0,3}(?:>{5,9}|\+{5,9})\s*REPLACE\s*$")
_USUAL = range(5, 10)
_LOOK_UP = 3
_CONFLICT = re.compile(r"^>{7}\s+\S")
"""The end of a merge conflict, as git writes it."""


def begin(line: str, place: Place) -> Block | Stray | None:
    """Begin at the first marker; the path is on the nearest line above that names one, else that of the last block."""
    head = BLOCK_HEAD.match(line)
    if head is not None:
        signs = head["signs"] or head["other"]
        escaped = signs.startswith("&")
        names, nearer, others = _names(head["path"] or "", place)
        above = _words_above(place)
        alone = lone(above[0]) if above and not head["path"] else ""
        indent = len(line) - len(line.lstrip(" "))
        return Block(
            names,
            len(unescape(signs)),
            place.number,
            nearer=nearer,
            rivals=others,
            escaped=escaped,
            indent=indent,
            alone=alone,
        )
    return Stray(place.number) if _STRAY.match(line) else None


def _names(beside: str, place: Place) -> tuple[list[str], str, tuple[str, ...]]:
    """Return the readings of the path, a name to try first, and rival files.

    Readings come from beside the marker, the lines above, the info of the fence, or the block before. The name to try
    first is the line as it stands or, if the path is that of the block before, a bare word right above. Rivals are
    other files that the words above name.
    """
    found: list[str] = []
    others: tuple[str, ...] = ()
    nearer = ""
    sources = [beside] if beside else []
    sources += _words_above(place)[:_LOOK_UP]
    for at, source in enumerate(sources):
        names = readings(source)
        if names and names[0]:
            found = names + found
            nearer, others = as_it_stands(source), rivals(source, sources[at + 1 :])
            if not others and remarked(source) and at + 1 < len(sources):  # a comment in the fence, and a name above it
                others = tuple(path for path, sure in (only_path(sources[at + 1]),) if sure and path != names[0])
            break
        found += [name for name in names if name]
    else:
        named = readings(place.info.split(" ", 1)[-1].split(":", 1)[-1]) if place.info else []
        if named and named[0] and ("/" in named[0] or "." in named[0]):
            found = [*named, *found]
        elif place.last_path:
            nearer = bare_word(sources[0]) if sources else place.last_nearer
            found = [place.last_path, *found]
        elif found:
            found = ["", *found]
    return list(dict.fromkeys(found)), nearer, others


def _words_above(place: Place) -> list[str]:
    """Return the lines above that are neither blank nor fences, nearest first."""
    return [line for line in reversed(place.above) if line.strip() and not is_mark(line)]


class Block:
    """One block."""

    def __init__(
        self,
        names: list[str],
        size: int,
        number: int,
        *,
        nearer: str = "",
        rivals: tuple[str, ...] = (),
        escaped: bool = False,
        indent: int = 0,
        alone: str = "",
    ) -> None:
        self.done = False
        self.back: list[str] = []
        self._escaped = escaped
        self.path = names[0] if names else ""
        self._names = names
        self._nearer = nearer
        self._alone = alone
        self._rivals = rivals
        self._blanks = " " * indent
        self._size = size
        self._number = number
        self._lines: list[str] = []
        self._dividers: list[tuple[int, int]] = []

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line of the block; if the first marker was escaped for HTML, every line is unescaped."""
        raw, line = line, unescape(line) if self._escaped else line
        divider = _DIVIDER.match(line)
        if divider and (len(divider[1]) in _USUAL or len(divider[1]) == self._size):
            self._dividers.append((len(self._lines), len(divider[1])))
        elif _TAIL.match(line) and self._dividers:
            self.done = True
            return [self._whole()]
        elif self._dividers and not self.path and _CONFLICT.match(line):
            self.done = True  # an explanation of a merge conflict
            return []
        elif BLOCK_HEAD.match(line):
            self.done = True
            self.back = [raw]
            return [self._broken(f"a new block begins inside it, at line {number}")]
        self._lines.append(line)
        return []

    def close(self, *, whole: bool) -> list[Edit | Misfit]:
        """Report a block that has no end."""
        del whole
        words = f"The block at line {self._number} of the reply, for {self.path or 'an unnamed file'}, has no end; the reply may be cut short."
        return [Misfit(self._edit(None), "incomplete", words)]

    def _whole(self) -> Edit | Misfit:
        same = [at for at, size in self._dividers if size == self._size]
        dividers = same or [at for at, _ in self._dividers]
        if len(dividers) > 1:
            return self._broken("it has more than one line of equal signs, so that its halves cannot be told apart")
        if not self._names:
            return self._broken("no line above it names a file")
        return self._edit(dividers[0])

    def _edit(self, divider: int | None) -> Edit:
        at = len(self._lines) if divider is None else divider
        old = "".join(line + "\n" for line in self._lines[:at])
        new = "".join(line + "\n" for line in self._lines[at + 1 :])
        action: Action = "replace" if old.strip() else "create"
        made = self._lines[at + 1 :]
        if action == "create" and all(line.startswith(self._blanks) for line in made if line.strip()):
            new = "".join(
                line[len(self._blanks) :] + "\n" for line in made
            )  # without the indentation of the list item it is in
        first = self._number + at + 2
        lines = range(first, first + len(self._lines) - at - 1)
        also = tuple(self._names[1:])
        path = self.path
        if action == "create" and self._alone and path != self._alone:
            path, also = self._alone, ()  # an edit with an empty search does not go to the file of the block before
        return Edit(
            action,
            path,
            old,
            new,
            self._number,
            "edit_block",
            also=also,
            after_lines=lines,
            nearer=self._nearer,
            rivals=self._rivals,
        )

    def _broken(self, why: str) -> Misfit:
        words = f"The block at line {self._number} of the reply cannot be read: {why}."
        return Misfit(self._edit(None), "malformed", words)


class Stray:
    """The last marker of a block that has no first marker."""

    path = ""

    def __init__(self, number: int) -> None:
        self.done = False
        self.back: list[str] = []
        self._number = number

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Report the marker, and give the line back."""
        del number
        self.done, self.back = True, [line]
        return self.close(whole=True)

    def close(self, *, whole: bool) -> list[Edit | Misfit]:
        """Report the marker."""
        del whole
        edit = Edit("replace", "", reply_line=self._number, format="edit_block")
        return [Misfit(edit, "malformed", f"A block ends at line {self._number} of the reply, but none has begun.")]
