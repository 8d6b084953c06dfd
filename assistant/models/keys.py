"""Keys: where they are found and how they are shown. Never from a project's files, never whole on a screen.

A key comes from the environment, from the command that the user's own config names, or from the keyring of the operating
system (the extra `keyring`), in this order. It is sent to its own provider's address only.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant.discover import read_toml
from assistant.errors import Auth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assistant.config import Config
    from assistant.models.catalogue import Catalogue
    from assistant.models.provider import Provider

SERVICE = "wattson"
"""The name under which the keyring holds keys; the user name beside it is the provider's."""
_COMMAND_S = 30
_FEW = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
    # Where password stores keep their files, and how they reach their agents.
    "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME", "PASSWORD_STORE_DIR",
    "SSH_AUTH_SOCK",
})  # fmt: skip
"""The environment variables that a key command sees."""


class Key(NamedTuple):
    """A key, where it came from, and how it may be shown."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"Key({self.masked}, {self.source})"

    @property
    def masked(self) -> str:
        """The ends of the key only."""
        return masked(self.value)


class Found(NamedTuple):
    """A key that was found: its provider, its source, and the key, masked."""

    provider: Provider
    source: str
    masked: str


class Shape(NamedTuple):
    """How the keys of a vendor begin. A weak shape is only a hint, too uncertain to refuse a key for."""

    begins: str
    providers: tuple[str, ...]
    what: str
    weak: bool = False


def masked(value: str) -> str:
    """Return only the ends of a key, and nothing of a short one."""
    return f"{value[:3]}…{value[-4:]}" if len(value) >= 16 else "…"


def mark(value: str) -> str:
    """Return a short hash by which a key is known where it must not be kept; it reveals nothing of the key."""
    import hashlib

    return hashlib.sha256(value.encode()).hexdigest()[:8] if value else "none"


@cache
def shapes() -> tuple[Shape, ...]:
    """Return the known beginnings of keys, the longest first."""
    found = [
        Shape(each["begins"], tuple(each["providers"]), each["what"], each.get("weak", False))
        for each in read_toml(Path(__file__).parent / "key_shapes.toml")["shape"]
    ]
    return tuple(sorted(found, key=lambda shape: len(shape.begins), reverse=True))


def misplaced(key: str, provider: Provider) -> str | None:
    """Return what is wrong with giving this key to this provider, and what to do; None if nothing is known to be wrong.

    Asked before anything is sent. An address that the user has set may take any key: it is a relay, or a test.
    """
    if provider.address_from:
        return None
    shape = next((shape for shape in shapes() if key.startswith(shape.begins)), None)
    if shape is None or shape.weak or any(fnmatchcase(provider.name, each) for each in shape.providers):
        return None
    if not any(fnmatchcase(provider.name, each) for known in shapes() for each in known.providers) and not _ours(
        provider.name
    ):
        return None  # a provider of the user's own
    family = [each.replace("*", "") for each in shape.providers]
    return (
        f"It is {shape.what}: choose {' or '.join(family)}, which is reached at an address of its own, or put a key of "
        f"{provider.title} in its place."
    )


def whose(key: str) -> str:
    """Say whose key it is by its beginning; empty if that says nothing."""
    return next((shape.what for shape in shapes() if key.startswith(shape.begins)), "")


@cache
def _ours(name: str) -> bool:
    return (Path(__file__).parent / "providers" / f"{name}.toml").is_file()


def find_key(
    provider: Provider, env: Mapping[str, str], config: Config, vault: Callable[[str, str], str | None] | None = None
) -> Key | None:
    """Return the provider's key: from the environment, the command of the user's config, or the keyring.

    `vault` stands for the keyring: service and name in, key out. Call this in a thread: it may wait for a command, or
    for a keyring to be unlocked. Raises Auth for a key that cannot be one, or that is another provider's; it was not
    sent.
    """
    known, wrong = _in_env(provider, env)
    if known is not None:
        return known
    command = _command(provider.name, config)
    if command:
        return _checked(Key(_ask(command, provider, env), "your key command"), provider)
    kept = (vault or _keyring)(SERVICE, provider.name) if provider.key_needed or vault else None
    if kept and kept.strip():
        return _checked(Key(kept.strip(), "the keyring"), provider)
    if wrong is not None:
        raise wrong
    return None


def at_hand(provider: Provider, env: Mapping[str, str]) -> str:
    """Return the key that the environment holds for a provider; empty if there is none, or none that may be sent."""
    known = _in_env(provider, env)[0]
    return known.value if known is not None else ""


def _in_env(provider: Provider, env: Mapping[str, str]) -> tuple[Key | None, Auth | None]:
    """Return the key in the environment, and what is wrong with the first one that cannot be a key."""
    wrong: Auth | None = None
    for name in provider.key_names:
        if env.get(name, "").strip():
            try:
                return _checked(Key(env[name].strip(), name), provider), wrong
            except Auth as error:  # another of its names may hold the right one
                wrong = wrong or error
    return None, wrong


def _command(name: str, config: Config) -> list[str] | None:
    command = config.providers.get(name, {}).get("key_command") or config.key_commands.get(name)
    return list(command) if command else None


def _ask(command: list[str], provider: Provider, env: Mapping[str, str]) -> str:
    """Run the user's command. It sees what a password store needs, and none of the other keys in the environment."""
    import subprocess

    few = {name: value for name, value in env.items() if name in _FEW or name.startswith("LC_")}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COMMAND_S, check=True, env=few
        )
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        raise Auth(
            f"The key command for {provider.title} failed.",
            "Run it by hand and mend it in your config.",
            provider=provider.name,
        ) from error
    if not done.stdout.strip():
        raise Auth(
            f"The key command for {provider.title} printed nothing.",
            "Run it by hand and mend it in your config.",
            provider=provider.name,
        )
    return done.stdout.strip()


def _keyring(service: str, name: str) -> str | None:
    """Ask the operating system's keyring, if the extra is installed; a keyring that is locked or broken has no key."""
    import importlib

    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    failures = importlib.import_module("keyring.errors").KeyringError
    try:
        found = keyring.get_password(service, name)
    except (failures, RuntimeError, OSError):
        return None
    return found if isinstance(found, str) else None


def _checked(key: Key, provider: Provider) -> Key:
    if not key.value.isascii() or any(sign.isspace() or ord(sign) < 32 for sign in key.value) or key.value[0] in "'\"":
        raise Auth(
            f"The key in {key.source} has signs that no key has (blanks, quotes, or letters that are not ASCII).",
            "Copy it again.",
            provider=provider.name,
        )
    wrong = misplaced(key.value, provider)
    if wrong:
        raise Auth(
            f"The key in {key.source} does not belong to {provider.title} at {provider.base_url}; it was not sent.",
            wrong,
            provider=provider.name,
        )
    return key


def strays(catalogue: Catalogue, env: Mapping[str, str]) -> list[str]:
    """Say which variables hold another provider's key, which is not sent for that reason, and where it belongs."""
    told = []
    for provider in catalogue.mentioning(env):
        for name in provider.key_names:
            value = env.get(name, "").strip()
            words = misplaced(value, provider) if value else None
            takers = [each for each in catalogue.mentioning(env) if name in each.key_names and each is not provider]
            if words is None or any(misplaced(value, each) is None for each in takers):
                continue
            told.append(
                f"{name} is set ({masked(value)}), and is not sent to {provider.title}. {words}{_belongs(value, catalogue)}"
            )
    return told


def _belongs(value: str, catalogue: Catalogue) -> str:
    """Name the variables in which a key would be used."""
    shape = next(shape for shape in shapes() if value.startswith(shape.begins))
    fits = [
        each for name, each in catalogue.providers.items() if any(fnmatchcase(name, one) for one in shape.providers)
    ]
    names = [f"{each.key_names[0]} for {each.name}" for each in fits if each.key_names]
    return f" It would be found in {' or '.join(names)}." if names else ""


def found(catalogue: Catalogue, env: Mapping[str, str], config: Config) -> list[Found]:
    """List the keys in the environment, and the providers with a key command, masked. The keyring is not asked.

    A key whose shape says that it is another provider's is not listed for this one.
    """
    keys = []
    for provider in catalogue.mentioning({*env, *config.key_commands}):
        for name in provider.key_names:
            value = env.get(name, "").strip()
            if value and misplaced(value, provider) is None:
                keys.append(Found(provider, name, masked(value)))
                break
        else:
            if _command(provider.name, config):
                keys.append(Found(provider, "your key command", "not asked yet"))
    return keys
