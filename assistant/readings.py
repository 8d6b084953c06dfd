"""Quotas as providers report them: read in passing with each answer (Hearing), or asked for (Poller).

Headers and refusals come first, because they cost nothing. A source that must be asked is asked by one process for all,
not more often than it tolerates, not before a Retry-After given to any of them, and never while somebody waits for it.
A key is sent only to the host of its own provider's address.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assistant import discover
from assistant.errors import Auth, OutOfFunds, ProviderError, WindowExhausted
from assistant.models import keys
from assistant.models.wire import HttpCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from assistant.models.client import Client
    from assistant.models.provider import Provider
    from assistant.quota.exhaustion import Signal
    from assistant.quota.reading import Reading
    from assistant.quota.sources import Sources
    from assistant.quota.terms import Plan

_READERS = "assistant.quota.readers"
_SOON = timedelta(seconds=5)


def account(provider: Provider, key: str) -> str:
    """Name an account by its provider and a mark of the key, so that two keys of one provider are never mixed up."""
    return f"{provider.name}:{keys.mark(key)}"


def reader(provider: Provider, plan: Plan | None) -> Any | None:
    """Return the module that can ask for a provider's quota: the plan's, or else one that knows the host; or None."""
    from urllib.parse import urlsplit

    if plan is not None and plan.reader:
        part = discover.part(_READERS, plan.reader)
        return part if hasattr(part, "call") else None
    host = urlsplit(provider.base_url).hostname or ""
    for part in discover.parts(_READERS):
        if hasattr(part, "call") and any(host == each or host.endswith(f".{each}") for each in part.HOSTS):
            return part
    return None


class Hearing:
    """What one answer says about quotas. Nothing is written before `keep`, so that the answer is never delayed.

    `account` names the account of the quota; `signal` is what a refusal means for the plan; `pace` are limits per
    minute or so, which only matter now.
    """

    def __init__(
        self,
        sources: Callable[[], Sources],
        provider: Provider,
        key: str,
        plan: Plan | None,
        *,
        plan_key: bool,
        now: Callable[[], datetime],
    ) -> None:
        self.signal: Signal | None = None
        self.pace: tuple[Reading, ...] = ()
        self._sources = sources
        self._provider = provider
        self.account = account(provider, key)
        self._plan = plan.name if plan is not None else ""
        self._plan_key = plan_key
        self._now = now
        self._heard: list[tuple[str, list[Reading], datetime]] = []

    def answer(self, headers: Mapping[str, str]) -> None:
        """Read the headers of an answer, or what a stream gives instead of them."""
        from urllib.parse import urlsplit

        from assistant.quota.reading import from_headers

        now = self._now()
        found = from_headers(headers, urlsplit(self._provider.base_url).hostname or "", now)
        self.pace = tuple(each for each in found if _passing(each)) or self.pace
        if lasting := [each for each in found if not _passing(each)]:
            self._heard.append(("headers", lasting, now))

    def refusal(self, error: ProviderError) -> None:
        """Read which window a refusal says is used up, and until when; read its headers too."""
        from assistant.quota import exhaustion

        self.answer(error.headers)
        now = self._now()
        signal = exhaustion.classify(
            error.status or 0, error.headers, error.body, base_url=self._provider.base_url, now=now, plan_key=self._plan_key
        )  # fmt: skip
        if isinstance(error, WindowExhausted) and signal.kind in {"none", "transient"}:
            signal = exhaustion.Signal("quota", error.window, error.retry_at, wants_reading=not error.window)
        elif isinstance(error, OutOfFunds) and signal.kind == "none":
            signal = exhaustion.Signal("balance", advice="The balance is used up.")
        self.signal = signal
        if (reading := signal.reading(now)) is not None:
            self._heard.append(("error", [reading], now))

    def keep(self) -> None:
        """Write the readings to the store."""
        heard, self._heard = self._heard, []
        for kind, found, at in heard:
            self._sources().hear(f"{kind}:{self.account}", found, at, plan=self._plan)


def _passing(reading: Reading) -> bool:
    return reading.meter.endswith(" pace") or (reading.minutes is not None and reading.minutes < 60)


@dataclass(frozen=True, slots=True)
class Polled:
    """The result of asking: how many readings, or in `note` why there are none; `next_at` is when to ask again."""

    provider: str
    count: int = 0
    note: str = ""
    next_at: datetime | None = None


class Poller:
    """Asks for quotas: only one process at a time among those that share the store."""

    def __init__(
        self, sources: Callable[[], Sources], client: Callable[[], Client], now: Callable[[], datetime]
    ) -> None:
        self._sources = sources
        self._client = client
        self._now = now

    async def ask(
        self,
        provider: Provider,
        key: str,
        plan: Plan | None,
        *,
        hurry: bool = False,
        resets_at: datetime | None = None,
    ) -> Polled | None:
        """Ask for a provider's quota if that is due; None if no reader can ask.

        `hurry` says that there was a burst of our own burn or that the user wishes it; `resets_at` is the last known
        reset. Both shorten the usual pause to a tenth. A provider's failure raises nothing.
        """
        part = reader(provider, plan)
        if part is None or not key:
            return None
        call = part.call(provider.base_url, key)
        source = f"endpoint:{account(provider, key)}"
        waits = await asyncio.to_thread(self._waits, source, call.every, resets_at, hurry=hurry)
        if waits is not None:
            return Polled(provider.name, next_at=waits)
        try:
            http = HttpCall(call.method, call.url, call.headers, call.body)
            status, headers, body = await self._client().fetch(http, provider)
        except ProviderError as error:
            return await self._failed(provider, source, call.every * 4, {}, error.message)
        return await self._read(provider, plan, source, part, call.every, status, headers, body)

    def _waits(self, source: str, every: timedelta, resets_at: datetime | None, *, hurry: bool) -> datetime | None:
        """Return until when nobody may ask; None if this process may, which then keeps out all others."""
        from assistant.quota.reading import Asked, due, due_at

        now = self._now()
        known = self._sources().poll(source)
        asked = Asked(known.attempted_at, not known.failures, known.retry_at) if known else Asked()
        if not due(asked, now, every=every, resets_at=resets_at, burst=hurry, seed=source):
            return due_at(asked, now, every=every)
        ttl = max(every / 10, _SOON)
        return None if self._sources().lease(source, now, ttl) else now + ttl

    async def _read(
        self,
        provider: Provider,
        plan: Plan | None,
        source: str,
        part: Any,
        every: timedelta,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Polled:
        from urllib.parse import urlsplit

        from assistant.quota.reading import from_body, parsed

        text = body.decode("utf-8", "replace")
        if status != 200:
            words = f"its quota page answers with HTTP {status}"
            return await self._failed(provider, source, every * 4, headers, words)
        now, host = self._now(), urlsplit(provider.base_url).hostname or ""
        try:
            found = from_body(text, host, now, part.__name__.rpartition(".")[2])
        except (Auth, ProviderError) as error:
            return await self._failed(provider, source, every * 4, headers, error.message)
        if not found:
            page = text.lstrip()[:1] == "<" or parsed(text) is None
            words = "a web page, not with figures" if page else "nothing that we can read"
            return await self._failed(provider, source, every * 4, headers, f"its quota page answers with {words}")
        name = plan.name if plan is not None else ""
        await asyncio.to_thread(self._sources().hear, source, found, now, plan=name)
        return Polled(provider.name, len(found), next_at=now + every)

    async def _failed(
        self, provider: Provider, source: str, pause: timedelta, headers: Mapping[str, str], words: str
    ) -> Polled:
        from assistant.quota.reading import LONGEST_RETRY, retry_after

        now = self._now()
        until = max(min(retry_after(headers, now) or now, now + LONGEST_RETRY), now + pause)
        await asyncio.to_thread(self._sources().note_retry, source, until)
        return Polled(provider.name, note=words, next_at=until)
