"""A sheet that asks what is to be done, one key for each way. Keys typed before it can be seen mean nothing."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Vertical
from textual.widgets import Static

from assistant.tui.lines import safe
from assistant.tui.pickers import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult

_GRACE_S = 0.4
_HANDS_S = 1.0
"""A pause in typing behind which a letter is meant for the sheet and not for the sentence that it broke into."""


class Choice(Sheet[str | None]):
    """Some words and the ways out of it, each (key, what is given back, words); Escape gives None: `escape` says what it does.

    One that opens by itself may come between the letters of a sentence: `typed` takes those, until there is a pause.
    """

    CSS = """
    Choice { align: center middle; }
    Choice > Vertical { width: 100%; max-width: 100; height: auto; max-height: 90%; border: round $primary;
        background: $surface; padding: 0 1; }
    Choice Static { height: auto; }
    """

    def __init__(
        self,
        title: str,
        words: str,
        ways: Sequence[tuple[str, str, str]],
        escape: str,
        typed: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._typed = typed
        self._strayed = 0.0
        self._escape = escape
        self.words = words
        self.ways = ways
        self._title = title
        self._since = monotonic()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Static(Text(self._title, style="bold"))
            yield Static(Text(safe(self.words)))
            yield Static()
            for key, _, words in self.ways:
                yield Static(Text.assemble((f" {key} ", "bold reverse"), f"  {safe(words)}"))
            yield Static(Text(f"\nEsc {self._escape}", style="dim"))

    def on_key(self, event: events.Key) -> None:
        """Take a key once the sheet can have been read."""
        event.stop()
        now = monotonic()
        early = now - self._since < _GRACE_S
        if (
            self._typed is not None
            and event.character
            and event.is_printable
            and (early or now - self._strayed < _HANDS_S)
        ):
            self._strayed = now
            self._typed(event.character)
            return
        if early:
            return
        if event.key == "escape":
            self.dismiss(None)
            return
        for key, answer, _ in self.ways:
            if event.character == key:
                self.dismiss(answer)
                return
