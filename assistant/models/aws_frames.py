"""Bytes become the messages of Amazon's event stream: length, headers, payload, each guarded by a CRC.

The layout is that of the AWS "application/vnd.amazon.eventstream" encoding; the limits are those its own SDKs keep.
"""

from __future__ import annotations

import json
import struct
from binascii import crc32

from assistant.errors import StreamBroken
from assistant.models.wire import ServerEvent

_PRELUDE = 12
_LARGEST_HEADERS = 131_072
_LARGEST_PAYLOAD = 25_165_824
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value, by type, for types of a fixed size; types 6 (bytes) and 7 (text) carry their own size."""


class FrameDecoder:
    """Cuts a body into events; their name is the event type, or "exception:" and the type of the exception."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._broken: StreamBroken | None = None

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Take bytes; return the messages that are complete now.

        Raises StreamBroken if a length or a CRC is wrong; if complete messages come before it, only with the next call.
        """
        if self._broken is not None:
            raise self._broken
        self._rest += data
        found: list[ServerEvent] = []
        try:
            self._cut(found)
        except StreamBroken as error:
            if not found:
                raise
            self._broken = error
        return found

    def close(self) -> list[ServerEvent]:
        """Take the end of the body. An incomplete message is dropped; the wire knows whether the answer had ended."""
        if self._broken is not None:
            raise self._broken
        self._rest.clear()
        return []

    def _cut(self, found: list[ServerEvent]) -> None:
        at = 0
        while len(self._rest) - at >= _PRELUDE:
            total, headers, crc = struct.unpack_from(">III", self._rest, at)
            if crc32(self._rest[at : at + 8]) != crc:
                raise _damaged("the beginning of a message does not match its checksum")
            if headers > _LARGEST_HEADERS or total > headers + 16 + _LARGEST_PAYLOAD or total < headers + 16:
                raise _damaged(f"a message says it has {total:,} bytes")
            if len(self._rest) - at < total:
                break
            frame = bytes(self._rest[at : at + total])
            if crc32(frame[:-4]) != int.from_bytes(frame[-4:], "big"):
                raise _damaged("a message does not match its checksum")
            names = _headers(frame[_PRELUDE : _PRELUDE + headers])
            found.append(_event(names, frame[_PRELUDE + headers : -4].decode("utf-8", "replace")))
            at += total
        del self._rest[:at]


def _headers(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            size = data[at]
            name = data[at + 1 : at + 1 + size].decode("utf-8", "replace")
            at += 1 + size
            kind = data[at]
            at += 1
            if kind in {6, 7}:
                (length,) = struct.unpack_from(">H", data, at)
                at += 2
            else:
                length = _SIZES[kind]
            if at + length > len(data):
                raise _damaged("a header is longer than its message")
            if kind == 7:
                found[name] = data[at : at + length].decode("utf-8", "replace")
            at += length
    except (IndexError, KeyError, struct.error) as error:
        raise _damaged("a header cannot be read") from error
    return found


def _event(headers: dict[str, str], payload: str) -> ServerEvent:
    match headers.get(":message-type", "event"):
        case "exception":
            return ServerEvent("exception:" + headers.get(":exception-type", ""), payload)
        case "error":
            words = {"message": headers.get(":error-message", "")}
            return ServerEvent("exception:" + headers.get(":error-code", ""), json.dumps(words))
        case _:
            return ServerEvent(headers.get(":event-type", ""), payload)


def _damaged(what: str) -> StreamBroken:
    return StreamBroken(f"The answer is damaged: {what}.", "What had come is kept; ask again.")
