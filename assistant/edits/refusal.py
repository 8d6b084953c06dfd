"""Why an edit has no place, on its way from where that is found out to the misfit that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.edits.edit import Candidate, MisfitReason


class Refusal(Exception):
    """An edit that is not made; becomes a Misfit in `match.fit` and never leaves it."""

    def __init__(
        self, reason: MisfitReason, message: str, candidates: tuple[Candidate, ...] = (), *, about: str = ""
    ) -> None:
        super().__init__(message)
        self.reason: MisfitReason = reason
        self.message = message
        self.candidates = candidates
        self.about = about
        """A file that the message tells something of, beside that of the edit."""
