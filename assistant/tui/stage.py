"""What the main screen offers to the rooms that show events, ask and greet, so that none of them knows the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from textual.app import App

    from assistant import events
    from assistant.errors import AssistantError
    from assistant.quota.caps import Hold
    from assistant.session import Session
    from assistant.tui.theme import Theme
    from assistant.tui.widgets.composer import Composer
    from assistant.tui.widgets.meter_bar import MeterBar
    from assistant.tui.widgets.patch_view import PatchView
    from assistant.tui.widgets.transcript import Transcript


class Waits(Protocol):
    """What waits for a reset."""

    async def go_on(self) -> None:
        """Offer again what waited when the conversation was left."""

    def forget(self) -> None:
        """Send nothing any more: another conversation begins."""


class Sends(Protocol):
    """What is on its way to the model."""

    def turns_to(self, model: str) -> None:
        """Note who is asked from now on, for the label above the composer."""

    def doing(self, what: str, again_s: float = 0.0) -> None:
        """Note what the model does, for the label above the composer."""

    def give_back(self) -> None:
        """Put what is queued back into the composer, before what is typed there."""


class Stage(Protocol):
    """Widgets to show things on, and the few moves between them.

    `window` is the context window, in tokens, of the chosen model; `asked_window` is that of the model asked last,
    which may still be answering.
    """

    look: Theme
    talk: Transcript
    hunks: PatchView
    meter: MeterBar
    composer: Composer
    session: Session
    window: int | None
    asked_window: int | None

    @property
    def holding(self) -> Waits:
        """What waits."""

    @property
    def sending(self) -> Sends:
        """What is on its way."""

    @property
    def app(self) -> App[object]:
        """The app, for screens on top."""

    def review(self) -> None:
        """Go to the hunks, unless the user is typing."""

    def go_to_hunks(self) -> None:
        """Show the hunks and give them the keys."""

    def price_repair(self) -> object:
        """Say among the hunks what it would cost to send back what does not fit."""

    def price_anew(self) -> None:
        """Show the price of what is being written again: what would be sent has changed, or who would be asked."""

    def show_talk(self) -> None:
        """Show the conversation; if there is room for both, the hunks keep the keys."""

    def compose_again(self, *, more: bool = False) -> None:
        """Go back to the composer, unless hunks still wait."""

    def arrange_panes(self) -> None:
        """Show one pane or both, depending on the room and on whether there is something to decide."""

    def go_on_waiting(self) -> object:
        """Offer again, in a worker of its own, what waited when the resumed conversation was left."""

    def ask(self, what: str, argument: str) -> object:
        """Open a sheet that asks or tells one thing, in a worker of its own."""

    def open(self, what: str, argument: str = "") -> object:
        """Open what a command asks for."""

    def tell_burnt(self) -> object:
        """Show what the resumed conversation has burnt, and how much of the window it fills."""

    def held(self, hold: Hold) -> object:
        """Let the user choose what becomes of a question that was held."""

    def submit(self, text: str, *, once: bool = False) -> object:
        """Do what was typed; with `once`, whatever it costs."""

    def label(self) -> None:
        """Say above the composer what waits."""

    def run_turn(self, stream: AsyncGenerator[events.Event, None], instead: str = "") -> object:
        """Run a stream in a worker of its own, so that opening a screen meanwhile does not break it off.

        `instead` is what the user could do if a limit holds it back.
        """

    async def walk(self, stream: AsyncGenerator[events.Event, None]) -> events.TurnEnded | AssistantError | None:
        """Show the events of a stream, and the error it ends with; return that, or the end of the turn if any."""
