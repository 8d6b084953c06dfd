"""One meter's window as it fills, ends and begins again: what is used, what is left, and when there is room again.

A Filling is fed with known burn in order of time and asked in order of time. It keeps the last reading (`Said`), and
drops it when a window ends; the Gauge decides what a reading means. A window whose end has passed by a minute without a
reading holds the burn since its end; a window that was refused and then accepted a step of ours, the burn from that
step on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from assistant.quota.burnt import Burnt
from assistant.quota.calibration import Calibration
from assistant.quota.estimate import PastWindow
from assistant.quota.lots import Purse
from assistant.quota.said import Said
from assistant.quota.tariff import NOTHING, Amount
from assistant.quota.window import opened, span_at
from assistant.quota.zones import clock_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from assistant.quota.tariff import Burn
    from assistant.quota.terms import Limit, Meter

GRACE = timedelta(seconds=60)
SAME_RESET = timedelta(seconds=120)
_HUNDRED, _ZERO = Decimal(100), Decimal(0)


class Room(NamedTuple):
    """When there is room: `at` is the instant (which may be now); None with `never` False is unknown."""

    at: datetime | None
    never: bool = False


class Filling:
    """The open window of one meter, and the earlier ones in `held`.

    The plan says when windows begin and end, until a reading tells another edge: then they continue from that edge.
    `plan` is the plan's name, and `currencies` are those that its meters count: a step paid in the currency of another
    meter takes nothing here. `unpriced` counts all steps ever whose amount is unknown.
    """

    def __init__(self, plan: str, meter: Meter, currencies: Collection[str] = ()) -> None:
        self.plan = plan
        self.meter = meter
        self.start: datetime | None = None
        self.end: datetime | None = None
        self._currencies = currencies
        self.held: list[PastWindow] = []
        self.unpriced = 0
        self.peak = _ZERO
        self.peak_at: datetime | None = None
        self._said = Said(points=meter.unit == "percent")
        self._rule = meter.window
        self._rolls = meter.window.kind == "rolling"
        self._unplaced = meter.window.trails and not self._rolls
        self._burnt = Burnt()
        self._learned = Calibration()
        self._purse = Purse(meter.lots) if meter.lots else None
        self._last: Burn | None = None
        self._weight: Amount | None = None

    def amount(self, burn: Burn) -> Amount | None:
        """Return what a step takes, with the band of what is only estimated; None if unknown."""
        found = self._weighed(burn)
        if found is None:
            return None
        low, point, high = found
        if burn.doubtful:
            low = _ZERO
        elif not burn.usage.exact and not burn.given and self.meter.unit not in {"requests", "calls", "prompts"}:
            low, high = low * Decimal("0.8"), high * Decimal("1.2")
        return Amount(low, point, high)

    def need(self, burn: Burn) -> Decimal | None:
        """Return what a step must find here, in the units that are shown; None if the meter cannot stop it.

        A step that takes nothing cannot be stopped, except by an overdrawn balance. A step of unknown amount needs 0,
        for which there is room if anything is left. A step told in tokens needs points of a meter told in points: as
        many as was learned, or 0.
        """
        if not self.meter.holds_at(burn.at):
            return None
        found = self._weighed(burn)
        if found is None:
            return None if self._elsewhere(burn) and not self._overdrawn else _ZERO
        if not self._said.points or "percent" in burn.given or self.meter.name in burn.charged:
            return found.point or (_ZERO if self._overdrawn else None)
        return self._learned.points(found).point

    def takes(self, burn: Burn) -> Decimal | None:
        """Return what a step takes here, in the units that are shown: 0 for nothing, None if unknown.

        An overdrawn balance makes every step's amount unknown: it refuses even free steps.
        """
        if not self.meter.counts(burn.model, burn.feature) or not self.meter.holds_at(burn.at):
            return _ZERO
        found = self.meter.amount(burn)
        if self._overdrawn or (found is None and not self._elsewhere(burn)):
            return None
        if found is None or not self._said.points or "percent" in burn.given or self.meter.name in burn.charged:
            return found.point if found is not None else _ZERO
        return self._learned.points(found).point if self._learned.capacity is not None else None

    def _weighed(self, burn: Burn) -> Amount | None:
        """Return the amount of a step by the plan, computed once: the step is checked for room just before it burns."""
        if burn is not self._last:
            self._last, self._weight = burn, self.meter.amount(burn)
        return self._weight

    def _elsewhere(self, burn: Burn) -> bool:
        """Say whether a step without an amount here is paid in a currency that another meter of the plan counts."""
        return burn.cost.amount is not None and burn.cost.currency in self._currencies

    @property
    def _overdrawn(self) -> bool:
        """Whether a balance is below zero: then the provider refuses even free steps."""
        said = self._said
        return self.meter.window.kind == "balance" and said.base is not None and (said.left or _ZERO) < 0

    def burn(self, burn: Burn) -> Amount | None:
        """Count a step in scope; return what it takes, None if that is unknown or the plan has no such meter then."""
        if not self.meter.holds_at(burn.at):
            return None
        found = self.amount(burn)
        if self.meter.window.origin is not None and burn.at < self.meter.window.origin:
            return found  # burn before the first window is in no window
        self._advance(burn.at)
        if self._said.spent:
            self._taken(burn, known=found is not None)
        if self.meter.window.kind == "first_use" and self.start is None and not (self._said.base or NOTHING).point:
            # A window of which a reading says that something is used began earlier, at an unknown instant.
            last = self.held[-1].end if self.held else None
            self.start, self.end = opened(self.meter.window, burn.at, last)
        if found is None:
            if not self._elsewhere(burn):
                self._burnt.miss(burn, trails=self._trails)
                self.unpriced += burn.steps
            return None
        if (weighed := self._weighed(burn)) is not None and weighed.low != weighed.high:
            self._burnt.doubt(burn.at, self.meter.tariff.calendar_missed(burn))
        said = self._said
        if said.points and (burn.given.get("percent") is not None or self.meter.name in burn.charged):
            # A burn that is stated in points moves the figure itself.
            self._said = said._replace(base=(said.base or NOTHING).plus(found))
            self._burnt.events += burn.steps
            return found
        self._burnt.add(burn, found, trails=self._trails)
        if self._purse is not None:
            self._purse.spend(found.point, burn.at)
        self._watch(burn.at)
        return found

    def _taken(self, burn: Burn, *, known: bool) -> None:
        """Handle a step that was accepted although the meter was said to be used up.

        Then there is money again, of unknown amount, or the refused window is open again and holds the burn since. If
        only figures said that it was used up, the step may have been paid beyond the plan. A balance pays for each
        answer, counted or not. In a window, a step of unknown amount (not `known`) proves nothing until the provider
        has counted it.
        """
        last = self._said.reading
        balance, refused = self.meter.window.kind == "balance", last is not None and last.source == "error"
        proven = _answered(burn) and (balance or burn.usage.exact)
        if not known and not proven:
            return
        if balance and (proven or not refused):
            self._said = self._said._replace(spent=False)
        if refused and proven:
            if self._trails:
                self._burnt.forget_trail()
            self._close(burn.at, "granted")
            self.start = burn.at if self.end is not None else self.start
            self._said = self._said._replace(reading=None, wants=True)

    @property
    def _trails(self) -> bool:
        """Whether steps come back one by one: a rolling window, or one whose edges no reading has told yet."""
        return self._rolls or self._edgeless

    @property
    def _edgeless(self) -> bool:
        return self._unplaced and (self._said.reading is None or self.end is None)

    def _advance(self, now: datetime) -> None:
        window = self.meter.window
        if self._trails:
            self._roll(now)
            return
        if window.kind == "balance" and (until := self._said.until) is not None and now >= until:
            self._close(now, "end")  # a limit of money that is renewed
            self._said = self._said._replace(until=None, wants=True)
        if self.end is None and window.kind == "first_use" and now >= (self._said.at or now) + window.length:
            self._close(now, "end")  # it was open when it was read, until an unknown instant
            self._said = self._said._replace(wants=True)
        if self.end is not None and now >= self.end:
            self._close(self.end, "end")
            self.start = self.end = None
            self._said = self._said._replace(wants=self._said.reading is not None)
        if self.end is None:
            span = span_at(self._rule, now)
            if span is not None:
                self.start, self.end = span

    def _roll(self, now: datetime) -> None:
        reach = self.meter.window.reach or timedelta(0)
        read_at = self._said.at
        self._burnt.roll(now, reach, read_at)
        if read_at is not None and now >= read_at + reach:
            self._burnt.expired = _ZERO
            self._said = self._said._replace(base=None, foreign=NOTHING, wants=True, spent=False)

    def _close(self, at: datetime, why: Literal["end", "granted"]) -> None:
        burnt, said = self._burnt, self._said
        if self.start is not None and (burnt.events or burnt.clients or burnt.unpriced or said.base is not None):
            used = self._used()
            self.held.append(
                PastWindow(
                    self.meter.name, "percent" if said.points else self.meter.unit, self.start, at, None if self._blank else used.point,
                    self._limit(self.start), burnt.events, self._not_ours().point, why, burnt.unpriced,
                )
            )  # fmt: skip
        self._said = said.over()
        self._learned.begin()
        burnt.close()

    def _place(self, ends: datetime | None, start: datetime | None = None) -> None:
        """Take over the edge that a reading tells, and go on from there; `start` if the window has just begun again."""
        window, reading = self._rule, self._said.reading
        self.start = start or self.start
        if ends is None or window.kind in {"rolling", "balance"}:
            return
        edgeless = self._edgeless
        probe = ends - SAME_RESET  # the provider's clock may be a little ahead
        span = span_at(window, probe)
        if span is None or abs(span[1] - ends) > SAME_RESET:
            self._learn(ends)
            span = span_at(self._rule, probe)
        if start is None:
            if span is not None and abs(span[1] - ends) <= SAME_RESET:
                self.start = span[0]
            elif window.length and window.kind in {"first_use", "grid"}:
                self.start = min(ends - window.length, reading.at) if reading else ends - window.length
        if edgeless:
            self._burnt.forget_trail()
        self.end = ends

    def _learn(self, ends: datetime) -> None:
        """Let consecutive windows continue from an edge that the provider told: its own resets move all later ones."""
        if self._rule.kind == "grid":
            self._rule = self._rule._replace(origin=ends - self._rule.length)
        elif self._rule.kind == "subscription_month":
            local = ends.astimezone(clock_of(self._rule.zone))
            if self._rule.months > 1:
                self._rule = self._rule._replace(origin=ends)
            else:
                clock = local.time().replace(microsecond=0)
                self._rule = self._rule._replace(origin=None, day=local.day, time=clock)
        else:
            return
        self._unplaced = False

    @property
    def _blank(self) -> bool:
        """Whether it is only known that something was used: there is no reading, and no step with a weight."""
        burnt, said = self._burnt, self._said
        return bool(burnt.unpriced) and said.base is None and not burnt.since.high and not said.spent

    def _watch(self, at: datetime) -> None:
        said = self._said
        if said.points or self._trails:
            used = self._used().point
        else:
            used = self._burnt.since.point + (said.base.point if said.base is not None else _ZERO)
        if used > self.peak:
            self.peak, self.peak_at = used, at

    def _limit(self, at: datetime) -> Limit:
        said = self._said
        if said.limit == "unlimited":
            return "unlimited"
        if said.points:
            own = self.meter.limit_at(at) if self.meter.unit == "percent" else None
            return own if isinstance(own, Decimal) else _HUNDRED
        if said.limit is not None:
            return said.limit
        return self.meter.limit_at(at)

    def _used(self) -> Amount:
        said, since = self._said, self._burnt.since
        if said.points:
            since = self._learned.points(since)
        base = said.base
        if base is None:
            return since
        if self._trails:
            base = Amount(*(max(_ZERO, each - self._burnt.expired) for each in base))
        found = base.plus(since)
        return Amount(found.low, found.point, found.high + (said.overlap if not said.points else _ZERO))

    def _not_ours(self) -> Amount:
        said, others = self._said, self._burnt.others
        return said.foreign.plus(self._learned.points(others) if said.points else others)

    def remaining(self, now: datetime) -> Decimal | None:
        """Return what is left at an instant; None if unknown or unlimited."""
        self._tick(now)
        return self._remaining(now)

    def _remaining(self, now: datetime) -> Decimal | None:
        said = self._said
        if said.spent:
            return _ZERO
        if self._purse is not None and said.reading is None:
            return self._purse.left(now)
        if said.base is not None and said.left is not None and not said.points and not self._trails:
            left = said.left - self._burnt.since.point
            if self._purse is not None:
                left = min(left, self._purse.left(now) + said.beyond)  # a reading does not tell what expires later
            return left if self.meter.window.kind == "balance" else max(_ZERO, left)
        limit = self._limit(now)
        if not isinstance(limit, Decimal):
            return None
        rest = limit - self._used().point
        return rest if self.meter.window.kind == "balance" else max(_ZERO, rest)

    def _tick(self, now: datetime) -> None:
        """Move on to `now`; a window that a reading gave stays a minute beyond its end, because clocks differ."""
        said = self._said
        if said.spent and said.until is not None and now >= said.until:
            self._said = said._replace(spent=False)
        if self.end is not None and said.base is not None and said.reading is not None and now < self.end + GRACE:
            return
        self._advance(now)

    def room(self, need: Decimal, now: datetime) -> Room:
        """Say when there is room for `need` units: now, at an instant, never, or unknown."""
        left = self.remaining(now)
        limit = self._limit(now)
        if limit == "unlimited" or not self.meter.holds_at(now) or self._said.absent:
            return Room(now)
        if left is None:
            return Room(now) if not self._said.spent else Room(self._said.until)
        if need <= left and left > 0:
            return Room(now)
        if isinstance(limit, Decimal) and (raised := self._raised(need, limit, now)) is not None:
            return Room(raised)
        if isinstance(limit, Decimal) and (need > limit or not limit):
            return Room(None, never=True)
        # a reading says that it is full; the latest possible end is not its end
        if self._edgeless and self._said.base is not None:
            return Room(self._said.until if self._said.spent else None)
        if self._said.spent and (self._said.until is not None or self._edgeless):
            return Room(self._said.until)
        if self._trails:
            return self._room_trailing(need, limit)
        if self.meter.window.kind == "balance":
            return Room(None, never=True)
        return Room(self.end)

    def _raised(self, need: Decimal, limit: Decimal, now: datetime) -> datetime | None:
        """Return when a higher or lifted limit of the plan makes room before a new window would; else None."""
        said = self._said
        if said.points or said.spent or self._trails or said.limit is not None:
            return None
        for at in sorted(since for since, _ in self.meter.limits if since > now):
            over = self.end is not None and at >= self.end
            if over and need <= limit:
                return None  # the next window has room before that
            later = self.meter.limit_at(at)
            rest = later - (_ZERO if over else self._used().point) if isinstance(later, Decimal) else _ZERO
            if later == "unlimited" or (need <= rest and rest > 0):
                return at
        return None

    def _room_trailing(self, need: Decimal, limit: Limit) -> Room:
        if isinstance(limit, Decimal):
            for at, used in self._returns():
                if limit - used >= need and limit > used:
                    return Room(at)
        return Room(None)

    def _returns(self) -> Iterator[tuple[datetime, Decimal]]:
        return self._burnt.returns(self._used().point, self.meter.window.reach or timedelta(0), self._said.at)


def _answered(burn: Burn) -> bool:
    """Say whether a step of ours ended without a refusal."""
    return not (burn.running or burn.doubtful or burn.client)
