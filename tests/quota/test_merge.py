"""Readings and our own burn made one: the rules of the merge, case by case."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.quota import wording
from assistant.quota.estimate import as_json, binding
from assistant.quota.gauge import Gauge
from assistant.quota.meter import accepted, unmapped
from assistant.quota.plan_page import read_plan
from assistant.quota.reading import Reading
from assistant.quota.tariff import Burn
from assistant.tokens import Cost, TokenUsage
from tests.quota.estimating import estimate

D = Decimal
RESET = datetime(2026, 11, 23, 15, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(f"2026-11-23T{text}").replace(tzinfo=UTC)


def plan(unit="credits", limit=2000, window="first_use", **more):
    length = {"hours": 5} if window in {"first_use", "rolling", "grid"} else {}
    table = {"name": "5 hours", "unit": unit, "window": window, **length, "limit": limit, **more}
    return read_plan({"name": "mine", "meters": [{k: v for k, v in table.items() if v is not None}]}, "mine.toml")


def said(when, used=None, *, resets=RESET, source="endpoint", **more):
    used = D(str(used)) if used is not None else None
    return Reading("5 hours", source, at(when), used=used, resets_at=resets, **more)


def refused(when):
    return said(when, status="exhausted", source="error")


def took(when, units, **more):
    return Burn(at(when), given={"units": D(str(units))}, **more)


def paid(when, amount):
    return Burn(at(when), cost=Cost("metered", D(str(amount)), "USD"))


def now(which, when, burns=(), readings=()):
    (found,) = estimate(which, list(burns), at(when), list(readings))
    return found


def test_t32_a_reading_and_what_came_after_it():
    burns = [took("12:01:00", 30), took("12:03:00", 25)]
    found = now(plan(), "12:05:00", burns, [said("12:00:00", 800)])
    assert (found.used, found.percent, found.age_s, found.confidence) == (855, D("42.8"), 300, "merged")
    assert (found.source, found.remaining, found.resets_at) == ("provider", 1145, RESET)
    later = now(plan(), "12:06:00", burns, [said("12:00:00", 800), said("12:06:00", 900)])
    assert (later.used, later.percent, later.foreign, later.confidence) == (900, D("45.0"), 45, "authoritative")


def test_t34_weights_that_are_too_high_are_corrected_and_nothing_was_reset():
    burns = [took("12:01:00", 100)]
    assert now(plan(), "12:09:00", burns, [said("12:00:00", 800)]).used == 900
    found = now(plan(), "12:10:00", burns, [said("12:00:00", 800), said("12:10:00", 870)])
    assert (found.used, found.foreign, found.resets) == (870, 0, 0)
    assert [each.amount for each in found.corrections] == [-30]


def test_t35_a_late_reading_is_not_applied_and_of_two_in_a_minute_the_higher_holds():
    percent = lambda when, value, **more: said(when, percent=D(value), **more)
    found = now(plan("percent", 100), "12:00:30", [], [percent("12:00:00", 44), percent("11:58:00", 43)])
    assert (found.used, found.foreign) == (44, 0)
    twice = [percent("12:00:01", 44, source="headers"), percent("12:00:05", 41)]
    found = now(plan("percent", 100), "12:00:06", [], twice)
    assert (found.used, found.resets) == (44, 0)


def test_a_reading_that_came_late_makes_no_foreign_burn():
    assert accepted([said("12:00:00", 800), said("11:58:00", 700), said("12:01:00", 810)]) == [
        said("12:00:00", 800),
        said("12:01:00", 810),
    ]
    assert now(plan(), "12:00:30", [], [said("12:00:00", 800), said("11:58:00", 700)]).foreign == 0


def test_t37_what_a_point_is_worth_is_learned_from_pairs():
    readings = [
        said("12:00:00", percent=D(41), rounding="truncated"),
        said("12:10:00", percent=D(46), rounding="truncated"),
    ]
    burn = Burn(at("12:05:00"), given={"tokens": D(1_200_000)})
    found = now(plan("percent", 100), "12:10:00", [burn], readings)
    assert found.capacity == (20_000_000, 24_000_000, 30_000_000)
    assert (found.used, found.low, found.high, found.foreign) == (46, 46, 47, 0)
    more = Burn(at("12:11:00"), given={"tokens": D(240_000)})
    found = now(plan("percent", 100), "12:12:00", [burn, more], readings)
    assert (found.used, found.confidence) == (47, "calibrated")
    assert found.low < 47 < found.high
    alone = now(plan("percent", 100), "12:10:00", [], readings)
    assert alone.capacity is None
    assert (alone.foreign_low, alone.foreign, alone.foreign_high) == (4, 5, 6)


def test_nothing_is_learned_where_others_burnt_as_well():
    percents = [("12:00:00", 10), ("12:01:00", 13), ("12:05:00", 20)]
    readings = [said(when, percent=D(value), rounding="truncated") for when, value in percents]
    burn = Burn(at("12:03:00"), given={"tokens": D(1_000_000)})
    found = now(plan("percent", 100), "12:06:00", [burn], readings)
    # The first rise had no burn of ours; the pair after it has only our own and is used.
    assert found.capacity.point == D(1_000_000) * 100 / 7
    assert found.foreign == 3


def test_opaque_points_without_a_measure_have_no_high_end():
    burn = Burn(at("12:05:00"), given={"tokens": D(1_000)})
    found = now(plan("percent", 100), "12:06:00", [burn], [said("12:00:00", percent=D(41), rounding="truncated")])
    assert (found.used, found.low, found.high, found.confidence) == (41, 41, None, "merged")


def test_a_reset_that_was_granted_begins_anew_with_the_same_end():
    burns = [took("12:01:00", 50), took("12:21:00", 5)]
    found = now(plan(), "12:30:00", burns, [said("12:00:00", 800), said("12:20:00", 10)])
    assert (found.used, found.resets, found.start, found.end) == (15, 1, at("12:20:00"), RESET)
    assert found.foreign == 0


def test_a_later_reset_with_a_drop_is_a_new_window_and_without_one_an_anchor_that_moved():
    new = now(plan(), "12:20:00", [], [said("12:00:00", 800), said("12:20:00", 0, resets=at("17:20:00"))])
    assert (new.used, new.resets, new.end, new.start) == (0, 1, at("17:20:00"), at("12:20:00"))
    moved = now(plan(), "12:20:00", [], [said("12:00:00", 800), said("12:20:00", 810, resets=at("16:00:00"))])
    assert (moved.used, moved.resets, moved.end, moved.foreign) == (810, 0, at("16:00:00"), 10)


def test_after_a_reset_a_cache_that_tells_the_old_number_is_not_believed():
    readings = [
        said("12:00:00", 800),
        said("12:20:00", 10, source="headers"),
        said("12:20:10", 805),
        said("12:20:20", 8),
    ]
    found = now(plan(), "12:20:30", [], readings)
    assert (found.used, found.resets, found.foreign) == (8, 1, 0)


def test_a_percent_that_is_lower_by_its_rounding_is_no_reset():
    readings = [
        said("12:00:00", percent=D(44), rounding="rounded"),
        said("12:05:00", percent=D(43), rounding="rounded"),
    ]
    found = now(plan("percent", 100), "12:05:00", [], readings)
    assert (found.used, found.resets, found.age_s) == (44, 0, 0)


def test_a_reading_of_a_window_that_is_over_says_nothing():
    found = now(plan(), "15:02:00", [], [said("12:00:00", 800), said("15:01:30", 800)])
    assert (found.state, found.used) == ("not_started", 0)


def test_points_nobody_read_are_unknown_and_after_their_reset_nothing_is_used():
    assert now(plan("percent", 100), "12:00:00", [took("11:00:00", 5)]).state == "unknown"
    found = now(plan("percent", 100), "15:02:00", [], [said("12:00:00", percent=D(80))])
    assert (found.state, found.used, found.confidence) == ("not_started", 0, "local-only")


def test_reset_instants_that_differ_by_two_minutes_are_one_window():
    near = RESET + timedelta(seconds=120)
    found = now(plan(), "12:20:00", [], [said("12:00:00", 800), said("12:20:00", 805, resets=near)])
    assert (found.resets, found.foreign, found.end) == (0, 5, near)


@pytest.mark.parametrize(
    ("when", "used", "confidence", "wants"),
    [("14:59:59", 800, "merged", False), ("15:00:59", 800, "merged", False), ("15:01:00", 0, "local-only", True)],
)
def test_a_window_that_passed_without_a_reading_is_local_after_a_minute(when, used, confidence, wants):
    found = now(plan(), when, [], [said("12:00:00", 800)])
    assert (found.used, found.confidence, found.wants_reading) == (used, confidence, wants)
    assert found.state == ("not_started" if wants else "open")


def test_after_the_reset_our_own_burn_counts():
    found = now(plan(), "15:30:00", [took("14:00:00", 70), took("15:10:00", 40)], [said("12:00:00", 800)])
    assert (found.used, found.source, found.start, found.end) == (40, "ledger", at("15:10:00"), at("20:10:00"))


def test_a_step_in_flight_over_a_reading_counts_at_the_high_end_until_the_next():
    running = took("11:59:50", 60, until=at("12:00:20"))
    found = now(plan(), "12:01:00", [running], [said("12:00:00", 800)])
    assert (found.low, found.used, found.high) == (800, 800, 860)
    later = now(plan(), "12:02:00", [running], [said("12:00:00", 800), said("12:02:00", 860)])
    assert (later.low, later.used, later.high, later.foreign) == (860, 860, 860, 0)
    open_end = took("11:59:50", 60, running=True)
    assert now(plan(), "12:01:00", [open_end], [said("12:00:00", 800)]).high == 860


def test_rounded_and_cut_percents_have_their_bands_and_counts_go_before_percents():
    cut = now(plan(), "12:00:00", [], [said("12:00:00", percent=D(13), rounding="truncated")])
    assert (cut.low, cut.used, cut.high) == (260, 260, 280)
    rounded = now(plan(), "12:00:00", [], [said("12:00:00", percent=D(13), rounding="rounded")])
    assert (rounded.low, rounded.used, rounded.high) == (250, 260, 270)
    both = now(plan(), "12:00:00", [], [said("12:00:00", 267, limit=D(2000), remaining=D(1732), percent=D(13))])
    assert (both.used, both.remaining, both.percent) == (267, 1732, D("13.4"))


def test_t19_rounding_by_the_vendor_is_nobody_elses_burn():
    weights = {"fresh_input": "0.2", "cache_read": "0.02", "output": "1.2"}
    page = plan(limit=11500, per=1000, weights=weights)
    from assistant.tokens import TokenUsage

    burn = Burn(at("12:01:00"), TokenUsage(8349, 40794, 0, 0, 573))
    alone = now(page, "12:02:00", [burn])
    assert alone.used == D("3.17328")
    found = now(page, "12:02:00", [burn], [said("12:00:00", 0), said("12:02:00", "3.18")])
    assert (found.used, found.foreign, found.corrections) == (D("3.18"), 0, ())
    others = now(page, "12:02:00", [burn], [said("12:00:00", 0), said("12:02:00", "3.30")])
    assert others.foreign > 0


def test_an_error_that_names_a_window_uses_it_up_until_its_reset():
    found = now(plan(), "12:20:00", [], [said("12:00:00", 800), refused("12:10:00")])
    assert (found.state, found.used, found.remaining, found.resets_at) == ("exhausted", 2000, 0, RESET)
    bare = plan(limit=None)
    found = now(bare, "12:20:00", [], [refused("12:10:00")])
    assert (found.state, found.remaining, found.limit) == ("exhausted", 0, None)
    assert now(bare, "15:02:00", [], [refused("12:10:00")]).state == "not_started"


@pytest.mark.parametrize("window", ["first_use", "grid", "rolling"])
def test_a_step_that_is_taken_after_a_refusal_shows_that_the_window_is_open_again(window):
    which, readings = plan(window=window), [said("12:00:00", 800), refused("12:10:00")]
    burns = [took("12:05:00", 100), took("12:30:00", 30), took("12:35:00", 5)]
    found = now(which, "12:40:00", burns, readings)
    assert (found.state, found.used, found.foreign, found.wants_reading) == ("open", 35, 0, True)
    assert found.resets_at == (None if window == "rolling" else RESET)
    read = now(which, "12:41:00", burns, [*readings, said("12:41:00", 900)])
    assert (read.used, read.wants_reading) == (900, False)
    assert now(which, "12:50:00", burns, [*readings, refused("12:45:00")]).state == "exhausted"
    points = plan("percent", 100, window=window)  # what it holds now nobody has said
    found = now(points, "12:40:00", burns, readings[1:])
    assert (found.state, found.used, found.wants_reading) == ("unknown", None, True)


@pytest.mark.parametrize(
    ("burn", "reading"),
    [
        (took("12:09:59", 30), refused("12:10:00")),
        (took("12:30:00", 30, running=True), refused("12:10:00")),
        (took("12:30:00", 30, doubtful=True), refused("12:10:00")),
        (took("12:30:00", 30, client="codex"), refused("12:10:00")),
        (took("12:30:00", 30, usage=TokenUsage(30, exact=False)), refused("12:10:00")),
        (took("12:30:00", 30), said("12:10:00", 2000, status="exhausted")),  # it may be paid beyond the plan
    ],
)
def test_what_the_provider_has_not_counted_since_it_refused_opens_no_window(burn, reading):
    assert now(plan(), "12:40:00", [burn], [reading]).state == "exhausted"


ABOUT = TokenUsage(500, exact=False)


@pytest.mark.parametrize(
    ("more", "state", "left"),
    [
        ({"usage": ABOUT}, "unknown", None), ({}, "unknown", None), ({"cost": Cost("unknown", None, "USD")}, "unknown", None),
        ({"usage": ABOUT, "running": True}, "exhausted", 0), ({"usage": ABOUT, "doubtful": True}, "exhausted", 0),
        ({"client": "codex"}, "exhausted", 0),
    ],
)  # fmt: skip
def test_a_balance_that_was_refused_and_paid_again_is_unknown_and_never_below_nothing(more, state, left):
    balance = plan("money", None, "balance", currency="USD")
    refusal = refused("10:00:00")._replace(remaining=D(0), resets_at=None)
    burns = [paid("10:01:00", 0.25)._replace(**more)]
    found = now(balance, "10:02:00", burns, [refusal])
    assert (found.state, found.remaining) == (state, left)
    later = now(balance, "10:04:00", [*burns, paid("10:03:00", 0.5)], [refusal])
    assert (later.state, later.remaining, later.wants_reading) == ("unknown", None, True)


def test_zero_unknown_unlimited_and_not_in_plan_are_four_states():
    assert now(plan(limit=0), "12:00:00", [took("11:00:00", 1)]).state == "exhausted"
    unknown = now(plan(limit=None), "12:00:00", [took("11:00:00", 1)])
    assert (unknown.state, unknown.used, unknown.remaining) == ("unknown", 1, None)
    endless = now(plan(limit="unlimited"), "12:00:00", [took("11:00:00", 1)])
    assert (endless.state, endless.limit) == ("open", "unlimited")
    absent = now(plan(), "12:00:00", [], [said("11:00:00", status="not_in_plan")])
    assert (absent.state, absent.used) == ("not_in_plan", None)
    assert as_json(absent)["used"] is None


@pytest.mark.parametrize(
    ("page", "burns", "words"),
    [
        (plan("money", None, "balance", currency="USD"), [], "unlimited"),
        (plan("money", None, "balance", currency="USD"), [paid("10:30:00", 0.25)], "$0.25 spent by us, unlimited"),
        (plan("percent", 100), [], "unlimited"),
        (plan("percent", 100, "grid"), [took("10:30:00", 1)], "unlimited"),
        (plan("requests"), [], "0 requests, unlimited"),
    ],
)
def test_what_is_unlimited_is_told_as_that(page, burns, words):
    found = now(page, "12:00:00", burns, [said("11:00:00", status="unlimited", limit="unlimited")])
    assert (found.limit, found.remaining) == ("unlimited", None)
    assert wording.figures(found) == words


def test_a_limit_that_is_read_wins_over_the_page():
    found = now(plan(limit=1500), "12:00:00", [], [said("12:00:00", 600, limit=D(3000))])
    assert (found.limit, found.percent) == (3000, D("20.0"))


def test_a_cap_in_points_and_an_end_of_unlimited():
    capped = now(plan("percent", 80), "12:00:00", [], [said("12:00:00", percent=D(80))])
    assert (capped.state, capped.limit, capped.remaining) == ("exhausted", 80, 0)
    readings = [said("11:00:00", status="unlimited"), said("12:00:00", 500)]
    assert now(plan(limit=2000), "11:30:00", [], readings[:1]).limit == "unlimited"
    assert now(plan(limit=2000), "12:00:00", [], readings).limit == 2000


def test_a_rolling_window_gives_back_what_a_reading_held():
    rolling = plan(window="rolling", limit=6000)
    burns = [took("09:00:00", 3000), took("11:00:00", 2500)]
    reading = said("12:00:00", 5600, resets=None)
    assert now(rolling, "13:00:00", burns, [reading]).used == 5600
    found = now(rolling, "14:00:00", burns, [reading])
    assert (found.used, found.resets) == (2600, 0)
    assert now(rolling, "17:00:00", burns, [reading]).used == 0


def test_a_week_that_counts_from_an_order_nobody_told_is_unknown_until_it_is_read():
    week = plan(window="grid", limit=100)
    found = now(week, "12:00:00", [took("11:00:00", 10)])
    assert (found.state, found.used, found.low, found.end) == ("unknown", 10, 0, None)
    read = now(week, "12:10:00", [took("11:00:00", 10), took("12:05:00", 3)], [said("12:00:00", 30)])
    assert (read.state, read.used, read.end, read.start) == ("open", 33, RESET, at("10:00:00"))
    after = now(week, "16:00:00", [took("11:00:00", 10), took("15:30:00", 4)], [said("12:00:00", 30)])
    assert (after.used, after.start, after.end) == (4, RESET, RESET + timedelta(hours=5))


def test_a_balance_falls_by_our_own_burn_and_rises_by_a_payment():
    page = plan("money", None, "balance", currency="USD")
    balance = lambda when, left: Reading(
        "5 hours", "endpoint", at(when), unit="money", remaining=D(left), currency="USD"
    )
    from assistant.tokens import Cost

    paid = Burn(at("12:05:00"), cost=Cost("metered", D("2.50")))
    found = now(page, "12:06:00", [paid], [balance("12:00:00", "10.00")])
    assert (found.remaining, found.used, found.limit, found.state) == (D("7.50"), D("2.50"), None, "open")
    others = now(page, "12:10:00", [paid], [balance("12:00:00", "10.00"), balance("12:10:00", "7.00")])
    assert (others.remaining, others.foreign) == (D("7.00"), D("0.50"))
    richer = now(page, "12:10:00", [paid], [balance("12:00:00", "10.00"), balance("12:10:00", "27.50")])
    assert (richer.remaining, richer.foreign) == (D("27.50"), 0)
    empty = now(page, "12:10:00", [], [balance("12:00:00", "-0.10")])
    assert empty.remaining == D("-0.10")
    assert empty.state == "exhausted"


def test_limits_that_nothing_counts_are_kept_raw():
    strange = Reading("moon phase", "endpoint", at("12:00:00"), mapped=False, raw='{"type": "MOON_LIMIT"}')
    assert unmapped(plan(), [said("12:00:00", 1), strange]) == [strange]


def test_a_clock_that_was_set_back_loses_no_burn_and_no_age_is_negative():
    found = now(plan(), "12:00:00", [took("12:30:00", 40)], [said("12:10:00", 800)])
    assert found.age_s == 0
    assert found.used == 840
    ten_years = Burn(at("12:00:00").replace(year=2036), given={"units": D(5)})
    assert now(plan(), "12:00:00", [ten_years, took("11:00:00", 1)]).used == 1


def test_the_binding_meter_is_what_has_run_out_or_has_the_fewest_steps_left():
    page = read_plan(
        {
            "name": "x",
            "meters": [
                {"name": "5 hours", "unit": "credits", "window": "first_use", "hours": 5, "limit": 100},
                {"name": "week", "unit": "credits", "window": "first_use", "days": 7, "limit": 1000},
            ],
        },
        "x.toml",
    )
    burns = [took("11:00:00", 50)]
    found = estimate(page, burns, at("12:00:00"))
    assert binding(found).meter == "5 hours"
    assert binding(found, needs={"5 hours": D(1), "week": D(50)}).meter == "week"


def test_reading_and_burn_are_kept_apart_from_other_meters():
    page = read_plan(
        {
            "name": "x",
            "meters": [
                {"name": "week", "unit": "percent", "window": "first_use", "days": 7, "limit": 100},
                {"name": "week opus", "unit": "percent", "window": "first_use", "days": 7, "limit": 100,
                 "only": ["*opus*"]},
            ],
        },
        "x.toml",
    )  # fmt: skip
    readings = [
        Reading("week", "headers", at("12:00:00"), percent=D(60), minutes=10080),
        Reading("week opus", "headers", at("12:00:00"), percent=D(100), minutes=10080, status="exhausted"),
    ]
    found = {each.meter: each for each in estimate(page, [], at("12:01:00"), readings)}
    assert (found["week"].state, found["week opus"].state) == ("open", "exhausted")
    assert binding(list(found.values()), "claude-sonnet").meter == "week"
    assert binding(list(found.values()), "claude-opus-5").meter == "week opus"


def test_a_gauge_over_many_steps_stays_small():
    gauge = Gauge("mine", plan(window="rolling").meters[0])
    for index in range(5_000):
        gauge.burn(
            Burn(
                at("00:00:00") + timedelta(minutes=index),
                given={"units": D(1)},
                until=at("00:00:00") + timedelta(minutes=index),
            )
        )
    found = gauge.estimate(at("00:00:00") + timedelta(minutes=5_000))
    assert found.used == 299
    assert len(gauge._burnt._trail) <= 300
    assert len(gauge._burnt._running) <= 300


KINDS = [
    {"window": "first_use", "hours": 5}, {"window": "first_use", "hours": 5, "floor": "hour"}, {"window": "rolling", "hours": 5},
    {"window": "calendar_day", "zone": "America/New_York"}, {"window": "grid", "days": 7}, {"window": "subscription_month"},
    {"window": "balance"},
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each["window"])
@pytest.mark.parametrize("unit", ["credits", "percent"])
def test_whatever_comes_in_the_band_holds_the_number_and_nothing_is_negative(kind, unit):
    import random

    page = read_plan({"name": "x", "meters": [{"name": "m", "unit": unit, "limit": 500, **kind}]}, "x.toml")
    for seed in range(25):
        chance = random.Random(seed)
        start = at("00:00:00")
        burns, readings = [], []
        for _ in range(60):
            when = start + timedelta(minutes=chance.randrange(3_000))
            if chance.random() < 0.6:
                until = when + timedelta(minutes=chance.randrange(30)) if chance.random() < 0.3 else None
                burns.append(
                    Burn(
                        when, given={"tokens": D(chance.randrange(90)), "credits": D(chance.randrange(90))}, until=until
                    )
                )
            else:
                resets = when + timedelta(minutes=chance.randrange(-30, 900)) if chance.random() < 0.7 else None
                stated = (
                    {"percent": D(chance.randrange(101))} if unit == "percent" else {"used": D(chance.randrange(600))}
                )
                rounding = chance.choice(["exact", "truncated", "rounded"])
                readings.append(Reading("m", "endpoint", when, resets_at=resets, rounding=rounding, **stated))
        for minutes in range(0, 3_600, 240):
            now_at = start + timedelta(minutes=minutes)
            (found,) = estimate(page, burns, now_at, readings)
            assert found.age_s >= 0
            assert found.foreign >= 0
            assert found.foreign_low <= found.foreign <= found.foreign_high
            if found.used is not None:
                assert found.low <= found.used
                assert found.high is None or found.used <= found.high
                assert found.used >= 0
            if kind["window"] != "balance" and found.remaining is not None:
                assert found.remaining >= 0
            if found.start and found.end:
                assert found.start < found.end


@pytest.mark.parametrize("every", [timedelta(hours=4), timedelta(hours=4, minutes=59)])
def test_windows_that_begin_at_first_use_hang_on_each_other_through_weeks_without_a_pause(every):
    start = RESET - timedelta(days=20)
    uses = [start + every * count for count in range(int(timedelta(days=20) / every))]
    opened = uses[0]
    for use in uses:
        opened = use if use >= opened + timedelta(hours=5) else opened
    burns, then = [Burn(use, given={"units": D(1)}) for use in uses], uses[-1] + timedelta(seconds=30)
    (found,) = estimate(plan(), burns, then, [])
    assert found.resets_at == opened + timedelta(hours=5)
    assert found.used == sum(use >= opened for use in uses)
    before = [Burn(start - timedelta(hours=6), given={"units": D(1)}), *burns]  # a pause: no matter what was before it
    assert estimate(plan(), before, then, []) == (found,)
