"""Names that a failure calls: in the line that it names, and in the test around that line.

A failed test says where something was noticed; what is wrong lies in what the test calls. Such a name counts the more,
the nearer it stands before the line that failed, and the fewer files use it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from assistant.context import terms
from assistant.context.index_store import DEFINED
from assistant.context.rank import idf, is_source, is_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assistant.context.index import Index
    from assistant.context.mention import Mention
    from assistant.context.query import Query
    from assistant.context.tags import Tags

_PLACES = 4
"""The most failures of a question whose lines are read."""
_LOOKED = 20
"""The most places that are looked at to find these."""
_ABOVE, _BELOW = 40, 3
"""The most lines above a failing line, and below it (a call may go on there), whose names count."""
_NEAR, _FAR = 0.8, 0.4
"""The weight of a name right above the failing line, relative to one on it, and of one as far above as counts."""
_USED = 0.5
"""The factor for a name that is not called there: it may be a constant, or a word."""
_HOMES = 3
"""The most files that may define a name: with more, the name does not say which is meant."""
_NAMES = 60
"""The most names that are looked up."""
_MOST = 10
"""The most names that count."""
_NAME = re.compile(r"(?<![\w$])([^\W\d]\w{2,})(!?[(]|<[\w, ]{1,60}>\(|!)?")
_WIDE = 500
"""Characters of a line that are looked at."""
_UNSAID = (
    r"""/\*[\s\S]{0,2000}?\*/|\"{3}[\s\S]{0,2000}?\"{3}|'{3}[\s\S]{0,2000}?'{3}"""
    r"""|(?P<text>"(?:[^"\\\n]|\\.)*+"|`(?:[^`\\\n]|\\.)*+`|(?<![\w&<])'(?:[^'\\\n]|\\.)*+'|(?<=\b[fFrR])'(?:[^'\\\n]|\\.)*+')"""
    r"""|(?:(?<!\S)(?:#(?=[\s#]|$)|--\s)"""
)
"""Comments and texts; what may begin a comment up to the end of its line is completed by language."""
_MODULES = frozenset({"test", "tests"})
_BODIES = frozenset({"function", "method", "test"})


def called(mentions: Iterable[Mention], query: Query, index: Index) -> dict[str, float]:
    """Return names that failing tests use and few sources define, the heaviest first, with weights of at most 1."""
    places = [each for each in mentions if each.kind == "file" and not each.sure]
    places = [each for each in places if each.line or is_test(each.path)][:_LOOKED]
    if not places:
        return {}
    tags = index.tags([each.path for each in places])
    failing = [(each, at) for each in places for at in _failing(each, tags.get(each.path), query)]
    used: dict[str, float] = {}
    for each, at in failing[:_PLACES]:
        lines = index.source(each.path).decode("utf-8", "replace").split("\n")
        for name, weight in _names(each.path, lines, at, tags.get(each.path)).items():
            used[name] = max(weight, used.get(name, 0.0))
    return _rare(used, index) if used else {}


def _failing(place: Mention, tags: Tags | None, query: Query) -> list[int]:
    """Return the lines that failed: the one that is named, else the ends of the tests that the question names.

    Tests may also stand in a module of their own within the source, as in Rust.
    """
    defs = tags.defs if tags else ()
    if place.line:
        inside = any(tag.start <= place.line <= tag.end and tag.name in _MODULES for tag in defs)
        return [place.line] if inside or is_test(place.path) else []
    if place.first:
        return []
    return [tag.end for tag in defs if tag.kind in _BODIES and tag.name in query.names]


def _names(path: str, lines: Sequence[str], at: int, tags: Tags | None) -> dict[str, float]:
    """Return the names on a line and in the body around it, with weights; words of comments and of texts are none."""
    around = [tag for tag in (tags.defs if tags else ()) if tag.start <= at <= tag.end and tag.kind in _BODIES]
    first, last = (around[-1].declared + 1, around[-1].end) if around else (1, len(lines))
    found: dict[str, float] = {}
    least, most = max(first, at - _ABOVE), min(at + _BELOW, last, len(lines))
    code = _code(path, [line[:_WIDE] for line in lines[least - 1 : most]])
    for number in range(most, least - 1, -1):
        apart = at - number
        weight = 1.0 if apart == 0 else _NEAR - (_NEAR - _FAR) * max(apart, 0) / _ABOVE
        for match in _NAME.finditer(code[number - least]):
            value = weight * (1.0 if match[2] else _USED)
            if match[1].lower() not in terms.COMMON:
                found[match[1]] = max(value, found.get(match[1], 0.0))
    return found


def _code(path: str, lines: Sequence[str]) -> list[str]:
    """Return lines without comments and texts; a text in which values may be put stays."""

    def less(match: re.Match[str]) -> str:
        keeps = match["text"] and "{" in match[0]
        return match[0] if keeps else '""' + "\n" * match[0].count("\n")

    slashes = r"|//" if not path.endswith((".py", ".pyi")) else ""
    return re.sub(f"(?m){_UNSAID}{slashes})[^\\n]*+", less, "\n".join(lines)).split("\n")


def _rare(used: Mapping[str, float], index: Index) -> dict[str, float]:
    """Keep the names that few sources define and no test does, and weigh them by how few files use them."""
    names = sorted(used, key=lambda name: -used[name])[:_NAMES]
    wholes = {name: (terms.of_identifier(name.encode("utf-8", "replace")) or ("",))[-1] for name in names}
    held = index.lookup([*(DEFINED + name for name in names), *wholes.values()])
    size = max(2, len(index.words))
    found: dict[str, float] = {}
    for name in names:
        homes = [index.paths[each][0] for each in held.get(DEFINED + name, ())]
        homes = [path for path in homes if is_source(path) and not is_test(path)]
        if 0 < len(homes) <= _HOMES:
            rare = idf(len(held.get(wholes[name], ())), size) / idf(1, size)
            found[name] = used[name] * max(0.0, rare) / math.sqrt(len(homes))
    best = sorted(found, key=lambda name: -found[name])[:_MOST]
    return {name: found[name] for name in best}
