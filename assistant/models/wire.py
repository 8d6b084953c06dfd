"""The seam between a neutral request and what one protocol says on the line.

A wire is a module in `wires/` with `call`, a pure function, and `Reader`, a pure decoder. Neither touches the network,
the clock or the environment. HTTP, retries, keys and errors live once, in `client`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from assistant.errors import ProviderError
    from assistant.models.message import Message
    from assistant.models.provider import Model, Provider
    from assistant.tokens import TokenUsage

StopReason = Literal["end", "length", "tool", "refused", "cancelled", "error"]
Framing = Literal["sse", "ndjson", "aws"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request in words of no provider.

    `system` parts are sent in this order, the most stable first; a wire that supports caching asks for it at their end.
    `max_output` is in tokens; None leaves it to the provider where the protocol allows. `effort` is one of "off",
    "low", "medium", "high", "max", or empty for the model's default.
    """

    model: Model
    system: tuple[str, ...]
    messages: tuple[Message, ...]
    max_output: int | None = None
    effort: str = ""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request, ready to be sent; `framing` says how its answer is cut into events."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    framing: Framing = "sse"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream. A comment line has `name` ":" and its text as `data`: a sign of life.

    An exception frame of AWS has `name` "exception:" and the exception's own name.
    """

    name: str
    data: str


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtChunk:
    """A piece of the thinking. `seal` comes with an empty text when the provider signs what it thought."""

    text: str
    seal: str = ""


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """A complete tool call: `arguments` is JSON text as the model wrote it, `seal` the provider's proof of it."""

    id: str
    name: str
    arguments: str
    seal: str = ""


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """What the provider has counted so far; a later one replaces an earlier. `final` says that no other will come.

    `reported_cost` is in US dollars, as everybody reports it; `tier` is the service tier that the reply names, empty if
    it names none. If an answer took several requests, `usage` is the sum and `last` what the last of them used; else
    `last` is None.
    """

    usage: TokenUsage
    final: bool = False
    reported_cost: Decimal | None = None
    tier: str = ""
    last: TokenUsage | None = None


@dataclass(frozen=True, slots=True)
class ServedChunk:
    """The model that the reply names, and the id that its seller gave the answer, if it gave one."""

    model: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class HeadersChunk:
    """Headers of the answer, with lower-case names, for quota readers.

    The client sends them once; a wire sends more if a stream tells in an event what others tell in headers.
    """

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WaitingChunk:
    """A sign of life without words: queued, or processing."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class RetryChunk:
    """The client will wait and ask again: attempt number (from 1), seconds to wait, and why."""

    attempt: int
    wait_s: float
    error: ProviderError


@dataclass(frozen=True, slots=True)
class StopChunk:
    """The last chunk of an answer: why it ended. `detail` is the provider's own word for the reason."""

    reason: StopReason
    detail: str = ""


Chunk = (
    TextChunk
    | ThoughtChunk
    | ToolCallChunk
    | UsageChunk
    | ServedChunk
    | HeadersChunk
    | WaitingChunk
    | RetryChunk
    | StopChunk
)


class Reader(Protocol):
    """Turns server events into chunks. One reader reads one answer, and hears of its events through `take`.

    `ended` becomes True when the protocol's own end has come: nothing after it counts, and nobody need wait for it.
    """

    ended: bool

    def feed(self, event: ServerEvent) -> list[Chunk]:
        """Take one event that says something. Raises ProviderError for an error that the stream itself reports."""

    def close(self) -> list[Chunk]:
        """Take the end of the body. Raises the error that the stream reported, or StreamBroken if it had no end."""


def take(reader: Reader, event: ServerEvent) -> list[Chunk]:
    """Give an event to a reader, unless it means the same in every protocol: a comment, no words, or "[DONE]"."""
    if event.name == ":":
        return [WaitingChunk(event.data)]
    said = event.data.strip()
    if said == "[DONE]":
        reader.ended = True
        return []
    return reader.feed(event) if said or event.name.startswith("exception:") else []


class Wire(Protocol):
    """What a module in `wires/` offers.

    If its provider may pause in an answer, it also offers `go_on(call, reader)`, which makes the call that continues
    it.
    """

    def call(self, request: Request, provider: Provider, key: str) -> HttpCall:
        """Write the request in this protocol."""

    def Reader(self, provider: Provider) -> Reader:  # noqa: N802 - it is the module's class
        """Make a decoder for one answer."""


def bearer(provider: Provider, key: str) -> dict[str, str]:
    """Return a provider's own headers and the key as most providers want it; without the key if none is needed."""
    return {**provider.headers, **({"authorization": f"Bearer {key}"} if key else {})}
