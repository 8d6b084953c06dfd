"""A balance bought and granted in lots: the lot that expires soonest is spent first, and expired lots are lost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.quota.terms import Lot

_NEVER = datetime.max.replace(tzinfo=UTC)


class Purse:
    """The lots of one balance as they are spent, in order of time."""

    def __init__(self, lots: tuple[Lot, ...]) -> None:
        self.lots = lots
        self._left = [lot.amount for lot in lots]
        self._overdrawn = Decimal(0)

    def spend(self, amount: Decimal, at: datetime) -> None:
        """Take from the lots that are valid at an instant; what they cannot cover is owed."""
        for index in sorted(range(len(self.lots)), key=lambda each: self.lots[each].expires_at or _NEVER):
            if _there(self.lots[index], at):
                taken = min(amount, self._left[index])
                self._left[index] -= taken
                amount -= taken
        self._overdrawn += amount

    def left(self, at: datetime) -> Decimal:
        """Return what can be spent at an instant; below 0 if more was spent than there was."""
        there = (left for left, lot in zip(self._left, self.lots, strict=True) if _there(lot, at))
        return sum(there, Decimal(0)) - self._overdrawn


def _there(lot: Lot, at: datetime) -> bool:
    return (lot.bought_at is None or lot.bought_at <= at) and (lot.expires_at is None or at < lot.expires_at)
