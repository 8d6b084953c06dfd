"""What was burnt, by day, model and project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.headless.output import dump, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session

_COUNTS = ("fresh_input", "cache_read", "cache_write", "output", "reasoning")


def arguments(parser: ArgumentParser) -> None:
    """Add none."""


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    from assistant.quota import meter

    rows = _rows(session)
    if options.json:
        burnt = [plan for plan in session.plans.values() if session.ledger.entries(plan=plan.name)]
        meters = [meter.as_json(each) for plan in burnt for each in session.estimates(plan)]
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
    for entry in session.ledger.entries():
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
