"""Git's own index, read by hand: the sizes of files that git has just looked at."""

from __future__ import annotations

import os
import sys
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

from assistant.context import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_STAGED = {"H ", "S ", "M "}
_INDEX, _INDEX_VERSION = int.from_bytes(b"DIRC", "big"), 2


def sizes(root: Path, entries: Sequence[str], width: int) -> dict[str, int]:
    """Return the sizes of files that git has just looked at: where it did not find one changed, its index tells them.

    `entries` are what `git ls-files -z -t --stage --modified --others` said, `width` how far the path is from the beginning of one.
    To ask the system for each once more takes a fifth of a question in a large repository. An index that is not
    written as nearly all are tells nothing, nor does it of files that git was told not to look at.
    """
    try:
        data = plain.read(root / ".git" / "index")
    except OSError:  # a worktree, whose index lies elsewhere
        return {}
    rows = [entry for entry in entries if entry[:2] in _STAGED]
    numbers = array("I", data[: len(data) // 4 * 4])
    if sys.byteorder == "little":
        numbers.byteswap()
    if numbers[:3].tolist() != [_INDEX, _INDEX_VERSION, len(rows)]:
        return {}
    # An entry: ten numbers, the last of them the size, the id, two bytes of flags, the path, and one to eight zeros.
    lengths = map(len, rows if all(map(str.isascii, rows)) else map(os.fsencode, rows))
    *starts, end = accumulate(((length + 44 - width // 2) & ~7 for length in lengths), initial=12)
    place, flags = starts[-1] + 36 + width // 2, 10 + (width - 12) // 8
    if end > len(data) or not data.startswith(os.fsencode(rows[-1][width:]) + b"\0", place):
        return {}
    return {
        row[width:]: numbers[start // 4 + 9]
        for row, start in zip(rows, starts, strict=True)
        if row[0] == "H" and numbers[start // 4 + 9] and not numbers[start // 4 + flags] >> 31
    }
