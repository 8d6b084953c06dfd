"""The list to choose a model from: narrowed by typing, with what each costs now and what picking it would mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from assistant.tui import model_lines
from assistant.tui.lines import fitting, wrap
from assistant.tui.pickers import SHEET_CSS, ListSheet
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from assistant.models.listing import Row
    from assistant.models.switch import Carried

_HIGH, _LOW = 9, 4
"""Lines for the facts about a model and the rule above them, on a screen of the usual height and on a low one."""


class ModelPicker(ListSheet):
    """Returns the name of a model, with the level of thinking that was typed after a colon, or None.

    `like` makes a model a favourite, or no longer one; `look` yields better rows as they become known (servers of this
    machine), what each model would mean for the conversation, and in words which models' plans are used up.
    """

    CSS = (
        SHEET_CSS.format(name="ModelPicker")
        + f"ModelPicker #facts {{ max-height: {_HIGH}; border-top: solid $primary-muted; }}"
        + f"ModelPicker.-low #facts {{ max-height: {_LOW}; }}"
    )
    BINDINGS = [
        Binding("ctrl+n", "step(1)", show=False, priority=True),
        Binding("ctrl+f", "like", show=False, priority=True),
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
        """Leave the list some lines on a low screen."""
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
        """Return the words to look for, and the level of thinking after them."""
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
        self.query_one("#heads", Static).update(model_lines.heads(width))
        options.clear_options()
        options.add_options(
            [
                Option(model_lines.line(row, width, self._effects.get(row.name), spent=row.name in self._spent))
                for row in self.found
            ]
        )
        if self.found:
            here = (place for place, row in enumerate(self.found) if chosen is not None and row.name == chosen.name)
            options.highlighted = next(here, 0)
        keys = "Ctrl+F ★" if self.size.width < model_lines.WIDE else "Ctrl+F makes a favourite ★, Enter takes"
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
        """The highlighted row."""
        place = self.query_one(OptionList).highlighted
        return self.found[place] if place is not None and place < len(self.found) else None

    def on_option_list_option_highlighted(self) -> None:
        """Tell about the highlighted row."""
        self._tell()

    def _tell(self) -> None:
        row = self.chosen
        lines = (
            model_lines.facts(row, self._effects.get(row.name), self._spent.get(row.name, ""))
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

    def moved(self) -> None:
        """Stay at this row when better rows come."""
        self._moved = True

    def action_like(self) -> None:
        """Make the row a favourite, or no longer one."""
        row = self.chosen
        if row is not None:
            self._moved = True
            self._rows = self._like(row.name)
            self._narrow()

    def on_input_submitted(self) -> None:
        """Take the highlighted row; a name that is not listed is taken as it was typed."""
        words, effort = self._typed()
        row = self.chosen
        name = row.name if row else words
        self.dismiss(f"{name}:{effort}" if effort and name else name or None)

    def on_option_list_option_selected(self) -> None:
        """Take a row by mouse."""
        self.on_input_submitted()
