"""Burn as tables: rows by day, model, project or purpose, a heat map, a sparkline, yield, CSV and JSON.

Pure: from sums (`Sums.totals`, `Imports.totals`) to plain rows and text that a face can colour. Unknown, free, included
and paid are four things and stay apart; currencies are never added up.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota.money import Tally
from assistant.tokens import TokenUsage, money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from assistant.quota.entry import Total

_BLOCKS = "▁▂▃▄▅▆▇█"
_SHADES = "·░▒▓█"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_STATUSES = ("metered", "reported", "unknown", "included", "free")
_PAID = {"metered", "reported"}
_ZERO = Decimal(0)


class Row(NamedTuple):
    """All burn under one key.

    `money` is by currency. `unpriced`, `included` and `free` count steps of unknown cost, steps that a plan includes,
    and free steps; `failed` and `interrupted` are included in `steps`; `inexact` steps have estimated tokens.
    """

    key: tuple[str, ...]
    steps: int
    failed: int
    interrupted: int
    inexact: int
    usage: TokenUsage
    money: Mapping[str, Decimal]
    priced: int
    unpriced: int
    included: int
    free: int

    @property
    def cache_share(self) -> float | None:
        """The part of the input that was read from the cache, 0 to 1; None without input."""
        return self.usage.cache_read / self.usage.total_input if self.usage.total_input else None

    @property
    def cost(self) -> str:
        """The cost in words: "$0.40 + 1 unpriced; 1 included". An unknown amount is never guessed."""
        return cost_words(self)


class Yield(NamedTuple):
    """What became of a model's edits. Rates are 0 to 1, None if nothing was tried or decided.

    `per_line` is money by currency for each accepted line, from metered and reported costs; `unpriced` and `included`
    count the steps that it leaves out.
    """

    key: tuple[str, ...]
    tries: int
    first_try: float | None
    misfits: int
    proposed: int
    taken: int
    skipped: int
    edited: int
    accepted: float | None
    lines: int
    money: Mapping[str, Decimal]
    per_line: Mapping[str, Decimal]
    unpriced: int
    included: int


def rows(totals: Iterable[Total]) -> list[Row]:
    """Return one row for each key, of all its kinds of cost, in the order of keys."""
    kinds: dict[tuple[str, ...], list[Total]] = {}
    for total in totals:
        kinds.setdefault(total.key, []).append(total)
    return [_row(kinds[key]) for key in sorted(kinds)]


def _row(kinds: Sequence[Total]) -> Row:
    """Return one row of all kinds of cost of one key."""
    key, status, currency, steps, failed, interrupted, inexact, usage, amount = kinds[0]
    counts = dict.fromkeys(_STATUSES, 0)
    counts[status] = steps - failed  # failed steps are not billed, whoever pays
    money = {currency: amount} if status in _PAID else {}
    for _, status, currency, more, *ends, burnt, amount in kinds[1:]:
        counts[status] += more - ends[0]
        steps += more
        failed, interrupted, inexact = failed + ends[0], interrupted + ends[1], inexact + ends[2]
        usage += burnt
        if status in _PAID:
            money[currency] = money.get(currency, _ZERO) + amount
    metered, reported, unpriced, included, free = counts.values()
    return Row(
        key, steps, failed, interrupted, inexact, usage, money, metered + reported, unpriced, included, free
    )  # fmt: skip


def whole(parts: Iterable[Row]) -> Row:
    """Add up rows into one without a key."""
    steps = failed = interrupted = inexact = priced = unpriced = included = free = 0
    usage = TokenUsage()
    money: dict[str, Decimal] = {}
    for row in parts:
        steps, failed, interrupted = steps + row.steps, failed + row.failed, interrupted + row.interrupted
        inexact, priced, unpriced = inexact + row.inexact, priced + row.priced, unpriced + row.unpriced
        included, free = included + row.included, free + row.free
        usage += row.usage
        for currency, amount in row.money.items():
            money[currency] = money.get(currency, Decimal(0)) + amount
    return Row((), steps, failed, interrupted, inexact, usage, money, priced, unpriced, included, free)


def cost_words(row: Row) -> str:
    """Say what a row cost: money by currency, then the steps that it leaves out."""
    if row.steps <= row.failed:
        return "nothing"
    return Tally(row.money if row.priced else {}, row.unpriced, row.included, row.free).words()


def sparkline(values: Sequence[float]) -> str:
    """Draw one block for each value, a full one for the largest; 0 is a space."""
    top = max(values, default=0)
    return "".join(" " if value <= 0 else _BLOCKS[min(7, int(8 * value / top))] for value in values)


def daily(found: Iterable[Row], first: date, last: date) -> list[int]:
    """Return the tokens of each day from `first` to `last`, from rows by day; days without any are 0."""
    tokens = {row.key[0]: row.usage.total for row in found}
    return [tokens.get((first + timedelta(days=n)).isoformat(), 0) for n in range((last - first).days + 1)]


def calendar(found: Iterable[Row], first: date, last: date) -> list[tuple[str, str]]:
    """Draw a heat map of days, from rows by day: seven rows (weekday, cells) with a cell per week; spaces outside."""
    tokens = daily(found, first, last)
    top = max(tokens, default=0)
    lead = first.weekday()
    cells = [" "] * lead + [_shade(value, top) for value in tokens]
    cells += [" "] * (-len(cells) % 7)
    return [(name, "".join(cells[day::7])) for day, name in enumerate(_DAYS)]


def week(hours: Iterable[tuple[str, int, int, int]]) -> list[tuple[str, str]]:
    """Draw a heat map of the week: seven (weekday, 24 cells) rows, from `Sums.hours`."""
    from datetime import date as day_of

    sums = [[0] * 24 for _ in _DAYS]
    for day, hour, _, tokens in hours:
        sums[day_of.fromisoformat(day).weekday()][hour % 24] += tokens
    top = max(map(max, sums))
    return [(name, "".join(_shade(value, top) for value in line)) for name, line in zip(_DAYS, sums, strict=True)]


def _shade(value: int, top: int) -> str:
    """Choose a cell: four shades by quarters of the largest value; any burn is visible."""
    return _SHADES[0] if value <= 0 else _SHADES[min(4, 1 + int(4 * value / top)) if top else 0]


def yields(outcomes: Mapping[tuple[str, ...], Mapping[str, int]], costs: Iterable[Row]) -> list[Yield]:
    """Join the outcomes of edits with their costs by key; return the yields, the cheapest accepted line first."""
    paid = {row.key: row for row in costs}
    found = []
    for key, count in outcomes.items():
        row = paid.get(key)
        money = dict(row.money) if row else {}
        decided = count["taken"] + count["skipped"]
        found.append(
            Yield(
                key, count["tries"], count["first_tries"] / count["tries"] if count["tries"] else None, count["misfits"],
                count["proposed"], count["taken"], count["skipped"], count["edited"],
                count["taken"] / decided if decided else None, count["lines"], money,
                {currency: amount / count["lines"] for currency, amount in money.items()} if count["lines"] else {},
                row.unpriced if row else 0, row.included if row else 0,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (not one.per_line, sum(one.per_line.values(), Decimal(0)), one.key))


def yield_lines(found: Sequence[Yield], room: int | None = None) -> list[str]:
    """Write yields as a table for people, with a heading; empty if there are none.

    Where there is no `room` for all columns, some are left out whole, never what a line costs; a name that is still too
    long is cut on its left.
    """
    if not found:
        return []
    names = ["/".join(one.key) for one in found]
    prices = [_line_costs(one) for one in found]
    width = max(len(name) for name in (*names, "model"))
    columns = {"fit at once": 11, "taken": 6, "skipped": 7, "edited": 6, "lines": 6}
    last = max(len(price) for price in (*prices, "a line costs"))
    if room is not None:
        for name in ("edited", "skipped", "lines", "taken", "fit at once"):
            if width + sum(columns.values()) + 2 * len(columns) + 2 + last <= room:
                break
            del columns[name]
        width = max(5, min(width, room - sum(columns.values()) - 2 * len(columns) - 2 - last))

    def line(name: str, cells: Mapping[str, str], price: str) -> str:
        name = name if len(name) <= width else f"…{name[1 - width :]}"
        return "  ".join((f"{name:<{width}}", *(f"{cells[each]:>{size}}" for each, size in columns.items()), price))

    lines = [line("model", {name: name for name in columns}, "a line costs")]
    for name, one, price in zip(names, found, prices, strict=True):
        cells = {
            "fit at once": "-" if one.first_try is None else f"{one.first_try:.0%} of {one.tries}",
            "taken": str(one.taken), "skipped": str(one.skipped), "edited": str(one.edited), "lines": str(one.lines),
        }  # fmt: skip
        lines.append(line(name, cells, price))
    return lines


def _line_costs(one: Yield) -> str:
    """Say what an accepted line cost, and how many steps that leaves out."""
    price = "; ".join(money(amount, currency) for currency, amount in sorted(one.per_line.items()))
    extra = ", ".join(
        f"{count} steps {word}" for count, word in ((one.included, "included"), (one.unpriced, "unpriced")) if count
    )
    return (price if not extra else f"{price} + {extra}" if price else extra) or "-"


def as_json(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """Return a row with the keys that scripts rely on; amounts are decimal strings."""
    usage = row.usage
    return {
        **dict(zip(names, row.key, strict=True)),
        "steps": row.steps,
        "failed": row.failed,
        "interrupted": row.interrupted,
        "fresh_input": usage.fresh_input,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "output": usage.output,
        "reasoning": usage.reasoning,
        "exact": not row.inexact,
        "cache_share": row.cache_share,
        "costs": [{"amount": f"{amount:f}", "currency": currency} for currency, amount in sorted(row.money.items())],
        "unpriced": row.unpriced,
        "included": row.included,
        "free": row.free,
        "cost": row.cost,
    }


def yield_json(one: Yield, names: Sequence[str]) -> dict[str, Any]:
    """Return a yield for scripts."""
    return {
        **dict(zip(names, one.key, strict=True)),
        "tries": one.tries,
        "first_try": one.first_try,
        "misfits": one.misfits,
        "proposed": one.proposed,
        "taken": one.taken,
        "skipped": one.skipped,
        "edited": one.edited,
        "accepted": one.accepted,
        "lines": one.lines,
        "costs": [{"amount": f"{amount:f}", "currency": currency} for currency, amount in sorted(one.money.items())],
        "per_line": [{"amount": f"{amount:.6f}", "currency": name} for name, amount in sorted(one.per_line.items())],
        "unpriced": one.unpriced,
        "included": one.included,
    }
