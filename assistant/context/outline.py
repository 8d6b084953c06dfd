"""Outlines read line by line, without a grammar: headings, keys, selectors, tables, lines like declarations.

Every reader is one pass over lines cut at a maximum width, yields at most so many entries, and accepts any text: a file
that is broken, or of another kind than its name says, gives a poorer outline and nothing worse. An entry ends where the
next one of its level or above begins, or where its block ends, by braces or by indentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    _Ends: TypeAlias = Callable[[Sequence["_Seen"], Sequence[str], int], list[int]]

_WIDEST = 300
_MOST = 2_000


class Entry(NamedTuple):
    """An entry of an outline, like `tags.Tag`: name, kind, 1-based first and last line, and declaring line."""

    name: str
    kind: str
    start: int
    end: int
    declared: int


class _Seen(NamedTuple):
    """An entry without an end: its 0-based line and its level.

    `end` is the 0-based last line where the reader knows it, `declared` the line with its name if that is another.
    """

    line: int
    level: int
    name: str
    kind: str
    end: int = -1
    declared: int = -1


def outline(source: bytes, reader: str) -> list[Entry]:
    """Return the outline of a source as the named reader sees it, in the order of the file; a binary file has none."""
    if b"\0" in source[:8_000]:
        return []
    read, ends = _READERS.get(reader, _READERS["text"])
    lines = [line[:_WIDEST].rstrip() for line in source.decode("utf-8-sig", "replace").split("\n")]
    seen = []
    for each in read(lines):
        seen.append(each)
        if len(seen) == _MOST:
            break
    if not seen:  # true of most texts: there are no ends to find
        return []
    seen.sort(key=lambda each: each.line)
    return _entries(seen, lines, ends)


def _entries(seen: Sequence[_Seen], lines: Sequence[str], ends: _Ends) -> list[Entry]:
    """Return entries with their ends."""
    last = len(lines) - 1
    while last > 0 and not lines[last]:
        last -= 1
    return [
        Entry(
            each.name,
            each.kind,
            each.line + 1,
            max(each.line, each.declared, end) + 1,
            max(each.line, each.declared) + 1,
        )
        for each, end in zip(seen, ends(seen, lines, last), strict=True)
    ]


def declarations(source: bytes, pattern: re.Pattern[str], spans: Sequence[tuple[int, int]]) -> list[Entry]:
    """Return what those lines of a source declare that match a pattern and lie in one of some spans of lines.

    The pattern names what is declared `name`, and has a group for the word that tells its kind, or for the bracket that
    makes it a method; what has neither is a field.
    """
    lines = [line[:_WIDEST].rstrip() for line in source.decode("utf-8-sig", "replace").split("\n")]
    seen = []
    for first, last in spans:
        for number in range(first, min(last + 1, len(lines))):
            if match := pattern.match(lines[number]):
                kind = _WORDS.get(match["kind"] or "", "method" if match["called"] else "field")
                seen.append(_Seen(number, _indent(lines[number]), match["name"], kind))
    return _entries(seen[:_MOST], lines, _until_dedent)


def _until_next(seen: Sequence[_Seen], lines: Sequence[str], last: int) -> list[int]:
    """End each entry before the next one of its level or above."""
    ends = [last] * len(seen)
    open_: list[int] = []
    for at, each in enumerate(seen):
        while open_ and seen[open_[-1]].level >= each.level:
            ends[open_.pop()] = each.line - 1
        open_.append(at)
    return [_trim(each.line, each.end if each.end >= 0 else end, lines) for each, end in zip(seen, ends, strict=True)]


def _until_dedent(seen: Sequence[_Seen], lines: Sequence[str], last: int) -> list[int]:
    """End each entry with its block: the lines below that are indented deeper, and the bracket that closes it."""
    del last
    first: dict[int, int] = {}
    by_line: dict[int, int] = {each.line: _indent(lines[each.line]) for each in seen}
    open_: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        if not line:
            continue
        depth = len(line) - len(line.lstrip())
        while open_ and open_[-1][1] >= depth:
            start, own = open_.pop()
            first[start] = number if own == depth and _CLOSES.match(line) else number - 1
            if own == depth and _OPENS.match(line):
                open_.append((start, own))
                break
        if number in by_line:
            open_.append((number, by_line[number]))
    for start, _ in open_:
        first[start] = len(lines) - 1
    return [_trim(each.line, each.end if each.end >= 0 else first.get(each.line, each.line), lines) for each in seen]


_CLOSES = re.compile(r"\s*(?:[})\]]|end\b|</|\*\))", re.IGNORECASE)
_OPENS = re.compile(r"\s*(?:\{|/?>)\s*$")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _cut(name: str) -> str:
    """Cut a long name after a word: half a key would not be recognised as a key, and so not be masked."""
    return name if len(name) <= 100 else name[:100].rpartition(" ")[0] or name


def _trim(start: int, end: int, lines: Sequence[str]) -> int:
    end = min(end, len(lines) - 1)
    while end > start and not lines[end]:
        end -= 1
    return end


_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.+?)(?:\s+#+)?$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")


def _markdown(lines: Sequence[str]) -> Iterator[_Seen]:
    fence = ""
    front = bool(lines) and lines[0] == "---"
    comment = False
    for number, line in enumerate(lines):
        if comment or ("<!--" in line and not fence):
            _, comment = _uncomment(line, _MARKUP, within=comment)
            continue
        if front:
            front = number == 0 or line not in {"---", "..."}
            continue
        if match := _FENCE.match(line):
            if not fence:
                fence = match[1]
            elif match[1].startswith(fence):
                fence = ""
            continue
        if fence:
            continue
        if match := _HEADING.match(line):
            yield _Seen(number, len(match[1]), _cut(match[2]), "heading")
        elif line and number and not line.strip("=-") and line[0] in "=-" and len(line) > 2:
            above = lines[number - 1]
            if above and above[0] not in " #-=>|*" and (line[0] == "=" or "|" not in line + above):
                yield _Seen(number - 1, 1 if line[0] == "=" else 2, _cut(above), "heading")


_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}$")


def _rst(lines: Sequence[str]) -> Iterator[_Seen]:
    levels: dict[str, int] = {}
    for number in range(1, len(lines)):
        line, above = lines[number], lines[number - 1]
        if above and not _UNDERLINE.match(above) and _UNDERLINE.match(line) and len(line) >= len(above.strip()):
            level = levels.setdefault(line[0], len(levels) + 1)
            yield _Seen(number - 1, level, _cut(above.strip()), "heading")


_ID = re.compile(r"<([a-zA-Z][\w-]*)(?:\s[^<>]*?)?\sid\s*=\s*[\"']?([\w:.-]+)")
_BARE_ID = re.compile(r"(?:^|\s)id\s*=\s*[\"']?([\w:.-]+)")
_BEGUN = re.compile(r"<[a-zA-Z][\w-]*(?:\s[^<>]*)?$")
"""An element whose attributes go on in the next line."""
_TITLE = re.compile(r"<(h[1-6]|title)\b[^<>]*>(.+?)(?:</\1\b|$)", re.IGNORECASE)
_ELEMENT = re.compile(r"<[^<>]*>")
_SAYS = re.compile(r"\w")
_BLOCK = re.compile(r"<(script|style|template)\b[^<>]*>", re.IGNORECASE)
_ATTRIBUTES = 20
"""The most lines over which the attributes of an element may go on."""


def _html(lines: Sequence[str]) -> Iterator[_Seen]:
    script = comment = False
    begun = -1
    for number, whole in enumerate(lines):
        line, comment = _uncomment(whole, _MARKUP, within=comment) if comment or "<!--" in whole else (whole, False)
        if begun >= 0:
            attributes, closed, rest = line.partition(">")
            if match := _BARE_ID.search(attributes):
                yield _Seen(begun, 1, match[1], "id", declared=number)
            if not closed and number - begun < _ATTRIBUTES:
                continue
            begun, line = -1, rest if closed else line
        if match := _BLOCK.search(line):
            yield _Seen(number, 0, match[1].lower(), "section")
            script = match[1].lower() == "script" and "</script" not in line.lower()
        elif script:
            script = "</script" not in line.lower()
            if declared := _declared(line):
                yield _Seen(number, 1, *declared)
        elif "<" in line:
            yield from _elements(line, number)
            begun = number if _BEGUN.search(line) else -1


def _elements(line: str, number: int) -> Iterator[_Seen]:
    """Yield the ids in a line of a page, or the heading there."""
    ids = [_Seen(number, 1, match[2], "id") for match in _ID.finditer(line)]
    yield from ids
    if ids or not (match := _TITLE.search(line)):
        return
    text = _ELEMENT.sub("", match[2]).strip()
    if "<" not in text and _SAYS.search(text):  # what is left of a template may be a mark only
        yield _Seen(number, 1, _cut(text), "heading")


_FRAME = re.compile(r"(?:from|to|[\d.]+%)(?:$|[\s,])")
_CSS_VARIABLE = re.compile(r"\s*(--[\w-]+|\$[\w-]+|@[\w-]+)\s*:")


def _css(lines: Sequence[str]) -> Iterator[_Seen]:
    """Yield selectors and at-rules down to the second level, and variables, with the end of each block."""
    open_: list[_Seen | None] = []
    head, begun, comment = "", 0, False
    for number, line in enumerate(lines):
        if not line:
            continue
        text, comment = _uncomment(line, _STYLE, within=comment)
        if (match := _CSS_VARIABLE.match(text)) and "{" not in text:
            yield _Seen(number, len(open_), match[1], "variable", number)
        for piece in re.split(r"([{};])", text):
            if piece == "{":
                name = " ".join(head.split())[:100]
                wanted = name and len(open_) < 2 and not _FRAME.match(name)
                open_.append(_Seen(begun, len(open_), name, "rule") if wanted else None)
                head = ""
            elif piece == "}":
                head = ""
                if open_ and (rule := open_.pop()):
                    yield rule._replace(end=number)
            elif piece == ";":
                head = ""
            elif piece.strip():
                if not head:
                    begun = number
                head = f"{head} {piece}"[:_WIDEST]
    yield from (rule for rule in open_ if rule)


_STYLE = re.compile(r"/\*()|(?<![:\w(\"'])//|\"[^\"]*\"|'[^']*'"), "*/"
_MARKUP = re.compile(r"<!--()"), "-->"
"""What begins a comment that ends with a mark (with an empty group), or with the line; and texts, which hold none."""
_MARKS = re.compile(r"[{};]")


def _uncomment(line: str, kind: tuple[re.Pattern[str], str], *, within: bool) -> tuple[str, bool]:
    """Return a line without its comments, and without the marks in its texts, and whether a comment goes on."""
    begins, ends = kind
    kept: list[str] = []
    at = 0
    while True:
        if within:
            end = line.find(ends, at)
            if end < 0:
                break
            at, within = end + len(ends), False
        if (match := begins.search(line, at)) is None:
            kept.append(line[at:])
            break
        kept.append(line[at : match.start()])
        at = match.end()
        if match[0][0] in "\"'":
            kept.append(_MARKS.sub(" ", match[0]))
        elif match[1] is None:  # it ends with the line
            break
        else:
            within = True
    return "".join(kept), within


_JSON = re.compile(r'"((?:[^"\\]|\\.){0,200})"(\s*:)?|[{}\[\]]|//')

_BRACKET = re.compile(r"[{}\[\]]")


def _json(lines: Sequence[str]) -> Iterator[_Seen]:
    """Yield the keys of the first two levels."""
    depth = 0
    for number, line in enumerate(lines):
        if depth > 2 and not _BRACKET.search(line):  # true of most lines in a large file
            continue
        for match in _JSON.finditer(line):
            mark = match[0]
            if mark == "//":
                break
            if mark in "{[":
                depth += 1
            elif mark in "}]":
                depth -= 1
            elif match[2] and 1 <= depth <= 2:
                yield _Seen(number, depth, match[1], "key")


_TEXT = re.compile(r"[|>][+-]?\d?$")
_YAML = re.compile(r"(\s*)(?:- )?([\w.$/@*-][^:#]{0,99}|\"[^\"]{1,99}\"|'[^']{1,99}')\s*:(?:\s+(.*))?$")


def _yaml(lines: Sequence[str]) -> Iterator[_Seen]:
    """Yield the keys of the first two levels; lines in a block of text are not keys."""
    inner, text = 0, -1
    for number, line in enumerate(lines):
        if not line or (text < 0 and ":" not in line):
            continue
        depth = len(line) - len(line.lstrip())
        if depth > inner > 0 or (text >= 0 and depth > text):
            continue
        text = -1
        if ":" not in line or not (match := _YAML.match(line)):
            continue
        if (value := match[3]) and value[0] in "|>" and _TEXT.match(value):
            text = depth
        if not depth:
            inner = 0
        elif not inner:
            inner = depth
        if depth in {0, inner}:
            yield _Seen(number, depth, match[2].strip("\"' "), "key")


_TABLE = re.compile(r"\s*\[\[?\s*([^\[\]]{1,100}?)\s*\]\]?\s*(?:[#;].*)?$")
_KEY = re.compile(r"([\w.\"'-]{1,100})\s*[=:]")


def _toml(lines: Sequence[str]) -> Iterator[_Seen]:
    """Yield tables (sections of an ini file), and the keys before and in them."""
    quote = ""
    for number, line in enumerate(lines):
        if quote:
            quote = "" if quote in line else quote
            continue
        if not line:
            continue
        quote = next((mark for mark in ('"""', "'''") if line.count(mark) == 1), "")
        if match := _TABLE.match(line):
            yield _Seen(number, 0, match[1], "section")
        elif match := _KEY.match(line):
            yield _Seen(number, 1, match[1].strip("\"'"), "key")


def _sql(lines: Sequence[str]) -> Iterator[_Seen]:
    from assistant.context.sql import created

    for each in created(lines):
        yield _Seen(each.line, 0, each.name, each.kind, each.end)


_TARGET = re.compile(r"([\w./%$(){}-][\w./%$(){} -]{0,99}?)\s*::?(?!=)")
_MAKE_VARIABLE = re.compile(r"(?:export\s+)?([\w.-]{1,100})\s*(?:[:?+!]|::)?=")


def _make(lines: Sequence[str]) -> Iterator[_Seen]:
    for number, line in enumerate(lines):
        if not line:
            continue
        if match := _MAKE_VARIABLE.match(line):
            yield _Seen(number, 0, match[1], "variable")
        elif match := _TARGET.match(line):
            yield _Seen(number, 0, match[1], "target")
        elif match := re.match(r"define\s+([\w.-]+)", line):
            yield _Seen(number, 0, match[1], "macro")


_STAGE = re.compile(r"\s*from\s+(?:--\S+\s+)?(\S{1,150})(?:\s+as\s+(\S{1,100}))?", re.IGNORECASE)


def _dockerfile(lines: Sequence[str]) -> Iterator[_Seen]:
    for number, line in enumerate(lines):
        if match := _STAGE.match(line):
            yield _Seen(number, 0, match[2] or match[1], "section")


_WORDS = {
    "class": "class", "interface": "interface", "protocol": "interface", "trait": "trait", "struct": "struct", "enum": "enum",
    "union": "union", "record": "record", "module": "module", "namespace": "module", "package": "module", "defmodule": "module",
    "def": "function", "defp": "function", "defmacro": "macro", "func": "function", "fun": "function", "fn": "function",
    "function": "function", "function!": "function", "sub": "function", "proc": "function", "procedure": "function",
    "subroutine": "function", "method": "method", "macro": "macro", "macro_rules!": "macro", "type": "type", "typedef": "type",
    "newtype": "type", "data": "type", "message": "class", "service": "class", "rpc": "method", "contract": "class",
    "library": "module", "object": "class", "actor": "class", "extension": "impl", "impl": "impl", "instance": "impl",
    "theorem": "function", "lemma": "function", "entity": "class", "component": "class", "input": "class", "mixin": "class",
    "event": "field", "modifier": "function", "const": "constant", "let": "constant", "val": "constant", "var": "variable",
    "defun": "function", "defn": "function", "define": "function", "defmethod": "method",
    "defvar": "variable", "defclass": "class", "resource": "section", "variable": "variable", "output": "variable",
    "provider": "section", "schema": "section", "model": "class", "task": "target", "test": "test", "scalar": "type",
}  # fmt: skip
"""Words that declare something in some language, and the kind of what they declare."""
_BEFORE = (
    "export", "default", "declare", "public", "private", "protected", "internal", "static", "final", "abstract", "async", "pub", "open",
    "override", "virtual", "inline", "extern", "unsafe", "local", "global", "sealed", "data", "partial", "pure", "impure", "recursive",
    "noncomputable", "comptime",
)  # fmt: skip
"""Words that may stand before the words of `_WORDS`."""
_DECLARES = (
    rf"(\s*)\(?(?:@?(?:{'|'.join(_BEFORE)})(?:\([\w:]+\))?\s+){{0,5}}"
    rf"({'|'.join(sorted(map(re.escape, _WORDS), key=len, reverse=True))})\s+\(?(?:rec\s+)?[\"']?"
    r"([A-Za-z_$][\w.$:?!'-]*)([\"']?(?:\s+\"[\w.-]+\")?)\s*(.?)(.*)"
)
"""Compiled only when a line begins with such a word: compiling takes longer than reading a file."""
_FIRST = re.compile(r"\s*\(?@?([\w!]+)")
_FIRST_WORDS = frozenset([*_BEFORE, *_WORDS])
_FOLLOWS = re.compile(r"(?:extends|implements|inherits|where|do|is|as|begin|with|returns|for)\b")
_CALLABLE = re.compile(r"[A-Za-z_][\w\s*&:<>,.\[\]~]{0,120}?\b([A-Za-z_~][\w:~]*)\s*\([^;{}]*\)?\s*(?:const\s*)?\{?$")
_BINDS = re.compile(r"([A-Za-z_][\w.']*)\s*(?:(?:<-|=)\s*function\b|::(?!\s*$)|\([^()]*\)\s*->)")
_NOT_NAMES = {
    "if", "for", "while", "switch", "return", "else", "catch", "do", "when", "until", "case", "unless", "elif", "foreach",
    "with", "try", "default", "public", "private", "protected", "finally", "in", "the", "of", "a", "is", "to",
}  # fmt: skip


def _declared(line: str) -> tuple[str, str] | None:
    """Return name and kind of what a line of some programming language seems to declare; None for nothing."""
    # Looking at the first word takes a third of the time of finding that a pattern of so many words does not match.
    if (first := _FIRST.match(line)) and first[1] in _FIRST_WORDS and (match := re.match(_DECLARES, line)):
        indent, word, name, _, mark, rest = match.groups()
        name = name.rstrip(":'")
        local = indent and word in {"let", "const", "val", "var", "type", "data", "input", "test"}
        if name not in _NOT_NAMES and not local and (not mark or mark in "({[<=:;" or _FOLLOWS.match(mark + rest)):
            return name, _WORDS[word]
    if not line or line[0] in " \t#/*-|>":
        return None
    if match := _BINDS.match(line):
        return (match[1], "function") if match[1] not in _NOT_NAMES else None
    if "(" in line and (line.endswith(("{", ")"))) and (match := _CALLABLE.match(line)):
        return (
            (match[1], "function") if match[1] not in _NOT_NAMES and line.split(None, 1)[0] not in _NOT_NAMES else None
        )
    return None


def _text(lines: Sequence[str]) -> Iterator[_Seen]:
    for number, line in enumerate(lines):
        if declared := _declared(line):
            yield _Seen(number, _indent(line), *declared)


_READERS: dict[str, tuple[Callable[[Sequence[str]], Iterator[_Seen]], _Ends]] = {
    "text": (_text, _until_dedent),
    "markdown": (_markdown, _until_next),
    "rst": (_rst, _until_next),
    "html": (_html, _until_dedent),
    "css": (_css, _until_next),
    "json": (_json, _until_dedent),
    "yaml": (_yaml, _until_next),
    "toml": (_toml, _until_next),
    "sql": (_sql, _until_next),
    "make": (_make, _until_next),
    "dockerfile": (_dockerfile, _until_next),
}
