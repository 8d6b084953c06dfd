"""Why a provider's cache was missed: said when much of a request stood in the one before and little of it was read again."""

from datetime import UTC, datetime, timedelta

import pytest

from assistant import events
from assistant.models.cold import Sent, why
from assistant.models.message import said
from assistant.models.provider import Model
from assistant.models.wire import Request
from assistant.tokens import TokenUsage
from tests import loopback
from tests.turns import of, walk

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MODEL = Model("a", "m", abilities=frozenset({"cache"}))
LONG = "some words of an answer " * 800


def sent(*messages, system="Do.", model=MODEL, at=NOW, read=0, exact=True):
    talk = tuple(said("assistant" if place % 2 else "user", words) for place, words in enumerate(messages))
    usage = TokenUsage(4_000 - read, read, output=10, exact=exact)
    return Sent(Request(model, (system,), talk), at, usage)


BEFORE = sent("rules and question", LONG, "context and question")
SOON = NOW + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (sent("rules and question", LONG, "question", "b", "c", at=SOON), "no longer"),
        (sent("rules and question", LONG, "question", "b", "c", at=SOON, read=3_500), ""),
        (sent("rules and question", LONG, "question", "b", "c", at=SOON, exact=False), ""),
        (sent("rules and question", LONG, "question", at=NOW + timedelta(minutes=9)), "9 minutes ago"),
        (sent("rules and question", LONG, "question", system="Do it.", at=SOON), "instructions"),
        (sent("other rules and question", LONG, "question", at=SOON), "rules, pinned files"),
        (sent("rules and question", "a brief of it", "question", at=SOON), "shortened"),
        (sent("rules and question", LONG, "question", model=Model("a", "n"), at=SOON), ""),
    ],
)
def test_what_differs_is_what_is_said(now, words):
    found = why(BEFORE, now)
    assert words in found
    assert bool(words) == bool(found)


def test_what_is_kept_for_an_hour_is_not_gone_after_nine_minutes():
    now = sent("rules and question", LONG, "question", at=NOW + timedelta(minutes=9))
    assert "no longer" in why(BEFORE, now, long_lived=True)
    assert "70 minutes ago" in why(BEFORE, now._replace(at=NOW + timedelta(minutes=70)), long_lived=True)


def test_a_short_talk_and_a_model_without_a_cache_say_nothing():
    assert not why(sent("a", "b", "c"), sent("a", "b", "c", "d", "e"))
    plain = Model("a", "m")
    assert not why(
        BEFORE._replace(request=sent("a", LONG, "c", model=plain).request), sent("a", LONG, "c", model=plain)
    )


async def test_a_session_says_it_once_a_turn(make_session):
    with loopback.Server(*map(loopback.openai, (LONG, "Yes.", "No.", "So."))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.switch("openai/gpt-6.1-sol")
        said_so = []
        for words in ("one", "two", "three"):
            notices = of(await walk(session.ask(words)), events.Notice)
            said_so.append([each.text for each in notices if "read from the cache" in each.text])
        session.clear()
        after = of(await walk(session.ask("four")), events.Notice)
        await session.close()
    assert said_so[:2] == [[], []]
    assert len(said_so[2]) == 1
    assert "no longer" in said_so[2][0]
    assert not [each for each in after if "cache" in each.text]
