"""What tokens cost: dated, tiered by the size of the prompt, scheduled by hour and day. Money is Decimal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from assistant.errors import ConfigError
from assistant.tokens import Cost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assistant.tokens import TokenUsage

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the week in UTC: weekdays (Monday is 0) and hours, first included, last not."""

    days: tuple[int, ...]
    first: int
    last: int

    def holds(self, at: datetime) -> bool:
        """Say whether an instant falls into it."""
        at = at.astimezone(UTC)
        return at.weekday() in self.days and self.first <= at.hour < self.last


@dataclass(frozen=True, slots=True)
class Price:
    """Money for a million tokens of each kind, from a date on; None is unknown.

    It holds for prompts of more than `above` tokens, and within `hours` where there are any.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_short: Decimal | None = None
    cache_write_long: Decimal | None = None
    currency: str = "USD"
    since: date = date.min
    above: int = 0
    hours: tuple[Hours, ...] = ()
    label: str = ""

    def amount(self, usage: TokenUsage) -> Decimal:
        """Return what a usage costs. Cached tokens without a price of their own cost as fresh ones."""
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


class Priced(Protocol):
    """What has prices: a Model."""

    @property
    def prices(self) -> tuple[Price, ...]:
        """All prices that are known, of any date, tier and hour."""


def price_at(model: Priced, at: datetime, prompt_tokens: int = 0) -> Price | None:
    """Return the price that holds at an instant for a prompt of this size; None where none is known.

    The newest date wins, then the narrowest hours, then the highest tier.
    """
    today = at.astimezone(UTC).date()
    known = [price for price in model.prices if price.since <= today and price.above < max(1, prompt_tokens)]
    known = [price for price in known if not price.hours or any(hours.holds(at) for hours in price.hours)]
    return max(known, key=lambda price: (price.since, bool(price.hours), price.above), default=None)


def cost(
    model: Priced, usage: TokenUsage, at: datetime, payer: str, reported: Decimal | None = None, currency: str = "USD"
) -> Cost:
    """Return what a usage costs. Inside a plan it is included; what the provider reports beats what we compute."""
    if payer == "plan":
        return Cost("included")
    if payer in {"local", "free"}:
        return Cost("free", Decimal(0))
    if reported is not None:
        return Cost("reported", reported, currency)
    price = price_at(model, at, usage.total_input)
    if price is None:
        return Cost("unknown")
    return Cost("metered", price.amount(usage), price.currency)


def read_prices(entries: list[Mapping[str, Any]], where: str) -> tuple[Price, ...]:
    """Read the `[[models.prices]]` of a provider's page; amounts are strings so that they stay exact."""
    prices = []
    for entry in entries:
        unknown = set(entry) - {
            "input", "output", "cache_read", "cache_write_short", "cache_write_long", "currency", "since", "above",
            "hours", "label",
        }  # fmt: skip
        if unknown or "input" not in entry or "output" not in entry:
            raise ConfigError(
                f"{where}: a price needs input and output, and knows no {sorted(unknown)}.", "Mend the file."
            )
        try:
            amounts = {
                name: Decimal(entry[name])
                for name in ("input", "output", "cache_read", "cache_write_short", "cache_write_long")
                if name in entry
            }
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ConfigError(f"{where}: a price is not a number in quotes.", "Write it like '1.25'.") from error
        hours = tuple(Hours(tuple(each["days"]), each["first"], each["last"]) for each in entry.get("hours", []))
        price = Price(**amounts, hours=hours)  # type: ignore[arg-type]
        plain = {name: entry[name] for name in ("currency", "since", "above", "label") if name in entry}
        prices.append(replace(price, **plain))
    return tuple(prices)
