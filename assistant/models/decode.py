"""Bytes of a body become server events: by the framing that was asked for, or by the one that really came.

Relays may answer a stream with one JSON text, or lines of JSON with server-sent events and the reverse, and name the
wrong content type; the first byte that is not blank tells which it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from assistant.models.aws_frames import FrameDecoder
from assistant.models.json_lines import JsonDecoder
from assistant.models.sse import SseDecoder

if TYPE_CHECKING:
    from assistant.models.wire import Framing, ServerEvent

Look = Literal["", "json", "page", "stream"]
_BLANK = b" \t\r\n\xef\xbb\xbf"  # and the bytes of a BOM


class Decoder:
    """Cuts a body into events. `look` is empty until it is known, then "json", "page" (of HTML or XML) or "stream"."""

    def __init__(self, framing: Framing) -> None:
        self.look: Look = ""
        self._framing = framing
        self._inner: SseDecoder | JsonDecoder | FrameDecoder = SseDecoder()

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Take bytes; return the events that are whole now."""
        if not self.look:
            begin = data.lstrip(_BLANK)[:1]
            if not begin:
                return self._inner.feed(data)
            self._choose(begin)
        return self._inner.feed(data)

    def close(self) -> list[ServerEvent]:
        """Take the end of the body."""
        return self._inner.close()

    def _choose(self, begin: bytes) -> None:
        self.look = "json" if begin in b"{[" else "page" if begin == b"<" else "stream"
        if self.look == "json":
            self._inner = JsonDecoder()
        elif self._framing == "aws" and begin not in b"de:<":
            self._inner = FrameDecoder()
