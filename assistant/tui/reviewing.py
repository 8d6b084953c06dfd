"""What is done about a hunk on a screen of its own: editing it, commenting on a line of it, asking another model."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from assistant.errors import AssistantError, Stale
from assistant.tui import asking, editor, pickers

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.edits.journal import Preview
    from assistant.edits.review import Review
    from assistant.tui.stage import Stage

_BUSY = "a turn is running: wait for its end, or Esc Esc stops it"


async def decide(screen: Stage, review: Review, preview: Preview | None) -> None:
    """Write what was taken, or carry out an undo; the user confirms each file that runs by itself."""
    from assistant.edits import disk

    if preview is not None:
        if not review.taken:
            screen.hunks.tell_hint(f"nothing is marked: y marks a hunk to {preview.way}")
            return
        error = await screen.walk(screen.session.deciding.choose(preview, review))
        if isinstance(error, AssistantError) and screen.hunks.review is review:
            screen.hunks.tell_refused(f"not {'undone' if preview.way == 'undo' else 'redone'}: {error.message}")
        return
    risks = disk.risks(review.part()[0])
    if risks:
        words = "\n".join(f"{path}\n    {why}" for path, why in risks.items())
        if not await screen.app.push_screen_wait(
            pickers.Confirm("These files run without anybody calling them", words)
        ):
            screen.hunks.tell_hint("not written")
            return
    error = await screen.walk(screen.session.deciding.apply(review, at_once=True))
    if screen.hunks.review is not review:
        return
    if isinstance(error, Stale) and error.lost:
        screen.hunks.tell_lost(error.message, error.lost)
        screen.price_repair()
    else:
        screen.hunks.tell_hint("not written: q leads to the words that say why")


async def _send_back(screen: Stage) -> None:
    """Send what found no place back to the model, with hunks that have lost theirs; the others keep their marks."""
    from assistant.tui import present

    view, session = screen.hunks, screen.session
    if session.asking:
        view.tell_hint(_BUSY)
        return
    if view.left and view.review is not None:
        rest = await asyncio.to_thread(session.changes.let_go, view.review)
        await asyncio.to_thread(session.pending.keep)
        if rest is not None:
            view.put(rest)
        present.show_proposal(screen)
    screen.show_talk()
    screen.run_turn(session.turns.repair())


async def do(screen: Stage, what: str, index: int, line: int) -> None:
    """Do what was asked for; the review changes only if the user goes through with it."""
    view = screen.hunks
    if what == "help":
        await asking.open_sheet(screen, "help", "hunks")
        return
    if what == "repair":
        await _send_back(screen)
        return
    if view.review is None:
        return
    hunk = view.review.choices[index].hunk
    where = _Place(screen, index)
    match what:
        case "edit":
            new = await screen.app.push_screen_wait(pickers.Editor(f"{hunk.path}: the new lines", hunk.new_text))
        case "editor":
            new = await editor.edit(screen, hunk.new_text, PurePosixPath(hunk.path).suffix)
        case "comment":
            before = view.review.commented(index, line)
            words = await screen.app.push_screen_wait(pickers.Note(f"{hunk.path}: a comment for the model", before))
            if words is not None and words.strip() != before:
                hint = "kept for the model with your next question" if words.strip() else "the comment is taken back"
                if screen.session.sight.spoken(words)[1]:
                    hint = f"{hint}; the secret in it is masked"
                where.put(lambda review, at: review.comment(at, line, words.strip()), words, hint)
            return
        case _ if screen.session.asking:
            view.tell_hint(_BUSY)
            return
        case _:
            one = screen.session.proposed
            writer = one.origin(hunk).writer if one is not None else ""  # this model has had its say
            size = await asyncio.to_thread(screen.session.turns.opinion_words, hunk)
            title = f"Who gives a second opinion? ~{size:,} tokens to read"
            name = await asking.pick_model(screen, title, but=writer)
            if name:
                screen.talk.add(f"Second opinion on {hunk.path}:{hunk.old_start}; F2 leads back to the hunks.", "fold")
                screen.show_talk()
                screen.run_turn(
                    screen.session.turns.second_opinion(hunk, name), "F2, then o again chooses another model."
                )
            return
    if new is not None and new != hunk.new_text:
        where.put(lambda review, at: review.edit(at, new), new, decided=True)


class _Place:
    """A hunk as it was when a sheet was opened for it: others may have taken its place behind the sheet."""

    def __init__(self, screen: Stage, index: int) -> None:
        self._screen = screen
        self._turn = screen.hunks.subject.turn
        self._preview = screen.hunks.preview
        review = screen.hunks.review
        self._hunk = review.choices[index].hunk if review is not None else None
        self._index = index

    def put(
        self, change: Callable[[Review, int], Review], words: str, hint: str = "", *, decided: bool = False
    ) -> None:
        """Change the review that holds the hunk, even out of sight; if none does any more, show the words instead."""
        view = self._screen.hunks
        one, aside = self._screen.session.proposed, self._screen.session.changes.set_aside
        mended = [each.turn for each in one.mended()] if one is not None else []  # a repair came on top of it
        in_sight = view.preview is self._preview and self._turn in {view.subject.turn, *mended}
        kept = view.kept() if any(each.turn == self._turn for each in aside) else {}
        review = view.review if in_sight else kept.get(self._turn)
        at = self._found(review)
        if review is None or at is None:
            self._screen.talk.add(f"The hunk is not there any more, so this was not kept:\n{words}", "error")
            self._screen.show_talk()
            return
        try:
            changed = change(review, at)
        except (AssistantError, UnicodeEncodeError) as error:
            self._screen.talk.add(f"The hunk cannot be changed so: {error}", "error")
            return
        if in_sight:
            view.put(changed, changed.next_undecided(at) if decided else None, hint)
            return
        view.keep(self._turn, changed)
        self._screen.session.mark(changed, self._turn)
        view.tell_hint(f"kept with the hunks of turn {self._turn}, which others took the place of: /diff {self._turn}")

    def _found(self, review: Review | None) -> int | None:
        """Return where the hunk is in a review by now."""
        mine = self._hunk
        if mine is None or review is None:
            return None
        does = (mine.path, mine.kind, mine.old, mine.new)  # it may be at another line by now
        found = enumerate(each.hunk for each in review.choices)
        same = [at for at, each in found if (each.path, each.kind, each.old, each.new) == does]
        return min(same, key=lambda at: abs(at - self._index), default=None)
