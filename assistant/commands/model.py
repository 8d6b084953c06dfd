"""Choose the model that is asked from now on; the conversation goes along as a whole, as a brief, or as its last request.

`editor=` (or `small=`) gives that role to a model for this sitting; `none` lets the main model do the work itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from assistant import events
from assistant.arguments import Suggestion
from assistant.models.page import EFFORTS
from assistant.models.switch import Way

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant.models.listing import Row
    from assistant.models.roles import Role
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[[editor=] provider/model[:effort]] [everything | brief | last]"
SHELL = "-m"

_ROLES = {
    "editor": "writes the edits that the main model plans",
    "small": "writes commit messages and briefs",
}


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Switch the model, or give a role to one; during a conversation, first show what the switch means."""
    from contextlib import aclosing

    role, is_role, wish = argument.replace(" ", "").partition("=")
    if is_role and role in _ROLES:
        yield _play(session, role, wish)  # type: ignore[arg-type]
        return
    name, _, way = argument.rpartition(" ")
    if way not in get_args(Way) or not name:
        name, way = argument, ""
    if not name:
        yield events.Asked("model")
        return
    if not way and session.handover.needed(name):
        yield events.Asked("switch", name)
        return
    here = session.roster.pick
    async with aclosing(session.handover.go(name.strip(), way or "everything")) as stream:  # type: ignore[arg-type]
        async for event in stream:
            yield event
    pick = session.roster.pick
    if pick is not here and pick is not None and session.roster.lacks_key(pick.provider):
        names = " or ".join(pick.provider.key_names)
        yield events.Notice(
            f"No key for {pick.provider.title} is in sight: set {names}, unless the keyring holds it.", "warning"
        )
    if pick is not here and pick is not None and pick.provider.payer == "practice":
        from assistant.models import practice

        if not practice.is_for(session.root):
            yield events.Notice(practice.ELSEWHERE, "warning")
    if pick is not here:
        async with aclosing(session.meter()) as meter:
            async for moved in meter:
                yield moved


def _play(session: Session, role: Role, wish: str) -> events.Notice:
    """Give a role to a model, or to none; return the message that says which model has it from the next question on."""
    cast = session.roster.set_role(role, "" if wish == "none" else wish)
    if cast is None:
        return events.Notice("The main model writes its edits itself." if role == "editor" else f"Nobody is {role}.")
    if cast.fell_back:
        return events.Notice(f"{cast.why}; the main model does it itself.", "warning")
    payer = session.roster.payer(cast.pick.provider)
    doubt = session.roster.catalogue.doubt(cast.pick)
    words = f"{cast.pick.name} {_ROLES[role]} in this sitting; {payer} pays. [roles] keeps it."
    return events.Notice(f"{words} {doubt}", "warning") if doubt else events.Notice(words, "good")


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer models (favourites and those with a key first), roles and their models, efforts, then ways to switch.

    Efforts come behind a colon, models of a role behind `=`.
    """
    *before, typed = words
    role, is_role, name = "".join(words).partition("=")
    if before and not (is_role and role in _ROLES):
        ways = {"everything": "as it is", "brief": "as a brief of it", "last": "only the last request"}
        return [Suggestion(way, f"the conversation goes along {how}") for way, how in ways.items() if len(before) == 1]
    head = f"{role}=" if is_role else ""
    lead = head if not before else ""
    rows = session.roster.rows(session.now())
    asked, colon, _ = name.rpartition(":") if is_role else typed.rpartition(":")
    row = next((row for row in rows if colon and row.name == asked), None)
    if row is not None:
        return [Suggestion(f"{lead}{row.name}:{level}", "how hard it thinks") for level in row.model.efforts or EFFORTS]
    models = [Suggestion(lead + row.name, _about(row)) for row in rows]
    if is_role:
        return [Suggestion(f"{lead}none", "the main model does it itself"), *models]
    return [*models, *(Suggestion(f"{role}=", f"who {does}") for role, does in _ROLES.items())]


def _about(row: Row) -> str:
    """Describe a model: favourite or not, who pays, and whether it has a key."""
    return ", ".join(
        words for words in ("★" if row.favourite is not None else "", row.payer, "" if row.ready else "no key") if words
    )
