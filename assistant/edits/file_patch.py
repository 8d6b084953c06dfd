"""One file before and after, whole, and the hunks that follow from the two."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from assistant.edits import text
from assistant.edits.compare import changes
from assistant.edits.hunk import CONTEXT, Hunk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.edits.edit import Origin


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
        return _hunks(self, self.went, self.came)

    def became(self, data: bytes | None) -> str:
        """Say what has become of a file that is not as it was before: `data` is what it is now, None if there is none."""
        what = "is gone" if data is None else "exists already" if self.before is None else "has changed"
        return f"{self.path} {what} since the patch was made."

    def keep(self, hunks: Iterable[Hunk]) -> FilePatch:
        """Return this file with only these hunks applied."""
        mine = sorted(hunks, key=lambda hunk: (hunk.at, hunk.new_at, len(hunk.old)))
        kinds = {hunk.kind for hunk in mine}
        contents = [hunk for hunk in mine if hunk.kind not in {"rename", "mode"}]
        new_path = self.new_path if "rename" in kinds else ""
        mode = self.mode_after if "mode" in kinds or self.before is None or self.after is None else self.mode_before
        if self.before is None:
            after = b"".join(contents[0].new) if contents else None
            origins = contents[0].came if contents else ()
            return replace(self, after=after, mode_after=mode if contents else None, came=origins)
        if self.after is None:
            return (
                replace(self, after=None) if contents else replace(self, after=self.before, mode_after=self.mode_before)
            )
        lines = text.split_lines(self.before)
        out: list[bytes] = []
        went: list[Origin | None] = [None] * len(lines)
        came: list[Origin | None] = []
        done = 0
        for hunk in contents:
            out += lines[done : hunk.at]
            came += [None] * (hunk.at - done)
            out += hunk.new
            came += hunk.came or [None] * len(hunk.new)
            done = hunk.at + len(hunk.old)
            if hunk.went:
                went[hunk.at : done] = hunk.went
        out += lines[done:]
        came += [None] * (len(lines) - done)
        return replace(
            self,
            after=b"".join(out),
            new_path=new_path,
            mode_after=mode,
            went=tuple(went) if any(went) else (),
            came=tuple(came) if any(came) else (),
        )

    def join(self, hunks: Iterable[Hunk]) -> Hunk:
        """Join several hunks of this file, with the lines between them; raises ValueError if they cannot be joined."""
        parts = sorted(hunks, key=lambda hunk: (hunk.at, hunk.new_at, len(hunk.old)))
        if not parts or any(hunk.kind != "change" or hunk.path != self.path for hunk in parts):
            raise ValueError("Only changes within one file can be joined.")
        lines = text.split_lines(self.before or b"")
        joined = parts[0]
        for part in parts[1:]:
            end = joined.at + len(joined.old)
            if part.at < end:
                raise ValueError("Hunks that overlap cannot be joined.")
            between = tuple(lines[end : part.at])
            blank: tuple[Origin | None, ...] = (None,) * len(between)
            joined = replace(
                joined,
                old=(*joined.old, *between, *part.old),
                new=(*joined.new, *between, *part.new),
                below=part.below,
                went=(*_filled(joined.went, joined.old), *blank, *_filled(part.went, part.old)),
                came=(*_filled(joined.came, joined.new), *blank, *_filled(part.came, part.new)),
            )
        return joined


def _filled(origins: tuple[Origin | None, ...], lines: tuple[bytes, ...]) -> tuple[Origin | None, ...]:
    return origins or (None,) * len(lines)


@lru_cache(maxsize=256)
def _hunks(file: FilePatch, went: tuple[Origin | None, ...], came: tuple[Origin | None, ...]) -> tuple[Hunk, ...]:
    """Derive the hunks; origins are separate arguments because files that differ only in origins compare equal."""
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
        return (*found, Hunk(file.path, "create", 0, 0, (), tuple(new), came=came))
    if file.after is None and file.before is not None:
        return (*found, Hunk(file.path, "delete", 0, 0, tuple(old), (), went=went))
    groups: list[list[tuple[int, int, int, int]]] = []
    for each in changes(old, new):
        if groups and each[0] - groups[-1][-1][1] <= 2 * CONTEXT:
            groups[-1].append(each)
        else:
            groups.append([each])
    for group in groups:
        a, c = group[0][0], group[0][2]
        b, d = group[-1][1], group[-1][3]
        above, below = tuple(old[max(0, a - CONTEXT) : a]), tuple(old[b : b + CONTEXT])
        found.append(
            Hunk(
                file.path,
                "change",
                a,
                c,
                tuple(old[a:b]),
                tuple(new[c:d]),
                above,
                below,
                went=went[a:b],
                came=came[c:d],
            )
        )
    return tuple(found)
