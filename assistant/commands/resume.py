"""Take up an earlier conversation of this folder; without a name, one chooses from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events
from assistant.arguments import Suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("sessions", "continue")
USAGE = "[NAME]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Take up a conversation, or let the user choose one; the present one stays on disk like all others."""
    import asyncio

    if not argument:
        yield events.Asked("resume")
        return
    count = await asyncio.to_thread(session.take_up, argument)
    yield events.Asked("talk")
    yield events.Notice(f"{count} messages of that conversation are back.")
    for trouble in session.troubles():
        yield events.Notice(trouble, "warning")
    if session.cut_short:
        yield events.Notice(session.cut_short, "warning")


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer the conversations of this folder, the latest first, each with its first question."""
    if len(words) > 1:
        return []
    return [
        Suggestion(each.name, f"{each.at.astimezone():%d %b %H:%M}  {' '.join(each.first.split())}")
        for each in session.conversations.kept()
    ]
