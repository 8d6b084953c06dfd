"""A history that is replayed wholesale comes to what it comes to step by step: that is all it is for, beside being fast."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from assistant import usage_review
from assistant.quota.entry import Start
from assistant.quota.event import Event
from assistant.quota.ledger import Ledger
from assistant.quota.meter import burn_of
from assistant.quota.plan_page import read_plan
from assistant.quota.replay import rendered, replay, replayed_json
from assistant.quota.tariff import Burn
from assistant.quota.wholesale import wholesale
from tests.quota.test_trial import FIRST, burns, meters_of

SEEDS = 160


def compared(plan, history, at):
    """Replay a history both ways, and say that they come to the same; returns what the quick one says."""
    found = wholesale(plan, history, at)
    plain = replay(plan, [Event(burn.at, burn, cost=burn.cost) for burn in history], at)
    if found is not None:
        assert replayed_json(found) == replayed_json(plain), plan.meters
        assert rendered(found) == rendered(plain)
    return found


def singles(dice):
    """Make single steps: some with an estimated usage, some that run, prices to the last digit or not."""
    digits = dice.choice([2, 6, 28])
    found = []
    for burn in burns(dice):
        paid = burn.cost.amount
        cost = burn.cost if paid is None or digits == 28 else burn.cost._replace(amount=round(paid, digits))
        usage = burn.usage._replace(exact=dice.random() < 0.7)
        asked = Decimal(dice.randrange(2))
        running = dice.random() < 0.05
        found.append(
            burn._replace(usage=usage, cost=cost, steps=1, requests=Decimal(1), prompts=asked, running=running)
        )
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_it_says_what_a_replay_step_by_step_says(seed):
    dice = random.Random(seed)
    history = singles(dice)
    later = history[-1].at + timedelta(seconds=dice.choice([0, 1, 7200, 400_000, 9_000_000]))
    for _ in range(4):
        compared(read_plan({"name": "p", "meters": meters_of(dice, history)}, "p.toml"), history, later)


def test_most_random_histories_can_be_replayed_wholesale():
    found = Counter()
    for seed in range(40):
        dice = random.Random(seed)
        history = singles(dice)
        done = compared(read_plan({"name": "p", "meters": meters_of(dice, history)}, "p.toml"), history, history[-1].at)
        found["not" if done is None else "stopped" if done.blocked else "free"] += 1
    assert found["not"] < 12 < found["stopped"]
    assert found["free"] > 4


@pytest.mark.parametrize(
    "terms",
    [
        {"window": "balance", "lots": [{"amount": 9}]},
        {"window": "rolling", "hours": 5, "limit": 2, "limits": [{"since": "2026-02-21T00:00:00Z", "limit": 9}]},
    ],
)
def test_what_only_a_replay_step_by_step_can_tell(terms):
    plan = read_plan({"name": "p", "meters": [{"name": "m", "unit": "requests", **terms}]}, "p.toml")
    history = [Burn(FIRST + timedelta(hours=hour)) for hour in range(9)]
    assert wholesale(plan, history, history[-1].at) is None
    assert wholesale(plan, [], FIRST) is None


def test_the_book_is_replayed_as_its_entries_are(tmp_path):
    dice, ledger = random.Random(7), Ledger(tmp_path / "ledger.sqlite")
    for number, burn in enumerate(singles(dice)):
        start = Start(
            burn.at,
            "s",
            number // 3,
            number % 3,
            "main",
            "/p",
            "zai",
            burn.model,
            "plan",
            "p",
            burn.usage,
            burn.cost,
            1,
        )
        entry = ledger.begin(start)
        if number % 11:
            state = dice.choice(["settled", "settled", "interrupted", "failed"])
            ledger.settle(entry, at=burn.at + timedelta(seconds=9), state=state, usage=burn.usage, cost=burn.cost)
    entries = ledger.entries()
    now = entries[-4].at  # a clock was set back
    burns = [burn for each in entries if (burn := burn_of(each, now)) is not None]
    for at in (None, entries[5].at, now + timedelta(days=40)):
        meters = [
            {"name": "a", "window": "first_use", "hours": 5, "unit": "prompts", "limit": 4},
            {"name": "b", "window": "rolling", "days": 2, "unit": "tokens", "limit": 90_000},
        ]
        plan = read_plan({"name": "p", "meters": meters}, "p.toml")
        found = usage_review.replayed(plan, ledger, now, at)
        plain = replay(plan, [Event(burn.at, burn, cost=burn.cost) for burn in burns], at)
        assert replayed_json(found) == replayed_json(plain)
        assert found.blocked or at == entries[5].at
