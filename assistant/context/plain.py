"""Files of git's own, read without following a link."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LINE = 400


def read(path: Path, most: int = -1) -> bytes:
    """Return the bytes of a file, at most so many; nothing that could block is opened. Raises OSError."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        return file.read(most)


def line(path: Path) -> str:
    """Return what a small file holds, without blanks around it. Raises OSError, ValueError."""
    return read(path, _LINE).decode("utf-8").strip()
