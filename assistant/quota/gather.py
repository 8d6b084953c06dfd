"""One pass over the logs of one client: what is new is read, what was counted before is left out, sums are written.

A request is remembered as a mark of 64 bits, in sorted runs; among ten million requests the chance that two share one is
one in 400,000. Memory is bounded: requests are gathered in batches, and a mark takes eight bytes, or sixty while a first
pass still knows all there are.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from assistant.errors import StateError
from assistant.quota import tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

    from assistant.quota.store import Connection, Store

_READ = 64 << 10
"""Bytes read at once: small enough for a core's own cache, and for memory that is used again without asking the system."""
_LONGEST_LINE = 64 << 20
"""Bytes of a line, or of a whole document, that are looked at; nobody writes longer ones on purpose."""
_FOLD = 1_000
"""Requests gathered before they are added up: what a core's own cache holds."""
_BATCH = 50_000
"""Requests added up before they are written."""
_TAIL = 32
"""Requests at the end of a file that may still grow: the blocks of a reply are lines, and only the last has all its output."""
_AT_HAND = 1_200_000
"""Marks that a first pass keeps in a set: some 75 MB."""
_RUN = 250_000
"""Marks in a run that is not merged any further."""
_HOUR, _MINUTE = 13, 16
"""Characters of an instant up to its hour, and up to its minute."""
KEYS = ("client", "provider", "model", "project", "day", "hour", "cost_status", "currency")
SUMS = ("steps", *tally.TOKENS)


Row = tuple[str, str, str, str, str, int, int, int, int, int, int, Decimal | None, str]
"""A Use as a bare tuple: made a million times, its name costs more than what it holds."""


class Use(NamedTuple):
    """One request as a log tells it. Token counts are disjoint, as in TokenUsage; `amount` is US dollars the client reckoned.

    `key` names the request wherever it is copied, "" where the log gives it no name; `also` is a second name by which a
    copy may be known. `at` is an instant in ISO 8601.
    """

    key: str
    at: str
    provider: str
    model: str
    project: str
    fresh_input: int
    cache_read: int
    cache_write_short: int
    cache_write_long: int
    output: int
    reasoning: int
    amount: Decimal | None = None
    also: str = ""


@dataclass(slots=True)
class Imported:
    """What one run found at one client. `torn` counts lines that could not be read; `notes` says what was left out, and why."""

    client: str
    files: int = 0
    read: int = 0
    uses: int = 0
    copies: int = 0
    torn: int = 0
    notes: list[str] = field(default_factory=list)
    limits: str = ""
    limits_at: datetime | None = None
    """The newest limits of the plan that the log holds, as JSON text, and when they were seen: a reading for `Sources`."""


@dataclass(slots=True)
class _File:
    """How far a file was read."""

    path: str
    inode: int = 0
    size: int = 0
    changed: int = 0
    offset: int = 0
    head: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    """The state as it was kept: read only when the file is, which most never are again."""


class Pass:
    """One pass over the logs of one client."""

    def __init__(self, store: Store, part: ModuleType, zone: tzinfo | None) -> None:
        self._store = store
        self._part = part
        self._zone = zone
        self._kinds: dict[str, str] = part.KINDS
        self._needles: tuple[bytes, ...] = getattr(part, "NEEDLES", ())
        self._found = Imported(part.CLIENT)
        self._seen = _Seen(part.CLIENT)
        self._uses: dict[str, Row] = {}
        self._more: list[tuple[Row, list[int]]] = []
        self._tail: dict[str, list[int]] = {}
        self._sums = _Sums(part.CLIENT, zone, self._seen)
        self._done: list[_File] = []
        self._shared: dict[str, str] = {}

    def read(self, roots: Iterable[Path]) -> Imported:
        """Read what is new below the roots."""
        known = self._load()
        for root in roots:
            for path, stat in _walk(str(root), tuple(self._kinds)):
                if not getattr(self._part, "wanted", lambda _: True)(path):
                    continue
                self._found.files += 1
                file = known.get(path) or _File(path)
                if (file.inode, file.size, file.changed) != (stat.st_ino, stat.st_size, stat.st_mtime_ns):
                    self._read(file, stat)
        if self._done:
            self._write()
            self._store.write(self._seen.merge)
        if limits := self._shared.get("limits"):
            self._found.limits, self._found.limits_at = limits, _instant(self._shared.get("limits_at", ""))
        return self._found

    def _read(self, file: _File, stat: os.stat_result) -> None:
        kind = self._kinds[os.path.splitext(file.path)[1]]  # noqa: PTH122 - a Path for each of thousands of files costs
        self._found.read += 1
        if file.text:
            file.state, file.text = msgspec.json.decode(file.text), ""
        if project := getattr(self._part, "project", None):
            file.state.setdefault("project", project(file.path))
        self._tail = file.state.pop("tail", {})
        try:
            if kind == "lines":
                self._lines(file, stat)
            elif kind == "whole":
                self._whole(file, stat)
            else:
                from pathlib import Path

                for use in self._part.base(Path(file.path), file.state):
                    self._take(use)
        except (OSError, StateError) as error:
            self._found.notes.append(f"{file.path}: {error}")
            return
        file.inode, file.size, file.changed = stat.st_ino, stat.st_size, stat.st_mtime_ns
        self._fold()
        file.state["tail"] = self._tail
        self._done.append(file)
        if len(self._sums.marks) >= _BATCH:
            self._write()

    def _fold(self) -> None:
        """Add up what was gathered; what came last in the file may still grow."""
        self._sums.add_all(self._uses, self._more)
        for key in list(islice(reversed(self._uses), _TAIL))[::-1]:
            self._tail[key] = list(self._uses[key][5:11])
        if len(self._tail) > _TAIL:
            self._tail = dict(islice(self._tail.items(), len(self._tail) - _TAIL, None))
        self._uses, self._more = {}, []

    def _lines(self, file: _File, stat: os.stat_result) -> None:
        """Read whole lines from where the last run stopped; from the start when the file is another one by now."""
        with open(file.path, "rb", buffering=0) as log:  # noqa: PTH123 - as above
            head = zlib.crc32(log.read(min(file.offset, 512)) if file.offset else b"")
            if file.offset > stat.st_size or head != file.head:
                project = file.state.get("project")
                file.offset, file.state = 0, {"project": project} if project else {}
            log.seek(file.offset)
            rest = b""
            while data := log.read(_READ):
                data = rest + data if rest else data
                end = data.rfind(b"\n") + 1
                self._piece(data[:end], file.state)
                file.offset += end
                rest = data[end:]
                if len(rest) > _LONGEST_LINE:
                    self._found.notes.append(f"{file.path}: a line of more than {_LONGEST_LINE >> 20} MB was left out")
                    file.offset += len(rest)
                    rest = b""
                if len(self._uses) >= _FOLD:
                    self._fold()
                if len(self._sums.marks) >= _BATCH:
                    self._fold()
                    file.state["tail"] = self._tail
                    self._write(file)
            if rest and _is_whole(rest):
                self._piece(rest, file.state)
                file.offset += len(rest)
            log.seek(0)
            file.head = zlib.crc32(log.read(min(file.offset, 512)))

    def _piece(self, data: bytes, state: dict[str, Any]) -> None:
        """Read some whole lines: at once where the part can and nothing is odd, else one by one."""
        if (at_once := getattr(self._part, "lines", None)) is not None:
            try:
                found = at_once(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
            else:
                uses, tail = self._uses, self._tail
                for use in found:
                    key = use[0]
                    if key in uses or key in tail or not key:
                        self._take(use)
                    else:
                        uses[key] = use
                return
        for raw in data.split(b"\n"):
            if any(needle in raw for needle in self._needles):
                self._line(raw, state)

    def _line(self, raw: bytes, state: dict[str, Any]) -> None:
        try:
            use = self._part.line(raw, state, self._shared)
        except msgspec.ValidationError:
            return  # a line of another kind that happens to hold the word
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._found.torn += 1
            return
        if use is not None:
            self._take(use)

    def _whole(self, file: _File, stat: os.stat_result) -> None:
        if stat.st_size > _LONGEST_LINE:
            self._found.notes.append(f"{file.path} has more than {_LONGEST_LINE >> 20} MB and was left out")
            return
        with open(file.path, "rb") as document:  # noqa: PTH123 - as above
            data = document.read()
        try:
            for use in self._part.whole(data, file.state, self._shared):
                self._take(use)
        except msgspec.DecodeError:
            self._found.torn += 1

    def _take(self, use: Row) -> None:
        """Gather one request; where this file told it before, the larger counts stay."""
        key = use[0] or "|".join(map(str, use[1:11]))
        if key in self._uses:
            self._found.copies += 1
            old = self._uses[key]
            fresh, read, short, long, output, reasoning = map(max, zip(old[5:11], use[5:11], strict=True))
            self._uses[key] = (*old[:5], fresh, read, short, long, output, reasoning, *old[11:])
        elif key in self._tail:
            self._found.copies += 1
            before = self._tail[key]
            more = [max(0, now - then) for now, then in zip(use[5:11], before, strict=True)]
            self._tail[key] = [then + new for then, new in zip(before, more, strict=True)]
            if any(more):
                self._more.append((use, more))
        else:
            self._uses[key] = use

    # Our own file.

    def _load(self) -> dict[str, _File]:
        files: dict[str, _File] = {}

        def read(base: Connection) -> None:
            query = "SELECT path, inode, size, changed, offset, head, state FROM files WHERE client = ?"
            for path, inode, size, changed, offset, head, state in base.execute(query, (self._part.CLIENT,)):
                files[path] = _File(path, inode, size, changed, offset, head, text=state)
            self._seen.open(base)
            self._shared.update(base.execute("SELECT name, value FROM shared WHERE client = ?", (self._part.CLIENT,)))

        self._store.read(read)
        return files

    def _write(self, partly: _File | None = None) -> None:
        """Write what was gathered and how far the files were read, in one transaction."""
        done = self._done if partly is None else [*self._done, partly]
        rows = [
            (self._part.CLIENT, file.path, file.inode, file.size if file is not partly else -1, file.changed, file.offset,
             file.head, msgspec.json.encode(file.state).decode())
            for file in done
        ]  # fmt: skip

        sums = self._sums

        def write(base: Connection) -> array[int]:
            run = self._seen.save(base, sums.marks)
            tally.add_rows(base, "used", KEYS, SUMS, sums.rows)
            base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            shared = [(self._part.CLIENT, name, value) for name, value in self._shared.items()]
            base.executemany("INSERT OR REPLACE INTO shared VALUES (?, ?, ?)", shared)
            return run

        run = self._store.write(write)
        self._seen.commit(sums.marks, run)
        self._found.uses += sum(row[0] for row in sums.rows.values())
        self._found.copies += sums.copies
        self._found.torn += sums.nowhere[0]
        self._done = []
        self._sums = _Sums(self._part.CLIENT, self._zone, self._seen)


class _Seen:
    """The marks of all requests of a client that were ever counted."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._all: set[int] | None = set()
        self._runs: list[array[int]] = []

    def open(self, base: Connection) -> None:
        """Read the runs."""
        for (blob,) in base.execute("SELECT marks FROM seen WHERE client = ? ORDER BY run", (self._client,)):
            self._runs.append(array("q", blob))
            self._all = None  # a set of all of them would cost more than asking the runs

    def known(self) -> set[int] | _Runs:
        """Give what answers `mark in ...`: the set of all, while this pass has written all there are; else the runs."""
        return self._all if self._all is not None else _Runs(self._runs)

    def save(self, base: Connection, marks: set[int]) -> array[int]:
        """Write the marks of a batch as one run."""
        run = array("q", sorted(marks))
        if run:
            base.execute("INSERT INTO seen (client, marks) VALUES (?, ?)", (self._client, run.tobytes()))
        return run

    def commit(self, marks: set[int], run: array[int]) -> None:
        """Know the marks of a batch that is on the disk."""
        self._runs.append(run)
        if self._all is not None:
            self._all |= marks
            if len(self._all) > _AT_HAND:
                self._all = None

    def merge(self, base: Connection) -> None:
        """Put short runs together, so that there are few to ask."""
        self._all = None
        rows = base.execute(
            "SELECT run, marks FROM seen WHERE client = ? AND length(marks) < ?", (self._client, 8 * _RUN)
        )
        short = rows.fetchall()
        if len(short) < 8:
            return
        gathered: array[int] = array("q")
        for number, blob in short:
            base.execute("DELETE FROM seen WHERE run = ?", (number,))
            gathered.frombytes(blob)
            if len(gathered) >= _RUN:
                self.save(base, set(gathered))
                gathered = array("q")
        self.save(base, set(gathered))


def _marks(keys: Iterable[str]) -> array[int]:
    """Name requests by numbers."""
    digests = [hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest() for key in keys]
    return array("q", b"".join(digests))


class _Runs:
    """Sorted runs of marks, asked one after the other."""

    def __init__(self, runs: Sequence[array[int]]) -> None:
        self._runs = runs

    def __contains__(self, mark: int) -> bool:
        for run in self._runs:
            at = bisect_left(run, mark)
            if at < len(run) and run[at] == mark:
                return True
        return False


class _Sums:
    """What a batch adds to the sums and to the marks."""

    def __init__(self, client: str, zone: tzinfo | None, seen: _Seen) -> None:
        self.rows: dict[tuple[Any, ...], list[Any]] = {}
        self.marks: set[int] = set()
        self.copies = 0
        self._client = client
        self._zone = zone
        self._seen = seen
        self._near: dict[tuple[Any, ...], list[Any]] = {}
        self._digits = _HOUR
        self.nowhere: list[Any] = [0, 0, 0, 0, 0, 0, 0, Decimal(0)]

    def add_all(self, uses: dict[str, Row], more: Iterable[tuple[Row, list[int]]]) -> None:
        """Add the requests that were not counted before, and what others grew by."""
        known, marks = self._seen.known(), self.marks
        for mark, use in zip(_marks(uses), uses.values(), strict=True):
            if mark in known or mark in marks:
                self.copies += 1
                continue
            _, at, provider, model, project, fresh, read, short, long, output, reasoning, amount, also = use
            if also:
                (other,) = _marks([also])
                if other in known or other in marks:
                    self.copies += 1
                    continue
                marks.add(other)
            marks.add(mark)
            when = at[: self._digits] if at[-1:] == "Z" else at
            row = self._near.get((when, model, project, provider, amount is None)) or self._row(use)
            row[0] += 1
            row[1] += fresh
            row[2] += read
            row[5] += output
            if short:
                row[3] += short
            if long:
                row[4] += long
            if reasoning:
                row[6] += reasoning
            if amount is not None:
                row[7] += amount
        for use, counts in more:
            row = self._row(use)
            row[1:7] = [old + new for old, new in zip(row[1:7], counts, strict=True)]

    def _row(self, use: Row) -> list[Any]:
        """Find the sums that a request belongs to: its hour on the user's clock, its model and project."""
        _, at, provider, model, project, *_, amount, _ = use
        instant = _instant(at)
        if instant is None:
            return self.nowhere
        local = instant.astimezone(self._zone)
        offset = local.utcoffset()
        if self._digits == _HOUR and offset is not None and offset.seconds % 3600:
            self._digits = _MINUTE  # an hour of UTC is not one on this clock
            self._near.clear()
        hour = local.isoformat()[:13]
        status = ("unknown", "") if amount is None else ("reported", "USD")
        bucket = (self._client, provider, model, project, hour[:10], int(hour[11:13]), *status)
        row = self.rows.setdefault(bucket, [0, 0, 0, 0, 0, 0, 0, Decimal(0)])
        if at.endswith("Z"):
            self._near[at[: self._digits], model, project, provider, amount is None] = row
        return row


def build(base: Connection) -> None:
    """Make the tables."""
    base.execute(
        "CREATE TABLE files (client, path, inode, size, changed, offset, head, state, PRIMARY KEY (client, path))"
    )
    base.execute("CREATE TABLE shared (client, name, value, PRIMARY KEY (client, name))")
    base.execute("CREATE TABLE seen (run INTEGER PRIMARY KEY, client, marks)")
    base.execute(f"CREATE TABLE used ({', '.join((*KEYS, *SUMS))}, amount, PRIMARY KEY ({', '.join(KEYS)}))")


def _is_whole(rest: bytes) -> bool:
    """Say whether what follows the last line end is complete; the rest of a line may still be on its way."""
    try:
        msgspec.json.decode(rest, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return False
    return True


def _walk(root: str, suffixes: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
    """Give the files of these suffixes below a folder, sorted; links are not followed, so there is no way round in circles."""
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as there:
                entries = sorted(there, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.name.endswith(suffixes) and entry.is_file(follow_symlinks=False):
                    yield entry.path, entry.stat(follow_symlinks=False)
            except OSError:
                continue


def _instant(at: str) -> datetime | None:
    """Read an instant; one without a zone is UTC."""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
