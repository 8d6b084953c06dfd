"""Every language page beside a sample: what is defined where, what is imported, what is used."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from assistant.context import language
from assistant.context.language import language_of, languages
from assistant.context.tags import tags

SAMPLES = Path(__file__).parent / "samples"
PAGES = sorted({each.name: each for each in languages().values()}.items())


def sample(name):
    return next(path for path in SAMPLES.glob(f"{name}.*") if not path.name.endswith(".tags.toml"))


@pytest.mark.parametrize(("name", "page"), PAGES, ids=[name for name, _ in PAGES])
def test_a_sample_gives_every_definition_import_and_reference_with_its_lines(name, page):
    path = sample(name)
    assert language_of(path.name) == page
    wanted = tomllib.loads((SAMPLES / f"{name}.tags.toml").read_text())
    found = tags(path.read_bytes(), page)
    assert [f"{tag.kind} {tag.start}-{tag.end} {tag.name}" for tag in found.defs] == wanted["defs"]
    assert list(found.imports) == wanted.get("imports", [])
    assert [f"{word} {count}" for word, count in found.refs] == wanted.get("refs", [])


@pytest.mark.parametrize(("name", "page"), PAGES, ids=[name for name, _ in PAGES])
def test_a_single_source_is_read_as_one_of_many_whatever_it_holds(name, page):
    data = sample(name).read_bytes()
    lines = data.split(b"\n")
    for some in (lines, *([line] for line in lines), *(lines[at : at + 12] for at in range(0, len(lines), 6))):
        source = b"\n".join(some)
        assert tags(source, page, references=False, single=True) == tags(source, page, references=False)


@pytest.mark.parametrize(("name", "page"), PAGES, ids=[name for name, _ in PAGES])
def test_what_a_source_needs_is_said_of_patterns_that_are_there(name, page):
    roots = {line.lstrip("(").split(" ")[0].rstrip(")") for line in page.query.split("\n") if line.startswith("(")}
    assert {line.split(" ")[0] for line in page.needs} <= roots


@pytest.mark.parametrize(("name", "page"), PAGES, ids=[name for name, _ in PAGES])
def test_each_definition_is_declared_in_the_line_that_names_it(name, page):
    path = sample(name)
    lines = path.read_text().split("\n")
    for tag in tags(path.read_bytes(), page).defs:
        assert tag.start <= tag.declared <= tag.end
        assert tag.name.split()[0] in lines[tag.declared - 1]


@pytest.mark.parametrize(("name", "page"), PAGES, ids=[name for name, _ in PAGES])
def test_any_half_of_a_sample_and_any_bytes_at_all_give_an_outline_without_error(name, page):
    data = sample(name).read_bytes()
    for source in (
        data[: len(data) // 2],
        data[len(data) // 3 :],
        b"\xff\xfe" + data,
        data.replace(b"\n", b"\r\n"),
        b"",
        b"\n",
        b"\0",
    ):
        for tag in tags(source, page).defs:
            assert 1 <= tag.start <= tag.end <= source.count(b"\n") + 1


def test_every_grammar_is_a_dependency_that_is_installed_here():
    assert language.missing() == ()
    dependencies = Path("pyproject.toml").read_text()
    for _, page in PAGES:
        if page.grammar:
            assert f'"{page.grammar.replace("_", "-")}>=' in dependencies
            assert importlib.util.find_spec(page.grammar)


def test_without_its_wheel_a_language_has_the_outline_of_plain_text_and_doctor_can_say_so():
    # A fresh interpreter in which the grammar cannot be found, as on a machine where its wheel was not installed.
    code = """
import sys
sys.modules["tree_sitter_ruby"] = None
from assistant.context import language
from assistant.context.tags import tags
print([tag.name for tag in tags(b"class Pot\\n  def pour(cup)\\n  end\\nend\\n", language.language_of("a.rb")).defs])
print(language.missing())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["['Pot', 'pour']", "('ruby',)"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.PY", "python"),
        ("x.h", "cpp"),
        ("Rakefile", "ruby"),
        ("deep/Makefile", "make"),
        ("Dockerfile", "dockerfile"),
        ("unknown.zig", "text"),
        ("no_suffix", "text"),
        (".bashrc", "bash"),
        ("a.png", None),
        ("package-lock.json", None),
        ("lib.min.js", None),
        ("Cargo.lock", None),
    ],
)
def test_the_language_of_a_file_is_told_by_its_name(path, name):
    found = language_of(path)
    assert (found and found.name) == name


def test_outlines_of_hostile_files_are_bounded():
    page = language_of("a.zig")
    assert len(tags(b"fn f() {\n" * 100_000, page).defs) <= 2_000
    for text in (
        b"(" * 900_000,
        b"a " * 450_000,
        b"fn " * 300_000,
        b"{" * 900_000,
        b" " * 900_000 + b"x",
        b"\n" * 900_000,
    ):
        for suffix in ("zig", "md", "rst", "html", "css", "json", "yaml", "toml", "sql", "mk"):
            assert len(tags(text, language_of(f"a.{suffix}")).defs) <= 2_000


@pytest.mark.parametrize(("name", "page"), PAGES, ids=[name for name, _ in PAGES])
def test_without_references_the_definitions_of_a_sample_are_the_same_and_nothing_else_is_found(name, page):
    source = sample(name).read_bytes()
    with_references, without = tags(source, page), tags(source, page, references=False)
    assert without == with_references._replace(refs=(), imports=())
