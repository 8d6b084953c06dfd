"""Files that are no programs, by what they are for, and how much they weigh for a question.

Prose and settings hold the words of nearly any question, so they weigh little, unless the question is about their kind
or names them. `kinds.toml` tells the kinds.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.context import kept, terms
from assistant.discover import read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable

PROSE_FACTOR, NAMED_FACTOR = 0.15, 0.5
_FACTS = Path(__file__).with_name("kinds.toml")
_WORD = r"\w(?:[.-]?\w)*"
_PROSE = (".md", ".mdx", ".rst", ".txt", ".adoc", ".org", ".log")
_SHORT = 3
_ENDINGS = r"(?<=.)(?:\.[a-z]{1,5})?\.\w+$"
"""The ending of a name, or both of them as in `page.html.erb`."""


class Kinds:
    """How much the files weigh that are no programs, for a question whose `title` is its first line."""

    def __init__(self, title: str, words: Collection[str]) -> None:
        """`words` are the terms of the question."""
        low = title.lower()
        said = {*re.findall(_WORD, low)}

        def about(words: Iterable[str]) -> bool:
            return any(word in said or (not word.isalnum() and f" {word}" in f" {low}") for word in words)

        sure = tuple(name for name, kind in _facts().items() if about(kind["words"]))
        likely = tuple(name for name, kind in _facts().items() if about(kind.get("hints", ())))
        self._asked = _holds(sure) if sure else None
        self._likely = _holds(likely) if likely else None
        self._words = words

    def factor(self, path: str, *, spoken: bool) -> float:
        """Return the factor on the score of a file; `spoken` says that its path has words of the question."""
        low = path.lower()
        if self._asked is not None and self._asked(low):
            return 1.0
        name = low[low.rfind("/") + 1 :]
        dot = name.rfind(".", 1)
        usual = _usual(name[dot:]) if dot > 0 else PROSE_FACTOR
        if self._likely is not None and self._likely(low):
            usual = max(usual, NAMED_FACTOR)
        if not spoken or name.endswith(_PROSE) or not _all_in(self._words, path[path.rfind("/") + 1 :]):
            return usual
        return 1.0 if _holds(tuple(_facts()))(low) else max(usual, NAMED_FACTOR)


def _all_in(words: Container[str], name: str) -> bool:
    """Say whether a question has all words of a file's name."""
    stem = re.sub(_ENDINGS, "", name)
    parts = terms.parts(stem)
    return len(stem) >= _SHORT and bool(parts) and all(part in words for part in parts)


@cache
def _facts() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = kept.kept("kinds", [str(_FACTS)], lambda: read_toml(_FACTS))
    return found


@lru_cache(maxsize=32)
def _holds(names: tuple[str, ...]) -> Callable[[str], bool]:
    """Return a function that says whether a path, in lower case, is of one of these kinds."""
    kinds = [_facts()[name] for name in names]
    endings = tuple(each for kind in kinds for each in kind.get("endings", ()))
    files = re.compile(rf"(?:^|/)(?:{'|'.join(each for kind in kinds for each in kind.get('files', ()))})$")
    some = any("files" in kind for kind in kinds)
    return lambda path: path.endswith(endings) or (some and bool(files.search(path)))


@cache
def _usual(ending: str) -> float:
    """Return the weight of files with an ending for a question that is not about them."""
    found = (kind["weight"] for kind in _facts().values() if "weight" in kind and ending in kind["endings"])
    return max(found, default=PROSE_FACTOR)
