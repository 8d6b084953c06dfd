"""The burn of other clients, from their local logs: read only, each request counted once, each byte read once.

Each part in `importers/` knows one client. Its requests are added up by day, hour, model and project. The file also
keeps how far each log was read and a mark for each request counted, so that a copy in another file, a repeated line, or
a file read again adds nothing. Sums outlive the logs: some clients delete theirs after a month.

A part offers `CLIENT`, `places(env, home)`, `KINDS` (from a file's suffix to "lines", "whole" or "base"), and a
function for each kind: `line(raw, state, shared)`, `whole(data, state, shared)`, `base(path, state)`; a part whose
lines need no state may also have `lines(data, uses)`, for many lines together. `NEEDLES` are bytes; every line worth
decoding contains one of them. `wanted(path)` chooses among files of a suffix, and `project(path)` tells the project
from a path. `state` is remembered for a file, `shared` for a client. What clients call a provider that we know by another
name is listed in `importers/providers.toml`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import discover
from assistant.errors import StateError
from assistant.quota import buckets, counted, gather, tally
from assistant.quota.entry import Total
from assistant.quota.logfile import folder_at
from assistant.quota.store import Store
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from assistant.quota.store import Connection

VERSION = 6
_TRIES = 20
"""How often a pass is restarted because another window wrote meanwhile: each time it has less to do."""
_PACKAGE = "assistant.quota.importers"


def clients_known() -> list[str]:
    """Name the clients whose logs can be read: the names of their modules, with dashes."""
    return [name.replace("_", "-") for name in discover.part_names(_PACKAGE)]


@cache
def provider_names() -> Mapping[str, str]:
    """Return the names that other clients have for providers, with ours, where the two differ."""
    return discover.read_toml(Path(__file__).with_name("importers") / "providers.toml")


class Imports:
    """The sums of other clients' logs, in a file of their own beside the ledger."""

    def __init__(self, path: Path, zone: tzinfo | None = UTC) -> None:
        pragmas = ("wal_autocheckpoint=8000",)  # a first run writes much
        self.store = Store(path, version=VERSION, build=_build, pragmas=pragmas)
        self._zone = zone

    @property
    def warnings(self) -> list[str]:
        """What went wrong with our file without stopping anything."""
        return self.store.warnings

    def run(
        self,
        env: Mapping[str, str],
        home: Path,
        clients: Sequence[str] = (),
        folders: Sequence[Path] = (),
        plan_of: Callable[[str, str], str] = lambda _client, _provider: "",
        sizes_of: Callable[[str, str], tuple[int, ...]] = lambda _provider, _model: (),
    ) -> list[gather.Imported]:
        """Read what is new in the logs of the clients named, or of all; return a result for each client with logs here.

        `folders` replace the usual places. `plan_of` names the plan that a client's requests to a provider burn;
        `sizes_of` returns the prompt sizes, in order, above which the price of a provider's model changes.
        """
        found = []
        for name in clients_known():
            if clients and name not in clients:
                continue
            part = discover.part(_PACKAGE, name.replace("-", "_"))
            shut: list[str] = []
            roots = [root for root in folders or part.places(env, home) if folder_at(root, shut)]
            if roots or shut:
                found.append(self._pass(part, partial(plan_of, part.CLIENT), sizes_of, roots))
                found[-1].notes[:0] = shut
        return found

    def _pass(
        self,
        part: ModuleType,
        plan_of: Callable[[str], str],
        sizes_of: Callable[[str, str], tuple[int, ...]],
        roots: Sequence[Path],
    ) -> gather.Imported:
        """Read what is new of one client; start again if another window was quicker."""
        for _ in range(_TRIES):
            try:
                return gather.Pass(self.store, part, self._zone, plan_of, sizes_of).read(roots)
            except counted.Overtaken:
                continue
        raise StateError("Another window reads the same logs all the time.", "Try again in a moment.")

    def attribute(self, plan_of: Callable[[str, str], str]) -> None:
        """Book burn whose plan was unknown when it was read."""
        query = "SELECT DISTINCT client, provider FROM used WHERE plan = ''"
        open_ones = [row for rows in self.store.read(lambda base: base.execute(query).fetchall()) for row in rows]
        named = [(*each, plan) for each in open_ones if (plan := plan_of(*each))]

        def write(base: Connection) -> None:
            for client, provider, plan in named:
                buckets.attribute(base, client, provider, plan)

        if named:
            self.store.write(write)

    def plans(self) -> list[str]:
        """Name the plans that other clients have burnt."""
        query = "SELECT DISTINCT plan FROM spans WHERE plan <> ''"
        return sorted({row[0] for rows in self.store.read(lambda base: base.execute(query).fetchall()) for row in rows})

    def spans(self, plan: str | None, since: datetime | None = None) -> list[Span]:
        """Return the burn of a plan (of all if None) by ten minutes, from those that hold `since` on, oldest first."""
        first = int(since.timestamp()) // buckets.SPAN_S if since is not None else -(1 << 62)
        names = ("client", "model", "span", "first_at", "cost_status", "currency", *buckets.SUMS, "amount")
        where, values = ("", (first,)) if plan is None else (" AND plan = ?", (first, plan))
        query = f"SELECT {', '.join(names)} FROM spans WHERE span >= ?{where} ORDER BY first_at"

        def read(base: Connection) -> list[tuple[Any, ...]]:
            return base.execute(query, values).fetchall()

        return [_span(row) for rows in self.store.read(read) for row in rows]

    def uses(self, plan: str, since: datetime | None = None) -> list[tuple[datetime, str]]:
        """Return the first instant and the model of each ten minutes in which a plan was burnt, from `since` on."""
        first = int(since.timestamp()) // buckets.SPAN_S if since is not None else -(1 << 62)
        query = "SELECT first_at, model FROM spans WHERE plan = ? AND span >= ?"
        found = self.store.read(lambda base: base.execute(query, (plan, first)).fetchall())
        return [(datetime.fromisoformat(at), model) for rows in found for at, model in rows]

    def totals(
        self, by: Sequence[str] = ("day",), *, since: date | None = None, until: date | None = None, **only: str
    ) -> list[Total]:
        """Return sums as `Sums.totals` does, by any of `buckets.KEYS`: client, provider, model, project, day and so on.

        A price is only what a client stated.
        """
        if wrong := sorted({*by, *only} - set(buckets.KEYS)):
            raise ValueError(f"no sums by {wrong}; there are {', '.join(buckets.KEYS)}")
        where = "".join(f" AND {name} = ?" for name in only)
        values: list[Any] = list(only.values())
        for mark, day in ((">=", since), ("<=", until)):
            if day is not None:
                where += f" AND day {mark} ?"
                values.append(day.isoformat())
        groups = ", ".join((*by, "cost_status", "currency"))
        sums = ", ".join(f"SUM({name})" for name in buckets.SUMS)
        query = f"SELECT {groups}, {sums}, {tally.MONEY} FROM used WHERE 1{where} GROUP BY {groups}"

        def read(base: Connection) -> list[tuple[Any, ...]]:
            return base.execute(query, values).fetchall()

        return [_total(row, len(by)) for rows in self.store.read(read) for row in rows]

    def hours(self, *, since: date | None = None, until: date | None = None) -> list[tuple[str, int, int, int]]:
        """Return (day, hour, requests, tokens) for each hour with any burn."""
        totals = self.totals(("day", "hour"), since=since, until=until)
        sums: dict[tuple[str, int], tuple[int, int]] = {}
        for total in totals:
            key = (total.key[0], int(total.key[1]))
            steps, tokens = sums.get(key, (0, 0))
            sums[key] = (steps + total.steps, tokens + total.usage.total)
        return [(day, hour, *counts) for (day, hour), counts in sorted(sums.items())]

    def close(self) -> None:
        """Close the file."""
        self.store.close()


class Span(NamedTuple):
    """One client's burn of a plan with one model within ten minutes: `at` is the first request's instant."""

    client: str
    model: str
    at: datetime
    until: datetime
    steps: int
    usage: TokenUsage
    cost: Cost


def _span(row: Sequence[Any]) -> Span:
    client, model, span, first_at, status, currency, steps, *counts, amount = row
    cost = Cost(status, Decimal(amount) if status == "reported" else None, currency or "USD")
    until = datetime.fromtimestamp((span + 1) * buckets.SPAN_S, UTC)
    return Span(client, model, datetime.fromisoformat(first_at), until, steps, TokenUsage(*counts), cost)


def _build(base: Connection, found: int) -> None:
    gather.build(base, found)


def _total(row: Sequence[Any], width: int) -> Total:
    status, currency, steps, *counts, amounts = row[width:]
    key = tuple(map(str, row[:width]))
    return Total(key, status, currency, steps, 0, 0, 0, TokenUsage(*counts), tally.money(amounts))
