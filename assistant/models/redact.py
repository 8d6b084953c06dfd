"""Masks keys in text that people or files will see: errors, logs, transcripts. One place for all of it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "[key]"
_KEYS = re.compile(
    r"\b(?:sk|rk|pk|gsk|xai|key|nvapi|hf|ghp|gho|github_pat|glpat|csk|pplx|tgp|fw|r8|AKIA|ASIA|ABSK|AIza)"
    r"(?:[-_][A-Za-z0-9_\-*.…]{4,}|(?<=AIza)[A-Za-z0-9_\-*.]{4,}|(?<=A)[A-Z0-9]{12,}|(?<=ABSK)[A-Za-z0-9+/=]{8,})"
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=*-]{6,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?")
_NAMED = re.compile(
    r"""(?P<name>["']?[\w-]*(?:api[_-]?key|access[_-]?key|secret|token|password|passwd|authorization|credential)["']?\s*[:=]\s*)"""
    r"""(?P<value>"[^"]{4,}"|'[^']{4,}'|[^\s"',;&{}\[\]]{6,})""",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]+@", re.IGNORECASE)
_IN_QUERY = re.compile(
    r"(?P<name>[?&](?:key|api_key|apikey|token|access_token|sig|signature)=)[^\s&#\"']+", re.IGNORECASE
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text with everything masked that is, or looks like, a key.

    `secrets` are values that are known to be secret; they are masked wherever they stand, whatever they look like, even
    if only their first dozen characters are shown.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
        if len(secret) >= 20:
            text = text.replace(secret[:12], MASK)
    text = _IN_ADDRESS.sub(rf"\g<scheme>{MASK}@", text)
    text = _IN_QUERY.sub(rf"\g<name>{MASK}", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _KEYS.sub(MASK, text)
    return _NAMED.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    # A number is a count ("max_tokens: 4096"), and what is masked already stays as it is.
    value = found["value"].strip("\"'")
    return found[0] if MASK in value or value.isdigit() or " " in value else f"{found['name']}{MASK}"
