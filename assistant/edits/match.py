"""The one matcher: edits of any format, and the files as they are, become a patch and misfits."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.edits import text
from assistant.edits.compare import changes
from assistant.edits.edit import Candidate, Edit, Misfit
from assistant.edits.patch import FilePatch, Patch
from assistant.edits.seek import Found, bare, nearest, seek
from assistant.errors import OutsideRoot, PatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assistant.edits.edit import MisfitReason

_LARGEST = 20_000_000
_QUOTED = 40
_ELIDED = re.compile(
    r"^\s*(?:#|//|/\*|<!--|--|;|%|\{/\*)?\s*(?:\.\.\.|\u2026)\s*(?:\S.*)?$|"
    r"^\s*(?:#|//|/\*|<!--|--|;|%|\{/\*)\s*.{0,30}\b(?:rest of|remaining|existing|unchanged|same as before|previous)\b.{0,40}$",
    re.IGNORECASE,
)


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
    """What fits, what does not, and how."""

    patch: Patch
    misfits: tuple[Misfit, ...]
    notes: tuple[Note, ...]


@dataclass(slots=True)
class _File:
    """One file while edits are put into it. `mine` marks lines that an edit of this reply has written."""

    path: str
    before: bytes | None
    mode: int | None
    how: text.Coding
    lines: list[str]
    mine: list[bool]
    mode_after: int | None = None
    exists: bool = True
    new_path: str = ""
    done: list[tuple[str, str]] = field(default_factory=list)


class _No(Exception):
    def __init__(self, reason: MisfitReason, message: str, candidates: tuple[Candidate, ...] = ()) -> None:
        super().__init__(message)
        self.reason: MisfitReason = reason
        self.message = message
        self.candidates = candidates


def fit(
    edits: Sequence[Edit],
    read: Callable[[str], tuple[bytes, int] | None],
    *,
    seen: Mapping[str, str] | None = None,
) -> Fitted:
    """Find the place of every edit.

    `read` gives bytes and permission bits of a file below the root, None where there is none, and raises PatchError for
    what may not be read. `seen` maps paths to the SHA-256 of the bytes that the model was shown.
    """
    files: dict[str, _File] = {}
    misfits: list[Misfit] = []
    notes: list[Note] = []
    for edit in edits:
        try:
            file = _open(edit, files, read)
            rung = _put(edit, file, files, read)
        except _No as no:
            misfits.append(Misfit(edit, no.reason, no.message, no.candidates))
        except OutsideRoot as error:
            misfits.append(Misfit(edit, "outside", str(error)))
        except PatchError as error:
            misfits.append(Misfit(edit, "unreadable", str(error)))
        else:
            if rung not in {"exact", ""}:
                notes.append(Note(file.path, edit.reply_line, rung, f"{file.path}: placed by {rung}.", rung == "near"))
    patches = []
    for file in files.values():
        try:
            patch = _patch(file)
        except UnicodeEncodeError:
            edit = next(edit for edit in edits if file.path in {edit.path, *edit.also, edit.path.removeprefix("./")})
            misfits.append(
                Misfit(
                    edit, "unreadable", f"{file.path} is not UTF-8, and the new text cannot be written in its encoding."
                )
            )
            continue
        if patch.changes:
            patches.append(patch)
            shown = (seen or {}).get(file.path)
            if shown and file.before is not None and hashlib.sha256(file.before).hexdigest() != shown:
                note = f"{file.path} changed since the model saw it; the edits were placed in the file as it is now."
                notes.append(Note(file.path, 0, "changed", note, warns=True))
    return Fitted(Patch(tuple(patches)), tuple(misfits), tuple(notes))


def _open(edit: Edit, files: dict[str, _File], read: Callable[[str], tuple[bytes, int] | None]) -> _File:
    """Return the file an edit is about: the first reading of its path that exists, else the first."""
    if not edit.path:
        raise _No("malformed", "The edit does not say which file it is for.")
    first: OutsideRoot | None = None
    names = [each.removeprefix("./") for each in (edit.path, *edit.also)]
    for name in names:
        if name in files:
            return files[name]
        try:
            found = read(name)
        except OutsideRoot as error:
            first = first or error
            continue
        if found is not None:
            return files.setdefault(name, _load(name, *found))
    if first is not None:
        raise first
    name = names[0]
    fresh = _File(name, None, None, text.Coding(), [], [], exists=False)
    return fresh if edit.action not in {"create", "whole"} else files.setdefault(name, fresh)


def _load(path: str, data: bytes, mode: int) -> _File:
    if len(data) > _LARGEST:
        raise _No("unreadable", f"{path} has {len(data):,} bytes; files above {_LARGEST:,} are not edited.")
    how = text.coding(data)
    if how is None:
        raise _No("unreadable", f"{path} is not a text file.")
    lines = text.cut(text.decode(data, how))
    return _File(path, data, mode, how, lines, [False] * len(lines), mode)


def _put(edit: Edit, file: _File, files: dict[str, _File], read: Callable[[str], tuple[bytes, int] | None]) -> str:
    """Make one edit; returns the rung that found its place."""
    if edit.action in {"create", "whole"}:
        _write_whole(edit, file)
        return ""
    if not file.exists and file.before is not None:
        raise _No("conflict", f"{file.path} is deleted and changed by the same reply.")
    if not file.exists:
        raise _No("no_file", f"There is no file {file.path!r}.")
    match edit.action:
        case "delete":
            if edit.before and [bare(each) for each in text.cut(edit.before)] != [bare(each) for each in file.lines]:
                raise _No("not_found", f"{file.path} is not what the edit would delete.")
            file.exists, file.lines = False, []
        case "rename":
            target = edit.new_path.removeprefix("./")
            if (target in files and files[target].exists) or read(target) is not None:
                raise _No("exists", f"{target} exists already.")
            file.new_path = target
        case "mode":
            file.mode_after = edit.mode
        case _:
            return _replace(edit, file)
    return ""


def _write_whole(edit: Edit, file: _File) -> None:
    new = text.cut(edit.after)
    if not file.exists:
        if file.before is not None:
            raise _No("conflict", f"{file.path} is deleted and written again by the same reply.")
        file.exists = True
        file.mode_after = edit.mode or 0o644
        if edit.final_newline is False and new:
            new[-1] = bare(new[-1])
        file.lines, file.mine = new, [True] * len(new)
        return
    if edit.action == "create" and file.before is None:
        raise _No("conflict", f"{file.path} is created twice by the same reply.")
    if edit.action == "create" and any(line.strip() for line in file.lines):
        raise _No("exists", f"{file.path} exists already and is not empty.")
    if edit.action == "whole":
        if any(file.mine):
            raise _No("conflict", f"{file.path} is written twice by the same reply.")
        old = {line.strip() for line in file.lines}
        for line in new:
            if _ELIDED.match(line) and line.strip() not in old:
                raise _No("elided", f"{file.path}: the new text leaves lines out ({line.strip()[:60]!r}).")
    end = text.line_end(file.lines)
    new = [bare(line) + end for line in new]
    if file.lines and new and not file.lines[-1].endswith("\n"):
        new[-1] = bare(new[-1])
    file.lines, file.mine = new, [True] * len(new)


def _replace(edit: Edit, file: _File) -> str:
    old, new = text.cut(edit.before), text.cut(edit.after)
    if not any(line.strip() for line in old):
        raise _No("not_found", f"{file.path}: the edit does not say where its lines go.")
    if edit.before == edit.after and edit.final_newline is None:
        if not seek(file.lines, old, new):
            raise _No("not_found", _lost(file.path, edit), _near_by(file, old))
        return ""
    known = {line.strip() for line in (*old, *file.lines)}
    for line in new:
        if _ELIDED.match(line) and line.strip() not in known:
            raise _No("elided", f"{file.path}: the new lines leave something out ({line.strip()[:60]!r}).")
    places = seek(file.lines, old, new)
    if len(places) > 1:
        places = _narrowed(edit, file, places, len(old))
    if len(places) > 1:
        untouched = [place for place in places if not any(file.mine[place.start : place.start + len(old)])]
        if (edit.before, edit.after) in file.done:
            raise _No("conflict", f"{file.path}: the same edit stands in the reply twice.")
        shown = tuple(_candidate(file, place.start, place.start + len(old), 1.0) for place in (untouched or places)[:4])
        where = ", ".join(str(place.start + 1) for place in places[:6])
        raise _No(
            "ambiguous", f"{file.path}: the lines to change stand at {len(places)} places (lines {where}).", shown
        )
    if not places:
        if (edit.before, edit.after) in file.done:
            return ""  # said twice, done once
        if _stands(file.lines, new):
            raise _No("already", f"{file.path} already says what the edit would write.")
        raise _No("not_found", _lost(file.path, edit), _near_by(file, old))
    place = places[0]
    if _touches(file, place, old, new):
        raise _No("conflict", f"{file.path}: the edit changes lines that another one of the same reply has written.")
    if _is_done(file, place, old, new):
        raise _No("already", f"{file.path} already says what the edit would write.")
    _write(edit, file, place, old, new)
    file.done.append((edit.before, edit.after))
    return place.rung


def _touches(file: _File, place: Found, old: list[str], new: list[str]) -> bool:
    """Whether an edit replaces a line that another edit of the reply has written."""
    return any(file.mine[place.start + index] for a, b, _, _ in changes(old, new) for index in range(a, b))


def _narrowed(edit: Edit, file: _File, places: list[Found], size: int) -> list[Found]:
    """Use what the edit itself tells: the anchor above, and only where it leaves one place."""
    if not edit.anchors:
        return places
    start = 0
    for anchor in edit.anchors:
        lines = [index for index in range(start, len(file.lines)) if file.lines[index].strip() == anchor.strip()]
        if len(lines) != 1:
            return places
        start = lines[0]
    top = file.lines[start]
    depth = len(top) - len(top.lstrip())
    inside = []
    for place in places:
        if place.start < start:
            continue
        between = file.lines[start + 1 : place.start + size]
        if all(not line.strip() or len(line) - len(line.lstrip()) > depth for line in between):
            inside.append(place)
    return inside if len(inside) == 1 else places


def _is_done(file: _File, place: Found, old: list[str], new: list[str]) -> bool:
    """Whether the new lines stand there already, around the lines to find: an insertion that was made before."""
    if len(new) <= len(old):
        return False
    want = [bare(line).strip() for line in new]
    for start in range(max(0, place.start - (len(new) - len(old))), place.start + 1):
        window = [bare(line).strip() for line in file.lines[start : start + len(new)]]
        if window == want:
            return True
    return False


def _stands(lines: Sequence[str], new: Sequence[str]) -> bool:
    return bool(any(line.strip() for line in new)) and bool(seek(lines, new, new)) and len(seek(lines, new, new)) >= 1


def _write(edit: Edit, file: _File, place: Found, old: list[str], new: list[str]) -> None:
    """Replace what differs between old and new; lines that stay keep the file's own bytes."""
    start = place.start
    window = file.lines[start : start + len(old)]
    marks = file.mine[start : start + len(old)]
    unended = start + len(old) == len(file.lines) and bool(window) and not window[-1].endswith("\n")
    fallback = text.line_end(file.lines)
    lines: list[str] = []
    mine: list[bool] = []
    done = 0
    for a, b, c, d in changes([bare(each) for each in old], [bare(each) for each in new]):
        lines += window[done:a]
        mine += marks[done:a]
        for index in range(c, d):
            beside = window[min(a + index - c, max(a, b - 1), len(window) - 1)] if window else ""
            end = "\r\n" if beside.endswith("\r\n") else "\n" if beside.endswith("\n") else fallback
            lines.append(_shift(bare(new[index]), place) + end)
            mine.append(True)
        done = b
    lines += window[done:]
    mine += marks[done:]
    if lines and start + len(old) == len(file.lines):
        keep_open = unended if edit.final_newline is None else not edit.final_newline
        lines = [line if line.endswith("\n") else line + fallback for line in lines[:-1]] + [
            bare(lines[-1]) if keep_open else bare(lines[-1]) + (_end(lines[-1]) or fallback)
        ]
    file.lines[start : start + len(old)] = lines
    file.mine[start : start + len(old)] = mine


def _end(line: str) -> str:
    return line[len(bare(line)) :]


def _shift(line: str, place: Found) -> str:
    if not line.strip():
        return line
    return place.indent + line if place.indent else line.removeprefix(place.outdent)


def _lost(path: str, edit: Edit) -> str:
    first = next((line.strip() for line in edit.before.split("\n") if line.strip()), "")
    return f"{path}: nothing like the lines to change was found (they begin {first[:60]!r})."


def _near_by(file: _File, old: list[str]) -> tuple[Candidate, ...]:
    return tuple(_candidate(file, start, end, like) for start, end, like in nearest(file.lines, old) if like >= 0.3)


def _candidate(file: _File, start: int, end: int, likeness: float) -> Candidate:
    lines = file.lines[start : min(end, start + _QUOTED)]
    return Candidate(file.path, start + 1, start + len(lines), "".join(bare(line) + "\n" for line in lines), likeness)


def _patch(file: _File) -> FilePatch:
    after: bytes | None = None
    if file.exists:
        same = file.before is not None and not any(file.mine)
        content = "".join(file.lines)
        whole = text.decode(file.before, file.how) if file.before is not None else None
        after = file.before if same and content == whole else file.how.mark + _encode(file, content)
    return FilePatch(file.path, file.before, after, file.mode, file.mode_after if file.exists else None, file.new_path)


def _encode(file: _File, content: str) -> bytes:
    if file.how.foreign:
        for line, mine in zip(file.lines, file.mine, strict=True):
            if mine and not line.isascii():
                raise UnicodeEncodeError("ascii", line, 0, len(line), "the file is in another encoding")
    return content.encode(file.how.name, "surrogateescape")


def describe(misfit: Misfit) -> str:
    """Say what found no place, for the model that wrote it: the reason, its words, and the lines that come nearest."""
    words = [misfit.message]
    if misfit.edit.before:
        words += ["You looked for:", "```", misfit.edit.before.rstrip("\n"), "```"]
    for each in misfit.candidates[:2]:
        words += [f"{each.path}:{each.start}-{each.end} has:", "```", each.text.rstrip("\n"), "```"]
    return "\n".join(words)
