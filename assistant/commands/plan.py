"""Show what is left of the plan that pays, or of one by its name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant import events
from assistant.arguments import Suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant.quota.estimate import Estimate
    from assistant.quota.terms import Plan
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[PLAN]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Show the meters of a plan: share used, reset and pace."""
    from assistant.quota import forecast, wording
    from assistant.tokens import percent

    plan, meters = await asyncio.to_thread(_look, session, argument)
    now = session.now()
    if plan is None:
        yield events.Notice("The present model has no plan; it is paid per token or runs here.")
        return
    lines = [plan.title]
    for each in meters:
        share = f"{percent(each.percent)} used" if each.percent is not None else ""
        reset = f"resets {wording.clock(each.resets_at, now)}" if each.resets_at else ""
        pace = wording.pace(forecast.forecast(each, now), now)[0]
        parts = (share, wording.figures(each), reset, pace, wording.others(each), wording.doubts(each))
        lines.append(
            f"  {each.meter}: {', '.join(filter(None, parts))}  ({each.state.replace('_', ' ')}; {wording.trust(each)})"
        )
    yield events.Notice("\n".join([*lines, "/usage shows all plans."]))


def _look(session: Session, name: str) -> tuple[Plan | None, tuple[Estimate, ...]]:
    """Return the plan called `name`, or the one that pays now, and its meters.

    Raises ConfigError, with the nearest names, where there is no such plan.
    """
    accounts = session.accounts
    if not name:
        return accounts.plan(), accounts.meters()
    if name not in accounts.plans:
        from difflib import get_close_matches

        from assistant.errors import ConfigError

        near = get_close_matches(name, accounts.plans, 3)
        hint = f"Near it: {', '.join(near)}." if near else "/usage shows all plans."
        raise ConfigError(f"There is no plan {name!r}.", hint)
    plan = accounts.plans[name]
    return plan, accounts.estimates(plan)


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer plans by name: the one that pays, the user's, then all others."""
    if len(words) > 1:
        return []
    accounts = session.accounts
    now = accounts.plan()
    known = {} if now is None else {now.name: "pays now"}
    for name in (*accounts.named_plans(), *accounts.used_plans(), *accounts.told_plans(), *sorted(accounts.plans)):
        known.setdefault(name, "")
    return [Suggestion(name, about) for name, about in known.items() if name in accounts.plans]
