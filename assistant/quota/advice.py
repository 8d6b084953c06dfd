"""Which plan would fit the user: their own history, run through plans. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota.columns import History
from assistant.quota.money import Tally, tally
from assistant.quota.terms import PERIODS
from assistant.quota.trial import Stop, Tried, tried
from assistant.tokens import money

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date, datetime

    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Meter, Plan

_DAY = timedelta(days=1)


_NOTHING: Mapping[str, int] = MappingProxyType({})


class Fit(NamedTuple):
    """How one plan would have done.

    `blocked` counts steps by the meter that stopped them, `waits` the windows in which that happened; `first_blocked`
    is exact to the hour only, as older history is. `price` is the subscription for the `days` of the history, None if
    the plan has no price; `listed` is its price per `period`. `unknown` names meters about which nothing can be said:
    their limit is unknown, or the weight of some steps. `excluded` says that the plan's terms exclude this program;
    `ended` is the day after which the terms no longer held, if any.
    """

    plan: str
    title: str
    held: int
    blocked: Mapping[str, int] = _NOTHING
    waits: int = 0
    first_blocked: datetime | None = None
    price: Decimal | None = None
    currency: str = ""
    unknown: tuple[str, ...] = ()
    excluded: bool = False
    burnt: Tally = Tally()
    listed: Decimal | None = None
    period: str = ""
    days: int = 0
    ended: date | None = None

    @property
    def share_held(self) -> float:
        """The part of the steps that would have been admitted, 0 to 1."""
        total = self.held + sum(self.blocked.values())
        return self.held / total if total else 1.0

    def __str__(self) -> str:
        price = "no price" if self.price is None else money(self.price, self.currency or "USD")
        if self.price is not None and self.listed is not None:
            span = f"{self.days} day{'s' if self.days > 1 else ''}"
            price = f"{price} for {span}, at {money(self.listed, self.currency or 'USD')} a {self.period}"
        if self.ended is not None:
            price = f"{price}; these terms ended on {self.ended}"
        if self.excluded:
            return f"{self.title}: its terms exclude other programs"
        if not self.blocked:
            words = "all held" if not self.unknown else f"held as far as is known ({', '.join(self.unknown)} unknown)"
        else:
            by = ", ".join(f"{count} by {name}" for name, count in self.blocked.items())
            words = f"{self.held} held, {by}, in {self.waits} windows"
            if self.unknown:
                words += f", as far as is known ({', '.join(self.unknown)} unknown)"
        return f"{self.title}: {words}; {price}"


def as_json(fit: Fit) -> dict[str, Any]:
    """Return a fit with the keys that scripts rely on; the price is a decimal string."""
    return {
        "plan": fit.plan,
        "title": fit.title,
        "held": fit.held,
        "share_held": round(fit.share_held, 4),
        "blocked": dict(fit.blocked),
        "waits": fit.waits,
        "first_blocked": fit.first_blocked.isoformat() if fit.first_blocked else None,
        "price": None if fit.price is None else str(fit.price),
        "listed": None if fit.listed is None else str(fit.listed),
        "period": fit.period or None,
        "days": fit.days,
        "ended": None if fit.ended is None else fit.ended.isoformat(),
        "currency": fit.currency or None,
        "unknown": list(fit.unknown),
        "excluded": fit.excluded,
        "by_token": {name: str(value) for name, value in fit.burnt.amounts.items()},
    }


def compare(
    plans: Iterable[Plan],
    burns: Iterable[Burn],
    now: datetime,
    costs: Tally | None = None,
    untold: Collection[str] = (),
) -> list[Fit]:
    """Run a history through plans; return the fits, those that held most first, then the cheaper.

    The price is for the span between the first and the last step, at least a day. Steps that were not billed do not
    count. `burnt` holds the price by token, for comparison: `costs`, or the costs in the burns. `untold` are units
    about which the history says nothing.
    """
    burns = sorted(burns, key=attrgetter("at"))
    span = max(burns[-1].at - burns[0].at, _DAY) if burns else _DAY
    costs = tally(burn.cost for burn in burns) if costs is None else costs
    history = History(burns)
    found = []
    for plan in plans:
        able = any(_limited(meter) for meter in plan.meters)  # otherwise nothing could have been blocked
        done = _try(plan, history, now) if able else None
        refused = done.stops if done else ()
        blocked: Counter[str] = Counter()
        for each in refused:
            blocked[each.meter] += each.steps
        unpriced = done.unpriced if done else set()
        unknown = [
            meter.name
            for meter in plan.meters
            if not (_limited(meter) or meter.feature) or meter.unit in untold or meter.name in unpriced
        ]
        found.append(
            Fit(
                plan=plan.name,
                title=plan.title,
                held=done.admitted if done else history.steps,
                blocked=dict(blocked),
                waits=len({(each.meter, each.until) for each in refused}),
                first_blocked=refused[0].at if refused else None,
                price=_price(plan, span),
                currency=plan.currency,
                unknown=tuple(unknown),
                excluded=not plan.may_send,
                burnt=costs,
                listed=plan.price,
                period=plan.period or "month",
                days=-(-span // _DAY),
                ended=plan.until if plan.until is not None and plan.until < now.date() else None,
            )
        )
    return sorted(
        found,
        key=lambda each: (
            each.excluded,
            each.ended is not None,
            -each.share_held,
            bool(each.unknown),
            each.price or Decimal(0),
        ),
    )


def _try(plan: Plan, history: History, now: datetime) -> Tried:
    """Run a history through a plan, by a full replay only if the quick trial cannot tell."""
    found = tried(plan, history) if history.plain else None
    if found is not None:
        return found
    from assistant.quota.event import Event
    from assistant.quota.replay import replay

    done = replay(plan, [Event(burn.at, burn, cost=burn.cost) for burn in history.burns], now)
    stops = [Stop(each.at, each.meter, each.until, each.steps) for each in done.blocked]
    return Tried(done.admitted, stops, set(done.unpriced))


def _limited(meter: Meter) -> bool:
    """Say whether a history can fill a meter: the size of a pool told in percent is unknown."""
    return meter.unit != "percent" and (meter.limit is not None or bool(meter.lots))


def _price(plan: Plan, span: timedelta) -> Decimal | None:
    if plan.price is None:
        return None
    part = Decimal(span / _DAY) / Decimal(PERIODS[plan.period or "month"] / _DAY)
    return (plan.price * part).quantize(Decimal("0.01"))
