"""Take back what was written last, from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.headless.turning import turn_back

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="only what was done last in this file")
    parser.add_argument("--step", type=int, metavar="N", help="this step, as --list numbers them (default: the last)")
    parser.add_argument("--check", action="store_true", help="print what would be written as a diff, write nothing")
    parser.add_argument("--list", action="store_true", help="list the steps of the journal")


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    return turn_back(session, "undo", options)
