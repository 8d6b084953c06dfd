"""Terminal colours in a text: real escapes, or escapes as a source or a log spells them; and the text without them."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_REAL = r"(?:\x1b\[|\x9b)[0-?]{0,40}[ -/]{0,4}[@-~]|\x1b[()][A-Z0-9]"
_LINKS = r"\x1b\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)"
_SPELT = r"\\(?:0?33|x1[bB]|u001[bB]|u\{1[bB]\}|[eE])(?:\[[0-9;:?]{0,40}[A-Za-z]|[()][A-Z0-9])"
COLOUR = rf"(?:{_REAL}|\\{{0,3}}{_SPELT})"


def plain(words: str) -> str:
    """Return the user's words without terminal colours and links, which may stand inside the places they name."""
    return re.sub(f"{_REAL}|{_LINKS}", "", words) if "\x1b" in words else words


def taken_out(text: str) -> tuple[str, Callable[[int], int]] | None:
    """Return a text without colours, and a function from its places to the original ones; None without colours.

    This is asked of every text, and most have none: the test takes a hundredth of the time of a search for keys.
    """
    if "\x1b" not in text and "\x9b" not in text and not re.search(_SPELT, text):
        return None
    spans = [match.span() for match in re.finditer(COLOUR, text)]
    gone = [0, *accumulate(end - start for start, end in spans)]
    cuts = [start - before for (start, _), before in zip(spans, gone, strict=False)]
    return re.sub(COLOUR, "", text), lambda at: at + gone[bisect_right(cuts, at)]
