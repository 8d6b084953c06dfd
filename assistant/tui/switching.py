"""The sheet before a switch takes effect: what going on with another model costs, what stays behind, and three ways to go."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from assistant.tui.choosing import FITS
from assistant.tui.lines import safe
from assistant.tui.pickers import GRACE_S, SHEET_CSS, Sheet
from assistant.tui.widgets.meter_bar import short

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from assistant.handover import Offer
    from assistant.models.switch import Carried, LeftBehind

_WAYS = {
    "everything": ("e", "everything"),
    "brief": ("b", "a brief of it"),
    "last": ("l", "the last request"),
}
NEXT = "next"


class SwitchSheet(Sheet[str | None]):
    """Gives a way to carry ("everything", "brief", "last"), NEXT for the next favourite, or None to stay.

    Keys typed before it can be seen mean nothing.
    """

    CSS = SHEET_CSS.format(name="SwitchSheet") + (
        "SwitchSheet > Vertical { height: auto; max-height: 95%; } SwitchSheet OptionList { height: auto; margin: 1 0; }"
    )
    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("e", "take('everything')", show=False, priority=True),
        Binding("b", "take('brief')", show=False, priority=True),
        Binding("l", "take('last')", show=False, priority=True),
        Binding("enter", "take('')", show=False, priority=True),
        Binding("ctrl+p", f"take('{NEXT}')", show=False, priority=True),
        Binding("escape,q", "dismiss(None)", show=False, priority=True),
    ]

    def __init__(self, offer: Offer, *, trouble: str = "") -> None:
        super().__init__()
        self._offer = offer
        self._trouble = trouble
        self._since = monotonic()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        sheet = self._offer.sheet
        with Vertical():
            yield Static(Text(f"Go on with {safe(sheet.target.name)}?", style="bold"))
            yield Static(Text("\n".join(map(safe, told(self._offer, self._trouble)))))
            yield OptionList(*(Option(line(way, hindered=self._hindered(way))) for way in sheet.ways))
            yield Static(Text("Enter or the letter goes on, Ctrl+P next favourite, Esc stays", style="bold"))

    def on_mount(self) -> None:
        """Stand on the first way that fits."""
        ways = self._offer.sheet.ways
        likely = (place for place, way in enumerate(ways) if way.fits != "no" and not self._hindered(way))
        self.query_one(OptionList).highlighted = next(likely, len(ways) - 1)

    def _hindered(self, way: Carried) -> bool:
        """Whether a way was tried in vain, or would be."""
        return way.way == "brief" and bool(self._trouble or self._offer.hindered)

    def action_take(self, way: str) -> None:
        """Give the way; a brief that nobody can write is none."""
        if monotonic() - self._since >= GRACE_S:
            place = self.query_one(OptionList).highlighted or 0
            self._give(way or self._offer.sheet.ways[place].way)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the way that was clicked."""
        self._give(self._offer.sheet.ways[event.option_index].way)

    def _give(self, way: str) -> None:
        if way != "brief" or not self._offer.hindered:
            self.dismiss(way)


def line(way: Carried, *, hindered: bool = False) -> Text:
    """Draw one way: its letter, what the next question sends at least, and whether that fits; dim where it cannot be gone."""
    letter, words = _WAYS[way.way]
    low, likely, high = way.tokens
    text = Text(f"{letter}  {words:<17}", no_wrap=True)
    text.append(f" ~{short(likely)} tokens ({short(low)} to {short(high)})".ljust(32))
    text.append(f" {way.cost[1]!s:<9}")
    text.append(f" {FITS[way.fits]}{', dearer so long' if way.dearer else ''}", style="italic")
    if hindered:
        text.stylize("dim")
    return text


def told(offer: Offer, trouble: str) -> list[str]:
    """Say the facts in lines: who pays, the cache, what stays behind, who would write a brief."""
    sheet = offer.sheet
    lines = [f"no brief: {trouble}"] if trouble else []
    if offer.shut:
        lines.append(f"It cannot be asked now: {offer.shut}")
    if sheet.payer_changes and sheet.source is not None:
        before, after = sheet.source.provider.title, sheet.target.provider.title
        lines.append(f"Who pays changes: {sheet.payer_before} at {before} -> {sheet.payer_after} at {after}.")
    else:
        lines.append(f"Paid as before: {sheet.payer_after} at {sheet.target.provider.title}.")
    if sheet.cached and sheet.stay is not None:
        stay = f"{sheet.stay} there" if sheet.stay.amount is not None else f"{sheet.stay.status} there"
        lines.append(f"The old cache ({short(sheet.cached)} tokens, {stay}) stays there; the new model reads anew:")
    else:
        lines.append("The new model reads the conversation anew:")
    lines += _left(sheet.left_behind)
    if offer.writer.why:
        lines.append(f"{offer.writer.why}.")
    lines.append(f"{offer.writing.rstrip('.')}.")
    return lines


def _left(left: LeftBehind) -> list[str]:
    behind = [f"{count} {name}" for count, name in ((left.images, "pictures"), (left.thoughts, "thoughts")) if count]
    told_as = [
        f"{count} {name}"
        for count, name in ((left.tool_calls, "tool calls"), (left.tool_results, "tool results"))
        if count
    ]
    lines = [f"Stays behind: {', '.join(behind)} (only their maker can read them)."] if behind else []
    return lines + ([f"Goes along as plain words: {', '.join(told_as)}."] if told_as else [])
