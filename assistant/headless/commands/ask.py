"""One turn; the answer (or the patch) on standard output, progress on standard error."""

from __future__ import annotations

import asyncio
import shlex
import signal
from contextlib import aclosing, nullcontext
from typing import TYPE_CHECKING

from assistant import events
from assistant.edits import disk
from assistant.edits.patch import Patch
from assistant.edits.review import Review
from assistant.errors import AssistantError, ConfigError, PatchError, StateError, UsageError
from assistant.headless import shapes
from assistant.headless.output import advise, asked, dump, mend, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "text", nargs="+", help="what to ask; what is piped in goes below the words, and - waits for it"
    )
    parser.add_argument("-m", "--model", default="", metavar="PROVIDER/MODEL[:EFFORT]")
    parser.add_argument(
        "-c", "--continue", dest="go_on", action="store_true", help="go on with the last conversation in this folder"
    )
    parser.add_argument("--once", action="store_true", help="send it even where a cap or a reserve would hold it back")
    parser.add_argument(
        "--image", action="append", default=[], metavar="FILE", help="show the model a picture (PNG, JPEG, GIF, WebP)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--diff", action="store_true", help="print the proposed patch instead of the answer")
    how.add_argument("--apply", action="store_true", help="write the proposed patch, all or nothing")
    parser.add_argument(
        "--allow-risky",
        action="append",
        default=[],
        metavar="PATH",
        help="with --apply: let this file be written although it runs by itself (Makefile, CI, hooks ...)",
    )


def run(session: Session, options: Namespace) -> int:
    """Run the command; return the exit code."""
    _check(" ".join(options.text))
    text = asked(options.text)  # before the event loop starts, so that Ctrl+C still works while the user types
    return asyncio.run(_ask(session, text, options))


def _check(text: str) -> None:
    """Raise UsageError for a command of the screen: a model would be asked about it, and paid."""
    from assistant import command
    from assistant.headless.shell_words import shell

    name = text.split(maxsplit=1)[0].removeprefix("/") if text.startswith("/") and command.is_command(text) else ""
    found = command.named(name) if name else None
    if found is not None:
        does = shell(found[1])
        hint = f"{does} does it here." if does else "`wattson -c` opens the screen."
        raise UsageError(f"/{name} is a command of the screen: it was not sent", hint)


async def _ask(session: Session, text: str, options: Namespace) -> int:
    try:
        ended, code = await _answered(session, text, options)
        if options.json:
            dump(shapes.turn_ended(ended))
        else:
            _show(ended, as_diff=options.diff)
        return code
    finally:
        await session.close()  # after the answer: closing may wait for a locked ledger


async def _answered(session: Session, text: str, options: Namespace) -> tuple[events.TurnEnded, int]:
    """Ask, and write the proposed patch if that is wanted; return how the turn ended, and the exit code."""
    try:
        await asyncio.to_thread(mend, session)
        if not (options.model or session.config.model):
            raise ConfigError("No model is chosen yet.", "-m provider/model names one; `wattson models` lists them.")
        pick = session.roster.choose(options.model or session.config.model)
        if doubt := session.roster.catalogue.doubt(pick):
            advise(doubt)
        if options.go_on and not await asyncio.to_thread(session.take_up):
            tell("There is no conversation here yet: this question begins one.")
        if session.cut_short:
            advise(session.cut_short)
        for path in options.image:
            await asyncio.to_thread(session.sight.show_picture, path)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the answer up to then is booked, kept and shown
            asyncio.get_running_loop().add_signal_handler(number, session.stop)
        with session.limits.once() if options.once else nullcontext():
            ended = await _turn(session, text, as_json=options.json)
        if ended.error is not None:
            ended = ended._replace(patch=None)  # a partial patch is only for people: a script takes all or nothing
        code = _code(ended)
        if ended.stop not in {"end", "error"}:
            tell(f"The answer ended early: {ended.stop}.")
        if ended.empty:
            tell(f"{ended.provider}/{ended.model} answered nothing.")
            if options.apply:
                _not_written("the model answered nothing.", code, as_json=options.json)
        elif ended.no_edits and code == 0 and (options.apply or options.diff):
            code = _not_written(f"{ended.editor} failed: {ended.no_edits}", 1, as_json=options.json)
        elif options.apply and code == 0 and (ended.patch is not None or ended.misfits):
            code = await _apply(session, ended, options)
        elif options.apply and code == 0:
            _not_written("the answer proposes no edits.", 0, as_json=options.json)
        elif options.diff and code == 0 and ended.misfits:
            code = PatchError.exit_code  # the diff is not all that was proposed
        elif options.diff and ended.patch is None:
            tell(f"There is no diff: the answer proposes no edits.\n{'' if options.json else ended.text}".rstrip())
    except AssistantError as error:
        if options.json:
            asks = session.roster.pick
            names = (asks.provider.name, asks.model.id) if asks else ("", "")
            dump(shapes.turn_refused(error, *names, session.now()))
        raise
    return ended, code


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
    assert ended is not None  # noqa: S101 - a completed turn has yielded TurnEnded
    return ended


async def _apply(session: Session, ended: events.TurnEnded, options: Namespace) -> int:
    """Write the whole patch, or nothing if an edit of the reply is missing from it or a file needs --allow-risky.

    The answer is shown either way: a failure to write must not lose it.
    """
    patch = ended.patch or Patch()
    allowed = {path.removeprefix("./") for path in options.allow_risky}
    risks = {path: why for path, why in disk.risks(patch).items() if path not in allowed}
    hindered = (*ended.misfits, *ended.doubts)  # nobody reviews the patch before it is written
    if hindered or ended.stop != "end":
        words = hindered[0].message if hindered else "the answer was cut short."
        return _not_written(words, PatchError.exit_code, as_json=options.json)
    if risks:
        listed = "; ".join(f"{path}: {why}" for path, why in risks.items())
        hint = " ".join(f"--allow-risky {shlex.quote(path)}" for path in risks)
        words = f"some files run without anybody calling them ({listed}). Look at the patch, then allow them: {hint}"
        return _not_written(words, PatchError.exit_code, as_json=options.json, risky=risks)
    try:
        async with aclosing(session.deciding.apply(Review.of(patch, "take"), label="ask --apply")) as stream:
            async for event in stream:
                match event:
                    case events.PatchApplied(done, what):
                        tell(f"Wrote {', '.join(done.paths)}.")
                        if options.json:
                            dump(shapes.patch_applied(done, what))
                    case events.PatchMoved(_, why):
                        return _not_written(f"{why} Ask again.", PatchError.exit_code, as_json=options.json)
                    case events.Notice(words):
                        advise(words)
                    case _:
                        pass
    except (PatchError, StateError) as error:
        return _not_written(str(error), error.exit_code, as_json=options.json, error=shapes.error(error))
    return 0


def _not_written(words: str, code: int, *, as_json: bool, **more: object) -> int:
    tell(f"Nothing was written: {words}")
    if as_json:
        dump({"event": "not_written", "message": words, **more})
    return code


def _code(ended: events.TurnEnded) -> int:
    if ended.stop == "cancelled":
        return 130
    if ended.error is not None:
        return ended.error.exit_code
    return 1 if ended.stop == "refused" or ended.empty else 0


def _show(ended: events.TurnEnded, *, as_diff: bool) -> None:
    out((ended.patch.diff() if ended.patch else "") if as_diff else ended.text)
    if ended.error is not None:
        advise(ended.error)
    if ended.stranger:
        tell(f"{ended.provider} answered with {ended.served_model}; {ended.model} was asked.")
    for each in ended.misfits:
        tell(f"does not fit: {each.message} {each.hint}".rstrip())
    about = "" if ended.usage.exact else "~"
    tell(f"{about}{ended.usage.total_input:,} in, {ended.usage.total_output:,} out, {ended.cost}")


def _progress(event: events.Event) -> None:
    match event:
        case events.ContextPacked(context):
            tell(f"context: {context.tokens:,} tokens in {len(context.sections)} parts  {context.note}".rstrip())
            for picture in context.pictures:
                tell(f"picture: {picture.path} ({picture.text})")
            for each in context.masked:
                tell(f"masked: {each.where} ({each.kind})")
        case events.RequestSent(_, purpose, _, likely, _, cost, model, payer):
            tell(f"{purpose}: ~{likely:,} tokens to {model}, {payer} pays ({cost} before the answer)")
        case events.Retrying(attempt, wait_s, error):
            tell(f"try {attempt + 1} in {wait_s:.1f} s: {error.message}")
        case events.Notice(text):
            advise(text)
        case events.TurnHeld(hold):
            models = ", ".join(f"-m {each.model}" for each in hold.offers if each.model)
            advise(f"{hold.why}{f' What could go on: {models}.' if models else ''}")
        case _:
            pass
