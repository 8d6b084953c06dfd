"""The scripted model: lessons for a practice session, chosen by the words of the user. Pure.

The lessons and the files of the scratch repository they are about stand in `practice.toml`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.discover import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "http://scripted.invalid"
"""The client mounts the practice model here; the name is reserved and never resolves (RFC 6761)."""

ELSEWHERE = "The lessons are about files that only the repository of `wattson demo` has: here the model can only talk."
_PIECE = re.compile(r"\s*\S+\s*?(?=\s|$)|\s+")


@cache
def _facts() -> dict[str, Any]:
    return read_toml(Path(__file__).parent / "practice.toml")


def files() -> dict[str, str]:
    """Return the scratch repository: path to text."""
    return dict(_facts()["files"])


def is_for(root: Path) -> bool:
    """Say whether a folder has the files that the lessons are about."""
    return all((root / path).is_file() for path in files() if path.endswith(".py"))


def lesson(messages: list[dict[str, str]]) -> str:
    """Choose the answer to a conversation by the words of its last message."""
    last = messages[-1]["content"] if messages else ""
    for each in _facts()["aside"]:
        if each["mark"] in last:
            return str(each["reply"])
    question = re.split(r"</context(?:-\d+)?>", last)[-1].lower()
    for each in _facts()["lesson"]:
        if any(word in question for word in each["words"]):
            return str(each["reply"])
    return str(_facts()["talk"])


def reply(body: bytes) -> Iterator[tuple[float, bytes]]:
    """Answer a call of the scripted wire: pieces of an event stream, each with the seconds to wait before it."""
    asked = json.loads(body)
    messages = asked["messages"]
    text = lesson(messages)
    pace = float(asked.get("pace_s") or 0)
    sent = sum(len(message["content"]) for message in messages) + sum(map(len, asked["system"]))
    kept = sum(map(len, asked["system"])) + sum(len(message["content"]) for message in messages[:-1])
    cached = kept // 4 if len(messages) > 1 else 0
    yield 0.0, _event("model", model="lesson")
    pieces = _PIECE.findall(text)
    for piece in pieces:
        yield pace, _event("text", text=piece)
    yield 0.0, _event("usage", fresh=max(1, sent // 4 - cached), cached=cached, output=max(1, len(text) // 4))
    yield 0.0, _event("end")


def _event(name: str, **data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
