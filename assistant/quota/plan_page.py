"""Reads a plan from the values of its page. `plans/TEMPLATE.md` shows every key."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from assistant import discover
from assistant.quota.page import Page, as_instant
from assistant.quota.tariff import CLASSES, Holidays, Rate, Rule, Tariff, Unit
from assistant.quota.terms import PERIODS, ClientRule, Exhaustion, Limit, Lot, Meter, Plan, Provenance
from assistant.quota.window import Window, WindowKind
from assistant.tokens import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_READERS = "assistant.quota.readers"
_ALIASES = {
    "sliding": "rolling", "day": "calendar_day", "week": "calendar_week", "month": "calendar_month", "none": "balance",
}  # fmt: skip
METER_KEYS = {
    "name", "unit", "window", "limit", "limits", "hours", "minutes", "days", "length", "floor", "zone", "anchor_time",
    "anchor_weekday", "anchor_day", "months", "activated_at", "subscribed_at", "weights", "per", "models", "only", "feature",
    "per_app", "currency", "rates", "rules", "pool", "percent", "lots", "reads", "since", "until", "note",
}  # fmt: skip
PLAN_KEYS = {
    "name", "title", "vendor", "region", "price", "currency", "period", "since", "until", "default_for", "meters", "source",
    "checked_on", "provenance", "client", "client_source", "exhaustion", "overage", "addresses", "also_at", "key_shape", "usage_page",
    "reader", "activated_at", "subscribed_at", "zone", "holidays", "extends", "note",
}  # fmt: skip


def read_plan(
    page: Mapping[str, Any], where: str, text: str = "", pages: Mapping[str, Mapping[str, Any]] | None = None
) -> Plan:
    """Read one plan from its values; `text` is the file's, for line numbers in errors; `pages` may be extended."""
    own = Page(page, where, text)
    own.only(PLAN_KEYS, "a plan")
    if not page.get("name") or not isinstance(page["name"], str):
        raise own.fail("a plan has a name and meters.", "name", "See the README's example.")
    values = Page(_extended(page, pages or {}, own), where, text)
    tables = values.tables("meters")
    if not tables:
        raise own.fail("a plan has a name and meters.", "meters", "See the README's example.")
    if "extends" in page:  # line numbers exist only for the user's own tables
        mine = [each.get("name") for each in page.get("meters", ()) if isinstance(each, dict)]
        tables = [
            each._replace(path=("meters", mine.index(name)))
            if (name := each.values.get("name")) in mine
            else each._replace(text="")
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
        period=values.choice("period", ("", *PERIODS)),
        since=values.day("since"),
        until=values.day("until"),
        client=values.choice("client", get_args(ClientRule), "any"),  # type: ignore[arg-type] # choice() has checked it
        client_source=values.string("client_source"),
        exhaustion=values.choice("exhaustion", get_args(Exhaustion), "unknown"),  # type: ignore[arg-type] # as above
        overage=values.string("overage"),
        addresses=_addresses(values),
        also_at=values.strings("also_at"),
        key_shape=values.string("key_shape"),
        usage_page=values.string("usage_page"),
        reader=values.choice("reader", ("", *discover.part_names(_READERS))),
        note=values.string("note"),
        fields=_provenance(values),
    )


def _extended(page: Mapping[str, Any], pages: Mapping[str, Mapping[str, Any]], own: Page) -> dict[str, Any]:
    """Lay a page over the one it extends: its keys win; meters are matched by name, and a meter's keys win too."""
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


def _addresses(values: Page) -> dict[str, str]:
    own = values.values.get("addresses", {})
    if not isinstance(own, dict):
        raise values.fail("addresses must be a table of base addresses by protocol.", "addresses")
    table = Page(own, values.where, values.text, ("addresses",))
    for key in own:
        try:
            urlsplit(table.string(key))
        except ValueError as error:
            raise table.fail(f"{key} is no address: {own[key]!r}.", key) from error
    return dict(own)


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
    found = dict(_ours())
    own = values.values.get("holidays", {})
    if not isinstance(own, dict):
        raise values.fail("holidays must be a table of calendars, each a list of dates.", "holidays")
    table = Page(own, values.where, values.text, ("holidays",))
    found.update({name: _calendar(table, name) for name in own})
    return found


@cache
def _ours() -> Mapping[str, Holidays]:
    """Read our own calendars, once for all pages."""
    paths = discover.data_files(Path(__file__).parent / "holidays", None)
    return {path.stem: _calendar(Page(discover.read_toml(path), str(path)), "days") for path in paths}


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
    if name and name not in CURRENCIES:
        raise values.fail(f"there is no currency {name!r}.", "currency", "Write it like USD, EUR or CNY.")
    return name


def _limit(table: Page, key: str = "limit") -> Limit:
    if table.values.get(key) == "unlimited":
        return "unlimited"
    if table.values.get(key) == "unknown":
        return None
    return table.number(key, least=Decimal(0))


def _meter(table: Page, plan: Page, before: Mapping[str, Meter], holidays: Mapping[str, Holidays]) -> Meter:
    table.only(METER_KEYS, "a meter")
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
        limit, *later = (
            whole * percent / 100 if isinstance(whole, Decimal) else whole
            for whole in (parent.limit, *(dated for _, dated in parent.limits))
        )
    zone = window.zone
    limits = []
    for each in table.tables("limits"):
        each.only({"since", "limit"}, "a dated limit")
        since = each.instant("since", zone)
        if since is None or "limit" not in each.values:
            raise each.fail("a dated limit needs since and limit.", "since")
        limits.append((since, _limit(each)))
    if parent is not None:  # the meter's own dated limits win over those of its pool
        own = {since for since, _ in limits}
        limits += [(since, part) for (since, _), part in zip(parent.limits, later, strict=True) if since not in own]
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
    tariff = _tariff(table, parent, holidays, zone)
    if lots and tariff.unit == "percent":
        hint = "Count it in money, credits or requests, or give it a limit."
        raise table.tables("lots")[0].fail("a lot is an amount, and a meter of percents counts none.", "amount", hint)
    return Meter(
        name,
        tariff,
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
    # The day of renewal depends on the user's subscription; until the user gives it, it is unknown (0).
    day = table.number("anchor_day", Decimal(1)) or Decimal(0)
    months = table.number("months", Decimal(1)) or Decimal(0)
    if not 1 <= day <= 31 or day % 1:
        raise table.fail("anchor_day must be a day of the month, 1 to 31.", "anchor_day")
    if not 1 <= months <= 120 or months % 1:
        raise table.fail("months must be a whole number from 1 to 120.", "months")
    weekdays = table.weekdays("anchor_weekday")
    clock = table.clock("anchor_time")
    origin = None
    for key in ("activated_at", "subscribed_at"):
        origin = origin or table.instant(key, zone, clock)
    # Only anchored windows use the plan's own instant, and their own anchor day wins over it.
    if origin is None and (kind == "grid" or (kind == "subscription_month" and "anchor_day" not in table.values)):
        origin = plan.instant("activated_at", zone, clock) or plan.instant("subscribed_at", zone, clock)
    if kind == "subscription_month" and origin is None and "anchor_day" not in table.values:
        day = Decimal(0)
    return Window(
        kind,  # type: ignore[arg-type] # checked above: it is a WindowKind
        length,
        "hour" if table.choice("floor", ("", "hour")) else "",
        zone,
        clock,
        weekdays[0] if weekdays else 0,
        int(day),
        int(months),
        origin,
    )


def _tariff(table: Page, parent: Meter | None, holidays: Mapping[str, Holidays], zone: str) -> Tariff:
    if parent is not None and "unit" not in table.values:
        return parent.tariff
    unit = table.choice("unit", get_args(Unit))
    per = table.number("per", Decimal(1_000_000) if unit == "money" else Decimal(1)) or Decimal(0)
    if per <= 0:
        raise table.fail("per must be more than 0.", "per")
    rates = []
    for each in table.tables("rates"):
        each.only({"since", "models", "weights"}, "a rate")
        rates.append(Rate(each.numbers("weights", CLASSES), each.strings("models"), each.instant("since", zone)))
    rules = []
    for each in table.tables("rules"):
        each.only({"factor", "models", "days", "hours", "zone", "since", "until", "except_holidays", "label"}, "a rule")
        factor = each.number("factor", least=Decimal(0))
        if factor is None:
            raise each.fail("a rule needs its factor.", "factor")
        clock = each.zone("zone", zone)
        rules.append(
            Rule(factor, each.strings("models"), each.weekdays("days"), each.spans("hours"), clock,
                 each.instant("since", clock), each.instant("until", clock), each.string("except_holidays"),
                 each.string("label"))
        )  # fmt: skip
    currency = _currency(table)
    if unit == "money" and not currency:
        raise table.fail("a meter of money needs its currency.", "unit", 'Write currency = "USD", for example.')
    weights = table.numbers("weights", CLASSES)
    return Tariff(
        unit,  # type: ignore[arg-type] # choice() has checked it
        weights,
        per,
        table.numbers("models"),
        tuple(rates),
        tuple(rules),
        currency,
        holidays,
    )
