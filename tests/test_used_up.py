"""A meter that is used up holds a question, whether anybody knows until when or not; who can say more is named, and is asked on wish."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from assistant import command, events
from assistant.record import waiting
from assistant.tui.app import Wattson
from assistant.tui.ways import WaySheet
from tests import loopback
from tests.test_limits import KEY, QUOTA, board, env, glm, held, pressed
from tests.tui.keys import seen, until
from tests.turns import of, walk

CODING = """
name = "coding"
[[meters]]
name = "day"
unit = "requests"
window = "calendar_day"
zone = "UTC"
limit = 3
[[meters]]
name = "month"
unit = "requests"
window = "subscription_month"
limit = 90
"""
ASK = "ask", "-m", "openai/gpt-6.1-sol"
KIMI = "/coding/v1/usages"


def test_a_meter_whose_reset_nobody_knows_holds_until_somebody_says_more(wattson, config):
    config('[plans]\nopenai = "coding"\n', coding=CODING)
    with loopback.Server(loopback.openai("Hello.")) as server:
        wattson("plans", "tell", "coding", "month", "90")
        code, lines, said = wattson(*ASK, "--json", "x", lines=True, **env(server))
        assert (code, lines[-1]["error"]["class"], lines[-1]["error"]["retry_at"]) == (3, "budget", None)
        assert "month of coding is used up; nobody said until when (you typed it)" in said
        assert 'wattson plans tell coding "month"' in said
        assert "-m deepseek/" in said
        assert "--once lets this one through" in said
        assert server.asked == []
        assert wattson(*ASK, "--once", "x", **env(server))[:2] == (0, "Hello.\n")
        wattson("plans", "tell", "coding", "month", "40")
        assert wattson(*ASK, "x", **env(server))[:2] == (0, "Hello.\n")
        assert len(server.asked) == 2


def test_a_meter_whose_reset_nobody_knows_lifts_no_hold_of_another(wattson, config):
    config('[plans]\nopenai = "coding"\n', coding=CODING)
    with loopback.Server(loopback.openai("Hello.")) as server:
        wattson("plans", "tell", "coding", "day", "3")
        assert wattson(*ASK, "x", **env(server))[0] == 75
        wattson("plans", "tell", "coding", "month", "90")
        assert wattson(*ASK, "x", **env(server))[0] == 3
        assert server.asked == []


def test_the_models_of_a_plan_whose_reset_nobody_knows_are_marked_and_no_way_out(wattson, config):
    config('[plans]\nopenai = "coding"\ndeepseek = "full"\n', coding=CODING, full=CODING.replace("coding", "full"))
    with loopback.Server(loopback.openai("Hello.")) as server:
        for plan in ("coding", "full"):
            wattson("plans", "tell", plan, "month", "90")
        code, _, said = wattson(*ASK, "x", **env(server))
        assert (code, "-m deepseek/" in said) == (3, False)


async def test_a_step_within_a_turn_is_held_as_well(make_session, config):
    config('[plans]\nopenai = "coding"\n', coding=CODING)
    with loopback.Server(loopback.openai("Hello.")) as server:
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        pick = session.roster.pick
        assert session.limits.again(10, pick, []) == session.limits.spent(pick) == ""
        session.accounts.ledger.sources.hear("you:coding", [said("month", 90)], datetime.now(UTC), plan="coding")
        assert "used up; nobody said until when" in session.limits.again(10, pick, [])
        assert session.limits.spent(pick).startswith("month of coding is used up; nobody said until when")
        assert "month of coding is used up" in session.limits.used_up(["openai/gpt-6.1-sol"])["openai/gpt-6.1-sol"]


def said(name, used):
    from decimal import Decimal

    from assistant.quota.reading import Reading

    return Reading(name, "you", datetime.now(UTC), used=Decimal(used))


def test_a_balance_that_is_gone_and_paid_again_goes_on(wattson):
    broke = (402, {"content-type": "application/json"}, b'{"error": {"message": "Insufficient Balance"}}')
    with loopback.Server(broke, loopback.openai("Hello.")) as server:
        ask = "ask", "-m", "deepseek/deepseek-flash", "x"
        assert wattson(*ask, **env(server))[0] != 0
        assert wattson(*ask, **env(server))[:2] == (0, "Hello.\n")


def limits(used):
    """What GLM says of a week, without a word of when it begins anew."""
    week = {"type": "CREDIT_LIMIT", "unit": 6, "number": 1, "usage": 10_000, "currentValue": used}
    return json.dumps({"data": {"limits": [week]}}).encode()


async def test_on_the_screen_who_knows_more_is_asked_with_one_key(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    pages = {QUOTA: (200, {}, limits(10_000))}
    with loopback.Server(loopback.openai("It is warm."), pages=pages) as server:
        session = make_session(**glm(server))
        app = Wattson(session, "zai-coding/glm-5.3")
        await session.refresh()
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            assert "week of GLM Coding Plan Lite (Z.ai) is used up; nobody said until when" in app.screen.words
            await until(pilot, lambda: "ask the provider for its figures" in seen(pilot))
            keys = [key for key, _, _ in app.screen.ways]
            assert keys[-2:] == ["o", "r"]
            assert "w" not in keys
            server.pages[QUOTA] = (200, {}, limits(5_000))
            passed(session)
            await pressed(pilot, "r")
            await until(pilot, lambda: "It is warm." in app.main.talk.text)
            assert not isinstance(app.screen, WaySheet)
        assert len(server.asked) == 1


class Slow(dict):
    """Pages that come when they may."""

    def __init__(self, pages):
        super().__init__(pages)
        self.may = threading.Event()

    def get(self, path, default=None):
        self.may.wait(60)
        return super().get(path, default)


@pytest.mark.parametrize("way", ["answers", "fails", "escape"])
async def test_while_a_provider_is_asked_the_question_is_kept_and_what_came_of_it_is_said(make_session, config, way):
    config('[plans]\nzai-coding = "glm-lite"\n')
    pages = {QUOTA: (200, {}, limits(10_000))}
    with loopback.Server(loopback.openai("It is warm."), pages=pages) as server:
        session = make_session(**glm(server))
        app = Wattson(session, "zai-coding/glm-5.3")
        await session.refresh()
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            # Of none it would wait for all, for the sheet too.
            if meters := [each for each in app.workers if each.group == "meter"]:
                await app.workers.wait_for_complete(meters)
            passed(session)
            server.pages = Slow({QUOTA: (500, {}, b"") if way == "fails" else (200, {}, limits(5_000))})
            await pressed(pilot, "r")
            await until(pilot, lambda: "for its figures" in str(app.main.composer.border_title))
            assert waiting(record(session)).text == "how warm is it?"
            if way == "escape":
                await pilot.press("escape")
                await until(pilot, lambda: app.main.composer.text == "how warm is it?")
            server.pages.may.set()
            if way == "answers":
                await until(pilot, lambda: "It is warm." in app.main.talk.text)
                assert "Z.ai" in app.main.talk.text
                assert "has told its figures." in app.main.talk.text
            elif way == "fails":
                await until(
                    pilot, lambda: "could not be asked: its quota page answers with HTTP 500." in app.main.talk.text
                )
                await until(pilot, lambda: isinstance(app.screen, WaySheet))
            elif way == "escape":
                await until(pilot, lambda: "has told its figures." in app.main.talk.text)
                assert app.main.composer.text == "how warm is it?"
        assert len(server.asked) == (way == "answers")


def record(session):
    return [json.loads(line) for path in session.places.data.rglob("*.jsonl") for line in path.read_text().splitlines()]


def passed(session):
    """Let two minutes pass for a session: then a page that was just asked may be asked again."""
    real = session.now
    now = lambda: real() + timedelta(minutes=2)
    session.now = session.accounts._now = session.pricing._now = session.limits._now = now
    session.accounts.poller._now = now


@pytest.mark.parametrize("ratio", [1.0, 0.98])
async def test_a_week_for_which_kimi_refuses_is_looked_up_and_holds_until_its_reset(make_session, config, ratio):
    config('[plans]\nkimi-code = "kimi-code-old"\n')
    words = b'{"error": {"type": "access_terminated_error", "message": "You have reached your weekly (7-day) usage limit."}}'
    resets = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    usages = {"limit_5h": {"used_ratio": 0.1}, "limit_7d": {"used_ratio": ratio, "reset_time": resets.isoformat()}}
    pages = {KIMI: (200, {}, json.dumps({"usages": usages}).encode())}
    with loopback.Server((403, {"content-type": "application/json"}, words), pages=pages) as server:
        session = make_session(**env(server, KIMI_CODE_BASE_URL=f"{server.url}/coding/v1", KIMI_CODE_API_KEY=KEY))
        session.roster.choose(
            next(each.name for each in session.roster.catalogue.models if each.provider == "kimi-code")
        )
        (first,) = of(await walk(session.ask("how warm is it?")), events.TurnHeld)
        assert [path for path, _ in server.got] == [KIMI]
        assert first.hold.until == resets
        (again,) = of(await walk(command.submit(session, "how warm is it?")), events.TurnHeld)
        assert again.hold.until == resets
        assert len(server.asked) == 1


def test_the_line_says_what_is_left_of_a_balance(wattson):
    infos = [{"currency": "USD", "total_balance": "20.00", "granted_balance": "0.00", "topped_up_balance": "20.00"}]
    page = json.dumps({"is_available": True, "balance_infos": infos}).encode()
    with loopback.Server(loopback.openai("Hello."), pages={"/user/balance": (200, {}, page)}) as server:
        wattson("plans", "--refresh", **env(server))
        assert wattson("ask", "-m", "deepseek/deepseek-flash", "x", **env(server))[0] == 0
        assert wattson("usage", "--line")[1].rstrip().endswith("· balance $20.00 left")


def test_the_line_names_no_window_that_is_not_in_the_plan(wattson, config):
    gone = CODING.replace("limit = 3", 'limit = 3\nuntil = "2026-01-01"')
    config('[plans]\nopenai = "coding"\n', coding=gone)
    with loopback.Server(loopback.openai("Hello.")) as server:
        assert wattson(*ASK, "x", **env(server))[0] == 0
        assert wattson("usage", "--line")[1].rstrip().endswith("· month ?")
        (plan,) = [each for each in board(wattson, **env(server)) if each["plan"] == "coding"]
        assert [(each["meter"], each["state"], each["resets_at"]) for each in plan["meters"]] == [
            ("month", "unknown", None),
            ("day", "not_in_plan", None),
        ]
        config('[plans]\nopenai = "coding"\n', coding=gone.split('[[meters]]\nname = "month"')[0])
        assert wattson(*ASK, "x", **env(server))[0] == 0
        assert wattson("usage", "--line")[1].rstrip().endswith("2 included today")


def test_the_board_and_the_line_name_the_meter_that_binds(wattson, config):
    config('[plans]\nopenai = "coding"\n', coding=CODING.replace("limit = 3", "limit = 100").replace("90", "20"))
    with loopback.Server(loopback.openai("Hello.")) as server:
        wattson("plans", "tell", "coding", "day", "90", "--resets", f"{datetime.now(UTC) + timedelta(hours=1):%FT%TZ}")
        wattson("plans", "tell", "coding", "month", "15", "--resets", f"{datetime.now(UTC) + timedelta(days=9):%FT%TZ}")
        assert wattson(*ASK, "x", **env(server))[0] == 0
        (plan,) = [each for each in board(wattson, **env(server)) if each["plan"] == "coding"]
        assert [each["meter"] for each in plan["meters"]] == ["month", "day"]  # room for 4 and for 9
        assert "month" in wattson("usage", "--line")[1]


TWO_MODELS = """
name = "two"
[[meters]]
name = "minutes"
unit = "requests"
window = "calendar_day"
zone = "UTC"
limit = 1
only = ["gpt-6.1-sol"]
"""


async def test_a_meter_that_does_not_count_a_model_is_not_shown_for_it_and_its_plan_goes_on_with_that(
    make_session, config, wattson
):
    config('[plans]\nopenai = "two"\n', two=TWO_MODELS)
    with loopback.Server(loopback.openai("Hello.")) as server:
        session = make_session(**env(server))
        session.switch("openai/gpt-6-luna")
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("how warm is it?"))
        assert [each.meter for each in session.accounts.meters()] == ["minutes"]
        (hold,) = of(await walk(command.submit(session, "and now?")), events.TurnHeld)
        assert "openai/gpt-6-luna" in [each.model for each in hold.hold.offers]
        session.roster.choose("openai/gpt-6-luna")
        assert session.accounts.meters() == ()
        await walk(session.ask("and now?"))
        assert "minutes" not in wattson("usage", "--line")[1]
        await session.close()
