"""What the screen shows for an event: one match, nothing else."""

from __future__ import annotations

from traceback import walk_tb
from typing import TYPE_CHECKING

from assistant import events
from assistant.tokens import TokenUsage
from assistant.tui.figures import short
from assistant.tui.hunk_rows import Subject
from assistant.tui.widgets.meter_bar import Aside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from assistant.changes import Proposal
    from assistant.context.section import Context, Section
    from assistant.edits.edit import Edit
    from assistant.edits.hunk import Hunk
    from assistant.quota.estimate import Estimate
    from assistant.tui.stage import Stage
    from assistant.tui.widgets.meter_bar import MeterState
    from assistant.tui.widgets.transcript import Transcript


_EARLY = {
    "length": 'the answer reached the most that the model may write; "go on" takes it further',
    "cancelled": "stopped; what had come is kept",
}
"""Words for a turn that did not come to its end."""
_NAMED = 8
"""Most files that are named when many were written."""


def show(screen: Stage, event: events.Event) -> None:
    """Show one event."""
    talk, hunks, meter = screen.talk, screen.hunks, screen.meter
    match event:
        case events.TurnStarted(_, text, provider, model, payer, effort):
            talk.add(text, "user")
            hunks.forget_coming()
            state = meter.state._replace(turn=TokenUsage(), turn_costs=(), moving=True)
            meter.show(state._replace(model=_badge(provider, model, effort), payer=payer, served=""))
        case events.ContextPacked(context, window):
            pick = screen.session.roster.pick
            screen.window, screen.asked_window = (pick.model.context_window if pick else window), window
            talk.add(f"sees {context.tokens:,} tokens: {_shown(context)}  {context.note}".rstrip(), "note")
            for picture in context.pictures:
                talk.add(f"shows {picture.path}: {picture.text}", "note")
            for each in context.masked:
                talk.add(f"kept back: {each.where} ({each.kind})", "warning")
        case events.RequestSent(step, purpose, _, likely, _, cost, model, payer):
            screen.sending.turns_to(model)
            if step > 1 or purpose != "main":
                talk.end()
                talk.add(f"{purpose} from {model} ({payer}): ~{likely:,} tokens, {cost}", "note")
        case events.Retrying(attempt, wait_s, error):
            words = f"{error.message.rstrip('.')}. Try {attempt + 1} in {wait_s:.0f} s; Escape stops."
            talk.add(words, "warning")
            screen.sending.doing("is asked", wait_s)
        case events.TextArrived(text):
            screen.sending.doing("answers")
            talk.append(text)
        case events.ThoughtArrived(text):
            screen.sending.doing("thinks")
            talk.append(text, "thought")
        case events.EditArrived(edit):
            fold(talk, edit)
            hunks.coming(edit)
        case events.UsageMoved(usage, cost, session_usage, session_costs, held):
            state = meter.state.burning(usage, cost)
            share = state.context_share
            if held:  # meaningless for the window of another model that was chosen meanwhile
                share = held / screen.window if screen.window and screen.window == screen.asked_window else None
            meter.show(state._replace(session=session_usage, session_costs=session_costs, context_share=share))
        case events.MeterMoved(estimates):
            meter.show(metered(meter.state, estimates[0] if estimates else None, screen.session.now()))
        case events.EditsMisfit(misfits):
            talk.end()
            for misfit in misfits:
                words = f"does not fit: {misfit.message}"
                talk.add(f"{words} {misfit.hint}" if misfit.private else words, "warning")
        case events.PatchProposed():
            talk.end()
        case events.PatchApplied(patch, what, left, unfit):
            size = f"+{patch.added} -{patch.removed}"
            words = f"{what}: {listed(patch.paths)}  ({size})" if patch.files else "nothing was written"
            talk.add(words, "good")
            show_proposal(screen, f"{words}. {unfit}" if unfit else words, written=what == "applied")
            screen.compose_again(more=left is not None or bool(unfit))
        case events.PatchMoved(review, why) if not review.choices:
            talk.add(f"{why} All that was taken is there already: nothing is left to write.", "good")
            show_proposal(screen)
            screen.compose_again()
        case events.PatchMoved(review, why):
            one = screen.session.proposed
            turn = one.turn if one is not None and one.patch == review.patch else 0
            words = f"{why} The hunks were moved onto it: look again, then Enter."
            hunks.show(Subject(review, origin=words, turn=turn), "not written yet")
            screen.go_to_hunks()
        case events.UndoProposed(preview, chosen, left):
            if preview.conflicts:
                talk.add("\n".join(f"cannot {preview.way}: {each.why}" for each in preview.conflicts), "error")
                return
            merged = f", around later changes in {', '.join(preview.merged)}" if preview.merged else ""
            labels = ", ".join(f"step {each.id} ({each.label})" for each in preview.steps)
            from assistant.edits.review import Review

            patch = preview.patch if chosen is None else chosen
            what = (
                "what was done, to be taken back" if preview.way == "undo" else "what was taken back, to be done again"
            )
            told = f"this will be written{merged}" if chosen is None else f"{what}{merged}"
            again = "" if chosen is not None else "this is what Enter will write; q leaves it"
            origin = f"{preview.way} {labels}: {told}{f'. {left}' if left else ''}"
            hunks.show(Subject(Review.of(patch, "take"), origin=origin, preview=preview), again)
            screen.go_to_hunks()
        case events.ModelChanged(provider, model, payer, window, effort, doubt):
            from assistant.models.page import EFFORTS

            screen.window = window
            badge = _badge(provider, model, effort)
            same = meter.state.model in {_badge(provider, model, each) for each in ("", *EFFORTS)}
            share = meter.state.context_share if same else None
            state = meter.state if same else metered(meter.state, None, screen.session.now())
            meter.show(state._replace(model=badge, payer=payer, served="", context_share=share))
            talk.add(f"now asking {badge} ({payer}).", "good")
            if doubt:
                talk.add(doubt, "warning")
            screen.price_anew()  # of a question that is being written
            if not same and not screen.session.asking:  # else it is asked the next time
                screen.tell_burnt()
        case events.TurnEnded():
            talk.end()
            _end(screen, event)
            screen.price_anew()  # what is being written goes with a longer conversation now
        case events.TurnHeld(hold):
            talk.end()
            talk.add(hold.why, "warning")
            screen.held(hold)
        case events.AsideStarted(_, provider, model, payer):
            screen.sending.turns_to(f"{provider}/{model}")
            meter.show(meter.state._replace(aside=Aside(f"{provider}/{model}", payer)))
        case events.AsideEnded(purpose, words, _, stop, usage, cost, trouble):
            talk.end()
            meter.show(meter.state._replace(aside=None))
            if trouble is not None:
                talk.add(f"no {purpose}: {trouble}", "error")
            elif stop != "cancelled" and not words.strip():
                talk.add(f"no {purpose}: the model answered nothing.", "warning")
            talk.add(f"{tell_counts(usage)} {cost}", "note")
        case events.Notice(text, level):
            talk.add(text, "note" if level == "info" else level)
        case events.Asked(what, argument):
            screen.open(what, argument)


def _end(screen: Stage, event: events.TurnEnded) -> None:
    """Say how a turn ended, and go to the hunks it proposes."""
    talk = screen.talk
    if event.error is not None:
        talk.add(str(event.error), "error")
        if event.reply is None and (waits := screen.session.sight.still_waits()):
            talk.add(waits, "warning")
    elif event.empty:
        but = "thought, but answered nothing" if event.thought.strip() else "answered nothing"
        if event.stop == "length":
            but += " before it reached the most that it may write"
        words = f"{_badge(event.provider, event.model, '')} {but}. Ask again, or choose another model: F3."
        talk.add(words, "warning")
    elif event.stop != "end":
        talk.add(_EARLY.get(event.stop, f"the answer ended early: {event.stop}"), "warning")
    plain = event.stranger or event.served_model in {"", event.model}
    served = "" if plain else f"  served by {event.served_model}"
    if event.stranger:
        words = f"{event.provider} answered with {event.served_model}; {event.model} was asked."
        talk.add(words, "warning")
        screen.meter.show(screen.meter.state._replace(served=event.served_model))
    if event.sent is None:
        screen.meter.show(screen.meter.state._replace(moving=False))
    else:
        talk.add(f"{tell_counts(event.usage)} {event.cost}{served}", "note")
    proposes = event.patch is not None or any(each.mendable for each in event.misfits)
    if proposes or screen.hunks.preview is None:  # else an undo is being looked at
        show_proposal(screen)
    if proposes:
        if event.patch is not None:
            size = len(event.patch.hunks)
            talk.add(f"{size} hunk{'s' if size > 1 else ''} to decide; F2 leads to them and back", "fold")
        screen.review()


def _badge(provider: str, model: str, effort: str) -> str:
    return f"{provider}/{model}:{effort}" if effort else f"{provider}/{model}"


def fold(talk: Transcript, edit: Edit) -> None:
    """Fold an edit of the running answer into one line: its file, and how many lines it adds and removes."""
    from assistant.edits.compare import changes

    before, after = (text.removesuffix("\n").split("\n") if text else [] for text in (edit.before, edit.after))
    ranges = changes(before, after)
    size = f"  +{sum(d - c for _, _, c, d in ranges)} -{sum(b - a for a, b, _, _ in ranges)}" if ranges else ""
    name = f"{edit.path} -> {edit.new_path}" if edit.new_path else edit.path
    talk.fold(edit.reply_line, f"{edit.action} {name}{size}")


def show_proposal(screen: Stage, hint: str = "", *, written: bool = False) -> None:
    """Show the hunks that wait for decisions; `written`: what was decided about those in sight is done."""
    from assistant.edits.review import Review

    proposal = screen.session.proposed
    kept = screen.hunks.kept()
    was = screen.hunks.subject.turn
    screen.session.mark(kept.get(was), was)  # recent decisions about hunks that are set aside now
    if proposal is None:
        screen.hunks.show(Subject())
        return

    def tell(hunk: Hunk) -> str:
        from assistant.edits.place import AFTER

        lines = ", ".join(str(each.edit) for each in hunk.origins)
        where = f", line {lines} of the reply" if lines and not proposal.kept else ""
        how = "; ".join(AFTER.get(rung, rung) for rung in hunk.rungs)
        return f"{_from(proposal.origin(hunk))}{where}; {f'matched after {how}' if how else 'matched exactly'}"

    before = kept.get(proposal.turn) or (kept.get(proposal.earlier.turn) if proposal.earlier is not None else None)
    left = screen.session.changes.marked
    if before is None:
        review = left if left is not None and left.patch == proposal.patch else Review.of(proposal.patch)
    else:  # the user's marks, cuts and words outlive another turn, a repair, and a partial write
        same = before.patch == proposal.patch
        going = before if same or not written else before.rest()  # decisions that were carried out are over
        review = before if same else going.over(proposal.patch)
    told = _from(proposal)
    if was != proposal.turn and any(each.turn == was for each in screen.session.changes.set_aside):
        hint = hint or f"those of turn {was} are set aside: /diff {was}"
    subject = Subject(review, proposal.misfits, told, proposal.doubts, proposal.turn, tell=tell)
    screen.hunks.show(subject, hint)
    screen.price_repair()


def _from(proposal: Proposal) -> str:
    """Say who proposed the hunks and what the turn cost; if a repair came on top, the first turn first."""
    words = f"turn {proposal.turn}, {proposal.model}{f', {proposal.cost}' if proposal.cost else ''}"
    return words if proposal.earlier is None else f"{_from(proposal.earlier)}; mended in {words}"


def listed(paths: Sequence[str], most: int = _NAMED) -> str:
    """Name files; of many, only the first and how many more there are."""
    shown = paths if len(paths) <= most else paths[:most]
    more = f" and {len(paths) - len(shown)} more" if len(paths) > len(shown) else ""
    return ", ".join(shown) + more


def _shown(context: Context) -> str:
    """Say what is shown and why, files with one reason together, most tokens first, and how many are not named."""
    whys: dict[str, list[Section]] = {}
    for each in context.sections:
        whys.setdefault(each.why, []).append(each)
    most = sorted(whys.items(), key=lambda row: -sum(each.tokens for each in row[1]))[:4]
    parts, named = [], 0
    for why, some in most:
        first = sorted(some, key=lambda each: -each.tokens)[:4]
        parts.append(f"{', '.join(each.title.split(' (')[0] for each in first)} ({why})")
        named += len(first)
    if (rest := len(context.sections) - named) > 0:
        parts.append(f"and {rest} more (F4)")
    return "; ".join(parts) or "nothing of the repository"


def metered(state: MeterState, first: Estimate | None, now: datetime) -> MeterState:
    """Put the meter that binds on the line: its name, what is used or left, its reset, its pace, and who says so."""
    if first is None:
        return state._replace(
            plan="", plan_share=None, resets="", until=None, left="", pace=("", ""), spent=False, note=""
        )
    from assistant.quota import forecast, wording

    left = wording.figures(first) if first.share is None and first.unit == "money" else ""
    return state._replace(
        plan=first.meter,
        plan_share=first.share,
        resets=wording.clock(first.resets_at, now),
        until=first.resets_at,
        left=left or wording.STATES.get(first.state, ""),
        pace=wording.pace(forecast.forecast(first, now), now),
        spent=first.state == "exhausted",
        note=wording.trust(first),
    )


def tell_counts(usage: TokenUsage) -> str:
    """Say token counts: fresh, cached, out."""
    cached = f" {short(usage.cache_read)} cached," if usage.cache_read else ""
    about = "" if usage.exact else "~"
    return f"{about}{short(usage.fresh_input + usage.cache_write)} fresh,{cached} {short(usage.total_output)} out,"


def fault(error: BaseException, env: Mapping[str, str]) -> str:
    """Report a fault of ours and where it happened, without the keys and secrets of the environment."""
    from assistant.models.redact import redact

    place = ""
    for frame in walk_tb(error.__traceback__):
        place = f"{frame[0].f_code.co_filename.rpartition('/')[2]}:{frame[1]}"
    secret = ("KEY", "TOKEN", "SECRET", "PASS")
    keys = [value for name, value in env.items() if any(each in name.upper() for each in secret)]
    words = redact(f"{type(error).__name__} at {place}: {error}", keys)
    return f"This is a fault of Wattson's, please report it: {words}. The conversation is kept; whatever was being written is whole or not at all."
