"""Ollama's cloud: used shares of session, week and month, each 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import QuotaCall, Reading, bearer, beside, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("ollama.com",)
_SLOTS = {"session": ("5 hours", 300), "weekly": ("week", 10_080), "monthly": ("month", None)}


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for the usage of a key."""
    return QuotaCall(beside(base_url, "/api/usage", below=("/api", "/v1")), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read the shares."""
    del host
    limits = body.get("limits")
    found = []
    for slot, said in limits.items() if isinstance(limits, dict) else ():
        share = number(said.get("usage")) if isinstance(said, dict) else None
        if share is None:
            continue
        name, minutes = _SLOTS.get(slot, (slot, None))
        found.append(
            Reading(
                name, "endpoint", now, unit="percent", percent=share * 100, minutes=minutes, mapped=slot in _SLOTS,
                resets_at=moment(said.get("resets_at", said.get("reset_at"))), raw=raw({slot: said}),
                status="exhausted" if share >= 1 else "ok",
            )
        )  # fmt: skip
    return found
