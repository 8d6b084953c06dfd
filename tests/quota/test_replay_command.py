"""The cases of windows, pace and readings through `wattson plans replay --json`, as scripts call it; and eight who ask at once."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tomli_w

from tests import loopback

FIVE = {"name": "5 hours", "unit": "requests", "window": "first_use", "hours": 5}
PERCENT = {"name": "5 hours", "unit": "percent", "window": "first_use", "hours": 5, "limit": 100}


def cases():
    """Give name, meters, events, instant, and what each meter must say (dotted keys)."""
    day = {"name": "day", "unit": "requests", "window": "calendar_day", "zone": "America/New_York", "limit": 100}
    yield "T12 short day", [day], [{"at": "2026-03-08T06:00:00Z"}], "2026-03-08T16:00:00Z", {
        "day": {
            "window.start": "2026-03-08T05:00:00+00:00", "window.end": "2026-03-09T04:00:00+00:00",
            "forecast.expected_percent": 47.8,
        },
    }  # fmt: skip
    two = [{"at": "2026-11-01T05:30:00Z"}, {"at": "2026-11-01T06:30:00Z"}]
    yield (
        "T13 long day",
        [day],
        two,
        "2026-11-01T17:00:00Z",
        {"day": {"used": 2, "window.end": "2026-11-02T05:00:00+00:00", "forecast.expected_percent": 52.0}},
    )
    yield (
        "T15 across a change of clocks",
        [{**FIVE, "limit": 9}],
        [{"at": "2026-11-01T05:30:00Z"}],
        None,
        {"5 hours": {"resets_at": "2026-11-01T10:30:00+00:00"}},
    )
    week = {"name": "week", "unit": "requests", "window": "calendar_week", "zone": "Asia/Shanghai", "limit": 9}
    yield (
        "T06 Monday in Shanghai",
        [week],
        [{"at": "2026-11-22T15:59:59Z"}, {"at": "2026-11-22T16:00:00Z"}],
        None,
        {"week": {"used": 1, "window.start": "2026-11-22T16:00:00+00:00", "window.end": "2026-11-29T16:00:00+00:00"}},
    )
    weighed = {"name": "5 hours", "unit": "credits", "window": "first_use", "hours": 5, "limit": 1000}
    anchor = {
        "name": "month", "unit": "requests", "window": "subscription_month", "zone": "Asia/Shanghai", "limit": 5,
        "subscribed_at": "2027-10-31T22:30:00+08:00",
    }  # fmt: skip
    yield (
        "three meters at the edge of a leap month, the last step blocked by the day",
        [
            {**weighed, "weights": {"fresh_input": "0.5", "cache_read": "0.05", "output": "2"}},
            anchor,
            {**day, "zone": "Europe/London", "limit": 4},
        ],
        [
            {"at": "2028-02-29T14:29:59Z", "usage": {"fresh_input": 100, "output": 50}},
            {"at": "2028-02-29T14:30:00Z", "usage": {"fresh_input": 200, "cache_read": 1000, "output": 100}},
            {"at": "2028-02-29T19:29:59Z", "usage": {"fresh_input": 200}},
            {"at": "2028-02-29T20:00:00Z", "usage": {"fresh_input": 10, "output": 10}},
            {"at": "2028-02-29T20:10:00Z", "usage": {"fresh_input": 10, "output": 10}},
        ],
        None,
        {
            "5 hours": {"used": 125, "window.start": "2028-02-29T19:29:59+00:00", "forecast.expected_percent": 13.3},
            "month": {"used": 3, "window.start": "2028-02-29T14:30:00+00:00", "resets_at": "2028-03-31T14:30:00+00:00"},
            "day": {"used": 4, "state": "exhausted"},
        },
    )
    rolling = {"name": "5 hours", "unit": "calls", "window": "rolling", "hours": 5, "limit": 10}
    early = [{"at": "2026-11-23T09:00:00Z"}] * 6 + [{"at": "2026-11-23T10:30:00Z"}] * 4
    for moment, used, state in (("13:59:59", 10, "exhausted"), ("14:00:00", 4, "open"), ("15:30:00", 0, "open")):
        yield (
            f"rolling at {moment}",
            [rolling],
            [{**each, "id": str(number)} for number, each in enumerate(early)],
            f"2026-11-23T{moment}Z",
            {"5 hours": {"used": used, "state": state}},
        )
    month = {
        "name": "month",
        "unit": "requests",
        "window": "subscription_month",
        "subscribed_at": "2026-01-31T00:00:00Z",
    }
    yield (
        "T08 anchor 31 in a leap year",
        [{**month, "limit": 9}],
        [{"at": "2028-02-29T00:00:00Z"}],
        None,
        {"month": {"window.start": "2028-02-29T00:00:00+00:00", "window.end": "2028-03-31T00:00:00+00:00"}},
    )
    told = {"meter": "5 hours", "used": 45, "limit": 100, "resets_at": "2026-11-23T15:00:00Z"}
    paced = [{"at": "2026-11-23T10:00:00Z"}, {"at": "2026-11-23T11:30:00Z", "reading": told}]
    yield "T40 pace", [{**FIVE, "limit": 100}], paced, "2026-11-23T11:30:00Z", {
        "5 hours": {
            "forecast.rate_per_min": 0.5, "forecast.dry_at": "2026-11-23T13:20:00+00:00", "forecast.ahead": 15.0,
            "forecast.before_reset_min": 100.0, "forecast.rate_to_last_per_min": 0.262,
        },
    }  # fmt: skip
    merged = [
        {"at": "2026-11-23T11:00:00Z", "tokens": 1},
        {"at": "2026-11-23T12:00:00Z", "reading": {**told, "used": 800, "limit": 2000}},
        {"at": "2026-11-23T12:01:00Z", "tokens": 30}, {"at": "2026-11-23T12:03:00Z", "tokens": 25},
        {"at": "2026-11-23T12:06:00Z", "reading": {**told, "used": 900, "limit": 2000}},
    ]  # fmt: skip
    tokens = [{**FIVE, "unit": "tokens", "limit": 2000}]
    yield (
        "T32 before",
        tokens,
        merged[:4],
        "2026-11-23T12:05:00Z",
        {"5 hours": {"used": 855, "percent": 42.8, "age_s": 300, "confidence": "merged"}},
    )
    yield "T32 after", tokens, merged, None, {"5 hours": {"used": 900, "percent": 45, "foreign": 45}}
    late = [
        {"at": "2026-11-23T12:00:00Z", "reading": {**told, "used": None, "limit": None, "percent": 44}},
        {"at": "2026-11-23T12:00:30Z", "reading": {"meter": "5 hours", "percent": 43, "observed_at": "2026-11-23T11:58:00Z"}},
    ]  # fmt: skip
    yield "T35 late", [PERCENT], late, None, {"5 hours": {"used": 44}}
    yield from _windows()
    yield from _weights()
    yield from _lies()
    yield from _others()
    yield from _providers()


def _windows():
    month = {"name": "month", "unit": "requests", "window": "subscription_month", "limit": 9}
    york = {**month, "zone": "America/New_York"}
    yield "a month from the last of a leap February, by New York's clock", [
        {**york, "subscribed_at": "2027-12-31T02:30:00-05:00"}
    ], [], "2028-03-01T00:00:00Z", {
        "month": {"window.start": "2028-02-29T07:30:00+00:00", "window.end": "2028-03-31T06:30:00+00:00"},
    }  # fmt: skip
    yield "a month whose hour the change of clocks leaves out", [
        {**york, "anchor_day": 12, "anchor_time": "02:30"}
    ], [], "2028-03-12T12:00:00Z", {
        "month": {"window.start": "2028-03-12T07:30:00+00:00", "window.end": "2028-04-12T06:30:00+00:00"},
    }  # fmt: skip
    yield "T10 an order at three in the afternoon, told as a day and a time", [
        {**month, "zone": "Asia/Shanghai", "subscribed_at": "2026-12-01", "anchor_time": "15:00"}
    ], [], "2026-12-15T00:00:00Z", {"month": {"resets_at": "2027-01-01T07:00:00+00:00"}}  # fmt: skip
    day = {"name": "day", "unit": "requests", "window": "day", "limit": 9}
    yield "a midnight that there is not", [{**day, "zone": "America/Santiago"}], [], "2026-09-06T12:00:00Z", {
        "day": {"window.start": "2026-09-06T04:00:00+00:00", "window.end": "2026-09-07T03:00:00+00:00"},
    }  # fmt: skip
    week = {"name": "week", "unit": "requests", "window": "week", "zone": "America/Los_Angeles", "limit": 9}
    yield "a week of 169 hours", [{**week, "anchor_weekday": "thursday", "anchor_time": "09:00"}], [
        {"at": "2026-10-29T15:59:59Z"}, {"at": "2026-10-29T16:00:00Z"}
    ], "2026-11-05T16:59:59Z", {"week": {"used": 1, "window.end": "2026-11-05T17:00:00+00:00"}}  # fmt: skip
    pool = {"name": "month", "unit": "credits", "window": "calendar_month", "zone": "Asia/Shanghai", "limit": 250_000}
    parts = [
        {"name": "week", "window": "week", "zone": "Asia/Shanghai", "pool": "month", "percent": 35},
        {**{key: FIVE[key] for key in ("name", "window", "hours")}, "pool": "month", "percent": 10},
    ]
    yield "parts of a pool: the five hours refuse what the week would hold", [pool, *parts], [
        {"at": "2026-11-24T05:00:00Z", "credits": 24_999}, {"at": "2026-11-24T09:59:59Z", "credits": 2},
        {"at": "2026-11-24T10:00:00Z", "credits": 2},
    ], None, {
        "month": {"used": 25_001}, "week": {"used": 25_001, "limit": 87_500, "window.start": "2026-11-22T16:00:00+00:00"},
        "5 hours": {"used": 2, "limit": 25_000, "window.start": "2026-11-24T10:00:00+00:00"},
    }  # fmt: skip


def _weights():
    night = {**FIVE, "unit": "credits", "limit": 1000, "rules": [
        {"factor": "0.5", "hours": "22:00-06:00", "zone": "America/New_York", "models": ["glm-*"]},
        {"factor": 3, "models": ["*-turbo"]},
    ]}  # fmt: skip
    yield "a cheap night passes midnight and keeps its local hours over a change of clocks", [night], [
        {"at": "2026-03-08T02:59:59Z", "model": "glm-5", "credits": 100},  # 21:59:59 EST
        {"at": "2026-03-08T03:00:00Z", "model": "glm-5", "credits": 10},  # 22:00 EST
    ], None, {"5 hours": {"used": 105}}  # fmt: skip
    yield "and ends an hour earlier by UTC on the next day", [night], [
        {"at": "2026-03-09T09:59:59Z", "model": "glm-turbo", "credits": 10},  # 05:59:59 EDT
        {"at": "2026-03-09T10:00:00Z", "model": "glm-turbo", "credits": 10},  # 06:00 EDT
    ], None, {"5 hours": {"used": 35}}  # fmt: skip
    money = {"name": "balance", "unit": "money", "currency": "CNY", "window": "balance", "limit": 50}
    yield "of a currency that the balance is not in, nothing is known", [money], [
        {"at": "2026-11-23T10:00:00Z", "cost": "1.50", "currency": "cny"},
        {"at": "2026-11-23T10:00:00Z", "cost": 3, "currency": "XAU"},
    ], None, {"balance": {"used": 1.5, "remaining": 48.5, "unpriced": 1}}  # fmt: skip


def _lies():
    metered = [{**FIVE, "unit": "credits", "limit": 2000}]
    told = lambda at, **more: {"at": f"2026-11-23T{at}Z", "reading": {"meter": "5 hours", "resets_at": "2026-11-23T15:00:00Z", **more}}  # fmt: skip
    step = lambda at, count, **more: {"at": f"2026-11-23T{at}Z", "credits": count, **more}
    yield "T34 weights too high", metered, [told("12:00:00", used=800), step("12:01:00", 100), told("12:10:00", used=870)], None, {
        "5 hours": {"used": 870, "foreign": 0, "resets": 0, "corrections": [{"at": "2026-11-23T12:10:00+00:00", "amount": -30}]},
    }  # fmt: skip
    yield "a reset that moved to an earlier hour", metered, [
        told("12:00:00", used=800), told("12:30:00", used=820, resets_at="2026-11-23T14:00:00Z"),
    ], "2026-11-23T13:00:00Z", {"5 hours": {"used": 820, "foreign": 20, "resets": 0, "resets_at": "2026-11-23T14:00:00+00:00"}}  # fmt: skip
    yield "a reset that moved to a later hour, with a drop", metered, [
        told("12:00:00", used=800), told("12:30:00", used=5, resets_at="2026-11-23T17:30:00Z"), step("12:31:00", 7),
    ], None, {"5 hours": {"used": 12, "foreign": 0, "resets": 1, "window.start": "2026-11-23T12:30:00+00:00"}}  # fmt: skip
    yield "readings told twice and one that is late", metered, [
        told("12:00:00", used=800), told("12:00:00", used=800), step("12:01:00", 10), told("12:02:00", used=815),
        told("12:03:00", used=790, provider_at="2026-11-23T11:59:00Z"), told("12:02:00", used=815),
    ], None, {"5 hours": {"used": 815, "foreign": 5, "resets": 0}}  # fmt: skip
    yield "less than nothing is used, and more is left than there is", metered, [
        told("12:00:00", used=-5, remaining=2500)
    ], None, {"5 hours": {"used": 0, "percent": 0, "low": 0, "state": "open"}}  # fmt: skip
    yield "a reset next year is not believed, the number is", metered, [
        step("11:00:00", 5), told("12:00:00", used=800, resets_at="2027-11-23T12:00:00Z"),
    ], "2026-11-23T13:00:00Z", {"5 hours": {"used": 800, "resets_at": "2026-11-23T16:00:00+00:00"}}  # fmt: skip
    yield "a reading without a reset holds no longer than its window can", metered, [
        {"at": "2026-11-23T12:00:00Z", "reading": {"meter": "5 hours", "percent": 40}},
    ], "2026-11-23T17:01:00Z", {"5 hours": {"used": 0, "state": "not_started", "wants_reading": True}}  # fmt: skip
    yield "a step corrected later counts as its last line says, at its first instant", metered, [
        step("12:00:00", 100, id="a"), told("12:05:00", used=100), step("12:06:00", 70, id="a"),
    ], None, {"5 hours": {"used": 100, "foreign": 0, "local": 70}}  # fmt: skip


def _others():
    """What logs of other clients tell, before and after a reading covers it."""
    metered = [{**FIVE, "unit": "credits", "limit": 2000}]
    told = lambda at, **more: {"at": f"2026-11-23T{at}Z", "reading": {"meter": "5 hours", "resets_at": "2026-11-23T15:00:00Z", **more}}  # fmt: skip
    step = lambda at, count, **more: {"at": f"2026-11-23T{at}Z", "credits": count, **more}
    both = [told("12:00:00", used=800), step("12:01:00", 30, client="claude-code"), step("12:03:00", 25)]
    mine = {"local": 25, "clients": {"claude-code": 30}}
    yield "a log's burn counts as others'", metered, both, None, {"5 hours": {"used": 855, "foreign": 30, **mine}}
    for said, foreign, corrected in ((900, 75, []), (870, 45, []), (840, 15, [-15])):
        moment = {"at": "2026-11-23T12:06:00+00:00"}
        yield f"and never twice: a reading of {said} covers it", metered, [*both, told("12:06:00", used=said)], None, {
            "5 hours": {
                "used": said, "foreign": foreign, **mine, "corrections": [{**moment, "amount": each} for each in corrected],
            },
        }  # fmt: skip
    percent = lambda at, value: told(at, percent=value, rounding="truncated")
    yield "what a point is worth is learned from another client's log", [PERCENT], [
        percent("12:00:00", 41), {"at": "2026-11-23T12:05:00Z", "tokens": 1_200_000, "client": "claude-code"},
        percent("12:10:00", 46), {"at": "2026-11-23T12:11:00Z", "tokens": 240_000, "client": "claude-code"},
    ], None, {
        "5 hours": {"used": 47, "foreign": 6, "local": 0, "clients": {"claude-code": 1_440_000}, "confidence": "calibrated"},
    }  # fmt: skip
    yield "another client is not blocked, and opens a window", [{**FIVE, "limit": 1}], [
        {"at": "2026-11-23T12:05:00Z", "client": "codex", "requests": 3}, {"at": "2026-11-23T12:06:00Z"},
    ], None, {"5 hours": {"used": 3, "foreign": 3, "window.start": "2026-11-23T12:05:00+00:00", "state": "exhausted"}}  # fmt: skip
    app = {"name": "app", "unit": "requests", "window": "week", "per_app": True, "limit": 9}
    yield "a cap of this program alone knows no other", [app], [
        {"at": "2026-11-23T12:05:00Z", "client": "codex", "requests": 3}
    ], None, {"app": {"used": 0, "foreign": 0}}  # fmt: skip
    rolling = [{"name": "5 hours", "unit": "calls", "window": "rolling", "hours": 5, "limit": 10}]
    yield "others' steps come back like ours", rolling, [
        {"at": "2026-11-23T09:00:00Z", "client": "opencode", "calls": 6}, {"at": "2026-11-23T10:00:00Z", "calls": 2},
    ], "2026-11-23T14:00:00Z", {"5 hours": {"used": 2, "foreign": 0, "local": 2, "clients": {}}}  # fmt: skip


def _providers():
    """Bodies and headers as providers send them."""
    day = "2026-11-23T10:00:00Z"
    percents = [{**PERCENT}, {"name": "week", "unit": "percent", "window": "first_use", "days": 7, "limit": 100}]
    general = lambda **more: {"model_remains": [{"model_name": "general", "current_interval_total_count": 0,
                                                 "current_interval_usage_count": 0, **more}]}  # fmt: skip
    said = lambda body: [{"at": day, "host": "api.minimax.io", "body": body}]
    yield "T24 a percent of what is left", percents, said(general(current_interval_remaining_percent=97)), None, {
        "5 hours": {"used": 3, "state": "open"},
    }  # fmt: skip
    yield "T24 nothing but zeros is unknown", percents, said(general()), None, {
        "5 hours": {"used": None, "state": "unknown"},
    }  # fmt: skip
    yield "T24 a week without an end", percents, said(general(current_weekly_status=3)), None, {
        "week": {"limit": "unlimited", "state": "open", "percent": None},
    }  # fmt: skip
    yield "T24 a key that is refused is no reading", percents, said({"base_resp": {"status_code": 1004}}), None, {
        "5 hours": {"used": None, "state": "unknown"},
    }  # fmt: skip
    headers = {
        "x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "300", "x-codex-primary-reset-at": "1777936568",
        "x-codex-secondary-used-percent": "80", "x-codex-secondary-window-minutes": "10080",
        "x-codex-secondary-reset-at": "1778239400",
    }  # fmt: skip
    yield "T27 two windows of Codex", percents, [{"at": "2026-05-04T20:00:00Z", "host": "chatgpt.com", "headers": headers}], None, {
        "5 hours": {"state": "exhausted", "resets_at": "2026-05-04T23:16:08+00:00"},
        "week": {"used": 80, "resets_at": "2026-05-08T11:23:20+00:00"},
    }  # fmt: skip
    glm = [
        {**FIVE, "unit": "credits", "limit": 2000},
        {"name": "week", "unit": "credits", "window": "grid", "days": 7, "limit": 10_000},
    ]
    kind = {"type": "CREDIT_LIMIT"}
    limits = [
        {**kind, "unit": 3, "number": 5, "usage": 2000, "currentValue": 267, "remaining": 1732, "percentage": 13, "nextResetTime": 1787396197660},
        {**kind, "unit": 6, "number": 1, "usage": 10_000, "currentValue": 634, "remaining": 9365, "percentage": 6, "nextResetTime": 1787927853998},
    ]  # fmt: skip
    yield "T23 GLM", glm, [{"at": "2026-08-22T08:00:00Z", "host": "api.z.ai", "body": {"data": {"limits": limits}}}], None, {
        "5 hours": {"used": 267, "percent": 13.4, "remaining": 1732, "resets_at": "2026-08-22T10:56:37.660000+00:00"},
        "week": {"used": 634, "percent": 6.3, "resets_at": "2026-08-28T14:37:33.998000+00:00"},
    }  # fmt: skip
    money = [{"name": "balance", "unit": "money", "currency": "USD", "window": "balance"}]
    account = {"data": {"total_credits": 100, "total_usage": 100.1}}
    yield "T29 an account below zero refuses free models, too", money, [
        {"at": day, "host": "openrouter.ai", "body": account}, {"at": "2026-11-23T10:01:00Z", "model": "some:free", "cost": 0},
    ], None, {"balance": {"remaining": 0, "state": "exhausted", "events": 0}}  # fmt: skip


CASES = list(cases())


@pytest.mark.parametrize(("name", "meters", "events", "at", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_case_of_the_specification(wattson, tmp_path, name, meters, events, at, expected):
    plan, lines = tmp_path / "plan.toml", tmp_path / "events.jsonl"
    plan.write_text(tomli_w.dumps({"name": "mine", "meters": meters}))
    lines.write_text("".join(json.dumps(each) + "\n" for each in events))
    when = ("--at", at) if at else ()
    code, out, said = wattson(
        "plans", "replay", "--plan", str(plan), "--events", str(lines), *when, "--json", lines=True
    )
    assert code == 0, said
    meters = {each["meter"]: each for each in out[0]["meters"]}
    for meter, values in expected.items():
        for key, value in values.items():
            found = meters[meter]
            for part in key.split("."):
                found = found[part]
            assert found == value, (name, meter, key)


def test_eight_processes_that_ask_at_once_make_one_call(env, repo):
    """T39, with processes: one asks, the others are told to wait, and all show the same."""
    body = {"balance_infos": [{"currency": "USD", "total_balance": "4.20"}]}
    with loopback.Server(b"", pages={"/user/balance": (200, {}, json.dumps(body).encode())}) as server:
        began = time.monotonic()
        more = {"DEEPSEEK_BASE_URL": server.url, "DEEPSEEK_API_KEY": "k" * 24, "PYTHONPATH": str(Path.cwd())}
        asked = [
            subprocess.Popen(
                [sys.executable, "-m", "assistant", "plans", "--refresh", "--json"], cwd=repo, env={**env, **more},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for _ in range(8)
        ]  # fmt: skip
        said = [each.communicate(timeout=100) for each in asked]
        assert [each.returncode for each in asked] == [0] * 8, said
        waited = sum(b"asked a moment ago" in words for _, words in said)
        assert len(server.got) + waited == 8
        # Whoever comes when the pause of the last call, 5 s, is over may ask again: on a slow machine that is some of them.
        assert len(server.got) <= 1 + (time.monotonic() - began) // 5
        left = [meter["remaining"] for meter in json.loads(said[-1][0])["meters"] if meter["currency"] == "USD"]
        assert left in ([4.2], [None])


def test_events_are_read_however_they_are_handed_in(wattson, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(tomli_w.dumps({"name": "mine", "meters": [{**FIVE, "unit": "credits", "limit": 20}]}))
    steps = [{"at": "2026-11-23T10:00:00Z", "credits": 3}, {"at": "2026-11-23T10:00:01Z", "credit": 4}]
    ways = {
        "lines": "\ufeff# mine\n\n" + "".join(json.dumps(each) + "\r\n" for each in steps),
        "array": json.dumps(steps, indent=2),
    }
    for text in ways.values():
        code, (found,), _ = wattson(
            "plans", "replay", "--plan", str(plan), "--events", "-", "--json", stdin=text, lines=True
        )
        assert code == 0
        assert [each["used"] for each in found["meters"]] == [3]
        (problem,) = found["problems"]
        assert problem.endswith("nobody reads 'credit'; did you mean 'credits'?")
        assert problem.startswith("line ")


def test_what_is_wrong_is_named_by_file_and_line(wattson, tmp_path):
    events, plan = tmp_path / "events.jsonl", tmp_path / "plan.toml"
    plan.write_text(tomli_w.dumps({"name": "mine", "meters": [{**FIVE, "limit": 20}]}))
    events.write_bytes(b'{"at": "2026-11-23T10:00:00Z"}\n{"at": "2026-11-23T10:\xff"}\n')
    replayed = ("plans", "replay", "--plan", str(plan), "--events", str(events))
    code, _, said = wattson(*replayed)
    assert (code, f"{events}:2: at is not an instant" in said) == (1, True)
    events.write_text('[{"at": "2026-11-23T10:00:00Z"},\n {"at": "2026-11-23T10:00:01Z", "credits": "x"}]')
    assert f"{events}:2: credits is not a number" in wattson(*replayed)[2]
    plan.write_text('name = "mine"\nmeters = [\n  { name = "a", unit = "tokens", window = "day" },\n  { name = "b", unit = "tokens", window = "moon" },\n]\n')  # fmt: skip
    assert f"{plan}:4 [b]: there is no window 'moon'" in wattson(*replayed)[2]
