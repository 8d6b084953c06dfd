"""Commit what was taken in this session and nothing else; without a message a model drafts one."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[MESSAGE]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Commit with the given message, or draft one and open it for editing."""
    async with aclosing(session.committing.commit(argument) if argument else session.committing.draft()) as stream:
        async for event in stream:
            yield event
            if isinstance(event, events.AsideEnded) and event.text.strip():
                yield events.Asked("commit", event.text.strip())
