"""Two keys of one vendor are two accounts: what the page of one says holds no question of the other and is not shown for it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests import loopback

A, B = "keyA." + "a" * 20, "keyB." + "b" * 20
QUOTA = "/api/monitor/usage/quota/limit"


def page(used):
    """What GLM's quota page says."""
    resets = int((datetime.now(UTC) + timedelta(hours=2)).timestamp() * 1000)
    five = {"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 2000, "currentValue": used, "remaining": 2000 - used,
            "percentage": used // 20, "nextResetTime": resets}  # fmt: skip
    return 200, {"content-type": "application/json"}, json.dumps({"data": {"limits": [five]}}).encode()


@pytest.fixture
def glm(wattson, config):
    """A plan of GLM's, its page at `pages[QUOTA]`; run the command with a key."""
    config('[plans]\nzai-coding = "glm-lite"\n')
    with loopback.Server(loopback.openai("Hello.")) as server:

        def run(*args, key, **more):
            return wattson(
                *args, ZAI_CODING_BASE_URL=f"{server.url}/api/coding/paas/v4", ZAI_CODING_API_KEY=key, **more
            )

        run.server = server
        yield run


def five(run, key):
    code, found, _ = run("plans", "--json", key=key, lines=True)
    assert code == 0
    (plan,) = [each for each in found[0]["plans"] if each["title"] == "GLM Coding Plan Lite (Z.ai)"]
    (meter,) = [each for each in plan["meters"] if each["meter"] == "5 hours"]
    return meter, " ".join(plan["notes"])


def test_a_used_up_window_of_one_key_holds_no_question_of_another(glm):
    glm.server.pages[QUOTA] = page(2000)
    assert glm("plans", "--refresh", key=A)[0] == 0
    ask = ("ask", "-m", "zai-coding/glm-5.3", "hi")
    assert glm(*ask, key=A)[0] == 75
    code, _, said = glm(*ask, key=B)
    assert (code, len(glm.server.asked)) == (0, 1), said
    assert glm(*ask, key=A)[0] == 75  # and that of the first is still used up


def test_the_board_shows_the_figures_of_the_key_that_is_there(glm):
    glm.server.pages[QUOTA] = page(1999)
    assert glm("plans", "--refresh", key=A)[0] == 0
    shown, notes = five(glm, B)
    assert (shown["used"], shown["percent"], shown["confidence"], shown["source"]) == (0, 0, "local-only", "ledger")
    assert "of this key nobody has said anything yet" in notes
    glm.server.pages[QUOTA] = page(100)
    assert glm("plans", "--refresh", key=B)[0] == 0
    shown, notes = five(glm, B)
    assert (shown["used"], shown["foreign"], shown["resets"]) == (100, 0, 0)
    assert "figures of 1 other key are left out" in notes
    assert five(glm, A)[0]["used"] == 1999  # whoever spoke last


def test_once_the_page_of_a_key_has_spoken_only_its_own_steps_are_added(glm, config):
    counted = 'name = "mine"\nreader = "glm"\n[[meters]]\nname = "5 hours"\nunit = "requests"\nwindow = "first_use"\nhours = 5\nlimit = 2000\n'
    config('[plans]\nzai-coding = "mine"\n', mine=counted)
    ask = ("ask", "-m", "zai-coding/glm-5.3", "hi")
    for _ in range(2):
        assert glm(*ask, key=A)[0] == 0
    code, found, _ = glm("plans", "--json", key=B, lines=True)
    meter = next(each for plan in found[0]["plans"] for each in plan["meters"] if each["meter"] == "5 hours")
    assert meter["used"] == 2  # a key that was changed within its account: nobody has said otherwise yet
    glm.server.pages[QUOTA] = page(100)
    assert glm("plans", "--refresh", key=B)[0] == 0
    assert glm(*ask, key=A)[0] == 0
    assert glm(*ask, key=B)[0] == 0
    _, found, _ = glm("plans", "--json", key=B, lines=True)
    meter = next(each for plan in found[0]["plans"] for each in plan["meters"] if each["meter"] == "5 hours")
    assert (meter["used"], meter["foreign"]) == (101, 0)


def test_the_prompt_line_follows_whatever_is_heard_or_told(glm):
    """One number in all places: the line is drawn from what is kept, so whoever stores a reading keeps it anew."""
    assert glm("ask", "-m", "zai-coding/glm-5.3", "hi", key=A)[0] == 0
    glm.server.pages[QUOTA] = page(500)
    assert glm("plans", "--refresh", key=A)[0] == 0
    line = glm("usage", "--line", key=A)[1]
    assert line.startswith("glm-5.3 · ")
    assert " 25% " in line
    assert glm("plans", "tell", "glm-lite", "5 hours", "40%", key=A)[0] == 0
    assert " 40% " in glm("usage", "--line", key=A)[1]


def test_a_status_line_of_claude_code_is_told_in_the_prompt_line(wattson, config):
    """Only of a model that the plan pays for is a figure of the plan of any use there."""
    page = 'name = "mine"\nextends = "claude-pro"\nclient = "any"\n'
    config('model = "anthropic/claude-sonnet-5-5"\n[plans]\nanthropic = "mine"\n', mine=page)
    resets = int((datetime.now(UTC) + timedelta(hours=2)).timestamp())
    said = {"rate_limits": {"five_hour": {"used_percentage": 43, "resets_at": resets}}}
    code, _, told = wattson(
        "plans", "tell", "mine", "-", stdin=json.dumps(said), ANTHROPIC_API_KEY="sk-ant-" + "a" * 20
    )
    assert code == 0, told
    assert " 43% " in wattson("usage", "--line")[1]
