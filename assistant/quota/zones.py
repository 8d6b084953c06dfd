"""Time zones by name."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import cache


@cache
def clock_of(name: str) -> tzinfo:
    """Return a zone. Raises OSError, ValueError or LookupError if there is no such zone.

    UTC needs no zone table, which takes some hundredths of a second to find.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
