"""Rules files are found where they count, cut at a size, and hide nothing."""

import pytest

from assistant.context.repo import Repo
from assistant.context.rules import rules


def put(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def found(root, *paths):
    return [each.path for each in rules(Repo.open(root), paths)]


def test_the_files_on_the_way_to_what_is_named_count_and_no_others(tmp_path):
    put(tmp_path, {"AGENTS.md": "root", "a/AGENTS.md": "a", "a/b/CLAUDE.md": "b", "c/AGENTS.md": "c", "a/b/x.py": ""})
    assert found(tmp_path) == ["AGENTS.md"]
    assert found(tmp_path, "a/b/x.py") == ["AGENTS.md", "a/AGENTS.md", "a/b/CLAUDE.md"]
    assert found(tmp_path, "c/y.py", "a/z.py") == ["AGENTS.md", "a/AGENTS.md", "c/AGENTS.md"]


def test_claude_counts_only_where_there_is_no_agents(tmp_path):
    put(tmp_path, {"AGENTS.md": "one", "CLAUDE.md": "two", "sub/CLAUDE.md": "three"})
    assert found(tmp_path, "sub/x") == ["AGENTS.md", "sub/CLAUDE.md"]


def test_a_link_leads_nowhere_and_a_link_between_the_two_names_loses_nothing(tmp_path):
    (tmp_path / "outside.md").write_text("outside")
    root = tmp_path / "root"
    put(root, {"CLAUDE.md": "words", "sub/x": ""})
    (root / "AGENTS.md").symlink_to("CLAUDE.md")
    (root / "sub" / "AGENTS.md").symlink_to(tmp_path / "outside.md")
    assert [(each.path, each.text, each.unread) for each in rules(Repo.open(root), ["sub/x"])] == [
        ("CLAUDE.md", "words", ""),
        ("sub/AGENTS.md", "", "a link that leads out of this folder"),
    ]


def test_a_link_to_a_file_that_may_be_shown_stands_for_it_once(tmp_path):
    put(tmp_path, {"docs/agents.md": "words", "hidden/agents.md": "no", "sub/x": "", "other/x": "", "more/x": ""})
    (tmp_path / "AGENTS.md").symlink_to("docs/agents.md")
    (tmp_path / "sub/CLAUDE.md").symlink_to("../AGENTS.md")  # by way of another link
    (tmp_path / "other/AGENTS.md").symlink_to("../hidden/agents.md")
    (tmp_path / "more/AGENTS.md").symlink_to("AGENTS.md")  # for ever
    repo = Repo.open(tmp_path)
    found = rules(repo, ["sub/x", "other/x", "more/x"], may_be_shown=lambda path: path == "docs/agents.md")
    assert [(each.path, each.text, each.link, each.unread) for each in found] == [
        ("docs/agents.md", "words", "AGENTS.md", ""),
        ("other/AGENTS.md", "", "", "a link to hidden/agents.md, which is no file that may be shown"),
    ]


@pytest.mark.parametrize("code", [0x202A, 0x202E, 0x2066, 0x2069, 0x200B, 0x200F, 0x2060, 0xFEFF, 0xE0041, 0xE007F, 0xE0100, 0x00AD, 0x3164, 0x1B, 0x9B])  # fmt: skip
def test_a_hidden_character_is_named_with_file_line_and_code_point_and_made_visible(tmp_path, code):
    put(tmp_path, {"sub/AGENTS.md": f"plain\nbe{chr(code)}ware\nplain\n"})
    (only,) = rules(Repo.open(tmp_path), ["sub/x"])
    assert chr(code) not in only.text
    assert only.text == f"plain\nbe<U+{code:04X}>ware\nplain\n"
    (warning,) = only.warnings
    assert warning.startswith(f"sub/AGENTS.md:2: hidden character U+{code:04X} (")


def test_plain_writing_of_any_script_is_left_alone(tmp_path):
    text = "# Règles\n\n- 规则 правила قواعد ✓ ❤️ 👍🏽\n\ttab\n"
    put(tmp_path, {"AGENTS.md": text})
    (only,) = rules(Repo.open(tmp_path))
    assert (only.text, only.warnings) == (text, ())


def test_a_long_file_is_cut_and_a_flood_of_warnings_is_counted(tmp_path):
    put(tmp_path, {"AGENTS.md": "\u202eword\n" * 50_000})
    (only,) = rules(Repo.open(tmp_path))
    assert len(only.text) < 32_000 * 9
    assert "\u202e" not in only.text
    assert "only the first 32000 are shown" in only.warnings[0]
    assert only.warnings[-1].endswith("more hidden characters")
    assert len(only.warnings) == 22


@pytest.mark.parametrize("bomb", ["{a,b}" * 5_000, "globs: " + "**/" * 9_000, "@" + "a/" * 9_000, "x" * 999_999])
def test_bombs_are_text(tmp_path, bomb):  # A16
    put(tmp_path, {"AGENTS.md": bomb})
    (only,) = rules(Repo.open(tmp_path))
    assert only.text == bomb[:32_000]


def test_deep_and_many_are_bounded(tmp_path):
    put(tmp_path, {f"d{number}/AGENTS.md": str(number) for number in range(30)})
    many = rules(Repo.open(tmp_path), [f"d{number}/x" for number in range(30)])
    assert [bool(each.text) for each in many] == [True] * 12 + [False] * 18
    assert {each.unread for each in many[12:]} == {"no more than 12 rules files go along with a question"}
    assert found(tmp_path, "/".join(["x"] * 5_000)) == []
    assert found(tmp_path, "../../etc/passwd", "/etc/passwd") == []


def test_folders_that_come_first_keep_their_order(tmp_path):
    put(tmp_path, {f"{name}/AGENTS.md": name for name in "abcd"})
    some = rules(Repo.open(tmp_path), ["a/x", "c/x"], before=["d/", "c/", "b/"])
    assert [each.folder for each in some] == ["d/", "c/", "b/", "a/"]


@pytest.mark.parametrize("size", [450_000, 1_100_000, 21_000_000])
def test_no_other_file_takes_the_place_of_one_that_is_large(tmp_path, size):
    put(tmp_path, {"AGENTS.md": "a rule\n" * (size // 7), "CLAUDE.md": "another\n"})
    (only,) = rules(Repo.open(tmp_path))
    assert only.path == "AGENTS.md"
    assert "only the first 32000 are shown" in only.warnings[0] if size < 20_000_000 else "is larger" in only.unread


def test_a_folder_is_no_rules_file(tmp_path):
    put(tmp_path, {"AGENTS.md/x": "", "CLAUDE.md": "words"})
    assert found(tmp_path) == ["CLAUDE.md"]
