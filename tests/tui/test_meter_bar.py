"""The meter line: everything in full where there is room, all that matters in 80 columns, never wider than the screen."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rich.cells import cell_len

from assistant.pricing import Quote
from assistant.quota.estimate import Estimate
from assistant.tokens import Cost, TokenUsage
from assistant.tui import present, quoting, theme
from assistant.tui.figures import short
from assistant.tui.widgets.meter_bar import MeterBar, MeterState

STATE = MeterState(
    model="anthropic/claude-sonnet-5-5",
    payer="metered",
    context_share=0.034,
    turn=TokenUsage(2_100, 900, 0, 0, 412, 0),
    turn_costs=(Cost("metered", Decimal("0.0126")),),
    session=TokenUsage(12_400, 7_900, 0, 0, 3_120, 0),
    session_costs=(Cost("metered", Decimal("0.1234")),),
    plan="5 hours",
    plan_share=0.41,
    resets="14:20",
    note="our count",
)


def line(state, width):
    bar = MeterBar(theme.load("dark"))
    bar.state = state
    return bar.line(width)


def test_in_full_it_says_it_in_words():
    words = line(STATE, 220)
    for each in (
        "anthropic/claude-sonnet-5-5",
        "metered",
        "context 3%",
        "turn 2.1k fresh 900 cached 412 out $0.0126",
    ):
        assert each in words
    for each in ("session 12.4k fresh 7.9k cached 3.1k out $0.123", "5 hours", "41%", "resets 14:20", "our count"):
        assert each in words


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ((Cost("metered", Decimal("1.75")), Cost("unknown")), "$1.75 + 1 unpriced"),
        ((Cost("unknown"), Cost("unknown")), "2 unpriced"),
        ((Cost("unknown"),), "price unknown"),
    ],
)
def test_steps_without_a_price_stand_beside_what_is_known(costs, words):
    assert f"3.1k out {words}" in line(STATE._replace(session_costs=costs), 220)


def test_eighty_columns_hold_who_is_asked_who_pays_the_burn_and_the_window():
    words = line(STATE._replace(model="deepseek/deepseek-flash", payer="prepaid"), 80)
    for each in ("deepseek-flash·prepaid", "2.1k/900/412 $0.0126", "5 hours 41% ↺14:20"):
        assert each in words


@pytest.mark.parametrize("width", range(1, 240, 7))
def test_it_never_is_wider_than_the_screen(width):
    assert cell_len(line(STATE, width)) <= width
    assert cell_len(line(MeterState(), width)) <= width


def test_what_moves_is_marked():
    assert "~2.1k" in line(STATE._replace(moving=True), 220)
    assert "~" not in line(STATE, 220)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.0k"),
        (99_949, "99.9k"),
        (99_960, "100k"),
        (999_499, "999k"),
        (999_600, "1.0M"),
    ],
)
def test_counts_are_short(count, words):
    assert short(count) == words


NOW = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
WINDOW = Estimate(
    "mine", "5 hours", "credits", "open", Decimal(900), Decimal(2000), Decimal(1100), NOW - timedelta(minutes=90),
    NOW + timedelta(minutes=210), NOW + timedelta(minutes=210), "provider", 300, Decimal(45), Decimal(900), Decimal(910),
)  # fmt: skip


def meter_line(estimate, width=200):
    return line(present.metered(STATE, estimate, NOW), width)


def local(at):
    return f"{at.astimezone():%H:%M}"


def test_the_window_that_binds_is_named_with_share_reset_pace_age_and_source():
    words = meter_line(WINDOW, 240)
    dry = NOW + timedelta(minutes=110)
    for each in ("5 hours", "45%", "dry at", local(dry), "provider, 5 min ago"):
        assert each in words
    lasting = WINDOW._replace(used=Decimal(400), remaining=Decimal(1600), age_s=0, source="headers")
    words = meter_line(lasting, 240)
    assert "lasts, about 66.7% at reset" in words
    assert words.rstrip().endswith("headers")


def test_in_eighty_columns_the_pace_is_short():
    state = STATE._replace(model="deepseek/flash", session=TokenUsage(), context_share=None)
    words = line(present.metered(state, WINDOW, NOW), 80)
    assert "5 hours 45% ↺" in words
    assert f"dry {local(NOW + timedelta(minutes=110))}" in words


def test_what_is_used_up_says_so_and_what_has_no_window_says_what_is_left():
    spent = WINDOW._replace(used=Decimal(2000), remaining=Decimal(0), state="exhausted")
    assert "5 hours used up resets" in meter_line(spent, 240)
    assert "dry" not in meter_line(spent, 240)
    balance = WINDOW._replace(
        meter="balance", unit="money", limit=None, used=Decimal(12), remaining=Decimal("98.00"), currency="CNY",
        start=None, end=None, resets_at=None,
    )  # fmt: skip
    assert "balance ¥98.00 left" in meter_line(balance)
    typed = WINDOW._replace(source="you", age_s=7200)
    assert "you typed it, 2 h ago" in meter_line(typed, 260)
    assert "5 hours ?" in meter_line(WINDOW._replace(used=None, remaining=None, limit=None))


def quote(model, amount, share=None):
    cost = [Cost("metered", Decimal(amount) * factor) for factor in (1, Decimal("0.5"), 2)]
    return Quote(model, 800, 1_000, 1_300, *cost, share)


def test_a_quote_names_the_band_and_the_others_as_far_as_they_fit():
    found = [quote("zai/glm-5.3", "0.02", 0.031), quote("deepseek/flash", "0.001"), quote("openai/sol", "0.5")]
    words = quoting.line(found, 120)
    assert words == "~1.0k tokens ±30%, $0.01 to $0.04, 3.1% of the plan │ flash $0.001 │ sol $0.50"
    assert quoting.line(found, 70).endswith("flash $0.001")
    assert len(quoting.line(found, 20)) <= 20
    included = found[0]._replace(cost=Cost("included"), cost_low=Cost("included"), cost_high=Cost("included"))
    assert "included" in quoting.line([included], 80)
    assert quoting.line([], 80) == ""
