"""What was burnt, by day, model and project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.headless.output import dump, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session

_COUNTS = ("fresh_input", "cache_read", "cache_write", "output", "reasoning")


def arguments(parser: ArgumentParser) -> None:
    """Add them."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--line", action="store_true", help="one line for tmux or a shell prompt, drawn from what is kept")
    how.add_argument("--csv", action="store_true", help="the history as CSV")


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    from assistant.quota import history, line, meter

    if options.line:
        facts = line.read(str(session.places.data))
        now = session.now()
        out("" if facts is None else line.line(facts, now.timestamp(), now.astimezone().date().isoformat()))
        return 0
    if options.csv:
        by = ("day", "provider", "model", "project", "purpose")
        out(history.as_csv(history.rows(session.accounts.ledger.totals(by)), by))
        return 0
    rows = _rows(session)
    if options.json:
        burnt = [plan for plan in session.accounts.plans.values() if session.accounts.ledger.entries(plan=plan.name)]
        meters = [meter.as_json(each) for plan in burnt for each in session.accounts.estimates(plan)]
        dump({"usage": rows, "meters": meters})
        return 0
    for row in rows:
        money = ", ".join(f"{value} {name}" if value else name for name, value in row["costs"].items())
        burn = f"{row['fresh_input']:,} fresh  {row['cache_read']:,} cached  {row['output'] + row['reasoning']:,} out"
        out(f"{row['day']}  {row['provider']}/{row['model']:<24} {row['steps']:>4} steps  {burn}  {money}")
    if not rows:
        tell("Nothing was burnt yet.")
    return 0


def _rows(session: Session) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for entry in session.accounts.ledger.entries():
        if entry.state == "failed":
            continue
        key = (entry.at.date().isoformat(), entry.provider, entry.model, entry.project)
        head = dict(zip(("day", "provider", "model", "project"), key, strict=True))
        row = rows.setdefault(key, {**head, "steps": 0, **dict.fromkeys(_COUNTS, 0), "exact": True, "costs": {}})
        row["steps"] += 1
        for name in _COUNTS:
            row[name] += getattr(entry.usage, name)
        row["exact"] &= entry.usage.exact
        if entry.cost.amount is not None:
            row["costs"][entry.cost.currency] = row["costs"].get(entry.cost.currency, 0) + entry.cost.amount
        else:
            row["costs"].setdefault(entry.cost.status, None)
    for row in rows.values():
        row["costs"] = {name: None if value is None else str(value) for name, value in row["costs"].items()}
    return list(rows.values())
