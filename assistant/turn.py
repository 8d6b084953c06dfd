"""One turn, from the user's words to a proposed patch: see, talk, change, as one async stream of events.

A turn only proposes: nothing is on disk when it ends. What it needs from outside comes through a Desk, which the
session lends it; so a turn reads no clock, opens no store and knows no key's name.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Protocol

from assistant import editor_request, events, prompts, step, tokens
from assistant.edits.edit import Edit, Misfit
from assistant.errors import AssistantError, BudgetError
from assistant.models import served
from assistant.models.cold import Sent
from assistant.models.message import Image, Message, Text, said
from assistant.models.wire import Request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import datetime

    from assistant.context.section import Context, Masked
    from assistant.edits.match import Fitted
    from assistant.edits.patch import Patch
    from assistant.models.provider import Model
    from assistant.models.wire import StopReason
    from assistant.step import Step


@dataclass(frozen=True, slots=True)
class Ask:
    """What one turn is about. `history` is the conversation so far; `outcome` tells what became of the last edits.

    `mend` are edits of the last reply that found no place: if given, only these are sent back, and nothing else is
    shown. `pictures` stand before the words of the question; `masked` are the secrets masked in those words.
    """

    number: int
    text: str
    history: tuple[Message, ...] = ()
    outcome: str = ""
    repairs: int = 1
    max_output: int | None = None
    mend: tuple[Misfit, ...] = ()
    pictures: tuple[Image, ...] = ()
    masked: tuple[Masked, ...] = ()


class Desk(step.Line, Protocol):
    """What a session lends to its turns: the line to the model that is asked, a look at files, and fitting of edits."""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""

    def look(self, ask: Ask, plan: str = "") -> Context:
        """Gather the context of a question, and of what a plan for it names; called in a thread."""

    def fit(self, edits: Sequence[Edit], seen: Mapping[str, str], shown: Sequence[str]) -> Fitted:
        """Find the places of edits in the files as they are now; called in a thread.

        `seen` is as in Context; `shown` are the texts that the model has in front of it.
        """

    def describe(self, misfits: Sequence[Misfit]) -> str:
        """Describe edits without a place, with the nearest lines, secrets masked; called in a thread."""


async def run(ask: Ask, desk: Desk, editor: step.Line | None = None) -> AsyncGenerator[events.Event, None]:
    """Run one turn. The last event is TurnEnded, unless the stream is closed before.

    With an `editor`, the model at the desk plans in prose, and the editor writes the edits and their repairs. If the
    editor fails, the edits are lost, but never the plan.
    """
    who, editor = desk.who, None if ask.mend else editor
    notation = "" if editor else who.model.edit_format
    yield events.TurnStarted(ask.number, ask.text, who.provider.name, who.model.id, who.payer, who.pick.effort)
    try:
        if ask.mend:
            shown = _Shown(question=prompts.fill("repair", misfits=await asyncio.to_thread(desk.describe, ask.mend)))
        else:
            context = await asyncio.to_thread(desk.look, ask)
            yield events.ContextPacked(context, who.model.context_window)
            shown = _Shown.of(context, ask, _wish(ask.text, notation))
        system = _system(notation)
    except AssistantError as trouble:
        yield _ended(ask, desk, [], None, (), trouble)
        return
    request = _request(desk, system, shown.after((*ask.history, asked(shown.question, ask.pictures))), ask)

    steps: list[Step] = []
    draft = _Draft()
    line: step.Line = desk
    purpose = "main"
    while True:
        now = await step.begin(purpose, request, line)
        why, warning = await _hindered(now, steps)
        if warning is not None:
            yield warning
        if why is not None and purpose == "main":
            yield _ended(ask, desk, [], None, (), why)
            return
        if why is not None and purpose == "repair":
            yield events.Notice(why.message, "warning")
            break
        steps.append(now)
        if why is not None:
            now.withdraw(why)
            break
        found: list[Edit | Misfit] = []
        async with aclosing(step.walk(steps, found)) as walk:
            async for event in walk:
                yield event
        if now.stop == "cancelled" or now.error:  # the edits that are complete can still be reviewed and taken
            await draft.take([each for each in found if isinstance(each, Edit)], desk, shown.seen, _texts(request))
        if now.error or now.stop in {"cancelled", "refused"}:
            break
        answer = "".join(now.text)
        if editor is not None and purpose == "main" and not found:
            if now.stop == "length" or desk.stopped.is_set() or not editor_request.files(answer):
                break
            line, purpose = editor, "edit"
            if editor_request.unseen(answer, shown.seen):
                context = await asyncio.to_thread(desk.look, ask, answer)
                yield events.ContextPacked(context, editor.who.model.context_window)
                shown = shown.around(context)
            request = await _edits_of(answer, ask, editor, shown)
            continue
        misfits = await draft.take(found, desk, shown.seen, _texts(request))
        if misfits:
            yield events.EditsMisfit(misfits)
        mended = sum(each.purpose == "repair" for each in steps)
        misfits = tuple(each for each in misfits if each.mendable)
        if not misfits or mended >= ask.repairs or now.stop == "length" or desk.stopped.is_set():
            break
        purpose, request = "repair", await _mending(misfits, answer, request, desk)

    for words in (*_troubles(steps, desk), *draft.notes, *(each.message for each in draft.doubts)):
        yield events.Notice(words, "warning")
    error = steps[0].error  # a later step's error leaves the answer itself whole
    patch = draft.patch
    if patch is not None:
        yield events.PatchProposed(patch, ask.number)
    yield _ended(ask, desk, steps, patch, draft.misfits, error)._replace(doubts=draft.doubts)


async def _hindered(now: Step, before: Sequence[Step]) -> tuple[AssistantError | None, events.Notice | None]:
    """Say why a call may not follow those `before` it (too long, or held by a limit), and what to warn of."""
    mends = now.purpose == "repair"
    doubt = None if mends else step.doubt(now)
    if isinstance(doubt, AssistantError):
        return doubt, None
    if not before:  # the session has checked the limits for the first call
        return None, doubt
    # A repair is at most as long as the reply that it repairs.
    length = before[-1].burn().total_output if mends else 0
    why = await asyncio.to_thread(now.line.held, now.counted, [each.cost() for each in before], length)
    what = "The repair of the edits was not sent." if mends else "It was not asked."
    return BudgetError(f"{what} {why}") if why else None, doubt


async def _edits_of(plan: str, ask: Ask, editor: step.Line, shown: _Shown) -> Request:
    """Make the request for an editor to write the edits of a plan."""
    notation = editor.who.model.edit_format
    wish = _wish(await asyncio.to_thread(editor_request.words, ask.text, plan, ask.history), notation)
    question = asked(shown.asked(wish, ask.outcome), ask.pictures)
    return _request(editor, _system(notation), shown.after((question,)), ask)


async def _mending(misfits: Sequence[Misfit], answer: str, request: Request, desk: Desk) -> Request:
    """Make the request that sends back the edits of an answer that found no place."""
    wish = prompts.fill("repair", misfits=await asyncio.to_thread(desk.describe, misfits))
    return replace(request, messages=(*request.messages, said("assistant", answer), said("user", wish)))


async def aside(ask: Ask, line: step.Line, purpose: str) -> AsyncGenerator[events.Event, None]:
    """Ask one question beside the conversation: no history, no context, no edits. The last event is AsideEnded."""
    who = line.who
    yield events.AsideStarted(purpose, who.provider.name, who.model.id, who.payer)
    request = Request(who.model, (), (said("user", ask.text),), ask.max_output, who.pick.effort)
    only = await step.begin(purpose, request, line)
    async with aclosing(step.walk([only], [])) as walk:
        async for event in walk:
            if not isinstance(event, events.EditArrived):
                yield event
    usage, cost = step.total([only])
    yield events.AsideEnded(purpose, "".join(only.text), only.served, only.stop, usage, cost, only.error)


def asked(words: str, pictures: Sequence[Image], outcome: str = "") -> Message:
    """Make the message of a question: its pictures, what became of the last edits, then its words."""
    return Message("user", (*pictures, *([Text(f"{outcome.strip()}\n\n")] if outcome else ()), Text(words)))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a turn shows: the question as it is sent, its context, and the files as they were when read."""

    question: str
    context: str = ""
    lasting: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, context: Context, ask: Ask, wish: str) -> _Shown:
        around = context.render(lasting=False)
        return cls(_frame(around, ask.outcome, wish), around, context.render(lasting=True), dict(context.seen))

    def around(self, context: Context) -> _Shown:
        """Return the same question with another context."""
        return replace(
            self,
            context=context.render(lasting=False),
            lasting=context.render(lasting=True),
            seen={**self.seen, **dict(context.seen)},
        )

    def asked(self, question: str, outcome: str) -> str:
        """Return another question with the same context."""
        return _frame(self.context, outcome, question)

    def after(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """Put the lasting context before the conversation: while it is the same, a provider's cache finds it."""
        if not self.lasting:
            return messages
        words = prompts.fill("lasting", tag=_tag(self.lasting), context=self.lasting)
        first = messages[0]
        if first.role != "user":
            return (said("user", words), *messages)
        return (replace(first, parts=(Text(f"{words}\n"), *first.parts)), *messages[1:])


def _tag(context: str) -> str:
    """Choose a tag for a context that no line of a file closes: what follows it would read as the user's words."""
    small = context.lower()
    if not re.search(r"<\s*/?\s*context", small):
        return "context"
    return next(tag for tag in (f"context-{number}" for number in count(2)) if tag not in small)


@dataclass(slots=True)
class _Draft:
    """The edits of a turn so far, and the places found for them."""

    edits: list[Edit] = field(default_factory=list)
    broken: tuple[Misfit, ...] = ()
    fitted: Fitted | None = None

    async def take(
        self, found: Sequence[Edit | Misfit], desk: Desk, seen: Mapping[str, str], shown: Sequence[str]
    ) -> tuple[Misfit, ...]:
        """Add the edits of one more reply, in place of those without a place; return those still without one."""
        before = self.misfits
        gone = {id(each.edit) for each in before}
        new = [each for each in found if isinstance(each, Edit)]
        unread = [each for each in found if isinstance(each, Misfit)]
        self.edits = [each for each in self.edits if id(each) not in gone] + new
        self.fitted = await asyncio.to_thread(desk.fit, self.edits, seen, shown)
        self.broken = (*_passed_over(before, new, unread), *unread)
        return self.misfits

    @property
    def misfits(self) -> tuple[Misfit, ...]:
        return (*self.broken, *self.fitted.misfits) if self.fitted else ()

    @property
    def patch(self) -> Patch | None:
        return self.fitted.patch if self.fitted and self.fitted.patch.files else None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note.text for note in self.fitted.notes if note.warns) if self.fitted else ()

    @property
    def doubts(self) -> tuple[Misfit, ...]:
        return self.fitted.doubts if self.fitted else ()


def _passed_over(misfits: Sequence[Misfit], new: Sequence[Edit], unread: Sequence[Misfit]) -> list[Misfit]:
    """Return the misfits that a repair does not mention: they stay unmended.

    An edit that is in the file already may be left out of the repair. Where the path was wrong, any new edit may be the
    one that was meant.
    """
    spoken = {each.path for each in new} | {each.edit.path for each in unread}
    return [
        each
        for each in misfits
        if each.reason != "already"
        and not spoken & set(each.edit.names)
        and not (new and each.reason in {"no_file", "outside", "malformed"})
    ]


# What is sent, and counted by `around` before it is sent. The notation of a model that only plans is empty.


def _system(notation: str) -> str:
    """Return the system prompt for a model that writes edits in a notation."""
    return prompts.fill("system", format=prompts.fill(f"formats/{notation}")) if notation else prompts.fill("plan")


def _wish(text: str, notation: str) -> str:
    """Return a question as it is sent: models that return whole files, mostly small ones, get their reminder last."""
    return prompts.fill("whole", question=text) if notation == "whole_file" else text


def _frame(context: str, outcome: str, wish: str) -> str:
    """Put a question below its context and what became of the last edits."""
    return prompts.fill("turn", tag=_tag(context), context=context, outcome=outcome, question=wish)


def around(model: Model, *, plans: bool = False) -> int:
    """Count the o200k tokens around a question to a model: our prompts, the notation of edits, the frame.

    With `plans`, an editor model writes the edits.
    """
    return _around("" if plans else model.edit_format)


@cache
def _around(notation: str) -> int:
    return tokens.count(_system(notation)) + tokens.count(_frame("", "", _wish("", notation))) + step.FRAME


def _texts(request: Request) -> list[str]:
    return [each.text for each in request.messages]


def _request(line: step.Line, system: str, messages: tuple[Message, ...], ask: Ask) -> Request:
    return Request(line.who.model, (system,), messages, ask.max_output, line.who.pick.effort)


def _troubles(steps: Sequence[Step], desk: Desk) -> list[str]:
    """Describe the faults after the answer; none of them undoes it."""
    found = []
    for each in steps[1:]:
        name = each.line.who.model.name
        if each.line is not desk and each.served and not served.is_same(each.line.who.model, each.served):
            found.append(f"{each.served} answered; {name} was asked for the edits.")
        if each.purpose == "edit" and (why := _failure(each)):
            found.append(
                f"There are no edits, {name} failed: {why} The plan stays. To let {desk.who.model.name} write them: "
                "/model editor=none, then ask for the edits."
            )
        elif each.error is not None:
            found.append(f"The repair of the edits failed: {each.error}")
    return found


def _failure(each: Step) -> str:
    """Say why an editor gave no edits; empty where it gave some, or was stopped."""
    if each.error is not None:
        return str(each.error)
    return {"refused": "it refused.", "end": "" if each.edits else "it wrote none."}.get(each.stop, "")


def _ended(
    ask: Ask,
    desk: Desk,
    steps: Sequence[Step],
    patch: Patch | None,
    misfits: tuple[Misfit, ...],
    error: AssistantError | None,
) -> events.TurnEnded:
    usage, cost = step.total(steps)
    mine = [each for each in steps if each.line is desk]
    edit = next((each for each in steps if each.purpose == "edit"), None)
    stop: StopReason = "error" if error or not steps else (edit or steps[0]).stop
    if edit is not None and _failure(edit):
        stop = steps[0].stop
    return events.TurnEnded(
        turn=ask.number,
        provider=desk.who.provider.name,
        model=desk.who.model.id,
        served_model=next((each.served for each in mine if each.served), ""),
        text=_text(steps),
        thought="".join(thought.text for each in steps for thought in each.thoughts),
        stop=stop,
        usage=usage,
        cost=cost,
        patch=patch,
        misfits=misfits,
        error=error,
        ended_at=desk.now(),
        reply=_reply(steps, stop),
        last=mine[-1].held() if mine else tokens.TokenUsage(),
        stranger=any(each.served and not served.is_same(desk.who.model, each.served) for each in mine),
        editor=edit.line.who.model.name if edit else "",
        no_edits=_failure(edit) if edit else "",
        sent=Sent(steps[0].request, steps[0].began, steps[0].burn()) if steps and steps[0].began else None,
        costs=tuple(each.cost() for each in steps),
    )


def _reply(steps: Sequence[Step], stop: StopReason) -> Message | None:
    """Make the message that the history keeps; None when nothing was said."""
    text = _text(steps)
    if not text.strip():
        return None
    return Message("assistant", (*steps[0].thoughts, Text(text)), partial=stop in {"cancelled", "error", "length"})


def _text(steps: Sequence[Step]) -> str:
    return "\n\n".join("".join(each.text) for each in steps if each.text)
