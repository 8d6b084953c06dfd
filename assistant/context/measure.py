"""Counts o200k tokens without the encoder: a question on a warm index must not wait for loading 200,000 tokens.

The vocabulary is also shipped as a sorted table of 64-bit numbers, `data/o200k_base.table`, made by
`scripts/pack_vocabulary.py`: 46 bits of checksums of a token (CRC-32 and a part of Adler-32), then the 18 bits of its
rank. One lookup is a bisection. ASCII text is cut exactly as o200k cuts it; letters of other scripts are cut as if they
had no case, which differs only in rare cases.
"""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from bisect import bisect_left
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UPPER, _LOWER = r"[^\W\d_a-z]", r"[^\W\d_A-Z]"
_TAIL = r"(?:'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))?"
_PIECES = re.compile(
    rf"[^\r\n\w]?{_UPPER}*{_LOWER}+{_TAIL}|[^\r\n\w]?{_UPPER}+{_LOWER}*{_TAIL}"
    rf"|_{_UPPER}*{_LOWER}+{_TAIL}|_{_UPPER}+{_LOWER}*{_TAIL}"
    r"|\d{1,3}| ?(?:[^\s\w]|_)+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LONG = 120
"""Bytes merged at once: merging costs the square of the length, and no token is that long."""
RANK = 18
"""Bits of a rank: there are fewer than 262,144 tokens."""
TABLE = Path(__file__).parent.parent / "data" / "o200k_base.table"


class Measure:
    """Counts the tokens of texts, and remembers the cost of words."""

    def __init__(self, table: Path = TABLE) -> None:
        """Open a table; if it cannot be read, the encoder itself counts."""
        self._table = _read(table)
        self._costs: dict[str, int] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._rank = cache(self._find)

    def count(self, text: str) -> int:
        """Count the o200k tokens of a text."""
        if not self._table:
            from assistant import tokens

            return tokens.count(text)
        return self._sum(_PIECES.findall(text))

    def _sum(self, pieces: Sequence[str]) -> int:
        total = 0
        costs = self._costs
        for piece, times in Counter(pieces).items():
            cost = costs.get(piece)
            if cost is None:
                cost = costs[piece] = self._cost(piece.encode("utf-8", "replace"))
            total += cost * times
        return total

    def joined(self, texts: Sequence[str]) -> int:
        """Count the tokens of texts joined by line feeds; a text that was counted here before is not cut again.

        A piece ends with the line feeds in it, so that the cost of one text does not depend on the next.
        """
        if not self._table or any(not text or text[0] == "/" or text[0].isspace() for text in texts[1:]):
            return self.count("\n".join(texts))
        sizes = [self._sizes.get(text) or self._size(text) for text in texts]
        return sum(between for _, between in sizes) - sizes[-1][1] + sizes[-1][0] if sizes else 0

    def _size(self, text: str) -> tuple[int, int]:
        """Count a text as the last one, and followed by a line feed: the two differ in the last piece."""
        pieces = _PIECES.findall(text + "\n")
        last = pieces.pop()
        rest = self._sum(pieces)
        found = self._sizes[text] = rest + self._sum(_PIECES.findall(last[:-1])), rest + self._sum([last])
        return found

    def _find(self, token: bytes) -> int:
        """Return the rank of a token, -1 if it is no token."""
        key = mark(token)
        at = bisect_left(self._table, key)
        found = self._table[at] - key if at < len(self._table) else -1
        return found if 0 <= found < 1 << RANK else -1

    def _cost(self, piece: bytes) -> int:
        if self._rank(piece) >= 0:
            return 1
        slices = Counter(piece[at : at + _LONG] for at in range(0, len(piece), _LONG))
        return sum(times * self._merge(each) for each, times in slices.items())  # most slices of a long run are equal

    def _merge(self, piece: bytes) -> int:
        """Count the tokens that byte pair merging leaves of a piece: the pair with the lowest rank is merged first."""
        left = [piece[at : at + 1] for at in range(len(piece))]
        ranks = [self._rank(left[at] + left[at + 1]) for at in range(len(left) - 1)]
        while ranks:
            known = [rank for rank in ranks if rank >= 0]
            if not known:
                break
            at = ranks.index(min(known))
            left[at : at + 2] = [left[at] + left[at + 1]]
            del ranks[at]
            if at < len(ranks):
                ranks[at] = self._rank(left[at] + left[at + 1])
            if at:
                ranks[at - 1] = self._rank(left[at - 1] + left[at])
        return len(left)


def mark(token: bytes) -> int:
    """Return the number by which a token stands in the table; its rank is added to it."""
    other = zlib.adler32(token)
    return zlib.crc32(token) << 32 | ((other ^ other >> 16) & 0x3FFF) << RANK


@cache
def _read(path: Path) -> Sequence[int]:
    """Read a table; empty where it is missing or damaged."""
    try:
        data = memoryview(path.read_bytes())
    except OSError:
        return ()
    if len(data) % 8 != 4 or zlib.crc32(data[4:]).to_bytes(4, "little") != data[:4]:
        return ()
    if sys.byteorder == "little":  # the table's own byte order, so that nothing is copied
        return data[4:].cast("Q")
    table = array("Q", data[4:].tobytes())
    table.byteswap()
    return table
