"""What a refusal says about a plan: which window is used up and until when, or that it is about something else. Pure.

A status alone says little: quota comes as 403 and 402, pace as 402 and 429, a wrong address as 429. What is certain is
read from the body, by vendor; this module never concludes that a key is wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from assistant.quota.reading import SOME, SOME_LONG, Reading, moment, number, raw, retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["transient", "quota", "balance", "address", "client_refused", "plan", "none"]


@dataclass(frozen=True, slots=True)
class Signal:
    """What a refusal means.

    `kind`: "transient" (wait `until` or a short while), "quota" (`window` is used up `until`; wait or switch, do not
    retry), "balance" (the money is gone), "address" (a plan key at an address that does not accept it),
    "client_refused" (the plan's terms exclude this program), "plan" (expired, or the model is not in it), "none"
    (nothing about plans). `window` is a meter's name, "long" for week or month, or "" if the body does not say. Then
    `wants_reading` asks for a reading, as it does if no reset is told, or if some money may be left. `advice` is a
    sentence for the user.
    """

    kind: Kind
    window: str = ""
    until: datetime | None = None
    advice: str = ""
    wants_reading: bool = False
    said: str = ""

    def reading(self, now: datetime) -> Reading | None:
        """Return this refusal as a reading: a window is used up until its reset, or a balance. None if it says neither.

        A window that is not named is `SOME` or `SOME_LONG`: a meter recognises by the reset whether it is meant.
        """
        if self.kind == "balance" and not self.wants_reading:
            meter = self.window or "balance"
            return Reading(meter, "error", now, remaining=Decimal(0), status="exhausted", raw=self.said)
        if self.kind != "quota":
            return None
        meter = {"": SOME, "long": SOME_LONG}.get(self.window, self.window)
        return Reading(meter, "error", now, status="exhausted", resets_at=self.until, raw=self.said)


_GLM = {
    "1302": "transient", "1303": "transient", "1305": "transient", "1312": "transient", "1308": "5 hours", "1310": "long",
    "1309": "plan", "1311": "plan", "1313": "plan", "1113": "balance",
}  # fmt: skip
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:?\d\d)?")
_ALIBABA = re.compile(r"\b(hour|week|month) allocated quota exceeded", re.IGNORECASE)
_WAIT_OR_SWITCH = "Wait for the reset, or switch to another plan or model."


def classify(
    status: int, headers: Mapping[str, str], body: str, *, base_url: str, now: datetime, plan_key: bool = False
) -> Signal:
    """Return what a refusal means for the plan. `plan_key` says that the key belongs to a plan, not to a balance."""
    lower = {name.lower(): value for name, value in headers.items()}
    error, code, message = _read(body)
    kinds, words = {code, str(error.get("type"))}, message.lower()
    wait = retry_after(lower, now)
    said = raw(error) if error else ""
    signal: Signal | None = None
    if code in _GLM:
        signal = _glm(code, message, base_url, wait, plan_key=plan_key)
    elif "subscription_sharing_usage_limit_exceeded" in kinds:
        signal = Signal("quota", "app cap", moment(error.get("resets_at")), _WAIT_OR_SWITCH)
    elif kinds & {"usage_limit_reached", "usage_not_included"}:
        signal = _codex(error, now)
    elif "(2056)" in message or code == "2056":
        when = _time(message)
        window = "5 hours" if "5-hour" in words or "5 hour" in words else "week" if "week" in words else ""
        hollow = "(0/0" in words
        advice = "This key may have no plan (0 of 0)." if hollow else _WAIT_OR_SWITCH
        signal = Signal("plan" if hollow else "quota", window, when, advice, wants_reading=not window)
    elif code in {"1008", "insufficient_balance"}:
        signal = Signal("balance", advice="The balance is used up.")
    elif (match := _ALIBABA.search(message)) is not None:
        name = {"hour": "5 hours", "week": "week", "month": "month"}[match[1].lower()]
        signal = Signal("quota", name, None, _WAIT_OR_SWITCH)
    elif status == 403 and "coding agents" in words:
        signal = Signal("client_refused", advice="The plan's terms admit listed coding agents only; use another key.")
    elif status in {403, 429} and ("usage limit" in words or "limit for this period" in words):
        window = "week" if "weekly" in words or "7-day" in words else "5 hours" if "5-hour" in words else ""
        # "this billing cycle" may also mean the five hours, so only a reading can tell.
        signal = Signal("quota", window, _time(message) or wait, _WAIT_OR_SWITCH, wants_reading=not window)
    elif lower.get("anthropic-ratelimit-unified-status") == "rejected":
        claim = {"five_hour": "5 hours", "seven_day": "week"}.get(
            lower.get("anthropic-ratelimit-unified-representative-claim", ""), ""
        )
        until = moment(lower.get("anthropic-ratelimit-unified-reset"))
        signal = Signal("quota", claim, until, _WAIT_OR_SWITCH, wants_reading=not claim)
    elif status == 402:
        signal = _payment(error, wait)
    elif status == 403 and (until := moment(_meta(error).get("resets_at"))) is not None:
        signal = Signal("quota", _whose(error) or "budget", until, _WAIT_OR_SWITCH)
    elif status in {429, 503, 529}:
        signal = Signal("transient", until=wait)
    found = signal or Signal("none")
    unsaid = found.kind == "quota" and found.until is None  # it may name the window, but no reset
    return replace(found, said=said, wants_reading=found.wants_reading or unsaid)


def _glm(code: str, message: str, base_url: str, wait: datetime | None, *, plan_key: bool) -> Signal:
    match _GLM[code]:
        case "transient":
            return Signal("transient", until=wait)
        case "plan":
            return Signal("plan", advice="The plan has run out, or does not hold this model or this use.")
        case "balance":
            parts = urlsplit(base_url)
            if plan_key and "/coding/" not in parts.path and "/anthropic" not in parts.path:
                right = f"{parts.scheme}://{parts.netloc}/api/coding/paas/v4"
                return Signal(
                    "address", advice=f"A coding plan's key belongs to {right}; this address spends a balance."
                )
            return Signal("balance", advice="The balance is used up.")
        case window:
            return Signal(
                "quota", window, _time(message, "Asia/Shanghai"), _WAIT_OR_SWITCH, wants_reading=window == "long"
            )


def _codex(error: Mapping[str, Any], now: datetime) -> Signal:
    if error.get("type") == "usage_not_included" or error.get("code") == "usage_not_included":
        return Signal("plan", advice="This use is not in the plan.")
    until = moment(error.get("resets_at"))
    seconds = number(error.get("resets_in_seconds"))
    if until is None and seconds is not None and 0 <= seconds < 10**8:
        until = now + timedelta(seconds=float(seconds))
    return Signal("quota", "", until, _WAIT_OR_SWITCH, wants_reading=True)


def _payment(error: Mapping[str, Any], wait: datetime | None) -> Signal:
    if wait is not None:
        return Signal("transient", until=wait, advice="Running requests hold the budget; it comes back as they end.")
    name = _whose(error)
    whose = "The key's own limit" if name else "The balance"
    some_left = "afford" in str(error.get("message", ""))  # too little for this request, but not nothing
    advice = f"{whose} is too low for this." if some_left else f"{whose} is used up."
    return Signal("balance", name, advice=advice, wants_reading=some_left)


def _whose(error: Mapping[str, Any]) -> str:
    """Name the meter of a limit on the key itself; empty if the limit is not the key's."""
    return "key limit" if "key_limit" in str(_meta(error).get("limit_source", "")) else ""


def _meta(error: Mapping[str, Any]) -> Mapping[str, Any]:
    found = error.get("metadata")
    return found if isinstance(found, dict) else {}


def _read(body: str) -> tuple[dict[str, Any], str, str]:
    """Return the inner error, its code as text, and its message."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}, "", body[:2_000]
    if not isinstance(data, dict):
        return {}, "", str(data)[:2_000]
    inner = data.get("error", data.get("base_resp", data))
    if not isinstance(inner, dict):
        return dict(data), str(data.get("code") or ""), str(inner)
    code = inner.get("code", inner.get("status_code", inner.get("type", "")))
    return inner, str(code or ""), str(inner.get("message", inner.get("status_msg", "")))


def _time(message: str, zone: str = "UTC") -> datetime | None:
    """Find an instant in prose; without an offset it is in `zone`."""
    match = _ISO.search(message)
    if match is None:
        return None
    try:
        found = datetime.fromisoformat(match[0])
    except ValueError:
        return None
    return found.astimezone(ZoneInfo("UTC")) if found.tzinfo else moment(found.replace(tzinfo=ZoneInfo(zone)))
