"""A sitting that only reports what was burnt and what is left: the accounts, without the parts of a turn.

Scripts and status lines ask for reports, and most of the time that a session takes to start goes into turns.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from assistant.errors import ConfigError
from assistant.lazy import made

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from assistant.accounts import Accounts
    from assistant.config import Config, Places
    from assistant.models.client import Client
    from assistant.roster import Roster
    from assistant.standings import Standing


class ReportSession:
    """Reports the accounts of one user, who stands in `folder`; no provider is asked for anything."""

    def __init__(self, folder: Path, *, places: Places, config: Config, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.places = places
        self.config = config
        self.env = env
        self._told: set[str] = set()

    @cached_property
    def accounts(self) -> Accounts:
        """What was burnt and what is left."""
        from assistant.accounts import Accounts

        return Accounts(self.roster, "", places=self.places, config=self.config, client=_nobody, now=self.now)

    @cached_property
    def roster(self) -> Roster:
        """Who would be asked, and who pays."""
        from assistant.roster import Roster

        return Roster(self.places, self.config, self.env, _nobody)

    @property
    def root(self) -> Path:
        """The folder that edits would be written in."""
        from assistant.context.repo import Repo

        return Repo.open(self.folder).root

    def standings(self, *, every: bool = False) -> list[Standing]:
        """Return the plan board; with `every`, of all plans there are."""
        from assistant.standings import board

        return board(self.accounts, self.roster, self.config, self.now(), every=every)

    def now(self) -> datetime:
        """Return the instant, aware UTC."""
        from datetime import UTC, datetime

        return datetime.now(UTC)

    def troubles(self) -> tuple[str, ...]:
        """Return, each once, faults that did not stop anything: in settings, or a ledger that cannot be read."""
        accounts = self.accounts if made(self, "accounts") else None
        books = () if accounts is None or not made(accounts, "ledger") else accounts.ledger.warnings
        logs = (
            ()
            if accounts is None or not made(accounts.other_clients, "imports")
            else accounts.other_clients.imports.warnings
        )
        fresh = tuple(words for words in (*self.config.warnings, *books, *logs) if words not in self._told)
        self._told.update(fresh)
        return fresh


def _nobody() -> Client:
    raise ConfigError("Nobody is asked here.", "`wattson plans --refresh` asks the providers.")
