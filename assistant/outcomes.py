"""What became of the edits that models wrote, noted in the ledger: how many fitted, and what the user took of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from assistant import events
    from assistant.edits.patch import Patch
    from assistant.edits.review import Review
    from assistant.quota.ledger import Ledger


class Outcomes:
    """Notes the outcomes of one sitting. Both functions write to the ledger: call them in a thread."""

    def __init__(self, ledger: Callable[[], Ledger], session: str, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._session = session
        self._now = now

    def tried(self, ended: events.TurnEnded, project: str, *, at_once: bool) -> None:
        """Note the outcome of a reply with edits: `at_once` if all of it fitted without a repair."""
        from assistant.quota.entry import Outcome

        provider, _, model = ended.writer.partition("/")
        hunks = len(ended.patch.hunks) if ended.patch is not None else 0
        self._ledger().record(
            Outcome(self._now(), self._session, ended.turn, provider, model, project, tries=1,
                    first_tries=int(at_once and not ended.misfits), misfits=len(ended.misfits), proposed=hunks)
        )  # fmt: skip

    def decided(self, turn: int, writer: str, project: str, review: Review, kept: Patch) -> None:
        """Note what the user took and skipped of the hunks of `writer` (`provider/model`), if a model wrote them."""
        from assistant.quota.entry import Outcome

        if not writer:
            return
        provider, _, model = writer.partition("/")
        self._ledger().record(
            Outcome(self._now(), self._session, turn, provider, model, project, taken=len(review.taken),
                    skipped=len(review.skipped), edited=len(review.edited), lines=kept.added + kept.removed)
        )  # fmt: skip
