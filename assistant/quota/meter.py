"""What is left of a plan: readings and our own burn merged into one estimate for each meter."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from assistant.quota.estimate import Estimate, ordered
from assistant.quota.filling import SAME_RESET
from assistant.quota.gauge import LONG, Gauge
from assistant.quota.reading import LIKELY, SOME, SOME_LONG
from assistant.quota.tariff import Burn
from assistant.quota.window import opened
from assistant.tokens import Cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from assistant.quota.entry import Entry
    from assistant.quota.reading import Reading
    from assistant.quota.terms import Meter, Plan
    from assistant.quota.window import Span

LATELY = 32
"""How many recent steps, or sums of steps, are remembered to find a model's last ones."""
_LIKE = 8
_MINUTE = timedelta(minutes=1)
_CLOCKS = timedelta(days=1)
"""How far in the future an entry may lie to count as burnt now: the clock may have been set back since."""


def gauges(
    plan: Plan,
    entries: Iterable[Entry | Burn],
    now: datetime,
    readings: Sequence[Reading] = (),
    begun: Mapping[str, Span] | None = None,
) -> list[Gauge]:
    """Return a gauge for each meter, fed up to `now`, in the plan's order.

    `begun` are the first-use windows that the first entries of each such meter belong to, if the caller knows more of
    the past than `entries` tell.
    """
    # Sort by the instants as written, then move future ones to now: the clock may have been set back.
    burns = sorted(((each.at, burn) for each in entries if (burn := burn_of(each, now)) is not None), key=_first)
    lately = [burn for _, burn in burns[-2 * LATELY :] if not burn.client][-LATELY:]
    found = []
    for meter in plan.meters:
        gauge = Gauge(plan.name, meter, plan.currencies)
        gauge.lately = lately
        heard = accepted(about(plan, meter, readings))
        told = iter(heard)
        next_one = next(told, None)
        # A reading may calibrate older burn, so all burn from the first reading's window on is fed.
        first, span = _begin(meter, burns, min(now, heard[0].at) if heard else now, (begun or {}).get(meter.name))
        if span is not None:
            gauge.start, gauge.end = span
        for written, burn in islice(burns, first, None):
            if not _counts(meter, burn):
                continue
            while next_one is not None and next_one.at <= written:
                gauge.read(next_one)
                next_one = next(told, None)
            gauge.burn(burn)
        while next_one is not None and next_one.at <= now + _CLOCKS:
            gauge.read(next_one)
            next_one = next(told, None)
        found.append(gauge)
    return found


def standing(gauges: Sequence[Gauge], now: datetime, model: str = "") -> tuple[Estimate, ...]:
    """Return the state of a plan's meters; the one that binds (for a model, if given) comes first."""
    return ordered([gauge.estimate(now) for gauge in gauges], model, needs(gauges, model))


def needs(gauges: Sequence[Gauge], model: str = "") -> dict[str, Decimal]:
    """Return what a step like the last ones takes of each meter, 0 for nothing; unknown amounts are left out.

    With a model, those are its own last steps, or, without any, other models' last steps as if it had taken them.
    """
    lately = gauges[0].lately if gauges else ()
    mine = [each for each in lately if each.model == model] if model else lately
    like = (mine or [_asked_of(model, each) for each in lately if not each.feature])[-_LIKE:]
    found = {}
    for gauge in gauges:
        known = [(took, each.steps) for each in like if (took := gauge.takes(each)) is not None]
        if steps := sum(count for _, count in known):
            found[gauge.meter.name] = sum((took for took, _ in known), Decimal(0)) / steps
    return found


def _asked_of(model: str, burn: Burn) -> Burn:
    """Return a step as if another model had taken it; the cost of a free step tells nothing about the other's price."""
    return burn._replace(model=model, cost=burn.cost if burn.cost.amount else Cost("unknown"))


def _counts(meter: Meter, burn: Burn) -> bool:
    return meter.counts(burn.model, burn.feature) and not (burn.client and meter.per_app)


def _begin(
    meter: Meter, burns: Sequence[tuple[datetime, Burn]], until: datetime, span: Span | None
) -> tuple[int, Span | None]:
    """Return the index of the first burn that matters to the window open at `until`, and that window if known.

    First-use windows depend on each other: they are followed from `span`, or from the first burn.
    """
    reach = meter.window.reach
    if reach is None:
        return 0, None
    if meter.window.kind != "first_use":
        return bisect_left(burns, until - reach, key=_first), None
    mine = [
        (burn.at, place) for place, (_, burn) in enumerate(burns) if _counts(meter, burn) and meter.holds_at(burn.at)
    ]
    here = bisect_left(mine, span[0], key=_first) if span is not None else 0
    while here < len(mine):
        at, place = mine[here]
        if span is None or span[1] <= at:
            if at >= until:
                return place, span
            span = opened(meter.window, at, span[1] if span is not None else None)
        after = bisect_left(mine, span[1], here + 1, key=_first)
        if after == len(mine) or mine[after][0] >= until:
            return place, span
        here = after
    return len(burns), span


def _first(each: tuple[datetime, Any]) -> datetime:
    return each[0]


def accepted(readings: Iterable[Reading]) -> list[Reading]:
    """Drop readings that are older than an earlier one in the list; the rest is in order.

    If one answer tells the same limit twice, the higher use holds: nothing was burnt in between.
    """
    found: list[Reading] = []
    for reading in readings:
        if found and _again(reading, found[-1]):
            found[-1] = max(found[-1], reading, key=_height)
        elif not found or reading.at >= found[-1].at:
            found.append(reading)
    return found


def _again(reading: Reading, last: Reading) -> bool:
    """Say whether two readings of a meter come from one answer, and both tell its use."""
    used = {"ok", "exhausted"}
    return (
        reading.at == last.at
        and (reading.meter, reading.source, reading.account, reading.currency)
        == (last.meter, last.source, last.account, last.currency)
        and {reading.status, last.status} <= used
    )


def _height(reading: Reading) -> tuple[Decimal, Decimal, Decimal]:
    """Return how far a limit is used, as a key to compare readings of one answer."""
    used, limit, left = reading.used, reading.limit, reading.remaining
    if used is None and left is not None and isinstance(limit, Decimal):
        used = limit - left
    share = used * 100 / limit if used is not None and isinstance(limit, Decimal) and limit else reading.percent
    least = Decimal("-Infinity")
    return (
        share if share is not None else least,
        used if used is not None else least,
        -left if left is not None else least,
    )


def about(plan: Plan, meter: Meter, readings: Iterable[Reading]) -> Iterator[Reading]:
    """Yield the readings about a meter. The decision is cached by what identifies a meter: most readings are alike."""
    known: dict[tuple[Any, ...], bool] = {}
    for each in readings:
        if each.meter in {SOME, SOME_LONG}:
            if meter in (meant := _suspects(plan, each)):
                shortest = min(meant, key=lambda other: other.window.reach or timedelta.max)
                alone = meter.name if len(meant) == 1 else each.meter
                yield each._replace(meter=LIKELY if alone == each.meter and meter is shortest else alone)
            continue
        kind = (each.meter, each.currency, each.mapped, each.minutes, each.models, each.feature)
        if kind not in known:
            known[kind] = reads(plan, meter, each)
        if known[kind]:
            yield each


def _suspects(plan: Plan, reading: Reading) -> list[Meter]:
    """Return the meters that a refusal without a named window may mean; empty for other readings."""
    if reading.meter not in {SOME, SOME_LONG}:
        return []
    least = LONG if reading.meter == SOME_LONG else timedelta(0)
    if reading.resets_at is not None:  # a window cannot end later than its length from now
        least = max(least, reading.resets_at - reading.at - SAME_RESET)
    return [
        each
        for each in plan.meters
        if each.window.reach is not None
        and each.window.reach >= least
        and not (each.feature or each.only or each.per_app)
    ]


def reads(plan: Plan, meter: Meter, reading: Reading) -> bool:
    """Say whether a reading is about a meter: by name, else by the length of a window that no other meter has."""
    name = reading.meter.casefold()
    if name in {SOME, SOME_LONG}:  # if it may mean several meters, each decides by the reset
        return meter in _suspects(plan, reading)
    if meter.currency and reading.currency and meter.currency != reading.currency:
        return False
    if name == meter.name.casefold() or name in (each.casefold() for each in meter.reads):
        return True
    if not reading.mapped or not reading.minutes or reading.models or reading.feature:
        return False
    named = any(
        name == each.name.casefold() or name in (other.casefold() for other in each.reads) for each in plan.meters
    )
    alike = [each for each in plan.meters if each.window.length / _MINUTE == reading.minutes and not each.only]
    return not named and alike == [meter] and not meter.feature


def unmapped(plan: Plan, readings: Sequence[Reading]) -> list[Reading]:
    """Return the last reading of each limit that no meter of the plan counts: to be shown raw, never dropped."""
    counted = {id(reading) for meter in plan.meters for reading in about(plan, meter, readings)}
    last = {
        each.meter: each
        for each in readings
        if each.status != "not_in_plan" and id(each) not in counted and not _suspects(plan, each)
    }
    return list(last.values())


def burn_of(entry: Entry | Burn, now: datetime) -> Burn | None:
    """Return a step as a Burn; None if it was not billed, or lies in a future that no clock change explains."""
    if isinstance(entry, Burn):
        burn = entry
    elif entry.state == "failed":
        return None
    else:
        count = getattr(entry, "steps", 1)
        steps = Decimal(count)
        burn = Burn(
            entry.at,
            entry.usage,
            entry.cost,
            entry.model,
            requests=steps,
            prompts=_prompts(entry, count),
            until=entry.ended_at,
            running=entry.state == "in_flight",
            steps=count,
        )
    if burn.at > now:
        return burn._replace(at=now) if burn.at - now <= _CLOCKS else None
    return burn


def _prompts(entry: Entry, steps: int) -> Decimal:
    """Return how many prompts an entry stands for; if it does not tell, one for each step."""
    if entry.purpose:
        return Decimal(int(entry.step <= 1 and entry.purpose == "main"))
    known = getattr(entry, "prompts", None)
    return Decimal(steps if known is None else known)


def share_of(gauges: Iterable[Gauge], step: Burn) -> float | None:
    """Return the part of the tightest meter in scope that a step would take, 0 to 1; None if no meter can tell.

    A meter told in points can tell if the worth of a point was learned.
    """
    shares = []
    for gauge in gauges:
        limit = gauge.meter.limit_at(step.at)
        if isinstance(limit, Decimal) and limit and gauge.meter.counts(step.model, step.feature):
            need = gauge.need(step)
            if need:
                shares.append(float(need / limit))
    return max(shares, default=None)
