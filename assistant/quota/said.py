"""What a provider's last word on a meter comes to (Said): a value, replaced as a whole when it speaks again or a window ends."""

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
    """What is known of a meter by its provider's word; all of it is empty where it has never spoken.

    `reading` is the last word. `base` is what it says is used of the open window, None where it says nothing of it: then our
    own burn alone counts. `limit` is its limit, None where the plan's holds; `left` what it says is left. `spent` says that
    all is used up, `until` an instant where that is known. `overlap` is what ran while it was taken, `beyond` what was left
    beside the lots of a balance. `foreign` is others' burn in this window, `corrections` are readings that were lower than
    our own burn. `points` says that `base` is in points of a hundred, `absent` that the plan has no such meter, `wants` that
    the provider should be asked again.
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
        """Return what still holds when the window that it speaks of has ended."""
        return self._replace(base=None, left=None, spent=False, overlap=_ZERO, foreign=NOTHING, corrections=())

    @property
    def at(self) -> datetime | None:
        """The instant of the reading that holds; None where none does."""
        return self.reading.at if self.reading is not None and self.base is not None else None
