"""A provider's statement of its quota (Reading), the request for one (QuotaCall), and when to ask again (due).

A reading is kept as it came and never overwritten: `to_json` and `from_json` carry it through a store. Readers are
modules in `readers/`; each has `read(said, host, now) -> list[Reading]`, where `said` is the headers (lower-case names)
or the parsed body; `FROM` says which of the two. If there is an endpoint, it has `call(base_url, key) -> QuotaCall`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from assistant import discover
from assistant.quota.page import as_event

Source = Literal["headers", "endpoint", "error", "file", "you"]
Rounding = Literal["exact", "truncated", "rounded"]
Status = Literal["ok", "exhausted", "unlimited", "not_in_plan", "unsupported", "unknown"]
_NOTHING: Mapping[str, Decimal] = MappingProxyType({})
_RAW_LIMIT = 2_000
_MOST = Decimal(10) ** 18
LONGEST_RETRY = timedelta(days=1)
"""The longest pause after asking a quota page, whatever its Retry-After says: a wrong one must not stop us for
years."""
SOME, SOME_LONG, LIKELY = "some window", "some long window", "likely window"
"""Stands for the meter of a refusal that does not name the window: any one, one of a week or a month, and the shortest
of those that can be meant."""
_MOST_PERCENT = Decimal(200)
"""No limit is used beyond this: providers refuse at a hundred percent, or soon after."""
_NAMES = {300: "5 hours", 1440: "day", 10_080: "week"}


class Reading(NamedTuple):
    """One limit as a provider stated it.

    `meter` is the window by its length, or the balance ("5 hours", "week", "month", "balance"), never the name of the
    field that held it; `mapped` is False for an unknown kind of limit, which is kept and shown raw. `used`, `limit` and
    `remaining` are in `unit`, `percent` is 0 to 100; None is unknown. `rounding` says how the percent was rounded.
    `observed_at` is by our clock, `provider_at` by the provider's. `parts` split a balance. `raw` is this limit's own
    JSON.
    """

    meter: str
    source: Source
    observed_at: datetime
    unit: str = ""
    used: Decimal | None = None
    limit: Decimal | Literal["unlimited"] | None = None
    remaining: Decimal | None = None
    percent: Decimal | None = None
    rounding: Rounding = "exact"
    resets_at: datetime | None = None
    minutes: int | None = None
    status: Status = "ok"
    provider_at: datetime | None = None
    models: tuple[str, ...] = ()
    feature: str = ""
    currency: str = ""
    parts: Mapping[str, Decimal] = _NOTHING
    mapped: bool = True
    raw: str = ""
    provider: str = ""
    account: str = ""

    @property
    def at(self) -> datetime:
        """The instant of the reading: the provider's if given, else ours."""
        return self.provider_at or self.observed_at

    @property
    def digest(self) -> str:
        """A hash of the statement, to recognise a repeated one."""
        import hashlib

        return hashlib.sha256(self.raw.encode()).hexdigest()[:16]


def to_json(reading: Reading) -> dict[str, Any]:
    """Return a reading as JSON values: decimals as strings, instants as ISO text; empty fields are left out."""
    found: dict[str, Any] = {}
    for name, said in zip(Reading._fields, reading, strict=True):
        value: Any = said
        if isinstance(value, Decimal):
            value = str(value)
        elif isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, Mapping):
            value = {name: str(part) for name, part in value.items()}
        if value not in (None, "", [], {}):
            found[name] = value
    return found


def from_json(values: Mapping[str, Any]) -> Reading:
    """Return the reading that `to_json` wrote; ignore keys of newer versions. Raises ValueError if it is unreadable."""
    known = set(Reading._fields)
    given = {name: value for name, value in values.items() if name in known}
    try:
        for name in ("used", "limit", "remaining", "percent"):
            if name in given and given[name] != "unlimited":
                given[name] = Decimal(str(given[name]))
        for name in ("observed_at", "provider_at", "resets_at"):
            if name in given:
                given[name] = datetime.fromisoformat(given[name])
        given["models"] = tuple(given.get("models", ()))
        given["parts"] = {name: Decimal(str(part)) for name, part in given.get("parts", {}).items()}
        return Reading(**given)
    except (TypeError, AttributeError, InvalidOperation) as error:
        raise ValueError(f"This is not a reading: {error}") from error


class QuotaCall(NamedTuple):
    """One request for a quota, ready to be sent; it never costs quota. `every` is the least time between two."""

    url: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""
    every: timedelta = timedelta(seconds=60)

    def __repr__(self) -> str:
        return f"QuotaCall({self.method} {self.url})"  # the headers hold a key


class Asked(NamedTuple):
    """When a source was last asked, by any of our processes, and how that ended. Keep it beside the readings."""

    at: datetime | None = None
    ok: bool = True
    retry_at: datetime | None = None


def due(
    asked: Asked,
    now: datetime,
    *,
    every: timedelta,
    resets_at: datetime | None,
    burst: bool,
    seed: str,
) -> bool:
    """Say whether a source may be asked now.

    It may not before a believable Retry-After, given to whichever process; after a failure not for four times the
    interval; else once in an interval that is up to a quarter longer by the `seed` (use the account), so that not all
    ask at once. A burst of our own steps, or a reset that has just passed, makes it due after a tenth of the interval.
    A last request that seems to lie more than four intervals in the future, because a clock was set back, does not
    block it.
    """
    if asked.at is not None and now < asked.at:  # times of another clock tell nothing about this one
        return asked.at - now > every * 4
    if (retry := silent_until(asked.at, asked.retry_at, now)) is not None and now < retry:
        return False
    if asked.at is None:
        return True
    since = now - asked.at
    import hashlib

    jitter = int(hashlib.sha256(seed.encode()).hexdigest()[:4], 16) / 0xFFFF / 4 if seed else 0
    wait = every * (1 + jitter) if asked.ok else every * 4
    if asked.ok and (burst or (resets_at is not None and asked.at < resets_at <= now - timedelta(seconds=5))):
        wait = min(wait, max(every / 10, timedelta(seconds=5)))
    return since >= wait


def silent_until(at: datetime | None, retry_at: datetime | None, now: datetime) -> datetime | None:
    """Return until when a Retry-After given at `at` holds: at most a day; None if it does not hold."""
    if retry_at is None or (at is None and retry_at > now + LONGEST_RETRY):
        return None
    return min(retry_at, at + LONGEST_RETRY) if at is not None else retry_at


def due_at(asked: Asked, now: datetime, *, every: timedelta) -> datetime:
    """Return the earliest instant at which a source may be asked again, without jitter."""
    wait = asked.at + (every if asked.ok else every * 4) if asked.at is not None else now
    return max(now, wait, silent_until(asked.at, asked.retry_at, now) or now)


def from_headers(headers: Mapping[str, str], host: str, now: datetime) -> list[Reading]:
    """Read all limits in the headers of any provider's answer."""
    lower = {name.lower(): value for name, value in headers.items()}
    found: list[Reading] = []
    for part in discover.parts("assistant.quota.readers"):
        if part.FROM == "headers":
            found += part.read(lower, host, now)
    return list(map(_sound, found))


def from_body(body: Any, host: str, now: datetime, reader: str) -> list[Reading]:
    """Read the body of a quota endpoint: by the reader that is named, or with "" by those that know the host.

    A body that is not JSON, or unknown to the reader, gives no reading. Raises Auth if the body rejects the key.
    """
    data = parsed(body)
    found: list[Reading] = []
    for part in discover.parts("assistant.quota.readers"):
        name = part.__name__.rpartition(".")[2]
        knows = name == reader if reader else any(host == each or host.endswith("." + each) for each in part.HOSTS)
        if part.FROM == "body" and knows and isinstance(data, dict):
            found += part.read(data, host, now)
    return list(map(_sound, found))


def of_plan(body: Any, reader: str, host: str, now: datetime) -> list[Reading]:
    """Read a body of which only the plan is known: by the plan's `reader`, with the plan's `host`.

    If the plan names no reader, or one that reads no bodies, the host decides, then the first reader that finds a known
    limit. Raises Auth if the body rejects the key.
    """
    parts = [part for part in discover.parts("assistant.quota.readers") if part.FROM == "body"]
    names = [part.__name__.rpartition(".")[2] for part in parts]
    if reader in names:
        return from_body(body, host, now, reader)
    told = (from_body(body, host, now, name) for name in ("", *names))
    return next((found for found in told if any(map(_tells, found))), [])


def _tells(reading: Reading) -> bool:
    """Say whether it tells something about a known limit: general readers find unknown limits in any body."""
    figures = (reading.percent, reading.used, reading.limit, reading.remaining)
    return reading.mapped and (reading.status == "unlimited" or any(each is not None for each in figures))


def _sound(reading: Reading) -> Reading:
    """Remove impossible figures: a negative limit or percent.

    A percent far beyond 100 without other figures is not a use of any limit: it is only shown as it came.
    """
    if isinstance(reading.limit, Decimal) and reading.limit < 0:
        reading = reading._replace(limit=None)
    if reading.percent is not None and reading.percent < 0:
        reading = reading._replace(percent=None)
    percent = reading.percent
    if percent is not None and percent > _MOST_PERCENT and reading.used is None and reading.remaining is None:
        reading = reading._replace(
            meter=f"{reading.meter} far beyond 100%", percent=None, mapped=False, status="unknown"
        )
    return reading


def parsed(body: Any) -> Any:
    """Parse a body; None if it is a web page or otherwise not JSON."""
    if not isinstance(body, (str, bytes)):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def window_name(minutes: int | None) -> str:
    """Name a window by its length, as plan pages do: 300 is "5 hours", 10080 "week", about 30 days "month"."""
    if not minutes:
        return "unknown"
    if minutes in _NAMES:
        return _NAMES[minutes]
    if 28 * 1440 <= minutes <= 31 * 1440:
        return "month"
    if minutes % 1440 == 0:
        return f"{minutes // 1440} days"
    return f"{minutes // 60} hours" if minutes % 60 == 0 else f"{minutes} minutes"


def number(value: Any) -> Decimal | None:
    """Read a number that may be a string; None if it is none, or too large to be a count."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value).strip().rstrip("%"))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < _MOST else None


def moment(value: Any) -> datetime | None:
    """Read an instant: Unix seconds or milliseconds, or ISO text; without an offset it is UTC. 0 is none."""
    if value in (0, "0", "", None):
        return None
    return as_event(value)


def truth(value: Any) -> bool:
    """Read a truth value that may be text: True, true, 1."""
    return str(value).strip().lower() in {"true", "1", "yes"}


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> timedelta | None:
    """Read a length like 12ms, 1s, 6m0s, 1m7.5s or 2h3m; a plain number is seconds."""
    text = text.strip().lower()
    if (plain := number(text)) is not None:
        return timedelta(seconds=min(float(plain), 1e8)) if plain >= 0 else None
    parts = _DURATION.findall(text)
    if not parts or "".join(value + unit for value, unit in parts) != text:
        return None
    return timedelta(seconds=sum(min(float(value), 1e8) * _SECONDS[unit] for value, unit in parts))


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return the instant of a Retry-After: seconds, milliseconds or an HTTP date."""
    if (ms := number(headers.get("retry-after-ms"))) is not None and ms >= 0:
        return now + timedelta(milliseconds=min(float(ms), 1e9))
    text = headers.get("retry-after", "")
    if (wait := duration(text)) is not None:
        return now + wait
    from email.utils import parsedate_to_datetime  # HTTP dates are rare, and this import is not small

    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def raw(limit: Any) -> str:
    """Return the JSON of one limit, cut to a length that a person would read."""
    return json.dumps(limit, sort_keys=True, ensure_ascii=False, default=str)[:_RAW_LIMIT]


def beside(base_url: str, path: str, *, below: tuple[str, ...] = ()) -> str:
    """Return the address of `path` on the same host as `base_url`, so that a key goes nowhere else.

    `below` are endings of a base address that are replaced by the path; what precedes them is kept.
    """
    parts = urlsplit(base_url)
    prefix = parts.path.rstrip("/")
    for end in sorted(below, key=len, reverse=True):
        if prefix.endswith(end):
            prefix = prefix.removesuffix(end)
            break
    else:
        prefix = ""
    return f"{parts.scheme}://{parts.netloc}{prefix}{path}"


def bearer(key: str) -> dict[str, str]:
    """Return the usual headers of a quota request."""
    return {"Authorization": f"Bearer {key}", "Accept": "application/json"}
