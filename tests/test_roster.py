"""Who is asked and who pays, as a sitting remembers it: keys asked once, choices kept, levels of thinking."""

import asyncio
import stat

import pytest

from assistant import command, config, events
from assistant.errors import Auth, ConfigError, UnknownModel
from tests import loopback
from tests.turns import walk


def _command(tmp_path, *lines):
    """Write a key command that counts how often it is asked."""
    script = tmp_path / "key.sh"
    script.write_text("\n".join(["#!/bin/sh", f"echo x >> {tmp_path / 'asked'}", *lines]) + "\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'[key_commands]\nopenai = ["{script}"]\n')
    return lambda: len((tmp_path / "asked").read_text().split())


async def test_a_slow_key_command_does_not_stop_the_screen_and_is_asked_once(make_session, tmp_path):
    asked = _command(tmp_path, "sleep 0.5", "echo sk-from-the-safe-0123456789")
    session = make_session()
    provider = session.roster.catalogue.providers["openai"]
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    task = asyncio.create_task(beat())
    assert await session.roster.key(provider) == "sk-from-the-safe-0123456789"
    task.cancel()
    assert beats >= 5  # the loop went on meanwhile
    assert await session.roster.key(provider) == "sk-from-the-safe-0123456789"
    assert asked() == 1


async def test_a_key_that_is_refused_is_asked_for_anew(make_session, tmp_path):
    asked = _command(tmp_path, "echo sk-from-the-safe-0123456789")
    refused = (401, {"content-type": "application/json"}, b'{"error": {"message": "Incorrect API key provided"}}')
    with loopback.Server(refused) as server:
        session = make_session(OPENAI_BASE_URL=server.url)
        session.roster.choose("openai/gpt-6.1-sol")
        for _ in range(2):
            ended = [event async for event in session.ask("hi")][-1]
            assert isinstance(ended.error, Auth)
        await session.close()
    assert asked() == 2


async def test_two_turns_at_once_are_refused_while_the_key_is_waited_for(make_session, tmp_path):
    _command(tmp_path, "sleep 0.3", "echo sk-from-the-safe-0123456789")
    with loopback.Server(loopback.openai("one")) as server:
        session = make_session(OPENAI_BASE_URL=server.url)
        session.roster.choose("openai/gpt-6.1-sol")

        async def ask():
            return [event async for event in session.ask("hi")]

        first, second = await asyncio.gather(ask(), ask(), return_exceptions=True)
        await session.close()
    assert sorted([type(first).__name__, type(second).__name__]) == ["BudgetError", "list"]
    assert len(server.asked) == 1


async def test_after_a_missing_key_one_can_ask_again(make_session):
    session = make_session()
    session.roster.choose("openai/gpt-6.1-sol")
    for _ in range(2):
        with pytest.raises(Auth):
            _ = [event async for event in session.ask("hi")]
    assert not session.asking


def test_the_choice_and_the_last_ones_are_kept_for_the_next_sitting(make_session):
    session = make_session()
    for name in ("sonnet", "openai/gpt-6.1-sol:high", "sonnet"):
        session.roster.switch(name)
    again = make_session()
    assert again.config.model == "anthropic/claude-sonnet-5-5"
    assert again.roster.recents == ["anthropic/claude-sonnet-5-5", "openai/gpt-6.1-sol"]
    assert again.roster.favourites == []
    config.remember(again.places, favourites=[1, "a"], recents="nonsense")
    assert (again.roster.favourites, again.roster.recents) == (["a"], [])


def test_choosing_for_one_sitting_changes_nothing_for_the_next(make_session):
    make_session().roster.choose("sonnet")
    assert make_session().config.model == ""


def test_how_hard_to_think_is_one_of_the_levels_of_the_model(make_session):
    roster = make_session().roster
    with pytest.raises(ConfigError):
        roster.set_effort("high")
    roster.switch("openai/gpt-6.1-sol")
    assert roster.set_effort("high").effort == "high"
    assert roster.pick.name == "openai/gpt-6.1-sol:high"
    assert make_session().config.model == "openai/gpt-6.1-sol:high"
    with pytest.raises(UnknownModel) as caught:
        roster.set_effort("sideways")
    assert "high" in caught.value.hint
    assert roster.set_effort("").effort == ""


async def test_what_a_provider_counts_is_learned_and_used_for_the_next_estimate(make_session):
    usage = {"prompt_tokens": 0, "completion_tokens": 20}
    with loopback.Server(loopback.openai("one", usage)) as server:

        def sitting():
            session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
            session.roster.choose("openai/gpt-6.1-sol")
            return session

        session = sitting()
        session.sight.look("what is this?")
        before = session.pricing.quote("and now?")
        for _ in range(4):
            sent = None
            session.clear()
            async for event in session.ask("what is this?"):
                if isinstance(event, events.RequestSent):
                    sent = sent or event
                    counted = sent.likely / session.roster.factor(session.roster.pick.model).likely
                    usage["prompt_tokens"] = round(counted * 1.8)
                    server.answers[:] = [loopback.openai("one", usage)]
        session.clear()
        after, next_time = session.pricing.quote("and now?"), sitting()
        assert 1.6 < session.roster.factor(session.roster.pick.model).likely < 1.85
        assert after.likely > before.likely * 1.3
        assert (after.high - after.low) / after.likely < (before.high - before.low) / before.likely
        assert next_time.roster.factor(next_time.roster.pick.model) == pytest.approx(
            session.roster.factor(session.roster.pick.model), rel=1e-3
        )
        await session.close()


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        ("openrouter/deepseek/deepseek-r1", True),
        ("openrouter/deepseek/deepseek-r1:high", True),
        ("openrouter/deepseek/deepseek-r1:free", False),
        ("ollama/qwen3:8b", False),
        ("nobody/nothing", False),
        ("", False),
    ],
)
def test_who_is_asked_is_told_from_a_model_whose_name_goes_on(make_session, name, asks):
    session = make_session()
    assert not session.roster.asks(name)
    session.roster.choose("openrouter/deepseek/deepseek-r1")
    assert session.roster.asks(name) is asks


async def test_a_name_that_no_list_has_is_said_to_be_so_where_it_is_chosen(make_session):
    session = make_session(OPENAI_BASE_URL="http://127.0.0.1:9", OPENAI_API_KEY="k" * 20)
    for typed in ("/model openai/gpt-6.1-sol:silly", "/model editor=openai/gpt-6.1-sol:silly"):
        told = str(await walk(command.submit(session, typed)))
        assert "openai/gpt-6.1-sol:silly is not in the list of OpenAI" in told
    assert "not in the list" not in str(await walk(command.submit(session, "/model openai/gpt-6.1-sol:low")))
