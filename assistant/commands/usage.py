"""Show what this session burnt, and today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("cost", "status", "stats", "tokens")
USAGE = ""


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    del argument
    usage = session.accounts.usage
    money = ", ".join(
        f"{c.amount:.4f} {c.currency}" if c.amount is not None else c.status for c in session.accounts.costs.values()
    )
    lines = [
        f"This session: {usage.fresh_input:,} fresh, {usage.cache_read:,} cached, {usage.cache_write:,} cache written, "
        f"{usage.total_output:,} out; {money or 'nothing spent'}"
    ]
    today = session.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for entry in session.accounts.ledger.entries(since=today)[-8:]:
        cost = f"{entry.cost.amount:.4f} {entry.cost.currency}" if entry.cost.amount is not None else entry.cost.status
        lines.append(
            f"  {entry.at:%H:%M} {entry.provider}/{entry.model} {entry.usage.total:,} tokens, {cost} ({entry.state})"
        )
    yield events.Notice("\n".join(lines))
