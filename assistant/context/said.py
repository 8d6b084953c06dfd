"""Finds messages in a question: words that stand in the same order in a string of a source, and in few others.

The words of an error weigh little one by one, because files that test it or write about it contain them more often than
the file that says it. Here their order counts. The index tells which files contain all words of a run; only a few are
read.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from assistant.context import terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_ROWS, _ROW = 80, 400
"""Lines of a question that are searched for messages, and characters of each."""
_LEAST, _PLAIN = 3, 4
"""The least words of a message that is marked as one, and of one that stands in a sentence."""
_UNMARKED = 0.5
"""The factor on a message that may be a sentence of the user's own."""
_TERMS = 2
"""The least telling words of a run: "there is no" has none."""
_RARE = 500
"""The most files that may contain the rarest word of a run."""
_FEW, _READ = 8, 30
"""The most files that are read for one run (first those that also contain the words around it), and for one
question."""
_SCAN = 400
"""The most files that are read for a marked message of which no run was found, because its words are short or in many
files."""
_SCANS = 2 * _SCAN
"""The most files that are read for all such messages of a question: a log may hold dozens that no source says."""
_SHORT, _LOOKED = 3, 60
"""The most lines of a question that may be a message without a mark, and the most files that are read for each."""
_PARTS = 3
"""The most parts of a marked text, divided by colons, each of which may be the message."""
_FIXED = r"[^\n\"'`:<>(){}\[\]=,\d%$]{12,}"
"""The beginning of a message, up to what may be the value of something: at least two words."""
_TRIES = 100
"""The most runs that are looked up in the index."""
_BEYOND = 4
"""Words behind a run that are looked at."""
_HOMES = 2
"""The most files that may say the same."""
_PLACES = 4
"""The most places of a run in one file that are looked at."""
_WORD = re.compile(r"\w+")
_MARKED = (
    r"""(?i)\b\w{0,60}(?:error|exception|warning|panic|fatal|fails|failed|message|says)\w{0,30}\b[^\n"'`]{0,40}?[:!]\s(?P<rest>.+)"""
    r"""|"(?P<double>[^"\n]{8,})"|'(?P<single>[^'\n]{8,})'|`(?P<tick>[^`\n]{8,})`"""
)
"""What is marked as a message: text in quotes, or behind "error:"."""
_SIGNS = frozenset("\"'`:")
_REMARK = (b"//", b"#", b"*", b"--", b"/*", b";")


class Said(NamedTuple):
    """A line (1-based) of a file that says words of the question, those words, and the sum of their worth."""

    line: int
    words: str
    worth: float


class _Run(NamedTuple):
    """Words that stand together on a line of a question: the first and how many, and files that contain all of them."""

    row: str
    spans: Sequence[tuple[int, int]]
    at: int
    size: int
    marked: bool
    files: Sequence[int]


def find(
    question: str,
    held: Mapping[str, Mapping[int, int]],
    idfs: Mapping[str, float],
    *,
    rare: Callable[[int], float],
    counts: Callable[[int], bool],
    source: Callable[[int], bytes],
) -> dict[int, Said]:
    """Return, by file, the line that says the most words of a question in their order, if few other files do.

    `held` says which files contain each term of the question, `idfs` what a term is worth, `rare` what something in so
    many files is worth, `counts` whether a file is to be looked at, and `source` reads it.
    """
    runs = sorted(_runs(question, held, cache(counts)), key=lambda run: len(run.files))
    read: dict[int, bytes] = {}
    best: dict[int, Said] = {}
    for run in runs:
        fresh = [each for each in run.files if each not in read]
        if len(read) + len(fresh) > _READ:
            continue
        read |= {each: source(each) for each in fresh}
        places = [(*found, each) for each in run.files if read[each] and (found := _longest(run, read[each]))]
        most = max((size for size, _, _ in places), default=0)
        homes = [(line, each) for size, line, each in places if size == most]
        if not 0 < len(homes) <= _HOMES:
            continue
        words = run.row[run.spans[run.at][0] : run.spans[run.at + most - 1][1]]
        worth = rare(len(homes)) + sum(
            idfs.get(term, 0.0) for term in {term for word in _WORD.findall(words) for term in _terms(word)}
        )
        worth *= 1 if run.marked else _UNMARKED
        for line, each in homes:
            if each not in best or worth > best[each].worth:
                best[each] = Said(line, words, worth)
    return best or _scan(question, held, idfs, rare=rare, counts=counts, source=source)


def _scan(
    question: str,
    held: Mapping[str, Mapping[int, int]],
    idfs: Mapping[str, float],
    *,
    rare: Callable[[int], float],
    counts: Callable[[int], bool],
    source: Callable[[int], bytes],
) -> dict[int, Said]:
    """Look for the fixed beginnings of messages in all files that contain their words, if these are not too many."""
    left = _SCANS
    for words, most in dict.fromkeys(_fixed(question)):
        terms_ = {term for word in _WORD.findall(words) for term in _terms(word)}
        holders = sorted((held.get(term, {}) for term in terms_), key=len)
        some = _among(list(holders[0]), holders[1:]) if holders and len(holders[0]) <= 2 * _SCAN else []
        files = [each for each in some if counts(each)] if len(some) <= 2 * most else []
        if len(files) > min(most, left):
            continue
        left -= len(files)
        places = [(_line(source(each), words.encode("utf-8", "replace")), each) for each in files]
        homes = [(line, each) for line, each in places if line]
        if 0 < len(homes) <= _HOMES:
            worth = rare(len(homes)) + sum(idfs.get(term, 0.0) for term in terms_)
            return {each: Said(line, words, worth) for line, each in homes}
    return {}


def _fixed(question: str) -> Iterator[tuple[str, int]]:
    """Yield the fixed beginnings of texts that are marked as messages, and of lines of a short question.

    Each comes with the most files that are read for it.
    """
    rows = [row[:_ROW].strip() for row in question.split("\n")[:_ROWS]]
    marked = [match[match.lastindex or 0] for row in rows for match in _marked(row)]
    texts = [(part, _LEAST - 1, _SCAN) for text in marked for part in text.split(": ", _PARTS)[:_PARTS]]
    texts += [(row, _PLAIN, _LOOKED) for row in rows if len(rows) <= _SHORT]
    for text, least, most in texts:
        if (fixed := re.match(_FIXED, text.lstrip())) and len(fixed[0].split()) >= least:
            yield fixed[0].strip(), most


def _line(data: bytes, text: bytes) -> int:
    """Return the line of a source in a string of which a text stands; 0 if there is none."""
    at = data.find(text)
    for _ in range(_PLACES):
        if at < 0:
            break
        first, last = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
        line = data[first : last if last >= 0 else len(data)]
        if _in_string(line, at - first, at - first + len(text)):
            return data.count(b"\n", 0, at) + 1
        at = data.find(text, at + len(text))
    return 0


@lru_cache(maxsize=2_000)
def _terms(word: str) -> tuple[str, ...]:
    return tuple(term for term in terms.of_identifier(word.encode()) if term not in terms.COMMON and len(term) > 1)


def _runs(question: str, held: Mapping[str, Mapping[int, int]], counts: Callable[[int], bool]) -> list[_Run]:
    """Return the runs whose words all stand in some files, each with the best of these files."""
    found: list[_Run] = []
    for row, spans, at, size, marked in islice(_windows(question), _TRIES):
        words = [_terms(row[first:last]) for first, last in spans[at : at + size + _BEYOND]]
        holders = sorted((held.get(term, {}) for term in {*chain(*words[:size])}), key=len)
        steps = [_among(list(holders[0]) if len(holders[0]) <= _RARE else [], holders[1:])]
        for term in chain(*words[size:]):
            if len(steps[-1]) > _FEW and (near := _among(steps[-1], [held.get(term, {})])):
                steps.append(near)
        around = [held.get(term, {}) for word in spans[max(0, at - _BEYOND) : at] for term in _terms(row[slice(*word)])]
        best: Iterable[int] = dict.fromkeys(chain.from_iterable(reversed(steps)))
        if around and len(steps[0]) > _FEW:
            best = sorted(best, key=lambda each: -sum(each in some for some in around))
        if files := list(islice(filter(counts, best), _FEW)):
            found.append(_Run(row, spans, at, size, marked, files))
    return found


def _windows(question: str) -> Iterator[tuple[str, Sequence[tuple[int, int]], int, int, bool]]:
    """Yield words that stand together: their line, its words, the first of them, how many, and whether they are marked.

    Lines with a mark come first.
    """
    rows = [row[:_ROW].strip() for row in question.split("\n")[:_ROWS]]
    marks = {row: [match.span(match.lastindex or 0) for match in _marked(row)] for row in rows}
    for row in sorted(marks, key=lambda row: not marks[row]):
        spans = [match.span() for match in _WORD.finditer(row)]
        words = [_terms(row[first:last]) for first, last in spans]
        for at in range(len(spans) - _LEAST + 1):
            end = spans[at + _LEAST - 1][1]
            marked = any(first <= spans[at][0] and end <= last for first, last in marks[row])
            sizes = range(_LEAST if marked else _PLAIN, _PLAIN + 2)
            telling = (size for size in sizes if len({*chain(*words[at : at + size])}) >= _TERMS)
            if (size := next(telling, 0)) and at + size <= len(spans):
                yield row, spans, at, size, marked


def _marked(row: str) -> Iterator[re.Match[str]]:
    """Find text marked as a message, also in what follows another mark. Most lines have none of the characters needed."""
    at = 0
    while not _SIGNS.isdisjoint(row) and (match := _pattern().search(row, at)):
        yield match
        at = match.start("rest") if match["rest"] else match.end()


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_MARKED)


def _among(files: list[int], others: Iterable[Mapping[int, int]]) -> list[int]:
    """Return those of some files that are in all of the others as well."""
    for other in others:
        if not files:
            break
        files = [each for each in files if each in other]
    return files


def _longest(run: _Run, data: bytes) -> tuple[int, int] | None:
    """Return how many words, from the start of a run, a string of a source says at most, and its line."""
    start = run.spans[run.at][0]
    least = run.row[start : run.spans[run.at + run.size - 1][1]].encode("utf-8", "replace")
    best: tuple[int, int] | None = None
    at = data.find(least)
    for _ in range(_PLACES):
        if at < 0:
            break
        first = data.rfind(b"\n", 0, at) + 1
        last = data.find(b"\n", at)
        line = data[first : last if last >= 0 else len(data)]
        size = run.size
        for _, end in run.spans[run.at + run.size :]:
            if not line.startswith(run.row[start:end].encode("utf-8", "replace"), at - first):
                break
            size += 1
        if (best is None or size > best[0]) and _in_string(line, at - first, at - first + len(least)):
            best = (size, data.count(b"\n", 0, at) + 1)
        at = data.find(least, at + len(least))
    return best


def _in_string(line: bytes, start: int, end: int) -> bool:
    """Say whether a part of a line stands in quotes, as far as the line tells, and not in a comment."""
    if line.lstrip().startswith(_REMARK) or line[:start][-1:].isalnum():
        return False
    return any(quote in line[:start] and quote in line[end:] for quote in (b'"', b"'", b"`"))
