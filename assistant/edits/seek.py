"""Finding the place of some lines in a file, ever gentler, and never guessing between two places.

Each rung says when two lines count as the same. A rung is only tried when the ones before it found nothing; a rung that
finds several places ends the search, because a gentler one cannot tell them apart either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from assistant.edits.compare import changes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TYPOGRAPHY = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2013": "-",
        "\u2014": "-", "\u2011": "-", "\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": None,
    }
)  # fmt: skip
_NEAR_LINE = 0.85
_NEAR_LENGTH = 12
_DECLARES = re.compile(
    r"^\s*(?:async |export |pub |public |private |static )*(?:def|class|fn|func|function|struct|enum|trait|impl|interface|type)\b"
)
_NEAR_SHARE = 0.6
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A place: 0-based first line, which rung found it, and what must be put before new lines (or taken off them)."""

    start: int
    rung: str
    indent: str = ""
    outdent: str = ""


def bare(line: str) -> str:
    """A line without its end."""
    return line.rstrip("\r\n")


def seek(lines: Sequence[str], old: Sequence[str], new: Sequence[str]) -> list[Found]:
    """Return all places of `old` in `lines` on the first rung that has any; one is success, several are ambiguous.

    `lines` and `old` are lines with or without ends; `new` is what shall stand there, which the last rung needs to know
    which lines go and which are only context.
    """
    if not old:
        return []
    file = [bare(line) for line in lines]
    wish = [bare(line) for line in old]
    for rung, same in (("exact", _itself), ("trailing blanks", str.rstrip)):
        places = _places(file, wish, same)
        if places:
            return [Found(at, rung) for at in places]
    shifted = _shifted(file, wish)
    if shifted:
        return shifted
    places = _places(file, wish, _plain)
    if places:
        return [Found(at, "typography") for at in places]
    return _near(file, wish, [bare(line) for line in new])


def _itself(line: str) -> str:
    return line


def _plain(line: str) -> str:
    return line.translate(_TYPOGRAPHY).rstrip()


def _places(file: Sequence[str], wish: Sequence[str], same: Callable[[str], str]) -> list[int]:
    want = [same(line) for line in wish]
    have = [same(line) for line in file]
    # The rarest line of the wish is looked for first: most files then need one pass and few comparisons.
    key = max(range(len(want)), key=lambda index: len(want[index]))
    found = []
    for at, line in enumerate(have):
        start = at - key
        if (
            line == want[key]
            and start >= 0
            and start + len(want) <= len(have)
            and have[start : start + len(want)] == want
        ):
            found.append(start)
    return found


def _shifted(file: Sequence[str], wish: Sequence[str]) -> list[Found]:
    """Find places where every line is indented by the same blanks more, or less, than in the wish."""
    first = next((index for index, line in enumerate(wish) if line.strip()), None)
    if first is None:
        return []
    found = []
    core = wish[first].strip()
    for at, line in enumerate(file):
        start = at - first
        if line.strip() != core or start < 0 or start + len(wish) > len(file):
            continue
        mine, theirs = _lead(line), _lead(wish[first])
        if mine.endswith(theirs):
            more, less = mine[: len(mine) - len(theirs)], ""
        elif theirs.endswith(mine):
            more, less = "", theirs[: len(theirs) - len(mine)]
        else:
            continue
        if all(_same_shifted(file[start + index], each, more, less) for index, each in enumerate(wish)):
            found.append(Found(start, "indentation", more, less))
    return found


def _same_shifted(have: str, want: str, more: str, less: str) -> bool:
    if not want.strip():
        return not have.strip()
    return have.rstrip() == (more + want if more else want.removeprefix(less)).rstrip() and want.startswith(less)


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _near(file: Sequence[str], wish: Sequence[str], new: Sequence[str]) -> list[Found]:
    """Find the one place where every line that goes is there, and the context differs by no more than a slip.

    Lines that stay are kept as the file has them, so a slip of the model in its context never reaches the disk. What is
    inserted must have a true line beside it.
    """
    runs = changes(wish, new)
    if len(wish) < _FEWEST or not runs:
        return []
    must = {index for a, b, _, _ in runs for index in range(a, b)}
    for a, b, _, _ in runs:
        if a == b:
            must |= {a - 1} if a else {a}
    must = {index for index in must if index < len(wish)}
    solid = [index for index in must if len(wish[index].strip()) > 1]
    if not solid:
        return []
    have = [_plain(line) for line in file]
    want = [_plain(line) for line in wish]
    key = max(solid, key=lambda index: len(want[index]))
    found: list[Found] = []
    for at, line in enumerate(have):
        start = at - key
        if line != want[key] or start < 0 or start + len(want) > len(have):
            continue
        if any(have[start + index] != want[index] for index in must):
            continue
        same = sum(have[start + index] == each for index, each in enumerate(want))
        if same / len(want) < _NEAR_SHARE:
            continue
        if all(have[start + index] == each or _slip(have[start + index], each) for index, each in enumerate(want)):
            found.append(Found(start, "near"))
    return found


def _slip(have: str, want: str) -> bool:
    """Whether two lines differ by no more than a slip; a line that declares something must be the very one."""
    if min(len(have.strip()), len(want.strip())) < _NEAR_LENGTH or _DECLARES.match(have) or _DECLARES.match(want):
        return False
    return _alike(have, want) >= _NEAR_LINE


def _alike(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _NEAR_LINE else 0.0


def nearest(lines: Sequence[str], old: Sequence[str], limit: int = 2) -> list[tuple[int, int, float]]:
    """Return the places most like `old`: 0-based start, behind-last line, likeness (0 to 1); the best first."""
    file = [bare(line).strip() for line in lines]
    wish = [bare(line).strip() for line in old]
    votes: dict[int, float] = {}
    where: dict[str, list[int]] = {}
    for index, line in enumerate(file):
        if line:
            where.setdefault(line, []).append(index)
    for index, line in enumerate(wish):
        places = where.get(line, [])
        for at in places[:200]:
            start = min(max(0, at - index), max(0, len(file) - len(wish)))
            votes[start] = votes.get(start, 0.0) + 1 / len(places)
    if not votes:
        from rapidfuzz import fuzz, process

        longest = max(range(len(wish)), key=lambda index: len(wish[index]), default=None)
        if longest is None or not where:
            return []
        for match in process.extract(wish[longest], list(where), scorer=fuzz.ratio, limit=limit, score_cutoff=50):
            votes[max(0, where[match[0]][0] - longest)] = match[1] / 100
    size = max(1, len(wish))
    best = sorted(votes, key=lambda start: -votes[start])[: limit * 4]
    rated = [
        (start, start + size, SequenceMatcher(None, wish, file[start : start + size], autojunk=False).ratio())
        for start in best
    ]
    rated.sort(key=lambda each: (-each[2], -votes[each[0]]))
    return [(start, min(end, len(file)), likeness) for start, end, likeness in rated[:limit]]
