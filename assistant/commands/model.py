"""Choose the model that is asked from now on; the conversation goes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[provider/model[:effort]]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    if not argument:
        yield events.Asked("model")
        return
    yield session.roster.switch(argument)
