"""What is left of every plan and balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.headless.output import dump, out

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("action", nargs="?", choices=["show"], default="show")


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    from assistant.quota import meter

    rows = [meter.as_json(each) for plan in session.plans.values() for each in session.estimates(plan)]
    if options.json:
        dump({"meters": rows})
        return 0
    for row in rows:
        share = f"{row['used']} of {row['limit'] or 'unknown'} {row['unit']}"
        out(f"{row['plan']:<22} {row['meter']:<10} {share}  {row['state']}  resets {row['resets_at'] or '-'}")
    return 0
