"""Cuts a file where its definitions begin and end, and weighs each piece against the question."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from assistant.context import terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.context.history import Touch
    from assistant.context.query import Query
    from assistant.context.said import Said
    from assistant.context.tags import Tag, Tags

_LONGEST = 36
"""The most lines of a piece; a longer definition is cut where a line is blank or least indented."""
_GAP = 30
_COMMENT = re.compile(
    r"\s*(?://|#(?!\s*(?:include|define|undef|if|el|endif|pragma|error|line|region|endregion)|!)|--|;;|%)"
)
"""A line that is all comment, in any language; `#` begins none before a word of the C preprocessor."""
_LONGEST_COMMENT = 60
_HASHED = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".org", ".txt", ".css", ".scss", ".less")
"""Endings of files in which `#` begins a heading, or names what a rule of style is for."""
_SMALL, _NARROW = 120, 80
"""Lines of a file, and characters of an average line, up to which it may be shown without a word of the question."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_MOST_HITS = 4_000
_DOTTED = "\u0130"
"""A capital I with a dot: the only letter that becomes two in lower case, which would shift all places behind it."""
_TOO_WIDE = {"module", "namespace", "package"}
K, B = 0.8, 0.6
W_OWN, W_WHOLE = 1.2, 3.0
W_CALLED = 30.0
"""The worth of a definition that a failing test calls, if only this test uses it."""
W_SAID = 2.0
"""The factor on the words of a message for standing in this order."""
NEIGHBOUR, FLOOR = 0.3, 0.05
W_FRESH, HALF_FRESH, W_ALIKE, HALF_ALIKE = 2.0, 0.2, 3.0, 0.1
"""The most that a piece gains, as a multiple of its worth, for recent changes and for changes for words like these;
history as large as the HALF of each gives half of that."""
_ASKED = 60
"""The most definitions of a very large file that are weighed."""
_WHOLE = 100
"""Definitions of such a file with fewer lines than this are shown whole or not at all."""
_FUNCTIONS = frozenset({"function", "method"})
_TELLS = 0.5
"""What history must add to a piece to be named as a reason."""


class Segment:
    """Lines `first` to `last` (1-based) of a file, the definition that they belong to, and their score.

    `past` is the factor for what git history says of them, `why` the reason for that.
    """

    __slots__ = ("first", "last", "past", "path", "score", "tag", "why", "words")

    def __init__(
        self, path: str, first: int, last: int, tag: Tag | None, score: float = 0.0, words: tuple[str, ...] = ()
    ) -> None:
        self.path = path
        self.first = first
        self.last = last
        self.tag = tag
        self.score = score
        self.words = words
        self.past = 1.0
        self.why = ""


def cut(path: str, lines: Sequence[str], tags: Tags | None) -> list[Segment]:
    """Cut a file where definitions begin and end; a definition is without those inside it, and with what is said of it.

    That is the comment that ends right above it.
    """
    size = len(lines)
    found: list[Segment] = []
    open_: list[Tag] = []
    at = 1

    def close(until: int) -> None:
        nonlocal at
        if at <= until:
            found.append(Segment(path, at, until, open_[-1] if open_ else None))
            at = until + 1

    other = "#" if path.lower().endswith(_HASHED) else ()
    for tag in tags.defs if tags else ():
        if tag.start > size or tag.kind in _TOO_WIDE:
            continue
        while open_ and open_[-1].end < tag.start:
            close(open_[-1].end)
            open_.pop()
        close(_told(lines, at, tag.start, other) - 1)
        open_.append(tag)
    while open_:
        close(min(size, open_[-1].end))
        open_.pop()
    close(size)
    return found


def _told(lines: Sequence[str], least: int, start: int, other: str | tuple[()] = ()) -> int:
    """Return the first line, from `least` on, of the comment that ends right above the line `start`; else `start`.

    What begins with `other` is none.
    """
    first = start
    if first > least and lines[first - 2].rstrip().endswith("*/"):
        while first > least and start - first < _LONGEST_COMMENT:
            first -= 1
            if "/*" in lines[first - 1]:
                return first if lines[first - 1].lstrip().startswith("/*") else start
        return start
    while first > least and start - first < _LONGEST_COMMENT and _COMMENT.match(lines[first - 2]):
        if lines[first - 2].lstrip().startswith(other):
            break
        first -= 1
    return first


def _pieces(segment: Segment, lines: Sequence[str]) -> list[tuple[int, int]]:
    """Cut a long segment where a line is blank or least indented; blank lines at its ends belong to no piece."""
    first, last = segment.first, segment.last
    while first <= last and not lines[first - 1].strip():
        first += 1
    while last >= first and not lines[last - 1].strip():
        last -= 1
    longest = _LONGEST if segment.tag else _GAP
    found = []
    while last - first + 1 > longest:
        best = min(
            range(first + longest // 2, first + longest),
            key=lambda n: (len(lines[n - 1].strip()) > 0, len(lines[n - 1]) - len(lines[n - 1].lstrip()), -n),
        )
        found.append((first, best))
        first = best + 1
    if first <= last:
        found.append((first, last))
    return found


def weigh(
    segments: Sequence[Segment], lines: Sequence[str], query: Query, idfs: dict[str, float], touched: Sequence[Touch] = (),
    said: Said | None = None,
) -> list[Segment]:  # fmt: skip
    """Return the pieces of one file that contain words of the question, with scores.

    A piece scores by its words (BM25) and by the name of the definition that it is in. Pieces without a score are
    dropped; if none in a small file has any, all stay: where room is left, the file's path and its partners decide.
    Lines that were `touched` lately, or for words like these, are worth more, and so is the line where a message is
    `said`.
    """
    text = "\n".join(lines)
    lower = text.replace(_DOTTED, "i").lower()
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    hits: dict[int, dict[str, int]] = {}
    for term, weight in query.weights.items():
        if weight * idfs.get(term, 0.0) < 0.3:
            continue
        whole = "_" in term
        at, seen = lower.find(term), 0
        while at >= 0 and seen < _MOST_HITS:
            seen += 1
            if _bounded(text, at) and (whole or _same(text, at, term)):
                on_line = hits.setdefault(bisect_right(starts, at), {})
                on_line[term] = on_line.get(term, 0) + 1
            at = lower.find(term, at + len(term))
    numbers = sorted(hits)
    found: list[Segment] = []
    for segment in segments:
        low, high = bisect_left(numbers, segment.first), bisect_right(numbers, segment.last)
        bonus = named(segment.tag.name, query, idfs) if segment.tag is not None else 0.0
        for first, last in _pieces(segment, lines):
            rows = numbers[bisect_left(numbers, first, low, high) : bisect_right(numbers, last, low, high)]
            if not rows and (said is None or not first <= said.line <= last):  # true of most pieces
                found.append(Segment(segment.path, first, last, segment.tag, bonus))
                continue
            times: dict[str, int] = {}
            for row in rows:
                for term, often in hits[row].items():
                    times[term] = times.get(term, 0) + often
            length = (last - first + 1) / 18
            values = sorted(
                (
                    (
                        query.weights[term]
                        * idfs.get(term, 0.0)
                        * often
                        * (K + 1)
                        / (often + K * (1 - B + B * length)),
                        term,
                    )
                    for term, often in times.items()
                ),
                reverse=True,
            )
            score = sum(value for value, _ in values) + bonus
            if said is not None and first <= said.line <= last:
                score += W_SAID * said.worth
            words = tuple(query.spoken.get(term, term) for _, term in values[:3])
            found.append(Segment(segment.path, first, last, segment.tag, score, words))
    top = max((each.score for each in found), default=0.0)
    scores = [each.score for each in found]
    for place in range(len(found)):
        beside = max(scores[place - 1] if place else 0.0, scores[place + 1] if place + 1 < len(scores) else 0.0)
        found[place].score += NEIGHBOUR * beside + FLOOR * top
    if touched:
        _remember(found, touched)
    small = len(lines) <= _SMALL and len(text) <= _NARROW * len(lines)
    return [each for each in found if each.score > 0] or (found if small else [])


def _remember(pieces: Sequence[Segment], touched: Sequence[Touch]) -> None:
    """Weigh pieces, which must be in order, by what git history says of their lines."""
    starts, ends = [each.first for each in pieces], [each.last for each in pieces]
    fresh, alike = [0.0] * len(pieces), [0.0] * len(pieces)
    for touch in touched:
        spans = touch.spans
        places = {
            place
            for at in range(0, len(spans), 2)
            for place in range(bisect_left(ends, spans[at]), bisect_right(starts, spans[at + 1]))
        }
        for place in places:
            fresh[place] += touch.fresh
            alike[place] += touch.alike
    for piece, new, like in zip(pieces, fresh, alike, strict=True):
        if new:
            lately, words = W_FRESH * new / (new + HALF_FRESH), W_ALIKE * like / (like + HALF_ALIKE)
            piece.past = 1 + lately + words
            if max(lately, words) > _TELLS:
                piece.why = "lines changed for words like these" if words > lately else "lines changed lately"


def hints(tags: Tags, query: Query, idfs: dict[str, float]) -> dict[str, float]:
    """Return what the words of a question give to the names that a file defines; others are left out."""
    return {tag.name: value for tag in tags.defs if (value := named(tag.name, query, idfs)) > 0}


def defined(
    path: str, tags: Tags, hints: dict[str, float], lines: Sequence[str], query: Query, idfs: dict[str, float],
    said: Said | None = None,
) -> list[Segment]:  # fmt: skip
    """Return the definitions that the question names best, for a file that is too large to weigh piece by piece.

    Among definitions of one name their words decide. They are whole, except the longest: of a long function the pieces
    are returned, of other long definitions the beginning. The definition around the line where a message is `said` is
    among them.
    """
    least, sure = max(hints.values(), default=0.0) / 2, max(query.names.values(), default=0.0) / 2
    meant = {name for name, hint in hints.items() if hint > least or query.names.get(name, 0.0) > sure}
    asked = [tag for tag in tags.defs if tag.name in meant]
    asked = sorted(asked, key=lambda tag: -hints[tag.name])[:_ASKED]
    saying = _around(said.line, tags) if said is not None else None
    if saying is not None and saying not in asked:
        asked.append(saying)
    found: list[Segment] = []
    for tag in asked:
        long = tag.end - tag.start >= _WHOLE
        last = tag.start + _LONGEST - 1 if long and tag.kind not in _FUNCTIONS else tag.end
        size = max(0, min(last, len(lines)) - tag.start + 1)
        own = lines[tag.start - 1 : tag.start - 1 + size]
        line = said._replace(line=said.line - tag.start + 1) if said is not None and tag is saying else None
        for each in weigh([Segment(path, 1, size, tag)], own, query, idfs, said=line):
            each.first, each.last = each.first + tag.start - 1, each.last + tag.start - 1
            if long or not found or found[-1].tag is not tag:
                found.append(each)
            else:  # one definition: as good as its best piece
                one = found[-1]
                one.last = each.last
                if each.score > one.score:
                    one.score, one.words = each.score, each.words
    for each in found:
        if each.tag is not None and each.tag.name not in each.words:
            each.words = (each.tag.name, *each.words)[:3]
    return found


def _around(line: int, tags: Tags) -> Tag | None:
    """Return the innermost definition around a line."""
    found = [tag for tag in tags.defs if tag.start <= line <= tag.end and tag.kind not in _TOO_WIDE]
    return found[-1] if found else None


def named(name: str, query: Query, idfs: dict[str, float]) -> float:
    """Return what the words of a question give to a name: by its parts, and more if all of it is asked for or called."""
    whole = name in query.names or name in query.called
    # true of nearly all names; cutting a name takes ten times as long as seeing that it has none of the words
    if not whole:
        low = name.lower()
        for part in query.marks:
            if part in low:
                break
        else:
            return 0.0
    bits = terms.of_identifier(name.encode("utf-8", "replace"))
    value = W_OWN * sum(query.weights[bit] * idfs.get(bit, 0.0) for bit in set(bits) if bit in query.weights)
    if whole:
        value += W_WHOLE * query.names.get(name, 0.0) + W_CALLED * query.called.get(name, 0.0)
    return value / (1 + 0.1 * len(bits))


def _bounded(text: str, at: int) -> bool:
    """Say whether a word begins at `at`; in camel case a capital begins one."""
    if not at:
        return True
    before, here = text[at - 1], text[at]
    return not before.isalpha() or (here.isupper() and not before.isupper())


def _same(text: str, at: int, term: str) -> bool:
    match = _WORD.match(text, at)
    return match is None or terms.stem(match[0].lower()) == term
