"""Which paths are left out, and which regular files a plain folder holds where there is no git to ask.

Lines of an ignore file mean what git's documentation says: the last line that fits decides, what lies in an excluded
folder cannot be included again, and a malformed line fits nothing. Ignore files are data of the repository: they are
cut at a size, and each line becomes an expression that never backtracks, so that matching takes time linear in the
lines and the path: a pattern of thirty stars must not stall a question.
"""

from __future__ import annotations

import os
import re
import stat
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

IGNORE_FILE = ".wattsonignore"
_LARGEST = 256_000
_LINES = 2_000
_PATH = 4_096
"""Bytes of the longest path: a line that needs a longer one fits nothing."""
_MOST = 500_000
_DEEPEST = 100
_JUNK = {
    "node_modules", "__pycache__", "venv", "dist", "build", "target", "bower_components", "vendor.bundle", "site-packages",
}  # fmt: skip
_SEEN_DOTS = {".github", ".gitlab", ".circleci", ".devcontainer", ".vscode"}
_STAR = "*"
_ANY = "[^/]"
_SOON, _LATE = "(?:.*?/)??", "(?:.*/)?"
"""Any number of folders, one below the other, or none: as few, or as many, as possible."""


class _Line(NamedTuple):
    """A line of an ignore file.

    `keeps` says that it includes again, `folders` that it fits folders only, `anywhere` that it fits names at any
    depth.
    """

    keeps: bool
    folders: bool
    anywhere: bool
    expression: str


@cache
def _classes() -> dict[str, str]:
    """Return the members of `[:alnum:]` and its like in a set of letters."""
    import string  # imported late: hardly any line has one

    return {
        "alnum": string.ascii_letters + string.digits, "alpha": string.ascii_letters, "blank": " \t", "digit": string.digits,
        "cntrl": "".join(map(chr, (*range(32), 127))), "graph": "".join(map(chr, range(33, 127))), "lower": string.ascii_lowercase,
        "print": "".join(map(chr, range(32, 127))), "punct": string.punctuation, "space": " \t\n\r", "upper": string.ascii_uppercase,
        "xdigit": string.hexdigits,
    }  # fmt: skip


def _line(text: str) -> _Line | None:
    """Return the meaning of a line; None where it is a comment or can fit nothing. One letter stands for one byte."""
    text = text.split("\0", 1)[0].removesuffix("\r")
    if text.startswith("#"):
        return None
    text = _trimmed(text)
    keeps = text.startswith("!")
    text = text[keeps:]
    folders = text.endswith("/")
    text = text[: len(text) - folders]
    anywhere = "/" not in text
    parts = _parts(text.removeprefix("/"))
    if not text or parts is None or sum(map(len, parts)) - text.count(_STAR) > _PATH:
        return None
    return _Line(keeps, folders, anywhere, _name(parts[0]) if anywhere else _path(parts))


def _trimmed(text: str) -> str:
    """Return a line without the blanks at its end, except one that a backslash keeps."""
    bare = text.rstrip(" ")
    slashes = len(bare) - len(bare.rstrip("\\"))
    return text[: len(bare) + (slashes % 2)]


def _parts(text: str) -> list[list[str]] | None:
    """Cut a pattern at its slashes, and each part into stars and expressions for one letter; None if malformed."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        sign = text[at]
        at += 1
        if sign == "[":
            found = _set(text, at)
            if found is None:
                return None
            members, at = found
            if not members:
                return None
            parts[-1].append(_class(members))
            continue
        if sign == "*":
            parts[-1].append(_STAR)
            continue
        if sign == "?":
            parts[-1].append(_ANY)
            continue
        if sign == "\\":
            if at == len(text):
                return None
            sign = text[at]
            at += 1
        if sign == "/":
            parts.append([])
        else:
            parts[-1].append(re.escape(sign))
    return parts


def _set(text: str, at: int) -> tuple[frozenset[int], int] | None:
    """Read a set in brackets, from behind the opening one; return the bytes it fits (no slash), and its end."""
    negated = text[at : at + 1] in {"!", "^"} and at < len(text)
    at += negated
    members: set[int] = set()
    before = ""
    first = True
    while first or text[at : at + 1] != "]":
        first = False
        sign = text[at : at + 1]
        if not sign:
            return None
        if sign == "\\":
            at += 1
            sign = text[at : at + 1]
            if not sign:
                return None
            members.add(ord(sign))
        elif sign == "-" and before and text[at + 1 : at + 2] not in {"", "]"}:
            at += 1
            at += text[at] == "\\"
            if at >= len(text):
                return None
            members.update(range(ord(before), ord(text[at]) + 1))
            sign = ""
        elif text.startswith("[:", at) and (end := text.find("]", at + 2)) != at + 2:
            if end < 0:
                return None
            if text[end - 1] == ":" and end - 1 >= at + 2:
                named = _classes().get(text[at + 2 : end - 1])
                if named is None:
                    return None
                members.update(map(ord, named))
                at, sign = end, ""
            else:
                members.add(ord(sign))
        else:
            members.add(ord(sign))
        before = sign
        at += 1
    found = frozenset(range(256)) - members if negated else frozenset(members)
    return found - {ord("/")}, at + 1


@lru_cache(maxsize=256)
def _class(members: frozenset[int]) -> str:
    edges = [each for each in sorted(members) if each - 1 not in members or each + 1 not in members]
    between = (each for each in edges if each + 1 in members)
    ends = {first: next(each for each in edges if each > first) for first in between}
    inner = set(ends.values())
    spans = [(each, ends.get(each, each)) for each in edges if each not in inner]
    return "[" + "".join(f"\\x{first:02x}-\\x{last:02x}" for first, last in spans) + "]"


def _name(part: list[str], end: str = r"\Z") -> str:
    """Return the expression for one name. Text between stars is matched at its first place, which is always enough."""
    pieces = [""]
    for each in part:
        if each == _STAR:
            pieces.append("")
        else:
            pieces[-1] += each
    first, *rest = pieces
    if not rest:
        return first + end
    middle = "".join(f"(?>[^/]*?{piece})" for piece in rest[:-1] if piece)
    return f"{first}{middle}[^/]*{rest[-1]}{end}"


def _path(parts: list[list[str]]) -> str:
    """Return the expression for a path. Names between two `**` are matched at their first place, as in a name."""
    groups: list[list[list[str]]] = [[]]
    for part in parts:
        if len(part) > 1 and part.count(_STAR) == len(part):
            groups.append([])
        else:
            groups[-1].append(part)
    first, *rest = groups
    above = _folders(first if rest else first[:-1])
    if not rest:
        return above + _name(first[-1])
    for group in rest[:-1]:
        if group:
            above += f"(?>{_SOON}{_folders(group)})"
    return above + _LATE + _folders(rest[-1][:-1]) + _name(rest[-1][-1]) if rest[-1] else above + "."


def _folders(parts: list[list[str]]) -> str:
    return "".join(f"(?>{_name(part, '/')})" for part in parts)


class Lines:
    """The lines of one ignore file: neighbouring lines of the same meaning are compiled into one expression."""

    __slots__ = ("_folders", "_keeps", "files")

    def __init__(self, lines: Iterable[_Line]) -> None:
        runs = [(keeps, list(some)) for keeps, some in groupby(lines, key=lambda line: line.keeps)][::-1]
        self._keeps = [keeps for keeps, _ in runs]
        self._folders = _expressions([some for _, some in runs])
        self.files = _expressions([[line for line in some if not line.folders] for _, some in runs])

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """Say whether a path itself, whatever lies above it, is excluded or included again; None where no line fits."""
        path = path if path.isascii() else os.fsencode(path).decode("latin-1")
        names, paths = self._folders if folder else self.files
        spots = [names.match(path, path.rfind("/") + 1) if names else None, paths.match(path) if paths else None]
        hits = [match.lastindex for match in spots if match is not None and match.lastindex]
        return not self._keeps[min(hits) - 1] if hits else None


def _expressions(runs: list[list[_Line]]) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return the expressions for names and for paths.

    The number of the group that fits is the number of the run; the last run comes first.
    """
    made: list[re.Pattern[str] | None] = []
    for anywhere in (True, False):
        groups = [[line.expression for line in some if line.anywhere == anywhere] for some in runs]
        # An alternative that fits nothing stands first: `re` would otherwise look for a prefix common to all lines, in
        # time that grows with the square of their number.
        text = "|".join(f"({'|'.join(dict.fromkeys(['(?!)', *some]))})" for some in groups)
        made.append(re.compile(text, re.DOTALL) if any(groups) else None)
    return made[0], made[1]


@lru_cache(maxsize=32)
def lines(data: bytes) -> Lines | None:
    """Return the meaning of the bytes of an ignore file; None where no line means anything."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    found = [line for each in text.split("\n")[:_LINES] if (line := _line(each))]
    return Lines(found) if found else None


def _read(path: Path) -> Lines | None:
    """Read an ignore file; anything but a regular file counts as none, and nothing that could block is waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            regular = stat.S_ISREG(os.fstat(handle).st_mode)
            return lines(file.read(_LARGEST)) if regular else None
    except OSError:
        return None


def pipes(root: Path) -> Iterator[str]:
    """Walk a repository for pipes that git would read as an ignore file, waiting for ever.

    Yields the path of each, and "" after each folder.
    """
    stack = [""]
    while stack:
        here = stack.pop()
        try:
            entries = list(os.scandir(root / here))
        except OSError:
            continue
        for entry in entries:
            if entry.name == ".gitignore" and stat.S_ISFIFO(entry.stat(follow_symlinks=False).st_mode):
                yield f"{here}{entry.name}"
            elif entry.name != ".git" and entry.is_dir(follow_symlinks=False):
                stack.append(f"{here}{entry.name}/")
        yield ""


def ignored(root: Path) -> Callable[[str], bool]:
    """Return a test for files that our own ignore file excludes, by their own path or by that of a folder above.

    Paths have "/" and are relative to the root.
    """
    found = _read(root / IGNORE_FILE)
    if found is None:
        return lambda _: False
    names, paths = found.files
    folders = {"": False}

    def climb(above: str) -> bool:
        fresh = []
        while above not in folders:
            fresh.append(above)
            above = above.rpartition("/")[0]
        out = folders[above]
        for each in reversed(fresh):
            out = folders[each] = out or bool(found.verdict(each, folder=True))
        return out

    def is_out(path: str) -> bool:
        at = path.rfind("/")
        above = path[:at] if at > 0 else ""
        out = folders.get(above)
        if climb(above) if out is None else out:
            return True
        if not path.isascii():
            return bool(found.verdict(path, folder=False))
        # Hardly any of a hundred thousand files is named.
        if not (names and names.match(path, at + 1)) and not (paths and paths.match(path)):
            return False
        return bool(found.verdict(path, folder=False))

    return is_out


def walk(root: Path) -> list[str]:
    """List the regular files of a folder that is not under git, sorted, obeying the .gitignore files in it.

    Links are not followed, so that no loop is entered; hidden folders, caches and build output are passed over.
    """
    paths: list[str] = []
    stack: list[tuple[str, tuple[tuple[str, Lines], ...], int]] = [("", (), 0)]
    while stack and len(paths) < _MOST:
        here, specs, depth = stack.pop()
        try:
            entries = sorted(os.scandir(root / here), key=lambda entry: entry.name)
        except OSError:
            continue
        if any(entry.name == ".gitignore" for entry in entries) and (spec := _read(root / here / ".gitignore")):
            specs = (*specs, (here, spec))
        for entry in entries:
            path = f"{here}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                hidden = entry.name.startswith(".") and entry.name not in _SEEN_DOTS
                if (
                    not hidden
                    and entry.name not in _JUNK
                    and depth < _DEEPEST
                    and not _left_out(path, specs, folder=True)
                ):
                    stack.append((f"{path}/", specs, depth + 1))
            elif (
                entry.name != ".git"
                and entry.is_file(follow_symlinks=False)
                and not _left_out(path, specs, folder=False)
            ):
                paths.append(path)
    return sorted(paths)


def _left_out(path: str, specs: tuple[tuple[str, Lines], ...], *, folder: bool) -> bool:
    """Ask the ignore files from the nearest folder upwards; the first with a verdict decides."""
    for base, spec in reversed(specs):
        verdict = spec.verdict(path[len(base) :], folder=folder)
        if verdict is not None:
            return verdict
    return False
