"""What is shown to the model: titled parts (Section), and all of them together (Context)."""

from __future__ import annotations

from typing import NamedTuple

from assistant import visible

YOURS = "your words"
"""What stands in place of a path for what the user said himself."""


class Masked(NamedTuple):
    """A secret that was kept back: where it stood (1-based line, 0 for the whole file) and what kind it was.

    `digest` names the secret without telling it: with path and kind it is what `gate.mask` takes as allowed.
    """

    path: str
    line: int
    kind: str
    digest: str = ""

    @property
    def where(self) -> str:
        """The file with the line, or the file alone where all of it is kept back; on one line, whatever its name holds."""
        path = visible.name(self.path)
        return f"{path}:{self.line}" if self.line else path


class Section(NamedTuple):
    """A titled part of the context, with its size in o200k tokens and the reason it is there.

    `path` is relative to the root with "/" between names, a mark as it was written for a diff (`@diff`); `start` and `end` are the 1-based
    first and last line shown, 0 where the section is not a range of one file (a folder, `@diff`, names only). `lasting`
    says that it is the same for every question: it stands first, so that a provider's cache finds it again.
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
    """All that is shown. `tokens` counts `render()`, titles included.

    `read` pairs each path shown with the bytes it had on disk. `left_out` pairs a path with why it is not shown; `dropped` are paths that the user keeps out, and
    `allowed` the secrets that the user let through. `note` says when the index was not complete ("12 of 80 files
    indexed"), `unread` how many files were missing then. `pictures` describe what goes along that is not text: `tokens` there are the
    model's own, and their `text` is not sent.
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

    @property
    def seen(self) -> tuple[tuple[str, str], ...]:
        """Each path shown with the SHA-256 (hex) of its bytes, so that a later patch can tell what changed since."""
        import hashlib  # to look asks for none, and this takes longer than to read a file

        return tuple((path, hashlib.sha256(data).hexdigest()) for path, data in self.read)

    def render(self, *, lasting: bool | None = None) -> str:
        """The text that is sent: all of it, or only what is the same for every question, or only the rest."""
        return "\n".join(each.text for each in self.sections if lasting is None or each.lasting == lasting)
