"""Synthetic: requests of a subscription. Keys are guessed by meaning; unknown limits stay raw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import QuotaCall, Reading, bearer, beside, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("synthetic.new",)


def call(base_url: str, key: str) -> QuotaCall:
    """Return the request for the quotas of a key."""
    ends = ("/openai/v1", "/anthropic/v1", "/v1", "/v2")
    return QuotaCall(beside(base_url, "/v2/quotas", below=ends), bearer(key))


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read each quota with a limit; only the subscription's own is known to us."""
    del host
    found = []
    for name, said in body.items():
        limit = number(said.get("limit")) if isinstance(said, dict) else None
        if limit is None:
            continue
        used = number(said.get("requests", said.get("used")))
        resets_at = moment(said.get("renewsAt", said.get("resetsAt")))
        found.append(
            Reading(
                "5 hours" if name == "subscription" else name, "endpoint", now, unit="requests", used=used, limit=limit,
                resets_at=resets_at, mapped=name == "subscription", raw=raw({name: said}),
                status="unknown" if used is None else "exhausted" if used >= limit else "ok",
            )
        )  # fmt: skip
    return found
