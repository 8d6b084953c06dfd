"""What a seller knows afterwards of an answer that was cut short takes the place of our estimate: in the book, in the sums, in the talk."""

import json
from contextlib import aclosing
from decimal import Decimal

import pytest

from assistant import events
from assistant.tokens import TokenUsage
from tests import loopback
from tests.turns import of, walk

ID = "gen-1732800000-aBc"
PAGE = f"/generation?id={ID}"
KNOWN = {
    "id": ID, "total_cost": 0.0042, "native_tokens_prompt": 900, "native_tokens_completion": 50, "native_tokens_reasoning": 20,
    "native_tokens_cached": 300, "is_byok": False, "upstream_inference_cost": None, "cancelled": True,
}  # fmt: skip
REAL = TokenUsage(600, 300, output=30, reasoning=20)
EVENTS = {"content-type": "text/event-stream"}


def page(**more):
    return 200, {"content-type": "application/json"}, json.dumps({"data": {**KNOWN, **more}}).encode()


def said(words, *, cut=False, ident=ID, usage=None):
    """The bytes of a streamed answer of OpenRouter, whose chunks name it."""
    lines = loopback.openai(words, usage, cut=cut).decode().splitlines(keepends=True)
    named = [line.replace('{"model"', f'{{"id": "{ident}", "model"', 1) if ident else line for line in lines]
    return "".join(named).encode()


WHOLE = said("Fine.", ident="gen-2", usage={"prompt_tokens": 10, "completion_tokens": 2, "cost": 0.0001})
CUT = said("It counts as it boils. " * 3, cut=True)


@pytest.fixture
def sit(make_session):
    def make(server, model="openrouter/meta-llama/llama-4-maverick"):
        session = make_session(OPENROUTER_BASE_URL=server.url, OPENROUTER_API_KEY="sk-or-v1-" + "0" * 24)
        session.roster.choose(model)
        return session

    return make


def asked_for(server):
    return [path for path, _ in server.got if path.startswith("/generation")]


def rows(session):
    """The steps of the book that were cut short, as they stand now."""
    return [each for each in session.accounts.ledger.entries() if each.state == "interrupted"]


async def test_an_answer_that_was_stopped_costs_what_its_seller_says(sit):
    slow = said("It counts as it boils. " * 40)
    with loopback.Server(slow, pause_s=0.01, pages={PAGE: page()}) as server:
        session = sit(server)
        found = []
        async with aclosing(session.ask("what does it do?")) as stream:
            async for event in stream:
                found.append(event)
                if isinstance(event, events.TextArrived):
                    session.stop()
        (ended,) = of(found, events.TurnEnded)
        assert (ended.stop, ended.usage.exact, ended.cost.status) == ("cancelled", False, "metered")
        (row,) = rows(session)
        assert (row.usage, row.cost.status, row.cost.amount) == (REAL, "reported", Decimal("0.0042"))
        assert row.note == f"openrouter generation {ID}"
        assert session.accounts.usage == REAL
        assert [(each.status, each.amount) for each in session.accounts.paid()] == [("reported", Decimal("0.0042"))]
        moved = of(found, events.UsageMoved)[-1]
        assert (moved.usage, moved.cost.amount, moved.session_usage) == (REAL, Decimal("0.0042"), REAL)
        (told,) = of(found, events.Notice)
        assert (
            told.text
            == f"OpenRouter says what the answer of turn 1 cost that was cut short: $0.0042 (estimated: {ended.cost})."
        )
        (got,) = [headers for path, headers in server.got if path == PAGE]
        assert got["authorization"] == "Bearer sk-or-v1-" + "0" * 24

        # A conversation that is taken up begins with what it has really burnt, and that is asked for once.
        other = sit(server)
        other.take_up()
        assert (other.accounts.usage, other.accounts.paid()) == (REAL, session.accounts.paid())
        await walk(session.ask("and now?"))
        assert asked_for(server) == [PAGE]


async def test_what_its_seller_does_not_know_yet_is_asked_for_behind_the_next_turn(sit):
    with loopback.Server(CUT, WHOLE) as server:
        session = sit(server)
        first = await walk(session.ask("what does it do?"))
        (ended,) = of(first, events.TurnEnded)
        assert ended.error.kind == "stream_broken"
        (row,) = rows(session)
        assert (row.usage.exact, row.note) == (False, "")
        server.pages[PAGE] = page()
        await walk(session.ask("and now?"))
        assert asked_for(server) == [PAGE, PAGE]
        (row,) = rows(session)
        assert (row.usage, row.cost.amount) == (REAL, Decimal("0.0042"))
        assert session.accounts.usage == REAL + TokenUsage(10, output=2)
        assert [each.amount for each in session.accounts.paid()] == [Decimal("0.0043")]
        (total,) = session.accounts.ledger.sums.totals(("provider",))
        assert (total.inexact, total.usage, total.amount) == (0, REAL + TokenUsage(10, output=2), Decimal("0.0043"))


async def test_the_talk_that_an_answer_belongs_to_hears_of_it_when_another_one_goes_on(sit):
    with loopback.Server(CUT, WHOLE) as server:
        session = sit(server)
        await walk(session.ask("what does it do?"))
        before = session.conversations.id
        session.clear()
        server.pages[PAGE] = page()
        assert of(await walk(session.ask("and now?")), events.Notice) == []
        assert session.accounts.usage == TokenUsage(10, output=2)
        name = next(each.name for each in session.conversations.kept() if before in each.name)
        session.take_up(name)
        assert session.accounts.usage == REAL


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        ((200, {"content-type": "text/html"}, b"<html>Log in</html>"), False),
        ((200, {}, b'{"data": [1]}'), False),
        (page(total_cost=None), False),
        (page(id="gen-other"), False),
        ((401, {}, b"{}"), False),
        ((503, {}, b"busy"), True),
    ],
    ids=["page", "list", "no cost", "another answer", "no key", "busy"],
)
async def test_what_says_nothing_leaves_the_estimate_and_no_word(sit, answer, again):
    with loopback.Server(CUT, WHOLE, pages={PAGE: answer}) as server:
        session = sit(server)
        found = await walk(session.ask("what does it do?"))
        await walk(session.ask("and now?"))
        assert asked_for(server) == [PAGE] * (2 if again else 1)
        (row,) = rows(session)
        assert (row.usage.exact, row.cost.status, row.note) == (False, "metered", "")
        assert (session.accounts.usage.exact, of(found, events.Notice)) == (False, [])


async def test_a_cost_without_counts_leaves_the_tokens_estimated(sit):
    with loopback.Server(
        CUT, pages={PAGE: page(native_tokens_completion=None, is_byok=True, upstream_inference_cost=0.04)}
    ) as server:
        session = sit(server)
        await walk(session.ask("what does it do?"))
        (row,) = rows(session)
        assert (row.usage.exact, row.cost.amount) == (False, Decimal("0.0042"))
        assert row.note == f"openrouter generation {ID}; the own key behind it: 0.04 upstream"
        assert (session.accounts.usage, session.accounts.usage.exact) == (row.usage, False)


async def test_a_model_without_a_price_has_one_then(sit):
    with loopback.Server(CUT, WHOLE, pages={PAGE: page()}) as server:
        session = sit(server, "openrouter/some/model")
        found = await walk(session.ask("what does it do?"))
        assert of(found, events.TurnEnded)[0].cost.status == "unknown"
        assert (session.accounts.unpriced, [each.amount for each in session.accounts.paid()]) == (
            0,
            [Decimal("0.0042")],
        )
        other = sit(server)
        other.take_up()
        assert (other.accounts.unpriced, other.accounts.paid()) == (0, session.accounts.paid())


async def test_the_header_names_an_answer_that_breaks_before_its_first_word(sit):
    silent = (200, {**EVENTS, "X-Generation-Id": ID}, b": OPENROUTER PROCESSING\n\n" + said("x", cut=True, ident=""))
    with loopback.Server(silent, pages={PAGE: page()}) as server:
        session = sit(server)
        await walk(session.ask("what does it do?"))
        assert rows(session)[0].usage == REAL


@pytest.mark.parametrize("ident", ["", "../key", "a b", "g" * 300])
async def test_an_answer_without_an_id_is_asked_for_nowhere(sit, ident):
    with loopback.Server(said("It counts.", cut=True, ident=ident)) as server:
        session = sit(server)
        await walk(session.ask("what does it do?"))
        assert asked_for(server) == []
        assert rows(session)[0].usage.exact is False


async def test_a_seller_whose_page_names_no_such_address_is_not_asked(make_session):
    with loopback.Server(CUT) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("what does it do?"))
        assert server.got == []
        assert rows(session)[0].usage.exact is False
