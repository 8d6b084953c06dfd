"""The files of a repository by the names that people and tools give them: whole, from where the user stands, by end."""

from __future__ import annotations

import contextlib
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.context import package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_OTHER_SCRIPT = r"[^\x00-\x7f]+"
_OF_CLASS = r"([\w$.]{1,300})\($"
"""What stands before the file in a frame of Java: package, class and method."""
_ESCAPE = r"(?:%[0-9A-Fa-f]{2})+"
_DIFF_SIDES = frozenset({"a/", "b/", "i/", "w/", "c/", "o/"})
"""What git puts before the names in a diff."""
_MAJOR = r"/v\d{1,3}(?=[@/]|$)"
"""A later major version in the path of a Go module."""
_HEAD = 4_000
"""Characters of a `go.mod` or `pubspec.yaml` that are searched for its name."""
_LIBRARY = frozenset(
    {"site-packages", "dist-packages", "node_modules", "vendor", "gems", "lib", "lib64", "pkg", "registry", "local", "include", "share", "etc", "proc", "jvm", "nix"}
)  # fmt: skip
"""Folders that contain the files of others."""
PATH = 300
"""Characters of the longest path that is looked for."""
_ASKED = 200
"""How often the text is asked which package a path is in: a log may name thousands of places."""
_MOVES = 10
"""The most times that a file may have been renamed since it had a name."""


class Files:
    """The known paths, by whole path and by last name.

    `stand` is the folder that the user stands in, below the root and with "/" at its end, empty for the root itself:
    paths are read from there first. `moved` returns the present paths of files by the paths that they had earlier; it
    is asked only for a name that no file has. `vague` are names that fit several files, with these; `old` are names
    that a file had before it was renamed, with the one that it has now.
    """

    def __init__(
        self,
        paths: Iterable[str],
        root: str = "",
        *,
        stand: str = "",
        moved: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.whole = set(paths)
        self.root = root.replace("\\", "/").rstrip("/")
        self.stand = stand
        self.vague: dict[str, list[str]] = {}
        self.old: dict[str, str] = {}
        self._moved = moved
        self._ends: dict[str, list[str]] | None = None
        self._folders: set[str] | None = None
        self._homes: set[str] | None = None
        self._heads: dict[str, str] = {}
        self._asked = 0
        self._earlier: Mapping[str, str] | None = None
        self._earlier_ends: dict[str, list[str]] = {}
        self._renamed: dict[str, str | None] = {}
        self._endings: set[str] | None = None
        self._spaced: dict[str, list[str]] | None = None

    def find(self, name: str, *, placed: bool = False, text: str = "", at: int = 0) -> str | None:
        """Return the one path that a name may mean, as read from where the user stands, from the root, or by its end.

        `placed` says that a line stands with it, as in an error: then a file at the root may have any project folder
        above it, and what else stands in the `text`, with the name at `at`, may say which package it is in.
        """
        if name in self.whole and not self.stand and not placed:
            return name
        written = name
        name = re.sub("/{2,}", "/", name.replace("\\", "/"))
        rooted = bool(self.root) and name.startswith(self.root + "/")
        if rooted:
            name = name[len(self.root) + 1 :]
        outside, home = name.startswith("/") or name[1:3] == ":/", name.startswith("~/")
        here = None if rooted or outside or home else self._from_here(name)
        while name.startswith(("./", "../", "~/")):
            name = name.split("/", 1)[1]
        name = name.strip("/").rstrip(".")
        sides = (name, name[2:] if name[:2] in _DIFF_SIDES else "")
        exact = here or next((tried for tried in sides if tried and tried in self.whole), None)
        if exact is not None and (rooted or outside or home or not placed):
            return exact
        if not name or outside:
            # An absolute path outside of the root: the same project on another machine, if the end in common is long
            # enough.
            return self._by_longest_end(name) or (self._at_root(name) if placed else None)
        options = [path for path in self._called(name) if path == name or path.endswith(f"/{name}")]
        said = self._said(name, options, text, at) if text else None
        if said or exact is not None:
            return said or exact
        if not options:
            return self._by_longest_end(name) if home else self._below(name)
        options = [path for path in options if path.startswith(self.stand)] or options
        if len(options) == 1:
            return options[0]
        if found := self._said(name, options, text, at, loose=True):
            return found
        self.vague[written] = options
        return None

    def ending(self, name: str) -> list[str]:
        """Return the paths that end in a name, below some folder."""
        return [path for path in self._called(name) if path.endswith(f"/{name}")]

    def _from_here(self, name: str) -> str | None:
        """Return the file that a path leads to from where the user stands, if that is not the root."""
        path = posixpath.normpath(self.stand + name) if self.stand and name else ""
        return path if path in self.whole else None

    def _said(self, name: str, options: Sequence[str], text: str, at: int, *, loose: bool = False) -> str | None:
        if len(options) < 2 or self._asked == _ASKED:
            return None
        self._asked += 1
        return package.meant(name, options, text, at, whole=self.whole, head=self._head, loose=loose)

    def renamed(self, name: str) -> str | None:
        """Return the path that a file has now which once had the path `name`, or one that ends so."""
        kinds = self._kinds()
        if name.rsplit("/", 1)[-1].rpartition(".")[2].lower() not in kinds:
            return None
        if name not in self._renamed:
            self._renamed[name] = self._now(name)
        if path := self._renamed[name]:
            self.old[name] = path
        return path

    def _now(self, name: str) -> str | None:
        if self._earlier is None:
            self._earlier = self._moved()
            for each in self._earlier:
                self._earlier_ends.setdefault(_last_two(each), []).append(each)
        moved = self._earlier
        plain = name.replace("\\", "/")
        outside = plain.startswith("/") or plain[1:3] == ":/"
        pieces = [each for each in plain.removeprefix(f"{self.root}/").split("/") if each not in {"", ".", ".."}]
        tried = ["/".join(pieces[at:]) for at in range(max(1, len(pieces) - 1) if outside else 1)]
        tried = [f"{self.stand}{tried[0]}"] * bool(self.stand and tried) + tried
        old = next((each for each in tried if each in moved), "")
        if not old and len(pieces) > 1 and not outside:
            alike = self._earlier_ends.get(_last_two(tried[-1]), ())
            ends = [each for each in alike if each.endswith(f"/{tried[-1]}")]
            old = ends[0] if len(ends) == 1 else ""
        path = moved.get(old, "")
        for _ in range(_MOVES):
            if path in self.whole or path not in moved:
                break
            path = moved[path]
        return path if path in self.whole else None

    def _kinds(self) -> set[str]:
        """Return the endings of the known files."""
        if self._endings is None:
            self._endings = {
                path[path.rfind(".") + 1 :].lower() for path in self.whole if "." in path[path.rfind("/") + 1 :]
            }
        return self._endings

    def guess(self, name: str, before: str, *, placed: bool) -> str | None:
        """Return the one path that is meant although `find` finds none, judging by the text before the name.

        The name may be in a frame of Java, whose package is the folder; contain a blank; have escapes as in an address;
        or stand in a sentence of a script without blanks.
        """
        if before.endswith("(") and "/" not in name and (chain := re.search(_OF_CLASS, before)):
            packages = chain[1].split(".")
            for size in range(len(packages) - 1, 0, -1):
                end = f"/{'/'.join(packages[:size])}/{name}"
                if len(same := [path for path in self._called(name) if f"/{path}".endswith(end)]) == 1:
                    return same[0]
        if before.endswith("package:"):
            return self._of_package(*name.partition("/")[::2])
        if self._spaced is None:
            self._spaced = {}
            for path in self.whole:
                if " " in path:
                    self._spaced.setdefault(path.rsplit(" ", 1)[-1].rsplit("/", 1)[-1], []).append(path)
        said = before[-PATH:] + name
        for path in self._spaced.get(name.rsplit("/", 1)[-1], ()):
            if re.search(
                rf"(?<![\w-]){re.escape(path.rsplit('/', 1)[-1] if ' ' in path.rsplit('/', 1)[-1] else path)}$", said
            ):
                return path
        if "%" in name and (plain := _unescaped(name)) != name:
            return self.find(plain, placed=placed)
        if not name.isascii():
            bits = [bit for bit in re.split(_OTHER_SCRIPT, name) if "." in bit and "/" in bit.strip("./")]
            return self.find(bits[0], placed=placed) if bits else None
        return None

    def _of_package(self, called: str, name: str) -> str | None:
        """Return the file that Dart calls `package:shop/cart.dart`.

        It lies in the folder `lib` of the package: a folder of that name, or one whose `pubspec.yaml` has that name.
        """
        homes = [path[: -len(f"lib/{name}")] for path in self._called(name) if f"/{path}".endswith(f"/lib/{name}")]
        said = re.compile(rf"(?m)^name:\s{{0,9}}['\"]?{re.escape(called)}\b")
        mine = [home for home in homes if f"/{home}".endswith(f"/{called}/") or said.search(self._head(f"{home}pubspec.yaml"))]  # fmt: skip
        return f"{mine[0]}lib/{name}" if len(mine) == 1 else None

    def _head(self, path: str) -> str:
        """Return the beginning of a known file, empty where it cannot be read; it is kept for further lines."""
        if not self.root or path not in self.whole:
            return ""
        if path not in self._heads:
            self._heads[path] = ""
            with contextlib.suppress(OSError), Path(self.root, path).open(encoding="utf-8", errors="replace") as file:
                self._heads[path] = file.read(_HEAD)
        return self._heads[path]

    def _called(self, name: str) -> Sequence[str]:
        """Return the paths with the same last name as a path."""
        if self._ends is None:
            self._ends = {}
            for path in self.whole:
                self._ends.setdefault(path.rsplit("/", 1)[-1], []).append(path)
        return self._ends.get(name.rsplit("/", 1)[-1], ())

    def _below(self, name: str) -> str | None:
        """Return the path below the name of the project, as Go writes its module and Elixir its dependencies."""
        if self._homes is None:
            self._homes = {self.root.rsplit("/", 1)[-1], self._module()} - {""}
        for pieces in (name.split("/"), re.sub(_MAJOR, "", name).split("/")):
            for at in range(len(pieces) - 1, 0, -1):
                if pieces[at - 1].partition("@")[0] in self._homes and (tried := "/".join(pieces[at:])) in self.whole:
                    return tried
        return None

    def _module(self) -> str:
        """Return the last name of the project's Go module: a checkout may have any name."""
        module = re.search(r"(?m)^module\s{1,9}\"?(?P<path>[^\s\"]{1,200})", self._head("go.mod"))
        return re.sub(_MAJOR, "", module["path"]).rsplit("/", 1)[-1] if module else ""

    def _at_root(self, name: str) -> str | None:
        """Return a file of the root by its last name, if that is unique and the path is not that of a library."""
        if found := self._below(name):
            return found
        last = name.rsplit("/", 1)[-1]
        return last if [*self._called(name)] == [last] and _LIBRARY.isdisjoint(name.split("/")) else None

    def _by_longest_end(self, name: str) -> str | None:
        pieces = name.split("/")
        for at in range(1, len(pieces) - 1):
            tried = "/".join(pieces[at:])
            if tried in self.whole:
                return tried
        return None

    def folder(self, name: str) -> str | None:
        """Return a folder as it stands in the paths, with "/" at its end; None for others, and for "/" or "./".

        It is read from where the user stands first, but with "/" before it from the root.
        """
        name = name.replace("\\", "/").removeprefix("./")
        stand = "" if name.startswith("/") else self.stand
        name = name.strip("/")
        if self._folders is None:
            self._folders = set()
            for path in self.whole:
                while "/" in path:
                    path = path.rsplit("/", 1)[0]  # noqa: PLW2901 - upwards, until a folder is known
                    if path in self._folders:
                        break
                    self._folders.add(path)
        here = posixpath.normpath(stand + name) if stand and name else ""
        return next((f"{each}/" for each in (here, name) if each in self._folders), None)


def _last_two(path: str) -> str:
    """Return the last name of a path, and the folder before it: many files are called `index.ts`."""
    return "/".join(path.rsplit("/", 2)[-2:])


def _unescaped(name: str) -> str:
    """Return a path from an address as it is written on the disk."""
    return re.sub(_ESCAPE, lambda match: bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "replace"), name)
