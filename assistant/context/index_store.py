"""The index on disk: tags by git blob id and postings by term, one SQLite file per repository, shared by all windows.

It can always be rebuilt, so a damaged index or one of another version is set aside and a new one begun. Damage inside
is noticed only when it is read: then the caller begins again (`twice`).

A posting has 32 bits: the number of a file (24), and how often one word occurs in it (8, at most 255). A term that
several words share has several postings for a file. A pack is what one commit of the indexer added; its file numbers
count from its `base`. Terms of defined names begin with `NAMED`, whole names as they are written with `DEFINED` (except
titles, which have blanks).

Terms lie together in drawers, chosen by a term's checksum: writing a row for each term would take as long as parsing
all sources. A row holds what one pack has in one drawer: its terms, the end of the postings of each, and the postings.
`place` combines the number of the drawer and the base of the pack.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import zlib
from array import array
from collections import Counter, defaultdict, deque
from itertools import accumulate, chain, repeat
from operator import le, or_
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from assistant.context import terms
from assistant.context.tags import Tag, Tags
from assistant.errors import StateError
from assistant.locked import is_busy, patiently

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path
    from tempfile import TemporaryDirectory

_P = ParamSpec("_P")
_T = TypeVar("_T")

VERSION = 5
NAMED = "\x01"
DEFINED = "\x02"
_WAIT_S = 10.0
_MANY = 500
_DRAWERS = 512
_BASES = 1 << 40
_TIMES = 255
_DIGITS = 20
_WIDTH = array("I").itemsize
_ROW = functools.partial(array, "I")
_LINES = 1 << 22
"""More lines than any file that is read can have."""
_SOUND = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH,
}  # fmt: skip
"""SQLite errors that mean a fault of the machine, not of the file."""
_TABLES = """
CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, blob TEXT, language TEXT, words INT, names TEXT, lines BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS files_by_blob ON files (blob, language);
CREATE TABLE IF NOT EXISTS postings (place INTEGER PRIMARY KEY, terms TEXT, rows BLOB);
CREATE TABLE IF NOT EXISTS names (base INTEGER PRIMARY KEY, text TEXT);
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value TEXT);
"""
_FILES = "SELECT id, blob, language, ifnull(max(0, CAST(words AS INT)), 0) FROM files"


class Damaged(StateError):
    """The content of an index makes no sense. The index has been set aside: whoever opens it again gets a new one."""


class _Nonsense(Exception):
    """A row holds something that was never written there."""


def twice(ask: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run a function again if the index that it opened proves to be damaged: the second time there is a new one."""

    @functools.wraps(ask)
    def run(*args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return ask(*args, **named)
        except Damaged:
            return ask(*args, **named)

    return run


class Batch:
    """Files that are read but not yet saved, with the postings of their words and of the names that they define."""

    __slots__ = ("names", "rows", "size", "words")

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, int, str, bytes]] = []
        self.words: defaultdict[bytes, array[int]] = defaultdict(_ROW)
        self.names: defaultdict[str, array[int]] = defaultdict(_ROW)
        self.size = 0

    def add(self, blob: str, language: str, tags: Tags, counted: dict[bytes, int], words: int) -> None:
        """Add one file: its tags, how often each word occurs in it, and the number of its words."""
        number = len(self.rows) << 8
        _note(self.words, counted, number)
        self.size += len(counted)
        if not tags.defs:
            self.rows.append((blob, language, words, "", b""))
            return
        names, *rest = map(list, zip(*tags.defs, strict=True))
        if "\n" in (text := "".join(names)) or not text.isascii():
            names = [name.replace("\n", " ").encode("utf-8", "replace").decode() for name in names]
        _note(self.names, Counter(names), number)
        self.size += 2 * len(names)
        self.rows.append((blob, language, words, *_written(names, *rest)))

    def postings(self) -> dict[str, list[array[int]]]:
        """Return, for each term, the postings of all words and names that have it.

        Cutting each word once for all files, and adding up the words of a file that share a term only when the term is
        asked for, takes a third of the time of doing both for each file.
        """
        found = terms.of_all(self.words, asked=True)
        named = {name.encode(): rows for name, rows in self.names.items()}
        found |= {NAMED + term: lists for term, lists in terms.of_all(named).items()}
        # No source refers to a title; titles of tests would be half of the names.
        found |= {DEFINED + name: [rows] for name, rows in self.names.items() if " " not in name}
        return found


def _written(names: Sequence[str], kinds: Sequence[str], *lines: Sequence[int]) -> tuple[str, bytes]:
    """Return what a file defines in the form of the store; JSON takes three times as long.

    It is the names and kinds, one a line, and the numbers of lines.
    """
    return "\n".join([*names, *kinds]), array("I", chain.from_iterable(lines)).tobytes()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Nonsense(f"{type(value).__name__} where a text stands")
    return value


def _numbers(value: object) -> bytes:
    if not isinstance(value, bytes) or len(value) % _WIDTH:
        raise _Nonsense(f"{type(value).__name__} where numbers stand")
    return value


def _next(text: str) -> int:
    """Read the id that the next file gets; 1 where none is stored."""
    if not text:
        return 1
    if not text.isdecimal() or not 0 < (number := int(text[:_DIGITS])) < _BASES:
        raise _Nonsense(f"{text[:_DIGITS]!r} where a number stands")
    return number


def _defs(names: object, lines: object) -> tuple[Tag, ...]:
    """Read what `_written` wrote."""
    if not (numbers := array("I", _numbers(lines))):
        return ()
    words = _text(names).split("\n")
    size = len(words) // 2
    starts, ends, declared = numbers[:size], numbers[size : 2 * size], numbers[2 * size :]
    if len(numbers) != 3 * size or max(numbers) > _LINES or not all(map(le, starts, ends)):
        raise _Nonsense(f"{size} definitions do not stand where {len(numbers)} numbers say")
    return tuple(map(Tag, words[:size], words[size:], starts, ends, declared))


def _drawn(text: object, data: object, wanted: Iterable[str]) -> Iterator[tuple[str, array[int]]]:
    """Read a row that `_drawers` wrote: yield those of the wanted terms that it holds, with the postings of each."""
    lines, held = f"\n{_text(text)}\n", _numbers(data)
    numbers, size = memoryview(held).cast("I"), lines.count("\n") - 1
    for term in wanted:  # searching for a line is quicker than splitting all of them
        if (spot := lines.find(f"\n{term}\n")) >= 0 and "\n" not in term:
            at = lines.count("\n", 0, spot)
            if size > len(numbers):
                raise _Nonsense(f"{size} terms of which {len(numbers)} numbers tell")
            first, last = numbers[at - 1] if at else 0, numbers[at]
            yield term, array("I", held[_WIDTH * (size + first) : _WIDTH * (size + last)])


def _note(place: defaultdict[Any, array[int]], counted: dict[Any, int], number: int) -> None:
    """Append a posting to the rows of each key. The loop runs in C, because nothing else is done as often."""
    if max(counted.values(), default=0) > _TIMES:
        counted = {key: min(times, _TIMES) for key, times in counted.items()}
    deque(map(array.append, map(place.__getitem__, counted), map(or_, counted.values(), repeat(number))), 0)


def _drawers(postings: dict[str, list[array[int]]]) -> dict[int, tuple[str, bytes]]:
    """Return, by drawer, the terms, one a line, and the numbers."""
    held: defaultdict[int, list[str]] = defaultdict(list)
    marks = map(zlib.crc32, "\n".join(postings).encode("utf-8", "replace").split(b"\n"))
    for term, mark in zip(postings, marks, strict=False):  # for no terms there is still one mark
        held[mark % _DRAWERS].append(term)
    found = {}
    for drawer, some in held.items():
        rows = [postings[term] for term in some]
        sizes = [len(each[0]) if len(each) == 1 else sum(map(len, each)) for each in rows]
        ends = array("I", accumulate(sizes)).tobytes()
        found[drawer] = ("\n".join(some), ends + b"".join(chain.from_iterable(rows)))
    return found


def _drawer(term: str) -> int:
    return zlib.crc32(term.encode("utf-8", "replace")) % _DRAWERS


class Store:
    """An open index. Reading never waits for a writer; a writer waits some seconds for another writer."""

    def __init__(self, path: Path, version: str) -> None:
        """Open or begin an index; `version` names what its content depends on besides the sources: the queries.

        Raises StateError where it can be neither read nor created: no permission, no room.
        """
        self.path = path
        self.spare: TemporaryDirectory[str] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open(version)
        except (OSError, sqlite3.Error) as error:
            if hasattr(self, "_base"):
                self._base.close()
            raise StateError(
                f"The index {path} cannot be used: {error}.",
                "Make room or set WATTSON_HOME to a folder that can be written.",
            ) from error

    def _open(self, version: str) -> None:
        wanted = f"{VERSION} {version}"
        try:
            self._base = self._connect()
            fits = self._note("version") in {"", wanted}
        except sqlite3.DatabaseError as error:
            if is_busy(error):
                raise  # the file is fine: another window is writing
            fits = False
        if not fits:
            self.set_aside()
        if self._note("version") != wanted:
            self._put_note("version", wanted)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; one in a temporary folder is removed with it."""
        self._base.close()
        if self.spare is not None:
            self.spare.cleanup()

    def _connect(self) -> sqlite3.Connection:
        self.path.touch(0o600)
        self.file = self.path.stat().st_ino
        base = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
        patiently(base, "PRAGMA journal_mode=WAL", _WAIT_S)
        base.execute("PRAGMA synchronous=OFF")  # what a power cut loses can be read again
        base.executescript(_TABLES)
        return base

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Close the file for the time of the block: a process must not fork while SQLite has a file open.

        Otherwise both processes would believe that they hold its locks.
        """
        self._base.close()
        try:
            yield
        finally:
            with self.trusted():
                self._base = self._connect()

    @contextlib.contextmanager
    def trusted(self) -> Iterator[None]:
        """Set the index aside and raise Damaged if SQLite or `_Nonsense` reports damage inside the block.

        This store is closed then. If the machine is at fault and not the file, StateError is raised and the file stays.
        Any other error is a fault of ours, for which no index is thrown away.
        """
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # also a fault of ours
        except (sqlite3.Error, OSError, _Nonsense) as error:
            code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
            hint = "Make room or set WATTSON_HOME to a folder that can be written."
            if isinstance(error, OSError) or code in _SOUND:
                raise StateError(f"The index {self.path} cannot be used: {error}.", hint) from error
            with contextlib.suppress(OSError):
                self._move_away()
            raise Damaged(f"The index {self.path} is damaged: {error}.", f"Remove {self.path}.") from error

    def follow(self) -> bool:
        """Switch to the new index if another process has set this one aside meanwhile; say whether it has."""
        with self.trusted():
            if self.path.stat().st_ino == self.file:
                return False
            self._base.close()
            self._base = self._connect()
        return True

    def set_aside(self) -> None:
        """Move the index away, keeping one such file, and begin a new one."""
        self._move_away()
        self._base = self._connect()

    def _move_away(self) -> None:
        if hasattr(self, "_base"):
            self._base.close()
            if self.path.exists() and self.path.stat().st_ino != self.file:
                return  # another window has moved it already, and this is the new one
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.with_suffix(".whole").unlink(missing_ok=True)
        if self.path.exists():
            self.path.replace(self.path.with_name(self.path.name + ".aside"))

    def note(self, key: str) -> str:
        """Return a stored text; empty where there is none."""
        with self.trusted():
            return self._note(key)

    def remembered(self, key: str, read: Callable[[str], _T]) -> _T:
        """Return what `read` makes of a stored text; if `read` raises ValueError, the index is damaged."""
        with self.trusted():
            try:
                return read(self._note(key))
            except ValueError as error:
                raise _Nonsense(f"what is remembered as {key}") from error

    def _note(self, key: str) -> str:
        row = self._base.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def put_note(self, key: str, value: str) -> None:
        """Store a text."""
        with self.trusted():
            self._put_note(key, value)

    def _put_note(self, key: str, value: str) -> None:
        self._base.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, value))

    def files(self) -> list[tuple[int, str, str, int]]:
        """Return id, blob id, language and number of words of every known file, of other commits as well."""
        with self.trusted():
            return self._base.execute(_FILES).fetchall()

    def files_of(self, wanted: Collection[tuple[str, str]]) -> list[tuple[int, str, str, int]]:
        """Return the rows of `files` for some blob ids and languages; for many of them all rows, which is quicker."""
        if len(wanted) > _MANY:
            return self.files()
        query = f"{_FILES} WHERE blob = ? AND language = ?"
        with self.trusted():
            return [row for pair in dict.fromkeys(wanted) for row in self._base.execute(query, pair)]

    def has_files(self) -> bool:
        """Say whether any file is known."""
        with self.trusted():
            return self._base.execute("SELECT 1 FROM files LIMIT 1").fetchone() is not None

    def save(self, batch: Batch) -> None:
        """Save a batch as one pack; a file that another window saved meanwhile stays as it is."""
        if batch.rows:
            drawers = sorted(_drawers(batch.postings()).items())
            with self.trusted():
                self._save(batch, drawers)

    def _save(self, batch: Batch, drawers: Sequence[tuple[int, tuple[str, bytes]]]) -> None:
        base = self._base
        base.execute("BEGIN IMMEDIATE")
        try:
            start = _next(self._note("next"))
            self._put_note("next", str(start + len(batch.rows)))
            done = base.executemany(
                "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                [(start + number, *row) for number, row in enumerate(batch.rows)],
            )
            if done.rowcount < len(batch.rows):
                self._expect(batch)
            base.executemany(
                "INSERT INTO postings VALUES (?, ?, ?)",
                [(drawer * _BASES + start, *row) for drawer, row in drawers],
            )
            names = sorted(batch.names)
            base.execute("INSERT INTO names VALUES (?, ?)", (start, "\n".join(["", *names, ""])))
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                base.execute("ROLLBACK")
            raise
        base.execute("COMMIT")

    def _expect(self, batch: Batch) -> None:
        """Raise _Nonsense if files of a batch have no row, although the index by blob says that they have."""
        there = set(self._base.execute("SELECT blob, language FROM files NOT INDEXED"))
        if not there.issuperset(row[:2] for row in batch.rows):
            raise _Nonsense("files are told to be there, and are not")

    def postings(self, terms: Iterable[str]) -> dict[str, list[tuple[int, array[int]]]]:
        """Return, for each term, the packs that hold it: the id of the pack's first file, and the postings."""
        wanted: dict[int, list[str]] = defaultdict(list)
        for term in dict.fromkeys(terms):
            wanted[_drawer(term)].append(term)
        with self.trusted():
            # One transaction for all: SQLite asks the system five times for each.
            self._base.execute("BEGIN")
            try:
                return self._postings(wanted)
            finally:
                self._base.execute("COMMIT")

    def _postings(self, wanted: dict[int, list[str]]) -> dict[str, list[tuple[int, array[int]]]]:
        query = "SELECT place, terms, rows FROM postings WHERE place BETWEEN ? AND ?"
        found: dict[str, list[tuple[int, array[int]]]] = {}
        for drawer, some in wanted.items():
            start = drawer * _BASES
            for place, text, data in self._base.execute(query, (start, start + _BASES - 1)):
                for term, rows in _drawn(text, data, some):
                    found.setdefault(term, []).append((place - start, rows))
        return found

    def names(self, beginning: str, most: int) -> list[str]:
        """Return defined names that begin with some letters, the first in either case; of other commits as well."""
        found: dict[str, None] = {}
        starts = dict.fromkeys(
            (beginning, beginning[:1].upper() + beginning[1:], beginning[:1].lower() + beginning[1:])
        )
        with self.trusted():
            for (value,) in self._base.execute("SELECT text FROM names"):
                text = _text(value)
                for start in starts:
                    at = text.find(f"\n{start}")
                    for _ in range(most):  # names are sorted, so those with the same beginning stand together
                        if at < 0 or not text.startswith(start, at + 1):
                            break
                        end = text.find("\n", at + 1)
                        found[text[at + 1 : end]] = None
                        at = end if end + 1 < len(text) else -1
        return sorted(found, key=lambda name: (name != beginning, len(name), name))[:most]

    def tags(self, ids: Sequence[int]) -> dict[int, Tags]:
        """Return the definitions of files."""
        found: dict[int, Tags] = {}
        for at in range(0, len(ids), _MANY):
            some = ids[at : at + _MANY]
            marks = ",".join("?" * len(some))
            query = f"SELECT id, names, lines FROM files WHERE id IN ({marks})"
            with self.trusted():
                for each, names, lines in self._base.execute(query, some):
                    found[each] = Tags(_defs(names, lines))
        return found
