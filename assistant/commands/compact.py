"""Make the conversation short: a brief of it, or its last request, in its place; `undo` brings all of it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ("compress", "summarize")
USAGE = "[brief | last | undo]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Shorten the conversation, or undo that; without an argument, first show what each way saves and costs."""
    from contextlib import aclosing

    from assistant.errors import ConfigError

    way = argument.strip()
    if way == "undo":
        count = session.handover.unfold()
        yield events.Notice(f"All {count} messages are sent again with the next question.", "good")
    elif not session.history:
        yield events.Notice("There is no conversation yet.")
    elif not way:
        yield events.Asked("compact")
    elif way in {"brief", "last"}:
        async with aclosing(session.handover.shorten(way)) as stream:  # type: ignore[arg-type]
            async for event in stream:
                yield event
    else:
        raise ConfigError(f"There is no way {way!r} to make a conversation short.", f"/compact {USAGE}")
