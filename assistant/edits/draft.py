"""One file while a reply's edits are put into it: its lines, their replacements, and the origin of each."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.edits import text
from assistant.edits.compare import Range, changes
from assistant.edits.edit import Edit, Origin
from assistant.edits.patch import FilePatch
from assistant.edits.refusal import Refusal
from assistant.edits.seek import Found, Index, Wish, bare

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST = 20_000_000
_MOST_READ = 1_000_000
"""Most lines of a file to search again for edits that only match what the reply wrote before: some seconds' work."""


class Overlap(Exception):
    """Two edits want the same lines; `edit` is the reply line of the earlier one."""

    def __init__(self, edit: int) -> None:
        super().__init__(edit)
        self.edit = edit


@dataclass(frozen=True, slots=True)
class Splice:
    """Lines `start` to `end` (0-based, `end` exclusive) give way to `lines`; `origins` has one entry per new line."""

    start: int
    end: int
    lines: tuple[str, ...]
    origins: tuple[Origin, ...]
    origin: Origin


@dataclass(slots=True)
class Draft:
    """One file. `came` has an origin for each line that this reply wrote, and None for the file's own lines."""

    path: str
    before: bytes | None
    mode: int | None
    how: text.Coding
    lines: list[str]
    came: list[Origin | None]
    went: dict[int, Origin] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    mode_after: int | None = None
    exists: bool = True
    made: bool = False
    new_path: str = ""
    final: bool | None = None
    miscounts: bool = False
    done: set[tuple[str, str, int | None]] = field(default_factory=set)
    splices: list[Splice] = field(default_factory=list)
    claims: dict[tuple[int, str], Edit] = field(default_factory=dict)
    _index: Index | None = None
    _line_end: str = ""
    _later: Draft | None = None
    _read: int = 0

    @classmethod
    def absent(cls, path: str) -> Draft:
        """Make a draft of a file that does not exist."""
        return cls(path, None, None, text.Coding(), [], [], exists=False)

    @property
    def index(self) -> Index:
        """The lines, indexed for searching."""
        if self._index is None:
            self._index = Index(self.lines)
        return self._index

    @property
    def line_end(self) -> str:
        """The line end that most lines have."""
        if not self._line_end:
            self._line_end = text.line_end(self.lines)
        return self._line_end

    @property
    def touched(self) -> bool:
        """Whether an edit of this reply has written anything."""
        return bool(self.splices) or self.made or any(self.came)

    def write_whole(self, edit: Edit, new: list[str]) -> None:
        """Replace the whole text; lines that stay the same keep their bytes."""
        if not self.exists:
            self.exists, self.mode_after = True, edit.mode or 0o644
        if edit.after.startswith("\ufeff") and new:
            new = [new[0].removeprefix("\ufeff"), *new[1:]]
        self.made = True
        self.final = edit.final_newline if edit.final_newline is not None else self.final
        old = [bare(line) for line in self.lines]
        fresh = [bare(line) for line in new]
        if fresh or old:
            self.put(edit, Found(0, tuple(old), tuple(fresh), tuple(range(len(fresh))), "exact"))

    def append(self, edit: Edit, wish: Wish) -> None:
        """Add new lines at the end."""
        self.put(edit, Found(len(self.lines), (), tuple(wish.new), tuple(wish.source), "exact"))

    def put(self, edit: Edit, found: Found) -> None:
        """Replace the lines that differ between old and new at a place; raises Overlap without changing anything."""
        taken = bisect_left(self.splices, found.start, key=lambda each: each.end)
        for each in self.splices[taken:]:
            if each.start > found.end:
                break
            inside = found.start < each.start < found.end if each.start == each.end else each.start < found.end
            if inside and each.end > found.start:
                raise Overlap(each.origin.edit)
        made: list[Splice] = []
        for a, b, c, d in _ranges(edit.signs, found):
            start, end = found.start + a, found.start + b
            for each in self.splices[taken:]:
                if each.start > end:
                    break
                if each.start == each.end == start == end:
                    raise Overlap(each.origin.edit)
            if any(self.came[start:end]):
                raise Overlap(next(each.edit for each in self.came[start:end] if each))
            ends = [_end(line) for line in self.lines[start:end]] or [
                _end(line) for line in (self.lines[start - 1 : start] or self.lines[start : start + 1])
            ]
            lines = tuple(
                found.new[at] + ((ends[min(at - c, len(ends) - 1)] if ends else "") or self.line_end)
                for at in range(c, d)
            )
            origins = tuple(Origin(edit.reply_line, _line(edit, found.source[at]), found.rung) for at in range(c, d))
            made.append(Splice(start, end, lines, origins, Origin(edit.reply_line, edit.reply_line, found.rung)))
        for splice in made:
            at = bisect_left(self.splices, (splice.start, splice.end), key=lambda each: (each.start, each.end))
            self.splices.insert(at, splice)
        if edit.final_newline is not None and found.end >= len(self.lines):
            self.final = edit.final_newline
        self._later = None

    def composed(self) -> tuple[list[str], list[Origin | None]]:
        """Return the lines as the reply leaves them, and the origin of each."""
        lines: list[str] = []
        came: list[Origin | None] = []
        done = 0
        for splice in self.splices:
            lines += self.lines[done : splice.start]
            came += self.came[done : splice.start]
            lines += splice.lines
            came += splice.origins
            done = splice.end
        lines += self.lines[done:]
        came += self.came[done:]
        for at in range(len(lines) - 1):
            if not lines[at].endswith("\n"):
                lines[at] += self.line_end
        if lines:
            unended = bool(self.lines) and not self.lines[-1].endswith("\n")
            wants = self.final if self.final is not None else not (unended and came[-1] is not None)
            if self.final is None and came[-1] is None:
                if unended:  # the lines after it were removed, and so is the line feed before them
                    lines[-1] = bare(lines[-1])
                return lines, came
            lines[-1] = bare(lines[-1]) + ((_end(lines[-1]) or self.line_end) if wants else "")
        return lines, came

    def so_far(self) -> Draft | None:
        """Return the file as the reply has left it so far, to be searched; None if the reply has not touched it yet.

        Raises Refusal if that was done too often for a file of this length.
        """
        if not self.splices:
            return None
        if self._later is None:
            self._read += len(self.lines)
            if self._read > _MOST_READ:
                words = f"{self.path}: too many edits of the reply are not in the file as it was, and this one neither; they were not looked for in what the reply made of it."
                raise Refusal("not_found", words)
            lines, came = self.composed()
            self._later = Draft(self.path, self.before, self.mode, self.how, lines, came, miscounts=True)
        return self._later

    def settle_so_far(self) -> None:
        """Continue from the file as the reply has left it; lines that the reply wrote keep their origins."""
        numbers = self.numbers or list(range(len(self.lines)))
        for splice in self.splices:
            for at in range(splice.start, splice.end):
                if numbers[at] >= 0:
                    self.went[numbers[at]] = splice.origin
        fresh: list[int] = []
        done = 0
        for splice in self.splices:
            fresh += numbers[done : splice.start]
            fresh += [-1] * len(splice.lines)
            done = splice.end
        fresh += numbers[done:]
        self.lines, self.came = self.composed()
        self.numbers = fresh
        self.splices, self._index, self._line_end, self._later = [], None, "", None
        self.claims.clear()

    def patch(self) -> FilePatch:
        """Return the file's patch; raises UnicodeEncodeError if its encoding cannot hold the new lines."""
        if not self.exists:
            return FilePatch(self.path, self.before, None, self.mode, None, self.new_path)
        self.settle_so_far()
        after = self.before
        content = "".join(self.lines)
        if self.before is None or content != text.decode(self.before, self.how):
            after = self.how.mark + self._encode(content)
        count = len(text.split_lines(self.before)) if self.before is not None else 0
        went = tuple(self.went.get(at) for at in range(count)) if self.went else ()
        came = tuple(self.came) if any(self.came) else ()
        mode_after = self.mode_after if self.mode_after is not None else self.mode
        return FilePatch(self.path, self.before, after, self.mode, mode_after, self.new_path, went, came)

    def _encode(self, content: str) -> bytes:
        if self.how.foreign:
            for line, origin in zip(self.lines, self.came, strict=True):
                if origin and not line.isascii():
                    raise UnicodeEncodeError("ascii", line, 0, len(line), "the file is in another encoding")
        return content.encode(self.how.name, "surrogateescape")


def load(path: str, data: bytes, mode: int, words: Callable[[], str] = str) -> Draft:
    """Begin a draft of a file; raises Refusal if it is not text or is too large.

    `words` returns what the edits of this file quote and write: it may settle an encoding that the file does not name.
    """
    if len(data) > _LARGEST:
        raise Refusal("unreadable", f"{path} has {len(data):,} bytes; files above {_LARGEST:,} are not edited.")
    how = text.coding(data)
    if how is not None and how.foreign:
        how = text.coding(data, words())
    if how is None:
        raise Refusal("unreadable", f"{path} is not a text file.")
    lines = text.cut(text.decode(data, how))
    return Draft(path, data, mode, how, lines, [None] * len(lines), mode_after=mode)


def _line(edit: Edit, at: int) -> int:
    return edit.after_lines[at] if 0 <= at < len(edit.after_lines) else edit.reply_line


def _ranges(signs: str, found: Found) -> list[Range]:
    """Return the ranges to replace; where the reply marks each line with a sign, only within the lines it marks."""
    if signs.count("-") + signs.count(" ") != len(found.old) or signs.count("+") + signs.count(" ") != len(found.new):
        return changes(found.old, found.new)
    ranges: list[Range] = []
    a = c = 0
    for run in re.finditer(r"[+-]+| ", signs):
        b, d = a + len(run[0]) - run[0].count("+"), c + len(run[0]) - run[0].count("-")
        within = changes(found.old[a:b], found.new[c:d])
        ranges += [(a + i, a + j, c + k, c + m) for i, j, k, m in within]
        a, c = b, d
    return ranges


def _end(line: str) -> str:
    return line[len(bare(line)) :]


def spliced(draft: Draft, start: int, end: int) -> bool:
    """Say whether the reply has already changed any line from `start` to `end`."""
    return any(each.start < end and each.end > start for each in draft.splices) or any(draft.came[start:end])
