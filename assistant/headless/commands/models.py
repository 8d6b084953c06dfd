"""The catalogue, with the prices of this hour and who would pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.headless.output import dump, out

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("filter", nargs="?", default="", help="a part of the name")


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    from assistant.models.price import price_at

    now = session.now()
    rows = []
    for model in session.roster.catalogue.models:
        if options.filter.lower() not in model.name.lower():
            continue
        price = price_at(model, now)
        rows.append(
            {
                "name": model.name,
                "title": model.title,
                "context_window": model.context_window,
                "max_output": model.max_output,
                "payer": session.roster.payer(session.roster.catalogue.providers[model.provider]),
                "input": str(price.input) if price else None,
                "cache_read": str(price.cache_read) if price and price.cache_read is not None else None,
                "output": str(price.output) if price else None,
                "currency": price.currency if price else None,
                "label": price.label if price else "",
                "source": model.source,
                "checked_on": model.checked_on.isoformat() if model.checked_on else None,
            }
        )
    if options.json:
        dump({"models": rows})
        return 0
    for row in rows:
        money = f"{row['input']:>6} in {row['output']:>6} out {row['currency']}/M {row['label']}"
        window = row["context_window"] or "?"
        out(f"{row['name']:<34} {window:>9} window  {row['payer']:<8} {money if row['input'] else 'price unknown'}")
    return 0
