"""Codex: the usage body of a ChatGPT plan, the same as an event inside a stream, and the text of a refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assistant.quota.reading import Reading, moment, number, raw, window_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("chatgpt.com",)


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read windows by their length. We send no request for this: it comes inside streams, or from the user's own file.

    Limits with a name of their own, such as a single model's, are not windows of the plan.
    """
    del host
    found: list[Reading] = []
    own = body.get("rate_limit", body.get("rate_limits"))
    families: list[tuple[str, Any]] = [(_family(own if isinstance(own, dict) else {}, body), own)]
    families.append(("code review", body.get("code_review_rate_limit")))
    more = body.get("additional_rate_limits")
    named = (
        more.items()
        if isinstance(more, dict)
        else [("other", each) for each in (more if isinstance(more, list) else ())]
    )
    families += [
        (_family(each, {"limit_id": name}), each.get("rate_limit", each))
        for name, each in named
        if isinstance(each, dict)
    ]
    for family, limits in families:
        if not isinstance(limits, dict):
            continue
        found += [
            reading
            for slot in ("primary", "secondary", "primary_window", "secondary_window")
            if isinstance(said := limits.get(slot), dict) and (reading := _one(said, family, now)) is not None
        ]
    credit = body.get("credits")
    if isinstance(credit, dict) and credit.get("has_credits"):
        found.append(
            Reading(
                "credits", "endpoint", now, unit="credits", remaining=number(credit.get("balance")),
                status="unlimited" if credit.get("unlimited") else "ok", raw=raw(credit),
            )
        )  # fmt: skip
    return found


def _family(*told: Mapping[str, Any]) -> str:
    """Name what limits are for; empty for the plan itself, which is called codex or has no name."""
    ids, names = (
        [str(each[key]) for each in told for key in keys if each.get(key)]
        for keys in (("limit_id", "metered_limit_name", "metered_feature"), ("limit_name",))
    )
    if not (ids or names) or (ids or names)[0].casefold() == "codex":
        return ""
    return (names or ids)[0]


def _one(said: Mapping[str, Any], family: str, now: datetime) -> Reading | None:
    percent, seconds = number(said.get("used_percent")), number(said.get("limit_window_seconds"))
    minutes = number(said.get("window_minutes"))
    length = int(minutes) if minutes is not None else int(seconds) // 60 if seconds is not None else None
    if percent is None or length == 0:
        return None
    resets_at = moment(said.get("reset_at", said.get("resets_at")))  # the names in the endpoint's body and in the logs
    after = number(said.get("reset_after_seconds", said.get("resets_in_seconds")))
    if resets_at is None and after is not None and 0 <= after < 10**8:
        resets_at = now + timedelta(seconds=float(after))
    stale = resets_at is not None and resets_at <= now
    return Reading(
        f"{window_name(length)} {family}".strip(), "endpoint", now, unit="percent", percent=percent,
        rounding="exact" if percent % 1 else "rounded", resets_at=None if stale else resets_at, minutes=length,
        mapped=not family, status="unknown" if stale else "exhausted" if percent >= 100 else "ok", raw=raw(said),
    )  # fmt: skip
