"""Chooses what is shown: what the user named, source of the pieces that a question is about, names from around them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from assistant.context import choose, colours, failing, frames, history, index, mention, moves, named, rank, segments
from assistant.context.choose import CHOSEN, PINNED, Shown
from assistant.context.files import Files
from assistant.context.index_store import twice
from assistant.context.measure import Measure
from assistant.context.out import Out
from assistant.context.query import ask
from assistant.context.reader import LARGEST, Reader
from assistant.context.ruling import Ruling, touched
from assistant.context.section import Context, Section

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from assistant.context.history import Touch
    from assistant.context.listing import FileFact
    from assistant.context.mention import Mention
    from assistant.context.query import Query
    from assistant.context.rank import Ranked, Ranking
    from assistant.context.repo import Repo
    from assistant.context.rules import Ruled
    from assistant.context.section import Masked

CANDIDATES, OTHERS = 20, 50
"""Files whose source is weighed piece by piece, and how many more may have their names shown."""
_BESIDE = 700
"""The most tokens for the surroundings of a definition that the user named with its file: such a question is sharp."""
_REST = 0.15
"""The factor on what more is shown of a test than the lines that failed."""
_LARGE = 0.75
"""The share of the budget that a folder, a diff or a commit may take."""
_WITHOUT_WORDS = 60
_SOURCE = 2_000_000
"""Bytes of the largest source whose definitions are still looked at."""
_TOO_LARGE = "too large to be looked through, but for definitions that the question names"
_LEAST_S = 0.2
"""Seconds to wait for the index if listing the files has taken all of the time."""


@twice
def pack(
    question: str,
    *,
    repo: Repo,
    cache: Path,
    budget: int,
    pinned: Sequence[str] = (),
    dropped: Collection[str] = (),
    allowed: Sequence[Masked] = (),
    recent: Sequence[str] = (),
    told: Collection[str] = (),
    asked: Sequence[str] = (),
    ruled: Ruled | None = None,
    whole: bool = False,
    stand: str = "",
    timeout_s: float = 1.0,
) -> Context:
    """Return what a question shows the model: at most `budget` o200k tokens.

    What the user named or pinned is shown even if it takes more; then `note` says so. What was `dropped` stays out,
    as `Out` reads it; secrets that were `allowed` are not masked. `recent` are paths of the conversation, the
    newest first, `told` names of definitions that were mentioned in it, `asked` the questions before this one, the
    newest first, `ruled` the folders whose rules it was told, None where this question begins it. `stand` is the
    folder below the root that the user stands in, with "/" at its end: paths are read from there first. `whole`
    says that the model returns whole files, so that it is shown whole files. Listing files and waiting for the
    index take at most about `timeout_s` seconds; `note` says if the index is not complete yet, and it goes on
    growing in the background.
    """
    question, out = colours.plain(question), Out(dropped, pinned)
    tree = _look(repo, cache, question, out, stand, timeout_s)
    try:
        reader = Reader(repo, Measure(), frozenset((a.path, a.kind, a.digest) for a in allowed))
        meant = _read(question, pinned, out, stand, tree)
        query = ask(question, told, asked)
        query.called = failing.called(meant.mentions, query, tree.found)
        weigh = _weigher(reader, query, tree, meant, recent)
        named.settle(meant.wanted, meant.crowds, weigh.ranking)
        for path in _secrets(question, tree.paths, reader):
            reader.read(path)  # this only notes that it is not shown
        marked = {each.path: True for each in meant.mentions if each.kind == "folder"}
        marked |= {path: each.sure for path, each in meant.wanted.items()}
        ruling = Ruling(reader, budget, tree.paths, out, ruled, marked)
        laws = ruling.of(pinned=pinned)
        lawful = {file.path for file in laws}
        wanted = {path: each for path, each in meant.wanted.items() if path not in lawful}
        meant_files = _named(weigh, wanted, budget, laws)
        asked_for = _kept(meant_files)
        large = _large(weigh, meant.mentions, tree.paths, wanted, int(budget * _LARGE), out)
        shown = [*laws, *asked_for, *large]
        shown += _beside(weigh, wanted, shown, asked_for, budget)
        if laws := ruling.of(touched(shown), pinned):
            lawful = {file.path for file in laws}
            shown = [*(file for file in shown if file.path not in lawful), *laws]
        if not shown:
            shown = _listing(reader, tree.files, budget)
        if whole:
            choose.complete(shown, budget, reader.measure)
        shown = _fitted(reader, shown, tree.dirty, budget)
    finally:
        tree.found.close()
    sections = tuple(_section(reader, file) for file in shown)
    total = reader.measure.joined([section.text for section in sections])
    showing = {section.path for section in sections}
    return Context(
        sections=sections,
        tokens=total,
        masked=tuple(each for some in reader.masked.values() for each in some if each.path in showing or not each.line),
        left_out=tuple(reader.left_out.items()),
        read=tuple((path, data) for path, data in reader.seen.items() if path in showing),
        note="; ".join([*meant.notes, *frames.untold(meant_files, shown), *_missing(tree, total, budget)]),
        dropped=out.paths,
        allowed=tuple(allowed),
        unread=tree.found.unread,
        ruled=tuple(ruling.folders),
    )


class _Tree(NamedTuple):
    """The files that may be shown, an index of them, and an index of all files, including those that are kept out."""

    files: Sequence[FileFact]
    paths: Sequence[str]
    dirty: Collection[str]
    found: index.Index
    every: index.Index


class _Meant(NamedTuple):
    """What a question names: the mentions as written, the files wanted, and notes on what cannot be shown.

    `crowds` are symbols that many files define: which of these are wanted is known when the files are ranked.
    """

    mentions: Sequence[Mention]
    wanted: dict[str, named.Wanted]
    crowds: Sequence[named.Crowd]
    notes: Sequence[str]


def _look(repo: Repo, cache: Path, question: str, out: Out, stand: str, timeout_s: float) -> _Tree:
    """List the files and wait for the index, for about `timeout_s` seconds in all."""
    end = time.monotonic() + timeout_s
    by = None if index.was_whole(cache, repo.root) else end - timeout_s / 2
    listed = repo.files(by)
    if repo.late:
        known = {file.path for file in listed}
        listed += tuple(repo.named([path for path in mention.written(question, repo.root, stand) if path not in known]))
    files = [file for file in listed if not out.hides(file.path)]
    left = max(_LEAST_S, end - time.monotonic())
    every = index.refresh(repo, listed, cache, timeout_s=min(left, timeout_s), question=question)
    found = every.without(file for file in listed if out.hides(file.path)) if len(files) < len(listed) else every
    return _Tree(files, [file.path for file in files], {file.path for file in files if file.dirty}, found, every)


def _read(question: str, pinned: Sequence[str], out: Out, stand: str, tree: _Tree) -> _Meant:
    """Read what a question names, and note what of it cannot be shown."""
    repo, known = tree.found.repo, set(tree.paths)
    files = Files(tree.paths, str(repo.root), stand=stand, moved=lambda: moves.read(repo, tree.found.store))
    there = mention.read(question, files, symbols=tree.found, revision=repo.revision)
    mentions = [each for each in there if not (out.hides(each.source) or out.hides(each.path))]
    wanted, crowds, notes = named.gather(mentions, [path for path in pinned if path in known], tree.found)
    notes += mention.nowhere(
        question,
        there,
        repo.root,
        paths=files,
        out=out,
        symbols=None if tree.every.unread else tree.found,
        away=lambda name: [path for path in tree.every.homes(name) if out.hides(path)],
        late=repo.late or bool(repo.blocked),
    )
    return _Meant(mentions, wanted, crowds, notes)


def _weigher(reader: Reader, query: Query, tree: _Tree, meant: _Meant, recent: Sequence[str]) -> _Weigher:
    """Rank the files, and collect what else their pieces are weighed by."""
    folders = [each.path for each in meant.mentions if each.kind == "folder"]
    inside = [path for path in tree.paths if any(map(path.startswith, folders))] if folders else []
    past = tree.found.store.remembered("history", history.unpack)
    ranking = rank.rank(
        query,
        tree.found,
        tree.paths,
        history=past,
        near=dict.fromkeys([*meant.wanted, *inside]),
        recent={path: 0.8**age for age, path in enumerate(recent)},
        dirty=[file.path for file in tree.files if file.dirty],
    )
    return _Weigher(reader, query, ranking, tree.found, past.touched(query, ranking.idfs))


def _named(weigh: _Weigher, wanted: Mapping[str, named.Wanted], budget: int, before: Sequence[Shown]) -> list[Shown]:
    """Show the files that the user named; files that only a pasted text names give way if all is too much."""
    tags = weigh.found.tags(list(wanted))
    some = [
        one
        for each in wanted.values()
        for one in named.show(each, weigh.reader, tags.get(each.path), weigh.query, weigh.ranking)
    ]
    frames.give_way(some, lambda: _total(weigh.reader, [*before, *_kept(some)]) > budget)
    return some


def _kept(some: Sequence[Shown]) -> list[Shown]:
    return [file for file in some if file.must or file.ranges or file.names]


def _beside(
    weigh: _Weigher,
    wanted: Mapping[str, named.Wanted],
    shown: Sequence[Shown],
    asked_for: Sequence[Shown],
    budget: int,
) -> list[Shown]:
    """Show the best other files in the room that is left, and more of files of which the user named only lines."""
    sharp = any(file.ranges and file.words and not wanted[file.path].places for file in asked_for)
    room = max(0, min(budget - _total(weigh.reader, shown), _BESIDE if sharp else budget))
    others = weigh.candidates(weigh.ranking.files, {file.path for file in shown})
    opened = weigh.open([file for file in asked_for if wanted[file.path].places])
    called = {file.path: len(file.words) for file in opened}
    choose.spend([*others, *opened], room, weigh.reader.measure)
    for file in opened:
        if words := file.words[called[file.path] :]:
            file.why += f"; more of it has {', '.join(words[:3])}"
    return [file for file in others if file.ranges or file.names]


def _fitted(reader: Reader, shown: list[Shown], dirty: Collection[str], budget: int) -> list[Shown]:
    """Mask what is shown, remove the least important if it is too much, and put sections in the order of sending."""
    for file in shown:
        reader.mask(file)
    # Counted in the order of sending: where two sections meet, another order can cost another token.
    while _total(reader, _stable(shown, dirty)) > budget and choose.shrink(shown):
        shown = _kept(shown)
    return _stable(shown, dirty)


def _missing(tree: _Tree, total: int, budget: int) -> list[str]:
    """Say what was not ready yet, and by how much the budget is exceeded."""
    notes = []
    found, repo = tree.found, tree.found.repo
    if found.unread:
        notes.append(f"{len(found.ids)} of {len(found.ids) + found.unread} files indexed so far")
    if repo.late:
        notes.append("new and changed files are not looked for yet")
    if repo.astray:
        notes.append(f"{repo.astray}: this folder is read as one outside git")
    if repo.blocked:
        notes.append(f"{repo.blocked} is a pipe, at which git would wait for ever: new files are not looked for")
    if total > budget:
        notes.append(f"what you named takes {total - budget:,} tokens more than the budget of {budget:,}")
    return notes


def _secrets(question: str, paths: Sequence[str], reader: Reader) -> list[str]:
    """Return the secret files that a question names: mentions only find files that may be shown."""
    words = {word.strip(".,;:!?()'\"`").removeprefix("@") for word in question.split()}
    words |= {f".{word}" for word in words}
    return [path for path in paths if path.rpartition("/")[2] in words and reader.is_secret(path)]


def _large(
    weigh: _Weigher,
    mentions: Sequence[Mention],
    paths: Sequence[str],
    without: Collection[str],
    room: int,
    out: Out,
) -> list[Shown]:
    """Show the folders (a listing, and their best files), the open diff and the commits that the user named."""
    reader = weigh.reader
    shown: list[Shown] = []
    large = [each for each in mentions if each.kind in {"folder", "diff", "commit"}]
    for each in large:
        share = room // len(large)
        if each.kind != "folder":
            shown += named.changes(each, reader, share, out)
            continue
        listed = named.folder(each.path, paths)
        shown.append(listed)
        taken = {*without, *(file.path for file in shown)}
        best = [one for one in weigh.ranking.files if one.path.startswith(each.path)]
        held = weigh.candidates(best, taken)
        choose.spend(held, share - reader.measure.count(listed.draw()), reader.measure)
        shown += [file for file in held if file.ranges or file.names]
    return shown


class _Weigher(NamedTuple):
    """What the pieces of files are weighed by."""

    reader: Reader
    query: Query
    ranking: Ranking
    found: index.Index
    touched: Mapping[str, Sequence[Touch]]

    def open(self, named: Sequence[Shown]) -> list[Shown]:
        """Let the hidden parts of files that the user named compete, by the rank of each: a line may have moved."""
        scores = {each.path: each.score for each in self.ranking.files}
        top = max((score for path, score in scores.items() if path not in {file.path for file in named}), default=1.0)
        parts = [
            file
            for file in named
            if file.ranges and (file.ranges[0][0] > 1 or file.ranges[-1][1] < len(file.lines) - 1)
        ]
        for file in parts:
            file.firm = list(file.ranges)
            # the user named lines, so more needs a reason
            file.pieces = [piece for piece in file.pieces if piece.words]
            file.worth = min(1.0, scores.get(file.path, 0.0) / top) ** choose.SHARP_FILE
            if self.query.called and rank.is_test(file.path):
                file.worth *= _REST
        return parts

    def candidates(self, files: Sequence[Ranked], without: Collection[str]) -> list[Shown]:
        """Read the best files and weigh their pieces; of the files ranked below them only the names are known."""
        best = [each for each in files[: CANDIDATES + OTHERS] if each.path not in without]
        tags = self.found.tags([each.path for each in best])
        idfs = self.ranking.idfs
        top = best[0].score if best else 1.0
        shown = []
        for at, each in enumerate(best):
            secret = self.reader.is_secret(each.path)
            most = _SOURCE if rank.is_source(each.path) else LARGEST
            lines = self.reader.read(each.path, most=most) if at < CANDIDATES and not secret else []
            if lines is None or (not lines and secret):
                continue
            file = Shown(each.path, lines, tags.get(each.path), each.why, (each.score / top) ** choose.SHARP_FILE)
            if lines and len(self.reader.seen[each.path]) > LARGEST:
                file.why += f"; {_TOO_LARGE}"
                file.hints = segments.hints(file.tags, self.query, idfs) if file.tags else {}
                says = self.ranking.said.get(each.path)
                file.pieces = (
                    segments.defined(each.path, file.tags, file.hints, lines, self.query, idfs, says)
                    if file.tags
                    else []
                )
                choose.level(file)
            elif lines:
                parts = segments.cut(each.path, lines, file.tags)
                file.pieces = segments.weigh(
                    parts, lines, self.query, idfs, self.touched.get(each.path, ()), self.ranking.said.get(each.path)
                )
            elif file.tags:
                file.hints = segments.hints(file.tags, self.query, idfs)
            shown.append(file)
        return shown


def _listing(reader: Reader, files: Sequence[FileFact], budget: int) -> list[Shown]:
    """If no word leads anywhere, show the smallest files whole while they fit, and the paths of others."""
    shown: list[Shown] = []
    left = budget
    for fact in sorted(files, key=lambda fact: (fact.path.count("/"), fact.path))[:_WITHOUT_WORDS]:
        if reader.is_secret(fact.path):
            continue
        lines = reader.read(fact.path) if fact.size < 2 * left else None
        if lines is None:
            continue
        file = Shown(fact.path, lines, None, "nothing in the question names a file", ranges=[choose.whole(lines)])
        size = reader.measure.count(file.draw())
        if size > left // 2:
            file.ranges = []
            size = reader.measure.count(file.draw())
        if size <= left:
            left -= size
            shown.append(file)
    return shown


def _stable(shown: Sequence[Shown], dirty: Collection[str]) -> list[Shown]:
    """Order sections so that what stays the same from turn to turn comes first: a provider's cache counts prefixes.

    First rules, then pinned files, rules of folders that were touched later, named files, names only, source, files with open changes, and last diffs; each by
    path, but pinned files in the order in which they were pinned.
    """
    return sorted(
        shown,
        key=lambda file: (
            file.place,
            file.place == CHOSEN and bool(file.ranges),
            file.place == CHOSEN and file.path in dirty,
            "" if file.place == PINNED else file.path,
        ),
    )


def _total(reader: Reader, shown: Sequence[Shown]) -> int:
    return reader.measure.joined([file.draw() for file in shown])


def _section(reader: Reader, file: Shown) -> Section:
    text = file.draw()
    first, last = (file.ranges[0][0], file.ranges[-1][1]) if file.ranges and not file.heading else (0, 0)
    size = reader.measure.joined([text])
    return Section(file.path, first, last, file.title(), text, size, file.why, file.place <= PINNED)
