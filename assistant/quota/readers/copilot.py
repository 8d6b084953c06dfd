"""GitHub Copilot: the snapshots of its user endpoint, each an entitlement for a calendar month in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import Reading, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("api.github.com",)
_KNOWN = {"premium_interactions": "month", "ai_credits": "month", "credits": "month"}


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read the snapshots; chat and completions are counted apart; unknown ones stay raw."""
    del host
    resets_at = moment(body.get("quota_reset_date_utc", body.get("quota_reset_date")))
    snapshots = body.get("quota_snapshots")
    found = []
    for name, each in (snapshots if isinstance(snapshots, dict) else {}).items():
        if not isinstance(each, dict):
            continue
        limit, left = number(each.get("entitlement")), number(each.get("remaining"))
        rest = number(each.get("percent_remaining"))
        unlimited = each.get("unlimited") is True
        found.append(
            Reading(
                _KNOWN.get(str(name), str(name)), "endpoint", now, unit="credits" if "credit" in name else "requests",
                limit="unlimited" if unlimited else limit, remaining=None if unlimited else left,
                used=limit - left if limit is not None and left is not None and not unlimited else None,
                percent=100 - rest if rest is not None and not unlimited else None,
                resets_at=resets_at if resets_at is not None and resets_at > now else None, mapped=name in _KNOWN,
                status="unlimited" if unlimited else "exhausted" if left is not None and left <= 0 else "ok", raw=raw({name: each}),
            )
        )  # fmt: skip
    return found
