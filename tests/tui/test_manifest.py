"""The manifest as a user's story: what would go out, dropped, pinned, let through, and taken back."""

import asyncio
import re

import pytest
from textual.events import Key

from assistant.context.section import YOURS
from assistant.tui.app import Wattson
from assistant.tui.manifest import Manifest
from tests import loopback
from tests.tui.keys import say, seen, until

KEY = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
DRAWN = "Zk3v9QpL2mX8tR5wY1bN7c"
QUESTION = "how does boil heat litres of water?"


@pytest.fixture
def story(make_session, repo):
    """An app on the practice repository with a key in one file, against a server; gives (app, server)."""
    boil = repo / "kettle/boil.py"
    boil.write_text(boil.read_text() + f"\n\ndef report(litres):\n    token = '{KEY}'\n    return litres, token\n")
    with loopback.Server(loopback.openai("Fine.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        yield Wattson(session, "openai/gpt-6.1-sol"), server


async def opened(pilot, app):
    await until(pilot, lambda: isinstance(app.screen, Manifest) and bool(app.screen.rows))
    return app.screen


def kinds(sheet):
    return {(row.kind, row.path) for row in sheet.rows}


async def go_to(pilot, sheet, kind, path):
    await until(pilot, lambda: (kind, path) in kinds(sheet))
    at = next(number for number, row in enumerate(sheet.rows) if (row.kind, row.path) == (kind, path))
    sheet.list.highlighted = at
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_what_is_typed_is_shown_before_the_first_question_and_decisions_reach_the_wire(story, size):
    app, server = story
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        app.main.composer.focus()
        app.main.composer.text = QUESTION
        await pilot.press("f4")
        sheet = await opened(pilot, app)
        assert server.asked == []
        assert {("shown", "kettle/boil.py"), ("masked", "kettle/boil.py")} <= kinds(sheet)
        assert all(row.tokens and row.why for row in sheet.rows if row.section)
        head = sheet._head.render().plain
        assert QUESTION in head
        assert "of the context window" in head
        assert "1 secret kept back" in head
        assert sheet.text.text.startswith(sheet.rows[0].path)

        await go_to(pilot, sheet, "shown", "kettle/boil.py")
        await pilot.press("p")
        await until(pilot, lambda: ("pinned", "kettle/boil.py") in kinds(sheet))
        await go_to(pilot, sheet, "shown", "kettle/meter.py")
        await pilot.press("d")
        await until(pilot, lambda: ("dropped", "kettle/meter.py") in kinds(sheet))
        await pilot.press("u")
        await until(pilot, lambda: ("dropped", "kettle/meter.py") not in kinds(sheet))
        await go_to(pilot, sheet, "shown", "kettle/meter.py")
        await pilot.press("d")
        await until(pilot, lambda: ("dropped", "kettle/meter.py") in kinds(sheet))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert app.main.composer.text == QUESTION

        app.main.composer.focus()
        await pilot.press("enter")
        await until(pilot, lambda: len(app.session.history) == 2)
        sent = server.asked[0][2]["messages"][-1]["content"]
        assert sent.index("kettle/boil.py:1-") < sent.index(QUESTION)
        assert "\nkettle/meter.py" not in sent
        assert KEY not in sent

        await pilot.press("f4")  # afterwards: what went out, byte for byte
        sheet = await opened(pilot, app)
        assert "What the last question showed" in sheet._head.render().plain
        for row in sheet.rows:
            if row.section:
                assert row.section.text.rstrip("\n") in sent


async def test_the_price_of_a_question_is_told_anew_when_a_piece_was_dropped(story):
    app, _ = story
    async with app.run_test(size=(120, 34)) as pilot:
        composer = app.main.composer

        def tokens():
            found = re.match(r"~([\d.]+)(k?) tokens", str(composer.border_subtitle).strip())
            return float(found[1]) * (1_000 if found[2] else 1) if found else 0.0

        await until(pilot, lambda: app.session.roster.pick is not None)
        composer.focus()
        composer.text = "how do @kettle/boil.py and @kettle/meter.py heat water?"
        await until(pilot, tokens)
        before = tokens()
        await pilot.press("f4")
        sheet = await opened(pilot, app)
        await go_to(pilot, sheet, "shown", "kettle/boil.py")
        await pilot.press("d")
        await until(pilot, lambda: ("dropped", "kettle/boil.py") in kinds(sheet))
        await pilot.press("escape")
        await until(pilot, lambda: 0 < tokens() < before)


@pytest.mark.parametrize("size", [(80, 24), (50, 15)])
async def test_a_small_screen_tells_the_keys_and_from_which_line_to_which(story, size):
    app, _ = story
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, f"/context {QUESTION}")
        sheet = await opened(pilot, app)
        assert sheet._foot.render().plain.endswith("Esc close")
        await until(pilot, lambda: sheet.list.option_count == len(sheet.rows))
        shown = [sheet.list.get_option_at_index(at).prompt.plain for at, row in enumerate(sheet.rows) if row.section]
        assert shown
        assert all(re.search(r":\d+-\d+ ", line) for line in shown), shown


async def test_a_secret_is_let_through_only_by_a_yes_to_its_name(story):
    app, server = story
    async with app.run_test(size=(120, 34)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "/context look at @report")
        sheet = await opened(pilot, app)
        for answer, left in (("n", "masked"), ("y", "let through")):
            await go_to(pilot, sheet, "masked", "kettle/boil.py")
            await pilot.press("a")
            await until(pilot, lambda: len(app.screen_stack) == 3)
            await pilot.pause(0.5)  # a key typed before the question could be seen means nothing
            await pilot.press(answer)
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await until(pilot, lambda left=left: (left, "kettle/boil.py") in kinds(sheet))
        assert server.asked == []
        await pilot.press("escape")
        await say(pilot, "look at @report")
        await until(pilot, lambda: len(app.session.history) == 2)
        assert KEY in server.asked[0][2]["messages"][-1]["content"]
        await say(pilot, "/context look at @report")
        sheet = await opened(pilot, app)
        await go_to(pilot, sheet, "let through", "kettle/boil.py")
        await pilot.press("a")
        await until(pilot, lambda: ("masked", "kettle/boil.py") in kinds(sheet))
        assert KEY not in (await asyncio.to_thread(app.session.sight.look, "look at @report")).render()


async def test_a_key_that_is_not_for_a_line_says_what_it_is_for(story):
    app, _ = story
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "/context look at @report")
        sheet = await opened(pilot, app)

        def foot():
            return sheet._foot.render().plain

        await go_to(pilot, sheet, "shown", "kettle/boil.py")
        await pilot.press("a")
        await until(pilot, lambda: "a lets a secret through" in foot())
        await go_to(pilot, sheet, "masked", "kettle/boil.py")
        await until(pilot, lambda: foot().endswith("Esc close"))
        await pilot.press("d")
        await until(pilot, lambda: "d is for what is shown" in foot())
        await pilot.press("p")
        await until(pilot, lambda: "p pins a file" in foot())


async def test_the_text_of_a_piece_can_be_read_and_drives_no_terminal(story, repo):
    app, _ = story
    (repo / "evil.py").write_text("def gloop():\n    return '\x1b[2J\u202e gone [bold]not markup[/]'\n")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "/context @gloop and @kettle/")
        sheet = await opened(pilot, app)
        await go_to(pilot, sheet, "shown", "evil.py")
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 3)
        words = app.screen.query_one("TextArea").text
        assert words.startswith("evil.py:1-2\ndef gloop():")
        assert "\x1b" not in words
        assert "\u202e" not in words
        await pilot.press("escape")
        await go_to(pilot, sheet, "shown", "kettle/")
        await pilot.press("p")  # a folder cannot be pinned, and the sheet says so and stays
        await until(pilot, lambda: "cannot be pinned" in sheet._foot.render().plain)
        await pilot.resize_terminal(20, 6)
        await pilot.press("j", "k", "d", "u", "escape")


async def test_without_a_word_typed_and_without_a_repository_to_speak_of_it_still_opens(make_session, repo):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await pilot.press("f4")
        sheet = await opened(pilot, app)
        assert "without words" in sheet._head.render().plain
        while sheet.rows and (row := sheet.rows[0]).section:
            sheet.list.highlighted = 0
            await pilot.press("d")
            await until(pilot, lambda row=row: ("dropped", row.path) in kinds(sheet))
        await pilot.press("q")
        await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_the_bar_follows_the_file_that_was_pinned_or_dropped(story):
    app, _ = story
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        app.main.composer.focus()
        app.main.composer.text = "what do @kettle/boil.py and @kettle/meter.py do?"
        await pilot.press("f4")
        sheet = await opened(pilot, app)
        await go_to(pilot, sheet, "shown", "kettle/meter.py")
        await pilot.press("p")
        await until(pilot, lambda: ("pinned", "kettle/meter.py") in kinds(sheet))
        assert (sheet.chosen.kind, sheet.chosen.path) == ("pinned", "kettle/meter.py")
        await pilot.press("p")
        await until(pilot, lambda: ("pinned", "kettle/meter.py") not in kinds(sheet))
        assert sheet.chosen.path == "kettle/meter.py"
        await pilot.press("p", "d")  # hasty: the second key before the list has heard of the first
        await until(pilot, lambda: ("dropped", "kettle/meter.py") in kinds(sheet))
        assert (sheet.chosen.kind, sheet.chosen.path) == ("dropped", "kettle/meter.py")
        assert (app.session.sight.pinned, app.session.sight.dropped) == ([], ["kettle/meter.py"])
        await pilot.press("d")
        await until(pilot, lambda: ("dropped", "kettle/meter.py") not in kinds(sheet))
        assert sheet.chosen.path == "kettle/meter.py"


async def test_keys_that_come_in_one_lump_are_worked_off_in_their_order(story):
    app, _ = story
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        app.main.composer.focus()
        app.main.composer.text = "what do @kettle/boil.py and @kettle/meter.py do?"
        await pilot.press("f4")
        sheet = await opened(pilot, app)
        await until(pilot, lambda: sheet.list.option_count == len(sheet.rows) > 2)
        third = sheet.rows[2].path
        for key in ("home", "down", "down", "d"):
            app.post_message(Key(key, key if key == "d" else None))
        await until(pilot, lambda: app.session.sight.dropped)
        assert app.session.sight.dropped == [third]


async def test_its_title_is_as_long_as_there_is_room_for_after_another_width(story):
    app, _ = story
    question = "why does the kettle boil so slowly when it is filled to the brim?"
    async with app.run_test(size=(40, 20)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        app.main.composer.text = question
        await pilot.press("f4")
        await opened(pilot, app)
        assert question not in seen(pilot)
        await pilot.resize_terminal(160, 50)
        await until(pilot, lambda: f"What this would show: {question}" in seen(pilot))
        await pilot.resize_terminal(40, 20)
        await until(pilot, lambda: question not in seen(pilot))


@pytest.mark.parametrize("back", ["d", "u"])
async def test_a_folder_that_is_dropped_by_its_line_keeps_its_files_out_until_it_is_back(story, back):
    app, _ = story
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "/context what is in @kettle/ that heats?")
        sheet = await opened(pilot, app)
        await go_to(pilot, sheet, "shown", "kettle/")
        before = kinds(sheet)
        assert ("shown", "kettle/boil.py") in before
        await pilot.press("d")
        await until(pilot, lambda: ("dropped", "kettle/") in kinds(sheet))
        assert not [row.path for row in sheet.rows if row.section and row.path.startswith("kettle/")]
        await go_to(pilot, sheet, "dropped", "kettle/")
        await pilot.press(back)
        await until(pilot, lambda: kinds(sheet) == before)


async def test_behind_a_question_that_was_sent_it_shows_what_is_kept_out_by_now(story):
    app, _ = story
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "what does @kettle/boil.py do?")
        await until(pilot, lambda: len(app.session.history) == 2)
        await say(pilot, "/drop kettle/")
        await until(pilot, lambda: "/add kettle/ brings it back" in app.main.talk.text)
        await pilot.press("f4")
        sheet = await opened(pilot, app)
        assert "What the last question showed" in sheet._head.render().plain
        await go_to(pilot, sheet, "shown", "kettle/boil.py")
        await pilot.press("d")  # it is out already, with its folder
        await until(pilot, lambda: "kettle/ is kept out" in sheet._foot.render().plain)
        assert app.session.sight.dropped == ["kettle/"]
        await go_to(pilot, sheet, "dropped", "kettle/")
        await pilot.press("d")
        await until(pilot, lambda: ("dropped", "kettle/") not in kinds(sheet))
        assert app.session.sight.dropped == []
        head = sheet._head.render().plain
        assert "Asked again, the last question would show: what does" in head
        assert "asking it again ~" in head


async def test_what_was_masked_in_the_words_that_were_sent_stays_in_the_list_whatever_is_decided(story):
    app, server = story
    async with app.run_test(size=(120, 34)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, f"why does DB_PASSWORD={DRAWN} fail in @kettle/boil.py?")
        await until(pilot, lambda: len(app.session.history) == 2)
        assert DRAWN not in str(server.asked[0][2])
        await pilot.press("f4")
        sheet = await opened(pilot, app)
        await go_to(pilot, sheet, "shown", "kettle/boil.py")
        await pilot.press("d")
        await until(pilot, lambda: ("dropped", "kettle/boil.py") in kinds(sheet))
        await go_to(pilot, sheet, "masked", YOURS)
        await pilot.press("a")
        await until(pilot, lambda: len(app.screen_stack) == 3)
        await pilot.pause(0.5)  # a key typed before the question could be seen means nothing
        await pilot.press("y")
        await until(pilot, lambda: ("let through", YOURS) in kinds(sheet))
        assert ("masked", YOURS) not in kinds(sheet)
        await go_to(pilot, sheet, "let through", YOURS)
        await pilot.press("a")
        await until(pilot, lambda: ("masked", YOURS) in kinds(sheet))
        app.session.sight.look("what else?")
        assert not app.session.sight.context.masked  # they are of that question alone
