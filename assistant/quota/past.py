"""The past that a plan's meters need for their present state: no more of the ledger is read than that.

A window needs the burn inside it. A first-use window depends on the one before it: only the uses at which windows began
are looked up, by one jump through an index each, however much was burnt in between. A provider's reading is compared
with the burn at its time, so everything since the first reading is read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assistant.quota import compacted
from assistant.quota.tally import SPAN_S
from assistant.quota.window import opened, span_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assistant.quota.entry import Entry
    from assistant.quota.ledger import Ledger
    from assistant.quota.reading import Reading
    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Meter, Plan
    from assistant.quota.window import Span

EXACT = timedelta(hours=12)
"""How far back single steps are read; before that, readings and steps of one quarter of an hour are not told apart."""
_QUARTER = timedelta(seconds=SPAN_S)
_LONG = timedelta(days=1)
_STRETCH = timedelta(days=32)


_HEARD, _LEARNED = timedelta(days=9), timedelta(days=14)
"""How far back a plan's readings are read at least: by default, and where they calibrate a percent."""


class Others(Protocol):
    """The burn of other clients, from their logs."""

    def burns(self, plan: str, since: datetime | None) -> list[Burn]:
        """Return their burn of a plan."""

    def uses(self, plan: str, since: datetime | None) -> list[tuple[datetime, str]]:
        """Return when they began to burn it, to ten minutes, and with which model."""


class Known(NamedTuple):
    """The burn as far back as it matters, and the first-use windows that it begins with, by meter."""

    burns: list[Entry | Burn]
    begun: dict[str, Span]


def heard(plan: Plan, most: timedelta) -> timedelta:
    """Return how far back to read a plan's readings: its longest window and a day, or two weeks to calibrate percents.

    At least nine days, everything for a balance, and never more than `most`.
    """
    far = [_HEARD]
    for each in plan.meters:
        reach = each.window.reach
        far.append(most if reach is None else max(reach + _LONG, _LEARNED if each.unit == "percent" else _HEARD))
    return min(most, max(far))


def known(plan: Plan, ledger: Ledger, others: Others, readings: Sequence[Reading], now: datetime) -> Known:
    """Return what the meters of a plan need."""
    until = min([now, *(each.at for each in readings)])
    mine = [each for each in plan.meters if not each.feature]  # neither our steps nor a log's have a feature
    if not mine:
        return Known([], {})
    begun = {
        each.name: span
        for each in mine
        if each.window.kind == "first_use" and (span := _open(each, plan, ledger, others, until)) is not None
    }
    first = [_since(each, begun.get(each.name), until) for each in mine]
    reach = [each for each in first if each is not None]
    since = min(reach) if len(reach) == len(first) else None
    theirs: list[Entry | Burn] = list(others.burns(plan.name, since))
    if since is None and compacted.summable(plan):
        sums, since = compacted.sums(ledger, plan, now)
        theirs += sums
    one_by_one = bool(readings) or any(each.window.kind == "rolling" for each in mine)
    spans = [begun.get(each.name) or span_at(each.window, now) for each in mine]
    edges = [span[0] for span in spans if span is not None]
    edges += [now - back for each in mine if each.window.trails and (back := each.window.reach)]
    changes = {at for each in mine for at in _changes(each, since, now)} if since is not None else set()
    edges += [at for at in changes if at.timestamp() % SPAN_S]
    # Without readings and rolling windows, a window is a sum: split it only where the amount of a step changes.
    whole = since is not None and not one_by_one
    steps = ledger.spans.bundles(
        plan=plan.name,
        since=since,
        exact_since=now - EXACT if one_by_one else None,
        edges=edges,
        changes=changes if whole else None,
    )
    return Known([*theirs, *steps], begun)


def _changes(each: Meter, since: datetime, now: datetime) -> Iterator[datetime]:
    yield from (at for at in (each.since, each.until) if at is not None)
    yield from each.tariff.changes(since, now)
    if each.window.trails and (reach := each.window.reach):  # its edges are unknown: a hundredth of it is exact enough
        first, step = int((now - reach).timestamp()) // SPAN_S, reach / 100
        yield from (
            datetime.fromtimestamp(first * SPAN_S, UTC) + step * part // _QUARTER * _QUARTER for part in range(101)
        )


def _since(each: Meter, span: Span | None, until: datetime) -> datetime | None:
    """Return the instant from which a meter needs the burn; None for all of it."""
    if each.window.kind == "first_use":
        return span[0] if span is not None else until
    reach = each.window.reach
    return until - reach if reach is not None else None


def _open(each: Meter, plan: Plan, ledger: Ledger, others: Others, until: datetime) -> Span | None:
    """Return the first-use window that is open at an instant, or the last one before.

    Windows of a day or more are followed from the first use ever; shorter ones for at least 32 days, from an instant
    that stays the same for weeks. The result is exact after any pause as long as a window; without one, the windows at
    least stay where they are.
    """
    window = each.window
    since = None
    if window.length < _LONG:
        since = datetime.fromtimestamp(
            (until.timestamp() // _STRETCH.total_seconds() - 1) * _STRETCH.total_seconds(), UTC
        )
    theirs = [] if each.per_app else [at for at, model in others.uses(plan.name, since) if each.counts(model)]
    found = ledger.spans.openings(
        plan.name,
        lambda at, last: opened(window, at, last)[1],
        until,
        since=since,
        counts=each.counts if each.only else None,
        others=theirs,
    )
    if not found:
        return None
    last = opened(window, found[-2])[1] if len(found) > 1 else None
    return opened(window, found[-1], last)
