"""The state of a sitting: who is asked, what was said, what it burnt; the one mutable object of the core.

A session counts (ledger and meters), applies (patches, with the journal) and remembers (the transcript). It is made
cheaply and reaches for a room only when that room is needed, so that a face can paint before anything is read.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from assistant import events, prompts, record, tokens
from assistant.accounts import Accounts, record_of
from assistant.errors import (
    AssistantError,
    Auth,
    BudgetError,
    ConfigError,
    PatchError,
    ProviderError,
    Stale,
    StateError,
)
from assistant.sight import Sight
from assistant.transcript import Sittings, fresh_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
    from pathlib import Path

    from assistant.accounts import Quote
    from assistant.changes import Changes, Proposal
    from assistant.config import Config, Places
    from assistant.context.commit import Committed
    from assistant.context.repo import Repo
    from assistant.desk import Desk
    from assistant.edits.edit import Misfit
    from assistant.edits.journal import Journal, Preview, Way
    from assistant.edits.patch import Hunk, Patch
    from assistant.edits.review import Review
    from assistant.handover import Handover
    from assistant.limits import Limits, Waiting
    from assistant.models.catalogue import Pick
    from assistant.models.client import Client
    from assistant.models.cold import Sent
    from assistant.models.message import Message, Role
    from assistant.models.provider import Provider
    from assistant.quota.caps import Hold
    from assistant.readings import Polled
    from assistant.roster import Roster
    from assistant.standings import Standing
    from assistant.tokens import TokenUsage


_DIFF_KEPT = 4_000_000
"""Characters of a diff up to which it is kept with the conversation while it waits for decisions."""


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
        self.waiting: Waiting | None = None
        self._told: set[str] = set()
        self._waits = record.proposed("", [])
        self._saved: dict[int, Patch] = {}
        """What is kept with the conversation of the hunks of each turn."""
        self._keeping = threading.Lock()
        self._left: dict[str, Any] = {}
        self.asked_last = ""
        """The model of the conversation that was taken up."""
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
    def limits(self) -> Limits:
        """What holds a question back."""
        from assistant.limits import Limits

        return Limits(self.accounts, self.roster, self.config, self.now)

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

    # What it costs.

    def quote(self, text: str, pick: Pick | None = None, *, sure: bool = False) -> Quote | None:
        """Say what sending `text` now would cost, the editor's part beside; None while no model is chosen.

        `sure` gathers the context to know its size; else that is done only for a question that names something. Counts
        tokens: call it in a thread.
        """
        pick = pick or self.roster.pick
        if pick is None:
            return None
        context = self.sight.expect(text, sure=sure)
        words = self._words(text) + context
        quote = self.accounts.quote(words + self.sight.picture_words(self.history, pick), pick)
        editor = self.roster.editor()
        if quote is None or editor is None or editor.fell_back:
            return quote
        from assistant.errand import EARLIER

        alone = self._words(text, talk=False) + context
        return self.accounts.with_editor(quote, alone + min(words - alone, EARLIER), editor.pick)

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

    def next_models(self) -> list[str]:
        """Name the models that a quote is compared with: the favourites, then what was asked last."""
        names = dict.fromkeys((*self.roster.favourites, *self.roster.recents))
        return [name for name in names if self.roster.pick is None or name != self.roster.pick.model.name]

    def carried(self) -> int:
        """Estimate the o200k tokens that go out with the next question, whatever it says."""
        return self._words("")

    def _words(self, text: str, *, talk: bool = True) -> int:
        """Estimate the o200k tokens that a question sends beside its context: its own, and those of the conversation."""
        return prompts.AROUND + tokens.count(text) + sum(tokens.count(each.text) + 4 for each in self.history if talk)

    # A turn.

    async def ask(self, text: str, *, mend: tuple[Misfit, ...] = ()) -> AsyncGenerator[events.Event, None]:
        """Run one turn. Raises ConfigError while no model is chosen and Auth without its key; then nothing was sent.

        With `mend` only these edits of the last reply go back, with the nearest lines, and no new context.
        """
        from assistant import turn
        from assistant.desk import Desk
        from assistant.models.message import said

        if not text.strip():
            raise ConfigError("There is no question.", "Nothing was sent.")
        outcome = "" if mend else await asyncio.to_thread(self.changes.outcome)
        if not mend:
            self.sight.check_pictures(self.roster.present())
        pictures = () if mend else tuple(self.sight.pictures.values())
        asked = turn.asked(text, pictures)
        pieces: list[str] = []
        ended: events.TurnEnded | None = None
        repairs = 0
        quote = self.quote_repair if mend else lambda: self.quote(text, sure=True)
        pick, key = await self._ready(quote)
        unbooked = False
        try:
            self.turn += 1
            ask = turn.Ask(
                self.turn,
                text,
                tuple(self.history),
                outcome,
                0 if mend else self.config.repairs,
                mend=mend,
                pictures=pictures,
            )
            self._saying = [asked]
            shown = await asyncio.to_thread(record.pictures, asked, self.sittings.keep)
            self.sittings.save(record.user(self.turn, text, pick.model.name, shown))
            waiting = self.proposed.patch if self.proposed and mend else None
            editor, why = await self._editor()
            if why:
                yield events.Notice(f"{why} {pick.model.name} writes the edits itself.", "warning")
            desk = Desk(self, self.turn, self.roster.partner(pick), key, waiting)
            async with aclosing(turn.run(ask, desk, editor)) as stream:
                async for event in stream:
                    match event:
                        case events.TextArrived(words):
                            pieces.append(words)
                            self.sittings.save(record.piece(self.turn, words))
                        case events.RequestSent(purpose="repair"):
                            repairs += 1
                        case events.TurnEnded():
                            ended = event
                            aside = self._remember(asked, ended, mends=bool(mend))
                            await asyncio.to_thread(self._keep_proposal)
                            if not mend and (ended.patch is not None or ended.misfits):
                                self.accounts.tried(ended, str(self.root), at_once=not repairs)
                            cold = "" if mend else await asyncio.to_thread(self._cold, pick, ended.sent)
                            if cold:
                                yield events.Notice(f"Little of this question was read from the cache: {cold}.")
                            if aside is not None:
                                words = f"The hunks of turn {aside.turn} that were not decided are set aside"
                                yield events.Notice(f"{words}: /diff {aside.turn} brings them back.")
                        case _:
                            pass
                    yield event
            if await asyncio.to_thread(self.accounts.wants_reading, pick):
                await self.accounts.poll(pick.provider, key, hurry=True)
            await asyncio.to_thread(self.accounts.keep_line, pick)
            if ended is not None and isinstance(ended.error, ProviderError):
                size = self._words(text) + (self.sight.sent[1].tokens if self.sight.sent else 0)
                hold = await asyncio.to_thread(self.limits.refused, ended.error, pick, text, size)
                if hold is not None:
                    yield events.TurnHeld(hold)
            for trouble in self.troubles():
                yield events.Notice(trouble, "warning")
        except StateError:
            unbooked = ended is None and not pieces
            raise
        finally:
            self._asking = False
            self._saying = []
            if unbooked:  # the user has it back: it is not to go along with the next one by the way
                self.sittings.save(record.carried(self.history, self.sittings.keep))
            elif ended is None:  # closed from outside: what came is kept
                self.history.append(asked)
                self.sight.shown(pictures)
                if pieces:
                    self.history.append(replace(said("assistant", "".join(pieces)), partial=True))

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

    async def _ready(self, quote: Callable[[], Quote | None], pick: Pick | None = None) -> tuple[Pick, str]:
        """Return who is asked and the key, once nothing stands in the way of what costs this; then the session is asking."""
        if self._asking:
            raise BudgetError("A turn is running.", "Wait for its end or stop it first.")
        self._asking, self.stopped = True, asyncio.Event()
        try:
            pick = pick or self.roster.present()
            key = await self.roster.key(pick.provider)
            await asyncio.to_thread(self.limits.check, quote, pick, once=self.limits.allows())
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

    def quote_repair(self) -> Quote | None:
        """Say what `repair` would cost; None where there is nothing to repair. Counts tokens: call it in a thread."""
        from assistant.edits import match

        misfits = self._mendable()
        if not misfits:
            return None
        words = "\n\n".join(map(match.describe, misfits))
        return self.accounts.quote(self._words(words))

    def _mendable(self) -> tuple[Misfit, ...]:
        return tuple(each for each in self.proposed.misfits if each.mendable) if self.proposed is not None else ()

    async def second_opinion(self, hunk: Hunk, name: str) -> AsyncGenerator[events.Event, None]:
        """Ask another model what it thinks of a hunk; the conversation does not hear of it.

        Raises PatchError where no line of its file may leave.
        """
        asked = next((message.text for message in reversed(self.history) if message.role == "user"), "")
        diff = await asyncio.to_thread(self.changes.quoted, hunk)
        words = prompts.fill("opinion", question=asked, path=hunk.path, header=hunk.header, diff=diff)
        async with aclosing(self.aside("opinion", words, self.roster.catalogue.pick(name))) as stream:
            async for event in stream:
                yield event

    async def aside(
        self, purpose: str, words: str, pick: Pick | None = None, *, max_output: int | None = None
    ) -> AsyncGenerator[events.Event, None]:
        """Ask a model something beside the conversation: no history, no context of the repository, no edits."""
        from assistant import turn
        from assistant.desk import Desk

        pick, key = await self._ready(lambda: self.accounts.quote(tokens.count(words), pick), pick)
        try:
            ask = turn.Ask(self.turn, words, max_output=max_output)
            desk = Desk(self, self.turn, self.roster.partner(pick), key)
            async with aclosing(turn.aside(ask, desk, purpose)) as stream:
                async for event in stream:
                    if isinstance(event, events.AsideEnded):
                        self.accounts.count(event.usage, event.cost)
                    yield event
        finally:
            self._asking = False

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
        editor = self.roster.editor()
        pick = self.roster.pick if editor is None or editor.fell_back else editor.pick
        return pick is not None and pick.model.edit_format == "whole_file"

    @property
    def asking(self) -> bool:
        """Whether a turn runs."""
        return self._asking

    def _remember(self, asked: Message, ended: events.TurnEnded, *, mends: bool) -> Proposal | None:
        """Keep what a turn leaves; returns the proposal that its hunks have pushed aside."""
        from assistant.models.message import Image

        if ended.reply is not None:
            self.history += [asked, ended.reply]
            self._saying = []
            self.sight.shown(part for part in asked.parts if isinstance(part, Image))
            self.answer = ended.text
            if not mends:  # what mends edits goes back without a word of what became of others
                self.changes.told()
        if isinstance(ended.error, Auth):
            self.roster.forget_key(ended.provider)
        self.sight.heard("" if mends else asked.text, ended.text, ended.patch.paths if ended.patch else ())
        aside = self._propose(ended, mends=mends)
        self.accounts.count(ended.usage, *ended.costs)
        self.accounts.learn(ended.usage)
        self.last_usage = ended.last if ended.last.total else self.last_usage
        model, burnt = f"{ended.provider}/{ended.model}", record_of(ended.usage, ended.cost, ended.costs)
        self.sittings.save(record.end(ended.turn, ended.stop, model, burnt))
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

    def _keep_proposal(self) -> None:
        """Keep what waits for decisions with the conversation: who takes it up again can still decide.

        What was set aside is kept anew where some of it was written since. Two threads may have come here at once.
        """
        with self._keeping:
            one, aside = self.proposed, self.changes.set_aside
            kept = self._record(one, aside)
            stale = [each for each in aside if self._saved.get(each.turn) != each.patch]
            if kept == self._waits and not stale:
                return
            for each in stale:
                self.sittings.save(self._record(each, aside))
            self.sittings.save(kept)
            self._left = {}  # marks are read from behind what they are about
            self._waits = kept
            self._saved = {each.turn: each.patch for each in (*aside, *([one] if one is not None else ()))}

    def _record(self, one: Proposal | None, aside: Iterable[Proposal]) -> record.Record:
        """Make the record of hunks that wait."""
        diff = one.patch.diff() if one is not None else ""
        if len(diff) > _DIFF_KEPT:
            words = (
                f"The hunks that wait are larger than the {_DIFF_KEPT:,} characters that are kept with a conversation"
            )
            self.sittings.warn(f"{words}: who takes it up again does not find them. Decide them before you end.")
            diff = ""
        about = (
            {"turn": one.turn, "model": one.model, "writer": one.writer, "doubted": one.doubted()}
            if one and diff
            else {}
        )
        return record.proposed(diff, [each.turn for each in aside], **about)

    # Deciding.

    def bring_back(self, turn: int) -> bool:
        """Let hunks wait again that were set aside when those of that turn had not been decided; says whether there were any."""
        found = self.changes.bring_back(turn) is not None
        self._keep_proposal()
        return found

    def leave(self, review: Review | None) -> None:
        """Hear how the user has left the hunks that wait: what he says of them goes along with his next question.

        It is kept with the conversation, so that who takes that up finds his marks and words again.
        """
        if self.proposed is None or review is None:
            return
        self.changes.left = review
        if review.patch == self.proposed.patch and (marks := review.record()) != self._left:
            self._left = marks
            self.sittings.save(record.left(marks))

    def waits(self) -> str:
        """Say what of the conversation's hunks waits; empty where nothing does."""
        proposed = self.proposed
        if proposed is None or not proposed.patch.files:
            return ""
        left = self.changes.left
        taken = len(left.taken) if left is not None and left.patch == proposed.patch else 0
        size = len(proposed.patch.hunks)
        marked = f", {taken} of them taken but not written," if taken else ""
        return f"{size} hunk{'s' if size > 1 else ''} of turn {proposed.turn}{marked} wait{'' if size > 1 else 's'}"

    def recover(self) -> tuple[str, ...]:
        """Put back what a crash left half written; returns what to tell. Finds the root, so call it in a thread."""
        folder = self.places.data / "journal" / _mark(self.root)
        if not folder.is_dir():
            return ()
        from assistant.changes import recover

        return recover(self.journal)

    async def apply(self, review: Review, *, label: str = "") -> AsyncGenerator[events.Event, None]:
        """Write what was taken, all or nothing; raises PatchError and writes nothing when the disk has moved on.

        When the hunks can be moved onto what a file has become meanwhile, they are shown again instead (PatchMoved).
        What is skipped, edited or commented goes to the model with the next question.
        """
        from assistant.edits.patch import Patch

        origin = self.changes.origin(review)
        try:
            written = await asyncio.to_thread(self.changes.write, review, label=label, now=self.now())
        except Stale as stale:
            moved = await asyncio.to_thread(self.changes.moved, review)
            if moved is None:
                hint = "Ask again, or undo that change. With its hunks skipped the rest can be written."
                raise Stale(stale.message, hint, path=stale.path) from stale
            await asyncio.to_thread(self._keep_proposal)
            if review.skipped and origin is not None:  # they are gone: whoever wrote them is not asked about them again
                await asyncio.to_thread(self._decided, origin, review.only("skip"), Patch())
            now = self.proposed
            if moved.choices and (now is None or now.patch != moved.patch):
                turn = next((each.turn for each in self.changes.set_aside if each.patch == moved.patch), 0)
                hint = f"Other hunks came meanwhile: /diff{f' {turn}' if turn else ''} shows these again."
                raise Stale(stale.message, hint, path=stale.path) from stale
            yield events.PatchMoved(moved, stale.message)
            return
        await asyncio.to_thread(self._keep_proposal)
        if written.origin is not None:
            await asyncio.to_thread(self._decided, written.origin, review, written.kept)
        left = self.proposed.patch if self.proposed is not None else None
        yield events.PatchApplied(written.kept, "applied", left if left is not None and left.files else None)
        for words in self.changes.asides():
            yield events.Notice(words, "warning")

    def _decided(self, origin: Proposal, review: Review, kept: Patch) -> None:
        self.accounts.decided(origin.turn, origin.writer, str(self.root), review, kept)

    async def undo(self, *, way: Way = "undo") -> AsyncGenerator[events.Event, None]:
        """Take back (or make again) the last step at once, never over what was typed since."""
        preview = await asyncio.to_thread(self.journal.preview, way)
        async with aclosing(self.carry_out(preview)) as stream:
            async for event in stream:
                yield event

    async def preview(
        self, way: Way, *, step: int | None = None, file: str = "", turn: int | None = None, session: bool = False
    ) -> AsyncGenerator[events.Event, None]:
        """Show what undo or redo would do: of the last step, of one, of what was done last in a file, of a turn, or of the session."""
        from assistant.edits.patch import Patch

        mine = self.id if session or turn is not None else None
        hunks = None
        if file:
            step, hunks = await asyncio.to_thread(self.about, way, file)
        part = hunks.hunks if hunks is not None else None
        preview = await asyncio.to_thread(self.journal.preview, way, step=step, turn=turn, session=mine, hunks=part)
        if len(preview.steps) == 1:
            if hunks is None:
                look = self.journal.standing if way == "undo" else self.journal.taken_back
                hunks = await asyncio.to_thread(look, preview.steps[0].id)
            changed = {each.path: each.why for each in preview.conflicts}
            rest = Patch(tuple(file for file in hunks.files if file.target not in changed and file.path not in changed))
            if changed and rest.files:  # what can be turned back is not kept from it by what cannot
                number = preview.steps[0].id
                preview = await asyncio.to_thread(self.journal.preview, way, step=number, hunks=rest.hunks)
                hunks = rest
                words = f"These stay as they are: {'; '.join(changed.values())} The rest can be chosen."
                yield events.Notice(words, "warning")
        yield events.UndoProposed(preview, hunks)

    def about(self, way: Way, file: str, step: int | None = None) -> tuple[int, Patch]:
        """Find what undo or redo would be about in a file, named from the root or from where the user stands."""
        name = file.removeprefix("@").strip("\"'")
        here = os.path.relpath(self.folder / name, self.root)
        return self.journal.about(way, dict.fromkeys((os.path.normpath(name), here)), step)

    async def choose(self, preview: Preview, review: Review) -> AsyncGenerator[events.Event, None]:
        """Undo or redo only some hunks of a step. What had to go around something typed since is shown first."""
        some = len(review.taken) < len(review.choices)
        if (
            review.patch is preview.patch
        ):  # what is shown is what will be written, of several steps or around later changes
            if some:
                words = f"This is written as a whole, or not at all. /{preview.way} NUMBER shows one step, to choose hunks of."
                yield events.Notice(words, "warning")
                return
        else:
            if some:
                number = preview.steps[0].id
                preview = await asyncio.to_thread(self.journal.preview, preview.way, step=number, hunks=review.taken)
            if preview.merged and not preview.conflicts:
                yield events.UndoProposed(preview, None)
                return
        async with aclosing(self.carry_out(preview)) as stream:
            async for event in stream:
                yield event

    async def carry_out(self, preview: Preview) -> AsyncGenerator[events.Event, None]:
        """Write exactly what a preview showed."""
        patch = await asyncio.to_thread(self.changes.carry_out, preview, now=self.now())
        left = self.proposed.patch if self.proposed else None
        yield events.PatchApplied(patch, "undone" if preview.way == "undo" else "redone", left)
        for words in self.changes.asides():
            yield events.Notice(words, "warning")

    async def draft_commit(self) -> AsyncGenerator[events.Event, None]:
        """Let a model draft the message for a commit of what was taken; AsideEnded has it."""
        asked = next((message.text for message in reversed(self.history) if message.role == "user"), "")
        words = await asyncio.to_thread(self.changes.commit_words, asked)
        async with aclosing(self.handover.side("commit message", words)) as stream:
            async for event in stream:
                yield event

    async def commit(self, message: str) -> AsyncGenerator[events.Event, None]:
        """Commit exactly what this session has written and not committed; hooks run, what is staged stays staged."""
        made = await asyncio.to_thread(self._commit, message)
        words = [f"committed {made.id[:10]}: {', '.join(made.paths)}", *made.output.splitlines(), *made.notes]
        yield events.Notice("\n".join(words), "good")

    def _commit(self, message: str) -> Committed:
        """Commit, and note it with all conversations that wrote what is committed."""
        before = set(self.changes.committed)
        made = self.changes.commit(message, hide=self.roster.key_names())
        done = self.changes.committed - before
        self.sittings.save(record.committed(done))
        for each in {step.session for step in self.journal.history() if step.id in done} - {self.id, ""}:
            self.sittings.tell(each, record.committed(done))
        return made

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

    def _forget(self) -> None:
        self.history.clear()
        self.last_usage = self._sent = self.waiting = None
        self._waits, self._saved = record.proposed("", []), {}
        self.changes.clear()
        self.sight.forget()

    def carry(self, messages: Iterable[Message]) -> None:
        """Go on with other messages in place of the history; what was said before stays on disk.

        Raises ConfigError while a turn runs: its question and answer would be among those that are replaced.
        """
        self._check_idle()
        self.history[:] = messages
        self.last_usage = None
        self.sittings.save(record.carried(self.history, self.sittings.keep))

    def wait(self, text: str, until: datetime | None = None) -> None:
        """Keep a question that waits for a reset, so that it can be taken up again; none without `until`."""
        from assistant.limits import Waiting

        if text and until is not None:
            model = self.roster.pick.model.name if self.roster.pick is not None else ""
            self.waiting = Waiting(text, model, self.now(), until)
            self.sittings.save(self.waiting.record())
        elif self.waiting is not None:
            self.waiting = None
            self.sittings.save({"kind": "waits", "text": ""})

    def still_held(self) -> Hold | None:
        """Weigh anew the question that waits; None where none does. Raises ConfigError. Reads the ledger: call it in a thread."""
        waiting, pick, held = self.waiting, self.roster.pick, None
        if waiting is None:
            return None
        try:
            if pick is not None:
                self.limits.check(lambda: self.quote(waiting.text, sure=True), pick)
        except BudgetError as error:
            held = error.hold
        return waiting.hold(self.now(), held)

    def take_up(self, name: str = "") -> int:
        """Take up the last sitting in this folder, or the one of that name; returns how many messages came back.

        Raises ConfigError when there is none of that name or a turn runs, StateError when it cannot be kept; then nothing
        has changed.
        """
        from assistant import limits

        self._check_idle()
        before, self.waiting = self.waiting, None  # it is not to go out meanwhile, nor into the other conversation
        try:
            records = self.sittings.open(name)
        except AssistantError:
            self.waiting = before
            raise
        if self.history or self.proposed is not None:
            self._forget()
        kept = record.read(records)
        if self.sittings.id not in {"", self.id}:
            self._become(self.sittings.id)
        self.changes.committed.update(kept.committed)
        self.waiting = limits.waiting(records)
        self.asked_last, self.cut_short = kept.model, kept.cut_short
        self.accounts.recall(kept.burnt)
        self.history[:] = [self._message(role, each) for role, each in kept.messages]
        self.turn = max(self.turn, kept.turn)
        for each in (*kept.aside, *([kept.proposed] if kept.proposed else [])):
            turn, model, writer = record.turn_of(each), *map(each.get, ("model", "writer"))
            about = str(model or ""), each.get("doubted"), str(writer or "")
            self.changes.take_up(str(each["diff"]), turn, *about, aside=each is not kept.proposed)
        self._waits = kept.proposed or record.proposed("", [each.turn for each in self.changes.set_aside])
        waiting = (*self.changes.set_aside, *([self.proposed] if self.proposed is not None else ()))
        self._saved = {each.turn: each.patch for each in waiting}
        if kept.left and self.proposed is not None:
            from assistant.edits.review import Review

            self.changes.left = Review.of(self.proposed.patch).recall(kept.left)
        for asked, answer in pairwise(self.history[-6:]):
            if asked.role == "user":
                self.sight.heard(asked.text, answer.text)
        return len(self.history)

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
