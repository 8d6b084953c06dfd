"""The shapes of `--json`, all defined here. Keys may be added; none is renamed or removed.

`ask --json` prints one event per line, named by its key `event`; the last one is `turn_ended`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from assistant import events
    from assistant.context.section import Context
    from assistant.edits.edit import Misfit
    from assistant.edits.patch import Patch
    from assistant.errors import AssistantError
    from assistant.tokens import Cost, TokenUsage


def error(trouble: AssistantError) -> dict[str, Any]:
    """Return an error: its class in snake case, what happened, what to do, and the instant from which to try again."""
    from assistant.headless.shell_words import in_shell

    at = getattr(trouble, "retry_at", None)
    return {
        "class": trouble.kind,
        "message": trouble.message,
        "hint": in_shell(trouble.hint),
        "retry_at": at.isoformat() if at else None,
    }


def misfit(each: Misfit) -> dict[str, Any]:
    """Return an edit that found no place; `line` is the line of the reply where it begins."""
    near = [
        {"path": place.path, "start": place.start, "end": place.end, "likeness": round(place.likeness, 3)}
        for place in each.candidates
    ]
    return {
        "path": each.edit.path,
        "line": each.edit.reply_line,
        "reason": each.reason,
        "message": each.message,
        "hint": each.hint,
        "candidates": near,
    }


def usage(counts: TokenUsage) -> dict[str, Any]:
    """Return disjoint token counts."""
    names = ("fresh_input", "cache_read", "cache_write", "output", "reasoning", "exact")
    return {name: getattr(counts, name) for name in names}


def cost(spent: Cost) -> dict[str, Any]:
    """Return money as a decimal string, None if it is unknown or included in a plan."""
    amount = None if spent.amount is None else format(spent.amount, "f")
    return {"amount": amount, "currency": spent.currency, "status": spent.status}


def patch(change: Patch | None) -> str | None:
    """Return a patch as a unified diff."""
    return change.diff() if change else None


def patch_applied(change: Patch, what: str) -> dict[str, Any]:
    """Return the files that were written."""
    return {"event": "patch_applied", "what": what, "files": list(change.paths), "hunks": len(change.hunks)}


def context(shown: Context) -> dict[str, Any]:
    """Return what a question shows the model."""
    names = ("path", "start", "end", "title", "tokens", "why", "lasting")
    return {
        "tokens": shown.tokens,
        "sections": [{name: getattr(each, name) for name in names} for each in shown.sections],
        "masked": [{"path": each.path, "line": each.line, "kind": each.kind} for each in shown.masked],
        "left_out": [{"path": path, "why": why} for path, why in shown.left_out],
        "dropped": list(shown.dropped),
        "allowed": [{"path": each.path, "line": each.line, "kind": each.kind} for each in shown.allowed],
        "pictures": [{"path": each.path, "tokens": each.tokens, "about": each.text} for each in shown.pictures],
        "note": shown.note,
        "unread": shown.unread,
    }


def event(happened: events.Event) -> dict[str, Any]:
    """Return an event as an object with an `event` key; empty for events that only a screen needs."""
    from assistant import events

    match happened:
        case events.TurnStarted(turn, text, provider, model, payer):
            return {
                "event": "turn_started",
                "turn": turn,
                "text": text,
                "provider": provider,
                "model": model,
                "payer": payer,
            }
        case events.ContextPacked(shown, window):
            return {
                "event": "context_packed",
                "tokens": shown.tokens,
                "sections": len(shown.sections),
                "window": window,
            }
        case events.RequestSent(step, purpose, low, likely, high, price, model, payer):
            return {
                "event": "request_sent",
                "step": step,
                "purpose": purpose,
                "low": low,
                "likely": likely,
                "high": high,
                "cost": cost(price),
                "model": model,
                "payer": payer,
            }
        case events.TextArrived(text):
            return {"event": "text_arrived", "text": text}
        case events.ThoughtArrived(text):
            return {"event": "thought_arrived", "text": text}
        case events.Retrying(attempt, wait_s, trouble):
            return {"event": "retrying", "attempt": attempt, "wait_s": wait_s, "error": error(trouble)}
        case events.UsageMoved(counts, spent):
            return {"event": "usage_moved", "usage": usage(counts), "cost": cost(spent)}
        case events.EditsMisfit(misfits):
            return {"event": "edits_misfit", "misfits": [misfit(each) for each in misfits]}
        case events.PatchProposed(change, turn):
            return {"event": "patch_proposed", "turn": turn, "patch": change.diff()}
        case events.PatchApplied(change, what):
            return patch_applied(change, what)
        case events.AsideStarted(purpose, provider, model, payer):
            return {"event": "aside_started", "purpose": purpose, "provider": provider, "model": model, "payer": payer}
        case events.AsideEnded(purpose, text, served, stop, counts, spent, trouble):
            return {
                "event": "aside_ended",
                "purpose": purpose,
                "text": text,
                "served_model": served,
                "stop": stop,
                "usage": usage(counts),
                "cost": cost(spent),
                "error": error(trouble) if trouble else None,
            }
        case events.Notice(text, level):
            return {"event": "notice", "text": text, "level": level}
        case events.TurnEnded():
            return turn_ended(happened)
        case _:
            return {}


def turn_ended(end: events.TurnEnded) -> dict[str, Any]:
    """Return the last event of a turn."""
    return {
        "event": "turn_ended",
        "turn": end.turn,
        "provider": end.provider,
        "model": end.model,
        "served_model": end.served_model,
        "stranger": end.stranger,
        "text": end.text,
        "thought": end.thought,
        "stop": end.stop,
        "usage": usage(end.usage),
        "cost": cost(end.cost),
        "patch": patch(end.patch),
        "misfits": [misfit(each) for each in end.misfits],
        "doubts": [misfit(each) for each in end.doubts],
        "error": error(end.error) if end.error else None,
        "editor": end.editor,
        "no_edits": end.no_edits,
    }


def turn_refused(trouble: AssistantError, provider: str, model: str, now: datetime) -> dict[str, Any]:
    """Return the last event of a turn that never began, with the same keys."""
    from assistant import events, tokens

    nothing, free = tokens.TokenUsage(), tokens.Cost("free", Decimal(0))
    end = events.TurnEnded(0, provider, model, "", "", "", "error", nothing, free, None, (), trouble, now, None)
    return turn_ended(end)
