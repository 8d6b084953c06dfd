"""In which window an instant lies: every kind, over clocks that change and months of all lengths."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from assistant.quota.window import Window, instant, span_at
from tests.quota.estimating import first_use

Z = lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_t01_a_window_begins_with_the_first_step_to_the_second():
    burns = [Z(f"2026-11-23T{each}") for each in ("10:07:31", "12:00:00", "15:07:30", "15:07:31")]
    first = (Z("2026-11-23T10:07:31"), Z("2026-11-23T15:07:31"))
    assert [first_use(burns, each) for each in burns] == [first] * 3 + [
        (Z("2026-11-23T15:07:31"), Z("2026-11-23T20:07:31"))
    ]


def test_t02_after_a_pause_there_is_no_window():
    assert first_use([Z("2026-11-23T10:00:00")], Z("2026-11-23T15:30:00")) == (None, None)
    burns = [Z("2026-11-23T10:00:00"), Z("2026-11-23T16:42:00")]
    assert first_use(burns, Z("2026-11-23T16:42:00")) == (Z("2026-11-23T16:42:00"), Z("2026-11-23T21:42:00"))


def test_t03_a_floor_is_the_hour_of_utc_and_the_end_belongs_to_the_next():
    burns = [Z("2026-11-23T10:07:31"), Z("2026-11-23T15:00:00")]
    assert first_use(burns, burns[0], floor="hour") == (Z("2026-11-23T10:00"), Z("2026-11-23T15:00"))
    assert first_use(burns, burns[1], floor="hour") == (Z("2026-11-23T15:00"), Z("2026-11-23T20:00"))
    india = datetime.fromisoformat("2026-11-23T10:20:00+05:30")
    assert first_use([india], india, floor="hour") == (Z("2026-11-23T04:00"), Z("2026-11-23T09:00"))


def test_a_floored_window_does_not_reach_back_into_the_last():
    burns = [Z("2026-11-23T10:07"), Z("2026-11-23T14:40")]
    assert first_use(burns, burns[1], 4.5, floor="hour")[0] == Z("2026-11-23T14:30")


MONDAY = Window("calendar_week", zone="Asia/Shanghai")
GRID = Window("grid", timedelta(days=7), origin=Z("2026-11-03T07:20"))
CALENDAR_CASES = [
    ("T06 Sunday in Shanghai", MONDAY, "2026-11-22T15:59:59", "2026-11-15T16:00", "2026-11-22T16:00"),
    ("T06 Monday in Shanghai", MONDAY, "2026-11-22T16:00:00", "2026-11-22T16:00", "2026-11-29T16:00"),
    ("T07 third cycle of a grid", GRID, "2026-11-23T18:00", "2026-11-17T07:20", "2026-11-24T07:20"),
    (
        "T11 December for Copilot",
        Window("calendar_month"),
        "2026-12-01T00:30",
        "2026-12-01T00:00",
        "2027-01-01T00:00",
    ),
    (
        "T12 a day of 23 hours",
        Window("calendar_day", zone="America/New_York"),
        "2026-03-08T16:00",
        "2026-03-08T05:00",
        "2026-03-09T04:00",
    ),
    (
        "T13 a day of 25 hours",
        Window("calendar_day", zone="America/New_York"),
        "2026-11-01T17:00",
        "2026-11-01T04:00",
        "2026-11-02T05:00",
    ),
    (
        "London, 25 hours",
        Window("calendar_day", zone="Europe/London"),
        "2026-10-25T12:00",
        "2026-10-24T23:00",
        "2026-10-26T00:00",
    ),
    (
        "a week of 169 hours",
        Window("calendar_week", zone="America/Los_Angeles", weekday=3, time=time(9)),
        "2026-11-01T12:00",
        "2026-10-29T16:00",
        "2026-11-05T17:00",
    ),
    (
        "before the hour of its weekday it is the week before",
        Window("calendar_week", zone="America/Los_Angeles", weekday=3, time=time(9)),
        "2026-11-05T16:59:59",
        "2026-10-29T16:00",
        "2026-11-05T17:00",
    ),
    (
        "the 15th in Shanghai",
        Window("subscription_month", zone="Asia/Shanghai", day=15),
        "2026-11-23T00:00",
        "2026-11-14T16:00",
        "2026-12-14T16:00",
    ),
    (
        "T10 an anniversary keeps its time of day",
        Window("subscription_month", zone="Asia/Shanghai", origin=Z("2026-12-01T07:00")),
        "2026-12-15T00:00",
        "2026-12-01T07:00",
        "2027-01-01T07:00",
    ),
    (
        "a quarter",
        Window("subscription_month", months=3, origin=Z("2026-11-30T00:00")),
        "2027-03-01T00:00",
        "2027-02-28T00:00",
        "2027-05-30T00:00",
    ),
    (
        "a year from a leap day",
        Window("subscription_month", months=12, origin=Z("2028-02-29T10:00")),
        "2029-03-01T00:00",
        "2029-02-28T10:00",
        "2030-02-28T10:00",
    ),
    (
        "a month from the 31st of the calendar",
        Window("calendar_month", day=31),
        "2026-02-28T00:00",
        "2026-02-28T00:00",
        "2026-03-31T00:00",
    ),
]


@pytest.mark.parametrize(("why", "window", "now", "start", "end"), CALENDAR_CASES, ids=lambda each: str(each)[:30])
def test_fixed_edges(why, window, now, start, end):
    assert span_at(window, Z(now)) == (Z(start), Z(end))


def test_t08_an_anchor_on_the_31st_is_clamped_from_the_first_day_each_time():
    def edges(year):
        window = Window("subscription_month", origin=Z(f"{year}-01-31T00:00"))
        found, at = [], Z(f"{year}-01-31T00:00")
        for _ in range(4):
            at = span_at(window, at)[1]
            found.append(at.date().isoformat()[5:])
        return found

    assert edges(2026) == ["02-28", "03-31", "04-30", "05-31"]
    assert edges(2028) == ["02-29", "03-31", "04-30", "05-31"]
    window = Window("subscription_month", origin=Z("2026-01-31T00:00"))
    assert span_at(window, Z("2026-02-27T23:59:59"))[0] == Z("2026-01-31T00:00")
    assert span_at(window, Z("2026-02-28T00:00:00"))[0] == Z("2026-02-28T00:00")


def test_t12_and_t13_an_even_pace_is_taken_over_the_hours_there_are():
    for day, noon, want in (("2026-03-08", "16:00", "47.8"), ("2026-11-01", "17:00", "52.0")):
        start, end = span_at(Window("calendar_day", zone="America/New_York"), Z(f"{day}T{noon}"))
        assert f"{(Z(f'{day}T{noon}') - start) / (end - start) * 100:.1f}" == want


def test_t13_two_events_at_the_same_local_time_are_one_day():
    day = Window("calendar_day", zone="America/New_York")
    assert span_at(day, Z("2026-11-01T05:30")) == span_at(day, Z("2026-11-01T06:30"))


def test_t15_five_hours_are_five_hours_over_a_change_of_clocks():
    start, end = first_use([Z("2026-11-01T05:30")], Z("2026-11-01T06:00"))
    assert (start, end) == (Z("2026-11-01T05:30"), Z("2026-11-01T10:30"))


def test_a_local_time_that_is_left_out_moves_forward_and_one_that_comes_twice_is_the_first():
    assert instant(date(2026, 3, 8), time(2, 30), "America/New_York") == Z("2026-03-08T07:30")
    assert instant(date(2026, 11, 1), time(1, 30), "America/New_York") == Z("2026-11-01T05:30")


def test_before_the_origin_there_is_nothing():
    assert span_at(GRID, Z("2026-11-03T07:19:59")) is None
    assert span_at(Window("subscription_month", origin=Z("2026-12-01T00:00")), Z("2026-11-30T00:00")) is None
    assert span_at(Window("subscription_month", day=0), Z("2026-11-30T00:00")) is None


def test_edges_join_over_years_in_every_zone():
    windows = [
        Window(kind, zone=zone, time=time(2, 30), day=31, weekday=6)
        for kind in ("calendar_day", "calendar_week", "calendar_month")
        for zone in ("America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Apia")
    ]
    for window in windows:
        at = Z("2026-01-01T00:00")
        for _ in range(400):
            start, end = span_at(window, at)
            assert start <= at < end
            assert span_at(window, end)[0] == end
            at = end
