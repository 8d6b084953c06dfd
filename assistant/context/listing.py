"""Which files there are, with their blob ids: what git tells, what is new beside it, and what our own ignore file names."""

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
"""Bytes of a file that is read."""
_MATCHING_S = 3.0
"""Seconds for asking an ignore file about all files: more takes only one that is made to last."""
_PATIENT_S, _LOOK_S, _LONGEST_S = 1.0, 0.1, 120.0
"""Seconds after which it is looked what git waits for, how long at once, and after which it is not waited for at all."""
_ALONE_S = 0.5
"""Seconds for looking for the files that a question names, where there was no time to look for all."""


class FileFact(NamedTuple):
    """One regular file: path with "/", git blob id of its bytes as they are now, size, and whether it differs from HEAD."""

    path: str
    blob: str
    size: int
    dirty: bool = False


class Listing:
    """The files of one folder; outside git it is walked through. `read` returns the bytes of a file.

    `late` says that the last listing ended before its end. `blocked` is what git would wait at for ever, a pipe in the
    place of an ignore file: new files are not looked for.
    """

    def __init__(self, git: Git, read: Callable[[str], bytes], *, is_git: bool) -> None:
        self.late = False
        self.blocked = ""
        self._root = git.root
        self._is_git = is_git
        self._git = git
        self._read = read
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._known: Collection[str] = ()
        """What a listing that ended before its end knew, whether it came to look at it or not."""

    def files(self, by: float | None = None) -> tuple[FileFact, ...]:
        """List regular text-sized files, tracked and untracked but not ignored, sorted by path.

        `by` is when it has to end, as time.monotonic() counts. Where that was too soon, `late` is set: new files may be missing
        then, and what git knows is listed as it was committed or staged, whatever stands on the disk now.
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
        """Look at a file on the disk, whose blob id is known where it has not changed; None where there is none that is read."""
        with contextlib.suppress(OSError, ValueError, RepoError):  # deleted, or left out of a sparse checkout
            here = os.lstat(f"{self._root}{os.sep}{path}")
            if stat.S_ISREG(here.st_mode) and here.st_size <= LARGEST:
                if blob:
                    return FileFact(path, blob, here.st_size)
                return FileFact(path, self._hash(path, here), here.st_size, self._is_git)
        return None

    def named(self, paths: Collection[str]) -> list[FileFact]:
        """Return those of some paths that `files` would list, had it had the time to come to them: these are looked for alone."""
        ignored = ignore.ignored(self._root)
        there = [path for path in paths if self._is_here(path) and not ignored(path)]
        new = [path for path in there if path not in self._known]
        known = {*there} - {*new}
        if self._is_git and new and not self._is_blocked():
            known |= self._looked_for_alone(new)
        facts = (self._fact(path, "") for path in there if path in known)
        return [fact for fact in facts if fact is not None]

    def new(self) -> list[str]:
        """List files that git neither knows nor ignores."""
        entries = (self._looked_for("ls-files", "-z", "--others", "--exclude-standard") or b"").split(b"\0")
        return [os.fsdecode(entry) for entry in entries if entry and not entry.endswith(b"/")]

    def _is_here(self, path: str) -> bool:
        """Say whether a path is that of a regular file of a size that is read, written as in a listing."""
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
        """Return those of some paths that git neither knows nor ignores; one in another repository makes it refuse all of them."""
        with self._git.start("ls-files", "-z", "--others", "--exclude-standard", "--", *paths) as looking:
            told = self._wait(looking, time.monotonic() + _ALONE_S)
        if looking.returncode and told is not None:
            some = (self._looked_for_alone([path]) for path in paths) if len(paths) > 1 else ()
            return set().union(*some)
        return {os.fsdecode(entry) for entry in (told or b"").split(b"\0")} & {*paths}

    def _shown(self, paths: list[str]) -> list[str]:
        """Return the paths that our own ignore file does not name; of one that takes too long to match, those that were looked at."""
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
        """Return what git lists: blob id by path, empty for new files, which differ from what is staged, and sizes of those that do not."""
        told, new = ("ls-files", "-z", "-t"), ("--others", "--modified", "--exclude-standard")
        more: bytes | None = b""
        if self._is_blocked():
            by, listed = None, self._git.out(*told, "--stage", "--modified")
        elif by is None:
            all_of_it = self._looked_for(*told, "--stage", *new)
            if self.blocked:
                return self._listed(None)
            listed = self._git.out(*told, "--stage") if all_of_it is None else all_of_it
        else:  # what is staged stands in one file; to look for the rest may take many times as long
            with self._git.start(*told, *new) as looking:
                listed = self._git.out(*told, "--stage")
                more = self._wait(looking, by)
            if self.blocked or (looking.returncode and more is not None):
                return self._listed(None)
        entries = os.fsdecode(listed).split("\0")
        staged = [entry for entry in entries if entry[2:8] in _REGULAR]
        # "H 100644 ID 0", a tab, and the path: an id is as long as any other of the repository.
        width = staged[0].index("\t") + 1 if staged else 0
        blobs = dict(zip([entry[width:] for entry in staged], [entry[9 : width - 3] for entry in staged], strict=True))
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
        return self._git.out(*args) if looking.returncode and listed is not None else listed  # which says what is wrong

    def _wait(self, looking: subprocess.Popen[bytes], by: float) -> bytes | None:
        """Return what git says until `by`; None where that was too soon, or where it waits at a pipe: it has been ended then."""
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
                self.blocked = place  # empty where there is more to look at
                if place or time.monotonic() > end:
                    break
            else:
                pause = float("inf")  # there is none: it has much to do
        looking.kill()
        return None

    def _is_blocked(self) -> bool:
        """Say whether the pipe that git waited at is still there."""
        if self.blocked and not (self._root / self.blocked).is_fifo():
            self.blocked = ""
        return bool(self.blocked)

    def _hash(self, path: str, facts: os.stat_result) -> str:
        """Return the git blob id of a file as it is on disk."""
        key = (path, facts.st_size, facts.st_mtime_ns)
        if key not in self._hashes:
            import hashlib  # not for the first frame

            data = self._read(path)
            self._hashes[key] = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        return self._hashes[key]


def _unseen(paths: Iterable[str], blobs: Mapping[str, str]) -> Iterator[FileFact]:
    """Return files as git has them: a hundred thousand may be left, so that what is done for each of them is done in C."""
    rest = [path for path in paths if blobs[path]]
    return map(
        tuple.__new__, repeat(FileFact), zip(rest, map(blobs.__getitem__, rest), repeat(0), repeat(False), strict=False)
    )
