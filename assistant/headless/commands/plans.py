"""What is left of your plans and balances; `plans replay` runs events through a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ConfigError
from assistant.headless.output import dump, out

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.quota.plan import Plan
    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("action", nargs="?", choices=["show", "replay"], default="show")
    parser.add_argument("--all", action="store_true", help="every plan of the catalogue, not only yours")
    parser.add_argument("--plan", metavar="FILE", help="replay: the plan, a TOML file")
    parser.add_argument("--events", metavar="FILE", help="replay: what was used, one JSON object a line")
    parser.add_argument("--at", metavar="TIME", help="replay: the instant to look at (default: the last event)")


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    return _replay(session, options) if options.action == "replay" else _show(session, options)


def _show(session: Session, options: Namespace) -> int:
    from assistant.quota import meter

    plans = session.accounts.plans.values() if options.all else _mine(session)
    rows = [meter.as_json(each) for plan in plans for each in session.accounts.estimates(plan)]
    if options.json:
        dump({"meters": rows})
        return 0
    for row in rows:
        share = f"{row['used']} of {row['limit'] or 'unknown'} {row['unit']}"
        out(f"{row['plan']:<22} {row['meter']:<14} {share}  {row['state']}  resets {row['resets_at'] or '-'}")
    return 0


def _mine(session: Session) -> list[Plan]:
    """Return the plans that the config names, those of providers with a key or without need of one, and those used."""
    named = set(session.config.plans.values())
    sellers = {each.provider.name for each in session.found()} | {"scripted"}
    used = {total.key[0] for total in session.accounts.ledger.totals(("plan",))}
    return [
        plan
        for plan in session.accounts.plans.values()
        if plan.name in named or plan.name in used or sellers.intersection(plan.default_for)
    ]


def _replay(session: Session, options: Namespace) -> int:
    from assistant.quota.page import as_instant
    from assistant.quota.plan import read_file
    from assistant.quota.replay import read_events, rendered, replay, replayed_json

    if not options.plan or not options.events:
        raise ConfigError(
            "A replay needs --plan FILE and --events FILE.", "assistant/quota/plans/TEMPLATE.md shows both."
        )
    at = as_instant(options.at) if options.at else None
    if options.at and at is None:
        raise ConfigError(f"--at {options.at!r} is no instant.", "Write it like 2026-11-23T12:00:00Z.")
    plan = read_file(Path(options.plan), users=session.places.config / "plans")
    try:
        with Path(options.events).open(encoding="utf-8") as lines:
            events = read_events(lines, options.events)
    except OSError as error:
        raise ConfigError(f"{options.events} cannot be read: {error.strerror}.", "Name a file of events.") from error
    found = replay(plan, events, at)
    if options.json:
        dump(replayed_json(found))
    else:
        out(rendered(found))
    return 0
