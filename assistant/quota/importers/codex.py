"""Codex: one JSONL file per session under `sessions/`, with counters that only grow, and copies of them.

A `token_count` event has the session's total and, nearly always, the usage of the last request. The event is repeated
when only the limits changed; several agents may write their counters into one file in turn; a forked session or a
sub-agent begins its file with its parent's events, sometimes with new instants. So an event counts the usage of its
last request, once for each (line of descent, totals) and once for each (instant, totals). If only a total is given, it
counts by how far it exceeds all totals before it, which can never count anything twice.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.quota.buckets import Use
from assistant.quota.shape import reader, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CLIENT = "codex"
KINDS = {".jsonl": "lines"}
NEEDLES = (b"token_count", b"turn_context", b"session_meta")
_LIMIT_ID = re.compile(rb'"limit_id"\s*:\s*"(\w{1,64})"')

_TOKENS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")


@cache
def _decoder() -> Callable[[bytes | str], Any]:
    from msgspec import Raw

    count = shape("Count", dict.fromkeys(_TOKENS, (int, 0)))
    info = shape("Info", {"total_token_usage": count, "last_token_usage": count, "model": str})
    raw = (Raw, Raw())
    payload = shape(
        "Payload",
        {
            "type": str, "info": info, "rate_limits": raw, "model": str, "cwd": str, "id": str, "forked_from_id": str,
            "source": raw, "model_provider": str,
        },
    )  # fmt: skip
    return reader(shape("Line", {"timestamp": str, "type": str, "payload": payload}))


@cache
def _source_decoder() -> Callable[[bytes | str], Any]:
    spawn = shape("Spawn", {"parent_thread_id": str})
    return reader(shape("Source", {"subagent": shape("Subagent", {"thread_spawn": spawn})}))


def places(env: Mapping[str, str], home: Path) -> list[Path]:
    """Return the folders of sessions: below `CODEX_HOME`, else `~/.codex`."""
    root = home.joinpath(env["CODEX_HOME"]) if env.get("CODEX_HOME") else home / ".codex"
    return [root / "sessions", root / "archived_sessions"]


def line(raw: bytes, state: dict[str, Any], shared: dict[str, str]) -> Use | None:
    """Read one line; None if nothing was used. Raises msgspec.DecodeError if it is torn.

    `state` keeps a file's session and its parent, provider, model, folder and highest totals. `shared` keeps each session's
    parent, and the newest limits with their instant under `limits` and `limits_at`; for limits other than the plan's
    own, with their name behind a colon.
    """
    each = _decoder()(raw)
    payload = each.payload
    if payload is None:
        return None
    if each.type == "session_meta":
        _begin(payload, state, shared)
        return None
    if each.type == "turn_context":
        state["model"] = payload.model or state.get("model", "")
        state["cwd"] = payload.cwd or state.get("cwd", "")
        return None
    if payload.type != "token_count" or each.timestamp is None:
        return None
    limits = bytes(payload.rate_limits)
    if limits not in {b"", b"null"}:
        named = _LIMIT_ID.search(limits)
        whose = f":{named[1].decode()}" if named is not None and named[1] != b"codex" else ""
        if each.timestamp > shared.get(f"limits_at{whose}", ""):
            shared[f"limits{whose}"], shared[f"limits_at{whose}"] = limits.decode(), each.timestamp
    if payload.info is None:
        return None
    total, last = payload.info.total_token_usage, payload.info.last_token_usage
    used = _used(total, last, state)
    if used is None or not any(used):
        return None
    known, cached, output, reasoning = used
    totals = "" if total is None else ",".join(map(str, _counts(total)))
    request = ",".join(map(str, used if last is None else _counts(last)))
    names = [f"{session}|{totals or each.timestamp}|{request}" for session in _descent(state, shared)]
    names.append(f"{each.timestamp}|{totals}|{request}")
    return Use(
        names[0],
        "",
        each.timestamp,
        state.get("provider", "openai"),
        payload.info.model or state.get("model") or "unknown",
        state.get("cwd", ""),
        known - min(cached, known),
        min(cached, known),
        0,
        0,
        output - min(reasoning, output),
        min(reasoning, output),
        None,
        tuple(names[1:]),
    )


def _begin(payload: Any, state: dict[str, Any], shared: dict[str, str]) -> None:
    """Note the session of this file. A second `session_meta` with another id is the parent's, copied."""
    mine = payload.id or ""
    if "session" not in state:
        state["session"] = mine
        state["cwd"] = payload.cwd or ""
        if payload.model_provider:  # older ones name none
            state["provider"] = payload.model_provider
        parent = payload.forked_from_id or _parent(payload.source)
    else:
        parent = mine if mine != state["session"] and not state.get("parent") else ""
    if parent:
        state["parent"] = parent
        if state["session"]:
            shared[f"parent:{state['session']}"] = parent


def _descent(state: dict[str, Any], shared: dict[str, str]) -> list[str]:
    """Name a file's session and its ancestors, as far as they are known by now.

    An ancestor's file may be read later. Its own events then share a name with the events copied from it.
    """
    found: list[str] = []
    each = state.get("session", "")
    parent = state.get("parent", "")
    while each and each not in found:
        found.append(each)
        each, parent = parent or shared.get(f"parent:{each}", ""), ""
    return found


def _parent(source: Any) -> str:
    if b"thread_spawn" not in bytes(source):
        return ""
    import msgspec

    try:
        found = _source_decoder()(source)
    except msgspec.DecodeError:
        return ""
    spawn = found.subagent.thread_spawn if found.subagent else None
    return (spawn.parent_thread_id or "") if spawn else ""


def _used(total: Any, last: Any, state: dict[str, Any]) -> list[int] | None:
    high = state.get("high") or [0, 0, 0, 0]
    if total is None:
        return None if last is None else _counts(last)
    totals = _counts(total)
    state["high"] = [max(pair) for pair in zip(high, totals, strict=True)]
    if last is None:
        return [max(0, now - before) for now, before in zip(totals, high, strict=True)]
    return [min(pair) for pair in zip(_counts(last), totals, strict=True)]


def _counts(count: Any) -> list[int]:
    return [getattr(count, name) for name in _TOKENS]
