"""Reads the bytes of a body as the client does, cut as a test wishes, and gathers what came of it."""

import json
import struct
from binascii import crc32
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from assistant import discover
from assistant.errors import ProviderError
from assistant.models.decode import Decoder
from assistant.models.provider import Model, Provider
from assistant.models.wire import (
    HeadersChunk,
    ServedChunk,
    StopChunk,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UsageChunk,
    WaitingChunk,
    take,
)
from assistant.tokens import TokenUsage

STREAMS = Path(__file__).parent / "streams"
FRAMINGS = {"ollama": "ndjson", "bedrock_converse": "aws"}
WIRES = ["anthropic_messages", "bedrock_converse", "gemini", "ollama", "openai_chat", "openai_responses"]


def provider(wire, name="maker", url="http://127.0.0.1:1", **flags):
    return Provider(name, name.title(), wire, url, flags=flags)


def model(*abilities, name="some-model", window=None, seller="maker"):
    return Model(seller, name, name, window, abilities=frozenset(abilities))


def wire(name):
    return discover.part("assistant.models.wires", name)


@dataclass
class Answer:
    text: str = ""
    thought: str = ""
    seals: list = field(default_factory=list)
    tools: list = field(default_factory=list)
    usages: list = field(default_factory=list)
    final: bool = False
    cost: Decimal | None = None
    tier: str = ""
    served: str = ""
    waits: int = 0
    headers: dict = field(default_factory=dict)
    stop: str = ""
    detail: str = ""
    error: str = ""
    ended: bool = False

    @property
    def usage(self):
        """The last usage as fresh, read, written short, written long, output, reasoning."""
        last = self.usages[-1] if self.usages else TokenUsage()
        return (
            last.fresh_input,
            last.cache_read,
            last.cache_write_short,
            last.cache_write_long,
            last.output,
            last.reasoning,
        )

    def take(self, chunk):
        match chunk:
            case TextChunk(text):
                self.text += text
            case ThoughtChunk(text, seal):
                self.thought += text
                self.seals += [seal] if seal else []
            case ToolCallChunk(ident, name, arguments):
                self.tools.append((ident, name, arguments))
            case UsageChunk(usage, final, cost, tier):
                self.usages.append(usage)
                self.final, self.tier = final, tier
                self.cost = cost if cost is not None else self.cost
            case ServedChunk(model):
                self.served = model
            case WaitingChunk():
                self.waits += 1
            case HeadersChunk(headers):
                self.headers |= headers
            case StopChunk(reason, detail):
                self.stop, self.detail = reason, detail


def read(name, body, cuts=(), seller=None):
    """Read a body cut at `cuts`; an error that it ends with is noted by its class."""
    found = Answer()
    reader, decoder = wire(name).Reader(seller or provider(name)), Decoder(FRAMINGS.get(name, "sse"))
    try:
        at = 0
        for cut in [*sorted(set(cuts)), len(body)]:
            events, at = decoder.feed(body[at:cut]), cut
            for event in events:
                if not reader.ended:
                    list(map(found.take, take(reader, event)))
        for event in decoder.close():
            if not reader.ended:
                list(map(found.take, take(reader, event)))
        list(map(found.take, reader.close()))
    except ProviderError as error:
        found.error = error.kind
    found.ended = reader.ended
    return found


def frame(kind, payload, message_type="event"):
    """Make one message of AWS' event stream."""
    label = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}[message_type]
    headers = b""
    for key, value in ((label, kind), (":content-type", "application/json"), (":message-type", message_type)):
        headers += bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    head = struct.pack(">II", len(headers) + len(data) + 16, len(headers))
    whole = head + struct.pack(">I", crc32(head)) + headers + data
    return whole + struct.pack(">I", crc32(whole))


def stream(name):
    """Return the bytes of a sample; Converse's are kept as text and hex."""
    path = STREAMS / name
    if path.suffix == ".hex":
        return bytes.fromhex(path.read_text())
    if path.suffix == ".txt":
        lines = [line.split(None, 1) for line in path.read_text().splitlines() if line.strip()]
        return b"".join(frame(kind.partition("=")[2], json.loads(data)) for kind, data in lines)
    return path.read_bytes()


def sse(*events, done=True):
    """Make the bytes of a stream of JSON events; a pair names its event."""
    out = ""
    for each in events:
        name, data = each if isinstance(each, tuple) else ("", each)
        out += (f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n"
    return (out + ("data: [DONE]\n\n" if done else "")).encode()
