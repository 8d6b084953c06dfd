"""The state of a sitting: who is asked, what was said, what it burnt; the one mutable object of the core.

A session counts (ledger and meters), applies (patches, with the journal) and remembers (the transcript). It is cheap to
make and builds each part only when first needed, so that a face can paint before anything is read.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from assistant import events, record, tokens
from assistant.accounts import Accounts
from assistant.errors import (
    AssistantError,
    Auth,
    BudgetError,
    ConfigError,
    StateError,
)
from assistant.lazy import made
from assistant.sight import Sight
from assistant.transcript import Conversations, fresh_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
    from pathlib import Path

    from assistant.changes import Changes, Proposal
    from assistant.committing import Committing
    from assistant.config import Config, Places
    from assistant.context.repo import Repo
    from assistant.deciding import Deciding
    from assistant.edits.journal import Journal
    from assistant.edits.review import Review
    from assistant.handover import Handover
    from assistant.limits import Limits
    from assistant.models.catalogue import Pick
    from assistant.models.client import Client
    from assistant.models.message import Message, Role
    from assistant.models.provider import Provider
    from assistant.pending import Pending
    from assistant.pricing import Pricing
    from assistant.quota.caps import Hold
    from assistant.quota.entry import Entry
    from assistant.readings import Polled
    from assistant.roster import Roster
    from assistant.running import Turns
    from assistant.standings import Standing
    from assistant.tokens import TokenUsage

_CUT_SHORT = {
    record.KILLED: "The last answer was cut short when the program ended; what had come of it is above.",
    record.ELSEWHERE: (
        "The last answer had not ended in the other window when this copy was made: what had come of it by then is above."
    ),
}


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
        """Names the conversation, whatever process continues it."""
        self.history: list[Message] = []
        self.sight = Sight(self)
        self.answer = ""
        self.last_usage: TokenUsage | None = None
        self.turn = 0
        self._client = client
        self.held_question: record.HeldQuestion | None = None
        self._told: set[str] = set()
        self.asked_last = ""
        """The model that the conversation was last with, as `provider/model:effort`; empty where that is unknown."""
        self.cut_short = ""
        """Says why the conversation that was taken up ends in the middle of a turn; empty where it does not."""

    # What it stands on, each made when first used.

    @cached_property
    def repo(self) -> Repo:
        """The repository, or plain folder, that the user stands in."""
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
        """Return what the next question tells the model about its edits. Reads files: call it in a thread."""
        return self.changes.news().words(self.changes.open_ends()) if made(self, "changes") else ""

    @cached_property
    def limits(self) -> Limits:
        """What holds a question back."""
        from assistant.limits import Limits

        return Limits(self.accounts, self.pricing, self.roster, self.config, self.now)

    @cached_property
    def turns(self) -> Turns:
        """Runs turns, and questions beside them."""
        from assistant.running import Turns

        return Turns(self)

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
            conversations=lambda: self.conversations,
            asked=self.last_question,
        )

    @cached_property
    def pending(self) -> Pending:
        """Keeps the hunks that wait with the conversation."""
        from assistant.pending import Pending

        return Pending(self.changes, lambda: self.conversations)

    @property
    def proposed(self) -> Proposal | None:
        """The patch that waits for decisions."""
        return self.changes.proposed if made(self, "changes") else None

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
        if made(self, "conversations"):
            self.conversations.close()

    # What is left.

    async def meter(self, *, ask: bool = False, hurry: bool = False) -> AsyncGenerator[events.MeterMoved, None]:
        """Yield the meters of the present plan; with `ask`, again after asking the provider, if that is due."""
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
            return  # the next question reports it

    async def ask_standing(self) -> Polled | None:
        """Ask the provider of the present model for its figures, as soon as that is due; None where it cannot be asked.

        Only at the user's wish. `note` of the answer says what went wrong.
        """
        from assistant.readings import Polled

        provider = self.roster.present().provider
        try:
            key = await self.roster.key(provider)
            return await self.accounts.poll(provider, key, hurry=True)
        except AssistantError as error:
            return Polled(provider.name, note=error.message)

    async def refresh(self) -> list[Polled]:
        """Ask every provider that has a key and reports quotas, where it is due. Only at the user's wish."""

        async def one(provider: Provider) -> Polled | None:
            try:
                key = await self.roster.key(provider)
                return await self.accounts.poll(provider, key, hurry=True)
            except (Auth, ConfigError):
                return None

        asked = await asyncio.gather(*(one(each.provider) for each in self.roster.found()))
        return [each for each in asked if each is not None]

    def standings(self, *, every: bool = False) -> list[Standing]:
        """Return the plan board; with `every`, of all plans there are. Reads the ledger: call it in a thread."""
        from assistant.standings import board

        return board(self.accounts, self.roster, self.config, self.now(), every=every)

    # A turn.

    def ask(self, text: str) -> AsyncGenerator[events.Event, None]:
        """Run one turn, see `Turns.ask`."""
        return self.turns.ask(text)

    def aside(
        self, purpose: str, words: str, pick: Pick | None = None, *, max_output: int | None = None
    ) -> AsyncGenerator[events.Event, None]:
        """Ask a model something beside the conversation, see `Turns.aside`."""
        return self.turns.aside(purpose, words, pick, max_output=max_output)

    def last_question(self) -> str:
        """Return what the user asked last; empty before there was a question."""
        return next((message.words for message in reversed(self.history) if message.role == "user"), "")

    @property
    def talk(self) -> list[Message]:
        """The conversation, with the question that is being answered right now."""
        return [*self.history, *(self.turns.saying if self.asking else ())]

    @property
    def stopped(self) -> asyncio.Event:
        """Set when the running turn is to end with what has come so far."""
        return self.turns.stopped

    def stop(self) -> None:
        """Stop the running turn; it ends by itself with what has come so far."""
        self.stopped.set()

    @property
    def whole_files(self) -> bool:
        """Whether the model that writes the edits returns whole files, so that it must be shown whole files."""
        pick = self.roster.writer() or self.roster.pick
        return pick is not None and pick.model.edit_format == "whole_file"

    @property
    def asking(self) -> bool:
        """Whether a turn runs."""
        return made(self, "turns") and self.turns.asking

    # Deciding.

    def mark(self, review: Review | None, turn: int = 0) -> None:
        """Note the user's marks on waiting hunks, those of `turn` where it is known."""
        if made(self, "changes"):
            self.pending.mark(review, turn)

    def undecided(self) -> str:
        """Say which hunks of the conversation wait; empty where none do."""
        return self.pending.undecided() if made(self, "changes") else ""

    def recover(self) -> tuple[str, ...]:
        """Undo or complete a write that a crash interrupted; return what to tell. Finds the root, so use a thread."""
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
        self.conversations.close()
        self._become(fresh_id())

    def _check_idle(self) -> None:
        """Raise ConfigError while a turn runs: its results belong to the conversation in which it was asked."""
        if self.asking:
            raise ConfigError("A turn is running.", "Wait for its end, or stop it with Escape.")

    def _become(self, name: str) -> None:
        """Write from now on as the conversation with that id."""
        self.id = self.conversations.name = self.accounts.session = self.changes.session = name

    def switch(self, name: str) -> events.ModelChanged:
        """Ask another model from now on; the conversation remembers it. Raises UnknownModel."""
        changed = self.roster.switch(name)
        self._note_choice()
        return changed

    def set_effort(self, level: str) -> events.ModelChanged:
        """Set how hard the present model thinks from now on. Raises UnknownModel, ConfigError."""
        changed = self.roster.set_effort(level)
        self._note_choice()
        return changed

    def _note_choice(self) -> None:
        name = self.roster.present().name
        if name != self.asked_last and self.conversations.begun:
            self.conversations.save(record.chosen(name))
            self.asked_last = name

    def _forget(self) -> None:
        self.history.clear()
        self.last_usage = self.held_question = None
        if made(self, "turns"):
            self.turns.forget()
        self.asked_last = ""
        self.changes.clear()
        self.pending.forget()
        self.sight.forget()

    def carry(self, messages: Iterable[Message]) -> None:
        """Replace the history by other messages; what was said before stays on disk.

        Raises ConfigError while a turn runs: its question and answer would be lost with the messages that are replaced.
        """
        self._check_idle()
        self.history[:] = messages
        self.last_usage = None
        self.conversations.save(record.carried(self.history, self.conversations.keep))

    def hold_question(self, text: str, until: datetime | None = None) -> None:
        """Save a question that waits for a reset, so that it can be taken up again; without `until`, forget it."""
        if text and until is not None:
            model = self.roster.pick.name if self.roster.pick is not None else ""
            self.held_question = record.HeldQuestion(text, model, self.now(), until)
            masked = self.held_question._replace(text=self.sight.spoken(text)[0])
            self.conversations.save(record.waits(masked))
        elif self.held_question is not None:
            self.held_question = None
            self.conversations.save(record.waits(None))

    def still_held(self) -> Hold | None:
        """Check again the question that waits; None where none does. Raises ConfigError.

        Reads the ledger: call it in a thread.
        """
        from assistant import held

        question, pick, hold = self.held_question, self.roster.pick, None
        if question is None or pick is None:
            return held.offer(question, self.now()) if question is not None else None
        quote = self.pricing.quote(question.text, sure=True)
        try:
            self.limits.check(lambda: quote, pick)
        except BudgetError as error:
            hold = error.hold
        others = self.limits.others(quote, pick) if hold is None else ()
        return held.offer(question, self.now(), hold, asks=pick.name, others=others)

    def take_up(self, name: str = "") -> int:
        """Take up the last sitting in this folder, or the one called `name`; return how many messages came back.

        Raises ConfigError when there is none of that name or a turn runs, StateError when it cannot be kept; then
        nothing has changed.
        """
        self._check_idle()
        # The question that waits must not go out meanwhile, nor into the other conversation.
        before, self.held_question = self.held_question, None
        try:
            records = self.conversations.open(name)
        except AssistantError:
            self.held_question = before
            raise
        if self.history or self.proposed is not None:
            self._forget()
        kept = record.read(records)
        if self.conversations.id not in {"", self.id}:
            self._become(self.conversations.id)
        self.committing.committed.update(kept.committed)
        self.held_question = kept.waits
        self.asked_last = kept.model
        self.accounts.recall(kept.burnt)
        self.history[:] = [self._message(role, each) for role, each in kept.messages]
        self.turn = max(self.turn, kept.turn)
        how = kept.cut_short
        if kept.asked_at is not None and self.conversations.copied:
            how = record.ELSEWHERE
            self.conversations.save(record.end(kept.turn, how, kept.model, {}))
        elif kept.asked_at is not None:
            self.count_cut(kept.turn, kept.asked_at)
        self.cut_short = _CUT_SHORT.get(how, "")
        self.pending.take_up(kept)
        self.sight.ruled = kept.ruled
        for asked, answer in pairwise(self.history[-6:]):
            if asked.role == "user":
                self.sight.heard(asked.words, answer.text)
        return len(self.history)

    def count_cut(self, turn: int, since: datetime) -> None:
        """Count what a turn burnt that was cut short from outside: only the ledger knows."""
        steps: list[Entry] = []
        with suppress(StateError):  # if the ledger cannot be read now, the figure is lost, not the conversation
            found = self.accounts.ledger.entries(since=since)
            steps = [
                each for each in found if (each.session, each.turn) == (self.id, turn) and each.state != "in_flight"
            ]
        if not steps:
            return
        usage, costs = sum((each.usage for each in steps), tokens.TokenUsage()), [each.cost for each in steps]
        self.accounts.count(usage, *costs)
        burnt = record.sums(usage, tokens.total_cost(costs), costs)  # recorded, so that it is counted only once
        self.conversations.save(record.end(turn, record.KILLED, f"{steps[-1].provider}/{steps[-1].model}", burnt))

    def _message(self, role: Role, kept: record.Record) -> Message:
        """Make the message of a record. The model and the user are told of a picture that is gone."""
        message, gone = record.message(role, kept, self.conversations.picture)
        if gone:
            self.conversations.warn("A picture of this conversation is gone; show it again where it is still needed.")
        return message

    @cached_property
    def conversations(self) -> Conversations:
        """The conversations of this folder on disk."""
        return Conversations(self.places.data / "sessions" / _mark(self.root), self.id, self.now, self.warnings)

    @cached_property
    def warnings(self) -> list[str]:
        """Faults that did not stop anything; `troubles` reports them."""
        return list(self.config.warnings)

    def troubles(self) -> tuple[str, ...]:
        """Return, each once, faults that did not stop anything: in settings, the ledger, or saving the talk."""
        opened = made(self, "accounts") and made(self.accounts, "ledger")
        known = (*self.warnings, *(self.accounts.ledger.warnings if opened else ()))
        fresh = tuple(words for words in known if words not in self._told)
        self._told.update(fresh)
        return fresh


def _mark(root: Path) -> str:
    """Return a root's name for use in a file name: its last part for people, a hash to be unique."""
    import hashlib

    return f"{root.name[:40]}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"
