"""Take back what was written: the last step, step N, what was done last in a file, this turn, this session, or the last step at once (now)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant import events
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[N | FILE | turn | session | now]"


def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    match argument:
        case "now":
            return session.undo(way="undo")
        case "session":
            return session.preview("undo", session=True)
        case "turn":
            return session.preview("undo", turn=session.turn)
        case "":
            return session.preview("undo")
        case _ if argument.isdecimal():
            return session.preview("undo", step=int(argument))
        case _:
            return session.preview("undo", file=argument)
