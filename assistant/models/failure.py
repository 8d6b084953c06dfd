"""What an error answer means: class by status and body, never by status alone. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from assistant import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assistant.models.provider import Provider

_SECRET = re.compile(r"\b(sk-|sk_|key-|Bearer\s+|gsk_|xai-|AIza)[A-Za-z0-9_\-*.]{4,}")
_SHOWN = 300

# The body's words come first: providers use 400, 402, 403, 413 and 429 for each other's meanings.
_WORDS: tuple[tuple[str, type[errors.ProviderError]], ...] = (
    (
        r"context_length_exceeded|context length|context window|prompt is too long|maximum context|too many input tokens|"
        r"request_too_large|input length and `?max_tokens|exceeds? the (model'?s )?(maximum|available context)|exceed_context_size",
        errors.ContextOverflow,
    ),
    (
        r"insufficient[_ ](quota|balance|credits?|funds)|credit balance is too low|exceeded your current quota|"
        r"requires more credits|out of credits|billing_hard_limit|billing_error|payment required|arrears|no resource package",
        errors.OutOfFunds,
    ),
    (
        r"usage[_ ]limit[_ ]reached|usage limit (for|reached)|weekly limit|(5|five)[- ]?hour|plan[_ ]limit|"
        r"quota (for|of) (this|your) (plan|window|period)|usage_not_included|window.{0,20}exhausted|reached your (usage|daily|weekly|monthly)",
        errors.WindowExhausted,
    ),
    (r"content[_ ]filter|content_policy|safety system|flagged|prohibited_content", errors.Refused),
    (
        r"model_not_found|model.{0,80}(does not exist|not found|not available|is not supported|unknown|no longer)|no such model|"
        r"unknown model|invalid model|no endpoints found|not_found_error.{0,60}model",
        errors.UnknownModel,
    ),
    (r"overloaded|at capacity|no capacity|server (is )?busy|engine_overloaded", errors.Overloaded),
    (
        r"invalid[_ ]?(x-)?api[_ -]?key|incorrect api key|authentication|no auth credentials|unauthorized|invalid (bearer )?token|"
        r"missing api key|user not found|invalid_authentication",
        errors.Auth,
    ),
    (r"rate[_ ]limit|too many requests|requests per (minute|day)|tokens per minute", errors.RateLimited),
)
_STATUS: dict[int, type[errors.ProviderError]] = {
    400: errors.BadRequest,
    401: errors.Auth,
    402: errors.OutOfFunds,
    403: errors.PermissionRefused,
    404: errors.UnknownModel,
    408: errors.ServerFailed,
    409: errors.ServerFailed,
    413: errors.ContextOverflow,
    422: errors.BadRequest,
    425: errors.RateLimited,
    429: errors.RateLimited,
    451: errors.PermissionRefused,
    503: errors.Overloaded,
    529: errors.Overloaded,
}


def classify(
    status: int | None, headers: Mapping[str, str], body: str, *, provider: Provider, now: datetime
) -> errors.ProviderError:
    """Return the error that an answer means. `status` is None for an error inside a stream; headers are lower-case."""
    message, code = _message(body)
    html = body.lstrip()[:15].lower().startswith(("<!doctype", "<html"))
    kind = _kind(status, f"{code} {message}", html=html)
    shown = _SECRET.sub("[key]", " ".join(message.split()))[:_SHOWN] or f"HTTP {status}"
    retry_at = retry_time(headers, body, now)
    text = f"{provider.title}: {shown}"
    if html and kind is errors.BadEndpoint:
        text = f"{provider.base_url} answers with a web page (HTTP {status}), not as a model."
    return kind(text, _hint(kind, provider, retry_at, now), provider=provider.name, status=status, retry_at=retry_at)


def _kind(status: int | None, words: str, *, html: bool) -> type[errors.ProviderError]:
    if html:
        return errors.BadEndpoint if status is None or status < 500 else errors.ServerFailed
    for pattern, kind in _WORDS:
        if re.search(pattern, words, re.IGNORECASE):
            if kind is errors.Auth and status not in {None, 400, 401, 403}:
                continue
            if kind is errors.RateLimited and status in {401, 404}:
                continue
            if kind is errors.Overloaded and status == 400:
                continue
            return kind
    if status is None:
        return errors.ServerFailed
    if status == 404 and not words.strip():
        return errors.BadEndpoint
    if 300 <= status < 400:
        return errors.BadEndpoint
    return _STATUS.get(status, errors.ServerFailed if status >= 500 else errors.BadRequest)


def _message(body: str) -> tuple[str, str]:
    """Read the words and the code out of an error body of any of the known shapes."""
    try:
        data: Any = json.loads(body)
    except ValueError:
        return body.strip()[:2_000], ""
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, dict):
        return str(data), ""
    inner = data.get("error", data)
    if isinstance(inner, str):
        return inner, str(data.get("code") or "")
    if not isinstance(inner, dict):
        return str(inner), ""
    words = inner.get("message") or inner.get("msg") or inner.get("detail") or data.get("message") or ""
    codes = [str(inner.get(name) or "") for name in ("type", "code", "status")]
    meta = inner.get("metadata")
    if isinstance(meta, dict) and meta.get("raw"):
        words = f"{words}: {meta['raw']}"
    return str(words), " ".join(filter(None, codes))


def retry_time(headers: Mapping[str, str], body: str, now: datetime) -> datetime | None:
    """Return when to ask again, as the provider says it: Retry-After in both forms, or a time in the body."""
    value = headers.get("retry-after-ms")
    if value and re.fullmatch(r"\d+(\.\d+)?", value):
        return now + timedelta(milliseconds=float(value))
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return now + timedelta(seconds=min(float(value), 31 * 86_400))
    if value:
        try:
            return parsedate_to_datetime(value).astimezone(UTC)
        except ValueError:
            pass
    found = re.search(r'"(?:resets?_at|reset_time)"\s*:\s*"?(\d{10})', body)
    if found:
        return datetime.fromtimestamp(int(found[1]), UTC)
    found = re.search(r'"resets_in_seconds"\s*:\s*(\d+)', body) or re.search(r"try again in (\d+(?:\.\d+)?) ?s\b", body)
    return now + timedelta(seconds=float(found[1])) if found else None


def _hint(kind: type[errors.ProviderError], provider: Provider, retry_at: datetime | None, now: datetime) -> str:
    names = " or ".join(provider.key_names) or "the key"
    wait = f" It may go on in {max(1, round((retry_at - now).total_seconds()))} s." if retry_at else ""
    hints: dict[type[errors.ProviderError], str] = {
        errors.Auth: f"Check {names}; it is sent to {provider.base_url}.",
        errors.PermissionRefused: "The key is known but may not use this model or region; see the provider's console.",
        errors.UnknownModel: "List what there is with `wattson models`, and choose with /model.",
        errors.BadEndpoint: f"Check the address {provider.base_url}"
        + (f" (from {provider.address_from})." if provider.address_from else "."),
        errors.ContextOverflow: "Start again with /clear, unpin files with /drop, or choose a larger model.",
        errors.RateLimited: f"Wait a moment or switch with /model.{wait}",
        errors.WindowExhausted: f"The plan's window is used up; switch with /model or wait.{wait}",
        errors.OutOfFunds: "Add credit at the provider, or switch with /model; waiting does not help.",
        errors.Overloaded: f"Try again soon or switch with /model.{wait}",
        errors.ServerFailed: f"Try again, or switch with /model.{wait}",
        errors.Refused: "Say it in other words, or switch with /model.",
    }
    return hints.get(kind, "See what was sent with `wattson context`.")
