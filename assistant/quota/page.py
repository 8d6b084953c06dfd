"""A page of facts in TOML, read value by value; errors name the file, line and key."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.errors import ConfigError
from assistant.quota.zones import clock_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_STRING = re.compile(r'''"""(?:\\.|[^\\])*?"""|\'{3}.*?\'{3}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|\#[^\n]*''', re.DOTALL)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(m|min|h|hours?|d|days?|w|weeks?)")
_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10080}
_MOST_MINUTES = 525_600 * 10
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MIDNIGHT = time(0)
FIRST_YEAR, LAST_YEAR = 1900, 9000
"""Windows are computed between these years: near the calendar's edges a window of ten years would have no end."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Page(NamedTuple):
    """One table of a page: its values, the file, the file's whole text, and the table's place in the page.

    `path` is like ("meters", 1, "rules", 0): the first rule of the second meter.
    """

    values: Mapping[str, Any]
    where: str
    text: str = ""
    path: tuple[str | int, ...] = ()

    def fail(self, message: str, key: str = "", hint: str = "Mend the file.") -> ConfigError:
        """Return an error that names file, line and table."""
        line, path = line_of(self.text, self.path, key), self.path
        while not line and len(path) > 1:  # an inline table
            path, key = path[:-2], str(path[-2])
            line = line_of(self.text, path, key)
        name = self.values.get("name")
        table = f" [{name}]" if self.path and isinstance(name, str) else ""
        return ConfigError(f"{self.where}{f':{line}' if line else ''}{table}: {message}", hint)

    def only(self, known: Iterable[str], what: str) -> None:
        """Refuse unknown keys."""
        known = set(known)
        for key in self.values:
            if key not in known:
                from difflib import get_close_matches

                near = get_close_matches(key, known, 1)
                hint = f"Did you mean {near[0]!r}?" if near else f"It knows {', '.join(sorted(known))}."
                raise self.fail(f"{what} knows no {key!r}.", key, hint)

    def tables(self, key: str) -> list[Page]:
        """Return the tables of an array of tables."""
        found = self.values.get(key, [])
        if not isinstance(found, (list, tuple)) or not all(isinstance(each, dict) for each in found):
            raise self.fail(f"{key} must be tables, each below [[{key}]].", key)
        return [Page(each, self.where, self.text, (*self.path, key, index)) for index, each in enumerate(found)]

    def string(self, key: str, default: str = "") -> str:
        """Return a text."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.fail(f"{key} must be a text in quotes.", key)
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; a single text is accepted."""
        value = self.values.get(key, ())
        value = (value,) if isinstance(value, str) else value
        if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
            raise self.fail(f"{key} must be a list of texts.", key)
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Return a truth value, false if it is missing."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.fail(f"{key} must be true or false.", key)
        return value

    def choice(self, key: str, choices: Iterable[str], default: str = "") -> str:
        """Return one of the given words."""
        choices = tuple(choices)
        value = self.values.get(key, default)
        if value not in choices and not (value == default and key not in self.values):
            raise self.fail(f"there is no {key} {value!r}.", key, f"Choose one of: {', '.join(filter(None, choices))}.")
        return str(value)

    def number(self, key: str, default: Decimal | None = None, *, least: Decimal | None = None) -> Decimal | None:
        """Return an exact number; it may be written in quotes."""
        value = self.values.get(key)
        if value is None:
            return default
        found = _decimal(value)
        if found is None:
            raise self.fail(f"{key} is not a number: {value!r}.", key)
        if least is not None and found < least:
            raise self.fail(f"{key} must be at least {least}, not {found}.", key)
        return found

    def numbers(self, key: str, known: Iterable[str] | None = None) -> dict[str, Decimal]:
        """Return a table of numbers."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(f"{key} must be a table such as {{ output = 5 }}.", key)
        found = {}
        for name, each in value.items():
            if known is not None and name not in known:
                raise self.fail(f"{key} knows no {name!r}.", key, f"There are {', '.join(known)}.")
            number = _decimal(each)
            if number is None or number < 0:
                raise self.fail(f"{key}.{name} is not a number from 0 up: {each!r}.", key)
            found[name] = number
        return found

    def zone(self, key: str, default: str = "UTC") -> str:
        """Return the name of a time zone that exists."""
        name = self.string(key, default)
        try:
            clock_of(name)
        except (OSError, ValueError, LookupError) as error:
            raise self.fail(f"there is no time zone {name!r}.", key, "Names are like Asia/Shanghai.") from error
        return name

    def clock(self, key: str) -> time:
        """Return a time of day, midnight if it is missing."""
        value = self.values.get(key, time(0))
        found = value if isinstance(value, time) else _clock(value)
        if found is None:
            raise self.fail(f"{key} is not a time of day: {value!r}.", key, "Write it like '09:00'.")
        return found

    def spans(self, key: str) -> tuple[tuple[time, time], ...]:
        """Return parts of the day like "14:00-18:00"; "24:00" is the midnight at the end."""
        found = []
        for each in self.strings(key):
            first, dash, last = each.partition("-")
            pair = (_clock(first.strip()), _clock(last.strip().replace("24:00", "00:00")))
            if not dash or pair[0] is None or pair[1] is None:
                raise self.fail(f"{key} is not a part of the day: {each!r}.", key, "Write it like '14:00-18:00'.")
            found.append((pair[0], pair[1]))
        return tuple(found)

    def weekdays(self, key: str) -> tuple[int, ...]:
        """Return weekdays, Monday is 0, from words like "mon", "friday" or "mon-fri"."""
        found: list[int] = []
        for each in self.strings(key):
            first, _, last = (part.strip().lower()[:3] for part in each.partition("-"))
            if first not in _DAYS or (last and last not in _DAYS):
                raise self.fail(f"{key} is not a weekday: {each!r}.", key, "Write it like 'mon' or 'mon-fri'.")
            begin, end = _DAYS.index(first), _DAYS.index(last or first)
            found += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]
        return tuple(dict.fromkeys(found))

    def instant(self, key: str, zone: str = "UTC", clock: time = _MIDNIGHT) -> datetime | None:
        """Return an instant in UTC; without an offset it is in `zone`, and a date alone is that day at `clock`."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str) and _DATE.fullmatch(value.strip()):
            value = self.day(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, clock)
        found = as_instant(value, zone)
        if found is None:
            raise self.fail(f"{key} is not an instant: {value!r}.", key, "Write it like 2026-11-03T07:20:00Z.")
        return found

    def day(self, key: str) -> date | None:
        """Return a date."""
        value = self.values.get(key)
        if value is None:
            return None
        try:
            found = date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            found = None
        if isinstance(found, datetime) or not isinstance(found, date):
            raise self.fail(f"{key} is not a date: {value!r}.", key, "Write it like 2026-11-23.")
        return found

    def length(self) -> timedelta:
        """Return the length of a window from `hours`, `minutes`, `days` or `length` ("5h", "7 days")."""
        for key, minutes in (("hours", 60), ("minutes", 1), ("days", 1440)):
            if (value := self.number(key)) is not None:
                if not 0 < value * minutes <= _MOST_MINUTES:
                    raise self.fail(f"{key} must be more than 0 and at most ten years.", key)
                return timedelta(minutes=float(value * minutes))
        text = self.string("length")
        if not text:
            return timedelta(0)
        match = _SPAN.fullmatch(text.strip().lower())
        if match is None or not float(match[1]):
            raise self.fail(f"length is not a length: {text!r}.", "length", "Write it like '5h' or '7 days'.")
        found = float(match[1]) * _MINUTES[match[2][0]]
        if found > _MOST_MINUTES:
            raise self.fail("length must be at most ten years.", "length")
        return timedelta(minutes=found)


def as_instant(value: object, zone: str = "UTC") -> datetime | None:
    """Read an instant from TOML or JSON: a date, a date and time, ISO text or Unix seconds (or milliseconds)."""
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, str):
            text = value.strip()
            if text.replace(".", "", 1).isdigit():
                return as_instant(float(text))
            value = datetime.fromisoformat(text)
        if isinstance(value, (int, float, Decimal)):
            seconds = float(value)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=clock_of(zone))).astimezone(UTC)
        if isinstance(value, date):
            return datetime.combine(value, time(0), clock_of(zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def as_event(value: object) -> datetime | None:
    """Read the instant of an event; None also if windows around it would leave the calendar."""
    found = as_instant(value)
    return found if found is not None and FIRST_YEAR <= found.year < LAST_YEAR else None


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        found = Decimal(str(value).replace("_", "").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _clock(value: object) -> time | None:
    try:
        return time.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None
    except ValueError:
        return None


def line_of(text: str, path: tuple[str | int, ...], key: str) -> int | None:
    """Return the line, from 1, of a key in a table of a TOML text; the table's own line if the key is not found."""
    text = _STRING.sub(_emptied, text)
    names = [each for each in path if isinstance(each, str)]
    wanted = [each for each in path if isinstance(each, int)]
    counts: list[int] = []
    here, place = not names, None
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header and "=" not in line:
            parts = [part.strip().strip("\"'") for part in header[1].split(".")]
            depth = len(parts)
            if parts == names[:depth]:
                counts = counts[:depth]
                if len(counts) < depth:
                    counts.append(-1)
                counts[depth - 1] += 1
            here = parts == names and counts[: len(wanted)] == wanted
            place = number if here else place
        elif here and key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""", line):
            return number
    return place or (_inline(text, names[0], wanted, key) if names else None)


def _emptied(found: re.Match[str]) -> str:
    """Replace a text of several lines by as many empty ones: nothing in it is a table or a key."""
    return "\n" * found[0].count("\n") if found[0].startswith(('"""', "'''")) else found[0]


def _inline(text: str, name: str, wanted: list[int], key: str) -> int | None:
    """Return the line of a key, or of its table, if tables are written as `name = [{ ... }]`."""
    head = re.search(rf"^\s*{re.escape(name)}\s*=", text, re.MULTILINE)
    if head is None:
        return None
    depth, index, start, end = 0, -1, head.end(), len(text)
    for at in range(head.end(), len(text)):
        if text[at] == "{":
            index += depth == 0
            start = at if depth == 0 and index == (wanted or [0])[0] else start
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0 and index == (wanted or [0])[0]:
                end = at
                break
    found = re.compile(rf"\b{re.escape(key)}\s*=").search(text, start, end) if key else None
    return text.count("\n", 0, found.start() if found else start) + 1
