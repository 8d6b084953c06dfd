"""The part of a body that has come and was not taken yet, with a watch on silence.

One task reads a body to its end, so that all that one network read brought is taken at once, and one timer that checks
a number watches it: a task or a timer for each piece would cost more than the piece.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from types import TracebackType

_SMALL, _BREATH_S = 4_096, 0.02
"""After a read of fewer bytes the reader waits this long for more: waking for each token costs more than reading it."""
_MOST = 1_000_000
"""Most bytes that may lie here before the reader waits for the taker."""
_SLEPT_S = 30.0


class Silent(Exception):
    """Nothing came for too long; `slept` if the machine slept meanwhile, so that the connection is probably dead."""

    def __init__(self, *, slept: bool) -> None:
        super().__init__("nothing came")
        self.slept = slept


class Inbox:
    """Reads a body ahead. Silence is counted from the last `alive`, whatever bytes came since: a drip is no sign of life.

    If the wall clock, `now`, jumps ahead of the loop's clock, the machine has slept; then only `grace_s` are left. This
    is checked every `look_s`. All times are in seconds.
    """

    def __init__(
        self,
        body: AsyncIterator[bytes],
        limit_s: float,
        now: Callable[[], datetime],
        *,
        look_s: float = 5.0,
        grace_s: float = 10.0,
    ) -> None:
        self._look_s = look_s
        self._grace_s = grace_s
        self.limit_s = limit_s
        self._body = body
        self._now = now
        self._pieces: list[bytes] = []
        self._size = 0
        self._room = asyncio.Event()
        self._waiter: asyncio.Future[None] | None = None
        self._slept = False
        self._turned, self._watched = True, False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._reader = asyncio.create_task(self._read())
        self._reader.add_done_callback(lambda _: self._wake())
        self._wall, self._clock = self._now(), self._loop.time()
        self._until = self._clock + self.limit_s
        self._timer = self._loop.call_later(min(self.limit_s, self._look_s), self._look)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    def alive(self, limit_s: float) -> None:
        """Begin to count anew: the next sign of life must come within `limit_s` seconds."""
        self.limit_s = limit_s
        self._until = self._loop.time() + limit_s
        if self._until < self._timer.when():
            self._timer.cancel()
            self._timer = self._loop.call_at(self._until, self._look)

    async def take(self) -> bytes | None:
        """Return all that has come, None after the end. Raises Silent, or the reader's error once all is taken."""
        if not self._pieces and not self._reader.done():
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            self._room.set()
            return data
        self._reader.result()
        return None

    async def _read(self) -> None:
        """Read to the end, with a short pause after each small network read, however many pieces that read brings.

        An HTTP client cuts a read into the chunks that a server sent, often one per token: only if the loop has turned
        since the piece before was the network read anew.
        """
        burst = 0
        async for piece in self._body:
            breathes = False
            if self._turned:
                breathes, burst, self._turned = burst < _SMALL, 0, False
            burst += len(piece)
            self._pieces.append(piece)
            self._size += len(piece)
            self._wake()
            if breathes and burst < _SMALL:
                await asyncio.sleep(_BREATH_S)
                self._turned = False
            if not self._watched:
                self._watched = True
                self._loop.call_soon(self._turn)
            if self._size > _MOST:
                self._room.clear()
                await self._room.wait()

    def _turn(self) -> None:
        self._turned, self._watched = True, False

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _look(self) -> None:
        clock, wall = self._loop.time(), self._now()
        if (wall - self._wall).total_seconds() - (clock - self._clock) > _SLEPT_S:
            self._slept, self._until = True, min(self._until, clock + self._grace_s)
        self._wall, self._clock = wall, clock
        if clock >= self._until and self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Silent(slept=self._slept))
        # If the taker is busy with what came, look again soon.
        self._timer = self._loop.call_later(min(max(self._until - clock, 0.05), self._look_s), self._look)
