"""The one door to the network: sends a call, streams its answer, retries what may be retried, names what went wrong.

httpx is imported when a client is made, which is after the first frame. A key goes to its own provider's address only,
over TLS unless the host is this machine; redirects are not followed, because they would carry the key along.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import random
import ssl
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from assistant import errors
from assistant.models import practice
from assistant.models.failure import classify
from assistant.models.sse import LineDecoder, SseDecoder
from assistant.models.wire import HeadersChunk, RetryChunk, WaitingChunk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping

    from assistant.models.provider import Provider
    from assistant.models.wire import Chunk, HttpCall, Request, Wire

_LONGEST_WAIT_S = 60.0
_BODY_SHOWN = 65_536


class Client:
    """Talks to models. Times are in seconds; `sleep` and `now` are given so that a test need not wait."""

    def __init__(
        self,
        *,
        connect_s: float = 10.0,
        first_byte_s: float = 300.0,
        idle_s: float = 120.0,
        retries: int = 3,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._first_byte_s = first_byte_s
        self._idle_s = idle_s
        self._retries = retries
        self._sleep = sleep
        self._now = now
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(connect=connect_s, read=None, write=60.0, pool=connect_s),
            verify=ssl.create_default_context(),
            follow_redirects=False,
            headers={"user-agent": "wattson", "accept-encoding": "identity"},
            mounts={practice.ADDRESS: _Practice()},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get_json(self, url: str, timeout_s: float = 5.0, headers: Mapping[str, str] | None = None) -> Any:
        """Fetch a small JSON text. Raises Unreachable or BadEndpoint."""
        try:
            answer = await self._http.get(url, headers=dict(headers or {}), timeout=timeout_s)
            answer.raise_for_status()
            return answer.json()
        except httpx.HTTPStatusError as error:
            raise errors.BadEndpoint(f"{url} answers with HTTP {error.response.status_code}.") from error
        except ValueError as error:
            raise errors.BadEndpoint(f"{url} does not answer with JSON.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise errors.Unreachable(f"{url} cannot be reached: {str(error) or type(error).__name__}.") from error

    async def stream(self, wire: Wire, request: Request, provider: Provider, key: str) -> AsyncGenerator[Chunk, None]:
        """Ask a model. Retries what is safe, and only before the first byte of an answer; waits are chunks too."""
        call = wire.call(request, provider, key)
        _check_address(call.url, provider, key)
        attempt = 0
        while True:
            try:
                async with aclosing(self._once(call, wire, provider)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except errors.ProviderError as error:
                attempt += 1
                wait_s = self._wait(error, attempt)
                if wait_s is None:
                    raise
                yield RetryChunk(attempt, wait_s, error)
                await self._sleep(wait_s)
            else:
                return

    def _wait(self, error: errors.ProviderError, attempt: int) -> float | None:
        """Say how long to wait before the next try, None where there is none."""
        if not error.retryable or attempt > self._retries or getattr(error, "after_first_byte", False):
            return None
        if error.retry_at is not None:
            asked = (error.retry_at - self._now()).total_seconds()
            return max(0.0, asked) if asked <= _LONGEST_WAIT_S else None
        return min(_LONGEST_WAIT_S, 0.5 * 2.0**attempt) * random.uniform(0.75, 1.25)  # noqa: S311 - only spreads retries

    async def _once(self, call: HttpCall, wire: Wire, provider: Provider) -> AsyncGenerator[Chunk, None]:
        http = self._http.build_request(call.method, call.url, headers=dict(call.headers), content=call.body)
        try:
            async with asyncio.timeout(self._first_byte_s):
                answer = await self._http.send(http, stream=True)
        except TimeoutError as error:
            raise errors.Unreachable(
                f"{provider.title} did not answer within {self._first_byte_s:.0f} s.",
                "Try again.",
                provider=provider.name,
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise _unreachable(error, provider) from error
        try:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if answer.status_code >= 300:
                body = (await self._body(answer)).decode("utf-8", "replace")
                raise classify(answer.status_code, headers, body, provider=provider, now=self._now())
            async with aclosing(self._read(answer, headers, call, wire, provider)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            await answer.aclose()

    async def _read(
        self, answer: httpx.Response, headers: dict[str, str], call: HttpCall, wire: Wire, provider: Provider
    ) -> AsyncGenerator[Chunk, None]:
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if kind in {"text/html", "application/xhtml+xml"}:
            body = (await self._body(answer)).decode("utf-8", "replace")
            raise classify(answer.status_code, headers, body or "<html>", provider=provider, now=self._now())
        yield HeadersChunk(headers)
        if kind == "application/json" and call.framing == "sse":
            async for chunk in self._whole(answer, headers, wire, provider):
                yield chunk
            return
        reader = wire.Reader(provider)
        decoder = SseDecoder() if call.framing == "sse" else LineDecoder()
        spoke = False
        try:
            async for data in self._bytes(answer, provider):
                for event in decoder.feed(data):
                    for chunk in reader.feed(event):
                        spoke = spoke or not isinstance(chunk, WaitingChunk)
                        yield chunk
            for event in decoder.close():
                for chunk in reader.feed(event):
                    yield chunk
            for chunk in reader.close():
                yield chunk
        except errors.ProviderError as error:
            if spoke:
                error.after_first_byte = True  # type: ignore[attr-defined]
            raise

    async def _whole(
        self, answer: httpx.Response, headers: dict[str, str], wire: Wire, provider: Provider
    ) -> AsyncGenerator[Chunk, None]:
        """Read an answer that came as one JSON text although a stream was asked for: an error, or a whole completion."""
        from assistant.models.wire import ServerEvent

        body = (await self._body(answer)).decode("utf-8", "replace")
        try:
            data = json.loads(body)
        except ValueError:
            data = None
        if not isinstance(data, dict) or not (data.get("choices") or data.get("content")):
            raise classify(None, headers, body, provider=provider, now=self._now())
        reader = wire.Reader(provider)
        for chunk in reader.feed(ServerEvent("", body)):
            yield chunk
        for chunk in reader.close():
            yield chunk

    async def _bytes(self, answer: httpx.Response, provider: Provider) -> AsyncIterator[bytes]:
        """Walk the body with a watchdog of our own: silence for too long ends it."""
        body = answer.aiter_raw().__aiter__()
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    data = await anext(body)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise errors.StreamBroken(
                    f"{provider.title} fell silent for {self._idle_s:.0f} s.", "Ask again.", provider=provider.name
                ) from error
            except httpx.HTTPError as error:
                raise errors.StreamBroken(
                    f"{provider.title}: the connection broke in the middle of the answer.",
                    "What had come is kept; ask again to go on.",
                    provider=provider.name,
                ) from error
            yield data

    async def _body(self, answer: httpx.Response) -> bytes:
        """Read the body of an error, not more than is needed to understand it."""
        data = b""
        try:
            async with asyncio.timeout(self._idle_s):
                async for piece in answer.aiter_raw():
                    data += piece
                    if len(data) > _BODY_SHOWN and answer.status_code >= 300:
                        break
        except (httpx.HTTPError, TimeoutError):
            pass  # what came of the body is enough to classify
        return data


def loopback(host: str) -> bool:
    """Say whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_address(url: str, provider: Provider, key: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise errors.BadEndpoint(
            f"{provider.base_url!r} is not an address.", "It begins with https:// and a host.", provider=provider.name
        )
    if parts.scheme == "http" and key and not loopback(host) and url.startswith(practice.ADDRESS) is False:
        raise errors.BadEndpoint(
            f"{provider.base_url} would carry your key unencrypted.", "Use an https:// address.", provider=provider.name
        )


def _unreachable(error: Exception, provider: Provider) -> errors.ProviderError:
    words = str(error) or type(error).__name__
    where = f" (from {provider.address_from})" if provider.address_from else ""
    return errors.Unreachable(
        f"{provider.title} cannot be reached at {provider.base_url}{where}: {words}",
        "Check the address and your connection; is the server running?",
        provider=provider.name,
    )


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


__all__ = ["Client", "loopback"]
