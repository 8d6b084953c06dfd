"""Model servers on this machine, found at their usual loopback addresses and at those that the user has set.

Nothing else is asked, no key is sent, and all of it together takes less than half a second.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from assistant.errors import ProviderError
from assistant.models.provider import Model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assistant.models.catalogue import Catalogue
    from assistant.models.provider import Provider

    Get = Callable[[str, float], Awaitable[Any]]
    Post = Callable[[str, Any, float], Awaitable[Any]]

_WAIT_S = 0.45
"""Seconds to knock at all addresses of a server, and then as many for all that is asked of the one that answers."""
_MOST_MODELS = 200
_MOST_SHOWN = 40
"""Most models whose details are asked for; the others of a larger server have no window."""
_WINDOW_OF_MODEL = re.compile(r"^num_ctx\s+(\d+)\s*$", re.MULTILINE)
_SMALL = 5e9
"""Parameters below which a model writes whole files: in 24 tries, one of 1.5 billion placed 18, but no edit block."""


class Server(NamedTuple):
    """A server that listens: its root address, how to ask it, and the deadline on the loop's clock."""

    name: str
    root: str
    get: Get
    post: Post | None
    until: float

    async def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        """Fetch a JSON object; an empty one if there is none."""
        try:
            async with asyncio.timeout_at(self.until):
                if body is None:
                    found = await self.get(self.root + path, _WAIT_S)
                else:
                    found = await self.post(self.root + path, body, _WAIT_S) if self.post else None
        except (ProviderError, TimeoutError):
            return {}
        return found if isinstance(found, dict) else {}


async def probe(
    get_json: Callable[[], Get], catalogue: Catalogue, post_json: Callable[[], Post] | None = None
) -> list[Provider]:
    """Return the local providers that answer, with their models and the context windows that these really have.

    `get_json` makes the function that fetches, so that nothing is loaded while nobody listens; `post_json` makes the
    one that sends a JSON body (address, body, seconds), without which Ollama's windows stay unknown.
    """

    async def ask(name: str) -> Provider | None:
        provider = catalogue.providers.get(name)
        if provider is None:
            return None
        until = asyncio.get_running_loop().time() + _WAIT_S
        for address in (provider.base_url, *(() if provider.address_from else provider.also_at)):
            if not await _listens(address, until, anywhere=bool(provider.address_from)):
                continue
            root = address.rstrip("/").removesuffix("/v1")
            get, post = get_json(), post_json() if post_json else None
            until = asyncio.get_running_loop().time() + _WAIT_S  # loading our own code is not the server's fault
            models = await _READERS[name](Server(name, root, get, post, until))
            if models is not None:
                return provider._replace(base_url=address, models=tuple(models[:_MOST_MODELS]))
        return None

    return [each for each in await asyncio.gather(*map(ask, _READERS)) if each is not None]


async def _listens(url: str, until: float, *, anywhere: bool) -> bool:
    """Say whether anybody listens at an address, cheaper than by a request. Only loopback, unless the user named it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return False
    if not host or (not anywhere and host not in {"127.0.0.1", "localhost", "::1"}):
        return False
    try:
        async with asyncio.timeout_at(until):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, ValueError):
        return False
    writer.close()
    return True


async def _ollama(server: Server) -> list[Model] | None:
    tags, running = await asyncio.gather(server.ask("/api/tags"), server.ask("/api/ps"))
    if not isinstance(tags.get("models"), list):
        return None
    loaded = {_text(row, "name"): _count(row, "context_length") for row in _rows(running, "models")}
    rows = [row for row in _rows(tags, "models") if _text(row, "name")]
    shown = await asyncio.gather(
        *(server.ask("/api/show", {"model": _text(row, "name")}) for row in rows[:_MOST_SHOWN] if server.post)
    )
    details = dict(zip((_text(row, "name") for row in rows), shown, strict=False))
    models = []
    for row in rows:
        name = _text(row, "name")
        told = details.get(name, {})
        able = told.get("capabilities")
        window, note = loaded.get(name) or _set_window(told), ""
        if window is None:
            window = next(
                (_count(_table(told, "model_info"), key) for key in _table(told, "model_info") if key.endswith(".context_length")),
                None,
            )  # fmt: skip
            note = "This is the window it was trained for; the server may load it with less." if window else ""
        models.append(
            Model(
                server.name,
                name,
                name,
                context_window=window,
                abilities=_abilities(able if isinstance(able, list) else []),
                edit_format=_format(_parameters(_text(_table(row, "details"), "parameter_size"))),
                note=note,
            )
        )
    return models


async def _llama_server(server: Server) -> list[Model] | None:
    listed, props = await asyncio.gather(server.ask("/v1/models"), server.ask("/props"))
    if not isinstance(listed.get("data"), list):
        return None
    real = _count(_table(props, "default_generation_settings"), "n_ctx")
    sees = _table(props, "modalities").get("vision") is True
    models = []
    for row in _rows(listed, "data"):
        meta = _table(row, "meta")
        if _text(row, "id"):
            models.append(
                Model(
                    server.name,
                    _text(row, "id"),
                    _text(row, "id").rpartition("/")[2],
                    context_window=real or _count(meta, "n_ctx") or _count(meta, "n_ctx_train"),
                    abilities=_abilities(["vision"] if sees else []) | {"cache"},
                    edit_format=_format(_count(meta, "n_params")),
                )
            )
    return models


async def _lmstudio(server: Server) -> list[Model] | None:
    newest, older, plain = await asyncio.gather(
        server.ask("/api/v1/models"), server.ask("/api/v0/models"), server.ask("/v1/models")
    )
    models = []
    for row in _rows(newest, "models"):
        instances = _rows(row, "loaded_instances")
        used = next((size for each in instances if (size := _count(_table(each, "config"), "context_length"))), None)
        able = _table(row, "capabilities")
        if _text(row, "key") and "embedding" not in _text(row, "type"):
            models.append(
                Model(
                    server.name,
                    _text(row, "key"),
                    _text(row, "display_name") or _text(row, "key"),
                    context_window=used or _count(row, "max_context_length"),
                    abilities=_abilities(
                        [
                            word
                            for word, sign in (("vision", "vision"), ("tools", "trained_for_tool_use"))
                            if able.get(sign)
                        ]
                    ),
                )
            )
    models += [
        Model(
            server.name,
            _text(row, "id"),
            _text(row, "id"),
            context_window=_count(row, "loaded_context_length") or _count(row, "max_context_length"),
            abilities=_abilities(["vision"] if _text(row, "type") == "vlm" else []),
        )
        for row in ([] if models else _rows(older, "data") or _rows(plain, "data"))
        if _text(row, "id") and "embedding" not in _text(row, "type")
    ]
    return models if models or any("data" in each or "models" in each for each in (newest, older, plain)) else None


async def _vllm(server: Server) -> list[Model] | None:
    listed = await server.ask("/v1/models")
    if not isinstance(listed.get("data"), list):
        return None
    return [
        Model(
            server.name,
            _text(row, "id"),
            _text(row, "id"),
            context_window=_count(row, "max_model_len"),
            abilities=frozenset({"cache"}),
        )
        for row in _rows(listed, "data")
        if _text(row, "id")
    ]


_READERS: dict[str, Callable[[Server], Awaitable[list[Model] | None]]] = {
    "ollama": _ollama,
    "llama-server": _llama_server,
    "lmstudio": _lmstudio,
    "vllm": _vllm,
}


def _set_window(told: dict[str, Any]) -> int | None:
    """Read the window that an Ollama model file sets."""
    found = _WINDOW_OF_MODEL.search(_text(told, "parameters"))
    return int(found[1]) if found and 0 < len(found[1]) < 10 else None


def _abilities(words: list[Any]) -> frozenset[str]:
    known = {"vision": "images", "tools": "tools", "thinking": "thinking"}
    return frozenset(known[word] for word in words if isinstance(word, str) and word in known)


def _parameters(text: str) -> float | None:
    """Read a number of parameters like `1.5B` or `360M`."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,4})?) ?([KMBT])", text.strip(), re.IGNORECASE)
    return float(found[1]) * {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[found[2].upper()] if found else None


def _format(parameters: float | None) -> str:
    return "whole_file" if parameters is not None and parameters < _SMALL else "edit_block"


def _rows(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _table(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _count(value: dict[str, Any], name: str) -> int | None:
    found = value.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
