"""Who does what: the main model, an editor that writes what the main one has planned, a small one for side work. Pure.

A role that is not set is played by the main model. One that is set and cannot be played falls back to the main model and
says so: nobody is asked who was not named.
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
    """Who plays a role. `why` is empty where it is as the user wished, else why it is the main model instead."""

    role: Role
    pick: Pick
    why: str = ""

    @property
    def fell_back(self) -> bool:
        """Whether somebody else was wished for."""
        return bool(self.why)


def resolve(
    role: Role,
    wishes: Mapping[str, str],
    catalogue: Catalogue,
    main: Pick,
    ready: Callable[[Provider], str] = lambda _: "",
) -> Cast:
    """Say who plays a role now. `ready` says why a provider cannot be asked (no key), empty where it can."""
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
    """Say who takes over when a helper has failed: the main model, told so; None where it was the main model that failed."""
    if cast.pick.model.name == main.model.name and cast.pick.effort == main.effort:
        return None
    return Cast(cast.role, main, f"{cast.pick.name} failed: {why}")
