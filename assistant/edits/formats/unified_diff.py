"""Unified diffs: numbers right, wrong or absent, fenced or bare, with git's headers or without."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.edits.edit import Edit, Misfit
from assistant.edits.fence import depth, is_mark, outdented
from assistant.edits.filename import looks
from assistant.edits.naming import only_path, readings, rivals
from assistant.gitnames import unquote

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
_NULL = "/dev/null"
_TIME = re.compile(r"\t(?:\d{4}-\d\d|\(|[A-Z][a-z]{2} |$).*$")
_PROSE = re.compile(r"^(?:[A-Z*_`\"'(]\S*(?:\s+\S+){3,}|[A-Z]\w*(?:\s+\S+)*[.:!?])$")
_TAG = re.compile(r"^\s*</?\w+>\s*$")
_LISTED = re.compile(r"^(?:[-+] \S|\+1\b|-{3,}\s*$)")
"""An item of a list, or a rule between words."""
_CONTEXT = "***************"
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)")
_KEPT = (".orig", ".old", ".bak", ".before")


def begin(line: str, place: Place) -> Diff | None:
    """Begin at a header or, inside a diff fence below a path, at a bare `@@` or a signed line."""
    blanks = place.fence.indent if place.fence and depth(line) >= place.fence.indent else 0
    diff, bare = Diff(place, blanks), outdented(line, blanks)
    if bare.startswith("diff --git ") or (bare.startswith("--- ") and bare[4:].strip(" -")):
        diff.line(line, place.number)
        return diff
    if place.last_path and not place.fence and _NUMBERS.match(line):
        diff.line(line, place.number)  # a hunk torn from its diff: it names no file, and is refused
        return diff
    if place.info.split(" ")[0].lower() not in _DIFFS or not place.above:
        return None
    if bare.startswith("+++ ") and looks(_name(bare[4:])):
        diff.line(line, place.number)  # the line with the old name is missing
        return diff
    if bare.startswith("@@") or (bare.startswith(_SIGNS[:3]) and bare.strip() and _opens(place)):
        diff.rivals = _rivals(place)
        diff.adopt(*_named(place))
        if not bare.startswith("@@"):
            diff.line("@@", place.number)
        diff.line(line, place.number)
        return diff
    return None


def _opens(place: Place) -> bool:
    """Say whether the fence opened right above; a line with the path may stand between."""
    last = place.above[-1].strip()
    above = place.above[-2].strip() if len(place.above) > 1 else ""
    return last.startswith(("`", "~", "<")) or (only_path(last)[1] and above.startswith(("`", "~", "<")))


def _named(place: Place) -> list[str]:
    """Return readings of the path of a diff without headers: from the fence's info, the line above, the last edit."""
    beside = place.info.partition(" ")[2]
    words = [beside] if beside else _words_above(place)
    names = readings(words[0]) if words else []
    return [*(names or [""]), place.last_path]


def _rivals(place: Place) -> tuple[str, ...]:
    """Return the files that the words above a diff without headers name, if there are several."""
    words = _words_above(place)
    return rivals(words[0], words[1:4]) if words and not place.info.partition(" ")[2] else ()


def _words_above(place: Place) -> list[str]:
    """Return the lines above that are neither blank nor fences nor tags, nearest first."""
    return [line for line in reversed(place.above) if line.strip() and not is_mark(line) and not _TAG.match(line)]


@dataclass(slots=True)
class _Hunk:
    start: int
    numbers: tuple[int, int, int, int] | None
    lines: list[tuple[str, int]] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)

    def count(self, besides: str) -> int:
        return sum(not line.startswith((besides, "\\")) for line, _ in self.lines)

    def missing(self) -> int:
        """How many lines the header promised that are missing."""
        if self.numbers is None:
            return 0
        return max(self.numbers[1] - self.count("+"), self.numbers[3] - self.count("-"), 0)

    def full(self) -> bool:
        """Whether exactly the lines came that the header promised, counting some of the empty lines below."""
        if self.numbers is None:
            return False
        old, new = self.numbers[1] - self.count("+"), self.numbers[3] - self.count("-")
        return old == new and 0 <= old <= len(self.blank)

    def put(self, line: str, number: int) -> None:
        self.lines += [("", at) for at in self.blank]
        self.blank = []
        self.lines.append((line, number))

    def drop_nothings(self) -> None:
        """Leave out empty lines without a line end: they stand for the end of a text whose last line has one."""
        kept: list[tuple[str, int]] = []
        for line, number in self.lines:
            if line.startswith("\\") and kept and kept[-1][0] in {"", " ", "-", "+"}:
                kept.pop()
            else:
                kept.append((line, number))
        self.lines = kept

    def rounded(self) -> bool:
        """Whether it ends in as much context as it begins with: then it is complete, whatever the header says."""
        signs = [line[:1] in {" ", ""} for line, _ in self.lines]
        head = signs.index(False) if False in signs else len(signs)
        tail = signs[::-1].index(False) if False in signs else 0
        return tail >= max(1, min(head, 3))


class Diff:
    """One stretch of diff, of one or several files.

    In an item of a list its lines may stand as far right as the fence around them, and lose so many `blanks`.
    """

    def __init__(self, place: Place, blanks: int = 0) -> None:
        self.done = False
        self.back: list[str] = []
        self.path = ""
        self._also: tuple[str, ...] = ()
        self.rivals: tuple[str, ...] = ()
        self._headed = False
        self._fence = place.fence
        self._blanks = blanks
        self._ends = [found[1] for line in place.above[-1:] if (found := _HEREDOC.search(line))]
        self._first: list[str] = []
        self._held: tuple[str, int] | None = None
        self._pair: list[tuple[str, int]] = []
        self._old = self._new = ""
        self._renames: dict[str, str] = {}
        self._mode: int | None = None
        self._odd = self._elsewhere = place.elsewhere
        self._strayed = self._miscounts = False
        self._git = False
        self._created = self._deleted = False
        self._hunk: _Hunk | None = None
        self._hunks = 0
        self._header_line = place.number

    def adopt(self, path: str, *also: str) -> None:
        """Set the path, and other readings of it, of a diff that has no header."""
        self.path, self._also, self._headed = path, also, True

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line of the diff."""
        found = self._take(outdented(line, self._blanks), number)
        if self.back:
            self.back = [*(" " * self._blanks + each for each in self.back[:-1]), line]
        return found

    def _take(self, line: str, number: int) -> list[Edit | Misfit]:
        if self._held is not None:
            return self._after_held(line, number)
        if self._pair:
            return self._after_pair(line, number)
        if len(self._first) > 1 and not self._doubted(line):
            return []
        if self._closes(line) or line in self._ends:
            self.done = True
            return self._end_file()
        if self._hunk is not None and self._hunk.full() and self._is_behind(self._hunk, line):
            self.done, self.back = True, [line]
            return self._end_file()
        if self._hunk is not None and self._in_hunk(line, number):
            return []
        if line == _CONTEXT and self._first and self._hunk is None:
            self.done = True
            words = f"The edit at line {number} of the reply is a context diff, with '!' for what changes."
            return [Misfit(self._bare(number), "malformed", words)]
        if line.startswith("@@") or self._unnumbered(line):
            return self._begin_hunk(line, number)
        if line.startswith("diff --git "):
            found = self._end_file()
            self._git, self._header_line = True, number
            self._old, self._new = _git_names(line)
            self.path = self._new
            return found
        if line.startswith("--- "):
            return self._old_name(line, number)
        if line.startswith("+++ "):
            if self._first and not self._git and not any(map(looks, (self._old, _name(line[4:])))):
                self._first.append(line)  # `--- PASS: x` and `+++ done`: the next line decides
                return []
            self._name_new(line)
            return []
        if line.startswith(("GIT binary patch", "Binary files ")):
            self.done = True
            self._hunks += 1
            words = f"{self.path or 'A file'} (line {number} of the reply): a binary patch cannot be applied."
            return [Misfit(self._bare(number), "malformed", words)]
        if line.startswith(_HEADERS) and self._hunk is None:
            self._header(line)
            return []
        if self._first and not self._headed and not self._git:
            self.done, self.back = True, [*self._first, line]  # a rule or a list, not a diff
            return []
        if self._fence and self._hunk is None:
            return self._stray(line, number) if line.strip() else []
        hunk = self._hunk
        lost = hunk is not None and self._short(hunk) and not hunk.rounded()
        found = [*self._end_file(), *([self._cut()] if lost else [])]
        self.done = True
        self.back = [line]
        return found

    def _name_new(self, line: str) -> None:
        self._new, self._first, self._headed = _name(line[4:]), [], True
        self._settle_names()

    def _doubted(self, line: str) -> bool:
        """Decide whether two lines that name no likely file are headers: they are if a hunk follows, else words."""
        if line.startswith("@@"):
            self._name_new(self._first[1])
            return True
        self.done, self.back = True, [*self._first, line]
        return False

    def close(self, *, whole: bool) -> list[Edit | Misfit]:
        """Take the end of the reply."""
        for line, number in [*([self._held] if self._held is not None else []), *self._pair]:
            if self._hunk is not None:
                self._hunk.put(line, number)
        self._held, self._pair = None, []
        hunk = self._hunk
        started = (self._headed or self._git) and not self._hunks and not self._renames and self._mode is None
        if hunk is None:
            self._headed = False  # a diff that is cut short is not reported as one without a hunk
        if self._fence:
            return [*self._end_file(), self._cut()]
        if hunk is None:
            unsaid = started and not self._created and not self._deleted
            return [*self._end_file(), *([self._cut()] if unsaid else [])]
        short = self._short(hunk) and not (hunk.rounded() and whole)
        last = hunk.lines[-1][0] if hunk.lines else ""
        half = not whole and bool(last) and not hunk.blank and (last.startswith("+") or not last.strip())
        found = self._end_file()
        return [*found, self._cut()] if short or half else found

    def _unnumbered(self, line: str) -> bool:
        """Say whether a line is the first of a hunk whose `@@` line is missing."""
        if not self._headed or self._hunks or self._hunk is not None or line.startswith(("--- ", "+++ ")):
            return False
        return line.startswith(_SIGNS[:3]) and bool(line.strip())

    def _begin_hunk(self, line: str, number: int) -> list[Edit | Misfit]:
        if self._first and not self._headed:  # the line with the new name is missing
            self._new = "b/" + self._old[2:] if self._old.startswith("a/") else self._old
            self._first = []
            self._settle_names()
        found = self._end_hunk()
        told = _NUMBERS.match(line)
        counts = (int(told[1]), int(told[2] or 1), int(told[3]), int(told[4] or 1)) if told else None
        self._hunk, self._headed = _Hunk(number, counts), True
        if not line.startswith("@@"):
            self._hunk.put(line, number)
        return found

    def _stray(self, line: str, number: int) -> list[Edit | Misfit]:
        """Refuse words where a hunk should begin; words above the headers are only words."""
        if not self._headed or self._strayed:
            return []
        self._strayed = True
        words = f"{self.path}: {line.strip()[:60]!r} (line {number} of the reply) is neither a header of a diff nor a line of a hunk."
        return [Misfit(self._bare(number), "malformed", words)]

    def _short(self, hunk: _Hunk) -> bool:
        """Say whether promised lines are missing; the promises of a reply that has miscounted before do not count."""
        return hunk.missing() > len(hunk.blank) and not self._miscounts

    def _old_name(self, line: str, number: int) -> list[Edit | Misfit]:
        fresh = self._git and not self._hunks and self._hunk is None and not self._headed
        found = [] if fresh else self._end_file()
        self._old, self._first, self._headed = _name(line[4:]), [line], False
        self._header_line = number
        return found

    def _after_held(self, line: str, number: int) -> list[Edit | Misfit]:
        """Decide whether a line of dashes removes a line that begins with two dashes, or names the next file."""
        held, at = self._held or ("", 0)
        self._held = None
        hunk = self._hunk
        if line.startswith("+++ ") and hunk is not None and _names_file(hunk, held, line):
            if not hunk.missing():
                return [*self._old_name(held, at), *self._take(line, number)]
            self._pair = [(held, at), (line, number)]  # promised lines are missing: the next line decides
            return []
        if hunk is not None:
            hunk.put(held, at)
        return self._take(line, number)

    def _after_pair(self, line: str, number: int) -> list[Edit | Misfit]:
        """Decide whether two lines name the next file or belong to the hunk: after headers a hunk follows."""
        (old, at), (new, below) = self._pair
        self._pair = []
        if line.startswith("@@"):
            return [*self._old_name(old, at), *self._take(new, below), *self._take(line, number)]
        if self._hunk is not None:
            self._hunk.put(old, at)
            self._hunk.put(new, below)
        return self._take(line, number)

    def _in_hunk(self, line: str, number: int) -> bool:
        """Add a line to the open hunk; return False if it does not belong there."""
        hunk = self._hunk
        if hunk is None:
            return False
        if line.startswith("--- "):
            self._held = (line, number)
        elif line.startswith(_SIGNS):
            hunk.put(line, number)
        elif not line.strip():
            hunk.blank.append(number)
        elif line.startswith(("@@", "diff --git ", "*** ", "Index: ", "====")):
            return False
        elif (
            self._fence
            or (hunk.missing() > len(hunk.blank) and not _PROSE.match(line))
            or (hunk.numbers is None and not hunk.blank)
        ):
            hunk.put(" " + line, number)  # context whose first column is missing
        else:
            return False
        return True

    def _is_behind(self, hunk: _Hunk, line: str) -> bool:
        """Say whether a line below a complete hunk lies outside it, although it begins like a line of a hunk."""
        if line == "-- ":
            return True  # the line below a patch that git sends as a mail
        words = _LISTED.match(line) or _PROSE.match(line.strip())
        return not self._fence and bool(hunk.blank) and words is not None

    def _header(self, line: str) -> None:
        last = line.rsplit(maxsplit=1)[-1]
        if line.startswith(("rename from ", "rename to ")):
            _, which, name = line.split(" ", 2)
            self._renames[which] = unquote(name.strip(" \t"))
        elif line.startswith("copy "):
            self._odd = "copies are not made"
        elif line.startswith(("new mode ", "new file mode ")):
            mode = int(last, 8) if re.fullmatch(r"[0-7]{3,6}", last) else 0
            if mode >> 9 not in {0, 0o100}:
                self._odd = "symbolic links and submodules are not made"
            self._mode = 0o755 if mode & 0o111 else 0o644
            self._created |= line.startswith("new file")
        elif line.startswith("deleted file mode"):
            self._deleted = True

    def _settle_names(self) -> None:
        old, new = self._old, self._new
        self.rivals = ()
        raw = new
        if not old:  # the line with the old name is missing
            old = "a/" + new[2:] if new.startswith("b/") else new
        if (old == _NULL or old.startswith("a/")) and (new == _NULL or new.startswith("b/")):
            old, new = old if old == _NULL else old[2:], new if new == _NULL else new[2:]
        elif old.removeprefix("a/") == new or new.removeprefix("b/") == old:
            old = new = old if len(old) < len(new) else new
        self._created |= old == _NULL
        self._deleted |= new == _NULL
        self.path = new if new != _NULL else old
        self._also = (raw,) if raw not in {new, _NULL} else ()
        kept = any(old == new + end for end in _KEPT)
        if not self._created and not self._deleted and old != new and not kept:
            self._renames.setdefault("from", old)
            self._renames.setdefault("to", new)

    def _bare(self, number: int) -> Edit:
        return Edit("replace", self.path, reply_line=number, format="unified_diff")

    def _end_hunk(self) -> list[Edit | Misfit]:
        hunk, self._hunk = self._hunk, None
        if hunk is None:
            return []
        self._hunks += 1
        hunk.lines += [("", at) for at in hunk.blank[: hunk.missing()]]
        size = hunk.count("+"), hunk.count("-")
        hunk.drop_nothings()
        old: list[str] = []
        new: list[str] = []
        numbers: list[int] = []
        final: bool | None = None
        last = ""
        for line, number in hunk.lines:
            sign, words = line[:1] or " ", line[1:]
            if sign == "\\":
                final = False if last in {"+", " "} else True if final is None else final
                continue
            if sign in " -":
                old.append(words + "\n")
            if sign in " +":
                new.append(words + "\n")
                numbers.append(number)
            last = sign
        path = self._renames.get("from", self.path)
        if self._odd:
            return [Misfit(self._bare(hunk.start), "outside", f"{path}: {self._odd} (line {hunk.start} of the reply).")]
        if not old and not new:
            words = f"{path}: the hunk at line {hunk.start} of the reply is empty."
            return [Misfit(self._bare(hunk.start), "malformed", words)]
        counts = hunk.numbers
        right = counts is not None and (counts[1], counts[3]) == size
        self._miscounts |= counts is not None and not right
        right = right and counts is not None and counts[0] > 0
        fresh = self._created or (not old and counts is not None and counts[:2] == (0, 0))
        action: Action = "create" if fresh else "delete" if self._deleted else "replace"
        return [
            Edit(
                action, path, "".join(old), "".join(new), hunk.start, "unified_diff", counts[0] if counts and right else None,
                mode=self._mode if fresh else None, final_newline=final, also=self._also, after_lines=numbers,
                rivals=self.rivals, signs="".join(line[:1] or " " for line, _ in hunk.lines if line[:1] != "\\"),
            )
        ]  # fmt: skip

    def _end_file(self) -> list[Edit | Misfit]:
        found = self._end_hunk()
        path = self._renames.get("from", self.path)
        at = self._header_line
        if self._odd and not any(isinstance(each, Misfit) for each in found):
            found.append(Misfit(self._bare(at), "outside", f"{path}: {self._odd} (line {at} of the reply)."))
        elif not self._odd:
            if self._mode is not None and not self._created:
                found.append(Edit("mode", path, reply_line=at, format="unified_diff", mode=self._mode))
            if self._renames.get("to") and self._renames["to"] != path:
                found.append(Edit("rename", path, reply_line=at, format="unified_diff", new_path=self._renames["to"]))
            if not self._hunks and self._git and (self._created or self._deleted):
                action: Action = "create" if self._created else "delete"
                found.append(Edit(action, path, reply_line=at, format="unified_diff", mode=self._mode))
            if self._headed and not found and not self._hunks and not self._strayed:
                words = f"The diff of {path} (line {at} of the reply) has no hunk."
                found.append(Misfit(self._bare(at), "malformed", words))
        self._renames, self._mode, self._odd, self._git, self._hunks = {}, None, self._elsewhere, False, 0
        self._created = self._deleted = self._headed = self._strayed = False
        self._also = ()
        return found

    def _closes(self, line: str) -> bool:
        """Say whether a line ends the block; one blank before it could be the sign of a line of context."""
        fence = self._fence
        if fence is None or not fence.closes(line):
            return False
        return depth(line) == 0 or (depth(line) == fence.indent > 1 and not self._blanks)

    def _cut(self) -> Misfit:
        at = self._hunk.start if self._hunk else self._header_line
        words = f"The diff of {self.path or 'a file'} (line {at} of the reply) has no end; the reply may be cut short."
        return Misfit(self._bare(at), "incomplete", words)


def _name(words: str) -> str:
    """Read the path of a header line: drop a time after a tab, undo quotes."""
    return unquote(_TIME.sub("", words).strip(" "))


def _names_file(hunk: _Hunk, old: str, new: str) -> bool:
    """Say whether two lines that a hunk may hold ("--- old", "+++ new") name the next file instead."""
    names = [_name(line[4:]) for line in (old, new)]
    if hunk.numbers is not None and not hunk.missing():
        return True
    bare = [name.removeprefix(sign) for name, sign in zip(names, ("a/", "b/"), strict=True)]
    return looks(names[1]) or (hunk.numbers is None and (bare[0] == bare[1] or "/dev/null" in names))


def _git_names(line: str) -> tuple[str, str]:
    words = line.removeprefix("diff --git ")
    half = len(words) // 2
    if words[:half].strip(" ")[2:] == words[half:].strip(" ")[2:]:
        name = unquote(words[:half].strip(" "))
        return name, name.removeprefix("a/")
    parts = words.split(" b/")
    return parts[0], parts[-1]
