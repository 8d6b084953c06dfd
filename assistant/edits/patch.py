"""What would change: whole texts before and after (FilePatch, Patch), and the hunks that follow from them.

A patch is two states of some files. Hunks are derived, never stored, so that choosing, editing and reversing hunks give
patches again and line numbers cannot drift.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from assistant.edits import text
from assistant.edits.compare import changes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.edits.edit import Origin

Kind = Literal["change", "create", "delete", "rename", "mode"]
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is shown: its sign, its text without an end, its 1-based numbers on either side."""

    kind: Literal[" ", "-", "+"]
    text: str
    old: int | None
    new: int | None
    ended: bool = True


@dataclass(frozen=True)
class Hunk:
    """Lines of one file that are replaced by others.

    `at` is the 0-based place in the file before, `new_at` in the file after; `old` and `new` are lines as bytes, with
    what stands between changes that belong together; `above` and `below` are context.
    """

    path: str
    kind: Kind
    at: int
    new_at: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    above: tuple[bytes, ...] = ()
    below: tuple[bytes, ...] = ()
    note: str = ""

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The hunk as it is shown, context included."""
        shown: list[Line] = []
        old, new = self.at - len(self.above) + 1, self.new_at - len(self.above) + 1

        def put(kind: Literal[" ", "-", "+"], lines: Iterable[bytes]) -> None:
            nonlocal old, new
            for line in lines:
                ended = line.endswith((b"\n", b"\n\0"))
                shown.append(
                    Line(kind, text.show(line), None if kind == "+" else old, None if kind == "-" else new, ended)
                )
                old += kind != "+"
                new += kind != "-"

        put(" ", self.above)
        done = 0
        for a, b, c, d in changes(self.old, self.new):
            put(" ", self.old[done:a])
            put("-", self.old[a:b])
            put("+", self.new[c:d])
            done = b
        put(" ", self.old[done:])
        put(" ", self.below)
        return tuple(shown)

    @property
    def old_start(self) -> int:
        """1-based first line shown of the file before; 0 where it has none."""
        return self.at - len(self.above) + (1 if self.old_count else 0)

    @property
    def new_start(self) -> int:
        """1-based first line shown of the file after; 0 where it has none."""
        return self.new_at - len(self.above) + (1 if self.new_count else 0)

    @property
    def old_count(self) -> int:
        """Lines shown of the file before."""
        return len(self.above) + len(self.old) + len(self.below)

    @property
    def new_count(self) -> int:
        """Lines shown of the file after."""
        return len(self.above) + len(self.new) + len(self.below)

    @cached_property
    def added(self) -> int:
        """Lines that come."""
        return sum(line.kind == "+" for line in self.lines)

    @cached_property
    def removed(self) -> int:
        """Lines that go."""
        return sum(line.kind == "-" for line in self.lines)

    @property
    def header(self) -> str:
        """The `@@` line, or what is done to the whole file."""
        if self.kind in {"rename", "mode"}:
            return self.note
        return f"@@ -{_range(self.old_start, self.old_count)} +{_range(self.new_start, self.new_count)} @@"

    @property
    def new_text(self) -> str:
        """The new side without context, with "\\n" ends: what a person edits."""
        return "".join(text.show(line) + "\n" for line in self.new)

    def with_text(self, new_text: str) -> Hunk:
        """Put other words on the new side. Line ends follow the lines that were there."""
        sample = [line.decode("latin-1") for line in (*self.old, *self.new, *self.above, *self.below)]
        end = text.line_end(sample)
        wide = any(b"\0" in line for line in (*self.old, *self.new))
        codec = "utf-16-be" if wide and (self.new or self.old)[0].startswith(b"\0") else "utf-16-le"
        lines = [line.rstrip("\r\n") + end for line in new_text.split("\n")]
        if lines and lines[-1] == end:
            lines.pop()
        data = [line.encode(codec if wide else "utf-8", "surrogateescape") for line in lines]
        reference = self.new or self.old
        if data and reference and not self.below and not reference[-1].endswith((b"\n", b"\n\0")):
            data[-1] = data[-1].removesuffix(end.encode(codec if wide else "utf-8"))
        return replace(self, new=tuple(data))

    def split(self) -> tuple[Hunk, ...]:
        """Cut into one hunk for each run of changes; a hunk of one run is its own only part."""
        if self.kind != "change":
            return (self,)
        runs = changes(self.old, self.new)
        if len(runs) < 2:
            return (self,)
        whole = (*self.above, *self.old, *self.below)
        shift = len(self.above)
        parts = []
        for a, b, c, d in runs:
            parts.append(
                replace(
                    self,
                    at=self.at + a,
                    new_at=self.new_at + c,
                    old=self.old[a:b],
                    new=self.new[c:d],
                    above=whole[max(0, a + shift - _CONTEXT) : a + shift],
                    below=whole[b + shift : b + shift + _CONTEXT],
                )
            )
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class FilePatch:
    """One file before and after, as bytes; None where it does not exist. Modes are POSIX permission bits.

    `path` is where it was, `new_path` where it will be; they differ only for a rename.
    """

    path: str
    before: bytes | None
    after: bytes | None
    mode_before: int | None = None
    mode_after: int | None = None
    new_path: str = ""
    went: tuple[Origin | None, ...] = field(default=(), compare=False, repr=False)
    came: tuple[Origin | None, ...] = field(default=(), compare=False, repr=False)

    @property
    def target(self) -> str:
        """Where the file is afterwards."""
        return self.new_path or self.path

    @property
    def changes(self) -> bool:
        """Whether anything differs at all."""
        return self.before != self.after or self.mode_before != self.mode_after or self.target != self.path

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """What changes, top to bottom; a rename or a change of mode is a hunk of its own."""
        return _hunks(self)

    def keep(self, hunks: Iterable[Hunk]) -> FilePatch:
        """Return this file with only these hunks changed."""
        mine = sorted(hunks, key=lambda hunk: (hunk.at, len(hunk.old)))
        kinds = {hunk.kind for hunk in mine}
        contents = [hunk for hunk in mine if hunk.kind not in {"rename", "mode"}]
        new_path = self.new_path if "rename" in kinds else ""
        mode = self.mode_after if "mode" in kinds or self.before is None or self.after is None else self.mode_before
        if self.before is None:
            after = b"".join(contents[0].new) if contents else None
            return replace(self, after=after, mode_after=mode if contents else None)
        if self.after is None:
            return (
                replace(self, after=None) if contents else replace(self, after=self.before, mode_after=self.mode_before)
            )
        lines = text.split_lines(self.before)
        out: list[bytes] = []
        done = 0
        for hunk in contents:
            out += lines[done : hunk.at]
            out += hunk.new
            done = hunk.at + len(hunk.old)
        out += lines[done:]
        return replace(self, after=b"".join(out), new_path=new_path, mode_after=mode)


@dataclass(frozen=True, slots=True)
class Patch:
    """Changes to several files that belong together."""

    files: tuple[FilePatch, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """All hunks, file by file."""
        return tuple(hunk for file in self.files for hunk in file.hunks)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that change, as they are called afterwards."""
        return tuple(file.target for file in self.files)

    @property
    def added(self) -> int:
        """Lines that come."""
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed(self) -> int:
        """Lines that go."""
        return sum(hunk.removed for hunk in self.hunks)

    def keep(self, hunks: Iterable[Hunk]) -> Patch:
        """Return the patch that makes only these hunks; they may have been split or edited."""
        chosen: dict[str, list[Hunk]] = {}
        for hunk in hunks:
            chosen.setdefault(hunk.path, []).append(hunk)
        kept = (file.keep(chosen[file.path]) for file in self.files if file.path in chosen)
        return Patch(tuple(file for file in kept if file.changes))

    def part(self, taken: Iterable[Hunk], undecided: Iterable[Hunk]) -> tuple[Patch, Patch]:
        """Cut in two: what is taken now, and what is still proposed once that is on disk."""
        taken, undecided = tuple(taken), tuple(undecided)
        first = self.keep(taken)
        both = self.keep((*taken, *undecided))
        done = {file.path: file for file in first.files}
        left = []
        for file in both.files:
            now = done.get(file.path)
            if now is None:
                left.append(file)
            else:
                new_path = file.target if file.target != now.target else ""
                rest = FilePatch(now.target, now.after, file.after, now.mode_after, file.mode_after, new_path)
                if rest.changes:
                    left.append(rest)
        return first, Patch(tuple(left))

    def reversed(self) -> Patch:
        """Return the patch that takes this one back."""
        return Patch(
            tuple(
                FilePatch(
                    file.target,
                    file.after,
                    file.before,
                    file.mode_after,
                    file.mode_before,
                    file.path if file.new_path else "",
                )
                for file in reversed(self.files)
            )
        )

    def diff(self) -> str:
        """Return the patch as a unified diff with git's headers."""
        return "".join(_file_diff(file) for file in self.files)


@lru_cache(maxsize=256)
def _hunks(file: FilePatch) -> tuple[Hunk, ...]:
    found: list[Hunk] = []
    if file.new_path and file.new_path != file.path:
        found.append(Hunk(file.path, "rename", 0, 0, (), (), note=f"rename to {file.new_path}"))
    both = file.before is not None and file.after is not None
    if both and file.mode_before != file.mode_after:
        note = f"mode {file.mode_before or 0:o} to {file.mode_after or 0:o}"
        found.append(Hunk(file.path, "mode", 0, 0, (), (), note=note))
    old = text.split_lines(file.before or b"")
    new = text.split_lines(file.after or b"")
    if file.before is None and file.after is not None:
        return (*found, Hunk(file.path, "create", 0, 0, (), tuple(new)))
    if file.after is None and file.before is not None:
        return (*found, Hunk(file.path, "delete", 0, 0, tuple(old), ()))
    groups: list[list[tuple[int, int, int, int]]] = []
    for each in changes(old, new):
        if groups and each[0] - groups[-1][-1][1] <= 2 * _CONTEXT:
            groups[-1].append(each)
        else:
            groups.append([each])
    for group in groups:
        a, c = group[0][0], group[0][2]
        b, d = group[-1][1], group[-1][3]
        found.append(
            Hunk(
                file.path,
                "change",
                a,
                c,
                tuple(old[a:b]),
                tuple(new[c:d]),
                tuple(old[max(0, a - _CONTEXT) : a]),
                tuple(old[b : b + _CONTEXT]),
            )
        )
    return tuple(found)


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"


def _quote(path: str) -> str:
    """Write a path as git does: in quotes, with escapes, when it holds something odd."""
    data = path.encode("utf-8", "surrogateescape")
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in data):
        return path
    escapes = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t", 0x0D: "\\r"}
    return '"' + "".join(escapes.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\{b:03o}") for b in data) + '"'


def _file_diff(file: FilePatch) -> str:
    a, b = _quote(f"a/{file.path}"), _quote(f"b/{file.target}")
    head = [f"diff --git {a} {b}"]
    if file.before is None:
        head.append(f"new file mode 100{file.mode_after or 0o644:o}")
    elif file.after is None:
        head.append(f"deleted file mode 100{file.mode_before or 0o644:o}")
    elif file.mode_before != file.mode_after:
        head += [f"old mode 100{file.mode_before or 0o644:o}", f"new mode 100{file.mode_after or 0o644:o}"]
    if file.target != file.path:
        head += [f"rename from {_quote(file.path)}", f"rename to {_quote(file.target)}"]
    body = [hunk for hunk in file.hunks if hunk.kind not in {"rename", "mode"} and (hunk.old or hunk.new)]
    if body:
        head += [
            "--- " + ("/dev/null" if file.before is None else a),
            "+++ " + ("/dev/null" if file.after is None else b),
        ]
    for hunk in body:
        head.append(hunk.header)
        for line in _raw_lines(hunk):
            head.append(line)
    return "\n".join(head) + "\n"


def _raw_lines(hunk: Hunk) -> list[str]:
    """Write a hunk's lines for a machine: carriage returns kept, a missing final line end marked."""
    raw = iter(_raw(hunk))
    lines = []
    for line in hunk.lines:
        data = next(raw)
        lines.append(line.kind + data.removesuffix(b"\n").decode("utf-8", "surrogateescape"))
        if not line.ended:
            lines.append("\\ No newline at end of file")
    return lines


def _raw(hunk: Hunk) -> Iterable[bytes]:
    yield from hunk.above
    done = 0
    for a, b, c, d in changes(hunk.old, hunk.new):
        yield from hunk.old[done:a]
        yield from hunk.old[a:b]
        yield from hunk.new[c:d]
        done = b
    yield from hunk.old[done:]
    yield from hunk.below
