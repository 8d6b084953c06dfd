"""Unpin a file (or all of them); one that is not pinned is shown no more in this session."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[PATH]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    gone = session.sight.drop(argument)
    if gone:
        yield events.Notice(f"Unpinned {', '.join(gone)}.")
    elif argument:
        path = await asyncio.to_thread(session.sight.find, argument)
        yield events.Notice(f"{session.sight.keep_out(path)} is shown no more; /add {path} brings it back.")
    else:
        yield events.Notice("Nothing is pinned.")
