"""One model call of a turn: what it costs, and when."""

import asyncio
import sqlite3
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assistant import events, step, tokens, turn
from assistant.desk import Desk
from assistant.errors import RateLimited, Unreachable
from assistant.models.message import said
from assistant.models.wire import HeadersChunk, Request, RetryChunk, StopChunk, TextChunk, ThoughtChunk, UsageChunk
from assistant.quota.ledger import Ledger
from assistant.tokens import Cost, TokenUsage, total_cost
from tests import loopback
from tests.turns import of, walk

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


async def test_what_never_left_is_booked_as_nothing(make_session):
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        async with aclosing(session.ask("what does it do?")) as stream:
            async for event in stream:
                if isinstance(event, events.RequestSent):
                    break
        entry = session.accounts.ledger.entries()[-1]
        assert (entry.state, entry.usage.total, server.asked, session.asking) == ("failed", 0, [], False)
        await session.close()


@pytest.mark.parametrize(("model", "settings"), [
    ("openai/gpt-6.1-sol", ""),
    ("openai/gpt-6.1-sol", '[roles]\neditor = "deepseek/deepseek-flash"\n'),
    ("mine/small", '[[providers.mine.models]]\nid = "small"\nedit_format = "whole_file"\n'),
])  # fmt: skip
async def test_what_is_counted_around_a_question_is_what_is_sent_around_it(make_session, config, model, settings):
    with loopback.Server(loopback.openai("It counts.")) as server:
        config(f'{settings}[providers.mine]\nwire = "openai_chat"\nbase_url = "{server.url}"\nkey_needed = false\n')
        session = make_session(
            OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20, DEEPSEEK_BASE_URL=server.url, DEEPSEEK_API_KEY="d" * 20
        )
        session.roster.choose(model)
        found = await walk(session.ask("QUESTION"))
        plans = session.roster.writer() is not None
    request = found[-1].sent.request
    context = of(found, events.ContextPacked)[0].context.render(lasting=False)
    (message,) = request.messages
    assert context
    assert context in message.text
    assert plans == ("editor" in settings)
    around = message.text.replace(context, "").replace("QUESTION", "")
    sent = sum(map(tokens.count, (*request.system, around))) + step.FRAME
    assert turn.around(request.model, plans=plans) == sent


async def test_thoughts_are_joined_up_to_each_seal(make_session):
    session = make_session(OPENAI_BASE_URL="http://127.0.0.1:1", OPENAI_API_KEY="k" * 20)
    session.roster.choose("openai/gpt-6.1-sol")
    pick = session.roster.present()
    desk = Desk(session, 1, session.roster.partner(pick), "k" * 20)
    made = step.Step(desk, "main", Request(pick.model, (), ()), 0, TokenUsage())
    assert made.thoughts == ()
    made.thinking += [ThoughtChunk("so "), ThoughtChunk("it is"), ThoughtChunk("", "sealed"), ThoughtChunk("but")]
    assert [(each.text, each.seal) for each in made.thoughts] == [("so it is", "sealed"), ("but", "")]


ROLE = b'data: {"model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}\n\n'


@pytest.mark.parametrize("came", [b"", b": keep-alive\n\n", ROLE, ROLE + b"data: {"])
async def test_an_answer_that_breaks_before_its_first_word_may_be_billed(make_session, came):
    with loopback.Server(came) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        found = await walk(session.ask("what does it do?"))
        (entry,) = session.accounts.ledger.entries()
        await session.close()
    assert found[-1].error.kind == "stream_broken"
    assert (entry.state, entry.usage.exact, len(server.asked)) == ("interrupted", False, 1)
    assert entry.usage.fresh_input == of(found, events.RequestSent)[0].likely > 0


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"content-type": "text/html"}, b"<html>Log in</html>"), (400, {}, b'{"error": {"message": "no"}}'),
        b'data: {"error": {"message": "no", "code": 400}}\n\n',
    ],
)  # fmt: skip
async def test_an_answer_that_is_a_refusal_is_not_billed(make_session, answer):
    with loopback.Server(answer) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("what does it do?"))
        (entry,) = session.accounts.ledger.entries()
        await session.close()
    assert (entry.state, entry.usage.total) == ("failed", 0)


async def test_a_sitting_that_ends_while_a_step_is_booked_leaves_none_in_flight(make_session):
    session = make_session(OPENAI_BASE_URL="http://127.0.0.1:9", OPENAI_API_KEY="k" * 20)
    session.roster.choose("openai/gpt-6.1-sol")
    path = session.places.data / "ledger.sqlite"
    path.parent.mkdir(parents=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    packed = asyncio.Event()

    async def ask():
        async for event in session.ask("what does it do?"):
            if isinstance(event, events.ContextPacked):
                packed.set()

    turn = asyncio.ensure_future(ask())
    await packed.wait()
    await asyncio.sleep(0.2)  # it waits for the other window by now, or soon
    turn.cancel()
    other.execute("ROLLBACK")
    await asyncio.wait([turn])
    assert [(each.state, each.usage.total) for each in session.accounts.ledger.entries()] in ([("failed", 0)], [])
    await session.close()
    other.close()


async def test_a_book_that_is_held_by_others_costs_no_answer(make_session):
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        path = session.places.data / "ledger.sqlite"
        session.accounts.ledger = Ledger(path, zone=None, wait_s=0.1)
        found, other = [], None
        async with aclosing(session.ask("what does it do?")) as stream:
            async for event in stream:
                if isinstance(event, events.TextArrived) and other is None:
                    other = sqlite3.connect(path, isolation_level=None)
                    other.execute("BEGIN IMMEDIATE")
                found.append(event)
        other.close()
        assert of(found, events.TurnEnded)[0].text == "It counts."
        assert "Close the program that holds it." in of(found, events.Notice)[-1].text
        await session.close()


class Line:
    """A way to a model that says these chunks; a function among them is awaited."""

    def __init__(self, session, *chunks):
        self.stopped = asyncio.Event()
        self.who = session.roster.partner(session.roster.present())
        self.settled = []
        self._chunks = chunks

    async def stream(self, _request):
        for chunk in self._chunks:
            if callable(chunk):
                await chunk(self)
            else:
                yield chunk

    def now(self):
        return BEFORE

    def price(self, *_, **__):
        return Cost("unknown")

    def held(self, *_):
        return ""

    def book(self, *_):
        return "entry"

    def settle(self, _entry, state, usage, _cost, _served):
        self.settled.append((state, usage))

    def learn(self, counted, reported):
        self.learned = counted, reported

    def burnt(self, usage, costs):
        return events.UsageMoved(usage, total_cost(costs), usage, tuple(costs))

    def meters(self, *_):
        return events.MeterMoved(())


@pytest.fixture
def line(make_session):
    session = make_session(OPENAI_API_KEY="k" * 20)
    session.roster.choose("openai/gpt-6.1-sol")
    return lambda *chunks: Line(session, *chunks)


async def begun(line):
    request = Request(line.who.model, (), (said("user", "what does it do?"),), None, "")
    return await step.begin("main", request, line)


async def test_a_question_that_is_turned_down_once_and_then_taken_is_booked_although_it_is_stopped(line):
    async def stop(each):
        each.stopped.set()
        await asyncio.sleep(60)

    one = line(RetryChunk(1, 0.0, RateLimited("Too many.")), HeadersChunk({}), stop)
    made = await begun(one)
    await walk(step.walk([made], []))
    assert one.settled == [("interrupted", made.estimate)] and made.estimate.total > 0
    one = line(RetryChunk(1, 0.0, RateLimited("Too many.")), stop)  # but not while it waits for its second try
    await walk(step.walk([await begun(one)], []))
    assert one.settled[0][1].total == 0


async def test_a_question_that_was_taken_and_never_answered_may_be_billed(line):
    async def silence(_line):
        error = Unreachable("It took the question and said nothing.")
        error.taken = True
        raise error

    one = line(RetryChunk(1, 0.0, RateLimited("Too many.")), silence)
    made = await begun(one)
    await walk(step.walk([made], []))
    assert one.settled == [("interrupted", made.estimate)]


async def test_who_is_slow_to_hear_hears_all(line):
    async def pause(_line):
        await asyncio.sleep(0.05)

    counted = TokenUsage(1, 0, 0, 0, 1, 0)
    one = line(TextChunk("a\n"), pause, TextChunk("b\n"), UsageChunk(counted, True), StopChunk("length"))
    made = await begun(one)
    async with aclosing(step.walk([made], [])) as stream:
        async for event in stream:
            if isinstance(event, events.TextArrived):
                await asyncio.sleep(0.2)
    assert ("".join(made.text), made.usage, made.stop) == ("a\nb\n", counted, "length")
    assert one.settled == [("settled", counted)]


@pytest.mark.parametrize(
    ("told", "final", "kept"),
    [
        (TokenUsage(), False, {}), (TokenUsage(output=100), False, {"output": 100}),
        (TokenUsage(reasoning=70), False, {"reasoning": 70}), (TokenUsage(900), True, {"fresh_input": 900}),
        (TokenUsage(0, 900), True, {"fresh_input": 0, "cache_read": 900}),
    ],
)  # fmt: skip
async def test_what_a_usage_says_nothing_of_stays_estimated_and_what_it_says_is_kept(line, told, final, kept):
    one = line(TextChunk("yes " * 9), UsageChunk(told, final), StopChunk("end"))
    made = await begun(one)
    await walk(step.walk([made], []))
    ((state, booked),) = one.settled
    ours = {"fresh_input": made.estimate.fresh_input, "output": round(made.written)}
    assert (state, booked) == ("settled", TokenUsage(**{**ours, **kept}, exact=False))
    assert min(ours.values()) > 0


@pytest.mark.parametrize("last", [None, TokenUsage(500)])
async def test_how_a_model_counts_is_learned_from_one_request_only(line, last):
    one = line(TextChunk("yes"), UsageChunk(TokenUsage(900, 0, 0, 0, 1, 0), final=True, last=last))
    await walk(step.walk([await begun(one)], []))
    assert hasattr(one, "learned") == (last is None)


@pytest.mark.parametrize("final", [True, False])
async def test_what_a_window_holds_is_told_of_the_last_of_the_requests_that_an_answer_took(line, final):
    both, last = TokenUsage(1_500, output=40), TokenUsage(800, output=15)
    made = await begun(line(TextChunk("yes " * 60), UsageChunk(both, final, last=last), StopChunk("end")))
    moved = [event for event in await walk(step.walk([made], [])) if isinstance(event, events.UsageMoved)]
    assert made.burn().total >= 1_540
    more = 0 if final else round(made.written) - 40
    assert (made.held().total, moved[-1].held, more > 0) == (815 + more, 815 + more, not final)
