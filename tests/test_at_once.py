"""Two things at once in one session: a turn ends while hunks are written, and what was written stays written."""

import asyncio
import fcntl
from contextlib import asynccontextmanager

import pytest

from assistant import command, events
from assistant.edits.review import Review
from assistant.errors import Stale
from tests import loopback
from tests.turns import of, walk

KEY = "k" * 20
TWO = "Here.\n\n*** Begin Patch\n*** Add File: one.txt\n+hello\n*** Add File: two.txt\n+hello\n*** End Patch\n"
THREE = "Here.\n\n*** Begin Patch\n*** Add File: three.txt\n+hello\n*** End Patch\n"
LIMIT = "Here.\n\nnotes.txt\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"
NONE = "Here.\n\nnotes.txt\n<<<<<<< SEARCH\nmissing\n=======\nnew\n>>>>>>> REPLACE\n"
ONE = "Here.\n\n*** Begin Patch\n*** Add File: one.txt\n+hello\n*** End Patch\n"


@asynccontextmanager
async def slowly(session):
    """Keep the journal taken, as another window that writes does."""
    folder = session.journal._archive.folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


async def test_hunks_of_an_answer_that_ends_while_others_are_written_wait_for_decisions(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, THREE))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("one and two"))
        review = Review.of(session.proposed.patch).mark(0, "take")
        async with slowly(session):
            writing = asyncio.create_task(walk(session.deciding.apply(review)))
            await asyncio.sleep(0.1)
            await walk(session.ask("three"))
        applied = of(await writing, events.PatchApplied)[0]
        assert (applied.patch.paths, applied.left.paths) == (("one.txt",), ("three.txt",))
        assert (session.proposed.turn, session.proposed.patch.paths) == (2, ("three.txt",))
        assert [(each.turn, each.patch.paths) for each in session.changes.set_aside] == [(1, ("two.txt",))]
        await session.close()
    again = make_session()
    again.take_up()
    assert again.proposed.patch.paths == ("three.txt",)
    assert again.pending.bring_back(1)
    assert again.proposed.patch.paths == ("two.txt",)
    await walk(again.deciding.apply(Review.of(again.proposed.patch, "take")))
    assert (repo / "two.txt").read_text() == "hello\n"
    assert not (repo / "three.txt").exists()
    await again.close()


async def test_what_was_shown_is_written_as_what_it_is_although_an_answer_came_behind_it(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, THREE))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("one and two"))
        shown = session.proposed.patch
        await walk(session.ask("three"))
        await walk(session.deciding.apply(Review.of(shown, "take")))
        assert session.proposed.patch.paths == ("three.txt",)
        assert session.changes.set_aside == []
        assert [step.label for step in session.journal.history()] == ["turn 1"]
        await session.close()


async def test_a_repair_that_comes_while_hunks_are_written_does_not_offer_them_again(make_session, repo):
    (repo / "notes.txt").write_text("old\n")
    with loopback.Server(*map(loopback.openai, (ONE + NONE, NONE, LIMIT))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("one, and the notes"))
        review = Review.of(session.proposed.patch, "take")
        async with slowly(session):
            writing = asyncio.create_task(walk(session.deciding.apply(review)))
            await asyncio.sleep(0.1)
            await walk(session.turns.repair())
            assert session.proposed.patch.paths == ("one.txt", "notes.txt")
        await writing
        assert session.proposed.patch.paths == ("notes.txt",)
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        assert (repo / "notes.txt").read_text() == "new\n"
        await session.close()


async def test_hunks_that_are_moved_while_others_came_do_not_push_those_away(make_session, repo):
    (repo / "notes.txt").write_text("old\n" + "same\n" * 9)
    with loopback.Server(*map(loopback.openai, (LIMIT, THREE))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("the notes"))
        shown = session.proposed.patch
        await walk(command.submit(session, "three"))
        (repo / "notes.txt").write_text("old\n" + "same\n" * 9 + "more\n")
        with pytest.raises(Stale, match="/diff 1"):
            await walk(session.deciding.apply(Review.of(shown, "take")))
        assert session.proposed.patch.paths == ("three.txt",)
        assert session.pending.bring_back(1)
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        assert (repo / "notes.txt").read_text() == "new\n" + "same\n" * 9 + "more\n"
        await session.close()


async def test_what_was_skipped_is_told_although_the_rest_was_moved(make_session, repo):
    lines = [f"line {number}" for number in range(40)]
    (repo / "notes.txt").write_text("\n".join(lines) + "\n")
    block = "notes.txt\n<<<<<<< SEARCH\n{0}\n=======\n{0}, boiled\n>>>>>>> REPLACE\n"
    with loopback.Server(*map(loopback.openai, (block.format("line 3") + block.format("line 30"), "Well."))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("boil"))
        review = Review.of(session.proposed.patch).mark(0, "take").mark(1, "skip")
        (repo / "notes.txt").write_text("\n".join([*lines[:15], "typed", *lines[16:]]) + "\n")
        moved = of(await walk(session.deciding.apply(review)), events.PatchMoved)[0].review
        assert [each.mark for each in moved.choices] == ["take"]
        await walk(session.deciding.apply(moved))
        (written,) = session.accounts.ledger.sums.yields().values()
        assert (written["taken"], written["skipped"]) == (1, 1)
        await walk(session.ask("and now?"))
        said = str(server.asked[-1][2]["messages"][-1])
        assert "took 1 of 2 hunks" in said
        assert said.count("skipped the hunk at notes.txt:") == 1
        await session.close()
