"""Replays the user's own history wholesale: the results of `replay`, computed from columns instead of step by step.

Without readings, a window that stops nothing holds the sum of its burn. So refused steps are found as in a trial,
closed windows are added up, and only the window that is open at the end is filled by a Gauge.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota import forecast, money
from assistant.quota.columns import History
from assistant.quota.estimate import PastWindow, binding
from assistant.quota.followed import is_long
from assistant.quota.gauge import Gauge
from assistant.quota.meter import LATELY, needs, standing
from assistant.quota.replay import Blocked, Replayed
from assistant.quota.trial import refusals
from assistant.quota.window import opened, span_at
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Meter, Plan
    from assistant.quota.window import Span

_HUNDRED, _ZERO = Decimal(100), Decimal(0)
_FADED = 100 * forecast.LONG
"""Burn that is older weighs nothing in a present rate: a part in 2 to the hundredth."""


class _Part(NamedTuple):
    """A meter's steps in one window, from index `first` up to `stop`; `span` is None if the window has no edges."""

    span: Span | None
    first: int
    stop: int


class _Course:
    """One meter through a history of which all steps were admitted: see `replay` for the meaning of its values."""

    def __init__(self, plan: Plan, meter: Meter, history: History) -> None:
        self.meter = meter
        self._plan = plan.name
        self._currencies = plan.currencies
        self._points = meter.unit == "percent"  # the points that a step takes are unknown
        column = history.column(meter.tariff)
        counted = {model for model in history.models if meter.counts(model)}
        burns, points = history.burns, column.points
        if counted != history.models or meter.since or meter.until:
            mine = [
                each
                for each in zip(burns, points, strict=True)
                if each[0].model in counted and meter.holds_at(each[0].at)
            ]
            burns, points = [burn for burn, _ in mine], [point for _, point in mine]
        self._burns = burns
        self._given = points
        self._units = [point or _ZERO for point in points]
        self._at = history.at if burns is history.burns else [burn.at for burn in burns]
        self._first = bisect_left(self._at, meter.window.origin) if meter.window.origin is not None else 0
        self._untold = (
            [place for place in range(self._first, len(points)) if points[place] is None] if column.untold else []
        )
        # A step paid in another of the plan's currencies takes nothing here.
        others = plan.currencies
        self._missed = [
            place
            for place in self._untold
            if not others or burns[place].cost.amount is None or burns[place].cost.currency not in others
        ]
        self.unpriced = len(self._missed)
        self.held: list[PastWindow] = []
        self.peak: tuple[Decimal, datetime | None] = _ZERO, None

    def run(self, at: datetime) -> Gauge:
        """Add up the windows that have ended by an instant; return a gauge of the one that is open."""
        window = self.meter.window
        gauge = Gauge(self._plan, self.meter, self._currencies)
        if window.trails:
            reach = window.reach or timedelta(0)
            self._watch_trail(reach)
            last = _Part(None, bisect_right(self._at, at - reach, self._first), len(self._at))
        else:
            last = _Part(None, len(self._at), len(self._at))
            for last in self._windows():
                self._close(last, at)
        if last.span is not None and window.kind == "first_use":
            gauge.start, gauge.end = last.span
        for burn in self._open(last):
            gauge.burn(burn)
        return gauge

    def _windows(self) -> Iterator[_Part]:
        window, place, end = self.meter.window, self._first, len(self._at)
        while place < end:
            if window.kind == "first_use":
                span: Span | None = opened(window, self._at[place], self.held[-1].end if self.held else None)
            else:
                span = span_at(window, self._at[place])
            stop = bisect_left(self._at, span[1], place) if span is not None else end
            yield _Part(span, place, stop)
            place = stop

    def _close(self, part: _Part, at: datetime) -> None:
        """Record what a window held, if it has ended, and when it was fullest."""
        total = _ZERO if self._points else sum(self._units[part.first : part.stop], _ZERO)
        if total > self.peak[0]:
            sums = accumulate(self._units[part.first : part.stop])
            self.peak = total, self._at[next(place for place, each in enumerate(sums, part.first) if each == total)]
        if part.span is None or at < part.span[1]:
            return
        unpriced, untold = (
            bisect_left(places, part.stop) - bisect_left(places, part.first) for places in (self._missed, self._untold)
        )
        events = part.stop - part.first - untold
        if events or unpriced:
            limit = self.meter.limit_at(part.span[0])
            if self._points and not isinstance(limit, Decimal):
                limit = _HUNDRED
            known = None if unpriced and not total else total
            self.held.append(
                PastWindow(self.meter.name, self.meter.unit, *part.span, known, limit, events, _ZERO, "end", unpriced)
            )

    def _watch_trail(self, reach: timedelta) -> None:
        """Find the peak of a window whose steps come back one by one."""
        if self._points:
            return
        at, first = self._at, self._first
        sums = list(accumulate(self._units, initial=_ZERO))
        most, when = self.peak
        for place in range(self._first, len(at)):
            while at[first] + reach <= at[place]:
                first += 1
            used = sums[place + 1] - sums[first]
            if used > most:
                most, when = used, at[place]
        self.peak = most, when

    def _open(self, part: _Part) -> Sequence[Burn]:
        """Return the steps of a window; if only their sum matters, steps that count alike as one."""
        burns = self._burns[part.first : part.stop]
        if self.meter.window.trails or self.meter.tariff.rules or self.meter.tariff.rates:
            return burns
        groups: dict[tuple[Any, ...], list[Burn]] = {}
        for burn, point in zip(burns, self._given[part.first : part.stop], strict=True):
            status, amount, currency = burn.cost
            key = (burn.model, burn.usage.exact, status, amount is None, currency, point is None)
            try:
                groups[key].append(burn)
            except KeyError:
                groups[key] = [burn]
        return [_together(each) for each in groups.values()]

    def recent(self, at: datetime) -> list[tuple[datetime, Decimal]]:
        """Return the instants and amounts of recent burns, or else of the last one."""
        first = bisect_left(self._at, at - _FADED)
        late = range(first, len(self._at))
        last = (place for place in reversed(range(first)) if self._given[place] is not None)
        told = [place for place in late if self._given[place] is not None] or list(islice(last, 1))
        return [(self._at[place], self._units[place]) for place in told]


def _together(burns: Sequence[Burn]) -> Burn:
    """Add up steps that count alike."""
    if len(burns) == 1:
        return burns[0]
    first = burns[0]
    _, usages, costs, _, requests, prompts, *_ = zip(*burns, strict=True)
    paid = None if first.cost.amount is None else sum([cost[1] for cost in costs], _ZERO)
    return first._replace(
        usage=_whole(usages), cost=first.cost._replace(amount=paid), requests=sum(requests), prompts=sum(prompts),
        steps=len(burns),
    )  # fmt: skip


def _whole(usages: Sequence[TokenUsage]) -> TokenUsage:
    *counts, exact = zip(*usages, strict=True)
    return TokenUsage._make((*map(sum, counts), all(exact)))


def wholesale(plan: Plan, burns: Sequence[Burn], at: datetime) -> Replayed | None:
    """Replay single steps of our own, in order of time, up to `at`; None if only `replay` can tell the result.

    That is so if a dated limit may have been reached, if a balance is bought in lots, or if sums are rounded.
    """
    history = History(burns)
    strange = any(map(any, (history.fields["doubtful"], (each.lots for each in plan.meters))))
    if not burns or not history.plain or strange or history.steps != len(burns):
        return None
    sums = [history.column(each.tariff) for each in plan.meters]
    if any(is_long(each.sums[-1]) or min(each.units) < 0 for each in sums):
        return None
    stopped = refusals(plan, history)
    if stopped is None:
        return None
    if stopped:
        gone = {each.place for each in stopped}
        history = History([burn for place, burn in enumerate(burns) if place not in gone])
    courses = [_Course(plan, meter, history) for meter in plan.meters]
    gauges = [course.run(at) for course in courses]
    for gauge in gauges:
        gauge.lately = burns[-LATELY:]
    estimates = standing(gauges, at)
    recent = {course.meter.name: course.recent(at) for course in courses}
    usages = history.fields["usage"]
    begun = next((when for when, usage in zip(history.at, usages, strict=True) if usage.total), None)
    return Replayed(
        plan.name,
        at,
        estimates,
        tuple(sorted((each for course in courses for each in course.held), key=lambda each: each.start or at)),
        tuple(
            Blocked(burns[each.place].at, each.meter, each.until, each.need, each.left, burns[each.place].model, each.meters,
                    each.never)
            for each in stopped
        ),
        history.steps,
        {each.meter: forecast.forecast(each, at, recent[each.meter]) for each in estimates},
        {course.meter.name: course.peak for course in courses},
        {course.meter.name: course.unpriced for course in courses if course.unpriced},
        (),
        money.tally(history.fields["cost"]),
        tuple(f"{each.meter}: {words}" for each in estimates for words in each.doubts),
        None if begun is None else forecast.token_rates([(begun, _whole(usages))], begun, at),
        first.meter if (first := binding(estimates, needs=needs(gauges))) is not None else None,
    )  # fmt: skip
