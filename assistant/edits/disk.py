"""The only module that writes the user's files: to safe paths only, and a patch is written whole or not at all.

A patch is checked as a whole before anything is touched. Then all new texts are written beside their targets, and only
then do names change: each old file is kept under a second name until the last new one is in place, so that restoring
needs no disk space. A file that is not what the patch was made for is never overwritten.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.edits import folder
from assistant.edits.path import fold, parts, risky
from assistant.errors import PatchError, Stale, Unwritable

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.edits.patch import FilePatch, Patch

    Probe = Callable[[str], object]

_NAMESAKES, _LOOKED_AT = 20, 100_000
_INSTALLED = {"node_modules", "__pycache__", "venv", "site-packages"}

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV, errno.EACCES}


class HalfDone(Unwritable):
    """Writing failed, and so did restoring the files that the message names. The journal tries again."""


@dataclass(slots=True)
class _Move:
    """One file being written: what was found there, and how far the write has come."""

    file: FilePatch
    found: folder.File | None
    temp: str = ""
    aside: str = ""
    placed: bool = False
    gone: bool = False


def read(root: Path, path: str) -> tuple[bytes, int] | None:
    """Return bytes and permission bits of a file, None where there is none; raises OutsideRoot and Unwritable."""
    found = folder.look(root, path)
    return None if found is None else (found.data, found.mode)


def data(root: Path, path: str) -> bytes | None:
    """Return the bytes of a file, None where there is none; raises OutsideRoot and Unwritable."""
    found = folder.look(root, path)
    return None if found is None else found.data


def namesakes(root: Path, path: str) -> list[str]:
    """Return other files whose path ends in `path`, ignoring case; the search stops at `_NAMESAKES` of them.

    Hidden folders and installed packages are skipped, and so is the rest of a tree after `_LOOKED_AT` files.
    """
    ending = f"/{path}".casefold()
    name = ending.rpartition("/")[2]
    found: list[str] = []
    looked = 0
    for here, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in _INSTALLED)
        looked += len(files)
        if looked > _LOOKED_AT or len(found) >= _NAMESAKES:
            break
        for each in files:
            if each.casefold() == name:
                whole = (Path(here) / each).relative_to(root).as_posix()
                if whole != path and f"/{whole}".casefold().endswith(ending):
                    found.append(whole)
    return found


def check(root: Path, patch: Patch) -> None:
    """Check that a patch can be written as a whole, and that the disk still matches what it was made for.

    Raises Stale, OutsideRoot or Unwritable, with the file named.
    """
    _plan(root, patch)


def risks(patch: Patch) -> dict[str, str]:
    """Map each file of a patch that runs without being called to the reason; each needs a confirmation of its own."""
    paths = dict.fromkeys(path for file in patch.files for path in (file.path, file.target))
    return {path: why for path in paths if (why := risky(path))}


def notes(root: Path, patch: Patch) -> tuple[str, ...]:
    """Tell the user which files have other hard links, which will keep the old text."""
    words = []
    for file in patch.files:
        found = folder.look(root, file.path)
        if found is not None and found.links > 1:
            others = found.links - 1
            words.append(
                f"{file.path} has {others} other name{'s' * (others > 1)} (hard links), which keep the old text."
            )
    return tuple(words)


def missing_folders(root: Path, patch: Patch) -> tuple[str, ...]:
    """List the folders that writing this patch will make, outermost first."""
    found: dict[str, None] = {}
    for file in patch.files:
        if file.after is None:
            continue
        above = parts(file.target)[:-1]
        for depth in range(1, len(above) + 1):
            with folder.opened(root, above[:depth]) as here:
                if here is None:
                    found["/".join(above[:depth])] = None
    return tuple(found)


def write(root: Path, patch: Patch, *, probe: Probe | None = None) -> None:
    """Write a patch, all of it or nothing; on any failure everything is put back.

    Raises Stale, OutsideRoot or Unwritable. `probe` is called with a word before every step that changes the disk: tests
    kill the process or fail there.
    """
    tell = probe or _quiet
    moves = _plan(root, patch)
    made: list[tuple[str, ...]] = []
    now = ""
    try:
        for move in moves:
            now = move.file.target
            if move.file.after is not None:
                _beside(root, move, made, tell)
        for move in moves:
            now = move.file.target
            _swap(root, move, tell)
    except KeyboardInterrupt:
        _put_all_back(root, moves, made)
        raise
    except (OSError, PatchError) as error:
        left = _put_all_back(root, moves, made)
        if left:
            raise HalfDone(
                f"{now} cannot be written, and {', '.join(left)} could not be put back.",
                "Look at these files; Wattson tries again when it starts.",
                path=left[0],
            ) from error
        if isinstance(error, PatchError):
            raise
        raise Unwritable(
            f"{now} cannot be written: {error.strerror or error}.",
            "Nothing was changed; make room or mend the rights.",
            path=now,
        ) from error
    _settle(root, moves, made, tell)


def _quiet(_: str) -> None:
    return None


def _plan(root: Path, patch: Patch) -> list[_Move]:
    """Check a patch as a whole against the disk, and return a move for each file."""
    _agree(patch)
    moves = []
    for file in patch.files:
        found = folder.look(root, file.path)
        now = found.data if found else None
        if now != file.before:
            raise Stale(file.became(now), "Ask again, or undo the change.", path=file.path)
        if file.target != file.path and folder.look(root, file.target) is not None:
            raise _taken(file.target)
        if found is not None and file.mode_before == file.mode_after:
            file = replace(file, mode_before=found.mode, mode_after=found.mode)  # noqa: PLW2901 - the user's own mode stays
        elif found is not None and file.after is not None and found.mode != file.mode_before:
            raise Stale(f"The mode of {file.path} has changed since the patch was made.", "Ask again.", path=file.path)
        if found is not None and not found.mode & 0o222:
            raise Unwritable(f"{file.path} is read-only.", f"Allow it first: chmod u+w {file.path}", path=file.path)
        for path in dict.fromkeys((file.path, file.target)):
            try:
                _may(root, path)
            except OSError as error:
                raise Unwritable(
                    f"{path} may not be written: {error.strerror}.", "Check its rights.", path=path
                ) from error
        moves.append(_Move(file, found))
    return moves


def _agree(patch: Patch) -> None:
    """Refuse a patch whose files collide, or that asks for something no edit may do."""
    taken: dict[tuple[str, ...], str] = {}
    for file in patch.files:
        for path in dict.fromkeys((file.path, file.target)):
            names = parts(path)
            if names in taken:
                raise Unwritable(f"The patch names {path} twice.", "Ask for one change at a time.", path=path)
            taken[names] = path
        if file.target != file.path and [*map(fold, parts(file.path))] == [*map(fold, parts(file.target))]:
            raise Unwritable(
                f"{file.path} and {file.target} are one name where case does not count.", "Use git mv.", path=file.path
            )
        mode = file.mode_after
        if mode is not None and mode != file.mode_before and (mode & ~0o777 or not mode & 0o200):
            raise Unwritable(
                f"{file.target}: mode {mode:o} is not one that edits may give.", "Use chmod.", path=file.target
            )
    for names, path in taken.items():
        for depth in range(1, len(names)):
            if names[:depth] in taken:
                raise Unwritable(
                    f"The patch makes {'/'.join(names[:depth])} both a file and a folder (of {path}).",
                    "Ask for one change at a time.",
                    path=path,
                )


def _may(root: Path, path: str) -> None:
    """Raise Unwritable where this user may not write a file, or its folder."""
    *above, name = parts(path)
    for depth in range(len(above), -1, -1):
        with folder.opened(root, tuple(above[:depth])) as here:
            if here is None:
                continue
            where = "/".join(above[:depth]) or "the root folder"
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=here):
                raise Unwritable(f"{path}: nothing may be written in {where}.", "Check its rights.", path=path)
            there = depth == len(above) and folder.lstat(here, name) is not None
            if there and not os.access(name, os.W_OK, dir_fd=here):
                raise Unwritable(f"{path} may not be written.", "Check its rights.", path=path)
            return


def _beside(root: Path, move: _Move, made: list[tuple[str, ...]], tell: Probe) -> None:
    file = move.file
    tell(f"write {file.target}")
    there = file.target == file.path and file.before is not None
    with folder.at(root, file.target, None if there else made) as (here, name):
        if here is None or file.after is None:
            raise folder.gone(file.path)
        like = name if there else ""
        usual = file.before is None and file.mode_after in {0o644, 0o755}
        move.temp = folder.fill(here, file.after, file.mode_after, like, exact=not usual)


def _swap(root: Path, move: _Move, tell: Probe) -> None:
    """Put one new file in place, or remove an old one: the moment when the change becomes visible."""
    file = move.file
    if file.target != file.path or file.before is None:
        tell(f"place {file.target}")
        with folder.held(root, file.target) as (here, name):
            _place(here, move.temp, name, file.target)
            move.placed = True
            tell(f"tidy {file.target}")
            folder.remove(here, move.temp)
        if file.before is not None:
            _lay_aside(root, move, tell)
        return
    if file.after is None:
        _lay_aside(root, move, tell)
        return
    tell(f"keep {file.path}")
    with folder.held(root, file.path) as (here, name):
        _same(move, folder.lstat(here, name))
        aside = folder.temporary()
        try:
            os.link(name, aside, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)
            move.aside = aside
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        tell(f"swap {file.path}")
        os.rename(move.temp, name, src_dir_fd=here, dst_dir_fd=here)
        move.placed = True
        if move.aside:
            _same(move, folder.lstat(here, move.aside))  # somebody may have written into the old file meanwhile


def _place(here: int, temp: str, name: str, path: str) -> None:
    """Give a new file its name, without ever overwriting another file."""
    try:
        os.link(temp, name, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if folder.lstat(here, name) is not None:
            raise _taken(path) from error
        os.rename(temp, name, src_dir_fd=here, dst_dir_fd=here)


def _taken(path: str) -> Stale:
    """Make the refusal of a name that another file has."""
    return Stale(f"{path} exists already.", "Move it away first.", path=path)


def _lay_aside(root: Path, move: _Move, tell: Probe) -> None:
    """Remove a file by renaming it; the renamed copy is kept until the whole patch is written."""
    tell(f"take {move.file.path}")
    with folder.held(root, move.file.path) as (here, name):
        _same(move, folder.lstat(here, name))
        aside = folder.temporary()
        os.rename(name, aside, src_dir_fd=here, dst_dir_fd=here)
        move.aside, move.gone = aside, True
        _same(move, folder.lstat(here, aside))


def _same(move: _Move, facts: os.stat_result | None) -> None:
    path = move.file.path
    if facts is None or move.found is None or folder.mark(facts) != move.found.mark:
        raise Stale(f"{path} has changed since the patch was made.", "Ask again, or undo the change.", path=path)


def _put_all_back(root: Path, moves: list[_Move], made: list[tuple[str, ...]]) -> list[str]:
    """Undo what `write` has done so far; returns the files for which that failed."""
    left = []
    for move in reversed(moves):
        file = move.file
        try:
            if move.gone:
                with folder.held(root, file.path) as (here, name):
                    _place(here, move.aside, name, file.path)
                    folder.remove(here, move.aside)
            if move.placed and file.before is not None and file.target == file.path:
                _back(root, move)
            elif move.placed:
                with folder.held(root, file.target) as (here, name):
                    os.unlink(name, dir_fd=here)
        except (OSError, PatchError):
            left.append(file.path)
            continue
        with contextlib.suppress(OSError, PatchError), folder.held(root, file.target) as (here, _):
            for name in (move.temp, move.aside):
                if name:
                    folder.remove(here, name)
    for above in reversed(made):
        folder.rmdir(root, above)
    for above in {parts(move.file.path)[:-1] for move in moves}:
        folder.sync(root, above)
    return left


def _back(root: Path, move: _Move) -> None:
    with folder.held(root, move.file.path) as (here, name):
        temp = move.aside or folder.fill(here, move.file.before or b"", move.file.mode_before, name)
        os.rename(temp, name, src_dir_fd=here, dst_dir_fd=here)


def _settle(root: Path, moves: list[_Move], made: list[tuple[str, ...]], tell: Probe) -> None:
    """Sync the folders, then delete the old copies and the folders that are empty now."""
    touched = {parts(path)[:-1] for move in moves for path in (move.file.path, move.file.target)}
    touched |= {above[:-1] for above in made}
    for above in sorted(touched, key=len):
        tell("sync")
        folder.sync(root, above)
    for move in moves:
        if move.aside:
            tell(f"tidy {move.file.path}")
            with contextlib.suppress(OSError, PatchError), folder.held(root, move.file.path) as (here, _):
                folder.remove(here, move.aside)
        if move.gone:
            above = parts(move.file.path)[:-1]
            while above and folder.rmdir(root, above):
                above = above[:-1]


__all__ = ["HalfDone", "check", "missing_folders", "notes", "read", "risks", "risky", "write"]
