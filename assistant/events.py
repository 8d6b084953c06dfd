"""The only language that leaves the core: what happened, in the order it happened.

A face shows events and never asks the core how it came to them. New kinds may be added; a face ignores kinds that it
does not know. They are named tuples because all are defined before the first frame: a frozen dataclass takes six times
as long.
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
    from assistant.quota.estimate import Estimate
    from assistant.tokens import Cost

Level = Literal["info", "good", "warning", "error"]


class TurnStarted(NamedTuple):
    """A turn begins: its number in this session, the user's words, the model asked, its effort, and who pays."""

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

    `model` is the `provider/model` that this step asks, `payer` who pays for it: the editor may be another model than
    the main one.
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
    """What this turn has burnt so far, and the session. `usage.exact` is False while any of it is our estimate.

    `held` are the tokens that fill the context window: the request that carries the conversation, and its answer. It is
    0 for any other request.
    """

    usage: TokenUsage
    cost: Cost
    session_usage: TokenUsage
    session_costs: tuple[Cost, ...]
    held: int = 0


class MeterMoved(NamedTuple):
    """The plan's meters as they stand now, the most limiting one first; empty when no plan is set."""

    estimates: tuple[Estimate, ...]


class EditsMisfit(NamedTuple):
    """Edits of the reply that found no place."""

    misfits: tuple[Misfit, ...]


class PatchProposed(NamedTuple):
    """What the reply would change. Nothing is on disk."""

    patch: Patch
    turn: int


class PatchApplied(NamedTuple):
    """Files were written. `what` is "applied", "undone" or "redone"; `left` are the hunks still to be decided.

    `unfit` names the hunks that no longer have a place because a file changed meanwhile; empty if there are none.
    """

    patch: Patch
    what: Literal["applied", "undone", "redone"]
    left: Patch | None = None
    unfit: str = ""


class PatchMoved(NamedTuple):
    """A file has changed since the patch was made, and the hunks were moved onto it; nothing is written yet."""

    review: Review
    why: str


class UndoProposed(NamedTuple):
    """What undo or redo would write. `hunks` are those of the single step, to choose from; None means all or nothing.

    `left` says which files stay as they are, and why.
    """

    preview: Preview
    hunks: Patch | None
    left: str = ""


class ModelChanged(NamedTuple):
    """The session asks another model from now on, or thinks with another `effort`; empty is the model's default.

    `doubt` says that the model is in no list; empty where it is.
    """

    provider: str
    model: str
    payer: Payer
    window: int | None
    effort: str = ""
    doubt: str = ""


class TurnEnded(NamedTuple):
    """A turn is over, however it ended.

    `usage`, `cost` and `costs` (one for each step) cover the whole turn; `error` is None unless `stop` is "error";
    `reply` is what the conversation keeps of the answer, None when nothing was said. `last` is the usage of the main
    model's last request. `stranger` says that another model answered than the one asked. `editor` is the
    `provider/model` that was to write the edits, if not the main model, and `no_edits` why it wrote none. `sent` is the
    first request, None if none left. `doubts` are edits of the patch that the answer may not mean.
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
        """Whether the model finished, or reached its output limit, without a word of an answer."""
        return self.error is None and self.stop not in {"cancelled", "refused"} and not self.text.strip()

    @property
    def writer(self) -> str:
        """The model that was asked for the edits, as `provider/model`."""
        return self.editor or f"{self.provider}/{self.model}"


class TurnHeld(NamedTuple):
    """A question was not sent, or was refused because a window is used up: why, and what the user could do."""

    hold: Hold


class AsideStarted(NamedTuple):
    """A question beside the conversation goes out: its purpose, the model that is asked, and who pays."""

    purpose: str
    provider: str
    model: str
    payer: Payer


class AsideEnded(NamedTuple):
    """A question beside the conversation was answered, or failed: `error` says why."""

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
