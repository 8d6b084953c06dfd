"""Take back what was written last, from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.headless.turning import arguments, turn_back

if TYPE_CHECKING:
    from argparse import Namespace

    from assistant.session import Session


def run(session: Session, options: Namespace) -> int:
    """Run the command; return the exit code."""
    return turn_back(session, "undo", options)


__all__ = ["arguments", "run"]
