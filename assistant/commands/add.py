"""Pin a file, so that every turn shows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant import events

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
    for path in argument.split():
        yield events.Notice(f"Pinned {await asyncio.to_thread(session.sight.add, path)}.", "good")
