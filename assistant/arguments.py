"""What may stand behind a slash command, as it is typed: words cut as a terminal would, and what each may become.

A command says so itself. The plain words of its USAGE (`[brief | last]`) are offered by themselves; one whose argument is
a file, a model, a turn has `complete(session, words)`, which returns all that may stand where the last of `words` stands,
the likeliest first.
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
"""Letters from which the words about a suggestion are looked through as well."""
_ODD = re.compile(r"[\s\"'\\]")


class Suggestion(NamedTuple):
    """What an argument may be, and a word about it; `more` says that another may follow."""

    text: str
    about: str = ""
    more: bool = False


FILES = Suggestion("", "any file of the repository")
"""Stands, without a text, for all files: a face has them ready, so that a keystroke is answered among a hundred thousand."""


def last_word(typed: str) -> str:
    """Return the word at the end of what is typed, an open quote with it; empty behind a blank."""
    words = [each[0] for each in _WORD.finditer(typed) if each.end() == len(typed)]
    return words[-1] if words else ""


def split(typed: str) -> list[str]:
    """Cut what was typed into words; quotes hold one with blanks together, as terminals write a file that is dropped there."""
    try:
        return shlex.split(typed)
    except ValueError:
        return typed.split()


def quote(word: str) -> str:
    """Write a word so that `split` reads it as one: in quotes where it has blanks."""
    if not _ODD.search(word):
        return word
    return '"' + re.sub(r'(["\\])', r"\\\1", word) + '"'


def plain(usage: str) -> list[Suggestion]:
    """Return the words that a USAGE gives as they are typed: those in small letters between brackets."""
    return [Suggestion(word) for words in _PLAIN.findall(usage) for word in words.replace("|", " ").split()]


def fit(suggestions: Iterable[Suggestion], typed: str, most: int) -> list[Suggestion]:
    """Return those that what is typed may become, the best first: equal, begun with it, holding it, then its letters.

    Of `name=value` the name has to be as typed. With nothing typed all come as they are.
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
    """Whether a suggestion is what was typed and more, so that it is meant; else it is only like it."""
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
