"""Decisions about hunks, as values: what is written, what stays, what a repair adds on top."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.edits.edit import Origin
from assistant.edits.patch import FilePatch, Patch
from assistant.edits.review import Comment, Review, compose

BEFORE = b"".join(b"line %d\n" % number for number in range(1, 61))


def after(*changes):
    lines = BEFORE.split(b"\n")
    for number, words in changes:
        lines[number - 1] = words
    return b"\n".join(lines)


@pytest.fixture
def review():
    files = (
        FilePatch("a.py", BEFORE, after((3, b"three"), (30, b"thirty"), (55, b"x")), 0o644, 0o644),
        FilePatch("b.py", None, b"new\n", None, 0o644),
    )
    return Review.of(Patch(files))


def test_what_is_taken_is_written_and_what_is_open_stays(review):
    review = review.mark(0, "take").mark(1, "skip")
    kept, left = review.part()
    assert kept.files[0].after == after((3, b"three"))
    assert left.files[0].before == kept.files[0].after
    assert left.files[0].after == after((3, b"three"), (55, b"x"))
    assert [file.path for file in left.files] == ["a.py", "b.py"]
    assert review.decided
    assert not Review.of(review.patch).decided


def test_marks_for_a_file_and_for_all(review):
    assert [each.mark for each in review.mark_file(1, "take").choices] == ["take", "take", "take", ""]
    assert len(review.mark_all("skip").skipped) == 4
    assert review.mark_all("skip").part()[0].files == ()


def test_the_next_undecided_goes_round_the_end(review):
    review = review.mark(1, "take").mark(2, "take")
    assert review.next_undecided(0) == 3
    assert review.next_undecided(3) == 0
    assert review.mark_all("take").next_undecided(2) == 2


def test_an_edited_hunk_is_written_as_edited(review):
    review = review.edit(1, "THIRTY\nand a half\n")
    assert review.part()[0].files[0].after == after((30, b"THIRTY\nand a half"))
    assert review.edited == review.taken


def test_a_hunk_is_cut_into_its_changes():
    patch = Patch((FilePatch("a.py", BEFORE, after((3, b"three"), (7, b"seven")), 0o644, 0o644),))
    review = Review.of(patch)
    assert len(review.choices) == 1
    parts = review.split(0)
    assert len(parts.choices) == 2
    assert parts.mark(1, "take").part()[0].files[0].after == after((7, b"seven"))
    assert parts.split(0) is parts


def test_more_of_the_file_can_be_seen_and_nothing_else_changes(review):
    wide = review.widen(1).widen(1)
    assert len(wide.choices[1].hunk.lines) > len(review.choices[1].hunk.lines)
    assert wide.mark_all("take").part()[0] == review.mark_all("take").part()[0]
    assert wide.widen(3) == wide


def test_a_comment_names_the_line_as_it_will_be(review):
    index = next(i for i, line in enumerate(review.choices[1].hunk.lines) if line.kind == "+")
    comment = review.comment(1, index, "why?").comments[0]
    assert (comment.path, comment.line, comment.words) == ("a.py", 30, "why?")


def test_a_comment_on_a_line_that_goes_says_which(review):
    index, line = next((i, line) for i, line in enumerate(review.choices[1].hunk.lines) if line.kind == "-")
    said = review.comment(1, index, "why?")
    assert said.comments == (Comment("a.py", line.old, "why?", line.text),)
    assert said.commented(1, index) == "why?"
    above = said.comment(1, 0, "and this?")
    assert len(above.comments) == 2


def test_what_was_cut_is_cut_again_in_the_patch_that_is_left(review):
    cut = review.split_at(1, next(i for i, line in enumerate(review.choices[1].hunk.lines) if line.kind == "+"))
    assert len(cut.choices) == len(review.choices) + 1
    left = cut.mark(0, "take").part()[1]
    again = cut.mark(2, "skip").over(left)
    assert [each.hunk.new for each in again.choices] == [each.hunk.new for each in cut.choices[1:]]
    assert [each.mark for each in again.choices] == ["", "skip", *[each.mark for each in cut.choices[3:]]]


def test_what_is_decided_is_recorded_and_recalled(review):
    done = review.mark(0, "skip").edit(1, "mine\n").comment(2, 0, "why?")
    record = json.loads(json.dumps(done.record()))
    again = Review.of(review.patch).recall(record)
    assert again == done
    other = Review.of(Patch((FilePatch("other.py", BEFORE, after((3, b"three")), 0o644, 0o644),)))
    assert other.recall(record).choices == other.choices
    for broken in (
        {},
        {
            "choices": [{}, 3, {"path": "a.py", "at": [], "lines": 1}, {"path": "a.py", "words": [5]}],
            "comments": [{"who": "x"}],
        },
    ):
        assert review.recall(broken) == review


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_however_hunks_were_cut_joined_and_edited_they_are_recalled(data):
    lines = [f"{number % 3}\n" for number in range(data.draw(st.integers(1, 12)))]
    after = []
    for line in lines:
        after += data.draw(st.sampled_from([[line], [line], [], [f"{line.strip()}!\n"], [line, "new\n"]]))
    if lines == after:
        return
    patch = Patch((FilePatch("a.py", "".join(lines).encode(), "".join(after).encode(), 0o644, 0o644),))
    done = Review.of(patch)
    for _ in range(data.draw(st.integers(1, 6))):
        index, line = data.draw(st.integers(0, len(done.choices) - 1)), data.draw(st.integers(0, 8))
        done = data.draw(
            st.sampled_from([
                done.mark(index, "take"), done.mark(index, "skip"), done.split(index), done.split_at(index, line),
                done.join(index), done.edit(index, "mine\n"),
            ])
        )  # fmt: skip
    again = Review.of(patch).recall(json.loads(json.dumps(done.record())))
    told = [[(each.hunk.at, each.hunk.old, each.hunk.new, each.mark) for each in one.choices] for one in (again, done)]
    assert sorted(told[0]) == sorted(told[1])
    assert again.part()[0].diff() == done.part()[0].diff()


def test_a_comment_is_changed_and_taken_back(review):
    said = review.comment(1, 0, "why?").comment(0, 0, "and this?")
    assert said.commented(1, 0) == "why?"
    other = said.comment(1, 0, "why not?")
    assert sorted(each.words for each in other.comments) == ["and this?", "why not?"]
    assert [each.words for each in other.comment(1, 0, "").comments] == ["and this?"]
    assert review.commented(1, 0) == ""


def test_a_repair_comes_on_top_and_decisions_are_kept(review):
    review = review.mark(0, "take")
    following = Patch(
        (
            FilePatch(
                "a.py",
                review.patch.files[0].after,
                after((3, b"three"), (30, b"thirty"), (45, b"y"), (55, b"x")),
                0o644,
                0o644,
            ),
        )
    )
    both = compose(review.patch, following)
    assert both.files[0].before == BEFORE
    again = review.over(both)
    assert [each.mark for each in again.choices] == ["take", "", "", "", ""]
    assert again.mark_all("take").part()[0].files[0].after == following.files[0].after


def test_a_file_that_comes_and_goes_again_is_no_change():
    made = Patch((FilePatch("n.py", None, b"x\n", None, 0o644),))
    gone = Patch((FilePatch("n.py", b"x\n", None, 0o644, None),))
    assert compose(made, gone).files == ()


def test_a_hunk_is_cut_at_a_line_and_joined_again():
    patch = Patch((FilePatch("a.py", BEFORE, after((3, b"three"), (4, b"four"), (20, b"x")), 0o644, 0o644),))
    review = Review.of(patch)
    lines = review.choices[0].hunk.lines
    assert [line.kind + line.text for line in lines[2:6]] == ["-line 3", "-line 4", "+three", "+four"]
    assert review.split_at(0, 1) is review  # nothing above would change
    cut = review.split_at(0, 4)
    assert [(each.hunk.removed, each.hunk.added) for each in cut.choices] == [(2, 0), (0, 2), (1, 1)]
    assert cut.mark(0, "take").part()[0].files[0].after == BEFORE.replace(b"line 3\nline 4\n", b"")
    for line in (3, 5):  # each new line stands for the old one in its place
        pairs = review.split_at(0, line)
        assert [(each.hunk.removed, each.hunk.added) for each in pairs.choices] == [(1, 1), (1, 1), (1, 1)]
        assert pairs.mark(0, "take").part()[0].files[0].after == BEFORE.replace(b"line 3\n", b"three\n")
    joined = cut.join(0).join(0)
    assert len(joined.choices) == 1
    assert joined.mark(0, "take").part()[0].files == patch.files
    assert joined.join(0) is joined
    assert Review.of(Patch((*patch.files, FilePatch("b.py", None, b"new\n")))).join(1).choices[1].hunk.path == "a.py"


def numbers(hunk):
    """The numbers of the context above a hunk, old and new."""
    above = hunk.lines[: len(hunk.above)]
    return [line.old for line in above], [line.new for line in above]


@pytest.mark.parametrize(("new", "cut"), [("N2\nN3\n", 3), ("A\nB\nC\nD\nE\n", 5), ("", 3), ("", 2)])
@pytest.mark.parametrize("before", ["", "x\n" * 30])
def test_the_lines_above_a_second_half_are_numbered_as_in_the_file(new, cut, before):
    shift = before.count("\n")
    old = "".join(f"l{number}\n" for number in range(1, 9))
    made = (before + old.replace("l2\nl3\nl4\n", new)).encode()
    review = Review.of(Patch((FilePatch("a.txt", (before + old).encode(), made, 0o644, 0o644),)))
    halves = review.split_at(0, cut + (2 if shift else 0))
    assert len(halves.choices) == 2
    recalled = review.recall(json.loads(json.dumps(halves.mark(0, "take").record())))
    for each in (halves, halves.widen(1), recalled, halves.join(0)):
        hunk = each.choices[-1].hunk
        old_numbers, new_numbers = numbers(hunk)
        assert new_numbers == old_numbers
        assert (hunk.old_start, hunk.new_start) == (old_numbers[0], old_numbers[0])
    joined = halves.join(0).choices[0].hunk
    assert joined.lines == review.choices[0].hunk.lines


def test_a_widened_hunk_ends_at_the_one_above_it():
    short = b"".join(b"line %d\n" % number for number in (1, *range(10, 61))).replace(b"line 20\n", b"twenty\n")
    review = Review.of(Patch((FilePatch("a.py", BEFORE, short, 0o644, 0o644),)))
    assert numbers(review.choices[1].hunk)[1] == [9, 10, 11]  # eight lines are gone above
    wide = review.widen(1).widen(1).choices[1].hunk
    assert numbers(wide) == (list(range(10, 20)), list(range(2, 12)))
    assert wide.new_start == 2
    assert [line.new for line in wide.lines if line.text == "twenty"] == [12]


def test_halves_that_stand_apart_are_numbered_as_the_file_will_be():
    old = b"".join(b"l%d\n" % number for number in range(1, 31))
    made = old.replace(b"l4\n", b"l4\nA\nB\n").replace(b"l10\n", b"TEN\n")
    halves = Review.of(Patch((FilePatch("a.txt", old, made, 0o644, 0o644),))).split(0)
    for each in (halves, halves.widen(1)):
        old_numbers, new_numbers = numbers(each.choices[1].hunk)
        assert new_numbers == [number + 2 for number in old_numbers]


def test_lines_keep_their_origin_when_a_repair_goes_over_them():
    first, second = Origin(3, 5, "exact"), Origin(9, 11, "indentation")
    came = tuple(first if number == 2 else None for number in range(60))
    one = FilePatch("a.py", BEFORE, after((3, b"three")), 0o644, 0o644, came=came)
    fixed = after((1, b"one\nand a half"), (3, b"three"))
    came = (second, second, *(None for _ in range(59)))
    both = compose(Patch((one,)), Patch((FilePatch("a.py", one.after, fixed, 0o644, 0o644, came=came),)))
    (hunk,) = both.hunks
    assert hunk.origins == (first, second)
    assert hunk.rungs == ("indentation",)
    assert len(both.files[0].came) == 61


def test_hunks_stand_as_they_were_cut_and_joined_when_they_are_recalled():
    before = b"".join(b"line %d\n" % number for number in range(40))
    after = before
    for number in (3, 5, 8, 20):
        after = after.replace(b"line %d\n" % number, b"LINE %d\n" % number)
    review = Review.of(Patch((FilePatch("a.txt", before, after, 0o644, 0o644),)))
    assert len(review.choices) == 2
    whole = Review.of(review.patch)
    for made in (
        review.split(0).mark(0, "take").mark(1, "skip"),
        review.split(0).mark(1, "take"),
        review.join(0).mark(0, "skip"),
        review.split_at(0, 5).mark(0, "take"),
        review.split(0).edit(1, "edited\n").mark(2, "take"),
    ):
        back = whole.recall(json.loads(json.dumps(made.record())))
        assert [(each.hunk.old_start, each.hunk.new, each.mark) for each in back.choices] == [
            (each.hunk.old_start, each.hunk.new, each.mark) for each in made.choices
        ]


@pytest.mark.parametrize("at", [-5, 0, 3, 8, 30, 10**9])
@pytest.mark.parametrize("lines", [-1, 0, 1, 3, 10**9])
def test_a_record_of_hunks_that_never_were_decides_nothing(at, lines):
    before = b"".join(b"line %d\n" % number for number in range(40))
    after = before.replace(b"line 3\n", b"LINE 3\n").replace(b"line 8\n", b"LINE 8\n")
    review = Review.of(Patch((FilePatch("a.txt", before, after, 0o644, 0o644),)))
    record = {"choices": [{"path": "a.txt", "at": at, "lines": lines, "mark": "take"}]}
    assert {each.mark for each in review.recall(record).choices} <= {"", "take"}


def test_a_record_that_names_lines_twice_leaves_the_file_as_it_was_proposed():
    base = b"".join(b"line %d\n" % number for number in range(20))
    new = base.replace(b"line 5\n", b"5\n").replace(b"line 8\n", b"8\n")
    review = Review.of(Patch((FilePatch("a.txt", base, new, 0o644, 0o644),)))
    halves = review.split(0).mark_all("take").record()
    whole = review.edit(0, "5\n7\n8\n").record()
    assert len(review.recall(halves).choices) == 2
    for more in (halves, whole):
        twice = {**halves, "choices": [*halves["choices"], *more["choices"][:1]]}
        assert review.recall(twice).choices == review.choices


def test_a_joined_hunk_that_is_edited_and_cut_between_two_of_the_patch_is_recalled():
    base = b"".join(b"line %d\n" % number for number in range(30))
    new = base.replace(b"line 5\n", b"L5\n").replace(b"line 15\n", b"L15\n")
    review = Review.of(Patch((FilePatch("a.txt", base, new, 0o644, 0o644),)))
    mine = new.decode().splitlines(keepends=True)[5:16]
    mine[4] = "mine 9\n"
    done = review.join(0).edit(0, "".join(mine)).split(0).mark_all("take")
    assert len(done.choices) == 3
    assert review.recall(json.loads(json.dumps(done.record()))).choices == done.choices


LINES = [f"line {number}\n" for number in range(60)]


def proposed(above=(), **changed):
    """Make the patch that changes lines by number, of a file that has other lines `above` or instead."""
    before = [*above, *LINES]
    after = [*above, *(changed.get(f"at{number}", line) for number, line in enumerate(LINES))]
    return Patch((FilePatch("a.txt", "".join(before).encode(), "".join(after).encode(), 0o644, 0o644),))


def shown(review):
    """Return what is decided and said, each comment with the line it stands below, without places in the file."""
    return [
        (each.hunk.old, each.hunk.new, each.mark, each.edited, [
            (line.text, words)
            for at, line in enumerate(each.hunk.lines) if (words := review.commented(index, at))
        ])
        for index, each in enumerate(review.choices)
    ]  # fmt: skip


WISH = {
    "at5": "five\n5.5\n",
    "at20": "twenty\n",
    "at24": "twenty-four\n",
    "at40": "forty\n",
    "at44": "",
    "at55": "fifty-five\n",
}


def decided():
    review = Review.of(proposed(**WISH)).edit(0, "mine\n5.5\n").split(1)
    for index, line, words in ((2, 4, "why so"), (1, 0, "and above"), (3, 3, "gone"), (0, 3, "hm")):
        review = review.comment(index, line, words)
    return review.mark(1, "take").mark(4, "skip")


@pytest.mark.parametrize("above", [(), ["new\n"], ["new\n"] * 30])
def test_marks_words_and_comments_are_recalled_of_a_file_that_has_other_lines_above_by_now(above):
    record = json.loads(json.dumps(decided().record()))
    again = Review.of(proposed(above, **WISH)).recall(record)
    assert shown(again) == shown(decided())
    assert len(again.comments) == 4


def test_what_was_cut_from_a_hunk_that_is_gone_takes_nothing_else_with_it():
    record = decided().record()
    rest = {name: words for name, words in WISH.items() if name not in {"at20", "at24"}}
    again = shown(Review.of(proposed(["new\n"], **rest)).recall(record))
    assert again == [each for number, each in enumerate(shown(decided())) if number not in {1, 2}]


def test_comments_go_along_with_hunks_that_stay():
    before = decided()
    moved = before.over(proposed(["new\n"], **WISH))
    assert [each[4] for each in shown(moved)[1:]] == [each[4] for each in shown(before)[1:]]
    left = before.rest()
    assert sorted(each.words for each in left.comments) == ["gone", "why so"]
    stays = left.over(before.part()[1])
    assert [each[4] for each in shown(stays) if each[4]] == [[("twenty-four", "why so")], [("line 40", "gone")]]


def test_a_comment_on_a_part_of_a_cut_hunk_stands_below_no_line_of_the_other():
    wish = {"at5": "five\nfive and a half\n", "at7": "seven\n"}
    review = Review.of(proposed(**wish)).split(0)
    for line, words in enumerate(review.choices[1].hunk.lines):
        if words.kind != " ":
            said = review.comment(1, line, "this")
            assert [len(each[4]) for each in shown(said)] == [0, 1], words


@pytest.mark.parametrize("above", [(), ["new\n"]])
def test_what_was_joined_stays_so_when_others_are_written_or_the_file_moves(above):
    review = Review.of(proposed(**WISH)).join(2).comment(2, 4, "why so")
    assert len(review.choices) == 3
    if above:
        moved = review.over(proposed(above, **WISH))
        assert shown(moved) == shown(review)
    done = review.mark(0, "take")
    left = done.rest().over(done.part()[1])
    assert shown(left) == shown(review)[1:]
