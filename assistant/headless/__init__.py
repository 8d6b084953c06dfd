"""The face without a screen: one command, its result on standard output, everything else on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from assistant import discover
from assistant.headless.output import tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session
    from assistant.sight import Onlooker
    from assistant.teller import Teller

_PARTS = "assistant.headless.commands"
Sitting = Literal["session", "onlooker", "teller"]


class ShellCommand(Protocol):
    """What a module in `commands/` offers; the first line of its docstring is its help.

    One may have `sitting(options)` as well: a Sitting that is enough for it. An Onlooker, for what would be shown, and a
    Teller, for what was burnt, are there in a fifth of the time of a session.
    """

    __doc__: str | None

    def arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments beside `--json` and `--root`, which every command has."""

    def run(self, session: Session, options: Namespace) -> int:
        """Do it; returns the exit code."""


def names() -> list[str]:
    """Return the names of all commands."""
    return discover.part_names(_PARTS)


def load(name: str) -> ShellCommand:
    """Return one command."""
    return discover.part(_PARTS, name)


def sitting(options: Namespace) -> Sitting:
    """Say what a command needs."""
    needs = getattr(load(options.command), "sitting", None)
    return needs(options) if needs is not None else "session"


def run(session: Session | Onlooker | Teller, options: Namespace) -> int:
    """Run the command that was asked for; returns the exit code."""
    try:
        for warning in session.troubles():
            tell(warning)
        return load(options.command).run(session, options)  # type: ignore[arg-type] # as `sitting` says
    finally:
        for warning in session.troubles():  # of a book that was opened only now
            tell(warning)
