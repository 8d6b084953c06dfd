"""What stands in the view of hunks, laid out without a screen."""

import pytest
from rich.cells import cell_len

from assistant.edits.patch import FilePatch, Patch
from assistant.edits.review import Review
from assistant.tui.hunk_rows import FOOT, Subject, Trouble, foot, head, lay_out

BEFORE = "".join(f"line {number}\n" for number in range(1, 41))
AFTER = BEFORE.replace("line 5\n", f"five {'and more ' * 12}\n").replace("line 30\n", "thirty\n")
REVIEW = Review.of(
    Patch(
        (
            FilePatch("notes.txt", BEFORE.encode(), AFTER.encode(), 0o644, 0o644),
            FilePatch("run.sh", None, b"#!/bin/sh\n", None, 0o755),
        )
    )
)


def words(rows):
    return [row.words for row in rows if row.words]


@pytest.mark.parametrize("width", [30, 76, 140])
@pytest.mark.parametrize("beside", [False, True])
def test_each_hunk_has_its_head_and_each_of_its_lines_stands_somewhere(width, beside):
    rows, heads = lay_out(Subject(REVIEW), Trouble(), [], width, beside=beside)
    assert [rows[at].hunk for at in heads] == [0, 1, 2]
    assert all(rows[at].line < 0 for at in heads)
    for index, each in enumerate(REVIEW.choices):
        shown = {line for row in rows if row.hunk == index for line in row.lines if line >= 0}
        assert shown == set(range(len(each.hunk.lines)))
    assert all(cell_len(each) <= width for each in words(rows) if not each.startswith(("notes", "run")))
    assert any(row.beside for row in rows) == (beside and width >= 100)
    assert words(rows) == ["notes.txt  +2 -2", "run.sh  +1 -0  create, executable"]
    assert not any(row.words or row.hunk >= 0 for row in rows[-FOOT:]), "there is room for the keys"


def test_what_went_wrong_stands_above_and_a_comment_below_its_line():
    review = REVIEW.comment(1, 3, "why thirty?")
    rows, heads = lay_out(Subject(review, origin="turn 7"), Trouble(refused="the disk is full"), [], 76, beside=False)
    assert words(rows)[:3] == ["turn 7", "the disk is full", "notes.txt  +2 -2"]
    at = next(at for at, row in enumerate(rows) if "why thirty?" in row.words)
    assert (rows[at - 1].hunk, rows[at - 1].line) == (1, 3)
    assert heads[1] < at < heads[2]
    assert "1 comment" in head(Subject(review), Trouble(), 1).words


def test_the_foot_tells_what_is_decided_and_takes_its_lines_for_long_words():
    review = REVIEW.mark(0, "take").mark(1, "skip")
    assert foot(Subject(review), "", 120, here=True)[0].startswith(" ✓1 ✗1 ·1  y take")
    assert foot(Subject(review), "", 120, here=False) == [" ✓1 ✗1 ·1  F2 leads to these hunks"]
    long = foot(Subject(review), "not written: " + "because " * 20, 60, here=True)
    assert len(long) == FOOT
    assert all(cell_len(each) <= 60 for each in long)


def test_without_hunks_it_says_what_to_do():
    rows, heads = lay_out(Subject(), Trouble(), [], 76, beside=False)
    assert heads == []
    assert words(rows)[0].startswith("No hunks wait for you.")
