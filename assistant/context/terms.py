"""Words of code and words of questions brought to one form: identifiers cut at capitals and underscores, endings taken off."""

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
"""Bytes that a text holds hardly any of."""
_BETWEEN = bytes(byte if byte in _LETTERS else 11 if byte in _CONTROLS else 32 for byte in range(256))
"""Makes a blank of every byte that cannot stand in an identifier, and of a control byte a vertical tab, which parts words as well."""
_BIT = re.compile(r"[a-z]+|[A-Z][a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_A-Za-z]+")
_NINE = ord("9")
_LONGEST, _NO_WORD = 40, 120
_HEAD = 8_000

COMMON = frozenset(
    """a about after all also an and any are as at be because been before being but by can could did do does doing done each
    for from get gets had has have having hello hey hi how i if in into is it its just let like may might more most much must my no not now of on
    only or other our out over own same set sets should so some such than thank thanks that the their them then there these they this those to
    too under up us use used uses using very was we were what when where which while who why will with would you your""".split()  # noqa: SIM905
)
"""Words of English that say nothing about code."""
FAINT = frozenset(
    """add added adds adding allow bug change changes class code correctly docstring error ensure explain feature file files fix fixed fixes
    function handle implement improve instead issue make makes method missing new please problem refactor remove removed rename
    return returns show support test tests update work works wrong""".split()  # noqa: SIM905
)
"""Words of changes: they may name something, but mostly they only say what kind of change is wished."""


_ENDINGS = {
    "g": (("ing", 6),), "d": (("ed", 5),), "n": (("ion", 6),), "r": (("er", 6), ("or", 6)), "e": (("able", 7),), "y": (("ly", 6),),
}  # fmt: skip
"""Endings that are taken off words of at least so many letters, by the last letter."""
_LAST = frozenset("gdnreys")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Take the ending off a lower-case word: parser, parsing and parsed become pars. Short words stay."""
    if word[-1:] not in _LAST:  # as of half of all words
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
    """Cut a name at its underscores and capitals, endings taken off: `makeTeas_now` is mak, tea, now."""
    return [stem(bit.lower()) for bit in _BIT.findall(name)]


def _bits(name: bytes) -> list[str]:
    """Cut an identifier as it is written: its parts of more than a letter, and before them the whole of it where they are several."""
    text = name[:_LONGEST].decode("utf-8", "replace")
    # Most hold small letters or capitals only: those need not be looked for.
    plain = (name.islower() or name.isupper()) and name.replace(b"_", b"").isalpha()
    bits = [bit for bit in (text.split("_") if plain else _BIT.findall(text)) if len(bit) > 1]
    return [text.strip("_"), *bits] if len(bits) > 1 else bits


@lru_cache(maxsize=50_000)
def of_identifier(name: bytes) -> tuple[str, ...]:
    """Return the terms of an identifier in code: its parts, and the whole of it where it has several."""
    whole, *bits = _bits(name) or [""]
    return (*map(stem, map(str.lower, bits)), whole.lower()) if bits else (stem(whole.lower()),) if whole else ()


def spelled(name: str) -> dict[str, str]:
    """Return the terms of a name, each with what stands for it there: of `split_graphemes` for `split` only that."""
    written = {stem(bit.lower()): bit for bit in reversed(_BIT.findall(name))}
    return {term: written.get(term, name) for term in of_identifier(name.encode("utf-8", "replace"))}


def within(name: str) -> list[str]:
    """Return the parts of a name as they are written, none where it is but one."""
    bits = _BIT.findall(name)
    return bits if len(bits) > 1 else []


def of_all(found: Mapping[bytes, T], *, asked: bool = False) -> dict[str, list[T]]:
    """Return by term what was found for the words that have it; `asked`, for the terms that a question may ask for.

    Those are no numbers, and no words of English that say nothing. It is the same as `of_identifier` of each, in a fifth of the time,
    but that a title (what a test or a heading is called) has only the terms of its words.
    """
    bits: defaultdict[str, list[T]] = defaultdict(list)
    wholes: defaultdict[str, list[T]] = defaultdict(list)
    for word, one in found.items():
        if asked and (word[0] <= _NINE or not 1 < len(word) < _NO_WORD):
            continue
        if (
            word.islower() and word.isalpha() and 1 < len(word) <= _LONGEST
        ):  # as half of them are: there is nothing to cut
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
    """Say whether a text begins like measurements, coordinates or checksums: a third of it is digits."""
    written = source[:_HEAD].translate(None, b" \t\n\r\v\f")
    return 3 * (len(written) - len(written.translate(None, b"0123456789"))) > len(written)


def count(source: bytes, most: int) -> tuple[dict[bytes, int], int] | None:
    """Count the words of the first bytes of a source; None where it is no text.

    Returns how often each occurs, and how many there are.
    """
    spaced = source.translate(_BETWEEN)
    size = len(spaced)
    if b"\0" in source[:_HEAD] or (b"\v" in spaced and size - spaced.count(b"\v") < 0.99 * size):
        return None
    words = spaced[:most].split()
    return Counter(words), len(words)
