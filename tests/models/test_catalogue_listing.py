"""Choosing: the list as a picker shows it, found by a few letters, filtered, compared."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assistant.models import catalogue, listing
from assistant.tokens import TokenUsage

ALL = catalogue.load({}, None, {})
PEAK = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ROWS = listing.rows(ALL, PEAK)


def test_a_row_says_what_holds_now_and_when_it_changes():
    row = next(row for row in ROWS if row.name == "deepseek/deepseek-flash")
    assert (row.price.label, row.price.input) == ("peak", Decimal(".30"))
    assert row.changes_at == datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    assert row.cheapest == row.price
    shown = listing.as_json(row)
    assert (shown["input"], shown["label"], shown["changes_at"]) == (
        ".30".replace(".", "0."),
        "peak",
        "2026-11-24T04:00:00+00:00",
    )
    assert shown["price_certain"] is True
    later = listing.rows(ALL, datetime(2027, 2, 9, 2, 0, tzinfo=UTC))
    flash = next(row for row in later if row.name == "deepseek/deepseek-flash")
    assert (flash.price.label, flash.cheapest.label) == ("peak", "off-peak")  # no calendar for that year
    assert listing.as_json(flash)["price_certain"] is False


def test_unknown_is_null_and_never_nothing():
    shown = listing.as_json(next(row for row in ROWS if row.name == "nova/nova-2-lite-v1"))
    assert (shown["input"], shown["output"], shown["currency"]) == (None, None, None)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("sonnet", "anthropic/claude-sonnet-5-5"), ("opus 5", "anthropic/claude-opus-5-5"), ("gpt sol 6.1", "openai/gpt-6.1-sol"),
        ("zai flash", "zai/glm-5.3-flash"), ("kimi code k3", "kimi-code/k3"), ("grok", "xai/grok-4.7"),
        ("claude-opus-5-5", "anthropic/claude-opus-5-5"), ("sonet", "anthropic/claude-sonnet-5-5"), ("deepseek pro", "deepseek/deepseek-v4-pro"),
        ("moonshot china k3", "kimi-cn/kimi-k3"),
    ],
)  # fmt: skip
def test_a_few_letters_find_it(query, first):
    found = [row.name for row in listing.find(ROWS, query)]
    assert found
    assert first in found[:3]


def test_a_provider_and_a_slash_are_the_beginning_of_a_name():
    names = [row.name for row in listing.find(ROWS, "zai/")]
    assert names
    assert all(name.startswith("zai/") or "/zai/" in name for name in names)
    assert listing.find(ROWS, "zai/opus") == []


def test_nothing_is_found_for_what_is_not_there():
    assert listing.find(ROWS, "zzzzzz") == []
    assert listing.find(ROWS, "sonnet zzzzzz") == []
    assert listing.find(ROWS, "", 5) == ROWS[:5]


def test_favourites_come_first_then_recents_then_what_has_a_key():
    rows = listing.rows(
        ALL,
        PEAK,
        ready=lambda provider: provider.name == "kimi",
        favourites=["xai/grok-4.7:high", "openrouter/some/new-model"],
        recents=["zai/glm-5.3", "gone/model"],
    )
    names = [row.name for row in rows]
    assert names[:3] == ["xai/grok-4.7", "openrouter/some/new-model", "zai/glm-5.3"]
    assert rows[3].provider.name == "kimi"
    assert not rows[-1].ready
    found = listing.find(rows, "glm-5.3")
    assert found[0].name == "zai/glm-5.3"
    assert listing.rows(ALL, PEAK, favourites=["bigmodel/glm-5.3"])[0].name == "bigmodel/glm-5.3"


def test_filters_keep_what_meets_every_wish():
    cheap = listing.keep(ROWS, most_input=Decimal(".20"))
    assert {"anthropic/claude-haiku-5-5", "openai/gpt-6-luna"} <= {row.name for row in cheap}
    assert all(row.payer in {"plan", "free", "local"} or row.price.input <= Decimal(".20") for row in cheap)
    assert all(row.price.currency == "CNY" for row in listing.keep(ROWS, most_input=Decimal(9), currency="CNY") if row.payer == "prepaid")  # fmt: skip
    assert {row.provider.name for row in listing.keep(ROWS, provider="gemini")} == {"gemini"}
    seeing = listing.keep(ROWS, abilities=["images", "tools"], least_window=1_000_000)
    assert seeing
    assert all({"images", "tools"} <= row.model.abilities and row.model.context_window >= 1_000_000 for row in seeing)
    assert {row.payer for row in listing.keep(ROWS, payer="plan")} == {"plan"}
    assert listing.keep(ROWS, most_output=Decimal(0), payer="metered") == []


def test_models_are_compared_fact_by_fact():
    pair = [row for row in ROWS if row.name in {"deepseek/deepseek-flash", "bigmodel-coding/glm-5.3"}]
    table = dict(listing.compare(pair, TokenUsage(100_000, output=2_000), PEAK))
    assert table["who pays"] == ("plan", "prepaid")
    assert table["this usage"] == ("included", "$0.0324")
    assert table["price now"] == ("unknown", "peak")
    assert all(len(values) == 2 for values in table.values())
