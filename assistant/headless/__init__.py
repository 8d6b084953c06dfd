"""The face without a screen: one command, its result on standard output, everything else on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assistant import discover
from assistant.headless.output import tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session
    from assistant.sight import Onlooker

_PARTS = "assistant.headless.commands"


class ShellCommand(Protocol):
    """What a module in `commands/` offers; the first line of its docstring is its help.

    One that sets `LOOKS` is given an Onlooker instead of a session: it is there in a fifth of the time.
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


def looks(name: str) -> bool:
    """Say whether a command only looks."""
    return getattr(load(name), "LOOKS", False)


def run(session: Session | Onlooker, options: Namespace) -> int:
    """Run the command that was asked for; returns the exit code."""
    for warning in session.troubles():
        tell(warning)
    return load(options.command).run(session, options)  # type: ignore[arg-type] # as `looks` says
