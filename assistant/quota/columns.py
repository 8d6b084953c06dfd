"""A history as columns: when steps were burnt, and their amounts by a tariff, computed once for equal tariffs."""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from itertools import accumulate
from operator import sub
from typing import TYPE_CHECKING, Any

from assistant.quota.tariff import Burn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from assistant.quota.tariff import Tariff

_ZERO = Decimal(0)
_PARTS = 8
"""The number of parts into which a meter's longest window is cut to find the fullest one."""


class History:
    """Burns in order of time, and each of their `fields` as a column.

    It is `plain` if no burn is another client's or states more than tokens and costs.
    """

    def __init__(self, burns: Sequence[Burn]) -> None:
        self.burns = burns
        # All fields at once: a third of the time that reading each field of each burn takes.
        columns = zip(*burns, strict=True) if burns else ((),) * len(Burn._fields)
        self.fields: Mapping[str, Sequence[Any]] = dict(zip(Burn._fields, columns, strict=True))
        self.at: Sequence[datetime] = self.fields["at"]
        self.models = set(self.fields["model"])
        self.steps = sum(self.fields["steps"])
        self.plain = not any(any(self.fields[name]) for name in ("client", "feature", "given", "charged"))
        self._columns: list[Column] = []
        self._places: dict[timedelta, list[int]] = {}

    def column(self, tariff: Tariff) -> Column:
        """Return the amounts of the burns by a tariff."""
        found = next((each for each in self._columns if each.tariff == tariff), None)
        if found is None:
            found = Column(tariff, self)
            self._columns.append(found)
        return found

    def fullest(self, sums: Sequence[Decimal], reach: timedelta | None) -> Decimal:
        """Return an upper bound of the burn in any window no longer than `reach`; `sums` are those before each burn."""
        if reach is None or not sums[-1]:
            return sums[-1]
        if reach not in self._places:
            part = reach / _PARTS
            count = (self.at[-1] - self.at[0]) // part + 2
            self._places[reach] = [bisect_left(self.at, self.at[0] + part * number) for number in range(count)]
        picked = [sums[place] for place in self._places[reach]]
        # A window that begins in one part has ended before the end of the ninth part behind it.
        return max(map(sub, picked[_PARTS + 1 :], picked), default=sums[-1])


class Column:
    """The amounts of burns by a tariff: `points` of each, None if unknown; then the column is `untold`.

    `units` are the points, with 0 for unknown ones; `sums` are the running sums before each burn, with the total last.
    It is `blurred` if a part of a burn may have a price though the whole has none: tokens are cut to whole numbers, so
    a part may hold none of the class without a price.
    """

    def __init__(self, tariff: Tariff, history: History) -> None:
        self.tariff = tariff
        self._burns = history.burns
        self._fields = history.fields
        counted = tariff.unit in {"requests", "calls", "prompts"}
        self.divides = counted or (tariff.unit == "money" and not tariff.weights and not tariff.rates)
        self._about = {model: tariff.about(model) for model in history.models}
        self._factors = {model: each.steady(model) for model, each in self._about.items()}
        self._plain = all(each == 1 for each in self._factors.values())
        self._needs: dict[Any, Sequence[Decimal | None]] = {}
        about = self._about.items()
        priced = {model for model, each in about if each.unit != "credits" or each.weights or each.rates}
        self._bases = self._all(priced)
        self.points = self._bases if self._plain else self._weighed(self._bases)
        self.untold = not all(self.points) and any(point is None for point in self.points)
        told = zip(self.points, history.fields["model"], strict=True) if self.untold and priced else ()
        self.blurred = not self.divides and any(point is None and model in priced for point, model in told)
        known, count = any(self.points), len(self.points)
        self.units = [point or _ZERO for point in self.points] if known else [_ZERO] * count
        self.sums = list(accumulate(self.units, initial=_ZERO)) if known else [_ZERO] * (count + 1)
        self._ones: Sequence[Decimal | None] | None = None

    def _all(self, priced: Collection[str]) -> Sequence[Decimal | None]:
        if self.tariff.unit in {"requests", "calls"}:
            return self._fields["requests"]
        if self.tariff.unit == "prompts":
            return self._fields["prompts"]
        if self.divides:
            return [self.tariff.paid(cost) for cost in self._fields["cost"]]
        about = self._about
        return [about[burn.model].base(burn) if burn.model in priced else None for burn in self._burns]

    def _weighed(self, bases: Sequence[Decimal | None]) -> Sequence[Decimal | None]:
        return [base and self._times(base, burn) for base, burn in zip(bases, self._burns, strict=True)]

    def _times(self, base: Decimal, burn: Burn) -> Decimal:
        factor = self._factors[burn.model]
        return base * (factor if factor is not None else self._about[burn.model].factor(burn.model, burn.at).point)

    @property
    def ones(self) -> Sequence[Decimal | None]:
        """The amount of the first step of each burn."""
        if self._ones is None:
            self._ones = self._firsts()
        return self._ones

    def _firsts(self) -> Sequence[Decimal | None]:
        if not self.divides:
            return [self.point(self.split(burn, 1, burn.steps)[0], index) for index, burn in enumerate(self._burns)]
        bases = [
            base if steps == 1 else base and base / steps
            for base, steps in zip(self._bases, self._fields["steps"], strict=True)
        ]
        return bases if self._plain else self._weighed(bases)

    def needs(
        self, idle: Decimal | None, currencies: frozenset[str], *, ones: bool = False
    ) -> Sequence[Decimal | None]:
        """Return what each burn, or its first step, must find: see `needed`."""
        key = (idle, currencies, ones)
        if key not in self._needs:
            points = self.ones if ones else self.points
            if not all(points):
                pairs = zip(points, self._burns, strict=True)
                points = [point or needed(point, burn, idle, currencies) for point, burn in pairs]
            self._needs[key] = points
        return self._needs[key]

    def share(self, index: int) -> Any:
        """Return a burn as a share that `split` can cut: its units before rules if those divide, else the burn."""
        return self._bases[index] if self.divides else self._burns[index]

    def split(self, share: Any, first: int, steps: int) -> Sequence[Any]:
        """Cut a share of `steps` steps in two, the first of them and the rest, as `replay` does."""
        if not self.divides:
            found: Sequence[Any] = share.cut(first)
            return found
        if share is None:
            return None, None
        part = share * first / steps
        return part, share - part

    def point(self, share: Any, index: int) -> Decimal | None:
        """Return the amount of a share of a burn."""
        burn = self._burns[index]
        base = share if self.divides else self._about[burn.model].base(share)
        return base if self._plain else base and self._times(base, burn)


def needed(point: Decimal | None, burn: Burn, idle: Decimal | None, currencies: frozenset[str]) -> Decimal | None:
    """Return what a burn must find of a meter if its own amount is zero or unknown (`point` is None).

    That is `idle`, which stands for nothing, if the amount is zero or paid in another of the `currencies` that the plan
    counts; else 0.
    """
    if point is not None or (burn.cost.amount is not None and burn.cost.currency in currencies):
        return idle
    return _ZERO
