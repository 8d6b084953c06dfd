"""Runs a history through a plan for advice: how many steps would have been admitted, and what stops the rest.

It returns what `replay` would for the same burns without readings, but is made for many steps and many plans. A meter
whose fullest window had room for everything is not followed, as it stops nothing whatever the others do; and ranges of
burns that surely go through, or surely do not, are skipped at once.

It is a second engine because a report over a book of a million rows has 0.3 s of CPU time: 6,000 steps by 31 plans took
13.7 s to replay and 0.5 s this way, with equal results. Each rule of a window therefore exists twice, and tests check
that the two agree.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota.followed import ENDLESS, follow, misses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from assistant.quota.columns import Column, History
    from assistant.quota.followed import Followed
    from assistant.quota.terms import Meter, Plan

    _Needs = list[tuple[Followed, Decimal]]
    _Shares = list[tuple[Followed, Any]]

_ZERO = Decimal(0)
_BLUR = Decimal("1E-15")
"""A part of a sum that is far larger than its possible rounding error."""


class Stop(NamedTuple):
    """Steps that would have been refused: `meter` is the last to have room again, at `until` (None: never, unknown)."""

    at: datetime
    meter: str
    until: datetime | None
    steps: int


class Tried(NamedTuple):
    """The result; `unpriced` are the meters of which some admitted step took an unknown amount."""

    admitted: int
    stops: list[Stop]
    unpriced: set[str]


class Refusal(NamedTuple):
    """One step that would have been refused, by its index in the history; see `replay.Blocked` for the rest."""

    place: int
    meter: str
    until: datetime | None
    never: bool
    need: Decimal | None
    left: Decimal
    meters: tuple[str, ...]


def tried(plan: Plan, history: History) -> Tried | None:
    """Run a history through a plan; None if only a replay can tell, because a dated limit may have been reached."""
    limits = _limits(plan, history)
    if limits is None:
        return None
    if all(limit is None for _, limit in limits):
        unpriced = {meter.name for meter, _ in limits if misses(meter, history, plan.currencies)}
        return Tried(history.steps, [], unpriced)
    followed = [follow(meter, history, plan.currencies, limit) for meter, limit in limits]
    stops = list(_stops(followed, history))
    admitted = history.steps - sum(stop.steps for stop in stops)
    return Tried(admitted, stops, {each.meter.name for each in followed if each.missed})


def refusals(plan: Plan, history: History) -> list[Refusal] | None:
    """Return each refused step of a history of single steps; None as in `tried`."""
    limits = _limits(plan, history)
    if limits is None or all(limit is None for _, limit in limits):
        return None if limits is None else []
    followed = [follow(meter, history, plan.currencies, limit) for meter, limit in limits]
    found = []
    index = 0
    while (index := _pass(followed, history, index)) < len(history.burns):
        full = _take([(each, need) for each in followed if (need := each.needs[index]) is not None], index)
        if full:
            name, until = _last(full, history.at[index])
            mine, need = next(each for each in full if each[0].meter.name == name)
            names = tuple(each.meter.name for each, _ in full)
            found.append(Refusal(index, name, until, mine.never(need), need or None, mine.left(index), names))
        index += 1
    return found


def _pass(followed: Sequence[Followed], history: History, index: int) -> int:
    """Admit the burns that surely go through; return the first from `index` on that must be tried."""
    while index < len(history.burns) and (through := min([each.through(index) for each in followed])) > index:
        for each in followed:
            each.take(index, through)
        index = through
    return index


def _limits(plan: Plan, history: History) -> list[tuple[Meter, Decimal | None]] | None:
    """Return the meters that may stop a step, with their limits, and those with unknown amounts; None as in `tried`."""
    limits: list[tuple[Meter, Decimal | None]] = []
    for meter in plan.meters:
        if meter.feature or not any(meter.counts(model) for model in history.models):
            continue
        column, limit = history.column(meter.tariff), _limit(meter)
        if limit is not None and _has_room(meter, column, history, limit):
            limit = None
        if limit is not None and (meter.limits or (meter.window.floor and len(plan.currencies) > 1)):
            return None
        if limit is not None or column.untold:
            limits.append((meter, limit))
    return limits


def _limit(meter: Meter) -> Decimal | None:
    """Return the least limit that ever holds; None if no history can fill the meter."""
    if meter.lots:
        return sum((lot.amount for lot in meter.lots), _ZERO)
    known = [limit for limit in (meter.limit, *(limit for _, limit in meter.limits)) if isinstance(limit, Decimal)]
    return min(known) if known and meter.unit != "percent" else None


def _has_room(meter: Meter, column: Column, history: History, limit: Decimal) -> bool:
    """Say whether a meter surely has room for everything, whatever the others stop."""
    if meter.lots or column.blurred:  # lots expire
        return False
    sums = _sums(meter, column, history)
    # Less than the limit: a step of unknown amount needs something to be left, and the sums may be rounded.
    return history.fullest(sums, meter.window.reach) < limit - (limit + sums[-1]) * _BLUR


def _sums(meter: Meter, column: Column, history: History) -> Sequence[Decimal]:
    """Return the running sums before each burn, with the total last, of the burns that a meter counts."""
    if all(meter.counts(model) for model in history.models):
        return column.sums
    pairs = zip(column.points, history.burns, strict=True)
    mine = [point if point is not None and meter.counts(burn.model) else _ZERO for point, burn in pairs]
    return list(accumulate(mine, initial=_ZERO))


def _stops(followed: Sequence[Followed], history: History) -> Iterator[Stop]:
    """Follow meters through a history; yield what they stop, in order of time."""
    index = 0
    while (index := _pass(followed, history, index)) < len(history.burns):
        stopped = _parts(followed, history, index)
        index += 1
        if len(stopped) == 1 and stopped[0].steps == history.burns[index - 1].steps:
            steps, index = _alike(stopped[0], followed, history, index)
            stopped = [stopped[0]._replace(steps=stopped[0].steps + steps)]
        yield from stopped


def _parts(followed: Sequence[Followed], history: History, index: int) -> list[Stop]:
    """Try one burn, in parts if there is no room for all of its steps; return the parts that are stopped."""
    at, steps = history.at[index], history.burns[index].steps
    needs = [(each, need) for each in followed if (need := each.needs[index]) is not None]
    full = _take(needs, index)
    if full and steps > 1:
        full = _full([(each, need) for each in followed if (need := each.ones[index]) is not None], index)
        if not full:
            stops: list[Stop] = []
            shares = [(each, each.column.share(index)) for each in followed if each.counts(index)]
            _halve(shares, at, steps, index, stops)
            return stops
    return [Stop(at, *_last(full, at), steps)] if full else []


def _halve(shares: _Shares, at: datetime, steps: int, index: int, stops: list[Stop]) -> None:
    """Try steps in two halves, because there is room for the first but not for all; add what is stopped to `stops`."""
    half = steps // 2
    both = [(each, each.column.split(share, half, steps)) for each, share in shares]
    for place, count in enumerate((half, steps - half)):
        part = [(each, halves[place]) for each, halves in both]
        full = _take(_needs(part, index), index)
        if full and count > 1:
            ones = [(each, each.column.split(share, 1, count)[0]) for each, share in part]
            full = _full(_needs(ones, index), index)
            if not full:
                _halve(part, at, count, index, stops)
        if full:
            stops.append(Stop(at, *_last(full, at), count))


def _needs(shares: _Shares, index: int) -> _Needs:
    return [(each, need) for each, share in shares if (need := each.need(share, index)) is not None]


def _take(needs: _Needs, index: int) -> _Needs:
    """Admit steps if all meters have room for them; return the meters that have none."""
    full = _full(needs, index)
    if not full:
        for each, need in needs:
            each.take_part(need, index)
    return full


def _full(needs: _Needs, index: int) -> _Needs:
    """Return the meters that have no room."""
    return [(each, need) for each, need in needs if not _fits(need, each.left(index))]


def _fits(need: Decimal | None, left: Decimal) -> bool:
    return need is None or (need <= left and (left > 0 or need < 0))


def _last(full: _Needs, at: datetime) -> tuple[str, datetime | None]:
    """Return the meter that stops a step, and until when.

    A meter that never has room comes first, then one whose return is unknown, then the last to have room again.
    """
    backs = [(each.meter.name, each.back(need)) for each, need in full]
    for each, need in full:
        if each.never(need):
            return each.meter.name, None
    return next((each for each in backs if each[1] is None), None) or max(backs, key=lambda each: each[1] or at)


def _alike(stop: Stop, followed: Sequence[Followed], history: History, index: int) -> tuple[int, int]:
    """Skip burns that the same meter stops until the same instant; return the number of their steps, and the next burn.

    The meters stay as they were when the burn before was stopped, until something comes back.
    """
    (mine,) = [each for each in followed if each.meter.name == stop.meter]
    others = [(each, room) for each in followed if each is not mine and (room := each.left(index - 1)).is_finite()]
    scarce = [(each, room) for each, room in others if room <= each.most]
    curious = [each for each in followed if each.is_curious]
    left = mine.left(index - 1)
    changes = [at for at in (mine.shut_until(), *(each.wanes_at() for each, _ in others)) if at is not None]
    end = bisect_left(history.at, min(changes), index) if changes else len(history.at)
    ones, needs, counts = mine.ones, mine.needs, history.fields["steps"]
    low, high = ENDLESS, -ENDLESS  # needs in this range are stopped until the same instant
    steps = 0
    for place in range(index, end):
        need, whole = ones[place], needs[place]
        if need is None or whole is None or not need > left < whole or scarce:
            if whole is None or _fits(whole, left):
                if whole or not _passes(place, others, curious):
                    return steps, place
                continue
            if _fits(need, left) or not all(_fits(each.ones[place], room) for each, room in scarce):
                return steps, place
        if need is not None and not low <= need <= high:
            if mine.back(need) != stop.until:
                return steps, place
            low, high = min(low, need), max(high, need)
        steps += counts[place]
    return steps, end


def _passes(place: int, others: Sequence[tuple[Followed, Decimal]], curious: Sequence[Followed]) -> bool:
    """Admit a burn whose known amount is zero for all meters; return False if it may be stopped."""
    for each, room in others:
        if (need := each.needs[place]) or (need is not None and room <= 0):
            return False
    for each in curious:
        if each.needs[place] == 0:
            each.left(place)
            each.take_part(_ZERO, place)
    return True
