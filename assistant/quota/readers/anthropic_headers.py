"""Anthropic's headers: limits of an API key, and the unified windows in answers to plan traffic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.quota.reading import Reading, moment, number, raw, window_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "headers"
HOSTS = ("api.anthropic.com",)
_UNIFIED = re.compile(r"anthropic-ratelimit-unified-(\w+)-utilization")
_KEY = re.compile(r"anthropic-ratelimit-((?:input-|output-)?tokens|requests)-limit")
_SPAN = re.compile(r"(\d+)([hd])")


def read(headers: Mapping[str, str], host: str, now: datetime) -> list[Reading]:
    """Read the headers: a utilization is 0 to 1, a reset Unix seconds, a key's reset RFC 3339."""
    del host
    found = []
    for name in headers:
        if (match := _UNIFIED.fullmatch(name)) is not None:
            found.append(_unified(headers, match[1], now))
        elif (match := _KEY.fullmatch(name)) is not None:
            stem = name.removesuffix("-limit")
            resets_at = moment(headers.get(f"{stem}-reset"))
            limit, left = number(headers[name]), number(headers.get(f"{stem}-remaining"))
            found.append(
                Reading(
                    f"{match[1].replace('-', ' ')} per minute", "headers", now,
                    unit="requests" if match[1] == "requests" else "tokens",
                    used=limit - left if limit is not None and left is not None else None, limit=limit, remaining=left,
                    resets_at=resets_at, minutes=1, raw=raw({key: headers[key] for key in headers if key.startswith(stem)}),
                )
            )  # fmt: skip
    return found


def _unified(headers: Mapping[str, str], slot: str, now: datetime) -> Reading:
    stem = f"anthropic-ratelimit-unified-{slot}"
    share = number(headers[f"{stem}-utilization"])
    resets_at = moment(headers.get(f"{stem}-reset"))
    length, _, scope = slot.partition("_")
    span = _SPAN.fullmatch(length)
    minutes = int(span[1]) * (60 if span[2] == "h" else 1440) if span is not None else None
    name = window_name(minutes) if minutes else slot
    rejected = headers.get(f"{stem}-status", "") == "rejected"
    stale = resets_at is not None and resets_at <= now
    return Reading(
        f"{name} {scope}".strip(), "headers", now, unit="percent", percent=share * 100 if share is not None else None,
        resets_at=None if stale else resets_at, minutes=minutes, mapped=span is not None and not scope,
        status="unknown" if stale or share is None else "exhausted" if rejected else "ok",
        raw=raw({key: value for key, value in headers.items() if key.startswith(stem)}),
    )  # fmt: skip
