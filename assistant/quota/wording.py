"""Meters in words: what is used and left, when it returns, the source of a figure and its age. Pure.

Instants are in the zone of this machine, where the user reads them.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple

from assistant.quota import forecast
from assistant.quota.line import span
from assistant.tokens import money, percent

if TYPE_CHECKING:
    from datetime import datetime

    from assistant.quota.estimate import Estimate
    from assistant.quota.forecast import Forecast

_YOUNG = 3
"""Percent of a window that must have passed before its pace is shown: nine minutes of five hours."""
STATES = {"exhausted": "used up", "not_started": "not begun", "not_in_plan": "not in the plan"}
"""The states of a meter that its figures do not tell, in words."""
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class MeterWords(NamedTuple):
    """A meter in words, which each face lays out in its way; what is not to be said is empty.

    `figures` tell what is used of what, `share` the used percent if they do not tell it already. `state` says that it
    is used up, or has not begun. `reset` is when it begins anew, `wait` the time until then. `more` are its pace, other
    clients' burn, and why a figure is a range; `trust` names the source, its age, and how sure the figures are.
    """

    figures: str
    share: str
    state: str
    reset: str
    wait: str
    more: tuple[str, ...]
    trust: str


def meter_words(each: Estimate, ahead: Forecast, now: datetime) -> MeterWords:
    """Say all that is known of a meter."""
    state = "" if each.state == "not_in_plan" else STATES.get(each.state, "")  # then its figures say so
    if each.state == "unknown" and each.limit is not None and each.end is None and each.unit != "percent":
        state = "begins at a time that nobody has said"
    return MeterWords(
        figures=figures(each),
        share=percent(each.percent) if each.percent is not None and each.unit != "percent" else "",
        state=state,
        reset=clock(each.resets_at, now),
        wait=countdown(each.resets_at, now) if each.resets_at else "",
        more=tuple(filter(None, (pace(ahead, now)[0], others(each), doubts(each)))),
        trust=f"{trust(each)}, {each.confidence}",
    )


def clock(at: datetime | None, now: datetime) -> str:
    """Write an instant: the time if it is today, else with the weekday or the date; empty for none."""
    if at is None:
        return ""
    local, today = at.astimezone(), now.astimezone().date()
    if local.date() == today:
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if abs((local.date() - today).days) < 7 else f"{local:%d %b %H:%M}"


def age(seconds: int) -> str:
    """Write a length of time in its largest unit."""
    for size, name in _SPANS:
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{max(0, seconds)} s"


def countdown(at: datetime, now: datetime) -> str:
    """Write the time until an instant, in its two largest units."""
    return span(-(-int((at - now).total_seconds()) // 60))


def trust(estimate: Estimate) -> str:
    """Name the source of a figure, and its age if it is a minute or more."""
    source = {"ledger": "our count", "you": "you typed it"}.get(estimate.source, estimate.source)
    return f"{source}, {age(estimate.age_s)} ago" if estimate.age_s >= 60 else source


def amount(value: Decimal | None, unit: str, currency: str = "") -> str:
    """Write an amount in its unit; "unknown" if it is."""
    if value is None:
        return "unknown"
    if unit == "money":
        return money(value, currency or "USD")
    if unit == "percent":
        return percent(value)
    places = Decimal(1) if abs(value) >= 100 or value == value.to_integral_value() else Decimal("0.01")
    return f"{value.quantize(places, ROUND_HALF_UP):,f}"


def figures(each: Estimate) -> str:
    """Write what is used of what: "855 of 2,000 credits", "44%", "CNY 98.00 left"; unknown and unlimited are named."""
    if each.state == "not_in_plan":
        return STATES[each.state]
    more = f" + {unpriced(each)}" if each.unpriced else ""
    if each.unit == "money" and not isinstance(each.limit, Decimal):
        if each.remaining is not None:
            left = amount(each.remaining, "money", each.currency)
            if each.doubts and each.low is not None and each.used is not None:
                left += f" to {amount(each.remaining + each.used - each.low, 'money', each.currency)}"
            return f"{left} left{more}"
        spent = f"{_used(each)}{more}" if each.used else more[3:]
        rest = "unlimited" if each.limit == "unlimited" else "balance unknown"
        return f"{spent} spent by us, {rest}" if spent else rest
    if each.unit == "percent" and each.limit == "unlimited":
        return "unlimited"
    if each.used is None:
        return f"unknown: {more[3:]}" if more else "unknown"
    said = _used(each)
    if each.is_unplaced:
        ours = f", at most {said} of it by us" if each.used else ""
        return f"unknown of {_limit(each)}{ours}{more}"
    if each.unit == "percent":
        return said
    name = "" if each.unit == "money" else f" {each.unit}"
    if each.limit == "unlimited":
        return f"{said}{name}{more}, unlimited"
    if each.limit is None:
        return f"{said}{name}{more}, limit unknown"
    return f"{said} of {_limit(each)}{more}"


def brief(each: Estimate) -> str:
    """Write what is left of a balance, or the used percent of anything else, in a word or two; empty if unknown."""
    if each.unit == "money" and each.end is None and each.remaining is not None:
        return f"{amount(each.remaining, each.unit, each.currency)} left"
    return percent(each.percent) if each.percent is not None else ""


def _limit(each: Estimate) -> str:
    """Write a limit that is a number, with its unit."""
    limit = each.limit if isinstance(each.limit, Decimal) else None
    return f"{amount(limit, each.unit, each.currency)}{'' if each.unit in {'money', 'percent'} else f' {each.unit}'}"


def _used(each: Estimate) -> str:
    """Write what is used; a range if a rule leaves it in doubt."""
    said = amount(each.used, each.unit, each.currency)
    if not each.doubts or each.low is None or each.low == each.used:
        return said
    return f"{amount(each.low, each.unit, each.currency)} to {said}"


def doubts(each: Estimate) -> str:
    """Say why a figure is a range; empty if it is none."""
    return "; ".join(each.doubts)


def unpriced(each: Estimate) -> str:
    """Say how many requests a figure leaves out because their amount is unknown."""
    if each.unit == "money":
        return f"{each.unpriced} unpriced"
    return f"{each.unpriced:,} request{'s'[: each.unpriced != 1]} without a weight"


def pace(found: Forecast, now: datetime) -> tuple[str, str]:
    """Return a meter's outlook, full and short: ("dry at 15:40 at this rate", "dry 15:40"), ("lasts, ...", "→66.7%").

    Both are empty if the meter is used up already, if nothing is known, and while a window is too young to have a pace.
    """
    if found.dry_at is not None and found.dry_at <= now:
        return "", ""
    if found.expected is not None and found.expected < _YOUNG:
        return "", ""
    brief = f"dry {clock(found.dry_at, now)}" if found.dry_at is not None else ""
    if found.lasts and found.share_at_reset is not None:
        brief = f"→{percent(found.share_at_reset)}"
    return forecast.phrase(found, None, now), brief


def others(each: Estimate) -> str:
    """Return other clients' burn, with its band if it has one, and the logs that tell of it; empty if there is none."""
    unit = "tokens" if each.unit == "percent" else each.unit
    logs = [f"{client}'s log {amount(units, unit, each.currency)} {unit}" for client, units in each.clients.items()]
    if not each.foreign:
        return ", ".join(logs)
    low, high = (amount(value, each.unit, each.currency) for value in (each.foreign_low, each.foreign_high))
    same = low == high or each.foreign_high <= 0
    said = f"other clients {amount(each.foreign, each.unit, each.currency) if same else f'{low} to {high}'}"
    return f"{said} ({', '.join(logs)})" if logs else said
