"""The book: what counts, what is kept, and what happens when the file does not want to."""

import json
import multiprocessing
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from assistant.errors import StateError
from assistant.quota import report, tally
from assistant.quota.entry import Outcome, Start
from assistant.quota.history import rows
from assistant.quota.ledger import Ledger
from assistant.tokens import Cost, TokenUsage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAID = Cost("metered", Decimal("0.01"))


def start(at=NOW, plan="zai", pid=1, model="glm", project="/p", **more):
    estimate = TokenUsage(1000, exact=False)
    return Start(at, "s", 1, 1, "main", project, "zai", model, "plan", plan, estimate, PAID, pid, **more)


def burn(ledger, at=NOW, tokens=10, cost=PAID, state="settled", **more):
    entry = ledger.begin(start(at, **more))
    ledger.settle(entry, at=at, state=state, usage=TokenUsage(tokens), cost=cost)
    return entry


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def test_nothing_is_made_by_reading(ledger):
    assert (ledger.entries(), ledger.sums.totals(), ledger.in_flight(), ledger.sums.hours()) == ([], [], [], [])
    assert not ledger.path.exists()


def test_a_correction_is_a_new_row_at_the_instant_of_the_step(ledger):
    entry = burn(ledger, tokens=10)
    ledger.correct(entry, usage=TokenUsage(7), cost=Cost("reported", Decimal("0.007")), note="invoice")
    (found,) = ledger.entries()
    assert (found.usage.fresh_input, found.cost.amount, found.note, found.at) == (7, Decimal("0.007"), "invoice", NOW)
    base = sqlite3.connect(ledger.path)
    assert [row[0] for row in base.execute("SELECT fresh_input FROM steps ORDER BY rowid")] == [1000, 10, 7]
    base.close()
    (total,) = ledger.sums.totals()
    assert (total.steps, total.status, total.usage.fresh_input, total.amount) == (1, "reported", 7, Decimal("0.007"))


def test_a_step_in_flight_is_not_corrected(ledger):
    with pytest.raises(StateError, match="not ended"):
        ledger.correct(ledger.begin(start()), usage=TokenUsage(1), cost=PAID, note="x")
    with pytest.raises(StateError, match="no step"):
        ledger.settle("unheard-of", at=NOW, state="settled", usage=TokenUsage(1), cost=PAID)


def test_a_step_is_priced_at_its_own_instant_whatever_prices_do_later(ledger):
    """T20: the cost that was written stays, before and after a price change, and after the catalogue moves on."""
    for second, cost in ((-1, "3.00"), (0, "2.00")):
        at = datetime(2026, 10, 23, tzinfo=UTC) + timedelta(seconds=second)
        burn(ledger, at=at, tokens=1_000_000, cost=Cost("metered", Decimal(cost)))
    assert [entry.cost.amount for entry in Ledger(ledger.path).entries()] == [Decimal("3.00"), Decimal("2.00")]
    assert [(total.key, total.amount) for total in ledger.sums.totals()] == [
        (("2026-10-22",), Decimal("3.00")),
        (("2026-10-23",), Decimal("2.00")),
    ]


@pytest.mark.parametrize("state", ["settled", "failed", "interrupted"])
def test_sums_follow_each_row(ledger, state):
    burn(ledger, state=state, tokens=5)
    (total,) = ledger.sums.totals(("model", "purpose"))
    assert (total.key, total.steps) == (("glm", "main"), 1)
    assert (total.failed, total.interrupted) == (int(state == "failed"), int(state == "interrupted"))


def sum_again(ledger):
    """Make all sums again from the rows."""

    def write(base):
        tally._build_sums(base)
        tally.catch_up(base, ledger._hour)

    ledger.store.write(write)


def test_sums_made_again_are_the_same(ledger):
    for hour in range(30):
        burn(ledger, at=NOW + timedelta(hours=hour), tokens=hour, model=f"m{hour % 3}")
    before = ledger.sums.totals(("day", "model")), ledger.sums.hours(), ledger.spans.bundles(plan="zai")
    sum_again(ledger)
    assert (ledger.sums.totals(("day", "model")), ledger.sums.hours(), ledger.spans.bundles(plan="zai")) == before


def test_sums_keep_to_days_and_to_one_value(ledger):
    for day in range(3):
        burn(ledger, at=NOW + timedelta(days=day), model=f"m{day}")
    found = ledger.sums.totals(("day",), since=date(2026, 11, 25), until=date(2026, 11, 26))
    assert [total.key for total in found] == [("2026-11-25",), ("2026-11-26",)]
    assert [total.key for total in ledger.sums.totals(("day",), model="m1")] == [("2026-11-25",)]
    with pytest.raises(ValueError, match="nonsense"):
        ledger.sums.totals(("nonsense",))


def test_a_day_is_one_of_the_users_clock(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite", ZoneInfo("Asia/Kolkata"))
    burn(ledger, at=datetime(2026, 11, 24, 18, 29, tzinfo=UTC))
    burn(ledger, at=datetime(2026, 11, 24, 18, 30, tzinfo=UTC))
    assert [total.key[0] for total in ledger.sums.totals()] == ["2026-11-24", "2026-11-25"]
    assert [hour[:2] for hour in ledger.sums.hours()] == [("2026-11-24", 23), ("2026-11-25", 0)]


def test_the_two_hours_of_a_night_when_clocks_go_back_are_one_hour_of_history(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite", ZoneInfo("America/New_York"))
    for at in ("2026-11-01T05:30+00:00", "2026-11-01T06:30+00:00"):
        burn(ledger, at=datetime.fromisoformat(at))
    assert [(day, hour, steps) for day, hour, steps, _ in ledger.sums.hours()] == [("2026-11-01", 1, 2)]
    assert len(ledger.entries(plan="zai")) == 2


def test_entries_are_those_of_a_stretch_and_a_plan(ledger):
    for hour in range(4):
        burn(ledger, at=NOW + timedelta(hours=hour), plan="zai" if hour % 2 else "kimi")
    found = ledger.entries(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=3))
    assert [entry.at.hour for entry in found] == [13, 14]
    assert [entry.at.hour for entry in ledger.entries(plan="zai")] == [13, 15]


def test_a_window_is_read_by_index(ledger):
    burn(ledger)
    seen = []
    ledger.store.read(lambda base: base.set_trace_callback(seen.append))
    ledger.entries(plan="zai", since=NOW)
    ledger.in_flight()
    ledger.store.read(lambda base: base.set_trace_callback(None))
    queries = [
        query for query in seen if (query.startswith("SELECT") and "FROM steps AS s" in query) or "JOIN steps" in query
    ]
    assert queries
    for query in queries:
        plan = ledger.store.read(lambda base, query=query: base.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())[0]
        steps = " ".join(str(row[-1]) for row in plan)
        assert "SCAN s" not in steps
        assert "SCAN steps" not in steps


def test_bundles_hold_what_entries_hold(ledger):
    for minute in range(0, 600, 7):
        burn(ledger, at=NOW + timedelta(minutes=minute), tokens=minute, model=f"m{minute % 2}")
    burn(ledger, at=NOW, state="failed")
    ledger.begin(start(NOW + timedelta(hours=9)))
    for since in (None, NOW, NOW + timedelta(minutes=20, seconds=3), NOW + timedelta(hours=8, minutes=59)):
        for exact in (None, NOW + timedelta(hours=5), NOW + timedelta(hours=9)):
            found = ledger.spans.bundles(plan="zai", since=since, exact_since=exact)
            plain = [entry for entry in ledger.entries(plan="zai", since=since) if entry.state != "failed"]
            assert sum(entry.steps for entry in found) == len(plain)
            assert sum(entry.usage.total for entry in found) == sum(entry.usage.total for entry in plain)
            assert sum(entry.cost.amount for entry in found) == sum(entry.cost.amount for entry in plain)
            if exact is not None:
                assert [entry.id for entry in found if entry.at >= exact] == [e.id for e in plain if e.at >= exact]
    assert len(ledger.spans.bundles(plan="zai")) < len(ledger.entries(plan="zai"))


def test_hours_hold_what_entries_hold_of_every_plan_and_none(ledger):
    for minute in range(0, 600, 7):
        burn(
            ledger,
            at=NOW + timedelta(minutes=minute),
            tokens=minute,
            model=f"m{minute % 2}",
            plan=("zai", "")[minute % 3 > 1],
        )
    burn(ledger, at=NOW, state="failed")
    ledger.begin(start(NOW + timedelta(minutes=1)))
    until = NOW + timedelta(hours=8)
    found = ledger.spans.gathered(60, None, until)
    plain = [entry for entry in ledger.entries(until=until) if entry.state == "settled"]
    assert len(found) < len(plain) / 2
    assert [entry.at for entry in found] == sorted(entry.at for entry in found)
    assert sum(each.steps for each in found) == sum(each.prompts for each in found) == len(plain)
    for model in ("m0", "m1"):
        hours, steps = ([each for each in burnt if each.model == model] for burnt in (found, plain))
        assert sum((each.usage for each in hours), TokenUsage()) == sum((each.usage for each in steps), TokenUsage())
        assert sum(each.cost.amount for each in hours) == sum(each.cost.amount for each in steps) > 0


def _gathered_by_hand(ledger, seconds, since, until):
    """Add up entries one by one, as spans of the book are said to."""
    sums = {}
    for each in ledger.entries(since=since, until=until):
        if each.state in {"settled", "interrupted"}:
            kind = (each.plan, each.model, each.usage.exact, each.cost.status, each.cost.currency)
            sums.setdefault((int(each.at.timestamp()) // seconds, kind), []).append(each)
    return sorted(
        (
            min(each.at for each in steps), kind[1], len(steps), sum(each.purpose == "main" and each.step <= 1 for each in steps),
            sum((each.usage for each in steps[1:]), steps[0].usage), sum(each.cost.amount or 0 for each in steps), kind[3],
        )
        for (_, kind), steps in sums.items()
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_spans_are_what_steps_add_up_to_whatever_is_corrected(ledger, seed):
    dice = random.Random(seed)
    costs = [
        Cost("metered", Decimal("0.02")),
        Cost("reported", Decimal("0.3"), "CNY"),
        Cost("unknown"),
        Cost("included"),
    ]
    ended = []
    for _ in range(150):
        at = NOW + timedelta(seconds=dice.randrange(5 * 3600))
        entry = ledger.begin(
            start(at, plan=dice.choice(["zai", "", "other"]))._replace(purpose=dice.choice(["main", "commit"]))
        )
        state = dice.choice(["settled", "settled", "interrupted", "failed"])
        usage = TokenUsage(dice.randrange(90), exact=dice.random() < 0.5)
        ledger.settle(entry, at=at, state=state, usage=usage, cost=dice.choice(costs))
        ended.append(entry)
        if dice.random() < 0.4:
            usage = TokenUsage(dice.randrange(90), exact=dice.random() < 0.5)
            ledger.correct(dice.choice(ended), usage=usage, cost=dice.choice(costs), note="x")
    for minutes in (15, 60):
        for since, until in ((0, 300), (15, 270), (75, 105), (60, 240), (30, 30)):
            first, last = NOW + timedelta(minutes=since), NOW + timedelta(minutes=until)
            plain = _gathered_by_hand(ledger, minutes * 60, first, last)
            found = [
                (each.at, each.model, each.steps, each.prompts, each.usage, each.cost.amount or 0, each.cost.status)
                for each in ledger.spans.gathered(minutes, first, last)
            ]
            assert sorted(found) == plain
    sums = ledger.spans.gathered(60, None, NOW + timedelta(days=1))
    sum_again(ledger)
    assert ledger.spans.gathered(60, None, NOW + timedelta(days=1)) == sums


def test_a_window_of_version_4_goes_on_and_what_it_writes_is_caught_up_with(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    burn(ledger, tokens=1)
    base = sqlite3.connect(ledger.path)
    with base:  # as version 4 writes a step: it knows of one sum only, up to which it has counted
        names = ", ".join(tally.COLUMNS)
        row = base.execute(f"SELECT {names} FROM steps WHERE state = 'settled'").fetchone()
        marks = ", ".join("?" * len(row))
        base.execute(f"INSERT INTO steps ({names}) VALUES ({marks})", ("other", *row[1:]))
        base.execute("UPDATE folded SET steps = 3")
    base.close()
    (found,) = ledger.spans.gathered(60, None, NOW + timedelta(days=1))
    assert (found.steps, found.usage.fresh_input) == (2, 2)
    assert [total.steps for total in ledger.sums.totals()] == [1]  # its own sums it has kept itself
    ledger.close()


def test_uses_are_the_instants_that_open_windows(ledger):
    burn(ledger, at=NOW)
    burn(ledger, at=NOW + timedelta(hours=1), state="failed")
    ledger.begin(start(NOW + timedelta(hours=2)))
    later = NOW + timedelta(hours=2)
    assert ledger.spans.openings(
        "zai", lambda at, _: at, NOW + timedelta(days=1), since=None, counts=None, others=()
    ) == [NOW, later]
    assert ledger.spans.openings(
        "zai", lambda at, _: at, NOW + timedelta(days=1), since=NOW + timedelta(hours=1), counts=None, others=()
    ) == [later]


def test_what_became_of_edits_adds_up(ledger):
    first = Outcome(NOW, "s", 1, "zai", "glm", "/p", tries=1, first_tries=1, proposed=3)
    ledger.record(first)
    ledger.record(Outcome(NOW, "s", 1, "zai", "glm", "/p", taken=2, skipped=1, lines=14))
    ledger.record(first._replace(turn=2, first_tries=0, misfits=2, proposed=1))
    assert ledger.sums.yields(("model",)) == {
        ("glm",): {
            "tries": 2,
            "first_tries": 1,
            "misfits": 2,
            "proposed": 4,
            "taken": 2,
            "skipped": 1,
            "edited": 0,
            "lines": 14,
        }
    }
    assert ledger.sums.yields(("model",), since=date(2026, 11, 25)) == {}


def test_a_process_number_used_again_does_not_keep_a_step_in_flight_for_ever(ledger):
    ledger.begin(start(NOW - timedelta(hours=25)))
    ledger.begin(start(NOW))
    assert ledger.recover(NOW, lambda _: True) == 1
    assert [entry.state for entry in ledger.entries()] == ["interrupted", "in_flight"]


# Several windows.


def _fill(path, number):
    ledger = Ledger(path)
    for each in range(60):
        burn(ledger, at=NOW + timedelta(seconds=each), pid=number, model=f"m{number}")


def test_windows_at_once_lose_nothing_and_their_sums_agree(tmp_path):
    path = tmp_path / "l.sqlite"
    context = multiprocessing.get_context("spawn")
    windows = [context.Process(target=_fill, args=(path, number)) for number in range(4)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    ledger = Ledger(path)
    assert len(ledger.entries()) == 240
    assert [(total.key[0], total.steps, total.usage.total) for total in ledger.sums.totals(("model",))] == [
        (f"m{number}", 60, 600) for number in range(4)
    ]
    assert ledger.store.check() == "ok"


_KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.quota.test_ledger import burn
from assistant.quota.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(10_000):
    burn(ledger)
    os.write(1, b".")
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path, pytestconfig):
    path = tmp_path / "l.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(path), str(pytestconfig.rootpath)],
        stdout=subprocess.PIPE,
        cwd=pytestconfig.rootpath,
    )
    acknowledged = len(writer.stdout.read(20))
    writer.kill()
    acknowledged += len(writer.stdout.read())
    writer.wait()
    ledger = Ledger(path)
    ended = [entry for entry in ledger.entries() if entry.state == "settled"]
    assert acknowledged <= len(ended) <= acknowledged + 1
    assert ledger.store.check() == "ok"
    assert ledger.recover(NOW, lambda _: False) <= 1


def test_a_locked_book_is_waited_for_and_then_named(tmp_path):
    path = tmp_path / "l.sqlite"
    burn(Ledger(path))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger = Ledger(path, wait_s=0.1)
    with pytest.raises(StateError, match=r"locked.*close it and try again"):
        ledger.begin(start())
    other.execute("ROLLBACK")
    other.close()
    burn(ledger)
    assert len(ledger.entries()) == 2


def test_a_new_book_that_another_window_is_just_making_is_waited_for(tmp_path):
    path = tmp_path / "l.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # the journal is still the old one, for whose change SQLite itself does not wait
    ledger = Ledger(path)
    done = threading.Event()

    def write():
        burn(ledger)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert not done.wait(0.2)
        assert writer.is_alive(), "it gave up at once"
    finally:
        other.execute("ROLLBACK")
        other.close()
        writer.join()
    assert len(ledger.entries()) == 1


# Other versions.

FIRST_COLUMNS = (
    "id", "state", "at", "session", "turn", "step", "purpose", "project", "provider", "model", "served_model", "payer", "plan",
    "fresh_input", "cache_read", "cache_write_short", "cache_write_long", "output", "reasoning", "exact", "cost_status",
    "amount", "currency", "pid",
)  # fmt: skip


def old_book(path, rows):
    base = sqlite3.connect(path)
    base.execute(f"CREATE TABLE steps ({', '.join(FIRST_COLUMNS)})")
    base.execute("CREATE INDEX steps_id ON steps (id)")
    base.execute("CREATE INDEX steps_at ON steps (at)")
    for entry, state, tokens in rows:
        values = (entry, state, NOW.isoformat(timespec="microseconds"), "s", 1, 1, "main", "/p", "zai", "glm", "", "plan", "zai",
                  tokens, 0, 0, 0, 0, 0, 1, "metered", "0.01", "USD", 1)  # fmt: skip
        base.execute(f"INSERT INTO steps VALUES ({', '.join('?' * 24)})", values)
    base.commit()
    base.close()


def test_a_book_of_the_first_version_opens_and_counts(tmp_path):
    path = tmp_path / "l.sqlite"
    old_book(path, [("a", "in_flight", 1000), ("a", "settled", 7), ("b", "in_flight", 1000)])
    ledger = Ledger(path)
    assert [(entry.id, entry.state, entry.usage.fresh_input) for entry in ledger.entries()] == [
        ("a", "settled", 7),
        ("b", "in_flight", 1000),
    ]
    assert [(total.key, total.steps) for total in ledger.sums.totals()] == [(("2026-11-24",), 1)]
    assert ledger.recover(NOW, lambda _: False) == 1
    assert ledger.sums.totals()[0].usage.fresh_input == 1007
    burn(ledger)
    assert len(ledger.entries()) == 3


DAYS_OF_VERSION_3 = "day, provider, model, project, purpose, plan, payer, cost_status, currency"
SUMS_OF_VERSION_3 = "steps, failed, interrupted, inexact, fresh_input, cache_read, cache_write_short, cache_write_long, output, reasoning"


def as_of_version_3(path):
    """Turn a book back into one of version 3: its days lay by row, in another order."""
    base = sqlite3.connect(path)
    base.executescript(f"""
        ALTER TABLE days RENAME TO newer;
        CREATE TABLE days ({DAYS_OF_VERSION_3}, {SUMS_OF_VERSION_3}, amount, PRIMARY KEY ({DAYS_OF_VERSION_3}));
        INSERT INTO days SELECT * FROM newer ORDER BY model DESC, day DESC;
        DROP TABLE newer;
        ALTER TABLE folded DROP COLUMN spans;
        DROP TABLE quarters;
        DROP TABLE hourly;
        PRAGMA user_version=3;
    """)
    return base


def test_days_of_version_3_are_put_in_order_and_a_window_of_it_goes_on_writing(tmp_path):
    path = tmp_path / "l.sqlite"
    before = Ledger(path)
    for number in range(6):
        burn(before, at=NOW + timedelta(days=number % 3), tokens=number, model=f"m{number % 2}")
    burn(before, cost=Cost("unknown"))
    told = before.sums.written(("day", "model"))
    before.close()
    old = as_of_version_3(path)
    ledger = Ledger(path)
    assert ledger.sums.written(("day", "model")) == told
    assert old.execute("PRAGMA user_version").fetchone()[0] == tally.VERSION
    key = ("2026-11-24", "zai", "m0", "/p", "main", "zai", "plan", "metered", "USD")
    with old:  # as version 3 writes a step, and reads
        old.execute(
            f"INSERT INTO days ({DAYS_OF_VERSION_3}, {SUMS_OF_VERSION_3}, amount) "
            f"VALUES ({', '.join('?' * 9)}, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, '0.03') ON CONFLICT ({DAYS_OF_VERSION_3}) DO UPDATE "
            "SET steps = steps + excluded.steps, fresh_input = fresh_input + excluded.fresh_input, amount = excluded.amount",
            key,
        )
    assert old.execute("SELECT SUM(steps) FROM days NOT INDEXED GROUP BY model").fetchall() == [(1,), (4,), (3,)]
    old.close()
    (found,) = [total for total in ledger.sums.totals(("day", "model")) if total.key == ("2026-11-24", "m0")]
    assert (found.steps, found.usage.fresh_input, found.amount) == (2, 5, Decimal("0.03"))
    sum_again(ledger)
    assert ledger.sums.written(("day", "model")) == told
    ledger.close()


def test_a_step_that_lacks_a_key_counts_in_every_version(tmp_path):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    burn(ledger, tokens=1)
    base = sqlite3.connect(path)
    with base:
        base.execute("UPDATE steps SET plan = NULL, payer = NULL")
    base.close()
    sum_again(ledger)
    burn(ledger, tokens=2)
    assert [(total.key, total.usage.fresh_input) for total in ledger.sums.totals(("plan",))] == [
        (("",), 1),
        (("zai",), 2),
    ]
    ledger.close()
    old = as_of_version_3(path)
    with old:
        old.execute("UPDATE days SET plan = NULL, payer = NULL WHERE plan = ''")
    old.close()
    ledger = Ledger(path)
    assert [(total.key, total.usage.fresh_input) for total in ledger.sums.totals(("plan",))] == [
        (("",), 1),
        (("zai",), 2),
    ]
    ledger.close()


def test_what_is_written_gathers_what_totals_tell_apart(ledger):
    yuan = Cost("metered", Decimal("0.1234567890123456789"), "CNY")
    costs = [
        PAID,
        Cost("reported", Decimal("0.020")),
        yuan,
        yuan,
        Cost("unknown"),
        Cost("included"),
        Cost("free", Decimal(0)),
    ]
    for number, cost in enumerate(costs * 2):
        burn(ledger, tokens=number, cost=cost, project=f"/p{number % 2}")
    burn(ledger, state="failed", project="/p0")
    for by in (("project",), ("day", "model"), ("purpose", "project", "day"), ("provider", "currency")):
        told = ledger.sums.written(by), [report.told(row) for row in rows(ledger.sums.totals(by))]
        for form in (lambda each: report.as_csv(each, by), lambda each: report.as_json(each, by), report.as_table):  # noqa: B023
            assert form(told[0]) == form(told[1])
    (whole,) = map(json.loads, report.as_json(ledger.sums.written(("day",)), ("day",)))
    costs = {"USD": "0.070", "CNY": "0.4938271560493827156", "unknown": None, "included": None, "free": None}
    assert (whole["steps"], whole["costs"], whole["cost"]) == (14, costs, "¥0.494; $0.07 + 2 unpriced; 2 included")
    with pytest.raises(ValueError, match="day"):
        ledger.sums.written(("colour",))


def test_what_was_killed_is_told_as_a_guess(ledger):
    burn(ledger)
    (sure,) = report.as_table(ledger.sums.written(("model",)))
    assert not re.search("~|cut off", sure)
    ledger.begin(start(pid=2**22 + 1))
    ledger.recover(NOW, lambda _: False)
    (doubt,) = report.as_table(ledger.sums.written(("model",)))
    assert re.search(r"  2 steps .* out  ~\$\S+; 1 cut off$", doubt)
    (told,) = map(json.loads, report.as_json(ledger.sums.written(("model",)), ("model",)))
    assert (told["exact"], told["interrupted"]) == (False, 1)


def test_rows_that_came_by_another_way_are_caught_up_with(tmp_path):
    path = tmp_path / "l.sqlite"
    burn(Ledger(path))
    base = sqlite3.connect(path)
    columns = ", ".join(FIRST_COLUMNS)
    base.execute(
        f"INSERT INTO steps ({columns}) SELECT 'copy', {columns.removeprefix('id, ')} FROM steps WHERE state = 'settled'"
    )
    base.commit()
    base.close()
    assert Ledger(path).sums.totals()[0].steps == 2


def test_a_book_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "l.sqlite"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE steps (something_else)")
    base.execute("PRAGMA user_version=99")
    base.commit()
    base.close()
    before = path.read_bytes()
    ledger = Ledger(path)
    burn(ledger)
    assert len(ledger.entries()) == 1
    assert "newer Wattson" in ledger.warnings[0]
    ledger.close()
    assert path.read_bytes() == before


# Damage and disks.


def _cut(data):
    return data[: len(data) // 2]


def _overwritten(data):
    middle = len(data) // 2
    return data[:middle] + b"\xa5" * 3000 + data[middle + 3000 :]


def _zeroed(data):
    return bytes(len(data))


def _other(data):
    return b"<html>this is not a book</html>" * 100


@pytest.mark.parametrize("harm", [_cut, _overwritten, _zeroed, _other])
def test_a_damaged_book_is_set_aside_and_nothing_is_deleted(tmp_path, harm):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    for number in range(120):
        burn(ledger, tokens=number)
    ledger.close()
    harmed = harm(path.read_bytes())
    path.write_bytes(harmed)
    ledger = Ledger(path)
    burn(ledger)
    assert ledger.entries()
    assert ledger.store.check() == "ok"
    (aside,) = tmp_path.glob("l.sqlite.damaged-*Z")
    assert aside.read_bytes() == harmed
    assert str(aside) in ledger.warnings[0]


def test_what_can_still_be_read_of_a_damaged_book_is_carried_over(tmp_path):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    for number in range(300):
        burn(ledger, tokens=number)
    ledger.close()
    data = bytearray(path.read_bytes())
    base = sqlite3.connect(path)
    page, size = base.execute(
        "SELECT rootpage, (SELECT * FROM pragma_page_size) FROM sqlite_master WHERE name = 'days'"
    ).fetchone()
    base.close()
    data[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(data)
    ledger = Ledger(path)
    assert len(ledger.entries()) == 300
    assert ledger.sums.totals()[0].steps == 300
    assert "600 rows of it live on" in ledger.warnings[0]


@pytest.mark.parametrize(("part", "least"), [(0.99, 0.9), (0.5, 0.3)])
@pytest.mark.parametrize("rest", [0, 700])
def test_of_a_book_that_was_cut_short_all_lives_on_that_is_there(tmp_path, part, least, rest):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    for number in range(1500):
        burn(ledger, tokens=number)
    ledger.close()
    os.truncate(path, int(path.stat().st_size * part) // 4096 * 4096 + rest)
    cut = path.read_bytes()
    ledger = Ledger(path)
    ledger.recover(NOW, lambda _: False)  # the end of one may have been cut off
    entries = ledger.entries()
    assert least * 1500 < len(entries) < 1500
    assert sum(total.steps for total in ledger.sums.totals()) == len(entries)
    assert ledger.store.check() == "ok"
    (aside,) = tmp_path.glob("l.sqlite.damaged-*Z")
    assert aside.read_bytes() == cut
    ledger.close()


def test_a_page_that_cannot_be_read_costs_its_own_rows(tmp_path):
    path, size = tmp_path / "l.sqlite", 4096
    ledger = Ledger(path)
    entries = [burn(ledger, tokens=number) for number in range(300)]
    ledger.close()
    data = bytearray(path.read_bytes())
    leaf, one = b"\x0d", entries[100].encode()  # a leaf of a table, as SQLite's page on its file format has it
    at = next(at for at in range(0, len(data), size) if data[at : at + 1] == leaf and one in data[at : at + size])
    rows = int.from_bytes(data[at + 3 : at + 5], "big")
    data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    ledger = Ledger(path)
    ledger.entries()
    saved = int(re.search(r"(\d+) rows of it live on", ledger.warnings[0])[1])
    assert 600 - rows - 9 <= saved < 600
    ledger.close()


def test_a_window_that_has_the_book_open_sees_that_another_has_set_it_aside(tmp_path):
    path = tmp_path / "l.sqlite"
    one = Ledger(path)
    burn(one)
    begun = one.begin(start())
    with sqlite3.connect(path) as base:
        base.execute("DROP TABLE folded")
    base.close()
    two = Ledger(path)
    two.sums.days()
    assert "3 rows of it live on" in two.warnings[0]
    one.settle(begun, at=NOW, state="settled", usage=TokenUsage(7), cost=PAID)
    burn(one)
    for each in (one, two, Ledger(path)):
        assert len(each.entries()) == 3
        each.close()


def _write_some(path, ready, told):
    ledger = Ledger(path)
    ready.wait()
    told.put([burn(ledger) for _ in range(10)])
    ledger.close()


def test_windows_that_find_a_damaged_book_at_once_set_it_aside_once_and_lose_nothing(tmp_path):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    burn(ledger)
    ledger.close()
    path.write_bytes(b"\xff" * 100 + path.read_bytes()[100:])
    context = multiprocessing.get_context("spawn")
    ready, told = context.Barrier(6), context.Queue()
    windows = [context.Process(target=_write_some, args=(path, ready, told)) for _ in range(6)]
    for each in windows:
        each.start()
    written = {entry for _ in windows for entry in told.get(timeout=60)}
    for each in windows:
        each.join()
    ledger = Ledger(path)
    assert {each.id for each in ledger.entries()} == written
    assert len(list(tmp_path.glob("l.sqlite.damaged-*Z"))) == 1
    ledger.close()


TABLES = ["steps", "open", "folded", "days", "hours", "quarters", "hourly", "yields", "outcomes", "readings", "polls"]


@pytest.mark.parametrize(
    "harm", [*(f"DROP TABLE {name}" for name in TABLES), "ALTER TABLE readings DROP COLUMN payload", "ALTER TABLE hours RENAME COLUMN tokens TO x"]
)  # fmt: skip
def test_a_book_that_lacks_a_part_is_set_aside_and_what_can_be_read_of_it_lives_on(tmp_path, harm):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    burn(ledger)
    burn(ledger)
    ledger.sources.put_readings("endpoint:x:1", "[]", NOW, plan="mine")
    ledger.close()
    base = sqlite3.connect(path)
    base.execute(harm)
    base.commit()
    base.close()
    ledger, other = Ledger(path), Ledger(path)
    for each in (ledger, other):
        each.sums.days()
        each.sources.readings()
        each.sources.poll("endpoint:x:1")
        each.recover(NOW, lambda _: False)
        each.sums.yields()
        each.sums.totals()
        each.sums.hours()
        each.spans.bundles(plan="mine")
        each.spans.gathered(60, None, NOW)
        burn(each)
    kept = 0 if harm == "DROP TABLE steps" else 2
    assert len(ledger.entries()) == len(other.entries()) == kept + 2
    assert sum(each.steps for each in ledger.sums.totals()) == kept + 2
    assert len(list(tmp_path.glob("l.sqlite.damaged-*Z"))) == 1
    assert [len(each.warnings) for each in (ledger, other)] == [1, 0]
    ledger.close()
    other.close()


def test_a_book_that_was_emptied_is_told_of_and_a_new_one_is_not(tmp_path):
    path = tmp_path / "l.sqlite"
    path.touch()  # a full disk left no more of it
    ledger = Ledger(path)
    burn(ledger)
    ledger.close()
    assert ledger.warnings == []
    path.write_bytes(b"")
    for words in ([f"{path} was empty: what stood in it is gone, and it begins anew."], []):
        ledger = Ledger(path)
        ledger.sums.days()
        burn(ledger)
        ledger.close()
        assert ledger.warnings == words
    path.unlink()  # the user's own doing
    ledger = Ledger(path)
    burn(ledger)
    assert ledger.warnings == []
    ledger.close()


def test_an_error_of_ours_sets_no_book_aside(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    burn(ledger)
    for do in (ledger.store.read, ledger.store.write):
        with pytest.raises(StateError, match="no such table: nowhere"):
            do(lambda base: base.execute("SELECT 1 FROM nowhere").fetchall())
    assert (ledger.warnings, len(ledger.entries())) == ([], 1)
    assert not list(tmp_path.glob("*.damaged-*"))
    ledger.close()


def test_a_large_book_shows_its_damage_when_it_is_read(tmp_path):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    burn(ledger)
    rows = [(f"x{number}", "settled", NOW.isoformat(), "s" * 900) for number in range(2000)]
    ledger.store.write(
        lambda base: base.executemany("INSERT INTO outcomes (session, model, at, project) VALUES (?, ?, ?, ?)", rows)
    )
    ledger.close()
    data = bytearray(path.read_bytes())
    assert len(data) > 1_500_000
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 40960] = b"\xa5" * 40960
    path.write_bytes(data)
    ledger = Ledger(path)
    assert ledger.store.check() != "ok"


def test_a_home_that_cannot_be_written_costs_the_memory_not_the_count(tmp_path):
    (tmp_path / "file").write_text("in the way")
    ledger = Ledger(tmp_path / "file" / "l.sqlite")
    burn(ledger)
    burn(ledger)
    assert len(ledger.entries()) == 2
    assert ledger.sums.totals()[0].steps == 2
    assert ledger.recover(NOW, lambda _: False) == 0
    assert [warning.split("(")[0] for warning in ledger.warnings] == [f"{ledger.path} cannot be written "]
    ledger.close()


def test_a_full_disk_costs_nothing_once_there_is_room(tmp_path):
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    first = burn(ledger)
    flying = ledger.begin(start(NOW + timedelta(minutes=1)))
    room = ledger.store.write(lambda base: base.execute("PRAGMA page_count").fetchone()[0])
    ledger.store.read(lambda base: base.execute(f"PRAGMA max_page_count={room}").fetchone())
    ledger.settle(flying, at=NOW, state="settled", usage=TokenUsage(3), cost=PAID)
    while ledger.store.on_disk:
        burn(ledger, at=NOW + timedelta(hours=1))
    count = len(ledger.entries())
    assert {entry.id for entry in ledger.entries()} >= {first, flying}
    by = ("day", "model")
    (day,) = map(json.loads, report.as_json(ledger.sums.written(by), by))  # some of it on the disk, some in memory
    assert (day["day"], day["model"], day["steps"]) == ("2026-11-24", "glm", count)
    assert day["costs"] == {"USD": str(count * PAID.amount)}
    assert "full" in ledger.warnings[0]
    ledger.store.read(lambda base: base.execute("PRAGMA max_page_count=1000000").fetchone())
    burn(ledger, at=NOW + timedelta(hours=2))
    assert ledger.store.on_disk
    assert "nothing was lost" in ledger.warnings[1]
    ledger.close()
    after = Ledger(path)
    assert len(after.entries()) == count + 1
    assert sum(total.steps for total in after.sums.totals()) == count + 1


def test_clocks_that_jump_keep_every_row(ledger):
    for days in (0, -1, 3650, -3650):
        burn(ledger, at=NOW + timedelta(days=days))
    assert [entry.at.year for entry in ledger.entries()] == [2016, 2026, 2026, 2036]
    assert sum(total.steps for total in ledger.sums.totals()) == 4
