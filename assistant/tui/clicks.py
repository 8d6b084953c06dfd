"""What a second and a third click select: a word (a path is one word), and a line. Textual would select everything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.widget import Widget

_WORD = re.compile(r"[\w./~@+-]+|\S")


def select(widget: Widget, event: events.Click, line: Callable[[int], str]) -> None:
    """Select in a widget what was clicked twice or more; `line` returns a drawn line by its number."""
    if event.chain < 2:
        return
    event.prevent_default()
    over, place = widget.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
    if over is not widget or place is None:
        return
    words = line(place.y).rstrip()
    first, last = len(words) - len(words.lstrip()), len(words)
    if event.chain == 2:
        found = (each for each in _WORD.finditer(words) if each.start() <= place.x < each.end())
        first, last = next((each.span() for each in found), (0, 0))
    if first < last:
        widget.screen.selections = {widget: Selection(Offset(first, place.y), Offset(last, place.y))}
