"""Questions on their way to the model: what is queued, what comes back unsent, and how the running one is doing."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from assistant import command
from assistant.events import TurnEnded

if TYPE_CHECKING:
    from assistant.tui.holding import Holding
    from assistant.tui.stage import Stage


def _is_void(ended: TurnEnded) -> bool:
    """Whether a turn left nothing in the conversation: no request was sent, or the provider refused it (a wrong key)."""
    return ended.sent is None or (ended.reply is None and ended.error is not None)


class Sending:
    """The queue of questions, and the one that is being asked."""

    def __init__(self, screen: Stage, holding: Holding) -> None:
        self.queue: list[str] = []
        self._screen = screen
        self._holding = holding
        self._going = 0
        """Questions on their way: one counts before its turn runs, so that what is sent right after it is queued."""
        self._asked_at = self._again_at = 0.0
        self._answers, self._does = "", "is asked"
        self._commands: list[tuple[str, float]] = []
        """Commands that run, each with when it began."""

    def sent(self, text: str) -> None:
        """Send words, or keep them until the running turn has ended; a command waits for nothing."""
        ahead = self._screen.session.asking or self._going or self._holding.about is not None
        if ahead and not command.is_command(text):
            self.queue.append(text)
            self._screen.label()
            return
        self._screen.submit(text)

    def begin(self, text: str) -> None:
        """Count a question that is about to be sent."""
        self._going += not command.is_command(text)

    async def send(self, text: str, *, once: bool) -> None:
        """Do what was typed, which `begin` has counted; a question that was not sent goes back to the composer."""
        screen, session = self._screen, self._screen.session
        turns = session.turn
        runs = (text.split(maxsplit=1)[0], monotonic()) if command.is_command(text) else None
        self._commands += filter(None, [runs])
        try:
            screen.talk.follow()  # whoever asks wants to see the answer, even after scrolling away
            if screen.hunks.preview is None:
                session.mark(screen.hunks.review, screen.hunks.subject.turn)
            ended = await screen.walk(command.submit(session, text, once=once))
        finally:
            self._going -= not command.is_command(text)
            if runs is not None:
                self._commands.remove(runs)
                screen.label()
        unsent = session.turn == turns or (isinstance(ended, TurnEnded) and _is_void(ended))
        if unsent and not command.is_command(text) and text.strip() != self._holding.about:
            if not self._holding.busy:  # nothing was sent (no model, no key, no room), nor would the queue be
                text = "\n".join([text, *self.queue])
                self.queue.clear()
            screen.composer.give_back(text)

    def send_next(self) -> bool:
        """Send the first of the queue if nothing is before it; return whether there was one."""
        if not self.queue or self._screen.session.asking or self._going or self._holding.busy:
            return False
        self._screen.submit(self.queue.pop(0))
        self._screen.label()
        return True

    def take_last(self) -> str:
        """Take the last of the queue out again, to be changed; empty if nothing is queued."""
        words = self.queue.pop() if self.queue else ""
        self._screen.label()
        return words

    def give_back(self) -> None:
        """Put what is queued back into the composer, before what is typed there."""
        composer = self._screen.composer
        if self.queue:
            composer.put("\n".join([*self.queue, composer.text]).rstrip("\n"))
            self.queue.clear()
            self._screen.label()

    def asked(self) -> None:
        """Note that a model is asked from now on: one that F3 chooses meanwhile is asked the next time."""
        pick = self._screen.session.roster.pick
        self._answers = ""
        self.turns_to(pick.model.name if pick is not None else "")

    def turns_to(self, model: str) -> None:
        """Note which model is asked in a step: for an edit, an opinion or a brief it may not be the main model."""
        if model != self._answers:
            self._asked_at, self._answers = monotonic(), model
        self.doing("is asked")

    def doing(self, what: str, again_s: float = 0.0) -> None:
        """Note for the label what the model does: it thinks, answers, or is tried again in so many seconds."""
        self._does, self._again_at = what, monotonic() + again_s

    def asks(self) -> tuple[str, str, str]:
        """Say who is asked, for how long, how to stop it; then without who, then without how.

        While nobody is asked, say which command runs; empty for none.
        """
        if not self._screen.session.asking:
            return (self._runs(),) * 3
        again = self._again_at - monotonic()
        does = f"tries again in {again:.0f} s" if again > 0 else f"{self._does}, {monotonic() - self._asked_at:.0f} s"
        stop = "Esc Esc" if self._screen.hunks.has_focus else "Esc"  # the first one leaves the hunks
        short = does.removeprefix("is ")
        return f"{self._answers} {does}; {stop} stops it", f"{short}; {stop} stops it", short

    def _runs(self) -> str:
        """Say which command runs, and for how long: a commit waits for the hooks of the repository. Empty for none."""
        name, began = self._commands[0] if self._commands else ("", 0.0)
        seconds = int(monotonic() - began)
        return f"{name} runs, {seconds} s" if name and seconds and len(self._screen.app.screen_stack) == 1 else ""

    def waits(self) -> str:
        """Say how many questions are queued; empty for none."""
        return f"{len(self.queue)} queued" if self.queue else ""
