"""Ollama's own chat: one JSON text per line. It counts the prompt and the answer, thoughts included, and no cache.

Flags of a provider: `num_ctx` (the context window to load the model with, in tokens; by default the server's own, which
cuts off without a word what does not fit).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from assistant.models import history, trouble
from assistant.models.message import Image, Text
from assistant.models.shape import count, rows, table, text
from assistant.models.wire import (
    Chunk,
    HttpCall,
    ServedChunk,
    StopChunk,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UsageChunk,
    bearer,
)
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from assistant.models.provider import Provider
    from assistant.models.wire import Request, ServerEvent

_LEVELS = {"low": "low", "medium": "medium", "high": "high", "max": "high"}


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Write the request as one streamed chat."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": part} for part in request.system if part.strip()]
    for message in history.turns(request, provider):
        words = "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
        pictures = [history.base64_of(part) for part in message.parts if isinstance(part, Image)]
        messages.append({"role": message.role, "content": words, **({"images": pictures} if pictures else {})})
    body: dict[str, Any] = {"model": request.model.id, "messages": messages, "stream": True}
    if request.effort:
        # Only the open-weight models of OpenAI know levels; all others know yes and no.
        levels = "gpt-oss" in request.model.id
        body["think"] = _LEVELS.get(request.effort, "low") if levels else request.effort != "off"
    options = {"num_predict": request.max_output, "num_ctx": provider.flags.get("num_ctx")}
    options = {name: value for name, value in options.items() if value}
    if options:
        body["options"] = options
    headers = {"content-type": "application/json", **bearer(provider, key)}
    encoded = json.dumps(body, ensure_ascii=False).encode()
    return HttpCall("POST", f"{_address(provider)}/api/chat", headers, encoded, "ndjson")


def _address(provider: Provider) -> str:
    return provider.base_url.rstrip("/").removesuffix("/v1").removesuffix("/api")


class Reader:
    """Reads one streamed chat."""

    def __init__(self, provider: Provider) -> None:
        self.ended = False
        self._provider = provider
        self._served = ""
        self._reason = ""
        self._calls = 0

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one line."""
        data = table(trouble.read(event.data, self._provider))
        if data.get("error"):
            raise trouble.reported(data, self._provider)
        found: list[Chunk] = []
        if text(data.get("model")) and not self._served:
            self._served = data["model"]
            found.append(ServedChunk(self._served))
        message = table(data.get("message"))
        if text(message.get("thinking")):
            found.append(ThoughtChunk(message["thinking"]))
        if text(message.get("content")):
            found.append(TextChunk(message["content"]))
        for tool in rows(message.get("tool_calls")):
            self._calls += 1
            function = table(tool.get("function"))
            arguments = function.get("arguments")
            written = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
            ident = text(tool.get("id")) or f"call_{self._calls}"
            found.append(ToolCallChunk(ident, text(function.get("name")), written))
        if data.get("done"):
            self.ended = True
            self._reason = text(data.get("done_reason")) or "stop"
            found += _count(data)
        return found

    def close(self) -> list[Chunk]:
        """Take the end of the body: without the line that marks it, the answer is broken."""
        if not self.ended:
            raise trouble.cut(self._provider)
        if self._reason == "length":
            return [StopChunk("length", self._reason)]
        return [StopChunk("tool" if self._calls else "end", self._reason)]


def _count(data: dict[str, Any]) -> list[Chunk]:
    """Read the counts; a server may leave a prompt that it had in memory uncounted, which is unknown and not zero."""
    if "prompt_eval_count" not in data and "eval_count" not in data:
        return []
    sent, output = count(data.get("prompt_eval_count")), count(data.get("eval_count"))
    return [UsageChunk(TokenUsage(sent, output=output, exact=bool(sent)), final=bool(sent))]
