"""Writes our own files so that a reader finds the old content or the new one, and never a part of either."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def replace(path: Path, data: bytes, *, sync: bool = False, probe: Callable[[], object] = lambda: None) -> None:
    """Write a file under a new name in its folder, which must exist, then rename it; only the user can read it.

    With `sync` the bytes are on the disk before the rename, so that a power cut does not leave an empty file. `probe`
    is called just before the rename: tests stop the program there. Raises OSError; then, and on any other exception,
    the old file stays as it is and the new one is removed.
    """
    temp = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")  # two threads may write the same file
    handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            rest = memoryview(data)
            while rest:  # a disk that fills up may take only a part
                rest = rest[file.write(rest) :]
            if sync:
                os.fsync(handle)
        probe()
        temp.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # where nothing can be written, nothing can be removed
            temp.unlink()
        raise
