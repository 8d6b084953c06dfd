"""The one entry point for what the user types: a slash command, or words for the model."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from assistant import arguments, discover, events
from assistant.errors import AssistantError, BudgetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.arguments import Suggestion
    from assistant.session import Session

Stream = AsyncGenerator[events.Event, None]
_LEAVE = {"exit", "quit", ":q", ":q!", ":qa", ":wq", ":x"}
"""Words that, alone, mean "quit" and are no question: they leave a shell or an editor."""
_ELSEWHERE = {
    "editor": "/model editor=NAME lets another model write the edits.",
    **dict.fromkeys(
        ("auth", "key", "keys", "login"),
        "A key is read from the environment or the keyring: `wattson doctor` names them all.",
    ),
}
"""Names that other programs give a command, and where it is done here."""
_SHELL = re.compile(r"![a-z./~]")
_COMMAND = re.compile(r"^/([a-z][a-z-]*|)(?:\s+(.*))?$", re.DOTALL)


class Command(Protocol):
    """The interface of a module in `commands/`; the first line of its docstring is its help.

    Where the plain words of USAGE are not all that may be typed, `complete(session, words)` returns the suggestions for
    the last of `words`, the likeliest first. It is called in a thread at each keystroke. `SHELL`, where there is one,
    names what does the same on the command line.
    """

    ALIASES: tuple[str, ...]
    USAGE: str
    __doc__: str | None

    def run(self, session: Session, argument: str) -> Stream:
        """Run the command and yield what happened."""


def commands() -> dict[str, Command]:
    """Return all commands by name, without their aliases."""
    return {name: discover.part("assistant.commands", name) for name in discover.part_names("assistant.commands")}


def named(name: str) -> tuple[str, Command] | None:
    """Return the name and the module of a command, found by its name or an alias; None where there is none."""
    known = commands()
    found = name if name in known else next((each for each, one in known.items() if name in one.ALIASES), None)
    return None if found is None else (found, known[found])


def complete(session: Session, line: str) -> tuple[str, Iterable[Suggestion]]:
    """Return the last word typed behind a command, and the suggestions for it; nothing where `line` is no command.

    A command may read files or lists for its suggestions: call this in a thread.
    """
    match = _COMMAND.match(line)
    found = named(match[1]) if match else None
    if match is None or found is None:
        return "", ()
    typed = line[match.end(1) :].lstrip()
    last = arguments.last_word(typed)
    before = arguments.split(typed[: len(typed) - len(last)])
    hook = getattr(found[1], "complete", None)
    if hook is not None:
        return last, hook(session, [*before, last])
    return last, () if before else arguments.plain(found[1].USAGE)


def is_command(text: str) -> bool:
    """Say whether `text` is a command or the beginning of one; a path with words behind it is a question."""
    return text.strip() in _LEAVE or _COMMAND.match(text.strip()) is not None


async def submit(session: Session, text: str, *, once: bool = False) -> Stream:
    """Run what was typed. Errors that the user can be told about come as a Notice, never as an exception.

    With `once`, caps and reserves do not hold back what it asks.
    """
    words = text.strip()
    if not words:
        return
    if words in _LEAVE:
        words = "/quit"
    if _SHELL.match(words):
        yield events.Notice(
            "Wattson runs no commands of a shell, and this was not sent. To ask it, begin otherwise.", "warning"
        )
        return
    match = _COMMAND.match(words)
    try:
        if match is None:
            stream = session.ask(words)
        else:
            name = match[1]
            found = named(name)
            if found is None:
                from difflib import get_close_matches

                near = get_close_matches(name, commands(), 3)
                hint = (
                    f"Did you mean {', '.join('/' + each for each in near)}?" if near else "/help lists all commands."
                )
                hint = _ELSEWHERE.get(name, hint)
                yield events.Notice(f"There is no command /{name}. {hint}", "warning")
                return
            stream = found[1].run(session, (match[2] or "").strip())
        with session.limits.once() if once else nullcontext():
            async with aclosing(stream):
                async for event in stream:
                    yield event
    except BudgetError as error:
        held = None if error.hold is None else events.TurnHeld(replace(error.hold, text=words))
        yield held or events.Notice(str(error), "error")
    except AssistantError as error:
        yield events.Notice(str(error), "error")
