"""Keys meant for something else: they come before their taker can be seen, or belong to a sentence begun elsewhere."""

from __future__ import annotations

from time import monotonic

_GRACE_S = 0.4
"""Seconds for which what takes keys must have been in sight before they count."""
_TYPING_S = 1.5
"""Most seconds for which keys do not count while somebody types on."""


class Grace:
    """Tells such keys from keys that count. After a stray key, those of the next `stray_s` seconds may be strays too.

    `since` is when what takes the keys came into sight, on the clock of `monotonic`.
    """

    def __init__(self, stray_s: float = 0.0) -> None:
        self.since = self._shown = monotonic()
        self._stray_s = stray_s
        self._strayed = float("-inf")

    def begin(self) -> None:
        """Note that something else has come into sight just now."""
        self.since = self._shown = monotonic()

    def typed(self) -> None:
        """Note a key: a user who types on without a pause has not looked up yet."""
        if self.early and monotonic() - self._shown < _TYPING_S:
            self.since = monotonic()

    @property
    def early(self) -> bool:
        """Whether a key that comes now cannot be an answer to what is in sight."""
        return self.rest_s > 0

    @property
    def rest_s(self) -> float:
        """Seconds for which that stays so if nothing is typed meanwhile."""
        return max(0.0, self.since + _GRACE_S - monotonic())

    def stray(self) -> None:
        """Note that a key came that means nothing here."""
        self._strayed = monotonic()

    def forgive(self) -> None:
        """Let the next key count."""
        self._strayed = float("-inf")

    @property
    def strayed(self) -> bool:
        """Whether a stray key came a moment ago."""
        return monotonic() - self._strayed < self._stray_s
