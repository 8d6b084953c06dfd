"""What /undo and /redo share: which step of the journal is meant, and the completion of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import arguments
from assistant.arguments import Suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant import events
    from assistant.edits.journal import Way
    from assistant.session import Session

USAGE = "[N | FILE | turn [N] | session | now]"


def run(session: Session, way: Way, argument: str) -> AsyncGenerator[events.Event, None]:
    """Show what undo or redo (`way`) would do, or do it at once ("now")."""
    match argument:
        case "now":
            return session.deciding.undo(way=way)
        case "session":
            return session.deciding.preview(way, session=True)
        case "turn":
            return session.deciding.preview(way, turn=session.turn)
        case "":
            return session.deciding.preview(way)
        case _ if (words := argument.split())[0] == "turn" and len(words) == 2 and words[1].isdecimal():
            return session.deciding.preview(way, turn=int(words[1]))
        case _ if argument.isdecimal():
            return session.deciding.preview(way, step=int(argument))
        case _:
            return session.deciding.preview(way, file=argument)


def complete(session: Session, way: Way, words: Sequence[str]) -> list[Suggestion]:
    """Offer the plain words, then the steps that can be undone or redone, the last first, and their files."""
    if len(words) > 2 or (len(words) == 2 and words[0] != "turn"):
        return []
    steps = session.journal.in_line(way)
    if len(words) == 2:
        labels = {each.turn: each.label for each in steps if each.turn and each.session == session.id}
        return [Suggestion(str(turn), label) for turn, label in labels.items()]
    told = [Suggestion(str(each.id), f"{each.label}: {', '.join(file.path for file in each.files)}") for each in steps]
    files = dict.fromkeys(file.path for each in steps for file in each.files)
    parts = {"turn": "this turn", "session": "this session", "now": "the last step at once"}
    plain = [Suggestion(*each) for each in parts.items()]
    return [*plain, *told, *(Suggestion(arguments.quote(path), "the last change of it") for path in files)]
