"""What one's own history says: which plans would have held it, what an accepted line cost, the same again as events."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime

    from assistant.models.catalogue import Catalogue
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


def by_token(totals: Iterable[Total], catalogue: Catalogue) -> list[Row]:
    """Return rows of what other clients burnt, with the list price of its hour where no client said what it cost.

    Keys of `totals` begin with provider, model, day and hour of the user's, which are left off. Where long prompts cost
    more, the price of an hour is that of its mean prompt, exact for a request alone: which of several were long, no sum tells.
    """
    from datetime import datetime, time

    from assistant.models import price
    from assistant.quota import history

    found, models = [], {}
    for total in totals:
        provider, name, day, hour, *key = total.key
        if (provider, name) not in models:
            models[provider, name] = _listed(catalogue, provider, name)
        model = models[provider, name]
        rate = None
        if model is not None and total.status == "unknown":
            about = datetime.combine(datetime.fromisoformat(day), time(int(hour), 30)).astimezone()
            rate = price.price_at(model, about, round(total.usage.total_input / max(1, total.steps)))
        priced = total._replace(key=tuple(key))
        if rate is not None:
            priced = priced._replace(status="metered", currency=rate.currency, amount=rate.amount(total.usage))
        found.append(priced)
    return history.rows(found)


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
