"""Keys: where they are found and how they are shown. Never from a project's files, never whole on a screen."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import Auth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assistant.config import Config
    from assistant.models.catalogue import Catalogue
    from assistant.models.provider import Provider

_SHAPES = (("sk-ant-", "anthropic"), ("sk-or-", "openrouter"))


@dataclass(frozen=True, slots=True)
class Key:
    """A key, where it came from, and how it may be shown."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"Key({self.masked}, {self.source})"

    @property
    def masked(self) -> str:
        """The ends of the key only."""
        return f"{self.value[:3]}…{self.value[-4:]}" if len(self.value) >= 16 else "…"


@dataclass(frozen=True, slots=True)
class Found:
    """A key that is there, masked, and whose it is."""

    provider: Provider
    source: str
    masked: str


def find_key(provider: Provider, env: Mapping[str, str], config: Config) -> Key | None:
    """Return the provider's key: from the environment, else from the command that the user's config names.

    Raises Auth for a key that cannot be one, or that is another provider's.
    """
    for name in provider.key_names:
        if env.get(name, "").strip():
            return _checked(Key(env[name].strip(), name), provider)
    command = config.providers.get(provider.name, {}).get("key_command") or config.key_commands.get(provider.name)
    if not command:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise Auth(
            f"The key command for {provider.title} failed.",
            "Run it by hand and mend it in your config.",
            provider=provider.name,
        ) from error
    return _checked(Key(done.stdout.strip(), "your key command"), provider) if done.stdout.strip() else None


def _checked(key: Key, provider: Provider) -> Key:
    if not key.value.isascii() or any(sign.isspace() or ord(sign) < 32 for sign in key.value) or key.value[0] in "'\"":
        raise Auth(
            f"The key in {key.source} has signs that no key has (blanks, quotes, or letters that are not ASCII).",
            "Copy it again.",
            provider=provider.name,
        )
    for shape, owner in _SHAPES:
        if (
            key.value.startswith(shape)
            and provider.name in {"openai", "anthropic", "deepseek", "openrouter"}
            and provider.name != owner
            and not provider.address_from
        ):
            raise Auth(
                f"The key in {key.source} is a key of {owner}, not of {provider.title}; it was not sent.",
                f"Put it into the variable of {owner}.",
                provider=provider.name,
            )
    return key


def found(catalogue: Catalogue, env: Mapping[str, str], config: Config) -> list[Found]:
    """List the keys in the environment, and the providers with a key command, masked."""
    keys = []
    for provider in catalogue.providers.values():
        for name in provider.key_names:
            if env.get(name, "").strip():
                keys.append(Found(provider, name, Key(env[name].strip(), name).masked))
                break
        else:
            if provider.name in config.key_commands:
                keys.append(Found(provider, "your key command", "not asked yet"))
    return keys
