"""What tokens cost: dated, tiered by the size of the prompt, scheduled by hour and day. Money is Decimal.

A price that is known to end or to change is never overwritten: another entry with its own `since` is added, so that what
was burnt yesterday keeps yesterday's price.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from assistant.errors import ConfigError
from assistant.models.calendar import calendars as shipped
from assistant.tokens import CURRENCIES, Cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from assistant.models.calendar import Calendar
    from assistant.tokens import TokenUsage

_MILLION = Decimal(1_000_000)
_AMOUNTS = ("input", "output", "cache_read", "cache_write_short", "cache_write_long")
_FIELDS = {*_AMOUNTS, "currency", "since", "until", "above", "hours", "label", "source"}
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_PLAIN_TIERS = {"", "default", "standard", "auto", "on_demand", "unspecified"}
_HELP = (
    "Amounts are in quotes, like '1.25'; since and until are a date (midnight UTC) or a time with its offset; above is "
    "tokens; hours have days (0 is Monday), first and last, and may have zone and holidays."
)
_LOOK_AHEAD = timedelta(days=16)
"""How far ahead a change of hours is searched for: longer than any holiday."""


class Hours(NamedTuple):
    """A part of the week in a zone: weekdays (Monday is 0) and hours, first included, last not.

    If `last` is not after `first`, the part runs past midnight and belongs to the day it begins on. If `holidays` names
    a calendar, the part does not apply on the holidays of that calendar.
    """

    days: tuple[int, ...]
    first: int
    last: int
    zone: str = "UTC"
    holidays: str = ""

    def holds(self, at: datetime, calendars: Mapping[str, Calendar] | None = None) -> bool | None:
        """Say whether an instant falls into it; None if that depends on a holiday calendar that is not known."""
        local = at.astimezone(_zone(self.zone))
        day = local.date()
        if self.first < self.last:
            inside = self.first <= local.hour < self.last
        else:
            inside = local.hour >= self.first or local.hour < self.last
            day -= timedelta(days=local.hour < self.first)
        if not inside or day.weekday() not in self.days:
            return False
        if not self.holidays:
            return True
        calendar = (shipped() if calendars is None else calendars).get(self.holidays)
        holiday = calendar.is_holiday(day) if calendar else None
        return None if holiday is None else not holiday

    def edges(self, day: date) -> tuple[datetime, datetime]:
        """Return the instants at which it begins and ends on a day."""
        zone = _zone(self.zone)
        ends = day + timedelta(days=self.last // 24 + (self.last <= self.first))
        return (
            datetime.combine(day, time(self.first), zone).astimezone(UTC),
            datetime.combine(ends, time(self.last % 24), zone).astimezone(UTC),
        )


@cache
def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


class Price(NamedTuple):
    """Money for a million tokens of each kind; None is unknown.

    It applies from `since` (included) until `until` (not included), to prompts of more than `above` tokens, and within
    `hours` if there are any. The size of the prompt sets the price of the whole request.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_short: Decimal | None = None
    cache_write_long: Decimal | None = None
    currency: str = "USD"
    since: datetime = _ALWAYS
    until: datetime = _NEVER
    above: int = 0
    hours: tuple[Hours, ...] = ()
    label: str = ""
    source: str = ""

    def amount(self, usage: TokenUsage) -> Decimal:
        """Return the cost of a usage. Cached tokens without a price of their own cost as much as fresh ones."""
        read = self.input if self.cache_read is None else self.cache_read
        short = self.input if self.cache_write_short is None else self.cache_write_short
        long = short if self.cache_write_long is None else self.cache_write_long
        return (
            usage.fresh_input * self.input
            + usage.cache_read * read
            + usage.cache_write_short * short
            + usage.cache_write_long * long
            + usage.total_output * self.output
        ) / _MILLION

    def times(self, factor: Decimal) -> Price:
        """Return the price of a service tier that costs `factor` times as much."""
        amounts = {name: value * factor for name in _AMOUNTS if (value := getattr(self, name)) is not None}
        return self._replace(**amounts)

    def holds(self, at: datetime, calendars: Mapping[str, Calendar] | None = None) -> bool | None:
        """Say whether the price applies at an instant, whatever the prompt; None if nobody knows."""
        if not self.since <= at < self.until:
            return False
        if not self.hours:
            return True
        found = [hours.holds(at, calendars) for hours in self.hours]
        return True if True in found else None if None in found else False


class Priced(Protocol):
    """Anything that has prices: a Model."""

    @property
    def prices(self) -> tuple[Price, ...]:
        """All known prices, of any date, tier and hour."""

    @property
    def service_tiers(self) -> Mapping[str, Decimal]:
        """What each service tier costs, as a multiple of the plain price."""


def prices_at(
    model: Priced,
    at: datetime,
    prompt_tokens: int = 0,
    *,
    service_tier: str = "",
    calendars: Mapping[str, Calendar] | None = None,
) -> tuple[Price, ...]:
    """Return the prices that may apply at an instant to a prompt of this size, cheapest first.

    One if it is certain, none if no price is known, several if it depends on a holiday calendar that is missing. Among
    those that apply, the newest date wins, then the narrowest hours, then the highest tier.
    """
    tier = service_tier.lower()
    plain = tier in _PLAIN_TIERS or not model.service_tiers  # if no tiers are sold, the word is not about money
    factor = Decimal(1) if plain else model.service_tiers.get(tier)
    if factor is None:
        return ()
    rank: Callable[[Price], tuple[datetime, bool, int]] = lambda each: (each.since, bool(each.hours), each.above)  # noqa: E731
    found = []
    for price in sorted(model.prices, key=rank, reverse=True):
        holds = price.holds(at, calendars) if price.above < max(1, prompt_tokens) else False
        if holds is not False:
            found.append(price if factor == 1 else price.times(factor))
        if holds:
            break
    return tuple(sorted(found, key=lambda each: each.input + each.output))


def price_at(
    model: Priced, at: datetime, prompt_tokens: int = 0, *, calendars: Mapping[str, Calendar] | None = None
) -> Price | None:
    """Return the price that applies at an instant to a prompt of this size; None if none is known.

    If nobody knows whether the peak applies, it is taken to apply: a meter must not promise less than what may be
    billed.
    """
    found = prices_at(model, at, prompt_tokens, calendars=calendars)
    return found[-1] if found else None


def next_change(model: Priced, at: datetime) -> datetime | None:
    """Return the next instant at which the price of a small prompt changes; None if no change is in sight."""
    now = prices_at(model, at)
    edges = {edge for price in model.prices for edge in (price.since, price.until) if at < edge < _NEVER}
    scheduled = {hours for price in model.prices if at < price.until for hours in price.hours}
    first = at.astimezone(UTC).date() - timedelta(days=2)
    for hours in scheduled:
        for count in range(_LOOK_AHEAD.days + 3):
            edges.update(edge for edge in hours.edges(first + timedelta(days=count)) if edge > at)
    return next((edge for edge in sorted(edges) if prices_at(model, edge) != now), None)


def cost(
    model: Priced,
    usage: TokenUsage,
    at: datetime,
    payer: str,
    reported: Decimal | None = None,
    *,
    service_tier: str = "",
) -> Cost:
    """Return the cost of a usage. A plan includes it; a cost that the provider reports, in US dollars, beats ours.

    `at` is when the request began; the size that counts is that of its whole prompt, cached or not.
    """
    return cost_range(model, usage, at, payer, reported, service_tier=service_tier)[1]


def cost_range(
    model: Priced,
    usage: TokenUsage,
    at: datetime,
    payer: str,
    reported: Decimal | None = None,
    *,
    service_tier: str = "",
    calendars: Mapping[str, Calendar] | None = None,
) -> tuple[Cost, Cost]:
    """Return the least and the most that a usage costs; they differ only if a holiday calendar is missing."""
    if payer == "plan":
        return Cost("included"), Cost("included")
    if payer in {"local", "free"}:
        return Cost("free", Decimal(0)), Cost("free", Decimal(0))
    if reported is not None:
        return Cost("reported", reported), Cost("reported", reported)
    found = prices_at(model, at, usage.total_input, service_tier=service_tier, calendars=calendars)
    if not found:
        return Cost("unknown"), Cost("unknown")
    least, most = sorted((found[0], found[-1]), key=lambda each: each.amount(usage))
    return (
        Cost("metered", least.amount(usage), least.currency),
        Cost("metered", most.amount(usage), most.currency),
    )


def read_prices(
    entries: Sequence[Mapping[str, Any]], where: str, place: Callable[[int], str] | None = None
) -> tuple[Price, ...]:
    """Read the `[[models.prices]]` of a provider's page; amounts are strings so that they stay exact.

    `place` names the nth entry in an error better than `where` does.
    """
    found = []
    for count, entry in enumerate(entries):
        try:
            found.append(_price(entry))
        except ValueError as error:
            raise ConfigError(f"{place(count) if place else where}: {error}.", _HELP) from error
    return tuple(found)


def _price(entry: Mapping[str, Any]) -> Price:
    """Read one price; raises ValueError saying what is wrong with it."""
    if not hasattr(entry, "items"):
        raise ValueError("a price is a table")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown or "input" not in entry or "output" not in entry:
        raise ValueError(f"a price needs input and output, and knows no {unknown}")
    amounts: dict[str, Any] = {name: _amount(entry[name]) for name in _AMOUNTS if name in entry}
    plain: dict[str, Any] = {name: str(entry[name]) for name in ("currency", "label", "source") if name in entry}
    if plain.get("currency", "USD") not in CURRENCIES:
        raise ValueError(f"there is no currency {plain['currency']!r}: write it like USD, EUR or CNY")
    plain |= {name: _read_instant(entry[name]) for name in ("since", "until") if name in entry}
    try:
        hours = tuple(_hours(each) for each in entry.get("hours", ()))
    except (KeyError, TypeError, OSError) as error:
        raise ValueError(f"hours: {error}") from error
    return Price(**amounts, **plain, hours=hours, above=_count(entry.get("above", 0)))


def _amount(value: Any) -> Decimal:
    try:
        amount = Decimal(value) if isinstance(value, str) else Decimal("NaN")
    except ArithmeticError:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{value!r} is not a price: a number in quotes, not below nothing")
    return amount


def _hours(entry: Mapping[str, Any]) -> Hours:
    if set(entry) - {"days", "first", "last", "zone", "holidays"}:
        raise ValueError(f"hours know no {sorted(set(entry) - {'days', 'first', 'last', 'zone', 'holidays'})}")
    hours = Hours(
        tuple(_count(day) for day in entry["days"]),
        _count(entry["first"]),
        _count(entry["last"]),
        str(entry.get("zone", "UTC")),
        str(entry.get("holidays", "")),
    )
    if not set(hours.days) <= set(range(7)) or not hours.first < 24 or not hours.last <= 24:
        raise ValueError("hours are weekdays 0 to 6 and hours 0 to 24")
    _zone(hours.zone)
    return hours


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _read_instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no offset")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise ValueError(f"{value!r} is not a date")
