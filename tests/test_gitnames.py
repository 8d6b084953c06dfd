"""Names of files as git writes them, against git itself."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.gitnames import quote, unquote

NAMES = [
    "plain.py", "with blank.py", " leading", 'a"b', "a\\b", "a\nb", "a\tb", "a\rb", "a\x01b", "a\x7fb", "bell\a", "back\b", "feed\f", "up\v",
    "ä.py", "日本.md", "a\x85b", "🫖", os.fsdecode(b"latin-\xe4"), "\\303", "'", "$x", "-x", '"', "a/b c/d\\e",
]  # fmt: skip


@pytest.mark.parametrize("wide", [False, True])
def test_names_are_written_as_git_writes_them(tmp_path, wide):
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    told = subprocess.run(
        ["git", "-c", f"core.quotePath={str(not wide).lower()}", "ls-files", "--others"],
        cwd=tmp_path, check=True, capture_output=True,
    ).stdout  # fmt: skip
    rows = told.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    assert sorted(rows) == sorted(quote(name, wide=wide) for name in NAMES)
    assert sorted(map(unquote, rows)) == sorted(NAMES)


@given(st.text(min_size=1), st.booleans())
def test_what_is_written_is_read_as_it_was(name, wide):
    name = os.fsdecode(name.encode("utf-8", "surrogatepass"))
    written = quote(name, wide=wide)
    assert unquote(written) == name
    assert not set(written) & {"\n", "\r", "\t", "\x00"}


@pytest.mark.parametrize("name", ["a.py", '"', 'a"b', '"half', "\\t"])
def test_a_name_that_is_not_in_quotes_stays(name):
    assert unquote(name) == name


def test_an_escape_that_git_does_not_write_stays_as_it_is():
    assert unquote('"a\\qb\\"') == "a\\qb\\"
