"""What a session keeps when things happen at the wrong moment: while a turn runs, before anything is sent, in a damaged file."""

import asyncio
import os
import resource
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant import command, events, record
from assistant.edits.review import Review
from assistant.errors import PatchError, RepoError, StateError
from assistant.quota.entry import Start
from assistant.quota.ledger import Ledger
from assistant.tokens import Cost, TokenUsage
from assistant.transcript import Conversations, prune
from tests import loopback
from tests.turns import of, walk

KEY = "k" * 20
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def conversations(tmp_path):
    """Make the conversations of a folder, each as another window; what is open at the end is closed."""
    made = []

    def make(name):
        made.append(Conversations(tmp_path, name, lambda: NOW, []))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("words", ["/compact last", "/compact undo"])
async def test_a_conversation_is_not_made_short_while_a_turn_runs(make_session, words):
    with loopback.Server(*map(loopback.openai, ("It is warm.", "Yes.", "It is cold."))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("first?"))
        if words.endswith("undo"):
            await walk(session.ask("and now?"))
            await walk(command.submit(session, "/compact last"))
        before = [message.text for message in session.history]
        async with aclosing(session.ask("second?")) as stream:
            async for event in stream:
                if isinstance(event, events.TurnStarted):
                    assert "A turn is running" in str(of(await walk(command.submit(session, words)), events.Notice))
        last = "It is cold." if words.endswith("undo") else "Yes."
        assert [message.text for message in session.history] == [*before, "second?", last]
        if words.endswith("undo"):
            assert "All " in str(of(await walk(command.submit(session, words)), events.Notice))
        await session.close()
    again = make_session()
    again.take_up()
    assert [message.text for message in again.history][-2:] == ["second?", last]


async def test_what_is_allowed_once_is_that_question_and_no_other(make_session, config):
    config('cap_turn = "0.000001"\n')
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        assert of(await walk(command.submit(session, "what does it do?")), events.TurnHeld)
        async with aclosing(command.submit(session, "what does it do?", once=True)) as stream:
            async for event in stream:
                if isinstance(event, events.TurnStarted):  # while it runs others are held as ever
                    assert "A turn is running" in str(await walk(command.submit(session, "another one?")))
        assert len(session.history) == 2
        assert of(await walk(command.submit(session, "what does it do?")), events.TurnHeld)
        assert len(server.asked) == 1
        session.roster.choose("anthropic/claude-haiku-4-5")  # there is no key: nothing is sent
        assert "key" in str(await walk(command.submit(session, "what does it do?", once=True)))
        session.roster.choose("openai/gpt-6.1-sol")
        assert of(await walk(command.submit(session, "another one?")), events.TurnHeld)
        with session.limits.once():  # the word of one window's task is none for what others do meanwhile
            other = asyncio.create_task(walk(command.submit(session, "another one?")))
            assert of(await other, events.TurnHeld)
        assert len(server.asked) == 1
        await session.close()


@pytest.mark.parametrize("words", ["/commit", "/compact brief", "/model openai/gpt-5.6-luna brief"])
async def test_a_command_that_was_held_goes_through_once(make_session, config, words):
    config('cap_turn = "0.000001"\n')
    edits = "Here.\n\n*** Begin Patch\n*** Add File: one.txt\n+hello\n*** End Patch\n"
    with loopback.Server(*map(loopback.openai, (edits, "Say hello."))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(command.submit(session, "one", once=True))
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        held = await walk(command.submit(session, words))
        assert "over the cap" in str(held)
        assert len(server.asked) == 1
        found = await walk(command.submit(session, words, once=True))
        assert [each.error for each in of(found, events.AsideEnded)] == [None]
        assert len(server.asked) == 2
        await session.close()


async def test_a_turn_that_is_stopped_while_its_context_is_looked_for_sends_and_burns_nothing(make_session):
    with loopback.Server(loopback.openai("It counts.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        async with aclosing(session.ask("what does it do?")) as stream:
            async for event in stream:
                if isinstance(event, events.TurnStarted):
                    session.stop()
                ended = event
        assert (ended.stop, ended.usage.total, ended.cost.amount) == ("cancelled", 0, Decimal(0))
        assert server.asked == []
        assert session.accounts.usage.total == 0
        await session.close()


async def test_a_model_that_is_served_under_a_name_no_file_can_hold_costs_no_answer(make_session):
    with loopback.Server(loopback.openai("It counts.", model="m\ud800")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        ended = of(await walk(session.ask("what does it do?")), events.TurnEnded)[0]
        assert (ended.text, ended.served_model) == ("It counts.", "m\ufffd")
        assert [entry.state for entry in session.accounts.ledger.entries()] == ["settled"]
        await session.close()


def test_calls_are_in_the_order_in_which_they_were_booked(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")

    def book(at):
        cost = Cost("metered", Decimal("0.01"))
        return ledger.begin(
            Start(at, "s", 1, 1, "main", "/p", "openai", "m", "metered", "", TokenUsage(10), cost, os.getpid())
        )

    first = book(
        NOW + timedelta(milliseconds=2)
    )  # another window: its clock was read later, its row was written sooner
    second = book(NOW)
    assert ledger.booked_before(first) == []
    assert [entry.id for entry in ledger.booked_before(second)] == [first]


@pytest.mark.parametrize(
    "damaged",
    [
        {"kind": "user", "turn": "x", "text": "q"},
        {"kind": "user", "turn": [1], "text": "q"},
        {"kind": "proposed", "turn": [1], "diff": "x"},
        {"kind": "proposed", "turn": 1, "diff": "x", "aside": [[2], "3", 4]},
        {"kind": "carried", "messages": 5},
        {"kind": ["user"], "text": "how warm?"},
        {"kind": "left", "choices": 5, "comments": [{"path": 5, "line": 1, "words": [], "gone": {}}]},
        {"kind": "carried", "messages": [5, {"role": 6}]},
    ],
)
def test_a_damaged_record_is_passed_over(damaged, make_session):
    session = make_session()
    session.conversations.save(record.user(1, "why?", "m", {}))
    session.conversations.save(damaged)
    session.conversations.save(record.piece(1, "So."))
    again = make_session()
    assert again.take_up() >= 1
    assert again.history[-1].text == "So."


async def test_a_conversation_with_a_long_first_question_is_found(make_session):
    long = "why does this fail?\n" + "ERROR: the kettle is dry\n" * 20_000
    session = make_session()
    session.conversations.save(record.user(1, long, "m", {}))
    assert [each.first for each in make_session().conversations.kept()] == [long]


def test_a_conversation_that_another_window_writes_is_not_removed(tmp_path, conversations):
    one = conversations("one")
    one.save(record.user(1, "old question of a window that is open", "m", {}))
    (path,) = tmp_path.glob("*.jsonl")
    os.utime(path, (1, 1))
    conversations("two").save(record.user(1, "b", "m", {}))
    assert prune(tmp_path, most=1) == 0
    one.close()
    assert prune(tmp_path, most=1) == 1
    assert not path.exists()


def test_a_conversation_that_cannot_be_read_takes_no_other_with_it(tmp_path, conversations):
    mine = conversations("mine")
    mine.save(record.user(1, "how warm?", "openai/gpt-6.1-sol", {}))
    (tmp_path / "20261129-000000-folder.jsonl").mkdir()  # as one that belongs to another user, for whoever may read all
    (tmp_path / "20261129-000001-gone.jsonl").symlink_to(tmp_path / "removed")  # as one that is removed at this moment
    other = conversations("other")
    assert [each.first for each in other.kept()] == ["how warm?"]
    assert other.asked() == ["how warm?"]


def test_a_copy_for_which_there_is_no_room_leaves_nothing(tmp_path, conversations):
    one = conversations("one")
    for turn in range(6):
        one.save(record.user(turn, f"{turn} " + "x" * 100_000, "m", {}))
    (whole,) = tmp_path.iterdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(StateError, match="cannot be saved"):
            conversations("two").open()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == [whole]


def test_a_question_that_waits_in_another_conversation_is_told_of(conversations):
    waits = {"kind": "waits", "model": "m", "since": NOW.isoformat(), "until": NOW.isoformat()}
    one = conversations("one")
    one.save({**waits, "text": "later?"})
    other = conversations("other")
    other.save(record.user(1, "now?", "m", {}))
    assert [each.first for each in other.kept()] == ["waits: later?"]
    assert (one.waiting(), other.waiting()) == (0, 1)
    one.save({**waits, "text": ""})
    assert (other.kept(), other.waiting()) == ([], 0)


def test_records_that_no_program_wrote_are_passed_over(tmp_path, conversations):
    one = conversations("one")
    shown = [{"type": "image/png", "name": "a\0b"}]
    one.save({**record.user(1, "why?", "m", {}), "pictures": shown})
    (path,) = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(b'{"kind":"user","text":' + b"[" * 200_000 + b"\n")
    ((role, kept),) = record.read(one.read()).messages
    message, gone = record.message(role, kept, one.picture)
    assert ("why?" in message.text, gone) == (True, 1)


def test_a_whole_conversation_is_read_back_field_by_field():
    at = datetime(2026, 11, 27, 9, tzinfo=UTC)
    held = record.HeldQuestion("and then?", "a/m", at, at + timedelta(hours=2))
    burnt = record.sums(TokenUsage(fresh_input=10, output=2), Cost("metered", Decimal("0.5")))
    lines = [
        record.user(1, "why?", "a/m", {}), record.piece(1, "So."), record.end(1, "end", "a/m", burnt),
        record.proposed("diff 1", [], turn=1), record.left({"taken": [0]}),
        record.user(2, "how?", "a/m", {}), record.piece(2, "Thus."), record.end(2, "end", "a/m", burnt),
        record.proposed("diff 2", [1], turn=2), record.left({"taken": [3]}), record.committed([5, 4]),
        record.chosen("b/n:high"), record.waits(held), {**record.user(3, "and?", "b/n", {}), "at": at.isoformat()},
    ]  # fmt: skip
    kept = record.read(lines)
    assert [(role, each["text"]) for role, each in kept.messages] == [
        ("user", "why?"), ("assistant", "So."), ("user", "how?"), ("assistant", "Thus."), ("user", "and?"),
    ]  # fmt: skip
    assert (kept.turn, kept.model, kept.cut_short, kept.asked_at) == (3, "b/n", "killed", at)
    assert (list(kept.burnt), list(kept.committed)) == ([burnt, burnt], [4, 5])
    assert (kept.proposed["diff"], kept.left["taken"], kept.aside[0]["diff"]) == ("diff 2", [3], "diff 1")
    assert (kept.left_aside[1]["taken"], kept.waits) == ([0], held)
    assert (record.usage_of(burnt).output, record.cost_of(burnt).amount) == (2, Decimal("0.5"))
    assert record.read([*lines, record.waits(None), record.end(3, "end", "b/n", burnt)]).waits is None


def test_what_is_noted_in_another_conversation_does_not_make_it_the_last(tmp_path, conversations):
    first, second = (conversations(name) for name in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"))
    for number, each in enumerate((first, second)):
        each.save(record.user(1, each.name, "m", {}))
        (path,) = tmp_path.glob(f"*{each.name}.jsonl")
        os.utime(path, (1_000 + number, 1_000 + number))
    second.tell("aaaaaaaaaaaa", record.committed([1]))
    assert record.read(first.read()).committed == [1]
    assert record.read(conversations("c").open()).messages[0][1]["text"] == "bbbbbbbbbbbb"


def test_whom_a_project_wishes_to_be_asked_is_told(make_session, repo):
    (repo / ".wattson.toml").write_text('[roles]\neditor = "openai/gpt-6.1-sol"\n')
    assert "wishes for openai/gpt-6.1-sol as editor" in " ".join(make_session().troubles())


def test_the_command_tells_whom_a_project_wishes_to_be_asked(wattson, repo):
    (repo / ".wattson.toml").write_text('model = "openai/gpt-6.1-sol"\n[roles]\neditor = "openai/gpt-6-luna"\n')
    code, _, told = wattson("ask", "what does boil do?")
    assert code  # there is no key
    assert "This project wishes for openai/gpt-6.1-sol; `model` in your own config decides." in told
    assert "This project wishes for openai/gpt-6-luna as editor; [roles] in your own config decides." in told


NEW = "Here.\n\n*** Begin Patch\n*** Add File: {0}.txt\n+hello\n*** End Patch\n"


async def _write(session, name):
    await walk(session.ask(name))
    await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))


async def test_what_a_conversation_wrote_is_its_own_after_a_restart_too(make_session, repo):
    with loopback.Server(*(loopback.openai(NEW.format(name)) for name in ("one", "two", "three"))) as server:

        def begin():
            session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
            session.roster.choose("openai/gpt-6.1-sol")
            return session

        first = begin()
        await _write(first, "one")
        await first.close()
        again = begin()
        again.take_up()
        await _write(again, "two")
        await again.close()
        last = begin()
        last.take_up()
        assert last.committing.to_commit().paths == ("one.txt", "two.txt")
        turn = of(await walk(last.deciding.preview("undo", turn=last.turn)), events.UndoProposed)[0]
        assert turn.preview.patch.paths == ("two.txt",)
        whole = of(await walk(last.deciding.preview("undo", session=True)), events.UndoProposed)[0]
        assert sorted(whole.preview.patch.paths) == ["one.txt", "two.txt"]
        (repo / "one.txt").unlink()  # what is no longer there keeps nobody from the rest
        made = of(await walk(last.committing.commit("add two")), events.Notice)[0]
        assert made.text.endswith(": two.txt")
        last.clear()
        await _write(last, "three")
        with pytest.raises(PatchError, match="nothing of turn 1 to undo"):
            await walk(last.deciding.preview("undo", turn=1))
        assert last.committing.to_commit().paths == ("three.txt",)
        await last.close()
        then = begin()
        name = next(each.name for each in then.conversations.kept() if each.first == "one")
        then.take_up(name)
        with pytest.raises(RepoError, match="nothing that is not committed"):
            then.committing.to_commit()
        await then.close()


async def test_what_another_conversation_committed_is_known_where_it_was_written(make_session):
    with loopback.Server(loopback.openai(NEW.format("one"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await _write(session, "one")
        session.clear()
        await walk(session.committing.commit("add one"))
        await session.close()
    again = make_session()
    again.take_up(next(each.name for each in again.conversations.kept() if each.first == "one"))
    with pytest.raises(RepoError, match="nothing that is not committed"):
        again.committing.to_commit()


@pytest.mark.parametrize("killed", [False, True])
async def test_what_a_turn_told_that_was_broken_off_is_told_once(killed, make_session):
    with loopback.Server(*map(loopback.openai, (NEW.format("one"), "two two two", "three"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("make it"))
        session.mark(Review.of(session.proposed.patch).comment(0, 0, "too polite"))
        async with aclosing(session.ask("and now?")) as stream:
            async for event in stream:
                if isinstance(event, events.TextArrived):
                    break
            if killed:  # another takes up what stands on the disk
                again = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
                again.take_up()
                again.roster.choose("openai/gpt-6.1-sol")
        one = again if killed else session
        await walk(one.ask("third"))
        assert str(server.asked[-1][2]["messages"]).count("too polite") == 1
        await one.close()


async def test_what_was_told_along_with_a_question_is_no_part_of_its_words_after_it_was_made_short(make_session):
    with loopback.Server(*map(loopback.openai, (NEW.format("one"), "two"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("make it"))
        session.mark(Review.of(session.proposed.patch).comment(0, 0, "too polite"))
        await walk(session.ask("and now?"))
        await walk(command.submit(session, "/compact last"))
        await session.close()
    again = make_session()
    again.take_up()
    assert again.history[0].words == "and now?"
    assert "too polite" in again.history[0].text


async def test_what_was_undone_after_its_commit_is_said_to_be_so(make_session, repo):
    with loopback.Server(loopback.openai(NEW.format("one"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await _write(session, "one")
        await walk(session.committing.commit("add one"))
        preview = of(await walk(session.deciding.preview("undo")), events.UndoProposed)[0].preview
        await walk(session.deciding.choose(preview, Review.of(preview.patch, "take")))
        with pytest.raises(RepoError, match="is committed, and what was undone since is not"):
            session.committing.to_commit()
        (repo / "README.md").write_text("not of this session")
        await asyncio.to_thread(session.repo.run, "commit", "-qm", "undo it", "one.txt", asked=True)
        with pytest.raises(RepoError, match="has written nothing that is not committed"):
            session.committing.to_commit()


async def test_a_comment_is_kept_without_the_secrets_in_it_and_told_once(make_session):
    secret = "Zk3v9QpL2mX8tR5wY1bN7c"
    with loopback.Server(*map(loopback.openai, (NEW.format("one"), "two", "three"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("make it"))
        review = Review.of(session.proposed.patch).comment(0, 0, f"DB_PASSWORD={secret} please")
        session.mark(review)
        assert session.changes.marked.comments == review.comments  # as it was typed, here
        session.changes.propose(replace(session.proposed, turn=7), upon=None)
        session.mark(review.mark(0, "skip"), 1)  # set aside by now
        await walk(session.ask("and now?"))
        await session.close()
        told = str(server.asked[-1][2])
        again = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        again.take_up()
        again.roster.choose("openai/gpt-6.1-sol")
        (kept,) = again.changes.marked_aside(1).comments
        await walk(again.ask("and then?"))
        await again.close()
    assert "please" in told
    assert secret not in told
    assert "please" in kept.words
    assert str(server.asked[-1][2]).count("please") == 1
    records = [path for path in session.places.data.rglob("*") if path.is_file()]
    assert not [path for path in records if secret.encode() in path.read_bytes()]


async def test_a_question_that_is_held_is_kept_without_the_secrets_in_it(make_session):
    secret = "Zk3v9QpL2mX8tR5wY1bN7c"
    session = make_session(OPENAI_API_KEY=KEY)
    session.hold_question(f"why does DB_PASSWORD={secret} fail?", session.now() + timedelta(hours=1))
    assert secret in session.held_question.text
    await session.close()
    kept = "".join(path.read_text() for path in session.places.data.rglob("*.jsonl"))
    assert "DB_PASSWORD=[masked secret] fail?" in kept
    assert secret not in kept


@pytest.mark.parametrize("words", ["exit", "quit", " :q\n", "/exit"])
async def test_a_word_by_which_one_leaves_is_no_question(words, make_session):
    session = make_session()
    assert command.is_command(words)
    assert of(await walk(command.submit(session, words)), events.Asked) == [events.Asked("quit")]
    assert not command.is_command("exit codes of git?")


async def test_a_copy_takes_back_nothing_that_the_other_window_writes(make_session):
    with loopback.Server(*(loopback.openai(NEW.format(name)) for name in ("one", "two"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await _write(session, "one")
        other = make_session()
        other.take_up()
        await _write(session, "two")
        with pytest.raises(RepoError, match="nothing that is not committed"):
            other.committing.to_commit()
        await session.close()
        await other.close()


async def test_the_model_that_was_chosen_last_is_taken_up_though_another_answered(make_session):
    with loopback.Server(*map(loopback.openai, ("It is warm.", "Yes."))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.switch("openai/gpt-6.1-sol")
        assert not session.conversations.begun, "a model that is chosen begins no conversation"
        await walk(session.ask("first?"))
        await walk(command.submit(session, "/model openai/gpt-5.6-luna:low everything"))
        await session.close()
    again = make_session()
    again.take_up()
    assert again.asked_last == "openai/gpt-5.6-luna:low"


async def test_what_side_work_and_a_turn_that_a_crash_cut_short_burnt_counts_when_the_conversation_is_taken_up(
    make_session,
):
    with loopback.Server(*map(loopback.openai, ("It is warm.", "I think so.", "It is"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("first?"))
        alone = session.accounts.usage.total
        await walk(session.aside("opinion", "is that so?"))
        both = session.accounts.usage.total, session.accounts.paid()
        assert both[0] > alone
        # What a process leaves that is killed while it asks: a question without an end, and a step that nobody settles.
        session.conversations.save(record.user(2, "second?", "openai/gpt-6.1-sol", {}))
        start = Start(
            session.now(), session.id, 2, 1, "main", str(session.root), "openai", "gpt-6.1-sol", "metered", "", TokenUsage(500, exact=False),
            Cost("metered", Decimal("0.25")), 2**22 + 1,
        )  # fmt: skip
        session.accounts.ledger.begin(start)
        await session.close()
    for _ in range(2):  # it is counted once, however often the conversation is taken up
        again = make_session()
        again.take_up()
        assert again.accounts.usage.total == both[0] + 500
        assert not again.accounts.usage.exact
        (cost,) = again.accounts.paid()
        assert cost.amount == both[1][0].amount + Decimal("0.25")
        await again.close()


async def test_what_the_model_has_heard_of_the_hunks_is_not_said_again_after_a_restart_and_what_it_has_not_is(
    make_session, repo
):
    edits = "Here.\n\n*** Begin Patch\n*** Add File: one.txt\n+hello\n*** Add File: two.txt\n+hello\n*** End Patch\n"
    with loopback.Server(*map(loopback.openai, (edits, "Yes.", "No.", "So."))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(session.ask("write two files"))
        session.mark(Review.of(session.proposed.patch).comment(0, 0, "too polite"))
        await walk(session.ask("go on"))
        assert "too polite" in str(server.asked[-1][2]["messages"][-1])
        session.mark(session.changes.marked.mark(0, "take"))
        await walk(session.deciding.apply(session.changes.marked))
        await session.close()
        again = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        again.take_up()
        again.roster.choose("openai/gpt-6.1-sol")
        for words, said in (("what now?", True), ("and then?", False)):
            await walk(again.ask(words))
            last = str(server.asked[-1][2]["messages"][-1])
            assert ("took 1 of 2 hunks" in last) is said
            assert "too polite" not in last
            before = [str(each["content"]) for each in server.asked[-1][2]["messages"][:-1]]
            assert sum("too polite" in each for each in before) == 1  # it stays where it was said
            assert again.history[-2].words == words
        await again.close()


@pytest.mark.parametrize("editor", ["", "[roles]\neditor = 'openai/gpt-5.6-luna'\n"])
async def test_the_price_before_sending_is_for_what_is_sent(make_session, config, editor):
    config(editor)
    plan = "Files: none\n\nIt is warm."
    with loopback.Server(*[loopback.openai(plan)] * 3) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        for words in ("how warm is it in the kettle?", "and when it has a limit?"):
            quote = await asyncio.to_thread(session.pricing.quote, words, sure=True)
            (sent,) = of(await walk(session.ask(words)), events.RequestSent)
            assert abs(quote.likely - sent.likely) < 20, (quote, sent)
        await session.close()


async def test_a_turn_that_is_broken_off_counts_and_is_told_of_when_the_conversation_is_taken_up(make_session):
    with loopback.Server(loopback.openai("It is warm. " * 40), pause_s=0.01) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        async with aclosing(session.ask("how warm?")) as stream:
            async for event in stream:
                if isinstance(event, events.TextArrived):
                    break
        burnt = session.accounts.usage
        assert burnt.total
        await session.close()
    for _ in range(2):
        again = make_session()
        again.take_up()
        assert "cut short when the program ended" in again.cut_short
        assert again.accounts.usage == burnt
        await again.close()
    chosen = make_session()
    (name,) = (each.name for each in chosen.conversations.kept())
    assert "cut short when the program ended" in str(await walk(command.submit(chosen, f"/resume {name}")))


async def test_a_copy_of_a_conversation_that_is_being_answered_is_not_said_to_be_cut_short_by_an_end(make_session):
    with loopback.Server(loopback.openai("It is warm. " * 40), pause_s=0.01) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        copy = make_session()
        async with aclosing(session.ask("how warm?")) as stream:
            async for event in stream:
                if isinstance(event, events.TextArrived):
                    copy.take_up()
                    break
        told = copy.cut_short
        assert "the other window" in told
        await session.close()
        await copy.close()
    again = make_session()
    (name,) = (each.name for each in again.conversations.kept() if copy.id in each.name)
    again.take_up(name)
    assert again.cut_short == told


async def test_an_answer_is_whole_after_a_restart_whatever_was_done_while_it_ran(make_session):
    edits = "Here.\n\n*** Begin Patch\n*** Add File: one.txt\n+hello\n*** End Patch\n"
    long = "It is warm, and it stays so. " * 20
    with loopback.Server(*map(loopback.openai, (edits, long)), pause_s=0.002) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.switch("openai/gpt-6.1-sol")
        await walk(session.ask("write a file"))
        doings = iter(
            (
                lambda: session.switch("openai/gpt-5.6-luna:low"),
                lambda: session.mark(Review.of(session.proposed.patch).comment(0, 0, "too polite")),
            )
        )
        async for event in session.ask("how warm?"):
            if isinstance(event, events.TextArrived) and (do := next(doings, None)):
                do()
        assert next(doings, None) is None
        said = [message.text for message in session.history]
        await session.close()
    again = make_session()
    again.take_up()
    assert [message.text for message in again.history] == said
    await again.close()


OTHER = "Here.\n\n*** Begin Patch\n*** Add File: b.txt\n+new\n*** End Patch\n"


@pytest.mark.parametrize("answer", ["It is another branch.", OTHER])
async def test_hunks_that_fit_no_file_of_another_branch_wait_until_the_files_are_back(make_session, answer):
    edits = "Here.\n\n*** Begin Patch\n*** Update File: a.txt\n@@\n-cold\n+warm\n*** End Patch\n"
    with loopback.Server(*map(loopback.openai, (edits, answer))) as server:
        more = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        session = make_session(**more)
        session.roster.choose("openai/gpt-6.1-sol")
        file = session.folder / "a.txt"
        file.write_text("tea\ncold\n")
        await walk(session.ask("warm it"))
        diff = session.proposed.patch.diff()
        await session.close()
        file.write_text("something else\n")
        there = make_session(**more)
        there.roster.choose("openai/gpt-6.1-sol")
        there.take_up()
        assert not there.proposed.patch.files
        await walk(there.ask("what is this?"))
        await there.close()
        file.write_text("tea\ncold\n")
        back = make_session()
        back.take_up()
        assert back.pending.bring_back(1) is (answer == OTHER)
        assert back.proposed.patch.diff() == diff
        await back.close()
