"""Bytes of a stream become server events as the WHATWG text on server-sent events says, however they are cut.

Two things differ on purpose: a last event without its blank line is returned, since many servers end so; and lines that
are no field are kept, since some servers put a bare JSON error between events.
"""

from __future__ import annotations

import codecs
import json

from assistant.errors import StreamBroken
from assistant.models.wire import ServerEvent

LARGEST = 16_000_000
"""Most bytes of one event: a final event may repeat the whole answer, which is some 5 MB at the most."""
MOST_LINES = 100_000
"""Most lines of one event: empty ones have no bytes that would count."""
_STRAY = 65_536


class SseDecoder:
    """Cuts a body into server events; a comment becomes an event named ":". Linear in the bytes, however cut."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun: list[str] = []  # pieces of a line that has not ended
        self._held = 0  # bytes of the event so far
        self._name = ""
        self._data: list[str] = []
        self._stray: list[str] = []
        self._strayed = 0
        self._first = True
        self._return = False

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Take bytes; return the events that are complete now. Raises StreamBroken if one before them was too large."""
        if self._held > LARGEST or len(self._data) > MOST_LINES:
            raise StreamBroken("The answer has an event that never ends.", "Ask again.")
        self._held += len(data)
        return self._take(self._utf8.decode(data))

    def close(self) -> list[ServerEvent]:
        """Take the end of the body; return a last event without its blank line, and a bare JSON text."""
        found = self._take(self._utf8.decode(b"", final=True))
        if self._begun:
            found += self._lines(["".join(self._begun)])
            self._begun = []
        found += self._end()
        stray = "\n".join(self._stray)
        try:
            json.loads(stray)
        except (ValueError, RecursionError):
            return found
        return [*found, ServerEvent("", stray)]

    def _take(self, text: str) -> list[ServerEvent]:
        if self._first and text:
            text = text.removeprefix("\ufeff")
            self._first = False
        if self._return and text:
            text = text.removeprefix("\n")
            self._return = False
        if "\r" in text:
            self._return = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if "\n" not in text:
            if text:
                self._begun.append(text)
            return []
        lines = text.split("\n")
        if self._begun:
            lines[0] = "".join([*self._begun, lines[0]])
        last = lines.pop()
        self._begun = [last] if last else []
        return self._lines(lines)

    def _lines(self, lines: list[str]) -> list[ServerEvent]:
        found: list[ServerEvent] = []
        for line in lines:
            if line.startswith("data:"):
                self._data.append(line[6:] if line.startswith(" ", 5) else line[5:])
            elif not line:
                found += self._end()
            elif line[0] == ":":
                found.append(ServerEvent(":", line[1:].strip()))
            else:
                field, _, value = line.partition(":")
                if field == "event":
                    self._name = value.removeprefix(" ")
                elif field == "data":
                    self._data.append("")
                elif field not in {"id", "retry"} and self._strayed < _STRAY:
                    self._strayed += len(line)
                    self._stray.append(line)
        return found

    def _end(self) -> list[ServerEvent]:
        self._held = 0
        name, data = self._name, self._data
        self._name = ""
        if not data:
            return []
        self._data = []
        return [ServerEvent(name, data[0] if len(data) == 1 else "\n".join(data))]
