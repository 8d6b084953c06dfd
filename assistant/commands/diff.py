"""Go to the hunks that are proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = ""


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    del argument
    if session.proposed is None:
        yield events.Notice("No hunks wait for you.")
    else:
        yield events.Asked("diff")
