"""Responses: OpenAI's second protocol, which xAI, Meta and several servers speak too. Counts are inclusive.

Flags of a provider: `max_tokens` (name of the limit's field, "" if there is none), `prompt_cache_key` (False if it is
an error), `encrypted_thoughts` (False if reasoning is not given out sealed), `summary` ("" if no summary may be asked
for), `efforts` ("low medium high" lists the levels if there are fewer; "off" then asks for the lowest).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from assistant.models import history, trouble
from assistant.models.chat_counts import ticks
from assistant.models.message import Image, Text, Thought
from assistant.models.shape import count, rows, table, text
from assistant.models.wire import (
    Chunk,
    HeadersChunk,
    HttpCall,
    ServedChunk,
    StopChunk,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UsageChunk,
    WaitingChunk,
    bearer,
)
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from assistant.errors import ProviderError
    from assistant.models.provider import Provider
    from assistant.models.wire import Request, ServerEvent

_ODD = re.compile(r"[^a-z0-9]+")
_EFFORTS = {"off": "none", "max": "xhigh"}
_LEAST_OUTPUT = 16
"""A lower limit is an error (OpenAI's OpenAPI, max_output_tokens)."""


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Write the request as one streamed response that the provider does not store."""
    flags = provider.flags
    body = {**_content(request, provider), "stream": True, "store": False}
    thinks = "thinking" in request.model.abilities
    if thinks and flags.get("encrypted_thoughts", True):
        body["include"] = ["reasoning.encrypted_content"]
    if request.max_output and flags.get("max_tokens", "max_output_tokens"):
        body[str(flags.get("max_tokens", "max_output_tokens"))] = max(request.max_output, _LEAST_OUTPUT)
    if thinks:
        reasoning = {"summary": str(flags["summary"])} if "summary" in flags else {"summary": "auto"}
        if request.effort:
            reasoning["effort"] = _effort(request.effort, str(flags.get("efforts", "")).split())
        reasoning = {name: value for name, value in reasoning.items() if value}
        if reasoning:
            body["reasoning"] = reasoning
    if flags.get("prompt_cache_key", True):
        body["prompt_cache_key"] = history.cache_key(request)
    headers = {"content-type": "application/json", "accept": "text/event-stream", **bearer(provider, key)}
    url = f"{provider.base_url.rstrip('/')}/responses"
    return HttpCall("POST", url, headers, json.dumps(body, ensure_ascii=False).encode())


def _effort(wanted: str, levels: list[str]) -> str:
    if not levels:
        return _EFFORTS.get(wanted, wanted)
    if wanted in levels:
        return wanted
    return levels[0] if wanted == "off" else levels[-1]


def _content(request: Request, provider: Provider) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    for message in history.turns(request, provider):
        content: list[dict[str, Any]] = []
        for part in message.parts:
            match part:
                case Thought(_, _, seal) if seal:
                    items.append(json.loads(seal))
                case Text(words):
                    content.append({"type": "input_text", "text": words})
                case Image():
                    content.append({"type": "input_image", "image_url": history.data_url(part), "detail": "auto"})
        # An answer goes back as plain text: as parts it would need the id and status of an item, which answers of
        # other protocols do not have, and strict servers refuse it without them.
        plain = message.role == "assistant"
        items.append({"type": "message", "role": message.role, "content": message.text if plain else content})
    body: dict[str, Any] = {"model": request.model.id, "input": items}
    system = "\n\n".join(part for part in request.system if part.strip())
    return {**body, "instructions": system} if system else body


class Reader:
    """Reads one streamed response."""

    def __init__(self, provider: Provider) -> None:
        self.ended = False
        self._provider = provider
        self._served = ""
        self._stop: StopChunk | None = None
        self._failure: ProviderError | None = None
        self._spoken: dict[str, set[str]] = {}  # item -> kinds of text that came in pieces
        self._called = False
        self._declined = False

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event; its type is in its data, since not every server names its events."""
        data = table(trouble.read(event.data, self._provider))
        match data.get("type") or event.name:
            case "response.output_text.delta":
                return self._piece(data, "text")
            case "response.reasoning_summary_text.delta":
                return self._piece(data, "summary")
            case "response.reasoning_text.delta":
                return self._piece(data, "reasoning")
            case "response.reasoning_summary_part.added" if "summary" in self._spoken.get(_place(data), ()):
                return [ThoughtChunk("\n\n")]  # parts of a summary are paragraphs
            case "response.refusal.delta":
                self._declined = True
                return self._piece(data, "refusal")
            case "response.output_text.done" if "text" not in self._spoken.get(_place(data), ()):
                return self._piece({**data, "delta": data.get("text")}, "text")
            case "response.output_item.done":
                return self._item(table(data.get("item")), _place(data))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                return self._end(table(data.get("response")))
            case "response.created" | "response.in_progress" | "response.queued":
                return self._serve(table(data.get("response"))) or [WaitingChunk()]
            case "codex.rate_limits":
                return [HeadersChunk(_limits(data))]
            case "error":
                raise trouble.reported(data if "error" in data else {"error": data}, self._provider)
            case _ if data.get("object") == "response":  # one JSON text although a stream was asked for
                return self._end(data)
            case _ if data.get("error") or event.name == "error":
                raise trouble.reported(data, self._provider)
            case _:
                return []

    def close(self) -> list[Chunk]:
        """Take the end of the body: without one of the three final events the answer is broken."""
        if self._failure is not None:
            raise self._failure
        if self._stop is None:
            raise trouble.cut(self._provider)
        return [self._stop]

    def _serve(self, response: dict[str, Any]) -> list[Chunk]:
        if self._served or not text(response.get("model")):
            return []
        self._served = response["model"]
        return [ServedChunk(self._served)]

    def _piece(self, data: dict[str, Any], kind: str) -> list[Chunk]:
        words = text(data.get("delta"))
        kinds = self._spoken.setdefault(_place(data), set())
        if not words or (kind == "reasoning" and "summary" in kinds) or (kind == "summary" and "reasoning" in kinds):
            return []  # some servers send their reasoning, and a summary with the same text
        kinds.add(kind)
        return [ThoughtChunk(words) if kind in {"summary", "reasoning"} else TextChunk(words)]

    def _item(self, item: dict[str, Any], place: str) -> list[Chunk]:
        """Take a complete item: text that did not come in pieces is returned now, calls and seals always."""
        spoken = self._spoken.setdefault(place, set())
        found: list[Chunk] = []
        match item.get("type"):
            case "message":
                for part in rows(item.get("content")):
                    declined = part.get("type") == "refusal"
                    self._declined = self._declined or declined
                    words = text(part.get("refusal")) or text(part.get("text"))
                    if words and not spoken & {"text", "refusal"}:
                        found.append(TextChunk(words))
            case "reasoning":
                said = [*rows(item.get("summary")), *rows(item.get("content"))]
                words = "\n\n".join(part["text"] for part in said if text(part.get("text")))
                if words and not spoken & {"summary", "reasoning"}:
                    found.append(ThoughtChunk(words))
                if text(item.get("encrypted_content")):
                    found.append(ThoughtChunk("", json.dumps(_sealed(item))))
            case "function_call" | "custom_tool_call":
                self._called = True
                name, ident = text(item.get("name")), text(item.get("call_id")) or text(item.get("id"))
                found.append(ToolCallChunk(ident, name, text(item.get("arguments") or item.get("input")) or "{}"))
        return found

    def _end(self, response: dict[str, Any]) -> list[Chunk]:
        self.ended = True
        found: list[Chunk] = []
        if not self._spoken:  # a server that streams nothing sends everything at the end
            for index, item in enumerate(rows(response.get("output"))):
                found += self._item(item, f"#{index}")
        found += self._serve(response)
        usage = table(response.get("usage"))
        if usage:
            found.append(_usage(usage, text(response.get("service_tier"))))
        reason = text(table(response.get("incomplete_details")).get("reason"))
        match text(response.get("status")):
            case "failed":
                self._failure = trouble.reported({"error": response.get("error") or {}}, self._provider)
            case "cancelled":
                self._stop = StopChunk("error", "cancelled")
            case "incomplete":
                self._stop = StopChunk("refused" if reason == "content_filter" else "length", reason)
            case status:
                self._stop = StopChunk("tool" if self._called else "refused" if self._declined else "end", status)
        return found


def _place(data: dict[str, Any]) -> str:
    return f"#{count(data.get('output_index'))}"


def _sealed(item: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {"summary": []}
    return kept | {name: item[name] for name in ("type", "id", "summary", "encrypted_content") if name in item}


def _usage(usage: dict[str, Any], tier: str) -> UsageChunk:
    details = table(usage.get("input_tokens_details"))
    lives = table(details.get("cache_write_tokens_details"))
    long = count(lives.get("ttl_12h_tokens"))
    sent, read = count(usage.get("input_tokens")), count(details.get("cached_tokens"))
    written = max(count(details.get("cache_write_tokens")), long + count(lives.get("ttl_30m_tokens")))
    # A seller that counts cached tokens beside the input reports more of them than the input has.
    fresh = sent if read + written > sent else sent - read - written
    output = count(usage.get("output_tokens"))
    thought = count(table(usage.get("output_tokens_details")).get("reasoning_tokens"))
    beside = thought > output or (thought and count(usage.get("total_tokens")) == sent + output + thought)
    counted = TokenUsage(fresh, read, written - long, long, output if beside else output - thought, thought)
    return UsageChunk(counted, final=bool(sent), reported_cost=ticks(usage), tier=tier)  # without input, not counted


def _limits(data: dict[str, Any]) -> dict[str, str]:
    """Turn the limits of a plan, which the Codex backend sends as an event, into the headers that it sends elsewhere.

    Limits of one model, not of the plan itself, carry its name.
    """
    found: dict[str, str] = {}
    limits = table(data.get("rate_limits"))
    told = (data.get("metered_limit_name"), limits.get("limit_id"), data.get("limit_name"), limits.get("limit_name"))
    whose = next(filter(None, map(text, told)), "codex").lower()
    family = "" if whose == "codex" else f"{_ODD.sub('-', whose.removeprefix('codex_'))}-"
    for name in ("primary", "secondary"):
        window = table(limits.get(name))
        for field in ("used_percent", "window_minutes", "reset_at"):
            if window.get(field) is not None:
                found[f"x-codex-{family}{name}-{field.replace('_', '-')}"] = str(window[field])
    if family:
        found[f"x-codex-{family}limit-name"] = text(data.get("limit_name")) or text(limits.get("limit_name")) or whose
    for field, value in table(data.get("credits")).items():
        if value is not None:
            found[f"x-codex-credits-{field.replace('_', '-')}"] = str(value)
    if text(data.get("plan_type")):
        found["x-codex-plan-type"] = data["plan_type"]
    return found
