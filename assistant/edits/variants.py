"""What a model does to lines between the file and its reply, and how the search undoes each of these.

Indentation shifted, tabs for spaces, typographic characters, HTML escapes, line numbers, a part left out, other spaces
in context, two letters swapped. Each variant also says what becomes of the new lines; where that would be a guess, it
finds nothing.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from assistant.edits import elision
from assistant.edits.compare import changes
from assistant.edits.seek import Found, Wish, itself, lead, settle, strictly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assistant.edits.seek import Index

_PLAIN = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"',
    "\u00ab": '"', "\u00bb": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-",
    "\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u3000": " ",
}  # fmt: skip
_TYPOGRAPHY = str.maketrans({**_PLAIN, "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None, "\u2026": "..."})
_WIDTHS = (4, 2, 8, 3)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27|#34|nbsp);")
_NUMBERED = re.compile(r"^\s*(\d{1,7}) ?([|:\u2502\u2192\t]|\)(?= )|\.(?= ))(.*)$")
_NEAR_LENGTH = 8


def seek(index: Index, wish: Wish) -> list[Found]:
    """Return all places of the wish on the first rung that has any; one is success, several are ambiguous."""
    if not any(line.strip() for line in wish.old):
        return []
    return strictly(index, wish) or _gently(index, wish)


def _gently(index: Index, wish: Wish) -> list[Found]:
    """Try the variants in order; the first that finds any place decides."""
    for variant in (_edges, _indented, _tabbed, _plain, _unescaped, _unnumbered, _elided, _blanks, _near):
        found = variant(index, wish)
        if found:
            return found + [each for each in _gappy(index, wish) if all(each.start != other.start for other in found)]
    return []


def _gappy(index: Index, wish: Wish) -> list[Found]:
    """Return where the lines stand with blank lines between: no place to write to, but a rival of other places."""
    told = [line.rstrip() for line in wish.old if line.strip()]
    first, _ = _blank_ends(wish.old)
    rows, at_row = index.told
    where = index.where("trailing blanks", str.rstrip)
    have = index.read("trailing blanks", str.rstrip)
    rarest = min(range(len(told)), key=lambda at: len(where.get(told[at], ())))
    found = []
    for at in where.get(told[rarest], ()):
        row = at_row[at] - rarest
        if row >= 0 and [have[each] for each in rows[row : row + len(told)]] == told:
            found.append(Found(rows[row] - first, tuple(wish.old), tuple(wish.new), tuple(wish.source), "gappy"))
    return found


def _edges(index: Index, wish: Wish) -> list[Found]:
    """Leave out blank lines at the ends of the lines to find, and as many at the ends of the new lines."""
    first, last = _blank_ends(wish.old)
    for head, tail in ((first, 0), (0, last), (first, last)):
        if not head and not tail:
            continue
        core = _cut(wish, head, tail)
        found = strictly(index, core)
        if not found and any(len(index.where("stripped", str.strip).get(line.strip(), ())) == 1 for line in core.old):
            found = _indented(index, core)  # two tolerances at once: only with a line that is unique in the file
        if found:
            return [replace(each, rung="blank lines at the ends") for each in found]
    return []


def _blank_ends(lines: Sequence[str]) -> tuple[int, int]:
    told = [at for at, line in enumerate(lines) if line.strip()]
    return (told[0], len(lines) - 1 - told[-1]) if told else (0, 0)


def _cut(wish: Wish, head: int, tail: int) -> Wish:
    first, last = _blank_ends(wish.new) if any(line.strip() for line in wish.new) else (0, 0)
    new_head, new_tail = min(head, first), min(tail, last)
    keep = slice(new_head, len(wish.new) - new_tail)
    return Wish(wish.old[head : len(wish.old) - tail], wish.new[keep], wish.source[keep], wish.signed)


def _indented(index: Index, wish: Wish) -> list[Found]:
    """Find places where every line is indented more, or less, by the same whitespace."""
    return list(_shifted(index, wish, index.places(wish.old, "stripped", str.strip), "indentation"))


def _shifted(index: Index, wish: Wish, starts: Sequence[int], rung: str) -> Iterator[Found]:
    for start in starts:
        there = index.lines[start : start + len(wish.old)]
        shift = _shift(there, wish.old)
        if shift is None:
            continue
        if wish.signed and shift == ("", " "):
            continue  # context lost the column of signs, so the indentation of new lines is unknown
        if _mixes(wish, shift):
            continue  # the indentation of new lines needs one tab width throughout: `_tabbed` looks for it
        moved = _moved(wish, there, shift)
        if moved is None:
            continue
        turned = all(shift) and ("\t" in shift[0]) != ("\t" in shift[1])
        yield settle(index, start, moved, "tabs and blanks" if turned else rung)


def _shift(there: Sequence[str], old: Sequence[str]) -> tuple[str, str] | None:
    """Return the whitespace to remove from the old lines and what to put in its place; None if it differs."""
    shift: tuple[str, str] | None = None
    for have, want in zip(there, old, strict=True):
        if not want.strip():
            continue
        mine, theirs = lead(have), lead(want)
        if shift is None:
            same = 0
            while same < min(len(mine), len(theirs)) and mine[-1 - same] == theirs[-1 - same]:
                same += 1
            shift = theirs[: len(theirs) - same], mine[: len(mine) - same]
        if not theirs.startswith(shift[0]) or mine != shift[1] + theirs[len(shift[0]) :]:
            return None
    return shift


def _move(line: str, shift: tuple[str, str]) -> str:
    return shift[1] + line[len(shift[0]) :] if line.strip() else line


def _moved(wish: Wish, there: Sequence[str], shift: tuple[str, str]) -> Wish | None:
    """Shift an edit to the indentation of its place in the file; None if that of the new lines cannot be told.

    They may be right already: then lines that stay have the file's indentation, and none is further left than those
    there.
    """
    less, more = shift
    old = [_move(line, shift) for line in wish.old]
    if shift == ("", ""):
        return wish
    pairs = [(lead(wish.old[at]), lead(there[at]), lead(wish.new[to])) for at, to in _both(wish.old, wish.new)]
    as_searched = any(come == seen for seen, _, come in pairs)
    as_in_file = [come == have for _, have, come in pairs]
    told = [line for line in wish.new if line.strip()]
    shallowest = min(len(lead(line)) for line in there if line.strip())
    deep = bool(told) and all(line.startswith(more) and len(lead(line)) >= shallowest for line in told)
    if deep and pairs and all(as_in_file):
        return Wish(old, wish.new, wish.source)
    if not all(line.startswith(less) for line in told):
        return None
    if deep and (as_in_file[:1] == [True] or (any(as_in_file) and not as_searched)):
        return None
    first = next((line for line in wish.old if line.strip()), "")
    if not pairs and told and deep and lead(told[0]) == more + lead(first)[len(less) :] != lead(first):
        return None
    return Wish(old, [_move(line, shift) for line in wish.new], wish.source)


def _both(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the old and new places of lines that stay, ignoring whitespace around them."""
    bare_old, bare_new = ([line.strip() for line in lines] for lines in (old, new))
    at = to = 0
    for a, b, _, d in [*changes(bare_old, bare_new), (len(old), len(old), len(new), len(new))]:
        yield from ((at + by, to + by) for by in range(a - at) if bare_old[at + by])
        at, to = b, d


def _mixes(wish: Wish, shift: tuple[str, str]) -> bool:
    """Say whether shifted new lines would begin with tabs and spaces, half from the file and half from the reply.

    If a line to find does so too, like the ` * ` of a comment behind a tab, the file itself is like that.
    """
    less, more = shift
    if ("\t" in less) == ("\t" in more):
        return False
    known = {lead(line[len(less) :]) for line in wish.old if line.strip()}
    deeper = {lead(line[len(less) :]) for line in wish.new if line.strip()} - known
    return any((" " if "\t" in more else "\t") in blanks for blanks in deeper)


def _tabbed(index: Index, wish: Wish) -> list[Found]:
    """Find places where the file indents with tabs and the reply with spaces, or the reverse, by one width throughout.

    An edit that changes only whitespace is left out: what it wants of a file with other whitespace cannot be told.
    """
    found: list[Found] = []
    if [line.strip() for line in wish.old] == [line.strip() for line in wish.new]:
        return found
    for start in index.places(wish.old, "stripped", str.strip):
        there = index.lines[start : start + len(wish.old)]
        pairs = [(lead(have), lead(want)) for have, want in zip(there, wish.old, strict=True) if want.strip()]
        widths = [width for width in _WIDTHS if all(a.expandtabs(width) == b.expandtabs(width) for a, b in pairs)]
        told = {width for width in widths if any("\t" in a + b for a, b in pairs)}
        if len(told) != 1:
            continue
        width = told.pop()
        tabs = any("\t" in mine for mine, _ in pairs)
        if tabs and any(len(mine) >= width and "\t" not in mine for mine, _ in pairs):
            continue  # the file has both, and which one a new line wants cannot be told
        new = [_retab(line, width, tabs=tabs) for line in wish.new]
        known = dict(zip(wish.old, there, strict=True))
        fixed = [known.get(line, mended) for line, mended in zip(wish.new, new, strict=True)]
        if any(line is None for line in fixed):
            continue
        mended = Wish([known[line] for line in wish.old], [line or "" for line in fixed], wish.source)
        found.append(Found(start, tuple(mended.old), tuple(mended.new), tuple(mended.source), "tabs and blanks"))
    return found


def _retab(line: str, width: int, *, tabs: bool) -> str | None:
    """Indent a line as the file does; None if that cannot be told."""
    blanks = lead(line).expandtabs(width)
    core = line[len(lead(line)) :]
    if not tabs:
        return blanks + core
    if len(blanks) % width or " " * width in core:
        return None
    return "\t" * (len(blanks) // width) + core


def _simple(line: str) -> str:
    return (line if line.isascii() else line.translate(_TYPOGRAPHY)).strip()


def _plain(index: Index, wish: Wish) -> list[Found]:
    """Find places with curly quotes, long dashes or odd spaces: the reply's become plain, the file's are kept."""
    found: list[Found] = []
    if index.ascii and all(line.isascii() for line in wish.old):
        return found
    for start in index.places(wish.old, "plain", _simple):
        there = index.lines[start : start + len(wish.old)]
        pairs = [(have.strip(), want.strip()) for have, want in zip(there, wish.old, strict=True)]
        if all(have == want for have, want in pairs):
            continue
        runs = changes([_simple(line) for line in wish.old], [_simple(line) for line in wish.new])
        fresh = [wish.new[at] for _, _, c, d in runs for at in range(c, d)]
        table = _made(pairs, fresh)
        if table is None:
            continue  # whether the new line wants the file's sign or the reply's cannot be told
        old, made = ([line.translate(table) for line in lines] for lines in (wish.old, wish.new))
        base = Wish(old, made, wish.source)
        shift = _shift([_lead_of(have, want) for have, want in zip(there, old, strict=True)], old)
        moved = _moved(base, there, shift) if shift is not None else None
        if moved is None:
            continue
        found.append(settle(index, start, moved, "typography"))
    return found


def _made(pairs: Sequence[tuple[str, str]], fresh: Sequence[str]) -> dict[int, str | None] | None:
    """Return a table that makes the reply's typographic characters plain again; None if it cannot settle the new lines.

    `pairs` are lines of the file and of the reply. Characters that stand in both stay. The result is None if a new line
    has a character that is typographic in the file and plain in the reply, or one that is the file's in some places and
    the reply's in others; also if a new line has a kind of character (a long dash) and the reply is only known to
    change other kinds (quotes).
    """
    signs = {sign for pair in pairs for line in pair for sign in line if ord(sign) in _TYPOGRAPHY}
    lost = {sign for sign in signs if any(have.count(sign) > want.count(sign) for have, want in pairs)}
    made = {sign for sign in signs if any(have.count(sign) < want.count(sign) for have, want in pairs)}
    mixed = {sign for sign in made if any(sign in have for have, _ in pairs)}
    if any(sign in line for line in fresh for sign in mixed | {_PLAIN[each] for each in lost if each in _PLAIN}):
        return None
    kinds = {_kind(sign) for sign in made}
    unseen = {sign for line in fresh for sign in line if ord(sign) in _TYPOGRAPHY} - signs
    if made and any(_kind(sign) not in kinds for sign in unseen):
        return None
    kept = signs - made
    return {code: plain for code, plain in _TYPOGRAPHY.items() if made and chr(code) not in kept}


def _kind(sign: str) -> str:
    plain = _PLAIN.get(sign, sign)
    return "quotes" if plain in "'\"" else plain


def _lead_of(have: str, want: str) -> str:
    return lead(have) + want.lstrip() if want.strip() else have


def _unescaped(index: Index, wish: Wish) -> list[Found]:
    """Undo HTML escapes, if nothing in the reply is left unescaped."""
    both = [*wish.old, *wish.new]
    if not any(_ENTITY.search(line) for line in wish.old) or any(sign in line for line in both for sign in "<>"):
        return []
    plain = Wish([html.unescape(line) for line in wish.old], [html.unescape(line) for line in wish.new], wish.source)
    return [replace(each, rung="HTML escapes") for each in strictly(index, plain) or _indented(index, plain)]


def _unnumbered(index: Index, wish: Wish) -> list[Found]:
    """Remove line numbers from the lines to find: they must rise by one, and be those of the place."""
    numbered = [_NUMBERED.match(line) for line in wish.old]
    numbers = [int(match[1]) for match in numbered if match]
    if len(numbers) != len(wish.old) or any(b - a != 1 for a, b in pairwise(numbers)):
        return []
    told = [_NUMBERED.match(line) for line in wish.new]
    if any(told) and not all(match or not line.strip() for match, line in zip(told, wish.new, strict=True)):
        return []
    if len({match[2] for match in (*numbered, *told) if match}) > 1:
        return []  # the sign after the number varies, so it belongs to the text
    old = [match[3] for match in numbered if match]
    new = [match[3] if match else line for match, line in zip(told, wish.new, strict=True)]
    for gap in ("", " "):
        if all(line.startswith(gap) or not line.strip() for line in (*old, *(new if any(told) else ()))):
            fresh = [line.removeprefix(gap) for line in new] if any(told) else new
            plain = Wish([line.removeprefix(gap) for line in old], fresh, wish.source)
            found = [each for each in strictly(index, plain) if each.start + 1 == numbers[0]]
            if found:
                return [replace(each, rung="line numbers") for each in found]
    return []


def _elided(index: Index, wish: Wish) -> list[Found]:
    """Place an edit that leaves out parts alike on both sides: each piece must occur once, in order; the gaps stay."""
    gaps, fresh = elision.notes(wish.old), elision.notes(wish.new)
    if not gaps or len(gaps) != len(fresh):
        return []
    olds, news = _pieces(wish.old, gaps), _pieces(wish.new, fresh)
    if any(bool(_told(a)) != bool(_told(b)) and not _told(a) for a, b in zip(olds, news, strict=True)):
        return []  # a piece would be put where nothing was looked for
    old: list[str] = []
    new: list[str] = []
    source: list[int] = []
    start = end = -1
    offset = 0
    for piece, made in zip(olds, news, strict=True):
        if _told(piece):
            found = strictly(index, Wish(piece, made))
            if len(found) != 1 or found[0].start < end:
                return []
            place = found[0]
            start = place.start if start < 0 else start
            between = index.lines[end : place.start] if end >= 0 else []
            old += [*between, *place.old]
            new += [*between, *place.new]
            source += [-1] * len(between) + [offset + at for at in place.source]
            end = place.end
        offset += len(made) + 1
    return [Found(start, tuple(old), tuple(new), tuple(source), "elision")] if start >= 0 else []


def _told(lines: Sequence[str]) -> bool:
    return any(line.strip() for line in lines)


def _pieces(lines: Sequence[str], gaps: Sequence[int]) -> list[list[str]]:
    cuts = [-1, *gaps, len(lines)]
    return [list(lines[a + 1 : b]) for a, b in pairwise(cuts)]


def _squeezed(line: str) -> str:
    return "".join((line if line.isascii() else line.translate(_TYPOGRAPHY)).split())


def _must(wish: Wish) -> set[int] | None:
    """Return the old lines that must match exactly: those that are removed, and one beside each insertion."""
    must: set[int] = set()
    for a, b, _, _ in changes(wish.old, wish.new):
        must |= set(range(a, b))
        if a == b:
            beside = [at for at in (a - 1, a) if 0 <= at < len(wish.old) and wish.old[at].strip()]
            if not beside:
                return None
            must.add(beside[0])
    return must or None


def _blanks(index: Index, wish: Wish) -> list[Found]:
    """Find places where context has other whitespace; removed lines, and those beside new ones, must match exactly."""
    must = _must(wish)
    starts = index.places(wish.old, "squeezed", _squeezed) if must else []
    if len(starts) > 1:
        return [Found(start, tuple(wish.old), tuple(wish.new), tuple(wish.source), "blanks") for start in starts]
    return [
        Found(start, tuple(wish.old), tuple(wish.new), tuple(wish.source), "blanks in context")
        for start in starts
        if all(index.lines[start + at].rstrip() == wish.old[at].rstrip() for at in must or ())
        and not _unlike(index.lines[start : start + len(wish.old)], wish)
    ]


def _unlike(there: Sequence[str], wish: Wish) -> bool:
    """Say whether context shows that the file has other indentation, quotes or dashes, and new lines have such."""
    fresh = [wish.new[at] for _, _, c, d in changes(wish.old, wish.new) for at in range(c, d)]
    pairs = [*zip(there, wish.old, strict=True)]
    elsewhere = any(want.strip() and lead(have) != lead(want) for have, want in pairs)
    return (elsewhere and any(map(lead, fresh))) or _made(pairs, fresh) is None


def _near(index: Index, wish: Wish) -> list[Found]:
    """Find places where context has a slip: two neighbouring letters swapped. Nothing else counts as a slip."""
    must = _must(wish)
    if not must or len(wish.old) < 3:
        return []
    where = index.where("exact", itself)
    told = [at for at, line in enumerate(wish.old) if line.strip() and line in where]
    rarest = sorted(told, key=lambda at: len(where[wish.old[at]]))[:2]
    found = []
    for start in sorted({at - key for key in rarest for at in where[wish.old[key]][:500]}):
        there = index.lines[start : start + len(wish.old)] if start >= 0 else []
        if len(there) == len(wish.old) and _slipped(there, wish.old, must):
            found.append(Found(start, tuple(wish.old), tuple(wish.new), tuple(wish.source), "near"))
    return found


def _slipped(there: Sequence[str], old: Sequence[str], must: set[int]) -> bool:
    """Say whether at most a few lines have a slip, and none of those in `must`."""
    slips = 0
    for at, (have, want) in enumerate(zip(there, old, strict=True)):
        if have.rstrip() != want.rstrip():
            slips += 1
            if at in must or slips > max(1, len(old) // 4) or not _swapped(have.rstrip(), want.rstrip()):
                return False
    return True


def _swapped(have: str, want: str) -> bool:
    """Whether one line is the other with two neighbouring letters of a word swapped, once."""
    if len(have) != len(want) or len(have.strip()) < _NEAR_LENGTH:
        return False
    unlike = [at for at, (a, b) in enumerate(zip(have, want, strict=True)) if a != b]
    if len(unlike) != 2 or unlike[1] - unlike[0] != 1:
        return False
    a, b = unlike
    return have[a] == want[b] and have[b] == want[a] and have[a].isalpha() and have[b].isalpha()
