"""Hunks that wait while the files are others: what was decided, said and edited of them is there when the files are back."""

import difflib

import pytest

from assistant.edits.review import Review
from tests import loopback
from tests.turns import walk

KEY = "k" * 20
BLOCK = "notes.txt\n<<<<<<< SEARCH\n{0}\n=======\n{1}\n>>>>>>> REPLACE\n"
LINES = [f"line {number}" for number in range(1, 90)]
PLACES = 5, 25, 45, 65


@pytest.fixture
def notes(repo):
    """A file that an answer changes in four places."""
    place = repo / "notes.txt"
    place.write_text("\n".join(LINES) + "\n")
    return place


async def propose(make_session, decide):
    """Let an answer propose its hunks, decide about them, and end the sitting."""
    reply = "".join(BLOCK.format(f"line {at}", f"L{at}") for at in PLACES)
    with loopback.Server(loopback.openai(reply)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("hunks"))
        session.mark(decide(Review.of(session.proposed.patch)))
        await session.close()


async def sit(make_session, do=None):
    """Take the conversation up, do something with what waits, and return how it stood before and after."""
    session = make_session()
    session.take_up()
    review = session.changes.marked or Review.of(session.proposed.patch)
    told = [each.message for each in session.proposed.misfits]
    if do is not None:
        await do(session, review)
    left = session.changes.marked
    await session.close()
    return review, left, told


def marks(review):
    return {each.hunk.line: each.mark for each in review.choices}


def without(text, *places):
    for at in places:
        text = text.replace(f"line {at}\n", f"other {at}\n")
    return text


@pytest.mark.parametrize("times", [1, 2, 5, 8])
async def test_marks_outlive_sittings_on_two_other_branches_by_turns(times, make_session, notes):
    await propose(make_session, lambda review: review.mark(3, "skip").comment(3, 0, "no, never"))
    here = notes.read_text()

    for time in range(times):
        notes.write_text(without(here, *((5, 65) if time % 2 else (25, 65))))
        mark = "skip" if time % 2 else "take"
        await sit(make_session, lambda session, review, mark=mark: anew(session, review.mark(1, mark)))
    notes.write_text(here)
    review, _, _ = await sit(make_session)
    assert marks(review) == {5: "", 25: "", 45: mark, 65: "skip"}
    assert [each.words for each in review.comments] == ["no, never"]


async def test_what_was_unmarked_on_another_branch_stays_so_at_home(make_session, notes):
    await propose(make_session, lambda review: review.mark_all("take"))
    here = notes.read_text()

    async def decide(session, review):
        session.mark(review.mark(0, ""))

    notes.write_text(without(here, 65))
    await sit(make_session, decide)
    notes.write_text(without(here, 25))
    _, left, _ = await sit(make_session, lambda session, review: anew(session, review.mark(1, "skip")))
    assert marks(left) == {5: "", 45: "skip", 65: "take"}
    notes.write_text(here)
    review, _, _ = await sit(make_session)
    assert marks(review) == {5: "", 25: "take", 45: "skip", 65: "take"}


async def anew(session, review):
    session.mark(review)


async def test_what_is_out_of_place_on_another_branch_is_not_taken_back_there(make_session, notes):
    reply = "".join(BLOCK.format(f"line {at}", f"L{at}") for at in PLACES)
    with loopback.Server(*map(loopback.openai, (reply, "ok", "ok"))) as server:
        more = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        session = make_session(**more)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("hunks"))
        session.mark(Review.of(session.proposed.patch).mark(3, "skip"))
        await walk(session.ask("and now?"))
        await session.close()
        notes.write_text(without(notes.read_text(), 65))
        there = make_session(**more)
        there.take_up()
        there.roster.choose("openai/gpt-6.1-sol")
        await walk(there.ask("and here?"))
        assert "takes back" not in str(server.asked[-1][2]["messages"])
        await there.close()


async def test_what_was_written_on_another_branch_is_not_told_of_as_out_of_place(make_session, notes):
    await propose(make_session, lambda review: review.edit(0, "mine\n"))
    here = notes.read_text()
    notes.write_text(without(here, 65))

    async def write(session, review):
        await walk(session.deciding.apply(review))
        session.mark(Review.of(session.proposed.patch).mark(0, "skip"))

    await sit(make_session, write)
    assert "mine" in notes.read_text()
    review, _, told = await sit(make_session)
    assert marks(review) == {25: "skip", 45: ""}
    assert not [words for words in told if "mine" in words]


@pytest.mark.parametrize("way", ["write", "write all", "skip"])
async def test_a_hunk_that_is_out_of_place_outlives_the_writing_of_others(way, make_session, notes):
    await propose(make_session, lambda review: review.mark(3, "take").comment(3, 0, "mind the gap"))
    here = notes.read_text()
    notes.write_text(without(here, 65))

    async def decide(session, review):
        mark = {"write": review.mark(0, "take"), "write all": review.mark_all("take"), "skip": review.mark_all("skip")}
        await walk(session.deciding.apply(mark[way]))

    await sit(make_session, decide)
    now = notes.read_text()
    review, _, _ = await sit(make_session)
    assert 65 not in marks(review)
    notes.write_text(now.replace("other 65", "line 65"))
    review, _, _ = await sit(make_session)
    assert marks(review)[65] == "take"
    assert [each.words for each in review.comments] == ["mind the gap"]
    assert 5 not in marks(review)


async def test_a_hunk_that_is_out_of_place_outlives_one_set_aside(make_session, notes):
    await propose(make_session, lambda review: review.mark(3, "skip"))
    here = notes.read_text()
    notes.write_text(without(here, 65))
    with loopback.Server(loopback.openai(BLOCK.format("line 80", "L80"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.take_up()
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("another"))
        (aside,) = session.changes.set_aside
        await walk(session.deciding.apply(Review.of(aside.patch).mark_all("take")))
        await session.close()
    notes.write_text(notes.read_text().replace("other 65", "line 65"))
    again = make_session()
    again.take_up()
    assert again.pending.bring_back(1)
    assert marks(again.changes.marked) == {65: "skip"}
    await again.close()


def rename(old, new, name, target):
    """A diff with git's heads that renames a file and changes it."""
    head = f"diff --git a/{name} b/{target}\nrename from {name}\nrename to {target}\n"
    return head + "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{target}"))


OTHER = "diff --git a/c.py b/c.py\n--- a/c.py\n+++ b/c.py\n@@ -1,2 +1,2 @@\n 1\n-2\n+TWO\n"


@pytest.mark.parametrize("how", ["a hunk does not fit", "the new name is taken"])
async def test_a_file_that_is_renamed_and_changed_outlives_a_write_on_another_branch(how, make_session, repo):
    old = [f"line {number}\n" for number in range(40)]
    new = [{5: "FIVE\n", 30: "THIRTY\n"}.get(number, line) for number, line in enumerate(old)]
    (repo / "a.py").write_text("".join(old))
    (repo / "c.py").write_text("1\n2\n")
    reply = f"```diff\n{rename(old, new, 'a.py', 'b.py')}{OTHER}```\n"
    with loopback.Server(loopback.openai(reply)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("rename it"))
        mine = [(each.path, each.kind, each.line) for each in session.proposed.patch.hunks if each.path != "c.py"]
        assert len(mine) == 3
        await session.close()
    if how == "a hunk does not fit":
        (repo / "a.py").write_text("".join([*old[:28], *["x\n"] * 5, *old[33:]]))
    else:
        (repo / "b.py").write_text("x\n")
    there = make_session()
    there.take_up()
    review = Review.of(there.proposed.patch)
    (at,) = [at for at, each in enumerate(review.choices) if each.hunk.path == "c.py"]
    await walk(there.deciding.apply(review.mark(at, "take")))
    await there.close()
    (repo / "a.py").write_text("".join(old))
    (repo / "b.py").unlink(missing_ok=True)
    back = make_session()
    back.take_up()
    assert sorted((each.path, each.kind, each.line) for each in back.proposed.patch.hunks) == sorted(mine)
    await back.close()
