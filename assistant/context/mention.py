"""What a question names: files, ranges of lines, and words that may be symbols."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH = re.compile(r"(?P<at>@)?(?P<path>[\w.\-/+~]*[\w\-+]\.?[\w.\-/+~]*)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?")
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A file that a question names; lines are 1-based, 0 for the whole file. `sure` when marked with `@`."""

    path: str
    first: int = 0
    last: int = 0
    sure: bool = False


def mentions(question: str, paths: Sequence[str]) -> list[Mention]:
    """Return the files named, in order: by whole path, by a unique end of it, or by `@`."""
    known = set(paths)
    ends: dict[str, list[str]] = {}
    for path in paths:
        ends.setdefault(path.rsplit("/", 1)[-1], []).append(path)
    found: dict[str, Mention] = {}
    for match in _PATH.finditer(question):
        name = match["path"].strip("./~").rstrip(".") if match["path"] not in known else match["path"]
        options = (
            [name]
            if name in known
            else [p for p in ends.get(name.rsplit("/", 1)[-1], []) if p == name or p.endswith("/" + name)]
        )
        if len(options) == 1 and ("." in name or "/" in name or match["at"]):
            first = int(match["first"] or 0)
            found.setdefault(options[0], Mention(options[0], first, int(match["last"] or first), bool(match["at"])))
    return list(found.values())


def words(question: str) -> list[str]:
    """Return the words that may be names in code."""
    return list(dict.fromkeys(_WORD.findall(question)))


def parts(name: str) -> list[str]:
    """Cut a name at its underscores and capitals: `makeTea_now` is make, tea, now."""
    return [part.lower() for part in _PARTS.findall(name)]


def complete(paths: Sequence[str], fragment: str, limit: int = 8) -> list[str]:
    """Return the paths that a fragment may mean, the best first."""
    from rapidfuzz import fuzz, process

    wanted = fragment.lower()
    sharp = sorted(
        (p for p in paths if wanted in p.lower()), key=lambda p: (wanted not in p.rsplit("/", 1)[-1].lower(), len(p))
    )
    if len(sharp) >= limit or not wanted:
        return (sharp or list(paths))[:limit]
    fuzzy = process.extract(fragment, paths, scorer=fuzz.partial_ratio, limit=limit, score_cutoff=60)
    return list(dict.fromkeys([*sharp, *(match[0] for match in fuzzy)]))[:limit]
