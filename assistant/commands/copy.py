"""Copy the last answer to the clipboard; with `code`, its last block of code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[code]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Ask the face to copy the last answer, or its last code block. Raises ConfigError where there is none."""
    import re

    from assistant.errors import ConfigError

    text = next(
        (each.text for each in reversed(session.history) if each.role == "assistant" and each.text), session.answer
    )
    if not text:
        raise ConfigError("There is no answer to copy yet.", "Ask something first.")
    if argument == "code":
        blocks = re.findall(r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1[ \t]*$", text, re.DOTALL | re.MULTILINE)
        if not blocks:
            raise ConfigError("The last answer has no block of code.", "/copy takes all of it.")
        text = blocks[-1][1]
    elif argument:
        raise ConfigError(f"{argument!r} cannot be copied.", "/copy takes the last answer, /copy code its last code.")
    yield events.Asked("copy", text)
