"""Messages for the command line: where one names a command of the screen, it says what does the same here.

The core words its hints for the screen, which has most users. A command that can be had here too says how in `SHELL`.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(?<![^\s(])/([a-z]+)(?![\w/-]|\.\w)")
_ARGUMENT = re.compile(r" (?:\S*=|\d|[\"']|\S*[./]\w)")
"""What follows a command that is named with an argument: the command line has others."""


def in_shell(words: str) -> str:
    """Return a message with commands of the screen in the words of the command line.

    Of those that there are only on the screen, and of those with an argument, it is said where they are typed.
    """
    if "/" not in words:
        return words
    names = {name: _of(name) for name in dict.fromkeys(_COMMAND.findall(words))}
    left: list[str] = []

    def put(match: re.Match[str]) -> str:
        shell = names[match[1]]
        if shell is None:
            return match[0]
        if shell and not _ARGUMENT.match(words, match.end()):
            return shell
        left.append(match[0])
        return match[0]

    told = _COMMAND.sub(put, words)
    if not left:
        return told
    *some, last = dict.fromkeys(left)
    which = f"{', '.join(some)} and {last} are commands" if some else f"{last} is a command"
    return f"{told} ({which} of the screen: `wattson -c`.)"


def _of(name: str) -> str | None:
    """Return what does the same as a command here; empty where nothing does, None where there is no such command."""
    from assistant import command

    found = command.named(name)
    return None if found is None else shell(found[1])


def shell(found: object) -> str:
    """Return what a command of the screen says that does the same here; empty where nothing does."""
    return str(getattr(found, "SHELL", ""))
