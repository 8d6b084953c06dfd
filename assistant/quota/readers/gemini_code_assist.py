"""Gemini Code Assist: buckets by model, each with the fraction that remains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import Reading, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("cloudcode-pa.googleapis.com",)


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read the buckets; their length is not given, so each is named by its model."""
    del host
    buckets = body.get("buckets")
    found = []
    for each in buckets if isinstance(buckets, list) else ():
        rest = number(each.get("remainingFraction")) if isinstance(each, dict) else None
        if rest is None:
            continue
        model = str(each.get("modelId", "all"))
        found.append(
            Reading(
                f"day {model}", "endpoint", now, unit="percent", percent=(1 - rest) * 100, models=(model,),
                remaining=None, resets_at=moment(each.get("resetTime")), raw=raw(each),
                status="exhausted" if rest <= 0 else "ok",
            )
        )  # fmt: skip
    return found
