"""Runs the turns of a conversation: checks that one may start, keeps its result, saves what came of a broken one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from assistant import events, prompts, record, tokens
from assistant.desk import Desk
from assistant.desk import Sitting as DeskSitting
from assistant.errors import Auth, BudgetError, ConfigError, PatchError, ProviderError, StateError
from assistant.telling import NOTHING, News

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from assistant.changes import Changes, Proposal
    from assistant.config import Config
    from assistant.edits.edit import Misfit
    from assistant.edits.patch import Hunk
    from assistant.limits import Limits
    from assistant.models.catalogue import Pick
    from assistant.models.cold import Sent
    from assistant.models.message import Image, Message
    from assistant.pending import Pending
    from assistant.pricing import Quote
    from assistant.sight import Sight
    from assistant.tokens import Cost, TokenUsage
    from assistant.transcript import Conversations
    from assistant.turn import Ask

    Stream = AsyncGenerator[events.Event, None]


class Sitting(DeskSitting, Protocol):
    """What turns need of the session.

    `turn` is the number of the last turn, `answer` its text, `last_usage` the usage of its last request.
    """

    history: list[Message]
    turn: int
    answer: str
    last_usage: TokenUsage | None
    asked_last: str
    config: Config

    @property
    def sight(self) -> Sight:
        """What is shown to the model."""

    @property
    def limits(self) -> Limits:
        """What holds a question back."""

    @property
    def changes(self) -> Changes:
        """What is proposed and written here."""

    @property
    def proposed(self) -> Proposal | None:
        """The patch that waits for decisions."""

    @property
    def pending(self) -> Pending:
        """Keeps the hunks that wait."""

    @property
    def conversations(self) -> Conversations:
        """The conversations of this folder on disk."""

    def last_question(self) -> str:
        """Return what the user asked last; empty before there was a question."""

    def count_cut(self, turn: int, since: datetime) -> None:
        """Count what a turn burnt that was cut short from outside."""

    def troubles(self) -> tuple[str, ...]:
        """Return, each once, the faults that did not stop anything."""


@dataclass(slots=True)
class _Running:
    """A turn that is running: the question, the model that is asked, and what has come of it so far."""

    ask: Ask
    asked: Message
    news: News
    pick: Pick
    key: str
    began: datetime
    typed: str = ""
    pieces: list[str] = field(default_factory=list)
    repairs: int = 0
    ended: events.TurnEnded | None = None


class Turns:
    """Runs the turns of one sitting, one at a time, and questions beside them."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self.asking = False
        """Whether a turn, or a question beside the turns, is running."""
        self.saying: list[Message] = []
        """The question that is being answered right now."""
        self.stopped = asyncio.Event()
        """Set to end the running turn with what has come so far."""
        self._sent: Sent | None = None

    def forget(self) -> None:
        """Forget the last request: another conversation begins."""
        self._sent = None

    async def ask(self, text: str, *, mend: tuple[Misfit, ...] = ()) -> Stream:
        """Run one turn. Raises ConfigError while no model is chosen, Auth without its key; then nothing was sent.

        With `mend`, only these edits of the last reply are sent back, with the nearest lines and no new context.
        """
        from assistant import turn

        sitting = self._sitting
        if not text.strip():
            raise ConfigError("There is no question.", "Nothing was sent.")
        typed = text
        text, masked = await asyncio.to_thread(sitting.sight.spoken, text)
        news = NOTHING if mend else await asyncio.to_thread(sitting.changes.news)
        unseen: dict[str, str] = {}
        pictures: tuple[Image, ...] = ()
        if not mend:
            pick = sitting.roster.present()
            sitting.sight.check_pictures(pick)
            found, unseen = await asyncio.to_thread(sitting.sight.pictures_with, text, pick)
            pictures = tuple(found.values())
        asked = turn.asked(text, pictures, news.words())
        most = None if mend else lambda: sitting.pricing.quote_at_most(text)
        price = self.quote_repair if mend else lambda: sitting.pricing.quote(text, sure=True)
        pick, key = await self._ready(price, most=most)
        sitting.turn += 1
        repairs = 0 if mend else sitting.config.repairs
        outcome = "" if mend else news.words(sitting.changes.open_ends())
        ask = turn.Ask(
            sitting.turn, text, tuple(sitting.history), outcome, repairs, mend=mend, pictures=pictures, masked=masked
        )
        running = _Running(ask, asked, news, pick, key, sitting.now(), typed)
        self.saying = [asked]
        unbooked = False
        for path, why in unseen.items():
            yield events.Notice(f"{path} goes without its picture: {why}.", "warning")
        try:
            async with aclosing(self._run(running)) as stream:
                async for event in stream:
                    yield event
            for event in await self._settle(running):
                yield event
        except StateError:
            unbooked = running.ended is None and not running.pieces
            raise
        finally:
            self.asking = False
            self.saying = []
            if unbooked:  # the question goes back to the composer, so it must not be in the history as well
                nothing = record.sums(tokens.TokenUsage(), tokens.total_cost(()))
                sitting.conversations.save(record.end(ask.number, "error", pick.name, nothing, void=True))
                self._untold(running.news)
            elif running.ended is None:  # closed from outside: what came is kept
                self._keep_part(running)

    async def _run(self, running: _Running) -> Stream:
        """Run a turn; its results are kept with the conversation before a face hears of them."""
        from assistant import turn

        sitting = self._sitting
        ask, pick = running.ask, running.pick
        shown = await asyncio.to_thread(record.pictures, running.asked, sitting.conversations.keep)
        sitting.conversations.save(record.user(ask.number, ask.text, pick.name, shown, running.news))
        if any(running.news):  # a repair does not tell the model what became of other edits
            sitting.changes.telling.tell(running.news)
        sitting.asked_last = pick.name
        upon = sitting.proposed.patch if sitting.proposed and ask.mend else None
        editor, why = await self._editor()
        if why:
            yield events.Notice(f"{why} {pick.model.name} writes the edits itself.", "warning")
        desk = Desk(sitting, ask.number, sitting.roster.partner(pick), running.key, upon)
        ruled = sitting.sight.ruled
        async with aclosing(turn.run(ask, desk, editor)) as stream:
            async for event in stream:
                match event:
                    case events.ContextPacked() if sitting.sight.ruled not in {None, ruled}:
                        ruled = sitting.sight.ruled
                        sitting.conversations.save(record.ruled(ruled))
                    case events.TextArrived(words):
                        running.pieces.append(words)
                        sitting.conversations.save(record.piece(ask.number, words))
                    case events.RequestSent(purpose="repair"):
                        running.repairs += 1
                    case events.TurnEnded():
                        running.ended = event
                        for notice in await self._end(running, event):
                            yield notice
                    case _:
                        pass
                yield event

    async def _end(self, running: _Running, ended: events.TurnEnded) -> list[events.Notice]:
        """Keep the results of a turn that has ended; return what to tell the user about it."""
        sitting = self._sitting
        told = []
        aside = self._remember(running, ended)
        await asyncio.to_thread(sitting.pending.keep)
        if not running.ask.mend:
            if ended.patch is not None or ended.misfits:
                at_once = not running.repairs
                await asyncio.to_thread(sitting.accounts.outcomes.tried, ended, str(sitting.root), at_once=at_once)
            if cold := await asyncio.to_thread(self._cold, running.pick, ended.sent):
                told.append(events.Notice(f"Little of this question was read from the cache: {cold}."))
        if aside is not None:
            words = f"The hunks of turn {aside.turn} that were not decided are set aside"
            told.append(events.Notice(f"{words}: /diff {aside.turn} brings them back."))
        return told

    async def _settle(self, running: _Running) -> list[events.Event]:
        """Update the meter after a turn; return a hold if the plan refused the question, and troubles to report."""
        sitting = self._sitting
        pick, ended = running.pick, running.ended
        told: list[events.Event] = []
        if await asyncio.to_thread(sitting.accounts.wants_reading, pick):
            await sitting.accounts.poll(pick.provider, running.key, hurry=True)
        told += await self._settle_up(ended)
        await asyncio.to_thread(sitting.accounts.status_line.keep, pick)
        if ended is not None and isinstance(ended.error, ProviderError):
            text = running.typed  # the hold gives the question back to the user, who may let through what was masked
            size = sitting.pricing.words(text, pick) + (sitting.sight.sent[1].tokens if sitting.sight.sent else 0)
            hold = await asyncio.to_thread(sitting.limits.refused, ended.error, pick, text, size)
            # the words of a repair alone do not say which edits were to go back
            if hold is not None and running.ask.mend:
                told.append(
                    events.Notice(f"{hold.why} The hunks stay: r sends them back when there is room.", "warning")
                )
            elif hold is not None:
                told.append(events.TurnHeld(hold))
        return [*told, *(events.Notice(trouble, "warning") for trouble in sitting.troubles())]

    async def _settle_up(self, ended: events.TurnEnded | None) -> list[events.Event]:
        """Correct estimated costs, of this turn and earlier ones, for which sellers now give the exact figure.

        Returns the events that tell the user so.
        """
        sitting = self._sitting
        corrected = await sitting.accounts.settle_up()
        usage, costs = (ended.usage, list(ended.costs)) if ended is not None else (tokens.TokenUsage(), [])
        told: list[events.Event] = []
        for owed, burnt, cost in corrected:
            kept = record.corrected(record.sums(burnt, cost), record.sums(owed.usage, owed.cost))
            if owed.session != sitting.id:
                sitting.conversations.tell(owed.session, kept)
                continue
            sitting.conversations.save(kept)
            if ended is not None and owed.turn == ended.turn and owed.cost in costs:
                usage = (usage - owed.usage + burnt)._replace(exact=burnt.exact and len(costs) == 1)
                costs[costs.index(owed.cost)] = cost
            seller = owed.pick.provider.title
            words = f"{seller} says what the answer of turn {owed.turn} cost that was cut short: {cost}"
            told.append(events.Notice(f"{words} (estimated: {owed.cost})."))
        if told:
            told.append(
                events.UsageMoved(usage, tokens.total_cost(costs), sitting.accounts.usage, sitting.accounts.paid())
            )
        return told

    def _keep_part(self, running: _Running) -> None:
        """Keep the question of a turn that was broken off, and what came of its answer."""
        from assistant.models.message import said

        sitting = self._sitting
        sitting.history.append(running.asked)
        if not running.ask.mend:
            sitting.pending.keep()
        sitting.count_cut(running.ask.number, running.began)
        sitting.sight.shown(running.ask.pictures)
        if running.pieces:
            sitting.history.append(replace(said("assistant", "".join(running.pieces)), partial=True))

    async def _editor(self) -> tuple[Desk | None, str]:
        """Return the line to the editor model, or None and the reason why it cannot be asked; the turn still runs."""
        sitting = self._sitting
        cast = sitting.roster.editor()
        if cast is None or cast.fell_back:
            return None, f"{cast.why}." if cast else ""
        try:
            key = await sitting.roster.key(cast.pick.provider)
        except Auth as error:
            return None, f"{cast.pick.name}: {error}"
        spent = await asyncio.to_thread(sitting.limits.spent, cast.pick)
        return (None, spent) if spent else (Desk(sitting, sitting.turn, sitting.roster.partner(cast.pick), key), "")

    async def _ready(
        self,
        quote: Callable[[], Quote | None],
        pick: Pick | None = None,
        most: Callable[[], Quote | None] | None = None,
    ) -> tuple[Pick, str]:
        """Check that something may be sent: nothing else runs, there is a key, no limit is crossed. Then set `asking`.

        Returns the model that is asked, and the key. `quote` returns the cost; `most` an upper bound that is quicker to
        compute, or None where there is none. Raises BudgetError where a limit holds it.
        """
        sitting = self._sitting
        if self.asking:
            raise BudgetError("A turn is running.", "Wait for its end or stop it first.")
        self.asking, self.stopped = True, asyncio.Event()
        try:
            pick = pick or sitting.roster.present()
            key = await sitting.roster.key(pick.provider)
            await asyncio.to_thread(
                sitting.limits.check, quote, pick, once=sitting.limits.allows(), most=most or (lambda: None)
            )
        except BudgetError:
            self.asking = False
            await asyncio.to_thread(sitting.accounts.status_line.keep, pick or sitting.roster.present())
            raise
        except BaseException:
            self.asking = False
            raise
        return pick, key

    async def repair(self) -> Stream:
        """Send back the edits of the last reply that found no place; hunks that did find theirs stay as they are."""
        misfits = self._mendable()
        if not misfits:
            raise PatchError(
                "No edit of the last reply waits for other words of the model.", "There is nothing to repair."
            )
        text = "Please correct the edits that found no place."
        async with aclosing(self.ask(text, mend=misfits)) as stream:
            async for event in stream:
                yield event

    def quote_repair(self, more: tuple[Misfit, ...] = ()) -> Quote | None:
        """Return what `repair` would cost, with `more` misfits added; None where there is nothing to repair.

        Counts tokens: call it in a thread.
        """
        from assistant.edits import match

        sitting = self._sitting
        misfits = (*self._mendable(), *(each for each in more if each.mendable))
        if not misfits:
            return None
        words = "\n\n".join(map(match.describe, misfits))
        return sitting.pricing.quote_words(sitting.pricing.words(words, sitting.roster.pick))

    def _mendable(self) -> tuple[Misfit, ...]:
        return (
            tuple(each for each in self._sitting.proposed.misfits if each.mendable)
            if self._sitting.proposed is not None
            else ()
        )

    async def second_opinion(self, hunk: Hunk, name: str) -> Stream:
        """Ask another model what it thinks of a hunk; this does not enter the conversation.

        Raises PatchError where no line of its file may be sent.
        """
        words = await asyncio.to_thread(self._opinion, hunk)
        async with aclosing(self.aside("opinion", words, self._sitting.roster.catalogue.pick(name))) as stream:
            async for event in stream:
                yield event

    def opinion_words(self, hunk: Hunk) -> int:
        """Count the o200k tokens that a second opinion on a hunk sends; 0 where no line of its file may be sent.

        Call it in a thread.
        """
        try:
            return tokens.count(self._opinion(hunk))
        except PatchError:
            return 0

    def _opinion(self, hunk: Hunk) -> str:
        diff = self._sitting.changes.quoted(hunk)
        return prompts.fill(
            "opinion", question=self._sitting.last_question(), path=hunk.path, header=hunk.header, diff=diff
        )

    async def aside(
        self, purpose: str, words: str, pick: Pick | None = None, *, max_output: int | None = None
    ) -> Stream:
        """Ask a model something beside the conversation: no history, no context of the repository, no edits."""
        from assistant import turn

        sitting = self._sitting
        pick, key = await self._ready(lambda: sitting.pricing.quote_words(tokens.count(words), pick), pick)
        try:
            ask = turn.Ask(sitting.turn, words, max_output=max_output)
            desk = Desk(sitting, sitting.turn, sitting.roster.partner(pick), key)
            async with aclosing(turn.aside(ask, desk, purpose)) as stream:
                async for event in stream:
                    if isinstance(event, events.AsideEnded):
                        sitting.accounts.count(event.usage, event.cost)
                        self._note_burn(event.usage, event.cost)
                    yield event
        finally:
            self.asking = False

    def _note_burn(self, usage: TokenUsage, *costs: Cost) -> None:
        """Record what was burnt beside the turns, if a conversation has begun: this alone does not begin one."""
        if usage.total and self._sitting.conversations.begun:
            self._sitting.conversations.save(record.burnt(record.sums(usage, tokens.total_cost(costs), costs)))

    def _untold(self, news: News) -> None:
        """Tell `news` again with the next question: the question that told it is not in the conversation."""
        if any(news):
            self._sitting.changes.telling.take_back(news)

    def _remember(self, running: _Running, ended: events.TurnEnded) -> Proposal | None:
        """Keep the results of a turn; return the proposal that its hunks have set aside."""
        from assistant.models.message import Image

        sitting = self._sitting
        asked, mends = running.asked, bool(running.ask.mend)
        if ended.reply is not None:
            sitting.history += [asked, ended.reply]
            self.saying = []
            sitting.sight.shown(part for part in asked.parts if isinstance(part, Image))
            sitting.answer = ended.text
        else:
            self._untold(running.news)
        if isinstance(ended.error, Auth):
            sitting.roster.forget_key(ended.provider)
        sitting.sight.heard("" if mends else asked.words, ended.text, ended.patch.paths if ended.patch else ())
        aside = self._propose(ended, mends=mends)
        sitting.accounts.count(ended.usage, *ended.costs)
        sitting.accounts.learn(ended.usage)
        sitting.last_usage = ended.last if ended.last.total else sitting.last_usage
        model, burnt = f"{ended.provider}/{ended.model}", record.sums(ended.usage, ended.cost, ended.costs)
        sitting.conversations.save(record.end(ended.turn, ended.stop, model, burnt, void=ended.reply is None))
        return aside

    def _cold(self, pick: Pick, sent: Sent | None) -> str:
        """Say why the first request of a turn missed the provider's cache; empty where it did not."""
        from assistant.models import cold

        before, self._sent = self._sent, sent or self._sent
        if before is None or sent is None:
            return ""
        return cold.why(before, sent, long_lived=pick.provider.flags.get("cache_ttl") == "1h")

    def _propose(self, ended: events.TurnEnded, *, mends: bool) -> Proposal | None:
        """Propose the edits of a turn. A repair is added to the hunks that still wait.

        Those are taken as they are now: some may have been written while the repair ran.
        """
        sitting = self._sitting
        if ended.patch is None and not ended.misfits:
            return None
        from assistant.changes import Proposal
        from assistant.edits.patch import Patch

        name = ended.editor or f"{ended.provider}/{ended.served_model or ended.model}"
        patch = ended.patch or Patch()
        proposal = Proposal(
            patch, ended.misfits, ended.turn, name, ended.cost, doubts=ended.doubts, writer=ended.writer
        )
        return sitting.changes.propose(proposal, upon=sitting.proposed.patch if sitting.proposed and mends else None)
