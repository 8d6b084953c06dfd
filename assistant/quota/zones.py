"""Clocks by the name of a zone."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import cache


@cache
def clock_of(name: str) -> tzinfo:
    """Return a zone's clock. Raises OSError, ValueError or LookupError where there is no such zone.

    UTC needs no table of zones, and to find one takes some hundredths of a second.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
