"""The x-ratelimit headers of OpenAI and of providers with the same ones (Groq, Mistral, Ark, Moonshot, OpenRouter)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.quota.reading import Reading, duration, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "headers"
HOSTS = ("api.openai.com",)


def read(headers: Mapping[str, str], host: str, now: datetime) -> list[Reading]:
    """Read limits of pace; a reset is a length (`1m7.5s`) or an instant."""
    del host
    found = []
    for kind in ("requests", "tokens", ""):
        tail = f"-{kind}" if kind else ""
        limit, left = (
            number(headers.get(f"x-ratelimit-limit{tail}")),
            number(headers.get(f"x-ratelimit-remaining{tail}")),
        )
        if limit is None and left is None:
            continue
        text = headers.get(f"x-ratelimit-reset{tail}", "")
        plain = number(text)
        wait = None if plain is not None and plain > 10**8 else duration(text)
        found.append(
            Reading(
                f"{kind or 'requests'} pace", "headers", now, unit=kind or "requests", limit=limit, remaining=left,
                used=limit - left if limit is not None and left is not None else None,
                resets_at=now + wait if wait is not None else moment(text),
                raw=raw({key: value for key, value in headers.items() if key.startswith("x-ratelimit")}),
            )
        )  # fmt: skip
    return found
