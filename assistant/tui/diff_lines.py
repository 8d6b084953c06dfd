"""Lines of a hunk made ready for the eye: what differs inside a line, which lines face each other, what is invisible.

Pure functions over `Hunk` and `Line`; nothing here knows a screen. Spans are half-open ranges of characters of the raw
line; `reveal` maps them to the text that is drawn.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.edits.compare import changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assistant.edits.patch import Hunk, Line

Span = tuple[int, int]
Pair = tuple[int | None, int | None]
"""Indexes into `hunk.lines` of what stands left and right; None where that side has nothing."""

TAB = 4
LONGEST = 4_000
"""Characters of one line that are drawn; what is longer says how much it leaves out."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.35
_WORDS_COMPARED = 400
_MARKS_IN_A_ROW = 4
_PICTURES = 0x2400
_HIDDEN = {0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x180E, 0x3164, 0xFEFF, 0xFFA0}


@dataclass(frozen=True, slots=True)
class Revealed:
    """A line as it is drawn. `starts` maps each raw index to a drawn one, None where they are the same.

    `odd` are the ranges of drawn text that stand for something invisible; `cut` counts raw characters left out.
    """

    text: str
    starts: tuple[int, ...] | None = None
    odd: tuple[Span, ...] = ()
    cut: int = 0

    def place(self, index: int) -> int:
        """Return where the raw character `index` is drawn."""
        if self.starts is None:
            return min(index, len(self.text))
        return self.starts[min(index, len(self.starts) - 1)]


def invisible(character: str) -> bool:
    """Say whether a character hides, turns the direction of text, or steers a terminal."""
    code = ord(character)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return character != "\t"
    return (
        code in _HIDDEN
        or 0x200B <= code <= 0x200F
        or 0x2028 <= code <= 0x202E
        or 0x2060 <= code <= 0x206F
        or 0xD800 <= code <= 0xDFFF
        or 0xFFF9 <= code <= 0xFFFB
        or 0xE0000 <= code <= 0xE0FFF
    )


def plain(text: str) -> str:
    """Return one line of foreign text that is safe to draw."""
    return reveal(text).text


def reveal(line: str) -> Revealed:
    """Draw one line: tabs expanded, control and invisible characters shown, endless lines cut."""
    cut = max(0, len(line) - LONGEST)
    if cut:
        line = line[:LONGEST]
    if line.isascii() and line.isprintable():
        return Revealed(line, cut=cut)
    if line.isprintable() and not any(map(unicodedata.combining, line)):
        # str.isprintable is False for every control, format, surrogate and private character.
        return Revealed(line, cut=cut)
    drawn: list[str] = []
    starts: list[int] = []
    odd: list[Span] = []
    column = at = marks = 0
    for character in line:
        starts.append(at)
        piece = character
        if character == "\t":
            piece = " " * (TAB - column % TAB)
        elif invisible(character):
            piece = _name(character)
        elif unicodedata.combining(character):
            marks += 1
            piece = character if marks <= _MARKS_IN_A_ROW else ""
        if not unicodedata.combining(character):
            marks = 0
        if piece and character not in {piece, "\t"}:
            odd.append((at, at + len(piece)))
        drawn.append(piece)
        at += len(piece)
        column += len(piece) if piece.isascii() else _width(piece)
    starts.append(at)
    return Revealed("".join(drawn), tuple(starts), tuple(odd), cut)


def _name(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return "\u2421"
    return f"<U+{code:04X}>"


def _width(piece: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in piece)


def hides(hunk: Hunk) -> bool:
    """Say whether a changed line of the hunk holds something that a reader cannot see."""
    for line in hunk.lines:
        if line.kind == " " or (line.text.isascii() and line.text.isprintable()):
            continue
        if any(invisible(character) for character in line.text[:LONGEST]):
            return True
    return False


def runs(lines: Sequence[Line]) -> Iterator[tuple[range, range]]:
    """Yield each run of changed lines as the indexes that go and the indexes that come."""
    at, end = 0, len(lines)
    while at < end:
        if lines[at].kind == " ":
            at += 1
            continue
        first = at
        while at < end and lines[at].kind == "-":
            at += 1
        middle = at
        while at < end and lines[at].kind == "+":
            at += 1
        yield range(first, middle), range(middle, at)


def facing(lines: Sequence[Line]) -> tuple[Pair, ...]:
    """Return the lines as rows of a side-by-side view."""
    rows: list[Pair] = []
    at = 0
    for gone, come in runs(lines):
        rows += [(index, index) for index in range(at, gone.start)]
        for offset in range(max(len(gone), len(come))):
            rows.append(
                (
                    gone.start + offset if offset < len(gone) else None,
                    come.start + offset if offset < len(come) else None,
                )
            )
        at = come.stop
    rows += [(index, index) for index in range(at, len(lines))]
    return tuple(rows)


def emphasis(lines: Sequence[Line], within: tuple[range, range]) -> dict[int, tuple[Span, ...]]:
    """Return what differs inside the lines of one run, for those that have a counterpart like them."""
    gone, come = within
    even = len(gone) == len(come)
    partners = list(zip(gone, come, strict=True)) if even else _partners(lines, gone, come)
    found: dict[int, tuple[Span, ...]] = {}
    for old, new in partners:
        spans = differing(lines[old].text, lines[new].text)
        if spans is not None:
            found[old], found[new] = spans
    return found


def _partners(lines: Sequence[Line], gone: range, come: range) -> list[tuple[int, int]]:
    """Pair lines of a run whose sides differ in number: the likest first, never crossing."""
    if len(gone) * len(come) > 100:
        return []
    bags = {index: set(_WORDS.findall(lines[index].text[:LONGEST])) - {" "} for index in (*gone, *come)}
    scored = sorted(
        (
            (-len(bags[old] & bags[new]) / max(1, len(bags[old] | bags[new])), old, new)
            for old in gone
            for new in come
            if bags[old] & bags[new]
        ),
    )
    taken: list[tuple[int, int]] = []
    for score, old, new in scored:
        if -score < _ALIKE:
            break
        if all((old < a and new < b) or (old > a and new > b) for a, b in taken):
            taken.append((old, new))
    return sorted(taken)


def differing(old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]] | None:
    """Return the ranges that differ between two lines; None when they have too little in common to be compared."""
    if max(len(old), len(new)) > LONGEST:
        return None
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    if not left or not right or max(len(left), len(right)) > _WORDS_COMPARED:
        return None
    ranges = changes(left, right)
    gone = sum(len("".join(left[a:b]).strip()) for a, b, _, _ in ranges)
    come = sum(len("".join(right[c:d]).strip()) for _, _, c, d in ranges)
    size = len(old.strip()) + len(new.strip())
    if size and 1 - (gone + come) / size < _ALIKE:
        return None
    return _spans(left, [(a, b) for a, b, _, _ in ranges]), _spans(right, [(c, d) for _, _, c, d in ranges])


def _spans(words: list[str], ranges: list[Span]) -> tuple[Span, ...]:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return tuple((starts[a], starts[b]) for a, b in ranges if a != b)


@dataclass(frozen=True, slots=True)
class Size:
    """How many lines a hunk shows, how many come and how many go."""

    lines: int
    added: int
    removed: int


def size(hunk: Hunk) -> Size:
    """Measure a hunk; without drawing up its lines where nothing inside it stays the same."""
    if set(hunk.old).isdisjoint(hunk.new):
        added, removed = len(hunk.new), len(hunk.old)
        return Size(len(hunk.above) + added + removed + len(hunk.below), added, removed)
    return Size(len(hunk.lines), hunk.added, hunk.removed)


def line_ends(hunk: Hunk) -> dict[int, str]:
    """Return the line ends that must be shown, by index into `hunk.lines`: where they change, or where one is missing."""
    before, after = (*hunk.above, *hunk.old, *hunk.below), (*hunk.above, *hunk.new, *hunk.below)
    windows = [line.endswith((b"\r\n", b"\r\0\n\0")) for line in (*hunk.old, *hunk.new)]
    mixed = any(windows) and not all(windows)
    found: dict[int, str] = {}
    i = j = 0
    for index, line in enumerate(hunk.lines):
        raw = after[j] if line.kind == "+" else before[i]
        i += line.kind != "+"
        j += line.kind != "-"
        if line.kind == " ":
            continue
        if not line.ended:
            found[index] = "no line end"
        elif mixed:
            found[index] = "CRLF" if raw.endswith((b"\r\n", b"\r\0\n\0")) else "LF"
    return found
