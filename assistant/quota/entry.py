"""What stands in the book: a step before it leaves, a step as it stands now, what became of edits, and sums of steps."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from assistant.tokens import Cost, TokenUsage


class Start(NamedTuple):
    """A step before it leaves, with what it is expected to burn.

    `account` tells two subscriptions of one vendor apart.
    """

    at: datetime
    session: str
    turn: int
    step: int
    purpose: str
    project: str
    provider: str
    model: str
    payer: str
    plan: str
    usage_estimate: TokenUsage
    cost_estimate: Cost
    pid: int
    account: str = ""


class Entry(NamedTuple):
    """One step as the book knows it. `state` is "in_flight", "settled", "interrupted" or "failed".

    `steps` is 1; only `Spans.bundles` gives entries that stand for several steps of one model within a quarter of an
    hour, with `at` the first one's instant, and the `prompts` among them. `ended_at` is None while it runs, and where nobody noted it.
    """

    id: str
    state: str
    at: datetime
    session: str
    turn: int
    step: int
    purpose: str
    project: str
    provider: str
    model: str
    served_model: str
    payer: str
    plan: str
    usage: TokenUsage
    cost: Cost
    pid: int
    account: str = ""
    note: str = ""
    steps: int = 1
    prompts: int | None = None
    ended_at: datetime | None = None


class Outcome(NamedTuple):
    """What became of the edits of one turn, or of one decision in it: the counts of a turn's outcomes add up.

    When a reply with edits has been fitted: `tries` 1, `first_tries` 1 if all of it fitted without a repair, `misfits`
    and the number of hunks `proposed`. When the user decides: hunks `taken`, `skipped`, `edited` (before taking), and
    `lines` added or removed by what was taken.
    """

    at: datetime
    session: str
    turn: int
    provider: str
    model: str
    project: str
    tries: int = 0
    first_tries: int = 0
    misfits: int = 0
    proposed: int = 0
    taken: int = 0
    skipped: int = 0
    edited: int = 0
    lines: int = 0


class Total(NamedTuple):
    """Steps that share a key and a kind of cost. `amount` is money in `currency`; it says nothing where the status has none.

    `inexact` counts steps whose usage is an estimate; `failed` and `interrupted` are among `steps`.
    """

    key: tuple[str, ...]
    status: str
    currency: str
    steps: int
    failed: int
    interrupted: int
    inexact: int
    usage: TokenUsage
    amount: Decimal


def as_text(at: datetime) -> str:
    """Write an instant as it stands in the book: in UTC, so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
