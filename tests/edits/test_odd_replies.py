"""Replies that look like one thing and are another: what an independent judge of the edit families found."""

import pytest

from assistant.edits.edit import Edit, Misfit
from assistant.edits.format import open_parser
from assistant.edits.match import fit
from assistant.errors import Unwritable

CODE = "def boil(water):\n    if water:\n        return 100\n    return 0\n\n\ndef cool(water):\n    return 20\n"
PAGE = "# Tools\n\nRun it:\n\n```\npython -m tools.tree\n```\n\nThen read on.\n\n```sh\nmake all\n```\n\nThe end.\n"
BLOCK = "a.py\n```python\n<<<<<<< SEARCH\n    return 20\n=======\n    return 21\n>>>>>>> REPLACE\n```\n"
TRIED = BLOCK.replace("21", "99")


def read(reply, files, folders=()):
    """Parse a reply byte by byte and fit it to files in memory; returns the files after and the misfits."""

    def look(path):
        if path in folders:
            raise Unwritable(f"{path} is not a regular file.", "", path=path)
        return (files[path].encode(), 0o644) if path in files else None

    parser = open_parser()
    found = [each for sign in reply for each in parser.feed(sign)] + parser.close()
    fitted = fit([each for each in found if isinstance(each, Edit)], look)
    after = dict(files)
    for file in fitted.patch.files:
        after.pop(file.path, None)
        if file.after is not None:
            after[file.target] = file.after.decode()
    return after, [*(each for each in found if isinstance(each, Misfit)), *fitted.misfits, *fitted.doubts]


@pytest.mark.parametrize("tag", ["think", "thinking", "thought", "reasoning"])
@pytest.mark.parametrize("shape", ["\n<{0}>\nMaybe:\n\n{1}\nNo.\n</{0}>\n\n{2}", "<{0}>Hm. {1}\nNo.</{0}>{2}"])
def test_what_is_tried_in_thought_is_no_edit(tag, shape):
    after, misfits = read(shape.format(tag, TRIED, BLOCK), {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21")}


def test_thoughts_without_an_end_are_an_answer_cut_short():
    after, misfits = read(f"<think>\nMaybe:\n{BLOCK}", {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["incomplete"]


def test_edits_above_a_stray_end_of_thoughts_are_refused():
    _, misfits = read(f"Maybe:\n\n{TRIED}\nNo.\n</think>\n\n{BLOCK}", {"a.py": CODE})
    assert "malformed" in {each.reason for each in misfits}


def test_a_tag_in_the_answer_itself_is_words():
    after, misfits = read(f"The <think> tag:\n<think>\n\n{BLOCK}\n", {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21")}


@pytest.mark.parametrize("size", [3, 4, 7, 10, 40])
def test_a_block_below_a_path_is_never_the_text_of_the_file(size):
    reply = (
        f"a.py\n```python\n{'<' * size} SEARCH\n    return 20\n{'=' * size}\n    return 21\n{'>' * size} REPLACE\n```\n"
    )
    after, misfits = read(reply, {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21")}


@pytest.mark.parametrize("head", ["<<<< SEARCH", "<<<<<<<<<<<< SEARCH", "  <<<<<<< search", ">>>> REPLACE"])
def test_a_marker_deep_in_the_text_of_a_file_is_refused(head):
    reply = f"a.py\n```python\n# one\n# two\n# three\n# four\n{head}\n    return 20\n```\n"
    after, misfits = read(reply, {"a.py": CODE})
    assert misfits
    assert after == {"a.py": CODE}


@pytest.mark.parametrize(
    "note",
    [
        "// ... other methods stay as they are ...", "// [existing imports]", "# other methods stay as they are",
        "# previous code here", "/* the rest of this class remains */", "# keep the rest of the functions as before",
    ],
)  # fmt: skip
@pytest.mark.parametrize("notation", ["whole", "block"])
def test_a_remark_in_place_of_several_lines_leaves_them_out(note, notation):
    new = f"{note}\n\n\ndef cool(water):\n    return 21\n"
    reply = f"a.py\n```python\n{new}```\n"
    if notation == "block":
        reply = f"a.py\n```python\n<<<<<<< SEARCH\n{CODE}=======\n{new}>>>>>>> REPLACE\n```\n"
    after, misfits = read(reply, {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["elided"]
    assert note[:40] in misfits[0].message


@pytest.mark.parametrize("remark", ["# The label is omitted when water is", "# The rest stays here until it boils"])
def test_a_remark_that_says_when_speaks_of_what_the_program_does(remark):
    new = f"{remark}\n# all there is.\n\n\ndef warm(water):\n    return 30\n\n\ndef cool(water):\n    return 21\n"
    after, misfits = read(f"a.py\n```python\n{new}```\n", {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": new}


def test_a_remark_that_replaces_nothing_is_a_remark():
    new = CODE.replace("    return 0\n", "    # see above for the remaining degrees\n    return 1\n")
    after, misfits = read(f"a.py\n```python\n{new}```\n", {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": new}


def test_a_diff_without_its_first_header_line_is_read():
    reply = "```diff\n+++ b/a.py\n@@ -7,2 +7,2 @@\n def cool(water):\n-    return 20\n+    return 21\n```\n"
    after, misfits = read(reply, {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21")}


def test_a_diff_that_names_no_file_is_refused():
    reply = "```diff\n@@ -7,2 +7,2 @@\n def cool(water):\n-    return 20\n+    return 21\n```\n"
    after, misfits = read(reply, {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["malformed"]


@pytest.mark.parametrize(
    "path",
    [
        '"',
        "``",
        "//etc/x",
        "a/../..",
        "sub/.",
        "x" * 400 + ".py",
        "d/" * 3000 + "x",
        "con",
        "nul.txt",
        "conin$",
        "COM\u00b9",
    ],
)
@pytest.mark.parametrize(
    "shape", ["{}\n```\none\n```\n", "{}\n```\n<<<<<<< SEARCH\n=======\none\n>>>>>>> REPLACE\n```\n"]
)
def test_a_name_that_cannot_be_is_refused_and_not_passed_over(tmp_path, path, shape):
    from assistant.edits import disk

    parser = open_parser()
    found = parser.feed(shape.format(path)) + parser.close()
    fitted = fit([each for each in found if isinstance(each, Edit)], lambda name: disk.read(tmp_path, name))
    assert not fitted.patch.files
    assert [*(each for each in found if isinstance(each, Misfit)), *fitted.misfits, *fitted.doubts]


def test_a_comment_that_touches_its_path_names_a_file_that_exists():
    reply = "```python\n//a.py\n<<<<<<< SEARCH\n    return 20\n=======\n    return 21\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(reply, {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21")}


def test_a_folder_named_above_a_fence_is_refused():
    _, misfits = read("src\n```\none\n```\n", {}, folders={"src"})
    assert [each.reason for each in misfits] == ["unreadable"]


@pytest.mark.parametrize("above", ["**src**", "src:", "### src"])
def test_a_heading_above_commands_is_no_path(above):
    after, misfits = read(f"{above}\n```bash\npytest\n```\n\n{BLOCK}", {"a.py": CODE}, folders={"src"})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21")}


@pytest.mark.parametrize("name", ["x - Copy.py", "a -> b.py", "the file.py", "run -x.py"])
def test_words_are_the_name_of_a_file_that_exists(name):
    reply = f"{name}\n```python\nx = 1\n```\n"
    assert read(reply, {name: "x = 0\n"}) == ({name: "x = 1\n"}, [])
    assert read(reply, {"a.py": CODE}) == ({"a.py": CODE}, [])


def test_a_page_with_a_fence_around_something_like_a_path_is_whole_or_refused():
    new = PAGE.replace("The end", "The very end")
    after, misfits = read(f"README.md\n```markdown\n{new}```\n", {"README.md": PAGE})
    assert not misfits
    assert after == {"README.md": new}
    new = new.replace("python -m tools.tree", "src/tools.py")
    after, misfits = read(f"README.md\n```markdown\n{new}```\n", {"README.md": PAGE})
    assert after == {"README.md": PAGE}
    assert "malformed" in {each.reason for each in misfits}
    new = new.replace("src/tools.py\n", "src/tools.py\nsrc/more.py\n")
    after, misfits = read(f"README.md\n```markdown\n{new}```\n", {"README.md": PAGE})
    assert not misfits
    assert after == {"README.md": new}
    after, misfits = read(f"README.md\n````markdown\n{new}````\nDone.\n", {"README.md": PAGE})
    assert not misfits
    assert after == {"README.md": new}


def test_two_pages_without_a_line_between_them_are_two():
    reply = f"README.md\n```markdown\n{PAGE}```\nb.py\n```python\nx = 1\n```\n"
    after, misfits = read(reply, {"README.md": "old\n", "b.py": "x = 0\n"})
    assert not misfits
    assert after == {"README.md": PAGE, "b.py": "x = 1\n"}


@pytest.mark.parametrize(
    "path", ['"', "`", "''", "a/'", "~", "~/x", "~root/x", "$HOME/x", "${HOME}/x", "%TEMP%/x", "$PWD"]
)
def test_a_name_of_quotes_or_of_a_home_is_no_place(path):
    from assistant.edits.path import parts
    from assistant.errors import OutsideRoot

    with pytest.raises(OutsideRoot):
        parts(path)
    for name in ("~draft.py", "$lib/x.ts", "src/$page.tsx", "100%/x", "a/$HOME"):
        assert parts(name) == tuple(name.split("/"))


def test_a_reply_of_many_edits_costs_as_many_times_one_edit():
    """Counted in calls and not in time: what each edit reads of the file must not grow with the file.

    Edits that fit come first here. Where they take turns with ones that do not, the file is composed anew for each miss.
    """
    import sys

    def calls(count):
        code = "".join(f"def f{i}(a):\n    value = a * {i}\n    return value\n\n\n" for i in range(count))
        blocks = "".join(
            f"<<<<<<< SEARCH\n    value = a * {i}\n=======\n    value = {i}\n>>>>>>> REPLACE\n"
            if i % 2
            else f"<<<<<<< SEARCH\n    valeu = q - {i}\n    gone()\n=======\n    pass\n>>>>>>> REPLACE\n"
            for i in (*range(1, count, 2), *range(0, count, 2))
        )
        edits = [each for each in open_parser().feed(f"a.py\n```\n{blocks}") if isinstance(each, Edit)]
        seen = 0

        def count_calls(frame, event, arg):
            nonlocal seen
            seen += 1

        data = code.encode()
        fit(edits[:1], lambda _: (data, 0o644))  # imports are not counted
        sys.setprofile(count_calls)
        try:
            fitted = fit(edits, lambda _: (data, 0o644))
        finally:
            sys.setprofile(None)
        assert len(edits) == count
        assert len(fitted.misfits) == count // 2
        return seen

    assert calls(1200) < 3 * calls(600)


HUNK = " def cool(water):\n-    return 20\n+    return 21\n"
HEADS = "--- a/a.py\n+++ b/a.py\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"```diff\n{HEADS}{HUNK}```\n", f"{HEADS}{HUNK}", f"{HEADS}{HUNK}\nThat is all.\n",
        f"```diff\n{HEADS}-    return 20\n+    return 21\n```\n",
        f"Change a.py like this:\n\n```diff\n{HUNK}```\n", f"```diff a.py\n{HUNK}```\n", f"```diff\na.py\n{HUNK}```\n",
        f"{BLOCK.replace('20', '100').replace('21', '101')}And in the same file:\n\n```diff\n{HUNK}```\n",
        f"```diff\n--- a/a.py\n@@ -7,2 +7,2 @@\n{HUNK}```\n", f"--- a.py\n@@ @@\n{HUNK}",
        f"```sh\ngit apply <<'EOF'\n{HEADS}@@ -7,2 +7,2 @@\n{HUNK}EOF\n```\n",
        f"```sh\npatch -p1 <<END\n{HEADS}@@ -7,2 +7,2 @@\n{HUNK}END\nmake\n```\n",
    ],
)  # fmt: skip
def test_a_diff_that_lost_a_header_is_read(reply):
    after, misfits = read(reply, {"a.py": CODE})
    assert not misfits
    assert after["a.py"].replace("101", "100") == CODE.replace("20", "21")


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (f"```diff\n{HEADS}{HEADS}@@ -7,2 +7,2 @@\n{HUNK}```\n", "no hunk"),
        (f"```diff\n{HEADS}```\n", "no hunk"), (f"{HEADS}\nThat is all.\n", "no hunk"),
        (f"```diff\n{HEADS}More words.\n@@ -7,2 +7,2 @@\n{HUNK}```\n", "'More words.' (line 4 of the reply)"),
        ("```diff\n--- /dev/null\n+++ b/new\nname.py\n@@ -0,0 +1 @@\n+x\n```\n", "'name.py'"),
        (f"```diff\n{HUNK}```\n", "does not say which file"),
        ("*** a.py\n--- a.py\n***************\n*** 7,8 ****\n! return 20\n--- 7,8 ----\n! return 21\n", "context diff"),
        ('{"patch": "*** Begin Patch\\n*** Delete File: a.py\\n*** End Patch"}\n', "cannot be read"),
    ],
)  # fmt: skip
def test_a_diff_that_cannot_be_read_is_refused_and_not_passed_over(reply, word):
    _, misfits = read(reply, {"a.py": CODE})
    assert misfits
    assert word in misfits[0].message


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        ("------- SEARCH", "+++++++ REPLACE"), (">>>>>>> SEARCH", "<<<<<<< REPLACE"), ("<<<<<<<", ">>>>>>>"),
        ("<<<<<<< OLD", ">>>>>>> NEW"),
    ],
)  # fmt: skip
def test_other_markers_around_two_halves_are_a_block(head, tail):
    reply = f"a.py\n```python\n{head}\n    return 20\n=======\n    return 21\n{tail}\n```\n"
    assert read(reply, {"a.py": CODE}) == ({"a.py": CODE.replace("20", "21")}, [])


@pytest.mark.parametrize(
    ("head", "tail"), [("*******", "*******"), ("####### FIND", "####### PUT"), ("-----", "+++++")]
)
def test_halves_between_unknown_markers_are_no_file(head, tail):
    reply = f"a.py\n```python\n{head}\n    return 20\n=======\n    return 21\n{tail}\n```\n"
    after, misfits = read(reply, {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["malformed"]


MOVE = "*** Begin Patch\n*** Update File: a.py\n*** Move to: b.py\n@@\n def boil(water):\n-    if water:\n+    if not water:\n"


def test_a_file_that_is_moved_is_edited_under_its_new_name_only():
    more = "@@\n def cool(water):\n-    return 20\n+    return 21\n*** End Patch\n"
    after, misfits = read(f"{MOVE}*** Update File: b.py\n{more}", {"a.py": CODE})
    assert not misfits
    assert after == {"b.py": CODE.replace("if water", "if not water").replace("20", "21")}
    _, misfits = read(f"{MOVE}*** Update File: a.py\n{more}", {"a.py": CODE})
    assert [each.reason for each in misfits] == ["conflict"]
    assert "old name" in misfits[0].message


def test_a_diff_that_moves_and_changes_rights_does_both():
    reply = (
        "```diff\ndiff --git a/a.py b/b.py\nold mode 100644\nnew mode 100755\nrename from a.py\nrename to b.py\n```\n"
    )
    after, misfits = read(reply, {"a.py": CODE})
    assert not misfits
    assert after == {"b.py": CODE}


@pytest.mark.parametrize(
    "reply",
    [
        " a.py\n```python\nx = 1\n```\n", "*** Begin Patch\n*** Update File:  a.py\n@@\n-x = 0\n+x = 1\n*** End Patch\n",
        " a.py\n```\n<<<<<<< SEARCH\nx = 0\n=======\nx = 1\n>>>>>>> REPLACE\n```\n",
    ],
)  # fmt: skip
def test_a_name_that_begins_with_a_blank_is_taken_as_written_where_it_exists(reply):
    assert read(reply, {" a.py": "x = 0\n"}) == ({" a.py": "x = 1\n"}, [])
    assert read(reply, {"a.py": "x = 0\n"}) == ({"a.py": "x = 1\n"}, [])


def test_three_quotes_of_which_two_are_bent_are_refused():
    reply = BLOCK.replace("    return 21\n", '    \u201c\u201d"Cool it."\u201d\u201d\n    return 21\n')
    after, misfits = read(reply, {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["malformed"]


def test_quotes_as_german_has_them_are_meant():
    reply = BLOCK.replace("    return 21\n", "    # \u201eLau\u201c, \u201anicht hei\xdf\u2018\n    return 21\n")
    new = CODE.replace("    return 20\n", "    # \u201eLau\u201c, \u201anicht hei\xdf\u2018\n    return 21\n")
    assert read(reply, {"a.py": CODE}) == ({"a.py": new}, [])


@pytest.mark.parametrize("remark", ["# It\u2019s cold", "# Not \u201chot\u201d"])
def test_a_remark_in_curly_quotes_is_meant_where_other_quotes_are_plain(remark):
    reply = BLOCK.replace("    return 21\n", f"    {remark}\n    return 21\n")
    after, misfits = read(reply, {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["malformed"]
    new = CODE.replace("    return 20\n", f"    {remark}\n    return int('21')\n")
    after, misfits = read(reply.replace("return 21", "return int('21')"), {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": new}


def test_a_long_dash_among_bent_quotes_is_refused_unless_the_lines_to_find_show_what_it_was():
    bent = "a.py\n```\n<<<<<<< SEARCH\nput(\u2019a\u2019)\n=======\n# a \u2014 first\nput(\u2019b\u2019)\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(bent, {"a.py": "put('a')\n"})
    assert after == {"a.py": "put('a')\n"}
    assert misfits
    shown = bent.replace("put(\u2019a", "# an \u2014 old one\nput(\u2019a")
    assert read(shown, {"a.py": "# an - old one\nput('a')\n"}) == ({"a.py": "# a - first\nput('b')\n"}, [])
    assert read(shown, {"a.py": "# an \u2014 old one\nput('a')\n"}) == ({"a.py": "# a \u2014 first\nput('b')\n"}, [])
    assert read(bent.replace("\u2014", "-"), {"a.py": "put('a')\n"}) == ({"a.py": "# a - first\nput('b')\n"}, [])


def test_a_bare_word_above_a_block_is_its_file_where_there_is_one_and_not_that_of_the_block_before():
    second = "COPYING\n```\n<<<<<<< SEARCH\n    return 0\n=======\n    return 1\n>>>>>>> REPLACE\n```\n"
    third = second.removeprefix("COPYING\n").replace("return 0", "return 2").replace("return 1", "return 3")
    text = "    return 0\n    return 2\n"
    after, misfits = read(f"{BLOCK}\n{second}\n{third}", {"a.py": CODE, "COPYING": text})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21"), "COPYING": "    return 1\n    return 3\n"}
    after, misfits = read(f"{BLOCK}\n**{second}".replace("COPYING", "Lastly:**"), {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21").replace("return 0", "return 1")}
    after, misfits = read(f"COPYING\n{BLOCK}", {"a.py": CODE, "COPYING": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("20", "21"), "COPYING": CODE}


def test_a_body_of_dots_whose_header_is_not_in_the_edit_is_refused():
    text = "with open(\n    a,\n) as b:\n    one()\n    two()\n\n\ndef f(\n    x,\n):\n    return x\n"
    reply = "a.py\n```\n<<<<<<< SEARCH\n{}=======\n    a,\n) as b:\n    ...\n):\n    return x\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(reply.format(text.removeprefix("with open(\n")), {"a.py": text})
    assert after == {"a.py": text}
    assert [each.reason for each in misfits] == ["elided"]


def test_a_body_of_dots_beside_its_header_is_written():
    body = "def f(\n    x,\n):\n    one()\n    two()\n    return three()\n"
    reply = "a.py\n```\n<<<<<<< SEARCH\n{}=======\n@overload\ndef f(x): ...\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(reply.format(body), {"a.py": body})
    assert not misfits
    assert after == {"a.py": "@overload\ndef f(x): ...\n"}


@pytest.mark.parametrize(
    ("old", "new", "text", "want"),
    [
        ("one\ntwo    \n", "one\ntwo\n", "one \ntwo    \n", "one \ntwo\n"),
        ("one \n    \ntwo \n", "one\n\ntwo\n", "one\n    \ntwo\n", "one\n\ntwo\n"),
        ("one \nkept  \ntwo \n", "one \nkept  \n2 \n", "one\nkept  \ntwo\n", "one\nkept  \n2\n"),
        ("one \nkept\t\ntwo \n", "one \nkept\ntwo \n", "one\nkept  \ntwo\n", None),
    ],
)
def test_blanks_at_line_ends_go_where_the_reply_knows_them_and_are_refused_where_it_does_not(old, new, text, want):
    reply = f"a.txt\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"
    after, misfits = read(reply, {"a.txt": text})
    assert after == {"a.txt": want or text}
    assert [each.reason for each in misfits] == ([] if want else ["malformed"])


def test_tabs_in_a_file_without_any_indentation_are_refused_where_such_files_have_blanks():
    text = 'a = ["1"]\n'
    reply = 'a.toml\n```\n<<<<<<< SEARCH\na = ["1"]\n=======\na = [\n\t"1",\n]\n>>>>>>> REPLACE\n```\n'
    after, misfits = read(reply, {"a.toml": text})
    assert after == {"a.toml": text}
    assert [each.reason for each in misfits] == ["malformed"]
    made = 'a = [\n    "1",\n]\n'
    assert read(reply.replace("\t", "    "), {"a.toml": text}) == ({"a.toml": made}, [])
    other = 'a = ["1"]\nb = [\n\t"2",\n]\n'
    assert read(reply, {"a.toml": other}) == ({"a.toml": other.replace('["1"]', '[\n\t"1",\n]')}, [])
    assert read(reply.replace("a.toml", "a.js"), {"a.js": text}) == ({"a.js": made.replace("    ", "\t")}, [])


@pytest.mark.parametrize(
    "shell",
    [
        "cd sub && apply_patch <<'EOF'",
        "$ cd 'sub' ; git apply <<EOF",
        "git -C sub apply - <<'EOF'",
        "patch -p1 -d sub <<EOF",
        "cd sub\napply_patch <<EOF",
        "(cd sub; apply_patch <<EOF",
    ],
)
@pytest.mark.parametrize("patch", ["*** Begin Patch\n*** Update File: a.py\n@@\n-    return 20\n+    return 21\n*** End Patch\n",
                                   "--- a/a.py\n+++ b/a.py\n@@ -7,2 +7,2 @@\n def cool(water):\n-    return 20\n+    return 21\n"])  # fmt: skip
def test_a_patch_that_a_shell_shall_apply_in_another_folder_is_refused(shell, patch):
    files = {"a.py": CODE, "sub/a.py": CODE}
    after, misfits = read(f"```bash\n{shell}\n{patch}EOF\n```\n", files)
    assert after == files
    assert misfits
    assert "folder 'sub'" in misfits[0].words
    here = shell.replace("'sub'", ".").replace("sub", ".")
    assert read(f"```bash\n{here}\n{patch}EOF\n```\n", files) == ({**files, "a.py": CODE.replace("20", "21")}, [])


TWICE = "def a():\n    if x:\n        y()\n\n    else:\n        z()\n\n\nif x:\n    y()\nelse:\n    z()\n"


def test_lines_that_fit_one_place_but_for_blanks_and_another_but_for_blank_lines_are_ambiguous():
    block = "a.py\n```\n<<<<<<< SEARCH\n    if x:\n        y()\n    else:\n=======\n    if x:\n        y(1)\n    else:\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(block, {"a.py": TWICE})
    assert after == {"a.py": TWICE}
    assert [each.reason for each in misfits] == ["ambiguous"]
    assert [each.start for each in misfits[0].candidates] == [9, 2]
    both = block.replace("    else:\n>>>", "    else:\n        w()\n>>>") + block.replace(
        "    else:\n>>>", "    else:\n        w()\n>>>"
    )
    after, misfits = read(both, {"a.py": TWICE})
    assert after == {"a.py": TWICE}
    assert misfits
    numbered = (
        "```diff\n--- a/a.py\n+++ b/a.py\n@@ -9,3 +9,3 @@\n     if x:\n-        y()\n+        y(1)\n     else:\n```\n"
    )
    after, misfits = read(numbered, {"a.py": TWICE})
    assert not misfits
    assert after == {"a.py": TWICE.replace("\n    y()\nelse", "\n    y(1)\nelse")}


def test_a_line_that_moves_keeps_the_blanks_at_its_end():
    reply = "a.py\n```\n<<<<<<< SEARCH\none\ntwo\nthree\n=======\ntwo\nthree\none\none\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(reply, {"a.py": "one  \ntwo \nthree\t\n"})
    assert not misfits
    assert after == {"a.py": "two \nthree\t\none  \none\n"}


def test_a_value_in_curly_quotes_is_refused_in_markup():
    old, new = "<a b='1'>\n</a>\n", '<a b="1">\n</a>\n'
    block = "a.xml\n```\n<<<<<<< SEARCH\n</a>\n=======\n<c d=\u201c1\u201d>It\u2019s</c>\n</a>\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(block, {"a.xml": old})
    assert after == {"a.xml": old}
    assert [each.reason for each in misfits] == ["malformed"]
    after, misfits = read(block.replace("\u201c", '"').replace("\u201d", '"'), {"a.xml": new})
    assert not misfits
    assert after == {"a.xml": '<a b="1">\n<c d="1">It\u2019s</c>\n</a>\n'}


@pytest.mark.parametrize(("rows", "odd"), [(2, 0), (30, 1)])
def test_tabs_among_blanks_are_refused_where_no_line_to_find_shows_that_the_reply_kept_its_blanks(rows, odd):
    old = "f({\n" + "  a: 1,\n" * rows + "\tb: 2,\n" * odd + "  c: {\n    d: 3\n  },\n});\n"
    block = "a.ts\n```\n<<<<<<< SEARCH\n  },\n});\n=======\n  },\n});\ng({\n\th: 1,\n});\n>>>>>>> REPLACE\n```\n"
    for name in ("a.ts", "a.html"):
        after, misfits = read(block.replace("a.ts", name), {name: old})
        assert after == {name: old}
        assert [each.reason for each in misfits] == ["malformed"]
        assert "indented" in misfits[0].message


def test_edits_in_a_quotation_are_not_passed_over_where_there_are_no_others():
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n-    return 20\n+    return 21\n*** End Patch\n"
    for one in (BLOCK, patch):
        quoted = "".join(f"> {line}\n" for line in one.splitlines())
        after, misfits = read(f"So:\n\n{quoted}", {"a.py": CODE})
        assert after == {"a.py": CODE}
        assert [(each.reason, "quotation" in each.message) for each in misfits] == [("malformed", True)]
        beside = TRIED.replace("20", "0").replace("99", "1")
        after, misfits = read(f"You wrote:\n\n{quoted}\nRather:\n\n{beside}", {"a.py": CODE})
        assert (after, misfits) == ({"a.py": CODE.replace("return 0", "return 1")}, [])
    assert read("> a < b\n> >>> print(1)\n", {"a.py": CODE}) == ({"a.py": CODE}, [])


SMALL = "import os\n\nv = 1\nw = 2\nprint(v)\n"
PRINTED = "v is 1\nw is 2\n"


@pytest.mark.parametrize(
    "line",
    ["Add to `x.py`:", "### Add to x.py", "**x.py** currently looks like this:", "In `x.py`:", "**In `x.py`:**", "1. In `x.py`, add:",
     "- In `x.py`:", "Append to x.py:", "Top of x.py:", "x.py (unchanged):", "`x.py` (excerpt)", "`x.py` \u2014 excerpt", "### x.py \u2014 before",
     "Delete `x.py`:", "Remove from x.py:", "`python x.py`", "$ cat x.py", "**Output of x.py**", "Error in x.py:", "vs. x.py", "Log of x.py",
     "`pytest tests/test_x.py`", "For example, in Node.js:", "With Vue.js:", "In Next.js", "### Node.js", "Usage in your app.js:",
     "Run this to test x.py:", "Sample input.txt:", "Call obj.method", "Use numpy.array", "Result of os.path:", "Install via npmjs.com"],
)  # fmt: skip
def test_what_is_said_of_a_file_or_of_a_program_does_not_make_or_replace_a_file(line):
    files = {"x.py": SMALL, "tests/test_x.py": "def test():\n    assert 1\n"}
    for fence in ("```", "```text"):
        assert read(f"See.\n\n{line}\n\n{fence}\n{PRINTED}```\n", files) == (files, [])


@pytest.mark.parametrize("line", ["Update x.py:", "Modify `x.py`:", "1. **`x.py`** - add"])
def test_a_shorter_text_below_words_that_ask_for_a_change_is_refused_as_a_passage(line):
    after, misfits = read(f"{line}\n\n```\n{PRINTED}```\n", {"x.py": SMALL})
    assert after == {"x.py": SMALL}
    assert [each.reason for each in misfits] == ["elided"]
    whole = SMALL.replace("w = 2", "w = 3")
    assert read(f"{line}\n\n```\n{whole}```\n", {"x.py": SMALL}) == ({"x.py": whole}, [])


def test_a_text_in_another_file_beside_edits_is_refused_and_passed_over_where_it_stands_there():
    edit = "a.py\n```\n<<<<<<< SEARCH\n    return 20\n=======\n    return 21\n>>>>>>> REPLACE\n```\n"
    files = {"a.py": CODE, "x.py": SMALL}
    done = {**files, "a.py": CODE.replace("20", "21")}
    after, misfits = read(f"In `x.py`:\n\n```\n{PRINTED}```\n\n{edit}", files)
    assert after == done
    assert [(each.reason, "cannot be told" in each.message) for each in misfits] == [("malformed", True)]
    assert read(f"In `x.py`:\n\n```\nv = 1\nw = 2\n```\n\n{edit}", files) == (done, [])


@pytest.mark.parametrize(
    ("line", "name"),
    [("a b/c d.txt", "a b/c d.txt"), ("`a b/c d.txt`", "a b/c d.txt"), ("**a b.txt**", "a b.txt"), ("`new file.txt`", "new file.txt"),
     ("`to do.md`", "to do.md"), ("my notes.txt", "my notes.txt"), ("File: my notes.txt", "my notes.txt"), ("Create tests/new.py with the following:", "tests/new.py"),
     ("Create `tests/new.py` with:", "tests/new.py"), ("Add a new file tests/new.py:", "tests/new.py"), ("tests/new.py as follows:", "tests/new.py"),
     ("Save as tests/new.py:", "tests/new.py"), ("**Step 2: `tests/new.py`**", "tests/new.py"), ("`foo.service` (new)", "foo.service")],
)  # fmt: skip
def test_a_new_file_has_its_name_and_not_the_words_around_it(line, name):
    block = f"{line}\n```\n<<<<<<< SEARCH\n=======\nhello\n>>>>>>> REPLACE\n```\n"
    for reply in (block, f"{line}\n\n```\nhello\n```\n"):
        assert read(reply, {"a.py": CODE}) == ({"a.py": CODE, name: "hello\n"}, [])


@pytest.mark.parametrize("name", ["a b/c d.txt", "new file.txt", "to do.md", "change log.md", "the plan.md"])
@pytest.mark.parametrize("shape", ["{}", "`{}`", "### {}", "**{}**:"])
def test_a_file_with_blanks_in_its_name_comes_before_one_of_part_of_it(name, shape):
    part = name.partition(" ")[2]
    files = {name: "two\n", part: "two\n", "b/c": "two\n"}
    block = f"{shape.format(name)}\n```\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n```\n"
    for reply in (block, f"{shape.format(name)}\n\n```\n2\n```\n"):
        assert read(reply, files) == ({**files, name: "2\n"}, [])


BOTH = "<<<<<<< SEARCH\nb = 2\n=======\nb = 5\n>>>>>>> REPLACE\n"


@pytest.mark.parametrize(
    "words",
    ["### x.py\n\nThis must match the value in `y.py`.", "**x.py**\n\nAs in y.py:", "Copy what `y.py` does into `x.py`:", "x.py\n\nWe keep `y.py` as it is."],
)  # fmt: skip
def test_an_edit_below_words_that_name_two_files_is_for_the_one_that_has_its_lines(words):
    ours, theirs = "a = 1\nb = 2\nc = 3\n", "a = 1\nd = 2\n"
    for block in (f"```python\n{BOTH}```\n", "```diff\n@@ -1,3 +1,3 @@\n a = 1\n-b = 2\n+b = 5\n c = 3\n```\n"):
        reply = f"{words}\n\n{block}"
        assert read(reply, {"x.py": ours, "y.py": theirs}) == (
            {"x.py": ours.replace("b = 2", "b = 5"), "y.py": theirs},
            [],
        )
        after, misfits = read(reply, {"x.py": ours, "y.py": ours})
        assert after == {"x.py": ours, "y.py": ours}
        assert [each.reason for each in misfits] == ["ambiguous"]
    new = "### src/new.py\n\nWhat was in `y.py` before:\n\n```\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE\n```\n"
    assert read(new, {"y.py": ours}) == ({"y.py": ours, "src/new.py": "x = 1\n"}, [])


@pytest.mark.parametrize(
    "end",
    ["2. **y.py**", "**2. lib/y.", "Now change #2, in `y.", "## Step 2: `y.py`\n\n", "### 2. Update the caller\n", "- `y.py`\n", "And then for ", "### y.py\n\nNow we ", "2. ", "###\n", "**",
     "<", "[truncated]", "(Response truncated due to length)", "**Continued in next message...**", "I will continue with y.py in the next message.\n"],
)  # fmt: skip
def test_a_reply_that_ends_where_more_should_come_is_refused(end):
    _, misfits = read(f"{BLOCK}\n{end}", {"a.py": CODE})
    assert [each.reason for each in misfits] == ["incomplete"]


@pytest.mark.parametrize(
    "end", ["Files changed:\n\n- a.py\n", "- `a.py`", "I looked at:\n- x.py\n- y.py\n", "That is all.", "---\n", "**Done!**", "The output is truncated to 80 columns."]
)  # fmt: skip
def test_a_reply_that_ends_like_others_is_whole(end):
    assert read(f"{BLOCK}\n{end}", {"a.py": CODE}) == ({"a.py": CODE.replace("20", "21")}, [])


@pytest.mark.parametrize(
    ("line", "known"),
    [("Here's the updated `x.py`:", True), ("Updated code for x.py:", True), ("Here is the updated x.py file:", True), ("x.py should look like this:", True),
     ("<details><summary>x.py</summary>", True), ("### File: x.py (create)", True), ("\U0001f4c4 `x.py`", True), ("\U0001f4c1 x.py", True),
     ("**`x.py`** \u2705", True), ("Replace the contents of `x.py` with:", True), ("First, replace `x.py` with:", True), ("### \u6587\u4ef6\uff1a`x.py`", True),
     ("`x.py`\uff08\u4fee\u6539\uff09", True), ("**1. `x.py`** (neu)", True), ("[UPDATED] x.py", True), ("\u201cx.py\u201d", True), ("_x.py_", True),
     ("### Changes to `x.py`", True), ("Here is a new test case for `x.py`:", True), ("**x.py**\n\n---", True), ("==> x.py <==", False),
     ("Example for `x.py`:", False), ("Output of x.py:", False), ("`x.run()`:", False), ("`.strip()`:", False), ("### `POST /x.py`", False)],
)  # fmt: skip
def test_words_that_announce_all_of_a_file_name_it_and_others_do_not(line, known):
    whole = SMALL.replace("w = 2", "w = 3")
    after, misfits = read(f"Well.\n\n{line}\n\n```python\n{whole}```\n", {"x.py": SMALL})
    assert (after, misfits) == ({"x.py": whole if known else SMALL}, [])
    after, misfits = read(f"Well.\n\n{line}\n\n```python\nprint(v + 1)\n```\n", {"x.py": SMALL})
    if line.split()[0] in {"Here's", "Here", "Updated", "First,"} or "neu" in line or "Changes" in line:
        assert after == {"x.py": SMALL}  # some of a file, below words that may announce no more


HEADED = [
    "### {}\n\nUpdated to add the limit:\n",
    "**`{}`**\n\n- adds a limit\n- says so\n",
    "{}\n\nIt uses `y.py`.\n",
    "In `{}`:\n",
]


@pytest.mark.parametrize("head", HEADED)
def test_below_a_heading_and_some_words_stands_all_of_a_file_where_it_looks_so(head):
    whole, files = SMALL.replace("w = 2", "w = 3"), {"x.py": SMALL, "y.py": "a = 1\n", "a.py": CODE}
    text = f"{head.format('x.py')}\n```python\n{{}}```\n"
    edited = {**files, "a.py": CODE.replace("20", "21")}
    assert read(text.format(whole), files) == ({**files, "x.py": whole}, [])
    assert read(BLOCK + text.format(whole), files) == ({**edited, "x.py": whole}, [])
    for piece in ("def g():\n    pass\n", "import os\n\nv = 3\n"):
        assert read(text.format(piece), files) == (files, [])
        after, misfits = read(BLOCK + text.format(piece), files)
        assert after == edited
        assert [each.reason for each in misfits] == ["malformed"]


@pytest.mark.parametrize("head", HEADED[:3])
def test_below_a_heading_and_some_words_stands_a_new_file_unless_it_is_something_else(head):
    files = {"y.py": "a = 1\n"}
    text = f"{head.format('src/new.py')}\n```{{}}\nx = 1\n```\n"
    assert read(text.format("python"), files) == ({**files, "src/new.py": "x = 1\n"}, [])
    assert read(text.format("text"), files) == (files, [])
    assert read(text.format("bash"), files) == (files, [])
    for words in ("Example usage:", "Run it:", "The old code was:", "It prints, before:", "A snippet of it:"):
        assert read(f"### src/new.py\n\n{words}\n\n```python\nx = 1\n```\n", files) == (files, [])


@pytest.mark.parametrize("line", ["### Input/Output", "**Client/server**", "### CI/CD", "### `Array.prototype.map`", "### `.button`", "1. `.lower()`", "`GET /api/{id}.json`", "**api.example.com/v1**", "Create a new `public.users` table:", "### `re.sub`", "### `str.strip`", "Please send me the content of `settings.py`:"])  # fmt: skip
def test_headings_of_examples_are_no_names_of_files(line):
    reply = f"{line}\n\n```python\nx = 1\n```\n"
    assert read(reply, {"a.py": CODE}) == ({"a.py": CODE}, [])
    assert read(BLOCK + "\n" + reply, {"a.py": CODE})[0] == {"a.py": CODE.replace("20", "21")}


@pytest.mark.parametrize(
    "tail", ["Config (`config.toml`):", "For example, in Node.js:", "The relevant part of `b.md` after this:"]
)
def test_an_example_below_edits_does_not_hinder_them(tail):
    reply = f"{BLOCK}\n{tail}\n\n```toml\nkey = 1\n```\n"
    assert read(reply, {"a.py": CODE, "b.md": PAGE}) == ({"a.py": CODE.replace("20", "21"), "b.md": PAGE}, [])


def test_what_is_said_below_a_list_of_files_is_not_the_text_of_the_last():
    files = {"a.py": CODE, "tests/test_a.py": SMALL}
    for listed in (
        "Files changed:\n\n- `a.py`\n- `tests/test_a.py`\n",
        "1. `a.py`\n2. `tests/test_a.py`\n",
        "Files:\n- tests/test_a.py\n",
    ):
        reply = f"{BLOCK}\n{listed}\n```\n1 passed, and so on, for several lines\nv = 1\n\nok\nok\nok\n```\n"
        assert read(reply, files) == ({**files, "a.py": CODE.replace("20", "21")}, [])


@pytest.mark.parametrize("words", ["See `b.py` for how it is used. The complete file:", "As `b.py` runs it, here is the complete file:", "I added `.strip()` to it. Here is the complete file:"])  # fmt: skip
def test_a_heading_names_the_file_and_not_what_the_words_below_it_speak_of(words):
    whole = SMALL.replace("w = 2", "w = 3")
    files = {"x.py": SMALL, "b.py": CODE}
    assert read(f"### `x.py`\n\n{words}\n\n```python\n{whole}```\n", files) == ({**files, "x.py": whole}, [])


def test_the_blanks_of_an_item_of_a_list_are_no_text_of_a_file():
    whole = SMALL.replace("w = 2", "w = 3")
    inner = "".join(f"   {line}\n" if line else "\n" for line in whole.splitlines())
    assert read(f"1. **`x.py`**\n\n   ```python\n{inner}   ```\n", {"x.py": SMALL}) == ({"x.py": whole}, [])
    block = f"1. `n.py`\n\n   ```python\n   <<<<<<< SEARCH\n   =======\n{inner}   >>>>>>> REPLACE\n   ```\n"
    assert read(block, {}) == ({"n.py": whole}, [])
    deep = "".join(f"    {line}\n" for line in BLOCK.splitlines())
    after, misfits = read(f"1. So:\n\n{deep}", {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [(each.reason, "indented" in each.message) for each in misfits] == [("malformed", True)]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("p.json", '{\n  "name": "a",\n  "version": "1",\n  "scripts": {\n    "a": "b"\n  }\n}\n', '{\n  "scripts": {\n    "a": "c"\n  }\n}\n'),
     ("a.css", "a {\n  b: c;\n}\n\nd {\n  e: f;\n}\n", "g {\n  h: i;\n}\n"), ("c.yaml", "server:\n  port: 1\n  debug: true\n", "server:\n  port: 1\n")],
)  # fmt: skip
def test_a_fragment_of_a_small_file_is_not_all_of_it(name, old, new):
    after, misfits = read(f"**{name}**\n\n```\n{new}```\n", {name: old})
    assert after == {name: old}
    assert [each.reason for each in misfits] == ["elided"]


def test_a_literal_that_is_never_closed_does_not_swallow_the_files_that_follow():
    program = "const name = /^[-_a-z^`|~,!#$%&'*+.]+$/i.test(s);\n\nexport default name;\n"
    reply = f"a.js\n```\n{program}```\n\nb.c\n```\nint x;\n```\n\nThat is all.\n"
    files = {"a.js": program.replace("name", "n"), "b.c": "int y;\n"}
    after, misfits = read(reply, files)
    assert (after, misfits) == ({"a.js": program, "b.c": "int x;\n"}, []) or (after == files and misfits)
    template = "const name = `\n\nexport default name;\n"  # as a lexer sees some patterns
    after, misfits = read(reply.replace(program, template), files)
    assert after == files
    assert [each.reason for each in misfits] == ["malformed"]


def test_an_explanation_of_a_merge_is_no_edit():
    assert read("It looks like this:\n\n```\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> feature\n```\n", {"a.py": CODE}) == (
        {"a.py": CODE},
        [],
    )


def test_what_a_program_prints_between_rules_is_no_diff():
    for printed in ("--- PASS: TestFoo (0.00s)\n+++ done\nok\n", "--- a\n+++ b\n"):
        for reply in (printed, f"```\n{printed}```\n", f"```text\n=== RUN\n{printed}```\n"):
            assert read(reply, {"a.py": CODE}) == ({"a.py": CODE}, [])
    diff = "--- one\n+++ one\n@@ -1,2 +1,2 @@\n-x\n+y\n z\n"
    assert read(diff, {"one": "x\nz\n"}) == ({"one": "y\nz\n"}, [])


@pytest.mark.parametrize("text", ["(deleted)\n", "# unchanged\n", "[no changes needed]\n", ""])
def test_a_text_that_only_says_what_becomes_of_a_file_is_refused(text):
    after, misfits = read(f"a.py\n```\n{text}```\n", {"a.py": CODE + CODE})
    assert after == {"a.py": CODE + CODE}
    assert [each.reason for each in misfits] == ["elided"]


def test_a_reply_with_the_line_ends_of_an_old_mac_is_read():
    assert read(BLOCK.replace("\n", "\r"), {"a.py": CODE}) == ({"a.py": CODE.replace("20", "21")}, [])


TABBED = "package a\n\nfunc f() {\n" + "\tg()\n" * 30 + "}\n\nvar usage = `Use:\n  {{.Use}}\n`\n"


def test_new_lines_that_are_indented_like_a_line_to_find_which_the_file_has_are_not_foreign_to_it():
    for end in ("", "  "):  # found as it is, and with blanks at its end
        block = f"a.go\n```\n<<<<<<< SEARCH\n  {{{{.Use}}}}{end}\n=======\n  {{{{.Name}}}}\n>>>>>>> REPLACE\n```\n"
        assert read(block, {"a.go": TABBED}) == ({"a.go": TABBED.replace(".Use", ".Name")}, [])
    lost = "a.go\n```\n<<<<<<< SEARCH\nvar usage = `Use:\n=======\nfunc h() {\n  g()\n}\n\nvar usage = `Use:\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(lost, {"a.go": TABBED})
    assert after == {"a.go": TABBED}
    assert ["indented" in each.message for each in misfits] == [True]


def test_a_line_that_only_moves_behind_a_tab_is_foreign_to_a_file_of_blanks():
    old = "type A<B> = B extends C\n  ? D\n  : unknown\n" + "type E = {\n  f: g\n}\n" * 30
    block = "a.ts\n```\n<<<<<<< SEARCH\ntype A<B> = B extends C\n  ? D\n  : unknown\n=======\ntype A<B> =\n  B extends C\n{}? D\n{}: unknown\n>>>>>>> REPLACE\n```\n"
    want = old.replace(
        "type A<B> = B extends C\n  ? D\n  : unknown", "type A<B> =\n  B extends C\n    ? D\n    : unknown"
    )
    assert read(block.format("    ", "    "), {"a.ts": old}) == ({"a.ts": want}, [])
    after, misfits = read(block.format("\t", "\t"), {"a.ts": old})
    assert after == {"a.ts": old}
    assert ["indented" in each.message for each in misfits] == [True]


def test_the_stars_of_a_remark_behind_a_tab_that_was_lost_do_not_hinder_that_it_is_put_back():
    old = "interface A {\n\t/**\n\t * One.\n\t */\n\tone: number;\n}\n"
    block = "a.ts\n```\n<<<<<<< SEARCH\n * One.\n */\none: number;\n=======\n * One.\n *\n * Or none.\n */\none?: number;\n>>>>>>> REPLACE\n```\n"
    want = old.replace("One.\n", "One.\n\t *\n\t * Or none.\n").replace("one:", "one?:")
    assert read(block, {"a.ts": old}) == ({"a.ts": want}, [])
    deeper = block.replace("one?: number;", "one: {\n  two: number;\n};")
    after, misfits = read(deeper, {"a.ts": old})
    assert after == {"a.ts": old}
    assert [each.reason for each in misfits] == ["malformed"]


COUNTED = "--- a/a.py\n+++ b/a.py\n@@ -1,9 +1,9 @@\n def boil(water):\n-    if water:\n+    if not water:\n         return 100\n"


def test_a_diff_that_has_miscounted_is_not_held_to_its_counts():
    last = "@@ -7,9 +7,12 @@\n def cool(water):\n-    return 20\n+    return 21\n"
    after, misfits = read(COUNTED + last, {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("if water", "if not water").replace("20", "21")}
    _, misfits = read(COUNTED.replace("-1,9 +1,9", "-1,3 +1,3") + last, {"a.py": CODE})
    assert [each.reason for each in misfits] == ["incomplete"]


@pytest.mark.parametrize("name", ["aux.c", "CON", "nul.tar.gz", "sub/com1", "COM\u00b9", "conin$", "foo:bar.py"])
def test_a_name_that_windows_cannot_have_is_edited_where_it_exists_and_never_made(name):
    whole = f"{name}\n```\nx = 1\n```\n"
    block = f"{name}\n```\n<<<<<<< SEARCH\nx = 0\n=======\nx = 1\n>>>>>>> REPLACE\n```\n"
    patch = f"*** Begin Patch\n*** Update File: {name}\n@@\n-x = 0\n+x = 1\n*** End Patch\n"
    diff = f"```diff\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-x = 0\n+x = 1\n```\n"
    for reply in (whole, block, patch, diff):
        assert read(reply, {name: "x = 0\n"}) == ({name: "x = 1\n"}, [])
    made = patch.replace("Update", "Add").replace("@@\n-x = 0\n", "")
    moved = patch.replace(f"Update File: {name}", f"Update File: a.py\n*** Move to: {name}")
    for reply in (
        made,
        moved,
        diff.replace(f"a/{name}", "/dev/null").replace("-x = 0\n", ""),
    ):
        after, misfits = read(reply, {"a.py": "x = 0\n"})
        assert name not in after
        assert [each.reason for each in misfits] == ["outside"]
        assert "Windows" in misfits[0].message


def test_three_dots_in_what_a_program_prints_are_its_own():
    reply = "```diff\n--- a/ui.stderr\n+++ b/ui.stderr\n@@ -1,2 +1,4 @@\n error: no\n+  |\n+...\n  | x\n```\n"
    after, misfits = read(reply, {"ui.stderr": "error: no\n | x\n"})
    assert not misfits
    assert after == {"ui.stderr": "error: no\n  |\n...\n | x\n"}
    _, misfits = read(reply.replace("ui.stderr", "ui.py"), {"ui.py": "error: no\n | x\n"})
    assert [each.reason for each in misfits] == ["elided"]


def test_a_stub_below_a_docstring_is_a_stub():
    old = 'class A:\n    def __del__(self) -> None:\n        """Gone."""\n        self.close()\n'
    new = 'class B:\n    def __del__(self) -> None:\n        """Nothing.\n\n        More.\n        """\n        ...\n\n    def f(\n        self,\n    ) -> None:\n        ...\n\n\n'
    block = "a.py\n```python\n<<<<<<< SEARCH\nclass A:\n=======\n{}class A:\n>>>>>>> REPLACE\n```\n"
    _, misfits = read(block.format(new), {"a.py": old})
    assert [each.reason for each in misfits] == ["elided"]
    assert "def __del__(self)" in misfits[0].message
    fresh = new.replace("__del__", "__exit__")
    after, misfits = read(
        block.format(fresh), {"a.py": old + "\n    def g(\n        self,\n    ) -> None:\n        pass\n"}
    )
    assert not misfits
    assert after["a.py"].startswith(fresh)


def test_prose_in_curly_quotes_is_refused_where_the_page_has_plain_ones_and_the_reply_has_none():
    block = "a.md\n```\n<<<<<<< SEARCH\nFine.\n=======\nFine.\nIt\u2019s new.\n>>>>>>> REPLACE\n```\n"
    _, misfits = read(block, {"a.md": "It's old.\nFine.\n"})
    assert [each.reason for each in misfits] == ["malformed"]
    for page in ("It is old.\nFine.\n", "It\u2019s old.\nFine.\n"):
        after, misfits = read(block, {"a.md": page})
        assert not misfits
        assert after == {"a.md": page + "It\u2019s new.\n"}


def test_a_sign_behind_a_number_is_of_the_text_where_another_stands_there_throughout():
    old = "x = (\n    1,\n)  # two\ny = 1\n"
    new = "1\tx = (\n2\t    1,\n3\t)  # two\n4\t)  # three\n5\ty = 1\n"
    block = (
        f"a.py\n```\n<<<<<<< SEARCH\n1\tx = (\n2\t    1,\n3\t)  # two\n4\ty = 1\n=======\n{new}>>>>>>> REPLACE\n```\n"
    )
    after, misfits = read(block, {"a.py": old})
    assert not misfits
    assert after == {"a.py": old.replace("y =", ")  # three\ny =")}


def test_an_edit_of_nothing_but_blanks_is_not_turned_into_those_of_the_file():
    old = "f()\n\tg()\n\tif h:\n\t\ti()\n"
    block = "a.x\n```\n<<<<<<< SEARCH\nf()\n  g()\n  if h:\n    i()\n=======\nf()\n    g()\n    if h:\n        i(){}\n>>>>>>> REPLACE\n```\n"
    after, misfits = read(block.format(""), {"a.x": old})
    assert after == {"a.x": old}
    assert misfits


def test_a_block_that_was_escaped_as_a_whole_is_read_as_it_was_meant():
    import html

    old = 'if a < b and c > d:\n    print("&")\n'
    new = 'if a <= b and c > d:\n    print("&")\n'
    block = f"<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"
    for quote in (False, True):
        reply = f"a.py\n```python\n{html.escape(block, quote=quote)}```\n"
        assert read(reply, {"a.py": old}) == ({"a.py": new}, [])
    marker = html.escape("<<<<<<< SEARCH")
    reply = f"a.py\n```python\n# one\n# two\n# three\n{marker}\n```\n"
    after, misfits = read(reply, {"a.py": old})
    assert after == {"a.py": old}
    assert misfits


NO_BREAK = "    return 20\n=======\n    return 20\n\u00a0\u00a0\u00a0 # cold"


def test_no_break_spaces_are_no_indentation():
    block = BLOCK.replace("    return 20\n=======\n    return 21", NO_BREAK)
    after, misfits = read(block, {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["malformed"]
    whole = f"a.py\n```python\n{CODE}\u00a0 # cold\n```\n"
    after, misfits = read(whole, {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == ["malformed"]
    mended = BLOCK.replace("    return", "\u00a0\u00a0\u00a0 return")
    assert read(mended, {"a.py": CODE}) == ({"a.py": CODE.replace("20", "21")}, [])


def test_a_change_of_blanks_that_was_made_before_is_refused_as_such():
    reply = "```diff\n--- a/a.py\n+++ b/a.py\n@@ ... @@\n one\n-  \n+\n two\n```\n"
    assert read(reply, {"a.py": "one\n  \ntwo\n"}) == ({"a.py": "one\n\ntwo\n"}, [])
    after, misfits = read(reply, {"a.py": "one\n\ntwo\n"})
    assert after == {"a.py": "one\n\ntwo\n"}
    assert [each.reason for each in misfits] == ["already"]


SOURCE = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(12))
SHOWN = "m.py\n```python\ndef f3():\n    return 3\n```\n\nChange it to:\n\n"
EDITS = {
    "edit_block": "m.py\n```python\n<<<<<<< SEARCH\ndef f3():\n    return 3\n=======\ndef f3():\n    return 33\n>>>>>>> REPLACE\n```\n",
    "apply_patch": "*** Begin Patch\n*** Update File: m.py\n@@\n def f3():\n-    return 3\n+    return 33\n*** End Patch\n",
    "unified_diff": "```diff\n--- a/m.py\n+++ b/m.py\n@@ -13,2 +13,2 @@\n def f3():\n-    return 3\n+    return 33\n```\n",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("head", ["m.py\n", "In m.py:\n", "**m.py**\n\n"])
def test_a_passage_that_is_shown_before_it_is_edited_is_not_the_whole_file(edit, head):
    shown = SHOWN.replace("m.py\n", head, 1)
    assert read(shown + edit, {"m.py": SOURCE}) == ({"m.py": SOURCE.replace("return 3\n", "return 33\n")}, [])
    after, misfits = read(shown.replace("return 3", "return 4") + edit, {"m.py": SOURCE})
    assert after == {"m.py": SOURCE.replace("return 3\n", "return 33\n")}
    assert [each.reason for each in misfits] == ["conflict"]  # no passage of the file, and not all of it


def test_a_passage_alone_does_not_do_away_with_the_rest():
    after, misfits = read(SHOWN.removesuffix("Change it to:\n\n"), {"m.py": SOURCE})
    assert after == {"m.py": SOURCE}
    assert [each.reason for each in misfits] == ["elided"]
    most = SOURCE.partition("def f10")[0]
    assert read(f"m.py\n```python\n{most}```\n", {"m.py": SOURCE}) == ({"m.py": most}, [])


DIFF = "--- a/a.py\n+++ b/a.py\n@@ -7,2 +7,2 @@\n def cool(water):\n-    return 20\n+    return 21\n"


@pytest.mark.parametrize("end", ["@", "@@", "@@ -7", "--", "+++"])
def test_a_diff_that_ends_where_its_next_hunk_begins_is_refused(end):
    _, misfits = read(f"{DIFF}{end}", {"a.py": CODE})
    assert misfits


@pytest.mark.parametrize("fence", ["```", "```diff", "~~~"])
def test_the_text_of_a_patch_file_is_written_and_not_applied(fence):
    reply = f"fixes/cool.patch\n{fence}\n{DIFF}{fence[:3]}\n"
    assert read(reply, {"a.py": CODE}) == ({"a.py": CODE, "fixes/cool.patch": DIFF}, [])


@pytest.mark.parametrize(
    "edit",
    [
        "<<<<<<< SEARCH\n-x = 1\n=======\n-x = 3\n>>>>>>> REPLACE\n",
        "--- a/fixes/cool.patch\n+++ b/fixes/cool.patch\n@@ -4 +4 @@\n--x = 1\n+-x = 3\n",
        "diff --git a/fixes/cool.patch b/fixes/cool.patch\n--- a/fixes/cool.patch\n+++ b/fixes/cool.patch\n@@ -4 +4 @@\n--x = 1\n+-x = 3\n",
        "*** Begin Patch\n*** Update File: fixes/cool.patch\n@@\n--x = 1\n+-x = 3\n*** End Patch\n",
    ],
)
@pytest.mark.parametrize("info", ["", "diff"])
def test_a_patch_file_is_edited_like_any_other(edit, info):
    patch = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    after, misfits = read(f"fixes/cool.patch\n```{info}\n{edit}```\n", {"fixes/cool.patch": patch, "a.py": "x = 1\n"})
    assert not misfits
    assert after == {"fixes/cool.patch": patch.replace("-x = 1", "-x = 3"), "a.py": "x = 1\n"}


def test_a_patch_file_is_made_by_an_edit_that_looks_for_nothing():
    patch = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    reply = f"fixes/cool.patch\n```\n<<<<<<< SEARCH\n=======\n{patch}>>>>>>> REPLACE\n```\n"
    assert read(reply, {"a.py": "x = 1\n"}) == ({"a.py": "x = 1\n", "fixes/cool.patch": patch}, [])


@pytest.mark.parametrize("swapped", [False, True])
def test_which_of_equal_lines_keeps_the_blanks_at_its_end_is_not_guessed(swapped):
    file = "f() {\n  one\n  return\n}  \n\ng\n"
    old, new = "  one\n  return\n}\n", "  two\n  return\n}\n\nh() {\n}\n"
    if swapped:
        file, old, new = file.replace("  one\n  return\n}  \n", "  two\n  return\n}  \n\nh() {\n}\n"), new, old
    reply = f"a.sh\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"
    after, misfits = read(reply, {"a.sh": file})
    assert after == {"a.sh": file}
    assert [misfit.reason for misfit in misfits] == ["malformed"]
    assert "which of the lines '}' keeps" in misfits[0].message
    after, misfits = read(reply, {"a.sh": file.replace("}  ", "}")})
    assert not misfits
    assert after == {"a.sh": file.replace("}  ", "}").replace(old, new)}


ANCHORED = """*** Begin Patch
*** Update File: a.py
@@ def one():
-    a = 1
+    a = 2
*** End Patch
"""


def test_of_several_places_below_an_anchor_the_notation_means_the_first():
    body = "    a = 1\n    b = 1\n    a = 1\n"
    file = f"def zero():\n{body}\n\ndef one():\n{body}\n\ndef two():\n{body}"
    after, misfits = read(ANCHORED, {"a.py": file})
    assert not misfits
    assert after == {"a.py": file.replace("one():\n    a = 1", "one():\n    a = 2")}
    several = file.replace("two", "one")
    assert [misfit.reason for misfit in read(ANCHORED, {"a.py": several})[1]] == ["ambiguous"]  # which block?
    outer = ANCHORED.replace("@@", "@@ def zero():\n@@")  # it stands above, not around
    assert read(outer, {"a.py": file}) == (after, [])
    below = ANCHORED.replace("@@", "@@ def two():\n@@")
    assert [misfit.reason for misfit in read(below, {"a.py": file})[1]] == ["ambiguous"]
    twice = ANCHORED.replace("*** End", "@@ def one():\n-    a = 1\n+    a = 2\n*** End")
    after, misfits = read(twice, {"a.py": file})
    assert (after, {misfit.reason for misfit in misfits}) == ({"a.py": file}, {"ambiguous"})


def test_a_search_whose_only_change_is_a_blank_line_at_its_start_means_it():
    reply = "a.py\n```\n<<<<<<< SEARCH\n\n\ndef b():\n=======\n\ndef b():\n>>>>>>> REPLACE\n```\n"
    file = "def a():\n    pass\n\n\ndef b():\n    pass\n"
    assert read(reply, {"a.py": file}) == ({"a.py": file.replace("\n\n\n", "\n\n")}, [])
    more = reply.replace("b():\n=", "b():\n    pass\n=").replace("b():\n>", "b():\n    return\n>")
    after, misfits = read(more, {"a.py": file})
    assert (after, [misfit.reason for misfit in misfits]) == ({"a.py": file}, ["malformed"])


def test_a_line_that_speaks_of_what_is_left_out_may_move():
    note = "... // Full source omitted. See sample."
    old = "  f() {\n    " + note + "\n  }\n  g() {\n    h\n    i\n    j\n  }\n"
    new = "f() {\n  " + note + "\n}\n"
    reply = f"a.md\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"
    assert read(reply, {"a.md": "# A\n" + old}) == ({"a.md": "# A\n" + new}, [])
    other = "# A\n" + old.replace(note, "k")
    after, misfits = read(reply.replace(note, "k", 1), {"a.md": other})
    assert (after, [misfit.reason for misfit in misfits]) == ({"a.md": other}, ["elided"])


@pytest.mark.parametrize("fence", ["```", "```python", "```text", "~~~"])
def test_a_diff_without_folders_below_its_path_is_a_diff(fence):
    diff = DIFF.replace("a/a.py", "a.py").replace("b/a.py", "a.py")
    assert read(f"a.py\n{fence}\n{diff}{fence[:3]}\n", {"a.py": CODE}) == ({"a.py": CODE.replace("20", "21")}, [])


@pytest.mark.parametrize(
    "edit",
    [
        BLOCK.split("```python\n", maxsplit=1)[0] + BLOCK.split("```python\n")[1].removesuffix("```\n"),
        EDITS["apply_patch"],
    ],
)
def test_an_edit_in_a_string_of_a_program_is_not_carried_out(edit):
    files = {"a.py": CODE, "m.py": SOURCE}
    for quotes in ('"""\\', "'''", "`"):
        code = f"TEXT = {quotes}\n{edit}{quotes[:3]}\nprint(TEXT)\n"
        after, misfits = read(f"A test could look like this:\n\n```python\n{code}```\n", files)
        assert after == files
        assert {each.reason for each in misfits} == {"malformed"}
        written = {**files, "tests/test_it.py": code}
        assert read(f"tests/test_it.py\n```python\n{code}```\n", files) == (written, [])
        added = "".join(f"+{line}\n" for line in code.splitlines())
        assert read(f"*** Begin Patch\n*** Add File: tests/test_it.py\n{added}*** End Patch\n", files) == (written, [])
    words = "`a.py`\n" + edit.removeprefix("a.py\n")
    assert read(f"Edits:\n\n```\n{words}```\n", files)[0] != files


@pytest.mark.parametrize("head", ["@@", "@@ ... @@", "@@ -1,4 +1,4 @@", "@@ -1,3 +1,3 @@"])
def test_lines_that_look_like_the_header_of_another_file_are_of_the_hunk_where_they_must_be(head):
    sql = {"q.sql": "a;\n-- b.sql\nb;\nc;\n", "b.sql": "b;\nc;\n"}
    hunk = " a;\n--- b.sql\n+++ other words\n b;\n-c;\n+C;\n"
    after = {**sql, "q.sql": "a;\n++ other words\nb;\nC;\n"}
    assert read(f"```diff\n--- a/q.sql\n+++ b/q.sql\n{head}\n{hunk}```\n", sql) == (after, [])
    twin = hunk.replace("other words", "b.sql")
    made = read(f"```diff\n--- a/q.sql\n+++ b/q.sql\n@@ -1,4 +1,4 @@\n{twin}```\n", sql)
    assert made == ({**sql, "q.sql": "a;\n++ b.sql\nb;\nC;\n"}, [])
    two = f"```diff\n--- a/q.sql\n+++ b/q.sql\n{head}\n-a;\n+A;\n -- b.sql\n--- a/b.sql\n+++ b/b.sql\n@@ -1,2 +1,2 @@\n-b;\n+B;\n c;\n```\n"
    assert read(two, sql) == ({"q.sql": "A;\n-- b.sql\nb;\nc;\n", "b.sql": "B;\nc;\n"}, [])


DEEP = "class A:\n    def f(self):\n        a = 1\n        return a\n\n    def g(self):\n        return 2\n"


@pytest.mark.parametrize(
    ("search", "new", "want"),
    [
        ("a = 1\nreturn a\n", "        a = 2\n        return a\n", "        a = 2\n        return a\n"),  # new lines are right
        ("a = 1\nreturn a\n", "a = 2\nreturn a\n", "        a = 2\n        return a\n"),
        ("a = 1\nreturn a\n", "a = 1\nif a:\n        return a\n", "        a = 1\n        if a:\n                return a\n"),
        ("    a = 1\n    return a\n", "    a = 1\n    if a:\n        return a\n", "        a = 1\n        if a:\n            return a\n"),
        ("a = 1\nreturn a\n", "        b = 1\n        return b\n", None),  # which cannot be told
        ("    a = 1\n    return a\n", "    if 1:\n        a = 1\n        return a\n", "        if 1:\n            a = 1\n            return a\n"),
        ("a = 1\nreturn a\n", "        a = 1\n        if a:\n            return a\n", None),
        ("            a = 1\n            return a\n", "        a = 1\n        return 3\n", "        a = 1\n        return 3\n"),
    ],
)  # fmt: skip
def test_new_lines_that_stand_right_already_are_not_shifted_with_the_search(search, new, want):
    after, misfits = read(f"a.py\n```\n<<<<<<< SEARCH\n{search}=======\n{new}>>>>>>> REPLACE\n```\n", {"a.py": DEEP})
    old = "        a = 1\n        return a\n"
    assert after == {"a.py": DEEP.replace(old, want) if want else DEEP}
    assert bool(misfits) is (want is None)


@pytest.mark.parametrize("end", ["\n", "\n\n", "\n\n\nThat is all.\n"])
@pytest.mark.parametrize("path", ["notes.md", "docs/a.rst", "CMakeLists.txt"])
def test_a_page_with_empty_lines_below_it_is_whole(path, end):
    assert read(f"Here it is:\n\n{path}\n```\nfine\n```\n{end}", {}) == ({path: "fine\n"}, [])


PAGE_OF_CODE = "# Use\n\n```go\nf(1)\n```\n\nOld.\n"


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("Old.\n", "Old.\n\n```go\nf(1)\n// [...]\nf(2)\n```\n", True),
        ("Old.\n", "```go\n...\n```\nOld.\n", True),
        ("# Use\n\n```go\nf(1)\n", "# Use\n\n```go\n...\n", False),  # the call would go
        ("Old.\n", "Old.\n\n...\n", False),  # no code, and nobody writes that
    ],
)
def test_dots_in_the_code_of_a_page_are_its_own_where_nothing_goes(old, new, fits):
    after, misfits = read(
        f"a.md\n````\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n````\n", {"a.md": PAGE_OF_CODE}
    )
    assert after == {"a.md": PAGE_OF_CODE.replace(old, new) if fits else PAGE_OF_CODE}
    assert [each.reason for each in misfits] == ([] if fits else ["elided"])


def test_a_whole_page_may_have_the_dots_that_it_has():
    page = "```go\ntype T struct {\n\tA int\n}\n\n...\n\ntype T struct {\n}\n```\n"
    new = page.replace("A int", "B int")
    assert read(f"a.md\n````\n{new}````\n", {"a.md": page}) == ({"a.md": new}, [])


REMARKED = "{\n    /** Say.\n     * It. */\n    function a()\n    {\n    }\n}\nif (1) {\n    function b()\n    {\n    }\n}\nif (2) {\n    /** Say.\n     * It. */\n    function c()\n    {\n    }\n}\n"


@pytest.mark.parametrize(("anchor", "fits"), [("function b()", True), ("function a()", False), ("function c()", False)])
def test_a_remark_is_below_the_function_before_it(anchor, fits):
    reply = f"*** Begin Patch\n*** Update File: a.php\n@@ {anchor}\n-     * It. */\n+     * That. */\n*** End Patch\n"
    after, misfits = read(reply, {"a.php": REMARKED})
    head, _, tail = REMARKED.rpartition("It.")
    assert after == {"a.php": f"{head}That.{tail}" if fits else REMARKED}
    assert bool(misfits) is not fits


def test_a_line_of_the_file_that_looks_like_a_marker_of_a_patch_is_one_of_the_file():
    file = "*** Update File: x.py\none\ntwo\n"
    reply = "*** Begin Patch\n*** Update File: a.txt\n@@\n *** Update File: x.py\n-one\n+ONE\n two\n*** End Patch\n"
    assert read(reply, {"a.txt": file}) == ({"a.txt": file.replace("one", "ONE")}, [])


@pytest.mark.parametrize("path", ["b/Makefile", "a/src/x.py"])
def test_a_text_for_a_file_as_a_diff_would_name_it_is_refused(path):
    files = {"Makefile": "all:\n", "src/x.py": "x = 1\n"}
    after, misfits = read(f"{path}\n```\nnew\n```\n", files)
    assert after == files
    assert [each.reason for each in misfits] == ["malformed"]
    assert read("b/other.py\n```\nx = 1\n```\n", files) == ({**files, "b/other.py": "x = 1\n"}, [])


@pytest.mark.parametrize(
    ("last", "want"),
    [
        ("-\n\\ No newline at end of file\n+\n", "one\nTWO\n\n"),  # "two\n" and nothing, then "TWO\n" and an empty line
        (" \n\\ No newline at end of file\n", "one\nTWO\n"),
    ],
)
def test_an_empty_line_without_an_end_is_the_end_of_the_text(last, want):
    diff = f"--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n{last}"
    assert read(f"```diff\n{diff}```\n", {"a.txt": "one\ntwo\n"}) == ({"a.txt": want}, [])


LONG = "import os\n\n" + "".join(f"def f{n}():\n    return {n}\n\n" for n in range(30))
PIECE = "```python\ndef f7():\n    return 77\n```\n"


@pytest.mark.parametrize(
    "head", ["Update `a.py`:\n\n", "a.py (lines 23-24)\n", "In `a.py`:\n", "a.py\n", "### a.py - f7\n", "**a.py**\n"]
)
def test_a_changed_passage_does_not_do_away_with_the_rest_of_its_file(head):
    after, misfits = read(head + PIECE, {"a.py": LONG})
    assert after == {"a.py": LONG}
    assert {each.reason for each in misfits} <= {"elided"}


def test_what_a_program_printed_is_not_the_text_of_its_file():
    output = 'In `a.py`:\n\n```\nTraceback (most recent call last):\n  File "a.py"\nValueError\n```\n'
    edit = "b.py\n```\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"
    after, _ = read(f"{output}\n{edit}", {"a.py": LONG, "b.py": "x\n"})
    assert after["a.py"] == LONG


def test_a_text_without_the_first_third_of_its_file_is_a_passage():
    short = "import a\nimport b\nimport c\nimport d\n\ndef f():\n    return 1\n\ndef g():\n    return 2\n"
    last = "def f():\n    return 1\n\ndef g():\n    return 3\n"
    after, misfits = read(f"a.py\n```\n{last}```\n", {"a.py": short})
    assert after == {"a.py": short}
    assert [each.reason for each in misfits] == ["elided"]


@pytest.mark.parametrize(
    "text",
    [
        LONG.partition("def f9")[0].replace("return 3", "return 33"),  # the end goes
        "import sys\n" + LONG.partition("\n")[2].partition("def f25")[0],
        LONG.replace("import os\n", ""),
    ],
)
def test_a_text_that_begins_like_its_file_or_has_most_of_it_is_all_of_it(text):
    assert read(f"a.py\n```\n{text}```\n", {"a.py": LONG}) == ({"a.py": text}, [])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'T = """\n```\nexample\n```\n"""\ny = 1\n'),
        ("a.py", "def f():\n    '''Say.\n\n```\nf()\n```\n'''\n    return \"'''\"\n"),
        ("a.sh", "cat <<EOF\n```\nls\n```\nEOF\necho done\n"),
        ("a.rb", "x = <<~TEXT\n```\nls\n```\nTEXT\nputs x\n"),
        ("a.kt", 'val t = """\n```\nrun\n```\n"""\n'),
        ("a.c", "/* Use:\n```\nf();\n```\n*/\nint f(void);\n"),
        ("a.go", "package a\n\n/*\nUse:\n\n```\nrun\n```\n*/\n\nfunc A() {\n}\n"),
        ("a.js", "/**\n```js\nf()\n```\n*/\nconst f = 1\n"),
    ],
)
def test_a_bare_fence_in_a_literal_or_remark_is_text_of_the_program(path, text):
    assert read(f"{path}\n```\n{text}```\n", {}) == ({path: text}, [])
    assert read(f"{path}\n```\n{text}```\n\nThat is all.\n", {path: "old\n"}) == ({path: text}, [])


def test_a_program_that_only_seems_to_end_in_a_literal_ends_at_its_fence():
    text = "cat <<EOF\nls\n"  # no shell would mind
    assert read(f"a.sh\n```\n{text}```\n\nThat is all.\n", {}) == ({"a.sh": text}, [])


@pytest.mark.parametrize(
    "fence",
    [
        "```python:src/new.py\nx = 1\n```", "```src/new.py\nx = 1\n```", "```python src/new.py\nx = 1\n```",
        '```python title="src/new.py"\nx = 1\n```', "```py filename=src/new.py\nx = 1\n```", "```python\n# src/new.py\nx = 1\n```",
    ],
)  # fmt: skip
def test_a_file_that_is_named_in_its_fence_is_not_passed_over_beside_other_edits(fence):
    edit = "a.py\n```\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```\n"
    _, misfits = read(f"{edit}\n{fence}\n", {"a.py": "x = 1\n"})
    assert [(each.edit.path, each.reason) for each in misfits] == [("src/new.py", "malformed")]
    assert read(f"It would look so:\n\n{fence}\n", {"a.py": "x = 1\n"}) == ({"a.py": "x = 1\n"}, [])
    shown = fence.replace("src/new.py", "a.py")
    assert read(f"{edit}\nThen:\n\n{shown}\n", {"a.py": "x = 1\n"}) == ({"a.py": "x = 2\n"}, [])


@pytest.mark.parametrize(
    "head",
    [
        "Create a new file `src/new.py` with this content:", "Here is the full updated `src/new.py`:", "New src/new.py:",
        "Replace the content of `src/new.py` with:", "Contents of src/new.py:", "Save this as **src/new.py**:", "`src/new.py` should now look like this:",
        "Create a new file (src/new.py) with the following content:", "Here is the complete updated file (src/new.py):",
    ],
)  # fmt: skip
def test_a_sentence_that_announces_all_of_a_file_names_it(head):
    assert read(f"{head}\n\n```python\nx = 1\n```\n", {}) == ({"src/new.py": "x = 1\n"}, [])


def test_brackets_around_a_name_are_no_part_of_it_and_those_in_it_are():
    head, text = "Here is the complete updated file ({}):", "```\nx = 1\n```\n"
    assert read(f"{head.format('src/a.py')}\n\n{text}", {"src/a.py": "x = 0\n"}) == ({"src/a.py": "x = 1\n"}, [])
    for shape in ("({})", "{}"):
        said = f"Create a new file {shape.format('(shop)/page.tsx')} with this content:"
        assert read(f"{said}\n\n{text}", {}) == ({"(shop)/page.tsx": "x = 1\n"}, []), shape


@pytest.mark.parametrize("head", ["Output of src/b.py:", "Run python src/b.py", "Test results for pkg/mod.py:"])
def test_words_before_a_path_are_no_folder(head):
    assert read(f"{head}\n```\n3 passed\n```\n", {"a.py": "x\n"}) == ({"a.py": "x\n"}, [])


@pytest.mark.parametrize(
    ("tail", "fits"),
    [
        ("</answer>\n", True), ("</details>\n", True), ("That is all for a.py\n", True), ("The change is in `a.py`\n", True),
        ("a.py\n", False), ("**a.py**\n", False), ("b.py\n", False),
    ],
)  # fmt: skip
def test_how_a_reply_may_end(tail, fits):
    edit = "a.py\n```\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```\n"
    _, misfits = read(f"\ufeff{edit}\n{tail}", {"a.py": "x = 1\n"})
    assert bool(misfits) is not fits


def test_a_number_that_may_count_earlier_edits_in_is_no_number():
    file = "import os\n\n" + "".join(
        f"class {name}:\n    def run(self):\n        x = 1\n        return x\n\n" for name in "ABC"
    )
    first = "```diff\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,7 @@\n import os\n+import sys\n+import re\n+import io\n+import json\n+import csv\n \n```\n"
    second = "```diff\n--- a/a.py\n+++ b/a.py\n@@ -{0},3 +{0},3 @@\n     def run(self):\n-        x = 1\n+        x = 2\n         return x\n```\n"
    after, misfits = read(first + second.format(14), {"a.py": file})  # C as the file is, B as the first edit leaves it
    assert [each.reason for each in misfits] == ["ambiguous"]
    assert "x = 2" not in after["a.py"]
    after, misfits = read(first + second.format(4), {"a.py": file})
    assert not misfits
    assert after["a.py"].index("x = 2") < after["a.py"].index("class B")


def test_a_bare_word_that_may_be_a_new_file_is_not_passed_over_beside_other_edits():
    edit = "a.py\n```\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```\n"
    for word in ("launcher", "run_all"):
        _, misfits = read(f"{word}\n```\nhi\n```\n\n{edit}", {"a.py": "x = 1\n"})
        assert [each.reason for each in misfits] == ["malformed"]
        assert "./" + word in misfits[0].hint
        after = {"a.py": "x = 2\n", word: "hi\n"}
        assert read(f"./{word}\n```\nhi\n```\n\n{edit}", {"a.py": "x = 1\n"}) == (after, [])
        assert read(f"{word}\n```\nhi\n```\n", {"a.py": "x = 1\n"}) == ({"a.py": "x = 1\n"}, [])
    for word in ("usage", "Output", "bash", "Launcher"):
        assert read(f"{word}\n```\nhi\n```\n\n{edit}", {"a.py": "x = 1\n"}) == ({"a.py": "x = 2\n"}, [])


def test_two_liberties_at_once_need_a_line_that_stands_nowhere_else():
    file = "x do\n  s do\n    t\n      RUBY\n    fin\n  end\n\n  b do\n    RUBY\n  end\nend\n"
    edit = "a.rb\n```\n<<<<<<< SEARCH\n{0}\n=======\n{1}\n>>>>>>> REPLACE\n```\n"
    stale = edit.format("      RUBY\n    end\n  end\n", "      RUBY\n    end\n    more\n  end\n")
    after, misfits = read(stale, {"a.rb": file})
    assert after == {"a.rb": file}
    assert [each.reason for each in misfits] == ["not_found"]
    known = stale.replace("RUBY", "GEM")
    fits = file.replace("b do\n    RUBY", "b do\n    GEM")
    assert read(known, {"a.rb": fits}) == ({"a.rb": fits.replace("  end\nend\n", "  end\n  more\nend\n")}, [])


@pytest.mark.parametrize(
    ("info", "path"),
    [
        ("yaml:.github/dependabot.yml", ".github/dependabot.yml"), ('yaml title=".travis.yml"', ".travis.yml"), ("text:.gitignore", ".gitignore"),
        ("python", ""), ("{.python}", ""), (".py", ""), ("c++", ""), ("12:15:src/a.py", ""), ("js {1,3}", ""), ("src/a.py", "src/a.py"),
    ],
)  # fmt: skip
def test_what_a_fence_names(info, path):
    from assistant.edits.filename import named_by

    assert named_by(info) == path


def test_dots_in_what_a_program_prints_do_not_stand_for_many_lines():
    file = "".join(f"line {n}\n" for n in range(20))
    some = file.replace("line 5\n", "...\n")
    assert read(f"a.golden\n```\n{some}```\n", {"a.golden": file}) == ({"a.golden": some}, [])
    after, misfits = read(f"a.golden\n```\n{file.partition('line 12')[0]}...\n```\n", {"a.golden": file})
    assert after == {"a.golden": file}
    assert [each.reason for each in misfits] == ["elided"]


@pytest.mark.parametrize(
    "other",
    [
        '<file path="b.py">\nx = 2\n</file>\n',
        "<write_to_file>\n<path>b.py</path>\n<content>\nx = 2\n</content>\n</write_to_file>\n",
        "<str_replace>\n<path>b.py</path>\n<old_str>\nx = 1\n</old_str>\n</str_replace>\n",
        '```json\n{"command": "str_replace", "path": "b.py", "old_str": "x = 1", "new_str": "x = 2"}\n```\n',
        "b.py, replace this:\n```python\nx = 1\n```\nwith this:\n```python\nx = 2\n```\n",
    ],
)
@pytest.mark.parametrize("beside", ["", BLOCK])
def test_an_edit_in_a_notation_that_nobody_reads_is_not_passed_over(other, beside):
    _, misfits = read(f"{beside}\n{other}", {"a.py": CODE, "b.py": "x = 1\n"})
    assert [misfit.reason for misfit in misfits] == ["malformed"]


def test_what_only_looks_like_a_call_of_a_tool_hinders_nothing():
    page = 'b.xml\n```xml\n<file path="b">\n</file>\n```\n'
    html = '```html\n<edit name="x">\n```\n'
    after, misfits = read(f"{BLOCK}\n{page}\n{html}", {"a.py": CODE})
    assert not misfits
    assert after["b.xml"] == '<file path="b">\n</file>\n'


@pytest.mark.parametrize("name", ["default.jats_publishing", "a.code-workspace", "Changelog", "NEWS", "a.1", "notes.verylongextension"])  # fmt: skip
def test_a_word_alone_above_a_block_that_searches_nothing_is_the_file_it_makes(name):
    reply = f"{BLOCK}\n{name}\n```\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n```\n"
    assert read(reply, {"a.py": CODE}) == ({"a.py": CODE.replace("20", "21"), name: "new\n"}, [])


@pytest.mark.parametrize("name", ["Usage", "Output", "two words"])
def test_a_heading_above_a_block_that_searches_nothing_makes_no_file(name):
    reply = f"{BLOCK}\n{name}\n```\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n```\n"
    assert [misfit.reason for misfit in read(reply, {"a.py": CODE})[1]] == ["conflict"]


def test_a_block_below_the_name_of_a_file_that_is_not_there_does_not_go_into_the_one_before():
    reply = f"{BLOCK}\na.code-workspace\n{BLOCK.split(chr(10), 1)[1].replace('return 20', 'return 100').replace('21', '99')}"
    after, misfits = read(reply, {"a.py": CODE})
    assert [misfit.reason for misfit in misfits] == ["no_file"]
    assert "99" not in after["a.py"]


@pytest.mark.parametrize("words", ["Full content:", "This one is new in full.", "The new version:", "Replace it with:"])
@pytest.mark.parametrize("info", ["", "text", "plaintext"])
def test_a_text_below_a_name_and_words_that_announce_it_is_not_passed_over(words, info):
    whole, files = SMALL.replace("w = 2", "w = 3"), {"x.py": SMALL, "a.py": CODE}
    reply = f"{BLOCK}\nx.py\n\n{words}\n\n```{info}\n{{}}```\n"
    assert read(reply.format(whole), files) == ({"x.py": whole, "a.py": CODE.replace("20", "21")}, [])
    _, misfits = read(reply.format("def g():\n    pass\n"), files)
    assert [misfit.reason for misfit in misfits] == ["malformed"]


@pytest.mark.parametrize("words", ["It prints:", "Run it and see:", "The tests pass now:"])
def test_what_a_program_says_below_a_name_hinders_nothing(words):
    reply = f"{BLOCK}\nx.py\n\n{words}\n\n```\n3 passed\n```\n"
    assert read(reply, {"x.py": SMALL, "a.py": CODE}) == ({"x.py": SMALL, "a.py": CODE.replace("20", "21")}, [])


def test_of_two_files_that_are_shown_none_is_written_alone():
    whole = SMALL.replace("w = 2", "w = 3")
    reply = f"y.py\n\nReplace it with:\n\n```python\ndef g():\n    pass\n```\n\nx.py\n\nReplace it with:\n\n```python\n{whole}```\n"
    _, misfits = read(reply, {"x.py": SMALL, "y.py": "def f():\n    pass\n\n\nclass A:\n    pass\n"})
    assert [misfit.reason for misfit in misfits] == ["malformed"]


def test_a_file_that_ends_within_a_literal_below_which_more_is_announced_is_cut_short():
    reply = 'x.py\n```python\nHELP = """\nThe kettle\n```\n\nSay "continue" for the rest.\n'
    _, misfits = read(reply, {"x.py": SMALL})
    assert "incomplete" in {misfit.reason for misfit in misfits}


def test_what_stands_below_a_file_that_ends_within_a_literal_is_read_or_told():
    whole = 'x.py\n```python\nHELP = """\nThe kettle\n```\n\n'
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n-    return 20\n+    return 21\n*** End Patch\n"
    after, misfits = read(whole + patch, {"a.py": CODE})
    assert (after["a.py"], misfits) == (CODE.replace("20", "21"), [])
    _, misfits = read(whole + patch.partition("*** End")[0], {"a.py": CODE})
    assert "incomplete" in {misfit.reason for misfit in misfits}


@pytest.mark.parametrize(
    "note",
    ["# ... (código existente) ...", "{{ existing code }}", "# ... lines 40-120 ...", "# (the remainder is identical)", "# rest of the template is the same",
     "# (no changes below this line)", "# ... существующий код ..."],
)  # fmt: skip
def test_notes_that_lines_are_left_out_are_not_written(note):
    old = "".join(f"line {number} = {number}\n" for number in range(12))
    new = f"line 0 = 1\n{note}\nline 11 = 12\n"
    after, misfits = read(f"x.py\n```python\n{new}```\n", {"x.py": old})
    assert (after, [misfit.reason for misfit in misfits]) == ({"x.py": old}, ["elided"])
    reply = f"x.py\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"
    assert [misfit.reason for misfit in read(reply, {"x.py": old})[1]] == ["elided"]


@pytest.mark.parametrize(
    "line", ["{{ content }}", "{{ rest }}", "# lines 1-3", "{ existing, code }", "# the rest of the water is boiled"]
)
def test_lines_that_only_sound_so_are_written(line):
    old = "a = 1\nb = 2\n"
    assert read(f"x.py\n```python\na = 1\n{line}\nb = 2\n```\n", {"x.py": old})[0] == {
        "x.py": f"a = 1\n{line}\nb = 2\n"
    }


@pytest.mark.parametrize(
    ("above", "cut"),
    [
        ("Nothing to change; the parser (a.py) is called so", False),
        ("Inline <b>html</b> and https://example.com/a_b_c?x=1 snake_case __init__ 2*3*4", False),
        ("I changed a.py so that it is right.", False),
        ("Here is the updated a.py:", True),
        ("a.py", True),
        ("Dockerfile", True),
    ],
)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_an_example_whose_fence_is_never_closed_is_no_file_that_was_cut_short(above, cut, between):
    after, misfits = read(f"{above}{between}```python\nfrom a import boil\nboil(1)\n", {"a.py": CODE})
    assert after == {"a.py": CODE}
    assert [each.reason for each in misfits] == (["incomplete"] if cut else [])
