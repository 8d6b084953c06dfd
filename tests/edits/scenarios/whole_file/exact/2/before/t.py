from typing import overload


@overload
def text(of: bytes) -> str:
    ...


@overload
def text(of: bytes, raw: bool) -> bytes:
    ...


def text(of, raw=False):
    return of
