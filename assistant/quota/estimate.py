"""A meter's state at an instant (Estimate), and the content of a closed window (PastWindow): plain values for JSON."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from assistant.quota.tariff import fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from assistant.quota.tariff import Amount

MeterState = Literal["open", "not_started", "exhausted", "unknown", "not_in_plan"]
Confidence = Literal["authoritative", "merged", "calibrated", "local-only", "unknown"]
_NOTHING: Mapping[str, Decimal] = MappingProxyType({})


class Correction(NamedTuple):
    """A reading was lower than the last reading and our burn since: our weights are too high by `amount` (below 0)."""

    at: datetime
    amount: Decimal


class Freed(NamedTuple):
    """A part of a rolling window comes back: from `at` on, `used` is still used, if nothing is burnt meanwhile."""

    at: datetime
    used: Decimal


class Estimate(NamedTuple):
    """One meter of one plan at an instant.

    `used`, `low`, `high`, `limit` and `remaining` are in the meter's `unit` ("percent" is 0 to 100); None is unknown,
    which is not zero. `start` and `end` bound the window (half open, aware UTC), None if it has no bounds or has not
    begun. `source` is where the figure comes from ("provider", "headers", "ledger", "you"), `age_s` its age. `foreign`
    is burn by other clients, with its band. `local` is our own ledger's burn of this window. `unpriced` counts steps of
    unknown price or weight since the provider's last reading: then `used` is a lower bound without `high`, and None if
    nothing is known. `wants_reading` says that the provider should be asked again. `frees` is how a rolling window
    comes back. `capacity` is the whole window in weighted tokens, as learned from percents; `parts` are what is left of
    a balance's parts. `clients` is the burn of this window in other clients' logs, in the unit that is counted:
    weighted tokens for percents. `doubts` say why `low` and `high` differ by a known rule: a calendar of holidays is
    missing; then `used` is the expensive end.
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
    confidence: Confidence = "local-only"
    foreign_low: Decimal = Decimal(0)
    foreign_high: Decimal = Decimal(0)
    local: Decimal = Decimal(0)
    events: int = 0
    unpriced: int = 0
    resets: int = 0
    corrections: tuple[Correction, ...] = ()
    frees: tuple[Freed, ...] = ()
    wants_reading: bool = False
    currency: str = ""
    only: tuple[str, ...] = ()
    feature: str = ""
    per_app: bool = False
    capacity: Amount | None = None
    parts: Mapping[str, Decimal] = _NOTHING
    clients: Mapping[str, Decimal] = _NOTHING
    doubts: tuple[str, ...] = ()

    @property
    def is_unplaced(self) -> bool:
        """Whether it is unknown where the window begins: then `used` is only the most that we can have burnt in it."""
        return self.state == "unknown" and self.used is not None and isinstance(self.limit, Decimal)

    @property
    def share(self) -> float | None:
        """The used part of the limit, 0 to 1 and beyond; None if either is unknown or there is no limit."""
        if self.used is None or not isinstance(self.limit, Decimal) or not self.limit or self.is_unplaced:
            return None
        return float(self.used / self.limit)

    @property
    def percent(self) -> Decimal | None:
        """The used part of the limit in percent, to one decimal, rounded half up."""
        if self.used is None or not isinstance(self.limit, Decimal) or not self.limit or self.is_unplaced:
            return None
        return (self.used * 100 / self.limit).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def counts(self, model: str, feature: str = "") -> bool:
        """Say whether the meter counts a model's steps."""
        return self.feature == feature and (not self.only or fits(model, self.only))


class PastWindow(NamedTuple):
    """The content of one closed window, in the meter's unit; `used` is None if it is unknown.

    `closed` is "end", or "granted" if the window was reset before its end.
    """

    meter: str
    unit: str
    start: datetime | None
    end: datetime | None
    used: Decimal | None
    limit: Decimal | Literal["unlimited"] | None
    events: int
    foreign: Decimal
    closed: Literal["end", "granted"] = "end"
    unpriced: int = 0


def binding(estimates: Sequence[Estimate], model: str = "", needs: Mapping[str, Decimal] = _NOTHING) -> Estimate | None:
    """Return the meter that stops a model first: one that has run out, else the one with the fewest further steps.

    `needs` is what a step like the last ones takes of each meter; a meter of which it takes 0 does not bind. Where it
    is unknown, meters of one unit are compared by what is left of them, as each step takes the same of all;
    percentages, and meters of different units, by the share that is left. None if no meter is known to bind.
    """
    if gone := run_out(estimates, model, needs):
        return gone[0]
    alike: dict[tuple[str, str], list[Estimate]] = {}
    for each in estimates:
        if each.state not in {"open", "not_started"} or each.remaining is None or not _takes(each, model, needs):
            continue
        kind = ("steps", "") if needs.get(each.meter) else (each.unit, each.currency)
        alike.setdefault(kind, []).append(each)

    def room(each: Estimate) -> tuple[Decimal, Decimal]:
        left, need = each.remaining or Decimal(0), needs.get(each.meter)
        rest = left / need if need else _part_left(each) if each.unit == "percent" else left
        return rest, _part_left(each)

    return min((min(group, key=room) for group in alike.values()), key=_part_left, default=None)


def run_out(estimates: Iterable[Estimate], model: str, needs: Mapping[str, Decimal]) -> list[Estimate]:
    """Return the meters in scope that have run out: those with an unknown return first, then the latest to return."""
    gone = [each for each in estimates if each.state == "exhausted" and _takes(each, model, needs)]
    return sorted(gone, key=lambda each: -each.resets_at.timestamp() if each.resets_at else -math.inf)


def _takes(each: Estimate, model: str, needs: Mapping[str, Decimal]) -> bool:
    """Say whether our steps are known to burn a meter; a feature of a plan that none of them has used is not."""
    need = needs.get(each.meter)
    if model and not each.counts(model):
        return False
    return need > 0 if need is not None else not each.feature


def _part_left(each: Estimate) -> Decimal:
    """Return the share that is left; 1 if there is no limit."""
    if not isinstance(each.limit, Decimal) or not each.limit or each.remaining is None:
        return Decimal(1)
    return each.remaining / each.limit


def ordered(
    estimates: Iterable[Estimate], model: str = "", needs: Mapping[str, Decimal] = _NOTHING
) -> tuple[Estimate, ...]:
    """Return the meters, the binding one first, then those that have run out, then by used share; absent ones last."""
    found = sorted(
        estimates, key=lambda each: (each.state == "not_in_plan", each.state != "exhausted", -(each.share or 0))
    )
    first = binding(found, model, needs)
    return tuple(found) if first is None else (first, *(each for each in found if each is not first))


def number(value: Decimal | str | None) -> str | float | int | None:
    """Return a number as a JSON value; None and "unlimited" stay as they are."""
    if value is None or isinstance(value, str):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def instant(at: datetime | None) -> str | None:
    """Return an instant as ISO text for JSON."""
    return at.isoformat() if at else None


def as_json(each: Estimate) -> dict[str, Any]:
    """Return an estimate with the keys that scripts rely on."""
    return {
        "plan": each.plan,
        "meter": each.meter,
        "unit": each.unit,
        "window": {"start": instant(each.start), "end": instant(each.end)},
        "used": number(None if each.is_unplaced else each.used),
        "limit": number(each.limit),
        "remaining": number(None if each.is_unplaced else each.remaining),
        "percent": number(each.percent),
        "state": each.state,
        "resets_at": instant(each.resets_at),
        "source": each.source,
        "age_s": each.age_s,
        "confidence": each.confidence,
        "foreign": number(each.foreign),
        "foreign_low": number(each.foreign_low),
        "foreign_high": number(each.foreign_high),
        "low": number(each.low),
        "high": number(each.high),
        "local": number(each.local),
        "events": each.events,
        "unpriced": each.unpriced,
        "resets": each.resets,
        "corrections": [{"at": instant(every.at), "amount": number(every.amount)} for every in each.corrections],
        "frees": [{"at": instant(every.at), "used": number(every.used)} for every in each.frees],
        "wants_reading": each.wants_reading,
        "currency": each.currency or None,
        "models": list(each.only),
        "capacity": dict(zip(("low", "point", "high"), map(number, each.capacity), strict=True))
        if each.capacity
        else None,
        "parts": {name: number(part) for name, part in each.parts.items()},
        "clients": {name: number(units) for name, units in each.clients.items()},
        "doubts": list(each.doubts),
    }


def held_json(each: PastWindow) -> dict[str, Any]:
    """Return a closed window with the keys of an estimate."""
    known = isinstance(each.limit, Decimal) and each.used is not None
    remaining = max(Decimal(0), each.limit - each.used) if known else None  # type: ignore[operator] # see `known`
    return {
        "meter": each.meter,
        "unit": each.unit,
        "window": {"start": instant(each.start), "end": instant(each.end)},
        "used": number(each.used),
        "limit": number(each.limit),
        "remaining": number(remaining),
        "state": "exhausted" if remaining == 0 else "unknown" if each.limit is None or each.used is None else "open",
        "events": each.events,
        "unpriced": each.unpriced,
        "foreign": number(each.foreign),
        "closed": each.closed,
    }
