"""Parts that are made when they are first asked for."""

from __future__ import annotations

from functools import cached_property


def made(owner: object, name: str) -> bool:
    """Say whether a lazy part of an object was made; to ask for the part itself would make it.

    Raises AttributeError or TypeError if there is no part of that name: renaming it must not pass unnoticed.
    """
    if not isinstance(getattr(type(owner), name), cached_property):
        raise TypeError(f"{name} is no lazy part of {type(owner).__name__}")
    return name in vars(owner)
