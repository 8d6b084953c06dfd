"""What was burnt, by day, model and project; `usage import` reads the logs of other clients on this machine."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assistant.errors import UsageError
from assistant.headless.output import days, dump, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from datetime import date

    from assistant.quota.history import Row
    from assistant.report_session import ReportSession

_KEYS = ("day", "provider", "model", "project", "purpose", "plan", "payer")
_THEIRS = ("client", "day", "provider", "model", "project", "plan")
"""The keys by which other clients' logs can be added up."""
_BY = ("day", "provider", "model", "project")


def sitting(_options: Namespace) -> Literal["report"]:
    """Return the Sitting that is enough: no provider is asked."""
    return "report"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "action", nargs="*", metavar="import CLIENT", help="import: claude-code, codex, gemini, opencode or all"
    )
    parser.add_argument(
        "--by",
        default="",
        metavar="KEYS",
        help=f"what to add up by, with commas: {', '.join(_KEYS)}; with client, --csv has what other clients burnt as well",
    )
    parser.add_argument("--days", type=days, default=0, metavar="N", help="only the last N days")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--line",
        action="store_true",
        help="one line for tmux or a shell prompt, drawn from what is kept; not with --json",
    )
    how.add_argument("--csv", action="store_true", help="the history as CSV; not with --json")


def run(session: ReportSession, options: Namespace) -> int:
    """Run the command; return the exit code."""
    from assistant import usage_review
    from assistant.quota import history, report

    if options.json and (options.line or options.csv):
        raise UsageError("--json, --csv and --line are three forms of one report.", "Choose one of them.")
    if options.action or options.line:
        what = "usage import" if options.action else "usage --line"
        for name in ("by", "days", *(("line", "csv") if options.action else ())):
            if getattr(options, name):
                raise UsageError(f"`{what}` takes no --{name}.", "It is for `usage`, the history.")
    if options.action:
        return _import(session, options.action, as_json=options.json)
    if options.line:
        from assistant.quota import line

        facts, now = line.read(str(session.places.data)), session.now()
        out("" if facts is None else line.line(facts, now.timestamp(), now.astimezone().date().isoformat()))
        return 0
    by = tuple(filter(None, options.by.split(",")))
    if wrong := set(by) - {*_KEYS, "client"}:
        raise UsageError(
            f"Nothing is added up by {', '.join(sorted(wrong))}.", f"There are {', '.join(_KEYS)}, client."
        )
    since = (session.now().astimezone() - timedelta(days=options.days - 1)).date() if options.days > 0 else None
    ledger = session.accounts.ledger
    if options.csv:
        by = by or ("day", "provider", "model", "project", "purpose")
        text = (
            _all_clients(session, by, since)
            if "client" in by
            else report.as_csv(ledger.sums.written(by, since=since), by)
        )
        ledger.store.must_see()
        out(text)
        return 0
    asked, by = by, tuple(key for key in by if key != "client") or _BY
    ours = ledger.sums.written(by, since=since)
    ledger.store.must_see()
    theirs = ("client", *(key for key in by if key in _THEIRS)) if asked else ("client", "model")
    totals = session.accounts.other_clients.totals((*usage_review.PRICED_BY, *theirs), since)
    others = usage_review.by_token(totals, session.roster.catalogue) if totals else []
    if options.json:
        said = history.rows(each._replace(key=each.key[len(usage_review.PRICED_BY) :]) for each in totals)
        _dump(
            session,
            report.as_json(ours, by),
            [_other(*each, theirs) for each in zip(said, others, strict=True)],
            since,
        )
        return 0
    lines = report.as_table(ours)
    if others:
        lines.append("Other clients, from their own logs, at list prices where they say none:")
        lines += report.as_table(map(report.told, others))
    if lines:
        out("\n".join(lines))  # a long history is thousands of lines: write them at once
    else:
        tell("Nothing was burnt yet.")
    return 0


def _all_clients(session: ReportSession, by: Sequence[str], since: date | None) -> str:
    """Return our own and other clients' burn as CSV; theirs has no purpose or payer, and only stated costs."""
    from assistant.quota import history, report

    ours, theirs = (tuple(key for key in by if key in known and key != "client") for known in (_KEYS, _THEIRS))
    own = history.rows(session.accounts.ledger.sums.totals(ours, since=since))
    others = history.rows(session.accounts.other_clients.totals(("client", *theirs), since))
    keyed = [({"client": "wattson", **dict(zip(ours, row.key, strict=True))}, row) for row in own]
    keyed += [(dict(zip(("client", *theirs), row.key, strict=True)), row) for row in others]
    return report.as_csv(
        [report.told(row._replace(key=tuple(key.get(name, "") for name in by))) for key, row in keyed], by
    )


def _dump(session: ReportSession, usage: Sequence[str], others: Sequence[dict[str, Any]], since: date | None) -> None:
    from assistant.quota.estimate import as_json

    burnt = [session.accounts.plans[name] for name in session.accounts.used_plans() if name in session.accounts.plans]
    meters = [as_json(each) for plan in burnt for each in session.accounts.estimates(plan)]
    rest = {"meters": meters, "other_clients": others}
    hours = [
        f'{{"day": "{day}", "hour": {hour}, "steps": {steps}, "tokens": {tokens}}}'
        for day, hour, steps, tokens in session.accounts.ledger.sums.hours(since=since)
    ]
    out(f'{{"usage": [{", ".join(usage)}], {json.dumps(rest)[1:-1]}, "hours": [{", ".join(hours)}]}}')


def _other(said: Row, priced: Row, by: Sequence[str]) -> dict[str, Any]:
    """Return another client's burn as its log states it, and `by_token`: the same at list prices where known."""
    from assistant.quota import history

    listed = {currency: str(amount) for currency, amount in sorted(priced.money.items())}
    costs: dict[str, str | None] = {currency: f"{amount:f}" for currency, amount in sorted(said.money.items())}
    nothing = {"unknown": said.unpriced, "included": said.included, "free": said.free}
    costs |= {status: None for status, count in nothing.items() if count}  # as `report.as_json` writes ours
    rest = {
        "costs": costs,
        "by_token": listed,
        "by_token_exact": not priced.inexact,
        "by_token_unpriced": priced.unpriced,
    }
    return {**history.as_json(said, by), **rest}


def _may_be_folder(word: str) -> bool:
    """Say whether there is a folder; True also for one that may not be looked at, which is reported on reading."""
    try:
        return Path(word).is_dir()
    except PermissionError:
        return True


def _import(session: ReportSession, words: Sequence[str], *, as_json: bool) -> int:
    """Read what is new in the logs of other clients; their files are not changed."""
    from assistant import usage_review

    if words[0] != "import":
        raise UsageError(f"There is no `usage {words[0]}`.", "There is `usage import [CLIENT ...]`.")
    clients = session.accounts.other_clients.clients()
    wanted, places = [], []
    for word in words[1:]:
        name = {"gemini": "gemini-cli", "claude": "claude-code"}.get(word, word)
        if name in clients:
            wanted.append(name)
        elif _may_be_folder(word):
            places.append(Path(word))
        elif word != "all":
            what = "folder" if "/" in word or "\\" in word else "client"
            raise UsageError(f"There is no {what} {word!r}.", f"Clients are {', '.join(clients)}, or all.")
    if places and len(wanted) != 1:
        raise UsageError("A folder is read as the logs of one client.", f"Like: usage import {clients[0]} FOLDER")
    found = session.accounts.other_clients.take_in(
        session.accounts.ledger.sources, session.env, wanted, places, session.config.plans,
        usage_review.sizes_of(lambda: session.roster.catalogue),
    )  # fmt: skip
    if found:
        session.accounts.redraw_line()
    if as_json:
        names = ("client", "files", "uses", "copies", "torn", "notes")
        dump({"imported": [{name: getattr(each, name) for name in names} for each in found]})
        return 0
    for each in found:
        out(f"{each.client:<12} {each.files:,} files, {each.uses:,} new requests, {each.copies:,} copies left out"
            + (f", {each.torn:,} torn lines" if each.torn else ""))  # fmt: skip
        for note in each.notes:
            tell(note)
    for client in session.accounts.other_clients.planless():
        plan = {"claude-code": "claude-pro", "codex": "chatgpt-plus"}.get(client, "google-ai-pro")
        tell(f'Which plan {client} burns is not known. Say it in your config: [plans] {client} = "{plan}"')
    if not found:
        tell("No logs of other clients were found.")
    return 0
