"""Caps and reserves: whether the next step would cross one, by how much, and what else could be done. Pure.

A cap is money for a turn, a session or a day. A reserve keeps a share of a plan's window for certain days. A window
must also have room for the whole step. All are checked *before* a step is sent, with its expected amount.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from assistant.errors import ConfigError
from assistant.quota.money import tally
from assistant.quota.zones import clock_of
from assistant.tokens import money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assistant.quota.estimate import Estimate
    from assistant.tokens import Cost

Scope = Literal["turn", "session", "day", "reserve", "room"]
OF_PLANS: frozenset[Scope] = frozenset({"reserve", "room"})
"""The scopes that concern a plan's meters, not money."""
_CURRENCY = "USD"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RESERVE = re.compile(
    r"(?:keep\s+)?(?P<share>\d+(?:\.\d+)?)\s*%\s+of\s+(?:the\s+)?(?P<meter>.+?)(?:\s+for\s+(?P<days>[a-z, ]+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reserve:
    """A part of a window that is kept: `share` (0 to 1) of `meter`, free to be used on `days` (Monday is 0) in `zone`.

    A `zone` of None is that of this machine.
    """

    meter: str
    share: Decimal
    days: tuple[int, ...] = ()
    zone: str | None = "UTC"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A cap that the step would cross, a reserve that it would take from, or a window without room for it.

    `limit` and `ahead` (what would be spent with the step) are in `unit`, a currency or a meter's unit. `over` is the
    excess, None if a price is unknown and a crossing cannot be ruled out. `resets_at` is when waiting helps, `before`
    what was spent without the step, `currency` that of a meter of money.
    """

    scope: Scope
    unit: str
    limit: Decimal
    ahead: Decimal | None
    over: Decimal | None
    meter: str = ""
    resets_at: datetime | None = None
    before: Decimal | None = None
    currency: str = _CURRENCY

    def __str__(self) -> str:
        if self.scope == "room" and self.ahead is not None and self.before is not None:
            from assistant.quota.wording import amount

            sizes = (self.ahead - self.before, max(self.limit - self.before, Decimal(0)))
            need, left = (amount(each, self.unit, self.currency) for each in sizes)
            unit = "" if self.unit in {"money", "percent"} else f" {self.unit}"
            return f"This takes about {need}{unit} of {self.meter}, which has {left}{unit} left."
        if self.scope == "reserve":
            if self.over is None or self.ahead is None:
                return f"What this takes of {self.meter} is unknown, so its reserve cannot be kept."
            from assistant.quota.wording import amount

            ahead, over, limit = (
                amount(each, self.unit, self.currency) for each in (self.ahead, self.over, self.limit)
            )
            unit = "" if self.unit in {"money", "percent"} else f" {self.unit}"
            return (
                f"This would bring {self.meter} to about {ahead}{unit}, {over} into the part that you keep "
                f"(from {limit} on)."
            )
        cap = f"the cap of {money(self.limit, self.unit)} for this {self.scope}"
        if self.over is None or self.ahead is None:
            return f"What this costs is unknown, so {cap} cannot be kept."
        return f"This would bring it to {money(self.ahead, self.unit)}, {money(self.over, self.unit)} over {cap}."


@dataclass(frozen=True, slots=True)
class WayOut:
    """What can be done: ask a cheaper or differently paid `model`, go on once, wait until `at`, or reread the plan."""

    kind: Literal["cheaper", "switch", "once", "wait", "read"]
    model: str = ""
    at: datetime | None = None
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A question that was held, or refused because a window is used up: why, until when, and the ways out.

    `until` is None if it is for good, or unknown. `text` is the question, so that nothing is lost.
    """

    why: str
    offers: tuple[WayOut, ...]
    until: datetime | None = None
    text: str = ""


def crossed(
    caps: Mapping[Scope, Decimal | None],
    spent: Mapping[Scope, Iterable[Cost]],
    step: Cost,
    *,
    ends: Mapping[Scope, datetime] | None = None,
) -> list[Crossing]:
    """Return the caps that a step would cross, the one crossed furthest first.

    `spent` holds the costs so far of each scope, `ends` when a scope ends by itself (a day). Included and free steps
    cross nothing; an unknown price, or one in another currency than the caps (US dollars), crosses all caps by an
    unknown amount. The end of a scope does not help a step that would cross the cap alone.
    """
    found = []
    for scope, limit in caps.items():
        if limit is None or step.status in {"included", "free"}:
            continue
        so_far = tally(spent.get(scope, ()))
        told = not so_far.unpriced and set(so_far.amounts) <= {_CURRENCY}
        before = so_far.amounts.get(_CURRENCY, Decimal(0)) if told else None
        known = before is not None and step.amount is not None and step.currency == _CURRENCY
        ahead = (before or Decimal(0)) + (step.amount or Decimal(0)) if known else None
        if ahead is None or ahead > limit:
            over = ahead - limit if ahead is not None else None
            helps = step.amount is not None and step.currency == _CURRENCY and step.amount <= limit
            ends_at = (ends or {}).get(scope) if helps else None
            found.append(Crossing(scope, _CURRENCY, limit, ahead, over, resets_at=ends_at, before=before))
    return sorted(found, key=lambda each: (each.over is not None, -(each.over or Decimal(0))))


def reserved(
    reserves: Iterable[Reserve], estimates: Sequence[Estimate], needs: Mapping[str, Decimal], now: datetime
) -> list[Crossing]:
    """Return the reserves that a step would take from; `needs` is its amount for each meter, at the high end."""
    found = []
    for reserve in reserves:
        for each in estimates:
            if each.meter != reserve.meter or not isinstance(each.limit, Decimal) or each.used is None:
                continue
            until = _kept_until(reserve, now, each.resets_at) if reserve.days else each.resets_at
            if reserve.days and until is None:
                continue
            limit = each.limit * (1 - reserve.share)
            ahead = (each.high if each.high is not None else each.used) + needs.get(each.meter, Decimal(0))
            if ahead > limit:
                found.append(
                    Crossing("reserve", each.unit, limit, ahead, ahead - limit, each.meter, until, None, each.currency)
                )
    return found


def lacking(
    estimates: Iterable[Estimate], needs: Mapping[str, Decimal], *, others: Mapping[str, Decimal] | None = None
) -> list[Crossing]:
    """Return the windows without room for a step's likely amount (`needs`, by meter), the last to reset first.

    Windows that are used up already are handled elsewhere, unless `others` is given: the amounts of the steps in flight
    behind this one. Then each step has only the room that those before it leave.
    """
    found = []
    for each in estimates:
        need = needs.get(each.meter)
        if need is None or not isinstance(each.limit, Decimal) or each.used is None:
            continue
        if each.is_unplaced or (each.state == "exhausted" and others is None):
            continue
        before = max(each.used - (others or {}).get(each.meter, Decimal(0)), Decimal(0))
        if (ahead := before + need) > each.limit:
            until = each.resets_at if need <= each.limit else None
            found.append(
                Crossing(
                    "room", each.unit, each.limit, ahead, ahead - each.limit, each.meter, until, before, each.currency
                )
            )
    ends = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: each.resets_at or ends, reverse=True)


def _kept_until(reserve: Reserve, now: datetime, ends: datetime | None) -> datetime | None:
    """Return when the next day begins for which something is kept; None if that is today or after the window's end."""
    zone = clock_of(reserve.zone) if reserve.zone else None
    today = now.astimezone(zone).date()
    if today.weekday() in reserve.days:
        return None
    coming = (today + timedelta(days=ahead) for ahead in range(1, 8))
    day = next(day for day in coming if day.weekday() in reserve.days)
    begins = datetime.combine(day, time(0), zone) if zone is not None else datetime.combine(day, time(0)).astimezone()
    return begins if ends is None or begins < ends else None


def offers(crossings: Sequence[Crossing], candidates: Mapping[str, Cost], now: datetime) -> list[WayOut]:
    """Return what can be done: models whose cost crosses no cap, cheapest first; once more; or waiting.

    `candidates` are the costs of the same step with other models.
    """
    if not crossings:
        return []
    least = [each for each in crossings if each.scope not in OF_PLANS]
    able = [
        (cost.amount or Decimal(0), model, cost)
        for model, cost in candidates.items()
        if all(_fits(each, cost) for each in least)
    ]
    found = [WayOut("cheaper", model, cost=cost) for _, model, cost in sorted(able, key=lambda each: each[:2])]
    found.append(WayOut("once"))
    waits = [each.resets_at for each in crossings]
    if all(each is not None and each > now for each in waits):
        found.append(WayOut("wait", at=max(each for each in waits if each is not None)))
    return found


def _fits(crossing: Crossing, cost: Cost) -> bool:
    if cost.status in {"included", "free"}:
        return True
    if cost.amount is None or cost.currency != crossing.unit or crossing.before is None:
        return False
    return crossing.before + cost.amount <= crossing.limit


def read_reserve(text: object, *, zone: str | None) -> Reserve:
    """Read a reserve such as "20 % of the week for Friday" or "10% of 5 hours". Raises ConfigError."""
    match = _RESERVE.fullmatch(text.strip()) if isinstance(text, str) else None
    hint = 'Write it like "20 % of the week for Friday".'
    if match is None or not 0 < Decimal(match["share"]) < 100:
        raise ConfigError(f"This is not a reserve: {text!r}.", hint)
    days = []
    for word in re.split(r"[, ]+|\band\b", (match["days"] or "").lower()):
        if not word:
            continue
        day = next(
            (index for index, name in enumerate(_DAYS) if len(word) > 2 and name.startswith(word.rstrip("s"))), None
        )
        if day is None:
            raise ConfigError(f"There is no weekday {word!r} in {text!r}.", hint)
        days.append(day)
    return Reserve(match["meter"].strip(), Decimal(match["share"]) / 100, tuple(days), zone)
