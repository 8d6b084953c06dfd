"""Public holidays, from pages in `calendars/`: some prices have no peak on such a day."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import discover
from assistant.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Calendar(NamedTuple):
    """The holidays of one country, known from `since` until before `until`."""

    name: str
    since: date
    until: date
    days: frozenset[date]

    def is_holiday(self, day: date) -> bool | None:
        """Say whether a day is a holiday; None for a day that the calendar does not cover."""
        return day in self.days if self.since <= day < self.until else None


@cache
def calendars() -> Mapping[str, Calendar]:
    """Return the calendars that are shipped, by name."""
    pages = discover.data_files(Path(__file__).parent / "calendars", None)
    return {found.name: found for found in (read(discover.read_toml(path), str(path)) for path in pages)}


def read(page: Mapping[str, Any], where: str) -> Calendar:
    """Read one calendar. Raises ConfigError naming the file."""
    try:
        days = {
            each["first"] + timedelta(days=count)
            for each in page["holidays"]
            for count in range((each["last"] - each["first"]).days + 1)
        }
        return Calendar(page["name"], page["since"], page["until"], frozenset(days))
    except (KeyError, TypeError) as error:
        raise ConfigError(
            f"{where}: a calendar has a name, since, until and holidays with first and last.", "Mend the file."
        ) from error
