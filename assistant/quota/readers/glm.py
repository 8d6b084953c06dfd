"""GLM coding plans (Z.ai and BigModel): the quota endpoint. Its `usage` is the limit, `currentValue` what is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.errors import Auth, ProviderError
from assistant.quota.reading import QuotaCall, Reading, bearer, beside, moment, number, raw, window_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("z.ai", "bigmodel.cn")
_MINUTES = {3: 60, 4: 1440, 5: 43_200, 6: 10_080}
_KEY_REFUSED = (401, 1000, 1001, 1002, 1003, 1004)
_UNITS = {"CREDIT_LIMIT": "credits", "TOKENS_LIMIT": "tokens"}


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for the quota of a plan key."""
    ends = ("/api/coding/paas/v4", "/api/paas/v4", "/api/anthropic")
    return QuotaCall(beside(base_url, "/api/monitor/usage/quota/limit", below=ends), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read every limit; the percent is truncated, so used and limit are preferred. Unknown types are kept raw.

    Failures come with HTTP 200. Raises Auth if the key is rejected, ProviderError for anything else.
    """
    del host
    if body.get("success") is False:
        code = number(body.get("code"))
        if code in _KEY_REFUSED:
            raise Auth("GLM does not accept this key for its plan.", "Use the key of the coding plan.", provider="glm")
        raise ProviderError(
            f"GLM does not tell the quota (code {raw(body.get('code'))}).", "Try again later.", provider="glm"
        )
    data = body.get("data")
    limits = data.get("limits") if isinstance(data, dict) else None
    return [_one(each, now) for each in limits if isinstance(each, dict)] if isinstance(limits, list) else []


def _one(limit: Mapping[str, Any], now: datetime) -> Reading:
    kind, unit, count = limit.get("type"), limit.get("unit"), number(limit.get("number"))
    minutes = (
        int(_MINUTES[unit] * count)
        if isinstance(unit, int) and unit in _MINUTES and count is not None and 0 < count < 1000
        else None
    )
    used, cap = number(limit.get("currentValue")), number(limit.get("usage"))
    percent = number(limit.get("percentage"))
    kind = str(kind)
    tools = kind == "TIME_LIMIT"
    known = (tools or kind in _UNITS) and minutes is not None
    return Reading(
        "mcp month" if tools else window_name(minutes) if known else f"{kind} {window_name(minutes)}", "endpoint", now,
        unit="calls" if tools else _UNITS.get(str(kind), "") if cap is not None else "percent",
        used=used, limit=cap, remaining=number(limit.get("remaining")), percent=percent, rounding="truncated",
        resets_at=moment(limit.get("nextResetTime")), minutes=minutes, feature="mcp" if tools else "",
        mapped=known,
        status="exhausted" if (percent or 0) >= 100 else "ok" if percent is not None or cap else "unknown", raw=raw(limit),
    )  # fmt: skip
