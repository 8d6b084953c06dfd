"""Which paths are left out, and which regular files a plain folder holds when there is no git to ask.

Ignore files are data of the repository: they are cut at a size, and a pattern that would make matching slow is widened
until it is quick, so that it leaves out too much rather than too little (reliability.md A16).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".wattsonignore"
_LARGEST = 256_000
_LINES = 2_000
_LONGEST = 500
_STARS = 3
_MOST = 500_000
_DEEPEST = 100
_JUNK = {
    "node_modules", "__pycache__", "venv", "dist", "build", "target", "bower_components", "vendor.bundle", "site-packages",
}  # fmt: skip
_SEEN_DOTS = {".github", ".gitlab", ".circleci", ".devcontainer", ".vscode"}


def _pattern(line: str) -> str:
    """Return a line as it is safe to match: a part with too many stars ends in one that takes everything."""
    line = line[:_LONGEST] if len(line) <= _LONGEST else line[: _LONGEST - 2] + "**"
    parts = []
    for part in line.split("/"):
        pieces = re.split(r"\*+", part)
        if part.strip("*") and len(pieces) > _STARS + 1:
            part = "*".join(pieces[:_STARS]) + "*"  # noqa: PLW2901 - the part, made safe
        if part.count("[") > _STARS:
            part = part.split("[", 1)[0] + "*"  # noqa: PLW2901
        parts.append(part)
    # Each ** is a loop over what lies between slashes.
    if parts.count("**") > _STARS:
        parts = [*parts[: parts.index("**")], "**"]
    return "/".join(parts)


def _read(path: Path) -> GitIgnoreSpec | None:
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return None
    import pathspec

    lines = [_pattern(line) for line in text.splitlines()[:_LINES] if line.strip() and not line.startswith("#")]
    kept = []
    for line in lines:
        try:
            pathspec.GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue  # git passes over a pattern that means nothing, and so do we
        kept.append(line)
    return pathspec.GitIgnoreSpec.from_lines(kept) if kept else None


def ignored(root: Path) -> Callable[[str], bool]:
    """Return a test for paths (with "/", relative to the root) that our own ignore file names."""
    spec = _read(root / IGNORE_FILE)
    if spec is None:
        return lambda _: False
    return lambda path: bool(spec.match_file(path))


def walk(root: Path) -> list[str]:
    """List the regular files of a folder that is not under git, sorted, obeying the .gitignore files that lie in it.

    Links are not followed, so no loop is entered; hidden folders, caches and what tools build are passed over.
    """
    paths: list[str] = []
    stack: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...], int]] = [("", (), 0)]
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
                if not hidden and entry.name not in _JUNK and depth < _DEEPEST and not _left_out(f"{path}/", specs):
                    stack.append((f"{path}/", specs, depth + 1))
            elif entry.is_file(follow_symlinks=False) and not _left_out(path, specs):
                paths.append(path)
    return sorted(paths)


def _left_out(path: str, specs: tuple[tuple[str, GitIgnoreSpec], ...]) -> bool:
    """Ask the ignore files from the nearest up; the first with an opinion decides."""
    for base, spec in reversed(specs):
        verdict = spec.check_file(path[len(base) :]).include
        if verdict is not None:
            return verdict
    return False
