"""opencode: messages as rows of `opencode.db`; before version 1.2, one JSON file each under `storage/message/`.

A message has five disjoint counts and opencode's own estimate of its cost (0 if a plan pays). A row is written when the
reply begins and again until it is complete: so the next reading starts at the first row that was incomplete. A reply
that is taken back in opencode is deleted, and SQLite reuses the numbers of deleted rows: so the last row read is
remembered with its id.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.quota.buckets import Use
from assistant.quota.shape import reader, shape
from assistant.quota.store import foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from assistant.quota.store import Connection

CLIENT = "opencode"
_GIVEN_UP_MS = 24 * 3_600_000
"""A reply that is incomplete and a day older than the newest one, in milliseconds, will never be complete."""
KINDS = {".json": "whole", ".db": "base"}


@cache
def _decoder() -> Callable[[bytes | str], Any]:
    import msgspec

    kept = shape("Cache", {"read": (int, 0), "write": (int, 0)})
    counts = dict.fromkeys(("input", "output", "reasoning"), (int, 0))
    tokens = shape("Tokens", {**counts, "cache": (kept, msgspec.field(default_factory=kept))})
    time = shape("Time", {"created": (float, 0), "completed": float})
    folder = shape("Folder", {"cwd": (str, ""), "root": (str, "")})
    texts = dict.fromkeys(("id", "role", "model_id", "provider_id"), str)
    message = shape(
        "Message",
        {**texts, "tokens": tokens, "cost": float, "time": time, "path": folder},
        {"model_id": "modelID", "provider_id": "providerID"},
    )
    return reader(message, strict=False)


def places(env: Mapping[str, str], home: Path) -> list[Path]:
    """Return the folder of messages: `OPENCODE_DATA_DIR`, else the one for shared data."""
    if env.get("OPENCODE_DATA_DIR"):
        return [home.joinpath(env["OPENCODE_DATA_DIR"])]
    share = home.joinpath(env["XDG_DATA_HOME"]) if env.get("XDG_DATA_HOME") else home / ".local" / "share"
    return [share / "opencode"]


def wanted(path: str) -> bool:
    """Say whether a file contains messages."""
    name = path.replace("\\", "/")
    return name.endswith(".db") or "/storage/message/" in name or "/storage/session/message/" in name


def whole(data: bytes, state: dict[str, Any], shared: dict[str, str]) -> Iterator[Use]:
    """Read one message file."""
    del state, shared
    use = _use(_decoder()(data), "")
    if use is not None:
        yield use


def base(path: Path, state: dict[str, Any]) -> Iterator[Use]:
    """Read the rows that are new since `state`. Raises StateError if the file is unreadable."""
    import msgspec

    decode = _decoder()
    unfinished: list[tuple[_Place, float]] = []
    last, newest = _Place(0, ""), 0.0
    with foreign(path) as rows:
        for number, entry, data in _rows(rows, state):
            last = _Place(number, str(entry))
            try:
                message = decode(data)
            except (msgspec.DecodeError, TypeError):  # TypeError: the row holds no text
                continue
            begun = message.time.created if message.time else 0.0
            newest = max(newest, begun)
            if message.role == "assistant" and not (message.time and message.time.completed):
                unfinished.append((last, begun))
            use = _use(message, last.id)
            if use is not None:
                yield use
    place = next((place for place, begun in unfinished if begun > newest - _GIVEN_UP_MS), last)
    state["row"], state["id"] = place


class _Place(NamedTuple):
    """The number of a row, and its id."""

    row: int
    id: str


def _rows(base: Connection, state: Mapping[str, Any]) -> Iterable[tuple[int, Any, Any]]:
    """Yield the rows from the one in `state` on; all rows if it is gone or its number belongs to another."""
    query = "SELECT rowid, id, data FROM message WHERE rowid >= ? ORDER BY rowid"
    place = _Place(int(state.get("row", 0)), str(state.get("id", "")))
    found = base.execute(query, (place.row,))
    first = found.fetchone()
    if first is None or _Place(first[0], str(first[1])) != place:
        return base.execute(query, (0,))
    return chain([first], found)


def _use(message: Any, entry: str) -> Use | None:
    tokens, time = message.tokens, message.time
    if message.role != "assistant" or tokens is None or time is None or not 0 < time.created < 1e14:
        return None
    if not (tokens.input or tokens.output or tokens.reasoning or tokens.cache.read or tokens.cache.write):
        return None
    at = datetime.fromtimestamp(time.created / 1000, UTC)
    return Use(
        message.id or entry,
        "",
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        message.provider_id or "unknown",
        message.model_id or "unknown",
        (message.path.root if message.path.root != "/" else "") or message.path.cwd if message.path else "",
        tokens.input,
        tokens.cache.read,
        tokens.cache.write,
        0,
        tokens.output,
        tokens.reasoning,
        Decimal(str(message.cost)) if message.cost and isfinite(message.cost) else None,  # may be the text "nan"
        _again(message),
    )


def _again(message: Any) -> tuple[str, ...]:
    """Name a reply by its instants and counts: a forked session has it under another id. Empty if they are coarse."""
    time = message.time
    if not time.completed or not time.created % 1000 or not time.completed % 1000:
        return ()
    return (f"{time.created}|{time.completed}|{message.model_id}|{message.tokens}|{message.cost}",)
