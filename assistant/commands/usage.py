"""Open the board: every plan and balance, and what was burnt by day, hour, model, project and purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("cost", "status", "stats", "tokens", "plans")
USAGE = "[plans|day|hour|model|project|purpose|yield]"
SHELL = "`wattson usage`"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Open the board of plans and usage in the face."""
    del session
    yield events.Asked("usage", argument)
