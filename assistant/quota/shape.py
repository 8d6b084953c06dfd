"""Types for JSON of which only some fields matter. msgspec is loaded late: most runs take less time than to load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def shape(name: str, fields: Mapping[str, Any], rename: Mapping[str, str] | Literal["camel"] | None = None) -> Any:
    """Make a type with these fields. A plain kind may be null or missing; a pair is a kind and its default value."""
    from msgspec import defstruct

    pairs = {key: kind if isinstance(kind, tuple) else (kind | None, None) for key, kind in fields.items()}
    return defstruct(name, [(key, *pair) for key, pair in pairs.items()], rename=rename, gc=False)


def reader(kind: Any, *, strict: bool = True) -> Callable[[bytes | str], Any]:
    """Return a function that reads one JSON text as a shape; it raises msgspec.DecodeError or ValidationError."""
    from msgspec.json import Decoder

    return Decoder(kind, strict=strict).decode


def lines_reader(kind: Any) -> Callable[[bytes], list[Any]]:
    """Return a function that reads many lines of JSON as a shape."""
    from msgspec.json import Decoder

    found: Callable[[bytes], list[Any]] = Decoder(kind).decode_lines
    return found
