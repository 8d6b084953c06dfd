"""How a question that waits for a plan to reset is offered again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assistant.quota.caps import Hold, WayOut
    from assistant.record import HeldQuestion


def offer(
    question: HeldQuestion, now: datetime, held: Hold | None = None, *, asks: str = "", others: Sequence[WayOut] = ()
) -> Hold:
    """Offer a question again.

    If a limit would still hold it, that limit's ways out (`held`) are offered; else it can be sent, or wait until its
    time comes. `asks` is the model that is asked now: if it is another one, the offer says so. `others` are models that
    could go on meanwhile.
    """
    from assistant.quota import wording
    from assistant.quota.caps import Hold, WayOut

    text, model, since, until = question
    if held is None:
        over = until <= now
        left = f"it was to wait until {wording.clock(until, now)} (in {wording.countdown(until, now)})"
        ways = (WayOut("wait", at=until),) if over else (*others, WayOut("once"), WayOut("wait", at=until))
        held = Hold("nothing holds it any more." if over else f"{left}.", ways, until)
    other = f" It would go to {asks}, who is asked now." if asks not in {"", model} else ""
    why = f"A question to {model} waits since {wording.clock(since, now)}: {held.why}{other}\n\n{text}"
    return replace(held, why=why, text=text)
