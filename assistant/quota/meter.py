"""What is left of a plan: readings and our own burn merged into one estimate for each meter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from assistant.quota.window import bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.quota.ledger import Entry
    from assistant.quota.plan import Meter, Plan
    from assistant.tokens import Cost, TokenUsage

MeterState = Literal["open", "not_started", "exhausted", "unknown", "not_in_plan"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One meter of one plan as it stands at an instant.

    `used`, `low`, `high`, `limit` and `remaining` are in the meter's `unit`; None is unknown, which is not zero.
    `start` and `end` bound the window (half open, aware UTC), None where it has none or has not begun. `source` is who
    says so ("provider", "headers", "ledger", "you"), `age_s` how old that word is. `foreign` is burn by other clients.
    """

    plan: str
    meter: str
    unit: str
    state: MeterState
    used: Decimal | None
    limit: Decimal | Literal["unlimited"] | None
    remaining: Decimal | None
    start: datetime | None
    end: datetime | None
    resets_at: datetime | None
    source: str
    age_s: int
    foreign: Decimal
    low: Decimal | None
    high: Decimal | None

    @property
    def share(self) -> float | None:
        """Used part of the limit, 0 to 1 and beyond; None where either is unknown or there is no limit."""
        if self.used is None or self.limit is None or isinstance(self.limit, str) or not self.limit:
            return None
        return float(self.used / self.limit)


def horizon(plan: Plan, now: datetime) -> datetime | None:
    """Return how far back entries are needed; None for all of them.

    A first-use window hangs on the one before it, so a long stretch is read: a pause longer than the window resets it.
    """
    if any(meter.window == "balance" for meter in plan.meters):
        return None
    hours = max([24 * 32, *(meter.hours * 20 for meter in plan.meters)])
    return now - timedelta(hours=hours)


def estimate(plan: Plan, entries: Sequence[Entry], now: datetime) -> tuple[Estimate, ...]:
    """Return each meter of a plan as our ledger knows it, the binding one first: the one with the highest share used."""
    found = [_one(plan, meter, entries, now) for meter in plan.meters]
    return tuple(sorted(found, key=lambda each: -(each.share or 0)))


def _one(plan: Plan, meter: Meter, entries: Sequence[Entry], now: datetime) -> Estimate:
    mine = [entry for entry in entries if entry.state != "failed" and entry.at <= now]
    start, end = bounds(meter, [entry.at for entry in mine], now)
    if meter.window == "first_use" and start is None:
        mine = []
    elif start is not None:
        mine = [entry for entry in mine if entry.at >= start]
    used = sum((meter.burn(entry.usage, entry.cost, entry.model) for entry in mine), Decimal(0))
    unsure = sum(
        (meter.burn(entry.usage, entry.cost, entry.model) for entry in mine if not entry.usage.exact), Decimal(0)
    )
    remaining = None if meter.limit is None else max(Decimal(0), meter.limit - used)
    state: MeterState = "open"
    if meter.window == "first_use" and start is None:
        state = "not_started"
    elif meter.limit is None:
        state = "unknown"
    elif used >= meter.limit:
        state = "exhausted"
    return Estimate(
        plan.name, meter.name, meter.unit, state, used, meter.limit, remaining, start, end, end, "ledger", 0, Decimal(0),
        used - unsure * Decimal("0.2"), used + unsure * Decimal("0.2"),
    )  # fmt: skip


def share_of(plan: Plan, usage: TokenUsage, cost: Cost, model: str) -> float | None:
    """Return which part of the plan's tightest meter a step would take; None where no meter has a limit."""
    shares = [float(meter.burn(usage, cost, model) / meter.limit) for meter in plan.meters if meter.limit]
    return max(shares, default=None)


def as_json(each: Estimate) -> dict[str, Any]:
    """Return an estimate with the keys that scripts rely on."""

    def number(value: Decimal | str | None) -> str | float | int | None:
        if value is None or isinstance(value, str):
            return value
        return int(value) if value == value.to_integral_value() else float(value)

    def instant(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "plan": each.plan,
        "meter": each.meter,
        "unit": each.unit,
        "window": {"start": instant(each.start), "end": instant(each.end)},
        "used": number(each.used),
        "limit": number(each.limit),
        "remaining": number(each.remaining),
        "state": each.state,
        "resets_at": instant(each.resets_at),
        "source": each.source,
        "age_s": each.age_s,
        "foreign": number(each.foreign),
        "low": number(each.low),
        "high": number(each.high),
    }
