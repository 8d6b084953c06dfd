"""What a plan would have held: windows, weights, prices, blocked steps and readings, told as JSON lines."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assistant.errors import ConfigError
from assistant.quota import wording
from assistant.quota.event import read_events
from assistant.quota.plan import load_plans
from assistant.quota.plan_page import read_plan
from assistant.quota.replay import rendered, replay, replayed_json

D = Decimal
FIVE = {"name": "5 hours", "unit": "requests", "window": "first_use", "hours": 5}


def run(meters, events, at=None, **plan):
    page = read_plan({"name": "mine", "meters": meters if isinstance(meters, list) else [meters], **plan}, "mine.toml")
    lines = [json.dumps(each, default=str) for each in events]
    return replayed_json(replay(page, read_events(lines), datetime.fromisoformat(at) if at else None))


def meter(found, name="5 hours"):
    return next(each for each in found["meters"] if each["meter"] == name)


def test_t01_two_windows_of_three_and_one():
    times = ("10:07:31", "12:00:00", "15:07:30", "15:07:31")
    found = run({**FIVE, "limit": 10}, [{"at": f"2026-11-23T{each}Z"} for each in times])
    (first,) = found["windows"]
    assert (first["window"], first["used"], first["events"]) == (
        {"start": "2026-11-23T10:07:31+00:00", "end": "2026-11-23T15:07:31+00:00"}, 3, 3,
    )  # fmt: skip
    now = meter(found)
    assert (now["window"]["start"], now["resets_at"], now["used"], now["limit"], now["remaining"], now["state"]) == (
        "2026-11-23T15:07:31+00:00", "2026-11-23T20:07:31+00:00", 1, 10, 9, "open",
    )  # fmt: skip
    assert found["blocked"] == []


def test_t02_an_idle_window_has_not_started_and_has_no_reset():
    now = meter(run({**FIVE, "limit": 10}, [{"at": "2026-11-23T10:00:00Z"}], "2026-11-23T15:30:00+00:00"))
    assert (now["state"], now["used"], now["resets_at"], now["window"]) == (
        "not_started", 0, None, {"start": None, "end": None},
    )  # fmt: skip
    assert now["remaining"] == 10


def test_t03_the_floored_variant():
    events = [{"at": "2026-11-23T10:07:31Z"}, {"at": "2026-11-23T15:00:00Z"}]
    found = run({**FIVE, "floor": "hour", "limit": 10}, events)
    assert [each["used"] for each in found["windows"]] == [1]
    assert meter(found)["window"]["start"] == "2026-11-23T15:00:00+00:00"


SLIDING = {"name": "5 hours", "unit": "calls", "window": "sliding", "hours": 5, "limit": 6000}
SLID = [
    {"at": "2026-11-23T09:00:00Z", "requests": 3000},
    {"at": "2026-11-23T11:00:00Z", "requests": 2500},
    {"at": "2026-11-23T13:00:00Z", "requests": 500},
]


@pytest.mark.parametrize(
    ("at", "used"), [("13:00:00", 6000), ("13:59:59", 6000), ("14:00:00", 3000), ("16:00:00", 500), ("18:00:00", 0)]
)
def test_t04_a_sliding_window(at, used):
    assert meter(run(SLIDING, SLID, f"2026-11-23T{at}+00:00"))["used"] == used


@pytest.mark.parametrize(
    ("need", "until", "never"),
    [(1, "2026-11-23T14:00:00+00:00", False), (3500, "2026-11-23T16:00:00+00:00", False), (6001, None, True)],
)
def test_t04_room_for_so_many(need, until, never):
    found = run(SLIDING, [*SLID, {"at": "2026-11-23T13:00:00Z", "requests": need}])
    (blocked,) = found["blocked"]
    assert (blocked["until"], blocked["never"], blocked["meter"]) == (until, never, "5 hours")
    assert meter(found)["used"] == 6000
    assert (meter(found)["state"], meter(found)["resets_at"]) == ("exhausted", "2026-11-23T14:00:00+00:00")
    assert [each["used"] for each in meter(found)["frees"]] == [3000, 500, 0]


def test_a_blocked_step_does_not_burn_and_the_next_window_takes_it():
    events = [{"at": f"2026-11-23T10:0{index}:00Z"} for index in range(3)] + [{"at": "2026-11-23T15:00:00Z"}]
    found = run({**FIVE, "limit": 2}, events)
    assert [(each["at"], each["until"], each["line"]) for each in found["blocked"]] == [
        ("2026-11-23T10:02:00+00:00", "2026-11-23T15:00:00+00:00", 3)
    ]
    assert (found["windows"][0]["used"], found["windows"][0]["state"]) == (2, "exhausted")
    assert (found["admitted"], meter(found)["used"]) == (3, 1)


GLM = {
    **FIVE, "unit": "credits", "limit": 2000,
    "rules": [
        {"factor": "1.0", "days": "mon-fri", "hours": "14:00-18:00", "zone": "Asia/Shanghai"},
        {"factor": "0.5"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("at", "units"),
    [
        ("2026-11-20T05:59:59Z", 50), ("2026-11-20T06:00:00Z", 100), ("2026-11-20T09:59:59Z", 100),
        ("2026-11-20T10:00:00Z", 50), ("2026-11-21T07:00:00Z", 50),
    ],
)  # fmt: skip
def test_t17_a_peak_counts_double_and_the_start_decides(at, units):
    event = {"at": at, "until": "2026-11-21T10:00:30Z", "credits": 100}
    assert meter(run(GLM, [event]))["used"] == units


DEEPSEEK = {
    "name": "balance", "unit": "money", "currency": "USD", "window": "balance", "limit": 100,
    "weights": {"cache_read": "0.003", "fresh_input": "0.15", "output": "0.60"},
    "rules": [
        {"factor": 1, "days": ["sat", "sun"], "zone": "Asia/Shanghai", "since": "2026-08-22T16:00:00Z"},
        {"factor": 2, "hours": ["01:00-04:00", "06:00-10:00"], "zone": "UTC", "since": "2026-08-16T16:00:00Z",
         "except_holidays": "cn"},
    ],
}  # fmt: skip
MIX = {"cache_read": 1_000_000, "fresh_input": 200_000, "output": 50_000}
MONDAY = "2026-11-23T"


@pytest.mark.parametrize(
    ("at", "money"),
    [
        (f"{MONDAY}00:59:59Z", 0.063), (f"{MONDAY}01:00:00Z", 0.126), (f"{MONDAY}04:00:00Z", 0.063),
        (f"{MONDAY}06:00:00Z", 0.126), (f"{MONDAY}10:00:00Z", 0.063), ("2026-08-14T02:00:00Z", 0.063),
        ("2026-08-22T02:00:00Z", 0.126), ("2026-08-29T02:00:00Z", 0.063), ("2026-10-01T02:00:00Z", 0.063),
    ],
)  # fmt: skip
def test_t18_a_dated_peak_price_with_weekends_and_holidays(at, money):
    now = meter(run(DEEPSEEK, [{"at": at, **MIX}]), "balance")
    assert (now["used"], now["low"], now["high"]) == (money, money, money)


def test_t18_without_the_calendar_it_is_a_range():
    rules = [DEEPSEEK["rules"][0], {**DEEPSEEK["rules"][1], "except_holidays": "nowhere"}]
    found = run({**DEEPSEEK, "rules": rules}, [{"at": "2026-10-01T02:00:00Z", **MIX}])
    now = meter(found, "balance")
    assert (now["low"], now["used"], now["high"]) == (0.063, 0.126, 0.126)
    why = "whether a day of 2026 is a holiday of 'nowhere' is not known"
    assert (now["doubts"], found["problems"]) == ([why], [f"balance: {why}"])


def test_a_range_is_told_as_one_and_is_over_with_its_window():
    rules = [{"factor": 2, "days": ["mon-fri"], "except_holidays": "nowhere"}]
    meters = [
        {"name": "day", "unit": "credits", "window": "day", "weights": {"fresh_input": 1}, "limit": 100, "rules": rules},
        {"name": "hour", "unit": "credits", "window": "rolling", "hours": 1, "weights": {"fresh_input": 1}, "limit": 100,
         "rules": rules},
    ]  # fmt: skip
    page = read_plan({"name": "mine", "meters": meters}, "mine.toml")
    events = read_events([json.dumps({"at": f"{MONDAY}02:00:00Z", "fresh_input": 10})])
    said = rendered(replay(page, events))
    assert "10 to 20 of 100 credits (10% to 20%)" in said
    assert "day: whether a day of 2026 is a holiday of 'nowhere' is not known" in said
    day, hour = replay(page, events, datetime.fromisoformat(f"{MONDAY}02:30:00Z")).estimates
    assert (wording.figures(day), wording.doubts(day)) == ("10 to 20 of 100 credits", day.doubts[0])
    for when, left in ((f"{MONDAY}03:00:00Z", {"day"}), ("2026-11-24T00:00:00Z", set())):
        found = replay(page, events, datetime.fromisoformat(when)).estimates
        assert {each.meter for each in found if each.doubts} == left


def test_a_calendar_may_stand_in_the_plan():
    rules = [{**DEEPSEEK["rules"][1], "except_holidays": "mine"}]
    found = run(
        {**DEEPSEEK, "rules": rules}, [{"at": "2026-11-23T02:00:00Z", **MIX}], holidays={"mine": ["2026-11-23"]}
    )
    assert meter(found, "balance")["used"] == 0.063


def test_t46_a_bill_of_ten_million_tokens():
    mix = {"cache_read": 9_750_000, "fresh_input": 215_000, "output": 35_000}
    assert meter(run(DEEPSEEK, [{"at": f"{MONDAY}00:00:00Z", **mix}]), "balance")["used"] == 0.0825
    assert meter(run(DEEPSEEK, [{"at": f"{MONDAY}02:00:00Z", **mix}]), "balance")["used"] == 0.165


def test_t19_credits_with_fractions():
    meters = {
        **FIVE, "unit": "credits", "per": 1000, "limit": 700,
        "weights": {"fresh_input": "0.2", "cache_read": "0.02", "output": "1.2"},
    }  # fmt: skip
    event = {"at": f"{MONDAY}10:00:00Z", "fresh_input": 8349, "cache_read": 40794, "output": 573}
    assert meter(run(meters, [event]))["used"] == 3.17328


def test_t20_a_new_price_does_not_rewrite_the_past():
    rates = [
        {"weights": {"fresh_input": "3.00"}},
        {"since": "2026-10-23T00:00:00Z", "weights": {"fresh_input": "2.00"}},
    ]
    money = {"name": "balance", "unit": "money", "currency": "USD", "window": "balance", "limit": 100, "rates": rates}
    before = run(money, [{"at": "2026-10-22T23:59:59Z", "fresh_input": 1_000_000}], "2026-11-01T00:00:00+00:00")
    after = run(money, [{"at": "2026-10-23T00:00:00Z", "fresh_input": 1_000_000}])
    assert (meter(before, "balance")["used"], meter(after, "balance")["used"]) == (3, 2)


def test_t21_unknown_free_and_included_are_told_apart():
    at = f"{MONDAY}10:00:00Z"
    events = [
        {"at": at, "cost": "0.40"},
        {"at": at, "cost": None},
        {"at": at, "cost": 0},
        {"at": at, "cost": "included"},
    ]
    costs = run({**FIVE, "limit": 10}, events)["costs"]
    assert costs["text"] == "$0.40 + 1 unpriced; 1 included in plan"
    assert (costs["amounts"], costs["unpriced"], costs["included"], costs["free"]) == ({"USD": "0.40"}, 1, 1, 1)
    assert run({**FIVE, "limit": 10}, [events[1]])["costs"]["text"] == "n/a"
    balance = {"name": "balance", "unit": "money", "currency": "USD", "window": "balance", "limit": 5}
    now = meter(run(balance, events), "balance")
    assert (now["used"], now["unpriced"]) == (0.4, 2)


def test_t28_balances_of_two_currencies_are_never_added():
    money = {"unit": "money", "window": "balance"}
    meters = [
        {"name": "USD", "currency": "USD", "reads": ["balance"], **money},
        {"name": "CNY", "currency": "CNY", "reads": ["balance"], **money},
    ]
    body = {
        "is_available": True,
        "balance_infos": [
            {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"},
            {"currency": "USD", "total_balance": "5.00", "granted_balance": "0.00", "topped_up_balance": "5.00"},
        ],
    }
    events = [
        {"at": f"{MONDAY}10:00:00Z", "host": "api.deepseek.com", "body": body},
        {"at": f"{MONDAY}10:01:00Z", "cost": "12.00", "currency": "CNY"},
    ]
    found = run(meters, events)
    cny, usd = meter(found, "CNY"), meter(found, "USD")
    assert (cny["remaining"], cny["parts"]) == (98, {"granted": 0, "topped_up": 98})
    assert usd["remaining"] == 5
    assert (cny["unpriced"], usd["unpriced"]) == (0, 0)  # what was paid in CNY is known not to be dollars


def test_t32_through_json():
    reading = lambda at, used: {"at": f"{MONDAY}{at}Z", "reading": {"meter": "5 hours", "used": used, "resets_at": f"{MONDAY}15:00:00Z"}}  # fmt: skip
    events = [
        reading("12:00:00", 800),
        {"at": f"{MONDAY}12:01:00Z", "credits": 30},
        {"at": f"{MONDAY}12:03:00Z", "credits": 25},
    ]
    meters = {**FIVE, "unit": "credits", "limit": 2000}
    now = meter(run(meters, events, f"{MONDAY}12:05:00+00:00"))
    assert (now["used"], now["percent"], now["age_s"], now["confidence"], now["source"]) == (
        855, 42.8, 300, "merged", "provider",
    )  # fmt: skip
    now = meter(run(meters, [*events, reading("12:06:00", 900)]))
    assert (now["used"], now["percent"], now["foreign"]) == (900, 45, 45)


def test_t40_pace_and_forecast():
    percent = {**FIVE, "unit": "percent", "limit": 100}
    reading = {"meter": "5 hours", "percent": 45, "resets_at": f"{MONDAY}15:00:00Z"}
    now = meter(run(percent, [{"at": f"{MONDAY}11:30:00Z", "reading": reading}]))
    assert now["forecast"]["dry_at"] == "2026-11-23T13:20:00+00:00"
    assert now["forecast"]["text"] == "dry at 13:20 at this rate"
    now = meter(run(percent, [{"at": f"{MONDAY}11:30:00Z", "reading": {**reading, "percent": 20}}]))
    assert now["forecast"]["text"] == "lasts, about 66.7% at reset"
    assert now["forecast"]["percent_at_reset"] == 66.7


def test_t42_the_meter_that_binds_is_named_and_so_is_when_it_has_room():
    meters = [
        {**FIVE, "unit": "credits", "limit": 100},
        {"name": "week", "unit": "credits", "window": "calendar_week", "limit": 94},
        {"name": "month", "unit": "credits", "window": "calendar_month", "limit": 490},
    ]
    events = [{"at": f"{MONDAY}10:00:00Z", "credits": 90}, {"at": f"{MONDAY}10:05:00Z", "credits": 6}]
    found = run(meters, events)
    (blocked,) = found["blocked"]
    assert (blocked["meter"], blocked["until"], blocked["need"], blocked["remaining"]) == (
        "week", "2026-11-30T00:00:00+00:00", 6, 4,
    )  # fmt: skip
    assert found["binding"] == "week"


def test_t42_a_week_for_one_model_blocks_that_model_alone():
    week = {"unit": "requests", "window": "calendar_week"}
    meters = [{"name": "all", "limit": 10, **week}, {"name": "opus", "limit": 1, "only": ["*opus*"], **week}]
    at = f"{MONDAY}10:00:00Z"
    found = run(meters, [{"at": at, "model": "claude-opus-5"}, {"at": at, "model": "claude-opus-5"}, {"at": at, "model": "claude-sonnet-5"}])  # fmt: skip
    assert [(each["model"], each["meter"]) for each in found["blocked"]] == [("claude-opus-5", "opus")]
    assert (meter(found, "all")["used"], meter(found, "opus")["state"]) == (2, "exhausted")


def test_windows_that_are_parts_of_one_pool():
    meters = [
        {"name": "month", "unit": "credits", "window": "calendar_month", "limit": 100_000},
        {"name": "week", "window": "calendar_week", "pool": "month", "percent": 35},
        {"name": "day", "window": "calendar_day", "pool": "month", "percent": 50},
        {**{key: FIVE[key] for key in ("name", "window", "hours")}, "pool": "month", "percent": 10},
    ]
    events = [{"at": f"{MONDAY}{hour:02}:00:00Z", "credits": 9_000} for hour in (0, 6, 12, 18)]
    found = run(meters, events)
    assert [meter(found, name)["limit"] for name in ("month", "week", "day", "5 hours")] == [
        100_000,
        35_000,
        50_000,
        10_000,
    ]
    assert [each["meter"] for each in found["blocked"]] == ["week"]
    assert meter(found, "week")["used"] == 27_000


def test_a_balance_of_lots_is_spent_from_the_one_that_expires_first():
    lots = [
        {"amount": 100, "label": "bought"},
        {"amount": 50, "expires_at": "2026-11-24T00:00:00Z", "label": "gift"},
    ]
    balance = {"name": "balance", "unit": "credits", "window": "balance", "lots": lots}
    events = [{"at": f"{MONDAY}10:00:00Z", "credits": 30}]
    assert meter(run(balance, events), "balance")["remaining"] == 120
    later = meter(run(balance, events, "2026-11-24T00:00:00+00:00"), "balance")
    assert (later["remaining"], later["used"]) == (100, 30)
    refused = run(balance, [*events, {"at": "2026-11-24T01:00:00Z", "credits": 101}])["blocked"]
    assert (refused[0]["until"], refused[0]["never"]) == (None, True)


def test_states_of_steps():
    events = [
        {"at": f"{MONDAY}10:00:00Z", "tokens": 100, "state": "failed"},
        {"at": f"{MONDAY}10:01:00Z", "tokens": 100, "state": "failed_unknown"},
        {"at": f"{MONDAY}10:02:00Z", "tokens": 100, "state": "in_flight"},
        {"at": f"{MONDAY}10:03:00Z", "fresh_input": 100, "exact": False},
    ]
    now = meter(run({**FIVE, "unit": "tokens", "limit": 1000}, events))
    assert (now["low"], now["used"], now["high"]) == (180, 300, 320)


def test_lines_of_one_id_are_one_step_and_a_second_attempt_is_another():
    events = [
        {"at": f"{MONDAY}10:00:00Z", "id": "a", "tokens": 100, "state": "in_flight"},
        {"at": f"{MONDAY}10:00:09Z", "id": "a", "tokens": 70},
        {"at": f"{MONDAY}10:00:09Z", "id": "a", "tokens": 70},
        {"at": f"{MONDAY}10:00:10Z", "id": "a", "attempt": 2, "tokens": 30},
        {"at": f"{MONDAY}10:00:20Z", "id": "b", "tokens": 50, "state": "in_flight"},
        {"at": f"{MONDAY}10:00:21Z", "id": "b", "state": "failed"},
        {"at": f"{MONDAY}10:00:22Z", "tokens": 5}, {"at": f"{MONDAY}10:00:22Z", "tokens": 5},
    ]  # fmt: skip
    now = meter(run({**FIVE, "unit": "tokens", "limit": 1000}, events))
    assert (now["used"], now["window"]["start"], now["events"]) == (110, "2026-11-23T10:00:00+00:00", 4)


def test_pace_by_the_clock_of_the_window():
    times = (("10:05", 1000), ("10:35", 5000), ("11:05", 3000))
    events = [{"at": f"{MONDAY}{each}:00Z", "tokens": count} for each, count in times]
    found = run({**FIVE, "unit": "tokens", "floor": "hour"}, events, f"{MONDAY}11:20:00+00:00")
    told = meter(found)["forecast"]
    assert (told["rate_per_min"], told["used_at_reset"], told["dry_at"]) == (112.5, 33750, None)
    later = meter(run({**FIVE, "unit": "tokens", "floor": "hour"}, events, f"{MONDAY}13:00:00+00:00"))["forecast"]
    assert later["rate_per_min"] == 50


def test_a_limit_of_that_day_holds():
    limits = [{"since": "2026-11-01T00:00:00Z", "limit": 150}, {"since": "2026-09-14T00:00:00Z", "limit": 125}]
    week = {"name": "week", "unit": "requests", "window": "calendar_week", "limit": 100, "limits": limits}
    for at, limit in (("2026-09-01", 100), ("2026-10-01", 125), ("2026-11-23", 150)):
        assert meter(run(week, [{"at": at}]), "week")["limit"] == limit


def test_a_meter_that_the_plan_no_longer_has():
    old = {**FIVE, "limit": 10, "until": "2026-07-12T00:00:00Z"}
    now = meter(run(old, [{"at": "2026-07-13T00:00:00Z"}]))
    assert (now["state"], now["used"]) == ("not_in_plan", None)


def test_headers_and_refusals_stand_in_events():
    headers = {
        "anthropic-ratelimit-unified-5h-utilization": "0.83",
        "anthropic-ratelimit-unified-5h-reset": "1795464000",
    }
    percent = {**FIVE, "unit": "percent", "limit": 100}
    now = meter(run(percent, [{"at": f"{MONDAY}18:00:00Z", "host": "api.anthropic.com", "headers": headers}]))
    assert (now["used"], now["source"], now["resets_at"]) == (83, "headers", "2026-11-23T20:00:00+00:00")
    body = {"error": {"code": "1308", "message": "5 hour limit. Your limit will reset at 2026-11-23 20:00:00"}}
    refusal = {"at": f"{MONDAY}10:00:00Z", "host": "api.z.ai", "status": 429, "body": body}
    now = meter(run({**FIVE, "unit": "credits", "limit": 2000}, [refusal]))
    assert (now["state"], now["used"], now["resets_at"]) == ("exhausted", 2000, "2026-11-23T12:00:00+00:00")


def test_t25_a_slice_of_the_month_binds_and_a_missing_week_is_not_in_the_plan():
    percent = {"unit": "percent", "limit": 100}
    meters = [
        {**FIVE, **percent}, {"name": "week", "window": "grid", "days": 7, **percent},
        {"name": "month", "window": "subscription_month", **percent},
        {"name": "month code", "window": "subscription_month", **percent},
    ]  # fmt: skip
    usages = {
        "limit_5h": {"used_ratio": 0.07},
        "limit_month_total": {"used_ratio": 0.418},
        "limit_month_code": {"used_ratio": 0.50},
    }
    found = run(meters, [{"at": f"{MONDAY}10:00:00Z", "host": "api.kimi.com", "body": {"usages": usages}}])
    assert [(each["meter"], each["percent"], each["state"]) for each in found["meters"]] == [
        ("month code", 50, "open"), ("month", 41.8, "open"), ("5 hours", 7, "open"), ("week", None, "not_in_plan"),
    ]  # fmt: skip
    assert found["binding"] == "month code"


def test_t29_what_may_be_spent_is_the_least_of_key_and_account():
    money = {"unit": "money", "currency": "USD"}
    meters = [
        {"name": "balance", "window": "balance", **money},
        {"name": "key limit", "window": "calendar_month", **money},
    ]
    key = {"data": {"limit": 50, "limit_remaining": 37.5, "limit_reset": "monthly", "usage": 12.5}}
    account = {"data": {"total_credits": 100.0, "total_usage": 98.2}}
    at = {"at": f"{MONDAY}10:00:00Z", "host": "openrouter.ai"}
    found = run(meters, [{**at, "body": key}, {**at, "body": account}, {"at": f"{MONDAY}10:01:00Z", "cost": "2.10"}])
    assert (meter(found, "balance")["remaining"], meter(found, "key limit")["remaining"]) == (1.8, 37.5)
    assert (found["binding"], found["blocked"][0]["meter"], found["blocked"][0]["never"]) == (
        "balance",
        "balance",
        True,
    )


THREE = [
    {**FIVE, "limit": 100},
    {"name": "week", "unit": "requests", "window": "calendar_week", "limit": 20},
    {"name": "month", "unit": "requests", "window": "calendar_month", "limit": 1000},
]


def stated(name, used):
    return {"at": f"{MONDAY}10:00:00Z", "reading": {"meter": name, "used": used}}


@pytest.mark.parametrize("step", [[], [{"at": f"{MONDAY}10:01:00Z", "requests": 6}]])
def test_the_meter_with_the_least_room_binds_and_not_the_one_with_the_largest_share(step):
    found = run(THREE, [stated("5 hours", 90), stated("week", 16), stated("month", 600), *step])
    assert [each["remaining"] for each in found["meters"]] == [4, 10, 400]  # the binding one first, then by share
    assert (found["binding"], [each["meter"] for each in found["blocked"]]) == ("week", ["week"] * len(step))


def test_where_nothing_is_used_the_smallest_binds():
    assert run(THREE, [], f"{MONDAY}10:00:00+00:00")["binding"] == "week"


def test_units_are_compared_by_what_steps_like_the_last_ones_take():
    tokens = {"name": "week", "unit": "tokens", "window": "calendar_week", "limit": 100_000}
    told = [stated("5 hours", 15), stated("week", 30_000)]
    for size, binds in ((20_000, "week"), (2_000, "5 hours")):  # 14 more by the hours; by the week 2 or 34
        step = {"at": f"{MONDAY}10:01:00Z", "fresh_input": size}
        assert run([{**FIVE, "limit": 30}, tokens], [*told, step])["binding"] == binds
    assert run([{**FIVE, "limit": 30}, tokens], told)["binding"] == "5 hours"  # by the share, where nobody can know


@pytest.mark.parametrize(
    ("key", "account", "binds"),
    [
        ({"limit": 20, "limit_remaining": 6.25}, (75, 66.4), "key limit"),
        ({"limit": 50, "limit_remaining": 37.5}, (100, 98.2), "balance"),
        ({"limit": None, "limit_remaining": None, "usage": 1}, (75, 66.4), "balance"),
        ({"limit": 20, "limit_remaining": 6.25, "effective_budget": {"limit_usd": 5, "remaining_usd": 0.75}}, (75, 66.4), "budget"),
    ],
)  # fmt: skip
def test_of_money_the_least_binds(key, account, binds):
    at = {"at": f"{MONDAY}10:00:00Z", "host": "openrouter.ai"}
    told = [{**at, "body": {"data": key}}, {**at, "body": {"data": dict(zip(("total_credits", "total_usage"), account, strict=True))}}]  # fmt: skip
    plan = load_plans(None)["openrouter-prepaid"]
    lines = lambda events: read_events(json.dumps(each) for each in events)
    step = {"at": f"{MONDAY}10:01:00Z", "cost": "0.05", "currency": "USD"}
    for events in (told, [*told, step]):
        assert replayed_json(replay(plan, lines(events)))["binding"] == binds


def test_what_our_steps_never_burn_never_binds():
    tools = {"name": "mcp month", "unit": "calls", "window": "calendar_month", "limit": 100, "feature": "mcp"}
    meters = [{**FIVE, "limit": 100}, tools, {"name": "opus", "unit": "requests", "window": "calendar_week", "limit": 5, "only": ["*opus*"]}]  # fmt: skip
    gone = [stated("mcp month", 100), stated("opus", 5)]
    step = {"at": f"{MONDAY}10:01:00Z", "model": "claude-sonnet-5"}
    found = run(meters, [*gone, step])
    assert (found["binding"], found["blocked"]) == ("5 hours", [])
    found = run(meters, [*gone, step, {**step, "feature": "mcp"}])
    assert (found["binding"], [each["meter"] for each in found["blocked"]]) == ("mcp month", ["mcp month"])


def test_a_balance_in_another_currency_than_is_paid_in_does_not_bind():
    plan = load_plans(None)["deepseek-prepaid"]
    infos = [{"currency": "CNY", "total_balance": "0.00"}, {"currency": "USD", "total_balance": "20.00"}]
    events = [
        {"at": f"{MONDAY}10:00:00Z", "host": "api.deepseek.com", "body": {"balance_infos": infos}},
        {"at": f"{MONDAY}10:01:00Z", "cost": "0.05", "currency": "USD"},
    ]
    found = replayed_json(replay(plan, read_events(map(json.dumps, events))))
    assert (found["binding"], found["blocked"]) == ("balance", [])


def test_a_limit_of_a_pool_that_changes_changes_its_parts():
    dated = [{"since": "2026-12-10T00:00:00Z", "limit": 2000}]
    month = {"name": "month", "unit": "credits", "window": "calendar_month", "limit": 1000, "limits": dated}
    own = [{"since": "2026-12-12T00:00:00Z", "limit": 500}]
    week = {"name": "week", "window": "calendar_week", "pool": "month", "percent": 35, "limits": own}
    day = {"name": "day", "window": "calendar_day", "pool": "week", "percent": 10}
    for at, limits in (("09", (1000, 350, 35)), ("11", (2000, 700, 70)), ("12", (2000, 500, 50))):
        found = run([month, week, day], [], f"2026-12-{at}T10:00:00+00:00")
        assert tuple(meter(found, name)["limit"] for name in ("month", "week", "day")) == limits


@pytest.mark.parametrize("window", [{"window": "grid", "days": 7}, {"window": "subscription_month"}])
def test_no_end_is_foretold_of_a_window_whose_place_nobody_knows(window):
    week = {"name": "week", "unit": "prompts", "limit": 2000, **window}
    found = meter(run(week, [{"at": f"{MONDAY}10:00:00Z", "prompts": 2}], f"{MONDAY}10:30:00+00:00"), "week")
    assert (found["state"], found["used"]) == ("unknown", None)
    told = found["forecast"]
    assert (told["dry_at"], told["lasts"], told["text"]) == (None, None, "")


def test_strange_limits_are_shown_raw():
    body = {"data": {"limits": [{"type": "MOON_LIMIT", "unit": 3, "number": 5, "percentage": 4}]}}
    found = run({**FIVE, "limit": 9}, [{"at": f"{MONDAY}10:00:00Z", "host": "api.z.ai", "body": body}])
    assert "MOON_LIMIT" in found["unmapped"][0]["raw"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not a JSON object"), ("[1]", "not a JSON object"), ('{"tokens": 5}', "at is not an instant"),
        ('{"at": "9999-12-31T23:59:59Z"}', "at is not an instant"), ('{"at": "0001-01-01T00:00:00Z"}', "at is not an instant"),
        ('{"at": 1795464000, "reading": {"meter": "x", "resets_at": "9999-12-31T23:59:59Z"}}', "reading.resets_at"),
        ('{"at": "yesterday"}', "at is not an instant"), ('{"at": 1795464000, "credits": "many"}', "credits is not a number"),
        ('{"at": 1795464000, "tokens": -5}', "tokens is not a number"),
        ('{"at": 1795464000, "fresh_input": 1.5}', "whole number"),
        ('{"at": 1795464000, "reading": {"used": 5}}', "a reading is an object with a meter"),
        ('{"at": 1795464000, "reading": {"meter": "x", "resets_at": "soon"}}', "reading.resets_at"),
        ('{"at": 1795464000, "reading": {"meter": "x", "used": 1, "parts": 5}}', "reading.parts must be an object"),
        ('{"at": 1795464000, "model": 5}', "model must be a text"),
        ("[" * 100_000, "not a JSON object"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named(line, words):
    with pytest.raises(ConfigError, match=f"mine.jsonl:3: .*{words}"):
        read_events(["# a comment", '{"at": 1795464000}', line], "mine.jsonl")


BODIES = {
    "glm": {"data": {"limits": [{"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 2000, "currentValue": 267}]}},
    "minimax": {"model_remains": [{"model_name": "general", "current_interval_total_count": 1500, "current_interval_usage_count": 300}]},
    "kimi": {"usages": {"limit_5h": {"used_ratio": 0.07}}},
    "kimi older": {"usage": {"limit": "2048", "used": "512"}},
    "deepseek": {"balance_infos": [{"currency": "USD", "total_balance": "5.00"}]},
    "moonshot": {"data": {"available_balance": 49.5, "cash_balance": 3.0}},
    "openrouter": {"data": {"limit": 50, "limit_remaining": 37.5, "usage": 12.5}},
    "copilot": {"quota_snapshots": {"ai_credits": {"entitlement": 1500, "remaining": 375}}},
    "codex": {"rate_limit": {"primary_window": {"used_percent": 37, "limit_window_seconds": 18000}}},
    "gemini_code_assist": {"buckets": [{"modelId": "gemini-3-pro", "remainingFraction": 0.25}]},
    "claude_statusline": {"rate_limits": {"five_hour": {"used_percentage": 42.5, "resets_at": 1795471200}}},
    "opencode_go": {"usage": {"rolling": {"usagePercent": 12}, "weekly": {"used": 3.5, "limit": 30}}},
    "ollama_cloud": {"limits": {"session": {"usage": 0.12}}},
    "synthetic": {"subscription": {"limit": 135, "requests": 27}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "body", "limit", "key", "figure"),
    [
        ("glm-lite", "glm", "5 hours", "used", 267), ("minimax-go", "minimax", "5 hours", "percent", 80.0),
        ("kimi-code", "kimi", "5 hours", "percent", 7.0), ("kimi-code-old", "kimi older", "week", "percent", 25.0),
        ("deepseek-prepaid", "deepseek", "balance", "remaining", 5), ("moonshot-prepaid", "moonshot", "balance", "remaining", 49.5),
        ("openrouter-prepaid", "openrouter", "key limit", "remaining", 37.5), ("copilot-pro", "copilot", "month", "remaining", 375),
        ("chatgpt-plus", "codex", "5 hours", "percent", 37.0), ("claude-max-5x", "claude_statusline", "5 hours", "percent", 42.5),
        ("opencode-go", "opencode_go", "week", "used", 3.5),
    ],
)  # fmt: skip
def test_a_body_of_no_host_is_read_as_the_plan_s_own_reader_means_it(name, body, limit, key, figure):
    plan = load_plans(None)[name]
    event = json.dumps({"at": "2026-11-23T10:00:00Z", "body": BODIES[body]})
    for lines in ([event], [f"[{event}]"]):
        found = replayed_json(replay(plan, read_events(lines, plan=plan)))
        assert found["problems"] == []
        assert meter(found, limit)[key] == figure


@pytest.mark.parametrize("name", BODIES)
def test_a_plan_without_a_reader_takes_the_first_that_knows_a_limit_in_the_body(name):
    plan = read_plan({"name": "mine", "meters": [{**FIVE, "limit": 100}]}, "mine.toml")
    event = {"at": "2026-11-23T10:00:00Z", "body": BODIES[name]}
    (found,) = read_events([json.dumps(event)], plan=plan)
    (told,) = read_events([json.dumps({**event, "reader": name.split()[0]})])
    assert found.readings == told.readings
    assert found.readings
    assert not found.notes


def test_a_plan_s_host_says_what_its_provider_s_words_mean():
    page = {
        "name": "mine",
        "addresses": {"openai_chat": "https://api.minimaxi.com/v1"},
        "meters": [{**FIVE, "limit": 1500}],
    }
    event = {"at": "2026-11-23T10:00:00Z", "body": BODIES["minimax"]}
    for more in ({}, {"reader": "minimax"}):
        plan = read_plan({**page, **more}, "mine.toml")
        (found,) = read_events([json.dumps({**event, **more})], plan=plan)
        assert [each.used for each in found.readings] == [300]


def test_what_nobody_reads_asks_for_its_host():
    plan = load_plans(None)["glm-lite"]
    event = {"at": "2026-11-23T10:00:00Z", "body": {"some": {"limit": 5}}}
    for said in (plan, read_plan({"name": "mine", "meters": [{**FIVE, "limit": 2}]}, "mine.toml")):
        (found,) = read_events([json.dumps(event)], plan=said)
        assert found.notes == (
            'the body says nothing of a quota that we can read; a "host" beside it, like "api.z.ai", may tell whose word it is',
        )
    (found,) = read_events([json.dumps({**event, "host": "api.z.ai"})], plan=plan)
    assert found.notes == ("the body says nothing of a quota that we can read",)


@pytest.mark.parametrize("more", ['{"at": 1795464000}', '[{"at": 1795464000}]', "]", "# a comment"])
def test_what_follows_an_array_is_no_part_of_it_and_is_named(more):
    array = '[{"at": 1795464000}]\n'
    assert len(read_events([array, "\n", " \t\r\n"])) == 1
    with pytest.raises(ConfigError, match=r"mine\.json:3: .*follows the end of the array"):
        read_events([array, "\n", more], "mine.json")


@pytest.mark.parametrize("when", ["1900-01-01T00:00:00Z", "8999-12-31T23:59:59Z"])
@pytest.mark.parametrize(
    "window",
    [
        {"window": "first_use", "days": 3650}, {"window": "rolling", "days": 3650}, {"window": "calendar_week", "zone": "Asia/Kathmandu"},
        {"window": "calendar_month"}, {"window": "grid", "days": 3650, "activated_at": "1900-01-01T00:00:00Z"},
        {"window": "subscription_month", "months": 120, "subscribed_at": "1900-01-01T00:00:00Z"},
        {"window": "subscription_month", "anchor_day": 31, "zone": "America/New_York"},
    ],
)  # fmt: skip
def test_what_is_within_the_calendar_can_be_reckoned(window, when):
    found = run({"name": "m", "unit": "requests", "limit": 9, **window}, [{"at": when}])
    assert meter(found, "m")["used"] == 1


def test_words_for_people():
    page = read_plan({"name": "mine", "meters": [{**FIVE, "limit": 2}]}, "mine.toml")
    events = read_events([f'{{"time": "2026-11-23T10:0{index}:00Z"}}' for index in range(4)])
    text = rendered(replay(page, events))
    assert "2 of 2 requests (100%)  exhausted, resets 2026-11-23 15:00:00" in text
    assert "blocked 2026-11-23 10:02:00 by 5 hours until 2026-11-23 15:00" in text


def test_no_events_need_an_instant():
    page = read_plan({"name": "mine", "meters": [{**FIVE, "limit": 2}]}, "mine.toml")
    with pytest.raises(ConfigError, match="no events"):
        replay(page, [])
    assert replay(page, [], datetime(2026, 11, 23, tzinfo=UTC)).estimates[0].state == "not_started"
