"""Go to the hunks that are proposed; with a turn, to those of it, also where they were set aside undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import events
from assistant.arguments import Suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant.changes import Proposal
    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "[TURN]"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Open the hunks on offer, or those of a turn."""
    if argument and not argument.isdecimal():
        yield events.Notice(f"/diff {USAGE}", "warning")
    elif argument and not (_offered(session, int(argument)) or await _bring_back(session, int(argument))):
        aside = ", ".join(f"/diff {turn}" for turn in _turns(session))
        yield events.Notice(
            f"No hunks of turn {argument} wait.{f' Those that do: {aside}.' if aside else ''}", "warning"
        )
    elif session.proposed is None:
        aside = ", ".join(f"/diff {each.turn}" for each in session.changes.set_aside)
        yield events.Notice(f"No hunks wait for you.{f' Set aside: {aside}.' if aside else ''}")
    else:
        yield events.Asked("diff")


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer the turns whose hunks wait."""
    return [Suggestion(str(turn), about) for turn, about in _turns(session).items()] if len(words) == 1 else []


def _offered(session: Session, turn: int) -> bool:
    """Whether the hunks on offer belong to that turn, or are a repair of its hunks."""
    one = session.proposed
    return one is not None and turn in {each.turn for each in (one, *one.mended())}


async def _bring_back(session: Session, turn: int) -> bool:
    import asyncio

    return await asyncio.to_thread(session.pending.bring_back, turn)


def _turns(session: Session) -> dict[int, str]:
    """Return the turns whose hunks wait, the latest first, each with a description of its hunks."""
    one = session.proposed
    found = {} if one is None or not one.patch.files else {one.turn: f"{_size(one)}, on offer"}
    for each in reversed(session.changes.set_aside):
        found.setdefault(each.turn, f"{_size(each)}, set aside")
    return found


def _size(one: Proposal) -> str:
    size = len(one.patch.hunks)
    return f"{size} hunk{'s' if size > 1 else ''} in {', '.join(one.patch.paths)}"
