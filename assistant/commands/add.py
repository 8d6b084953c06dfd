"""Pin a file, so that every turn shows it; a picture (PNG, JPEG, GIF, WebP) goes along with the next question."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant import arguments, events
from assistant.models.picture import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant.arguments import Suggestion
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "PATH ..."


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    if not argument:
        yield events.Asked("file")
        return
    for path in arguments.split(argument):
        if path.lower().endswith(SUFFIXES):
            about = await asyncio.to_thread(session.sight.show_picture, path)
            yield events.Notice(f"{path} goes along with the next question: {about}.", "good")
        else:
            yield events.Notice(f"Pinned {await asyncio.to_thread(session.sight.add, path)}.", "good")


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer files, behind one another."""
    del session, words
    return [arguments.FILES._replace(more=True)]
