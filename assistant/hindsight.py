"""What one's own history says: which plans would have held it, what an accepted line cost, the same again as events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from assistant.quota.advice import Fit
    from assistant.quota.event import Event
    from assistant.quota.history import Yield
    from assistant.quota.ledger import Ledger
    from assistant.quota.plan import Plan


def past(ledger: Ledger, now: datetime) -> list[Event]:
    """Return all that was burnt as events for a replay; what was not billed is left out."""
    from assistant.quota import meter
    from assistant.quota.event import Event

    burns = [burn for each in ledger.entries() if (burn := meter.burn_of(each, now)) is not None]
    return [Event(burn.at, burn, cost=burn.cost) for burn in burns]


def advice(ledger: Ledger, plans: Iterable[Plan], now: datetime) -> list[Fit]:
    """Say how each plan would have held what was burnt; those that held most come first. Practice does not count."""
    from assistant.quota import advice

    able = [plan for plan in plans if "scripted" not in plan.default_for]
    entries = [each for each in ledger.entries() if each.payer != "practice"]
    return advice.compare(able, entries, now) if entries else []


def yields(ledger: Ledger, since: date | None = None, *, project: str = "") -> list[Yield]:
    """Say for each model what its edits came to and what an accepted line cost, the cheapest first."""
    from assistant.quota import history

    by = ("provider", "model")
    only = {"project": project} if project else {}
    costs = history.rows(ledger.totals(by, since=since, until=None, **only))
    return history.yields(ledger.yields(by, since=since, until=None, **only), costs)
