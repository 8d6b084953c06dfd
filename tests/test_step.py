"""One model call of a turn: what it costs, and when."""

from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal

from assistant import events
from tests import loopback

BEFORE, AFTER = datetime(2026, 11, 27, 9, 59, tzinfo=UTC), datetime(2026, 11, 27, 10, 5, tzinfo=UTC)
"""On a Friday at ten the peak of DeepSeek ends."""


async def test_a_turn_costs_what_the_hour_in_which_it_left_costs(make_session):
    sent = []
    with loopback.Server(loopback.openai("It counts.", model="deepseek-flash")) as server:
        session = make_session(DEEPSEEK_BASE_URL=server.url, DEEPSEEK_API_KEY="d" * 20)
        session.now = lambda: AFTER if sent else BEFORE
        session.roster.choose("deepseek/deepseek-flash")
        async with aclosing(session.ask("what does it do?")) as stream:
            async for event in stream:
                sent += [event] if isinstance(event, events.RequestSent) else []
                last = event
        entry = session.accounts.ledger.entries()[-1]
        await session.close()
    assert last.ended_at == AFTER
    assert last.cost.amount == (60 * Decimal("0.30") + 40 * Decimal("0.006") + 20 * Decimal("1.20")) / 1_000_000
    assert entry.cost == last.cost
