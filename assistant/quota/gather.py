"""One pass over the logs of one client: read what is new, skip what was counted before, write the sums.

Memory is bounded: requests are gathered in batches, and each batch is written in one transaction with the positions up
to which the files were read.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
from typing import TYPE_CHECKING, Any

from assistant.errors import StateError
from assistant.quota import buckets, counted, marks
from assistant.quota.buckets import Buckets
from assistant.quota.counted import MOST, Book, Overtaken, Places
from assistant.quota.logfile import LONGEST_LINE, LogFile, Reader, walk
from assistant.quota.marks import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, tzinfo
    from pathlib import Path
    from types import ModuleType

    from assistant.quota.buckets import Row
    from assistant.quota.marks import Run
    from assistant.quota.store import Connection, Store

AsRead = tuple[int, int, int]
_UNREAD: tuple[AsRead, int, int] = (0, -1, 0), 0, 0
_FOLD = 1_000
"""Requests gathered before they are added up: as many as fit into a core's own cache."""
_LITTLE = 4 << 20
"""Bytes of logs up to which Python's own JSON is quicker, because the quicker parser takes time to load."""


_WRITES = "writes"
"""The name in `shared` for how often this client's data was written; the client's part uses other names."""
_SPARSE = 1024
"""Bytes of log per request where requests are dense: to estimate how many come."""


class Imported:
    """The result of one run for one client. `torn` counts unreadable lines; `notes` say what was left out, and why.

    `limits` are the newest limits in the log, of the plan and of everything that has limits of its own: JSON text with
    the instant at which it was seen, the oldest first; they become readings in `Sources`.
    """

    def __init__(self, client: str, notes: list[str]) -> None:
        self.client = client
        self.files = self.read = self.uses = self.copies = self.torn = 0
        self.notes = notes
        self.limits: list[tuple[str, datetime]] = []


class Pass:
    """One pass over the logs of one client."""

    def __init__(
        self,
        store: Store,
        part: ModuleType,
        zone: tzinfo | None,
        plan_of: Callable[[str], str],
        sizes_of: Callable[[str, str], tuple[int, ...]],
    ) -> None:
        self._store = store
        self._part = part
        self._zone = zone
        self._kinds: dict[str, str] = part.KINDS
        self._needles: tuple[bytes, ...] = getattr(part, "NEEDLES", ())
        self._reader = Reader(self._needles)
        self._found = Imported(part.CLIENT, self._reader.notes)
        self._at_once: Callable[..., Iterable[Row]] | None = None
        self._seen = Seen(part.CLIENT)
        self._uses: dict[str, Row] = {}
        self._others: list[Row] = []
        self._book = Book(part.CLIENT, store.read)
        self._places = Places(part.CLIENT, store.read)
        self._plan_of, self._sizes_of = plan_of, sizes_of
        self._buckets = self._batch()
        self._done: list[tuple[Any, ...]] = []
        self._shared: dict[str, str] = {}

    def read(self, roots: Iterable[Path]) -> Imported:
        """Read what is new below the roots."""
        collecting = gc.isenabled()
        gc.disable()  # a million requests form no reference cycles, and the search for some takes a tenth of the time
        try:
            return self._read_all(roots)
        finally:
            if collecting:
                gc.enable()

    def _batch(self) -> Buckets:
        return Buckets(
            self._part.CLIENT, self._zone, self._seen, self._book, self._places, self._plan_of, self._sizes_of
        )

    def _read_all(self, roots: Iterable[Path]) -> Imported:
        known = self._load()
        wanted = getattr(self._part, "wanted", lambda _: True)
        changed: list[tuple[str, os.stat_result]] = []
        much = 0
        for root in roots:
            for path, stat in walk(str(root), tuple(self._kinds), self._found.notes):
                if not wanted(path):
                    continue
                self._found.files += 1
                as_read, offset, _ = known.get(path, _UNREAD)
                if as_read != self._look(path, stat):
                    changed.append((path, stat))
                    much += stat.st_size - offset if stat.st_size >= offset else stat.st_size
        self._seen.expect(much // _SPARSE)
        if much > _LITTLE:
            self._at_once = getattr(self._part, "lines", None)
        for path, stat in changed:
            state = self._state(path) if path in known else {}
            self._read(LogFile(path, *known.get(path, _UNREAD)[1:], state), stat)
        if self._done:
            self._write()
            self._store.write(self._merge)
        told = [
            (text, at)
            for name, text in self._shared.items()
            if name.partition(":")[0] == "limits"
            and (at := buckets.instant(self._shared.get(f"limits_at{name.removeprefix('limits')}", ""))) is not None
        ]
        self._found.limits = sorted(told, key=lambda each: each[1])
        return self._found

    def _look(self, path: str, stat: os.stat_result) -> AsRead:
        """Return what tells whether a file has changed; a database's newest writes are in a file beside it (WAL)."""
        if self._kinds[os.path.splitext(path)[1]] == "base":  # noqa: PTH122 - as below
            with contextlib.suppress(OSError):
                late = os.stat(f"{path}-wal")  # noqa: PTH116 - as below
                return stat.st_ino, stat.st_size + late.st_size, max(stat.st_mtime_ns, late.st_mtime_ns)
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _read(self, file: LogFile, stat: os.stat_result) -> None:
        kind = self._kinds[os.path.splitext(file.path)[1]]  # noqa: PTH122 - a Path for each of thousands of files costs
        if not self._found.read:
            self._store.read(self._open)
        self._found.read += 1
        if project := getattr(self._part, "project", None):
            file.state.setdefault("project", os.fsencode(project(file.path)).decode("utf-8", "replace"))
        as_read = self._look(file.path, stat)  # before reading: what is written meanwhile is read next time
        try:
            if kind == "lines":
                self._lines(file, stat)
            elif kind == "whole":
                self._whole(file, stat)
            else:
                from pathlib import Path

                for use in self._part.base(Path(file.path), file.state):
                    self._take(use)
                    self._fold_some()
        except (OSError, StateError) as error:
            self._found.notes.append(f"{file.path}: {error}")
            return
        file.as_read = as_read
        self._fold()
        self._done.append(self._row(file))
        if self._is_full:
            self._write()

    def _lines(self, file: LogFile, stat: os.stat_result) -> None:
        for data in self._reader.lines(file, stat.st_size):
            self._piece(data, file.state)
            self._fold_some()
            if self._is_full:
                self._fold()
                self._write(file)

    def _piece(self, data: bytearray | memoryview, state: dict[str, Any]) -> None:
        """Read some whole lines: together if the part can and nothing is odd, else one by one."""
        if self._at_once is not None:
            try:
                for use in self._at_once(data, self._uses):
                    self._take(use)
            except _unread():
                pass
            else:
                return
        for line in bytes(data).split(b"\n"):
            if not any(needle in line for needle in self._needles):
                continue
            try:
                one = self._part.line(line, state, self._shared)
            except _unread() as error:
                # A valid line of another kind may happen to contain the needle.
                self._found.torn += not _is_valid(error)
                continue
            if one is not None:
                self._take(one)

    def _whole(self, file: LogFile, stat: os.stat_result) -> None:
        if stat.st_size > LONGEST_LINE:
            self._found.notes.append(f"{file.path} has more than {LONGEST_LINE >> 20} MB and was left out")
            return
        with open(file.path, "rb") as document:  # noqa: PTH123 - as above
            data = document.read()
        try:
            for use in self._part.whole(data, file.state, self._shared):
                self._take(use)
        except _unread() as error:
            self._found.torn += not _is_valid(error)

    def _take(self, use: Row) -> None:
        """Gather one request; of several lines about it, keep the one that counts."""
        key = use[0] or buckets.said(use)
        old = self._uses.get(key)
        if use in (old, *self._others[-1:]):
            self._found.copies += 1
            return
        if min(use[6:12]) < 0 or max(use[6:12]) > MOST:  # token counts out of range are clamped
            use = (*use[:6], *(min(max(0, count), MOST) for count in use[6:12]), *use[12:])  # type: ignore[assignment] # same types as before
        if use[13] or (old is not None and use[1] != old[1] and None not in {use[1], old[1]}):
            self._others.append(use)  # several names, or two requests for one message
        elif old is None:
            self._uses[key] = use
        else:
            self._found.copies += 1
            if self._buckets.better(use, old):
                self._uses[key] = use

    def _fold_some(self) -> None:
        """Add up what was gathered, if it is much."""
        if len(self._uses) + len(self._others) >= _FOLD:
            self._fold()

    def _fold(self) -> None:
        """Add up what was gathered."""
        self._buckets.add(self._uses, self._others)
        self._uses, self._others = {}, []

    @property
    def _is_full(self) -> bool:
        return self._seen.is_full or self._book.is_full

    # Our own file.

    def _load(self) -> dict[str, tuple[AsRead, int, int]]:
        """Return what is known of each file, without its state: most files have not changed."""
        files: dict[str, tuple[AsRead, int, int]] = {}

        def read(base: Connection) -> None:
            query = "SELECT path, inode, size, changed, offset, head FROM files WHERE client = ?"
            for path, inode, size, changed, offset, head in base.execute(query, (self._part.CLIENT,)):
                files[path if type(path) is str else os.fsdecode(path)] = (inode, size, changed), offset, head
            self._shared.update(base.execute("SELECT name, value FROM shared WHERE client = ?", (self._part.CLIENT,)))

        self._store.read(read)
        return files

    def _state(self, path: str) -> dict[str, Any]:
        query = "SELECT state FROM files WHERE client = ? AND path = ?"
        found = self._store.read(lambda base: base.execute(query, (self._part.CLIENT, _kept(path))).fetchone())
        row = next((row for row in reversed(found) if row), None)
        if row is None:
            raise Overtaken
        state: dict[str, Any] = json.loads(row[0])
        return state

    def _row(self, file: LogFile) -> tuple[Any, ...]:
        """Return the row kept for a file, with its state as text: thousands of small objects would fill the memory."""
        state = json.dumps(file.state, separators=(",", ":"))
        return self._part.CLIENT, _kept(file.path), *file.as_read, file.offset, file.head, state

    def _write(self, partly: LogFile | None = None) -> None:
        """Write what was gathered and how far the files were read, in one transaction."""
        rows = self._done if partly is None else [*self._done, self._row(partly)]
        batch, before = self._buckets, self._shared.get(_WRITES, "0")
        told = {**self._shared, _WRITES: str(int(before) + 1)}

        def write(base: Connection) -> list[Run]:
            query = "SELECT value FROM shared WHERE client = ? AND name = ?"
            if (now := base.execute(query, (self._part.CLIENT, _WRITES)).fetchone()) and now[0] != before:
                raise Overtaken
            runs = self._seen.save(base)
            self._book.save(base)
            batch.write(base)
            base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            shared = [(self._part.CLIENT, name, value) for name, value in told.items()]
            base.executemany("INSERT OR REPLACE INTO shared VALUES (?, ?, ?)", shared)
            return runs

        self._seen.commit(self._store.write(write))
        self._book.commit()
        self._places.commit()
        self._shared = told
        self._found.uses += batch.steps
        self._found.copies += batch.copies
        self._found.torn += batch.torn
        self._done = []
        self._buckets = self._batch()

    def _open(self, base: Connection) -> None:
        self._book.open(base)
        self._places.open(base)
        self._seen.open(base)

    def _merge(self, base: Connection) -> None:
        self._seen.merge(base)
        self._book.merge(base)


def _kept(path: str) -> str | bytes:
    """Return a path as our file keeps it: in bytes if its name is not valid text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _unread() -> tuple[type[Exception], ...]:
    """Return the errors of both JSON parsers. Called only after an error: the quicker parser takes long to load."""
    from msgspec import DecodeError

    return DecodeError, ValueError, RecursionError


def _is_valid(error: Exception) -> bool:
    from msgspec import ValidationError

    return isinstance(error, ValidationError)


def build(base: Connection, found: int) -> None:
    """Make the tables, or what a file of version `found` lacks."""
    base.execute(
        "CREATE TABLE IF NOT EXISTS files "
        "(client, path, inode, size, changed, offset, head, state, PRIMARY KEY (client, path))"
    )
    base.execute("CREATE TABLE IF NOT EXISTS shared (client, name, value, PRIMARY KEY (client, name))")
    # Most runs ask only how far each file was read, which the table keeps beside kilobytes of state.
    base.execute("CREATE INDEX IF NOT EXISTS files_read ON files (client, path, inode, size, changed, offset, head)")
    buckets.build(base)
    counted.build(base)
    if found < 5:
        # Older versions marked requests otherwise, and their marks match nothing: later copies count again.
        marks.build(base)
        # the end of a file is no longer remembered
        base.execute("UPDATE files SET state = json_remove(state, '$.tail')")
