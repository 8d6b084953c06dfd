"""The ways out of this process: direct, through a proxy, or to the practice model that answers inside it.

httpx's own errors are put into words here too: only this package need know what each of them means.
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
    """Return the way out for each pattern of addresses; "all://" is for those that no other pattern matches.

    `env` is read for proxies and certificates. Raises ConfigError for one that cannot be used.
    """
    straight = _Straight(env)
    found: dict[str, httpx.AsyncBaseTransport | None] = {"all://": straight, practice.ADDRESS: _Practice()}
    for pattern, way in proxy.routes(env).items():
        found[pattern] = _transport(trust.context(env), way) if way else straight
    return found


def _transport(certificates: ssl.SSLContext, way: str | None = None) -> httpx.AsyncHTTPTransport:
    """Make a way out. TCP keep-alive stops a router from forgetting a connection that waits for an answer."""
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

    Certificates are loaded in a thread on the first request over TLS: that takes a tenth of a second, for which a model
    on this machine need not wait. Those that the user names are loaded at once, so that a bad file is reported at once.
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
    """The address of a model inside this process: its answer is a pure function of the question."""

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
    """Return the message of an error, or its name if it has none."""
    return str(error) or type(error).__name__


def broken(error: httpx.HTTPError, provider: Provider) -> errors.StreamBroken:
    """Return the error for a connection that broke in the middle of an answer."""
    return errors.StreamBroken(
        f"{provider.title}: the connection broke in the middle of the answer ({words(error)[:120]}).",
        "What had come is kept; ask again to go on.",
        provider=provider.name,
    )


def unreachable(error: Exception, provider: Provider) -> errors.ProviderError:
    """Return the error that says why nobody answers, and what to check."""
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
