"""Codex's headers: their windows are named by slot, ours by length; a free account has its week in the first slot."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from assistant.quota.reading import Reading, moment, number, raw, truth, window_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "headers"
HOSTS = ("chatgpt.com", "api.openai.com")
_WINDOW = re.compile(r"x-codex-(?:(.+)-)?(primary|secondary)-used-percent")


def read(headers: Mapping[str, str], host: str, now: datetime) -> list[Reading]:
    """Read all families of windows, and the credits. A window of 0 minutes does not exist."""
    del host
    found = []
    for name in headers:
        match = _WINDOW.fullmatch(name)
        if match is None:
            continue
        stem = name.removesuffix("-used-percent")
        minutes = number(headers.get(f"{stem}-window-minutes"))
        percent = number(headers[name])
        if percent is None or minutes == 0:
            continue
        resets_at = moment(headers.get(f"{stem}-reset-at"))
        after = number(headers.get(f"{stem}-reset-after-seconds"))
        if resets_at is None and after is not None and 0 <= after < 10**8:
            resets_at = now + timedelta(seconds=float(after))
        family = headers.get(f"x-codex-{match[1]}-limit-name", match[1]) if match[1] else ""
        length = int(minutes) if minutes is not None else None
        stale = resets_at is not None and resets_at <= now
        found.append(
            Reading(
                f"{window_name(length)} {family}".strip(), "headers", now, unit="percent", percent=percent,
                rounding="exact" if percent % 1 else "rounded", resets_at=None if stale else resets_at, minutes=length,
                status="unknown" if stale else "exhausted" if percent >= 100 else "ok", mapped=not family,
                raw=raw({key: value for key, value in headers.items() if key.startswith(stem)}),
            )
        )  # fmt: skip
    if "x-codex-credits-has-credits" in headers and truth(headers["x-codex-credits-has-credits"]):
        unlimited = truth(headers.get("x-codex-credits-unlimited", ""))
        found.append(
            Reading(
                "credits", "headers", now, unit="credits", remaining=number(headers.get("x-codex-credits-balance")),
                status="unlimited" if unlimited else "ok",
                raw=raw({key: value for key, value in headers.items() if key.startswith("x-codex-credits")}),
            )
        )  # fmt: skip
    return found
