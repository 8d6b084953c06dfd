"""What git history knows: which files changed lately, together, and for what words. A bounded read of the log, cached by HEAD."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from assistant.context import terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assistant.context.query import Query
    from assistant.context.repo import Repo

COMMITS = 1_500
_WIDE = 12
"""A commit of more files says little about any of them."""
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]+")


class History(NamedTuple):
    """Commits, the newest first: the terms of the message, and the files."""

    commits: Sequence[tuple[frozenset[str], tuple[str, ...]]]

    def votes(self, query: Query, idfs: dict[str, float]) -> Iterator[tuple[str, float, str]]:
        """Give files for messages like the question (up to about 3 each), and for having changed lately (up to 1)."""
        total = sum(weight * idfs.get(term, 0.0) for term, weight in query.weights.items()) or 1.0
        alike: Counter[str] = Counter()
        lately: Counter[str] = Counter()
        for age, (words, files) in enumerate(self.commits):
            share = 1 / len(files) ** 0.5
            common = sum(query.weights[term] * idfs.get(term, 0.0) for term in words if term in query.weights)
            for path in files:
                alike[path] += share * (common / total) ** 2
                lately[path] += share * 0.99**age
        best = max(alike.values(), default=0.0)
        for path, value in alike.items():
            if value > 0.05 * best:
                yield path, 6.0 * value / (value + 0.5), "changed for words like these"
        top = max(lately.values(), default=1.0)
        for path, value in lately.items():
            if value > 0.02 * top:
                yield path, 2.0 * (value / top) ** 0.5, "changed lately"

    def together(self, path: str) -> dict[str, float]:
        """Return how often other files changed in the commits of this one, as a share of them."""
        mine = 0
        found: dict[str, float] = defaultdict(float)
        for _, files in self.commits:
            if path in files:
                mine += 1
                for other in files:
                    found[other] += 1
        found.pop(path, None)
        return {other: times / (mine + 2) for other, times in found.items() if times > 1}


def head(repo: Repo) -> str:
    """Return the commit id of HEAD, empty where there is none."""
    return repo.head()


def read(repo: Repo, *, timeout_s: float = 20.0) -> list[tuple[list[str], list[str]]]:
    """Read the log: for each commit the terms of its subject and the paths it touched. No repository gives nothing."""
    found = []
    for commit in repo.history(COMMITS, timeout_s=timeout_s):
        if 1 <= len(commit.paths) <= _WIDE:
            subject = commit.subject[:300].encode("utf-8", "replace")
            words = {term for word in _WORD.findall(subject) for term in terms.of_identifier(word)}
            found.append((sorted(words - terms.COMMON), list(commit.paths)))
    return found


def pack(commits: Sequence[tuple[list[str], list[str]]]) -> str:
    """Write commits as text for the store."""
    return json.dumps(commits, separators=(",", ":"))


def unpack(text: str) -> History:
    """Read what `pack` wrote."""
    return History([(frozenset(words), tuple(files)) for words, files in json.loads(text or "[]")])
