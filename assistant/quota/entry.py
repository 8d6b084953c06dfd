"""The records of the ledger: a step before it is sent, a step as it stands, the outcome of edits, and sums of steps."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from assistant.tokens import Cost, TokenUsage


class Start(NamedTuple):
    """A step before it is sent, with its expected burn.

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
    """One step in the ledger. `state` is "in_flight", "settled", "interrupted" or "failed".

    `steps` is 1; only `Spans.bundles` returns entries that stand for several steps of one model within a quarter of an
    hour, with `at` the instant of the first and `prompts` the prompts among them. `ended_at` is None while a step runs,
    and if it was not recorded.
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

    After a reply with edits: `tries` is 1, `first_tries` is 1 if all of it fitted without a repair, then `misfits` and
    the number of hunks `proposed`. After the user's decision: hunks `taken`, `skipped`, `edited` (before taking), and
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
    """Steps that share a key and a kind of cost. `amount` is money in `currency`, if the status has money.

    `inexact` counts steps whose usage is an estimate; `failed` and `interrupted` are included in `steps`.
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
    """Write an instant as it is stored in the ledger: in UTC, so that texts sort by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
