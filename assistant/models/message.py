"""The conversation in neutral form: what was said, by whom, whichever provider said it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words for the other side to read."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model thought before it answered.

    `maker` is "<wire>:<provider>"; `seal` is the provider's own opaque proof (a signature, encrypted reasoning). A
    thought is replayed to its maker, unchanged, where that wire asks for it, and to nobody else.
    """

    text: str
    maker: str = ""
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: its media type (image/png, image/jpeg, image/gif or image/webp) and its bytes as they are on disk."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model called; `arguments` is JSON text as the model wrote it, `seal` as in Thought."""

    id: str
    name: str
    arguments: str
    maker: str = ""
    seal: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered; `id` is that of the call."""

    id: str
    name: str
    text: str
    failed: bool = False


Part = Text | Thought | Image | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of one side. `partial` marks an answer that was cut short; its text is all that came."""

    role: Role
    parts: tuple[Part, ...]
    partial: bool = False

    @property
    def text(self) -> str:
        """The words of all text parts, joined as they came; thoughts are left out."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def words(self) -> str:
        """The last of its texts: of a question, what was asked, without the context sent along."""
        return next((part.text for part in reversed(self.parts) if isinstance(part, Text)), "")

    @property
    def pictures(self) -> int:
        """Number of pictures."""
        return sum(isinstance(part, Image) for part in self.parts)


def said(role: Role, text: str) -> Message:
    """Make a message of plain words."""
    return Message(role, (Text(text),))
