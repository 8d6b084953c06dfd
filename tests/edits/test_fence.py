"""Where a fence opens and closes a block: as CommonMark says, and as models write it."""

import time

import pytest

from assistant.edits import format as edit_format
from assistant.edits.fence import Fence, is_mark, outdented
from tests.edits.test_odd_replies import read

DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n def f():\n-    x = 1\n+    x = 2\n     return x\n"
FILES = {"a.py": "def f():\n    x = 1\n    return x\n"}
WANT = {"a.py": "def f():\n    x = 2\n    return x\n"}
PATCH = "*** Begin Patch\n*** Update File: a.py\n@@ def f():\n-    x = 1\n+    x = 2\n     return x\n*** End Patch\n"


def moved(text, blanks):
    """Move all lines that say something to the right."""
    return "".join(blanks + line + "\n" if line else "\n" for line in text.split("\n")[:-1])


@pytest.mark.parametrize(
    ("line", "fence"),
    [
        ("```", ("```", 0, "")), ("````python", ("````", 0, "python")), ("~~~ py `x`", ("~~~", 0, "py `x`")),
        ("   ```diff", ("```", 3, "diff")), ("    ```diff", None), ("``` a`b", None), ("``x``", None), ("<source>", ("<source>", 0, "")), ("<source> x", None),
    ],
)  # fmt: skip
def test_what_opens_a_block(line, fence):
    assert Fence.of(line) == (fence and Fence(*fence))


@pytest.mark.parametrize(
    ("fence", "line", "closes"),
    [
        ("```", "```", True), ("```", "`````  ", True), ("```", "``", False), ("```", "```py", False), ("```", "~~~", False), ("````", "```", False),
        ("<code>", "</code>", True), ("<code>", "</pre>", False), ("<code>", "```", False), ("```", "", False),
    ],
)  # fmt: skip
def test_what_closes_a_block(fence, line, closes):
    assert Fence(fence).closes(line) is closes


def test_a_block_that_ends_no_deeper_than_it_began_has_deeper_fences_in_it():
    assert Fence("```", 2).closes("  ```", deepest=2)
    assert not Fence("```", 2).closes("   ```", deepest=2)


def test_marks_are_known_at_any_depth():
    assert all(map(is_mark, ["```", "      ~~~ py", "</source>", "  <pre>"]))
    assert not any(map(is_mark, ["`a.py`", "", "source", "<sources>"]))


def test_blanks_before_a_line_go_as_far_as_it_has_them():
    assert [outdented(line, 3) for line in ("   a", "     a", " a", "a", "")] == ["a", "  a", "a", "a", ""]


@pytest.mark.parametrize("mark", ["- ", "1. ", "10. ", "  - "])
@pytest.mark.parametrize("notation", ["```diff\n" + DIFF + "```\n", "```\n" + PATCH + "```\n", "a.py\n```\n" + WANT["a.py"] + "```\n"])  # fmt: skip
@pytest.mark.parametrize("between", ["\n", ""])
def test_an_edit_in_an_item_of_a_list_is_read_and_what_follows_it(mark, notation, between):
    item = f"{mark}Change it:\n{between}{moved(notation, ' ' * len(mark))}"
    assert read(f"{item}\nThat is all.\n", FILES) == (WANT, [])
    block = "b.py\n```\n<<<<<<< SEARCH\ny\n=======\nz\n>>>>>>> REPLACE\n```\n"
    assert read(f"{item}\nThen:\n\n{block}", FILES | {"b.py": "y\n"}) == (WANT | {"b.py": "z\n"}, [])


@pytest.mark.parametrize("blanks", ["  ", "   "])
def test_a_diff_whose_fences_alone_stand_in_the_item_is_read(blanks):
    reply = f"- Change it:\n\n{blanks}```diff\n{DIFF}{blanks}```\n\nThat is all.\n"
    assert read(reply, FILES) == (WANT, [])


def test_a_fence_among_the_lines_of_a_diff_does_not_end_it():
    page = {"a.md": "Run:\n```\nmake\n```\nDone.\n"}
    diff = "--- a/a.md\n+++ b/a.md\n@@ -1,5 +1,5 @@\n Run:\n ```\n-make\n+make all\n ```\n Done.\n"
    want = {"a.md": "Run:\n```\nmake all\n```\nDone.\n"}
    for reply in (f"```diff\n{diff}```\n", f"- Do:\n\n{moved(f'```diff{chr(10)}{diff}```{chr(10)}', '  ')}"):
        assert read(reply, page) == (want, [])


def test_a_diff_without_headers_in_an_item_is_for_the_file_above_it():
    hunk = DIFF.partition("@@ -1,3 +1,3 @@\n")[2]
    for diff in (hunk, "@@\n" + hunk):
        item = moved(f"a.py\n```diff\n{diff}```\n", "   ")
        assert read(f"1. Change:\n\n{item}\nThat is all.\n", FILES) == (WANT, [])


def test_code_that_is_only_moved_to_the_right_is_in_no_item():
    reply = f"Such a patch is no edit:\n\n{moved(f'```diff{chr(10)}{DIFF}```{chr(10)}', '    ')}"
    assert read(reply, FILES) == (FILES, [])


def test_an_item_ends_where_words_stand_in_the_first_column_behind_an_empty_line():
    code = moved(f"```diff\n{DIFF}```\n", "     ")
    assert read(f"1. Look\nat this:\n\n{code}", FILES) == (WANT, [])
    assert read(f"1. Look.\n\nAt this:\n\n{code}", FILES) == (FILES, [])


def test_a_bare_fence_within_a_page_in_an_item_of_a_list_keeps_its_place():
    page = "# Tools\n\nRun it:\n\n```\nmake\n```\n\nThen read on.\n"
    for blanks in ("", "   ", "    "):
        item = moved(f"a.md\n```markdown\n{page}```\n", blanks)
        assert read(f"1. Write it:\n\n{item}\nThat is all.\n", {}) == ({"a.md": page}, [])


def test_a_file_deep_in_a_list_ends_at_its_fence_and_the_next_block_begins_at_its_own():
    item = moved("a.py\n```\nx = 1\n```\n```\n" + PATCH.replace("a.py", "b.py") + "```\n", "    ")
    assert read(f"1. Both:\n\n{item}\nThat is all.\n", {"b.py": FILES["a.py"]}) == (
        {"a.py": "x = 1\n", "b.py": WANT["a.py"]},
        [],
    )


@pytest.mark.parametrize("reply", ["{}x\n", "Some code:\n\n```\n{}x\n```\n", "    ```\n{}x\n    ```\n"])
def test_a_line_that_begins_with_blanks_without_end_takes_no_time(reply):
    begun = time.process_time()
    assert edit_format.read(reply.format(" " * 50_000)) == []
    assert time.process_time() - begun < 5  # what grows with the square takes half a minute
