"""What the next question tells the model about its edits, once: decisions, and what the user said of waiting hunks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import prompts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Said = tuple[int, str]
"""The turn that waiting hunks came with, and words about them: the same words about hunks of a later turn are news
again."""


_LINE = re.compile(r":\d+")


class News(NamedTuple):
    """What one question tells: what was `decided`, in that order, and what the user `said` about waiting hunks.

    `taken_back` is what the model heard before and the user no longer says: he deleted or changed it.
    """

    decided: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    taken_back: tuple[Said, ...] = ()

    def words(self, beside: str = "") -> str:
        """Return the text that stands above a question; empty if there is nothing. `beside` is added to it."""
        gone = (f"takes back: {words}" for _, words in self.taken_back)
        told = [*self.decided, *filter(None, [beside]), *gone, *(words for _, words in self.said)]
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
    return tuple(each for each in rows if [type(part) for part in each] == [int, str])


class Telling:
    """What is still to be told, and what the model has heard about waiting hunks."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.heard: set[Said] = set()

    def decide(self, turn: int, words: Iterable[str], over: Iterable[str] = ()) -> None:
        """Note decisions about the hunks of a turn for telling, except words already told while the hunks waited.

        `over` is what was said of hunks that no longer wait: it is not taken back when nobody says it any more.
        """
        self.news += [each for each in words if (turn, each) not in self.heard]
        self.heard.difference_update((turn, each) for each in over)

    def next(self, said: Mapping[int, Sequence[str]]) -> News:
        """Return what the next question is to tell, given what the user says, by turn, about waiting hunks.

        What the model heard about hunks of these turns and the user no longer says is taken back, except where the same
        is said of another line: the hunk has moved.
        """
        now = {(turn, each): None for turn, some in said.items() for each in some}
        new = [each for each in now if each not in self.heard]
        moved = {(turn, _LINE.sub("", words, count=1)) for turn, words in new}
        gone = (each for each in sorted(self.heard) if each[0] in said and each not in now)
        stale = [(turn, words) for turn, words in gone if (turn, _LINE.sub("", words, count=1)) not in moved]
        return News(tuple(self.news), tuple(new), tuple(stale))

    def tell(self, news: News) -> None:
        """Take as told what a question tells: it is in the conversation from now on."""
        for each in news.decided:
            if each in self.news:
                self.news.remove(each)
        self.heard.update(news.said)
        self.heard.difference_update(news.taken_back)

    def take_back(self, news: News) -> None:
        """Tell again what a question told that did not stay in the conversation."""
        self.news[:0] = news.decided
        self.heard.difference_update(news.said)
        self.heard.update(news.taken_back)

    def state(self) -> News:
        """Return what is still to be told and, as `said`, what the model has heard, to be kept in a record."""
        return News(tuple(self.news), tuple(sorted(self.heard)))

    def take_up(self, state: News) -> None:
        """Go on telling where an earlier sitting ended."""
        self.news += state.decided
        self.heard.update(state.said)

    def clear(self) -> None:
        """Forget everything: another conversation begins."""
        self.news.clear()
        self.heard.clear()


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
