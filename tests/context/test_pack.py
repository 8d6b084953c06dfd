"""What is shown for a question: within the budget, one section a file, the right lines, reasons in words."""

import os
import subprocess
import sys
import time
from array import array

import pytest

from assistant import tokens
from assistant.context import measure
from assistant.context.measure import Measure
from assistant.context.pack import pack
from assistant.context.repo import Repo
from assistant.context.rules import Ruled

BIG = "".join(
    f"def part_{n}(value):\n    total = value + {n}\n    for step in range({n}):\n        total += step\n    return total\n\n\n"
    for n in range(80)
)


@pytest.fixture
def show(tmp_path):
    root = tmp_path / "r"

    def run(question, files, budget=4_000, **more):
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text if isinstance(text, bytes) else text.encode())
        return pack(
            question,
            repo=Repo.open(root),
            cache=tmp_path / "s" / "tags.sqlite",
            budget=budget,
            timeout_s=60,
            **more,
        )

    return run


TREE = {
    **{f"lib/module_{n}.py": BIG.replace("part", f"m{n}") for n in range(6)},
    "lib/kettle.py": BIG + "def boil_water(litres):\n    kept = litres * 4186\n    return kept\n",
    "README.md": "A kettle.\n",
}


@pytest.mark.parametrize("budget", [300, 1_000, 2_000, 4_000, 8_000])
def test_the_whole_output_stays_within_the_budget_and_is_counted_exactly(show, budget):
    context = show("how does boil_water count litres, and what are total and step", TREE, budget)
    assert context.tokens == tokens.count(context.render())
    assert 0 < context.tokens <= budget
    assert context.tokens > 0.5 * budget or budget > 2_000


def test_each_file_has_one_section_that_begins_with_its_path_and_says_why(show):
    context = show("how does boil_water count litres", TREE)
    paths = [section.path for section in context.sections]
    assert len(paths) == len(set(paths))
    for section in context.sections:
        assert section.text.startswith(section.path)
        assert section.why
        assert section.tokens == tokens.count(section.text)


def test_the_source_of_what_is_asked_for_is_shown_and_the_rest_is_named(show):
    context = show("how does boil_water count litres", TREE, 1_500)
    kettle = next(section for section in context.sections if section.path == "lib/kettle.py")
    assert "    kept = litres * 4186\n" in kettle.text
    assert "also defines" in kettle.text
    assert kettle.start > 0
    assert kettle.end >= kettle.start


def test_a_sharp_question_sends_the_function_and_not_the_file(show):
    context = show("Add a docstring to function boil_water in file lib/kettle.py", TREE)
    kettle = next(section for section in context.sections if section.path == "lib/kettle.py")
    assert "    kept = litres * 4186\n" in kettle.text
    assert "total = value + 17" not in kettle.text
    assert context.tokens < 1_800


def test_a_range_a_whole_file_and_a_line_of_a_trace(show):
    ranged = show("explain @lib/kettle.py:1-4", TREE).sections[0]
    assert (ranged.path, ranged.start, ranged.end) == ("lib/kettle.py", 1, 4)
    small = show("explain @README.md", TREE).sections[0]
    assert (small.path, small.text) == ("README.md", "README.md:1-1\nA kettle.\n")
    traced = next(
        section for section in show("lib/kettle.py:562 fails", TREE).sections if section.path == "lib/kettle.py"
    )
    assert traced.start <= 562 <= traced.end


def test_what_was_named_is_shown_over_the_budget_and_said(show):
    context = show("look at @lib/kettle.py", TREE, 500)
    assert context.tokens > 500
    assert "more than the budget of 500" in context.note


def test_pinned_files_come_first_turn_after_turn(show):
    first = show("what is total", TREE, pinned=["README.md"])
    second = show("how does boil_water work", TREE, pinned=["README.md"])
    assert first.sections[0] == second.sections[0]
    assert first.sections[0].why == "pinned"


def test_the_same_question_gives_the_same_bytes(show):
    assert show("what is total", TREE).render() == show("what is total", TREE).render()


def test_secrets_are_masked_and_files_of_secrets_stay(show):
    key = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
    files = {"kettle.py": f'def boil():\n    token = "{key}"\n', ".env": "BOIL=1\n"}
    context = show("how does boil get its token", files)
    assert key not in context.render()
    assert ("kettle.py", 2) in {(each.path, each.line) for each in context.masked}
    assert all(section.path != ".env" for section in context.sections)


@pytest.mark.parametrize(
    ("path", "text", "secret"),
    [
        ("docs/kettle.md", "# Kettle\n\n## Use {} for the kettle\n\n", "ghp_" + "a1B2c3D4e5" * 4),
        ("docs/kettle.md", "# Kettle\n\n## curl -u kettle:{} https://x.io\n\n", "h7KqZ9x2LmW4pT"),
        ("kettle.json", '{{"{}": {{"kettle": 1}},\n', "ghp_" + "a1B2c3D4e5" * 4),
        ("kettle.toml", '["{}"]\nkettle = 1\n', "ghp_" + "a1B2c3D4e5" * 4),
        ("kettle.yml", "{}:\n  kettle: 1\n", "ghp_" + "a1B2c3D4e5" * 4),
    ],
)
def test_a_secret_in_a_name_that_is_only_told_is_masked_and_the_user_hears_of_it(show, path, text, secret):
    context = show(f"@{path}:500-510", {path: text.format(secret) + "plain words about tea\n" * 900})
    assert "also defines" in context.render()
    assert secret[:12] not in context.render()
    assert [(each.path, each.line) for each in context.masked] == [(path, 3 if path.endswith("md") else 1)]


def test_a_long_heading_is_cut_behind_a_word_so_that_no_piece_of_a_key_is_told(show):
    text = (
        "# Kettle\n\n## A pot "
        + "of tea " * 10
        + "by ghp_"
        + "a1B2c3D4e5" * 4
        + "\n\n## Rest\n\n"
        + "plain words\n" * 900
    )
    context = show("@docs/kettle.md:500-510", {"docs/kettle.md": text})
    assert "of tea by\n" in context.render()
    assert "ghp_" not in context.render()


@pytest.mark.parametrize("question", ["", "hm", "\0\x1b[31m", "x" * 50_000, "中文 问题", "(" * 3_000])
def test_any_question_gets_something_within_the_budget(show, question):
    context = show(question, TREE, 1_000)
    assert context.tokens <= 1_000
    assert context.sections


def test_the_rules_of_all_files_that_are_shown_are_shown(show):
    files = {**TREE, "lib/AGENTS.md": "Use tabs.\n", "doc/AGENTS.md": "Use words.\n", "doc/x.md": "Nothing.\n"}
    context = show("how does boil_water count litres", files, 1_500)
    assert context.sections[0].path == "lib/AGENTS.md"
    assert "Use words" not in context.render()
    assert context.tokens <= 1_500


def test_rules_come_first_when_they_are_short(show):
    context = show("what is total", {**TREE, "AGENTS.md": "Use tabs.\n"})
    assert context.sections[0].path == "AGENTS.md"
    long = show("what is total", {**TREE, "AGENTS.md": "Use tabs and words. " * 900}, 1_000)
    assert dict(long.left_out)["AGENTS.md"].startswith("rules longer")


def test_rules_of_a_folder_that_is_named_have_room_whatever_a_conversation_touched(show):
    files = {f"d{n}/AGENTS.md": f"Rule {n}.\n" for n in range(16)}
    files |= {f"d{n}/m.py": f"def boil_{n}(cup):\n    return heat(cup, {n})\n" for n in range(16)}
    asked = show("how does boil heat a cup", files)
    assert sum(section.path.endswith("AGENTS.md") for section in asked.sections) == 12
    assert asked.ruled == ()  # nobody named a folder
    assert not any(section.lasting for section in asked.sections)
    gone = {path for path, why in asked.left_out if why.startswith("no more than 12 rules files")}
    assert gone
    assert gone.isdisjoint(section.path for section in asked.sections)
    told = Ruled(tuple(f"d{n}/" for n in range(9)), tuple(f"d{n}/" for n in range(9, 14)))
    context = show("what does @d15/m.py do", {}, ruled=told)
    there = [section.path for section in context.sections if section.path.endswith("AGENTS.md")]
    assert "d15/AGENTS.md" in there
    assert context.ruled == ("d15/",)
    assert {f"d{n}/AGENTS.md" for n in (*range(9), 12, 13)} <= {*there}  # the ones told of last


def test_the_rules_of_a_listed_folder_are_remembered(show):
    files = {"lib/AGENTS.md": "Use tabs.\n", "lib/deep/AGENTS.md": "Use words.\n", "lib/deep/x.py": "x = 1\n"}
    assert show("what is in @lib/deep/", files).ruled == ("lib/", "lib/deep/")


def test_of_many_rules_without_room_the_first_are_told_and_the_others_counted(show):
    files = {f"d{n}/AGENTS.md": f"Rule {n}.\n" for n in range(40)} | {f"d{n}/m.py": "x = 1\n" for n in range(40)}
    context = show(" ".join(f"@d{n}/m.py" for n in range(40)), files)
    gone = [why for path, why in context.left_out if path.endswith("AGENTS.md")]
    assert len(gone) == 20
    assert gone[-1].endswith("and 8 more like it")


@pytest.mark.parametrize("size", [450_000, 1_100_000])
def test_large_rules_are_cut_and_that_is_told(show, size):
    context = show("hello", {"AGENTS.md": "a rule\n" * (size // 7), "CLAUDE.md": "another\n", "a.py": ""}, 100_000)
    assert context.sections[0].path == "AGENTS.md"
    assert "only the first 32000 are shown" in context.sections[0].why


def test_rules_that_are_only_too_long_together_are_told_so(show):
    files = {f"{name}/AGENTS.md": "Keep it small and kind. " * 12 for name in "abcd"}
    files |= {f"{name}/m.py": "x = 1\n" for name in "abcd"}
    context = show(" ".join(f"@{name}/m.py" for name in "abcd"), files, 800)
    (why,) = {why for path, why in context.left_out if path.endswith("AGENTS.md")}
    assert why == "rules longer, with those before them, than a quarter of the budget; pin the file to send it"


def test_what_is_shown_whole_ends_with_its_last_line(show):
    files = {"tea.py": "a = 1\nb = 2", "pot.py": "c = 3\n\n"}
    assert {each.title for each in show("", files).sections} == {"tea.py:1-2", "pot.py:1-2"}
    handed_in = {each.path: each for each in show("@tea.py and @pot.py", files, whole=True).sections}
    assert (handed_in["tea.py"].end, handed_in["pot.py"].end) == (2, 2)
    assert handed_in["pot.py"].text == "pot.py\n```\nc = 3\n\n```\n"
    assert [each.title for each in show("", {"AGENTS.md": "one\ntwo\n"}).sections] == ["AGENTS.md:1-2"]


def test_an_empty_folder_shows_nothing(show, tmp_path):
    (tmp_path / "r").mkdir()
    assert show("anything", {}).sections == ()


@pytest.mark.parametrize(
    "text",
    [
        "def f(self, some_value):\n    return HTTPServer('it''s', 12345)\n\n\n# ---- done\n",
        "\tif (x) {\r\n\t\ty();\r\n\t}\r\n\r\n",
        "user's we'll THEY'RE don't\n   trailing   \n\n\n  x",
        "日本語のコメント — “quotes” … é ñ Ωmega\n",
        "a" * 500 + "==========/////\n\n",
        "",
    ],
)
def test_tokens_are_counted_as_the_encoder_counts(text):
    assert Measure().count(text) == tokens.count(text)


@pytest.mark.parametrize("sign", ["(", "a", "-="])
def test_a_run_of_two_hundred_thousand_equal_letters_is_counted_in_a_moment(sign):
    start = time.monotonic()
    assert Measure().count(sign * 200_000) > 1_000
    assert time.monotonic() - start < 2


def test_texts_that_are_joined_cost_what_they_cost_as_one():
    ends = ["x", "x\n", "x)\n", "x)", "x//", "x  ", "x\n  ", "x \n\n", "x\r", "it'", "\n", " ", "1234", ""]
    measure = Measure()
    for first in ends:
        for next_ in ("a.py\n", "@diff", "/tmp", " a", "\nb", "", "'s", "7"):
            for texts in ([first, next_], [first, first, next_], [next_, first], [first]):
                assert measure.joined(texts) == tokens.count("\n".join(texts)), texts
    assert measure.joined([]) == 0


def test_the_table_holds_every_token_and_its_rank():
    table = array("Q", sorted(measure.mark(token) + rank for token, rank in tokens.vocabulary().items()))
    if sys.byteorder == "big":
        table.byteswap()
    assert measure.TABLE.read_bytes()[4:] == table.tobytes()


def test_with_a_damaged_table_the_encoder_counts(tmp_path):
    (tmp_path / "table").write_bytes(measure.TABLE.read_bytes()[:-8])
    assert Measure(tmp_path / "table").count("hello world") == 2
    assert Measure(tmp_path / "none").count("hello world") == 2


def test_names_that_are_asked_for_come_before_the_many_of_a_file_that_only_holds_the_word(show):
    crowd = "".join(f"def a_crowded_function_number_{n}():\n    return kettle + {n}\n\n\n" for n in range(400))
    small = {f"lib/other_{n}.py": f"def kettle_in_{n}():\n    return {n}\n" for n in range(12)}
    text = show("how is the kettle heated", {**TREE, "lib/kettle.py": crowd, **small}, 2_000).render()
    assert sum(f"kettle_in_{n}" in text for n in range(12)) == 12
    assert text.count("a_crowded_function_number_") > 12


def test_what_names_do_not_need_is_spent_on_source(show):
    body = "".join(f"def part_{n}(value):\n    total = value + {n}\n    return total * kettle\n\n\n" for n in range(60))
    others = {f"lib/other_{n}.py": f"x_{n} = {n}\n" for n in range(20)}
    context = show("what is the kettle", {**others, "lib/kettle.py": body}, 2_500)
    assert all(f"total = value + {n}\n" in context.render() for n in range(60))


@pytest.mark.parametrize("budget", [1_000, 4_000])
def test_what_is_left_when_ranges_have_been_joined_is_spent_on_more_source(show, budget):
    question = "how do boil_water and m0_1 count total, step and litres"
    context = show(question, TREE, budget)
    source = sum(section.tokens for section in context.sections if section.start)
    assert 0.95 * budget < context.tokens <= budget
    assert source > 0.8 * budget


def test_a_small_project_is_shown_although_the_words_stand_only_in_its_names(show):
    boil = "def boil(litres):\n    return litres * 4186\n"
    context = show("add a limit to the kettle", {"kettle/boil.py": boil, "other/x.py": "def x():\n    pass\n" * 200})
    assert "return litres * 4186" in context.render()
    assert "def x():" not in context.render()


@pytest.mark.parametrize("many", [9_000, 16_000])
def test_of_a_very_large_source_the_definitions_that_are_asked_for_are_shown(show, many):
    text = "".join(f"function fn{n}(x) {{\n    return x + {n}  // {'pad' * 10}\n}}\n" for n in range(many))
    files = {"src/checker.ts": text, "src/main.ts": "export function start() { return 1 }\n"}
    for question in ("why does fn3000 return the wrong value", "@fn3000 is wrong", "@src/checker.ts:9001-9003"):
        found = next(each for each in show(question, files).sections if each.path == "src/checker.ts")
        assert "function fn3000(x)" in found.text
    found = next(each for each in show("how does the checker work", files).sections if each.path == "src/checker.ts")
    assert "too large to be looked through" in found.why
    assert " defines " in found.text


OVERLOADS = "".join(
    f"    /** Cuts {'a text ' * 12} */\n    public static String shorten(String text, int width{more}) {{\n        return {body};\n    }}\n"
    for more, body in (
        ("", "shorten(text, 0, width)"),
        (", int from", 'shorten(text, "...", from, width)'),
        (", String mark", "shorten(text, mark, 0, width)"),
        (", String mark, int from", "text;\n" + "".join(f"        text = text.step({n});\n" for n in range(40)) + "        // whole"),
    )
)  # fmt: skip
LARGE_CLASS = (
    "package a;\n\n/** Texts. */\npublic class Texts {\n"
    + OVERLOADS
    + "".join(f"    public static int no{n}(int x) {{\n        return x + {n}; // {'pad ' * 20}\n    }}\n" for n in range(4_000))
    + "}\n"
)  # fmt: skip
TESTS = (
    "package a;\n\npublic class TextsCutTest {\n"
    + "".join(f'    @Test\n    void cutsWidth{n}() {{\n        String mark = "x"; int from = {n};\n        assertEquals("{n}", Texts.shorten("text at the end", mark, from, {n}));\n    }}\n' for n in range(60))
    + "}\n"
)  # fmt: skip


@pytest.mark.parametrize("budget", [1_500, 4_000])
@pytest.mark.parametrize(
    "question",
    [
        "shorten(text, width, mark, from) is wrong for from at the end",
        "Texts.shorten with from takes one letter too many",
        "@shorten shows what",
    ],
)
def test_of_a_very_large_source_the_definition_that_does_the_work_is_shown_and_not_the_shortest_of_its_name(
    show, question, budget
):
    context = show(question, {"src/a/Texts.java": LARGE_CLASS, "test/a/TextsCutTest.java": TESTS}, budget)
    found = next(each for each in context.sections if each.path == "src/a/Texts.java")
    assert "text.step(0)" in found.text
    assert "// whole" in found.text


def test_of_a_long_function_in_a_very_large_source_the_lines_that_are_asked_for_are_shown(show):
    body = "".join(f"    total = total.step({n});\n" for n in range(300))
    long = f"function brew(total) {{\n{body}    spillTheKettle(total);\n{body}}}\n"
    rest = "".join(f"function fn{n}(x) {{\n    return x + {n}  // {'pad' * 10}\n}}\n" for n in range(9_000))
    found = show("why does brew call spillTheKettle", {"src/a.js": long + rest}, 1_000).sections[0]
    assert "function brew(total) {" in found.text
    assert "spillTheKettle(total);" in found.text


def test_it_is_not_said_that_all_definitions_are_shown_that_are_named_where_some_are_not(show):
    some = "".join(f"function pour(x) {{\n{'    x.step();' * 30}\n    return {n}\n}}\n" for n in range(50))
    rest = "".join(f"function fn{n}(x) {{\n    return x + {n}  // {'pad' * 10}\n}}\n" for n in range(9_000))
    found = show("why does pour return the wrong value", {"src/a.js": some + rest}, 1_000).sections[0]
    assert 0 < found.text.count("function pour") < 50
    assert "the definitions that are named" not in found.why
    assert "too large to be looked through, but for definitions that the question names" in found.why


def test_a_name_whose_file_is_taken_out_is_told_to_be_there(show):
    files = {"src/tea.py": "def boil_water(x):\n    return x\n", "a.py": "x = 1\n"}
    context = show("@boil_water and @no_such", files, dropped=["src/tea.py"])
    assert (
        context.note
        == "@boil_water is defined in src/tea.py, taken out of the context; @no_such is defined nowhere that the index sees"
    )
    assert [section.path for section in context.sections] == ["a.py"]
    assert context.unread == 0


def test_of_a_name_that_the_index_does_not_see_it_is_not_said_that_it_is_defined_nowhere(show):
    nest = "".join(f"{'    ' * n}def f{n}():\n" for n in range(9)) + f"{'    ' * 9}class TooDeep:\n{'    ' * 10}pass\n"
    context = show(
        "@TooDeep and @totalPrice", {"a.py": nest, "b.dart": "class Cart {\n  double get totalPrice => 1;\n}\n"}
    )
    seen = "is defined nowhere that the index sees"
    assert context.note == f"@TooDeep {seen}; @totalPrice {seen}"


def test_rules_that_are_a_link_pass_the_gate_under_both_names(show, tmp_path):
    root = tmp_path / "r"
    root.mkdir()
    (root / "AGENTS.md").symlink_to("docs/agents.md")
    files = {"docs/agents.md": f"RULES\napi_key = '{'k3Jx9QvT2mZp' * 3}'\n", "a.py": "def boil(): ...\n"}
    context = show("boil", files)
    assert (context.sections[0].path, context.sections[0].why) == (
        "docs/agents.md", "rules of this repository; AGENTS.md is a link to it",
    )  # fmt: skip
    assert "k3Jx9QvT2mZp" not in context.render()
    assert [each.path for each in context.masked] == ["docs/agents.md"]
    for out in ("AGENTS.md", "docs/agents.md"):
        assert "RULES" not in show("boil", files, dropped=[out]).render()
        kept_out = show("boil", {**files, ".wattsonignore": f"/{out}\n"})
        assert "RULES" not in kept_out.render()
        assert kept_out.left_out == (
            ("AGENTS.md", "named in .wattsonignore") if out == "AGENTS.md" else
            ("AGENTS.md", "a link to docs/agents.md, which is no file that may be shown: its rules are not sent"),
        )  # fmt: skip
    (root / ".env").write_text("RULES=1\n")
    (root / "AGENTS.md").unlink()
    (root / "AGENTS.md").symlink_to(".env")
    context = show("boil", {**files, ".wattsonignore": ""})
    assert "RULES=1" not in context.render()
    assert ("AGENTS.md", "a file of secrets never leaves") in context.left_out


def test_a_pipe_at_which_git_would_wait_is_told(show, tmp_path):
    root = tmp_path / "r"
    for words in (["init", "-q", str(root)], ["-C", str(root), "add", "."]):
        root.mkdir(exist_ok=True)
        (root / "a.py").write_text("def boil(): ...\n")
        subprocess.run(["git", *words], check=True)
    os.mkfifo(root / ".gitignore")
    context = show("boil", {"new.py": "def boil(): ...\n"})
    assert context.note == ".gitignore is a pipe, at which git would wait for ever: new files are not looked for"
    assert [section.path for section in context.sections] == ["a.py"]


def test_a_long_trace_and_a_large_diff_together_find_an_end(show, tmp_path):
    pot = "".join(f"def boil_{n}(water):\n    kettle = water * {n}\n    return kettle + {n}\n\n\n" for n in range(200))
    frames = "".join(
        f'  File "pot.py", line {50 * n + 2}, in boil_{10 * n}\n    kettle = water\n' for n in range(1, 20)
    )
    question = f"What is wrong with @diff ?\nTraceback (most recent call last):\n{frames}TypeError"
    show("hello", {"pot.py": pot, "other.py": "x = 1\n"})
    root = tmp_path / "r"
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=n", "-c", "user.email=a@b", "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    found = show(question, {"other.py": "".join(f"value_{n} = compute({n}, 'text')\n" for n in range(600))})
    assert found.tokens <= 4_000
    assert {section.path for section in found.sections} == {"@diff", "pot.py"}


def test_a_git_file_that_points_nowhere_is_told_and_the_question_answered(show):
    context = show("boil", {".git": "gitdir: ../.git/modules/tea\n", "a.py": "def boil(): ...\n"})
    assert context.note == (
        ".git points to ../.git/modules/tea, which is no repository: this folder is read as one outside git"
    )
    assert [section.path for section in context.sections] == ["a.py"]
