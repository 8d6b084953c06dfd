"""SEARCH/REPLACE blocks: the path, then the lines to find and the lines to put in their place, between three markers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.edits.edit import Edit, Misfit
from assistant.edits.naming import readings

if TYPE_CHECKING:
    from assistant.edits.edit import Action
    from assistant.edits.format import Place

_HEAD = re.compile(r"^\s{0,3}(<{5,9})\s*(?:SEARCH|ORIGINAL|HEAD|OLD)\b\s*>?\s*(?P<path>\S.*)?$", re.IGNORECASE)
_DIVIDER = re.compile(r"^\s{0,3}={5,9}\s*$")
_TAIL = re.compile(r"^\s{0,3}>{5,9}\s*(?:REPLACE|UPDATED|NEW|END)?\s*$", re.IGNORECASE)
_FENCE = re.compile(r"^\s*(`{3,}|~{3,}|<source>)")


def begin(line: str, place: Place) -> Block | None:
    """Begin at the first marker; the path is the nearest line above that names one, else that of the block before."""
    head = _HEAD.match(line)
    if head is None:
        return None
    names: list[str] = readings(head["path"] or "")
    for above in reversed(place.above):
        if names or (above.strip() and not _FENCE.match(above)):
            names = names or readings(above)
            break
    names = names or ([place.last_path] if place.last_path else [])
    return Block(names, place.number)


class Block:
    """One block."""

    def __init__(self, names: list[str], number: int) -> None:
        self.done = False
        self.back: list[str] = []
        self.path = names[0] if names else ""
        self._names = names
        self._number = number
        self._old: list[str] = []
        self._new: list[str] | None = None
        self._dividers = 0

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line of the block."""
        del number
        if _DIVIDER.match(line):
            self._dividers += 1
            if self._new is None:
                self._new = []
                return []
        elif _TAIL.match(line) and self._new is not None:
            self.done = True
            return [self._whole()]
        elif _HEAD.match(line):
            self.done = True
            return [self._broken("a new block begins inside it")]
        (self._old if self._new is None else self._new).append(line)
        return []

    def close(self) -> list[Edit | Misfit]:
        """Report a block without its end."""
        edit = self._edit()
        return [Misfit(edit, "incomplete", f"The block for {self.path or 'an unnamed file'} has no end.")]

    def _whole(self) -> Edit | Misfit:
        if self._dividers > 1:
            return self._broken("it has more than one line of equal signs, so that its halves cannot be told apart")
        if not self._names:
            return self._broken("no line above it names a file")
        return self._edit()

    def _edit(self) -> Edit:
        old = "".join(line + "\n" for line in self._old)
        new = "".join(line + "\n" for line in self._new or [])
        action: Action = "replace" if old.strip() else "create"
        return Edit(action, self.path, old, new, self._number, "edit_block", also=tuple(self._names[1:]))

    def _broken(self, why: str) -> Misfit:
        return Misfit(
            self._edit(), "malformed", f"The block at line {self._number} of the reply cannot be read: {why}."
        )
