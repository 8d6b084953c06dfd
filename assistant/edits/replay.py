"""Steps applied or undone in memory, on the files as they are now: the result, and what is in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from assistant.edits.merge import Clash, clashes, merge
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import OutsideRoot, PatchError, Unwritable

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.edits.patch import Hunk
    from assistant.edits.step import Full

    Found = tuple[bytes, int] | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file in which a step cannot be applied or undone, why, and the lines that are in the way."""

    path: str
    step: int
    why: str
    lines: tuple[Clash, ...] = ()


def between(whole: Patch, first: Patch, second: Patch) -> Patch:
    """Return the patch that leads from the part `first` of a patch being applied to the part `second` being applied."""
    one = {file.path: file for file in first.files}
    two = {file.path: file for file in second.files}
    files = []
    for file in whole.files:
        nothing = FilePatch(file.path, file.before, file.before, file.mode_before, file.mode_before)
        a, b = one.get(file.path, nothing), two.get(file.path, nothing)
        here = a.target if a.after is not None else file.path
        there = b.target if b.after is not None else here
        step = FilePatch(here, a.after, b.after, a.mode_after, b.mode_after, there if there != here else "")
        if step.changes:
            files.append(step)
    return Patch(tuple(files))


def choose(way: Literal["undo", "redo"], full: Full, hunks: tuple[Hunk, ...] | None) -> Patch:
    """Return the part of a step that is applied after some of its hunks, or all (None), are undone or redone.

    Raises PatchError for a hunk that is not applied (undo), or is not undone (redo).
    """
    patch, stands = full.step.patch, full.stands
    if hunks is None:
        return Patch() if way == "undo" else patch
    there = stands if way == "undo" else between(patch, stands, patch)
    unknown = [hunk for hunk in hunks if hunk not in there.hunks]
    if unknown:
        raise PatchError(f"{unknown[0].path}: step {full.step.id} has no such hunk.", "Look at the step again.")
    if way == "undo":
        return stands.keep([hunk for hunk in stands.hunks if hunk not in hunks])
    return _joined(patch, stands, there.keep(hunks))


def _joined(patch: Patch, stands: Patch, more: Patch) -> Patch:
    """Add a part that was undone to the part that stands: one patch from the state before."""
    now = {file.path: file for file in stands.files}
    extra = {file.path: file for file in more.files}
    files = []
    for file in patch.files:
        held = now.get(file.path)
        added = extra.get(held.target if held and held.after is not None else file.path)
        if added is None:
            if held is not None:
                files.append(held)
            continue
        target = added.target if added.after is not None else file.path
        new_path = target if target != file.path else ""
        files.append(FilePatch(file.path, file.before, added.after, file.mode_before, added.mode_after, new_path))
    return Patch(tuple(file for file in files if file.changes))


@dataclass(slots=True)
class Tree:
    """The files being changed: read when first needed, then changed in memory."""

    read: Callable[[str], Found]
    conflicts: list[Conflict] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    _was: dict[str, Found] = field(default_factory=dict)
    _now: dict[str, Found] = field(default_factory=dict)
    _moved: dict[str, str] = field(default_factory=dict)

    def make(self, step: int, patch: Patch) -> None:
        """Apply a patch to the files as they are by now; where that fails, note a conflict and leave the file alone."""
        for file in patch.files:
            try:
                self._make(step, file)
            except (OutsideRoot, Unwritable) as error:
                self.conflicts.append(Conflict(file.path, step, error.message))

    def patch(self) -> Patch:
        """Return what has changed since the files were read."""
        changed = [path for path, now in self._now.items() if now != self._was[path]]
        files = []
        for path in changed:
            was, now = self._was[path], self._now[path]
            source = self._moved.get(path)
            if was is None and source in changed and self._now[source] is None and now is not None:
                old = self._was[source]
                if old is not None:
                    files.append(FilePatch(source, old[0], now[0], old[1], now[1], path))
                    continue
            if now is None and any(self._moved.get(each) == path and self._was[each] is None for each in changed):
                continue
            files.append(
                FilePatch(
                    path,
                    was[0] if was else None,
                    now[0] if now else None,
                    was[1] if was else None,
                    now[1] if now else None,
                )
            )
        return Patch(tuple(files))

    def _look(self, path: str) -> Found:
        if path not in self._now:
            self._was[path] = self._now[path] = self.read(path)
        return self._now[path]

    def _make(self, step: int, file: FilePatch) -> None:
        def no(why: str, lines: tuple[Clash, ...] = ()) -> None:
            self.conflicts.append(Conflict(file.path, step, why, lines))

        now = self._look(file.path)
        if file.before is None:
            if now is None and file.after is not None:
                self._now[file.path] = (file.after, file.mode_after or 0o644)
            elif now is not None and now[0] != file.after:
                no(f"{file.path} exists again and says something else.")
            return
        if now is None:
            if file.after is not None or file.target != file.path:
                no(f"{file.path} is gone.")
            return
        if file.after is None:
            if now[0] == file.before:
                self._now[file.path] = None
            else:
                no(f"{file.path} was changed since; deleting it would lose that.")
            return
        data: bytes | None = now[0]
        if now[0] == file.before:
            data = file.after
        elif now[0] != file.after:
            data = merge(file.before, file.after, now[0])
            if data is None:
                lines = clashes(file.before, file.after, now[0])
                where = ", ".join(
                    str(each.start) if each.start == each.end else f"{each.start}-{each.end}" for each in lines[:4]
                )
                no(f"{file.path} was changed since in the very lines ({where}).", lines)
                return
            self.merged.append(file.path)
        mode = file.mode_after if file.mode_after is not None and now[1] == file.mode_before else now[1]
        if file.target != file.path:
            if self._look(file.target) is not None:
                no(f"{file.target} exists already, so {file.path} cannot go back there.")
                return
            self._now[file.path] = None
            self._moved[file.target] = file.path
        self._now[file.target] = (data or b"", mode)
