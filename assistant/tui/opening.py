"""What a command asks the screen for: to leave, another conversation, the clipboard, the hunks, or a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.errors import AssistantError
from assistant.tui import present

if TYPE_CHECKING:
    from assistant.tui.stage import Stage


def show(screen: Stage, what: str, argument: str) -> None:
    """Do what a command asks of the screen; a sheet gets a worker of its own."""
    match what:
        case "quit":
            screen.app.exit(0)
        case "clear":
            _leave_talk(screen)
            screen.tell_burnt()
            screen.arrange_panes()
        case "talk":
            from assistant.tui import welcome

            _leave_talk(screen)
            welcome.show_talk(screen)
            screen.tell_burnt()
            screen.arrange_panes()
            screen.go_on_waiting()
        case "copy":
            screen.app.copy_to_clipboard(argument)
            screen.talk.add(f"{len(argument):,} characters are on the clipboard, if the terminal lets us.", "note")
        case "diff":
            review, proposed = screen.hunks.review, screen.session.proposed
            if proposed is not None and (
                review is None or review.patch != proposed.patch or screen.hunks.preview is not None
            ):
                present.show_proposal(screen)
            screen.go_to_hunks()
        case _:
            screen.ask(what, argument)


def _leave_talk(screen: Stage) -> None:
    """Clear the conversation that was shown: what waits or is queued must not go out into another one."""
    screen.talk.clear()
    screen.hunks.forget()
    screen.holding.forget()
    screen.sending.give_back()


async def ask(screen: Stage, what: str, argument: str) -> None:
    """Open a sheet that asks or tells one thing; what is chosen there is submitted like a typed command."""
    from assistant.tui import asking

    try:
        typed = await asking.ask(screen, what, argument)
    except AssistantError as error:
        screen.talk.add(str(error), "error")
        return
    if typed:
        screen.submit(typed)
