"""Unpacks a body that came packed unasked, in small pieces, so that a bomb of zeros cannot fill the memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from assistant.errors import BadEndpoint, StreamBroken

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 65_536
_LARGEST = 256_000_000


class Inflater:
    """Passes bytes on, and unpacks them if `coding`, a Content-Encoding, says that they are packed.

    Raises BadEndpoint for a coding other than gzip and deflate, StreamBroken for data that is damaged or too much.
    """

    def __init__(self, coding: str) -> None:
        names = [name.strip().lower() for name in coding.split(",")]
        names = [name for name in names if name not in {"", "identity"}]
        if names and names not in (["gzip"], ["x-gzip"], ["deflate"]):
            raise BadEndpoint(f"The answer is packed with {coding[:40]!r}, which was not asked for.")
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32) if names else None
        self._sum = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes; yield them unpacked."""
        if self._inner is None:
            yield data
            return
        while data:
            try:
                piece = self._inner.decompress(data, _PIECE)
            except zlib.error as error:
                raise StreamBroken("The answer is packed, and damaged.", "Ask again.") from error
            self._sum += len(piece)
            if self._sum > _LARGEST:
                raise StreamBroken("The answer unpacks to more than any answer has.", "Ask again.")
            if piece:
                yield piece
            data = self._inner.unconsumed_tail
