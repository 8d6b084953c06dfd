"""Caps, reserves and used-up windows hold a question before it leaves; what could go on is offered, never chosen."""

import json
import os
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from assistant import command, events, record
from assistant.errors import BudgetError, ConfigError
from assistant.quota.entry import Start
from assistant.quota.ledger import Ledger
from assistant.record import waiting
from assistant.tokens import Cost, TokenUsage, total_cost
from assistant.tui import quoting
from assistant.tui.app import Wattson
from assistant.tui.choosing import ModelPicker
from assistant.tui.holding import ways
from assistant.tui.pickers import Picker
from assistant.tui.switching import SwitchSheet
from assistant.tui.ways import WaySheet
from tests import loopback
from tests.tui.keys import say, seen, until
from tests.turns import of, walk

KEY = "k" * 24
QUOTA = "/api/monitor/usage/quota/limit"


NARROW = """
[providers.mine]
title = "Mine"
wire = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
key_needed = false
[[providers.mine.models]]
id = "narrow"
context_window = 8000
"""
SMALL = """
name = "small"
[[meters]]
name = "week"
unit = "requests"
window = "calendar_week"
zone = "UTC"
limit = 4
"""


def env(server, **more):
    return {
        "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-proj-" + KEY, "DEEPSEEK_BASE_URL": server.url,
        "DEEPSEEK_API_KEY": KEY, **more,
    }  # fmt: skip


@pytest.mark.parametrize("cap", ["cap_turn", "cap_session", "cap_day"])
def test_a_cap_is_asked_before_the_call_that_would_cross_it(wattson, config, cap):
    code, kind = 3, "budget"  # also of a day: tomorrow it would cross it again
    config(f'{cap} = "0.000001"\n')
    with loopback.Server(loopback.openai("Hello.")) as server:
        found, lines, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "--json", "hello", lines=True, **env(server))
        assert (found, lines[-1]["error"]["class"]) == (code, kind)
        assert "over the cap of" in lines[-1]["error"]["message"]
        assert "--once lets this one through" in said
        assert lines[-1]["error"]["retry_at"] is None
        assert server.asked == []
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "--once", "hello", **env(server))[:2] == (0, "Hello.\n")
        assert len(server.asked) == 1


def _price(words):
    """Return what a held question would have brought it to."""
    return Decimal(re.search(r"bring it to \$([\d.]+\d)", words)[1])


def test_what_today_has_cost_waits_for_tomorrow(wattson, config):
    config('cap_day = "0.000001"\n')
    with loopback.Server(loopback.openai("Hello.", {"prompt_tokens": 1_000, "completion_tokens": 700})) as server:
        price = _price(wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[2])
        config(f'cap_day = "{price + Decimal("0.0001")}"\n')
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[0] == 0
        code, lines, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "--json", "hello", lines=True, **env(server))
        assert (code, lines[-1]["error"]["class"]) == (75, "held")
        assert lines[-1]["error"]["retry_at"] is not None
        assert "wait until" in said
        assert len(server.asked) == 1


BAD = "notes.md\n```\n<<<<<<< SEARCH\nnot there at all\n=======\nx\n>>>>>>> REPLACE\n```\n"


def test_a_repair_is_weighed_as_well(wattson, config):
    used = {"prompt_tokens": 1_000, "completion_tokens": 600}
    with loopback.Server(loopback.openai(BAD, used)) as server:
        config('cap_turn = "0.000001"\n')
        price = _price(wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[2])
        config("repairs = 9\n")
        wattson("ask", "-m", "openai/gpt-6.1-sol", "--diff", "hello", **env(server))
        assert len(server.asked) == 10
        server.asked.clear()
        config(f'repairs = 9\ncap_turn = "{3 * price}"\n')
        code, lines, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "--json", "hello", lines=True, **env(server))
        assert code == 0
        assert 1 < len(server.asked) < 10
        assert "The repair of the edits was not sent" in json.dumps(lines)
        spent = sum(Decimal(each["cost"]["amount"]) for each in lines if each["event"] == "turn_ended")
        assert spent <= 3 * price
        server.asked.clear()
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "--once", "hello", **env(server))[0] == 0
        assert len(server.asked) == 10  # who lets a question through lets its repairs through


def test_a_repair_does_not_leave_where_the_question_has_used_up_the_plan(wattson, config):
    with loopback.Server(loopback.openai(BAD)) as server:
        config('[plans]\nopenai = "small"\n', small=SMALL.replace("limit = 4", "limit = 1"))
        _, lines, _ = wattson("ask", "-m", "openai/gpt-6.1-sol", "--json", "hello", lines=True, **env(server))
        assert len(server.asked) == 1
        (told,) = [each["text"] for each in lines if each["event"] == "notice" and "not sent" in each["text"]]
        assert "week of small is used up until" in told


def test_what_other_windows_have_asked_counts_before_it_is_answered(wattson, config):
    config('cap_day = "0.000001"\n')
    with loopback.Server(loopback.openai("Hello. " * 40), pause_s=0.1) as server:  # all have begun before it ends
        price = _price(wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[2])
        config(f'cap_day = "{price * Decimal("1.5")}"\n')
        with ThreadPoolExecutor() as pool:
            ask = lambda _: wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[0]
            codes = sorted(pool.map(ask, range(3)))
        assert codes == [0, 75, 75]
        assert len(server.asked) == 1
        assert "1 steps" in wattson("usage")[1]


@pytest.mark.parametrize("kept", ["", '[reserve]\nsmall = "50 % of week"\n'])
def test_what_other_windows_have_asked_takes_of_the_plan_before_it_is_answered(wattson, config, kept):
    page = SMALL.replace("limit = 4", "limit = 4" if kept else "limit = 2")
    config(f'{kept}[plans]\nopenai = "small"\n', small=page)
    with loopback.Server(loopback.openai("Hello. " * 40), pause_s=0.1) as server:  # all have begun before it ends
        with ThreadPoolExecutor() as pool:
            ask = lambda _: wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[0]
            codes = sorted(pool.map(ask, range(5)))
        assert codes == [0, 0, 75, 75, 75]
        assert len(server.asked) == 2


async def test_what_others_book_and_take_back_meanwhile_takes_nothing_from_who_booked_before(make_session, config):
    config('[plans]\nopenai = "small"\n', small=SMALL.replace("limit = 4", "limit = 2"))
    with loopback.Server(loopback.openai("Hello.")) as server:
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        pick = session.roster.pick

        def book(ledger):
            at, cost = session.now(), Cost("included")
            return ledger.begin(
                Start(
                    at,
                    "s",
                    1,
                    1,
                    "main",
                    "/p",
                    "openai",
                    pick.model.id,
                    "plan",
                    "small",
                    TokenUsage(10),
                    cost,
                    os.getpid(),
                )
            )

        ledger = session.accounts.ledger
        book(ledger)
        mine = book(ledger)
        other = Ledger(ledger.path)

        def another_window():
            for _ in range(5):
                entry = book(other)
                other.settle(entry, at=session.now(), state="failed", usage=TokenUsage(), cost=Cost("included"))

        with ThreadPoolExecutor() as pool:
            for _ in range(20):
                beside = pool.submit(another_window)
                while not beside.done():
                    session.limits.outrun(mine, 10, pick)
                beside.result()
        other.close()
        with pytest.raises(BudgetError, match="week"):
            session.limits.outrun(book(ledger), 10, pick)


def test_a_question_for_which_a_window_has_no_room_left_waits_for_its_reset(wattson, config):
    used = {"prompt_tokens": 1_000, "completion_tokens": 600}
    page = SMALL.replace('"requests"', '"tokens"').replace("limit = 4", "limit = 4000")
    config('[plans]\nopenai = "small"\n', small=page)
    with loopback.Server(loopback.openai("Hello.", used)) as server:
        ask = lambda *more: wattson("ask", "-m", "openai/gpt-6.1-sol", *more, "hello", **env(server))
        assert [ask()[0], ask()[0]] == [0, 0]
        code, lines, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "--json", "hello", lines=True, **env(server))
        assert (code, len(server.asked)) == (75, 2)
        assert lines[-1]["error"]["retry_at"] is not None
        assert re.search(r"This takes about [\d,]+ tokens of week, which has 800 tokens left", said)
        assert ask("--once")[0] == 0
        assert "week of small is used up" in ask()[2]


def test_what_a_question_names_counts_for_the_room_that_it_needs(wattson, config, repo):
    (repo / "long.py").write_text("".join(f"def part_{n}():\n    return {n}\n\n" for n in range(2_000)))
    page = SMALL.replace('"requests"', '"tokens"').replace("limit = 4", "limit = 9000")
    config('[plans]\nopenai = "small"\n', small=page)
    with loopback.Server(loopback.openai("Hello.")) as server:
        code, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "explain @long.py", **env(server))
        assert (code, len(server.asked)) == (3, 0)
        assert "of week, which has 9,000 tokens left" in said


def test_a_question_leaves_only_where_there_is_room_for_its_editor_too(wattson, config):
    page = SMALL.replace('"requests"', '"tokens"')
    roles = '[roles]\neditor = "openai/gpt-6.1-sol:low"\n'
    with loopback.Server(loopback.openai("Hello.")) as server:

        def ask(limit, more=""):
            config(f'{more}[plans]\nopenai = "small"\n', small=page.replace("limit = 4", f"limit = {limit}"))
            return wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))

        need = int(re.search(r"takes about ([\d,]+) tokens", ask(100)[2])[1].replace(",", ""))
        code, _, said = ask(3 * need // 2, roles)
        assert (code, len(server.asked)) in {(3, 0), (75, 0)}
        assert "of week, which has" in said
        assert ask(3 * need // 2)[0] == 0


def test_a_question_that_fits_in_no_window_waits_for_none(wattson, config):
    page = SMALL.replace('"requests"', '"tokens"').replace("limit = 4", "limit = 200")
    config('[plans]\nopenai = "small"\n', small=page)
    with loopback.Server(loopback.openai("Hello.")) as server:
        code, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))
        assert (code, len(server.asked)) == (3, 0)
        assert "of week, which has 200 tokens left" in said
        assert "wait until" not in said


def test_a_session_is_a_conversation_whatever_process_goes_on_with_it(wattson, config):
    config('cap_session = "0.000001"\n')
    with loopback.Server(loopback.openai("Hello.", {"prompt_tokens": 1_000, "completion_tokens": 700})) as server:
        price = _price(wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[2])
        config(f'cap_session = "{price + Decimal("0.0001")}"\n')
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[0] == 0
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "-c", "hello", **env(server))[0] == 3
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[0] == 0  # another one
        assert len(server.asked) == 2


def test_a_balance_that_is_named_in_the_config_is_still_paid_for(wattson, config):
    with loopback.Server(loopback.openai("Hello.")) as server:
        config('[plans]\ndeepseek = "deepseek-prepaid"\n')
        assert wattson("ask", "-m", "deepseek/deepseek-flash", "hello", **env(server))[0] == 0
        (row,) = wattson("usage", "--by", "payer", "--json", lines=True)[1][0]["usage"]
        assert (row["payer"], list(row["costs"])) == ("prepaid", ["USD"])
        config('[plans]\ndeepseek = "small"\n', small=SMALL)
        assert wattson("ask", "-m", "deepseek/deepseek-flash", "hello", **env(server))[0] == 0
        paid = [each["payer"] for each in wattson("usage", "--by", "payer", "--json", lines=True)[1][0]["usage"]]
        assert sorted(paid) == ["plan", "prepaid"]


def test_a_day_whose_cost_nobody_can_read_is_not_begun_from_nothing(wattson, config, env):
    with loopback.Server(loopback.openai("Hello.")) as server:
        known = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-proj-" + KEY}
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **known)[0] == 0
        with sqlite3.connect(next(Path(env["WATTSON_HOME"]).rglob("ledger.sqlite"))) as base:
            base.execute("PRAGMA user_version = 999")
        config('cap_day = "5"\n')
        code, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **known)
        assert code in {3, 75}
        assert "cannot be kept" in said
        assert len(server.asked) == 1


def test_a_cap_and_a_price_count_the_files_that_a_question_names(wattson, config, make_session, repo):
    (repo / "long.py").write_text("".join(f"def part_{n}():\n    return {n}\n\n" for n in range(2_000)))
    config('cap_turn = "0.03"\n')
    with loopback.Server(loopback.openai("Hello.")) as server:
        code, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "what does @long.py do?", **env(server))
        assert code == 3
        assert "over the cap of" in said
        assert server.asked == []
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server))[0] == 0
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        plain, named = session.pricing.quote("what is it?"), session.pricing.quote("what is @long.py?")
        shown = session.sight.look("what is @long.py?").tokens
        assert plain.words < 6_000 < shown < named.words < shown + 2_000
        assert session.pricing.quote("what is it?").words == plain.words  # and not as large as what was looked at last


def test_a_window_that_we_count_as_used_up_holds_as_well(wattson, config):
    config('[plans]\nopenai = "small"\n', small=SMALL.replace("limit = 4", "limit = 2"))
    with loopback.Server(loopback.openai("Hello.")) as server:
        codes = [wattson("ask", "-m", "openai/gpt-6.1-sol", "x", **env(server))[0] for _ in range(3)]
        assert codes == [0, 0, 75]
        assert len(server.asked) == 2


@pytest.mark.parametrize("seconds", ["61", "80", "3600"])
async def test_a_provider_that_takes_nothing_for_longer_than_is_waited_offers_to_wait(make_session, seconds):
    busy = (429, {"content-type": "application/json", "retry-after": seconds}, b'{"error": {"message": "Rate limit"}}')
    with loopback.Server(busy) as server:
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        found = [event async for event in command.submit(session, "x")]
        (hold,) = [event.hold for event in found if isinstance(event, events.TurnHeld)]
        assert "takes no more questions until" in hold.why
        assert "wait" in [each.kind for each in hold.offers]
        await session.close()


def test_a_question_without_words_is_not_sent(wattson):
    with loopback.Server(loopback.openai("Hello.")) as server:
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "  \n ", **env(server))[0] == 1
        assert server.asked == []


def test_a_cheaper_model_that_crosses_nothing_is_named(wattson, config):
    with loopback.Server(loopback.openai("Hello.")) as server:
        config('cap_turn = "0.004"\n')
        _, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "x", **env(server))
        assert "-m deepseek/" in said or "-m openai/" in said
        offered = said.split("-m ")[1].split(";")[0].strip(" .\n")
        assert wattson("ask", "-m", offered, "x", **env(server))[0] == 0


def test_a_reserve_is_kept_and_its_day_is_free(make_session, config, wattson):
    today = f"{datetime.now().astimezone():%A}"
    text = '[plans]\nopenai = "small"\n[reserve]\nsmall = "50 % of the week{}"\n'
    config(text.format(""), small=SMALL)
    with loopback.Server(loopback.openai("Hello.")) as server:
        codes = [wattson("ask", "-m", "openai/gpt-6.1-sol", "x", **env(server))[0] for _ in range(3)]
        assert codes == [0, 0, 75]
        assert len(server.asked) == 2
        _, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "x", **env(server))
        assert "into the part that you keep" in said
        assert "wait until" in said
        config(text.format(f" for {today}"), small=SMALL)
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "x", **env(server))[0] == 0
        config(text.format("").replace("week", "moon"), small=SMALL)
        code, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "x", **env(server))
        assert code == 1
        assert "there is no 'moon' in that plan" in said


@pytest.mark.parametrize(
    "said", ["5", "0.5", "true", "[5]", '["10 % of the week", 5]', '{week = "10 %"}', "2026-11-24"]
)
async def test_a_reserve_that_is_no_text_is_named(make_session, config, said):
    config(f'[plans]\nopenai = "small"\n[reserve]\nsmall = {said}\n', small=SMALL)
    session = make_session(OPENAI_API_KEY="k" * 20)
    with pytest.raises(ConfigError, match="This is not a reserve: "):
        _ = session.limits.reserves


async def pressed(pilot, key):
    """Press a key of a sheet that has been in sight for long, and Enter where that takes it."""
    sheet = pilot.app.screen
    if not isinstance(sheet, Picker):  # a list takes keys at once
        sheet.grace.since = 0.0
    await pilot.press(key)
    if isinstance(sheet, WaySheet) and key not in {"escape", "enter"}:
        sheet._marked_at = 0.0
        await pilot.press("enter")


def refusal(resets):
    there = (resets + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    body = {"error": {"code": "1308", "message": f"Usage limit reached for 5 hour. It will reset at {there}"}}
    return (429, {"content-type": "application/json"}, json.dumps(body).encode())


def glm(server):
    return env(server, ZAI_CODING_BASE_URL=f"{server.url}/api/coding/paas/v4", ZAI_CODING_API_KEY=KEY)


def test_without_a_screen_a_used_up_window_says_until_when_and_who_could_go_on(wattson, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    resets = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    with loopback.Server(refusal(resets)) as server:
        code, lines, _ = wattson("ask", "-m", "zai-coding/glm-5.3", "--json", "x", lines=True, **glm(server))
        assert (code, lines[-1]["event"], lines[-1]["error"]["class"]) == (75, "turn_ended", "window_exhausted")
        assert len(server.asked) == 1
        # The next one is not even sent: the provider itself has said until when.
        code, _, said = wattson("ask", "-m", "zai-coding/glm-5.3", "x", **glm(server))
        assert code == 75
        assert "5 hours of GLM Coding Plan Lite (Z.ai) is used up until" in said
        assert "-m deepseek/" in said or "-m openai/" in said
        assert "zai-coding/" not in said
        assert len(server.asked) == 1
        wattson("ask", "-m", "zai-coding/glm-5.3", "--once", "x", **glm(server))
        assert len(server.asked) == 2
        # It takes one all the same: the window was opened early, and the next is not held.
        server.answers[:] = [loopback.openai("Hello.")]
        for words in (("--once", "x"), ("x",)):
            assert wattson("ask", "-m", "zai-coding/glm-5.3", *words, **glm(server))[:2] == (0, "Hello.\n")


def test_what_a_plan_that_nobody_named_was_refused_is_remembered_too(wattson):
    resets = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    with loopback.Server(refusal(resets)) as server:
        code, _, said = wattson("ask", "-m", "zai-coding/glm-5.3", "x", **glm(server))
        assert (code, "The window of 5 hours of GLM Coding Plan (Z.ai) is used up until" in said) == (75, True), said
        code, lines, said = wattson("ask", "-m", "zai-coding/glm-5.3", "--json", "x", lines=True, **glm(server))
        assert (code, lines[-1]["error"]["retry_at"]) == (75, resets.isoformat()), said
        assert len(server.asked) == 1
        (standing,) = [each for each in board(wattson, **glm(server)) if "zai-coding" in each["providers"]]
        first = standing["meters"][0]
        assert (first["meter"], first["state"], first["resets_at"]) == ("5 hours", "exhausted", resets.isoformat())
        assert "Which size is yours is not known" in standing["notes"][0]


def test_the_quota_of_a_plan_that_nobody_named_is_asked_for_and_shown(wattson, config):
    limits = [{"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 2000, "currentValue": 267, "percentage": 13}]
    page = json.dumps({"data": {"limits": limits}}).encode()
    with loopback.Server(b"", pages={QUOTA: (200, {}, page)}) as server:
        (standing,) = [each for each in board(wattson, "--refresh", **glm(server)) if "zai-coding" in each["providers"]]
        told = {each["meter"]: (each["used"], each["state"]) for each in standing["meters"]}
        assert (told["5 hours"], told["week"]) == ((13.35, "open"), (None, "unknown"))
        # A page of the user's that is the provider's by nature goes before ours.
        config("", small=SMALL.replace("[[meters]]", 'default_for = ["zai-coding"]\n[[meters]]'))
        (standing,) = [each for each in board(wattson, **glm(server)) if "zai-coding" in each["providers"]]
        assert standing["plan"] == "small"


def board(wattson, *more, **env):
    return wattson("plans", *more, "--json", lines=True, **env)[1][0]["plans"]


async def held(app, pilot):
    """Ask, until the sheet says that the question is held."""
    await until(pilot, lambda: app.main.session.roster.pick is not None)
    await say(pilot, "how warm is it?")
    await until(pilot, lambda: isinstance(app.screen, WaySheet))


def later(session):
    """Let three hours pass for a session."""
    real = session.now
    session.now = session.accounts._now = session.pricing._now = session.limits._now = lambda: (
        real() + timedelta(hours=3)
    )


async def test_on_the_screen_one_key_switches_and_the_question_goes_along(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    resets = datetime.now(UTC) + timedelta(hours=2)
    with loopback.Server(refusal(resets), loopback.openai("It is warm.")) as server:
        session = make_session(**glm(server))
        app = Wattson(session, "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            assert "5 hours of GLM Coding Plan Lite (Z.ai) is used up until" in app.screen.words
            assert session.roster.pick.provider.name == "zai-coding"
            offered = next(words for key, _, words in app.screen.ways if key == "1")
            app.screen.grace.since = float("inf")
            await pilot.press("1")  # too early to have been read
            assert isinstance(app.screen, WaySheet)
            await pilot.pause(1.1)
            await pressed(pilot, "1")
            await until(pilot, lambda: "It is warm." in app.main.talk.text)
            assert f"ask {session.roster.pick.model.name}" in offered
            assert app.main.composer.text == "1", "what came too early is kept, as any letter of a sentence is"
            asked = [each["content"] for each in server.asked[-1][2]["messages"] if each["role"] == "user"]
            assert len(asked) == 1
            assert "how warm is it?" in asked[0]


async def test_waiting_keeps_the_question_until_the_reset_and_escape_gives_it_back(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    resets = datetime.now(UTC) + timedelta(hours=2)
    with loopback.Server(refusal(resets), loopback.openai("It is warm.")) as server:
        session = make_session(**glm(server))
        app = Wattson(session, "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            for _ in range(2):
                await until(pilot, lambda: isinstance(app.screen, WaySheet))
                await pressed(pilot, "w")
                await until(pilot, lambda: "goes out at" in str(app.main.composer.border_title))
                assert app.main.composer.text == ""
                if "gone" in vars(session):
                    break
                session.gone = True
                await pilot.press("escape")
                await until(pilot, lambda: app.main.composer.text == "how warm is it?")
                await pilot.press("enter")
            assert len(server.asked) == 1
            later(session)
            app.main.holding.tick()
            await until(pilot, lambda: "It is warm." in app.main.talk.text)
            assert not app.main.composer.border_title


async def test_a_question_that_waits_asks_before_it_goes_to_a_model_that_was_chosen_meanwhile(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    resets = datetime.now(UTC) + timedelta(hours=2)
    with loopback.Server(refusal(resets), loopback.openai("It is warm.")) as server:
        session = make_session(**glm(server))
        app = Wattson(session, "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            await pressed(pilot, "w")
            await until(pilot, lambda: "goes out at" in str(app.main.composer.border_title))
            session.switch("openai/gpt-6.1-sol")
            later(session)
            app.main.holding.tick()
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            assert "It would go to openai/gpt-6.1-sol, who is asked now." in app.screen.words
            assert len(server.asked) == 1
            await pilot.pause(1.1)
            await pilot.press("escape")
            await until(pilot, lambda: app.main.composer.text == "how warm is it?")
            assert len(server.asked) == 1


async def test_on_a_low_screen_it_is_said_first_why_a_question_is_held(make_session, config):
    config('cap_session = "0.0000001"\n')
    with loopback.Server(loopback.openai("So.")) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")
        async with app.run_test(size=(40, 10)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "why?")
            await until(pilot, lambda: isinstance(app.screen, WaySheet) and "This would bring it to" in seen(pilot))
            assert "send it all the same" in seen(pilot)
    assert server.asked == []


@pytest.mark.parametrize("over", [False, True])
async def test_a_question_that_waits_outlives_the_program(make_session, config, over):
    config('[plans]\nzai-coding = "glm-lite"\n')
    resets = datetime.now(UTC) + timedelta(hours=2)
    with loopback.Server(refusal(resets), loopback.openai("It is warm.")) as server:
        app = Wattson(make_session(**glm(server)), "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            await pressed(pilot, "w")
            await until(pilot, lambda: "goes out at" in str(app.main.composer.border_title))
        again = make_session(**glm(server))
        if over:
            later(again)
        app = Wattson(again, "zai-coding/glm-5.3", resume="last")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            state = "nothing holds it any more" if over else "is used up until"
            assert "A question to zai-coding/glm-5.3 waits since" in app.screen.words
            assert state in app.screen.words
            assert "how warm is it?" in app.screen.words
            assert [key for key, _, _ in app.screen.ways] == (["s"] if over else ["1", "2", "3", "o", "w"])
            if over:
                await pressed(pilot, "s")
                await until(pilot, lambda: "It is warm." in app.main.talk.text)
            else:
                await pressed(pilot, "escape")
                await until(pilot, lambda: app.main.composer.text == "how warm is it?")
        last = make_session(**glm(server))
        last.take_up()
        assert last.held_question is None, "it is offered once"


async def test_letters_of_the_next_thought_choose_no_way_out_of_a_held_question(make_session, config):
    config('cap_turn = "0.000001"\n')
    with loopback.Server(loopback.openai("It is warm.")) as server:
        app = Wattson(make_session(**env(server)), "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "how warm is it?")
            for letter in "and also, 1 or 2":
                await pilot.press("space" if letter == " " else "comma" if letter == "," else letter)
                await pilot.pause(0.05)
            assert not isinstance(app.screen, WaySheet)
            await until(pilot, lambda: "held back" in str(main.composer.border_title))
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            for letter in "too":  # just as it opens
                await pilot.press(letter)
            assert isinstance(app.screen, WaySheet)
            assert server.asked == []
            assert main.composer.text == "and also, 1 or 2too"
            await pilot.pause(1.1)
            await pilot.press("o", "n", "enter")  # a word after a pause, however long
            assert main.composer.text == "and also, 1 or 2tooon\n"  # Enter ends a line of it, and nothing is sent
            await pilot.pause(1.1)
            await pilot.press("o")
            await pilot.pause(0.3)
            assert server.asked == []
            await pilot.press("enter")
            await until(pilot, lambda: len(app.session.history) == 2)
            assert main.composer.text == "and also, 1 or 2tooon\n"  # Enter ends a line of it, and nothing is sent


async def test_a_question_that_a_cap_holds_is_offered_again_in_all_its_ways(make_session, config):
    with loopback.Server(loopback.openai("It is warm.", {"prompt_tokens": 1_000, "completion_tokens": 700})) as server:
        config('cap_day = "0.000001"\n')
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        (last,) = [event async for event in command.submit(session, "hello") if isinstance(event, events.TurnHeld)]
        config(f'cap_day = "{_price(last.hold.why) * Decimal("1.5")}"\n')
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        assert [event async for event in command.submit(session, "hello")]
        app = Wattson(make_session(**env(server)), "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            why, ways = app.screen.words, app.screen.ways
            await pressed(pilot, "w")
            await until(pilot, lambda: "goes out at" in str(app.main.composer.border_title))
        app = Wattson(make_session(**env(server)), "openai/gpt-6.1-sol", resume="last")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            assert "A question to openai/gpt-6.1-sol waits since" in app.screen.words
            assert "over the cap of" in why
            assert app.screen.words.endswith(f": {why}\n\nhow warm is it?")
            assert [way[:2] for way in app.screen.ways] == [way[:2] for way in ways]
            assert {"1", "o", "w"} <= {key for key, _, _ in ways}
            await pressed(pilot, "o")
            await until(pilot, lambda: len(app.session.history) == 2)
            assert app.session.held_question is None


async def test_a_question_that_waits_stays_with_its_conversation_and_is_offered_where_that_is_taken_up(
    make_session, config
):
    config('[plans]\nzai-coding = "glm-lite"\n')
    resets = datetime.now(UTC) + timedelta(hours=2)
    with loopback.Server(refusal(resets), loopback.openai("It is warm.")) as server:
        session = make_session(**glm(server))
        app = Wattson(session, "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            main = app.main
            await held(app, pilot)
            await pressed(pilot, "w")
            await until(pilot, lambda: "goes out at" in str(main.composer.border_title))
            main.sending.queue.append("what comes behind it")
            await say(pilot, "/clear")
            await until(pilot, lambda: "A new conversation begins" in main.talk.text)
            assert main.composer.text == "what comes behind it"
            assert not main.composer.border_title
            main.composer.text = ""
            later(session)
            main.holding.tick()
            await pilot.pause(0.2)
            await pilot.press("escape")
            assert len(server.asked) == 1
            kept = session.conversations.kept()[0]
            await say(pilot, f"/resume {kept.name}")
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            assert "how warm is it?" in app.screen.words
            assert [key for key, _, _ in app.screen.ways] == ["s"]
        app = Wattson(make_session(**glm(server)), "zai-coding/glm-5.3", resume="choose")
        later(app.session)
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, Picker))
            await pressed(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            await pressed(pilot, "s")
            await until(pilot, lambda: "It is warm." in app.main.talk.text)
            assert len(server.asked) == 2


async def test_another_question_that_is_held_leaves_the_one_that_waits(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    resets = datetime.now(UTC) + timedelta(hours=2)
    with loopback.Server(refusal(resets)) as server:
        app = Wattson(make_session(**glm(server)), "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            await pressed(pilot, "w")
            await until(pilot, lambda: "goes out at" in str(app.main.composer.border_title))
            await say(pilot, "another")
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            await pressed(pilot, "escape")
            await until(pilot, lambda: app.main.composer.text == "another")
        last = make_session(**glm(server))
        last.take_up()
        assert last.held_question is not None
        assert last.held_question.text == "how warm is it?"


async def test_a_question_that_waits_instead_of_another_says_so_and_that_one_comes_back(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    with loopback.Server(refusal(datetime.now(UTC) + timedelta(hours=2))) as server:
        app = Wattson(make_session(**glm(server)), "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            await pressed(pilot, "w")
            await until(pilot, lambda: "goes out at" in str(app.main.composer.border_title))
            assert "waits no more" not in app.main.talk.text
            await say(pilot, "another")
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            await pressed(pilot, "w")
            told = "The question that waited before waits no more; Up brings it back."
            await until(pilot, lambda: told in " ".join(app.main.talk.text.split()))
            assert app.session.held_question.text == "another"
            await pilot.press("up")
            assert app.main.composer.text == "how warm is it?"


async def test_a_cheaper_model_is_asked_once_it_is_said_what_becomes_of_the_conversation(make_session, config):
    config('cap_turn = "0.001"\n')
    with loopback.Server(loopback.openai("It is warm.")) as server:
        session = make_session(**env(server))
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            await pressed(pilot, "o")
            await until(pilot, lambda: "It is warm." in app.main.talk.text and not session.asking)
            await held(app, pilot)
            key, cheaper, _ = next(way for way in app.screen.ways if way[0].isdigit())
            await pressed(pilot, key)
            await until(pilot, lambda: isinstance(app.screen, SwitchSheet))
            assert len(server.asked) == 1
            await pressed(pilot, "e")
            await until(pilot, lambda: len(server.asked) == 2 and not session.asking)
            assert session.roster.pick.model.name == cheaper.removeprefix("model ")
            assert "how warm is it?" in str(server.asked[1][2]["messages"][-1])
            assert app.main.composer.text == ""


async def test_a_request_that_is_turned_down_and_not_tried_again_costs_nothing(make_session):
    busy = (429, {"retry-after": "30", "content-type": "application/json"}, b'{"error": {"message": "slow down"}}')
    with loopback.Server(busy) as server:
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        ended = None
        async for event in session.ask("how warm is it?"):
            if isinstance(event, events.Retrying):
                session.stop()
            if isinstance(event, events.TurnEnded):
                ended = event
        assert (ended.stop, ended.usage.total, ended.cost.amount) == ("cancelled", 0, 0)
        assert session.accounts.burnt_since(datetime.now().astimezone().date()).money.get("USD", 0) == 0


async def test_what_a_running_turn_costs_in_another_currency_stands_beside_what_was_paid(make_session):
    with loopback.Server(*[loopback.openai("Hello.", {"prompt_tokens": 1000, "completion_tokens": 10})] * 2) as server:
        session = make_session(**env(server, BIGMODEL_BASE_URL=server.url, BIGMODEL_API_KEY=KEY))
        paid = []
        for name in ("openai/gpt-6.1-sol", "bigmodel/glm-5.3"):
            session.roster.choose(name)
            moved = of(await walk(session.ask("x")), events.UsageMoved)
            paid.append([(each.currency, each.amount > 0) for each in moved[-1].session_costs])
        assert paid == [[("USD", True)], [("USD", True), ("CNY", True)]]
        assert moved[-1].session_costs == tuple(session.accounts.costs.values())
        await session.close()


async def test_a_step_without_a_price_hides_nothing_of_what_is_known(make_session, config):
    config('cap_session = "2.00"\n')
    session = make_session(OPENAI_API_KEY=KEY)
    session.roster.choose("openai/gpt-6.1-sol")
    turns = [
        [Cost("metered", Decimal("1.25"))],
        [Cost("metered", Decimal("0.25")), Cost("unknown")],  # the editor has no price
        [Cost("metered", Decimal(7), "CNY"), Cost("metered", Decimal("0.25"))],
    ]
    burnt = []
    usage = TokenUsage(output=1)
    for costs in turns:
        session.accounts.count(usage, *costs)
        burnt.append(json.loads(json.dumps(record.sums(usage, total_cost(costs), costs))))
    known = {Cost("metered", Decimal("1.75")), Cost("metered", Decimal(7), "CNY"), Cost("unknown")}
    assert len(session.accounts.paid()) == 3
    assert set(session.accounts.paid()) == known
    again = make_session(OPENAI_API_KEY=KEY)
    again.roster.choose("openai/gpt-6.1-sol")
    again.accounts.recall(burnt[:2])
    assert again.accounts.paid() == (Cost("metered", Decimal("1.50")), Cost("unknown"))
    again.limits.check(
        lambda: again.pricing.quote("x"), again.roster.pick
    )  # the unknown step was let through by itself
    again.accounts.count(usage, Cost("metered", Decimal("0.50")))
    with pytest.raises(BudgetError, match=r"over the cap of \$2"):
        again.limits.check(lambda: again.pricing.quote("x"), again.roster.pick)
    again.accounts.recall(burnt)
    assert set(again.accounts.paid()) == known


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "waits", "text": "x"},
        {"kind": "waits", "text": "x", "since": "yesterday", "until": 5},
        {"kind": "waits", "text": "x", "since": "2026-11-23T10:00:00", "until": "2026-11-23T12:00:00"},
        {"kind": "waits", "text": ""},
    ],
)
def test_what_cannot_be_read_waits_no_more(record):
    assert waiting([record]) is None


async def test_a_question_that_a_cap_holds_can_go_once(make_session, config):
    config('cap_turn = "0.000001"\n')
    with loopback.Server(loopback.openai("It is warm.")) as server:
        session = make_session(**env(server))
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            await held(app, pilot)
            await pressed(pilot, "escape")
            await until(pilot, lambda: app.main.composer.text == "how warm is it?")
            assert server.asked == []
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            await pressed(pilot, "o")
            await until(pilot, lambda: "It is warm." in app.main.talk.text)
        (last,) = [event async for event in command.submit(session, "again") if isinstance(event, events.TurnHeld)]
        assert [key for key, _, _ in ways(last.hold, session.now())][-1] == "o"
        assert last.hold.text == "again"


async def test_the_price_of_a_question_that_names_nothing_counts_what_it_will_show(make_session, repo):
    (repo / "long.py").write_text("".join(f"def boil_water_{n}():\n    return {n}\n\n" for n in range(2_000)))
    with loopback.Server(loopback.openai("Hello.")) as server:
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        words = ["how", "does", "the", "kettle", "boil", "water", "and", "what", "does", "it", "return"]
        for count in range(1, len(words) + 1):  # as it is typed
            quote = session.pricing.quote(" ".join(words[:count]))
        shown = session.sight.look(" ".join(words)).tokens
        assert shown > 2_000
        assert shown * 0.6 < quote.words < shown * 1.5 + 1_000
        await session.close()


def test_a_model_that_cannot_hold_the_question_is_not_offered(wattson, config):
    mine = """
[providers.mine]
title = "Mine"
wire = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
key_names = ["MY_API_KEY"]
"""
    small = """
[[providers.mine.models]]
id = "{}"
context_window = {}
[[providers.mine.models.prices]]
input = "0.01"
output = "0.01"
"""
    config('cap_turn = "0.004"\n' + mine + small.format("narrow", 300) + small.format("wide", 300_000))
    with loopback.Server(loopback.openai("Hello.")) as server:
        _, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env(server, MY_API_KEY=KEY))
    assert "mine/wide" in said
    assert "mine/narrow" not in said


async def test_the_lists_of_models_say_whose_plan_is_used_up_and_a_refused_opinion_speaks_of_keys(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(refusal(datetime.now(UTC) + timedelta(hours=2)), loopback.openai(edit)) as server:
        session = make_session(**glm(server))
        session.roster.like("zai-coding/glm-5.3")
        app = Wattson(session, "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            await held(app, pilot)
            await pressed(pilot, "escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            session.roster.choose("openai/gpt-6.1-sol")
            await say(pilot, "go on")
            await until(pilot, lambda: app.main.hunks.has_focus)
            await pilot.pause(0.5)
            for key in ("f3", "o"):
                await pilot.press(key)
                await until(pilot, lambda: isinstance(app.screen, ModelPicker) and app.screen._spent)
                found = [row.name for row in app.screen.found]
                assert found[-1].startswith("zai-coding/")
                assert not app.screen.chosen.name.startswith("zai-coding/")
                await pilot.press(*"zai-coding/glm-5.3")
                await until(pilot, lambda: app.screen.chosen.name == "zai-coding/glm-5.3")
                row = next(
                    line for line in seen(pilot).split("\n") if "zai-coding/glm-5.3 " in line and "in the plan" in line
                )
                assert "used up" in row
                assert "5 hours of GLM Coding Plan Lite (Z.ai) is used up until" in seen(pilot)
                if key == "f3":
                    await pilot.press("escape")
                    await until(pilot, lambda: len(app.screen_stack) == 1)
            await pilot.press("enter")
            await until(pilot, lambda: "F2, then o again chooses another model." in app.main.talk.text)
            assert "--once" not in app.main.talk.text


async def test_what_is_used_up_is_no_way_out_of_a_cap_and_the_price_line_and_a_brief_say_so(make_session, config):
    config('cap_turn = "0.000001"\n[plans]\nzai-coding = "glm-lite"\n[roles]\nsmall = "zai-coding/glm-5.3"\n')
    with loopback.Server(refusal(datetime.now(UTC) + timedelta(hours=2)), loopback.openai("It is warm.")) as server:
        session = make_session(**glm(server))
        session.roster.choose("openai/gpt-6.1-sol")
        (held,) = of(await walk(command.submit(session, "how warm is it?")), events.TurnHeld)
        assert "zai-coding/glm-5.3" in [each.model for each in held.hold.offers]
        session.roster.choose("zai-coding/glm-5.3")
        await walk(command.submit(session, "how warm is it?"))
        quote = session.pricing.quote("how warm is it?")
        assert quote.used_up
        assert "the plan is used up" in quoting.line([quote], 100)
        session.roster.choose("openai/gpt-6.1-sol")
        (held,) = of(await walk(command.submit(session, "how warm is it?")), events.TurnHeld)
        assert not [each.model for each in held.hold.offers if each.model.startswith("zai-coding/")]
        other = quote._replace(used_up=True, model="zai-coding/glm-5.3")
        assert quoting.line([session.pricing.quote("how?"), other], 100).endswith("│ glm-5.3 used up")
        await walk(command.submit(session, "how warm is it?", once=True))
        offer = session.handover.offer("openai/gpt-5.6-luna")
        assert "zai-coding/glm-5.3 cannot write a brief: 5 hours of" in offer.writing
        await session.close()


async def test_a_question_that_is_too_long_is_told_while_typing_and_comes_back(make_session, config):
    config(NARROW)
    with loopback.Server(loopback.openai("It is warm.")) as server:
        app = Wattson(make_session(MINE_BASE_URL=server.url), "mine/narrow")
        async with app.run_test(size=(110, 30)) as pilot:
            main, session = app.main, app.session
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "how warm is it?")
            await until(pilot, lambda: len(session.history) == 2 and not session.asking)
            burnt = session.accounts.usage
            long = "word " * 2 * session.roster.pick.model.context_window
            assert "too long for narrow" in quoting.line([session.pricing.quote(long)], 100)
            await say(pilot, long)
            await until(pilot, lambda: "Nothing was sent." in main.talk.text and main.composer.text)
            assert main.composer.text == long
            assert session.accounts.usage == burnt
            assert not main.meter.state.moving
            assert len(server.asked) == 1
        again = make_session()
        again.take_up()
        assert [message.text.splitlines()[-1] for message in again.history] == ["how warm is it?", "It is warm."]


async def test_the_meter_is_of_the_model_and_the_conversation_that_go_on(make_session):
    with loopback.Server(loopback.openai("It is warm.")) as server:
        app = Wattson(make_session(**env(server)), "openai/gpt-6.1-sol")
        async with app.run_test(size=(110, 30)) as pilot:
            main, session = app.main, app.session
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "how warm is it?")
            await until(pilot, lambda: len(session.history) == 2 and not session.asking)
            before = main.meter.state
            assert before.turn.total
            await say(pilot, "/model deepseek/deepseek-flash everything")
            await until(pilot, lambda: "deepseek" in main.meter.state.model and main.meter.state.context_share)
            after = main.meter.state
            assert after.context_share == session.pricing.carried() / session.roster.pick.model.context_window
            assert (after.turn.total, after.session) == (0, before.session)
            await say(pilot, "/clear")
            await until(pilot, lambda: main.meter.state.context_share is None)
            assert (main.meter.state.turn.total, main.meter.state.session.total) == (0, 0)


async def test_an_answer_fills_nothing_of_the_window_of_a_model_that_is_chosen_meanwhile(make_session, config):
    config(NARROW)
    used = {"prompt_tokens": 60_000, "completion_tokens": 40}
    with loopback.Server(loopback.openai("It is warm. " * 40, used), pause_s=0.1) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(110, 30)) as pilot:
            main, session = app.main, app.session
            await until(pilot, lambda: session.roster.pick is not None)
            shares = []
            await say(pilot, "how warm is it?")
            await until(pilot, lambda: "warm" in main.talk.text and session.asking)
            await say(pilot, "/model mine/narrow everything")
            await until(pilot, lambda: "narrow" in main.meter.state.model)
            while session.asking:
                shares.append(main.meter.state.context_share)
                await pilot.pause(0.05)
            assert set(shares) == {None}
            await until(pilot, lambda: main.meter.state.context_share)
            assert main.meter.state.context_share == session.pricing.carried() / 8_000
            assert main.meter.state.turn.total


async def test_an_answer_is_guessed_as_long_as_those_of_the_model_before_in_a_new_session_too(make_session):
    usage = {"prompt_tokens": 1_000, "completion_tokens": 40}
    with loopback.Server(loopback.openai("It is warm.", usage)) as server:
        first = make_session(**env(server))
        first.roster.choose("openai/gpt-6.1-sol")
        assert first.pricing.quote("how warm?").most.output == 2 * 700
        await walk(first.ask("how warm is it?"))
        await first.close()
        session = make_session(**env(server))
        session.roster.choose("openai/gpt-6.1-sol")
        assert session.pricing.quote("how warm?").most.output == 2 * 40
        session.roster.choose("openai/gpt-5.6-luna")
        assert session.pricing.quote("how warm?").most.output == 2 * 700
        await session.close()


async def test_who_has_no_money_left_or_is_reserved_is_no_way_out(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    broke = (402, {"content-type": "application/json"}, b'{"error": {"message": "Insufficient Balance"}}')
    with loopback.Server(broke, refusal(datetime.now(UTC) + timedelta(hours=2))) as server:
        session = make_session(**glm(server))
        session.roster.choose("deepseek/deepseek-flash")
        await walk(session.ask("how warm is it?"))
        session.roster.choose("zai-coding/glm-5.3")
        (held,) = of(await walk(session.ask("how warm is it?")), events.TurnHeld)
        assert [each.model for each in held.hold.offers if each.kind == "switch"]
        assert not [each.model for each in held.hold.offers if each.model.startswith("deepseek/")]
        await session.close()


async def test_a_hold_waits_until_the_hunks_have_no_keys_and_those_are_decided_as_ever(make_session, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    edits = "Here.\n\n*** Begin Patch\n*** Add File: one.txt\n+hello\n*** Add File: two.txt\n+hello\n*** End Patch\n"
    with loopback.Server(loopback.openai(edits), refusal(datetime.now(UTC) + timedelta(hours=2))) as server:
        app = Wattson(make_session(**glm(server)), "zai-coding/glm-5.3")
        async with app.run_test(size=(100, 30)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "write two files")
            await until(pilot, lambda: main.hunks.has_focus and not app.session.asking)
            main.submit("and now?")  # as one that was queued goes out by itself
            await until(pilot, lambda: "held back" in str(main.composer.border_title))
            assert main.hunks.has_focus
            await pilot.pause(0.5)
            await pilot.press("y", "n")
            assert not isinstance(app.screen, WaySheet)
            assert [each.mark for each in main.hunks.review.choices] == ["take", "skip"]
            await pilot.press("q")
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            assert "y" not in main.composer.text


async def test_what_is_sent_back_is_sent_once_and_says_who_answers(make_session):
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\nno such line\n=======\nx\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(edit), loopback.openai("I see. " * 100), pause_s=0.02) as server:
        session = make_session(**env(server))
        session.config = session.config._replace(repairs=0)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            main = app.main
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: main.hunks.has_focus and not session.asking)
            await pilot.pause(0.5)
            await pilot.press("r")
            await until(pilot, lambda: "gpt-6.1-sol" in str(main.composer.border_title))
            await pilot.press("f2", "r", "f3")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.press("escape")
            await until(pilot, lambda: not session.asking)
            await until(pilot, lambda: not main.composer.border_title)
            assert len(server.asked) == 2
            assert session.answer.count("I see.") == 100, "what opened meanwhile did not break it off"
