"""What one's own history says: which plans would have held it, what an accepted line cost, the same again as events."""

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
    from assistant.quota.plan import Plan
    from assistant.quota.replay import Replayed
    from assistant.quota.tariff import Burn

_STEPWISE, _FINELY = timedelta(days=1), timedelta(days=7)
_RELEASED = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d)$|-latest$")


def replayed(plan: Plan, ledger: Ledger, now: datetime, at: datetime | None = None) -> Replayed:
    """Run each step that was ever burnt here through a plan, up to `at`, the last one's instant where it is None.

    What was not billed is left out. A million rows of the book take a tenth of the time where no step need be followed.
    Raises ConfigError where there is neither a step nor an instant.
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
    """Return the first of so many days up to the newest on which something was `burnt`, and the instants at which they begin and end.

    What lies behind tomorrow is of a clock that went wrong, and counts for nothing.
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
    """Say how each plan would have held what was burnt; those that held most come first. Practice does not count.

    `theirs` is what other clients burnt, `paid` rows whose money is what all of it cost by the token, `between` the first
    instant and the end of it. The last day is
    tried step by step, the week by quarters of an hour, what lies before by the hour.
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
    """Add up what other clients burnt of a model in one hour, of what lies before `until`, as if it had been us."""
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
"""What sums of other clients must be taken by, so that `by_token` knows their price."""


def by_token(totals: Iterable[Total], catalogue: Catalogue) -> list[Row]:
    """Return rows of what other clients burnt, with the list price of its hour where no client said what it cost.

    Keys of `totals` begin with those of `PRICED_BY`, which are left off. Where a sum may hold requests of different prices
    (what an older version kept tells only the user's hour, and not which prompts were long), or a holiday calendar is
    missing, what it comes to is an estimate, and its steps are inexact.
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
    """Return a size of prompt that has the price of all that were added up; minus their mean where they may have had several."""
    mean = round(total.usage.total_input / max(1, total.steps))
    most = total.usage.total_input - (total.steps - 1) * above
    most = min(most, upto or most)
    sizes = [size for size in price_sizes(model) if above < size < most]
    return max(1, above + 1, mean) if total.steps <= 1 or not sizes else -max(1, mean)


def _rate(model: Model, when: Sequence[str], size: int) -> tuple[Price | None, bool]:
    """Return the price in an hour of prompts of a size, and whether it is sure to be that of all of them.

    `when` is the day and the hour of the user's, the hour of UTC where it is known, and the service tier.
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
    """Return the sizes of prompts, in order, above which a model costs otherwise."""
    return tuple(sorted({each.above for each in model.prices if each.above}))


def sizes_of(catalogue: Callable[[], Catalogue]) -> Callable[[str, str], tuple[int, ...]]:
    """Return what `Imports.run` asks for the sizes of prompts that prices hang on. The catalogue is read when it is asked first."""

    def sizes(provider: str, name: str) -> tuple[int, ...]:
        model = _listed(catalogue(), provider, name)
        return price_sizes(model) if model is not None else ()

    return sizes


_SELLERS = {
    "google": "gemini", "amazon-bedrock": "bedrock", "moonshotai": "kimi", "moonshotai-cn": "kimi-cn", "alibaba": "qwen",
    "alibaba-cn": "qwen-cn", "zhipuai": "bigmodel",
}  # fmt: skip
"""Our names of providers that other clients call otherwise."""


def _listed(catalogue: Catalogue, provider: str, name: str) -> Model | None:
    """Find a model as a log names it: often with the date of its release behind, which pages leave off."""
    provider = _SELLERS.get(provider, provider)
    if provider not in catalogue.providers:
        return None
    names = {name, _RELEASED.sub("", name)}
    listed = catalogue.providers[provider].models
    return next((model for model in listed if names & {model.id, *model.aliases}), None)


def yields(ledger: Ledger, since: date | None = None, *, project: str = "") -> list[Yield]:
    """Say for each model what its edits came to and what an accepted line cost, the cheapest first."""
    from assistant.quota import history

    by = ("provider", "model")
    only = {"project": project} if project else {}
    costs = history.rows(ledger.sums.totals(by, since=since, until=None, **only))
    return history.yields(ledger.sums.yields(by, since=since, until=None, **only), costs)
