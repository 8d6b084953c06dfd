"""Frames of pasted traces: which of them stand nearest to the fault, and what gives way if there is no room for all.

Most languages print the innermost frame first. Python and its test programs print it last, and so did Ruby for a while.
Where one error was raised while another was handled, each has its own frames, and the innermost of each come first.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING

from assistant import visible
from assistant.context import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assistant.context.choose import Shown

_PARTS = (
    r"(?m)\(most recent call (?P<how>last|first)\)|^(?:_{3,200}+|={3,200}+) \S"
    r"|^[ \t]*Caused by: |^[ \t]*--- End of |(?:During handling of|The above exception was)"
)
"""What begins the frames of another error or of another test."""
_PYTHON = r"""[^"\n]{0,100}File $"""
"""What stands before the file in a frame of Python."""
_PYTEST = r"\S{1,400}\.py:\d{1,7}: (?:in .{1,300}|[\w.]{0,200})\s*$"
_FROM = r"[^\n]{0,100}\bfrom $"
"""What stands before the file in a frame of Ruby, except in the innermost."""
_LINE = 500
"""Characters of a line that are looked at on each side of a place."""
_TOLD = 8
"""The most places without room that are listed by name; the others are counted."""


def order(text: str, spots: Iterable[int]) -> dict[int, int]:
    """Return, by the position of each place in a text, its rank: 0 for what is nearest to the fault."""
    parts = [(match.start(), match["how"]) for match in re.finditer(_PARTS, text)]
    starts = [start for start, _ in parts]
    groups: dict[tuple[int, str], list[int]] = {}
    for spot in spots:
        part = bisect_right(starts, spot)
        groups.setdefault((part, _kind(text, spot)), []).append(spot)
    keys: list[tuple[int, int, int]] = []
    for (part, kind), some in groups.items():
        how = parts[part - 1][1] if part else None
        last = kind == "pytest" or (kind == "python" and how != "first") or (kind == "from" and how == "last")
        keys += [(len(some) - 1 - at if last else at, part, spot) for at, spot in enumerate(some)]
    return {spot: rank for rank, (_, _, spot) in enumerate(sorted(keys))}


def _kind(text: str, spot: int) -> str:
    """Say in whose form a place is written."""
    start = max(text.rfind("\n", 0, spot) + 1, spot - _LINE)
    before = text[start:spot]
    if re.match(_PYTHON, before):
        return "python"
    if re.match(_FROM, before):
        return "from"
    end = text.find("\n", spot)
    line = text[start : min(end if end >= 0 else len(text), spot + _LINE)]
    return "pytest" if re.match(_PYTEST, line) else ""


def give_way(some: Sequence[Shown], over: Callable[[], bool]) -> None:
    """Take away from files until it is not `over`: first names, then lines around frames, the outermost first."""
    for file in reversed(some):
        while file.names and not file.must and over():
            file.names = file.names[: -max(1, len(file.names) // 4)]
    loose = [(frame.rank, at, file, frame) for at, file in enumerate(some) if not file.must for frame in file.frames]
    loose.sort(key=lambda each: each[:2], reverse=True)
    for _, _, file, frame in loose:
        if not over():
            return
        frame.narrow()
        draw(file)
    for _, _, file, frame in loose:
        while frame.ranges and over():
            frame.lessen()
            draw(file)
    while over() and choose.shrink(some):
        pass


def draw(file: Shown) -> None:
    """Show of a file what is left of its frames."""
    file.ranges = choose.join([*file.base, *(each for frame in file.frames for each in frame.ranges)])


def untold(named: Iterable[Shown], shown: Iterable[Shown]) -> list[str]:
    """Return a note on places that a text names without a mark and for which there was no room."""
    ranges: Mapping[str, Sequence[tuple[int, int]]] = {file.path: file.ranges for file in shown if not file.heading}
    missing: list[tuple[int, str]] = []
    every = 0
    for file in named:
        if file.must:
            continue
        there = ranges.get(file.path, ())
        every += max(1, len(file.frames))
        gone = [frame for frame in file.frames if not any(a <= frame.line <= b for a, b in there)]
        missing += [(frame.rank, f"{visible.name(file.path)}:{frame.line}") for frame in gone]
        if not file.frames and not there:
            missing.append((0, visible.name(file.path)))
    if not missing:
        return []
    names = [name for _, name in sorted(missing)]
    more = [f"{len(names) - _TOLD} more"] if len(names) > _TOLD else []
    return [
        f"no room for {len(names)} of {every} places that the text names: {', '.join([*islice(names, _TOLD), *more])}"
    ]
