"""Bytes of a stream become server events: SSE and lines of JSON, whatever way the bytes are cut."""

from __future__ import annotations

import codecs

from assistant.errors import StreamBroken
from assistant.models.wire import ServerEvent

_LARGEST = 32_000_000


class SseDecoder:
    """Cuts a body into server events as the WHATWG text says; a comment becomes an event named ":"."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._name = ""
        self._data: list[str] = []
        self._first = True
        self._return = False

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Take bytes; return the events that are whole now."""
        return self._lines(self._utf8.decode(data), last=False)

    def close(self) -> list[ServerEvent]:
        """Take the end of the body; an event without its blank line is given out as well."""
        found = self._lines(self._utf8.decode(b"", final=True), last=True)
        return [*found, *self._end()]

    def _lines(self, text: str, *, last: bool) -> list[ServerEvent]:
        if self._first and text:
            text = text.removeprefix("\ufeff")
            self._first = False
        if self._return and text:
            text = text.removeprefix("\n")
            self._return = False
        if "\r" in text:
            self._return = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(self._rest) + len(text) > _LARGEST:
            raise StreamBroken("The answer has a line that never ends.", "Ask again.")
        if "\n" not in text and not last:
            self._rest += text
            return []
        *lines, self._rest = (self._rest + text).split("\n")
        if last and self._rest:
            lines.append(self._rest)
            self._rest = ""
        found: list[ServerEvent] = []
        for line in lines:
            if not line:
                found += self._end()
            elif line.startswith(":"):
                found.append(ServerEvent(":", line[1:].strip()))
            else:
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "data":
                    self._data.append(value)
                elif field == "event":
                    self._name = value
        return found

    def _end(self) -> list[ServerEvent]:
        name, data = self._name, self._data
        self._name, self._data = "", []
        return [ServerEvent(name, "\n".join(data))] if data else []


class LineDecoder(SseDecoder):
    """Cuts a body of one JSON text a line."""

    def _lines(self, text: str, *, last: bool) -> list[ServerEvent]:
        *lines, self._rest = (self._rest + text).split("\n")
        if last and self._rest:
            lines.append(self._rest)
            self._rest = ""
        return [ServerEvent("", line) for each in lines if (line := each.strip())]
