"""What a person decides about a patch, hunk by hunk, before any of it is written.

A review is immutable: every decision returns a new one, so a face draws what it is given and nothing can half happen.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from assistant.edits import text
from assistant.edits.compare import changes
from assistant.edits.hunk import CONTEXT
from assistant.edits.patch import Patch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assistant.edits.edit import Origin
    from assistant.edits.patch import FilePatch, Hunk

Mark = Literal["", "take", "skip"]
_WIDER = 10
"""Lines of context that are added on each side, each time more is asked for."""
_CUT = 400
"""Most lines of a hunk for which earlier cuts are searched."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment for the model on a line: the file, and the 1-based number of the line after the patch.

    For a removed line, `gone` is its text and `line` its number before the patch. For a line that stays, `old` is its
    number before, 0 for others: if a hunk was cut, an added line in one part may have the number of a line that stays
    in the other.
    """

    path: str
    line: int
    words: str
    gone: str = ""
    old: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """A hunk, the decision about it (empty: none yet), and whether the user has changed it."""

    hunk: Hunk
    mark: Mark = ""
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """A patch, the choices about its hunks top to bottom, and comments. Indices are places in `choices`."""

    patch: Patch
    choices: tuple[Decision, ...]
    comments: tuple[Comment, ...] = ()

    @classmethod
    def of(cls, patch: Patch, mark: Mark = "") -> Review:
        """Begin a review with the same mark on every hunk."""
        return cls(patch, tuple(Decision(hunk, mark) for hunk in patch.hunks))

    def _with(self, mark: Mark) -> tuple[Hunk, ...]:
        return tuple(each.hunk for each in self.choices if each.mark == mark)

    @property
    def taken(self) -> tuple[Hunk, ...]:
        """Hunks to write now."""
        return self._with("take")

    @property
    def skipped(self) -> tuple[Hunk, ...]:
        """Hunks that are not wanted."""
        return self._with("skip")

    @property
    def undecided(self) -> tuple[Hunk, ...]:
        """Hunks that stay proposed."""
        return self._with("")

    @property
    def edited(self) -> tuple[Hunk, ...]:
        """Taken hunks that the user has changed."""
        return tuple(each.hunk for each in self.choices if each.edited and each.mark == "take")

    def only(self, mark: Mark) -> Review:
        """Return the review with only the choices that have this mark, and no comments."""
        return replace(self, choices=tuple(each for each in self.choices if each.mark == mark), comments=())

    @property
    def decided(self) -> bool:
        """Whether there is anything to act on."""
        return bool(self.comments) or any(each.mark for each in self.choices)

    def part(self) -> tuple[Patch, Patch]:
        """Cut the patch in two: what is written now, and what is still proposed once that is on disk."""
        return self.patch.part(self.taken, self.undecided)

    def mark(self, index: int, mark: Mark) -> Review:
        """Decide about one hunk."""
        return self._put(index, (replace(self.choices[index], mark=mark),))

    def mark_file(self, index: int, mark: Mark) -> Review:
        """Decide about all hunks of a hunk's file."""
        path = self.choices[index].hunk.path
        choices = tuple(replace(each, mark=mark) if each.hunk.path == path else each for each in self.choices)
        return replace(self, choices=choices)

    def mark_all(self, mark: Mark) -> Review:
        """Decide about all hunks."""
        return replace(self, choices=tuple(replace(each, mark=mark) for each in self.choices))

    def next_undecided(self, index: int) -> int:
        """Return the next undecided hunk after this one, going on at the start; the same one if all are decided."""
        size = len(self.choices)
        following = ((index + step) % size for step in range(1, size + 1))
        return next((each for each in following if not self.choices[each].mark), index)

    def rest(self) -> Review:
        """Return the review with only the undecided choices and the comments on them."""
        open_ = tuple(each for each in self.choices if not each.mark)
        shown = (
            {_place(each.hunk, line) for each in open_ for line in range(len(each.hunk.lines))} if self.comments else ()
        )
        return replace(self, choices=open_, comments=tuple(each for each in self.comments if _at(each) in shown))

    def record(self) -> dict[str, Any]:
        """Return what is decided, and how hunks were cut, joined and edited, as a record to save; `recall` reads it.

        Positions of cut and edited hunks and of comments are today's: `places` has the hunks they belong to, so that
        they can be moved later.
        """
        uncut = set(self.patch.hunks)
        choices = [
            _record(each, whole=each.hunk in uncut and not each.edited)
            for each in self.choices
            if each.mark or each.edited or each.hunk not in uncut
        ]
        placed = {each["path"] for each in choices if "words" in each} | {each.path for each in self.comments}
        places = [
            {"path": each.path, "sum": sum_of(each), "at": each.at, "new": each.new_at, "lines": len(each.old)}
            for each in self.patch.hunks
            if each.path in placed
        ]
        return {"choices": choices, "comments": [asdict(each) for each in self.comments], "places": places}

    def recall(self, record: Mapping[str, Any]) -> Review:
        """Restore recorded decisions where the hunks are the same; skip what cannot be read or is about other lines.

        Cut and edited hunks and comments move with the hunks they belong to. If one of those is missing, all that was
        cut together with it is as it was proposed.
        """
        rows, places = rows_of(record.get("choices")), rows_of(record.get("places"))
        choices: list[Decision] = []
        moves: dict[str, _Moves] = {}
        for file in self.patch.files:
            mine = [row for row in rows if row.get("path") == file.path]
            marks: dict[object, deque[Mark]] = {}
            for row in mine:
                if "words" not in row and isinstance(row.get("sum"), int):
                    marks.setdefault(row["sum"], deque()).append(_mark(row))
            found = []
            for each in Review.of(Patch((file,))).choices:
                same = marks.get(sum_of(each.hunk))  # equal hunks are matched in order
                found.append(replace(each, mark=same.popleft()) if same else each)
            moves[file.path] = _Moves([row for row in places if row.get("path") == file.path], found)
            choices += _cut(file, found, [row for row in mine if "words" in row], moves[file.path])
        heard = [each for each in map(_comment, rows_of(record.get("comments"))) if each is not None]
        comments = tuple(moves[each.path].comment(each) if each.path in moves else each for each in heard)
        return replace(self, choices=tuple(choices), comments=comments)

    def split(self, index: int) -> Review:
        """Cut a hunk into one for each run of changes; each has to be decided again."""
        choice = self.choices[index]
        parts = choice.hunk.split()
        return self if len(parts) < 2 else self._put(index, tuple(Decision(part, "", choice.edited) for part in parts))

    def split_at(self, index: int, line: int) -> Review:
        """Cut a hunk in two before one of its shown lines (0-based); each has to be decided again."""
        choice = self.choices[index]
        parts = choice.hunk.split_at(line)
        return self if len(parts) < 2 else self._put(index, tuple(Decision(part, "", choice.edited) for part in parts))

    def join(self, index: int) -> Review:
        """Join this hunk and the next of the same file into one undecided hunk; without such a next one, do nothing."""
        pair = self.choices[index : index + 2]
        if len(pair) < 2 or pair[0].hunk.path != pair[1].hunk.path:
            return self
        try:
            joined = self.patch.join(each.hunk for each in pair)
        except ValueError:  # a rename, a new file: nothing to join
            return self
        choice = Decision(joined, "", any(each.edited for each in pair))
        return replace(self, choices=(*self.choices[:index], choice, *self.choices[index + 2 :]))

    def edit(self, index: int, new_text: str) -> Review:
        """Put other words on the new side of a hunk, and take it."""
        hunk = self.choices[index].hunk
        return self._put(index, (Decision(hunk.with_text(new_text), "take", edited=True),))

    def comment(self, index: int, line: int, words: str) -> Review:
        """Say something to the model about the line of a hunk (0-based in `Hunk.lines`); empty words take it back."""
        place = _place(self.choices[index].hunk, line)
        others = tuple(each for each in self.comments if _at(each) != place)
        path, number, gone, old = place
        return replace(self, comments=(*others, Comment(path, number, words, gone, old)) if words else others)

    def commented(self, index: int, line: int) -> str:
        """Return the comment on a line of a hunk; empty if there is none."""
        place = _place(self.choices[index].hunk, line)
        return next((each.words for each in self.comments if _at(each) == place), "")

    def widen(self, index: int) -> Review:
        """Show more of the file around a hunk."""
        choice = self.choices[index]
        hunk = choice.hunk
        file = next((each for each in self.patch.files if each.path == hunk.path), None)
        if file is None or file.before is None or hunk.kind != "change":
            return self
        lines = text.split_lines(file.before)
        # Not beyond the hunk above, whose lines are shown there and numbered otherwise; halves touch, and show the same.
        ends = [(each.hunk, each.hunk.at + len(each.hunk.old)) for each in self.choices if each.hunk.path == hunk.path]
        edge = max((end for each, end in ends if end < hunk.at and each is not hunk), default=0)
        start, end = max(edge, hunk.at - len(hunk.above) - _WIDER), hunk.at + len(hunk.old)
        before = sum(len(each.new) - len(each.old) for each, end in ends if end <= start and each is not hunk)
        wider = replace(
            hunk,
            above=tuple(lines[start : hunk.at]),
            lead=hunk.new_at - hunk.at - before,
            below=tuple(lines[end : end + len(hunk.below) + _WIDER]),
        )
        return self._put(index, (replace(choice, hunk=wider),))

    def over(self, patch: Patch) -> Review:
        """Continue with a patch that replaces this one; keep decisions and comments about hunks that still exist."""
        known: dict[tuple[str, tuple[bytes, ...], tuple[bytes, ...]], list[Decision]] = {}
        for each in self.choices:
            known.setdefault((each.hunk.path, each.hunk.old, each.hunk.new), []).append(each)
        choices: list[Decision] = []
        for hunk in patch.hunks:
            choices += _again(hunk, known)
        rest, whole = [each for some in known.values() for each in some], set(self.patch.hunks)
        _around(choices, [each for each in rest if each.hunk in whole or not _join(patch, choices, each)])
        return Review(patch, tuple(choices), _along(self, choices) if self.comments else ())

    def _put(self, index: int, choices: tuple[Decision, ...]) -> Review:
        return replace(self, choices=(*self.choices[:index], *choices, *self.choices[index + 1 :]))


def _record(choice: Decision, *, whole: bool) -> dict[str, Any]:
    """Record a choice; a hunk that was cut, joined or edited with its new lines: the rest is in the old file."""
    hunk = choice.hunk
    found: dict[str, Any] = {"path": hunk.path, "sum": sum_of(hunk), "mark": choice.mark}
    if not whole:
        words = [line.decode("utf-8", "surrogateescape") for line in hunk.new]
        found |= {"at": hunk.at, "new": hunk.new_at, "lines": len(hunk.old), "words": words, "edited": choice.edited}
    return found


def sum_of(hunk: Hunk) -> int:
    """Return a checksum of what a hunk does: other lines give another sum."""
    return zlib.crc32(repr((hunk.kind, hunk.note, hunk.old, hunk.new)).encode())


def _mark(row: Mapping[str, Any]) -> Mark:
    mark = row.get("mark")
    return "take" if mark == "take" else "skip" if mark == "skip" else ""


class _Moves:
    """Where the hunks of a file were when a review was recorded, and how far they have moved since."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], whole: Sequence[Decision]) -> None:
        self.gone: set[int] = set()
        """Indices of the recorded hunks that no longer exist."""
        self._spans: list[tuple[int, int]] = []
        self._moved: list[tuple[int, int, int, int]] = []
        same: dict[int, deque[Hunk]] = {}
        for each in whole:
            same.setdefault(sum_of(each.hunk), deque()).append(each.hunk)
        for row in rows:
            at, new, lines, name = map(row.get, ("at", "new", "lines", "sum"))
            if isinstance(at, int) and isinstance(new, int) and isinstance(lines, int) and isinstance(name, int):
                if hunks := same.get(name):
                    hunk = hunks.popleft()
                    self._moved.append((at, new, hunk.at - at, hunk.new_at - new))
                else:
                    self.gone.add(len(self._spans))
                self._spans.append((at, at + lines))

    def by(self, line: int, *, new: bool = False, above: int = 0) -> tuple[int, int]:
        """Return how far the hunk at or above a line has moved, in the old file and in the new one."""
        behind = bisect_right(self._moved, line + above, key=lambda each: each[1 if new else 0])
        return self._moved[max(0, behind - 1)][2:] if self._moved else (0, 0)

    def row(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the record of a cut hunk, moved to where it is now."""
        at, new = row.get("at"), row.get("new")
        if not (isinstance(at, int) and isinstance(new, int)):
            return row
        before, after = self.by(at)
        return {**row, "at": at + before, "new": new + after}

    def comment(self, said: Comment) -> Comment:
        """Return a comment, moved to where its line is now; it may be on a line shown above a hunk."""
        if said.gone:
            return replace(said, line=said.line + self.by(said.line - 1)[0])
        before, after = self.by(said.line - 1, new=True, above=CONTEXT)
        return replace(said, line=said.line + after, old=said.old + before if said.old else 0)

    def covered(self, row: Mapping[str, Any]) -> set[int]:
        """Return the indices of the recorded hunks that a part was made of."""
        at, lines = row.get("at"), row.get("lines")
        if not (isinstance(at, int) and isinstance(lines, int)):
            return set()
        return {place for place, (start, stop) in enumerate(self._spans) if start <= at + lines and at <= stop}


def _cut(file: FilePatch, whole: list[Decision], rows: Sequence[Mapping[str, Any]], moves: _Moves) -> list[Decision]:
    """Put hunks as they were cut, joined or edited in place of the hunks of the file that they were made of.

    The latter stay if one of them is missing, or if two of the former are about the same lines.
    """
    if not rows or file.before is None:
        return whole
    before = text.split_lines(file.before)
    parts = [(_part(before, whole, moves.row(row)), moves.covered(row)) for row in rows]
    lost = [covered for part, covered in parts if part is None]
    if not all(lost):
        return whole
    gone = moves.gone.union(*lost)
    while more := [covered for _, covered in parts if covered & gone and not covered <= gone]:
        gone = gone.union(*more)
    mine = sorted((part for part, covered in parts if part is not None and not covered & gone), key=_start)
    if any(_end(one.hunk) > two.hunk.at or _start(one) == _start(two) for one, two in pairwise(mine)):
        return whole
    stays = [each for each in whole if _touching(mine, each.hunk.at, _end(each.hunk)) is None]
    return sorted([*stays, *mine], key=_start)


def _start(choice: Decision) -> tuple[int, int]:
    return choice.hunk.at, choice.hunk.new_at


def _end(hunk: Hunk) -> int:
    return hunk.at + len(hunk.old)


def _touching(choices: Sequence[Decision], start: int, stop: int) -> Decision | None:
    """Return the first hunk, in order, that touches the lines; whole hunks of a file have other lines between them."""
    first = bisect_left(choices, start, key=lambda each: _end(each.hunk))
    return choices[first] if first < len(choices) and choices[first].hunk.at <= stop else None


def _part(before: Sequence[bytes], whole: Sequence[Decision], row: Mapping[str, Any]) -> Decision | None:
    """Rebuild a hunk as it was recorded; None if the file has other lines there."""
    at, new, lines, words = map(row.get, ("at", "new", "lines", "words"))
    if not (isinstance(at, int) and isinstance(new, int) and isinstance(lines, int)):
        return None
    if min(at, new, lines) < 0 or not (isinstance(words, list) and all(isinstance(each, str) for each in words)):
        return None
    try:
        came = tuple(each.encode("utf-8", "surrogateescape") for each in words)
    except UnicodeEncodeError:
        return None
    if not whole or whole[0].hunk.kind != "change":
        return None
    # It lends the path and the known origins of lines: a joined hunk may be cut between two whole ones.
    base = whole[max(0, bisect_right(whole, at, key=lambda each: each.hunk.at) - 1)]
    hunk = base.hunk.part(at, tuple(before[at : at + lines]), new, came, before)
    return Decision(hunk, _mark(row), bool(row.get("edited"))) if sum_of(hunk) == row.get("sum") else None


def rows_of(found: object) -> list[dict[str, Any]]:
    """Return the readable rows of a list in a record; a damaged file may hold anything in its place."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _comment(found: Mapping[str, Any]) -> Comment | None:
    """Read a comment; None if it is not one."""
    path, line, words, gone, old = map(found.get, ("path", "line", "words", "gone", "old"))
    if not (isinstance(path, str) and isinstance(words, str) and isinstance(gone, str) and isinstance(line, int)):
        return None
    return Comment(path, line, words, gone, old if isinstance(old, int) else 0)


Place = tuple[str, int, str, int]
"""What a comment is on, as its `path`, `line`, `gone` and `old` say it."""


def _at(said: Comment) -> Place:
    return said.path, said.line, said.gone, said.old


def _place(hunk: Hunk, line: int) -> Place:
    """Return what a comment on one of a hunk's lines (0-based) is on."""
    one = hunk.lines[min(line, len(hunk.lines) - 1)] if hunk.lines else None
    if one is None or one.kind != "-":
        stays = one is not None and one.kind == " "
        return hunk.path, (one and one.new) or hunk.new_start, "", (one.old or 0) if one is not None and stays else 0
    return hunk.path, one.old or hunk.old_start, one.text, 0


def _along(review: Review, choices: Iterable[Decision]) -> tuple[Comment, ...]:
    """Move comments along with the hunks that they are on; comments on hunks that no longer exist stay as they are."""
    now: dict[object, deque[Hunk]] = {}
    for each in choices:
        now.setdefault(_changed(each.hunk), deque()).append(each.hunk)
    moved: dict[Place, Place] = {}
    for each in review.choices:
        same = now.get(_changed(each.hunk))
        if same:
            there = same.popleft()
            by = len(there.above) - len(each.hunk.above)
            for line, words in enumerate(each.hunk.lines):
                if 0 <= line + by < len(there.lines) and there.lines[line + by].text == words.text:
                    moved.setdefault(_place(each.hunk, line), _place(there, line + by))
    found = []
    for said in review.comments:
        path, line, gone, old = moved.get(_at(said), _at(said))
        found.append(Comment(path, line, said.words, gone, old))
    return tuple(found)


def _again(hunk: Hunk, known: dict[tuple[str, tuple[bytes, ...], tuple[bytes, ...]], list[Decision]]) -> list[Decision]:
    """Return the earlier decision about a hunk, or those about the parts that it was cut into."""
    found: list[Decision] = []
    while True:
        same = known.get((hunk.path, hunk.old, hunk.new))
        if same:
            return [*found, replace(same.pop(0), hunk=hunk)]
        for line in range(1, len(hunk.lines)) if len(hunk.lines) <= _CUT and any(known.values()) else ():
            first, *rest = hunk.split_at(line)
            then = known.get((first.path, first.old, first.new)) if rest else None
            if then:
                found.append(replace(then.pop(0), hunk=first))
                hunk = rest[0]
                break
        else:
            return [*found, Decision(hunk)]


def _join(patch: Patch, choices: list[Decision], joined: Decision) -> bool:
    """Join hunks of a patch as they were joined before; return whether they were found."""
    path, old, new = joined.hunk.path, joined.hunk.old, joined.hunk.new
    for at, first in enumerate(choices):
        one = first.hunk
        if one.path != path or old[: len(one.old)] != one.old or new[: len(one.new)] != one.new:
            continue
        for end in range(at + 2, len(choices) + 1):
            if choices[end - 1].hunk.path != path:
                break
            try:
                hunk = patch.join(each.hunk for each in choices[at:end])
            except ValueError:  # a rename, a new file: nothing to join
                break
            if (hunk.old, hunk.new) == (old, new):
                choices[at:end] = [replace(joined, hunk=hunk)]
                return True
            if len(hunk.old) > len(old):
                break
    return False


def _around(choices: list[Decision], known: Sequence[Decision]) -> None:
    """Carry decisions over to hunks that make the same changes, though unchanged lines between these were edited."""
    rest: dict[object, list[Decision]] = {}
    for each in known:
        rest.setdefault(_changed(each.hunk), []).append(each)
    for place, choice in enumerate(choices):
        if not choice.mark and not choice.edited and (same := rest.get(_changed(choice.hunk))):
            choices[place] = replace(same.pop(0), hunk=choice.hunk)


def _changed(hunk: Hunk) -> object:
    """Return what a hunk changes, without the unchanged lines between."""
    runs = changes(hunk.old, hunk.new)
    return hunk.path, hunk.kind, hunk.note, tuple((hunk.old[a:b], hunk.new[c:d]) for a, b, c, d in runs)


def compose(first: Patch, second: Patch) -> Patch:
    """Combine two patches, the second of which was made for the files as the first leaves them."""
    following = {file.path: file for file in second.files}
    files: list[FilePatch] = []
    for file in first.files:
        then = following.pop(file.target, None)
        if then is None:
            files.append(file)
            continue
        target = then.target if then.target != file.path else ""
        came = _carried(file, then)
        files.append(replace(file, after=then.after, mode_after=then.mode_after, new_path=target, came=came))
    return Patch(tuple(file for file in (*files, *following.values()) if file.changes))


def _carried(first: FilePatch, then: FilePatch) -> tuple[Origin | None, ...]:
    """Return the origins of a file's lines after a second patch was applied to it."""
    if not (first.came or then.came) or first.after is None or then.after is None:
        return then.came
    old, new = text.split_lines(first.after), text.split_lines(then.after)
    before, after = (first.came or (None,) * len(old)), (then.came or (None,) * len(new))
    came: list[Origin | None] = []
    done = 0
    for a, b, c, d in changes(old, new):
        came += [*before[done:a], *after[c:d]]
        done = b
    return (*came, *before[done:])
