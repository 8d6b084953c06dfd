"""What the next question tells the model about its edits, once: decisions, and what the user said of waiting hunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import prompts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Said = tuple[int, str]
"""The turn that waiting hunks came with, and words about them: the same words about hunks of a later turn are news
again."""


class News(NamedTuple):
    """What one question tells: what was `decided`, in that order, and what the user `said` about waiting hunks."""

    decided: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()

    def words(self, beside: str = "") -> str:
        """Return the text that stands above a question; empty if there is nothing. `beside` is added to it."""
        told = [*self.decided, *filter(None, [beside]), *(words for _, words in self.said)]
        return prompts.fill("outcome", decisions="; ".join(told)) if told else ""

    def record(self) -> dict[str, Any]:
        """Return the news for the record of the question that tells them; `read` reads them back."""
        return {"told": {"news": list(self.decided), "heard": [list(each) for each in self.said]}} if any(self) else {}


NOTHING = News()


def read(record: Mapping[str, Any]) -> News:
    """Read the fields `news` and `heard` of a record; malformed parts are passed over."""
    news, heard = record.get("news"), record.get("heard")
    rows = [tuple(each) for each in heard if isinstance(each, list)] if isinstance(heard, list) else []
    return News(
        tuple(each for each in news if isinstance(each, str)) if isinstance(news, list) else (),
        tuple(each for each in rows if [type(part) for part in each] == [int, str]),
    )


class Telling:
    """What is still to be told, and what the model has heard about waiting hunks."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.heard: set[Said] = set()

    def decide(self, turn: int, words: Iterable[str]) -> None:
        """Note decisions about the hunks of a turn for telling, except words already told while the hunks waited."""
        self.news += [each for each in words if (turn, each) not in self.heard]

    def next(self, said: Iterable[Said]) -> News:
        """Return what the next question is to tell, given what the user has `said` about waiting hunks."""
        return News(tuple(self.news), tuple(each for each in dict.fromkeys(said) if each not in self.heard))

    def tell(self, news: News) -> None:
        """Take as told what a question tells: it is in the conversation from now on."""
        for each in news.decided:
            if each in self.news:
                self.news.remove(each)
        self.heard.update(news.said)

    def take_back(self, news: News) -> None:
        """Tell again what a question told that did not stay in the conversation."""
        self.news[:0] = news.decided
        self.heard.difference_update(news.said)

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
