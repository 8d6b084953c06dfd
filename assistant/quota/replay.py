"""Runs burn through a plan: what each window held, what would have been blocked, and the meters at the end.

A step is admitted only if every meter in scope has room for all of it; a step that is not admitted burns nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assistant.errors import ConfigError
from assistant.quota import forecast, money, wording
from assistant.quota.estimate import Estimate, PastWindow, as_json, binding, held_json, instant, number
from assistant.quota.gauge import Gauge
from assistant.quota.meter import LATELY, about, accepted, needs, standing, unmapped
from assistant.tokens import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from assistant.quota.event import Event
    from assistant.quota.reading import Reading
    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Plan
    from assistant.tokens import Cost, TokenUsage


@dataclass(frozen=True, slots=True)
class Blocked:
    """A step that would have been refused: `meter` is the last to have room again, at `until` (None: never or unknown).

    `need` is None if the step's amount is unknown: then nothing was left.
    """

    at: datetime
    meter: str
    until: datetime | None
    need: Decimal | None
    remaining: Decimal | None
    model: str = ""
    meters: tuple[str, ...] = ()
    never: bool = False
    line: int = 0
    steps: int = 1


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result: meters at `at`, the binding one first; closed windows in order; blocked steps; unmapped limits.

    `unpriced` counts, by meter, the steps without a known weight. `problems` name what was unreadable in the events, or
    unknown. `tokens_per_min` is all tokens since the first step, and those not read from a cache; None without any
    tokens. `binding` names the meter that would stop steps like the last ones first.
    """

    plan: str
    at: datetime
    estimates: tuple[Estimate, ...]
    held: tuple[PastWindow, ...]
    blocked: tuple[Blocked, ...]
    admitted: int
    forecasts: Mapping[str, forecast.Forecast]
    peaks: Mapping[str, tuple[Decimal, datetime | None]]
    unpriced: Mapping[str, int]
    unmapped: tuple[Reading, ...] = ()
    costs: money.Tally = field(default_factory=money.Tally)
    problems: tuple[str, ...] = ()
    tokens_per_min: tuple[Decimal, Decimal] | None = None
    binding: str | None = None


def replay(plan: Plan, events: Sequence[Event], at: datetime | None = None) -> Replayed:
    """Run events through a plan up to `at`, by default the last event's instant.

    Time is linear in events and meters. Raises ConfigError if there is neither an event nor an instant.
    """
    if at is None:
        if not events:
            raise ConfigError("There are no events to replay.", "Give events, or an instant with --at.")
        at = max(event.arrived for event in events)
    known = [event for event in events if event.arrived <= at]
    gauges = [Gauge(plan.name, meter, plan.currencies) for meter in plan.meters]
    told: list[list[Reading]] = [
        accepted(about(plan, meter, [each for event in known for each in event.readings])) for meter in plan.meters
    ]
    steps = sorted(_last_words(known), key=lambda each: each.arrived)
    places = [0] * len(gauges)
    blocked: list[Blocked] = []
    burns: dict[str, list[tuple[datetime, Decimal]]] = {meter.name: [] for meter in plan.meters}
    costs: list[Cost] = []
    lately: deque[Burn] = deque(maxlen=LATELY)
    tokens: list[tuple[datetime, TokenUsage]] = []
    admitted = 0
    for event in steps:
        burn = event.burn
        if burn is None:
            continue
        for index, gauge in enumerate(gauges):
            places[index] = _tell(gauge, told[index], places[index], burn.at)
        mine = [gauge for gauge in gauges if gauge.meter.counts(burn.model, burn.feature)]
        if burn.client:  # the other client's step went through, whatever the meters say
            for gauge in mine:
                if not gauge.meter.per_app:
                    gauge.burn(burn)
            continue
        lately.append(burn)
        parts = [burn]
        while parts:
            part = parts.pop()
            refusal = _refusal(mine, part, event.line)
            if refusal is not None and part.steps > 1:
                one = _refusal(mine, part.cut(1)[0], event.line)
                if one is None:  # some of several steps have room
                    parts += reversed(part.cut(part.steps // 2))
                    continue
                refusal = replace(one, need=refusal.need, steps=part.steps)
            if refusal is not None:
                blocked.append(refusal)
                continue
            admitted += part.steps
            if part.usage.total:
                tokens.append((part.at, part.usage))
            for gauge in mine:
                if (amount := gauge.burn(part)) is not None:
                    burns[gauge.meter.name].append((part.at, amount.point))
            if event.cost is not None:
                costs.append(event.cost if part is burn else part.cost)
    for index, gauge in enumerate(gauges):
        _tell(gauge, told[index], places[index], at)
        gauge.lately = tuple(lately)
    estimates = standing(gauges, at)
    said = [each for event in known for each in event.readings]
    return Replayed(
        plan.name,
        at,
        estimates,
        tuple(sorted((each for gauge in gauges for each in gauge.held), key=lambda each: each.start or at)),
        tuple(blocked),
        admitted,
        {each.meter: forecast.forecast(each, at, burns[each.meter]) for each in estimates},
        {gauge.meter.name: (gauge.peak, gauge.peak_at) for gauge in gauges},
        {gauge.meter.name: gauge.unpriced for gauge in gauges if gauge.unpriced},
        tuple(unmapped(plan, said)),
        money.tally(costs),
        (
            *(f"line {event.line}: {note}" for event in known for note in event.notes),
            *(f"{each.meter}: {words}" for each in estimates for words in each.doubts),
        ),
        forecast.token_rates(tokens, tokens[0][0], at) if tokens else None,
        first.meter if (first := binding(estimates, needs=needs(gauges))) is not None else None,
    )


def _last_words(events: Iterable[Event]) -> list[Event]:
    """Return each step once, as its last line tells it; leave out those that were not billed."""
    found: list[Event] = []
    named: dict[str, Event] = {}
    for event in events:
        if not event.id:
            found.append(event)
        elif (before := named.get(event.id)) is None:
            named[event.id] = event
        else:
            at = min(before.arrived, event.arrived)
            burn = event.burn._replace(at=at) if event.burn is not None else None
            named[event.id] = replace(event, arrived=at, burn=burn)
    return [event for event in (*found, *named.values()) if event.burn is not None]


def _tell(gauge: Gauge, told: list[Reading], place: int, until: datetime) -> int:
    while place < len(told) and told[place].at <= until:
        gauge.read(told[place])
        place += 1
    return place


def _refusal(gauges: Sequence[Gauge], burn: Burn, line: int) -> Blocked | None:
    needs = {gauge.meter.name: need for gauge in gauges if (need := gauge.need(burn)) is not None}
    found = forecast.admit(gauges, needs, burn.at, burn.model, burn.feature)
    if found.admitted:
        return None
    gauge = next(each for each in gauges if each.meter.name == found.meter)
    need = needs[found.meter] if gauge.amount(burn) is not None else None
    return Blocked(
        burn.at, found.meter, found.at, need, gauge.remaining(burn.at), burn.model, found.blocked,
        found.never, line, burn.steps,
    )  # fmt: skip


def replayed_json(found: Replayed) -> dict[str, Any]:
    """Return the JSON of `wattson plans replay`: `meters` at `at`, closed `windows` with the same keys, `blocked`."""
    return {
        "plan": found.plan,
        "at": instant(found.at),
        "binding": found.binding,
        "admitted": found.admitted,
        "meters": [
            {
                **as_json(each),
                "forecast": {**forecast.forecast_json(found.forecasts[each.meter]),
                             "text": forecast.phrase(found.forecasts[each.meter], now=found.at)},
                "peak": number(found.peaks[each.meter][0]),
                "peak_at": instant(found.peaks[each.meter][1]),
            }
            for each in found.estimates
        ],
        "windows": [held_json(each) for each in found.held],
        "blocked": [
            {
                "at": instant(each.at), "meter": each.meter, "until": instant(each.until), "need": number(each.need),
                "remaining": number(each.remaining), "model": each.model or None, "meters": list(each.meters),
                "never": each.never, "line": each.line,
            }
            for each in found.blocked
        ],
        "unmapped": [{"meter": each.meter, "raw": each.raw} for each in found.unmapped],
        "costs": {
            "amounts": {name: str(value) for name, value in found.costs.amounts.items()}, "unpriced": found.costs.unpriced,
            "included": found.costs.included, "free": found.costs.free, "text": str(found.costs),
        },
        "tokens_per_min": None if found.tokens_per_min is None else dict(
            zip(("all", "without_cache_reads"), (number(round(each, 3)) for each in found.tokens_per_min), strict=True)
        ),
        "problems": list(found.problems),
    }  # fmt: skip


def _amount(each: Estimate, value: Decimal | None) -> str:
    return wording.amount(value, each.unit, each.currency)


def _unit(unit: str) -> str:
    return "" if unit in {"money", "percent"} else f" {unit}"


def rendered(found: Replayed) -> str:
    """Return the result as text for people."""
    lines = [
        f"{found.plan} at {found.at:%Y-%m-%d %H:%M} UTC: {found.admitted} steps held, {sum(each.steps for each in found.blocked)} blocked"
    ]
    currencies = {each.meter: each.currency for each in found.estimates}
    for each in found.estimates:
        share = f" ({percent(each.percent)})" if each.percent is not None else ""
        limit = each.limit if isinstance(each.limit, str) else _amount(each, each.limit)
        reset = f", resets {each.resets_at:%Y-%m-%d %H:%M:%S}" if each.resets_at else ""
        others = f", other clients {_amount(each, each.foreign)}" if each.foreign else ""
        words = forecast.phrase(found.forecasts[each.meter], now=found.at)
        said = _amount(each, None if each.is_unplaced else each.used)
        if each.doubts and each.low is not None and each.low != each.used:
            said = f"{_amount(each, each.low)} to {said}"
            share = (
                share.replace("(", f"({percent(each.low * 100 / each.limit)} to ")
                if isinstance(each.limit, Decimal)
                else ""
            )
        said = f"{said} + {each.unpriced} unpriced" if each.unpriced else said
        lines.append(
            f"  {each.meter:<12} {said} of {limit}{_unit(each.unit)}{share}  {each.state.replace('_', ' ')}{reset}{others}"
            f"  [{each.source}, {each.confidence}]{'  ' + words if words else ''}"
        )
    lines += [
        f"  {each.meter:<12} {each.start:%Y-%m-%d %H:%M} to {each.end:%Y-%m-%d %H:%M} held {wording.amount(each.used, each.unit, currencies.get(each.meter, ''))}{_unit(each.unit)}"
        f"{f' + {each.unpriced} unpriced' if each.unpriced else ''}"
        for each in found.held
        if each.start is not None and each.end is not None
    ]
    for refusal in found.blocked[:20]:
        until = f"until {refusal.until:%Y-%m-%d %H:%M}" if refusal.until else "nobody knows until when"
        until = "for ever" if refusal.never else until
        lines.append(f"  blocked {refusal.at:%Y-%m-%d %H:%M:%S} by {refusal.meter} {until}")
    if len(found.blocked) > 20:
        lines.append(f"  and {len(found.blocked) - 20} more blocked")
    lines += [f"  not understood: {reading.meter} {reading.raw}" for reading in found.unmapped]
    lines += [f"  {words}" for words in found.problems]
    return "\n".join(lines)
