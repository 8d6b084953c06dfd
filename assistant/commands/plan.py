"""Show what is left of the plan that pays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = ""


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    if argument:
        yield events.Notice("Plans are set in your config: [plans] provider = 'plan name'.", "info")
    from assistant.quota import forecast, wording

    plan, now = session.accounts.plan(), session.now()
    if plan is None:
        yield events.Notice("The present model has no plan; it is paid per token or runs here.")
        return
    meters = await asyncio.to_thread(session.accounts.meters)
    lines = [plan.title]
    for each in meters:
        share = f"{each.percent}% used" if each.percent is not None else ""
        reset = f"resets {wording.clock(each.resets_at, now)}" if each.resets_at else ""
        pace = wording.pace(forecast.forecast(each, now), now)[0]
        parts = (share, wording.figures(each), reset, pace, wording.others(each), wording.doubts(each))
        lines.append(
            f"  {each.meter}: {', '.join(filter(None, parts))}  ({each.state.replace('_', ' ')}; {wording.trust(each)})"
        )
    yield events.Notice("\n".join([*lines, "/usage shows all plans."]))
