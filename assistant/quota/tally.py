"""Sums of the book, kept as rows are written, so that no report and no meter reads a million steps.

`steps` is the book: append-only. Everything else is derived from it, can be rebuilt at any time, and records in
`folded` up to which row it goes. Rows that came by another way (an older version, a damaged file, a copy) are added
later.

    open     steps in flight, for `recover`
    days     by day, provider, model, project, purpose, plan, payer and kind of cost: history
    hours    by day and hour of that day: the heat map
    quarters by plan, quarter of an hour and model: long windows, see `Spans.bundles`, and advice on the last week
    hourly   the same by the hour of UTC: advice on earlier burn
    yields   by day and model: what became of the edits
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota.entry import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assistant.quota.store import Connection
    from assistant.tokens import CostStatus

VERSION = 5
_NONE = Decimal(0)
SPAN_S = 900
"""Seconds of a span: zones and windows begin on quarters of an hour."""


class Row(NamedTuple):
    """A row of `steps`, with its columns in order; those from `account` on came with version 2, `ended_at` with 3.

    Instants are UTC as text. `hour` is the hour in the user's zone, "2026-11-24T13"; it is empty in rows of version 0,
    as are the other later columns. `exact` is 0 or 1, `amount` a decimal.
    """

    id: str
    state: str
    at: str
    session: str
    turn: int
    step: int
    purpose: str
    project: str
    provider: str
    model: str
    served_model: str
    payer: str
    plan: str
    fresh_input: int
    cache_read: int
    cache_write_short: int
    cache_write_long: int
    output: int
    reasoning: int
    exact: int
    cost_status: CostStatus
    amount: str | None
    currency: str
    pid: int
    account: str | None
    attempt: int | None
    note: str | None
    hour: str | None
    ended_at: str | None


COLUMNS = Row._fields
USED = (
    "state <> 'in_flight' AND state <> 'failed' "
    "AND NOT EXISTS (SELECT 1 FROM steps AS l WHERE l.id = s.id AND l.rowid > s.rowid)"
)
"""The SQL condition that a row `s` of `steps` counts: it has ended, may be billed and was not corrected since."""

TOKENS = ("fresh_input", "cache_read", "cache_write_short", "cache_write_long", "output", "reasoning")
DAY_KEYS = ("day", "provider", "model", "project", "purpose", "plan", "payer", "cost_status", "currency")
DAY_ORDER = ("day", "provider", "model", "project", "purpose", "cost_status", "currency", "plan", "payer")
"""The order of `days` on the disk, since version 4: the keys of reports come first, so that nothing need be sorted."""
DAY_SUMS = ("steps", "failed", "interrupted", "inexact", *TOKENS)
SPAN_KEYS = ("plan", "span", "provider", "model", "payer", "exact", "cost_status", "currency")
SPAN_SUMS = ("steps", "prompts", *TOKENS)
SPANS = {"quarters": SPAN_S, "hourly": 3600}
"""The tables of spans, since version 5, with the seconds of their spans. They include steps without a plan."""
OUTCOME_COLUMNS = (
    "at", "hour", "session", "turn", "provider", "model", "project", "tries", "first_tries", "misfits", "proposed", "taken",
    "skipped", "edited", "lines",
)  # fmt: skip
YIELD_KEYS = ("day", "provider", "model", "project")
YIELD_SUMS = ("tries", "first_tries", "misfits", "proposed", "taken", "skipped", "edited", "lines")


def build(base: Connection, found: int) -> None:
    """Make or migrate the tables; a book of version 0 keeps its rows and gains columns."""
    if found in {3, 4}:  # otherwise the existing columns tell more: versions before 2 wrote no number
        if found == 4 or _reordered(base):
            base.execute("ALTER TABLE folded ADD COLUMN spans INTEGER DEFAULT 0")
            _build_spans(base)
        return
    base.execute(f"CREATE TABLE IF NOT EXISTS steps (row INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")
    there = {row[1] for row in base.execute("PRAGMA table_info(steps)")}
    for name in COLUMNS:
        if name not in there:
            base.execute(f"ALTER TABLE steps ADD COLUMN {name}")
    for index in ("steps_at", "steps_ended", "steps_ended_plan"):
        base.execute(f"DROP INDEX IF EXISTS {index}")
    base.execute("CREATE INDEX IF NOT EXISTS steps_id ON steps (id)")
    base.execute("CREATE INDEX steps_ended ON steps (at) WHERE state <> 'in_flight'")
    base.execute("CREATE INDEX steps_ended_plan ON steps (plan, at) WHERE state <> 'in_flight'")
    base.execute(f"CREATE TABLE IF NOT EXISTS outcomes (row INTEGER PRIMARY KEY, {', '.join(OUTCOME_COLUMNS)})")
    _build_sums(base)


def _build_sums(base: Connection) -> None:
    for table in ("folded", "open", "days", "hours", *SPANS, "yields"):
        base.execute(f"DROP TABLE IF EXISTS {table}")
    base.execute("CREATE TABLE folded (steps INTEGER, outcomes INTEGER, spans INTEGER)")
    base.execute("INSERT INTO folded VALUES (0, 0, 0)")
    base.execute("CREATE TABLE open (id TEXT PRIMARY KEY, pid INTEGER, step INTEGER)")
    _build_days(base)
    base.execute("CREATE TABLE hours (day, hour INTEGER, steps, tokens, PRIMARY KEY (day, hour))")
    _build_spans(base)
    base.execute(
        f"CREATE TABLE yields ({', '.join((*YIELD_KEYS, *YIELD_SUMS))}, PRIMARY KEY ({', '.join(YIELD_KEYS)}))"
    )


def _build_spans(base: Connection) -> None:
    """Make the tables of spans. A window of version 4 continues with its own table, `spans`, which stays."""
    for table in SPANS:
        base.execute(
            f"CREATE TABLE {table} ({', '.join((*SPAN_KEYS, 'first_at', *SPAN_SUMS))}, amount, "
            f"PRIMARY KEY ({', '.join(SPAN_KEYS)})) WITHOUT ROWID"
        )


def _build_days(base: Connection) -> None:
    columns = ", ".join((*DAY_KEYS, *DAY_SUMS))
    base.execute(f"CREATE TABLE days ({columns}, amount, PRIMARY KEY ({', '.join(DAY_ORDER)})) WITHOUT ROWID")


def _reordered(base: Connection) -> bool:
    """Bring the days of version 3 into the order of version 4; return False if all sums were reset instead.

    A window of the older version continues to write to them.
    """
    unknown = " OR ".join(f"{name} IS NULL" for name in DAY_KEYS)
    if base.execute(f"SELECT EXISTS (SELECT 1 FROM days WHERE {unknown})").fetchone()[0]:
        _build_sums(base)  # a row of version 0 may lack a later key: add up everything again
        return False
    base.execute("ALTER TABLE days RENAME TO days_before")
    _build_days(base)
    base.execute(f"INSERT INTO days SELECT * FROM days_before ORDER BY {', '.join(DAY_ORDER)}")
    base.execute("DROP TABLE days_before")
    return True


_STEP = (
    "row", "id", "state", "at", "hour", "step", "provider", "model", "project", "purpose", "plan", "payer", *TOKENS, "exact",
    "cost_status", "amount", "currency", "pid",
)  # fmt: skip
_CHUNK = 20_000
FOLDED = "SELECT MIN(steps, spans) FROM folded"
"""The SQL query for the row up to which all sums go. A window of version 4 does not know `spans`, which then lags."""


def catch_up(base: Connection, hour_of: Callable[[datetime], str]) -> None:
    """Add the rows that the sums do not contain yet; call it in the transaction that wrote them."""
    steps, spans, outcomes = base.execute("SELECT steps, spans, outcomes FROM folded").fetchone()
    columns = ", ".join("rowid" if name == "row" else name for name in _STEP)
    last = min(steps, spans)
    while rows := base.execute(
        f"SELECT {columns} FROM steps WHERE rowid > ? ORDER BY rowid LIMIT {_CHUNK}", (last,)
    ).fetchall():
        _fold(base, rows, columns, _Sums(hour_of, steps, spans))
        last = rows[-1][0]
        base.execute("UPDATE folded SET steps = MAX(steps, ?1), spans = MAX(spans, ?1)", (last,))
    if (base.execute("SELECT MAX(rowid) FROM outcomes").fetchone()[0] or 0) > outcomes:
        last = _fold_outcomes(base, outcomes)
        base.execute("UPDATE folded SET outcomes = ?", (last,))


def _fold(base: Connection, rows: Iterable[Sequence[Any]], columns: str, sums: _Sums) -> None:
    begun: dict[str, Sequence[Any]] = {}
    ended: dict[str, Sequence[Any]] = {}
    for row in rows:
        entry = row[1]
        if row[2] == "in_flight":
            begun[entry] = row
            continue
        before = ended.get(entry)
        if before is None and entry not in begun:  # a step that began in this batch has not ended before it
            before = base.execute(
                f"SELECT {columns} FROM steps WHERE id = ? AND rowid < ? AND state <> 'in_flight' ORDER BY rowid DESC LIMIT 1",
                (entry, row[0]),
            ).fetchone()
        if before is not None:
            sums.add(before, -1, row[0])
        sums.add(row, 1, row[0])
        ended[entry] = row
    base.executemany("DELETE FROM open WHERE id = ?", [(entry,) for entry in ended if entry not in begun])
    flying = [(entry, row[-1], row[0]) for entry, row in begun.items() if entry not in ended]
    base.executemany("INSERT OR REPLACE INTO open VALUES (?, ?, ?)", flying)
    sums.write(base)


class _Sums:
    """What a batch adds to the sums; days and hours already contain the rows up to `steps`, spans up to `spans`."""

    def __init__(self, hour_of: Callable[[datetime], str], steps: int, spans: int) -> None:
        self._hour_of = hour_of
        self._done = steps, spans
        self._days: dict[tuple[Any, ...], list[Any]] = {}
        self._hours: dict[tuple[str, int], list[int]] = {}
        self._spans: dict[str, dict[tuple[Any, ...], list[Any]]] = {table: {} for table in SPANS}
        self._firsts: dict[str, dict[tuple[Any, ...], tuple[str]]] = {table: {} for table in SPANS}
        self._gone: set[tuple[str, tuple[Any, ...], str]] = set()

    def add(self, row: Sequence[Any], sign: int, number: int) -> None:
        """Count a step; with -1, subtract what was counted of it before row `number` corrected it."""
        _, _, state, at, hour, step, provider, model, project, purpose, plan, payer, *counts, exact, status, amount, currency, _ = row  # fmt: skip
        instant = datetime.fromisoformat(at)
        counts = [sign * count for count in counts]
        money = sign * Decimal(amount) if amount is not None else _NONE
        steps, spans = self._done
        if number > steps:
            hour = hour or self._hour_of(instant)
            day = (
                hour[:10],
                *[key or "" for key in (provider, model, project, purpose, plan, payer, status, currency)],
            )
            plus(
                self._days, day, [sign, sign * (state == "failed"), sign * (state == "interrupted"), sign * (not exact), *counts, money]
            )  # fmt: skip
            plus(self._hours, (hour[:10], int(hour[11:13])), [sign, sum(counts)])
        if number > spans and state != "failed":
            asked = sign * (purpose == "main" and step is not None and step <= 1)
            kind = (provider or "", model or "", payer or "", exact or 0, status or "", currency or "")
            for table, seconds in SPANS.items():
                key = (plan or "", int(instant.timestamp()) // seconds, *kind)
                plus(self._spans[table], key, [sign, asked, *counts, money])
                firsts = self._firsts[table]
                firsts[key] = min((at,), firsts.get(key, (at,)))
                (self._gone.add if sign < 0 else self._gone.discard)((table, key, at))

    def write(self, base: Connection) -> None:
        add_rows(base, "days", DAY_KEYS, DAY_SUMS, self._days)
        for key, (steps, tokens) in self._hours.items():
            base.execute(
                "INSERT INTO hours VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET steps = steps + excluded.steps, "
                "tokens = tokens + excluded.tokens",
                (*key, steps, tokens),
            )
        for table, sums in self._spans.items():
            add_rows(base, table, SPAN_KEYS, SPAN_SUMS, sums, self._firsts[table])
        for table, key, at in self._gone:
            _look_again(base, table, key, at)


def _look_again(base: Connection, table: str, key: tuple[Any, ...], at: str) -> None:
    """Find the first instant of a span again, if the step that was first is now of another kind."""
    plan, span, *kind = key
    edges = [as_text(span_at(each, SPANS[table])) for each in (span, span + 1)]
    alike = "".join(f" AND IFNULL(s.{name}, '') = ?" for name in ("plan", *SPAN_KEYS[2:]) if name != "exact")
    base.execute(
        f"UPDATE {table} SET first_at = IFNULL((SELECT MIN(s.at) FROM steps AS s WHERE {USED} AND s.at >= ? AND s.at < ? "
        f"AND IFNULL(s.exact, 0) = ?{alike}), first_at) "
        f"WHERE {' AND '.join(f'{name} = ?' for name in SPAN_KEYS)} AND steps > 0 AND first_at >= ?",
        (*edges, kind[3], plan, *kind[:3], *kind[4:], *key, at),
    )


def plus(sums: dict[Any, list[Any]], key: Any, values: list[Any]) -> None:
    """Add values to the sums under a key."""
    known = sums.get(key)
    sums[key] = values if known is None else [old + new for old, new in zip(known, values, strict=True)]


def add_rows(
    base: Connection,
    table: str,
    keys: Sequence[str],
    names: Sequence[str],
    rows: dict[tuple[Any, ...], list[Any]],
    bounds: Mapping[tuple[Any, ...], tuple[str, ...]] | None = None,
) -> None:
    """Add to a table of sums; `bounds` are the first instant of each key, and the last if the table has that too.

    Money is a Decimal as text, so it is added here: SQLite would make it a float.
    """
    # `IS`, for keys that may be NULL, would miss the index; the writer of `steps` leaves none of these NULL.
    where = " AND ".join(f"{name} = ?" for name in keys)
    moved = ", ".join(f"{name} = {name} + excluded.{name}" for name in names)
    ends = ("first_at", "last_at")[: len(next(iter(bounds.values()), ()))] if bounds is not None else ()
    if ends:  # if a key's steps were all taken back, the next one is the first
        moved += ", first_at = IIF(steps > 0, MIN(first_at, excluded.first_at), excluded.first_at)"
    if len(ends) > 1:
        moved += ", last_at = MAX(last_at, excluded.last_at)"
    columns = (*keys, *ends, *names, "amount")
    insert = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {moved}, amount = excluded.amount"
    )
    unpaid = []
    for key, values in rows.items():
        *counts, money = values
        if not money:
            unpaid.append((*key, *(bounds[key] if bounds is not None else ()), *counts, str(money)))
            continue
        known = base.execute(f"SELECT amount FROM {table} WHERE {where}", key).fetchone()
        if known is not None:
            money += Decimal(known[0])
        base.execute(insert, (*key, *(bounds[key] if bounds is not None else ()), *counts, str(money)))
    # Where nothing was paid, the old amount need not be looked up.
    base.executemany(insert.replace(", amount = excluded.amount", ""), unpaid)


def _fold_outcomes(base: Connection, after: int) -> int:
    sums: dict[tuple[Any, ...], list[int]] = {}
    last = after
    columns = f"rowid, hour, provider, model, project, {', '.join(YIELD_SUMS)}"
    for number, hour, provider, model, project, *counts in base.execute(
        f"SELECT {columns} FROM outcomes WHERE rowid > ? ORDER BY rowid", (after,)
    ):
        last = number
        plus(sums, (hour[:10], provider, model, project), counts)
    names = (*YIELD_KEYS, *YIELD_SUMS)
    moved = ", ".join(f"{name} = {name} + excluded.{name}" for name in YIELD_SUMS)
    for key, counts in sums.items():
        base.execute(
            f"INSERT INTO yields ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO UPDATE SET {moved}",
            (*key, *counts),
        )
    return last


MONEY = "GROUP_CONCAT(amount, ' ') FILTER (WHERE amount <> '0')"
"""The SQL expression for the amounts of a group, as text: SQLite would add them up as floats."""

_APART = "\x1f"
"""ASCII's unit separator: no name of a currency contains it."""
_PAID = f"currency || '{_APART}' || amount"
KINDS_UNPAID = [
    f"SUM(steps - failed) FILTER (WHERE cost_status = '{status}')" for status in ("unknown", "included", "free")
]
KINDS_PAID = f"GROUP_CONCAT({_PAID}, '{_APART}') FILTER (WHERE cost_status IN ('metered', 'reported'))"
"""The SQL expression for everything paid in a group: currencies and amounts."""

_COUNTED = (
    "steps", "failed", "interrupted", "fresh_input", "cache_read", "cache_write_short + cache_write_long", "output", "reasoning",
)  # fmt: skip
_NUMBERS = ",".join(["%d"] * (len(_COUNTED) + 1))
WRITTEN = (
    f"PRINTF('{_NUMBERS}', {', '.join(_COUNTED)}, inexact = 0), CASE cost_status "
    "WHEN 'unknown' THEN PRINTF('%d,0,0', steps - failed) WHEN 'included' THEN PRINTF('0,%d,0', steps - failed) "
    "WHEN 'free' THEN PRINTF('0,0,%d', steps - failed) ELSE '0,0,0' END, "
    f"CASE WHEN cost_status IN ('metered', 'reported') THEN {_PAID} END"
)
"""The SQL expressions that write a row of `days` for a report: counts, steps without an amount, and what was paid."""
WRITTEN_SUMS = (
    f"PRINTF('{_NUMBERS}', {', '.join([f'SUM({name})' for name in _COUNTED])}, SUM(inexact) = 0), "
    f"PRINTF('%d,%d,%d', {', '.join(KINDS_UNPAID)}), {KINDS_PAID}"
)
"""The same for a group."""


def both(amounts: str | None, others: str | None) -> str | None:
    """Join the `KINDS_PAID` texts of two groups."""
    return _APART.join(each for each in (amounts, others) if each is not None) or None


def only(amounts: str) -> tuple[str, str] | None:
    """Return the currency and the amount if `KINDS_PAID` holds only one, in plain digits; else None."""
    currency, _, amount = amounts.partition(_APART)
    return None if _APART in amount or "E" in amount else (currency, amount)


def told(money: Mapping[str, Decimal]) -> str | None:
    """Write amounts by currency in the form of `KINDS_PAID`; None for nothing."""
    return _APART.join(f"{currency}{_APART}{amount:f}" for currency, amount in sorted(money.items())) or None


def paid(amounts: str) -> dict[str, Decimal]:
    """Return the exact sums by currency of a `KINDS_PAID` text."""
    words = amounts.split(_APART)
    if len(words) == 2:
        return {words[0]: Decimal(words[1])}
    sums: dict[str, Decimal] = {}
    for currency, amount in zip(words[::2], words[1::2], strict=True):
        sums[currency] = sums.get(currency, _NONE) + Decimal(amount)
    return sums


def money(amounts: str | None) -> Decimal:
    """Return the exact sum of a `MONEY` text."""
    if amounts is None:
        return _NONE
    return Decimal(amounts) if " " not in amounts else sum(map(Decimal, amounts.split(" ")), _NONE)


def span_at(span: int, seconds: int = SPAN_S) -> datetime:
    """Return the instant at which a span of so many seconds begins."""
    return datetime.fromtimestamp(span * seconds, UTC)
