"""The apply_patch notation: `*** Begin Patch`, files with `*** Add/Update/Delete File:`, hunks below `@@` anchors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.edits.edit import Edit, Misfit
from assistant.edits.fence import DEEPEST, depth, outdented

if TYPE_CHECKING:
    from assistant.edits.format import Place

_ADD, _UPDATE, _DELETE = "*** Add File:", "*** Update File:", "*** Delete File:"
_BEGIN, _MOVE, _END, _EOF = "*** Begin Patch", "*** Move to:", "*** End Patch", "*** End of File"
_STRAY = re.compile(
    r"^\s*\*\*\* ?(?:(?:Begin|Start)\b.{0,20}\bPatch|(?:Add|Create|New|Update|Modify|Edit|Change|Delete|Remove|Move|Rename)\b.{0,12}\bFile\b)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"^-\d+(?:,\d+)? \+\d+(?:,\d+)?(?: @@|$)\s*")


def begin(line: str, place: Place) -> Envelope | None:
    """Begin at the opening line, or at any other line that only a patch has, to report that the patch is broken."""
    if line.strip() == _BEGIN:
        envelope = Envelope(place.number, depth(line) if place.fence or depth(line) <= DEEPEST else 0)
        if place.elsewhere:
            envelope.mistrust(place.elsewhere)
            envelope.astray = True
        return envelope
    if _STRAY.match(line) or _BEGIN + "\\n" in line:  # or the whole patch in one line, as a JSON string
        envelope = Envelope(place.number)
        envelope.line(line, place.number)
        envelope.mistrust(f"it does not begin with a line '{_BEGIN}'")
        return envelope
    return None


class Envelope:
    """Everything between the opening and the closing line.

    In an item of a list all lines may stand as far right as the opening one, and lose so many `blanks`.
    """

    def __init__(self, number: int, blanks: int = 0) -> None:
        self.done = False
        self.back: list[str] = []
        self.path = ""
        self._number = number
        self._blanks = blanks
        self._kind = ""
        self._also: tuple[str, ...] = ()
        self._move = ""
        self._anchors: list[str] = []
        self._lines: list[tuple[str, int]] = []
        self._start = number
        self._hunks = 0
        self._was_anchor = False
        self._open = False
        self._broken: Misfit | None = None
        self._told = False
        self.astray = False
        """Whether its paths do not start at the root: then none of its edits may be offered."""

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line."""
        line = outdented(line, self._blanks)
        in_hunk = self._lines or self._was_anchor  # inside a hunk, a line that begins with a space belongs to the file
        marker = line if in_hunk and not line.startswith("*") else line.strip(" \t")
        if line.strip() == _END:
            self.done = True
            return self._said(self._end_file())
        for kind in (_ADD, _UPDATE, _DELETE):
            if marker.startswith(kind):
                found = self._end_file()
                written = marker[len(kind) :].removeprefix(" ")
                self._kind, self.path, self._start = kind, written.strip(" \t"), number
                self._also = (written,) if written != self.path else ()
                if not self.path:
                    self.broken(number, "a file has no name")
                return self._said(found)
        if marker.startswith(_MOVE) and self._kind == _UPDATE and not self._hunks and not self._lines:
            self._move = marker[len(_MOVE) :].strip(" \t")
            if not self._move:
                self.broken(number, "a move does not say where to")
        elif marker.rstrip() == _EOF and self._kind == _UPDATE:
            return self._said(self._end_hunk(at_end=True))
        elif marker.startswith("@@") and self._kind == _UPDATE:
            return self._said(self._anchor(marker, number))
        elif line.startswith("***") or (line.strip() and self._kind in {"", _DELETE}):
            self.broken(number, f"{line.strip()[:60]!r} is not a line of a patch")
        elif self._kind in {_ADD, _UPDATE}:
            self._was_anchor = False
            if not self._lines:
                self._start = number
            self._lines.append((line, number))
        return self._said([])

    def close(self, *, whole: bool) -> list[Edit | Misfit]:
        """Report a patch that has no end."""
        del whole
        found = self._said(self._end_file())
        edit = Edit("replace", self.path, reply_line=self._number, format="apply_patch")
        words = f"The patch at line {self._number} of the reply has no line '{_END}'; the reply may be cut short."
        return [*found, Misfit(edit, "incomplete", words)]

    def mistrust(self, why: str) -> None:
        """Note that the patch as a whole cannot be read."""
        self._broken, self._told = None, False
        self.broken(self._number, why)

    def broken(self, number: int, why: str) -> None:
        """Note that the patch cannot be read; only the first reason is kept."""
        edit = Edit("replace", self.path, reply_line=number, format="apply_patch")
        words = f"The patch of {self.path or 'a file'} (line {number} of the reply) cannot be read: {why}."
        self._broken = self._broken or Misfit(edit, "malformed", words)

    def _said(self, found: list[Edit | Misfit]) -> list[Edit | Misfit]:
        """Append the reason why the patch is broken, once, to what was found."""
        if self.astray:
            found = [each for each in found if isinstance(each, Misfit)]
        if self._broken is None or self._told:
            return found
        self._told = True
        return [*found, self._broken]

    def _anchor(self, marker: str, number: int) -> list[Edit | Misfit]:
        found: list[Edit | Misfit] = []
        if self._lines:
            found = self._end_hunk()
        elif not self._was_anchor:
            self._anchors = []
        words = marker[2:].strip(" \t").removesuffix("@@").strip(" \t")
        words = _NUMBERS.sub("", words).strip(" \t")
        if self._was_anchor and not words:
            self.broken(number, "a hunk is empty")
        if words and words != "...":
            self._anchors.append(words)
        self._was_anchor, self._start = True, number
        return found

    def _end_file(self) -> list[Edit | Misfit]:
        kind, self._kind = self._kind, ""
        found: list[Edit | Misfit] = []
        if kind == _ADD:
            found = self._added()
        elif kind == _DELETE:
            found = [Edit("delete", self.path, reply_line=self._start, format="apply_patch", also=self._also)]
        elif kind == _UPDATE:
            found = self._end_hunk()
            if self._was_anchor:
                self.broken(self._start, "a hunk is empty")
            if self._move:
                found.append(
                    Edit(
                        "rename",
                        self.path,
                        reply_line=self._start,
                        format="apply_patch",
                        new_path=self._move,
                        also=self._also,
                    )
                )
            elif not self._hunks:
                self.broken(self._start, "it has no hunk")
        self._lines, self._move, self._anchors, self._hunks, self._was_anchor = [], "", [], 0, False
        return found

    def _added(self) -> list[Edit | Misfit]:
        lines = self._lines
        while lines and not lines[-1][0].strip():
            lines.pop()
        wrong = next((number for line, number in lines if not line.startswith("+")), 0)
        if wrong:
            self.broken(wrong, "lines of a new file must begin with '+'")
            return []
        text = "".join(line[1:] + "\n" for line, _ in lines)
        numbers = [number for _, number in lines]
        return [Edit("create", self.path, "", text, self._start, "apply_patch", after_lines=numbers)]

    def _end_hunk(self, *, at_end: bool = False) -> list[Edit | Misfit]:
        lines, self._lines = self._lines, []
        while lines and not lines[-1][0]:
            lines.pop()
        if not lines:
            return []
        self._hunks += 1
        self._was_anchor = False
        anchors, self._anchors = tuple(self._anchors), []
        for line, number in lines:
            if line[:1] not in {" ", "+", "-", ""}:
                self.broken(number, f"{line[:40]!r} begins with neither a blank, '+' nor '-'")
                return []
        if all(line[:1] in {" ", ""} for line, _ in lines):
            self.broken(lines[0][1], "a hunk changes nothing")
            return []
        old = "".join(line[1:] + "\n" for line, _ in lines if not line.startswith("+"))
        new = "".join(line[1:] + "\n" for line, _ in lines if not line.startswith("-"))
        numbers = [number for line, number in lines if not line.startswith("-")]
        return [
            Edit(
                "replace",
                self.path,
                old,
                new,
                self._start,
                "apply_patch",
                anchors=anchors,
                also=self._also,
                after_lines=numbers,
                signs="".join(line[:1] or " " for line, _ in lines),
                at_end=at_end,
            )
        ]
