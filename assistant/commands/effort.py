"""Let the model think harder or less from the next question on; without a level, list those that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events
from assistant.arguments import Suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("think",)
USAGE = "[off | low | medium | high | max | default]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Set how hard the model thinks; without a level, list the levels."""
    if argument:
        yield session.set_effort("" if argument in {"default", "auto"} else argument.lower())
        return
    pick = session.roster.present()
    levels = ", ".join(session.roster.levels())
    doubt = "" if pick.model.efforts else " (which of them it takes is not known)"
    yield events.Notice(f"{pick.model.name} thinks {pick.effort or 'its own way'}; it may be set to {levels}{doubt}.")


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer the levels of the present model, and its default."""
    if len(words) > 1:
        return []
    now = session.roster.present().effort
    levels = [Suggestion(level, "so it is now" if level == now else "") for level in session.roster.levels()]
    return [*levels, Suggestion("default", "its own way" + ("" if now else ", so it is now"))]
