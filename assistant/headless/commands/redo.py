"""Write again what was taken back last."""

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
    asyncio.run(show_written(session.redo(), as_json=options.json))
    return 0
