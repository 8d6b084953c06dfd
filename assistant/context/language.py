"""Languages, each a page of facts and a query in `languages/`: which files, which grammar, what is a definition.

A page names either a tree-sitter grammar (a module and the function in it) with its tags queries, or the reader of
`outline` that knows the language without a grammar. A file that no page claims is read as plain text, so that every
text file has an outline; files that contain no words (pictures, archives, lock files) have no language.

Kinds of definitions, the same in all languages: function, method, class, interface, trait, impl, struct, union, record,
enum, member (of an enum), type, constant, variable, field, macro, module, test; and from outlines: heading, key, rule,
id, table, view, index, trigger, target, section.
"""

from __future__ import annotations

import importlib.util
import os
import zlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant.context import kept
from assistant.discover import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FOLDER = Path(__file__).parent / "languages"
_TEXT = "text"

BODIES = ("opens", "closes", "keeps", "begins", "skips", "inner", "quotes", "texts", "once")
"""The keys of a page's `bodies`: the patterns of `bodies.without`, and `once`, which says to parse the rest only
once, even if it is broken."""


class Language(NamedTuple):
    """One language: its files by suffix or whole name, and how they are read.

    `grammar` and `constructor` name the module of the grammar and the function that makes it, empty for a language that
    is read by `outline` alone; `queries` are names of `.scm` files beside the page. `deepest` is how deep in the tree a
    definition may begin when many files are read: below it lie expressions, which take most of the time. Each of
    `needs` is a kind of node with which a pattern of the query begins, and words of which every source with such a node
    has at least one. `imported` is a pattern of what stands behind a name that only imports what another file defines.
    `bodies` are the patterns of `bodies.without`, by which most bodies of functions are left out when many files are
    read (see `BODIES`). If a source cannot be parsed, a blank before a closing bracket in text that the pattern `mends`
    matches becomes a semicolon. `masks` are fours: a word of all sources with something the grammar does not know, its pattern, what is
    parsed instead, which has as many lines, and a pattern of what must not stand before it in its line. `lines` is the pattern of a line that declares something, by which those parts of
    a source are read that could not be parsed (see `broken`). Languages of one `family` use each other's names; for prose and data, which use none,
    it is empty.
    """

    name: str
    suffixes: tuple[str, ...]
    grammar: str = ""
    constructor: str = ""
    queries: tuple[str, ...] = ()
    outline: str = _TEXT
    names: tuple[str, ...] = ()
    deepest: int = 10
    needs: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    family: str = ""
    mends: str = ""
    imported: str = ""
    masks: tuple[str, ...] = ()
    lines: str = ""

    @property
    def query(self) -> str:
        """The tags query, read from its files."""
        return "\n".join((_FOLDER / f"{name}.scm").read_text(encoding="utf-8") for name in self.queries)


class _Pages(NamedTuple):
    by_suffix: dict[str, Language]
    by_name: dict[str, Language]
    wordless: frozenset[str]
    version: str


@cache
def _pages() -> _Pages:
    with os.scandir(_FOLDER) as entries:
        sources = sorted(entry.path for entry in entries if entry.name.endswith((".toml", ".scm")))
    rows, wordless, version = kept.kept("languages", sources, _read)
    by_suffix: dict[str, Language] = {}
    by_name: dict[str, Language] = {}
    for row in rows:
        language = Language._make(tuple(value) if isinstance(value, list) else value for value in row)
        by_suffix |= dict.fromkeys(language.suffixes, language)
        by_name |= dict.fromkeys(language.names, language)
    return _Pages(by_suffix, by_name, frozenset(wordless), version)


def _read() -> tuple[list[Language], list[str], str]:
    """Read the pages: all languages, the names and suffixes of files without words, and the version of their tags."""
    found: list[Language] = []
    wordless: set[str] = set()
    for path in sorted(_FOLDER.glob("*.toml")):
        page = read_toml(path)
        grammar = page.get("grammar", "")
        found.append(
            Language(
                page["name"],
                tuple(page["suffixes"]),
                grammar,
                page.get("constructor", ""),
                tuple(page.get("queries", (path.stem,) if grammar else ())),
                page.get("outline", _TEXT),
                tuple(page.get("names", ())),
                page.get("deepest", 10),
                tuple(page.get("needs", ())),
                tuple(page["bodies"].get(key, "") for key in BODIES) if "bodies" in page else (),
                page.get("family", page["name"] if grammar else ""),
                page.get("mends", ""),
                page.get("imported", ""),
                tuple(
                    text
                    for mask in page.get("masks", ())
                    for text in (mask["where"], mask["what"], mask["by"], mask.get("unless", ""))
                ),
                page.get("lines", ""),
            )
        )
        wordless.update(page.get("wordless", ()))
    facts = sorted(
        (each.name, each.deepest, each.bodies, each.mends, each.imported, each.masks, each.lines, each.query)
        for each in found
    )
    return found, sorted(wordless), f"{zlib.crc32(repr(facts).encode()):08x}"


def version() -> str:
    """Return a checksum of what the tags depend on besides the sources: the pages and queries of all languages."""
    return _pages().version


def languages() -> dict[str, Language]:
    """Return all languages by suffix; plain text has the empty suffix."""
    return _pages().by_suffix


def language_of(path: str) -> Language | None:
    """Return the language of a file by its name; None for a file without words."""
    return _of_name(path.rsplit("/", 1)[-1])


@lru_cache(maxsize=1 << 16)
def family_of(path: str) -> str:
    """Return the family of languages in which a file's names may be used; empty for prose and data.

    For a language that no page claims, it is the suffix.
    """
    name = path.rsplit("/", 1)[-1]
    known = _of_name(name)
    if known is None or known.name != _TEXT:
        return known.family if known else ""
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if stem and dot else ""


def names_of(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield many paths with the names of their languages; the name is empty for a file without words."""
    by_suffix, by_name, wordless, _ = _pages()
    plain = by_suffix[""].name
    short: dict[str, str] = {suffix: "" if suffix in wordless else each.name for suffix, each in by_suffix.items()}
    for path in paths:
        name = path[path.rfind("/") + 1 :]
        if name in by_name or name in wordless or ".min." in name.lower():
            known = _of_name(name)
            yield path, known.name if known else ""
            continue
        dot = name.rfind(".")
        suffix = name[dot:] if dot > 0 else ""
        found = short.get(suffix)
        if found is None:
            lower = suffix.lower()
            known = by_suffix.get(lower)
            found = short[suffix] = "" if lower in wordless else known.name if known else plain
        yield path, found


@lru_cache(maxsize=50_000)
def _of_name(name: str) -> Language | None:
    by_suffix, by_name, wordless, _ = _pages()
    stem, _, last = name.rpartition(".")
    suffix = f".{last.lower()}" if stem else ""
    if name in wordless or suffix in wordless or name.lower().endswith((".min.js", ".min.css")):
        return None
    return by_name.get(name) or by_suffix.get(suffix) or by_suffix[""]


@cache
def has_grammar(name: str) -> bool:
    """Say whether the language of that name is read with a grammar, so that it is source, not prose or data."""
    return any(each.name == name and each.grammar for each in languages().values())


def missing() -> tuple[str, ...]:
    """Return the names of languages whose grammar is not installed, for `doctor`; they are read as plain text."""
    each = {language.name: language for language in languages().values()}
    return tuple(name for name, one in each.items() if one.grammar and importlib.util.find_spec(one.grammar) is None)
