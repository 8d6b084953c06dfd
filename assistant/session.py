"""The state of a sitting: who is asked, what was said, what it burnt; the one mutable object of the core.

A session counts (ledger and meters), applies (patches, with the journal) and remembers (the transcript). It is made
cheaply and reaches for a room only when that room is needed, so that a face can paint before anything is read.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from assistant import events, prompts, record, tokens
from assistant.accounts import Accounts, record_of
from assistant.errors import (
    AssistantError,
    Auth,
    BudgetError,
    ConfigError,
    PatchError,
    ProviderError,
    StateError,
)
from assistant.sight import Sight
from assistant.telling import NOTHING, News
from assistant.transcript import Sittings, fresh_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
    from pathlib import Path

    from assistant.changes import Changes, Proposal
    from assistant.committing import Committing
    from assistant.config import Config, Places
    from assistant.context.repo import Repo
    from assistant.deciding import Deciding
    from assistant.desk import Desk
    from assistant.edits.edit import Misfit
    from assistant.edits.journal import Journal
    from assistant.edits.patch import Hunk
    from assistant.edits.review import Review
    from assistant.handover import Handover
    from assistant.held import HeldQuestion
    from assistant.limits import Limits
    from assistant.models.catalogue import Pick
    from assistant.models.client import Client
    from assistant.models.cold import Sent
    from assistant.models.message import Message, Role
    from assistant.models.provider import Provider
    from assistant.pending import Pending
    from assistant.pricing import Pricing, Quote
    from assistant.quota.caps import Hold
    from assistant.quota.entry import Entry
    from assistant.readings import Polled
    from assistant.roster import Roster
    from assistant.standings import Standing
    from assistant.tokens import Cost, TokenUsage
    from assistant.turn import Ask


@dataclass(slots=True)
class _Running:
    """A turn that runs: what is asked and of whom, and what came of it so far."""

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


class Session:
    """One sitting in one folder. `folder` is where the user stands; the root is found when it is first needed."""

    def __init__(
        self,
        folder: Path,
        *,
        places: Places,
        config: Config,
        env: Mapping[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        client: Client | None = None,
    ) -> None:
        self.folder = folder
        self.places = places
        self.config = config
        self.env = env
        self.now = now
        self.id = fresh_id()
        """Who writes: the conversation, whatever process goes on with it."""
        self.history: list[Message] = []
        self.sight = Sight(self)
        self.answer = ""
        self.last_usage: TokenUsage | None = None
        self._sent: Sent | None = None
        self.turn = 0
        self.stopped = asyncio.Event()
        self._client = client
        self._asking = False
        self._saying: list[Message] = []
        self.held_question: HeldQuestion | None = None
        self._told: set[str] = set()
        self.asked_last = ""
        """The model that the conversation was with last, as `provider/model:effort`; empty where it names none."""
        self.cut_short = False
        """Whether that conversation ends in the middle of a turn."""

    # What it stands on, each made when first used.

    @cached_property
    def repo(self) -> Repo:
        """The repository, or plain folder, the user stands in."""
        from assistant.context.repo import Repo

        return Repo.open(self.folder)

    @property
    def root(self) -> Path:
        """The folder that edits may write in."""
        return self.repo.root

    @cached_property
    def accounts(self) -> Accounts:
        """What is burnt and what is left."""
        return Accounts(
            self.roster, self.id, places=self.places, config=self.config, client=lambda: self.client, now=self.now
        )

    @cached_property
    def pricing(self) -> Pricing:
        """What things cost, and what a question would."""
        from assistant.pricing import Pricing

        budget = self.config.context_budget
        return Pricing(self.accounts, self.roster, self.sight, self.history, budget, self.now, self._news_words)

    def _news_words(self) -> str:
        """Return what the next question tells the model of its edits. Reads files: call it in a thread."""
        return self.changes.news().words(self.changes.open_ends()) if "changes" in self.__dict__ else ""

    @cached_property
    def limits(self) -> Limits:
        """What holds a question back."""
        from assistant.limits import Limits

        return Limits(self.accounts, self.pricing, self.roster, self.config, self.now)

    @cached_property
    def journal(self) -> Journal:
        """What was written in this root, so that it can be undone."""
        from assistant.edits.journal import Journal

        return Journal(self.places.data / "journal" / _mark(self.root), self.root)

    @cached_property
    def changes(self) -> Changes:
        """What this session proposes and writes here."""
        from assistant.changes import Changes

        return Changes(self.repo, self.journal, self.id, self.sight)

    @cached_property
    def deciding(self) -> Deciding:
        """Writes what was decided, and takes it back."""
        from assistant.deciding import Deciding

        return Deciding(self)

    @cached_property
    def committing(self) -> Committing:
        """Commits what was taken."""
        from assistant.committing import Committing

        return Committing(
            self.changes,
            self.sight,
            self.roster,
            self.handover,
            sittings=lambda: self.sittings,
            asked=self._asked,
        )

    @cached_property
    def pending(self) -> Pending:
        """Keeps the hunks that wait with the conversation."""
        from assistant.pending import Pending

        return Pending(self.changes, lambda: self.sittings)

    @property
    def proposed(self) -> Proposal | None:
        """The patch that waits for decisions."""
        return self.changes.proposed if "changes" in self.__dict__ else None

    @cached_property
    def roster(self) -> Roster:
        """Who is asked, and who pays."""
        from assistant.roster import Roster

        return Roster(self.places, self.config, self.env, lambda: self.client)

    @cached_property
    def handover(self) -> Handover:
        """Hands the conversation, or side work, to another model."""
        from assistant.handover import Handover

        return Handover(self)

    @property
    def client(self) -> Client:
        """The one door to the network, opened when first used."""
        if self._client is None:
            from assistant.models.client import Client

            self._client = Client(env=self.env, now=self.now)
        return self._client

    async def close(self) -> None:
        """Let go of connections and files."""
        if self._client is not None:
            await self._client.aclose()
        self.accounts.close()
        if "sittings" in self.__dict__:
            self.sittings.close()

    # What is left.

    async def meter(self, *, ask: bool = False, hurry: bool = False) -> AsyncGenerator[events.MeterMoved, None]:
        """Say how the present plan stands; with `ask`, again when who pays has been asked, where that is due."""
        if self.roster.pick is None:
            return
        try:
            yield events.MeterMoved(await asyncio.to_thread(self.accounts.meters))
            if not ask:
                return
            key = await self.roster.key(self.roster.pick.provider)
            found = await self.accounts.poll(self.roster.pick.provider, key, hurry=hurry)
            if found is not None and found.count:
                yield events.MeterMoved(await asyncio.to_thread(self.accounts.meters))
        except (Auth, ConfigError, StateError):
            return  # whoever asks a question is told

    async def refresh(self) -> list[Polled]:
        """Ask everybody with a key whose quota can be asked for, each as soon as that is due: at the user's wish only."""

        async def one(provider: Provider) -> Polled | None:
            try:
                key = await self.roster.key(provider)
                return await self.accounts.poll(provider, key, hurry=True)
            except (Auth, ConfigError):
                return None

        asked = await asyncio.gather(*(one(each.provider) for each in self.roster.found()))
        return [each for each in asked if each is not None]

    def standings(self, *, every: bool = False) -> list[Standing]:
        """Return the plan board, of all plans there are with `every`. Reads the ledger: call it in a thread."""
        from assistant.standings import board

        return board(self.accounts, self.roster, self.config, self.now(), every=every)

    # A turn.

    async def ask(self, text: str, *, mend: tuple[Misfit, ...] = ()) -> AsyncGenerator[events.Event, None]:
        """Run one turn. Raises ConfigError while no model is chosen and Auth without its key; then nothing was sent.

        With `mend` only these edits of the last reply go back, with the nearest lines, and no new context.
        """
        from assistant import turn

        if not text.strip():
            raise ConfigError("There is no question.", "Nothing was sent.")
        typed = text
        text, masked = await asyncio.to_thread(self.sight.spoken, text)
        news = NOTHING if mend else await asyncio.to_thread(self.changes.news)
        if not mend:
            self.sight.check_pictures(self.roster.present())
        pictures = () if mend else tuple(self.sight.pictures.values())
        asked = turn.asked(text, pictures, news.words())
        most = None if mend else lambda: self.pricing.quote_at_most(text)
        price = self.quote_repair if mend else lambda: self.pricing.quote(text, sure=True)
        pick, key = await self._ready(price, most=most)
        self.turn += 1
        repairs = 0 if mend else self.config.repairs
        outcome = "" if mend else news.words(self.changes.open_ends())
        ask = turn.Ask(self.turn, text, tuple(self.history), outcome, repairs, mend=mend, pictures=pictures)
        self.sight.kept = masked
        running = _Running(ask, asked, news, pick, key, self.now(), typed)
        self._saying = [asked]
        unbooked = False
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
            self._asking = False
            self._saying = []
            if unbooked:  # the user has it back: it is not to go along with the next one by the way
                nothing = record_of(tokens.TokenUsage(), tokens.total_cost(()))
                self.sittings.save(record.end(ask.number, "error", pick.name, nothing, void=True))
                self._untold(running.news)
            elif running.ended is None:  # closed from outside: what came is kept
                self._keep_part(running)

    async def _run(self, running: _Running) -> AsyncGenerator[events.Event, None]:
        """Walk through a turn: what comes of it is kept with the conversation before a face hears of it."""
        from assistant import turn
        from assistant.desk import Desk

        ask, pick = running.ask, running.pick
        shown = await asyncio.to_thread(record.pictures, running.asked, self.sittings.keep)
        self.sittings.save(record.user(ask.number, ask.text, pick.name, shown, running.news))
        if any(running.news):  # what mends edits goes back without a word of what became of others
            self.changes.telling.tell(running.news)
        self.asked_last = pick.name
        upon = self.proposed.patch if self.proposed and ask.mend else None
        editor, why = await self._editor()
        if why:
            yield events.Notice(f"{why} {pick.model.name} writes the edits itself.", "warning")
        desk = Desk(self, ask.number, self.roster.partner(pick), running.key, upon)
        async with aclosing(turn.run(ask, desk, editor)) as stream:
            async for event in stream:
                match event:
                    case events.TextArrived(words):
                        running.pieces.append(words)
                        self.sittings.save(record.piece(ask.number, words))
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
        """Keep what a turn leaves; returns what to tell of it beside."""
        told = []
        aside = self._remember(running, ended)
        await asyncio.to_thread(self.pending.keep)
        if not running.ask.mend:
            if ended.patch is not None or ended.misfits:
                self.accounts.tried(ended, str(self.root), at_once=not running.repairs)
            if cold := await asyncio.to_thread(self._cold, running.pick, ended.sent):
                told.append(events.Notice(f"Little of this question was read from the cache: {cold}."))
        if aside is not None:
            words = f"The hunks of turn {aside.turn} that were not decided are set aside"
            told.append(events.Notice(f"{words}: /diff {aside.turn} brings them back."))
        return told

    async def _settle(self, running: _Running) -> list[events.Event]:
        """Bring the meter up to date behind a turn; returns a hold where the plan has refused it, and troubles."""
        pick, ended = running.pick, running.ended
        told: list[events.Event] = []
        if await asyncio.to_thread(self.accounts.wants_reading, pick):
            await self.accounts.poll(pick.provider, running.key, hurry=True)
        told += await self._settle_up(ended)
        await asyncio.to_thread(self.accounts.keep_line, pick)
        if ended is not None and isinstance(ended.error, ProviderError):
            text = running.typed  # it comes back to the user, who may let through what was masked
            size = self.pricing.words(text, pick) + (self.sight.sent[1].tokens if self.sight.sent else 0)
            hold = await asyncio.to_thread(self.limits.refused, ended.error, pick, text, size)
            if hold is not None and running.ask.mend:  # its words alone say nothing of the edits that were to go back
                told.append(
                    events.Notice(f"{hold.why} The hunks stay: r sends them back when there is room.", "warning")
                )
            elif hold is not None:
                told.append(events.TurnHeld(hold))
        return [*told, *(events.Notice(trouble, "warning") for trouble in self.troubles())]

    async def _settle_up(self, ended: events.TurnEnded | None) -> list[events.Event]:
        """Keep what sellers say by now of answers that were estimated, this turn's or earlier ones'; returns how the burn stands then."""
        corrected = await self.accounts.settle_up()
        usage, costs = (ended.usage, list(ended.costs)) if ended is not None else (tokens.TokenUsage(), [])
        told: list[events.Event] = []
        for owed, burnt, cost in corrected:
            kept = record.corrected(record_of(burnt, cost), record_of(owed.usage, owed.cost))
            if owed.session != self.id:
                self.sittings.tell(owed.session, kept)
                continue
            self.sittings.save(kept)
            if ended is not None and owed.turn == ended.turn and owed.cost in costs:
                usage = (usage - owed.usage + burnt)._replace(exact=burnt.exact and len(costs) == 1)
                costs[costs.index(owed.cost)] = cost
            seller = owed.pick.provider.title
            words = f"{seller} says what the answer of turn {owed.turn} cost that was cut short: {cost}"
            told.append(events.Notice(f"{words} (estimated: {owed.cost})."))
        if told:
            told.append(events.UsageMoved(usage, tokens.total_cost(costs), self.accounts.usage, self.accounts.paid()))
        return told

    def _keep_part(self, running: _Running) -> None:
        """Go on after a turn that was broken off with its question and what came of its answer."""
        from assistant.models.message import said

        self.history.append(running.asked)
        if not running.ask.mend and "changes" in self.__dict__:
            self.pending.keep()
        self._count_cut(running.ask.number, running.began)
        self.sight.shown(running.ask.pictures)
        if running.pieces:
            self.history.append(replace(said("assistant", "".join(running.pieces)), partial=True))

    async def _editor(self) -> tuple[Desk | None, str]:
        """Return the line to the editor; where it cannot be who was wished for, nobody and why: that holds up no turn."""
        from assistant.desk import Desk

        cast = self.roster.editor()
        if cast is None or cast.fell_back:
            return None, f"{cast.why}." if cast else ""
        try:
            key = await self.roster.key(cast.pick.provider)
        except Auth as error:
            return None, f"{cast.pick.name}: {error}"
        spent = await asyncio.to_thread(self.limits.spent, cast.pick)
        return (None, spent) if spent else (Desk(self, self.turn, self.roster.partner(cast.pick), key), "")

    async def _ready(
        self,
        quote: Callable[[], Quote | None],
        pick: Pick | None = None,
        most: Callable[[], Quote | None] | None = None,
    ) -> tuple[Pick, str]:
        """Return who is asked and the key, once nothing stands in the way of what costs this, `most` at most; then the session is asking."""
        if self._asking:
            raise BudgetError("A turn is running.", "Wait for its end or stop it first.")
        self._asking, self.stopped = True, asyncio.Event()
        try:
            pick = pick or self.roster.present()
            key = await self.roster.key(pick.provider)
            await asyncio.to_thread(
                self.limits.check, quote, pick, once=self.limits.allows(), most=most or (lambda: None)
            )
        except BudgetError:
            self._asking = False
            await asyncio.to_thread(self.accounts.keep_line, pick or self.roster.present())
            raise
        except BaseException:
            self._asking = False
            raise
        return pick, key

    async def repair(self) -> AsyncGenerator[events.Event, None]:
        """Send back the edits of the last reply that found no place; the hunks that did stay as they are."""
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
        """Say what `repair` would cost, with `more` that could go along; None where there is nothing to repair. Counts tokens: call it in a thread."""
        from assistant.edits import match

        misfits = (*self._mendable(), *(each for each in more if each.mendable))
        if not misfits:
            return None
        words = "\n\n".join(map(match.describe, misfits))
        return self.pricing.quote_words(self.pricing.words(words, self.roster.pick))

    def _mendable(self) -> tuple[Misfit, ...]:
        return tuple(each for each in self.proposed.misfits if each.mendable) if self.proposed is not None else ()

    async def second_opinion(self, hunk: Hunk, name: str) -> AsyncGenerator[events.Event, None]:
        """Ask another model what it thinks of a hunk; the conversation does not hear of it.

        Raises PatchError where no line of its file may leave.
        """
        words = await asyncio.to_thread(self._opinion, hunk)
        async with aclosing(self.aside("opinion", words, self.roster.catalogue.pick(name))) as stream:
            async for event in stream:
                yield event

    def opinion_words(self, hunk: Hunk) -> int:
        """Count the o200k tokens that a second opinion on a hunk has to read; 0 where no line of it may leave. Call it in a thread."""
        try:
            return tokens.count(self._opinion(hunk))
        except PatchError:
            return 0

    def _opinion(self, hunk: Hunk) -> str:
        diff = self.changes.quoted(hunk)
        return prompts.fill("opinion", question=self._asked(), path=hunk.path, header=hunk.header, diff=diff)

    def _asked(self) -> str:
        """Return what the user asked last; empty before there was a question."""
        return next((message.words for message in reversed(self.history) if message.role == "user"), "")

    async def aside(
        self, purpose: str, words: str, pick: Pick | None = None, *, max_output: int | None = None
    ) -> AsyncGenerator[events.Event, None]:
        """Ask a model something beside the conversation: no history, no context of the repository, no edits."""
        from assistant import turn
        from assistant.desk import Desk

        pick, key = await self._ready(lambda: self.pricing.quote_words(tokens.count(words), pick), pick)
        try:
            ask = turn.Ask(self.turn, words, max_output=max_output)
            desk = Desk(self, self.turn, self.roster.partner(pick), key)
            async with aclosing(turn.aside(ask, desk, purpose)) as stream:
                async for event in stream:
                    if isinstance(event, events.AsideEnded):
                        self.accounts.count(event.usage, event.cost)
                        self._note_burn(event.usage, event.cost)
                    yield event
        finally:
            self._asking = False

    def _note_burn(self, usage: TokenUsage, *costs: Cost) -> None:
        """Keep with the conversation what was burnt beside its turns; where there is none, nothing is begun for it."""
        if usage.total and self.sittings.begun:
            self.sittings.save(record.burnt(record_of(usage, tokens.total_cost(costs), costs)))

    @property
    def talk(self) -> list[Message]:
        """The conversation, with the question that is being answered right now."""
        return [*self.history, *self._saying]

    def stop(self) -> None:
        """Stop the running turn; it ends by itself with what came so far."""
        self.stopped.set()

    @property
    def whole_files(self) -> bool:
        """Whether the model that writes the edits hands in whole files, so that it has to be shown whole ones."""
        pick = self.roster.writer() or self.roster.pick
        return pick is not None and pick.model.edit_format == "whole_file"

    @property
    def asking(self) -> bool:
        """Whether a turn runs."""
        return self._asking

    def _untold(self, news: News) -> None:
        """Tell with the next question what one told that is not in the conversation."""
        if any(news):
            self.changes.telling.take_back(news)

    def _remember(self, running: _Running, ended: events.TurnEnded) -> Proposal | None:
        """Keep what a turn leaves; returns the proposal that its hunks have pushed aside."""
        from assistant.models.message import Image

        asked, mends = running.asked, bool(running.ask.mend)
        if ended.reply is not None:
            self.history += [asked, ended.reply]
            self._saying = []
            self.sight.shown(part for part in asked.parts if isinstance(part, Image))
            self.answer = ended.text
        else:
            self._untold(running.news)
        if isinstance(ended.error, Auth):
            self.roster.forget_key(ended.provider)
        self.sight.heard("" if mends else asked.words, ended.text, ended.patch.paths if ended.patch else ())
        aside = self._propose(ended, mends=mends)
        self.accounts.count(ended.usage, *ended.costs)
        self.accounts.learn(ended.usage)
        self.last_usage = ended.last if ended.last.total else self.last_usage
        model, burnt = f"{ended.provider}/{ended.model}", record_of(ended.usage, ended.cost, ended.costs)
        self.sittings.save(record.end(ended.turn, ended.stop, model, burnt, void=ended.reply is None))
        return aside

    def _cold(self, pick: Pick, sent: Sent | None) -> str:
        """Say why a provider's cache was missed by the first request of a turn; empty where it was not."""
        from assistant.models import cold

        before, self._sent = self._sent, sent or self._sent
        if before is None or sent is None:
            return ""
        return cold.why(before, sent, long_lived=pick.provider.flags.get("cache_ttl") == "1h")

    def _propose(self, ended: events.TurnEnded, *, mends: bool) -> Proposal | None:
        """Propose the edits of a turn; what `mends` others comes upon those that wait by now: some may be written meanwhile."""
        if ended.patch is None and not ended.misfits:
            return None
        from assistant.changes import Proposal
        from assistant.edits.patch import Patch

        name = ended.editor or f"{ended.provider}/{ended.served_model or ended.model}"
        patch = ended.patch or Patch()
        proposal = Proposal(
            patch, ended.misfits, ended.turn, name, ended.cost, doubts=ended.doubts, writer=ended.writer
        )
        return self.changes.propose(proposal, upon=self.proposed.patch if self.proposed and mends else None)

    # Deciding.

    def mark(self, review: Review | None, turn: int = 0) -> None:
        """Hear how the user has marked hunks that wait, those of a `turn` where it is known."""
        if "changes" in self.__dict__:
            self.pending.mark(review, turn)

    def undecided(self) -> str:
        """Say what of the conversation's hunks waits; empty where nothing does."""
        return self.pending.undecided() if "changes" in self.__dict__ else ""

    def recover(self) -> tuple[str, ...]:
        """Put back what a crash left half written; returns what to tell. Finds the root, so call it in a thread."""
        folder = self.places.data / "journal" / _mark(self.root)
        if not folder.is_dir():
            return ()
        from assistant.changes import recover

        return recover(self.journal)

    # Remembering.

    def clear(self) -> None:
        """Begin a new conversation; the old one stays on disk. Raises ConfigError while a turn runs."""
        self._check_idle()
        self._forget()
        self.accounts.recall(())
        self.sittings.close()
        self._become(fresh_id())

    def _check_idle(self) -> None:
        """Raise ConfigError while a turn runs: what it brings belongs to the conversation that it was asked in."""
        if self._asking:
            raise ConfigError("A turn is running.", "Wait for its end, or stop it with Escape.")

    def _become(self, name: str) -> None:
        """Write from now on as the conversation of that id."""
        self.id = self.sittings.name = self.accounts.session = self.changes.session = name

    def switch(self, name: str) -> events.ModelChanged:
        """Ask another model from now on; the conversation remembers it. Raises UnknownModel."""
        changed = self.roster.switch(name)
        self._note_choice()
        return changed

    def set_effort(self, level: str) -> events.ModelChanged:
        """Let the present model think so hard from now on. Raises UnknownModel, ConfigError."""
        changed = self.roster.set_effort(level)
        self._note_choice()
        return changed

    def _note_choice(self) -> None:
        name = self.roster.present().name
        if name != self.asked_last and self.sittings.begun:
            self.sittings.save(record.chosen(name))
            self.asked_last = name

    def _forget(self) -> None:
        self.history.clear()
        self.last_usage = self._sent = self.held_question = None
        self.asked_last = ""
        self.changes.clear()
        self.pending.forget()
        self.sight.forget()

    def carry(self, messages: Iterable[Message]) -> None:
        """Go on with other messages in place of the history; what was said before stays on disk.

        Raises ConfigError while a turn runs: its question and answer would be among those that are replaced.
        """
        self._check_idle()
        self.history[:] = messages
        self.last_usage = None
        self.sittings.save(record.carried(self.history, self.sittings.keep))

    def hold_question(self, text: str, until: datetime | None = None) -> None:
        """Keep a question that waits for a reset, so that it can be taken up again; none without `until`."""
        from assistant.held import HeldQuestion

        if text and until is not None:
            model = self.roster.pick.name if self.roster.pick is not None else ""
            self.held_question = HeldQuestion(text, model, self.now(), until)
            self.sittings.save(replace(self.held_question, text=self.sight.spoken(text)[0]).record())
        elif self.held_question is not None:
            self.held_question = None
            self.sittings.save({"kind": "waits", "text": ""})

    def still_held(self) -> Hold | None:
        """Weigh anew the question that waits; None where none does. Raises ConfigError. Reads the ledger: call it in a thread."""
        question, pick, held = self.held_question, self.roster.pick, None
        if question is None or pick is None:
            return question.hold(self.now()) if question is not None else None
        quote = self.pricing.quote(question.text, sure=True)
        try:
            self.limits.check(lambda: quote, pick)
        except BudgetError as error:
            held = error.hold
        others = self.limits.others(quote, pick) if held is None else ()
        return question.hold(self.now(), held, asks=pick.name, others=others)

    def take_up(self, name: str = "") -> int:
        """Take up the last sitting in this folder, or the one of that name; returns how many messages came back.

        Raises ConfigError when there is none of that name or a turn runs, StateError when it cannot be kept; then nothing
        has changed.
        """
        from assistant.held import held_question

        self._check_idle()
        before, self.held_question = (
            self.held_question,
            None,
        )  # it is not to go out meanwhile, nor into the other conversation
        try:
            records = self.sittings.open(name)
        except AssistantError:
            self.held_question = before
            raise
        if self.history or self.proposed is not None:
            self._forget()
        kept = record.read(records)
        if self.sittings.id not in {"", self.id}:
            self._become(self.sittings.id)
        self.committing.committed.update(kept.committed)
        self.held_question = held_question(records)
        self.asked_last, self.cut_short = kept.model, kept.cut_short
        self.accounts.recall(kept.burnt)
        self.history[:] = [self._message(role, each) for role, each in kept.messages]
        self.turn = max(self.turn, kept.turn)
        if kept.asked_at is not None:
            self._count_cut(kept.turn, kept.asked_at)
        self.pending.take_up(kept)
        for asked, answer in pairwise(self.history[-6:]):
            if asked.role == "user":
                self.sight.heard(asked.words, answer.text)
        return len(self.history)

    def _count_cut(self, turn: int, since: datetime) -> None:
        """Count what a turn burnt that was cut short from outside: only the book knows."""
        steps: list[Entry] = []
        with suppress(StateError):  # a book that cannot be read now costs the figure, not the conversation
            found = self.accounts.ledger.entries(since=since)
            steps = [
                each for each in found if (each.session, each.turn) == (self.id, turn) and each.state != "in_flight"
            ]
        if not steps:
            return
        usage, costs = sum((each.usage for each in steps), tokens.TokenUsage()), [each.cost for each in steps]
        self.accounts.count(usage, *costs)
        burnt = record_of(usage, tokens.total_cost(costs), costs)  # kept, so that it is counted once
        self.sittings.save(record.end(turn, record.KILLED, f"{steps[-1].provider}/{steps[-1].model}", burnt))

    def _message(self, role: Role, kept: record.Record) -> Message:
        """Make the message that a record tells of. A picture that is gone is told of, to the model and the user."""
        message, gone = record.message(role, kept, self.sittings.picture)
        if gone:
            self.sittings.warn("A picture of this conversation is gone; show it again where it is still needed.")
        return message

    @cached_property
    def sittings(self) -> Sittings:
        """The conversations of this folder on disk."""
        return Sittings(self.places.data / "sessions" / _mark(self.root), self.id, self.now, self.warnings)

    @cached_property
    def warnings(self) -> list[str]:
        """What went wrong without stopping anything; `troubles` tells it."""
        return list(self.config.warnings)

    def troubles(self) -> tuple[str, ...]:
        """Return, each once, what went wrong without stopping anything: settings, a book or talk that cannot be kept."""
        opened = "accounts" in self.__dict__ and "ledger" in self.accounts.__dict__
        known = (*self.warnings, *(self.accounts.ledger.warnings if opened else ()))
        fresh = tuple(words for words in known if words not in self._told)
        self._told.update(fresh)
        return fresh


def _mark(root: Path) -> str:
    """Name a root in a file name: its last part for people, a hash for certainty."""
    import hashlib

    return f"{root.name[:40]}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"
