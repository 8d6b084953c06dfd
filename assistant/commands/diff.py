"""Go to the hunks that are proposed; with a turn, to those of it that were set aside undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[TURN]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    import asyncio

    if argument and not argument.isdecimal():
        yield events.Notice(f"/diff {USAGE}", "warning")
    elif argument and not await asyncio.to_thread(session.pending.bring_back, int(argument)):
        yield events.Notice(f"No hunks of turn {argument} are set aside.", "warning")
    elif session.proposed is None:
        aside = ", ".join(f"/diff {each.turn}" for each in session.changes.set_aside)
        yield events.Notice(f"No hunks wait for you.{f' Set aside: {aside}.' if aside else ''}")
    else:
        yield events.Asked("diff")
