"""Codex: one JSONL file a session under `sessions/`, with counters that only grow, and copies of them.

A `token_count` event carries the session's total and, nearly always, what the last request used. The event is repeated
when only the limits moved; several agents may write their counters into one file by turns; a forked session or a
sub-agent begins its file with its parent's events, at times under new instants. So an event counts by what its last
request used, once for each (line of descent, totals) and once for each (instant, totals); where only a total is given, by
how far it lies above all totals before it, which can never count anything twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from assistant.quota.buckets import Use

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLIENT = "codex"
KINDS = {".jsonl": "lines"}
NEEDLES = (b"token_count", b"turn_context", b"session_meta")


class _Count(msgspec.Struct, gc=False):
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0


class _Info(msgspec.Struct):
    total_token_usage: _Count | None = None
    last_token_usage: _Count | None = None
    model: str | None = None


class _Payload(msgspec.Struct):
    type: str | None = None
    info: _Info | None = None
    rate_limits: msgspec.Raw = msgspec.Raw()
    model: str | None = None
    cwd: str | None = None
    id: str | None = None
    forked_from_id: str | None = None
    source: msgspec.Raw = msgspec.Raw()


class _Line(msgspec.Struct):
    timestamp: str | None = None
    type: str | None = None
    payload: _Payload | None = None


class _Spawn(msgspec.Struct):
    parent_thread_id: str | None = None


class _Subagent(msgspec.Struct):
    thread_spawn: _Spawn | None = None


class _Source(msgspec.Struct):
    subagent: _Subagent | None = None


_decode = msgspec.json.Decoder(_Line).decode
_decode_source = msgspec.json.Decoder(_Source).decode


def places(env: Mapping[str, str], home: Path) -> list[Path]:
    """Say where sessions lie: below `CODEX_HOME`, else `~/.codex`."""
    root = home.joinpath(env["CODEX_HOME"]) if env.get("CODEX_HOME") else home / ".codex"
    return [root / "sessions", root / "archived_sessions"]


def line(raw: bytes, state: dict[str, Any], shared: dict[str, str]) -> Use | None:
    """Read one line; None where nothing was used. Raises msgspec.DecodeError for a torn one.

    `state` keeps a file's session, model, folder and highest totals; `shared` keeps who descends from whom, and the
    newest limits with their instant under `limits` and `limits_at`.
    """
    each = _decode(raw)
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
    if limits not in {b"", b"null"} and each.timestamp > shared.get("limits_at", ""):
        shared["limits"], shared["limits_at"] = limits.decode(), each.timestamp
    if payload.info is None:
        return None
    total, last = payload.info.total_token_usage, payload.info.last_token_usage
    used = _used(total, last, state)
    if used is None or not any(used):
        return None
    known, cached, output, reasoning = used
    totals = "" if total is None else ",".join(map(str, _counts(total)))
    request = ",".join(map(str, used if last is None else _counts(last)))
    return Use(
        f"{state.get('root', '')}|{totals or each.timestamp}|{request}",
        each.timestamp,
        "openai",
        payload.info.model or state.get("model") or "unknown",
        state.get("cwd", ""),
        known - min(cached, known),
        min(cached, known),
        0,
        0,
        output - min(reasoning, output),
        min(reasoning, output),
        None,
        f"{each.timestamp}|{totals}|{request}",
    )


def _begin(payload: _Payload, state: dict[str, Any], shared: dict[str, str]) -> None:
    """Note whose file this is. A second `session_meta` of another id is the parent's, copied."""
    parent = payload.forked_from_id or _parent(payload.source)
    mine = payload.id or ""
    if "session" not in state:
        state["session"] = mine
        state["cwd"] = payload.cwd or ""
    elif mine != state["session"] and state.get("root") == state["session"]:
        parent = mine
    else:
        return
    root = shared.get(f"root:{parent}", parent) if parent else state["session"]
    state["root"] = root
    if parent:
        shared[f"root:{state['session']}"] = root


def _parent(source: msgspec.Raw) -> str:
    if b"thread_spawn" not in bytes(source):
        return ""
    try:
        found = _decode_source(source)
    except msgspec.DecodeError:
        return ""
    spawn = found.subagent.thread_spawn if found.subagent else None
    return (spawn.parent_thread_id or "") if spawn else ""


def _used(total: _Count | None, last: _Count | None, state: dict[str, Any]) -> list[int] | None:
    high = state.get("high") or [0, 0, 0, 0]
    if total is None:
        return None if last is None else _counts(last)
    totals = _counts(total)
    state["high"] = [max(pair) for pair in zip(high, totals, strict=True)]
    if last is None:
        return [max(0, now - before) for now, before in zip(totals, high, strict=True)]
    return [min(pair) for pair in zip(_counts(last), totals, strict=True)]


def _counts(count: _Count) -> list[int]:
    return [count.input_tokens, count.cached_input_tokens, count.output_tokens, count.reasoning_output_tokens]
