"""Whether the model that a reply names is the one asked for: names may be dated, prefixed or local. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.models.provider import Model

_DATED = re.compile(
    r"(?:[-@.](?:20\d{2}-?\d{2}-?\d{2}|2[0-9][01]\d[0-3]\d|latest|default|v\d+:\d+|[01]\d{3}|0\d{2}))+$"
)
"""What a snapshot adds to a name: a day, a version, a short stamp such as 0905 or 001."""
_REGION = re.compile(r"^(?:us|eu|apac|jp|au|global)\.")
_FILE = re.compile(r"\.gguf$")


def is_same(model: Model, served: str) -> bool:
    """Say whether `served` is the model, one of its aliases, or a snapshot of it; an empty name counts as the model."""
    told = _plain(served)
    return not told or any(told == _plain(name) for name in (model.id, *model.aliases, model.title) if name)


def _plain(name: str) -> str:
    """Remove from a name where the model is served, when it was made, and how it is packed."""
    text = name.strip().lower().replace("\\", "/")
    text = _FILE.sub("", text.rstrip("/").rpartition("/")[2])
    head, _, tail = text.partition(":")
    if tail in {"latest", "free", "nitro", "floor", "online", "thinking", "beta", "exacto", "cloud"}:
        text = head
    text = _REGION.sub("", text)
    return re.sub(r"[ ._]", "-", _DATED.sub("", text)) or text
