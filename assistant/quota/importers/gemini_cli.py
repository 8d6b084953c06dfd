"""Gemini CLI: sessions under `tmp/<project>/chats/`, older ones one JSON document, newer ones JSONL with updates.

A message is written again when it grows; the largest counts. `input` includes cached tokens unless the message's own
total says otherwise; `tool` is prompt too.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.quota.buckets import Use
from assistant.quota.shape import reader, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CLIENT = "gemini-cli"
KINDS = {".jsonl": "lines", ".json": "whole"}
NEEDLES = (b'"tokens"', b'"sessionId"')


@cache
def _message() -> Any:
    tokens = shape("Tokens", dict.fromkeys(("input", "output", "cached", "thoughts", "tool", "total"), int))
    texts = dict.fromkeys(("session_id", "id", "timestamp", "type", "model"), str)
    return shape("Message", {**texts, "tokens": tokens}, "camel")


@cache
def _decoder() -> Callable[[bytes | str], Any]:
    return reader(_message())


@cache
def _session_decoder() -> Callable[[bytes | str], Any]:
    return reader(shape("Session", {"session_id": str, "messages": (list[_message()], [])}, "camel"))  # type: ignore[misc] # a type made at runtime


def places(env: Mapping[str, str], home: Path) -> list[Path]:
    """Return the folder of sessions: below `GEMINI_CLI_HOME` or the home folder."""
    root = home.joinpath(env["GEMINI_CLI_HOME"]) if env.get("GEMINI_CLI_HOME") else home
    return [root / ".gemini" / "tmp"]


def wanted(path: str) -> bool:
    """Say whether a file is a session: the folder also has typed prompts, and states of files."""
    return "chats" in Path(path).parts


def project(path: str) -> str:
    """Name the project of a file: the folder above `chats`, a hash or a short name."""
    parts = Path(path).parts
    return parts[parts.index("chats") - 1] if "chats" in parts[1:] else ""


def line(raw: bytes, state: dict[str, Any], shared: dict[str, str]) -> Use | None:
    """Read one line of a newer session."""
    del shared
    message = _decoder()(raw)
    if message.session_id:
        state["session"] = message.session_id
    return _use(message, str(state.get("session", "")), str(state.get("project", "")))


def whole(data: bytes, state: dict[str, Any], shared: dict[str, str]) -> Iterator[Use]:
    """Read an older session."""
    del shared
    session = _session_decoder()(data)
    for message in session.messages:
        use = _use(message, session.session_id or "", str(state.get("project", "")))
        if use is not None:
            yield use


def _use(message: Any, session: str, where: str) -> Use | None:
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
        "",
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
