import base64
import hashlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import tokens
from assistant.tokens import Cost, TokenUsage, total_cost


def test_the_shipped_vocabulary_is_the_one_tiktoken_pins():
    from tiktoken_ext import openai_public

    ranks = tokens.vocabulary()
    text = b"".join(base64.b64encode(word) + b" %d\n" % rank for word, rank in ranks.items())
    digest = hashlib.sha256(text).hexdigest()
    assert digest in openai_public.o200k_base.__code__.co_consts or digest.startswith("446a9538")


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("hello world", 2), ("<|endoftext|>", 7), ("日本語", 2), ("def main() -> None:\n    pass\n", 9)],
)
def test_known_counts(text, count):
    assert tokens.count(text) == count


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["def f(x):\n", "    return x\n", "\n", "# ünï\n", "a" * 300 + "\n"]), min_size=800))
def test_long_texts_are_counted_in_pieces_without_losing_a_token(lines):
    text = "".join(lines)
    assert tokens._encoding is not None or tokens.warm() is None
    whole = len(tokens._encoding.encode_ordinary(text))
    assert abs(tokens.count(text) - whole) <= 1


def test_a_megabyte_of_one_letter_is_counted():
    assert tokens.count("a" * 1_000_000) > 10_000


def test_usage_adds_up_and_stays_honest():
    total = TokenUsage(1, 2, 3, 4, 5, 6) + TokenUsage(1, 1, 1, 1, 1, 1, exact=False)
    assert (total.total_input, total.total_output, total.total, total.exact) == (14, 13, 27, False)


@pytest.mark.parametrize(
    ("costs", "total"),
    [
        ([], Cost("free", Decimal(0))),
        ([Cost("metered", Decimal("0.1")), Cost("reported", Decimal("0.2"))], Cost("metered", Decimal("0.3"))),
        ([Cost("included"), Cost("free", Decimal(0))], Cost("included")),
        ([Cost("unknown"), Cost("metered", Decimal(1))], Cost("unknown")),
        ([Cost("metered", Decimal(1), "CNY"), Cost("metered", Decimal(1))], Cost("unknown")),
    ],
)
def test_costs_add_up_without_hiding_anything(costs, total):
    assert total_cost(costs) == total


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost("metered", Decimal("0.00001")), "$0.00001"),
        (Cost("metered", Decimal("0.000082")), "$0.000082"),
        (Cost("metered", Decimal("0.0123456")), "$0.0123"),
        (Cost("metered", Decimal("0.5")), "$0.50"),
        (Cost("metered", Decimal("0.9999")), "$1.00"),
        (Cost("metered", Decimal("12.346")), "$12.35"),
        (Cost("metered", Decimal(1_234_567)), "$1,234,567.00"),
        (Cost("metered", Decimal(0)), "$0.00"),
        (Cost("metered", Decimal(3), "CNY"), "¥3.00"),
        (Cost("metered", Decimal("-0.1")), "-$0.10"),
        (Cost("reported", Decimal("0.07"), "JPY"), "JPY 0.07"),
        (Cost("included"), "included"),
        (Cost("free", Decimal(0)), "free"),
        (Cost("unknown"), "price unknown"),
    ],
)
def test_a_cost_is_told_the_same_everywhere_and_what_has_no_price_is_no_zero(cost, words):
    assert str(cost) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [("3", "$3"), ("0.4375", "$0.4375"), ("1.50", "$1.5"), ("0", "$0"), ("0.00", "$0"), ("1E+1", "$10")],
)
def test_a_price_of_the_list_keeps_every_digit(amount, words):
    assert tokens.rate(Decimal(amount)) == words
