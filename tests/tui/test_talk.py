"""The conversation itself: taken up again, made short, copied, written to a file."""

import asyncio
from datetime import timedelta

import pytest
from textual.events import Paste

from assistant import command, events
from assistant.edits.review import Review
from assistant.errors import ConfigError
from assistant.record import waiting
from assistant.transcript import Transcript, recent
from assistant.tui import asking
from assistant.tui.app import Wattson
from assistant.tui.ways import WaySheet
from assistant.tui.widgets.composer import Composer
from assistant.tui.widgets.patch_view import PatchView
from tests import loopback
from tests.tui.keys import readable, say, seen, take, until


async def walk(session, text):
    return [event async for event in command.submit(session, text)]


def words(found):
    return " ".join(event.text for event in found if isinstance(event, events.Notice))


@pytest.fixture
def talking(make_session):
    """Make a session that asks a server; its answers are numbered."""

    def make(server):
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        return session

    return make


async def test_a_conversation_is_chosen_from_those_of_the_folder(talking):
    with loopback.Server(loopback.openai("Mice.")) as server:
        for question in ("what eats cheese?", "and what eats mice?"):
            session = talking(server)
            await walk(session, question)
            await session.close()
        app = Wattson(talking(server), "openai/gpt-6.1-sol", resume="choose")
        async with app.run_test(size=(100, 30)) as pilot:
            await take(pilot, *"cheese", "enter")
            await until(pilot, lambda: "2 messages of that conversation are back" in app.main.talk.text)
            assert "what eats cheese?" in app.main.talk.text
            await say(pilot, "why?")
            await until(pilot, lambda: len(app.session.history) == 4 and not app.session.asking)
            asked = [each["content"] for each in server.asked[-1][2]["messages"] if each["role"] == "user"]
            assert "what eats cheese?" in str(asked[0])
            assert "what eats mice?" not in str(asked)
            kept = await asyncio.to_thread(app.session.conversations.kept)
            assert [each.first for each in kept] == ["and what eats mice?"]  # the one that goes on is not among them
            await say(pilot, f"/resume {kept[0].name}")
            await until(pilot, lambda: "what eats cheese?" not in app.main.talk.text)
            assert "and what eats mice?" in app.main.talk.text
            assert len(app.session.history) == 2


async def test_an_answer_that_is_taken_up_again_has_its_edits_folded(make_session, quick):
    session = make_session()
    session.roster.switch("scripted/lesson")
    await walk(session, "add a limit to the kettle")
    await session.close()
    app = Wattson(make_session(), "scripted/lesson", resume="last")
    async with app.run_test(size=(100, 60)) as pilot:
        talk = app.main.talk
        await until(pilot, lambda: "wait for you: F2" in talk.text)

        def drawn():
            return "\n".join(talk.render_line(y).text for y in range(60))

        await until(pilot, lambda: "> replace kettle/boil.py  +1 -0" in drawn())
        assert "MOST_LITRES = 1.7" not in drawn()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "MOST_LITRES = 1.7" in drawn())


async def test_hunks_that_were_not_decided_wait_in_the_conversation_that_is_taken_up(make_session, repo, quick):
    session = make_session()
    session.roster.switch("scripted/lesson")
    await walk(session, "add a limit to the kettle")
    first, second, *_ = session.proposed.patch.hunks
    review = Review.of(session.proposed.patch).mark(0, "take").mark(1, "skip")
    async for _ in session.deciding.apply(review):
        pass
    await session.close()  # the terminal is closed: two hunks are not decided
    boil = repo / "kettle" / "boil.py"
    boil.write_text("# typed meanwhile\n" + boil.read_text())
    typed = boil.read_text()
    app = Wattson(make_session(), "scripted/lesson", resume="last")
    async with app.run_test(size=(120, 34)) as pilot:
        await until(pilot, lambda: "wait for you: F2" in app.main.talk.text)
        waiting = app.session.proposed
        assert {hunk.path for hunk in waiting.patch.hunks} == {"kettle/meter.py"}
        assert (waiting.turn, waiting.model) == (1, "scripted/lesson")
        await pilot.press("f2")
        await until(pilot, lambda: app.main.hunks.has_focus)
        await readable(pilot)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "applied" in app.main.talk.text)
    assert "limit: float" in (repo / "kettle" / "meter.py").read_text()
    assert boil.read_text() == typed
    assert first.new_text.strip() in typed
    assert second.new_text.strip() not in typed
    again = make_session()
    again.take_up()
    assert again.proposed is None  # all is decided


async def test_what_waited_goes_around_what_was_typed_meanwhile_or_says_that_it_does_not_fit(make_session, repo, quick):
    boil = repo / "kettle" / "boil.py"
    boil.write_bytes(boil.read_bytes().replace(b"\n", b"\r\n"))
    session = make_session()
    session.roster.switch("scripted/lesson")
    await walk(session, "add a limit to the kettle")
    wanted = [file.after for file in session.proposed.patch.files if file.path == "kettle/boil.py"]
    await session.close()
    boil.write_bytes(b"# typed meanwhile\r\n" + boil.read_bytes())
    meter = repo / "kettle" / "meter.py"
    meter.write_text(meter.read_text().replace("    joules: float = 0.0\n", "    joules: int = 0\n"))
    again = make_session()
    again.take_up()
    assert [(file.path, file.after) for file in again.proposed.patch.files if file.path == "kettle/boil.py"] == [
        ("kettle/boil.py", b"# typed meanwhile\r\n" + wanted[0])
    ]
    assert [misfit.edit.path for misfit in again.proposed.misfits] == ["kettle/meter.py"]


async def test_what_cannot_be_taken_up_changes_nothing(talking):
    with loopback.Server(loopback.openai("Mice.")) as server:
        session = talking(server)
        await walk(session, "what eats cheese?")
        assert "There is no conversation 'x' here" in words(await walk(session, "/resume x"))
        assert len(session.history) == 2
        turn = session.ask("again")
        await anext(turn)
        assert "A turn is running" in words(await walk(session, "/resume x"))
        await turn.aclose()
        await session.close()


async def test_a_conversation_that_another_window_has_open_goes_on_as_a_copy(talking):
    with loopback.Server(loopback.openai("Mice.")) as server:
        first = talking(server)
        await walk(first, "what eats cheese?")
        first.hold_question("and later?", first.now() + timedelta(hours=1))
        app = Wattson(talking(server), "openai/gpt-6.1-sol", resume="last")
        async with app.run_test(size=(100, 30)) as pilot:
            told = "Another window has this conversation open: a copy of it goes on here"
            await until(pilot, lambda: told in " ".join(app.main.talk.text.split()))
            assert [each.text for each in app.session.history] == ["what eats cheese?", "Mice."]
            assert app.session.held_question is None
            await say(pilot, "and mice?")
            await until(pilot, lambda: len(app.session.history) == 4 and not app.session.asking)
            await walk(first, "and cats?")
        found = [
            [each["text"] for each in one.read() if each["kind"] == "user"]
            for one in recent(first.conversations.folder, 9)
        ]
        assert sorted(found) == [["what eats cheese?", "and cats?"], ["what eats cheese?", "and mice?"]]
        await first.close()
        last = talking(server)
        assert last.take_up() == 4
        assert last.held_question is not None
        assert last.warnings == []


def test_conversations_of_which_nothing_can_be_shown_are_not_listed(make_session):
    session = make_session()
    folder = session.conversations.folder
    Transcript(folder / "empty.jsonl").append({"kind": "end"})
    (folder / "torn.jsonl").write_bytes(b'{"kind": "user", "text": "ha\n\xff\xfe[1]\n')
    Transcript(folder / "whole.jsonl").append({"kind": "user", "text": "what?"})
    assert [(each.name, each.first) for each in session.conversations.kept()] == [("whole", "what?")]


async def test_a_conversation_is_made_short_after_a_look_and_comes_back(talking):
    with loopback.Server(loopback.openai("Mice. " * 400)) as server:
        app = Wattson(talking(server), "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            session = app.session
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "what eats cheese?")
            await until(pilot, lambda: len(session.history) == 2 and not session.asking)
            await say(pilot, "/compact ")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            assert "2 messages" in app.screen.words
            await take(pilot, "l")
            await until(pilot, lambda: len(session.history) == 1)
            await say(pilot, "why?")
            await until(pilot, lambda: len(session.history) == 3 and not session.asking)
            assert "Mice" not in str(server.asked[-1][2])
            await say(pilot, "/compact undo")
            await until(pilot, lambda: len(session.history) == 4)
            assert [each.text[:5] for each in session.history] == ["what ", "Mice.", "why?", "Mice."]
            await say(pilot, "/compact undo")
            await until(pilot, lambda: "was not made short" in app.main.talk.text)


async def test_a_brief_that_fails_leaves_the_conversation_and_one_that_comes_stands_for_it(talking):
    ill = (400, {"content-type": "application/json"}, b'{"error": {"message": "ill"}}')
    answer = loopback.openai("They eat cheese.")
    with loopback.Server(answer, ill, answer) as server:
        session = talking(server)
        assert "no conversation yet" in words(await walk(session, "/compact brief"))
        await walk(session, "what eats cheese?")
        assert "There is no brief" in words(await walk(session, "/compact brief"))
        assert len(session.history) == 2
        await walk(session, "/compact brief")
        assert len(session.history) == 1
        assert "They eat cheese." in session.history[0].text
        await walk(session, "/clear")
        await walk(session, "another matter")
        with pytest.raises(ConfigError, match="was not made short"):
            session.handover.unfold()  # never the messages of another conversation
        assert "There is no way 'x'" in words(await walk(session, "/compact x"))
        await session.close()


async def test_the_last_answer_or_its_code_goes_to_the_clipboard(talking):
    with loopback.Server(loopback.openai("Try:\n```py\none()\n```\nor\n~~~\ntwo()\n```\n~~~\nDone.")) as server:
        app = Wattson(talking(server), "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            session = app.session
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "/copy ")
            await until(pilot, lambda: "There is no answer to copy yet" in app.main.talk.text)
            await say(pilot, "how?")
            await until(pilot, lambda: len(session.history) == 2 and not session.asking)
            await say(pilot, "/copy ")
            await until(pilot, lambda: app.clipboard.startswith("Try:"))
            assert app.clipboard.endswith("Done.")
            await say(pilot, "/copy code")
            await until(pilot, lambda: app.clipboard == "two()\n```\n")


async def test_the_conversation_is_written_to_a_file_that_was_not_there(talking, repo):
    with loopback.Server(loopback.openai("Mice.")) as server:
        session = talking(server)
        assert "no conversation yet" in words(await walk(session, "/export talk.md"))
        await walk(session, "what eats cheese?")
        await walk(session, "/compact last")
        assert "talk.md" in words(await walk(session, "/export talk.md"))
        text = (repo / "talk.md").read_text()
        assert text == "## 1. You, to openai/gpt-6.1-sol\n\nwhat eats cheese?\n\n## Answer\n\nMice.\n"
        assert "is there already" in words(await walk(session, "/export talk.md"))
        assert (repo / "talk.md").read_text() == text
        assert "cannot be written" in words(await walk(session, "/export no/such/folder.md"))
        assert "Which file?" in words(await walk(session, "/export"))
        await session.close()


async def test_what_was_decided_of_hunks_is_in_the_file_before_the_question_with_which_it_was_told(talking, repo):
    edit = (
        "kettle/meter.py\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n"
    )
    with loopback.Server(loopback.openai(edit), loopback.openai("Yes.")) as server:
        session = talking(server)
        await walk(session, "start at one")
        session.mark(Review.of(session.proposed.patch).comment(0, 0, "too hot\nfor me"))
        await walk(session, "better?")
        await walk(session, "/export talk.md")
        text = (repo / "talk.md").read_text()
        await session.close()
    question = text[text.index("## 2. You") :]
    assert question.startswith("## 2. You, to openai/gpt-6.1-sol\n\n> ")
    told, _, rest = question.partition("\n\nbetter?\n\n## Answer\n\nYes.\n")
    assert rest == ""
    assert "too hot\n> for me" in told
    assert "too hot" not in text[: text.index("## 2. You")]


async def test_a_path_at_the_beginning_of_a_question_makes_no_command_of_it(make_session):
    with loopback.Server(loopback.openai("Because."), pause_s=0.3) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "what is slow?")
            await until(pilot, lambda: session.asking)
            await say(pilot, "/etc/hosts is read twice, why?")
            assert app.main.sending.queue == ["/etc/hosts is read twice, why?"]
            await until(pilot, lambda: len(server.asked) == 2 and not session.asking)
    assert [message.text for message in session.history[::2]] == ["what is slow?", "/etc/hosts is read twice, why?"]


async def test_what_is_queued_waits_for_the_user_where_a_question_is_held(make_session, config):
    config('cap_session = "0.0000001"\n')
    with loopback.Server(loopback.openai("It is warm.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            for words in ("first", "second", "third"):
                app.main.composer.post_message(Composer.Sent(words))
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            await readable(pilot)
            assert [type(each) for each in app.screen_stack].count(WaySheet) == 1
            assert "2 queued" in str(app.main.composer.border_title)
            await pilot.press("m", "o", "r", "e", "enter", "m")  # typed on, not looking
            assert app.main.composer.text == "more\nm"
            await pilot.press("escape")
            await until(pilot, lambda: app.main.composer.text == "first\nsecond\nthird\nmore\nm")
            assert not app.main.composer.border_title
            assert "A turn is running" not in app.main.talk.text
    assert server.asked == []


async def test_a_command_may_be_typed_where_a_question_has_come_back_and_that_comes_again(make_session):
    with loopback.Server(loopback.openai("It is warm.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session)
        async with app.run_test(size=(100, 30)) as pilot:
            composer = app.main.composer
            await say(pilot, "is it warm?")
            await until(pilot, lambda: "No model is chosen yet" in app.main.talk.text and composer.text)
            for letter in "/model openai/gpt-6.1-sol":
                await pilot.press(NAMES.get(letter, letter))
            assert composer.text == "/model openai/gpt-6.1-sol"
            await pilot.press("escape", "enter")
            await until(pilot, lambda: session.roster.pick is not None)
            assert composer.text == "is it warm?"
            await pilot.press("enter")
            await until(pilot, lambda: len(session.history) == 2)


NAMES = {"/": "slash", " ": "space", "-": "minus", ".": "full_stop"}


@pytest.mark.parametrize(
    ("keys", "shown", "sent"),
    [
        (["/", "backspace"], "is it warm?", []),
        (["/", "ctrl+u"], "is it warm?", []),
        (["/", "m", "backspace", "backspace", *"never"], "is it warm?\nnever", ["is it warm?\nnever"]),
        (["/", "backspace", "up"], "is it warm?", []),
        (["/", "m", "escape", "up"], "is it warm?", []),
        ([*"/etc/hosts is"], "is it warm?\n/etc/hosts is", ["is it warm?\n/etc/hosts is"]),
        (["/", "backspace", "/", "backspace"], "is it warm?", []),
    ],
)
async def test_no_question_that_came_back_is_sent_unless_it_is_in_sight(make_session, keys, shown, sent):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        composer = app.main.composer
        await say(pilot, "is it warm?")
        await until(pilot, lambda: "No model is chosen yet" in app.main.talk.text and composer.text)
        for key in keys:
            await pilot.press(NAMES.get(key, key))
        await until(pilot, lambda: composer.text == shown)
        assert composer.sent == ["is it warm?"]  # Up finds it once
        await pilot.press("enter")
        await until(pilot, lambda: composer.text == shown)  # it came back once more
        assert composer.sent == ["is it warm?", *sent]


@pytest.mark.parametrize("keys", [[], ["escape"], ["left", "right"], ["end"]])
@pytest.mark.parametrize(
    ("words", "shown"), [("/model mine/big", "/model mine/big"), ("and now?", "is it warm?\nand now?")]
)
@pytest.mark.parametrize("pasted", [False, True])
async def test_what_is_typed_or_pasted_below_a_question_that_came_back_is_not_glued_to_it(
    make_session, keys, words, shown, pasted
):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        composer = app.main.composer
        await say(pilot, "is it warm?")
        await until(pilot, lambda: "No model is chosen yet" in app.main.talk.text and composer.text)
        await pilot.press(*keys)
        if pasted:
            app.post_message(Paste(words))
        else:
            await pilot.press(*(NAMES.get(each, each) for each in words))
        await until(pilot, lambda: composer.text == shown)


async def test_words_that_are_sent_before_a_question_that_came_back_can_be_seen_again_are_sent_alone(make_session):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        composer = app.main.composer
        await say(pilot, "is it warm?")
        await until(pilot, lambda: "No model is chosen yet" in app.main.talk.text and composer.text)
        await pilot.press("slash")
        composer.text = "never"
        composer.send()  # in one go with what was typed
        assert composer.sent == ["is it warm?", "never"]
        assert composer.text == "is it warm?"


async def test_what_comes_back_unsent_is_not_gone_on_with_in_its_last_line(make_session):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        composer = app.main.composer
        composer.give_back("please explain")
        await pilot.press("o", "n", "e")
        assert composer.text == "please explain\none"
        composer.put("")
        composer.give_back("please explain")
        await pilot.press("backspace", "n")
        assert composer.text == "please explain"


async def test_a_question_that_is_held_back_outlives_the_program(make_session, config):
    config('cap_session = "0.0000001"\n')
    with loopback.Server(loopback.openai("It is warm.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "first")
            await until(pilot, lambda: isinstance(app.screen, WaySheet))
            other = make_session()  # another window has no part in it
            assert other.take_up() == 0
            assert other.held_question is None
            await other.close()
            records = session.conversations.read()  # as after a kill
            assert waiting(records).text == "first"
            await take(pilot, "escape")
            await until(pilot, lambda: app.main.composer.text == "first")
        assert waiting(Transcript(max(session.conversations.folder.glob("*.jsonl"))).read()) is None


@pytest.mark.parametrize("answer", ["", " \n\n"])
async def test_an_empty_answer_is_told_of_with_what_it_cost_and_mended_by_nobody(make_session, answer):
    usage = {"prompt_tokens": 2100, "completion_tokens": 0}
    with loopback.Server(loopback.openai(answer, usage=usage), loopback.openai("Here.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "why?")
            await until(pilot, lambda: "0 out" in app.main.talk.text)
            shown = app.main.talk.text.split("\n")
            at = shown.index("openai/gpt-6.1-sol answered nothing. Ask again, or choose another model: F3.")
            assert "2.1k fresh, 0 out, $" in " ".join(shown[at:])
            await until(pilot, lambda: not session.asking)
            assert len(server.asked) == 1
            assert session.history == []
            await say(pilot, "and now?")
            await until(pilot, lambda: "Here." in app.main.talk.text)
            assert app.main.talk.text.count("answered nothing") == 1


async def test_a_key_leads_back_to_the_end_of_the_conversation_and_a_word_says_that_more_has_come(make_session):
    long = "\n\n".join(f"Paragraph {number}." for number in range(60))
    with loopback.Server(loopback.openai(long), loopback.openai("more " * 300), pause_s=0.01) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "tell")
            await until(pilot, lambda: app.session.history and not app.session.asking)
            await say(pilot, "and on")
            await until(pilot, lambda: len(server.asked) == 2)
            await pilot.press("pageup", "pageup")
            await until(pilot, lambda: "more has come below: Ctrl+End" in str(main.composer.border_title))
            await until(pilot, lambda: not app.session.asking and len(app.session.history) == 4)
            assert main.talk.scroll_offset.y < main.talk.max_scroll_y - 5
            await pilot.press("end")
            await until(pilot, lambda: main.talk.scroll_offset.y == main.talk.max_scroll_y)
            assert "below" not in str(main.composer.border_title)
            await pilot.press("pageup", *"typed", "home", "end", "left")
            await until(pilot, lambda: main.talk.scroll_offset.y < main.talk.max_scroll_y - 5)
            await pilot.press("ctrl+end", "!")
            await until(pilot, lambda: main.talk.scroll_offset.y == main.talk.max_scroll_y)
            assert main.composer.text == "typed!"
            assert "Home and End (with Ctrl where something is typed) go to the ends of the conversation" in " ".join(
                asking._help(70, "").split()
            )


async def test_above_the_composer_stands_how_a_turn_is_stopped_from_where_the_keys_are(make_session):
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(edit), loopback.openai("word " * 400), pause_s=0.02) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: main.hunks.has_focus and main.hunks.hunks)
            await say(pilot, "talk")
            await until(pilot, lambda: "word word" in main.talk.text)
            await until(pilot, lambda: "; Esc stops it" in str(main.composer.border_title))
            await pilot.press("f2")
            await until(pilot, lambda: "; Esc Esc stops it" in str(main.composer.border_title))
            main.post_message(PatchView.Wanted("repair", 0, 0))
            await until(pilot, lambda: "Esc Esc stops it" in main.hunks.hint)
            await pilot.press("escape")
            await until(pilot, lambda: "; Esc stops it" in str(main.composer.border_title))
            assert app.session.asking
            await pilot.press("escape")
            await until(pilot, lambda: not app.session.asking)


async def test_what_is_typed_while_an_answer_comes_breaks_none_of_its_words(make_session):
    code = (
        "```python\n"
        + "".join(f"def function_number_{number}(argument):\n    return 1\n" for number in range(12))
        + "```\n"
    )
    with loopback.Server(loopback.openai(f"So:\n\n{code}\nDone."), pause_s=0.02) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 60)) as pilot:
            talk = app.main.talk
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: "function_number_3(" in talk.text)
            await say(pilot, "/diff 99")
            await until(pilot, lambda: "99" in talk.text)
            assert app.session.asking
            assert "function_number_11" not in talk.text
            await until(pilot, lambda: not app.session.asking and app.session.history)
            assert code in talk.text
            assert talk.text.index("99") > talk.text.index(code)


@pytest.mark.parametrize("size", [(40, 10), (60, 13), (160, 13)])
async def test_on_a_low_screen_the_meter_says_that_a_turn_runs_what_is_queued_and_what_a_question_costs(
    make_session, size
):
    with loopback.Server(loopback.openai("word " * 200), pause_s=0.02) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=size) as pilot:

            def line():
                return seen(pilot).rstrip("\n").split("\n")[-1]

            await until(pilot, lambda: "gpt-6.1-sol" in line())
            await pilot.press(*"what")
            await until(pilot, lambda: " tokens" in line() and "$" in line())
            await pilot.press("enter")
            await until(pilot, lambda: "answers, " in line())
            assert len(line()) <= size[0]
            await say(pilot, "and then?")
            await until(pilot, lambda: "1 queued" in line() and "answers, " in line())
            if size[0] > 40:
                assert "gpt-6.1-sol" in line()
                assert "Esc stops it" in line()
            await pilot.press("escape")
            await until(pilot, lambda: not app.session.asking and "queued" not in line())
            app.main.composer.clear()
            await pilot.press("ctrl+c")
            await until(pilot, lambda: "Ctrl+C again leaves" in line())
            await pilot.resize_terminal(80, 24)
            await until(pilot, lambda: "again leaves" not in line())


async def test_a_question_that_the_provider_refused_comes_back(make_session):
    body = b'{"error": {"message": "Incorrect API key provided"}}'
    with loopback.Server((401, {"content-type": "application/json"}, body), loopback.openai("It is warm.")) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            (app.session.root / "shot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
            await say(pilot, "/add shot.png")
            await until(pilot, lambda: app.session.sight.pictures)
            await say(pilot, "is it warm?")
            await until(pilot, lambda: app.main.composer.text == "is it warm?")
            assert "/drop shot.png leaves it out" in " ".join(app.main.talk.text.split())
            await until(pilot, lambda: "tokens" in str(app.main.composer.border_subtitle))
            await pilot.press("enter")
            await until(pilot, lambda: "It is warm." in app.main.talk.text)
            assert [message.text for message in app.session.history] == ["is it warm?", "It is warm."]
            assert not app.main.composer.text


NO_LESSONS = "The lessons are about files that only the repository of `wattson demo` has"


async def test_the_lessons_are_offered_where_there_is_what_they_are_about(make_session, repo, tmp_path):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "No model is chosen yet" in app.main.talk.text)
        assert "`wattson demo`  practises without a key, in a scratch repository of its own." in app.main.talk.text
        assert "/model scripted/lesson" not in app.main.talk.text
        await say(pilot, "/model scripted/lesson")
        await until(pilot, lambda: "now asking scripted/lesson" in app.main.talk.text)
        assert "The lessons are about" not in app.main.talk.text
    (repo / "kettle" / "boil.py").unlink()
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: NO_LESSONS in " ".join(app.main.talk.text.split()))
        assert "Type: add a limit" not in app.main.talk.text
    app = Wattson(make_session(), "openai/gpt-6.1-sol")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "/model scripted/lesson")
        await until(pilot, lambda: NO_LESSONS in " ".join(app.main.talk.text.split()))
