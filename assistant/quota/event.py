"""What is replayed: steps and readings, read from JSON lines.

Events are JSON lines, one step or one reading each, in the order in which they became known. Keys, all optional but the
instant:

- `at` (or `time`, `timestamp`): ISO text or Unix seconds; `until` when the step ended; `state`: "settled" (also when
  missing), "in_flight", "failed" (not billed), "interrupted" or "failed_unknown" (perhaps billed).
- `id` (or `request_id`, with `attempt`): lines of one id are one step, the last says how it ended.
- `model`, `feature`; token classes `fresh_input` (or `input`), `cache_read`, `cache_write` (or `cache_write_short`,
  `cache_write_long`), `output`, `reasoning`, here or inside `usage`; `tokens` where only the sum is known; `exact`: false.
- `requests` (1 when missing; also `calls`), `prompts`, `credits`, `percent`, `money` or `cost` with `currency`, `units` for
  whatever the meter counts: all before the plan's weights and factors. `burn`: {meter: units} is final.
- `reading`: {`meter`, `used`, `limit`, `remaining`, `percent`, `rounding`, `resets_at`, `source`, `status`, `observed_at`,
  `provider_at`, `currency`, `minutes`, `parts`}, or `readings`: [..]; or what a provider sent: `headers`, or `body`, with
  `host` (or `reader`, a module in `readers/`), and `status` for a refusal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError, ConfigError
from assistant.quota import exhaustion
from assistant.quota.page import as_instant
from assistant.quota.reading import Reading, from_body, from_headers, raw
from assistant.quota.reading import number as decimal
from assistant.quota.tariff import Burn
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


_CLASSES = {
    "fresh_input": "fresh_input", "input": "fresh_input", "input_tokens": "fresh_input", "cache_read": "cache_read",
    "cached": "cache_read", "cache_read_input_tokens": "cache_read", "cache_write": "cache_write_short",
    "cache_write_short": "cache_write_short", "cache_write_long": "cache_write_long",
    "cache_creation_input_tokens": "cache_write_short", "output": "output", "output_tokens": "output", "reasoning": "reasoning",
}  # fmt: skip
_AT = ("at", "time", "timestamp")
_FAILED = {"failed", "failed_free", "failed-free"}
_DOUBTFUL = {"interrupted", "failed_unknown", "failed-billed-unknown", "failed_billed_unknown"}
_LIMIT = 5_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """One line: a step that burns, or readings, or both. `arrived` is its own instant; `line` is from 1.

    Two events of one `id` are the same step: the later line says how it ended, the first when it began.
    """

    arrived: datetime
    burn: Burn | None = None
    readings: tuple[Reading, ...] = ()
    cost: Cost | None = None
    line: int = 0
    id: str = ""


def read_events(lines: Iterable[str], where: str = "events") -> list[Event]:
    """Read JSON lines; blank lines and lines that begin with # are left out. Raises ConfigError naming the line."""
    found = []
    for line, text in enumerate(lines, 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if line > _LIMIT:
            raise ConfigError(f"{where}: more than {_LIMIT:,} lines.", "Split the file.")
        try:
            found.append(read_event(json.loads(text, parse_float=Decimal), line))
        except (ValueError, RecursionError, AssistantError) as error:
            said = error.message if isinstance(error, AssistantError) else f"not a JSON object: {error}"
            raise ConfigError(
                f"{where}:{line}: {said}", "Each line is one JSON object with an instant `at`."
            ) from error
    return found


def read_event(values: Any, line: int = 0) -> Event:
    """Read one event. Raises ConfigError saying which key is wrong."""
    if not isinstance(values, dict):
        raise ConfigError("not a JSON object.")
    key = next((each for each in _AT if each in values), None)
    at = as_instant(values[key]) if key is not None else None
    if at is None:
        raise ConfigError(f"{key or 'at'} is not an instant: {values.get(key or 'at')!r}.")
    readings = _readings(values, at)
    state = str(values.get("state", "settled"))
    silent = readings or any(each in values for each in ("reading", "readings", "headers", "body"))
    own = _usage(values)
    units = _units(values)
    cost = _cost(values)
    counted = any(each in values for each in ("requests", "calls", "prompts", "burn", "tokens", "model"))
    if (silent and not (own.total or units or counted or cost)) or state in _FAILED:
        return Event(at, None, tuple(readings), None, line, _id(values))
    until = as_instant(values["until"]) if values.get("until") is not None else None
    final = values.get("burn", {})
    if not isinstance(final, dict):
        raise ConfigError("burn must be an object of meter and units.")
    burn = Burn(
        at,
        own,
        cost or Cost("unknown", None, str(values.get("currency", "USD"))),
        _text(values, "model"),
        _count(values, "requests", _count(values, "calls", Decimal(1))),
        _count(values, "prompts", Decimal(1)),
        _text(values, "feature"),
        until,
        state == "in_flight",
        state in _DOUBTFUL,
        units,
        {str(name): _number(value, f"burn.{name}") for name, value in final.items()},
    )
    return Event(at, burn, tuple(readings), cost, line, _id(values))


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
        del found["percent"]  # a reading that was written without its object
    return found


def _cost(values: Mapping[str, Any]) -> Cost | None:
    """Read a cost: an amount, {amount, currency, status}, null for unknown, or "included", "free", "unknown"."""
    key = next((each for each in ("cost", "money") if each in values), None)
    if key is None:
        return None
    said, currency = values[key], str(values.get("currency", "USD"))
    if isinstance(said, dict):
        currency = str(said.get("currency", currency))
        said = said["amount"] if said.get("amount") is not None else said.get("status")
    if said is None or said == "unknown":
        return Cost("unknown", None, currency)
    if said == "included":
        return Cost("included", None, currency)
    if said == "free":
        return Cost("free", Decimal(0), currency)
    value = _number(said, key)
    return Cost("free", value, currency) if not value else Cost("reported", value, currency)


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


def _readings(values: Mapping[str, Any], at: datetime) -> list[Reading]:
    host = str(values.get("host", ""))
    found: list[Reading] = []
    said = values.get("readings", [values["reading"]] if "reading" in values else [])
    if isinstance(values.get("meter"), str) and "reading" not in values:
        said = [values]
    if not isinstance(said, list):
        raise ConfigError("readings must be a list of objects.")
    found += [_reading(each, at) for each in said]
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
        found += from_body(body, host, at, str(values.get("reader", "")))
    return found


def _reading(values: Any, at: datetime) -> Reading:
    if not isinstance(values, dict) or not isinstance(values.get("meter"), str):
        raise ConfigError("a reading is an object with a meter.")
    amounts: dict[str, Decimal | None] = {}
    for key in ("used", "remaining", "percent"):
        amounts[key] = decimal(values.get(key))
        if values.get(key) is not None and amounts[key] is None:
            raise ConfigError(f"reading.{key} is not a number: {values[key]!r}.")
    limit = values.get("limit")
    status = str(values.get("status", "ok"))
    instants: dict[str, datetime | None] = {}
    for key in ("resets_at", "observed_at", "provider_at"):
        instants[key] = as_instant(values[key]) if values.get(key) is not None else None
        if values.get(key) is not None and instants[key] is None:
            raise ConfigError(f"reading.{key} is not an instant: {values[key]!r}.")
    percent = amounts["percent"]
    whole = percent is not None and percent == percent.to_integral_value()
    parts = values.get(
        "parts", {key: values[key] for key in ("granted", "topped_up", "voucher", "cash") if key in values}
    )
    return Reading(
        values["meter"],
        values.get("source", "endpoint")
        if values.get("source") in {"headers", "endpoint", "error", "file", "you"}
        else "endpoint",
        instants["observed_at"] or at,
        unit=str(values.get("unit", "")),
        used=amounts["used"],
        limit="unlimited" if limit == "unlimited" else decimal(limit),
        remaining=amounts["remaining"],
        percent=percent,
        rounding=values.get("rounding", "rounded" if whole else "exact"),
        resets_at=instants["resets_at"],
        minutes=int(_count(values, "minutes", Decimal(0))) or None,
        status=status if status in {"ok", "exhausted", "unlimited", "not_in_plan", "unsupported", "unknown"} else "ok",  # type: ignore[arg-type] # the words are checked
        provider_at=instants["provider_at"],
        currency=str(values.get("currency", "")),
        parts={str(name): _number(value, f"parts.{name}") for name, value in dict(parts).items()},
        raw=raw(values),
    )
