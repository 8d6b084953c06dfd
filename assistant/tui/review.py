"""A review: the hunks of a patch and what the user has decided about each so far.

It knows no screen. Hunks may be split, joined, reworded and commented on; `decide` turns the marks into the patch to
apply and the patch that stays proposed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from assistant.edits import text as file_text
from assistant.edits.compare import changes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.edits.patch import Hunk, Patch

Mark = Literal["", "take", "skip"]
Comment = tuple[str, int, str]
"""Path, 1-based line (of the file after for what comes or stays, of the file before for what goes), words."""


class NotEditable(ValueError):
    """The hunk cannot be reworded here; the message says why."""


@dataclass(slots=True, eq=False)
class Entry:
    """One hunk under review. `file` is the index of its file; `whole` is the hunk of the model that it came from."""

    hunk: Hunk
    file: int
    whole: Hunk
    source: Hunk
    mark: Mark = ""
    comments: list[tuple[int, str]] = field(default_factory=list)
    more: int = 0

    @property
    def edited(self) -> bool:
        """Whether the user has put other words into it."""
        return self.hunk.new != self.source.new

    @property
    def part(self) -> bool:
        """Whether it was cut out of a larger hunk."""
        return self.source is not self.whole


@dataclass(frozen=True, slots=True)
class Decision:
    """What the marks come to: `patch` to apply, `left` still proposed once that is on disk."""

    patch: Patch
    left: Patch
    taken: tuple[Hunk, ...]
    skipped: tuple[Hunk, ...]
    comments: tuple[Comment, ...]
    edited: tuple[Hunk, ...]


class Review:
    """The hunks of one patch, in order, with their marks."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch
        self.entries = [Entry(hunk, index, hunk, hunk) for index, file in enumerate(patch.files) for hunk in file.hunks]
        self._lines: dict[int, list[bytes]] = {}

    def count(self, mark: Mark) -> int:
        """Return how many hunks bear this mark."""
        return sum(entry.mark == mark for entry in self.entries)

    @property
    def decided(self) -> bool:
        """Whether there is anything to act on."""
        return any(entry.mark or entry.comments for entry in self.entries)

    def of_file(self, file: int) -> list[Entry]:
        """Return the hunks of one file."""
        return [entry for entry in self.entries if entry.file == file]

    def mark(self, entries: Iterable[Entry], mark: Mark) -> None:
        """Give these hunks a mark."""
        for entry in entries:
            entry.mark = mark

    def next_undecided(self, after: Entry) -> Entry | None:
        """Return the nearest hunk without a mark: below `after`, else from the top; None when all are decided."""
        at = self.entries.index(after)
        around = (*self.entries[at + 1 :], *self.entries[: at + 1])
        return next((entry for entry in around if not entry.mark), None)

    def split(self, entry: Entry) -> list[Entry]:
        """Cut a hunk into its runs of changes; returns the parts, itself alone when there is nothing to cut.

        A reworded hunk stays whole: its parts could not be put back to the model's words.
        """
        parts = entry.hunk.split()
        if len(parts) < 2 or entry.edited:
            return [entry]
        pieces = [Entry(part, entry.file, entry.whole, part, entry.mark) for part in parts]
        for line, words in entry.comments:
            home = next((p for p in pieces if _holds(p.hunk, line)), pieces[0])
            home.comments.append((line, words))
        at = self.entries.index(entry)
        self.entries[at : at + 1] = pieces
        return pieces

    def join(self, entry: Entry) -> Entry | None:
        """Put the parts of a split hunk together again; None when it was not split or a part was reworded."""
        parts = [each for each in self.entries if each.whole is entry.whole]
        if len(parts) < 2 or any(part.edited for part in parts):
            return None
        marks = {part.mark for part in parts}
        whole = Entry(entry.whole, entry.file, entry.whole, entry.whole, marks.pop() if len(marks) == 1 else "")
        whole.comments = [each for part in parts for each in part.comments]
        at = self.entries.index(parts[0])
        self.entries[at : at + len(parts)] = [whole]
        return whole

    def wording(self, entry: Entry) -> str:
        """Return the new side of a hunk as text to edit; raises NotEditable."""
        hunk = entry.hunk
        if hunk.kind not in {"change", "create"}:
            raise NotEditable("There is no text to edit in it: take it or skip it.")
        if hunk.kind == "create" and not hunk.new:
            return ""
        return hunk.new_text

    def reword(self, entry: Entry, text: str) -> None:
        """Put other words on the new side; lines that stay keep their bytes. Raises NotEditable."""
        old_lines = self.wording(entry).split("\n")[:-1]
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        hunk = entry.hunk.with_text("".join(line + "\n" for line in lines))
        source, fresh = entry.hunk.new, list(hunk.new)
        done = at = 0
        for a, b, c, d in [*changes(old_lines, lines), (len(old_lines), len(old_lines), len(lines), len(lines))]:
            for old, new in zip(range(done, a), range(at, c), strict=True):
                if _ended(source[old]) == _ended(fresh[new]):
                    fresh[new] = source[old]
            self._check(entry, lines[c:d])
            done, at = b, d
        entry.hunk = replace(hunk, new=tuple(fresh))

    def _check(self, entry: Entry, lines: list[str]) -> None:
        """Refuse words that the file's encoding cannot hold."""
        before = self.patch.files[entry.file].before
        how = file_text.coding(before) if before else None
        for line in lines:
            try:
                if "\ufffd" in line and how is not None and how.foreign:
                    raise NotEditable("That line holds bytes that are not UTF-8; edit it in the file after taking it.")
                (how or file_text.Coding()).encode(line)
            except UnicodeEncodeError as error:
                raise NotEditable("The file's encoding cannot hold these characters; use ASCII.") from error

    def restore(self, entry: Entry) -> None:
        """Put the model's words back."""
        entry.hunk, entry.more = entry.source, 0

    def comment(self, entry: Entry, line: int, words: str) -> None:
        """Say something about a line; empty words take the comment back."""
        entry.comments = [each for each in entry.comments if each[0] != line]
        if words.strip():
            entry.comments.append((line, words.strip()))
            entry.comments.sort()

    def widen(self, entry: Entry, by: int) -> bool:
        """Show `by` more (or fewer) lines around a hunk, up to its neighbours; False when nothing changes."""
        if entry.hunk.kind != "change":
            return False
        lines = self._file_lines(entry.file)
        more = max(0, entry.more + by)
        at, end = entry.hunk.at, entry.hunk.at + len(entry.hunk.old)
        mine = [each.hunk for each in self.of_file(entry.file) if each is not entry and each.hunk.kind == "change"]
        top = max((hunk.at + len(hunk.old) for hunk in mine if hunk.at < at), default=0)
        bottom = min((hunk.at for hunk in mine if hunk.at > at), default=len(lines))
        above = min(at - top, len(entry.source.above) + more) if more else len(entry.source.above)
        below = min(bottom - end, len(entry.source.below) + more) if more else len(entry.source.below)
        if (above, below) == (len(entry.hunk.above), len(entry.hunk.below)):
            return False
        entry.more = more
        entry.hunk = replace(entry.hunk, above=tuple(lines[at - above : at]), below=tuple(lines[end : end + below]))
        return True

    def within(self, entry: Entry) -> str:
        """Return the line of the file that opens the block the hunk lies in, as `git diff` does; "" when there is none."""
        if entry.hunk.kind != "change":
            return ""
        lines = self._file_lines(entry.file)
        start = entry.hunk.at - len(entry.hunk.above)
        for at in range(min(start, len(lines)) - 1, max(-1, start - 5_000), -1):
            first = lines[at][:1]
            if first.isalpha() or first in {b"_", b"$"}:
                return file_text.show(lines[at]).rstrip(" {:")
        return ""

    def _file_lines(self, file: int) -> list[bytes]:
        if file not in self._lines:
            self._lines[file] = file_text.split_lines(self.patch.files[file].before or b"")
        return self._lines[file]

    def decide(self) -> Decision:
        """Turn the marks into patches."""
        taken = tuple(entry.hunk for entry in self.entries if entry.mark == "take")
        open_ = tuple(entry.hunk for entry in self.entries if not entry.mark)
        patch, left = self.patch.part(taken, open_)
        return Decision(
            patch,
            left,
            taken,
            tuple(entry.hunk for entry in self.entries if entry.mark == "skip"),
            tuple((entry.hunk.path, line, words) for entry in self.entries for line, words in entry.comments),
            tuple(entry.hunk for entry in self.entries if entry.mark == "take" and entry.edited),
        )


def _ended(line: bytes) -> bool:
    return line.endswith((b"\n", b"\n\0"))


def _holds(hunk: Hunk, number: int) -> bool:
    return any(number == (line.old if line.kind == "-" else line.new) for line in hunk.lines)
