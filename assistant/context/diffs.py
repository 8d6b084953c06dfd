"""Changes as unified diffs: uncommitted changes and single commits, without the files that are kept out."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from assistant.context import ignore
from assistant.context.git import DIFF
from assistant.context.ignore import IGNORE_FILE
from assistant.errors import RepoError
from assistant.gitnames import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.context.out import Out
    from assistant.context.repo import Repo

_ONE = ("--first-parent", "-m", "--format=")
"""How git shows one commit without its message: against its first parent."""
_LONGEST = 1_000_000
"""The most characters of a diff."""
_AT_ONCE = 200
"""The most files that one git command names: a command line has a limit."""


def uncommitted(repo: Repo, out: Out) -> str:
    """Return all uncommitted changes as a unified diff, including new files, except files that are kept `out`.

    Secrets are not masked here: `gate.mask_diff` does that. Bytes that are not UTF-8 become surrogates, as in file
    names. If the diff is very long, its longest files are cut at a line.
    """
    if not repo.is_git:
        return ""
    base = _base(repo)
    parts = [_told_without(repo, out, "diff", "--find-renames", base)]
    hidden = _kept_out(repo, out)
    parts += [_as_new(repo, path) for path in repo.listing.new() if not hidden(path)]
    return _cut("".join(parts))


def _base(repo: Repo) -> str:
    """Return what changes are compared with: HEAD, or the empty tree where there is no commit yet."""
    return repo.revision("HEAD") or repo.git.out("hash-object", "-t", "tree", "/dev/null").decode().strip()


def kept_back(repo: Repo, commit: str, out: Out) -> list[str]:
    """List the files that no diff shows: those that our ignore file names, or that are kept `out`.

    They are files of a commit, or with "" of the uncommitted changes.
    """
    if not repo.is_git or not (out or (repo.root / IGNORE_FILE).exists()):
        return []
    hidden = _kept_out(repo, out)
    if commit:
        found = repo.revision(commit)
        return [path for path in _changed(repo, "show", *_ONE, found) if hidden(path)] if found else []
    base = _base(repo)
    return [path for path in (*_changed(repo, "diff", base), *repo.listing.new()) if hidden(path)]


def _changed(repo: Repo, *what: str) -> list[str]:
    """List the files of a diff."""
    entries = repo.git.out(*what, *DIFF, "--no-renames", "--name-only", "-z", "--").split(b"\0")
    return [os.fsdecode(entry) for entry in entries if entry]


def _kept_out(repo: Repo, out: Out) -> Callable[[str], bool]:
    """Return a test for paths that are kept out by the user or by our own ignore file."""
    ignored = ignore.ignored(repo.root)
    return lambda path: out.hides(path) or ignored(path)


def _told_without(repo: Repo, out: Out, *what: str) -> str:
    """Return a diff without the files that are kept `out` or that our own ignore file names.

    A file that was renamed from one of those appears as a new file.
    """
    if not out and not (repo.root / IGNORE_FILE).exists():
        return repo.git.out(*what, *DIFF, "--").decode("utf-8", "surrogateescape")
    hidden = _kept_out(repo, out)
    changed = _changed(repo, *what)
    # A path of git's names all below it as well: a file in whose place there is a folder now.
    above = {path[:at] for path in changed if hidden(path) for at, sign in enumerate(path) if sign == "/"}
    shown = [path for path in changed if not hidden(path) and path not in above]
    if len(shown) == len(changed):
        return repo.git.out(*what, *DIFF, "--").decode("utf-8", "surrogateescape")
    parts: list[str] = []
    size = 0
    for at in range(0, len(shown), _AT_ONCE):
        parts.append(repo.git.out(*what, *DIFF, "--", *shown[at : at + _AT_ONCE]).decode("utf-8", "surrogateescape"))
        size += len(parts[-1])
        if size > _LONGEST:
            break
    return "".join(parts)


def _as_new(repo: Repo, path: str) -> str:
    try:
        data = repo.read(path, _LONGEST)
    except RepoError:
        return ""
    old, new = quote(f"a/{path}", wide=True), quote(f"b/{path}", wide=True)
    head = f"diff --git {old} {new}\nnew file mode 100644\n"
    if b"\0" in data[:8_000]:
        return f"{head}Binary files /dev/null and {new} differ\n"
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    last = lines.pop() if lines[-1] == "" else None
    body = "\n".join(f"+{line}" for line in lines)
    end = "" if last is not None else "\n\\ No newline at end of file"
    return f"{head}--- /dev/null\n+++ {new}\n@@ -0,0 +1,{len(lines)} @@\n{body}{end}\n" if lines else head


def of_commit(repo: Repo, name: str, out: Out) -> str:
    """Return one commit, as message and unified diff against its first parent, except files that are kept `out`.

    Raises RepoError when there is no such commit.
    """
    if (found := repo.revision(name)) is None:
        raise RepoError(f"There is no commit {name!r}.", "Name one that `git log` shows.")
    words = repo.git.out("show", "--no-patch", "--format=commit %H%n%n%B", found, "--").decode(
        "utf-8", "surrogateescape"
    )
    return _cut(f"{words}\n{_told_without(repo, out, 'show', '--find-renames', *_ONE, found)}")


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    pieces = re.split(r"(?m)^(?=diff --git )", text)
    left, kept = _LONGEST, dict.fromkeys(range(len(pieces)), "")
    # shortest first: what they do not need is for the others
    for done, at in enumerate(sorted(kept, key=lambda at: len(pieces[at]))):
        share, piece = left // (len(pieces) - done), pieces[at]
        kept[at] = piece if len(piece) <= share else piece[: piece.rfind("\n", 0, share) + 1]
        left -= len(kept[at])
    return "".join(kept.values()) + f"[cut: {len(text)} letters in all]\n"
