"""The book added up for people: by day, provider, model, project, purpose, plan, payer. It never reads single steps."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from assistant.quota import tally
from assistant.quota.entry import Total
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from assistant.quota.store import Connection, Store

_FINE = 5
"""The number of first keys in `DAY_ORDER` by which nearly all rows of `days` differ."""
PLANS = (
    "WITH RECURSIVE each(plan) AS (SELECT MIN(plan) FROM quarters UNION ALL "
    "SELECT (SELECT MIN(plan) FROM quarters WHERE plan > each.plan) FROM each WHERE each.plan IS NOT NULL) "
    "SELECT plan FROM each WHERE plan IS NOT NULL"
)
"""The SQL query for all plans, including the empty one: a jump through an index from each to the next."""


class Sums:
    """Sums in the ledger's file; `catch_up` first folds in what an older version wrote."""

    def __init__(self, store: Store, catch_up: Callable[[Connection], None]) -> None:
        self._store = store
        self._catch_up = catch_up

    def plans(self) -> list[str]:
        """Name the plans with any burn, sorted."""
        return sorted({row[0] for rows in self._derived(PLANS, []) for row in rows if row[0]})

    def days(self) -> list[str]:
        """Return the first and the last day with any burn, in the user's zone; empty if there is none."""
        query = "SELECT day FROM days WHERE steps > 0 ORDER BY day {} LIMIT 1"
        found = [row[0] for order in ("ASC", "DESC") for rows in self._derived(query.format(order), []) for row in rows]
        return [min(found), max(found)] if found else []

    def totals(
        self, by: Sequence[str] = ("day",), *, since: date | None = None, until: date | None = None, **only: str
    ) -> list[Total]:
        """Add up the steps that have ended, by any of day, provider, model, project, purpose, plan, payer.

        Days are in the user's zone; `since` and `until` are included. `only` keeps one value of a key: `project="/p"`.
        """
        _known(by, only, tally.DAY_KEYS)
        where, values = _between(since, until)
        where += "".join(f" AND {name} = ?" for name in only)
        groups = ", ".join((*by, "cost_status", "currency"))
        tokens = ", ".join(f"SUM({name})" for name in tally.TOKENS)
        query = (
            f"SELECT {groups}, SUM(steps), SUM(failed), SUM(interrupted), SUM(inexact), {tokens}, {tally.MONEY} "
            f"FROM days WHERE 1{where} GROUP BY {groups} HAVING SUM(steps) > 0"
        )
        parts = self._derived(query, [*values, *only.values()])
        rows = chain.from_iterable(parts)
        return [
            _total(row, len(by)) for row in (rows if len(parts) == 1 else sorted(rows, key=lambda row: row[: len(by)]))
        ]

    def written(
        self, by: Sequence[str], *, since: date | None = None, until: date | None = None
    ) -> list[tuple[str, str, str, str, str | None]]:
        """Add up as `totals` does, for `report`: SQL joins the numbers into text, in a third of the time Python takes.

        Each is a `report.Told` with all kinds of cost of a key. They are in the order of keys; the caller adds up
        neighbours with the same key.
        """
        _known(by, (), tally.DAY_KEYS)
        where, values = _between(since, until)
        groups, fine = ", ".join(by), tuple(by[:_FINE]) == tally.DAY_ORDER[:_FINE]
        others = f"PRINTF('{','.join(['%Q'] * (len(by) - 1))}', {', '.join(by[1:])})" if len(by) > 1 else "''"
        # In the finest sums nearly all keys differ: SQLite would take longer to group single rows than to read them.
        told = tally.WRITTEN if fine else tally.WRITTEN_SUMS
        query = f"SELECT {by[0]}, {others}, {told} FROM days WHERE steps > 0{where}{'' if fine else f' GROUP BY {groups}'} ORDER BY {groups}"
        parts = self._derived(query, values)
        return parts[0] if len(parts) == 1 else sorted(chain.from_iterable(parts), key=lambda row: row[:2])

    def hours(self, *, since: date | None = None, until: date | None = None) -> list[tuple[str, int, int, int]]:
        """Return (day, hour, steps, tokens) for each hour with any burn."""
        where, values = _between(since, until)
        query = f"SELECT day, hour, steps, tokens FROM hours WHERE 1{where} ORDER BY day, hour"
        parts: list[list[tuple[str, int, int, int]]] = self._derived(query, values)
        if len(parts) == 1:
            return parts[0]
        sums: dict[tuple[str, int], tuple[int, int]] = {}
        for rows in parts:
            for day, hour, steps, tokens in rows:
                old = sums.get((day, hour), (0, 0))
                sums[day, hour] = old[0] + steps, old[1] + tokens
        return [(day, hour, *counts) for (day, hour), counts in sorted(sums.items())]

    def yields(
        self,
        by: Sequence[str] = ("provider", "model"),
        *,
        since: date | None = None,
        until: date | None = None,
        **only: str,
    ) -> dict[tuple[str, ...], dict[str, int]]:
        """Add up the outcomes of edits, by any of day, provider, model, project: the counts of `Outcome` by key."""
        _known(by, only, tally.YIELD_KEYS)
        where, values = _between(since, until)
        where += "".join(f" AND {name} = ?" for name in only)
        sums = ", ".join(f"SUM({name})" for name in tally.YIELD_SUMS)
        query = f"SELECT {', '.join((*by, sums))} FROM yields WHERE 1{where} GROUP BY {', '.join(by)}"
        found: dict[tuple[str, ...], dict[str, int]] = {}
        for rows in self._derived(query, [*values, *only.values()]):
            for row in rows:
                counts = found.setdefault(tuple(row[: len(by)]), dict.fromkeys(tally.YIELD_SUMS, 0))
                for name, count in zip(tally.YIELD_SUMS, row[len(by) :], strict=True):
                    counts[name] += count
        return found

    def _derived(self, query: str, values: list[Any]) -> list[list[tuple[Any, ...]]]:
        def read(base: Connection) -> list[tuple[Any, ...]]:
            self._catch_up(base)
            return base.execute(query, values).fetchall()

        return self._store.read(read)


def _total(row: tuple[Any, ...], width: int) -> Total:
    status, currency, steps, failed, interrupted, inexact, fresh, read, short, long, output, reasoning, amounts = row[
        width:
    ]
    usage = TokenUsage(fresh, read, short, long, output, reasoning, not inexact)
    return Total(row[:width], status, currency, steps, failed, interrupted, inexact, usage, tally.money(amounts))


def _between(since: date | None, until: date | None) -> tuple[str, list[Any]]:
    where, values = "", []
    if since is not None:
        where += " AND day >= ?"
        values.append(since.isoformat())
    if until is not None:
        where += " AND day <= ?"
        values.append(until.isoformat())
    return where, values


def _known(by: Sequence[str], only: Iterable[str], keys: Sequence[str]) -> None:
    if wrong := sorted({*by, *only} - set(keys)):
        raise ValueError(f"no sums by {wrong}; there are {', '.join(keys)}")
