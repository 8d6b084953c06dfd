"""The index as a question sees it: which files there are, which of them are read, and the postings of the words it asks for.

Reading sources happens outside the face's process (see `indexer`): py-tree-sitter holds the interpreter, and typing must
never stutter. A question waits for no longer than it wants to, uses what is there, and the child goes on without it.
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

from assistant.context import history, indexer, kept, language
from assistant.context.index_store import DEFINED, Damaged, Store, twice
from assistant.errors import RepoError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import IO

    from assistant.context.repo import FileFact, Repo
    from assistant.context.tags import Tags

_TRIES = 4
"""How often a child that died (of a file made to kill it) is followed by another within one question."""
_BEAT_S = 0.05
_PIPE = 60_000
"""Bytes that a pipe takes without anybody who reads."""
_LISTING_S = 2.0
"""Seconds in which a child has never yet listed and read anything of so many files: to wait for less is lost time."""
_MANY = 50_000
"""Files beyond which a first question leaves it to the child to look what languages they are in: that takes longer than to answer."""


class Index:
    """A repository's files with what is known of them. `paths` of an id are several where files are equal.

    `unread` is how many files the child has not read yet. `file` is the file that the store read them from.
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
        """Return for each term the ids of the files that hold it, and how often each does."""
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
        """Return the tags of the files that are read."""
        ids = {path: self.ids[path] for path in paths if path in self.ids}
        known = self.store.tags(list(dict.fromkeys(ids.values())))
        return {path: known[each] for path, each in ids.items() if each in known}

    def source(self, path: str) -> bytes:
        """Return the bytes of a file, none where it cannot be read or is too large to be looked through."""
        with contextlib.suppress(RepoError):
            return self.repo.read(path, indexer.LARGEST)
        return b""

    def homes(self, name: str) -> list[str]:
        """Return the files that define a name, as far as they are read."""
        return [path for each in self.lookup([DEFINED + name]).get(DEFINED + name, ()) for path in self.paths[each]]

    def __contains__(self, name: object) -> bool:
        """Say whether a name is defined somewhere: an index is the symbols that a mention may mean."""
        return isinstance(name, str) and bool(self.homes(name))

    def without(self, files: Iterable[FileFact]) -> Index:
        """Return the index with nothing of some files in it, on the same store."""
        gone = indexer.wanted(files)
        ids = {path: each for path, each in self.ids.items() if path not in gone}
        paths: dict[int, list[str]] = defaultdict(list)
        for path, each in ids.items():
            paths[each].append(path)
        words = {each: size for each, size in self.words.items() if each in paths}
        unread = self.unread - sum(path not in self.ids for path in gone)
        return Index(self.repo, self.store, ids, paths, words, unread)

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


def place(cache: Path, root: Path) -> Path:
    """Return where the index of a repository lies: beside `cache`, in a file of its own."""
    whole = os.fsencode(root)  # two checksums, for to load what makes better ones takes as long as to read the index
    return cache.parent / "index" / f"{root.name[:40]}-{zlib.crc32(whole):08x}{zlib.crc32(whole[::-1]):08x}.sqlite"


def was_whole(cache: Path, root: Path) -> bool:
    """Say whether a repository has been read once, so that there is little to wait for."""
    return place(cache, root).with_suffix(".whole").exists()


@twice
def refresh(repo: Repo, files: Sequence[FileFact], cache: Path, *, timeout_s: float, question: str = "") -> Index:
    """Bring the index up to date as far as time allows, the files that a question seems to be about first."""
    root = repo.root
    kept.use(place(cache, root).parent)
    end = time.monotonic() + timeout_s
    try:
        store = Store(place(cache, root), language.version())
    except StateError:  # a home that is read-only or full costs the memory, not the answer
        import tempfile

        spare = tempfile.TemporaryDirectory(prefix="wattson-")
        store = Store(place(Path(spare.name) / "tags", root), language.version())
        store.spare = spare
    head = history.head(repo)
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
        # Of many looks while a child reads, none starts another one to wait behind it.
        while stale and (reading := indexer.busy(store.path)) and time.monotonic() < end:
            time.sleep(_BEAT_S)
        if stale and reading:
            break
        # A child that had to begin a new index has read no more than what was missing in the old one.
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
    """Take those of some files that no index has seen yet into one, as far as they are read."""
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
    """Let a child list the files itself and read them until `end`; says whether there is time left, so that all is read or it died."""
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
    """A copy of this process that reads: it is there at once, where another Python takes longer to start than to read a file."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._ends, mine = os.pipe()  # nobody writes: it is closed when the child ends
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
                os._exit(1)  # whatever it was that this process would do next, the other one does it
        os.close(mine)

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the end; returns how it ended, None where it has not yet."""
        import select

        if not select.select([self._ends], [], [], timeout_s)[0]:
            return None
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def close(self) -> None:
        """Let go of it: it goes on, and one that has ended leaves nothing behind."""
        os.close(self._ends)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, os.WNOHANG)


class _Spawned:
    """A process of its own that reads."""

    def __init__(self, argv: list[str], lines: bytes) -> None:
        # The child must find this package whatever folder the user stands in, and nothing that lies in that folder.
        home = Path(__file__).parent.parent.parent
        nothing = subprocess.DEVNULL
        with contextlib.ExitStack() as held:
            given: IO[bytes] | int = subprocess.PIPE
            if len(lines) > _PIPE:  # to wait until it has read so much would take as long as the question
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
        """Wait for the end; returns how it ended, None where it has not yet."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Let go of it: it goes on, and one that has ended leaves nothing behind."""
        self._child.poll()


def _start(repo: Repo, store: Store, head: str, how: str, lines: bytes) -> _Forked | _Spawned:
    if how != indexer.ALL and _is_alone():  # beside all the paths of a huge repository a new Python is the lighter one
        with store.closed():
            given = io.BytesIO(lines)
            return _Forked(lambda: indexer.main(repo.root, store.path, head, how, given))
    argv = [sys.executable, "-m", "assistant.context.indexer", str(repo.root), str(store.path), head, *how.split()]
    return _Spawned(argv, lines)


def _is_alone() -> bool:
    """Say whether this process has one thread, and nobody else's code can hold a lock that a copy would wait for for ever."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names are enough
    except OSError:
        return False


def _child(store: Store, head: str, wanted: dict[str, tuple[str, str]], found: Index, end: float) -> bool:
    """Let a child read files until `end`; says whether it is worth to start another: it died before its time."""
    lines = "".join(
        indexer.named(blob, language, path) for path, (blob, language) in wanted.items() if path not in found.ids
    ).encode("utf-8", "surrogateescape")
    with contextlib.closing(_start(found.repo, store, head, indexer.LATE if found.repo.late else "", lines)) as child:
        return bool(child.wait(max(0.0, end - time.monotonic())))
