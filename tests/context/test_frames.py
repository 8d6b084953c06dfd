"""The frames of a pasted trace: the innermost stay, wherever a language prints them, and what has no room is told."""

import pytest

from assistant.context import frames
from assistant.context.choose import Frame, Shown
from assistant.context.mention import read
from assistant.context.pack import pack
from assistant.context.repo import Repo

PATHS = ["a.py", "b.py", "c.py", "d.py", "tests/t.py", "x.rb", "y.rb", "z.rb", "A.java", "B.java"]
PYTHON = 'Traceback (most recent call last):\n  File "/srv/a.py", line 50, in one\n    two()\n  File "/srv/b.py", line 7, in two\n    three()\n'
MORE = 'Traceback (most recent call last):\n  File "/srv/a.py", line 60, in one\n  File "/srv/c.py", line 70, in two\n  File "/srv/d.py", line 80, in three\nValueError\n'


@pytest.mark.parametrize(
    ("text", "inwards"),
    [
        (f"{PYTHON}KeyError: 1\n", ["b.py:7", "a.py:50"]),
        (PYTHON.replace("\n", "\nweb_1  | "), ["b.py:7", "a.py:50"]),
        (f"see y.rb:9\n{PYTHON}", ["y.rb:9", "b.py:7", "a.py:50"]),
        (
            f"{PYTHON}KeyError\n\nDuring handling of the above exception, another exception occurred:\n\n{MORE}",
            ["b.py:7", "d.py:80", "a.py:50", "c.py:70", "a.py:60"],
        ),
        ('Current thread 0x1 (most recent call first):\n  File "a.py", line 5 in one\n  File "b.py", line 6 in two\n', ["a.py:5", "b.py:6"]),
        (
            "____ test_it ____\n>   one()\n\ntests/t.py:10: \n_ _ _ _ _ _\n\n>   two()\na.py:20: in one\n    two()\nc.py:40: ValueError\n"
            "____ test_more ____\ntests/t.py:19: AssertionError\n==== short test summary info ====\nFAILED tests/t.py::test_it - ValueError",
            ["c.py:40", "tests/t.py:19", "a.py:20", "tests/t.py:10"],
        ),
        (
            "Traceback (most recent call last):\n\t2: from x.rb:5:in `<main>'\n\t1: from y.rb:6:in `two'\nz.rb:2:in `three': undefined (NameError)",
            ["y.rb:6", "z.rb:2", "x.rb:5"],
        ),
        ("x.rb:5:in `three': undefined (NameError)\n\tfrom y.rb:6:in `two'\n\tfrom z.rb:7:in `one'", ["x.rb:5", "y.rb:6", "z.rb:7"]),
        (
            "E: one\n\tat a.A.x(A.java:10)\n\tat a.B.x(B.java:11)\nCaused by: F: two\n\tat a.B.y(B.java:19)\n\t... 2 more",
            ["A.java:10", "B.java:19", "B.java:11"],
        ),
    ],
)  # fmt: skip
def test_places_are_ranked_from_the_innermost_outwards(text, inwards):
    places = sorted((one for one in read(text, PATHS) if one.line), key=lambda one: one.rank)
    assert [f"{one.path}:{one.line}" for one in places] == inwards


def test_a_line_near_the_top_of_a_file_is_known_as_it_was_named():
    (one,) = read('  File "/srv/a.py", line 3, in one', PATHS)
    assert (one.line, one.first, one.last) == (3, 1, 15)


@pytest.fixture
def show(tmp_path):
    root = tmp_path / "r"
    (root / "lib").mkdir(parents=True)
    for n in range(60):
        rows = "".join(f"    step_{n} = pour({n}, {row})\n" for row in range(30))
        (root / f"lib/part_{n}.py").write_text(f"def part_{n}(cup):\n{rows}    return cup\n")

    def run(count, budget, start="Traceback (most recent call last):\n", **more):
        frames = "".join(f'  File "{root}/lib/part_{n}.py", line 16, in part_{n}\n    pour()\n' for n in range(count))
        return pack(
            f"{start}{frames}ValueError: no cup",
            repo=Repo.open(root), cache=tmp_path / "s" / "tags.sqlite", budget=budget, timeout_s=60, **more,
        )  # fmt: skip

    return run


def shown(context):
    return {section.path for section in context.sections if f"step_{section.path[9:-3]} = pour(" in section.text}


def test_of_a_long_traceback_the_last_frames_stay_and_what_is_cut_is_told(show):
    context = show(60, 3_000)
    there = shown(context)
    assert 10 < len(there) < 60
    assert there == {f"lib/part_{n}.py" for n in range(60 - len(there), 60)}
    assert context.tokens <= 3_000
    assert f"no room for {60 - len(there)} of 60 places that the text names: lib/part_" in context.note
    assert "more" in context.note


def test_before_a_frame_has_no_room_less_is_shown_around_the_outer_ones(show):
    context = show(20, 4_000)
    assert len(shown(context)) == 20
    assert not context.note
    sizes = {section.path: section.tokens for section in context.sections}
    assert sizes["lib/part_19.py"] > 2 * sizes["lib/part_0.py"]


def test_of_a_trace_that_begins_with_the_innermost_frame_the_first_stay(show):
    there = shown(show(60, 3_000, "Current thread (most recent call first):\n"))
    assert there == {f"lib/part_{n}.py" for n in range(len(there))}


def test_one_long_range_of_a_pasted_diff_is_shown_as_far_as_there_is_room(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r/long.py").write_text("".join(f"row_{n} = {n}\n" for n in range(2_000)))
    context = pack(
        "+++ long.py\n@@ -1,2000 +1,2000 @@\n",
        repo=Repo.open(tmp_path / "r"), cache=tmp_path / "s" / "tags.sqlite", budget=1_000, timeout_s=60,
    )  # fmt: skip
    assert "row_9 = 9" in context.render()
    assert 200 < context.tokens <= 1_000


@pytest.mark.parametrize("files", [1, 200])
@pytest.mark.parametrize("framed", [True, False])
def test_what_gives_way_is_found_by_few_looks_at_all_that_is_shown(files, framed):
    rows = [f"row {n}" for n in range(9_000)]
    some = [Shown(f"f{n}.py", rows, None, "mentioned") for n in range(files)]
    for n in range(400):
        line = 20 * n + 20
        some[n % files].ranges.append((line - 9, line + 9))
        if framed:
            some[n % files].frames.append(Frame(line, n, [(line - 9, line + 9)], single=True))
    looks = []

    def size():
        return sum(len(file.draw()) for file in some if file.ranges)

    def over():
        looks.append(size())
        return looks[-1] > 900

    frames.give_way(some, over)
    assert 600 < size() <= 900
    assert len(looks) < 60
    assert not framed or all(frame.ranges for file in some for frame in file.frames if frame.rank < 2)
