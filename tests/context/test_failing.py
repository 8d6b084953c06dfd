"""A test that fails is answered by what it calls, not by the other tests beside it."""

import pytest

from assistant.context.failing import _names
from assistant.context.pack import pack
from assistant.context.query import ask
from assistant.context.repo import Repo

FILLER = "".join(
    f"def pour_{n}(jar, kept):\n    # jars of tea are kept where the other jars are\n    return kept[jar] + {n}\n\n\n"
    for n in range(60)
)
FILES = {
    "shop/jars.py": FILLER + "def weigh_lid(jar):\n    return jar.lid * 3\n\n\n" + FILLER.replace("pour", "shake"),
    "shop/tea.py": FILLER.replace("pour", "steep"),
    "tests/test_jars.py": "from shop import jars\n\n\nclass TestJars:\n"
    + "".join(f"    def test_jar_{n}(self):\n        jar = {{}}\n        kept = pour_{n}(jar, {n})\n        assert kept == {n}\n\n" for n in range(40))
    + "    def test_odd(self):\n        jar = make(1)\n        result = weigh_lid(jar)\n        assert result == 3\n\n"
    + "".join(f"    def test_tea_{n}(self):\n        assert steep_{n}(1, 2) == jar\n\n" for n in range(40)),
    "src/pot.rs": "".join(f"pub fn pot_{n}(n: u32) -> u32 {{\n    // the odd cups of a pot\n    n\n}}\n\n" for n in range(90))
    + "pub fn rinse(n: u32) -> u32 {\n    n + 1\n}\n\n",
    "src/cup.rs": "".join(f"pub fn sip_{n}(n: u32) -> u32 {{\n    // an odd cup\n    n\n}}\n\n" for n in range(90))
    + "#[cfg(test)]\nmod tests {\n    #[test]\n    fn odd() {\n        let cups = rinse(2);\n        assert_eq!(cups, 2);\n    }\n}\n",
}  # fmt: skip
LINE = FILES["tests/test_jars.py"].split("\n").index("        assert result == 3") + 1
RUST = FILES["src/cup.rs"].split("\n").index("        assert_eq!(cups, 2);") + 1


@pytest.fixture
def show(tmp_path):
    root = tmp_path / "r"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    def run(question):
        return pack(question, repo=Repo.open(root), cache=tmp_path / "s" / "tags.sqlite", budget=2_000, timeout_s=60)

    return run


@pytest.mark.parametrize(
    "question",
    [
        f"FAILED tests/test_jars.py::TestJars::test_odd - assert 0 == 3\n\ntests/test_jars.py:{LINE}: AssertionError",
        f"why?\ntests/test_jars.py:{LINE}: AssertionError",
        "FAILED tests/test_jars.py::TestJars::test_odd - assert 0 == 3",
    ],
)
def test_what_the_failing_test_calls_is_shown_and_other_tests_take_little_room(show, question):
    sections = {section.path: section for section in show(question).sections}
    assert "def weigh_lid(jar):\n    return jar.lid * 3" in sections["shop/jars.py"].text
    assert "weigh_lid, which a failing test uses" in sections["shop/jars.py"].why
    assert "        assert result == 3" in sections["tests/test_jars.py"].text
    assert sections["tests/test_jars.py"].tokens < 700


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("    # the lodger is told\n    text = 'lodger'\n", "t.py"),
        ('    """The lodger\n\n    of a lodger.\n    """\n    a = "it\\"s the lodger"\n', "t.py"),
        ("    // the lodger\n    /* of\n     * a lodger */ x('lodger', `lodger`);\n", "t.js"),
    ],
)
def test_words_of_comments_and_texts_are_no_names_that_a_test_uses(body, path):
    lines = f"{body}    kept = total(1) // share; assert kept\n".split("\n")
    named = _names(path, lines, len(lines) - 1, None)
    assert "lodger" not in named
    assert {"total", "kept"} <= named.keys()
    assert ("share" in named) is (path == "t.py")


def test_names_within_a_text_that_is_put_together_are_used():
    rows = ["x = f'{lodger(1)} of {host}'", "y = `${guest(2)}`", "fn of<'a>(cup: &'a str, lid: &'a str) { tea('\\'') }"]
    assert {"lodger", "host", "guest", "cup", "lid", "tea"} <= _names("t.rs", rows, 3, None).keys()


def test_a_test_within_its_source_is_one_too(show):
    sections = {section.path: section for section in show(f"thread 'odd' panicked at src/cup.rs:{RUST}:9:").sections}
    assert "pub fn rinse(n: u32) -> u32 {\n    n + 1" in sections["src/pot.rs"].text


@pytest.mark.parametrize(
    "question",
    [
        "FAILED tests/test_jars.py::test_odd - AssertionError",
        "Failed test/Shop.Tests/JarTest.cs [12 ms]",
        "tests/test_jars.py:12: AssertionError",
        "at Shop.Tests.JarTest.Odd() in /_/test/JarTest.cs:line 12",
        "=========== short test summary info ===========",
        "[ERROR] Tests run: 31, Failures: 1",
        "test conflicts::odd ... FAILED",
        "test result: FAILED. 3 passed; 1 failed",
        "# 3 tests failed",
        "Test Suites: 1 failed, 2 passed",
        "why is shop.tests.helpers imported by the shop",
    ],
)
def test_the_path_of_a_test_or_the_report_of_a_failure_makes_no_question_about_tests(question):
    assert not ask(question).about_tests


@pytest.mark.parametrize(
    "question",
    [
        "add a test for jars",
        "the tests of jars are flaky.",
        "cover jars (tests too)",
        "the test suite is slow",
        "Error handling lacks tests",
    ],
)
def test_the_word_in_a_sentence_does(question):
    assert ask(question).about_tests
