"""What the model is told of its edits: each thing once, whatever ends in between, and weighed before it is sent."""

import asyncio
from contextlib import aclosing
from decimal import Decimal

import pytest

from assistant import command, events, record, telling
from assistant.edits.review import Review
from assistant.errors import BudgetError
from assistant.telling import News
from tests import loopback
from tests.turns import of, walk

KEY = "k" * 20
BLOCK = "notes.txt\n<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\n"
ONE, EINS, TWO = BLOCK.format("one", "ONE"), BLOCK.format("one", "EINS"), BLOCK.format("two", "TWO")


@pytest.fixture
def talk(make_session, repo):
    """Open sittings of one conversation with a model that gives these answers."""
    (repo / "notes.txt").write_text("one\ntwo\nthree\n")
    servers = []

    def open_(*answers):
        if answers:
            given = (each if isinstance(each, tuple) else loopback.openai(each) for each in answers)
            servers.append(loopback.Server(*given))
            servers[-1].__enter__()
        session = make_session(OPENAI_BASE_URL=servers[-1].url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        session.server = servers[-1]
        return session

    yield open_
    for server in servers:
        server.__exit__(None, None, None)


async def again(talk, session):
    """End a sitting and take its conversation up."""
    await session.close()
    session = talk()
    session.take_up()
    session.roster.choose("openai/gpt-6.1-sol")
    return session


async def told(session, words):
    """Ask, and return what was sent as the question."""
    await walk(session.ask(words))
    return str(session.server.asked[-1][2]["messages"][-1]["content"])


async def go(session, way):
    preview = of(await walk(session.deciding.preview(way)), events.UndoProposed)[0].preview
    await walk(session.deciding.choose(preview, Review.of(preview.patch, "take")))


async def test_a_decision_in_the_same_words_as_one_before_is_told_after_a_restart(talk):
    session = talk(ONE, TWO, "ok", "ok")
    await walk(session.ask("first"))
    await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
    assert "took 1 of 1 hunks" in await told(session, "second")
    await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
    session = await again(talk, session)
    assert "took 1 of 1 hunks" in await told(session, "third")
    session = await again(talk, session)
    assert "took 1 of" not in await told(session, "fourth")
    await session.close()


async def test_what_was_undone_twice_is_told_twice(talk):
    session = talk(ONE, "ok", "ok")
    await walk(session.ask("first"))
    await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
    await go(session, "undo")
    await go(session, "redo")
    assert "redid changes" in await told(session, "second")
    await go(session, "undo")
    session = await again(talk, session)
    assert "undid changes" in await told(session, "third")
    await session.close()


async def test_a_comment_that_is_the_beginning_of_one_that_was_told_is_told(talk):
    session = talk(ONE, "ok", "ok")
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "do it, but not here"))
    assert "do it, but not here" in await told(session, "second")
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "do it"))
    session = await again(talk, session)
    assert "notes.txt:1 (as it was: 'one'): do it]" in (await told(session, "third")).replace("\n", "")
    await session.close()


@pytest.mark.parametrize("restart", [False, True])
async def test_the_same_comment_on_a_later_answer_is_told_again(talk, restart):
    session = talk(ONE, EINS, "ok", "ok")
    await walk(session.ask("first"))
    for words in ("second", "third"):
        session.mark(Review.of(session.proposed.patch).mark(0, "skip").comment(0, 0, "no capitals please"))
        if restart:
            session = await again(talk, session)
        question = await told(session, words)
        assert "no capitals please" in question
        assert "will skip the hunk at notes.txt:1" in question
    assert "no capitals" not in await told(session, "fourth")
    await session.close()


@pytest.mark.parametrize("restart", [False, True])
async def test_what_is_said_no_more_of_hunks_that_wait_is_taken_back(talk, restart):
    session = talk(ONE + TWO, *["ok"] * 6)
    await walk(session.ask("first"))
    patch = session.proposed.patch

    async def asks(review, words):
        nonlocal session
        session.mark(review)
        if restart:
            session = await again(talk, session)
        return await told(session, words)

    plain = Review.of(patch)
    assert "): AAA" in await asks(plain.comment(0, 0, "AAA"), "a")
    changed = await asks(plain.comment(0, 0, "BBB"), "b")
    assert "takes back: comment on notes.txt:1: AAA; comment on notes.txt:1" in changed
    assert "takes back" in await asks(plain.comment(0, 0, "AAA"), "c")
    skips = await asks(plain.mark(0, "skip"), "d")
    assert "takes back: comment on notes.txt:1: AAA; will skip the hunk at notes.txt:1" in skips
    assert "takes back: will skip the hunk at notes.txt:1]" in await asks(plain, "e")
    assert "takes back" not in await asks(plain, "f")
    await session.close()


async def test_what_was_said_of_hunks_that_are_decided_is_not_taken_back(talk):
    session = talk(BLOCK.format("one", "ONE\nmore") + BLOCK.format("nine", "NINE"), "ok", "ok", "ok")
    (session.root / "notes.txt").write_text("one\n" + "line\n" * 20 + "nine\n")
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "AAA").comment(1, 0, "CCC"))
    assert "AAA" in await told(session, "second")
    await walk(session.deciding.apply(session.changes.marked.mark(0, "take")))
    assert "takes back" not in await told(session, "third")
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "CCC"))  # one line further down now
    assert "takes back" not in await told(session, "fourth")
    await session.close()


@pytest.mark.parametrize("restart", [False, True])
async def test_what_was_said_of_a_hunk_that_has_moved_is_neither_told_again_nor_taken_back(talk, restart):
    session = talk(BLOCK.format("l20", "L20") + BLOCK.format("l50", "L50"), *["ok"] * 4)
    notes = session.root / "notes.txt"
    notes.write_text("".join(f"l{number}\n" for number in range(60)))
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).mark(0, "skip").comment(1, 0, "too loud"))
    assert "will skip the hunk at notes.txt:21" in await told(session, "second")
    notes.write_text("top\n" + notes.read_text())
    if restart:
        session = await again(talk, session)
    else:
        session.changes.proposed = session.changes.proposed.only(session.changes._onto(session.proposed.patch))
        session.mark(session.changes.marked.over(session.proposed.patch))
    assert [each.line for each in session.changes.marked.skipped] == [22]
    question = await told(session, "third")
    assert "skip" not in question
    assert "too loud" not in question
    session.mark(session.changes.marked.mark(0, "").mark(1, "skip"))
    question = await told(session, "fourth")
    assert "takes back: will skip the hunk at notes.txt:21; will skip the hunk at notes.txt:52" in question
    await session.close()


async def test_what_was_said_of_a_hunk_that_is_written_while_its_question_fails_is_told_by_the_next(talk):
    refused = 400, {"content-type": "application/json"}, b'{"error": {"message": "no"}}'
    session = talk(ONE, refused, "ok", "ok")
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "too polite"))
    async with aclosing(session.ask("second")) as stream:
        async for event in stream:
            if isinstance(event, events.RequestSent):
                await walk(session.deciding.apply(session.changes.marked.mark(0, "take")))
    question = await told(session, "third")
    assert "took 1 of 1 hunks" in question
    assert question.count("too polite") == 1
    assert "too polite" not in await told(session, "fourth")
    await session.close()


async def test_what_is_taken_back_tells_no_line_that_may_not_be_sent_any_more(talk):
    session = talk(ONE, "ok", "ok")
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "too it's polite"))
    assert "(as it was: 'one'): too it's polite" in await told(session, "second")
    session.sight.keep_out("notes.txt")
    session.mark(Review.of(session.proposed.patch))
    question = await told(session, "third")
    assert "takes back: comment on notes.txt:1: too it's polite]" in question
    assert "'one'" not in question
    await session.close()


async def test_no_secret_of_a_comment_is_in_what_is_kept_of_the_telling(talk):
    session = talk(ONE, "ok")
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "DB_PASSWORD=Zk3v9QpL2mX8tR5w please"))
    assert "please" in await told(session, "second")
    await session.close()
    kept = "".join(path.read_text() for path in session.places.data.rglob("*.jsonl"))
    assert "please" in kept
    assert "Zk3v9QpL2mX8tR5w" not in kept


@pytest.mark.parametrize("how", ["closed", "refused"])
async def test_what_a_question_told_that_came_to_no_answer_is_told_by_the_next_only_where_that_one_is_gone(talk, how):
    refused = 400, {"content-type": "application/json"}, b'{"error": {"message": "no"}}'
    session = talk(ONE, refused if how == "refused" else "a word " * 5_000, "ok")
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "too polite"))
    async with aclosing(session.ask("second")) as stream:
        async for event in stream:
            if how == "closed" and isinstance(event, events.TextArrived):
                break
    session = await again(talk, session)
    question = await told(session, "third")
    before = str(session.server.asked[-1][2]["messages"][:-1])
    assert ("too polite" in question) is (how == "refused")
    assert ("too polite" in before) is (how == "closed")
    await session.close()


async def test_hunks_that_are_not_decided_stand_above_the_question_and_not_in_the_conversation(talk):
    session = talk(ONE, "ok", "ok", "ok")
    await walk(session.ask("first"))
    for words in ("a", "b"):
        assert "not decided" in await told(session, words)
    assert "not decided" not in str([each.text for each in session.history])
    await session.close()


async def test_what_is_told_of_decisions_is_weighed_before_it_is_sent(make_session, repo, config):
    config('cap_turn = "0.012"\n')
    (repo / "notes.txt").write_text("\n".join(f"line {number}" for number in range(1, 300)) + "\n")
    edits = "".join(BLOCK.format(f"line {at}", f"L{at}") for at in range(5, 290, 10))
    with loopback.Server(*map(loopback.openai, ("hi", edits, "ok"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("first"))
        await walk(session.ask("again"))
        review = Review.of(session.proposed.patch)
        for at in range(len(review.choices)):
            review = review.comment(
                at, 0, f"of this one I think {at} things at least, and would have it otherwise: " + "so " * 200
            )
        session.mark(review)
        quote = await asyncio.to_thread(session.pricing.quote, "ok?", sure=True)
        assert quote.cost.amount > Decimal("0.012")
        asked = len(server.asked)
        with pytest.raises(BudgetError):
            await walk(session.ask("ok?"))
        assert len(server.asked) == asked
        session.mark(Review.of(session.proposed.patch))
        (sent,) = of(await walk(session.ask("ok?")), events.RequestSent)
        assert sent.likely < quote.likely
        await session.close()


async def test_of_many_hunks_that_were_edited_some_lines_are_told_and_of_the_others_where_they_are(make_session, repo):
    (repo / "notes.txt").write_text("\n".join(f"line {number}" for number in range(1, 300)) + "\n")
    edits = "".join(BLOCK.format(f"line {at}", f"L{at}") for at in range(5, 290, 10))
    with loopback.Server(*map(loopback.openai, (edits, "ok"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("first"))
        review = Review.of(session.proposed.patch)
        for at in range(len(review.choices)):
            review = review.edit(at, "".join(f"text of mine {at}, line {line} {'x' * 500}\n" for line in range(15)))
        await walk(session.deciding.apply(review))
        words = (await asyncio.to_thread(session.changes.news)).words()
        assert words.count("edited the hunk at") == 29
        assert 50 < words.count("text of mine") <= 60
        assert len(words) < 20_000
        await session.close()


def test_a_conversation_says_what_is_still_to_be_told():
    def asks(turn, *news, said=()):
        return record.user(turn, "?", "m", {}, News(tuple(news), tuple(said)))

    kept = record.news(News(("a", "a", "b"), ((1, "c", "C"),)))
    assert telling.after([]) == News()
    assert telling.after([kept]) == News(("a", "a", "b"), ((1, "c", "C"),))
    assert telling.after([kept, asks(2, "a", said=[(1, "d", "D")])]) == News(("a", "b"), ((1, "c", "C"), (1, "d", "D")))
    void = record.end(2, "error", "m", {}, void=True)
    assert telling.after([kept, asks(2, "a", said=[(1, "d", "D")]), void]) == News(("a", "a", "b"), ((1, "c", "C"),))
    assert telling.after([kept, asks(2, "a"), record.end(2, "stop", "m", {})]).decided == ("a", "b")
    gone = record.user(2, "?", "m", {}, News((), ((1, "d", "D"),), ((1, "c", "C"),)))
    assert telling.after([kept, gone]).said == ((1, "d", "D"),)
    assert telling.after([kept, gone, void]).said == ((1, "c", "C"),)
    odd = {"kind": "news", "news": ["a", 1], "heard": [[1, "x", "X"], ["x"], 3, [True, "y", "Y"], [2, None, "Z"]]}
    assert telling.after([odd, {"kind": "user", "told": {"news": 3}}]) == News(("a",), ((1, "x", "X"),))


async def test_a_question_tells_what_was_said_in_its_own_words(talk):
    session = talk(ONE, "ok")
    await walk(session.ask("first"))
    session.mark(Review.of(session.proposed.patch).comment(0, 0, "too polite"))
    await walk(command.submit(session, "second"))
    assert session.history[-2].words == "second"
    assert "too polite" in session.history[-2].text
    await session.close()


def test_a_question_that_failed_before_it_told_anything_leaves_what_is_to_be_told_as_it_was():
    state = telling.Telling()
    state.decide(["a"])
    news = state.next({})
    state.take_back(news)
    assert state.news == ["a"]
    state.tell(news)
    assert state.news == []
    state.take_back(news)
    state.take_back(news)
    assert state.news == ["a"]
