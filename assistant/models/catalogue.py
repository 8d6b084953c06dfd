"""All that can be asked: providers and models from our pages, then from the user's, then from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from assistant import discover
from assistant.errors import UnknownModel
from assistant.models.page import ADDITION, EFFORTS, Page, layered, open_page, read
from assistant.models.provider import Model, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence, Set

_LIKE = 65
"""Likeness, of 100, from which a name may be a misspelling of another."""
_FEW = 6
"""So many models of a provider can be named in a message."""
_NONE: Mapping[str, Path] = MappingProxyType({})
_QUOTED = re.compile(rb'"(\w+)"')


class Pick(NamedTuple):
    """A model, who sells it, and how hard it should think (empty: as it does by default)."""

    provider: Provider
    model: Model
    effort: str = ""

    @property
    def name(self) -> str:
        """`provider/model:effort`, as `Catalogue.pick` reads it."""
        return f"{self.model.name}:{self.effort}" if self.effort else self.model.name


class Catalogue(NamedTuple):
    """Providers by name."""

    providers: Mapping[str, Provider]

    @property
    def models(self) -> tuple[Model, ...]:
        """All models that are listed."""
        return tuple(model for provider in self.providers.values() for model in provider.models)

    def including(self, found: Iterable[Provider]) -> Catalogue:
        """Return the catalogue with providers found on this machine in place of their pages."""
        if isinstance(self.providers, _Shelf):
            return Catalogue(self.providers.including(found))
        return Catalogue({**self.providers, **{provider.name: provider for provider in found}})

    def mentioning(self, words: Iterable[str]) -> list[Provider]:
        """Return the providers that words name, or whose page has one of them in quotes, and all that users wrote of.

        Of our pages, only those are read.
        """
        if not isinstance(self.providers, _Shelf):
            return list(self.providers.values())
        names = set(words)
        wanted = {word.encode("utf-8", "surrogateescape") for word in names}
        return [
            self.providers[name] for name in self.providers if name in names or self.providers.mentions(name, wanted)
        ]

    def pick(self, text: str) -> Pick:
        """Find a model by `provider/model`, by its own name or alias, or by a part that only one model has.

        `:effort` may follow. A provider that sells anything, and one whose address the user has set, takes names that are
        not listed; their price is unknown, see `doubt`. Raises UnknownModel with the names that come nearest, or with
        the levels of thinking that the model has.
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
        if found is None and provider is not None and _takes(provider, rest):
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
        return found._replace(effort=effort)

    def _exact(self, name: str) -> Pick | None:
        seller, _, rest = name.partition("/")
        provider = self.providers.get(seller)
        listed = provider.models if provider else ()
        model = next((model for model in listed if rest and rest in {model.id, *model.aliases}), None)
        return self._of(model) if model else None

    def _of(self, model: Model) -> Pick:
        """Choose the wire too: the model's best one at its provider's own address, the provider's at any other.

        An address that the user has set is a relay or a test, and relays speak the common protocol first.
        """
        provider = self.providers[model.provider]
        if model.wire and model.wire != provider.wire and not provider.address_from:
            provider = provider._replace(wire=model.wire, flags=provider.wire_flags.get(model.wire, {}))
        return Pick(provider, model)

    def doubt(self, pick: Pick) -> str:
        """Say that a model is asked by a name that its provider's list lacks; empty where it has it, or there is no list."""
        provider, name = pick.provider, pick.model.name
        if not provider.models or self._exact(name) is not None:
            return ""
        price = "" if provider.payer == "local" else ", its price unknown"
        near = self._near(name, provider.models, own=True)
        return f"{name} is not in the list of {provider.title}: it is asked by that name{price}. {near}"

    def _near(self, name: str, part: Sequence[Model], *, own: bool = False) -> str:
        from rapidfuzz import process

        names = [model.name for model in part or self.models]
        if own and len(names) <= _FEW:
            return f"It lists {', '.join(names)}."
        near = [match[0] for match in process.extract(name, names, limit=4, score_cutoff=_LIKE)]
        return f"Did you mean {', '.join(near)}? `wattson models` lists all." if near else "`wattson models` lists all."


def _takes(provider: Provider, name: str) -> bool:
    """Whether a provider can be asked for a name that it does not list; no model has a name of several words."""
    return len(name.split()) == 1 and (provider.any_model or bool(provider.address_from))


class _Shelf(Mapping[str, Provider]):
    """Providers by name, each made from its page on first use: a question to one need not read them all."""

    def __init__(self, makers: Mapping[str, Callable[[], Provider]], pages: Mapping[str, Path] = _NONE) -> None:
        self._makers = dict(makers)
        self._pages = pages
        self._made: dict[str, Provider] = {}

    def __getitem__(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def mentions(self, name: str, words: Set[bytes]) -> bool:
        """Say whether a page of ours, not read yet, has one of the words in quotes; True for any that may hold more."""
        page = self._pages.get(name)
        if name in self._made or page is None:
            return True
        with open(page, "rb") as file:  # noqa: PTH123 - there are sixty of them
            quoted = _QUOTED.findall(file.read())
        return not words.isdisjoint(quoted)

    def including(self, found: Iterable[Provider]) -> _Shelf:
        """Return a shelf with some providers replaced; those already made stay made."""
        shelf = _Shelf(self._makers, self._pages)
        shelf._made = dict(self._made)
        for provider in found:
            shelf._makers.setdefault(provider.name, lambda provider=provider: provider)  # type: ignore[misc]
            shelf._made[provider.name] = provider
        return shelf


def load(env: Mapping[str, str], users: Path | None, overrides: Mapping[str, Any]) -> Catalogue:
    """Read all pages. `<PROVIDER>_BASE_URL` in the environment sets an address; the user's config may set anything.

    Our pages are read when they are needed, the user's at once. Raises ConfigError with file and line.
    """
    ours, mine, added = _sources(users)
    names = [*ours, *(name for name in (*mine, *overrides) if name not in ours)]
    shelf = _Shelf(
        {
            name: partial(_make, name, ours.get(name), mine.get(name), added.get(name, ()), overrides.get(name), env)
            for name in dict.fromkeys(names)
        },
        ours,
    )
    for name in {*mine, *added, *overrides} & set(shelf):
        shelf[name]  # whoever wrote something wrong is told now
    return Catalogue(shelf)


def pages(users: Path | None) -> dict[str, Page]:
    """Return all pages by provider: ours, then the user's in their place, then what was added to either."""
    ours, mine, added = _sources(users)
    found = {name: open_page(path) for name, path in ours.items()} | mine
    for name, more in added.items():
        for page in more if name in found else ():
            found[name] = layered(found[name], page)
    return found


def _sources(users: Path | None) -> tuple[dict[str, Path], dict[str, Page], dict[str, list[Page]]]:
    """Return the paths of our pages, the user's pages, and the additions in the order in which they were made."""
    ours = {path.stem: path for path in discover.data_files(Path(__file__).parent / "providers", None)}
    mine: dict[str, Page] = {}
    added: dict[str, list[Page]] = {}
    folder = [open_page(path) for path in discover.data_files(users, None)] if users is not None else []
    for page in sorted(folder, key=lambda each: str(each.values.get("added_at", ""))):
        if ADDITION in page.values:
            added.setdefault(str(page.values[ADDITION]), []).append(page)
        else:
            mine[page.name] = page
    return ours, mine, added


def _make(
    name: str,
    ours: Path | None,
    mine: Page | None,
    added: Sequence[Page],
    settings: Mapping[str, Any] | None,
    env: Mapping[str, str],
) -> Provider:
    """Make one provider from all that is said about it; the environment has the last word."""
    page = mine or (open_page(ours) if ours else None)
    for more in added if page else ():
        assert page is not None  # noqa: S101 - the loop is empty otherwise
        page = layered(page, more)
    if settings is None:
        assert page is not None  # noqa: S101 - a name comes from a page or from settings
        return _placed(read(page, env), env)
    entry = {key: value for key, value in settings.items() if key != "key_command"}  # `keys` reads that one
    values = dict(page.values) if page else {"name": name, "title": name, "wire": "openai_chat", "any_model": True}
    provider = read(Page({**values, **entry, "name": name}, f"config.toml [providers.{name}]"), env)
    if "base_url" in entry:
        provider = provider._replace(address_from="your config")
    if "wire" in entry:
        provider = provider._replace(models=tuple(each._replace(wire="") for each in provider.models))
    return _placed(provider, env)


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
    return provider._replace(base_url=address, address_from=variable)


def _host(value: str, usual: str) -> str:
    """Read `OLLAMA_HOST`, written for the server: a host, a port or both; "all addresses" (0.0.0.0) is this machine."""
    scheme, found, rest = value.partition("://")
    scheme, rest = (scheme, rest) if found else ("http", value)
    rest, _, path = rest.partition("/")
    rest = f"[{rest}]" if rest.count(":") > 1 and not rest.startswith("[") else rest
    host, _, port = rest.rpartition(":") if not rest.endswith("]") and ":" in rest else (rest, "", "")
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - it is replaced
    usual_port = {"http": "11434" if not found else "80", "https": "443"}.get(scheme, "11434")
    tail = "/v1" if usual.endswith("/v1") else ""
    return f"{scheme}://{host}:{port or usual_port}{'/' + path if path else ''}".rstrip("/") + tail
