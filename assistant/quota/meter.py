"""What is left of a plan: readings and our own burn merged into one estimate for each meter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

MeterState = Literal["open", "not_started", "exhausted", "unknown", "not_in_plan"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One meter of one plan as it stands at an instant.

    `used`, `low`, `high`, `limit` and `remaining` are in the meter's `unit`; None is unknown, which is not zero.
    `start` and `end` bound the window (half open, aware UTC), None where it has none or has not begun. `source` is who
    says so ("provider", "headers", "ledger", "you"), `age_s` how old that word is. `foreign` is burn by other clients.
    """

    plan: str
    meter: str
    unit: str
    state: MeterState
    used: Decimal | None
    limit: Decimal | Literal["unlimited"] | None
    remaining: Decimal | None
    start: datetime | None
    end: datetime | None
    resets_at: datetime | None
    source: str
    age_s: int
    foreign: Decimal
    low: Decimal | None
    high: Decimal | None

    @property
    def share(self) -> float | None:
        """Used part of the limit, 0 to 1 and beyond; None where either is unknown or there is no limit."""
        if self.used is None or self.limit is None or isinstance(self.limit, str) or not self.limit:
            return None
        return float(self.used / self.limit)
