"""Pictures that a question marks with `@`, and those whose path is pasted."""

from __future__ import annotations

import shlex
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from assistant.errors import AssistantError
from assistant.models import picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assistant.context.repo import Repo
    from assistant.models.message import Image

_LONGEST = 4_096
"""The most letters of a path."""


def marked(question: str, repo: Repo, find: Callable[[str], str]) -> Iterator[tuple[str, Image]]:
    """Yield the pictures of the repository that a question marks, by their paths.

    `find` returns the path that a mark means, among the files that may be shown, or raises AssistantError. Others are
    passed over: what is quoted in a question, from a log or a page, must not fetch pictures from elsewhere.
    """
    lower = question.lower()
    if "@" not in lower or not any(suffix in lower for suffix in picture.SUFFIXES):
        return
    from assistant.context import mention

    for name in mention.marks(question):
        if name.lower().endswith(picture.SUFFIXES):
            try:
                path = find(name)
                stat = (repo.root / path).lstat()
                image = _read(repo, path, stat.st_mtime_ns, stat.st_size)
            except (AssistantError, OSError, ValueError):
                continue
            if image is not None:
                yield path, image


@lru_cache(maxsize=8)
def _read(repo: Repo, path: str, _changed: int, _size: int) -> Image | None:
    """Read a picture; kept, because the price of a question is asked for at each key."""
    return picture.read(repo.read(path, picture.LARGEST))


def pasted(words: str, folder: Path) -> Path | None:
    """Return the picture whose path is all that was pasted, as terminals write what is dropped onto them.

    It may be quoted, have its blanks escaped, or be an address. None where there is no such picture.
    """
    text = words.strip()
    if len(text) > _LONGEST or "\n" in text or not text.lower().rstrip("'\"").endswith(picture.SUFFIXES):
        return None
    try:
        name, *more = shlex.split(text)
        if more or "://" in name:
            name = unquote(text.removeprefix("file://"))  # blanks that nobody escaped, or an address
    except ValueError:
        name = text
    try:
        place = folder / Path(name).expanduser()
        return place if place.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a home that nobody has
        return None
