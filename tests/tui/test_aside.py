"""Hunks that others take the place of while the user is at them: what was said and changed of them stays with them."""

import subprocess
from dataclasses import replace
from time import monotonic

import pytest
from textual.events import Key

from assistant.edits.review import Review
from assistant.tui.app import Wattson
from tests import loopback
from tests.tui.keys import say, until
from tests.turns import walk

KEY = "k" * 20
LINES = [f"line {number}" for number in range(60)]
BLOCK = "{2}\n<<<<<<< SEARCH\n{0}\n=======\n{1}\n>>>>>>> REPLACE\n"
TWO = BLOCK.format("line 5", "five", "notes.txt") + BLOCK.format("line 45", "forty-five", "notes.txt")
OTHER = BLOCK.format("line 5", "FIVE", "other.txt") + BLOCK.format("line 45", "FORTY-FIVE", "other.txt")


def make(make_session, repo, server):
    for name in ("notes.txt", "other.txt"):
        (repo / name).write_text("\n".join(LINES) + "\n")
    return Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")


def drawn(pane):
    return "\n".join(pane.render_line(y).text for y in range(pane.size.height)) if pane.display else ""


async def shown(pilot, app):
    """Ask for the two hunks and wait until they have the keys."""
    await until(pilot, lambda: app.session.roster.pick is not None)
    await say(pilot, "two hunks")
    await until(pilot, lambda: app.main.hunks.has_focus and len(app.main.hunks.hunks) == 2)
    await pilot.pause(0.5)
    return app.main.hunks


async def others_come(pilot, app):
    """Let other hunks take the place of those in sight, behind the sheet that is open."""
    app.main.run_turn(app.session.ask("others"))
    await until(pilot, lambda: app.session.proposed is not None and app.session.proposed.turn == 2)
    await until(pilot, lambda: app.main.hunks.subject.turn == 2 and not app.session.asking)


def asked(server, number):
    return server.asked[number][2]["messages"][-1]["content"]


async def test_an_edit_is_of_the_hunk_that_it_was_begun_for(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, OTHER))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("e")
            await pilot.press(*"mine")
            await others_come(pilot, app)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "/diff 1" in hunks.hint)
            assert [each.edited for each in hunks.review.choices] == [False, False]
            assert {each.path for each in hunks.hunks} == {"other.txt"}
            await pilot.press("q")
            await say(pilot, "/diff 1")
            await until(pilot, lambda: hunks.subject.turn == 1)
            assert [(each.mark, each.edited) for each in hunks.review.choices] == [("take", True), ("", False)]
            await pilot.pause(0.5)
            await pilot.press("enter")
            await until(pilot, lambda: "mine" in (repo / "notes.txt").read_text())
            assert (repo / "other.txt").read_text() == "\n".join(LINES) + "\n"


async def test_a_comment_is_on_the_line_that_it_was_begun_for_and_goes_out(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, OTHER, "Fine."))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("G", "c")
            await pilot.press(*"why")
            await others_come(pilot, app)
            await pilot.press("enter")
            await until(pilot, lambda: "/diff 1" in hunks.hint)
            assert hunks.review.comments == ()
            await pilot.press("q")
            await say(pilot, "a third")
            await until(pilot, lambda: len(server.asked) == 3 and not app.session.asking)
            assert "comment on notes.txt:" in asked(server, 2)
            assert ": why" in asked(server, 2)


async def test_what_was_marked_goes_out_although_others_came(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, OTHER, "Fine.", "Fine."))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("n")
            await others_come(pilot, app)
            assert not any(each.mark for each in hunks.review.choices)
            for number in (2, 3):
                await pilot.press("q")
                await say(pilot, "go on")
                await until(pilot, lambda number=number: len(server.asked) == number + 1 and not app.session.asking)
            assert "will skip the hunk at notes.txt:" in asked(server, 2)
            assert "will skip" not in asked(server, 3)  # it has heard so


async def test_marks_and_words_of_hunks_that_were_set_aside_are_there_again_later(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, OTHER))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("n", "c")
            await pilot.press(*"why", "enter")
            await until(pilot, lambda: hunks.review.comments)
            await others_come(pilot, app)
            await until(pilot, lambda: hunks.has_focus)
            await pilot.pause(0.5)
            await pilot.press("y")
            await until(pilot, lambda: hunks.review.taken)
    again = make_session()
    again.take_up()
    assert [each.mark for each in again.changes.marked.choices] == ["take", ""]
    assert again.pending.bring_back(1)
    assert [each.mark for each in again.changes.marked.choices] == ["skip", ""]
    assert [each.words for each in again.changes.marked.comments] == ["why"]
    await again.close()


async def test_an_edit_for_a_hunk_that_is_gone_is_shown(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, OTHER))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            await shown(pilot, app)
            await pilot.press("e")
            await pilot.press(*"mine")
            await others_come(pilot, app)
            app.session.changes.clear()
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "this was not kept" in app.main.talk.text)
            assert "mine" in app.main.talk.text


async def test_what_the_user_made_of_a_hunk_is_shown_although_its_lines_are_others_by_now(make_session, repo):
    notes = repo / "notes.txt"
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("e")
            await pilot.press(*"mine")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: hunks.review.edited)
    notes.write_text(notes.read_text().replace("line 5\n", "typed\n"))
    again = make_session()
    again.take_up()
    words = [each.message for each in again.proposed.misfits]
    assert len(again.proposed.patch.hunks) == 1
    assert any("what the user made of the hunk at line" in each and "\nmine" in each for each in words)
    assert [each.edited for each in again.changes.marked.choices] == [False]
    app = Wattson(make_session(), resume="last")
    async with app.run_test(size=(100, 50)) as pilot:
        await until(pilot, lambda: len(app.main.hunks.hunks) == 1)
        await pilot.press("f2")
        await until(pilot, lambda: "mine" in drawn(app.main.hunks))
    await again.close()


async def test_what_the_user_made_of_a_hunk_that_fits_is_told_of_once(make_session, repo):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("e")
            await pilot.press(*"mine")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: hunks.review.edited)
    (repo / "notes.txt").write_text("above\n" + (repo / "notes.txt").read_text())
    again = make_session()
    again.take_up()
    assert again.proposed.misfits == ()
    assert [each.edited for each in again.changes.marked.choices] == [True, False]
    await again.close()


@pytest.mark.parametrize("how", ["edit", "split"])
async def test_marks_of_hunks_that_are_out_of_place_outlive_marks_of_others(how, make_session, repo):
    wide = BLOCK.format("line 5\nline 6\nline 7", "five\nline 6\nseven", "notes.txt")
    wide += BLOCK.format("line 45", "forty-five", "notes.txt") + BLOCK.format("line 5", "FIVE", "other.txt")
    with loopback.Server(loopback.openai(wide)) as server:
        app = make(make_session, repo, server)
        session = app.session
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("hunks"))
        review = Review.of(session.proposed.patch)
        first = review.edit(0, "mine\n") if how == "edit" else review.split(0).mark(0, "take").mark(1, "skip")
        session.mark(first.mark(len(first.choices) - 1, "skip").comment(0, 0, "too polite"))
        marked = session.changes.marked
        await session.close()
    here = (repo / "notes.txt").read_text()
    for times in range(6):  # on another branch
        (repo / "notes.txt").write_text(here.replace("line 6", "LINE 6"))
        there = make_session()
        there.take_up()
        assert [each.hunk.line for each in there.changes.marked.choices] == [46, 6]
        if how == "edit":
            assert any("mine" in each.message for each in there.proposed.misfits)
        there.mark(there.changes.marked.mark(0, "take" if not times % 2 else "skip"))
        await there.close()
    (repo / "notes.txt").write_text(here)
    again = make_session()
    again.take_up()
    found = again.changes.marked
    at = len(marked.choices) - 2
    assert found.mark(at, "") == marked.mark(at, "")
    assert found.choices[at].mark == "skip"
    await again.close()


async def test_who_types_on_while_hunks_come_into_sight_decides_nothing(make_session, repo):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "two hunks")
            hunks = app.main.hunks
            await until(pilot, lambda: hunks.has_focus and len(hunks.hunks) == 2)
            for _ in range(4):
                hunks.grace.begin()
                hunks.grace.since += 1_000  # whatever time a loaded machine takes for a key
                await pilot.press("y")
                assert hunks.grace.since < monotonic()  # who types on has it begin anew
            assert not hunks.review.taken
            await until(pilot, lambda: not hunks.grace.early)
            await pilot.press("y")
            await until(pilot, lambda: hunks.review.taken)


@pytest.mark.parametrize(
    "words",
    ["also add a limit to all kettles", "one more note", "Please write a test", "quick fix", "eq to it", "s/one/two/"],
)
async def test_a_sentence_that_is_begun_as_hunks_come_into_sight_is_for_the_composer(words, make_session, repo):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "two hunks")
            hunks = app.main.hunks
            await until(pilot, lambda: hunks.has_focus and len(hunks.hunks) == 2)
            hunks.grace.begin()  # as if they had just come
            for letter in words:
                await pilot.press({" ": "space", "/": "slash"}.get(letter, letter))
            await until(pilot, lambda: app.main.composer.text == words)
            assert app.main.composer.has_focus
            assert app.screen is app.main
            assert not hunks.review.decided


async def test_marks_are_of_the_turn_in_sight_although_the_next_proposes_the_same(make_session, repo):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            await shown(pilot, app)
            await pilot.press("n")
            changes = app.session.changes
            changes.propose(replace(changes.proposed, turn=2), upon=None)  # nobody has seen it yet
            app.main._tick()
            assert changes.marked is None
            assert changes.marked_aside(1).skipped


@pytest.mark.parametrize("keys", ["q", "qq"])
async def test_the_key_that_leaves_the_hunks_counts_where_it_is_pressed_as_they_come_into_sight(
    keys, make_session, repo
):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "two hunks")
            hunks = app.main.hunks
            await until(pilot, lambda: hunks.has_focus and len(hunks.hunks) == 2)
            hunks.grace.begin()  # as if they had just come
            await pilot.press(*keys)
            await until(pilot, lambda: app.main.composer.has_focus)
            await pilot.press("y")
            assert app.main.composer.text == "y"
            assert not hunks.review.decided


async def test_hunks_that_are_set_aside_are_named_where_others_come_and_at_the_end(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, OTHER))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            app.main.run_turn(app.session.ask("others"))
            await until(pilot, lambda: hunks.subject.turn == 2)
            assert "those of turn 1 are set aside: /diff 1" in drawn(hunks)
            assert app.session.undecided() == "2 hunks of turn 1, set aside; 2 hunks of turn 2 wait"
            await until(pilot, lambda: not app.session.asking)


async def test_what_is_typed_in_one_lump_behind_the_key_that_leaves_the_hunks_is_for_the_composer(make_session, repo):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            for key in ("q", "A", "n", "d"):
                app.post_message(Key(key, key))
            await until(pilot, lambda: app.main.composer.has_focus)
            await until(pilot, lambda: app.main.composer.text == "And")
            assert not hunks.review.decided


async def test_what_the_user_made_of_a_hunk_is_shown_also_where_it_was_set_aside(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, OTHER))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("e")
            await pilot.press(*"mine")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: hunks.review.edited)
            await others_come(pilot, app)
    notes = repo / "notes.txt"
    notes.write_text(notes.read_text().replace("line 5\n", "typed\n"))
    again = make_session()
    again.take_up()
    assert again.pending.bring_back(1)
    assert any("\nmine" in each.message for each in again.proposed.misfits)
    await again.close()


async def test_an_edit_is_kept_although_a_repair_has_moved_its_hunk_meanwhile(make_session, repo):
    block = BLOCK.format("line 45", "forty-five", "notes.txt") + BLOCK.format("missing", "x", "notes.txt")
    mended = BLOCK.format("line 5", "five\nand more", "notes.txt")
    with loopback.Server(*map(loopback.openai, (block, block, mended))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "a hunk")
            hunks = app.main.hunks
            await until(pilot, lambda: hunks.has_focus and hunks.hunks and not app.session.asking)
            await pilot.pause(0.5)
            await pilot.press("e")
            await pilot.press(*"mine")
            app.main.run_turn(app.session.turns.repair())
            await until(pilot, lambda: len(hunks.hunks) == 2 and not app.session.asking)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: [each.edited for each in hunks.review.choices] == [False, True])


async def test_marks_and_edits_outlive_a_sitting_on_another_branch(make_session, repo):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("e")
            await pilot.press(*"mine")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: hunks.review.edited)
    notes = repo / "notes.txt"
    before = notes.read_text()
    notes.write_text(before.replace("line 5\n", "typed\n"))
    app = Wattson(make_session(), resume="last")
    async with app.run_test(size=(100, 50)) as pilot:
        await until(pilot, lambda: len(app.main.hunks.hunks) == 1)
        await pilot.pause(1.5)  # a beat keeps what is marked
    notes.write_text(before)
    again = make_session()
    again.take_up()
    assert [each.edited for each in again.changes.marked.choices] == [True, False]
    await again.close()


def track(repo, hook):
    """Commit all that is there, then let commits wait for a hook."""
    for words in (["add", "-A"], ["commit", "-qm", "notes"]):
        subprocess.run(["git", "-C", str(repo), *words], check=True)
    place = repo / ".git" / "hooks" / "pre-commit"
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"#!/bin/sh\n{hook}\n")
    place.chmod(0o755)


async def test_a_commit_that_waits_for_a_hook_says_that_it_runs(make_session, repo, tmp_path):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        track(repo, f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
        async with app.run_test(size=(100, 50)) as pilot:
            await shown(pilot, app)
            await pilot.press("A", "enter")
            await until(pilot, lambda: app.session.changes.written and app.session.proposed is None)
            await say(pilot, "/commit two lines")
            await until(pilot, lambda: "/commit runs, " in str(app.main.composer.border_title))
            (tmp_path / "go").touch()
            await until(pilot, lambda: "committed" in app.main.talk.text)
            await until(pilot, lambda: not app.main.composer.border_title)


async def test_a_secret_in_a_comment_is_said_to_be_masked(make_session, repo):
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            for words, masked in (("use another name", False), ("DB_PASSWORD=Zk3v9QpL2mX8tR5w", True)):
                await pilot.press("c")
                await until(pilot, lambda: len(app.screen_stack) > 1)
                app.screen.query_one("TextArea").text = words
                await pilot.press("enter")
                await until(pilot, lambda words=words: [each.words for each in hunks.review.comments] == [words])
                await until(pilot, lambda: "kept for the model with your next question" in drawn(hunks))
                assert ("; the secret in it is masked" in drawn(hunks)) is masked
