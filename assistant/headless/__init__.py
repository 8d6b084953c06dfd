"""The face without a screen: runs one command, with its result on standard output and all else on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from assistant import discover
from assistant.headless.output import advise

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.report_session import ReportSession
    from assistant.session import Session
    from assistant.sight import ContextPreview

_PARTS = "assistant.headless.commands"
Sitting = Literal["session", "preview", "report"]


class ShellCommand(Protocol):
    """What a module in `commands/` offers; the first line of its docstring is its help.

    It may also have `sitting(options)`, which returns the Sitting that the command needs. A ContextPreview, which shows what
    would be sent, and a ReportSession, which reports burn, start in a fifth of the time of a session.
    """

    __doc__: str | None

    def arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments, besides `--json` and `--root`, which every command has."""

    def run(self, session: Session, options: Namespace) -> int:
        """Run the command; return the exit code."""


def names() -> list[str]:
    """Return the names of all commands."""
    return discover.part_names(_PARTS)


def load(name: str) -> ShellCommand:
    """Return a command by its name."""
    return discover.part(_PARTS, name)


def sitting(options: Namespace) -> Sitting:
    """Return the kind of Sitting that a command needs."""
    needs = getattr(load(options.command), "sitting", None)
    return needs(options) if needs is not None else "session"


def run(session: Session | ContextPreview | ReportSession, options: Namespace) -> int:
    """Run the command that was asked for; return the exit code."""
    try:
        for warning in session.troubles():
            advise(warning)
        return load(options.command).run(session, options)  # type: ignore[arg-type] # the kind that `sitting` returned
    finally:
        for warning in session.troubles():  # those of a ledger that was opened meanwhile
            advise(warning)
