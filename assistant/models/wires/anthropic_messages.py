"""Messages: Anthropic's protocol. Counts are disjoint as they come; those of `message_delta` replace earlier ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant.errors import StreamBroken
from assistant.models.failure import classify
from assistant.models.message import Text, Thought
from assistant.models.wire import (
    Chunk,
    HttpCall,
    ServedChunk,
    StopChunk,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UsageChunk,
    WaitingChunk,
)
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from assistant.models.message import Message
    from assistant.models.provider import Provider
    from assistant.models.wire import Request, ServerEvent, StopReason

_STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool",
    "refusal": "refused",
}
_MAX_OUTPUT = 16_000
_VERSION = "2023-06-01"


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Say the request as one streamed message; caching is asked for behind the system words and the last turn."""
    limit = request.max_output or min(request.model.max_output or _MAX_OUTPUT, _MAX_OUTPUT)
    body: dict[str, Any] = {"model": request.model.id, "max_tokens": limit, "stream": True}
    system = [{"type": "text", "text": part} for part in request.system if part]
    if system:
        body["system"] = [*system[:-1], {**system[-1], "cache_control": {"type": "ephemeral"}}]
    body["messages"] = _history(request.messages, f"{provider.wire}:{provider.name}")
    if request.effort and request.effort != "off" and "thinking" in request.model.abilities:
        body["thinking"] = {"type": "adaptive"}
        body["output_config"] = {"effort": request.effort}
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "anthropic-version": _VERSION,
        **provider.headers,
    }
    if key:
        headers["x-api-key"] = key
    url = provider.base_url.rstrip("/").removesuffix("/v1")
    return HttpCall("POST", f"{url}/v1/messages", headers, json.dumps(body, ensure_ascii=False).encode())


def _history(messages: tuple[Message, ...], maker: str) -> list[dict[str, Any]]:
    """Convert the conversation: roles alternate, no block is empty, sealed thoughts go only to who made them."""
    found: list[dict[str, Any]] = []
    for message in messages:
        blocks: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, Thought) and part.seal and part.maker == maker and not message.partial:
                blocks.append({"type": "thinking", "thinking": part.text, "signature": part.seal})
            elif isinstance(part, Text) and part.text.strip():
                text = part.text.encode("utf-8", "replace").decode()
                if message.partial:
                    text += "\n\n[The answer was cut short here.]"
                # The last assistant text may not end in white space.
                blocks.append({"type": "text", "text": text.rstrip() if message.role == "assistant" else text})
        if not any(block["type"] == "text" for block in blocks):
            continue
        if found and found[-1]["role"] == message.role:
            found[-1]["content"] += [block for block in blocks if block["type"] == "text"]
        else:
            found.append({"role": message.role, "content": blocks})
    if len(found) > 1:
        # The turn before the question is the longest beginning that the next request will share.
        block = found[-2]["content"][-1]
        if block["type"] == "text":
            block["cache_control"] = {"type": "ephemeral"}
    return found


class Reader:
    """Reads one streamed message."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._usage: dict[str, Any] = {}
        self._stop: StopChunk | None = None
        self._ended = False
        self._tool: dict[str, str] | None = None

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event."""
        if event.name == ":":
            return [WaitingChunk(event.data)]
        try:
            data = json.loads(event.data)
        except ValueError as error:
            raise StreamBroken(
                f"{self._provider.title} sent something that is not JSON.", "Ask again.", provider=self._provider.name
            ) from error
        match data.get("type") or event.name:
            case "message_start":
                message = data.get("message") or {}
                self._usage = dict(message.get("usage") or {})
                return [ServedChunk(str(message["model"])), self._count()] if message.get("model") else [self._count()]
            case "content_block_start":
                return self._start(data.get("content_block") or {})
            case "content_block_delta":
                return self._delta(data.get("delta") or {})
            case "content_block_stop":
                tool, self._tool = self._tool, None
                return [ToolCallChunk(tool["id"], tool["name"], tool["arguments"])] if tool else []
            case "message_delta":
                reason = (data.get("delta") or {}).get("stop_reason")
                if reason:
                    self._stop = StopChunk(_STOPS.get(str(reason), "end"), str(reason))
                new = {name: value for name, value in (data.get("usage") or {}).items() if value is not None}
                self._usage |= new
                return [self._count()] if new else []
            case "message_stop":
                self._ended = True
                return []
            case "error":
                now = datetime(1970, 1, 1, tzinfo=UTC)
                failed = classify(None, {}, event.data, provider=self._provider, now=now)
                failed.retry_at = None
                raise failed
            case "ping":
                return [WaitingChunk()]
            case _:
                return []

    def close(self) -> list[Chunk]:
        """Take the end of the body: without a stop reason the answer is broken."""
        if self._stop is None and not self._ended:
            raise StreamBroken(
                f"{self._provider.title}: the answer stopped before its end.",
                "What had come is kept; ask again to go on.",
                provider=self._provider.name,
            )
        last = self._count()
        return [UsageChunk(last.usage, final=True), self._stop or StopChunk("end")]

    def _start(self, block: dict[str, Any]) -> list[Chunk]:
        if block.get("type") == "tool_use":
            self._tool = {"id": str(block.get("id") or ""), "name": str(block.get("name") or ""), "arguments": ""}
        elif block.get("type") == "text" and block.get("text"):
            return [TextChunk(str(block["text"]))]
        elif block.get("type") == "thinking" and block.get("thinking"):
            return [ThoughtChunk(str(block["thinking"]))]
        return []

    def _delta(self, delta: dict[str, Any]) -> list[Chunk]:
        match delta.get("type"):
            case "text_delta" if delta.get("text"):
                return [TextChunk(str(delta["text"]))]
            case "thinking_delta" if delta.get("thinking"):
                return [ThoughtChunk(str(delta["thinking"]))]
            case "signature_delta":
                return [ThoughtChunk("", str(delta.get("signature") or ""))]
            case "input_json_delta" if self._tool is not None:
                self._tool["arguments"] += str(delta.get("partial_json") or "")
        return []

    def _count(self) -> UsageChunk:
        usage = self._usage
        parts = usage.get("cache_creation") or {}
        long = int(parts.get("ephemeral_1h_input_tokens") or 0)
        written = int(usage.get("cache_creation_input_tokens") or 0)
        thought = int((usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0)
        output = int(usage.get("output_tokens") or 0)
        return UsageChunk(
            TokenUsage(
                int(usage.get("input_tokens") or 0),
                int(usage.get("cache_read_input_tokens") or 0),
                max(0, written - long),
                long,
                max(0, output - thought),
                min(thought, output),
            )
        )
