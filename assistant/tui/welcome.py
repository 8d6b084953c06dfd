"""The first words of a sitting: where it is, what was restored, who is asked; without a model, what was found."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from assistant import events
from assistant.errors import ConfigError
from assistant.tui import present

if TYPE_CHECKING:
    from assistant.tui.stage import Stage

_PRACTICE = "scripted/"
Resume = Literal["", "last", "choose"]
"""Which earlier conversation is resumed: none, the last, or one that the user chooses."""


async def greet(screen: Stage, model: str, *, resume: Resume) -> None:
    """Greet, resume what was left, and begin with the model that was named or used last. Raises AssistantError."""
    session, talk = screen.session, screen.talk
    for words in await asyncio.to_thread(session.recover):
        talk.add(words, "warning")
    kind = "" if session.repo.is_git else "  (not a git repository: a plain folder)"
    talk.add(f"Wattson in {session.root}{kind}", "head")
    for warning in session.troubles():
        talk.add(warning, "warning")
    if (session.places.data / "editor").is_dir():  # rarely so
        from assistant.tui import editor

        for place in editor.left_behind(session.places):
            words = f"What was in your editor when an earlier Wattson ended is kept in {place}. Remove that once it is of no use."
            talk.add(words, "warning")
    if resume == "last":
        await _take_up(screen)
    if waiting := await asyncio.to_thread(session.conversations.waiting):
        where = "an earlier conversation" if waiting == 1 else f"{waiting} earlier conversations"
        talk.add(f"A question waits in {where}: /resume", "note")
    name = model or session.asked_last or session.config.model
    if not name:
        await _first_run(screen)
        await screen.holding.go_on()
        return
    try:
        present.show(screen, session.switch(name))
    except ConfigError as error:
        if name != session.asked_last or not session.config.model:
            raise
        talk.add(f"This conversation was with {name}: {error}", "warning")
        present.show(screen, session.switch(name := session.config.model))
    if name.startswith(_PRACTICE):
        from assistant.models import practice

        what = "Type: add a limit to the kettle" if practice.is_for(session.root) else practice.ELSEWHERE
        talk.add(f"This is a practice session: the model is scripted, everything else is real. {what}", "note")
    present.show(screen, events.MeterMoved(await asyncio.to_thread(session.accounts.meters)))
    await screen.holding.go_on()


async def _take_up(screen: Stage) -> None:
    session, talk = screen.session, screen.talk
    count = await asyncio.to_thread(session.take_up)
    show_talk(screen)
    if session.held_question is not None and not count:
        return
    shown = sum(message.pictures for message in session.history)
    pictures = f", with {shown} picture{'s' if shown > 1 else ''}" if shown else ""
    back = f"{count} messages of the last conversation are back{pictures}."
    talk.add(back if count else "There is no conversation here yet.", "note")
    for words in session.troubles():
        talk.add(words, "warning")
    if session.cut_short:
        talk.add(session.cut_short, "warning")


def show_talk(screen: Stage) -> None:
    """Show the conversation as it would be sent, and the hunks that still wait."""
    from assistant.models.message import Text

    for message in screen.session.history:
        if message.role == "user":
            *told, words = [part.text for part in message.parts if isinstance(part, Text)] or [""]
            for each in told:
                screen.talk.add(each.strip(), "note")
            screen.talk.add(words, "user")
        else:
            _retell(screen, message.text)
    if screen.session.proposed is not None:
        present.show_proposal(screen)
        screen.talk.add("The hunks that were not decided wait for you: F2", "fold")
        screen.compose_again()


def _retell(screen: Stage, answer: str) -> None:
    """Show an answer again, with its edits folded as they were at first."""
    from assistant.edits import format as edit_format
    from assistant.edits.edit import Edit

    parser = edit_format.open_parser()
    for line in answer.splitlines(keepends=True):
        screen.talk.append(line)
        for each in parser.feed(line):
            if isinstance(each, Edit) and not each.part:
                present.fold(screen.talk, each)
    for each in parser.close():
        if isinstance(each, Edit) and not each.part:
            present.fold(screen.talk, each)
    screen.talk.end()


async def _first_run(screen: Stage) -> None:
    """Say what was found and who would pay; choose nothing for the user."""
    session, talk = screen.session, screen.talk
    found = session.roster.found()
    servers = await session.roster.find_local()
    lines = ["No model is chosen yet. What is here:"]
    for each in found:
        payer = session.roster.payer(each.provider)
        lines.append(f"  {each.provider.title}: key {each.masked} from {each.source}; {payer}")
    for server in servers:
        names = ", ".join(model.id for model in server.models) or "no model is loaded"
        lines.append(f"  {server.title} on this machine: {names}; free")
    if not found and not servers:
        lines.append("  no key in the environment and no local server; that is no error")
        lines.append("  a key is read from ANTHROPIC_API_KEY, OPENAI_API_KEY ...: `wattson doctor` names them all")
    lines += [
        "",
        "F3 or /model chooses a model. Nothing is chosen, and nobody pays, without you.",
        "`wattson demo`  practises without a key, in a scratch repository of its own.",
        "/help or ? shows all keys.",
    ]
    talk.add("\n".join(lines))
