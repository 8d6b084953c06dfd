"""Finds extensions: the modules of a package, and data files, ours first and the user's after.

Nothing is registered by hand. A module whose name starts with an underscore is not a part.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from assistant.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


def part_names(package: str) -> list[str]:
    """Return the names of the modules in `package`, sorted, without importing them."""
    root = importlib.import_module(package)
    # pkgutil would know packages in an archive too, and loads a quarter of the standard library to do so.
    files = {file for place in root.__path__ for file in os.listdir(place)}  # noqa: PTH208
    return sorted(file[:-3] for file in files if file.endswith(".py") and not file.startswith("_"))


def part(package: str, name: str) -> ModuleType:
    """Import one part by name.

    Raises ConfigError, naming the existing parts, when there is none of that name.
    """
    if name not in (names := part_names(package)):
        kind = package.rpartition(".")[2].rstrip("s")
        raise ConfigError(f"There is no {kind} called {name!r}.", f"Choose one of: {', '.join(names)}.")
    return importlib.import_module(f"{package}.{name}")


def parts(package: str) -> Iterator[ModuleType]:
    """Import every part of a package, in order of name."""
    for name in part_names(package):
        yield importlib.import_module(f"{package}.{name}")


def data_files(ours: Path, users: Path | None) -> list[Path]:
    """List the TOML files of a kind, ours first, then the user's of the same kind, each set sorted by name."""
    found = sorted(ours.glob("*.toml"))
    if users is not None and users.is_dir():
        found += sorted(users.glob("*.toml"))
    return found


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file; raises ConfigError with file and line when it is not TOML."""
    import tomllib  # imported late: a question with a warm index reads no TOML

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "Mend the file or move it away.") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", "Check that the file is there and yours."
        ) from error
