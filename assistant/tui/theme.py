"""Colours: a theme is a page in `themes/`, ours or the user's, with styles in rich's words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.errors import StyleSyntaxError
from rich.style import Style

from assistant import discover
from assistant.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Theme:
    """Styles by their use, styles by the kind of a word in source code, and the base theme of Textual."""

    def __init__(self, name: str, textual: str, styles: Mapping[str, Style], syntax: Mapping[str, Style]) -> None:
        self.name, self.textual, self.styles, self.syntax = name, textual, styles, syntax

    def __getitem__(self, use: str) -> Style:
        """Return the style for a use; an unknown use looks like plain words."""
        return self.styles.get(use) or Style.null()


def load(name: str, users: Path | None = None) -> Theme:
    """Read a theme by name. What a user's theme leaves out is as in `dark`. Raises ConfigError."""
    pages = {path.stem: path for path in discover.data_files(Path(__file__).parent / "themes", users)}
    if name not in pages:
        raise ConfigError(f"There is no theme called {name!r}.", f"Choose one of: {', '.join(sorted(pages))}.")
    base = discover.read_toml(Path(__file__).parent / "themes" / "dark.toml")
    page = base if name == "dark" and users is None else discover.read_toml(pages[name])
    try:
        styles = {use: Style.parse(words) for use, words in {**base["styles"], **page.get("styles", {})}.items()}
        syntax = {kind: Style.parse(words) for kind, words in page.get("syntax", {}).items()}
    except (StyleSyntaxError, AttributeError, TypeError) as error:
        raise ConfigError(f"{pages[name]}: {error}.", "Styles are written as in our own themes.") from error
    return Theme(name, str(page.get("textual", base["textual"])), styles, syntax)
