"""Pin a file, so that every turn shows it; a picture (PNG, JPEG, GIF, WebP) goes along with the next question."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from assistant import events
from assistant.models.picture import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "PATH ..."


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    if not argument:
        yield events.Asked("file")
        return
    for path in _paths(argument):
        if path.lower().endswith(SUFFIXES):
            about = await asyncio.to_thread(session.sight.show_picture, path)
            yield events.Notice(f"{path} goes along with the next question: {about}.", "good")
        else:
            yield events.Notice(f"Pinned {await asyncio.to_thread(session.sight.add, path)}.", "good")


def _paths(argument: str) -> list[str]:
    """Cut what was typed into paths; quotes hold one with blanks together, as terminals write a file that is dropped there."""
    try:
        return shlex.split(argument)
    except ValueError:
        return argument.split()
