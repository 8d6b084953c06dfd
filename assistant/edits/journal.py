"""What was written, step by step, so that it can be undone and redone: after a restart too, with git or without.

A deed (one write of a patch) is recorded and synced before the first file is touched, marked when the tree has it, and
closed when its steps are recorded. After a crash, an unmarked deed is reverted and a marked one completed, so the tree
is in one state or the other. Undo and redo, of a step, some hunks, a turn or a session, first return a preview: a patch
for the files as they are now that keeps whatever was typed since. Where that is impossible, they name the lines and
write nothing.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from assistant.edits import disk
from assistant.edits.archive import Archive, Damaged
from assistant.edits.mend import finish
from assistant.edits.patch import Patch
from assistant.edits.replay import Conflict, Tree, between, choose
from assistant.edits.step import (
    Full,
    State,
    Step,
    read_full,
    read_step,
    touched,
    write_patch,
    write_step,
)
from assistant.errors import PatchError, Stale, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from assistant.edits.patch import Hunk

Way = Literal["undo", "redo"]
_CAP_BYTES = 256 * 1024 * 1024
_CAP_STEPS = 500
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What undo or redo would write now; nothing has been written.

    `patch` is for the files as they are. `merged` names the files in which it goes around something typed since: show
    these before they are written. With `conflicts`, the preview cannot be carried out.
    """

    way: Way
    steps: tuple[Step, ...]
    patch: Patch
    conflicts: tuple[Conflict, ...] = ()
    merged: tuple[str, ...] = ()
    after: tuple[Full, ...] = ()


class Journal:
    """The steps of one root. One writer at a time, across processes."""

    def __init__(
        self,
        folder: Path,
        root: Path,
        *,
        most_steps: int = _CAP_STEPS,
        most_bytes: int = _CAP_BYTES,
        patience: float = _PATIENCE,
        probe: Callable[[str], object] | None = None,
    ) -> None:
        """`patience` is how long to wait for another process, in seconds; `probe` as in `disk.write`."""
        self.folder = folder
        self.root = root
        self._most_steps = most_steps
        self._most_bytes = most_bytes
        self._probe = probe
        self._archive = Archive(folder, patience=patience, probe=probe)

    # Writing.

    def apply(
        self,
        patch: Patch,
        *,
        label: str,
        now: datetime,
        turn: int = 0,
        model: str = "",
        session: str = "",
        cost: str = "",
    ) -> Step:
        """Write a patch, all or nothing. From now on, redo skips what was undone before.

        Raises PatchError or StateError; then nothing was written.
        """
        with self._archive.alone():
            self._recover()
            disk.check(self.root, patch)
            others = self._listed()
            number, clock = self._archive.next_number(), _clock(others)
            step = Step(
                number, now, label, turn, model, patch, "done", session, cost,
                touched(patch), clock,
            )  # fmt: skip
            dropped = [
                {"id": each.id, "state": "dropped" if each.state == "undone" else each.state, "took": 0}
                for each in others
                if each.took
            ]
            self._carry(patch, [write_step(Full(step, patch), self._archive.keep), *dropped])
            return step

    def carry_out(self, preview: Preview, *, now: datetime) -> Patch:
        """Write exactly what a preview showed, and return that patch; raises Stale if files or steps have changed."""
        with self._archive.alone():
            self._recover()
            for step in preview.steps:
                self._must_be(step, self._full(step.id))
            if preview.conflicts:
                first = preview.conflicts[0]
                more = f" ({len(preview.conflicts) - 1} more)" if len(preview.conflicts) > 1 else ""
                raise Stale(
                    f"{first.why}{more}", f"{preview.way.capitalize()} by hand; nothing was written.", path=first.path
                )
            disk.check(self.root, preview.patch)
            self._carry(preview.patch, self._records(preview, now))
            return preview.patch

    @staticmethod
    def _must_be(step: Step, full: Full) -> None:
        """Raise Stale if a step was undone or redone since it was shown."""
        now = full.step
        if (now.did, now.took, now.state) != (step.did, step.took, step.state):
            raise Stale(f"Step {step.id} has changed since it was shown.", "Look again.")

    def recover(self) -> list[str]:
        """Revert or complete what a crash left; return the files that were restored. `notes` has the rest."""
        if not self.folder.is_dir():
            return []
        with self._archive.alone():
            return self._recover()

    # Looking.

    def preview(
        self,
        way: Way,
        *,
        step: int | None = None,
        session: str | None = None,
        turn: int | None = None,
        hunks: Iterable[Hunk] | None = None,
    ) -> Preview:
        """Return what undo or redo would write now: for the next step, a given step, a session, or one of its turns.

        Raises PatchError if there is nothing.
        """
        chosen = self._chosen(way, step, session, turn)
        wanted = None if hunks is None else tuple(hunks)
        tree = Tree(lambda path: disk.read(self.root, path))
        after = []
        for full in chosen:
            target = choose(way, full, wanted)
            tree.make(full.step.id, between(full.step.patch, full.stands, target))
            after.append(_turned(full, target))
        steps = tuple(full.step for full in chosen)
        return Preview(way, steps, tree.patch(), tuple(tree.conflicts), tuple(tree.merged), tuple(after))

    def anew(self, preview: Preview) -> Preview:
        """Return the same preview for the files as they are now; raises Stale if its steps have changed since."""
        tree = Tree(lambda path: disk.read(self.root, path))
        for step, then in zip(preview.steps, preview.after, strict=True):
            full = self._full(step.id)
            self._must_be(step, full)
            tree.make(step.id, between(step.patch, full.stands, then.stands))
        return replace(preview, patch=tree.patch(), conflicts=tuple(tree.conflicts), merged=tuple(tree.merged))

    def history(self) -> list[Step]:
        """List all steps, oldest first, without their patches; `files`, `added` and `removed` are for display."""
        return self._listed()

    def standing(self, step: int) -> Patch:
        """Return the part of a step that is not undone; an undo takes hunks of it."""
        return self._full(step).stands

    def taken_back(self, step: int) -> Patch:
        """Return the part of a step that is undone; a redo takes hunks of it."""
        full = self._full(step)
        return between(full.step.patch, full.stands, full.step.patch)

    def about(self, way: Way, names: Collection[str], step: int | None = None) -> tuple[int, Patch]:
        """Return the newest step (or step number `step`) that can undo or redo something in a file, and that part.

        `names` are all the names of the file. Raises PatchError if there is no such step.
        """
        for each in self.in_line(way):
            if step not in {None, each.id} or not any({file.path, file.new_path} & {*names} for file in each.files):
                continue
            with contextlib.suppress(PatchError):  # skip a step that cannot be read
                there = self.standing(each.id) if way == "undo" else self.taken_back(each.id)
                part = Patch(tuple(file for file in there.files if {file.path, file.target} & {*names}))
                if part.files:
                    return each.id, part
        words = "undone" if way == "undo" else "redone"
        raise PatchError(f"Nothing in {next(iter(names))} can be {words}.", "The steps are listed with their files.")

    def notes(self) -> tuple[str, ...]:
        """Return, once, what else happened: damaged steps set aside, old steps deleted, files left alone."""
        told, self._archive.notes = tuple(self._archive.notes), []
        return told

    # Choosing.

    def _listed(self) -> list[Step]:
        found = []
        for number in self._archive.numbers():
            with contextlib.suppress(Damaged, FileNotFoundError):
                record = self._archive.record(number)
                if record is not None:
                    found.append(read_step(record))
        return found

    def _full(self, number: int) -> Full:
        try:
            record = self._archive.record(number)
            if record is None:
                raise PatchError(f"Step {number} was made by a newer Wattson.", "Use that version to undo it.")
            return read_full(record, self._archive.fetch)
        except FileNotFoundError as error:
            raise PatchError(
                f"There is no step {number}.", "Steps that can be undone are listed with their number."
            ) from error
        except Damaged as error:
            raise PatchError(f"Step {number} cannot be read: {error}.", "The other steps can be undone.") from error

    def in_line(self, way: Way) -> list[Step]:
        """List the steps that can be undone (or redone), at least in part; the last done (or undone) comes first."""
        found = [each for each in self._listed() if (each.state in {"done", "partly"} if way == "undo" else each.took)]
        return sorted(found, key=lambda each: (each.did if way == "undo" else each.took, each.id), reverse=True)

    def _chosen(self, way: Way, step: int | None, session: str | None, turn: int | None) -> list[Full]:
        """Find the requested steps, in the order in which to apply them."""
        if step is not None:
            full = self._full(step)
            if full.step.state == ("done" if way == "redo" else "undone") or (
                way == "undo" and full.step.state == "dropped"
            ):
                words = "has been undone already" if way == "undo" else "stands as it was made"
                raise PatchError(
                    f"Step {step} {words}.", "Steps that can be undone or redone are listed with their state."
                )
            return [full]
        found = [
            each
            for each in self.in_line(way)
            if (session is None or each.session == session) and (turn is None or each.turn == turn)
        ]
        if session is not None and found:
            return [self._full(each.id) for each in found]
        for each in found:
            try:
                return [self._full(each.id)]
            except PatchError as error:
                if error.message not in self._archive.notes:
                    self._archive.notes.append(error.message)
        if turn is not None and self.in_line(way):
            raise PatchError(f"There is nothing of turn {turn} to {way}.", "/history lists the steps.")
        if way == "undo":
            raise PatchError("There is nothing to undo.", "Only what Wattson wrote here can be undone.")
        raise PatchError("There is nothing to redo.", "Redo makes again what undo took back.")

    # Carrying out.

    def _records(self, preview: Preview, now: datetime) -> list[dict[str, Any]]:
        """Return the records of a preview's steps as they are once it is carried out."""
        clock = _clock(self._listed())
        records = []
        for index, full in enumerate(reversed(preview.after)):
            # Undo goes newest first, so the step undone last, the oldest, is the first to be redone.
            order = clock + len(preview.after) - 1 - index
            whole = full.step.state == "done"
            step = (
                replace(full.step, took=order)
                if preview.way == "undo"
                else replace(full.step, did=order, took=0 if whole else full.step.took)
            )
            records.append({**write_step(Full(step, full.stands), self._archive.keep), "turned_at": now.isoformat()})
        return records

    def _carry(self, patch: Patch, records: Sequence[dict[str, Any]]) -> None:
        """Write a patch as one deed: its record, the tree, the mark, then the steps. Call only with the lock held."""
        archive = self._archive
        archive.begin(
            {
                "patch": write_patch(patch, archive.keep),
                "folders": list(disk.missing_folders(self.root, patch)),
                "steps": list(records),
            }
        )
        try:
            disk.write(self.root, patch, probe=self._probe)
        except PatchError as error:
            if not isinstance(error, disk.HalfDone):  # a half-done deed stays open, and the next start tries again
                archive.end()
            raise
        try:
            archive.wrote()
        except StateError:
            self._recover()
            raise
        try:
            self._complete(records)
        except StateError as error:
            archive.notes.append(f"{error.message} The step is completed at the next start.")

    def _complete(self, records: Sequence[dict[str, Any]]) -> None:
        for record in records:
            self._archive.put(record["id"], record)
        self._archive.end()
        self._archive.shrink(self._most_steps, self._most_bytes)

    # Mending.

    def _recover(self) -> list[str]:
        """Finish what another process left, and set aside what cannot be read. Call only while holding the lock."""
        archive = self._archive
        archive.tidy()
        mended = finish(archive, self.root, probe=self._probe)
        if mended.steps:
            self._complete(mended.steps)
        for number in archive.numbers():
            try:
                record = archive.record(number)
                if record is not None:
                    read_step(record)
            except FileNotFoundError:
                continue
            except Damaged as error:
                archive.set_aside(f"{number:06d}.json", str(error))
        return list(mended.restored)


def _clock(steps: Iterable[Step]) -> int:
    """Return the next moment, counted in deeds, because a wall clock may go back."""
    return max((max(step.did, step.took) for step in steps), default=0) + 1


def _turned(full: Full, stands: Patch) -> Full:
    """Return a step of which the part `stands` is not undone."""
    state: State = "undone" if not stands.files else "done" if stands == full.step.patch else "partly"
    return Full(replace(full.step, state=state), stands)


__all__ = ["Conflict", "Journal", "Preview", "Step"]
