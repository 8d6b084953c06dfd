"""A folder below the root, opened part by part and held open, so that a part swapped meanwhile cannot lead elsewhere.

Every part of a path is opened relative to the one before, never through a symbolic link; files are then handled
relative to the open folder. A check of names alone would be a race (rule B3).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.edits.path import parts
from assistant.errors import OutsideRoot, PatchError, Stale, Unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CHUNK = 1 << 20
_LARGEST = 50_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A regular file as found: bytes, permission bits, a mark that changes with every write, number of hard links."""

    data: bytes
    mode: int
    mark: tuple[int, int, int, int]
    links: int


@contextlib.contextmanager
def opened(root: Path, above: tuple[str, ...], *, make: list[tuple[str, ...]] | None = None) -> Iterator[int | None]:
    """Hold the folder `above` below `root` open; None if it does not exist.

    With `make`, missing folders are created and appended to it. Raises OutsideRoot for a symbolic link or another
    repository on the way, and Unwritable for a file in place of a folder; other OSErrors pass through.
    """
    here: int | None = os.open(root, _FOLDER)
    try:
        for index, part in enumerate(above):
            assert here is not None  # noqa: S101 - for the type checker; the loop ends where it becomes None
            inner = _enter(here, above[: index + 1], make)
            os.close(here)
            here = inner
            if here is None:
                break
            with contextlib.suppress(FileNotFoundError):
                os.stat(".git", dir_fd=here, follow_symlinks=False)
                raise OutsideRoot(
                    f"{'/'.join(above)!r} lies in another repository ({part}).",
                    "Open Wattson there to edit it.",
                    path="/".join(above),
                )
        yield here
    finally:
        if here is not None:
            os.close(here)


def _enter(here: int, above: tuple[str, ...], make: list[tuple[str, ...]] | None) -> int | None:
    part = above[-1]
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
    except FileNotFoundError:
        if make is None:
            return None
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, dir_fd=here)
            make.append(above)
        return _enter(here, above, None)
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP, errno.EMLINK}:
            raise
        path = "/".join(above)
        facts = lstat(here, part)
        if facts is None or stat.S_ISLNK(facts.st_mode) or stat.S_ISDIR(facts.st_mode):  # or it was a link just now
            raise link(path) from error
        raise Unwritable(f"{path} is a file, not a folder.", "Choose another name.", path=path) from error


@contextlib.contextmanager
def at(root: Path, path: str, made: list[tuple[str, ...]] | None = None) -> Iterator[tuple[int | None, str]]:
    """Hold the folder of a path open; OSErrors on the way become Unwritable, unless folders are being created."""
    *above, name = parts(path)
    with contextlib.ExitStack() as stack:
        try:
            here = stack.enter_context(opened(root, tuple(above), make=made))
        except PatchError as error:
            raise type(error)(f"{path}: {error.message}", error.hint, path=path) from error
        except OSError as error:
            if made is not None:
                raise
            raise Unwritable(
                f"{path} cannot be looked at: {error.strerror}.", "Check its rights.", path=path
            ) from error
        yield here, name


def look(root: Path, path: str) -> File | None:
    """Read a file; None if there is none. Raises OutsideRoot, and Unwritable for anything but a regular file."""
    with at(root, path) as (here, name):
        if here is None:
            return None
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise link(path) from error
            raise Unwritable(f"{path} cannot be read: {error.strerror}.", "Check its rights.", path=path) from error
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                raise Unwritable(f"{path} is not a regular file.", "Only regular files are edited.", path=path)
            if facts.st_size > _LARGEST:
                raise Unwritable(
                    f"{path} has {facts.st_size:,} bytes, which is too large to edit.", "Edit it by hand.", path=path
                )
            return File(load(handle), stat.S_IMODE(facts.st_mode), mark(facts), facts.st_nlink)
        except OSError as error:
            raise Unwritable(f"{path} cannot be read: {error.strerror}.", "Check its rights.", path=path) from error
        finally:
            os.close(handle)


def mark(facts: os.stat_result) -> tuple[int, int, int, int]:
    """Return values that tell whether a file is still the one that was read, whatever its name."""
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


@contextlib.contextmanager
def held(root: Path, path: str) -> Iterator[tuple[int, str]]:
    """Hold the folder of a path, which must be there; raises Stale where it is gone."""
    with at(root, path) as (here, name):
        if here is None:
            raise gone(path)
        yield here, name


def gone(path: str) -> Stale:
    """Make the refusal of a path whose folder is not there any more."""
    return Stale(f"The folder of {path} is gone.", "Ask again, or undo the change.", path=path)


def rmdir(root: Path, above: tuple[str, ...]) -> bool:
    """Remove a folder if it is empty; return whether it was removed."""
    with contextlib.suppress(OSError, PatchError), opened(root, above[:-1]) as here:
        if here is not None:
            os.rmdir(above[-1], dir_fd=here)
            return True
    return False


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
    """Write and sync a new temporary file, and return its name; on failure nothing of it is left.

    The user's umask applies to `mode` unless `exact`; None means 0644. Owner and extended attributes are copied from
    the entry `like`, as far as the system allows.
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
    """Copy the owner and the extended attributes of an old file to a new one, as far as this user may."""
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
    """Return a name for a temporary file of ours; such files are never left behind on purpose."""
    return f".{uuid.uuid4().hex}.wattson"


def is_temporary(name: str) -> bool:
    """Say whether a name is one that `temporary` gave."""
    hexed = name.removeprefix(".").removesuffix(".wattson")
    return name == f".{hexed}.wattson" and len(hexed) == 32 and set(hexed) <= set("0123456789abcdef")


def remove(folder: int, name: str) -> None:
    """Remove an entry if it exists and may be removed."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def sync(root: Path, above: tuple[str, ...]) -> None:
    """Sync a folder, so that its entries survive a power cut; a file system that cannot do that is ignored."""
    with contextlib.suppress(OSError, OutsideRoot, Unwritable), opened(root, above) as here:
        if here is not None:
            os.fsync(here)
