"""Unified diffs: numbers right, wrong or absent, fenced or bare, with git's headers or without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.edits.edit import Edit, Misfit
from assistant.edits.naming import readings

if TYPE_CHECKING:
    from assistant.edits.edit import Action
    from assistant.edits.format import Place

_NUMBERS = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_HEADERS = (
    "index ", "similarity index", "dissimilarity index", "old mode", "new mode", "new file mode", "deleted file mode",
    "rename from", "rename to", "copy from", "copy to",
)  # fmt: skip
_DIFFS = {"diff", "patch", "udiff"}
_SIGNS = (" ", "+", "-", "\\")


def begin(line: str, place: Place) -> Diff | None:
    """Begin at a header; at a bare `@@` only inside a diff fence, below a path."""
    diff = Diff(place)
    if line.startswith("diff --git ") or (line.startswith("--- ") and line[4:].strip(" -")):
        diff.line(line, place.number)
        return diff
    if line.startswith("@@") and place.info.split(" ")[0].lower() in _DIFFS:
        names = [name for above in reversed(place.above[:-1]) for name in readings(above)]
        if names or place.last_path:
            diff.path = (names or [place.last_path])[0]
            diff.headed = True
            diff.line(line, place.number)
            return diff
    return None


class Diff:
    """One stretch of diff, of one or several files."""

    def __init__(self, place: Place) -> None:
        self.done = False
        self.back: list[str] = []
        self.path = ""
        self.headed = False
        self._fence = place.fence
        self._first: list[str] = []
        self._old = self._new = ""
        self._renames: dict[str, str] = {}
        self._mode: int | None = None
        self._git = False
        self._created = self._deleted = False
        self._hunk: list[str] | None = None
        self._at = self._start = 0
        self._want = (0, 0)
        self._blank = 0
        self._ends: dict[str, bool] = {}
        self._hunks = 0
        self._header_line = place.number

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line of the diff."""
        if self._fence and self._closes(line):
            self.done = True
            return self._end_file()
        if self._hunk is not None and self._in_hunk(line):
            return []
        if line.startswith("@@"):
            found = self._end_hunk()
            numbers = _NUMBERS.match(line)
            self._hunk, self._start, self._blank = [], number, 0
            self._at = int(numbers[1]) if numbers else 0
            self._want = (int(numbers[2] or 1), int(numbers[4] or 1)) if numbers else (0, 0)
            self.headed = True
            return found
        if line.startswith("diff --git "):
            found = self._end_file()
            self._git, self._header_line = True, number
            self._old, self._new = _git_names(line)
            self.path = self._new
            return found
        if line.startswith("--- ") and (self._hunk is None or line[4:].strip()):
            found = [] if self._git and not self._hunks and not self._hunk else self._end_file()
            self._old = _name(line[4:])
            self._first = [line]
            return found
        if line.startswith("+++ "):
            self._new = _name(line[4:])
            self._first = []
            self.headed = True
            self._settle_names()
            return []
        if line.startswith(("GIT binary patch", "Binary files ")):
            self.done = True
            edit = Edit("replace", self.path, reply_line=number, format="unified_diff")
            return [Misfit(edit, "malformed", f"{self.path or 'A file'}: a binary patch cannot be applied.")]
        if line.startswith(_HEADERS) and self._hunk is None:
            self._header(line)
            return []
        if self._first and not self.headed and not self._git:
            self.done, self.back = True, [*self._first, line]  # a rule or a list, not a diff
            return []
        if self._fence and not line.strip():
            return []
        found = self._end_file()
        self.done = not self._fence
        if self.done:
            self.back = [line]
        return found

    def close(self) -> list[Edit | Misfit]:
        """Take the end of the reply."""
        if self._fence:
            return [*self._end_file(), self._cut()]
        short = self._hunk is not None and self._short()
        found = self._end_file()
        return [*found[:-1], self._cut()] if short else found

    def _in_hunk(self, line: str) -> bool:
        assert self._hunk is not None  # noqa: S101 - asked by the caller
        if line.startswith(_SIGNS):
            if line.startswith("--- ") and not self._short() and self._looks_like_header(line):
                return False
            self._hunk += [""] * self._blank
            self._blank = 0
            self._hunk.append(line)
            return True
        if not line.strip():
            self._blank += 1
            return True
        if self._fence and not line.startswith(("@@", "diff --git ", "*** ")):
            self._hunk += [""] * self._blank
            self._blank = 0
            self._hunk.append(" " + line)  # context whose first column got lost
            return True
        return False

    @staticmethod
    def _looks_like_header(line: str) -> bool:
        return bool(re.match(r"^--- (?:a/|/dev/null|\"?[\w.][^\s]*[./]\w)", line))

    def _short(self) -> bool:
        """Whether the header promised more lines than came."""
        lines = self._hunk or []
        old = sum(not line.startswith(("+", "\\")) for line in lines)
        new = sum(not line.startswith(("-", "\\")) for line in lines)
        return old < self._want[0] or new < self._want[1]

    def _header(self, line: str) -> None:
        if line.startswith(("rename from ", "rename to ")):
            _, which, name = line.split(" ", 2)
            self._renames[which] = _unquote(name.strip())
        elif line.startswith("new mode "):
            self._mode = int(line.rsplit(maxsplit=1)[-1], 8) & 0o777
        elif line.startswith("new file mode"):
            self._created = True
            self._mode = int(line.rsplit(maxsplit=1)[-1], 8)
        elif line.startswith("deleted file mode"):
            self._deleted = True

    def _settle_names(self) -> None:
        old, new = self._old, self._new
        null = "/dev/null"
        if (old == null or old.startswith("a/")) and (new == null or new.startswith("b/")):
            old, new = old if old == null else old[2:], new if new == null else new[2:]
        self._created |= old == null
        self._deleted |= new == null
        self.path = new if new != null else old
        if not self._created and not self._deleted and old != new:
            self._renames.setdefault("from", old)
            self._renames.setdefault("to", new)

    def _end_hunk(self) -> list[Edit | Misfit]:
        if self._hunk is None:
            return []
        lines, self._hunk = self._hunk, None
        self._hunks += 1
        old: list[str] = []
        new: list[str] = []
        final: bool | None = None
        last = ""
        for line in lines:
            sign, words = line[:1] or " ", line[1:]
            if sign == "\\":
                final = False if last in {"+", " "} else True if final is None else final
                continue
            if sign in " -":
                old.append(words + "\n")
            if sign in " +":
                new.append(words + "\n")
            last = sign
        action: Action = "create" if self._created else "delete" if self._deleted else "replace"
        path = self._renames.get("from", self.path)
        edit = Edit(
            action, path, "".join(old), "".join(new), self._start, "unified_diff", self._at or None,
            mode=self._mode if self._created else None, final_newline=final,
        )  # fmt: skip
        if self._mode == 0o120000 or (self._mode or 0) >= 0o160000:
            return [Misfit(edit, "outside", f"{path}: symbolic links and submodules are not made.")]
        if not old and not new:
            return [Misfit(edit, "malformed", f"{path}: the hunk at line {self._start} of the reply is empty.")]
        return [edit]

    def _end_file(self) -> list[Edit | Misfit]:
        found = self._end_hunk()
        path = self._renames.get("from", self.path)
        if self._renames.get("to") and self._renames["to"] != path:
            found.append(
                Edit("rename", path, reply_line=self._header_line, format="unified_diff", new_path=self._renames["to"])
            )
        if self._mode is not None and not self._created:
            found.append(Edit("mode", path, reply_line=self._header_line, format="unified_diff", mode=self._mode))
        if not self._hunks and self._git and (self._created or self._deleted):
            action: Action = "create" if self._created else "delete"
            found.append(Edit(action, path, reply_line=self._header_line, format="unified_diff", mode=self._mode))
        self._renames, self._mode, self._git, self._hunks = {}, None, False, 0
        self._created = self._deleted = False
        return found

    def _closes(self, line: str) -> bool:
        bare = line.rstrip() if line.startswith(("`", "~", "<")) else ""
        if self._fence == "<source>":
            return bare == "</source>"
        return len(bare) >= len(self._fence) and not bare.strip(self._fence[0])

    def _cut(self) -> Misfit:
        edit = Edit("replace", self.path, reply_line=self._start or self._header_line, format="unified_diff")
        return Misfit(edit, "incomplete", f"The diff of {self.path or 'a file'} has no end.")


def _name(words: str) -> str:
    """Read a path of a header line: cut at a tab (a time follows), unquote."""
    return _unquote(words.split("\t", maxsplit=1)[0].strip())


def _git_names(line: str) -> tuple[str, str]:
    words = line.removeprefix("diff --git ")
    half = len(words) // 2
    if words[:half].strip()[2:] == words[half:].strip()[2:]:
        name = _unquote(words[:half].strip())
        return name, name.removeprefix("a/")
    parts = words.split(" b/")
    return parts[0], parts[-1]


def _unquote(name: str) -> str:
    """Undo git's quoting of odd names."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    out = bytearray()
    body = name[1:-1].encode("utf-8", "surrogateescape")
    at = 0
    plain = {
        b"n": b"\n",
        b"t": b"\t",
        b"r": b"\r",
        b'"': b'"',
        b"\\": b"\\",
        b"a": b"\a",
        b"b": b"\b",
        b"f": b"\f",
        b"v": b"\v",
    }
    while at < len(body):
        if body[at : at + 1] == b"\\" and at + 1 < len(body):
            octal = re.match(rb"[0-7]{3}", body[at + 1 :])
            if octal:
                out.append(int(octal[0], 8) & 0xFF)
                at += 4
                continue
            out += plain.get(body[at + 1 : at + 2], body[at : at + 2])
            at += 2
        else:
            out += body[at : at + 1]
            at += 1
    return out.decode("utf-8", "surrogateescape")
