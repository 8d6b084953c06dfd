"""Spending a budget: which pieces of which files go first."""

from assistant.context import choose
from assistant.context.choose import Shown
from assistant.context.measure import Measure
from assistant.context.segments import Segment

ROWS = 10


def file(path, worth, *scores):
    """Make a file of pieces of ten lines, some 60 tokens each, with these scores."""
    lines = [f"kettle = water + {number}" for number in range(ROWS * len(scores))]
    shown = Shown(path, lines, None, "", worth)
    shown.pieces = [
        Segment(path, ROWS * at + 1, ROWS * at + ROWS, None, score) for at, score in enumerate(scores)
    ]  # fmt: skip
    return shown


def lines(shown):
    return sum(last - first + 1 for first, last in shown.ranges)


def test_when_much_of_the_best_file_is_shown_the_next_has_its_turn():
    best, next_ = file("a.py", 1.0, *[1.0] * 300), file("b.py", 0.5, *[1.0] * 300)
    choose.spend([best, next_], 1_500, Measure())
    assert lines(best) > 100
    assert not next_.ranges
    best, next_ = file("a.py", 1.0, *[1.0] * 300), file("b.py", 0.5, *[1.0] * 300)
    choose.spend([best, next_], 8_000, Measure())
    assert lines(best) > lines(next_) > 150


def test_a_lesser_piece_of_the_best_file_stays_before_the_best_of_a_file_that_is_much_less():
    best, next_ = file("a.py", 1.0, *[1.0] * 60), file("b.py", 0.05, *[1.0] * 60)
    choose.spend([best, next_], 3_000, Measure())
    assert lines(best) > 300
    assert not next_.ranges


def test_what_only_a_paste_names_gives_way_to_the_end():
    pasted, asked = file("a.py", 1.0, 1.0, 1.0), file("b.py", 1.0, 1.0)
    for each in (pasted, asked):
        each.firm = [(1, 3), (5, 7)]
        each.ranges = [(1, 8), (10, 10)]
    asked.must = True
    shown, states = [asked, pasted], set()
    while choose.shrink(shown):
        state = str([(each.ranges, each.names) for each in shown])
        assert state not in states, "it would go on for ever"
        states.add(state)
    assert (asked.ranges, pasted.ranges) == ([(1, 3), (5, 7)], [])
