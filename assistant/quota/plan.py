"""What the user pays for (Plan) and what is counted in it (Meter), from our pages in `plans/` and the user's own.

`plans/TEMPLATE.md` shows every key of a page. A user's page may say `extends = "glm-lite"` and give only what differs:
the instant of the order, another limit, a currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assistant import discover
from assistant.errors import ConfigError
from assistant.quota import plan_files
from assistant.quota.page import Page
from assistant.quota.plan_page import read_plan
from assistant.quota.terms import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    _Pages = dict[str, tuple[Path, dict[str, Any]]]


def load_plans(users: Path | None, wrong: list[ConfigError] | None = None) -> Plans:
    """Find all plans; a user's page replaces ours of the same name. Raises ConfigError naming file and line.

    With `wrong` nothing is raised: an unreadable page of the user's is left out, and its error is added there.
    """
    return Plans(users, wrong)


class Plans(Mapping[str, Plan]):
    """All plans by name. Ours are named by their files and read on demand; the user's are read at once."""

    def __init__(self, users: Path | None, wrong: list[ConfigError] | None = None) -> None:
        self._users = users
        self._paths = {path.stem: path for path in plan_files.pages(None)}
        self._pages: _Pages = {}
        self._plans: dict[str, Plan] = {}
        for path in plan_files.pages(users)[len(self._paths) :]:
            try:
                self._take(path)
            except ConfigError as error:
                _note(error, wrong)
        for name in list(self._pages):
            try:
                self[name]  # raises the errors in a user's page at once, before the plan is used
            except ConfigError as error:
                _note(error, wrong)
                del self._paths[name]

    def _take(self, path: Path) -> None:
        page = discover.read_toml(path)
        name = _name(path, page)
        if name in self._paths and page.get("extends") == name:
            raise Page(page, str(path)).fail("a plan cannot extend itself.", "extends", "Give it a name of its own.")
        self._paths.pop(name, None)
        self._paths[name] = path
        self._pages[name] = (path, page)

    def __getitem__(self, name: str) -> Plan:
        if name not in self._plans:
            path, page = self._page(name)
            pages = {name: page}
            base = page.get("extends")
            while isinstance(base, str) and base in self._paths and base not in pages:
                pages[base] = self._page(base)[1]
                base = pages[base].get("extends")
            self._plans[name] = _read(path, page, {each: (path, read) for each, read in pages.items()})
        return self._plans[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def natural(self, provider: str) -> Plan | None:
        """Return a provider's default plan, the user's before ours; only the pages that mention it are read."""
        speaking = set(plan_files.pages(self._users, provider))
        plans = (self[name] for name, path in reversed(list(self._paths.items())) if path in speaking)
        return next((plan for plan in plans if provider in plan.default_for), None)

    def speaking(self, word: str) -> list[Plan]:
        """Return the plans whose pages contain a word, or extend such a page; of ours only those are read."""
        texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in self._paths.items()}
        found = {name for name, text in texts.items() if word in text}
        more = found
        while more:
            more = {name for name, text in texts.items() if any(f'"{base}"' in text for base in more)} - found
            found |= more
        return [self[name] for name in self._paths if name in found]

    def _page(self, name: str) -> tuple[Path, dict[str, Any]]:
        if name not in self._pages:
            self._pages[name] = (self._paths[name], discover.read_toml(self._paths[name]))
        return self._pages[name]


def _note(error: ConfigError, wrong: list[ConfigError] | None) -> None:
    if wrong is None:
        raise error
    wrong.append(error)


def _name(path: Path, page: dict[str, Any]) -> str:
    name = page.get("name")
    if not isinstance(name, str) or not name:
        raise Page(page, str(path)).fail("a plan has a name and meters.", "name", "See the README's example.")
    return name


def load_plan(users: Path | None, name: str) -> Plan | None:
    """Read one plan by its name; None if there is none.

    Only the pages that mention the name are read, for faces that must be quick.
    """
    pages = _pages(users, name)
    if name not in pages:
        return None
    path, page = pages[name]
    return _read(path, page, _pages(users) if "extends" in page else pages)


def read_file(path: Path, users: Path | None = None) -> Plan:
    """Read one page, which may extend one of ours or the user's."""
    page = discover.read_toml(path)
    return _read(path, page, _pages(users) if "extends" in page else {})


def _pages(users: Path | None, word: str = "") -> _Pages:
    found: _Pages = {}
    for path in plan_files.pages(users, word):
        page = discover.read_toml(path)
        name = _name(path, page)
        before = found.pop(name, None)
        if before is not None and page.get("extends") == name:
            raise Page(page, str(path)).fail("a plan cannot extend itself.", "extends", "Give it a name of its own.")
        found[name] = (path, page)
    return found


def _read(path: Path, page: Mapping[str, Any], pages: _Pages) -> Plan:
    text = path.read_text(encoding="utf-8", errors="replace")
    return read_plan(page, str(path), text, {name: each for name, (_, each) in pages.items()})
