"""Each rule of the merge, R1 to R15, and the cases T07, T11, T39 and T44, through the commands that scripts call."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tomli_w

from tests import loopback

KEY = "k" * 24
FIVE = {"name": "5 hours", "unit": "credits", "window": "first_use", "hours": 5, "limit": 2000}
PERCENT = {"name": "5 hours", "unit": "percent", "window": "first_use", "hours": 5, "limit": 100}
RESET = "2026-11-23T15:00:00Z"


def told(at, resets_at=RESET, **more):
    return {"at": f"2026-11-23T{at}Z", "reading": {"meter": "5 hours", "resets_at": resets_at, **more}}


def step(at, count, **more):
    return {"at": f"2026-11-23T{at}Z", "credits": count, **more}


def tokens(at, count):
    return {"at": f"2026-11-23T{at}Z", "fresh_input": count}


def cases():
    """Give name, meters, events, instant, and what each meter must say (dotted keys)."""
    grid = {
        "name": "week",
        "unit": "requests",
        "window": "grid",
        "days": 7,
        "activated_at": "2026-11-03T07:20:00Z",
        "limit": 9,
    }
    third = {
        "window.start": "2026-11-17T07:20:00+00:00", "window.end": "2026-11-24T07:20:00+00:00",
        "resets_at": "2026-11-24T07:20:00+00:00",
    }  # fmt: skip
    yield "T07 third cycle", [grid], [], "2026-11-23T18:00:00Z", {"week": {**third, "used": 0}}
    yield "T07 a cycle without use moves nothing", [grid], [{"at": "2026-11-04T00:00:00Z"}, {"at": "2026-11-23T17:00:00Z"}], (
        "2026-11-23T18:00:00Z"
    ), {"week": {**third, "used": 1}}  # fmt: skip
    yield "T07 its last second", [grid], [{"at": "2026-11-24T07:19:59Z"}, {"at": "2026-11-24T07:20:00Z"}], None, {
        "week": {"used": 1, "window.start": "2026-11-24T07:20:00+00:00"},
    }  # fmt: skip
    month = {"name": "month", "unit": "credits", "window": "calendar_month", "limit": 1500}
    yield "T11 December begins in California's November", [month], [
        {"at": "2026-11-30T15:59:59-08:00", "credits": 700}, {"at": "2026-11-30T16:30:00-08:00", "credits": 30},
    ], None, {"month": {
        "used": 30, "window.start": "2026-12-01T00:00:00+00:00", "window.end": "2027-01-01T00:00:00+00:00",
    }}  # fmt: skip

    yield "R1 no reading: our own count, named so", [FIVE], [step("10:00:00", 30)], None, {
        "5 hours": {"used": 30, "source": "ledger", "confidence": "local-only", "foreign": 0},
    }  # fmt: skip
    yield "R1 a reading beats it, and only what came after is added", [FIVE], [
        step("10:00:00", 30), told("12:00:00", used=800), step("12:01:00", 30), step("12:03:00", 25),
    ], "2026-11-23T12:05:00Z", {
        "5 hours": {"used": 855, "percent": 42.8, "source": "provider", "age_s": 300, "confidence": "merged"},
    }  # fmt: skip
    yield "R2 a fall that a reading proves is a correction", [FIVE], [
        told("12:00:00", used=800), step("12:01:00", 100), told("12:10:00", used=870),
    ], None, {"5 hours": {"used": 870, "resets": 0, "foreign": 0, "corrections.0.amount": -30}}  # fmt: skip
    yield "R2 no reading of one window is believed below the one before", [FIVE], [
        told("12:00:00", percent=44, rounding="truncated"), told("12:10:00", percent=43, rounding="truncated"),
    ], None, {"5 hours": {"used": 880, "resets": 0}}  # fmt: skip
    yield "R3 by the provider's time, not by ours", [FIVE], [
        told("12:00:00", used=880), told("12:05:00", used=860, provider_at="2026-11-23T11:58:00Z"),
    ], None, {"5 hours": {"used": 880, "resets": 0}}  # fmt: skip
    yield "R3 of two within a minute the higher", [FIVE], [
        told("12:00:01", used=880, source="headers"), told("12:00:05", used=820, source="endpoint"),
    ], None, {"5 hours": {"used": 880, "resets": 0, "source": "headers"}}  # fmt: skip
    yield "R3 but not after a reset", [FIVE], [
        told("12:00:00", used=880), told("12:10:00", used=5, resets_at="2026-11-23T17:10:00Z"),
        told("12:10:20", used=880), told("12:10:30", used=7, resets_at="2026-11-23T17:10:00Z"),
    ], None, {"5 hours": {"used": 7, "resets": 1}}  # fmt: skip
    yield "R4 what a reading has beyond both is others'", [FIVE], [
        told("12:00:00", used=800), step("12:01:00", 55), told("12:06:00", used=900),
    ], None, {"5 hours": {"used": 900, "foreign": 45, "local": 55}}  # fmt: skip
    yield "R5 later and lower: a new window", [FIVE], [
        told("12:00:00", used=800), told("12:30:00", used=5, resets_at="2026-11-23T17:30:00Z"),
    ], None, {"5 hours": {"used": 5, "resets": 1, "resets_at": "2026-11-23T17:30:00+00:00"}}  # fmt: skip
    yield "R5 lower with the same reset: granted, the end stays", [FIVE], [
        told("12:00:00", used=800), told("12:30:00", used=5),
    ], None, {"5 hours": {"used": 5, "resets": 1, "resets_at": "2026-11-23T15:00:00+00:00"}}  # fmt: skip
    yield "R5 later and not lower: the anchor moved", [FIVE], [
        told("12:00:00", used=800), told("12:30:00", used=820, resets_at="2026-11-23T15:10:00Z"),
    ], None, {"5 hours": {"used": 820, "resets": 0, "resets_at": "2026-11-23T15:10:00+00:00"}}  # fmt: skip
    passed = [told("12:00:00", used=800), step("15:00:30", 40)]
    yield "R5 not over before a minute beyond its end", [FIVE], passed[:1], "2026-11-23T15:00:59Z", {
        "5 hours": {"used": 800, "wants_reading": False},
    }  # fmt: skip
    yield "R5 passed without a word: our own since, and somebody is to ask", [FIVE], passed, "2026-11-23T15:01:00Z", {
        "5 hours": {"used": 40, "confidence": "local-only", "wants_reading": True},
    }  # fmt: skip
    running = [
        told("12:00:00", used=800),
        step("12:01:00", 60, until="2026-11-23T12:06:30Z"),
        told("12:06:00", used=850),
    ]
    yield "R6 what runs over a reading is at the high end", [FIVE], running, None, {
        "5 hours": {"used": 850, "low": 850, "high": 910, "foreign": 0, "corrections": []},
    }  # fmt: skip
    yield "R6 until the next", [FIVE], [*running, told("12:20:00", used=910)], None, {
        "5 hours": {"used": 910, "high": 910, "foreign": 0},
    }  # fmt: skip
    for rounding, low, high in (("truncated", 41, 42), ("rounded", 40.5, 41.5), ("exact", 41, 41)):
        yield f"R7 a percent that is {rounding}", [PERCENT], [told("12:00:00", percent=41, rounding=rounding)], None, {
            "5 hours": {"used": 41, "low": low, "high": high},
        }  # fmt: skip
    yield "R7 counts go before percents", [FIVE], [told("12:00:00", used=267, limit=2000, percent=13, rounding="truncated")], None, {
        "5 hours": {"used": 267, "percent": 13.4},
    }  # fmt: skip
    learned = [
        told("12:00:00", percent=41, rounding="truncated"), tokens("12:05:00", 1_200_000),
        told("12:10:00", percent=46, rounding="truncated"),
    ]  # fmt: skip
    yield "R8 T37 what a point is worth", [PERCENT], learned, None, {
        "5 hours": {"capacity": {"low": 20_000_000, "point": 24_000_000, "high": 30_000_000}, "foreign": 0},
    }  # fmt: skip
    yield "R8 T37 nothing is learned from what others burnt", [PERCENT], [learned[0], learned[2]], None, {
        "5 hours": {"capacity": None, "foreign_low": 4, "foreign_high": 6},
    }  # fmt: skip
    yield "R8 nor from less than five points", [PERCENT], [
        learned[0], learned[1], told("12:10:00", percent=45, rounding="truncated"),
    ], None, {"5 hours": {"capacity": None}}  # fmt: skip
    states = [{**FIVE, "name": name} for name in ("zero", "endless", "absent")] + [{**PERCENT, "name": "unread"}]
    yield "R9 zero, unlimited, not in the plan and unknown are four", states, [
        {"at": "2026-11-23T12:00:00Z", "readings": [
            {"meter": "zero", "used": 0, "resets_at": RESET}, {"meter": "endless", "status": "unlimited"},
            {"meter": "absent", "status": "not_in_plan"},
        ]},
    ], None, {
        "zero": {"used": 0, "state": "open"}, "endless": {"limit": "unlimited", "state": "open", "remaining": None},
        "absent": {"state": "not_in_plan", "used": None}, "unread": {"state": "unknown", "used": None},
    }  # fmt: skip
    balance = {"name": "balance", "unit": "money", "currency": "USD", "window": "balance"}
    yield "R9 what has no price is counted, not free", [{**balance, "limit": 5}], [
        {"at": "2026-11-23T10:00:00Z", "cost": "0.40"}, {"at": "2026-11-23T10:01:00Z", "cost": None},
        {"at": "2026-11-23T10:02:00Z", "cost": 0},
    ], None, {"balance": {"used": 0.4, "remaining": 4.6, "unpriced": 1}}  # fmt: skip
    unknown = {"at": "2026-11-23T10:02:00Z", "model": "glm-5.3", "fresh_input": 4000, "output": 200}
    yield "R9 credits of which no weight is published are unknown, not 0", [FIVE], [unknown, unknown], None, {
        "5 hours": {"used": None, "low": 0, "high": None, "percent": None, "remaining": None, "unpriced": 2, "state": "unknown",
                    "confidence": "unknown", "window.start": "2026-11-23T10:02:00+00:00", "forecast.text": "",
                    "forecast.lasts": None, "forecast.rate_per_min": None},
    }  # fmt: skip
    yield "R9 where some have a weight, it is the least that is used", [FIVE], [step("10:00:00", 30), unknown], (
        "2026-11-23T11:00:00Z"
    ), {"5 hours": {"used": 30, "low": 30, "high": None, "unpriced": 1, "state": "open", "forecast.text": ""}}  # fmt: skip
    weighted = {**FIVE, "models": {"glm-5.3": 2}, "weights": {"fresh_input": "0.001"}}
    yield "R9 a class without a weight makes the request unknown", [weighted], [unknown], None, {
        "5 hours": {"used": None, "unpriced": 1},
    }  # fmt: skip
    yield "R9 a reading says it all again, and what of its rise is ours stays unknown", [FIVE], [
        told("10:00:00", used=800), unknown, told("10:10:00", used=900),
    ], None, {
        "5 hours": {"used": 900, "unpriced": 0, "foreign": 0, "foreign_low": 0, "foreign_high": 100, "high": 900,
                    "confidence": "authoritative"},
    }  # fmt: skip
    yield "R9 since a reading, used is at least that", [FIVE], [told("10:00:00", used=800), unknown], "2026-11-23T10:03:00Z", {
        "5 hours": {"used": 800, "low": 800, "high": None, "unpriced": 1, "confidence": "merged", "state": "open"},
    }  # fmt: skip
    rolling = {**FIVE, "window": "rolling"}
    yield "R9 what has rolled out is unknown no more", [rolling], [unknown, step("12:00:00", 30)], "2026-11-23T15:03:00Z", {
        "5 hours": {"used": 30, "high": 30, "unpriced": 0},
    }  # fmt: skip
    yield "R9 a new window begins with nothing unknown", [FIVE], [unknown, step("16:00:00", 30)], None, {
        "5 hours": {"used": 30, "unpriced": 0, "state": "open"},
    }  # fmt: skip
    yield "R10 what a balance is made of: granted first", [{**balance, "currency": "CNY"}], [
        {"at": "2026-11-23T10:00:00Z", "reading": {"meter": "balance", "remaining": 110, "currency": "CNY",
                                                   "parts": {"granted": 10, "topped_up": 100}}},
        {"at": "2026-11-23T10:01:00Z", "cost": 12, "currency": "CNY"},
    ], None, {"balance": {"remaining": 98, "parts": {"granted": 0, "topped_up": 98}}}  # fmt: skip
    dated = {**balance, "limit": 100, "per": 1_000_000, "weights": {"fresh_input": 3},
             "rates": [{"since": "2026-10-23T00:00:00Z", "weights": {"fresh_input": 2}}]}  # fmt: skip
    million = [{"at": at, "fresh_input": 1_000_000} for at in ("2026-10-22T23:59:59Z", "2026-10-23T00:00:00Z")]
    yield "R11 T20 the price of the day before", [dated], million[:1], "2026-11-23T00:00:00Z", {"balance": {"used": 3}}
    yield "R11 T20 and of the day, side by side", [dated], million, "2026-11-23T00:00:00Z", {"balance": {"used": 5}}
    refused = {"at": "2026-11-23T12:00:00Z", "host": "api.z.ai", "status": 429}
    yield "R12 an error that names a window uses it up until its reset", [FIVE], [
        step("11:00:00", 30), {**refused, "body": {"error": {"code": "1308", "message": (
            "Usage limit reached for 5 hour. Your limit will reset at 2026-11-23 23:00:00")}}},
    ], None, {"5 hours": {"state": "exhausted", "used": 2000, "remaining": 0}}  # fmt: skip
    yield "R12 one that passes changes nothing", [FIVE], [
        step("11:00:00", 30), {**refused, "body": {"error": {"code": "1302", "message": "High concurrency usage of this API"}}},
    ], None, {"5 hours": {"state": "open", "used": 30}}  # fmt: skip


CASES = list(cases())


def replayed(wattson, tmp_path, meters, events, at=None):
    plan, lines = tmp_path / "plan.toml", tmp_path / "events.jsonl"
    plan.write_text(tomli_w.dumps({"name": "mine", "meters": meters}))
    lines.write_text("".join(json.dumps(each) + "\n" for each in events))
    when = ("--at", at) if at else ()
    code, out, said = wattson(
        "plans", "replay", "--plan", str(plan), "--events", str(lines), *when, "--json", lines=True
    )
    assert code == 0, said
    return out[0]


@pytest.mark.parametrize(("name", "meters", "events", "at", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_of_the_merge(wattson, tmp_path, name, meters, events, at, expected):
    shown = {each["meter"]: each for each in replayed(wattson, tmp_path, meters, events, at)["meters"]}
    for meter, values in expected.items():
        for key, value in values.items():
            found = shown[meter]
            for part in key.split("."):
                found = found[int(part) if part.isdigit() else part]
            assert found == value, (name, meter, key)


def test_r9_a_closed_window_of_unknown_weights_holds_an_unknown_amount(wattson, tmp_path):
    unknown = {"at": "2026-11-23T10:02:00Z", "model": "glm-5.3", "fresh_input": 4000}
    found = replayed(wattson, tmp_path, [FIVE], [unknown, step("16:00:00", 30)])
    (closed,) = found["windows"]
    assert (closed["used"], closed["unpriced"], closed["remaining"], closed["state"]) == (None, 1, None, "unknown")


def test_t07_thirteen_hours_and_twenty_minutes_are_left(wattson, tmp_path):
    grid = {
        "name": "week",
        "unit": "requests",
        "window": "grid",
        "days": 7,
        "activated_at": "2026-11-03T07:20:00Z",
        "limit": 9,
    }
    (week,) = replayed(wattson, tmp_path, [grid], [], "2026-11-23T18:00:00Z")["meters"]
    left = datetime.fromisoformat(week["resets_at"]) - datetime(2026, 11, 23, 18, tzinfo=UTC)
    assert left == timedelta(hours=13, minutes=20)
    assert (datetime.fromisoformat(week["window"]["start"]) - datetime(2026, 11, 3, 7, 20, tzinfo=UTC)).days == 2 * 7


def test_t44_cache_reads_are_told_apart_and_the_bar_moves_by_weights_alone(wattson, tmp_path):
    weighed = {**FIVE, "per": 1000, "weights": {"fresh_input": "0.2", "cache_read": "0.02", "output": "1.2"}}
    burnt = {"at": "2026-11-23T10:00:00Z", "cache_read": 2_000_000, "fresh_input": 20_000, "output": 8_000}
    shown = replayed(wattson, tmp_path, [weighed], [burnt], "2026-11-23T10:10:00Z")
    assert shown["tokens_per_min"] == {"all": 202_800, "without_cache_reads": 2_800}
    assert shown["meters"][0]["used"] == 4 + 40 + 9.6


def test_r15_a_limit_of_a_kind_that_nobody_knows_is_shown_raw(wattson, tmp_path):
    odd = {"type": "MOON_LIMIT", "unit": 9, "number": 1, "usage": 10, "currentValue": 3}
    body = {"data": {"limits": [odd]}}
    shown = replayed(wattson, tmp_path, [FIVE], [{"at": "2026-11-23T10:00:00Z", "host": "api.z.ai", "body": body}])
    (kept,) = shown["unmapped"]
    assert "MOON_LIMIT" in json.dumps(kept)
    assert shown["meters"][0]["used"] == 0


def test_r14_a_plan_whose_terms_exclude_us_is_shown_and_says_so(wattson, config):
    config('[plans]\nclaude-code = "claude-pro"\n')
    assert wattson("plans", "tell", "claude-pro", "5 hours", "45%")[0] == 0
    code, lines, _ = wattson("plans", "--json", lines=True)
    (claude,) = [each for each in lines[0]["plans"] if each["plan"] == "claude-pro"]
    assert (code, claude["meters"][0]["used"], claude["meters"][0]["source"]) == (0, 45, "you")
    assert any(note.startswith("shown only: its terms exclude other programs") for note in claude["notes"])
    assert claude["providers"] == []  # nothing is sent with it


def test_r13_t39_after_a_retry_after_nobody_calls_and_the_last_word_grows_old(env, repo):
    """Four processes, one after the other: each is a restarted one."""
    pages = {"/user/balance": (429, {"Retry-After": "600"}, b"slow down")}
    with loopback.Server(b"", pages=pages) as server:
        more = {"DEEPSEEK_BASE_URL": server.url, "DEEPSEEK_API_KEY": KEY, "PYTHONPATH": str(Path.cwd())}
        for _ in range(4):
            done = subprocess.run(
                [sys.executable, "-m", "assistant", "plans", "--refresh", "--json"], cwd=repo, env={**env, **more},
                capture_output=True, timeout=100, check=True,
            )  # fmt: skip
            assert json.loads(done.stdout)["meters"]
        assert len(server.got) == 1


# Logs of other clients, from the import to the report and the board.


def gemini_log(home, at, model="gemini-3-pro"):
    folder = home / ".gemini" / "tmp" / "abc123" / "chats"
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"input": 1000, "output": 50, "cached": 800, "thoughts": 30, "tool": 20, "total": 1100}
    said = {
        "id": "m1",
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "type": "gemini",
        "model": model,
        "tokens": counts,
    }
    (folder / "session-1.json").write_text(json.dumps({"sessionId": "s", "messages": [said]}))


def opencode_log(home, at, provider, model, cost):
    folder = home / ".local" / "share" / "opencode" / "storage" / "message" / "ses_1"
    folder.mkdir(parents=True, exist_ok=True)
    created = int(at.timestamp() * 1000)
    said = {
        "id": f"msg_{provider}", "role": "assistant", "modelID": model, "providerID": provider, "cost": cost,
        "tokens": {"input": 500, "output": 100, "reasoning": 30, "cache": {"read": 1000, "write": 7}},
        "time": {"created": created, "completed": created + 9}, "path": {"cwd": "/p/sub", "root": "/p"},
    }  # fmt: skip
    (folder / f"msg_{provider}.json").write_text(json.dumps(said))


def board(wattson):
    code, lines, said = wattson("plans", "--json", lines=True)
    assert code == 0, said
    return {
        each["plan"]: {meter["meter"]: meter for meter in each["meters"]} for each in lines[0]["plans"] if each["plan"]
    }


def test_what_gemini_cli_burnt_is_in_the_report_and_in_the_windows_of_googles_plan(wattson, tmp_path, config):
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)
    gemini_log(tmp_path / "home", at)
    code, _, said = wattson("usage", "import", "gemini")
    assert code == 0
    assert '[plans] gemini-cli = "google-ai-pro"' in said
    assert "google-ai-pro" not in board(wattson)  # nobody has said which plan that was
    config('[plans]\ngemini-cli = "google-ai-pro"\n')
    assert wattson("usage", "import", "gemini", "--json", lines=True)[1][0]["imported"][0]["uses"] == 0
    google = board(wattson)["google-ai-pro"]
    burnt = 220 + 800 + 50 + 30
    assert google["5 hours gemini"]["clients"] == {"gemini-cli": burnt}
    assert google["5 hours gemini"]["window"]["start"] == at.isoformat()
    assert google["week gemini"]["clients"] == {"gemini-cli": burnt}
    assert google["5 hours others"]["clients"] == {}  # Claude's and GPT's models are another group
    (row,) = wattson("usage", "--json", lines=True)[1][0]["other_clients"]
    counts = {
        name: row[name] for name in ("client", "model", "steps", "fresh_input", "cache_read", "output", "reasoning")
    }
    assert counts == {
        "client": "gemini-cli", "model": "gemini-3-pro", "steps": 1, "fresh_input": 220, "cache_read": 800, "output": 50,
        "reasoning": 30,
    }  # fmt: skip
    text = wattson("usage")[1]
    assert "Other clients" in text
    assert "gemini-cli" in text


def test_what_opencode_burnt_goes_to_the_plan_of_each_seller(wattson, tmp_path, config):
    config('[plans]\nzai-coding = "glm-lite"\nopencode-go = "opencode-go"\n')
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)
    home = tmp_path / "home"
    opencode_log(home, at, "zai-coding-plan", "glm-5.3", 0)
    opencode_log(home, at + timedelta(minutes=11), "opencode-go", "kimi-k3", 0.25)
    opencode_log(home, at + timedelta(minutes=12), "openrouter", "qwen4", 0.5)
    code, lines, said = wattson("usage", "import", "opencode", "--json", lines=True)
    assert (code, lines[0]["imported"][0]["uses"]) == (0, 3), said
    shown = board(wattson)
    go = shown["opencode-go"]["5 hours"]
    assert (go["used"], go["remaining"], go["foreign"], go["clients"]) == (0.25, 11.75, 0.25, {"opencode": 0.25})
    assert go["window"]["start"] == (at + timedelta(minutes=11)).isoformat()
    glm = shown["glm-lite"]["5 hours"]
    assert glm["window"]["start"] == at.isoformat()
    assert glm["local"] == 0
    rows = {row["model"]: row for row in wattson("usage", "--json", lines=True)[1][0]["other_clients"]}
    assert {model: (row["client"], row["steps"], row["cost"]) for model, row in rows.items()} == {
        "glm-5.3": ("opencode", 1, "n/a"), "kimi-k3": ("opencode", 1, "$0.25"), "qwen4": ("opencode", 1, "$0.50"),
    }  # fmt: skip
    assert not any("openrouter" in str(each) and "qwen4" in json.dumps(meters) for each, meters in shown.items())
    assert wattson("usage", "import", "all", "--json", lines=True)[1][0]["imported"][0]["uses"] == 0  # each once
