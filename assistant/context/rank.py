"""Which files and symbols matter for a question: its words against names, and who uses whom. Explainable: each has a why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.context.mention import parts, words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from assistant.context.tags import Tag, Tags

_COMMON = {
    "the", "and", "for", "with", "that", "this", "from", "into", "file", "function", "class", "method", "add", "should", "when",
    "not", "please", "code", "use", "make", "change", "all", "what", "how", "does", "is", "it", "in", "to", "of", "a", "docstring",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranked:
    """A file and why it matters; `symbols` are its definitions that the question is about, the best first."""

    path: str
    score: float
    why: str
    symbols: tuple[Tag, ...] = ()


def rank(question: str, tags: Mapping[str, Tags], paths: Collection[str], near: Collection[str] = ()) -> list[Ranked]:
    """Rank files, the best first; `near` are files already chosen, whose users and used count more."""
    asked = words(question)
    exact = {word for word in asked if word.lower() not in _COMMON}
    bits = {bit for word in asked for bit in parts(word) if bit not in _COMMON and len(bit) > 2}
    defined: dict[str, list[str]] = {}
    for path, each in tags.items():
        for tag in each.defs:
            defined.setdefault(tag.name, []).append(path)
    weight = dict.fromkeys(bits, 1.0)
    for bit in bits:
        holders = sum(bit in path.lower() or any(bit in parts(tag.name) for tag in tags[path].defs) for path in tags)
        weight[bit] = math.log(1 + (len(tags) + 1) / (holders + 1))
    scores: dict[str, float] = {}
    whys: dict[str, str] = {}
    symbols: dict[str, list[tuple[float, Tag]]] = {}
    for path in paths:
        hit = [bit for bit in bits if bit in path.lower()]
        score = sum(weight.get(bit, 1.0) for bit in hit) * 1.2
        if hit:
            whys[path] = f"its name has {', '.join(sorted(hit)[:3])}"
        for tag in tags[path].defs if path in tags else ():
            if tag.name in exact:
                value = 6.0 / math.sqrt(len(defined[tag.name]))
                whys[path] = f"defines {tag.name}"
            else:
                value = sum(weight[bit] for bit in set(parts(tag.name)) & bits) * 0.8
            if value:
                symbols.setdefault(path, []).append((value, tag))
                whys.setdefault(path, f"defines {tag.name}")
                score += value
        if score:
            scores[path] = score
    base = dict(scores)
    for path, each in tags.items():
        for name, number in each.refs:
            homes = defined.get(name, ())
            if not homes or len(homes) > 8:
                continue
            pull = min(2.0, math.sqrt(number)) / len(homes)
            for home in homes:
                if home == path:
                    continue
                for one, other, verb in ((path, home, "is used by"), (home, path, "uses")):
                    gain = pull * (0.25 * min(6.0, base.get(one, 0.0)) + (1.0 if one in near else 0.0))
                    if gain:
                        scores[other] = scores.get(other, 0.0) + gain
                        whys.setdefault(other, f"{verb} {one.rsplit('/', 1)[-1]}")
    order = sorted(scores, key=lambda path: (-scores[path], path))
    return [
        Ranked(
            path,
            scores[path],
            whys.get(path, ""),
            tuple(tag for _, tag in sorted(symbols.get(path, []), key=lambda s: (-s[0], s[1].start))),
        )
        for path in order
    ]
