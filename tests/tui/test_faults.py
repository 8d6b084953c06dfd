"""G17 of the checklist: an error of ours in a worker is said, and the sitting goes on."""

from textual.events import Key

from assistant import config
from assistant.session import Session
from assistant.tui.app import Wattson
from tests.tui.keys import say, until

KEY = "k3y-" * 8


class Broken:
    """A client with a fault that nobody foresaw."""

    def stream(self, *_):
        raise ZeroDivisionError(f"what nobody foresaw, with {KEY}")

    async def aclose(self):
        pass


async def test_g17_a_fault_in_a_turn_is_said_and_the_next_command_works(repo, env):
    env = {**env, "OPENAI_API_KEY": KEY}
    places = config.places(env)
    session = Session(repo, places=places, config=config.load(places, repo), env=env, client=Broken())
    app = Wattson(session, "openai/gpt-6.1-sol")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: session.roster.pick is not None)
        await say(pilot, "hello")
        await until(pilot, lambda: "ZeroDivisionError" in app.main.talk.text)
        assert "fault of Wattson's" in app.main.talk.text
        assert "what nobody foresaw" in app.main.talk.text
        assert KEY not in app.main.talk.text
        assert not session.asking
        await say(pilot, "/help")
        await until(pilot, lambda: len(app.screen_stack) == 2)


async def test_a_key_that_comes_when_no_screen_is_left_goes_nowhere(make_session):
    app = Wattson(make_session())
    assert app.screen_stack == []
    await app.on_event(Key("a", "a"))
