"""Which package of a repository the output of a tool is about, where a path in it fits files of several packages.

Tools print paths as they stand in a package, and name the package beside them: Go above (`# acme.io/b`), Cargo below
(``could not compile `acme-core` ``), Turborepo, pnpm, Nx and Lerna before each line, npm and make above.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

_MANIFESTS = {
    "go.mod": r"(?m)^module\s{1,9}\"?([^\s\"]{1,200})",
    "Cargo.toml": r"(?m)^name\s{0,9}=\s{0,9}[\"']([^\"'\n]{1,100})",
    "package.json": r"\"name\"\s{0,9}:\s{0,9}\"([^\"\n]{1,200})\"",
    "pyproject.toml": r"(?m)^name\s{0,9}=\s{0,9}[\"']([^\"'\n]{1,100})",
    "pubspec.yaml": r"(?m)^name:\s{0,9}['\"]?([\w-]{1,100})",
}
"""What says how a package is called, with the pattern of the name."""
_MOST = 50
"""The most files of one name whose packages are looked for."""
_REACH = 4_000
"""Characters before and behind a path in which a package counts as named with it."""
_BEFORE = r"(?:^[^\w\n]{0,6}|\b(?:Compiling|Building|package|project|workspace|run) |[`(\[|])"
"""What stands before the name of a package in the output of a tool."""
_CALLED = r"(?:package|crate|module|workspace|project|app|service|library|folder)"
"""What stands beside the name of a package in a sentence."""
_SHORT = 3
"""Letters of a name that is too short to tell a package without more."""
_ENTERED = r"(?:Entering directory|rootdir:|> cd) ?[`'\"]?([^`'\"\n]{1,400})"


def meant(
    name: str,
    options: Sequence[str],
    text: str,
    at: int,
    *,
    whole: Collection[str],
    head: Callable[[str], str],
    loose: bool = False,
) -> str | None:
    """Return the one of several files called `name` whose package `text` names with the path at `at`.

    `head` returns the beginning of a file. With `loose` any word of the text that is no everyday one may be the name of
    the package, as long as no other option's package is named as well.
    """
    if not 1 < len(options) <= _MOST:
        return None
    before, behind = text[max(0, at - _REACH) : at], text[at : at + _REACH]
    homes = dict.fromkeys(home for path in options if (home := _home(path, whole)))
    known = {home: _names(home, head) for home in homes}
    if loose:
        some = [home for home, names in known.items() if any(_word(each, before + behind) for each in names)]
        return _within(some[0], "", name, options) if len(some) == 1 else None
    found = [(place, home, tail) for home in known for place, tail in _said(known[home], before)]
    failed = [(place, home) for home in known for place in _failed(home, known[home], behind)]
    if failed:
        return _within(min(failed)[1], "", name, options)
    entered = [*re.finditer(_ENTERED, before)]
    if entered and (path := _entered(entered[-1][1], name, options)):
        return path
    _, home, tail = max(found, default=(0, "", ""))
    return _within(home, tail, name, options) if home else None


def _home(path: str, whole: Collection[str]) -> str:
    """Return the manifest of the package that a file lies in, empty where there is none."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        for each in _MANIFESTS:
            if (manifest := f"{folder}/{each}".lstrip("/")) in whole:
                return manifest
    return ""


def _names(manifest: str, head: Callable[[str], str]) -> list[str]:
    """Return how a package may be called: by the name in its manifest, by its folder, by the last name of that."""
    folder, _, last = manifest.rpartition("/")
    said = re.search(_MANIFESTS[last], head(manifest))
    return list(dict.fromkeys(filter(None, [said[1] if said else "", folder, folder.rpartition("/")[2]])))


def _said(names: Sequence[str], before: str) -> list[tuple[int, str]]:
    """Return where a package was last named above a path, with the folders in it that were named as well."""
    found = []
    for at, each in enumerate(names):
        if each not in before:
            continue
        # The bare name of a folder counts only where a tool puts it before each of its lines.
        ends = r"(?=:)" if at and "/" not in each else r"((?:/[\w.-]{1,100}){0,12})(?=[\s:@`'\")\]|]|$)"
        if some := [*re.finditer(f"(?m){_BEFORE}{re.escape(each)}{ends}", before)]:
            found.append((some[-1].start(), (some[-1][1] if some[-1].lastindex else "").strip("/")))
    return found


def _failed(manifest: str, names: Sequence[str], behind: str) -> list[int]:
    """Return where Cargo says below its errors which crate they are of."""
    if not manifest.endswith("Cargo.toml"):
        return []
    said = re.search(f"could not compile `{re.escape(names[0])}`", behind) if names else None
    return [said.start()] if said else []


def _word(name: str, text: str) -> bool:
    """Say whether a text names a package: by a name that is no everyday word, or in a place where packages are named."""
    if name not in text:
        return False
    bare = rf"(?<![\w/.@-]){re.escape(name)}(?![\w/-])"
    if len(name) > _SHORT and not name.isalpha():
        return bool(re.search(bare, text))
    said = rf"[`'\"]{bare}[`'\"]|\b{_CALLED} {bare}|{bare} {_CALLED}\b"
    return bool(re.search(f"{said}|\\bin {bare}" if len(name) > _SHORT else said, text))


def _within(manifest: str, tail: str, name: str, options: Sequence[str]) -> str | None:
    """Return the file that a path means in a package: below its folder, or the only option in it."""
    folder = "".join(manifest.rpartition("/")[:2])
    for tried in (f"{folder}{tail}/{name}" if tail else "", f"{folder}{name}"):
        if tried in options:
            return tried
    inside = [path for path in options if path.startswith(folder)]
    return inside[0] if len(inside) == 1 else None


def _entered(folder: str, name: str, options: Sequence[str]) -> str | None:
    """Return the option that lies in the folder which a tool says it has gone to: by the longest end of its path."""
    pieces = folder.strip().strip("/").split("/")
    tried = (f"{'/'.join(pieces[at:])}/{name}" for at in range(len(pieces)))
    return next((path for path in tried if path in options), None)
