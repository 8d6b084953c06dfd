"""The plan board on the screen: all plans at once, history, a refresh that asks; and a start that asks nobody."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.quota import history
from assistant.quota.forecast import forecast
from assistant.quota.history import Yield
from assistant.quota.plan_page import read_plan
from assistant.quota.reading import Reading
from assistant.standings import Standing
from assistant.tui import board_lines, theme
from assistant.tui.app import Wattson
from assistant.tui.board import TABS, Board
from tests import loopback
from tests.quota.estimating import estimate
from tests.tui.keys import say, until

KEY = "k" * 24
BALANCE = {
    "balance_infos": [{"currency": "USD", "total_balance": "4.20", "granted_balance": "0", "topped_up_balance": "4.2"}]
}


def pages(left="4.20"):
    body = json.dumps(BALANCE).replace("4.20", left).encode()
    return {"/user/balance": (200, {}, body)}


@pytest.mark.parametrize("unit", ["money", "percent", "requests"])
def test_what_is_unlimited_is_told_as_that_on_the_board(unit):
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    meter = {
        "name": "week",
        "unit": unit,
        "currency": "USD",
        "window": "balance" if unit == "money" else "calendar_week",
    }
    plan = read_plan({"name": "mine", "meters": [meter]}, "mine.toml")
    (found,) = estimate(plan, [], now, [Reading("week", "endpoint", now, limit="unlimited", status="unlimited")])
    standing = Standing("mine", "mine", (), meters=((found, forecast(found, now)),))
    (_, line, _) = board_lines.plans([standing], [], now, 120, theme.load("dark"))
    assert "unlimited" in line.plain
    assert "unknown" not in line.plain


async def opened(pilot, *keys):
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, Board))
    return pilot.app.screen


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (50, 15), (40, 10)])
async def test_the_board_has_all_plans_and_every_page_can_be_read(make_session, quick, size):
    session = make_session(DEEPSEEK_API_KEY=KEY, OPENAI_API_KEY="sk-proj-" + KEY)
    app = Wattson(session, "scripted/lesson")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: session.roster.pick is not None)
        await say(pilot, "add a limit to the kettle")
        await until(pilot, lambda: app.main.hunks.has_focus)
        board = await opened(pilot, "f5")
        await until(pilot, lambda: "Practice plan" in board.text)
        assert "5 hours" in board.text
        if size[0] >= 80:
            for words in ("DeepSeek prepaid balance", "balance unknown", "OpenAI", "paid for each token", "our count"):
                assert words in board.text
            assert board.text.index("Practice plan") < board.text.index("OpenAI")
        seen = {}
        for number, name in enumerate(TABS):
            await pilot.press(str(number + 1))
            await until(pilot, lambda name=name: board.drawn == name)
            seen[name] = board.text
            assert all(len(line) <= size[0] for line in board.text.split("\n"))
            assert not any(line.endswith("…") for line in board.text.split("\n")), board.text  # nothing is cut
            for edge in (board._head, board._foot):
                assert len(edge.render().plain) <= size[0] - 2
        assert "pted/lesson" in seen["model"]
        assert "main" in seen["purpose"]
        assert "Mon" in seen["day"]
        assert "100% of 1" in seen["yield"] or size[0] < 50
        assert re.search(r"[\d,]+ of 40,000 tokens +↺", " ".join(seen["plans"].split()))
        assert all("$0.00248" in seen[name] for name in ("day", "model", "project", "purpose"))
        await pilot.press("left", "escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await say(pilot, "/stats model")
        await until(pilot, lambda: isinstance(app.screen, Board) and app.screen.tab == "model")


def test_the_yield_leaves_out_columns_that_have_no_room_and_never_what_a_line_costs():
    one = Yield(
        ("anthropic", "claude-sonnet-5-5"), 3, 1.0, 0, 3, 2, 1, 0, 0.66, 12, {"USD": Decimal("0.1")},
        {"USD": Decimal("0.0083")}, 0, 0,
    )  # fmt: skip
    look = theme.load("dark")
    for width, gone in ((76, ()), (56, ("edited", "skipped")), (36, ("edited", "skipped", "lines", "taken"))):
        head, row = (line.plain for line in board_lines.yields([one], width, look))
        assert (head.endswith("a line costs"), row.endswith("$0.0083")) == (True, True)
        assert max(len(head), len(row)) <= width
        assert not any(name in head for name in gone)
    assert "edited" in history.yield_lines([one])[0], "the command line has all"


SMALL = (
    'name = "small"\n[[meters]]\nname = "week"\nunit = "requests"\nwindow = "calendar_week"\nzone = "UTC"\nlimit = 1\n'
)


async def test_a_window_that_is_used_up_says_until_when_and_not_when_it_would_run_dry(make_session, config):
    config('[plans]\nopenai = "small"\n', small=SMALL)
    with loopback.Server(loopback.openai("Hello.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(160, 50)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "hello")
            await until(pilot, lambda: len(session.history) == 2 and not session.asking)
            board = await opened(pilot, "f5")
            await until(pilot, lambda: "used up until " in board.text)
            assert "dry" not in board.text


async def test_nobody_is_asked_at_the_start_and_somebody_after_a_question_or_at_the_users_wish(make_session, tmp_path):
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('model = "deepseek/deepseek-flash"\n')
    with loopback.Server(loopback.openai("Hello."), pages=pages()) as server:
        session = make_session(DEEPSEEK_BASE_URL=server.url, DEEPSEEK_API_KEY=KEY)
        app = Wattson(session)
        async with app.run_test(size=(120, 34)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None and app.main.meter.state.plan)
            app.main.ask_meter(idle=True)
            await pilot.pause(0.3)
            assert server.got == []
            assert "balance unknown" in app.main.meter.line(160)
            await say(pilot, "hello")
            await until(pilot, lambda: "$4.20 left" in app.main.meter.line(160))
            assert "provider" in app.main.meter.line(260)
            assert len(server.got) == 1
            server.pages = pages("3.90")
            board = await opened(pilot, "f5")
            await until(pilot, lambda: "$4.20 left" in board.text)
            await pilot.press("r")
            await until(pilot, lambda: "asked a moment ago" in board.said)
            assert len(server.got) == 1
            later = datetime.now(UTC) + timedelta(minutes=3)
            session.accounts.poller._now = lambda: later
            await pilot.press("r")
            await until(pilot, lambda: "$3.90 left" in board.text)
            assert len(server.got) == 2
            server.pages = {"/user/balance": (429, {"retry-after": "600"}, b"")}
            session.accounts.poller._now = lambda: later + timedelta(minutes=3)
            await pilot.press("r")
            await until(pilot, lambda: "HTTP 429" in board.said)
            await pilot.press("1")
            await until(pilot, lambda: "HTTP 429; asked again after" in board.text)


LONG = """name = "small"
[[meters]]
name = "5 hours"
unit = "requests"
window = "first_use"
hours = 5
limit = 120
[[meters]]
name = "month of input tokens"
unit = "tokens"
window = "calendar_month"
zone = "UTC"
limit = 40000000
[[meters]]
name = "month of output tokens"
unit = "tokens"
window = "calendar_month"
zone = "UTC"
limit = 4000000
"""


@pytest.mark.parametrize("size", [(160, 50), (80, 24), (40, 30)])
async def test_names_of_windows_are_told_whole_and_pages_are_clicked_at(make_session, config, size):
    config('[plans]\nopenai = "small"\n', small=LONG)
    app = Wattson(make_session(OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        board = await opened(pilot, "f5")
        await until(pilot, lambda: "month of output tokens" in board.text)
        lines = board.text.split("\n")
        first = next(line for line in lines if "month of input tokens" in line)
        if size[0] >= 80:
            at = next(line for line in lines if "5 hours" in line).index("5 hours") + len("month of output tokens")
            assert first.index("month of input tokens") + len("month of output tokens") == at
            assert len(first.strip()) > at
        else:
            assert first.strip() == "month of input tokens"
        assert not any(line.endswith("…") for line in lines)
        for name in ("hour", "yield", "plans") if size[0] >= 80 else ("hour",):
            shown = board._head.render().plain
            words = f" {TABS.index(name) + 1} "
            await pilot.click(board._head, offset=(1 + shown.index(words) + 1, 0))
            await until(pilot, lambda name=name: board.drawn == name)
        here = board.tab
        await pilot.click(board._head, offset=(size[0] - 2, 0))
        await pilot.click("VerticalScroll", offset=(3, 2))
        await pilot.pause(0.1)
        assert board.tab == here
