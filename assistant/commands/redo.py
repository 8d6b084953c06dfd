"""Make again what was taken back: the last step, step N, what was taken back last in a file, this turn, this session, or the last step at once (now)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant import events
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[N | FILE | turn | session | now]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    match argument:
        case "now":
            stream = session.undo(way="redo")
        case "session":
            stream = session.preview("redo", session=True)
        case "turn":
            stream = session.preview("redo", turn=session.turn)
        case "":
            stream = session.preview("redo")
        case _ if argument.isdecimal():
            stream = session.preview("redo", step=int(argument))
        case _:
            stream = session.preview("redo", file=argument)
    async for event in stream:
        yield event
