"""What the next question tells the model about its edits, once: decisions, and what the user said of waiting hunks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import prompts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Said = tuple[int, str, str]
"""Words about waiting hunks: the turn the hunks came with, a key, and the words as they are told.

The key names the hunk and what is said of it, without line numbers, so that a hunk which moved is not news. The same words
about hunks of a later turn are news again.
"""


class News(NamedTuple):
    """What one question tells: what was `decided`, in that order, and what the user `said` about waiting hunks.

    `taken_back` is what the model heard before and the user no longer says: he deleted or changed it.
    """

    decided: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    taken_back: tuple[Said, ...] = ()

    def words(self, beside: str = "") -> str:
        """Return the text that stands above a question; empty if there is nothing. `beside` is added to it."""
        gone = (f"takes back: {each[2]}" for each in self.taken_back)
        told = [*self.decided, *filter(None, [beside]), *gone, *(each[2] for each in self.said)]
        return prompts.fill("outcome", decisions="; ".join(told)) if told else ""

    def record(self) -> dict[str, Any]:
        """Return the news for the record of the question that tells them; `read` reads them back."""
        if not any(self):
            return {}
        heard, gone = ([list(each) for each in some] for some in (self.said, self.taken_back))
        return {"told": {"news": list(self.decided), "heard": heard, **({"taken_back": gone} if gone else {})}}


NOTHING = News()


def read(record: Mapping[str, Any]) -> News:
    """Read the fields `news`, `heard` and `taken_back` of a record; malformed parts are passed over."""
    news = record.get("news")
    decided = tuple(each for each in news if isinstance(each, str)) if isinstance(news, list) else ()
    return News(decided, _said(record.get("heard")), _said(record.get("taken_back")))


def _said(found: object) -> tuple[Said, ...]:
    rows = [tuple(each) for each in found if isinstance(each, list)] if isinstance(found, list) else []
    return tuple(each for each in rows if [type(part) for part in each] == [int, str, str])


_WAS = re.compile(r""" \(as it was: (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\)""")
"""The line that a comment is about, as it is told: it may no longer be sent when the comment is taken back."""


def _heard(said: Iterable[Said]) -> dict[tuple[int, str], str]:
    return {_key(each): _WAS.sub("", each[2], count=1) for each in said}


def _key(said: Said) -> tuple[int, str]:
    return said[0], said[1]


class Telling:
    """What is still to be told, and what the model has heard about waiting hunks."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.heard: dict[tuple[int, str], str] = {}
        self._asked = News()
        """What the last question told: it may still fail, and leave nothing in the conversation."""
        self._spared: list[str] = []
        """Decisions that were not noted because that question told the same words."""

    def decide(self, words: Iterable[str], said: Iterable[Said] = (), over: Iterable[Said] = ()) -> None:
        """Note decisions about hunks for telling.

        `said` is what the user said about the decided hunks: it is told too, except what was told while they waited.
        `over` is all that was said of hunks that no longer wait: it is not taken back when nobody says it any more.
        """
        self.news += words
        asked = {_key(each) for each in self._asked.said}
        for each in said:
            if _key(each) not in self.heard:
                self.news.append(each[2])
            elif _key(each) in asked:
                self._spared.append(each[2])
        for each in over:
            self.heard.pop(_key(each), None)

    def next(self, said: Mapping[int, Sequence[Said]]) -> News:
        """Return what the next question is to tell, given what the user says, by turn, about waiting hunks.

        What the model heard about hunks of these turns and the user no longer says is taken back.
        """
        now = {_key(each): each for some in said.values() for each in some}
        new = (each for key, each in now.items() if key not in self.heard)
        gone = ((*key, told) for key, told in sorted(self.heard.items()) if key[0] in said and key not in now)
        return News(tuple(self.news), tuple(new), tuple(gone))

    def tell(self, news: News) -> None:
        """Take as told what a question tells: it is in the conversation from now on."""
        self._asked, self._spared = news, []
        for words in news.decided:
            if words in self.news:
                self.news.remove(words)
        self.heard.update(_heard(news.said))
        for each in news.taken_back:
            self.heard.pop(_key(each), None)

    def take_back(self, news: News) -> None:
        """Tell again what a question told that did not stay in the conversation; one that told nothing yet is passed over."""
        if news is not self._asked:
            return
        self.news[:0] = [*news.decided, *self._spared]
        self._asked, self._spared = News(), []
        for each in news.said:
            self.heard.pop(_key(each), None)
        self.heard.update(_heard(news.taken_back))

    def state(self) -> News:
        """Return what is still to be told and, as `said`, what the model has heard, to be kept in a record."""
        return News(tuple(self.news), tuple((*key, words) for key, words in sorted(self.heard.items())))

    def take_up(self, state: News) -> None:
        """Go on telling where an earlier sitting ended."""
        self.news += state.decided
        self.heard.update(_heard(state.said))

    def clear(self) -> None:
        """Forget everything: another conversation begins."""
        self.news.clear()
        self.heard.clear()
        self._spared.clear()


def after(records: Iterable[Mapping[str, Any]]) -> News:
    """Return the state, as `Telling.state` does, at the end of a conversation.

    Questions asked after the state was last recorded have told their news.
    """
    telling = Telling()
    told: dict[object, News] = {}
    for each in records:
        kind, turn = each.get("kind"), each.get("turn")
        if kind == "news":
            telling.clear()
            telling.take_up(read(each))
        elif kind == "user" and isinstance(each.get("told"), dict):
            told[turn] = read(each["told"])
            telling.tell(told[turn])
        elif kind == "end" and each.get("void") and turn in told:
            telling.take_back(told.pop(turn))
    return telling.state()
