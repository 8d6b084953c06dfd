"""Screens that ask one thing: a list to pick from, a text to edit, a page to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from assistant.tui.key_grace import Grace
from assistant.tui.widgets.composer import Pad, TextArea
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

SHEET_CSS = """
{name} {{ align: center middle; }}
{name} > Vertical {{ width: 100%; max-width: 120; height: 90%; border: round $primary; background: $surface; padding: 0 1; }}
{name} OptionList, {name} TextArea {{ height: 1fr; border: none; padding: 0; }}
{name} OptionList {{ text-wrap: nowrap; text-overflow: ellipsis; }}
{name} Input {{ border: none; height: 1; padding: 0; }}
{name} Static {{ height: auto; }}
"""


class Sheet(ModalScreen[ScreenResultType]):
    """A screen over the main one that closes once, however often its keys are pressed. Ctrl+C is Escape, unless it copies."""

    BINDINGS = [Binding("ctrl+c", "cancel", show=False, priority=True)]

    def action_cancel(self) -> None:
        """Copy what is selected; else do what Escape does here."""
        selected = self.get_selected_text() or getattr(self.focused, "selected_text", "")
        if selected:
            self.app.copy_to_clipboard(selected)
        else:
            self.app.post_message(events.Key("escape", None))

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close and return the answer; a second, hasty key finds nothing to close."""
        return super().dismiss(result) if self.is_current else AwaitComplete()


def stepped(at: int, step: int, count: int) -> int:
    """Return the new place in a list of `count` rows: a step of one wraps around, a longer one stops at the ends."""
    return (at + step) % count if abs(step) == 1 else max(0, min(count - 1, at + step))


class ListSheet(Sheet[str | None]):
    """A list below a line of words that narrow it. The line keeps the focus, and keys lead through the list."""

    BINDINGS = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("pagedown", "step(10)", show=False, priority=True),
        Binding("pageup", "step(-10)", show=False, priority=True),
        Binding("home", "edge(-1)", show=False, priority=True),
        Binding("end", "edge(1)", show=False, priority=True),
        Binding("ctrl+home", "edge(-1, True)", show=False, priority=True),
        Binding("ctrl+end", "edge(1, True)", show=False, priority=True),
    ]

    def moved(self) -> None:
        """Note that the user went to a row: one that knows more by and by must not lead away from it."""

    def action_step(self, step: int) -> None:
        """Move in the list."""
        options = self.query_one(OptionList)
        if options.option_count:
            self.moved()
            options.highlighted = stepped(options.highlighted or 0, step, options.option_count)

    def action_edge(self, side: int, sure: bool = False) -> None:
        """Go to an end of the list; or of the words above it if there are any, unless it is `sure`."""
        words, options = self.query_one(Input), self.query_one(OptionList)
        if words.value and not sure:
            words.action_home() if side < 0 else words.action_end()
        elif options.option_count:
            self.moved()
            options.highlighted = 0 if side < 0 else options.option_count - 1


class Picker(ListSheet):
    """A list that is narrowed by typing; returns the key of the chosen row, or None."""

    CSS = SHEET_CSS.format(name="Picker")

    def __init__(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._rows = rows
        self._texts = [(number, f"{key} {row}".lower()) for number, (key, row) in enumerate(rows)]

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Static(Text(self._title, style="bold"))
            yield Input(placeholder="type to narrow, Enter to choose, Esc to close")
            yield OptionList()

    def on_mount(self) -> None:
        """Show all rows."""
        self._narrow("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self._narrow(event.value)

    def _narrow(self, words: str) -> None:
        found = self._texts
        for word in words.lower().split():
            found = [(number, text) for number, text in found if word in text]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            [Option(Text(self._rows[number][1], no_wrap=True), id=f"row-{number}") for number, _ in found[:500]]
        )
        if found:
            options.highlighted = 0

    def on_input_submitted(self) -> None:
        """Choose the highlighted row."""
        options = self.query_one(OptionList)
        if options.highlighted is not None and options.option_count:
            self._choose(options.get_option_at_index(options.highlighted).id or "")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose a row by mouse."""
        self._choose(event.option.id or "")

    def _choose(self, name: str) -> None:
        self.dismiss(self._rows[int(name.removeprefix("row-"))][0])


class Editor(Sheet[str | None]):
    """A text to change; returns the new text, or None. What was typed is thrown away only at a second Esc."""

    KEYS = "Ctrl+S accepts, Esc leaves it"
    CSS = SHEET_CSS.format(name="Editor")
    BINDINGS = [
        Binding("ctrl+s", "accept", "accept", priority=True),
        Binding("escape", "leave", "cancel", priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._asked: str | None = None

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Static(Text(f"{self._title}   {self.KEYS}", style="bold"))
            yield Pad(self._text, show_line_numbers=False)

    def action_leave(self) -> None:
        """Leave; if something was typed, only at the second time."""
        text = self.query_one(TextArea).text
        if text in {self._text, self._asked}:
            self.dismiss(None)
            return
        self._asked = text
        words = Text(
            f"{self._title}   Esc again throws away what you typed; {self.KEYS.partition(',')[0]}", style="bold"
        )
        self.query_one(Static).update(words)

    def action_accept(self) -> None:
        """Return the text, with what was typed right before this key: the area may not have received that yet."""
        self.query_one(TextArea).call_later(self._give)

    def _give(self) -> None:
        self.dismiss(self.query_one(TextArea).text)  # not to be awaited by the area, which ends with this screen


class Note(Editor):
    """Some words to write, with the keys of the composer: Enter is enough to accept them."""

    KEYS = "Enter keeps it, Ctrl+J begins a new line, Esc leaves it"
    CSS = SHEET_CSS.format(name="Note") + "Note > Vertical { height: 40%; min-height: 6; }"
    BINDINGS = [
        Binding("enter", "accept", "keep", priority=True),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "new line", show=False, priority=True),
    ]

    def on_mount(self) -> None:
        """Put the cursor after what is there."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)

    def action_newline(self) -> None:
        """Begin a new line after what was typed before."""
        area = self.query_one(TextArea)
        area.call_later(area.insert, "\n")


class Page(Sheet[None]):
    """Something to read."""

    CSS = SHEET_CSS.format(name="Page")
    BINDINGS = [
        Binding("escape,enter,q", "dismiss(None)", "close", priority=True),
        Binding("home,ctrl+home", "edge(-1)", show=False, priority=True),
        Binding("end,ctrl+end", "edge(1)", show=False, priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Static(Text(f"{self._title}   Esc closes", style="bold"))
            yield TextArea(self._text, read_only=True, show_line_numbers=False)

    def action_edge(self, side: int) -> None:
        """Go to the beginning, or to the end."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.start if side < 0 else area.document.end)


class Confirm(Sheet[bool]):
    """A question that needs a yes of its own. Keys typed before it can be seen mean nothing."""

    CSS = SHEET_CSS.format(name="Confirm")
    BINDINGS = [
        Binding("y", "answer(True)", "yes", priority=True),
        Binding("n,escape,q", "answer(False)", "no", priority=True),
    ]

    def __init__(self, title: str, words: str, keys: str = "y writes them, n or Esc does not") -> None:
        super().__init__()
        self._title = title
        self._words = words
        self._keys = keys
        self.grace = Grace()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Static(Text(self._title, style="bold"))
            yield Static(Text("\n".join(map(safe, self._words.split("\n")))))
            yield Static(Text(self._keys, style="bold"))

    def action_answer(self, answer: bool) -> None:
        """Give the answer."""
        if not self.grace.early:
            self.dismiss(answer)
