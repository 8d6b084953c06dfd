"""What was written, step by step, so that it can be taken back and made again: after a restart too, with git or without.

A step is written and synced before the first file is touched ("going"), and marked "done" after the last. What a crash
leaves "going" is put back to before at the next start. Steps live in one folder per root: a JSON file each, and the
files' bytes beside it by their SHA-256.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from assistant.edits import disk, text
from assistant.edits.compare import changes
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import OutsideRoot, PatchError, Stale, StateError, Unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

State = Literal["going", "done", "undone", "dropped"]
_CAP_BYTES = 256 * 1024 * 1024
_CAP_STEPS = 500


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the tree: what, when, by which turn and model, and whether it stands."""

    id: int
    at: datetime
    label: str
    turn: int
    model: str
    patch: Patch
    state: State


class Journal:
    """The steps of one root. One writer at a time, across processes."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.root = root

    def apply(self, patch: Patch, *, label: str, now: datetime, turn: int = 0, model: str = "") -> Step:
        """Write a patch, all or nothing. What was undone before can no longer be redone."""
        with self._alone():
            self._recover()
            disk.check(self.root, patch)
            steps = self._steps()
            for old in steps:
                if old.state == "undone":
                    self._put(replace(old, state="dropped"))
            step = Step(max((each.id for each in steps), default=0) + 1, now, label, turn, model, patch, "going")
            return self._make(step, patch, "done", "dropped")

    def undo(self, *, now: datetime) -> Step:
        """Take back the last step that stands; raises Stale where what was typed since is in the way."""
        del now
        with self._alone():
            self._recover()
            step = self._last("done", last=True)
            if step is None:
                raise PatchError("There is nothing to undo.", "Only what Wattson wrote here can be undone.")
            return self._make(step, self._onto(step.patch.reversed()), "undone", "done")

    def redo(self, *, now: datetime) -> Step:
        """Make the step again that was taken back last."""
        del now
        with self._alone():
            self._recover()
            step = self._last("undone", last=False)
            if step is None:
                raise PatchError("There is nothing to redo.", "Redo makes again what undo took back.")
            return self._make(step, self._onto(step.patch), "done", "undone")

    def peek(self, what: Literal["undo", "redo"]) -> Step | None:
        """Return the step that undo or redo would be about."""
        return self._last("done", last=True) if what == "undo" else self._last("undone", last=False)

    def steps(self) -> list[Step]:
        """List the steps that can be undone or redone, oldest first."""
        return [step for step in self._steps() if step.state in {"done", "undone"}]

    def recover(self) -> list[str]:
        """Put back what a crash left half done; returns the files that were put back."""
        if not self.folder.is_dir():
            return []
        with self._alone():
            return self._recover()

    def _make(self, step: Step, patch: Patch, after: State, failed: State) -> Step:
        """Write `patch` as (the reversal of) a step: journal first, then the tree, then the mark."""
        going = replace(step, patch=patch, state="going")
        disk.check(self.root, patch)
        self._put(going, after=after, failed=failed, whole=step)
        try:
            disk.write(self.root, patch)
        except PatchError:
            if failed == "dropped":
                self._path(step.id).unlink(missing_ok=True)
            else:
                self._put(replace(step, state=failed))
            raise
        done = replace(step, state=after)
        self._put(done)
        self._shrink()
        return replace(done, patch=patch)

    def _onto(self, patch: Patch) -> Patch:
        """Move a patch onto the files as they are now; raises Stale where its lines are not as it left them."""
        files = []
        for file in patch.files:
            now = disk.read(self.root, file.path)
            data = now[0] if now else None
            if data == file.before:
                files.append(file)
                continue
            if data is None or file.before is None or file.after is None:
                raise Stale(
                    f"{file.path} is no longer as Wattson left it.",
                    "Undo by hand, or restore it first.",
                    path=file.path,
                )
            merged = _merge(file.before, file.after, data)
            if merged is None:
                raise Stale(
                    f"{file.path} was changed since in the very lines.",
                    "Undo by hand; nothing was written.",
                    path=file.path,
                )
            files.append(replace(file, before=data, after=merged))
        return Patch(tuple(files))

    # Files of the journal.

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            (self.folder / "bytes").mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(
                f"The journal {self.folder} cannot be written: {error.strerror}.", "Make room or set WATTSON_HOME."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json"

    def _put(
        self, step: Step, *, after: State | None = None, failed: State | None = None, whole: Step | None = None
    ) -> None:
        """Write one step's file, synced, in one rename."""
        record: dict[str, Any] = {
            "id": step.id,
            "at": step.at.isoformat(),
            "label": step.label,
            "turn": step.turn,
            "model": step.model,
            "state": step.state,
            "files": [self._file(file) for file in (whole or step).patch.files],
        }
        if after:
            record |= {"going": [self._file(file) for file in step.patch.files], "after": after, "failed": failed}
        self._save(self._path(step.id), json.dumps(record).encode())

    def _file(self, file: FilePatch) -> dict[str, Any]:
        return {
            "path": file.path,
            "new_path": file.new_path,
            "before": self._keep(file.before),
            "after": self._keep(file.after),
            "mode_before": file.mode_before,
            "mode_after": file.mode_after,
        }

    def _keep(self, data: bytes | None) -> str | None:
        if data is None:
            return None
        name = hashlib.sha256(data).hexdigest()
        place = self.folder / "bytes" / name
        if not place.exists():
            self._save(place, data)
        return name

    def _save(self, place: Path, data: bytes) -> None:
        temp = place.with_name(f"{place.name}.{os.getpid()}.new")
        try:
            handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(handle, view) :]
                os.fsync(handle)
            finally:
                os.close(handle)
            temp.replace(place)
        except OSError as error:
            temp.unlink(missing_ok=True)
            raise StateError(
                f"The journal cannot be written ({error.strerror}), so nothing was changed.", "Make room and try again."
            ) from error

    def _load(self, path: Path) -> tuple[Step, dict[str, Any]] | None:
        try:
            record = json.loads(path.read_bytes())
            step = Step(
                record["id"],
                datetime.fromisoformat(record["at"]),
                record["label"],
                record["turn"],
                record["model"],
                self._patch(record["files"]),
                record["state"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None  # a damaged step cannot be undone; the others can
        return step, record

    def _patch(self, files: list[dict[str, Any]]) -> Patch:
        def data(name: str | None) -> bytes | None:
            return None if name is None else (self.folder / "bytes" / name).read_bytes()

        return Patch(
            tuple(
                FilePatch(
                    each["path"],
                    data(each["before"]),
                    data(each["after"]),
                    each["mode_before"],
                    each["mode_after"],
                    each["new_path"],
                )
                for each in files
            )
        )

    def _steps(self) -> list[Step]:
        loaded = (self._load(path) for path in sorted(self.folder.glob("[0-9]*.json")))
        return [each[0] for each in loaded if each is not None]

    def _last(self, state: State, *, last: bool) -> Step | None:
        found = [step for step in self._steps() if step.state == state]
        return (found[-1] if last else found[0]) if found else None

    def _recover(self) -> list[str]:
        restored: list[str] = []
        for path in sorted(self.folder.glob("[0-9]*.json")):
            loaded = self._load(path)
            if loaded is None or loaded[0].state != "going":
                continue
            step, record = loaded
            for file in reversed(self._patch(record["going"]).files):
                if self._half_done(file):
                    disk.put_back(self.root, file)
                    restored.append(file.path)
                disk.sweep(self.root, file.target)
            if record["failed"] == "dropped":
                path.unlink()
            else:
                self._put(replace(step, state=record["failed"]))
        return restored

    def _half_done(self, file: FilePatch) -> bool:
        """Whether the disk has this file's state after; what the user has typed since is never put back."""
        try:
            now = disk.read(self.root, file.target)
            old = disk.read(self.root, file.path)
        except (OutsideRoot, Unwritable):
            return False
        data = now[0] if now else None
        if file.target != file.path:
            return data == file.after and data is not None
        if data != file.after:
            return False
        return data != file.before or (old is not None and old[1] != file.mode_before)

    def _shrink(self) -> None:
        """Forget the oldest steps, and bytes that no step names, above the caps."""
        paths = sorted(self.folder.glob("[0-9]*.json"))
        sizes = {place.name: place.stat().st_size for place in (self.folder / "bytes").iterdir()}
        if len(paths) <= _CAP_STEPS and sum(sizes.values()) <= _CAP_BYTES:
            return
        kept: set[str] = set()
        total = 0
        for index, path in enumerate(reversed(paths)):
            with contextlib.suppress(OSError, ValueError):
                files = json.loads(path.read_bytes())["files"]
                names = {each[key] for each in files for key in ("before", "after") if each[key]} - kept
                total += sum(sizes.get(name, 0) for name in names)
                if index and (index >= _CAP_STEPS or total > _CAP_BYTES):
                    path.unlink()
                else:
                    kept |= names
        for name in set(sizes) - kept:
            (self.folder / "bytes" / name).unlink(missing_ok=True)


def _merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Put the change from `base` to `ours` into `theirs`; None where both changed the same or touching lines."""
    old, new, now = map(text.split_lines, (base, ours, theirs))
    mine = changes(old, new)
    other = changes(old, now)
    for a, b, _, _ in mine:
        for c, d, _, _ in other:
            if a <= d and c <= b:
                return None
    out: list[bytes] = []
    done = 0
    both = sorted([(a, b, new[c:d]) for a, b, c, d in mine] + [(a, b, now[c:d]) for a, b, c, d in other])
    for a, b, lines in both:
        out += old[done:a]
        out += lines
        done = b
    return b"".join(out + old[done:])
