"""A book that another program holds for longer than is waited: nothing is sent unbooked, and what was burnt is booked later."""

import sqlite3
from contextlib import aclosing
from decimal import Decimal

import pytest

from assistant import events
from assistant.errors import StateError
from assistant.quota.entry import Start
from assistant.quota.ledger import Ledger
from assistant.tokens import Cost, TokenUsage
from tests import loopback
from tests.turns import of, walk

BAD = """kettle/meter.py
```python
<<<<<<< SEARCH
    nothing like this stands there at all
=======
    pass
>>>>>>> REPLACE
```
"""
EXACT = TokenUsage(fresh_input=60, cache_read=40, output=20)


@pytest.fixture
def make(make_session):
    """Make a session that asks a server, and waits for its book for a tenth of a second."""

    def make(server):
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        session.accounts.ledger = Ledger(session.places.data / "ledger.sqlite", zone=None, wait_s=0.1)
        return session

    return make


def hold(session):
    """Hold the book as another program does."""
    other = sqlite3.connect(session.accounts.ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def held_from_the_first_word(session):
    """Ask while another program takes the book as soon as the answer comes; what happened, and that program."""
    found, other = [], None
    async with aclosing(session.ask("what does it do?")) as stream:
        async for event in stream:
            if isinstance(event, events.TextArrived) and other is None:
                other = hold(session)
            found.append(event)
    return found, other


def booked(ledger):
    return [(each.state, each.usage) for each in ledger.entries()]


async def test_what_cannot_be_booked_is_not_sent_and_may_be_tried_again(make):
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make(server)
        assert session.accounts.ledger.entries() == []
        await walk(session.ask("what does it do?"))
        other = hold(session)
        with pytest.raises(StateError, match=r"locked.*try again") as found:
            await walk(session.ask("and now?"))
        other.close()
        assert (found.value.kind, found.value.exit_code, len(server.asked)) == ("locked", 75, 1)


async def test_an_answer_is_told_of_as_an_estimate_and_booked_exactly_as_soon_as_that_goes(make):
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make(server)
        found, other = await held_from_the_first_word(session)
        assert of(found, events.TurnEnded)[0].text == "It counts."
        (words,) = [each.text for each in of(found, events.Notice) if "locked" in each.text]
        assert "booked by estimate, and exactly once the ledger is free" in words
        assert booked(session.accounts.ledger) == [("in_flight", session.accounts.ledger.entries()[0].usage)]
        other.close()
        assert booked(session.accounts.ledger) == [("settled", EXACT)]
        assert session.accounts.ledger.sums.totals()[0].usage == EXACT


async def test_an_answer_is_booked_exactly_when_a_sitting_ends(make):
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make(server)
        _, other = await held_from_the_first_word(session)
        other.close()
        await session.close()
        with_new = Ledger(session.accounts.ledger.path)
        assert booked(with_new) == [("settled", EXACT)]
        with_new.close()


async def test_what_followed_the_answer_is_given_up_and_what_became_of_it_is_noted_later(make):
    with loopback.Server(loopback.openai(BAD)) as server:
        session = make(server)
        found, other = await held_from_the_first_word(session)
        assert len(server.asked) == 1  # a repair that cannot be booked does not leave, and takes back no answer
        (ended,) = of(found, events.TurnEnded)
        assert (ended.text, ended.error, len(ended.misfits)) == (BAD, None, 1)
        assert [each.text for each in of(found, events.Notice) if "The repair of the edits failed" in each.text]
        other.close()
        await session.close()
        ledger = Ledger(session.accounts.ledger.path)
        assert booked(ledger) == [("settled", EXACT)]
        ((_, counts),) = ledger.sums.yields().items()
        assert (counts["tries"], counts["misfits"]) == (1, 1)
        ledger.close()


async def test_a_correction_writes_first_what_the_book_did_not_take(make):
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make(server)
        ledger = session.accounts.ledger
        assert ledger.entries() == []
        start = Start(session.now(), "s", 1, 1, "main", "p", "openai", "m", "metered", "", EXACT, Cost("unknown"), 1)
        entry = ledger.begin(start)
        other = hold(session)
        with pytest.raises(StateError):
            ledger.settle(entry, at=session.now(), state="settled", usage=EXACT, cost=Cost("unknown"))
        other.close()
        ledger.correct(entry, usage=EXACT, cost=Cost("metered", Decimal("0.5"), "USD"), note="its seller says so")
        assert [each.cost.amount for each in ledger.entries()] == [Decimal("0.5")]
        await session.close()
