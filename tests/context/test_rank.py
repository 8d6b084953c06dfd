"""Which files come first, and why."""

import subprocess

import pytest

from assistant.context import graph, history, index, rank
from assistant.context.query import ask
from assistant.context.repo import Repo

FILES = {
    "src/kettle.py": '"""Boils water."""\nfrom src.meter import reading\n\ndef boil(litres):\n    return reading(litres)\n',
    "src/meter.py": "def reading(litres):\n    return litres * 2\n",
    "src/toaster.py": "def toast(slices):\n    # browning of bread\n    return slices\n",
    "tests/test_toaster.py": "from src.toaster import toast\n\ndef test_toast():\n    assert toast(2) == 2\n",
    "docs/toaster.md": "toast toast toast slices bread\n",
}


@pytest.fixture
def order(tmp_path):
    root = tmp_path / "r"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    def run(question, **more):
        files = Repo.open(root).files()
        found = index.refresh(Repo.open(root), files, tmp_path / "s" / "tags.sqlite", timeout_s=60)
        try:
            return rank.rank(ask(question), found, [file.path for file in files], **more).files
        finally:
            found.close()

    return run


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("how is bread browned", "src/toaster.py"),
        ("Boiling of water", "src/kettle.py"),
        ("rename `reading`", "src/meter.py"),
        ("the toaster burns", "src/toaster.py"),
        ("test: toaster with two slices", "tests/test_toaster.py"),
        ("fix a typo in the toaster docs", "docs/toaster.md"),
    ],
)
def test_the_file_a_question_is_about_comes_first(order, question, first):
    assert order(question)[0].path == first


def test_the_path_says_more_than_the_names_of_what_is_defined(order, tmp_path):
    (tmp_path / "r/src/cold.py").write_text("def brown(toast):\n    return toast\n")
    assert order("the toast is cold")[0].path == "src/cold.py"


def test_prose_says_much_and_yet_stands_behind_the_source(order, tmp_path):
    (tmp_path / "r/docs/bread.md").write_text("Brown bread: bread, browned. How to brown bread in slices.\n" * 5)
    found = [each.path for each in order("brown bread slices")]
    assert found.index("src/toaster.py") < found.index("docs/bread.md")
    found = [each.path for each in order("docs: brown bread slices")]
    assert found.index("docs/bread.md") < found.index("src/toaster.py")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("src/history.py", True), ("lib/readme.rs", True), ("lib/Tea.ex", True), ("web/Pot.svelte", True), ("tea.kt", True), ("README", False),
        (".coveragerc", False), ("build.gradle.kts", False), ("ci/tea.yml", False), ("v1.2/NEWS", False), ("tea.xml", False), ("tea.am", False),
    ],
)  # fmt: skip
def test_what_is_a_program_is_told_by_the_ending_whatever_the_name(order, tmp_path, path, source):
    place = tmp_path / "r" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("sieve sieve sieve\n")
    (tmp_path / "r/src/strainer.py").write_text("# a sieve\n" + "pass\n" * 40)
    found = [each.path for each in order("sieve with holes")]
    assert found[:2] == ([path, "src/strainer.py"] if source else ["src/strainer.py", path])


def test_what_changed_with_the_best_file_is_lifted_but_not_over_what_has_the_words(order, tmp_path):
    for name in ("tin", "jug", "cup", "lid", "bin", "mat", "rug", "pan"):
        (tmp_path / "r/src" / f"{name}.py").write_text("def hold(much):\n    return much\n")
    (tmp_path / "r/src/crumbs.py").write_text(
        "def sweep(floor):\n    # crumbs of browned bread, of slices, of the toaster\n    return floor\n"
    )
    past = history.History(
        [(frozenset(), ("src/toaster.py", "src/tin.py"), ()), (frozenset(), ("src/jug.py",), ())] * 3
    )
    found = {each.path: each for each in order("the toaster browns slices of bread", history=past)}
    assert "changes together with toaster.py" in found["src/tin.py"].why
    assert found["src/crumbs.py"].score > found["src/tin.py"].score > 1.2 * found["src/jug.py"].score
    assert "src/cup.py" not in found


def test_what_changed_with_the_best_file_and_is_gone_is_no_candidate(order):
    past = history.History([(frozenset(), ("src/toaster.py", "src/gone.py"), ())] * 3)
    assert "src/gone.py" not in {each.path for each in order("the toaster browns bread", history=past)}


def test_a_word_that_a_file_says_many_times_does_not_drown_the_others(order, tmp_path):
    (tmp_path / "r/src/one.py").write_text("def f(x):\n" + "    # litres litres litres\n" * 20)
    (tmp_path / "r/src/two.py").write_text("def f(x):\n    # litres of milk\n" + "    # nothing but this\n" * 20)
    scores = {each.path: each.score for each in order("litres milk")}
    assert scores["src/two.py"] > 1.15 * scores["src/one.py"]
    scores = {each.path: each.score for each in order("litres")}
    assert scores["src/one.py"] > 1.5 * scores["src/two.py"]


def test_a_question_about_tests_is_answered_by_a_test_before_a_source_that_says_as_much(order, tmp_path):
    (tmp_path / "r/src/bread.py").write_text("def toast(bread):\n    return bread\n")
    found = [each.path for each in order("tests: toast and bread")]
    assert found.index("tests/test_toaster.py") < found.index("src/toaster.py")
    found = [each.path for each in order("toast and bread")]
    assert found.index("tests/test_toaster.py") > found.index("src/toaster.py")


def test_messages_like_the_question_say_more_than_that_a_file_changed_lately():
    past = history.History([(frozenset({"bread"}), ("src/meter.py",), ())])
    alike, lately = [value for _, value, _ in past.votes(ask("bread"), {"bread": 2.0})]
    assert alike > 3 * lately


def test_each_file_says_why_in_words(order):
    best = order("rename `reading`")[0]
    assert "defines reading" in best.why
    assert best.score == pytest.approx(sum(value for value, _ in best.reasons), rel=0.5)


def test_who_uses_what_is_found_along_the_graph(order):
    found = {each.path: each.why for each in order("litres in `boil`")}
    assert "src/meter.py" in found


def test_a_push_reaches_definitions_and_users(tmp_path):
    root = tmp_path / "r"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    found = index.refresh(Repo.open(root), Repo.open(root).files(), tmp_path / "s" / "tags.sqlite", timeout_s=60)
    assert graph.push({"src/kettle.py": 1.0}, found)["src/meter.py"][1] == "used by kettle.py"
    assert graph.push({"src/meter.py": 1.0}, found)["src/kettle.py"][1] == "uses meter.py"
    assert graph.push({}, found) == {}
    found.close()


def test_what_a_source_uses_is_told_by_calls_and_by_names_like_types():
    source = b"from tea import Kettle\n\ndef brew(cups: Count) -> None:\n    boil(cups)\n    boil(Kettle, if_(x))\n    pots = shelf\n"
    assert dict(graph.references(source)) == {"Kettle": 2, "Count": 1, "None": 1, "brew": 1, "boil": 2}


def test_open_changes_and_the_talk_so_far_count(order):
    plain = [each.path for each in order("slices")]
    assert "src/meter.py" not in plain
    pulled = {each.path: each.why for each in order("slices", dirty=["src/meter.py"], recent={"src/kettle.py": 1.0})}
    assert pulled["src/meter.py"] == "has open changes"
    assert pulled["src/kettle.py"] == "part of this talk"


def test_history_remembers_words_and_what_changes_together(tmp_path):
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    for number in range(3):
        for name in ("a.py", "b.py"):
            (tmp_path / name).write_text(f"x = {number}\n")
        subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
        subprocess.run([*git, "commit", "-qm", f"Teapot number {number}"], cwd=tmp_path, check=True)
    past = history.unpack(history.pack(history.read(Repo.open(tmp_path))))
    assert past.together("a.py") == {"b.py": 3 / 5}
    votes = list(past.votes(ask("a new teapot"), {"teapot": 2.0}))
    assert {(path, why) for path, _, why in votes} == {
        ("a.py", "changed for words like these"), ("b.py", "changed for words like these"),
        ("a.py", "changed lately"), ("b.py", "changed lately"),
    }  # fmt: skip


def test_history_of_no_repository_is_empty(tmp_path):
    assert history.read(Repo.open(tmp_path)) == []
    assert Repo.open(tmp_path).head() == ""


def test_a_log_that_would_run_a_program_runs_none(tmp_path):
    mark = tmp_path / "MARK"
    root = tmp_path / "r"
    root.mkdir()
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], cwd=root, check=True)
    (root / "a.py").write_text("x = 1\n")
    subprocess.run([*git, "add", "."], cwd=root, check=True)
    subprocess.run([*git, "commit", "-qm", "one"], cwd=root, check=True)
    for key, value in (
        ("core.fsmonitor", f"touch {mark}"), ("log.showSignature", "true"), ("gpg.program", f"touch {mark}"), ("diff.external", f"touch {mark}"),
    ):  # fmt: skip
        subprocess.run([*git, "config", key, value], cwd=root, check=True)
    assert history.read(Repo.open(root))[0][1] == ["a.py"]
    assert not mark.exists()


def test_parts_of_one_word_are_one_reason():
    reasons = (
        (3.0, "has a_b"),
        (2.0, "has a_b"),
        (1.5, "has a"),
        (1.2, "has b"),
        (1.0, "names c"),
        (0.5, "its path has d"),
    )
    assert rank.Ranked("a.py", 8.0, reasons).why == "has a_b; names c; its path has d"


def test_a_capital_that_grows_when_it_is_small_moves_no_other_path(order, tmp_path):
    name = "tests/test_last.py"
    (tmp_path / "r" / name).write_text("x = 1\n")
    (tmp_path / "r" / f"a{chr(0x130) * 20}.py").write_text("x = 1\n")
    found = {each.path: each.why for each in order("the toaster burns")}
    assert "its path has toaster" in found["src/toaster.py"]
    assert name not in found


def test_a_reason_names_the_part_of_a_name_that_a_file_has_and_not_the_whole(order):
    reasons = {each.path: each.why for each in order("where is toast_kettle called")}
    assert "toast_kettle" not in "".join(reasons.values())
    assert "toast" in reasons["src/toaster.py"]
    assert "kettle" in reasons["src/kettle.py"]


def test_the_fewer_words_a_question_has_the_more_those_before_it_count():
    short, long = (
        ask(words, asked=["brew it"]) for words in ("make it so", "how do pipes of the boiler get their valves")
    )
    assert 0 < long.weights["brew"] < 0.3 < short.weights["brew"] < 1
    older = ask("make it so", asked=["pour milk", "brew it"])
    assert 0 < older.weights["brew"] < older.weights["milk"]
    assert ask("brew it", asked=["brew it"]).weights == ask("brew it").weights


def test_names_are_used_within_a_family_of_languages_only(tmp_path):
    files = {
        "src/kettle.ts": "export function boil_over(x) { return steam_out(x) }\n",
        "src/steam.js": "function steam_out(x) { return x }\n",
        "pots.py": "def steam_out(x):\n    return x\n",
        "theme.css": ".steam_out { color: red }\n",
        "README.md": "# steam_out\n\nCall boil_over() and Steam.\n",
        "ci.yml": "boil_over: 1\nsteam_out: boil_over(x)\n",
    }
    for path, text in files.items():
        (tmp_path / "r" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / path).write_text(text)
    repo = Repo.open(tmp_path / "r")
    found = index.refresh(repo, repo.files(), tmp_path / "s" / "tags.sqlite", timeout_s=60)
    try:
        assert graph.push({"src/kettle.ts": 1.0}, found).keys() == {"src/steam.js"}
        assert graph.push({"src/steam.js": 1.0}, found)["src/kettle.ts"][1] == "uses steam.js"
        assert graph.push({"README.md": 1.0, "ci.yml": 1.0}, found) == {}
    finally:
        found.close()


def test_what_a_program_wrote_stands_behind_what_it_was_made_from(order, tmp_path):
    (tmp_path / "r/src/sieve.l").write_text("sieve sieve\n")
    (tmp_path / "r/src/sieve.c").write_text(
        "/* A lexical scanner generated by flex */\n" + "int sieve(int sieve);\n" * 9
    )
    assert [each.path for each in order("the sieve has holes")][:2] == ["src/sieve.l", "src/sieve.c"]
