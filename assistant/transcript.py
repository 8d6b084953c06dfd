"""The conversation on disk: one JSON line per record, so that a sitting can be taken up again however it ended.

Lines are written whole. A crash can only cut the last line short, and reading skips it. Answers are written in pieces
while they stream, and joined when read. Pictures lie in a folder beside the file, each once, named by the SHA-256 of
its bytes, and are removed with the file. A window locks the file that it writes; another window that takes the
conversation up meanwhile gets a copy, because two writers would mix their turns.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from datetime import UTC, datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from assistant.errors import ConfigError, StateError
from assistant.files import replace
from assistant.locked import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


MOST = 500
"""The most sittings that are kept for a folder."""
_MOST_BYTES = 256 << 20
_HEAD = 30
"""Lines at the beginning of a sitting that are searched for its first question."""
_TAIL = 64 << 10
"""Bytes at the end of a sitting that are searched for a question that waits."""
_MOST_PICTURES = 64 << 20
"""The most bytes of pictures that are kept with one sitting."""


_NAMED = re.compile(r"\d{8}-\d{6}-([0-9a-z]+)(?:-\d+)?")


def fresh_id() -> str:
    """Make the id of a conversation."""
    import uuid

    return uuid.uuid4().hex[:12]


class Transcript(NamedTuple):
    """One sitting's file. Nothing is created before the first line is written."""

    path: Path

    def append(self, *records: Mapping[str, Any]) -> None:
        """Write records in one go; raises StateError when the disk does not take them."""
        lines = [f"{json.dumps(each, ensure_ascii=False, separators=(',', ':'))}\n" for each in records]
        line = "".join(lines).encode("utf-8", "surrogateescape")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                size = os.fstat(handle).st_size
                if size and os.pread(handle, 1, size - 1) != b"\n":  # begin a new line after one that was cut short
                    line = b"\n" + line
                while line:  # a disk that fills up may take only a part
                    line = line[os.write(handle, line) :]
            finally:
                os.close(handle)
        except OSError as error:
            raise StateError(
                f"The conversation cannot be saved to {self.path}: {error.strerror}.",
                "Make room or set WATTSON_HOME to a folder that can be written.",
            ) from error

    @property
    def pictures(self) -> Path:
        """The folder of the pictures shown in this sitting."""
        return self.path.with_suffix(".pictures")

    def keep(self, data: bytes, most: int = _MOST_PICTURES) -> str:
        """Save a picture; return its name in this sitting. Raises StateError when there is no room for it."""
        name, folder = _digest(data), self.pictures
        help_ = "It goes along now, and is gone when this conversation is taken up again."
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if (folder / name).exists():
                return name
            if sum(each.stat().st_size for each in folder.iterdir()) + len(data) > most:
                raise StateError(f"The picture is not kept: {most >> 20} MB of this conversation are.", help_)
            replace(folder / name, data)
        except OSError as error:
            raise StateError(f"The picture cannot be kept in {folder}: {error.strerror}.", help_) from error
        return name

    def kept(self, name: str) -> bytes | None:
        """Return a saved picture; None where it is gone or has changed since."""
        try:
            data = (self.pictures / name.replace("/", "")).read_bytes()
        except (OSError, ValueError):  # such as a name with a NUL
            return None
        return data if _digest(data) == name else None

    def size(self) -> int:
        """Return how many bytes the sitting takes on disk."""
        shown = self.pictures.iterdir() if self.pictures.is_dir() else ()
        return self.path.stat().st_size + sum(each.stat().st_size for each in shown)

    def remove(self) -> None:
        """Remove the sitting and its pictures."""
        import shutil

        shutil.rmtree(self.pictures, ignore_errors=True)
        self.path.unlink()

    def read(self) -> list[dict[str, Any]]:
        """Return all complete records, with the pieces of one answer joined; empty where there is no file.

        Other records may stand between the pieces: the user decides and chooses while an answer runs.
        """
        records: list[dict[str, Any]] = []
        answer: dict[str, Any] = {}
        for record in self._records():
            if not record.get("piece"):
                records.append(record)
            elif answer and answer.get("turn") == record.get("turn"):
                answer["text"] = str(answer.get("text", "")) + str(record.get("text", ""))
            else:
                answer = record
                records.append(answer)
        return records

    def first(self) -> str:
        """Return the first question, empty where there is none near the beginning."""
        asked = (record.get("text") for record in self._records(_HEAD) if record.get("kind") == "user")
        return str(next(asked, None) or "")

    def waits(self) -> str:
        """Return the question that waits at the end of the sitting; empty where none does."""
        found = ""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - _TAIL))
                for line in file:
                    if b'"kind":"waits"' in line:
                        with contextlib.suppress(ValueError, RecursionError, AttributeError):
                            found = str(json.loads(line).get("text") or "")
        except OSError:
            return ""  # opening the sitting reports it
        return found

    def _records(self, most: int | None = None) -> list[dict[str, Any]]:
        """Return the complete records on the first `most` lines, or on all lines."""
        try:
            with self.path.open("rb") as file:
                lines = list(islice(file, most))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror}.", "Check that it is yours.") from error
        records = []
        for line in lines:
            try:
                record = json.loads(line.decode("utf-8", "surrogateescape"))
            except (ValueError, RecursionError):
                continue  # cut short by a crash, or the empty end
            if isinstance(record, dict) and isinstance(record.get("kind", ""), str):
                records.append(record)
        return records


class Kept(NamedTuple):
    """A sitting that can be taken up again: its name, its last write, and its waiting or else its first question."""

    name: str
    at: datetime
    first: str


class Conversations:
    """The conversations of one folder: the current one, and those that can be taken up again.

    `warnings` collects faults that did not stop anything.
    """

    def __init__(self, folder: Path, name: str, now: Callable[[], datetime], warnings: list[str]) -> None:
        self.folder = folder
        self.warnings = warnings
        self.name = name
        self.copied = False
        """Whether the current conversation is a copy of one that another window had open when it was opened here."""
        self._now = now
        self._current: Transcript | None = None
        self._held: BinaryIO | None = None

    def save(self, *records: Mapping[str, Any]) -> None:
        """Write records to the current conversation in one go; if the disk does not take them, that is a warning."""
        try:
            book, at = self._book(), self._now().isoformat()
            book.append(*({**each, "at": at} for each in records))
            if self._held is None:
                self._held = _hold(book)
        except StateError as error:
            self.warn(str(error))

    def keep(self, picture: bytes) -> str:
        """Save a picture with the current conversation; return its name, or "" and warn if it cannot be saved."""
        try:
            return self._book().keep(picture)
        except StateError as error:
            self.warn(str(error))
            return ""

    def picture(self, name: str) -> bytes | None:
        """Return a picture of the current conversation; None where it is gone."""
        return self._book().kept(name)

    def warn(self, words: str) -> None:
        """Add a warning, unless it is there already."""
        if words not in self.warnings:
            self.warnings.append(words)

    def _book(self) -> Transcript:
        if self._current is None:
            self._current = self._new()
            if gone := prune(self.folder):
                self.warn(f"The {gone} oldest conversations of this folder were removed: it had too many.")
        return self._current

    @property
    def begun(self) -> bool:
        """Whether there is a current conversation: saving begins one."""
        return self._current is not None

    @property
    def id(self) -> str:
        """The id of the current conversation, from the name of its file; empty if it has no file with an id."""
        found = _NAMED.match(self._current.path.stem) if self._current is not None else None
        return found[1] if found else ""

    def tell(self, id_: str, record: Mapping[str, Any]) -> None:
        """Write a record to the other conversations with that id as well: it is about what they wrote."""
        for path in self.folder.glob(f"*-{id_}*.jsonl"):
            if self._current is None or path != self._current.path:
                try:
                    written = path.stat()
                    Transcript(path).append({**record, "at": self._now().isoformat()})
                    # keep its time: nobody has talked in it
                    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
                except (OSError, StateError) as error:
                    self.warn(str(error))

    def _new(self, name: str = "") -> Transcript:
        stem = f"{self._now():%Y%m%d-%H%M%S}-{name or self.name}"
        paths = (self.folder / f"{stem}{f'-{number}' if number else ''}.jsonl" for number in count())
        return Transcript(next(path for path in paths if not path.exists()))

    def close(self) -> None:
        """Let go of the conversation; the next record begins another one."""
        self._current = None
        if self._held is not None:
            self._held.close()
            self._held = None

    def open(self, name: str = "") -> list[dict[str, Any]]:
        """Go on with the last conversation, or with the one called `name`; return its records, if there are any.

        If another window has it open, a copy goes on, with a warning, and without the question that waits there. Raises
        ConfigError when there is none of that name, and StateError when there is no room for a copy.
        """
        found = next((each for each in recent(self.folder, sys.maxsize) if name in {"", each.path.stem}), None)
        if found is None and name:
            raise ConfigError(f"There is no conversation {name!r} here.", "/resume lists those there are.")
        if found is not None and found != self._current:
            held = _hold(found)
            self.copied = held is None
            if held is None:
                found = self._copy(found)
                # the waiting question is not copied, so the copy may be empty
                held = _hold(found) if found.path.exists() else None
                self.warn(
                    "Another window has this conversation open: a copy of it goes on here, and neither hears of the other."
                )
            self.close()
            self._held = held
        self._current = found
        return found.read() if found else []

    def _copy(self, found: Transcript) -> Transcript:
        import shutil

        copy = self._new(fresh_id())  # a new id, so that each of the two undoes only its own steps
        begun = Transcript(copy.path.with_suffix(".part"))
        try:
            # a waiting question would be sent twice
            begun.append(*(each for each in found.read() if each.get("kind") != "waits"))
            begun.path.rename(copy.path)
        except StateError:
            begun.path.unlink(missing_ok=True)
            raise
        if found.pictures.is_dir():
            with contextlib.suppress(OSError):  # a missing picture is reported where it is needed
                shutil.copytree(found.pictures, copy.pictures)
        return copy

    def read(self) -> list[dict[str, Any]]:
        """Return the records of the current conversation."""
        return self._current.read() if self._current else []

    def kept(self, most: int = 200) -> list[Kept]:
        """Return the newest other conversations in which something was asked or waits, the latest first."""
        found = []
        for each in recent(self.folder, most):
            if self._current is not None and each.path == self._current.path:
                continue
            try:
                first, at = each.first(), datetime.fromtimestamp(each.path.stat().st_mtime, UTC)
            except (OSError, StateError):
                continue  # another window has removed it, or it belongs to another user
            if waits := each.waits():
                first = f"waits: {waits}"
            if first:
                found.append(Kept(each.path.stem, at, first))
        return found

    def waiting(self, most: int = 20) -> int:
        """Return how many of the newest other conversations have a question that waits."""
        others = (
            each for each in recent(self.folder, most) if self._current is None or each.path != self._current.path
        )
        return sum(bool(each.waits()) for each in others)

    def asked(self, most: int = 200) -> list[str]:
        """Return what the user asked here in earlier sittings, oldest first."""
        found: list[str] = []
        for sitting in recent(self.folder, 8):
            try:
                records = sitting.read()
            except StateError:
                continue  # it is somebody else's
            asked = [str(record.get("text") or "") for record in records if record.get("kind") == "user"]
            found = [*asked, *found]
            if len(found) >= most:
                break
        return [words for words in dict.fromkeys(found) if words][-most:]


def _hold(sitting: Transcript) -> BinaryIO | None:
    """Lock a sitting against other windows while the returned file is open; None where another window has it.

    Raises StateError when it cannot be read.
    """
    try:
        file = sitting.path.open("rb")
    except OSError as error:
        raise StateError(f"{sitting.path} cannot be read: {error.strerror}.", "Check that it is yours.") from error
    if not lock(file):
        file.close()
        return None
    return file


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def recent(folder: Path, most: int) -> list[Transcript]:
    """Return the sittings in `folder` that were written to last, the latest first."""
    files = []
    with contextlib.suppress(OSError):
        for path in folder.glob("*.jsonl"):
            with contextlib.suppress(OSError):  # another window has just removed it
                files.append((path.stat().st_mtime_ns, path))
    return [Transcript(path) for _, path in sorted(files, reverse=True)[:most]]


def prune(folder: Path, most: int = MOST, most_bytes: int = _MOST_BYTES) -> int:
    """Remove the oldest sittings beyond `most` and `most_bytes`; return how many. The newest always stays."""
    gone = size = 0
    for number, sitting in enumerate(recent(folder, sys.maxsize)):
        try:
            size += sitting.size()
            if number and (number >= most or size > most_bytes) and (held := _hold(sitting)) is not None:
                with held:
                    sitting.remove()
                gone += 1
        except (OSError, StateError):
            continue  # another window was faster, or it may not be removed
    return gone
