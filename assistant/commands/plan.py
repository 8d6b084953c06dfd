"""Show what is left of the plan that pays."""

from __future__ import annotations

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
    plan = session.accounts.plan()
    if plan is None:
        yield events.Notice("The present model has no plan; it is paid per token or runs here.")
        return
    lines = [plan.title]
    for each in session.accounts.meters():
        share = f"{each.share:.0%} used" if each.share is not None else f"{each.used} used, limit unknown"
        reset = f", resets {each.resets_at:%a %H:%M} UTC" if each.resets_at else ""
        lines.append(f"  {each.meter}: {share}{reset}  ({each.state}, source: {each.source})")
    yield events.Notice("\n".join(lines))
