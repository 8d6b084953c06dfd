"""Rules of time: in which window an instant lies. Pure functions of instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.quota.plan import Meter


def bounds(meter: Meter, burns: Iterable[datetime], now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return start and end of the window that is open at `now`, half open; (None, None) where none has begun.

    A first-use window begins with the first step and lasts its hours; the next begins with the first step after its end.
    """
    length = timedelta(hours=meter.hours)
    match meter.window:
        case "first_use":
            start: datetime | None = None
            for at in sorted(burns):
                if at > now:
                    break
                if start is None or at >= start + length:
                    start = at
            if start is None or now >= start + length:
                return None, None
            return start, start + length
        case "rolling":
            return now - length, None
        case "balance":
            return None, None
        case _:
            zone = ZoneInfo(meter.zone)
            day = now.astimezone(zone).date()
            if meter.window == "calendar_day":
                following = day + timedelta(days=1)
            else:
                day = day.replace(day=1)
                following = (day + timedelta(days=32)).replace(day=1)
            edges = (
                datetime(each.year, each.month, each.day, tzinfo=zone).astimezone(UTC) for each in (day, following)
            )
            return next(edges), next(edges)
