"""What a word that is being typed may become: a short list above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.widget import Widget

from assistant.tui.lines import cut, safe

if TYPE_CHECKING:
    from assistant.tui.theme import Theme

_MOST = 8


class Completion(NamedTuple):
    """What a word may become: what stands in the composer when it is taken, and a word about it.

    `shown` is what stands for it in the list where that is not its text. One that is not `meant` by what was typed is only
    near it: no row of a list that begins with such a one is chosen until the user does so.
    """

    text: str
    about: str = ""
    shown: str = ""
    meant: bool = True

    @property
    def name(self) -> str:
        """What stands for it in the list."""
        return self.shown or self.text.rstrip()


class Completions(Widget):
    """Draws choices and remembers which one is meant. It never has the focus: keys stay with the composer."""

    DEFAULT_CSS = "Completions { height: auto; max-height: 8; display: none; background: $panel; padding: 0 1; }"

    def __init__(self, theme: Theme, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.look = theme
        self.word = ""
        self.choices: tuple[Completion, ...] = ()
        self.at = 0

    def show(self, word: str, choices: tuple[Completion, ...]) -> None:
        """Show what a word may become; nothing hides the list."""
        self.word, choices = word, choices[:_MOST]
        if choices != self.choices:
            self.choices, self.at = choices, 0 if choices and choices[0].meant else -1
            self.display = bool(choices)
            self.refresh(layout=True)

    def hide(self) -> None:
        """Offer nothing any more."""
        self.show("", ())

    def move(self, step: int) -> None:
        """Mean another choice."""
        if self.choices:
            self.at = (self.at + step) % len(self.choices) if self.at >= 0 or step > 0 else len(self.choices) - 1
            self.refresh()

    @property
    def only(self) -> bool:
        """Whether nothing else can be meant."""
        return len(self.choices) == 1

    @property
    def chosen(self) -> str | None:
        """What stands in the composer when the choice that is meant is taken; None where none is."""
        return self.choices[self.at].text if self.choices and self.at >= 0 else None

    @property
    def first(self) -> str | None:
        """The likeliest of them, meant or not; None where there are none."""
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
