"""The main screen: conversation, hunks, composer, meter."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import Screen

from assistant import command, events
from assistant.errors import AssistantError
from assistant.tui import present
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.meter_bar import MeterBar
from assistant.tui.widgets.patch_view import PatchView
from assistant.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from assistant.session import Session

_WIDE = 120
_KEYS = """
Enter sends; Shift+Enter, Alt+Enter, Ctrl+J or a final \\ begins a new line; Up and Down recall what was sent.
Escape stops a running turn and keeps what came. F2 goes between composer and hunks. F3 chooses a model.
Page Up and Page Down scroll the conversation. Ctrl+C clears the composer, twice leaves; Ctrl+Q leaves.

In the hunks: y take, n skip, u unmark, a and d the whole file, A and X all, s split, e edit, c comment,
j and k (or arrows) move, Enter writes what is taken, Escape goes back. What is not decided stays proposed.
"""


class MainScreen(Screen[None]):
    """Hands over what is typed, shows events, applies decisions."""

    DEFAULT_CSS = """
    MainScreen #panes { height: 1fr; }
    MainScreen #talk { width: 1fr; }
    MainScreen #hunks { width: 1fr; }
    """
    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("escape", "stop", "stop", show=False),
        Binding("f2", "swap", "hunks", priority=True),
        Binding("f3", "model", "model", priority=True),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(self, session: Session, model: str, *, resume: bool) -> None:
        super().__init__()
        self.session = session
        self.window: int | None = None
        self.talk = Transcript(id="talk")
        self.hunks = PatchView(id="hunks")
        self.meter = MeterBar()
        self.composer = Composer(id="composer")
        self._model = model
        self._resume = resume
        self._queue: list[str] = []
        self._quote_timer: Timer | None = None
        self._leaving = False
        self._reviewing = False

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Horizontal(id="panes"):
            yield self.talk
            yield self.hunks
        yield self.composer
        yield self.meter

    def on_mount(self) -> None:
        """Paint first; look around after that."""
        self.composer.focus()
        self.hunks.show(None)
        self.call_after_refresh(self._begin)

    def on_resize(self) -> None:
        """One pane or two."""
        self._arrange()

    def _arrange(self) -> None:
        """Show both panes side by side, or the one that is in use."""
        wide = self.size.width >= _WIDE
        self.talk.display = wide or not self._reviewing
        self.hunks.display = wide or self._reviewing

    @work(exclusive=True, group="begin")
    async def _begin(self) -> None:
        session = self.session
        try:
            restored = await asyncio.to_thread(self._recover)
            if restored:
                self.talk.add(f"Put back after an interrupted write: {', '.join(restored)}", "warning")
            self.talk.add(
                f"Wattson in {session.root}"
                + ("" if session.repo.is_git else "  (not a git repository: a plain folder)"),
                "head",
            )
            for warning in session.config.warnings:
                self.talk.add(warning, "warning")
            if self._resume:
                count = await asyncio.to_thread(session.take_up)
                for message in session.history:
                    self.talk.add(message.text, "user" if message.role == "user" else "words")
                self.talk.add(f"{count} messages of the last conversation are back.", "note")
            name = self._model or session.config.model
            if name:
                present.show(self, session.switch(name))
                present.show(self, events.MeterMoved(await asyncio.to_thread(session.meters)))
                if name.startswith("scripted/"):
                    self.talk.add(
                        "This is a practice session: the model is scripted, everything else is real. "
                        "Type: add a limit to the kettle",
                        "note",
                    )
            else:
                await self._first_run()
        except AssistantError as error:
            self.talk.add(str(error), "error")

    def _recover(self) -> list[str]:
        return self.session.journal.recover()

    async def _first_run(self) -> None:
        """Say what was found and who would pay; choose nothing for the user."""
        found = self.session.found()
        servers = await self.session.find_local()
        self.talk.add("No model is chosen yet.", "words")
        for each in found:
            self.talk.add(
                f"  key for {each.provider.title}: {each.masked} from {each.source}; {self.session.payer(each.provider)} pays",
                "note",
            )
        for server in servers:
            names = ", ".join(model.id for model in server.models) or "no model"
            self.talk.add(f"  {server.title} runs here with {names}; free", "note")
        if not found and not servers:
            self.talk.add("  No key in the environment and no local server was found; that is no error.", "note")
        self.talk.add(
            "F3 or /model chooses a model.  /model scripted/lesson practises without a key.  /help shows keys.", "words"
        )

    # What is typed.

    def on_composer_sent(self, message: Composer.Sent) -> None:
        """Hand over words, or keep them until the running turn has ended."""
        if self.session.asking and not message.text.startswith("/"):
            self._queue.append(message.text)
            self.talk.add(f"(queued) {message.text}", "note")
            return
        self._submit(message.text)

    def on_text_area_changed(self) -> None:
        """Say what sending would cost, once typing pauses."""
        if self._quote_timer is not None:
            self._quote_timer.stop()
        self._quote_timer = self.set_timer(0.4, self._quote)

    @work(exclusive=True, group="quote")
    async def _quote(self) -> None:
        text = self.composer.text
        if not text.strip() or text.startswith("/") or self.session.pick is None:
            self.meter.show(replace(self.meter.state, quote=""))
            return
        quote = await asyncio.to_thread(self.session.quote, text)
        if quote is not None:
            share = f", {quote.share:.1%} of plan" if quote.share is not None else ""
            self.meter.show(
                replace(self.meter.state, quote=f"this: ~{quote.likely:,} tokens, {present.money(quote.cost)}{share}")
            )

    @work(group="turn")
    async def _submit(self, text: str) -> None:
        async with aclosing(command.submit(self.session, text)) as stream:
            async for event in stream:
                present.show(self, event)
        if self._queue and not self.session.asking:
            self._submit(self._queue.pop(0))

    # Hunks.

    def review(self) -> None:
        """Go to the hunks."""
        self._reviewing = True
        self._arrange()
        self.call_after_refresh(self.hunks.focus)  # it is in sight only after the next layout

    def compose_again(self, *, more: bool = False) -> None:
        """Go back to the composer, unless hunks still wait."""
        if more:
            return
        self._reviewing = False
        self._arrange()
        self.composer.focus()

    def on_patch_view_left(self) -> None:
        """Leave the hunks as they are."""
        self.compose_again()

    @work(exclusive=True, group="apply")
    async def on_patch_view_decided(self, message: PatchView.Decided) -> None:
        """Write what was taken."""
        from assistant.session import Decision

        if message.patch is None:
            return
        decision = Decision(
            message.patch, message.taken, message.undecided, message.skipped, message.edited, message.comments
        )
        try:
            async with aclosing(self.session.apply(decision)) as stream:
                async for event in stream:
                    present.show(self, event)
        except AssistantError as error:
            self.talk.add(str(error), "error")
            self.compose_again()

    @work(exclusive=True, group="ask")
    async def on_patch_view_wanted(self, message: PatchView.Wanted) -> None:
        """Edit a hunk, or comment on it."""
        from assistant.tui import pickers

        hunk = message.hunk
        if message.what == "edit":
            new = await self.app.push_screen_wait(pickers.Editor(f"{hunk.path}: the new lines", hunk.new_text))
            if new is not None:
                self.hunks.put(hunk, hunk.with_text(new))
        else:
            words = await self.app.push_screen_wait(pickers.Editor(f"{hunk.path}: a comment for the model", ""))
            if words and words.strip():
                self.hunks.note(hunk, words.strip())

    # Keys and what commands open.

    def action_stop(self) -> None:
        """Stop the running turn."""
        if self.session.asking:
            self.session.stop()
            if self._queue:
                self.composer.text = "\n".join(self._queue)
                self._queue.clear()

    def action_swap(self) -> None:
        """Go between composer and hunks."""
        if self._reviewing:
            self.compose_again()
        else:
            self.review()

    def action_model(self) -> None:
        """Choose a model."""
        self.open("model")

    def action_scroll(self, pages: int) -> None:
        """Scroll the pane in sight."""
        pane = self.hunks if self.hunks.has_focus else self.talk
        pane.scroll_relative(y=pages * max(1, pane.size.height - 2), animate=False)

    def action_interrupt(self) -> None:
        """Stop a turn, else clear the composer, else leave at the second time."""
        if self.session.asking:
            self.session.stop()
        elif self.composer.text:
            self.composer.text = ""
        elif self._leaving:
            self.app.exit(0)
        else:
            self._leaving = True
            self.talk.add("Ctrl+C again leaves.", "note")
            self.set_timer(2, self._stay)

    def _stay(self) -> None:
        self._leaving = False

    @work(exclusive=True, group="ask")
    async def open(self, what: str) -> None:
        """Open what a command asks for."""
        from assistant.tui import pickers

        match what:
            case "quit":
                self.app.exit(0)
            case "clear":
                self.talk.clear()
                self.hunks.show(None)
            case "diff":
                self.review()
            case "help":
                lines = [
                    f"/{name} {each.USAGE:<28} {(each.__doc__ or '').splitlines()[0]}"
                    for name, each in command.commands().items()
                ]
                await self.app.push_screen_wait(pickers.Page("Help", "\n".join(lines) + "\n" + _KEYS))
            case "model":
                await self._pick_model()
            case "file":
                files = await asyncio.to_thread(self.session.repo.files)
                path = await self.app.push_screen_wait(
                    pickers.Picker("Pin a file", [(each.path, each.path) for each in files])
                )
                if path:
                    self._submit(f"/add {path}")
            case _:
                pass

    async def _pick_model(self) -> None:
        from assistant.models.price import price_at
        from assistant.tui import pickers

        await self.session.find_local()
        keys = {each.provider.name for each in self.session.found()}
        rows = []
        for model in self.session.catalogue.models:
            provider = self.session.catalogue.providers[model.provider]
            price = price_at(model, self.session.now())
            money = f"{price.input:>5} in {price.output:>5} out /M {price.label}" if price else "price unknown"
            ready = "" if provider.name in keys or not provider.key_needed else "  (no key)"
            window = f"{model.context_window // 1000:>5}k" if model.context_window else "    ?"
            rows.append(
                (bool(ready), model.name, f"{model.name:<34} {window}  {money}  {self.session.payer(provider)}{ready}")
            )
        rows.sort(key=lambda row: row[0])
        name = await self.app.push_screen_wait(pickers.Picker("Choose a model", [(key, row) for _, key, row in rows]))
        if name:
            self._submit(f"/model {name}")
