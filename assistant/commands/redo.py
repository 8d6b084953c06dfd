"""Make again what was taken back: the last step, step N, what was taken back last in a file, this turn, this session, or the last step at once (now)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import undo_arguments

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant import events
    from assistant.arguments import Suggestion
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = undo_arguments.USAGE
SHELL = "`wattson redo`"


def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Redo what the argument says, see `undo_arguments.run`."""
    return undo_arguments.run(session, "redo", argument)


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer the plain words, then the steps that can be redone, the last first, and their files."""
    return undo_arguments.complete(session, "redo", words)
