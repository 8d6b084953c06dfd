"""Pictures that a question marks with `@`: they go along with it, as those do that the user added."""

from __future__ import annotations

import shlex
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from assistant.models import picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assistant.models.message import Image


def marked(question: str, folder: Path, root: Path) -> Iterator[tuple[str, Image]]:
    """Yield the pictures that a question marks, each with its path: relative to `root` if it lies in there.

    A path is taken from `folder`, where the user stands, or else from the root. A mark that leads to no picture is passed
    over: it may name anything.
    """
    lower = question.lower()
    if "@" not in lower or not any(suffix in lower for suffix in picture.SUFFIXES):
        return
    from assistant.context import mention

    for name in mention.marks(question):
        if name.lower().endswith(picture.SUFFIXES):
            for above in dict.fromkeys((folder, root)):
                place = above / Path(name).expanduser()
                if image := _image(place):
                    yield _called(place, root), image
                    break


def _called(place: Path, root: Path) -> str:
    place = place.parent.resolve() / place.name
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)


def _image(place: Path) -> Image | None:
    try:
        stat = place.stat()
        return _read(place, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, RuntimeError):  # a home that nobody has
        return None


@lru_cache(maxsize=8)
def _read(place: Path, _changed: int, size: int) -> Image | None:
    """Read a picture; kept, because the price of a question is asked for at each key."""
    if size > picture.LARGEST or not place.is_file():
        return None
    return picture.read(place.read_bytes())


def mark(words: str, folder: Path) -> str:
    """Return the mark of a picture whose path is all that was pasted, as terminals write what is dropped onto them.

    It may be quoted, have its blanks escaped, or be an address. Empty where there is no such picture.
    """
    text = words.strip()
    if not text.lower().rstrip("'\"").endswith(picture.SUFFIXES) or "\n" in text:
        return ""
    try:
        name, *more = shlex.split(text)
        if more or "://" in name:
            name = unquote(text.removeprefix("file://"))  # blanks that nobody escaped, or an address
    except ValueError:
        name = text
    if '"' in name or _image(folder / Path(name).expanduser()) is None:
        return ""
    return f'@"{name}"' if " " in name else f"@{name}"
