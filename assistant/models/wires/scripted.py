"""The practice wire: Chat Completions in form, answered inside this process by `models.practice`. No key, no network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assistant.errors import StreamBroken
from assistant.models.wire import Chunk, HttpCall, ServedChunk, StopChunk, TextChunk, UsageChunk
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from assistant.models.provider import Provider
    from assistant.models.wire import Request, ServerEvent


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Write the request."""
    del key
    body = {
        "model": request.model.id,
        "system": list(request.system),
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
        "pace_s": provider.flags.get("pace_ms", 0) / 1000,  # type: ignore[operator]
    }
    headers = {"content-type": "application/json"}
    return HttpCall("POST", f"{provider.base_url}/say", headers, json.dumps(body).encode())


class Reader:
    """Reads one scripted answer."""

    def __init__(self, provider: Provider) -> None:
        self.ended = False
        self._provider = provider

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event."""
        data = json.loads(event.data)
        match event.name:
            case "model":
                return [ServedChunk(data["model"])]
            case "usage":
                return [UsageChunk(TokenUsage(data["fresh"], data["cached"], 0, 0, data["output"]), final=True)]
            case "end":
                self.ended = True
                return [StopChunk("end")]
            case _:
                return [TextChunk(data["text"])]

    def close(self) -> list[Chunk]:
        """Take the end of the body."""
        if not self.ended:
            raise StreamBroken(
                "The scripted answer stopped before its end.", "Ask again.", provider=self._provider.name
            )
        return []
