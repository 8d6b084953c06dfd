"""The child that reads sources into the index: `python -m assistant.context.indexer ROOT STORE` with files on standard input.

Each line is "blob id TAB language TAB path", the most wanted first. What is read is saved in packs, small ones first, so
that a question can be answered while the rest is still being read. The child outlives the question that started it, takes
a low priority, and holds a lock so that two windows never read the same repository twice.

A source may be made to break a parser. Before each file its blob id goes into a file beside the store; a file that takes
too much time or memory kills the child, and the next child finds the name there and reads that file as plain text.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.context import history, measure, terms
from assistant.context.index_store import Batch, Store
from assistant.context.language import language_of, languages
from assistant.context.repo import Repo

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_A_FILE = 1.5
MEMORY = 1 << 30
"""Bytes of address space: beyond it an allocation fails and the child ends."""
LARGEST = 512_000
"""Bytes of a file that are read for its words; of data and prose it is a tenth of that."""
_FIRST, _MOST = 6_000, 700_000
"""Postings in the first pack and in the largest: some 100 MB while they are gathered."""
_STALE = 3
"""An index that knows so many times more files than there are is begun anew."""


def version() -> str:
    """Name what the tags depend on: the queries of all languages."""
    import zlib

    pages = sorted({(each.name, each.query) for each in languages().values()})
    return f"{zlib.crc32(repr(pages).encode()):08x}"


def main(root: Path, place: Path) -> None:
    """Read every file named on standard input that the store does not know."""
    wanted = [line.rstrip(b"\n").decode("utf-8", "surrogateescape").split("\t", 2) for line in sys.stdin.buffer]
    _bound()
    gc.disable()  # trees, tags and counts make no circles; looking for some takes a tenth of the time
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(place.with_suffix(".lock")), Store(place, version()) as store:
        known = {(blob, language) for _, blob, language, _ in store.files()}
        missing = [row for row in wanted if (row[0], row[1]) not in known]
        doing = os.open(place.with_suffix(".doing"), os.O_RDWR | os.O_CREAT, 0o600)
        suspect = os.pread(doing, 64, 0).decode("ascii", "replace").strip()
        missing.sort(key=lambda row: row[0] != suspect)
        batch, room = Batch(), _FIRST
        for blob, language, path in missing:
            os.pwrite(doing, blob.ljust(64).encode(), 0)
            _read(batch, root, blob, language, path, plain=blob == suspect)
            if batch.size > room or blob == suspect:  # what killed a child is never met again
                _alarm(0)
                store.save(batch)
                if room == _FIRST:
                    _remember(store, root)
                batch, room = Batch(), min(room * 2, _MOST)
        _alarm(0)
        store.save(batch)
        _remember(store, root)
        measure.make(place.parent.parent)
        os.ftruncate(doing, 0)
        os.close(doing)


def _remember(store: Store, root: Path) -> None:
    """Read the git log when HEAD is another than last time."""
    repo = Repo(root, is_git=(root / ".git").exists())
    head = history.head(repo)
    if head != store.note("head"):
        store.put_note("history", history.pack(history.read(repo)))
        store.put_note("head", head)


def _read(batch: Batch, root: Path, blob: str, language: str, path: str, *, plain: bool) -> None:
    from assistant.context.tags import Tags, tags

    try:
        with (root / path).open("rb") as file:
            source = file.read(4 * LARGEST)
    except OSError:
        source = b""
    if b"\0" in source[:8_000]:
        source = b""
    known = language_of(path)
    counts, words = terms.count(source[: LARGEST if known else LARGEST // 10])
    found = Tags()
    if known and source and not plain:
        _alarm(SECONDS_A_FILE)
        with contextlib.suppress(RecursionError, MemoryError):
            found = tags(source, known)
    names: Counter[str] = Counter()
    for tag in found.defs:
        names.update(terms.of_identifier(tag.name.encode("utf-8", "replace")))
    batch.add(blob, language, found, counts, names, words)


def _alarm(seconds: float) -> None:
    """End this process after so many CPU seconds; 0 takes it back. The parser cannot be asked to stop, so this is how."""
    import signal

    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def _bound() -> None:
    """Take a low priority and a bound of memory, where the system knows such things."""
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        os.nice(5)
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def busy(place: Path) -> bool:
    """Say whether a child reads into a store at this moment; always False where files cannot be locked."""
    try:
        import fcntl

        lock = place.with_suffix(".lock")
        lock.touch(0o600)
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a store; a second child waits, then finds the work done."""
    path.touch(0o600)
    with path.open("a") as file:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
