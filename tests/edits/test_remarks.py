"""What a reply says of its edits, and names and texts that are not what they seem: written where it must not be, such a reply does harm."""

import pytest

from assistant.edits.edit import Edit
from assistant.edits.elision import leaves_out
from assistant.edits.format import open_parser
from assistant.edits.match import fit
from tests.edits.test_odd_replies import BLOCK, CODE, read

OTHER = BLOCK.replace("a.py", "b.py")
FILES = {"a.py": CODE, "b.py": CODE}


@pytest.mark.parametrize(
    "reply",
    [
        f"Please do NOT do this:\n\n{BLOCK}\nIt would break every client.\n",
        f"Don\u2019t write it like this:\n\n{BLOCK}",
        f"### Wrong\n\n{BLOCK}",
        f"Avoid this:\n\n{BLOCK}",
        f"For example, a block in this format looks like:\n\n{BLOCK}\nTell me what you would like changed.",
        f"The edit format is:\n\n{BLOCK}",
        f"The upstream commit that broke it was:\n\n{BLOCK}\nSo no change here.",
        f"Two ways.\n\n## Option A\n\n{BLOCK}\n## Option B: the other file\n\n{OTHER}\nTell me which.",
        f"**Alternative 1**\n{BLOCK}\n**Alternative 2**\n{OTHER}",
        f"{BLOCK}\nAlternatively, change only the other one:\n\n{OTHER}",
        f"{BLOCK}\nActually, no: leave it alone, the change belongs elsewhere.\n\n{OTHER}",
        f"{BLOCK}\nWait, that's wrong.\n\n{OTHER}",
        f"{BLOCK}\nOn second thought, scratch that.\n",
        f"{BLOCK}\nPlease ignore the previous block.\n\n{OTHER}",
    ],
)
def test_an_edit_that_the_reply_itself_does_not_mean_is_refused(reply):
    _, misfits = read(reply, FILES)
    assert misfits
    assert all("meant" in each.message for each in misfits)


@pytest.mark.parametrize(
    "reply",
    [
        f"The old code did not do this: it does now.\n\n{BLOCK}\n{OTHER}",
        f"Option A is what you asked for, so here it is.\n\n{BLOCK}\n{OTHER}",
        f"{BLOCK}\nWait for the tests before you merge. Now the other one:\n\n{OTHER}",
        f"{BLOCK}\nI should also update the other file. Actually, it is the same change:\n\n{OTHER}",
        f"The current check is wrong. Here is the patch:\n\n{BLOCK}\n{OTHER}\nNo changes are needed elsewhere.",
        f"The change would look like this:\n\n{BLOCK}\n{OTHER}",
        f"You should never use 20 in code like this, so:\n\n{BLOCK}\n{OTHER}",
    ],
)
def test_words_that_only_sound_like_it_hinder_nothing(reply):
    after, misfits = read(reply, FILES)
    assert not misfits
    assert after == dict.fromkeys(FILES, CODE.replace("20", "21"))


@pytest.mark.parametrize(
    "note",
    """# 其余代码保持不变|# 其他代码保持不变|// 以下省略|// ... 现有代码 ...|# Der Rest der Datei bleibt unverändert|# остальной код без изменений
    |# El resto del código permanece igual|# Keep the rest of the file as is|# <existing code>|# le reste du code est inchangé|# 残りのコードは変更なし
    |// 나머지 코드는 동일합니다|# o resto do código permanece igual|# il resto del codice rimane invariato|/* keep everything else unchanged */
    |// Leave other functions unchanged|// 其他方法不变""".replace("\n    ", "").split("|"),
)
def test_a_note_in_any_language_leaves_lines_out(note):
    assert leaves_out(note)


@pytest.mark.parametrize(
    "line",
    """# other|// keep the connection alive|# leave existing files|# Code:|// Keep other tabs|# 其他|// 其他情况|# 其他方法|// keep existing connections here
    |# preserve existing values|# Inhalt|# reste|# Restliche Tage|// existing code path|// код|// 생성""".replace(
        "\n    ", ""
    ).split("|"),
)
def test_a_remark_of_a_program_leaves_nothing_out(line):
    assert not leaves_out(line)


def whole(path, text, fence="```"):
    return f"{path}\n{fence}\n{text}```\n"


def test_a_new_file_that_is_one_further_down_by_its_text_is_refused():
    def put(path, text, there):
        found = open_parser().feed(whole(path, text))
        files = {name: (data.encode(), 0o644) for name, data in there.items()}
        edits = [each for each in found if isinstance(each, Edit)]
        return fit(edits, files.get, namesakes=lambda name: [each for each in files if each.endswith("/" + name)])

    there = {"src/tea/a.py": CODE}
    for path in ("a.py", "tea/a.py"):
        fitted = put(path, CODE.replace("20", "21"), there)
        assert [each.reason for each in fitted.misfits] == ["no_file"]
        assert "src/tea/a.py" in fitted.misfits[0].message
    assert put("a.py", "print('another')\n", there).patch.files[0].path == "a.py"
    assert put("./a.py", CODE, there).patch.files[0].path == "a.py"  # so it is said
    assert put("b.py", CODE, there).patch.files[0].path == "b.py"


@pytest.mark.parametrize(
    ("path", "there", "text"),
    [
        ("Makefile", "all:\n\tgo build\n\tgo vet\n\tgo test\n", "all:\n    go build\n    go vet\n    go test -v\n"),
        ("a.py", 'x = "one"\ny = "two"\n', "x = \u201cone\u201d\ny = \u201ctwo\u201d\nz = 1\n"),
        ("a.py", "if x < 1:\n    pass\ny = 1\n", "if x &lt; 1:\n    pass\ny = 2\n"),
        ("a.py", CODE, "# src/b.py\n" + CODE),
    ],
)
def test_a_whole_file_that_was_mangled_on_its_way_is_refused(path, there, text):
    files = {path: there, "src/b.py": CODE}
    after, misfits = read(whole(path, text), files)
    assert misfits
    assert after == files


def test_lines_of_a_file_are_not_its_name():
    files = {"a.py": CODE}
    after, _ = read(whole("a.py#L1-L3", "".join(CODE.splitlines(keepends=True)[:3])), files)
    assert after == files
    after, misfits = read(whole("src/a.py#L1-L3", "x = 1\n"), {"src/a.py": CODE})
    assert [each.reason for each in misfits] == ["elided"]


def test_two_fences_around_one_text_are_taken_off_and_a_first_line_on_the_fence_is_not_lost():
    new = CODE.replace("20", "21")
    assert read(f"a.py\n```\n```python\n{new}```\n```\n", {"a.py": CODE}) == ({"a.py": new}, [])
    after, misfits = read(f"a.py\n```python import os\n\n{new}```\n", {"a.py": "import os\n\n" + CODE})
    assert misfits
    assert after["a.py"].startswith("import os")
    assert read(f'a.py\n```python title="x"\n{new}```\n', {"a.py": CODE}) == ({"a.py": new}, [])


def test_a_name_in_the_fence_and_another_above_it_are_for_the_file_that_has_the_lines():
    reply = "a.py\n```python\n# src/b.py\n" + BLOCK.partition("python\n")[2]
    after, misfits = read(reply, {"a.py": CODE, "src/b.py": CODE})
    assert [each.reason for each in misfits] == ["ambiguous"]
    after, misfits = read(reply, {"a.py": "x = 1\n", "src/b.py": CODE})
    assert not misfits
    assert after["src/b.py"] == CODE.replace("20", "21")


HUNK = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -6,3 +6,3 @@\n \n def cool(water):\n-    return 20\n+    return 21\n"


@pytest.mark.parametrize(
    "tail",
    [
        "\n- this changes one thing\n- and the other\n", "\n+1 from me.\n", "-- \n2.40.1\n", "\n\n**Notes**\n\n- No public API change.\n",
        "\n\n  An indented remark.\n", "\n---\n\nThat is all.\n", "\n* one\n* two\n",
    ],
)  # fmt: skip
def test_what_stands_below_a_bare_diff_that_has_all_its_lines_is_none_of_it(tail):
    assert read(HUNK + tail, {"a.py": CODE}) == ({"a.py": CODE.replace("20", "21")}, [])


def test_a_bare_diff_that_miscounts_goes_on_behind_an_empty_line():
    lines = "@@ -1,2 +1,2 @@\n def boil(water):\n     if water:\n         return 100\n-    return 0\n+    return 1\n\n\n def cool(water):\n-    return 20\n+    return 21\n"
    after, misfits = read(f"--- a/a.py\n+++ b/a.py\n{lines}", {"a.py": CODE})
    assert not misfits
    assert after == {"a.py": CODE.replace("return 0", "return 1").replace("20", "21")}


@pytest.mark.parametrize(
    "name",
    [
        "[q.py](src/q.py)", "[`q.py`](./src/q.py)", "[src/q.py](https://example.org/q.py)", "<file>src/q.py</file>",
    ],
)  # fmt: skip
def test_a_link_names_what_it_leads_to(name):
    assert read(whole(name, "x = 1\n"), {})[0] == {"src/q.py": "x = 1\n"}


@pytest.mark.parametrize(
    "name",
    """src/q.py`|**src/q.py|src/q.py</file>|《src/q.py》|title="src/q.py"|src/q.py?plain=1|path/to/src/q.py|.../src/q.py|src/q.py,src/z.py|src/q\u200b.py
    |M src/q.py|+++ src/q.py|src/z.py -> src/q.py|src/q.py#L1|![](src/q.py)""".replace("\n    ", "").split("|"),
)
def test_a_dressed_name_makes_no_new_file(name):
    assert read(whole(name, "x = 1\n"), {})[0] == {}


@pytest.mark.parametrize(
    "words", ["Inside `tools/`:\n\n**{}**\n", "## tools/\n\n### {}\n", "Create `{}` in `tools/`:\n", "Directory: tools\nFile: {}\n", "`{}` (in `tools/`):\n"]
)  # fmt: skip
def test_a_folder_that_is_told_in_words_is_not_passed_over(words):
    after, misfits = read(f"{words.format('conf.json')}```json\n{{}}\n```\n", {})
    assert after == {}
    assert [each.reason for each in misfits] == ["ambiguous"]


def test_a_folder_that_the_name_tells_as_well_hinders_nothing():
    reply = "Inside `tools/`:\n\n**tools/conf.json**\n```json\n{}\n```\n"
    assert read(reply, {"tools/conf.json": "[]\n"}) == ({"tools/conf.json": "{}\n"}, [])
    assert read(reply, {}) == ({"tools/conf.json": "{}\n"}, [])


def test_files_are_found_by_their_ending_however_they_are_cased(tmp_path):
    from assistant.edits.disk import namesakes

    for name in ("src/tea/a.py", "node_modules/a.py", ".venv/a.py", "A.py", "src/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    assert sorted(namesakes(tmp_path, "a.py")) == ["A.py", "src/tea/a.py"]
    assert namesakes(tmp_path, "tea/a.py") == ["src/tea/a.py"]


def test_a_line_as_long_as_a_file_is_read_in_a_moment():
    long = (
        "git log that broke the commit, which changes " * 40_000
    )  # would take hours where each word is looked for to its end
    assert read(f"{BLOCK}\n{long}\n\n{OTHER}\n{long}", FILES)[0]["a.py"] == CODE.replace("20", "21")
