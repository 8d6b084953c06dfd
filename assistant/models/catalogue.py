"""All that can be asked: providers and models from their pages, ours first, then the user's, then the environment."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from assistant import discover
from assistant.errors import ConfigError, UnknownModel
from assistant.models.price import read_prices
from assistant.models.provider import Model, Payer, Provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_EFFORTS = ("off", "low", "medium", "high", "max")
_MODEL_FIELDS = {field.name for field in fields(Model)} - {"provider"}
_PROVIDER_FIELDS = {field.name for field in fields(Provider)} - {"address_from"}


@dataclass(frozen=True, slots=True)
class Pick:
    """A model, who sells it, and how hard it should think (empty: its own way)."""

    provider: Provider
    model: Model
    effort: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Providers by name."""

    providers: Mapping[str, Provider]

    @property
    def models(self) -> tuple[Model, ...]:
        """All models that are listed."""
        return tuple(model for provider in self.providers.values() for model in provider.models)

    def including(self, found: Iterable[Provider]) -> Catalogue:
        """Return the catalogue with providers found on this machine in place of their pages."""
        return Catalogue({**self.providers, **{provider.name: provider for provider in found}})

    def pick(self, text: str) -> Pick:
        """Find a model by `provider/model`, by its own name, or by a part that only one model has; `:effort` may follow.

        A provider that sells anything, and one whose address the user has set, takes names that are not listed; their
        price is unknown. Raises UnknownModel with the names that come nearest.
        """
        name, effort = text.strip(), ""
        head, _, tail = name.rpartition(":")
        if head and tail in _EFFORTS:
            name, effort = head, tail
        seller, _, rest = name.partition("/")
        provider = self.providers.get(seller)
        if provider is not None and rest:
            listed = next((model for model in provider.models if model.id == rest), None)
            if listed is not None:
                return Pick(provider, listed, effort)
            if provider.any_model or provider.address_from:
                return Pick(provider, Model(provider.name, rest, rest), effort)
        same = [model for model in self.models if name in {model.id, model.name}]
        part = same or [model for model in self.models if name and name.lower() in model.name.lower()]
        if len(part) == 1:
            return Pick(self.providers[part[0].provider], part[0], effort)
        raise UnknownModel(
            f"There is no model called {text!r}." if not part else f"{text!r} may mean several models.",
            self._near(name, part),
        )

    def _near(self, name: str, part: list[Model]) -> str:
        from rapidfuzz import process

        names = [model.name for model in part or self.models]
        near = [match[0] for match in process.extract(name, names, limit=4)]
        return f"Did you mean {', '.join(near)}? `wattson models` lists all." if near else "`wattson models` lists all."


def load(env: Mapping[str, str], users: Path | None, overrides: Mapping[str, Any]) -> Catalogue:
    """Read all pages. `<PROVIDER>_BASE_URL` in the environment sets an address; the user's config may set anything."""
    pages: dict[str, tuple[dict[str, Any], str]] = {}
    for path in discover.data_files(Path(__file__).parent / "providers", users):
        page = discover.read_toml(path)
        pages[str(page.get("name", path.stem))] = (page, str(path))
    for name, entry in overrides.items():
        known, _ = pages.get(name, ({"name": name, "title": name, "wire": "openai_chat", "any_model": True}, ""))
        pages[name] = ({**known, **entry, "name": name}, f"config.toml [providers.{name}]")
    found = {}
    for name, (page, where) in pages.items():
        provider = _provider(page, where)
        if name in overrides and "base_url" in overrides[name]:
            provider = replace(provider, address_from="your config")
        variable = f"{name.upper().replace('-', '_')}_BASE_URL"
        address = env.get(variable, "").strip()
        if address:
            provider = replace(provider, base_url=address.rstrip("/"), address_from=variable)
        found[name] = provider
    return Catalogue(found)


def _provider(page: Mapping[str, Any], where: str) -> Provider:
    unknown = set(page) - _PROVIDER_FIELDS
    missing = {"name", "title", "wire", "base_url"} - set(page)
    if unknown or missing:
        raise ConfigError(
            f"{where}: "
            + (f"{', '.join(sorted(missing))} is missing" if missing else f"unknown: {', '.join(sorted(unknown))}")
            + ".",
            f"A provider has {', '.join(sorted(_PROVIDER_FIELDS))}.",
        )
    if page["wire"] not in discover.part_names("assistant.models.wires"):
        raise ConfigError(
            f"{where}: there is no wire {page['wire']!r}.",
            f"Choose one of: {', '.join(discover.part_names('assistant.models.wires'))}.",
        )
    if page.get("payer", "metered") not in get_args(Payer):
        raise ConfigError(
            f"{where}: payer {page['payer']!r} is unknown.", f"Choose one of: {', '.join(get_args(Payer))}."
        )
    models = []
    rows: list[Any] = list(page.get("models", []))
    for row in rows:
        entry: dict[str, Any] = {"id": row} if isinstance(row, str) else dict(row)
        if set(entry) - _MODEL_FIELDS or "id" not in entry:
            raise ConfigError(
                f"{where}: a model has an id and no {sorted(set(entry) - _MODEL_FIELDS)}.", "Mend the file."
            )
        entry["prices"] = read_prices(entry.get("prices", []), where)
        entry["abilities"] = frozenset(entry.get("abilities", ()))
        entry.setdefault("source", page.get("source", ""))
        entry.setdefault("checked_on", page.get("checked_on"))
        models.append(Model(provider=page["name"], **entry))
    values = {**page, "models": tuple(models), "key_names": tuple(page.get("key_names", ()))}
    return Provider(**{**values, "base_url": str(page["base_url"]).rstrip("/")})
