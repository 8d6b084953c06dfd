"""What a word in the composer may become: a command, or a file of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import command
from assistant.tui.widgets.completions import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 8


def choices(word: str, paths: Sequence[str]) -> tuple[Choice, ...]:
    """Return completions for the word before the cursor, the likeliest first; none for an ordinary word."""
    if word.startswith("/"):
        return _commands(word[1:])
    if word.startswith("@") and paths:
        from assistant.context import mention

        return tuple(Choice(f"@{path} ") for path in mention.complete(paths, word[1:], _MOST))
    return ()


def _commands(typed: str) -> tuple[Choice, ...]:
    """Commands whose name begins so, then those with an alias that does."""
    known = command.commands()
    names = [name for name in known if name.startswith(typed)]
    names += [
        name for name, each in known.items() if name not in names and any(a.startswith(typed) for a in each.ALIASES)
    ]
    return tuple(
        Choice(f"/{name} " if known[name].USAGE else f"/{name}", (known[name].__doc__ or "").partition("\n")[0])
        for name in names
    )
