"""Keeps what is read from our own data files between processes: parsing takes longer than a warm question.

A file beside the indexes holds the result as long as none of its sources has changed in name, size, or time of writing
or arrival. It can always be made again, so any fault in it costs only time.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from assistant.files import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_folder: Path | None = None


def use(folder: Path) -> None:
    """Keep results from now on in a folder of the user's; without a folder nothing is kept."""
    global _folder  # noqa: PLW0603 - one folder for the process
    _folder = folder


def kept(name: str, sources: Iterable[str], make: Callable[[], Any]) -> Any:
    """Return the result of `make`, as JSON reads it back; a kept result is used if its `sources` have not changed."""
    if _folder is None:
        return make()
    mark = [_mark(path) for path in sources]
    place = _folder / f"{name}.json"
    try:
        old, value = json.loads(place.read_bytes())
        if old == mark:
            return value
    except (OSError, ValueError, TypeError):
        pass
    value = json.loads(json.dumps(make()))
    with contextlib.suppress(OSError):
        _folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(place, json.dumps([mark, value]).encode())
    return value


def _mark(path: str) -> list[Any]:
    """Return facts that change whenever a file does.

    An installer may give two versions the same time of writing, but not the same time of arrival.
    """
    found = os.stat(path)  # noqa: PTH116 - making a Path for each takes time
    return [path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
