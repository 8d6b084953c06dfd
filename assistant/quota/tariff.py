"""What a step takes of a meter: by token class, model, hour, weekday and holiday, each dated. Never a float.

A Tariff holds `weights` (or a price) for each token class, dated `rates` that replace them, a `models` factor, and
ordered `rules`, of which the first that fits gives a further factor. The instant at which a step *began* decides. If a
rule needs a holiday calendar that is missing for that year, both answers are kept and the step takes a range.
"""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from assistant.quota.window import instant
from assistant.quota.zones import clock_of
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

Unit = Literal["tokens", "requests", "calls", "prompts", "credits", "money", "percent"]
CLASSES = (
    "fresh_input", "cache_read", "cache_write", "cache_write_short", "cache_write_long", "output", "reasoning",
)  # fmt: skip
_ZERO, _ONE = Decimal(0), Decimal(1)
_NOTHING: Mapping[str, Any] = MappingProxyType({})
STATED_NOTHING: Mapping[str, Decimal] = _NOTHING
"""The stated units of a burn whose source states none."""


class Amount(NamedTuple):
    """Units with a band: never negative, `low` <= `point` <= `high`."""

    low: Decimal
    point: Decimal
    high: Decimal

    def plus(self, other: Amount) -> Amount:
        """Add two bands."""
        return Amount(self.low + other.low, self.point + other.point, self.high + other.high)

    def minus(self, part: Amount) -> Amount:
        """Subtract a part that was added before."""
        return Amount(self.low - part.low, self.point - part.point, self.high - part.high)


NOTHING = Amount(_ZERO, _ZERO, _ZERO)
_UNIT = Amount(_ONE, _ONE, _ONE)


class Burn(NamedTuple):
    """One step, or several of one model and hour added up, as a meter sees it.

    `given` holds units that the source states itself, by unit ("credits", "tokens", "money", "percent", or "units" for
    whatever the meter counts), before rules; `charged` holds final units by name of meter. `until` is when the step
    ended, None if unknown; a `running` one has not ended; a `doubtful` one failed and may or may not be billed.
    `client` is the client whose log tells of it, "" for our own ledger; `steps` is how many are added up.
    """

    at: datetime
    usage: TokenUsage = TokenUsage()
    cost: Cost = Cost("unknown")
    model: str = ""
    requests: Decimal = _ONE
    prompts: Decimal = _ONE
    feature: str = ""
    until: datetime | None = None
    running: bool = False
    doubtful: bool = False
    given: Mapping[str, Decimal] = _NOTHING
    charged: Mapping[str, Decimal] = _NOTHING
    client: str = ""
    steps: int = 1

    def cut(self, first: int) -> tuple[Burn, Burn]:
        """Cut several steps in two, the `first` ones before the others, as evenly as whole numbers allow.

        The two parts add up to the whole.
        """
        counts = [count * first // self.steps for count in self.usage[:-1]]
        rest = [count - mine for count, mine in zip(self.usage[:-1], counts, strict=True)]
        paid = self.cost.amount
        price = None if paid is None else paid * first / self.steps
        other = None if paid is None or price is None else paid - price
        requests, prompts = self.requests * first / self.steps, self.prompts * first / self.steps
        return (
            self._replace(
                usage=TokenUsage._make([*counts, self.usage.exact]), cost=self.cost._replace(amount=price), steps=first,
                requests=requests, prompts=prompts,
            ),
            self._replace(
                usage=TokenUsage._make([*rest, self.usage.exact]), cost=self.cost._replace(amount=other),
                steps=self.steps - first, requests=self.requests - requests, prompts=self.prompts - prompts,
            ),
        )  # fmt: skip


@lru_cache(maxsize=4_096)
def fits(model: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a model's name matches a pattern (`glm-5*`). Cached: asked for each step, about few models."""
    return any(fnmatchcase(model, pattern) for pattern in patterns)


class Rule(NamedTuple):
    """A factor that holds for some models, at some times. Empty parts always hold; `hours` may pass midnight.

    `days` (Monday is 0) and `hours` are in `zone`. The rule does not hold on a day of `except_holidays`.
    """

    factor: Decimal
    models: tuple[str, ...] = ()
    days: tuple[int, ...] = ()
    hours: tuple[tuple[time, time], ...] = ()
    zone: str = "UTC"
    since: datetime | None = None
    until: datetime | None = None
    except_holidays: str = ""
    label: str = ""

    def holds(self, model: str, at: datetime | None, holidays: Mapping[str, Holidays]) -> bool | None:
        """Say whether it holds; None if only a missing holiday calendar could tell."""
        if self.models and not fits(model, self.models):
            return False
        if at is None:
            return not (self.days or self.hours or self.since or self.until or self.except_holidays)
        if (self.since is not None and at < self.since) or (self.until is not None and at >= self.until):
            return False
        if not self.days and not self.hours and not self.except_holidays:
            return True
        local = at.astimezone(clock_of(self.zone))
        clock = local.time()
        if self.hours and not any(
            first <= clock < last if first < last else clock >= first or clock < last for first, last in self.hours
        ):
            return False
        if self.days and local.weekday() not in self.days:
            return False
        if not self.except_holidays:
            return True
        known = holidays.get(self.except_holidays)
        if known is None or local.year not in known.years:
            return None
        return local.date() not in known.days


class Holidays(NamedTuple):
    """A calendar of days off, and the years that it covers."""

    days: frozenset[date]
    years: frozenset[int]


class Rate(NamedTuple):
    """Weights or prices of the token classes from an instant on, for some models; the newest that fits wins."""

    weights: Mapping[str, Decimal]
    models: tuple[str, ...] = ()
    since: datetime | None = None


class Tariff(NamedTuple):
    """How steps become units of one meter. `per` is the number of tokens a weight is for (1, 1,000 or 1,000,000)."""

    unit: Unit
    weights: Mapping[str, Decimal] = _NOTHING
    per: Decimal = _ONE
    models: Mapping[str, Decimal] = _NOTHING
    rates: tuple[Rate, ...] = ()
    rules: tuple[Rule, ...] = ()
    currency: str = ""
    holidays: Mapping[str, Holidays] = _NOTHING

    def amount(self, burn: Burn) -> Amount | None:
        """Return the units that a step takes; None if its price is unknown, which is not zero."""
        base = self.base(burn)
        if base is None:
            return None
        if not base:
            return NOTHING
        low, point, high = factor = self.factor(burn.model, burn.at)
        if factor is _UNIT:
            return Amount(base, base, base)
        return Amount(base * low, base * point, base * high)

    def changes(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Yield instants that include all between two at which the amount of a step may change."""
        yield from (rate.since for rate in self.rates if rate.since is not None)
        for rule in self.rules:
            yield from (each for each in (rule.since, rule.until) if each is not None)
            clocks = {clock for part in rule.hours for clock in part}
            if rule.days or rule.except_holidays:
                clocks.add(time(0))
            day, last = (at.astimezone(clock_of(rule.zone)).date() for at in (since, until))
            while clocks and day <= last:
                yield from (instant(day, clock, rule.zone) for clock in clocks)
                day += timedelta(days=1)

    def factor(self, model: str, at: datetime | None) -> Amount:
        """Return the factor for a model at an instant. If a holiday is in doubt, the point is the expensive end."""
        if not self.models and not self.rules:
            return _UNIT
        own = (
            next((value for pattern, value in self.models.items() if fits(model, (pattern,))), _ONE)
            if self.models
            else _ONE
        )
        doubtful: list[Decimal] = []
        sure = _ONE
        for rule in self.rules:
            holds = rule.holds(model, at, self.holidays)
            if holds:
                sure = rule.factor
                break
            if holds is None:
                doubtful.append(rule.factor)
        if not doubtful:
            return Amount(own * sure, own * sure, own * sure)
        low, high = min(*doubtful, sure), max(*doubtful, sure)
        return Amount(own * low, own * high, own * high)

    def calendar_missed(self, burn: Burn) -> tuple[str, int] | None:
        """Return the missing holiday calendar, and the year, that makes a step's amount a range; else None."""
        for rule in self.rules:
            holds = rule.holds(burn.model, burn.at, self.holidays)
            if holds is None:
                return rule.except_holidays, burn.at.astimezone(clock_of(rule.zone)).year
            if holds:
                break
        return None

    def about(self, model: str) -> Tariff:
        """Return the part of the tariff that concerns a model."""
        return self._replace(
            models={pattern: each for pattern, each in self.models.items() if fits(model, (pattern,))},
            rates=tuple(rate for rate in self.rates if not rate.models or fits(model, rate.models)),
            rules=tuple(rule for rule in self.rules if not rule.models or fits(model, rule.models)),
        )

    def steady(self, model: str) -> Decimal | None:
        """Return a model's factor if it is the same at all times, else None."""
        if self.rules and not self.rules[0].holds(model, None, self.holidays):
            return None
        return self.factor(model, None).point

    def base(self, burn: Burn) -> Decimal | None:
        """Return the units of a step before model factors and rules; None if its price is unknown."""
        given = burn.given.get(self.unit, burn.given.get("units"))
        if given is not None and not (self.unit == "money" and self._foreign(burn.cost.currency)):
            return given
        match self.unit:
            case "requests" | "calls":
                return burn.requests
            case "prompts":
                return burn.prompts
            case "tokens" | "percent":
                whole = burn.given.get("tokens")
                return whole if whole is not None else self._weighted(burn, _ONE)
            case "credits":
                return self._weighted(burn, None)
            case _:
                return self._money(burn)

    def _money(self, burn: Burn) -> Decimal | None:
        if (priced := self._weighted(burn, None)) is not None:
            return priced
        return self.paid(burn.cost)

    def paid(self, cost: Cost) -> Decimal | None:
        """Return a step's own cost in the meter's currency; None if it is unknown, or in another one."""
        if cost.status == "free":
            return _ZERO
        return None if cost.amount is None or self._foreign(cost.currency) else cost.amount

    def _foreign(self, currency: str) -> bool:
        return bool(self.currency) and currency != self.currency

    def _weights(self, burn: Burn) -> Mapping[str, Decimal]:
        """Return the weights of the newest rate for a model at an instant."""
        fitting = [
            rate
            for rate in self.rates
            if (rate.since is None or burn.at >= rate.since) and (not rate.models or fits(burn.model, rate.models))
        ]
        if not fitting:
            return self.weights
        newest = max((rate.since for rate in fitting if rate.since is not None), default=None)
        return next(rate.weights for rate in fitting if rate.since == newest or newest is None)

    def _weighted(self, burn: Burn, default: Decimal | None) -> Decimal | None:
        """Return the weighted tokens; None if a class without a known weight was burnt and `default` is None."""
        weights = self._weights(burn) if self.rates else self.weights
        if not weights and default is None:
            return None
        total = _ZERO
        for count, weight in zip(burn.usage, _each(weights, default), strict=False):  # a usage begins with its counts
            if count:
                if weight is None:
                    return None
                total += count * weight
        return total / self.per if self.per != 1 else total


_EACH: dict[tuple[int, Decimal | None], tuple[Mapping[str, Decimal], tuple[Decimal | None, ...]]] = {}
_KEPT = 256


def _each(weights: Mapping[str, Decimal], default: Decimal | None) -> tuple[Decimal | None, ...]:
    """Return the weight of each class, in the order of a usage; computed once for each table of weights."""
    key = (id(weights), default)
    known = _EACH.get(key)
    if known is None or known[0] is not weights:
        if len(_EACH) >= _KEPT:
            _EACH.clear()
        known = _EACH[key] = weights, tuple(_weight(weights, name, default) for name in _COUNTED)
    return known[1]


_COUNTED = TokenUsage._fields[:6]
_STANDS_FOR = {"reasoning": "output", "cache_write_short": "cache_write", "cache_write_long": "cache_write"}


def _weight(weights: Mapping[str, Decimal], name: str, default: Decimal | None) -> Decimal | None:
    """Return a class's weight: its own, that of the class it belongs to, or the fresh one's for priced input."""
    own = weights.get(name)
    if own is None and (whole := _STANDS_FOR.get(name)) is not None:
        own = weights.get(whole)
    if own is not None:
        return own
    if default is None and name not in {"output", "reasoning"}:
        return weights.get("fresh_input")
    return default
