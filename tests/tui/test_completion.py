"""The list above the composer: arguments of commands, and when it stays away."""

import pytest

from assistant.tui.app import Wattson
from tests import loopback
from tests.tui.keys import say, until

KEY = "k" * 20


@pytest.fixture
def app(make_session, repo):
    (repo / "my notes.md").write_text("x\n")
    with loopback.Server(loopback.openai("Fine.")) as server:
        yield Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")


async def begun(app, pilot):
    await until(pilot, lambda: app.session.roster.pick is not None)
    app.main.composer.focus()
    return app.main.composer, app.main.completions


async def typed(pilot, words):
    """Type words and wait for what is offered for them."""
    composer, offers = pilot.app.main.composer, pilot.app.main.completions
    await pilot.press(*words)
    await until(pilot, lambda: offers.word == composer.word and offers.choices)
    return [each.name for each in offers.choices]


async def test_tab_takes_an_argument_and_enter_takes_it_and_runs_the_command(app):
    async with app.run_test(size=(80, 24)) as pilot:
        composer, offers = await begun(app, pilot)
        assert await typed(pilot, "/add notes") == ['"my notes.md"']
        await pilot.press("tab")
        assert composer.text == '/add "my notes.md" '
        assert (await typed(pilot, "boi"))[0] == "kettle/boil.py"
        await pilot.press("enter")
        await until(pilot, lambda: app.session.sight.pinned == ["my notes.md", "kettle/boil.py"])
        assert (await typed(pilot, "/effort hi"))[0] == "high"
        await pilot.press("enter")
        await until(pilot, lambda: app.session.roster.pick.effort == "high")
        await typed(pilot, "/model edi")
        await pilot.press("enter")  # a role is no argument that could be run
        assert composer.text == "/model editor="
        assert (await typed(pilot, "sonnet"))[0] == "editor=anthropic/claude-sonnet-5-5"
        await pilot.press("down", "up", "escape")
        assert not offers.choices


async def test_enter_runs_a_command_as_it_is_where_nothing_is_meant_or_all_is_typed(app):
    async with app.run_test(size=(80, 24)) as pilot:
        composer, offers = await begun(app, pilot)
        assert "low" in await typed(pilot, "/effort ")
        assert offers.chosen is None
        await pilot.press("enter")
        await until(pilot, lambda: "it may be set to" in app.main.talk.text)
        await typed(pilot, "/effort low")
        await pilot.press("enter")
        await until(pilot, lambda: app.session.roster.pick.effort == "low")
        assert (await typed(pilot, "/add nts"))[0] == "my notes.md".join('""')  # near it, and perhaps not meant
        assert offers.chosen is None
        await pilot.press("enter")
        await until(pilot, lambda: "There is no file 'nts'" in app.main.talk.text)
        await typed(pilot, "/undo ")
        await pilot.press("up")
        assert offers.chosen == "/undo now"
        await pilot.press("down")
        assert offers.chosen == "/undo turn"
        await pilot.press("ctrl+u")
        await typed(pilot, "/undo ")
        await pilot.press("tab")
        assert composer.text == "/undo turn"


async def test_enter_runs_a_command_that_says_it_all_and_an_alias_in_full(app):
    async with app.run_test(size=(80, 24)) as pilot:
        composer, offers = await begun(app, pilot)
        assert await typed(pilot, "/hist") == ["/history"]
        await pilot.press("enter")
        await until(pilot, lambda: composer.sent == ["/history"] and app.screen is not app.main)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main)
        assert await typed(pilot, "/cost") == ["/cost"]
        await pilot.press("enter")
        await until(pilot, lambda: composer.sent[-1] == "/cost")
        await until(pilot, lambda: app.screen is not app.main)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main)
        assert len(await typed(pilot, "/c")) > 1  # more than one may be meant: nothing runs by itself
        await pilot.press("enter")
        assert composer.text.startswith("/c")
        assert composer.sent[-1] == "/cost"


async def test_what_comes_from_the_history_offers_nothing_until_it_is_changed(app):
    async with app.run_test(size=(80, 24)) as pilot:
        composer, offers = await begun(app, pilot)
        for words in ("second real", "/plan", "third"):
            await say(pilot, words)
            await until(pilot, lambda: not app.session.asking and not composer.text)
        for words in ("third", "/plan", "second real"):
            await pilot.press("up")
            await pilot.pause(0.1)
            assert (composer.text, offers.choices) == (words, ())
        await pilot.press("down")
        await pilot.pause(0.1)
        assert (composer.text, offers.choices) == ("/plan", ())
        assert await typed(pilot, ["space"])
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: composer.sent[-1] == "/plan")


async def test_any_other_key_disarms_the_ctrl_c_that_leaves(app):
    async with app.run_test(size=(80, 24)) as pilot:
        composer, _ = await begun(app, pilot)
        await pilot.press("ctrl+c")
        assert composer.border_title == "Ctrl+C again leaves"
        await pilot.press("slash", "m")
        assert composer.border_title == ""
        await pilot.press("ctrl+u", "ctrl+c")
        assert composer.border_title == "Ctrl+C again leaves"
        assert app.is_running
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app.return_code == 0)


@pytest.mark.parametrize("keys", ["f1", "f3", "f4", "f5", "ctrl+r", "/compact", "/add", "/resume"])
async def test_ctrl_c_closes_every_sheet_as_escape_does(app, keys):
    async with app.run_test(size=(80, 24)) as pilot:
        composer, _ = await begun(app, pilot)
        await say(pilot, "a question")
        await until(pilot, lambda: len(app.session.history) == 2 and not app.session.asking)
        if keys == "/resume":
            app.session.clear()
        if keys.startswith("/"):
            await say(pilot, keys)
        else:
            await pilot.press(keys)
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.pause(0.5)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert composer.border_title != "Ctrl+C again leaves"
