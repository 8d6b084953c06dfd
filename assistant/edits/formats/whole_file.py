"""Whole files: a line that is only a path, then a fence with the file's new text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.edits.edit import Edit, Misfit
from assistant.edits.naming import only_path

if TYPE_CHECKING:
    from assistant.edits.format import Place

_SHELLS = {"bash", "sh", "shell", "console", "zsh", "fish", "powershell", "shell-session"}
_NOT_FILES = {"diff", "patch", "udiff"}
_OTHER_FORMAT = re.compile(
    r"^\s{0,3}(<{5,9}\s*(SEARCH|ORIGINAL|HEAD|OLD)\b|\*\*\* (Begin|Add|Update|Delete)|diff --git |@@ )"
)
_INNER = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*\w")


def begin(line: str, place: Place) -> File | None:
    """Begin with the first line inside a fence that stands below a path."""
    if not place.fence or len(place.above) < 2 or not place.above[-1].strip().startswith(place.fence[:3]):
        return None
    above = next((each for each in reversed(place.above[:-1]) if each.strip()), "")
    path = only_path(above)
    if not path or place.info.split(" ")[0].lower() in _NOT_FILES or _OTHER_FORMAT.match(line):
        return None
    if place.info.lower() in _SHELLS and not path.endswith((".sh", ".bash", ".zsh", ".fish", ".ps1")) and "." in path:
        return None
    return File(path, place, line)


class File:
    """One file between its fences."""

    def __init__(self, path: str, place: Place, first: str) -> None:
        self.done = False
        self.back: list[str] = []
        self.path = path
        self._fence = place.fence
        self._number = place.number - 1
        self._lines: list[str] = []
        self._depth = 0
        self.line(first, place.number)

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line of the file; gives lines back when they turn out to be another format."""
        del number
        if len(self._lines) == 1 and _OTHER_FORMAT.match(line):
            self.done = True
            self.back = [*self._lines, line]
            return []
        if self._closes(line):
            if not self._depth:
                self.done = True
                return [self._edit()] if self._lines else []
            self._depth -= 1
        elif self._fence != "<source>" and _INNER.match(line) and line.strip()[0] == self._fence[0]:
            self._depth += 1
        self._lines.append(line)
        return []

    def close(self) -> list[Edit | Misfit]:
        """Report a file without its end."""
        return [Misfit(self._edit(), "incomplete", f"The text of {self.path} has no closing fence.")]

    def _closes(self, line: str) -> bool:
        bare = line.strip()
        if self._fence == "<source>":
            return bare == "</source>"
        return len(bare) >= len(self._fence) and not bare.strip(self._fence[0])

    def _edit(self) -> Edit:
        text = "".join(line + "\n" for line in self._lines)
        return Edit("whole", self.path, "", text, self._number, "whole_file")
