"""MiniMax plans: what remains of each interval and week.

In the older shape `usage_count` is what *remains* on the international host and what is *used* on the Chinese one. A
percent, if given, is reliable: it is what remains.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assistant.errors import Auth, OutOfFunds, ProviderError
from assistant.quota.reading import QuotaCall, Reading, bearer, beside, moment, number, raw, window_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("minimax.io", "minimaxi.com")


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for what remains of a subscription."""
    return QuotaCall(beside(base_url, "/v1/token_plan/remains", below=("/v1", "/anthropic")), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read interval and week of every model; errors come with HTTP 200. Raises Auth if the key is rejected."""
    inner = body.get("data")
    if isinstance(inner, dict):  # a wrapped form has been seen
        body = {**body, **inner}
    base = body.get("base_resp")
    code = base.get("status_code") if isinstance(base, dict) else 0
    if code in (1004, 2049):  # a tuple: the code may be anything, also unhashable
        raise Auth("MiniMax does not accept this key for its plan.", "Plan keys begin with sk-cp-.", provider="minimax")
    if code == 1008:
        raise OutOfFunds("MiniMax: no balance.", "Buy credits, or use a plan key.", provider="minimax")
    if code not in (0, None):
        raise ProviderError(f"MiniMax does not tell the quota (code {code}).", "Try again later.", provider="minimax")
    found = []
    remains = body.get("model_remains")
    for each in remains if isinstance(remains, list) else ():
        if isinstance(each, dict):
            for slot, start, end, left in (
                ("current_interval", "start_time", "end_time", "remains_time"),
                ("current_weekly", "weekly_start_time", "weekly_end_time", "weekly_remains_time"),
            ):
                reading = _one(each, slot, moment(each.get(start)), moment(each.get(end)), left, host, now)
                if reading is not None:
                    found.append(reading)
    return found


def _one(
    each: Mapping[str, Any], slot: str, start: datetime | None, end: datetime | None, left: str, host: str, now: datetime
) -> Reading | None:  # fmt: skip
    stated = {key: value for key, value in each.items() if key.startswith(slot)}
    if not stated:
        return None
    total, count = number(each.get(f"{slot}_total_count")), number(each.get(f"{slot}_usage_count"))
    rest, status = number(each.get(f"{slot}_remaining_percent")), number(each.get(f"{slot}_status"))
    weekly = slot == "current_weekly"
    minutes = round((end - start).total_seconds() / 60) if start and end else 10_080 if weekly else 300
    if end is None and (wait := number(each.get(left))) is not None and 0 < wait < 10**11:
        end = now + timedelta(milliseconds=float(wait))
    used = None
    if total and count is not None and rest is None:
        used = count if host.endswith("minimaxi.com") else total - count
    percent = 100 - rest if rest is not None else used * 100 / total if used is not None and total else None
    model = str(each.get("model_name", "general"))
    shared = model == "general" or model.lower().startswith("minimax-m")
    return Reading(
        window_name(minutes) if shared else f"{window_name(minutes)} {model}", "endpoint", now,
        unit="percent" if used is None else "requests", used=used, limit=total if used is not None else None,
        remaining=total - used if used is not None and total is not None else None, percent=percent,
        rounding="exact" if rest is None or rest % 1 else "rounded", resets_at=end, minutes=minutes,
        models=() if shared else (model,), feature="" if shared else model, raw=raw({"model_name": model, **stated}),
        status="unlimited" if status == 3 else "exhausted" if status == 2 or percent == Decimal(100)
        else "ok" if percent is not None else "unknown",
    )  # fmt: skip
