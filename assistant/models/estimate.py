"""How a model counts: the tokens it reports for a text, divided by o200k's, learned from every reported usage. Pure.

Reported usage is the truth; ours is an estimate with an error band, which narrows as usage is reported. A budget uses
the upper end, a shown cost the middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_WEIGHT = 0.2
"""Weight of the newest usage: a change of content shows within five turns, and one odd turn does little."""
_START_LOW, _START_HIGH = 0.8, 1.35
"""The band before anything was learned, as parts of the catalogue's factor: the measured spread of single files."""
_LEAST_BAND = 0.03
_FEWEST = 200
"""Tokens below which a usage teaches nothing: what a protocol adds around the words would outweigh them."""
_SANE = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Ratio:
    """What was learned about one model: a moving mean of the ratio, its moving variance, and the number of usages."""

    mean: float
    variance: float = 0.0
    seen: int = 0


class Factor(NamedTuple):
    """Factors that turn an o200k count into a model's own count."""

    low: float
    likely: float
    high: float

    def of(self, counted: int) -> tuple[int, int, int]:
        """Convert an o200k count into tokens of the model: low, likely, high."""
        return math.floor(counted * self.low), round(counted * self.likely), math.ceil(counted * self.high)


Learned = dict[str, Ratio]
"""Ratios by `provider/model`. The caller keeps them, by means of `as_json` and `from_json`."""


def learn(state: Mapping[str, Ratio], model: str, counted: int, reported: int, start: float = 1.0) -> Learned:
    """Return the state with one more usage: `counted` o200k tokens were sent, `reported` tokens were billed as input.

    `start` is the catalogue's factor, from which a model's ratio begins. Counts that are too small or absurd change nothing.
    """
    if counted < _FEWEST or reported <= 0 or not _SANE[0] <= reported / counted <= _SANE[1]:
        return dict(state)
    ratio = reported / counted
    known = state.get(model)
    if known is None or not known.seen:
        # The first real usage is worth more than a number from a page.
        mean = 0.3 * start + 0.7 * ratio
        return {**state, model: Ratio(mean, (ratio - mean) ** 2, 1)}
    weight = max(_WEIGHT, 1 / (known.seen + 1))
    step = ratio - known.mean
    variance = (1 - weight) * (known.variance + weight * step * step)
    return {**state, model: Ratio(known.mean + weight * step, variance, known.seen + 1)}


def factor(state: Mapping[str, Ratio], model: str, start: float = 1.0) -> Factor:
    """Return the factors for an o200k count; `start` is the catalogue's factor for the model."""
    known = state.get(model)
    if known is None or not known.seen:
        return Factor(start * _START_LOW, start, start * _START_HIGH)
    # Twice the deviation, wider while few usages were seen.
    band = max(_LEAST_BAND * known.mean, 2 * math.sqrt(known.variance)) * (1 + 2 / known.seen)
    band = min(band, known.mean * (_START_HIGH - 1))
    return Factor(known.mean - band, known.mean, known.mean + band)


def as_json(state: Mapping[str, Ratio]) -> dict[str, list[float]]:
    """Return the state as JSON can hold it."""
    return {name: [round(each.mean, 6), round(each.variance, 9), each.seen] for name, each in state.items()}


def from_json(data: Any) -> Learned:
    """Read what `as_json` wrote; skip values that cannot have been learned."""
    found: Learned = {}
    for name, row in data.items() if isinstance(data, dict) else ():
        if not isinstance(row, list) or len(row) != 3 or not all(isinstance(each, int | float) for each in row):
            continue
        mean, variance, seen = float(row[0]), float(row[1]), row[2]
        if _SANE[0] <= mean <= _SANE[1] and 0 <= variance < 10 and isinstance(seen, int) and seen > 0:
            found[str(name)] = Ratio(mean, variance, seen)
    return found
