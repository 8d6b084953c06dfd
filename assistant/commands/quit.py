"""Leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("exit", "q")
USAGE = ""


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Ask the face to close."""
    del session, argument
    yield events.Asked("quit")
