"""Keeps waiting hunks with their conversation: whoever takes it up again finds the hunks and the marks on them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from assistant import record
from assistant.changes import MINE
from assistant.edits.edit import Edit, Misfit
from assistant.telling import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assistant.changes import Changes, Proposal
    from assistant.edits.branches import Name
    from assistant.edits.patch import Patch
    from assistant.edits.review import Review
    from assistant.record import Kept, Record
    from assistant.transcript import Conversations

_DIFF_KEPT = 4_000_000
"""The most characters of a diff that is kept with the conversation while it waits for decisions."""


class Pending:
    """Keeps the proposals of `changes`. `conversations` opens the conversations on disk, once something is to be kept."""

    def __init__(self, changes: Changes, conversations: Callable[[], Conversations]) -> None:
        self._changes = changes
        self._conversations = conversations
        self._keeping = threading.Lock()
        self._last = record.proposed("", [])
        """The record of the proposed hunks that was saved last."""
        self._marks: dict[int, Record] = {}
        """By turn, the record of the user's marks that was saved last; 0 stands for the hunks on offer."""
        self._before: dict[int, Record] = {}
        """By turn, the record of marks found when the conversation was taken up: it may name hunks that do not fit
        now."""
        self._seen: dict[int, set[Name]] = {}
        """By turn, the hunks that were on show since then: the old record no longer decides about them."""
        self._patches: dict[int, Patch] = {}
        """By turn, its hunks as they were saved last."""
        self._news: Record = record.news(NOTHING)
        """The record, saved last, of what the model is still to be told."""

    def keep(self) -> None:
        """Save the hunks that wait as they are now, and what the model is still to be told about decisions.

        Proposals that were set aside are saved again if some of their hunks were written since. Writes a file: call it
        in a thread; two threads may call it at once.
        """
        with self._keeping:
            if self._conversations().begun and (news := record.news(self._changes.telling.state())) != self._news:
                self._news = news
                self._conversations().save(news)
            one, aside = self._changes.proposed, self._changes.set_aside
            now = self._record(one, aside)
            stale = [each for each in aside if self._patches.get(each.turn) != each.patch]
            if now == self._last and not stale:
                return
            self._marks.clear()  # reading looks for marks only after the hunks that they are about
            known = [(each.turn, each) for each in aside] + ([(0, one)] if one is not None else [])
            marks = [self._marked(each, turn) for turn, each in known if each.turn in self._before]
            # The waiting hunks come last, and all records are saved at once: if this process ended in between, others
            # would seem to wait.
            self._conversations().save(*(self._record(each, aside) for each in stale), now, *marks)
            self._last = now
            self._note_patches()

    def _note_patches(self) -> None:
        one = self._changes.proposed
        self._patches = {each.turn: each.patch for each in (*self._changes.set_aside, *([one] if one else ()))}

    def _record(self, one: Proposal | None, aside: Iterable[Proposal]) -> Record:
        """Make the record of one proposal and of the turns that are set aside."""
        diff = (one.diff or one.patch.diff()) if one is not None else ""
        if len(diff) > _DIFF_KEPT:
            words = (
                f"The hunks that wait are larger than the {_DIFF_KEPT:,} characters that are kept with a conversation"
            )
            self._conversations().warn(
                f"{words}: who takes it up again does not find them. Decide them before you end."
            )
            diff = ""
        about: Record = {}
        if one is not None and diff:
            about = {"turn": one.turn, "model": one.model, "writer": one.writer, "doubted": one.doubted()}
            about |= {"first": one.first} if one.first else {}
        return record.proposed(diff, [each.turn for each in aside], **about)

    def bring_back(self, turn: int) -> bool:
        """Propose again the hunks of `turn` that were set aside undecided; say whether there were any."""
        found = self._changes.bring_back(turn) is not None
        self.keep()
        if found:
            self.mark(self._changes.marked)
        return found

    def mark(self, review: Review | None, turn: int = 0) -> None:
        """Note and save the user's marks on waiting hunks; the next question tells the model about them.

        They are saved with the conversation, so that whoever takes it up again finds them.
        """
        if review is None:
            return
        aside = self._changes.mark(review, turn)
        if aside is not None and (marks := review.record()) != self._marks.get(aside):
            self._marks[aside] = marks
            one = self._changes.proposed
            of = aside or (one.turn if one is not None else 0)
            self._conversations().save(self._left(review, of, aside))

    def _left(self, review: Review, turn: int, aside: int) -> Record:
        """Make the record of the user's marks on hunks of `turn`; `aside` is that turn if set aside, 0 otherwise."""
        from assistant.edits import branches

        seen = self._seen.setdefault(turn, set())
        seen |= branches.names(review.patch)
        kept = self._changes.without_secrets(review)
        return record.left(branches.record(kept, self._before.get(turn), seen), aside)

    def _marked(self, one: Proposal, aside: int) -> Record:
        """Make the record of the user's marks on a proposal as they are now."""
        from assistant.edits.review import Review

        left = self._changes.marked_aside(one.turn) if aside else self._changes.marked
        if left is None or left.patch != one.patch:
            left = left.over(one.patch) if left is not None else Review.of(one.patch)
        return self._left(left, one.turn, aside)

    def undecided(self) -> str:
        """Say which hunks of the conversation wait; empty where none do."""
        proposed, marked = self._changes.proposed, self._changes.marked
        waiting = [each for each in self._changes.set_aside if each.patch.files]
        told = [f"{_count(each)} of turn {each.turn}, set aside" for each in waiting]
        if proposed is not None and proposed.patch.files:
            taken = len(marked.taken) if marked is not None and marked.patch == proposed.patch else 0
            words = f", {taken} of them taken but not written" if taken else ""
            told.append(f"{_count(proposed)} of turn {proposed.turn}{words}")
            waiting.append(proposed)
        one = sum(len(each.patch.hunks) for each in waiting) == 1
        comma = "," if told and told[-1].endswith(("written", "aside")) else ""
        return f"{'; '.join(told)}{comma} wait{'s' if one else ''}" if told else ""

    def take_up(self, kept: Kept) -> None:
        """Propose again the hunks that waited at the end of a conversation, with the user's marks.

        Hunks that were set aside are set aside again.
        """
        for each in (*kept.aside, *([kept.proposed] if kept.proposed else [])):
            turn, model, writer = record.turn_of(each), *map(each.get, ("model", "writer"))
            about = str(model or ""), each.get("doubted"), str(writer or ""), record.number_of(each, "first")
            self._changes.take_up(str(each["diff"]), turn, *about, aside=each is not kept.proposed)
        self._last = kept.proposed or record.proposed("", [each.turn for each in self._changes.set_aside])
        self._note_patches()
        self._changes.telling.take_up(kept.telling)
        self._news = record.news(kept.telling)
        left = {0: kept.left, **kept.left_aside}
        proposals = [(0, self._changes.proposed), *((each.turn, each) for each in self._changes.set_aside)]
        for turn, one in proposals:
            if one is not None and left.get(turn):
                from assistant.edits import branches
                from assistant.edits.review import Review

                review = branches.recall(Review.of(one.patch), left[turn])
                # on another branch some hunks do not fit: their marks stay in the record
                self._before[one.turn] = left[turn]
                self._seen[one.turn] = branches.names(one.patch)
                self._changes.mark(review, one.turn)
                self._marks[turn] = review.record()
                self._changes.miss(one, _unplaced(review, branches.rows(left[turn])))

    def forget(self) -> None:
        """Forget what was saved: another conversation begins."""
        self._last = record.proposed("", [])
        self._patches, self._marks, self._before, self._seen = {}, {}, {}, {}
        self._news = record.news(NOTHING)


def _count(one: Proposal) -> str:
    size = len(one.patch.hunks)
    return f"{size} hunk{'s' if size > 1 else ''}"


def _unplaced(review: Review, rows: Iterable[Record]) -> list[Misfit]:
    """Return, as misfits, the user's edits of hunks whose lines have changed: no review holds them any more."""
    there = {(each.hunk.path, each.hunk.new) for each in review.choices if each.edited}
    misfits = []
    for row in rows:
        words, at, path = map(row.get, ("words", "at", "path"))
        if not (isinstance(words, list) and isinstance(at, int) and isinstance(path, str) and row.get("edited")):
            continue
        lines = [each for each in words if isinstance(each, str)]
        if (path, tuple(each.encode("utf-8", "surrogateescape") for each in lines)) not in there:
            text = "".join(lines).encode("utf-8", "replace").decode()
            told = f"{path}: what the user made of the hunk at line {at + 1} has no place any more; it reads:\n{text}"
            edit = Edit("replace", path, after=text, reply_line=at + 1, format=MINE)
            misfits.append(Misfit(edit, "not_found", told.rstrip("\n")))
    return list({each.edit.after: each for each in misfits}.values())
