"""One wish of a model as it wrote it (Edit), and a wish that found no place (Misfit)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
]


@dataclass(frozen=True, slots=True)
class Edit:
    r"""One wish as the model wrote it, place not yet found.

    `path` is as written (decoration stripped), `also` are other readings of the same words; `before` and `after` are lines with "\\n" ends, as the reply has them;
    `reply_line` is the 1-based line of the reply where the edit begins; `at` is a 1-based line number in the file when
    the model gave one; `anchors` are lines that stand above the place, outermost first.
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that nearly fits: 1-based first and last line, what stands there, and how like it is (0 to 1)."""

    path: str
    start: int
    end: int
    text: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Misfit:
    """A wish that found no place, why, and the places that come nearest."""

    edit: Edit
    reason: MisfitReason
    message: str
    candidates: tuple[Candidate, ...] = ()
