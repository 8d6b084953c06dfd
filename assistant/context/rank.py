"""Which files matter for a question: its words in bodies, names and paths, and git history. Every score is explained.

The score of a file is a sum of parts in one currency, the inverse document frequency of a word (BM25, Robertson and
Zaragoza 2009, with fields for names and paths); each part that counts leaves a reason for people to read.
"""

from __future__ import annotations

import heapq
import math
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from functools import cache
from itertools import accumulate
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from assistant.context import graph, said, terms
from assistant.context.generated import Origin
from assistant.context.index_store import DEFINED, NAMED
from assistant.context.kinds import PROSE_FACTOR, Kinds
from assistant.context.language import languages

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from assistant.context.history import History
    from assistant.context.index import Index
    from assistant.context.query import Query
    from assistant.context.said import Said

_TEST = re.compile(
    r"(?i)(^|/)(tests?|specs?|__tests__|testing|testdata|fixtures?|benches|benchmarks?|examples?)(/|$)|(^|/)test_|[._-](test|spec|tests)\.\w+$|Tests?\.\w+$"
)
_TESTS = ("test", "spec", "fixture", "bench", "example")
"""Lower-case parts that the path of a test contains."""
_BARE_SOURCES = frozenset(
    """.asm .astro .awk .bat .bzl .clj .cljs .coffee .cr .cu .d .dart .el .elm .erl .ex .exs .f .f90 .feature .fish .fs .fsx .g4 .gd .gleam
    .glsl .graphql .groovy .hlsl .hs .ino .jl .jq .l .lisp .ll .m .ml .mli .mm .nim .nix .pas .pest .pl .pm .prisma .proto .ps1 .pxd .pyx .qml
    .r .rkt .rl .s .scm .sol .sql .svelte .tcl .tf .thrift .v .vb .vhd .vue .wat .wgsl .y .yy .zig""".split()
)
"""Endings of programs that are read without a grammar; other files without one are prose, data or settings."""
_MARK = re.compile(r"^tests?[_-]|[_-](tests?|spec)$|tests?$")
MOST = 3_000
"""The most files that are ranked; none beyond these is shown."""
SPREAD, SEEDS, W_GRAPH = 10, 4, 0.3

K1, B = 1.2, 0.6
W_NAME, W_PATH, W_STEM, W_EXACT, W_HISTORY, W_RECENT, W_DIRTY, W_NEAR = 0.3, 1.2, 1.65, 4.0, 1.0, 2.0, 1.0, 3.0
W_CALLED = 25.0
"""The worth of defining what a failing test calls, if nothing else defines it and only this test uses it."""
W_SAID = 2.0
"""The factor on the words of a message for standing in this order."""
TEST_FACTOR, ASKED_TEST_FACTOR, W_SAME, W_PAIR, W_TOGETHER = 0.7, 1.8, 2.0, 0.15, 0.2
DOUBTED = 80
"""The most files whose first lines are read to see whether a program wrote them."""
IN_PATH = "its path has "
"""The beginning of the reason that a word stands in the path."""


class Ranked(NamedTuple):
    """A file, its score, and the reasons for it, each with the value that it adds."""

    path: str
    score: float
    reasons: tuple[tuple[float, str], ...] = ()

    @property
    def why(self) -> str:
        """The three weightiest reasons, each once; one about a part of a name gives way to one about all of it."""
        said = dict.fromkeys(text for _, text in sorted(self.reasons, reverse=True))
        parts = {
            f"{verb} {part}" for verb, _, word in (text.rpartition(" ") for text in said) for part in terms.within(word)
        }
        return "; ".join([text for text in said if text not in parts][:3])


def idf(holders: int, size: int) -> float:
    """Return the weight of a word that `holders` of `size` documents contain."""
    return math.log(1 + (size - holders + 0.5) / (holders + 0.5))


class Ranking(NamedTuple):
    """Files in order, the weights of the words, and, by file, the line that says a message of the question."""

    files: list[Ranked]
    idfs: dict[str, float]
    said: dict[str, Said]


def rank(
    query: Query,
    index: Index,
    paths: Sequence[str],
    *,
    history: History | None = None,
    near: Collection[str] = (),
    recent: Mapping[str, float] | None = None,
    dirty: Collection[str] = (),
) -> Ranking:
    """Rank files, the best first; `near` are files already chosen, `recent` weighs files of the conversation."""
    size = max(1, len(index.words))
    mean = max(1.0, sum(index.words.values()) / size)
    held = index.lookup(
        [
            *query.weights,
            *(NAMED + term for term in query.weights),
            *(DEFINED + name for name in (*query.names, *query.called)),
        ]
    )
    parts: dict[str, list[tuple[float, str]]] = defaultdict(list)
    idfs: dict[str, float] = {}

    def give(each: int, value: float, reason: str) -> None:
        for path in index.paths[each]:
            parts[path].append((value, reason))

    for term, weight in query.weights.items():
        body, named = held.get(term, {}), held.get(NAMED + term, {})
        idfs[term] = worth = idf(len(body), size)
        if worth < 0.2:
            continue
        word = query.spoken[term]
        for each, times in body.items():
            value = weight * worth * times * (K1 + 1) / (times + K1 * (1 - B + B * index.words[each] / mean))
            give(each, value, f"has {word}")
        for each, times in named.items():
            give(each, W_NAME * weight * worth * times * 2 / (times + 1), f"names {word}")
    for name, weight in query.names.items():
        homes = held.get(DEFINED + name, {})
        for each in homes:
            give(each, W_EXACT * weight / math.sqrt(len(homes)), f"defines {name}")
    for name, weight in query.called.items():
        for each in held.get(DEFINED + name, {}):
            if not is_test(index.paths[each][0]):
                give(each, W_CALLED * weight, f"defines {name}, which a failing test uses")
    saying = _saying(query, index, held, idfs)
    for path, one in saying.items():
        parts[path].append((W_SAID * one.worth, f"says {one.words[:60]}"))
    _by_path(query, paths, parts)
    if history is not None:
        for path, value, reason in history.votes(query, idfs):
            parts[path].append((W_HISTORY * value, reason))
    for path, weight in (recent or {}).items():
        parts[path].append((W_RECENT * weight, "part of this talk"))
    for path in dirty:
        parts[path].append((W_DIRTY, "has open changes"))
    for path in near:
        parts[path].append((W_NEAR, "named"))
    known = set(paths)
    sums = [(sum(value for value, _ in some), path) for path, some in parts.items() if path in known]
    ranked = []
    kinds, origin = Kinds(query.title, query.weights), Origin(index.repo.root)
    alone = _alone(saying)
    for at, (value, path) in enumerate(heapq.nlargest(MOST, sums)):
        factor = 1.0
        if not query.about_prose and not is_source(path):
            factor = kinds.factor(path, spoken=any(reason.startswith(IN_PATH) for _, reason in parts[path]))
        elif is_test(path):
            factor = ASKED_TEST_FACTOR if query.about_tests else TEST_FACTOR
        if at < DOUBTED and factor > PROSE_FACTOR and path not in alone:
            factor *= origin.factor(path)
        ranked.append(Ranked(path, factor * value, tuple(parts[path])))
    ranked.sort(key=lambda each: (-each.score, each.path))
    ranked = _spread(ranked, history, index, known)
    return Ranking(ranked, idfs, saying)


def _saying(
    query: Query, index: Index, held: Mapping[str, Mapping[int, int]], idfs: Mapping[str, float]
) -> dict[str, Said]:
    """Return the sources that say a message of the question, and where; tests only repeat what sources say."""

    def counts(each: int) -> bool:
        path = index.paths[each][0]
        return is_source(path) and not is_test(path)

    def source(each: int) -> bytes:
        return index.source(index.paths[each][0])

    def rare(homes: int) -> float:
        return idf(homes, len(index.words))

    found = said.find(query.text, held, idfs, rare=rare, counts=counts, source=source)
    return {path: one for each, one in found.items() for path in index.paths[each]}


def _alone(saying: Mapping[str, Said]) -> set[str]:
    """Return the files that are the only ones to say a message: these stay even if a program wrote them."""
    homes = Counter(one.words for one in saying.values())
    return {path for path, one in saying.items() if homes[one.words] == 1}


def _spread(ranked: list[Ranked], history: History | None, index: Index, known: Collection[str]) -> list[Ranked]:
    """Give the partners of the best files a share of their score: tests and their sources, files that change together.

    History knows files that are gone, and the index some that the user keeps out: only `known` files count.
    """
    place = {each.path: at for at, each in enumerate(ranked)}
    extra: dict[str, list[tuple[float, str]]] = defaultdict(list)
    kin: dict[str, list[str]] = defaultdict(list)
    for each in ranked[:400]:
        kin[_bare(each.path)].append(each.path)
    for each in ranked[:SPREAD]:
        name = PurePosixPath(each.path).name
        others = kin[_bare(each.path)]
        for other in others if len(others) < 6 else ():
            if other != each.path and is_test(other) != is_test(each.path):
                extra[other].append((W_PAIR * each.score, f"{'test' if is_test(other) else 'source'} of {name}"))
        if history is not None and W_TOGETHER:
            for other, share in history.together(each.path).items():
                extra[other].append((W_TOGETHER * each.score * share, f"changes together with {name}"))
    seeds = {each.path: each.score for each in ranked[:SEEDS] if each.score > ranked[0].score / 3}
    for other, (value, reason) in graph.push(seeds, index).items() if W_GRAPH else ():
        extra[other].append((W_GRAPH * value, reason))
    for path, some in extra.items():
        best = max(some)
        if path not in known:
            continue
        if path in place:
            old = ranked[place[path]]
            ranked[place[path]] = Ranked(path, old.score + best[0], (*old.reasons, best))
        else:
            ranked.append(Ranked(path, best[0], (best,)))
    return sorted(ranked, key=lambda each: (-each.score, each.path))


def is_test(path: str) -> bool:
    """Say, by its path, whether a file is a test, or lies among tests or their data."""
    low = path.casefold()
    return any(each in low for each in _TESTS) and bool(_TEST.search(path))


def is_source(path: str) -> bool:
    """Say, by its ending alone, whether a file is a program, not prose, data or settings."""
    name = path[path.rfind("/") + 1 :]
    return _is_program(name[name.rfind(".") :].lower() if "." in name else "")


@cache
def _is_program(suffix: str) -> bool:
    language = languages().get(suffix)
    written = language is not None and bool(language.grammar) and suffix not in {"", ".kts"}  # .kts files build things
    return written or suffix in _BARE_SOURCES


def _bare(path: str) -> str:
    """Return the stem of a file name without the mark of a test: `test_seek.py` and `seek_test.py` both give seek."""
    return _MARK.sub("", PurePosixPath(path).name.lower().split(".")[0])


def _by_path(query: Query, paths: Sequence[str], parts: dict[str, list[tuple[float, str]]]) -> None:
    """Add value to paths that contain words of the question; file names weigh more than folder names."""
    whole = "\n".join(paths).lower()
    starts = [0, *accumulate(len(path) + 1 for path in paths)]
    if len(whole) != max(0, starts[-1] - 1):  # a capital may become two letters in lower case
        low = [path.lower() for path in paths]
        whole, starts = "\n".join(low), [0, *accumulate(len(path) + 1 for path in low)]
    for term, weight in query.weights.items():
        if len(term) < 3:
            continue
        hits: dict[int, bool] = {}
        at = whole.find(term)
        while at >= 0:
            number = bisect_right(starts, at) - 1
            rest = whole.find("/", at, starts[number + 1]) < 0
            before = whole[at - 1] if at else "\n"
            if not before.isalpha():
                hits[number] = hits.get(number, False) or rest
            at = whole.find(term, at + len(term))
            if len(hits) > 5_000:
                break
        worth = weight * idf(len(hits), len(paths))
        for number, in_name in hits.items():
            path = paths[number]
            value = worth * (W_STEM if in_name else W_PATH * 0.6)
            name = path.rpartition("/")[2]
            if in_name and terms.parts(name.rpartition(".")[0] or name) == [term]:
                value *= W_SAME
            parts[path].append((value, f"{IN_PATH}{query.spoken[term]}"))
