"""Where the user types: several lines, Enter sends, Shift+Enter, Alt+Enter or Ctrl+J begins a new line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.message import Message

# TextArea would import tree-sitter for highlighting that a composer does not use; the first frame shall not pay for it.
_absent = "tree_sitter" not in sys.modules
if _absent:
    sys.modules["tree_sitter"] = None  # type: ignore[assignment]
from textual.widgets import TextArea as TextArea  # noqa: E402, PLC0414 - see above; the editor uses it as well

if _absent:
    del sys.modules["tree_sitter"]

if TYPE_CHECKING:
    from textual import events


class Composer(TextArea):
    """A text area that sends."""

    DEFAULT_CSS = "Composer { height: auto; min-height: 3; max-height: 10; border: round $primary; padding: 0 1; }\nComposer:focus { border: round $accent; }"
    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "new line", show=False, priority=True),
    ]

    class Sent(Message):
        """The user sends these words."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, **kwargs: str) -> None:
        super().__init__(tab_behavior="focus", highlight_cursor_line=False, **kwargs)  # type: ignore[arg-type]
        self.cursor_blink = False
        self.sent: list[str] = []
        self._back = 0

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            if self.text.endswith("\\"):
                self.action_delete_left()
                self.insert("\n")
            elif self.text.strip():
                words, self.text = self.text, ""
                self.sent.append(words)
                self._back = 0
                self.post_message(self.Sent(words))
            return
        if event.key == "up" and self.cursor_location[0] == 0 and self._back < len(self.sent):
            self._recall(1)
            event.prevent_default()
        elif event.key == "down" and self.cursor_location[0] == self.document.line_count - 1 and self._back:
            self._recall(-1)
            event.prevent_default()
        else:
            await super()._on_key(event)

    def _recall(self, step: int) -> None:
        self._back += step
        self.text = self.sent[-self._back] if self._back else ""
        self.move_cursor(self.document.end)
