"""Who pays, by the user's config and the keys at hand.

Each key is an account of its own: what a provider says to one key says nothing about another. No provider tells to
whose account a key belongs. A key that was replaced within one account therefore counts as another account until the
provider has spoken to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from assistant.models.catalogue import Pick
    from assistant.models.provider import Payer, Provider
    from assistant.quota.reading import Reading
    from assistant.quota.terms import Plan

_Burnt = TypeVar("_Burnt")


class Payers(Protocol):
    """Which model is asked at present, and who pays for a provider."""

    @property
    def pick(self) -> Pick | None:
        """The model that is asked; None if none is chosen."""

    def payer(self, provider: Provider) -> Payer:
        """Say who pays this provider."""

    def key_at_hand(self, name: str) -> str:
        """Return a provider's key without asking a command or a keyring; else empty."""

    def known(self, name: str) -> Pick | None:
        """Return a model by its name; None if there is none of that name."""

    def unpaid(self, name: str, plan: Plan) -> str:
        """Say why a plan does not pay at a provider, as the rest of a sentence; empty if it may pay."""

    def sellers(self) -> Collection[str]:
        """Return the names of all providers."""


def marks(payers: Payers, named: Mapping[str, str], plan: Plan) -> frozenset[str]:
    """Return the marks of the keys whose requests a plan pays now; empty if no key is at hand.

    `named` are plans by provider, as the config has them. If the plan pays the present model's provider, only that
    counts.
    """
    from assistant.models import keys

    paid = [provider for provider, each in named.items() if each == plan.name]
    paid += [provider for provider in plan.default_for if provider not in named]
    if payers.pick is not None and payers.pick.provider.name in paid:
        paid = [payers.pick.provider.name]
    return frozenset(keys.mark(key) for name in paid if (key := payers.key_at_hand(name)))


def of_one(said: Sequence[Reading], mine: Collection[str]) -> list[Reading]:
    """Keep the readings of one account, and those that name none.

    The account is the one of `mine` (marks) that spoke last; without `mine`, the one of all that spoke last.
    """
    last = next((each.account for each in reversed(said) if each.account and (each.account in mine or not mine)), "")
    return [each for each in said if each.account in {"", last}]


def own(burns: Sequence[_Burnt], said: Iterable[Reading], mine: Collection[str]) -> Sequence[_Burnt]:
    """Leave out the steps of other keys once a provider has spoken to one of `mine`: its figures exclude them.

    Before that all steps count: a key may have been replaced within its account, and nothing tells.
    """
    spoken = {each.account for each in said} & {*mine}
    if not spoken:
        return burns
    accounts = [getattr(each, "account", "").rpartition(":")[2] for each in burns]
    return [each for each, account in zip(burns, accounts, strict=True) if account in {"", *spoken}]


def near(name: str, known: Collection[str], *, rest: str) -> str:
    """Suggest the known names that a name may be a typo of; if there is none, return `rest`."""
    from difflib import get_close_matches

    found = get_close_matches(name, known, 3)
    return f"Near it: {', '.join(found)}." if found else rest


def misnamed(named: Mapping[str, str], plans: Collection[str], sellers: Collection[str]) -> list[str]:
    """Return a sentence for each unknown name in `[plans]`; `sellers` are the names of providers and clients."""
    found = []
    for seller, plan in named.items():
        if seller not in sellers:
            hint = near(seller, sellers, rest="`wattson models` lists the providers.")
            found.append(f"[plans] {seller}: there is no provider or client of that name. {hint}")
        if plan not in plans:
            hint = near(plan, plans, rest="`wattson plans --all` shows all plans.")
            found.append(f'[plans] {seller} = "{plan}": there is no plan of that name. {hint}')
    return found
