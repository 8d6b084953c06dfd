"""Settings: where files live, the user's `config.toml`, and the few settings that a project may choose."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.discover import read_toml
from assistant.errors import ConfigError
from assistant.files import replace
from assistant.locked import locked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

PROJECT_FILE = ".wattson.toml"
_PROJECT_MAY = {"model": str, "roles": dict, "theme": str, "context_budget": int}
_PROJECT_BUDGET = 32_000
"""The most context tokens that a project may set: the user pays for them with every question."""
_WISHES = "This project wishes for {}; `model` in your own config decides."
_PROJECT_SIZE = 64_000
_WAIT_S = 5.0
"""How long a choice waits for another window's to be saved, in seconds, before it is given up."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Places(NamedTuple):
    """The folders for what the user writes, what we must keep, and what can be rebuilt."""

    config: Path
    data: Path
    cache: Path


class Config(NamedTuple):
    """All settings. Budgets are o200k tokens; caps are money per turn, session or day, None for no cap.

    `reserve` keeps a part of a plan's window, by plan: "20 % of the week for Friday", or a list of such. `roles` names
    the model that writes the edits that the main model plans ("editor"; without one the main model writes them itself),
    and the model for commit messages and briefs ("small"). The main model is `model`, or "main" among the roles.
    """

    model: str = ""
    roles: Mapping[str, str] = _NOTHING
    theme: str = "dark"
    context_budget: int = 4_000
    repairs: int = 1
    cap_turn: Decimal | None = None
    cap_session: Decimal | None = None
    cap_day: Decimal | None = None
    plans: Mapping[str, str] = _NOTHING
    reserve: Mapping[str, str | list[str]] = _NOTHING
    providers: Mapping[str, Mapping[str, Any]] = _NOTHING
    key_commands: Mapping[str, list[str]] = _NOTHING
    warnings: tuple[str, ...] = ()


def places(env: Mapping[str, str]) -> Places:
    """Return the folders for settings, data and cache: those of platformdirs, or all below `WATTSON_HOME`."""
    home = env.get("WATTSON_HOME", "").strip()
    if home:
        root = Path(home).expanduser().absolute()
        return Places(root / "config", root / "data", root / "cache")
    import platformdirs

    return Places(
        platformdirs.user_config_path("wattson", appauthor=False),
        platformdirs.user_data_path("wattson", appauthor=False),
        platformdirs.user_cache_path("wattson", appauthor=False),
    )


def load(where: Places, project: Path | None = None) -> Config:
    """Read the user's `config.toml`, then the project's settings. Raises ConfigError naming file and setting."""
    warnings: list[str] = []
    path = where.config / "config.toml"
    values = read_toml(path) if path.is_file() else {}
    known = set(Config._fields) - {"warnings"}
    for name in sorted(set(values) - known):
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        warnings.append(f"{path}: there is no setting {name!r}" + (f"; did you mean {near[0]!r}?" if near else "."))
        del values[name]
    values["roles"] = _roles(values.get("roles", {}), str(path))
    if main := values["roles"].pop("main", ""):
        values.setdefault("model", main)
    if "model" not in values and (last := remembered(where).get("model")):
        values["model"] = last
    theirs = project / PROJECT_FILE if project else None
    if theirs is not None and theirs.is_file() and not theirs.is_symlink():
        for name, value in _wishes(theirs, warnings).items():
            if name not in _PROJECT_MAY:
                warnings.append(f"{theirs}: a project may not set {name!r}; only {', '.join(sorted(_PROJECT_MAY))}.")
            elif not isinstance(value, _PROJECT_MAY[name]) or isinstance(value, bool):
                warnings.append(f"{theirs}: {name} has the wrong kind of value and is not heeded.")
            elif isinstance(value, int) and not 0 < value <= _PROJECT_BUDGET:
                warnings.append(f"{theirs}: a project may set a context_budget of 1 to {_PROJECT_BUDGET:,} tokens.")
            elif name == "roles":
                try:
                    theirs_too = _roles(value, str(theirs))
                except ConfigError as error:
                    warnings.append(str(error))
                    continue
                if (main := theirs_too.pop("main", "")) and not values.get("model"):
                    values["model"] = main
                    warnings.append(_WISHES.format(main))
                mine = values["roles"]
                warnings += [
                    f"This project wishes for {model} as {role}; [roles] in your own config decides."
                    for role, model in theirs_too.items()
                    if role not in mine
                ]
                values["roles"] = {**theirs_too, **mine}
            elif name in known and (name != "model" or not values.get("model")):
                values[name] = value
                if name == "model" and value:
                    warnings.append(_WISHES.format(value))
    return _typed(values, path, tuple(warnings))


def _wishes(path: Path, warnings: list[str]) -> dict[str, Any]:
    """Read a project's settings. The file is not trusted: a fault in it is only a warning, and Wattson still starts."""
    import tomllib  # imported late: most users and projects have no settings file

    try:
        with path.open("rb") as file:
            data = file.read(_PROJECT_SIZE + 1)
        if len(data) <= _PROJECT_SIZE:
            return tomllib.loads(data.decode("utf-8"))
        why = f"it has more than {_PROJECT_SIZE:,} bytes"
    except (OSError, ValueError, RecursionError) as error:
        why = str(error)
    warnings.append(f"{path} is not read: {why}")
    return {}


def _roles(wishes: Any, where: str) -> dict[str, str]:
    """Read `[roles]`, where each value is a model's name in quotes. Raises ConfigError."""
    if not isinstance(wishes, dict) or not all(isinstance(model, str) for model in wishes.values()):
        raise ConfigError(f"{where}: [roles] has the wrong kind of value.", 'Write it like small = "provider/model".')
    for name in wishes:
        if name not in {"main", "editor", "small"}:
            raise ConfigError(f"{where}: [roles] knows no {name!r}.", "The roles are main, editor and small.")
    return dict(wishes)


def _typed(values: dict[str, Any], path: Path, warnings: tuple[str, ...]) -> Config:
    kinds: dict[str, type | tuple[type, ...]] = {
        "model": str, "theme": str, "context_budget": int, "repairs": int, "plans": dict, "reserve": dict, "providers": dict, "key_commands": dict,
    }  # fmt: skip
    for name, kind in kinds.items():
        if name in values and (not isinstance(values[name], kind) or isinstance(values[name], bool)):
            raise ConfigError(
                f"{path}: {name} has the wrong kind of value.", "README shows under Settings how each is written."
            )
    for name, least in (("context_budget", 1), ("repairs", 0)):
        if name in values and values[name] < least:
            raise ConfigError(f"{path}: {name} is {values[name]}.", f"Write a number from {least} up.")
    for name in ("cap_turn", "cap_session", "cap_day"):
        if name in values:
            values[name] = _money(values[name], f"{path}: {name}")
    return Config(**values, warnings=warnings)


def _money(value: Any, setting: str) -> Decimal:
    """Read an amount of money, 0 or more. Raises ConfigError naming the setting."""
    from decimal import Decimal, InvalidOperation

    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ConfigError(f"{setting} is not an amount of money.", "Write it like '0.50'.")
    return amount


def remembered(where: Places) -> dict[str, Any]:
    """Return the choices that earlier sittings saved; empty where they cannot be read."""
    try:
        data = json.loads((where.data / "state.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def remembered_names(where: Places, what: str) -> list[str]:
    """Return a list of names that an earlier sitting saved; empty where none can be read."""
    found = remembered(where).get(what)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def remember(where: Places, **values: Any) -> None:
    """Save choices for the next sitting; if the disk refuses, they still hold in this one."""
    known = remembered(where)
    if {**known, **values} == known:
        return
    with suppress(OSError):
        where.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        # so that what another window saves at the same moment is not lost
        with locked(where.data / "state.lock", _WAIT_S):
            replace(where.data / "state.json", json.dumps({**remembered(where), **values}).encode())
