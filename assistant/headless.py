"""The face without a screen: one command, its result on standard output, everything else on standard error.

The shapes of `--json` are written here and nowhere else; keys may be added, none is renamed.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant import events
from assistant.errors import AssistantError, PatchError
from assistant.session import Decision

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from assistant.edits.edit import Misfit
    from assistant.edits.patch import Patch
    from assistant.session import Session
    from assistant.tokens import Cost, TokenUsage


def run(session: Session, options: Namespace) -> int:
    """Run one command; returns the exit code."""
    known: dict[str, Callable[[Session, Namespace], int]] = {
        "ask": lambda *args: asyncio.run(_ask(*args)),
        "context": _context,
        "apply": _apply,
        "undo": lambda *args: asyncio.run(_again(*args)),
        "redo": lambda *args: asyncio.run(_again(*args)),
        "models": _models,
        "plans": _plans,
        "usage": _usage,
        "doctor": lambda *args: asyncio.run(_doctor(*args)),
    }
    for warning in session.config.warnings:
        _tell(warning)
    return known[options.command](session, options)


def _out(text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    sys.stdout.buffer.write(data if data.endswith(b"\n") or not data else data + b"\n")
    sys.stdout.flush()


def _tell(text: str) -> None:
    sys.stderr.write(text.encode("utf-8", "replace").decode() + "\n")
    sys.stderr.flush()


def _dump(data: Any) -> None:
    _out(json.dumps(data, ensure_ascii=True))


def _words(text: str) -> str:
    return sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text


async def _ask(session: Session, options: Namespace) -> int:
    session.pick = session.catalogue.pick(options.model or session.config.model or "")
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, session.stop)
    ended: events.TurnEnded | None = None
    try:
        async with aclosing(session.ask(_words(options.text))) as stream:
            async for event in stream:
                if isinstance(event, events.TurnEnded):
                    ended = event
                elif options.json:
                    line = as_json(event)
                    if line:
                        _dump(line)
                else:
                    _progress(event)
        assert ended is not None  # noqa: S101 - a turn that is walked to its end says so
        code = _ask_code(ended)
        if options.apply and code == 0 and ended.patch is not None:
            if ended.misfits or ended.stop != "end":
                code = PatchError.exit_code
                _tell(
                    "Nothing was written: "
                    + (ended.misfits[0].message if ended.misfits else "the answer was cut short.")
                )
            else:
                async for event in session.apply(Decision(ended.patch, ended.patch.hunks), label="ask --apply"):
                    if isinstance(event, events.PatchApplied):
                        _tell(f"Wrote {', '.join(event.patch.paths)}.")
                        if options.json:
                            _dump(as_json(event))
        if options.json:
            _dump(as_json(ended))
        else:
            _out((ended.patch.diff() if ended.patch else "") if options.diff else ended.text)
            if ended.error is not None:
                _tell(f"wattson: {ended.error}")
            for misfit in ended.misfits:
                _tell(f"does not fit: {misfit.message}")
            _tell(
                f"{'' if ended.usage.exact else '~'}{ended.usage.total_input:,} in, {ended.usage.total_output:,} out, {_money(ended.cost)}"
            )
    except AssistantError as error:
        if options.json:
            _dump(
                {
                    "event": "turn_ended",
                    "stop": "error",
                    "text": "",
                    "patch": None,
                    "misfits": [],
                    "error": _error(error),
                }
            )
        raise
    finally:
        await session.close()
    return code


def _ask_code(ended: events.TurnEnded) -> int:
    if ended.stop == "cancelled":
        return 130
    if ended.error is not None:
        return ended.error.exit_code
    return 1 if ended.stop == "refused" else 0


def _progress(event: events.Event) -> None:
    match event:
        case events.ContextPacked(context):
            _tell(f"context: {context.tokens:,} tokens in {len(context.sections)} parts")
            for each in context.masked:
                _tell(f"masked: {each.path}:{each.line} ({each.kind})")
        case events.RequestSent(_, purpose, _, likely, _, cost):
            _tell(f"{purpose}: ~{likely:,} tokens to send ({_money(cost)} before the answer)")
        case events.Retrying(attempt, wait_s, error):
            _tell(f"try {attempt + 1} in {wait_s:.1f} s: {error.message}")
        case events.Notice(text):
            _tell(text)
        case _:
            pass


def _money(cost: Cost) -> str:
    return f"{cost.amount:.6f} {cost.currency}" if cost.amount is not None else cost.status


def _context(session: Session, options: Namespace) -> int:
    if options.budget is not None:
        session.config = replace(session.config, context_budget=options.budget)
    context = session.look(_words(options.text))
    if options.json:
        rows = [
            {name: getattr(each, name) for name in ("path", "start", "end", "title", "tokens", "why")}
            for each in context.sections
        ]
        masked = [{"path": each.path, "line": each.line, "kind": each.kind} for each in context.masked]
        _dump(
            {
                "tokens": context.tokens,
                "sections": rows,
                "masked": masked,
                "left_out": context.left_out,
                "note": context.note,
            }
        )
    else:
        _out(context.render())
        for each in context.masked:
            _tell(f"masked: {each.path}:{each.line} ({each.kind})")
        _tell(f"{context.tokens:,} o200k tokens {context.note}")
    return 0


def _apply(session: Session, options: Namespace) -> int:
    from assistant.edits import disk, match
    from assistant.edits import format as edit_format
    from assistant.edits.edit import Edit
    from assistant.edits.edit import Misfit as Lost

    restored = session.journal.recover()
    if restored:
        _tell(f"Put back after an interrupted write: {', '.join(restored)}.")
    parser = edit_format.open_parser()
    found = [*parser.feed(sys.stdin.buffer.read().decode("utf-8", "surrogateescape")), *parser.close()]
    fitted = match.fit([each for each in found if isinstance(each, Edit)], lambda path: disk.read(session.root, path))
    misfits = [*(each for each in found if isinstance(each, Lost)), *fitted.misfits]
    written = False
    error: PatchError | None = None
    if not misfits and fitted.patch.files:
        try:
            if options.check:
                disk.check(session.root, fitted.patch)
            else:
                session.journal.apply(fitted.patch, label="apply", now=session.now())
                written = True
        except PatchError as trouble:
            error = trouble
    if options.json:
        _dump(
            {
                "files": list(fitted.patch.paths),
                "hunks": len(fitted.patch.hunks),
                "misfits": [_misfit(each) for each in misfits],
                "written": written,
                "error": _error(error) if error else None,
            }
        )
    else:
        if not misfits and fitted.patch.files and error is None:
            _out(("would write " if options.check else "wrote ") + ", ".join(fitted.patch.paths))
        for each in misfits:
            _tell(f"refused (line {each.edit.reply_line} of the reply): {each.message}")
            for near in each.candidates[:2]:
                _tell(f"  near: {near.path}:{near.start}-{near.end}")
        if error is not None:
            _tell(f"refused: {error}")
        if not found:
            _tell("There are no edits in this reply; nothing to do.")
    return PatchError.exit_code if misfits or error else 0


async def _again(session: Session, options: Namespace) -> int:
    stream = session.undo() if options.command == "undo" else session.redo()
    async with aclosing(stream):
        async for event in stream:
            if isinstance(event, events.PatchApplied):
                if options.json:
                    _dump(as_json(event))
                else:
                    _out(f"{event.what}: {', '.join(event.patch.paths)}")
    return 0


def _models(session: Session, options: Namespace) -> int:
    from assistant.models.price import price_at

    now = session.now()
    rows = []
    for model in session.catalogue.models:
        price = price_at(model, now)
        if options.filter.lower() in model.name.lower():
            rows.append(
                {
                    "name": model.name,
                    "title": model.title,
                    "context_window": model.context_window,
                    "max_output": model.max_output,
                    "payer": session.payer(session.catalogue.providers[model.provider]),
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
        _dump({"models": rows})
    else:
        for row in rows:
            money = (
                f"{row['input']:>6} in {row['output']:>6} out {row['currency']}/M {row['label']}"
                if row["input"]
                else "price unknown"
            )
            _out(f"{row['name']:<34} {row['context_window'] or '?':>9} window  {row['payer']:<8} {money}")
    return 0


def _plans(session: Session, options: Namespace) -> int:
    from assistant.quota import meter

    now = session.now()
    rows = []
    for plan in session.plans.values():
        entries = session.ledger.entries(plan=plan.name, since=meter.horizon(plan, now))
        rows += [meter.as_json(each) for each in meter.estimate(plan, entries, now)]
    if options.json:
        _dump({"meters": rows})
    else:
        for row in rows:
            _out(
                f"{row['plan']:<22} {row['meter']:<10} {row['used']} of {row['limit'] or 'unknown'} {row['unit']}  {row['state']}  resets {row['resets_at'] or '-'}"
            )
    return 0


def _usage(session: Session, options: Namespace) -> int:
    from assistant.quota import meter

    rows: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for entry in session.ledger.entries():
        if entry.state == "failed":
            continue
        key = (entry.at.date().isoformat(), entry.provider, entry.model, entry.project)
        row = rows.setdefault(
            key,
            {"day": key[0], "provider": key[1], "model": key[2], "project": key[3], "steps": 0, "fresh_input": 0, "cache_read": 0,
             "cache_write": 0, "output": 0, "reasoning": 0, "exact": True, "costs": {}},
        )  # fmt: skip
        row["steps"] += 1
        for name in ("fresh_input", "cache_read", "cache_write", "output", "reasoning"):
            row[name] += getattr(entry.usage, name)
        row["exact"] &= entry.usage.exact
        if entry.cost.amount is not None:
            row["costs"][entry.cost.currency] = row["costs"].get(entry.cost.currency, 0) + entry.cost.amount
        else:
            row["costs"].setdefault(entry.cost.status, None)
    for row in rows.values():
        row["costs"] = {name: None if value is None else str(value) for name, value in row["costs"].items()}
    meters = []
    for plan in session.plans.values():
        entries = session.ledger.entries(plan=plan.name, since=meter.horizon(plan, session.now()))
        if entries:
            meters += [meter.as_json(each) for each in meter.estimate(plan, entries, session.now())]
    if options.json:
        _dump({"usage": list(rows.values()), "meters": meters})
    else:
        for row in rows.values():
            money = ", ".join(f"{value} {name}" if value else name for name, value in row["costs"].items())
            _out(
                f"{row['day']}  {row['provider']}/{row['model']:<24} {row['steps']:>4} steps  {row['fresh_input']:,} fresh  {row['cache_read']:,} cached  {row['output'] + row['reasoning']:,} out  {money}"
            )
        if not rows:
            _tell("Nothing was burnt yet.")
    return 0


async def _doctor(session: Session, options: Namespace) -> int:
    keys = [
        {
            "provider": each.provider.name,
            "source": each.source,
            "key": each.masked,
            "payer": session.payer(each.provider),
        }
        for each in session.found()
    ]
    servers = (
        []
        if options.offline
        else [
            {"provider": each.name, "address": each.base_url, "models": [model.id for model in each.models]}
            for each in await session.find_local()
        ]
    )
    problems = list(session.config.warnings)
    root, is_git = "", False
    try:
        root, is_git = str(session.root), session.repo.is_git
        problems += [f"Put back after an interrupted write: {path}." for path in session.journal.recover()]
    except AssistantError as error:
        problems.append(str(error))
    if not keys and not servers:
        problems.append("No key and no local server was found. Set a key, start a local server, or try `wattson demo`.")
    addresses = {
        p.name: {"address": p.base_url, "from": p.address_from}
        for p in session.catalogue.providers.values()
        if p.address_from
    }
    data = {
        "root": root, "git": is_git, "model": session.config.model, "keys": keys, "local": servers, "addresses": addresses,
        "places": {name: str(getattr(session.places, name)) for name in ("config", "data", "cache")}, "problems": problems,
    }  # fmt: skip
    await session.close()
    if options.json:
        _dump(data)
    else:
        _out(
            f"root      {root} ({'git' if is_git else 'no git: a plain folder'})\nmodel     {session.config.model or 'none chosen'}"
        )
        for each in keys:
            _out(f"key       {each['provider']:<12} {each['key']} from {each['source']}; {each['payer']} pays")
        for server in servers:
            _out(
                f"local     {server['provider']:<12} {server['address']}: {', '.join(server['models']) or 'no model loaded'}"
            )
        for name, value in data["places"].items():  # type: ignore[attr-defined]
            _out(f"{name:<9} {value}")
        for problem in problems:
            _out(f"!         {problem}")
    return 0


def _error(error: AssistantError) -> dict[str, Any]:
    at = getattr(error, "retry_at", None)
    return {
        "class": error.kind,
        "message": error.message,
        "hint": error.hint,
        "retry_at": at.isoformat() if at else None,
    }


def _misfit(misfit: Misfit) -> dict[str, Any]:
    near = [
        {"path": each.path, "start": each.start, "end": each.end, "likeness": round(each.likeness, 3)}
        for each in misfit.candidates
    ]
    return {
        "path": misfit.edit.path,
        "line": misfit.edit.reply_line,
        "reason": misfit.reason,
        "message": misfit.message,
        "candidates": near,
    }


def _usage_json(usage: TokenUsage) -> dict[str, Any]:
    return {
        name: getattr(usage, name)
        for name in ("fresh_input", "cache_read", "cache_write", "output", "reasoning", "exact")
    }


def _cost_json(cost: Cost) -> dict[str, Any]:
    return {
        "amount": None if cost.amount is None else format(cost.amount, "f"),
        "currency": cost.currency,
        "status": cost.status,
    }


def _patch_json(patch: Patch | None) -> str | None:
    return patch.diff() if patch else None


def as_json(event: events.Event) -> dict[str, Any]:
    """Return an event as a JSON object with an `event` key; empty for what only a screen needs."""
    match event:
        case events.TurnStarted(number, text, provider, model, payer):
            return {
                "event": "turn_started",
                "turn": number,
                "text": text,
                "provider": provider,
                "model": model,
                "payer": payer,
            }
        case events.ContextPacked(context, window):
            return {
                "event": "context_packed",
                "tokens": context.tokens,
                "sections": len(context.sections),
                "window": window,
            }
        case events.RequestSent(step, purpose, low, likely, high, cost):
            return {
                "event": "request_sent",
                "step": step,
                "purpose": purpose,
                "low": low,
                "likely": likely,
                "high": high,
                "cost": _cost_json(cost),
            }
        case events.TextArrived(text):
            return {"event": "text_arrived", "text": text}
        case events.ThoughtArrived(text):
            return {"event": "thought_arrived", "text": text}
        case events.Retrying(attempt, wait_s, error):
            return {"event": "retrying", "attempt": attempt, "wait_s": wait_s, "error": _error(error)}
        case events.UsageMoved(usage, cost):
            return {"event": "usage_moved", "usage": _usage_json(usage), "cost": _cost_json(cost)}
        case events.EditsMisfit(misfits):
            return {"event": "edits_misfit", "misfits": [_misfit(each) for each in misfits]}
        case events.PatchProposed(patch, number):
            return {"event": "patch_proposed", "turn": number, "patch": patch.diff()}
        case events.PatchApplied(patch, what):
            return {"event": "patch_applied", "what": what, "files": list(patch.paths), "hunks": len(patch.hunks)}
        case events.Notice(text, level):
            return {"event": "notice", "text": text, "level": level}
        case events.TurnEnded():
            return {
                "event": "turn_ended",
                "turn": event.turn,
                "provider": event.provider,
                "model": event.model,
                "served_model": event.served_model,
                "text": event.text,
                "thought": event.thought,
                "stop": event.stop,
                "usage": _usage_json(event.usage),
                "cost": _cost_json(event.cost),
                "patch": _patch_json(event.patch),
                "misfits": [_misfit(each) for each in event.misfits],
                "error": _error(event.error) if event.error else None,
            }
        case _:
            return {}
