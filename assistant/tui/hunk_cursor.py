"""Where the user is among the hunks, and where keys lead from there. Nothing here knows the screen."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from assistant.tui.hunk_rows import FOOT, Row

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cursor(NamedTuple):
    """A place in `rows`; `heads` are the places of hunks' heads. A move that leads nowhere returns the same cursor."""

    rows: Sequence[Row] = ()
    heads: Sequence[int] = ()
    row: int = 0

    @property
    def at(self) -> int:
        """The hunk it is in; 0 above the first one, and if there are none."""
        return max(0, bisect_right(self.heads, self.row) - 1)

    @property
    def here(self) -> Row:
        """The row it is on; an empty row if there is none."""
        return self.rows[self.row] if self.row < len(self.rows) else Row()

    def on(self, row: int) -> Cursor:
        """Go to a row, if it belongs to a hunk."""
        return self._replace(row=row) if self._is_hunk(row) else self

    def to(self, hunk: int) -> Cursor:
        """Go to the head of a hunk, or of the nearest one there is."""
        return self._replace(row=self.heads[max(0, min(len(self.heads) - 1, hunk))]) if self.heads else self

    def line(self, step: int) -> Cursor:
        """Go to the next row of a hunk above or below."""
        row = self.row + step
        while 0 <= row < len(self.rows) and not self._is_hunk(row):
            row += step
        return self.on(row)

    def end(self, side: int) -> Cursor:
        """Go to the first or the last hunk; from the last one, to its last row."""
        there = self.to(0 if side < 0 else len(self.heads) - 1)
        if side < 0 or self.row < there.row:
            return there
        return there.on(max((row for row in range(len(self.rows)) if self._is_hunk(row)), default=-1))

    def page(self, step: int, size: int) -> Cursor:
        """Move by as many rows as are in sight, or as far as the hunks reach."""
        row = max(0, min(len(self.rows) - 1, self.row + step * size))
        while 0 <= row < len(self.rows) and not self._is_hunk(row):
            row -= step
        return self.on(row) if (row - self.row) * step > 0 else self

    def over(self, rows: Sequence[Row], heads: Sequence[int]) -> Cursor:
        """Stay in the same hunk among rows that were laid out anew, as far below its head as the hunk now reaches."""
        there = Cursor(rows, heads).to(self.at)
        below = self.row - self.heads[self.at] if self.heads else 0
        near = range(there.row, min(there.row + below + 1, len(rows)))
        return there.on(max((row for row in near if rows[row].hunk == there.at), default=there.row))

    def top(self, top: int, size: int) -> int:
        """Return the top row that shows the cursor, the row above, and at a head the whole hunk; `top` if it does."""
        if not self.heads:
            return top
        whole = self.row != self.heads[self.at] or self._behind(self.at) < top + size
        if self.row <= top or not whole:
            return max(0, self.row - 1)
        return max(top, self.row - size + 1)

    def _is_hunk(self, row: int) -> bool:
        return 0 <= row < len(self.rows) and self.rows[row].hunk >= 0

    def _behind(self, hunk: int) -> int:
        """Return the row after a hunk."""
        return self.heads[hunk + 1] - 1 if hunk + 1 < len(self.heads) else len(self.rows) - FOOT
