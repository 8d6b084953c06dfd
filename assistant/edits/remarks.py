"""What a reply says about its own edits: that they shall not be made, are alternatives or examples, or are taken back.

Only explicit words count: they refuse an edit, and the whole answer with it, and a needless refusal has a price too.
"""

from __future__ import annotations

import re

_ANYWAY = re.IGNORECASE
_NOT_SO = re.compile(
    r"\b(?:do\s+not|don['\u2019]t|never)\s+(?:do|use|apply|write|make|copy|try|run)\b[^.:,]{0,30}\b(?:this|these|that|it|the following)\b[^.:,]{0,30}:\W*$|\b(?:do\s+not|don['\u2019]t)\s+apply\s+(?:this|these|that|it)\b"
    r"|\bavoid\s+(?:this|the following|(?:doing|writing)\b[^.:]{0,20})(?:\s+\w+)?\W*:\W*$|\bnot\s+(?:like\s+)?this\W*:\W*$"
    r"|^\W*(?:wrong|bad|incorrect|anti-?pattern|hypothetically)(?:\s+(?:way|approach|version|example|fix))?\W*$"
    r"|\b(?:incorrect|wrong|bad|naive)\s+(?:fix|edit|change|way|version)\s+(?:would|could|might)\s+be\b"
    r"|\b(?:will|would|shall|should)\s+not\s+(?:change|edit|touch|do|be\s+changed)\W*:\W*$|\badvise\s+against\b[^.:]{0,30}:\W*$"
    r"|^\W*(?:my\s+|the\s+)?(?:earlier|previous|original|first|initial)\s+(?:suggestion|proposal|attempt|idea|draft|answer)(?:\s+(?:was|is|proposed|\(.*\)))?\W*$|^\W*draft\W*$"
    r"|\bnicht\s+so\W*$|^\W*falsch\W*$|\bne\s+faites\s+pas\b|\bno\s+(?:hagas|haga)\b|\bн\u0435\s+(?:делай|делайте)\b|不要这[样么]|不要這[樣麼]|错误示例|反例|錯誤示例|悪い例",
    _ANYWAY,
)
_FORMAT = re.compile(
    r"^(?!\W*here\b).*(?:\b(?:blocks?|edits?|patch(?:es)?|diffs?|hunks?)\s+in\s+(?:this|the|that|such a)\s+(?:format|notation|syntax)\b"
    r"|\b(?:edit|block|patch|diff|apply_patch|search/replace)\s+(?:format|notation|syntax)\b.{0,40}(?:\bis\b|\blooks?\b|\bworks\b|\blike\b|\bexample\b)"
    r"|^\W*the\s+format\s+is(?:\s+this)?\W*$"
    r"|\b(?:an?|each|every)\s+(?:search/replace\s+|edit\s+)?(?:block|edit|patch|diff|hunk)\s+(?:looks?|would look|is written|has the form)\b)",
    _ANYWAY,
)
_DONE = re.compile(
    r"\b(?:commit|change|patch|diff|pull request|pr)\b.{0,40}\b(?:that|which)\s+(?:broke|caused|introduced|regressed)\b.{0,40}:\W*$"
    r"|\b(?:your|the|this)\s+(?:pull\s+request|pr|commit|branch)\s+(?:contains|has|makes|introduces|changes)\b.*:\W*$"
    r"|\bchanged\s+(?:between|upstream|since)\b.*:\W*$|\bgit\s+(?:diff|show|log)\b.*\b(?:prints?|printed|shows?|showed|says?|gives?|outputs?)\W*:\W*$|^\s*\$\s+git\s+(?:diff|show|log)\b",
    _ANYWAY,
)
_WAY = re.compile(
    r"^\W*(?:option|alternative|variante?|choice|possibility|approach|opción)\s*\W?(?P<which>[a-e]|[1-9]|one|two|three|four)\b|^\W*方案\s*(?P<chinese>[一二三四1-9])"
    r"|^\W*fix\s+(?P<fix>[1-9])\W+(?:recommended|preferred|simplest|alternative|simple|quick)\b|\b(?P<either>either)\s+do\s+(?:this|the following)\b.*:\W*$",
    _ANYWAY,
)
_INSTEAD = re.compile(
    r"^\W*(?:or,?\s+)?alternatively\b.*:\W*$|^\W*or,?\s+(?:do\s+)?(?:this|that|the following)\b.*:\W*$|^\W*or,?\s+if\s+you(?:['\u2019]d)?\s+(?:would\s+)?(?:rather|prefer|like|want)\b.*:\W*$",
    _ANYWAY,
)
_TAKEN_BACK = re.compile(
    r"\b(?:scratch|strike)\s+that\b|\b(?:on|upon)\s+second\s+thoughts?\b"
    r"|\b(?:ignore|disregard|forget|discard)\s+(?:the|my|that|those|this)\s+(?:above\b|(?:previous|first|last|earlier|second)\s+(?:one|block|edit|patch|diff|change|version|attempt|answer|snippet)s?\b|(?:block|edit|patch|diff|change)s?\s+above\b)"
    r"|\bactually,?\s+(?:no|wait|scratch)\b|^\W*(?:no,?\s+)?wait\b[,.! \u2014-]+(?:no\b|that['\u2019]?s?\s+(?:is\s+)?(?:wrong|not)\b|that\s+(?:won['\u2019]t|will\s+not|does\s+not|doesn['\u2019]t)\b)"
    r"|\blet\s+me\s+(?:re-?do|re-?write|correct|fix)\s+(?:that|the\s+above|it|this)\b|^\W*(?:oops|correction|sorry,\s+that)\b",
    _ANYWAY,
)
_LONGEST = 400


class Remarks:
    """Reads the words between the edits of one reply."""

    def __init__(self) -> None:
        self._last = ("", "")
        self._way = ""
        self._ways: dict[str, int] = {}
        self._edited = False
        self.taken_back = 0
        """The line of the reply that takes back what stands above it; 0 if none does."""

    def words(self, line: str, number: int) -> None:
        """Take a line of prose that is not blank; a line longer than any sentence is not examined."""
        if len(line) > _LONGEST:
            self._last = ("", "")
            return
        if self._edited and not self.taken_back and _TAKEN_BACK.search(line):
            self.taken_back = number
        way = _WAY.match(line)
        if way:
            self._way = next(filter(None, way.groups())).upper()
        elif self._edited and _INSTEAD.match(line):
            self._ways.setdefault("", number)
            self._way = "another"
        self._last = (line, self._last[0])  # two lines are kept, as the lower may be the name of the file

    def doubt(self, number: int) -> str:
        """Say why an edit that begins at this line may not be meant; empty if the words above do not say so."""
        self._edited = True
        last, self._last = self._last, ("", "")
        if any(map(_NOT_SO.search, last)):
            return "the words above it say that it is not to be done"
        if any(map(_FORMAT.search, last)):
            return "the words above it speak of how edits are written"
        if any(map(_DONE.search, last)):
            return "the words above it say that it is done already"
        if self._way:
            self._ways.setdefault(self._way, number)
            if len(self._ways) > 1:
                return "the reply offers several ways, and which one is meant is not said"
        return ""
