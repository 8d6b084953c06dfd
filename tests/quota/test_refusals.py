"""What a refusal does to the meters: a window that is used up, a balance that is gone, a reading that is wished for."""

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from assistant.errors import ConfigError
from assistant.quota.caps import read_reserve, reserved
from assistant.quota.event import read_events
from assistant.quota.forecast import Forecast, phrase
from assistant.quota.plan import load_plan, read_file
from assistant.quota.plan_page import read_plan
from assistant.quota.reading import Reading, from_body, from_headers
from assistant.quota.replay import replay, replayed_json
from assistant.quota.tariff import Burn
from assistant.tokens import TokenUsage
from tests.quota.estimating import estimate

FIVE = {"name": "5 hours", "unit": "credits", "window": "first_use", "hours": 5, "limit": 2000}
WEEK = {"name": "week", "unit": "credits", "window": "grid", "hours": 168, "limit": 10_000}
MONTH = {"name": "month", "unit": "credits", "window": "calendar_month", "limit": 50_000}
AT = "2026-11-23T10:00:00Z"


def run(plan, *events, at=None):
    page = load_plan(None, plan) if isinstance(plan, str) else read_plan({"name": "mine", "meters": plan}, "mine.toml")
    lines = [json.dumps(each) for each in events]
    found = replayed_json(replay(page, read_events(lines), datetime.fromisoformat(at) if at else None))
    return found, {each["meter"]: each for each in found["meters"]}


def refusal(host, status, error, at=AT):
    return {"at": at, "host": host, "status": status, "body": {"error": error}}


def reading(meter, at="2026-11-23T09:00:00Z", **said):
    return {"at": at, "reading": {"meter": meter, **said}}


def glm(words):
    return refusal("api.z.ai", 429, {"code": "1310", "message": f"Weekly/Monthly Limit Exhausted. {words}"})


STEP = {"at": "2026-11-23T10:05:00Z", "credits": 10}


def test_the_week_or_the_month_is_the_one_that_ends_when_the_refusal_says():
    week = reading("week", used=9000, limit=10_000, resets_at="2026-11-27T07:20:00Z")
    found, meters = run([FIVE, WEEK, MONTH], week, glm("It will reset at 2026-11-27 15:20:00"), STEP)
    assert {name: each["state"] for name, each in meters.items()} == {
        "5 hours": "not_started",
        "week": "exhausted",
        "month": "open",
    }
    assert [each["meters"] for each in found["blocked"]] == [["week"]]
    assert found["blocked"][0]["until"] == "2026-11-27T07:20:00+00:00"
    assert not any(each["wants_reading"] for each in meters.values())
    assert found["unmapped"] == []


def test_where_it_does_not_say_when_a_reading_is_wished_for():
    week = reading("week", used=9000, limit=10_000, resets_at="2026-11-27T07:20:00Z")
    found, meters = run([FIVE, WEEK, MONTH], week, glm("Try again later."), STEP)
    assert (found["admitted"], meters["week"]["state"], meters["week"]["wants_reading"]) == (1, "open", True)
    assert (meters["month"]["wants_reading"], meters["5 hours"]["wants_reading"]) == (
        True,
        False,
    )  # which is no long one


def test_the_only_long_window_is_the_one_that_is_meant():
    found, meters = run([FIVE, WEEK], glm("It will reset at 2026-11-27 15:20:00"), STEP)
    assert (found["admitted"], meters["week"]["state"]) == (0, "exhausted")
    assert meters["week"]["resets_at"] == "2026-11-27T07:20:00+00:00"
    assert found["unmapped"] == []


def test_where_nobody_knows_the_day_of_renewal_nobody_says_when_the_month_ends():
    month = {"name": "month", "unit": "credits", "window": "subscription_month", "limit": 9000}
    gone = refusal("coding.dashscope.aliyuncs.com", 429, {"message": "month allocated quota exceeded"})
    found, meters = run([FIVE, month], gone, STEP)
    assert (meters["month"]["state"], meters["month"]["resets_at"]) == ("exhausted", None)
    assert (found["blocked"][0]["until"], found["blocked"][0]["never"]) == (None, False)
    _, meters = run([FIVE, month], gone, {**STEP, "at": "2027-01-02T00:00:00Z"})
    month = meters["month"]
    assert (month["state"], month["used"], month["low"], month["high"]) == ("unknown", None, 0, 10)


def test_where_nobody_knows_the_day_of_renewal_a_reading_that_all_is_used_up_says_no_end_either():
    used = {"at": AT, "reading": {"meter": "month", "used": 90_000, "limit": 90_000}}
    found, meters = run("alibaba-coding-pro", used, {"at": "2026-11-23T10:01:00Z", "calls": 1})
    assert (meters["month"]["state"], meters["month"]["resets_at"], found["binding"]) == ("exhausted", None, "month")
    assert [(each["meter"], each["until"], each["never"]) for each in found["blocked"]] == [("month", None, False)]


def test_a_window_that_is_not_named_is_known_by_its_reset():
    headers = {
        "x-codex-primary-used-percent": "90", "x-codex-primary-window-minutes": "300", "x-codex-primary-reset-at": "1777936568",
        "x-codex-secondary-used-percent": "80", "x-codex-secondary-window-minutes": "10080", "x-codex-secondary-reset-at": "1778239400",
    }  # fmt: skip
    said = {"type": "usage_limit_reached", "resets_at": 1777936568, "resets_in_seconds": 11768}
    found, meters = run(
        "chatgpt-plus",
        {"at": "2026-05-04T19:59:00Z", "host": "chatgpt.com", "headers": headers},
        refusal("chatgpt.com", 429, said, "2026-05-04T20:00:00Z"),
        {"at": "2026-05-04T20:01:00Z"},
    )
    assert [(each["meter"], each["until"]) for each in found["blocked"]] == [("5 hours", "2026-05-04T23:16:08+00:00")]
    assert (meters["5 hours"]["state"], meters["week"]["state"]) == ("exhausted", "open")
    assert not meters["5 hours"]["wants_reading"]
    assert not meters["week"]["wants_reading"]


def test_one_that_says_neither_wishes_for_a_reading_and_the_reading_ends_the_wish():
    said = refusal("api.kimi.com", 403, {"message": "You've reached your usage limit for this billing cycle."})
    first = reading("5 hours", used=1900, limit=2000, resets_at="2026-11-23T12:00:00Z")
    _, meters = run([FIVE, WEEK], first, said)
    assert all(each["wants_reading"] for each in meters.values())
    again = reading("5 hours", "2026-11-23T10:01:00Z", used=2000, limit=2000, resets_at="2026-11-23T12:00:00Z")
    _, meters = run([FIVE, WEEK], first, said, again)
    assert (meters["5 hours"]["wants_reading"], meters["5 hours"]["state"]) == (False, "exhausted")


DEEPSEEK = {
    "at": "2026-11-23T09:00:00Z", "host": "api.deepseek.com",
    "body": {"is_available": True, "balance_infos": [{"currency": "USD", "total_balance": "5.00", "granted_balance": "0.00", "topped_up_balance": "5.00"}]},
}  # fmt: skip
GONE = refusal("api.deepseek.com", 402, {"message": "Insufficient Balance"})
DEAR = {"at": "2026-11-23T10:01:00Z", "cost": "0.10", "currency": "USD"}


def test_a_balance_that_is_gone_takes_nothing_until_a_reading_says_otherwise():
    found, meters = run("deepseek-prepaid", DEEPSEEK, GONE, DEAR)
    assert (found["admitted"], meters["balance"]["state"], meters["balance"]["remaining"]) == (0, "exhausted", 0)
    assert meters["balance"]["foreign"] == 0  # nobody said where it went
    more = {**DEEPSEEK, "at": "2026-11-23T10:00:30Z"}
    found, meters = run("deepseek-prepaid", DEEPSEEK, GONE, more, DEAR)
    assert (found["admitted"], meters["balance"]["remaining"]) == (1, 4.9)


def test_too_little_for_one_request_is_not_nothing():
    account = {
        "at": "2026-11-23T09:00:00Z",
        "host": "openrouter.ai",
        "body": {"data": {"total_credits": 10, "total_usage": 9}},
    }
    said = refusal("openrouter.ai", 402, {"message": "You requested up to 64000 tokens, but can only afford 800."})
    found, meters = run("openrouter-prepaid", account, said, {**DEAR, "model": "a/b"})
    assert (found["admitted"], meters["balance"]["state"], meters["balance"]["remaining"]) == (1, "open", 0.9)


@pytest.mark.parametrize(("source", "name"), [({}, "budget"), ({"limit_source": "openrouter_key_limit"}, "key limit")])
def test_a_budget_of_a_key_is_used_up_until_it_begins_anew(source, name):
    said = refusal("openrouter.ai", 403, {"metadata": {**source, "resets_at": "2026-11-23T12:00:00Z"}})
    found, meters = run("openrouter-prepaid", said, DEAR)
    assert (meters[name]["state"], meters[name]["resets_at"]) == ("exhausted", "2026-11-23T12:00:00+00:00")
    assert [(each["meters"], each["until"]) for each in found["blocked"]] == [([name], "2026-11-23T12:00:00+00:00")]
    assert found["unmapped"] == []
    found, meters = run("openrouter-prepaid", said, {**DEAR, "at": "2026-11-23T12:00:00Z"})
    assert (found["admitted"], meters[name]["state"], meters[name]["used"]) == (1, "unknown", 0.1)


def test_a_limit_of_a_key_that_was_read_begins_anew_as_well():
    key = {"limit": 5, "limit_remaining": 0, "limit_reset": "daily", "usage": 5, "budgets": []}
    read = {"at": AT, "host": "openrouter.ai", "body": {"data": key}}
    found, meters = run("openrouter-prepaid", read, DEAR)
    assert [(each["meters"], each["until"]) for each in found["blocked"]] == [
        (["key limit"], "2026-11-24T00:00:00+00:00")
    ]
    assert meters["budget"]["state"] == "not_in_plan"
    found, meters = run("openrouter-prepaid", read, {**DEAR, "at": "2026-11-24T00:00:00Z"})
    limit = meters["key limit"]
    assert (limit["state"], limit["used"], limit["remaining"], limit["wants_reading"]) == ("open", 0.1, 4.9, True)


def test_the_reset_of_a_limit_of_money_is_told():
    budget = {"limit_usd": 5, "remaining_usd": 0.75, "resets_at": "2026-11-30T00:00:00Z"}
    key = {"limit": 20, "limit_remaining": 6.25, "limit_reset": "monthly", "usage": 9, "effective_budget": budget}
    _, meters = run("openrouter-prepaid", {"at": AT, "host": "openrouter.ai", "body": {"data": key}})
    assert (meters["key limit"]["state"], meters["key limit"]["resets_at"]) == ("open", "2026-12-01T00:00:00+00:00")
    assert meters["budget"]["resets_at"] == "2026-11-30T00:00:00+00:00"
    assert meters["balance"]["resets_at"] is None


def test_a_week_that_kimi_refuses_for_is_one_of_the_plan():
    said = refusal("api.kimi.com", 403, {"message": "You've reached your weekly (7-day) usage limit."})
    found, meters = run("kimi-code", said, STEP)
    assert (meters["week"]["state"], [each["meters"] for each in found["blocked"]]) == ("exhausted", [["week"]])
    assert found["unmapped"] == []
    for slots, told in (({}, ("not_in_plan", None)), ({"limit_7d": {"used_ratio": 0.18}}, ("open", 18))):
        usages = {"limit_5h": {"used_ratio": 0.42}, "limit_month_total": {"used_ratio": 0.09}, **slots}
        _, meters = run("kimi-code", {"at": AT, "host": "api.kimi.com", "body": {"usages": usages}})
        assert (meters["week"]["state"], meters["week"]["used"]) == told


@pytest.mark.parametrize("cost", [{}, {"cost": "0"}, {"cost": "free"}])
def test_below_zero_what_is_free_is_refused_too(cost):
    account = {
        "at": "2026-11-23T09:00:00Z",
        "host": "openrouter.ai",
        "body": {"data": {"total_credits": 100, "total_usage": 100.1}},
    }
    found, _ = run("openrouter-prepaid", account, {"at": AT, "model": "x/y:free", **cost})
    assert [each["meter"] for each in found["blocked"]] == ["balance"]


def test_a_window_that_was_read_had_begun_before_our_next_step():
    found, meters = run(
        [FIVE], reading("5 hours", "2026-11-23T12:00:00Z", used=800), {"at": "2026-11-23T12:01:00Z", "credits": 30},
        at="2026-11-23T12:05:00+00:00",
    )  # fmt: skip
    five = meters["5 hours"]
    assert (five["used"], five["window"], five["resets_at"]) == (830, {"start": None, "end": None}, None)
    # It was open when it was read, so five hours later at the latest it is over.
    _, meters = run(
        [FIVE], reading("5 hours", "2026-11-23T12:00:00Z", used=800), {"at": "2026-11-23T17:01:00Z", "credits": 30}
    )
    assert (meters["5 hours"]["used"], meters["5 hours"]["window"]["start"]) == (30, "2026-11-23T17:01:00+00:00")
    assert found["blocked"] == []


def test_nothing_used_is_a_window_that_has_not_begun():
    _, meters = run([FIVE], reading("5 hours", used=0), STEP)
    assert meters["5 hours"]["window"]["start"] == "2026-11-23T10:05:00+00:00"


POINTS = {"name": "5 hours", "unit": "percent", "window": "first_use", "hours": 5, "limit": 100}


def test_points_that_are_told_as_used_count():
    _, meters = run([POINTS], reading("5 hours", used=45, resets_at="2026-11-23T12:00:00Z"))
    assert (meters["5 hours"]["used"], meters["5 hours"]["source"]) == (45, "provider")
    _, meters = run([POINTS], reading("5 hours", used=4500, resets_at="2026-11-23T12:00:00Z"))
    assert meters["5 hours"]["used"] is None  # these are no points


def test_a_reading_that_nobody_can_read_is_told():
    found, _ = run(
        [POINTS], reading("5 hours", used_percent=45), reading("5 hours"), reading("5 hours", note="x", percent=1)
    )
    assert found["problems"] == [
        "line 1: nobody reads 'used_percent'; did you mean 'percent'?",
        "line 1: the reading of '5 hours' says nothing",
        "line 2: the reading of '5 hours' says nothing",
    ]


# Where windows begin, as a reading tells it.


def test_windows_in_a_row_go_on_from_a_reset_that_came_early():
    week = {**WEEK, "limit": 2000, "activated_at": "2026-11-03T07:20:00Z"}
    found, meters = run(
        [week],
        reading("week", "2026-11-23T12:00:00Z", used=1500, resets_at="2026-11-24T07:20:00Z"),
        reading("week", "2026-11-23T13:00:00Z", used=0, resets_at="2026-11-30T13:00:00Z"),
        {"at": "2026-11-30T00:00:00Z", "credits": 100},
        {"at": "2026-11-30T14:00:00Z", "credits": 5},
    )
    assert meters["week"]["window"] == {"start": "2026-11-30T13:00:00+00:00", "end": "2026-12-07T13:00:00+00:00"}
    assert (meters["week"]["used"], [each["used"] for each in found["windows"]]) == (5, [1500, 100])


def test_a_month_whose_day_nobody_knew_goes_on_from_its_reset():
    month = {"name": "month", "unit": "credits", "window": "subscription_month", "limit": 2000}
    _, meters = run(
        [month],
        reading("month", used=1500, resets_at="2026-12-01T07:00:00Z"),
        {"at": "2026-12-02T00:00:00Z", "credits": 5},
    )
    assert meters["month"]["window"] == {"start": "2026-12-01T07:00:00+00:00", "end": "2027-01-01T07:00:00+00:00"}
    assert (meters["month"]["used"], meters["month"]["low"], meters["month"]["confidence"]) == (5, 5, "local-only")


def test_the_31st_stays_the_31st_where_the_provider_agrees():
    month = {
        "name": "month",
        "unit": "credits",
        "window": "subscription_month",
        "limit": 9,
        "subscribed_at": "2026-10-31T08:00:00Z",
    }
    _, meters = run(
        [month],
        reading("month", used=1, resets_at="2026-11-30T08:00:30Z"),
        {"at": "2026-12-02T00:00:00Z", "credits": 5},
    )
    assert meters["month"]["window"]["end"] == "2026-12-31T08:00:00+00:00"


def test_no_window_holds_what_was_before_the_first():
    grid = {**WEEK, "activated_at": "2026-11-03T07:20:00Z"}
    _, meters = run([grid], {"at": "2026-11-03T07:19:59Z", "credits": 1}, {"at": "2026-11-03T07:20:00Z", "credits": 2})
    assert meters["week"]["used"] == 2


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"at": AT, "state": "exploded"}, "there is no state 'exploded'"),
        (reading("5 hours", used=3, limit=-10), "reading.limit is not a number from 0 up: -10"),
        (reading("5 hours", used=3, limit={"a": 1}), "reading.limit is not a number from 0 up"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused(event, words):
    with pytest.raises(ConfigError, match=words):
        run([FIVE], event)


@pytest.mark.parametrize(
    ("meter", "place"),
    [
        ('unit = "money"\nlimit = 3', "mine.toml:5 .*needs its currency"),
        ('unit = "credits"\nlimits = [{ limit = 3 }]', "mine.toml:6.*a dated limit needs since and limit"),
    ],
)
def test_a_mistake_in_a_meter_is_named_by_its_line(tmp_path, meter, place):
    page = tmp_path / "mine.toml"
    page.write_text(f'name = "mine"\n\n[[meters]]\nname = "5 hours"\n{meter}\nwindow = "first_use"\nhours = 5\n')
    with pytest.raises(ConfigError, match=place):
        read_file(page)


def test_a_lot_expires_although_a_reading_was_taken_before():
    purse = {
        "name": "balance", "unit": "money", "currency": "USD", "window": "balance",
        "lots": [{"amount": 20, "bought_at": "2026-11-01T00:00:00Z", "expires_at": "2026-11-25T00:00:00Z"}, {"amount": 4}],
    }  # fmt: skip
    said = reading("balance", "2026-11-23T09:00:00Z", remaining=15)
    spent = {"at": "2026-11-24T09:00:00Z", "cost": "2"}
    _, meters = run([purse], said, spent)
    assert meters["balance"]["remaining"] == 13
    found, meters = run([purse], said, spent, {"at": "2026-11-25T23:00:00Z", "cost": "5"})
    assert (meters["balance"]["remaining"], [each["need"] for each in found["blocked"]]) == (4, [5])
    more = reading("balance", "2026-11-23T09:00:00Z", remaining=30)  # 6 of it in no lot
    assert run([purse], more, at="2026-11-26T00:00:00+00:00")[1]["balance"]["remaining"] == 10


@pytest.mark.parametrize(
    ("now", "ends", "kept"),
    [
        ("2026-11-26T12:00:00+00:00", "2026-11-30T00:00:00+00:00", True),  # Thursday
        ("2026-11-27T12:00:00+00:00", "2026-11-30T00:00:00+00:00", False),  # Friday itself
        ("2026-11-28T12:00:00+00:00", "2026-11-30T00:00:00+00:00", False),  # its Friday is over
        ("2026-11-28T12:00:00+00:00", "2026-12-02T00:00:00+00:00", False),
        ("2026-11-28T12:00:00+00:00", "2026-12-04T00:00:00+00:00", False),  # it ends as Friday begins
        ("2026-11-28T12:00:00+00:00", "2026-12-04T00:00:01+00:00", True),
        ("2026-11-28T12:00:00+00:00", None, True),
    ],
)
def test_what_is_kept_for_a_day_is_kept_until_that_day_of_the_window(now, ends, kept):
    page = read_plan({"name": "mine", "meters": [{**WEEK, "limit": 100}]}, "mine.toml")
    at = datetime.fromisoformat(now)
    (found,) = estimate(page, [], at, [Reading("week", "endpoint", at, used=Decimal(79), limit=Decimal(100))])
    found = found._replace(resets_at=datetime.fromisoformat(ends) if ends else None)
    reserve = read_reserve("20 % of the week for Friday", zone="UTC")
    crossings = reserved([reserve], [found], {"week": Decimal(5)}, at)
    assert bool(crossings) == kept
    friday = "2026-11-27T00:00:00+00:00" if now < "2026-11-27" else "2026-12-04T00:00:00+00:00"
    assert all(each.resets_at == datetime.fromisoformat(friday) for each in crossings)  # when it is free again


def test_no_limit_lies_below_nothing():
    headers = {"x-codex-primary-used-percent": "-5", "x-codex-primary-window-minutes": "300"}
    assert [each.percent for each in from_headers(headers, "chatgpt.com", datetime.fromisoformat(AT))] == [None]
    said = {"data": {"limit": -10, "limit_remaining": 3, "usage": 1}}
    assert all(
        each.limit is None
        for each in from_body(said, "openrouter.ai", datetime.fromisoformat(AT), "")
        if each.meter == "key limit"
    )


def test_no_window_ends_later_than_it_is_long():
    said = {"type": "usage_limit_reached", "resets_at": 1795867447}  # four days ahead: it is the week
    at = "2026-11-24T12:00:00Z"
    found, meters = run("chatgpt-plus", refusal("chatgpt.com", 429, said, at), {"at": "2026-11-24T12:01:00Z"})
    assert [each["meter"] for each in found["blocked"]] == ["week"]
    assert meters["5 hours"]["state"] != "exhausted"


@pytest.mark.parametrize("code", [2056, 1002, 1008])
def test_a_refusal_within_a_body_of_200_does_not_end_the_run(code):
    words = "5-hour usage limit reached, resets at 2026-11-23T12:00:00Z (2056)" if code == 2056 else "no"
    body = {"base_resp": {"status_code": code, "status_msg": words}}
    found, meters = run([FIVE, WEEK], {"at": AT, "host": "api.minimax.io", "body": body}, STEP)
    if code == 2056:
        assert (meters["5 hours"]["state"], len(found["blocked"])) == ("exhausted", 1)
    else:
        assert found["problems"] or found["unmapped"]


def test_a_day_more_than_a_week_ahead_is_told_by_its_date():
    now = datetime.fromisoformat("2026-11-10T08:00:00+00:00")
    for days, words in ((3, "dry Fri at 08:00"), (11, "dry 21 Nov at"), (0, "dry at 08:30")):
        dry = now + timedelta(days=days, minutes=0 if days else 30)
        assert phrase(Forecast("week", "credits", dry_at=dry), now=now).startswith(words)


def test_where_two_windows_may_be_meant_the_shorter_is_closed_until_then():
    said = refusal("chatgpt.com", 429, {"type": "usage_limit_reached", "resets_in_seconds": 7200})
    found, meters = run("chatgpt-plus", said, {"at": "2026-11-23T11:59:00Z"}, {"at": "2026-11-23T12:01:00Z"})
    assert [(each["meter"], each["until"]) for each in found["blocked"]] == [("5 hours", "2026-11-23T12:00:00+00:00")]
    assert (found["admitted"], meters["week"]["state"]) == (1, "unknown")


def test_a_cap_of_one_app_that_is_refused_is_used_up():
    said = refusal(
        "api.openai.com", 429, {"code": "subscription_sharing_usage_limit_exceeded", "type": "rate_limit_error"}
    )
    found, meters = run("chatgpt-plus", said, {"at": "2026-11-23T11:00:00Z"})
    assert (found["blocked"][0]["meter"], meters["app cap"]["state"]) == ("app cap", "exhausted")


def pool(percent, at):
    return reading("pool", at, percent=percent, rounding="truncated", resets_at="2026-11-23T15:00:00Z")


def test_others_burn_does_not_make_a_point_worth_less_than_was_learned():
    plan = [{"name": "pool", "unit": "percent", "window": "first_use", "hours": 5, "limit": 100}]
    own = {"at": "2026-11-23T12:10:00Z", "tokens": 1_000_000}
    learned = [pool(10, "2026-11-23T12:00:00Z"), own, pool(20, "2026-11-23T12:20:00Z")]
    little = {"at": "2026-11-23T12:30:00Z", "tokens": 1_000}
    found, meters = run(
        plan, *learned, little, pool(50, "2026-11-23T12:40:00Z"), {"at": "2026-11-23T12:50:00Z", "tokens": 100_000}
    )
    assert meters["pool"]["capacity"]["point"] == 10_000_000
    assert 28 < meters["pool"]["foreign"] < 31
    assert (found["blocked"], meters["pool"]["used"]) == ([], 51)


def test_a_step_that_runs_at_a_reading_belongs_to_the_band_of_what_a_point_is_worth():
    """A reading in the headers of an answer always meets the step that carries it."""
    plan = [{"name": "pool", "unit": "percent", "window": "first_use", "hours": 5, "limit": 100}]
    events = []
    for number, percent in enumerate((10, 20, 30)):
        at = f"2026-11-23T12:{number}0"
        events += [{"at": f"{at}:00Z", "until": f"{at}:30Z", "tokens": 100_000}, pool(percent, f"{at}:05Z")]
        events += [{"at": f"{at}:40Z", "tokens": 1_000}]
    _, meters = run(plan, *events)
    capacity = meters["pool"]["capacity"]
    assert capacity["low"] < 1_000_000 < capacity["high"]
    assert 400_000 < capacity["low"] < capacity["high"] < 2_500_000
    assert 30 <= meters["pool"]["used"] < 45


UNWEIGHED = {"at": "2026-11-23T10:05:00Z", "model": "glm-5.3", "fresh_input": 1000, "output": 100}
FULL = {"used": 2000, "limit": 2000, "resets_at": "2026-11-23T12:00:00Z"}


@pytest.mark.parametrize(
    ("meters", "said", "until"),
    [
        (
            [FIVE],
            refusal("api.z.ai", 429, {"code": "1308", "message": "It will reset at 2026-11-23 20:00:00"}),
            "2026-11-23T12:00:00+00:00",
        ),
        ([FIVE], reading("5 hours", **FULL), "2026-11-23T12:00:00+00:00"),
        (
            [{"name": "balance", "unit": "money", "currency": "USD", "window": "balance"}],
            refusal("api.deepseek.com", 402, {"message": "Insufficient Balance"}),
            None,
        ),
    ],
)
def test_a_step_that_takes_nobody_knows_how_much_does_not_pass_what_is_used_up_nor_reopen_it(meters, said, until):
    found, state = run(meters, said, UNWEIGHED)
    meter = state[meters[0]["name"]]
    assert (found["admitted"], meter["state"], meter["source"]) == (0, "exhausted", "provider")
    (blocked,) = found["blocked"]
    assert (blocked["meters"], blocked["until"], blocked["need"]) == ([meter["meter"]], until, None)
    if until:
        found, _ = run(meters, said, {**UNWEIGHED, "at": until})
        assert found["admitted"] == 1


@pytest.mark.parametrize("doubt", [{"running": True}, {"doubtful": True}, {"client": "codex"}])
def test_a_step_without_a_price_that_nobody_has_answered_yet_does_not_refill_a_balance(doubt):
    purse = {"name": "balance", "unit": "money", "currency": "USD", "window": "balance"}
    page = read_plan({"name": "mine", "meters": [purse]}, "mine.toml")
    at = datetime.fromisoformat(AT)
    said = Reading("balance", "error", at, remaining=Decimal(0), status="exhausted")
    step = Burn(at + timedelta(minutes=5), TokenUsage(1000, output=100), **doubt)
    (found,) = estimate(page, [step], at + timedelta(minutes=10), [said])
    assert (found.state, found.remaining, found.unpriced) == ("exhausted", 0, 1)


def test_a_limit_for_this_period_is_some_window_and_a_reading_is_wished_for():
    page = [{**FIVE, "unit": "percent", "limit": 100}, {**WEEK, "unit": "percent", "limit": 100}]
    for words, wants in (("You have reached the limit for this period", True), ("The engine is overloaded", False)):
        _, meters = run(page, refusal("api.kimi.com", 429, {"type": "rate_limit_reached_error", "message": words}))
        assert [each["wants_reading"] for each in meters.values()] == [wants, wants]
