"""Where a key may go: to a valid address, over TLS or on this machine. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from assistant.errors import BadEndpoint
from assistant.models import practice


def loopback(host: str) -> bool:
    """Say whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(url: str, address: str, *, secret: bool, provider: str = "") -> None:
    """Raise BadEndpoint unless `url` may be asked; `secret`: a key goes along; `address` is the name to show."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host:
        raise BadEndpoint(f"{address!r} is not an address.", "It begins with https:// and a host.", provider=provider)
    if parts.scheme == "http" and secret and not loopback(host) and not url.startswith(practice.ADDRESS):
        raise BadEndpoint(f"{address} would carry your key unencrypted.", "Use an https:// address.", provider=provider)
