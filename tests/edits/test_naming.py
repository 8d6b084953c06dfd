"""The line above an edit, as models dress it."""

import pytest

from assistant.edits.naming import only_path, readings
from tests.edits.mutations.edit_block import DECORATED
from tests.edits.mutations.paths import ODD_NAMES, ODD_TARGETS

SPOKEN = {"In `{}`:", "Update `{}` like this:", "Here is the change to {}:", "`{}` - the main module"}


@pytest.mark.parametrize("shape", [*DECORATED, "{} (new)", "{} (lines 10-20)", "FILE: {}", "--- {} ---", "# File: {}", "**Path:** `{}`", '<file path="{}">', "```python {}"[10:], "Create {}", "({})", "New file: `{}`"])  # fmt: skip
def test_the_likeliest_reading_is_the_path(shape):
    assert readings(shape.format("src/app/main.py"))[0].removeprefix("./") == "src/app/main.py"
    if shape not in SPOKEN | {'<file path="{}">', "{} (lines 10-20)"}:
        assert only_path(shape.format("src/app/main.py")) == ("src/app/main.py", True)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_name_is_among_the_readings(name):
    assert name in readings(name)


@pytest.mark.parametrize(
    "name",
    [
        "docs/my file.md",
        "--help.py",
        "-rf.txt",
        "dir with space/file name.js",
        "[id].tsx",
        "#hash.md",
        "app/[slug]/page.tsx",
    ],
)
def test_a_file_to_make_has_the_name_as_it_stands(name):
    assert readings(name)[0] == name


@pytest.mark.parametrize("name", [name for name in ODD_TARGETS if name not in {".", "./"}])
def test_a_name_that_leads_out_is_read_as_a_name(name):
    assert only_path(name)[0]


@pytest.mark.parametrize(
    "line",
    [
        "Here is how to do it:",
        "Run this:",
        "The result is:",
        "And so on.",
        "Note: a/b testing is on",
        "",
        "It works with Python 3.11",
        "See https://example.com/a.html",
        "I would rather not.",
        "Usage",
        "### Notes on the parser",
        "First, in the file:",
    ],
)
def test_words_are_not_a_path(line):
    path, sure = only_path(line)
    assert not sure, path
