"""The main screen: conversation, hunks, composer, meter."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from time import monotonic
from typing import TYPE_CHECKING

from textual import events, work
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import Screen

from assistant import command
from assistant.errors import AssistantError, BudgetError
from assistant.events import TurnEnded
from assistant.tokens import TokenUsage
from assistant.tui import present
from assistant.tui.holding import Holding
from assistant.tui.hunk_rows import Subject
from assistant.tui.label import Label
from assistant.tui.sending import Sending
from assistant.tui.widgets.completions import Completions
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.meter_bar import MeterBar
from assistant.tui.widgets.patch_view import PatchView
from assistant.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.geometry import Size
    from textual.timer import Timer

    from assistant.edits.review import Review
    from assistant.quota.caps import Hold
    from assistant.session import Session
    from assistant.tui.completing import Completer
    from assistant.tui.theme import Theme
    from assistant.tui.welcome import Resume

_WIDE = 120
_SQUAT = 14
_LITTLE = 28
"""Cells for the price of a question in the meter's line."""
_PAUSE_S = 0.3
"""Seconds that typing must pause before the price of the composer's text is worked out."""
_MOMENT_S, _SAID_S = 0.01, 2.0
_BEAT_S, _TICK_S = 60.0, 2.0
"""Seconds between looks at the meter while nothing happens, and at the clock while a question waits for a reset."""
_AWAKE_S = 900.0
"""Seconds after the user's last question or command for which providers are still asked for the quota."""


class MainScreen(Screen[None]):
    """Hands over what is typed, shows events, applies decisions."""

    DEFAULT_CSS = """
    MainScreen #panes { height: 1fr; }
    MainScreen #talk { width: 1fr; }
    MainScreen #hunks { width: 1fr; }
    MainScreen.-wide #hunks { border-left: solid $primary-muted; }
    """
    AUTO_FOCUS = "#composer"
    BINDINGS = [
        Binding("escape", "stop", show=False),
        Binding("f1", "open('help')", show=False, priority=True),
        Binding("f2", "swap", show=False, priority=True),
        Binding("f3,alt+p", "open('model')", show=False, priority=True),
        Binding("ctrl+p", "cycle", show=False, priority=True),
        Binding("f4", "open('context')", show=False, priority=True),
        Binding("f5", "open('usage')", show=False, priority=True),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
        Binding("ctrl+end", "talk_end", show=False),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("ctrl+o", "unfold", show=False, priority=True),
        Binding("ctrl+g", "editor", show=False, priority=True),
        Binding("ctrl+r", "history", show=False, priority=True),
        Binding("ctrl+l", "repaint", show=False, priority=True),
    ]

    def __init__(self, session: Session, theme: Theme, model: str, *, resume: Resume) -> None:
        super().__init__()
        self.session = session
        self.look = theme
        self.window: int | None = None
        self.asked_window: int | None = None
        self.talk = Transcript(theme, id="talk")
        self.talk.tell_more = self.label
        self.hunks = PatchView(theme, id="hunks")
        self.hunks.display = False
        self.hunks.ahead.type, self.hunks.ahead.leave = self.type_on, self.leave_hunks
        self.hunks.make_room = self.arrange_panes
        self.completions = Completions(theme)
        self.meter = MeterBar(theme)
        self.composer = Composer(self.completions, id="composer")
        self.around = Label(self.composer, self.meter)
        self.holding = Holding(self)
        self.sending = Sending(self, self.holding)
        self.composer.take_queued = self.sending.take_last
        self.composer.mark_of = session.sight.mark
        self._model = model
        self._resume = resume
        self._completer: Completer | None = None
        self._pause: Timer | None = None
        self._armed: Timer | None = None
        self._busy_at = 0.0
        self._over: datetime | None = None
        self._kept: Review | None = None
        self._leaving = self._deciding = False
        self._reviewing = False

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Horizontal(id="panes"):
            yield self.talk
            yield self.hunks
        yield self.completions
        yield self.composer
        yield self.meter

    def on_mount(self) -> None:
        """Paint first; look around after that."""
        self.hunks.show(Subject())
        self.call_after_refresh(self._begin)
        self.set_interval(_BEAT_S, lambda: self.ask_meter(idle=True))
        self.set_interval(_TICK_S, self._tick)

    def _tick(self) -> None:
        """Look at the clock, and keep what was decided: whatever ends this process costs no more than a moment."""
        self.holding.tick()
        until = self.meter.state.until
        if until is not None and until != self._over and until <= self.session.now():
            self._over = until  # only once: the figure may come late
            self.ask_meter(idle=True)
        review = self.hunks.review
        if self.hunks.preview is None and review is not self._kept:
            self._kept = review
            self.session.mark(review, self.hunks.subject.turn)

    def on_resize(self) -> None:
        """Show one pane or two."""
        self.arrange_panes()

    def on_screen_suspend(self) -> None:
        """Hand the keys that were typed for a sheet, before it was there, to the sheet that opens."""
        if typed := self.hunks.ahead.take():
            self._hand_on(typed, 100)

    def _hand_on(self, typed: list[events.Key], tries: int) -> None:
        if self.app.focused is None and tries:  # the sheet is not laid out yet
            self.app.set_timer(_MOMENT_S, lambda: self._hand_on(typed, tries - 1))
            return
        for event in typed:
            self.app.post_message(events.Key(event.key, event.character))

    def _screen_resized(self, size: Size) -> None:
        if size != self._size:  # Textual reports the same size four times at the start, and would lay out each time
            super()._screen_resized(size)

    def arrange_panes(self) -> None:
        """Show both panes if there is room and something to decide, or on its way; else the one that is in use."""
        something = self._reviewing or bool(self.hunks.hunks) or self.hunks.filling
        wide = self.size.width >= _WIDE and something and not (self._reviewing and self.hunks.beside)
        self.set_class(wide, "-wide")
        self.around.place(low=self.size.height < _SQUAT)
        for pane, there in ((self.talk, wide or not self._reviewing), (self.hunks, wide or self._reviewing)):
            if pane.display != there:  # setting it again would lay out the whole screen again
                pane.display = there

    @work(exclusive=True, group="begin")
    async def _begin(self) -> None:
        from assistant.tui import welcome

        try:
            await welcome.greet(self, self._model, resume=self._resume)
            if self._resume == "choose":
                self.open("resume")
            before = await asyncio.to_thread(self.session.conversations.asked)
            sent = self.composer.sent  # what was asked meanwhile may be on the disk already
            self.composer.sent = [*(words for words in before if words not in sent), *sent]
        except AssistantError as error:
            self.talk.add(str(error), "error")
        finally:
            gc.freeze()
            gc.enable()

    # What is typed.

    def on_composer_sent(self, message: Composer.Sent) -> None:
        """Send words, or keep them until the running turn has ended; show the conversation: hunks keep their marks."""
        if self._reviewing:
            self.compose_again()
        self.sending.sent(message.text)

    def on_composer_asked(self, message: Composer.Asked) -> None:
        """Open the sheet of keys, go to an end of the conversation, or leave."""
        if message.what == "end":
            self.talk.follow()
        elif message.what == "begin":
            self.talk.scroll_home(animate=False)
        else:
            self.open("help" if message.what == "help" else "quit")

    def on_text_area_changed(self, event: Composer.Changed) -> None:
        """Offer what the word may become, and show the price of sending once typing pauses."""
        if event.text_area is not self.composer:
            return
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_S, self._quote)
        self._complete(self.composer.word)

    @work(exclusive=True, group="complete")
    async def _complete(self, word: str) -> None:
        from assistant.tui import completing

        if self._completer is None:
            self._completer = completing.Completer(self.session)
        self.completions.show(word, await self._completer.choices(word))

    def price_anew(self) -> None:
        """Show the price of what is being written again: what would be sent has changed, or who would be asked."""
        self._quote()

    @work(exclusive=True, group="quote")
    async def _quote(self) -> None:
        """Show below the composer what sending would cost, with this model and with the two that come next."""
        from assistant.tui import quoting

        text = self.composer.text
        if not text.strip() or command.is_command(text) or self.session.roster.pick is None:
            self.around.price("")
            return
        quotes = await asyncio.to_thread(quoting.quotes, self.session, text)
        self.around.price(quoting.line(quotes, self.size.width - 6), quoting.line(quotes, _LITTLE))

    def label(self) -> None:
        """Say above the composer what waits there."""
        more = ("more has come below: Ctrl+End", "more below: Ctrl+End", "more below") if self.talk.more else [""] * 3
        waits = self.holding.label(), self.sending.waits()
        told = ((asks, *waits, below) for asks, below in zip(self.sending.asks(), more, strict=True))
        self.around.say(*(", ".join(filter(None, each)) for each in told))

    def on_descendant_focus(self) -> None:
        """Say how a turn is stopped from where the keys go now."""
        if self.session.asking:
            self.label()

    def held(self, hold: Hold) -> None:
        """Let the user choose what becomes of a question that was held; queued questions wait for that."""
        self.holding.about = hold.text
        self._offer(hold)

    @work(exclusive=True, group="held")
    async def _offer(self, hold: Hold) -> None:
        await self.holding.offer(hold)

    def submit(self, text: str, *, once: bool = False) -> None:
        """Do what was typed and show what comes of it; `once`: the user has accepted the cost."""
        self.sending.begin(text)
        self._submit(text, once=once)

    @work(group="turn")
    async def _submit(self, text: str, *, once: bool) -> None:
        await self.sending.send(text, once=once)
        if self._completer is not None:
            self._completer.forget()  # files may have come or gone
        self.arrange_panes()
        if not self.sending.send_next():
            if self.window != self.asked_window:  # another model was chosen meanwhile
                self.tell_share()
            self.ask_meter()

    @work(exclusive=True, group="burnt")
    async def tell_burnt(self) -> None:
        """Show what the conversation has burnt and how full the window is, once another talk or model begins."""
        accounts = self.session.accounts
        share = await self._share()
        if self.session.asking:
            return
        costs = accounts.paid()
        state = self.meter.state._replace(turn=TokenUsage(), turn_costs=(), moving=False)
        self.meter.show(state._replace(session=accounts.usage, session_costs=costs, context_share=share))

    @work(exclusive=True, group="share")
    async def tell_share(self) -> None:
        """Show how much of the chosen model's window the conversation fills."""
        share = await self._share()
        if not self.session.asking:
            self.meter.show(self.meter.state._replace(context_share=share))

    async def _share(self) -> float | None:
        if not self.session.history or not self.window:
            return None
        return await asyncio.to_thread(self.session.pricing.carried) / self.window

    @work(exclusive=True, group="meter")
    async def ask_meter(self, *, idle: bool = False) -> None:
        """Show the meter, and ask the providers in the background: after the user has asked or chosen, never before."""
        if idle and self.session.asking:
            return
        self._busy_at = self._busy_at if idle else monotonic()
        ask = bool(self._busy_at) and monotonic() - self._busy_at < _AWAKE_S
        async with aclosing(self.session.meter(ask=ask, hurry=not idle)) as stream:
            async for event in stream:
                present.show(self, event)

    @work(group="turn")
    async def run_turn(self, stream: command.Stream, instead: str = "") -> None:
        """Run a stream in a worker of its own, so that opening a screen meanwhile does not break it off."""
        await self.walk(stream, instead)
        self.ask_meter()  # another model may have been asked, which is paid for otherwise

    async def walk(self, stream: command.Stream, instead: str = "") -> TurnEnded | AssistantError | None:
        """Show the events of a stream, and the error it ends with; return that, or the end of the turn if it was one.

        `instead` is what the user could do if a limit holds it back.
        """
        ended = None
        beside = self.session.asking  # what is done while an answer comes does not end the answer
        if not beside:
            self.sending.asked()
        clock = self.set_interval(1.0, self.label)
        try:
            async with aclosing(stream):
                async for event in stream:
                    present.show(self, event)
                    if isinstance(event, TurnEnded):
                        ended = event
        except AssistantError as error:
            if not beside:
                self.talk.end()
            held = error.hold if isinstance(error, BudgetError) else None  # its hint is for users without a screen
            words = str(error) if held is None else f"{held.why} {instead or 'F3 chooses another model.'}"
            self.talk.add(words, "error")
            return error
        finally:
            clock.stop()
            if not self.session.asking:
                self.meter.show(self.meter.state._replace(aside=None))  # whatever ended it
            self.label()
        return ended

    def stumbled(self, error: BaseException) -> None:
        """Report that something of ours went wrong, and where; everything else goes on."""
        self.talk.end()
        self.talk.add(present.fault(error, self.session.env), "error")

    # Hunks.

    def review(self) -> None:
        """Go to the hunks, unless the user is typing: then the hunks wait until a key leads there."""
        if self.composer.has_focus and self.composer.recently_typed():
            self.arrange_panes()
            return
        self.go_to_hunks()

    def go_to_hunks(self) -> None:
        """Show the hunks and give them the keys."""
        self._reviewing = True
        self.arrange_panes()
        self.call_after_refresh(self.hunks.focus)  # it is in sight only after the next layout

    def show_talk(self) -> None:
        """Show the conversation; if there is room for both, the hunks keep the keys."""
        self.talk.follow()
        if not self.talk.display:
            self.compose_again()

    def compose_again(self, *, more: bool = False) -> None:
        """Go back to the composer, unless hunks still wait."""
        if more:
            return
        self._reviewing = False
        self.arrange_panes()
        self.composer.focus()

    def leave_hunks(self) -> None:
        """Go back to the composer at once; an undo that was only looked at makes way for what is proposed."""
        if self.hunks.preview is not None:
            present.show_proposal(self)
        self.compose_again()
        self.set_focus(self.composer)

    def type_on(self, event: events.Key | events.Paste) -> None:
        """Hand on to the composer what was typed among the hunks and is for it."""
        typed = events.Key(event.key, event.character) if isinstance(event, events.Key) else events.Paste(event.text)
        typed._set_forwarded()  # noqa: SLF001 - else the app would hand on once more what the composer has no use for
        self.composer.post_message(typed)

    @work(exclusive=True, group="price")
    async def price_repair(self) -> None:
        """Say among the hunks what it would cost to send back what does not fit."""
        lost = tuple(each.misfit for each in self.hunks.left)
        quote = await asyncio.to_thread(self.session.turns.quote_repair, lost)
        if quote is not None:
            self.hunks.tell_price(f" (~{quote.likely:,} tokens, {quote.cost})")

    @work(group="apply")
    async def on_patch_view_decided(self, message: PatchView.Decided) -> None:
        """Write what was taken, or undo it; the user confirms files that run by themselves, by name."""
        from assistant.tui import reviewing

        if self._deciding:  # Enter was pressed twice: writing must not be interrupted
            return
        self._deciding = True
        try:
            await reviewing.decide(self, message.review, message.preview)
        finally:
            self._deciding = False

    @work(exclusive=True, group="ask")
    async def on_patch_view_wanted(self, message: PatchView.Wanted) -> None:
        """Do what needs another screen: edit a hunk, comment on a line, ask somebody else."""
        from assistant.tui import reviewing

        await reviewing.do(self, message.what, message.index, message.line)

    # Keys.

    def action_stop(self) -> None:
        """Stop the running turn, or stop waiting; what was queued goes back to the composer."""
        self.composer.give_back(self.holding.stop())
        if self.session.asking:
            self.session.stop()
            self.sending.give_back()

    def action_swap(self) -> None:
        """Go between composer and hunks."""
        if self.hunks.has_focus:
            self.compose_again()
            self.set_focus(self.composer)  # at once: what was typed right after the key is meant for there
        else:
            self.go_to_hunks()
            self.set_focus(self.hunks)

    def action_open(self, what: str) -> None:
        """Open a picker or a page."""
        if what == "context":
            typed = self.composer.text.strip()
            self.open(what, "" if command.is_command(typed) else typed)
        elif what == "usage":
            self.submit(f"/{what}")
        else:
            self.open(what)

    def action_cycle(self) -> None:
        """Go on with the next favourite, or say how a model becomes one."""
        name = self.session.roster.next_favourite()
        if name:
            self.submit(f"/model {name}")
        else:
            self.talk.add("There is no other favourite: F3, then Ctrl+F on a model makes it one.", "note")

    def action_scroll(self, pages: int) -> None:
        """Scroll the pane in use."""
        if self.hunks.has_focus:
            self.hunks.page(pages)
        else:
            self.talk.scroll_relative(y=pages * max(1, self.talk.size.height - 2), animate=False)

    def action_talk_end(self) -> None:
        """Go to the end of the conversation, and follow it again."""
        self.talk.follow()

    def action_unfold(self) -> None:
        """Open the edits and thoughts in the conversation, or fold them."""
        self.talk.toggle()

    def action_repaint(self) -> None:
        """Paint everything again."""
        self.refresh(layout=True)

    @work(exclusive=True, group="ask")
    async def action_editor(self) -> None:
        """Write the question in $EDITOR."""
        from assistant.tui import editor

        words = await editor.edit(self, self.composer.text, ".md")
        if words is not None:
            self.composer.put(words.rstrip("\n"))

    @work(exclusive=True, group="ask")
    async def action_history(self) -> None:
        """Choose from what was asked before."""
        from assistant.tui import pickers

        rows = [(words, words.replace("\n", " ")) for words in dict.fromkeys(reversed(self.composer.sent))]
        words = await self.app.push_screen_wait(pickers.Picker("Asked before", rows))
        if words:
            self.composer.recall(words)

    def action_interrupt(self) -> None:
        """Copy the selection, else stop a turn, else clear the composer, else leave if it is pressed a second time."""
        typed = self.composer.selected_text if self.composer.has_focus else ""
        selected = typed or self.get_selected_text()
        if selected:
            self.app.copy_to_clipboard(selected)
            if not typed:
                self.clear_selection()
            self.around.say(f"{len(selected):,} characters copied")
            self.set_timer(_SAID_S, self.label)
        elif self.session.asking:
            self.action_stop()
        elif self.composer.text:
            self.composer.set_aside()
        elif self._leaving:
            self.app.exit(0)
        else:
            self._leaving = True
            self.around.say("Ctrl+C again leaves")
            self._armed = self.set_timer(_SAID_S, self.stay)

    def stay(self) -> None:
        """Note that a key other than Ctrl+C was pressed: one more Ctrl+C does not leave."""
        if self._leaving and self._armed is not None:
            self._armed.stop()
            self._leaving = False
            self.label()

    def open(self, what: str, argument: str = "") -> None:
        """Open what a command asks for."""
        from assistant.tui import asking

        asking.do(self, what, argument)

    @work(group="held")
    async def go_on_waiting(self) -> None:
        """Offer again what waited when the resumed conversation was left."""
        try:
            await self.holding.go_on()
        except AssistantError as error:
            self.talk.add(str(error), "error")

    @work(exclusive=True, group="ask")
    async def ask(self, what: str, argument: str) -> None:
        """Open a sheet that asks or tells one thing."""
        from assistant.tui import asking

        await asking.ask(self, what, argument)
