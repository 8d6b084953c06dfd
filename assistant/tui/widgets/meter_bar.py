"""The meter: one line that always says who is asked, who pays, how full the window is, what was burnt, what is left."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class MeterState:
    """What the line shows; empty parts are left out. Shares are 0 to 1, None is unknown."""

    model: str = ""
    payer: str = ""
    window_share: float | None = None
    turn: str = ""
    turn_cost: str = ""
    session_cost: str = ""
    plan: str = ""
    plan_share: float | None = None
    resets: str = ""
    estimated: bool = False
    quote: str = ""


class MeterBar(Widget):
    """Draws a MeterState in any width; what matters least goes first."""

    DEFAULT_CSS = "MeterBar { height: 1; background: $panel; color: $text; }"

    def __init__(self, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.state = MeterState()

    def show(self, state: MeterState) -> None:
        """Show another state."""
        if state != self.state:
            self.state = state
            self.refresh()

    def line(self, width: int) -> str:
        """Return the line for a width in cells."""
        each = self.state
        if not each.model:
            return " no model yet: /model chooses one"[:width]
        about = "~" if each.estimated else ""
        share = _bar(each.plan_share)
        # In the order in which they are given up, last first.
        parts = [
            (0, f" {each.model}"),
            (1, f"{each.payer} pays" if each.payer else ""),
            (2, f"{each.plan} {share}" if share else ""),
            (3, f"turn {about}{each.turn_cost}" if each.turn_cost else ""),
            (5, f"{about}{each.turn}" if each.turn else ""),
            (4, f"session {about}{each.session_cost}" if each.session_cost else ""),
            (6, f"window {each.window_share:.0%}" if each.window_share is not None else ""),
            (7, f"resets {each.resets}" if each.resets else ""),
            (8, each.quote),
        ]
        shown = [(rank, words) for rank, words in parts if words]
        while len(shown) > 1 and len(" | ".join(words for _, words in shown)) > width:
            shown.remove(max(shown))
        return " | ".join(words for _, words in shown)[:width]

    def render(self) -> Text:
        """Draw it."""
        share = self.state.plan_share or 0
        style = "bold red" if share >= 0.9 else "bold yellow" if share >= 0.75 else ""
        return Text(self.line(self.size.width), style=style, no_wrap=True)


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    full = min(8, max(0, round(share * 8)))
    return f"{'#' * full}{'.' * (8 - full)} {share:.0%}{'!' if share >= 0.9 else ''}"
