"""The one door for bytes that leave the machine: secret files stay here, keys inside other files are masked."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from assistant.context.section import Masked

_SECRET_FILES = re.compile(
    r"^(\.env(\..+)?|.*\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk)|id_(rsa|dsa|ecdsa|ed25519)|\.netrc|_netrc|\.npmrc|\.pypirc|\.pgpass|"
    r"credentials(\.json)?|secrets?\.(json|ya?ml|toml)|\.git-credentials|\.htpasswd|service[-_]account.*\.json|terraform\.tfstate.*)$",
    re.IGNORECASE,
)
_PUBLIC = re.compile(r"\.(example|sample|template|dist)$", re.IGNORECASE)
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    ),
    (
        "provider key",
        re.compile(
            r"\b(?:sk-(?:ant-|or-|proj-)?[A-Za-z0-9_\-]{20,}|xai-[A-Za-z0-9]{20,}|gsk_[A-Za-z0-9]{20,}|AIza[A-Za-z0-9_\-]{30,})"
        ),
    ),
    ("GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})")),
    ("GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_\-]{18,}")),
    ("AWS key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9\-]{10,}")),
    ("Stripe key", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("token", re.compile(r"\beyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}")),
    ("password in an address", re.compile(r"(?<=://)[^/\s:@'\"]{1,60}:[^/\s:@'\"{}$<>]{3,}(?=@)")),
)
_NAMED = re.compile(
    r"""(?i)\b[\w.-]*(?:password|passwd|secret|api_?key|access_?key|auth_?token|private_?key|client_?secret)[\w.-]*["']?\s*[:=]\s*["'`]([^"'`\s]{12,})["'`]"""
)
_PLAIN = re.compile(
    r"(?i)^(?:[a-z_.\-]+|x{4,}.*|\*+|<.*>|\$\{.*\}|\{\{.*\}\}|(?:change|your|example|dummy|test|fake|placeholder|xxx).*)$"
)


def is_secret_file(path: str) -> bool:
    """Say whether a file is kept back by its name alone."""
    name = PurePosixPath(path).name
    return bool(_SECRET_FILES.match(name)) and not _PUBLIC.search(name)


def mask(text: str, path: str) -> tuple[str, tuple[Masked, ...]]:
    """Replace secrets in a text by what they are; returns the text and what was masked, with 1-based lines."""
    found: list[Masked] = []

    def put(kind: str, match: re.Match[str], group: int = 0) -> str:
        found.append(Masked(path, text.count("\n", 0, match.start()) + 1, kind))
        whole = match.group(0)
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        lines = "\n" * whole[start:end].count("\n")
        return f"{whole[:start]}[masked {kind}]{lines}{whole[end:]}"

    for kind, shape in _SHAPES:
        text = shape.sub(lambda match, kind=kind: put(kind, match), text)  # type: ignore[misc]
    text = _NAMED.sub(
        lambda match: (
            match.group(0) if _PLAIN.match(match.group(1)) or "[masked" in match.group(0) else put("secret", match, 1)
        ),
        text,
    )
    return text, tuple(found)
