"""Gemini CLI: sessions under `tmp/<project>/chats/`, older ones one JSON document, newer ones JSONL with updates.

A message is written again when it grows; the largest counts. `input` holds what was cached unless the message's own total
says otherwise; `tool` is prompt too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from assistant.quota.buckets import Use

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLIENT = "gemini-cli"
KINDS = {".jsonl": "lines", ".json": "whole"}
NEEDLES = (b'"tokens"', b'"sessionId"')


class _Tokens(msgspec.Struct, gc=False):
    input: int | None = None
    output: int | None = None
    cached: int | None = None
    thoughts: int | None = None
    tool: int | None = None
    total: int | None = None


class _Message(msgspec.Struct, rename="camel"):
    session_id: str | None = None
    id: str | None = None
    timestamp: str | None = None
    type: str | None = None
    model: str | None = None
    tokens: _Tokens | None = None


class _Session(msgspec.Struct, rename="camel"):
    session_id: str | None = None
    messages: list[_Message] = []


_decode = msgspec.json.Decoder(_Message).decode
_decode_session = msgspec.json.Decoder(_Session).decode


def places(env: Mapping[str, str], home: Path) -> list[Path]:
    """Say where sessions lie: below `GEMINI_CLI_HOME` or the home folder."""
    root = home.joinpath(env["GEMINI_CLI_HOME"]) if env.get("GEMINI_CLI_HOME") else home
    return [root / ".gemini" / "tmp"]


def project(path: str) -> str:
    """Name the project of a file: the folder above `chats`, a hash or a short name."""
    parts = Path(path).parts
    return parts[parts.index("chats") - 1] if "chats" in parts[1:] else ""


def line(raw: bytes, state: dict[str, Any], shared: dict[str, str]) -> Use | None:
    """Read one line of a newer session."""
    del shared
    message = _decode(raw)
    if message.session_id:
        state["session"] = message.session_id
    return _use(message, str(state.get("session", "")), str(state.get("project", "")))


def whole(data: bytes, state: dict[str, Any], shared: dict[str, str]) -> Iterator[Use]:
    """Read an older session."""
    del shared
    session = _decode_session(data)
    for message in session.messages:
        use = _use(message, session.session_id or "", str(state.get("project", "")))
        if use is not None:
            yield use


def _use(message: _Message, session: str, where: str) -> Use | None:
    tokens = message.tokens
    if message.type != "gemini" or tokens is None or message.timestamp is None:
        return None
    prompt, output, cached = tokens.input or 0, tokens.output or 0, tokens.cached or 0
    thoughts, tool = tokens.thoughts or 0, tokens.tool or 0
    apart = cached and tokens.total == prompt + output + thoughts + tool + cached
    fresh = prompt if apart else prompt - min(cached, prompt)
    if not (fresh or tool or cached or output or thoughts):
        return None
    return Use(
        f"{session}|{message.id}" if message.id else "",
        message.timestamp,
        "gemini",
        message.model or "unknown",
        where,
        fresh + tool,
        cached,
        0,
        0,
        output,
        thoughts,
        None,
    )
