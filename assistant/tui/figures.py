"""Figures as the screen draws them: bars of a share, and counts in a few characters."""

from __future__ import annotations

_EIGHTHS = "▏▎▍▌▋▊▉█"


def bar(share: float | None, cells: int) -> str:
    """Draw a share (0 to 1) in eighths of a cell; dashes if it is unknown."""
    if share is None:
        return "╌" * cells
    full, part = divmod(round(max(0.0, min(1.0, share)) * cells * 8), 8)
    return f"{_EIGHTHS[-1] * full + (_EIGHTHS[part - 1] if part else ''):·<{cells}}"


def short(count: int) -> str:
    """Say a count in at most five characters: 987, 4.2k, 128k, 3.1M."""
    if count < 1_000:
        return str(count)
    for size, sign in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        if count < size * 999.5:
            value = count / size
            return f"{value:.1f}{sign}" if value < 99.95 else f"{value:.0f}{sign}"
    return f"{count:,}"
