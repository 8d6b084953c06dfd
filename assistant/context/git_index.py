"""Does by hand what git does: makes blob ids, and reads its index for the sizes of files that it has just compared."""

from __future__ import annotations

import os
import sys
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

from assistant.context import nofollow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_STAGED = {"H ", "S ", "M "}
_INDEX, _INDEX_VERSION = int.from_bytes(b"DIRC", "big"), 2


def blob_id(data: bytes, like: str) -> str:
    """Return git's id of the content of a file, by SHA-256 where `like`, another id of the repository, is; else by SHA-1."""
    import hashlib  # not for the first frame

    make = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return make(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def sizes(root: Path, entries: Sequence[str], width: int) -> dict[str, int]:
    """Return the sizes of files that git has just looked at and found unchanged, from git's index.

    `entries` is the output of `git ls-files -z -t --stage --modified --others`, `width` the number of characters before
    the path in an entry. Asking the system for each size again would take a fifth of a question in a large repository.
    The result is empty for an index in an unusual format, and has no files that git was told not to look at.
    """
    try:
        data = nofollow.read(root / ".git" / "index")
    except OSError:  # a worktree, whose index lies elsewhere
        return {}
    rows = [entry for entry in entries if entry[:2] in _STAGED]
    numbers = array("I", data[: len(data) // 4 * 4])
    if sys.byteorder == "little":
        numbers.byteswap()
    if numbers[:3].tolist() != [_INDEX, _INDEX_VERSION, len(rows)]:
        return {}
    # An entry has ten numbers (the last is the size), the id, two bytes of flags, the path, and one to eight zeros.
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
