"""Completion for slash commands: cuts what is typed into words, as a shell does, and offers what each may become.

A command declares its own arguments. The lower-case words of its USAGE (`[brief | last]`) are offered without further
code; a command whose argument is a file, a model or a turn defines `complete(session, words)`, which returns the
suggestions for the last of `words`, the likeliest first.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r'(?:"[^"]*(?:"|$)|[^\s"])+')
_PLAIN = re.compile(r"\[([a-z| ]+)\]")
_TELLING = 3
"""From this many typed letters on, the descriptions of suggestions are searched as well."""
_ODD = re.compile(r"[\s\"'\\]")


class Suggestion(NamedTuple):
    """One possible argument and a description of it; `more` says that another argument may follow."""

    text: str
    about: str = ""
    more: bool = False


FILES = Suggestion("", "any file of the repository")
"""Stands, with an empty text, for all files: a face holds that list, so that a keystroke is quick among 100,000
files."""


def last_word(typed: str) -> str:
    """Return the word at the end of `typed`, with its open quote if it has one; empty after a blank."""
    words = [each[0] for each in _WORD.finditer(typed) if each.end() == len(typed)]
    return words[-1] if words else ""


def split(typed: str) -> list[str]:
    """Cut `typed` into words; quotes keep one with blanks together, as terminals write the name of a dropped file."""
    try:
        return shlex.split(typed)
    except ValueError:
        return typed.split()


def quote(word: str) -> str:
    """Return `word` so that `split` reads it as one word: in quotes if it has blanks."""
    if not _ODD.search(word):
        return word
    return '"' + re.sub(r'(["\\])', r"\\\1", word) + '"'


def plain(usage: str) -> list[Suggestion]:
    """Return the words that USAGE lists to be typed as they are: the lower-case ones between brackets."""
    return [Suggestion(word) for words in _PLAIN.findall(usage) for word in words.replace("|", " ").split()]


def fit(suggestions: Iterable[Suggestion], typed: str, most: int) -> list[Suggestion]:
    """Return at most `most` suggestions that match `typed`, best first.

    The order is: equal to it, beginning with it, containing it, containing its letters in order. In `name=value` the
    name must match exactly. With nothing typed all match, in the order given.
    """
    name, is_pair, wanted = typed.lower().rpartition("=")
    found = []
    for place, each in enumerate(suggestions):
        text = each.text.lower()
        if is_pair and not text.startswith(f"{name}="):
            continue
        rank = _rank(text.removeprefix(f"{name}=") if is_pair else text, each.about.lower(), wanted)
        if rank is not None:
            found.append((rank, place, each))
    return [each for _, _, each in sorted(found)[:most]]


def holds(suggestion: Suggestion, typed: str) -> bool:
    """Say whether a suggestion contains `typed`, so that it is what the user means; otherwise it only resembles it."""
    return bool(typed) and typed.rpartition("=")[2].strip('"').removeprefix("./").lower() in suggestion.text.lower()


def _rank(text: str, about: str, wanted: str) -> int | None:
    if not wanted or text == wanted:
        return 0
    at = text.find(wanted)
    if at != -1:
        return 1 if at == 0 or not text[at - 1].isalnum() else 2
    if len(wanted) >= _TELLING and wanted in about:
        return 3
    letters = iter(text)
    return 4 if all(letter in letters for letter in wanted) else None
