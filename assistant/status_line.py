"""Keeps the few facts that `wattson usage --line` draws without opening the ledger; `quota.line` draws them."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from assistant.errors import AssistantError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from assistant.models.catalogue import Pick
    from assistant.quota.estimate import Estimate
    from assistant.quota.ledger import Ledger


class StatusLine:
    """Keeps the facts in the folder `data`: a model, what was burnt today, and the meter that binds for the model.

    `binding` returns that meter, None if there is none. `known` finds a model by its name.
    """

    def __init__(
        self,
        data: Path,
        ledger: Callable[[], Ledger],
        binding: Callable[[Pick], Estimate | None],
        known: Callable[[str], Pick | None],
        now: Callable[[], datetime],
    ) -> None:
        self._folder = str(data)
        self._ledger = ledger
        self._binding = binding
        self._known = known
        self._now = now
        self._drawing = Lock()  # many providers are polled at once

    def keep(self, pick: Pick) -> None:
        """Keep the facts about a model; if the ledger cannot be read, they are unknown."""
        from assistant.quota import history, line, wording

        now = self._now()
        today = now.astimezone().date()
        ledger = self._ledger()
        burn = history.whole(history.rows(ledger.sums.totals(("day",), since=today))).cost
        first = self._binding(pick)
        blind = ledger.store.is_blind
        line.keep(
            self._folder,
            model=pick.model.name,
            day=today.isoformat(),
            burn="?" if blind else burn,
            window=first.meter if first else "",
            share=first.share if first and not blind else None,
            resets=first.resets_at.timestamp() if first and first.resets_at and not blind else None,
            at=now.timestamp(),
            state="unknown" if blind else first.state if first else "",
            figure=wording.brief(first) if first and not blind else "",
        )

    def redraw(self, usual: str) -> None:
        """Keep the facts anew for the model that they are about, or the `usual` one: there is a new reading of a plan.

        An update that fails is ignored.
        """
        from assistant.quota import line

        facts = line.read(self._folder)
        pick = self._known(facts["model"] if facts is not None else usual)
        if pick is not None:
            with self._drawing, suppress(AssistantError):
                self.keep(pick)
