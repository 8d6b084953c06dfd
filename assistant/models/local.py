"""Model servers on this machine, found by asking their usual loopback addresses; nothing else is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant.errors import ProviderError
from assistant.models.provider import Model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assistant.models.catalogue import Catalogue
    from assistant.models.provider import Provider

_WAIT_S = 0.4
_NAMES = ("ollama", "llama-server", "lmstudio")


async def _listens(url: str) -> bool:
    """Say whether anybody listens on a loopback address; cheaper than a request, and nobody else is asked."""
    parts = urlsplit(url)
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        return False
    try:
        async with asyncio.timeout(_WAIT_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    except (OSError, ValueError):
        return False
    writer.close()
    return True


async def probe(get_json: Callable[[], Callable[[str, float], Awaitable[Any]]], catalogue: Catalogue) -> list[Provider]:
    """Return the local providers that answer, with their models.

    `get_json` makes the function that fetches, so that nothing of it is loaded while nobody listens.
    """

    async def ask(name: str) -> Provider | None:
        provider = catalogue.providers.get(name)
        if provider is None or not await _listens(provider.base_url):
            return None
        try:
            data = await get_json()(f"{provider.base_url}/models", _WAIT_S)
        except ProviderError:
            return None  # nobody there
        rows = data.get("data") if isinstance(data, dict) else None
        if not isinstance(rows, list):
            return None
        models = []
        for row in rows:
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                meta = row.get("meta") if isinstance(row.get("meta"), dict) else {}
                window = row.get("max_context_length") or (meta or {}).get("n_ctx") or None
                models.append(Model(name, row["id"], row["id"], window if isinstance(window, int) else None))
        return replace(provider, models=tuple(models))

    return [each for each in await asyncio.gather(*map(ask, _NAMES)) if each is not None]
