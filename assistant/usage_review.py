"""What the user's own history tells: which plans would have held it, the cost of an accepted line, and its replay."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import date, datetime

    from assistant.models.catalogue import Catalogue
    from assistant.models.price import Price
    from assistant.models.provider import Model
    from assistant.quota.advice import Fit
    from assistant.quota.entry import Total
    from assistant.quota.history import Row, Yield
    from assistant.quota.ledger import Ledger
    from assistant.quota.replay import Replayed
    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Plan

_STEPWISE, _FINELY = timedelta(days=1), timedelta(days=7)
_RELEASED = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d)$|-latest$")


def replayed(plan: Plan, ledger: Ledger, now: datetime, at: datetime | None = None) -> Replayed:
    """Run every step in the ledger through a plan, up to `at`, by default the last step's instant.

    Steps that were not billed are left out. If no step need be followed by itself, a million rows take a tenth of the
    time. Raises ConfigError if there is neither a step nor an instant.
    """
    from assistant.quota.event import Event
    from assistant.quota.meter import burn_of
    from assistant.quota.replay import replay
    from assistant.quota.wholesale import wholesale

    burns = ledger.spans.steps()
    ledger.store.must_see()
    if burns and burns[-1].at > now:  # a clock was set back
        burns = [burn for each in burns if (burn := burn_of(each, now)) is not None]
    at = burns[-1].at if burns and at is None else at
    found = wholesale(plan, [burn for burn in burns if burn.at <= at], at) if at is not None else None
    return found or replay(plan, [Event(burn.at, burn, cost=burn.cost) for burn in burns], at)


def span(burnt: Collection[str], days: int, now: datetime) -> tuple[date, datetime, datetime] | None:
    """Return the first of the `days` days that end with the newest in `burnt`, and the instants of begin and end.

    Days after tomorrow come from a clock that was wrong, and are ignored.
    """
    from datetime import date, datetime, time

    last = (now + timedelta(days=1)).astimezone().date().isoformat()
    newest_day = max((day for day in burnt if day <= last), default="")
    if not newest_day:
        return None
    newest = date.fromisoformat(newest_day)
    first = newest - timedelta(days=min(days, newest.toordinal()) - 1)
    begin, end = (datetime.combine(day, time()).astimezone() for day in (first, newest + timedelta(days=1)))
    return first, begin, end


def advice(
    ledger: Ledger,
    theirs: Sequence[Burn],
    plans: Iterable[Plan],
    now: datetime,
    paid: Iterable[Row],
    between: Sequence[datetime],
) -> list[Fit]:
    """Say how well each plan would have held what was burnt, the best first. Practice does not count.

    `theirs` is the burn of other clients; `paid` are rows that hold the cost of all of it by the token; `between` is
    the first instant and the end. The last day is tried step by step, the week by quarters of an hour, earlier burns by
    the hour.
    """
    from assistant.quota import advice, history, money

    able = [plan for plan in plans if "scripted" not in plan.default_for]
    first, end = between
    week, day = max(first, end - _FINELY), max(first, end - _STEPWISE)
    burns = [
        *ledger.spans.gathered(60, first, week),
        *ledger.spans.gathered(15, week, day),
        *ledger.spans.steps(day, without="practice"),
        *_by_hour(theirs, week),
    ]
    if any(burn.at > now for burn in burns):  # a clock was set back
        from assistant.quota.meter import burn_of

        burns = [burn for each in burns if (burn := burn_of(each, now)) is not None]
    if not burns:
        return []
    cost = history.whole(paid)
    costs = money.Tally(cost.money, cost.unpriced, cost.included, cost.free)
    return advice.compare(able, burns, now, costs, ("prompts",) if theirs else ())


def _by_hour(burns: Iterable[Burn], until: datetime) -> list[Burn]:
    """Add up other clients' burns before `until` by hour and model, and return them all as if they were our own."""
    found: list[Burn] = []
    hours: dict[tuple[int, str, str], Burn] = {}
    for burn in (each._replace(client="") for each in burns):
        key = (int(burn.at.timestamp()) // 3600, burn.model, burn.cost.status + burn.cost.currency)
        before = hours.get(key)
        if burn.at >= until:
            found.append(burn)
        elif before is None:
            hours[key] = burn
        else:
            paid = None if burn.cost.amount is None else burn.cost.amount + (before.cost.amount or 0)
            hours[key] = before._replace(
                usage=before.usage + burn.usage, cost=burn.cost._replace(amount=paid), steps=before.steps + burn.steps,
                requests=before.requests + burn.requests, prompts=before.prompts + burn.prompts,
            )  # fmt: skip
    return [*hours.values(), *found]


PRICED_BY = ("provider", "model", "day", "hour", "utc", "tier", "above", "upto")
"""The keys by which sums of other clients must be grouped, so that `by_token` can price them."""


def by_token(totals: Iterable[Total], catalogue: Catalogue) -> list[Row]:
    """Return rows of other clients' burn, with the list price of its hour where no client stated the cost.

    Keys of `totals` begin with those of `PRICED_BY`, which are dropped. The amount is an estimate, and its steps are
    inexact, if a sum may mix requests of different prices (older versions kept only the user's hour, and not which
    prompts were long), or if a holiday calendar is missing.
    """
    from assistant.quota import history

    found, models = [], {}
    rates: dict[tuple[str, ...], tuple[Price | None, bool]] = {}
    for total in totals:
        where, key = total.key[: len(PRICED_BY)], total.key[len(PRICED_BY) :]
        provider, name, *when = where
        if (provider, name) not in models:
            models[provider, name] = _listed(catalogue, provider, name)
        model, priced = models[provider, name], total._replace(key=key)
        if model is not None and total.status == "unknown":
            size = _size(model, int(when[4]), int(when[5]), total)
            told = (provider, name, *when[:4], str(size))
            if told not in rates:
                rates[told] = _rate(model, when, size)
            rate, alike = rates[told]
            if rate is not None:
                priced = priced._replace(status="metered", currency=rate.currency, amount=rate.amount(total.usage),
                                         inexact=0 if alike and size > 0 else total.steps)  # fmt: skip
        found.append(priced)
    return history.rows(found)


def _size(model: Model, above: int, upto: int, total: Total) -> int:
    """Return a prompt size with the price of all requests of a sum; minus their mean size if prices may differ."""
    mean = round(total.usage.total_input / max(1, total.steps))
    most = total.usage.total_input - (total.steps - 1) * above
    most = min(most, upto or most)
    sizes = [size for size in price_sizes(model) if above < size < most]
    return max(1, above + 1, mean) if total.steps <= 1 or not sizes else -max(1, mean)


def _rate(model: Model, when: Sequence[str], size: int) -> tuple[Price | None, bool]:
    """Return the price of prompts of a size in an hour, and whether it surely holds for all of them.

    `when` is the user's day and hour, the UTC hour if known, and the service tier.
    """
    from datetime import UTC, datetime, time

    from assistant.models import price

    day, hour, utc, tier = when[:4]
    begin = datetime.combine(datetime.fromisoformat(day), time(int(hour))).astimezone()
    if int(utc) >= 0:
        begin = datetime.fromtimestamp(int(utc) * 3600, UTC)
    first, half, last = (
        price.prices_at(model, begin + timedelta(seconds=after), abs(size), service_tier=tier)
        for after in (0, 1800, 3599)
    )
    return half[-1] if half else None, first == half == last and len(half) == 1


def price_sizes(model: Model) -> tuple[int, ...]:
    """Return the prompt sizes, in order, above which a model's price changes."""
    return tuple(sorted({each.above for each in model.prices if each.above}))


def sizes_of(catalogue: Callable[[], Catalogue]) -> Callable[[str, str], tuple[int, ...]]:
    """Return the function that tells `Imports.run` at which prompt sizes prices change; it loads the catalogue late."""

    def sizes(provider: str, name: str) -> tuple[int, ...]:
        model = _listed(catalogue(), provider, name)
        return price_sizes(model) if model is not None else ()

    return sizes


def _listed(catalogue: Catalogue, provider: str, name: str) -> Model | None:
    """Find a model by its name in a log: often followed by the date of its release, which pages leave off."""
    from assistant.quota.imports import provider_names

    provider = provider_names().get(provider, provider)
    if provider not in catalogue.providers:
        return None
    names = {name, _RELEASED.sub("", name)}
    listed = catalogue.providers[provider].models
    return next((model for model in listed if names & {model.id, *model.aliases}), None)


def yields(ledger: Ledger, since: date | None = None, *, project: str = "") -> list[Yield]:
    """Return for each model what became of its edits and the cost of an accepted line, the cheapest first."""
    from assistant.quota import history

    by = ("provider", "model")
    only = {"project": project} if project else {}
    costs = history.rows(ledger.sums.totals(by, since=since, until=None, **only))
    return history.yields(ledger.sums.yields(by, since=since, until=None, **only), costs)
