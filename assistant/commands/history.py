"""List what was written here, step by step, to take some of it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("journal", "steps")
USAGE = ""
SHELL = "`wattson undo --list`"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Open the list of written steps in the face."""
    del session
    yield events.Asked("history", argument)
