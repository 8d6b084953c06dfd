"""Whether a reply gives the whole of a file or a passage: written as the whole, a passage would delete the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.edits.compare import changes
from assistant.edits.refusal import Refusal
from assistant.edits.text import cut

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from assistant.edits.draft import Draft
    from assistant.edits.edit import Edit

_SMALL = 6
"""Most lines of a file that a text may replace which shares nothing with it and is no shorter."""
_SHORT = 12
"""Lines up to which a file is short: any shorter text that is a passage, or begins elsewhere, is not all of it."""
_WORDS = re.compile(r"\w")
_LOST = 3
"""Fewest lines that must be missing at the beginning of a file for the rest to be a passage."""
_HEREDOCS = (".sh", ".bash", ".zsh", ".rb", ".php", ".pl", ".pm", ".tf")
_HEREDOC = re.compile(r"<<[-~]?([\"']?)([A-Z_]\w*)\1")
_PROBE = "wattsonprobe"
"""A word put after a text: if a lexer takes it for part of a string or comment, that has not ended."""
_QUOTES = ('"""', "'''", "`")
_LONGEST = 100_000
"""Most characters of a program that are given to a lexer, which reads about a million a second."""


def is_quoted(edit: Edit, draft: Draft, edited: Collection[str]) -> bool:
    """Say whether a whole-file text is a passage that is only shown, since the same reply edits the file.

    Raises Refusal if the reply edits the file and the text is not a passage of it.
    """
    if not draft.exists or draft.touched or not draft.lines:
        return False
    if draft.path not in edited:
        return False
    text = [line.rstrip() for line in cut(edit.after)]
    if _stands(text, draft) and _told(text) < _told(draft.index.lines):
        return True
    words = f"{draft.path}: the reply gives a text of the whole file (line {edit.reply_line} of the reply) and edits it as well: which is meant cannot be told."
    raise Refusal("conflict", words)


def check(edit: Edit, draft: Draft) -> None:
    """Raise Refusal if a whole-file text seems to be a passage of the existing file, changed or not."""
    text = [line.rstrip() for line in cut(edit.after)]
    there = _told(draft.index.lines)
    quoted = _told(text) * (1 if there <= _SHORT else 2) < there and _stands(text, draft)
    loose = edit.asked or edit.may_be_new  # below a heading stands some of the file as often as all of it
    if quoted or _seems_piece(text, draft.index.lines, loose=loose):
        words = f"{draft.path}: the text at line {edit.reply_line} of the reply seems to be a passage of the file, and all else would go."
        raise Refusal("elided", words)


def is_all(edit: Edit, draft: Draft) -> bool:
    """Say whether a text looks like the whole file: it begins like the file, and ends like it or is no shorter."""
    text = [line.rstrip() for line in cut(edit.after) if line.strip()]
    there = [line.rstrip() for line in draft.index.lines if line.strip()]
    same = bool(text and there) and not draft.touched and text[0] == there[0]
    return same and (text[-1] == there[-1] or len(text) >= len(there))


def stands(edit: Edit, draft: Draft) -> bool:
    """Say whether the text of an edit occurs in a file as it is."""
    return _stands([line.rstrip() for line in cut(edit.after)], draft)


def _stands(text: Sequence[str], draft: Draft) -> bool:
    return any(text) and bool(draft.index.places(text, "trailing blanks", str.rstrip))


def _seems_piece(text: Sequence[str], lines: Sequence[str], *, loose: bool) -> bool:
    """Say whether a text begins elsewhere than the file and is far shorter, or lacks the file's first third.

    A small file may be rewritten. `loose` says that the words above do not promise all of it: then being shorter is
    enough.
    """
    there = _told(lines)
    old = [line.rstrip() for line in lines]
    first = next(filter(_WORDS.search, text), "")
    if not first or first == next(filter(_WORDS.search, old), ""):
        return False
    if _told(text) * (1 if loose or there <= _SHORT else 2) < there:
        return True
    if there <= _SMALL and not loose:
        return False
    runs = changes(old, text)
    if not runs or runs[0][0]:
        return False
    _, gone, _, come = runs[0]
    lost = _told(old[:gone])
    return lost >= _LOST and lost * 3 > there and _told(text[:come]) * 3 <= lost


def _told(lines: Sequence[str]) -> int:
    return sum(bool(line.strip()) for line in lines)


def is_open(path: str, lines: Sequence[str]) -> bool:
    """Say whether a program up to here is inside a string or comment of several lines: then a fence is part of it."""
    text = "\n".join(lines)
    if path.lower().endswith(_HEREDOCS):
        for match in _HEREDOC.finditer(text):
            if not any(line.strip().rstrip(";,)") == match[2] for line in text[match.end() :].split("\n")[1:]):
                return True
    ends = [quotes for quotes in _QUOTES if text.count(quotes) % 2] + ["*/"] * (text.rfind("/*") > text.rfind("*/"))
    if not ends or len(text) > _LONGEST:
        return False
    from pygments.lexers import get_lexer_for_filename
    from pygments.token import Comment, String, is_token_subtype
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_for_filename(path)
    except ClassNotFound:
        return False
    for end in ("", *ends):  # a lexer may recognise an open string only once it is closed
        found = (kind for kind, words in lexer.get_tokens(f"{text}\n{_PROBE}\n{end}\n") if _PROBE in words)
        if any(is_token_subtype(kind, each) for kind in found for each in (String, Comment)):
            return True
    return False


def opens_string(line: str) -> bool:
    """Say whether a line of code ends by opening a string: its last quotes open and do not close."""
    end = line.rstrip().removesuffix("\\").rstrip()
    return any(end.endswith(quotes) and end.count(quotes) % 2 for quotes in _QUOTES)
