"""Why an edit has no place: raised where that is found out, and turned into the misfit that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.edits.edit import Candidate, MisfitReason


class Refusal(Exception):
    """An edit that is not made; `match.fit` turns it into a Misfit, and it never leaves that function."""

    def __init__(
        self,
        reason: MisfitReason,
        message: str,
        candidates: tuple[Candidate, ...] = (),
        *,
        about: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message)
        self.reason: MisfitReason = reason
        self.message = message
        self.candidates = candidates
        self.about = about
        """A file other than the edit's own that the message reveals something about."""
        self.advice = advice
        """What can be done about it, where that is not what the reason says."""
