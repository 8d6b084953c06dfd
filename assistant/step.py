"""One model call of a turn: booked before it leaves, walked while it streams, settled however it ends.

A step belongs to whoever is asked, and is priced and booked with them: the steps of one turn may be those of two models.
What a step needs of the world it asks of a Line, which the session lends.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from assistant import events, tokens
from assistant.edits.edit import Edit
from assistant.errors import AssistantError, BudgetError, ProviderError, StateError
from assistant.models import batch, picture
from assistant.models import wire as said_by
from assistant.models.history import maker_of
from assistant.models.message import Image, Text, Thought

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from assistant.edits.edit import Misfit
    from assistant.edits.format import EditParser
    from assistant.models.catalogue import Pick
    from assistant.models.estimate import Factor
    from assistant.models.provider import Model, Payer, Provider
    from assistant.models.wire import Chunk, Request, StopReason
    from assistant.tokens import Cost, TokenUsage

_BEAT_S = 0.25
"""How often, in seconds, an estimated meter moves while words stream."""
FRAME = 4
"""Tokens that go to the frame of a message."""
_GATHER_S = 0.04
"""How long, in seconds, words may gather before they are shown: less than a frame of the screen."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Who is asked, who pays, and how the model counts, as far as that is known."""

    pick: Pick
    payer: Payer
    factor: Factor

    @property
    def model(self) -> Model:
        """The model."""
        return self.pick.model

    @property
    def provider(self) -> Provider:
        """Who sells it."""
        return self.pick.provider


class Line(Protocol):
    """The way to one partner: what a session lends to the steps that ask them."""

    stopped: asyncio.Event
    who: Partner

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Ask the model."""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""

    def price(
        self, usage: TokenUsage, reported: Decimal | None = None, *, at: datetime | None = None, tier: str = ""
    ) -> Cost:
        """Say what a usage costs with this model and payer, of a request that begins now, or began at an instant."""

    def held(self, words: int, costs: Sequence[Cost], answer: int = 0) -> str:
        """Say why a further call of the turn may not leave, one of so many o200k tokens; empty where it may.

        `costs` are those of its calls so far, `answer` is how many tokens it will write, 0 where nobody knows; called in
        a thread.
        """

    def book(self, step: int, purpose: str, usage: TokenUsage, words: int) -> str:
        """Write a step of so many o200k tokens into the ledger before it leaves; return the entry's id.

        Raises BudgetError where it may not leave after all; then it is booked as one that failed.
        """

    def settle(self, entry: str, state: str, usage: TokenUsage, cost: Cost, served_model: str) -> None:
        """Write how a step ended; called exactly once for each booking, however it ended."""

    def learn(self, counted: int, reported: int) -> None:
        """Hear that the provider counts so many tokens where we count so many of o200k's."""

    def burnt(self, usage: TokenUsage, costs: Sequence[Cost]) -> events.UsageMoved:
        """Return this turn's burn, with what each of its steps costs, beside the session's."""

    def meters(self, usage: TokenUsage, cost: Cost) -> events.MeterMoved:
        """Return the plan's meters with a step in flight added."""


@dataclass(slots=True)
class Step:
    """What has come of one model call so far; `refused` while it was turned down and is to be tried again. `counted` are the o200k tokens of the words that are sent.

    `extra` are the model's own tokens of pictures beside them (low, likely, high), `edits` says how many it wrote, `state`
    how it would be settled now. `usage` is of all its requests, `last` of the last one where it took several: a provider may
    pause an answer and be asked to go on.
    """

    line: Line
    purpose: str
    request: Request
    counted: int
    estimate: TokenUsage
    extra: tuple[int, int, int] = (0, 0, 0)
    text: list[str] = field(default_factory=list)
    thinking: list[said_by.ThoughtChunk] = field(default_factory=list)
    written: float = 0.0
    thought_written: float = 0.0
    usage: TokenUsage | None = None
    last: TokenUsage | None = None
    final: bool = False
    reported: Decimal | None = None
    tier: str = ""
    began: datetime | None = None
    served: str = ""
    stop: StopReason = "end"
    detail: str = ""
    error: AssistantError | None = None
    refused: bool = False
    state: Literal["failed", "interrupted", "settled"] = "failed"
    edits: int = 0

    @property
    def thoughts(self) -> tuple[Thought, ...]:
        """What it thought, joined up to each seal: that closes the thought it comes with."""
        found: list[Thought] = []
        pieces: list[str] = []
        maker = maker_of(self.line.who.provider)
        for chunk in self.thinking:
            pieces.append(chunk.text)
            if chunk.seal or chunk is self.thinking[-1]:
                found.append(Thought("".join(pieces), maker, chunk.seal))
                pieces = []
        return tuple(found)

    def sends(self) -> tuple[int, int, int]:
        """How many of the model's own tokens are sent: low, likely, high."""
        low, likely, high = (
            words + more for words, more in zip(self.line.who.factor.of(self.counted), self.extra, strict=True)
        )
        return low, likely, high

    def burn(self) -> TokenUsage:
        """What the step used: the provider's figures where they are final, else the greater of theirs and ours.

        A side that they say nothing of, neither what was sent nor the words that came, is ours to estimate. What was
        turned down before a word, or never left, used nothing.
        """
        wrote = any(map(str.strip, self.text)) or self.thought_written
        if self.usage is not None and self.final and (self.usage.total_output or not wrote):
            return self.usage
        if (self.state == "failed" or self.refused) and not (self.usage or self.text or self.thinking):
            return tokens.TokenUsage()
        known = self.usage or self.estimate
        if not known.total_input:  # none counted, which is unknown and not nothing
            known = known._replace(fresh_input=self.estimate.fresh_input)
        return known._replace(
            output=max(known.output, round(self.written)),
            reasoning=max(known.reasoning, round(self.thought_written)),
            exact=False,
        )

    def held(self) -> TokenUsage:
        """What its last request sent and got: of an answer that took several, the sum says nothing of how full a window is."""
        burn = self.burn()
        if self.last is None or self.usage is None:
            return burn
        return self.last._replace(  # with what has come since it was counted
            output=self.last.output + burn.output - self.usage.output,
            reasoning=self.last.reasoning + burn.reasoning - self.usage.reasoning,
            exact=burn.exact,
        )

    def withdraw(self, why: AssistantError) -> None:
        """Take it back before it leaves: it burns nothing."""
        self.error, self.stop = why, "error"

    def cost(self) -> Cost:
        """What it costs so far, as who was asked sells it."""
        return self.line.price(self.burn(), self.reported, at=self.began, tier=self.tier)


async def begin(purpose: str, request: Request, line: Line) -> Step:
    """Begin a step: count what it sends, and estimate it in the model's own tokens."""
    counted = await asyncio.to_thread(_count, request)
    made = Step(
        line, purpose, request, counted, tokens.TokenUsage(), picture.total(_images(request, line), line.who.provider)
    )
    made.estimate = tokens.TokenUsage(fresh_input=made.sends()[1], exact=False)
    return made


def _images(request: Request, line: Line) -> list[Image]:
    """Return the pictures that are really sent: a model that cannot look at them is told of them in words."""
    if "images" not in line.who.model.abilities:
        return []
    return [part for message in request.messages for part in message.parts if isinstance(part, Image)]


def doubt(step: Step) -> AssistantError | events.Notice | None:
    """Say whether a question is too long for the model: certainly (then it is not sent), perhaps, or not."""
    who = step.line.who
    window = who.model.context_window
    low, likely, high = step.sends()
    if window is None or likely <= window:
        return None
    words = f"The question has about {likely:,} tokens ({low:,} to {high:,}); {who.model.name} holds {window:,}."
    if low > window:
        *before, asked = step.request.messages
        much = sum(len(each.text) for each in before) > len(asked.text)
        begin = "Make it short with /compact, begin anew" if much else "Begin anew"
        hint = f"{begin} with /clear, unpin files with /drop, or choose a larger model with /model."
        return BudgetError(f"{words} Nothing was sent.", hint)
    return events.Notice(f"{words} It may be refused.", "warning")


def total(steps: Sequence[Step]) -> tuple[TokenUsage, Cost]:
    """Return what steps used together, and what that costs, each as who was asked sells it."""
    usage = tokens.TokenUsage()
    for step in steps:
        usage += step.burn()
    return usage, tokens.total_cost([step.cost() for step in steps])


async def walk(steps: Sequence[Step], found: list[Edit | Misfit]) -> AsyncGenerator[events.Event, None]:
    """Make the model call of the last step: book it, walk its stream, settle it. Fills the step and `found`.

    Raises StateError where the first one of a turn cannot be booked; then nothing is sent. A later one is withdrawn: it takes
    back no answer.
    """
    step = steps[-1]
    line = step.line
    step.began = line.now()  # a price that changes with the hour is that of the hour in which the request left
    book = asyncio.to_thread(line.book, len(steps), step.purpose, step.estimate, step.counted)
    booking = asyncio.ensure_future(book)
    try:
        try:
            await asyncio.shield(booking)  # a thread goes on, whoever waits for it
        except BudgetError as held:
            step.withdraw(held)
            return
        except StateError as error:
            if step is steps[0]:
                raise
            step.withdraw(error)
            return
        async with aclosing(_listen(steps, found)) as heard:
            async for event in heard:
                yield event
    finally:
        await asyncio.wait([booking])
        if booking.exception() is None:
            await _settle(step, booking.result())
    yield _burnt(steps)
    yield await asyncio.to_thread(line.meters, tokens.TokenUsage(), line.price(tokens.TokenUsage()))


async def _listen(steps: Sequence[Step], found: list[Edit | Misfit]) -> AsyncGenerator[events.Event, None]:
    """Send the request of the last step, and tell of what comes."""
    from assistant.edits import format as edit_format

    step = steps[-1]
    line, who = step.line, step.line.who
    if line.stopped.is_set():  # while its context was looked for: nothing leaves any more
        step.stop = "cancelled"
        return
    yield events.RequestSent(
        len(steps), step.purpose, *step.sends(), line.price(step.estimate), who.model.name, who.payer
    )
    parser = edit_format.open_parser()
    step.state = "interrupted"
    arrivals = _Arrivals(line.stopped)
    pump = asyncio.create_task(arrivals.fill(line.stream(step.request)))
    moved = 0.0
    clock = asyncio.get_running_loop().time
    try:
        while step.state == "interrupted" and step.error is None:
            chunks, ended, error = await arrivals.take()
            if pump.done():
                pump.result()  # a fault of ours goes up, instead of a wait for ever
            for chunk in chunks:
                for event in _take(step, chunk):
                    if not isinstance(event, events.TextArrived):
                        yield event
                        continue
                    for words, new in _read(parser, event.text):
                        yield events.TextArrived(words)
                        found += new
                        step.edits += len(new)
                        for edit in new:
                            if isinstance(edit, Edit) and not edit.part:
                                yield events.EditArrived(edit)
            if error is not None:
                step.error, step.stop = error, "error"
                # What was counted, or had begun, is billed however it ended; what was taken may be.
                taken = isinstance(error, ProviderError) and error.taken
                begun = step.text or step.thinking or step.usage is not None or taken
                step.state, step.refused = "interrupted" if begun else "failed", step.refused and not taken
            elif ended:
                step.state = "settled"
            elif line.stopped.is_set():
                step.stop = "cancelled"
                break
            elif step.refused or clock() - moved >= _BEAT_S:
                moved = clock()
                yield _burnt(steps)
                yield await asyncio.to_thread(line.meters, step.burn(), step.cost())
        for edit in parser.close():
            found.append(edit)
            step.edits += 1
            if isinstance(edit, Edit) and not edit.part:
                yield events.EditArrived(edit)
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _settle(step: Step, entry: str) -> None:
    """Write how a step ended, however it did, and learn from it how the model counts."""
    line = step.line
    words_only = all(isinstance(part, Text) for message in step.request.messages for part in message.parts)
    if step.final and step.usage is not None and step.last is None and words_only:
        line.learn(step.counted, step.usage.total_input)  # thoughts and pictures are not in our count
    await asyncio.shield(asyncio.to_thread(line.settle, entry, step.state, step.burn(), step.cost(), step.served))


def _burnt(steps: Sequence[Step]) -> events.UsageMoved:
    """Say what steps used together, and what the last of them holds where it carries the conversation."""
    last = steps[-1]
    held = last.held().total if last.purpose in {"main", "repair"} and last.line is steps[0].line else 0
    return last.line.burnt(total(steps)[0], [step.cost() for step in steps])._replace(held=held)


def _read(parser: EditParser, text: str) -> Iterator[tuple[str, list[Edit | Misfit]]]:
    """Cut words behind each line with which an edit is whole: what is said after it does not belong to it."""
    held = ""
    for line in text.splitlines(keepends=True):
        held += line
        if new := parser.feed(line):
            yield held, new
            held = ""
    if held:
        yield held, []


class _Arrivals:
    """Chunks on their way from the client, so that stopping never waits for the next word.

    Words that come within a moment of each other are taken together: drawing and counting each by itself would cost more
    than receiving it.
    """

    def __init__(self, stopped: asyncio.Event) -> None:
        self.error: AssistantError | None = None
        self.ended = False
        self._chunks: list[Chunk] = []
        self._wake = asyncio.Event()
        self._stopped = stopped

    async def fill(self, stream: AsyncGenerator[Chunk, None]) -> None:
        """Take all that comes; ends with the stream, or when it is cancelled."""
        watch = asyncio.create_task(self._watch())
        try:
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    self._chunks.append(chunk)
                    self._wake.set()
            self.ended = True
        except AssistantError as error:
            self.error = error
        finally:
            watch.cancel()
            self._wake.set()

    async def _watch(self) -> None:
        await self._stopped.wait()
        self._wake.set()

    async def take(self) -> tuple[list[Chunk], bool, AssistantError | None]:
        """Wait for something to happen; return what has come, neighbouring words joined, and whether and how it ended with that."""
        await self._wake.wait()
        if not (self.ended or self.error or self._stopped.is_set()):
            await asyncio.sleep(_GATHER_S)
        self._wake.clear()
        chunks, self._chunks = self._chunks, []
        ended, error = self.ended, self.error  # what comes from here on is for the next time
        return batch.joined(chunks), ended, error


def _take(step: Step, chunk: Chunk) -> list[events.Event]:
    """Note what a chunk says and return what the face should hear of it."""
    match chunk:
        case said_by.TextChunk(text):
            step.text.append(text)
            step.written += tokens.count(text) * step.line.who.factor.likely
            return [events.TextArrived(text)]
        case said_by.ThoughtChunk(text):
            step.thinking.append(chunk)
            step.thought_written += tokens.count(text) * step.line.who.factor.likely
            return [events.ThoughtArrived(text)] if text else []
        case said_by.UsageChunk(usage, final, reported, tier, last):
            step.last = last
            step.usage, step.final, step.tier = usage, step.final or final, tier or step.tier
            step.reported = reported if reported is not None else step.reported
        case said_by.ServedChunk(model):
            step.served = model
        case said_by.StopChunk(reason, detail):
            step.stop, step.detail = reason, detail
        case said_by.RetryChunk(attempt, wait_s, error):
            step.refused = True
            return [events.Retrying(attempt, wait_s, error)]
        case said_by.ToolCallChunk(_, name):
            return [events.Notice(f"The model tried to call a tool ({name}); Wattson offers none.", "warning")]
        case said_by.HeadersChunk():
            step.refused = False  # this time it is answered
        case said_by.WaitingChunk():
            pass  # the face has a clock of its own
    return []


def _count(request: Request) -> int:
    """Count what a request sends in o200k tokens. A few a message go to its frame."""
    return sum(map(tokens.count, request.system)) + sum(tokens.count(each.text) + FRAME for each in request.messages)
