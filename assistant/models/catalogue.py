"""All that can be asked: providers and models from their pages, ours first, then the user's, then the environment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant import discover
from assistant.errors import UnknownModel
from assistant.models.page import ADDITION, EFFORTS, Page, layered, open_page, read
from assistant.models.provider import Model, Provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Pick:
    """A model, who sells it, and how hard it should think (empty: its own way)."""

    provider: Provider
    model: Model
    effort: str = ""

    @property
    def name(self) -> str:
        """`provider/model:effort`, as `Catalogue.pick` reads it."""
        return f"{self.model.name}:{self.effort}" if self.effort else self.model.name


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
        """Find a model by `provider/model`, by its own name or alias, or by a part that only one model has.

        `:effort` may follow. A provider that sells anything, and one whose address the user has set, takes names that are
        not listed; their price is unknown. Raises UnknownModel with the names that come nearest, or with the levels of
        thinking that the model has.
        """
        whole = self._exact(text.strip())
        if whole is not None:
            return whole
        name, effort = text.strip(), ""
        head, _, tail = name.rpartition(":")
        if head and tail in EFFORTS:
            name, effort = head, tail
        seller, _, rest = name.partition("/")
        provider = self.providers.get(seller)
        found = self._exact(name)
        if found is None and provider is not None and rest and (provider.any_model or provider.address_from):
            found = Pick(provider, Model(provider.name, rest, rest))
        part: list[Model] = []
        if found is None:
            part = [model for model in self.models if name and name in {model.id, *model.aliases}]
            part = part or [model for model in self.models if name and name.lower() in model.name.lower()]
            if len(part) == 1:
                found = self._of(part[0])
        if found is None:
            raise UnknownModel(
                f"There is no model called {text!r}." if not part else f"{text!r} may mean several models.",
                self._near(name, part),
            )
        if effort and found.model.efforts and effort not in found.model.efforts:
            raise UnknownModel(
                f"{found.model.name} has no level of thinking {effort!r}.",
                f"It has {', '.join(found.model.efforts)}.",
                provider=found.provider.name,
            )
        return replace(found, effort=effort)

    def _exact(self, name: str) -> Pick | None:
        seller, _, rest = name.partition("/")
        provider = self.providers.get(seller)
        listed = provider.models if provider else ()
        model = next((model for model in listed if rest and rest in {model.id, *model.aliases}), None)
        return self._of(model) if model else None

    def _of(self, model: Model) -> Pick:
        """Choose the wire too: a model's best one at its provider's own address, the provider's at any other.

        What stands at an address that the user has set is a relay or a test, and relays speak the common protocol first.
        """
        provider = self.providers[model.provider]
        if model.wire and model.wire != provider.wire and not provider.address_from:
            provider = replace(provider, wire=model.wire, flags=provider.wire_flags.get(model.wire, {}))
        return Pick(provider, model)

    def _near(self, name: str, part: list[Model]) -> str:
        from rapidfuzz import process

        names = [model.name for model in part or self.models]
        near = [match[0] for match in process.extract(name, names, limit=4)]
        return f"Did you mean {', '.join(near)}? `wattson models` lists all." if near else "`wattson models` lists all."


def load(env: Mapping[str, str], users: Path | None, overrides: Mapping[str, Any]) -> Catalogue:
    """Read all pages. `<PROVIDER>_BASE_URL` in the environment sets an address; the user's config may set anything.

    Raises ConfigError with file and line.
    """
    known_pages = pages(users)
    found = {name: read(page, env) for name, page in known_pages.items()}
    for name, settings in overrides.items():
        entry = {key: value for key, value in settings.items() if key != "key_command"}  # `keys` reads that one
        known = known_pages.get(name)
        values = (
            dict(known.values) if known else {"name": name, "title": name, "wire": "openai_chat", "any_model": True}
        )
        found[name] = read(Page({**values, **entry, "name": name}, f"config.toml [providers.{name}]"), env)
        if "base_url" in entry:
            found[name] = replace(found[name], address_from="your config")
        if "wire" in entry:
            found[name] = replace(found[name], models=tuple(replace(each, wire="") for each in found[name].models))
    return Catalogue({name: _placed(provider, env) for name, provider in found.items()})


def pages(users: Path | None) -> dict[str, Page]:
    """Return all pages by provider: ours, then the user's in their place, then what was added to either."""
    found: dict[str, Page] = {}
    added: list[Page] = []
    for path in discover.data_files(Path(__file__).parent / "providers", users):
        page = open_page(path)
        if ADDITION in page.values:
            added.append(page)
        else:
            found[page.name] = page
    for page in sorted(added, key=lambda each: str(each.values.get("added_at", ""))):
        base = found.get(str(page.values[ADDITION]))
        if base is not None:
            found[base.name] = layered(base, page)
    return found


def _placed(provider: Provider, env: Mapping[str, str]) -> Provider:
    """Set the address that the environment gives."""
    variable = f"{provider.name.upper().replace('-', '_')}_BASE_URL"
    address = env.get(variable, "").strip()
    if not address and provider.name == "ollama" and env.get("OLLAMA_HOST", "").strip():
        variable, address = "OLLAMA_HOST", _host(env["OLLAMA_HOST"].strip(), provider.base_url)
    if not address:
        return provider
    address = address.rstrip("/")
    if provider.wire == "ollama":
        address = address.removesuffix("/v1")
    if provider.wire == "gemini" and not urlsplit(address).path:
        address += "/v1beta"  # as Google's own libraries read an address
    return replace(provider, base_url=address, address_from=variable)


def _host(value: str, usual: str) -> str:
    """Read `OLLAMA_HOST`, which is written for the server: a host, a port or both; every address means this machine."""
    scheme, found, rest = value.partition("://")
    scheme, rest = (scheme, rest) if found else ("http", value)
    rest, _, path = rest.partition("/")
    rest = f"[{rest}]" if rest.count(":") > 1 and not rest.startswith("[") else rest
    host, _, port = rest.rpartition(":") if not rest.endswith("]") and ":" in rest else (rest, "", "")
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - it is replaced
    usual_port = {"http": "11434" if not found else "80", "https": "443"}.get(scheme, "11434")
    tail = "/v1" if usual.endswith("/v1") else ""
    return f"{scheme}://{host}:{port or usual_port}{'/' + path if path else ''}".rstrip("/") + tail
