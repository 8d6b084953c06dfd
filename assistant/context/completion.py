"""Completion of what is typed after `@`: a fuzzy search, fast enough for each keystroke with 100,000 paths.

The letters typed must stand in the path in that order. A path ranks higher when they stand together, begin a word, or
lie in its last name; among equals the more recent comes first, then the shorter.
"""

from __future__ import annotations

import heapq
import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LONGEST = 64
_ENOUGH = 500
"""The most paths that are scored one by one: first those in which a name begins with the letters, then others."""
_SAME = 20
_LIKELY = 15_000
"""The most paths with all the letters typed that are checked for their order."""
_SMALL = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Paths:
    """Paths made ready for completion, once for each listing; this takes about half a second for 100,000."""

    def __init__(self, paths: Sequence[str], recent: Mapping[str, float] | None = None) -> None:
        """`recent` gives some paths a number, larger for more recent ones (seconds of a change or of a use)."""
        self.paths = [path for path in paths if "\n" not in path]
        self.recent = recent or {}
        self._first = heapq.nsmallest(
            50, self.paths, key=lambda path: (-self.recent.get(path, 0.0), path.count("/"), path)
        )
        self._text = "\n".join(self.paths)
        self._small = _lowered(self._text)
        small = self._small.split("\n") if self.paths else []
        self._pairs = list(zip(self.paths, small, strict=True))
        self._named: dict[str, list[int]] = {}
        masks: dict[str, int] = {}
        self._masks: list[int] = []
        for number, path in enumerate(small):
            folder, _, name = path.rpartition("/")
            self._named.setdefault(name, []).append(number)
            for piece in (folder, name):
                if piece not in masks:
                    masks[piece] = _mask(piece)
            self._masks.append(masks[folder] | masks[name] | _SLASH)
        self._names = [(name, masks[name]) for name in self._named]

    def complete(self, typed: str, limit: int = 8) -> list[str]:
        """Return the paths that `typed` may mean, the best first."""
        wanted = _lowered(typed[:_LONGEST]).replace("\\", "/").removeprefix("./").replace("\n", "")
        if not wanted:
            return self._first[:limit]
        best: dict[str, tuple[float, ...]] = {}
        for search in (self._together, self._apart):
            for path, small in search(wanted, limit):
                if path not in best:
                    best[path] = self._rank(path, small, wanted)
            if len(best) >= limit:
                break
        return heapq.nsmallest(limit, best, key=lambda path: best[path])

    def _lines(self, spots: list[int]) -> list[tuple[str, str]]:
        """Return the paths that stand at given places of the text."""
        found: dict[int, int] = {}
        for spot in spots:
            start = self._text.rfind("\n", 0, spot) + 1
            if start not in found:
                end = self._text.find("\n", spot)
                found[start] = len(self._text) if end == -1 else end
        return [(self._text[start:end], self._small[start:end]) for start, end in found.items()]

    def _together(self, wanted: str, limit: int) -> list[tuple[str, str]]:
        """Return paths that contain `wanted` as it is; those in which a name begins with it are looked for first."""
        del limit
        spots = [0] if self._small.startswith(wanted) else []
        for mark in ("/" + wanted, "\n" + wanted, wanted):
            at = self._small.find(mark)
            while at != -1 and len(spots) < _ENOUGH:
                spots.append(at + len(mark) - len(wanted))
                at = self._small.find(mark, at + len(mark))
        return self._lines(spots)

    def _apart(self, wanted: str, limit: int) -> list[tuple[str, str]]:
        """Return paths that contain the letters in order, however far apart: in the last name, else anywhere."""
        letters = [letter for letter in wanted if not letter.isspace()]
        # Each part of the pattern stops at the next wanted letter and never backtracks: a path is walked once.
        match = re.compile("".join(f"[^{re.escape(letter)}]*+{re.escape(letter)}" for letter in letters)).match
        need = _mask("".join(letters))
        held = islice((name for name, mask in self._names if mask & need == need and match(name)), _ENOUGH)
        found = [number for name in held for number in self._named[name][:_SAME]]
        if len(found) < limit:
            likely = islice((number for number, mask in enumerate(self._masks) if mask & need == need), _LIKELY)
            found += islice((number for number in likely if match(self._pairs[number][1])), _ENOUGH)
        return [self._pairs[number] for number in found[:_ENOUGH]]

    def _rank(self, path: str, small: str, wanted: str) -> tuple[float, ...]:
        """Return the sort key of a path; the least comes first."""
        name = small.rsplit("/", 1)[-1]
        stem = name.rsplit(".", 1)[0]
        score = 0.0
        if wanted in {small, name, stem}:
            score += 100
        if (at := name.find(wanted)) != -1:
            score += 60 + (25 if at == 0 else 10 if not name[at - 1].isalnum() else 0) + 10 * len(wanted) / len(name)
        elif (at := small.find(wanted)) != -1:
            score += 45 + (15 if at == 0 or not small[at - 1].isalnum() else 0)
        else:
            score += 40 * _tightness(name, wanted) or 25 * _tightness(small, wanted)
        return (-round(score, 1), -self.recent.get(path, 0.0), float(len(path)))


class Marks:
    """All that an @-mark may name: the open diff, the last commit, files, folders, and defined names.

    `symbols` returns names that begin with some letters, at most a given number.
    """

    def __init__(
        self,
        paths: Sequence[str],
        recent: Mapping[str, float],
        symbols: Callable[[str, int], list[str]],
        stand: str = "",
    ) -> None:
        self._stand = stand
        self._paths = Paths(paths, recent)
        self._symbols = symbols
        self._folders: dict[str, list[str]] = {}
        known: set[str] = set()
        for path in self._paths.paths:
            end = path.rfind("/")
            while end != -1 and (folder := path[:end]) not in known:  # upwards, until a folder is known
                known.add(folder)
                self._folders.setdefault(_lowered(folder[folder.rfind("/") + 1 :]), []).append(folder)
                end = path.rfind("/", 0, end)
        self._all = frozenset(paths) | {f"{folder}/" for folder in known} if stand else frozenset()

    def files(self, typed: str, limit: int = 8) -> list[str]:
        """Return the files that `typed` may mean, the best first."""
        return self._paths.complete(typed.strip("\"'"), limit)

    def complete(self, typed: str, limit: int = 8) -> list[tuple[str, str]]:
        """Return what may stand after the mark, each with a description ("" for files), the best first."""
        found = [(name, about) for name, about in _OTHERS.items() if typed and name.startswith(typed)]
        wanted = _lowered(typed.strip("\"'")).replace("\\", "/").removeprefix("./")
        folders = self._within(wanted.rstrip("/")) if wanted else []
        names = self._symbols(typed, limit) if typed.isidentifier() else []
        files = self.files(typed, limit)
        if wanted and not wanted.endswith("/") and folders and folders[0].lower() == wanted:
            found.append((self._from_root(f"{folders.pop(0)}/"), "folder"))
        room = limit - len(found)
        some = [
            *((self._from_root(f"{path}/"), "folder") for path in folders[:2]),
            *((name, "defined here") for name in names),
        ]
        few = max(0, room - len(files[: room - min(3, len(some))]))
        found += [(self._from_root(path), "") for path in files[: room - min(few, len(some))]]
        return [*found, *some][:limit]

    def _from_root(self, path: str) -> str:
        """Return a path as it is marked: with "/" before it where it would mean another one from where the user stands."""
        return f"/{path}" if f"{self._stand}{path}" in self._all else path

    def _within(self, wanted: str) -> list[str]:
        """Return folders whose last name begins with what is typed, below a path with the rest; the shortest first."""
        above, _, last = wanted.rpartition("/")
        names = [name for name in self._folders if name.startswith(last)]
        names.sort(key=lambda name: (name != last, len(name)))
        found: list[str] = []
        for name in names:
            some = self._folders[name]
            found += some[:_SAME] if not above else [path for path in some if above in _lowered(path)][:_SAME]
            if len(found) >= _SAME:
                break
        return heapq.nsmallest(3, found, key=lambda path: (path.lower() != wanted, path.count("/"), len(path)))


_OTHERS = {"diff": "what is not committed", "commit": "the last commit"}
_SLASH = 1 << (ord("/") % 64)


def _mask(text: str) -> int:
    """Return a bit mask of the letters of a text."""
    mask = 0
    for letter in set(text):
        mask |= 1 << (ord(letter) % 64)
    return mask


def _lowered(text: str) -> str:
    """Return a text in lower case and of the same length: if a letter would become two, only ASCII letters change."""
    small = text.lower()
    return small if len(small) == len(text) else text.translate(_SMALL)


def _tightness(text: str, wanted: str) -> float:
    """Return how closely letters stand in order: 1 if each begins a word or follows the last, 0 if any is missing."""
    at, good, last = -1, 0.0, -2
    for letter in wanted:
        if letter.isspace():
            continue
        at = text.find(letter, at + 1)
        if at == -1:
            return 0.0
        good += 1.0 if at == last + 1 or at == 0 or not text[at - 1].isalnum() else 0.3
        last = at
    return good / len(wanted)


def complete(paths: Sequence[str], fragment: str, limit: int = 8) -> list[str]:
    """Return the paths that a fragment may mean, the best first; for more than one keystroke keep a `Paths`."""
    return Paths(paths).complete(fragment, limit)
