"""Hunks that have lost their place: which, why, and what a model is told of them."""

import pytest

from assistant.edits import lost
from assistant.edits.merge import merge
from assistant.edits.patch import FilePatch

LINES = [f"line {number}\n" for number in range(60)]
BEFORE = "".join(LINES).encode()


def with_lines(**changed):
    lines = [changed.get(f"at{number}", line) for number, line in enumerate(LINES)]
    return "".join(lines).encode()


FILE = FilePatch("notes.txt", BEFORE, with_lines(at5="five\n", at25="twenty-five\n", at45="forty-five\n"), 0o644, 0o644)


@pytest.mark.parametrize(
    ("now", "which"),
    [
        (BEFORE, []),
        (b"new\n" + BEFORE, []),
        (with_lines(at15="typed\n"), []),
        (with_lines(at5="typed\nline 5\n", at25="line 25\ntyped\n"), []),  # right above, and right below
        (with_lines(at5="typed\nelse\n"), [0]),
        (with_lines(at25="typed\n"), [1]),
        (b"new\n" + with_lines(at5="typed\n", at45="typed\n"), [0, 2]),
        (None, [0, 1, 2]),
        (b"", [0, 1, 2]),
        (with_lines(at4="typed\n"), [0]),
        (with_lines(at4="", at46=""), [0, 2]),
    ],
)
def test_only_hunks_whose_lines_were_changed_have_lost_their_place(now, which):
    assert [FILE.hunks.index(each.hunk) for each in lost.find(FILE, FILE.hunks, now)] == which


def test_what_came_right_above_or_below_a_hunk_stays_there():
    first = FilePatch("notes.txt", b"one\ntwo\n", b"1\ntwo\n", 0o644, 0o644)
    assert lost.find(first, first.hunks, b"# new\none\ntwo\n") == ()
    assert merge(b"one\ntwo\n", b"1\ntwo\n", b"# new\none\ntwo\n") == b"# new\n1\ntwo\n"
    assert merge(b"one\ntwo\n", b"1\ntwo\n", b"one\n# new\ntwo\n") == b"1\n# new\ntwo\n"
    assert merge(b"one\ntwo\n", b"two\n", b"one\n# new\ntwo\n") == b"# new\ntwo\n"
    assert merge(b"one\ntwo\n", b"0\none\ntwo\n", b"# new\none\ntwo\n") is None, "which comes first, nobody knows"
    assert merge(b"one\ntwo\n", b"one\n1.5\ntwo\n", b"ONE\ntwo\n") is None, "it was to stand behind another line"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"a\nb\n", b"a\nB", b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\r\nb\r\n", b"a\r\nb", b"a\r\nb\r\nc", b"a\r\nb\r\nc"),
        (*("\ufeff" + each for each in ("a\nb\n", "a\nB", "a\nb\nc\n", "a\nB\nc\n")),),
    ],
)
def test_a_last_line_without_an_end_ends_where_more_has_come_below(base, ours, theirs, merged):
    base, ours, theirs, merged = (
        each.encode("utf-16-le") if isinstance(each, str) else each for each in (base, ours, theirs, merged)
    )
    assert merge(base, ours, theirs) == merged


def test_a_change_comes_below_no_other_head_than_it_was_made_for():
    one, two = (f"class {name}:\n    n = 1\n\n    def go(self):\n        return 1\n\n\n" for name in "AB")
    ours = (one + two.replace("return 1", "return 2")).encode()
    patch = FilePatch("a.py", (one + two).encode(), ours, 0o644, 0o644)
    for now in (
        two + one,
        one + two.replace("return 1", "return 9") + two.replace("class B", "class C"),
        one + two.replace("B", "C") + two,
    ):
        assert merge((one + two).encode(), ours, now.encode()) in {
            None,
            now.replace(two, two.replace("return 1", "return 2")).encode(),
        }
    assert merge((one + two).encode(), ours, (two + one).encode()) is None
    (gone,) = lost.find(patch, patch.hunks, (two + one).encode())
    assert "changed since the patch was made" in gone.misfit.words
    renamed = (one + two.replace("class B", "class BX")).encode()
    assert merge((one + two).encode(), ours, renamed) == ours.replace(b"class B", b"class BX")


def test_it_says_which_lines_were_changed_and_shows_them_as_they_are():
    (one,) = lost.find(FILE, FILE.hunks, b"new\n" + with_lines(at25="typed\n"))
    assert one.misfit.words == "line 27 of notes.txt was changed since the patch was made."
    (near,) = one.misfit.candidates
    assert (near.start, near.end) == (24, 30)
    assert "line 24\ntyped\nline 26\n" in near.text
    assert "line 25\n" in one.misfit.edit.before
    assert "twenty-five\n" in one.misfit.edit.after
    assert one.misfit.mendable


def test_a_file_that_is_gone_or_there_already_says_so():
    gone = lost.find(FILE, FILE.hunks[:1], None)[0].misfit
    assert (gone.reason, gone.words) == ("no_file", "notes.txt is gone since the patch was made.")
    fresh = FilePatch("new.txt", None, b"new\n", None, 0o644)
    there = lost.find(fresh, fresh.hunks, b"other\n")[0].misfit
    assert (there.reason, there.edit.action) == ("exists", "create")
