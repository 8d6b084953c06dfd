"""The conversation in neutral form: what was said, by whom, whichever provider said it."""

from __future__ import annotations

from dataclasses import dataclass
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
    sealed thought is replayed to its maker unchanged and to nobody else.
    """

    text: str
    maker: str = ""
    seal: str = ""


Part = Text | Thought


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of one side. `partial` marks an answer that was cut short; its text is all that came."""

    role: Role
    parts: tuple[Part, ...]
    partial: bool = False

    @property
    def text(self) -> str:
        """The words, thoughts left out, of several parts joined as they came."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def said(role: Role, text: str) -> Message:
    """Make a message of plain words."""
    return Message(role, (Text(text),))
