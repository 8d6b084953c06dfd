"""Show what a question would show the model, piece by piece, to drop, pin or let through; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("manifest",)
USAGE = "[QUESTION]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Open the context of a question in the face."""
    del session
    yield events.Asked("context", argument)
