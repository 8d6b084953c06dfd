"""Facts about the folder the user stands in: root, files, blob ids, what is dirty. The only user of GitPython.

GitPython finds the repository and runs git itself, with flags that keep a hostile repository from running anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A repository's own config can name programs that `status` and `diff` run.
_SAFE = (
    "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "diff.external=",
    "-c", "core.quotePath=false", "-c", "core.attributesFile=/dev/null", "-c", "submodule.recurse=false",
)  # fmt: skip
_LARGEST = 2_000_000
_JUNK = {
    ".git",
    "node_modules",
    "__pycache__",
    ".venv",
    "venv",
    ".tox",
    ".mypy_cache",
    ".pytest_cache",
    "dist",
    "build",
    "target",
}
_MOST = 200_000
IGNORE_FILE = ".wattsonignore"


@dataclass(frozen=True, slots=True)
class FileFact:
    """One regular file: path with "/", git blob id of its bytes as they are now, size, and whether it differs from HEAD."""

    path: str
    blob: str
    size: int
    dirty: bool = False


class Repo:
    """A git repository, or a plain folder."""

    def __init__(self, root: Path, *, is_git: bool) -> None:
        self.root = root
        self.is_git = is_git
        self._hashes: dict[tuple[str, int, int], str] = {}

    @classmethod
    def open(cls, folder: Path) -> Repo:
        """Find the root that a folder belongs to; a folder outside git is its own root. Raises RepoError."""
        folder = folder.resolve()
        if not folder.is_dir():
            raise RepoError(f"{folder} is not a folder.", "Name the folder of your project.")
        for place in (folder, *folder.parents):
            if (place / ".git").exists():
                return cls(place, is_git=True)
        return cls(folder, is_git=False)

    def _git(self, *args: str) -> bytes:
        import git

        env = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        try:
            out: bytes = git.Git(str(self.root)).execute(
                ["git", *_SAFE, *args], env=env, stdout_as_string=False, strip_newline_in_stdout=False
            )
        except git.GitCommandNotFound as error:
            raise RepoError("git is not installed.", "Install git and try again.") from error
        except git.GitCommandError as error:
            words = str(error.stderr or error).strip()[-300:]
            raise RepoError(f"git cannot read {self.root}: {words}", "Run `git status` there to see more.") from error
        return out

    def files(self) -> tuple[FileFact, ...]:
        """List regular text-sized files, tracked and untracked but not ignored, sorted by path."""
        blobs: dict[str, str] = {}
        dirty: set[str] = set()
        if self.is_git:
            for entry in self._git("ls-files", "-z", "--stage").split(b"\0"):
                facts, _, name = entry.partition(b"\t")
                if name and facts[:6] in {b"100644", b"100755"}:
                    blobs[os.fsdecode(name)] = facts.split(b" ")[1].decode()
            for entry in self._git("ls-files", "-z", "--others", "--exclude-standard").split(b"\0"):
                if entry and not entry.endswith(b"/"):
                    blobs.setdefault(os.fsdecode(entry), "")
            for entry in self._git("ls-files", "-z", "--modified").split(b"\0"):
                if entry:
                    dirty.add(os.fsdecode(entry))
        else:
            blobs = dict.fromkeys(self._walk(), "")
        ignored = self._ignored()
        found = []
        for path, blob in sorted(blobs.items()):
            if ignored(path):
                continue
            with contextlib.suppress(OSError):
                here = (self.root / path).lstat()
                if stat.S_ISREG(here.st_mode) and here.st_size <= _LARGEST:
                    fresh = not blob or path in dirty
                    found.append(
                        FileFact(path, self._hash(path, here) if fresh else blob, here.st_size, fresh and self.is_git)
                    )
        return tuple(found)

    def _walk(self) -> list[str]:
        paths: list[str] = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if name not in _JUNK and not name.startswith("."))
            here = os.path.relpath(folder, self.root).replace(os.sep, "/")
            paths += [name if here == "." else f"{here}/{name}" for name in sorted(names)]
            if len(paths) > _MOST:
                break
        return paths

    def _ignored(self) -> Callable[[str], bool]:
        try:
            lines = (self.root / IGNORE_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return lambda _: False
        import pathspec

        spec = pathspec.GitIgnoreSpec.from_lines(lines)
        return lambda path: bool(spec.match_file(path))

    def _hash(self, path: str, facts: os.stat_result) -> str:
        """Return the git blob id of a file as it is on disk."""
        key = (path, facts.st_size, facts.st_mtime_ns)
        if key not in self._hashes:
            data = (self.root / path).read_bytes()
            self._hashes[key] = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        return self._hashes[key]

    def branch(self) -> str:
        """Return the branch, empty outside git; a repository without a commit has one too."""
        if not self.is_git:
            return ""
        try:
            return self._git("symbolic-ref", "--short", "-q", "HEAD").decode("utf-8", "replace").strip()
        except RepoError:
            return "(no branch)"
