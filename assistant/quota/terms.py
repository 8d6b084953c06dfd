"""The terms of a plan as values: what the user pays for (Plan), what is counted (Meter), and each fact's source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from assistant.quota.tariff import Amount, Burn, Tariff, Unit, fits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from assistant.quota.window import Window
    from assistant.tokens import Cost, TokenUsage

_NOTHING: Mapping[str, Any] = MappingProxyType({})
Limit = Decimal | Literal["unlimited"] | None
PERIODS = {
    "week": timedelta(weeks=1),
    "month": timedelta(days=365) / 12,
    "quarter": timedelta(days=365) / 4,
    "year": timedelta(days=365),
}
"""The average length of the period that a plan's price pays."""
ClientRule = Literal["any", "listed_tools", "own_sign_in", "forbidden"]
Exhaustion = Literal["stop", "overage", "balance", "unknown"]


class Lot(NamedTuple):
    """A part of a balance that was bought or granted at once. An `expires_at` of None is never."""

    amount: Decimal
    bought_at: datetime | None = None
    expires_at: datetime | None = None
    label: str = ""


class Meter(NamedTuple):
    """One thing that is counted.

    `limit` is in the tariff's unit, None if it is unknown, which is neither zero nor "unlimited". `limits` are dated
    limits, which win from their instant on. `only` are patterns of the models in scope, empty for all; `feature` is
    another use that it may be for ("mcp", "video"), which our own steps never are. `per_app` marks a cap for this
    program alone. `reads` are further names that a provider's reading may have. Outside `since` and `until` it is not
    in the plan.
    """

    name: str
    tariff: Tariff
    window: Window
    limit: Limit = None
    limits: tuple[tuple[datetime, Limit], ...] = ()
    only: tuple[str, ...] = ()
    feature: str = ""
    per_app: bool = False
    lots: tuple[Lot, ...] = ()
    reads: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    note: str = ""

    @property
    def unit(self) -> Unit:
        """The unit that it counts."""
        return self.tariff.unit

    @property
    def currency(self) -> str:
        """The currency of a money meter; empty if it takes any."""
        return self.tariff.currency

    def counts(self, model: str, feature: str = "") -> bool:
        """Say whether a step is in scope."""
        if self.feature != feature:
            return False
        return not self.only or fits(model, self.only)

    def holds_at(self, at: datetime) -> bool:
        """Say whether the plan has this meter at an instant."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def limit_at(self, at: datetime) -> Limit:
        """Return the limit at an instant; for a balance in lots, the sum of those bought by then, even if expired."""
        if self.lots:
            return sum((lot.amount for lot in self.lots if lot.bought_at is None or lot.bought_at <= at), Decimal(0))
        dated = [(since, limit) for since, limit in self.limits if since <= at]
        return max(dated, key=lambda each: each[0])[1] if dated else self.limit

    def amount(self, burn: Burn) -> Amount | None:
        """Return what a step takes, in units with a band; None if its price is unknown."""
        if burn.charged and (final := burn.charged.get(self.name)) is not None:
            return Amount(final, final, final)
        return self.tariff.amount(burn)

    def burn(self, usage: TokenUsage, cost: Cost, model: str, at: datetime | None = None) -> Decimal:
        """Return what a step takes of this meter, in its unit; 0 if it is out of scope or its price is unknown."""
        if not self.counts(model):
            return Decimal(0)
        found = self.amount(Burn(at or _UNDATED, usage, cost, model))
        return found.point if found is not None else Decimal(0)


_OLD = 60
"""Days after which limits that were not verified again are old."""
_UNDATED = datetime(9000, 1, 1, tzinfo=UTC)


class Provenance(NamedTuple):
    """The source of a fact and when it was last verified. `assumed` marks a fact that nobody has confirmed."""

    source: str
    checked_on: date | None
    assumed: bool = False


class Plan(NamedTuple):
    """What the user pays for. `default_for` names the providers whose default plan it is.

    `client` is the vendor's rule for programs like this one, `client_source` its source. `addresses` are base addresses
    by protocol, `also_at` others at which its key is valid, `key_shape` how a key begins; `reader` is the module in
    `readers/` that reads its quota.
    """

    name: str
    title: str
    meters: tuple[Meter, ...]
    default_for: tuple[str, ...] = ()
    source: str = ""
    checked_on: date | None = None
    vendor: str = ""
    region: str = ""
    price: Decimal | None = None
    currency: str = ""
    period: str = ""
    since: date | None = None
    until: date | None = None
    client: ClientRule = "any"
    client_source: str = ""
    exhaustion: Exhaustion = "unknown"
    overage: str = ""
    addresses: Mapping[str, str] = _NOTHING
    also_at: tuple[str, ...] = ()
    key_shape: str = ""
    usage_page: str = ""
    reader: str = ""
    note: str = ""
    fields: Mapping[str, Provenance] = _NOTHING

    @property
    def is_prepaid(self) -> bool:
        """Whether each request is paid from a balance; meters of other things may then count only some models."""
        money = [each.window.kind == "balance" and each.unit == "money" for each in self.meters]
        some = [bool(each.only or each.feature) for each in self.meters]
        return any(money) and all(paid or part for paid, part in zip(money, some, strict=True))

    @property
    def host(self) -> str:
        """The host of its first address, by which answers are read; empty if its page names none."""
        return next((urlsplit(each).hostname or "" for each in self.addresses.values()), "")

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies of its money meters."""
        return frozenset(each.currency for each in self.meters if each.unit == "money" and each.currency)

    @property
    def may_send(self) -> bool:
        """Whether its terms let this program send requests with it; otherwise it is only shown."""
        return self.client != "forbidden"

    def provenance(self, name: str) -> Provenance:
        """Return the source of a field, such as "price" or "5 hours.limit"; by default the page's own source."""
        return self.fields.get(name) or Provenance(self.source, self.checked_on)

    def age(self, today: date) -> int | None:
        """Return the days since the oldest fact about its limits was verified; None if no date is known."""
        dates = [self.provenance(f"{meter.name}.limit").checked_on for meter in self.meters if meter.limit is not None]
        known = [each for each in dates or [self.checked_on] if each is not None]
        return max(0, (today - min(known)).days) if known else None

    def staleness(self, today: date) -> str:
        """Say that the limits are old; empty if they are not."""
        days = self.age(today)
        return f"limits last verified {days} days ago" if days is not None and days > _OLD else ""
