"""The words around the composer: what waits above, what sending costs below; on a low screen in the meter's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.tui.widgets.composer import Composer
    from assistant.tui.widgets.meter_bar import MeterBar


class Label:
    """The frame of the composer, or the meter's line where a screen is too low for a frame."""

    def __init__(self, composer: Composer, meter: MeterBar) -> None:
        self._composer = composer
        self._meter = meter
        self._low = False
        self._waits: tuple[str, ...] = ()
        self._price = ""

    def place(self, *, low: bool) -> None:
        """Draw the composer with its frame, or without one on a low screen."""
        self._composer.set_class(low, "-squat")
        self._low = low
        self._tell()

    def say(self, words: str, *shorter: str) -> None:
        """Say above the composer what waits, or what was just done; `shorter` is for less room, as beside the meter."""
        self._composer.border_title = words
        self._waits = shorter or (words,)
        self._tell()

    def price(self, words: str, short: str = "") -> None:
        """Say below the composer what sending would cost."""
        self._composer.border_subtitle = words
        self._price = short or words
        self._tell()

    def _tell(self) -> None:
        waits = list(dict.fromkeys(filter(None, self._waits)))
        priced = [", ".join(filter(None, (each, self._price))) for each in waits or [""]]
        self._meter.tell(*dict.fromkeys(filter(None, [*priced, *waits])) if self._low else ())
