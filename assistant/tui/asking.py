"""The screens that ask or tell one thing, and what a choice there is as a typed command."""

from __future__ import annotations

import asyncio
from textwrap import wrap
from typing import TYPE_CHECKING

from assistant import command
from assistant.tui import pickers

if TYPE_CHECKING:
    from assistant.tui.stage import Stage

_COLUMN = 16
_KEYS = """
Enter           send; Shift+Enter, Alt+Enter, Ctrl+J or a final \\ begins a new line
Up, Ctrl+R      what was asked before
@               a file, folder, symbol, @diff, @commit; Tab or Enter takes it
Ctrl+G          write the question in $EDITOR
Escape          stop the turn, keep what came; Ctrl+C also clears the composer, twice leaves
F2              between composer and hunks
F3, Alt+P       choose a model
F4              what would be sent, to drop, pin or let through
F5              the board: all plans and balances, and what was burnt
Ctrl+O          open or fold edits and thoughts in the conversation
Page Up, Down   scroll

In hunks:
y n u           take, skip, unmark the hunk (Space takes)
a d             take, skip all hunks of the file;  A X U  all of them
j k  up down    next and previous hunk; line by line
s S J           split into its changes; split above the line of the cursor; join with the next
x v i           more of the file around it; side by side; which reply it is from, how it was matched
e E             edit the new lines here; in $EDITOR
c               comment on the line for the model
o               a second opinion from another model
r               send what does not fit back to the model
Enter           write what is taken; what is not decided stays proposed
q, Escape       back to the composer
"""


async def ask(screen: Stage, what: str, argument: str) -> str:
    """Open one screen; returns what is to be submitted then, empty for nothing."""
    match what:
        case "help":
            await screen.app.push_screen_wait(pickers.Page("Help", _help(min(screen.app.size.width, 120) - 8)))
        case "model":
            name = await pick_model(screen, "Choose a model")
            return f"/model {name}" if name else ""
        case "file":
            files = await asyncio.to_thread(screen.session.sight.paths)
            path = await screen.app.push_screen_wait(pickers.Picker("Pin a file", [(each, each) for each in files]))
            return f"/add {path}" if path else ""
        case "context":
            from assistant.tui.manifest import Manifest

            await screen.app.push_screen_wait(Manifest(screen.session, screen.look, argument))
        case "history":
            return await _history(screen)
        case "usage":
            from assistant.tui.board import Board

            await screen.app.push_screen_wait(Board(screen.session, screen.look, argument))
        case "commit":
            words = await screen.app.push_screen_wait(pickers.Editor("Commit what was taken", argument))
            return f"/commit {words.strip()}" if words and words.strip() else ""
        case _:
            pass
    return ""


async def _history(screen: Stage) -> str:
    """Let the user choose a step of the journal; returns the command that shows what its undo or redo would write."""
    steps = await asyncio.to_thread(screen.session.journal.history)
    rows = []
    for step in reversed(steps):
        way = "redo" if step.state == "undone" else "undo"
        files = ", ".join(file.path for file in step.files)
        who = f"{step.model} {step.cost}".strip()
        size = f"+{step.added} -{step.removed}"
        words = (
            f"{step.id:>4}  {step.at.astimezone():%d %b %H:%M}  {step.state:<8} {size:<10} {files}  {step.label}  {who}"
        )
        rows.append((f"/{way} {step.id}", words))
    return await screen.app.push_screen_wait(pickers.Picker("What was written here", rows)) or ""


def _help(width: int) -> str:
    """Write keys and commands, each with what it does beside or below it, in lines of at most `width` cells."""
    rows = [(line[:_COLUMN].rstrip(), line[_COLUMN:]) for line in _KEYS.strip("\n").split("\n")]
    rows += [("", ""), ("Commands:", "")]
    for name, each in command.commands().items():
        aliases = f" (/{', /'.join(each.ALIASES)})" if each.ALIASES else ""
        rows.append((f"/{name} {each.USAGE}".rstrip(), (each.__doc__ or "").partition("\n")[0] + aliases))
    lines = []
    for head, words in rows:
        first, *more = wrap(words, max(20, width - _COLUMN)) or [""]
        lines += [f"{head:<{_COLUMN}}{first}"] if len(head) < _COLUMN else [head, f"{'':<{_COLUMN}}{first}"]
        lines += [f"{'':<{_COLUMN}}{line}" for line in more]
    return "\n".join(line.rstrip() for line in lines)


async def pick_model(screen: Stage, title: str) -> str | None:
    """Let the user choose a model; returns its name."""
    from assistant.models.price import price_at

    session = screen.session
    await session.roster.find_local()
    keys = {each.provider.name for each in session.roster.found()}
    rows = []
    for model in session.roster.catalogue.models:
        provider = session.roster.catalogue.providers[model.provider]
        price = price_at(model, session.now())
        money = f"{price.input:>5} in {price.output:>5} out /M {price.label}" if price else "price unknown"
        missing = provider.key_needed and provider.name not in keys
        window = f"{model.context_window // 1000:>5}k" if model.context_window else "    ?"
        words = f"{model.name:<34} {window}  {money}  {session.roster.payer(provider)}{'  (no key)' if missing else ''}"
        rows.append((missing, model.name, words))
    rows.sort(key=lambda row: row[0])
    return await screen.app.push_screen_wait(pickers.Picker(title, [(name, words) for _, name, words in rows]))
