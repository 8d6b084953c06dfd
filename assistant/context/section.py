"""What is shown to the model: titled parts (Section), and all of them together (Context)."""

from __future__ import annotations

from typing import NamedTuple

from assistant import visible

YOURS = "your words"
"""Stands in place of a path for the user's own words."""


class Masked(NamedTuple):
    """A secret that was kept back: its place (1-based line, 0 for the whole file) and its kind.

    `digest` identifies the secret without revealing it: with path and kind it is what `gate.mask` takes as allowed.
    """

    path: str
    line: int
    kind: str
    digest: str = ""

    @property
    def where(self) -> str:
        """The file with the line, or the file alone if all of it is kept back; on one line, whatever its name."""
        path = visible.name(self.path)
        return f"{path}:{self.line}" if self.line else path


class Section(NamedTuple):
    """A titled part of the context, with its size in o200k tokens and the reason why it is there.

    `path` is relative to the root with "/" between names, or a mark as it was written for a diff (`@diff`); `start` and
    `end` are the 1-based first and last line shown, 0 where the section is not a range of one file (a folder, `@diff`,
    names only). `lasting` says that it is the same for every question: it stands first, so that a provider's cache
    finds it again.
    """

    path: str
    start: int
    end: int
    title: str
    text: str
    tokens: int
    why: str
    lasting: bool = False


class Context(NamedTuple):
    """All that is shown. `tokens` counts `render()`, including titles.

    `read` pairs each path shown with the bytes that it had on disk. `left_out` pairs a path with the reason why it is
    not shown; `dropped` are paths that the user keeps out, and `allowed` the secrets that the user let through. `note`
    says if the index was not complete ("12 of 80 files indexed"), `unread` how many files were missing then. `pictures`
    describe what is sent besides text: their `tokens` are the model's own, and their `text` is not sent. `ruled` are
    the folders below the root whose rules are shown and stay for the conversation.
    """

    sections: tuple[Section, ...]
    tokens: int
    masked: tuple[Masked, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    read: tuple[tuple[str, bytes], ...] = ()
    note: str = ""
    dropped: tuple[str, ...] = ()
    allowed: tuple[Masked, ...] = ()
    unread: int = 0
    pictures: tuple[Section, ...] = ()
    ruled: tuple[str, ...] = ()

    @property
    def seen(self) -> tuple[tuple[str, str], ...]:
        """Each path shown with the SHA-256 (hex) of its bytes, so that a later patch can tell what changed."""
        import hashlib  # imported late: looking needs none, and the import takes longer than reading a file

        return tuple((path, hashlib.sha256(data).hexdigest()) for path, data in self.read)

    def render(self, *, lasting: bool | None = None) -> str:
        """Return the text that is sent: all of it, or only what is the same for every question, or only the rest."""
        return "\n".join(each.text for each in self.sections if lasting is None or each.lasting == lasting)
