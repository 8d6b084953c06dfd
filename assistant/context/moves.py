"""Files that were renamed: their present paths by the paths that they had, from the log and from what is staged."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assistant.context.index_store import Store
    from assistant.context.repo import Commit, Repo

NOTE = "moves"
"""The name under which the index keeps the renames of the log."""
_MOST = 5_000


def pack(commits: Iterable[Commit]) -> str:
    """Write the renames of commits, the newest first, as text for the store: of each old path the newest."""
    pairs = (pair for commit in commits for pair in commit.moves)
    found: dict[str, str] = {}
    for old, new in islice(pairs, _MOST):
        found.setdefault(old, new)
    return json.dumps(found, separators=(",", ":"))


def unpack(text: str) -> dict[str, str]:
    """Read what `pack` wrote. Raises ValueError for anything else."""
    try:
        found = json.loads(text or "{}")
    except RecursionError as error:
        raise ValueError("no renames") from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise ValueError("no renames")
    return found


def read(repo: Repo, store: Store) -> Mapping[str, str]:
    """Return the renames that the index knows of, and those that are staged, which only git knows."""
    known = store.remembered(NOTE, unpack)
    try:
        return {**known, **repo.staged_moves()}
    except RepoError:
        return known
