"""When a meter runs dry: an even pace, burn rates that account for idle time, and whether a next step is admitted."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota.estimate import instant, number
from assistant.quota.zones import clock_of
from assistant.tokens import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from assistant.quota.estimate import Estimate
    from assistant.quota.gauge import Gauge
    from assistant.tokens import TokenUsage

SHORT, LONG = timedelta(minutes=15), timedelta(hours=3)
_HUNDRED = Decimal(100)
_MICROSECOND = timedelta(microseconds=1)


class Forecast(NamedTuple):
    """How a meter goes on at its even pace: used units over the time that has passed, idle time included.

    Rates are units per minute. `dry_at` is when it runs out, None if it lasts or is unknown; `lasts` is None if
    unknown. `used_at_reset` is in units; `share_at_reset` and `expected` (an even use of the limit by now) are
    percents; `ahead` is used minus expected, in points; `rate_to_last` is what may be burnt per minute until the reset.
    `age_s` is the age of the underlying figure. `burn_short` and `burn_long` are rates with half-lives of 15 minutes
    and 3 hours, None without burns.
    """

    meter: str
    unit: str
    rate: Decimal | None = None
    dry_at: datetime | None = None
    before_reset: timedelta | None = None
    lasts: bool | None = None
    used_at_reset: Decimal | None = None
    share_at_reset: Decimal | None = None
    expected: Decimal | None = None
    ahead: Decimal | None = None
    rate_to_last: Decimal | None = None
    age_s: int = 0
    burn_short: Decimal | None = None
    burn_long: Decimal | None = None
    method: str = "used / elapsed"


def forecast(
    each: Estimate, now: datetime, burns: Sequence[tuple[datetime, Decimal]] = ()
) -> Forecast:  # fmt: skip
    """Return the forecast of one meter; `burns` are our own steps in its units."""
    if each.unpriced:  # `used` is only a lower bound: it has no pace
        return Forecast(each.meter, each.unit, age_s=each.age_s)
    short = burn_rate(burns, now, SHORT) if burns else None
    long = burn_rate(burns, now, LONG) if burns else None
    blank = Forecast(each.meter, each.unit, age_s=each.age_s, burn_short=short, burn_long=long)
    if each.used is None or each.start is None or each.end is None or now < each.start or now >= each.end:
        return _open_ended(each, now, blank)
    elapsed, rest, whole = _minutes(now - each.start), _minutes(each.end - now), _minutes(each.end - each.start)
    expected = elapsed * _HUNDRED / whole
    rate = each.used / elapsed if elapsed else None
    limit = each.limit if isinstance(each.limit, Decimal) and each.limit else None
    if limit is None or rate is None:
        ahead = each.used + rate * rest if rate is not None else None
        return Forecast(
            each.meter, each.unit, rate, used_at_reset=ahead, expected=expected, age_s=each.age_s, burn_short=short,
            burn_long=long,
        )  # fmt: skip
    left = each.remaining if each.remaining is not None else max(Decimal(0), limit - each.used)
    dry_at = now + _span(left / rate) if rate > 0 and left / rate < rest else None
    if left <= 0:
        dry_at = now
    return Forecast(
        each.meter, each.unit, rate, dry_at, each.end - dry_at if dry_at is not None else None, dry_at is None,
        each.used + rate * rest, (each.used + rate * rest) * _HUNDRED / limit, expected, each.used * _HUNDRED / limit - expected,
        left / rest if rest else None, each.age_s, short, long,
    )  # fmt: skip


def _open_ended(each: Estimate, now: datetime, blank: Forecast) -> Forecast:
    """Return the forecast of a balance or rolling window: it has no elapsed time, so only the recent burn tells."""
    rate = blank.burn_long
    if rate is None or not rate or each.remaining is None or each.is_unplaced or each.state not in {"open", "unknown"}:
        return blank
    minutes = each.remaining / rate
    if each.start is not None or minutes > 60 * 24 * 365:
        return Forecast(
            each.meter, each.unit, rate, age_s=each.age_s, burn_short=blank.burn_short, burn_long=rate, method="3 h half-life"
        )  # fmt: skip
    return Forecast(
        each.meter, each.unit, rate, now + _span(max(Decimal(0), minutes)), lasts=False, age_s=each.age_s,
        burn_short=blank.burn_short, burn_long=rate, method="3 h half-life",
    )  # fmt: skip


def burn_rate(burns: Iterable[tuple[datetime, Decimal]], now: datetime, half_life: timedelta) -> Decimal:
    """Return the burn in units per minute; each burn weighs half after a half-life, so idle time lowers the rate."""
    half = half_life.total_seconds()
    total = 0.0
    for at, amount in burns:
        age = max(0.0, (now - at).total_seconds())
        total += float(amount) * math.exp(-math.log(2) * age / half)
    return Decimal(str(round(total * math.log(2) / half * 60, 9)))


def token_rates(
    burns: Sequence[tuple[datetime, TokenUsage]], start: datetime, now: datetime
) -> tuple[Decimal, Decimal]:
    """Return tokens per minute between two instants: all of them, and without cache reads. For information only."""
    inside = [usage for at, usage in burns if start <= at < now or at == now]
    minutes = _minutes(now - start)
    if not minutes:
        return Decimal(0), Decimal(0)
    whole = sum(usage.total for usage in inside)
    return whole / minutes, (whole - sum(usage.cache_read for usage in inside)) / minutes


def phrase(found: Forecast, zone: str | None = "UTC", now: datetime | None = None) -> str:
    """Return a few words: "dry at 15:40 at this rate", "lasts, about 66.7% at reset", or "" if unknown.

    Times are in `zone`, None for the zone of this machine.
    """
    if found.dry_at is not None:
        if now is not None and found.dry_at <= now:
            return "used up"
        here = clock_of(zone) if zone is not None else None
        local = found.dry_at.astimezone(here)
        days = (local.date() - now.astimezone(here).date()).days if now is not None else 0
        if days >= 7:  # a weekday alone would be the next one
            return f"dry {local:%d %b} at this rate"
        return f"dry {local:%a }at {local:%H:%M} at this rate" if days else f"dry at {local:%H:%M} at this rate"
    if found.lasts and found.share_at_reset is not None:
        return f"lasts, about {percent(found.share_at_reset)} at reset"
    return ""


class Admission(NamedTuple):
    """Whether a next step may go: `blocked` names the meters that stop it; `meter` is the last to come back, `at` when.

    `at` is now if it is admitted; None with `never` False means unknown.
    """

    admitted: bool
    at: datetime | None
    meter: str = ""
    blocked: tuple[str, ...] = ()
    never: bool = False


def admit(gauges: Sequence[Gauge], needs: Mapping[str, Decimal], now: datetime, model: str, feature: str) -> Admission:
    """Say whether every meter in scope has room for what a step takes of it (`needs`, by meter, in its units)."""
    blocked: list[tuple[str, datetime | None, bool]] = []
    for gauge in gauges:
        need = needs.get(gauge.meter.name)
        if need is None or not gauge.meter.counts(model, feature):
            continue
        room = gauge.room(need, now)
        if room.at is None or room.at > now:
            blocked.append((gauge.meter.name, room.at, room.never))
    if not blocked:
        return Admission(True, now)
    never = next((name for name, _, each in blocked if each), "")
    names = tuple(name for name, _, _ in blocked)
    if never:
        return Admission(False, None, never, names, never=True)
    unknown = next((name for name, at, _ in blocked if at is None), "")
    if unknown:
        return Admission(False, None, unknown, names)
    name, at, _ = max(blocked, key=lambda each: each[1] or now)
    return Admission(False, at, name, names)


def forecast_json(found: Forecast) -> dict[str, Any]:
    """Return a forecast as JSON values: rates per minute, percents to one decimal."""

    def tenth(value: Decimal | None) -> float | None:
        return float(value.quantize(Decimal("0.1"), ROUND_HALF_UP)) if value is not None else None

    def rate(value: Decimal | None) -> str | float | int | None:
        return number(value.quantize(Decimal("0.001"), ROUND_HALF_UP)) if value is not None else None

    return {
        "rate_per_min": rate(found.rate),
        "dry_at": instant(found.dry_at),
        "before_reset_min": float(_minutes(found.before_reset)) if found.before_reset is not None else None,
        "lasts": found.lasts,
        "used_at_reset": rate(found.used_at_reset),
        "percent_at_reset": tenth(found.share_at_reset),
        "expected_percent": tenth(found.expected),
        "ahead": tenth(found.ahead),
        "rate_to_last_per_min": rate(found.rate_to_last),
        "burn_15min_per_min": rate(found.burn_short),
        "burn_3h_per_min": rate(found.burn_long),
        "age_s": found.age_s,
        "method": found.method,
    }


def _minutes(span: timedelta) -> Decimal:
    return Decimal(span // _MICROSECOND) / 60_000_000


def _span(minutes: Decimal) -> timedelta:
    return timedelta(microseconds=int((minutes * 60_000_000).to_integral_value()))
