"""New lines that would do harm if they were written as they stand: notes in place of code, and text mangled on the way.

A reply may have been through a formatter or a web page: quotes made curly, characters escaped for HTML, lines numbered.
Where the lines to find show it, `variants` undoes it; where only new lines show it, writing them would break the file.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from assistant.edits import elision
from assistant.edits.compare import changes
from assistant.edits.edit import Candidate
from assistant.edits.fence import Fence
from assistant.edits.filename import PATCHES
from assistant.edits.passage import opens_string
from assistant.edits.refusal import QUOTE, Refusal
from assistant.edits.seek import lead

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from assistant.edits.draft import Draft
    from assistant.edits.edit import Edit

_TEXTS = (
    ".md", ".mdx", ".markdown", ".rst", ".txt", ".adoc", ".org", ".tex", ".po", ".pot", ".properties", ".strings", ".csv", ".tsv",
)  # fmt: skip
_SAID = re.compile(
    r"^[\[(<*_#/ \t.-]*(?:file )?(?:deleted|removed|unchanged|no changes?(?: needed| required)?|empty(?: file)?|same as (?:before|above)|(?:content|contents) unchanged|as before|paste (?:it |your code )?here|your code here)[\])>*_/ \t.-]*$",
    re.IGNORECASE,
)
_FEW = 6
"""Most lines of a file that an empty text may remove."""
_OUTPUTS = (".stderr", ".stdout", ".out", ".snap", ".log", ".golden", ".supp")
"""Files that hold the output of programs: three dots are part of it."""
_MARKUP = (
    ".html", ".htm", ".xml", ".xhtml", ".svg", ".vue", ".svelte", ".jsx", ".tsx", ".jinja", ".j2", ".tmpl", ".erb", ".hbs", ".ejs",
)  # fmt: skip
_NEVER_TABS = (".py", ".pyi", ".rs", ".toml", ".yaml", ".yml")
"""Files that are indented by spaces alone, because of their grammar or formatter."""
_CURLY = re.compile("[\u2018\u2019\u201c\u201d]")
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
_QUOTES = re.compile("[\"'`]")
_NO_BREAK = re.compile("^[ \t]*[\u00a0\u202f]")
_BENT_VALUE = re.compile("=[\u2018\u2019\u201c\u201d]")
_HALF_BENT = re.compile("[\u201c\u201d]{2}\"|\"[\u201c\u201d]{2}|[\u2018\u2019]{2}'|'[\u2018\u2019]{2}")
"""Three quotes of which two were made curly."""
_PLAIN = re.compile("[\"']")
_MEANT = re.compile("`[^`]*`|\u201e[^\u201c]*\u201c|\u201a[^\u2018]*\u2018")
"""Code in prose, and German quotes, which no formatter makes from plain ones."""
_COMMENT = re.compile(r"^\s*(?:#|//|/?\*|<!--|--|;|%)|[a-z]\u2019[a-z]")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27|#34);")
_DOTS = re.compile(r"\.\.\.|\u2026")
_BLANKS = re.compile(r"^ {2,}\S", re.MULTILINE)
_TABS = re.compile(r"^\t+\S", re.MULTILINE)
_RAW = re.compile(r"[<>]|&(?!\w+;|#)")
_MARKERS = re.compile(
    r"^\s{0,3}(?:(?:<|&lt;){3,40}\s*(?:SEARCH|ORIGINAL)\b.*|(?:>|&gt;){4,40}\s*(?:REPLACE|UPDATED)\b[^\w(]*)$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(r"^={5,9}\s*$")
_RULE = re.compile(r"^\s{0,3}([<>+*#-])\1{3,39}(?: ?\w+)?\s*$")
_SEVERAL, _HARDLY = 3, 20
_LOOKED = 20
"""Most notes and dots of one edit that are each compared with the lines they replace."""
_QUOTED = 120
"""Most lines of a file that are quoted to a model that was not shown them."""
_NUMBERED = re.compile(r"^\s*(\d{1,7})\s?[|:\u2502\u2192\t]")


def check(edit: Edit, draft: Draft, new: list[str], *, whole: bool = False) -> None:
    """Raise Refusal where new lines leave something out or were mangled."""
    old = {line.strip() for line in edit.before.split("\n")}
    at = f"line {edit.reply_line} of the reply"
    printed = draft.path.lower().endswith(_OUTPUTS)
    looked = 0
    for index in elision.notes(new):
        line = new[index].strip()
        if line in old or draft.index.where("stripped", str.strip).get(line):
            continue
        looked += 1
        if looked > _LOOKED:
            break  # so many were the file's own that the others are, too
        if (
            line == "..."
            and printed
            and (not draft.lines or len(_lost(edit, draft, new, index, whole=whole)) < _SEVERAL)
        ):
            continue
        if not draft.lines and not _DOTS.search(line):
            continue  # a new file has nothing to leave out; "// no change" is a comment like another there
        if not _is_example(edit, draft, new, index, whole=whole):
            raise Refusal("elided", f"{draft.path}: the new lines ({at}) leave something out: {QUOTE}.", quote=line)
    for index, header in elision.stubs(new) if not printed else ():
        # Three dots below a header that the file has already stand for the body that is there; so may dots whose header
        # is above the lines to find.
        there = draft.index.where("stripped", str.strip).get(header.strip(), ()) if header.strip() else ()
        hidden = bool(draft.lines) and not header.strip()
        if new[index].strip() not in old and (hidden or (there and not _bodiless(draft, there, new[index].strip()))):
            if (whole and _has_stub(draft, new, header)) or _is_example(edit, draft, new, index, whole=whole):
                continue
            whose = QUOTE if there else "what begins above them"
            raise Refusal("elided", f"{draft.path}: the new lines ({at}) leave out the body of {whose}.", quote=header)
    _swallows(edit, draft, new, whole=whole)
    if whole:
        _said(edit, draft, new)
        _marked(edit, draft, new)
        unbroken(edit, draft, new)
        _mangled(edit, draft, new)
    if not draft.lines and edit.action == "create":
        return
    fresh = [line for line in new if line.strip() not in old]
    told = [line for line in new if line.strip()]
    if _numbered(told) and not _numbered([line for line in edit.before.split("\n") if line.strip()]):
        raise Refusal("malformed", f"{draft.path}: every new line ({at}) begins with a line number.")
    name = draft.path.lower()
    if whole:
        return
    as_it_was = {line.rstrip() for line in edit.before.split("\n")}
    indented = [line for line in new if line.rstrip() not in as_it_was]  # those that only move count as well
    if not name.endswith(_TEXTS) and _foreign(edit, draft, indented):
        raise Refusal(
            "malformed",
            f"{draft.path}: the new lines ({at}) are indented by other blanks than such files, or this one, are.",
        )
    if name.endswith(_MARKUP):
        if any(_BENT_VALUE.search(line) for line in fresh) and not _BENT_VALUE.search(edit.before):
            raise Refusal("malformed", f"{draft.path}: the new lines ({at}) have curly quotes around a value.")
        return
    if _bent(edit, draft, fresh, prose=name.endswith(_TEXTS)):
        raise Refusal(
            "malformed", f"{draft.path}: the new lines ({at}) have curly quotes where the file has plain ones."
        )
    if _escaped(edit, draft, fresh):
        raise Refusal("malformed", f"{draft.path}: the new lines ({at}) are escaped as for a web page (&lt; for <).")


def unseen(draft: Draft, new: Sequence[str], shown: Collection[str]) -> None:
    """Raise Refusal if a file's new text removes lines that the model was not shown, and so cannot mean to remove."""
    kept = {line.strip() for line in new}
    lines = [line.strip() for line in draft.lines]
    lost = [at for at, line in enumerate(lines, 1) if line not in kept and line not in shown and re.search(r"\w", line)]
    if lost:
        first, last = (1, len(lines)) if len(lines) <= _QUOTED else (lost[0], min(lost[-1], lost[0] + _QUOTED))
        text = "".join(f"{line.rstrip()}\n" for line in draft.lines[first - 1 : last])
        raise Refusal(
            "unseen",
            f"The new text of {draft.path} would remove {len(lost)} lines that the model was not shown; the first is line {lost[0]}: {QUOTE}.",
            (Candidate(draft.path, first, last, text, 1.0),),
            quote=lines[lost[0] - 1],
        )


def _swallows(edit: Edit, draft: Draft, new: list[str], *, whole: bool) -> None:
    """Raise Refusal if a comment that speaks of other lines replaces several lines and hardly any are added."""
    fresh = [at for at, line in enumerate(new) if elision.seems_to_leave_out(line)]
    if not fresh or not draft.lines:
        return
    old = draft.index.lines if whole else edit.before.split("\n")
    have, come = (Counter(line.strip() for line in lines) for lines in (old, new))
    fresh = [at for at in fresh if come[new[at].strip()] > have[new[at].strip()]]  # others only move
    for a, b, c, d in changes([line.rstrip() for line in old], [line.rstrip() for line in new]):
        remark = next((at for at in fresh if c <= at < d), -1)
        if remark < 0:
            continue
        lost = sum(bool(line.strip()) for line in old[a:b]) - sum(bool(line.strip()) for line in new[c:d])
        if lost >= _SEVERAL:
            line = f"line {edit.after_lines[remark]}" if remark < len(edit.after_lines) else f"line {edit.reply_line}"
            raise Refusal(
                "elided",
                f"{draft.path}: {QUOTE} ({line} of the reply) stands where {lost} lines would go: it seems to leave them out.",
                quote=new[remark],
            )


def _marked(edit: Edit, draft: Draft, new: Sequence[str]) -> None:
    """Raise Refusal if a whole-file text is half an edit in another notation."""
    if draft.path.lower().endswith((*_TEXTS, *PATCHES)) or edit.format in {"apply_patch", "unified_diff"}:
        return  # in these notations each new line has its sign
    told = [line for line in new if line.strip()]
    first = told[0] if told else ""
    halves = bool(told) and _RULE.match(first) and _RULE.match(told[-1]) and any(map(_DIVIDER.match, told))
    there = draft.index.where("stripped", str.strip)
    code = takewhile(lambda line: not opens_string(line), new)  # strings of a program may hold such markers
    mark = next((line for line in code if _MARKERS.match(line) and not there.get(line.strip())), "")
    if mark or _DIVIDER.match(first) or halves:
        words = f"{draft.path}: the new text (line {edit.reply_line} of the reply) has {QUOTE} in it: it is a piece of an edit and not a file."
        raise Refusal("malformed", words, quote=mark or first)


def _has_stub(draft: Draft, new: list[str], header: str) -> bool:
    """Say whether the file has dots below this header at least as often as the new lines have."""
    there, here = (
        sum(each.strip() == header.strip() for _, each in elision.stubs(lines)) for lines in (draft.lines, new)
    )
    return here <= there


def _is_example(edit: Edit, draft: Draft, new: list[str], index: int, *, whole: bool) -> bool:
    """Say whether dots in a page of prose stand in a code block and replace no line, or replace a line with dots."""
    if not draft.path.lower().endswith(_TEXTS):
        return False
    fences = [fence for line in new[:index] if (fence := Fence.of(line, tags=False))]
    opened = bool(fences) and (len(fences) % 2 == 1 or bool(fences[-1].info))  # only one that opens has a word
    lost = _lost(edit, draft, new, index, whole=whole)
    return (opened and not lost) or any(map(_DOTS.search, lost))


def _lost(edit: Edit, draft: Draft, new: list[str], index: int, *, whole: bool) -> list[str]:
    """Return the lines that are removed where a new line is added."""
    old = draft.index.lines if whole else edit.before.split("\n")
    come = [line.rstrip() for line in new]
    return [
        line
        for a, b, c, d in changes([line.rstrip() for line in old], come)
        if c <= index < d
        for line in old[a:b]
        if line.strip() and line.strip() not in {each.strip() for each in come[c:d]}
    ]


def _bodiless(draft: Draft, headers: Sequence[int], dots: str) -> bool:
    """Say whether the file itself has only these dots below one of the headers: an overload, a protocol."""
    have = draft.index.read("stripped", str.strip)
    return any(next(filter(None, have[at + 1 : at + 4]), "") == dots for at in headers)


def _bent(edit: Edit, draft: Draft, fresh: list[str], *, prose: bool) -> bool:
    """Say whether new lines have curly quotes for plain ones; never if the file or the lines to find have some.

    In comments and prose they may be meant, unless no quote of the whole edit is plain: then all were made curly on the
    way.
    """
    lines = fresh
    if _PLAIN.search(edit.before + edit.after):
        lines = [line for line in fresh if not prose and not _COMMENT.search(line)]
    elif prose and not draft.index.holds(_PLAIN):
        return False
    bent = any(_CURLY.search(line) and not _QUOTES.search(line) for line in (_MEANT.sub("", line) for line in lines))
    bent |= any(map(_HALF_BENT.search, fresh))
    return bent and not _CURLY.search(edit.before) and not draft.index.holds(_CURLY)


def unbroken(edit: Edit, draft: Draft, new: Sequence[str]) -> None:
    """Raise Refusal if lines would begin with no-break spaces, as on a web page, and no line of the file does."""
    if any(map(_NO_BREAK.match, new)) and not draft.index.holds(_NO_BREAK):
        raise Refusal(
            "malformed",
            f"{draft.path}: the new lines (line {edit.reply_line} of the reply) begin with no-break spaces (U+00A0).",
        )


def _mangled(edit: Edit, draft: Draft, new: Sequence[str]) -> None:
    """Raise Refusal if lines of the file return with curly quotes, escaped for HTML, or with spaces for their tabs."""
    there = draft.index.where("trailing blanks", str.rstrip)
    fresh = [line.rstrip() for line in new if line.rstrip() not in there]
    how = ""
    if any(unescape(line) in there for line in fresh if _ENTITY.search(line)):
        how = "escaped as for a web page (&lt; for <)"
    elif not draft.path.lower().endswith(_TEXTS) and any(
        line.translate(_STRAIGHT) in there for line in fresh if _CURLY.search(line)
    ):
        how = "with curly quotes where the file has plain ones"
    elif not any(line.startswith("\t") for line in new):
        stripped = draft.index.where("stripped", str.strip)
        lost = sum(
            draft.lines[stripped[line.strip()][0]].startswith("\t")
            for line in fresh
            if line.startswith("  ") and line.strip() in stripped
        )
        how = (
            "indented with blanks where the file has tabs"
            if lost >= (1 if draft.path.endswith("Makefile") else _SEVERAL)
            else ""
        )
    if how:
        words = f"{draft.path}: the text at line {edit.reply_line} of the reply gives lines of the file {how}."
        raise Refusal("malformed", words)


def _said(edit: Edit, draft: Draft, new: Sequence[str]) -> None:
    """Raise Refusal if a whole-file text is empty, or only says what becomes of the file."""
    told = [line for line in new if line.strip()]
    there = sum(bool(line.strip()) for line in draft.lines)
    if (len(told) == 1 and _SAID.match(told[0])) or (not told and there > _FEW):
        words = f"{draft.path}: the text at line {edit.reply_line} of the reply is no text of a file, and all that the file has would go."
        raise Refusal("elided", words)


def _foreign(edit: Edit, draft: Draft, fresh: list[str]) -> bool:
    """Say whether new lines bring spaces into a file indented with tabs, or tabs into one indented with spaces.

    Such a reply may have lost the file's indentation on its way; it has not if a line to find is indented like the
    file.
    """
    before = [line for line in edit.before.split("\n") if line.strip()]
    if any(line.startswith(("    ", "\t")) for line in before):
        return False
    there = draft.index.where("trailing blanks", str.rstrip)
    known = {lead(line) for line in before if line.rstrip() in there}
    fresh = [line for line in fresh if lead(line) not in known]
    if not any(line[:2] == "  " or line[:1] == "\t" for line in fresh):
        return False
    blanks, tabs = draft.index.indents
    if not tabs and draft.path.lower().endswith(_NEVER_TABS) and any(line.startswith("\t") for line in fresh):
        return True
    if tabs >= max(_SEVERAL, _HARDLY * blanks):
        return any(line.startswith("  ") and line.strip() for line in fresh)
    return blanks >= max(_SEVERAL, _HARDLY * tabs) and any(line.startswith("\t") and line.strip() for line in fresh)


def _escaped(edit: Edit, draft: Draft, fresh: list[str]) -> bool:
    """Say whether new lines are escaped for HTML; never if the edit or the file shows that this is meant."""
    if not any(_ENTITY.search(line) for line in fresh) or _RAW.search(edit.before + edit.after):
        return False
    return not _ENTITY.search(edit.before) and not draft.index.holds(_ENTITY)


def _numbered(lines: list[str]) -> bool:
    """Say whether each line begins with a number, and the numbers rise."""
    if len(lines) < 2:
        return False
    found = [_NUMBERED.match(line) for line in lines]
    numbers = [int(each[1]) for each in found if each]
    return len(numbers) == len(lines) and all(b > a for a, b in pairwise(numbers))


def tainted(placed: list[tuple[Edit, str]]) -> list[tuple[Edit, str]]:
    """Return edits that share the mangling of others in the reply but do not show it in their own search, and how.

    `placed` are edits and the rungs that placed them: if one was escaped or had its quotes made curly, all were.
    """
    found = []
    for rung, signs, words in (
        ("HTML escapes", _ENTITY, "escaped as for a web page"),
        ("typography", _CURLY, "with curly quotes"),
    ):
        if any(each == rung and signs.search(edit.before) for edit, each in placed):
            found += [(edit, words) for edit, each in placed if each != rung and signs.search(edit.after)]
    for signs in (_BLANKS, _TABS):
        bent = {edit.path for edit, each in placed if each == "tabs and blanks" and signs.search(edit.before)}
        found += [
            (edit, "indented otherwise than the file")
            for edit, each in placed
            if edit.path in bent
            and (each == "blanks in context" or (each == "exact" and not signs.search(edit.before)))
            and signs.search("\n".join(set(edit.after.split("\n")) - set(edit.before.split("\n"))))
        ]
    return found
