"""What is made of data files of ours, kept between processes: to parse them takes longer than the rest of a warm question.

A file beside the indexes holds the result while none of its sources changed: their names, sizes, and when they were written and put
there. It can always be made anew, so whatever is wrong with it costs time only.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_folder: Path | None = None


def use(folder: Path) -> None:
    """Keep from now on in a folder of the user's; without one nothing is kept."""
    global _folder  # noqa: PLW0603 - one folder for the process
    _folder = folder


def kept(name: str, sources: Iterable[str], make: Callable[[], Any]) -> Any:
    """Return what `make` makes of some files, as JSON gives it back: the kept result where there is one that still holds."""
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
    fresh = place.with_name(f"{name}.{os.getpid()}.new")
    try:
        _folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh.touch(0o600)
        fresh.write_text(json.dumps([mark, value]), encoding="utf-8")
        fresh.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
    return value


def _mark(path: str) -> list[Any]:
    """Return what changes whenever a file does: an installer may give two versions one time, but not one moment of arrival."""
    found = os.stat(path)  # noqa: PTH116 - a Path for each takes its time
    return [path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
