"""Asks sellers for the exact cost of answers whose cost we only estimated: they stopped, or broke off, too early.

Their usage had not come yet. A seller can be asked if its page has the flag `generation`, which says where. It knows
the cost a while after the answer has ended; until then it is asked again after each turn, for an hour. Any other reply
leaves the estimate as it is.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from assistant.errors import ProviderError
from assistant.models import chat_counts
from assistant.models.shape import table
from assistant.models.wire import HttpCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from assistant.models.catalogue import Pick
    from assistant.models.client import Client
    from assistant.models.provider import Provider
    from assistant.tokens import Cost, TokenUsage

_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")
"""An answer's id that may stand in an address as it is."""
_WAIT_S = 3.0
"""How long, in seconds, the end of a turn may wait for a receipt."""
_LAST = timedelta(hours=1)
_MOST = 20
"""The most answers that may wait for a receipt, the latest ones."""


class Owed(NamedTuple):
    """A model call settled by estimate: its `entry` in the ledger, what was booked, and the `id` of its answer.

    `session` and `turn` say which turn it belongs to, `at` when it was settled.
    """

    entry: str
    id: str
    pick: Pick
    key: str
    session: str
    turn: int
    usage: TokenUsage
    cost: Cost
    at: datetime


class Receipt(NamedTuple):
    """What the seller says of a call: usage (ours where it counts none), US dollars paid, and the source of both."""

    owed: Owed
    usage: TokenUsage
    paid: Decimal
    note: str


def told_in(headers: Mapping[str, str], provider: Provider) -> str:
    """Return the id of an answer from its headers (lower-case names); empty where the seller names none there."""
    return headers.get(str(provider.flags.get("generation_header", "")).lower(), "")


class Receipts:
    """The calls of one sitting whose exact cost the seller will tell."""

    def __init__(self, client: Callable[[], Client], now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._owed: list[Owed] = []

    def owe(self, owed: Owed) -> None:
        """Note a call whose cost is to be asked for, if its seller can be asked. Safe in a thread."""
        if owed.pick.provider.flags.get("generation") and _ID.fullmatch(owed.id):
            self._owed = [*self._owed[1 - _MOST :], owed]

    async def ask(self) -> list[Receipt]:
        """Ask once for each waiting call; a call that its seller does not know yet, or cannot be asked about, waits on.

        Never raises for what the seller does.
        """
        owed, self._owed = self._owed, []
        found = await asyncio.gather(*map(self._one, owed))
        return [each for each in found if each is not None]

    async def _one(self, owed: Owed) -> Receipt | None:
        provider = owed.pick.provider
        url = f"{provider.base_url.rstrip('/')}{provider.flags['generation']}?id={owed.id}"
        headers = {**provider.headers, "authorization": f"Bearer {owed.key}", "accept": "application/json"}
        try:
            status, _, body = await self._client().fetch(HttpCall("GET", url, headers, b""), provider, _WAIT_S)
        except ProviderError:
            status, body = 0, b""
        if status != 200:
            if (status in {0, 404, 408, 429} or status >= 500) and self._now() - owed.at < _LAST:
                self._owed.append(owed)
            return None
        return _read(owed, body)


def _read(owed: Owed, body: bytes) -> Receipt | None:
    try:
        data = table(table(json.loads(body)).get("data"))
    except (ValueError, RecursionError):
        return None
    told = chat_counts.receipt(data) if data.get("id", owed.id) == owed.id else None
    if told is None or told.reported_cost is None:
        return None
    note = f"{owed.pick.provider.name} generation {owed.id}"
    if data.get("is_byok") is True and (upstream := chat_counts.cost({"cost": data.get("upstream_inference_cost")})):
        note += f"; the own key behind it: {upstream} upstream"
    return Receipt(owed, told.usage if told.usage.exact else owed.usage, told.reported_cost, note)
