"""Chat Completions: OpenAI's first protocol, and what most others speak, with flags for their dialects.

Flags of a provider for the request: `max_tokens` (name of the limit's field), `usage_in_stream` (False if asking for it
is an error), `usage_in_each_chunk` (True if the server can count as it goes), `prompt_cache_key` (True if it routes to
a cache), `cache_control` (True if marks for caching are passed on to the model), `reasoning_split` (True if thoughts
come apart from the text only on request), and `effort`, how thinking is set:

- "reasoning_effort": a level of that name, `max_effort` naming the highest (OpenAI, xAI, Ollama, LM Studio)
- "reasoning": an object of that name (OpenRouter)
- "thinking": an object that says yes or no (Kimi, GLM); "thinking_effort": that and a level (DeepSeek)
- "enable_thinking": yes or no (Qwen); "chat_template": the same as a word for the template (NVIDIA, vLLM, llama-server)

Flags for the answer: `replay` names the field in which its thoughts go back to their maker ("reasoning_content",
"reasoning" or "reasoning_details"); `think_tags` is False if a text may begin with <think> and mean it;
`reasoning_beside` is True if thoughts are counted beside the completion, even if no total says so.

Flags for the time after: `generation` is the path at which a seller tells, by an answer's id, what it has cost, and
`generation_header` is the header that gives the id before the first word comes; see `assistant.receipts`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from assistant.errors import ContextOverflow, Overloaded, ProviderError, ServerFailed
from assistant.models import chat_counts, history, trouble
from assistant.models.chat_calls import CallPieces
from assistant.models.message import Image, Text, Thought
from assistant.models.shape import count, rows, table, text
from assistant.models.think_tags import ThinkTags
from assistant.models.wire import (
    Chunk,
    HttpCall,
    ServedChunk,
    StopChunk,
    TextChunk,
    ThoughtChunk,
    UsageChunk,
    bearer,
)

if TYPE_CHECKING:
    from assistant.models.message import Message
    from assistant.models.provider import Provider
    from assistant.models.wire import Request, ServerEvent, StopReason

_STOPS: dict[str, StopReason] = {
    "stop": "end",
    "end": "end",
    "eos": "end",
    "end_turn": "end",
    "stop_sequence": "end",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool",
    "tool_use": "tool",
    "function_call": "tool",
    "content_filter": "refused",
    "refusal": "refused",
    "sensitive": "refused",
    "safety": "refused",
}
_FAILURES: dict[str, tuple[type[ProviderError], str]] = {
    "error": (ServerFailed, "the provider broke off its answer."),
    "network_error": (ServerFailed, "the provider lost its own connection."),
    "insufficient_system_resource": (Overloaded, "there was no room to finish the answer."),
    "model_context_window_exceeded": (ContextOverflow, "the context window is full."),
}
_SPECIAL = frozenset({"x_groq", "timings", "base_resp", "error"})


def call(request: Request, provider: Provider, key: str) -> HttpCall:
    """Write the request as one streamed chat completion."""
    flags = provider.flags
    body: dict[str, Any] = {"model": request.model.id, "messages": _messages(request, provider), "stream": True}
    if flags.get("usage_in_stream", True):
        body["stream_options"] = {"include_usage": True}
        if flags.get("usage_in_each_chunk"):
            body["stream_options"]["continuous_usage_stats"] = True
    if request.max_output:
        body[str(flags.get("max_tokens", "max_tokens"))] = request.max_output
    if request.effort:
        body |= _effort(request.effort, str(flags.get("effort", "")), str(flags.get("max_effort", "high")))
    if flags.get("prompt_cache_key"):
        body["prompt_cache_key"] = history.cache_key(request)
    if flags.get("reasoning_split"):
        body["reasoning_split"] = True
    headers = {"content-type": "application/json", "accept": "text/event-stream", **bearer(provider, key)}
    url = provider.base_url.rstrip("/") + "/chat/completions"
    return HttpCall("POST", url, headers, json.dumps(body, ensure_ascii=False).encode())


def _effort(effort: str, style: str, highest: str) -> dict[str, Any]:
    off = effort == "off"
    level = {"off": "none", "max": highest}.get(effort, effort)
    switch = {"type": "disabled" if off else "enabled"}
    match style:
        case "reasoning_effort":
            return {"reasoning_effort": level}
        case "reasoning":
            return {"reasoning": {"effort": level}}
        case "thinking":
            return {"thinking": switch}
        case "thinking_effort":
            return {"thinking": switch, **({} if off else {"reasoning_effort": level})}
        case "enable_thinking":
            return {"enable_thinking": not off}
        case "chat_template":
            return {"chat_template_kwargs": {"enable_thinking": not off}}
        case _:
            return {}


def _messages(request: Request, provider: Provider) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    system = "\n\n".join(part for part in request.system if part.strip())
    if system:
        found.append({"role": "system", "content": system})
    replay = str(provider.flags.get("replay", ""))
    for message in history.turns(request, provider):
        said: dict[str, Any] = {"role": message.role, "content": _said(message)}
        if message.role == "assistant" and replay:
            said |= _replayed(message, replay)
        found.append(said)
    if provider.flags.get("cache_control"):
        for each in (found[:1] if system else [], found[-2:-1]):
            if each and isinstance(each[0]["content"], str):
                mark = {"type": "text", "text": each[0]["content"], "cache_control": {"type": "ephemeral"}}
                each[0]["content"] = [mark]
    return found


def _said(message: Message) -> str | list[dict[str, Any]]:
    """Return plain words as a text, which every server takes, and only words with pictures as parts."""
    words = [part for part in message.parts if not isinstance(part, Thought)]
    if not any(isinstance(part, Image) for part in words):
        return "".join(part.text for part in words if isinstance(part, Text))
    return [
        {"type": "image_url", "image_url": {"url": history.data_url(part)}}
        if isinstance(part, Image)
        else {"type": "text", "text": part.text}
        for part in words
        if isinstance(part, Image | Text)
    ]


def _replayed(message: Message, field: str) -> dict[str, Any]:
    thoughts = [part for part in message.parts if isinstance(part, Thought)]
    if field == "reasoning_details":
        details = [each for part in thoughts if part.seal for each in json.loads(part.seal)]
        return {"reasoning_details": details} if details else {}
    # DeepSeek wants the field with every answer that goes back, even with one of another model.
    return {field: "".join(part.text for part in thoughts)}


class Reader:
    """Reads one streamed chat completion."""

    def __init__(self, provider: Provider) -> None:
        self.ended = False
        self._provider = provider
        self._served = self._tier = ""
        self._stop: StopChunk | None = None
        self._failure: ProviderError | None = None
        self._usage: UsageChunk | None = None
        self._declined = False
        self._spoke = False
        self._calls = CallPieces()
        self._details: dict[tuple[int | None, str], dict[str, Any]] = {}
        self._tags = ThinkTags() if provider.flags.get("think_tags", True) else None

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event."""
        data = table(trouble.read(event.data, self._provider))
        if self._tags is None and (words := _plain_words(data)):
            self._spoke = True
            return [TextChunk(words)] if self._served else [*self._serve(data), TextChunk(words)]
        found = self._serve(data)
        choices = rows(data.get("choices"))
        for choice in choices:
            if not count(choice.get("index")):
                found += self._choice(choice)
        self._reported(event, data, choices)
        usage = table(data.get("usage")) or table(table(data.get("x_groq")).get("usage"))
        usage = usage or next((table(choice["usage"]) for choice in choices if choice.get("usage")), {})
        if usage:
            found.append(
                self._count(chat_counts.counted(usage, beside=bool(self._provider.flags.get("reasoning_beside"))))
            )
        elif self._usage is None and "prompt_n" in table(data.get("timings")):
            found.append(self._count(chat_counts.timed(data["timings"])))
        return found

    def close(self) -> list[Chunk]:
        """Take the end of the body: without a finish reason, or `[DONE]` after any content, the answer is broken."""
        if self._failure is not None:
            raise self._failure
        came = self._spoke or self._declined or self._calls.any or self._usage
        if self._stop is None and not (self.ended and came):
            raise trouble.cut(self._provider)
        found = self._plain()
        stop = self._stop or StopChunk("end")
        if self._details and any(each.get("signature") or each.get("data") for each in self._details.values()):
            found.append(ThoughtChunk("", json.dumps(list(self._details.values()))))
        found += self._calls.whole(cut=stop.reason == "length")
        if self._usage is not None and not self._usage.final:
            found.append(self._count(self._usage))
        if stop.reason == "end" and self._calls.any:
            stop = StopChunk("tool", stop.detail)
        elif stop.reason == "end" and self._declined:
            stop = StopChunk("refused", stop.detail)
        return [*found, stop]

    def _serve(self, data: dict[str, Any]) -> list[Chunk]:
        self._tier = text(data.get("service_tier")) or self._tier
        if self._served or not text(data.get("model")):
            return []
        self._served = data["model"]
        return [ServedChunk(self._served, text(data.get("id")))]

    def _plain(self) -> list[Chunk]:
        """Stop looking for thoughts within the text; return what was held back."""
        tags, self._tags = self._tags, None
        return tags.close() if tags else []

    def _count(self, usage: UsageChunk) -> UsageChunk:
        ends = self._stop is not None or self._failure is not None or self.ended
        counts = usage.usage
        if self._usage is not None and not counts.total:
            counts = self._usage.usage  # zeros after a count do not replace it
        ends = ends and bool(counts.total_input)  # no input means that it was not counted: unknown, not zero
        self._usage = UsageChunk(counts, ends, usage.reported_cost, self._tier)
        return self._usage

    def _choice(self, choice: dict[str, Any]) -> list[Chunk]:
        found: list[Chunk] = []
        # MiniMax ends a stream by sending the whole message again.
        delta = table(choice.get("delta")) or ({} if self._spoke else table(choice.get("message")))
        # The first field that has words: some servers say the same in two fields.
        thought = (
            text(delta.get("reasoning_content")) or text(delta.get("reasoning")) or text(delta.get("reasoning_text"))
        )
        if delta.get("reasoning_details"):
            said = self._detail(rows(delta["reasoning_details"]))
            thought = thought or said
        if thought:
            found += self._plain()  # thoughts have a field of their own here
            found.append(ThoughtChunk(thought))
        content = delta.get("content")
        words = "".join(text(part.get("text")) for part in rows(content)) or text(content) or text(choice.get("text"))
        if words:
            found += self._tags.feed(words) if self._tags else [TextChunk(words)]
            if self._tags and self._tags.over:
                self._tags = None
        self._spoke = self._spoke or bool(words or thought)
        if text(delta.get("refusal")):
            self._declined = True
            found.append(TextChunk(delta["refusal"]))
        for tool in rows(delta.get("tool_calls")):
            self._calls.add(tool)
        reason = text(choice.get("finish_reason"))
        if reason in _FAILURES:
            kind, words = _FAILURES[reason]
            hint = "What had come is kept; ask again, or switch with /model."
            self._failure = kind(f"{self._provider.title}: {words}", hint, provider=self._provider.name)
        elif reason:
            self._stop = StopChunk(_STOPS.get(reason.lower(), "end"), reason)
        return found

    def _detail(self, pieces: list[dict[str, Any]]) -> str:
        """Collect reasoning details, whose pieces share an index, and return the words that came."""
        said = ""
        for piece in pieces:
            index = piece.get("index")
            key = index if isinstance(index, int) else None, text(piece.get("type"))
            known = self._details.setdefault(key, {})
            for name, value in piece.items():
                if name in {"text", "summary", "data"} and isinstance(value, str):
                    known[name] = text(known.get(name)) + value
                elif value is not None or name not in known:
                    known[name] = value
            said += text(piece.get("text")) or text(piece.get("summary"))
        return said

    def _reported(self, event: ServerEvent, data: dict[str, Any], choices: list[dict[str, Any]]) -> None:
        """Note an error inside the stream; words of the same event are not lost."""
        within = next((choice["error"] for choice in choices if choice.get("error")), None)
        status = str(table(data.get("base_resp")).get("status_code", "0"))
        known = choices or data.get("usage") or data.get("object") == "chat.completion.chunk"
        if within and not data.get("error"):
            data = {"error": within}
        elif not (
            data.get("error")
            or event.name == "error"
            or data.get("object") == "error"
            or status != "0"
            or (not known and (data.get("detail") or data.get("code") or data.get("message")))
        ):
            return
        self._failure = trouble.reported(data, self._provider)
        self.ended = True


def _plain_words(data: dict[str, Any]) -> str:
    """Return the words of an event that holds nothing else, as nearly all events of a stream do; else no words.

    This is only a short cut: the long way gives the same for each such event.
    """
    choices = data.get("choices")
    if type(choices) is not list or len(choices) != 1 or data.get("usage"):
        return ""
    choice = choices[0]
    if type(choice) is not dict or choice.get("finish_reason") or choice.get("index") or choice.get("usage"):
        return ""
    delta = choice.get("delta")
    if type(delta) is not dict or len(delta) > 2 or (len(delta) == 2 and "role" not in delta):
        return ""
    words = delta.get("content")
    if type(words) is not str or not _SPECIAL.isdisjoint(data) or "error" in choice:
        return ""
    return words
