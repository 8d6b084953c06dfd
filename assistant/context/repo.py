"""Facts about the folder that the user stands in: root, files, their content, and history.

Looking runs nothing that a repository brings along, see `git`. Submodules are named but not entered: each is a
repository of its own.
"""

from __future__ import annotations

import os
import re
import stat
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from assistant import visible
from assistant.context import nofollow
from assistant.context.git import DIFF, Git, Ran
from assistant.context.listing import LARGEST, FileFact, Listing
from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

_LONGEST_LOG = 4_000_000
_RENAMES = "-l200"
"""Of more files that came and went in one commit only those are taken for renamed that did not change."""
_ID = r"[0-9a-f]{40,64}"
_REVISION = r"[A-Za-z0-9_@][\w./@{}^~+-]{0,200}"


class Commit(NamedTuple):
    """One commit of the history: full id, first line of its message, files it changed.

    `moves` are files that it renamed, each by its old and its new path, which both count as changed.
    """

    id: str
    subject: str
    paths: tuple[str, ...]
    moves: tuple[tuple[str, str], ...] = ()


class Repo:
    """A git repository, or a plain folder. `astray` says why a folder with a `.git` is read as one outside of git."""

    def __init__(self, root: Path, *, is_git: bool, astray: str = "") -> None:
        self.root = root
        self.is_git = is_git
        self.astray = astray
        self.git = Git(root)

    @classmethod
    def open(cls, folder: Path) -> Repo:
        """Find the root that a folder belongs to; a folder outside git is its own root. Raises RepoError."""
        folder = folder.resolve()
        if not folder.is_dir():
            raise RepoError(f"{folder} is not a folder.", "Name the folder of your project.")
        for place in (folder, *folder.parents):
            if (place / ".git").exists():
                why = _astray(place)
                return cls(place, is_git=not why, astray=why)
        return cls(folder, is_git=False)

    # Files.

    @cached_property
    def listing(self) -> Listing:
        """The lister of its files."""
        return Listing(self.git, self.read, is_git=self.is_git)

    def files(self, by: float | None = None) -> tuple[FileFact, ...]:
        """List regular files of text size, tracked and untracked but not ignored, by path: see `Listing.files`."""
        return self.listing.files(by)

    def named(self, paths: Collection[str]) -> list[FileFact]:
        """Return those of some paths that `files` would list if it had the time."""
        return self.listing.named(paths)

    @property
    def late(self) -> bool:
        """Whether the last listing was cut short."""
        return self.listing.late

    @property
    def blocked(self) -> str:
        """The pipe at which git would wait for ever, so that new files are not looked for; empty for none."""
        return self.listing.blocked

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Return the bytes of a regular file inside the root; no link is followed, nothing that blocks is opened.

        Raises RepoError, also when the file is larger than `most` bytes.
        """
        parts = path.split("/")
        hint = "Name a file inside the project."
        if path.startswith("/") or ".." in parts or "\0" in path:
            raise RepoError(f"{path} does not lie inside {self.root}.", hint)
        place = str(self.root)
        try:
            for part in parts[:-1]:
                place = f"{place}{os.sep}{part}"
                if stat.S_ISLNK(os.lstat(place).st_mode):
                    raise RepoError(f"{path} leads through a link.", hint)
            handle = os.open(
                f"{self.root}{os.sep}{path}", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
            with os.fdopen(handle, "rb") as file:
                facts = os.fstat(file.fileno())
                if not stat.S_ISREG(facts.st_mode):
                    raise RepoError(f"{path} is not a regular file.", hint)
                if facts.st_size > most:
                    raise RepoError(f"{path} is larger than {most} bytes.", "Name a part of it.")
                return file.read(most)
        except OSError as error:
            raise RepoError(f"{path} cannot be read: {error.strerror}.", hint) from error

    # Commits.

    def run(self, *args: str, feed: bytes = b"", env: Mapping[str, str] | None = None, asked: bool = False) -> Ran:
        """Run git and return its result: see `Git.run`."""
        return self.git.run(*args, feed=feed, env=env, asked=asked)

    def revision(self, name: str) -> str | None:
        """Return the full id of the commit that a name means (`HEAD~1`, a branch, a short id); None for none."""
        if not self.is_git or not re.fullmatch(_REVISION, name) or ".." in name or "@{u" in name:
            return None
        try:
            out = self.git.out("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except RepoError:
            return None
        return out.decode("ascii", "replace").strip() or None

    def head(self) -> str:
        """Return the full id of the checked-out commit, from git's own file if possible; empty where there is none."""
        if not self.is_git:
            return ""
        folder = self.root / ".git"
        try:
            named = nofollow.line(folder / "HEAD")
            found = nofollow.line(folder / named.removeprefix("ref: ")) if named.startswith("ref: refs/") else named
        except (OSError, ValueError):  # packed, or a worktree whose files lie elsewhere
            found = ""
        return found if re.fullmatch(_ID, found) else self.revision("HEAD") or ""

    def history(self, most: int = 2_000, *, timeout_s: float = 1.0) -> list[Commit]:
        """Return the latest commits without merges, newest first, as many as can be read in the time."""
        if not self.head():
            return []
        form = ("--no-merges", "-z", "--name-status", "--format=%x02%H %s")
        found: list[Commit] = []
        # Of files that changed while they were renamed a partial clone may have no content: there only the others count.
        for alike in ("--find-renames", "--find-renames=100%"):
            said = self.git.told(timeout_s, "log", f"--max-count={most}", *form, alike, _RENAMES, "HEAD", "--")
            found = max(found, list(_commits(said)), key=len)
            if not self.git.failed:
                break
        return found

    def staged_moves(self) -> dict[str, str]:
        """Return the files whose renaming is staged, their new paths by the old ones. Raises RepoError."""
        if not self.is_git:
            return {}
        form = ("--cached", "--find-renames", _RENAMES, "--diff-filter=R", "--name-status", "-z")
        _, moves = _changed(self.git.out("diff", *DIFF, *form).split(b"\0"))
        return dict(moves)

    def hunks(
        self, commits: Iterable[str], paths: Iterable[str] = (), *, timeout_s: float = 1.0, size: int = _LONGEST_LOG
    ) -> bytes:
        """Return what commits (full ids) did to files that still exist, or to those among `paths`.

        For each commit there is a line of \\x02 and its id, then its diff without context; as many as can be read in
        the time, and at most `size` bytes: the last one may be cut.
        """
        form = ("-r", "-U0", "--diff-filter=M", "--format=%x02%H", "--", *paths)
        feed = "".join(f"{commit}\n" for commit in commits).encode()
        return self.git.told(timeout_s, "diff-tree", "--stdin", *form, size=size, feed=feed)


def _astray(place: Path) -> str:
    """Say where a `.git` file points if that is no repository; empty if there is nothing wrong.

    The `.git` file of a worktree or a submodule does so after it was copied without its repository.
    """
    try:
        if not stat.S_ISREG(os.lstat(place / ".git").st_mode):
            return ""
        kind, _, name = nofollow.read(place / ".git", 4_000).decode("utf-8", "surrogateescape").partition("gitdir:")
        name = name.strip()
        there = not kind and bool(name) and os.path.lexists(place / name / "HEAD")
    except (OSError, ValueError):
        return ""
    return "" if there else f".git points to {visible.name(name) or 'nothing'}, which is no repository"


def _commits(data: bytes) -> Iterator[Commit]:
    """Read `git log -z --name-status`; the last commit may be cut short, and is then left out."""
    whole, _, _ = data.rpartition(b"\0")
    for piece in whole.split(b"\x02")[1:]:
        head, *rest = piece.split(b"\0")
        words = head.decode("utf-8", "replace").split(" ", 1)
        if len(words) == 2:
            paths, moves = _changed(rest)
            yield Commit(words[0], words[1].strip(), tuple(dict.fromkeys(paths)), tuple(moves))


def _changed(fields: Iterable[bytes]) -> tuple[list[str], list[tuple[str, str]]]:
    """Read the fields of `--name-status -z`: the paths, and of files that were renamed the old and the new one."""
    paths: list[str] = []
    moves: list[tuple[str, str]] = []
    rest = iter(fields)
    for field in rest:
        if not (kind := field.lstrip(b"\n")):
            continue
        names = [os.fsdecode(name) for name in islice(rest, 2 if kind[:1] in {b"R", b"C"} else 1)]
        paths += names
        if len(names) == 2:
            moves.append((names[0], names[1]))
    return paths, moves
