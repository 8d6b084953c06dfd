"""The list to choose a model from: narrowed while one types, with what it costs now and what picking it would mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from assistant import tokens
from assistant.tui.lines import fitting, middle, safe, wrap
from assistant.tui.pickers import EDGES, SHEET_CSS, Sheet, stepped, to_edge
from assistant.tui.widgets.meter_bar import short

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from assistant.models.listing import Row
    from assistant.models.price import Price
    from assistant.models.switch import Carried

FITS = {"yes": "fits", "perhaps": "may not fit", "no": "does not fit", "unknown": "window unknown"}
_NARROW, _WIDE = 60, 110
"""Cells below which a row is its name only, and from which it has all columns."""
_HIGH, _LOW = 9, 4
"""Lines for what is known of a model and the one above them, on a screen of the usual height and on a low one."""
_MARKS = "★ "


class ModelPicker(Sheet[str | None]):
    """Gives the name of a model, with the level of thinking that was typed behind a colon, or None.

    `like` makes a favourite of a model, or none any more; `look` gives better rows as they become known (servers of this
    machine), what each model would mean for the conversation, and of which the plan is used up, in words.
    """

    CSS = (
        SHEET_CSS.format(name="ModelPicker")
        + f"ModelPicker #facts {{ max-height: {_HIGH}; border-top: solid $primary-muted; }}"
        + f"ModelPicker.-low #facts {{ max-height: {_LOW}; }}"
    )
    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("escape", "dismiss(None)", "close"),
        Binding("down,ctrl+n", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("pagedown", "step(10)", show=False, priority=True),
        Binding("pageup", "step(-10)", show=False, priority=True),
        Binding("ctrl+f", "like", show=False, priority=True),
        *EDGES,
    ]

    def __init__(
        self,
        title: str,
        rows: Sequence[Row],
        like: Callable[[str], list[Row]],
        look: AsyncIterator[tuple[list[Row], Mapping[str, Carried], Mapping[str, str]]],
    ) -> None:
        super().__init__()
        self._title = title
        self._rows = rows
        self._like = like
        self._look = look
        self._effects: Mapping[str, Carried] = {}
        self._spent: Mapping[str, str] = {}
        self._moved = False
        self.found: list[Row] = []

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Static(id="title")
            yield Input(placeholder="type to narrow; :high thinks harder")
            yield Static(id="heads")
            yield OptionList()
            yield Static(id="facts")

    def on_mount(self) -> None:
        """Show what is known, and better rows as they come."""
        self.on_resize()
        self._narrow()
        self._learn()

    def on_resize(self) -> None:
        """Leave the list some lines of a low screen."""
        self.set_class(self.size.height < 20, "-low")
        if self.found:
            self._narrow()

    @work(exclusive=True, group="look")
    async def _learn(self) -> None:
        async for rows, effects, spent in self._look:
            self._rows, self._effects, self._spent = rows, effects, spent
            here = self.chosen
            self._narrow(keep=self._moved or here is None or here.name not in spent)

    def on_input_changed(self) -> None:
        """Narrow the list."""
        self._narrow(keep=False)

    def _typed(self) -> tuple[str, str]:
        """Return what is looked for, and the level of thinking behind it."""
        from assistant.models.page import EFFORTS

        words = self.query_one(Input).value.strip()
        head, _, tail = words.rpartition(":")
        return (head, tail) if head and tail in EFFORTS else (words, "")

    def _narrow(self, *, keep: bool = True) -> None:
        from assistant.models import listing

        options = self.query_one(OptionList)
        chosen = self.chosen if keep else None
        words = self._typed()[0]
        self.found = listing.find(self._rows, words)
        if not words:
            self.found.sort(key=lambda row: row.name in self._spent)
        width = max(20, self.size.width - 6 if self.size.width < 124 else 114)
        self.query_one("#heads", Static).update(heads(width))
        options.clear_options()
        options.add_options(
            [Option(line(row, width, self._effects.get(row.name), spent=row.name in self._spent)) for row in self.found]
        )
        if self.found:
            here = (place for place, row in enumerate(self.found) if chosen is not None and row.name == chosen.name)
            options.highlighted = next(here, 0)
        keys = "Ctrl+F ★" if self.size.width < _WIDE else "Ctrl+F makes a favourite ★, Enter takes"
        words = fitting(
            (self._title, f"{len(self.found)} of {len(self._rows)}", "Esc closes", keys), self._width, "   "
        )
        title = Text(words, style="bold")
        title.stylize("dim", len(self._title))
        self.query_one("#title", Static).update(title)
        self._tell()

    @property
    def _width(self) -> int:
        return min(self.size.width, 120) - 4

    @property
    def chosen(self) -> Row | None:
        """The row in sight."""
        place = self.query_one(OptionList).highlighted
        return self.found[place] if place is not None and place < len(self.found) else None

    def on_option_list_option_highlighted(self) -> None:
        """Tell about the row in sight."""
        self._tell()

    def _tell(self) -> None:
        row = self.chosen
        lines = (
            facts(row, self._effects.get(row.name), self._spent.get(row.name, ""))
            if row
            else ["Enter asks for it as it is typed."]
        )
        room, shown = (_LOW if self.has_class("-low") else _HIGH) - 1, []
        for each in map(safe, lines):
            size = len(wrap(each, self._width))
            if size <= room:
                room -= size
                shown.append(each)
        self.query_one("#facts", Static).update(Text("\n".join(shown)))

    def action_step(self, step: int) -> None:
        """Move in the list while the words keep the focus."""
        options = self.query_one(OptionList)
        if options.option_count:
            self._moved = True
            options.highlighted = stepped(options.highlighted or 0, step, options.option_count)

    def action_edge(self, side: int, sure: bool = False) -> None:
        """Go to an end of the list."""
        self._moved = True
        to_edge(self, side, sure=sure)

    def action_like(self) -> None:
        """Make the row a favourite, or none any more."""
        row = self.chosen
        if row is not None:
            self._moved = True
            self._rows = self._like(row.name)
            self._narrow()

    def on_input_submitted(self) -> None:
        """Take the row in sight; what nobody lists is asked for as it was typed."""
        words, effort = self._typed()
        row = self.chosen
        name = row.name if row else words
        self.dismiss(f"{name}:{effort}" if effort and name else name or None)

    def on_option_list_option_selected(self) -> None:
        """Take a row by mouse."""
        self.on_input_submitted()


def heads(width: int) -> Text:
    """Say what stands in the columns of `line`."""
    words = f"  {'model':<{_name_width(width)}}"
    if width >= _NARROW:
        words += f" {'window':>6} {'in/out per M':>16} {'pays':<8}"
    if width >= _WIDE:
        words += f" {'now':<10} {'can':<15} {'to go on':<8}"
    return Text(words, style="dim", no_wrap=True)


def line(row: Row, width: int, effect: Carried | None = None, *, spent: bool = False) -> Text:
    """Draw a row in a width: favourite, name, window, price now, who pays, and what is in the way; `spent`: a plan that is used up."""
    room = _name_width(width)
    style = "" if row.ready and not spent else "dim"
    text = Text(_MARKS[0] if row.favourite is not None else _MARKS[1], no_wrap=True, end="")
    text.append(f" {middle(row.name, room):<{room}}", style=style)
    if width >= _NARROW:
        window = short(row.model.context_window) if row.model.context_window else "?"
        text.append(f" {window:>6} {rate(row):>16} {row.payer:<8}", style=style)
    if width >= _WIDE:
        label = row.price.label if row.price else ""
        cost = str(effect.cost[1]) if effect and effect.cost[1].amount else ""
        text.append(f" {_end(label, 10):<10} {_abilities(row):<15} {cost:<8}", style="dim")
    trouble = (
        "no key"
        if not row.ready
        else "used up"
        if spent
        else FITS[effect.fits]
        if effect and effect.fits in {"no", "perhaps"}
        else ""
    )
    text.append(f" {trouble}", style="italic")
    return text


def _name_width(width: int) -> int:
    """Return the cells that the other columns leave: mark, window, price, payer, and what is in the way."""
    return width - (2 + (33 if width >= _NARROW else 0) + (36 if width >= _WIDE else 0) + 9)


def rate(row: Row) -> str:
    """Say the price that holds now, in and out for a million tokens; what a plan includes and what is free says so."""
    if row.payer in {"plan", "free", "local"}:
        return {"plan": "in the plan", "free": "free", "local": "free"}[row.payer]
    if row.price is None:
        return "unknown"
    doubt = "≤" if row.price != row.cheapest else ""
    return f"{doubt}{_sold(row.price, 'input')}/{_sold(row.price, 'output')}"


def _sold(price: Price, name: str) -> str:
    return tokens.rate(getattr(price, name), price.currency)


def facts(row: Row, effect: Carried | None = None, spent: str = "") -> list[str]:
    """Tell about a model in a few lines, what is `spent` and what it costs first: a low screen has no room for more."""
    model, provider = row.model, row.provider
    key = "" if row.ready else f"; no key: set {' or '.join(provider.key_names)}"
    lines = [*filter(None, [spent]), _prices(row)]
    if effect is not None:
        low, likely, high = effect.tokens
        dearer = f", dearer above {short(model.soft_window)}" if effect.dearer and model.soft_window else ""
        lines.append(
            f"this conversation: ~{short(likely)} tokens to read anew ({short(low)} to {short(high)}), "
            f"{effect.cost[1]}; {FITS[effect.fits]}{dearer}"
        )
    lines.append(f"{model.title or model.id}, sold by {provider.title}; {row.payer}{key}")
    window = f"{short(model.context_window)} window" if model.context_window else "window unknown"
    soft = f" (better below {short(model.soft_window)})" if model.soft_window else ""
    answer = f", answers up to {short(model.max_output)}" if model.max_output else ""
    levels = f"; thinks {', '.join(model.efforts)}" if model.efforts else ""
    able = f"; {', '.join(sorted(model.abilities))}" if model.abilities else ""
    lines.append(f"{window}{soft}{answer}{levels}{able}")
    lines += [
        f"{each.benchmark} {each.value}{each.unit}  ({each.source}, {each.on:%Y-%m-%d})" for each in model.scores[:3]
    ]
    if model.retires_on:
        lines.append(f"retires on {model.retires_on:%Y-%m-%d}")
    if model.note or provider.note:
        lines.append(model.note or provider.note)
    return lines


def _prices(row: Row) -> str:
    price = row.price
    if price is None:
        return "price unknown"
    parts = [f"{_sold(price, 'input')} in"]
    if price.cache_read is not None:
        parts.append(f"{_sold(price, 'cache_read')} cached")
    if price.cache_write_short is not None:
        parts.append(f"{_sold(price, 'cache_write_short')} cache write")
    parts.append(f"{_sold(price, 'output')} out")
    label = f" ({price.label})" if price.label else ""
    doubt = " at most: nobody knows whether the peak holds" if price != row.cheapest else ""
    until = f"; changes {row.changes_at.astimezone():%a %d %b %H:%M}" if row.changes_at else ""
    tiers = sorted({each.above for each in row.model.prices if each.above})
    above = f"; dearer above {short(tiers[0])}" if tiers else ""
    included = " (a plan pays)" if row.payer == "plan" else ""
    return f"{', '.join(parts)} per million{label}{doubt}{until}{above}{included}"


def _abilities(row: Row) -> str:
    """Say in columns what a model can do: think before it answers, see images, read from a cache."""
    signs = (("thinking", "think"), ("images", "img"), ("cache", "cache"))
    return " ".join(f"{sign if name in row.model.abilities else '·':<{len(sign)}}" for name, sign in signs)


def _end(text: str, width: int) -> str:
    return text if cell_len(text) <= width else f"{text[: width - 1]}…"
