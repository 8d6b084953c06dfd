"""What the user pays for (Plan) and the things that are counted in it (Meter), from pages in `plans/` and the user's.

`plans/TEMPLATE.md` shows every key of a page. A page of the user's may say `extends = "glm-lite"` and give only what is
his: the instant of his order, another limit, a currency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant import discover
from assistant.quota import shelf
from assistant.quota.page import Page
from assistant.quota.plan_page import read_plan
from assistant.quota.terms import Limit, Lot, Meter, Plan, Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    _Pages = dict[str, tuple[Path, dict[str, Any]]]

__all__ = [
    "Limit", "Lot", "Meter", "Plan", "Provenance", "load_plan", "load_plans", "read_file", "read_plan",
]  # fmt: skip


def load_plans(users: Path | None) -> dict[str, Plan]:
    """Read all plans, ours first; the user's of the same name win. Raises ConfigError naming file and line."""
    pages = _pages(users)
    return {name: _read(path, page, pages) for name, (path, page) in pages.items()}


def load_plan(users: Path | None, *, name: str = "", provider: str = "") -> Plan | None:
    """Read one plan by its name, or the one that is the natural plan of a provider; None where there is none.

    Only the pages that mention it are read, for faces that must be quick.
    """
    pages = _pages(users, name or provider)
    for page_name, (path, page) in reversed(pages.items()):
        if page_name == name or (not name and provider in page.get("default_for", ())):
            if "extends" in page:
                pages = _pages(users)
            return _read(path, page, pages)
    return None


def read_file(path: Path, users: Path | None = None) -> Plan:
    """Read one page, which may extend ours or the user's."""
    page = discover.read_toml(path)
    return _read(path, page, _pages(users) if "extends" in page else {})


def _pages(users: Path | None, word: str = "") -> _Pages:
    found: _Pages = {}
    for path in shelf.pages(users, word):
        page = discover.read_toml(path)
        name = page.get("name")
        if not isinstance(name, str) or not name:
            raise Page(page, str(path)).fail("a plan has a name and meters.", "name", "See the README's example.")
        before = found.pop(name, None)
        if before is not None and page.get("extends") == name:
            raise Page(page, str(path)).fail("a plan cannot extend itself.", "extends", "Give it a name of its own.")
        found[name] = (path, page)
    return found


def _read(path: Path, page: Mapping[str, Any], pages: _Pages) -> Plan:
    text = path.read_text(encoding="utf-8", errors="replace")
    return read_plan(page, str(path), text, {name: each for name, (_, each) in pages.items()})
