"""What the models' edits came to: fitted at once, taken, skipped, and what an accepted line cost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from assistant.headless.output import days, dump, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.report_session import ReportSession


def sitting(_options: Namespace) -> Literal["report"]:
    """Return the Sitting that is enough: no provider is asked."""
    return "report"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--days", type=days, default=0, metavar="N", help="only the last N days")
    parser.add_argument("--here", action="store_true", help="only this repository")


def run(session: ReportSession, options: Namespace) -> int:
    """Run the command; return the exit code."""
    from assistant import usage_review
    from assistant.quota import history

    since = (session.now().astimezone() - timedelta(days=options.days - 1)).date() if options.days > 0 else None
    found = usage_review.yields(session.accounts.ledger, since, project=str(session.root) if options.here else "")
    session.accounts.ledger.store.must_see()
    if options.json:
        dump({"yields": [history.yield_json(each, ("provider", "model")) for each in found]})
        return 0
    for line in history.yield_lines(found):
        out(line)
    if not found:
        tell("No edits were decided yet.")
    return 0
