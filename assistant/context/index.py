"""The index as a question sees it: which files there are, which have been read, and the postings of words.

Sources are read outside of the face's process (see `indexer`): py-tree-sitter holds the interpreter, and typing must
never stutter. A question waits no longer than its timeout and uses what is there; the child process goes on without it.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
import zlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.context import indexer, kept, language
from assistant.context.index_store import DEFINED, Damaged, Store, twice
from assistant.errors import RepoError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import IO

    from assistant.context.listing import FileFact
    from assistant.context.repo import Repo
    from assistant.context.tags import Tags

_TRIES = 4
"""How often, within one question, a child that died (of a file made to kill it) is replaced by another."""
_BEAT_S = 0.05
_PIPE = 60_000
"""Bytes that a pipe takes before anybody reads it."""
_LISTING_S = 2.0
"""Seconds in which no child has ever listed so many files and read any of them: waiting for less is lost time."""
_MANY = 50_000
"""Files above which a first question leaves finding their languages to the child: it takes longer than an answer."""


class Index:
    """A repository's files, and what is known of them. An id has several `paths` where files are equal.

    `unread` is the number of files that the child has not read yet. `file` is the file that the store read them from.
    """

    __slots__ = ("file", "ids", "paths", "repo", "store", "unread", "words")

    def __init__(
        self, repo: Repo, store: Store, ids: dict[str, int], paths: dict[int, list[str]], words: dict[int, int], unread: int
    ) -> None:  # fmt: skip
        self.repo = repo
        self.store = store
        self.file = store.file
        self.ids = ids
        self.paths = paths
        self.words = words
        self.unread = unread

    def lookup(self, wanted: Iterable[str]) -> dict[str, dict[int, int]]:
        """Return, for each term, the ids of the files that contain it, and how often each does."""
        live = self.words
        found: dict[str, dict[int, int]] = {}
        for term, packs in self.store.postings(wanted).items():
            holders = found[term] = {}
            for base, rows in packs:
                for row in rows:
                    each = base + (row >> 8)
                    if each in live:
                        holders[each] = holders.get(each, 0) + (row & 255)
        return found

    def tags(self, paths: Sequence[str]) -> dict[str, Tags]:
        """Return the tags of those files that have been read."""
        ids = {path: self.ids[path] for path in paths if path in self.ids}
        known = self.store.tags(list(dict.fromkeys(ids.values())))
        return {path: known[each] for path, each in ids.items() if each in known}

    def source(self, path: str) -> bytes:
        """Return the bytes of a file; empty where it cannot be read or is too large to be searched."""
        with contextlib.suppress(RepoError):
            return self.repo.read(path, indexer.LARGEST)
        return b""

    def homes(self, name: str) -> list[str]:
        """Return the files that define a name, among those that have been read."""
        return [path for each in self.lookup([DEFINED + name]).get(DEFINED + name, ()) for path in self.paths[each]]

    def __contains__(self, name: object) -> bool:
        """Say whether a name is defined anywhere: an index serves as the set of symbols that a mention may mean."""
        return isinstance(name, str) and bool(self.homes(name))

    def without(self, files: Iterable[FileFact]) -> Index:
        """Return an index on the same store without some files."""
        gone = indexer.wanted(files)
        ids = {path: each for path, each in self.ids.items() if path not in gone}
        paths: dict[int, list[str]] = defaultdict(list)
        for path, each in ids.items():
            paths[each].append(path)
        words = {each: size for each, size in self.words.items() if each in paths}
        unread = self.unread - sum(path not in self.ids for path in gone)
        return Index(self.repo, self.store, ids, paths, words, unread)

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def place(cache: Path, root: Path) -> Path:
    """Return the path of the index of a repository: beside `cache`, in a file of its own."""
    whole = os.fsencode(root)  # two checksums, because loading a better hash takes as long as reading the index
    return cache.parent / "index" / f"{root.name[:40]}-{zlib.crc32(whole):08x}{zlib.crc32(whole[::-1]):08x}.sqlite"


def was_whole(cache: Path, root: Path) -> bool:
    """Say whether a repository has once been read completely, so that there is little to wait for."""
    return place(cache, root).with_suffix(".whole").exists()


@twice
def refresh(repo: Repo, files: Sequence[FileFact], cache: Path, *, timeout_s: float, question: str = "") -> Index:
    """Update the index as far as time allows, first the files that the question seems to be about."""
    root = repo.root
    kept.use(place(cache, root).parent)
    end = time.monotonic() + timeout_s
    try:
        store = Store(place(cache, root), language.version())
    except StateError:  # if the home is read-only or full, the index is not kept, but the question is answered
        import tempfile

        spare = tempfile.TemporaryDirectory(prefix="wattson-")
        store = Store(place(Path(spare.name) / "tags", root), language.version())
        store.spare = spare
    head = repo.head()
    if len(files) > _MANY and not store.has_files():
        indexer.Wish(store.path).put(question)
        if not _first(repo, store, head, end):
            return Index(repo, store, {}, defaultdict(list), {}, len(files))
    wanted = indexer.wanted(files)
    found = _view(repo, store, wanted)
    stale = bool(found.unread) or head != store.note("head")
    if stale:
        indexer.Wish(store.path).put(question)
    for _ in range(_TRIES):
        # While a child reads, wait for it: another one would only wait behind it.
        while stale and (reading := indexer.busy(store.path)) and time.monotonic() < end:
            time.sleep(_BEAT_S)
        if stale and reading:
            break
        # A child that had to begin a new index has read only what was missing in the old one, so try again.
        if not stale or not (_child(store, head, wanted, found, end) or store.follow()):
            break
        found = _view(repo, store, wanted)
    if not stale:
        return found
    if store.file != found.file:
        return _view(repo, store, wanted)
    _see(found, {path: pair for path, pair in wanted.items() if path not in found.ids})
    return found


def symbols(root: Path, cache: Path, beginning: str, most: int) -> list[str]:
    """Return names that a repository defines and that begin with some letters; none before it has an index."""
    where = place(cache, root)
    if not where.exists():
        return []
    kept.use(where.parent)
    with contextlib.suppress(Damaged), Store(where, language.version()) as store:
        return store.names(beginning, most)
    return []


def _view(repo: Repo, store: Store, wanted: dict[str, tuple[str, str]]) -> Index:
    found = Index(repo, store, {}, defaultdict(list), {}, len(wanted))
    _see(found, wanted)
    return found


def _see(index: Index, wanted: dict[str, tuple[str, str]]) -> None:
    """Add some files to an index, as far as the store has read them."""
    rows = index.store.files_of(wanted.values())
    by_pair = {(blob, language): (each, words) for each, blob, language, words in rows}
    for path, pair in wanted.items():
        if (known := by_pair.get(pair)) is not None:
            each, words = known
            index.ids[path] = each
            index.paths[each].append(path)
            index.words[each] = words
            index.unread -= 1


def _first(repo: Repo, store: Store, head: str, end: float) -> bool:
    """Let a child list the files itself and read them until `end`.

    Returns whether time is left, which means that everything is read or that the child died.
    """
    with contextlib.ExitStack() as held:
        child = None if indexer.busy(store.path) else _start(repo, store, head, indexer.ALL, b"")
        if child is not None:
            held.callback(child.close)
        if end - time.monotonic() < _LISTING_S:
            return False
        if child is not None:
            child.wait(max(0.0, end - time.monotonic()))
    while indexer.busy(store.path) and time.monotonic() < end:
        time.sleep(_BEAT_S)
    return time.monotonic() < end


class _Forked:
    """A copy of this process that reads. It starts at once; a new Python takes longer to start than to read a file."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._ends, mine = os.pipe()  # nobody writes to it; it closes when the child ends
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.setsid()
                nothing = os.open(os.devnull, os.O_RDWR)
                for each in (0, 1, 2):
                    os.dup2(nothing, each)
                work()
                os._exit(0)
            finally:
                os._exit(1)  # whatever comes next is for the parent to do
        os.close(mine)

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the child to end; return its exit code, None if it has not ended in time."""
        import select

        if not select.select([self._ends], [], [], timeout_s)[0]:
            return None
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def close(self) -> None:
        """Let go of the child: it goes on, and one that has ended leaves no zombie."""
        os.close(self._ends)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, os.WNOHANG)


class _Spawned:
    """A new process that reads."""

    def __init__(self, argv: list[str], lines: bytes) -> None:
        # The child must find this package from whatever folder the user stands in, and must not import anything from
        # that folder.
        home = Path(__file__).parent.parent.parent
        nothing = subprocess.DEVNULL
        with contextlib.ExitStack() as held:
            given: IO[bytes] | int = subprocess.PIPE
            if len(lines) > _PIPE:  # waiting until it has read so much would take as long as the question
                import tempfile

                given = held.enter_context(tempfile.TemporaryFile())
                given.write(lines)
                given.seek(0)
            self._child = subprocess.Popen(
                argv, stdin=given, cwd=home, stdout=nothing, stderr=nothing, start_new_session=True
            )
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._child.stdin as pipe:
                pipe.write(lines)

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the child to end; return its exit code, None if it has not ended in time."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Let go of the child: it goes on, and one that has ended leaves no zombie."""
        self._child.poll()


def _start(repo: Repo, store: Store, head: str, how: str, lines: bytes) -> _Forked | _Spawned:
    # with all the paths of a huge repository in memory, a new Python is lighter than a copy
    if how != indexer.ALL and _is_alone():
        with store.closed():
            given = io.BytesIO(lines)
            return _Forked(lambda: indexer.main(repo.root, store.path, head, how, given))
    argv = [sys.executable, "-m", "assistant.context.indexer", str(repo.root), str(store.path), head, *how.split()]
    return _Spawned(argv, lines)


def _is_alone() -> bool:
    """Say whether this process has only one thread: else a copy might wait for ever for another thread's lock."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names are enough
    except OSError:
        return False


def _child(store: Store, head: str, wanted: dict[str, tuple[str, str]], found: Index, end: float) -> bool:
    """Let a child read files until `end`; say whether another is worth starting, because this one died early."""
    lines = "".join(
        indexer.named(blob, language, path) for path, (blob, language) in wanted.items() if path not in found.ids
    ).encode("utf-8", "surrogateescape")
    with contextlib.closing(_start(found.repo, store, head, indexer.LATE if found.repo.late else "", lines)) as child:
        return bool(child.wait(max(0.0, end - time.monotonic())))
