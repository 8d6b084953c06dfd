"""A folder below the root, reached step by step and held open, so that nothing swapped meanwhile leads elsewhere.

Every part of a path is opened relative to the one before, never through a symbolic link; what is done to a file is then
done relative to the folder in hand. A check of names alone would be a race (rule B3).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from typing import TYPE_CHECKING

from assistant.errors import OutsideRoot, Unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CHUNK = 1 << 20


@contextlib.contextmanager
def opened(root: Path, parts: tuple[str, ...], *, make: list[tuple[str, ...]] | None = None) -> Iterator[int | None]:
    """Hold the folder `parts` below `root` open; None where it does not exist.

    With `make`, folders that are missing are made and noted there. Raises OutsideRoot for a symbolic link or another
    repository on the way, Unwritable for a file that stands where a folder should; other OSErrors pass.
    """
    here: int | None = os.open(root, _FOLDER)
    try:
        for index, part in enumerate(parts):
            assert here is not None  # noqa: S101 - for the type checker; the loop ends where it becomes None
            inner = _enter(here, parts[: index + 1], make)
            os.close(here)
            here = inner
            if here is None:
                break
            with contextlib.suppress(FileNotFoundError):
                os.stat(".git", dir_fd=here, follow_symlinks=False)
                raise OutsideRoot(
                    f"{'/'.join(parts)!r} lies in another repository ({part}).",
                    "Open Wattson there to edit it.",
                    path="/".join(parts),
                )
        yield here
    finally:
        if here is not None:
            os.close(here)


def _enter(here: int, parts: tuple[str, ...], make: list[tuple[str, ...]] | None) -> int | None:
    part = parts[-1]
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
    except FileNotFoundError:
        if make is None:
            return None
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, dir_fd=here)
            make.append(parts)
        return _enter(here, parts, None)
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP, errno.EMLINK}:
            raise
        path = "/".join(parts)
        facts = lstat(here, part)
        if facts is None or stat.S_ISLNK(facts.st_mode) or stat.S_ISDIR(facts.st_mode):  # or it was a link just now
            raise link(path) from error
        raise Unwritable(f"{path} is a file, not a folder.", "Choose another name.", path=path) from error


def link(path: str) -> OutsideRoot:
    """Make the refusal of a path that passes through a symbolic link."""
    return OutsideRoot(
        f"{path!r} passes through a symbolic link.", "Only files inside the repository are written.", path=path
    )


def lstat(folder: int, name: str) -> os.stat_result | None:
    """Look at an entry without following it; None where there is none."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def load(handle: int) -> bytes:
    """Read an open file to its end."""
    pieces = []
    while piece := os.read(handle, _CHUNK):
        pieces.append(piece)
    return b"".join(pieces)


def fill(folder: int, data: bytes, mode: int | None, like: str = "", *, exact: bool = True) -> str:
    """Write a new temporary file, synced, and return its name; on failure nothing of it is left.

    The user's umask is taken off `mode` unless it is to be `exact`; None is 0644. Owner and extended attributes are
    those of the entry `like`, where the system lets us.
    """
    name = temporary()
    handle = os.open(
        name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode or 0o644, dir_fd=folder
    )
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if like:
            _dress(folder, like, handle)
        if mode is not None and exact:
            os.fchmod(handle, mode)
        os.fsync(handle)
    except OSError:
        remove(folder, name)
        raise
    finally:
        os.close(handle)
    return name


def _dress(folder: int, like: str, handle: int) -> None:
    """Give a new file the owner and the extended attributes of an old one, as far as this user may."""
    try:
        old = os.open(like, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return
    try:
        was, now = os.fstat(old), os.fstat(handle)
        if (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
            with contextlib.suppress(OSError):
                os.fchown(handle, was.st_uid, was.st_gid)
        if hasattr(os, "listxattr"):
            with contextlib.suppress(OSError):
                for name in os.listxattr(old):
                    with contextlib.suppress(OSError):
                        os.setxattr(handle, name, os.getxattr(old, name))
    finally:
        os.close(old)


def temporary() -> str:
    """Return a name for a file of ours that is never left behind on purpose."""
    return f".{uuid.uuid4().hex}.wattson"


def is_temporary(name: str) -> bool:
    """Say whether a name is one that `temporary` gave."""
    hexed = name.removeprefix(".").removesuffix(".wattson")
    return name == f".{hexed}.wattson" and len(hexed) == 32 and set(hexed) <= set("0123456789abcdef")


def remove(folder: int, name: str) -> None:
    """Take an entry away if it is there and may be taken away."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def sync(root: Path, parts: tuple[str, ...]) -> None:
    """Make the entries of a folder last through a power cut; a file system that cannot is left to itself."""
    with contextlib.suppress(OSError, OutsideRoot, Unwritable), opened(root, parts) as here:
        if here is not None:
            os.fsync(here)
