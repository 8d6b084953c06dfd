"""Reads tags from sources: definitions and uses. The only user of tree-sitter; see `index`."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node, Parser, Query

    from assistant.context.language import Language

_LARGEST = 1_000_000
_PATTERNS = re.compile(r"(?m)^(?=[(\[])")
"""The beginning of a pattern in our queries: only patterns begin a line with such a bracket."""
_DEFINES = re.compile(r"@definition\.\w")
_ROOT = re.compile(r"\(+(\w+)")
_ONE_OF = re.compile(r'\(#(?:eq|any-of)\? @\w+((?: "[^"\\]+")+)\)')
_QUOTED = re.compile(r'"([^"\\]+)"')
_MIDDLE, _ROWS_THERE = 1_000, 8
"""Bytes in the middle of a source that decide whether it is a table, and how many rows they must contain."""
_LESS = 0.9
"""The rest of a source without bodies is parsed by itself only if it is less than this share; if it cannot be
parsed, all of the source is."""
_ROWS = (
    rb"(,\r?\n)((?:[ \t]*(?:[(\[{][-+ \t\w.,]*[)\]}]|[-+\d][-+ \t\w.,]*"
    rb"|\"[^\"\n\\]*\"(?:: ?(?:\"[^\"\n\\]*\"|[-+\d][\w.]*))?),\r?\n)+)"
)
"""Rows of a table that follow another row: numbers, in brackets or not, texts in quotes, or pairs, ending with a
comma."""
_LAST = rb"\$\{[^{}\n]*+\}|(?<=[^\s{;>])( )(?=\})"
"""A blank before a closing bracket, except in the place for a value in a text."""
_BLANKS = bytes(byte if byte in b"\r\n" else 32 for byte in range(256))
_OUTER = {"scope_resolution", "template_type"}
"""Names that contain others, of which the inner one counts."""
_VAGUE = {"constant": 0, "variable": 0, "field": 0, "type": 0, "function": 1, "class": 1}
"""Kinds that another pattern may know better, the vaguest first: a constant may be a function, a function a method."""

_BOUND = frozenset({"constant", "variable"})
"""Kinds of names that may only import what another file defines."""


class Tag(NamedTuple):
    """A definition: name, kind, 1-based first and last line, and the line that declares it, with its name."""

    name: str
    kind: str
    start: int
    end: int
    declared: int


class Tags(NamedTuple):
    """What one file defines, how often it uses which names, and what it imports, as written there."""

    defs: tuple[Tag, ...] = ()
    refs: tuple[tuple[str, int], ...] = ()
    imports: tuple[str, ...] = ()


@cache
def _tools(language: Language, without: tuple[int, ...] | None) -> tuple[Parser, Query] | None:
    """Return parser and query; None for a language without a grammar, or whose wheel is missing or does not fit.

    `without` gives numbers of patterns: those, and all patterns that find no definitions, are left out of the query.
    """
    if not language.grammar:
        return None
    from tree_sitter import Language as Grammar
    from tree_sitter import Parser, Query, QueryError

    # Leaving patterns out saves much: most of a child's start is tree-sitter's work on each pattern.
    text = (
        language.query
        if without is None
        else "".join(pattern for at, pattern in enumerate(_patterns(language)) if at not in without)
    )
    try:
        grammar = Grammar(_constructor(language)())
        query = Query(grammar, text)
    except (ImportError, AttributeError, ValueError, QueryError):
        return None
    return Parser(grammar), query


@cache
def _patterns(language: Language) -> list[str]:
    """Return the patterns of a language's query that find definitions."""
    return [pattern for pattern in _PATTERNS.split(language.query) if _DEFINES.search(pattern)]


def _idle(language: Language, source: bytes) -> tuple[int, ...]:
    """Return the numbers of patterns that cannot match a source, because it lacks a word.

    Preparing these would take longer than reading the source.
    """
    needs = dict(line.split(" ", 1) for line in language.needs)
    idle = []
    for at, pattern in enumerate(_patterns(language)):
        groups = [_QUOTED.findall(words) for words in _ONE_OF.findall(pattern)]
        if (root := _ROOT.match(pattern)) and root[1] in needs:
            groups.append(needs[root[1]].split())
        if any(not any(word.encode() in source for word in group) for group in groups):
            idle.append(at)
    return tuple(idle)


def _constructor(language: Language) -> Callable[[], object]:
    """Return the function that makes a grammar, from the library in its wheel.

    The package around the library would load temporary files and more.
    """
    spec = importlib.util.find_spec(language.grammar)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        loaders = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
        inner = importlib.machinery.FileFinder(folder, loaders).find_spec(f"{language.grammar}._binding")
        if inner is not None and inner.loader is not None:
            module = importlib.util.module_from_spec(inner)
            inner.loader.exec_module(module)
            if hasattr(module, language.constructor):
                return getattr(module, language.constructor)  # type: ignore[no-any-return]
    return getattr(importlib.import_module(language.grammar), language.constructor)  # type: ignore[no-any-return]


def tags(source: bytes, language: Language, *, references: bool = True, single: bool = False) -> Tags:
    """Read the tags of a source; one that cannot be parsed completely gives what can be seen.

    Without `references`, which also leaves out imports, it takes half the time: they are most of the matches, and most
    of them stand deep in the tree. For a `single` source, of a language with few files to read, only what it may
    contain is looked for, which halves the time again.
    """
    if len(source) > _LARGEST:
        return Tags()
    without = None if references else _idle(language, source) if single else ()
    if (tools := _tools(language, without)) is None:
        from assistant.context.outline import outline

        return Tags(tuple(Tag(*line) for line in outline(source, language.outline)))
    parser, query = tools
    root = parser.parse(_masked(source, language.masks)).root_node if references else _quick(parser, source, language)
    if (
        language.mends
        and root.has_error
        and (mended := _mended(_masked(source, language.masks), language.mends)) != source
    ):
        root = parser.parse(mended).root_node
    elsewhere = _elsewhere(root, language)
    defs: dict[int, Tag] = {}
    refs: dict[str, int] = {}
    imports: dict[str, None] = {}
    for captures in _captures(root, query, None if references else language.deepest):
        names = captures.get("name") or _names(captures)
        for capture, nodes in captures.items():
            if capture == "reference":
                for node in nodes:
                    word = (node.text or b"").decode("utf-8", "replace")
                    refs[word] = refs.get(word, 0) + 1
            elif capture == "import":
                imports |= dict.fromkeys(_bare(node).removeprefix("import ") for node in nodes)
            elif capture == "definition.declared":
                from assistant.context.declared import declared

                for name, node, kind in declared(nodes[0]):
                    _define(defs, name, node, kind)
            elif capture.startswith("definition.") and names:
                kind = capture.removeprefix("definition.")
                if kind not in _BOUND or not elsewhere(names[0]):
                    _define(defs, names[0], nodes[0], kind)
    ordered = [tag for _, tag in sorted(defs.items(), key=lambda item: (item[1].start, item[0]))]
    if language.lines and root.has_error:
        ordered = _with_swallowed(ordered, root, source, language.lines)
    return Tags(tuple(ordered), tuple(sorted(refs.items())), tuple(imports))


def _with_swallowed(defs: list[Tag], root: Node, source: bytes, lines: str) -> list[Tag]:
    """Add what stands in the errors of a tree; what the tree knows already counts as it is there."""
    from assistant.context.broken import swallowed

    known = {(each.name, each.declared) for each in defs}
    more = [Tag(*each) for each in swallowed(root, source, lines) if (each.name, each.declared) not in known]
    return sorted([*defs, *more], key=lambda tag: tag.start)


def _define(defs: dict[int, Tag], name: Node, node: Node, kind: str) -> None:
    """Add a definition; if several patterns find it, the widest range counts (decorators), and the sharpest kind."""
    (start, _), (last, column) = node.start_point, node.end_point
    end = max(start + 1, last + (column > 0))
    if (old := defs.get(name.start_byte)) is None:
        defs[name.start_byte] = Tag(_bare(name), kind, start + 1, end, name.start_point[0] + 1)
    elif (kind := max(old.kind, kind, key=_sharpness)) != old.kind or start + 1 < old.start or end > old.end:
        defs[name.start_byte] = old._replace(kind=kind, start=min(old.start, start + 1), end=max(old.end, end))


def _elsewhere(root: Node, language: Language) -> Callable[[Node], bool]:
    """Return a test for names that only import what another file defines, as in `const User = require("./User")`."""
    if not language.imported:
        return lambda _: False
    text, start, behind = root.text or b"", root.start_byte, re.compile(language.imported.encode())
    return lambda name: behind.match(text, name.end_byte - start) is not None


def _quick(parser: Parser, source: bytes, language: Language) -> Node:
    """Parse a source without the parts that take long and define nothing, or all of it if that breaks less."""
    whole = _without_rows(source)
    if language.bodies:
        from assistant.context import bodies

        less = bodies.without(whole, language.bodies)
        if len(less) < _LESS * len(whole):
            root = parser.parse(_masked(less, language.masks)).root_node
            if not root.has_error or language.bodies[-1]:
                return root
            from assistant.context.broken import lost

            return min(parser.parse(_masked(whole, language.masks)).root_node, root, key=lost)
    return parser.parse(_masked(whole, language.masks)).root_node


def _masked(source: bytes, masks: Sequence[str]) -> bytes:
    """Return a source in which what the grammar does not know is written so that it does."""
    for at in range(0, len(masks), 4):
        where, what, by, unless = (text.encode() for text in masks[at : at + 4])
        if where in source:
            source = re.sub(what, _unless(unless, by) if unless else by, source)
    return source


def _unless(before: bytes, by: bytes) -> Callable[[re.Match[bytes]], bytes]:
    """Return what replaces a match, except behind something in its line."""

    def put(match: re.Match[bytes]) -> bytes:
        line = match.string[match.string.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        return match[0] if re.match(before, line) else match.expand(by)

    return put


def _mended(source: bytes, lines: str) -> bytes:
    """In some lines, replace blanks before closing brackets by semicolons, which only the grammar wants."""
    return re.sub(lines.encode(), lambda line: re.sub(_LAST, lambda at: b";" if at[1] else at[0], line[0]), source)


def _without_rows(source: bytes) -> bytes:
    """Blank out the rows of a source that is a table, by its middle: they take long to parse and define nothing."""
    half = len(source) // 2
    middle = source[half : half + _MIDDLE]
    rows = middle.count(b",\n") + middle.count(b",\r\n")
    if rows < _ROWS_THERE or 4 * rows < 3 * middle.count(b"\n"):
        return source
    return re.sub(_ROWS, lambda match: match[1] + match[2].translate(_BLANKS), source)


def _names(captures: dict[str, list[Node]]) -> list[Node]:
    """Return the name of a definition whose pattern captures none: it is in the field `name`."""
    for capture, nodes in captures.items():
        if capture.startswith("definition."):
            name = nodes[0].child_by_field_name("name")
            if name is not None and name.type in _OUTER:
                name = name.child_by_field_name("name")
            return [name] if name is not None else []
    return []


def _captures(root: Node, query: Query, deepest: int | None) -> list[dict[str, list[Node]]]:
    """Return what the matches of a query capture, in order: in the whole tree, or no deeper than definitions stand."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(query)
    if deepest is not None:
        cursor.set_max_start_depth(deepest)
    return [captures for _, captures in cursor.matches(root)]


def _sharpness(kind: str) -> int:
    return _VAGUE.get(kind, 2)


def _bare(node: Node) -> str:
    """Return the text of a name without quotes, the colon of a symbol, or the mark that makes a word of C# a name."""
    name = (node.text or b"").decode("utf-8", "replace").strip("\"'`:")
    return name[1:] if name[:1] == "@" and name[1:].isidentifier() else name
