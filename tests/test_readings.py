"""What providers say of their quotas moves the meter: in headers, in refusals, and at endpoints that one asks for all."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant import events, readings
from assistant.accounts import Accounts
from tests import loopback

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "k" * 24
GLM = {
    "data": {
        "level": "lite",
        "limits": [
            {
                "type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 2000, "currentValue": 800, "remaining": 1200,
                "percentage": 40, "nextResetTime": 1795442400000,
            },
            {"type": "MOON_LIMIT", "unit": 6, "number": 1, "usage": 7, "currentValue": 1, "percentage": 14},
        ],
    }
}  # fmt: skip
QUOTA = "/api/monitor/usage/quota/limit"


@pytest.fixture
def named(config):
    """Name plans by provider in the user's config, and write pages of plans."""

    def name(plans, pages=()):
        lines = "".join(f'{provider} = "{plan}"\n' for provider, plan in plans.items())
        config(f"[plans]\n{lines}", **dict(pages))

    return name


PERCENT = """
name = "claude-like"
[[meters]]
name = "5 hours"
unit = "percent"
window = "first_use"
hours = 5
limit = 100
[[meters]]
name = "week"
unit = "percent"
window = "grid"
days = 7
limit = 100
"""


def at(moment):
    return str(int(moment.timestamp()))


async def ask(session, words="hello"):
    return [event async for event in session.ask(words)]


async def test_headers_of_an_answer_move_the_meter_in_the_same_turn(make_session, named):
    named({"anthropic": "claude-like"}, {"claude-like": PERCENT})
    resets = datetime.now(UTC) + timedelta(hours=2)
    headers = {
        "content-type": "text/event-stream",
        "anthropic-ratelimit-unified-5h-utilization": "0.44", "anthropic-ratelimit-unified-5h-reset": at(resets),
        "anthropic-ratelimit-unified-7d-utilization": "0.81",
        "anthropic-ratelimit-unified-7d-reset": at(resets + timedelta(days=3)),
    }  # fmt: skip
    with loopback.Server((200, headers, loopback.anthropic("Good day."))) as server:
        session = make_session(ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY=KEY)
        session.roster.switch("anthropic/claude-sonnet-5-5")
        moved = [event for event in await ask(session) if isinstance(event, events.MeterMoved)][-1].estimates
        assert [(each.meter, each.percent, each.source, each.state) for each in moved] == [
            ("week", Decimal("81.0"), "headers", "open"), ("5 hours", Decimal("44.0"), "headers", "open"),
        ]  # fmt: skip
        assert abs((moved[1].resets_at - resets).total_seconds()) < 1
        # Another window of the same user sees it, and the step that ran meanwhile is in doubt, not added.
        other = make_session()
        other.roster.switch("anthropic/claude-sonnet-5-5")
        assert other.accounts.meters()[0].percent == Decimal("81.0")
        assert server.got == []
        await session.close()


async def test_a_refusal_exhausts_the_window_that_it_names(make_session, named):
    named({"zai-coding": "glm-lite"})
    body = {"error": {"code": "1308", "message": "Usage limit reached; reset at 2999-11-23 22:00:00"}}
    refusal = (429, {"content-type": "application/json"}, json.dumps(body).encode())
    with loopback.Server(refusal) as server:
        session = make_session(ZAI_CODING_BASE_URL=f"{server.url}/api/coding/paas/v4", ZAI_API_KEY=KEY)
        session.roster.switch("zai-coding/glm-5.3")
        *_, ended, held = await ask(session)
        assert isinstance(held, events.TurnHeld)
        assert ended.error.kind == "window_exhausted"
        assert len(server.asked) == 1
        signal = session.accounts.hearings["zai-coding"].signal
        assert (signal.kind, signal.window, signal.until) == (
            "quota", "5 hours", datetime(2999, 11, 23, 14, tzinfo=UTC),
        )  # fmt: skip
        first = session.accounts.meters()[0]
        assert (first.meter, first.state, first.resets_at) == ("5 hours", "exhausted", signal.until)
        await session.close()


class Clock:
    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


def sitting(make_session, clock, server):
    """A sitting of its own on the shared home, by a clock that the test sets."""
    session = make_session(ZAI_CODING_BASE_URL=f"{server.url}/api/coding/paas/v4", ZAI_API_KEY=KEY)
    session.now = clock
    session.accounts = Accounts(
        session.roster,
        session.id,
        places=session.places,
        config=session.config,
        client=lambda: session.client,
        now=clock,
    )
    session.roster.switch("zai-coding/glm-5.3")
    return session


async def poll(session, **how):
    return await session.accounts.poll(session.roster.pick.provider, KEY, **how)


async def test_eight_who_ask_at_once_make_one_call_and_all_see_it(make_session, named):
    named({"zai-coding": "glm-lite"})
    clock = Clock()
    with loopback.Server(b"", pages={QUOTA: (200, {}, json.dumps(GLM).encode())}) as server:
        all_of_them = [sitting(make_session, clock, server) for _ in range(8)]
        found = await asyncio.gather(*(poll(each) for each in all_of_them))
        assert [each.count for each in found if each.count] == [2]
        (asked,) = server.got
        assert (asked[0], asked[1]["Authorization"]) == (QUOTA, f"Bearer {KEY}")
        for each in all_of_them:
            five = next(one for one in each.accounts.meters() if one.meter == "5 hours")
            assert (five.used, five.limit, five.source, five.age_s) == (Decimal(800), Decimal(2000), "provider", 0)
        clock.at += timedelta(seconds=30)
        assert (await poll(all_of_them[0])).count == 0
        assert all_of_them[0].accounts.meters()[0].age_s == 30
        clock.at += timedelta(seconds=50)
        assert (await poll(all_of_them[3], hurry=True)).count == 2
        assert len(server.got) == 2
        for each in all_of_them:
            await each.close()


@pytest.mark.parametrize(
    ("page", "words", "wait_s"),
    [
        ((429, {"retry-after": "600"}, b"slow down"), "HTTP 429", 600),
        ((404, {}, b"nothing"), "HTTP 404", 240),
        ((200, {}, b"<!doctype html><p>Log in"), "a web page", 240),
        ((200, {}, b'{"data": {}}'), "nothing that we can read", 240),
    ],
)
async def test_a_source_that_refuses_is_left_alone_and_that_is_told(make_session, named, page, words, wait_s):
    named({"zai-coding": "glm-lite"})
    clock = Clock()
    with loopback.Server(b"", pages={QUOTA: (200, {}, json.dumps(GLM).encode())}) as server:
        session = sitting(make_session, clock, server)
        assert (await poll(session)).count == 2
        server.pages[QUOTA] = page
        clock.at += timedelta(minutes=5)
        found = await poll(session)
        assert words in found.note
        assert found.next_at == clock.at + timedelta(seconds=wait_s)
        await session.close()
        # A process that starts meanwhile does not ask either, and shows the last reading with its growing age.
        clock.at += timedelta(seconds=wait_s - 1)
        again = sitting(make_session, clock, server)
        assert (await poll(again, hurry=True)).next_at == clock.at + timedelta(seconds=1)
        assert len(server.got) == 2
        assert (again.accounts.meters()[0].used, again.accounts.meters()[0].age_s) == (800, 300 + wait_s - 1)
        clock.at += timedelta(seconds=120)
        server.pages[QUOTA] = (200, {}, json.dumps(GLM).encode())
        assert (await poll(again)).count == 2
        await again.close()


async def test_a_source_that_asks_for_years_of_peace_is_asked_again_after_a_day(make_session, named):
    named({"zai-coding": "glm-lite"})
    clock = Clock()
    with loopback.Server(b"", pages={QUOTA: (429, {"retry-after": "99999999999"}, b"slow down")}) as server:
        session = sitting(make_session, clock, server)
        assert (await poll(session)).next_at == clock.at + timedelta(days=1)
        clock.at += timedelta(hours=23)
        assert (await poll(session, hurry=True)).next_at == NOW + timedelta(days=1)
        clock.at += timedelta(hours=2)
        server.pages[QUOTA] = (200, {}, json.dumps(GLM).encode())
        assert (await poll(session, hurry=True)).count == 2
        await session.close()


async def test_years_of_peace_that_were_stored_hold_for_a_day_too(make_session, named):
    named({"zai-coding": "glm-lite"})
    clock = Clock()
    with loopback.Server(b"", pages={QUOTA: (429, {}, b"slow down")}) as server:
        session = sitting(make_session, clock, server)
        await poll(session)
        source = f"endpoint:{readings.account(session.roster.pick.provider, KEY)}"
        session.accounts.ledger.sources.note_retry(source, clock.at + timedelta(days=1000))
        clock.at += timedelta(hours=23)
        assert (await poll(session, hurry=True)).next_at == NOW + timedelta(days=1)
        clock.at += timedelta(hours=2)
        server.pages[QUOTA] = (200, {}, json.dumps(GLM).encode())
        assert (await poll(session, hurry=True)).count == 2
        await session.close()


async def test_a_limit_of_a_kind_that_nobody_knows_is_kept(make_session, named):
    named({"zai-coding": "glm-lite"})
    clock = Clock()
    with loopback.Server(b"", pages={QUOTA: (200, {}, json.dumps(GLM).encode())}) as server:
        session = sitting(make_session, clock, server)
        await poll(session)
        plan = session.accounts.plan()
        kept = session.accounts.readings(plan)
        assert [(each.meter, each.mapped) for each in kept] == [("5 hours", True), ("MOON_LIMIT week", False)]
        await session.close()


async def test_a_key_is_not_sent_unencrypted_to_another_machine(make_session, named):
    named({"zai-coding": "glm-lite"})
    session = make_session(ZAI_CODING_BASE_URL="http://192.0.2.1/api/coding/paas/v4", ZAI_API_KEY=KEY)
    session.roster.switch("zai-coding/glm-5.3")
    assert "unencrypted" in (await poll(session)).note
    await session.close()


async def test_steps_after_a_reading_are_added_and_those_of_others_are_told_apart(make_session, named):
    """T32 through the ledger and the store."""
    named({"zai-coding": "mine"}, {"mine": """
name = "mine"
reader = "glm"
[[meters]]
name = "5 hours"
unit = "tokens"
window = "first_use"
hours = 5
limit = 2000
"""})  # fmt: skip
    clock = Clock()
    body = json.loads(json.dumps(GLM).replace("CREDIT_LIMIT", "TOKENS_LIMIT"))
    with loopback.Server(b"", pages={QUOTA: (200, {}, json.dumps(body).encode())}) as server:
        session = sitting(make_session, clock, server)
        await poll(session)
        for minute, count in ((1, 30), (3, 25)):
            clock.at = NOW + timedelta(minutes=minute)
            spend(session, count)
        clock.at = NOW + timedelta(minutes=5)
        (five,) = session.accounts.meters()
        assert (five.used, five.percent, five.age_s, five.confidence, five.foreign) == (
            855, Decimal("42.8"), 300, "merged", 0,
        )  # fmt: skip
        body["data"]["limits"][0].update(currentValue=900, remaining=1100, percentage=45)
        server.pages[QUOTA] = (200, {}, json.dumps(body).encode())
        clock.at = NOW + timedelta(minutes=6)
        await poll(session)
        (five,) = session.accounts.meters()
        assert (five.used, five.percent, five.foreign) == (900, Decimal("45.0"), 45)
        await session.close()


def spend(session, count):
    from assistant.quota.entry import Start
    from assistant.tokens import Cost, TokenUsage

    usage = TokenUsage(count)
    ledger = session.accounts.ledger
    start = Start(session.now(), session.id, 1, 1, "main", "/p", "zai-coding", "glm-5.3", "plan", "mine", usage,
                  Cost("included"), 1)  # fmt: skip
    ledger.settle(ledger.begin(start), at=session.now(), state="settled", usage=usage, cost=Cost("included"))


def test_a_refusal_that_names_no_window_is_asked_about_once(wattson, named):
    named({"zai-coding": "glm-lite"})
    body = {"error": {"code": "1310", "message": "Weekly/Monthly Limit Exhausted."}}
    refused = (429, {"content-type": "application/json"}, json.dumps(body).encode())
    with loopback.Server(refused, pages={QUOTA: (200, {}, json.dumps(GLM).encode())}) as server:
        env = {"ZAI_CODING_BASE_URL": f"{server.url}/api/coding/paas/v4", "ZAI_CODING_API_KEY": KEY}
        assert wattson("ask", "-m", "zai-coding/glm-5.3", "hi", **env)[0] == 75
        assert [path for path, _ in server.got] == [QUOTA]
