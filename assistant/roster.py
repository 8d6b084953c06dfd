"""The models and who pays for them: the catalogue with local models, the present pick, keys, favourites, roles.

One mutable object per session. It opens no connection by itself and keeps its choices in the user's own state.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from assistant import config
from assistant.errors import AssistantError, Auth, ConfigError, UnknownModel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from assistant import events
    from assistant.config import Config, Places
    from assistant.models.catalogue import Catalogue, Pick
    from assistant.models.client import Client
    from assistant.models.estimate import Factor, Ratio
    from assistant.models.keys import Found, Key
    from assistant.models.listing import Row
    from assistant.models.provider import Model, Payer, Provider
    from assistant.models.roles import Cast, Role
    from assistant.quota.terms import Plan
    from assistant.step import Partner

_MOST_RECENTS = 8


class Roster:
    """The models of one sitting. `client` gives the only access to the network, for when a server must be asked."""

    def __init__(self, places: Places, settings: Config, env: Mapping[str, str], client: Callable[[], Client]) -> None:
        self.pick: Pick | None = None
        self.roles = dict(settings.roles)
        self._places = places
        self._settings = settings
        self._env = env
        self._client = client
        self._locals: dict[str, Provider] = {}
        self._asked: dict[str, Key] = {}
        self._paying: dict[str, Plan | None] = {}

    @cached_property
    def _catalogue(self) -> Catalogue:
        from assistant.models import catalogue

        return catalogue.load(self._env, self._places.config / "providers", self._settings.providers)

    @property
    def catalogue(self) -> Catalogue:
        """Providers and models, those found on this machine included."""
        return self._catalogue.including(self._locals.values())

    async def find_local(self) -> Sequence[Provider]:
        """Look for model servers on this machine's own addresses; takes a few hundred milliseconds."""
        from assistant.models import local

        found = await local.probe(lambda: self._client().get_json, self._catalogue, lambda: self._client().post_json)
        self._locals = {provider.name: provider for provider in found}
        return found

    # Who pays, with which key.

    def payer(self, provider: Provider) -> Payer:
        """Say who pays this provider: a plan if the user has named one that may pay there."""
        name = self._settings.plans.get(provider.name)
        if name is None:
            return provider.payer
        if name not in self._paying:
            from assistant.quota.plan import load_plan

            try:
                self._paying[name] = load_plan(self._places.config / "plans", name)
            except ConfigError:  # the error in its page is reported where its meters are shown
                self._paying[name] = None
        plan = self._paying[name]
        if plan is not None and (plan.is_prepaid or self.unpaid(provider.name, plan)):
            return provider.payer  # a balance is charged for each request, as a key is
        return "plan"

    def unpaid(self, name: str, plan: Plan) -> str:
        """Say why a plan does not pay at a provider, as the rest of a sentence; empty if it may pay."""
        from assistant.models import keys
        from assistant.quota.fitting import Seller, unfit

        provider = self.catalogue.providers.get(name)
        if provider is None:
            return ""
        key, own = self.key_at_hand(name), provider.base_url
        if provider.address_from and (page := self._shipped.providers.get(name)) is not None:
            own = page.base_url
        billed = provider.payer in {"metered", "prepaid"}
        return unfit(plan, Seller(name, provider.wire, provider.base_url, own, billed, key, keys.whose(key)))

    @cached_property
    def _shipped(self) -> Catalogue:
        """Providers as their built-in pages describe them, without the addresses that the user has set."""
        from assistant.models import catalogue

        return catalogue.load({}, None, {})

    def found(self) -> Sequence[Found]:
        """List the keys that are there, masked."""
        from assistant.models import keys

        return keys.found(self.catalogue, self._env, self._settings)

    def practice(self) -> list[Provider]:
        """Return the providers that cost nothing and need no key, for users who have none."""
        return [each for each in self.catalogue.mentioning(("practice",)) if each.payer == "practice"]

    async def key(self, provider: Provider) -> str:
        """Return the key for a provider, empty if none is needed; raises Auth if it is missing.

        A key command or a keyring may be slow: it is asked in a thread, and only once a sitting (see `forget_key`).
        """
        import asyncio

        from assistant.models import keys

        found = self._asked.get(provider.name)
        if found is None:
            found = await asyncio.to_thread(keys.find_key, provider, self._env, self._settings)
            if found is not None and found.source not in provider.key_names:
                self._asked[provider.name] = found
        if found is None and provider.key_needed:
            raise Auth(
                f"There is no key for {provider.title}.",
                f"Set {' or '.join(provider.key_names)} in the environment, or choose another model with /model.",
                provider=provider.name,
            )
        return found.value if found else ""

    def key_at_hand(self, name: str) -> str:
        """Return a provider's key from the environment, or as asked before; never ask for it. Empty if unknown."""
        from assistant.models import keys

        if name in self._asked:
            return self._asked[name].value
        provider = self.catalogue.providers.get(name)
        return keys.at_hand(provider, self._env) if provider is not None else ""

    def lacks_key(self, provider: Provider) -> bool:
        """Say whether a provider needs a key and none is known: a keyring that was not asked yet does not count."""
        known = {*self._asked, *(each.provider.name for each in self.found())}
        return provider.key_needed and provider.name not in known

    def key_names(self) -> tuple[str, ...]:
        """Return the variables that hold keys: no program that we start may see them."""
        return tuple({name for each in self.catalogue.providers.values() for name in each.key_names})

    def forget_key(self, provider: str) -> None:
        """Ask for the key again next time: the provider has rejected it."""
        self._asked.pop(provider, None)

    # Who is asked.

    def sellers(self) -> Collection[str]:
        """Return the names of all providers."""
        return self.catalogue.providers.keys()

    def known(self, name: str) -> Pick | None:
        """Return a model by its name; None if there is none of that name."""
        try:
            return self.catalogue.pick(name)
        except AssistantError:
            return None

    def present(self) -> Pick:
        """Return the present model; raises ConfigError if none is chosen."""
        if self.pick is None:
            raise ConfigError("No model is chosen yet.", "Choose one with /model (or -m provider/model).")
        return self.pick

    def asks(self, name: str) -> bool:
        """Say whether a name means the present model, at whatever level of thinking."""
        with suppress(UnknownModel):
            return self.pick is not None and self.catalogue.pick(name).model.name == self.pick.model.name
        return False

    def choose(self, name: str) -> Pick:
        """Choose another model, in this sitting only. Raises UnknownModel with the nearest names."""
        self.pick = self.catalogue.pick(name)
        return self.pick

    def switch(self, name: str) -> events.ModelChanged:
        """Choose another model, for this sitting and the next ones. Raises UnknownModel with the nearest names."""
        pick = self.choose(name)
        recents = [pick.model.name, *(each for each in self.recents if each != pick.model.name)]
        config.remember(self._places, model=pick.name, recents=recents[:_MOST_RECENTS])
        return self.changed(pick)

    def set_effort(self, level: str) -> events.ModelChanged:
        """Set the present model's level of thinking; empty for the model's own default.

        Raises UnknownModel with the levels that it has, ConfigError if no model is chosen.
        """
        pick = self.present()
        levels = self.levels()
        if level and level not in levels:
            raise UnknownModel(f"{pick.model.name} has no level of thinking {level!r}.", f"It has {', '.join(levels)}.")
        self.pick = pick._replace(effort=level)
        config.remember(self._places, model=self.pick.name)
        return self.changed(self.pick)

    def levels(self) -> tuple[str, ...]:
        """Return the levels of thinking of the present model, least first; all levels if its page lists none."""
        from assistant.models.page import EFFORTS

        return self.present().model.efforts or tuple(EFFORTS)

    def changed(self, pick: Pick) -> events.ModelChanged:
        """Return the event that tells a face about a switch."""
        from assistant import events

        payer, doubt = self.payer(pick.provider), self.catalogue.doubt(pick)
        return events.ModelChanged(
            pick.provider.name, pick.model.id, payer, pick.model.context_window, pick.effort, doubt
        )

    def cast(self, role: Role) -> Cast:
        """Say which model plays a role now: the one wished for, or else the main model, with the reason."""
        from assistant.models import roles

        keys = {each.provider.name for each in self.found()}

        def ready(provider: Provider) -> str:
            return f"no key for {provider.title}" if provider.key_needed and provider.name not in keys else ""

        return roles.resolve(role, self.roles, self.catalogue, self.present(), ready)

    def editor(self) -> Cast | None:
        """Say which model writes the edits that the main model plans; None if no editor is set, or no model chosen."""
        return self.cast("editor") if self.pick is not None and self.roles.get("editor") else None

    def writer(self) -> Pick | None:
        """Return the editor that writes the edits which the main model plans; None if that writes them itself."""
        editor = self.editor()
        return editor.pick if editor is not None and not editor.fell_back else None

    def set_role(self, role: Role, name: str) -> Cast | None:
        """Give a role to a model in this sitting, or to none if `name` is empty; return the cast.

        Raises UnknownModel.
        """
        self.roles[role] = self.catalogue.pick(name).name if name else ""
        return self.cast(role) if name else None

    def partner(self, pick: Pick) -> Partner:
        """Return a model as a Partner to ask: with who pays, and its token factor."""
        from assistant.step import Partner

        return Partner(pick, self.payer(pick.provider), self.factor(pick.model))

    def rows(self, now: datetime) -> list[Row]:
        """Return all models as rows to choose from: favourites, recents, those with a key, the others."""
        from assistant.models import listing

        keys = {each.provider.name for each in self.found()}
        return listing.rows(
            self.catalogue,
            now,
            payer=self.payer,
            ready=lambda provider: not provider.key_needed or provider.name in keys,
            favourites=self.favourites,
            recents=self.recents,
        )

    # How models count.

    @cached_property
    def learned(self) -> Mapping[str, Ratio]:
        """The learned token factors of models, from this sitting and earlier ones, by `provider/model`."""
        from assistant.models import estimate

        return estimate.from_json(config.remembered(self._places).get("factors"))

    def factor(self, model: Model) -> Factor:
        """Return the factor from an o200k count to a model's tokens: learned, or the catalogue's with a wide band."""
        from assistant.models import estimate

        return estimate.factor(self.learned, model.name, model.token_factor)

    def learn(self, model: Model, counted: int, reported: int) -> None:
        """Learn from one reported usage: `counted` o200k tokens were sent, `reported` were billed as input."""
        from assistant.models import estimate

        state = estimate.learn(self.learned, model.name, counted, reported, model.token_factor)
        if state != self.learned:
            self.learned = state
            others = estimate.from_json(config.remembered(self._places).get("factors"))  # learned in other windows too
            mine = {**others, model.name: state[model.name]}
            config.remember(self._places, factors=estimate.as_json(mine))

    # What the user likes.

    @property
    def favourites(self) -> list[str]:
        """Names of the favourites, in the order in which they were added; all windows share them."""
        return config.remembered_names(self._places, "favourites")

    def like(self, name: str) -> bool:
        """Make a model a favourite, or stop it being one; return whether it is one now."""
        names = self.favourites
        liked = name not in names
        config.remember(self._places, favourites=[*names, name] if liked else [each for each in names if each != name])
        return liked

    def next_favourite(self, after: str = "") -> str:
        """Return the favourite that follows a model (by default the present one); empty if there is no other."""
        names = self.favourites
        here = after or (self.pick.name if self.pick else "")
        plain = here.rpartition(":")[0] if here not in names else here
        at = next((place for place, name in enumerate(names) if name in {here, plain}), -1)
        following = names[(at + 1) % len(names)] if names else ""
        return "" if following in {here, plain} else following

    @property
    def recents(self) -> list[str]:
        """Names of the models that were chosen most recently, the newest first."""
        return config.remembered_names(self._places, "recents")
