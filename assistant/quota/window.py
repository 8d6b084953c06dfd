"""Rules of time: the window in which an instant lies. Pure functions of aware instants; windows are half open, in UTC.

These are the kinds:

- `first_use`: begins with the first step and lasts its `length`; the next begins with the first step after its end, so
  there may be none. `floor` "hour" moves the beginning back to the full hour of UTC.
- `rolling`: every step comes back `length` after it was taken; there is no single reset.
- `calendar_day`, `calendar_week`, `calendar_month`: in `zone`, from `time` of the day, `weekday` or `day`.
- `grid`: consecutive windows of `length` from `origin` on, used or not.
- `subscription_month`: from `origin` every `months`, at the same local day and time. If a month lacks the day, its last
  day is used; each is computed from the first one, so that the 31st comes back.
- `balance`: no window.

A local time that a change of clocks skips is moved forward by the gap; one that occurs twice means the first.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

from assistant.quota.zones import clock_of

WindowKind = Literal[
    "first_use", "rolling", "calendar_day", "calendar_week", "calendar_month", "grid", "subscription_month", "balance"
]
Span = tuple[datetime, datetime]
_MIDNIGHT = time(0)


class Window(NamedTuple):
    """One rule of time. `origin` is the instant of activation or subscription; None if it is unknown.

    A subscription month without an origin may have a `day`, which is 0 if that is unknown too.
    """

    kind: WindowKind
    length: timedelta = timedelta(0)
    floor: Literal["", "hour"] = ""
    zone: str = "UTC"
    time: time = _MIDNIGHT
    weekday: int = 0
    day: int = 1
    months: int = 1
    origin: datetime | None = None

    @property
    def fixed(self) -> bool:
        """Whether its edges follow from the rule alone, whatever was burnt."""
        return self.kind not in {"first_use", "rolling", "balance"}

    @property
    def trails(self) -> bool:
        """Whether steps leave it one by one, unless a reading says otherwise: it rolls, or its edges are unknown."""
        if self.kind in {"grid", "subscription_month"} and self.origin is None:
            return self.kind == "grid" or self.day == 0
        return self.kind == "rolling"

    @property
    def reach(self) -> timedelta | None:
        """The length of its longest window; None for a balance."""
        match self.kind:
            case "first_use" | "rolling" | "grid":
                return self.length
            case "calendar_day":
                return timedelta(days=2)
            case "calendar_week":
                return timedelta(days=8)
            case "calendar_month" | "subscription_month":
                return timedelta(days=31 * max(1, self.months) + 2)
            case _:
                return None


def opened(window: Window, at: datetime, after: datetime | None = None) -> Span:
    """Return the first-use window that a step at `at` opens; it does not begin before `after`, the last one's end."""
    at = at.astimezone(UTC)
    start = at.replace(minute=0, second=0, microsecond=0) if window.floor == "hour" else at
    if after is not None:
        start = max(start, after)
    return start, start + window.length


def span_at(window: Window, at: datetime) -> Span | None:
    """Return the window that contains an instant, for rules with fixed edges; None for others or before the origin."""
    at = at.astimezone(UTC)
    match window.kind:
        case "grid":
            if window.origin is None or at < window.origin or window.length <= timedelta(0):
                return None
            origin = window.origin.astimezone(UTC)
            start = origin + (at - origin) // window.length * window.length
            return start, start + window.length
        case "calendar_day" | "calendar_week":
            step = timedelta(days=1 if window.kind == "calendar_day" else 7)
            day = at.astimezone(clock_of(window.zone)).date()
            if window.kind == "calendar_week":
                day -= timedelta(days=(day.weekday() - window.weekday) % 7)
            return _around(at, [instant(day + step * index, window.time, window.zone) for index in (-1, 0, 1, 2)])
        case "calendar_month":
            local = at.astimezone(clock_of(window.zone)).date()
            months = local.year * 12 + local.month - 1
            edges = [_monthly(months + index, window.day, window.time, window.zone) for index in (-1, 0, 1, 2)]
            return _around(at, edges)
        case "subscription_month":
            return _subscription(window, at)
        case _:
            return None


def _subscription(window: Window, at: datetime) -> Span | None:
    zone = clock_of(window.zone)
    if window.origin is None and not window.day:
        return None
    if window.origin is None:
        local = at.astimezone(zone).date()
        months = local.year * 12 + local.month - 1
        return _around(at, [_monthly(months + index, window.day, window.time, window.zone) for index in (-1, 0, 1, 2)])
    if at < window.origin:
        return None
    first = window.origin.astimezone(zone)
    begun = first.year * 12 + first.month - 1
    local = at.astimezone(zone).date()
    index = (local.year * 12 + local.month - 1 - begun) // window.months
    edges = [
        _monthly(begun + (index + each) * window.months, first.day, first.timetz().replace(tzinfo=None), window.zone)
        for each in (-1, 0, 1, 2)
    ]
    return _around(at, edges)


def _around(at: datetime, edges: list[datetime]) -> Span | None:
    for start, end in pairwise(edges):
        if start <= at < end:
            return start, end
    return None


def _monthly(months: int, day: int, at: time, zone: str) -> datetime:
    year, month = divmod(months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return instant(date(year, month + 1, min(day, last)), at, zone)


def instant(day: date, at: time, zone: str) -> datetime:
    """Return the UTC instant of a local day and time."""
    return datetime.combine(day, at.replace(fold=0), clock_of(zone)).astimezone(UTC)
