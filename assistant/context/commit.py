"""Commits exactly what was taken: the patch's own hunks on top of HEAD. What the user staged stays staged.

The tree of the commit is HEAD with the patch and nothing else; it is built in an index of its own. A file that was
dirty before goes in without its other changes. Then `git commit` runs with that index, so that hooks, signing and
identity stay git's business, and the user's index is updated for these files only. Hooks and filters run here, and
nowhere else in the program: the user has asked for a commit of their own repository.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import CommitFailed, RepoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from assistant.context.git import Ran
    from assistant.context.repo import Repo

    Merge = Callable[[bytes, bytes, bytes], bytes | None]

_TOLD = 30
"""The most lines of a hook's output that are shown; the error holds all of it."""
_BUSY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
_PAUSE = 0.05
_FILES = {"100644", "100755"}


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a patch: bytes before and after (None where it does not exist), and whether it is executable.

    `executable` is None where that does not change.
    """

    path: str
    before: bytes | None
    after: bytes | None
    executable: bool | None = None
    new_path: str = ""

    @property
    def target(self) -> str:
        """The path of the file after the change."""
        return self.new_path or self.path


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made: its id, its files, the output of hooks and git, and notes for the user."""

    id: str
    paths: tuple[str, ...]
    output: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file in a tree or an index."""

    mode: str
    blob: str


def commit(
    repo: Repo, changes: Sequence[Change], message: str, *, merge: Merge, wait: float = 5.0, hide: Iterable[str] = ()
) -> Committed:
    """Commit a patch that stands on disk, and nothing else.

    `merge(base, ours, theirs)` applies a change to another text, None where it cannot. `wait` is how many seconds
    another git may hold the index. `hide` names environment variables that hooks must not see: our keys.

    Raises RepoError where there is nothing to commit, the patch cannot be told from other changes, or git is busy, and
    CommitFailed where a hook or git refuses. Then HEAD, index and files are as they were.
    """
    check(repo)
    if not message.strip():
        raise RepoError("A commit needs a message.", "Say what the change is for.")
    return _Maker(repo, merge, wait, dict.fromkeys(hide, "")).make(changes, message)


def check(repo: Repo) -> None:
    """Raise RepoError where no commit can be made, whatever its message: no repository, or git knows no author."""
    if not repo.is_git:
        raise RepoError(f"{repo.root} is not a git repository.", "Run `git init` first.")
    ran = repo.run("var", "GIT_COMMITTER_IDENT", asked=True)
    if ran.status:
        raise RepoError(
            "git does not know who you are.", "Set user.name and user.email with `git config`; nothing was committed."
        )


def must_stand(root: Path, change: Change, merge: Merge) -> None:
    """Raise RepoError where the patch is no longer on disk: then the user would not call it done."""
    place = root / change.target
    try:
        regular = stat.S_ISREG(place.lstat().st_mode)
        data = place.read_bytes() if regular else None
    except (FileNotFoundError, NotADirectoryError):
        regular, data = change.after is None, None
    except OSError as error:
        raise RepoError(f"{change.target} cannot be read: {error.strerror}.", "Check its rights.") from error
    if change.after is None:
        stands = regular and data is None
    else:
        stands = data is not None and (
            data == change.after or merge(change.after, change.before or b"", data) is not None
        )
    if not stands:
        raise RepoError(f"{change.target} is no longer as the patch left it.", "Look at it, and commit it by hand.")


def is_open(repo: Repo, paths: Iterable[str]) -> bool:
    """Say whether some files have changes that are not committed."""
    names = sorted(paths)
    words = "--no-optional-locks", "--literal-pathspecs", "status", "--porcelain", "-z", "--"
    return bool(names) and bool(repo.run(*words, *names, asked=True).out)


def subjects(repo: Repo, count: int = 10) -> tuple[str, ...]:
    """Return the first lines of the last commit messages, newest first: they show the style of the project."""
    if not repo.is_git:
        return ()
    ran = repo.run("log", f"--max-count={count}", "--format=%s", "-z", "--no-show-signature")
    return tuple(filter(None, ran.out.decode("utf-8", "replace").split("\0"))) if not ran.status else ()


class _Maker:
    """Makes one commit."""

    def __init__(self, repo: Repo, merge: Merge, wait: float, hidden: dict[str, str]) -> None:
        self.repo = repo
        self.merge = merge
        self.wait = wait
        self.hidden = {"LC_ALL": "", "LANGUAGE": "", **hidden}
        self.notes: list[str] = []
        self.zeros = "0" * len(self._git("hash-object", "-t", "tree", "--stdin"))  # SHA-1 or SHA-256

    def make(self, changes: Sequence[Change], message: str) -> Committed:
        index = self._quiet_index()
        head = self._head()
        changes = self._without_ignored(changes)
        wanted = self._wanted(changes, head)
        with tempfile.TemporaryDirectory(prefix="wattson-") as place:
            env = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            with contextlib.suppress(FileNotFoundError):
                # a copy keeps what git knows of the files, so that it need not read them
                shutil.copyfile(index, env["GIT_INDEX_FILE"])
            self._git("read-tree", *(["--reset", head] if head else ["--empty"]), env=env)
            self._git("update-index", "-z", "--index-info", feed=self._info(wanted), env=env)
            tree = self._git("write-tree", env=env)
            if head and tree == self._git("rev-parse", f"{head}^{{tree}}"):
                raise RepoError("There is nothing to commit: HEAD has this change already.", "")
            words = Path(place) / "message"
            words.write_text(message.strip() + "\n", encoding="utf-8")
            if self._head() != head:
                raise RepoError("Another git has just committed here.", "Try again.")
            ran = self.repo.run(
                "commit", "--quiet", "--cleanup=whitespace", "-F", str(words), env={**self.hidden, **env}, asked=True
            )
        output = (ran.out.decode("utf-8", "replace") + ran.err).strip()
        if ran.status:
            told = [line[:200] for line in output.splitlines()[-_TOLD:]] or [f"git ended with {ran.status}"]
            said = f": {told[0]}" if len(told) == 1 else ":\n" + "\n".join(told) + "\n"
            raise CommitFailed(
                f"The commit was refused{said}", "Nothing was committed, and nothing was lost.", output=output
            )
        made = self._git("rev-parse", "HEAD")
        paths = self._settle(head, made)
        return Committed(made, paths, output, tuple(self.notes))

    # What is there.

    def _git(self, *args: str, feed: bytes = b"", env: dict[str, str] | None = None) -> str:
        return _text(self._run(*args, feed=feed, env=env))

    def _run(self, *args: str, feed: bytes = b"", env: dict[str, str] | None = None, asked: bool = False) -> bytes:
        ran = self.repo.run(*args, feed=feed, env=env, asked=asked)
        if ran.status:
            raise _failed(args[0], ran)
        return ran.out

    def _quiet_index(self) -> Path:
        """Return the path of the user's index, once no other git uses it.

        Raises RepoError while a merge, a rebase or the like is unfinished.
        """
        names = ["index", *_BUSY]
        found = self._git("rev-parse", *(word for name in names for word in ("--git-path", name))).split("\n")
        index, *others = (self.repo.root / path for path in found)
        for place, what in zip(others, _BUSY.values(), strict=True):
            if place.exists():
                raise RepoError(f"{what.capitalize()} is under way.", "Finish or abort it, then commit.")
        lock = index.with_name("index.lock")
        for _ in range(int(self.wait / _PAUSE) + 1):
            if not lock.exists():
                return index
            time.sleep(_PAUSE)
        raise RepoError(
            "Another git is using the index (index.lock is there).",
            f"Wait for it; if none is running, remove {lock}. Nothing was committed.",
        )

    def _head(self) -> str:
        ran = self.repo.run("rev-parse", "-q", "--verify", "HEAD^{commit}")
        return _text(ran.out) if not ran.status else ""

    def _without_ignored(self, changes: Sequence[Change]) -> list[Change]:
        # "./" stops a name from being read as a pattern; `check-ignore` has no literal path names.
        fresh = [f"./{change.target}" for change in changes if change.before is None]
        if not fresh:
            return list(changes)
        ran = self.repo.run(
            "check-ignore", "-z", "--stdin", feed=_lines(fresh), env={"GIT_LITERAL_PATHSPECS": "0"}, asked=True
        )
        if ran.status > 1:
            raise _failed("check-ignore", ran)
        ignored = {os.fsdecode(name).removeprefix("./") for name in ran.out.split(b"\0") if name}
        self.notes += [f"{path} is ignored by git and was left out." for path in sorted(ignored)]
        return [change for change in changes if change.target not in ignored]

    def _tree(self, head: str, paths: Iterable[str]) -> dict[str, _Entry]:
        if not head:
            return {}
        found = {}
        for line in self._run("ls-tree", "-z", head, "--", *paths).split(b"\0"):
            facts, _, name = line.partition(b"\t")
            if name:
                mode, _, blob = facts.decode().split(" ")
                found[os.fsdecode(name)] = _Entry(mode, blob)
        return found

    # What shall be there.

    def _wanted(self, changes: Sequence[Change], head: str) -> dict[str, _Entry | None]:
        """Return the entries of the commit that differ from HEAD: the patch's hunks, no other changes of its files."""
        paths = dict.fromkeys(path for change in changes for path in (change.path, change.target))
        tree = self._tree(head, paths) if paths else {}
        wanted: dict[str, _Entry | None] = {}
        for change in changes:
            must_stand(self.repo.root, change, self.merge)
            old = tree.get(change.path)
            if old is not None and old.mode not in _FILES:
                raise RepoError(f"{change.path} is not a regular file in git.", "Commit it by hand.")
            if change.before is not None and old is None:
                raise RepoError(
                    f"{change.path} is not tracked by git, so its change cannot be committed alone.",
                    f"Add it first: git add -- {change.path}, and commit by hand.",
                )
            if change.target != change.path or change.after is None:
                wanted[change.path] = None
            if change.after is not None:
                wanted[change.target] = self._entry(change, old)
        return wanted

    def _entry(self, change: Change, old: _Entry | None) -> _Entry:
        assert change.after is not None  # noqa: S101 - for the type checker
        mode = old.mode if old is not None else "100644"
        if change.executable is not None:
            mode = "100755" if change.executable else "100644"
        blob = self._blob(change.target, change.after)
        if old is None or change.before is None:
            return _Entry(mode, blob)
        base = self._blob(change.path, change.before)
        if base == old.blob:
            return _Entry(mode, blob)
        merged = self.merge(self._read(base), self._read(blob), self._read(old.blob))
        if merged is None:
            raise RepoError(
                f"{change.path} has other changes that are not committed, in the very lines.",
                "Commit those first, or this file by hand. Nothing was committed.",
            )
        return _Entry(mode, _text(self._run("hash-object", "-w", "--stdin", feed=merged)))

    def _blob(self, path: str, data: bytes) -> str:
        """Store a text as git would, with the line ends and filters (such as LFS) that the repository sets."""
        return _text(self._run("hash-object", "-w", f"--path={path}", "--stdin", feed=data, asked=True))

    def _read(self, blob: str) -> bytes:
        return self._run("cat-file", "blob", blob)

    # The user's index.

    def _settle(self, head: str, made: str) -> tuple[str, ...]:
        """Update the user's index to the commit; other changes of the same files that they had staged stay staged."""
        changed = self._between(head, made)
        found: dict[str, _Entry | None] = {}
        for path, staged in self._staged(list(changed)).items():
            was, now = changed[path]
            if staged == was or (was is None and staged is not None and not self._read(staged.blob)):
                found[path] = now
            elif staged != now:
                both = self._rebased(was, now, staged)
                if both is None:
                    self.notes.append(
                        f"{path}: you had staged other changes of the same lines; the index keeps them as they were."
                    )
                else:
                    found[path] = both
        for _ in range(int(self.wait / _PAUSE) + 1):
            ran = self.repo.run("update-index", "-z", "--index-info", feed=self._info(found))
            if not ran.status:
                self.repo.run("update-index", "-q", "--refresh")
                break
            time.sleep(_PAUSE)
        else:
            self.notes.append("Another git held the index; run `git reset` on the files of this commit to refresh it.")
        return tuple(changed)

    def _between(self, head: str, made: str) -> dict[str, tuple[_Entry | None, _Entry | None]]:
        """Return what a commit changed, which may be more than the patch: hooks may have added to it."""
        start = [head, made] if head else ["--root", made]
        words = self._run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", "--no-abbrev", *start)
        fields = words.split(b"\0")
        found = {}
        for facts, name in zip(fields[::2], fields[1::2], strict=False):
            modes = facts.decode().lstrip(":").split(" ")
            was, now = _Entry(modes[0], modes[2]), _Entry(modes[1], modes[3])
            found[os.fsdecode(name)] = (
                was if was.mode.strip("0") else None,
                now if now.mode.strip("0") else None,
            )
        return found

    def _staged(self, paths: list[str]) -> dict[str, _Entry | None]:
        """Return the user's index entries of some files; a file with a conflict is left out, and so left alone."""
        found: dict[str, _Entry | None] = dict.fromkeys(paths)
        for line in self._run("ls-files", "-z", "--stage", "--", *paths).split(b"\0"):
            facts, _, name = line.partition(b"\t")
            path = os.fsdecode(name)
            if path in found:
                mode, blob, stage = facts.decode().split(" ")
                if stage == "0":
                    found[path] = _Entry(mode, blob)
                else:
                    found.pop(path)
                    self.notes.append(f"{path} has a conflict in the index; it is left as it was.")
        return found

    def _rebased(self, was: _Entry | None, now: _Entry | None, staged: _Entry | None) -> _Entry | None:
        """Put what was staged on top of the new commit."""
        if was is None or now is None or staged is None:
            return None
        merged = self.merge(self._read(was.blob), self._read(now.blob), self._read(staged.blob))
        if merged is None:
            return None
        mode = staged.mode if staged.mode != was.mode else now.mode
        return _Entry(mode, _text(self._run("hash-object", "-w", "--stdin", feed=merged)))

    def _info(self, entries: dict[str, _Entry | None]) -> bytes:
        """Write entries in the form of `update-index --index-info`, removals first: a folder may become a file."""
        ordered = sorted(entries.items(), key=lambda each: each[1] is not None)
        return b"".join(
            (f"{entry.mode} {entry.blob}" if entry else f"0 {self.zeros}").encode() + b"\t" + os.fsencode(path) + b"\0"
            for path, entry in ordered
        )


def _failed(what: str, ran: Ran) -> RepoError:
    words = ran.err.strip()[-300:]
    return RepoError(f"git {what} failed: {words}", "Nothing was committed; `git status` may say more.")


def _text(out: bytes) -> str:
    return out.decode("utf-8", "surrogateescape").rstrip("\n")


def _lines(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
