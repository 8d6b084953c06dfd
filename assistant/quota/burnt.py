"""The known burn of one window: our own steps, and those in the logs of other clients.

Both move the estimate in the same way; only the owner differs. A reading of the provider covers all burn before it.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

from assistant.quota.tariff import NOTHING, Amount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from assistant.quota.tariff import Burn

_RUNNING = 256
_ZERO = Decimal(0)


class Burnt:
    """The known burn of a window. `since` is what no reading covers yet, `others` the part of it by other clients.

    `unpriced` counts steps in it whose amount is unknown. `local` and `events` are our own burn of the whole window,
    `clients` what each client's log tells of it. `expired` is what a rolling window has given back since the reading
    that covers it.
    """

    def __init__(self) -> None:
        self.since = self.others = self.local = NOTHING
        self.clients: dict[str, Decimal] = {}
        self.events = self.unpriced = 0
        self.expired = _ZERO
        self._untold: deque[tuple[datetime, int]] = deque()
        self._trail: deque[tuple[datetime, Amount, str, int]] = deque()
        self._running: list[tuple[datetime | None, Amount, str]] = []
        self._steps = 0
        self._fractions = False
        self._doubts: dict[tuple[str, int], datetime] = {}

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the burn is only known as a range, in words."""
        return tuple(
            f"whether a day of {year} is a holiday of {name!r} is not known" for name, year in sorted(self._doubts)
        )

    def doubt(self, at: datetime, calendar: tuple[str, int] | None) -> None:
        """Note that the amount of a step is a range because a year's calendar of holidays is missing."""
        if calendar is not None:
            self._doubts[calendar] = at

    def add(self, burn: Burn, units: Amount, *, trails: bool) -> None:
        """Count a step; with `trails`, its amount comes back by itself."""
        self._steps += 1
        self._fractions = self._fractions or units.point % 1 != 0
        self.since = self.since.plus(units)
        if burn.client:
            self.others = self.others.plus(units)
            self.clients[burn.client] = self.clients.get(burn.client, _ZERO) + units.point
        else:
            self.events, self.local = self.events + burn.steps, self.local.plus(units)
        if burn.running or burn.until is not None:
            if len(self._running) > _RUNNING:
                self._running = [each for each in self._running if each[0] is None or each[0] > burn.at]
            self._running.append((None if burn.running else burn.until, units, burn.client))
        if trails:
            self._trail.append((burn.at, units, burn.client, burn.steps))

    def miss(self, burn: Burn, *, trails: bool) -> None:
        """Count a step whose amount is unknown."""
        self.unpriced += burn.steps
        if trails:
            self._untold.append((burn.at, burn.steps))

    def running(self, at: datetime, *, ours: bool = True) -> Amount:
        """Return the amount of steps still running at an instant; without `ours`, of other clients only."""
        total = NOTHING
        for until, units, client in self._running:
            if (until is None or until > at) and (ours or client):
                total = total.plus(units)
        return total

    def slack(self, said: Decimal) -> Decimal:
        """Return what a vendor's rounding may hide: each token class of each step is rounded to the last digit."""
        if not self._fractions:
            return _ZERO
        exponent = said.as_tuple().exponent
        places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        return Decimal(1) if not places else Decimal(5).scaleb(-places - 1) * 3 * max(1, self._steps)

    def cover(self, at: datetime) -> None:
        """Apply a reading at an instant: all earlier burn is included in it."""
        self.since = self.others = NOTHING
        self.expired, self._steps, self.unpriced = _ZERO, 0, 0
        self._untold.clear()
        self._doubts.clear()
        self._running = [each for each in self._running if each[0] is None or each[0] > at]

    def roll(self, now: datetime, reach: timedelta, read_at: datetime | None) -> None:
        """Drop what has come back by now; `read_at` is the instant of the reading that holds, None for none."""
        while self._untold and self._untold[0][0] + reach <= now:
            self.unpriced -= self._untold.popleft()[1]
        if self._doubts:
            self._doubts = {calendar: at for calendar, at in self._doubts.items() if at + reach > now}
        while self._trail and self._trail[0][0] + reach <= now:
            at, units, client, steps = self._trail.popleft()
            covered = read_at is not None and at < read_at
            if covered:
                self.expired += units.point
            else:
                self.since = self.since.minus(units)
            if client:
                self.clients[client] -= units.point
                self.others = self.others if covered else self.others.minus(units)
            else:
                self.events, self.local = self.events - steps, self.local.minus(units)

    def returns(
        self, used: Decimal, reach: timedelta, read_at: datetime | None
    ) -> Iterator[tuple[datetime, Decimal]]:  # fmt: skip
        """Yield how `used` comes back: an instant, and the amount still used then; steps of one instant together."""
        unknown = used - self.local.point - sum(self.clients.values(), _ZERO)
        gone = read_at + reach if unknown > 0 and read_at is not None else None
        last: datetime | None = None
        for at, units, _, _ in self._trail:
            back = at + reach
            if last is not None and last != back:
                yield last, used
            if gone is not None and gone <= back:
                used -= unknown
                yield gone, used
                gone = None
            used -= units.point
            last = back
        if last is not None:
            yield last, used
        if gone is not None:
            yield gone, used - unknown

    def forget_trail(self) -> None:
        """Let nothing come back by itself any more: the edges of the window are known now."""
        self._trail.clear()
        self._untold.clear()

    def close(self) -> None:
        """Begin a new window; steps that still run may be counted in it."""
        self.since = self.others = self.local = NOTHING
        self.clients, self.events, self.unpriced = {}, 0, 0
        self._untold.clear()
        self._doubts.clear()
        self._running = [each for each in self._running if each[0] is None]
