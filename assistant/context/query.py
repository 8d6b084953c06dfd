"""A question as the ranking sees it: its words with weights, and which of them look like names in code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.context import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TOLD = 0.3
"""The weight of a name mentioned earlier, relative to a word of the question."""
_ASKED, _OLDER, _OWN, _MOST = 0.9, 0.5, 2.0, 10
"""The weight of a word of the previous question if this one has none; the factor for each question before that; the
weight of this question's own words at which it is halved; and the most words of a question that are remembered."""
_LONGEST = 20_000
"""The most characters of a question that are read."""
_WORD = re.compile(r"([`(]?)([^\W\d]\w*)(\(|`|\):)?")
_MARKED = re.compile(r"(?<!\w)@\S+")
_CODE = re.compile(r"_|[a-z][A-Z]|[A-Z]{2}[a-z]|\d")
_ABOUT_TESTS = re.compile(r"(?i)\btests?\b|\b(flaky|coverage)\b")
_REPORT = re.compile(
    r"^\W*(?:FAIL(?:ED)?|ERROR|BROKEN|not ok)\b"
    r"|(?i:short test summary|\btests? (?:run|results?|suites?):|\btests:\s+\d|\d tests? failed|^\W*test \S+ \.\.\.)"
)
"""What test programs print about failures: these are questions about what was tested."""
_JOINT = re.compile(r"[\\/.:]\w")
"""What is within a path, the name of a module, and what else has no blank and several parts: these are no words."""
_ABOUT_PROSE = re.compile(r"(?i)\b(readme|changelog|docs?|documentation|typo|manual)\b")

_COMMENT = r"(?s)<!--.*?(?:-->|\Z)"
_HEADINGS = r"""(?imx)^[^\w\n]*(?:(?:please\ )?describe\ (?:the|your)\ \w+(?:\ you'd\ like)? | (?:bug|issue|feature)\ (?:description|report|request)
      | (?:steps\ )?to\ reproduce(?:\ the\ (?:behaviou?r|bug|issue|problem))? | (?:minimal\ )?reproduction(?:\ (?:steps|link|code))?
      | (?:expected|actual|current|desired)\ (?:behaviou?r|results?|output) | what\ (?:happened|did\ you\ (?:do|expect|see)[^:\n]{0,40})
      | screenshots? | additional\ (?:context|information|notes) | (?:your\ )?environment | system\ info(?:rmation)? | possible\ (?:solution|fix)
      | is\ your\ feature\ request\ related[^:\n]{0,40} | checklist | prerequisites? | (?:relevant\ )?log\ output | code\ of\ conduct
      | describe\ alternatives[^:\n]{0,40} | is\ there\ an\ existing\ issue[^:\n]{0,40} | anything\ else)
    \ ?(?:\W*$|[:?]+[*_\ ]*)"""
"""Headings of the forms that issues are written into. Behind one on the same line the user's words go on."""
_FILLED = r"""(?imx)^[^\w\n]*(?:\[[\ x]\]\ (?:i\b|this\b|yes\b|no\b|agree|search|check|read)[^\n]*
      | (?:operating\ system | os | browser | platform | architecture)\b [^:\n]{0,40} :[^\n]*
      | (?:[\w.]{1,20}\ )? versions? \b [^\w\n:(]{0,8} (?:\([^)\n]{0,40}\)[^\w\n:]{0,8})? (?::[^\n]* | v?\d[\w.+-]*)?
      | (?:node(?:\.?js)? | npm | yarn | pnpm | bun | deno | python | ruby | java | jdk | go | rust | php | dotnet | \.net) \b [^\w\n]{0,8} v?\d[\w.+-]*
    )$"""
"""Boxes to tick and lines about the machine in such a form."""
_FORM = 2
"""Headings that make a text a form. All of this is compiled late: few questions have several lines."""


class Query:
    """A question as the ranking sees it: weight by term, and the words that look like names in code.

    `spoken` is, for each term, the word of the question, or the part of a name, that it stands for. Every word that has
    one of the terms contains one of the `marks`: a stem is the beginning of a word, except that its y may have been
    ies. `called` are names that the lines use at which a test fails. `text` is the question as it was asked, `title` its
    first line.
    """

    __slots__ = ("_marks", "about_prose", "about_tests", "called", "names", "spoken", "text", "title", "weights")

    def __init__(self, *, about_prose: bool = False, about_tests: bool = False) -> None:
        self.weights: dict[str, float] = {}
        self.names: dict[str, float] = {}
        self.called: dict[str, float] = {}
        self.spoken: dict[str, str] = {}
        self.about_prose = about_prose
        self.about_tests = about_tests
        self.text = self.title = ""
        self._marks: tuple[str, ...] | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """What to look for in a lower-case word before cutting it; the weights must not change after the first call."""
        if self._marks is None:
            self._marks = tuple(dict.fromkeys(term.removesuffix("y") for term in self.weights))
        return self._marks


def ask(question: str, told: Iterable[str] = (), asked: Sequence[str] = ()) -> Query:
    """Read a question: words of its first line weigh most, words that only name a kind of change weigh little.

    `told` are names mentioned earlier in the conversation: "and now the other one" is about them. `asked` are the
    questions before this one, the newest first: the fewer words of its own this one has, the more theirs count. What it
    marks is shown anyway, so that "and does @hooks.js do it?" has hardly any.
    """
    query = _read(question)
    query.text = question
    own = sum((_read(_MARKED.sub("", question)) if asked and "@" in question else query).weights.values())
    for name in told:
        query.names.setdefault(name, _TOLD)
        for term, written in terms.spelled(name).items():
            if term not in query.weights and term not in terms.COMMON and len(term) > 1:
                query.weights[term] = _TOLD * (0.3 if term in terms.FAINT else 1.0)
                query.spoken.setdefault(term, written)
    for age, before in enumerate(asked):
        _recall(query, _read(before), _ASKED * _OLDER**age / (1 + (own / _OWN) ** 2))
    heaviest = sorted(query.weights, key=lambda term: -query.weights[term])[:60]
    query.weights = {term: query.weights[term] for term in heaviest}
    return query


def _recall(query: Query, before: Query, share: float) -> None:
    """Let the heaviest words of an earlier question count for a share of their weight there."""
    for term in sorted(before.weights, key=lambda term: -before.weights[term])[:_MOST]:
        query.weights[term] = max(query.weights.get(term, 0.0), share * before.weights[term])
        query.spoken.setdefault(term, before.spoken[term])
    for name in sorted(before.names, key=lambda name: -before.names[name])[:_MOST]:
        query.names[name] = max(query.names.get(name, 0.0), share * before.names[name])


def _is_about_tests(row: str) -> bool:
    """Say whether the first line of a question is about tests: it is not if it says that some failed, or where."""
    if not _ABOUT_TESTS.search(row) or _REPORT.search(row):
        return False
    return bool(_ABOUT_TESTS.search(" ".join(word for word in row.split() if not _JOINT.search(word))))


def _read(question: str) -> Query:
    """Read the words of one question, without those of the form that it was written into."""
    if "\n" in question:
        plain, headings = re.subn(_HEADINGS, "", re.sub(_COMMENT, "", question[:_LONGEST]))
        if headings >= _FORM and (own := re.sub(_FILLED, "", plain)).strip():
            question = own
    title = question.strip().split("\n", 1)[0]
    query = Query(about_prose=bool(_ABOUT_PROSE.search(title)), about_tests=_is_about_tests(title))
    query.title = title
    rows = [row for row in question.split("\n") if row.strip()]
    for at, row in enumerate(rows[:80]):
        level = 1.0 if at == 0 else 0.6 if at < 10 else 0.4
        for match in _WORD.finditer(row):
            word = match[2]
            if word.lower() in terms.COMMON or len(word) < 2:
                continue
            coded = bool(match[1] or match[3] or _CODE.search(word))
            weight = level * (1.3 if coded else 1.0)
            if coded or word[0].isupper() or len(word) > 3:
                query.names[word] = max(query.names.get(word, 0.0), weight if coded else 0.4 * weight)
            for term, written in terms.spelled(word).items():
                if term in terms.COMMON or len(term) < 2:
                    continue
                faint = not (match[1] and match[3]) and (word.lower() in terms.FAINT or term in terms.FAINT)
                value = weight * (0.3 if faint else 1.0)
                query.weights[term] = max(query.weights.get(term, 0.0), value)
                query.spoken.setdefault(term, written)
    return query
