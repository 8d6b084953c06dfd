"""What hunks do beside being taken: they come while the answer streams, go to the user's editor, and are shown to another model."""

import contextlib
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
from tests.tui.keys import proposed, readable, say, take, until

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
            await readable(pilot)
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


ROOT = Path.cwd()
PATIENCE_S = 60


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, repo, env):
        self._child, self._end = pty.fork()
        if not self._child:
            os.chdir(repo)
            argv = [sys.executable, "-m", "assistant", "tui", "-m", "openai/gpt-6.1-sol"]
            os.execve(argv[0], argv, {**env, "TERM": "xterm", "PYTHONPATH": str(ROOT)})
        self._open, self._over, self._out = True, False, b""

    def press(self, keys, then):
        """Press keys, and wait for what is seen of them: it was not there before they were pressed."""
        self._out = b""
        os.write(self._end, keys)
        self.see(then)

    def see(self, words):
        """Wait until words are drawn."""
        last = time.monotonic() + PATIENCE_S
        while words.encode() not in self._out:
            self._read(max(0.0, last - time.monotonic()), words)

    def press_until(self, keys, words):
        """Press keys that count for nothing as long as the hunks could not be read, until it is seen that they count."""
        last = time.monotonic() + PATIENCE_S
        while words.encode() not in self._out:
            assert time.monotonic() < last, self._told(words)
            os.write(self._end, keys)
            with contextlib.suppress(TimeoutError):
                self._read(0.5, words)

    def _read(self, patience_s, words):
        if not select.select([self._end], [], [], patience_s)[0]:
            raise TimeoutError(self._told(words))
        try:
            self._out += os.read(self._end, 65536)
        except OSError:  # its last process has ended
            raise AssertionError(self._told(words)) from None

    def _told(self, words):
        return f"{words!r} was not seen, but {self._out[-2000:]}"

    def close(self):
        """Close the terminal, as a user closes its window."""
        if self._open:
            os.close(self._end)
        self._open = False

    def wait(self):
        """Wait for the end of the program."""
        last = time.monotonic() + PATIENCE_S
        while not self._over:
            assert time.monotonic() < last, "the program does not end"
            self._over = bool(os.waitpid(self._child, os.WNOHANG)[0])
            time.sleep(0.02)

    def kill(self):
        """End the program, where it has not ended."""
        self.close()
        if not self._over:
            os.kill(self._child, signal.SIGKILL)
            self.wait()


@contextlib.contextmanager
def asked(repo, env, server, program):
    """Drive the program in a terminal, with an editor, up to where a hunk can be decided; no process of it stays."""
    keys = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "EDITOR": str(program)}
    terminal = Terminal(repo, {**env, **keys})
    try:
        terminal.see("now asking")
        terminal.press(b"go on\r", "1/1 ·")
        terminal.press_until(b"y", "✓")
        yield terminal
    finally:
        terminal.kill()


def script(tmp_path, words):
    path = tmp_path / "ed.sh"
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return path


def test_a_hunk_is_changed_in_the_users_own_editor(repo, env, tmp_path):
    program = script(tmp_path, "sed -i 's/1.0/2.5/' \"$1\"")
    with loopback.Server(loopback.openai(FIRST)) as server, asked(repo, env, server, program) as terminal:
        terminal.press(b"E", "as edited")
        terminal.press(b"A\r", "applied")
    assert "joules: float = 2.5" in (repo / "kettle/meter.py").read_text()
    assert not list((config.places(env).data / "editor").iterdir())


def test_an_editor_that_is_not_there_leaves_the_screen_as_it_was(repo, env, tmp_path):
    with loopback.Server(loopback.openai(FIRST)) as server, asked(repo, env, server, tmp_path / "none") as terminal:
        terminal.press(b"E", "cannot be opened")
        terminal.press(b"A\r", "applied")
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()


def test_what_was_saved_in_an_editor_outlives_the_terminal(repo, env, tmp_path):
    stays = "while true > /dev/tty; do sleep 0.1; done 2> /dev/null\nsleep 1"  # the program has heard of it by then
    stays = f"trap '' HUP\necho mine > \"$1\"\necho saved > /dev/tty\n{stays}"
    program = script(tmp_path, stays)
    with loopback.Server(loopback.openai(FIRST)) as server, asked(repo, env, server, program) as terminal:
        terminal.press(b"E", "saved")
        terminal.close()
        terminal.wait()
    (left,) = editor.left_behind(config.places(env))
    assert (left / "text.py").read_text() == "mine\n"


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
        await readable(pilot)
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
            await readable(pilot)

            def row(words):
                return next(y for y in range(hunks.size.height) if words in hunks.render_line(y).text)

            async def drag(first, last):
                cursor = hunks.cursor.row
                await pilot.mouse_down(hunks, offset=(first[0] + 1, first[1]))
                await pilot.hover(hunks, offset=(last[0] + 1, last[1]))
                await pilot.mouse_up(hunks, offset=(last[0] + 1, last[1]))
                assert hunks.cursor.row == cursor
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
            assert main.get_selected_text() in {None, ""}
            assert hunks.cursor.row == new + hunks.scroll_offset.y
            assert await drag((left, new), (left + 5, new)) == "joules"
            await pilot.resize_terminal(130, 40)
            await until(pilot, lambda: not main.get_selected_text())  # other lines stand there now
            await pilot.press("v")
            await until(pilot, lambda: any(line.count("joules: float") == 2 for line in drawn(hunks).split("\n")))
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
            await readable(pilot)
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
            await readable(pilot)
            await pilot.press("o")
            await until(pilot, lambda: "a turn is running" in hunks.hint)
            assert len(app.screen_stack) == 1
            await until(pilot, lambda: not app.session.asking)
