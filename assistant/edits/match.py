"""The one matcher: it turns edits of any format, and the files as they are, into a patch and misfits.

Every edit is first looked for in the file as it was before the reply, and only if it is not there in the file as the
reply has left it so far. So the order of edits matters only where it must, and two edits of the same lines are a
conflict instead of a surprise.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from assistant.edits import filename, naming, passage, place, suspect
from assistant.edits.draft import Draft, Overlap, load
from assistant.edits.edit import Candidate, Edit, Misfit
from assistant.edits.masks import Masks
from assistant.edits.patch import Patch
from assistant.edits.path import unportable
from assistant.edits.refusal import Refusal
from assistant.edits.text import cut
from assistant.errors import OutsideRoot, PatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from assistant.edits.masks import Mask
    from assistant.edits.patch import FilePatch

    Read = Callable[[str], tuple[bytes, int] | None]
    Namesakes = Callable[[str], Sequence[str]]
    Private = Callable[[str], str]

_WARNED = {"near", "elision", "HTML escapes", "line numbers", "typography", "tabs and blanks"}


@dataclass(frozen=True, slots=True)
class Note:
    """How an edit found its place; `warns` when the user should look twice."""

    path: str
    line: int
    rung: str
    text: str
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """The patch, the misfits, and how edits were placed. `doubts` are edits of the patch that may not be meant."""

    patch: Patch
    misfits: tuple[Misfit, ...]
    notes: tuple[Note, ...]
    doubts: tuple[Misfit, ...] = ()


def fit(
    edits: Sequence[Edit],
    read: Read,
    *,
    seen: Mapping[str, str] | None = None,
    shown: Collection[str] | None = None,
    namesakes: Namesakes = lambda _: (),
    private: Private = lambda _: "",
    mask: Mask = lambda _, text: text,
    masks: Callable[[str], bool] = lambda _: False,
) -> Fitted:
    """Find the place of every edit.

    `read` returns the bytes and permission bits of a file below the root, None if there is none, and raises PatchError
    for a file that may not be read. `seen` maps paths to the SHA-256 of the bytes that the model was shown. `shown` are
    all lines that the model was sent (stripped): the text of a whole file may not remove any other line. `namesakes`
    returns files in deeper folders whose path ends in a given one. `private` says why no line of a file may leave this
    machine, empty if they may; misfits that would have to quote such a file carry the reason. `mask` returns the text
    of a file as models are shown it, line for line: an edit may have its masks, which `masks` knows from other words.
    """
    fitting = _Fitting(edits, read, shown, namesakes, private, Masks(mask, masks))
    for edit in edits:
        fitting.take(edit)
    # If everything is only shown, nothing is missing; beside edits that are written, it would be half of what is meant.
    if fitting.placed or not all(each.part or each.maybe for each in edits):
        fitting.misfits += fitting.passed
    tainted = suspect.tainted(fitting.placed)
    if tainted:
        return _without(
            tainted,
            edits,
            partial(
                fit, read=read, seen=seen, shown=shown, namesakes=namesakes, private=private, mask=mask, masks=masks
            ),
        )
    patches = fitting.patches(seen or {})
    doubts = tuple(_doubtful(edit) for edit, _ in fitting.placed if edit.doubt)
    misfits = [replace(each, reason="doubtful") if each.edit.doubt else each for each in fitting.misfits]
    return Fitted(Patch(tuple(patches)), tuple(misfits), tuple(fitting.notes), doubts)


class _Fitting:
    """Puts the edits of one reply, one after the other, into the files as they are; lists say what became of each.

    `placed` has the edits that are in, with the rung that placed them; `passed` has those that only show part of a
    file. The arguments are those of `fit`.
    """

    def __init__(
        self,
        edits: Sequence[Edit],
        read: Read,
        shown: Collection[str] | None,
        namesakes: Namesakes,
        private: Private,
        masks: Masks,
    ) -> None:
        self.misfits: list[Misfit] = []
        self.notes: list[Note] = []
        self.placed: list[tuple[Edit, str]] = []
        self.passed: list[Misfit] = []
        self._edits = edits
        self._read = read
        self._shown = shown
        self._namesakes = namesakes
        self._private = private
        self._masks = masks
        self._drafts: dict[str, Draft] = {}
        self._targets: dict[str, Draft] = {}  # by the new names of moved files
        self._edited = {
            name for edit in edits if edit.action in {"replace", "insert"} for name in map(_plain, edit.names[:1])
        }
        self._said = Counter(_quoted(edit) for edit in edits if edit.action == "replace")

    def take(self, edit: Edit) -> None:
        """Make one edit, or note why it is not made."""
        try:
            edit = self._meant(edit)
            draft = self._draft(edit)
            if draft is None:
                return
            rung = self._masks.put(edit, draft, self._put)
        except Refusal as no:
            why = self._why_private(edit, no)
            near = () if why else no.candidates
            self.misfits.append(Misfit(edit, no.reason, no.message, near, advice=no.advice, private=why))
        except OutsideRoot as error:
            self.misfits.append(Misfit(edit, "outside", error.message, advice=error.hint))
        except PatchError as error:
            self.misfits.append(Misfit(edit, "unreadable", error.message, advice=error.hint))
        else:
            self.placed.append((edit, rung))
            if rung not in {"exact", ""}:
                words = f"{draft.path}: the edit at line {edit.reply_line} of the reply was matched after {place.AFTER[rung]}."
                self.notes.append(Note(draft.path, edit.reply_line, rung, words, rung in _WARNED))

    def _why_private(self, edit: Edit, no: Refusal) -> str:
        """Return why a file that a refusal mentions (own, rival, candidate) may not be sent; empty if all may."""
        names = (*edit.names, *edit.rivals, *(each.path for each in no.candidates), no.about)
        return next(filter(None, map(self._private, dict.fromkeys(_plain(name) for name in names if name))), "")

    def patches(self, seen: Mapping[str, str]) -> list[FilePatch]:
        """Return the files that change, a patch each; `seen` as in `fit`."""
        found = []
        for draft in self._drafts.values():
            try:
                patch = draft.patch()
            except UnicodeEncodeError:
                edit = next(edit for edit in self._edits if draft.path in map(_plain, edit.names))
                words = f"{draft.path} is not UTF-8, and the new text cannot be written in its encoding."
                self.misfits.append(Misfit(edit, "unreadable", words))
                continue
            if patch.changes:
                found.append(patch)
                read_as = seen.get(draft.path)
                if read_as and draft.before is not None and hashlib.sha256(draft.before).hexdigest() != read_as:
                    words = (
                        f"{draft.path} changed since the model saw it; the edits were placed in the file as it is now."
                    )
                    self.notes.append(Note(draft.path, 0, "changed", words, warns=True))
        return found

    def _draft(self, edit: Edit) -> Draft | None:
        """Return the file that an edit is made in; None if it only shows part of a file, or names none."""
        draft = self._open(edit)
        if edit.part and (draft is None or draft.path != _plain(edit.nearer)):
            if draft is None and edit.may_be_new:
                draft = self._open(replace(edit, part=False))
            elif draft is None or not passage.is_all(edit, draft):
                why = self._why_not_part(edit, draft)
                self.passed += [Misfit(edit, why.reason, why.message)] if why is not None else []
                return None
        if draft is None:
            if any(not each.maybe and not each.part for each in self._edits) and filename.may_be_new(edit.path):
                words = f"Whether {edit.path} (line {edit.reply_line} of the reply) is the name of a new file cannot be told."
                self.misfits.append(Misfit(edit, "malformed", words, advice=f"./{edit.path} would say so."))
            return None
        if edit.action in {"create", "whole"}:
            self._check_head(edit, draft)
            if draft.before is None:
                self._check_new(edit, draft.path)
        return draft

    def _open(self, edit: Edit) -> Draft | None:
        """Return the file that an edit is about: the first reading of its path that exists, else the likeliest one."""
        first: OutsideRoot | None = None
        names = [_plain(each) for each in edit.names]
        for name in names:
            if name in self._targets:
                return self._targets[name]
            if name in self._drafts:
                if self._drafts[name].new_path:
                    words = f"{name} is moved to {self._drafts[name].new_path} and then edited under its old name."
                    raise Refusal("conflict", words)
                return self._drafts[name]
            try:
                found = self._read(name)
            except OutsideRoot as error:
                first = first or (error if name == _plain(edit.path) else None)
                continue
            except PatchError:
                if name != _plain(edit.path):
                    continue
                raise
            if found is not None:
                return self._drafts.setdefault(name, load(name, *found, partial(_words, self._edits, name)))
        if first is not None:
            raise first
        if edit.maybe or edit.part or (edit.action == "whole" and self._ends_in_a_name(names[0])):
            return None
        if not edit.path:
            raise Refusal(
                "malformed", f"The edit at line {edit.reply_line} of the reply does not say which file it is for."
            )
        fresh = Draft.absent(_plain(edit.path))
        return self._drafts.setdefault(fresh.path, fresh) if edit.action in {"create", "whole"} else fresh

    def _meant(self, edit: Edit) -> Edit:
        """Decide which of the files named above an edit it is for: the one that contains its lines.

        Raises Refusal if several do. If the words name an existing file, a new file takes the name on a line of its
        own.
        """
        found: dict[str, Draft] = {}
        for name in (edit.path, *edit.rivals) if edit.rivals and edit.action != "whole" else ():
            with contextlib.suppress(PatchError, Refusal):
                one = replace(edit, path=name, also=edit.also if name == edit.path else (), maybe=True)
                draft = self._open(one) if name else None
                if draft is not None and draft.exists:
                    found.setdefault(draft.path, draft)
        head = _plain(edit.rivals[0]) if edit.rivals and edit.action != "whole" else ""
        if not found and edit.action == "create" and head and head != _plain(edit.path):
            if filename.is_name(edit.path):
                words = f"Whether the new file at line {edit.reply_line} of the reply is {head} or {edit.path} cannot be told."
                raise Refusal("ambiguous", words)
            return replace(edit, path=head, also=(), nearer="")
        if not found or (list(found) == [_plain(edit.path)] and edit.action != "create"):
            return edit
        if edit.action == "create":
            return replace(edit, path=head, also=(), nearer="") if head and head not in found else edit
        wish = place.halves(edit)
        holds = [path for path, draft in found.items() if place.anywhere(draft.index, wish)]
        if len(holds) > 1:
            words = f"Whether the edit at line {edit.reply_line} of the reply is for {holds[0]} or {holds[1]} cannot be told: the words above it name both, and both have its lines."
            raise Refusal("ambiguous", words)
        return replace(edit, path=holds[0], also=(), nearer="") if holds else edit

    def _ends_in_a_name(self, name: str) -> bool:
        """Say whether a name without a file ends, after a space, in that of a file: then it is words or a command."""
        last = _plain(name.rpartition(" ")[2])
        if last == name:
            return False
        try:
            return last in self._drafts or last in self._targets or self._read(last) is not None
        except PatchError:
            return False

    def _check_head(self, edit: Edit, draft: Draft) -> None:
        """Raise Refusal if the first line of a whole text names another file that exists."""
        first = next((line for line in cut(edit.after) if line.strip()), "")
        said = naming.remarked(first)
        if (
            not said
            or said.endswith(draft.path)
            or draft.path.endswith(said)
            or draft.index.places([first.strip()], "stripped", str.strip)
        ):
            return
        with contextlib.suppress(PatchError):
            if self._read(said) is not None:
                words = f"Whether the text at line {edit.reply_line} of the reply is {draft.path} or {said}, as its first line says, cannot be told."
                raise Refusal("ambiguous", words)

    def _check_new(self, edit: Edit, path: str) -> None:
        """Raise Refusal if a new file seems to be an existing one, named without its folders or by a range of lines."""
        if edit.format not in {"edit_block", "whole_file"} or any(name.startswith("./") for name in edit.names):
            return
        ranged = filename.without_range(path)
        if ranged and self._read(ranged) is not None:
            raise Refusal("elided", f"{path} (line {edit.reply_line} of the reply) is some of the lines of {ranged}.")
        if edit.format == "whole_file" and filename.is_dressed(path):
            words = f"Whether {path!r} (line {edit.reply_line} of the reply) is the name of a new file cannot be told."
            raise Refusal("malformed", words)
        if edit.format == "whole_file" and edit.rivals:
            words = f"Whether the new file at line {edit.reply_line} of the reply is {path} or {edit.rivals[0]} cannot be told."
            raise Refusal("ambiguous", words)
        mine = {line.strip() for line in cut(edit.after) if re.search(r"\w", line)}
        for other in [*filename.within(path), *self._namesakes(path)] if mine else ():
            theirs: Collection[str] = ()
            with contextlib.suppress(PatchError, Refusal):  # what cannot be read is not like it
                found = self._read(other)
                theirs = load(other, *found).index.where("stripped", str.strip) if found else ()
            if 2 * sum(line in theirs for line in mine) > len(mine):
                words = f"There is no {path}, and {other} is much like the text at line {edit.reply_line} of the reply: whether that is meant cannot be told."
                raise Refusal("no_file", words, about=other)

    def _why_not_part(self, edit: Edit, draft: Draft | None) -> Refusal | None:
        """Say why a text that is only shown may be meant as an edit; None if it is in the file, or there is no file."""
        if (edit.maybe and draft is None) or (draft is not None and passage.stands(edit, draft)):
            return None
        words = f"{edit.path}: whether the text at line {edit.reply_line} of the reply shall go into the file, and where, cannot be told."
        beside = any(_plain(edit.path) in map(_plain, each.names) for each in self._edits if each is not edit)
        return Refusal("conflict" if beside else "malformed", words)

    def _put(self, edit: Edit, draft: Draft) -> str:
        """Make one edit; returns the rung that found its place."""
        if edit.action in {"create", "whole"}:
            if edit.action == "create" or not passage.is_quoted(edit, draft, self._edited):
                short = draft.path[2:]
                if (
                    draft.before is None
                    and draft.path[:2] in {"a/", "b/"}
                    and (short in self._drafts or self._read(short) is not None)
                ):
                    words = f"Whether {draft.path} (line {edit.reply_line} of the reply) is a new file, or {short} as a diff names it, cannot be told."
                    raise Refusal("malformed", words)
                _write_whole(edit, draft, self._shown)
            return ""
        if not draft.exists and draft.before is not None:
            raise Refusal("conflict", f"{draft.path} is deleted and changed by the same reply.")
        if not draft.exists:
            raise Refusal("no_file", f"There is no file {draft.path!r} (line {edit.reply_line} of the reply).")
        match edit.action:
            case "delete":
                if draft.touched:
                    raise Refusal("conflict", f"{draft.path} is changed and deleted by the same reply.")
                if edit.before and [each.rstrip() for each in cut(edit.before)] != [
                    each.rstrip() for each in draft.lines
                ]:
                    raise Refusal("not_found", f"{draft.path} is not what the edit would delete.")
                draft.exists = False
            case "rename":
                target = _plain(edit.new_path)
                if not target:
                    raise Refusal("malformed", f"{draft.path}: the move does not say where to.")
                if draft.new_path or target == draft.path:
                    raise Refusal("conflict", f"{draft.path} is moved twice, or onto itself.")
                if (target in self._drafts and self._drafts[target].exists) or self._read(target) is not None:
                    raise Refusal("exists", f"{target} exists already, so {draft.path} cannot be moved there.")
                _portable(target)
                if target in self._targets:
                    raise Refusal("conflict", f"Two files would be moved to {target}.")
                self._targets[target] = draft
                draft.new_path = target
            case "mode":
                draft.mode_after = edit.mode
            case _:
                return _replace(edit, draft, self._said[_quoted(edit)])
        return ""


def _quoted(edit: Edit) -> tuple[str, str, str, tuple[str, ...]]:
    """Return the key by which two edits count as the same."""
    return edit.path, edit.before, edit.after, edit.anchors


def _doubtful(edit: Edit) -> Misfit:
    words = f"{edit.path}: the edit at line {edit.reply_line} of the reply may not be meant: {edit.doubt}."
    return Misfit(edit, "doubtful", words)


def _without(
    tainted: Sequence[tuple[Edit, str]],
    edits: Sequence[Edit],
    again: Callable[[Sequence[Edit]], Fitted],
) -> Fitted:
    """Fit what is left once edits with mangled new lines are taken out, and add misfits for those."""
    gone = {id(edit) for edit, _ in tainted}
    rest = again([edit for edit in edits if id(edit) not in gone])
    misfits = [
        Misfit(
            edit,
            "malformed",
            f"{edit.path}: the reply is {how}, and whether the new lines at line {edit.reply_line} are meant so cannot be told.",
        )
        for edit, how in tainted
    ]
    return replace(rest, misfits=(*rest.misfits, *misfits))


def _plain(name: str) -> str:
    while name.startswith("./") and len(name) > 2:
        name = name[2:].lstrip("/") if name[2:3] == "/" else name[2:]
    return name


def _words(edits: Sequence[Edit], name: str) -> str:
    """Return all that the edits of one file quote and write."""
    mine = [edit for edit in edits if name in map(_plain, edit.names)]
    return "".join(part for edit in mine for part in (edit.before, edit.after))


def _portable(path: str) -> None:
    """Raise Refusal for a new name that other systems cannot have."""
    why = unportable(path)
    if why:
        raise Refusal("outside", f"{path!r} is not a name for a new file: {why}.")


def _write_whole(edit: Edit, draft: Draft, shown: Collection[str] | None) -> None:
    new = cut(edit.after)
    if draft.before is None:
        _portable(draft.path)
    if not draft.exists and draft.before is not None:
        raise Refusal("conflict", f"{draft.path} is deleted and written again by the same reply.")
    if ("", edit.after, -1) in draft.done:
        return  # said twice, done once
    if draft.touched or (not draft.exists and draft.made):
        raise Refusal("conflict", f"{draft.path} is written twice by the same reply.")
    if edit.action == "create" and any(line.strip() for line in draft.lines):
        raise Refusal("exists", f"{draft.path} exists already and is not empty (line {edit.reply_line} of the reply).")
    plain = [line.rstrip("\n") for line in new]
    suspect.check(edit, draft, plain, whole=True)
    if shown is not None and draft.exists:
        suspect.unseen(draft, plain, shown)
    if edit.action == "whole" and draft.exists and draft.lines:
        passage.check(edit, draft)
    draft.write_whole(edit, new)
    draft.done.add(("", edit.after, -1))


def _replace(edit: Edit, draft: Draft, said: int) -> str:
    said_as = (edit.before, edit.after, edit.at if edit.at is not None and not draft.miscounts else None)
    if said_as in draft.done:
        return ""  # said twice, done once
    wish = place.halves(edit)
    if not any(line.strip() for line in wish.old):
        if not draft.lines and wish.new:
            draft.write_whole(edit, cut(edit.after))
            return ""
        if edit.at_end and not wish.old and draft.exists:
            draft.append(edit, wish)
            return ""
        raise Refusal("not_found", f"{draft.path}: the edit at line {edit.reply_line} does not say where its lines go.")
    if edit.before == edit.after and edit.final_newline is None:
        if not place.anywhere(draft.index, wish):
            raise place.lost(edit, draft.path, draft.index)
        return ""
    suspect.check(edit, draft, wish.new)
    found = place.find(edit, draft, wish, said)
    if not found:
        later = draft.so_far()
        if later is not None:
            found = place.find(edit, later, wish, said)
            if found:
                draft.settle_so_far()
        if not found:
            raise place.why_not(edit, draft, wish)
    earlier = draft.claims.setdefault((found[0].start, edit.before), edit)
    if earlier.after != edit.after:
        words = f"{draft.path}: the edit at line {edit.reply_line} of the reply says something else of the very lines that the one at line {earlier.reply_line} has changed."
        raise Refusal("conflict", words)
    try:
        for each in found:
            draft.put(edit, each)
    except Overlap as overlap:
        words = f"{draft.path}: the edit at line {edit.reply_line} of the reply changes lines that the one at line {overlap.edit} has changed."
        raise Refusal("conflict", words) from overlap
    draft.done.add(said_as)
    return found[0].rung


def describe(misfit: Misfit) -> str:
    """Describe a misfit to the model that wrote the edit: the reason, what was looked for, and the nearest lines."""
    words = [misfit.message, misfit.hint]
    if misfit.edit.before:
        words += ["You looked for:", "```", misfit.edit.before.rstrip("\n"), "```"]
    for each in misfit.candidates[:2]:
        words += [f"{each.path}:{each.start}-{each.end} has:", "```", each.text.rstrip("\n"), "```"]
    return "\n".join(words)


__all__ = ["Candidate", "Fitted", "Note", "describe", "fit"]
