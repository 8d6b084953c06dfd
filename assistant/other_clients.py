"""The burn of other clients on this machine, read from their own logs at the user's request, shown as others' burn.

Their files are only read. Their burn is never booked as ours: it counts in the windows of the plan that pays them, as
others' burn, until a reading of the provider covers it. Limits of a plan that stand in a log become readings like any
other.

Which plan a client burns is told by the user's config (`[plans] claude-code = "claude-max-5x"`), else by the only plan
of its vendor that is named there or has readings, else by the log itself. Burn that was read before its plan was known
is attributed at the next import; burn that has a plan keeps it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.lazy import made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from assistant.quota.entry import Total
    from assistant.quota.gather import Imported
    from assistant.quota.imports import Imports
    from assistant.quota.sources import Sources
    from assistant.quota.tariff import Burn

_VENDORS = {"claude-code": "claude-", "codex": "chatgpt-", "gemini-cli": "google-ai-"}
_CODEX_PLANS = {"plus": "chatgpt-plus", "pro": "chatgpt-pro-200", "prolite": "chatgpt-pro-100"}


class OtherClients:
    """The burn of other clients. `data` is the folder of our own files."""

    def __init__(self, data: Path) -> None:
        self._path = data / "imports.sqlite"

    @cached_property
    def imports(self) -> Imports:
        """The sums of their logs."""
        from assistant.quota.imports import Imports

        return Imports(self._path, zone=None)  # days in the user's zone

    def clients(self) -> list[str]:
        """Name the clients whose logs can be read."""
        from assistant.quota.imports import clients_known

        return clients_known()

    def sellers(self) -> list[str]:
        """Name the clients, and the providers that they ask, for which the user's config may name a plan."""
        from assistant.quota.imports import provider_names

        return [*self.clients(), *provider_names().values()]

    def take_in(
        self,
        sources: Sources,
        env: Mapping[str, str],
        clients: Sequence[str] = (),
        folders: Sequence[Path] = (),
        plans: Mapping[str, str] | None = None,
        sizes_of: Callable[[str, str], tuple[int, ...]] = lambda _provider, _model: (),
    ) -> list[Imported]:
        """Read what is new in the logs of the clients named, or of all that are found; in `folders`, if given.

        `plans` are those that the user's config names, by provider or client; `sizes_of` is as in `Imports.run`.
        """
        home = Path(env.get("HOME") or Path.home())
        named = plans or {}
        heard = sources.plans(since=datetime.min.replace(tzinfo=UTC))

        def plan_of(client: str, provider: str) -> str:
            return _plan(client, provider, named, heard)

        found = self.imports.run(env, home, clients, folders, plan_of, sizes_of)
        for each in found:
            for text, at in each.limits if each.client == "codex" else ():
                self._limits(sources, text, at, plan_of("codex", "openai"))
        heard = sources.plans(since=datetime.min.replace(tzinfo=UTC))
        if self._path.exists():
            self.imports.attribute(plan_of)
        return found

    def _limits(self, sources: Sources, text: str, at: datetime, named: str) -> None:
        from assistant.quota.reading import from_body, parsed

        limits = parsed(text)
        if not isinstance(limits, dict):
            return
        said = from_body({"rate_limits": limits}, "chatgpt.com", at, "codex")
        plan = named or _CODEX_PLANS.get(str(limits.get("plan_type")), "chatgpt-plus")
        if said:
            sources.hear("file:codex", [each._replace(source="file") for each in said], at, plan=plan)

    def plans(self) -> list[str]:
        """Name the plans that other clients have burnt."""
        return self.imports.plans() if self._path.exists() else []

    def burns(self, plan: str | None, since: datetime | None) -> list[Burn]:
        """Return other clients' burn of a plan (of all plans if None), in steps of ten minutes.

        No log tells which of the requests belong to one prompt.
        """
        if not self._path.exists():
            return []
        from decimal import Decimal

        from assistant.quota.tariff import Burn

        return [
            Burn(
                each.at, each.usage, each.cost, each.model, Decimal(each.steps), Decimal(0), until=each.until,
                client=each.client, steps=each.steps,
            )
            for each in self.imports.spans(plan, since)
        ]  # fmt: skip

    def uses(self, plan: str, since: datetime | None) -> list[tuple[datetime, str]]:
        """Return when other clients began to burn a plan, to ten minutes, and with which model."""
        return self.imports.uses(plan, since) if self._path.exists() else []

    def planless(self) -> list[str]:
        """Name the clients whose plan is unknown, of those that a plan may pay."""
        found = {row.key[0] for row in self.imports.totals(("client",), plan="")} if self._path.exists() else set()
        return sorted(found & set(_VENDORS))

    def totals(self, by: Sequence[str], since: date | None = None) -> list[Total]:
        """Return their burn, as `Imports.totals` does; empty if no log was ever read."""
        return self.imports.totals(by, since=since) if self._path.exists() else []

    def close(self) -> None:
        """Close the file."""
        if made(self, "imports"):
            self.imports.close()


def _plan(client: str, provider: str, named: Mapping[str, str], heard: Sequence[str]) -> str:
    """Name the plan that a client's requests to a provider burn; "" if nothing tells."""
    from assistant.quota.imports import provider_names

    if found := named.get(client) or named.get(provider_names().get(provider, provider)):
        return found
    vendor = _VENDORS.get(client)
    own = {name for name in (*named.values(), *heard) if vendor is not None and name.startswith(vendor)}
    return own.pop() if len(own) == 1 else ""
