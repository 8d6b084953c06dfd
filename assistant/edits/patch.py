"""What would change: whole texts before and after (FilePatch, Patch), and the hunks that follow from them.

A patch is two states of some files. Hunks are derived, never stored, so that choosing, editing and reversing hunks give
patches again and line numbers cannot drift.
"""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Patch:
    """Changes to several files that belong together."""

    files: tuple[FilePatch, ...] = ()
