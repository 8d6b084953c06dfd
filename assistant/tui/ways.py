"""A sheet that asks what to do, with one key for each way. Keys typed before it can be seen mean nothing."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from assistant.tui.key_grace import Grace
from assistant.tui.pickers import Sheet
from assistant.tui.scrolling import PAGING, Tall
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult

_HANDS_S = 1.0
"""Seconds of pause after which a letter may be meant for the sheet, not for the sentence that it interrupted."""
_MOMENT_S = 0.25
"""Fewest seconds between a key and the Enter meant for it; at the end of a word there is less time."""


class WaySheet(Sheet[str | None]):
    """Some words and the ways out, each (key, result, words); Escape returns None: `escape` says what it does.

    A sheet that opens by itself may interrupt a sentence: `typed` takes its letters. There a key only marks a way, and
    Enter takes it, since what is chosen may cost money.
    """

    CSS = """
    WaySheet { align: center middle; }
    WaySheet Tall { max-width: 100; }
    WaySheet Static { height: auto; }
    """
    BINDINGS = [*PAGING]

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
        self._escape = escape
        self.words = words
        self.ways = ways
        self._title = title
        self.grace = Grace(_HANDS_S)
        self._marked = ""
        self._marked_at = 0.0

    def compose(self) -> ComposeResult:
        """Lay it out."""
        how = "a key, then Enter; " if self._typed is not None else ""
        yield Tall(
            self._title,
            Static(Text(safe(self.words))),
            Static(),
            Static(self._rows(), id="ways"),
            Static(Text(f"\n{how}Esc {self._escape}", style="dim")),
            settle=self._begin if self._typed is not None else None,
        )

    def _begin(self) -> None:
        """If there is no room for all, show the reason at the top first, but keep the marked way in sight."""
        self.query_one(Tall).scroll_home(animate=False, immediate=True)
        self._show()

    def _show(self) -> None:
        """Bring the marked way into sight, or the first one."""
        tall, ways = self.query_one(Tall), self.query_one("#ways", Static)
        width = max(1, ways.size.width)
        at = next((at for at, (key, _, _) in enumerate(self.ways) if key == self._marked), 0)
        above = sum(-(-row.cell_len // width) for row in self._drawn()[:at])
        tall.keep(ways, above)

    def action_page(self, step: int) -> None:
        """Scroll to what is out of sight."""
        self.query_one(Tall).page(step)

    def _rows(self) -> Text:
        return Text("\n").join(self._drawn())

    def _drawn(self) -> list[Text]:
        """Draw the ways out, the marked one like a cursor's line."""
        rows = []
        for key, _, words in self.ways:
            row = Text.assemble((f" {key} ", "bold reverse"), f"  {safe(words)}")
            if key == self._marked:
                row.stylize("reverse")
            rows.append(row)
        return rows

    def on_key(self, event: events.Key) -> None:
        """Take a key once the user can have read the sheet."""
        event.stop()
        early = self.grace.early
        if event.key == "escape":
            if not early:
                self.dismiss(None)
        elif self._typed is not None:
            self._weigh(event, self._typed, early=early)
        elif not early:
            for key, answer, _ in self.ways:
                if event.character == key:
                    self.dismiss(answer)
                    return

    def _weigh(self, event: events.Key, typed: Callable[[str], None], *, early: bool) -> None:
        """Tell keys for the sheet from letters of a sentence: a lone key marks a way, Enter takes it after a moment."""
        now = monotonic()
        since = now - self._marked_at
        if event.key == "enter":
            answer = next((answer for key, answer, _ in self.ways if key == self._marked), None)
            if answer is not None and since >= _MOMENT_S:
                self.dismiss(answer)
            elif answer is None and self.grace.strayed:  # it ends the sentence that was typed here
                typed("\n")
                self.grace.stray()
            return
        if not event.character or not event.is_printable:
            return
        is_way = any(event.character == key for key, _, _ in self.ways)
        if is_way and not early and not self.grace.strayed and (not self._marked or since >= _HANDS_S):
            self._marked, self._marked_at = event.character, now
        else:  # the mark was the first letter of a word
            begun = self._marked if since < _HANDS_S else ""
            typed(begun + event.character)
            self._marked = ""
            self.grace.stray()
        self.query_one("#ways", Static).update(self._rows())
        if self._marked:
            self.call_after_refresh(self._show)
