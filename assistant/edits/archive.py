"""The journal's folder: a JSON file for each step, the files' bytes by their SHA-256, one lock, one open deed, a cap.

    000017.json     a step; keys that this version does not know are kept
    going.json      what is being written to the tree right now
    written.json    the same, once the tree has it and only the steps are missing
    bytes/<sha256>  texts before and after
    aside/          what could not be read; nothing here is ever deleted by us

Each file is written under a temporary name in the same folder, synced, then renamed. Records are plain dicts and bytes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from assistant.errors import StateError
from assistant.files import replace
from assistant.locked import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

VERSION = 1
GOING, WRITTEN = "going.json", "written.json"

Record = dict[str, Any]


class Damaged(Exception):
    """A record or a stored text of the archive is missing or damaged; the message says why."""


class Archive:
    """The folder of one root's journal."""

    def __init__(self, folder: Path, *, patience: float, probe: Callable[[str], object] | None) -> None:
        self.folder = folder
        self.bytes = folder / "bytes"
        self.aside = folder / "aside"
        self.patience = patience
        self.notes: list[str] = []
        self._probe = probe or (lambda _: None)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the archive's lock; raise StateError if the folder is unusable or another process keeps the lock."""
        with contextlib.ExitStack() as held:
            try:
                self.bytes.mkdir(parents=True, exist_ok=True, mode=0o700)
                held.enter_context(locked(self.folder / "lock", self.patience))
            except TimeoutError as error:
                raise StateError(
                    "Another Wattson has been writing in this repository for a while.",
                    "Wait for it or close it; nothing was changed.",
                ) from error
            except OSError as error:
                raise self._stuck(error) from error
            yield

    def _stuck(self, error: OSError) -> StateError:
        return StateError(
            f"The journal {self.folder} cannot be written: {error.strerror}.", "Make room or set WATTSON_HOME."
        )

    # Bytes.

    def keep(self, data: bytes | None) -> str | None:
        """Store bytes under their SHA-256, once, and return that name; None stays None."""
        if data is None:
            return None
        name = hashlib.sha256(data).hexdigest()
        place = self.bytes / name
        try:
            if place.read_bytes() == data:
                return name
        except OSError:
            pass
        self._save(place, data)
        return name

    def fetch(self, name: str | None) -> bytes | None:
        """Return the bytes stored under a hash; raise Damaged if they are missing or have changed."""
        if name is None:
            return None
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise Damaged("it names no bytes")
        try:
            data = (self.bytes / name).read_bytes()
        except OSError as error:
            raise Damaged("the bytes that it needs are gone") from error
        if hashlib.sha256(data).hexdigest() != name:
            raise Damaged("the bytes that it needs are damaged")
        return data

    # Steps.

    def numbers(self) -> list[int]:
        """List the steps that have a file, in order."""
        return sorted(
            int(path.stem) for path in self.folder.glob("[0-9]*.json") if path.stem.isascii() and path.stem.isdigit()
        )

    def next_number(self) -> int:
        """Return a number that no step has ever had, including steps that were set aside."""
        aside = [path.name.partition(".")[0] for path in self.aside.glob("[0-9]*.json*")]
        return max([0, *self.numbers(), *(int(name) for name in aside if name.isdecimal())]) + 1

    def record(self, number: int) -> Record | None:
        """Read a step; None if a newer Wattson wrote it. Raises Damaged, or FileNotFoundError if it was just pruned."""
        return self._read(self._path(number))

    def put(self, number: int, record: Mapping[str, Any]) -> None:
        """Write a step's file; keep those keys of an existing file that `record` does not set."""
        try:
            old = self.record(number) or {}
        except (Damaged, FileNotFoundError):
            old = {}
        self._save(self._path(number), _pack({**old, **record, "version": VERSION}))

    # The deed that is under way.

    def begin(self, deed: Mapping[str, Any]) -> None:
        """Record what is about to be written, before the first file is touched."""
        self.settle(self.bytes)
        self._save(self.folder / GOING, _pack({**deed, "version": VERSION}))
        self.settle(self.folder)

    def wrote(self) -> None:
        """Record that the tree now holds the whole change."""
        self._probe("journal written")
        try:
            (self.folder / GOING).replace(self.folder / WRITTEN)
        except OSError as error:
            raise self._stuck(error) from error
        self.settle(self.folder)

    def end(self) -> None:
        """Record that no write is under way any more."""
        self.settle(self.folder)
        self._probe("journal end")
        for name in (GOING, WRITTEN):
            with contextlib.suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)
        self.settle(self.folder)

    def deed(self) -> tuple[str, Record] | None:
        """Return the stage (GOING or WRITTEN) and record of an interrupted write; None if there is none.

        Raises Damaged, and StateError if a newer Wattson left it.
        """
        for name in (WRITTEN, GOING):
            with contextlib.suppress(FileNotFoundError):
                found = self._read(self.folder / name)
                if found is None:
                    raise StateError(
                        "A newer Wattson was interrupted while it wrote here.",
                        "Start that version once, then this one.",
                    )
                return name, found
        return None

    # Order.

    def set_aside(self, name: str, why: str) -> None:
        """Move an unreadable file into `aside`, and add a note that says so."""
        self.aside.mkdir(exist_ok=True, mode=0o700)
        target = self.aside / name
        count = 1
        while target.exists():
            count += 1
            target = self.aside / f"{name}.{count}"
        try:
            (self.folder / name).replace(target)
        except OSError:
            return
        self.notes.append(f"The journal's {name} was set aside in {self.aside}: {why}. Nothing was deleted.")

    def tidy(self) -> None:
        """Delete the archive's own half-written files; call only while holding the lock."""
        for place in (self.folder, self.bytes):
            for temp in place.glob("*.new"):
                with contextlib.suppress(OSError):
                    temp.unlink()

    def shrink(self, most_steps: int, most_bytes: int) -> list[int]:
        """Delete the oldest steps above the caps, then bytes that no step names; return the deleted steps."""
        numbers = self.numbers()
        try:
            sizes = {place.name: place.stat().st_size for place in self.bytes.iterdir()}
        except OSError:
            return []
        if len(numbers) <= most_steps and sum(sizes.values()) <= most_bytes:
            return []
        kept: set[str] = set()
        forgotten: list[int] = []
        total = 0
        for index, number in enumerate(reversed(numbers)):
            try:
                names = _names(json.loads(self._path(number).read_bytes())) - kept
            except (OSError, ValueError, RecursionError):
                names = set()
            total += sum(sizes.get(name, 0) for name in names)
            if index and (index >= most_steps or total > most_bytes):
                with contextlib.suppress(OSError):
                    self._path(number).unlink()
                    forgotten.append(number)
            else:
                kept |= names
        if not self.aside.exists():  # files that were set aside may name any of these bytes
            for name in set(sizes) - kept:
                with contextlib.suppress(OSError):
                    (self.bytes / name).unlink(missing_ok=True)
        if forgotten:
            self.notes.append(
                f"The journal is full: {len(forgotten)} of its oldest steps can no longer be undone "
                f"(up to {most_steps} steps and {most_bytes:,} bytes are kept)."
            )
        return forgotten[::-1]

    def settle(self, place: Path) -> None:
        """Sync a folder, so that its entries survive a power cut."""
        self._probe(f"journal sync {place.name}")
        with contextlib.suppress(OSError):
            handle = os.open(place, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json"

    def _read(self, path: Path) -> Record | None:
        try:
            record = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise
        except (OSError, ValueError, RecursionError) as error:
            raise Damaged("it cannot be read") from error
        if not isinstance(record, dict) or not isinstance(record.get("version", VERSION), int):
            raise Damaged("it is not a step")
        return None if record.get("version", VERSION) > VERSION else record

    def _save(self, place: Path, data: bytes) -> None:
        """Write a file whole; on failure raise StateError and leave nothing behind."""
        try:
            self._probe(f"journal save {place.name[:12]}")
            replace(place, data, sync=True, probe=lambda: self._probe(f"journal name {place.name[:12]}"))
        except OSError as error:
            room = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            raise StateError(
                f"The journal cannot be written ({error.strerror}), so nothing was changed.",
                "Make room and try again." if room else f"Look at {self.folder}, or set WATTSON_HOME.",
            ) from error


def _pack(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()


def _names(record: object) -> set[str]:
    """Collect all strings that look like a hash of stored bytes, so that a newer Wattson's are found too."""
    found: set[str] = set()
    todo: list[Any] = [record]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            todo.extend(each.values())
        elif isinstance(each, list):
            todo.extend(each)
        elif isinstance(each, str) and len(each) == 64:
            found.add(each)
    return found
