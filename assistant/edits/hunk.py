"""Lines of one file that are replaced by others; a hunk can be shown, cut, joined and reworded before it is taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from assistant.edits import text
from assistant.edits.compare import changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assistant.edits.edit import Origin

Kind = Literal["change", "create", "delete", "rename", "mode"]
CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is shown: its sign, its text without an end, its 1-based numbers in the old and the new file."""

    kind: Literal[" ", "-", "+"]
    text: str
    old: int | None
    new: int | None
    ended: bool = True


@dataclass(frozen=True)
class Hunk:
    """Lines of one file that are replaced by others.

    `at` is the 0-based place in the old file, `new_at` in the new one. `old` and `new` are lines as bytes, including
    unchanged lines between changes that belong together; `above` and `below` are context. `went` and `came` say for
    each old and new line which edit of the reply removed or added it, if a reply is known. `lead` is how many lines
    other hunks add within the context above, which is shown without them: parts of the same cut, or, where more of the
    file is shown, the hunks before.
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
    went: tuple[Origin | None, ...] = field(default=(), compare=False, repr=False)
    came: tuple[Origin | None, ...] = field(default=(), compare=False, repr=False)
    lead: int = field(default=0, compare=False, repr=False)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The edits of the reply that had a part in this hunk, in the order of the reply."""
        found = {each.edit: each for each in (*reversed(self.came), *reversed(self.went)) if each is not None}
        return tuple(found[edit] for edit in sorted(found))

    @property
    def rungs(self) -> tuple[str, ...]:
        """How its lines were matched where that was not exact."""
        rungs = (each.rung for each in (*self.went, *self.came) if each is not None)
        return tuple(dict.fromkeys(rung for rung in rungs if rung != "exact"))

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The hunk as it is shown, context included."""
        shown: list[Line] = []
        old, new = self.at - len(self.above) + 1, self._new_above + 1

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
        new = self.new_at + 1
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
        """1-based first line shown of the old file; 0 if there is none."""
        return self.at - len(self.above) + (1 if self.old_count else 0)

    @property
    def line(self) -> int:
        """1-based line of the old file where the change begins; no other hunk of the file has it."""
        return self.at + 1

    @property
    def new_start(self) -> int:
        """1-based first line shown of the new file; 0 if there is none."""
        return self._new_above + (1 if self.new_count else 0)

    @property
    def _new_above(self) -> int:
        """0-based place in the new file of the first line of the context above, or of the hunk if it has none."""
        return self.new_at - (len(self.above) + self.lead if self.above else 0)

    @property
    def old_count(self) -> int:
        """Number of lines shown of the old file."""
        return len(self.above) + len(self.old) + len(self.below)

    @property
    def new_count(self) -> int:
        """Number of lines shown of the new file."""
        return len(self.above) + len(self.new) + len(self.below)

    @cached_property
    def added(self) -> int:
        """Number of added lines."""
        return sum(line.kind == "+" for line in self.lines)

    @cached_property
    def removed(self) -> int:
        """Number of removed lines."""
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
        """Put other text on the new side. Line ends follow the existing lines; reworded lines lose their origin.

        Raises UnicodeEncodeError for characters that the file cannot hold.
        """
        beside = (*self.old, *self.new, *self.above, *self.below)
        data = list(text.retype(new_text, self.new or self.old, beside, ended=bool(self.below)))
        came: list[Origin | None] = []
        if self.came:
            done = 0
            for a, b, c, d in changes(self.new, data):
                came += self.came[done:a]
                came += [None] * (d - c)
                done = b
            came += self.came[done:]
        return replace(self, new=tuple(data), came=tuple(came))

    def split(self) -> tuple[Hunk, ...]:
        """Cut into one hunk for each run of changes; a hunk with one run is returned as it is."""
        runs = changes(self.old, self.new) if self.kind == "change" else []
        if len(runs) < 2:
            return (self,)
        return tuple(self._part(a, b, c, d) for a, b, c, d in runs)

    def split_at(self, line: int) -> tuple[Hunk, ...]:
        """Cut before one of the shown `lines` (0-based): two hunks, or the hunk itself if a part would change nothing.

        Where as many lines are added as removed, they are paired in order, and both sides are cut at the same pair.
        """
        shown = self.lines[len(self.above) : line] if self.kind == "change" else ()
        old = min(sum(each.kind != "+" for each in shown), len(self.old))
        new = min(sum(each.kind != "-" for each in shown), len(self.new))
        for a, b, c, d in changes(self.old, self.new):
            if b - a == d - c and a < old <= b and c <= new < d and (old < b or new > c):
                by = new - c if old == b else old - a
                old, new = a + by, c + by
        first, second = self._trimmed(0, old, 0, new), self._trimmed(old, len(self.old), new, len(self.new))
        return (first, second) if first is not None and second is not None else (self,)

    def _trimmed(self, a: int, b: int, c: int, d: int) -> Hunk | None:
        """Return the part that truly changes between old lines a to b and new lines c to d; None if nothing does."""
        runs = changes(self.old[a:b], self.new[c:d])
        if not runs:
            return None
        return self._part(a + runs[0][0], a + runs[-1][1], c + runs[0][2], c + runs[-1][3])

    def part(
        self,
        at: int,
        old: tuple[bytes, ...],
        new_at: int,
        new: tuple[bytes, ...],
        before: Sequence[bytes],
        first: int = 0,
    ) -> Hunk:
        """Make a hunk of the same file that replaces other lines, with context from the file `before`.

        If `before` is only a part of the file, `first` is the number of its first line. Lines that this hunk has too
        keep their origins.
        """
        shift, came = at - self.at, new_at - self.new_at
        stood = shift >= 0 and self.old[shift : shift + len(old)] == old
        mine = came >= 0 and self.new[came : came + len(new)] == new
        start, end = at - first, at - first + len(old)
        return replace(
            self,
            at=at,
            new_at=new_at,
            old=old,
            new=new,
            above=tuple(before[max(0, start - CONTEXT) : start]),
            below=tuple(before[end : end + CONTEXT]),
            went=self.went[shift : shift + len(old)] if stood else (None,) * len(old) if self.went else (),
            came=self.came[came : came + len(new)] if mine else (None,) * len(new) if self.came else (),
            lead=self._lead(shift, came) if 0 <= shift <= len(self.old) else 0,
        )

    def _lead(self, shift: int, came: int) -> int:
        """Return the lead of a part behind so many old and new lines: 0 where they stand above what it shows."""
        same = zip(reversed(self.old[:shift]), reversed(self.new[:came]), strict=False)
        between = next((count for count, (old, new) in enumerate(same) if old != new), min(shift, came))
        return self.lead + came - shift if between < CONTEXT else 0

    def _part(self, a: int, b: int, c: int, d: int) -> Hunk:
        whole, first = (*self.above, *self.old, *self.below), self.at - len(self.above)
        return self.part(self.at + a, self.old[a:b], self.new_at + c, self.new[c:d], whole, first)


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"
