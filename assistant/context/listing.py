"""Which files there are, with their blob ids: from git, new files, and what our own ignore file excludes."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import time
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from assistant.context import git_index, ignore
from assistant.context.ignore import IGNORE_FILE
from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from assistant.context.git import Git

_REGULAR = {"100644", "100755"}
LARGEST = 2_000_000
"""Bytes of the largest file that is read."""
_MATCHING_S = 3.0
"""Seconds for matching all files with an ignore file: only one that is made to last takes more."""
_PATIENT_S, _LOOK_S, _LONGEST_S = 1.0, 0.1, 120.0
"""Seconds after which to look for what git waits for, how long to look at once, and after which to stop waiting for
git."""
_ALONE_S = 0.5
"""Seconds to look for the files that a question names, if there was no time to look for all."""


class FileFact(NamedTuple):
    """One regular file: path with "/", git blob id of its present bytes, size, and whether it differs from HEAD."""

    path: str
    blob: str
    size: int
    dirty: bool = False


class Listing:
    """The files of one folder; outside of git the folder is walked. `read` returns the bytes of a file.

    `late` says that the last listing was cut short. `blocked` is a pipe in the place of an ignore file, at which git
    would wait for ever: while there is one, new files are not looked for.
    """

    def __init__(self, git: Git, read: Callable[[str], bytes], *, is_git: bool) -> None:
        self.late = False
        self.blocked = ""
        self._root = git.root
        self._is_git = is_git
        self._git = git
        self._read = read
        self._like = ""
        """An id that git gave; all ids of a repository are made in one way."""
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._known: Collection[str] = ()
        """The paths that a listing which was cut short knew, whether it had looked at them or not."""

    def files(self, by: float | None = None) -> tuple[FileFact, ...]:
        """List regular files of text size, tracked and untracked but not ignored, sorted by path.

        `by` is when it has to end, as time.monotonic() counts. If that is too soon, `late` is set: new files may be
        missing then, and files known to git are listed as committed or staged, whatever is on the disk now.
        """
        self.late = False
        blobs, dirty, sizes = (
            self._listed(by) if self._is_git else (dict.fromkeys(ignore.walk(self._root), ""), set[str](), {})
        )
        order = sorted(blobs)
        if (self._root / IGNORE_FILE).exists():
            order = self._shown(order)
        found: list[FileFact] = []
        for at, path in enumerate(order):
            if self.late or (by is not None and not at % 256 and time.monotonic() > by):
                self.late = True
                self._known = blobs
                return (*found, *_unseen(order[at:], blobs))
            if (size := sizes.get(path)) is not None and path not in dirty:
                if size <= LARGEST:
                    found.append(FileFact(path, blobs[path], size))
            elif (fact := self._fact(path, "" if path in dirty else blobs[path])) is not None:
                found.append(fact)
        return tuple(found)

    def _fact(self, path: str, blob: str) -> FileFact | None:
        """Look at a file on the disk; `blob` is its id if it has not changed. None if there is no file to read."""
        with contextlib.suppress(OSError, ValueError, RepoError):  # deleted, or left out of a sparse checkout
            here = os.lstat(f"{self._root}{os.sep}{path}")
            if stat.S_ISREG(here.st_mode) and here.st_size <= LARGEST:
                if blob:
                    return FileFact(path, blob, here.st_size)
                return FileFact(path, self._hash(path, here), here.st_size, self._is_git)
        return None

    def named(self, paths: Collection[str]) -> list[FileFact]:
        """Return those of some paths that `files` would list if it had the time; only these are looked for."""
        ignored = ignore.ignored(self._root)
        there = [path for path in paths if self._is_here(path) and not ignored(path)]
        new = [path for path in there if path not in self._known]
        known = {*there} - {*new}
        if self._is_git and new and not self._is_blocked():
            known |= self._looked_for_alone(new)
        facts = (self._fact(path, "") for path in there if path in known)
        return [fact for fact in facts if fact is not None]

    def new(self) -> list[str]:
        """List files that git neither tracks nor ignores."""
        entries = (self._looked_for("ls-files", "-z", "--others", "--exclude-standard") or b"").split(b"\0")
        return [os.fsdecode(entry) for entry in entries if entry and not entry.endswith(b"/")]

    def _is_here(self, path: str) -> bool:
        """Say whether a path, written as in a listing, is that of a regular file of a size that is read."""
        parts = path.split("/")
        if "\0" in path or not {"", ".", "..", ".git"}.isdisjoint(parts):
            return False
        try:
            here = os.lstat(self._root / path)
        except OSError:
            return False
        above = (self._root.joinpath(*parts[:at]) for at in range(1, len(parts)))
        return stat.S_ISREG(here.st_mode) and here.st_size <= LARGEST and not any(map(os.path.islink, above))

    def _looked_for_alone(self, paths: Sequence[str]) -> set[str]:
        """Return those of some paths that git neither tracks nor ignores.

        If one of them lies in another repository, git refuses them all: then each is asked about alone.
        """
        with self._git.start("ls-files", "-z", "--others", "--exclude-standard", "--", *paths) as looking:
            told = self._wait(looking, time.monotonic() + _ALONE_S)
        if looking.returncode and told is not None:
            some = (self._looked_for_alone([path]) for path in paths) if len(paths) > 1 else ()
            return set().union(*some)
        return {os.fsdecode(entry) for entry in (told or b"").split(b"\0")} & {*paths}

    def _shown(self, paths: list[str]) -> list[str]:
        """Return the paths that our own ignore file does not exclude; if that takes too long, those seen in time."""
        ignored = ignore.ignored(self._root)
        end = time.monotonic() + _MATCHING_S
        kept: list[str] = []
        for at in range(0, len(paths), 256):
            if time.monotonic() > end:
                self.late = True
                break
            kept += [path for path in paths[at : at + 256] if not ignored(path)]
        return kept

    def _listed(self, by: float | None) -> tuple[dict[str, str], set[str], dict[str, int]]:
        """Return what git lists: blob ids by path, paths that differ from what is staged, and sizes of the rest.

        The blob id of a new file is empty.
        """
        told, new = ("ls-files", "-z", "-t"), ("--others", "--modified", "--exclude-standard")
        more: bytes | None = b""
        if self._is_blocked():
            by, listed = None, self._git.out(*told, "--stage", "--modified")
        elif by is None:
            all_of_it = self._looked_for(*told, "--stage", *new)
            if self.blocked:
                return self._listed(None)
            listed = self._git.out(*told, "--stage") if all_of_it is None else all_of_it
        else:  # staged files are listed in one file; looking for the rest may take many times as long
            with self._git.start(*told, *new) as looking:
                listed = self._git.out(*told, "--stage")
                more = self._wait(looking, by)
            if self.blocked or (looking.returncode and more is not None):
                return self._listed(None)
        entries = os.fsdecode(listed).split("\0")
        staged = [entry for entry in entries if entry[2:8] in _REGULAR]
        # "H 100644 ID 0", a tab, and the path; all ids of a repository have the same length.
        width = staged[0].index("\t") + 1 if staged else 0
        blobs = dict(zip([entry[width:] for entry in staged], [entry[9 : width - 3] for entry in staged], strict=True))
        self._like = next(iter(blobs.values()), "")
        dirty = {entry[width:] for entry in staged if entry[0] == "C"}
        if by is not None:
            entries = os.fsdecode(more or b"").split("\0")
            dirty |= {entry[2:] for entry in entries if entry[:2] == "C "}
        for entry in entries:
            if entry[:2] == "? " and entry[-1] != "/":
                blobs.setdefault(entry[2:], "")
        return blobs, dirty, git_index.sizes(self._root, entries, width) if by is None and width else {}

    def _looked_for(self, *args: str) -> bytes | None:
        """Let git look for new files; None where it would wait at a pipe (`blocked`) or takes far too long (`late`)."""
        if self._is_blocked():
            return None
        with self._git.start(*args) as looking:
            listed = self._wait(looking, time.monotonic() + _LONGEST_S)
        # run again, this raises with git's message
        return self._git.out(*args) if looking.returncode and listed is not None else listed

    def _wait(self, looking: subprocess.Popen[bytes], by: float) -> bytes | None:
        """Return git's output if it comes by `by`; if not, or if git waits at a pipe, end git and return None."""
        places = ignore.pipes(self._root)
        pause = _PATIENT_S
        while not self.blocked:
            left = max(0.0, by - time.monotonic())
            try:
                return looking.communicate(timeout=min(left, pause))[0]
            except subprocess.TimeoutExpired:
                if left <= pause:
                    self.late = True
                    break
            pause, end = _LOOK_S, time.monotonic() + _LOOK_S
            for place in places:
                self.blocked = place  # empty while there is more to look at
                if place or time.monotonic() > end:
                    break
            else:
                pause = float("inf")  # no pipe: git just has much to do
        looking.kill()
        return None

    def _is_blocked(self) -> bool:
        """Say whether the pipe that git waited at is still there."""
        if self.blocked and not (self._root / self.blocked).is_fifo():
            self.blocked = ""
        return bool(self.blocked)

    def _hash(self, path: str, facts: os.stat_result) -> str:
        """Return the git blob id of a file as it is on the disk."""
        key = (path, facts.st_size, facts.st_mtime_ns)
        if key not in self._hashes:
            self._hashes[key] = git_index.blob_id(self._read(path), self._like)
        return self._hashes[key]


def _unseen(paths: Iterable[str], blobs: Mapping[str, str]) -> Iterator[FileFact]:
    """Return files as git has them; 100,000 may be left, so the work for each is done in C."""
    rest = [path for path in paths if blobs[path]]
    return map(
        tuple.__new__, repeat(FileFact), zip(rest, map(blobs.__getitem__, rest), repeat(0), repeat(False), strict=False)
    )
