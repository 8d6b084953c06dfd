"""The conversation: one virtualised widget that draws lines. Every line is wrapped once; only the last grows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from assistant.tui.lines import safe, strip, wrap

if TYPE_CHECKING:
    from textual.timer import Timer

_BEAT_S = 0.1
_STYLES = {
    "user": Style(bold=True, color="cyan"),
    "words": Style(),
    "code": Style(color="green"),
    "head": Style(bold=True, color="yellow"),
    "thought": Style(dim=True, italic=True),
    "note": Style(dim=True),
    "good": Style(color="green"),
    "warning": Style(color="yellow"),
    "error": Style(color="red", bold=True),
}


class Transcript(ScrollView, can_focus=True):
    """Lines of a conversation. Follows its end unless the user has scrolled up."""

    DEFAULT_CSS = "Transcript { height: 1fr; padding: 0 1; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"

    def __init__(self, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self._lines: list[tuple[str, str]] = []
        self._strips: list[Strip] = []
        self._width = 0
        self._tail = ""
        self._tail_kind = "words"
        self._tail_strips = 0
        self._fenced = False
        self._waiting: list[tuple[str, str]] = []
        self._timer: Timer | None = None

    def add(self, text: str, kind: str = "words") -> None:
        """Add whole lines, below an empty one."""
        self._flush()
        self._end_tail()
        if self._lines:
            self._put("", "words")
        for line in text.rstrip("\n").split("\n"):
            self._put(safe(line), kind)
        self._grown()

    def append(self, text: str, kind: str = "words") -> None:
        """Add to the running answer; drawn about ten times a second."""
        self._waiting.append((text, kind))
        if self._timer is None:
            self._timer = self.set_interval(_BEAT_S, self._flush)

    def end(self) -> None:
        """Close the running answer."""
        self._flush()
        self._end_tail()
        self._fenced = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._grown()

    def clear(self) -> None:
        """Forget all lines."""
        self._lines, self._strips, self._waiting, self._tail, self._tail_strips = [], [], [], "", 0
        self._grown()

    @property
    def text(self) -> str:
        """All that is shown, as plain lines."""
        return "\n".join(line for line, _ in self._lines)

    def _flush(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for text, kind in waiting:
            if kind != self._tail_kind:
                self._end_tail()
                self._tail_kind = kind
            *whole, rest = text.split("\n")
            for line in whole:
                self._drop_tail()
                self._put(safe(self._tail + line), self._kind(self._tail + line))
                self._tail = ""
            self._tail += rest
        self._draw_tail()
        self._grown()

    def _kind(self, line: str) -> str:
        """Say how a line of the answer looks; a fence switches code on and off."""
        if self._tail_kind != "words":
            return self._tail_kind
        if re.match(r"\s*(```|~~~)", line):
            self._fenced = not self._fenced
            return "note"
        if self._fenced:
            return "code"
        return "head" if re.match(r"#{1,6} ", line) else "words"

    def _end_tail(self) -> None:
        if self._tail:
            self._drop_tail()
            line, self._tail = self._tail, ""
            self._put(safe(line), self._kind(line))
        self._tail_strips = 0

    def _drop_tail(self) -> None:
        if self._tail_strips:
            del self._strips[-self._tail_strips :]
            self._tail_strips = 0

    def _draw_tail(self) -> None:
        self._drop_tail()
        if self._tail and self._width:
            kind = "code" if self._fenced and self._tail_kind == "words" else self._tail_kind
            new = self._drawn(safe(self._tail), kind)
            self._strips += new
            self._tail_strips = len(new)

    def _put(self, line: str, kind: str) -> None:
        self._lines.append((line, kind))
        if self._width:
            self._strips += self._drawn(line, kind)

    def _drawn(self, line: str, kind: str) -> list[Strip]:
        return [strip(piece, _STYLES.get(kind, _STYLES["words"]), self._width) for piece in wrap(line, self._width)]

    def _grown(self) -> None:
        """Tell the scroll bar, and follow the end when it was in sight."""
        at_end = self.scroll_offset.y >= self.max_scroll_y - 1
        self.virtual_size = Size(self._width, len(self._strips))
        if at_end:
            self.scroll_end(animate=False, immediate=True)
        self.refresh()

    def on_resize(self) -> None:
        """Wrap anew for another width."""
        width = self.scrollable_content_region.width
        if width != self._width and width > 0:
            self._width = width
            self._tail_strips = 0
            self._strips = [each for line, kind in self._lines for each in self._drawn(line, kind)]
            self._draw_tail()
            self._grown()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        index = y + self.scroll_offset.y
        if 0 <= index < len(self._strips):
            return self._strips[index].apply_style(self.rich_style)
        return Strip.blank(self.size.width, self.rich_style)
