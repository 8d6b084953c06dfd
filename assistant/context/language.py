"""Languages, each a page of facts and a query in `languages/`: suffixes, grammar, what is a definition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from assistant.discover import read_toml

_FOLDER = Path(__file__).parent / "languages"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: the module of its grammar, the function that makes it, and the tags query."""

    name: str
    suffixes: tuple[str, ...]
    grammar: str
    constructor: str
    query: str


@cache
def languages() -> dict[str, Language]:
    """Return all languages by suffix."""
    found: dict[str, Language] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        page = read_toml(path)
        query = path.with_suffix(".scm").read_text(encoding="utf-8")
        language = Language(page["name"], tuple(page["suffixes"]), page["grammar"], page["constructor"], query)
        found |= dict.fromkeys(language.suffixes, language)
    return found


def language_of(path: str) -> Language | None:
    """Return the language of a file by its name."""
    return languages().get(PurePosixPath(path).suffix.lower())
