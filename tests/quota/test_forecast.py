"""When it runs dry, whether the next step is admitted, which cap it would cross, and when the same work is cheaper."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant.errors import ConfigError
from assistant.quota import meter, money
from assistant.quota.advice import compare
from assistant.quota.caps import Reserve, WayOut, crossed, offers, read_reserve, reserved
from assistant.quota.forecast import (
    LONG,
    SHORT,
    Forecast,
    admit,
    burn_rate,
    forecast,
    forecast_json,
    phrase,
    token_rates,
)
from assistant.quota.hint import cheaper, cheaper_in_plan
from assistant.quota.plan import load_plans
from assistant.quota.plan_page import read_plan
from assistant.quota.reading import Reading
from assistant.quota.tariff import Burn
from assistant.tokens import Cost, TokenUsage
from tests.quota.estimating import estimate

D = Decimal


def at(text, day=23):
    return datetime.fromisoformat(f"2026-11-{day}T{text}").replace(tzinfo=UTC)


def one(unit="percent", limit=100, name="5 hours", window="first_use", **more):
    length = {"hours": 5} if window in {"first_use", "rolling"} else {}
    return {"name": name, "unit": unit, "window": window, **length, "limit": limit, **more}


def plan(*meters, **more):
    return read_plan({"name": "mine", "meters": list(meters), **more}, "mine.toml")


def half_past_eleven(used):
    reading = Reading("5 hours", "endpoint", at("11:30:00"), percent=D(used), resets_at=at("15:00:00"))
    (found,) = estimate(plan(one()), [], at("11:30:00"), [reading])
    return found


def test_a_figure_that_the_user_mends_within_a_minute_counts():
    first = Reading("5 hours", "you", at("11:30:00"), unit="percent", percent=D(90), rounding="rounded")
    second = first._replace(observed_at=at("11:30:20"), percent=D(40))
    (found,) = estimate(plan(one()), [], at("11:31:00"), [first, second])
    assert (found.percent, found.source) == (D(40), "you")


def test_t40_pace():
    found = forecast(half_past_eleven(45), at("11:30:00"))
    assert (found.rate, found.dry_at, found.before_reset) == (D("0.5"), at("13:20:00"), timedelta(minutes=100))
    assert (found.expected, found.ahead, round(found.rate_to_last, 3)) == (30, 15, D("0.262"))
    assert phrase(found) == "dry at 13:20 at this rate"
    assert phrase(found, "Europe/Berlin") == "dry at 14:20 at this rate"
    slow = forecast(half_past_eleven(20), at("11:30:00"))
    assert (slow.lasts, slow.dry_at, round(slow.share_at_reset, 1), round(slow.rate, 3)) == (
        True, None, D("66.7"), D("0.222"),
    )  # fmt: skip
    assert phrase(slow) == "lasts, about 66.7% at reset"
    assert forecast_json(slow)["percent_at_reset"] == 66.7


def test_a_window_that_has_run_out_or_has_not_begun():
    assert phrase(forecast(half_past_eleven(100), at("11:30:00")), now=at("11:30:00")) == "used up"
    (idle,) = estimate(plan(one("tokens")), [], at("11:30:00"))
    assert phrase(forecast(idle, at("11:30:00"))) == ""
    assert (
        phrase(Forecast("week", "tokens", dry_at=at("15:40:00", 27)), now=at("12:00:00"))
        == "dry Fri at 15:40 at this rate"
    )


def test_the_first_instant_of_a_window_has_no_pace_yet():
    (found,) = estimate(plan(one("tokens", 1000)), [Burn(at("11:30:00"), TokenUsage(10))], at("11:30:00"))
    told = forecast(found, at("11:30:00"))
    assert (told.rate, told.dry_at, phrase(told)) == (None, None, "")


def test_a_burn_falls_while_nothing_runs():
    burns = [(at("10:00:00"), D(1000))]
    rates = [burn_rate(burns, at(when), SHORT) for when in ("10:00:00", "10:15:00", "10:30:00", "13:00:00")]
    assert [round(rates[0] / each, 2) for each in rates[:3]] == [1, 2, 4]
    assert rates[3] < D("0.02")
    assert burn_rate(burns, at("13:00:00"), LONG) > rates[3]
    steady = [(at("09:00:00") + timedelta(minutes=index), D(100)) for index in range(180)]
    assert 95 < burn_rate(steady, at("12:00:00"), SHORT) < 105


def test_t44_cache_reads_do_not_inflate_the_burn():
    usage = TokenUsage(20_000, 2_000_000, 0, 0, 8_000)
    assert token_rates([(at("10:05:00"), usage)], at("10:00:00"), at("10:10:00")) == (202_800, 2_800)
    page = plan(one("tokens", 10_000_000, weights={"cache_read": "0.1"}))
    (found,) = estimate(page, [Burn(at("10:05:00"), usage)], at("10:10:00"))
    assert found.used == 228_000


THREE = plan(
    one("credits", 100), one("credits", 94, "week", "calendar_week"), one("credits", 490, "month", "calendar_month")
)


def test_t42_every_meter_must_have_room():
    gauges = meter.gauges(THREE, [Burn(at("10:00:00"), given={"units": D(90)})], at("10:30:00"))
    assert [gauge.remaining(at("10:30:00")) for gauge in gauges] == [10, 4, 400]
    needs = dict.fromkeys(("5 hours", "week", "month"), D(6))
    found = admit(gauges, needs, at("10:30:00"), "", "")
    assert (found.admitted, found.meter, found.at, found.blocked) == (False, "week", at("00:00:00", 30), ("week",))
    assert admit(gauges, dict.fromkeys(needs, D(4)), at("10:30:00"), "", "").admitted
    both = admit(gauges, dict.fromkeys(needs, D(50)), at("10:30:00"), "", "")
    assert (both.meter, both.blocked) == ("week", ("5 hours", "week"))
    assert admit(gauges, {"5 hours": D(101)}, at("10:30:00"), "", "").never


def test_room_in_a_rolling_window():
    page = plan(one("calls", 6000, window="rolling"))
    burns = [
        Burn(at(when), requests=D(count)) for when, count in (("09:00:00", 3000), ("11:00:00", 2500), ("13:00:00", 500))
    ]
    (gauge,) = meter.gauges(page, burns, at("13:00:00"))
    rooms = [gauge.room(D(need), at("13:00:00")) for need in (1, 3500, 6000, 6001)]
    assert [each.at for each in rooms] == [at("14:00:00"), at("16:00:00"), at("18:00:00"), None]
    assert [each.never for each in rooms] == [False, False, False, True]


def test_a_money_meter_without_a_limit_lasts_as_long_as_its_burn():
    page = plan(one("money", 10, "balance", "balance", currency="USD"))
    burns = [Burn(at("11:00:00"), cost=Cost("metered", D(2))), Burn(at("11:30:00"), cost=Cost("metered", D(2)))]
    (found,) = estimate(page, burns, at("12:00:00"))
    told = forecast(found, at("12:00:00"), [(each.at, each.cost.amount) for each in burns])
    assert told.method == "3 h half-life"
    assert at("18:00:00") < told.dry_at < at("23:00:00")


# --- caps ----------------------------------------------------------------------------------------------------------------


def dollars(*amounts):
    return [Cost("metered", D(each)) for each in amounts]


def test_a_cap_is_reached_before_the_step_that_would_cross_it():
    caps = {"turn": D("0.50"), "session": D("2.00"), "day": None}
    spent = {"turn": dollars("0.30"), "session": dollars("0.30", "1.00")}
    assert crossed(caps, spent, *dollars("0.20")) == []
    (found,) = crossed(caps, spent, *dollars("0.25"))
    assert (found.scope, found.ahead, found.over) == ("turn", D("0.55"), D("0.05"))
    assert str(found) == "This would bring it to $0.55, $0.05 over the cap of $0.50 for this turn."
    both = crossed(caps, spent, *dollars("5.00"))
    assert [each.scope for each in both] == ["turn", "session"]


@pytest.mark.parametrize("step", [Cost("unknown"), Cost("metered", D("0.01"), "CNY")])
def test_what_has_no_known_price_crosses_by_an_unknown_amount(step):
    (found,) = crossed({"day": D(1)}, {}, step)
    assert (found.over, found.ahead) == (None, None)
    assert "unknown" in str(found)
    assert crossed({"day": D(1)}, {"day": [Cost("unknown")]}, *dollars("0.01"))[0].over is None


def test_what_is_included_or_free_crosses_nothing():
    for cost in (Cost("included"), Cost("free", D(0))):
        assert crossed({"day": D(0)}, {"day": dollars("5")}, cost) == []


def test_offers_are_cheaper_models_once_more_and_waiting():
    found = crossed({"day": D(1)}, {"day": dollars("0.90")}, *dollars("0.30"), ends={"day": at("00:00:00", 24)})
    candidates = {"dear": dollars("0.20")[0], "cheap": dollars("0.05")[0], "fits": dollars("0.10")[0], "plan": Cost("included"), "odd": Cost("unknown")}  # fmt: skip
    options = offers(found, candidates, at("12:00:00"))
    assert [(each.kind, each.model) for each in options] == [
        ("cheaper", "plan"), ("cheaper", "cheap"), ("cheaper", "fits"), ("once", ""), ("wait", ""),
    ]  # fmt: skip
    assert options[-1] == WayOut("wait", at=at("00:00:00", 24))
    assert [each.kind for each in offers(crossed({"turn": D(0)}, {}, *dollars("1")), {}, at("12:00:00"))] == ["once"]
    assert offers([], candidates, at("12:00:00")) == []


def test_a_reserve_is_kept_until_its_day():
    page = plan(one("requests", 100, "week", "calendar_week"))
    reserve = read_reserve("keep 20 % of the week for Friday", zone="UTC")
    assert reserve == Reserve("week", D("0.2"), (4,))
    for day, crosses in ((26, True), (27, False)):
        estimates = estimate(page, [Burn(at("10:00:00"), requests=D(78))], at("12:00:00", day))
        found = reserved([reserve], estimates, {"week": D(5)}, at("12:00:00", day))
        assert bool(found) is crosses
    thursday = reserved([reserve], estimate(page, [Burn(at("10:00:00"), requests=D(78))], at("12:00:00", 26)), {"week": D(5)}, at("12:00:00", 26))  # fmt: skip
    assert (thursday[0].over, thursday[0].limit, thursday[0].resets_at) == (3, 80, at("00:00:00", 27))
    assert [each.kind for each in offers(thursday, {"other": Cost("included")}, at("12:00:00", 26))] == ["cheaper", "once", "wait"]  # fmt: skip


@pytest.mark.parametrize("text", ["", "all of it", "120 % of week", "20 % of the week for Frunday", "0% of week"])
def test_a_wrong_reserve_is_refused(text):
    with pytest.raises(ConfigError, match=r"reserve|weekday"):
        read_reserve(text, zone="UTC")
    assert read_reserve("10% of 5 hours", zone="UTC").days == ()
    assert read_reserve("10% of week for sat, sundays", zone="UTC").days == (5, 6)


# --- money -----------------------------------------------------------------------------------------------------------------


def test_t21_and_t28_money_in_words():
    costs = [*dollars("0.40"), Cost("unknown"), Cost("free", D(0)), Cost("included")]
    assert str(money.tally(costs)) == "$0.40 + 1 unpriced; 1 included in plan"
    assert str(money.tally([Cost("unknown"), Cost("unknown")])) == "n/a"
    assert str(money.tally([Cost("free", D(0))])) == "free"
    assert str(money.tally([])) == "nothing"
    assert str(money.tally([Cost("metered", D(98), "CNY"), Cost("metered", D(5))])) == "¥98.00; $5.00"
    assert money.spent({"granted": D(10), "topped_up": D(100)}, D(12)) == {"granted": 0, "topped_up": 98}
    assert money.spent({"voucher": D(1), "cash": D(0)}, D(3)) == {"voucher": 0, "cash": -2}


# --- advice ----------------------------------------------------------------------------------------------------------------


def test_the_same_work_is_cheaper_after_the_peak():
    page = load_plans(None)["glm-lite"]
    found = cheaper_in_plan(page.meters[0], "glm-5.3", at("08:07:00"))
    assert str(found) == "this costs half after 10:00 UTC (18:00 in Beijing)"
    assert cheaper_in_plan(page.meters[0], "glm-5.3", at("11:00:00")) is None
    assert cheaper(lambda when: None, at("08:00:00"), zone="UTC") is None
    assert cheaper(lambda when: D(3) if when < at("09:00:00") else D(2), at("08:00:00"), zone="UTC").part == D(2) / 3


def test_plans_are_compared_by_what_they_would_have_held():
    small = plan(one("requests", 2), price="10", currency="USD", title="Small")
    big = read_plan(
        {"name": "big", "title": "Big", "price": "30", "currency": "USD", "meters": [one("requests", 50)]}, "b.toml"
    )
    shut = read_plan(
        {"name": "shut", "title": "Shut", "client": "forbidden", "meters": [one("requests", 50)]}, "s.toml"
    )
    burns = [Burn(at("10:00:00") + timedelta(minutes=index), cost=Cost("metered", D("0.10"))) for index in range(6)]
    first, second, last = compare([small, shut, big], burns, at("18:00:00"))
    assert (first.plan, first.share_held, first.price) == ("big", 1, D("0.99"))
    assert (second.held, dict(second.blocked), second.waits, second.first_blocked) == (
        2,
        {"5 hours": 4},
        1,
        at("10:02:00"),
    )
    assert last.excluded
    assert str(first) == "Big: all held; $0.99 for 1 day, at $30.00 a month"
    assert str(second) == "Small: 2 held, 4 by 5 hours, in 1 windows; $0.33 for 1 day, at $10.00 a month"
    assert first.burnt.amounts == {"USD": D("0.60")}
    assert "no price" in str(compare([plan(one("requests", None))], [], at("18:00:00"))[0])


def test_of_many_steps_told_together_just_those_are_blocked_for_which_there_is_no_room():
    burn = Burn(
        at("10:00:00"), TokenUsage(1_201_000), Cost("included"), requests=D(1_201), prompts=D(1_201), steps=1_201
    )
    fit = compare([plan(one("requests", 1_200))], [burn], at("18:00:00"))[0]
    assert (fit.held, dict(fit.blocked)) == (1_200, {"5 hours": 1})


def test_a_plan_whose_terms_are_over_says_so_and_comes_behind_others():
    over = plan(one("requests", 50), price="1", currency="USD", title="Over", until="2026-09-18")
    now = plan(one("requests", 50), price="10", currency="USD", title="Now")
    found = compare([over, now], [Burn(at("10:00:00"))], at("18:00:00"))
    assert [each.title for each in found] == ["Now", "Over"]
    assert str(found[1]).endswith("; these terms ended on 2026-09-18")


def test_steps_told_together_are_tried_in_parts_and_add_up():
    burn = Burn(
        at("10:00:00"), TokenUsage(101, 50, 3, 0, 7), Cost("metered", D("0.10")), requests=D(16), prompts=D(4), steps=16
    )
    (fit,) = compare([plan(one("requests", 10))], [burn], at("18:00:00"))
    assert (fit.held, dict(fit.blocked)) == (10, {"5 hours": 6})
    (whole,) = compare([plan(one("requests", 16))], [burn], at("18:00:00"))
    assert (whole.held, whole.blocked) == (16, {})
    (tokens,) = compare([plan(one("tokens", 161))], [burn], at("18:00:00"))
    assert tokens.held == 16
    (none,) = compare([plan(one("tokens", 160))], [burn], at("18:00:00"))
    assert (none.held, sum(none.blocked.values())) == (15, 1)


def test_of_a_pool_in_percent_no_history_says_whether_it_would_have_held():
    (fit,) = compare([plan(one("percent", 100))], [Burn(at("10:00:00"))], at("18:00:00"))
    assert (fit.held, fit.unknown) == (1, ("5 hours",))
    assert "held as far as is known (5 hours unknown)" in str(fit)
