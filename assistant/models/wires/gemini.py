"""Gemini's generateContent, streamed as server-sent events.

The prompt's count includes cached tokens, the answer's count excludes thoughts; only a finish reason marks the end.

Flags of a provider: `max_effort` (the level asked for by "max", HIGH by default).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from assistant.errors import ServerFailed
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
)
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from assistant.models.provider import Provider
    from assistant.models.wire import Request, ServerEvent, StopReason

_LENGTH = frozenset({"MAX_TOKENS", "CONTINUATION"})
_BROKEN = frozenset(
    {
        "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE", "OTHER",
    }
)  # fmt: skip
_LEVELS = {"off": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Write the request as one streamed generateContent. Its cache works by itself on requests that begin the same."""
    body = _content(request, provider)
    config: dict[str, Any] = {}
    if request.max_output:
        config["maxOutputTokens"] = request.max_output
    if "thinking" in request.model.abilities:
        config["thinkingConfig"] = {"includeThoughts": request.effort != "off"}
        if request.effort:
            level = _LEVELS.get(request.effort) or str(provider.flags.get("max_effort", "HIGH"))
            config["thinkingConfig"]["thinkingLevel"] = level
    if config:
        body["generationConfig"] = config
    name = quote(request.model.id.removeprefix("models/"), safe="")
    url = f"{provider.base_url.rstrip('/')}/models/{name}:streamGenerateContent?alt=sse"
    headers = {"content-type": "application/json", **_headers(provider, key)}
    return HttpCall("POST", url, headers, json.dumps(body, ensure_ascii=False).encode())


def _content(request: Request, provider: Provider) -> dict[str, Any]:
    contents: list[dict[str, Any]] = []
    for message in history.turns(request, provider):
        parts: list[dict[str, Any]] = []
        seal = ""
        for part in message.parts:
            match part:
                case Thought():
                    seal = part.seal or seal
                case Text(words):
                    parts.append({"text": words})
                case Image(kind):
                    parts.append({"inlineData": {"mimeType": kind, "data": history.base64_of(part)}})
        if seal:
            # The signature goes back on the part it came with, which is the last of an answer.
            parts[-1]["thoughtSignature"] = seal
        contents.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})
    system = [{"text": part} for part in request.system if part.strip()]
    return {**({"systemInstruction": {"parts": system}} if system else {}), "contents": contents}


def _headers(provider: Provider, key: str) -> dict[str, str]:
    return {**provider.headers, **({"x-goog-api-key": key} if key else {})}


class Reader:
    """Reads one streamed answer."""

    def __init__(self, provider: Provider) -> None:
        self.ended = False
        self._provider = provider
        self._served = ""
        self._reason = ""
        self._blocked = False
        self._calls = 0
        self._seal = ""
        self._usage: UsageChunk | None = None

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event, or a list of them, as the address without `alt=sse` sends."""
        data = trouble.read(event.data, self._provider)
        return [chunk for each in (data if isinstance(data, list) else [data]) for chunk in self._take(table(each))]

    def close(self) -> list[Chunk]:
        """Take the end of the body: without a finish reason the answer is broken."""
        if self._reason in _BROKEN and not self._blocked:
            raise ServerFailed(
                f"{self._provider.title}: the model's answer could not be used ({self._reason}).",
                "Ask again.",
                provider=self._provider.name,
            )
        if not self._reason:
            raise trouble.cut(self._provider)
        found: list[Chunk] = []
        if self._seal:
            found.append(ThoughtChunk("", self._seal))
        if self._usage is not None and not self._usage.final:
            found.append(replace(self._usage, final=bool(self._usage.usage.total_input)))
        stop: StopReason = "refused"
        if self._reason in _LENGTH:
            stop = "length"
        elif self._reason == "STOP" and not self._blocked:
            stop = "tool" if self._calls else "end"
        return [*found, StopChunk(stop, self._reason)]

    def _take(self, data: dict[str, Any]) -> list[Chunk]:
        if data.get("error"):
            raise trouble.reported(data, self._provider)
        found: list[Chunk] = []
        if text(data.get("modelVersion")) and not self._served:
            self._served = data["modelVersion"]
            found.append(ServedChunk(self._served))
        for candidate in rows(data.get("candidates")):
            if not count(candidate.get("index")):
                for part in rows(table(candidate.get("content")).get("parts")):
                    found += self._part(part)
                self._reason = text(candidate.get("finishReason")) or self._reason
        reason = text(table(data.get("promptFeedback")).get("blockReason"))
        if reason and reason != "BLOCK_REASON_UNSPECIFIED":
            self._reason, self._blocked = reason, True
        usage = table(data.get("usageMetadata"))
        if usage:
            counted = _usage(usage)
            tier = text(usage.get("serviceTier")) or (self._usage.tier if self._usage else "")
            # No input means that it was not counted, which is unknown and not zero.
            self._usage = UsageChunk(counted, final=bool(self._reason and counted.total_input), tier=tier)
            found.append(self._usage)
        return found

    def _part(self, part: dict[str, Any]) -> list[Chunk]:
        seal = text(part.get("thoughtSignature"))
        called = table(part.get("functionCall"))
        if called:
            self._calls += 1
            name, ident = text(called.get("name")), text(called.get("id")) or f"call_{self._calls}"
            return [ToolCallChunk(ident, name, json.dumps(called.get("args") or {}), seal)]
        self._seal = seal or self._seal
        words = text(part.get("text"))
        if not words:
            return []
        return [ThoughtChunk(words) if part.get("thought") else TextChunk(words)]


def _usage(usage: dict[str, Any]) -> TokenUsage:
    sent = count(usage.get("promptTokenCount")) + count(usage.get("toolUsePromptTokenCount"))
    read = min(count(usage.get("cachedContentTokenCount")), sent)
    return TokenUsage(
        sent - read, read, 0, 0, count(usage.get("candidatesTokenCount")), count(usage.get("thoughtsTokenCount"))
    )
