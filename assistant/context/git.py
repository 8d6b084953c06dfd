"""Runs git: directly for looking, through GitPython where the user asked for a commit.

When looking, nothing that the repository brings along is run. Its config may name programs: flags and variables keep
all of them from running (hooks, monitors, pagers, external differs, filters, the network), and a `git` that lies in the
repository is never run. Importing GitPython takes longer than the rest of a warm question, so every question looks
without it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant.errors import RepoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

# A repository's own config can name programs that `status`, `diff`, `show` and `log` would run.
_SAFE = (
    "--no-pager", "--no-optional-locks", "--literal-pathspecs", "--no-replace-objects",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat", "-c", "core.editor=false",
    "-c", "core.askPass=false", "-c", "core.sshCommand=false", "-c", "core.alternateRefsCommand=false", "-c", "credential.helper=",
    "-c", "core.quotePath=false", "-c", "core.attributesFile=/dev/null", "-c", "core.untrackedCache=keep", "-c", "diff.external=",
    "-c", "diff.ignoreSubmodules=all", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "diff.orderFile=/dev/null",
    "-c", "submodule.recurse=false", "-c", "status.submoduleSummary=false", "-c", "log.showSignature=false", "-c", "gpg.program=false",
    "-c", "color.ui=false", "-c", "safe.bareRepository=explicit", "-c", "protocol.allow=never",
)  # fmt: skip
# When the user asks for a commit, the user's own setup counts: hooks, filters, attributes. Only programs that a commit
# does not need stay off.
_ASKED = (
    "-c", "core.fsmonitor=false", "-c", "diff.external=", "-c", "core.quotePath=false", "-c", "submodule.recurse=false",
    "-c", "gc.auto=0", "-c", "maintenance.auto=false",
)  # fmt: skip
DIFF = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--ignore-submodules=all",
)
_CALM = {
    "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat", "GIT_EDITOR": "false", "GIT_ASKPASS": "false",
    "GIT_SSH_COMMAND": "false", "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_NOSYSTEM": "1", "GIT_EXTERNAL_DIFF": "",
}  # fmt: skip
_DRIVERS = ("filter.", "diff.", "merge.")
_RUN = (".clean", ".smudge", ".process", ".required", ".command", ".textconv", ".driver")
_LONGEST_LOOK = 400_000
"""Bytes of a file above which git only says that it changed, not where: such files are generated."""


class Ran(NamedTuple):
    """The result of a run of git: exit status, standard output as bytes, standard error as text."""

    status: int
    out: bytes
    err: str


class Git:
    """The system's git, as it is run in one repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.failed = False
        self._calm: dict[str, str] | None = None
        self._found = ""

    def _program(self) -> str:
        """Return the system's git: the first one on the path that lies outside of the repository.

        Relative folders of the path are passed over as well: anybody may have put a `git` there.
        """
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
        """Import GitPython, which runs a `git` to ask its version; it is told which one to run."""
        if "git" not in sys.modules:
            os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = self._program()
        import git

        return git

    def _environment(self) -> dict[str, str]:
        """Return variables that keep git from running programs; drivers named in the repository's config do nothing."""
        if self._calm is None:
            calm = {**_CALM, "GIT_CEILING_DIRECTORIES": str(self.root.parent)}
            self._calm = calm
            listed = self.out("config", "--null", "--name-only", "--list").decode("utf-8", "surrogateescape")
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

    def _call(self, args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Return arguments and variables with which git runs nothing that the repository brings along."""
        return [self._program(), *_SAFE, *args], {**os.environ, **self._environment()}

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start git; its output is read later."""
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        argv, env = self._call(args)
        return subprocess.Popen(argv, cwd=self.root, env=env, stdin=nothing, stdout=pipe, stderr=nothing)

    def out(self, *args: str) -> bytes:
        """Return the output of git; raises RepoError, with git's own message, where it fails."""
        argv, env = self._call(args)
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
        """Run git with an argument list and return its result; raises RepoError where there is no git.

        Nothing that the repository brings along is run, unless the user has `asked` for a commit: then its hooks and
        filters run.
        """
        import tempfile

        git = self._library()
        flags = _ASKED if asked else _SAFE
        calm = {} if asked else self._environment()
        surroundings = {**calm, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": ":", **(env or {})}
        if not asked:  # not for a commit: the git of a hook would inherit it
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

    def told(self, timeout_s: float, what: str, *form: str, size: int = -1, feed: bytes = b"") -> bytes:
        """Return what git says about commits, as far as it gets in `timeout_s` seconds; `failed` says if it gave up."""
        import threading

        large = f"core.bigFileThreshold={_LONGEST_LOOK}"
        argv, env = self._call(("-c", large, what, "--no-renames", *DIFF, *form))
        with subprocess.Popen(
            argv, cwd=self.root, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as log:
            stop = threading.Timer(timeout_s, log.kill)
            stop.start()
            if log.stdin:
                with contextlib.suppress(BrokenPipeError), log.stdin as pipe:
                    pipe.write(feed)  # a few ids, which fit into the pipe
            data = log.stdout.read(size) if log.stdout else b""
            if size < 0:
                log.wait()  # it has said all, or is killed in time
            log.kill()  # it has said as much as is wanted
            stop.cancel()
        self.failed = log.returncode > 0
        return data


def _git_in(folder: str) -> str | None:
    """Return the `git` in a folder of the search path; None where there is none."""
    found = f"{folder}{os.sep}git"
    return found if os.path.isfile(found) and os.access(found, os.X_OK) else None  # noqa: PTH113
