"""The events of a replay: steps and readings, read from JSON lines.

Events are JSON lines, one step or one reading each, in the order in which they became known; one JSON array of them is
also accepted. Unknown keys are noted and ignored. Keys, all optional but the instant:

- `at` (or `time`, `timestamp`): ISO text or Unix seconds; `until` when the step ended; `state`: "settled" (also when
  missing), "in_flight", "failed" (not billed), "interrupted" or "failed_unknown" (perhaps billed).
- `id` (or `request_id`, with `attempt`): lines of one id are one step, the last says how it ended.
- `client`: another program whose own log contains the step; it counts as others' burn and is never blocked.
- `model`, `feature`; token classes `fresh_input` (or `input`), `cache_read`, `cache_write` (or `cache_write_short`,
  `cache_write_long`), `output`, `reasoning`, here or inside `usage`; `tokens` if only the sum is known; `exact`: false.
- `requests` (1 when missing; also `calls`), `prompts`, `credits`, `percent`, `money` or `cost` with `currency`, `units`
  for whatever the meter counts: all before the plan's weights and factors. `burn`: {meter: units} is final.
- `reading`: {`meter`, `used`, `limit`, `remaining`, `percent`, `rounding`, `resets_at`, `source`, `status`,
  `observed_at`, `provider_at`, `currency`, `minutes`, `parts`}, or `readings`: [..]; or a provider's own words:
  `headers`, or `body`, with `host` (or `reader`, a module in `readers/`; without either, the plan's own reader is
  used), and `status` for a refusal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING, Any, get_args

from assistant.errors import AssistantError, ConfigError
from assistant.quota import exhaustion
from assistant.quota.page import FIRST_YEAR, LAST_YEAR, as_event
from assistant.quota.reading import Reading, Rounding, Source, Status, from_body, from_headers, of_plan, raw
from assistant.quota.reading import number as decimal
from assistant.quota.tariff import Burn
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from assistant.quota.terms import Plan


_CLASSES = {
    "fresh_input": "fresh_input", "input": "fresh_input", "input_tokens": "fresh_input", "cache_read": "cache_read",
    "cached": "cache_read", "cache_read_input_tokens": "cache_read", "cache_write": "cache_write_short",
    "cache_write_short": "cache_write_short", "cache_write_long": "cache_write_long",
    "cache_creation_input_tokens": "cache_write_short", "output": "output", "output_tokens": "output", "reasoning": "reasoning",
}  # fmt: skip
_AT = ("at", "time", "timestamp")
_YEARS = f"between the years {FIRST_YEAR} and {LAST_YEAR}"
_FAILED = {"failed", "failed_free", "failed-free"}
_DOUBTFUL = {"interrupted", "failed_unknown", "failed-billed-unknown", "failed_billed_unknown"}
_STATES = {"settled", "in_flight", *_FAILED, *_DOUBTFUL}
_LIMIT = 5_000_000
_STEP_KEYS = {
    *_AT, *_CLASSES, "until", "state", "id", "request_id", "attempt", "model", "feature", "usage", "tokens", "exact", "requests",
    "calls", "prompts", "credits", "percent", "units", "money", "cost", "currency", "burn", "reading", "readings", "headers",
    "body", "host", "reader", "status", "client",
}  # fmt: skip
_READING_KEYS = {
    "meter", "used", "limit", "remaining", "percent", "rounding", "resets_at", "source", "status", "observed_at", "provider_at",
    "currency", "minutes", "parts", "unit", "granted", "topped_up", "voucher", "cash",
}  # fmt: skip
_SAID = {
    "note", "comment", "type", "kind", "event", "name", "label", "provider", "account", "plan", "session", "turn", "step",
    "project", "purpose", "payer", "served_model", "pid", "ended_at",
}  # fmt: skip
"""Keys that are for people or come from a ledger: they change nothing here."""
_SOURCES = {"header": "headers", "provider": "endpoint", "api": "endpoint", "user": "you"}


@dataclass(frozen=True, slots=True)
class Event:
    """One line: a step that burns, or readings, or both. `arrived` is its own instant; `line` counts from 1.

    `notes` say what was unreadable. Two events of one `id` are the same step: the later line says how it ended, the
    first when it began.
    """

    arrived: datetime
    burn: Burn | None = None
    readings: tuple[Reading, ...] = ()
    cost: Cost | None = None
    line: int = 0
    id: str = ""
    notes: tuple[str, ...] = ()


def read_events(lines: Iterable[str], where: str = "events", plan: Plan | None = None) -> list[Event]:
    """Read JSON lines; skip blank lines and lines that begin with #. Raises ConfigError naming the line.

    A body without a host or reader is read as one of `plan`.
    """
    rest = iter(lines)
    first = next(rest, "")
    if first.lstrip("\ufeff \t\r\n")[:1] == "[":
        return _read_array("".join(chain([first], rest)), where, plan)
    found = []
    for line, text in enumerate(chain([first], rest), 1):
        bare = text.strip("\ufeff \t\r\n")
        if not bare or bare.startswith("#"):
            continue
        if line > _LIMIT:
            raise ConfigError(f"{where}: more than {_LIMIT:,} lines.", "Split the file.")
        try:
            found.append(read_event(json.loads(bare, parse_float=Decimal), line, plan))
        except (ValueError, RecursionError, AssistantError) as error:
            raise _wrong(f"{where}:{line}", error) from error
    return found


def _read_array(text: str, where: str, plan: Plan | None) -> list[Event]:
    """Read one JSON array of events; each gets the number of the line on which it begins."""
    decoder = json.JSONDecoder(parse_float=Decimal)
    found: list[Event] = []
    at, line, counted = text.index("[") + 1, 1, 0
    while True:
        at = _after(text, at, " \t\r\n")
        line, counted = line + text.count("\n", counted, at), at
        if text[at : at + 1] == "]":
            break
        try:
            values, at = decoder.raw_decode(text, at)
            found.append(read_event(values, line, plan))
        except (ValueError, RecursionError, AssistantError) as error:
            raise _wrong(f"{where}:{line}", error) from error
        at = _after(text, at, " \t\r\n")
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != "]":
            line += text.count("\n", counted, at)
            raise _wrong(f"{where}:{line}", ValueError("a comma or the end of the array is missing"))
    end = _after(text, at + 1, " \t\r\n")
    if end < len(text):
        line += text.count("\n", counted, end)
        raise _wrong(f"{where}:{line}", ValueError("something follows the end of the array"))
    return found


def _after(text: str, at: int, blanks: str) -> int:
    while text[at : at + 1] and text[at] in blanks:
        at += 1
    return at


def _wrong(place: str, error: Exception) -> ConfigError:
    said = error.message if isinstance(error, AssistantError) else f"not a JSON object: {error}"
    return ConfigError(f"{place}: {said}", "Each line is one JSON object with an instant `at`.")


def read_event(values: Any, line: int, plan: Plan | None) -> Event:
    """Read one event; a body without host or reader is about `plan`. Raises ConfigError naming the wrong key."""
    if not isinstance(values, dict):
        raise ConfigError("not a JSON object.")
    key = next((each for each in _AT if each in values), None)
    at = as_event(values[key]) if key is not None else None
    if at is None:
        raise ConfigError(f"{key or 'at'} is not an instant {_YEARS}: {values.get(key or 'at')!r}.")
    readings, notes = _readings(values, at, plan)
    notes = [*_strange(values), *notes]
    state = str(values.get("state", "settled"))
    if state not in _STATES:
        raise ConfigError(f"there is no state {state!r}; there are {', '.join(sorted(_STATES))}.")
    silent = readings or any(each in values for each in ("reading", "readings", "headers", "body"))
    own = _usage(values)
    units = _units(values)
    cost = _cost(values)
    counted = any(each in values for each in ("requests", "calls", "prompts", "burn", "tokens", "model"))
    if (silent and not (own.total or units or counted or cost)) or state in _FAILED:
        return Event(at, None, tuple(readings), None, line, _id(values), tuple(notes))
    until = as_event(values["until"]) if values.get("until") is not None else None
    final = values.get("burn", {})
    if not isinstance(final, dict):
        raise ConfigError("burn must be an object of meter and units.")
    burn = Burn(
        at,
        own,
        cost or Cost("unknown", None, _currency(values)),
        _text(values, "model"),
        _count(values, "requests", _count(values, "calls", Decimal(1))),
        _count(values, "prompts", Decimal(1)),
        _text(values, "feature"),
        until,
        state == "in_flight",
        state in _DOUBTFUL,
        units,
        {str(name): _number(value, f"burn.{name}") for name, value in final.items()},
        _text(values, "client"),
    )
    return Event(at, burn, tuple(readings), cost, line, _id(values), tuple(notes))


def _strange(values: Mapping[str, Any]) -> list[str]:
    """Name unknown keys: a mistyped key would otherwise make an empty step."""
    flat = isinstance(values.get("meter"), str)
    known = _STEP_KEYS | _SAID | (_READING_KEYS if flat else set())
    return _unread([key for key in values if key not in known], known)


def _unread(keys: Sequence[str], known: Collection[str]) -> list[str]:
    near = {key: get_close_matches(key, known, 1) for key in keys}
    return [f"nobody reads {key!r}" + (f"; did you mean {each[0]!r}?" if each else "") for key, each in near.items()]


def _id(values: Mapping[str, Any]) -> str:
    """Name a step by `id` (or `request_id`) and `attempt`: a request that was sent again is billed again."""
    name = values.get("id", values.get("request_id"))
    return f"{name}#{values.get('attempt', '')}" if name is not None else ""


def _usage(values: Mapping[str, Any]) -> TokenUsage:
    inner = values.get("usage", values.get("tokens"))
    stated = {**values, **inner} if isinstance(inner, dict) else values
    counts: dict[str, int] = {}
    for key, name in _CLASSES.items():
        if stated.get(key) is not None:
            count = _number(stated[key], key)
            if count != count.to_integral_value():
                raise ConfigError(f"{key} must be a whole number of tokens, not {count}.")
            counts[name] = counts.get(name, 0) + int(count)
    return TokenUsage(**counts, exact=values.get("exact", True) is not False)


def _units(values: Mapping[str, Any]) -> dict[str, Decimal]:
    found = {
        key: _number(values[key], key) for key in ("credits", "percent", "units") if values.get(key) is not None
    }  # fmt: skip
    if values.get("tokens") is not None and not isinstance(values["tokens"], dict):
        found["tokens"] = _number(values["tokens"], "tokens")
    cost = _cost(values)
    if cost is not None and cost.amount is not None:
        found["money"] = cost.amount
    if "percent" in found and isinstance(values.get("meter"), str):
        del found["percent"]  # belongs to a reading whose keys stand beside the step's
    return found


def _cost(values: Mapping[str, Any]) -> Cost | None:
    """Read a cost: an amount, {amount, currency, status}, null for unknown, or "included", "free", "unknown"."""
    key = next((each for each in ("cost", "money") if each in values), None)
    if key is None:
        return None
    said, currency = values[key], _currency(values)
    if isinstance(said, dict):
        currency = _currency(said, currency)
        said = said["amount"] if said.get("amount") is not None else said.get("status")
    if said is None or said == "unknown":
        return Cost("unknown", None, currency)
    if said == "included":
        return Cost("included", None, currency)
    if said == "free":
        return Cost("free", Decimal(0), currency)
    value = _number(said, key)
    return Cost("free", value, currency) if not value else Cost("reported", value, currency)


def _currency(values: Mapping[str, Any], default: str = "USD") -> str:
    return str(values.get("currency") or default).upper()


def _count(values: Mapping[str, Any], key: str, default: Decimal) -> Decimal:
    return _number(values[key], key) if values.get(key) is not None else default


def _number(value: Any, key: str) -> Decimal:
    found = decimal(value)
    if found is None or found < 0:
        raise ConfigError(f"{key} is not a number from 0 up: {value!r}.")
    return found


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{key} must be a text.")
    return value


def _readings(values: Mapping[str, Any], at: datetime, plan: Plan | None) -> tuple[list[Reading], list[str]]:
    """Return the readings, and notes on what was unreadable: a rejected key is no reading."""
    host = str(values.get("host", ""))
    found: list[Reading] = []
    said = values.get("readings", [values["reading"]] if "reading" in values else [])
    if isinstance(values.get("meter"), str) and "reading" not in values:
        said = [values]
    if not isinstance(said, list):
        raise ConfigError("readings must be a list of objects.")
    found += [_reading(each, at) for each in said]
    notes = [note for each, one in zip(said, found, strict=True) if each is not values for note in _mute(each, one)]
    headers, body = values.get("headers"), values.get("body")
    status = values.get("status")
    if isinstance(headers, dict):
        found += from_headers({str(name): str(value) for name, value in headers.items()}, host, at)
    if isinstance(status, int) and status >= 400:
        text = body if isinstance(body, str) else json.dumps(body, default=str)
        known = {str(name): str(value) for name, value in (headers or {}).items()} if isinstance(headers, dict) else {}
        signal = exhaustion.classify(status, known, text, base_url=f"https://{host}", now=at)
        if (refused := signal.reading(at)) is not None:
            found.append(refused)
    elif body is not None:
        try:
            said = _body(body, host, at, str(values.get("reader", "")), plan)
        except AssistantError as refusal:
            # MiniMax refuses with status 200 and a code in the body.
            text = body if isinstance(body, str) else json.dumps(body, default=str)
            signal = exhaustion.classify(200, {}, text, base_url=f"https://{host}", now=at)
            refused = signal.reading(at)
            return (found, [*notes, refusal.message]) if refused is None else ([*found, refused], notes)
        if not said:
            named = host or values.get("reader")
            hint = "" if named else '; a "host" beside it, like "api.z.ai", may tell whose word it is'
            return found, [*notes, f"the body says nothing of a quota that we can read{hint}"]
        found += said
    return found, notes


def _body(body: Any, host: str, at: datetime, reader: str, plan: Plan | None) -> list[Reading]:
    own = plan.host if plan else ""
    if host or reader:
        return from_body(body, host or own, at, reader)
    return of_plan(body, plan.reader if plan else "", own, at)


def _mute(values: Mapping[str, Any], reading: Reading) -> list[str]:
    """Name unknown keys of a reading, and note if it says nothing."""
    notes = _unread([key for key in values if key not in _READING_KEYS | _SAID], _READING_KEYS)
    told = (reading.used, reading.limit, reading.remaining, reading.percent, reading.resets_at)
    if reading.status == "ok" and all(each is None for each in told):
        notes.append(f"the reading of {reading.meter!r} says nothing")
    return notes


def _reading(values: Any, at: datetime) -> Reading:
    if not isinstance(values, dict) or not isinstance(values.get("meter"), str):
        raise ConfigError("a reading is an object with a meter.")
    amounts: dict[str, Decimal | None] = {}
    for key in ("used", "remaining", "percent"):
        amounts[key] = decimal(values.get(key))
        if values.get(key) is not None and amounts[key] is None:
            raise ConfigError(f"reading.{key} is not a number: {values[key]!r}.")
    limit = values.get("limit")
    if limit is not None and limit != "unlimited":
        amounts["limit"] = decimal(limit)
        if amounts["limit"] is None or amounts["limit"] < 0:
            raise ConfigError(f"reading.limit is not a number from 0 up: {limit!r}.")
    status = str(values.get("status", "ok")).replace("-", "_")
    status = "ok" if status == "stale" else status  # `observed_at` tells its age
    source, rounding = str(values.get("source", "endpoint")), str(values.get("rounding", ""))
    source = _SOURCES.get(source, source)
    words = (("status", status, Status), ("source", source, Source), ("rounding", rounding or "exact", Rounding))
    for key, word, kind in words:
        if word not in get_args(kind):
            raise ConfigError(f"reading.{key} is none of {', '.join(get_args(kind))}: {values[key]!r}.")
    instants: dict[str, datetime | None] = {}
    for key in ("resets_at", "observed_at", "provider_at"):
        instants[key] = as_event(values[key]) if values.get(key) is not None else None
        if values.get(key) is not None and instants[key] is None:
            raise ConfigError(f"reading.{key} is not an instant {_YEARS}: {values[key]!r}.")
    percent = amounts["percent"]
    whole = percent is not None and percent == percent.to_integral_value()
    parts = values.get("parts")
    if parts is None:
        parts = {key: values[key] for key in ("granted", "topped_up", "voucher", "cash") if key in values}
    if not isinstance(parts, dict):
        raise ConfigError(f"reading.parts must be an object of amounts: {parts!r}.")
    return Reading(
        values["meter"],
        source,  # type: ignore[arg-type] # checked above
        instants["observed_at"] or at,
        unit=str(values.get("unit", "")),
        used=amounts["used"],
        limit="unlimited" if limit == "unlimited" else amounts.get("limit"),
        remaining=amounts["remaining"],
        percent=percent,
        rounding=rounding or ("rounded" if whole else "exact"),  # type: ignore[arg-type] # as above
        resets_at=instants["resets_at"],
        minutes=int(_count(values, "minutes", Decimal(0))) or None,
        status=status,  # type: ignore[arg-type] # as above
        provider_at=instants["provider_at"],
        currency=_currency(values, " ").strip(),
        parts={str(name): _number(value, f"parts.{name}") for name, value in parts.items()},
        raw=raw(values),
    )
