"""Claude Code's status line: what Claude's own program passes to a command of the user's, which is a sanctioned output.

Claude's plans may be shown here but not used: their terms keep sign-ins inside Claude's own programs. Recordings of the
endpoint that those programs ask have the same shape and can be replayed; we never ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.quota.reading import Reading, moment, number, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FROM = "body"
HOSTS = ("claude.ai", "api.anthropic.com")
_SLOTS = {"five_hour": ("5 hours", 300), "seven_day": ("week", 10_080)}


def read(body: Mapping[str, Any], host: str, now: datetime) -> list[Reading]:
    """Read `rate_limits` of the status line, or the same windows at the top level; a percent is 0 to 100."""
    del host
    limits = body.get("rate_limits", body)
    found = []
    for slot, said in limits.items() if isinstance(limits, dict) else ():
        percent = number(said.get("used_percentage", said.get("utilization"))) if isinstance(said, dict) else None
        if percent is None:
            continue
        name, minutes = _SLOTS.get(slot, (slot.replace("_", " "), None))
        resets_at = moment(said.get("resets_at"))
        stale = resets_at is not None and resets_at <= now
        found.append(
            Reading(
                name, "file", now, unit="percent", percent=percent, rounding="exact" if percent % 1 else "rounded",
                resets_at=None if stale else resets_at, minutes=minutes, mapped=slot in _SLOTS,
                status="unknown" if stale else "exhausted" if percent >= 100 else "ok", raw=raw({slot: said}),
            )
        )  # fmt: skip
    scoped = body.get("limits")
    for each in scoped if isinstance(scoped, list) else ():
        percent = number(each.get("percent")) if isinstance(each, dict) else None
        if percent is None:
            continue
        scope = each.get("scope")
        model = scope.get("model") if isinstance(scope, dict) else None
        model = model if isinstance(model, dict) else {}
        name = str(model.get("display_name", each.get("kind", "")))
        found.append(
            Reading(
                f"week {name}".strip(), "file", now, unit="percent", percent=percent, rounding="rounded", minutes=10_080,
                resets_at=moment(each.get("resets_at")), models=(f"*{name.lower()}*",) if model else (), raw=raw(each),
                mapped=bool(model), status="exhausted" if percent >= 100 else "ok",
            )
        )  # fmt: skip
    return found
