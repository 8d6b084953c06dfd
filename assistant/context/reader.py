"""Reads what is to be shown, through the gate: secrets, non-text and large files stay out, and the user is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from assistant.context import gate, ignore
from assistant.context.section import Masked
from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from assistant.context.choose import Shown
    from assistant.context.gate import Allowed
    from assistant.context.measure import Measure
    from assistant.context.out import Out
    from assistant.context.repo import Repo

LARGEST = 400_000
"""Bytes of the largest file that is weighed piece by piece, or shown whole."""
_MOST = 20_000_000
"""Bytes of the largest file that is read at all."""
DROPPED = "taken out of the context"
NO_TEXT = "not a text file"
NAMED_IN = f"named in {ignore.IGNORE_FILE}"
SECRET_FILE = "secret file"  # noqa: S105 - the name of a kind
"""The kind of a file that is kept back by its name."""


def private(repo: Repo, out: Out, allowed: Collection[Allowed]) -> Callable[[str], str]:
    """Return a function that says why no line of a path may be sent, to anybody; empty where lines may be sent.

    It allows the same files as a context does: no secret files, unless the user let them through, none that an ignore
    file names, none that is kept `out`. A file that is not on the disk holds nothing that could be sent. The repository
    is listed once, when first needed: call the returned function in a thread.
    """
    ignored = ignore.ignored(repo.root)
    listed: set[str] = set()

    def why(path: str) -> str:
        if out.hides(path):
            return f"{path} is {DROPPED}"
        if gate.is_secret_file(path, repo.root) and (path, SECRET_FILE, "") not in allowed:
            return f"{path} is a file of secrets"
        if ignored(path):
            return f"{path} is {NAMED_IN}"
        if not os.path.lexists(repo.root / path):
            return ""
        if not listed:
            listed.update(file.path for file in repo.files())
        return "" if path in listed else f"{path} is ignored, a link, or too large, and so not shown"

    return why


class Reader:
    """Reads files to show them, and remembers what was read, masked and left out. `allowed` are secrets let through."""

    def __init__(self, repo: Repo, measure: Measure, allowed: Collection[Allowed] = ()) -> None:
        self.repo = repo
        self.measure = measure
        self.allowed = allowed
        self.masked: dict[str, tuple[Masked, ...]] = {}
        self.left_out: dict[str, str] = {}
        self.seen: dict[str, bytes] = {}
        self._secret: dict[str, bool] = {}
        self._ignored = ignore.ignored(repo.root)

    def is_secret(self, path: str) -> bool:
        """Say whether a file is kept back by its name, unless the user let it through."""
        if path not in self._secret:
            self._secret[path] = gate.is_secret_file(path, self.repo.root)
        return self._secret[path] and (path, SECRET_FILE, "") not in self.allowed

    def keeps_back(self, path: str) -> bool:
        """Say whether a file is kept back by its name alone; if so, note it for the user."""
        if self.is_secret(path):
            self.left_out[path] = "a file of secrets never leaves"
            self.masked[path] = (Masked(path, 0, SECRET_FILE),)
            return True
        if self._ignored(path):
            self.left_out[path] = NAMED_IN
            return True
        return False

    def read(self, path: str, *, named: bool = False, most: int = LARGEST) -> list[str] | None:
        """Return the lines of a file; None if it is secret, not text, or above `most` bytes and not `named`."""
        if self.keeps_back(path):
            return None
        try:
            data = self.repo.read(path, _MOST)
        except RepoError as error:
            self.left_out[path] = error.message
            return None
        if b"\0" in data[:8_000]:
            self.left_out[path] = NO_TEXT
            return None
        if len(data) > most and not named:
            return None
        self.seen[path] = data
        return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")

    def mask(self, file: Shown) -> None:
        """Replace secrets by their kind, in the lines and the names that are shown."""
        found = self._mask_names(file)
        if file.ranges and not file.heading:
            text, inside = gate.mask("\n".join(file.lines), file.path, self.allowed)
            file.lines = text.split("\n")
            found += [each for each in inside if any(first <= each.line <= last for first, last in file.ranges)]
        if found:
            self.masked[file.path] = tuple(found)

    def _mask_names(self, file: Shown) -> list[Masked]:
        """Mask the names of definitions that are only named: a heading or a key may hold a secret."""
        if not file.tags or not file.names or not gate.mask(file.named(), file.path, self.allowed)[1]:
            return []
        masked = [gate.mask(tag.name, file.path, self.allowed) for tag in file.tags.defs]
        defs = [tag._replace(name=name) for tag, (name, _) in zip(file.tags.defs, masked, strict=True)]
        file.tags = file.tags._replace(defs=tuple(defs))
        return [each._replace(line=file.tags.defs[at].declared) for at in file.names for each in masked[at][1]]

    def mask_diff(self, diff: str, path: str) -> str:
        """Mask a diff that is shown as its own section, `path`; bytes that are not UTF-8 become question marks."""
        clean, found = gate.mask_diff(diff, self.allowed)
        self.masked[path] = found
        return clean.encode("utf-8", "replace").decode()
