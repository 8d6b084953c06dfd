"""Bytes of a file as text and back, exactly or not at all.

UTF-8 (with or without a byte order mark) and UTF-16 with one are decoded. Any other encoding in which ASCII is ASCII
(Latin-1, GBK, Shift-JIS, ...) is carried through byte for byte as lone surrogates; such a file takes edits as long as
the new lines are ASCII or lines that it already has.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOKED_AT = 8_000


@dataclass(frozen=True, slots=True)
class Coding:
    """How a file is written: codec, byte order mark, and whether it holds bytes that are not its codec's."""

    name: str = "utf-8"
    mark: bytes = b""
    foreign: bool = False

    def encode(self, text: str) -> bytes:
        """Write text as this file would; raises UnicodeEncodeError for what the file cannot hold."""
        data = text.encode(self.name, "surrogateescape")
        if self.foreign and data.decode("utf-8", "surrogateescape") != text:
            raise UnicodeEncodeError(self.name, text, 0, len(text), "would mix two encodings")
        return data


def coding(data: bytes) -> Coding | None:
    """Say how a file is written, None when it is not text."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            try:
                data[len(mark) :].decode(name)
            except UnicodeDecodeError:
                return None
            return Coding(name, mark)
    if b"\0" in data[:_LOOKED_AT]:
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return Coding(foreign=True)
    return Coding()


def decode(data: bytes, how: Coding) -> str:
    """Read bytes as text, line ends untouched, the byte order mark left out."""
    return data.removeprefix(how.mark).decode(how.name, "surrogateescape")


def split_lines(data: bytes) -> list[bytes]:
    """Cut bytes into lines with their ends; a byte order mark stays with the first."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        how = coding(data)
        if how is not None:
            first, *more = [line.encode(how.name) for line in cut(decode(data, how))] or [b""]
            return [how.mark + first, *more]
    return data.splitlines(keepends=True) if b"\r" not in data else _cut_bytes(data)


def _cut_bytes(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def cut(text: str) -> list[str]:
    """Cut text into lines with their ends, at line feeds only: form feeds and the like stay inside a line."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def show(line: bytes) -> str:
    """Decode one line for the eye, its end left out."""
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in line:
        codec = "utf-16-be" if line.startswith((codecs.BOM_UTF16_BE, b"\0")) else "utf-16-le"
        return line.decode(codec, "replace").lstrip("\ufeff").rstrip("\r\n")
    return line.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").rstrip("\r\n")


def line_end(lines: list[str] | tuple[str, ...]) -> str:
    """Return the line end that most lines have, "\\n" where none has any."""
    windows = sum(line.endswith("\r\n") for line in lines)
    return "\r\n" if windows * 2 > sum(line.endswith("\n") for line in lines) else "\n"
