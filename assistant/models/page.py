"""Reads a provider's page: TOML to a Provider, with file and line for whatever is wrong in it."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from assistant import discover
from assistant.errors import ConfigError
from assistant.models.price import read_prices
from assistant.models.provider import Ability, Model, Payer, Provider, Score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

EFFORTS = ("off", "low", "medium", "high", "max")
"""Levels of thinking in words of no provider, lowest first."""

ADDITION = "adds_to"
"""The key by which a page says that it adds to another page instead of replacing it."""

MODEL_FIELDS = set(Model._fields) - {"provider"}
PROVIDER_FIELDS = set(Provider._fields) - {"address_from"} | {"region_names"}
_SCORE_FIELDS = {"benchmark", "value", "source", "on", "unit"}
_COUNTS = ("context_window", "soft_window", "max_output")
_TEXTS = ("id", "title", "wire", "edit_format", "note", "source")
_PAGE_TEXTS = ("name", "title", "wire", "base_url", "payer", "region", "note", "source")
_LISTS = ("key_names", "also_at", "region_names")
_REGION = r"[a-z0-9-]{1,40}"


class Page(NamedTuple):
    """One page as it was read: its values, where they come from, and its text, by which lines are named.

    `before` counts the lines of the file above the text.
    """

    values: Mapping[str, Any]
    where: str
    text: str = ""
    before: int = 0

    @property
    def name(self) -> str:
        """The provider it is about."""
        return str(self.values.get("name", ""))

    def at(self, table: str = "", count: int = 0, inner: int | None = None, key: str = "") -> str:
        """Name a place: the file, with the line if it can be found.

        `table` and `count` name the nth `[[table]]`, `inner` the nth table of prices below it, `key` a key in it.
        """
        if not self.text:
            return self.where
        lines = self.text.splitlines()
        start = _header(lines, f"[[{table}]]", count) if table else 0
        if start is not None and inner is not None:
            start = _header(lines, f"[[{table}.prices]]", inner, start)
        if start is None:
            return self.where
        if key:
            wanted = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[+{re.escape(key)}[\].]")
            for number in range(start, len(lines)):
                if wanted.match(lines[number]):
                    return f"{self.where}:{self.before + number + 1}"
                if number > start and table and lines[number].lstrip().startswith("["):
                    break
        return f"{self.where}:{self.before + start + 1}"


def _header(lines: list[str], header: str, count: int, start: int = 0) -> int | None:
    for number in range(start, len(lines)):
        if lines[number].split("#")[0].strip().replace(" ", "") == header:
            if not count:
                return number
            count -= 1
    return None


def open_page(path: Path) -> Page:
    """Read a page from a file. Raises ConfigError with file and line when it is not TOML."""
    values = discover.read_toml(path)
    return Page({"name": path.stem, **values}, str(path), path.read_text(encoding="utf-8"))


def layered(base: Page, added: Page) -> Page:
    """Lay an addition over a page: facts about its models replace older ones, its prices join those that are there.

    Only models are taken from an addition, never an address, the name of a key or a header. Raises ConfigError naming
    the addition's file and line.
    """
    read(Page({**base.values, "models": added.values.get("models", [])}, added.where, added.text, added.before))
    newer = str(added.values.get("checked_on", "")) >= str(base.values.get("checked_on", ""))
    rows = {row["id"]: row for row in map(as_row, base.values.get("models", []))}
    for row in map(as_row, added.values.get("models", [])):
        known = rows.get(row["id"], {})
        facts = {**known, **row} if newer else {**row, **known}
        prices = [*known.get("prices", []), *row.get("prices", [])]
        rows[row["id"]] = {**facts, **({"prices": prices} if prices else {})}
    return Page({**base.values, "models": list(rows.values())}, f"{base.where} with {added.where}")


def as_row(row: Any) -> dict[str, Any]:
    """Return a page's entry for a model as a table; some entries are only an id."""
    return {"id": row} if isinstance(row, str) else dict(row)


def read(page: Page, env: Mapping[str, str] | None = None) -> Provider:
    """Make the provider of a page. Raises ConfigError naming file, line and what is allowed."""
    values = page.values
    unknown = sorted(set(values) - PROVIDER_FIELDS)
    missing = sorted({"name", "title", "wire", "base_url"} - set(values))
    if missing:
        raise ConfigError(f"{page.where}: {', '.join(missing)} is missing.", _fields_of("provider", PROVIDER_FIELDS))
    if unknown:
        raise ConfigError(
            f"{page.at(key=unknown[0])}: unknown: {', '.join(unknown)}.", _fields_of("provider", PROVIDER_FIELDS)
        )
    _check_texts(values, _PAGE_TEXTS, page)
    for name in _LISTS:
        if not _texts(values.get(name, [])):
            raise ConfigError(f"{page.at(key=name)}: {name} is a list of texts.", "Mend the file.")
    for name in ("headers", "flags", "wire_flags"):
        if not isinstance(values.get(name, {}), dict):
            raise ConfigError(f"{page.at(key=name)}: {name} is a table.", "Mend the file.")
    _check_choice(values["wire"], "wire", _wires(), page, "wire")
    _check_choice(values.get("payer", "metered"), "payer", get_args(Payer), page, "payer")
    rows = values.get("models", [])
    if not isinstance(rows, list):
        raise ConfigError(f"{page.at(key='models')}: models is a list.", "Mend the file.")
    models = tuple(_model(row, page, count) for count, row in enumerate(rows))
    region = _region(values, env or {}, page)
    made = {name: value for name, value in values.items() if name != "region_names"}
    made |= {name: tuple(made[name]) for name in ("key_names", "also_at") if name in made}
    made["base_url"] = str(values["base_url"]).replace("{region}", region).rstrip("/")
    return Provider(**{**made, "models": models, "region": region})


def _region(values: Mapping[str, Any], env: Mapping[str, str], page: Page) -> str:
    for name in values.get("region_names", []):
        found = env.get(name, "").strip()
        if found:
            if not re.fullmatch(_REGION, found):
                raise ConfigError(f"{name} is {found!r}, which is not the name of a region.", "Write us-east-1, say.")
            return found
    region = str(values.get("region", ""))
    if region and not re.fullmatch(_REGION, region):
        raise ConfigError(f"{page.at(key='region')}: {region!r} is not the name of a region.", "Mend the file.")
    return region


def _model(row: Any, page: Page, count: int) -> Model:
    entry: dict[str, Any] = {"id": row} if isinstance(row, str) else dict(row) if isinstance(row, dict) else {}

    def at(key: str = "") -> str:
        return page.at("models", count, key=key)

    unknown = sorted(set(entry) - MODEL_FIELDS)
    if unknown or not entry.get("id"):
        raise ConfigError(
            f"{at(unknown[0] if unknown else '')}: a model has an id and no {unknown}.",
            _fields_of("model", MODEL_FIELDS),
        )
    _check_texts(entry, _TEXTS, page, count)
    for name in _COUNTS:
        value = entry.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value <= 0):
            raise ConfigError(f"{at(name)}: {name} is a number of tokens.", "Leave it out where nobody says one.")
    if entry.get("wire"):
        _check_choice(entry["wire"], "wire", _wires(), page, "wire", count)
    for name, choices in (("abilities", get_args(Ability)), ("efforts", EFFORTS), ("aliases", None)):
        value = entry.get(name, [])
        if not _texts(value) or (choices and set(value) - set(choices)):
            raise ConfigError(
                f"{at(name)}: {name} is a list of texts.", f"There are {', '.join(choices)}." if choices else ""
            )
    factor = entry.get("token_factor", 1.0)
    if not isinstance(factor, int | float) or not 0.1 <= factor <= 10:
        raise ConfigError(f"{at('token_factor')}: token_factor is a number between 0.1 and 10.", "Mend the file.")
    prices = entry.get("prices", [])
    if not isinstance(prices, list):
        raise ConfigError(f"{at('prices')}: prices are a list of tables.", "Write [[models.prices]].")
    entry["prices"] = read_prices(prices, page.where, lambda inner: page.at("models", count, inner))
    entry["service_tiers"] = _tiers(entry.get("service_tiers", {}), at)
    entry["scores"] = tuple(_score(each, at) for each in entry.get("scores", []))
    for name in ("checked_on", "retires_on"):
        if name in entry and not _day(entry[name]):
            raise ConfigError(f"{at(name)}: {name} is a date.", "Write it without quotes, like 2026-11-23.")
    entry["abilities"] = frozenset(entry.get("abilities", ()))
    entry["efforts"] = tuple(sorted(entry.get("efforts", ()), key=EFFORTS.index))
    entry["aliases"] = tuple(entry.get("aliases", ()))
    entry.setdefault("source", page.values.get("source", ""))
    entry.setdefault("checked_on", page.values.get("checked_on"))
    return Model(provider=str(page.values["name"]), **entry)


def _tiers(table: Any, at: Callable[[str], str]) -> dict[str, Decimal]:
    tiers = {str(name): _decimal(value) for name, value in table.items()} if isinstance(table, dict) else {"": None}
    if any(factor is None or factor < 0 for factor in tiers.values()):
        raise ConfigError(f"{at('service_tiers')}: service_tiers are multiples in quotes.", 'Write { flex = "0.5" }.')
    return {name: factor for name, factor in tiers.items() if factor is not None}


def _score(entry: Any, at: Callable[[str], str]) -> Score:
    known = entry if isinstance(entry, dict) else {}
    value = _decimal(known.get("value"))
    if value is None or set(known) - _SCORE_FIELDS or {"benchmark", "source"} - set(known) or not _day(known.get("on")):
        raise ConfigError(
            f"{at('scores')}: a score has a benchmark, a value in quotes, a source and the day it was given `on`.",
            "Mend the file.",
        )
    return Score(str(known["benchmark"]), value, str(known["source"]), known["on"], str(known.get("unit", "%")))


def _decimal(value: Any) -> Decimal | None:
    try:
        found = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _check_texts(values: Mapping[str, Any], names: tuple[str, ...], page: Page, count: int | None = None) -> None:
    for name in names:
        if name in values and not isinstance(values[name], str):
            where = page.at(key=name) if count is None else page.at("models", count, key=name)
            raise ConfigError(f"{where}: {name} is a text.", "Put it in quotes.")


def _check_choice(value: Any, name: str, choices: Any, page: Page, key: str, count: int | None = None) -> None:
    if value not in choices:
        where = page.at(key=key) if count is None else page.at("models", count, key=key)
        raise ConfigError(f"{where}: there is no {name} {value!r}.", f"Choose one of: {', '.join(choices)}.")


@cache
def _wires() -> list[str]:
    return discover.part_names("assistant.models.wires")


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _fields_of(kind: str, names: set[str]) -> str:
    return f"A {kind} has {', '.join(sorted(names))}."
