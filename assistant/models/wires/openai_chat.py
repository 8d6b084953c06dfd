"""Chat Completions: OpenAI's first protocol, and what most others speak, with flags for their dialects.

Flags of a provider: `max_tokens` (name of the limit's field), `usage_in_stream` (False where asking for it is an error),
`effort` ("reasoning_effort", "reasoning" or "" for none), `price_in_usage` (the provider reports cost).
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from assistant.errors import Refused, StreamBroken
from assistant.models.failure import classify
from assistant.models.message import Text
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
    "stop": "end",
    "length": "length",
    "tool_calls": "tool",
    "function_call": "tool",
    "content_filter": "refused",
    "sensitive": "refused",
    "error": "error",
}


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Say the request as one streamed chat completion."""
    messages = [{"role": "system", "content": part} for part in ["\n\n".join(request.system)] if part]
    messages += _history(request.messages)
    body: dict[str, Any] = {"model": request.model.id, "messages": messages, "stream": True}
    if provider.flags.get("usage_in_stream", True):
        body["stream_options"] = {"include_usage": True}
    if request.max_output:
        body[str(provider.flags.get("max_tokens", "max_tokens"))] = request.max_output
    if request.effort and provider.flags.get("effort") == "reasoning_effort":
        body["reasoning_effort"] = {"off": "none", "max": "high"}.get(request.effort, request.effort)
    elif request.effort and provider.flags.get("effort") == "reasoning":
        body["reasoning"] = {"enabled": False} if request.effort == "off" else {"effort": request.effort}
    if provider.flags.get("price_in_usage"):
        body["usage"] = {"include": True}
    headers = {"content-type": "application/json", "accept": "text/event-stream", **provider.headers}
    if key:
        headers["authorization"] = f"Bearer {key}"
    url = provider.base_url.rstrip("/")
    return HttpCall("POST", f"{url}/chat/completions", headers, json.dumps(body, ensure_ascii=False).encode())


def _history(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """Convert the conversation: neighbours of one role joined, empty turns left out, cut answers marked."""
    found: list[dict[str, str]] = []
    for message in messages:
        text = (
            "".join(part.text for part in message.parts if isinstance(part, Text)).encode("utf-8", "replace").decode()
        )
        if not text.strip():
            continue
        if message.partial:
            text += "\n\n[The answer was cut short here.]"
        if found and found[-1]["role"] == message.role:
            found[-1]["content"] += "\n\n" + text
        else:
            found.append({"role": message.role, "content": text})
    return found


class Reader:
    """Reads one streamed chat completion."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._served = ""
        self._stop: StopChunk | None = None
        self._usage: UsageChunk | None = None
        self._done = False
        self._tools: dict[int, dict[str, str]] = {}

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event."""
        if event.name == ":":
            return [WaitingChunk(event.data)]
        if event.data.strip() == "[DONE]":
            self._done = True
            return []
        try:
            data = json.loads(event.data)
        except ValueError as error:
            raise StreamBroken(
                f"{self._provider.title} sent something that is not JSON.", "Ask again.", provider=self._provider.name
            ) from error
        if not isinstance(data, dict):
            return []
        if event.name == "error" or data.get("error") or data.get("object") == "error":
            raise self._failed(event.data)
        found: list[Chunk] = []
        if data.get("model") and not self._served:
            self._served = str(data["model"])
            found.append(ServedChunk(self._served))
        for choice in (data.get("choices") or [])[:1]:
            found += self._choice(choice)
        usage = data.get("usage") or next((c.get("usage") for c in data.get("choices") or [] if c.get("usage")), None)
        if isinstance(usage, dict):
            self._usage = _usage(usage)
            found.append(self._usage)
        elif isinstance(data.get("timings"), dict) and self._usage is None:
            found += self._timings(data["timings"])
        return found

    def close(self) -> list[Chunk]:
        """Take the end of the body: without a finish reason or `[DONE]` the answer is broken."""
        if self._stop is None and not self._done:
            raise StreamBroken(
                f"{self._provider.title}: the answer stopped before its end.",
                "What had come is kept; ask again to go on.",
                provider=self._provider.name,
            )
        found: list[Chunk] = [
            ToolCallChunk(tool["id"], tool["name"], tool["arguments"]) for _, tool in sorted(self._tools.items())
        ]
        if self._usage is not None:
            usage = self._usage
            found.append(
                UsageChunk(usage.usage, final=True, reported_cost=usage.reported_cost, currency=usage.currency)
            )
        stop = self._stop or StopChunk("end")
        return [*found, stop]

    def _choice(self, choice: dict[str, Any]) -> list[Chunk]:
        found: list[Chunk] = []
        delta = choice.get("delta") or choice.get("message") or {}
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if not thought:
            thought = "".join(
                str(each.get("text") or each.get("summary") or "")
                for each in delta.get("reasoning_details") or []
                if isinstance(each, dict)
            )
        if isinstance(thought, str) and thought:
            found.append(ThoughtChunk(thought))
        content = delta.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
        if content:
            found.append(TextChunk(str(content)))
        if delta.get("refusal"):
            found.append(TextChunk(str(delta["refusal"])))
        for tool in delta.get("tool_calls") or []:
            known = self._tools.setdefault(int(tool.get("index") or 0), {"id": "", "name": "", "arguments": ""})
            function = tool.get("function") or {}
            known["id"] = tool.get("id") or known["id"]
            known["name"] = function.get("name") or known["name"]
            known["arguments"] += function.get("arguments") or ""
        reason = choice.get("finish_reason")
        if reason == "error":
            raise self._failed(
                json.dumps(choice.get("error") or {"error": {"message": "the provider reports an error"}})
            )
        if reason:
            self._stop = StopChunk(_STOPS.get(str(reason), "end"), str(reason))
        return found

    def _timings(self, timings: dict[str, Any]) -> list[Chunk]:
        """Read llama-server's own counts, which stand in place of usage when nobody asked for usage."""
        if "prompt_n" not in timings:
            return []
        cached = int(timings.get("cache_n") or 0)
        usage = TokenUsage(int(timings["prompt_n"]), cached, 0, 0, int(timings.get("predicted_n") or 0))
        self._usage = UsageChunk(usage)
        return [self._usage]

    def _failed(self, body: str) -> Exception:
        from datetime import UTC, datetime

        error = classify(None, {}, body, provider=self._provider, now=datetime(1970, 1, 1, tzinfo=UTC))
        if isinstance(error, Refused):
            return error
        error.retry_at = None
        return error


def _usage(data: dict[str, Any]) -> UsageChunk:
    """Make disjoint counts of inclusive ones: cached tokens are part of the prompt, reasoning of the completion."""
    details = data.get("prompt_tokens_details") or {}
    prompt = int(data.get("prompt_tokens") or 0)
    read = details.get("cached_tokens")
    if read is None:
        read = data.get("prompt_cache_hit_tokens", data.get("cached_tokens"))
    read = int(read or 0)
    written = int(details.get("cache_write_tokens") or details.get("cache_creation_tokens") or 0)
    completion = int(data.get("completion_tokens") or 0)
    reasoning = int((data.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0)
    # Some servers count thoughts beside the completion instead of inside it; the total tells which.
    total = data.get("total_tokens")
    beside = reasoning and isinstance(total, int) and total == prompt + completion + reasoning
    output = completion if beside else max(0, completion - reasoning)
    cost: Decimal | None = None
    if data.get("cost") is not None:
        try:
            cost = Decimal(str(data["cost"]))
        except InvalidOperation:
            cost = None
    usage = TokenUsage(
        max(0, prompt - read - written),
        read,
        written,
        0,
        output,
        min(reasoning, completion) if not beside else reasoning,
    )
    return UsageChunk(usage, reported_cost=cost)
