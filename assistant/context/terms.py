"""Words of code and words of questions brought to one form: identifiers cut at capitals and underscores, endings taken off."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

_LETTERS = b"_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + bytes(range(128, 256))
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")
"""Bytes that a text holds hardly any of."""
_BETWEEN = bytes(byte if byte in _LETTERS else 11 if byte in _CONTROLS else 32 for byte in range(256))
"""Makes a blank of every byte that cannot stand in an identifier, and of a control byte a vertical tab, which parts words as well."""
_BIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_NINE = ord("9")
_LONGEST, _NO_WORD = 40, 120
_MANY = 200_000
"""Identifiers whose parts are kept at hand, so that memory has a bound on any repository."""

COMMON = frozenset(
    """a about after all also an and any are as at be because been before being but by can could did do does doing done each
    for from get gets had has have having how i if in into is it its just let like may might more most much must my no not now of on
    only or other our out over own same set sets should so some such than that the their them then there these they this those to
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


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Take the ending off a lower-case word: parser, parsing and parsed become pars. Short words stay."""
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
    if name.islower() and name.replace("_", "").isalpha() and name.isascii():  # as most are, and three times as quick
        return [stem(bit) for bit in name.split("_") if bit]
    return [stem(bit.lower()) for bit in _BIT.findall(name)]


class _Parts(dict[bytes, tuple[str, ...]]):
    """The terms of identifiers met so far."""

    def __missing__(self, name: bytes) -> tuple[str, ...]:
        if len(self) > _MANY:
            self.clear()
        found = self[name] = self.cut(name)
        return found

    def cut(self, name: bytes) -> tuple[str, ...]:
        """Return the terms of an identifier."""
        text = name[:_LONGEST].decode("utf-8", "replace")
        bits = [bit for bit in parts(text) if len(bit) > 1]
        if len(bits) > 1:
            bits.append(text.strip("_").lower())
        return tuple(bits)


class _Asked(_Parts):
    """Of words met so far the terms that a question may ask for: no numbers, no words of English that say nothing."""

    def cut(self, name: bytes) -> tuple[str, ...]:
        """Return the terms of a word."""
        if name[0] <= _NINE or not 1 < len(name) < _NO_WORD:
            return ()
        if len(name) <= _LONGEST and name.isalpha() and name.islower():  # as half of them are: there is nothing to cut
            bit = stem(name.decode())
            return (bit,) if len(bit) > 1 and bit not in COMMON else ()
        return tuple([term for term in super().cut(name) if term not in COMMON])


_known = _Parts()
_asked = _Asked()


def of_identifier(name: bytes) -> tuple[str, ...]:
    """Return the terms of an identifier in code: its parts, and the whole of it where it has several."""
    return _known[name]


def count(source: bytes, most: int) -> tuple[dict[str, int], int] | None:
    """Count the terms of the first bytes of a source that may be asked for; None where it is no text.

    Returns how often each occurs, and how many words there are.
    """
    spaced = source.translate(_BETWEEN)
    size = len(spaced)
    if b"\0" in source[:8_000] or (b"\v" in spaced and size - spaced.count(b"\v") < 0.99 * size):
        return None
    words = spaced[:most].split()
    found: dict[str, int] = {}
    for word, times in Counter(words).items():
        for term in _asked[word]:
            found[term] = found.get(term, 0) + times
    return found, len(words)
