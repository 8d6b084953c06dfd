"""One model call of a turn: booked before it leaves, read while it streams, settled however it ends.

A step is priced and booked with the model that it asks: the steps of one turn may ask two models. What a step needs
from outside comes through a Line, which the session lends it.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from assistant import events, tokens
from assistant.errors import AssistantError, BudgetError, ProviderError, StateError
from assistant.models import batch, picture
from assistant.models import wire as said_by
from assistant.models.history import maker_of
from assistant.models.message import Image, Text, Thought

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.format import EditParser
    from assistant.models.catalogue import Pick
    from assistant.models.estimate import Factor
    from assistant.models.provider import Model, Payer, Provider
    from assistant.models.wire import Chunk, Request, StopReason
    from assistant.tokens import Cost, TokenUsage

_BEAT_S = 0.25
"""Seconds between two updates of the estimated meters while words stream."""
FRAME = 4
"""Tokens that the frame of each message takes."""
_GATHER_S = 0.04
"""Seconds for which words may gather before they are shown: less than a frame of the screen."""


@dataclass(frozen=True, slots=True)
class Partner:
    """The model that is asked, who pays, and how the model counts, as far as that is known."""

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
    """The way to one partner: what a session lends to the steps that ask it."""

    stopped: asyncio.Event
    who: Partner

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Ask the model."""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""

    def price(
        self, usage: TokenUsage, reported: Decimal | None = None, *, at: datetime | None = None, tier: str = ""
    ) -> Cost:
        """Return the cost of a usage with this model and payer, for a request that begins now or began at `at`."""

    def held(self, words: int, costs: Sequence[Cost], answer: int = 0) -> str:
        """Say why another call of the turn, of `words` o200k tokens, may not be sent; empty where it may.

        `costs` are those of its calls so far, `answer` is the number of tokens it will write, 0 if unknown. Called in a
        thread.
        """

    def book(self, step: int, purpose: str, usage: TokenUsage, words: int) -> str:
        """Write a step of `words` o200k tokens into the ledger before it is sent; return the entry's id.

        Raises BudgetError where it may not be sent after all; the step is then booked as failed.
        """

    def settle(self, entry: str, state: str, usage: TokenUsage, cost: Cost, served_model: str) -> None:
        """Write how a step ended; called exactly once for each booking."""

    def learn(self, counted: int, reported: int) -> None:
        """Learn that the provider counts `reported` tokens where we count `counted` o200k tokens."""

    def burnt(self, usage: TokenUsage, costs: Sequence[Cost]) -> events.UsageMoved:
        """Return what this turn has burnt, with the cost of each of its steps, beside the session's total."""

    def meters(self, usage: TokenUsage, cost: Cost) -> events.MeterMoved:
        """Return the plan's meters with the step in flight added."""


@dataclass(slots=True)
class Step:
    """One model call and what has come of it so far.

    `refused` says that the call was turned down and will be tried again. `counted` are the o200k tokens of the words
    that are sent, `extra` the model's own tokens of pictures besides (low, likely, high). `edits` is the number of
    edits it wrote, `state` how it would be settled now. `usage` covers all its requests, `last` the last one where
    there were several: a provider may pause an answer and have to be asked to go on.
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
        """What the model thought; the pieces up to each seal are joined into the one thought that the seal closes."""
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
        """Return how many of the model's own tokens are sent: low, likely, high."""
        low, likely, high = (
            words + more for words, more in zip(self.line.who.factor.of(self.counted), self.extra, strict=True)
        )
        return low, likely, high

    def burn(self) -> TokenUsage:
        """Return what the step used: the provider's figures where they are final, else the greater of theirs and ours.

        Where the provider counts no input, or no output for words that came, we estimate that side. A call that was
        turned down before a word came, or never left, used nothing.
        """
        wrote = any(map(str.strip, self.text)) or self.thought_written
        if self.usage is not None and self.final and (self.usage.total_output or not wrote):
            return self.usage
        if (self.state == "failed" or self.refused) and not (self.usage or self.text or self.thinking):
            return tokens.TokenUsage()
        known = self.usage or self.estimate
        if not known.total_input:  # a count of 0 means unknown, not nothing
            known = known._replace(fresh_input=self.estimate.fresh_input)
        return known._replace(
            output=max(known.output, round(self.written)),
            reasoning=max(known.reasoning, round(self.thought_written)),
            exact=False,
        )

    def held(self) -> TokenUsage:
        """Return what the last request sent and got: a sum of several would not show how full the window is."""
        burn = self.burn()
        if self.last is None or self.usage is None:
            return burn
        return self.last._replace(  # plus what has come since that count
            output=self.last.output + burn.output - self.usage.output,
            reasoning=self.last.reasoning + burn.reasoning - self.usage.reasoning,
            exact=burn.exact,
        )

    def withdraw(self, why: AssistantError) -> None:
        """Take the step back before it leaves: it burns nothing."""
        self.error, self.stop = why, "error"

    def cost(self) -> Cost:
        """Return what the step costs so far, at the prices of the model that it asks."""
        return self.line.price(self.burn(), self.reported, at=self.began, tier=self.tier)


async def begin(purpose: str, request: Request, line: Line) -> Step:
    """Begin a step: count what it sends, and estimate that in the model's own tokens."""
    counted = await asyncio.to_thread(_count, request)
    made = Step(
        line, purpose, request, counted, tokens.TokenUsage(), picture.total(_images(request, line), line.who.provider)
    )
    made.estimate = tokens.TokenUsage(fresh_input=made.sends()[1], exact=False)
    return made


def _images(request: Request, line: Line) -> list[Image]:
    """Return the pictures that are really sent: a model without pictures is told of them in words."""
    if "images" not in line.who.model.abilities:
        return []
    return [part for message in request.messages for part in message.parts if isinstance(part, Image)]


def doubt(step: Step) -> AssistantError | events.Notice | None:
    """Check whether a question is too long for the model.

    Returns a BudgetError if it certainly is (then it is not sent), a Notice if it perhaps is, else None.
    """
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
    """Return what steps used together, and their cost, each at the prices of the model that it asked."""
    usage = tokens.TokenUsage()
    for step in steps:
        usage += step.burn()
    return usage, tokens.total_cost([step.cost() for step in steps])


async def walk(steps: Sequence[Step], found: list[Edit | Misfit]) -> AsyncGenerator[events.Event, None]:
    """Make the model call of the last step: book it, read its stream, settle it. Fills the step and `found`.

    Raises StateError where the first step of a turn cannot be booked; then nothing is sent. A later one is only
    withdrawn, since the answer is there already.
    """
    step = steps[-1]
    line = step.line
    step.began = line.now()  # prices that change by the hour are those of the hour in which the request left
    book = asyncio.to_thread(line.book, len(steps), step.purpose, step.estimate, step.counted)
    booking = asyncio.ensure_future(book)
    try:
        try:
            await asyncio.shield(booking)  # the thread goes on even if this wait is cancelled
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
    """Send the request of the last step, and yield events for what comes."""
    from assistant.edits import format as edit_format

    step = steps[-1]
    line, who = step.line, step.line.who
    if line.stopped.is_set():  # stopped while the context was gathered: nothing is sent
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
                pump.result()  # raise our own faults instead of waiting for ever
            for chunk in chunks:
                for event in _take(step, chunk):
                    if not isinstance(event, events.TextArrived):
                        yield event
                        continue
                    for words, new in _read(parser, event.text):
                        yield events.TextArrived(words)
                        found += new
                        step.edits += len(new)
                        for edit in edit_format.edits(new):
                            yield events.EditArrived(edit)
            if error is not None:
                step.error, step.stop = error, "error"
                # An answer that was counted or had begun is billed however it ended; a question that was accepted may
                # be.
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
        last = parser.close()
        found += last
        step.edits += len(last)
        for edit in edit_format.edits(last):
            yield events.EditArrived(edit)
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _settle(step: Step, entry: str) -> None:
    """Write how a step ended, and learn from it how the model counts."""
    line = step.line
    words_only = all(isinstance(part, Text) for message in step.request.messages for part in message.parts)
    if step.final and step.usage is not None and step.last is None and words_only:
        line.learn(step.counted, step.usage.total_input)  # thoughts and pictures are not in our count
    await asyncio.shield(asyncio.to_thread(line.settle, entry, step.state, step.burn(), step.cost(), step.served))


def _burnt(steps: Sequence[Step]) -> events.UsageMoved:
    """Return what steps used together, and how full the window is if the last step carries the conversation."""
    last = steps[-1]
    held = last.held().total if last.purpose in {"main", "repair"} and last.line is steps[0].line else 0
    return last.line.burnt(total(steps)[0], [step.cost() for step in steps])._replace(held=held)


def _read(parser: EditParser, text: str) -> Iterator[tuple[str, list[Edit | Misfit]]]:
    """Cut text after each line that completes an edit, so that what is said next does not belong to that edit."""
    held = ""
    for line in text.splitlines(keepends=True):
        held += line
        if new := parser.feed(line):
            yield held, new
            held = ""
    if held:
        yield held, []


class _Arrivals:
    """Chunks on their way from the client, gathered so that stopping never waits for the next word.

    Words that come within a moment of each other are taken together: drawing and counting each by itself would cost
    more than receiving it.
    """

    def __init__(self, stopped: asyncio.Event) -> None:
        self.error: AssistantError | None = None
        self.ended = False
        self._chunks: list[Chunk] = []
        self._wake = asyncio.Event()
        self._stopped = stopped

    async def fill(self, stream: AsyncGenerator[Chunk, None]) -> None:
        """Collect all chunks; ends with the stream, or when it is cancelled."""
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
        """Wait for something to happen; return the chunks that came, whether the stream has ended, and its error.

        Neighbouring words are joined into one chunk.
        """
        await self._wake.wait()
        if not (self.ended or self.error or self._stopped.is_set()):
            await asyncio.sleep(_GATHER_S)
        self._wake.clear()
        chunks, self._chunks = self._chunks, []
        ended, error = self.ended, self.error  # anything that comes from here on is for the next call
        return batch.joined(chunks), ended, error


def _take(step: Step, chunk: Chunk) -> list[events.Event]:
    """Note what a chunk says, and return the events that the face should get."""
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
            step.refused = False  # this attempt is answered
        case said_by.WaitingChunk():
            pass  # the face has a clock of its own
    return []


def _count(request: Request) -> int:
    """Count what a request sends in o200k tokens, including a few for the frame of each message."""
    return sum(map(tokens.count, request.system)) + sum(tokens.count(each.text) + FRAME for each in request.messages)
