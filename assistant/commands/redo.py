"""Make again what was taken back: the last step, step N, what was taken back last in a file, this turn, this session, or the last step at once (now)."""

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
            return session.undo(way="redo")
        case "session":
            return session.preview("redo", session=True)
        case "turn":
            return session.preview("redo", turn=session.turn)
        case "":
            return session.preview("redo")
        case _ if argument.isdecimal():
            return session.preview("redo", step=int(argument))
        case _:
            return session.preview("redo", file=argument)
