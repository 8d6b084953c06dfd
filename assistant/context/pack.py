"""Choosing what is shown: the files and symbols a question needs, a map of what surrounds them, within a budget."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import tokens
from assistant.context import gate, index, mention, rank, repo_map
from assistant.context.section import Context, Masked, Section

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from assistant.context.rank import Ranked
    from assistant.context.repo import Repo
    from assistant.context.tags import Tag, Tags

_WHOLE = 1_200
"""A named file of no more o200k tokens is shown whole; of a larger one only the part that matters."""
_HEAD = 30
_SMALL_REPO = 8_000
"""Bytes of all files together below which a question that names nothing is shown everything."""
_AROUND = 3
_RELATED = 4
_RULES = ("AGENTS.md", "CLAUDE.md")


@dataclass(slots=True)
class _Pack:
    repo: Repo
    budget: int
    sections: list[Section]
    masked: list[Masked]
    left_out: list[tuple[str, str]]
    seen: dict[str, str]
    used: int = 0

    def add(
        self, path: str, title: str, text: str, why: str, *, first: int = 0, last: int = 0, must: bool = False
    ) -> bool:
        """Add a section if it fits; what the user named is added in any case."""
        text, masked = gate.mask(text, path)
        whole = f"{title}\n{text.rstrip(chr(10))}\n"
        size = tokens.count(whole)
        if not must and self.used + size > self.budget:
            return False
        self.masked += masked
        self.used += size
        self.sections.append(Section(path, first, last, title, whole, size, why))
        return True

    def read(self, path: str) -> list[str] | None:
        """Read a file for showing; what is secret or not text is left out with a reason."""
        if gate.is_secret_file(path):
            self.left_out.append((path, "a file of secrets never leaves"))
            self.masked.append(Masked(path, 0, "secret file"))
            return None
        try:
            data = (self.repo.root / path).read_bytes()
        except OSError as error:
            self.left_out.append((path, f"cannot be read: {error.strerror}"))
            return None
        if b"\0" in data[:8_000]:
            self.left_out.append((path, "not a text file"))
            return None
        self.seen[path] = hashlib.sha256(data).hexdigest()
        return data.decode("utf-8-sig", "replace").split("\n")


def pack(
    question: str,
    *,
    repo: Repo,
    cache: Path,
    budget: int,
    pinned: Sequence[str] = (),
    now: datetime,
    timeout_s: float = 8.0,
) -> Context:
    """Return what a question shows the model: at most `budget` o200k tokens beside what the user named or pinned."""
    del now
    files = repo.files()
    paths = [file.path for file in files]
    tags, missing = index.refresh(repo.root, files, cache, timeout_s=timeout_s)
    named = mention.mentions(question, paths)
    chosen = [*dict.fromkeys([*(each.path for each in named), *(path for path in pinned if path in set(paths))])]
    ranked = rank.rank(question, tags, paths, chosen)
    by_path = {each.path: each for each in ranked}
    kit = _Pack(repo, budget, [], [], [], {})
    for name in _RULES:
        if name in paths and name not in chosen:
            lines = kit.read(name)
            if lines is not None and kit.add(
                name, f"{name} (rules of this repository)", "\n".join(lines), "rules of the repository"
            ):
                break
    ranges = {each.path: each for each in named}
    for path in chosen:
        why = "pinned" if path in pinned else "mentioned"
        _show(kit, path, why, tags.get(path), by_path.get(path), ranges.get(path), question, must=True)
    asked = set(mention.words(question))
    related = [
        each
        for each in ranked
        if each.path not in chosen
        and each.symbols
        and (not chosen or any(tag.name in asked and len(tag.name) > 4 for tag in each.symbols))
    ]
    room = max(0, (budget - kit.used) // 2) if chosen else budget * 2 // 3
    start = kit.used
    for each in related[: _RELATED if not chosen else 2]:
        strong = each.score >= 0.5 * ranked[0].score if ranked else False
        if kit.used - start >= room or not strong:
            break
        _show(kit, each.path, each.why, tags.get(each.path), each, None, question, must=False)
    if not kit.sections and sum(file.size for file in files) <= _SMALL_REPO:
        for path in paths:
            _show(kit, path, "the repository is small enough to show", tags.get(path), None, None, question, must=False)
    shown = {section.path for section in kit.sections}
    rest = [each for each in ranked if each.path not in shown and not gate.is_secret_file(each.path)]
    text, mapped = repo_map.draw(rest, tags, min(budget - kit.used, 400 if chosen else 1_000))
    if text:
        kit.add(
            "",
            "Repository map (signatures only; these files are not shown)",
            text,
            f"what surrounds it: {len(mapped)} files",
        )
    elif not kit.sections and paths:
        listing = "\n".join(path for path in paths[:150] if not gate.is_secret_file(path))
        kit.add("", f"Files ({len(paths)})", listing, "nothing in the question names a file")
    note = f"{len(tags)} of {len(tags) + missing} files indexed so far" if missing else ""
    sections = tuple(sorted(kit.sections, key=lambda section: bool(section.path)))
    total = tokens.count("\n".join(section.text for section in sections)) if sections else 0
    return Context(sections, total, tuple(kit.masked), tuple(kit.left_out), tuple(kit.seen.items()), note)


def _show(
    kit: _Pack,
    path: str,
    why: str,
    tags: Tags | None,
    ranked: Ranked | None,
    named: mention.Mention | None,
    question: str,
    *,
    must: bool,
) -> None:
    """Show a file: the lines the question names, else all of a small file, else the symbols it is about."""
    lines = kit.read(path)
    if lines is None:
        return
    if named is not None and named.first:
        first, last = max(1, named.first), min(len(lines), max(named.first, named.last))
        kit.add(
            path, f"{path}:{first}-{last}", "\n".join(lines[first - 1 : last]), why, first=first, last=last, must=must
        )
        return
    text = "\n".join(lines)
    exact = [tag for tag in (tags.defs if tags else ()) if tag.name in set(mention.words(question))]
    small = tokens.rough(text) <= (_WHOLE // 2 if exact else _WHOLE)
    if small and kit.add(path, path, text, why, first=1, last=max(1, len(lines) - (not lines[-1])), must=must):
        return
    symbols = exact or list(ranked.symbols[:3] if ranked else ())
    if not symbols and must and named is not None and named.sure:
        kit.add(path, path, text, why, first=1, last=len(lines), must=True)
        return
    for first, last in _ranges(symbols, len(lines), head=must):
        names = ", ".join(tag.name for tag in symbols if first <= tag.start <= last)
        kit.add(
            path,
            f"{path}:{first}-{last}",
            "\n".join(lines[first - 1 : last]),
            f"{why}{': ' + names if names else ''}",
            first=first,
            last=last,
            must=must,
        )
    if tags and must:
        kit.add(
            "", f"Outline of {path}", repo_map.outline(path, tags, [tag.name for tag in symbols]), f"the rest of {path}"
        )


def _ranges(symbols: Sequence[Tag], size: int, *, head: bool) -> list[tuple[int, int]]:
    """Return the ranges of lines around symbols, joined where they touch; the head of the file holds its imports."""
    ranges = [(max(1, tag.start - _AROUND), min(size, tag.end + _AROUND)) for tag in symbols]
    if head:
        ranges.append((1, min(size, _HEAD if not symbols else 12)))
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 4:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
