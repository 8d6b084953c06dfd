"""A model as a line of a list, and lines about it: window, price now, who pays, what it can do, what is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from assistant import tokens
from assistant.tui.figures import short
from assistant.tui.lines import middle

if TYPE_CHECKING:
    from assistant.models.listing import Row
    from assistant.models.price import Price
    from assistant.models.switch import Carried

FITS = {"yes": "fits", "perhaps": "may not fit", "no": "does not fit", "unknown": "window unknown"}
NARROW, WIDE = 60, 110
"""Cells below which a row is only its name, and from which it has all columns."""
_MARKS = "★ "


def heads(width: int) -> Text:
    """Name the columns of `line`."""
    words = f"  {'model':<{_name_width(width)}}"
    if width >= NARROW:
        words += f" {'window':>6} {'in/out per M':>16} {'pays':<8}"
    if width >= WIDE:
        words += f" {'now':<10} {'can':<15} {'to go on':<8}"
    return Text(words, style="dim", no_wrap=True)


def line(row: Row, width: int, effect: Carried | None = None, *, spent: bool = False) -> Text:
    """Draw a row: favourite, name, window, price now, payer, and what is in the way; `spent`: its plan is used up."""
    room = _name_width(width)
    style = "" if row.ready and not spent else "dim"
    text = Text(_MARKS[0] if row.favourite is not None else _MARKS[1], no_wrap=True, end="")
    text.append(f" {middle(row.name, room):<{room}}", style=style)
    if width >= NARROW:
        window = short(row.model.context_window) if row.model.context_window else "?"
        text.append(f" {window:>6} {rate(row):>16} {row.payer:<8}", style=style)
    if width >= WIDE:
        label = row.price.label if row.price else ""
        cost = str(effect.cost[1]) if effect and effect.cost[1].amount else ""
        text.append(f" {_end(label, 10):<10} {_abilities(row):<15} {cost:<8}", style="dim")
    trouble = (
        "no key"
        if not row.ready
        else "used up"
        if spent
        else FITS[effect.fits]
        if effect and effect.fits in {"no", "perhaps"}
        else ""
    )
    text.append(f" {trouble}", style="italic")
    return text


def _name_width(width: int) -> int:
    """Return the cells that the other columns leave: mark, window, price, payer, and what is in the way."""
    return width - (2 + (33 if width >= NARROW else 0) + (36 if width >= WIDE else 0) + 9)


def rate(row: Row) -> str:
    """Return the price that applies now, in and out per million tokens; or that a plan includes it, or it is free."""
    if row.payer in {"plan", "free", "local"}:
        return {"plan": "in the plan", "free": "free", "local": "free"}[row.payer]
    if row.price is None:
        return "unknown"
    doubt = "≤" if row.price != row.cheapest else ""
    return f"{doubt}{_sold(row.price, 'input')}/{_sold(row.price, 'output')}"


def _sold(price: Price, name: str) -> str:
    return tokens.rate(getattr(price, name), price.currency)


def facts(row: Row, effect: Carried | None = None, spent: str = "") -> list[str]:
    """Return a few lines about a model; `spent` and the price come first, as a low screen has no room for more."""
    model, provider = row.model, row.provider
    key = "" if row.ready else f"; no key: set {' or '.join(provider.key_names)}"
    lines = [*filter(None, [spent]), _prices(row)]
    if effect is not None:
        low, likely, high = effect.tokens
        dearer = f", dearer above {short(model.soft_window)}" if effect.dearer and model.soft_window else ""
        lines.append(
            f"this conversation: ~{short(likely)} tokens to read anew ({short(low)} to {short(high)}), "
            f"{effect.cost[1]}; {FITS[effect.fits]}{dearer}"
        )
    lines.append(f"{model.title or model.id}, sold by {provider.title}; {row.payer}{key}")
    window = f"{short(model.context_window)} window" if model.context_window else "window unknown"
    soft = f" (better below {short(model.soft_window)})" if model.soft_window else ""
    answer = f", answers up to {short(model.max_output)}" if model.max_output else ""
    levels = f"; thinks {', '.join(model.efforts)}" if model.efforts else ""
    able = f"; {', '.join(sorted(model.abilities))}" if model.abilities else ""
    lines.append(f"{window}{soft}{answer}{levels}{able}")
    lines += [
        f"{each.benchmark} {each.value}{each.unit}  ({each.source}, {each.on:%Y-%m-%d})" for each in model.scores[:3]
    ]
    if model.retires_on:
        lines.append(f"retires on {model.retires_on:%Y-%m-%d}")
    if model.note or provider.note:
        lines.append(model.note or provider.note)
    return lines


def _prices(row: Row) -> str:
    price = row.price
    if price is None:
        return "price unknown"
    parts = [f"{_sold(price, 'input')} in"]
    if price.cache_read is not None:
        parts.append(f"{_sold(price, 'cache_read')} cached")
    if price.cache_write_short is not None:
        parts.append(f"{_sold(price, 'cache_write_short')} cache write")
    parts.append(f"{_sold(price, 'output')} out")
    label = f" ({price.label})" if price.label else ""
    doubt = " at most: nobody knows whether the peak holds" if price != row.cheapest else ""
    until = f"; changes {row.changes_at.astimezone():%a %d %b %H:%M}" if row.changes_at else ""
    tiers = sorted({each.above for each in row.model.prices if each.above})
    above = f"; dearer above {short(tiers[0])}" if tiers else ""
    included = " (a plan pays)" if row.payer == "plan" else ""
    return f"{', '.join(parts)} per million{label}{doubt}{until}{above}{included}"


def _abilities(row: Row) -> str:
    """Show in columns what a model can do: think before it answers, see images, read from a cache."""
    signs = (("thinking", "think"), ("images", "img"), ("cache", "cache"))
    return " ".join(f"{sign if name in row.model.abilities else '·':<{len(sign)}}" for name, sign in signs)


def _end(text: str, width: int) -> str:
    return text if cell_len(text) <= width else f"{text[: width - 1]}…"
