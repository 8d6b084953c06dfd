"""The book and the windows."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.errors import ConfigError
from assistant.quota.entry import Start
from assistant.quota.estimate import as_json
from assistant.quota.ledger import Ledger
from assistant.quota.plan import load_plans
from assistant.quota.plan_page import read_plan
from assistant.quota.window import Window, span_at
from assistant.tokens import Cost, TokenUsage
from tests.quota.estimating import estimate, first_use

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def start(at=NOW, plan="practice", tokens=1000, pid=1):
    return Start(
        at,
        "s",
        1,
        1,
        "main",
        "/p",
        "scripted",
        "lesson",
        "practice",
        plan,
        TokenUsage(tokens, exact=False),
        Cost("metered", Decimal("0.01")),
        pid,
    )


def test_a_step_is_in_the_book_before_it_leaves_and_settled_after(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    entry = ledger.begin(start())
    assert [each.state for each in Ledger(ledger.path).entries()] == ["in_flight"]
    ledger.settle(
        entry,
        at=NOW,
        state="settled",
        usage=TokenUsage(900, 50, 3, 4, 20, 7),
        cost=Cost("metered", Decimal("0.0123456789")),
    )
    (found,) = ledger.entries()
    assert (found.state, found.usage, found.cost.amount, found.at) == (
        "settled",
        TokenUsage(900, 50, 3, 4, 20, 7),
        Decimal("0.0123456789"),
        NOW,
    )
    assert ledger.path.stat().st_mode & 0o777 == 0o600


def test_what_a_dead_window_left_counts_as_interrupted(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    ledger.begin(start(pid=1))
    ledger.begin(start(pid=2))
    assert ledger.recover(NOW, lambda pid: pid == 2) == 1
    assert sorted(each.state for each in ledger.entries()) == ["in_flight", "interrupted"]


def _burn(path):
    ledger = Ledger(path)
    for _ in range(25):
        entry = ledger.begin(start())
        ledger.settle(entry, at=NOW, state="settled", usage=TokenUsage(1), cost=Cost("free", Decimal(0)))


def test_several_windows_write_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    windows = [context.Process(target=_burn, args=(tmp_path / "l.sqlite",)) for _ in range(3)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    entries = Ledger(tmp_path / "l.sqlite").entries()
    assert (len(entries), {each.state for each in entries}) == (75, {"settled"})


def test_a_damaged_book_is_set_aside(tmp_path):
    (tmp_path / "l.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 100)
    ledger = Ledger(tmp_path / "l.sqlite")
    ledger.begin(start())
    assert len(ledger.entries()) == 1
    assert ledger.warnings
    assert list(tmp_path.glob("*.damaged-*"))


def at(hours):
    return NOW + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("burns", "now", "window"),
    [
        ([], 0, (None, None)),
        ([0], 4.99, (at(0), at(5))),
        ([0], 5, (None, None)),
        ([0, 4, 5.5], 6, (at(5.5), at(10.5))),
        ([0, 5], 5, (at(5), at(10))),
    ],
)
def test_a_first_use_window_begins_with_the_first_step(burns, now, window):
    assert first_use(map(at, burns), at(now)) == window


def test_calendar_windows_follow_their_zone_over_a_change_of_clocks():
    day = Window("calendar_day", zone="Europe/Berlin")
    start_of, end = span_at(day, datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert end - start_of == timedelta(hours=25)
    month = Window("calendar_month")
    assert span_at(month, datetime(2028, 2, 29, tzinfo=UTC)) == (
        datetime(2028, 2, 1, tzinfo=UTC),
        datetime(2028, 3, 1, tzinfo=UTC),
    )


def test_the_binding_meter_comes_first_and_weights_count(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    entry = ledger.begin(start(at=at(-1)))
    ledger.settle(
        entry, at=NOW, state="settled", usage=TokenUsage(1000, 1000, 0, 0, 100), cost=Cost("free", Decimal(0))
    )
    plan = load_plans(None)["practice"]
    first, second = estimate(plan, ledger.entries(), NOW)
    assert (first.meter, first.used, first.state) == ("5 hours", Decimal("1600.0"), "open")
    assert first.resets_at == at(4)
    assert first.share > second.share
    assert as_json(first)["remaining"] == 38400
    later = estimate(plan, ledger.entries(), at(6))
    assert [(each.meter, each.state) for each in later] == [("5 hours", "not_started"), ("week", "open")]


def test_a_wrong_plan_is_named():
    with pytest.raises(ConfigError, match="fortnight"):
        read_plan({"name": "x", "meters": [{"name": "m", "unit": "tokens", "window": "fortnight"}]}, "mine.toml")
