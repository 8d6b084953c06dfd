"""Keys that were meant for something else: they come before what takes them can be seen, or belong to a sentence begun elsewhere."""

from __future__ import annotations

from time import monotonic

_GRACE_S = 0.4
"""How long what takes keys must have been in sight before they count."""
_TYPING_S = 1.5
"""How long at most they do not count while somebody types on."""


class Grace:
    """Tells them from keys that count. After a stray one, those of the next `stray_s` seconds may be strays as well.

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
        """Note a key: who types on without a pause has not looked up yet."""
        if self.early and monotonic() - self._shown < _TYPING_S:
            self.since = monotonic()

    @property
    def early(self) -> bool:
        """Whether a key that comes now cannot be an answer to what is in sight."""
        return self.rest_s > 0

    @property
    def rest_s(self) -> float:
        """How long that is so, if nothing is typed meanwhile."""
        return max(0.0, self.since + _GRACE_S - monotonic())

    def stray(self) -> None:
        """Note that a key came which means nothing here."""
        self._strayed = monotonic()

    def forgive(self) -> None:
        """Take the next key for what it is."""
        self._strayed = float("-inf")

    @property
    def strayed(self) -> bool:
        """Whether such a key came a moment ago."""
        return monotonic() - self._strayed < self._stray_s
