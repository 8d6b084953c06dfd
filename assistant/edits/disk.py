"""The only hand that writes the user's files: paths that are safe, all of a patch or nothing of it."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import unicodedata
import uuid
from typing import TYPE_CHECKING

from assistant.errors import OutsideRoot, PatchError, Stale, Unwritable

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.edits.patch import FilePatch, Patch

_LARGEST = 50_000_000
_DEVICES = re.compile(
    r"^(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\.|$)", re.IGNORECASE
)
_SHORT_GIT = re.compile(r"^git~\d+$", re.IGNORECASE)


def locate(root: Path, path: str) -> Path:
    """Return where a path of a patch is on disk; raises OutsideRoot for one that may not be touched.

    Refused are absolute paths, `..`, drive letters, `~`, anything in a `.git` by whatever spelling, control characters,
    device names, and every path that passes through a symbolic link or into another repository.
    """
    hint = "Only files inside the repository, and never .git, are written."
    if not path or path in {".", "./"}:
        raise OutsideRoot("The edit names no file.", hint, path=path)
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in path):
        raise OutsideRoot(f"{path!r} has control characters in its name.", hint, path=path)
    if path.startswith(("/", "\\", "~")) or re.match(r"^[A-Za-z]:", path) or "\\" in path:
        raise OutsideRoot(f"{path!r} does not lie below the root.", hint, path=path)
    parts = path.split("/")
    if path.endswith("/") or "" in parts:
        raise OutsideRoot(f"{path!r} is not the name of a file.", hint, path=path)
    for part in parts:
        plain = _plain(part)
        if part in {".", ".."} or plain in {"", ".", ".."}:
            raise OutsideRoot(f"{path!r} climbs out of its folder.", hint, path=path)
        if plain == ".git" or _SHORT_GIT.match(plain) or _DEVICES.match(plain) or ":" in part:
            raise OutsideRoot(f"{path!r} is not a place for edits.", hint, path=path)
    here = root
    for index, part in enumerate(parts):
        here /= part
        try:
            kind = here.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            break
        except OSError as error:
            raise Unwritable(
                f"{path} cannot be looked at: {error.strerror}.", "Check its rights.", path=path
            ) from error
        if stat.S_ISLNK(kind):
            raise OutsideRoot(f"{path!r} passes through a symbolic link.", hint, path=path)
        if index < len(parts) - 1:
            if not stat.S_ISDIR(kind):
                raise Unwritable(f"{path}: {here.name} is a file, not a folder.", "Choose another name.", path=path)
            if (here / ".git").exists():
                raise OutsideRoot(f"{path!r} lies in another repository.", "Open Wattson there to edit it.", path=path)
    return root.joinpath(*parts)


def _plain(part: str) -> str:
    """Fold what file systems fold: case, width, ignorable signs, trailing dots and blanks."""
    folded = unicodedata.normalize("NFKC", part)
    folded = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return folded.rstrip(". ").casefold() if folded.strip(".") else folded


def read(root: Path, path: str) -> tuple[bytes, int] | None:
    """Return bytes and permission bits of a file, None where there is none; raises OutsideRoot and Unwritable."""
    place = locate(root, path)
    try:
        facts = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unwritable(f"{path} cannot be read: {error.strerror}.", "Check its rights.", path=path) from error
    if not stat.S_ISREG(facts.st_mode):
        raise Unwritable(f"{path} is not a regular file.", "Only regular files are edited.", path=path)
    if facts.st_size > _LARGEST:
        raise Unwritable(f"{path} has {facts.st_size:,} bytes, which is too large to edit.", "", path=path)
    try:
        return place.read_bytes(), stat.S_IMODE(facts.st_mode)
    except OSError as error:
        raise Unwritable(f"{path} cannot be read: {error.strerror}.", "Check its rights.", path=path) from error


def check(root: Path, patch: Patch) -> None:
    """Make sure that the disk is still what the patch was made for; raises Stale, OutsideRoot or Unwritable."""
    for file in patch.files:
        now = read(root, file.path)
        if (now[0] if now else None) != file.before:
            what = "is gone" if now is None else "exists already" if file.before is None else "has changed"
            raise Stale(
                f"{file.path} {what} since the patch was made.", "Ask again, or undo the change.", path=file.path
            )
        if file.target != file.path and read(root, file.target) is not None:
            raise Stale(f"{file.target} exists already.", "Move it away first.", path=file.target)


def write(root: Path, patch: Patch) -> None:
    """Write a patch: all new texts beside their targets first, then renames; on any failure everything is put back.

    Raises Stale, OutsideRoot or Unwritable; then nothing is changed.
    """
    check(root, patch)
    ready: list[tuple[FilePatch, Path | None]] = []
    made: list[Path] = []
    try:
        for file in patch.files:
            ready.append((file, _beside(root, file, made) if file.after is not None else None))
    except OSError as error:
        _tidy([temp for _, temp in ready if temp], made)
        raise Unwritable(
            f"{file.target} cannot be written: {error.strerror}.", "Nothing was changed; make room or mend the rights."
        ) from error
    done: list[FilePatch] = []
    try:
        for file, temp in ready:
            done.append(file)
            _swap(root, file, temp)
    except OSError as error:
        for file in reversed(done):
            put_back(root, file)
        _tidy([temp for _, temp in ready if temp], made)
        raise Unwritable(f"{file.target} cannot be written: {error.strerror}.", "Everything was put back.") from error
    for folder in {locate(root, file.target).parent for file in patch.files}:
        _sync(folder)


def put_back(root: Path, file: FilePatch) -> None:
    """Give one file its state before, whatever half of a change it is in."""
    target, source = locate(root, file.target), locate(root, file.path)
    if file.before is None or target != source:
        target.unlink(missing_ok=True)
    if file.before is not None:
        temp = source.with_name(f".{uuid.uuid4().hex}.wattson")
        source.parent.mkdir(parents=True, exist_ok=True)
        _fill(temp, file.before, file.mode_before)
        temp.replace(source)
    else:
        sweep(root, file.target)


def sweep(root: Path, path: str) -> None:
    """Clear away what an interrupted write left beside a path: our temporary files, and folders made for nothing."""
    folder = locate(root, path).parent
    if not folder.is_dir():
        return
    for temp in folder.glob(".*.wattson"):
        if re.fullmatch(r"\.[0-9a-f]{32}\.wattson", temp.name):
            temp.unlink(missing_ok=True)
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _beside(root: Path, file: FilePatch, made: list[Path]) -> Path:
    target = locate(root, file.target)
    missing = [folder for folder in target.parents if root in folder.parents and not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        made.append(folder)
    temp = target.with_name(f".{uuid.uuid4().hex}.wattson")
    try:
        _fill(temp, file.after or b"", file.mode_after)
    except OSError:
        temp.unlink(missing_ok=True)
        raise
    return temp


def _fill(place: Path, data: bytes, mode: int | None) -> None:
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fchmod(handle, mode if mode is not None else 0o644 & ~_umask())
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _swap(root: Path, file: FilePatch, temp: Path | None) -> None:
    source, target = locate(root, file.path), locate(root, file.target)
    if temp is not None:
        temp.replace(target)
    if temp is None or source != target:
        source.unlink()
        folder = source.parent
        while folder != root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def _tidy(temps: list[Path], made: list[Path]) -> None:
    for temp in temps:
        with contextlib.suppress(OSError):
            temp.unlink(missing_ok=True)
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _sync(folder: Path) -> None:
    if not folder.is_dir():
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["PatchError", "check", "locate", "put_back", "read", "sweep", "write"]
