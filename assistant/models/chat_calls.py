"""Tool calls in Chat Completions, put together from pieces, however a server or relay cuts and names them."""

from __future__ import annotations

import json
from typing import Any

from assistant.models.shape import table, text
from assistant.models.wire import Chunk, ToolCallChunk


class CallPieces:
    """Gathers the pieces of the calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[dict[str, str]] = []
        self._indices: list[int | None] = []
        self._places: dict[int | str, dict[str, str]] = {}

    @property
    def any(self) -> bool:
        """Whether there was a call at all."""
        return bool(self._calls)

    def add(self, tool: dict[str, Any]) -> None:
        """Take a piece of a call, matched by its index, else by its id; else it continues the call before."""
        index, ident, function = tool.get("index"), text(tool.get("id")), table(tool.get("function"))
        name, arguments = text(function.get("name")), function.get("arguments")
        last = self._calls[-1] if self._calls else None
        known: dict[str, str] | None = None
        if isinstance(index, int):
            known = self._places.get(index)
            if known and name and ident and known["id"] not in {"", ident}:
                known = None  # a relay that gives every call the index 0
        elif ident:
            known = self._places.get(ident)
        elif last and (not name or (name == last["name"] and not (last["arguments"] and _is_json(last["arguments"])))):
            known = last
        if known is None:
            known = {"id": "", "name": "", "arguments": ""}
            self._calls.append(known)
            self._indices.append(index if isinstance(index, int) else None)
        if isinstance(index, int):
            self._places[index] = known
        if ident:
            self._places[ident] = known
        known["id"] = known["id"] or ident
        known["name"] = known["name"] or name
        known["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""

    def whole(self, *, cut: bool) -> list[Chunk]:
        """Return the calls in the order of their indices; of a `cut` answer, only those with complete arguments."""
        places = [index for index in self._indices if index is not None]
        calls = self._calls
        if len(places) == len(calls):
            calls = [call for _, call in sorted(zip(places, calls, strict=True), key=lambda each: each[0])]
        called = [call for call in calls if not cut or _is_json(call["arguments"])]
        return [ToolCallChunk(call["id"], call["name"], call["arguments"] or "{}") for call in called]


def _is_json(words: str) -> bool:
    try:
        json.loads(words or "{}")
    except ValueError:
        return False
    return True
