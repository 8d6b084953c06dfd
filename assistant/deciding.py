"""Carries out what the user decides: writes hunks, also onto changed files, and undoes and redoes steps."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from assistant import events
from assistant.errors import PatchError, Stale

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime
    from pathlib import Path

    from assistant.accounts import Accounts
    from assistant.changes import Changes, Proposal, Written
    from assistant.edits.journal import Journal, Preview, Way
    from assistant.edits.lost import Lost
    from assistant.edits.patch import Patch
    from assistant.edits.review import Review
    from assistant.pending import Pending

    Stream = AsyncGenerator[events.Event, None]


class Sitting(Protocol):
    """What Deciding needs of the session. `folder` is where the user stands."""

    id: str
    folder: Path

    @property
    def root(self) -> Path:
        """The folder that edits may write in."""

    @property
    def accounts(self) -> Accounts:
        """What was burnt and what is left."""

    @property
    def journal(self) -> Journal:
        """What was written in this root."""

    @property
    def changes(self) -> Changes:
        """What is proposed and written here."""

    @property
    def pending(self) -> Pending:
        """Keeps the hunks that wait."""

    def now(self) -> datetime:
        """Return the instant, aware UTC."""


class Deciding:
    """Carries out the decisions of one sitting."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting

    async def apply(self, review: Review, *, label: str = "", at_once: bool = False) -> Stream:
        """Write the hunks that were taken, all or none. Raises PatchError, and writes nothing, if a file has changed.

        If the hunks can be moved onto the changed files, they are shown again instead (PatchMoved). With `at_once` they
        are written straight away where none of the taken ones could stand anywhere else. The next question tells the
        model what was skipped, edited or commented on.
        """
        unfit = ""
        try:
            written = await asyncio.to_thread(self._sitting.changes.write, review, label=label, now=self._sitting.now())
        except Stale as stale:
            sure = at_once and await asyncio.to_thread(self._sitting.changes.is_sure, review)
            moved, gone = await self._move(review, stale)
            if gone:
                unfit = f"{_unfit(gone)}: r sends {_them(gone)} back to the model."
                yield events.Notice(unfit, "warning")
            same = sure and await asyncio.to_thread(self._sitting.changes.takes_the_same, review, moved)
            again = await self._write(moved, label) if same else None
            if again is None:
                yield events.PatchMoved(moved, stale.message)
                return
            review, written = moved, again
        await asyncio.to_thread(self._sitting.pending.keep)
        if written.origin is not None:
            await asyncio.to_thread(self._decided, written.origin, review, written.kept)
        yield events.PatchApplied(written.kept, "applied", self._left(), unfit)
        for words in self._sitting.changes.asides():
            yield events.Notice(words, "warning")

    def _left(self) -> Patch | None:
        """Return the hunks that still wait; None where none does."""
        one = self._sitting.changes.proposed
        return one.patch if one is not None and one.patch.files else None

    async def _write(self, moved: Review, label: str) -> Written | None:
        """Write hunks that were just moved; None where their files changed again."""
        try:
            return await asyncio.to_thread(self._sitting.changes.write, moved, label=label, now=self._sitting.now())
        except Stale:
            return None

    async def _move(self, review: Review, stale: Stale) -> tuple[Review, Sequence[Lost]]:
        """Move hunks onto the files as they are now. Raises Stale.

        Returns the review of the hunks that fit, and the hunks that do not fit and were not taken.
        """
        from assistant.edits.patch import Patch

        origin = self._sitting.changes.origin(review)
        moved = await asyncio.to_thread(self._sitting.changes.moved, review)
        if moved is None:
            gone = await asyncio.to_thread(self._sitting.changes.unfit, review)
            rest = await self._let_go(review, gone)
            if rest is None:
                left = tuple(each for each in gone if each.hunk not in review.skipped)
                raise Stale(stale.message, _way_out(review, left), path=stale.path, lost=left) from stale
            return rest, gone
        await asyncio.to_thread(self._sitting.pending.keep)
        # the skipped hunks are dropped and cannot be decided again, so they are counted now
        if review.skipped and origin is not None:
            await asyncio.to_thread(self._decided, origin, review.only("skip"), Patch())
        now = self._sitting.changes.proposed
        if moved.choices and (now is None or now.patch != moved.patch):
            turn = next((each.turn for each in self._sitting.changes.set_aside if each.patch == moved.patch), 0)
            hint = f"Other hunks came meanwhile: /diff{f' {turn}' if turn else ''} shows these again."
            raise Stale(stale.message, hint, path=stale.path) from stale
        return moved, ()

    async def _let_go(self, review: Review, gone: Sequence[Lost]) -> Review | None:
        """Drop untaken hunks that have no place, so that the taken ones can be written.

        None where a taken hunk has no place either, nothing was taken, or a file changed again.
        """
        if not gone or not review.taken or {each.hunk for each in gone}.intersection(review.taken):
            return None
        rest = await asyncio.to_thread(self._sitting.changes.let_go, review)
        await asyncio.to_thread(self._sitting.pending.keep)
        return None if rest is review else rest

    def _decided(self, origin: Proposal, review: Review, kept: Patch) -> None:
        self._sitting.accounts.outcomes.decided(origin.turn, origin.writer, str(self._sitting.root), review, kept)

    async def undo(self, *, way: Way = "undo") -> Stream:
        """Undo (or redo) the last step at once, but never over text that was typed since."""
        preview = await asyncio.to_thread(self._sitting.journal.preview, way)
        async with aclosing(self.carry_out(preview)) as stream:
            async for event in stream:
                yield event

    async def preview(
        self, way: Way, *, step: int | None = None, file: str = "", turn: int | None = None, session: bool = False
    ) -> Stream:
        """Show what undo or redo would do, without writing.

        It is about the last step, one `step`, the last change of a `file`, a `turn`, or this `session`.
        """
        from assistant.edits.patch import Patch

        mine = self._sitting.id if session or turn is not None else None
        hunks, left = None, ""
        if file:
            step, hunks = await asyncio.to_thread(self.about, way, file)
        part = hunks.hunks if hunks is not None else None
        preview = await asyncio.to_thread(
            self._sitting.journal.preview, way, step=step, turn=turn, session=mine, hunks=part
        )
        if len(preview.steps) == 1:
            if hunks is None:
                look = self._sitting.journal.standing if way == "undo" else self._sitting.journal.taken_back
                hunks = await asyncio.to_thread(look, preview.steps[0].id)
            changed = {each.path: each.why for each in preview.conflicts}
            rest = Patch(tuple(file for file in hunks.files if file.target not in changed and file.path not in changed))
            if changed and rest.files:  # a file that cannot be undone does not stop the others
                number = preview.steps[0].id
                preview = await asyncio.to_thread(self._sitting.journal.preview, way, step=number, hunks=rest.hunks)
                hunks = rest
                left = f"These stay as they are: {'; '.join(changed.values())} The rest can be chosen."
                yield events.Notice(left, "warning")
        yield events.UndoProposed(preview, hunks, left)

    def about(self, way: Way, file: str, step: int | None = None) -> tuple[int, Patch]:
        """Find the step and hunks that undo or redo of `file` concerns; it is named from the root or `folder`."""
        name = file.removeprefix("@").strip("\"'")
        here = os.path.relpath(self._sitting.folder / name, self._sitting.root)
        return self._sitting.journal.about(way, dict.fromkeys((os.path.normpath(name), here)), step)

    async def choose(self, preview: Preview, review: Review) -> Stream:
        """Undo or redo the chosen hunks of a step.

        If they must be merged with text typed since, the result is shown first (UndoProposed); also if a file changed
        after the preview was shown. Raises Stale where lines that they need changed meanwhile, and PatchError where
        only the whole preview can be written.
        """
        some = len(review.taken) < len(review.choices)
        as_shown = review.patch is preview.patch  # a preview of several steps, or merged with later changes
        if as_shown and some:
            words = (
                f"this is written as a whole, or not at all; /{preview.way} NUMBER shows one step, to choose hunks of"
            )
            raise PatchError(words, "A marks all of them again.")
        if some:
            number, journal = preview.steps[0].id, self._sitting.journal
            preview = await asyncio.to_thread(journal.preview, preview.way, step=number, hunks=review.taken)
        if not as_shown and preview.merged and not preview.conflicts:
            yield events.UndoProposed(preview, None)
            return
        try:
            async with aclosing(self.carry_out(preview)) as stream:
                async for event in stream:
                    yield event
        except Stale as stale:
            if preview.conflicts:
                raise
            now = await asyncio.to_thread(self._sitting.journal.anew, preview)
            if now.conflicts:
                why = " ".join(each.why for each in now.conflicts)
                raise Stale(why, "Nothing was written.", path=now.conflicts[0].path) from stale
            changed = f"{stale.path or 'A file'} has changed since this was shown, and nothing was written yet"
            yield events.UndoProposed(now, None, changed)

    async def carry_out(self, preview: Preview) -> Stream:
        """Write exactly what a preview showed."""
        patch = await asyncio.to_thread(self._sitting.changes.carry_out, preview, now=self._sitting.now())
        await asyncio.to_thread(self._sitting.pending.keep)
        yield events.PatchApplied(patch, "undone" if preview.way == "undo" else "redone", self._left())
        for words in self._sitting.changes.asides():
            yield events.Notice(words, "warning")


def _way_out(review: Review, gone: Sequence[Lost]) -> str:
    """Say which hunks no longer have a place, and what the user can do."""
    if not gone:
        return "Ask again, or undo that change."
    skip = f" With {_them(gone)} skipped the rest can be written." if len(gone) < len(review.choices) else ""
    return f"{_unfit(gone)}. Ask again, or undo that change.{skip}"


def _unfit(gone: Sequence[Lost]) -> str:
    places = ", ".join(f"{each.hunk.path}:{each.hunk.old_start}" for each in gone)
    return f"The hunks at {places} fit no more" if len(gone) > 1 else f"The hunk at {places} fits no more"


def _them(gone: Sequence[Lost]) -> str:
    return "them" if len(gone) > 1 else "it"
