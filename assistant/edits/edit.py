"""One wish of a model as it wrote it (Edit), and a wish that found no place (Misfit)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Action = Literal["replace", "insert", "whole", "create", "delete", "rename", "mode"]
MisfitReason = Literal[
    "not_found",  # nothing like it in the file
    "ambiguous",  # several places fit
    "no_file",  # the file to change does not exist
    "exists",  # the file to create exists
    "outside",  # the path may not be written
    "incomplete",  # the edit was cut short
    "malformed",  # it looks like an edit but cannot be read
    "elided",  # it says "rest unchanged" where the text itself is needed
    "conflict",  # it overlaps an earlier edit of the same reply
    "unreadable",  # the file is binary, too large, or in an encoding that does not round-trip
    "already",  # the file already says so
    "unseen",  # it would remove lines that the model has not been shown
    "doubtful",  # the reply itself says that it is not meant, or may not be
]


@dataclass(frozen=True, slots=True)
class Edit:
    r"""One wish as the model wrote it, before its place is found.

    `path` is as written, without decoration; `also` are other readings of the same words, likeliest first. `before` and
    `after` are lines with "\\n" ends, as in the reply. `reply_line` is the 1-based line of the reply where the edit
    begins, `after_lines` the line number in the reply of each line of `after`, `signs` the signs of a diff's lines.
    `at` is a 1-based line number in the file, if the model gave one that agrees with its own count. `anchors` are lines
    above the place, outermost first. `at_end` says that the lines are the last of the file.

    A `maybe` edit counts only if its file exists, because its path is a bare word. `nearer` is a bare word right above
    an edit whose `path` is only that of the edit before: a file of that name is tried first. A `part` stands below
    words about some text in its file: it is shown and is no edit, unless it looks like the whole file, or its file
    `may_be_new` because a heading names it. `asked` says that the words ask for a change, so that the text may be all
    or some of the file. `rivals` are other files named above an edit: it is for the one that contains its lines.
    `doubt` is why the reply itself may not mean the edit: such an edit is made only where somebody looks at it before
    it is written.
    """

    action: Action
    path: str
    before: str = ""
    after: str = ""
    reply_line: int = 1
    format: str = ""
    at: int | None = None
    anchors: tuple[str, ...] = ()
    new_path: str = ""
    mode: int | None = None
    final_newline: bool | None = None
    also: tuple[str, ...] = ()
    after_lines: Sequence[int] = ()
    signs: str = ""
    at_end: bool = False
    maybe: bool = False
    nearer: str = ""
    part: bool = False
    asked: bool = False
    may_be_new: bool = False
    rivals: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the file may have, in the order in which they are tried."""
        return tuple(name for name in (self.nearer, self.path, *self.also) if name)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line of a patch comes from: first line of its edit and own line in the reply (1-based), and the rung."""

    edit: int
    line: int
    rung: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that nearly fits: 1-based first and last line, their text, and its likeness (0 to 1)."""

    path: str
    start: int
    end: int
    text: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Misfit:
    """A wish that found no place: the reason, the nearest places, and what can be done about it.

    `private` says why no line of its file may leave this machine, empty if they may: if set, no model is asked to mend
    it.
    """

    edit: Edit
    reason: MisfitReason
    words: str
    candidates: tuple[Candidate, ...] = ()
    advice: str = ""
    private: str = ""

    @property
    def message(self) -> str:
        """The reason, in words that always name the line of the reply, and the file if the reply names one."""
        words, names = self.words, [repr(name)[1:-1] for name in (self.edit.path.removeprefix("./"), *self.edit.also)]
        if names[0] and not any(name in words for name in names if name):
            words = f"{names[0]}: {words}"
        line = f"line {self.edit.reply_line}"
        return words if line in words else f"{words.removesuffix('.')} ({line} of the reply)."

    @property
    def mendable(self) -> bool:
        """Whether asking the model again may help: not if the file is unreadable or the edit is done or not meant."""
        return not self.private and self.reason not in {"already", "unreadable", "doubtful"}

    @property
    def hint(self) -> str:
        """What the user or the model can do about it."""
        if self.private:
            return f"It is not sent back to the model, which would need lines of the file: {self.private}."
        return self.advice or _HINTS[self.reason]


_HINTS: dict[MisfitReason, str] = {
    "not_found": "The lines to find have to be copied exactly from the file as it is now.",
    "ambiguous": "More lines around the change would tell the places apart.",
    "no_file": "Give the path from the root of the repository, or an empty search to make a new file.",
    "exists": "Edit the lines that are there, or delete the file first.",
    "outside": "Only files inside the repository, and never .git, are written.",
    "incomplete": "The whole edit is needed once more; nothing of one that is cut short is written.",
    "malformed": "The edit is needed once more, in one of the four notations.",
    "elided": "All lines are needed, none left out; or an edit of only those that change.",
    "conflict": "One edit is needed in place of the two.",
    "unreadable": "This file has to be edited by hand.",
    "already": "Nothing needs doing here; leave this edit out.",
    "unseen": "Only lines that were shown can go; a question that names the file (@path) shows all of it.",
    "doubtful": "Only edits that are meant belong in an answer.",
}
