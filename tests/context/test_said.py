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


@pytest.fixture
def show(tmp_path):
    root = tmp_path / "r"
    for path, text in FILES.items():
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
