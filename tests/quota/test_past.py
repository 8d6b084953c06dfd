"""What is read of the book for a meter leads to the same as reading all of it."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.quota import meter, past, tally
from assistant.quota.gauge import Gauge
from assistant.quota.ledger import Ledger
from assistant.quota.plan_page import read_plan
from assistant.quota.reading import Reading
from assistant.quota.tariff import Burn
from assistant.tokens import TokenUsage

NOW = datetime(2026, 11, 27, 13, 20, tzinfo=UTC)
PEAK = [
    {"factor": 2, "hours": ["22:00-06:00"], "models": ["opus*"], "zone": "Europe/London"},
    {"factor": "0.5", "days": ["mon-fri"], "hours": ["09:00-12:07", "14:00-18:00"], "zone": "Asia/Shanghai",
     "except_holidays": "cn"},
]  # fmt: skip
DATED = [{"since": "2026-11-24T03:21:09Z", "weights": {"fresh_input": 7}}]
WINDOWS = [
    {"window": "first_use", "hours": 5},
    {"window": "first_use", "hours": 5, "floor": "hour"},
    {"window": "first_use", "days": 7},
    {"window": "first_use", "days": 7, "only": ["opus*"]},
    {"window": "rolling", "hours": 5},
    {"window": "calendar_week", "zone": "Asia/Shanghai"},
    {"window": "grid", "days": 7, "activated_at": "2026-03-03T07:20:00Z"},
    {"window": "grid", "days": 7},
    {"window": "subscription_month", "subscribed_at": "2026-01-31T09:41:07Z"},
    {"window": "subscription_month"},
    {"window": "calendar_month", "zone": "America/New_York", "rules": PEAK},
    {"window": "first_use", "days": 7, "rules": PEAK, "rates": DATED, "models": {"opus*": 3}},
    {"window": "grid", "days": 7, "activated_at": "2026-03-03T07:20:00Z", "rates": DATED},
    {"window": "grid", "days": 7, "rules": PEAK},
    {"window": "rolling", "hours": 20, "rules": PEAK},
    {"window": "calendar_week", "zone": "Asia/Shanghai", "unit": "prompts", "rules": PEAK},
    {"window": "first_use", "hours": 5, "unit": "prompts"},
    {"window": "grid", "days": 7, "unit": "prompts", "only": ["opus*"]},
]


class Others:
    def __init__(self, burns=()):
        self._burns = burns

    def burns(self, plan, since):
        return [each for each in self._burns if since is None or each.at >= since]

    def uses(self, plan, since):
        return [(each.at, each.model) for each in self.burns(plan, since)]


def page(window):
    return read_plan(
        {"name": "p", "meters": [{"name": "m", "unit": "tokens", "limit": 10**9, **window}]}, "p.toml", "", {}
    )


def fill(ledger, seed, days, steps):
    """Steps by day and night: some run, some were corrected, some were not billed."""
    rnd = random.Random(seed)
    rows = []
    for number in range(steps):
        at = NOW - timedelta(seconds=rnd.randrange(1, days * 86400 if number % 20 else 7200))
        model = rnd.choice(["opus-5", "sonnet-5"])
        rows.append(row(number, "in_flight", at, model, 9))
        if at < NOW - timedelta(hours=2) or rnd.random() < 0.5:
            rows.append(
                row(number, rnd.choice(["settled"] * 8 + ["failed", "interrupted"]), at, model, rnd.randrange(99))
            )
            if rnd.random() < 0.1:
                rows.append(row(number, "settled", at, model, 7))
    write(ledger, rows)


def row(entry, state, at, model="m", tokens=10):
    written = at.isoformat(timespec="microseconds")
    return (str(entry), state, written, "s", 1, 1 + int(entry) % 3 % 2, "main", "/p", "x", model, "", "plan", "p", tokens, 0, 0, 0, 0, 0, 1,
            "included", None, "USD", 1, "", 1, "", written[:13], written)  # fmt: skip


def write(ledger, rows):
    names = ", ".join(tally.COLUMNS)
    marks = ", ".join("?" * len(tally.COLUMNS))
    ledger.store.write(lambda base: base.executemany(f"INSERT INTO steps ({names}) VALUES ({marks})", rows))


def fed(plan, ledger, others, readings):
    """The gauge that was fed with every step there is, one by one."""
    gauge = Gauge(plan.name, plan.meters[0])
    burns = [burn for each in (*ledger.entries(plan="p"), *others) if (burn := meter.burn_of(each, NOW)) is not None]
    moments = [(each.at, 1, each) for each in burns] + [(each.at, 0, each) for each in readings]
    for _, kind, each in sorted(moments, key=lambda moment: moment[:2]):
        if not kind:
            gauge.read(each)
        elif plan.meters[0].counts(each.model):
            gauge.burn(each)
    return gauge.estimate(NOW)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["alone", "with others", "with a reading"])
def test_as_much_as_if_all_had_been_read(tmp_path, window, seed, kind):
    ledger, plan = Ledger(tmp_path / "ledger.sqlite"), page(window)
    fill(ledger, seed, 60 if window.get("days") else 30, 250)
    others, readings = [], []
    if kind == "with others":
        rnd = random.Random(seed)
        others = [
            Burn(NOW - timedelta(seconds=600 * rnd.randrange(4000)), TokenUsage(3), model="opus-5", client="c")
            for _ in range(9)
        ]
        others.sort(key=lambda each: each.at)
    if kind == "with a reading":
        readings = [
            Reading("m", "endpoint", NOW - timedelta(hours=hours), used=Decimal(used))
            for hours, used in ((9, 100), (2, 140))
        ]
    found = past.known(plan, ledger, Others(others), readings, NOW)
    (estimate,) = [each.estimate(NOW) for each in meter.gauges(plan, found.burns, NOW, readings, found.begun)]
    whole = fed(plan, ledger, others, readings)
    names = (
        "state",
        "used",
        "low",
        "high",
        "limit",
        "remaining",
        "start",
        "end",
        "resets_at",
        "foreign",
        "local",
        "clients",
        "unpriced",
    )
    said = {name: getattr(estimate, name) for name in names}
    assert said == {name: getattr(whole, name) for name in names}
    ledger.close()


def test_a_week_of_daily_work_is_followed_from_the_first_day_on(tmp_path):
    """A window of seven days that no pause ever ends has its edges from the first use, a year ago."""
    ledger, plan = Ledger(tmp_path / "ledger.sqlite"), page({"window": "first_use", "days": 7})
    first = NOW - timedelta(days=365, hours=3)
    write(ledger, [row(day, "settled", first + timedelta(days=day)) for day in range(366)])
    found = past.known(plan, ledger, Others(), [], NOW)
    (gauge,) = meter.gauges(plan, found.burns, NOW, [], found.begun)
    assert gauge.estimate(NOW).start == first + timedelta(days=364)
    assert gauge.estimate(NOW).used == 20
    assert len(found.burns) == 2
    ledger.close()


def test_without_a_pause_the_window_stays_where_it_is_when_time_goes_on(tmp_path):
    ledger, plan = Ledger(tmp_path / "ledger.sqlite"), page({"window": "first_use", "hours": 5})
    write(ledger, [row(n, "settled", NOW - timedelta(minutes=15 * n + 3)) for n in range(4 * 24 * 70)])
    spans = set()
    for minutes in range(0, 400, 20):
        now = NOW - timedelta(minutes=minutes)
        found = past.known(plan, ledger, Others(), [], now)
        spans.add(found.begun["m"])
    first, second, third = sorted(spans)
    assert (first[1], second[1]) == (second[0], third[0])
    ledger.close()
