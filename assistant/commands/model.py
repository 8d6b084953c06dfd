"""Choose the model that is asked from now on; the conversation goes along as a whole, as a brief, or as its last request."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from assistant import events
from assistant.models.switch import Way

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[provider/model[:effort]] [everything | brief | last]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it; with a conversation under way the user sees first what the switch means."""
    from contextlib import aclosing

    name, _, way = argument.rpartition(" ")
    if way not in get_args(Way) or not name:
        name, way = argument, ""
    if not name:
        yield events.Asked("model")
        return
    if not way and session.handover.needed(name):
        yield events.Asked("switch", name)
        return
    here = session.roster.pick
    async with aclosing(session.handover.go(name.strip(), way or "everything")) as stream:  # type: ignore[arg-type]
        async for event in stream:
            yield event
    if session.roster.pick is not here:
        async with aclosing(session.meter()) as meter:
            async for moved in meter:
                yield moved
