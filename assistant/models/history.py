"""The conversation made fit to be sent: it obeys every protocol's rules at once, so any history is legal on any wire.

Roles alternate, the user begins and ends, no part is empty, and nothing of another maker goes along. Earlier turns
always come out the same, whatever follows them, so that a provider's cache finds them again.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from assistant.models.message import Image, Message, Part, Text, Thought, ToolCall, ToolResult

if TYPE_CHECKING:
    from assistant.models.provider import Provider
    from assistant.models.wire import Request

_CUT = "[The answer was cut short here.]"
_BEGIN = "[The beginning of the conversation is not here.]"
_GO_ON = "Please go on."
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def maker_of(provider: Provider) -> str:
    """Name the maker of sealed parts: the wire and the seller, since a relay cannot read what the origin sealed."""
    return f"{provider.wire}:{provider.name}"


def turns(request: Request, provider: Provider) -> list[Message]:
    """Return the messages to send: Text and Image parts, never two texts side by side, and thoughts of this maker.

    Thoughts come first in their turn. Tool calls and their results are told as text: no request of ours offers tools, and
    protocols refuse a call of a tool that is not offered. A model without the ability "images" gets a note instead.
    """
    maker = maker_of(provider)
    pictures = "images" in request.model.abilities
    found: list[Message] = []
    for message in request.messages:
        parts = _parts(message, maker, pictures=pictures)
        words = [part for part in parts if not isinstance(part, Thought)]
        if not words:
            continue
        if found and found[-1].role == message.role:
            # Thoughts of the second are left out: no protocol lets them stand after words.
            joined = _joined([*found[-1].parts, *words], between="\n\n")
            found[-1] = Message(message.role, tuple(joined))
        else:
            found.append(Message(message.role, tuple(parts)))
    if not found or found[0].role == "assistant":
        found.insert(0, Message("user", (Text(_BEGIN),)))
    if found[-1].role == "assistant":
        found.append(Message("user", (Text(_GO_ON),)))
    return found


def _parts(message: Message, maker: str, *, pictures: bool) -> list[Part]:
    thoughts: list[Part] = []
    words: list[Part] = []
    for part in message.parts:
        match part:
            case Thought():
                # A cut answer's proof is worth nothing.
                if part.maker == maker and not message.partial and (part.seal or part.text.strip()):
                    thoughts.append(Thought(_clean(part.text), maker, part.seal))
            case Text(text):
                words.append(Text(_clean(text)))
            case ToolCall(_, name, arguments):
                words.append(Text(f"\n\n[Tool {name} was called with {_clean(arguments) or '{}'}]\n\n"))
            case ToolResult(_, name, text, failed):
                said = "failed" if failed else "answered"
                words.append(Text(f"[Tool {name} {said}:]\n{_clean(text)}\n\n"))
            case Image(kind, data) if pictures and kind in _PICTURES and data and message.role == "user":
                words.append(part)
            case Image(kind, data):
                words.append(
                    Text(f"[A picture was here ({kind}, {len(data):,} bytes); it cannot be shown to you.]\n\n")
                )
    words = [part for part in _joined(words) if not isinstance(part, Text) or part.text.strip()]
    if message.role == "assistant" and words and isinstance(words[-1], Text):
        words[-1] = Text(words[-1].text.rstrip())  # an answer may not end in white space
    if message.partial and words:
        words = _joined([*words, Text(_CUT)], between="\n\n")
    return [*thoughts, *words]


def _joined(parts: list[Part], between: str = "") -> list[Part]:
    found: list[Part] = []
    for part in parts:
        if found and isinstance(part, Text) and isinstance(found[-1], Text):
            found[-1] = Text(found[-1].text + between + part.text)
        else:
            found.append(part)
    return found


def _clean(text: str) -> str:
    """Remove what UTF-8 cannot encode: half surrogates from escaped JSON or an odd file name."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def base64_of(image: Image) -> str:
    """Return the picture's bytes as base64 text."""
    return base64.b64encode(image.data).decode("ascii")


def data_url(image: Image) -> str:
    """Return the picture as a data address."""
    return f"data:{image.media_type};base64,{base64_of(image)}"


def cache_key(request: Request) -> str:
    """Name the beginning that requests share, for a provider that routes by this name to the machine that cached it."""
    words = "\0".join((request.model.id, *request.system))
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32]
