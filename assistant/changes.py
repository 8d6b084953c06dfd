"""The hunks of one root that are proposed, written and undone, and what the model is told about them.

Plain functions of the journal and the disk: a session calls them in a thread.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assistant.context import gate
from assistant.edits import certainty, disk, git_diff, lost, match
from assistant.edits import format as edit_format
from assistant.edits.edit import Edit, Misfit
from assistant.edits.merge import merge
from assistant.edits.patch import Patch
from assistant.edits.review import compose, sum_of
from assistant.errors import PatchError, StateError
from assistant.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from assistant.context.repo import Repo
    from assistant.context.section import Masked
    from assistant.edits.file_patch import FilePatch
    from assistant.edits.hunk import Hunk
    from assistant.edits.journal import Journal, Preview
    from assistant.edits.review import Comment, Review
    from assistant.telling import News, Said
    from assistant.tokens import Cost

_EDITED_SHOWN, _EDITED_IN_ALL, _LONGEST = 20, 60, 200
"""The most lines of a hunk edited by the user that the model is told, the most lines for all such hunks of one
write, and the most characters of a line."""
MINE = "the user's"
"""The format of an edit that the user made of a hunk."""
_SET_ASIDE = 20
"""The most proposals that are kept after another one took their place."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A patch that waits for decisions, the misfits and doubtful edits of its reply, and where it came from.

    `model` is the model that answered, `writer` the one that was asked for the edits, both as `provider/model`. `kept`
    says that the proposal comes from an earlier sitting: its line numbers are then those of the kept diff, not of the
    reply. `skipped` counts the hunks that were skipped and dropped when the others were moved onto changed files.
    `apart` is the part of a kept diff that does not fit the files as they are now; it may fit on another branch. `diff`
    is then the whole diff to keep, including the hunks that fit. `first` is the turn of the proposal that this repair
    was added to.
    """

    patch: Patch
    misfits: tuple[Misfit, ...]
    turn: int
    model: str
    cost: Cost | None = None
    earlier: Proposal | None = None
    doubts: tuple[Misfit, ...] = ()
    kept: bool = False
    writer: str = ""
    skipped: int = 0
    diff: str = ""
    apart: str = ""
    first: int = 0

    @property
    def root(self) -> int:
        """The turn whose answer this proposal began with."""
        return self.first or self.turn

    def only(self, patch: Patch, skipped: int = 0) -> Proposal:
        """Return this proposal with only `patch` still waiting, after `skipped` more hunks were skipped and dropped."""
        diff = git_diff.join(patch.diff(), self.apart) if self.apart else ""
        return replace(self, patch=patch, diff=diff, skipped=self.skipped + skipped)

    def mended(self) -> list[Proposal]:
        """Return the proposals that this repair was added to, the latest first; empty if it is no repair."""
        return [] if self.earlier is None else [self.earlier, *self.earlier.mended()]

    def doubted(self) -> list[tuple[str, int, int, str]]:
        """Return the doubtful hunks as (path, 0-based line before, 0-based line after, why), to keep them on disk."""
        why = {each.edit.reply_line: each.edit.doubt for each in self.doubts}
        lines = [(hunk, each.edit) for hunk in self.patch.hunks for each in hunk.origins]
        return list(dict.fromkeys((hunk.path, hunk.at, hunk.new_at, why[line]) for hunk, line in lines if line in why))

    def origin(self, hunk: Hunk) -> Proposal:
        """Return the proposal in which a hunk first appeared: a repair contains the hunks that were there before it."""
        if self.earlier is not None and any(_same(hunk, each) for each in self.earlier.patch.hunks):
            return self.earlier.origin(hunk)
        return self


class Written(NamedTuple):
    """What became of a review: `kept` was written, `left` is still proposed, `origin` is the proposal it was about."""

    kept: Patch
    left: Patch
    origin: Proposal | None


def recover(journal: Journal) -> tuple[str, ...]:
    """Undo or complete a write that a crash interrupted; return the messages for the user.

    A fault here never stops the user from asking a model: it is reported, and writing is refused until it is repaired.
    """
    words = []
    try:
        restored = journal.recover()
        if restored:
            words.append(f"Put back after an interrupted write: {', '.join(restored)}.")
    except (PatchError, StateError) as error:
        words.append(str(error))
    return (*words, *journal.notes())


class Sees(Protocol):
    """What Changes needs of the session's sight."""

    def private(self) -> Callable[[str], str]:
        """Return a function that says why no line of a path may be sent, empty where they may. Call it in a thread."""

    def let_through(self) -> frozenset[tuple[str, str, str]]:
        """Return the secrets that the user allowed to be sent, in the form that the gate takes."""

    def spoken(self, words: str) -> tuple[str, tuple[Masked, ...]]:
        """Return the user's words with secrets masked, and the secrets that were masked."""


class Changes:
    """The changes of one session in one root."""

    def __init__(self, repo: Repo, journal: Journal, session: str, sight: Sees) -> None:
        self.repo = repo
        self._sight = sight
        self.journal = journal
        self.session = session
        self.proposed: Proposal | None = None
        self.marked: Review | None = None
        """The user's marks on the waiting hunks: the model is told a comment even before anything is written."""
        self.set_aside: list[Proposal] = []
        self._left: dict[int, Review] = {}
        """By turn, the user's marks on hunks that were set aside."""
        self.telling = Telling()
        self._asides: list[str] = []
        self.written: set[int] = set()
        """Ids of the journal steps that this process wrote."""
        self._placing = threading.Lock()
        """Held while proposals change places: hunks are written in a thread, and a turn may end meanwhile."""

    def read_reply(self, reply: str) -> tuple[Patch, tuple[Misfit, ...]]:
        """Read the edits of a whole reply and find their places; nothing is written.

        Doubtful edits are returned among the misfits, because nobody reviews them here.
        """
        found = edit_format.read(reply)
        edits = [each for each in found if isinstance(each, Edit)]
        unread = tuple(each for each in found if isinstance(each, Misfit))
        root = self.repo.root
        allowed = self._sight.let_through()

        def mask(path: str, text: str) -> str:
            return gate.mask(text, path, allowed)[0]

        fitted = match.fit(
            edits,
            partial(disk.read, root),
            namesakes=partial(disk.namesakes, root),
            mask=mask,
            masks=gate.is_mask,
        )
        return fitted.patch, (*unread, *fitted.misfits, *fitted.doubts)

    def propose(self, proposal: Proposal, *, upon: Patch | None) -> Proposal | None:
        """Propose the patch of a reply. Hunks that still wait are set aside and returned.

        They are set aside because the new hunks were made for the files without them. A repair is added on top of the
        waiting hunks (`upon`) instead, and None is returned.
        """
        with self._placing:
            if upon:
                patch = compose(upon, proposal.patch)
                first = self.proposed.root if self.proposed is not None else 0
                self.proposed = replace(proposal, patch=patch, earlier=self.proposed, first=first)
                return None
            aside = self.proposed
            if aside is not None and not (aside.patch.files or aside.diff):
                aside = None
            if aside is not None:
                self.set_aside = [*self.set_aside[1 - _SET_ASIDE :], aside]
                if self.marked is not None and self.marked.patch == aside.patch:
                    self._left[aside.turn] = self.marked
            self.proposed, self.marked = proposal, None  # what was said is about the hunks that were replaced
            return aside

    def mark(self, review: Review, turn: int = 0) -> int | None:
        """Note the user's marks on waiting hunks; `turn` decides between two proposals with the same patch.

        Returns 0 for the hunks on offer, their turn for hunks that were set aside, None for unknown hunks.
        """
        with self._placing:
            one = self.proposed
            if one is not None and one.patch == review.patch and turn in {0, one.turn}:
                self.marked = review
                return 0
            for each in self.set_aside:
                if each.patch == review.patch and turn in {0, each.turn}:
                    self._left[each.turn] = review
                    return each.turn
            return None

    def marked_aside(self, turn: int) -> Review | None:
        """Return the user's marks on the hunks of `turn` that were set aside; None where there are none."""
        left = self._left.get(turn)
        one = next((each for each in self.set_aside if each.turn == turn), None)
        if left is None or one is None or left.patch == one.patch:
            return left if one is not None else None
        return left.rest().over(one.patch)  # some of the hunks were written meanwhile

    def take_up(
        self,
        diff: str,
        turn: int,
        model: str,
        doubted: object = None,
        writer: str = "",
        first: int = 0,
        *,
        aside: bool = False,
    ) -> None:
        """Propose again the hunks that waited when an earlier sitting ended, as far as they fit the present files.

        With `aside` they are set aside instead. `doubted` is the kept result of `Proposal.doubted`; a damaged file may
        hold anything in its place.
        """
        patch, misfits = self.read_reply(diff)
        rows = [row for row in doubted if isinstance(row, list) and len(row) == 4] if isinstance(doubted, list) else []
        why = {(str(path), str(at), str(new)): str(words) for path, at, new, words in rows}
        doubts = []
        for hunk in patch.hunks:
            if words := why.get((hunk.path, str(hunk.at), str(hunk.new_at))):
                edit = Edit("replace", hunk.path, reply_line=hunk.origins[0].edit if hunk.origins else 0, doubt=words)
                told = f"{hunk.path}: the edit at line {hunk.old_start} of the file may not be meant: {words}."
                doubts.append(Misfit(edit, "doubtful", told))
        proposal = Proposal(patch, misfits, turn, model, doubts=tuple(doubts), kept=True, writer=writer, first=first)
        if misfits:  # perhaps made on another branch: all of it fits again once the files are as they were
            apart = git_diff.only(diff, {each.edit.reply_line for each in misfits if each.reason != "doubtful"})
            proposal = replace(proposal, diff=diff, apart=apart)
        if aside:
            self.set_aside.append(proposal)
        else:
            self.propose(proposal, upon=None)

    def miss(self, proposal: Proposal, misfits: Sequence[Misfit]) -> None:
        """Add edits without a place to a waiting proposal, so that the user is told of them."""
        if misfits:
            more = replace(proposal, misfits=(*proposal.misfits, *misfits))
            self.set_aside = [more if each is proposal else each for each in self.set_aside]
            self.proposed = more if self.proposed is proposal else self.proposed

    def bring_back(self, turn: int) -> Proposal | None:
        """Propose again the hunks of `turn` that were set aside; return their proposal, None if there is none."""
        back = next((each for each in reversed(self.set_aside) if each.turn == turn), None)
        if back is not None:
            left = self.marked_aside(turn)
            self._left.pop(turn, None)
            self.set_aside.remove(back)
            if back.diff:
                doubted = [list(each) for each in back.doubted()]
                self.take_up(back.diff, turn, back.model, doubted, back.writer, back.first)
                mine = [each for each in back.misfits if each.edit.format == MINE]
                if self.proposed is not None:
                    self.miss(self.proposed, mine)
            else:
                self.propose(back, upon=None)
            if left is not None and self.proposed is not None:
                self.marked = left if left.patch == self.proposed.patch else left.over(self.proposed.patch)
        return back

    def origin(self, review: Review) -> Proposal | None:
        """Return the proposal that a review belongs to: another one may have come since the review was shown."""
        with self._placing:
            now = (self.proposed, *self.proposed.mended()) if self.proposed is not None else ()
            known = (*now, *reversed(self.set_aside))
            return next((each for each in known if each.patch == review.patch), self.proposed)

    def _replace(self, origin: Proposal | None, rest: Proposal | None, written: Review | None = None) -> None:
        """Put `rest` in the place of `origin`, wherever that is by now; proposals that came meanwhile stay.

        A repair on top of `origin` contains its hunks as well: those that were `written` are removed from it.
        """
        with self._placing:
            now = self.proposed
            if now is origin:
                self.proposed = rest
            elif now is not None and origin is not None and any(each is origin for each in now.mended()):
                left = written.over(now.patch).part()[1] if written is not None else now.patch
                stays = left.files or any(each.mendable for each in now.misfits)
                self.proposed = replace(now, patch=left) if stays else None
            else:
                rest = rest if rest is not None and (rest.patch.files or rest.apart) else None
                aside = [rest if each is origin else each for each in self.set_aside]
                self.set_aside = [each for each in aside if each is not None]

    def write(self, review: Review, *, label: str, now: datetime) -> Written:
        """Write the hunks that were taken, all or none; the rest stays proposed, or set aside if others came meanwhile.

        Raises Stale when a file has changed since the patch was made; `moved` may then find a way. `asides` returns
        what else the user should be told about the write.
        """
        kept, left = review.part()
        origin = self.origin(review)
        if kept.files:
            links = disk.notes(self.repo.root, kept)
            step = self.journal.apply(
                kept,
                label=label or (f"turn {origin.turn}" if origin else "apply"),
                now=now,
                turn=origin.turn if origin else 0,
                model=origin.model if origin else "",
                session=self.session,
                cost=str(origin.cost) if origin and origin.cost else "",
            )
            self.written.add(step.id)
            self._asides += links
        stays = origin is not None and (left.files or origin.apart or any(each.mendable for each in origin.misfits))
        self._replace(origin, origin.only(left) if origin and stays else None, review)
        gone = origin.skipped if origin else 0
        root = origin.root if origin else 0
        waits = self._said_of(review.rest(), root)
        over = [each for each in self._said_of(review, root) if each not in waits]
        skips = {f"{_name(hunk)} skip" for hunk in review.skipped}
        comments = [each for each in over if each[1] not in skips]
        self.telling.decide(self._decisions(review, kept, gone), comments, over)
        return Written(kept, left, origin)

    def moved(self, review: Review) -> Review | None:
        """Move all hunks that were not skipped onto the present files; None where lines that they need have changed.

        Decisions about unchanged hunks stay. The skipped hunks are dropped, and the model is told so.
        """
        patch = self._onto(review.patch.keep((*review.taken, *review.undecided)))
        if patch is None:
            return None
        origin = self.origin(review)
        if origin is not None:
            rest = origin.only(patch, len(review.skipped))
            self._replace(origin, rest if patch.files or rest.apart else None)
        root, stays = origin.root if origin else 0, review.over(patch)
        there = {each[1] for each in self._said_of(stays, root)}
        over = [each for each in self._said_of(review, root) if each[1] not in there]
        self.telling.decide(_skips(review), over=over)
        return stays

    def _onto(self, patch: Patch) -> Patch | None:
        """Move a patch onto the files as they are now; None where lines that it needs were changed."""
        moved: dict[str, FilePatch] = {}
        for file, data in self._changed(patch):
            if data is None or file.before is None or file.after is None:
                return None
            merged = merge(file.before, file.after, data)
            if merged is None:
                return None
            moved[file.path] = replace(file, before=data, after=merged)
        files = (moved.get(file.path, file) for file in patch.files)
        return Patch(tuple(file for file in files if file.changes))

    def _changed(self, patch: Patch) -> Iterator[tuple[FilePatch, bytes | None]]:
        """Yield the files of a patch that are not what it was made for any more, with what is there now."""
        for file in patch.files:
            data = disk.data(self.repo.root, file.path)
            if data != file.before:
                yield file, data

    def is_sure(self, review: Review) -> bool:
        """Say whether the hunks that were taken have one unmistakable place in the files as they are now."""
        for file, data in self._changed(review.part()[0]):
            if data is None or file.before is None or file.after is None:
                return False
            if not certainty.is_sure(file.before, file.after, data):
                return False
        return True

    def takes_the_same(self, review: Review, moved: Review) -> bool:
        """Say whether a review that was `moved` onto the present files takes exactly what `review` took."""
        kept = self._onto(review.part()[0])
        return bool(moved.taken) and kept is not None and kept == moved.part()[0]

    def unfit(self, review: Review) -> tuple[lost.Lost, ...]:
        """Return the hunks of a review that no longer have a place in the files as they are now, and why."""
        found = []
        private = self._sight.private()
        for file, data in self._changed(review.patch):
            mine = [each.hunk for each in review.choices if each.hunk.path == file.path]
            for each in lost.find(file, mine, data):
                why = private(file.path) or private(file.target)
                near = () if why else each.misfit.candidates
                found.append(each._replace(misfit=replace(each.misfit, candidates=near, private=why)))
        return tuple(found)

    def let_go(self, review: Review) -> Review | None:
        """Turn hunks that no longer have a place into misfits, which can go back to the model; move the others.

        Returns the review of the others, or None where the whole proposal is gone; `review` itself if a file changed
        again meanwhile. Skipped hunks without a place are dropped, and the model is told so.
        """
        origin = self.origin(review)
        if origin is None:
            return None
        gone = {each.hunk: each.misfit for each in self.unfit(review)}
        skipped = replace(review, choices=tuple(each for each in review.only("skip").choices if each.hunk in gone))
        stays = replace(review, choices=tuple(each for each in review.choices if each.hunk not in gone))
        patch = self._onto(review.patch.keep(each.hunk for each in stays.choices))
        if patch is None:  # a file changed again just now
            return review
        misfits = tuple(misfit for hunk, misfit in gone.items() if hunk not in review.skipped)
        rest = replace(origin.only(patch, len(skipped.choices)), misfits=(*origin.misfits, *misfits))
        self._replace(origin, rest if patch.files or misfits or rest.apart else None)
        there = {each[1] for each in self._said_of(stays, origin.root)}
        over = [each for each in self._said_of(review, origin.root) if each[1] not in there]
        self.telling.decide(_skips(skipped), over=over)
        return stays.over(patch)

    def carry_out(self, preview: Preview, *, now: datetime) -> Patch:
        """Write exactly what a preview of undo or redo showed."""
        patch = self.journal.carry_out(preview, now=now)
        words = "undid" if preview.way == "undo" else "redid"
        self.telling.decide([f"{words} changes in {', '.join(patch.paths)}"])
        return patch

    def asides(self) -> tuple[str, ...]:
        """Return, once, side effects of writing: other names of a file that keep its old text, journal notes."""
        told, self._asides = (*self._asides, *self.journal.notes()), []
        return told

    def news(self) -> News:
        """Return what the next question tells the model about its last edits. Reads files: call it in a thread."""
        news = self.telling.next(self._said())
        if not news.taken_back:
            return news
        # Marks on hunks that are out of place, on another branch, still hold: only those in sight are taken back.
        waiting = [*self.set_aside, *([self.proposed] if self.proposed is not None else [])]
        names = tuple(f"{_name(hunk)} " for one in waiting for hunk in one.patch.hunks)
        gone = (each for each in news.taken_back if each[1].startswith(names))
        return news._replace(taken_back=tuple((*each[:2], self._sight.spoken(each[2])[0]) for each in gone))

    def open_ends(self) -> str:
        """Say which hunks on offer are undecided. This stands above a question, but is not kept in the conversation."""
        paths = self.proposed.patch.paths if self.proposed is not None else ()
        return f"not decided, so not in the files: hunks in {', '.join(paths)}" if paths else ""

    def _said(self) -> dict[int, list[Said]]:
        """Return by turn what the user says about waiting hunks; nothing for a turn whose marks are not known just now."""
        left = [(each, self.marked_aside(each.turn)) for each in self.set_aside]
        if self.proposed is not None and self.marked is not None and self.marked.patch == self.proposed.patch:
            left.append((self.proposed, self.marked))
        said: dict[int, list[Said]] = {}
        for one, review in left:
            if review is not None:
                said.setdefault(one.root, []).extend(self._said_of(review, one.root))
        return said

    def _said_of(self, review: Review, turn: int) -> list[Said]:
        """Return what the user says about the hunks of a review while they wait; `turn` is the one they came with."""
        skips = [
            (turn, f"{_name(hunk)} skip", f"will skip the hunk at {hunk.path}:{hunk.line}") for hunk in review.skipped
        ]
        comments = []
        for each, told in zip(review.comments, self._comments(review), strict=True):
            # The key is kept on disk, as the words are: without secrets.
            comments.append((turn, f"{_place(review, each)} {self._sight.spoken(each.words)[0]}", told))
        return [*skips, *comments]

    def _decisions(self, review: Review, kept: Patch, gone: int) -> list[str]:
        """Say in few words what a review decided; `gone` of its hunks were skipped before.

        Of an edited hunk it says what the hunk reads now, where that may be sent.
        """
        words = []
        if review.taken:
            words.append(f"took {len(review.taken)} of {len(review.choices) + gone} hunks ({', '.join(kept.paths)})")
        words += _skips(review)
        private, room = self._sight.private(), _EDITED_IN_ALL
        for hunk in review.edited:
            edited = f"edited the hunk at {hunk.path}:{hunk.line} before taking it"
            lines = self._may_leave(review, hunk.path, hunk.new_text, private).split("\n")
            shown = [
                f"{each[:_LONGEST]}..." if len(each) > _LONGEST else each for each in lines[: min(_EDITED_SHOWN, room)]
            ]
            room -= len(shown)
            now = "\n".join([*shown, *(["..."] if len(lines) > len(shown) else [])])
            words.append(f"{edited}; it reads now:\n{now}" if any(shown) else edited)
        return words

    def _comments(self, review: Review) -> list[str]:
        if not review.comments:  # a price while typing asks this of every proposal that waits
            return []
        words, private = [], self._sight.private()
        for each in review.comments:
            was = self._may_leave(review, each.path, each.gone, private).strip()
            said = self._sight.spoken(each.words)[0]
            words.append(f"comment on {each.path}:{each.line}{f' (as it was: {was!r})' if was else ''}: {said}")
        return words

    def without_secrets(self, review: Review) -> Review:
        """Return a review with secrets masked in its comments, so that it can be kept on disk."""
        said = (replace(each, words=self._sight.spoken(each.words)[0]) for each in review.comments)
        return replace(review, comments=tuple(said))

    def quoted(self, hunk: Hunk) -> str:
        """Return a proposed hunk as lines of a diff, secrets masked.

        Raises PatchError where no line of its file may be sent.
        """
        private = self._sight.private()
        names = dict.fromkeys((hunk.path, *self._names(self.proposed.patch if self.proposed else Patch(), hunk.path)))
        if why := next(filter(None, map(private, names)), ""):
            raise PatchError(f"The hunk was not sent: {why}.", "/context lets a file leave, or takes it back in.")
        diff = "\n".join(line.kind + line.text for line in hunk.lines)
        return gate.mask(diff, hunk.path, self._sight.let_through())[0]

    @staticmethod
    def _names(patch: Patch, path: str) -> list[str]:
        """Return the old and the new name of the file that a patch changes at `path`."""
        return [name for file in patch.files if path in {file.path, file.target} for name in (file.path, file.target)]

    def _may_leave(self, review: Review, path: str, text: str, private: Callable[[str], str]) -> str:
        """Return a text of a patched file with secrets masked; empty where no line of the file may be sent."""
        if not text or any(map(private, (path, *self._names(review.patch, path)))):
            return ""
        return gate.mask(text, path, self._sight.let_through())[0]

    def clear(self) -> None:
        """Begin anew; what is on disk and in the journal stays."""
        self.proposed = self.marked = None
        self.set_aside.clear()
        self._left.clear()
        self.telling.clear()


def _name(hunk: Hunk) -> str:
    return f"{sum_of(hunk)} {hunk.path}"


def _place(review: Review, said: Comment) -> str:
    """Name the line that a comment is about by its hunk, so that the name stays when the hunk moves in its file."""
    mine = [hunk for hunk in review.patch.hunks if hunk.path == said.path]
    starts = {hunk: hunk.old_start if said.gone else hunk.new_start for hunk in mine}
    near = min(mine, key=lambda hunk: abs(starts[hunk] - said.line), default=None)
    if near is None:
        return said.path
    side = "before" if said.gone else "after"
    return f"{_name(near)} {side} {said.line - starts[near]}"


def _same(hunk: Hunk, other: Hunk) -> bool:
    return (hunk.path, hunk.old, hunk.new) == (other.path, other.old, other.new)


def _skips(review: Review) -> list[str]:
    return [f"skipped the hunk at {hunk.path}:{hunk.line}" for hunk in review.skipped]
