"""Frames of pasted traces: which of them stand nearest to the fault, and what gives way if there is no room for all.

Most languages print the innermost frame first. Python and its test programs print it last, and so did Ruby for a while.
Where one error was raised while another was handled, each has its own frames, and the innermost of each come first.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from assistant import visible
from assistant.context import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from assistant.context.choose import Frame, Shown

    _Place = tuple[Shown, Frame | None]

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


class _Step(NamedTuple):
    """What is left of a frame, or of a file without regard to frames, after one more thing was taken away."""

    file: Shown
    frame: Frame | None
    ranges: Sequence[tuple[int, int]]
    names: Sequence[int]

    def take(self) -> None:
        """Show no more than this."""
        if self.frame is not None:
            self.frame.ranges = [*self.ranges]
        else:
            self.file.ranges, self.file.names = [*self.ranges], [*self.names]


def give_way(some: Sequence[Shown], over: Callable[[], bool]) -> None:
    """Take away from files until it is not `over`: first names, then lines around frames, the outermost first.

    `over` looks at all that is shown, and a trace may have hundreds of frames: how many steps are needed is found by
    halving, not by a look after each step.
    """
    files = [file for file in reversed(some) if not file.must]
    ranked = [(frame.rank, at, file, frame) for at, file in enumerate(some) if not file.must for frame in file.frames]
    loose = [(file, frame) for _, _, file, frame in sorted(ranked, key=lambda each: each[:2], reverse=True)]
    whole: list[_Place] = [(file, None) for file in files]
    for places, less in ((whole, _names), (loose, _narrowed), (loose, _lessened), (whole, _shrunk)):
        if not over():
            return
        _take(places, less, over)


def _take(
    places: Sequence[_Place], less: Callable[[Shown, Frame | None], Iterable[_Step]], over: Callable[[], bool]
) -> None:
    """Take as few steps as are needed, in the order of the places; all of them if that is not enough."""
    before = [_Step(file, frame, frame.ranges if frame else file.ranges, file.names) for file, frame in places]
    steps = [step for file, frame in places for step in less(file, frame)]
    drawn = list(dict.fromkeys(file for file, frame in places if frame))

    def fits(count: int) -> bool:
        for step in (*before, *steps[:count]):
            step.take()
        for file in drawn:
            draw(file)
        return not over()

    if not fits(len(steps)):
        return
    low, high = 0, len(steps)  # the first is not enough, the second is
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    fits(high)


def _names(file: Shown, _: Frame | None) -> Iterator[_Step]:
    names = file.names
    while names:
        names = names[: -max(1, len(names) // 4)]
        yield _Step(file, None, file.ranges, names)


def _narrowed(file: Shown, frame: Frame | None) -> Iterator[_Step]:
    if frame is not None:
        frame.narrow()
        yield _Step(file, frame, frame.ranges, file.names)


def _lessened(file: Shown, frame: Frame | None) -> Iterator[_Step]:
    while frame is not None and frame.ranges:
        frame.lessen()
        yield _Step(file, frame, frame.ranges, file.names)


def _shrunk(file: Shown, _: Frame | None) -> Iterator[_Step]:
    file.ranges = [*file.ranges]  # which are about to be shortened in place
    while choose.shrink([file]):
        yield _Step(file, None, [*file.ranges], file.names)


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
