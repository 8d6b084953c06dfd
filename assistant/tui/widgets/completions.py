"""What a word that is being typed may become: a short list above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.widget import Widget

from assistant.tui.lines import cut, safe

if TYPE_CHECKING:
    from assistant.tui.theme import Theme

_MOST = 8


class Choice(NamedTuple):
    """One completion: what stands in the composer when it is taken, and a word about it."""

    text: str
    about: str = ""


class Completions(Widget):
    """Draws choices and remembers which one is meant. It never has the focus: keys stay with the composer."""

    DEFAULT_CSS = "Completions { height: auto; max-height: 8; display: none; background: $panel; padding: 0 1; }"

    def __init__(self, theme: Theme, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.look = theme
        self.word = ""
        self.choices: tuple[Choice, ...] = ()
        self.at = 0

    def show(self, word: str, choices: tuple[Choice, ...]) -> None:
        """Show what a word may become; nothing hides the list."""
        self.word, choices = word, choices[:_MOST]
        if choices != self.choices:
            self.choices, self.at = choices, 0
            self.display = bool(choices)
            self.refresh(layout=True)

    def hide(self) -> None:
        """Offer nothing any more."""
        self.show("", ())

    def move(self, step: int) -> None:
        """Mean another choice."""
        if self.choices:
            self.at = (self.at + step) % len(self.choices)
            self.refresh()

    @property
    def chosen(self) -> str | None:
        """What stands in the composer when the choice that is meant is taken."""
        return self.choices[self.at].text if self.choices else None

    def render(self) -> Text:
        """Draw the list."""
        width = self.size.width
        rows = Text()
        name = max((len(each.text) for each in self.choices), default=0)
        for index, each in enumerate(self.choices):
            here = index == self.at
            line = cut(safe(f"{'>' if here else ' '} {each.text:<{min(name, 40)}}  {each.about}".rstrip()), width)
            rows.append(line + ("\n" if index + 1 < len(self.choices) else ""), self.look["fold" if here else "note"])
        return rows
