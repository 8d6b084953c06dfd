"""Lists the plan pages, and those that mention a word, without reading them as TOML.

A face asks at its start whether a provider has a plan at all; most have none, and then no plan is loaded.
"""

from __future__ import annotations

from pathlib import Path

from assistant import discover


def pages(users: Path | None, word: str = "") -> list[Path]:
    """List plan pages, ours first; with a word, only those that contain it in quotes."""
    found = discover.data_files(Path(__file__).parent / "plans", users)
    wanted = f'"{word}"'.encode()
    return [path for path in found if not word or wanted in path.read_bytes()]
