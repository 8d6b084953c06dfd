"""Money for display: by currency, never added across currencies, with unpriced, included and free steps apart."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from assistant.tokens import money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assistant.tokens import Cost

_NOTHING: Mapping[str, Decimal] = MappingProxyType({})
# The order of spending: grants and vouchers first, paid money last.
_FIRST = ("granted", "voucher", "bonus")


class Tally(NamedTuple):
    """Costs added up. `unpriced`, `included` and `free` count steps; an unknown price never becomes 0."""

    amounts: Mapping[str, Decimal] = _NOTHING
    unpriced: int = 0
    included: int = 0
    free: int = 0

    def __str__(self) -> str:
        return self.words(" in plan")

    def words(self, plan: str = "") -> str:
        """Return the tally in a few words; `plan` follows the number of included steps."""
        words = ["; ".join(money(value, currency) for currency, value in sorted(self.amounts.items()))]
        if self.unpriced and words[0]:
            words[0] += f" + {self.unpriced} unpriced"
        elif self.unpriced and not self.included and not self.free:
            return "n/a"
        elif self.unpriced:
            words[0] = f"{self.unpriced} unpriced"
        if self.included:
            words.append(f"{self.included} included{plan}")
        return "; ".join(filter(None, words)) or ("free" if self.free else "nothing")


def tally(costs: Iterable[Cost]) -> Tally:
    """Add up costs."""
    amounts: dict[str, Decimal] = {}
    counts = dict.fromkeys(("unknown", "included", "free"), 0)
    for cost in costs:
        if cost.status in counts and (cost.status != "free" or not cost.amount):
            counts[cost.status] += 1
        elif cost.amount is not None:
            amounts[cost.currency] = amounts.get(cost.currency, Decimal(0)) + cost.amount
    return Tally(amounts, counts["unknown"], counts["included"], counts["free"])


def spent(parts: Mapping[str, Decimal], cost: Decimal) -> dict[str, Decimal]:
    """Return what is left of a balance's parts after a cost: grants go first, paid money last and maybe below 0."""
    left = dict(parts)
    order = sorted(left, key=lambda name: (name not in _FIRST, name))
    for name in order[:-1]:
        taken = min(cost, max(Decimal(0), left[name]))
        left[name] -= taken
        cost -= taken
    if order:
        left[order[-1]] -= cost
    return left
