"""The meter line: everything in full where there is room, all that matters in 80 columns, never wider than the screen."""

from dataclasses import replace
from decimal import Decimal

import pytest
from rich.cells import cell_len

from assistant.tokens import Cost, TokenUsage
from assistant.tui import theme
from assistant.tui.widgets.meter_bar import MeterBar, MeterState, money, short

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
        "metered pays",
        "context 3%",
        "turn 2.1k fresh 900 cached 412 out $0.0126",
    ):
        assert each in words
    for each in ("session 12.4k fresh 7.9k cached 3.1k out $0.1234", "5 hours", "41%", "resets 14:20", "our count"):
        assert each in words


def test_eighty_columns_hold_who_is_asked_who_pays_the_burn_and_the_window():
    words = line(replace(STATE, model="deepseek/deepseek-flash", payer="prepaid"), 80)
    for each in ("deepseek-flash·prepaid", "2.1k/900/412 $0.0126", "5 hours 41% ↺14:20"):
        assert each in words


@pytest.mark.parametrize("width", range(1, 240, 7))
def test_it_never_is_wider_than_the_screen(width):
    assert cell_len(line(STATE, width)) <= width
    assert cell_len(line(MeterState(), width)) <= width


def test_what_moves_is_marked():
    assert "~2.1k" in line(replace(STATE, moving=True), 220)
    assert "~" not in line(STATE, 220)


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost("metered", Decimal("0.00001")), "$<0.0001"),
        (Cost("metered", Decimal("0.5")), "$0.5000"),
        (Cost("metered", Decimal("12.346")), "$12.35"),
        (Cost("metered", Decimal(3), "CNY"), "¥3.00"),
        (Cost("included"), "included"),
        (Cost("free", Decimal(0)), "free"),
        (Cost("unknown"), "price unknown"),
    ],
)
def test_unknown_included_and_free_are_not_a_zero(cost, words):
    assert money(cost) == words


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
