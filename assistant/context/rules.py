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
_READ = 1_000_000
_MOST = 12
_WARNINGS = 20
_HIDDEN = f"(?!\r){HIDDEN}"
"""A carriage return ends lines in files of some systems, and hides nothing from a model."""


class RuleFile(NamedTuple):
    """One rules file: its path, its text with hidden characters made visible, and warnings for the user.

    `link` is the path under which it applies if that is a link to it. `unread` says why a link is not followed: then
    there is no text.
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

    The rules of `later` ones were told with the questions after it, in this order. A folder once told of is never
    forgotten: where rules came and went with the files that are shown, each change would move all that was said before,
    and a provider's cache would find none of it again.
    """

    first: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of the folders, in the order in which they were told of."""
        return (*self.first, *self.later)

    def told(self, folders: Iterable[str]) -> Ruled:
        """Return what was told after another question, whose context had the rules of `folders`."""
        return Ruled(self.first, (*self.later, *(each for each in folders if each not in self.all)))


def rules(
    repo: Repo,
    paths: Iterable[str] = (),
    *,
    told: Iterable[str] = (),
    may_be_shown: Callable[[str], bool] = lambda _: False,
) -> list[RuleFile]:
    """Return the rules files that apply to some paths, the root's first, each once.

    Those of the root always apply, then those of the folders that were `told` of; `paths` (files with "/", relative to
    the root) add the ones on the way to them. A link is followed only to a file inside the root that `may_be_shown`.
    """
    folders: set[str] = set()
    for path in paths:
        pieces = path.split("/")[:-1]
        folders.update("/".join(pieces[: depth + 1]) + "/" for depth in range(min(len(pieces), 40)))
    found: list[RuleFile] = []
    for folder in dict.fromkeys(["", *told, *sorted(folders, key=lambda each: (each.count("/"), each))]):
        for name in NAMES:
            rule = _read(repo, folder, name, may_be_shown)
            if rule is None:
                continue
            if any(rule.path == other.path for other in found):
                break  # two links to one file
            if len(found) == _MOST:
                last = found[-1]
                found[-1] = RuleFile(
                    last.path,
                    last.text,
                    (*last.warnings, f"more than {_MOST} rules files: the deeper ones are left out"),
                )
                return found
            found.append(rule)
            if not rule.unread:
                break
    return found


def _read(repo: Repo, folder: str, name: str, may_be_shown: Callable[[str], bool]) -> RuleFile | None:
    """Read one rules file, or the file that it links to; None where there is none."""
    path = folder + name
    try:
        return _rule(path, repo.read(path, _READ))
    except RepoError:
        if not Path(repo.root, path).is_symlink():
            return None
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
