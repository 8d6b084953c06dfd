"""What holds a question back: caps, reserves and used-up windows; and what could be done instead.

It is checked before anything is sent. Nothing is chosen for the user: an offer names the user's own models that could
go on.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.errors import (
    AssistantError,
    BudgetError,
    ConfigError,
    Held,
    OutOfFunds,
    ProviderError,
    RateLimited,
    WindowExhausted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from assistant.accounts import Accounts
    from assistant.config import Config
    from assistant.models.catalogue import Pick
    from assistant.pricing import Pricing, Quote
    from assistant.quota.caps import Crossing, Hold, Reserve, Scope, WayOut
    from assistant.quota.entry import Entry
    from assistant.quota.estimate import Estimate
    from assistant.quota.terms import Plan
    from assistant.roster import Roster
    from assistant.tokens import Cost

    Known = dict[str, Sequence[Estimate]]

_MOST = 4
"""The most models that are offered: a longer list to choose from is what /model shows."""
_LOOKS = 20
"""How often a look at the ledger is repeated because another process wrote to it meanwhile."""


class Limits:
    """The limits of one sitting."""

    def __init__(
        self, accounts: Accounts, pricing: Pricing, roster: Roster, config: Config, now: Callable[[], datetime]
    ) -> None:
        self._accounts = accounts
        self._pricing = pricing
        self._roster = roster
        self._config = config
        self._now = now
        self._once: set[asyncio.Task[object] | None] = set()
        self._free = False

    @cached_property
    def reserves(self) -> Mapping[str, Sequence[Reserve]]:
        """The parts of plans that the user holds in reserve, by plan. Raises ConfigError."""
        from assistant.quota.caps import read_reserve

        found = {}
        for name, said in self._config.reserve.items():
            plan = self._accounts.plans.get(name)
            if plan is None:
                raise ConfigError(
                    f"[reserve] names the plan {name!r}, and there is none of that name.", "See `wattson plans --all`."
                )
            kept = [read_reserve(each, zone=None) for each in (said if isinstance(said, list) else [said])]
            meters = [each.name for each in plan.meters]
            if wrong := [each.meter for each in kept if each.meter not in meters]:
                raise ConfigError(
                    f"[reserve] {name}: there is no {wrong[0]!r} in that plan.", f"It has {', '.join(meters)}."
                )
            found[name] = kept
        return found

    @property
    def _capped(self) -> bool:
        config = self._config
        return any(cap is not None for cap in (config.cap_turn, config.cap_session, config.cap_day))

    @contextmanager
    def once(self) -> Iterator[None]:
        """Let this task's calls through, whatever limit they cross: the user agreed. Other tasks are held as ever."""
        task = asyncio.current_task()
        self._once.add(task)
        try:
            yield
        finally:
            self._once.discard(task)

    def allows(self) -> bool:
        """Say whether the user has let the calls of this task through. Call it on the event loop."""
        return asyncio.current_task() in self._once

    def check(
        self,
        price: Callable[[], Quote | None],
        pick: Pick,
        *,
        once: bool = False,
        most: Callable[[], Quote | None] = lambda: None,
    ) -> None:
        """Raise BudgetError where a question would cross a cap or a reserve, or a window has no room for it.

        `price` returns what it would cost, and is called only where there is a limit; `most` returns an upper bound,
        which is quicker to compute. `once` lets all calls of the turn through. The error is Held where waiting helps.
        Reads the ledger: call it in a thread.
        """
        self._free = once
        if once:
            return
        spent = self._used_up(pick)
        if not self._capped and not self._config.reserve and spent is None and self._has_room(most, pick):
            return
        quote = price()
        if spent is not None:
            self._stop(replace(spent, offers=(*self.others(quote, pick), *spent.offers)))
        crossings = [
            *(self._caps(quote.whole) if quote and self._capped else ()),
            *(self._of_plan(quote, pick) if quote else ()),
        ]
        if quote is not None and quote.editor is not None and not crossings:
            editor = self._roster.catalogue.pick(quote.editor.model)
            crossings += self._of_plan(quote.editor, editor, before=(quote, pick))
        if crossings and quote is not None:
            self._stop(self._held(crossings, quote, pick))

    def again(self, words: int, pick: Pick, costs: Sequence[Cost], answer: int = 0) -> str:
        """Say why another call of a turn, of `words` o200k tokens, may not be sent; empty where it may.

        `costs` are those of its calls so far, `answer` is the number of tokens it will write, 0 for the usual number.
        Reads the ledger: call it in a thread.
        """
        if self._free:
            return ""
        if (over := self._used_up(pick)) is not None:
            return over.why
        if not (self._capped or self._config.reserve or self._metered(pick)):
            return ""
        quote = self._pricing.quote_words(words, pick, answer)
        if quote is None:
            return ""
        crossings = [*(self._caps(quote.whole, costs) if self._capped else ()), *self._of_plan(quote, pick)]
        return " ".join(map(str, crossings))

    def outrun(self, entry: str, words: int, pick: Pick) -> None:
        """Raise BudgetError where a booked call, with those that others booked before it, leaves too little room.

        That is: together they would cross the day's cap, take from a reserve, or need more than a plan has left. Two
        windows that look at the same moment both see room for one call; the order of the ledger decides between them.
        """
        if self._free or not (self._config.cap_day is not None or self._config.reserve or self._metered(pick)):
            return
        ledger = self._accounts.ledger
        for _ in range(_LOOKS):
            begun = ledger.length()
            over = self._overtaken(entry, words, pick)
            if ledger.length() == begun:
                break  # nobody wrote meanwhile, so both looks at the ledger saw the same steps
        if over is not None:
            self._stop(over)

    def _overtaken(self, entry: str, words: int, pick: Pick) -> Hold | None:
        before = self._accounts.ledger.booked_before(entry)
        quote = self._pricing.quote_words(words, pick) if before else None
        if quote is None:
            return None
        crossings = []
        if self._config.cap_day is not None:
            crossings += [each for each in self._caps(quote.cost, (), before) if each.scope == "day"]
        plan = self._accounts.plan(pick)
        if plan is not None and any(each.plan == plan.name for each in before):
            known = {each.id for each in before}
            crossings += self._of_plan(quote, pick, [e for e in self._accounts.ledger.in_flight() if e.id not in known])
        return self._held(crossings, quote, pick) if crossings else None

    def used_up(self, names: Iterable[str]) -> dict[str, str]:
        """Return, by model, what is used up and until when, for models whose payer has nothing left.

        Reads the ledger: call it in a thread. Raises UnknownModel, ConfigError, StateError.
        """
        from assistant.quota import wording

        now = self._now()
        known: Known = {}
        found: dict[str, str] = {}
        for name in names:
            over = self._run_out(self._roster.catalogue.pick(name), known)
            if over is None:
                continue
            plan, first = over
            ahead = first.resets_at is not None and first.resets_at > now
            until = f" until {wording.clock(first.resets_at, now)}" if ahead else ""
            found[name] = f"{first.meter} of {plan.title} is used up{until} ({wording.trust(first)})"
        return found

    def spent(self, pick: Pick) -> str:
        """Say that a model's window is used up; empty where it is not. Reads the ledger."""
        hold = self._used_up(pick)
        return hold.why if hold is not None else ""

    def refused(self, error: ProviderError, pick: Pick, text: str, words: int = 0) -> Hold | None:
        """Return the hold, with its ways out, that a refusal means; None where it has nothing to do with a plan.

        `words` are the o200k tokens that were sent, and would be sent again.
        """
        from assistant.quota import exhaustion, wording
        from assistant.quota.caps import Hold, WayOut

        hearing = self._accounts.hearings.get(pick.provider.name)
        signal = hearing.signal if hearing is not None else None
        now = self._now()
        # The client has already waited and tried again as often as it does by itself.
        slow = isinstance(error, RateLimited) and error.retry_at is not None and error.retry_at > now
        if (
            not isinstance(error, WindowExhausted | OutOfFunds)
            and not slow
            and (signal is None or signal.kind not in {"quota", "balance"})
        ):
            return None
        signal = signal or exhaustion.Signal("quota")
        until = signal.until or error.retry_at or self._resets(pick, signal.window)
        plan = self._accounts.plan(pick)
        whose = plan.title if plan is not None else pick.provider.title
        what = {"": "A window", "long": "The week or the month"}.get(signal.window, f"The window of {signal.window}")
        if signal.kind == "balance" or isinstance(error, OutOfFunds):
            why, until = f"The money at {whose} is used up.", None
        elif until is not None and until > now and slow:
            why = f"{whose} takes no more questions until {wording.clock(until, now)} (in {wording.countdown(until, now)})."
        elif until is not None and until > now:
            why = (
                f"{what} of {whose} is used up until {wording.clock(until, now)} (in {wording.countdown(until, now)})."
            )
        else:
            why, until = f"{what} of {whose} is used up; nobody said until when.", None
        offers = [*self.others(self._pricing.quote_words(words, pick), pick)]
        if until is not None:
            offers.append(WayOut("wait", at=until))
        elif signal.kind == "quota":  # the next question of this kind is held
            offers.append(WayOut("once"))
        return Hold(why, tuple(offers), until, text)

    def _resets(self, pick: Pick, window: str) -> datetime | None:
        plan = self._accounts.plan(pick)
        for each in self._accounts.estimates(plan, pick.model.id) if plan is not None else ():
            if each.state == "exhausted" and window in {"", "long", each.meter}:
                return each.resets_at
        return None

    def _stop(self, hold: Hold) -> None:
        ways = [_words(each) for each in hold.offers]
        hint = f"Instead: {'; '.join(ways)}." if ways else "Raise it in your config, or choose another model."
        if hold.until is not None:
            raise Held(hold.why, hint, retry_at=hold.until, hold=hold)
        raise BudgetError(hold.why, hint, hold=hold)

    def _used_up(self, pick: Pick) -> Hold | None:
        """Return a hold where a window is used up, by the provider's word or by our count; None where none is.

        A window holds until its reset, or for good where nobody named one. A balance may be topped up at any time, so
        it holds only until a reset that is known.
        """
        from assistant.quota import wording
        from assistant.quota.caps import Hold, WayOut

        plan, gone, now = self._accounts.plan(pick), self._gone(pick, {}), self._now()
        balances = {each.name for each in plan.meters if each.window.kind == "balance"} if plan is not None else set()
        first = next((each for each in gone if _holds(each, now, balances)), None)
        if plan is None or first is None:
            return None
        until, whose = first.resets_at, f"{first.meter} of {plan.title}"
        if until is not None:
            why = (
                f"{whose} is used up until {wording.clock(until, now)} "
                f"(in {wording.countdown(until, now)}; {wording.trust(first)})."
            )
            return Hold(why, (WayOut("once"), WayOut("wait", at=until)), until)
        why = f"{whose} is used up; nobody said until when ({wording.trust(first)})."
        if self._accounts.can_ask(pick.provider):
            return Hold(why, (WayOut("once"), WayOut("read")))
        mends = f'`wattson plans tell {plan.name} "{first.meter}" FIGURE` says that there is room again.'
        return Hold(f"{why} {mends}", (WayOut("once"),))

    def _run_out(self, pick: Pick, known: Known) -> tuple[Plan, Estimate] | None:
        """Return the plan that pays for a model and the meter of it that has run out; None where none has."""
        plan, gone = self._accounts.plan(pick), self._gone(pick, known)
        return (plan, gone[0]) if plan is not None and gone else None

    def _gone(self, pick: Pick, known: Known) -> list[Estimate]:
        """Return the meters of the paying plan that have run out for a model, the one that resets last first.

        The meters of a plan are read once for all models that it pays for, and kept in `known`.
        """
        from assistant.quota import meter
        from assistant.quota.estimate import run_out

        plan = self._accounts.plan(pick)
        if plan is None:
            return []
        if plan.name not in known:
            known[plan.name] = self._accounts.estimates(plan)
        gone = [each for each in known[plan.name] if each.state == "exhausted"]
        needs = meter.needs(self._accounts.gauges_at_hand(plan), pick.model.id) if gone else {}
        return run_out(gone, pick.model.id, needs)

    def _caps(self, step: Cost, turn: Sequence[Cost] = (), flying: Sequence[Entry] | None = None) -> list[Crossing]:
        """Return the caps that a step would cross.

        `turn` are the costs of its turn so far; `flying` are the unsettled calls to count as well, all of them if None.
        """
        from assistant.quota import caps
        from assistant.tokens import Cost

        config, now = self._config, self._now()
        local = now.astimezone()
        midnight = datetime.combine(local.date() + timedelta(days=1), time(0)).astimezone()
        today = self._accounts.burnt_since(local.date())
        day: list[Cost] = []
        if today is not None:
            day = [Cost("metered", amount, currency) for currency, amount in today.money.items()]
            day += [Cost("unknown")] * min(1, today.unpriced)
        day += [Cost("unknown")] * self._accounts.ledger.store.is_blind
        flying = self._accounts.ledger.in_flight() if flying is None and config.cap_day is not None else flying or ()
        day += [self._pricing.ahead(each) for each in flying if each.at.astimezone().date() == local.date()]
        limits: dict[Scope, Decimal | None] = {
            "turn": config.cap_turn, "session": config.cap_session, "day": config.cap_day,
        }  # fmt: skip
        # The user let each step without a price through by itself; steps with a known price still count.
        session = [each for each in (*self._accounts.costs.values(), *turn) if each.status != "free"]
        spent: dict[Scope, Sequence[Cost]] = {"turn": turn, "session": session, "day": day}
        return caps.crossed(limits, spent, step, ends={"day": midnight})

    def _metered(self, pick: Pick) -> bool:
        """Say whether a plan with windows pays for a model."""
        plan = self._accounts.plan(pick)
        return plan is not None and bool(plan.meters)

    def _has_room(self, most: Callable[[], Quote | None], pick: Pick) -> bool:
        """Say whether every window has room for the question at its upper bound: then its exact cost is not needed."""
        return not self._metered(pick) or ((bound := most()) is not None and not self._of_plan(bound, pick))

    def _of_plan(
        self,
        quote: Quote,
        pick: Pick,
        behind: Sequence[Entry] | None = None,
        before: tuple[Quote, Pick] | None = None,
    ) -> list[Crossing]:
        """Return the reserves that a step would take from, and the windows that have no room for it.

        `behind` are the steps in flight that were booked no earlier than this one, itself included: what they take is
        not counted against it. `before` is a call that takes its part first.
        """
        from assistant.quota import caps

        plan = self._accounts.plan(pick)
        if plan is None or not plan.meters:
            return []
        estimates = self._accounts.estimates(plan, pick.model.id)
        others = self._pricing.taken(plan, behind) if behind is not None else None
        kept = self.reserves.get(plan.name, ())
        needs = self._pricing.needs(quote, pick) if kept else {}
        needs = {name: need - (others or {}).get(name, 0) for name, need in needs.items()}
        likely = self._pricing.needs(quote, pick, likely=True)
        if before is not None and self._accounts.plan(before[1]) == plan:
            for name, need in self._pricing.needs(*before, likely=True).items():
                needs[name], likely[name] = needs.get(name, 0) + need, likely.get(name, 0) + need
        found = caps.reserved(kept, estimates, needs, self._now())
        return found or caps.lacking(estimates, likely, others=others)

    def _held(self, crossings: Sequence[Crossing], quote: Quote, pick: Pick) -> Hold:
        from assistant.quota import caps
        from assistant.quota.caps import Hold, offers

        plans = {each.scope for each in crossings}
        candidates: dict[str, Cost] = {}
        known: Known = {}
        mine = self._accounts.plan(pick)
        for other in self._pool(pick, quote.words):
            priced = self._pricing.cost(quote.words, other)
            plan = self._accounts.plan(other)
            if plans & caps.OF_PLANS and plan is not None and mine is not None and plan.name == mine.name:
                continue
            if priced.amount is not None or priced.status in {"included", "free"}:
                candidates[other.model.name] = priced
        found = offers(crossings, candidates, self._now())
        models = self._various(
            each
            for each in found
            if each.kind == "cheaper" and not self._shut(quote.words, self._roster.catalogue.pick(each.model), known)
        )
        ways = (*models, *(each for each in found if each.kind != "cheaper"))
        until = next((each.at for each in ways if each.kind == "wait"), None)
        return Hold(" ".join(map(str, crossings)), ways, until)

    def _shut(self, words: int, pick: Pick, known: Known) -> bool:
        """Whether a model is no way out: its payer has nothing or too little left, or a reserve would hold it."""
        if self._run_out(pick, known) is not None:
            return True
        other = self._pricing.quote_words(words, pick) if self._metered(pick) else None
        return other is not None and bool(self._of_plan(other, pick))

    def _various(self, found: Iterable[WayOut]) -> list[WayOut]:
        """Return the first offers, at most two of one provider."""
        kept: list[WayOut] = []
        for each in found:
            seller = each.model.partition("/")[0]
            if sum(one.model.startswith(f"{seller}/") for one in kept) < 2:
                kept.append(each)
            if len(kept) == _MOST:
                break
        return kept

    def others(self, quote: Quote | None, pick: Pick) -> list[WayOut]:
        """Offer models with another payer that could go on, the user's favourites and recent ones first.

        Reads the ledger: call it in a thread.
        """
        from assistant.quota.caps import WayOut

        found: list[WayOut] = []
        mine, seen = self._accounts.plan(pick), set()
        known: Known = {}
        for other in self._pool(pick, quote.words if quote is not None else 0):
            plan = self._accounts.plan(other)
            payer = plan.name if plan is not None else other.provider.name
            if plan is not None and plan == mine and _counted_alike(plan, pick, other):
                continue
            if plan is None and other.provider.name == pick.provider.name:
                continue
            if payer in seen and len(found) >= 2:
                continue  # of one payer the first two are enough
            seen.add(payer)
            if self._shut(quote.words if quote is not None else 0, other, known):
                continue
            cost = self._pricing.cost(quote.words, other) if quote is not None else None
            if cost is not None and self._capped and self._caps(cost):
                continue  # a cap would hold it
            found.append(WayOut("switch", other.model.name, cost=cost))
            if len(found) == _MOST:
                break
        return found

    def _pool(self, pick: Pick, words: int) -> Iterator[Pick]:
        """Yield the models that can be asked `words` tokens: favourites, recent ones, then those with a key."""
        keyed = {each.provider.name for each in self._roster.found()}
        catalogue = self._roster.catalogue
        names = [*self._roster.favourites, *self._roster.recents]
        names += [model.name for model in catalogue.models if model.provider in keyed]
        for name in dict.fromkeys(names):
            try:
                other = catalogue.pick(name)
            except AssistantError:
                continue  # a favourite that is no longer sold
            able = not other.provider.key_needed or other.provider.name in keyed
            window = other.model.context_window
            able = able and (window is None or self._roster.factor(other.model).of(words)[1] <= window)
            if able and other.model.name != pick.model.name and other.provider.payer != "practice":
                yield other


def _counted_alike(plan: Plan, pick: Pick, other: Pick) -> bool:
    """Whether all meters of a plan count two models alike, so that what holds one of them holds the other."""
    return all(each.counts(pick.model.id) == each.counts(other.model.id) for each in plan.meters)


def _holds(each: Estimate, now: datetime, balances: Container[str]) -> bool:
    """Whether a meter that has run out holds a question: until its reset, or for good where it is no balance."""
    return each.resets_at > now if each.resets_at is not None else each.meter not in balances


def _words(offer: WayOut) -> str:
    """Describe an offer as the command line gives it."""
    match offer.kind:
        case "cheaper" | "switch":
            return f"-m {offer.model}"
        case "wait":
            return f"wait until {offer.at.astimezone():%d %b %H:%M}" if offer.at else "wait"
        case "read":
            return "`wattson plans --refresh` asks how it stands now"
        case _:
            return "--once lets this one through"
