"""What would change: whole texts before and after (FilePatch, Patch), and the hunks that follow from them.

A patch is two states of some files. Hunks are derived, never stored, so that choosing, editing and reversing hunks give
patches again and line numbers cannot drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.edits import git_diff
from assistant.edits.file_patch import FilePatch
from assistant.edits.hunk import Hunk, Kind, Line

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Patch:
    """Changes to several files that belong together."""

    files: tuple[FilePatch, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """All hunks, file by file."""
        return tuple(hunk for file in self.files for hunk in file.hunks)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that change, by their new names."""
        return tuple(file.target for file in self.files)

    @property
    def added(self) -> int:
        """Number of added lines."""
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed(self) -> int:
        """Number of removed lines."""
        return sum(hunk.removed for hunk in self.hunks)

    def keep(self, hunks: Iterable[Hunk]) -> Patch:
        """Return the patch that makes only these hunks; they may have been split or edited."""
        chosen: dict[str, list[Hunk]] = {}
        for hunk in hunks:
            chosen.setdefault(hunk.path, []).append(hunk)
        kept = (file.keep(chosen[file.path]) for file in self.files if file.path in chosen)
        return Patch(tuple(file for file in kept if file.changes))

    def part(self, taken: Iterable[Hunk], undecided: Iterable[Hunk]) -> tuple[Patch, Patch]:
        """Cut in two: what is taken now, and what is still proposed once that is on disk."""
        taken, undecided = tuple(taken), tuple(undecided)
        first = self.keep(taken)
        both = self.keep((*taken, *undecided))
        done = {file.path: file for file in first.files}
        left = []
        for file in both.files:
            now = done.get(file.path)
            if now is None:
                left.append(file)
            else:
                new_path = file.target if file.target != now.target else ""
                rest = FilePatch(
                    now.target, now.after, file.after, now.mode_after, file.mode_after, new_path, came=file.came
                )
                if rest.changes:
                    left.append(rest)
        return first, Patch(tuple(left))

    def join(self, hunks: Iterable[Hunk]) -> Hunk:
        """Join several hunks of one file; raises ValueError if they cannot be joined."""
        parts = tuple(hunks)
        file = next((file for file in self.files if parts and file.path == parts[0].path), None)
        if file is None:
            raise ValueError("The hunks are not of this patch.")
        return file.join(parts)

    def diff(self) -> str:
        """Return the patch as a unified diff with git's headers."""
        return "".join(git_diff.write(file) for file in self.files)


__all__ = ["FilePatch", "Hunk", "Kind", "Line", "Patch"]
