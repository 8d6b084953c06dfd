"""Which files use which: follows definitions and references from the best files, as far as weight carries.

Personalised page rank by forward push (Andersen, Chung, Lang 2006): weight starts on the best files; each push keeps a
share and hands the rest to the files that define what this one uses, and to those that use what it defines. Only files
that are pushed are looked at, so the cost does not depend on the size of the repository.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from assistant.context import terms
from assistant.context.index_store import DEFINED
from assistant.context.language import family_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assistant.context.index import Index
    from assistant.context.tags import Tags

KEEP = 0.4
PUSHES = 5
_HOMES = 4
"""The most files that may define a name: with more, the name does not say which is meant."""
_USERS = 8
_NAMES = 40
_SHORT = 4
_USED = re.compile(rb"[A-Z][A-Za-z0-9_]{3,}|[a-z_][A-Za-z0-9_]{3,}(?=\()")
_BETWEEN = bytes(byte if (chr(byte).isalnum() and byte < 128) or byte in b"_$(" else 32 for byte in range(256))
"""A table that turns every byte that is part of no name or call into a blank."""


def push(seeds: Mapping[str, float], index: Index) -> dict[str, tuple[float, str]]:
    """Spread the weight of seeds (paths with any weights); return what other files got, each with its main source."""
    waiting = dict(seeds)
    kept: dict[str, float] = {}
    source: dict[str, tuple[float, str]] = {}
    for _ in range(PUSHES):
        path = max(waiting, key=lambda each: waiting[each], default="")
        weight = waiting.pop(path, 0.0)
        if weight <= 0:
            break
        kept[path] = kept.get(path, 0.0) + KEEP * weight
        tags = index.tags([path]).get(path)
        shares = _neighbours(path, tags, index) if tags else {}
        total = sum(value for value, _ in shares.values())
        for other, (value, verb) in shares.items():
            given = (1 - KEEP) * weight * value / total
            waiting[other] = waiting.get(other, 0.0) + given
            if given > source.get(other, (0.0, ""))[0]:
                source[other] = (given, f"{verb} {path.rsplit('/', 1)[-1]}")
    return {
        path: (kept.get(path, 0.0) + KEEP * waiting.get(path, 0.0), reason)
        for path, (_, reason) in source.items()
        if path not in seeds
    }


def references(source: bytes) -> list[tuple[str, int]]:
    """Return the names that a source seems to use and how often, the most used first.

    These are names that are called or written like a type. A syntax tree would be more exact, but finding all
    references in all files takes half as long as parsing them.
    """
    found: dict[bytes, int] = {}
    for word, times in Counter(source.replace(b"(", b"( ").translate(_BETWEEN).split()).items():
        if len(word) >= _SHORT and (match := _USED.match(word)):
            found[match[0]] = found.get(match[0], 0) + times
    ordered = sorted(found.items(), key=lambda each: -each[1])
    return [(name.decode("utf-8", "replace"), times) for name, times in ordered]


def _neighbours(path: str, tags: Tags, index: Index) -> dict[str, tuple[float, str]]:
    """Return the files that define what this one uses, and those that use what only it defines.

    Only files of its family of languages count.
    """
    if not (family := family_of(path)):
        return {}
    mine = {tag.name for tag in tags.defs}
    used = [ref for ref in references(index.source(path)) if ref[0] not in mine][:_NAMES]
    own = [tag.name for tag in tags.defs if len(tag.name) >= _SHORT and " " not in tag.name][:_NAMES]
    held = index.lookup([*(DEFINED + name for name, _ in used), *(DEFINED + name for name in own)])
    found: dict[str, tuple[float, str]] = {}

    def add(other: str, value: float, verb: str) -> None:
        old = found.get(other, (0.0, verb))
        found[other] = (old[0] + value, old[1])

    def kin(ids: Iterable[int], most: int) -> list[str]:
        """Return files of the family, at most `most` + 1: a common word has thousands."""
        found = (other for each in ids for other in index.paths[each] if other != path and family_of(other) == family)
        return list(islice(found, most + 1))

    for name, times in used:
        homes = kin(held.get(DEFINED + name, ()), _HOMES)
        if 0 < len(homes) <= _HOMES:
            for other in homes:
                add(other, min(times, 4) ** 0.5 / len(homes), "used by")
    single = list(islice((name for name in own if not kin(held.get(DEFINED + name, ()), 0)), 20))
    whole = {bits[-1] for name in single if (bits := terms.of_identifier(name.encode("utf-8", "replace")))}
    for users in index.lookup(whole).values():
        others = kin(users, _USERS)
        if 0 < len(others) <= _USERS:
            for other in others:
                add(other, 0.7 / len(others) ** 0.5, "uses")
    return found
