"""A question that waits for a plan to reset: its record in the conversation, and how it is offered again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assistant.quota.caps import Hold, WayOut


@dataclass(frozen=True, slots=True)
class HeldQuestion:
    """A question that waits for a plan to reset. It is kept with the conversation, so that it outlives the program."""

    text: str
    model: str
    since: datetime
    until: datetime

    def record(self) -> dict[str, Any]:
        """Return the question as a record of the conversation."""
        return {
            "kind": "waits", "text": self.text, "model": self.model, "since": self.since.isoformat(),
            "until": self.until.isoformat(),
        }  # fmt: skip

    def hold(self, now: datetime, held: Hold | None = None, *, asks: str = "", others: Sequence[WayOut] = ()) -> Hold:
        """Offer the question again.

        If a limit would still hold it, that limit's ways out (`held`) are offered; else it can be sent, or wait until
        its time comes. `asks` is the model that is asked now: if it is another one, the offer says so. `others` are
        models that could go on meanwhile.
        """
        from assistant.quota import wording
        from assistant.quota.caps import Hold, WayOut

        if held is None:
            over = self.until <= now
            left = f"it was to wait until {wording.clock(self.until, now)} (in {wording.countdown(self.until, now)})"
            ways = (
                (WayOut("wait", at=self.until),) if over else (*others, WayOut("once"), WayOut("wait", at=self.until))
            )
            held = Hold("nothing holds it any more." if over else f"{left}.", ways, self.until)
        other = f" It would go to {asks}, who is asked now." if asks not in {"", self.model} else ""
        why = (
            f"A question to {self.model} waits since {wording.clock(self.since, now)}: {held.why}{other}\n\n{self.text}"
        )
        return replace(held, why=why, text=self.text)


def held_question(records: Iterable[Mapping[str, Any]]) -> HeldQuestion | None:
    """Return the question that waits at the end of a conversation; None where none does, or its record is damaged."""
    last = next((each for each in reversed(list(records)) if each.get("kind") == "waits"), None)
    if last is None or not last.get("text"):
        return None
    try:
        since, until = (datetime.fromisoformat(last[name]) for name in ("since", "until"))
    except (KeyError, TypeError, ValueError):
        return None
    if since.tzinfo is None or until.tzinfo is None:
        return None
    return HeldQuestion(str(last["text"]), str(last.get("model") or "a model"), since, until)
