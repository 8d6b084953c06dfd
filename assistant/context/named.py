"""Shows what the user named: pinned files, files and lines, symbols, folders, the open diff, commits.

It comes before everything else and may exceed the budget. What a pasted text names without a mark, such as the frames
of a stack trace, is shown first too, but gives way if it is too much.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING, NamedTuple

from assistant import visible
from assistant.context import choose, frames, segments
from assistant.context.choose import CHANGES, NAMED, PINNED, Frame, Shown
from assistant.context.language import language_of
from assistant.context.rank import is_source, is_test
from assistant.context.reader import DROPPED, LARGEST, NAMED_IN
from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from assistant.context.index import Index
    from assistant.context.measure import Measure
    from assistant.context.mention import Mention
    from assistant.context.out import Out
    from assistant.context.query import Query
    from assistant.context.rank import Ranking
    from assistant.context.reader import Reader
    from assistant.context.tags import Tag, Tags

WHOLE = 1_200
"""A file named without a mark is shown whole up to this many tokens, a larger one by the pieces that matter."""
_LETTERS = 40
"""The most letters of a token: lines with more letters than the tokens allow are not counted."""
_HOMES = 4
"""The most files that are shown for a symbol that several files define; a note says how many there are."""
_TOLD = 20
"""The most files kept back from a diff that are listed by name; the others are counted."""
_LISTED = 150
"""The most files of a folder, or of a diff, that are listed."""
_CUT = 10
"""Tokens of the line that says how much of a file's change is missing."""
_AROUND = 60
"""The most lines of a definition that is shown whole around a place in it."""
_FUNCTIONS = frozenset({"function", "method"})
_LESS = frozenset({"constant", "variable", "field", "key", "test", "heading"})
"""Kinds of definitions that a name means less often than others."""
_NAME = re.compile(r"[^\W\d]\w*[?!]?")


class Wanted:
    """One file that the user named: the reason, and whether all of it or places in it are wanted.

    `symbols` are the names meant in it, each with the definition that it is part of.
    """

    __slots__ = ("path", "places", "sure", "symbols", "whole", "why")

    def __init__(self, path: str, why: str, sure: bool, *, whole: bool = False) -> None:
        self.path = path
        self.why = why
        self.sure = sure
        self.places: list[Mention] = []
        self.symbols: list[tuple[str, str]] = []
        self.whole = whole


class Crowd(NamedTuple):
    """A marked symbol that more files define than are shown: its name, what it is part of, those files by likeliness."""

    name: str
    inside: str
    homes: Sequence[str]
    vague: Collection[str]


def gather(
    mentions: Iterable[Mention], pinned: Sequence[str], index: Index
) -> tuple[dict[str, Wanted], list[Crowd], list[str]]:
    """Return the files that are meant, each once, pinned files first; symbols of too many files; and notes.

    Which files of a crowd are shown the ranking decides, see `settle`; the notes are on what could not be shown.
    """
    files = {path: Wanted(path, "pinned", True, whole=True) for path in pinned}
    notes, crowds = [], []
    for each in sorted(mentions, key=lambda each: each.rank):
        if each.kind == "file":
            one = files.setdefault(each.path, Wanted(each.path, "mentioned", each.sure))
            one.sure |= each.sure
            if each.first:
                one.places.append(each)
            elif each.sure:
                one.whole = True
        elif each.kind == "symbol":
            places = {each.path} if each.path else set(index.homes(each.name))
            if each.inside:
                places = places & set(index.homes(each.inside)) or places
            if len(places) > _HOMES:
                crowds.append(_crowd(each, places, index))
                notes.append(f"{each.name} is defined in {len(places)} files: no more than {_HOMES} are shown")
                continue
            for path in sorted(places, key=_nearness):
                one = files.setdefault(path, Wanted(path, "mentioned", True))
                one.sure = True
                one.symbols.append((each.name, each.inside))
    return files, crowds, notes


def settle(files: dict[str, Wanted], crowds: Iterable[Crowd], ranking: Ranking) -> None:
    """Add the files of crowds that are shown: those that the question is about, classes and functions before others.

    The first is meant for certain; the others give way where all is too much.
    """
    scores = {each.path: each.score for each in ranking.files} if crowds else {}
    for crowd in crowds:
        order = sorted(crowd.homes, key=lambda path: (path in crowd.vague, -scores.get(path, 0.0)))
        for at, path in enumerate(order[:_HOMES]):
            one = files.setdefault(path, Wanted(path, "mentioned", at == 0))
            one.sure |= at == 0
            one.symbols.append((crowd.name, crowd.inside))


def _crowd(each: Mention, places: Collection[str], index: Index) -> Crowd:
    tags = index.tags(list(places))
    vague = {
        path for path, found in tags.items() if all(tag.kind in _LESS for tag in found.defs if tag.name == each.name)
    }
    return Crowd(each.name, each.inside, sorted(places, key=_nearness), vague)


def _nearness(path: str) -> tuple[bool, int, str]:
    """Return a sort key by which no tests come first, then what lies near the root."""
    return is_test(path), path.count("/"), path


def show(wanted: Wanted, reader: Reader, tags: Tags | None, query: Query, ranking: Ranking) -> list[Shown]:
    """Show one file: the lines meant, else the definitions meant, else all of it if small or marked, else its best."""
    lines = reader.read(wanted.path, named=True)
    if lines is None:
        return []
    file = Shown(wanted.path, lines, tags, wanted.why, must=wanted.sure)
    file.place = PINNED if wanted.why == "pinned" else NAMED
    size = max(1, len(lines) - (not lines[-1]))
    cut = segments.cut(wanted.path, lines, tags)
    file.pieces = segments.weigh(cut, lines, query, ranking.idfs, said=ranking.said.get(wanted.path))
    # Words of the question pick definitions only in a file that is named; a marked symbol picks them in any file.
    pinned = file.place == PINNED
    marked = {part for symbol in wanted.symbols for part in symbol}
    spoken = set() if pinned or wanted.places else query.names.keys() - marked
    exact = [
        tag
        for tag in (tags.defs if tags else ())
        if _meant(tag, wanted.symbols, tags)
        or (tag.name in spoken and len(tag.name) > 2 and _fits(lines[tag.start - 1 : tag.end], reader))
    ]
    length = sum(map(len, lines))
    small = length < LARGEST and _fits(lines, reader)
    if wanted.whole and length <= LARGEST and (pinned or small or not exact):
        file.ranges = [(1, size)]
        return [file]
    if wanted.places or exact:
        called = _called(wanted.places, tags)
        file.base = [(tag.start, min(tag.end, size)) for tag in exact]
        file.frames = [_frame(each, cut, size, tags) for each in wanted.places]
        frames.draw(file)
        file.words = list(dict.fromkeys(tag.name for tag in (*exact, *called)))
        file.why = ": ".join(filter(None, [wanted.why, ", ".join(file.words)]))
        if any(each.first > size for each in wanted.places):
            file.why += f"; it has {size} lines"
        beyond = [each.source for each in wanted.places if each.sure and max(each.first, each.last) > size]
        reader.left_out |= dict.fromkeys(beyond, f"{wanted.path} has {size} line{'s' * (size != 1)}")
    elif small:
        file.ranges = [(1, size)]
        return [file]
    else:
        choose.spend([file], WHOLE if length <= LARGEST else 3 * WHOLE, reader.measure)
        file.words = []  # these words come from its pieces; no definition was asked for
        if not file.ranges:
            file.ranges = [(1, len(_first(lines, WHOLE, reader.measure)[0]))]
        if length > LARGEST:
            file.why += "; too large to be shown whole"
    if tags and not file.names:
        choose.name(file, tags, 250, reader.measure)
    return [file]


def _frame(place: Mention, cut: Sequence[segments.Segment], size: int, tags: Tags | None) -> Frame:
    """Return the lines to show for a place: those around it, the head of the definition, and what is called there."""
    first, last = _around(place.first, max(place.first, place.last), cut, size)
    line = min(place.line, size) or (first + last) // 2
    ranges = [(first, last), _head(first, line, tags)]
    ranges += [(tag.start, min(tag.end, tag.start + _AROUND, size)) for tag in _called([place], tags)]
    return Frame(line, place.rank, [each for each in ranges if each[0]], single=bool(place.line))


def _called(places: Iterable[Mention], tags: Tags | None) -> list[Tag]:
    """Return the functions that stand with places as called there, innermost first.

    If the place lies in one, only a short function is returned, to be shown whole; otherwise functions of that name
    wherever they are now.
    """
    functions = [tag for tag in (tags.defs if tags else ()) if tag.kind in _FUNCTIONS]
    known = {tag.name for tag in functions}
    found: list[Tag] = []
    for each in places:
        middle = each.line or (each.first + each.last) // 2
        for chain in each.beside:
            parts = _NAME.findall(chain)
            at = next((at for at in range(len(parts) - 1, -1, -1) if parts[at] in known), -1)
            if at < 0:
                continue
            meant = [(parts[at], parts[at - 1] if at else "")]
            homes = [tag for tag in functions if _meant(tag, meant, tags)]
            around = [tag for tag in homes if tag.start <= middle <= tag.end]
            found += [tag for tag in around if tag.end - tag.start <= _AROUND] if around else homes[:_HOMES]
    return list(dict.fromkeys(found))


def _head(first: int, middle: int, tags: Tags | None) -> tuple[int, int]:
    """Return the line that declares the definition around some lines, if it lies above them, as a range.

    (0, 0) if there is none.
    """
    around = [tag for tag in (tags.defs if tags else ()) if tag.start < first and middle <= tag.end]
    declared = around[-1].declared if around else 0
    return (declared, declared) if declared < first else (0, 0)


def _meant(tag: Tag, symbols: Iterable[tuple[str, str]], tags: Tags | None) -> bool:
    """Say whether a definition is a marked symbol: for `@Pot.boil` the `boil` in `Pot`, else any `boil`."""
    for name, inside in symbols:
        if tag.name == name:
            homes = [each for each in (tags.defs if tags and inside else ()) if each.name == inside]
            same = [each for each in (tags.defs if tags else ()) if each.name == name]
            if _within(tag, homes) or not any(_within(each, homes) for each in same):
                return True
    return False


def _within(tag: Tag, homes: Sequence[Tag]) -> bool:
    return any(home.start <= tag.start and tag.end <= home.end and home is not tag for home in homes)


def _fits(lines: Sequence[str], reader: Reader) -> bool:
    """Say whether lines are few enough to be shown whole without a mark."""
    return sum(map(len, lines)) < _LETTERS * WHOLE and reader.measure.count("\n".join(lines)) <= WHOLE


def _around(first: int, last: int, cut: Sequence[segments.Segment], size: int) -> tuple[int, int]:
    """Return the lines to show for a place; for a single line, those of the piece around it."""
    middle = (first + last) // 2
    inside = next((each for each in cut if each.first <= middle <= each.last), None)
    if first == last and inside is not None and inside.last - inside.first <= _AROUND:
        first, last = inside.first, inside.last
    elif first == last:
        first, last = first - 12, last + 12
    return max(1, min(first, size)), min(last, size)


def folder(path: str, paths: Sequence[str], why: str = "mentioned") -> Shown:
    """List a folder: the names of its files; if there are many, those of each folder below are only counted."""
    inside = [visible.name(each[len(path) :]) for each in paths if each.startswith(path)]
    rows = inside
    if len(rows) > _LISTED:
        counts: dict[str, int] = {}
        for each in inside:
            head, slash, _ = each.partition("/")
            counts[head + slash] = counts.get(head + slash, 0) + 1
        rows = [f"{name} ({many} files)" if name.endswith("/") else name for name, many in counts.items()]
    cut = [*rows[:_LISTED], f"... and {len(rows) - _LISTED} more"] if len(rows) > _LISTED else rows
    file = Shown(
        path,
        cut,
        None,
        why,
        ranges=[(1, len(cut))],
        must=True,
        heading=f"{visible.name(path)} holds {len(inside)} files:",
    )
    file.place = NAMED
    return file


def _nothing(each: Mention, kept_back: Collection[str]) -> str:
    if kept_back:
        return f"all that changed is {' or '.join(kept_back)}"
    return "there is nothing that is not committed" if each.kind == "diff" else "there is nothing in it"


def changes(each: Mention, reader: Reader, room: int, out: Out) -> list[Shown]:
    """Show the uncommitted changes, or one commit, in about `room` tokens, sources first.

    Files that are kept `out` are left out; of each other file there is as much as there is room for.
    """
    name = each.source
    commit = "" if each.kind == "diff" else each.name
    from assistant.context import diffs  # most questions show none

    try:
        diff = diffs.of_commit(reader.repo, each.name, out) if commit else diffs.uncommitted(reader.repo, out)
        kept_back = {
            path: DROPPED if out.hides(path) else NAMED_IN for path in diffs.kept_back(reader.repo, commit, out)
        }
    except RepoError as error:
        reader.left_out[name] = error.message
        return []
    _tell(reader, name, kept_back)
    if not diff.strip():
        reader.left_out.setdefault(name, _nothing(each, dict.fromkeys(kept_back.values())))
        return []
    kept, missing = _spread(reader.mask_diff(diff, name), room, reader.measure)
    _tell(
        reader, name, {path: f"{lines:,} more lines of what changed in it: no room" for path, lines in missing.items()}
    )
    what = "what is not committed" if each.kind == "diff" else f"the commit {each.name}"
    file = Shown(name, kept, None, what, ranges=[(1, len(kept))], must=True, heading=f"{name}: {what}")
    file.place = CHANGES
    return [file]


def _tell(reader: Reader, name: str, whys: Mapping[str, str]) -> None:
    """Note why files are not in a diff: some by name, the others by their number."""
    reader.left_out |= dict(islice(whys.items(), _TOLD))
    if more := list(islice(whys.values(), _TOLD, None)):
        reader.left_out[name] = (
            f"{len(more)} more files of it: {more[0]}" if len(set(more)) == 1 else f"{len(more)} more files of it"
        )


def _spread(diff: str, room: int, measure: Measure) -> tuple[list[str], dict[str, int]]:
    """Cut a diff to about `room` tokens, with its files in the order of `_weight`.

    Returns its lines, and the number of missing lines by file. Room that one file does not need goes to others of its
    weight, and what those do not need to the next weight; each file keeps its first line.
    """
    head, *files = [piece.rstrip("\n").split("\n") for piece in re.split(r"(?m)^(?=diff --git )", diff)]
    kept = {at: [piece[0]] for at, piece in enumerate(files)}
    names = [piece[0].rpartition(" b/")[2].rstrip('"') for piece in files]
    weights = [_weight(name) for name in names]
    ranked = sorted(kept, key=lambda at: (weights[at], at))
    heads = [0, *accumulate(_CUT + measure.count(files[at][0]) for at in ranked[:_LISTED])]
    shown = ranked[: max(1, bisect_right(heads, room // 2) - 1)]
    left = room - heads[len(shown)]
    if any(head):
        top, used = _first(head, left if not files else max(left // 2, 0), measure)
        left -= used
    else:
        top = []
    order = sorted(shown, key=lambda at: (weights[at], len(files[at])))
    for done, at in enumerate(order):
        same = sum(weights[other] == weights[at] for other in order[done:])
        more, used = _first(files[at][1:], left // same, measure)
        kept[at] += more
        left -= used
    lines, missing = top + [f"[cut: {len(head) - len(top)} more lines]"] * (0 < len(top) < len(head)), {}
    for at in shown:
        lines += kept[at]
        if cut := len(files[at]) - len(kept[at]):
            missing[names[at]] = cut
            lines.append(f"[cut: {cut} more lines]")
    if len(files) > len(shown):
        lines.append(f"[cut: {len(files) - len(shown)} more files]")
        missing |= {names[at]: len(files[at]) for at in ranked[len(shown) :]}
    return lines, missing


def _first(lines: Sequence[str], room: int, measure: Measure) -> tuple[list[str], int]:
    """Return as many of the first lines as there is room for, and the tokens that they take."""
    used = 0
    for at, line in enumerate(lines):
        size = measure.count(line) + 1
        if used + size > room:
            return list(lines[:at]), used
        used += size
    return list(lines), used


def _weight(path: str) -> int:
    """Return the rank of a file in a diff: sources, then other files with words, then generated ones (lock files)."""
    return 0 if is_source(path) else 2 if language_of(path) is None else 1
