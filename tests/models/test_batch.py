"""What came in one read is given out in fewer chunks that say the same."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.models.batch import Merger
from assistant.models.wire import ServedChunk, StopChunk, TextChunk, ThoughtChunk, UsageChunk
from assistant.tokens import TokenUsage

ONE, TWO = UsageChunk(TokenUsage(1)), UsageChunk(TokenUsage(2))
PAID = UsageChunk(TokenUsage(1), reported_cost=Decimal(1))


@pytest.mark.parametrize(
    ("batch", "merged"),
    [
        ([TextChunk("a"), TextChunk("b")], [TextChunk("ab")]),
        ([TextChunk("a"), ThoughtChunk("t"), ThoughtChunk("u"), TextChunk("b")], [TextChunk("a"), ThoughtChunk("tu"), TextChunk("b")]),
        ([ThoughtChunk("a"), ThoughtChunk("", "s"), ThoughtChunk("b")], [ThoughtChunk("a", "s"), ThoughtChunk("b")]),
        ([TextChunk("a"), ONE, TextChunk("b"), TWO], [TextChunk("ab"), TWO]),
        ([PAID, TextChunk("a"), TWO], [PAID, TextChunk("a"), TWO]),
        ([ServedChunk("m")], [ServedChunk("m")]),
        ([], []),
    ],
)  # fmt: skip
def test_the_same_in_fewer(batch, merged):
    assert Merger().merge(batch) == merged


def test_halves_of_a_character_are_put_together():
    merger = Merger()
    assert merger.merge([TextChunk("a\ud83d")]) == [TextChunk("a")]
    assert merger.merge([ONE]) == [ONE]
    assert merger.merge([TextChunk("\ude00b")]) == [TextChunk("\U0001f600b")]
    assert merger.merge([TextChunk("c\ude00\ud83dd\ud83d"), StopChunk("end")], last=True) == [
        TextChunk("\ufffd"),
        TextChunk("c\ufffd\ufffdd"),
        StopChunk("end"),
    ]


@given(st.text(max_size=12), st.lists(st.integers(0, 24), max_size=6))
def test_a_text_cut_between_its_halves_is_the_same_text(text, cuts):
    units = text.encode("utf-16-be", "surrogatepass")
    at = [0, *sorted(cut * 2 for cut in cuts if cut * 2 < len(units)), len(units)]
    pieces = [units[begin:end].decode("utf-16-be", "surrogatepass") for begin, end in pairwise(at)]
    merger = Merger()
    found = [chunk for piece in pieces if piece for chunk in merger.merge([TextChunk(piece)])] + merger.merge(
        [], last=True
    )
    assert "".join(chunk.text for chunk in found) == text
