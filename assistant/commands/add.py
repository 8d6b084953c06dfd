"""Pin a file, so that every turn shows it, or bring back a folder that was dropped; a picture (PNG, JPEG, GIF, WebP) goes along with the next question."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant import arguments, events
from assistant.arguments import Suggestion
from assistant.models.picture import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "PATH ..."


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Pin or show again each path, and add each picture; without a path, ask the face for one."""
    if not argument:
        yield events.Asked("file")
        return
    for path in arguments.split(argument):
        if path.lower().endswith(SUFFIXES):
            about = await asyncio.to_thread(session.sight.show_picture, path)
            yield events.Notice(f"{path} goes along with the next question: {about}.", "good")
        else:
            yield events.Notice(await asyncio.to_thread(_added, session, path), "good")


def _added(session: Session, path: str) -> str:
    """Pin a file, or show a folder again; return what to tell the user."""
    known = session.sight.find_any(path)
    if not known.endswith("/"):
        return f"Pinned {session.sight.pin(known)}."
    still = ", ".join(session.sight.show_again(known))
    return f"{known} is shown again, but {still}." if still else f"{known} is shown again."


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer the paths that are kept out, then all files; any number may follow each other."""
    del words
    out = [Suggestion(arguments.quote(path), "you keep it out", more=True) for path in session.sight.dropped]
    return [*out, arguments.FILES._replace(more=True)]
