"""What the user keeps out of sight: paths as sections name them, and `lib/**` for all that lies in a folder, now or later, but what he has pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALL = "**"


class Out(frozenset[str]):
    """Such paths. What lies in a folder that is kept out is in it, though it is not counted among its members."""

    _folders: tuple[str, ...]
    _pinned: frozenset[str]

    def __new__(cls, paths: Iterable[str] = (), pinned: Iterable[str] = ()) -> Out:
        """Read them."""
        self = super().__new__(cls, paths)
        self._folders = tuple(each.removesuffix(ALL) for each in self if each.endswith(f"/{ALL}"))
        self._pinned = frozenset(pinned)
        return self

    def __contains__(self, path: object) -> bool:
        """Say whether a path is kept out, or a folder that it lies in."""
        if super().__contains__(path):
            return True
        return isinstance(path, str) and path.startswith(self._folders) and path not in self._pinned
