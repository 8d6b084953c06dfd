"""What models count: tokens, how many of which kind, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

CostStatus = Literal["metered", "reported", "included", "free", "unknown"]


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Disjoint token counts of one or several requests.

    `cache_write` is split by how long the provider keeps it; `cache_write_long` is what is kept an hour or more.
    `exact` is False while any count is our own estimate.
    """

    fresh_input: int = 0
    cache_read: int = 0
    cache_write_short: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0
    exact: bool = True

    @property
    def cache_write(self) -> int:
        """Tokens written to the provider's cache, whatever their lifetime."""
        return self.cache_write_short + self.cache_write_long

    @property
    def total_input(self) -> int:
        """All that was sent, cached or not."""
        return self.fresh_input + self.cache_read + self.cache_write

    @property
    def total_output(self) -> int:
        """All that was written, thoughts included."""
        return self.output + self.reasoning

    @property
    def total(self) -> int:
        """Input and output together: what now fills the context window."""
        return self.total_input + self.total_output

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(
            self.fresh_input + other.fresh_input,
            self.cache_read + other.cache_read,
            self.cache_write_short + other.cache_write_short,
            self.cache_write_long + other.cache_write_long,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.exact and other.exact,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost. `amount` is None exactly when `status` is "unknown" or "included"."""

    status: CostStatus
    amount: Decimal | None = None
    currency: str = "USD"


def total_cost(costs: Iterable[Cost]) -> Cost:
    """Add up costs of one currency; one unknown part makes the whole unknown, and nothing at all costs nothing.

    Money outweighs "included", and "included" outweighs "free", so that the sum never hides what is paid.
    """
    parts = list(costs)
    statuses = {cost.status for cost in parts}
    if not parts:
        return Cost("free", Decimal(0))
    if "unknown" in statuses or len({cost.currency for cost in parts if cost.amount}) > 1:
        return Cost("unknown")
    currency = next((cost.currency for cost in parts if cost.amount), parts[0].currency)
    amount = sum((cost.amount for cost in parts if cost.amount is not None), Decimal(0))
    for status in ("metered", "reported"):
        if status in statuses:
            return Cost(status, amount, currency)
    return Cost("included") if "included" in statuses else Cost("free", Decimal(0), currency)
