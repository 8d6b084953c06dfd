"""One meter followed through time: our own burn and the provider's readings, in order, merged into one number.

A Gauge is fed in order of time and asked in order of time. The rules are these. A reading beats the estimate of its window;
our own burn adds only what came after it. Readings of one window do not decrease: a lower one is a cache that lags (within a
minute of the last), a reset (a later reset instant, or a plain drop), or proof that our weights are too high (lower than the
estimate, not lower than the reading before). What a reading has more than the last one and our burn between is others' burn.
A step that runs while a reading is taken counts only at the high end until the next. A window whose end has passed by a
minute without a reading holds our burn since its end. What the logs of other clients tell is known burn like our own, but
not ours: it is others' burn, and once a reading covers it the reading alone counts. Where a provider tells only percents, what a point is worth is learned
from pairs of readings with our own burn between them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from assistant.quota.calibration import Calibration, band
from assistant.quota.estimate import Correction, Estimate, Freed, Held
from assistant.quota.lots import Purse
from assistant.quota.money import spent
from assistant.quota.tariff import NOTHING, Amount
from assistant.quota.window import opened, span_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assistant.quota.estimate import Confidence, MeterState
    from assistant.quota.reading import Reading
    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Limit, Meter

SAME_RESET = timedelta(seconds=120)
LAG = timedelta(seconds=60)
GRACE = timedelta(seconds=60)
_FREES = 12
_RUNNING = 256
_HUNDRED, _ZERO = Decimal(100), Decimal(0)
_SOURCES = {"endpoint": "provider", "error": "provider", "file": "provider", "headers": "headers", "you": "you"}


@dataclass(frozen=True, slots=True)
class Room:
    """When there is room: `at` is the instant (which may be now); None with `never` False is unknown."""

    at: datetime | None
    never: bool = False


@dataclass(slots=True)
class Gauge:
    """The moving state of one meter. `plan` is its plan's name."""

    plan: str
    meter: Meter
    start: datetime | None = None
    end: datetime | None = None
    held: list[Held] = field(default_factory=list)
    peak: Decimal = _ZERO
    peak_at: datetime | None = None
    _base: Amount | None = None
    _reading: Reading | None = None
    _read_limit: Limit = None
    _left: Decimal | None = None
    _points: bool = False
    _since: Amount = NOTHING
    _local: Amount = NOTHING
    _others: Amount = NOTHING
    _clients: dict[str, Decimal] = field(default_factory=dict)
    _overlap: Decimal = _ZERO
    _foreign: Amount = NOTHING
    _events: int = 0
    _unpriced: int = 0
    _resets: int = 0
    _reset_at: datetime | None = None
    _before: Decimal | None = None
    _absent: bool = False
    _spent_until: datetime | None = None
    _spent: bool = False
    _wants: bool = False
    _corrections: list[Correction] = field(default_factory=list)
    _rolling: deque[tuple[datetime, Amount, str]] = field(default_factory=deque)
    _expired: Decimal = _ZERO
    _running: list[tuple[datetime | None, Amount, str]] = field(default_factory=list)
    _steps: int = 0
    _fractions: bool = False
    _learned: Calibration = field(default_factory=Calibration)
    _purse: Purse | None = None

    def __post_init__(self) -> None:
        self._points = self.meter.unit == "percent"
        self._purse = Purse(self.meter.lots) if self.meter.lots else None

    @property
    def capacity(self) -> Amount | None:
        """What the whole window is worth in weighted tokens, as learned from percents."""
        return self._learned.capacity

    # --- feeding -----------------------------------------------------------------------------------------------------

    def amount(self, burn: Burn) -> Amount | None:
        """Return what a step takes, with the band of what is only estimated; None where unknown."""
        found = self.meter.amount(burn)
        if found is None:
            return None
        low, point, high = found
        if burn.doubtful:
            low = _ZERO
        elif not burn.usage.exact and not burn.given and self.meter.unit not in {"requests", "calls", "prompts"}:
            low, high = low * Decimal("0.8"), high * Decimal("1.2")
        return Amount(low, point, high)

    def need(self, burn: Burn) -> Decimal | None:
        """Return what a step must find here, in the units that are shown; None where it cannot be held against the meter.

        A step whose price is unknown, or that takes nothing, is not, but for a balance that is overdrawn. A step told in tokens needs some of a meter told in
        points, how much only where that was learned.
        """
        found = self.meter.amount(burn)
        if found is None or not self.meter.holds_at(burn.at):
            return None
        if not self._points or "percent" in burn.given or self.meter.name in burn.charged:
            return found.point or (_ZERO if self._overdrawn else None)
        return self._learned.points(found).point

    @property
    def _overdrawn(self) -> bool:
        """Whether a balance is below zero: then the provider refuses what is free, too."""
        return self.meter.window.kind == "balance" and self._base is not None and (self._left or _ZERO) < 0

    def burn(self, burn: Burn) -> Amount | None:
        """Count a step that is in scope; returns what it takes, None where that is unknown or the plan has no such meter."""
        if not self.meter.holds_at(burn.at):
            return None
        found = self.amount(burn)
        self._advance(burn.at)
        if self.meter.window.kind == "first_use" and self.start is None:
            last = self.held[-1].end if self.held else None
            self.start, self.end = opened(self.meter.window, burn.at, last)
        if found is None:
            self._unpriced += 1
            return None
        given = burn.given.get("percent") if self._points else None
        if given is not None or (self._points and self.meter.name in burn.charged):
            # A burn that is stated in points moves the bar itself.
            self._base = (self._base or NOTHING).plus(found)
            self._events += 1
            return found
        self._steps += 1
        self._fractions = self._fractions or found.point % 1 != 0
        self._since = self._since.plus(found)
        if burn.client:
            self._others = self._others.plus(found)
            self._clients[burn.client] = self._clients.get(burn.client, _ZERO) + found.point
        else:
            self._events, self._local = self._events + 1, self._local.plus(found)
        if burn.running or burn.until is not None:
            if len(self._running) > _RUNNING:
                self._running = [each for each in self._running if each[0] is None or each[0] > burn.at]
            self._running.append((None if burn.running else burn.until, found, burn.client))
        if self._trails:
            self._rolling.append((burn.at, found, burn.client))
        if self._purse is not None:
            self._purse.spend(found.point, burn.at)
        self._watch(burn.at)
        return found

    def read(self, reading: Reading) -> None:
        """Merge what the provider said; a reading older than the last is stored by the caller and not applied."""
        if reading.status == "not_in_plan":
            self._absent, self._reading = True, reading
            return
        if self._reading is not None and reading.at < self._reading.at:
            return
        if reading.status in {"unknown", "unsupported"}:
            return
        if reading.resets_at is not None and reading.resets_at <= reading.at:
            return  # of a window that is over
        if self._base is None or self._trails or (self.end is not None and reading.at >= self.end):
            self._advance(reading.at)
        self._absent = False
        if reading.status == "unlimited":
            self._read_limit, self._reading, self._spent = "unlimited", reading, False
            used = self._stated(reading)
            self._base = used if used is not None else self._base or self._local
            self._since = self._others = NOTHING
            return
        found = self._stated(reading)
        if found is None:
            if reading.status == "exhausted":
                self._exhaust(reading)
            return
        ends = self._ends(reading)
        if self._base is None or self._reading is None:
            self._begin(reading, found, ends)
        else:
            self._compare(reading, found, ends)

    def _compare(self, reading: Reading, found: Amount, ends: datetime | None) -> None:
        base, last = self._base or NOTHING, self._reading
        if self._trails:  # what has come back meanwhile is no drop
            base = Amount(*(max(_ZERO, each - self._expired) for each in base))
        later = ends is not None and self.end is not None and ends - self.end > SAME_RESET
        rounding = max(found.high - found.low, base.high - base.low)
        dropped = base.point - found.point > rounding and not self._trails
        fresh = self._reset_at is not None and reading.at - self._reset_at <= LAG
        if fresh and self._before is not None and found.point >= self._before:
            return  # a cache still tells what was before the reset
        if dropped and fresh and not later:
            self._settle(reading, found)
            return
        if dropped and not later and last is not None and reading.at - last.at <= LAG:
            return  # two sources within a minute: caches lag, the higher one holds
        if dropped:
            self._before = base.point
            if self.meter.window.kind != "balance":
                self._close(reading.at, "granted" if not later else "end")
            self._reset_at, self._resets = reading.at, self._resets + 1
            self._begin(reading, found, ends, start=None if later else reading.at)
            return
        if found.point < base.point and not self._trails:
            found = base  # lower by no more than rounding: readings of one window do not decrease
        self._attribute(reading, found, base)
        self._settle(reading, found)
        self._place(ends)

    def _attribute(self, reading: Reading, found: Amount, base: Amount) -> None:
        """Split a rise between two readings into our own burn, others' burn and a correction of our weights."""
        running = self._overlapping(reading.at)
        done = self._since.minus(running)
        most = Amount(done.low, done.point, done.high + running.high + self._overlap)
        told = self._others.minus(self._overlapping(reading.at, ours=False))
        if self._points:
            self._learned.learn(found, base, done.point)
            if self._learned.capacity is None and most.high > told.high:
                return  # a rise that cannot be split is nobody's
            most, told = self._learned.points(most), self._learned.points(told)
        slack = self._slack(found)
        # What logs tell is others' burn as far as the reading has risen beyond our own.
        known = min(told.point, max(_ZERO, found.point - base.point - (most.point - told.point)))
        self._foreign = self._foreign.plus(Amount(known, known, known))
        low = found.low - base.high - most.high - slack
        point = found.point - base.point - most.point
        high = found.high - base.low - most.low + slack
        if low > 0:
            self._foreign = self._foreign.plus(Amount(low, point, high))
        elif high < 0:
            self._corrections.append(Correction(reading.at, point))

    def _slack(self, found: Amount) -> Decimal:
        """Return what rounding by the vendor may hide: each class of each step to the last place shown."""
        if not self._fractions:
            return _ZERO
        exponent = found.point.as_tuple().exponent
        places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        return Decimal(1) if not places else Decimal(5).scaleb(-places - 1) * 3 * max(1, self._steps)

    def _begin(
        self, reading: Reading, found: Amount, ends: datetime | None, start: datetime | None = None
    ) -> None:  # fmt: skip
        self._foreign = NOTHING
        self._learned.begin()
        self._settle(reading, found)
        self.start = start or self.start
        self._place(ends, keep=start is not None)

    def _settle(self, reading: Reading, found: Amount) -> None:
        ours = self._overlapping(reading.at)
        self._overlap = ours.high
        self._base, self._reading, self._expired, self._steps = found, reading, _ZERO, 0
        self._since = self._others = NOTHING
        self._running = [each for each in self._running if each[0] is None or each[0] > reading.at]
        if reading.limit is not None or self._read_limit == "unlimited":
            self._read_limit = reading.limit
        self._left = reading.remaining
        self._wants = False
        self._spent = reading.status == "exhausted"
        self._spent_until = reading.resets_at
        self._watch(reading.at)

    def _exhaust(self, reading: Reading) -> None:
        """An error that names a window: used up until its reset, whatever we thought."""
        limit = self._limit(reading.at)
        self._settle(reading, Amount(limit, limit, limit) if isinstance(limit, Decimal) else self._base or self._local)
        self._place(self._ends(reading))

    def _place(self, ends: datetime | None, *, keep: bool = False) -> None:
        window = self.meter.window
        if ends is None or window.kind in {"rolling", "balance"}:
            return
        length = window.length
        if not keep:
            if self._edgeless and window.kind == "subscription_month":
                local = ends.astimezone(ZoneInfo(window.zone))
                window = replace(window, day=local.day, time=local.time().replace(microsecond=0))
            span = span_at(window, ends - timedelta(seconds=1))
            if span is not None and abs(span[1] - ends) <= SAME_RESET:
                self.start = span[0]
            elif length and window.kind in {"first_use", "grid"}:
                self.start = min(ends - length, self._reading.at) if self._reading is not None else ends - length
        if self._edgeless:
            self._rolling.clear()
        self.end = ends

    def _ends(self, reading: Reading) -> datetime | None:
        reach = self.meter.window.reach
        if reading.resets_at is not None and (reach is None or reading.resets_at - reading.at <= 2 * reach):
            return reading.resets_at.astimezone(UTC)
        span = span_at(self.meter.window, reading.at)
        return span[1] if span is not None else self.end

    def _overlapping(self, at: datetime, *, ours: bool = True) -> Amount:
        """Return what still runs at an instant; without `ours`, of other clients alone."""
        total = NOTHING
        for until, amount, client in self._running:
            if (until is None or until > at) and (ours or client):
                total = total.plus(amount)
        return total

    def _stated(self, reading: Reading) -> Amount | None:
        """Return what a reading says is used, in the units of this gauge, with the band of its rounding."""
        limit = reading.limit if isinstance(reading.limit, Decimal) else self.meter.limit_at(reading.at)
        used = reading.used
        if used is None and reading.remaining is not None and isinstance(limit, Decimal):
            used = limit - reading.remaining
        if self.meter.unit == "percent":
            if used is not None and isinstance(reading.limit, Decimal) and reading.limit:
                used = used * _HUNDRED / reading.limit
            elif reading.percent is not None or reading.unit != "percent":
                used = None
        elif used is None and reading.remaining is not None and reading.percent is None:
            used = -reading.remaining  # a balance of which only the rest is told
        if used is not None:
            self._points = self.meter.unit == "percent"
            if self.meter.window.kind != "balance":
                used = max(_ZERO, used)  # nobody has used less than nothing, whoever says so
            return Amount(used, used, used)
        if reading.percent is None:
            if reading.status == "exhausted" and isinstance(limit, Decimal):
                return Amount(limit, limit, limit)
            return None
        said = band(max(_ZERO, reading.percent), reading.rounding)
        if self.meter.unit == "percent":
            return said
        if isinstance(limit, Decimal):
            self._points = False
            return Amount(*(each * limit / _HUNDRED for each in said))
        if not self._points:
            self._points, self._base = True, None
        return said

    # --- time ---------------------------------------------------------------------------------------------------------

    @property
    def _trails(self) -> bool:
        """Whether steps leave one by one: a rolling window, or one whose edges nobody has said yet."""
        window = self.meter.window
        return window.kind == "rolling" or self._edgeless

    @property
    def _edgeless(self) -> bool:
        window = self.meter.window
        if window.kind not in {"grid", "subscription_month"} or (self._reading is not None and self.end is not None):
            return False
        return window.origin is None and (window.kind == "grid" or window.day == 0)

    def _advance(self, now: datetime) -> None:
        window = self.meter.window
        if self._trails:
            self._roll(now)
            return
        read_at = self._reading.at if self._reading is not None and self._base is not None else now
        if self.end is None and window.kind == "first_use" and now >= read_at + window.length:
            self._close(now, "end")  # it was open when it was read, and nobody said until when
            self._wants = True
        if self.end is not None and now >= self.end:
            ended = self.end
            self._close(ended, "end")
            self.start = self.end = None
            self._wants = self._reading is not None
            if window.kind == "grid" and window.origin is None:
                self.start = ended + (now - ended) // window.length * window.length
                self.end = self.start + window.length
        if self.end is None:
            span = span_at(window, now)
            if span is not None:
                self.start, self.end = span

    def _roll(self, now: datetime) -> None:
        reach = self.meter.window.reach or timedelta(0)
        while self._rolling and self._rolling[0][0] + reach <= now:
            at, amount, client = self._rolling.popleft()
            covered = self._reading is not None and self._base is not None and at < self._reading.at
            if covered:
                self._expired += amount.point
            else:
                self._since = self._since.minus(amount)
            if client:
                self._clients[client] -= amount.point
                self._others = self._others if covered else self._others.minus(amount)
            else:
                self._events, self._local = self._events - 1, self._local.minus(amount)
        if self._reading is not None and self._base is not None and now >= self._reading.at + reach:
            self._base, self._expired, self._foreign, self._wants = None, _ZERO, NOTHING, True

    def _close(self, at: datetime, why: Literal["end", "granted"]) -> None:
        if self.start is not None and (self._events or self._clients or self._base is not None):
            used = self._used()
            self.held.append(
                Held(
                    self.meter.name, "percent" if self._points else self.meter.unit, self.start, at, used.point,
                    self._limit(self.start), self._events, self._not_ours().point, why,
                )
            )  # fmt: skip
        self._base, self._left, self._spent = None, None, False
        self._learned.begin()
        self._since = self._local = self._others = self._foreign = NOTHING
        self._clients = {}
        self._overlap, self._events, self._unpriced = _ZERO, 0, 0
        self._corrections = []
        self._running = [each for each in self._running if each[0] is None]

    def _watch(self, at: datetime) -> None:
        if self._points or self._trails:
            used = self._used().point
        else:
            used = self._since.point if self._base is None else self._base.point + self._since.point
        if used > self.peak:
            self.peak, self.peak_at = used, at

    # --- asking ---------------------------------------------------------------------------------------------------------

    def _limit(self, at: datetime) -> Limit:
        if self._read_limit == "unlimited":
            return "unlimited"
        if self._points:
            own = self.meter.limit_at(at) if self.meter.unit == "percent" else None
            return own if isinstance(own, Decimal) else _HUNDRED
        if self._read_limit is not None:
            return self._read_limit
        return self.meter.limit_at(at)

    def _used(self) -> Amount:
        since = self._since
        if self._points:
            since = self._learned.points(since)
        if self._base is None:
            return since
        base = Amount(*(max(_ZERO, each - self._expired) for each in self._base)) if self._trails else self._base
        found = base.plus(since)
        return Amount(found.low, found.point, found.high + (self._overlap if not self._points else _ZERO))

    def _not_ours(self) -> Amount:
        return self._foreign.plus(self._learned.points(self._others) if self._points else self._others)

    def remaining(self, now: datetime) -> Decimal | None:
        """Return what is left at an instant; None where unknown or unlimited."""
        self._tick(now)
        return self._remaining(now)

    def _remaining(self, now: datetime) -> Decimal | None:
        if self._spent:
            return _ZERO
        if self._purse is not None and self._reading is None:
            return self._purse.left(now)
        if self._base is not None and self._left is not None and not self._points and not self._trails:
            left = self._left - self._since.point
            return left if self.meter.window.kind == "balance" else max(_ZERO, left)
        limit = self._limit(now)
        if not isinstance(limit, Decimal):
            return None
        rest = limit - self._used().point
        return rest if self.meter.window.kind == "balance" else max(_ZERO, rest)

    def _tick(self, now: datetime) -> None:
        """Move on to `now`; a window that a reading gave stays a minute beyond its end, for clocks that differ."""
        if self._spent and self._spent_until is not None and now >= self._spent_until:
            self._spent = False
        if self.end is not None and self._base is not None and self._reading is not None and now < self.end + GRACE:
            return
        self._advance(now)

    def room(self, need: Decimal, now: datetime) -> Room:
        """Say when there is room for `need` units: now, at an instant, never, or unknown."""
        left = self.remaining(now)
        limit = self._limit(now)
        if limit == "unlimited" or not self.meter.holds_at(now) or self._absent:
            return Room(now)
        if left is None:
            return Room(now) if not self._spent else Room(self._spent_until)
        if need <= left and left > 0:
            return Room(now)
        if isinstance(limit, Decimal) and need > limit:
            return Room(None, never=True)
        if self._spent and self._spent_until is not None:
            return Room(self._spent_until)
        if self._trails:
            return self._room_trailing(need, limit)
        if self.meter.window.kind == "balance":
            return Room(None, never=True)
        return Room(self.end)

    def _room_trailing(self, need: Decimal, limit: Limit) -> Room:
        if isinstance(limit, Decimal):
            for at, used in self._returns():
                if limit - used >= need:
                    return Room(at)
        return Room(None)

    def _returns(self) -> Iterator[tuple[datetime, Decimal]]:
        """Yield how what was burnt comes back: an instant, and what is then still used. Steps of one instant come back together."""
        reach = self.meter.window.reach or timedelta(0)
        used = self._used().point
        others = used - self._local.point - sum(self._clients.values(), _ZERO)
        gone = self._reading.at + reach if others > 0 and self._base is not None and self._reading is not None else None
        last: datetime | None = None
        for at, amount, _ in self._rolling:
            back = at + reach
            if last is not None and last != back:
                yield last, used
            if gone is not None and gone <= back:
                used -= others
                yield gone, used
                gone = None
            used -= amount.point
            last = back
        if last is not None:
            yield last, used
        if gone is not None:
            yield gone, used - others

    def estimate(self, now: datetime) -> Estimate:
        """Return how the meter stands."""
        self._tick(now)
        meter, window = self.meter, self.meter.window
        limit, left, used = self._limit(now), self._remaining(now), self._used()
        start, end = self.start, self.end
        if self._trails:
            start, end = (now - window.length, None) if window.kind == "rolling" else (None, None)
        state = self._state(now, limit, left)
        known = self._base is not None and self._reading is not None
        age = max(0, int((now - self._reading.observed_at).total_seconds())) if known and self._reading else 0
        low: Decimal | None = used.low
        high: Decimal | None = used.high
        point: Decimal | None = used.point
        if self._points and self.capacity is None and self._since.high > 0:
            high = None
        if self._points and self._base is None and self._reading is None:
            low = point = high = left = None
            state = state if state == "not_in_plan" else "unknown"
        if self._edgeless and self._base is None and low is not None:
            low = _ZERO
        if meter.window.kind == "balance" and point is not None and known and not isinstance(limit, Decimal):
            point, low, high = self._local.point, self._local.low, self._local.high
        foreign = self._not_ours()
        if state == "not_in_plan":
            point = low = high = left = None
        resets = end
        if state == "exhausted" and self._trails:
            resets = self.room(min(Decimal(1), limit) if isinstance(limit, Decimal) else Decimal(1), now).at
        elif state == "exhausted" and self._spent and self._spent_until is not None:
            resets = self._spent_until
        frees: tuple[Freed, ...] = ()
        if window.kind == "rolling":
            frees = tuple(Freed(*each) for each in islice(self._returns(), _FREES))
        return Estimate(
            self.plan, meter.name, "percent" if self._points else meter.unit, state, point, limit, left, start, end, resets,
            _SOURCES[self._reading.source] if known and self._reading else "ledger", age, foreign.point, low, high,
            self._confidence(limit, age, known=known), foreign.low, foreign.high, self._local.point,
            self._events, self._unpriced, self._resets, tuple(self._corrections), frees, self._wants, meter.currency,
            meter.only, meter.feature, meter.per_app, self.capacity,
            spent(self._reading.parts, self._since.point) if known and self._reading else {},
            {client: units for client, units in self._clients.items() if units},
        )  # fmt: skip

    def _state(self, now: datetime, limit: Limit, left: Decimal | None) -> MeterState:
        window = self.meter.window
        if self._absent or not self.meter.holds_at(now):
            return "not_in_plan"
        if self._spent:
            return "exhausted"
        if window.kind == "first_use" and self.start is None and self._base is None:
            return "not_started"
        if window.origin is not None and now < window.origin:
            return "not_started"
        if limit == "unlimited":
            return "open"
        if left is None or (self._edgeless and self._base is None):
            return "unknown"
        return "exhausted" if left <= 0 else "open"

    def _confidence(self, limit: Limit, age: int, *, known: bool) -> Confidence:
        if known and self._since.high <= 0 and age < 60:
            return "authoritative"
        if known and self._points and self._since.high > 0:
            return "calibrated" if self.capacity is not None else "merged"
        if known:
            return "merged"
        return "local-only" if limit is not None and not self._edgeless else "unknown"
