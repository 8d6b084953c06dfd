"""Who does what: the main model, an editor that writes what it has planned, a small model for side work. Pure.

A role that is not set goes to the main model. A role that is set but cannot be filled falls back to the main model and
says so: no model is asked that was not named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assistant.errors import UnknownModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assistant.models.catalogue import Catalogue, Pick
    from assistant.models.provider import Provider

Role = Literal["main", "editor", "small"]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays a role. `why` is empty if it is whom the user wished for, else why it is the main model instead."""

    role: Role
    pick: Pick
    why: str = ""

    @property
    def fell_back(self) -> bool:
        """Whether the user wished for another model."""
        return bool(self.why)


def resolve(
    role: Role,
    wishes: Mapping[str, str],
    catalogue: Catalogue,
    main: Pick,
    ready: Callable[[Provider], str] = lambda _: "",
) -> Cast:
    """Return who plays a role now. `ready` says why a provider cannot be asked (no key), empty if it can."""
    wished = wishes.get(role, "").strip()
    if role == "main" or not wished:
        return Cast(role, main)
    try:
        pick = catalogue.pick(wished)
    except UnknownModel as error:
        return Cast(role, main, f"{error.message} {error.hint}".strip())
    reason = ready(pick.provider)
    return Cast(role, main, f"{pick.name}: {reason}") if reason else Cast(role, pick)


def after_failure(cast: Cast, main: Pick, why: str) -> Cast | None:
    """Return who takes over from a helper that failed: the main model, and why; None if the main model failed."""
    if cast.pick.model.name == main.model.name and cast.pick.effort == main.effort:
        return None
    return Cast(cast.role, main, f"{cast.pick.name} failed: {why}")
