"""A trial says of any history what a replay says: that is all it is for, beside being fast."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.quota.columns import History
from assistant.quota.event import Event
from assistant.quota.plan_page import read_plan
from assistant.quota.replay import replay
from assistant.quota.tariff import Burn
from assistant.quota.trial import tried
from assistant.tokens import Cost, TokenUsage

SEEDS = 240
FIRST = datetime(2026, 2, 20, tzinfo=UTC)
PEAK = [
    {"factor": 3, "models": ["opus*"], "hours": "09:30-18:00", "zone": "Asia/Kolkata"},
    {"factor": "0.5", "days": "sat-sun"},
]
HOLIDAYS = [{"factor": 2, "except_holidays": "cn", "zone": "Asia/Shanghai"}]
DATED = [{"factor": 0, "since": "2026-02-22T00:00:00Z", "until": "2026-02-26T00:00:00Z"}]
WINDOWS = [
    {"window": "first_use", "hours": 5},
    {"window": "first_use", "hours": 5, "floor": "hour"},
    {"window": "first_use", "minutes": 90, "floor": "hour"},
    {"window": "first_use", "days": 7},
    {"window": "rolling", "hours": 1},
    {"window": "rolling", "hours": 5},
    {"window": "rolling", "hours": 100},
    {"window": "calendar_day", "zone": "America/New_York"},
    {"window": "calendar_week", "zone": "Asia/Shanghai"},
    {"window": "calendar_month"},
    {"window": "grid", "hours": 5},
    {"window": "grid", "days": 7},
    {"window": "subscription_month"},
    {"window": "subscription_month", "subscribed_at": "2026-01-31T09:41:07Z"},
    {"window": "balance"},
]
MONEY = [
    {"unit": "money", "currency": "USD"},
    {"unit": "money", "currency": "CNY"},
    {"unit": "money", "currency": "USD", "models": {"opus*": "1.7"}},
    {"unit": "money", "currency": "USD", "weights": {"fresh_input": 3, "output": 15}, "per": 1_000_000},
]
UNITS = [
    *MONEY,
    {"unit": "requests"},
    {"unit": "requests", "models": {"haiku": 0}},
    {"unit": "calls", "rules": PEAK},
    {"unit": "prompts"},
    {"unit": "prompts", "rules": PEAK},
    {"unit": "prompts", "rules": HOLIDAYS},
    {"unit": "prompts", "models": {"opus*": "0.333333333333333"}},
    {"unit": "tokens"},
    {"unit": "tokens", "rules": DATED},
    {"unit": "tokens", "weights": {"cache_read": "0.1", "output": 5}, "models": {"opus*": 3}},
    {"unit": "credits", "per": 1000, "rates": [{"models": ["opus*"], "weights": {"fresh_input": 1, "output": 5}}]},
    {
        "unit": "credits",
        "per": 3,
        "weights": {"output": 5},
        "rates": [{"since": "2026-02-23T00:00:00Z", "weights": {"fresh_input": 1, "output": 1}}],
    },
    {"unit": "credits"},
    {"unit": "percent"},
]
STATUSES = [
    ["metered"],
    ["metered", "metered", "reported", "included", "free", "unknown"],
    ["metered", "metered", "metered", "metered", "metered", "free", "unknown"],
]
GAPS = [
    [0, 1, 900, 3600, 3600, 7200, 86_400, None],
    [0, 0, 1, 10, 60],
    [600, 1800, 3600, 7200],
    [3600, 18_000, None],
    [0],
]


def burns(dice):
    """Make burns of minutes or weeks: few or many steps together, with and without a price, some at one instant."""
    found = []
    at = FIRST
    gaps, statuses, models = dice.choice(GAPS), dice.choice(STATUSES), dice.choice([["opus-5", "haiku"], ["opus-5"]])
    counts, parts = dice.choice([[1], [1, 1, 2, 3, 7, 12, 30, 65]]), dice.choice([[1000], [3], [1000, 3, 7, 3000]])
    for _ in range(dice.choice([8, 20, 60, 150])):
        gap = dice.choice(gaps)
        at += timedelta(seconds=gap if gap is not None else dice.randrange(40_000))
        steps, status = dice.choice(counts), dice.choice(statuses)
        paid = Decimal(dice.randrange(900)) / dice.choice(parts)
        amount = {"included": None, "unknown": None, "free": Decimal(0)}.get(status, paid)
        cost = Cost(status, amount, dice.choice(["USD", "USD", "CNY"]))
        usage = TokenUsage(
            *[dice.choice(each) for each in ([0, 5, 900], [0, 7, 5000], [0, 0, 9], [0, 0, 3], [0, 1, 40])]
        )
        prompts = dice.randrange(steps + 1)
        found.append(Burn(at, usage, cost, dice.choice(models), Decimal(steps), Decimal(prompts), steps=steps))
    return found


def meters_of(dice, history):
    """Make meters of a plan whose limits are somewhere about what its windows would have to hold, some of them to the last digit."""
    meters = []
    units = dice.choice([UNITS, UNITS, MONEY])

    def instant():
        return (
            dice.choice(history[:4] if dice.random() < 0.5 else history).at + timedelta(seconds=dice.choice([0, 1]))
        ).isoformat()

    for name in ("a", "b", "c", "d")[: dice.choice([1, 1, 2, 3, 4])]:
        meter = {"name": name, **dice.choice(WINDOWS), **dice.choice(units)}
        if dice.random() < 0.2:
            meter["only"] = dice.choice([["opus*"], ["haiku"], ["gpt*"]])
        if dice.random() < 0.15:
            meter[dice.choice(["since", "until"])] = instant()
        if dice.random() < 0.3:
            meter["activated_at"] = instant()
        if meter["unit"] != "percent" and dice.random() < 0.9:
            page = read_plan({"name": "p", "meters": [{**meter, "limit": 1}]}, "p.toml")
            points = [point or Decimal(0) for point in History(history).column(page.meters[0].tariff).points]
            first = dice.randrange(len(points))
            some = sum(points[first : first + dice.choice([0, 1, 2, 3, 5, 10, 50])], Decimal(0))
            share = sum(points) * Decimal(dice.choice(["0.005", "0.02", "0.1", "0.4", "0.9", "1", "1.5"]))
            meter["limit"] = f"{dice.choice([some, some, share, round(share)]):f}"
            if meter["window"] == "balance" and dice.random() < 0.6:
                amounts = [meter.pop("limit"), f"{share:f}", f"{share / 3:f}"][: dice.choice([1, 2, 3])]
                meter["lots"] = [{"amount": each} for each in amounts]
                for lot in meter["lots"]:
                    lot.update({key: instant() for key in ("bought_at", "expires_at") if dice.random() < 0.4})
        meters.append(meter)
    return meters


def summary(admitted, stops, unpriced):
    steps = Counter()
    for stop in stops:
        steps[stop.meter] += stop.steps
    return admitted, steps, {(stop.meter, stop.until) for stop in stops}, stops[0].at if stops else None, set(unpriced)


def told(history, *meters):
    """Try a history, and say that a replay comes to the same; returns what the trial says, None where only a replay can tell."""
    plan = read_plan({"name": "p", "meters": list(meters)}, "p.toml")
    found = tried(plan, History(history))
    plain = replay(plan, [Event(burn.at, burn, cost=burn.cost) for burn in history], history[-1].at)
    if found is not None:
        assert summary(*found) == summary(plain.admitted, plain.blocked, plain.unpriced), plan.meters
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_trial_says_what_a_replay_says(seed):
    dice = random.Random(seed)
    history = burns(dice)
    for _ in range(4):
        meters = meters_of(dice, history)
        if told(history, *meters) is None:
            counted = {meter.get("currency") for meter in meters} - {None}
            assert len(counted) > 1  # what only a replay can tell
            assert any("floor" in meter for meter in meters)


def paid(*costs, currency="USD"):
    """Make burns of one step, or so many, that cost so much so many hours after the first instant; None is unknown."""
    return [
        Burn(
            FIRST + timedelta(hours=hours),
            TokenUsage(),
            Cost("unknown" if amount is None else "metered", amount if amount is None else Decimal(amount), currency),
            "opus-5",
            *map(Decimal, steps * 2 or (1, 1)),
            steps=steps[0] if steps else 1,
        )
        for hours, amount, *steps in costs
    ]


def usd(name="m", **terms):
    return {"name": name, "unit": "money", "currency": "USD", **terms}


GRID = {"window": "grid", "hours": 5, "activated_at": FIRST.isoformat()}
ROLLING = {"window": "rolling", "hours": 5}


def test_sums_that_are_rounded_are_added_up_as_they_were_burnt():
    # Of all burns together the last digits are others than of those of a window: the last one has no room, by one of them.
    for costs, limit in (
        ([(5, 100), (7, Decimal(100) / 3), (8, Decimal(1) / 300)], "33.33666666666666666666666666"),
        ([(5, 1000), (8, Decimal(10) / 3), (8, Decimal(1) / 3)], "3.666666666666666666666666666"),
    ):
        found = told(paid(*costs), usd(**GRID, limit=limit))
        assert [stop.at.hour for stop in found.stops] == [5, 8]
    # Nor is a window taken for one that has room for all by what the last digits of two sums leave between them.
    found = told(paid((3, Decimal(1) / 7000), (9, "0.01"), (10, None), (16, None)), usd(**ROLLING, limit="0.01"))
    assert [stop.at.hour for stop in found.stops] == [10]


def test_what_comes_back_of_a_sum_that_was_rounded_is_taken_from_it_in_order_of_time():
    # Only a part of steps has as many digits as are reckoned with.
    told(paid((2, 1000), (3, 5, 7), (3, 1000, 7), (7, 1), (10, 1000, 13), (10, 1000, 13)), usd(**ROLLING, limit=2001))
    told(paid((3, 100, 7), (3, 100, 13), (6, 10, 13), (10, 2, 6), (15, 100, 3), (17, 10, 3)), usd(**ROLLING, limit=110))
    told(paid((2, 100, 13), (4, 1), (6, 100, 3), (9, 10), (12, 100), (12, 100, 7)), usd(**ROLLING, limit=200))


def test_a_meter_that_never_has_room_goes_before_one_of_which_nobody_knows():
    # What came back of `m` leaves a rest that no burn is: nobody knows when there is room for all of it.
    history = paid((8, Decimal(1) / 30), (11, Decimal(1) / 70), (12, 10), (15, 100))
    found = told(history, usd(**ROLLING, limit=100), usd("z", window="balance", limit=50))
    assert [(stop.meter, stop.until) for stop in found.stops] == [("z", None)]
    month = {"name": "z", "unit": "requests", "window": "calendar_month", "limit": 3}
    found = told(history, usd(**ROLLING, limit=100), month)
    assert [(stop.meter, stop.until) for stop in found.stops] == [
        ("m", None)
    ]  # and nobody knows goes before a known end


def test_lots_are_spent_to_the_last_digit():
    costs = [Decimal(cost) / 7 for cost in (5_000, 3, 800, 1, 20, 6_001)]
    history = paid(*enumerate(costs), (7, None), (8, Decimal(1) / 3), (9, None))
    for amount in (sum(costs), sum(costs) + Decimal(1) / 3, sum(costs[:3])):
        told(history, usd(window="balance", lots=[{"amount": f"{amount:f}"}]))
        told(history, usd(window="balance", lots=[{"amount": f"{amount / 3:f}"}, {"amount": f"{amount / 3 * 2:f}"}]))


def test_what_is_less_than_the_last_digit_of_a_sum_frees_nothing():
    found = told(paid((0, "1E-30"), (1, 1000), (2, None)), usd(**ROLLING, limit=1000))
    assert [stop.until for stop in found.stops] == [FIRST + timedelta(hours=6)]


def test_what_a_meter_counts_in_percent_is_not_held_against_its_limit():
    history = [burn._replace(usage=TokenUsage(900)) for burn in paid((0, 1), (1, 1), (2, 1))]
    assert told(history, {"name": "m", "unit": "percent", "window": "calendar_week", "limit": 100}).stops == []


def test_what_other_meters_stop_is_not_passed_over_when_a_lot_expires():
    history = [burn for hour in range(8) for burn in paid((hour, 1))]
    lots = [{"amount": 20, "expires_at": (FIRST + timedelta(hours=4)).isoformat()}]
    month = {"name": "m", "unit": "requests", "window": "calendar_month", "limit": 2}
    found = told(history, month, usd("z", window="balance", lots=lots))
    assert Counter(stop.meter for stop in found.stops for _ in range(stop.steps)) == {"m": 2, "z": 4}


def test_lots_expire_before_a_balance_begins():
    history = paid(*((hour, 1) for hour in range(8)))
    lots = [{"amount": 20, "expires_at": (FIRST + timedelta(hours=2)).isoformat()}]
    found = told(history, usd(window="balance", activated_at=(FIRST + timedelta(hours=6)).isoformat(), lots=lots))
    assert found.admitted == 2


def test_what_was_before_the_first_window_fills_none():
    began = {"activated_at": (FIRST + timedelta(hours=2, minutes=30)).isoformat()}
    history = paid((0, 3), (1, 12), (2, 4), (3, 3), (4, 1), (8, 9), (9, 3), (13, 8), (14, 8))
    windows = [{"window": "grid", "hours": 5}, {"window": "first_use", "hours": 5}, ROLLING, {"window": "calendar_day"}]
    for window in [*windows, {"window": "balance"}]:
        for limit in (0, 3, 10, 11, 12, 20):
            told(history, usd(**window, **began, limit=limit))
            told(paid(*((hour, None) for hour in range(4))), usd(**window, **began, limit=limit))
    found = told(history, usd(window="grid", hours=5, **began, limit=10))
    assert [stop.at.hour for stop in found.stops] == [1, 9, 14]


def test_a_burn_at_the_very_end_of_a_window_is_in_the_next():
    for window in (GRID, ROLLING, {"window": "first_use", "hours": 5}):
        assert told(paid((0, 1), (4, 1), (5, 1), (9, 1), (10, 1)), usd(**window, limit=1)).admitted == 3
    assert told(paid((0, 1), (23, 1), (24, 1), (25, 1)), usd(window="calendar_day", limit=1)).admitted == 2


def test_a_window_that_is_put_back_to_the_full_hour_does_not_begin_before_the_last_one_ended():
    floor = {"window": "first_use", "minutes": 90, "floor": "hour", "limit": 1}
    history = paid((0, 1), (1.75, 1), (1.9, 1))
    found = told(history, usd(**floor))
    assert [stop.until for stop in found.stops] == [FIRST + timedelta(hours=3)]
    # A window that only what is paid elsewhere has opened is not there for a replay: what comes next may go behind its end.
    history = [*paid((0, 1)), *paid((2.7, 1), currency="CNY"), *paid((3.6, 1), (3.7, 1))]
    yuan = {**usd("y"), "currency": "CNY", "window": "balance"}
    assert told(history, usd(**floor), yuan) is None
    assert told(history, usd(**floor)) is not None


def test_a_step_without_a_price_opens_a_window_while_another_meter_stops_steps():
    # Of `m` it is known already that such a step went through; that another one opens its next window is to be heard yet.
    history = paid((0, None), (0.5, 0), (6, 0), (6.1, None), (6.5, 10), (7, 1))
    history[1:3] = [burn._replace(model="haiku") for burn in history[1:3]]
    few = {"name": "few", "unit": "requests", "window": "calendar_month", "limit": 1, "only": ["haiku"]}
    found = told(history, usd(window="first_use", hours=5, limit=10), few)
    assert [stop.until for stop in found.stops if stop.meter == "m"] == [FIRST + timedelta(hours=11.1)]


def test_a_part_of_a_step_may_have_a_price_though_the_whole_has_none():
    usage = TokenUsage(fresh_input=2, output=40)
    history = [Burn(FIRST, usage, Cost("unknown"), "opus-5", Decimal(8), Decimal(8), steps=8)] * 2
    prompts = {"name": "p", "unit": "prompts", "window": "calendar_week", "limit": 9}
    for limit in (0, 5, 10, 100):
        told(
            history,
            {"name": "c", "unit": "credits", "weights": {"output": 1}, "window": "balance", "limit": limit},
            prompts,
        )
    # What is paid in a currency that another meter counts takes nothing of `c` as a whole, and its parts do.
    paid_elsewhere = Cost("metered", Decimal(1), "CNY")
    history = [burn._replace(cost=paid_elsewhere, usage=TokenUsage(fresh_input=1, output=40)) for burn in history]
    output = {"name": "c", "unit": "credits", "weights": {"output": 1}, "window": "balance", "limit": 10}
    yuan = {**usd("y"), "currency": "CNY", "window": "balance"}
    assert "c" in {stop.meter for stop in told(history, output, {**prompts, "limit": 12}, yuan).stops}


def test_a_dated_limit_that_may_be_reached_takes_a_replay():
    history = burns(random.Random(1))
    meter = {
        "name": "m",
        "unit": "requests",
        "window": "calendar_week",
        "limit": 10,
        "limits": [{"since": "2026-03-01T00:00:00Z", "limit": 20}],
    }
    assert tried(read_plan({"name": "p", "meters": [meter]}, "p.toml"), History(history)) is None
    low = {**meter, "limit": 10**6, "limits": [{"since": "2026-03-01T00:00:00Z", "limit": 10}]}
    assert tried(read_plan({"name": "p", "meters": [low]}, "p.toml"), History(history)) is None
    high = {**meter, "limit": 10**6, "limits": [{"since": "2026-03-01T00:00:00Z", "limit": 10**5}]}
    found = tried(read_plan({"name": "p", "meters": [high]}, "p.toml"), History(history))
    assert (found.admitted, found.stops) == (sum(burn.steps for burn in history), [])
