"""The seam of edit formats: a reply, as it streams, becomes edits, whichever notation the model chose.

A format is a parser in `formats/` and nothing else. Every line of the reply is read once. Outside an edit, each format
is asked whether the line begins one of its own; inside, only the format that began it is fed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assistant import discover

if TYPE_CHECKING:
    from assistant.edits.edit import Edit, Misfit

_FENCE = re.compile(r"^(?P<indent>\s{0,3})(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$|^<source>\s*$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the reply a parser stands: the 1-based line, the lines above, the fence that is open, the last path."""

    number: int
    above: tuple[str, ...]
    fence: str
    info: str
    last_path: str


class Parser(Protocol):
    """Reads one stretch of a reply that is in its format."""

    done: bool
    path: str
    back: list[str]
    """Lines that turned out not to be its own, once `done`; they are read again as if it had not begun."""

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line without its end; sets `done` behind the last line that is its own."""

    def close(self) -> list[Edit | Misfit]:
        """Take the end of the reply: what is not whole is a Misfit."""


class Format(Protocol):
    """What a module in `formats/` offers."""

    def begin(self, line: str, place: Place) -> Parser | None:
        """Return a parser when this line begins an edit in this format; the line is not fed to it again."""


class EditParser:
    """Reads one reply. Safe on every prefix; the cost is linear in the length of the reply."""

    def __init__(self) -> None:
        self._formats: list[Format] = list(discover.parts("assistant.edits.formats"))
        self._rest = ""
        self._number = 0
        self._above: list[str] = []
        self._fence = ""
        self._info = ""
        self._first_in_fence = False
        self._active: Parser | None = None
        self._last_path = ""

    def feed(self, text: str) -> list[Edit | Misfit]:
        """Take some of the reply; return the edits that are whole now."""
        if "\n" not in text:
            self._rest += text
            return []
        *lines, self._rest = (self._rest + text).split("\n")
        return [each for line in lines for each in self._line(line.removesuffix("\r"))]

    def close(self) -> list[Edit | Misfit]:
        """Take the end of the reply; an edit that was cut short is a Misfit."""
        found = self._line(self._rest.removesuffix("\r")) if self._rest else []
        self._rest = ""
        if self._active is not None:
            found += self._active.close()
            self._active = None
        return found

    def _line(self, line: str) -> list[Edit | Misfit]:
        self._number += 1
        if self._active is not None:
            parser = self._active
            found = parser.line(line, self._number)
            self._last_path = parser.path or self._last_path
            if parser.done:
                self._active = None
                if self._fence and not parser.back and closes(line, self._fence):
                    self._fence = self._info = ""
                self._above = []
                found = [*found, *self._again(parser.back)]
            return found
        return self._outside(line)

    def _again(self, back: list[str]) -> list[Edit | Misfit]:
        """Read what a parser gave back: all but the last line are plain words, the last may begin something."""
        if not back:
            return []
        self._above += back[:-1]
        self._number -= 1
        return self._line(back[-1])

    def _outside(self, line: str) -> list[Edit | Misfit]:
        place = Place(self._number, tuple(self._above[-4:]), self._fence, self._info, self._last_path)
        for each in self._formats:
            self._active = each.begin(line, place)
            if self._active is not None:
                self._last_path = self._active.path or self._last_path
                self._above = []
                return []
        fence = _FENCE.match(line)
        if fence and not self._fence:
            self._fence = fence["fence"] or "<source>"
            self._info = (fence["info"] or "").strip()
        elif self._fence and closes(line, self._fence):
            self._fence = self._info = ""
            self._above = []
        self._above.append(line)
        del self._above[:-8]
        return []


def open_parser() -> EditParser:
    """Make a parser for one reply."""
    return EditParser()


def closes(line: str, fence: str) -> bool:
    """Say whether a line closes a fence."""
    if fence == "<source>":
        return line.strip() == "</source>"
    bare = line.strip()
    return len(bare) >= len(fence) and not bare.strip(fence[0])
