"""Reads git's own files without following a link."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LINE = 400


def read(path: Path, most: int = -1) -> bytes:
    """Return the bytes of a file, at most `most`; nothing that could block is opened. Raises OSError."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        return file.read(most)


def line(path: Path) -> str:
    """Return the text of a small file, stripped of blanks. Raises OSError, ValueError."""
    return read(path, _LINE).decode("utf-8").strip()
