"""The catalogue as rows to choose from: what a model can do, its cost now, who would pay; searched, filtered, compared.

Pure: the caller says who pays, who has a key, and what the user likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.models import price as prices
from assistant.tokens import rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from assistant.models.catalogue import Catalogue
    from assistant.models.price import Price
    from assistant.models.provider import Model, Payer, Provider
    from assistant.tokens import TokenUsage

_CLOSE = 75
"""How alike (of 100) a mistyped word and a part of a name must be."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model in a list.

    `price` is the price now, None if unknown; `cheapest` differs from it if nobody knows whether the peak applies.
    `changes_at` is when the price changes next. `ready` says that the model can be asked.
    """

    model: Model
    provider: Provider
    payer: Payer
    price: Price | None
    cheapest: Price | None
    changes_at: datetime | None
    ready: bool = True
    favourite: int | None = None
    recent: int | None = None

    @property
    def name(self) -> str:
        """`provider/id`."""
        return self.model.name


def rows(
    catalogue: Catalogue,
    now: datetime,
    *,
    payer: Callable[[Provider], Payer] = lambda provider: provider.payer,
    ready: Callable[[Provider], bool] = lambda _: True,
    favourites: Sequence[str] = (),
    recents: Sequence[str] = (),
) -> list[Row]:
    """Return all models: favourites in the user's order, then recents, then those that can be asked, then the others.

    A favourite or recent that is not listed (a relay's model) has a row too, with what is known about it.
    """
    from assistant.errors import UnknownModel

    models = {model.name: model for model in catalogue.models}
    for name in (*favourites, *recents):
        try:
            pick = catalogue.pick(name)
        except UnknownModel:
            continue
        models.setdefault(pick.model.name, pick.model)
    liked = {_plain(name): place for place, name in reversed(list(enumerate(favourites)))}
    used = {_plain(name): place for place, name in reversed(list(enumerate(recents)))}
    found = []
    for model in models.values():
        provider = catalogue.providers[model.provider]
        known = prices.prices_at(model, now)
        found.append(
            Row(
                model,
                provider,
                payer(provider),
                known[-1] if known else None,
                known[0] if known else None,
                prices.next_change(model, now) if known else None,
                ready(provider),
                liked.get(model.name),
                used.get(model.name),
            )
        )
    return sorted(found, key=_place)


def _plain(name: str) -> str:
    from assistant.models.page import EFFORTS

    head, _, tail = name.rpartition(":")
    return head if head and tail in EFFORTS else name


def _place(row: Row) -> tuple[bool, int, bool, int, bool]:
    return (row.favourite is None, row.favourite or 0, row.recent is None, row.recent or 0, not row.ready)


def find(listed: Sequence[Row], query: str, limit: int | None = None) -> list[Row]:
    """Return the rows that match a query, best first: every word of it is in the name, title or seller.

    A word that begins with a provider and a slash must begin a name, with that provider or through a relay. If no row
    has every word, similar words count too. Favourites and recents come before others that match as well. An empty
    query keeps the order.
    """
    words = query.lower().split()
    if not words:
        return list(listed[:limit])
    from rapidfuzz import fuzz

    sellers = {row.name.lower().partition("/")[0] for row in listed}
    starts = {word for word in words if "/" in word and word.partition("/")[0] in sellers}
    for nearly in (False, True):
        scored = []
        for place, row in enumerate(listed):
            text = f"{row.name} {row.model.title} {row.provider.title} {' '.join(row.model.aliases)}".lower()
            score = 0.0
            for word in words:
                if text.startswith(word) or f"/{word}" in text or (word not in starts and word in text):
                    at_start = text.startswith(word) or f"/{word}" in text or f" {word}" in text or f"-{word}" in text
                    score += 120 if at_start else 110
                elif (
                    nearly
                    and word not in starts
                    and len(word) >= 3
                    and (alike := fuzz.partial_ratio(word, text)) >= _CLOSE
                ):
                    score += alike
                else:
                    break
            else:
                exact = query.lower().strip() in {row.name.lower(), row.model.id.lower(), *row.model.aliases}
                score += 100 * exact + 8 * (row.favourite is not None) + 5 * (row.recent is not None) + 3 * row.ready
                scored.append((-score, place, row))
        if scored:
            return [row for _, _, row in sorted(scored, key=lambda each: each[:2])][:limit]
    return []


def keep(
    listed: Iterable[Row],
    *,
    provider: str = "",
    abilities: Iterable[str] = (),
    most_input: Decimal | None = None,
    most_output: Decimal | None = None,
    currency: str = "USD",
    least_window: int | None = None,
    payer: str = "",
    ready: bool = False,
) -> list[Row]:
    """Return the rows that meet every condition. An unknown price or window does not meet a condition on it.

    If a plan pays, or nobody, a model meets every price.
    """
    wanted = set(abilities)
    found = []
    for row in listed:
        free = row.payer in {"plan", "free", "local"}
        for most, name in ((most_input, "input"), (most_output, "output")):
            if most is not None and not free:
                known = row.price
                if known is None or known.currency != currency or getattr(known, name) > most:
                    break
        else:
            if (
                (not provider or row.provider.name == provider)
                and wanted <= row.model.abilities
                and (least_window is None or (row.model.context_window or 0) >= least_window)
                and (not payer or row.payer == payer)
                and (not ready or row.ready)
            ):
                found.append(row)
    return found


def compare(listed: Sequence[Row], usage: TokenUsage, now: datetime) -> list[tuple[str, tuple[str, ...]]]:
    """Return facts about some models side by side: a label, and one text for each. `usage` is priced with each."""
    table: list[tuple[str, Callable[[Row], str]]] = [
        ("title", lambda row: row.model.title),
        ("sold by", lambda row: row.provider.title),
        ("who pays", lambda row: row.payer),
        ("context window", lambda row: _number(row.model.context_window)),
        ("better below", lambda row: _number(row.model.soft_window)),
        ("longest answer", lambda row: _number(row.model.max_output)),
        ("input per million", lambda row: _money(row.price, "input")),
        ("cached input", lambda row: _money(row.price, "cache_read")),
        ("cache write", lambda row: _money(row.price, "cache_write_short")),
        ("output per million", lambda row: _money(row.price, "output")),
        ("price now", lambda row: (row.price.label or "plain") if row.price else "unknown"),
        ("changes at", lambda row: f"{row.changes_at:%Y-%m-%d %H:%M} UTC" if row.changes_at else "no change in sight"),
        ("this usage", lambda row: _cost(row, usage, now)),
        ("can", lambda row: ", ".join(sorted(row.model.abilities)) or "unknown"),
        ("levels of thinking", lambda row: ", ".join(row.model.efforts) or "unknown"),
        ("scores", lambda row: "; ".join(map(_score, row.model.scores)) or "none known"),
        ("note", lambda row: row.model.note or row.provider.note),
        ("source", lambda row: row.model.source),
        ("checked on", lambda row: row.model.checked_on.isoformat() if row.model.checked_on else "unknown"),
    ]
    return [(label, tuple(tell(row) for row in listed)) for label, tell in table]


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as `wattson models --json` shows it; amounts are strings, unknown values are null."""
    model, now = row.model, row.price
    amounts = {
        name: str(amount) if now is not None and (amount := getattr(now, name)) is not None else None
        for name in ("input", "cache_read", "cache_write_short", "cache_write_long", "output")
    }
    return {
        "name": model.name,
        "title": model.title,
        "context_window": model.context_window,
        "soft_window": model.soft_window,
        "max_output": model.max_output,
        "payer": row.payer,
        **amounts,
        "currency": now.currency if now else None,
        "label": now.label if now else "",
        "price_certain": row.price == row.cheapest,
        "changes_at": row.changes_at.isoformat() if row.changes_at else None,
        "abilities": sorted(model.abilities),
        "efforts": list(model.efforts),
        "edit_format": model.edit_format,
        "scores": [
            {"benchmark": each.benchmark, "value": str(each.value), "unit": each.unit, "source": each.source, "on": each.on.isoformat()}
            for each in model.scores
        ],
        "note": model.note or row.provider.note,
        "ready": row.ready,
        "favourite": row.favourite is not None,
        "recent": row.recent is not None,
        "retires_on": model.retires_on.isoformat() if model.retires_on else None,
        "source": model.source,
        "checked_on": model.checked_on.isoformat() if model.checked_on else None,
    }  # fmt: skip


def _number(count: int | None) -> str:
    return f"{count:,}" if count is not None else "unknown"


def _money(price: Price | None, name: str) -> str:
    amount = getattr(price, name) if price is not None else None
    return rate(amount, price.currency) if amount is not None and price is not None else "unknown"


def _cost(row: Row, usage: TokenUsage, now: datetime) -> str:
    found = prices.cost(row.model, usage, now, row.payer)
    return str(found)


def _score(score: Any) -> str:
    return f"{score.benchmark} {score.value}{score.unit} ({score.source}, {score.on:%Y-%m-%d})"
