"""The counts of Chat Completions, in all their dialects, made disjoint; and the costs reported with them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from assistant.models.shape import count, table
from assistant.models.wire import UsageChunk
from assistant.tokens import TokenUsage

_TICKS = Decimal(10) ** 10


def timed(timings: dict[str, Any]) -> UsageChunk:
    """Read llama-server's own counts, which come in place of usage if nobody asked for usage."""
    return UsageChunk(
        TokenUsage(
            count(timings.get("prompt_n")), count(timings.get("cache_n")), output=count(timings.get("predicted_n"))
        )
    )


def counted(data: dict[str, Any], *, beside: bool) -> UsageChunk:
    """Make inclusive counts disjoint: cached tokens are part of the prompt, reasoning is part of the completion."""
    details = table(data.get("prompt_tokens_details"))
    sent = count(data.get("prompt_tokens"))
    read = count(details.get("cached_tokens"))
    read = read or count(data.get("prompt_cache_hit_tokens")) or count(data.get("cached_tokens"))
    lives = table(details.get("cache_write_tokens_details"))
    long = count(lives.get("ttl_12h_tokens"))
    names = ("cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens")
    written = next((count(at[name]) for at in (details, data) for name in names if at.get(name)), 0)
    written = max(written, long + count(lives.get("ttl_30m_tokens")))
    # A seller that counts cached tokens beside the prompt reports more of them than the prompt has.
    fresh = sent if read + written > sent else sent - read - written
    output = count(data.get("completion_tokens"))
    details = table(data.get("completion_tokens_details"))
    thought = count(details.get("reasoning_tokens", data.get("reasoning_tokens")))
    total = count(data.get("total_tokens"))
    if total:
        beside = total == sent + output + thought  # some count thoughts beside the completion; the total tells which
    if thought > output:
        beside = True
    visible = output if beside else output - thought
    return UsageChunk(TokenUsage(fresh, read, written - long, long, visible, thought), reported_cost=cost(data))


def receipt(data: dict[str, Any]) -> UsageChunk | None:
    """Read what OpenRouter reports about an answer afterwards; None if it gives no cost.

    Its usage is not exact if it counts only one side, or none. It does not tell cache writes apart.
    """
    paid = cost({"cost": data.get("total_cost")})
    if paid is None:
        return None
    sent, written = data.get("native_tokens_prompt"), data.get("native_tokens_completion")
    if not count(sent) or written is None:
        return UsageChunk(TokenUsage(exact=False), reported_cost=paid)
    counts = {
        "prompt_tokens": sent,
        "prompt_tokens_details": {"cached_tokens": data.get("native_tokens_cached")},
        "completion_tokens": written,
        "completion_tokens_details": {"reasoning_tokens": data.get("native_tokens_reasoning")},
        "cost": paid,
    }
    return counted(counts, beside=False)


def cost(data: dict[str, Any]) -> Decimal | None:
    """Read the cost that a seller reports, in dollars."""
    in_ticks = ticks(data)
    if in_ticks is not None:
        return in_ticks
    if data.get("cost") is None or isinstance(data["cost"], bool):
        return None
    try:
        found = Decimal(str(data["cost"]))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def ticks(data: dict[str, Any]) -> Decimal | None:
    """Read a cost that xAI reports in ticks: ten thousand million make a dollar (docs.x.ai, cost tracking)."""
    found = data.get("cost_in_usd_ticks")
    return Decimal(found) / _TICKS if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
