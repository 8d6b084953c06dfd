"""Claude Code: one JSONL file per session under `projects/`, a line per block of a reply, each with the reply's usage.

A reply of three blocks is three lines with one message id, and while it streams the first of them may have a smaller
output count: the largest counts. A resumed or forked session copies lines into a new file, and the largest may be in
either. A request that was really sent twice has two request ids and counts twice. But a side chain's line with a
message's id repeats a line of the main chain, sometimes with another request id, and is known by its message.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from assistant.quota.counted import MOST
from assistant.quota.shape import lines_reader, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from assistant.quota.buckets import Row

CLIENT = "claude-code"
KINDS = {".jsonl": "lines"}
NEEDLES = (b'"output_tokens"',)

_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
_TEXT, _WHOLE = {str, type(None)}, {int, type(None)}
_LONG = "ephemeral_1h_input_tokens"
_USUAL = "standard", None, ""
"""The log's names for the speed and the service tier that are billed as usual."""


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


_read = json.JSONDecoder(parse_constant=_refuse, strict=False).decode


@cache
def _decoder() -> Callable[[bytes], list[Any]]:
    """Return a decoder of many lines that reads only the fields that matter: a third of the time, once it is loaded."""
    from msgspec import Meta

    count = Annotated[int, Meta(ge=0, le=MOST)]
    lifetimes = shape("CacheCreation", {_LONG: count})
    texts = dict.fromkeys(("service_tier", "speed"), str)
    usage = shape("Usage", {**dict.fromkeys(_COUNTS, count), "cache_creation": lifetimes, **texts})
    message = shape("Message", {"id": str, "model": str, "usage": usage})
    # In the order of a line: each field is searched for from where the last one was found.
    fields = {
        "is_sidechain": bool, "timestamp": str, "cwd": str, "request_id": str, "message": message, "cost_usd": float,
    }  # fmt: skip
    names = {"request_id": "requestId", "cost_usd": "costUSD", "is_sidechain": "isSidechain"}
    return lines_reader(shape("Line", fields, names))


def places(env: Mapping[str, str], home: Path) -> list[Path]:
    """Return the folders of sessions: `CLAUDE_CONFIG_DIR` (several, by comma), else the two usual ones."""
    own = [part.strip() for part in env.get("CLAUDE_CONFIG_DIR", "").split(",") if part.strip()]
    roots = [home.joinpath(part) for part in own] or [home / ".claude", home / ".config" / "claude"]
    return [root / "projects" for root in roots]


def lines(data: bytes, uses: dict[str, Row]) -> list[Row]:
    """Read whole lines into `uses`, by key; return the rows that have no key, or one that is in `uses` already.

    Raises msgspec.DecodeError, and leaves `uses` unchanged, if a line is torn or odd.
    """
    again: list[Row] = []
    for each in _decoder()(data):
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
            key = message.id or ""
            request = None if each.is_sidechain else each.request_id or ""
            amount = None if each.cost_usd is None else Decimal(str(each.cost_usd))
            model, folder = message.model or "unknown", each.cwd or ""
            tier = (
                "" if usage.service_tier in _USUAL and usage.speed in _USUAL else _tier(usage.speed, usage.service_tier)
            )
            row = (key, request, at, "anthropic", model, folder, fresh, read, short, long, output, 0, amount, (), tier)
            if key in uses or not key:
                again.append(row)
            else:
                uses[key] = row
    return again


def line(raw: bytes, state: dict[str, Any], shared: dict[str, str]) -> Row | None:
    """Read one line as `lines` does, but with Python's own JSON; None if nothing was used.

    Raises ValueError if it is torn.
    """
    del state, shared
    each: Any = _read(raw.decode("utf-8", "replace").strip())
    message: Any = each.get("message") if isinstance(each, dict) else None
    usage = message.get("usage") if isinstance(message, dict) else None
    if not isinstance(usage, dict):
        return None
    lifetimes = usage.get("cache_creation")
    counts = [*map(usage.get, _COUNTS), lifetimes.get(_LONG) if isinstance(lifetimes, dict) else lifetimes]
    texts = [each.get("timestamp"), message.get("id"), each.get("requestId"), message.get("model"), each.get("cwd")]
    texts += map(usage.get, ("speed", "service_tier"))
    kinds = _TEXT.issuperset(map(type, texts)) and _WHOLE.issuperset(map(type, counts))
    if texts[0] is None or not kinds:
        return None  # a line of another kind that happens to contain the needle
    at, name, request, model, folder, speed, tier = texts
    fresh, written, read, output, long = [min(max(0, count or 0), MOST) for count in counts]
    if not (fresh or output or read or written):
        return None
    long = min(written, long)
    "".join(filter(None, texts)).encode()  # raises for lone surrogates: no file can store them
    request = None if each.get("isSidechain") is True else request or ""
    return (
        name or "", request, at, "anthropic", model or "unknown", folder or "", fresh, read, written - long, long, output, 0,
        _money(each.get("costUSD")), (), _tier(speed, tier),
    )  # fmt: skip


def _tier(speed: str | None, tier: str | None) -> str:
    """Name the tier that a reply was billed as."""
    return next((each for each in (speed, tier) if each and each not in _USUAL), "")


def _money(cost: Any) -> Decimal | None:
    """Return what a reply cost; None if it is not a number, or too large for a float."""
    try:
        amount = float(cost) if type(cost) in {int, float} else None
    except OverflowError:
        return None
    return None if amount is None or not isfinite(amount) else Decimal(str(amount))
