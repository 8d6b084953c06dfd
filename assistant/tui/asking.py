"""What a command asks the screen for: to leave, another conversation, the clipboard, the hunks, or a sheet.

A sheet asks or tells one thing; what is chosen there becomes a typed command.
"""

from __future__ import annotations

import asyncio
from textwrap import wrap
from typing import TYPE_CHECKING

from assistant import command
from assistant.errors import AssistantError, ConfigError, StateError
from assistant.tui import pickers, present
from assistant.tui.figures import short

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from assistant.models.listing import Row
    from assistant.models.switch import Carried
    from assistant.tui.stage import Stage

_COLUMN = 16
_TYPING = """
Enter           send; Shift+Enter, Alt+Enter, Ctrl+J or a final \\ begins a new line
Up, Ctrl+R      what was asked before; Up takes the last of the queue back
@               a file, folder, symbol, @diff, @commit; Tab or Enter takes it
/               a command; behind it what it may be about: Tab takes it, Enter takes it and runs
Ctrl+G          write the question in $EDITOR
Escape          stop the turn, keep what came; close a sheet
Ctrl+C          copy what is selected, stop the turn, close a sheet or clear the composer; twice, leave
F2              between composer and hunks
F3, Alt+P       choose a model; Ctrl+F there makes a favourite of it
Ctrl+P          go on with the next favourite
F4              what would be sent, to drop, pin or let through
F5              the board: all plans and balances, and what was burnt
Ctrl+O          open or fold edits and thoughts in the conversation
Page Up, Down   scroll; Home and End (with Ctrl where something is typed) go to the ends of the conversation
Mouse           drag selects, in hunks without numbers and signs, Ctrl+C copies; with Shift the terminal's own selection
"""
_REVIEWING = """
In hunks:
y n u           take, skip, unmark the hunk (Space takes)
a d             take, skip all hunks of the file;  A X U  all of them
j k  up down    next and previous hunk; line by line; Page Up, Down by a screen
s S J           split into its changes; split above the line of the cursor; join with the next
x v i           more of the file around it; side by side; which reply it is from, how it was matched
e E             edit the new lines here; in $EDITOR
c               comment on the line for the model
o               a second opinion from another model
r               send what does not fit, or does not any more, back to the model
Enter           write what is taken; what is not decided stays proposed
q, Escape       back to the composer; / begins a command
"""


def do(screen: Stage, what: str, argument: str) -> None:
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
    try:
        typed = await open_sheet(screen, what, argument)
    except AssistantError as error:
        screen.talk.add(str(error), "error")
        return
    if typed:
        screen.submit(typed)


async def open_sheet(screen: Stage, what: str, argument: str) -> str:
    """Open one sheet; return the command to submit then, empty for none."""
    match what:
        case "help":
            await screen.app.push_screen_wait(
                pickers.Page("Help", _help(min(screen.app.size.width, 120) - 8, argument))
            )
        case "model":
            name = await pick_model(screen, "Choose a model", switching=True)
            return f"/model {name}" if name else ""
        case "switch":
            return await _switch(screen, argument)
        case "file":
            files = await asyncio.to_thread(screen.session.sight.paths)
            path = await screen.app.push_screen_wait(pickers.Picker("Pin a file", [(each, each) for each in files]))
            return f"/add {path}" if path else ""
        case "context":
            from assistant.tui.manifest import Manifest

            await screen.app.push_screen_wait(Manifest(screen.session, screen.look, argument))
            screen.price_anew()
        case "history":
            return await _history(screen)
        case "resume":
            return await _resume(screen)
        case "compact":
            return await _compact(screen)
        case "usage":
            from assistant.tui.board import Board

            await screen.app.push_screen_wait(Board(screen.session, screen.look, argument))
        case "commit":
            patch = await asyncio.to_thread(screen.session.committing.to_commit)
            title = f"Commit what was taken of {present.listed(patch.paths, 3)} (+{patch.added} -{patch.removed})"
            words = await screen.app.push_screen_wait(pickers.Editor(title, argument))
            return f"/commit {words.strip()}" if words and words.strip() else ""
        case _:
            pass
    return ""


async def _history(screen: Stage) -> str:
    """Let the user choose a step of the journal; returns the command that shows what its undo or redo would write."""
    steps = (await asyncio.to_thread(screen.session.journal.history))[::-1]
    told = [
        (str(each.id), each.cost, each.state, f"+{each.added} -{each.removed}", f"{each.at.astimezone():%d %b %H:%M}")
        for each in steps
    ]
    widths = [max(map(len, column)) for column in zip(*told, strict=True)]
    rows = []
    for step, cells in zip(steps, told, strict=True):
        way = "redo" if step.state == "undone" else "undo"
        files = ", ".join(file.path for file in step.files)
        figures = "  ".join(f"{each:<{width}}" for each, width in zip(cells, widths, strict=True))
        rows.append((f"/{way} {step.id}", f"{figures}  {files}  {step.label}  {step.model}".rstrip()))
    return await screen.app.push_screen_wait(pickers.Picker("What was written here", rows)) or ""


async def _resume(screen: Stage) -> str:
    """Let the user choose an earlier conversation; returns the command that takes it up."""
    kept = await asyncio.to_thread(screen.session.conversations.kept)
    if not kept:
        screen.talk.add("There is no earlier conversation here.", "note")
        return ""
    rows = [(each.name, f"{each.at.astimezone():%d %b %Y %H:%M}  {' '.join(each.first.split())}") for each in kept]
    name = await screen.app.push_screen_wait(pickers.Picker("Conversations of this folder", rows))
    return f"/resume {name}" if name else ""


async def _compact(screen: Stage) -> str:
    """Show what a shorter conversation would save and cost; returns the command that makes it short."""
    from assistant.tui.ways import WaySheet

    session = screen.session
    offer = await asyncio.to_thread(session.handover.offer, session.roster.present().model.name)
    size = {way.way: f"~{short(way.tokens[1])}" for way in offer.sheet.ways}
    words = (
        f"{len(session.history)} messages: the next question sends {size['everything']} tokens with all of them"
        + (f", {short(offer.sheet.cached)} of which the cache may have." if offer.sheet.cached else ".")
        + " All of it stays on disk, and /compact undo brings it back."
    )
    ways = [
        ("b", "/compact brief", f"a brief in its place: {size['brief']} tokens; {offer.writing}"),
        ("l", "/compact last", f"only the last request: {size['last']} tokens"),
    ]
    return (
        await screen.app.push_screen_wait(WaySheet("Make the conversation short?", words, ways, "leaves it as it is"))
        or ""
    )


def _help(width: int, where: str) -> str:
    """Write keys and commands, each with what it does beside or below it, in lines of at most `width` cells.

    With "hunks" as `where`, the keys for hunks come first.
    """
    parts = [_TYPING, _REVIEWING] if where != "hunks" else [_REVIEWING, f"\nIn the composer:{_TYPING}"]
    rows = [(line[:_COLUMN].rstrip(), line[_COLUMN:]) for line in "".join(parts).strip("\n").split("\n")]
    rows += [("", ""), ("Commands:", "")]
    for name, each in command.commands().items():
        aliases = f" (/{', /'.join(each.ALIASES)})" if each.ALIASES else ""
        rows.append((f"/{name} {each.USAGE}".rstrip(), (each.__doc__ or "").partition("\n")[0] + aliases))
    lines = []
    for head, words in rows:
        if width < 2 * _COLUMN + 4 and words:  # no room for words beside the keys: they stand below
            lines += [*wrap(head, width), *(f"  {line}" for line in wrap(words, width - 2))]
            continue
        first, *more = wrap(words, max(20, width - _COLUMN)) or [""]
        lines += [f"{head:<{_COLUMN}}{first}"] if len(head) < _COLUMN else [head, f"{'':<{_COLUMN}}{first}"]
        lines += [f"{'':<{_COLUMN}}{line}" for line in more]
    return "\n".join(line.rstrip() for line in lines)


async def pick_model(screen: Stage, title: str, *, switching: bool = False, but: str = "") -> str | None:
    """Let the user choose a model; return its name.

    With `switching`, each row shows what it means for the conversation. The model named by `but` comes last, followed
    only by models that nobody can pay for now.
    """
    from assistant.tui.choosing import ModelPicker

    session = screen.session
    roster, now = session.roster, session.now()

    def listed() -> list[Row]:
        return sorted(roster.rows(now), key=lambda row: row.name == but)

    def effects(rows: list[Row]) -> Mapping[str, Carried]:
        return session.handover.effects([row.name for row in rows]) if switching else {}

    def used_up(rows: list[Row]) -> Mapping[str, str]:
        try:
            return session.limits.used_up([row.name for row in rows if row.ready])
        except (ConfigError, StateError):
            return {}  # the user is told when asking a question

    async def look() -> AsyncIterator[tuple[list[Row], Mapping[str, Carried], Mapping[str, str]]]:
        spent = await asyncio.to_thread(used_up, rows)
        yield rows, {}, spent
        try:
            await roster.find_local()
        except ConfigError as error:  # an unusable proxy or certificate: the rest of the list can still be shown
            screen.talk.add(str(error), "error")
        found = await asyncio.to_thread(listed)
        yield found, {}, spent
        yield found, await asyncio.to_thread(effects, found), await asyncio.to_thread(used_up, found)

    def like(name: str) -> list[Row]:
        roster.like(name)
        return listed()

    rows = await asyncio.to_thread(listed)
    return await screen.app.push_screen_wait(ModelPicker(title, rows, like, look()))


async def _switch(screen: Stage, name: str) -> str:
    """Show what a switch means, or one to the next favourite if that is wanted; return the command that does it."""
    from assistant.tui.switching import NEXT, SwitchSheet

    session = screen.session
    while True:
        offer = await asyncio.to_thread(session.handover.offer, name)
        sheet = SwitchSheet(offer, trouble=session.handover.trouble)
        way = await screen.app.push_screen_wait(sheet)
        session.handover.trouble = ""
        if way != NEXT:
            return f"/model {name} {way}" if way else ""
        name = session.roster.next_favourite(name) or name
        if not session.handover.needed(name):
            return ""
