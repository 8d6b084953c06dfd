"""Readings and leases: what providers said, and that one asks for all."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest

from assistant.quota.ledger import Ledger

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sources(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    yield ledger.sources
    ledger.close()


def test_a_reading_is_kept_as_it_came_and_the_same_again_only_confirms_it(sources):
    for minute, payload in enumerate(['{"used": 1}', '{"used": 1}', '{"used": 2, "odd": [1e5]}', '{"used": 1}']):
        sources.put_readings("zai", payload, NOW + minute * MINUTE, plan="glm")
    kept = sources.readings("zai")
    assert [(each.payload, each.at, each.confirmed_at) for each in kept] == [
        ('{"used": 1}', NOW, NOW + MINUTE),
        ('{"used": 2, "odd": [1e5]}', NOW + 2 * MINUTE, NOW + 2 * MINUTE),
        ('{"used": 1}', NOW + 3 * MINUTE, NOW + 3 * MINUTE),
    ]
    assert sources.readings(plan="glm") == kept
    assert sources.readings("zai", since=NOW + 2 * MINUTE) == kept[1:]
    assert sources.readings("other") == []


def test_a_late_reading_is_kept_and_is_not_the_latest(sources):
    sources.put_readings("zai", "[44]", NOW, plan="glm")
    sources.put_readings("zai", "[43]", NOW - MINUTE, plan="glm")
    assert [each.payload for each in sources.readings("zai")] == ["[43]", "[44]"]


def test_one_asks_and_the_others_wait_for_its_answer(sources):
    assert sources.lease("zai", NOW, MINUTE)
    assert not sources.lease("zai", NOW, MINUTE)
    assert sources.lease("kimi", NOW, MINUTE)
    assert not sources.lease("zai", NOW + MINUTE * 0.99, MINUTE)
    assert sources.lease("zai", NOW + MINUTE, MINUTE)


def test_who_waited_for_the_lease_of_another_has_an_earlier_instant_and_is_refused(sources):
    assert sources.lease("zai", NOW, MINUTE)
    assert not sources.lease("zai", NOW - timedelta(milliseconds=3), MINUTE)


def test_retry_after_holds_for_all_and_over_restarts(sources, tmp_path):
    """T39: after a 429 with Retry-After 600 nobody calls for 600 s, a restarted process neither."""
    assert sources.lease("zai", NOW, MINUTE)
    sources.note_retry("zai", NOW + timedelta(seconds=600))
    sources.note_retry("zai", NOW + timedelta(seconds=600))
    restarted = Ledger(tmp_path / "ledger.sqlite").sources
    assert not restarted.lease("zai", NOW + timedelta(seconds=599), MINUTE)
    assert restarted.poll("zai").failures == 2
    assert restarted.lease("zai", NOW + timedelta(seconds=600), MINUTE)
    restarted.put_readings("zai", "[1]", NOW + timedelta(seconds=601), plan="glm")
    assert restarted.poll("zai").failures == 0


def test_a_clock_set_back_frees_what_was_noted_in_its_future(sources):
    assert sources.lease("zai", NOW + timedelta(days=3650), MINUTE)
    assert sources.lease("zai", NOW, MINUTE)
    assert not sources.lease("zai", NOW, MINUTE)


def test_nobody_has_asked_yet(sources):
    assert sources.poll("zai") is None


def _ask(path, results):
    results.put(Ledger(path).sources.lease("zai", NOW, MINUTE))


def test_of_windows_that_ask_at_once_one_calls(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    windows = [context.Process(target=_ask, args=(tmp_path / "l.sqlite", results)) for _ in range(4)]
    for window in windows:
        window.start()
    answers = [results.get(timeout=60) for _ in windows]
    for window in windows:
        window.join()
    assert sorted(answers) == [False, False, False, True]


def test_a_source_can_be_asked_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    sources = Ledger(tmp_path / "file" / "l.sqlite").sources
    assert sources.lease("zai", NOW, MINUTE)
    assert not sources.lease("zai", NOW, MINUTE)
    sources.put_readings("zai", "[1]", NOW, plan="glm")
    assert [each.payload for each in sources.readings("zai")] == ["[1]"]


def test_a_provider_that_is_to_be_left_alone_is_when_the_disk_takes_rows_again(tmp_path):
    home = tmp_path / "home"
    home.write_text("in the way")
    ledger = Ledger(home / "ledger.sqlite")
    assert ledger.sources.lease("zai", NOW, MINUTE)
    ledger.sources.note_retry("zai", NOW + timedelta(hours=5))
    home.unlink()
    other = Ledger(home / "ledger.sqlite")
    other.sources.note_retry("zai", NOW + timedelta(hours=1))
    assert not ledger.sources.lease("zai", NOW + MINUTE * 2, MINUTE)
    assert ledger.store.on_disk
    assert not other.sources.lease("zai", NOW + timedelta(hours=4), MINUTE)
    ledger.close()
    other.close()
