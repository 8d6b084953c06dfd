"""One meter followed through time: our own burn and the provider's readings, in order, merged into one number.

A Gauge is fed in order of time and asked in order of time. These are the rules.

- A reading beats the estimate of its window; our own burn adds only what came after the reading.
- Readings of one window do not decrease. A lower one is a cache that lags (within a minute of the last), a reset (a
  later reset instant, or a plain drop), or proof that our weights are too high (lower than the estimate, but not lower
  than the reading before).
- What a reading has beyond the last one and our burn in between is others' burn.
- A step that runs while a reading is taken counts only at the high end until the next reading.
- A window whose end has passed by a minute without a reading holds our burn since its end.
- Burn in the logs of other clients is known like our own, but it is others' burn; once a reading covers it, only the
  reading counts.
- If a provider tells only percents, the worth of a point is learned from pairs of readings between which all burn is
  known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from assistant.quota.calibration import band, counted
from assistant.quota.estimate import Correction, Estimate, Freed
from assistant.quota.filling import SAME_RESET, Filling
from assistant.quota.money import spent
from assistant.quota.reading import LIKELY, SOME, SOME_LONG
from assistant.quota.said import Said
from assistant.quota.tariff import NOTHING, Amount
from assistant.quota.window import span_at

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from assistant.quota.estimate import Confidence, MeterState
    from assistant.quota.reading import Reading
    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Limit, Meter

LAG = timedelta(seconds=60)
LONG = timedelta(days=6)
"""The least length of a long window: one of a week or a month."""
_FREES = 12
_HUNDRED, _ZERO = Decimal(100), Decimal(0)
_SOURCES = {"endpoint": "provider", "error": "provider", "file": "provider", "headers": "headers", "you": "you"}


class Gauge(Filling):
    """The moving state of one meter: a window that fills, merged with what the provider says about it."""

    def __init__(self, plan: str, meter: Meter, currencies: Collection[str] = ()) -> None:
        super().__init__(plan, meter, currencies)
        self._resets = 0
        self._reset_at: datetime | None = None
        self._before: Decimal | None = None
        self.lately: Sequence[Burn] = ()
        """The last steps of the whole plan, whether this meter counts them or not."""

    def read(self, reading: Reading) -> None:
        """Merge a reading; one that is older than the last is ignored (the caller has stored it)."""
        said = self._said
        if reading.status == "not_in_plan":
            self._said = said._replace(absent=True, reading=reading)
            return
        if said.reading is not None and reading.at < said.reading.at:
            return
        if reading.status in {"unknown", "unsupported"}:
            return
        if reading.resets_at is not None and reading.resets_at <= reading.at:
            return  # the reading's window is over
        if said.base is None or self._trails or (self.end is not None and reading.at >= self.end):
            self._advance(reading.at)
        if reading.meter in {SOME, SOME_LONG, LIKELY}:
            self._suspect(reading)
            return
        self._said = self._said._replace(absent=False)
        found = self._stated(reading)
        said = self._said
        if reading.status == "unlimited":
            base = found if found is not None else said.base or self._burnt.local
            self._said = said._replace(reading=reading, base=base, limit="unlimited", spent=False)
            self._burnt.cover(reading.at)
            return
        refused = reading.source == "error" and self.meter.window.kind == "balance"  # its rest is not told
        if reading.status == "exhausted" and (found is None or refused):
            self._exhaust(reading)
            return
        if found is None:
            return
        ends = self._ends(reading)
        if said.at is None:
            self._begin(reading, found, ends)
        else:
            self._compare(reading, found, ends)

    def _suspect(self, reading: Reading) -> None:
        """Handle a refusal that does not name a window: it is this one if both end at once; else ask the provider.

        Until the provider answers, the shortest window that can be meant counts as used up: whichever it was, the plan
        is closed until that one ends.
        """
        resets_at = reading.resets_at
        if resets_at is not None and self.end is not None and abs(self.end - resets_at) <= SAME_RESET:
            self._exhaust(reading)
        elif (
            resets_at is None
            or self.end is None
            or (self._said.reading is None and self.meter.window.kind == "first_use")
        ):
            if resets_at is not None and reading.meter == LIKELY:
                self._exhaust(reading)
            self._said = self._said._replace(wants=True)

    def _compare(self, reading: Reading, found: Amount, ends: datetime | None) -> None:
        base, last = self._said.base or NOTHING, self._said.reading
        if self._trails:  # what has come back in between is not a drop
            base = Amount(*(max(_ZERO, each - self._burnt.expired) for each in base))
        later = ends is not None and self.end is not None and ends - self.end > SAME_RESET
        rounding = max(found.high - found.low, base.high - base.low)
        dropped = base.point - found.point > rounding and not self._trails
        fresh = self._reset_at is not None and reading.at - self._reset_at <= LAG
        if fresh and self._before is not None and found.point >= self._before:
            return  # a cache still returns the figure from before the reset
        if dropped and fresh and not later:
            self._settle(reading, found)
            return
        if dropped and not later and last is not None and reading.at - last.at <= LAG and reading.source != "you":
            return  # two sources within a minute: caches lag, so the higher figure holds, unless the user corrects it
        if found.point < base.point and self._refused(reading):
            if self._said.until is None and ends is not None and reading.resets_at is not None:
                self._said = self._said._replace(until=ends)  # the figures lag, but the reset is right
                self._place(ends)
            return  # whatever reset the reading tells
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

    def _refused(self, reading: Reading) -> bool:
        """Whether a refusal of this window is less than a minute old, and its reset, if it named one, still to come."""
        said, last = self._said, self._said.reading
        return (
            said.spent
            and last is not None
            and last.source == "error"
            and last.meter not in {SOME, SOME_LONG, LIKELY}  # only a guess until the provider is asked
            and reading.source != "you"
            and reading.at - last.at <= LAG
            and (said.until is None or reading.at < said.until)
        )

    def _attribute(self, reading: Reading, found: Amount, base: Amount) -> None:
        """Split a rise between two readings into our own burn, others' burn and a correction of our weights."""
        burnt, said = self._burnt, self._said
        running = burnt.running(reading.at)
        done = burnt.since.minus(running)
        most = Amount(done.low, done.point, done.high + running.high + said.overlap)
        told = burnt.others.minus(burnt.running(reading.at, ours=False))
        if said.points:
            self._learned.learn(found, base, done.point, said.overlap, running.point)
            if self._learned.capacity is None and most.high > told.high:
                return  # a rise that cannot be split is attributed to nobody
            most, told = self._learned.points(most), self._learned.points(told)
        slack = burnt.slack(found.point)
        # Burn in others' logs counts as far as the reading has risen beyond our own burn.
        if burnt.unpriced and found.high > base.low + most.low:  # our part of the rise is unknown
            self._said = said._replace(
                foreign=said.foreign.plus(Amount(_ZERO, _ZERO, found.high - base.low - most.low))
            )
            return
        known = min(told.point, max(_ZERO, found.point - base.point - (most.point - told.point)))
        foreign, corrections = said.foreign.plus(Amount(known, known, known)), said.corrections
        low = found.low - base.high - most.high - slack
        point = found.point - base.point - most.point
        high = found.high - base.low - most.low + slack
        if low > 0:
            foreign = foreign.plus(Amount(low, point, high))
        elif high < 0:
            corrections = (*corrections, Correction(reading.at, point))
        self._said = said._replace(foreign=foreign, corrections=corrections)

    def _begin(
        self, reading: Reading, found: Amount, ends: datetime | None, start: datetime | None = None
    ) -> None:  # fmt: skip
        self._said = self._said._replace(foreign=NOTHING)
        self._learned.begin()
        self._settle(reading, found)
        self._place(ends, start)

    def _settle(self, reading: Reading, found: Amount) -> None:
        said, left, purse = self._said, self._left(reading), self._purse
        self._said = Said(
            reading,
            found,
            limit=reading.limit if reading.limit is not None or said.limit == "unlimited" else said.limit,
            left=left,
            spent=reading.status == "exhausted",
            until=reading.resets_at,
            overlap=self._burnt.running(reading.at).high,
            # Money beyond the known lots does not expire.
            beyond=max(_ZERO, left - purse.left(reading.at)) if purse is not None and left is not None else said.beyond,
            foreign=said.foreign,
            corrections=said.corrections,
            points=said.points,
            absent=said.absent,
        )
        self._burnt.cover(reading.at)
        self._watch(reading.at)

    def _left(self, reading: Reading) -> Decimal | None:
        """Return what a reading says is left; for a window, at most the limit that it states itself."""
        left, limit = reading.remaining, reading.limit
        if left is None or not isinstance(limit, Decimal) or self.meter.window.kind == "balance":
            return left
        return min(left, limit)

    def _exhaust(self, reading: Reading) -> None:
        """Apply an error that names a window: it is used up until its reset, whatever we thought."""
        limit = self._limit(reading.at)
        full = Amount(limit, limit, limit) if isinstance(limit, Decimal) else None
        self._settle(reading, full or self._said.base or self._burnt.local)
        self._place(self._ends(reading))

    def _ends(self, reading: Reading) -> datetime | None:
        reach = self.meter.window.reach
        if reading.resets_at is not None and (reach is None or reading.resets_at - reading.at <= 2 * reach):
            return reading.resets_at.astimezone(UTC)
        span = span_at(self._rule, reading.at)
        return span[1] if span is not None else self.end

    def _stated(self, reading: Reading) -> Amount | None:
        """Return a reading's used amount, with the band of its rounding; from now on the gauge counts in its units."""
        meter = self.meter
        limit = reading.limit if isinstance(reading.limit, Decimal) else meter.limit_at(reading.at)
        used = counted(reading, limit, opaque=meter.unit == "percent", balance=meter.window.kind == "balance")
        if used is not None:
            self._said = self._said._replace(points=meter.unit == "percent")
            return Amount(used, used, used)
        if reading.percent is None:
            exhausted = reading.status == "exhausted" and isinstance(limit, Decimal)
            return Amount(limit, limit, limit) if exhausted and isinstance(limit, Decimal) else None
        told = band(max(_ZERO, reading.percent), reading.rounding)
        if meter.unit == "percent":
            return told
        if isinstance(limit, Decimal):
            self._said = self._said._replace(points=False)
            # a percent beyond 100 does not count
            return Amount(*(min(each, _HUNDRED) * limit / _HUNDRED for each in told))
        if not self._said.points:
            self._said = self._said._replace(points=True, base=None)
        return told

    @property
    def capacity(self) -> Amount | None:
        """The whole window in weighted tokens, as learned from percents."""
        return self._learned.capacity

    def estimate(self, now: datetime) -> Estimate:
        """Return the meter's state at an instant."""
        self._tick(now)
        meter, window = self.meter, self.meter.window
        limit, left = self._limit(now), None if self._blank else self._remaining(now)
        start, end = self.start, self.end
        if self._trails:
            start, end = (now - window.length, None) if window.kind == "rolling" else (None, None)
        said, burnt = self._said, self._burnt
        last = said.reading if said.base is not None else None
        age = max(0, int((now - last.observed_at).total_seconds())) if last is not None else 0
        state = self._state(now, limit, left)
        silent = said.points and said.base is None and said.reading is None
        if silent and state != "not_in_plan":
            state = "unknown"
        known = state != "not_in_plan" and not silent
        low, point, high = self._band(limit, told=last is not None) if known else (None, None, None)
        foreign = self._not_ours()
        frees: tuple[Freed, ...] = ()
        if window.kind == "rolling":
            frees = tuple(Freed(*each) for each in islice(self._returns(), _FREES))
        return Estimate(
            plan=self.plan,
            meter=meter.name,
            unit="percent" if said.points else meter.unit,
            state=state,
            used=point,
            limit=limit,
            remaining=left if known else None,
            start=start,
            end=end,
            resets_at=self._returns_at(state, limit, end, now),
            source=_SOURCES[last.source] if last is not None else "ledger",
            age_s=age,
            foreign=foreign.point,
            low=low,
            high=high,
            confidence=self._confidence(limit, age, known=last is not None),
            foreign_low=foreign.low,
            foreign_high=foreign.high,
            local=burnt.local.point,
            events=burnt.events,
            unpriced=burnt.unpriced,
            resets=self._resets,
            corrections=said.corrections,
            frees=frees,
            wants_reading=said.wants,
            currency=meter.currency,
            only=meter.only,
            feature=meter.feature,
            per_app=meter.per_app,
            capacity=self.capacity,
            parts=spent(last.parts, burnt.since.point) if last is not None else {},
            clients={client: units for client, units in burnt.clients.items() if units},
            doubts=burnt.doubts,
        )

    def _band(self, limit: Limit, *, told: bool) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Return the used amount: low, likely, high; each None if unknown. `told` says that a reading is its base."""
        said, burnt = self._said, self._burnt
        low, point, high = self._used()
        if self.meter.window.kind == "balance" and told and not self._blank and not isinstance(limit, Decimal):
            return burnt.local  # the balance tells what is left; only our own burn is known as used
        if self._edgeless and said.base is None:
            low = _ZERO
        endless = burnt.unpriced or (said.points and self.capacity is None and burnt.since.high > 0)
        return low, None if self._blank else point, None if endless else high

    def _returns_at(self, state: MeterState, limit: Limit, end: datetime | None, now: datetime) -> datetime | None:
        """Return when there is room again, if known; for a meter with room, when its window ends."""
        said = self._said
        if state == "not_in_plan":
            return None
        if state != "exhausted":
            return said.until if end is None and self.meter.window.kind == "balance" else end
        if self._edgeless:
            return said.until if said.spent else None  # the latest possible end is not its end
        if self._trails:
            return self.room(min(Decimal(1), limit) if isinstance(limit, Decimal) else Decimal(1), now).at
        return said.until if said.spent and said.until is not None else end

    def _state(self, now: datetime, limit: Limit, left: Decimal | None) -> MeterState:
        window, said = self.meter.window, self._said
        if said.absent or not self.meter.holds_at(now):
            return "not_in_plan"
        if said.spent:
            return "exhausted"
        if window.kind == "first_use" and self.start is None and said.base is None:
            return "not_started"
        if window.origin is not None and now < window.origin:
            return "not_started"
        if limit == "unlimited":
            return "open"
        if left is None or (self._edgeless and said.base is None):
            return "unknown"
        return "exhausted" if left <= 0 else "open"

    def _confidence(self, limit: Limit, age: int, *, known: bool) -> Confidence:
        if self._blank:
            return "unknown"
        if known and self._burnt.since.high <= 0 and not self._burnt.unpriced and age < 60:
            return "authoritative"
        if known and self._said.points and self._burnt.since.high > 0:
            return "calibrated" if self.capacity is not None else "merged"
        if known:
            return "merged"
        return "local-only" if limit is not None and not self._edgeless else "unknown"
