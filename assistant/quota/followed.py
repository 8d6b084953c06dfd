"""Follows meters through a history in plain sums: how far burns go through together, and when there is room again.

The rules are those of a Gauge without readings. All calls are in order of time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from assistant.quota.columns import needed
from assistant.quota.lots import Purse
from assistant.quota.window import opened, span_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assistant.quota.columns import History
    from assistant.quota.terms import Meter

_ZERO = Decimal(0)
_FREE = Decimal(-1)
_DIGITS = 24
ENDLESS = Decimal("Infinity")


class Followed:
    """A meter that always has room, and the base of the others.

    `needs` is what each burn must find: None if it does not touch the meter, -1 if it takes nothing but opens a window,
    0 if its amount is unknown; then something must be left. `missed` says that a burn of unknown amount went through.
    """

    _idle: Decimal | None = None

    def __init__(self, meter: Meter, history: History, currencies: frozenset[str]) -> None:
        self.meter = meter
        self.column = history.column(meter.tariff)
        self.missed = False
        # Cached by hand: `cached_property` bypasses the fast layout of attributes, and makes each three times as slow.
        self._ones: Sequence[Decimal | None] | None = None
        self._most: Decimal | None = None
        self._burns = history.burns
        self._at = history.at
        self._currencies = currencies
        self._begins = bisect_left(history.at, meter.window.origin) if meter.window.origin is not None else 0
        self._all = all(meter.counts(model) for model in history.models) and not (meter.since or meter.until)
        self.needs = self._mine(self.column.needs(self._idle, currencies))
        self._misses = self.column.untold

    def _mine(self, needs: Sequence[Decimal | None]) -> Sequence[Decimal | None]:
        """Replace by None the needs of burns that the meter does not count."""
        if self._all:
            return needs
        meter = self.meter
        mine = (meter.counts(burn.model) and meter.holds_at(burn.at) for burn in self._burns)
        return [need if here else None for need, here in zip(needs, mine, strict=True)]

    @property
    def ones(self) -> Sequence[Decimal | None]:
        """What the first step of each burn must find."""
        if self._ones is None:
            self._ones = self._mine(self.column.needs(self._idle, self._currencies, ones=True))
        return self._ones

    @property
    def most(self) -> Decimal:
        """The most that the first step of any burn must find."""
        if self._most is None:
            self._most = max([_ZERO, *filter(None, self.ones)])
        return self._most

    def counts(self, index: int) -> bool:
        """Say whether a burn, or a part of it, may need something of the meter."""
        # The whole's need does not decide: tokens are cut to whole numbers, so a part may lack the unpriced class.
        burn = self._burns[index]
        return self.meter.counts(burn.model) and self.meter.holds_at(burn.at)

    def need(self, share: Any, index: int) -> Decimal | None:
        """Return what a share of a burn must find, if the meter counts the burn."""
        point = self.column.point(share, index)
        return point or needed(point, self._burns[index], self._idle, self._currencies)

    def left(self, index: int) -> Decimal:  # noqa: ARG002 - others ask
        """Move on to the instant of a burn; return what is left then."""
        return ENDLESS

    def never(self, need: Decimal) -> bool:  # noqa: ARG002 - others ask
        """Say whether there will never be room for that much."""
        return False

    def back(self, need: Decimal) -> datetime | None:  # noqa: ARG002 - others ask
        """Return when there is room again for what was just refused; None if that is never or unknown."""
        return None

    def shut_until(self) -> datetime | None:
        """Return the instant before which no more will be left than now; None if that is never."""
        return None

    def wanes_at(self) -> datetime | None:
        """Return the instant from which less may be left though nothing is burnt; None if that is never."""
        return None

    def through(self, index: int) -> int:  # noqa: ARG002 - others ask
        """Return the first burn from here on that may not find room, if all before it go through."""
        return len(self._at)

    @property
    def is_curious(self) -> bool:
        """Whether it must be told of burns without a known amount."""
        return self._misses and not self.missed

    def take(self, first: int, stop: int) -> None:
        """Record that some burns go through."""
        if self._misses and not self.missed:
            self.missed = _ZERO in self.needs[max(first, self._begins) : stop]

    def take_part(self, need: Decimal, index: int) -> None:
        """Record that a part of a burn goes through."""
        self.missed = self.missed or (not need and index >= self._begins)


class Fixed(Followed):
    """A meter whose windows have edges that follow from the plan's rule alone."""

    def __init__(self, meter: Meter, history: History, currencies: frozenset[str], limit: Decimal) -> None:
        super().__init__(meter, history, currencies)
        self._limit = limit
        self._used = _ZERO
        self._end: datetime | None = None
        self._units, self._sums = self.column.units, self.column.sums
        if not self._all:
            self._units = [max(need, _ZERO) if need is not None else _ZERO for need in self.needs]
            self._sums = list(accumulate(self._units, initial=_ZERO))
        self._rounds = is_long(self._sums[-1])

    def left(self, index: int) -> Decimal:
        """Move on to the instant of a burn, and to the window in which it lies."""
        at = self._at[index]
        if self._end is not None and at >= self._end:
            self._used, self._end = _ZERO, None
        if self._end is None and (span := span_at(self.meter.window, at)) is not None:
            self._end = span[1]
        return self._limit - self._used

    def never(self, need: Decimal) -> bool:
        """Say whether no window can hold that much."""
        return need > self._limit or not self._limit

    def back(self, need: Decimal) -> datetime | None:
        """Return the end of the window; None if no window can hold that much."""
        return self._end if not self.never(need) else None

    def shut_until(self) -> datetime | None:
        """Return the end of the window."""
        return self._end

    def through(self, index: int) -> int:
        """Return the first burn that may not find room, or may lie in another window."""
        left, needs = self.left(index), self.needs
        if self._rounds:  # rounded sums depend on the order of addition: go one by one
            need = needs[index]
            return index + (need is None or (need <= left and (left > 0 or need < 0)))
        if index < self._begins:  # nothing is counted before the first window
            edge = min(self._begins, self._until(index))
            refused = (at for at in range(index, edge) if (needs[at] or _ZERO) > left or not left)
            return next(refused, edge)
        # The last burn must leave something for a step of unknown amount.
        until = self._until(index)
        found = max(index, bisect_left(self._sums, self._sums[index] + left, index, until + 1) - 1)
        # Burns that need nothing would go through one by one as well, but four times as slowly.
        while found < until and needs[found] is None:
            found += 1
        return found

    def _until(self, index: int) -> int:
        """Return the first burn from here on at which another window may be open, or less be left."""
        return bisect_left(self._at, self._end, index) if self._end is not None else len(self._at)

    def take(self, first: int, stop: int) -> None:
        """Add up what goes through; burns before the first window are in none."""
        super().take(first, stop)
        self._used = sum(self._units[max(first, self._begins) : stop], self._used)

    def take_part(self, need: Decimal, index: int) -> None:
        """Add the part that goes through."""
        super().take_part(need, index)
        if need > 0 and index >= self._begins:
            self._used += need


class FirstUse(Fixed):
    """A meter whose window opens with the first burn that goes through."""

    _idle = _FREE
    _last: datetime | None = None

    def left(self, index: int) -> Decimal:
        """Move on to the instant of a burn; after a window has ended, none is open."""
        if self._end is not None and self._at[index] >= self._end:
            self._used, self._end, self._last = _ZERO, None, self._end
        return self._limit - self._used

    def _until(self, index: int) -> int:
        end = self._end or self._opened(index, len(self._at))
        return bisect_left(self._at, end, index) if end is not None else len(self._at)

    @property
    def is_curious(self) -> bool:
        """Whether it must be told of burns without a known amount: they open a window."""
        return self._misses

    def _opened(self, first: int, stop: int) -> datetime | None:
        """Return the end of the window that some burns open; None if they open none."""
        uses = (at for at in range(max(first, self._begins), stop) if self.needs[at] is not None)
        use = next(uses, None)
        return opened(self.meter.window, self._at[use], self._last)[1] if use is not None else None

    def take(self, first: int, stop: int) -> None:
        """Open a window with the first burn, if none is open."""
        self._end = self._end or self._opened(first, stop)
        super().take(first, stop)

    def take_part(self, need: Decimal, index: int) -> None:
        """Open a window, if none is open."""
        self._end = self._end or self._opened(index, index + 1)
        super().take_part(need, index)


class Trailing(Fixed):
    """A meter whose burns come back one by one.

    What went through is kept as ranges of burns, the oldest first; for burns of which only a part went through, with
    its units.
    """

    def __init__(self, meter: Meter, history: History, currencies: frozenset[str], limit: Decimal) -> None:
        super().__init__(meter, history, currencies, limit)
        self._reach = meter.window.reach or timedelta(0)
        self._trail: deque[tuple[int, int, Decimal | None]] = deque()
        self._back: datetime | None = None

    def left(self, index: int) -> Decimal:
        """Move on to the instant of a burn, and drop what has come back by then."""
        if self._back is not None and self._back <= self._at[index]:
            self._roll(self._at[index] - self._reach)
        return self._limit - self._used

    def _roll(self, edge: datetime) -> None:
        """Drop what was burnt up to an instant."""
        trail = self._trail
        while trail and self._at[trail[0][0]] <= edge:
            first, stop, units = trail.popleft()
            gone = bisect_right(self._at, edge, first, stop)
            for each in self._units[first:gone] if units is None else (units,):
                self._used -= each
            if gone < stop:
                trail.appendleft((gone, stop, None))
        self._back = self._at[trail[0][0]] + self._reach if trail else None

    def _keep(self, first: int, stop: int, part: Decimal | None) -> None:
        self._trail.append((first, stop, part))
        if self._back is None:
            self._back = self._at[first] + self._reach

    def back(self, need: Decimal) -> datetime | None:
        """Return when enough has come back that there is room."""
        if self.never(need):
            return None
        limit, used = self._limit, self._used
        for first, stop, part in self._trail:
            for place in range(first, stop):
                if units := part or self._units[place]:
                    used -= units
                    if limit - used >= need and limit > used:
                        return self._at[place] + self._reach
        return None

    def shut_until(self) -> datetime | None:
        """Return when the next amount comes back."""
        return self._back

    def _until(self, index: int) -> int:
        # A rounded sum must be added to and subtracted from in the order of time.
        back = self._back if is_long(self._used) else None
        return bisect_left(self._at, back, index) if back is not None else len(self._at)

    def take(self, first: int, stop: int) -> None:
        """Record what will come back later."""
        super().take(first, stop)
        if first >= self._begins and any(self._units[first:stop]):  # burns without units would only lengthen the trail
            self._keep(first, stop, None)

    def take_part(self, need: Decimal, index: int) -> None:
        """Record what will come back later."""
        super().take_part(need, index)
        if need > 0 and index >= self._begins:
            self._keep(index, index + 1, need)


class Balance(Fixed):
    """A meter to which nothing comes back: one sum, or lots that are bought and expire."""

    def __init__(self, meter: Meter, history: History, currencies: frozenset[str], limit: Decimal) -> None:
        super().__init__(meter, history, currencies, limit)
        self._purse = Purse(meter.lots) if meter.lots else None
        changes = {each for lot in meter.lots for each in (lot.bought_at, lot.expires_at) if each is not None}
        self._changes = sorted(changes)
        self._now = 0

    def left(self, index: int) -> Decimal:
        """Move on to the instant of a burn; return what is left in the lots that are valid then."""
        self._now = index
        return self._purse.left(self._at[index]) if self._purse is not None else self._limit - self._used

    def never(self, need: Decimal) -> bool:  # noqa: ARG002 - for any amount
        """Return True: a balance never has room again."""
        return True

    def shut_until(self) -> datetime | None:
        """Return when the next lot is bought or expires."""
        place = bisect_right(self._changes, self._at[self._now])
        return self._changes[place] if place < len(self._changes) else None

    def wanes_at(self) -> datetime | None:
        """Return when the next lot is bought or expires."""
        return self.shut_until()

    def _until(self, index: int) -> int:
        change = self.shut_until()
        return bisect_left(self._at, change, index) if change is not None else len(self._at)

    def take(self, first: int, stop: int) -> None:
        """Spend what goes through."""
        super().take(first, stop)
        if self._purse is not None:
            self._purse.spend(sum(self._units[max(first, self._begins) : stop], _ZERO), self._at[first])

    def take_part(self, need: Decimal, index: int) -> None:
        """Spend what goes through."""
        super().take_part(need, index)
        if self._purse is not None and index >= self._begins:
            self._purse.spend(need, self._at[index])


def follow(meter: Meter, history: History, currencies: frozenset[str], limit: Decimal | None) -> Followed:
    """Return a follower for a meter; with a `limit` of None it never stops anything."""
    if limit is None:
        return Followed(meter, history, currencies)
    if meter.window.trails:
        return Trailing(meter, history, currencies, limit)
    kinds: dict[str, type[Fixed]] = {"first_use": FirstUse, "balance": Balance}
    return kinds.get(meter.window.kind, Fixed)(meter, history, currencies, limit)


def misses(meter: Meter, history: History, currencies: frozenset[str]) -> bool:
    """Say whether a meter does not know the amount of some burn if all go through: `Followed.missed`, but sooner."""
    origin = meter.window.origin
    burns = zip(history.column(meter.tariff).points, history.burns, strict=True)
    return any(
        point is None
        and meter.counts(burn.model)
        and meter.holds_at(burn.at)
        and (origin is None or burn.at >= origin)
        and needed(point, burn, None, currencies) is not None
        for point, burn in burns
    )


def is_long(units: Decimal) -> bool:
    """Say whether a sum may have been rounded: it has nearly as many digits as the arithmetic keeps."""
    return len(str(units)) > _DIGITS  # counts point and sign too: quicker, and on the safe side
