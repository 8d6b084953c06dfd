"""Bytes become JSON texts: one per line, as Ollama streams, or over several lines, as an error or a whole answer."""

from __future__ import annotations

import codecs
import re

from assistant.errors import StreamBroken
from assistant.models.sse import LARGEST, MOST_LINES
from assistant.models.wire import ServerEvent

# Strings do not run over lines in JSON, so each line can be looked at alone.
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"?|[{\[]|[}\]]')


class JsonDecoder:
    """Cuts a body into JSON texts, each an event without a name. Linear in the bytes, however they are cut."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun: list[str] = []
        self._lines: list[str] = []
        self._depth = 0
        self._held = 0
        self._first = True

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Take bytes; return the texts that are complete now. Raises StreamBroken if one before them was too large."""
        if self._held > LARGEST or len(self._lines) > MOST_LINES:
            raise StreamBroken("The answer has a text that never ends.", "Ask again.")
        self._held += len(data)
        return self._take(self._utf8.decode(data))

    def close(self) -> list[ServerEvent]:
        """Take the end of the body; return what is left, complete or not."""
        found = self._take(self._utf8.decode(b"", final=True))
        rest = "\n".join([*self._lines, "".join(self._begun)]).strip()
        self._begun, self._lines = [], []
        return [*found, ServerEvent("", rest)] if rest else found

    def _take(self, text: str) -> list[ServerEvent]:
        if self._first and text:
            text = text.removeprefix("\ufeff")
            self._first = False
        lines = text.split("\n")
        if len(lines) == 1:
            if text:
                self._begun.append(text)
            return []
        lines[0] = "".join([*self._begun, lines[0]])
        last = lines.pop()
        self._begun = [last] if last else []
        found: list[ServerEvent] = []
        for line in lines:
            bare = line.strip()
            if not self._depth and not bare:
                continue
            if not self._depth and bare[-1] in "}]" and bare.count("{") == bare.count("}") and bare[0] != "[":
                found.append(ServerEvent("", bare))
                self._held = 0
                continue
            marks = [mark[0] for mark in _MARK.findall(line)]
            self._depth += marks.count("{") + marks.count("[") - marks.count("}") - marks.count("]")
            self._lines.append(line)
            if self._depth <= 0:
                found.append(ServerEvent("", "\n".join(self._lines).strip()))
                self._depth, self._lines, self._held = 0, [], 0
        return found
