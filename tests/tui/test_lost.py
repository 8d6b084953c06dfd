"""Hunks whose file was changed meanwhile: which does not fit is seen, and goes back to the model. And hunks behind a talk."""

import json

import pytest

from assistant.tui.app import Wattson
from tests import loopback
from tests.tui.keys import say, take, until

KEY = "k" * 20
LINES = [f"line {number}" for number in range(60)]
BLOCK = "notes.txt\n<<<<<<< SEARCH\n{0}\n=======\n{1}\n>>>>>>> REPLACE\n"
TWO = BLOCK.format("line 5", "five") + BLOCK.format("line 45", "forty-five")
AGAIN = BLOCK.format("typed", "typed, forty-five")


def drawn(pane):
    return "\n".join(pane.render_line(y).text for y in range(pane.size.height)) if pane.display else ""


async def shown(pilot, app):
    """Ask for the two hunks and wait until they have the keys."""
    await until(pilot, lambda: app.session.roster.pick is not None)
    await say(pilot, "two hunks")
    await until(pilot, lambda: app.main.hunks.has_focus and len(app.main.hunks.hunks) == 2)
    await pilot.pause(0.5)
    return app.main.hunks


def make(make_session, repo, server):
    (repo / "notes.txt").write_text("\n".join(LINES) + "\n")
    return Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")


async def test_the_hunk_that_does_not_fit_any_more_is_marked_and_goes_back(make_session, repo):
    notes = repo / "notes.txt"
    with loopback.Server(*map(loopback.openai, (TWO, AGAIN))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("r")
            assert "all of this has a place" in drawn(hunks)
            notes.write_text("\n".join(LINES).replace("line 45", "typed") + "\n")
            await pilot.press("A", "enter")
            await until(pilot, lambda: "hunk 2 does not fit any more; n skips it, r sends it back" in drawn(hunks))
            assert hunks.at == 1
            await until(
                pilot, lambda: "r sends it back to the model, with the lines as they are now (~" in drawn(hunks)
            )
            text = drawn(hunks)
            assert "notes.txt has changed since the patch was made. Nothing was written: hunk 2" in text
            assert "line 46 of notes.txt was changed since the patch was made." in text
            assert [line.endswith("any more") for line in map(str.rstrip, text.split("\n")) if "✓ take" in line] == [
                False,
                True,
            ]
            assert "The hunk at notes.txt:43 fits no more." in app.main.talk.text
            await pilot.press("r")
            await until(pilot, lambda: len(server.asked) == 2 and not app.session.asking and len(hunks.hunks) == 2)
            asked = server.asked[1][2]["messages"][-1]["content"]
            assert "line 46 of notes.txt was changed" in asked
            assert "\nline 44\ntyped\nline 46\n" in asked
            assert [each.mark for each in hunks.review.choices] == ["take", ""]
            await until(pilot, lambda: hunks.has_focus)
            await pilot.pause(0.5)
            await pilot.press("A", "enter")
            await until(pilot, lambda: "typed, forty-five" in notes.read_text())
            assert "\nfive\n" in notes.read_text()


async def test_with_the_hunk_that_does_not_fit_skipped_the_rest_is_written(make_session, repo):
    notes = repo / "notes.txt"
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            notes.write_text("\n".join(LINES).replace("line 45", "typed") + "\n")
            await pilot.press("A", "enter")
            await until(pilot, lambda: hunks.trouble.lost)
            await pilot.press("n", "enter")
            await until(pilot, lambda: "\nfive\n" in notes.read_text())
            assert "\ntyped\n" in notes.read_text()


async def test_who_asks_while_hunks_are_shown_sees_the_answer_and_keeps_his_marks(make_session, repo):
    with loopback.Server(*map(loopback.openai, (TWO, "An answer."))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(80, 24)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("y")
            assert "Enter write" in drawn(hunks)
            await pilot.click("#composer")
            assert "Enter write" not in drawn(hunks)
            assert "F2 leads to these hunks" in drawn(hunks)
            await pilot.press(*"and now?", "enter")
            await until(pilot, lambda: app.main.talk.display and not hunks.display)
            await until(pilot, lambda: "An answer." in app.main.talk.text and not app.session.asking)
            await pilot.press("f2")
            await until(pilot, lambda: hunks.has_focus)
            assert "Enter write" in drawn(hunks)
            assert [each.mark for each in hunks.review.choices] == ["take", ""]


async def test_a_hunk_that_was_not_taken_and_fits_no_more_keeps_none_from_being_written(make_session, repo):
    notes = repo / "notes.txt"
    with loopback.Server(*map(loopback.openai, (TWO, AGAIN))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            notes.write_text("\n".join(LINES).replace("line 45", "typed") + "\n")
            await pilot.press("y", "enter")
            await until(pilot, lambda: "applied: notes.txt" in app.main.talk.text)
            assert "five" in notes.read_text()
            assert "typed" in notes.read_text()
            assert "The hunk at notes.txt:43 fits no more: r sends it back to the model." in app.main.talk.text
            assert hunks.has_focus
            assert "does not fit: line 46 of notes.txt" in drawn(hunks)
            assert [each.mendable for each in app.session.proposed.misfits] == [True]
            await pilot.pause(0.5)
            await pilot.press("r")
            await until(pilot, lambda: len(server.asked) == 2 and not app.session.asking and len(hunks.hunks) == 1)
            assert app.session.proposed.patch.paths == ("notes.txt",)


async def test_a_turn_that_ends_behind_the_hunks_leaves_cursor_and_scroll_where_they_are(make_session, repo):
    full = json.dumps({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}).encode()
    answers = *map(loopback.openai, (TWO, "An answer. " * 40)), (429, {"retry-after": "9999"}, full)
    with loopback.Server(*answers, pause_s=0.01) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(130, 20)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("j", "down", "down")
            before = hunks.at, hunks.cursor.row, hunks.scroll_offset.y
            assert before[0] == 1
            assert before[2]
            await say(pilot, "and now?")
            await until(pilot, lambda: len(server.asked) == 2)
            await pilot.press("f2")
            await until(pilot, lambda: hunks.has_focus)
            await until(pilot, lambda: "An answer." in app.main.talk.text and not app.session.asking)
            await pilot.pause(0.1)
            assert (hunks.at, hunks.cursor.row, hunks.scroll_offset.y) == before
            await say(pilot, "and now?")  # and held back, in a sheet over them
            await take(pilot, "escape")
            assert "slow down" in app.main.talk.text
            assert (hunks.at, hunks.cursor.row, hunks.scroll_offset.y) == before
            await pilot.press("f2")
            await until(pilot, lambda: hunks.has_focus)
            await pilot.press("n")
            assert [each.mark for each in hunks.review.choices] == ["", "skip"]


async def test_an_undo_that_is_looked_at_stays_when_a_turn_ends_behind_it(make_session, repo):
    with loopback.Server(loopback.openai(TWO), loopback.openai("An answer. " * 60), pause_s=0.01) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 40)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("A", "enter")
            await until(pilot, lambda: "applied" in app.main.talk.text)
            await say(pilot, "and now?")
            await until(pilot, lambda: app.session.asking)
            await say(pilot, "/undo")
            await until(pilot, lambda: hunks.preview is not None)
            await until(pilot, lambda: "An answer." in app.main.talk.text and not app.session.asking, tries=1000)
            await pilot.pause(0.1)
            assert hunks.preview is not None


async def test_an_undo_of_a_file_that_was_changed_meanwhile_is_told_on_its_page_and_shown_as_it_would_be_now(
    make_session, repo
):
    notes = repo / "notes.txt"
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 40)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("A", "enter")
            await until(pilot, lambda: "applied" in app.main.talk.text)
            await say(pilot, "/undo")
            await until(pilot, lambda: hunks.preview is not None and hunks.has_focus)
            await pilot.pause(0.5)
            notes.write_text(written := notes.read_text().replace("five\n", "5\n", 1))
            await pilot.press("enter")
            told = "not undone: notes.txt was changed since in the very lines (6)."
            await until(pilot, lambda: told in drawn(hunks).rstrip().split("\n")[-1])  # below, and above the hunks
            assert told in "\n".join(drawn(hunks).split("\n")[:4])
            assert "Ask again" not in app.main.talk.text
            assert notes.read_text() == written
            await pilot.press("g", "n", "enter")  # the other hunk still can be, around the line that was typed
            await until(pilot, lambda: "around later changes" in drawn(hunks))
            await pilot.pause(0.5)
            await pilot.press("enter")
            await until(pilot, lambda: "undone" in app.main.talk.text)
            assert notes.read_text() == written.replace("forty-five", "line 45")


async def test_an_undo_goes_around_what_was_typed_while_it_was_looked_at(make_session, repo):
    notes = repo / "notes.txt"
    with loopback.Server(loopback.openai(TWO)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 40)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("A", "enter")
            await until(pilot, lambda: "applied" in app.main.talk.text)
            await say(pilot, "/undo")
            await until(pilot, lambda: hunks.preview is not None and hunks.has_focus)
            await pilot.pause(0.5)
            notes.write_text(f"typed\n{notes.read_text()}")
            await pilot.press("enter")
            await until(pilot, lambda: "this will be written, around later changes in notes.txt" in drawn(hunks))
            told = " ".join(drawn(hunks).split())
            assert "notes.txt has changed since this was shown, and nothing was written yet" in told
            assert "five" in notes.read_text()
            await pilot.pause(0.5)
            await pilot.press("enter")
            await until(pilot, lambda: "undone" in app.main.talk.text)
            assert notes.read_text() == "\n".join(["typed", *LINES]) + "\n"


FOUR = "".join(BLOCK.format(f"line {number}", f"number {number}") for number in (5, 10, 25, 45))


@pytest.mark.parametrize(
    ("old", "new"), [("line 59", "line 59\nthe end"), ("line 0\n", "before\nline 0\n"), ("line 7", "seven")]
)
async def test_what_was_taken_is_written_at_once_where_only_other_lines_were_changed(make_session, repo, old, new):
    notes = repo / "notes.txt"
    with loopback.Server(loopback.openai(FOUR)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "four edits")
            hunks = app.main.hunks
            await until(pilot, lambda: app.main.hunks.has_focus and len(hunks.hunks) == 3)  # two of them stand close
            await pilot.pause(0.5)
            changed = notes.read_text().replace(old, new)
            notes.write_text(changed)
            await pilot.press("y", "enter")
            await until(pilot, lambda: "applied: notes.txt  (+2 -2)" in app.main.talk.text)
            assert notes.read_text() == changed.replace("line 5\n", "number 5\n").replace("line 10", "number 10")
            assert [each.mark for each in hunks.review.choices] == ["", ""]
            assert hunks.has_focus


async def test_what_could_stand_in_two_places_is_shown_again_before_it_is_written(make_session, repo):
    notes = repo / "notes.txt"
    with loopback.Server(loopback.openai(BLOCK.format("line 5", "five"))) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = app.main.hunks
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "one hunk")
            await until(pilot, lambda: hunks.has_focus and len(hunks.hunks) == 1)
            await pilot.pause(0.5)
            notes.write_text(changed := notes.read_text() * 2)
            await pilot.press("y", "enter")
            await until(pilot, lambda: "were moved onto it" in drawn(hunks))
            assert notes.read_text() == changed


async def test_of_two_hunks_that_change_the_same_words_the_one_that_was_not_taken_stays_undecided(make_session, repo):
    notes = repo / "notes.txt"
    twice = "".join(BLOCK.format(f"line {at}\nsame", f"line {at}\nother") for at in (4, 44))
    with loopback.Server(loopback.openai(twice)) as server:
        app = make(make_session, repo, server)
        notes.write_text(notes.read_text().replace("line 5\n", "same\n").replace("line 45\n", "same\n"))
        async with app.run_test(size=(100, 50)) as pilot:
            hunks = await shown(pilot, app)
            await pilot.press("y", "enter")
            await until(pilot, lambda: "applied" in app.main.talk.text)
            assert [each.mark for each in hunks.review.choices] == [""]


async def test_those_that_do_not_fit_are_told_and_led_to_one_after_the_other(make_session, repo):
    notes = repo / "notes.txt"
    reply = "".join(BLOCK.format(f"line {at}", f"number {at}") for at in (5, 15, 25, 35, 45))
    with loopback.Server(loopback.openai(reply)) as server:
        app = make(make_session, repo, server)
        async with app.run_test(size=(100, 30)) as pilot:
            hunks = app.main.hunks
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "five hunks")
            await until(pilot, lambda: hunks.has_focus and len(hunks.hunks) == 5)
            await pilot.pause(0.5)
            changed = notes.read_text()
            for at in (15, 35, 45):
                changed = changed.replace(f"line {at}\n", f"typed {at}\n")
            notes.write_text(changed)

            def foot():
                return " ".join(" ".join(drawn(hunks).rstrip().split("\n")[-2:]).split())

            await pilot.press("A", "enter")
            await until(pilot, lambda: "hunks 2, 4, 5 do not fit any more" in foot())
            assert hunks.at == 1
            await pilot.press("n")
            assert "hunks 4, 5 do not fit any more" in foot()
            assert hunks.at == 3
            await pilot.press("enter")  # those that are skipped are not told of again
            await until(
                pilot,
                lambda: (
                    "hunks 4, 5 do not fit any more" in app.main.hunks.hint
                    and hunks.trouble.lost[0].hunk is hunks.hunks[3]
                ),
            )
            assert hunks.at == 3
            await pilot.press("n")
            assert "hunk 5 does not fit any more; n skips it" in foot()
            assert hunks.at == 4
            await pilot.press("n")
            assert "Enter writes what is taken" in foot()
            await pilot.press("enter")
            await until(pilot, lambda: "applied: notes.txt  (+2 -2)" in app.main.talk.text)
            assert notes.read_text() == changed.replace("line 5\n", "number 5\n").replace("line 25\n", "number 25\n")
