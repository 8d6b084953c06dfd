"""The conversation widget: what streams is whole, what is said elsewhere is folded, only the end is drawn anew."""

from itertools import pairwise

import pytest
from textual.app import App

from assistant.edits import format as edit_format
from assistant.tui import present, theme
from assistant.tui.widgets.transcript import Transcript
from tests.tui.keys import until

EDIT = [
    "I change it.\n\nkettle/",
    "boil.py\n```python\n<<<<<<< SEA",
    "RCH\nold = 1\n=======\nnew = 2\n>>>>>>> REPLACE\n",
]


class Stage(App):
    def compose(self):
        yield Transcript(theme.load("dark"))


@pytest.fixture
async def talk():
    app = Stage()
    async with app.run_test(size=(40, 12)) as pilot:
        widget = app.query_one(Transcript)
        widget.pilot = pilot
        yield widget


def shown(talk):
    talk._draw()
    return [strip.text.rstrip() for strip in talk._strips]


async def test_an_edit_that_is_whole_becomes_one_line_and_opens_on_a_key(talk):
    for piece in EDIT:
        talk.append(piece)
    assert "<<<<<<< SEARCH" in shown(talk)
    talk.fold(5, "replace kettle/boil.py  +1 -1")
    talk.append("```\n\nDone.")
    talk.end()
    assert shown(talk) == ["I change it.", "", "> replace kettle/boil.py  +1 -1", "", "Done."]
    assert talk.toggle()
    assert shown(talk)[2:5] == ["v replace kettle/boil.py  +1 -1", "kettle/boil.py", "```python"]
    assert "new = 2" in talk.text


async def test_edits_that_follow_each_other_stand_close(talk):
    for path in ("a.py", "b.py"):
        talk.append(f"{path}\n```\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n")
        talk.fold({"a.py": 3, "b.py": 12}[path], f"replace {path}  +1 -1")
        talk.append("```\n\n")
    talk.append("That is all.")
    talk.end()
    assert shown(talk) == ["> replace a.py  +1 -1", "> replace b.py  +1 -1", "", "That is all."]


DIFFS = """Here it is:

```diff
--- a/inv/prices.py
+++ b/inv/prices.py
@@ -1,3 +1,3 @@
 a
-b
+B
 c
```

And more:

```diff
diff --git a/docs/notes.txt b/docs/shelves.txt
similarity index 98%
rename from docs/notes.txt
rename to docs/shelves.txt
--- a/docs/notes.txt
+++ b/docs/shelves.txt
@@ -1 +1,2 @@
 x
+y
diff --git a/tests/test_store.py b/tests/test_store.py
deleted file mode 100644
--- a/tests/test_store.py
+++ /dev/null
@@ -1 +0,0 @@
-gone
```

Done.

*** Begin Patch
*** Update File: a.py
@@
-x
+y
*** Add File: b.py
+hello
*** End Patch

That is all.
"""


async def test_of_a_diff_its_head_and_fence_go_along(talk):
    parser = edit_format.open_parser()
    for line in DIFFS.splitlines(keepends=True):
        talk.append(line)
        for edit in parser.feed(line):
            present.fold(talk, edit)
    for edit in parser.close():
        present.fold(talk, edit)
    talk.end()
    assert " ".join(" ".join(shown(talk)).split()) == (
        "Here it is: > replace inv/prices.py +1 -1 And more: "
        "> replace docs/notes.txt +1 -0, rename docs/notes.txt -> docs/shelves.txt > delete tests/test_store.py +0 -1 "
        "Done. > replace a.py +1 -1 > create b.py +1 -0 That is all."
    )


async def test_thoughts_fold_when_the_answer_begins_and_do_not_shift_the_lines_of_the_reply(talk):
    talk.append("Let me think\nabout this for a while\n", "thought")
    talk.append("Answer. a.py\n```\n")
    talk.append("hm", "thought")
    talk.append("<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n")
    talk.fold(3, "replace a.py  +1 -1")
    talk.append("```\n")
    talk.end()
    assert shown(talk)[0].startswith("> thought, ")
    assert "> replace a.py  +1 -1" in shown(talk)
    assert "Answer. a.py" in shown(talk)


async def test_it_does_not_matter_how_the_words_are_cut(talk):
    text = "# Head\n\nSome **strong** and `ticked` words that are longer than a line.\n\n```python\nx = 1\n```\n- end"
    for size in (1, 3, 1000):
        talk.clear()
        for at in range(0, len(text), size):
            talk.append(text[at : at + size])
            await talk.pilot.pause()
        talk.end()
        lines = shown(talk)
        if size == 1:
            first = lines
        assert lines == first


async def test_a_long_talk_keeps_its_last_lines(talk):
    talk.add("\n".join(f"line {number}" for number in range(25_000)))
    assert shown(talk)[-1] == "line 24999"
    assert len(talk._lines) <= 20_000
    assert talk.text.count("older lines") == 1
    assert talk.text.startswith("6,001 older lines are shown no more: /export FILE writes the whole conversation.\n")
    assert talk.text.split("\n")[1] == "line 6001"
    talk.add("more")
    assert shown(talk)[-1] == "more"
    talk.clear()
    talk.add("\n".join(f"line {number}" for number in range(20_001)))
    assert talk.text.startswith("2,001 older")


async def test_it_wraps_anew_for_another_width_and_selects_words(talk):
    talk.add("one two three four five six seven eight nine ten")
    before = len(shown(talk))
    await talk.pilot.resize_terminal(20, 12)
    await talk.pilot.pause()
    assert len(shown(talk)) > before
    from textual.geometry import Offset
    from textual.selection import Selection

    assert talk.get_selection(Selection(Offset(4, 0), Offset(7, 0)))[0] == "two"


async def test_what_is_said_after_an_answer_has_ended_comes_into_sight_by_itself(talk):
    for piece in EDIT:
        talk.append(piece)
    talk.fold(5, "replace kettle/boil.py  +1 -1")
    talk.append("```\nDone.\n" * 8)
    talk.end()
    talk.add("4 hunks to decide", "note")
    talk.add("applied", "good")
    await talk.pilot.pause(0.3)
    assert [strip.text.rstrip() for strip in talk._strips][-1] == "applied"
    assert talk.scroll_offset.y == talk.max_scroll_y > 0
    talk.scroll_to(y=0, animate=False)
    await talk.pilot.pause()
    talk.add("more", "good")
    await talk.pilot.pause(0.3)
    assert talk.scroll_offset.y == 0  # the user reads further up: nothing is pulled away


async def test_a_long_talk_is_drawn_from_its_end_when_the_width_changes_and_is_whole_in_the_end(talk):
    words = "word " * 20
    for number in range(1500):
        talk.add(f"{number} {words}")
    talk.end()
    whole = [line for line in shown(talk) if line]
    await talk.pilot.resize_terminal(30, 12)
    await until(talk.pilot, lambda: talk._width < 30)
    assert talk._first > 0
    assert any(line.startswith("1499") for line in shown(talk))
    await until(talk.pilot, lambda: talk._first == 0)
    assert talk._older is None
    again = [line for line in shown(talk) if line]
    assert len(again) > len(whole)
    assert [line for line in again if line[:1].isdigit()][:3] == [
        "0 word word word word word",
        "1 word word word word word",
        "2 word word word word word",
    ]
    assert talk._starts == sorted(set(talk._starts))
    assert talk.scroll_y == talk.max_scroll_y


async def test_who_has_scrolled_up_reads_on_at_the_same_line_at_another_width(talk):
    for number in range(600):
        talk.add(f"{number} {'word ' * 20}")
    talk.end()
    shown(talk)
    await until(talk.pilot, lambda: talk._first == 0)
    talk.scroll_to(y=talk._starts[300], animate=False, force=True)
    await talk.pilot.pause()
    top = talk.render_line(0).text.split()[0]
    await talk.pilot.resize_terminal(60, 12)
    await until(talk.pilot, lambda: talk._width > 50 and talk._first == 0)
    await talk.pilot.pause(0.1)
    assert talk.render_line(0).text.split()[0] == top


async def test_a_block_of_code_that_holds_another_ends_where_it_ends(talk):
    text = (
        "1. first\n   ```py\n   x = 1\n   ```\n2. so:\n\n````markdown\nouter\n```python\nprint()\n```\nstill\n````\n\n"
        "> Quote **bold**\n\n---\n- ```sh\n  ls\n  ```\nlast **word**"
    )
    for size in (1, 7, 1000):
        talk.clear()
        for at in range(0, len(text), size):
            talk.append(text[at : at + size])
        kinds = {line.text: line.kind for line in talk._lines}
        assert [kinds[each] for each in ("outer", "```python", "print()", "```", "still")] == ["code"] * 5
        assert [kinds[each] for each in ("1. first", "2. so:", "> Quote **bold**", "---")] == ["words"] * 4
        assert [kinds[each] for each in ("   x = 1", "  ls", "   ```", "  ```")] == ["code", "code", "fence", "fence"]
        talk.end()
        assert shown(talk)[-7:] == ["│ Quote bold", "", "─" * 24, "- ```sh", "  ls", "  ```", "last word"]


async def test_fences_within_an_edit_are_its_own(talk):
    edit = "a.md\n```\n<<<<<<< SEARCH\n```\nx\n=======\ny\n>>>>>>> REPLACE\n"
    talk.append(edit)
    talk.fold(3, "replace a.md  +1 -2")
    talk.append("```\n\n**Done.**\n")
    talk.end()
    assert shown(talk) == ["> replace a.md  +1 -2", "", "Done.", ""]


TABLE = "| name | what |\n|:--|--:|\n| a | **one** of them |\n| bcd | 2 |\n\nBehind."


async def test_a_table_is_laid_out_while_it_comes_and_selected_as_it_stands(talk):
    drawn = ["name │        what", "─────┼────────────", "a    │ one of them", "bcd  │           2", "", "Behind."]
    for size in (1, 5, 1000):
        talk.clear()
        for at in range(0, len(TABLE), size):
            talk.append(TABLE[at : at + size])
        talk.end()
        assert shown(talk) == drawn
    assert "| a | **one** of them |" in talk.text
    from textual.geometry import Offset
    from textual.selection import Selection

    assert talk.get_selection(Selection(Offset(0, 2), Offset(18, 3)))[0] == "a    │ one of them\nbcd  │           2"
    talk.clear()
    talk.append("| name | what |\n|:--|--:|\n| alpha | some wo")
    assert shown(talk) == ["name  │ what", "──────┼─────", "alpha │ some", "      │   wo"]


async def test_a_table_that_is_too_wide_is_wrapped_and_fits_again_when_there_is_room(talk):
    talk.append("| name | what |\n|---|---|\n| a | some words that are longer than there is room for |\n| b | c |\n")
    talk.end()
    assert shown(talk)[2:6] == [
        "a    │ some words that are longer",
        "     │ than there is room for",
        f"{'╌' * 5}┼{'╌' * 31}",
        "b    │ c",
    ]
    await talk.pilot.resize_terminal(80, 12)
    await until(talk.pilot, lambda: talk._width > 70)
    assert shown(talk)[2:4] == ["a    │ some words that are longer than there is room for", "b    │ c"]
    await talk.pilot.resize_terminal(15, 12)
    await until(talk.pilot, lambda: talk._width < 20)
    assert shown(talk)[:3] == ["name: a", "what: some", "  words that"]


async def test_what_comes_in_one_go_is_drawn_from_its_end_and_without_a_stop(talk):
    talk.append("".join(f"{number} **word** {'word ' * 20}\n" for number in range(3000)))
    talk.end()
    await until(talk.pilot, lambda: bool(talk._starts))
    assert talk._first > 2000
    assert talk.scroll_y == talk.max_scroll_y
    await until(talk.pilot, lambda: talk._first == 0)
    assert len(talk._starts) == len(talk._lines) == 3001
    assert shown(talk)[-2].startswith("word")
    assert talk.scroll_y == talk.max_scroll_y


async def test_what_is_told_while_code_comes_stands_below_it_and_breaks_no_word(talk):
    talk.append("Here:\n\n```python\ndef function(ar")
    talk.add("No hunks of turn 99 wait.", "error")
    assert shown(talk)[-3:] == ["def function(ar", "", "No hunks of turn 99 wait."]  # told at once
    talk.append("gument):\n    return ")
    talk.add("1 hunk was written.", "note")
    talk.append("1\n```\nAnd on.")
    talk.end()
    assert shown(talk) == [
        "Here:", "", "```python", "def function(argument):", "    return 1", "```",
        "", "No hunks of turn 99 wait.", "", "1 hunk was written.", "", "And on.",
    ]  # fmt: skip
    assert [line.kind for line in talk._lines][2:6] == ["fence", "code", "code", "fence"]
    talk.add("2 out", "note")
    assert shown(talk)[-2:] == ["", "2 out"]


async def test_what_is_told_while_a_sentence_or_a_table_comes_stands_behind_it(talk):
    talk.append("One sen")
    talk.add("told", "note")
    talk.append("tence.\n\n| a | b |\n|---|")
    talk.add("and more", "note")
    talk.append("---|\n| 1 | 2 |\n\nEnd")
    talk.add("last", "note")
    talk.append(".")
    talk.end()
    rows = shown(talk)
    assert rows[:4] == ["One sentence.", "", "told", ""]
    assert "a" in rows[4]
    assert rows[-5:] == ["and more", "", "End.", "", "last"]
    assert not any(above == below == "" for above, below in pairwise(rows))


async def test_what_is_told_while_an_edit_comes_leaves_it_to_be_folded(talk):
    for piece in EDIT:
        talk.append(piece)
        talk.add("told", "note")
    talk.fold(5, "replace kettle/boil.py  +1 -1")
    talk.append("```\n\nDone.")
    talk.append("hm", "thought")
    talk.append(" So.")
    talk.end()
    rows = [row for row in shown(talk) if row and row != "told"]
    assert rows == ["I change it.", "> replace kettle/boil.py  +1 -1", "Done.", "hm", " So."]
    assert "<<<<<<< SEARCH\nold = 1\n=======\nnew = 2\n>>>>>>> REPLACE\n```\n" in talk.text
