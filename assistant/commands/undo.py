"""Take back what was written: the last step, step N, what was done last in a file, this turn, this session, or the last step at once (now)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import arguments
from assistant.arguments import Offer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

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


def complete(session: Session, words: Sequence[str]) -> list[Offer]:
    """Offer the plain words, the steps that can be taken back, the last first, and their files."""
    if len(words) > 1:
        return []
    steps = session.journal.in_line("undo")
    told = [Offer(str(each.id), f"{each.label}: {', '.join(file.path for file in each.files)}") for each in steps]
    files = dict.fromkeys(file.path for each in steps for file in each.files)
    parts = {"turn": "this turn", "session": "this session", "now": "the last step at once"}
    plain = [Offer(*each) for each in parts.items()]
    return [*plain, *told, *(Offer(arguments.quote(path), "the last change of it") for path in files)]
