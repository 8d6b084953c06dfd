"""The price of a question, shown below the composer: with the model that is asked, and with the two that come next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.errors import AssistantError
from assistant.tokens import percent
from assistant.tui.figures import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.pricing import Quote
    from assistant.session import Session

_OTHERS = 2


def quotes(session: Session, text: str) -> list[Quote]:
    """Return what sending `text` would cost, the present model first. Counts tokens: call it in a thread."""
    first = session.pricing.quote(text)
    found = [first] if first is not None else []
    for name in session.pricing.next_models():
        if len(found) > _OTHERS:
            break
        try:
            pick = session.roster.catalogue.pick(name)
        except AssistantError:
            continue  # a favourite that is sold no more
        if pick.provider.payer == "practice" or session.roster.lacks_key(pick.provider):
            continue
        other = session.pricing.quote(text, pick)
        if other is not None and other.model not in {each.model for each in found}:
            found.append(other)
    return found


def line(found: Sequence[Quote], width: int) -> str:
    """Put quotes into one line that fits: tokens, money and share of the plan with the error band, then the others."""
    if not found:
        return ""
    first, *others = found
    words = f"~{short(first.likely)} tokens ±{_band(first)}%, {_cost(first)}"
    if first.too_long:
        words = f"~{short(first.likely)} tokens: too long for {first.model.rpartition('/')[2]}"
    elif first.used_up:
        words += ", the plan is used up"
    elif first.share is not None:
        words += f", {_share(first.share)} of the plan"
    words += _editor(first)
    for each in others:
        share = f" {_share(each.share)}" if each.share is not None else ""
        said = "too long" if each.too_long else "used up" if each.used_up else f"{each.whole}{share}"
        more = f"{words} │ {each.model.rpartition('/')[2]} {said}"
        if len(more) > width:
            break
        words = more
    return words if len(words) <= width else f"~{short(first.likely)} tokens, {first.whole}"[: max(0, width)]


def _editor(quote: Quote) -> str:
    """Say what the editor model adds, and its share of its own plan."""
    editor = quote.editor
    if editor is None:
        return ""
    share = f" {_share(editor.share)} of its plan" if editor.share is not None else ""
    return f" + editor {editor.model.rpartition('/')[2]} {editor.cost}{share}"


def _band(quote: Quote) -> int:
    return round(max(quote.high - quote.likely, quote.likely - quote.low) * 100 / max(1, quote.likely))


def _cost(quote: Quote) -> str:
    """Return the cost, as a range if it is money at all."""
    if quote.cost.amount is None or quote.cost.status == "free" or not quote.cost.amount:
        return str(quote.cost)
    return f"{quote.cost_low} to {quote.cost_high}"


def _share(share: float) -> str:
    return "<0.1%" if share < 0.001 else percent(share * 100)
