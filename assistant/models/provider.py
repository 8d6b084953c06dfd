"""Who sells (Provider) and what is sold (Model)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from assistant.models.price import Price

Payer = Literal["metered", "prepaid", "plan", "free", "local", "practice"]


@dataclass(frozen=True, slots=True)
class Model:
    """What is sold. Token counts are tokens; None is unknown, never unlimited.

    `token_factor` is this model's count of a text divided by o200k's, a starting value that reported usage corrects.
    """

    provider: str
    id: str
    title: str = ""
    context_window: int | None = None
    max_output: int | None = None
    prices: tuple[Price, ...] = ()
    edit_format: str = "edit_block"
    abilities: frozenset[str] = frozenset()
    token_factor: float = 1.0
    source: str = ""
    checked_on: date | None = None

    @property
    def name(self) -> str:
        """`provider/id`, as it is typed and shown."""
        return f"{self.provider}/{self.id}"


@dataclass(frozen=True, slots=True)
class Provider:
    """Who sells: an address, a wire, the names of its key, who pays.

    `base_url` carries no final slash and may carry a path. `any_model` says that names outside the list are asked for too. `address_from` is the environment variable or file the
    address came from, empty for the catalogue's own.
    """

    name: str
    title: str
    wire: str
    base_url: str
    key_names: tuple[str, ...] = ()
    key_needed: bool = True
    payer: Payer = "metered"
    headers: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str | bool | int] = field(default_factory=dict)
    models: tuple[Model, ...] = ()
    any_model: bool = False
    address_from: str = ""
    source: str = ""
    checked_on: date | None = None
