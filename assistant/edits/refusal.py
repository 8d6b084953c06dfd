"""Why an edit has no place: raised where that is found out, and turned into the misfit that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.edits.edit import Candidate, MisfitReason

QUOTE = "\0"
"""Stands in the words of a refusal for the line that it quotes."""
_SAID = 60
"""Letters of a line that a refusal quotes."""


class Refusal(Exception):
    """An edit that is not made; `match.fit` turns it into a Misfit, and it never leaves that function."""

    def __init__(
        self,
        reason: MisfitReason,
        message: str,
        candidates: tuple[Candidate, ...] = (),
        *,
        quote: str = "",
        about: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message)
        self.reason: MisfitReason = reason
        self.quote = quote
        """The line that the words quote, whole: once it is cut, half a key may not look like a key any more."""
        self.candidates = candidates
        self.about = about
        """A file other than the edit's own that the message reveals something about."""
        self.advice = advice
        """What can be done about it, where that is not what the reason says."""
        self._words = message

    @property
    def message(self) -> str:
        """The words, with the beginning of the line that they quote."""
        return self._words.replace(QUOTE, repr(self.quote.strip()[:_SAID]))
