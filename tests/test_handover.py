"""A conversation that goes on with another model, and side work that a helper does: who is asked, and what is said of it."""

import json
import re
import sys

import pytest

from assistant import command, events, tokens
from assistant.edits.review import Review
from assistant.errors import RepoError, UnknownModel
from tests import loopback
from tests.turns import of, walk

JSON = {"content-type": "application/json"}
BUSY = (400, JSON, b'{"error": {"message": "the small one is ill"}}')


@pytest.fixture
def two(two):
    def make(main, small, role="anthropic/claude-haiku-5-5"):
        return two(main, small, f'repairs = 0\n[roles]\nsmall = "{role}"\n' if role else "repairs = 0\n")

    return make


def told(server):
    """Return the words of the last request."""
    return json.dumps(server.asked[-1][2])


async def test_the_whole_conversation_goes_along(two):
    with loopback.Server(loopback.openai("I am one.")) as main, loopback.Server(loopback.anthropic("Two.")) as small:
        session = two(main, small)
        await walk(session.ask("a first question"))
        found = await walk(command.submit(session, "/model sonnet everything"))
        assert of(found, events.ModelChanged)[0].model == "claude-sonnet-5-5"
        await walk(session.ask("and now"))
        assert "a first question" in told(small)
        assert "I am one." in told(small)
        await session.close()


async def test_a_conversation_under_way_is_looked_at_before_it_moves(two):
    with loopback.Server(loopback.openai("I am one.")) as main, loopback.Server(loopback.anthropic("Two.")) as small:
        session = two(main, small)
        await walk(command.submit(session, "/model openai/gpt-6.1-sol"))  # nothing was said: no sheet
        await walk(session.ask("a first question"))
        assert await walk(command.submit(session, "/model sonnet")) == [events.Asked("switch", "sonnet")]
        assert session.roster.pick.provider.name == "openai"
        found = await walk(command.submit(session, "/model gpt-6.1-sol:high"))  # the same model reads its own cache
        assert of(found, events.ModelChanged)[0].effort == "high"
        offer = session.handover.offer("sonnet")
        everything = offer.sheet.ways[0]
        assert offer.sheet.cached == 40
        assert (offer.sheet.payer_before, offer.sheet.payer_after) == ("metered", "metered")
        assert everything.fits == "yes"
        assert everything.cost[1].amount > 0
        assert offer.writer.pick.name == "anthropic/claude-haiku-5-5"
        with pytest.raises(UnknownModel):
            session.handover.offer("no-such-model")
        await session.close()


async def test_a_switch_during_the_first_answer_is_looked_at_too(two):
    long = loopback.openai("word " * 200)
    with loopback.Server(long, pause_s=0.002) as main, loopback.Server(loopback.anthropic("Two.")) as small:
        session = two(main, small)
        found, seen = [], []
        async for event in session.ask("a first question"):
            found.append(event)
            if isinstance(event, events.TextArrived) and not seen:
                seen += await walk(command.submit(session, "/model sonnet"))
                sheet = session.handover.offer("sonnet").sheet
        assert seen == [events.Asked("switch", "sonnet")]
        assert session.roster.pick.provider.name == "openai"
        after = session.handover.offer("sonnet").sheet
        assert after.ways[0].tokens[1] > sheet.ways[0].tokens[1]  # the answer is part of it by now
        assert found[-1].stop == "end"  # and whoever began it has ended it
        await session.close()


async def test_a_brief_is_written_by_the_small_model_and_goes_in_place_of_the_conversation(two):
    with (
        loopback.Server(loopback.openai("I am one.")) as main,
        loopback.Server(loopback.anthropic("They boil.")) as small,
    ):
        session = two(main, small)
        await walk(session.ask("a first question"))
        offer = session.handover.offer("sonnet")
        found = await walk(command.submit(session, "/model sonnet brief"))
        (sent,) = of(found, events.RequestSent)
        assert sent.cost.amount < offer.brief.amount < 30 * sent.cost.amount, (
            "the sheet had said: with so long an answer"
        )
        assert f"writes a brief for at most {offer.brief}" in offer.writing
        (started,), (ended,) = of(found, events.AsideStarted), of(found, events.AsideEnded)
        assert (started.purpose, started.model) == ("brief", "claude-haiku-5-5")
        assert "a first question" in told(small)
        assert small.asked[-1][2]["max_tokens"] == 1_200
        assert ended.text == "They boil."
        assert [message.text for message in session.history] == [session.history[0].text]
        assert "They boil." in session.history[0].text
        await walk(session.ask("and now"))
        assert "They boil." in told(small)
        assert "a first question" not in told(small)
        assert {entry.purpose for entry in session.accounts.ledger.entries()} == {"main", "brief"}
        assert session.accounts.usage.total == sum(entry.usage.total for entry in session.accounts.ledger.entries())
        await session.close()
        again = two(main, small)
        again.take_up()
        assert "They boil." in again.history[0].text
        assert [message.role for message in again.history] == ["user", "user", "assistant"]


async def test_only_the_last_request_goes_along(two):
    with loopback.Server(loopback.openai("I am one.")) as main, loopback.Server(loopback.anthropic("Two.")) as small:
        session = two(main, small)
        await walk(session.ask("a first question"))
        await walk(session.ask("a second one"))
        await walk(command.submit(session, "/model sonnet last"))
        assert [message.text for message in session.history] == ["a second one"]
        assert small.asked == []
        await session.close()


async def test_a_helper_that_fails_gives_way_to_the_main_model_and_that_is_said(two):
    with loopback.Server(loopback.openai("I am one.")) as main, loopback.Server(BUSY) as small:
        session = two(main, small)
        await walk(session.ask("a first question"))
        found = await walk(command.submit(session, "/model anthropic/claude-sonnet-5-5 brief"))
        assert [event.provider for event in of(found, events.AsideStarted)] == ["anthropic", "openai"]
        (notice, *_) = of(found, events.Notice)
        assert notice.level == "warning"
        assert "claude-haiku-5-5 failed" in notice.text
        assert "openai/gpt-6.1-sol is asked instead" in notice.text
        assert "I am one." in session.history[0].text
        await session.close()


async def test_a_brief_that_nobody_can_write_changes_nothing_and_the_other_ways_are_offered(two):
    with loopback.Server(loopback.openai("I am one.")) as main, loopback.Server(BUSY) as small:
        session = two(main, small)
        await walk(session.ask("a first question"))
        main.answers[:] = [BUSY]
        found = await walk(command.submit(session, "/model sonnet brief"))
        assert found[-1] == events.Asked("switch", "sonnet")
        assert "no brief" in of(found, events.Notice)[-1].text
        assert "ill" in session.handover.trouble
        assert session.roster.pick.provider.name == "openai"
        assert len(session.history) == 2
        await walk(command.submit(session, "/model sonnet everything"))
        assert session.roster.pick.provider.name == "anthropic"
        assert len(session.history) == 2
        await session.close()


async def test_a_brief_that_is_stopped_leaves_all_as_it_was(two):
    long = loopback.openai("word " * 400)
    with loopback.Server(loopback.openai("I am one.")) as main, loopback.Server(long) as small:
        session = two(main, small, role="")
        await walk(session.ask("a first question"))
        main.answers[:] = [long]
        found = []
        async for event in command.submit(session, "/model sonnet brief"):
            found.append(event)
            if isinstance(event, events.AsideStarted):
                session.stop()
        assert not of(found, events.Asked)
        assert session.roster.pick.provider.name == "openai"
        assert len(session.history) == 2
        assert not session.asking
        assert session.handover.trouble == ""  # whoever stops it has nothing against the next one
        main.answers[:] = [BUSY]
        assert "There is no brief" in of(await walk(command.submit(session, "/compact brief")), events.Notice)[-1].text
        assert session.handover.trouble == ""  # that was no switch
        await session.close()


async def test_a_small_model_without_a_key_is_not_passed_over_in_silence(two, repo):
    with loopback.Server(loopback.openai("Subject line")) as main, loopback.Server(BUSY) as small:
        session = two(main, small, role="deepseek/deepseek-flash")
        text = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
        main.answers[:] = [loopback.openai(text), loopback.openai("Subject line")]
        await walk(session.ask("set it"))
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        found = await walk(session.committing.draft())
        assert "no key for DeepSeek" in of(found, events.Notice)[0].text
        assert of(found, events.AsideEnded)[0].text == "Subject line"
        assert small.asked == []
        await session.close()


async def test_the_small_model_drafts_the_commit(two):
    text = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(text)) as main, loopback.Server(loopback.anthropic("Start at one")) as small:
        session = two(main, small)
        await walk(session.ask("set it"))
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        found = await walk(session.committing.draft())
        assert of(found, events.AsideStarted)[0].model == "claude-haiku-5-5"
        assert of(found, events.AsideEnded)[0].text == "Start at one"
        assert len(main.asked) == 1
        await session.close()


async def test_no_model_is_paid_for_the_message_of_a_commit_that_cannot_be_made(two, repo):
    text = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(text)) as main, loopback.Server(loopback.anthropic("Start at one")) as small:
        session = two(main, small)
        await walk(session.ask("set it"))
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        (repo / "kettle/meter.py").write_text("joules = 2.0\n")
        with pytest.raises(RepoError, match="no longer as the patch left it"):
            await walk(session.committing.draft())
        assert small.asked == []
        await session.close()


@pytest.mark.parametrize(("served", "stranger"), [("gpt-6.1-sol-2026-10-01", False), ("gpt-6-luna", True)])
async def test_who_really_answered_is_told(two, served, stranger):
    with loopback.Server(loopback.openai("I am one.", model=served)) as main, loopback.Server(BUSY) as small:
        session = two(main, small)
        ended = (await walk(session.ask("hi")))[-1]
        assert (ended.served_model, ended.stranger) == (served, stranger)
        await session.close()


async def test_effort_is_sent_and_told(two):
    with loopback.Server(loopback.openai("I am one.")) as main, loopback.Server(BUSY) as small:
        session = two(main, small)
        (changed,) = await walk(command.submit(session, "/effort high"))
        assert changed.effort == "high"
        (notice,) = await walk(command.submit(session, "/effort"))
        assert "high" in notice.text
        started = (await walk(session.ask("hi")))[0]
        assert started.effort == "high"
        assert main.asked[-1][2]["reasoning_effort"] == "high"
        await walk(command.submit(session, "/effort default"))
        await walk(session.ask("hi"))
        assert "reasoning_effort" not in main.asked[-1][2]
        (notice,) = await walk(command.submit(session, "/effort sideways"))
        assert notice.level == "error"
        await session.close()


async def test_how_much_of_a_conversation_the_writer_of_a_brief_can_read_is_said_before_and_after(make_session, config):
    config(
        '[roles]\nsmall = "mine/small"\n[providers.mine]\ntitle = "Mine"\nwire = "openai_chat"\nbase_url = "http://127.0.0.1:9"\nkey_names = ["MINE_API_KEY"]\n'
        + "".join(
            f'[[providers.mine.models]]\nid = "{name}"\ncontext_window = {window}\n'
            '[[providers.mine.models.prices]]\ninput = "3"\noutput = "15"\n'
            for name, window in (("big", 200_000), ("small", 8_000))
        )
    )
    with loopback.Server(loopback.openai("A fine answer.")) as server:
        session = make_session(MINE_BASE_URL=server.url, MINE_API_KEY="k" * 20)
        session.roster.choose("mine/big")
        await walk(session.ask("call the function Fred"))
        assert (
            "mine/small reads all of it and writes a brief for at most $"
            in session.handover.offer("mine/small").writing
        )
        await walk(session.ask("why does this log end so?\n" + "a line of a log 4711\n" * 8_000))
        offer = session.handover.offer("mine/small")
        assert re.search(r"mine/small can read ~4,\d\d\d of the ~7\d,\d\d\d tokens and writes", offer.writing)
        assert "/model small=NAME lets another one write it" in offer.writing
        found = await walk(command.submit(session, "/model mine/small brief"))
        (sent,) = of(found, events.RequestSent)
        assert sent.cost.amount < offer.brief.amount < 3 * sent.cost.amount  # for what is read
        for words in ("call the function Fred", "why does this log end so?", "A fine answer."):
            assert words in told(server)
        assert re.search(
            r"as the brief above, made from ~4,\d\d\d of the ~7\d,\d\d\d tokens;", of(found, events.Notice)[-1].text
        )
        await session.close()


def test_a_text_that_was_counted_is_not_kept(make_session):
    handover = make_session().handover
    text = " ".join(map(str, range(1000)))
    before = sys.getrefcount(text)
    assert handover._count(text) == handover._count(text) == tokens.count(text)
    assert sys.getrefcount(text) == before
