"""A message that a question holds brings the line that says it, wherever its single words stand more often."""

import subprocess

import pytest

from assistant.context.pack import pack
from assistant.context.repo import Repo

FILLER = "".join(
    f"def step_{n}(request, cache):\n    # the request was ignored, and is not in the cache\n    return cache, request\n\n\n"
    for n in range(40)
)
FILES = {
    **{f"lib/cache_request_{n}.py": FILLER.replace("step", f"s{n}") for n in range(6)},
    "tests/test_request.py": FILLER + "def test_it():\n    expect('Ignored request not in cache')\n",
    "lib/middle.py": "import lib\n\n\n" + "".join(f"def part_{n}(value):\n    return value\n\n\n" for n in range(60))
    + 'def check(one):\n    raise Skip(f"Ignored request not in cache: {one}")\n'
    + "".join(f"\n\ndef rest_{n}(value):\n    return value\n" for n in range(60)),
}  # fmt: skip


PLAIN = {
    **{f"lib/jar_{n}.py": "def label(jar):\n    # a new label or an odd one, for the shelf of jars\n    return jar\n" * 9 for n in range(30)},
    "lib/zz.py": "def cap(jar):\n    raise Odd(f'Label must be SET: {jar}')\n\n\ndef lid(jar):\n    raise Odd('odd label or new shelf', jar)\n",
    "lib/huge.py": "".join(f"def row_{n}(value):\n    return value + {n} - {n} + {n}\n\n\n" for n in range(8_000))
    + "def lift(value):\n    raise Odd('Weight cannot be less than nothing')\n",
}  # fmt: skip


@pytest.fixture
def show(tmp_path, request):
    root = tmp_path / "r"
    for path, text in getattr(request, "param", FILES).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)

    def run(question):
        return pack(question, repo=Repo.open(root), cache=tmp_path / "s" / "tags.sqlite", budget=500, timeout_s=60)

    return run


@pytest.mark.parametrize(
    "question",
    [
        "I get this error: Ignored request not in cache: <GET http://x>",
        "lib.Skip: Ignored request not in cache: <GET http://x>",
        "brew: error (at <stdin>:1): Ignored request not",
        'why do we see "Ignored request not" here',
        "it says that Ignored request not in cache, what now",
        "Traceback:\n" + "  in some request of the cache\n" * 30 + "Error: Ignored request not in cache",
    ],
)
def test_the_line_that_says_a_message_is_shown_and_why(show, question):
    said = next(section for section in show(question).sections if section.path == "lib/middle.py")
    assert 'raise Skip(f"Ignored request not in cache: {one}")' in said.text
    assert "says Ignored request not" in said.why


@pytest.mark.parametrize(
    "question",
    [
        "ignored is the request: what is not in the cache",  # another order
        "error: the request was ignored, and is not",  # in remarks only, and in many files
        "request not in a cache",  # too few words that are not marked as a message
    ],
)
def test_words_in_another_order_or_in_remarks_are_no_message(show, question):
    assert not [section for section in show(question).sections if "says" in section.why]


@pytest.mark.parametrize("show", [PLAIN], indirect=True, ids=["plain"])
@pytest.mark.parametrize(
    ("question", "path", "line"),
    [
        ("It fails with: lib.Odd: Label must be SET: POST", "lib/zz.py", "Label must be SET"),
        ("odd label or new shelf", "lib/zz.py", "odd label or new shelf"),
        ("why?\nodd label or new shelf", "lib/zz.py", "odd label or new shelf"),
        ("ERROR! odd label or: 3", "lib/zz.py", "odd label or new shelf"),
        ("Error: Weight cannot be less than nothing", "lib/huge.py", "Weight cannot be less than nothing"),
    ],
)
def test_an_exact_text_that_one_file_says_is_shown_however_plain_its_words_and_large_its_file(
    show, question, path, line
):
    said = next(section for section in show(question).sections if section.path == path)
    assert line in said.text
    assert "says " in said.why
