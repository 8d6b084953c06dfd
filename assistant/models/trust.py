"""Whose certificates are trusted: the system's, and those that the user names as well."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import truststore

from assistant.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that name more certificates: a file in PEM form, a folder of such files."""


def context(env: Mapping[str, str]) -> ssl.SSLContext:
    """Make the context for a client's TLS. Raises ConfigError where SSL_CERT_FILE or SSL_CERT_DIR cannot be read."""
    trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in NAMES:
        place = env.get(name, "").strip()
        if place:
            try:
                trust.load_verify_locations(**{"cafile" if name == "SSL_CERT_FILE" else "capath": place})
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(
                    f"{name} names {place}, which cannot be read as certificates.", "Name a file in PEM form."
                ) from error
    return trust
