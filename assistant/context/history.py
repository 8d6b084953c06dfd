"""What git history tells: which files and lines changed lately, which together, and for which words.

It is a bounded read of the log, cached by HEAD.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from assistant.context import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assistant.context.query import Query
    from assistant.context.repo import Commit, Repo

    _Files = dict[str, list[tuple[int, int, int, int]]]

COMMITS, CLOSE = 1_500, 50
"""How many commits are read for their files, and how many of them line by line."""
_WIDE = 12
"""A commit of more files than this says little about any of them."""
_MANY = 30
"""The most places that one commit may touch in a file; with more, none of them tells anything."""
FRESH = 0.9
"""The share of their freshness that lines keep with each newer commit."""
_LOOK_S = 5.0
"""The most seconds for reading commits line by line: changes in a generated file are worth no more."""
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]+")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Touch(NamedTuple):
    """Lines that one commit left in a file, numbered as now, their freshness, and how its message fits the question."""

    spans: Sequence[int]
    fresh: float
    alike: float


class History(NamedTuple):
    """Commits, the newest first: terms of the message, files, and for the newest the lines touched in each file.

    Lines are pairs of first and last, one after the other, numbered as in HEAD.
    """

    commits: Sequence[tuple[frozenset[str], tuple[str, ...], Sequence[Sequence[int]]]]

    def votes(self, query: Query, idfs: dict[str, float]) -> Iterator[tuple[str, float, str]]:
        """Yield files, each with a value and a reason.

        Messages like the question give up to 10, mostly far less; recent changes give up to 2.
        """
        total = sum(weight * idfs.get(term, 0.0) for term, weight in query.weights.items()) or 1.0
        alike: Counter[str] = Counter()
        lately: Counter[str] = Counter()
        for age, (words, files, _) in enumerate(self.commits):
            share = 1 / len(files) ** 0.5
            common = sum(query.weights[term] * idfs.get(term, 0.0) for term in words if term in query.weights)
            for path in files:
                alike[path] += share * (common / total) ** 2
                lately[path] += share * 0.99**age
        best = max(alike.values(), default=0.0)
        for path, value in alike.items():
            if value > 0.05 * best:
                yield path, 10.0 * value / (value + 0.5), "changed for words like these"
        top = max(lately.values(), default=1.0)
        for path, value in lately.items():
            if value > 0.02 * top:
                yield path, 2.0 * (value / top) ** 0.5, "changed lately"

    def touched(self, query: Query, idfs: dict[str, float]) -> dict[str, list[Touch]]:
        """Return, by file, the lines that the newest commits left in it, the newest commit first."""
        total = sum(weight * idfs.get(term, 0.0) for term, weight in query.weights.items()) or 1.0
        found: dict[str, list[Touch]] = defaultdict(list)
        for age, (words, files, places) in enumerate(self.commits[:CLOSE]):
            share = 1 / len(files) ** 0.5
            common = sum(query.weights[term] * idfs.get(term, 0.0) for term in words if term in query.weights)
            for path, spans in zip(files, places, strict=False):
                if spans:
                    found[path].append(Touch(spans, share * FRESH**age, share * (common / total) ** 2))
        return found

    def together(self, path: str) -> dict[str, float]:
        """Return, for each other file, the share of this file's commits in which it changed too."""
        mine = 0
        found: dict[str, float] = defaultdict(float)
        for _, files, _ in self.commits:
            if path in files:
                mine += 1
                for other in files:
                    found[other] += 1
        found.pop(path, None)
        return {other: times / (mine + 2) for other, times in found.items() if times > 1}


def read(
    repo: Repo, commits: Sequence[Commit] | None = None, *, timeout_s: float = 20.0
) -> list[tuple[list[str], list[str], list[list[int]]]]:
    """Read the log: for each commit the terms of its subject, its paths, and where it touched them.

    Empty without a repository. `commits` are those of the log, where they have been read.
    """
    found = []
    commits = repo.history(COMMITS, timeout_s=timeout_s) if commits is None else commits
    lines = places(_close(repo, commits, min(timeout_s, _LOOK_S))) if commits else {}
    for commit in commits:
        if 1 <= len(commit.paths) <= _WIDE:
            subject = commit.subject[:300].encode("utf-8", "replace")
            words = {term for word in _WORD.findall(subject) for term in terms.of_identifier(word)}
            here = lines.get(commit.id, {})
            spans = [here.get(path, []) for path in commit.paths] if here else []
            found.append((sorted(words - terms.COMMON), list(commit.paths), spans))
    return found


def _close(repo: Repo, commits: Sequence[Commit], timeout_s: float) -> Iterator[tuple[str, _Files]]:
    """Yield what commits did to the files that narrow commits (of few files) touched.

    Of wide commits nothing else counts, and they take longest to read.
    """
    narrow = [each for each in commits if 1 <= len(each.paths) <= _WIDE][:CLOSE]
    if not narrow:
        return
    commits = commits[: commits.index(narrow[-1]) + 1]
    wanted = {path for each in narrow for path in each.paths}
    found = dict(hunks(repo.hunks([each.id for each in narrow], timeout_s=timeout_s)))
    shared = [(each.id, wanted.intersection(each.paths)) for each in commits if len(each.paths) > _WIDE]
    if paths := sorted(set().union(*(some for _, some in shared))):
        found |= hunks(repo.hunks([each for each, some in shared if some], paths, timeout_s=timeout_s))
    for each in commits:
        if each.id in found:
            yield each.id, found[each.id]


def places(commits: Iterable[tuple[str, _Files]]) -> dict[str, dict[str, list[int]]]:
    """Return, by commit (the newest first) and path, the lines that it left, as they are numbered in HEAD.

    They are pairs of first and last. Lines that newer commits added or removed above them are reckoned with. Commits of
    merged branches stand in the order of their dates, so their numbers can be a little off.
    """
    shifts: dict[str, list[_Shift]] = defaultdict(list)
    found: dict[str, dict[str, list[int]]] = {}
    for commit, files in commits:
        held = found[commit] = {}
        for path, rows in files.items():
            newer = shifts[path]
            if len(rows) <= _MANY:
                spans: list[int] = []
                held[path] = spans
                for _, _, start, count in rows:
                    first, last = (start, start + count - 1) if count else (start, start + 1)
                    for shift in reversed(newer):
                        first, last = shift.of(first), shift.of(last, within=True)
                    spans += (first, max(first, last))
            newer.append(_Shift(rows))
    return found


class _Shift:
    """How one commit moved the line numbers of a file."""

    __slots__ = ("_by", "_ends")

    def __init__(self, rows: Iterable[tuple[int, int, int, int]]) -> None:
        rows = list(rows)
        # Twice the number of the last removed line; where none was removed, one more: new lines stand behind that line.
        self._ends = [2 * (first + count - 1) if count else 2 * first + 1 for first, count, _, _ in rows]
        self._by = [0, *accumulate(more - count for _, count, _, more in rows)]

    def of(self, line: int, *, within: bool = False) -> int:
        """Return the number of a line after the commit; `within` gives the last of lines that were changed."""
        return line + self._by[(bisect_right if within else bisect_left)(self._ends, 2 * line)]


def hunks(log: bytes) -> Iterator[tuple[str, _Files]]:
    """Read the output of `Repo.hunks`: yield commits, each with the old and new line ranges by path."""
    rows = log.split(b"\n")
    at, commit, path = 0, "", ""
    files: _Files = {}
    while at < len(rows):
        row = rows[at]
        at += 1
        if row[:1] == b"\x02":
            if commit:
                yield commit, files
            commit, path, files = row[1:].decode("ascii", "replace"), "", {}
        elif row[:6] == b"+++ b/":
            # A path with a blank ends in a tab. A path with quotes or control characters is quoted, and left out.
            path = row[6:].rstrip(b"\t").decode("utf-8", "surrogateescape")
        elif row[:4] == b"+++ ":
            path = ""
        elif row[:3] == b"@@ " and (match := _HUNK.match(row)):
            old, gone, new, come = (int(number) if number else 1 for number in match.groups())
            if path:
                files.setdefault(path, []).append((old, gone, new, come))
            for count in (gone, come):  # skip the hunk's lines, which may look like a heading
                at += count
                if count and rows[at : at + 1] and rows[at][:1] == b"\\":  # "No newline at end of file"
                    at += 1
    if commit:
        yield commit, files


def pack(commits: Sequence[tuple[list[str], list[str], list[list[int]]]]) -> str:
    """Write commits as text for the store."""
    return json.dumps(commits, separators=(",", ":"))


def unpack(text: str) -> History:
    """Read what `pack` wrote, now or before it kept lines. Raises ValueError for anything else."""
    try:
        rows = json.loads(text or "[]")
        return History([(frozenset(row[0]), tuple(row[1]), row[2] if len(row) > 2 else ()) for row in rows])
    except (TypeError, KeyError, IndexError, RecursionError) as error:
        raise ValueError("no commits") from error
