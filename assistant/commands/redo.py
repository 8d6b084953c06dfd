"""Write again what was taken back last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant import events
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = ""


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    del argument
    async for event in session.redo():
        yield event
