"""A question that was held: the ways out of it, and waiting for a reset with the question kept. Nothing is chosen unasked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant import command

if TYPE_CHECKING:
    from datetime import datetime

    from assistant.quota.caps import Hold, WayOut
    from assistant.tui.stage import Stage

_BEAT_S = 0.1
_SLACK_S = 3.0
"""Seconds to wait after a reset before a question is sent: clocks differ."""


class Holding:
    """The waiting question: `text` is sent at `at`, empty for none; `busy` while it waits or its sheet is open."""

    def __init__(self, screen: Stage) -> None:
        self.text = ""
        self.at: datetime | None = None
        self.about: str | None = None
        """The held question that the user is asked about, or soon will be; None if no such sheet is open or coming."""
        self._screen = screen
        self._resting = False
        self._asks = self._asks_for = ""
        """The provider that is being asked for its figures, and the question to send after that; empty if none is."""

    @property
    def busy(self) -> bool:
        """Whether nothing else may be sent by itself."""
        return self.about is not None or self.at is not None or bool(self._asks)

    async def offer(self, hold: Hold) -> None:
        """Let the user choose a way out; without one, the question and what is queued after it are given back."""
        from assistant.tui.ways import WaySheet

        screen = self._screen
        self.about = hold.text
        if self.at is None and hold.text:  # if the program ends meanwhile, the question comes back
            screen.session.hold_question(hold.text, hold.until or self._now())
        try:
            await self._until_hands_rest()
            known = ways(hold, self._now())
            sheet = WaySheet("Held back", hold.why, known, "leaves the question in the composer", screen.composer.type)
            answer = await screen.app.push_screen_wait(sheet)
        finally:
            if self.about == hold.text:  # otherwise another sheet has taken its place
                self.about = None
        kind, _, model = (answer or "").partition(" ")
        match kind:
            case "":
                self._back(hold.text)
            case "model":
                await self._switch(model, hold.text)
            case "once":
                self._send(hold.text, once=True)
            case "read":
                if await self._read(hold.text):
                    self._send(hold.text)
            case _:
                if self.at is not None and self.text and self.text != hold.text:
                    screen.composer.sent.append(self.text)  # only one waits
                    screen.talk.add("The question that waited before waits no more; Up brings it back.", "note")
                self.text, self.at = hold.text, hold.until
                screen.session.hold_question(self.text, self.at)
                screen.talk.add(f"waits: {self.label()}. Escape gives the question back.", "note")
                screen.label()

    async def _until_hands_rest(self) -> None:
        """Wait for a pause in typing, and until no sheet or hunks have the keys: those must not choose here."""
        screen = self._screen
        while screen.composer.is_typing or screen.hunks.has_focus or len(screen.app.screen_stack) > 1:
            self._resting = True
            self._screen.label()
            await asyncio.sleep(_BEAT_S)
        self._resting = False
        self._screen.label()

    async def _switch(self, model: str, text: str) -> None:
        """Ask another model, once the user has said what becomes of the conversation; else give the question back."""
        from assistant.tui import asking

        screen = self._screen
        typed = f"/model {model}"
        if screen.session.handover.needed(model):
            typed = await asking.open_sheet(screen, "switch", model)
        if typed:
            await screen.walk(command.submit(screen.session, typed))
        pick = screen.session.roster.pick
        if typed and pick is not None and pick.model.name == model:
            self._send(text)
        else:
            self._back(text)

    def _release(self, text: str) -> None:
        """Remove a held question from the conversation's file: it is about to be sent, or back in the composer."""
        waits = self._screen.session.held_question
        if waits is not None and waits.text == text:  # another one may wait as well
            self._screen.session.hold_question("")

    def _send(self, text: str, *, once: bool = False) -> None:
        self._release(text)
        self._screen.submit(text, once=once)

    async def _read(self, text: str) -> bool:
        """Ask the provider of the present model for its figures, and report the result.

        Returns whether the question still waits for them: Escape gives it back meanwhile.
        """
        from assistant.quota import wording

        session = self._screen.session
        pick = session.roster.present()
        title = pick.provider.title
        self._asks, self._asks_for = title, text
        self._screen.label()
        try:
            polled = await session.ask_standing()
            waits = self._asks_for == text
        except asyncio.CancelledError:  # another question is held, and its sheet takes the place of this
            if self._asks_for == text:
                self._back(text)
            raise
        finally:
            self._asks = self._asks_for = ""
            self._screen.label()
        await self._screen.walk(session.meter())
        again = (
            f" It can be asked again at {wording.clock(polled.next_at, self._now())}."
            if polled and polled.next_at
            else ""
        )
        if polled is None:
            words = f"{title} cannot be asked for its figures."
        elif polled.note:
            words = f"{title} could not be asked: {polled.note}.{again}"
        elif not polled.count:
            words = f"{title} was asked a moment ago.{again}"
        else:
            words = f"{title} has told its figures.{again}"
        self._screen.talk.add(words, "note")
        if waits and not session.roster.asks(pick.name):  # waiting for one plan is no wish to pay another
            self._screen.talk.add("Another model was chosen meanwhile: the question was not sent.", "note")
            self._back(text)
            return False
        return waits

    def _back(self, text: str) -> None:
        """Put a question, and what is queued after it, back into the composer: nothing else would send that."""
        self._release(text)
        self._screen.sending.give_back()
        self._screen.composer.give_back(text)

    def label(self) -> str:
        """Say until when the question waits; empty if none does."""
        if self._resting:
            return "held back: why is shown when you pause here"
        if self._asks:
            return f"asks {self._asks} for its figures; Esc stops it"
        if self.at is None:
            return ""
        from assistant.quota import wording

        return f"goes out at {wording.clock(self.at, self._now())}"

    def tick(self) -> None:
        """Send what waits once its time has come."""
        waits = self._screen.session.held_question
        if waits is None or waits.text != self.text:  # another conversation is just being taken up
            return
        if self.at is None or self._screen.session.asking or (self._now() - self.at).total_seconds() < _SLACK_S:
            return
        if not self._screen.session.roster.asks(waits.model):  # waiting for one plan is no wish to pay another
            self.forget()
            self._screen.go_on_waiting()
            return
        text = self.stop()
        self._screen.talk.add("The wait is over; the question goes out.", "good")
        self._screen.submit(text)

    def stop(self) -> str:
        """Stop waiting; return the question, empty for none."""
        if text := self._asks_for:  # one that waits for a reset goes on waiting
            self._asks = self._asks_for = ""
            self._screen.label()
            self._release(text)
            return text
        text = self.text
        self.forget()
        if text:  # a waiting question that was not offered yet is not ours to delete
            self._screen.session.hold_question("")
        return text

    def forget(self) -> None:
        """Send nothing any more: another conversation begins. What waits is kept with its own conversation."""
        self.text, self.at = "", None
        self._asks = self._asks_for = ""
        self._screen.label()

    async def go_on(self) -> None:
        """Offer again what waited for a reset when the conversation was left. Raises ConfigError."""
        hold = await asyncio.to_thread(self._screen.session.still_held)
        if hold is not None:
            self._screen.held(hold)

    def _now(self) -> datetime:
        return self._screen.session.now()


def ways(hold: Hold, now: datetime) -> list[tuple[str, str, str]]:
    """Return the keys of a hold: numbers for models, `o` once, `r` ask who pays, `w` wait, `s` after the wait."""
    found = []
    number = 0
    for each in hold.offers:
        if each.kind in {"cheaper", "switch"}:
            number += 1
            found.append((str(number), f"model {each.model}", f"ask {each.model}{_cost(each)}"))
        elif each.kind == "once":
            found.append(("o", "once", "send it all the same, this once"))
        elif each.kind == "read":
            found.append(("r", "read", "ask the provider for its figures, and send it if there is room"))
        elif each.at is not None and each.at <= now:
            found.append(("s", "wait", "send it now"))
        elif each.at is not None:
            from assistant.quota import wording

            when = f"{wording.clock(each.at, now)}, in {wording.countdown(each.at, now)}"
            found.append(("w", "wait", f"wait and send it by itself ({when})"))
    return found


def _cost(offer: WayOut) -> str:
    if offer.cost is None:
        return ""
    return f"  (about {offer.cost} with the answer)" if offer.cost.amount else f"  ({offer.cost})"
