"""Cases that the specification does not spell out: clocks that jump, the 31st, plans that change, endpoints that lie.

What is right was worked out by hand from the rules before any of them was run.
"""

import json
from datetime import datetime

import pytest

from assistant.quota.event import read_events
from assistant.quota.plan_page import read_plan
from assistant.quota.replay import replay, replayed_json

D = "2026-11-23T"
RESET = f"{D}15:00:00Z"
FIVE = {"name": "5 hours", "unit": "credits", "window": "first_use", "hours": 5, "limit": 2000}
POINTS = {"name": "5 hours", "unit": "percent", "window": "first_use", "hours": 5, "limit": 100}
DAY = {"name": "day", "unit": "requests", "window": "calendar_day", "limit": 10}
WEEK = {"name": "week", "unit": "requests", "window": "calendar_week", "limit": 5}
MONTH = {"name": "month", "unit": "requests", "window": "subscription_month", "limit": 10}
ROLLING = {"name": "rolling", "unit": "calls", "window": "rolling", "hours": 5, "limit": 6000}
DOLLARS = {"name": "USD", "unit": "money", "currency": "USD", "window": "balance", "reads": ["balance"]}
YUAN = {**DOLLARS, "name": "CNY", "currency": "CNY"}
LOTS = {"name": "lots", "unit": "money", "currency": "USD", "window": "balance", "lots": [
    {"amount": "10", "bought_at": "2026-11-01T00:00:00Z", "expires_at": f"{D}12:00:00Z"},
    {"amount": "20", "bought_at": "2026-11-10T00:00:00Z"},
]}  # fmt: skip
POOL = [
    {**MONTH, "unit": "credits", "zone": "Asia/Shanghai", "subscribed_at": "2026-11-01T00:00:00+08:00", "limit": 100_000},
    {"name": "5h", "window": "first_use", "hours": 5, "pool": "month", "percent": 10},
    {"name": "day", "window": "calendar_day", "zone": "Asia/Shanghai", "pool": "month", "percent": 50},
    {"name": "week", "window": "calendar_week", "zone": "Asia/Shanghai", "pool": "month", "percent": 35},
]  # fmt: skip
POOLED = [
    *({"at": f"{D}{hour}:00:00Z", "credits": 10_000} for hour in ("00", "05", "10")),
    {"at": f"{D}15:30:00Z", "credits": 5_000}, {"at": f"{D}16:30:00Z", "credits": 1},
]  # fmt: skip
SCOPED = [{"name": name, "unit": "percent", "window": "grid", "days": 7, "activated_at": "2026-11-20T00:00:00Z", "limit": 100,
           "only": only} for name, only in (("week opus", ["*opus*"]), ("week", []))]  # fmt: skip
BY_MODEL = [
    {"at": f"{D}10:00:00Z", "readings": [{"meter": "week opus", "percent": 100}, {"meter": "week", "percent": 60}]},
    {"at": f"{D}11:00:00Z", "model": "claude-opus-5", "percent": 1},
    {"at": f"{D}11:00:00Z", "model": "claude-sonnet-5", "percent": 1},
]
GLM = {"at": f"{D}12:00:00Z", "host": "api.z.ai", "body": {"data": {"limits": [
    {"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 2000, "currentValue": 267, "remaining": 1732, "percentage": 13,
     "nextResetTime": 1795446000000},
    {"type": "LUNAR_LIMIT", "unit": 9, "number": 2, "usage": 7, "currentValue": 3},
]}}}  # fmt: skip
SPENT = {"at": f"{D}09:00:00Z", "host": "api.z.ai", "status": 429, "body": {"error": {
    "code": "1308", "message": "Usage limit reached for 5 hour. Your limit will reset at 2026-11-23 20:00:00",
}}}  # fmt: skip


def told(at, resets_at=RESET, **more):
    return {"at": f"{D}{at}Z", "reading": {"meter": "5 hours", "resets_at": resets_at, **more}}


def cut(at, percent):
    return told(at, percent=percent, rounding="truncated")


def step(at, count, **more):
    return {"at": f"{D}{at}Z", "credits": count, **more}


def span(start, end):
    return {"window.start": f"{start}:00+00:00", "window.end": f"{end}:00+00:00"}


def ats(*instants):
    return [{"at": each} for each in instants]


def clocks():
    berlin = {**DAY, "zone": "Europe/Berlin", "anchor_time": "02:30"}
    yield "a reset at a time that is left out comes after the gap", berlin, ats(
        "2026-03-29T01:29:59Z", "2026-03-29T01:30:00Z",
    ), None, {"used": 1, **span("2026-03-29T01:30", "2026-03-30T00:30")}  # fmt: skip
    yield "of a reset time that comes twice the first counts", berlin, ats(
        "2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
    ), None, {"used": 2, **span("2026-10-25T00:30", "2026-10-26T01:30")}  # fmt: skip
    yield "the day that Samoa left out", {**DAY, "zone": "Pacific/Apia"}, ats(
        "2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z",
    ), None, {"used": 1, **span("2011-12-30T10:00", "2011-12-31T10:00")}  # fmt: skip
    yield (
        "half an hour of summer time",
        {**DAY, "zone": "Australia/Lord_Howe"},
        ats("2026-10-03T20:00:00Z"),
        None,
        (span("2026-10-03T13:30", "2026-10-04T13:00")),
    )
    london = {**DAY, "unit": "credits", "zone": "Europe/London", "limit": 100}
    yield "the pace of a day of 25 hours", london, [{"at": "2026-10-24T23:30:00Z", "credits": 52}], "2026-10-25T12:00:00Z", {
        **span("2026-10-24T23:00", "2026-10-26T00:00"), "forecast.expected_percent": 52.0, "forecast.ahead": 0.0,
    }  # fmt: skip
    pacific = {**WEEK, "zone": "America/Los_Angeles", "anchor_weekday": "thursday", "anchor_time": "09:00"}
    yield "a week of 169 hours", pacific, ats(
        "2026-10-29T15:59:59Z", "2026-10-29T16:00:00Z", "2026-11-05T16:59:59Z",
    ), None, {"used": 2, **span("2026-10-29T16:00", "2026-11-05T17:00")}  # fmt: skip
    yield "the week over the new year", {**WEEK, "zone": "Asia/Shanghai"}, ats(
        "2026-12-27T15:59:59Z", "2026-12-27T16:00:00Z", "2027-01-03T15:59:59Z",
    ), None, {"used": 2, **span("2026-12-27T16:00", "2027-01-03T16:00")}  # fmt: skip


def anchors():
    beijing = {**MONTH, "zone": "Asia/Shanghai", "subscribed_at": "2026-01-31T15:00:00+08:00"}
    yield "the 31st in a leap February", beijing, ats("2028-02-29T06:59:59Z", "2028-02-29T07:00:00Z"), None, {
        "used": 1, **span("2028-02-29T07:00", "2028-03-31T07:00"),
    }  # fmt: skip
    york = {**MONTH, "zone": "America/New_York", "subscribed_at": "2026-01-31T02:30:00-05:00"}
    yield "the 31st keeps its local time in summer", york, ats("2026-03-31T06:29:59Z", "2026-03-31T06:30:00Z"), None, {
        "used": 1, **span("2026-03-31T06:30", "2026-04-30T06:30"),
    }  # fmt: skip
    quarter = {**MONTH, "months": 3, "subscribed_at": "2026-11-30T00:00:00Z"}
    yield "a quarter that ends in February", quarter, ats("2027-02-27T23:59:59Z", "2027-02-28T00:00:00Z"), None, {
        "used": 1, **span("2027-02-28T00:00", "2027-05-30T00:00"),
    }  # fmt: skip
    yield "a year from a leap day", {**quarter, "months": 12, "subscribed_at": "2024-02-29T00:00:00Z"}, ats(
        "2027-02-28T00:00:00Z",
    ), "2028-02-28T12:00:00Z", {"used": 1, **span("2027-02-28T00:00", "2028-02-29T00:00")}  # fmt: skip
    india = {**MONTH, "window": "calendar_month", "zone": "Asia/Kolkata", "anchor_day": 31}
    yield "a month that ends on its last day, in India", india, ats("2026-02-27T18:29:59Z", "2026-02-27T18:30:00Z"), None, {
        "used": 1, **span("2026-02-27T18:30", "2026-03-30T18:30"),
    }  # fmt: skip
    yield "a late line moves the first use, and all lies in a window that is over", FIVE, [
        step("14:00:00", 5), step("10:00:00", 3), step("09:30:00", 1),
    ], f"{D}14:30:00Z", {"used": 0, "state": "not_started", "window.start": None}  # fmt: skip
    yield "a step tried twice under one name is one", FIVE, [
        step("10:00:00", 30, id="a", state="in_flight"), step("10:00:20", 45, id="a"), step("10:00:20", 45, id="a"),
    ], None, {"used": 45, "events": 1}  # fmt: skip


def readings():
    yield "by the provider's clock the word is old", FIVE, [
        told("12:00:00", used=800), step("12:01:00", 30), told("12:10:00", used=790, provider_at=f"{D}11:59:00Z"),
    ], None, {"used": 830, "corrections": []}  # fmt: skip
    same = {"used": 800, "provider_at": f"{D}12:00:00Z"}
    yield "the same word said again takes nothing back", FIVE, [
        told("12:00:00", **same), step("12:01:00", 50), told("12:02:00", **same),
    ], None, {"used": 850, "corrections": [], "foreign": 0}  # fmt: skip
    yield "less than nothing", FIVE, [told("12:00:00", used=-5)], None, {"used": 0, "remaining": 2000}
    yield "less than nothing leaves no more than all", FIVE, [
        told("12:00:00", used=-50, limit=2000, remaining=2050), step("12:01:00", 20),
    ], None, {"used": 20, "limit": 2000, "remaining": 1980}  # fmt: skip
    yield "more than all", FIVE, [told("12:00:00", used=2500)], None, {
        "used": 2500, "percent": 125.0, "remaining": 0, "state": "exhausted", "resets_at": f"{D}15:00:00+00:00",
    }  # fmt: skip
    yield (
        "more than a hundred percent",
        POINTS,
        [told("12:00:00", percent=250)],
        None,
        {"state": "exhausted", "remaining": 0},
    )
    yield "a percent beyond all counts nothing beyond it", FIVE, [told("12:00:00", percent=130)], None, {
        "used": 2000, "state": "exhausted", "resets_at": f"{D}15:00:00+00:00",
    }  # fmt: skip
    yield "of a window that is long over", FIVE, [step("12:00:00", 30), told("12:30:00", f"{D}11:00:00Z", used=900)], None, {
        "used": 30, "source": "ledger",
    }  # fmt: skip
    yield "a reset while away", FIVE, [told("12:00:00", used=1900)], f"{D}20:00:00Z", {
        "used": 0, "state": "not_started", "wants_reading": True, "resets_at": None, "confidence": "local-only",
    }  # fmt: skip
    yield "what came after a reset that nobody saw", FIVE, [
        told("12:00:00", used=1900), step("15:00:30", 100),
    ], f"{D}15:02:00Z", {"used": 100, "window.start": f"{D}15:00:30+00:00", "wants_reading": True}  # fmt: skip
    yield "a granted reset keeps its end", FIVE, [
        told("12:00:00", used=1900), told("12:30:00", used=10), step("12:31:00", 40),
    ], None, {"used": 50, "resets": 1, "foreign": 0, **span(f"{D}12:30", f"{D}15:00")}  # fmt: skip
    yield "an anchor that moves without a drop", FIVE, [
        told("12:00:00", used=500), told("12:30:00", f"{D}15:10:00Z", used=520),
    ], None, {"used": 520, "resets": 0, "foreign": 20, "resets_at": f"{D}15:10:00+00:00"}  # fmt: skip
    yield "an early reset", FIVE, [
        told("12:00:00", used=1500), told("12:30:00", f"{D}17:30:00Z", used=0), step("12:40:00", 7),
    ], None, {"used": 7, "resets": 1, **span(f"{D}12:30", f"{D}17:30")}  # fmt: skip
    running = {**step("11:59:50", 30), "until": f"{D}12:00:20Z"}
    yield "a step in flight is only the high end", FIVE, [running, told("12:00:00", used=800)], None, {
        "used": 800, "low": 800, "high": 830,
    }  # fmt: skip
    yield "until the next reading has it", FIVE, [running, told("12:00:00", used=800), told("12:05:00", used=830)], None, {
        "used": 830, "high": 830, "foreign": 0,
    }  # fmt: skip
    yield "the percent of a counted window is a band", FIVE, [cut("12:00:00", 13), step("12:01:00", 15)], None, {
        "used": 275, "low": 275, "high": 295, "percent": 13.8,
    }  # fmt: skip
    yield "one point more is within rounding", POINTS, [cut("12:00:00", 44), cut("12:10:00", 45)], None, {"foreign": 0}
    yield "the provider's limit wins", FIVE, [told("12:00:00", used=900, limit=28000)], None, {
        "limit": 28000, "percent": 3.2, "remaining": 27100,
    }  # fmt: skip
    yield "gone", FIVE, [told("11:00:00", used=100), told("11:30:00", status="not_in_plan")], None, {
        "state": "not_in_plan", "used": None, "remaining": None,
    }  # fmt: skip
    yield "gone and back", FIVE, [
        told("11:00:00", used=100), told("11:30:00", status="not_in_plan"), told("12:00:00", used=130),
    ], None, {"state": "open", "used": 130}  # fmt: skip
    yield "unlimited for a while", FIVE, [told("11:00:00", status="unlimited"), told("12:00:00", used=130)], None, {
        "limit": 2000, "used": 130, "remaining": 1870,
    }  # fmt: skip
    yield "a refusal holds to the last second of its window", FIVE, [step("08:00:00", 30), SPENT], f"{D}11:59:59Z", {
        "state": "exhausted", "used": 2000, "remaining": 0, "resets_at": f"{D}12:00:00+00:00",
    }  # fmt: skip
    yield "and no longer", FIVE, [step("08:00:00", 30), SPENT], f"{D}12:01:30Z", {"used": 0, "state": "not_started"}
    half = [
        {"at": f"{D}11:00:00Z", "requests": 500},
        {"at": f"{D}12:00:00Z", "reading": {"meter": "rolling", "used": 4000}},
    ]
    for at, used in (("15:59:59", 4000), ("16:00:00", 3500), ("16:59:59", 3500), ("17:00:00", 0)):
        yield f"what a reading told of a rolling window, at {at}", ROLLING, half, f"{D}{at}Z", {"used": used}
    yield "an opaque point is learned from a clean pair", POINTS, [
        cut("10:30:00", 10), {"at": f"{D}10:40:00Z", "tokens": 1_000_000}, cut("10:50:00", 20),
        {"at": f"{D}11:00:00Z", "tokens": 500_000},
    ], None, {"used": 25, "capacity.point": 10_000_000, "confidence": "calibrated"}  # fmt: skip


def plans():
    grown = {**FIVE, "limits": [{"since": f"{D}12:00:00Z", "limit": 12000}]}
    yield "another plan in the middle of a window", grown, [step("11:00:00", 1900)], f"{D}12:30:00Z", {
        "used": 1900, "limit": 12000, "percent": 15.8, "remaining": 10100,
    }  # fmt: skip
    peak = {**FIVE, "rules": [
        {"factor": 2, "days": ["mon-fri"], "hours": ["14:00-18:00"], "zone": "Asia/Shanghai", "except_holidays": "cn"},
    ]}  # fmt: skip
    yield (
        "a holiday has no peak",
        peak,
        [{"at": "2026-10-01T06:30:00Z", "credits": 100}],
        None,
        {"used": 100, "high": 100},
    )
    yield "a year without a calendar gives a range", peak, [{"at": "2031-10-01T06:30:00Z", "credits": 100}], None, {
        "used": 200, "low": 100, "high": 200,
    }  # fmt: skip
    yield "the start decides at the end of a peak", peak, [
        {"at": "2026-11-20T09:59:59Z", "until": "2026-11-20T10:30:00Z", "credits": 100},
        {"at": "2026-11-20T10:00:00Z", "credits": 100},
    ], None, {"used": 300}  # fmt: skip
    priced = {**DOLLARS, "per": 1_000_000, "limit": 100, "weights": {"fresh_input": "3"},
              "rates": [{"since": "2026-10-23T00:00:00Z", "weights": {"fresh_input": "2"}}]}  # fmt: skip
    yield "each at the price of its day", priced, [
        {"at": "2026-10-22T23:59:59Z", "fresh_input": 1_000_000}, {"at": "2026-10-23T00:00:00Z", "fresh_input": 1_000_000},
    ], None, {"used": 5, "remaining": 95}  # fmt: skip
    left = {"at": f"{D}10:00:00Z", "readings": [
        {"meter": "balance", "remaining": "5.00", "currency": "USD"}, {"meter": "balance", "remaining": "110", "currency": "CNY"},
    ]}  # fmt: skip
    more = {"at": f"{D}10:05:00Z", "reading": {"meter": "balance", "remaining": "25.00", "currency": "USD"}}
    yield "a balance that was topped up is not others' burn", [DOLLARS, YUAN], [
        left, {"at": f"{D}10:01:00Z", "cost": "1.25", "currency": "usd"}, more,
    ], None, {"remaining": 25, "foreign": 0}  # fmt: skip
    yield "a balance that somebody else spends", DOLLARS, [
        left, {"at": f"{D}10:01:00Z", "cost": "1"}, {**more, "reading": {**more["reading"], "remaining": "1.00"}},
    ], None, {"remaining": 1, "foreign": 3}  # fmt: skip
    for cost, rest in (("4", 20), ("13", 17)):
        yield f"a lot that expires with {cost} spent", LOTS, [{"at": f"{D}11:00:00Z", "cost": cost}], f"{D}12:00:00Z", {
            "remaining": rest,
        }  # fmt: skip


CASES = [*clocks(), *anchors(), *readings(), *plans()]


def replayed(meters, events, at=None):
    page = read_plan({"name": "mine", "meters": meters if isinstance(meters, list) else [meters]}, "mine.toml")
    lines = read_events([json.dumps(each) for each in events])
    return replayed_json(replay(page, lines, datetime.fromisoformat(at) if at else None))


@pytest.mark.parametrize(("name", "meters", "events", "at", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_the_rules_say(name, meters, events, at, expected):
    first = meters[0] if isinstance(meters, list) else meters
    shown = next(each for each in replayed(meters, events, at)["meters"] if each["meter"] == first["name"])
    for key, value in expected.items():
        found = shown
        for part in key.split("."):
            found = found[part]
        assert found == value, (name, key)


def test_of_nested_parts_of_a_pool_the_week_binds_before_a_day_can_be_used():
    found = replayed(POOL, POOLED)
    (refused,) = found["blocked"]
    assert (refused["at"], refused["meter"], refused["until"]) == (
        "2026-11-23T16:30:00+00:00", "week", "2026-11-29T16:00:00+00:00",
    )  # fmt: skip
    meters = {each["meter"]: (each["used"], each["limit"], each["state"]) for each in found["meters"]}
    assert meters == {
        "week": (35_000, 35_000, "exhausted"), "5h": (5_000, 10_000, "open"), "day": (0, 50_000, "open"),
        "month": (35_000, 100_000, "open"),
    }  # fmt: skip
    assert found["binding"] == "week"


@pytest.mark.parametrize(
    ("limits", "need", "until"),
    [
        ([("12:00:00", 12000)], 200, "12:00:00"),
        ([("12:00:00", "unlimited")], 9000, "12:00:00"),
        ([("18:00:00", 12000)], 200, "16:00:00"),
        ([("18:00:00", 12000)], 2500, "18:00:00"),
        ([("12:00:00", 2050)], 200, "16:00:00"),
        ([("12:00:00", 2050), ("13:00:00", 2100)], 200, "13:00:00"),
        ([], 200, "16:00:00"),
        ([], 2500, None),
    ],
)
def test_a_plan_that_grows_makes_room_before_its_window_ends(limits, need, until):
    meter = {**FIVE, "limits": [{"since": f"{D}{since}Z", "limit": limit} for since, limit in limits]}
    (refused,) = replayed(meter, [step("11:00:00", 1900), step("11:30:00", need)])["blocked"]
    assert (refused["until"], refused["never"]) == (until and f"{D}{until}+00:00", until is None)


def test_a_model_with_a_week_of_its_own_that_is_used_up_leaves_the_others_alone():
    found = replayed(SCOPED, BY_MODEL)
    (refused,) = found["blocked"]
    assert (refused["meter"], refused["model"], found["admitted"]) == ("week opus", "claude-opus-5", 1)


def test_a_kind_of_limit_that_nobody_knows_is_told_raw_beside_the_ones_that_are_known():
    found = replayed(FIVE, [GLM])
    assert [(each["used"], each["remaining"], each["percent"]) for each in found["meters"]] == [(267, 1732, 13.4)]
    (raw,) = found["unmapped"]
    assert '"LUNAR_LIMIT"' in raw["raw"]


WILD = {**GLM, "body": {"data": {"limits": [{"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "percentage": 250,
                                             "nextResetTime": 1795446000000}]}}}  # fmt: skip


def test_a_percent_that_nothing_can_have_holds_nothing_and_is_told_raw():
    found = replayed(FIVE, [step("11:00:00", 30), WILD, step("12:01:00", 5)])
    (five,) = found["meters"]
    assert (five["used"], five["state"], five["source"], found["blocked"]) == (35, "open", "ledger", [])
    (raw,) = found["unmapped"]
    assert raw["meter"] == "5 hours far beyond 100%"
    assert '"percentage": 250' in raw["raw"]


@pytest.mark.parametrize("counts", [(100, 900), (900, 100)])
def test_one_answer_that_tells_a_window_twice_is_no_burn_by_others_and_no_reset(counts):
    twice = [{"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 2000, "currentValue": count,
              "remaining": 2000 - count, "nextResetTime": 1795446000000} for count in counts]  # fmt: skip
    said = {**GLM, "body": {"data": {"limits": twice}}}
    (five,) = replayed(FIVE, [said, {**said, "at": f"{D}12:10:00Z"}])["meters"]
    assert (five["used"], five["foreign"], five["resets"], five["corrections"]) == (900, 0, 0, [])


@pytest.mark.parametrize(("at", "state", "resets"), [("09:00:01", "exhausted", 0), ("09:02:00", "open", 1)])
def test_figures_of_the_minute_after_a_refusal_do_not_open_its_window_whatever_reset_they_tell(at, state, resets):
    figures = told(at, f"{D}14:40:00Z", used=1990, limit=2000, remaining=10)
    found = replayed(FIVE, [step("08:00:00", 30), SPENT, figures])
    assert [(each["state"], each["resets"]) for each in found["meters"]] == [(state, resets)]


def test_figures_behind_a_reset_that_a_refusal_told_open_the_window_at_once():
    refused = {**SPENT, "at": f"{D}11:59:30Z"}
    figures = told("12:00:10", f"{D}17:00:00Z", used=5, limit=2000, remaining=1995)
    found = replayed(FIVE, [step("08:00:00", 30), refused, figures])
    assert [(each["state"], each["used"]) for each in found["meters"]] == [("open", 5)]
