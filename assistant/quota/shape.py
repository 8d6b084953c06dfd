"""Shapes of JSON of which only some fields count. Made when the first one is read: to load msgspec takes longer than most runs have to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def shape(name: str, fields: Mapping[str, Any], rename: Mapping[str, str] | Literal["camel"] | None = None) -> Any:
    """Make a type with these fields: a kind may be None or missing, a pair of kind and value is that value where missing."""
    from msgspec import defstruct

    pairs = {key: kind if isinstance(kind, tuple) else (kind | None, None) for key, kind in fields.items()}
    return defstruct(name, [(key, *pair) for key, pair in pairs.items()], rename=rename, gc=False)


def reader(kind: Any, *, strict: bool = True) -> Callable[[bytes | str], Any]:
    """Return what reads one JSON text as a shape. It raises msgspec.DecodeError, or ValidationError where the kinds differ."""
    from msgspec.json import Decoder

    return Decoder(kind, strict=strict).decode


def lines_reader(kind: Any) -> Callable[[bytes], list[Any]]:
    """Return what reads many lines of JSON as a shape."""
    from msgspec.json import Decoder

    found: Callable[[bytes], list[Any]] = Decoder(kind).decode_lines
    return found
