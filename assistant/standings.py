"""The plan board as plain rows: all plans and balances of the user at once, with what is known and what is not.

A plan is the user's if the config names it, if a key of a provider that it pays is there, if something was burnt on it,
or if there is a reading of it. This module asks nobody: it shows what is stored. The faces draw it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from assistant.accounts import Accounts
    from assistant.config import Config
    from assistant.models.catalogue import Pick
    from assistant.models.provider import Provider
    from assistant.quota.estimate import Estimate
    from assistant.quota.forecast import Forecast
    from assistant.quota.hint import Hint
    from assistant.quota.history import Row
    from assistant.quota.reading import Reading
    from assistant.quota.terms import Plan
    from assistant.roster import Roster

_WEEK = timedelta(days=6)


class Standing(NamedTuple):
    """One plan, or one provider that is paid without a plan.

    `meters` come with their forecasts, the binding one first. `unmapped` are limits that the provider reported and the
    plan does not know: they are shown raw. `pace` are limits per minute, from the last answer. `week` is the burn of
    the last seven days in our own ledger. `notes` say what is unknown, outdated, forbidden or went wrong. `hint` says
    when the same work is cheaper.
    """

    name: str
    title: str
    providers: tuple[str, ...]
    present: bool = False
    meters: tuple[tuple[Estimate, Forecast], ...] = ()
    unmapped: tuple[Reading, ...] = ()
    pace: tuple[Reading, ...] = ()
    week: Row | None = None
    notes: tuple[str, ...] = ()
    hint: Hint | None = None
    plan: Plan | None = None


def board(accounts: Accounts, roster: Roster, config: Config, now: datetime, *, every: bool) -> list[Standing]:
    """Return a standing for each plan of the user; with `every`, for all known plans; and for each provider without one.

    Those are shown for which there is a key, or a plan in the config. The present model's comes first, then the plans
    nearest to their end. Reads the ledger: call it in a thread.
    """
    pick = roster.pick
    found_here = [each.provider for each in roster.found()]
    found_here += [roster.catalogue.providers[name] for name in config.plans if name in roster.catalogue.providers]
    sellers = {each.name: each for each in found_here or roster.practice()}
    paid: dict[str, list[Provider]] = {}
    bare: list[Provider] = []
    if pick is not None:
        sellers.setdefault(pick.provider.name, pick.provider)
    for provider in sellers.values():
        plan = accounts.plan_of(provider.name)
        if plan is not None:
            paid.setdefault(plan.name, []).append(provider)
        else:
            bare.append(provider)
    for name in (
        *accounts.used_plans(),
        *accounts.told_plans(),
        *accounts.named_plans(),
        *(accounts.plans if every else ()),
    ):
        if name in accounts.plans:
            paid.setdefault(name, [])
    found = [_of_plan(accounts, accounts.plans[name], sold_by, pick, now) for name, sold_by in paid.items()]
    found += [_of_provider(accounts, provider, pick, now) for provider in bare]
    return sorted(found, key=lambda each: (not each.present, -_urgency(each), each.title))


def _urgency(standing: Standing) -> float:
    """Return how near a plan is to its end: highest if a meter has run out, lowest if there are only counts."""
    if not standing.meters:
        return -2.0
    first = standing.meters[0][0]
    return 9.0 if first.state == "exhausted" else first.share if first.share is not None else -1.0


def _of_plan(
    accounts: Accounts, plan: Plan, providers: Sequence[Provider], pick: Pick | None, now: datetime
) -> Standing:
    from assistant.quota import meter

    present = pick is not None and any(each.name == pick.provider.name for each in providers)
    model = pick.model.id if pick is not None and present else ""
    estimates = accounts.estimates(plan, model)
    said = accounts.readings(plan)
    notes = [
        *_terms(plan, now),
        *accounts.unpaid_by(plan),
        *_keys(accounts, plan, said),
        *(note for each in providers for note in accounts.poll_notes(each)),
    ]
    return Standing(
        plan.name,
        plan.title,
        tuple(each.name for each in providers),
        present,
        tuple(zip(estimates, accounts.forecasts(plan, estimates), strict=True)),
        tuple(meter.unmapped(plan, said)),
        _pace(accounts, providers),
        accounts.burnt_since((now - _WEEK).astimezone().date(), plan=plan.name),
        tuple(notes),
        _hint(accounts, plan, pick, now) if present else None,
        plan,
    )


def _of_provider(accounts: Accounts, provider: Provider, pick: Pick | None, now: datetime) -> Standing:
    payer = accounts.payer(provider)
    present = pick is not None and pick.provider.name == provider.name
    notes = list(accounts.poll_notes(provider))
    if missing := accounts.missing(provider.name):
        notes.append(missing)
    elif payer == "plan":
        host = urlsplit(provider.base_url).netloc
        able = sorted(plan.name for plan in accounts.plans.speaking(host) if _serves(plan, host))
        names = f"one of {', '.join(able)}" if able else "see `wattson plans --all`"
        notes.append(
            f'Which plan is yours is not known. Say it in your config: [plans] {provider.name} = "..." ({names})'
        )
    else:
        notes.append({
            "metered": "paid for each token; no quota is known",
            "free": "free", "local": "free: it runs on this machine", "practice": "practice",
        }.get(payer, "prepaid; the balance is not known"))  # fmt: skip
    return Standing(
        provider.name,
        provider.title,
        (provider.name,),
        present,
        pace=_pace(accounts, (provider,)),
        week=accounts.burnt_since((now - _WEEK).astimezone().date(), provider=provider.name),
        notes=tuple(notes),
        hint=_hint(accounts, None, pick, now) if present else None,
    )


_TYPICAL = TokenUsage(fresh_input=6_000, cache_read=274_000, output=1_000)
"""A typical step of a long talk with an agent: nearly all of it is read from the cache."""


def _hint(accounts: Accounts, plan: Plan | None, pick: Pick | None, now: datetime) -> Hint | None:
    """Say when the present model is cheaper: by the weights of its plan, or by the hours of its token price."""
    from assistant.quota import hint

    if pick is None:
        return None
    model = pick.model
    if accounts.payer(pick.provider) == "plan":
        meters = [each for each in plan.meters if each.counts(model.id)] if plan is not None else []
        found = [each for meter in meters if (each := hint.cheaper_in_plan(meter, model.id, now)) is not None]
        return min(found, key=lambda each: each.part, default=None)
    from assistant.models import price

    zone = next((hours.zone for each in reversed(model.prices) for hours in each.hours if each.since <= now), "UTC")

    def cost_at(at: datetime) -> Decimal | None:
        found = price.price_at(model, at)
        return found.amount(_TYPICAL) if found is not None else None

    return hint.cheaper(cost_at, now, zone=zone) if any(each.hours for each in model.prices) else None


def _serves(plan: Plan, host: str) -> bool:
    """Say whether a plan may be the one that pays a provider: same host, and not the default plan of some provider."""
    hosts = {urlsplit(each).netloc for each in plan.addresses.values()}
    return host in hosts and not plan.default_for


def _pace(accounts: Accounts, providers: Iterable[Provider]) -> tuple[Reading, ...]:
    heard = [accounts.hearings[each.name] for each in providers if each.name in accounts.hearings]
    return tuple(reading for hearing in heard for reading in hearing.pace)


def _keys(accounts: Accounts, plan: Plan, said: Sequence[Reading]) -> list[str]:
    """Say that figures of other keys of a plan are left out; `said` are the readings that are shown."""
    shown = {each.account for each in said if each.account}
    others = len({each.account for each in accounts.said(plan) if each.account} - shown)
    if not others:
        return []
    if not accounts.marks(plan):
        return [f"shown is the key that was used last; figures of {others} more are left out"]
    silent = "" if shown else "; of this key nobody has said anything yet"
    return [f"each key is an account: figures of {others} other key{'s' if others > 1 else ''} are left out{silent}"]


def _terms(plan: Plan, now: datetime) -> list[str]:
    """Return the notes of a plan's page, what its terms do not allow, and how old our knowledge of it is."""
    notes = [plan.note] if plan.note else []
    if not plan.may_send:
        notes.append(f"shown only: its terms exclude other programs ({plan.client_source})")
    elif plan.client == "listed_tools":
        notes.append(f"its terms name the tools it is for: {plan.client_source}")
    if words := plan.staleness(now.date()):
        notes.append(words)
    if plan.reader == "claude_statusline":
        notes.append(f"`wattson plans tell {plan.name} -` takes what Claude Code hands to a status line's command")
    if plan.usage_page and not plan.reader.strip():
        notes.append(f"the vendor shows it at {plan.usage_page}")
    return notes


def as_json(standing: Standing) -> dict[str, Any]:
    """Return a standing with the keys that scripts rely on."""
    from assistant.quota import estimate, forecast, history

    return {
        "plan": standing.plan.name if standing.plan else None,
        "title": standing.title,
        "providers": list(standing.providers),
        "present": standing.present,
        "meters": [
            {**estimate.as_json(each), "forecast": {**forecast.forecast_json(ahead), "text": forecast.phrase(ahead)}}
            for each, ahead in standing.meters
        ],
        "unmapped": [{"meter": each.meter, "raw": each.raw} for each in standing.unmapped],
        "pace": [
            {"meter": each.meter, "limit": estimate.number(each.limit), "remaining": estimate.number(each.remaining)}
            for each in standing.pace
        ],
        "week": history.as_json(standing.week, ()) if standing.week is not None else None,
        "notes": list(standing.notes),
        "hint": str(standing.hint) if standing.hint else None,
    }
