"""History told: rows, pictures, files for other programs."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.quota import history, report
from assistant.quota.entry import Outcome, Start, Total
from assistant.quota.ledger import Ledger
from assistant.tokens import Cost, TokenUsage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def total(status, steps=1, amount="0", currency="USD", key=("m",), usage=None):
    return Total(key, status, currency, steps, 0, 0, 0, usage or TokenUsage(), Decimal(amount))


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        (
            [total("metered", amount="0.40"), total("unknown"), total("free"), total("included")],
            "$0.40 + 1 unpriced; 1 included",
        ),
        ([total("unknown", 3)], "n/a"),
        ([total("unknown", 2)._replace(failed=2)], "nothing"),  # refused: no burn that lacks a price
        ([total("unknown", 2)._replace(failed=1)], "n/a"),
        ([total("included", 2)._replace(failed=2)], "nothing"),
        ([total("free", 2)], "free"),
        ([total("included", 2)], "2 included"),
        ([total("unknown", 2), total("included")], "2 unpriced; 1 included"),
        ([total("unknown", 2), total("free")], "2 unpriced"),
        ([total("metered", amount="0.40"), total("reported", amount="0.02")], "$0.42"),
        ([total("metered", amount="12"), total("metered", amount="3", currency="CNY")], "¥3.00; $12.00"),
        ([total("metered", amount="0.000123")], "$0.000123"),
        ([total("metered", amount="0")], "$0.00"),
        ([total("metered", amount="1234567.891")], "$1,234,567.89"),
    ],
)
def test_unknown_free_included_and_paid_stay_apart(totals, words):
    """T21, and its kin."""
    (row,) = history.rows(totals)
    assert row.cost == words


def test_rows_gather_kinds_of_cost_by_key_and_a_whole_gathers_rows():
    usage = TokenUsage(100, 800, 100, 0, 50, 5)
    rows = history.rows([
        total("metered", 2, "0.1", key=("b",), usage=usage),
        total("included", 1, key=("a",), usage=TokenUsage(1)),
        total("unknown", 1, key=("b",), usage=usage),
    ])  # fmt: skip
    assert [(row.key, row.steps, row.unpriced, row.included) for row in rows] == [(("a",), 1, 0, 1), (("b",), 3, 1, 0)]
    assert rows[1].cache_share == pytest.approx(0.8)
    assert history.rows([total("free")])[0].cache_share is None
    whole = history.whole(rows)
    assert (whole.steps, whole.usage.total, whole.money, whole.cost) == (
        4,
        2111,
        {"USD": Decimal("0.1")},
        "$0.10 + 1 unpriced; 1 included",
    )


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([], ""), ([0, 0], "  "), ([1, 2, 4, 8], "▂▃▅█"), ([0, 1, 1000], " ▁█"), ([5], "█")],
)
def test_a_sparkline_shows_the_least_and_the_most(values, drawn):
    assert history.sparkline(values) == drawn


def by_day(tokens):
    return history.rows([total("free", key=(day,), usage=TokenUsage(count)) for day, count in tokens.items()])


def test_days_without_burn_are_there_and_empty():
    rows = by_day({"2026-11-23": 10, "2026-11-25": 30, "2026-12-01": 99})
    assert history.daily(rows, date(2026, 11, 22), date(2026, 11, 26)) == [0, 10, 0, 30, 0]


def test_the_calendar_has_a_line_a_weekday_and_a_cell_a_week():
    rows = by_day({"2026-11-18": 100, "2026-11-24": 1, "2026-11-25": 50})
    drawn = history.calendar(rows, date(2026, 11, 18), date(2026, 11, 25))
    assert drawn == [
        ("Mon", " ·"),
        ("Tue", " ░"),
        ("Wed", "█▓"),
        ("Thu", "· "),
        ("Fri", "· "),
        ("Sat", "· "),
        ("Sun", "· "),
    ]
    assert all(set(cells) <= {"·", " "} for _, cells in history.calendar([], date(2026, 11, 18), date(2026, 11, 25)))


def test_the_week_shows_when_it_burns():
    drawn = dict(history.week([("2026-11-24", 9, 1, 100), ("2026-11-17", 9, 1, 100), ("2026-11-22", 23, 1, 20)]))
    assert (drawn["Tue"][9], drawn["Sun"][23], drawn["Mon"]) == ("█", "░", "·" * 24)
    assert history.week([])[0] == ("Mon", "·" * 24)


def test_yield_is_cost_for_each_accepted_line_and_first_tries(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    for model, status, lines, first in (
        ("dear", "metered", 10, 1),
        ("plan", "included", 4, 0),
        ("idle", "metered", 0, 1),
    ):
        start = Start(NOW, "s", 1, 1, "main", "/p", "x", model, "metered", "", TokenUsage(1), Cost(status), 1)
        cost = Cost(status, Decimal("0.50") if status == "metered" else None)
        for _ in range(2):
            ledger.settle(ledger.begin(start), at=NOW, state="settled", usage=TokenUsage(9), cost=cost)
        ledger.record(Outcome(NOW, "s", 1, "x", model, "/p", tries=1, first_tries=first, misfits=1 - first, proposed=3))
        ledger.record(Outcome(NOW, "s", 1, "x", model, "/p", taken=1 if lines else 0, skipped=1, lines=lines))
    found = history.yields(ledger.sums.yields(), history.rows(ledger.sums.totals(("provider", "model"))))
    ledger.close()
    assert [one.key[1] for one in found] == ["dear", "idle", "plan"]
    dear, idle, plan = found
    assert (dear.per_line, dear.first_try, dear.accepted) == ({"USD": Decimal("0.1")}, 1.0, 0.5)
    assert (idle.per_line, idle.accepted) == ({}, 0.0)
    assert (plan.per_line, plan.included, plan.first_try, plan.misfits) == ({}, 2, 0.0, 1)
    said = history.yield_json(dear, ("provider", "model"))
    assert (said["model"], said["per_line"]) == ("dear", [{"amount": "0.100000", "currency": "USD"}])
    assert [one.first_try for one in history.yields({("m",): dict.fromkeys(ledger_counts(), 0)}, [])] == [None]


def ledger_counts():
    return ("tries", "first_tries", "misfits", "proposed", "taken", "skipped", "edited", "lines")


def burn(ledger, model, project, cost, plan="p", exact=True):
    start = Start(NOW, "s", 1, 1, "main", project, "x", model, "metered", plan, TokenUsage(1), Cost("free"), 1)
    usage = TokenUsage(5, 1, 2, 3, 7, exact=exact)
    ledger.settle(ledger.begin(start), at=NOW, state="settled", usage=usage, cost=cost)


FINE = ("day", "provider", "model", "project", "purpose")


@pytest.mark.parametrize(
    "by", [("model", "project"), FINE, (*FINE, "plan"), ("project", "model", "day", "provider", "purpose")]
)
def test_csv_keeps_exact_money_and_runs_no_formula(tmp_path, by):
    ledger = Ledger(tmp_path / "l.sqlite")
    for amount, currency, plan in (("0.1", "USD", "p"), ("0.023456789012345", "USD", "q"), ("3", "CNY", "p")):
        burn(
            ledger,
            "=HYPERLINK(1)",
            "a,\"b''c",
            Cost("metered", Decimal(amount), currency),
            plan if "plan" not in by else "p",
        )
    burn(ledger, "@x", "-1", Cost("unknown"), exact=False)
    burn(ledger, "@x", "-1", Cost("included"))
    burn(ledger, "tiny", "line\nend", Cost("metered", Decimal("1E-8")))
    lines = list(csv.DictReader(io.StringIO(report.as_csv(ledger.sums.written(by), by), newline="")))
    told = {
        (line["model"], line["project"], line["currency"]): tuple(
            line[name] for name in ("steps", "cache_write", "exact", "amount", "unpriced", "included", "free")
        )
        for line in lines
    }
    assert told == {
        ("'=HYPERLINK(1)", "a,\"b''c", "CNY"): ("3", "15", "1", "3", "0", "0", "0"),
        ("'=HYPERLINK(1)", "a,\"b''c", "USD"): ("0", "0", "1", "0.123456789012345", "0", "0", "0"),
        ("'@x", "'-1", ""): ("2", "10", "0", "", "1", "1", "0"),
        ("tiny", "line\nend", "USD"): ("1", "5", "1", "0.00000001", "0", "0", "0"),
    }
    assert len(lines) == len(told)
    assert lines[0].keys() >= set(by)
    ledger.close()


def test_a_line_for_scripts_is_json_whatever_its_keys_are(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    burn(ledger, 'mo"del', "/h\\öme/\n🦀", Cost("metered", Decimal("0.10"), "CNY"))
    burn(ledger, 'mo"del', "/h\\öme/\n🦀", Cost("unknown"), exact=False)
    burn(ledger, 'mo"del', "/h\\öme/\n🦀", Cost("included"))
    burn(ledger, "free", "", Cost("free", Decimal(0)))
    by = ("model", "project")
    texts = report.as_json(ledger.sums.written(by), by)
    assert all(text.isascii() for text in texts)
    free, odd = map(json.loads, texts)
    counts = {"fresh_input": 5, "cache_read": 1, "cache_write": 5, "output": 7, "reasoning": 0}
    assert free == {
        "model": "free",
        "project": "",
        "steps": 1,
        **counts,
        "exact": True,
        "interrupted": 0,
        "costs": {"free": None},
        "unpriced": 0,
        "included": 0,
        "free": 1,
        "cost": "free",
    }
    assert odd == {
        "model": 'mo"del', "project": "/h\\öme/\n🦀", "steps": 3, **{name: 3 * count for name, count in counts.items()}, "exact": False, "interrupted": 0,
        "costs": {"CNY": "0.10", "included": None, "unknown": None}, "unpriced": 1, "included": 1, "free": 0,
        "cost": "¥0.10 + 1 unpriced; 1 included",
    }  # fmt: skip
    ledger.close()


def test_json_has_decimal_strings():
    (row,) = history.rows([total("metered", 2, "0.10", key=("m",), usage=TokenUsage(1, 3))])
    said = history.as_json(row, ("model",))
    assert (said["model"], said["costs"], said["cache_share"]) == ("m", [{"amount": "0.10", "currency": "USD"}], 0.75)


def test_cache_reads_do_not_hide_in_burn(tmp_path):
    """T44: in ten minutes 2,028,000 tokens, of which 28,000 are not cache reads."""
    ledger = Ledger(tmp_path / "l.sqlite")
    start = Start(NOW, "s", 1, 1, "main", "/p", "x", "m", "metered", "p", TokenUsage(1), Cost("free"), 1)
    ledger.settle(
        ledger.begin(start),
        at=NOW,
        state="settled",
        usage=TokenUsage(20_000, 2_000_000, output=8_000),
        cost=Cost("free", Decimal(0)),
    )
    (entry,) = ledger.spans.bundles(plan="p", since=NOW - timedelta(minutes=10))
    ledger.close()
    assert entry.usage.total / 10 == 202_800
    assert (entry.usage.total - entry.usage.cache_read) / 10 == 2_800
