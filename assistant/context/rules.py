"""Rules files: what a repository asks of whoever works on it, as data. AGENTS.md, or CLAUDE.md if there is none.

A nested file applies to what lies below it. A link stands for the file that it leads to, if that may be shown. Nothing
in such a file is expanded, imported or obeyed here: it is cut at a size and shown to the user in the manifest, and
characters that hide words from a reader are made visible.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant.errors import RepoError
from assistant.visible import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assistant.context.repo import Repo

NAMES = ("AGENTS.md", "CLAUDE.md")
_LARGEST = 32_000
_READ = 20_000_000
_MOST = 12
FULL = f"no more than {_MOST} rules files go along with a question"
"""Why a rules file is not read that others come before."""
_WARNINGS = 20
_HIDDEN = f"(?!\r){HIDDEN}"
"""A carriage return ends lines in files of some systems, and hides nothing from a model."""


class RuleFile(NamedTuple):
    """One rules file: its path, its text with hidden characters made visible, and warnings for the user.

    `link` is the path under which it applies if that is a link to it. `unread` says why a file is not read, or a link
    is not followed: then there is no text.
    """

    path: str
    text: str
    warnings: tuple[str, ...] = ()
    link: str = ""
    unread: str = ""

    @property
    def folder(self) -> str:
        """The folder to which it applies, empty for the root."""
        return "".join((self.link or self.path).rpartition("/")[:2])


class Ruled(NamedTuple):
    """The folders below the root whose rules a conversation has been told: `first` with its first question.

    The rules of `later` ones were told with the questions after it, in this order. They are folders that the user
    marked something in, and are never forgotten: where the rules that stand before the conversation came and went with
    the files that are shown, each change would move all that was said, and a provider's cache would find none of it
    again. Folders of other files that are shown are not among them, and so take no room from the questions to come.
    """

    first: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of the folders, in the order in which they were told of."""
        return (*self.first, *self.later)

    @property
    def foremost(self) -> tuple[str, ...]:
        """All of the folders, in the order in which they get room: those that all stands behind, then the latest."""
        return (*self.first, *reversed(self.later))

    def told(self, folders: Iterable[str]) -> Ruled:
        """Return what was told after another question, whose context had the rules of `folders`."""
        return Ruled(self.first, (*self.later, *(each for each in folders if each not in self.all)))


def folders(paths: Iterable[str]) -> list[str]:
    """Return the folders on the way to some paths (files with "/", relative to the root), those near the root first."""
    found: set[str] = set()
    for path in paths:
        pieces = path.split("/")[:-1]
        found.update("/".join(pieces[: depth + 1]) + "/" for depth in range(min(len(pieces), 40)))
    return sorted(found, key=lambda each: (each.count("/"), each))


def rules(
    repo: Repo,
    paths: Iterable[str] = (),
    *,
    before: Iterable[str] = (),
    may_be_shown: Callable[[str], bool] = lambda _: False,
) -> list[RuleFile]:
    """Return the rules files that apply to some paths, the root's first, each once; all but the first few are `unread`.

    Those of the root always apply, then those of the folders `before`, in their order; `paths` add the ones on the way
    to them. A link is followed only to a file inside the root that `may_be_shown`.
    """
    found: dict[str, RuleFile] = {}
    room = _MOST
    for folder in dict.fromkeys(["", *before, *folders(paths)]):
        for name in NAMES:
            rule = _read(repo, folder, name, may_be_shown)
            if rule is None:
                continue
            if rule.path in found:
                break  # two links to one file
            if not room:
                rule = RuleFile(rule.path, "", link=rule.link, unread=rule.unread or FULL)
            found[rule.path] = rule
            if not rule.unread:
                room -= 1
            if not rule.unread or not Path(repo.root, folder + name).is_symlink():
                break  # a file that is there is not replaced by the other one, whether it can be read or not
    return list(found.values())


def _read(repo: Repo, folder: str, name: str, may_be_shown: Callable[[str], bool]) -> RuleFile | None:
    """Read one rules file, or the file that it links to; None where there is none."""
    path = folder + name
    try:
        return _rule(path, repo.read(path, _READ))
    except RepoError as error:
        if not Path(repo.root, path).is_symlink():
            return RuleFile(path, "", unread=error.message.rstrip(".")) if Path(repo.root, path).is_file() else None
    base = os.path.realpath(repo.root)
    real = os.path.realpath(os.path.join(base, path))  # noqa: PTH118 - joined as text, as the links are written
    if not real.startswith(base + os.sep):
        return RuleFile(path, "", unread="a link that leads out of this folder")
    target = real[len(base) + 1 :].replace(os.sep, "/")
    if target in {folder + other for other in NAMES}:
        return None  # it applies by itself
    if not may_be_shown(target):
        return RuleFile(path, "", unread=f"a link to {target}, which is no file that may be shown")
    try:
        return _rule(target, repo.read(target, _READ))._replace(link=path)
    except RepoError as error:
        return RuleFile(path, "", unread=error.message)


def _rule(path: str, data: bytes) -> RuleFile:
    warnings: list[str] = []
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    if len(text) > _LARGEST:
        warnings.append(f"{path}: {len(text)} letters, only the first {_LARGEST} are shown")
        text = text[: text.rfind("\n", 0, _LARGEST) + 1 or _LARGEST]
    text, hidden = reveal(text, path)
    return RuleFile(path, text, (*warnings, *hidden))


def reveal(text: str, path: str) -> tuple[str, tuple[str, ...]]:
    """Make hidden characters visible as `<U+202E>`.

    Returns the text, and a warning for each with file, line and code point.
    """
    warnings: list[str] = []
    parts: list[str] = []
    at, line, count = 0, 1, 0
    for match in re.finditer(_HIDDEN, text):
        line += text.count("\n", at, match.start())
        code = f"U+{ord(match[0]):04X}"
        parts += (text[at : match.start()], f"<{code}>")
        at = match.end()
        count += 1
        if count <= _WARNINGS:
            import unicodedata  # most files hide nothing

            warnings.append(f"{path}:{line}: hidden character {code} ({unicodedata.name(match[0], 'control').lower()})")
    if count > _WARNINGS:
        warnings.append(f"{path}: {count - _WARNINGS} more hidden characters")
    return ("".join([*parts, text[at:]]) if count else text), tuple(warnings)
