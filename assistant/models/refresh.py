"""Stores a refreshed catalogue in the user's folder as dated additions; known dated facts are never overwritten.

A catalogue that came from an address may say what models can do and cost. It may never say where a provider is or whose
key it takes: a page that tries is refused whole, because it could send a key to a stranger.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from assistant.errors import ConfigError, StateError
from assistant.files import replace
from assistant.models.catalogue import pages as known_pages
from assistant.models.page import ADDITION, Page, as_row, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MAY_SAY = {"name", "title", "models", "source", "checked_on"}
_LARGEST = 4 << 20
_DATES = {"since", "until", "checked_on", "on", "retires_on"}
_AMOUNTS = ("input", "output", "cache_read", "cache_write_short", "cache_write_long")


@dataclass(frozen=True, slots=True)
class Merged:
    """The result of a refresh: files written, models new and changed, and what was refused, with the reason.

    `told` has the news about each model in words, by its name.
    """

    written: tuple[Path, ...] = ()
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    told: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def merge(
    pages: bytes | Mapping[str, Any], into: Path, now: datetime, *, where: str = "the catalogue", write: bool = True
) -> Merged:
    """Check refreshed pages and keep what is new in `into`, one dated file for each provider.

    `pages` is TOML or JSON, or what was read from it: one provider's page, or `providers`, a list of them. Prices
    without a date apply from `now` on. Raises ConfigError with file (`where`) and line for anything but a catalogue,
    and StateError if `into` cannot be written. Nothing is written unless every page is sound; without `write` nothing
    is written at all, and the result says what would be.
    """
    told: dict[str, tuple[str, ...]] = {}
    refused: list[str] = []
    news: dict[str, dict[str, Any]] = {}
    new: list[str] = []
    changed: list[str] = []
    known = known_pages(into)
    for page in _split(pages, where):
        base = known.get(page.name)
        if base is None:
            refused.append(f"{page.name or '?'}: no such provider here; a new one needs a page of your own")
            continue
        moved = sorted(key for key in set(page.values) - _MAY_SAY if page.values[key] != base.values.get(key))
        if moved:
            refused.append(f"{page.name}: it would change {', '.join(moved)}, which only you may")
            continue
        rows = page.values.get("models", [])
        read(Page({**base.values, "models": rows}, page.where, page.text, page.before))
        old = {row["id"]: row for row in map(as_row, base.values.get("models", []))}
        found = []
        for row in map(as_row, rows):
            name = f"{page.name}/{row['id']}"
            fresh, kept = _news(row, old.get(row["id"]), now)
            refused += [f"{name}: {each}" for each in kept]
            if fresh:
                found.append(fresh)
                told[name] = tuple(_told(fresh, old.get(row["id"], {})))
                (changed if row["id"] in old else new).append(name)
        if found:
            news[page.name] = {
                ADDITION: page.name,
                "added_at": now.astimezone(UTC),
                **{key: page.values[key] for key in ("source", "checked_on") if key in page.values},
                "models": found,
            }
            news[page.name].setdefault("checked_on", now.astimezone(UTC).date())
    written = tuple(_write(into, name, values, now) for name, values in news.items()) if write else ()
    return Merged(written, tuple(new), tuple(changed), tuple(refused), told)


def _split(pages: bytes | Mapping[str, Any], where: str) -> list[Page]:
    """Return one page for each provider, with the part of the text that it was read from."""
    text = ""
    values: Any = pages
    if isinstance(pages, bytes):
        if len(pages) > _LARGEST:
            raise ConfigError(f"{where} has {len(pages):,} bytes; that is no catalogue.", "Check the address.")
        try:
            text = pages.decode("utf-8")
            values = json.loads(text, object_hook=_dates) if text.lstrip()[:1] == "{" else tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{where}: {error}", "A catalogue is TOML or JSON; check the file or address.") from error
    rows = values.get("providers", [values]) if hasattr(values, "get") else None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows
    ):
        raise ConfigError(f"{where} is not a catalogue.", "It is a provider's page, or [[providers]] with a name each.")
    lines = text.splitlines()
    starts = [at for at, line in enumerate(lines) if line.strip().replace(" ", "") == "[[providers]]"]
    if len(starts) != len(rows):
        return [Page(row, where, text if len(rows) == 1 and not starts else "") for row in rows]
    ends = [*starts[1:], len(lines)]
    return [
        Page(row, where, "\n".join(lines[start:end]).replace("[[providers.", "[["), start)
        for row, start, end in zip(rows, starts, ends, strict=True)
    ]


def _dates(table: dict[str, Any]) -> dict[str, Any]:
    """Turn dates, which JSON can only write as text, into dates."""
    for name in _DATES & set(table):
        try:
            read_as = datetime if "T" in table[name] else date
            table[name] = read_as.fromisoformat(table[name])
        except (TypeError, ValueError):
            continue  # the page's own reader reports it
    return table


def _news(row: dict[str, Any], old: dict[str, Any] | None, now: datetime) -> tuple[dict[str, Any], list[str]]:
    """Return what is new in a row, with dated prices, and what in it contradicts a dated price."""
    is_new = old is None
    old = old or {}
    facts = {key: value for key, value in row.items() if key not in {"id", "prices"} and old.get(key) != value}
    kept: list[str] = []
    dated: list[dict[str, Any]] = []
    undated: list[dict[str, Any]] = []
    known = old.get("prices", [])
    for price in row.get("prices", []):
        same = [each for each in known if _day(each) == _day(price) and _slot(each) == _slot(price)]
        if any(_paid(each) == _paid(price) for each in same):
            continue
        if "since" not in price:
            undated.append(price)
        elif same:
            kept.append(f"the price since {price['since']} stays as it is known")
        else:
            dated.append(price)
    if undated and not _holds_already(undated, known, now):
        # The whole set is added: a new plain price must not outlive its own tiers and hours.
        every = [price for price in row["prices"] if "since" not in price]
        dated += [{**price, "since": now.astimezone(UTC)} for price in every]
    if not facts and not dated and not is_new:
        return {}, kept
    return {"id": row["id"], **facts, **({"prices": dated} if dated else {})}, kept


def _told(fresh: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    """Say what is new about one model, each fact with what was known before."""
    for name, value in fresh.items():
        if name == "prices":
            for price in value:
                since = f" from {_day(price):%Y-%m-%d}" if "since" in price else ""
                above = f" above {price['above']:,} tokens" if price.get("above") else ""
                cached = f", {price['cache_read']} cached" if "cache_read" in price else ""
                money = price.get("currency", "USD")
                yield f"price{since}{above}: {price['input']} in{cached}, {price['output']} out {money} per million"
        elif name not in {"id", "source", "checked_on"}:
            yield f"{name}: {f'{old[name]} -> ' if name in old else ''}{value}"


def _holds_already(prices: list[dict[str, Any]], known: list[dict[str, Any]], now: datetime) -> bool:
    """Say whether each price is already the newest known one in its slot that has begun."""
    for price in prices:
        began = [each for each in known if _slot(each) == _slot(price) and _day(each) <= now]
        newest = max(began, key=_day, default=None)
        if newest is None or _paid(newest) != _paid(price):
            return False
    return True


def _slot(price: Mapping[str, Any]) -> tuple[Any, ...]:
    return (price.get("above", 0), json.dumps(price.get("hours", []), sort_keys=True), price.get("currency", "USD"))


def _paid(price: Mapping[str, Any]) -> tuple[Any, ...]:
    from decimal import Decimal

    return tuple(Decimal(price[name]) if name in price else None for name in _AMOUNTS)


def _day(price: Mapping[str, Any]) -> datetime:
    since = price.get("since")
    if isinstance(since, datetime):
        return since.astimezone(UTC)
    return datetime.combine(since, time(), UTC) if isinstance(since, date) else datetime.min.replace(tzinfo=UTC)


def _write(into: Path, name: str, values: dict[str, Any], now: datetime) -> Path:
    """Write one addition under a name of its own: whole or not at all, and never over another file."""
    import tomli_w

    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    text = f"# Added by `wattson models update`; remove the file to take it back.\n{tomli_w.dumps(values)}"
    try:
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        for count in range(1, 100):
            path = into / f"{name}.{stamp}{f'-{count}' if count > 1 else ''}.toml"
            if not path.exists():
                replace(path, text.encode(), sync=True)
                return path
    except OSError as error:
        raise StateError(f"{into} cannot be written: {error.strerror}.", "Check its rights and the disk.") from error
    raise StateError(f"{into} holds a hundred additions of this second.", "Try again in a moment.")
