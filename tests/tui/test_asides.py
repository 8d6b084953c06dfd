"""What is asked beside the conversation: whom the screen names meanwhile, and what it shows afterwards."""

from assistant.tui.app import Wattson
from tests import loopback
from tests.tui.keys import say, seen, until

EDIT = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"


async def test_while_a_second_opinion_comes_whoever_gives_it_is_named(two):
    with (
        loopback.Server(loopback.openai(EDIT, model="gpt-6.1-sol")) as main,
        loopback.Server(loopback.anthropic("word " * 200), pause_s=0.01) as other,
    ):
        app = Wattson(two(main, other), "openai/gpt-6.1-sol")
        async with app.run_test(size=(160, 30)) as pilot:
            hunks, meter = app.main.hunks, app.main.meter
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: hunks.has_focus and hunks.hunks and not app.session.asking)
            turn = meter.state.turn
            assert turn.total
            stream = app.session.turns.second_opinion(hunks.hunks[0], "anthropic/claude-sonnet-5-5")
            app.main.run_turn(stream)
            await until(pilot, lambda: "word word" in app.main.talk.text)
            await until(pilot, lambda: "anthropic/claude-sonnet-5-5 answers" in str(app.main.composer.border_title))
            assert "anthropic/claude-sonnet-5-5 · metered" in meter.line(300)
            assert " aside ~" in meter.line(300)
            assert "gpt-6.1-sol" not in seen(pilot).split("\n")[-1]
            await until(pilot, lambda: not app.session.asking)
            await until(pilot, lambda: meter.line(300).startswith(" openai/gpt-6.1-sol · metered"))
            assert meter.state.turn == turn
            assert meter.state.session.total > turn.total
