"""What is made of our own pages is kept while none of them changes, and nothing that is wrong with it does harm."""

import os

import pytest

from assistant.context import kept, language
from assistant.context.language import language_of


@pytest.fixture
def place(tmp_path):
    before = kept._folder
    kept.use(tmp_path / "cache")
    yield tmp_path / "cache" / "facts.json"
    kept.use(before)


def make(calls, value):
    def made():
        calls.append(value)
        return value

    return made


def test_it_is_made_once_and_again_when_a_source_changes(place, tmp_path):
    source = tmp_path / "page.toml"
    source.write_text("a = 1")
    calls = []
    for _ in range(3):
        assert kept.kept("facts", [str(source)], make(calls, {"a": [1]})) == {"a": [1]}
    assert len(calls) == 1
    at = source.stat()
    source.write_text("a = 2")
    os.utime(source, ns=(at.st_atime_ns, at.st_mtime_ns))  # as an installer would that gives all files one time
    assert kept.kept("facts", [str(source)], make(calls, {"a": [2]})) == {"a": [2]}
    assert len(calls) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"null", b"\xff", b'[[["elsewhere", 1, 1, 1, 1]], "old"]'])
def test_a_damaged_or_foreign_one_is_made_anew(place, tmp_path, damage):
    source = tmp_path / "page.toml"
    source.write_text("a = 1")
    place.parent.mkdir()
    place.write_bytes(damage)
    assert kept.kept("facts", [str(source)], make([], "new")) == "new"
    calls = []
    assert kept.kept("facts", [str(source)], make(calls, "other")) == "new"
    assert not calls


def test_a_folder_that_takes_nothing_costs_the_memory_only(tmp_path):
    before = kept._folder
    (tmp_path / "file").write_text("")
    try:
        kept.use(tmp_path / "file")
        assert kept.kept("facts", [], make([], [1])) == [1]
    finally:
        kept.use(before)


def test_many_names_have_the_languages_that_each_has():
    paths = """a.PY x/x.min.js X.MIN.JS x.Min.Js y.min.css Makefile deep/Makefile .bashrc a/.js no x. Cargo.lock z.zig .py a.b/c
        a.tar.gz é.ts b.Js c.png package-lock.json""".split()
    wanted = [(path, known.name if (known := language_of(path)) else "") for path in paths]
    assert list(language.names_of(paths)) == wanted
