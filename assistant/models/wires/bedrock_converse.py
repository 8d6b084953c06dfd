"""Converse: Amazon Bedrock's own protocol, streamed in its binary event frames. Counts are disjoint as they come.

The key is a Bedrock API key, sent as a bearer token. Flags of a provider: `cache` (False where a mark for caching is an error).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from assistant.errors import ServerFailed
from assistant.models import history, trouble
from assistant.models.message import Image, Text, Thought
from assistant.models.shape import count, rows, table, text
from assistant.models.wire import (
    Chunk,
    HttpCall,
    StopChunk,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UsageChunk,
)
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from assistant.models.provider import Model, Provider
    from assistant.models.wire import Request, ServerEvent, StopReason

_STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool",
    "guardrail_intervened": "refused",
    "content_filtered": "refused",
}
_BROKEN = frozenset({"malformed_model_output", "malformed_tool_use"})
_STATUS = {
    "throttlingexception": 429,
    "validationexception": 400,
    "internalserverexception": 500,
    "serviceunavailableexception": 503,
    "modelstreamerrorexception": 424,
    "modeltimeoutexception": 408,
    "accessdeniedexception": 403,
    "resourcenotfoundexception": 404,
}
_REDACTED = "redacted:"
_POINT = {"cachePoint": {"type": "default"}}
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "max": 32_768}


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Write the request as one streamed conversation; caching is asked for if the model family supports it."""
    body = _content(request, provider)
    limit = request.max_output
    if request.effort and "thinking" in request.model.abilities:
        if "anthropic" in request.model.id:
            thinking: dict[str, Any] = {"type": "disabled"}
            if request.effort != "off":
                thinking = {"type": "enabled", "budget_tokens": _BUDGETS.get(request.effort, 8_192)}
                # The limit holds for thoughts and answer together.
                limit = (limit or 16_000) + thinking["budget_tokens"]
            body["additionalModelRequestFields"] = {"thinking": thinking}
        elif "nova" in request.model.id:
            reasoning = {"type": "disabled" if request.effort == "off" else "enabled"}
            if request.effort != "off":
                reasoning["maxReasoningEffort"] = {"max": "high"}.get(request.effort, request.effort)
            body["additionalModelRequestFields"] = {"reasoningConfig": reasoning}
    if limit:
        body["inferenceConfig"] = {"maxTokens": limit}
    headers = {"content-type": "application/json", "accept": "application/vnd.amazon.eventstream", **provider.headers}
    if key:
        headers["authorization"] = f"Bearer {key}"
    url = f"{provider.base_url.rstrip('/')}/model/{quote(request.model.id, safe='')}/converse-stream"
    return HttpCall("POST", url, headers, json.dumps(body, ensure_ascii=False).encode(), "aws")


def _caches(model: Model, provider: Provider) -> bool:
    return bool(provider.flags.get("cache", True)) and any(name in model.id for name in ("anthropic", "nova"))


def _content(request: Request, provider: Provider) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for message in history.turns(request, provider):
        content: list[dict[str, Any]] = []
        for part in message.parts:
            match part:
                case Thought(_, _, seal) if seal.startswith(_REDACTED):
                    content.append({"reasoningContent": {"redactedContent": seal.removeprefix(_REDACTED)}})
                case Thought(words, _, seal) if seal:
                    content.append({"reasoningContent": {"reasoningText": {"text": words, "signature": seal}}})
                case Text(words):
                    content.append({"text": words})
                case Image(kind):
                    picture = {"format": kind.removeprefix("image/"), "source": {"bytes": history.base64_of(part)}}
                    content.append({"image": picture})
        messages.append({"role": message.role, "content": content})
    system: list[dict[str, Any]] = [{"text": part} for part in request.system if part.strip()]
    if _caches(request.model, provider):
        if system:
            system.append(_POINT)
        for turn in (messages[-2:-1], messages[-4:-3]):
            if turn:
                turn[0]["content"].append(_POINT)
    return {**({"system": system} if system else {}), "messages": messages}


class Reader:
    """Reads one streamed conversation."""

    def __init__(self, provider: Provider) -> None:
        self.ended = False
        self._provider = provider
        self._reason = ""
        self._counts = False
        self._tools: dict[int, dict[str, str]] = {}

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event; unknown keys, such as Bedrock's padding `p`, are ignored."""
        kind, _, trouble_name = event.name.partition(":")
        if kind == "exception":
            raise self._failed(trouble_name, event.data)
        data = table(trouble.read(event.data, self._provider))
        place = count(data.get("contentBlockIndex"))
        match event.name:
            case "contentBlockDelta":
                return self._delta(place, table(data.get("delta")))
            case "contentBlockStart":
                return self._start(place, table(table(data.get("start")).get("toolUse")))
            case "contentBlockStop":
                return self._tool(place)
            case "messageStop":
                self._reason = text(data.get("stopReason")) or "end_turn"
                self.ended = self._counts
                return []
            case "metadata":
                self._counts, self.ended = True, bool(self._reason)
                return self._count(data)
            case "" if "output" in data:
                return self._whole(data)
            case "":
                raise trouble.reported(data, self._provider)
            case _:
                return []

    def close(self) -> list[Chunk]:
        """Take the end of the body: the answer ends with its stop reason; the counts follow it, or never come."""
        if self._reason in _BROKEN:
            raise ServerFailed(
                f"{self._provider.title}: the model's answer could not be used ({self._reason}).",
                "Ask again.",
                provider=self._provider.name,
            )
        if not self._reason:
            raise trouble.cut(self._provider)
        found = [chunk for place in sorted(self._tools) for chunk in self._tool(place)]
        return [*found, StopChunk(_STOPS.get(self._reason, "end"), self._reason)]

    def _failed(self, name: str, payload: str) -> Exception:
        try:
            words = text(table(json.loads(payload)).get("message"))
        except (ValueError, RecursionError):
            words = payload
        body = {"error": {"type": name, "message": words}}
        return trouble.reported(body, self._provider, _STATUS.get(name.lower()))

    def _start(self, place: int, tool: dict[str, Any]) -> list[Chunk]:
        if tool:
            self._tools[place] = {"id": text(tool.get("toolUseId")), "name": text(tool.get("name")), "input": ""}
        return []

    def _delta(self, place: int, delta: dict[str, Any]) -> list[Chunk]:
        if text(delta.get("text")):
            return [TextChunk(delta["text"])]
        if place in self._tools and table(delta.get("toolUse")):
            self._tools[place]["input"] += text(delta["toolUse"].get("input"))
        return _thought(table(delta.get("reasoningContent")))

    def _tool(self, place: int) -> list[Chunk]:
        tool = self._tools.pop(place, None)
        return [ToolCallChunk(tool["id"], tool["name"], tool["input"] or "{}")] if tool else []

    def _whole(self, data: dict[str, Any]) -> list[Chunk]:
        """Read an answer that came as one JSON text although a stream was asked for."""
        found: list[Chunk] = []
        for block in rows(table(table(data.get("output")).get("message")).get("content")):
            reasoning = table(block.get("reasoningContent"))
            found += _thought({**reasoning, **table(reasoning.get("reasoningText"))})
            if text(block.get("text")):
                found.append(TextChunk(block["text"]))
            tool = table(block.get("toolUse"))
            if tool:
                arguments = json.dumps(tool.get("input") or {})
                found.append(ToolCallChunk(text(tool.get("toolUseId")), text(tool.get("name")), arguments))
        self._reason = text(data.get("stopReason")) or "end_turn"
        self.ended = True
        return found + self._count(data)

    def _count(self, data: dict[str, Any]) -> list[Chunk]:
        usage, tier = table(data.get("usage")), text(table(data.get("serviceTier")).get("type"))
        if not usage:
            return []
        written = count(usage.get("cacheWriteInputTokens"))
        long = sum(count(e.get("inputTokens")) for e in rows(usage.get("cacheDetails")) if e.get("ttl") == "1h")
        counted = TokenUsage(
            count(usage.get("inputTokens")),
            count(usage.get("cacheReadInputTokens")),
            max(0, written - long),
            long,
            count(usage.get("outputTokens")),
        )
        return [UsageChunk(counted, final=bool(counted.total_input), tier=tier)]  # without input, nothing was counted


def _thought(reasoning: dict[str, Any]) -> list[Chunk]:
    if text(reasoning.get("redactedContent")):
        return [ThoughtChunk("", _REDACTED + reasoning["redactedContent"])]
    words, seal = text(reasoning.get("text")), text(reasoning.get("signature"))
    return [ThoughtChunk(words, seal)] if words or seal else []
