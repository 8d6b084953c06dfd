"""Log files of other clients: found below a folder, and read line by line from where the last run stopped.

Most lines of such logs are answers and file contents, by the gigabyte; few tell usage. So bytes are searched, not
parsed, until a line contains one of the words that its client's module looks for.
"""

from __future__ import annotations

import errno
import json
import os
import zlib
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
    from pathlib import Path

_READ = 256 << 10
"""Bytes read at once: as many as fit into a core's own cache."""
LONGEST_LINE = 64 << 20
"""The most bytes of a line, or of a whole document, that are read; nobody writes longer ones on purpose."""
_DENSE = 2048
"""Bytes per relevant line up to which such lines count as dense."""
_SAMPLE = 32 << 10
_HEAD = 512
_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some programs write before a text."""
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""Errors that mean that there is no folder (any more): a link may lead nowhere, or in circles."""


class LogFile:
    """How far a file was read. `head` is a checksum that tells whether the file was replaced, or cut and written on.

    `as_read` is its inode, its size and the instant of its last change (ns) when it was read to its end.
    """

    def __init__(self, path: str, offset: int = 0, head: int = 0, state: dict[str, Any] | None = None) -> None:
        self.path = path
        self.offset = offset
        self.head = head
        self.state = state or {}
        self.as_read = (0, -1, 0)


class Reader:
    """Reads one file after the other through one buffer."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._needles = needles
        self._buffer = bytearray(_READ)
        self.notes: list[str] = []

    def lines(self, file: LogFile, size: int) -> Iterator[bytearray | memoryview]:
        """Yield pieces of whole lines that contain at least all lines with a needle; `file.offset` is then behind them.

        A piece is valid until the next is requested. A file that was replaced or cut is read from its start. An
        incomplete last line is left for the next time.
        """
        with open(file.path, "rb", buffering=0) as log:  # noqa: PTH123 - a Path for each of thousands of files costs
            if file.offset and (file.offset > size or _crc(log, file.offset) != file.head):
                project = file.state.get("project")
                file.offset, file.state = 0, {"project": project} if project else {}
            log.seek(file.offset)
            rest, dense = 0, None
            while got := self._fill(log, rest):
                if not file.offset and not rest and self._buffer.startswith(_MARK):
                    self._buffer[: len(_MARK)] = b" " * len(_MARK)
                end = self._buffer.rfind(b"\n", rest, rest + got) + 1
                rest += got
                if end:
                    file.offset += end
                    if dense is None:
                        dense = self._is_dense(end)
                    if dense:  # to cut out single lines costs more than to decode a few more
                        with memoryview(self._buffer)[:end] as piece:
                            yield piece
                    else:
                        yield self._holding(end)
                    rest -= end
                    self._buffer[:rest] = self._buffer[end : end + rest]
                elif rest >= LONGEST_LINE:
                    self.notes.append(f"{file.path}: a line of more than {LONGEST_LINE >> 20} MB was left out")
                    file.offset += rest
                    rest = 0
            if rest and _is_whole(line := self._buffer[:rest]):
                file.offset += rest
                yield line
            file.head = _crc(log, file.offset)

    def _fill(self, log: FileIO, rest: int) -> int:
        """Read behind the rest of a line; return the number of bytes, 0 at the end of the file."""
        if rest == len(self._buffer):
            self._buffer *= 2
        elif not rest and len(self._buffer) > _READ:
            self._buffer = bytearray(_READ)
        with memoryview(self._buffer) as buffer, buffer[rest:] as room:
            return log.readinto(room) or 0

    def _is_dense(self, end: int) -> bool:
        """Say whether relevant lines are dense, from a sample at the beginning of those that end at `end`."""
        sample = min(end, _SAMPLE)
        return len(self._needles) == 1 and self._buffer.count(self._needles[0], 0, sample) * _DENSE > sample

    def _holding(self, end: int) -> bytearray:
        """Return the lines that contain a needle, among the whole lines that end at `end`."""
        buffer = self._buffer
        find, rfind = buffer.find, buffer.rfind
        spans = []
        for needle in self._needles:
            at = find(needle, 0, end)
            while at >= 0:
                after = find(b"\n", at) + 1
                spans.append((rfind(b"\n", 0, at) + 1, after))
                at = find(needle, after, end)
        if len(self._needles) > 1:
            spans = sorted(set(spans))
        return bytearray().join([buffer[start:after] for start, after in spans])


def _crc(log: FileIO, offset: int) -> int:
    """Return a checksum of the first and last bytes up to `offset`: they differ if the file was cut and written on."""
    log.seek(0)
    head = zlib.crc32(log.read(min(offset, _HEAD)))
    if offset <= _HEAD:
        return head
    log.seek(max(_HEAD, offset - _HEAD))
    return zlib.crc32(log.read(min(_HEAD, offset - _HEAD)), head)


def _is_whole(rest: bytearray) -> bool:
    """Say whether the text after the last line end is a complete line."""
    try:
        return isinstance(json.loads(rest), dict)
    except (ValueError, RecursionError):
        return False


def folder_at(path: Path, notes: list[str]) -> bool:
    """Say whether there is a folder; if that cannot be told, add why to `notes`."""
    try:
        return S_ISDIR(path.stat().st_mode)
    except OSError as error:
        if error.errno not in _NOT_THERE:
            notes.append(_shut(str(path), error))
        return False


def _shut(folder: str, error: OSError) -> str:
    return f"{folder} cannot be looked into: {error.strerror}. What lies there was left out."


def walk(root: str, suffixes: tuple[str, ...], notes: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files with these suffixes below a folder, sorted. Links are not followed, so there are no loops.

    Folders that cannot be read are told in `notes`, once each; folders that are gone are not.
    """
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as there:
                entries = sorted(there, key=lambda entry: entry.name)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                notes.append(_shut(folder, error))
            continue
        shut: OSError | None = None
        for entry in entries:
            try:
                if entry.name.endswith(suffixes):
                    stat = entry.stat(follow_symlinks=False)
                    if S_ISREG(stat.st_mode):
                        yield entry.path, stat
                        continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
            except OSError as error:
                shut = error if error.errno not in _NOT_THERE else shut
        if shut is not None:
            notes.append(_shut(folder, shut))
