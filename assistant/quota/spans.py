"""The book by quarters of an hour and by hours, for gauges and advice; step by step where it must be exact."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import chain, pairwise
from math import ceil, floor
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, Protocol

from assistant.quota import tally
from assistant.quota.entry import Entry, as_text
from assistant.quota.sums import PLANS
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from assistant.quota.store import Connection, Store
    from assistant.quota.tariff import Burn

_KINDS = "provider, model, payer, exact, cost_status, currency"
_QUARTERS = 4
"""Quarters of an hour in an hour."""


class Steps(Protocol):
    """How the book is read step by step."""

    @property
    def store(self) -> Store:
        """The file."""

    def entries(
        self, *, since: datetime | None = None, plan: str | None = None, until: datetime | None = None
    ) -> list[Entry]:
        """Return the steps sent in [since, until), oldest first, each in its latest state."""

    def in_flight(self) -> list[Entry]:
        """Return the steps that have not ended, oldest first."""


class Spans:
    """Stretches of time in the ledger's file; `catch_up` first folds in what an older version wrote."""

    def __init__(self, book: Steps, catch_up: Callable[[Connection], None]) -> None:
        self._book = book
        self._store = book.store
        self._catch_up = catch_up

    def bundles(
        self,
        *,
        plan: str,
        since: datetime | None = None,
        exact_since: datetime | None = None,
        edges: Sequence[datetime] = (),
        changes: Iterable[datetime] | None = None,
    ) -> list[Entry]:
        """Return a plan's burn as `entries` does, but added up by quarters of an hour, model and kind of cost.

        It is exact from `since` on and around `edges`, and step by step from `exact_since` on. With `changes`, whole
        stretches between two changes or edges are added up, and only the quarters that contain one stay apart. Failed
        steps are left out. An entry stands for `steps` steps of `prompts` prompts. A month of a million-row book takes
        some hundredths of a second.
        """
        first = -(-int(since.timestamp()) // tally.SPAN_S) if since is not None else -(1 << 62)
        last = int(exact_since.timestamp()) // tally.SPAN_S if exact_since is not None else 1 << 62
        if first >= last:
            return [entry for entry in self._book.entries(plan=plan, since=since) if entry.state != "failed"]
        cut = {int(edge.timestamp()) // tally.SPAN_S for edge in edges if edge.timestamp() % tally.SPAN_S}
        cut = {span for span in cut if first <= span < last}
        stretches = [(tally.span_at(span), tally.span_at(span + 1)) for span in cut]
        if since is not None and since < tally.span_at(first):
            stretches.append((since, tally.span_at(first)))

        pieces = [(first, last)]
        if changes is not None and since is not None:
            marks = {each.timestamp() / tally.SPAN_S for each in (*edges, *changes)}
            at = sorted(
                {first, last, *(span for mark in marks for span in (floor(mark), ceil(mark)) if first < span < last)}
            )
            pieces = list(pairwise(at))

        def read(base: Connection) -> list[Entry]:
            self._catch_up(base)
            return _bundles(base, plan, pieces, cut, quarters=changes is None)

        found = list(chain.from_iterable(self._store.read(read)))
        for start, end in stretches:
            found += self._book.entries(plan=plan, since=start, until=end)
        if exact_since is not None:
            found += self._book.entries(plan=plan, since=tally.span_at(last))
        found = [entry for entry in found if entry.state not in {"failed", "in_flight"}]
        found += [e for e in self._book.in_flight() if e.plan == plan and (since is None or e.at >= since)]
        return sorted(found, key=lambda entry: entry.at)

    def steps(self, since: datetime | None = None, *, without: str = "") -> list[Burn]:
        """Return the steps sent since an instant (or all) as burns, including those in flight, oldest first.

        Failed steps are left out, and those paid by `without`.
        """
        first = "" if since is None else as_text(since)
        asked = "IIF(s.purpose <> '', s.purpose = 'main' AND s.step <= 1, 1)"
        counts = ", ".join(f"s.{name}" for name in tally.TOKENS)
        columns = f"s.id, s.at, s.model, s.exact, s.cost_status, s.currency, 1, {asked}, {counts}, s.amount"
        ended = f"SELECT {columns} FROM steps AS s WHERE {tally.USED} AND s.at >= ? AND s.payer IS NOT ? ORDER BY s.at, s.rowid"
        flying = (
            f"SELECT {columns} FROM open JOIN steps AS s ON s.rowid = open.step WHERE s.at >= ? AND s.payer IS NOT ?"
        )

        def read(base: Connection) -> list[tuple[str, Burn]]:
            self._catch_up(base)
            found = base.execute(ended, (first, without or None)).fetchall()
            flown = len(found)
            found += base.execute(flying, (first, without or None))
            burns = _burns(row[1:] for row in found)
            return [
                (row[0], burn if place < flown else burn._replace(running=True))
                for place, (row, burn) in enumerate(zip(found, burns, strict=True))
            ]

        known = dict(chain.from_iterable(self._store.read(read)))  # a step in memory is newer than on disk
        return sorted(known.values(), key=lambda burn: burn.at)

    def gathered(self, minutes: Literal[15, 60], since: datetime | None, until: datetime) -> list[Burn]:
        """Return the burn in [since, until) by so many minutes of UTC, model, plan and kind of cost, oldest first.

        Both instants are rounded down to quarters of an hour. Failed steps are left out, and those of the practice
        session.
        """
        first = int(since.timestamp()) // tally.SPAN_S if since is not None else -(1 << 62)
        last = int(until.timestamp()) // tally.SPAN_S
        pieces = [("quarters", first, last)]
        begin, end = -(-first // _QUARTERS), last // _QUARTERS  # the whole hours in between
        if minutes == 60 and begin <= end:
            edges = [("quarters", first, begin * _QUARTERS), ("quarters", end * _QUARTERS, last)]
            pieces = [("hourly", begin, end), *(each for each in edges if each[1] < each[2])]

        def read(base: Connection) -> list[Burn]:
            self._catch_up(base)
            plans = [row[0] for row in base.execute(PLANS)]
            found: list[Burn] = []
            for table, start, stop in pieces:
                whole = table == "hourly" or minutes == 15
                sums = ", ".join(name if whole else f"SUM({name})" for name in tally.SPAN_SUMS)
                query = (
                    f"SELECT {'first_at' if whole else 'MIN(first_at)'}, model, exact, cost_status, currency, {sums}, "
                    f"{'amount' if whole else tally.MONEY} FROM {table} WHERE plan = ? AND span >= ? AND span < ? "
                    f"AND steps > 0 AND payer <> 'practice'{'' if whole else f' GROUP BY {_KINDS}'}"
                )
                for plan in plans:
                    found += _burns(base.execute(query, (plan, start, stop)))
            return found

        return sorted(chain.from_iterable(self._store.read(read)), key=attrgetter("at"))

    def openings(
        self,
        plan: str,
        ends: Callable[[datetime, datetime | None], datetime],
        until: datetime,
        *,
        since: datetime | None,
        counts: Callable[[str], bool] | None,
        others: Iterable[datetime],
    ) -> list[datetime]:
        """Return the last two uses before `until` that opened a first-use window, or as many as there were.

        A use opens a window, `ends` says when it ends (given the end of the last), and the first use from then on opens
        the next: a jump through an index each, from the first use ever, or since an instant. Uses are the steps of a
        plan that did not fail, only of models for which `counts` is true (if given), and `others`.
        """
        flying = [each for each in self._book.in_flight() if each.plan == plan]
        if not self._store.on_disk:
            flying += [each for each in self._book.entries(plan=plan) if each.state != "failed"]
        mine = [each.at for each in flying if counts is None or counts(each.model)]
        more = sorted({as_text(at) for at in (*mine, *others)})
        scope = " AND counts(s.model)" if counts is not None else ""
        query = f"SELECT at FROM steps AS s WHERE {tally.USED} AND s.plan = ? AND s.at >= ?{scope} ORDER BY at LIMIT 1"
        edge = as_text(until)

        def follow(found_in: Callable[[str], Iterable[tuple[str]]]) -> list[str]:
            found: list[str] = []
            start, end = as_text(since) if since is not None else "", None
            while True:
                place = bisect_left(more, start)
                at = min((*(row[0] for row in found_in(start)), *more[place : place + 1]), default=edge)
                if at >= edge:
                    return found
                found = [*found[-1:], at]
                end = ends(datetime.fromisoformat(at), end)
                start = max(as_text(end), f"{at}+")  # a window ends after the use that opened it

        def read(base: Connection) -> list[str]:
            if counts is not None:
                base.create_function("counts", 1, counts, deterministic=True)
            return follow(lambda start: base.execute(query, (plan, start)))

        parts = self._store.read(read) or [follow(lambda _start: ())]  # our own book may be empty
        return [datetime.fromisoformat(at) for at in parts[0]]


def _bundles(
    base: Connection, plan: str, pieces: Iterable[tuple[int, int]], cut: Collection[int], *, quarters: bool
) -> list[Entry]:
    """Return a plan's sums in some stretches of quarters, except those `cut`: by `quarters`, or one per stretch."""
    sums = ", ".join(name if quarters else f"SUM({name})" for name in tally.SPAN_SUMS)
    first_at, amount = ("first_at", "amount") if quarters else ("MIN(first_at)", tally.MONEY)
    query = (
        f"SELECT {first_at}, {_KINDS}, {sums}, {amount} FROM quarters WHERE plan = ? AND span >= ? AND span < ? AND steps > 0"
        f"{' AND span <> ?' * len(cut)}{'' if quarters else f' GROUP BY {_KINDS}'}"
    )
    return [_bundle(plan, row) for first, last in pieces for row in base.execute(query, (plan, first, last, *cut))]


def _bundle(plan: str, row: Sequence[Any]) -> Entry:
    at, provider, model, payer, exact, status, currency, steps, prompts, *counts, amount = row
    return Entry(
        "", "settled", datetime.fromisoformat(at), "", 0, 0, "", "", provider, model, "", payer, plan,
        TokenUsage._make((*counts, bool(exact))),
        Cost(status, None if status in {"unknown", "included"} else tally.money(amount), currency), 0, steps=steps, prompts=prompts,
    )  # fmt: skip


def _burns(rows: Iterable[Sequence[Any]]) -> Iterator[Burn]:
    """Return steps, or sums of them, as burns. By position, not by name: there are ten thousand in three months."""
    from assistant.quota.tariff import STATED_NOTHING, Burn

    when, counted, paid, burn = datetime.fromisoformat, TokenUsage._make, Cost._make, Burn._make
    number = cache(Decimal)  # most counts repeat
    for at, model, exact, status, currency, steps, prompts, fresh, read, short, long, output, thought, amounts in rows:
        usage = counted((fresh, read, short, long, output, thought, bool(exact)))
        cost = paid((status, None if status in {"unknown", "included"} else tally.money(amounts), currency))
        yield burn((
            when(at), usage, cost, model, number(steps), number(prompts), "", None, False, False, STATED_NOTHING,
            STATED_NOTHING, "", steps,
        ))  # fmt: skip
