"""Counts o200k tokens without loading the encoder: a question on a warm index must not wait for a vocabulary of 200,000 words.

The vocabulary is kept as a table of numbers in the cache folder: a checksum of each token (CRC-32 and Adler-32), sorted, and
its rank beside it. One lookup is a bisection. Text that is ASCII is cut just as o200k cuts it; letters of other scripts are
cut as if they had no case, which differs in rare cases only.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from array import array
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from assistant import tokens

if TYPE_CHECKING:
    from pathlib import Path

_UPPER, _LOWER = r"[^\W\d_a-z]", r"[^\W\d_A-Z]"
_TAIL = r"(?:'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))?"
_PIECES = re.compile(
    rf"[^\r\n\w]?{_UPPER}*{_LOWER}+{_TAIL}|[^\r\n\w]?{_UPPER}+{_LOWER}*{_TAIL}"
    rf"|_{_UPPER}*{_LOWER}+{_TAIL}|_{_UPPER}+{_LOWER}*{_TAIL}"
    r"|\d{1,3}| ?(?:[^\s\w]|_)+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LONG = 120
"""Bytes merged at once: merging costs the square of the length, and no token is that long."""
_NAME = "o200k-2.table"


class Measure:
    """Counts tokens of texts; remembers what words cost."""

    def __init__(self, folder: Path) -> None:
        """Open the table in a folder; where there is none yet, the encoder itself counts."""
        self._keys, self._ranks = _read(folder / _NAME)
        self._costs: dict[str, int] = {}

    def count(self, text: str) -> int:
        """Count the o200k tokens of a text."""
        if not self._keys:
            return tokens.count(text)
        total = 0
        costs = self._costs
        for piece, times in Counter(_PIECES.findall(text)).items():
            cost = costs.get(piece)
            if cost is None:
                cost = costs[piece] = self._cost(piece.encode("utf-8", "replace"))
            total += cost * times
        return total

    def _rank(self, token: bytes) -> int:
        key = _key(token)
        at = bisect_left(self._keys, key)
        return self._ranks[at] if at < len(self._keys) and self._keys[at] == key else -1

    def _cost(self, piece: bytes) -> int:
        if self._rank(piece) >= 0:
            return 1
        return sum(self._merge(piece[at : at + _LONG]) for at in range(0, len(piece), _LONG))

    def _merge(self, piece: bytes) -> int:
        """Count the tokens that byte pair merging leaves of a piece: the pair of the lowest rank goes first."""
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


def _key(token: bytes) -> int:
    return zlib.crc32(token) << 32 | zlib.adler32(token)


def _read(path: Path) -> tuple[array[int], array[int]]:
    """Read the table; both parts are empty where it is missing or damaged."""
    keys, ranks = array("Q"), array("I")
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    if len(data) > 12 and zlib.crc32(data[4:]).to_bytes(4, "little") == data[:4]:
        half = 4 + (len(data) - 4) // 12 * 8
        keys.frombytes(data[4:half])
        ranks.frombytes(data[half:])
    return keys, ranks


def make(folder: Path) -> None:
    """Make the table in a folder if it is not there (some 0.4 CPU s, once for a user; the indexer does it)."""
    path = folder / _NAME
    if _read(path)[0]:
        return
    crc, adler = zlib.crc32, zlib.adler32
    ranks = {crc(token) << 32 | adler(token): rank for token, rank in tokens.vocabulary().items()}
    keys = sorted(ranks)
    packed = array("Q", keys).tobytes() + array("I", map(ranks.__getitem__, keys)).tobytes()
    fresh = path.with_name(f"{_NAME}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh.touch(0o600)
        fresh.write_bytes(zlib.crc32(packed).to_bytes(4, "little") + packed)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):  # a folder that cannot be written costs time, nothing else
            fresh.unlink(missing_ok=True)


def missing(folder: Path) -> bool:
    """Say whether the encoder will have to count; who knows early can load it while waiting for something else."""
    return not (folder / _NAME).exists()
