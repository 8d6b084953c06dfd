"""The one door to the network: sends a call, streams its answer, retries what may be retried, names what went wrong.

httpx is imported when a client is made, which is after the first frame. A key goes to its own provider's address only,
over TLS unless the host is this machine; redirects are not followed, because they would carry the key along.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import ssl
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from assistant import errors
from assistant.models import address, batch
from assistant.models.client import ways
from assistant.models.decode import Decoder
from assistant.models.failure import classify, tells
from assistant.models.inbox import Inbox, Silent
from assistant.models.inflate import Inflater
from assistant.models.redact import redact
from assistant.models.trouble import EPOCH
from assistant.models.wire import HeadersChunk, RetryChunk, StopChunk, UsageChunk, take
from assistant.tokens import TokenUsage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from assistant.models.provider import Provider
    from assistant.models.wire import Chunk, HttpCall, Reader, Request, Wire

_LONGEST_WAIT_S = 60.0
_BODY_SHOWN = 65_536
_LARGEST_JSON = 16_000_000
_ERROR_S = 20.0
_PAUSES = 8
"""How often a provider may pause in one answer and is asked to continue; each time costs a prompt."""
_LAST_BYTES_S = 0.25
"""Seconds to wait for the end of the body once the answer has ended, so that the connection can be used again."""


@dataclass(slots=True)
class _Try:
    """The outcome of one request: `spoke` once words have come, `settled` if it must not be sent again.

    `more` is the call that continues an answer in which the provider paused; `may_go_on` says whether one more is
    allowed.
    """

    spoke: bool = False
    settled: bool = False
    may_go_on: bool = True
    more: HttpCall | None = None


class _Counts:
    """Adds up the counts of an answer that took several requests."""

    def __init__(self) -> None:
        self._before = self._last = TokenUsage()
        self._first = True

    def of(self, chunk: UsageChunk) -> UsageChunk:
        """Return the counts of all requests so far."""
        self._last = chunk.usage
        if self._first:
            return chunk
        return replace(chunk, usage=self._before + chunk.usage, last=chunk.usage)

    def turn(self) -> None:
        """Begin the next request."""
        self._before, self._last, self._first = self._before + self._last, TokenUsage(), False


class Client:
    """Talks to models. Times are in seconds; `sleep` and `now` are given so that a test need not wait.

    `first_byte_s` is how long an answer may take to begin, `idle_s` how long it may pause once it has. `env` is the user's
    environment, read for proxies (HTTPS_PROXY, NO_PROXY ...) and for more certificates (SSL_CERT_FILE, SSL_CERT_DIR).
    Raises ConfigError for a proxy or a certificate file that cannot be used.
    """

    def __init__(
        self,
        *,
        connect_s: float = 10.0,
        first_byte_s: float = 300.0,
        idle_s: float = 120.0,
        retries: int = 3,
        env: Mapping[str, str] = os.environ,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._first_byte_s = first_byte_s
        self._idle_s = idle_s
        self._retries = retries
        self._sleep = sleep
        self._now = now
        mounts = ways.ways(env)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(connect=connect_s, read=None, write=60.0, pool=connect_s),
            transport=mounts["all://"],
            mounts=mounts,
            trust_env=False,
            follow_redirects=False,
            headers={"user-agent": "wattson", "accept-encoding": "identity"},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get_json(self, url: str, timeout_s: float = 5.0, headers: Mapping[str, str] | None = None) -> Any:
        """Fetch a small JSON text. Raises Unreachable or BadEndpoint."""
        return _json(await self.get(url, timeout_s, headers), url)

    async def get(self, url: str, timeout_s: float = 5.0, headers: Mapping[str, str] | None = None) -> bytes:
        """Fetch a small file; with headers, which may hold a key, over TLS only. Raises Unreachable or BadEndpoint."""
        return await self._plain("GET", url, headers or {}, b"", timeout_s)

    async def post_json(self, url: str, body: Any, timeout_s: float = 5.0) -> Any:
        """Send a small JSON text without any key, and read the JSON answer. Raises Unreachable or BadEndpoint."""
        headers = {"content-type": "application/json"}
        return _json(await self._plain("POST", url, headers, json.dumps(body).encode(), timeout_s), url)

    async def _plain(self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> bytes:
        """Send a request that is not for a model; headers that the caller gives may hold a key."""
        address.check(url, url, secret=method == "GET" and bool(headers))
        status, _, found = await self._fetch(method, url, headers, body, timeout_s)
        if status >= 300:
            raise errors.BadEndpoint(f"{redact(url)} answers with HTTP {status}.")
        return found

    async def stream(self, wire: Wire, request: Request, provider: Provider, key: str) -> AsyncGenerator[Chunk, None]:
        """Ask a model. Retries what is safe, and only before the first byte of an answer; waits are chunks too.

        An answer in which the provider pauses is one answer: it is asked to continue, and the counts cover all its
        requests.
        """
        call = wire.call(request, provider, key)
        address.check(call.url, provider.base_url, secret=bool(key), provider=provider.name)
        attempt = pauses = 0
        counts = _Counts()
        while True:
            state = _Try(may_go_on=pauses < _PAUSES)
            try:
                async with aclosing(self._once(call, wire, provider, state)) as batches:
                    async for came in batches:
                        for chunk in came:
                            yield chunk if type(chunk) is not UsageChunk else counts.of(chunk)
            except errors.ProviderError as error:
                self._finish(error, provider, key)
                attempt += 1
                wait_s = None if state.spoke or state.settled else self._wait(error, attempt)
                if wait_s is None:
                    raise
                yield RetryChunk(attempt, wait_s, error)
                await self._sleep(wait_s)
            else:
                if state.more is None:
                    return
                call, attempt, pauses = state.more, 0, pauses + 1
                counts.turn()

    def _finish(self, error: errors.ProviderError, provider: Provider, key: str) -> None:
        """Add what only the client knows, the provider and the time, and take the key out of the words."""
        error.provider = error.provider or provider.name
        if error.retry_at is not None and error.retry_at.year == EPOCH.year:
            error.retry_at = self._now() + (error.retry_at - EPOCH)
        error.message, error.hint = redact(error.message, [key]), redact(error.hint, [key])
        error.args = (error.message,)

    def _wait(self, error: errors.ProviderError, attempt: int) -> float | None:
        """Return the seconds to wait before the next try; None if there is none."""
        if not error.retryable or attempt > self._retries:
            return None
        if error.retry_at is not None:
            asked = (error.retry_at - self._now()).total_seconds()
            return max(0.0, asked) if asked <= _LONGEST_WAIT_S else None
        return min(_LONGEST_WAIT_S, 0.5 * 2.0**attempt) * random.uniform(0.75, 1.25)  # noqa: S311 - only spreads retries

    async def _once(
        self, call: HttpCall, wire: Wire, provider: Provider, state: _Try
    ) -> AsyncGenerator[list[Chunk], None]:
        """Send the call once and yield its answer in batches: what one read brought."""
        try:
            http = self._http.build_request(call.method, call.url, headers=dict(call.headers), content=call.body)
            async with asyncio.timeout(self._first_byte_s):
                answer = await self._http.send(http, stream=True)
        except TimeoutError as error:
            state.settled = True  # the provider may be working on it: asking again would pay twice
            silent = errors.Unreachable(
                f"{provider.title} took the question and said nothing for {self._first_byte_s:.0f} s.",
                "Try again.",
                provider=provider.name,
            )
            silent.taken = True
            raise silent from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise ways.unreachable(error, provider) from error
        try:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if answer.status_code >= 300:
                state.settled = headers.get("x-should-retry", "").lower() == "false"
                raise await self._refused(answer, headers, provider)
            yield [HeadersChunk(headers)]
            async with aclosing(self._read(answer, headers, call, wire, provider, state)) as batches:
                async for came in batches:
                    yield came
        finally:
            await answer.aclose()

    async def _refused(
        self, answer: httpx.Response, headers: Mapping[str, str], provider: Provider
    ) -> errors.ProviderError:
        if 300 <= answer.status_code < 400:
            target = urlsplit(headers.get("location", "")).netloc or "another path"
            return errors.BadEndpoint(
                f"{provider.base_url} sends us on to {target} (HTTP {answer.status_code}), where your key is not sent.",
                "Set the address that answers by itself, or look whether a proxy wants you to log in.",
                provider=provider.name,
                status=answer.status_code,
            )
        body = (await self._body(answer, headers, _BODY_SHOWN)).decode("utf-8", "replace")
        error = classify(answer.status_code, headers, body, provider=provider, now=self._now())
        error.headers, error.body = headers, body
        return error

    async def _read(
        self,
        answer: httpx.Response,
        headers: Mapping[str, str],
        call: HttpCall,
        wire: Wire,
        provider: Provider,
        state: _Try,
    ) -> AsyncGenerator[list[Chunk], None]:
        reader, decoder, inflater = wire.Reader(provider), Decoder(call.framing), _inflater(headers, provider)
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        page = kind in {"text/html", "application/xhtml+xml"}
        begin = b""
        merger = batch.Merger()
        async with Inbox(answer.aiter_raw(), self._first_byte_s, self._now) as inbox:
            while not reader.ended:
                try:
                    data = await inbox.take()
                except Silent as error:
                    raise _silent(error, inbox.limit_s, provider) from error
                except httpx.HTTPError as error:
                    raise ways.broken(error, provider) from error
                came: list[Chunk] = []
                lives = data is None
                try:
                    for piece in inflater.feed(data) if data is not None else (b"",):
                        found = decoder.feed(piece) if data is not None else decoder.close()
                        if not state.spoke and len(begin) < _BODY_SHOWN:
                            begin += piece
                            if page or decoder.look == "page":
                                raise self._page(answer, headers, begin, provider)
                        lives = lives or bool(found)
                        for event in found:
                            if not reader.ended:
                                came += take(reader, event)
                    if data is None or reader.ended:
                        came += self._ended(reader, decoder, headers, begin, provider)
                        if state.may_go_on and hasattr(wire, "go_on"):
                            state.more = wire.go_on(call, reader)
                        if state.more is not None:
                            came = _unfinished(came)
                except errors.ProviderError:
                    if came:
                        state.spoke = state.spoke or batch.speaks(came)
                        yield merger.merge(came, last=True)
                    raise
                state.spoke = state.spoke or batch.speaks(came)
                if lives:
                    inbox.alive(self._idle_s if state.spoke else self._first_byte_s)
                if came:
                    yield merger.merge(came, last=data is None or reader.ended)
                if data is None:
                    return
            # The end of the body follows at once, and then the connection serves the next turn too.
            inbox.alive(_LAST_BYTES_S)
            try:
                while await inbox.take() is not None:
                    pass
            except (Silent, httpx.HTTPError):
                pass  # the answer is whole

    def _page(
        self, answer: httpx.Response, headers: Mapping[str, str], begin: bytes, provider: Provider
    ) -> errors.ProviderError:
        """Return the error that a web page in place of an answer means."""
        words = begin.decode("utf-8", "replace")
        if not words.lstrip().startswith("<"):
            words = f"<html>{words}"
        return classify(answer.status_code, headers, words, provider=provider, now=self._now())

    def _ended(
        self,
        reader: Reader,
        decoder: Decoder,
        headers: Mapping[str, str],
        begin: bytes,
        provider: Provider,
    ) -> list[Chunk]:
        """Close the reader. One JSON text that is no answer is an error in its own words, whatever the status says."""
        try:
            return reader.close()
        except errors.StreamBroken:
            body = begin.decode("utf-8", "replace") if decoder.look == "json" and not reader.ended else ""
            if not tells(headers, body):
                raise
            raise classify(None, headers, body, provider=provider, now=self._now()) from None

    async def _body(self, answer: httpx.Response, headers: Mapping[str, str], most: int) -> bytes:
        """Read a body, not more of it than is needed to understand it."""
        data = bytearray()
        try:
            inflater = Inflater(headers.get("content-encoding", ""))
            async with Inbox(answer.aiter_raw(), min(self._idle_s, _ERROR_S), self._now) as inbox:
                while len(data) < most and (piece := await inbox.take()) is not None:
                    for part in inflater.feed(piece):
                        data += part
                        if len(data) >= most:
                            break
        except (httpx.HTTPError, Silent, errors.ProviderError):
            pass  # what came of the body is enough to classify
        return bytes(data[:most])

    async def _fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a small request and read its whole answer: status, headers, body. Raises Unreachable."""
        try:
            async with asyncio.timeout(timeout_s):
                request = self._http.build_request(method, url, headers=dict(headers), content=body or None)
                answer = await self._http.send(request, stream=True)
                try:
                    found = {name.lower(): value for name, value in answer.headers.items()}
                    return answer.status_code, found, await self._body(answer, found, _LARGEST_JSON)
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise errors.Unreachable(f"{redact(url)} did not answer within {timeout_s:.0f} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise errors.Unreachable(f"{redact(url)} cannot be reached: {ways.words(error)}.") from error

    async def fetch(
        self, call: HttpCall, provider: Provider, timeout_s: float = 10.0
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one small request with a key, once; returns status, headers and body as they are. Raises Unreachable."""
        address.check(call.url, provider.base_url, secret=True, provider=provider.name)
        return await self._fetch(call.method, call.url, call.headers, call.body, timeout_s)


def _unfinished(came: list[Chunk]) -> list[Chunk]:
    """Return the chunks without an end: more follow, with counts of their own."""
    open_ended = [replace(chunk, final=False) if isinstance(chunk, UsageChunk) else chunk for chunk in came]
    return [chunk for chunk in open_ended if not isinstance(chunk, StopChunk)]


def _json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise errors.BadEndpoint(f"{redact(where)} does not answer with JSON.") from error


def _inflater(headers: Mapping[str, str], provider: Provider) -> Inflater:
    try:
        return Inflater(headers.get("content-encoding", ""))
    except errors.BadEndpoint as error:
        error.provider = provider.name
        raise


def _silent(error: Silent, limit_s: float, provider: Provider) -> errors.StreamBroken:
    slept = " while this machine slept" if error.slept else f" for {limit_s:.0f} s"
    return errors.StreamBroken(
        f"{provider.title} fell silent{slept}.", "What had come is kept; ask again to go on.", provider=provider.name
    )
