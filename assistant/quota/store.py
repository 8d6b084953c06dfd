"""The file of a book: opened, brought up to date, shared by all windows, set aside if damaged.

All failures of a file are handled here. A damaged file is moved away, with its write-ahead log, and what is still
readable is carried over. If the disk is full or the home is not writable, counting goes on: rows are kept in this
process and written as soon as the disk takes them. Nothing is deleted, and nothing happens silently.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from assistant.errors import Locked, StateError
from assistant.locked import lock, patiently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

WAIT_S = 20.0
"""How long a write waits for another window's, in seconds, before it fails."""

# SQLite's primary result codes; see its page "Result and Error Codes".
_CORRUPT, _NOTADB = sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB
_LACKS = ("no such table", "no such column", "has no column named")
_NO_DISK = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM,
}  # fmt: skip
_SMALL = 1_000_000
"""Files with fewer bytes are checked whole when they are opened: some 3 ms."""
_MOST_ROWS = 1 << 62
_LOGS = ("-wal", "-shm")
_NEWER = "it was written by a newer Wattson; install that one again"

T = TypeVar("T")
Connection = sqlite3.Connection


class Store:
    """One SQLite file (WAL) with a version, usable from several threads and processes.

    `version` is written as `user_version`. `build(base, found)` makes or migrates the tables in one transaction;
    `found` is the version of the file, 0 for a new one and for one from before there were versions. `carry` names the
    tables whose rows must not be lost: they are carried over from a damaged file, and from memory once the disk takes
    rows again. `warnings` are what a face should say once.
    """

    def __init__(
        self,
        path: Path,
        *,
        version: int,
        build: Callable[[sqlite3.Connection, int], None],
        carry: Sequence[str] = (),
        wait_s: float = WAIT_S,
        pragmas: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._version = version
        self._build = build
        self._carry = carry
        self._wait_s = wait_s
        self._pragmas = pragmas
        self.lock = threading.RLock()
        """Held while something is read or written; callers hold it to do both as one."""
        self._synced: bool | None = None
        self._why = ""
        self._disk: sqlite3.Connection | None = None
        self._holding = False
        self._opened = (0, 0)
        """The identity of the open file (`_identity`)."""
        self._frozen: sqlite3.Connection | None = None
        self._memory: sqlite3.Connection | None = None

    @property
    def on_disk(self) -> bool:
        """Whether rows reach the disk at present."""
        return self._memory is None

    @property
    def is_blind(self) -> bool:
        """Whether there is a file that was unreadable at the last attempt, so that its contents are unknown.

        An empty file holds nothing: it is what a full disk leaves of a new book.
        """
        unread = self._disk is None and self._frozen is None and self._memory is not None
        return unread and self.path.exists() and self.path.stat().st_size > 0

    def must_see(self) -> None:
        """Raise StateError if the file was unreadable at the last read: then the result was incomplete."""
        if self.is_blind:
            hint = "" if self._why == _NEWER else "What stands in it is not lost; see who may read it."
            raise StateError(f"{self.path} cannot be read: {self._why}.", hint)

    def read(self, rows: Callable[[sqlite3.Connection], T]) -> list[T]:
        """Run `rows` on everything there is to read, the disk before the memory; empty if nothing was ever written.

        Raises StateError if the file is unreadable, and its subclass Locked if the file stays locked for too long.
        """
        with self.lock:
            try:
                return [rows(base) for base in self._readable() if self._holds(base)]
            except sqlite3.DatabaseError as error:
                if not _damaged(error):
                    raise self._said(error) from error
            self._aside()
            try:
                return [rows(base) for base in self._readable() if self._holds(base)]
            except sqlite3.DatabaseError as error:  # it could not be moved away
                raise self._said(error) from error

    def write(self, rows: Callable[[sqlite3.Connection], T], *, synced: bool = True, wait_s: float | None = None) -> T:
        """Run `rows` in one transaction, on the disk or, if that fails, in memory; `rows` may run twice.

        Rows that are not `synced` survive the end of the process, but a power cut only after the next synced write.
        Raises Locked if the file stays locked for longer than `wait_s` (by default the store's), and StateError; then
        nothing was written.
        """
        with self.lock:
            try:
                while True:
                    base = self._writable()
                    if self._memory is not None and base is not self._memory:
                        self._drain(base)
                    if synced != self._synced:
                        base.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
                        self._synced = synced
                    with _transaction(base, self._wait_s if wait_s is None else wait_s):
                        if base is not self._disk or not self._is_moved():  # moved while we waited for the lock
                            return rows(base)
            except sqlite3.DatabaseError as error:
                if _damaged(error):
                    self._aside()
                elif _code(error) in _NO_DISK:
                    self._to_memory(str(error))
                else:
                    raise self._said(error) from error
            try:
                with _transaction(self._memory or self._writable()) as base:
                    return rows(base)
            except sqlite3.DatabaseError as error:
                raise self._said(error) from error

    def close(self) -> None:
        """Close the file, after one more attempt to write the rows in memory to the disk."""
        with self.lock:
            if self._memory is not None:
                with contextlib.suppress(sqlite3.DatabaseError):
                    base = self._writable()
                    if base is not self._memory:
                        self._drain(base)
            for each in (self._disk, self._frozen, self._memory):
                if each is not None:
                    each.close()
            self._disk = self._frozen = self._memory = None

    def check(self) -> str:
        """Check the whole file for damage; return "ok" or SQLite's message. Takes seconds for a large file.

        For `doctor`, not for the start. Raises StateError as `read` does. A file that SQLite cannot even open is set
        aside, and then the new one is "ok".
        """
        found = self.read(lambda base: str(base.execute("PRAGMA quick_check(1)").fetchone()[0]))
        return found[0].splitlines()[-1] if found else "ok"  # an earlier line may name the database

    # Connections.

    def _is_moved(self) -> bool:
        """Whether the path now leads to another file than the open one, or to none: another window has set it aside."""
        try:
            return self._opened != _identity(self.path)
        except FileNotFoundError:
            return True
        except OSError:  # its state is unknown at present
            return False

    def _let_go(self) -> None:
        """Close a file that is no longer at its path."""
        if self._disk is not None and self._is_moved():
            self._disk.close()
            self._disk = None

    def _readable(self) -> list[sqlite3.Connection]:
        self._let_go()
        if self._disk is None and self._frozen is None and self.path.exists():
            try:
                self._disk = self._open()
            except _Newer:
                self._to_memory(_NEWER)
            except OSError as error:
                self._to_memory(error.strerror or "")
            except sqlite3.DatabaseError as error:
                if _damaged(error):
                    self._aside()
                elif _code(error) in _NO_DISK:
                    self._frozen = self._read_only()
                    if self._frozen is None:
                        self._to_memory(str(error))
                else:
                    raise
        return [base for base in (self._disk or self._frozen, self._memory) if base is not None]

    def _holds(self, base: sqlite3.Connection) -> bool:
        """Whether a connection is still one of ours: the memory is dropped as soon as the disk takes its rows."""
        return base in {self._disk, self._frozen, self._memory}

    def _read_only(self) -> sqlite3.Connection | None:
        """Open a file in a home that is not writable; None if that does not help or it has another version."""
        with contextlib.suppress(sqlite3.DatabaseError):
            # `immutable` needs no -shm file, which a read-only folder cannot hold; nobody else can write there either.
            base = sqlite3.connect(f"{self.path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)
            if base.execute("PRAGMA user_version").fetchone()[0] == self._version:
                return base
            base.close()
        return None

    def _writable(self) -> sqlite3.Connection:
        """Return where rows go now; a disk that failed before is tried again."""
        self._let_go()
        try:
            if self._disk is None:
                self._disk = self._open()
            return self._disk
        except _Newer:
            return self._to_memory(_NEWER)
        except OSError as error:
            return self._to_memory(error.strerror or str(error))
        except sqlite3.DatabaseError as error:
            if _damaged(error):
                self._aside()
                return self._disk or self._to_memory(str(error))
            if _code(error) not in _NO_DISK:
                raise
            return self._to_memory(str(error))

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._turn(shared=True):
            return self._opening()

    def _opening(self) -> sqlite3.Connection:
        emptied = False
        if not self.path.exists():
            if self._carry:
                self._begun.unlink(missing_ok=True)  # another window may see the new file while it is empty
            self.path.touch(0o600)
        elif self._carry and not self.path.stat().st_size:
            emptied = self._begun.exists()  # without the note, a full disk may have left an empty new file
        self._opened = _identity(self.path)
        base = sqlite3.connect(self.path, timeout=self._wait_s, check_same_thread=False, isolation_level=None)
        with contextlib.ExitStack() as unless_it_opens:
            unless_it_opens.callback(base.close)
            found = self._version_of(base)
            patiently(base, "PRAGMA journal_mode=WAL", self._wait_s)
            for pragma in self._pragmas:
                base.execute(f"PRAGMA {pragma}")
            self._synced = None
            if found < self._version:
                self._upgrade(base)
            self._look_over(base)
            unless_it_opens.pop_all()
        if emptied:
            self._warn(f"{self.path} was empty: what stood in it is gone, and it begins anew.")
        if self._carry and not self._begun.exists():
            with contextlib.suppress(OSError):
                self._begun.touch(0o600)
                self._begun.write_text(f"{self.path.name} has been begun. Should it ever be empty, that is told.\n")
        return base

    @property
    def _begun(self) -> Path:
        """A note beside the file that it once held something: an empty file cannot tell."""
        return self.path.with_name(f"{self.path.name}.begun")

    def _version_of(self, base: sqlite3.Connection) -> int:
        found = int(base.execute("PRAGMA user_version").fetchone()[0])
        if found > self._version:
            raise _Newer
        return found

    def _upgrade(self, base: sqlite3.Connection) -> None:
        with _transaction(base):
            found = self._version_of(base)  # another window may have been faster
            if found < self._version:
                self._build(base, found)
                base.execute(f"PRAGMA user_version={self._version:d}")
        self.path.chmod(0o600)

    def _look_over(self, base: sqlite3.Connection) -> None:
        """Look for damage: in all of a small file, at the ends of each table of a large one.

        Damage elsewhere shows when it is read.
        """
        if self.path.stat().st_size < _SMALL:
            said = str(base.execute("PRAGMA quick_check(1)").fetchone()[0])
            if said != "ok":
                damage = sqlite3.DatabaseError(said)
                damage.sqlite_errorcode = _CORRUPT
                raise damage
            return
        order = (
            "SELECT name, CASE WHEN sql LIKE '%WITHOUT ROWID' THEN "
            "(SELECT name FROM PRAGMA_TABLE_INFO(each.name) WHERE pk = 1) ELSE 'rowid' END "
            "FROM sqlite_master AS each WHERE type = 'table'"
        )
        for name, key in base.execute(order).fetchall():
            base.execute(f'SELECT * FROM "{name}" ORDER BY {key} DESC LIMIT 1').fetchone()

    # When it goes wrong.

    def _to_memory(self, why: str) -> sqlite3.Connection:
        self._why = why
        if self._memory is None:
            self._memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            with _transaction(self._memory) as base:
                self._build(base, 0)
            self._warn(f"{self.path} cannot be written ({why}). Until it can, what is burnt is counted in memory only.")
        return self._memory

    def _drain(self, base: sqlite3.Connection) -> None:
        """Write the rows in memory to the disk."""
        memory = self._memory
        if memory is None:
            return
        with _transaction(base):
            self._copy(memory, base)
        memory.close()
        self._memory = None
        self._warn(f"{self.path} can be written again; nothing was lost.")

    def _copy(self, source: sqlite3.Connection, target: sqlite3.Connection) -> int:
        """Copy the rows that must not be lost, as far as they are readable; of two with one key, later values win."""
        count = 0
        for table in self._carry:
            known = {row[1] for row in target.execute(f"PRAGMA table_info({table})")} - {"row"}  # rows get new numbers
            for names, row in _rows(source, table, known):
                if source is not self._memory and _is_torn(row):
                    continue
                marks = ", ".join("?" * len(names))
                later = ", ".join(
                    f"{name} = CASE WHEN {table}.{name} > excluded.{name} THEN {table}.{name} "
                    f"ELSE coalesce(excluded.{name}, {table}.{name}) END"
                    for name in names
                )
                order = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO UPDATE SET {later}"
                target.execute(order, row)
                count += 1
        return count

    def _aside(self) -> None:
        """Move a damaged file and its log away, named by the time of its last write, and begin a new one.

        Only one window does so at a time, and it looks again first: another may have done it meanwhile.
        """
        if self._disk is not None:
            self._disk.close()
            self._disk = None
        try:
            with self._turn(shared=False):
                self._set_aside()
        except _Newer:
            self._to_memory(_NEWER)
        except OSError as error:
            self._to_memory(error.strerror or str(error))

    @contextlib.contextmanager
    def _turn(self, *, shared: bool) -> Iterator[None]:
        """Hold a lock on the folder: a shared one to open the file, another to put a new file in its place.

        SQLite finds a log by its name: a process that opened the old file between two renames would write into the log
        of the new one. Raises TimeoutError.
        """
        if self._holding:  # the new file is opened within the exclusive turn
            yield
            return
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            if not lock(folder, self._wait_s, shared=shared):
                raise TimeoutError(errno.ETIMEDOUT, "another window is mending it")
            self._holding = True
            yield
        finally:
            self._holding = False
            os.close(folder)

    def _set_aside(self) -> None:
        try:
            self._disk = self._open()
            if self._disk.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok" and self._has_all(self._disk):
                return
        except sqlite3.DatabaseError as error:
            if not _damaged(error):
                raise
        if self._disk is not None:
            self._disk.close()
            self._disk = None
        old = _open_torn(self.path)
        with contextlib.suppress(sqlite3.DatabaseError):
            # other windows write before this, or find that the file is gone
            patiently(old, "BEGIN IMMEDIATE", self._wait_s)
        held = old.in_transaction
        if not held:
            old.close()
        aside = self._free_name()
        self.path.rename(aside)
        for tail in _LOGS:
            log = self.path.with_name(self.path.name + tail)
            if log.exists():
                log.rename(aside.with_name(aside.name + tail))
        if not held:
            old = _open_torn(aside)
        with contextlib.closing(old):
            self._disk = self._open()
            saved = 0
            with contextlib.suppress(sqlite3.DatabaseError), _transaction(self._disk) as base:
                saved = self._copy(old, base)
        self._warn(f"{self.path} was damaged and set aside as {aside}; {saved} rows of it live on in a new one.")

    def _has_all(self, base: sqlite3.Connection) -> bool:
        """Whether all tables and columns are there: SQLite does not consider a missing one as damage."""
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as whole:
            self._build(whole, 0)
            return _columns(whole) <= _columns(base)

    def _free_name(self) -> Path:
        stamp = datetime.fromtimestamp(self.path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        number = 1
        while aside.exists():
            number += 1
            aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}-{number}")
        return aside

    def _warn(self, words: str) -> None:
        if words not in self.warnings:
            self.warnings.append(words)

    def _said(self, error: sqlite3.DatabaseError) -> StateError:
        words = f"{self.path} cannot be used: {error}."
        if "locked" in str(error):
            held = f"Another program has held it for more than {self._wait_s:.0f} seconds; close it and try again."
            return Locked(words, held)
        return StateError(words, "Make room, or set WATTSON_HOME to a folder that can be written.")


class _Newer(Exception):
    """The file was written by a later version."""


def _open_torn(path: Path) -> sqlite3.Connection:
    """Open a damaged file to read what is left of it."""
    base = sqlite3.connect(path, isolation_level=None)
    with contextlib.suppress(sqlite3.DatabaseError):
        base.execute("PRAGMA writable_schema=ON")  # otherwise SQLite reads nothing of a truncated file
    return base


def _rows(source: sqlite3.Connection, table: str, known: set[str]) -> Iterator[tuple[list[str], tuple[Any, ...]]]:
    """Yield the rows of a table in order, with their column names; skip unreadable ones."""
    names: list[str] = []
    with contextlib.suppress(sqlite3.DatabaseError):
        names = [str(row[1]) for row in source.execute(f"PRAGMA table_info({table})") if row[1] in known]
    last = good = 0
    while names and last < _MOST_ROWS:
        try:
            query = f"SELECT rowid, {', '.join(names)} FROM {table} WHERE rowid > ? ORDER BY rowid"
            for number, *row in source.execute(query, (last,)):
                if number > last:  # a torn page yields rows without a number
                    last = good = number
                    yield names, tuple(row)
            return
        except sqlite3.DatabaseError:
            # a bad page holds some dozens of rows: go on behind it, in longer steps if everything is bad
            last += max(8, (last - good) // 8)


def _is_torn(row: Sequence[Any]) -> bool:
    """Say whether a row lies, wholly or at its end, behind the cut of a truncated file: zeros are read there."""
    return all(each is None for each in row) or any(isinstance(each, str) and "\0" in each for each in row)


@contextlib.contextmanager
def foreign(path: Path) -> Iterator[sqlite3.Connection]:
    """Open another program's SQLite file for reading only; failures become a StateError."""
    try:
        base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)
        with contextlib.closing(base):
            yield base
    except sqlite3.DatabaseError as error:
        raise StateError(f"{path} cannot be read: {error}.", "It is left as it is.") from error


@contextlib.contextmanager
def _transaction(base: sqlite3.Connection, wait_s: float = WAIT_S) -> Iterator[sqlite3.Connection]:
    """Run in a transaction that takes the write lock at once; commit at the end, roll back on any error."""
    patiently(base, "BEGIN IMMEDIATE", wait_s)
    try:
        yield base
        base.execute("COMMIT")
    finally:
        if base.in_transaction:
            with contextlib.suppress(sqlite3.DatabaseError):
                base.execute("ROLLBACK")


def _code(error: sqlite3.DatabaseError) -> int:
    """Return SQLite's primary result code, 0 if there is none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _damaged(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is no longer a database (SQLITE_CORRUPT or SQLITE_NOTADB), or lacks a part of ours."""
    if getattr(error, "sqlite_errorcode", None) is None:
        return False
    return _code(error) in {_CORRUPT, _NOTADB} or any(words in str(error) for words in _LACKS)


def _identity(path: Path) -> tuple[int, int]:
    """Return what identifies the file at a path: another file at the same path differs. Raises OSError."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _columns(base: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the columns of all tables, each as (table, column)."""
    query = "SELECT each.name, part.name FROM sqlite_master AS each, PRAGMA_TABLE_INFO(each.name) AS part WHERE each.type = 'table'"
    return set(base.execute(query))
