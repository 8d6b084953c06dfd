"""When the same work is cheaper, if a plan's weights or a seller's prices depend on the hour. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from assistant.quota.zones import clock_of
from assistant.tokens import percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.quota.terms import Meter

_PARTS = {Decimal("0.5"): "half", Decimal(1) / 3: "a third", Decimal("0.25"): "a quarter"}
_CITIES = {"Asia/Shanghai": "Beijing"}  # all of China uses one clock, named after the capital

_STEP = timedelta(minutes=15)


class Hint(NamedTuple):
    """The same work is cheaper from `at` on: `part` (0 to 1) of its cost now. `zone` is the seller's time zone."""

    at: datetime
    part: Decimal
    zone: str = "UTC"

    def __str__(self) -> str:
        part = next((word for value, word in _PARTS.items() if abs(value - self.part) < Decimal("0.01")), "")
        less = part or f"{percent((1 - self.part) * 100)} less"
        there = ""
        if self.zone != "UTC":
            city = _CITIES.get(self.zone) or self.zone.rpartition("/")[2].replace("_", " ")
            there = f" ({self.at.astimezone(clock_of(self.zone)):%H:%M} in {city})"
        return f"this costs {less} after {self.at.astimezone(UTC):%H:%M} UTC{there}"


def cheaper(cost_at: Callable[[datetime], Decimal | None], now: datetime, *, zone: str) -> Hint | None:
    """Return the first instant within a day at which something costs least; None if it is never cheaper than now.

    `cost_at` returns a cost, a price or a weight at an instant, None if unknown. Only the quarters of the hour are
    tried, because rules begin and end there.
    """
    here = cost_at(now)
    if not here:
        return None
    first = datetime.fromtimestamp((now.timestamp() // _STEP.total_seconds() + 1) * _STEP.total_seconds(), UTC)
    best: Hint | None = None
    for index in range(timedelta(days=1) // _STEP):
        at = first + index * _STEP
        there = cost_at(at)
        if there is not None and there < here and (best is None or there / here < best.part):
            best = Hint(at, there / here, zone)
    return best


def cheaper_in_plan(meter: Meter, model: str, now: datetime) -> Hint | None:
    """Return when a step of a model takes less of a meter than now."""
    zone = next((rule.zone for rule in meter.tariff.rules if rule.hours), "UTC")
    return cheaper(lambda at: meter.tariff.factor(model, at).point, now, zone=zone)
