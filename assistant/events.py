"""The only language that leaves the core: what happened, in the order it happened.

A face shows events and never asks the core how it came to them. New kinds may be added; a face ignores what it does not
know. They are named tuples: all of them are made before the first frame, and a frozen dataclass takes six times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from datetime import datetime

    from assistant.context.section import Context
    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.journal import Preview
    from assistant.edits.patch import Patch
    from assistant.edits.review import Review
    from assistant.errors import AssistantError
    from assistant.models.cold import Sent
    from assistant.models.message import Message
    from assistant.models.provider import Payer
    from assistant.models.wire import StopReason
    from assistant.quota.caps import Hold
    from assistant.quota.meter import Estimate
    from assistant.tokens import Cost

Level = Literal["info", "good", "warning", "error"]


class TurnStarted(NamedTuple):
    """A turn begins: its number in this session, the words of the user, who is asked, how hard to think, and who pays."""

    turn: int
    text: str
    provider: str
    model: str
    payer: Payer
    effort: str = ""


class ContextPacked(NamedTuple):
    """What goes out with the question. `window` is the model's context window in tokens, None where unknown."""

    context: Context
    window: int | None


class RequestSent(NamedTuple):
    """One step leaves: its estimated input in the model's own tokens (low, likely, high) and the estimated cost.

    `model` is `provider/model` of who is asked in this step, and `payer` who pays them: an editor may not be the main model.
    """

    step: int
    purpose: str
    low: int
    likely: int
    high: int
    cost: Cost
    model: str
    payer: Payer


class Retrying(NamedTuple):
    """The provider could not answer yet; the same request goes out again in `wait_s` seconds."""

    attempt: int
    wait_s: float
    error: AssistantError


class TextArrived(NamedTuple):
    """Some of the answer."""

    text: str


class ThoughtArrived(NamedTuple):
    """Some of the thinking."""

    text: str


class EditArrived(NamedTuple):
    """An edit of the reply is whole; its place has not been looked for yet."""

    edit: Edit


class UsageMoved(NamedTuple):
    """This turn's burn so far, and the session's. `usage.exact` is False while any of it is our estimate.

    `held` are the tokens of the request that carries the conversation, with its answer: what its window holds. 0 for another.
    """

    usage: TokenUsage
    cost: Cost
    session_usage: TokenUsage
    session_costs: tuple[Cost, ...]
    held: int = 0


class MeterMoved(NamedTuple):
    """The plan's meters as they stand now, the binding one first; empty when no plan is set."""

    estimates: tuple[Estimate, ...]


class EditsMisfit(NamedTuple):
    """Edits of the reply that found no place."""

    misfits: tuple[Misfit, ...]


class PatchProposed(NamedTuple):
    """What the reply would change. Nothing is on disk."""

    patch: Patch
    turn: int


class PatchApplied(NamedTuple):
    """Files were written. `what` is "applied", "undone" or "redone"; `left` is what is still to be decided.

    `unfit` says what of the hunks has no place any more, since a file was changed meanwhile; empty for nothing.
    """

    patch: Patch
    what: Literal["applied", "undone", "redone"]
    left: Patch | None = None
    unfit: str = ""


class PatchMoved(NamedTuple):
    """A file has changed since the patch was made, and the hunks fit it as it is now; nothing was written yet."""

    review: Review
    why: str


class UndoProposed(NamedTuple):
    """What undo or redo would write. `hunks` are the single step's own, of which some may be chosen; None: all or nothing.

    `left` says what stays as it is, and why.
    """

    preview: Preview
    hunks: Patch | None
    left: str = ""


class ModelChanged(NamedTuple):
    """The session asks another model from now on, or lets it think harder or less (`effort`; empty is its own way)."""

    provider: str
    model: str
    payer: Payer
    window: int | None
    effort: str = ""


class TurnEnded(NamedTuple):
    """A turn is over, however it ended.

    `usage` and `cost` cover all its steps; `error` is None unless `stop` is "error"; `reply` is what the conversation
    keeps of the answer, None when nothing was said. `last` is what the last of its requests used; `stranger` says that
    another model answered than the one that was asked. `editor` is `provider/model` of who wrote the edits where that was
    not the main model, and `no_edits` why they could not. `sent` is the first request, None where none left.
    `doubts` are edits of the patch that the answer itself may not mean. `costs` are those of its steps, one by one.
    """

    turn: int
    provider: str
    model: str
    served_model: str
    text: str
    thought: str
    stop: StopReason
    usage: TokenUsage
    cost: Cost
    patch: Patch | None
    misfits: tuple[Misfit, ...]
    error: AssistantError | None
    ended_at: datetime
    reply: Message | None
    last: TokenUsage = TokenUsage()
    stranger: bool = False
    editor: str = ""
    no_edits: str = ""
    sent: Sent | None = None
    doubts: tuple[Misfit, ...] = ()
    costs: tuple[Cost, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the model came to its end, or to the most it may write, without a word of an answer."""
        return self.error is None and self.stop not in {"cancelled", "refused"} and not self.text.strip()

    @property
    def writer(self) -> str:
        """Who was asked for the edits, as `provider/model`."""
        return self.editor or f"{self.provider}/{self.model}"


class TurnHeld(NamedTuple):
    """A question was not sent, or was refused because a window is used up: why, and what the user could do."""

    hold: Hold


class AsideStarted(NamedTuple):
    """A question beside the conversation goes out: what for, who is asked and who pays."""

    purpose: str
    provider: str
    model: str
    payer: Payer


class AsideEnded(NamedTuple):
    """It is answered, or not: `error` says why."""

    purpose: str
    text: str
    served_model: str
    stop: StopReason
    usage: TokenUsage
    cost: Cost
    error: AssistantError | None


class Notice(NamedTuple):
    """Something to tell the user. `text` may be several lines; it is plain text, never markup."""

    text: str
    level: Level = "info"


class Asked(NamedTuple):
    """A command wants the face to open something: a picker, the hunks, the help, or the door. A face ignores the rest."""

    what: str
    argument: str = ""


Event = (
    TurnStarted
    | ContextPacked
    | RequestSent
    | Retrying
    | TextArrived
    | ThoughtArrived
    | EditArrived
    | UsageMoved
    | MeterMoved
    | EditsMisfit
    | PatchProposed
    | PatchApplied
    | PatchMoved
    | UndoProposed
    | ModelChanged
    | TurnEnded
    | TurnHeld
    | AsideStarted
    | AsideEnded
    | Notice
    | Asked
)
