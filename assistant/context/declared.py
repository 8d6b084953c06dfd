"""What lines of C and C++ declare outside of functions: a query for all that may stand around a name takes longer to be made ready than the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_CONDITIONS = {"preproc_ifdef", "preproc_if", "preproc_elif", "preproc_elifdef", "preproc_else"}
_AROUND = {*_CONDITIONS, "template_declaration"}
"""What may stand around lines of C that declare something for the whole file; within conditions one that is indented may be part of a function."""
_BRACKETS, _CALLED = (
    {"parenthesized_declarator", "reference_declarator"},
    {"parenthesized_declarator", "function_declarator"},
)
"""What stands around a name that is declared and says nothing of its place, and what makes it that of a function, or of a macro."""
_NO_NAMES = {b"class", b"struct", b"union", b"enum", b"namespace", b"typedef"}
"""What is taken for a name where a macro stands before it, and what a name behind such a word is of."""
_NAMED_BEHIND = {"class_specifier": "class", "struct_specifier": "struct", "union_specifier": "union"}


def declared(root: Node) -> Iterator[tuple[Node, Node, str]]:
    """Give name, lines and kind of what lines of C outside of functions declare, besides functions; all is defined but what is `extern`.

    With a macro before its name, as they export it, a class is read as a function that takes nothing.
    """
    around = [(root, False)]
    while around:
        outer, within = around.pop()
        for node in outer.children:
            kind = node.type
            if kind == "declaration":
                for name in _variables(node):  # of most lines there is none: they are functions
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
    """Give the names of the variables that a line declares: a pointer to a function is one, a function is none."""
    if line.has_error and line.children[-1].is_missing and not _begins(line, b"static"):
        return  # half of a line, by a macro that nobody knows
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
