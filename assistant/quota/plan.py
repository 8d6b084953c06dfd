"""What the user pays for (Plan) and the things that are counted in it (Meter), from pages in `plans/` and the user's."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from assistant import discover
from assistant.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from assistant.tokens import Cost, TokenUsage

WindowKind = Literal["first_use", "rolling", "calendar_day", "calendar_month", "balance"]
Unit = Literal["tokens", "requests", "money"]
_KINDS = ("fresh_input", "cache_read", "cache_write", "output")


@dataclass(frozen=True, slots=True)
class Meter:
    """One thing that is counted.

    `hours` is the length of a first-use or rolling window; `weights` say how much a token of each kind counts,
    `models` how much a model counts, by pattern, the first that fits. `limit` is None where nobody says one.
    """

    name: str
    unit: Unit
    window: WindowKind
    limit: Decimal | None
    hours: int = 0
    zone: str = "UTC"
    weights: Mapping[str, Decimal] | None = None
    models: Mapping[str, Decimal] | None = None

    def burn(self, usage: TokenUsage, cost: Cost, model: str) -> Decimal:
        """Return what a step takes of this meter, in its unit."""
        factor = next(
            (value for pattern, value in (self.models or {}).items() if fnmatchcase(model, pattern)), Decimal(1)
        )
        if self.unit == "requests":
            return factor
        if self.unit == "money":
            return (cost.amount or Decimal(0)) * factor
        weights = self.weights or {}
        counts = (usage.fresh_input, usage.cache_read, usage.cache_write, usage.total_output)
        return (
            sum((count * weights.get(kind, Decimal(1)) for kind, count in zip(_KINDS, counts, strict=True)), Decimal(0))
            * factor
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user pays for. `default_for` names providers that it is the natural plan of."""

    name: str
    title: str
    meters: tuple[Meter, ...]
    default_for: tuple[str, ...] = ()
    source: str = ""
    checked_on: date | None = None


def load_plans(users: Path | None) -> dict[str, Plan]:
    """Read all plans, ours first; the user's of the same name win. Raises ConfigError naming the file."""
    pages = discover.data_files(Path(__file__).parent / "plans", users)
    plans = [read_plan(discover.read_toml(path), str(path)) for path in pages]
    return {plan.name: plan for plan in plans}


def read_plan(page: Mapping[str, Any], where: str) -> Plan:
    """Read one plan."""
    unknown = set(page) - set(Plan.__dataclass_fields__)
    if unknown or not page.get("name") or not page.get("meters"):
        raise ConfigError(
            f"{where}: a plan has a name and meters, and knows no {sorted(unknown)}.", "See the README's example."
        )
    meters = tuple(_meter(entry, f"{where} [{entry.get('name', '?')}]") for entry in page["meters"])
    values = {
        **page,
        "meters": meters,
        "title": page.get("title", page["name"]),
        "default_for": tuple(page.get("default_for", ())),
    }
    return Plan(**values)


def _meter(entry: Mapping[str, Any], where: str) -> Meter:
    missing = {"name", "unit", "window"} - set(entry)
    unknown = set(entry) - set(Meter.__dataclass_fields__)
    if missing or unknown:
        raise ConfigError(f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}.", "Mend the file.")
    if entry["window"] not in get_args(WindowKind) or entry["unit"] not in get_args(Unit):
        raise ConfigError(
            f"{where}: no window {entry['window']!r} or no unit {entry['unit']!r}.",
            f"Windows: {', '.join(get_args(WindowKind))}. Units: {', '.join(get_args(Unit))}.",
        )
    if entry["window"] in {"first_use", "rolling"} and not entry.get("hours"):
        raise ConfigError(f"{where}: a {entry['window']} window needs its hours.", "Write hours = 5, for example.")
    try:
        limit = Decimal(str(entry["limit"])) if entry.get("limit") is not None else None
        weights = {name: Decimal(str(value)) for name, value in entry.get("weights", {}).items()}
        models = {name: Decimal(str(value)) for name, value in entry.get("models", {}).items()}
    except InvalidOperation as error:
        raise ConfigError(f"{where}: a limit or weight is not a number.", "Mend the file.") from error
    if set(weights) - set(_KINDS):
        raise ConfigError(
            f"{where}: no weight {sorted(set(weights) - set(_KINDS))}.", f"There are {', '.join(_KINDS)}."
        )
    return Meter(**{**entry, "limit": limit, "weights": weights, "models": models})
