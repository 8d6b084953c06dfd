"""Which proxy a request goes through, from the variables that a user in a company has set. Pure.

The names and the meaning of `NO_PROXY` are those that curl and most programs share; lower-case names win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = ("all://localhost", "all://*.localhost", "all://127.0.0.1", "all://[::1]")


def routes(env: Mapping[str, str]) -> dict[str, str | None]:
    """Return URL patterns as httpx knows them, each with the address of its proxy; None means a direct connection.

    This machine is always reached directly: no proxy could reach a model server on it.
    """

    def value(name: str) -> str:
        return (env.get(name) or env.get(name.upper()) or "").strip()

    found: dict[str, str | None] = {}
    for name, pattern in (("all_proxy", "all://"), ("http_proxy", "http://"), ("https_proxy", "https://")):
        if address := value(name):
            found[pattern] = address if "://" in address else f"http://{address}"
    if not found:
        return {}
    for entry in value("no_proxy").split(","):
        host = entry.strip().rpartition("://")[2].strip("/").removeprefix("*").removeprefix(".")
        if entry.strip() == "*":
            return {}
        if not host or "/" in host:
            continue  # ranges of addresses are not supported here
        if host.count(":") > 1:
            found[f"all://[{host.strip('[]')}]"] = None
        elif host.replace(".", "").replace(":", "").isdigit():
            found[f"all://{host}"] = None
        else:
            found[f"all://*{host}"] = None
    return found | dict.fromkeys(_HERE)
