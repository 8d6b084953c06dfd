"""Show what each model's edits came to: fitted at once, taken, skipped, and what an accepted line cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = ""
SHELL = "`wattson yield`"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Open the board at the yield of edits."""
    del session, argument
    yield events.Asked("usage", "yield")
