"""One turn; the answer (or the patch) on standard output, progress on standard error."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from typing import TYPE_CHECKING

from assistant import events
from assistant.edits.review import Review
from assistant.errors import AssistantError, PatchError
from assistant.headless import shapes
from assistant.headless.output import dump, given, money, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("text", help="what to ask; - reads it from standard input")
    parser.add_argument("-m", "--model", default="", metavar="PROVIDER/MODEL[:EFFORT]")
    parser.add_argument("--once", action="store_true", help="send it even where a cap or a reserve would hold it back")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--diff", action="store_true", help="print the proposed patch instead of the answer")
    how.add_argument("--apply", action="store_true", help="write the proposed patch, all or nothing")


def run(session: Session, options: Namespace) -> int:
    """Do it."""
    return asyncio.run(_ask(session, options))


async def _ask(session: Session, options: Namespace) -> int:
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, session.stop)
    try:
        session.roster.choose(options.model or session.config.model or "")
        if options.once:
            session.limits.allow_once()
        ended = await _turn(session, given(options.text), as_json=options.json)
        code = _code(ended)
        if options.apply and code == 0 and ended.patch is not None:
            code = await _apply(session, ended, as_json=options.json)
    except AssistantError as error:
        if options.json:
            pick = session.roster.pick
            dump(shapes.turn_refused(error, pick.provider.name if pick else "", pick.model.id if pick else ""))
        raise
    finally:
        await session.close()
    if options.json:
        dump(shapes.turn_ended(ended))
    else:
        _show(ended, as_diff=options.diff)
    return code


async def _turn(session: Session, text: str, *, as_json: bool) -> events.TurnEnded:
    ended: events.TurnEnded | None = None
    async with aclosing(session.ask(text)) as stream:
        async for event in stream:
            if isinstance(event, events.TurnEnded):
                ended = event
            elif as_json:
                shape = shapes.event(event)
                if shape:
                    dump(shape)
            else:
                _progress(event)
    assert ended is not None  # noqa: S101 - a turn that is walked to its end says so
    return ended


async def _apply(session: Session, ended: events.TurnEnded, *, as_json: bool) -> int:
    """Write the whole patch, or nothing when any edit of the reply is missing from it."""
    assert ended.patch is not None  # noqa: S101 - asked by the caller
    if ended.misfits or ended.stop != "end":
        tell(f"Nothing was written: {ended.misfits[0].message if ended.misfits else 'the answer was cut short.'}")
        return PatchError.exit_code
    async for event in session.apply(Review.of(ended.patch, "take"), label="ask --apply"):
        if isinstance(event, events.PatchApplied):
            tell(f"Wrote {', '.join(event.patch.paths)}.")
            if as_json:
                dump(shapes.patch_applied(event.patch, event.what))
    return 0


def _code(ended: events.TurnEnded) -> int:
    if ended.stop == "cancelled":
        return 130
    if ended.error is not None:
        return ended.error.exit_code
    return 1 if ended.stop == "refused" else 0


def _show(ended: events.TurnEnded, *, as_diff: bool) -> None:
    out((ended.patch.diff() if ended.patch else "") if as_diff else ended.text)
    if ended.error is not None:
        tell(f"wattson: {ended.error}")
    for each in ended.misfits:
        tell(f"does not fit: {each.message}")
    about = "" if ended.usage.exact else "~"
    tell(f"{about}{ended.usage.total_input:,} in, {ended.usage.total_output:,} out, {money(ended.cost)}")


def _progress(event: events.Event) -> None:
    match event:
        case events.ContextPacked(context):
            tell(f"context: {context.tokens:,} tokens in {len(context.sections)} parts")
            for each in context.masked:
                tell(f"masked: {each.path}:{each.line} ({each.kind})")
        case events.RequestSent(_, purpose, _, likely, _, cost):
            tell(f"{purpose}: ~{likely:,} tokens to send ({money(cost)} before the answer)")
        case events.Retrying(attempt, wait_s, error):
            tell(f"try {attempt + 1} in {wait_s:.1f} s: {error.message}")
        case events.Notice(text):
            tell(text)
        case events.TurnHeld(hold):
            models = ", ".join(f"-m {each.model}" for each in hold.offers if each.model)
            tell(f"{hold.why}{f' What could go on: {models}.' if models else ''}")
        case _:
            pass
