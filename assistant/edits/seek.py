"""Finding the place of some lines in a file, with growing tolerance, and never guessing between two places.

Each rung says how the lines of a reply may differ from those of the file. A rung is tried only if the ones before it
found nothing; a rung that finds several places ends the search, because a more tolerant one cannot tell them apart
either. A rung returns what it finds in the file's own terms: `old` as compared, `new` moved, re-indented or mended
alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.edits.compare import changes

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence

_MOST = 50
"""Most places that are counted; a search with more is just as ambiguous."""
_GUESSES = 50
"""Most searches of one file for lines that are merely alike: a reply that misses more often is not helped by them."""
_LONG = 2_000
_NEAREST = 2
"""Most places that are named when an edit finds none."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place: its 0-based first line, the lines there as the reply has them, the new lines, and the rung.

    `source` says for each new line which line of the edit's `after` it is, -1 for a line of the file itself.
    """

    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    source: tuple[int, ...]
    rung: str

    @property
    def end(self) -> int:
        """The 0-based line after the last one."""
        return self.start + len(self.old)


class Index:
    """The lines of one file and where each stands, under every reading that was asked for."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = [bare(line) for line in lines]
        self._read: dict[str, list[str]] = {}
        self._where: dict[str, dict[str, list[int]]] = {}
        self._holds: dict[re.Pattern[str], bool] = {}
        self.guessed = 0

    def holds(self, pattern: re.Pattern[str]) -> bool:
        """Say whether any line of the file matches a pattern; the answer is kept, however many edits ask."""
        if pattern not in self._holds:
            self._holds[pattern] = any(map(pattern.search, self.lines))
        return self._holds[pattern]

    @cached_property
    def ascii(self) -> bool:
        """Whether the file is all ASCII."""
        return all(map(str.isascii, self.lines))

    @cached_property
    def indents(self) -> tuple[int, int]:
        """How many lines are indented by two spaces or more, and how many by tabs."""
        return sum(line.startswith("  ") for line in self.lines), sum(line.startswith("\t") for line in self.lines)

    @cached_property
    def told(self) -> tuple[list[int], dict[int, int]]:
        """The places of the lines that are not blank, in order, and the rank of each place among them."""
        rows = [at for at, line in enumerate(self.lines) if line.strip()]
        return rows, {at: row for row, at in enumerate(rows)}

    @cached_property
    def guessable(self) -> list[str]:
        """The distinct lines that are short enough to be compared letter by letter."""
        return [line for line in self.where("stripped", str.strip) if len(line) < _LONG]

    def read(self, name: str, key: Callable[[str], str]) -> list[str]:
        """Return all lines in one reading."""
        if name not in self._read:
            self._read[name] = [key(line) for line in self.lines]
        return self._read[name]

    def where(self, name: str, key: Callable[[str], str]) -> dict[str, list[int]]:
        """Map each line in one reading to its places, in order."""
        if name not in self._where:
            places: dict[str, list[int]] = {}
            for at, line in enumerate(self.read(name, key)):
                places.setdefault(line, []).append(at)
            self._where[name] = places
        return self._where[name]

    def places(self, wish: Sequence[str], name: str, key: Callable[[str], str]) -> list[int]:
        """Return where all of `wish` occurs, line for line under one reading; 0-based, at most a few dozen places."""
        want = [key(line) for line in wish]
        where = self.where(name, key)
        told = [index for index, line in enumerate(want) if line.strip()]
        if not told:
            return []
        rarest = min(told, key=lambda index: len(where.get(want[index], ())))
        have = self.read(name, key)
        found: list[int] = []
        for at in where.get(want[rarest], ()):
            start = at - rarest
            if start >= 0 and have[start : start + len(want)] == want:
                found.append(start)
                if len(found) == _MOST:
                    break
        return found


@dataclass(slots=True)
class Wish:
    """The lines to find and the lines to put there, without line ends; `signed`: each came after a diff's sign."""

    old: list[str]
    new: list[str]
    source: list[int] = field(default_factory=list)
    signed: bool = False

    def __post_init__(self) -> None:
        if not self.source:
            self.source = list(range(len(self.new)))


def bare(line: str) -> str:
    """Return a line without its end."""
    return line.rstrip("\r\n")


def lead(line: str) -> str:
    """Return the whitespace that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def itself(line: str) -> str:
    """The reading that changes nothing."""
    return line


def strictly(index: Index, wish: Wish) -> list[Found]:
    """Find lines that are equal, or equal but for trailing whitespace."""
    for rung, key in (("exact", itself), ("trailing blanks", str.rstrip)):
        places = index.places(wish.old, rung, key)
        if places:
            return [settle(index, at, wish, rung) for at in places]
    return []


def settle(index: Index, start: int, wish: Wish, rung: str) -> Found:
    """Make a place of a start. Trailing whitespace that only the reply has is removed from its new lines as well."""
    new = wish.new
    there = index.lines[start : start + len(wish.old)]
    pairs = [*zip(wish.old, there, strict=True)]
    if any(line != line.rstrip() and have == have.rstrip() and have.strip() for line, have in pairs):
        known = {line for line, have in pairs if line == have}
        old, new = ([line if line in known else line.rstrip() for line in lines] for lines in (wish.old, wish.new))
        return Found(start, tuple(old), tuple(new), tuple(wish.source), rung)
    if rung == "trailing blanks":
        new = _moved(wish, there)
    return Found(start, tuple(wish.old), tuple(new), tuple(wish.source), rung)


def _moved(wish: Wish, there: Sequence[str]) -> list[str]:
    """Return the new lines; a line that only moves keeps the trailing whitespace that it has in the file.

    If the reply quotes the file's very whitespace and writes other whitespace, it means that.
    """
    runs = changes(wish.old, wish.new)
    gone: dict[str, list[tuple[str, str]]] = {}
    for a, b, _, _ in runs:
        for want, have in zip(wish.old[a:b], there[a:b], strict=True):
            gone.setdefault(want.rstrip(), []).append((want, have))
    new = list(wish.new)
    for at in (at for _, _, c, d in runs for at in range(c, d)):
        if new[at].strip() and gone.get(new[at].rstrip()):
            want, have = gone[new[at].rstrip()].pop(0)
            new[at] = have if want != have else new[at]
    return new


def nearest(index: Index, old: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return the places most like `old`, best first: 0-based start, exclusive end, likeness (0 to 1)."""
    where = index.where("stripped", str.strip)
    file = index.read("stripped", str.strip)
    wish = [line.strip() for line in old][:200]
    size = max(1, len(wish))
    votes: dict[int, float] = {}
    for start, weight in _votes(wish, where):
        place = min(max(0, start), max(0, len(file) - size))
        votes[place] = votes.get(place, 0.0) + weight
    if not votes:
        from rapidfuzz import fuzz, process

        longest = max(range(len(wish)), key=lambda index: len(wish[index]), default=None)
        if longest is None or not wish[longest]:
            return []
        index.guessed += 1
        if index.guessed > _GUESSES:
            return []
        for match in process.extract(
            wish[longest][:_LONG], index.guessable, scorer=fuzz.ratio, limit=_NEAREST, score_cutoff=50
        ):
            votes[max(0, where[match[0]][0] - longest)] = match[1] / 100
    best = sorted(votes, key=lambda start: -votes[start])[: _NEAREST * 4]
    rated = [(start, min(start + size, len(file)), _likeness(wish, file[start : start + size])) for start in best]
    rated.sort(key=lambda each: (-each[2], -votes[each[0]]))
    return rated[:_NEAREST]


def _votes(wish: Sequence[str], where: dict[str, list[int]]) -> Iterable[tuple[int, float]]:
    for index, line in enumerate(wish):
        places = where.get(line, ()) if line else ()
        for at in places[:100]:
            yield at - index, 1 / len(places)


def _likeness(wish: Sequence[str], have: Sequence[str]) -> float:
    """The share of characters in common: line by line where the lines pair up, else over the whole."""
    return SequenceMatcher(None, wish, have, autojunk=False).ratio() or _words(wish, have)


def _words(wish: Sequence[str], have: Sequence[str]) -> float:
    from rapidfuzz import fuzz

    return float(fuzz.ratio("\n".join(wish)[:4_000], "\n".join(have)[:4_000])) / 100
