"""OpenRouter: a key's own limit, the account's balance and the free models' day: three ledgers that are kept apart."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assistant.quota.reading import QuotaCall, Reading, bearer, beside, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("openrouter.ai",)


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request about the key; the account's balance would need a management key."""
    return QuotaCall(beside(base_url, "/api/v1/key", below=("/api/v1", "/api")), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read either body. A key without a limit is unlimited; then only the account binds."""
    del host
    data = body.get("data")
    if not isinstance(data, dict):
        return []
    found = []
    bought, spent = number(data.get("total_credits")), number(data.get("total_usage"))
    if bought is not None and spent is not None:
        found.append(
            Reading(
                "balance", "endpoint", now, unit="money", used=spent, limit=bought, remaining=bought - spent, currency="USD",
                status="ok" if bought > spent else "exhausted", raw=raw(data),
            )
        )  # fmt: skip
    if "limit_remaining" in data or ("limit" in data and "usage" in data):
        limit, left = number(data.get("limit")), number(data.get("limit_remaining"))
        found.append(
            Reading(
                "key limit", "endpoint", now, unit="money", currency="USD", limit="unlimited" if limit is None else limit,
                remaining=left, used=limit - left if limit is not None and left is not None else number(data.get("usage")),
                resets_at=_reset(str(data.get("limit_reset")), now), raw=raw(data),
                status="unlimited" if limit is None else "exhausted" if left is not None and left <= 0 else "ok",
            )
        )  # fmt: skip
    free = data.get("free_model_daily_requests")
    if isinstance(free, dict) and number(free.get("limit")) is not None:
        left = number(free.get("remaining"))
        found.append(
            Reading(
                "free models", "endpoint", now, unit="requests", used=number(free.get("used")), limit=number(free.get("limit")),
                remaining=left, resets_at=_reset("daily", now), models=("*:free",), raw=raw(free), minutes=1440,
                status="exhausted" if left == Decimal(0) else "ok",
            )
        )  # fmt: skip
    budget = data.get("effective_budget")
    left = number(budget.get("remaining_usd")) if isinstance(budget, dict) else None
    if isinstance(budget, dict) and left is not None:
        found.append(
            Reading(
                "budget", "endpoint", now, unit="money", currency="USD", limit=number(budget.get("limit_usd")), remaining=left,
                resets_at=moment(budget.get("resets_at")), raw=raw(budget), status="exhausted" if left <= 0 else "ok",
            )
        )  # fmt: skip
    elif data.get("budgets") == []:
        found.append(Reading("budget", "endpoint", now, unit="money", currency="USD", status="not_in_plan"))
    return found


def _reset(every: str, now: datetime) -> datetime | None:
    """Return the next reset of a day, a week from Monday or a month, all in UTC."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match every:
        case "daily":
            return day + timedelta(days=1)
        case "weekly":
            return day + timedelta(days=7 - day.weekday())
        case "monthly":
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        case _:
            return None
