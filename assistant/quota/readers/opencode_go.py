"""OpenCode Go: dollars of five hours, week and month. Keys are guessed by meaning: they are not documented."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assistant.quota.reading import QuotaCall, Reading, bearer, beside, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

FROM = "body"
HOSTS = ("opencode.ai",)
_WINDOWS = (
    ("5 hours", 300, ("rolling", "5h", "five_hour", "fivehour", "hour")),
    ("week", 10_080, ("week",)),
    ("month", None, ("month",)),
)


_RESETS = ("resetsAt", "resetAt", "resets_at", "reset_at")


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for the usage of a key."""
    return QuotaCall(beside(base_url, "/zen/go/v1/usage", below=("/zen/go/v1", "/zen/go")), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read everything told about each window; unknown windows are kept raw."""
    del host
    inner = body.get("usage", body.get("data", body))
    found = []
    for name, said in inner.items() if isinstance(inner, dict) else ():
        if not isinstance(said, dict):
            continue
        word = name.lower()
        window = next((each for each in _WINDOWS if any(part in word for part in each[2])), None)
        used, limit = _first(said, ("used", "usage", "cost")), _first(said, ("limit", "total", "cap"))
        percent = _first(said, ("usagePercent", "used_percent", "percent"))
        resets_at = moment(next((said[key] for key in _RESETS if said.get(key)), None))
        wait = _first(said, ("resetInSec", "reset_in_sec", "reset_after_seconds"))
        if resets_at is None and wait is not None and 0 <= wait < 10**8:
            resets_at = now + timedelta(seconds=float(wait))
        if used is None and percent is None:
            continue
        found.append(
            Reading(
                window[0] if window else name, "endpoint", now, unit="money" if used is not None else "percent", currency="USD",
                used=used, limit=limit, remaining=_first(said, ("remaining",)), percent=percent, resets_at=resets_at,
                minutes=window[1] if window else None, mapped=window is not None, raw=raw({name: said}),
                rounding="exact" if percent is None or percent % 1 else "rounded",
                status="exhausted" if said.get("status") == "rate-limited" or (percent or 0) >= 100 else "ok",
            )
        )  # fmt: skip
    return found


def _first(said: Mapping[str, Any], names: Iterable[str]) -> Decimal | None:
    return next((found for name in names if (found := number(said.get(name))) is not None), None)
