"""What the screen shows of an event: one match, nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from assistant import events

if TYPE_CHECKING:
    from assistant.context.section import Context
    from assistant.session import Session
    from assistant.tokens import Cost, TokenUsage
    from assistant.tui.widgets.meter_bar import MeterBar
    from assistant.tui.widgets.patch_view import PatchView
    from assistant.tui.widgets.transcript import Transcript


class Stage(Protocol):
    """What the main screen offers to show events on."""

    talk: Transcript
    hunks: PatchView
    meter: MeterBar
    session: Session
    window: int | None

    def review(self) -> None:
        """Go to the hunks."""

    def compose_again(self, *, more: bool = False) -> None:
        """Go back to the composer."""

    def open(self, what: str) -> object:
        """Open what a command asks for."""


def show(screen: Stage, event: events.Event) -> None:
    """Show one event."""
    talk, hunks, meter = screen.talk, screen.hunks, screen.meter
    match event:
        case events.TurnStarted(_, text, provider, model, payer):
            talk.add(text, "user")
            meter.show(
                replace(meter.state, model=f"{provider}/{model}", payer=payer, estimated=True, turn="", turn_cost="")
            )
        case events.ContextPacked(context, window):
            screen.window = window
            talk.add(f"sees {context.tokens:,} tokens: {_shown(context)}  {context.note}".rstrip(), "note")
            for each in context.masked:
                talk.add(f"kept back: {each.path}:{each.line} ({each.kind})", "warning")
        case events.RequestSent(step, purpose, _, likely, _, cost):
            if step > 1:
                talk.add(f"{purpose}: ~{likely:,} tokens, {money(cost)}", "note")
            talk.add("", "note")
        case events.Waiting():
            pass
        case events.Retrying(attempt, wait_s, error):
            talk.add(f"try {attempt + 1} in {wait_s:.0f} s: {error.message}", "warning")
        case events.TextArrived(text):
            talk.append(text)
        case events.ThoughtArrived(text):
            talk.append(text, "thought")
        case events.EditArrived(edit):
            hunks.coming(edit)
        case events.UsageMoved(usage, cost, _, costs):
            share = usage.total / screen.window if screen.window else None
            meter.show(
                replace(
                    meter.state,
                    turn=counts(usage),
                    turn_cost=money(cost),
                    session_cost=" + ".join(map(money, costs)),
                    window_share=share,
                    estimated=not usage.exact,
                )
            )
        case events.MeterMoved(estimates):
            first = estimates[0] if estimates else None
            resets = f"{first.resets_at.astimezone():%a %H:%M}" if first and first.resets_at else ""
            meter.show(
                replace(
                    meter.state,
                    plan=first.meter if first else "",
                    plan_share=first.share if first else None,
                    resets=resets,
                )
            )
        case events.EditsMisfit(misfits):
            talk.end()
            for misfit in misfits:
                talk.add(f"does not fit: {misfit.message}", "warning")
        case events.PatchProposed(patch):
            talk.end()
            hunks.show(patch)
            screen.review()
        case events.PatchApplied(patch, what, left):
            talk.add(
                f"{what}: {', '.join(patch.paths)}  (+{patch.added} -{patch.removed})"
                if patch.files
                else "nothing was written",
                "good",
            )
            hunks.show(left)
            screen.compose_again(more=left is not None)
        case events.ModelChanged(provider, model, payer, window):
            screen.window = window
            meter.show(replace(meter.state, model=f"{provider}/{model}", payer=payer, quote=""))
            talk.add(f"now asking {provider}/{model}; {payer} pays. The conversation goes along.", "good")
        case events.TurnEnded():
            talk.end()
            if event.error is not None:
                talk.add(str(event.error), "error")
            elif event.stop != "end":
                talk.add(f"the answer ended early: {event.stop}", "warning")
            served = f" served by {event.served_model}" if event.served_model not in {"", event.model} else ""
            talk.add(f"{counts(event.usage)}  {money(event.cost)}{served}", "note")
            if event.patch is None:
                hunks.show(screen.session.proposed)
        case events.Notice(text, level):
            talk.add(text, "note" if level == "info" else level)
        case events.Asked(what):
            screen.open(what)


def _shown(context: Context) -> str:
    """Say what is shown and why, files with one reason together."""
    whys: dict[str, list[str]] = {}
    for each in context.sections:
        whys.setdefault(each.why, []).append(each.title.split(" (")[0])
    parts = [
        f"{', '.join(names[:4])}{' ...' if len(names) > 4 else ''} ({why})" for why, names in list(whys.items())[:4]
    ]
    return "; ".join(parts) or "nothing of the repository"


def money(cost: Cost) -> str:
    """Say a cost in a few signs."""
    if cost.amount is None or cost.status == "free":
        return cost.status
    sign = "$" if cost.currency == "USD" else f"{cost.currency} "
    return f"{sign}{cost.amount:.4f}" if cost.amount < 1 else f"{sign}{cost.amount:.2f}"


def counts(usage: TokenUsage) -> str:
    """Say token counts: fresh, cached, out."""
    cached = f" {usage.cache_read:,} cached" if usage.cache_read else ""
    return f"{usage.fresh_input + usage.cache_write:,} in{cached} {usage.total_output:,} out"
