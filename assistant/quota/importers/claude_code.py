"""Claude Code: one JSONL file a session under `projects/`, a line for each block of a reply, each with the reply's usage.

A reply of three blocks is three lines with one message id, and while it streams the first of them may carry a smaller
count of output: the largest counts. A resumed or forked session copies lines into a new file. A request that was really
sent twice has two request ids and counts twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from assistant.quota.buckets import Row

CLIENT = "claude-code"
KINDS = {".jsonl": "lines"}
NEEDLES = (b'"output_tokens"',)


class _CacheCreation(msgspec.Struct, gc=False):
    ephemeral_1h_input_tokens: int | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


class _Line(msgspec.Struct, gc=False, rename="camel"):
    timestamp: str | None = None
    request_id: str | None = None
    cwd: str | None = None
    cost_usd: float | None = msgspec.field(default=None, name="costUSD")
    message: _Message | None = None


_decode = msgspec.json.Decoder(_Line).decode_lines


def places(env: Mapping[str, str], home: Path) -> list[Path]:
    """Say where sessions lie: `CLAUDE_CONFIG_DIR` (several, by comma), else the two usual folders."""
    own = [part.strip() for part in env.get("CLAUDE_CONFIG_DIR", "").split(",") if part.strip()]
    roots = [home.joinpath(part) for part in own] or [home / ".claude", home / ".config" / "claude"]
    return [root / "projects" for root in roots]


def lines(data: bytes, uses: dict[str, Row], told: Container[str]) -> list[Row]:
    """Read whole lines at once into `uses`, by key; returns those that have no key, or one that is in `uses` or `told`.

    Raises msgspec.DecodeError, and leaves `uses` as they were, when a line is torn or odd.
    """
    again: list[Row] = []
    for each in _decode(data):
        message, at = each.message, each.timestamp
        if message is None or at is None:
            continue
        usage = message.usage
        if usage is None:
            continue
        fresh, read, output = usage.input_tokens or 0, usage.cache_read_input_tokens or 0, usage.output_tokens or 0
        short, long, lifetimes = usage.cache_creation_input_tokens or 0, 0, usage.cache_creation
        if lifetimes is not None and lifetimes.ephemeral_1h_input_tokens:
            long = min(short, lifetimes.ephemeral_1h_input_tokens)
            short -= long
        if fresh or output or read or short or long:
            key = f"{message.id}|{each.request_id}" if message.id else ""
            amount = None if each.cost_usd is None else Decimal(str(each.cost_usd))
            model, folder = message.model or "unknown", each.cwd or ""
            row = (key, at, "anthropic", model, folder, fresh, read, short, long, output, 0, amount, "")
            if key in uses or key in told or not key:
                again.append(row)
            else:
                uses[key] = row
    return again


def line(raw: bytes, state: dict[str, Any], shared: dict[str, str]) -> Row | None:
    """Read one line; None where nothing was used. Raises msgspec.DecodeError for a torn one."""
    del state, shared
    found: dict[str, Row] = {}
    again = lines(raw, found, ())
    return next(iter((*found.values(), *again)), None)
