"""The hunks that wait, kept with the conversation: who takes that up again can still decide them, and finds his marks."""

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
    from assistant.transcript import Sittings

_DIFF_KEPT = 4_000_000
"""Characters of a diff up to which it is kept with the conversation while it waits for decisions."""


class Pending:
    """Keeps what `changes` propose. `sittings` is where conversations are kept; it is opened when something is kept."""

    def __init__(self, changes: Changes, sittings: Callable[[], Sittings]) -> None:
        self._changes = changes
        self._sittings = sittings
        self._keeping = threading.Lock()
        self._last = record.proposed("", [])
        """The record of them that was kept last."""
        self._marks: dict[int, Record] = {}
        """By turn, the record of the user's marks that was kept last; of the hunks on offer under 0."""
        self._before: dict[int, Record] = {}
        """By turn, the record of marks that was found when the conversation was taken up: it may tell of hunks that are out of place now."""
        self._seen: dict[int, set[Name]] = {}
        """By turn, the hunks that were in sight since: what became of them is not to be found there any more."""
        self._patches: dict[int, Patch] = {}
        """By turn, the hunks of it as they were kept last."""
        self._news: Record = record.news(NOTHING)
        """The record of what the model is to be told that was kept last."""

    def keep(self) -> None:
        """Keep what waits for decisions as it is now, and what the model is to be told of decisions.

        What was set aside is kept anew where some of it was written since.
        Writes a file: call it in a thread. Two may come here at once.
        """
        with self._keeping:
            if self._sittings().begun and (news := record.news(self._changes.telling.state())) != self._news:
                self._news = news
                self._sittings().save(news)
            one, aside = self._changes.proposed, self._changes.set_aside
            now = self._record(one, aside)
            stale = [each for each in aside if self._patches.get(each.turn) != each.patch]
            if now == self._last and not stale:
                return
            self._marks.clear()  # marks are read from behind what they are about
            known = [(each.turn, each) for each in aside] + ([(0, one)] if one is not None else [])
            marks = [self._marked(each, turn) for turn, each in known if each.turn in self._before]
            # What waits is the last of them: all at once, so that nothing else is when this process ends in between.
            self._sittings().save(*(self._record(each, aside) for each in stale), now, *marks)
            self._last = now
            self._note_patches()

    def _note_patches(self) -> None:
        one = self._changes.proposed
        self._patches = {each.turn: each.patch for each in (*self._changes.set_aside, *([one] if one else ()))}

    def _record(self, one: Proposal | None, aside: Iterable[Proposal]) -> Record:
        """Make the record of hunks that wait."""
        diff = (one.diff or one.patch.diff()) if one is not None else ""
        if len(diff) > _DIFF_KEPT:
            words = (
                f"The hunks that wait are larger than the {_DIFF_KEPT:,} characters that are kept with a conversation"
            )
            self._sittings().warn(f"{words}: who takes it up again does not find them. Decide them before you end.")
            diff = ""
        about: Record = {}
        if one is not None and diff:
            about = {"turn": one.turn, "model": one.model, "writer": one.writer, "doubted": one.doubted()}
            about |= {"first": one.first} if one.first else {}
        return record.proposed(diff, [each.turn for each in aside], **about)

    def bring_back(self, turn: int) -> bool:
        """Let hunks wait again that were set aside when those of that turn had not been decided; says whether there were any."""
        found = self._changes.bring_back(turn) is not None
        self.keep()
        if found:
            self.mark(self._changes.marked)
        return found

    def mark(self, review: Review | None, turn: int = 0) -> None:
        """Hear how the user has marked the hunks that wait: what he says of them goes along with his next question.

        It is kept with the conversation, so that who takes that up finds his marks and words again.
        """
        if review is None:
            return
        aside = self._changes.mark(review, turn)
        if aside is not None and (marks := review.record()) != self._marks.get(aside):
            self._marks[aside] = marks
            one = self._changes.proposed
            of = aside or (one.turn if one is not None else 0)
            self._sittings().save(self._left(review, of, aside))

    def _left(self, review: Review, turn: int, aside: int) -> Record:
        """Make the record of the user's marks on hunks of a turn; `aside` is that turn where they are set aside."""
        from assistant.edits import branches

        seen = self._seen.setdefault(turn, set())
        seen |= branches.names(review.patch)
        kept = self._changes.without_secrets(review)
        return record.left(branches.record(kept, self._before.get(turn), seen), aside)

    def _marked(self, one: Proposal, aside: int) -> Record:
        """Make the record of the user's marks as they are now."""
        from assistant.edits.review import Review

        left = self._changes.marked_aside(one.turn) if aside else self._changes.marked
        if left is None or left.patch != one.patch:
            left = left.over(one.patch) if left is not None else Review.of(one.patch)
        return self._left(left, one.turn, aside)

    def undecided(self) -> str:
        """Say what of the conversation's hunks waits; empty where nothing does."""
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
        """Propose again what waited when a conversation ended, with the user's marks, and set aside what was set aside."""
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
                self._before[one.turn] = left[turn]  # on another branch some are out of place: what was kept stays
                self._seen[one.turn] = branches.names(one.patch)
                self._changes.mark(review, one.turn)
                self._marks[turn] = review.record()
                self._changes.miss(one, _unplaced(review, branches.rows(left[turn])))

    def forget(self) -> None:
        """Forget what was kept: another conversation begins."""
        self._last = record.proposed("", [])
        self._patches, self._marks, self._before, self._seen = {}, {}, {}, {}
        self._news = record.news(NOTHING)


def _count(one: Proposal) -> str:
    size = len(one.patch.hunks)
    return f"{size} hunk{'s' if size > 1 else ''}"


def _unplaced(review: Review, rows: Iterable[Record]) -> list[Misfit]:
    """Return what the user had made of hunks whose lines are others now: no review has it, and it is not to be lost."""
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
