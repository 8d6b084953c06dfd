"""Moonshot's platform: the available balance, with vouchers and cash; cash may be below zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import QuotaCall, Reading, bearer, beside, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("moonshot.ai", "moonshot.cn")


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for the balance."""
    return QuotaCall(beside(base_url, "/v1/users/me/balance", below=("/v1", "/anthropic")), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read the balance: dollars on the international host, yuan on the Chinese one."""
    data = body.get("data")
    total = number(data.get("available_balance")) if isinstance(data, dict) else None
    if total is None or not isinstance(data, dict):
        return []
    parts = {name: number(data.get(f"{name}_balance")) for name in ("voucher", "cash")}
    return [
        Reading(
            "balance", "endpoint", now, unit="money", remaining=total, currency="CNY" if host.endswith(".cn") else "USD",
            parts={name: part for name, part in parts.items() if part is not None},
            status="ok" if total > 0 else "exhausted", raw=raw(data),
        )
    ]  # fmt: skip
