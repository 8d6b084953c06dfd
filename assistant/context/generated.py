"""Files that a program wrote, or that others did: each has its like, which is where to read and to change.

The first lines of a generated file mostly say so; a bundler leaves its own beginning. `.gitattributes` may say so too,
in GitHub's words (linguist-generated, linguist-vendored).
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from assistant.context import ignore, plain

if TYPE_CHECKING:
    from pathlib import Path

GENERATED_FACTOR, VENDORED_FACTOR = 0.1, 0.3
_HEAD = 1_500
"""Bytes in which a file says that it is generated."""
_HINTS = (b"generated", b"made by", b"created by", b"produced by")
"""What a head has that says so: few have one of these, and the whole expression is slow."""
_BEGIN = (b"(function", b"!function", b'"use strict', b"/****", b"var __")
_SAYS = rb"""(?ix) (?:^|\n) [^\n\w'"`]{0,12} [^\n'"`]{0,60}? (?:
        code\ generated\b[^\n]{0,80}\bdo\ not\ edit | @generated\b(?!\s*[({]) | <auto-?generated
      | \b(?:auto|automatically|machine)[- ]?generated\b(?:[^\n]{0,120}\n){0,3}?[^\n]{0,120}\b(?:not|n't|never)\ (?:be\ )?(?:edit|modif|change)
      | \bgenerated\ (?:by|from|with|using)\b(?:[^\n]{0,120}\n){0,3}?[^\n]{0,120}\b(?:not|n't|never)\ (?:be\ )?(?:edit|modif|change)
      | \b(?:not|n't|never)\ (?:edit|modify|change)\b(?:[^\n]{0,120}\n){0,3}?[^\n]{0,120}\bgenerated\b
      | \b(?:generated|made|created|produced)\ by\ (?:gnu\ )?(?:flex|bison|yacc|goyacc|lemon|re2c|ragel|gperf|swig|cython|antlr|protoc|the\ protocol|autoconf|automake|cbindgen|bindgen|sqlc|mockgen|stringer)\b
    )"""
_BUNDLED = rb"\A\s*(?:\(function\s?\((?:global|e|t), ?(?:factory|t|n)\) ?\{\s*typeof exports ===? ?|/\*{6}/ \(|!function\(e,t\)\{|\"use strict\";\s*var __(?:create|defProp) ?=|var __(?:create|defProp|getOwnPropNames) ?= ?Object\.)"
_OTHERS = frozenset({
    "vendor", "vendored", "third_party", "third-party", "thirdparty", "3rdparty", "3rd_party", "node_modules", "bower_components",
    "single_include", "amalgamation", "amalgamated", "dist",
})  # fmt: skip
"""Folders of what others wrote, or of what was built."""
_BUILT = (".esm.js", ".umd.js", ".iife.js", ".bundle.js")
_SAID = rb"(?m)^[ \t]*([^#\s]\S*)[ \t](?:[^\n]*[ \t])?([-!]?)linguist-(generated|vendored)(?:=(\w+))?(?=\s|\Z)"


class Origin:
    """Tells files that a program, or other people, wrote."""

    def __init__(self, root: Path) -> None:
        self._root = root
        rules = b""
        with contextlib.suppress(OSError):
            rules = plain.read(root / ".gitattributes", 64_000)
        told: dict[bytes, list[bytes]] = {b"generated": [], b"vendored": []}
        for name, no, kind, value in re.findall(_SAID, rules) if b"linguist-" in rules else ():
            told[kind].append(b"!" + name if no or value in {b"false", b"0"} else name)
        self._told = [ignore.lines(b"\n".join(names)) for names in told.values()]

    def factor(self, path: str) -> float:
        """Return the factor on the score of a file. Reads its first lines."""
        generated, vendored = (each is not None and each.verdict(path, folder=False) for each in self._told)
        if generated:
            return GENERATED_FACTOR
        low = path.lower()
        if vendored or low.endswith(_BUILT) or not _OTHERS.isdisjoint(low.split("/")[:-1]):
            return VENDORED_FACTOR
        with contextlib.suppress(OSError):
            return GENERATED_FACTOR if is_generated(plain.read(self._root / path, _HEAD)) else 1.0
        return 1.0


def is_generated(head: bytes) -> bool:
    """Say whether the first lines of a file say that a program wrote it."""
    if head[:40].lstrip().startswith(_BEGIN) and re.match(_BUNDLED, head):
        return True
    low = head.lower()
    return any(hint in low for hint in _HINTS) and bool(re.search(_SAYS, head))
