"""Begin a new conversation; the old one stays on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("new",)
USAGE = ""


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Begin a new conversation, and say which hunks wait with the old one."""
    del argument
    waits = session.undecided()
    session.clear()
    yield events.Asked("clear")
    yield events.Notice(
        f"A new conversation begins. {waits} with the old one: /resume." if waits else "A new conversation begins."
    )
