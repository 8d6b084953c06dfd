"""When a limit comes back, as providers say it: in headers, in fields of the body, in prose. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_S = 400 * 86_400
_SHANGHAI = timezone(timedelta(hours=8))
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,9})?")
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_SPAN_IN_PROSE = re.compile(
    r"(?:try again|retry|wait|slow down|available again|resets?) (?:in|for|after) (?:about )?"
    r"((?:\d+(?:\.\d+)? ?(?:ms|s|m|h|d)(?:[a-z]*)? ?)+)",
    re.IGNORECASE,
)
_AT_IN_PROSE = re.compile(
    r"resets? (?:at|on) (\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_FIELD_AT = re.compile(r'"(?:resets?_at|resetsAt|reset_time|resetTime|nextResetTime)"\s*:\s*"?([0-9TZ:.+-]{10,40})')
_FIELD_IN = re.compile(r'"(?:resets?_in_seconds|reset_after_seconds)"\s*:\s*"?(\d{1,9})')
_DELAY = re.compile(r'"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d+)?)s"')
_WINDOWS = {"five_hour": "5 hours", "seven_day": "week", 300: "5 hours", 1_440: "day", 10_080: "week", 43_200: "month"}


def when(headers: Mapping[str, str], body: str, now: datetime) -> datetime | None:
    """Return when to ask again: what the headers ask for, else what the body says; None if neither says.

    A time of day without a zone is China's: only Z.ai and BigModel write one. A time in the past counts as unknown.
    """
    value = headers.get("retry-after-ms", "").strip()
    if _NUMBER.fullmatch(value):
        return now + timedelta(milliseconds=min(float(value), _LONGEST_S * 1000))
    value = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(value):
        return now + timedelta(seconds=min(float(value), _LONGEST_S))
    if value:
        try:
            return parsedate_to_datetime(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    for found in _FIELD_AT.finditer(body):
        at = instant(found[1])
        if at is not None and at > now:
            return at
    prose = _AT_IN_PROSE.search(body)
    if prose:
        at = instant(prose[1] + (prose[2] or ""), _SHANGHAI)
        if at is not None and at > now:
            return at
    field = _FIELD_IN.search(body) or _DELAY.search(body)
    if field:
        return now + timedelta(seconds=min(float(field[1]), _LONGEST_S))
    words = _SPAN_IN_PROSE.search(body)
    length = duration(_short(words[1])) if words else None
    return now + length if length is not None else None


def by_limits(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return when limits that are used up come back, from headers that every answer has; None if none is used up."""
    found: list[datetime] = []
    for name, value in headers.items():
        if name.startswith("x-ratelimit-reset") or (
            name.startswith("anthropic-ratelimit-") and name.endswith("-reset")
        ):
            left = headers.get(name.replace("-reset", "-remaining"), "")
            status = headers.get(name.removesuffix("-reset") + "-status", "")
            if left.strip() not in {"0", "0.0"} and status.lower() != "rejected":
                continue
            length = duration(value)
            at = now + length if length is not None else instant(value)
        elif name.startswith("x-codex-") and name.endswith("-reset-at"):
            used = headers.get(name.removesuffix("-reset-at") + "-used-percent", "")
            if not _NUMBER.fullmatch(used) or float(used) < 100:
                continue
            at = instant(value)
        else:
            continue
        if at is not None and at > now:
            found.append(at)
    return max(found, default=None)


def window(headers: Mapping[str, str]) -> str:
    """Return which limit is used up, if headers say so; empty if they do not."""
    claim = headers.get("anthropic-ratelimit-unified-representative-claim", "")
    if headers.get("anthropic-ratelimit-unified-status", "").lower() == "rejected" and claim:
        return _WINDOWS.get(claim, claim)
    for slot in ("primary", "secondary"):
        used = headers.get(f"x-codex-{slot}-used-percent", "")
        minutes = headers.get(f"x-codex-{slot}-window-minutes", "")
        # A slot's name is not its window: a free account has the week in the first.
        if _NUMBER.fullmatch(used) and float(used) >= 100 and minutes.isascii() and minutes.isdigit():
            return _WINDOWS.get(int(minutes), f"{int(minutes) // 60} hours")
    return ""


def instant(text: str, zone: timezone = UTC) -> datetime | None:
    """Read an instant: epoch seconds or milliseconds, or ISO 8601; `zone` applies if the text names none."""
    text = text.strip().rstrip(".,")
    try:
        if _NUMBER.fullmatch(text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC) if number > 1e9 else None
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def duration(text: str) -> timedelta | None:
    """Read a length of time like `12ms`, `1s`, `6m0s`, `1m7.5s`, `2h3m`; a bare number is seconds."""
    text = text.strip().lower()
    if _NUMBER.fullmatch(text):
        return timedelta(seconds=float(text)) if float(text) <= _LONGEST_S else None
    found = _SPAN.fullmatch(text)
    if not text or found is None:
        return None
    days, hours, minutes, seconds, thousandths = (float(part or 0) for part in found.groups())
    length = days * 86_400 + hours * 3_600 + minutes * 60 + seconds + thousandths / 1_000
    return timedelta(seconds=length) if length <= _LONGEST_S else None


def _short(words: str) -> str:
    """Make `6m0s` of "6 minutes 0 seconds"."""
    units = {"mi": "m", "ms": "ms", "se": "s", "ho": "h", "hr": "h", "da": "d"}
    found = re.findall(r"(\d+(?:\.\d+)?) ?([a-z]+)", words.lower())
    return "".join(number + units.get(unit[:2], unit[:1]) for number, unit in found)


def span(length: timedelta) -> str:
    """Say a length of time in few words."""
    seconds = max(1, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7_200:
        return f"{round(seconds / 60)} min"
    return (
        f"{seconds // 3_600} h {seconds % 3_600 // 60} min" if seconds < 172_800 else f"{round(seconds / 86_400)} days"
    )
