"""Keys that reach the hunks but are meant elsewhere: for a sheet that is opening, or for the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer
    from textual.widget import Widget

_SHEETS = frozenset({"e", "c", "o", "question_mark"})
"""Keys that open a sheet: what is typed after them is for the sheet."""
_SENTENCE = 3
"""Keys, not all the same, that make a sentence: hunks are not decided before they can be read."""
_OPENS_S = 1.0
"""Seconds that a sheet may take to open until the keys are the hunks' again."""


class Ahead:
    """Takes such keys and hands them on in the order in which they came.

    `type` takes what was typed for the composer, `leave` moves the focus there at once.
    """

    def __init__(self, widget: Widget) -> None:
        self.type: Callable[[events.Key | events.Paste], None] = lambda _: None
        self.leave: Callable[[], None] = lambda: None
        self._widget = widget
        self._typing = self._handing = False
        self._early: list[events.Key] = []
        self._waiting: list[events.Key] | None = None
        self._opens: Timer | None = None

    def takes(self, event: events.Key, *, stray: bool) -> bool:
        """Take a key that is not for the hunks, and say so: for a sheet, a slash, a `stray` key, or one after those."""
        if self._waiting is not None:
            self._waiting.append(event)
            return True
        self._typing |= event.key == "slash" or stray
        if self._typing:
            self._hand_on_early()
            self.type_on(event)
        return self._typing

    def early(self, event: events.Key, *, known: bool) -> bool:
        """Take a key from before the hunks could be read; say whether it makes a sentence, for the composer."""
        self._early.append(event)
        if known and (len(self._early) < _SENTENCE or len({each.key for each in self._early}) == 1):
            return False
        self._typing = True
        self._hand_on_early()
        return True

    def _hand_on_early(self) -> None:
        typed, self._early = self._early, []
        for each in typed:
            self.type_on(each)

    def settle_early(self) -> None:
        """Note that the hunks can be read by now, so that keys count. If only `q` came before, it was meant: leave."""
        early, self._early = self._early, []
        if {each.key for each in early} == {"q"}:
            self.leave_behind()

    def leave_behind(self) -> None:
        """Leave the hunks once earlier keys are handled: later ones are for the composer, even in one lump."""
        self._typing = True
        if not self._handing:
            self._handing = True
            self._widget.call_later(self._hand_over)

    def type_on(self, event: events.Key | events.Paste) -> None:
        """Give what was typed to the composer, and soon the focus too."""
        self.type(event)
        if not self._handing:
            self._handing = True
            self._widget.call_later(self._hand_over)

    def _hand_over(self) -> None:
        """Give the keys to the composer once all earlier ones are handed on: nothing may overtake those."""
        if self._widget.message_queue_size:
            self._widget.call_later(self._hand_over)
            return
        self._handing = self._typing = False
        if self._widget.has_focus:
            self.leave()

    def forget_typing(self) -> None:
        """Note that the keys go elsewhere: the next ones that come here are for the hunks again."""
        self._typing, self._early = False, []

    def wait(self, key: str) -> None:
        """Keep what comes after a key that opens a sheet, until the sheet is there or does not come."""
        if key in _SHEETS:
            self._waiting = []
            self._opens = self._widget.set_timer(_OPENS_S, self.catch_up)

    def take(self) -> list[events.Key]:
        """Return what was typed for a sheet before it was there to take it; it is kept no longer."""
        if self._opens is not None:
            self._opens.stop()
        typed, self._waiting, self._opens = self._waiting or [], None, None
        return typed

    def catch_up(self) -> None:
        """Give the hunks the keys that waited for a sheet which did not open."""
        for event in self.take():
            again = events.Key(event.key, event.character)
            again._set_forwarded()  # noqa: SLF001 - else the app would hand on once more what comes back from here
            self._widget.post_message(again)
