"""What a word that is being typed may become: a short list above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.widget import Widget

from assistant.tui.lines import cut
from assistant.visible import safe

if TYPE_CHECKING:
    from assistant.tui.theme import Theme

_MOST = 8


class Completion(NamedTuple):
    """What a word may become: the text that is put into the composer, and a word about it.

    `shown` is its text in the list, if that differs. A completion that is not `meant` is only close to what was typed:
    if the list begins with one, no row is chosen until the user chooses one.
    """

    text: str
    about: str = ""
    shown: str = ""
    meant: bool = True

    @property
    def name(self) -> str:
        """The text that stands for it in the list."""
        return self.shown or self.text.rstrip()


class Completions(Widget):
    """Draws choices and remembers the chosen one. It never has the focus: keys stay with the composer."""

    DEFAULT_CSS = "Completions { height: auto; max-height: 8; display: none; background: $panel; padding: 0 1; }"

    def __init__(self, theme: Theme, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.look = theme
        self.word = ""
        self.choices: tuple[Completion, ...] = ()
        self.at = 0

    def show(self, word: str, choices: tuple[Completion, ...]) -> None:
        """Show what a word may become; no choices hide the list."""
        self.word, choices = word, choices[:_MOST]
        if choices != self.choices:
            self.choices, self.at = choices, 0 if choices and choices[0].meant else -1
            self.display = bool(choices)
            self.refresh(layout=True)

    def hide(self) -> None:
        """Offer nothing any more."""
        self.show("", ())

    def move(self, step: int) -> None:
        """Choose another one."""
        if self.choices:
            self.at = (self.at + step) % len(self.choices) if self.at >= 0 or step > 0 else len(self.choices) - 1
            self.refresh()

    @property
    def only(self) -> bool:
        """Whether there is only one choice."""
        return len(self.choices) == 1

    @property
    def chosen(self) -> str | None:
        """The text to put into the composer if the chosen one is taken; None if none is chosen."""
        return self.choices[self.at].text if self.choices and self.at >= 0 else None

    @property
    def first(self) -> str | None:
        """The likeliest choice, chosen or not; None if there are none."""
        return self.choices[0].text if self.choices else None

    def render(self) -> Text:
        """Draw the list."""
        width = self.size.width
        rows = Text()
        name = max((len(each.name) for each in self.choices), default=0)
        for index, each in enumerate(self.choices):
            here = index == self.at
            line = cut(safe(f"{'>' if here else ' '} {each.name:<{min(name, 40)}}  {each.about}".rstrip()), width)
            rows.append(line + ("\n" if index + 1 < len(self.choices) else ""), self.look["fold" if here else "note"])
        return rows
