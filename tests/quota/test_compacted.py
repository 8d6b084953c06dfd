"""Sums of long ago stand for their steps: a balance comes to the same."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.quota import compacted
from assistant.quota.entry import Start
from assistant.quota.ledger import Ledger
from assistant.quota.plan_page import read_plan
from assistant.tokens import Cost, TokenUsage
from tests.quota.estimating import estimate

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BALANCE = {"name": "balance", "unit": "money", "currency": "USD", "window": "balance", "limit": 50}


@pytest.fixture
def ledger(tmp_path):
    found = Ledger(tmp_path / "ledger.sqlite", zone=None)
    for days, amount, state in (
        (400, "1.10", "settled"), (90, "2.20", "settled"), (90, "9", "failed"), (33, "0.30", "settled"),
        (32, "0.04", "settled"), (31, "0.005", "settled"), (0, "0.0006", "settled"),
    ):  # fmt: skip
        usage, cost = TokenUsage(100), Cost("metered", Decimal(amount))
        if state == "failed":
            usage, cost = TokenUsage(), Cost("metered", Decimal(0))
        at = NOW - timedelta(days=days)
        start = Start(at, "s", 1, 1, "main", "/p", "deepseek", "flash", "prepaid", "mine", usage, cost, 1)
        found.settle(found.begin(start), at=at, state=state, usage=usage, cost=cost)
    yield found
    found.close()


def test_a_balance_of_sums_and_late_steps_is_that_of_all_steps(ledger):
    plan = read_plan({"name": "mine", "meters": [BALANCE]}, "mine.toml")
    assert compacted.summable(plan)
    old, since = compacted.sums(ledger, plan, NOW)
    late = ledger.entries(plan="mine", since=since)
    assert len(late) < 6
    (short,) = estimate(plan, [*old, *late], NOW)
    (whole,) = estimate(plan, ledger.entries(plan="mine"), NOW)
    assert short.used == whole.used == Decimal("3.6456")
    assert short.remaining == whole.remaining


@pytest.mark.parametrize(
    "other",
    [
        {"lots": [{"amount": 5, "expires_at": "2026-12-01T00:00:00Z"}]},
        {"rules": [{"factor": 2, "hours": ["01:00-04:00"]}]},
        {"window": "week"},
    ],
)
def test_what_asks_when_is_not_summed(other):
    meters = [{**BALANCE, **other}]
    if "lots" in other:
        del meters[0]["limit"]
    assert not compacted.summable(read_plan({"name": "mine", "meters": meters}, "mine.toml"))
