"""What a word in the composer may become: a command, or what a mark names: a file, a folder, a symbol, a diff."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from assistant import command
from assistant.errors import AssistantError
from assistant.tui.widgets.completions import Choice

if TYPE_CHECKING:
    from assistant.context.completion import Marks
    from assistant.sight import Sight

_MOST = 8
_ODD = re.compile(r"""[\s"'`,;()<>\[\]{}|@]""")


class Completer:
    """Answers each keystroke from the last listing of the repository, in a thread, while a newer listing is made."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._marks: Marks | None = None
        self._making: asyncio.Task[None] | None = None
        self._stale = True

    def forget(self) -> None:
        """Files may have come or gone: the next mark asks for another listing."""
        self._stale = True

    async def choices(self, word: str) -> tuple[Choice, ...]:
        """Return completions for the word before the cursor, the likeliest first; none for an ordinary word.

        The first mark waits for the listing.
        """
        if word.startswith("/"):
            return _commands(word[1:])
        if not word.startswith("@"):
            return ()
        if self._stale and (self._making is None or self._making.done()):
            self._stale = False
            self._making = asyncio.create_task(self._list())
        if self._marks is None and self._making is not None:
            await asyncio.shield(self._making)  # the next keystroke gives up waiting, not the listing
        if self._marks is None:
            return ()
        found = await asyncio.to_thread(self._marks.complete, word[1:], _MOST)
        return tuple(Choice(_marked(text), about) for text, about in found)

    async def _list(self) -> None:
        with contextlib.suppress(
            AssistantError
        ):  # said when the sitting began; without files there is nothing to offer
            self._marks = await asyncio.to_thread(self._sight.completion)


def _marked(text: str) -> str:
    """Write a mark so that it is read as meant: in quotes where a name has blanks or brackets."""
    return f'@"{text}" ' if _ODD.search(text) and '"' not in text else f"@{text} "


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
