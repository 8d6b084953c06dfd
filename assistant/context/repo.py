"""Facts about the folder the user stands in: root, files, blob ids, what is dirty, diffs and history. The only user of GitPython.

GitPython runs git where the user asked for something to be done. Looking, which every question does, runs git directly: to
import GitPython takes more than the rest of a warm question. Both with flags that keep a repository, whose own config may
name programs, from running any: no hooks, no monitors, no pagers, no outside differs, no filters, no network, and never a
`git` that lies in the repository.
Submodules are named and not entered: each is a repository of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import sys
import time
from array import array
from itertools import accumulate, repeat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant import visible
from assistant.context import ignore
from assistant.context.ignore import IGNORE_FILE
from assistant.context.out import NOTHING, Out
from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

__all__ = ["IGNORE_FILE", "Commit", "FileFact", "Ran", "Repo"]

# A repository's own config can name programs that `status`, `diff`, `show` and `log` run.
_SAFE = (
    "--no-pager", "--no-optional-locks", "--literal-pathspecs", "--no-replace-objects",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat", "-c", "core.editor=false",
    "-c", "core.askPass=false", "-c", "core.sshCommand=false", "-c", "core.alternateRefsCommand=false", "-c", "credential.helper=",
    "-c", "core.quotePath=false", "-c", "core.attributesFile=/dev/null", "-c", "core.untrackedCache=keep", "-c", "diff.external=",
    "-c", "diff.ignoreSubmodules=all", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "diff.orderFile=/dev/null",
    "-c", "submodule.recurse=false", "-c", "status.submoduleSummary=false", "-c", "log.showSignature=false", "-c", "gpg.program=false",
    "-c", "color.ui=false", "-c", "safe.bareRepository=explicit", "-c", "protocol.allow=never",
)  # fmt: skip
# What the user has set up counts when the user asks for a commit: hooks, filters, attributes. Only what would start a
# program for nothing stays off.
_ASKED = (
    "-c", "core.fsmonitor=false", "-c", "diff.external=", "-c", "core.quotePath=false", "-c", "submodule.recurse=false",
    "-c", "gc.auto=0", "-c", "maintenance.auto=false",
)  # fmt: skip
_DIFF = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--ignore-submodules=all",
)
_ONE = ("--first-parent", "-m", "--format=")
"""How one commit is told without its message: against its first parent."""
_CALM = {
    "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat", "GIT_EDITOR": "false", "GIT_ASKPASS": "false",
    "GIT_SSH_COMMAND": "false", "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_NOSYSTEM": "1", "GIT_EXTERNAL_DIFF": "",
}  # fmt: skip
_DRIVERS = ("filter.", "diff.", "merge.")
_RUN = (".clean", ".smudge", ".process", ".required", ".command", ".textconv", ".driver")
_REGULAR = {"100644", "100755"}
_STAGED = {"H ", "S ", "M "}
_INDEX, _INDEX_VERSION = int.from_bytes(b"DIRC", "big"), 2
LARGEST = 2_000_000
_LONGEST_DIFF = 1_000_000
_LONGEST_LOG, _LONGEST_LOOK = 4_000_000, 400_000
_AT_ONCE = 200
"""Files that git is asked about at once: a command line has an end."""
_MATCHING_S = 3.0
"""Seconds for asking an ignore file about all files: more takes only one that is made to last."""
_PATIENT_S, _LOOK_S, _LONGEST_S = 1.0, 0.1, 120.0
"""Seconds after which it is looked what git waits for, how long at once, and after which it is not waited for at all."""
_ALONE_S = 0.5
"""Seconds for looking for the files that a question names, where there was no time to look for all."""
_ID = r"[0-9a-f]{40,64}"
_CONTROLS = "[\x00-\x1f\x7f]"
_REVISION = r"[A-Za-z0-9_@][\w./@{}^~+-]{0,200}"


class FileFact(NamedTuple):
    """One regular file: path with "/", git blob id of its bytes as they are now, size, and whether it differs from HEAD."""

    path: str
    blob: str
    size: int
    dirty: bool = False


class Ran(NamedTuple):
    """What a run of git came to: exit status, standard output as bytes, standard error as text."""

    status: int
    out: bytes
    err: str


class Commit(NamedTuple):
    """One commit of the history: full id, first line of its message, files it changed."""

    id: str
    subject: str
    paths: tuple[str, ...]


class Repo:
    """A git repository, or a plain folder."""

    def __init__(self, root: Path, *, is_git: bool) -> None:
        self.root = root
        self.is_git = is_git
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._calm: dict[str, str] | None = None
        self._found = ""
        self.late = False
        """The last listing ended before its end."""
        self._known: Collection[str] = ()
        """What a listing that ended before its end knew, whether it came to look at it or not."""
        self.astray = ""
        """Why a folder that has a `.git` is read as one outside git, in words."""
        self.blocked = ""
        """What git would wait at for ever, a pipe in the place of an ignore file: new files are not looked for."""

    @classmethod
    def open(cls, folder: Path) -> Repo:
        """Find the root that a folder belongs to; a folder outside git is its own root. Raises RepoError."""
        folder = folder.resolve()
        if not folder.is_dir():
            raise RepoError(f"{folder} is not a folder.", "Name the folder of your project.")
        for place in (folder, *folder.parents):
            if (place / ".git").exists():
                found = cls(place, is_git=True)
                if why := _astray(place):
                    found.is_git, found.astray = False, why
                return found
        return cls(folder, is_git=False)

    def _program(self) -> str:
        """Return the git of the system: the first on the path that lies neither in the repository nor in ".", where anybody may have put one."""
        if self._found:
            return self._found
        for place in os.get_exec_path():
            if Path(place).is_absolute() and (found := _git_in(place)):
                real = os.path.realpath(found)
                if not real.startswith(f"{self.root}{os.sep}") and os.path.realpath(place) != str(self.root):
                    self._found = found
                    return found
        raise RepoError("git is not installed.", "Install git and try again.")

    def _library(self) -> ModuleType:
        """Import GitPython, which runs the first `git` it finds to ask its version: it is told which."""
        if "git" not in sys.modules:
            os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = self._program()
        import git

        return git

    def _environment(self) -> dict[str, str]:
        """Return variables that keep git calm, with every driver that the repository's config names made to do nothing."""
        if self._calm is None:
            calm = {**_CALM, "GIT_CEILING_DIRECTORIES": str(self.root.parent)}
            self._calm = calm
            listed = self._git("config", "--null", "--name-only", "--list").decode("utf-8", "surrogateescape")
            lines = [line for line in listed.split("\0") if line.startswith(_DRIVERS) and line.endswith(_RUN)]
            keys = {tuple(line[: line.rfind(".")].split(".", 1)) for line in lines}
            names = {key for key in keys if key[1:] and key[1]}
            off = [
                (f"{kind}.{name}.{key}", "false" if key == "required" else "")
                for kind, name in sorted(names)
                for key in (("clean", "smudge", "process", "required") if kind == "filter" else ("command", "textconv"))
            ]
            for number, (key, value) in enumerate(off):
                calm |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
            calm["GIT_CONFIG_COUNT"] = str(len(off))
        return self._calm

    def _start(self, *args: str) -> subprocess.Popen[bytes]:
        argv = [self._program(), *_SAFE, *args]
        env = {**os.environ, **self._environment()}
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        return subprocess.Popen(argv, cwd=self.root, env=env, stdin=nothing, stdout=pipe, stderr=nothing)

    def _git(self, *args: str) -> bytes:
        argv = [self._program(), *_SAFE, *args]
        env = {**os.environ, **self._environment()}
        try:
            done = subprocess.run(
                argv, cwd=self.root, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
        except OSError as error:
            raise RepoError(f"git cannot be run: {error.strerror}.", "Install git and try again.") from error
        if done.returncode:
            words = done.stderr.decode("utf-8", "replace").strip()[-300:]
            raise RepoError(f"git cannot read {self.root}: {words}", "Run `git status` there to see more.")
        return done.stdout

    def run(self, *args: str, feed: bytes = b"", env: Mapping[str, str] | None = None, asked: bool = False) -> Ran:
        """Run git with an argument list and return how it ended; raises RepoError where there is no git.

        Nothing of the repository's own is run unless the user has `asked` for a commit: then its hooks and filters are.
        """
        import tempfile

        git = self._library()
        flags = _ASKED if asked else _SAFE
        calm = {} if asked else self._environment()
        surroundings = {**calm, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": ":", **(env or {})}
        if not asked:  # a hook's own git is not to inherit it
            surroundings["GIT_LITERAL_PATHSPECS"] = "1"
        with tempfile.TemporaryFile() as given:
            given.write(feed)
            given.seek(0)
            try:
                status, out, err = git.Git(str(self.root)).execute(
                    [self._program(), *flags, *args], istream=given, env=surroundings, with_extended_output=True,
                    with_exceptions=False, stdout_as_string=False, strip_newline_in_stdout=False,
                )  # fmt: skip
            except git.GitCommandNotFound as error:
                raise RepoError("git is not installed.", "Install git and try again.") from error
        return Ran(status, out, err)

    def files(self, by: float | None = None) -> tuple[FileFact, ...]:
        """List regular text-sized files, tracked and untracked but not ignored, sorted by path.

        `by` is when it has to end, as time.monotonic() counts. Where that was too soon, `late` is set: new files may be missing
        then, and what git knows is listed as it was committed or staged, whatever stands on the disk now.
        """
        dirty: set[str] = set()
        sizes: dict[str, int] = {}
        self.late = False
        if self.is_git:
            blobs, dirty, sizes = self._listed(by)
        else:
            blobs = dict.fromkeys(ignore.walk(self.root), "")
        order = sorted(blobs)
        if (self.root / IGNORE_FILE).exists():
            order = self._shown(order)
        found: list[FileFact] = []
        base = f"{self.root}{os.sep}"
        lstat, regular = os.lstat, stat.S_ISREG
        for at, path in enumerate(order):
            if self.late or (by is not None and not at % 256 and time.monotonic() > by):
                self.late = True
                self._known = blobs
                rest = [path for path in order[at:] if blobs[path]]
                # A hundred thousand files may be left: what is done for each of them is done in C.
                facts = zip(rest, map(blobs.__getitem__, rest), repeat(0), repeat(False), strict=False)
                found += map(tuple.__new__, repeat(FileFact), facts)
                break
            if (size := sizes.get(path)) is not None and path not in dirty:
                if size <= LARGEST:
                    found.append(FileFact(path, blobs[path], size))
                continue
            try:
                here = lstat(base + path)
            except (OSError, ValueError):
                continue  # deleted, or left out of a sparse checkout
            if regular(here.st_mode) and here.st_size <= LARGEST:
                if (blob := blobs[path]) and path not in dirty:
                    found.append(FileFact(path, blob, here.st_size))
                else:
                    with contextlib.suppress(RepoError):
                        found.append(FileFact(path, self._hash(path, here), here.st_size, self.is_git))
        return tuple(found)

    def named(self, paths: Collection[str]) -> list[FileFact]:
        """Return those of some paths that `files` would list, had it had the time to come to them: these are looked for alone."""
        ignored = ignore.ignored(self.root)
        there = [path for path in paths if self._is_here(path) and not ignored(path)]
        new = [path for path in there if path not in self._known]
        known = {*there} - {*new}
        if self.is_git and new and not self._is_blocked():
            known |= self._looked_for_alone(new)
        found = []
        for path in there:
            if path in known:
                with contextlib.suppress(RepoError, OSError):
                    here = os.lstat(self.root / path)
                    found.append(FileFact(path, self._hash(path, here), here.st_size, self.is_git))
        return found

    def _is_here(self, path: str) -> bool:
        """Say whether a path is that of a regular file of a size that is read, written as in a listing."""
        parts = path.split("/")
        if "\0" in path or not {"", ".", "..", ".git"}.isdisjoint(parts):
            return False
        try:
            here = os.lstat(self.root / path)
        except OSError:
            return False
        above = (self.root.joinpath(*parts[:at]) for at in range(1, len(parts)))
        return stat.S_ISREG(here.st_mode) and here.st_size <= LARGEST and not any(map(os.path.islink, above))

    def _looked_for_alone(self, paths: Sequence[str]) -> set[str]:
        """Return those of some paths that git neither knows nor ignores; one in another repository makes it refuse all of them."""
        with self._start("ls-files", "-z", "--others", "--exclude-standard", "--", *paths) as looking:
            told = self._wait(looking, time.monotonic() + _ALONE_S)
        if looking.returncode and told is not None:
            some = (self._looked_for_alone([path]) for path in paths) if len(paths) > 1 else ()
            return set().union(*some)
        return {os.fsdecode(entry) for entry in (told or b"").split(b"\0")} & {*paths}

    def _shown(self, paths: list[str]) -> list[str]:
        """Return the paths that our own ignore file does not name; of one that takes too long to match, those that were looked at."""
        ignored = ignore.ignored(self.root)
        end = time.monotonic() + _MATCHING_S
        kept: list[str] = []
        for at in range(0, len(paths), 256):
            if time.monotonic() > end:
                self.late = True
                break
            kept += [path for path in paths[at : at + 256] if not ignored(path)]
        return kept

    def _listed(self, by: float | None) -> tuple[dict[str, str], set[str], dict[str, int]]:
        """Return what git lists: blob id by path, empty for new files, which differ from what is staged, and sizes of those that do not."""
        told, new = ("ls-files", "-z", "-t"), ("--others", "--modified", "--exclude-standard")
        more: bytes | None = b""
        if self._is_blocked():
            by, listed = None, self._git(*told, "--stage", "--modified")
        elif by is None:
            all_of_it = self._looked_for(*told, "--stage", *new)
            if self.blocked:
                return self._listed(None)
            listed = self._git(*told, "--stage") if all_of_it is None else all_of_it
        else:  # what is staged stands in one file; to look for the rest may take many times as long
            with self._start(*told, *new) as looking:
                listed = self._git(*told, "--stage")
                more = self._wait(looking, by)
            if self.blocked or (looking.returncode and more is not None):
                return self._listed(None)
        entries = os.fsdecode(listed).split("\0")
        staged = [entry for entry in entries if entry[2:8] in _REGULAR]
        # "H 100644 ID 0", a tab, and the path: an id is as long as any other of the repository.
        width = staged[0].index("\t") + 1 if staged else 0
        blobs = dict(zip([entry[width:] for entry in staged], [entry[9 : width - 3] for entry in staged], strict=True))
        dirty = {entry[width:] for entry in staged if entry[0] == "C"}
        if by is not None:
            entries = os.fsdecode(more or b"").split("\0")
            dirty |= {entry[2:] for entry in entries if entry[:2] == "C "}
        for entry in entries:
            if entry[:2] == "? " and entry[-1] != "/":
                blobs.setdefault(entry[2:], "")
        return blobs, dirty, self._sizes(entries, width) if by is None and width else {}

    def _sizes(self, entries: Sequence[str], width: int) -> dict[str, int]:
        """Return the sizes of files that git has just looked at: where it did not find one changed, its index tells them.

        To ask the system for each once more takes a fifth of a question in a large repository. An index that is not
        written as nearly all are tells nothing, nor does it of files that git was told not to look at.
        """
        try:
            data = _bytes(self.root / ".git" / "index")
        except OSError:  # a worktree, whose index lies elsewhere
            return {}
        rows = [entry for entry in entries if entry[:2] in _STAGED]
        numbers = array("I", data[: len(data) // 4 * 4])
        if sys.byteorder == "little":
            numbers.byteswap()
        if numbers[:3].tolist() != [_INDEX, _INDEX_VERSION, len(rows)]:
            return {}
        # An entry: ten numbers, the last of them the size, the id, two bytes of flags, the path, and one to eight zeros.
        lengths = map(len, rows if all(map(str.isascii, rows)) else map(os.fsencode, rows))
        *starts, end = accumulate(((length + 44 - width // 2) & ~7 for length in lengths), initial=12)
        place, flags = starts[-1] + 36 + width // 2, 10 + (width - 12) // 8
        if end > len(data) or not data.startswith(os.fsencode(rows[-1][width:]) + b"\0", place):
            return {}
        return {
            row[width:]: numbers[start // 4 + 9]
            for row, start in zip(rows, starts, strict=True)
            if row[0] == "H" and numbers[start // 4 + 9] and not numbers[start // 4 + flags] >> 31
        }

    def _looked_for(self, *args: str) -> bytes | None:
        """Let git look for new files; None where it would wait at a pipe (`blocked`) or takes far too long (`late`)."""
        if self._is_blocked():
            return None
        with self._start(*args) as looking:
            listed = self._wait(looking, time.monotonic() + _LONGEST_S)
        return self._git(*args) if looking.returncode and listed is not None else listed  # which says what is wrong

    def _wait(self, looking: subprocess.Popen[bytes], by: float) -> bytes | None:
        """Return what git says until `by`; None where that was too soon, or where it waits at a pipe: it has been ended then."""
        places = ignore.pipes(self.root)
        pause = _PATIENT_S
        while not self.blocked:
            left = max(0.0, by - time.monotonic())
            try:
                return looking.communicate(timeout=min(left, pause))[0]
            except subprocess.TimeoutExpired:
                if left <= pause:
                    self.late = True
                    break
            pause, end = _LOOK_S, time.monotonic() + _LOOK_S
            for self.blocked in places:
                if self.blocked or time.monotonic() > end:
                    break
            else:
                pause = float("inf")  # there is none: it has much to do
        looking.kill()
        return None

    def _is_blocked(self) -> bool:
        """Say whether the pipe that git waited at is still there."""
        if self.blocked and not (self.root / self.blocked).is_fifo():
            self.blocked = ""
        return bool(self.blocked)

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Return the bytes of a regular file inside the root: no link is followed, nothing that could block is opened.

        Raises RepoError, also when the file is larger than `most` bytes.
        """
        parts = path.split("/")
        hint = "Name a file inside the project."
        if path.startswith("/") or ".." in parts or "\0" in path:
            raise RepoError(f"{path} does not lie inside {self.root}.", hint)
        place = str(self.root)
        try:
            for part in parts[:-1]:
                place = f"{place}{os.sep}{part}"
                if stat.S_ISLNK(os.lstat(place).st_mode):
                    raise RepoError(f"{path} leads through a link.", hint)
            handle = os.open(
                f"{self.root}{os.sep}{path}", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
            with os.fdopen(handle, "rb") as file:
                facts = os.fstat(file.fileno())
                if not stat.S_ISREG(facts.st_mode):
                    raise RepoError(f"{path} is not a regular file.", hint)
                if facts.st_size > most:
                    raise RepoError(f"{path} is larger than {most} bytes.", "Name a part of it.")
                return file.read(most)
        except OSError as error:
            raise RepoError(f"{path} cannot be read: {error.strerror}.", hint) from error

    def _hash(self, path: str, facts: os.stat_result) -> str:
        """Return the git blob id of a file as it is on disk."""
        key = (path, facts.st_size, facts.st_mtime_ns)
        if key not in self._hashes:
            import hashlib  # not for the first frame

            data = self.read(path)
            self._hashes[key] = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        return self._hashes[key]

    def revision(self, name: str) -> str | None:
        """Return the full id of the commit that a name stands for (`HEAD~1`, a branch, a short id), None when there is none."""
        if not self.is_git or not re.fullmatch(_REVISION, name) or ".." in name or "@{u" in name:
            return None
        try:
            out = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except RepoError:
            return None
        return out.decode("ascii", "replace").strip() or None

    def head(self) -> str:
        """Return the full id of the commit that is checked out, empty where there is none: read from its file where it can be."""
        if not self.is_git:
            return ""
        folder = self.root / ".git"
        try:
            named = _line(folder / "HEAD")
            found = _line(folder / named.removeprefix("ref: ")) if named.startswith("ref: refs/") else named
        except (OSError, ValueError):  # packed, or a worktree whose files lie elsewhere
            found = ""
        return found if re.fullmatch(_ID, found) else self.revision("HEAD") or ""

    def diff(self, out: Out = NOTHING) -> str:
        """Return what is not committed yet as a unified diff, new files included, but what is kept `out`. `gate.mask_diff` comes after.

        Bytes that are not UTF-8 become surrogates, as in file names; of a very long diff the longest files are cut at a line.
        """
        if not self.is_git:
            return ""
        base = self.revision("HEAD") or self._git("hash-object", "-t", "tree", "/dev/null").decode().strip()
        parts = [self._told_without(out, "diff", "--find-renames", base)]
        hidden = self._kept_out(out)
        parts += [self._as_new(path) for path in self._new() if not hidden(path)]
        return _cut("".join(parts))

    def _new(self) -> list[str]:
        """List files that git neither knows nor ignores."""
        entries = (self._looked_for("ls-files", "-z", "--others", "--exclude-standard") or b"").split(b"\0")
        return [os.fsdecode(entry) for entry in entries if entry and not entry.endswith(b"/")]

    def kept_back(self, commit: str = "", out: Out = NOTHING) -> list[str]:
        """List the files of a commit, or of what is not committed, that our own ignore file names or that are kept `out`: no diff shows them."""
        if not self.is_git or not (out or (self.root / IGNORE_FILE).exists()):
            return []
        hidden = self._kept_out(out)
        if commit:
            found = self.revision(commit)
            return [path for path in self._changed("show", *_ONE, found) if hidden(path)] if found else []
        base = self.revision("HEAD") or self._git("hash-object", "-t", "tree", "/dev/null").decode().strip()
        return [path for path in (*self._changed("diff", base), *self._new()) if hidden(path)]

    def _changed(self, *what: str) -> list[str]:
        """List the files of a diff."""
        entries = self._git(*what, *_DIFF, "--no-renames", "--name-only", "-z", "--").split(b"\0")
        return [os.fsdecode(entry) for entry in entries if entry]

    def _kept_out(self, out: Out) -> Callable[[str], bool]:
        """Return what says of a path whether it is kept out, by the user or by our own ignore file."""
        ignored = ignore.ignored(self.root)
        return lambda path: out.hides(path) or ignored(path)

    def _told_without(self, out: Out, *what: str) -> str:
        """Return a diff without what is kept `out` and what our own ignore file names; a file that came from there by another name is a new one."""
        if not out and not (self.root / IGNORE_FILE).exists():
            return self._git(*what, *_DIFF, "--").decode("utf-8", "surrogateescape")
        hidden = self._kept_out(out)
        changed = self._changed(*what)
        shown = [path for path in changed if not hidden(path)]
        if len(shown) == len(changed):
            return self._git(*what, *_DIFF, "--").decode("utf-8", "surrogateescape")
        parts: list[str] = []
        size = 0
        for at in range(0, len(shown), _AT_ONCE):
            parts.append(self._git(*what, *_DIFF, "--", *shown[at : at + _AT_ONCE]).decode("utf-8", "surrogateescape"))
            size += len(parts[-1])
            if size > _LONGEST_DIFF:
                break
        return "".join(parts)

    def _as_new(self, path: str) -> str:
        try:
            data = self.read(path, _LONGEST_DIFF)
        except RepoError:
            return ""
        old, new = _quoted(f"a/{path}"), _quoted(f"b/{path}")
        head = f"diff --git {old} {new}\nnew file mode 100644\n"
        if b"\0" in data[:8_000]:
            return f"{head}Binary files /dev/null and {new} differ\n"
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        last = lines.pop() if lines[-1] == "" else None
        body = "\n".join(f"+{line}" for line in lines)
        end = "" if last is not None else "\n\\ No newline at end of file"
        return f"{head}--- /dev/null\n+++ {new}\n@@ -0,0 +1,{len(lines)} @@\n{body}{end}\n" if lines else head

    def commit_diff(self, name: str, out: Out = NOTHING) -> str:
        """Return one commit, message and unified diff against its first parent, but what is kept `out`.

        Raises RepoError when there is none such.
        """
        if (found := self.revision(name)) is None:
            raise RepoError(f"There is no commit {name!r}.", "Name one that `git log` shows.")
        words = self._git("show", "--no-patch", "--format=commit %H%n%n%B", found, "--").decode(
            "utf-8", "surrogateescape"
        )
        return _cut(f"{words}\n{self._told_without(out, 'show', '--find-renames', *_ONE, found)}")

    def history(self, most: int = 2_000, *, timeout_s: float = 1.0) -> list[Commit]:
        """Return the latest commits without merges, newest first, as many as could be read in the time."""
        if not self.head():
            return []
        form = ("-z", "--name-only", "--format=%x02%H %s", "HEAD", "--")
        return list(_commits(self._told(timeout_s, "log", f"--max-count={most}", "--no-merges", *form)))

    def hunks(
        self, commits: Iterable[str], paths: Iterable[str] = (), *, timeout_s: float = 1.0, size: int = _LONGEST_LOG
    ) -> bytes:
        """Return what commits (full ids) did to files that stay, or to some of them: a line of \\x02 and the id, then its diff without context.

        As many as could be read in the time, at most so many bytes: the last one may be cut.
        """
        form = ("-r", "-U0", "--diff-filter=M", "--format=%x02%H", "--", *paths)
        feed = "".join(f"{commit}\n" for commit in commits).encode()
        return self._told(timeout_s, "diff-tree", "--stdin", *form, size=size, feed=feed)

    def _told(self, timeout_s: float, what: str, *form: str, size: int = -1, feed: bytes = b"") -> bytes:
        """Return what git tells of commits, as much as it does in the time."""
        large = (
            f"core.bigFileThreshold={_LONGEST_LOOK}"  # which file of more than that changed, not where: it is generated
        )
        argv = [self._program(), *_SAFE, "-c", large, what, "--no-renames", *_DIFF, *form]
        env = {**os.environ, **self._environment()}

        import threading

        with subprocess.Popen(
            argv, cwd=self.root, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as log:
            stop = threading.Timer(timeout_s, log.kill)
            stop.start()
            if log.stdin:
                with contextlib.suppress(BrokenPipeError), log.stdin as pipe:
                    pipe.write(feed)  # some ids: no more than a pipe holds
            data = log.stdout.read(size) if log.stdout else b""
            log.kill()  # it has said all, or more than is wanted
            stop.cancel()
        return data


def _astray(place: Path) -> str:
    """Say where a file `.git` points that is no repository, as that of a worktree or a submodule does which was copied without it."""
    try:
        if not stat.S_ISREG(os.lstat(place / ".git").st_mode):
            return ""
        kind, _, name = _bytes(place / ".git", 4_000).decode("utf-8", "surrogateescape").partition("gitdir:")
        name = name.strip()
        there = not kind and bool(name) and os.path.lexists(place / name / "HEAD")
    except (OSError, ValueError):
        return ""
    return "" if there else f".git points to {visible.name(name) or 'nothing'}, which is no repository"


def _quoted(name: str) -> str:
    """Return a name as git writes it into a diff: in quotes where it holds what would end a line."""
    if not re.search(_CONTROLS, name):
        return name
    name = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + re.sub(_CONTROLS, lambda match: f"\\{ord(match[0]):03o}", name) + '"'


def _git_in(folder: str) -> str | None:
    """Return the git in a folder of the search path."""
    found = f"{folder}{os.sep}git"
    return found if os.path.isfile(found) and os.access(found, os.X_OK) else None  # noqa: PTH113


def _line(path: Path) -> str:
    """Return what a small file of git's own holds."""
    return _bytes(path, 400).decode("utf-8").strip()


def _bytes(path: Path, most: int = -1) -> bytes:
    """Return the bytes of a file of git's own; a link is not followed."""
    with os.fdopen(
        os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)), "rb"
    ) as file:
        return file.read(most)


def _commits(data: bytes) -> Iterator[Commit]:
    """Read `git log -z`; the last commit may be cut and is left out then."""
    whole, _, _ = data.rpartition(b"\0")
    for piece in whole.split(b"\x02")[1:]:
        head, *names = piece.split(b"\0")
        words = head.decode("utf-8", "replace").split(" ", 1)
        if len(words) == 2:
            paths = tuple(os.fsdecode(name.lstrip(b"\n")) for name in names if name.strip(b"\n"))
            yield Commit(words[0], words[1].strip(), paths)


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_DIFF:
        return text
    pieces = re.split(r"(?m)^(?=diff --git )", text)
    left, kept = _LONGEST_DIFF, dict.fromkeys(range(len(pieces)), "")
    for done, at in enumerate(
        sorted(kept, key=lambda at: len(pieces[at]))
    ):  # what a short one leaves is for the others
        share, piece = left // (len(pieces) - done), pieces[at]
        kept[at] = piece if len(piece) <= share else piece[: piece.rfind("\n", 0, share) + 1]
        left -= len(kept[at])
    return "".join(kept.values()) + f"[cut: {len(text)} letters in all]\n"
