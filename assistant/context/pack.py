"""Choosing what is shown: what the user named, source of the pieces a question is about, names of what surrounds them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

from assistant import tokens
from assistant.context import choose, gate, history, index, measure, mention, rank, rules, segments
from assistant.context.choose import Shown
from assistant.context.query import ask
from assistant.context.section import Context, Masked, Section
from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    from assistant.context.measure import Measure
    from assistant.context.mention import Mention
    from assistant.context.query import Query
    from assistant.context.rank import Ranking
    from assistant.context.repo import FileFact, Repo
    from assistant.context.tags import Tags

CANDIDATES, NAMED = 30, 40
"""Files whose source is weighed piece by piece, and how many more may have their names shown."""
WHOLE = 1_200
"""A file the user named is shown whole up to so many tokens, a larger one by the pieces that matter."""
_BESIDE = 700
"""Tokens for what surrounds a definition that the user named together with its file: the question is sharp."""
_LARGEST = 400_000
"""Bytes of a file that is weighed piece by piece."""
_MOST = 20_000_000
"""Bytes of a file that is read at all."""
_WITHOUT_WORDS = 60


@dataclass(slots=True)
class _Desk:
    """Reads files for showing, and remembers what was read, masked and left out."""

    repo: Repo
    measure: Measure
    allowed_bytes: int = _LARGEST
    masked: dict[str, tuple[Masked, ...]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    def read(self, path: str, *, named: bool = False) -> list[str] | None:
        """Return the lines of a file; what is secret, not text, or too large to look through has none."""
        if gate.is_secret_file(path, self.repo.root):
            self.left_out[path] = "a file of secrets never leaves"
            self.masked[path] = (Masked(path, 0, "secret file"),)
            return None
        try:
            data = self.repo.read(path, _MOST)
        except RepoError as error:
            self.left_out[path] = error.message
            return None
        if b"\0" in data[:8_000]:
            self.left_out[path] = "not a text file"
            return None
        if len(data) > _LARGEST and not named:
            return None
        self.seen[path] = hashlib.sha256(data).hexdigest()
        return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")

    def mask(self, file: Shown) -> None:
        """Put what secrets are in the place of secrets, in the lines that are shown."""
        text, found = gate.mask("\n".join(file.lines), file.path)
        file.lines = text.split("\n")
        self.masked[file.path] = tuple(
            each for each in found if any(first <= each.line <= last for first, last in file.ranges)
        )


def pack(
    question: str,
    *,
    repo: Repo,
    cache: Path,
    budget: int,
    pinned: Sequence[str] = (),
    recent: Sequence[str] = (),
    now: datetime,
    timeout_s: float = 1.0,
) -> Context:
    """Return what a question shows the model: at most `budget` o200k tokens.

    What the user named or pinned is shown even if that takes more; then `note` says so. `recent` are paths of the talk so
    far, the newest first. The index is waited for `timeout_s` seconds at most; `note` says when it is not complete, and
    it goes on growing in the background.
    """
    del now
    files = repo.files()
    paths = [file.path for file in files]
    if measure.missing(cache.parent):
        Thread(target=tokens.warm, daemon=True).start()  # while the child reads
    found = index.refresh(repo.root, files, cache, timeout_s=timeout_s, question=question)
    try:
        desk = _Desk(repo, measure.Measure(cache.parent))
        query = ask(question)
        named = {each.path: each for each in mention.mentions(question, paths)}
        known = set(paths)
        chosen = list(dict.fromkeys([*(path for path in pinned if path in known), *named]))
        ranking = rank.rank(
            query,
            found,
            paths,
            history=history.unpack(found.store.note("history")),
            near=chosen,
            recent={path: 0.8**age for age, path in enumerate(recent)},
            dirty=[file.path for file in files if file.dirty],
        )
        for path in _secrets(question, paths):
            desk.read(path)  # it is not shown, and the user is told so
        shown = _rules(desk, chosen, budget)
        tags = found.tags(chosen)
        for path in chosen:
            why = "pinned" if path in pinned else "mentioned"
            shown += _named(desk, path, why, named.get(path), tags.get(path), query, ranking)
        sharp = any(file.must and file.ranges and file.words for file in shown)
        spent = _total(desk, shown)
        room = max(0, min(budget - spent, _BESIDE if sharp else budget))
        others = _candidates(desk, query, ranking, found, {file.path for file in shown})
        choose.spend(others, room, desk.measure)
        shown += [file for file in others if file.ranges or file.names]
        if not shown:
            shown = _listing(desk, files, budget)
        for file in shown:
            if file.ranges:
                desk.mask(file)
        while _total(desk, shown) > budget and choose.shrink(shown):
            shown = [file for file in shown if file.must or file.ranges or file.names]
        notes = [f"{len(found.ids)} of {len(found.ids) + found.unread} files indexed so far"] if found.unread else []
    finally:
        found.close()
    sections = tuple(_section(desk, file) for file in _stable(shown, {file.path for file in files if file.dirty}))
    total = desk.measure.count("\n".join(section.text for section in sections))
    if total > budget:
        notes.append(f"what you named takes {total - budget:,} tokens more than the budget of {budget:,}")
    showing = {section.path for section in sections}
    return Context(
        sections,
        total,
        tuple(each for some in desk.masked.values() for each in some if each.path in showing or not each.line),
        tuple(desk.left_out.items()),
        tuple((path, digest) for path, digest in desk.seen.items() if path in showing),
        "; ".join(notes),
    )


def _secrets(question: str, paths: Sequence[str]) -> list[str]:
    """Return the files of secrets that a question names: mentions know only files that may be shown."""
    words = {word.strip(".,;:!?()'\"`").removeprefix("@") for word in question.split()}
    words |= {f".{word}" for word in words}
    return [path for path in paths if path.rpartition("/")[2] in words and gate.is_secret_file(path)]


def _rules(desk: _Desk, chosen: Collection[str], budget: int) -> list[Shown]:
    """Show the rules that count for the files the user named, those of the root first, in a quarter of the budget."""
    shown: list[Shown] = []
    left = budget // 4
    for each in rules.rules(desk.repo, chosen):
        if each.path in chosen or desk.read(each.path) is None:
            continue
        lines = each.text.split("\n")
        why = "; ".join(["rules of this repository", *each.warnings])
        file = Shown(each.path, lines, None, why, ranges=[(1, len(lines))], must=True)
        size = desk.measure.count(file.draw())
        if size <= left:
            shown.append(file)
            left -= size
        else:
            desk.left_out[each.path] = "rules longer than a quarter of the budget; pin the file to send it"
    return shown


def _named(
    desk: _Desk, path: str, why: str, mentioned: Mention | None, tags: Tags | None, query: Query, ranking: Ranking
) -> list[Shown]:
    """Show a file the user named: the lines named, else the definitions named, else all of a small one, else its best."""
    lines = desk.read(path, named=True)
    if lines is None:
        return []
    file = Shown(path, lines, tags, why, must=True)
    size = len(lines) - (not lines[-1])
    pieces = segments.weigh(segments.cut(path, len(lines), tags), lines, query, ranking.idfs)
    file.pieces = pieces
    exact = [tag for tag in (tags.defs if tags else ()) if tag.name in query.names and len(tag.name) > 2]
    if mentioned is not None and mentioned.first:
        first, last = max(1, mentioned.first), max(mentioned.first, mentioned.last)
        if first == last:  # one line, as in a stack trace: what it stands in
            around = next((each for each in pieces if each.first <= first <= each.last), None)
            first, last = (around.first, around.last) if around else (max(1, first - 12), last + 12)
        file.ranges = [(min(first, size), min(last, size))]
    elif exact:
        file.ranges = choose.join((tag.start, min(tag.end, size)) for tag in exact)
        file.words = [tag.name for tag in exact]
        file.why = f"{why}: {', '.join(dict.fromkeys(file.words))}"
    elif desk.measure.count("\n".join(lines)) <= WHOLE or (mentioned is None or mentioned.sure):
        file.ranges = [(1, max(1, size))]
        return [file]
    else:
        choose.spend([file], WHOLE, desk.measure)
    if tags and not file.names:
        choose.name(file, tags, 250, desk.measure)
    return [file]


def _candidates(
    desk: _Desk, query: Query, ranking: Ranking, found: index.Index, without: Collection[str]
) -> list[Shown]:
    """Read the best files and weigh their pieces; of those below only the names are known."""
    best = [each for each in ranking.files[: CANDIDATES + NAMED] if each.path not in without]
    tags = found.tags([each.path for each in best])
    top = best[0].score if best else 1.0
    shown = []
    for at, each in enumerate(best):
        lines = desk.read(each.path) if at < CANDIDATES and not gate.is_secret_file(each.path) else []
        if lines is None or (not lines and gate.is_secret_file(each.path)):
            continue
        file = Shown(each.path, lines, tags.get(each.path), each.why, (each.score / top) ** choose.SHARP_FILE)
        if lines:
            file.pieces = segments.weigh(segments.cut(each.path, len(lines), file.tags), lines, query, ranking.idfs)
        shown.append(file)
    return shown


def _listing(desk: _Desk, files: Sequence[FileFact], budget: int) -> list[Shown]:
    """Where no word leads anywhere: the smallest files whole while they fit, and the names of others."""
    shown: list[Shown] = []
    left = budget
    for fact in sorted(files, key=lambda fact: (fact.path.count("/"), fact.path))[:_WITHOUT_WORDS]:
        if gate.is_secret_file(fact.path):
            continue
        lines = desk.read(fact.path) if fact.size < 2 * left else None
        if lines is None:
            continue
        file = Shown(fact.path, lines, None, "nothing in the question names a file", ranges=[(1, len(lines))])
        size = desk.measure.count(file.draw())
        if size > left // 2:
            file.ranges = []
            size = desk.measure.count(file.draw())
        if size <= left:
            left -= size
            shown.append(file)
    return shown


def _stable(shown: Sequence[Shown], dirty: Collection[str]) -> list[Shown]:
    """Order sections so that what stays the same from turn to turn comes first: a provider's cache counts prefixes.

    Rules, then what is pinned and named, then names only, then source, files with open changes last; each by path.
    """
    return sorted(
        shown,
        key=lambda file: (
            not file.why.startswith("rules"),
            not file.must,
            bool(file.ranges),
            file.path in dirty,
            file.path,
        ),
    )


def _total(desk: _Desk, shown: Sequence[Shown]) -> int:
    return desk.measure.count("\n".join(file.draw() for file in shown))


def _section(desk: _Desk, file: Shown) -> Section:
    text = file.draw()
    first, last = (file.ranges[0][0], file.ranges[-1][1]) if file.ranges else (0, 0)
    return Section(file.path, first, last, file.title(), text, desk.measure.count(text), file.why)
