"""A frame for a sheet whose end says what can be done: if the screen is too low for all, the upper part gives way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.geometry import Region

from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget

PAGING = (
    Binding("pageup", "page(-1)", show=False, priority=True),
    Binding("pagedown", "page(1)", show=False, priority=True),
)
"""Keys of a screen with such a frame: `page` scrolls to what is out of sight; the wheel does so, too."""


class Tall(VerticalScroll, can_focus=False):
    """As high as its content, or as the screen; the title is always in sight, then the end before the beginning."""

    DEFAULT_CSS = """
    Tall { width: 100%; max-width: 120; height: auto; max-height: 95%; border: round $primary; background: $surface;
        padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, title: str, *children: Widget, settle: Callable[[], None] | None = None) -> None:
        super().__init__(*children)
        self._settle = settle
        self.border_title = Text(safe(title), style="bold")

    def on_resize(self) -> None:
        """Keep the end in sight, or call `settle` instead if there is one."""
        if self._settle is None:
            self.scroll_end(animate=False)
        else:
            self.call_after_refresh(self._settle)

    def page(self, step: int) -> None:
        """Scroll by the height in sight, less a line."""
        self.scroll_relative(y=step * max(1, self.scrollable_content_region.height - 1), animate=False)

    def keep(self, widget: Widget, line: int) -> None:
        """Scroll so that a line of a widget within is in sight."""
        self.scroll_to_region(Region(0, widget.virtual_region.y + line, 1, 1), animate=False)
