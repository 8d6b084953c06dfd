"""What other clients on this machine burnt, from their own logs: read when the user says so, shown as others' burn.

Their files are only read. What they burnt is never booked as ours; where a log holds the limits of a plan, they are a
reading like any other.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import discover

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from assistant.quota.gather import Imported
    from assistant.quota.history import Row
    from assistant.quota.imports import Imports
    from assistant.quota.sources import Sources

_CODEX_PLANS = {"plus": "chatgpt-plus", "pro": "chatgpt-pro-200", "prolite": "chatgpt-pro-100"}


class Elsewhere:
    """The burn of other clients. `data` is the folder of our own files."""

    def __init__(self, data: Path) -> None:
        self._path = data / "imports.sqlite"

    @cached_property
    def imports(self) -> Imports:
        """The sums of their logs."""
        from assistant.quota.imports import Imports

        return Imports(self._path, zone=None)  # days are those of the user

    def clients(self) -> list[str]:
        """Name the clients whose logs can be read."""
        return [part.CLIENT for part in discover.parts("assistant.quota.importers")]

    def take_in(
        self,
        sources: Sources,
        env: Mapping[str, str],
        clients: Sequence[str] = (),
        folders: Sequence[Path] = (),
        plans: Sequence[str] = (),
    ) -> list[Imported]:
        """Read what is new in the logs of the clients named, or of all that are here; in `folders` where they lie elsewhere.

        `plans` are those that the user's config names: limits in a log belong to one of them where they can.
        """
        home = Path(env.get("HOME") or env.get("USERPROFILE") or Path.home())
        found = self.imports.run(env, home, clients, folders)
        for each in found:
            if each.client == "codex" and each.limits and each.limits_at is not None:
                self._limits(sources, each, plans)
        return found

    def _limits(self, sources: Sources, found: Imported, plans: Sequence[str]) -> None:
        from dataclasses import replace

        from assistant.quota.reading import from_body, parsed

        limits = parsed(found.limits)
        if found.limits_at is None or not isinstance(limits, dict):
            return
        said = from_body({"rate_limits": limits}, "chatgpt.com", found.limits_at, "codex")
        mine = next((name for name in plans if name.startswith("chatgpt-")), "")
        plan = mine or _CODEX_PLANS.get(str(limits.get("plan_type")), "chatgpt-plus")
        if said:
            sources.hear("file:codex", [replace(each, source="file") for each in said], found.limits_at, plan=plan)

    def burnt(self, since: date | None = None, *by: str) -> list[Row]:
        """Return what they burnt, by client and model where nothing else is said; nothing where no log was ever read."""
        from assistant.quota import history

        if not self._path.exists():
            return []
        return history.rows(self.imports.totals(by or ("client", "model"), since=since))

    def close(self) -> None:
        """Let go of the file."""
        if "imports" in self.__dict__:
            self.imports.close()
