"""Take back what was written last, from the journal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant.headless.output import show_written

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add none."""


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    asyncio.run(show_written(session.undo(), as_json=options.json))
    return 0
