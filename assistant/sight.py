"""What is shown: the files of a repository, what the user pinned to every turn, and the context that was gathered last.

Plain functions of the context room: a session calls them in a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assistant.errors import PatchError

if TYPE_CHECKING:
    from datetime import datetime

    from assistant.config import Config, Places
    from assistant.context.repo import Repo
    from assistant.context.section import Context


class Sitting(Protocol):
    """What a sight needs of the session."""

    places: Places
    config: Config

    @property
    def repo(self) -> Repo:
        """The repository, or plain folder, the user stands in."""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""


class Sight:
    """What one session shows of one root."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self.pinned: list[str] = []
        self.context: Context | None = None

    def paths(self) -> list[str]:
        """List the files of the repository that may be shown."""
        return [file.path for file in self._sitting.repo.files()]

    def add(self, path: str) -> str:
        """Pin a file of the repository, so that every turn shows it; returns its path as it is known."""
        from assistant.context import mention

        paths = self.paths()
        wanted = path.strip().removeprefix("@").removeprefix("./")
        if wanted not in paths:
            near = mention.complete(paths, wanted, 4)
            ending = [each for each in paths if each.endswith("/" + wanted)]
            if len(ending) != 1:
                raise PatchError(f"There is no file {wanted!r} here.", f"Near it: {', '.join(near)}." if near else "")
            wanted = ending[0]
        if wanted not in self.pinned:
            self.pinned.append(wanted)
        return wanted

    def drop(self, path: str) -> list[str]:
        """Unpin a file, or all of them for an empty path; returns what was unpinned."""
        wanted = path.strip().removeprefix("@").removeprefix("./")
        gone = [each for each in self.pinned if not wanted or each == wanted or each.endswith("/" + wanted)]
        self.pinned = [each for each in self.pinned if each not in gone]
        return gone

    def look(self, question: str) -> Context:
        """Gather what a question would show the model; nothing is sent."""
        from assistant.context.pack import pack

        sitting = self._sitting
        self.context = pack(
            question,
            repo=sitting.repo,
            cache=sitting.places.cache / "tags.sqlite",
            budget=sitting.config.context_budget,
            pinned=tuple(self.pinned),
            now=sitting.now(),
        )
        return self.context
