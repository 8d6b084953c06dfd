"""A user's story in the app: keys in, files out."""

import asyncio
import re
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.widgets import OptionList, TextArea

from assistant.changes import Proposal
from assistant.edits.patch import FilePatch, Patch
from assistant.edits.review import Review
from assistant.tui.app import Wattson
from assistant.tui.hunk_rows import Subject
from assistant.tui.pickers import Picker
from tests import loopback
from tests.tui.keys import proposed, say, take, until
from tests.turns import walk


def last_message(repo):
    words = ["git", "log", "-1", "--format=%s"]
    return subprocess.run(words, cwd=repo, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 10)])
async def test_ask_review_take_skip_edit_undo_redo(make_session, repo, quick, size):
    app = Wattson(make_session(), "scripted/lesson")
    boil, meter = repo / "kettle/boil.py", repo / "kettle/meter.py"
    before = boil.read_text(), meter.read_text()
    async with app.run_test(size=size) as pilot:
        main = app.main
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "add a limit to the kettle")
        await until(pilot, lambda: len(main.hunks.hunks) == 4)
        assert (boil.read_text(), meter.read_text()) == before
        await until(pilot, lambda: main.hunks.has_focus)
        await pilot.pause(0.5)  # keys that were typed before hunks could be seen decide nothing
        await pilot.press("y", "n", "e")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"    # edited", "enter", "ctrl+s")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        assert "MOST_LITRES = 1.7" in boil.read_text()
        assert "litres > MOST_LITRES" not in boil.read_text()
        assert "    # edited\n    limit: float" in meter.read_text()
        assert "nearly_full" not in meter.read_text()
        assert [hunk.added for hunk in main.hunks.hunks] == [3]
        await say(pilot, "/undo")
        await until(pilot, lambda: main.hunks.preview is not None and main.hunks.has_focus)
        assert len(main.hunks.hunks) == 2
        await pilot.pause(0.5)
        await pilot.press("enter")
        await until(pilot, lambda: "undone" in main.talk.text)
        assert (boil.read_text(), meter.read_text()) == before
        await say(pilot, "/redo now")
        await until(pilot, lambda: "redone" in main.talk.text)
        assert "MOST_LITRES = 1.7" in boil.read_text()
        assert "lesson" in main.meter.line(size[0])
        assert len(main.meter.line(size[0])) <= size[0]


async def test_switching_between_wires_keeps_the_conversation(make_session):
    with loopback.Server(loopback.openai("I am one.")) as one, loopback.Server(loopback.anthropic("I am two.")) as two:
        session = make_session(
            OPENAI_BASE_URL=one.url, OPENAI_API_KEY="k" * 20, ANTHROPIC_BASE_URL=two.url, ANTHROPIC_API_KEY="a" * 20
        )
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "first question")
            await until(pilot, lambda: len(session.history) == 2)
            await say(pilot, "/model anthropic/claude-sonnet-5-5")
            await take(pilot, "e")
            await until(pilot, lambda: session.roster.pick.provider.name == "anthropic")
            await say(pilot, "second question")
            await until(pilot, lambda: len(session.history) == 4)
            await say(pilot, "/model gpt-6.1-sol")
            await take(pilot, "e")
            await until(pilot, lambda: session.roster.pick.provider.name == "openai")
            await say(pilot, "third question")
            await until(pilot, lambda: len(session.history) == 6)
            assert "$" in app.main.meter.line(160)
        roles = [(each["role"], each["content"]) for each in one.asked[-1][2]["messages"]]
        words = [text for _, text in roles]
        assert "first question" in words[1]
        assert words[2] == "I am one."
        assert words[4] == "I am two."
        assert "third question" in words[5]
        assert [each["role"] for each in two.asked[0][2]["messages"]] == ["user", "assistant", "user"]


async def test_escape_stops_a_turn_and_keeps_what_came(make_session):
    with loopback.Server(loopback.openai("word " * 400), pause_s=0.02) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "talk")
            await until(pilot, lambda: "word word" in app.main.talk.text)
            assert "~" in app.main.meter.line(120)
            await pilot.press("escape")
            await until(pilot, lambda: "stopped; what had come" in app.main.talk.text)
        assert session.history[-1].partial
        assert session.accounts.ledger.entries()[-1].state == "interrupted"


async def test_a_stopped_turn_offers_the_edits_that_were_whole(make_session, repo):
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    half = "kettle/boil.py\n```\n<<<<<<< SEARCH\n"
    with loopback.Server(loopback.openai(f"{edit}\n{half}{'word ' * 400}"), pause_s=0.02) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            main = app.main
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: "gpt-6.1-sol answers, " in str(main.composer.border_title))
            await until(pilot, lambda: "> replace kettle/meter.py" in "".join(s.text for s in main.talk._strips))
            await pilot.press("escape")
            await until(pilot, lambda: "stopped; what had come" in main.talk.text)
            await until(
                pilot, lambda: len(main.hunks.hunks) == 1 and "Esc stops" not in str(main.composer.border_title)
            )
            assert session.proposed.misfits == ()
        assert len(server.asked) == 1  # and nothing is repaired
    assert "joules: float = 0.0" in (repo / "kettle/meter.py").read_text()


async def test_a_broken_answer_offers_the_edits_that_were_whole(make_session, repo):
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    half = "kettle/boil.py\n```\n<<<<<<< SEARCH\nimport"
    with loopback.Server(loopback.openai(f"{edit}\n{half}", cut=True)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: len(app.main.hunks.hunks) == 1 and app.main.hunks.has_focus)
            assert "the answer stopped before its end" in " ".join(app.main.talk.text.split())
            await pilot.pause(0.5)
            await pilot.press("y", "enter")
            await until(pilot, lambda: "applied" in app.main.talk.text)
        assert len(server.asked) == 1
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()


async def test_marks_are_kept_although_the_program_is_killed(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        await proposed(app, pilot)
        await pilot.press("y", "n")

        marked = lambda session: session.changes.marked and [each.mark for each in session.changes.marked.choices]
        await until(pilot, lambda: marked(app.session) == ["take", "skip", "", ""])  # within a beat
        other = make_session()  # another process, while this one has not ended: it goes on with a copy
        other.take_up()
        assert marked(other) == ["take", "skip", "", ""]


@pytest.mark.parametrize("theme", ["dark", "light", "ansi"])
async def test_every_theme_starts(make_session, tmp_path, theme):
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'theme = "{theme}"\n')
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        assert app.session.warnings == []


async def test_a_comment_and_a_skip_are_told_before_anything_is_written_and_only_once(make_session, repo):
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(edit), loopback.openai("I see."), loopback.openai("So.")) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: len(main.hunks.hunks) == 1 and main.hunks.has_focus)
            await pilot.pause(0.5)
            await pilot.press("c")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.press(*"in volts?", "enter")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            await pilot.press("n", "q")
            for count, words in ((2, "why?"), (3, "and now?")):
                await say(pilot, words)
                await until(pilot, lambda count=count: len(server.asked) == count and not app.session.asking)
            sent = [str(asked[2]["messages"][-1]["content"]) for asked in server.asked]
            assert "in volts?" in sent[1]
            assert "will skip the hunk at kettle/meter.py" in sent[1]
            assert "in volts?" not in sent[2]


@pytest.mark.parametrize("above", ["", "# typed\n"])
async def test_marks_edits_and_comments_are_there_again_when_the_conversation_is_taken_up(
    make_session, repo, quick, above
):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("n", "e")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"    # mine", "enter", "ctrl+s")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("j", "c")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"why so", "enter")
        await until(pilot, lambda: len(main.hunks.review.comments) == 1)
        left = main.hunks.review
        assert [each.mark for each in left.choices] == ["skip", "take", "", ""]
    if above:  # while nobody looked
        for path in left.patch.paths:
            (repo / path).write_text(above + (repo / path).read_text())
    again = Wattson(make_session(), resume="last")
    async with again.run_test(size=(120, 34)) as pilot:
        await until(pilot, lambda: len(again.main.hunks.hunks) == 4)
        here = again.main.hunks.review
        assert here == left or above
        for name in ("mark", "edited"):
            assert [getattr(each, name) for each in here.choices] == [getattr(each, name) for each in left.choices]
        for index, choice in enumerate(left.choices):
            assert here.choices[index].hunk.new_text == choice.hunk.new_text
            for line in range(len(choice.hunk.lines)):
                assert here.commented(index, line) == left.commented(index, line)
        await until(pilot, lambda: again.session.roster.pick is not None)
        assert again.session.roster.pick.model.name == "scripted/lesson"  # and the model that was asked


async def test_a_sentence_that_is_typed_among_the_hunks_writes_nothing(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    before = (repo / "kettle/boil.py").read_text()
    async with app.run_test(size=(120, 34)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press(*"and add a flash", "enter")
        await until(pilot, lambda: "nothing was written" in main.hunks.hint)
        assert (repo / "kettle/boil.py").read_text() == before


async def test_two_columns_take_the_whole_screen_and_wrap_what_is_long(make_session, repo):
    old = "    joules: float = 0.0"
    new = f"{old}  # {'how much went through it ' * 5}finally"
    edit = f"kettle/meter.py\n```\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(edit)) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(130, 30)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: len(main.hunks.hunks) == 1 and main.hunks.has_focus)
            await pilot.press("v")
            await until(pilot, lambda: not main.talk.display)
            await pilot.pause(0.2)
            drawn = [main.hunks.render_line(y).text for y in range(main.hunks.size.height)]
            assert any("finally" in each for each in drawn)
            assert any("│" in each for each in drawn)
            await pilot.press("v")
            await until(pilot, lambda: main.talk.display)


async def test_first_run_without_a_key_says_what_can_be_done(make_session):
    app = Wattson(
        make_session(
            OLLAMA_BASE_URL="http://127.0.0.1:9",
            LMSTUDIO_BASE_URL="http://127.0.0.1:9",
            LLAMA_SERVER_BASE_URL="http://127.0.0.1:9",
        )
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "wattson demo" in app.main.talk.text)
        await say(pilot, "hello")
        await until(pilot, lambda: "No model is chosen" in app.main.talk.text)
        await until(pilot, lambda: app.main.composer.text == "hello")  # what was not sent is not lost
        await say(pilot, "/nosuch")
        await until(pilot, lambda: "no command /nosuch" in app.main.talk.text)
        await say(pilot, "/help")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        page = app.screen.query_one(TextArea).text.split("\n")
        assert max(map(len, page)) <= 72
        assert any(line.startswith("/commit") for line in page)
        await pilot.press("escape")
        await pilot.press("f3")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"deepseek-flash", "enter")
        await until(pilot, lambda: app.session.roster.pick is not None)
        assert app.session.roster.pick.model.name == "deepseek/deepseek-flash"
        main = app.main
        for width, height in ((160, 50), (80, 24), (20, 5), (100, 30)):
            await pilot.resize_terminal(width, height)
            await until(pilot, lambda end=height: main.meter.region.bottom == end)
            assert main.meter.region.width == main.talk.region.width == width


async def test_a_mark_is_completed_with_files_folders_symbols_and_the_diff(make_session, repo, quick):
    (repo / "my notes (old).md").write_text("x\n")
    session = make_session()
    await asyncio.to_thread(session.sight.look, "warm")
    app = Wattson(session, "scripted/lesson")

    def offered():
        return [each.text for each in app.main.completions.choices]

    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: session.roster.pick is not None)
        app.main.composer.focus()
        for typed, wanted in {
            "@met": "@kettle/meter.py ",
            "@kett": "@kettle/ ",
            "@boi": "@boil ",
            "@di": "@diff ",
            "@notes": '@"my notes (old).md" ',
        }.items():
            app.main.composer.text = ""
            await pilot.press(*typed)
            await until(pilot, lambda wanted=wanted: wanted in offered())
        (repo / "brand_new.py").write_text("y = 1\n")
        await say(pilot, "/plan")
        app.main.composer.text = ""
        await pilot.press(*"@brand")  # the list is answered from what is known; another keystroke finds the newer one
        await until(pilot, app.main._completer._making.done)
        await pilot.press("_")
        await until(pilot, lambda: "@brand_new.py " in offered())
        await pilot.press("tab")
        await until(pilot, lambda: app.main.composer.text == "@brand_new.py ")


async def test_hasty_fingers_send_what_they_typed_not_what_the_list_was_at(make_session):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        composer, offers = app.main.composer, app.main.completions
        composer.focus()
        await pilot.press("/", "q")
        await until(pilot, lambda: offers.word == "/q")
        for key in [*"uit", "enter"]:  # all at once, as a terminal hands over what was typed while it was busy
            composer.post_message(Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: composer.sent == ["/quit"])


async def test_enter_takes_what_the_list_offers_for_the_word_as_it_stands(make_session):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        composer, offers = app.main.composer, app.main.completions
        composer.focus()
        await pilot.press(*"/comm")
        await until(pilot, lambda: offers.word == "/comm")
        await pilot.press("enter")
        assert composer.text.strip() == "/commit"
        assert composer.sent == []
        composer.text = ""
        await pilot.press("/")
        await until(pilot, lambda: offers.word == "/")
        first = offers.chosen
        await pilot.press("down")
        assert offers.chosen != first
        await pilot.press("escape")
        assert (offers.choices, composer.text) == ((), "/")


async def test_hostile_words_do_not_reach_the_terminal(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test() as pilot:
        app.main.talk.append("a\x1b[31mred\u202eevil\n[bold]not markup[/]\n")
        app.main.talk.end()
        await pilot.pause()
        assert "\x1b" not in app.main.talk.text
        assert "\u202e" not in app.main.talk.text
        assert "[bold]not markup[/]" in app.main.talk.text


def test_the_first_frame_imports_nothing_it_does_not_need():
    heavy = ["httpx", "tiktoken", "tree_sitter", "git", "pygments", "rapidfuzz", "sqlite3"]
    code = f"import sys, assistant.tui.app\nprint([name for name in {heavy} if sys.modules.get(name)])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize(
    "module",
    [
        "session",
        "turn",
        "command",
        "headless",
        "context.pack",
        "edits.journal",
        "edits.format",
        "models.catalogue",
        "quota.ledger",
    ],
)
def test_no_core_module_brings_the_screen_along(module):
    code = f"import sys, assistant.{module}\nprint([name for name in ('textual', 'rich', 'pygments') if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_sitting_can_be_taken_up_again(make_session, quick):
    async def talk():
        session = make_session()
        session.roster.switch("scripted/lesson")
        async for _ in session.ask("who are you?"):
            pass
        await session.close()

    asyncio.run(talk())
    again = make_session()
    assert again.take_up() == 2
    assert again.history[0].text == "who are you?"
    assert "scripted" in again.history[1].text


async def test_hunks_too_large_to_be_kept_with_the_conversation_are_told_as_such(make_session):
    session = make_session()
    new = FilePatch("new.txt", None, b"x" * 4_000_001, None, 0o644, "")
    session.changes.propose(Proposal(Patch((new,)), (), 1, "scripted/lesson"), upon=None)
    await walk(session.deciding.apply(Review.of(session.proposed.patch)))  # nothing is taken: all of it waits
    assert any("larger than the 4,000,000 characters" in words for words in session.troubles())
    again = make_session()
    again.take_up()
    assert again.proposed is None
    await session.close()


async def test_a_drafted_commit_is_shown_first_and_made_with_one_key(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = app.main
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "add a limit to the kettle")
        await until(pilot, lambda: main.hunks.has_focus)
        await pilot.pause(0.5)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        await say(pilot, "/commit")
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 2 and app.screen.query(TextArea))
        editor = app.screen
        for _ in range(3):  # a hasty user: the keys are there before the first has closed the sheet
            editor.post_message(Key("ctrl+s", None))
        editor.action_accept()
        editor.action_accept()
        await until(pilot, lambda: "\ncommitted " in main.talk.text)
    assert last_message(repo) == "Teach the kettle its limit"


async def test_an_answer_with_nothing_to_decide_leaves_the_keys_with_the_composer(make_session):
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 5.0\n=======\n    joules: float = 0.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(edit)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: len(session.history) == 2 and not session.asking)
            assert [each.reason for each in session.proposed.misfits] == ["already"]
            await pilot.pause(0.3)
            assert app.main.composer.has_focus
            assert not app.main.hunks.display


async def test_what_is_shown_is_told_with_how_much_more_there_is(make_session, repo, quick):
    for number in range(7):
        (repo / f"n{number}.py").write_text(f"N{number} = {number}\n")
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, f"who are you? {' '.join(f'@n{number}.py' for number in range(7))}")
        await until(pilot, lambda: "(F4)" in " ".join(app.main.talk.text.split()))
        told = " ".join(app.main.talk.text.split()).partition("sees ")[2].partition("more (F4)")[0]
        more = int(told.split()[-1])
        assert more >= 3
        assert len(re.findall(r"\S+:\d+-\d+", told)) + more == len(app.session.sight.sent[1].sections)


async def test_what_does_not_fit_is_told_whole_at_any_width_with_what_another_try_costs(make_session, tmp_path):
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("repairs = 0\n")
    wrong = (
        "kettle/meter.py\n```\n<<<<<<< SEARCH\n    jules: float = 0.0\n=======\n    joules = 1\n>>>>>>> REPLACE\n```\n"
    )
    right = wrong.replace("jules: float", "joules: float")
    with loopback.Server(loopback.openai(wrong), loopback.openai(right)) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(60, 24)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: main.hunks.has_focus)

            def drawn():
                return [main.hunks.render_line(y).text.rstrip() for y in range(main.hunks.size.height)]

            await until(pilot, lambda: "tokens, " in "".join(drawn()))
            text = " ".join(each.strip() for each in drawn() if each)
            assert app.session.proposed.misfits[0].message in text
            assert "Near: kettle/meter.py:" in text
            await pilot.pause(0.5)
            await pilot.press("r")
            await until(pilot, lambda: len(main.hunks.hunks) == 1)
            assert app.session.proposed.misfits == ()


async def test_a_page_moves_the_cursor_and_the_foot_tells_what_is_taken(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 16)) as pilot:
        hunks = app.main.hunks
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "add a limit to the kettle")
        await until(pilot, lambda: len(hunks.hunks) == 4 and hunks.has_focus)
        await pilot.pause(0.5)
        assert hunks.at == 0
        await pilot.press("pagedown", "pagedown")
        assert hunks.at > 0
        at = hunks.at
        await pilot.press("y", "n")
        marks = [each.mark for each in hunks.review.choices]
        assert marks[at] == "take"
        await until(pilot, lambda: "✓1 ✗1 ·2" in hunks.render_line(hunks.size.height - 1).text)
        await pilot.press("pageup", "pageup", "pageup", "pageup")
        assert hunks.at == 0


async def test_a_cut_that_is_refused_leaves_the_cursor_where_it_is(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        hunks = (await proposed(app, pilot)).hunks
        await pilot.press("j", "down", "down", "down", "down", "S")
        assert "S cuts there" in hunks.hint
        await pilot.press("down", "S")
        assert [len(each.new) for each in hunks.hunks[1:3]] == [1, 1]


async def test_what_is_typed_right_before_accepting_is_in_the_text(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        hunks = app.main.hunks
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "add a limit to the kettle")
        await until(pilot, lambda: len(hunks.hunks) == 4 and hunks.has_focus)
        await pilot.pause(0.5)
        await pilot.press("e")
        await until(pilot, lambda: len(app.screen_stack) == 2 and app.screen.query(TextArea))
        for key, sign in (("x", "x"), ("enter", "\r"), ("y", "y"), ("ctrl+s", None)):  # all at once
            app.post_message(Key(key, sign))
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert hunks.review.choices[0].hunk.new_text.startswith("x\ny")


async def test_a_list_of_very_many_files_keeps_up_with_the_keys(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    rows = [
        (name, name) for name in [*(f"src/{each}" for each in range(99_500)), *(f"new/{each}" for each in range(500))]
    ]
    chosen = []
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(Picker("Pin a file", rows), chosen.append)
        start = time.monotonic()
        await pilot.press(*"new/4 9", "down", "enter")
        await until(pilot, lambda: chosen)
        assert time.monotonic() - start < 10  # it took forty seconds
    assert chosen == ["new/409"]


async def test_undecided_hunks_are_set_aside_and_come_back(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = app.main
        await until(pilot, lambda: app.session.roster.pick is not None)
        await say(pilot, "add a limit to the kettle")
        await until(pilot, lambda: main.hunks.has_focus)
        await pilot.pause(0.5)
        first = main.hunks.hunks
        await pilot.press("J")
        assert len(main.hunks.hunks) == len(first) - 1
        await pilot.press("s")
        assert len(main.hunks.hunks) == len(first)
        await pilot.press("down", "down", "down", "down", "down", "S")
        await pilot.press("i")
        assert "turn 1, scripted/lesson," in main.hunks.hint
        assert "matched exactly" in main.hunks.hint
        await pilot.press("escape")
        await say(pilot, "write a test for the kettle")
        await until(pilot, lambda: "of turn 1 that were not decided" in main.talk.text)
        await until(pilot, lambda: not app.session.asking and main.hunks.has_focus)
        assert {hunk.path for hunk in main.hunks.hunks} != {hunk.path for hunk in first}
        await say(pilot, "/diff 1")
        await until(pilot, lambda: main.hunks.hunks == first)
        await say(pilot, "/diff 7")
        await until(pilot, lambda: "No hunks of turn 7" in main.talk.text)


async def test_an_undo_around_later_changes_is_shown_and_then_written(make_session, repo, quick):
    app, boil = Wattson(make_session(), "scripted/lesson"), repo / "kettle/boil.py"
    before = boil.read_text()
    async with app.run_test(size=(80, 24)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        boil.write_text(boil.read_text() + "# typed since\n")
        await say(pilot, "/undo")
        await until(pilot, lambda: main.hunks.preview is not None and main.hunks.has_focus)
        await pilot.pause(0.5)
        await pilot.press("X", "enter")
        await until(pilot, lambda: "nothing is marked" in main.hunks.hint)
        await pilot.press("A", "enter")
        preview = main.hunks.preview
        await until(pilot, lambda: main.hunks.preview is not preview or main.hunks.review.patch is preview.patch)
        assert "# typed since" in boil.read_text()
        assert boil.read_text() != before + "# typed since\n"  # it was only shown
        await pilot.pause(0.5)
        await pilot.press("n", "enter")
        await until(pilot, lambda: "as a whole, or not at all" in main.hunks.hint)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "undone" in main.talk.text)
    assert boil.read_text() == before + "# typed since\n"


async def test_a_slash_among_the_hunks_begins_a_command_and_decides_nothing(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        main = await proposed(app, pilot)
        hunks = main.hunks.hunks
        await pilot.press(*"/diff")
        await until(pilot, lambda: main.composer.text == "/diff" and main.composer.has_focus)
        main.composer.text = ""
        await pilot.press("f2")
        await until(pilot, lambda: main.hunks.has_focus)
        for key in "/history-yron":  # all at once, as a terminal hands over what was typed while it was busy
            app.post_message(Key({"/": "slash", "-": "minus"}.get(key, key), key))
        await until(pilot, lambda: main.composer.text == "/history-yron" and main.composer.has_focus)
        main.composer.text = ""
        await pilot.press("f2")
        await until(pilot, lambda: main.hunks.has_focus)
        app.post_message(Paste("what is this?\nyes"))
        await until(pilot, lambda: main.composer.text == "what is this?\nyes" and main.composer.has_focus)
        assert main.hunks.hunks == hunks
        assert not main.hunks.review.decided
        assert len(app.session.history) == 2  # nothing was asked


async def test_marks_and_edited_lines_outlive_another_turn_and_a_writing_of_some(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("n", "e")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"    # mine", "enter", "ctrl+s")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        decided = [(each.mark, each.hunk.new) for each in main.hunks.review.choices]
        assert [mark for mark, _ in decided] == ["skip", "take", "", ""]
        await pilot.press("escape")
        await say(pilot, "write a test for the kettle")
        await until(pilot, lambda: not app.session.asking and main.hunks.has_focus and len(main.hunks.hunks) != 4)
        await say(pilot, "/diff 1")
        await until(pilot, lambda: len(main.hunks.hunks) == 4)
        assert [(each.mark, each.hunk.new) for each in main.hunks.review.choices] == decided
        await until(pilot, lambda: main.hunks.has_focus)
        await pilot.pause(0.5)
        await pilot.press("U", "g", "y", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        assert [(each.mark, each.hunk.new) for each in main.hunks.review.choices] == [
            ("", new) for _, new in decided[1:]
        ]


async def test_hunks_that_somebody_has_made_already_are_said_to_be_there(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        main = await proposed(app, pilot)
        for file in main.hunks.review.patch.files:
            (repo / file.path).write_bytes(file.after)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "nothing is left to write" in main.talk.text)
        assert app.session.proposed is None
        assert main.composer.has_focus


async def test_a_comment_is_kept_by_enter_changed_and_taken_back(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        main = await proposed(app, pilot)

        async def comment(*keys):
            await pilot.press("c")
            await until(pilot, lambda: len(app.screen_stack) == 2 and app.screen.query("TextArea"))
            await pilot.press(*keys, "enter")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            return [each.words for each in main.hunks.review.comments]

        assert await comment("w", "h", "y", "ctrl+j", "1") == ["why\n1"]
        assert [each.line for each in main.hunks.review.comments] == [6]  # the first line that is new
        assert await comment("?") == ["why\n1?"]
        assert await comment(*["backspace"] * 6) == []
        await pilot.press("question_mark")
        await until(pilot, lambda: len(app.screen_stack) == 2 and app.screen.query("TextArea"))
        assert app.screen.query_one("TextArea").text.startswith("In hunks:")


@pytest.mark.parametrize("columns", [1, 2])
async def test_what_is_said_of_a_line_stands_below_it_and_its_hunk_says_so(make_session, quick, columns):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(200, 40)) as pilot:
        hunks = (await proposed(app, pilot)).hunks

        def drawn():
            return [hunks.render_line(y).text.strip() for y in range(hunks.size.height)]

        await pilot.press(*["v"] * (columns - 1), "j", *["down"] * 5, "c")
        await take(pilot, *"why?", "enter")
        await until(pilot, lambda: any(", 1 comment  @@ -11,6" in line for line in drawn()))
        at = drawn().index("# why?")
        assert "the kettle holds at most" in drawn()[at - 1]
        await pilot.press("c")  # the cursor is still on that line
        await take(pilot, *["backspace"] * 4, "enter")
        await until(pilot, lambda: not any("comment  @@" in line for line in drawn()))
        assert "# why?" not in drawn()


async def test_what_is_said_of_a_hunk_without_lines_is_seen(make_session):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        app.main.hunks.show(Subject(Review.of(Patch((FilePatch("a.py", b"x\n", b"x\n", 0o644, 0o644, "b.py"),)))))
        app.main.go_to_hunks()
        await until(pilot, lambda: app.main.hunks.has_focus)
        await pilot.pause(0.5)
        await pilot.press("c")
        await take(pilot, *"why?", "enter")
        await until(pilot, lambda: any(app.main.hunks.render_line(y).text.strip() == "# why?" for y in range(5)))


async def test_the_model_hears_that_hunks_are_not_decided(make_session, repo):
    reply = "a.txt\n```\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(reply), loopback.openai("Well.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.switch("openai/gpt-6.1-sol")
        for words in ("make a file", "and now?"):
            async for _ in session.ask(words):
                pass
        await session.close()
    assert "not decided, so not in the files: hunks in a.txt" in str(server.asked[1][2])


async def test_one_file_is_taken_back_and_what_waits_is_told_by_name(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    boil, meter = repo / "kettle/boil.py", repo / "kettle/meter.py"
    before = boil.read_text(), meter.read_text()
    async with app.run_test(size=(100, 30)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("y")
        main.leave_hunks()
        await say(pilot, "/clear")
        words = "A new conversation begins. 4 hunks of turn 1, 1 of them taken but not written, wait with the old one: /resume."
        await until(pilot, lambda: words in " ".join(main.talk.text.split()))
        main = await proposed(app, pilot)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        written = meter.read_text()
        await say(pilot, "/undo @kettle/boil.py")
        await until(pilot, lambda: main.hunks.preview is not None and main.hunks.has_focus)
        assert {hunk.path for hunk in main.hunks.hunks} == {"kettle/boil.py"}
        await pilot.pause(0.5)
        await pilot.press("enter")
        await until(pilot, lambda: "undone" in main.talk.text)
        assert (boil.read_text(), meter.read_text()) == (before[0], written)
        await say(pilot, "/undo nowhere.py")
        await until(pilot, lambda: "Nothing in nowhere.py can be undone" in main.talk.text)
        assert app.session.undecided() == ""


async def test_a_turn_that_was_written_in_two_steps_is_taken_back_and_made_again_as_one(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    files = repo / "kettle/boil.py", repo / "kettle/meter.py"
    before = [file.read_text() for file in files]
    async with app.run_test(size=(100, 30)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("y", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        await until(pilot, lambda: len(main.hunks.hunks) == 3 and main.hunks.has_focus)
        await pilot.pause(0.5)
        await pilot.press("A", "enter")
        await until(pilot, lambda: len(app.session.journal.history()) == 2 and not main.hunks.hunks)
        written = [file.read_text() for file in files]
        for command, word, then in (("/undo turn", "undone", before), ("/redo turn", "redone", written)):
            await say(pilot, command)
            await until(pilot, lambda: main.hunks.preview is not None and main.hunks.has_focus)
            assert len(main.hunks.preview.steps) == 2
            await pilot.pause(0.5)
            await pilot.press("enter")
            await until(pilot, lambda word=word: word in main.talk.text)
            assert [file.read_text() for file in files] == then


@pytest.mark.parametrize("size", [(80, 24), (50, 15)])
async def test_what_was_written_is_listed_with_its_price_and_time_at_any_width(make_session, quick, size):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=size) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        await say(pilot, "/history")
        await until(pilot, lambda: len(app.screen_stack) == 2 and app.screen.query_one(OptionList).option_count)
        rows = app.screen.query_one(OptionList)
        seen = rows.render_line(0).text
        assert f" {app.session.accounts.costs['USD']} " in seen
        assert re.search(r"\+7 -0  \d\d \w{3} \d\d:\d\d  kettle/", seen) or size[0] < 80
        assert re.search(r"\+7 -0  \d\d \w{3} \d\d:\d\d ", seen)


async def test_what_can_be_undone_is_not_kept_from_it_by_what_cannot(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    boil, meter = repo / "kettle/boil.py", repo / "kettle/meter.py"
    before = boil.read_text(), meter.read_text()
    async with app.run_test(size=(100, 30)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("A", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        mine = meter.read_text().replace("limit: float =", "limit: int =")
        meter.write_text(mine)
        await say(pilot, "/undo")
        await until(pilot, lambda: main.hunks.preview is not None and main.hunks.has_focus)
        assert {hunk.path for hunk in main.hunks.hunks} == {"kettle/boil.py"}
        assert "These stay as they are: kettle/meter.py" in main.talk.text
        await pilot.pause(0.5)
        await pilot.press("enter")
        await until(pilot, lambda: "undone" in main.talk.text)
    assert (boil.read_text(), meter.read_text()) == (before[0], mine)


async def test_an_edit_that_may_not_be_meant_says_so_above_the_hunks_and_on_its_own(make_session, repo):
    block = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 9.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(f"Please do not do this:\n\n{block}")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: len(app.main.hunks.hunks) == 1 and app.main.hunks.has_focus)
            shown = "\n".join(app.main.hunks.render_line(at).text for at in range(8))
            assert "is not to be done" in " ".join(shown.split())
            assert "1/1 ·  @@" in shown
            assert shown.count("may not be meant") == 2
        assert len(server.asked) == 1  # and nothing is repaired


async def test_whoever_looks_or_clicks_elsewhere_goes_on_typing_in_the_composer(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        main = app.main
        await until(pilot, lambda: app.session.roster.pick is not None)
        await pilot.press(*"fix", "tab", *" the")
        await pilot.click(main.talk)
        await pilot.press(*" bug")
        assert main.composer.text == "fix the bug"
        await pilot.press("f2")  # a page without hunks has no use for letters
        await until(pilot, lambda: main.hunks.has_focus)
        await pilot.press("w", "o", "w")
        await until(pilot, lambda: main.composer.text == "fix the bugwow" and main.composer.has_focus)


async def test_letters_without_a_width_are_typed_like_others(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = app.main
        await until(pilot, lambda: app.session.roster.pick is not None)
        for letter in "\u0645\u06cc\u200c\u062e\U0001f469\u200d\U0001f467":
            app.post_message(Key(letter, letter))
        app.post_message(Key("woman", "\U0001f469\u200d"))  # several letters in one key
        app.post_message(Key("x", "x"))
        await until(
            pilot, lambda: main.composer.text == "\u0645\u06cc\u200c\u062e\U0001f469\u200d\U0001f467\U0001f469\u200dx"
        )
        main.composer.text = ""
        await proposed(app, pilot)
        await pilot.press("e")
        await until(pilot, lambda: len(app.screen_stack) == 2 and app.screen.focused is not None)
        app.post_message(Key("\u200d", "\u200d"))
        await until(pilot, lambda: "\u200d" in app.screen.query_one("TextArea").text)


def test_alt_and_enter_begin_a_new_line_in_old_terminals():
    assert [event.key for event in XTermParser().feed("\x1b\r")] == ["ctrl+j"]


async def test_what_is_selected_with_the_mouse_is_seen_and_said_when_it_is_copied(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        talk = app.main.talk
        await until(pilot, lambda: "practice" in talk.text)
        await pilot.pause(0.2)

        def grounds():
            return {segment.style.bgcolor for segment in talk.render_line(0) if segment.style and segment.text.strip()}

        before = grounds()
        await pilot.mouse_down(talk, offset=(3, 0))
        await pilot.hover(talk, offset=(12, 0))
        await pilot.mouse_up(talk, offset=(12, 0))
        await until(pilot, app.main.get_selected_text)
        assert grounds() - before
        assert all(each.style.color != each.style.bgcolor for each in talk.render_line(0))  # and can be read
        await pilot.mouse_down(talk, offset=(1, 0))
        for x in (3, 5, 7):  # as a mouse moves
            await pilot.hover(talk, offset=(x, 0))
        await pilot.mouse_up(talk, offset=(7, 0))
        assert app.main.get_selected_text() == "Wattson"
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "characters copied" in str(app.main.composer.border_title))


async def test_up_takes_a_queued_question_back_to_be_mended(make_session):
    with loopback.Server(loopback.openai("slow " * 60), loopback.openai("Yes."), pause_s=0.03) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "one")
            await until(pilot, lambda: app.session.asking)
            await say(pilot, "tow")
            await until(pilot, lambda: "1 queued" in str(main.composer.border_title))
            await pilot.press("up", "backspace", "backspace", "w", "o")
            assert main.composer.text == "two"
            assert "queued" not in str(main.composer.border_title)
            await pilot.press("enter")
            await until(pilot, lambda: len(server.asked) == 2, tries=1000)
            assert "two" in str(server.asked[1][2]["messages"][-1]["content"])
            assert main.composer.sent == ["one", "two"]


async def test_hunks_that_were_set_aside_come_back_in_the_next_sitting_too(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = await proposed(app, pilot)
        first = main.hunks.hunks
        await pilot.press("q")
        await say(pilot, "write a test for the kettle")
        await until(pilot, lambda: "of turn 1 that were not decided" in main.talk.text)
        await until(pilot, lambda: not app.session.asking and main.hunks.hunks not in ((), first))
        second = main.hunks.hunks
    for turn, other, mine in ((1, 2, first), (2, 1, second), (1, 2, first)):
        again = Wattson(make_session(), resume="last")
        async with again.run_test(size=(120, 34)) as pilot:
            main = again.main
            await until(pilot, lambda main=main: main.hunks.hunks)
            assert [each.turn for each in again.session.changes.set_aside] == [turn]
            await say(pilot, f"/diff {turn}")
            await until(
                pilot,
                lambda main=main, mine=mine: [each.path for each in main.hunks.hunks] == [each.path for each in mine],
            )
            assert [each.turn for each in again.session.changes.set_aside] == [other]


async def test_hunks_of_a_new_answer_are_not_decided_although_the_same_were_before(make_session):
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(edit), loopback.openai(edit)) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(120, 34)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "set it")
            await until(pilot, lambda: main.hunks.has_focus)
            await pilot.pause(0.5)
            await pilot.press("n", "q")
            await say(pilot, "set it, I said")
            await until(pilot, lambda: app.session.turn == 2 and not app.session.asking and main.hunks.has_focus)
            assert "turn 2" in main.hunks.subject.origin
            assert [each.mark for each in main.hunks.review.choices] == [""]
    again = Wattson(make_session(), resume="last")
    async with again.run_test(size=(120, 34)) as pilot:
        await until(pilot, lambda: again.main.hunks.hunks)
        assert again.session.proposed.turn == 2
        await until(pilot, lambda: again.main.meter.state.context_share)  # and what it burnt is known at once
        assert again.main.meter.state.session.total == 240
        assert again.main.meter.state.session_costs


async def test_escape_brings_a_waiting_question_back_beside_what_is_typed(make_session):
    app = Wattson(make_session(OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
    async with app.run_test(size=(120, 34)) as pilot:
        main = app.main
        await until(pilot, lambda: app.session.roster.pick is not None)
        main.holding.text, main.holding.at = "the question that waits", app.session.now() + timedelta(hours=2)
        main.composer.text = "a note"
        await pilot.press("escape")
        assert main.composer.text == "the question that waits\na note"


async def test_enter_pressed_twice_writes_once_and_says_so(make_session, repo, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("A")
        app.post_message(Key("enter", "\r"))
        app.post_message(Key("enter", "\r"))
        await until(pilot, lambda: "applied" in main.talk.text)
        await pilot.pause(0.3)
        assert "MOST_LITRES = 1.7" in (repo / "kettle/boil.py").read_text()
        assert "not written" not in main.talk.text + main.hunks.hint
        assert app.session.accounts.ledger.sums.yields()


async def test_questions_that_cannot_be_sent_come_back_in_their_order(make_session):
    with loopback.Server(loopback.openai("slow " * 60), pause_s=0.03) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20), "openai/gpt-6.1-sol")
        async with app.run_test(size=(120, 34)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "one")
            await until(pilot, lambda: app.session.asking)
            for words in ("two", "three", "four"):
                await say(pilot, words)
            await until(pilot, lambda: "3 queued" in str(main.composer.border_title))
            app.session.roster.pick = None
            await until(pilot, lambda: main.composer.text == "two\nthree\nfour", tries=1000)
