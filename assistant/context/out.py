"""What the user keeps out of sight: paths as sections name them, and folders (which end in "/") as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Out:
    """What is kept out: paths, and all in some folders, now or later, except pinned files. False if nothing is."""

    def __init__(self, paths: Iterable[str] = (), pinned: Iterable[str] = ()) -> None:
        self.paths = tuple(paths)
        self._named = frozenset(self.paths)
        self._folders = tuple(each for each in self.paths if each.endswith("/"))
        self._pinned = frozenset(pinned)

    def __bool__(self) -> bool:
        """Say whether anything is kept out: if not, a list of changes need not check each file."""
        return bool(self.paths)

    def hides(self, path: str) -> bool:
        """Say whether a path, or a folder that it lies in, is kept out."""
        return path in self._named or (path.startswith(self._folders) and path not in self._pinned)

    def folder(self, path: str) -> str:
        """Return the folder by which a path is kept out, if not by its own name; empty if there is none."""
        above = (each for each in self._folders if path.startswith(each))
        return max(above, key=len, default="") if self.hides(path) and path not in self._named else ""


NOTHING = Out()
