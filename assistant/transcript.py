"""The conversation on disk: one JSON line per thing said, so that a sitting can be taken up again after any end.

A line is written whole and at once; what a crash cuts short is the last line only, and reading skips it. Answers are
written in pieces while they stream and joined when read. Pictures lie in a folder beside the file, each once, under the
SHA-256 of its bytes, and go when the file goes.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


MOST = 500
"""Sittings that are kept for a folder."""
_MOST_BYTES = 256 << 20
_MOST_PICTURES = 64 << 20
"""Bytes of pictures that are kept with one sitting."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One sitting's file. Nothing is created before the first line is written."""

    path: Path

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; raises StateError when the disk does not take it."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape") + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise StateError(
                f"The conversation cannot be saved to {self.path}: {error.strerror}.",
                "Make room or set WATTSON_HOME to a folder that can be written.",
            ) from error

    @property
    def pictures(self) -> Path:
        """The folder of what was shown in this sitting."""
        return self.path.with_suffix(".pictures")

    def keep(self, data: bytes, most: int = _MOST_PICTURES) -> str:
        """Keep a picture; returns the name that it goes by here. Raises StateError when there is no room for it."""
        import tempfile

        name, folder = _digest(data), self.pictures
        help_ = "It goes along now, and is gone when this conversation is taken up again."
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if (folder / name).exists():
                return name
            if sum(each.stat().st_size for each in folder.iterdir()) + len(data) > most:
                raise StateError(f"The picture is not kept: {most >> 20} MB of this conversation are.", help_)
            handle, path = tempfile.mkstemp(dir=folder)  # for nobody else to read
            begun = folder / path
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                begun.replace(folder / name)
            finally:
                begun.unlink(missing_ok=True)
        except OSError as error:
            raise StateError(f"The picture cannot be kept in {folder}: {error.strerror}.", help_) from error
        return name

    def kept(self, name: str) -> bytes | None:
        """Return a picture as it was shown; None where it is gone, or is another one by now."""
        try:
            data = (self.pictures / name.replace("/", "")).read_bytes()
        except OSError:
            return None
        return data if _digest(data) == name else None

    def size(self) -> int:
        """Return how many bytes the sitting has on disk."""
        shown = self.pictures.iterdir() if self.pictures.is_dir() else ()
        return self.path.stat().st_size + sum(each.stat().st_size for each in shown)

    def remove(self) -> None:
        """Remove the sitting and all that was shown in it."""
        import shutil

        shutil.rmtree(self.pictures, ignore_errors=True)
        self.path.unlink()

    def read(self) -> list[dict[str, Any]]:
        """Return all whole records, pieces of one answer joined; an absent file has none."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror}.", "Check that it is yours.") from error
        records: list[dict[str, Any]] = []
        for line in lines:
            try:
                record = json.loads(line.decode("utf-8", "surrogateescape"))
            except ValueError:
                continue  # cut short by a crash, or the empty end
            if not isinstance(record, dict):
                continue
            last = records[-1] if records else {}
            if record.get("piece") and last.get("piece") and last.get("turn") == record.get("turn"):
                last["text"] = str(last.get("text", "")) + str(record.get("text", ""))
            else:
                records.append(record)
        return records


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def recent(folder: Path, most: int) -> list[Transcript]:
    """Return the sittings in `folder` that were written to last, the latest first."""
    try:
        files = sorted(((path.stat().st_mtime_ns, path) for path in folder.glob("*.jsonl")), reverse=True)
    except OSError:
        return []
    return [Transcript(path) for _, path in files[:most]]


def prune(folder: Path, most: int = MOST, most_bytes: int = _MOST_BYTES) -> int:
    """Remove the oldest sittings beyond `most` and `most_bytes`; returns how many. The newest always stays."""
    gone = size = 0
    for number, sitting in enumerate(recent(folder, sys.maxsize)):
        try:
            size += sitting.size()
            if number and (number >= most or size > most_bytes):
                sitting.remove()
                gone += 1
        except OSError:
            continue  # another window was faster, or it may not be removed
    return gone
