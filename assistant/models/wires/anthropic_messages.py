"""Messages: Anthropic's protocol. Counts are disjoint as they come; those of `message_delta` replace earlier ones.

Flags of a provider: `auth` ("bearer" for a key that goes into Authorization), `thinking` ("adaptive", the default;
"budget" for servers that know the older form; "" for none), `unsigned_thoughts` (True where thoughts without a signature are
taken back), `cache_ttl` ("1h" for the longer lifetime), `cache` (False where a mark for caching is an error).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant.models import history, trouble
from assistant.models.message import Image, Text, Thought
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
    WaitingChunk,
)
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from assistant.models.provider import Provider
    from assistant.models.wire import Request, ServerEvent, StopReason

_PAUSE = "pause_turn"
_STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    _PAUSE: "length",
    "tool_use": "tool",
    "refusal": "refused",
    "sensitive": "refused",
}
_MAX_OUTPUT = 16_000
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "max": 32_768}
_VERSION = "2023-06-01"
_REDACTED = "redacted:"
"""Begins the seal of a thought that the provider shows to nobody, not even to us."""


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Write the request as one streamed message.

    Marks for caching stand after the system text and after the turns before the question: the longest beginning that
    the next request will share, and the one that the last request shared with this one.
    """
    body = {**_content(request, provider), "stream": True}
    limit = request.max_output or min(request.model.max_output or _MAX_OUTPUT, _MAX_OUTPUT)
    if request.effort and "thinking" in request.model.abilities:
        style = provider.flags.get("thinking", "adaptive")
        if request.effort == "off" and style:
            body["thinking"] = {"type": "disabled"}
        elif style == "adaptive":
            body["thinking"] = {"type": "adaptive", "display": "summarized"}
            body["output_config"] = {"effort": request.effort}
        elif style == "budget":
            budget = _BUDGETS.get(request.effort, 8_192)
            body["thinking"] = {"type": "enabled", "budget_tokens": budget}
            # The limit holds for thoughts and answer together.
            limit = min(limit + budget, max(request.model.max_output or limit + budget, budget + 1))
    body["max_tokens"] = limit
    headers = {"content-type": "application/json", "accept": "text/event-stream", **_headers(provider, key)}
    url = f"{_address(provider)}/v1/messages"
    return HttpCall("POST", url, headers, json.dumps(body, ensure_ascii=False).encode())


def go_on(call: HttpCall, reader: Reader) -> HttpCall | None:
    """Write the request again with the answer as far as it came, unchanged, if the provider paused in it; else None.

    A paused answer goes on when it is sent back as the last turn; a second pause lengthens that turn.
    """
    blocks = reader.paused
    if not blocks:
        return None
    body = json.loads(call.body)
    if body["messages"][-1]["role"] == "assistant":
        body["messages"][-1]["content"] += blocks
    else:
        body["messages"].append({"role": "assistant", "content": blocks})
    return replace(call, body=json.dumps(body, ensure_ascii=False).encode())


def _content(request: Request, provider: Provider) -> dict[str, Any]:
    body: dict[str, Any] = {"model": request.model.id}
    mark = {"type": "ephemeral", **({"ttl": "1h"} if provider.flags.get("cache_ttl") == "1h" else {})}
    system = [{"type": "text", "text": part} for part in request.system if part.strip()]
    found: list[dict[str, Any]] = []
    for message in history.turns(request, provider):
        blocks: list[dict[str, Any]] = []
        for part in message.parts:
            match part:
                case Thought(words, _, seal) if seal.startswith(_REDACTED):
                    del words
                    blocks.append({"type": "redacted_thinking", "data": seal.removeprefix(_REDACTED)})
                case Thought(words, _, seal) if seal or provider.flags.get("unsigned_thoughts"):
                    blocks.append({"type": "thinking", "thinking": words, "signature": seal})
                case Text(words):
                    blocks.append({"type": "text", "text": words})
                case Image(kind):
                    source = {"type": "base64", "media_type": kind, "data": history.base64_of(part)}
                    blocks.append({"type": "image", "source": source})
        found.append({"role": message.role, "content": blocks})
    if provider.flags.get("cache", True):
        if system:
            system[-1]["cache_control"] = mark  # type: ignore[assignment]
        for turn in (found[-2:-1], found[-4:-3]):
            if turn:
                turn[0]["content"][-1]["cache_control"] = mark
    if system:
        body["system"] = system
    return {**body, "messages": found}


def _address(provider: Provider) -> str:
    return provider.base_url.rstrip("/").removesuffix("/v1")


def _headers(provider: Provider, key: str) -> dict[str, str]:
    headers = {"anthropic-version": _VERSION, **provider.headers}
    if key and provider.flags.get("auth") == "bearer":
        headers["authorization"] = f"Bearer {key}"
    elif key:
        headers["x-api-key"] = key
    return headers


class Reader:
    """Reads one streamed message."""

    def __init__(self, provider: Provider) -> None:
        self.ended = False
        self._provider = provider
        self._served = ""
        self._usage: dict[str, Any] = {}
        self._stop: StopChunk | None = None
        self._tools: dict[int, dict[str, str]] = {}
        self._blocks: dict[int, tuple[dict[str, Any], dict[str, bytearray]]] = {}

    @property
    def paused(self) -> list[dict[str, Any]]:
        """The blocks of an answer in which the provider paused, as they came; empty if it has ended."""
        if self._stop is None or self._stop.detail != _PAUSE:
            return []
        blocks = [_block(self._blocks[index]) for index in sorted(self._blocks)]
        return [block for block in blocks if block.get("type") != "text" or text(block.get("text")).strip()]

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event."""
        data = table(trouble.read(event.data, self._provider))
        match data.get("type") or event.name:
            case "content_block_delta":
                return self._delta(count(data.get("index")), table(data.get("delta")))
            case "message_start":
                return self._begin(table(data.get("message")))
            case "content_block_start":
                return self._start(count(data.get("index")), table(data.get("content_block")))
            case "content_block_stop":
                return self._tool(count(data.get("index")))
            case "message_delta":
                reason = text(table(data.get("delta")).get("stop_reason"))
                if reason:
                    self._stop = StopChunk(_STOPS.get(reason, "end"), reason)
                return self._count(table(data.get("usage")))
            case "message_stop":
                self.ended = True
                return []
            case "message":
                return self._whole(data)
            case "ping":
                return [WaitingChunk()]
            case _ if (
                data.get("type") == "error" or event.name == "error" or data.get("error") or data.get("base_resp")
            ):
                raise trouble.reported(data, self._provider)
            case _:
                return []

    def close(self) -> list[Chunk]:
        """Take the end of the body: without a stop reason the answer is broken."""
        if self._stop is None and not self.ended:
            raise trouble.cut(self._provider)
        found = [chunk for index in sorted(self._tools) for chunk in self._tool(index)]
        if self._usage:
            found.append(UsageChunk(self._counted(), final=self._complete(), tier=self._tier()))
        return [*found, self._stop or StopChunk("end")]

    def _begin(self, message: dict[str, Any]) -> list[Chunk]:
        found: list[Chunk] = []
        if text(message.get("model")) and not self._served:
            self._served = message["model"]
            found.append(ServedChunk(self._served))
        return found + self._count(table(message.get("usage")))

    def _start(self, index: int, block: dict[str, Any]) -> list[Chunk]:
        self._blocks[index] = (block, {})
        match block.get("type"):
            case "tool_use":
                given = block.get("input")
                self._tools[index] = {
                    "id": text(block.get("id")),
                    "name": text(block.get("name")),
                    "given": json.dumps(given) if given else "",
                    "arguments": "",
                }
            case "text" if text(block.get("text")):
                return [TextChunk(block["text"])]
            case "thinking" if text(block.get("thinking")) or text(block.get("signature")):
                return [ThoughtChunk(text(block.get("thinking")), text(block.get("signature")))]
            case "redacted_thinking" if text(block.get("data")):
                return [ThoughtChunk("", _REDACTED + block["data"])]
        return []

    def _delta(self, index: int, delta: dict[str, Any]) -> list[Chunk]:
        match delta.get("type"):
            case "text_delta" if text(delta.get("text")):
                self._keep(index, "text", delta["text"])
                return [TextChunk(delta["text"])]
            case "thinking_delta" if text(delta.get("thinking")):
                self._keep(index, "thinking", delta["thinking"])
                return [ThoughtChunk(delta["thinking"])]
            case "signature_delta" if text(delta.get("signature")):
                self._keep(index, "signature", delta["signature"])
                return [ThoughtChunk("", delta["signature"])]
            case "input_json_delta":
                self._keep(index, "input", text(delta.get("partial_json")))
                if index in self._tools:
                    self._tools[index]["arguments"] += text(delta.get("partial_json"))
        return []

    def _keep(self, index: int, field: str, piece: str) -> None:
        """Keep a piece of a block: if the provider pauses, the whole answer goes back."""
        _, fields = self._blocks.setdefault(index, ({}, {}))
        fields.setdefault(field, bytearray()).extend(piece.encode("utf-8", "replace"))

    def _tool(self, index: int) -> list[Chunk]:
        tool = self._tools.pop(index, None)
        if tool is None:
            return []
        return [ToolCallChunk(tool["id"], tool["name"], tool["arguments"] or tool["given"] or "{}")]

    def _whole(self, message: dict[str, Any]) -> list[Chunk]:
        """Read a message that came as one JSON text although a stream was asked for."""
        found: list[Chunk] = []
        for index, block in enumerate(rows(message.get("content"))):
            found += self._start(index, block) + self._tool(index)
        reason = text(message.get("stop_reason"))
        self._stop = StopChunk(_STOPS.get(reason, "end"), reason)
        self.ended = True
        return found + self._begin(message)

    def _count(self, usage: dict[str, Any]) -> list[Chunk]:
        new = {name: value for name, value in usage.items() if value is not None}
        self._usage |= new
        if not new:
            return []
        final = self._stop is not None and self._stop.detail != _PAUSE and self._complete()
        return [UsageChunk(self._counted(), final=final, tier=self._tier())]

    def _tier(self) -> str:
        """Return what the request is billed as: its speed if that is not the usual one, else its service tier."""
        speed = text(self._usage.get("speed"))
        return speed if speed not in {"", "standard"} else text(self._usage.get("service_tier"))

    def _complete(self) -> bool:
        """Say whether both sides were counted: a server that reports no input has not counted it."""
        return bool(self._counted().total_input)

    def _counted(self) -> TokenUsage:
        usage = self._usage
        long = count(table(usage.get("cache_creation")).get("ephemeral_1h_input_tokens"))
        short = count(table(usage.get("cache_creation")).get("ephemeral_5m_input_tokens"))
        written = max(count(usage.get("cache_creation_input_tokens")), short + long)
        thought = count(table(usage.get("output_tokens_details")).get("thinking_tokens"))
        output = count(usage.get("output_tokens"))
        return TokenUsage(
            count(usage.get("input_tokens")),
            count(usage.get("cache_read_input_tokens")),
            written - long,
            long,
            max(0, output - thought),
            min(thought, output),
        )


def _block(kept: tuple[dict[str, Any], dict[str, bytearray]]) -> dict[str, Any]:
    """Rebuild a block from its beginning and the pieces that followed."""
    block = dict(kept[0])
    for field, piece in kept[1].items():
        words = piece.decode()
        if field == "input":
            try:
                block[field] = json.loads(words or "{}")
            except ValueError:
                block[field] = {}
        else:
            block[field] = text(block.get(field)) + words
    return block
