"""What is left of your plans and balances; `plans replay` runs events through a plan, `plans advise` your own history."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.errors import ConfigError, UnknownModel, UsageError
from assistant.headless.output import advise, days, dump, given, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import datetime
    from decimal import Decimal

    from assistant.quota.estimate import Estimate
    from assistant.quota.forecast import Forecast
    from assistant.quota.terms import Plan
    from assistant.report_session import ReportSession
    from assistant.session import Session
    from assistant.standings import Standing

_HELP = """\
replay: FILE of --plan is TOML (a name and [[meters]]), FILE of --events one JSON object a line, or one JSON array.
`-` is standard input. Only the instant `at` must be there: ISO text with an offset (without one it is UTC) or Unix seconds.

  {"at": "2026-11-23T10:07:31Z"}                                              one request
  {"at": ..., "model": "glm-5.3", "fresh_input": 8349, "cache_read": 40794, "output": 573}
  {"at": ..., "credits": 30, "until": "2026-11-23T10:08:10Z", "id": "a"}       also requests, prompts, tokens, percent,
                                                                  units, cost with currency; burn: {METER: N} is final
  {"at": ..., "reading": {"meter": "5 hours", "used": 800, "limit": 2000, "resets_at": "2026-11-23T15:00:00Z"}}
  {"at": ..., "host": "api.z.ai", "body": {...}}       what a provider sent; also headers, and status for a refusal

Lines are in the order in which they became known; lines of one id are one step, and the last one counts. A line that
cannot be read ends it and is named; a key that nobody reads is told under `problems`. Every key of both files, with
examples: assistant/quota/plans/TEMPLATE.md.

tell PLAN -: standard input is what a vendor's own program hands out, such as the JSON that Claude Code gives to the
command of its status line. In its settings:

  "statusLine": {"type": "command", "command": "wattson plans tell claude-pro - >/dev/null; wattson usage --line"}
"""
_DAYS = 91
"""Days of history that are run through all plans: earlier prices and habits say little about the next month."""
_ACTIONS = ["show", "replay", "advise", "tell"]
_TAKEN_BY = {
    "all": ("show",), "refresh": ("show",), "plan": ("replay", "advise"), "events": ("replay",), "at": ("replay",),
    "days": ("advise",), "resets": ("tell",),
}  # fmt: skip
"""The actions to which each option applies."""


def sitting(options: Namespace) -> Literal["session", "report"]:
    """Return the Sitting that is enough: only a refresh asks providers."""
    return "session" if options.refresh else "report"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", nargs="?", choices=_ACTIONS, default="show")
    parser.add_argument(
        "what",
        nargs="*",
        help='tell: PLAN METER FIGURE, such as: tell claude-pro "5 hours" 45%%; or PLAN -, the vendor\'s own JSON on standard input',
    )
    parser.add_argument("--all", action="store_true", help="every plan of the catalogue, not only yours")
    parser.add_argument("--refresh", action="store_true", help="ask the providers whose quota can be asked for first")
    parser.add_argument("--plan", metavar="FILE", help="replay, advise: the plan, a TOML file or a name")
    parser.add_argument(
        "--events", metavar="FILE", help="replay: what was used, one JSON object a line; - is standard input"
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="replay: the instant to look at, like 2026-11-23T12:00:00Z (default: the last event)",
    )
    parser.add_argument(
        "--days",
        type=days,
        metavar="N",
        help=f"advise: the last N days of your history (default: {_DAYS})",
    )
    parser.add_argument(
        "--resets",
        metavar="TIME",
        default="",
        help="tell: when the window begins anew: 16:30 or 2026-12-03T10:00 by your clock, or with an offset",
    )
    parser.epilog, parser.formatter_class = _HELP, RawDescriptionHelpFormatter  # last: it asks the terminal at once


def run(session: Session | ReportSession, options: Namespace) -> int:
    """Run the command; return the exit code."""
    if options.what and options.action != "tell":
        raise UsageError(
            f"`plans {options.action}` takes no words: {' '.join(options.what)!r}.",
            "A plan is named by --plan; words are for `plans tell PLAN METER FIGURE`.",
        )
    for name, takers in _TAKEN_BY.items():
        if getattr(options, name) not in {None, False, ""} and options.action not in takers:
            plain = "plans" if options.action == "show" else f"plans {options.action}"
            others = " or ".join("`plans`" if each == "show" else f"`plans {each}`" for each in takers)
            raise UsageError(f"`{plain}` takes no --{name}.", f"It is for {others}.")
    actions = {"show": _show, "replay": _replay, "advise": _advise, "tell": _tell}
    return actions[options.action](session, options)


def _show(session: Session | ReportSession, options: Namespace) -> int:
    from assistant import standings
    from assistant.quota import estimate

    wrong = [str(each) for each in session.accounts.leave_out()] if options.all else []
    for each in (*wrong, *session.accounts.misnamed()):
        tell(each)
    if session.config.model:
        try:
            session.roster.choose(session.config.model)
        except UnknownModel as error:  # then no row is marked as the present one
            advise(str(error))
    if options.refresh:
        import asyncio

        from assistant.session import Session

        assert isinstance(session, Session)  # noqa: S101 - `sitting` asks for a session to refresh
        asyncio.run(_refresh(session))
    found = session.standings(every=options.all)
    if options.json:
        meters = [estimate.as_json(each) for standing in found for each, _ in standing.meters]
        dump({"meters": meters, "plans": [standings.as_json(each) for each in found]})
        return int(bool(wrong))
    if not found:
        tell("No key was found and no plan is named in your config. `wattson plans --all` shows all plans.")
    for standing in found:
        out("\n".join(_lines(standing, session.now())))
    return int(bool(wrong))


async def _refresh(session: Session) -> None:
    for each in await session.refresh():
        if each.note:
            tell(f"{each.provider}: {each.note}")
        elif not each.count and each.next_at is not None:
            tell(f"{each.provider}: asked a moment ago; again after {each.next_at.astimezone():%H:%M:%S}")
    await session.close()


def _lines(standing: Standing, now: datetime) -> list[str]:
    from assistant.quota import history, wording

    paid = f"  pays {', '.join(standing.providers)}" if standing.plan and standing.providers else ""
    week = (
        f"  7 days: {'~' if standing.week.inexact else ''}{history.cost_words(standing.week)}"
        if standing.week is not None
        else ""
    )
    lines = [f"{'*' if standing.present else ' '} {standing.title}{paid}{week}"]
    lines += [f"    {_meter(each, ahead, now)}" for each, ahead in standing.meters]
    lines += [f"    not understood: {each.meter} {each.raw}" for each in standing.unmapped]
    lines += [
        f"    {each.meter}: {wording.amount(each.remaining, '')} of {wording.amount(each.limit, '')} left"
        for each in standing.pace
        if not isinstance(each.limit, str)
    ]
    lines += [f"    {words}" for words in (*standing.notes, *([str(standing.hint)] if standing.hint else ()))]
    return lines


def _meter(each: Estimate, ahead: Forecast, now: datetime) -> str:
    from assistant.quota import wording

    said = wording.meter_words(each, ahead, now)
    reset = f"resets {said.reset} (in {said.wait})" if said.reset else ""
    parts = (said.figures, said.share, said.state, reset, *said.more)
    return f"{each.meter:<14} {'  '.join(filter(None, parts))}  [{said.trust}]"


def _tell(session: Session | ReportSession, options: Namespace) -> int:
    """Keep a figure that the user has read somewhere, for plans that we cannot ask about."""
    from assistant.payers import near
    from assistant.quota.reading import Reading, number

    if options.what and options.what[0] not in (known := session.accounts.plans):
        rest = "Name a plan: `wattson plans --all` shows them all."
        raise UsageError(f"There is no plan {options.what[0]!r}.", near(options.what[0], [*known], rest=rest))
    if options.what[1:] == ["-"]:
        return _payload(session, options)
    if len(options.what) != 3:
        raise UsageError(
            "Name a plan, a meter of it and a figure.", 'Like: wattson plans tell claude-pro "5 hours" 45%'
        )
    name, meter, figure = options.what
    plan = session.accounts.plans[name]
    if meter not in {each.name for each in plan.meters}:
        raise UsageError(f"{plan.title} has no {meter!r}.", f"It has {', '.join(each.name for each in plan.meters)}.")
    value, now = number(figure), session.now()
    resets = _instant(options.resets, now) if options.resets else None
    if (wrong := value is None or value < 0) or (options.resets and resets is None):
        raise UsageError(
            f"{figure if wrong else options.resets!r} is not understood.",
            "Write 45%, 120, --resets 16:30 or 2026-12-03T10:00.",
        )
    if resets is not None and resets <= now:
        raise UsageError(f"{options.resets} lies in the past.", "--resets is when the window begins anew.")
    assert value is not None  # noqa: S101 - None was refused above
    if words := _beyond(plan, meter, value, now, share=figure.endswith("%")):
        raise UsageError(
            f"{figure} is more than {words}.",
            "A figure is what is used, in the plan's units, and 45% is a share. Has your plan more by now? Give its page in "
            f'plans/ (extends = "{name}") another limit.',
        )
    if figure.endswith("%"):
        reading = Reading(meter, "you", now, unit="percent", percent=value, rounding="rounded", resets_at=resets)
    else:
        balance = next(each for each in plan.meters if each.name == meter).window.kind == "balance"
        reading = Reading(meter, "you", now, used=None if balance else value, remaining=value if balance else None,
                          resets_at=resets)  # fmt: skip
    currency = next(each.currency for each in plan.meters if each.name == meter)
    reading = reading._replace(currency=currency)
    session.accounts.ledger.sources.hear(f"you:{name}", [reading], now, plan=name)
    session.accounts.redraw_line()
    return _show(session, options)


def _beyond(plan: Plan, name: str, value: Decimal, now: datetime, *, share: bool) -> str:
    """If a figure is more than a meter has, say how much it has; else return "". A balance may hold any amount."""
    from decimal import Decimal

    from assistant.quota import wording

    meter = next(each for each in plan.meters if each.name == name)
    if share or meter.unit == "percent":
        return "all of it" if value > 100 else ""
    limit = meter.limit_at(now)
    if meter.window.kind == "balance" or not isinstance(limit, Decimal) or value <= limit:
        return ""
    unit = "" if meter.unit == "money" else f" {meter.unit}"
    return f"the {wording.amount(limit, meter.unit, meter.currency)}{unit} that {name} of {plan.title} has"


def _instant(text: str, now: datetime) -> datetime | None:
    """Read when a window begins again, in the user's zone if there is no offset, as vendors' pages show it.

    A time of day means the next one. None if the text is not an instant.
    """
    from datetime import datetime, time, timedelta

    from assistant.quota.page import as_event

    try:
        if ":" in text[:3]:
            clock, today = time.fromisoformat(text.zfill(5)), now.astimezone().date()
            found = datetime.combine(today, clock).astimezone()
            return found if found > now else datetime.combine(today + timedelta(days=1), clock).astimezone()
        told = None if text.isdigit() else datetime.fromisoformat(text)
        return as_event(told.astimezone() if told is not None and told.tzinfo is None else told or text)
    except (ValueError, OverflowError, OSError):
        return as_event(text)


def _payload(session: Session | ReportSession, options: Namespace) -> int:
    """Keep the JSON that a vendor's own program passes on, from standard input: Claude Code's status line, for one."""
    from assistant.quota.reading import of_plan

    plan, now = session.accounts.plans[options.what[0]], session.now()
    found = of_plan(given("-"), plan.reader, plan.host, now) if plan.reader else []
    if not found:
        raise ConfigError(f"Nothing on standard input says anything of {plan.title}.", "Give it the vendor's own JSON.")
    session.accounts.ledger.sources.hear(f"file:{plan.name}", found, now, plan=plan.name)
    session.accounts.redraw_line()
    return _show(session, options)


def _advise(session: Session | ReportSession, options: Namespace) -> int:
    """Say which plans would have held the user's burn, and what each would have cost."""
    from assistant import usage_review
    from assistant.quota import advice, history

    accounts = session.accounts
    chosen = [_plan(session, options.plan)] if options.plan else accounts.plans.values()
    found, theirs = [], []
    burnt = [*accounts.ledger.sums.days(), *(total.key[0] for total in accounts.other_clients.totals(("day",)))]
    accounts.ledger.store.must_see()
    if (span := usage_review.span(burnt, _DAYS if options.days is None else options.days, session.now())) is not None:
        day, *between = span
        theirs = accounts.other_clients.burns(None, between[0])
        totals = accounts.other_clients.totals(usage_review.PRICED_BY, day)
        paid = history.rows(accounts.ledger.sums.totals(("payer",), since=day))
        paid = [row for row in paid if row.key != ("practice",)]
        if totals:
            paid += usage_review.by_token(totals, session.roster.catalogue)
        found = usage_review.advice(accounts.ledger, theirs, chosen, session.now(), paid, between)
    if not found:
        tell("Nothing was burnt yet that could be compared.")
    if options.json:
        dump({"plans": [advice.as_json(each) for each in found], "gathered": "hour"})
        return 0
    for each in found:
        out(str(each))
    if found:
        first = max(day.isoformat(), min(burnt))
        out(f"By the token it cost since {first}: {found[0].burnt}")
        out(
            "Steps of an hour are taken together: counts are near. `wattson plans replay --plan NAME` follows each step."
        )
    if found and theirs:
        names = ", ".join(sorted({each.client for each in theirs}))
        out(
            f"Of it {sum(each.steps for each in theirs):,} requests are those of {names}, at list prices where they say none."
        )
    return 0


def _plan(session: Session | ReportSession, name: str) -> Plan:
    """Return a plan by its name, or from a file. Raises ConfigError."""
    from assistant.quota.plan import read_file

    return session.accounts.plans.get(name) or read_file(Path(name), users=session.places.config / "plans")


def _replay(session: Session | ReportSession, options: Namespace) -> int:
    from assistant import usage_review
    from assistant.quota.event import read_events
    from assistant.quota.page import FIRST_YEAR, LAST_YEAR, as_event
    from assistant.quota.replay import rendered, replay, replayed_json

    if not options.plan:
        raise UsageError(
            "A replay needs --plan FILE and --events FILE, or --plan NAME for your own history.",
            "assistant/quota/plans/TEMPLATE.md shows both.",
        )
    at = as_event(options.at) if options.at else None
    if options.at and at is None:
        raise UsageError(
            f"--at {options.at!r} is no instant between the years {FIRST_YEAR} and {LAST_YEAR}.",
            "Write it like 2026-11-23T12:00:00Z.",
        )
    plan = _plan(session, options.plan)
    if not options.events:
        found = usage_review.replayed(plan, session.accounts.ledger, session.now(), at)
    else:
        try:
            if options.events == "-":
                events = read_events(given("-").splitlines(keepends=True), "standard input", plan)
            else:
                with Path(options.events).open(encoding="utf-8", errors="replace") as lines:
                    events = read_events(lines, options.events, plan)
        except OSError as error:
            raise ConfigError(
                f"{options.events} cannot be read: {error.strerror}.", "Name a file of events."
            ) from error
        found = replay(plan, events, at)
    if options.json:
        dump(replayed_json(found))
    else:
        out(rendered(found))
    return 0
