"""Pieces of a file, and what the words of a question give them."""

import pytest

from assistant.context import segments
from assistant.context.query import ask
from assistant.context.tags import Tag, Tags


def scores(*texts, question="tea kettle", idfs=None):
    """Weigh pieces of ten lines, each with three between it and the next that say nothing."""
    lines = []
    for text in texts:
        rows = text.split("/")
        lines += [*rows, *["x"] * (40 - len(rows))]
    pieces = [segments.Segment("a.py", first, first + 9, None) for first in range(1, len(lines), 10)]
    idfs = idfs or {"tea": 3.0, "kettl": 3.0}
    found = [each.score for each in segments.weigh(pieces, lines, ask(question), idfs)]
    return [score - min(found) for score in found[::4]]  # less what any piece gets of the best of its file


def test_a_word_said_more_often_says_more_but_soon_hardly_any_more():
    once, twice, often = scores("tea", "tea/tea", "tea/tea/tea/tea/tea/tea")
    assert once < twice < often
    assert often < 1.7 * once
    assert often - twice < twice


def test_two_words_once_say_more_than_one_word_many_times():
    both, one = scores("tea/kettle", "tea/tea/tea/tea/tea/tea/tea/tea")
    assert both > 1.1 * one


def test_the_rarer_word_says_more():
    rare, plain = scores("tea", "kettle", idfs={"tea": 5.0, "kettl": 2.0})
    assert rare == pytest.approx(2.5 * plain)


def test_a_letter_that_becomes_two_when_it_is_small_moves_no_words():
    assert scores("tea", "İ/tea") == pytest.approx(scores("tea", "I/tea"))


SOURCE = """\
// Licence.

#include <tea.h>
int cup;
/* Boils
   water. */
int boil(int x) {
  return x;
}
#define HOT 1
int pour(void);

/// Toasts.
/// Twice.
#[inline]
fn toast() {}
"""


def test_a_comment_goes_with_the_definition_below_it():
    lines = SOURCE.split("\n")
    tags = Tags(
        (Tag("boil", "function", 7, 9, 7), Tag("pour", "function", 11, 11, 11), Tag("toast", "function", 16, 16, 16))
    )
    found = [(each.first, each.last, each.tag and each.tag.name) for each in segments.cut("a.c", lines, tags)]
    assert found == [
        (1, 4, None), (5, 9, "boil"), (10, 10, None), (11, 11, "pour"), (12, 12, None), (13, 16, "toast"), (17, 17, None),
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "above"), [("a.md", "# Tea"), ("a.css", "#tea,")])
def test_a_line_that_begins_like_a_comment_of_other_languages_is_none(path, above):
    lines = [above, "## Kettles", "boil"]
    (first, second) = segments.cut(path, lines, Tags((Tag("Kettles", "heading", 2, 3, 2),)))
    assert (first.last, second.first) == (1, 2)
    (only,) = segments.cut(path, ["/* all", "of it */", "boil"], Tags((Tag("Kettles", "heading", 3, 3, 3),)))
    assert only.first == 1


def test_a_comment_that_ends_behind_code_stays_with_that():
    lines = ["int a; /* of", "tea */", "int boil(void);"]
    (first, second) = segments.cut("a.c", lines, Tags((Tag("boil", "function", 3, 3, 3),)))
    assert (first.last, second.first) == (2, 3)


def test_a_heading_is_no_comment_of_the_next():
    tags = Tags((Tag("Tea", "section", 1, 3, 1), Tag("Pots", "section", 2, 3, 2)))
    assert [(each.first, each.last) for each in segments.cut("tea.md", ["# Tea", "## Pots", "hot"], tags)] == [
        (1, 1),
        (2, 3),
    ]
