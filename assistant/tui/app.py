"""The Textual app: starts the main screen and closes the session."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, cast

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.app import App
from textual.keys import Keys

from assistant.errors import ConfigError
from assistant.tui import theme
from assistant.tui.main_screen import MainScreen

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.screen import Screen

    from assistant.session import Session
    from assistant.tui.welcome import Resume


# Alt+Enter as terminals without a newer protocol send it. Textual would read it as Enter, which sends.
cast("dict[str, tuple[Keys, ...]]", ANSI_SEQUENCES_KEYS).setdefault("\x1b\r", (Keys.ControlJ,))


class Wattson(App[int]):
    """The face on a screen."""

    TITLE = "Wattson"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    OptionList:nocolor > .option-list--option-highlighted { text-style: bold underline; }
    TextArea:nocolor > .text-area--selection, Screen:nocolor > .screen--selection { text-style: reverse; }
    """

    def __init__(self, session: Session, model: str = "", *, resume: Resume = "") -> None:
        plain = "NO_COLOR" in os.environ  # Textual would send greys, and mark places by them alone
        super().__init__(ansi_color=plain or None)
        self.session = session
        themes = session.places.config / "themes"
        try:
            self._look = theme.load("ansi" if plain else session.config.theme, themes)
        except ConfigError as error:  # it may be a project's wish: missing colours are no reason not to start
            self._look = theme.load("dark", themes)
            session.warnings.append(str(error))
        self._first = MainScreen(session, self._look, model, resume=resume)
        self._early: list[events.Key | events.Paste] | None = []
        """Keys that were typed before there was anything to type in."""

    def on_mount(self) -> None:
        """Put on the theme; end politely on a signal, so that the terminal is restored as always."""
        self.theme = self._look.textual if self._look.textual in self.available_themes else "textual-dark"
        if not self.is_headless:
            for name in ("SIGTERM", "SIGHUP", "SIGINT"):
                number = getattr(signal, name, None)
                if number is not None:
                    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                        asyncio.get_running_loop().add_signal_handler(number, self._end, 128 + number)

    async def on_event(self, event: events.Event) -> None:
        """Take an event; a key from before there is a composer waits for it, one from after that is dropped."""
        if isinstance(event, events.Key | events.Paste) and getattr(event, "key", "") != "ctrl+c":
            self._first.stay()
            if self._early is not None and not event.is_forwarded:
                self._early.append(event)
                return
        if self.screen_stack or not isinstance(event, events.InputEvent):
            await super().on_event(event)

    def on_ready(self) -> None:
        """Hand on what was typed before there was a composer."""
        early, self._early = self._early or [], None
        for event in early:
            self.post_message(event)

    def _handle_exception(self, error: Exception) -> None:
        """Let an error of ours in a worker cost only what that worker did; an error in drawing ends the screen."""
        from textual.worker import WorkerFailed

        if isinstance(error, WorkerFailed) and self._first.is_mounted:
            self._first.stumbled(error.error)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End with the traceback, but without the values of variables that Textual would show: keys are among them."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self._exit_renderables.append(Segments(self.console.render(Traceback(), self.console.options)))
        self._close_messages_no_wait()

    def _end(self, code: int) -> None:
        self.session.stop()
        self.exit(code)

    def get_driver_class(self) -> type[Driver]:
        """Read what is typed with our own reader, where Textual reads a terminal."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from assistant.tui.terminal import Terminal

        return Terminal

    def get_default_screen(self) -> Screen[None]:
        """Begin on the main screen at once: a screen beneath it would be styled for nothing."""
        return self._first

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        return self._first

    async def on_unmount(self) -> None:
        """Keep what was decided, and release connections and files."""
        self.session.stop()
        if self._first.hunks.preview is None:
            self.session.mark(self._first.hunks.review, self._first.hunks.subject.turn)
        await self.session.close()


def start(session: Session, model: str = "", *, resume: Resume = "") -> int:
    """Run the app; returns the exit code, and says how to take the conversation up again."""
    code = Wattson(session, model, resume=resume).run() or 0
    question = session.held_question
    if session.history or question is not None:
        sys.stdout.write("Take this conversation up again with: wattson -c\n")
        if waits := session.undecided():
            sys.stdout.write(f"{waits} there.\n")
        if question is not None:
            when = f"{question.until.astimezone():%a %H:%M}"
            sys.stdout.write(f"A question waits there until {when}; it does not go out while Wattson is closed.\n")
    return code
