"""The child process that reads sources into the index.

It is run as `python -m assistant.context.indexer ROOT STORE HEAD [late|all]`, with the files on standard input: each
line is "blob id TAB language TAB path" (see `named`). Files that a question seems to be about are read first: the words
of the question lie in a file beside the store, where a later question puts its own. Files are saved in packs, small
ones first, so that a question can be answered while the rest is still being read. The child outlives the question that
started it, takes a low priority, and holds a lock so that two windows never read the same repository twice. `late`
means that the files were listed in a hurry: a file that differs from what git has of it is passed over until a listing
names it as it is. With `all` the child lists the files itself. A file beside the store says that everything was read
once.

A source may be made to break a parser. Before each file its blob id goes into a file beside the store; a file that
takes too much time or memory kills the child, and the next child finds the id there and reads that file as plain text.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.context import git_index, kept, terms
from assistant.context.index_store import Batch, Damaged, Store
from assistant.context.language import has_grammar, language_of, names_of, version
from assistant.locked import locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assistant.context.listing import FileFact

_UNREAD = frozenset(
    """.png .jpg .jpeg .gif .webp .ico .bmp .pdf .zip .gz .xz .bz2 .tar .jar .war .whl .so .dll .dylib .exe .o .a .class .pyc .woff .woff2 .ttf
    .otf .eot .mp3 .mp4 .mov .avi .wav .bin .dat .db .sqlite .lock .map .snap .svg .csv .tsv .po .mo .pem .min.js""".split()
)
LATE, ALL = "late", "all"
"""Ways to call the child, see above."""
SECONDS_A_FILE = 1.5
MEMORY = 1 << 30
"""Bytes of address space: above it an allocation fails and the child ends."""
_SINGLE = 2
"""The most files of one language for which each gets a query of its own, of only what it may hold; with more, one
full query serves all of them."""
LARGEST = 512_000
"""Bytes of a source that are read for its words; of data and prose an eighth of that."""
_PARSED = 1_000_000
"""Bytes of a source that are searched for definitions."""
_NUMBERS = 2_000
"""Bytes that are read of data made of numbers: its words stand at the beginning."""
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_LOG_S = 20.0
"""The most seconds for reading the git log."""
_FIRST, _MOST = 6_000, 700_000
"""Postings in the first pack and in the largest, which takes some 100 MB while it is gathered."""


def wanted(files: Iterable[FileFact]) -> dict[str, tuple[str, str]]:
    """Return, by path, the blob id and language of the files that are read."""
    files = tuple(files)
    return {
        path: (file.blob, name)
        for file, (path, name) in zip(files, names_of([file.path for file in files]), strict=True)
        if (dot := path.rfind(".")) < 0 or path[dot:].lower() not in _UNREAD
    }


def named(blob: str, language: str, path: str) -> str:
    """Return the line that names a file to the child; a line feed in a path becomes NUL, which no path contains."""
    return f"{blob}\t{language}\t{path}".replace("\n", "\0") + "\n"


def _listed(root: Path) -> list[list[str]]:
    """List the files of a repository in the form of standard input."""
    from assistant.context.repo import Repo

    found = wanted(Repo.open(root).files())
    return [[blob, language, path] for path, (blob, language) in found.items()]


def main(root: Path, place: Path, head: str, how: str = "", given: Iterable[bytes] | None = None) -> None:
    """Read every file of the lines given that the store does not know, and the git log if HEAD is new to the store.

    The lines come from standard input unless they are `given`.
    """
    lines = [] if how == ALL else sys.stdin.buffer if given is None else given
    rows = [
        line.rstrip(b"\n").replace(b"\0", b"\n").decode("utf-8", "surrogateescape").split("\t", 2) for line in lines
    ]
    kept.use(place.parent)
    _bound()
    gc.disable()  # trees, tags and counts make no reference cycles; searching for some takes a tenth of the time
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(_lock_of(place), math.inf):  # a second child waits, then finds the work done
        rows = _listed(root) if how == ALL else rows
        try:
            _fill(root, place, head, how, rows)
        except Damaged:
            place.with_suffix(".doing").unlink(missing_ok=True)  # no file is to blame
            _fill(root, place, head, how, rows)


def _fill(root: Path, place: Path, head: str, how: str, rows: Iterable[Sequence[str]]) -> None:
    with Store(place, version()) as store:
        asked = {(row[0], row[1]): row for row in rows}
        for _, blob, language, _ in store.files_of(asked):
            asked.pop((blob, language), None)
        missing = list(asked.values())
        doing = os.open(place.with_suffix(".doing"), os.O_RDWR | os.O_CREAT, 0o600)
        suspect = os.pread(doing, 64, 0).decode("ascii", "replace").strip()
        wish = Wish(place)
        missing.sort(key=lambda row: row[0] == suspect)
        few = {language for language, times in Counter(row[1] for row in missing).items() if times <= _SINGLE}
        batch, room = Batch(), _FIRST
        while missing:
            if wish.is_new():
                missing.sort(key=lambda row: (row[0] == suspect, wish.nearness(row[2], row[1])))
                room = _FIRST
            blob, language, path = missing.pop()
            os.pwrite(doing, blob.ljust(64).encode(), 0)
            _read(batch, root, blob, language, path, plain=blob == suspect, late=how == LATE, single=language in few)
            # saved at once, so that a file that killed a child is never read again
            if batch.size > room or blob == suspect:
                _alarm(0)
                store.save(batch)
                if room == _FIRST:
                    _remember(store, root, head)
                batch, room = Batch(), min(room * 16, _MOST)
        _alarm(0)
        store.save(batch)
        _remember(store, root, head)
        os.ftruncate(doing, 0)
        os.close(doing)
        place.with_suffix(".whole").touch(0o600)


class Wish:
    """The words of the latest question, in a file beside the store: a child that is reading already heeds them too."""

    def __init__(self, place: Path) -> None:
        self._place = place.with_suffix(".wish")
        self._path = str(self._place)
        self._seen = 0
        self._words: list[str] = []

    def put(self, question: str) -> None:
        """Store the words of a question; if that fails, files are read in another order."""
        asked = {stem for word in question.split() for stem in terms.parts(word) if len(stem) > 2} - terms.COMMON
        with contextlib.suppress(OSError):
            self._place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._place.touch(0o600)
            self._place.write_text("\n".join(sorted(asked)), encoding="utf-8")

    def is_new(self) -> bool:
        """Say whether the words have changed since the last call; True on the first call."""
        try:
            at = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - asked before each file
        except OSError:
            at = 1
        if at == self._seen:
            return False
        self._seen = at
        with contextlib.suppress(OSError):
            self._words = self._place.read_text(encoding="utf-8", errors="replace").split()
        return True

    def nearness(self, path: str, language: str) -> tuple[int, bool, int, str]:
        """Return the sort key of a file, the most wanted last: question words in its path, source, near the root."""
        lower = path.lower()
        return sum(word in lower for word in self._words), has_grammar(language), -path.count("/"), path


def _remember(store: Store, root: Path, head: str) -> None:
    """Read the git log if HEAD has changed since the last time."""
    if head != store.note("head"):
        # Imported late: HEAD has rarely changed, and a file that was saved should be read before the user notices.
        from assistant.context import history, moves
        from assistant.context.repo import Repo

        repo = Repo(root, is_git=True)
        commits = repo.history(history.COMMITS, timeout_s=_LOG_S)
        store.put_note("history", history.pack(history.read(repo, commits)))
        store.put_note(moves.NOTE, moves.pack(commits))
        store.put_note("head", head)


def _read(
    batch: Batch, root: Path, blob: str, language: str, path: str, *, plain: bool, late: bool, single: bool
) -> None:
    from assistant.context.tags import Tags, tags

    known = language_of(path)
    try:
        handle = os.open(f"{root}/{path}", _READ)  # a file object would allocate room for the largest file each time
        try:
            source = os.read(handle, min(os.fstat(handle).st_size, 2 * LARGEST))
        finally:
            os.close(handle)
    except OSError:
        source = b""
    if late and git_index.blob_id(source, blob) != blob:
        return
    most = LARGEST if known and known.grammar else _NUMBERS if terms.is_numbers(source) else LARGEST // 8
    if (counted := terms.count(source, most)) is None:
        source, counted = b"", ({}, 0)
    found = Tags()
    if known and source and not plain:
        _alarm(SECONDS_A_FILE)
        with contextlib.suppress(RecursionError, MemoryError):
            end = _PARSED if known.grammar else most
            whole = source if len(source) <= end else source[: source.rfind(b"\n", 0, end) + 1]
            found = tags(whole, known, references=False, single=single)
    batch.add(blob, language, found, *counted)


def _alarm(seconds: float) -> None:
    """End this process after so many CPU seconds; 0 cancels it. A parser cannot be told to stop, so this is how."""
    import signal

    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def _bound() -> None:
    """Take a low priority and limit the memory, where the system can do so."""
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        os.nice(5)
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def busy(place: Path) -> bool:
    """Say whether a child is reading into a store now; always False where files cannot be locked."""
    try:
        with locked(_lock_of(place), 0):
            return False
    except TimeoutError:
        return True
    except OSError:
        return False


def _lock_of(place: Path) -> Path:
    return place.with_suffix(".lock")


def run() -> None:
    """Run the command line and end the process."""
    root, place, head, how = [*sys.argv[1:], ""][:4]
    main(Path(root), Path(place), head, how)
    os._exit(0)  # everything is saved, and an orderly end takes time


if __name__ == "__main__":
    run()
