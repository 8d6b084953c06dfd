"""What an error answer means: classed by status and body, never by status alone. Pure.

`failures.toml` lists what vendors say, rule by rule; this module reads it from the many shapes of error bodies. What no
rule knows is classed by its status.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant import errors
from assistant.discover import read_toml
from assistant.models import reset
from assistant.models.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from assistant.models.provider import Provider

_SHOWN = 300
_READ = 65_536
"""Characters of a body that are examined; an error needs no more, and a hostile one may be long."""
_STATUS: dict[int, type[errors.ProviderError]] = {
    400: errors.BadRequest,
    401: errors.Auth,
    402: errors.OutOfFunds,
    403: errors.PermissionRefused,
    404: errors.UnknownModel,
    405: errors.BadEndpoint,
    407: errors.Unreachable,
    408: errors.ServerFailed,
    409: errors.ServerFailed,
    413: errors.ContextOverflow,
    421: errors.BadEndpoint,
    422: errors.BadRequest,
    424: errors.ServerFailed,
    425: errors.RateLimited,
    429: errors.RateLimited,
    451: errors.PermissionRefused,
    503: errors.Overloaded,
    524: errors.Overloaded,
    529: errors.Overloaded,
}
_KINDS = {
    kind.kind: kind
    for kind in (
        errors.Auth, errors.PermissionRefused, errors.UnknownModel, errors.BadRequest, errors.ContextOverflow,
        errors.RateLimited, errors.WindowExhausted, errors.OutOfFunds, errors.Overloaded, errors.ServerFailed, errors.Refused,
    )
}  # fmt: skip
_ANSWERS = frozenset({"choices", "candidates", "done"})
"""Keys of the pieces of an answer that comes as lines of JSON."""
_CODES = ("type", "code", "status", "error_type", "error_code", "reason", "limit_source", "quotaId", "__type")
_SIZES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<sent>\d+) tokens > (?P<limit>\d+)",
        r"input token count \(?(?P<sent>\d+)\)? exceeds .{0,60}?\(?(?P<limit>\d+)\)?\.?",
        r"maximum (context|prompt) length is (?P<limit>\d+)( tokens)?\D{1,60}(?P<sent>\d+)",
        r"token limit ?: ?(?P<limit>\d+)( \(requested: (?P<sent>\d+)\))?",
        r"input length should be \[1, (?P<limit>\d+)\]",
        r"maximum (context|prompt) length is (?P<limit>\d+)",
    )
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of `failures.toml`."""

    kind: type[errors.ProviderError]
    of: tuple[str, ...] = ()
    status: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    words: re.Pattern[str] | None = None
    wait: bool | None = None
    window: str = ""
    hint: str = ""

    def fits(self, told: Told, status: int, names: tuple[str, ...], *, wait: bool) -> bool:
        """Say whether all that the rule names is there."""
        return (
            (not self.status or status in self.status)
            and (not self.codes or not self.codes.isdisjoint(told.codes))
            and (self.wait is None or self.wait is wait)
            and (not self.of or any(fnmatchcase(name, pattern) for name in names for pattern in self.of))
            and (self.words is None or self.words.search(told.words) is not None)
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What an error body says: a message for people, lower-case words for machines, and the sizes sent and allowed."""

    message: str
    codes: frozenset[str] = frozenset()
    words: str = ""
    sent: int | None = None
    limit: int | None = None
    vendor: str = ""
    """The vendor, if only one has this shape of body: behind a gateway, nothing else tells."""


def classify(
    status: int | None, headers: Mapping[str, str], body: str, *, provider: Provider, now: datetime
) -> errors.ProviderError:
    """Return the error that an answer means.

    `status` is None for an error inside a stream; header names are lower-case. The error carries `retry_at` where the
    provider says when, `window` where it says which limit, and the sizes of an overflow. Secrets are masked.
    """
    told = read(headers, body)
    html = body.lstrip()[:15].lower().startswith(("<!doctype", "<html"))
    retry_at = reset.when(headers, body[:_READ], now)
    rule = None if html else _rule(told, status, headers, provider, wait=retry_at is not None)
    kind = rule.kind if rule else _by_status(status, told, html=html)
    window = (rule.window if rule else "") or reset.window(headers)
    if kind is errors.RateLimited and headers.get("anthropic-ratelimit-unified-status", "").lower() == "rejected":
        kind = errors.WindowExhausted
    if retry_at is None and kind in {errors.RateLimited, errors.WindowExhausted, errors.Overloaded}:
        retry_at = reset.by_limits(headers, now)
    shown = redact(" ".join(told.message.split()))[:_SHOWN] or (
        f"HTTP {status}" if status else "an error without words"
    )
    text = f"{provider.title}: {shown}"
    if html:
        text = f"{provider.base_url} answers with a web page (HTTP {status}), not as a model."
    hint = rule.hint.replace("{address}", provider.base_url) if rule and rule.hint else ""
    error = kind(
        text,
        hint or _hint(kind, provider, retry_at, now),
        provider=provider.name,
        status=status,
        retry_at=retry_at,
    )
    if isinstance(error, errors.WindowExhausted):
        error.window = window
    if isinstance(error, errors.ContextOverflow):
        error.sent, error.limit = told.sent, told.limit
    told_to = headers.get("x-should-retry", "").lower()
    if told_to == "false" or (
        told_to == "true" and status is not None and (status in {408, 409, 429} or status >= 500)
    ):
        error.retryable = told_to == "true"
    return error


def tells(headers: Mapping[str, str], body: str) -> bool:
    """Say whether a body is one JSON text that says what went wrong; the beginning of an answer in JSON does not."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return False
    begins = isinstance(data, list) or (isinstance(data, dict) and not _ANSWERS.isdisjoint(data))
    return bool(read(headers, body).message.strip(" []")) or not begins


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules in their order."""
    return tuple(
        Rule(
            _KINDS[entry["is"]],
            tuple(entry.get("of", ())),
            frozenset(entry.get("status", ())),
            frozenset(code.lower() for code in entry.get("codes", ())),
            re.compile(entry["words"], re.IGNORECASE) if "words" in entry else None,
            entry.get("wait"),
            entry.get("window", ""),
            entry.get("hint", ""),
        )
        for entry in read_toml(Path(__file__).parent / "failures.toml")["rule"]
    )


def _rule(told: Told, status: int | None, headers: Mapping[str, str], provider: Provider, *, wait: bool) -> Rule | None:
    names = (provider.name, (urlsplit(provider.base_url).hostname or "").lower(), provider.wire, told.vendor)
    waits = wait or "retry-after" in headers
    # An error with status 200 is one inside an answer that began well.
    number = status if status is not None and status >= 300 else 0
    return next((rule for rule in rules() if rule.fits(told, number, names, wait=waits)), None)


def _by_status(status: int | None, told: Told, *, html: bool) -> type[errors.ProviderError]:
    if html:
        if status == 429:
            return errors.RateLimited
        return errors.ServerFailed if status is not None and status >= 500 else errors.BadEndpoint
    if status is None or 200 <= status < 300:
        return errors.ServerFailed
    if 300 <= status < 400 or (status == 404 and not told.message.strip()):
        return errors.BadEndpoint
    return _STATUS.get(status, errors.ServerFailed if status >= 500 else errors.BadRequest)


def read(headers: Mapping[str, str], body: str) -> Told:
    """Read what an error body of any of the known shapes says."""
    codes: set[str] = set()
    if headers.get("x-amzn-errortype"):
        codes.add(headers["x-amzn-errortype"].split(":")[0].lower())
    try:
        data: Any = json.loads(body) if len(body) <= 16 * _READ else None
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, dict):
        message = str(data) if data is not None else body.strip()[:2_000]
        return Told(message, frozenset(codes), message)
    parts = list(_parts(data))
    message = next((words for part in parts if (words := _message(part))), "")
    extra = [str(part[name])[:500] for part in parts for name in ("raw", "quotaId") if isinstance(part.get(name), str)]
    for part in parts:
        for name in _CODES:
            if isinstance(part.get(name), str | int) and not isinstance(part[name], bool):
                codes.add(str(part[name]).rpartition("#")[2].lower())
    base = data.get("base_resp")
    if isinstance(base, dict):
        codes.add(str(base.get("status_code", "")))
        message = message or str(base.get("status_msg") or "")
    codes |= {found[1] for found in re.finditer(r"\((\d{4})\)", message)}  # MiniMax: its code in the message
    sent, limit = _sizes(message, parts)
    if isinstance(data.get("error"), dict) and isinstance(data["error"].get("metadata"), dict) and extra:
        message = f"{message}: {extra[0]}"
    vendor = "minimax" if isinstance(base, dict) else ""
    return Told(message[:2_000], frozenset(codes), " ".join([message, *extra])[:8_000], sent, limit, vendor)


def _parts(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the tables in which vendors put what they say, the innermost error first."""
    inner = data.get("error")
    if isinstance(inner, dict):
        if isinstance(inner.get("error"), dict):
            yield inner["error"]
        yield inner
        for name in ("details", "metadata"):
            more = inner.get(name)
            for each in more if isinstance(more, list) else [more]:
                if isinstance(each, dict):
                    yield {key: value for key, value in each.items() if key != "message"}
                    violations = each.get("violations")
                    for violation in violations if isinstance(violations, list) else ():
                        if isinstance(violation, dict):
                            yield violation
    response = data.get("response")
    if isinstance(response, dict) and isinstance(response.get("error"), dict):
        yield response["error"]
    yield data


def _message(part: Mapping[str, Any]) -> str:
    for name in ("message", "msg", "Message", "error", "detail", "error_message"):
        value = part.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if name == "detail" and isinstance(value, list):
            return "; ".join(
                f"{'.'.join(map(str, each.get('loc', [])))} {each.get('msg', '')}".strip()
                for each in value[:5]
                if isinstance(each, dict) and isinstance(each.get("loc", []), list)
            )
    return ""


def _sizes(message: str, parts: list[dict[str, Any]]) -> tuple[int | None, int | None]:
    for part in parts:
        sent, limit = part.get("n_prompt_tokens"), part.get("n_ctx")
        if isinstance(sent, int) and isinstance(limit, int):
            return sent, limit
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", message[:2_000])
    for pattern in _SIZES:
        found = pattern.search(plain)
        if found:
            sizes = found.groupdict()
            return (int(sizes["sent"]) if sizes.get("sent") else None), int(sizes["limit"])
    return None, None


def _hint(kind: type[errors.ProviderError], provider: Provider, retry_at: datetime | None, now: datetime) -> str:
    names = " or ".join(provider.key_names) or "the key"
    # A wire has no clock (its "now" is 1970), so that a real instant is a long way off.
    near = retry_at is not None and retry_at - now < timedelta(days=400)
    wait = f" It may go on in {reset.span(retry_at - now)}." if retry_at and near else ""
    hints: dict[type[errors.ProviderError], str] = {
        errors.Auth: f"Check {names}; it is sent to {provider.base_url}.",
        errors.PermissionRefused: "The key is known but may not use this model or region; see the provider's console.",
        errors.UnknownModel: "List what there is with `wattson models`, and choose with /model.",
        errors.BadEndpoint: f"Check the address {provider.base_url}"
        + (f" (from {provider.address_from})." if provider.address_from else "."),
        errors.ContextOverflow: "Make it short with /compact, start again with /clear, unpin files with /drop, or choose a larger model.",
        errors.RateLimited: f"Wait a moment or switch with /model.{wait}",
        errors.WindowExhausted: f"The plan's window is used up; wait, or switch with /model.{wait}",
        errors.OutOfFunds: "Add credit at the provider, or switch with /model; waiting does not help.",
        errors.Overloaded: f"Try again soon or switch with /model.{wait}",
        errors.ServerFailed: f"Try again, or switch with /model.{wait}",
        errors.Refused: "Say it in other words, or switch with /model.",
    }
    return hints.get(kind, "See what was sent with `wattson context`.")
