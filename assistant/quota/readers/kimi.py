"""Kimi Code: the usages endpoint, in its newer shape of ratios and its older one of counts written as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import QuotaCall, Reading, bearer, beside, moment, number, raw, window_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("kimi.com",)
_SLOTS = {
    "limit_5h": ("5 hours", 300),
    "limit_7d": ("week", 10_080),
    "limit_month_total": ("month", None),
    "limit_month_code": ("month code", None),
}
_UNITS = {"SECOND": 1 / 60, "MINUTE": 1, "HOUR": 60, "DAY": 1440, "WEEK": 10_080}


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for the usages of a plan key."""
    return QuotaCall(beside(base_url, "/coding/v1/usages", below=("/coding/v1", "/coding")), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read either shape. A slot that is missing from the newer one is not in the plan, which is not 0 %."""
    del host
    usages = body.get("usages")
    if isinstance(usages, list):  # a wrapped form has been seen: [{scope, detail, limits}]
        return [reading for each in usages if isinstance(each, dict) for reading in _older(each, now)]
    if isinstance(usages, dict):
        resets = {each.meter: each.resets_at for each in _older(body, now)}  # it may come in both shapes
        newer = [
            each._replace(resets_at=each.resets_at or resets.get(each.meter)) if each.status != "not_in_plan" else each
            for each in _newer(usages, now)
        ]
        return [*newer, *_wallet(body, now)]
    return [*_older(body, now), *_wallet(body, now)]


def _newer(usages: Mapping[str, Any], now: datetime) -> list[Reading]:
    found = []
    for slot in (*_SLOTS, *(each for each in usages if each not in _SLOTS)):
        name, minutes = _SLOTS.get(slot, (slot, None))
        said = usages.get(slot)
        if said is None:
            found.append(Reading(name, "endpoint", now, unit="percent", minutes=minutes, status="not_in_plan"))
            continue
        ratio = number(said.get("used_ratio")) if isinstance(said, dict) else number(said)
        resets_at = moment(said.get("reset_time")) if isinstance(said, dict) else None
        found.append(
            Reading(
                name, "endpoint", now, unit="percent", percent=ratio * 100 if ratio is not None else None, resets_at=resets_at,
                minutes=minutes, mapped=slot in _SLOTS, raw=raw({slot: said}),
                status="unknown" if ratio is None else "exhausted" if ratio >= 1 else "ok",
            )
        )  # fmt: skip
    return found


def _older(body: Mapping[str, Any], now: datetime) -> list[Reading]:
    found = []
    whole = body.get("usage", body.get("detail"))
    if isinstance(whole, dict):
        found.append(_counted("week", 10_080, whole, now))
    limits = body.get("limits")
    for each in limits if isinstance(limits, list) else ():
        window, detail = (each.get("window"), each.get("detail")) if isinstance(each, dict) else (None, None)
        if not isinstance(window, dict) or not isinstance(detail, dict):
            continue
        length = number(window.get("duration"))
        unit = str(window.get("timeUnit", "")).removeprefix("TIME_UNIT_")
        minutes = int(float(length) * _UNITS[unit]) if length is not None and unit in _UNITS else None
        found.append(_counted(window_name(minutes), minutes, detail, now))
    return found


def _counted(name: str, minutes: int | None, said: Mapping[str, Any], now: datetime) -> Reading:
    limit, used, left = (number(said.get(key)) for key in ("limit", "used", "remaining"))
    if used is None and limit is not None and left is not None:
        used = limit - left
    percent = used * 100 / limit if used is not None and limit else None
    return Reading(
        name, "endpoint", now, unit="percent" if limit == 100 else "requests", used=used, limit=limit, remaining=left,
        percent=percent, resets_at=moment(said.get("resetTime")), minutes=minutes, mapped=minutes is not None,
        status="unknown" if percent is None else "exhausted" if percent >= 100 else "ok", raw=raw(said),
    )  # fmt: skip


def _wallet(body: Mapping[str, Any], now: datetime) -> list[Reading]:
    wallet = body.get("boosterWallet")
    balance = wallet.get("balance") if isinstance(wallet, dict) else None
    if not isinstance(balance, dict) or number(balance.get("amountLeft")) is None:
        return []
    limit, left = number(balance.get("amount")), number(balance.get("amountLeft"))
    return [
        Reading("booster", "endpoint", now, unit="credits", limit=limit, remaining=left, mapped=False, raw=raw(wallet))
    ]
