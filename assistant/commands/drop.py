"""Unpin files (or all of them); one that is not pinned, or a folder, is shown no more in this session."""

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
USAGE = "[PATH ...]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Unpin each path, or keep it out if it was not pinned; without a path, unpin everything."""
    for path in await asyncio.to_thread(_named, session, argument):
        gone = session.sight.drop(path)
        if gone:
            yield events.Notice(f"Unpinned {', '.join(gone)}.")
        elif path:
            known = await asyncio.to_thread(session.sight.find_any, path)
            session.sight.keep_out(known)
            yield events.Notice(f"{known} is shown no more; /add {arguments.quote(known)} brings it back.")
        else:
            yield events.Notice("Nothing is pinned.")
        if (not path or path.lower().endswith(SUFFIXES)) and (words := _stays(session)):
            yield events.Notice(words)


def _stays(session: Session) -> str:
    """Say that pictures which were sent go along with each question; empty where none do."""
    sent = sum(message.pictures for message in session.history)
    some = "1 picture of the conversation goes" if sent == 1 else f"{sent} pictures of the conversation go"
    return f"{some} along with each question: /compact or /clear ends that." if sent else ""


def _named(session: Session, argument: str) -> list[str]:
    """Cut what was typed into paths; a single path with blanks needs no quotes."""
    sight = session.sight
    if " " in argument and argument in {*sight.pinned, *sight.pictures, *sight.paths()}:
        return [argument]
    return arguments.split(argument) or [""]


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer the pinned files and the pictures for the next question, then all files."""
    del words
    mine = [Suggestion(arguments.quote(path), "pinned", more=True) for path in session.sight.pinned]
    mine += [
        Suggestion(arguments.quote(path), "a picture for the next question", more=True)
        for path in session.sight.pictures
    ]
    return [*mine, arguments.FILES._replace(more=True)]
