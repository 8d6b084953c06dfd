"""One turn, from what the user typed to a patch that is proposed: see, talk, change, as one async stream of events.

A turn proposes and never disposes: nothing is on disk when it ends. What it needs of the world it asks of a Desk, which
the session is; so a turn reads no clock, opens no store and knows no key's name.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from assistant import events, prompts, tokens
from assistant.errors import AssistantError, BudgetError
from assistant.models import served
from assistant.models import wire as said_by
from assistant.models.estimate import UNLEARNED, Factor
from assistant.models.message import Message, Text, Thought, said
from assistant.models.wire import Request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from assistant.context.section import Context
    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.match import Fitted
    from assistant.edits.patch import Patch
    from assistant.models.provider import Model, Payer, Provider
    from assistant.models.wire import Chunk, StopReason
    from assistant.tokens import Cost, TokenUsage

_BEAT_S = 0.25
"""How often, in seconds, an estimated meter moves while words stream."""
_GATHER_S = 0.04
"""How long, in seconds, words may gather before they are shown: less than a frame of the screen."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What one turn is about. `history` is the conversation so far; `outcome` tells what became of the last edits.

    `mend` are edits of the last reply that found no place: then only these go back, and nothing else is shown. `factor`
    is how this model counts, as far as it is known.
    """

    number: int
    text: str
    provider: Provider
    model: Model
    payer: Payer
    effort: str = ""
    history: tuple[Message, ...] = ()
    outcome: str = ""
    repairs: int = 1
    max_output: int | None = None
    mend: tuple[Misfit, ...] = ()
    factor: Factor = UNLEARNED


class Desk(Protocol):
    """What a session lends to its turns."""

    stopped: asyncio.Event

    def now(self) -> datetime:
        """Return the instant, aware UTC."""

    def look(self, question: str) -> Context:
        """Gather the context; called in a thread."""

    def fit(self, edits: Sequence[Edit], seen: Mapping[str, str], shown: Sequence[str]) -> Fitted:
        """Find the places of edits in the files as they are now; called in a thread.

        `seen` as in Context, `shown` are the texts that the model has in front of it.
        """

    def describe(self, misfits: Sequence[Misfit]) -> str:
        """Say what found no place with the nearest lines, secrets masked; called in a thread."""

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Ask the model."""

    def price(self, usage: TokenUsage, reported: Decimal | None = None) -> Cost:
        """Say what a usage costs now with this turn's model and payer."""

    def book(self, step: int, purpose: str, usage: TokenUsage) -> str:
        """Write a step into the ledger before it leaves; return the entry's id."""

    def settle(self, entry: str, state: str, usage: TokenUsage, cost: Cost, served_model: str) -> None:
        """Write how a step ended; called exactly once for each booking, however it ended."""

    def learn(self, counted: int, reported: int) -> None:
        """Hear that the provider counts so many tokens where we count so many of o200k's."""

    def burnt(self, usage: TokenUsage, cost: Cost) -> events.UsageMoved:
        """Return this turn's burn beside the session's."""

    def meters(self, usage: TokenUsage, cost: Cost) -> events.MeterMoved:
        """Return the plan's meters with a step in flight added."""


@dataclass(slots=True)
class _Step:
    """What has come of one model call so far; `counted` are the o200k tokens of what is sent."""

    purpose: str
    counted: int
    estimate: TokenUsage
    text: list[str] = field(default_factory=list)
    thoughts: list[Thought] = field(default_factory=list)
    written: float = 0.0
    thought_written: float = 0.0
    usage: TokenUsage | None = None
    final: bool = False
    reported: Decimal | None = None
    served: str = ""
    stop: StopReason = "end"
    detail: str = ""
    error: AssistantError | None = None

    def burn(self) -> TokenUsage:
        """What the step used: the provider's figures where they are final, else the greater of theirs and ours."""
        if self.usage is not None and self.final:
            return self.usage
        known = self.usage or self.estimate
        return replace(
            known,
            output=max(known.output, round(self.written)),
            reasoning=max(known.reasoning, round(self.thought_written)),
            exact=False,
        )


async def run(ask: Ask, desk: Desk) -> AsyncGenerator[events.Event, None]:
    """Run one turn. The last event is TurnEnded, unless the walk is closed before."""
    yield events.TurnStarted(ask.number, ask.text, ask.provider.name, ask.model.id, ask.payer, ask.effort)
    try:
        system = _system(ask.model)
        if ask.mend:
            seen: dict[str, str] = {}
            lasting = ""
            question = prompts.fill("repair", misfits=await asyncio.to_thread(desk.describe, ask.mend))
        else:
            context = await asyncio.to_thread(desk.look, ask.text)
            yield events.ContextPacked(context, ask.model.context_window)
            seen = dict(context.seen)
            lasting = context.render(lasting=True)
            shown = context.render(lasting=False)
            asked = ask.text
            if ask.model.edit_format == "whole_file":  # mostly small models: what stands last is what they heed
                asked = prompts.fill("whole", question=asked)
            question = prompts.fill("turn", context=shown, outcome=ask.outcome, question=asked)
    except AssistantError as trouble:
        yield _ended(ask, desk, [], None, (), trouble)
        return
    messages = _after(lasting, (*ask.history, said("user", question)))

    steps: list[_Step] = []
    edits: list[Edit] = []
    fitted: Fitted | None = None
    broken: tuple[Misfit, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    while True:
        request = Request(ask.model, (system,), messages, ask.max_output, ask.effort)
        step = await _step("repair" if steps else "main", request, ask)
        doubt = None if steps else _doubt(ask, step)
        if isinstance(doubt, AssistantError):
            yield _ended(ask, desk, [], None, (), doubt)
            return
        if doubt is not None:
            yield doubt
        steps.append(step)
        found: list[Edit | Misfit] = []
        async with aclosing(_talk(ask, desk, request, steps, found)) as talk:
            async for event in talk:
                yield event
        if step.error or step.stop in {"cancelled", "refused"}:
            break
        new = [each for each in found if not _is_misfit(each)]
        unread = tuple(each for each in found if _is_misfit(each))
        if fitted is not None:
            edits = _without(edits, (*fitted.misfits, *broken))
        edits += new  # type: ignore[arg-type]
        broken = (*_passed_over(misfits, new, unread), *unread)  # type: ignore[arg-type]
        fitted = await asyncio.to_thread(desk.fit, edits, seen, [each.text for each in messages])
        misfits = (*broken, *fitted.misfits)
        if misfits:
            yield events.EditsMisfit(misfits)
        if not misfits or len(steps) > ask.repairs or step.stop == "length" or desk.stopped.is_set():
            break
        answer = "".join(step.text)
        wish = prompts.fill("repair", misfits=await asyncio.to_thread(desk.describe, misfits))
        messages = (*messages, said("assistant", answer), said("user", wish))

    last = steps[-1]
    error = last.error
    if error is not None and len(steps) > 1:
        # The answer itself is whole; only the request to mend it failed. What fits is still proposed.
        yield events.Notice(f"The repair of the edits failed: {error}", "warning")
        error = None
    patch = fitted.patch if fitted is not None and fitted.patch.files and not error else None
    if fitted is not None:
        for note in fitted.notes:
            if note.warns:
                yield events.Notice(note.text, "warning")
    if patch is not None:
        yield events.PatchProposed(patch, ask.number)
    yield _ended(ask, desk, steps, patch, misfits, error)


async def aside(ask: Ask, desk: Desk, purpose: str) -> AsyncGenerator[events.Event, None]:
    """Ask one thing beside the conversation: no history, no context, no edits. The last event is AsideEnded."""
    yield events.AsideStarted(purpose, ask.provider.name, ask.model.id, ask.payer)
    request = Request(ask.model, (), (said("user", ask.text),), ask.max_output, ask.effort)
    steps = [await _step(purpose, request, ask)]
    async with aclosing(_talk(ask, desk, request, steps, [])) as talk:
        async for event in talk:
            if not isinstance(event, events.EditArrived):
                yield event
    step = steps[0]
    usage, cost = _sum(desk, steps)
    yield events.AsideEnded(purpose, "".join(step.text), step.served, step.stop, usage, cost, step.error)


async def _talk(
    ask: Ask, desk: Desk, request: Request, steps: list[_Step], found: list[Edit | Misfit]
) -> AsyncGenerator[events.Event, None]:
    """Make one model call: book it, walk its stream, settle it. Fills the last step and `found`."""
    from assistant.edits import format as edit_format

    step = steps[-1]
    low, likely, high = ask.factor.of(step.counted)
    yield events.RequestSent(len(steps), step.purpose, low, likely, high, desk.price(step.estimate))
    parser = edit_format.open_parser()
    entry = await asyncio.to_thread(desk.book, len(steps), step.purpose, step.estimate)
    state = "interrupted"
    inbox = _Inbox(desk.stopped)
    pump = asyncio.create_task(inbox.fill(desk.stream(request)))
    moved = 0.0
    clock = asyncio.get_running_loop().time
    try:
        while state == "interrupted" and step.error is None:
            batch = await inbox.take()
            for chunk in batch:
                for event in _take(ask, step, chunk):
                    yield event
                    if isinstance(event, events.TextArrived):
                        new = parser.feed(event.text)
                        found += new
                        for edit in new:
                            if not _is_misfit(edit):
                                yield events.EditArrived(edit)  # type: ignore[arg-type]
            if inbox.error is not None:
                step.error, step.stop = inbox.error, "error"
                state = "interrupted" if step.text else "failed"
            elif inbox.ended:
                state = "settled"
            elif desk.stopped.is_set():
                step.stop = "cancelled"
                break
            elif clock() - moved >= _BEAT_S:
                moved = clock()
                burn, cost = _sum(desk, steps)
                yield desk.burnt(burn, cost)
                yield desk.meters(step.burn(), desk.price(step.burn()))
        for edit in parser.close():
            found.append(edit)
            if not _is_misfit(edit):
                yield events.EditArrived(edit)  # type: ignore[arg-type]
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)
        if state == "failed" and step.usage is None:
            step.estimate = tokens.TokenUsage()  # refused before a word: nothing was burnt
        if (
            step.final
            and step.usage is not None
            and all(isinstance(p, Text) for m in request.messages for p in m.parts)
        ):
            desk.learn(step.counted, step.usage.total_input)  # thoughts and pictures are not in our count
        desk.settle(entry, state, step.burn(), desk.price(step.burn(), step.reported), step.served)
    burn, cost = _sum(desk, steps)
    yield desk.burnt(burn, cost)
    yield await asyncio.to_thread(desk.meters, tokens.TokenUsage(), desk.price(tokens.TokenUsage()))


class _Inbox:
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

    async def take(self) -> list[Chunk]:
        """Wait for something to happen; return what has come, neighbouring words joined."""
        await self._wake.wait()
        if not (self.ended or self.error or self._stopped.is_set()):
            await asyncio.sleep(_GATHER_S)
        self._wake.clear()
        chunks, self._chunks = self._chunks, []
        joined: list[Chunk] = []
        words: list[str] = []
        for chunk in chunks:
            if isinstance(chunk, said_by.TextChunk):
                words.append(chunk.text)
                continue
            if words:
                joined.append(said_by.TextChunk("".join(words)))
                words = []
            joined.append(chunk)
        if words:
            joined.append(said_by.TextChunk("".join(words)))
        return joined


def _take(ask: Ask, step: _Step, chunk: Chunk) -> list[events.Event]:
    """Note what a chunk says and return what the face should hear of it."""
    match chunk:
        case said_by.TextChunk(text):
            step.text.append(text)
            step.written += tokens.count(text) * ask.factor.likely
            return [events.TextArrived(text)]
        case said_by.ThoughtChunk(text, seal):
            _think(ask, step, text, seal)
            step.thought_written += tokens.count(text) * ask.factor.likely
            return [events.ThoughtArrived(text)] if text else []
        case said_by.UsageChunk(usage, final, reported):
            step.usage, step.final = usage, step.final or final
            step.reported = reported if reported is not None else step.reported
        case said_by.ServedChunk(model):
            step.served = model
        case said_by.StopChunk(reason, detail):
            step.stop, step.detail = reason, detail
        case said_by.WaitingChunk(note):
            return [events.Waiting(note)]
        case said_by.RetryChunk(attempt, wait_s, error):
            return [events.Retrying(attempt, wait_s, error)]
        case said_by.ToolCallChunk(_, name):
            return [events.Notice(f"The model tried to call a tool ({name}); Wattson offers none.", "warning")]
        case said_by.HeadersChunk():
            pass
    return []


def _think(ask: Ask, step: _Step, text: str, seal: str) -> None:
    """Gather thoughts; a seal closes the thought it comes with."""
    maker = f"{ask.provider.wire}:{ask.provider.name}"
    if step.thoughts and not step.thoughts[-1].seal:
        last = step.thoughts.pop()
        step.thoughts.append(Thought(last.text + text, maker, seal))
    else:
        step.thoughts.append(Thought(text, maker, seal))


def _system(model: Model) -> str:
    return prompts.fill("system", format=prompts.fill(f"formats/{model.edit_format}"))


def _after(lasting: str, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Put what every turn shows before the conversation: while it stays the same, a provider's cache finds all of it."""
    if not lasting:
        return messages
    words = prompts.fill("lasting", context=lasting)
    first = messages[0]
    if first.role != "user":
        return (said("user", words), *messages)
    return (replace(first, parts=(Text(f"{words}\n"), *first.parts)), *messages[1:])


async def _step(purpose: str, request: Request, ask: Ask) -> _Step:
    """Begin a step: count what it sends, and estimate it in the model's own tokens."""
    counted = await asyncio.to_thread(_count, request)
    return _Step(purpose, counted, tokens.TokenUsage(fresh_input=ask.factor.of(counted)[1], exact=False))


def _doubt(ask: Ask, step: _Step) -> AssistantError | events.Notice | None:
    """Say whether a question is too long for the model: certainly (then it is not sent), perhaps, or not."""
    window = ask.model.context_window
    low, likely, high = ask.factor.of(step.counted)
    if window is None or likely <= window:
        return None
    words = f"The question has about {likely:,} tokens ({low:,} to {high:,}); {ask.model.name} holds {window:,}."
    if low > window:
        return BudgetError(
            f"{words} Nothing was sent.",
            "Begin anew with /clear, unpin files with /drop, or choose a larger model with /model.",
        )
    return events.Notice(f"{words} It may be refused.", "warning")


def _count(request: Request) -> int:
    """Count what a request sends in o200k tokens. A few a message go to its frame."""
    return sum(map(tokens.count, request.system)) + sum(tokens.count(each.text) + 4 for each in request.messages)


def _is_misfit(found: Edit | Misfit) -> bool:
    return hasattr(found, "reason")


def _without(edits: Sequence[Edit], misfits: Sequence[Misfit]) -> list[Edit]:
    """Leave out the edits that found no place: a repair replaces them."""
    gone = {id(each.edit) for each in misfits}
    return [each for each in edits if id(each) not in gone]


def _passed_over(misfits: Sequence[Misfit], new: Sequence[Edit], unread: Sequence[Misfit]) -> list[Misfit]:
    """Return the misfits that a repair says nothing of: they are not mended.

    What is there already may be left out; where the path was wrong, any edit may be the one that was meant.
    """
    spoken = {each.path for each in new} | {each.edit.path for each in unread}
    return [
        each
        for each in misfits
        if each.reason != "already"
        and not spoken & {each.edit.path, *each.edit.also}
        and not (new and each.reason in {"no_file", "outside", "malformed"})
    ]


def _sum(desk: Desk, steps: Sequence[_Step]) -> tuple[TokenUsage, Cost]:
    usage = tokens.TokenUsage()
    for step in steps:
        usage += step.burn()
    return usage, tokens.total_cost([desk.price(step.burn(), step.reported) for step in steps])


def _ended(
    ask: Ask,
    desk: Desk,
    steps: Sequence[_Step],
    patch: Patch | None,
    misfits: tuple[Misfit, ...],
    error: AssistantError | None,
) -> events.TurnEnded:
    usage, cost = _sum(desk, steps)
    main = steps[0] if steps else None
    stop: StopReason = "error" if error or main is None else main.stop
    return events.TurnEnded(
        turn=ask.number,
        provider=ask.provider.name,
        model=ask.model.id,
        served_model=next((step.served for step in steps if step.served), ""),
        text=_text(steps),
        thought="".join(thought.text for step in steps for thought in step.thoughts),
        stop=stop,
        usage=usage,
        cost=cost,
        patch=patch,
        misfits=misfits,
        error=error,
        ended_at=desk.now(),
        reply=_reply(steps, stop),
        last=steps[-1].burn() if steps else tokens.TokenUsage(),
        stranger=any(step.served and not served.is_same(ask.model, step.served) for step in steps),
    )


def _reply(steps: Sequence[_Step], stop: StopReason) -> Message | None:
    """Make the message that the history keeps; None when nothing was said."""
    text = _text(steps)
    if not text:
        return None
    thoughts = tuple(steps[0].thoughts)
    return Message("assistant", (*thoughts, Text(text)), partial=stop in {"cancelled", "error", "length"})


def _text(steps: Sequence[_Step]) -> str:
    return "\n\n".join("".join(step.text) for step in steps if step.text)
