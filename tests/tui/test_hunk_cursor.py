"""Where keys lead among hunks, without a screen."""

import pytest

from assistant.edits.patch import FilePatch, Patch
from assistant.edits.review import Review
from assistant.tui.hunk_cursor import Cursor
from assistant.tui.hunk_rows import FOOT, Row, Subject, Trouble, lay_out

WORDS = Row(words="words of ours")
ROWS = (
    WORDS,
    WORDS,  # 1: the first file
    *(Row(0, line) for line in (-1, 0, 1, 2)),  # 2 to 5
    WORDS,
    *(Row(1, line) for line in (-1, 0, 1)),  # 7 to 9
    WORDS,
    *(Row(2, line) for line in (-1, 0, 1, 2, 3)),  # 11 to 15
    *[WORDS] * 3,  # what found no place
    *[Row()] * FOOT,
)
HUNKS = Cursor(ROWS, (2, 7, 11), 2)


@pytest.mark.parametrize(("row", "at"), [(0, 0), (2, 0), (5, 0), (7, 1), (9, 1), (11, 2), (15, 2)])
def test_it_is_in_the_hunk_whose_head_is_above_it(row, at):
    assert HUNKS._replace(row=row).at == at


def test_lines_lead_over_what_is_of_no_hunk_and_no_farther_than_there_are_some():
    rows, cursor = [], HUNKS
    for _ in range(30):
        rows.append(cursor.row)
        cursor = cursor.line(1)
    assert list(dict.fromkeys(rows)) == [2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 15]
    assert cursor.line(1) is cursor
    assert HUNKS._replace(row=11).line(-1).row == 9
    assert HUNKS.line(-1) is HUNKS


def test_hunks_are_gone_to_by_number_and_there_is_always_a_nearest():
    assert [HUNKS.to(each).row for each in (-3, 0, 1, 2, 9)] == [2, 2, 7, 11, 11]


def test_an_end_is_the_head_of_the_last_hunk_and_then_its_last_row():
    assert HUNKS.end(1).row == 11
    assert HUNKS.end(1).end(1).row == 15
    assert HUNKS._replace(row=13).end(1).row == 15
    assert HUNKS._replace(row=13).end(-1).row == 2


def test_a_page_is_as_many_rows_as_are_in_sight_and_ends_at_the_last_hunk():
    assert HUNKS.page(1, 4).row == 5  # the row between two hunks is none of them
    assert HUNKS.page(1, 100).row == 15
    last = HUNKS._replace(row=15)
    assert last.page(1, 4) is last  # below it are words of ours, to be scrolled to
    assert last.page(-1, 9).row == 7
    assert last.page(-1, 100).row == 2
    assert HUNKS.page(-1, 4) is HUNKS


def test_what_is_of_no_hunk_is_not_gone_to():
    assert HUNKS.on(8).row == 8
    for row in (-1, 0, 6, 16, 100):
        assert HUNKS.on(row) is HUNKS


@pytest.mark.parametrize("cursor", [Cursor(), Cursor([WORDS] * 4)])
def test_where_there_are_no_hunks_nothing_leads_anywhere(cursor):
    moves = [cursor.to(1), cursor.on(0), *(each for way in (-1, 1) for each in (cursor.line(way), cursor.page(way, 3)))]
    assert all(each is cursor for each in (*moves, cursor.end(1), cursor.end(-1)))
    assert cursor.at == 0
    assert cursor.here in {Row(), WORDS}
    assert cursor.top(7, 3) == 7


@pytest.mark.parametrize(
    ("row", "top", "size", "want"),
    [
        (8, 4, 10, 4),  # in sight
        (8, 8, 10, 7),  # the row above is seen as well
        (5, 0, 4, 2),  # below
        (7, 0, 8, 6),  # a head, and not all of its hunk
        (7, 0, 11, 0),  # a head with all of its hunk, and the row behind that
        (2, 9, 10, 1),
        (0, 5, 10, 0),
    ],
)
def test_it_is_scrolled_to_as_little_as_it_takes_and_a_hunk_is_seen_whole_at_its_head(row, top, size, want):
    assert HUNKS._replace(row=row).top(top, size) == want


BEFORE = "".join(f"line {number}\n" for number in range(40))
AFTER = BEFORE.replace("line 5\n", f"{'five ' * 40}\nend of five\n").replace("line 30\n", "thirty\n")


def laid_out(width, *, refused=""):
    patch = Patch((FilePatch("notes.txt", BEFORE.encode(), AFTER.encode(), 0o644, 0o644),))
    return lay_out(Subject(Review.of(patch)), Trouble(refused=refused), [], width, beside=False)


@pytest.mark.parametrize("side", [-1, 1])
def test_it_stays_in_its_hunk_where_the_rows_are_laid_out_anew(side):
    narrow = Cursor(*laid_out(30)).to(0)
    last = narrow._replace(row=max(row for row, each in enumerate(narrow.rows) if each.hunk == 0))
    wide = last.over(*laid_out(200))
    assert wide.at == 0
    assert wide.here == max((row for row in wide.rows if row.hunk == 0), key=lambda row: row.line)
    told = narrow.to(side).over(*laid_out(30, refused="words " * 40))
    assert told.at == max(side, 0)
    assert told.row == told.heads[told.at] > narrow.heads[told.at]


def test_it_goes_to_the_nearest_hunk_where_its_own_is_gone():
    rows, heads = ROWS[:10], (2, 7)
    assert HUNKS.to(2).over(rows, heads).row == 7
    assert Cursor().over(rows, heads).row == 2
    assert HUNKS.over([WORDS], ()).row == 0
