"""Whether the text that a reply gives of a file is all of it, or a passage: written as all of it, a passage loses the rest."""

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
"""Lines up to which a file may be written anew by a text that has nothing of it and is no shorter."""
_SHORT = 12
"""Lines up to which a shorter text that is a passage of a file, or begins elsewhere, is not all of it, however long it is."""
_WORDS = re.compile(r"\w")
_LOST = 3
"""Lines at the beginning of a file that must be missing for the rest to be a passage."""
_HEREDOCS = (".sh", ".bash", ".zsh", ".rb", ".php", ".pl", ".pm", ".tf")
_HEREDOC = re.compile(r"<<[-~]?([\"']?)([A-Z_]\w*)\1")
_PROBE = "wattsonprobe"
"""A word behind a text: in what a lexer takes it for, the text has ended."""
_QUOTES = ('"""', "'''", "`")
_LONGEST = 100_000
"""Characters up to which a program is looked at so closely: a lexer reads about a million a second."""


def is_quoted(edit: Edit, draft: Draft, edited: Collection[str]) -> bool:
    """Whether the text of a whole file is a passage of the file that is only shown: the same reply edits the file.

    Raises Refusal where it edits the file and the text is no passage of it.
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
    """Raise Refusal where the text of a whole file seems to be a passage of the file that is there, changed or not."""
    text = [line.rstrip() for line in cut(edit.after)]
    there = _told(draft.index.lines)
    quoted = _told(text) * (1 if there <= _SHORT else 2) < there and _stands(text, draft)
    if quoted or _seems_piece(text, draft.index.lines, asked=edit.wish):
        words = f"{draft.path}: the text at line {edit.reply_line} of the reply seems to be a passage of the file, and all else would go."
        raise Refusal("elided", words)


def is_all(edit: Edit, draft: Draft) -> bool:
    """Whether a text is all of a file by its looks: it begins like the file, and ends like it or is no shorter."""
    text = [line.rstrip() for line in cut(edit.after) if line.strip()]
    there = [line.rstrip() for line in draft.index.lines if line.strip()]
    same = bool(text and there) and not draft.touched and text[0] == there[0]
    return same and (text[-1] == there[-1] or len(text) >= len(there))


def stands(edit: Edit, draft: Draft) -> bool:
    """Whether the text of an edit stands in a file as it is."""
    return _stands([line.rstrip() for line in cut(edit.after)], draft)


def _stands(text: Sequence[str], draft: Draft) -> bool:
    return any(text) and bool(draft.index.places(text, "trailing blanks", str.rstrip))


def _seems_piece(text: Sequence[str], lines: Sequence[str], *, asked: bool) -> bool:
    """Whether a text begins elsewhere than the file and is far shorter, or does without the file's first third.

    A small file may be written anew. `asked` says that the words above ask for a change: then to be shorter is enough.
    """
    there = _told(lines)
    old = [line.rstrip() for line in lines]
    first = next(filter(_WORDS.search, text), "")
    if not first or first == next(filter(_WORDS.search, old), ""):
        return False
    if _told(text) * (1 if asked or there <= _SHORT else 2) < there:
        return True
    if there <= _SMALL and not asked:
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
    """Whether a program that has got so far stands in a literal or a remark of several lines: a fence there is its text."""
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
    for end in ("", *ends):  # a lexer may know what is open only when it is closed
        found = (kind for kind, words in lexer.get_tokens(f"{text}\n{_PROBE}\n{end}\n") if _PROBE in words)
        if any(is_token_subtype(kind, each) for kind in found for each in (String, Comment)):
            return True
    return False


def opens_string(line: str) -> bool:
    """Whether the text of a string begins behind a line of code: its last quotes open and do not close."""
    end = line.rstrip().removesuffix("\\").rstrip()
    return any(end.endswith(quotes) and end.count(quotes) % 2 for quotes in _QUOTES)
