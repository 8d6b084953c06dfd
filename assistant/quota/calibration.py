"""The meaning of a provider's figure: as a count, as a percent with its band, and the tokens behind an opaque percent.

The last is learned from pairs of readings between which all burn is known.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from assistant.quota.tariff import NOTHING, Amount

if TYPE_CHECKING:
    from assistant.quota.reading import Reading
    from assistant.quota.terms import Limit

_LEAST_POINTS = 5
_HUNDRED, _ZERO = Decimal(100), Decimal(0)


class Calibration:
    """What was learned about one meter: `capacity` is the whole window in weighted tokens, with its band."""

    def __init__(self) -> None:
        self.capacity: Amount | None = None
        self.begin()

    def begin(self) -> None:
        """Forget the first reading of the current pair: there is a new window, or the plan has changed."""
        self._start: Amount | None = None
        self._burnt = self._edge = _ZERO

    def learn(self, found: Amount, before: Amount, ours: Decimal, overlap: Decimal, running: Decimal) -> None:
        """Learn from a reading, the one before it (both in points) and our burn between them, in weighted tokens.

        `overlap` was running at the earlier reading and has ended since; `running` still runs at this one. Headers
        arrive while their own step still runs: it may be counted in them wholly, partly or not at all. Two readings are
        compared once they are five points apart. A rise while we burnt nothing is somebody else's burn: readings across
        it are not compared. A pair by which a point is worth less than was learned is dropped as well: others have
        burnt in between.
        """
        ours += overlap
        if found.low - before.high > 0 and ours <= 0:
            self._next(found, running)
            return
        if self._start is None:
            self._start, self._edge = before, overlap
        self._burnt += ours
        rise = found.point - self._start.point
        if rise < _LEAST_POINTS or self._burnt <= 0 or self._burnt < 2 * self._edge:
            return  # too little of the pair is certain yet
        least, most = found.low - self._start.high, found.high - self._start.low
        point = self._burnt * _HUNDRED / rise
        low, high = (self._burnt - self._edge) * _HUNDRED / most, (self._burnt + running) * _HUNDRED
        sample = Amount(low, point, high / least if least > 0 else max(point * 2, high / rise))
        old = self.capacity
        if old is not None and max(old.low, sample.low) <= min(old.high, sample.high):
            low, high = max(old.low, sample.low), min(old.high, sample.high)
            self.capacity = Amount(low, min(max(sample.point, low), high), high)
        elif old is None or sample.low > old.high:
            self.capacity = sample
        self._next(found, running)

    def _next(self, found: Amount, running: Decimal) -> None:
        """Begin the next pair with a reading, and the amount running at it."""
        self._start, self._burnt, self._edge = found, _ZERO, running

    def points(self, tokens: Amount) -> Amount:
        """Return weighted tokens in points; NOTHING if no capacity was learned."""
        if self.capacity is None:
            return NOTHING
        low, point, high = self.capacity
        return Amount(tokens.low * _HUNDRED / high, tokens.point * _HUNDRED / point, tokens.high * _HUNDRED / low)


def counted(reading: Reading, limit: Limit, *, opaque: bool, balance: bool) -> Decimal | None:
    """Return a reading's used amount as a count, in points for an `opaque` meter; None if only its percent tells."""
    used = reading.used
    if used is None and reading.remaining is not None and isinstance(limit, Decimal):
        used = limit - reading.remaining
    if opaque:
        if used is not None and isinstance(reading.limit, Decimal) and reading.limit:
            used = used * _HUNDRED / reading.limit
        elif reading.percent is not None or (reading.unit != "percent" and not _are_points(reading, limit)):
            used = None
    elif used is None and reading.remaining is not None and reading.percent is None:
        used = -reading.remaining  # a balance that tells only what is left
    # Usage is never negative, whatever a provider says; but a balance may hold more than was ever put in.
    return used if used is None or balance else max(_ZERO, used)


def _are_points(reading: Reading, limit: Limit) -> bool:
    """Say whether a used amount without a unit or limit can be points of a meter that counts points."""
    return not reading.unit and reading.used is not None and isinstance(limit, Decimal) and reading.used <= limit


def band(percent: Decimal, rounding: str) -> Amount:
    """Return the band of a true percent p, to the last digit shown: truncated [p, p+1), rounded [p-0.5, p+0.5)."""
    exponent = percent.as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) and exponent < 0 else 0)
    if rounding == "truncated":
        return Amount(percent, percent, percent + step)
    if rounding == "rounded":
        return Amount(max(_ZERO, percent - step / 2), percent, percent + step / 2)
    return Amount(percent, percent, percent)
