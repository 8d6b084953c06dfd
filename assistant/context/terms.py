"""Brings words of code and of questions to one form: identifiers are cut, endings are taken off."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_LETTERS = b"_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + bytes(range(128, 256))
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")
"""Bytes that hardly occur in a text."""
_BETWEEN = bytes(byte if byte in _LETTERS else 11 if byte in _CONTROLS else 32 for byte in range(256))
"""A table that turns every byte that no identifier contains into a blank, and control bytes into a vertical tab,
which also separates words."""
_BIT = re.compile(r"[a-z]+|[A-Z][a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_A-Za-z]+")
_NINE = ord("9")
_LONGEST, _NO_WORD = 40, 120
_HEAD = 8_000

COMMON = frozenset(
    """a about after all also an and any are as at be because been before being but by can could did do does doing done each
    for from get gets had has have having hello hey hi how i if in into is it its just let like may might more most much must my no not now of on
    only or other our out over own same set sets should so some such than thank thanks that the their them then there these they this those to
    too under up us use used uses using very was we were what when where which while who why will with would you your""".split()
)
"""English words that say nothing about code."""
FAINT = frozenset(
    """add added adds adding allow bug change changes class code correctly docstring error ensure explain feature file files fix fixed fixes
    function handle implement improve instead issue make makes method missing new please problem refactor remove removed rename
    return returns show support test tests update work works wrong""".split()
)
"""Words about changes: they may name something, but mostly they only say what kind of change is wanted."""


_ENDINGS = {
    "g": (("ing", 6),), "d": (("ed", 5),), "n": (("ion", 6),), "r": (("er", 6), ("or", 6)), "e": (("able", 7),), "y": (("ly", 6),),
}  # fmt: skip
"""Endings that are taken off words with at least so many letters, by their last letter."""
_LAST = frozenset("gdnreys")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Take the ending off a lower-case word: parser, parsing and parsed become pars. Short words stay as they are."""
    if word[-1:] not in _LAST:  # true of half of all words
        return word
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word[-1] == "s" and word[-2] not in "sui":
        word = word[:-1]
    for ending, least in _ENDINGS.get(word[-1:], ()):
        if len(word) >= least and word.endswith(ending):
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def parts(name: str) -> list[str]:
    """Cut a name at its underscores and capitals, and take endings off: `makeTeas_now` gives mak, tea, now."""
    return [stem(bit.lower()) for bit in _BIT.findall(name)]


def _bits(name: bytes) -> list[str]:
    """Cut an identifier as written: its parts of more than one letter, after the whole of it if there are several."""
    text = name[:_LONGEST].decode("utf-8", "replace")
    # Most are all lower case or all upper case, and need only be cut at underscores.
    plain = (name.islower() or name.isupper()) and name.replace(b"_", b"").isalpha()
    bits = [bit for bit in (text.split("_") if plain else _BIT.findall(text)) if len(bit) > 1]
    return [text.strip("_"), *bits] if len(bits) > 1 else bits


@lru_cache(maxsize=50_000)
def of_identifier(name: bytes) -> tuple[str, ...]:
    """Return the terms of an identifier in code: its parts, and the whole of it if there are several."""
    whole, *bits = _bits(name) or [""]
    return (*map(stem, map(str.lower, bits)), whole.lower()) if bits else (stem(whole.lower()),) if whole else ()


def spelled(name: str) -> dict[str, str]:
    """Return the terms of a name, each with the text it stands for: in `split_graphemes`, `split` for "split"."""
    written = {stem(bit.lower()): bit for bit in reversed(_BIT.findall(name))}
    return {term: written.get(term, name) for term in of_identifier(name.encode("utf-8", "replace"))}


def within(name: str) -> list[str]:
    """Return the parts of a name as they are written; none if it has only one."""
    bits = _BIT.findall(name)
    return bits if len(bits) > 1 else []


def of_all(found: Mapping[bytes, T], *, asked: bool = False) -> dict[str, list[T]]:
    """Return, by term, what was found for the words that have it.

    With `asked`, only terms that a question may ask for: no numbers, and no common English words. The result is the
    same as from `of_identifier` for each word, in a fifth of the time, except that a title (the name of a test or a
    heading) has only the terms of its words.
    """
    bits: defaultdict[str, list[T]] = defaultdict(list)
    wholes: defaultdict[str, list[T]] = defaultdict(list)
    for word, one in found.items():
        if asked and (word[0] <= _NINE or not 1 < len(word) < _NO_WORD):
            continue
        # true of half of the words: there is nothing to cut
        if word.islower() and word.isalpha() and 1 < len(word) <= _LONGEST:
            bits[word.decode()].append(one)
            continue
        some = _bits(word)
        if len(some) > 1 and (whole := some.pop(0)) and " " not in whole:
            wholes[whole.lower()].append(one)
        for bit in some:
            bits[bit].append(one)
    terms = wholes
    for bit, each in bits.items():
        terms[stem(bit.lower())] += each
    if asked:
        for term in COMMON:
            terms.pop(term, None)
    return terms


def is_numbers(source: bytes) -> bool:
    """Say whether a text begins like measurements, coordinates or checksums: more than a third of it is digits."""
    written = source[:_HEAD].translate(None, b" \t\n\r\v\f")
    return 3 * (len(written) - len(written.translate(None, b"0123456789"))) > len(written)


def count(source: bytes, most: int) -> tuple[dict[bytes, int], int] | None:
    """Count the words in the first `most` bytes of a source; None if it is no text.

    Returns how often each word occurs, and the number of all words.
    """
    spaced = source.translate(_BETWEEN)
    size = len(spaced)
    if b"\0" in source[:_HEAD] or (b"\v" in spaced and size - spaced.count(b"\v") < 0.99 * size):
        return None
    words = spaced[:most].split()
    return Counter(words), len(words)
