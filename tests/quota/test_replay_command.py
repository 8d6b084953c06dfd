"""The cases of windows, pace and readings through `wattson plans replay --json`, as scripts call it; and eight who ask at once."""

import json
import subprocess
import sys
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
        # Whoever comes when the pause of the first is over may ask again; on a slow machine that is the last of them.
        assert len(server.got) + waited == 8
        assert len(server.got) <= 2
        left = [meter["remaining"] for meter in json.loads(said[-1][0])["meters"] if meter["currency"] == "USD"]
        assert left in ([4.2], [None])
