"""What things cost: a usage that was billed, and the next question, in money and in shares of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assistant import tokens
from assistant.errors import AssistantError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from assistant.accounts import Accounts
    from assistant.models.catalogue import Pick
    from assistant.models.message import Message
    from assistant.quota.entry import Entry
    from assistant.quota.gauge import Gauge
    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Plan
    from assistant.roster import Roster
    from assistant.sight import Sight
    from assistant.tokens import Cost, TokenUsage


class Quote(NamedTuple):
    """What the next question would cost: input tokens and money (low, likely, high), and the share of the plan.

    `share` is 0 to 1. `words` are the o200k tokens that the quote was made for, `usage` is the likely burn, `most` the
    burn at the high end. `editor` is what the editor would cost on top, should the answer be a plan. `too_long` says
    that the question does not fit the model, `used_up` that the plan has nothing left for it.
    """

    model: str
    low: int
    likely: int
    high: int
    cost: Cost
    cost_low: Cost
    cost_high: Cost
    share: float | None
    words: int = 0
    most: TokenUsage = tokens.TokenUsage()
    editor: Quote | None = None
    too_long: bool = False
    used_up: bool = False
    usage: TokenUsage = tokens.TokenUsage()

    @property
    def whole(self) -> Cost:
        """The likely cost, including the editor's."""
        return tokens.total_cost([self.cost, self.editor.cost]) if self.editor else self.cost


class Pricing:
    """The prices of one sitting.

    `history` is its conversation, which grows; `budget` is the most tokens of context that a question may show. `news`
    returns what stands above the next question: what became of the last edits. A question is given as a text, or as a
    number of o200k tokens where its size is known already.
    """

    def __init__(
        self,
        accounts: Accounts,
        roster: Roster,
        sight: Sight,
        history: Sequence[Message],
        budget: int,
        now: Callable[[], datetime],
        news: Callable[[], str] = lambda: "",
    ) -> None:
        self._budget = budget
        self._news = news
        self._accounts = accounts
        self._roster = roster
        self._sight = sight
        self._history = history
        self._now = now

    # Of a text.

    def quote(self, text: str, pick: Pick | None = None, *, sure: bool = False) -> Quote | None:
        """Return what sending `text` now would cost, with the editor's part; None while no model is chosen.

        `sure` gathers the context to know its size; otherwise that is done only for a question that names something.
        Counts tokens: call it in a thread.
        """
        pick = pick or self._roster.pick
        if pick is None:
            return None
        context = self._sight.expect(text, sure=sure) + tokens.count(self._news())
        words = self.words(text, pick) + context
        quote = self.quote_words(words + self._sight.picture_words(text, self._history, pick), pick)
        editor = self._roster.writer()
        if quote is None or editor is None:
            return quote
        from assistant.editor_request import EARLIER

        alone = self.words(text, editor, talk=False) + context
        # the length of the plan, which the editor is shown
        answer = self._accounts.usual_answer(pick.provider.name, pick.model.id)
        return quote._replace(editor=self.quote_words(alone + min(words - alone, EARLIER) + answer, editor))

    def quote_at_most(self, text: str) -> Quote | None:
        """Return what sending `text` would cost with as much context as the budget allows, without gathering any.

        None where more than that may be sent, or an editor is asked as well. Counts tokens: call it in a thread.
        """
        pick = self._roster.pick
        if pick is None or self._sight.names_some(text) or self._roster.writer() is not None:
            return None
        words = (
            self.words(text, pick) + self._sight.picture_words(text, self._history, pick) + tokens.count(self._news())
        )
        return self.quote_words(words + self._budget, pick)

    def carried(self) -> int:
        """Estimate the tokens that any next question sends, as the present model counts; 0 while none is chosen."""
        pick = self._roster.pick
        if pick is None:
            return 0
        return self._roster.factor(pick.model).of(self.words("", pick) + tokens.count(self._news()))[1]

    def words(self, text: str, pick: Pick | None, *, talk: bool = True) -> int:
        """Estimate the o200k tokens that a question sends besides its context: prompts, text and conversation."""
        from assistant import turn
        from assistant.step import FRAME

        around = turn.around(pick.model, plans=talk and self._roster.writer() is not None) if pick is not None else 0
        return around + tokens.count(text) + sum(tokens.count(each.text) + FRAME for each in self._history if talk)

    def next_models(self) -> list[str]:
        """Return the names of models to compare a quote with: the favourites, then those asked most recently."""
        names = dict.fromkeys((*self._roster.favourites, *self._roster.recents))
        return [name for name in names if self._roster.pick is None or name != self._roster.pick.model.name]

    # Of so many tokens.

    def quote_words(self, words: int, pick: Pick | None = None, answer: int = 0) -> Quote | None:
        """Return what sending `words` o200k tokens would cost with a model; None while none is chosen.

        `answer` is the number of tokens it will write, where that is known better than from earlier answers.
        """
        pick = pick or self._roster.pick
        if pick is None:
            return None
        usages = self._usages(words, pick, answer)
        low, likely, high = (usage.fresh_input for usage in usages)
        least, cost, most = (self.price(usage, pick=pick) for usage in usages)
        share, used_up = self._share(usages[1], cost, pick)
        window = pick.model.context_window
        too_long = window is not None and low > window
        return Quote(
            pick.model.name,
            low,
            likely,
            high,
            cost,
            least,
            most,
            share,
            words,
            usages[2],
            too_long=too_long,
            used_up=used_up,
            usage=usages[1],
        )

    def cost(self, words: int, pick: Pick) -> Cost:
        """Return the likely cost of sending `words` o200k tokens with a model."""
        return self.price(self._usages(words, pick)[1], pick=pick)

    def _usages(self, words: int, pick: Pick, answer: int = 0) -> list[TokenUsage]:
        """Estimate the usage of a question: low, likely and high."""
        low, likely, high = self._roster.factor(pick.model).of(words)
        answer = answer or self._accounts.usual_answer(pick.provider.name, pick.model.id)
        sizes = (low, answer // 2), (likely, answer), (high, answer * 2)
        return [tokens.TokenUsage(fresh_input=sent, output=output, exact=False) for sent, output in sizes]

    def needs(self, quote: Quote, pick: Pick, *, likely: bool = False) -> dict[str, Decimal]:
        """Return what a question would take of each meter of the plan, in the meter's units; unknown ones are left out.

        It is reckoned at the high end, or as `likely`.
        """
        from assistant.quota.tariff import Burn

        plan = self._accounts.plan(pick)
        if plan is None:
            return {}
        burn = (quote.usage, quote.cost) if likely else (quote.most, quote.cost_high)
        step = Burn(self._now(), *burn, pick.model.id)
        return _needs(self._accounts.gauges_at_hand(plan), step)

    def taken(self, plan: Plan, entries: Iterable[Entry]) -> dict[str, Decimal]:
        """Return, by meter of a plan, how much steps in flight are counted with."""
        from decimal import Decimal

        from assistant.quota import meter

        taken: dict[str, Decimal] = {}
        gauges, now = self._accounts.gauges_at_hand(plan), self._now()
        for each in entries:
            if each.plan == plan.name and (burn := meter.burn_of(each, now)) is not None:
                for name, need in _needs(gauges, burn).items():
                    taken[name] = taken.get(name, Decimal(0)) + need
        return taken

    def _share(self, usage: TokenUsage, cost: Cost, pick: Pick) -> tuple[float | None, bool]:
        """Return the share of the plan that a step takes, and whether the plan is used up for it."""
        from assistant.quota import meter
        from assistant.quota.estimate import run_out
        from assistant.quota.tariff import Burn

        plan = self._accounts.plan(pick)
        if plan is None:
            return None, False
        now = self._now()
        gauges = self._accounts.gauges_at_hand(plan)
        gone = [each for gauge in gauges if (each := gauge.estimate(now)).state == "exhausted"]
        used_up = bool(gone and run_out(gone, pick.model.id, meter.needs(gauges, pick.model.id)))
        return meter.share_of(gauges, Burn(now, usage, cost, pick.model.id)), used_up

    # Of what was burnt.

    def price(
        self,
        usage: TokenUsage,
        reported: Decimal | None = None,
        pick: Pick | None = None,
        *,
        at: datetime | None = None,
        tier: str = "",
    ) -> Cost:
        """Return the cost of a usage with the given or the present model; the request begins now, or began at `at`."""
        from assistant.models import price

        pick = pick or self._roster.pick
        if pick is None:
            return tokens.total_cost([])
        payer = self._roster.payer(pick.provider)
        return price.cost(pick.model, usage, at or self._now(), payer, reported, service_tier=tier)

    def ahead(self, entry: Entry) -> Cost:
        """Return the likely final cost of a running call, in any window: the ledger holds only what it sends."""
        try:
            pick = self._roster.catalogue.pick(f"{entry.provider}/{entry.model}")
        except AssistantError:
            return entry.cost
        output = entry.usage.output + self._accounts.usual_answer(entry.provider, entry.model)
        return self.price(entry.usage._replace(output=output), pick=pick, at=entry.at)


def _needs(gauges: Iterable[Gauge], step: Burn) -> dict[str, Decimal]:
    """Return what a step takes of each meter that counts it; unknown ones are left out."""
    return {gauge.meter.name: need for gauge in gauges if gauge.meter.counts(step.model) and (need := gauge.need(step))}
