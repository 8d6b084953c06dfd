"""Bytes of a file as text and back, exactly or not at all.

UTF-8 (with or without a byte order mark) and UTF-16 with one are decoded. So is an encoding that the file itself names
(a Python or Emacs coding line, XML, HTML, CSS), or the only one under which the file contains the words of an edit. Any
other encoding in which ASCII is ASCII (Latin-1, GBK, Shift-JIS, ...) is carried through byte for byte as lone
surrogates: such a file takes edits as long as the new lines are ASCII or lines that it already has. Nothing is guessed.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from assistant.edits.compare import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_LOOKED_AT = 8_000
_HEAD = 1_024

# Python's own names for the encodings that files name. No codec outside this list is ever used: some of Python's are
# not text (rot13), some keep state from line to line or spell ASCII in other bytes (utf-7, iso-2022, ebcdic).
_ONE_BYTE = (
    "latin-1", "cp1252", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9",
    "iso8859-10", "iso8859-11", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "cp1250", "cp1251", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp1258", "cp437", "cp737", "cp850", "cp852", "cp855", "cp857", "cp858", "cp862", "cp866",
    "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "mac-latin2", "tis-620", "cp874",
)  # fmt: skip
_MORE_BYTES = (
    "gbk", "gb2312", "gb18030", "big5", "big5hkscs", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "johab",
)  # fmt: skip
# What the web standard reads for these names, because pages always meant the larger set.
_ON_THE_WEB = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gbk", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
_CODING_LINE = re.compile(rb"^[ \t\f]*(?:#|//|/\*|;|--|%|\"|<!--).*?coding[:=][ \t]*([-\w.]+)")
_XML = re.compile(rb"^<\?xml\s[^>]*?encoding\s*=\s*[\"']([-\w.:]+)[\"']")
_CSS = re.compile(rb"^@charset \"([-\w.:]+)\";")
_HTML = re.compile(rb"<meta\s[^>]{0,200}?charset\s*=\s*[\"']?\s*([-\w.:]+)", re.IGNORECASE)

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Coding:
    """How a file is encoded: codec, byte order mark, and whether it holds bytes that the codec cannot read."""

    name: str = "utf-8"
    mark: bytes = b""
    foreign: bool = False

    def encode(self, text: str) -> bytes:
        """Encode text as this file is encoded; raises UnicodeEncodeError for what the file cannot hold."""
        data = text.encode(self.name, "surrogateescape")
        if self.foreign and data.decode("utf-8", "surrogateescape") != text:
            raise UnicodeEncodeError(self.name, text, 0, len(text), "would mix two encodings")
        return data


def coding(data: bytes, words: str = "") -> Coding | None:
    """Return how a file is encoded; None if it is not text.

    `words` is what an edit quotes of the file and writes into it. Its letters outside ASCII settle the encoding of a
    file that does not name its own, if each of them occurs in the file in a word that is quoted whole, and all
    encodings that read the file so agree on the bytes.
    """
    if data.startswith(_WIDE_MARKS):
        return None  # UTF-32: nobody writes source in it, and its mark begins like that of UTF-16
    for mark, name in _MARKS:
        if data.startswith(mark):
            try:
                text = data[len(mark) :].decode(name)
            except UnicodeDecodeError:
                return None
            return None if "\0" in text and name != "utf-8" else Coding(name, mark)
    if b"\0" in data[:_LOOKED_AT]:
        return None
    named = _named(data[:_HEAD])
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        if named == "utf-8":
            return Coding(foreign=True)
        name = named or _settled(data, words)
        return Coding(name) if name and _returns(data, name) else Coding(foreign=True)
    if b"\x1b$" in data or b"\x1b(" in data:
        return Coding(foreign=True)  # ISO-2022: seven bits, and not ASCII
    if not named or named == "utf-8":
        return Coding()
    # It is UTF-8 and names another encoding. That is settled only where it makes no difference.
    return Coding(named) if data.isascii() else Coding(foreign=True)


def decode(data: bytes, how: Coding) -> str:
    """Read bytes as text, line ends untouched, the byte order mark left out."""
    return data.removeprefix(how.mark).decode(how.name, "surrogateescape")


@cache
def _known() -> dict[str, str]:
    """Map Python's codec names to ours. The look-up loads every codec, so it waits until a file names one."""
    return {codecs.lookup(name).name: name for name in (*_ONE_BYTE, *_MORE_BYTES, "ascii", "utf-8")}


def _named(head: bytes) -> str:
    """Return the encoding that a file names where programs look for it; empty for none, or one that we do not use."""
    on_the_web = True
    found = _XML.match(head) or _CSS.match(head)
    if found is None:
        for line in head.split(b"\n")[:2]:
            found = found or _CODING_LINE.match(line)
        on_the_web = found is None
    if found is None and head.lstrip()[:1] == b"<":
        found = _HTML.search(head)
    if found is None:
        return ""
    name = found[1].decode("ascii", "replace")
    name = re.sub(r"-(?:unix|dos|mac)$", "", name, flags=re.IGNORECASE)  # Emacs appends the kind of line end
    try:
        plain = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return _known().get(_ON_THE_WEB.get(plain, plain) if on_the_web else plain, "")


def _settled(data: bytes, words: str) -> str:
    """Return the encoding under which the letters of `words` occur in the file, if all that fit agree on their bytes.

    One byte is too little to go by: the second half of a Chinese letter is a letter of Latin-1. So each letter must
    occur in a whole word of two letters or more.
    """
    letters = "".join(sorted({sign for sign in words if not sign.isascii()}))
    quoted = {word for word in _WORD.findall(words) if len(word) > 1 and not word.isascii()}
    if not letters or any("\ud800" <= sign <= "\udfff" for sign in letters):
        return ""
    fitting: dict[tuple[bytes, ...], str] = {}
    for name in (*_ONE_BYTE, *_MORE_BYTES):
        try:
            written = tuple(sign.encode(name) for sign in letters)
        except UnicodeEncodeError:
            continue
        if all(each in data for each in written) and _returns(data, name):
            text = data.decode(name)
            standing = "".join(word for word in quoted if word in text)
            if set(letters) <= set(standing):
                fitting.setdefault(written, name)
    return next(iter(fitting.values())) if len(fitting) == 1 else ""


def _returns(data: bytes, name: str) -> bool:
    """Say whether a codec reads the whole file and gives back the same bytes, line by line."""
    try:
        return all(line.decode(name).encode(name) == line for line in data.split(b"\n"))
    except UnicodeError:
        return False


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
    """Decode one line for display, without its end."""
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in line:
        codec = "utf-16-be" if line.startswith((codecs.BOM_UTF16_BE, b"\0")) else "utf-16-le"
        return line.decode(codec, "replace").lstrip("\ufeff").rstrip("\r\n")
    return line.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").rstrip("\r\n")


def retype(words: str, lines: Sequence[bytes], beside: Sequence[bytes], *, ended: bool = True) -> tuple[bytes, ...]:
    r"""Encode lines that a person has edited: the reverse of `show`.

    `words` have "\\n" ends. `lines` are those that they replace, `beside` others of the same file. A line that reads
    like one of these keeps its bytes; a byte order mark stays, line ends are those that most lines have, and the last
    line has one if it is `ended` or the last of `lines` had one.

    Raises UnicodeEncodeError for letters where the file's encoding is not known, and for what could not be shown.
    """
    known = (*lines, *beside)
    mark = next((mark for mark, _ in _MARKS if lines and lines[0].startswith(mark)), b"")
    codec = _wide(known) or "utf-8"
    end = line_end([line.decode("latin-1").replace("\0", "") for line in known]).encode(codec)
    feed = "\n".encode(codec)
    bare = [line.removeprefix(mark) if index == 0 else line for index, line in enumerate(lines)]
    kept = [line if line.endswith(feed) else line + end for line in bare]
    bodies: dict[str, set[bytes]] = {}
    for line in (*bare, *beside):
        bodies.setdefault(show(line), set()).add(_bare(line, codec))
    foreign = codec == "utf-8" and any("\ufffd" in show(line) and b"\xef\xbf\xbd" not in line for line in known)
    typed = [line.rstrip("\r\n") for line in cut(words)]
    out: list[bytes] = []
    done = 0
    for a, b, c, d in changes([show(line) for line in lines], typed):
        out += kept[done:a]
        for new in typed[c:d]:
            same = bodies.get(new, set())
            if new.isascii() or not (same or foreign or "\ufffd" in new):
                same = {new.encode(codec)}
            if len(same) != 1:
                raise UnicodeEncodeError(codec, new, 0, len(new), "the file is in another encoding")
            out += [data + end for data in same]
        done = b
    out += kept[done:]
    if out and not ended and lines and not lines[-1].endswith(feed):
        out[-1] = out[-1].removesuffix(end)
    if mark:
        out[:1] = [mark + (out[0] if out else b"")]
    return tuple(out)


def _wide(lines: Sequence[bytes]) -> str:
    """Return the kind of UTF-16 that lines are in; empty if they are not."""
    for line in lines:
        if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16-be" if line.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
        if b"\0" in line:
            return "utf-16-be" if line.startswith(b"\0") or line.endswith(b"\0\n") else "utf-16-le"
    return ""


def _bare(line: bytes, codec: str) -> bytes:
    for end in ("\r\n", "\n"):
        if line.endswith(end.encode(codec)):
            return line.removesuffix(end.encode(codec))
    return line


def ended(line: bytes, like: bytes) -> bytes:
    """Give a line without an end the end of another line."""
    codec = _wide([like]) or "utf-8"
    return line if line.endswith("\n".encode(codec)) else line + like[len(_bare(like, codec)) :]


def line_end(lines: list[str] | tuple[str, ...]) -> str:
    """Return the line end that most lines have, "\\n" where none has any."""
    windows = sum(line.endswith("\r\n") for line in lines)
    return "\r\n" if windows * 2 > sum(line.endswith("\n") for line in lines) else "\n"
