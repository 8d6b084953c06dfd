"""Old steps added up to a few burns: a balance is a sum, so the instants of its spending do not matter."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from assistant.quota.tariff import Burn
from assistant.tokens import Cost

if TYPE_CHECKING:
    from assistant.quota.ledger import Ledger
    from assistant.quota.terms import Plan

_RECENT = timedelta(days=32)


def summable(plan: Plan) -> bool:
    """Say whether all meters of a plan are balances that do not depend on the time of spending."""
    return all(
        meter.window.kind == "balance" and not meter.lots and not meter.tariff.rules and not meter.tariff.rates
        for meter in plan.meters
    )


def sums(ledger: Ledger, plan: Plan, now: datetime) -> tuple[list[Burn], datetime]:
    """Return a plan's burn until a month ago, by model and kind of cost, and the instant where it ends."""
    day = (now - _RECENT).astimezone().date()
    edge = datetime.combine(day + timedelta(days=1), time(0)).astimezone()
    at = edge - timedelta(microseconds=1)
    found = [
        Burn(
            at,
            total.usage,
            Cost(total.status, None if total.status in {"unknown", "included"} else total.amount, total.currency),  # type: ignore[arg-type] # a Cost's own words
            total.key[0],
            requests=Decimal(total.steps - total.failed),
            steps=total.steps - total.failed,
        )
        for total in ledger.sums.totals(("model",), until=day, plan=plan.name)
    ]
    return found, edge
