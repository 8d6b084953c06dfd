"""Masked secrets in an edit: a model that was shown `[masked secret]` writes just that, and means what stands there.

Before an edit is looked for, its masks become what they stand for, where the place is plain: in the lines to find,
what the file has there; in the new lines, the same again. This happens on this machine only: what an edit says of
itself, to the user or to a model, stays as the model wrote it.
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
_SAID = 60
"""Letters of a line that a refusal quotes."""
_SHORT = 3
_ADVICE = "Leave masked lines out of the edit: find the place by lines without a secret."


class Masks:
    """What was masked in the files of one reply; `mask` returns the text of a file as models are shown it."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._files: dict[str, Lines] = {}

    def put(self, edit: Edit, draft: Draft, put: Callable[[Edit, Draft], str]) -> str:
        """Make an edit by `put` with the secrets that its masks stand for; returns the rung that found its place.

        What is said of the edit, here and later, has the masks.
        """
        if draft.before is None or not (MASK.search(edit.before) or MASK.search(edit.after)):
            return put(edit, draft)
        if draft.path not in self._files:
            self._files[draft.path] = Lines(draft.path, draft.lines, self._mask)
        lines = self._files[draft.path]
        try:
            return put(lines.meant(edit), draft)
        except Refusal as no:
            raise lines.reworded(no, edit) from None


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

    def reworded(self, no: Refusal, edit: Edit) -> Refusal:
        """Return a refusal without what is masked: a message may quote a line, or the beginning of one."""
        words = no.message
        lost = no.reason == "not_found" and MASK.search(edit.before) is not None
        for at in self._hidden:
            real, shown = self._real[at].strip(), self._shown[at].strip()
            for piece in (real, real[:_SAID]):
                for quoted in (piece, repr(piece)[1:-1]) if len(piece) > _SHORT else ():
                    words = words.replace(quoted, shown)
        return Refusal(no.reason, words, no.candidates, about=no.about, advice=no.advice or (_ADVICE if lost else ""))

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
        words = f"{self.path}: the edit at line {edit.reply_line} of the reply has {mark}, which hides a secret of the file, and which one it stands for, and where, cannot be told."
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
