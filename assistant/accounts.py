"""What was used and what is left: the ledger, the plans and the meters of one sitting.

Accounts know what was burnt and who is paid; Payers decide which model is asked. No file is opened before it is needed.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import payers, record, tokens
from assistant.errors import ConfigError, StateError
from assistant.lazy import made
from assistant.other_clients import OtherClients
from assistant.outcomes import Outcomes
from assistant.status_line import StatusLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from assistant.config import Config, Places
    from assistant.models.catalogue import Pick
    from assistant.models.client import Client
    from assistant.models.provider import Payer, Provider
    from assistant.payers import Payers
    from assistant.quota.entry import Entry
    from assistant.quota.estimate import Estimate
    from assistant.quota.forecast import Forecast
    from assistant.quota.gauge import Gauge
    from assistant.quota.history import Row
    from assistant.quota.ledger import Ledger
    from assistant.quota.plan import Plans
    from assistant.quota.reading import Reading
    from assistant.quota.terms import Plan
    from assistant.readings import Hearing, Polled, Poller
    from assistant.receipts import Owed, Receipts
    from assistant.tokens import Cost, TokenUsage

_OUTPUT_GUESS = 700
"""The length of an answer, in tokens, that is assumed before this session has seen one."""
_HEARD = timedelta(days=40)
"""How far back readings are read at most: a month, and a margin that covers the end of the month before."""


class Correction(NamedTuple):
    """A model call that was counted by an estimate, with its real usage and cost."""

    owed: Owed
    usage: TokenUsage
    cost: Cost


class Accounts:
    """The accounts of one sitting. `usage`, `costs` (by currency) and `unpriced` (steps) are this sitting's burn."""

    def __init__(
        self,
        paid_by: Payers,
        session: str,
        *,
        places: Places,
        config: Config,
        client: Callable[[], Client],
        now: Callable[[], datetime],
    ) -> None:
        self.usage = tokens.TokenUsage()
        self.costs: dict[str, Cost] = {}
        self.unpriced = 0
        self._guessed: list[TokenUsage] = []
        self._payers = paid_by
        self.session = session
        self._places = places
        self._config = config
        self._now = now
        self._outputs: list[int] = []
        self._usual: dict[tuple[str, str], int] = {}
        self._gauges: dict[str, list[Gauge]] = {}
        self._lenient = False
        self.polled: dict[str, Polled] = {}
        self.hearings: dict[str, Hearing] = {}
        self.other_clients = OtherClients(places.data)
        self.outcomes = Outcomes(lambda: self.ledger, session, now)
        self.status_line = StatusLine(places.data, lambda: self.ledger, self._binding, paid_by.known, now)
        self._client = client

    @cached_property
    def ledger(self) -> Ledger:
        """Our own book of what was burnt."""
        from assistant.locked import alive
        from assistant.quota.ledger import Ledger

        ledger = Ledger(self._places.data / "ledger.sqlite", zone=None)  # days in the user's zone
        ledger.recover(self._now(), alive)
        return ledger

    @cached_property
    def plans(self) -> Plans:
        """All plans by name, built-in ones and the user's."""
        from assistant.quota.plan import load_plans

        return load_plans(self._places.config / "plans")

    def leave_out(self) -> list[ConfigError]:
        """Go on with the plans that are readable; return the errors in the pages of the others."""
        from assistant.quota.plan import load_plans

        wrong: list[ConfigError] = []
        self.plans = load_plans(self._places.config / "plans", wrong)
        self._lenient = True
        return wrong

    @cached_property
    def poller(self) -> Poller:
        """Asks providers for their quotas."""
        from assistant.readings import Poller

        return Poller(lambda: self.ledger.sources, self._client, self._now)

    @cached_property
    def receipts(self) -> Receipts:
        """Asks sellers for the real cost of answers whose cost was only estimated."""
        from assistant.receipts import Receipts

        return Receipts(self._client, self._now)

    def close(self) -> None:
        """Close the files."""
        self.other_clients.close()
        if made(self, "ledger"):
            self.ledger.close()

    # Who is paid.

    def plan(self, pick: Pick | None = None) -> Plan | None:
        """Return the plan or balance that pays for a model (by default the present one); None if there is none.

        Raises ConfigError when the user's config names a plan that does not exist.
        """
        pick = pick or self._payers.pick
        return self.plan_of(pick.provider.name) if pick is not None else None

    def plan_of(self, provider: str) -> Plan | None:
        """Return the plan or balance that pays a provider; None if there is none. Raises ConfigError.

        A plan that the config names but that cannot pay there (its terms, addresses or keys do not fit) is only shown:
        the provider's own plan, or else the key, pays.
        """
        name = self._config.plans.get(provider)
        if name is None:
            return self._natural(provider)
        if name not in self.plans:
            if self._lenient:
                return None
            every = (
                f"Choose one of: {', '.join(sorted(self.plans))}; or write plans/{name}.toml in {self._places.config}."
            )
            raise ConfigError(self.missing(provider), payers.near(name, [*self.plans], rest=every))
        plan = self.plans[name]
        words = self.unpaid(provider)
        if not words:
            return plan
        if words not in self.ledger.warnings:
            self.ledger.warnings.append(words)
        return self._natural(provider)

    def missing(self, provider: str) -> str:
        """Say that the plan which the config names for a provider is missing or unreadable; empty if it is there."""
        name = self._config.plans.get(provider)
        if name is None or name in self.plans:
            return ""
        return f"Your config names the plan {name!r} for {provider}, and there is none of that name that can be read."

    def misnamed(self) -> list[str]:
        """Return a sentence for each name in the config's `[plans]` that does not exist."""
        sellers = {*self._payers.sellers(), *self.other_clients.sellers()}
        return payers.misnamed(self._config.plans, [*self.plans], sellers)

    def unpaid(self, provider: str) -> str:
        """Say why the plan that the config names for a provider does not pay there; empty if it may pay."""
        plan = self.plans.get(self._config.plans.get(provider, ""))
        why = self._payers.unpaid(provider, plan) if plan is not None else ""
        return f"{plan.title} pays nothing here: {why}. The key of {provider} does." if plan is not None and why else ""

    def unpaid_by(self, plan: Plan) -> list[str]:
        """Return such a sentence for each provider for which the config names this plan and the plan does not pay."""
        named = [provider for provider, name in self._config.plans.items() if name == plan.name]
        return [words for provider in named if (words := self.unpaid(provider))]

    def _natural(self, provider: str) -> Plan | None:
        """Return the plan that belongs to a provider by default. Most have none: plans are loaded only if one may."""
        from assistant.quota import plan_files

        if not made(self, "plans") and not plan_files.pages(self._places.config / "plans", provider):
            return None
        return self.plans.natural(provider)

    # What was burnt, and what is left.

    def count(self, usage: TokenUsage, *costs: Cost) -> None:
        """Add the usage of a turn, and the cost of each of its steps, to this sitting."""
        self.usage += usage
        if not usage.exact:
            self._guessed.append(usage)
        self._pay(costs if usage.total else ())

    def recount(self, was: TokenUsage, was_cost: Cost, usage: TokenUsage, cost: Cost) -> None:
        """Replace the estimate that was counted for a call by its real usage and cost."""
        if not any(each.total >= was.total for each in self._guessed):
            return  # the call's turn was closed from outside: nothing of it was counted
        if was in self._guessed:  # the call was the whole turn; otherwise other calls of the turn are estimates too
            self._guessed.remove(was)
        if not usage.exact:
            self._guessed.append(usage)
        self.usage = (self.usage - was + usage)._replace(exact=not self._guessed)
        if was_cost.status == "unknown":
            self.unpriced = max(0, self.unpriced - 1)
        elif was_cost.amount and (before := self.costs.pop(was_cost.currency, None)):
            left = (before.amount or Decimal(0)) - was_cost.amount
            if left:
                self.costs[was_cost.currency] = before._replace(amount=left)
        self._pay((cost,))

    def _pay(self, costs: Sequence[Cost]) -> None:
        paid = self.paid(costs)
        self.unpriced = sum(cost.status == "unknown" for cost in paid)
        self.costs = {cost.currency: cost for cost in paid if cost.status != "unknown"}

    def paid(self, more: Sequence[Cost] = ()) -> tuple[Cost, ...]:
        """Return this sitting's cost with some more steps: a sum per currency, an unknown cost per unpriced step."""
        sums, unpriced = dict(self.costs), self.unpriced
        for cost in more:
            if cost.status == "unknown":
                unpriced += 1
            else:
                before = [sums[cost.currency]] if cost.currency in sums else []
                sums[cost.currency] = tokens.total_cost([*before, cost])
        return (*sums.values(), *[tokens.Cost("unknown")] * unpriced)

    def recall(self, burnt: Iterable[Mapping[str, Any]]) -> None:
        """Start from the burn of a resumed conversation, as `record.sums` wrote it; skip unreadable records."""
        self.usage, self.costs, self.unpriced, self._guessed = tokens.TokenUsage(), {}, 0, []
        for each in burnt:
            with suppress(KeyError, TypeError, ValueError, ArithmeticError):
                usage, before = record.usage_of(each), each.get("instead_of")
                if before is not None:
                    self.recount(record.usage_of(before), record.cost_of(before), usage, record.cost_of(each))
                    continue
                steps = each.get("steps")
                self.count(usage, *map(record.cost_of, steps if isinstance(steps, list) else [each]))
                self.learn(usage)

    def learn(self, usage: TokenUsage) -> None:
        """Remember the length of a turn's answer, to estimate the next ones."""
        if usage.exact and usage.total_output:
            self._outputs = [*self._outputs[-7:], usage.total_output]

    def usual_answer(self, provider: str, model: str) -> int:
        """Guess the length of a model's answer in tokens: the mean of the last ones here, else in the ledger.

        Reads the ledger.
        """
        if self._outputs:
            return sum(self._outputs) // len(self._outputs)
        key = provider, model
        if key not in self._usual:
            known = self.ledger.outputs(provider, model)
            self._usual[key] = sum(known) // len(known) if known else _OUTPUT_GUESS
        return self._usual[key]

    def meters(self) -> tuple[Estimate, ...]:
        """Return the present plan's meters, the binding one first; a step in flight counts with its estimate."""
        plan, pick = self.plan(), self._payers.pick
        return self._counting(plan, pick) if plan is not None and pick is not None else ()

    def _counting(self, plan: Plan, pick: Pick) -> tuple[Estimate, ...]:
        """Return the meters of a plan that count a model, the binding one first."""
        return tuple(each for each in self.estimates(plan, pick.model.id) if each.counts(pick.model.id))

    def estimates(self, plan: Plan, model: str = "") -> tuple[Estimate, ...]:
        """Return the meters of a plan as they stand now; the one that binds (for `model`, if given) comes first."""
        from assistant.quota import meter

        return meter.standing(self.gauges(plan), self._now(), model)

    def gauges(self, plan: Plan) -> list[Gauge]:
        """Return the gauges of a plan, fed with all burns and readings up to now."""
        from assistant.quota import meter, past

        now, said = self._now(), self.readings(plan)
        known = past.known(plan, self.ledger, self.other_clients, said, now)
        found = meter.gauges(plan, payers.own(known.burns, said, self.marks(plan)), now, said, known.begun)
        self._gauges[plan.name] = found
        return found

    def gauges_at_hand(self, plan: Plan) -> list[Gauge]:
        """Return the gauges of a plan as last computed: a quote asks for them while the user types."""
        return self._gauges.get(plan.name) or self.gauges(plan)

    def forecasts(self, plan: Plan, estimates: Iterable[Estimate]) -> list[Forecast]:
        """Return a forecast for each meter; a meter without a window is forecast from the burn of the last hours."""
        from assistant.quota import forecast, meter, past

        now = self._now()
        entries: Sequence[Entry] = ()
        if any(each.unit != "percent" for each in plan.meters):  # our steps do not tell how fast a percentage moves
            entries = self.ledger.entries(plan=plan.name, since=now - past.EXACT)
            entries = payers.own(entries, self.readings(plan), self.marks(plan))
        steps = [burn for each in entries if (burn := meter.burn_of(each, now))]
        found = []
        for each in estimates:
            known = next(one for one in plan.meters if one.name == each.meter)
            burns = [
                (step.at, amount.point)
                for step in steps
                if known.counts(step.model, step.feature) and (amount := known.amount(step)) is not None
            ]
            found.append(forecast.forecast(each, now, burns if each.unit == known.unit != "percent" else ()))
        return found

    def said(self, plan: Plan) -> list[Reading]:
        """Return all readings of a plan as far back as they matter, of all accounts, oldest first."""
        from assistant.quota import past

        return self.ledger.sources.heard(plan=plan.name, since=self._now() - past.heard(plan, _HEARD))

    def readings(self, plan: Plan) -> list[Reading]:
        """Return the readings of a plan's account at hand, oldest first: two keys are two accounts.

        If no key is at hand, or only its provider could tell, the account that spoke last is taken.
        """
        return payers.of_one(self.said(plan), self.marks(plan))

    def marks(self, plan: Plan) -> frozenset[str]:
        """Return the marks of the keys whose requests a plan pays now; empty if no key is at hand."""
        return payers.marks(self._payers, self._config.plans, plan)

    def listen(self, provider: Provider, key: str) -> Hearing:
        """Return a Hearing that reads a provider's quota from its answers."""
        plan_key = self._payers.payer(provider) == "plan"
        from assistant.readings import Hearing

        hearing = Hearing(
            lambda: self.ledger.sources, provider, key, self.plan_of(provider.name), plan_key=plan_key, now=self._now
        )
        self.hearings[provider.name] = hearing
        return hearing

    async def poll(self, provider: Provider, key: str, *, hurry: bool = False) -> Polled | None:
        """Ask a provider for its quota if that is possible and due; None if no reader can ask it."""
        import asyncio  # late, as in `settle_up`

        plan, past = await asyncio.to_thread(self._last_reset, provider)
        found = await self.poller.ask(provider, key, plan, hurry=hurry, resets_at=past)
        if found is not None and (found.count or found.note):
            self.polled[provider.name] = found
        if found is not None and found.count:
            await asyncio.to_thread(self.redraw_line)
        return found

    def _last_reset(self, provider: Provider) -> tuple[Plan | None, datetime | None]:
        """Return the plan that pays a provider, and the last reset that a reading of it told of."""
        plan, now = self.plan_of(provider.name), self._now()
        told = self.readings(plan) if plan is not None else []
        return plan, max((each.resets_at for each in told if each.resets_at and each.resets_at <= now), default=None)

    def can_ask(self, provider: Provider) -> bool:
        """Say whether some reader can ask for a provider's quota."""
        from assistant.readings import reader

        return reader(provider, self.plan_of(provider.name)) is not None

    async def settle_up(self) -> list[Correction]:
        """Ask sellers for costs that were only estimated; correct the ledger and the sums of this sitting.

        A call of an earlier sitting is corrected in the ledger only. A seller's failure raises nothing.
        """
        import asyncio  # a report that asks nobody must not load it

        from assistant.models import price

        found = []
        for owed, usage, paid, note in await self.receipts.ask():
            cost = price.cost(owed.pick.model, usage, owed.at, self.payer(owed.pick.provider), paid)
            try:
                await asyncio.to_thread(self.ledger.correct, owed.entry, usage=usage, cost=cost, note=note)
            except StateError as error:
                self.ledger.warnings.append(str(error))
                continue
            if owed.session == self.session:
                self.recount(owed.usage, owed.cost, usage, cost)
            found.append(Correction(owed, usage, cost))
        return found

    def payer(self, provider: Provider) -> Payer:
        """Say who pays a provider."""
        return self._payers.payer(provider)

    def used_plans(self) -> list[str]:
        """Name the plans of which something was burnt, by us or by other clients."""
        return list(dict.fromkeys([*self.ledger.sums.plans(), *self.other_clients.plans()]))

    def named_plans(self) -> list[str]:
        """Name the plans that the user's config names, including those that are only shown."""
        return list(self._config.plans.values())

    def told_plans(self) -> list[str]:
        """Name the plans of which there is a recent reading."""
        return self.ledger.sources.plans(since=self._now() - _HEARD)

    def burnt_since(self, day: date, **only: str) -> Row | None:
        """Return the burn since a day (in the user's zone), of all or of the given keys; None if there is none."""
        from assistant.quota import history

        found = history.rows(self.ledger.sums.totals(("day",), since=day, until=None, **only))
        return history.whole(found) if found else None

    def poll_notes(self, provider: Provider) -> list[str]:
        """Say what went wrong when a provider was last asked for its quota, if anything did."""
        polled = self.polled.get(provider.name)
        if polled is None or not polled.note:
            return []
        when = f"; asked again after {polled.next_at.astimezone():%H:%M}" if polled.next_at else ""
        return [f"{polled.note}{when}"]

    def wants_reading(self, pick: Pick) -> bool:
        """Say whether the payer should be asked for its quota now.

        It should when a refusal did not say which window it meant, or when an answer disproved that the binding window
        is used up. Reads the ledger: call it in a thread.
        """
        hearing, plan = self.hearings.get(pick.provider.name), self.plan(pick)
        if hearing is not None and hearing.signal is not None and hearing.signal.wants_reading:
            return True
        return plan is not None and any(each.wants_reading for each in self.estimates(plan, pick.model.id)[:1])

    def redraw_line(self) -> None:
        """Update the status line: there is a new reading of a plan."""
        self.status_line.redraw(self._config.model or "")

    def _binding(self, pick: Pick) -> Estimate | None:
        """Return the meter that binds for a model; None if no plan pays for it, or the plan lacks all meters."""
        plan = self.plan(pick)
        known = self._counting(plan, pick) if plan is not None else ()
        return next((each for each in known if each.state != "not_in_plan"), None)
