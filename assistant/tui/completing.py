"""What a word in the composer may become: a command, its argument, or what a mark names: a file, a symbol, a diff."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from assistant import arguments, command
from assistant.arguments import Suggestion
from assistant.errors import AssistantError
from assistant.tui.widgets.completions import Completion

if TYPE_CHECKING:
    from assistant.context.completion import Marks
    from assistant.session import Session

_MOST = 8
_ODD = re.compile(r"""[\s"'`,;()<>\[\]{}|@]""")


class Completer:
    """Answers each keystroke, in a thread, from the last listing of the repository while a newer one is made."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._marks: Marks | None = None
        self._making: asyncio.Task[None] | None = None
        self._stale = True

    def forget(self) -> None:
        """Note that files may have come or gone: the next mark asks for another listing."""
        self._stale = True

    async def choices(self, word: str) -> tuple[Completion, ...]:
        """Return completions for the word before the cursor, likeliest first; none for an ordinary word.

        After a command and a space, the whole line is the word. The first mark waits for the listing.
        """
        if word.startswith("/"):
            return await self._arguments(word) if " " in word else _commands(word[1:])
        marks = await self._listed() if word.startswith("@") else None
        if marks is None:
            return ()
        found = await asyncio.to_thread(marks.complete, word[1:], _MOST)
        return tuple(Completion(_marked(text), about) for text, about in found)

    async def _arguments(self, line: str) -> tuple[Completion, ...]:
        """Return what the last word of a command may become, as the command's module says."""
        typed, offers = await asyncio.to_thread(self._ask, line)
        found = arguments.fit((each for each in offers if each.text), typed, _MOST)
        for each in offers:
            if not each.text:
                named = {one.text for one in found}
                found += [one for one in await self._files(typed, more=each.more) if one.text not in named]
        before = line.removesuffix(typed)
        return tuple(
            Completion(
                f"{before}{each.text}{' ' if each.more else ''}",
                each.about,
                shown=each.text,
                meant=arguments.holds(each, typed),
            )
            for each in found[:_MOST]
        )

    def _ask(self, line: str) -> tuple[str, list[Suggestion]]:
        try:
            typed, offers = command.complete(self._session, line)
            return typed, list(offers)
        except AssistantError:  # no model, or an unreadable journal: the command itself reports it
            return "", []

    async def _files(self, typed: str, *, more: bool) -> list[Suggestion]:
        """Return the files that the typed words may mean, in place of FILES."""
        marks = await self._listed()
        paths = await asyncio.to_thread(marks.files, typed, _MOST) if marks is not None else []
        return [Suggestion(arguments.quote(path), more=more) for path in paths]

    async def _listed(self) -> Marks | None:
        """Return the last listing, None if there can be none; begin a newer one if files may have come or gone."""
        if self._stale and (self._making is None or self._making.done()):
            self._stale = False
            self._making = asyncio.create_task(self._list())
        if self._marks is None and self._making is not None:
            await asyncio.shield(self._making)  # the next keystroke gives up waiting, not the listing
        return self._marks

    async def _list(self) -> None:
        with contextlib.suppress(
            AssistantError
        ):  # reported when the sitting began; without files there is nothing to offer
            self._marks = await asyncio.to_thread(self._session.sight.completion)


def _marked(text: str) -> str:
    """Write a mark so that it is read as meant: in quotes if a name has spaces or brackets."""
    return f'@"{text}" ' if _ODD.search(text) and '"' not in text else f"@{text} "


def _commands(typed: str) -> tuple[Completion, ...]:
    """Return commands whose name begins so, then those with such an alias; an alias typed in full stands for itself."""
    known = command.commands()
    if typed not in known and (found := command.named(typed)) is not None:
        known = {typed: found[1], **{name: each for name, each in known.items() if name != found[0]}}
    names = [name for name in known if name.startswith(typed)]
    names += [
        name for name, each in known.items() if name not in names and any(a.startswith(typed) for a in each.ALIASES)
    ]
    return tuple(
        Completion(f"/{name} " if known[name].USAGE else f"/{name}", (known[name].__doc__ or "").partition("\n")[0])
        for name in names
    )
