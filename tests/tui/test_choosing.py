"""Choosing a model on the screen: found by letters, liked by a key, changed in mid-conversation with a look before."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from assistant.models import catalogue, listing, switch
from assistant.tokens import Cost
from assistant.tui import asking, choosing, model_lines, switching
from assistant.tui.app import Wattson
from assistant.tui.lines import wrap
from assistant.tui.scrolling import Tall
from tests import loopback
from tests.tui.keys import say, seen, take, until

ALL = catalogue.load({}, None, {})
ROWS = listing.rows(ALL, datetime(2026, 11, 24, 2, 0, tzinfo=UTC))
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def app(make_session):
    """The app with keys of two providers, both at one server that says who it is."""
    with loopback.Server(loopback.openai("I am one.")) as one, loopback.Server(loopback.anthropic("I am two.")) as two:
        session = make_session(
            OPENAI_BASE_URL=one.url, OPENAI_API_KEY="k" * 20, ANTHROPIC_BASE_URL=two.url, ANTHROPIC_API_KEY="a" * 20,
            OLLAMA_BASE_URL=NOWHERE, LMSTUDIO_BASE_URL=NOWHERE, LLAMA_SERVER_BASE_URL=NOWHERE, VLLM_BASE_URL=NOWHERE,
        )  # fmt: skip
        yield Wattson(session, "openai/gpt-6.1-sol")


def sheet(pilot):
    return "\n".join(str(each.render()) for each in pilot.app.screen.query("Static"))


async def pick(pilot, *keys):
    """Open the list and press keys in it."""
    await pilot.press("f3")
    await until(pilot, lambda: isinstance(pilot.app.screen, choosing.ModelPicker) and pilot.app.screen.found)
    await pilot.press(*keys)


async def test_a_model_is_found_by_letters_and_taken_with_a_level_of_thinking(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await pick(pilot, *"opus 5:high")
        assert app.screen.chosen.name == "anthropic/claude-opus-5-5"
        assert "Claude Opus 5.5, sold by Anthropic; metered" in sheet(pilot)
        assert "$4 in" in sheet(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.session.roster.pick.name == "anthropic/claude-opus-5-5:high")
        assert "claude-opus-5-5:high" in app.main.meter.line(80)
        await pick(pilot, *"deepseek-flash")
        assert "no key: set DEEPSEEK_API_KEY" in sheet(pilot)


async def test_on_a_low_screen_the_price_of_the_row_is_whole_and_the_keys_are_told(app):
    async with app.run_test(size=(50, 15)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await pick(pilot, *"opus 5.5")
        facts, title = app.screen.query_one("#facts"), app.screen.query_one("#title")
        await until(pilot, lambda: "$20 out per million" in str(facts.render()))
        assert sum(len(wrap(line, facts.size.width)) for line in str(facts.render()).split("\n")) <= facts.size.height
        assert title.size.height == 1
        assert str(title.render()).endswith("Esc closes")


async def test_a_relay_takes_names_that_nobody_lists(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await pick(pilot, *"openrouter/some/thing-new")
        assert app.screen.chosen is None
        await pilot.press("enter")
        await until(pilot, lambda: app.session.roster.pick.name == "openrouter/some/thing-new")


async def test_favourites_stand_first_and_one_key_goes_round_them(app):
    async with app.run_test(size=(120, 30)) as pilot:
        roster = app.session.roster
        await until(pilot, lambda: roster.pick is not None)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "no other favourite" in app.main.talk.text)
        for words in ("sonnet 5", "6.1 sol", "haiku 5"):
            await pick(pilot, *words, "ctrl+f", "escape")
        assert roster.favourites == ["anthropic/claude-sonnet-5-5", "openai/gpt-6.1-sol", "anthropic/claude-haiku-5-5"]
        await pick(pilot)
        assert [row.name for row in app.screen.found[:3]] == roster.favourites
        await pilot.press(*"haiku 5", "ctrl+f", "escape")
        assert roster.favourites == ["anthropic/claude-sonnet-5-5", "openai/gpt-6.1-sol"]
        for name in ("anthropic/claude-sonnet-5-5", "openai/gpt-6.1-sol", "anthropic/claude-sonnet-5-5"):
            await pilot.press("ctrl+p")
            await until(pilot, lambda name=name: roster.pick.name == name)


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 10)])
async def test_a_switch_in_mid_conversation_is_looked_at_first(app, size):
    async with app.run_test(size=size) as pilot:
        session = app.session
        await until(pilot, lambda: session.roster.pick is not None)
        await say(pilot, "a question")
        await until(pilot, lambda: len(session.history) == 2)
        await say(pilot, "/model sonnet")
        await until(pilot, lambda: isinstance(app.screen, switching.SwitchSheet))
        assert "Go on with anthropic/claude-sonnet-5-5?" in str(app.screen.query_one(Tall).border_title)
        assert "metered at OpenAI -> metered at Anthropic" in sheet(pilot)
        assert "40 tokens" in sheet(pilot)
        app.screen.grace.since += 1_000  # as if it had just come into sight
        await pilot.press("e", "enter", "b")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert session.roster.pick.provider.name == "openai"
        await say(pilot, "/model sonnet")
        await take(pilot, "l")
        await until(pilot, lambda: session.roster.pick.provider.name == "anthropic")
        assert [message.text for message in session.history] == ["a question"]


async def test_what_is_being_written_is_priced_anew_when_another_model_is_chosen(app):
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)

        def told():
            return str(app.main.composer.border_subtitle)

        app.main.composer.text = "what does it cost?"
        await until(pilot, lambda: "$" in told())
        before = told()
        await pick(pilot, *"claude-haiku-5-5", "enter")
        await until(pilot, lambda: app.session.roster.pick.model.id == "claude-haiku-5-5")
        await until(pilot, lambda: "$" in told() and told() != before)
        assert "haiku" not in told()  # the model that is asked stands at no other's price


async def test_on_a_low_screen_the_ways_of_a_switch_are_in_sight_with_their_prices(app):
    async with app.run_test(size=(40, 12)) as pilot:
        session = app.session
        await until(pilot, lambda: session.roster.pick is not None)
        await say(pilot, "a question")
        await until(pilot, lambda: len(session.history) == 2)
        await say(pilot, "/model sonnet")
        await until(pilot, lambda: "Esc stays" in seen(pilot))
        told = seen(pilot)
        assert "Go on with" in told
        for way in ("e  everything", "b  a brief of it", "l  the last request"):
            row = next(line for line in told.split("\n") if way in line)
            assert "$" in row
            assert "…" not in row
        assert "Who pays changes" not in told
        await pilot.press("pageup", "pageup")
        await until(pilot, lambda: "Who pays changes" in seen(pilot))
        await pilot.press("down")  # the bar is never out of sight
        await until(pilot, lambda: "b  a brief of it" in seen(pilot))


async def test_on_a_low_screen_the_ways_of_making_a_conversation_short_are_in_sight(app):
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "a question")
        await until(pilot, lambda: len(app.session.history) == 2)
        await say(pilot, "/compact ")
        await until(pilot, lambda: "Esc leaves it as it is" in seen(pilot))
        told = seen(pilot)
        assert "Make the conversation short?" in told
        assert "all of it and writes a brief" in told
        assert "most $0.0" in told
        assert "l   only the last request" in told
        await pilot.press("pageup", "pageup")
        await until(pilot, lambda: "2 messages" in seen(pilot))


def test_a_row_of_the_switch_sheet_is_not_cut_off_where_there_is_room():
    one = switch.Carried("everything", (600, 745, 900), (Cost("unknown"),) * 3, "unknown", dearer=False)
    ways = (one, replace(one, way="brief"), replace(one, way="last", tokens=(1, 2, 3)))
    wide, usual, narrow = ([row.plain for row in switching.rows(ways, width)] for width in (110, 75, 36))
    assert wide[0] == "e  everything        price unknown  ~745 tokens (600 to 900)  window unknown"
    assert usual[0] == "e  everything        price unknown  ~745 (600 to 900)  window unknown"
    assert usual[2] == "l  the last request  price unknown  ~2 (1 to 3)        window unknown"
    assert narrow[0] == "e  everything        price unknown"


def test_where_help_has_no_room_beside_the_keys_the_words_stand_below_them():
    lines = asking._help(32, "hunks").split("\n")
    assert max(map(len, lines)) <= 32
    assert lines[1:4] == ["y n u", "  take, skip, unmark the hunk", "  (Space takes)"]


async def test_favourites_are_walked_on_the_sheet(app):
    async with app.run_test(size=(100, 30)) as pilot:
        session = app.session
        await until(pilot, lambda: session.roster.pick is not None)
        for name in ("openai/gpt-6.1-sol", "anthropic/claude-sonnet-5-5", "anthropic/claude-haiku-5-5"):
            session.roster.like(name)
        await say(pilot, "a question")
        await until(pilot, lambda: len(session.history) == 2)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, switching.SwitchSheet) and "sonnet" in seen(pilot))
        await pilot.pause(0.5)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, switching.SwitchSheet) and "haiku-5-5?" in seen(pilot))
        await pilot.pause(0.5)
        await pilot.press("ctrl+p")  # round to the one that is asked: nothing to switch
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert session.roster.pick.provider.name == "openai"


async def test_another_model_than_the_one_that_was_asked_stands_in_the_badge(app):
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "a question")
        await until(pilot, lambda: "served-model" in app.main.meter.line(160))
        assert "answered with served-model; gpt-6.1-sol was asked" in app.main.talk.text
        assert "→served-model!" in app.main.meter.line(60)


@pytest.mark.parametrize("width", [34, 74, 76, 98, 114])
def test_every_row_fits_its_width_and_keeps_both_ends_of_its_name(width):
    for row in ROWS:
        text = model_lines.line(row, width).plain
        assert cell_len(text.rstrip()) <= width, text
        assert text[2:].startswith(row.name[:8])
        assert row.name[-6:] in text
    assert cell_len(model_lines.heads(width).plain) <= width


def test_a_row_tells_its_price_now_or_why_there_is_none():
    rows = {row.name: row for row in ROWS}
    assert model_lines.rate(rows["deepseek/deepseek-flash"]) == "$0.3/$1.2"
    assert model_lines.rate(rows["zai-coding/glm-5.3"]) == "in the plan"
    assert model_lines.rate(rows["nova/nova-2-lite-v1"]) == "unknown"
    told = "\n".join(model_lines.facts(rows["deepseek/deepseek-flash"]))
    assert "(peak)" in told
    assert "changes Tue 24 Nov" in told
    scored = next(row for row in ROWS if row.model.scores)
    score = scored.model.scores[0]
    assert f"{score.benchmark} {score.value}{score.unit}  ({score.source}, " in "\n".join(model_lines.facts(scored))


WINDOWS = """
[roles]
small = "mine/small"
[providers.mine]
title = "Mine"
wire = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
key_needed = false
""" + "".join(
    f'[[providers.mine.models]]\nid = "{name}"\ncontext_window = {window}\n'
    for name, window in (("big", 200_000), ("small", 8_000))
)


async def test_a_way_that_does_not_fit_is_taken_only_at_the_second_time_and_what_helps_is_named(make_session, config):
    config(WINDOWS)
    with loopback.Server(loopback.openai("So.")) as server:
        app = Wattson(make_session(MINE_BASE_URL=server.url), "mine/big")
        async with app.run_test(size=(100, 30)) as pilot:
            main, session = app.main, app.session
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "why? " + "a log " * 12_000)
            await until(pilot, lambda: len(session.history) == 2 and not session.asking)
            await say(pilot, "/model mine/small")
            await take(pilot, "l")
            await until(pilot, lambda: "That does not fit: mine/small holds 8.0k tokens." in seen(pilot))
            await pilot.press("e")
            await pilot.pause(0.1)
            assert isinstance(app.screen, switching.SwitchSheet)
            await pilot.press("e")
            await until(pilot, lambda: session.roster.pick.model.name == "mine/small")
            await until(pilot, lambda: "/compact makes it short" in main.talk.text)
            assert "mine/small holds 8,000" in main.talk.text
            await say(pilot, "and now?")
            await until(pilot, lambda: "Nothing was sent. Make it short with /compact, begin anew" in main.talk.text)
            await say(pilot, "/compact brief")
            await until(pilot, lambda: len(session.history) == 1)
            await say(pilot, "and now?")
            await until(pilot, lambda: len(session.history) == 3 and not session.asking)
            await say(pilot, "/model mine/big everything")
            await until(pilot, lambda: session.roster.pick.model.name == "mine/big")
            assert main.talk.text.count("/compact makes it short") == 1


async def test_on_a_low_screen_a_way_that_does_not_fit_says_so_and_why_it_was_not_taken(make_session, config):
    config(WINDOWS)
    with loopback.Server(loopback.openai("So.")) as server:
        app = Wattson(make_session(MINE_BASE_URL=server.url), "mine/big")
        async with app.run_test(size=(40, 10)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "why? " + "a log " * 12_000)
            await until(pilot, lambda: len(app.session.history) == 2 and not app.session.asking)
            await say(pilot, "/model mine/small")
            await until(pilot, lambda: isinstance(app.screen, switching.SwitchSheet))
            await until(pilot, lambda: "does not fit" in seen(pilot))
            assert "Once more" not in seen(pilot)
            await take(pilot, "e")
            await until(pilot, lambda: "That does not fit" in seen(pilot) and "Once more" in seen(pilot))
