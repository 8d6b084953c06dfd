"""List the commands and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("h",)
USAGE = ""
SHELL = "`wattson --help`"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Open the help in the face."""
    del session, argument
    yield events.Asked("help")
