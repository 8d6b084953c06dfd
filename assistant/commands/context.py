"""Show what a question would show the model, and what it would cost; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[QUESTION]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Do it."""
    import asyncio

    context = await asyncio.to_thread(session.sight.look, argument or "the next question")
    lines = [f"{context.tokens:,} o200k tokens of context"]
    lines += [f"  {each.tokens:>6,}  {each.title}  ({each.why})" for each in context.sections]
    lines += [f"  masked: {each.path}:{each.line} ({each.kind})" for each in context.masked]
    lines += [f"  left out: {path} ({why})" for path, why in context.left_out]
    quote = await asyncio.to_thread(session.quote, argument)
    if quote is not None:
        money = f"{quote.cost.amount:.4f} {quote.cost.currency}" if quote.cost.amount is not None else quote.cost.status
        lines.append(
            f"sending it: ~{quote.likely:,} tokens ({quote.low:,} to {quote.high:,}), about {money} with the answer"
        )
    yield events.Notice("\n".join(lines + ([context.note] if context.note else [])))
