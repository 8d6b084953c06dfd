"""Who sells (Provider) and what is sold (Model)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from assistant.models.price import Price

Payer = Literal["metered", "prepaid", "plan", "free", "local", "practice"]
Ability = Literal["thinking", "images", "tools", "cache"]
"""What a model can do: think before it answers, look at images, call tools, read a prompt from a cache."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Score(NamedTuple):
    """A public measure of what a model can do: the benchmark, its result, the source, and when it was said or read."""

    benchmark: str
    value: Decimal
    source: str
    on: date
    unit: str = "%"


class Model(NamedTuple):
    """What is sold. Counts are in tokens; None is unknown, never unlimited.

    `context_window` is the most that a request and its answer may hold; above `soft_window` the model is dearer or
    weaker, and a question should stay below. `efforts` are the levels of thinking it takes, lowest first; empty is
    unknown. `abilities` are what it is known to be able to do. `wire` is the protocol that suits it best at its
    provider's own address, `service_tiers` are multiples of the plain price, `note` is what one must know before
    choosing it. `token_factor` is this model's count of a text divided by o200k's, a starting value that reported usage
    corrects.
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
    aliases: tuple[str, ...] = ()
    wire: str = ""
    soft_window: int | None = None
    service_tiers: Mapping[str, Decimal] = _NOTHING
    efforts: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    note: str = ""
    retires_on: date | None = None

    @property
    def name(self) -> str:
        """`provider/id`, as it is typed and shown."""
        return f"{self.provider}/{self.id}"


class Provider(NamedTuple):
    """Who sells: an address, a wire, the names of its key, who pays.

    `base_url` carries no final slash and may carry a path; `{region}` in it has been filled. `also_at` are other usual
    addresses of a server on this machine. `flags` are for `wire`, `wire_flags` for the wires that single models prefer.
    `any_model` says that names outside the list can be asked for too. `address_from` is the environment variable or
    file that the address came from, empty for the catalogue's own.
    """

    name: str
    title: str
    wire: str
    base_url: str
    key_names: tuple[str, ...] = ()
    key_needed: bool = True
    payer: Payer = "metered"
    region: str = ""
    also_at: tuple[str, ...] = ()
    headers: Mapping[str, str] = _NOTHING
    flags: Mapping[str, str | bool | int] = _NOTHING
    wire_flags: Mapping[str, Mapping[str, str | bool | int]] = _NOTHING
    models: tuple[Model, ...] = ()
    any_model: bool = False
    note: str = ""
    address_from: str = ""
    source: str = ""
    checked_on: date | None = None
