"""Errors inside an answer, as a wire sees them: it knows the body, but neither the status nor the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant.errors import ProviderError, StreamBroken
from assistant.models.failure import classify
from assistant.models.shape import table

if TYPE_CHECKING:
    from assistant.models.provider import Provider

_read = json.JSONDecoder().raw_decode  # half the cost of json.loads, which looks for blanks around the value
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""A wire's "now": a `retry_at` on that day is a time to wait, which the client adds to its own clock."""


def reported(body: Any, provider: Provider, status: int | None = None) -> ProviderError:
    """Return the error that a stream reports; `body` is its JSON value.

    Many providers put the HTTP status that they could no longer send into the body, as a number or as text; it counts.
    """
    if status is None:
        inner = table(body).get("error")
        code = table(inner).get("code", table(body).get("code"))
        if isinstance(code, str) and code.isascii() and code.isdigit():
            code = int(code)
        if isinstance(code, int) and 400 <= code < 600:
            status = code
    return classify(status, {}, json.dumps(body), provider=provider, now=EPOCH)


def cut(provider: Provider) -> StreamBroken:
    """Return the error for an answer that has no end."""
    return StreamBroken(
        f"{provider.title}: the answer stopped before its end.",
        "What had come is kept; ask again to go on.",
        provider=provider.name,
    )


def read(data: str, provider: Provider) -> Any:
    """Read the JSON of one event; raises StreamBroken."""
    try:
        value, end = _read(data)
        return value if end == len(data) else json.loads(data)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(data)  # this takes blanks before it, too
    except (ValueError, RecursionError) as error:
        raise StreamBroken(
            f"{provider.title} sent something that is not JSON.", "Ask again.", provider=provider.name
        ) from error
