"""Masked secrets in an edit: a model that was shown `[masked secret]` writes just that, and means what stands there.

Before an edit is looked for, its masks become what they stand for, where the place is plain: in the lines to find,
what the file has there; in the new lines, the same again. This happens on this machine only: what an edit says of
itself, to the user or to a model, stays as the model wrote it. A mask that stands for nothing in its file is never
written. An edit that takes the secret's line away elsewhere stays among the hunks beside that misfit; where nobody
looks at them nothing is written at all, so that no secret is lost unseen.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from assistant.edits.compare import changes
from assistant.edits.place import halves
from assistant.edits.refusal import Refusal
from assistant.edits.seek import Index, bare, lead
from assistant.edits.text import cut
from assistant.edits.variants import seek

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assistant.edits.draft import Draft
    from assistant.edits.edit import Edit

    Mask = Callable[[str, str], str]

MASK = re.compile(r"\[masked [^\[\]\n]{1,60}\]")
_NAME = re.compile(r"\w+")
_ADVICE = "Leave masked lines out of the edit: find the place by lines without a secret."


class Masks:
    """What was masked in the files of one reply; `mask` returns the text of a file as models are shown it.

    `masks` says whether some words are a mask that `mask` may write.
    """

    def __init__(self, mask: Mask, masks: Callable[[str], bool]) -> None:
        self._mask = mask
        self._masks = masks
        self._files: dict[str, Lines] = {}

    def put(self, edit: Edit, draft: Draft, put: Callable[[Edit, Draft], str]) -> str:
        """Make an edit by `put` with the secrets that its masks stand for; returns the rung that found its place.

        What is said of the edit, here and later, has the masks.
        """
        try:
            return put(self._meant(edit, draft) if MASK.search(edit.before + edit.after) else edit, draft)
        except Refusal as no:
            self._lines(draft).hide(no, edit)
            no.quote = self._mask(draft.path, no.quote)  # another line may hold a secret, too
            raise

    def _lines(self, draft: Draft) -> Lines:
        if draft.path not in self._files:
            self._files[draft.path] = Lines(draft.path, draft.lines, self._mask)
        return self._files[draft.path]

    def _meant(self, edit: Edit, draft: Draft) -> Edit:
        """Return an edit with the secrets for its masks; raises Refusal where it would write a mask as it is."""
        lines = self._lines(draft)
        meant = lines.meant(edit)
        there = MASK.findall(lines.text if edit.action == "whole" else meant.before)
        for mark in MASK.findall(meant.after):
            if mark not in there and self._masks(mark):
                raise _unclear(draft.path, edit, mark)
        return meant


class Lines:
    """The lines of one file as they are and as a model was shown them; `path` says how secrets are written in it."""

    def __init__(self, path: str, lines: Sequence[str], mask: Mask) -> None:
        self.path = path
        self._real = [bare(line) for line in lines]
        masked = mask(path, "\n".join(self._real)).split("\n")
        self._shown = masked if len(masked) == len(self._real) else self._real
        self._hidden = {
            at: _secrets(real, shown)
            for at, (real, shown) in enumerate(zip(self._real, self._shown, strict=True))
            if real != shown
        }
        for at in self._hidden:
            if at + 1 in self._hidden and not MASK.search(self._shown[at + 1]):
                self._hidden[at] = []  # a secret of several lines: the others are shown without a mask
        self._marks = {mark for at in self._hidden for mark in MASK.findall(self._shown[at])}
        self._index: Index | None = None

    @property
    def text(self) -> str:
        """The file as it is."""
        return "\n".join(self._real)

    def meant(self, edit: Edit) -> Edit:
        """Return an edit with the secrets for its masks; raises Refusal where it cannot be told which are meant."""
        said = {mark for text in (edit.before, edit.after) for mark in MASK.findall(text)} & self._marks
        if not said:
            return edit
        old = [bare(line) for line in cut(edit.before)]
        if edit.action in {"whole", "delete"}:
            there = range(len(self._shown))
            old = self._shown if edit.action == "whole" else old
        else:
            start = self._place(edit)
            there = range(start, start + len(old))
        if len(old) != len(there) or not all(self._is(at, line) for at, line in zip(there, old, strict=True)):
            raise self._refusal(edit)
        found = [self._as(at, line) for at, line in zip(there, old, strict=True)]
        before = edit.before if edit.action == "whole" else _with(edit.before, found)
        return replace(edit, before=before, after=_with(edit.after, self._new(edit, old, there)))

    def _is(self, at: int, line: str) -> bool:
        """Say whether a line of an edit may stand for one of the file: one with a secret as it was shown."""
        return at not in self._hidden or line.strip() == self._shown[at].strip()

    def _as(self, at: int, line: str) -> str:
        """Return a line of an edit with what it hides, indented as it is."""
        if at not in self._hidden:
            return line
        real = self._real[at]
        return lead(line) + real.strip() if line.strip() else real

    def hide(self, no: Refusal, edit: Edit) -> None:
        """Mask what a refusal quotes: the lines of the file as they were shown, in others the secrets of the file."""
        no.quote = self._masked(no.quote)
        no.candidates = tuple(
            replace(near, text=_with(near.text, [self._masked(bare(line)) for line in cut(near.text)]))
            for near in no.candidates
        )
        if no.reason == "not_found" and MASK.search(edit.before):
            no.advice = no.advice or _ADVICE

    def _masked(self, line: str) -> str:
        for at in self._hidden:
            if line.strip() == self._real[at].strip():
                return lead(line) + self._shown[at].strip()
        known = {secret: mark for some in self._hidden.values() for mark, secret in some}
        for secret in sorted(known, key=len, reverse=True):  # one may hold another
            line = line.replace(secret, known[secret])
        return line

    def _place(self, edit: Edit) -> int:
        """Return where the lines to find stand, as the file was shown."""
        if self._index is None:
            self._index = Index(self._shown)
        wanted = halves(edit)
        places = [each for each in seek(self._index, wanted) if len(each.old) == len(wanted.old)] if wanted.old else []
        named = [each for each in places if each.start + 1 == edit.at] if len(places) > 1 else places
        if len(named) != 1:
            raise self._refusal(edit)
        return named[0].start

    def _new(self, edit: Edit, old: Sequence[str], there: range) -> list[str]:
        """Return the new lines: those that stay as the file has them, in the others the secrets for their masks."""
        new = [bare(line) for line in cut(edit.after)]
        told = list(new)
        stays = shift = 0
        have, want = ([line.strip() for line in lines] for lines in (old, new))
        reals: dict[str, set[str]] = {}
        for at in there:
            if self._hidden.get(at):
                reals.setdefault(self._shown[at].strip(), set()).add(self._real[at])
        if any(len(some) > 1 and have.count(line) != want.count(line) for line, some in reals.items()):
            raise self._refusal(edit)  # one of several lines that look alike would go
        ranges = changes(have, want)
        for a, b, c, d in [*ranges, (len(old), len(old), len(new), len(new))]:
            for at in range(stays, a):
                told[at + shift] = self._as(there[at], new[at + shift])
            gone = [there[at] for at in range(a, b) if there[at] in self._hidden]
            if not all(self._hidden[at] for at in gone):
                raise self._refusal(edit)  # it would change lines of a secret of several lines
            for at in range(c, d):
                told[at] = MASK.sub(partial(self._secret, edit, new[at], new[c:d], gone, there), new[at])
            stays, shift = b, d - b
        return told

    def _secret(
        self, edit: Edit, line: str, beside: Sequence[str], gone: Sequence[int], there: range, match: re.Match[str]
    ) -> str:
        """Return what a mask in a changed line stands for: the only secret of its kind, or that of the line it changes.

        `beside` are the new lines of the same change, `gone` the lines that it takes away, `there` all that were found.
        """
        mark = match[0]
        if mark not in self._marks:
            return mark
        of = {at: [secret for each, secret in self._hidden.get(at, ()) if each == mark] for at in there}
        alike = [at for at in gone if _NAME.findall(self._shown[at])[:1] == _NAME.findall(line)[:1]]
        for places in (there, alike, gone if sum(each.count(mark) for each in beside) == 1 else ()):
            if len(some := {secret for at in places for secret in of[at]}) == 1:
                return some.pop()
        raise self._refusal(edit)

    def _refusal(self, edit: Edit) -> Refusal:
        mark = next(mark for mark in MASK.findall(edit.before + edit.after) if mark in self._marks)
        return _unclear(self.path, edit, mark)


def _unclear(path: str, edit: Edit, mark: str) -> Refusal:
    words = f"{path}: the edit at line {edit.reply_line} of the reply has {mark}; which secret it stands for, and where, cannot be told."
    return Refusal("not_found", words, advice=_ADVICE)


def _secrets(real: str, shown: str) -> list[tuple[str, str]]:
    """Return the masks of a line, each with what it stands for; none where that cannot be told."""
    marks = MASK.findall(shown)
    head, *parts = MASK.split(shown)
    if not marks or not real.startswith(head) or not all(parts[:-1]):
        return []
    found: list[tuple[str, str]] = []
    at = len(head)
    *inner, last = parts
    if not real.endswith(last):
        return []
    for mark, part in zip(marks, parts, strict=True):
        end = real.find(part, at + 1) if len(found) < len(inner) else len(real) - len(last)
        if end <= at:
            return []
        found.append((mark, real[at:end]))
        at = end + len(part)
    return found


def _with(text: str, lines: Sequence[str]) -> str:
    """Return a text with other lines, which end as its own do."""
    return "".join(new + line[len(bare(line)) :] for new, line in zip(lines, cut(text), strict=True))
