"""Why a request was not read from the provider's cache although the one before it began alike."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from assistant import tokens

if TYPE_CHECKING:
    from datetime import datetime

    from assistant.models.wire import Request
    from assistant.tokens import TokenUsage

_LEAST = 2_048
"""Tokens that must be alike before it is worth a remark: providers cache nothing below 1,024 to 4,096."""
_SHORT, _LONG = timedelta(minutes=5), timedelta(hours=1)


class Sent(NamedTuple):
    """A request, when it left, and what was reported of it."""

    request: Request
    at: datetime
    usage: TokenUsage


def why(before: Sent, now: Sent, *, long_lived: bool = False) -> str:
    """Say why less than half of what the cache could hold was read from it; empty if it was, or if nobody knows.

    `long_lived` says that the provider was asked to keep it for an hour instead of some minutes.
    """
    model, usage = now.request.model, now.usage
    if before.request.model.name != model.name or "cache" not in model.abilities or not usage.exact:
        return ""
    # most was read; else both requests are counted, in the caller's thread
    if 2 * usage.cache_read >= usage.total_input:
        return ""
    old, new = ([*each.request.system, *(message.text for message in each.request.messages)] for each in (before, now))
    same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    alike = sum(map(tokens.count, new[:same]))
    # What comes before the last question stays from turn to turn; the question itself loses its context afterwards.
    stays = sum(map(tokens.count, old[: max(0, len(old) - 1)]))
    if max(alike, stays) < _LEAST or 2 * usage.cache_read >= stays:
        return ""
    if 2 * alike < stays:
        if same < len(now.request.system):
            return "the instructions changed"
        if same == len(now.request.system):
            return "what every question shows first changed (rules, pinned files, the beginning of the conversation)"
        return "the conversation was shortened or changed"
    lasts = _LONG if long_lived else _SHORT
    if now.at - before.at > lasts:
        minutes = int((now.at - before.at).total_seconds() // 60)
        return (
            f"the last question was {minutes} minutes ago, and it is kept for about {int(lasts.total_seconds() // 60)}"
        )
    return "the provider had it no longer, or keeps it elsewhere"
