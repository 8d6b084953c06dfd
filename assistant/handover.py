"""Work given to another model: a conversation handed over to it, or side work for a small model.

Only models that the user named are asked. If a helper fails, the main model takes over, and the user is told. If a
brief cannot be written, everything stays as it was.
"""

from __future__ import annotations

import asyncio
import operator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assistant import events, tokens
from assistant.errors import AssistantError, ConfigError
from assistant.sight import CONTEXT_GUESS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from datetime import datetime

    from assistant.models.catalogue import Pick
    from assistant.models.message import Message
    from assistant.models.roles import Cast
    from assistant.models.switch import Carried, Sheet, Way
    from assistant.roster import Roster
    from assistant.sight import Sight
    from assistant.tokens import Cost, TokenUsage

    Stream = AsyncGenerator[events.Event, None]

_BRIEF = 170
"""o200k tokens of the words that ask for a brief."""


class Spends(Protocol):
    """What Handover needs of the limits."""

    def spent(self, pick: Pick) -> str:
        """Say that a model's window is used up; empty where it is not. Reads the ledger."""


class Sitting(Protocol):
    """What Handover needs of the session. `last_usage` is the usage of its last request, None before the first."""

    history: list[Message]
    sight: Sight
    last_usage: TokenUsage | None

    @property
    def talk(self) -> list[Message]:
        """The conversation, with the question that is being answered right now."""

    @property
    def roster(self) -> Roster:
        """Who is asked, and who pays."""

    @property
    def limits(self) -> Spends:
        """What holds a question back."""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""

    def aside(self, purpose: str, words: str, pick: Pick | None = None, *, max_output: int | None = None) -> Stream:
        """Ask something beside the conversation."""

    def switch(self, name: str) -> events.ModelChanged:
        """Ask another model from now on."""

    def carry(self, messages: Iterable[Message]) -> None:
        """Go on with other messages in place of the history."""


@dataclass(frozen=True, slots=True)
class SwitchOffer:
    """All that is known before a switch: the sheet of ways, who would write a brief, and its highest cost.

    `reads` are the tokens of the conversation that the writer can read, and those of all of it. `hindered` says why the
    writer cannot be asked now, `shut` why the new model cannot; each is empty where it can.
    """

    sheet: Sheet
    writer: Cast
    brief: Cost
    reads: tuple[int, int]
    hindered: str = ""
    shut: str = ""

    @property
    def writing(self) -> str:
        """A sentence that says who would write a brief at what cost, or why nobody can."""
        name = self.writer.pick.name
        if self.hindered:
            return f"{name} cannot write a brief: {self.hindered}"
        part = _part(*self.reads)
        what = f"{name} can read {part} and" if part else f"{name} reads all of it and"
        other = "; /model small=NAME lets another one write it" if part else ""
        if self.brief.amount:
            return f"{what} writes a brief for at most {self.brief}{other}"
        return f"{what if part else name} would write a brief: {self.brief}{other}"


class Handover:
    """Hands over the conversation of one sitting. `trouble` says why the last attempt at a switch got no brief."""

    def __init__(self, sitting: Sitting) -> None:
        self.trouble = ""
        self._failed, self._stopped = "", False  # why the last brief could not be written, and whether it was stopped
        self._folded: tuple[list[Message], list[Message]] = ([], [])
        self._sitting = sitting
        self._counts: dict[bytes, int] = {}

    # Before a switch.

    def needed(self, name: str) -> bool:
        """Say whether to show the offer before a switch: there is a conversation, and it was with another model.

        Raises UnknownModel.
        """
        target, here = self._sitting.roster.catalogue.pick(name), self._sitting.roster.pick
        return bool(self._sitting.talk) and here is not None and target.model.name != here.model.name

    def offer(self, name: str) -> SwitchOffer:
        """Return what a switch to a model means. Raises UnknownModel.

        Counts tokens and reads the ledger: call it in a thread.
        """
        from assistant.models import price
        from assistant.models.switch import BRIEF_MOST

        roster = self._sitting.roster
        writer = roster.cast("small")
        payer = roster.payer(writer.pick.provider)
        reads = self._reads(self._sitting.talk, writer.pick)
        words = roster.factor(writer.pick.model).of(_BRIEF)[1]
        burn = tokens.TokenUsage(fresh_input=words + reads[0], output=BRIEF_MOST)
        cost = price.cost(writer.pick.model, burn, self._sitting.now(), payer)
        target = roster.catalogue.pick(name)
        return SwitchOffer(self._sheet(target), writer, cost, reads, self._why_not(writer.pick), self._why_not(target))

    def _reads(self, history: Sequence[Message], writer: Pick) -> tuple[int, int]:
        """Return how many tokens of a conversation a writer can read, and how many it has, as the writer counts."""
        from assistant.models import switch

        whole, factor = switch.size(history, count=self._count), self._sitting.roster.factor(writer.model)
        return factor.of(min(whole, switch.room(writer)))[1], factor.of(whole)[1]

    def _why_not(self, pick: Pick) -> str:
        """Say why a model cannot be asked now; empty where it can."""
        if self._sitting.roster.lacks_key(pick.provider):
            return f"there is no key for {pick.provider.title}: set {' or '.join(pick.provider.key_names)}."
        return self._sitting.limits.spent(pick)

    def effects(self, names: Iterable[str]) -> dict[str, Carried]:
        """Return, by model, what carrying the whole conversation over to it means; empty without a conversation.

        Counts tokens: call it in a thread.
        """
        if not self._sitting.talk:
            return {}
        return {name: self._sheet(self._sitting.roster.catalogue.pick(name)).ways[0] for name in names}

    def _sheet(self, target: Pick) -> Sheet:
        from assistant.models import switch

        sitting, roster = self._sitting, self._sitting.roster
        return switch.sheet(
            sitting.talk,
            roster.pick,
            target,
            payer_before=roster.payer(roster.pick.provider) if roster.pick else None,
            payer_after=roster.payer(target.provider),
            last_usage=sitting.last_usage,
            beside=self._beside(target),
            now=sitting.now(),
            learned=roster.learned,
            count=self._count,
        )

    def _beside(self, target: Pick) -> int:
        from assistant import turn

        return turn.around(target.model) + (
            self._sitting.sight.context.tokens if self._sitting.sight.context else CONTEXT_GUESS
        )

    def _count(self, text: str) -> int:
        """Count tokens, and keep the result by a digest: the same long text is asked about for many models."""
        import hashlib  # not for the first frame

        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key not in self._counts:
            self._counts[key] = tokens.count(text)
        return self._counts[key]

    # The switch.

    async def go(self, name: str, way: Way) -> Stream:
        """Switch to a model and carry the conversation over in the way that the user chose. Raises UnknownModel.

        If a brief cannot be written, the user is told, nothing changes, and the other ways are offered again.
        """
        self._sitting.roster.catalogue.pick(name)
        self.trouble = ""
        async with aclosing(self.shorten(way)) as stream:
            async for event in stream:
                yield event
        if self._stopped:
            return
        if self._failed:
            self.trouble = self._failed
            yield events.Asked("switch", name)
        else:
            yield self._sitting.switch(name)
            crowded = await asyncio.to_thread(self._crowded)
            if crowded:
                yield events.Notice(crowded, "warning")

    def _crowded(self) -> str:
        """Say that the conversation does not fit the present model, and what helps; empty where it may fit."""
        pick = self._sitting.roster.present()
        all_of_it = self._sheet(pick).ways[0]
        if all_of_it.fits != "no" or not self._sitting.talk:
            return ""
        holds = f"{pick.model.name} holds {pick.model.context_window:,} tokens, and the next question sends about {all_of_it.tokens[1]:,}"
        return f"{holds}: /compact makes it short, /drop unpins files."

    async def shorten(self, way: Way) -> Stream:
        """Replace the conversation by a brief of it, or by its last request; on failure say so and change nothing."""
        from assistant.models import switch

        sitting = self._sitting
        self._failed, self._stopped, brief = "", False, ""
        if way == "everything":
            return
        if way == "brief":
            ended: events.AsideEnded | None = None
            try:
                async with aclosing(self._brief()) as stream:
                    async for event in stream:
                        yield event
                        ended = event if isinstance(event, events.AsideEnded) else ended
                if ended is not None and ended.error is None and ended.stop == "end":
                    brief = ended.text.strip()
                else:
                    self._failed = _why(ended)
            except AssistantError as error:
                self._failed = error.message
            if not brief:
                self._failed = self._failed or "the model wrote nothing."
                self._stopped = ended is not None and ended.stop == "cancelled"
                here = sitting.roster.present().model.name
                yield events.Notice(f"There is no brief: {self._failed} {here} is still asked.", "warning")
                return
        before = list(sitting.history)
        after = list(switch.carry(before, way, brief))
        sitting.carry(after)
        if before:
            self._folded = (before, after)
            words = "as the brief above" if brief else "as its last request"
            if brief and (
                part := _part(*await asyncio.to_thread(self._reads, before, sitting.roster.cast("small").pick))
            ):
                words += f", made from {part}"
            yield events.Notice(
                f"The conversation goes along {words}; /compact undo brings its {len(before)} messages back."
            )

    def unfold(self) -> int:
        """Undo the last shortening of this sitting, keeping what was said since; return the number of messages.

        Raises ConfigError when nothing was shortened, or when that conversation is over.
        """
        before, after = self._folded
        since = self._sitting.history[len(after) :]
        if not before or not all(map(operator.is_, after, self._sitting.history)):
            raise ConfigError("This conversation was not made short in this sitting.", "/resume lists those on disk.")
        self._sitting.carry([*before, *since])
        self._folded = ([], [])
        return len(before) + len(since)

    async def _brief(self) -> Stream:
        from assistant.models import switch

        sitting = self._sitting
        cast = sitting.roster.cast("small")
        request = await asyncio.to_thread(switch.brief_request, list(sitting.history), cast.pick, count=self._count)
        words = request.messages[0].text
        async with aclosing(self.side("brief", words, cast=cast, max_output=request.max_output)) as stream:
            async for event in stream:
                yield event

    # Side work.

    async def side(
        self, purpose: str, words: str, *, cast: Cast | None = None, max_output: int | None = None
    ) -> Stream:
        """Let the small model do side work; where it cannot, say so and let the main model do it."""
        from assistant.models import roles

        roster = self._sitting.roster
        main = roster.present()
        now: Cast | None = cast or roster.cast("small")
        while now is not None:
            if now.fell_back:
                yield events.Notice(f"{now.why}; {now.pick.name} is asked instead.", "warning")
            why = ""
            async with aclosing(self._sitting.aside(purpose, words, now.pick, max_output=max_output)) as stream:
                following = None
                try:
                    async for event in stream:
                        if isinstance(event, events.AsideEnded) and event.error is not None:
                            why = event.error.message
                            following = roles.after_failure(now, main, why)
                            if following is not None:
                                continue  # the work is not over: another model takes it on
                        yield event
                except AssistantError as error:  # nothing was sent: there is no key, or a cap is in the way
                    following = roles.after_failure(now, main, error.message)
                    if following is None:
                        raise
            now = following


def _part(read: int, whole: int) -> str:
    """Say how much of a conversation can be read; empty where all of it can."""
    return f"~{read:,} of the ~{whole:,} tokens" if read < whole else ""


def _why(ended: events.AsideEnded | None) -> str:
    if ended is None:
        return "nothing came."
    return ended.error.message if ended.error else f"the answer ended early ({ended.stop})."
