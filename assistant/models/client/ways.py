"""The ways out of this process: straight, through a proxy, or to the practice model that answers inside of it.

Here stands too how httpx's own errors are said: which of them means what, only this package need know.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from assistant import errors
from assistant.models import practice, proxy, trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from assistant.models.provider import Provider


def ways(env: Mapping[str, str]) -> dict[str, httpx.AsyncBaseTransport | None]:
    """Return the way out for each pattern of addresses; "all://" is for those that no other pattern names.

    `env` is read for proxies and certificates. Raises ConfigError for one that cannot be used.
    """
    straight = _Straight(env)
    found: dict[str, httpx.AsyncBaseTransport | None] = {"all://": straight, practice.ADDRESS: _Practice()}
    for pattern, way in proxy.routes(env).items():
        found[pattern] = _transport(trust.context(env), way) if way else straight
    return found


def _transport(certificates: ssl.SSLContext, way: str | None = None) -> httpx.AsyncHTTPTransport:
    """Make a way out. Connections are kept alive by TCP, so that a router does not forget one that waits for an answer."""
    options: list[tuple[int, int, int]] = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"  # the name on macOS
    for name, seconds in ((idle, 45), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), seconds))

    try:
        return httpx.AsyncHTTPTransport(verify=certificates, proxy=way, socket_options=options)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        shown = urlsplit(way or "")
        raise errors.ConfigError(
            f"The proxy {shown.scheme}://{shown.hostname} cannot be used: {words(error)}",
            "Set HTTPS_PROXY to an http:// or https:// address.",
        ) from error


class _Straight(httpx.AsyncBaseTransport):
    """The way out without a proxy.

    Trust in certificates is made ready in a thread when somebody first asks over TLS: it takes a tenth of a second, which
    a model on this machine need not wait for. One that cannot be made is said at once.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._plain = _transport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))  # trusts nobody, and is never asked to
        self._secure: httpx.AsyncHTTPTransport | None = None
        self._making = asyncio.Lock()
        if any(env.get(name, "").strip() for name in trust.NAMES):
            self._secure = _transport(trust.context(env))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme != "https":
            return await self._plain.handle_async_request(request)
        async with self._making:
            if self._secure is None:
                self._secure = _transport(await asyncio.to_thread(trust.context, self._env))
        return await self._secure.handle_async_request(request)

    async def aclose(self) -> None:
        await self._plain.aclose()
        if self._secure is not None:
            await self._secure.aclose()


class _Practice(httpx.AsyncBaseTransport):
    """A model's address inside this process: what it answers is a pure function of what it is asked."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Spoken(await request.aread()))


class _Spoken(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for delay_s, data in practice.reply(self._body):
            await asyncio.sleep(delay_s)
            yield data


def words(error: Exception) -> str:
    """Return the words of an error, its name where it has none."""
    return str(error) or type(error).__name__


def broken(error: httpx.HTTPError, provider: Provider) -> errors.StreamBroken:
    """Say that a connection broke while it was answering."""
    return errors.StreamBroken(
        f"{provider.title}: the connection broke in the middle of the answer ({words(error)[:120]}).",
        "What had come is kept; ask again to go on.",
        provider=provider.name,
    )


def unreachable(error: Exception, provider: Provider) -> errors.ProviderError:
    """Say why nobody answers, and what to look at."""
    said = words(error)
    where = f" (from {provider.address_from})" if provider.address_from else ""
    hint = "Check the address and your connection; is the server running?"
    if isinstance(error, httpx.ProxyError):
        hint = "Your proxy refused it: see HTTPS_PROXY and NO_PROXY in your environment."
    elif "CERTIFICATE" in said.upper():
        hint = "If your company reads TLS, name its certificate in SSL_CERT_FILE."
    return errors.Unreachable(
        f"{provider.title} cannot be reached at {provider.base_url}{where}: {said.rstrip('.')}.",
        hint,
        provider=provider.name,
    )
