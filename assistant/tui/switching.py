"""The sheet before a switch takes effect: what going on with another model costs, what stays behind, and three ways to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.binding import Binding
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from assistant.tui.figures import short
from assistant.tui.key_grace import Grace
from assistant.tui.model_lines import FITS
from assistant.tui.pickers import Sheet
from assistant.tui.scrolling import PAGING, Tall
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from textual.app import ComposeResult

    from assistant.handover import SwitchOffer
    from assistant.models.switch import Carried, LeftBehind

_WAYS = {
    "everything": ("e", "everything"),
    "brief": ("b", "a brief of it"),
    "last": ("l", "the last request"),
}
NEXT = "next"


class SwitchSheet(Sheet[str | None]):
    """Returns a way to carry ("everything", "brief", "last"), NEXT for the next favourite, or None to stay.

    Keys typed before it can be seen mean nothing.
    """

    CSS = """
    SwitchSheet { align: center middle; }
    SwitchSheet OptionList { height: auto; border: none; padding: 0; margin: 1 0; text-wrap: nowrap; text-overflow: ellipsis; }
    SwitchSheet.-low OptionList { margin: 0; }
    SwitchSheet Static { height: auto; }
    """
    BINDINGS = [
        Binding("e", "take('everything')", show=False, priority=True),
        Binding("b", "take('brief')", show=False, priority=True),
        Binding("l", "take('last')", show=False, priority=True),
        Binding("enter", "take('')", show=False, priority=True),
        Binding("ctrl+p", f"take('{NEXT}')", show=False, priority=True),
        Binding("escape,q", "dismiss(None)", show=False, priority=True),
        *PAGING,
    ]

    def __init__(self, offer: SwitchOffer, *, trouble: str = "") -> None:
        super().__init__()
        self._offer = offer
        self._trouble = trouble
        self._warned = ""  # the way about which the user was warned that it does not fit
        self._keys = Static(Text("Enter or the letter goes on, Ctrl+P next favourite, Esc stays", style="bold"))
        self.grace = Grace()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        sheet = self._offer.sheet
        yield Tall(
            f"Go on with {sheet.target.name}?",
            Static(Text("\n".join(map(safe, told(self._offer, self._trouble))))),
            OptionList(*(Option(row) for row in self._rows())),
            self._keys,
        )

    def _rows(self) -> list[Text]:
        ways = self._offer.sheet.ways
        width = min(self.app.size.width, 120) - 5  # a bar may stand beside them
        return rows(ways, width, dim=[way.way for way in ways if self._hindered(way)])

    def on_mount(self) -> None:
        """Highlight the first way that fits."""
        ways = self._offer.sheet.ways
        likely = (place for place, way in enumerate(ways) if way.fits != "no" and not self._hindered(way))
        self.query_one(OptionList).highlighted = next(likely, len(ways) - 1)

    def on_resize(self) -> None:
        """Draw the ways for the new width, close together on a low screen."""
        self.set_class(self.size.height < 20, "-low")
        options = self.query_one(OptionList)
        for place, row in enumerate(self._rows()):
            options.replace_option_prompt_at_index(place, row)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Keep the highlighted way in sight."""
        self.query_one(Tall).keep(event.option_list, event.option_index)

    def action_page(self, step: int) -> None:
        """Scroll to what is out of sight."""
        self.query_one(Tall).page(step)

    def _hindered(self, way: Carried) -> bool:
        """Say whether a way was tried in vain, or would be."""
        return way.way == "brief" and bool(self._trouble or self._offer.hindered)

    def action_take(self, way: str) -> None:
        """Return the way, unless it is a brief that nobody can write."""
        if not self.grace.early:
            place = self.query_one(OptionList).highlighted or 0
            self._give(way or self._offer.sheet.ways[place].way)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the way that was clicked."""
        self._give(self._offer.sheet.ways[event.option_index].way)

    def _give(self, way: str) -> None:
        """Return a way; one that does not fit only at the second time."""
        if way == "brief" and self._offer.hindered:
            return
        sheet = self._offer.sheet
        if way != self._warned and any(each.way == way and each.fits == "no" for each in sheet.ways):
            self._warned = way
            holds = f"That does not fit: {sheet.target.name} holds {short(sheet.context_window or 0)} tokens."
            self._keys.update(Text(f"{holds} Once more goes on all the same, Esc stays", style="bold"))
            self.call_after_refresh(self.query_one(Tall).scroll_end, animate=False)
            return
        self.dismiss(way)


def rows(ways: Sequence[Carried], width: int, dim: Collection[str] = ()) -> list[Text]:
    """Draw the ways: letter, price of the next question, its tokens, whether it fits; those in `dim` cannot be taken.

    If there is no room for all columns, the band of the tokens goes first and the price last; if some way does not fit,
    the price goes before that remark.
    """
    heads = [f"{letter}  {words}" for letter, words in (_WAYS[way.way] for way in ways)]
    costs = [str(way.cost[1]) for way in ways]
    fits = [f"{FITS[way.fits]}{', dearer so long' if way.dearer else ''}" for way in ways]
    sizes = [tuple(map(short, way.tokens)) for way in ways]
    likely = [f"~{each[1]}" for each in sizes]
    bands = [f" ({low} to {high})" for low, _, high in sizes]
    sets = [
        [heads, fits if any(way.fits == "no" for way in ways) else costs],
        [heads, costs, fits],
        [heads, costs, likely, fits],
        [heads, costs, [f"{each} tokens" for each in likely], fits],
        [heads, costs, [f"{each}{band}" for each, band in zip(likely, bands, strict=True)], fits],
        [heads, costs, [f"{each} tokens{band}" for each, band in zip(likely, bands, strict=True)], fits],
    ]
    columns = next((each for each in reversed(sets) if sum(map(_wide, each)) + 2 * len(each) - 2 <= width), sets[0])
    drawn = []
    for way, *cells in zip(ways, *columns, strict=True):
        row = Text("  ").join(
            Text(f"{cell:<{_wide(column)}}", style="italic" if column is fits else "")
            for cell, column in zip(cells, columns, strict=True)
        )
        row.rstrip()
        row.no_wrap = True
        if way.way in dim:
            row.stylize("dim")
        drawn.append(row)
    return drawn


def _wide(column: Sequence[str]) -> int:
    return max(map(len, column))


def told(offer: SwitchOffer, trouble: str) -> list[str]:
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
    told_as = [
        f"{count} {name}"
        for count, name in ((left.tool_calls, "tool calls"), (left.tool_results, "tool results"))
        if count
    ]
    lines = []
    if left.images:
        some = f"{left.images} pictures" if left.images > 1 else "1 picture"
        lines.append(f"Stays behind: {some} (the new model is not known to look at pictures).")
    if left.thoughts:
        some = f"{left.thoughts} thoughts" if left.thoughts > 1 else "1 thought"
        lines.append(f"Stays behind: {some} (only their maker can read them).")
    return lines + ([f"Goes along as plain words: {', '.join(told_as)}."] if told_as else [])
