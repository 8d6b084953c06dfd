"""DeepSeek: the balance, one for each currency; granted money is spent before paid money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import QuotaCall, Reading, bearer, beside, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("api.deepseek.com",)


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for the balance."""
    return QuotaCall(beside(base_url, "/user/balance", below=("/v1", "/beta", "/anthropic")), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read the balance of each currency; they are never added up."""
    del host
    infos = body.get("balance_infos")
    found = []
    for each in infos if isinstance(infos, list) else ():
        total = number(each.get("total_balance")) if isinstance(each, dict) else None
        if total is None:
            continue
        parts = {name: number(each.get(f"{name}_balance")) for name in ("granted", "topped_up")}
        found.append(
            Reading(
                "balance", "endpoint", now, unit="money", remaining=total, currency=str(each.get("currency", "")),
                parts={name: part for name, part in parts.items() if part is not None},
                status="ok" if total > 0 else "exhausted", raw=raw(each),
            )
        )  # fmt: skip
    return found
