"""Telling a note that something is left out ("... existing code ...") from code that only looks like one.

Written into a file, such a note deletes what it stands for. Python's `...` body, a spread `...rest`, and a comment that
happens to speak of existing things are not notes.
"""

from __future__ import annotations

import re

_LEAD = r"(?:#+|//+|/\*+|<!--|--+|;+|%+|\{/\*|\(\*)"
_TRAIL = r"(?:\*+/|-->|\*/\}|\*\))?"
_DOTS = r"(?:\.{3,}|\u2026|\[\s*(?:\.{3}|\u2026)\s*\]|\(\s*(?:\.{3}|\u2026)\s*\))"
_WHOLES = r"(?:code|file|function|method|class|contents?|implementation|body|logic|module|script|document|text|page|component)"
_WORDS = re.compile(
    rf"^(?:(?:the\s+|all\s+)?(?:rest|remainder)(?:\s+of(?:\s+(?:the|this|your|that))?(?:\s+\w+)?\s+{_WHOLES})?|"
    rf"(?:the\s+)?(?:existing|previous|remaining|other|unchanged|same|original|omitted)\s+{_WHOLES}|"
    rf"(?:the\s+)?(?:existing|previous|remaining|other|unchanged|same|original)\s+(?:\w+\s+){{1,2}}(?=unchanged|remains?|stays?|omitted|here|as\s+before)|"
    rf"{_WHOLES}\s+(?:unchanged|omitted|as\s+before|stays|remains)|"
    r"(?:unchanged|omitted|snip(?:ped)?|no\s+changes?|same\s+as\s+(?:before|above)|as\s+before))"
    r"(?:\s*(?:is|are|stays?|remains?|goes|here|the|same|unchanged|omitted|for|brevity|as|before|above|below|not|shown|exactly|it|was))*$",
    re.IGNORECASE,
)
_COMMENTED = re.compile(rf"^\s*{_LEAD}\s*(.*?)\s*{_TRAIL}\s*$")
_FRAME = re.compile(rf"^[(\[ ]*{_DOTS}\s*|\s*{_DOTS}[)\] ]*$")
_HINT = re.compile(
    r"\.\.\.|\u2026|rest|remain|existing|previous|other|unchanged|same|original|omitted|snip|no changes?|as before|stays",
    re.IGNORECASE,
)
_BARE = re.compile(rf"^\s*{_DOTS}\s*$")
_TELLING = re.compile(
    r"\b(?:rest|remaining|remainder|existing|unchanged|previous|same|omitted|other|brevity|more|code|snip|truncated|continues?)\b",
    re.IGNORECASE,
)

_STAYS = re.compile(
    r"\b(?:stays?|remains?|unchanged|same|here|omitted|keep|kept|goes|above|below|as\s+(?:is|before|they|it))\b",
    re.IGNORECASE,
)
_TOLD_WHY = re.compile(
    r"\b(?:omitted|unchanged|kept|stays?|remains?)\s+(?:when|whenever|if|unless|until|while|because|since)\b",
    re.IGNORECASE,
)
"""What a program leaves out, and when: of lines that a reply leaves out nobody says so."""
_FEW = 10


def leaves_out(line: str, above: str = "", below: str = "") -> bool:
    """Say whether a line stands for lines that are not given; `above` and `below` are the told lines beside it."""
    if _BARE.match(line):
        return not _is_stub(line, above, below)
    commented = _COMMENTED.match(line)
    if commented:
        return _says_so(commented[1])
    bare = line.strip()
    if bare.startswith(("...", "\u2026")) and re.match(r"^(?:\.{3,}|\u2026)\s+\S", bare):
        return _says_so(bare)
    if bare.startswith(("[", "(")) and bare.endswith(("]", ")")):
        return _says_so(bare[1:-1])
    return False


def seems_to_leave_out(line: str) -> bool:
    """Say whether a line may stand for others; it does where more lines go than come in its place."""
    commented = _COMMENTED.match(line)
    words = (commented[1] if commented else line).strip("-=*~ \t")
    framed = bool(_FRAME.search(words)) or (words.startswith(("[", "(")) and words.endswith(("]", ")")))
    if (not commented and not framed) or _TOLD_WHY.search(words):
        return False
    core = re.sub(r"\s+", " ", re.sub(r"[()\[\],;:.\u2026!-]", " ", words)).strip()
    return len(core.split()) <= _FEW and bool(_TELLING.search(core)) and (framed or bool(_STAYS.search(core)))


def _says_so(words: str) -> bool:
    words = words.strip("-=*~ ")
    core = _FRAME.sub("", words)
    dotted = bool(re.match(_DOTS, words.lstrip("([ ")))
    core = re.sub(r"\s+", " ", re.sub(r"[()\[\],;:.\u2026!-]", " ", core)).strip()
    if not core:
        return dotted
    few = len(core.split()) <= 5 and not re.match(r"(?:and|but|or|so|then|if|when)\b", core, re.IGNORECASE)
    return bool(_WORDS.match(core)) or (dotted and few and bool(_TELLING.search(core)))


def _is_stub(line: str, above: str, below: str) -> bool:
    """Whether three dots are the whole body of what the line above begins (a stub, an overload, a protocol), or doctest."""
    depth = _depth(line)
    if above.lstrip().startswith((">>> ", "... ")) and _depth(above) == depth:
        return True
    if not depth or (below.strip() and _depth(below) >= depth):
        return False
    return (above.rstrip().endswith(":") and _depth(above) < depth) or (
        above.rstrip().endswith(('"""', "'''")) and _depth(above) == depth
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def notes(lines: list[str]) -> list[int]:
    """Return the indices of the lines that stand for others."""
    return [index for index, line in enumerate(lines) if _likely(line) and leaves_out(line, *_beside(lines, index))]


def _likely(line: str) -> bool:
    """Whether a closer look is worth its time."""
    return bool(_HINT.search(line))


def _beside(lines: list[str], index: int) -> tuple[str, str]:
    above = next((line for line in reversed(lines[max(0, index - 3) : index]) if line.strip()), "")
    return above, next((line for line in lines[index + 1 : index + 4] if line.strip()), "")


def stubs(lines: list[str]) -> list[tuple[int, str]]:
    """Return the index of each line of three dots that may be a body, and the header above it."""
    return [(index, _header(lines, index)) for index, line in enumerate(lines) if _likely(line) and _BARE.match(line)]


def _header(lines: list[str], index: int) -> str:
    """Return the line that begins what has its body at `index`: above a docstring, and where its brackets open."""
    at = _told(lines, index)
    quotes = lines[at].rstrip()[-3:] if at >= 0 else ""
    if quotes in {'"""', "'''"}:
        at -= lines[at].strip() == quotes  # the end of a docstring of several lines
        while at >= 0 and not lines[at].lstrip().removeprefix("r").startswith(quotes):
            at -= 1
        at = _told(lines, at)
    if at >= 0 and lines[at].lstrip()[:1] in {")", "]", "}"}:
        depth = _depth(lines[at])
        at = _told(lines, at)
        while at >= 0 and _depth(lines[at]) > depth:
            at = _told(lines, at)
    return lines[at] if at >= 0 else ""


def _told(lines: list[str], index: int) -> int:
    """Return the index of the nearest line above that is not blank, -1 where there is none."""
    return next((at for at in range(index - 1, -1, -1) if lines[at].strip()), -1)
