"""A trial says of any history what a replay says: that is all it is for, beside being fast."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.quota.columns import History
from assistant.quota.event import Event
from assistant.quota.plan import read_plan
from assistant.quota.replay import replay
from assistant.quota.tariff import Burn
from assistant.quota.trial import tried
from assistant.tokens import Cost, TokenUsage

FIRST = datetime(2026, 2, 20, tzinfo=UTC)
DAYS = 45
PEAK = [
    {"factor": 3, "models": ["opus*"], "hours": "09:30-18:00", "zone": "Asia/Kolkata"},
    {"factor": "0.5", "days": "sat-sun"},
]
HOLIDAYS = [{"factor": 2, "except_holidays": "cn", "zone": "Asia/Shanghai"}]
WINDOWS = [
    {"window": "first_use", "hours": 5},
    {"window": "first_use", "hours": 5, "floor": "hour"},
    {"window": "first_use", "minutes": 90, "floor": "hour"},  # one begins where the last has ended, not at the hour
    {"window": "first_use", "days": 7},
    {"window": "rolling", "hours": 5},
    {"window": "rolling", "hours": 100},
    {"window": "calendar_day", "zone": "America/New_York"},
    {"window": "calendar_week", "zone": "Asia/Shanghai"},
    {"window": "calendar_month"},
    {"window": "grid", "days": 7},
    {"window": "grid", "days": 7, "activated_at": "2026-03-03T07:20:00Z"},
    {"window": "subscription_month"},
    {"window": "subscription_month", "subscribed_at": "2026-01-31T09:41:07Z"},
    {"window": "balance"},
]
UNITS = [
    {"unit": "requests"},
    {"unit": "calls", "rules": PEAK},
    {"unit": "prompts"},
    {"unit": "prompts", "rules": PEAK},
    {"unit": "prompts", "rules": HOLIDAYS},
    {"unit": "tokens"},
    {"unit": "tokens", "weights": {"cache_read": "0.1", "output": 5}, "models": {"opus*": 3}},
    {"unit": "credits", "per": 1000, "rates": [{"models": ["opus*"], "weights": {"fresh_input": 1, "output": 5}}]},
    {
        "unit": "credits",
        "per": 3,
        "weights": {"output": 5},
        "rates": [{"since": "2026-03-10T00:00:00Z", "weights": {"fresh_input": 1, "output": 1}}],
    },
    {"unit": "credits"},
    {"unit": "money", "currency": "USD"},
    {"unit": "money", "currency": "CNY"},
    {"unit": "percent"},
]


def burns(dice):
    """Make burns of some weeks: few or many steps together, with and without a price, some at one instant."""
    found = []
    at = FIRST
    while at < FIRST + timedelta(days=DAYS):
        at += timedelta(seconds=dice.choice([0, 1, 900, 3600, 3600, 7200, 86_400, dice.randrange(40_000)]))
        steps = dice.choice([1, 1, 2, 3, 7, 12, 30, 50])
        status = dice.choice(["metered", "metered", "reported", "included", "free", "unknown"])
        cost = Cost(
            status,
            None
            if status in {"included", "unknown"}
            else Decimal(0)
            if status == "free"
            else Decimal(dice.randrange(1, 900)) / dice.choice([1000, 1000, 3]),  # a third has 28 digits
            dice.choice(["USD", "USD", "CNY"]),
        )
        usage = TokenUsage(
            dice.choice([0, 5, 900]), dice.choice([0, 7, 5000]), 0, dice.choice([0, 0, 3]), dice.choice([1, 40]), 0
        )
        prompts = dice.randrange(steps + 1)
        found.append(
            Burn(at, usage, cost, dice.choice(["opus-5", "haiku"]), Decimal(steps), Decimal(prompts), steps=steps)
        )
    return found


def plan_of(dice, history):
    """Make a plan whose limits are somewhere about what its windows would have to hold."""
    meters = []
    for name in ("a", "b", "c")[: dice.choice([1, 1, 2, 3])]:
        meter = {"name": name, **dice.choice(WINDOWS), **dice.choice(UNITS)}
        if dice.random() < 0.2:
            meter["only"] = ["opus*"]
        if dice.random() < 0.15:
            meter["since" if dice.random() < 0.5 else "until"] = "2026-03-12T10:00:00Z"
        if meter["unit"] != "percent" and dice.random() < 0.9:
            page = read_plan({"name": "p", "meters": [{**meter, "limit": 1}]}, "p.toml")
            points = [point or 0 for point in History(history).column(page.meters[0].tariff).points]
            share = dice.choice([0, 0.001, 0.02, 0.1, 0.4, 0.9, 1, 1.5])
            meter["limit"] = str(round(sum(points) * Decimal(str(share)), dice.choice([0, 0, 3])))
        if meter["window"] == "balance" and meter["unit"] == "money" and dice.random() < 0.4:
            meter.pop("limit", None)
            meter["lots"] = [
                {"amount": 9, "expires_at": "2026-03-08T00:00:00Z"},
                {"amount": 5, "bought_at": "2026-03-06T00:00:00Z", "expires_at": "2026-03-20T00:00:00Z"},
                {"amount": "2.5"},
            ]
        meters.append(meter)
    return read_plan({"name": "p", "meters": meters}, "p.toml")


def summary(admitted, stops, unpriced):
    steps = Counter()
    for stop in stops:
        steps[stop.meter] += stop.steps
    return admitted, steps, {(stop.meter, stop.until) for stop in stops}, stops[0].at if stops else None, set(unpriced)


@pytest.mark.parametrize("seed", range(60))
def test_a_trial_says_what_a_replay_says(seed):
    dice = random.Random(seed)
    history = burns(dice)
    for _ in range(5):
        plan = plan_of(dice, history)
        found = tried(plan, History(history))
        plain = replay(plan, [Event(burn.at, burn, cost=burn.cost) for burn in history], history[-1].at)
        if found is None:
            assert len(plan.currencies) > 1  # what only a replay can tell
            continue
        assert summary(*found) == summary(plain.admitted, plain.blocked, plain.unpriced), plan.meters


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
    high = {**meter, "limit": 10**6, "limits": [{"since": "2026-03-01T00:00:00Z", "limit": 10**5}]}
    found = tried(read_plan({"name": "p", "meters": [high]}, "p.toml"), History(history))
    assert (found.admitted, found.stops) == (sum(burn.steps for burn in history), [])
