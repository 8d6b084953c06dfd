"""What a provider's last reading of a meter leaves (Said): replaced as a whole by the next, or as a window ends."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from assistant.quota.tariff import NOTHING, Amount

if TYPE_CHECKING:
    from datetime import datetime

    from assistant.quota.estimate import Correction
    from assistant.quota.reading import Reading
    from assistant.quota.terms import Limit

_ZERO = Decimal(0)


class Said(NamedTuple):
    """What a provider has told about a meter; all of it is empty if it never told anything.

    `reading` is the last reading. `base` is its used amount of the open window, None if it tells none: then only our
    own burn counts. `limit` is its limit, None if the plan's holds; `left` is what it says is left. `spent` says that
    all is used up, `until` an instant if known. `overlap` is what ran while the reading was taken, `beyond` what was
    left beyond the lots of a balance. `foreign` is others' burn in this window, `corrections` are readings that were
    lower than our own burn. `points` says that `base` is in points of a hundred, `absent` that the plan has no such
    meter, `wants` that the provider should be asked again.
    """

    reading: Reading | None = None
    base: Amount | None = None
    limit: Limit = None
    left: Decimal | None = None
    spent: bool = False
    until: datetime | None = None
    overlap: Decimal = _ZERO
    beyond: Decimal = _ZERO
    foreign: Amount = NOTHING
    corrections: tuple[Correction, ...] = ()
    points: bool = False
    absent: bool = False
    wants: bool = False

    def over(self) -> Said:
        """Return what still holds after the end of the window."""
        return self._replace(base=None, left=None, spent=False, overlap=_ZERO, foreign=NOTHING, corrections=())

    @property
    def at(self) -> datetime | None:
        """The instant of the reading that holds; None if none does."""
        return self.reading.at if self.reading is not None and self.base is not None else None
