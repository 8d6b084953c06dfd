"""Token factors: from the catalogue at first, then from what is reported."""

import json
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from assistant.models import estimate


def test_before_anything_is_reported_the_catalogue_speaks_with_a_wide_band():
    low, likely, high = estimate.factor({}, "a/b", 1.6)
    assert likely == 1.6
    assert low < 1.42 / 1.0
    assert high > 2.1


def test_the_ratio_is_learned_and_the_band_narrows_around_it():
    chance = random.Random(7)
    state, bands = {}, []
    for _ in range(40):
        counted = chance.randint(2_000, 40_000)
        state = estimate.learn(state, "a/b", counted, round(counted * chance.gauss(1.52, 0.02)), 1.25)
        low, likely, high = estimate.factor(state, "a/b", 1.25)
        bands.append(high - low)
    assert abs(likely - 1.52) < 0.03
    assert low < 1.52 < high
    assert bands[-1] < bands[0] / 3
    assert estimate.factor(state, "a/other", 1.25)[1] == 1.25


def test_a_change_of_content_is_followed_within_some_turns():
    state = {}
    for _ in range(20):
        state = estimate.learn(state, "m", 10_000, 11_000)
    for _ in range(12):
        state = estimate.learn(state, "m", 10_000, 15_000)
    assert abs(estimate.factor(state, "m")[1] - 1.5) < 0.05


def test_what_teaches_nothing_changes_nothing():
    known = estimate.learn({}, "m", 1_000, 1_200)
    for counted, reported in ((10, 400), (1_000, 0), (1_000, 90_000), (0, 0), (1_000, -5)):
        assert estimate.learn(known, "m", counted, reported) == known


def test_tokens_are_whole_and_the_ends_lie_outside():
    low, likely, high = estimate.factor({}, "m", 1.07).of(1_001)
    assert low <= likely <= high
    assert (low, high) == (math.floor(1_001 * 1.07 * 0.8), math.ceil(1_001 * 1.07 * 1.35))


def test_what_was_learned_survives_and_what_was_not_is_left_out():
    state = estimate.learn(estimate.learn({}, "a/b", 5_000, 7_000), "c/d", 9_000, 9_100)
    kept = estimate.from_json(json.loads(json.dumps(estimate.as_json(state))))
    assert estimate.factor(kept, "a/b") == estimate.factor(estimate.from_json(estimate.as_json(state)), "a/b")
    assert estimate.from_json({"x": [99, 0, 1], "y": "no", "z": [1, 0, 0], "w": [1.1, 0.0, 3]}).keys() == {"w"}
    assert estimate.from_json([1, 2]) == {}


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), max_size=30))
def test_the_band_always_holds_the_likely_value_and_stays_sane(usages):
    state = {}
    for counted, reported in usages:
        state = estimate.learn(state, "m", counted, reported)
    low, likely, high = estimate.factor(state, "m")
    assert 0 < low <= likely <= high < 10
