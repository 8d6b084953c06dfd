"""The plan board without a screen: every plan and balance that the user has, other clients, history, yield."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from assistant import usage_review
from assistant.edits.review import Review
from assistant.models.price import price_at
from assistant.quota.entry import Start, Total
from assistant.quota.ledger import Ledger
from assistant.quota.reading import Reading
from assistant.standings import board
from assistant.tokens import Cost, TokenUsage
from tests import loopback
from tests.turns import walk

KEY = "k" * 24
BALANCE = {
    "is_available": True,
    "balance_infos": [
        {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"},
        {"currency": "USD", "total_balance": "5.00", "granted_balance": "0.00", "topped_up_balance": "5.00"},
    ],
}
EDIT = """Here it is.

kettle/boil.py
```python
<<<<<<< SEARCH
%s
=======
%s
>>>>>>> REPLACE
```
"""


def plans(wattson, *args, **env):
    code, lines, said = wattson("plans", *args, "--json", lines=True, **env)
    assert code == 0, said
    return {each["title"]: each for each in lines[0]["plans"]}, said


def test_every_plan_is_there_and_what_is_unknown_says_so(wattson, config):
    config('[plans]\nzai-coding = "glm-lite"\n')
    found, _ = plans(
        wattson, ZAI_CODING_API_KEY=KEY, KIMI_CODE_API_KEY="sk-kimi-" + KEY, DEEPSEEK_API_KEY=KEY,
        OPENAI_API_KEY="sk-proj-" + KEY,
    )  # fmt: skip
    glm, deepseek, openai = (
        found[name] for name in ("GLM Coding Plan Lite (Z.ai)", "DeepSeek prepaid balance", "OpenAI")
    )
    assert [(each["meter"], each["state"], each["limit"]) for each in glm["meters"]][:2] == [
        ("5 hours", "not_started", 2000), ("week", "unknown", 10000),
    ]  # fmt: skip
    week = glm["meters"][1]
    assert (week["used"], week["remaining"], week["percent"], week["resets_at"]) == (None, None, None, None)
    assert "Strictly limited to officially supported tools" in " ".join(glm["notes"])
    assert [each["remaining"] for each in deepseek["meters"]] == [None, None]
    assert openai["meters"] == []
    assert "paid for each token" in openai["notes"][0]
    kimi = next(each for title, each in found.items() if "kimi-code" in each["providers"])
    assert "Which plan is yours is not known" in kimi["notes"][0]
    assert "kimi-code, kimi-code-old" in kimi["notes"][0]
    text = wattson("plans", DEEPSEEK_API_KEY=KEY)[1]
    assert "balance unknown" in text
    words = "unknown of 10,000 credits  begins at a time that nobody has said  [our count, "
    assert f"week           {words}" in wattson("plans", ZAI_CODING_API_KEY=KEY)[1]


def test_a_model_that_is_no_longer_sold_hides_no_board(wattson, config):
    config('model = "gone/model"\n')
    found, said = plans(wattson, DEEPSEEK_API_KEY=KEY)
    assert "DeepSeek prepaid balance" in found
    assert "There is no model called 'gone/model'" in said


def test_balances_stay_apart_by_currency_and_a_refresh_asks_once(wattson):
    with loopback.Server(b"", pages={"/user/balance": (200, {}, json.dumps(BALANCE).encode())}) as server:
        env = {"DEEPSEEK_BASE_URL": server.url, "DEEPSEEK_API_KEY": KEY}
        assert server.got == []
        found, _ = plans(wattson, "--refresh", **env)
        left = {each["currency"]: each for each in found["DeepSeek prepaid balance"]["meters"]}
        assert {name: each["remaining"] for name, each in left.items()} == {"CNY": 110, "USD": 5}
        assert left["CNY"]["parts"] == {"granted": 10, "topped_up": 100}
        found, said = plans(wattson, "--refresh", **env)
        assert "asked a moment ago" in said
        assert len(server.got) == 1
        code, text, _ = wattson("plans", **env)
        assert "¥110.00 left" in text
        assert "$5.00 left" in text


@pytest.mark.parametrize(
    ("model", "at", "words"),
    [
        ("deepseek/deepseek-flash", "2026-11-23T06:30:00Z", "half after 10:00 UTC (18:00 in Beijing)"),
        ("deepseek/deepseek-flash", "2026-11-23T11:00:00Z", None),
        ("deepseek/deepseek-flash", "2026-11-21T06:30:00Z", None),  # a Saturday
        ("openai/gpt-6.1-sol", "2026-11-23T06:30:00Z", None),
    ],
)
def test_who_pays_by_the_token_is_told_when_the_seller_is_cheaper(make_session, model, at, words):
    session = make_session(DEEPSEEK_API_KEY=KEY, OPENAI_API_KEY="sk-proj-" + KEY)
    session.roster.choose(model)
    shown = board(session.accounts, session.roster, session.config, datetime.fromisoformat(at), every=False)
    (found,) = [each for each in shown if each.present]
    assert (str(found.hint) if found.hint else None) == (words and f"this costs {words}")


def test_a_page_that_is_none_is_told(wattson):
    with loopback.Server(b"", pages={"/user/balance": (200, {}, b"<html>log in</html>")}) as server:
        _, said = plans(wattson, "--refresh", DEEPSEEK_BASE_URL=server.url, DEEPSEEK_API_KEY=KEY)
        assert "deepseek: its quota page answers with a web page" in said


def test_a_limit_of_codex_for_one_model_hides_no_window_of_the_plan(wattson, config, tmp_path):
    config('[plans]\ncodex = "chatgpt-plus"\n')
    now = datetime.now(UTC)
    window = {"window_minutes": 300, "resets_at": int(now.timestamp()) + 7200}
    lines = [{"timestamp": f"{now - timedelta(hours=1):%FT%TZ}", "type": "session_meta", "payload": {"id": "a"}}]
    for minutes, limits in (
        (30, {"limit_id": "codex", "primary": {**window, "used_percent": 12.0}}),
        (20, {"limit_id": "codex_bengalfox", "limit_name": "Spark", "primary": {**window, "used_percent": 97.0}}),
    ):
        payload = {"type": "token_count", "info": None, "rate_limits": limits}
        lines.append(
            {"timestamp": f"{now - timedelta(minutes=minutes):%FT%TZ}", "type": "event_msg", "payload": payload}
        )
    logs = tmp_path / "codex" / "sessions"
    logs.mkdir(parents=True)
    (logs / "rollout-a.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    assert wattson("usage", "import", "codex", CODEX_HOME=str(tmp_path / "codex"))[0] == 0
    _, lines, _ = wattson("plans", "--json", lines=True)
    (plan,) = [each for each in lines[0]["plans"] if each["plan"] == "chatgpt-plus"]
    assert [each["percent"] for each in plan["meters"] if each["meter"] == "5 hours"] == [12]
    assert [each["meter"] for each in plan["unmapped"]] == ["5 hours Spark"]


def test_what_the_user_has_read_elsewhere_is_kept_as_his_word(wattson):
    resets = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    code, lines, _ = wattson(
        "plans", "tell", "claude-pro", "5 hours", "45%", "--resets", resets.isoformat(), "--json", lines=True
    )
    (claude,) = [each for each in lines[0]["plans"] if each["plan"] == "claude-pro"]
    five = next(each for each in claude["meters"] if each["meter"] == "5 hours")
    assert (five["used"], five["source"], five["resets_at"]) == (45, "you", resets.isoformat())
    assert "shown only: its terms exclude other programs" in claude["notes"][0]
    status = {"rate_limits": {"five_hour": {"used_percentage": 51, "resets_at": int(resets.timestamp())}}}
    wattson("plans", "tell", "claude-pro", "-", stdin=json.dumps(status))
    found, _ = plans(wattson)
    assert found["Claude Pro"]["meters"][0]["used"] == 51
    assert wattson("plans", "tell", "claude-pro", "-", stdin="hello")[0] == 1


def test_a_plan_whose_terms_exclude_this_program_is_shown_and_pays_nothing(wattson, config):
    config('cap_day = "0.00001"\n[plans]\nanthropic = "claude-pro"\n')
    with loopback.Server(loopback.anthropic("Hello.")) as server:
        env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
        assert wattson("ask", "-m", "anthropic/claude-sonnet-5-5", "x", **env)[0] == 3  # what the key pays is capped
        code, _, said = wattson("ask", "-m", "anthropic/claude-sonnet-5-5", "--once", "x", **env)
        assert code == 0
        assert "Claude Pro pays nothing here: its terms exclude other programs" in said
        assert "metered pays" in said
        found, _ = plans(wattson, **env)
    assert (found["Claude Pro"]["providers"], found["Claude Pro"]["meters"][0]["state"]) == ([], "unknown")
    assert "shown only" in found["Claude Pro"]["notes"][0]


def test_the_line_names_the_meter_that_binds_the_model_that_is_asked(wattson, config):
    page = 'name = "mine"\n' + "".join(
        f'[[meters]]\nname = "{name}"\nunit = "percent"\nwindow = "first_use"\nhours = {hours}\nlimit = 100\n{more}'
        for name, hours, more in (("5 hours", 5, ""), ("week", 168, ""), ("week opus", 168, 'only = ["*opus*"]\n'))
    )
    config('[plans]\nanthropic = "mine"\n', mine=page)
    for meter, figure in (("week opus", "100%"), ("week", "10%"), ("5 hours", "30%")):
        assert wattson("plans", "tell", "mine", meter, figure)[0] == 0
    with loopback.Server(loopback.anthropic("Hello.")) as server:
        env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
        assert wattson("ask", "-m", "anthropic/claude-sonnet-5-5", "x", **env)[0] == 0
        assert "5 hours" in wattson("usage", "--line")[1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "Name a plan, a meter of it and a figure"),
        (("claude-pro", "5 hours"), "Name a plan"),
        (("moon", "5 hours", "45%"), "There is no plan 'moon'. Name a plan"),
        (("moon", "-"), "There is no plan 'moon'"),
        (("claude-po", "week"), "There is no plan 'claude-po'. Near it: claude-pro"),
        (("claude-pro", "week", "450%"), "450% is more than all of it"),
        (("claude-pro", "week", "101"), "101 is more than all of it"),
        (
            ("glm-lite", "5 hours", "99999"),
            "99999 is more than the 2,000 credits that 5 hours of GLM Coding Plan Lite (Z.ai) has",
        ),
        (("claude-pro", "5 hours", "45%", "--resets", "25:30"), "'25:30' is not understood"),
        (("claude-pro", "5 hours", "45%", "--resets", "2020-01-01T00:00"), "lies in the past"),
        (("claude-pro", "moon", "45%"), "Claude Pro has no 'moon'. It has 5 hours, week"),
        (("claude-pro", "5 hours", "half"), "'half' is not understood"),
        (("claude-pro", "5 hours", "-5"), "'-5' is not understood"),
        (("claude-pro", "5 hours", "45%", "--resets", "soon"), "'soon' is not understood"),
    ],
)
def test_a_figure_that_means_nothing_is_wrong_usage_and_is_not_kept(wattson, words, why):
    code, _, said = wattson("plans", "tell", *words)
    assert (code, why in said) == (2, True), said
    assert "Claude Pro" not in wattson("plans")[1]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/St_Johns", "UTC"])
def test_a_reset_without_an_offset_is_by_the_users_clock(wattson, zone):
    """A vendor's page shows local time, and so does the board."""

    def told(text):
        code, lines, said = wattson(
            "plans", "tell", "claude-pro", "week", "45%", "--resets", text, "--json", lines=True, TZ=zone
        )
        assert code == 0, said
        (claude,) = [each for each in lines[0]["plans"] if each["plan"] == "claude-pro"]
        return datetime.fromisoformat(next(each["resets_at"] for each in claude["meters"] if each["meter"] == "week"))

    now = datetime.now(UTC)
    local = (now + timedelta(days=2)).astimezone(ZoneInfo(zone)).replace(microsecond=0, tzinfo=None)
    wanted = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert told(local.isoformat()) == wanted
    assert told(f"{local:%Y-%m-%d %H:%M}") == wanted.replace(second=0)
    assert told(wanted.isoformat()) == told(str(int(wanted.timestamp()))) == wanted
    soon = told("16:30")
    assert f"{soon.astimezone(ZoneInfo(zone)):%H:%M:%S}" == "16:30:00"
    assert now < soon <= datetime.now(UTC) + timedelta(days=1, minutes=1)


def test_claude_codes_status_line_is_named_where_its_user_looks(wattson, config):
    config('[plans]\nclaude-code = "claude-pro"\n')
    assert "`wattson plans tell claude-pro -`" in wattson("plans")[1]
    told = wattson("plans", "--help")[1]
    assert "tell PLAN -" in told
    assert "status line" in told


def test_a_balance_is_told_in_one_currency_and_the_other_stays_unknown(wattson):
    assert wattson("plans", "tell", "deepseek-prepaid", "balance CNY", "88.50")[0] == 0
    meters = {each["currency"]: each for each in plans(wattson)[0]["DeepSeek prepaid balance"]["meters"]}
    assert {name: (each["remaining"], each["source"]) for name, each in meters.items()} == {
        "CNY": (88.5, "you"), "USD": (None, "ledger"),
    }  # fmt: skip
    assert wattson("plans", "tell", "deepseek-prepaid", "balance", "3")[0] == 0
    meters = {each["currency"]: each for each in plans(wattson)[0]["DeepSeek prepaid balance"]["meters"]}
    assert {name: each["remaining"] for name, each in meters.items()} == {"CNY": 88.5, "USD": 3}


def codex_log(folder, total, percent, at, resets):
    folder.mkdir(parents=True, exist_ok=True)
    usage = {"input_tokens": total, "cached_input_tokens": 0, "output_tokens": 10, "reasoning_output_tokens": 0}
    limits = {
        "primary": {"used_percent": percent, "window_minutes": 300, "resets_at": int(resets.timestamp())},
        "plan_type": "plus",
    }
    lines = [
        {"timestamp": at, "type": "session_meta", "payload": {"id": "one", "cwd": "/w"}},
        {"timestamp": at, "type": "turn_context", "payload": {"model": "gpt-6.1-sol", "cwd": "/w"}},
        {
            "timestamp": at, "type": "event_msg",
            "payload": {
                "type": "token_count", "info": {"total_token_usage": usage, "last_token_usage": usage},
                "rate_limits": limits,
            },
        },
    ]  # fmt: skip
    (folder / "rollout-one.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))


def test_logs_of_other_clients_become_their_burn_and_the_limits_in_them_a_reading(wattson, tmp_path):
    now = datetime.now(UTC)
    resets = (now + timedelta(hours=1)).replace(microsecond=0)
    codex_log(tmp_path / "home" / ".codex" / "sessions", 1_000, 37, now.isoformat(), resets)
    code, lines, _ = wattson("usage", "import", "codex", "--json", lines=True)
    assert (code, lines[0]["imported"][0]["uses"]) == (0, 1)
    assert wattson("usage", "import", "all", "--json", lines=True)[1][0]["imported"][0]["uses"] == 0
    shown = wattson("usage", "--json", lines=True)[1][0]
    assert [(each["client"], each["model"], each["fresh_input"]) for each in shown["other_clients"]] == [
        ("codex", "gpt-6.1-sol", 1_000)
    ]
    assert shown["usage"] == []
    found, _ = plans(wattson)
    five = found["ChatGPT Plus with Codex"]["meters"][0]
    assert (five["meter"], five["used"], five["resets_at"]) == ("5 hours", 37, resets.isoformat())
    other = tmp_path / "elsewhere"
    codex_log(other, 2_000, 50, now.isoformat(), resets)
    assert wattson("usage", "import", "codex", str(other), "--json", lines=True)[1][0]["imported"][0]["uses"] == 1
    assert wattson("usage", "import", "emacs")[0] == 2
    assert wattson("usage", "import", str(other))[0] == 2


def claude_log(home, session, *steps, model="claude-opus-5"):
    folder = home / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True, exist_ok=True)
    usage = {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 1_000}
    lines = [
        {
            "type": "assistant", "timestamp": at.isoformat().replace("+00:00", "Z"), "requestId": f"req_{name}", "cwd": "/p",
            "message": {"id": f"msg_{name}", "model": model, "usage": usage},
        }
        for name, at in steps
    ]  # fmt: skip
    (folder / f"{session}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))


def test_what_claude_code_burnt_counts_in_the_windows_of_the_claude_plan(wattson, tmp_path, config):
    now = datetime.now(UTC).replace(microsecond=0)
    first, second = now - timedelta(minutes=50), now - timedelta(minutes=20)
    claude_log(tmp_path / "home", "one", ("a", first), ("b", second))
    _, _, said = wattson("usage", "import", "claude-code")
    assert '[plans] claude-code = "claude-pro"' in said  # nobody has said which plan that was
    assert "Claude Max 5x" not in plans(wattson)[0]
    config('[plans]\nclaude-code = "claude-max-5x"\n')
    claude_log(tmp_path / "home", "fork", ("b", second), ("c", now - timedelta(minutes=1)))
    code, lines, said = wattson("usage", "import", "claude-code", "--json", lines=True)
    assert (code, lines[0]["imported"][0]["uses"], lines[0]["imported"][0]["copies"], said) == (0, 1, 1, "")
    five = plans(wattson)[0]["Claude Max 5x"]["meters"][0]
    assert (five["meter"], five["state"], five["clients"]) == ("5 hours", "unknown", {"claude-code": 3 * 1_120})
    assert five["window"]["start"] == first.isoformat()
    # A figure that the user has read covers what came before it, and only what comes after it is added.
    assert wattson("plans", "tell", "claude-max-5x", "5 hours", "45%")[0] == 0
    five = plans(wattson)[0]["Claude Max 5x"]["meters"][0]
    assert (five["used"], five["source"], five["clients"]) == (45, "you", {"claude-code": 3 * 1_120})
    shown = wattson("usage", "--json", lines=True)[1][0]
    assert (shown["usage"], shown["other_clients"][0]["steps"]) == ([], 3)


def test_an_import_draws_the_prompt_line_anew(wattson, tmp_path, config):
    plan = (
        'name = "mine"\n[[meters]]\nname = "5 hours"\nunit = "requests"\nwindow = "first_use"\nhours = 5\nlimit = 10\n'
    )
    config('model = "openai/gpt-6.1-sol"\n[plans]\nopenai = "mine"\nclaude-code = "mine"\n', mine=plan)
    with loopback.Server(loopback.openai("Hello.")) as server:
        assert wattson("ask", "hello", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)[0] == 0
    assert " 10% " in wattson("usage", "--line")[1]
    now = datetime.now(UTC)
    claude_log(tmp_path / "home", "one", *((name, now) for name in "abc"))
    assert wattson("usage", "import", "claude-code")[0] == 0
    assert " 40% " in wattson("usage", "--line")[1]


def test_other_clients_logs_are_history_by_day_at_list_prices_and_say_what_would_fit(wattson, tmp_path):
    """Who comes from Claude Code has no book of ours, and wants to know what a plan would have done with what is in its logs."""
    now = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)  # far from another day
    days = [now - timedelta(days=40), now - timedelta(days=2)]
    for name, at in zip("ab", days, strict=True):
        steps = [(f"{name}{number}", at + timedelta(seconds=number)) for number in range(4_000)]
        claude_log(tmp_path / "home", name, *steps, model="claude-opus-5-5-20261101")
    claude_log(tmp_path / "home", "old", ("c", days[1]), model="claude-2")
    assert wattson("usage", "import", "claude-code")[0] == 0
    shown = wattson("usage", "--by", "day,purpose", "--json", lines=True)[1][0]["other_clients"]
    assert [(each["client"], each["day"], each["steps"]) for each in shown] == [
        ("claude-code", f"{at.astimezone():%Y-%m-%d}", count) for at, count in zip(days, (4_000, 4_001), strict=True)
    ]
    # 100 fresh at $4, 1,000 from the cache at $0.20 and 20 written at $20 a million: $0.001 a step.
    assert [(each["by_token"]["USD"], each["by_token_unpriced"], each["cost"]) for each in shown] == [
        ("4.00", 0, "n/a"), ("4.00", 1, "n/a"),
    ]  # fmt: skip
    assert "$4.00 + 1 unpriced" in wattson("usage", "--by", "day")[1]
    table = list(csv.DictReader(io.StringIO(wattson("usage", "--csv", "--by", "client,model,purpose")[1])))
    assert [(each["client"], each["model"], each["purpose"], each["steps"], each["unpriced"]) for each in table] == [
        ("claude-code", "claude-2", "", "1", "1"), ("claude-code", "claude-opus-5-5-20261101", "", "8000", "8000"),
    ]  # fmt: skip
    assert {each["amount"] for each in table} == {""}  # what was not paid by the token is not said to be
    fits = {each["plan"]: each for each in wattson("plans", "advise", "--json", lines=True)[1][0]["plans"]}
    coding = fits["alibaba-coding-pro"]  # 6,000 calls in 5 hours
    assert (coding["held"], coding["blocked"]) == (8_001, {})
    assert coding["by_token"] == {"USD": "8.00"}
    kimi = fits["kimi-code"]  # a pool told in percent: how large it is nobody knows
    assert "5 hours" in kimi["unknown"]
    glm = fits["glm-cn-lite"]  # prompts, and no log tells which requests were one
    assert glm["unknown"]
    assert "8,001 requests are those of claude-code" in wattson("plans", "advise")[1]
    (coding,) = wattson("plans", "advise", "--plan", "alibaba-coding-pro", "--days", "30", "--json", lines=True)[1][0][
        "plans"
    ]
    assert (coding["held"], coding["by_token"]) == (4_001, {"USD": "4.00"})  # of the older day neither steps nor money


@pytest.mark.parametrize(
    ("sent", "steps", "short"),
    [((100_000,), 1, True), ((300_000,), 1, False), ((1_000, 250_000), 1, False), ((900_000,), 9, True), ((2_700_000,), 9, False)],
)  # fmt: skip
def test_long_prompts_of_other_clients_have_the_price_of_long_ones(make_session, sent, steps, short):
    catalogue = make_session().roster.catalogue
    model = next(each for each in catalogue.providers["gemini"].models if each.id == "gemini-3.1-pro-preview")
    usage = TokenUsage(*sent, output=100)
    key = ("gemini", model.id, "2026-11-24", "12", "-1", "", "0", "0", "gemini-cli")  # as older versions kept them
    (row,) = usage_review.by_token([Total(key, "unknown", "USD", steps, 0, 0, 0, usage, Decimal(0))], catalogue)
    at = datetime(2026, 11, 24, 12, 30).astimezone()
    prices = [price_at(model, at, size) for size in (1, 200_001)]
    assert prices[0] != prices[1]
    assert (row.key, row.money) == (("gemini-cli",), {"USD": prices[not short].amount(usage)})
    assert row.inexact == (steps if steps > 1 else 0)  # which of several were long, no sum tells


async def test_yield_and_history_are_the_users_own(make_session, wattson, repo):
    old = (repo / "kettle/boil.py").read_text().splitlines()[0]
    reply = EDIT % (old, f"{old}\n# one\n# two")
    with loopback.Server(loopback.openai(reply)) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        session = make_session(**env)
        session.roster.switch("openai/gpt-6.1-sol")
        async for _ in session.ask("two comments"):
            pass
        async for _ in session.deciding.apply(Review.of(session.proposed.patch, "take")):
            pass
        await session.close()
    (row,) = wattson("yield", "--json", lines=True)[1][0]["yields"]
    assert (row["model"], row["tries"], row["first_try"], row["taken"], row["lines"]) == ("gpt-6.1-sol", 1, 1.0, 1, 2)
    cost = wattson("usage", "--by", "model", "--json", lines=True)[1][0]["usage"][0]["costs"]["USD"]
    (own,) = csv.DictReader(io.StringIO(wattson("usage", "--csv", "--by", "client")[1]))
    assert (own["client"], own["steps"], own["amount"], own["currency"]) == ("wattson", "1", cost, "USD")
    (own,) = csv.DictReader(io.StringIO(wattson("usage", "--csv", "--by", "model,client")[1]))
    assert (own["model"], own["client"], own["amount"]) == ("gpt-6.1-sol", "wattson", cost)
    assert float(row["per_line"][0]["amount"]) == pytest.approx(float(cost) / 2, rel=0.01)
    assert "gpt-6.1-sol" in wattson("yield", "--here")[1]
    assert wattson("usage", "--by", "moon")[0] == 2
    (purpose,) = wattson("usage", "--by", "purpose", "--days", "2", "--json", lines=True)[1][0]["usage"]
    assert (purpose["purpose"], purpose["steps"]) == ("main", 1)


async def test_hunks_that_are_taken_up_count_for_whoever_wrote_them(make_session, wattson, repo):
    old = (repo / "kettle/boil.py").read_text().splitlines()[0]
    with loopback.Server(loopback.openai(EDIT % (old, f"{old}\n# one"))) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "DEEPSEEK_BASE_URL": server.url,
               "DEEPSEEK_API_KEY": KEY}  # fmt: skip
        for name in ("deepseek/deepseek-flash", "openai/gpt-6.1-sol"):
            session = make_session(**env)
            session.roster.choose(name)
            await walk(session.ask("a comment"))
            if name.startswith("openai"):
                session.take_up(session.conversations.kept()[0].name)
                await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
            await session.close()
    rows = wattson("yield", "--json", lines=True)[1][0]["yields"]
    assert {row["model"]: (row["tries"], row["taken"]) for row in rows} == {
        "deepseek-flash": (1, 1), "gpt-6.1-sol": (1, 0),
    }  # fmt: skip


def test_a_replay_of_ones_own_history_and_what_would_fit(wattson):
    wattson("ask", "-m", "scripted/lesson", "hello")
    code, lines, _ = wattson("plans", "replay", "--plan", "practice", "--json", lines=True)
    assert (code, lines[0]["admitted"]) == (0, 1)
    assert "Nothing was burnt yet" in wattson("plans", "advise")[2]
    with loopback.Server(loopback.openai("Hello.")) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        assert wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env)[0] == 0
    fits = {each["plan"]: each for each in wattson("plans", "advise", "--json", lines=True)[1][0]["plans"]}
    assert fits["alibaba-coding-pro"]["held"] == 1
    assert fits["claude-pro"]["excluded"]
    assert fits["alibaba-coding-pro"]["by_token"]["USD"]


def test_a_plan_of_a_file_is_held_against_ones_own_history(wattson, tmp_path):
    page = tmp_path / "mine.toml"
    page.write_text(
        'name = "mine"\ntitle = "My plan"\nprice = "7"\nperiod = "month"\n\n[[meters]]\nname = "5 hours"\nunit = "requests"\n'
        'window = "first_use"\nhours = 5\nlimit = 2\n'
    )
    with loopback.Server(loopback.openai("Hello.")) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        for _ in range(3):
            assert wattson("ask", "-m", "openai/gpt-6.1-sol", "hello", **env)[0] == 0
    code, lines, _ = wattson("plans", "advise", "--plan", str(page), "--json", lines=True)
    (mine,) = lines[0]["plans"]
    assert (code, mine["plan"], mine["held"], mine["blocked"]) == (0, "mine", 2, {"5 hours": 1})
    (named,) = wattson("plans", "advise", "--plan", "claude-pro", "--json", lines=True)[1][0]["plans"]
    assert named["plan"] == "claude-pro"
    code, _, said = wattson("plans", "advise", "--plan", str(tmp_path / "none.toml"))
    assert (code, "none.toml" in said, "Traceback" in said) == (1, True, False)


def test_credits_whose_weights_nobody_publishes_are_unknown_on_the_board(wattson, tmp_path, config):
    """GLM tells how many credits a plan has, and not what a request takes of them: to show 0 used would be a lie."""
    config('[plans]\nzai-coding = "glm-max"\n')
    ledger = Ledger(tmp_path / "state" / "data" / "ledger.sqlite")
    now = datetime.now(UTC)
    for minutes in (2, 1):
        burnt = TokenUsage(4_000, output=200), Cost("included")
        at = now - timedelta(minutes=minutes)
        entry = ledger.begin(
            Start(at, "s", 1, 1, "main", "/p", "zai-coding", "glm-5.3", "plan", "glm-max", *burnt, pid=1)
        )  # fmt: skip
        ledger.settle(entry, at=at, state="settled", usage=burnt[0], cost=burnt[1])
    ledger.close()
    five = plans(wattson)[0]["GLM Coding Plan Max (Z.ai)"]["meters"][0]
    told = (five["used"], five["remaining"], five["percent"], five["state"], five["confidence"], five["unpriced"])
    assert told == (None, None, None, "unknown", "unknown", 2)
    assert five["forecast"]["text"] == ""
    text = wattson("plans")[1]
    assert "5 hours        unknown: 2 requests without a weight" in text
    assert "0 of 28,000" not in text
    # The vendor's own word is known, and what came after it is added by number.
    assert wattson("plans", "tell", "glm-max", "5 hours", "800")[0] == 0
    assert "5 hours        800 of 28,000 credits  2.9%" in wattson("plans")[1]


def test_two_keys_of_one_plan_are_two_accounts_and_are_never_mixed(wattson, tmp_path, config):
    """What one has used is no reset of the other, and no burn of other clients."""
    config('[plans]\nzai-coding = "glm-max"\n')
    ledger = Ledger(tmp_path / "state" / "data" / "ledger.sqlite")
    now = datetime.now(UTC)
    resets = now + timedelta(hours=3)
    for minutes, mark, used in (
        (30, "aaaaaaaa", 1900),
        (20, "bbbbbbbb", 100),
        (15, "aaaaaaaa", 1950),
        (10, "bbbbbbbb", 120),
    ):
        at = now - timedelta(minutes=minutes)
        said = Reading("5 hours", "endpoint", at, used=Decimal(used), resets_at=resets)
        ledger.sources.hear(f"endpoint:zai-coding:{mark}", [said], at, plan="glm-max")
    ledger.close()
    shown = plans(wattson)[0]["GLM Coding Plan Max (Z.ai)"]
    five = shown["meters"][0]
    assert (five["used"], five["foreign"], five["resets"], five["source"]) == (120, 20, 0, "provider")
    assert "shown is the key that was used last; figures of 1 more are left out" in shown["notes"]
    # What the user types is of whichever account he looked at, and holds.
    assert wattson("plans", "tell", "glm-max", "5 hours", "150")[0] == 0
    assert plans(wattson)[0]["GLM Coding Plan Max (Z.ai)"]["meters"][0]["used"] == 150


def test_a_balance_that_was_gone_and_pays_again_is_asked_for(wattson):
    gone = (402, {"content-type": "application/json"}, b'{"error": {"message": "Insufficient Balance"}}')
    paid = loopback.openai("Hello.", model="deepseek-flash")
    with loopback.Server(gone, paid, pages={"/user/balance": (200, {}, json.dumps(BALANCE).encode())}) as server:
        ask = ("ask", "-m", "deepseek/deepseek-flash", "hello")
        env = {"DEEPSEEK_BASE_URL": server.url, "DEEPSEEK_API_KEY": KEY}
        assert wattson(*ask, **env)[0] == 1
        assert server.got == []  # it said what it is
        states = {
            each["meter"]: each["state"] for each in wattson("plans", "--json", lines=True, **env)[1][0]["meters"]
        }
        assert states["balance"] == "exhausted"
        assert wattson(*ask, "--once", **env)[0] == 0
        assert [path for path, _ in server.got] == ["/user/balance"]
        states = {
            each["meter"]: each["state"] for each in wattson("plans", "--json", lines=True, **env)[1][0]["meters"]
        }
        assert states["balance"] == "open"
        assert wattson(*ask, **env)[0] == 0
        assert len(server.got) == 1  # all is known again


def test_a_page_that_is_broken_hides_no_other_plan_and_is_named(wattson, config):
    page = 'name = "{}"\n[[meters]]\nname = "week"\nunit = "tokens"\nwindow = "first_use"\nhours = 5\nlimit = {}\n'
    config("", good=page.format("good", 5), bad=page.format("bad", '"zzz"'), worse="this is no TOML")
    code, lines, errors = wattson("plans", "--all", "--json", lines=True)
    assert code == 1
    titles = {each["title"] for each in lines[0]["plans"]}
    assert "good" in titles
    assert "Claude Pro" in titles
    assert "bad.toml:7 [week]: limit" in errors
    assert "worse.toml" in errors
    code, lines, _ = wattson("doctor", "--offline", "--json", lines=True)
    assert code == 0
    assert [name for name in ("bad.toml:7", "worse.toml") if any(name in each for each in lines[0]["problems"])] == [
        "bad.toml:7", "worse.toml",
    ]  # fmt: skip
