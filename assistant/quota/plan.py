"""What the user pays for (Plan) and the things that are counted in it (Meter), from pages in `plans/` and the user's.

`plans/TEMPLATE.md` shows every key of a page. A page of the user's may say `extends = "glm-lite"` and give only what is
his: the instant of his order, another limit, a currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from assistant import discover
from assistant.quota.page import Page, as_instant
from assistant.quota.tariff import CLASSES, Amount, Burn, Holidays, Rate, Rule, Tariff, Unit
from assistant.quota.window import Window, WindowKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from assistant.tokens import Cost, TokenUsage

Limit = Decimal | Literal["unlimited"] | None
ClientRule = Literal["any", "listed_tools", "own_sign_in", "forbidden"]
Exhaustion = Literal["stop", "overage", "balance", "unknown"]
_ALIASES = {
    "sliding": "rolling", "day": "calendar_day", "week": "calendar_week", "month": "calendar_month", "none": "balance",
}  # fmt: skip
_CURRENCIES = frozenset((
    "USD", "EUR", "CNY", "GBP", "JPY", "INR", "KRW", "CAD", "AUD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL", "MXN", "SGD", "HKD", "TWD", "ILS", "TRY", "ZAR", "NZD", "THB", "VND", "IDR", "MYR",
    "PHP", "RUB", "UAH", "AED", "SAR", "ARS", "CLP", "COP", "HUF", "RON", "BGN",
))  # fmt: skip
_METER_KEYS = {
    "name", "unit", "window", "limit", "limits", "hours", "minutes", "days", "length", "floor", "zone", "anchor_time",
    "anchor_weekday", "anchor_day", "months", "activated_at", "subscribed_at", "weights", "per", "models", "only", "feature",
    "per_app", "currency", "rates", "rules", "pool", "percent", "lots", "reads", "since", "until", "note",
}  # fmt: skip
_PLAN_KEYS = {
    "name", "title", "vendor", "region", "price", "currency", "period", "since", "until", "default_for", "meters", "source",
    "checked_on", "provenance", "client", "client_source", "exhaustion", "overage", "addresses", "key_shape", "usage_page",
    "reader", "activated_at", "subscribed_at", "zone", "holidays", "extends", "note",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lot:
    """A part of a balance that was bought or granted at once. `expires_at` None is never."""

    amount: Decimal
    bought_at: datetime | None = None
    expires_at: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """One thing that is counted.

    `limit` is in the tariff's unit, None where nobody says one, which is neither zero nor "unlimited". `limits` are dated
    ones, which win from their instant on. `only` are patterns of the models in scope, empty for all; `feature` is what
    else it may be for ("mcp", "video"), which our own steps never are. `per_app` marks a cap that holds for this program
    alone. `reads` are further names that a provider's reading may have. Outside `since` and `until` it is not in the plan.
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
        """What it counts."""
        return self.tariff.unit

    @property
    def currency(self) -> str:
        """The currency of a money meter; empty where it takes any."""
        return self.tariff.currency

    def counts(self, model: str, feature: str = "") -> bool:
        """Say whether a step is in scope."""
        if self.feature != feature:
            return False
        return not self.only or any(fnmatchcase(model, pattern) for pattern in self.only)

    def holds_at(self, at: datetime) -> bool:
        """Say whether the plan has this meter at an instant."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def limit_at(self, at: datetime) -> Limit:
        """Return the limit that holds at an instant; a balance holds the lots that are bought and not expired."""
        if self.lots:
            return sum((lot.amount for lot in self.lots if lot.bought_at is None or lot.bought_at <= at), Decimal(0))
        dated = [(since, limit) for since, limit in self.limits if since <= at]
        return max(dated, key=lambda each: each[0])[1] if dated else self.limit

    def amount(self, burn: Burn) -> Amount | None:
        """Return what a step takes, in units with a band; None where its price is unknown."""
        if burn.charged and (final := burn.charged.get(self.name)) is not None:
            return Amount(final, final, final)
        return self.tariff.amount(burn)

    def burn(self, usage: TokenUsage, cost: Cost, model: str, at: datetime | None = None) -> Decimal:
        """Return what a step takes of this meter, in its unit; 0 where it is out of scope or its price is unknown."""
        if not self.counts(model):
            return Decimal(0)
        found = self.amount(Burn(at or _UNDATED, usage, cost, model))
        return found.point if found is not None else Decimal(0)


_UNDATED = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a fact comes from and when that was last looked at. `assumed` marks what nobody has confirmed."""

    source: str
    checked_on: date | None
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user pays for. `default_for` names providers that it is the natural plan of.

    `client` is the vendor's rule for programs like this one, `client_source` where it says so. `addresses` are base
    addresses by protocol, `key_shape` how a key begins; `reader` is the module in `readers/` that reads its quota.
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
    addresses: Mapping[str, str] = field(default_factory=dict)
    key_shape: str = ""
    usage_page: str = ""
    reader: str = ""
    note: str = ""
    fields: Mapping[str, Provenance] = field(default_factory=dict)

    @property
    def may_send(self) -> bool:
        """Whether its terms let this program send requests with it; otherwise it is for display only."""
        return self.client != "forbidden"

    def provenance(self, name: str) -> Provenance:
        """Return where a field comes from, such as "price" or "5 hours.limit"; the page's own source where none is named."""
        return self.fields.get(name) or Provenance(self.source, self.checked_on)

    def age(self, today: date) -> int | None:
        """Return the days since the oldest fact of its limits was looked at; None where no date is known."""
        dates = [self.provenance(f"{meter.name}.limit").checked_on for meter in self.meters if meter.limit is not None]
        known = [each for each in dates or [self.checked_on] if each is not None]
        return max(0, (today - min(known)).days) if known else None

    def staleness(self, today: date, after: int = 60) -> str:
        """Say that the limits are old; empty where they are not."""
        days = self.age(today)
        return f"limits last verified {days} days ago" if days is not None and days > after else ""


def load_plans(users: Path | None) -> dict[str, Plan]:
    """Read all plans, ours first; the user's of the same name win. Raises ConfigError naming file and line."""
    pages = _pages(users)
    return {name: _read(path, page, pages) for name, (path, page) in pages.items()}


def load_plan(users: Path | None, *, name: str = "", provider: str = "") -> Plan | None:
    """Read one plan by its name, or the one that is the natural plan of a provider; None where there is none.

    Only the pages that mention it are read, for faces that must be quick.
    """
    word = f'"{name or provider}"'
    pages = _pages(users, word)
    for page_name, (path, page) in reversed(pages.items()):
        if page_name == name or (not name and provider in page.get("default_for", ())):
            if "extends" in page:
                pages = _pages(users)
            return _read(path, page, pages)
    return None


def read_file(path: Path, users: Path | None = None) -> Plan:
    """Read one page, which may extend ours or the user's."""
    page = discover.read_toml(path)
    return _read(path, page, _pages(users) if "extends" in page else {})


_Pages = dict[str, tuple[Path, dict[str, Any]]]


def _pages(users: Path | None, word: str = "") -> _Pages:
    found: _Pages = {}
    for path in discover.data_files(Path(__file__).parent / "plans", users):
        if word and word.encode() not in path.read_bytes():
            continue
        page = discover.read_toml(path)
        name = page.get("name")
        if not isinstance(name, str) or not name:
            raise Page(page, str(path)).fail("a plan has a name and meters.", "name", "See the README's example.")
        before = found.pop(name, None)
        if before is not None and page.get("extends") == name:
            raise Page(page, str(path)).fail("a plan cannot extend itself.", "extends", "Give it a name of its own.")
        found[name] = (path, page)
    return found


def _read(path: Path, page: Mapping[str, Any], pages: _Pages) -> Plan:
    text = path.read_text(encoding="utf-8", errors="replace")
    return read_plan(page, str(path), text, {name: each for name, (_, each) in pages.items()})


def read_plan(
    page: Mapping[str, Any], where: str, text: str = "", pages: Mapping[str, Mapping[str, Any]] | None = None
) -> Plan:
    """Read one plan from its values; `text` is the file's, so that errors name lines, `pages` what it may extend."""
    own = Page(page, where, text)
    own.only(_PLAN_KEYS, "a plan")
    if not page.get("name") or not isinstance(page["name"], str):
        raise own.fail("a plan has a name and meters.", "name", "See the README's example.")
    values = Page(_extended(page, pages or {}, own), where, text)
    tables = values.tables("meters")
    if not tables:
        raise own.fail("a plan has a name and meters.", "meters", "See the README's example.")
    if "extends" in page:  # lines are those of the user's own tables
        mine = [each.get("name") for each in page.get("meters", ()) if isinstance(each, dict)]
        tables = [
            replace(each, path=("meters", mine.index(name)))
            if (name := each.values.get("name")) in mine
            else replace(each, text="")
            for each in tables
        ]
    holidays = _holidays(values)
    meters: dict[str, Meter] = {}
    for table in tables:
        meter = _meter(table, values, meters, holidays)
        if meter.name in meters:
            raise table.fail(f"there are two meters called {meter.name!r}.", "name")
        meters[meter.name] = meter
    return Plan(
        name=page["name"],
        title=values.string("title", page["name"]),
        meters=tuple(meters.values()),
        default_for=values.strings("default_for"),
        source=values.string("source"),
        checked_on=values.day("checked_on"),
        vendor=values.string("vendor"),
        region=values.string("region"),
        price=values.number("price", least=Decimal(0)),
        currency=_currency(values),
        period=values.string("period"),
        since=values.day("since"),
        until=values.day("until"),
        client=values.choice("client", get_args(ClientRule), "any"),  # type: ignore[arg-type] # choice() has checked it
        client_source=values.string("client_source"),
        exhaustion=values.choice("exhaustion", get_args(Exhaustion), "unknown"),  # type: ignore[arg-type] # as above
        overage=values.string("overage"),
        addresses={str(key): str(value) for key, value in dict(values.values.get("addresses", {})).items()},
        key_shape=values.string("key_shape"),
        usage_page=values.string("usage_page"),
        reader=values.string("reader"),
        note=values.string("note"),
        fields=_provenance(values),
    )


def _extended(page: Mapping[str, Any], pages: Mapping[str, Mapping[str, Any]], own: Page) -> dict[str, Any]:
    """Lay a page over the one it extends: keys win, meters are matched by name, a meter's keys win too."""
    chain = [dict(page)]
    while (base := chain[-1].get("extends")) is not None:
        if base not in pages:
            raise own.fail(
                f"it extends {base!r}, and there is no plan of that name.", "extends", "See `wattson plans`."
            )
        if any(base == each.get("name") for each in chain):
            raise own.fail(f"{base!r} extends itself in the end.", "extends")
        chain.append(dict(pages[base]))
    found = chain.pop()
    for over in reversed(chain):
        for each in (found, over):
            Page(each, own.where, own.text).tables("meters")
        mine = {each.get("name"): each for each in over.get("meters", ())}
        known = [each.get("name") for each in found.get("meters", ())]
        meters = [{**each, **mine.get(each.get("name"), {})} for each in found.get("meters", ())]
        meters += [each for name, each in mine.items() if name not in known]
        found = {**found, "default_for": (), **over, "meters": meters}
    return found


def _provenance(values: Page) -> dict[str, Provenance]:
    found = {}
    for table in values.tables("provenance"):
        table.only({"fields", "source", "checked_on", "assumed"}, "a provenance")
        about = Provenance(
            table.string("source", values.string("source")),
            table.day("checked_on") or values.day("checked_on"),
            table.flag("assumed"),
        )
        found.update(dict.fromkeys(table.strings("fields"), about))
    return found


def _holidays(values: Page) -> dict[str, Holidays]:
    """Read our own calendars and those of the page; a day is a date or "2026-10-01..2026-10-07"."""
    found = {}
    for path in discover.data_files(Path(__file__).parent / "holidays", None):
        found[path.stem] = _calendar(Page(discover.read_toml(path), str(path)), "days")
    own = values.values.get("holidays", {})
    if not isinstance(own, dict):
        raise values.fail("holidays must be a table of calendars, each a list of dates.", "holidays")
    table = Page(own, values.where, values.text, ("holidays",))
    found.update({name: _calendar(table, name) for name in own})
    return found


def _calendar(page: Page, key: str) -> Holidays:
    days: set[date] = set()
    written = page.values.get(key, [])
    for each in written if isinstance(written, list) else [written]:
        first, _, last = str(each).partition("..")
        begin, end = as_instant(first.strip()), as_instant((last or first).strip())
        if begin is None or end is None or not timedelta(0) <= end - begin < timedelta(days=60):
            raise page.fail(f"{key} holds no date: {each!r}.", key, "Write 2026-10-01 or '2026-10-01..2026-10-07'.")
        days.update((begin + timedelta(days=step)).date() for step in range((end - begin).days + 1))
    return Holidays(frozenset(days), frozenset(each.year for each in days))


def _currency(values: Page) -> str:
    name = values.string("currency")
    if name and name not in _CURRENCIES:
        raise values.fail(f"there is no currency {name!r}.", "currency", "Write it like USD, EUR or CNY.")
    return name


def _limit(table: Page, key: str = "limit") -> Limit:
    if table.values.get(key) == "unlimited":
        return "unlimited"
    if table.values.get(key) == "unknown":
        return None
    return table.number(key, least=Decimal(0))


def _meter(table: Page, plan: Page, before: Mapping[str, Meter], holidays: Mapping[str, Holidays]) -> Meter:
    table.only(_METER_KEYS, "a meter")
    name = table.string("name")
    parent = before.get(table.string("pool"))
    if table.values.get("pool") and parent is None:
        raise table.fail(f"its pool {table.string('pool')!r} is not a meter above it.", "pool")
    if not name or "window" not in table.values or ("unit" not in table.values and parent is None):
        missing = [key for key in ("name", "unit", "window") if key not in table.values]
        raise table.fail(f"a meter has a name, a unit and a window; missing: {', '.join(missing)}.")
    window = _window(table, plan)
    limit = _limit(table)
    if parent is not None:
        percent = table.number("percent", least=Decimal(0))
        if percent is None:
            raise table.fail("a part of a pool needs its percent.", "pool", "Write percent = 10, for example.")
        whole = parent.limit
        limit = whole * percent / 100 if isinstance(whole, Decimal) else whole
    zone = window.zone
    limits = []
    for each in table.tables("limits"):
        each.only({"since", "limit"}, "a dated limit")
        since = each.instant("since", zone)
        if since is None or "limit" not in each.values:
            raise each.fail("a dated limit needs since and limit.", "since")
        limits.append((since, _limit(each)))
    lots = []
    for each in table.tables("lots"):
        each.only({"amount", "bought_at", "expires_at", "label"}, "a lot")
        amount = each.number("amount", least=Decimal(0))
        if amount is None:
            raise each.fail("a lot needs its amount.", "amount")
        bought, expires = each.instant("bought_at", zone), each.instant("expires_at", zone)
        lots.append(Lot(amount, bought, expires, each.string("label")))
    if lots and window.kind != "balance":
        raise table.fail("only a balance has lots.", "lots")
    return Meter(
        name,
        _tariff(table, parent, holidays),
        window,
        limit,
        tuple(limits),
        table.strings("only"),
        table.string("feature"),
        table.flag("per_app"),
        tuple(lots),
        table.strings("reads"),
        table.instant("since", zone),
        table.instant("until", zone),
        table.string("note"),
    )


def _window(table: Page, plan: Page) -> Window:
    written = table.values["window"]
    kind = _ALIASES.get(written, written) if isinstance(written, str) else written
    if kind not in get_args(WindowKind):
        raise table.fail(f"there is no window {written!r}.", "window", f"Windows: {', '.join(get_args(WindowKind))}.")
    length = table.length() if kind in {"first_use", "rolling", "grid"} else timedelta(0)
    if kind in {"first_use", "rolling", "grid"} and not length:
        raise table.fail(f"a {kind} window needs its hours.", "window", "Write hours = 5, for example.")
    zone = table.zone("zone", plan.zone("zone"))
    # The day on which a subscription renews is the user's; until he has said it, it is unknown (0).
    day = table.number("anchor_day", Decimal(1)) or Decimal(0)
    months = table.number("months", Decimal(1)) or Decimal(0)
    if not 1 <= day <= 31 or day % 1:
        raise table.fail("anchor_day must be a day of the month, 1 to 31.", "anchor_day")
    if not 1 <= months <= 120 or months % 1:
        raise table.fail("months must be a whole number from 1 to 120.", "months")
    weekdays = table.weekdays("anchor_weekday")
    origin = None
    for key in ("activated_at", "subscribed_at"):
        origin = origin or table.instant(key, zone)
    # Only what is anchored takes the plan's own instant, and an anchor day of its own goes before it.
    if origin is None and (kind == "grid" or (kind == "subscription_month" and "anchor_day" not in table.values)):
        origin = plan.instant("activated_at", zone) or plan.instant("subscribed_at", zone)
    if kind == "subscription_month" and origin is None and "anchor_day" not in table.values:
        day = Decimal(0)
    return Window(
        kind,  # type: ignore[arg-type] # it is one of WindowKind's words, as was checked above
        length,
        "hour" if table.choice("floor", ("", "hour")) else "",
        zone,
        table.clock("anchor_time"),
        weekdays[0] if weekdays else 0,
        int(day),
        int(months),
        origin,
    )


def _tariff(table: Page, parent: Meter | None, holidays: Mapping[str, Holidays]) -> Tariff:
    if parent is not None and "unit" not in table.values:
        return parent.tariff
    unit = table.choice("unit", get_args(Unit))
    per = table.number("per", Decimal(1_000_000) if unit == "money" else Decimal(1)) or Decimal(0)
    if per <= 0:
        raise table.fail("per must be more than 0.", "per")
    rates = []
    for each in table.tables("rates"):
        each.only({"since", "models", "weights"}, "a rate")
        rates.append(Rate(each.numbers("weights", CLASSES), each.strings("models"), each.instant("since")))
    rules = []
    for each in table.tables("rules"):
        each.only({"factor", "models", "days", "hours", "zone", "since", "until", "except_holidays", "label"}, "a rule")
        factor = each.number("factor", least=Decimal(0))
        if factor is None:
            raise each.fail("a rule needs its factor.", "factor")
        zone = each.zone("zone", table.string("zone", "UTC"))
        rules.append(
            Rule(factor, each.strings("models"), each.weekdays("days"), each.spans("hours"), zone,
                 each.instant("since", zone), each.instant("until", zone), each.string("except_holidays"),
                 each.string("label"))
        )  # fmt: skip
    weights = table.numbers("weights", CLASSES)
    return Tariff(
        unit,  # type: ignore[arg-type] # choice() has checked it
        weights,
        per,
        table.numbers("models"),
        tuple(rates),
        tuple(rules),
        _currency(table),
        holidays,
    )
