"""Makes visible the characters that could drive a terminal, or hide something from the reader who approves a change."""

from __future__ import annotations

import re
import unicodedata

# Patterns are compiled when a text first needs them: the first frame is plain ASCII and needs none.
HIDDEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control characters without tab and line feed, direction marks and overrides, zero-width characters, tags, selectors
that can carry bytes, and fillers."""
_ENDS = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_JOINED = "(?<=[\ufe0f\U0001f300-\U0001faff])\u200d(?=[\u2600-\u27bf\U0001f300-\U0001faff])"
"""A joiner between two pictures makes them one: it hides nothing, though a terminal may draw it in its own way."""
_PICTURES = {code: chr(0x2400 + code) for code in range(32)} | {127: "\u2421"}
_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}"
_WORD = r"\w*[^\W\x00-\x7f]\w*"
_LONGEST = 20_000
_MOST = 5
_GREEK_TWINS = set(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03c1\u03c5\u03b9\u03ba"
)


def safe(text: str) -> str:
    """Make control, bidirectional and invisible characters of one line visible, so that no text can drive the terminal.

    Piles of combining marks are cut to three, and a line to 20,000 characters: neither may freeze the screen. This
    changes only what is drawn, not what is applied: patches are made of the file's own bytes.
    """
    if text.isascii() and text.isprintable() and len(text) <= _LONGEST:
        return text
    text = re.sub(_MARKS, lambda match: match[0][:3], text)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} ... ({len(text) - _LONGEST:,} more characters)"
    return plain(text.expandtabs(4))


def plain(text: str) -> str:
    """Make the same characters visible in a text of any length, keeping its tabs and line feeds."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(
        HIDDEN,
        lambda match: _PICTURES.get(ord(match[0]), f"<U+{ord(match[0]):04X}>"),
        text.encode("utf-8", "replace").decode(),
    )


def name(path: str) -> str:
    """Make visible what would end a line or drive a terminal in a path: a name may hold nearly any character."""
    if path.isprintable():
        return path
    return re.sub(_ENDS, lambda match: _PICTURES.get(ord(match[0]), f"<U+{ord(match[0]):04X}>"), path)


def doubts(text: str) -> tuple[str, ...]:
    """Say why a text may not be what it looks like: hidden or direction-changing characters, words of two alphabets."""
    if text.isascii():
        return ()
    codes = dict.fromkeys(
        f"U+{ord(sign):04X}" for sign in re.findall(f"(?!{_JOINED}){HIDDEN}", text) if sign not in "\r\f"
    )
    found = [f"hidden characters: {', '.join([*codes][:_MOST])}{' ...' if len(codes) > _MOST else ''}"] if codes else []
    mixed = dict.fromkeys(word for word in re.findall(_WORD, text) if _mixed(word))
    if mixed:
        found.append(f"letters of two alphabets in one word: {', '.join([*mixed][:_MOST])}")
    return tuple(found)


def _mixed(word: str) -> bool:
    """Whether a word mixes Latin letters with letters of another alphabet that look like them."""
    names = [unicodedata.name(sign, "").partition(" ")[0] for sign in word if sign.isalpha()]
    twins = {"CYRILLIC", "ARMENIAN", "CHEROKEE"} & set(names) or _GREEK_TWINS & set(word)
    return bool(twins) and "LATIN" in names
