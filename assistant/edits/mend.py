"""Finishing what a dead process left: the tree is restored to what it was before, or the missing steps are recorded."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assistant.edits import folder
from assistant.edits.archive import GOING, WRITTEN, Archive, Damaged
from assistant.edits.path import parts
from assistant.edits.step import read_patch
from assistant.errors import PatchError, Unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from assistant.edits.patch import FilePatch, Patch

    Probe = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Mended:
    """The files that were restored, and the steps that still have to be recorded; the deed is open until then."""

    restored: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()


def finish(archive: Archive, root: Path, *, probe: Probe | None = None) -> Mended:
    """Restore what was under way, or return the steps that are missing; call only while holding the lock.

    Raises StateError and Unwritable; then the deed stays open and nothing more may be written.
    """
    try:
        open_deed = archive.deed()
        if open_deed is None:
            return Mended()
        name, deed = open_deed
        steps = tuple(record for record in deed["steps"] if isinstance(record["id"], int))
        folders = [str(each) for each in deed["folders"]]
        paths = [each[key] for each in deed["patch"] for key in ("path", "new_path") if each[key]]
        patch = read_patch(deed["patch"], archive.fetch) if name == GOING else None
    except (Damaged, KeyError, TypeError) as error:
        for each in (GOING, WRITTEN):
            if (archive.folder / each).exists():
                archive.set_aside(each, f"{error}, so an interrupted write could not be put back; look at your files")
        return Mended()
    if patch is None:
        sweep(root, paths)
        if not steps:
            archive.end()
        return Mended(steps=steps)
    restored = _put_back(archive, root, patch, probe)
    sweep(root, paths, folders)
    archive.end()
    return Mended(restored)


def _put_back(archive: Archive, root: Path, patch: Patch, probe: Probe | None) -> tuple[str, ...]:
    restored = []
    for file in reversed(patch.files):
        try:
            done = restore(root, file, probe=probe)
        except (OSError, PatchError) as error:
            words = error.message if isinstance(error, PatchError) else f"{file.path}: {error.strerror}."
            raise Unwritable(
                f"An interrupted write could not be put back. {words}",
                "Mend that first; nothing was written.",
                path=file.path,
            ) from error
        if done:
            restored.append(file.path)
        elif done is None:
            archive.notes.append(
                f"{file.path} was changed after an interrupted write and was left as it is; look at it."
            )
    return tuple(restored)


def restore(root: Path, file: FilePatch, *, probe: Probe | None = None) -> bool | None:
    """Restore one file to its state before an interrupted write; what was typed since stays.

    Returns True if it was restored, False if there was nothing to do, None if the file is in neither state and was left
    alone. Raises PatchError and OSError.
    """
    tell = probe or (lambda _: None)
    now = folder.look(root, file.target)
    own = now.mode if now is not None and file.mode_before == file.mode_after else file.mode_before
    file = replace(file, mode_before=own)  # a patch that does not change the mode keeps the user's own
    if file.target == file.path:
        if _is(now, file.before, own):
            return False
        if (now.data if now else None) != file.after:
            return None
        if file.before is None:
            _unlink(root, file.path, tell)
        else:
            _overwrite(root, file, tell)
        return True
    old = folder.look(root, file.path)
    if now is None:
        return False if old is not None else None
    if now.data != file.after or (old is not None and old.data != file.before):
        return None
    if old is None:
        _overwrite(root, file, tell)
    _unlink(root, file.target, tell)
    return True


def sweep(root: Path, paths: Iterable[str], folders: Iterable[str] = ()) -> None:
    """Remove what an interrupted write left: temporary files beside `paths`, and those `folders` that are empty."""
    for above in {parts(path)[:-1] for path in paths}:
        with contextlib.suppress(OSError, PatchError), folder.opened(root, above) as here:
            if here is None:
                continue
            with os.scandir(here) as entries:
                ours = [entry.name for entry in entries if folder.is_temporary(entry.name)]
            for name in ours:
                folder.remove(here, name)
    for path in sorted(folders, key=len, reverse=True):
        folder.rmdir(root, parts(path))


def _is(found: folder.File | None, data: bytes | None, mode: int | None) -> bool:
    if found is None or data is None:
        return found is None and data is None
    return found.data == data and mode in {None, found.mode}


def _overwrite(root: Path, file: FilePatch, tell: Probe) -> None:
    tell(f"restore {file.path}")
    made: list[tuple[str, ...]] = []
    with folder.at(root, file.path, made) as (here, name):
        assert here is not None  # noqa: S101 - missing folders are made
        temp = folder.fill(here, file.before or b"", file.mode_before, name)
        os.rename(temp, name, src_dir_fd=here, dst_dir_fd=here)
        os.fsync(here)


def _unlink(root: Path, path: str, tell: Probe) -> None:
    tell(f"restore {path}")
    with folder.held(root, path) as (here, name):
        os.unlink(name, dir_fd=here)
        os.fsync(here)
