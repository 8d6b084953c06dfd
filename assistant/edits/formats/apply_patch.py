"""The apply_patch notation: `*** Begin Patch`, files with `*** Add/Update/Delete File:`, hunks below `@@` anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.edits.edit import Edit, Misfit

if TYPE_CHECKING:
    from assistant.edits.format import Place

_ADD, _UPDATE, _DELETE = "*** Add File: ", "*** Update File: ", "*** Delete File: "
_MOVE, _END, _EOF = "*** Move to: ", "*** End Patch", "*** End of File"


def begin(line: str, place: Place) -> Envelope | None:
    """Begin at the opening line, or at a file's line where a model left it out."""
    bare = line.strip()
    if bare == "*** Begin Patch":
        return Envelope(place.number)
    if line.startswith((_ADD, _UPDATE, _DELETE)):
        envelope = Envelope(place.number)
        envelope.line(line, place.number)
        return envelope
    return None


class Envelope:
    """All between the opening and the closing line."""

    def __init__(self, number: int) -> None:
        self.done = False
        self.back: list[str] = []
        self.path = ""
        self._number = number
        self._kind = ""
        self._move = ""
        self._anchors: list[str] = []
        self._lines: list[str] = []
        self._start = number
        self._hunks = 0
        self._was_anchor = False

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line."""
        bare = line.rstrip()
        if bare.strip() == _END:
            self.done = True
            return self._end_file()
        for kind in (_ADD, _UPDATE, _DELETE):
            if line.startswith(kind):
                found = self._end_file()
                self._kind, self.path, self._start = kind, line[len(kind) :].strip(), number
                return found
        if line.startswith(_MOVE) and self._kind == _UPDATE:
            self._move = line[len(_MOVE) :].strip()
        elif bare == _EOF:
            return self._end_hunk()
        elif line.startswith("@@") and self._kind == _UPDATE:
            found = self._end_hunk() if self._lines else []
            if not self._was_anchor:
                self._anchors = []
            anchor = line[2:].strip().removesuffix("@@").strip()
            if anchor and not anchor.startswith("-"):
                self._anchors.append(anchor)
            self._was_anchor, self._start = True, number
            return found
        elif self._kind:
            self._was_anchor = False
            if not self._lines:
                self._start = number
            self._lines.append(line)
        elif bare:
            self.done = True
            return [self._broken(number, f"{bare[:60]!r} is not a line of a patch")]
        return []

    def close(self) -> list[Edit | Misfit]:
        """Report a patch without its end."""
        found = self._end_file()
        edit = Edit("replace", self.path, reply_line=self._number, format="apply_patch")
        return [*found, Misfit(edit, "incomplete", "The patch has no '*** End Patch' line.")]

    def _end_file(self) -> list[Edit | Misfit]:
        kind, self._kind = self._kind, ""
        found: list[Edit | Misfit] = []
        if kind == _ADD:
            lines = self._lines
            self._lines = []
            while lines and not lines[-1].strip():
                lines.pop()
            if any(not line.startswith("+") for line in lines):
                return [self._broken(self._start, "lines of a new file must begin with '+'")]
            text = "".join(line[1:] + "\n" for line in lines)
            return [Edit("create", self.path, "", text, self._start, "apply_patch")]
        if kind == _DELETE:
            self._lines = []
            return [Edit("delete", self.path, reply_line=self._start, format="apply_patch")]
        if kind == _UPDATE:
            self._kind = kind
            found = self._end_hunk()
            self._kind = ""
            if self._move:
                found.append(
                    Edit("rename", self.path, reply_line=self._start, format="apply_patch", new_path=self._move)
                )
            elif not self._hunks:
                found.append(self._broken(self._start, "it has no hunk"))
        self._move, self._anchors, self._hunks, self._was_anchor = "", [], 0, False
        return found

    def _end_hunk(self) -> list[Edit | Misfit]:
        lines, self._lines = self._lines, []
        while lines and not lines[-1].strip() and not lines[-1]:
            lines.pop()
        if not lines:
            if self._was_anchor:
                return [self._broken(self._start, "a hunk is empty")]
            return []
        self._hunks += 1
        if any(line[:1] not in {" ", "+", "-", ""} for line in lines):
            return [self._broken(self._start, "a line begins with neither a blank, '+' nor '-'")]
        old = "".join(line[1:] + "\n" for line in lines if not line.startswith("+"))
        new = "".join(line[1:] + "\n" for line in lines if not line.startswith("-"))
        edit = Edit("replace", self.path, old, new, self._start, "apply_patch", anchors=tuple(self._anchors))
        self._anchors = []
        return [edit]

    def _broken(self, number: int, why: str) -> Misfit:
        edit = Edit("replace", self.path, reply_line=number, format="apply_patch")
        return Misfit(edit, "malformed", f"The patch of {self.path or 'a file'} cannot be read: {why}.")
