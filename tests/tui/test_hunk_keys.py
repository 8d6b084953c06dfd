"""What hunks do beside being taken: they come while the answer streams, go to the user's editor, and are shown to another model."""

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

from textual.events import Key

from assistant import config
from assistant.tui import editor
from assistant.tui.app import Wattson
from tests import loopback
from tests.tui.keys import proposed, say, take, until

KEY = "k" * 20
FIRST = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
SECOND = FIRST.replace("joules: float = 0.0", "def cost(self").replace("joules: float = 1.0", "def price(self")


def drawn(pane):
    """What can be seen of a pane; nothing where it is hidden."""
    return "\n".join(pane.render_line(y).text for y in range(pane.size.height)) if pane.display else ""


async def test_a_block_is_seen_as_soon_as_it_is_whole(make_session, repo):
    answer = f"{FIRST}\n{'word ' * 60}\n\n{SECOND}\n"
    with loopback.Server(loopback.openai(answer), pause_s=0.01) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")
        async with app.run_test(size=(160, 50)) as pilot:
            hunks = app.main.hunks
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: "joules: float = 1.0" in drawn(hunks), tries=2000)
            assert not hunks.hunks
            assert "def price" not in drawn(hunks)  # it is still on its way
            await until(pilot, lambda: len(hunks.hunks) >= 1, tries=2000)
            assert "0.0" in (repo / "kettle/meter.py").read_text()


async def test_another_model_is_asked_of_a_hunk_and_nothing_else_changes(make_session, repo):
    with (
        loopback.Server(loopback.openai(FIRST)) as one,
        loopback.Server(loopback.anthropic("A meter starts at nothing.")) as two,
    ):
        addresses = {"OPENAI_BASE_URL": one.url, "ANTHROPIC_BASE_URL": two.url}
        session = make_session(OPENAI_API_KEY=KEY, ANTHROPIC_API_KEY=KEY, **addresses)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(120, 40)) as pilot:
            hunks = app.main.hunks
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "start at one")
            await until(pilot, lambda: len(hunks.hunks) == 1 and hunks.has_focus)
            await pilot.pause(0.5)
            said = len(session.history)
            await pilot.press("o")
            await take(pilot, *"claude-sonnet-5-5", "enter")
            await until(pilot, lambda: "A meter starts at nothing." in app.main.talk.text)
            asked = str(two.asked[-1][2])
            assert "start at one" in asked
            assert "+    joules: float = 1.0" in asked
            assert len(session.history) == said
            assert len(hunks.hunks) == 1
            assert session.roster.pick.provider.name == "openai"
    assert "joules: float = 0.0" in (repo / "kettle/meter.py").read_text()


def editing(repo, env, server, program, steps, ready=lambda: True):
    """Drive the program in a terminal with an editor: each step waits for what is seen and then types; ends with the terminal."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(repo)
        keys = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "EDITOR": str(program)}
        argv = [sys.executable, "-m", "assistant", "tui", "-m", "openai/gpt-6.1-sol"]
        os.execve(argv[0], argv, {**env, **keys, "TERM": "xterm", "PYTHONPATH": str(Path.cwd())})
    out, steps = b"", list(steps)
    while steps:
        assert select.select([terminal], [], [], 60)[0], out[-2000:]
        out += os.read(terminal, 65536)
        if steps[0][0] in out:
            time.sleep(0.5)  # keys that come at once after hunks have appeared count for nothing
            os.write(terminal, steps.pop(0)[1])
    for _ in range(600):
        if ready():
            break
        time.sleep(0.1)
    return child, terminal


BEGUN = [(b"now asking", b"go on\r"), ("·1 ".encode(), b"E")]


def test_a_hunk_is_changed_in_the_users_own_editor(repo, env, tmp_path):
    script = tmp_path / "ed.sh"
    script.write_text("#!/bin/sh\nsed -i 's/1.0/2.5/' \"$1\"\n")
    script.chmod(0o755)
    with loopback.Server(loopback.openai(FIRST)) as server:
        child, terminal = editing(repo, env, server, script, [*BEGUN, (b"as edited", b"A\r"), (b"applied", b"")])
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
    assert "joules: float = 2.5" in (repo / "kettle/meter.py").read_text()
    assert not (config.places(env).data / "editor").exists()


def test_an_editor_that_is_not_there_leaves_the_screen_as_it_was(repo, env, tmp_path):
    with loopback.Server(loopback.openai(FIRST)) as server:
        steps = [*BEGUN, (b"cannot be opened", b"A\r"), (b"applied", b"")]
        child, terminal = editing(repo, env, server, tmp_path / "none", steps)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()


def test_what_was_saved_in_an_editor_outlives_the_terminal(repo, env, tmp_path):
    script = tmp_path / "ed.sh"
    script.write_text(f"#!/bin/sh\ntrap '' HUP\necho mine > \"$1\"\necho > {tmp_path}/saved\nsleep 2\n")
    script.chmod(0o755)
    places = config.places(env)
    with loopback.Server(loopback.openai(FIRST)) as server:
        child, terminal = editing(repo, env, server, script, BEGUN, (tmp_path / "saved").exists)
        os.close(terminal)
        os.waitpid(child, 0)
    (left,) = editor.left_behind(places)
    assert left.read_text() == "mine\n"


async def test_what_is_typed_in_one_go_behind_a_key_that_opens_a_sheet_is_for_the_sheet(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        hunks = (await proposed(app, pilot)).hunks
        marks = [each.mark for each in hunks.review.choices]
        for letter in "cAXs why":
            app.post_message(Key(letter if letter != " " else "space", letter))
        app.post_message(Key("enter", "\r"))
        await until(pilot, lambda: hunks.review.comments)
        assert [each.words for each in hunks.review.comments] == ["AXs why"]
        assert [each.mark for each in hunks.review.choices] == marks
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("y")  # the keys are its own again
        await until(pilot, lambda: "take" in [each.mark for each in hunks.review.choices])


async def test_keys_behind_one_that_opens_nothing_are_the_hunks_own(make_session, quick):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(120, 34)) as pilot:
        main = await proposed(app, pilot)
        await pilot.press("y", "enter")
        await until(pilot, lambda: "applied" in main.talk.text)
        await say(pilot, "/undo")
        await until(pilot, lambda: main.hunks.preview is not None and main.hunks.has_focus)
        await pilot.pause(0.5)
        marks = [each.mark for each in main.hunks.review.choices]
        for letter in "cn":  # no comment on what is written
            app.post_message(Key(letter, letter))
        await until(pilot, lambda: [each.mark for each in main.hunks.review.choices] != marks)
        assert len(app.screen_stack) == 1


LONG = "            return min(limit, {0}) if limit is not None else default_of_the_kettle(limit, {0})  # {1}"
SHAPE = (
    "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n"
    f"    def wide(self):\n        if 宽:\n\t\treturn '宽的字符' + 1\n{LONG.format(1, 'so')}\n>>>>>>> REPLACE\n```\n"
)


async def test_what_is_dragged_over_in_hunks_is_copied_without_numbers_and_signs(make_session):
    with loopback.Server(loopback.openai(SHAPE)) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 40)) as pilot:
            main, hunks = app.main, app.main.hunks
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: len(hunks.hunks) == 1 and hunks.has_focus)
            await pilot.pause(0.5)

            def row(words):
                return next(y for y in range(hunks.size.height) if words in hunks.render_line(y).text)

            async def drag(first, last):
                cursor = hunks._cursor
                await pilot.mouse_down(hunks, offset=(first[0] + 1, first[1]))
                await pilot.hover(hunks, offset=(last[0] + 1, last[1]))
                await pilot.mouse_up(hunks, offset=(last[0] + 1, last[1]))
                await pilot.pause(0.1)
                assert hunks._cursor == cursor
                return main.get_selected_text()

            old, new = row("- "), row("joules: float = 1.0")
            left = hunks.render_line(new).text.index("joules")
            before = [segment.style.bgcolor for segment in hunks.render_line(new)]
            assert await drag((left, new), (left + 5, new)) == "joules"
            assert [segment.style.bgcolor for segment in hunks.render_line(new)] != before
            await pilot.press("ctrl+c")
            await until(pilot, lambda: "6 characters copied" in str(main.composer.border_title))
            assert app.clipboard == "joules"
            assert main.get_selected_text() in {None, ""}

            assert await drag((0, old), (left + 30, new)) == "    joules: float = 0.0\n    joules: float = 1.0"
            tabs = row("return '")
            assert await drag((0, tabs), (70, tabs)) == "\t\treturn '宽的字符' + 1"  # as the file has it
            wide = hunks.render_line(tabs).text.index("宽")
            assert await drag((wide, tabs), (wide + 6, tabs)) == "宽的字符"
            top = row("return min")
            assert await drag((0, top), (70, row("# so"))) == LONG.format(1, "so")
            assert await drag((5, row("meter.py")), (0, row("meter.py"))) == "kettle"

            await pilot.click(hunks, offset=(left + 1, new))
            await pilot.pause(0.1)
            assert main.get_selected_text() in {None, ""}
            assert hunks._cursor == new + hunks.scroll_offset.y
            assert await drag((left, new), (left + 5, new)) == "joules"
            await pilot.resize_terminal(130, 40)
            await pilot.pause(0.3)
            assert main.get_selected_text() in {None, ""}  # other lines stand there now
            await pilot.press("v")
            await until(pilot, lambda: hunks.size.width > 100)
            await pilot.pause(0.3)
            here = row("joules: float = 1.0")
            right = hunks.render_line(here).text.rindex("joules")
            found = await drag((right, here), (right + 40, row("def wide")))
            assert found == "joules: float = 1.0\n    def wide(self):"
            left = hunks.render_line(here).text.index("joules")
            assert await drag((left, here), (left + 5, here)) == "joules"


async def test_in_the_sheet_of_an_edit_two_keys_lead_to_its_ends(make_session):
    with loopback.Server(loopback.openai(SHAPE)) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 40)) as pilot:
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: app.main.hunks.has_focus and app.main.hunks.hunks)
            await pilot.pause(0.5)
            await pilot.press("e")
            await until(pilot, lambda: len(app.screen_stack) == 2 and app.focused is not None)
            before = app.focused.text
            await pilot.press("ctrl+end", "B", "ctrl+home", "A", "ctrl+end", "C")
            await until(pilot, lambda: app.focused.text == f"A{before}BC")


async def test_a_second_opinion_while_a_turn_runs_is_refused_before_somebody_is_chosen(make_session):
    with loopback.Server(loopback.openai(SHAPE), loopback.openai("word " * 150), pause_s=0.02) as server:
        app = Wattson(make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY), "openai/gpt-6.1-sol")
        async with app.run_test(size=(80, 24)) as pilot:
            hunks = app.main.hunks
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: hunks.has_focus and hunks.hunks)
            await say(pilot, "talk")
            await until(pilot, lambda: "word word" in app.main.talk.text)
            await pilot.press("f2")
            await pilot.pause(0.5)
            await pilot.press("o")
            await until(pilot, lambda: "a turn is running" in hunks.hint)
            assert len(app.screen_stack) == 1
            await until(pilot, lambda: not app.session.asking)
