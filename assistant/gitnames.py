"""Names of files as git writes them in a diff: in quotes, with escapes, where they hold something odd."""

from __future__ import annotations

import re

_ESCAPES = {
    0x07: "a",
    0x08: "b",
    0x09: "t",
    0x0A: "n",
    0x0B: "v",
    0x0C: "f",
    0x0D: "r",
    0x22: '"',
    0x5C: "\\",
}
_MEANT = {sign: byte for byte, sign in _ESCAPES.items()}
_PIECE = re.compile(r"\\([0-7]{3})|\\(.)|([^\\]+|\\)")


def quote(name: str, *, wide: bool = False) -> str:
    """Write a name as git does. `wide`: what is not ASCII needs no escape, as with core.quotePath=false."""
    data = name.encode("utf-8", "surrogateescape")
    if all(byte not in _ESCAPES and 0x20 <= byte != 0x7F and (wide or byte < 0x80) for byte in data):
        return name
    out = bytearray()
    for byte in data:
        if byte in _ESCAPES:
            out += b"\\" + _ESCAPES[byte].encode()
        elif 0x20 <= byte < 0x7F or (wide and byte > 0x7F):
            out.append(byte)
        else:
            out += b"\\%03o" % byte
    return f'"{out.decode("utf-8", "surrogateescape")}"'


def unquote(written: str) -> str:
    """Read a name that git has written; one that is not in quotes is as it stands."""
    if len(written) < 2 or not (written.startswith('"') and written.endswith('"')):
        return written
    out = bytearray()
    for octal, sign, plain in _PIECE.findall(written[1:-1]):
        if octal:
            out.append(int(octal, 8) & 0xFF)
        elif sign in _MEANT:
            out.append(_MEANT[sign])
        else:
            out += (plain or "\\" + sign).encode("utf-8", "surrogateescape")
    return out.decode("utf-8", "surrogateescape")
