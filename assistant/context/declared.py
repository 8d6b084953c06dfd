"""What lines of C and C++ declare outside of functions.

It is read from the tree by hand: compiling a query for all that may stand around a name takes longer than all the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_CONDITIONS = {"preproc_ifdef", "preproc_if", "preproc_elif", "preproc_elifdef", "preproc_else"}
_AROUND = {*_CONDITIONS, "template_declaration"}
"""What may stand around lines of C that declare something for the whole file. Inside conditions, an indented line
may be part of a function."""
_BRACKETS, _CALLED = (
    {"parenthesized_declarator", "reference_declarator"},
    {"parenthesized_declarator", "function_declarator"},
)
"""What may stand around a declared name without changing what it is, and what makes it the name of a function or a
macro."""
_NO_NAMES = {b"class", b"struct", b"union", b"enum", b"namespace", b"typedef"}
"""Words that are taken for a name when a macro stands before it, and the kind of the name behind such a word."""
_NAMED_BEHIND = {"class_specifier": "class", "struct_specifier": "struct", "union_specifier": "union"}


def declared(root: Node) -> Iterator[tuple[Node, Node, str]]:
    """Yield name, lines and kind of what lines of C declare outside of functions, except functions themselves.

    All of it is defined, except what is `extern`. With a macro before its name, as for exporting, a class is parsed as
    a function without parameters.
    """
    around = [(root, False)]
    while around:
        outer, within = around.pop()
        for node in outer.children:
            kind = node.type
            if kind == "declaration":
                for name in _variables(node):  # most lines declare no variable: they are functions
                    if not within or (node.start_point[1] == 0 and not _begins(node, b"extern")):
                        yield name, node, "variable"
            elif kind == "function_definition":
                head = node.child_by_field_name("declarator")
                if head is not None and head.type == "identifier" and head.text not in _NO_NAMES:
                    what = node.child_by_field_name("type")
                    yield head, node, _NAMED_BEHIND.get(what.type if what else "", "variable")
            elif kind in _AROUND:
                around.append((node, within or kind in _CONDITIONS))


def _variables(line: Node) -> Iterator[Node]:
    """Yield the names of the variables that a line declares: a pointer to a function is one, a function is not."""
    if line.has_error and line.children[-1].is_missing and not _begins(line, b"static"):
        return  # half of a line, cut by an unknown macro
    for each in line.children_by_field_name("declarator"):
        name: Node | None = each
        around = ""
        while name is not None and name.type != "identifier":
            around = name.type
            name = name.child_by_field_name("declarator") or (name.named_child(0) if around in _BRACKETS else None)
        if name is not None and around not in _CALLED and not name.is_missing:
            yield name


def _begins(line: Node, word: bytes) -> bool:
    return line.child(0).text == word
