"""Unpin a file, or all of them."""

from __future__ import annotations

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
    yield events.Notice(f"Unpinned {', '.join(gone)}." if gone else "Nothing of that name is pinned.")
