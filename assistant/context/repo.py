"""Facts about the folder the user stands in: root, files, blob ids, what is dirty. The only user of GitPython.

GitPython finds the repository and runs git itself, with flags that keep a hostile repository from running anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# A repository's own config can name programs that `status` and `diff` run.
_SAFE = (
    "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "diff.external=",
    "-c", "core.quotePath=false", "-c", "core.attributesFile=/dev/null", "-c", "submodule.recurse=false",
)  # fmt: skip
# What the user has set up counts when the user asks for a commit: hooks, filters, attributes. Only what would start a
# program for nothing stays off.
_ASKED = (
    "-c", "core.fsmonitor=false", "-c", "diff.external=", "-c", "core.quotePath=false", "-c", "submodule.recurse=false",
    "-c", "gc.auto=0", "-c", "maintenance.auto=false",
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


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of git came to: exit status, standard output as bytes, standard error as text."""

    status: int
    out: bytes
    err: str


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

    def run(self, *args: str, feed: bytes = b"", env: Mapping[str, str] | None = None, asked: bool = False) -> Ran:
        """Run git with an argument list and return how it ended; raises RepoError where there is no git.

        Nothing of the repository's own is run unless the user has `asked` for a commit: then its hooks and filters are.
        """
        import git

        flags = _ASKED if asked else _SAFE
        surroundings = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": ":", **(env or {})}
        if not asked:  # a hook's own git is not to inherit it
            surroundings["GIT_LITERAL_PATHSPECS"] = "1"
        with tempfile.TemporaryFile() as given:
            given.write(feed)
            given.seek(0)
            try:
                status, out, err = git.Git(str(self.root)).execute(
                    ["git", *flags, *args], istream=given, env=surroundings, with_extended_output=True,
                    with_exceptions=False, stdout_as_string=False, strip_newline_in_stdout=False,
                )  # fmt: skip
            except git.GitCommandNotFound as error:
                raise RepoError("git is not installed.", "Install git and try again.") from error
        return Ran(status, out, err)

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
