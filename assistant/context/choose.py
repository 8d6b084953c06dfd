"""Spends a budget: decides which lines of which files are worth their tokens, and which definitions are only named.

Every piece has a worth (how likely the question means its file and it) and a price in tokens; the best worth for the
price goes first. The rest of the budget pays for names: they are cheap, and they tell the model what it may ask for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant import visible
from assistant.context import repo_map

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assistant.context.measure import Measure
    from assistant.context.segments import Segment
    from assistant.context.tags import Tags

SHARP_FILE = 3.0
"""A file with half the best score is worth (1/2)^3."""
SHARP_PIECE = 1.5
"""A piece with half the best score is worth (1/2)^1.5 of its file."""
PLAIN_PIECE = 0.03
"""The worth of a piece without a word of the question in the best file; the best piece is worth 1 more."""
SIZE = 0.55
"""Worth is divided by the length in tokens to this power: at 1 short pieces would always win, at 0 long ones."""
FIXED = 100
"""Tokens added to each length first, so that the shortest pieces do not win over all others."""
ENOUGH = 4_000
"""Tokens of one file after which more of it is worth half: what was not in those is likelier to be in another file."""
NAMES_LEAST, NAMES_MORE, NAMES_MOST = 0.12, 0.03, 0.3
"""The share of the budget kept for names: a fixed share, an addition for each thousand tokens of the budget, and the
most. Where there is little room, lines say more than names."""
PLAIN_NAME = 0.04
"""The worth of a name without a word of the question in the best file; the name with the best piece is worth 1 more."""
VAGUE_NAME = 0.4
"""The factor on the worth of a name that is only a constant or a field."""
NAME_FILE = 0.45
"""The power of a file's worth that counts for its names: flatter than for lines, because names cost little."""
_TICKS = re.compile(r"`{3,}")
RULES, PINNED, RULED, NAMED, CHOSEN, CHANGES = range(6)
"""The order of sections: first what stays the same from turn to turn, last what changes. RULED are rules that the
conversation did not begin with."""
_MISSES, _REST, _LOOKS = 80, 40, 3
_LONG = 30
"""Ranges of more lines than this are first cut in half."""
_NARROW = 3
"""Lines on each side of a frame for which there is little room."""
_VAGUE = frozenset({"constant", "field", "variable", "property"})
_CHARACTERS = 3.6
"""Characters of code in a token, for a first estimate of sizes."""


class Frame:
    """A place that a text names, as far as it is shown: its line, its rank among all, and its ranges of lines.

    `single` says that the one line is meant, and the others only stand around it.
    """

    __slots__ = ("line", "ranges", "rank", "single")

    def __init__(self, line: int, rank: int, ranges: Sequence[tuple[int, int]], *, single: bool) -> None:
        self.line = line
        self.rank = rank
        self.ranges = list(ranges)
        self.single = single

    def narrow(self) -> None:
        """Leave out lines that stand further away than the next ones."""
        if self.single:
            near = range(self.line - _NARROW, self.line + _NARROW + 1)
            self.ranges = [
                (max(first, near[0]), min(last, near[-1])) if first <= self.line <= last else (first, last)
                for first, last in self.ranges
            ]

    def lessen(self) -> None:
        """Leave out all lines, but of many lines only the second half."""
        first, last = self.ranges[0]
        self.ranges = [] if self.single or last - first <= _LONG else [(first, (first + last) // 2)]


class Shown:
    """A file as far as it is shown: ranges of lines (1-based), and definitions that are only named.

    The latter are places in `tags.defs`. `hints` is what the question gives to names defined here, where the source
    itself is not weighed. `must` says that the user named or pinned the file: nothing shown of it is taken away, except
    what was added to its `firm` ranges. `fenced` says that the file is shown whole, in the form in which a model
    returns whole files: the path, then a fence. `heading` is the first line of a section that is no file (a folder, a
    diff): it begins with `path`, and the text is masked already. Of a file with `frames`, `ranges` are at first the
    ranges of these and those of its `base`.
    """

    __slots__ = (
        "_named", "base", "fenced", "firm", "frames", "heading", "hints", "lines", "must", "names", "path", "pieces", "place", "ranges", "tags", "why", "words", "worth",
    )  # fmt: skip

    def __init__(
        self, path: str, lines: list[str], tags: Tags | None, why: str, worth: float = 1.0, *,
        ranges: Iterable[tuple[int, int]] = (), must: bool = False, place: int = CHOSEN, heading: str = "",
    ) -> None:  # fmt: skip
        self.path = path
        self.lines = lines
        self.tags = tags
        self.why = why
        self.worth = worth
        self.pieces: list[Segment] = []
        self.hints: dict[str, float] = {}
        self.ranges = list(ranges)
        self.names: list[int] = []
        self.firm: list[tuple[int, int]] = []
        self.frames: list[Frame] = []
        self.base: list[tuple[int, int]] = []
        self.words: list[str] = []
        self.must = must
        self.place = place
        self.fenced = False
        self.heading = heading
        self._named: tuple[Tags | None, list[int], str] = (None, [], "")

    def draw(self) -> str:
        """Return the file's section: a line that begins with its path, the lines shown, the names of the rest."""
        names, path = self.named(), visible.name(self.path)
        if not self.ranges:
            return f"{path} defines {names}\n" if names else f"{path}\n"
        body = "\n⋮\n".join("\n".join(self.lines[first - 1 : last]) for first, last in self.ranges)
        if self.fenced:
            fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(body)), default=0))
            return f"{path}\n{fence}\n{body}\n{fence}\n"
        return f"{self.title()}\n{body}\n" + (f"⋮ also defines {names}\n" if names else "")

    def named(self) -> str:
        """Return the definitions that are only named, on one line."""
        if not self.tags or not self.names:
            return ""
        if self._named[0] is not self.tags or self._named[1] != self.names:
            self._named = (self.tags, self.names[:], repo_map.names(self.tags, self.names))
        return self._named[2]

    def title(self) -> str:
        """Return the path, with the numbers of the lines shown."""
        if self.heading:
            return self.heading
        return visible.name(self.path) + (
            ":" + ",".join(f"{first}-{last}" for first, last in self.ranges) if self.ranges else ""
        )


def spend(shown: Sequence[Shown], budget: int, measure: Measure) -> None:
    """Choose ranges and names of files, the best first, for at most about `budget` tokens."""
    high = max((piece.score for file in shown for piece in file.pieces), default=1.0) or 1.0
    rows = _order(shown, high)
    share = min(NAMES_MOST, NAMES_LEAST + NAMES_MORE * budget / 1000)
    budget += (before := measure.joined([file.draw() for file in shown if file.ranges or file.names]))
    used = before + _fill(rows, budget - before - int((budget - before) * share), measure)
    _name_best(shown, budget - used, high, measure)
    _join(shown)
    for _ in range(_LOOKS):  # joined ranges cost less than separate ones, and names may not use all of their share
        left = budget - measure.joined([file.draw() for file in shown if file.ranges or file.names])
        if left <= _REST or not _fill(rows, left, measure):
            break
        _join(shown)


def _order(shown: Sequence[Shown], high: float) -> list[tuple[float, Shown, Segment]]:
    """Return the pieces of files with their rough prices, the best worth for the price first.

    The more of a file comes before a piece, the less the piece is worth.
    """
    pool = []
    for file in shown:
        for piece in file.pieces:
            rough = _rough(file, piece)
            value = (
                file.worth * (PLAIN_PIECE + (piece.score / high) ** SHARP_PIECE) * piece.past / (rough + FIXED) ** SIZE
            )
            pool.append((value, rough, file, piece))
    pool.sort(key=lambda row: -row[0])
    before = dict.fromkeys((file.path for file in shown), 0.0)
    for at, (value, rough, file, piece) in enumerate(pool):
        pool[at] = (value / (1 + (before[file.path] / ENOUGH) ** 2), rough, file, piece)
        before[file.path] += rough
    pool.sort(key=lambda row: -row[0])
    return [(rough, file, piece) for _, rough, file, piece in pool]


def level(file: Shown) -> None:
    """Stop a definition from winning over others of its name by being short: it may only call the one meant."""
    prices: dict[str, list[float]] = {}
    for piece in file.pieces:
        prices.setdefault(piece.tag.name if piece.tag else "", []).append(_rough(file, piece) + FIXED)
    for piece in file.pieces:
        piece.past *= ((_rough(file, piece) + FIXED) / min(prices[piece.tag.name if piece.tag else ""])) ** SIZE


def _rough(file: Shown, piece: Segment) -> float:
    """Return roughly how many tokens a piece takes."""
    return 3 + sum(map(len, file.lines[piece.first - 1 : piece.last])) / _CHARACTERS


def _join(shown: Sequence[Shown]) -> None:
    """Join the ranges of each file, and drop names of definitions that stand in them."""
    for file in shown:
        file.ranges = join(file.ranges)
        if file.tags and file.names:
            file.names = [at for at in file.names if not _seen(file, file.tags.defs[at].start)]


def _fill(rows: Sequence[tuple[float, Shown, Segment]], room: int, measure: Measure) -> int:
    """Show pieces, the best first, while there is room; return the tokens used."""
    used = misses = 0
    for rough, file, piece in rows:
        if misses > _MISSES or used > room - 25:
            break
        if _covered(file, piece):
            continue
        if used + 0.6 * rough > room:
            misses += 1
            continue
        ranges = _with_head(file, piece)
        cost = sum(measure.count("\n".join(file.lines[first - 1 : last])) + 3 for first, last in ranges)
        cost += 0 if file.ranges else measure.count(file.path) + 8
        if used + cost > room:
            misses += 1
            continue
        used += cost
        file.ranges += ranges
        file.words += [word for word in piece.words if word not in file.words]
        if piece.why and piece.why not in file.why:
            file.why = "; ".join(filter(None, [file.why, piece.why]))
    return used


def _name_best(shown: Sequence[Shown], room: int, high: float, measure: Measure) -> int:
    """Name definitions that are not shown, the best for their price first; return the tokens used.

    The worth of a name comes from its file and from the question; a name in a file of many names is worth less.
    """
    rows: list[tuple[float, float, Shown, int]] = []
    for file in shown:
        if not file.tags or not file.tags.defs or file.names:
            continue
        given = _given(file)
        share = file.worth**NAME_FILE / len(file.tags.defs) ** 0.5
        for at, tag in enumerate(file.tags.defs):
            if not (file.ranges and _seen(file, tag.start)):
                price = 1.2 + len(tag.name) / 4
                value = PLAIN_NAME + given.get(tag.name, 0.0) / high
                rows.append((share * value * (VAGUE_NAME if tag.kind in _VAGUE else 1) / price, price, file, at))
    rows.sort(key=lambda row: -row[0])
    aim, cost = float(room), 0
    # prices are estimates: the choice is counted, and made again if it costs too much or too little
    for _ in range(_LOOKS):
        picked: dict[str, list[int]] = {}
        left, told = aim, set()
        for _, price, file, at in rows:
            if left < 2:
                break
            assert file.tags is not None  # noqa: S101 - rows are of files that have tags
            key = (file.path, file.tags.defs[at].name)
            full = price + (0 if file.ranges or file.path in picked else 4 + len(file.path) / 4)
            if key in told or full > left:
                continue
            left -= full
            told.add(key)
            picked.setdefault(file.path, []).append(at)
        cost = 0
        for file in shown:
            if file.tags and file.path in picked:
                names = repo_map.names(file.tags, picked[file.path])
                cost += measure.count(names if file.ranges else f"{file.path} defines {names}") + 4
        if cost <= room and (cost > 0.93 * room or left > 8):
            break
        aim *= min(1.3, 0.97 * room / max(1, cost))
    for file in shown:
        if file.path in picked:
            file.names = sorted(picked[file.path])
    return cost


def whole(lines: Sequence[str]) -> tuple[int, int]:
    """Return the range of all lines of a file, without the empty one behind its last line feed."""
    return 1, max(1, len(lines) - (not lines[-1]))


def join(ranges: Iterable[tuple[int, int]], apart: int = 3) -> list[tuple[int, int]]:
    """Sort ranges, and join those that overlap or have at most `apart` - 1 lines between them."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + apart:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _seen(file: Shown, line: int) -> bool:
    return any(first <= line <= last for first, last in file.ranges)


def _given(file: Shown) -> dict[str, float]:
    """Return what the question gives to the names that a file defines, by its hints and its pieces."""
    given = dict(file.hints)
    for piece in file.pieces:
        if piece.tag is not None:
            given[piece.tag.name] = max(given.get(piece.tag.name, 0.0), piece.score)
    return given


def _covered(file: Shown, piece: Segment) -> bool:
    return any(first <= piece.first and piece.last <= last for first, last in file.ranges)


def _with_head(file: Shown, piece: Segment) -> list[tuple[int, int]]:
    """Return the lines of a piece, after the line that declares its definition if the piece begins below that."""
    tag = piece.tag
    if tag is None or not tag.start < piece.first <= tag.end:
        return [(piece.first, piece.last)]
    line = tag.declared
    if not tag.start <= line < min(tag.start + 12, piece.first) or any(a <= line <= b for a, b in file.ranges):
        return [(piece.first, piece.last)]
    return [(line, line), (piece.first, piece.last)]


def name(file: Shown, tags: Tags, room: int, measure: Measure) -> int:
    """Name the definitions of a file that are not shown, as many as there is room for; return the tokens used."""
    rest = [
        at for at, tag in enumerate(tags.defs) if not any(first <= tag.start <= last for first, last in file.ranges)
    ]
    head = 4 if file.ranges else measure.count(file.path) + 3
    while rest:
        cost = measure.count(repo_map.names(tags, rest)) + head
        if cost <= room:
            file.names = rest
            return cost
        keep = int(len(rest) * max(0.0, room - head) / max(1, cost - head) * 0.95)
        rest = _best(file, tags, rest, min(keep, len(rest) - 1))
    return 0


def _best(file: Shown, tags: Tags, rest: list[int], most: int) -> list[int]:
    """Keep the definitions to which the question gives most, functions before constants."""
    given = _given(file)
    defs = tags.defs
    order = sorted(rest, key=lambda at: (-given.get(defs[at].name, 0.0), defs[at].kind in _VAGUE, at))
    return sorted(order[:most])


def complete(shown: Sequence[Shown], budget: int, measure: Measure) -> None:
    """Show files whole instead of in parts, for a model that returns whole files.

    Such a model cannot return a file of which it saw only a part. The foremost file is shown whole if it fits the
    budget, others while there is room.
    """
    parts = [
        file for file in shown if file.ranges and file.lines and not file.heading and file.place not in {RULES, RULED}
    ]
    room = budget - measure.joined([file.draw() for file in shown])
    for at, file in enumerate(sorted(parts, key=lambda file: (not file.must, -file.worth))):
        before = measure.count(file.draw())
        kept = file.ranges, file.names, file.fenced
        file.ranges, file.names, file.fenced = [whole(file.lines)], [], True
        size = measure.count(file.draw())
        if at == 0 and size <= budget:
            file.must = True  # the other files give way to it
            file.firm = []
        elif size - before > room:
            file.ranges, file.names, file.fenced = kept
            continue
        room -= size - before


def shrink(shown: Sequence[Shown]) -> bool:
    """Take a little away from the least important file that the user did not name; say whether there was any."""
    for file in reversed(shown):
        if file.names and not file.must:
            file.names = file.names[: -max(1, len(file.names) // 4)]
            return True
    for file in reversed(shown):
        if file.firm and file.ranges != file.firm:
            file.ranges, file.firm = file.firm, []
            return True
        if file.ranges and not file.must:
            file.firm = []  # from here on its own ranges give way as well
            first, last = file.ranges.pop()
            if last - first > _LONG:
                file.ranges.append((first, (first + last) // 2))
            return True
    return False
